//! Reading a v2 trace generation by generation, over damage if need be.
//!
//! Source: Go 1.27 `internal/trace/reader.go` and `generation.go`. Memory is bounded by the
//! largest generation. Where a batch should begin and does not, the reader looks for the next
//! one ([`resync`](super::resync)). A header of which one number is damaged is mended if the others
//! and the batch behind it tell what it was.

use super::batch::{
    BatchHeader, BatchKind, MAX_HEADER_LEN, PADDED_SIZE_LEN, parse_header, parse_start,
};
use super::footprint::Footprint;
use super::generation::Generation;
use super::resync::{Known, PLAUSIBLE_GENERATIONS, find_batch};
use super::spec::MAX_BATCH_SIZE;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::ByteStream;
use crate::wire::{Version, varint};

/// Most bytes of events that one generation may hold. A generation is about one second of a
/// program's life or 16 MB a thread, whatever comes first, so this is far above any real one.
const MAX_GENERATION_BYTES: usize = 1 << 31;

/// Reads generations from a stream that is positioned behind the trace header.
pub struct Reader {
    stream: ByteStream,
    version: Version,
    ns_per_tick: Option<f64>,
    /// Number of the generation read last; `None` before the first.
    last_number: Option<u64>,
    /// Time of the batch read last, clock ticks.
    last_ticks: u64,
    /// Latest time of a batch of the generation under way, clock ticks.
    latest_ticks: u64,
    /// Whether the runtime has written the trace, as far as its headers show.
    is_padded: bool,
    /// Bytes were lost between the generation read last and the batch that stands here.
    has_lost_start: bool,
    /// The end of the input was reached.
    done: bool,
    /// Memory of a generation that is not needed any more, for the next one.
    spare: Vec<u8>,
    /// Bytes and count of the wire events, if they are to be counted.
    pub footprint: Option<Box<Footprint>>,
    /// Damage found while reading. The caller takes them as it likes.
    pub diagnostics: Diagnostics,
}

/// What stands at the current position of the stream.
enum Here {
    End,
    EndMark,
    Batch(BatchHeader),
    Damage(&'static str),
}

impl Reader {
    /// A reader of the batches in `stream`.
    pub fn new(stream: ByteStream, version: Version) -> Self {
        Reader {
            stream,
            version,
            ns_per_tick: None,
            last_number: None,
            last_ticks: 0,
            latest_ticks: 0,
            is_padded: false,
            has_lost_start: false,
            done: false,
            spare: Vec::new(),
            footprint: None,
            diagnostics: Diagnostics::default(),
        }
    }

    /// The format of the trace.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Absolute offset of the next unread byte.
    pub fn offset(&self) -> u64 {
        self.stream.offset()
    }

    /// Reads the next generation; `None` at the end of the input.
    pub fn next_generation(&mut self) -> Option<Generation> {
        if self.done {
            return None;
        }
        let mut generation: Option<Generation> = None;
        let mut has_end_mark = false;
        let mut has_lost_end = false;
        let has_lost_start = std::mem::take(&mut self.has_lost_start);
        loop {
            match self.here(generation.as_ref()) {
                Here::End => {
                    self.done = true;
                    break;
                }
                Here::Damage(what) => {
                    self.resume_behind_damage(what, generation.as_ref());
                    has_lost_end = true;
                }
                Here::EndMark => {
                    if let Some(footprint) = &mut self.footprint {
                        footprint.add_batch(&self.stream.peek(1)[..1], self.version);
                    }
                    self.stream.consume(1);
                    if let Some(generation) = &mut generation {
                        generation.bytes += 1;
                        has_end_mark = true;
                        break;
                    }
                }
                Here::Batch(mut header) => {
                    match self.belongs(&header, generation.as_ref()) {
                        Belongs::Next => {
                            // What was lost before it may have been a part of it.
                            self.has_lost_start = has_lost_end;
                            break;
                        }
                        Belongs::Nowhere => {
                            self.skip_stray(&header, generation.as_ref());
                            continue;
                        }
                        Belongs::To(number) => self.mend_generation(&mut header, number),
                        Belongs::Here => {}
                    }
                    let offset = self.stream.offset();
                    if generation.is_none() {
                        self.latest_ticks = 0;
                    }
                    let spare = &mut self.spare;
                    let generation = generation.get_or_insert_with(|| {
                        Generation::new(header.generation, offset, std::mem::take(spare))
                    });
                    self.take_batch(&header, generation);
                    has_lost_end = false;
                }
            }
        }
        if let Some(error) = self.stream.take_error() {
            let offset = self.stream.offset();
            self.diagnostics
                .push(Diagnostic::new(Code::TruncatedBatch, error.reason()).at_offset(offset));
        }
        let mut generation = generation?;
        generation.has_lost_start = has_lost_start;
        if self.version.minor() >= 26 && !has_end_mark {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::MissingEndOfGeneration,
                    "no end mark; the recording was cut off, the generation may lack batches",
                )
                .at_offset(self.stream.offset())
                .in_generation(generation.number),
            );
        }
        if let Some(last) = self.last_number
            && generation.number > last + 1
        {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::GenerationGap,
                    format!(
                        "{} generations are missing before this one",
                        generation.number - last - 1
                    ),
                )
                .at_offset(generation.offset)
                .in_generation(generation.number),
            );
        }
        self.last_number = Some(generation.number);
        generation.finish(self.version, self.ns_per_tick, &mut self.diagnostics);
        self.ns_per_tick = Some(generation.ns_per_tick);
        Some(generation)
    }

    /// Takes back a generation that is not needed any more; the next one uses its memory.
    pub fn recycle(&mut self, generation: Generation) {
        self.spare = generation.arena;
        self.spare.clear();
    }

    /// What stands at the current position.
    fn here(&mut self, generation: Option<&Generation>) -> Here {
        let is_padded = self.is_padded;
        let bytes = self.stream.peek(MAX_HEADER_LEN);
        if bytes.is_empty() {
            return Here::End;
        }
        match parse_header(bytes) {
            Ok(header) if header.kind == BatchKind::EndOfGeneration => {
                if self.is_end_mark(generation) {
                    Here::EndMark
                } else {
                    Here::Damage("want a batch, got an end mark before the end of the generation")
                }
            }
            Ok(header) if is_padded && !header.is_padded => self
                .mend_size(generation)
                .unwrap_or(Here::Damage("batch size is not as the others are written")),
            Ok(header) => Here::Batch(header),
            Err(what) => self.mend_size(generation).unwrap_or(Here::Damage(what)),
        }
    }

    /// Whether the byte here, which looks like the mark that ends a generation, is one: there is
    /// none before Go 1.26, and what follows is not of the generation under way.
    fn is_end_mark(&mut self, generation: Option<&Generation>) -> bool {
        if self.version.minor() < 26 {
            return false;
        }
        let Some(generation) = generation else { return true };
        let known = self.known(Some(generation));
        let bytes = self.stream.peek(1 + MAX_BATCH_SIZE as usize + MAX_HEADER_LEN);
        let header = match parse_header(&bytes[1..]) {
            Ok(header) if header.is_padded == known.is_padded => Some(header),
            _ => find_batch(bytes, 1, bytes.len(), known)
                .and_then(|at| parse_header(&bytes[at..]).ok()),
        };
        header.is_none_or(|header| header.generation != generation.number)
    }

    fn known(&self, generation: Option<&Generation>) -> Known {
        Known {
            generation: generation.map_or(self.last_number.unwrap_or(0), |one| one.number),
            ticks: self.last_ticks,
            is_padded: self.is_padded,
        }
    }

    /// A header here of which only the length is damaged: the batch ends where the next begins.
    fn mend_size(&mut self, generation: Option<&Generation>) -> Option<Here> {
        let generation = generation?;
        if !self.is_padded {
            return None;
        }
        let known = self.known(Some(generation));
        let bytes = self.stream.peek(MAX_BATCH_SIZE as usize + 2 * MAX_HEADER_LEN);
        let mut header = parse_start(bytes)?;
        if header.generation != generation.number || !known.allows(&header) {
            return None;
        }
        // Whether the damage has made the number shorter, or has only changed some of its bytes,
        // shows its end: seven of the ten bytes are always the same. Where they stand elsewhere,
        // it is not the length that is damaged, but a number before it.
        let size = &bytes[header.header_len..];
        let mut places = size.windows(PADDING.len()).take(PADDED_SIZE_LEN);
        if places.position(|place| place == PADDING).is_some_and(|at| at != 3) {
            return None;
        }
        let kept = size.iter().skip(3).zip(PADDING).filter(|(got, want)| **got == *want).count();
        header.header_len += if kept >= 4 {
            PADDED_SIZE_LEN
        } else if size[..size.len().min(MAX_HEADER_LEN)].windows(7).any(|w| w == PADDING) {
            return None;
        } else {
            varint::read(size).map_or(PADDED_SIZE_LEN, |(_, len)| len)
        };
        let end = find_batch(bytes, header.header_len, bytes.len(), known)?;
        header.data_len = end - header.header_len;
        if header.data_len > MAX_BATCH_SIZE as usize {
            return None;
        }
        let report = Diagnostic::new(
            Code::BadBatchHeader,
            format!("batch size is damaged; the next batch begins after {}", header.data_len),
        );
        self.diagnostics.push(
            report
                .at_offset(self.stream.offset())
                .in_generation(generation.number)
                .on_thread(header.thread),
        );
        Some(Here::Batch(header))
    }

    /// To what a batch belongs. Its number of the generation may be damaged; the batch behind it
    /// tells, because no generation consists of one batch.
    fn belongs(&mut self, header: &BatchHeader, generation: Option<&Generation>) -> Belongs {
        let number = header.generation;
        if generation.is_some_and(|generation| generation.number == number) {
            return Belongs::Here;
        }
        let behind = self.header_behind(header, 0);
        let behind_number = behind.map(|behind| behind.generation);
        let is_alone = behind_number != Some(number);
        let Some(generation) = generation else {
            let last = self.last_number;
            let follows = last.is_none_or(|last| {
                number > last && number - last <= PLAUSIBLE_GENERATIONS && number != 0
            });
            return match behind {
                Some(behind)
                    if is_alone
                        // Else it is the one behind that does not belong here.
                        && self.second_behind(header, &behind) != Some(number)
                        && last.is_none_or(|last| last.checked_add(1) == Some(behind.generation))
                        && behind.generation != 0
                        && behind.time_ticks.abs_diff(header.time_ticks) < SAME_GENERATION_TICKS =>
                {
                    Belongs::To(behind.generation)
                }
                _ if number == 0 || !follows => Belongs::Nowhere,
                // It is the next one, or nothing is known of the next one.
                _ if last.is_none_or(|last| last.checked_add(1) == Some(number)) || !is_alone => {
                    Belongs::Here
                }
                _ => Belongs::Nowhere,
            };
        };
        let mine = generation.number;
        if is_alone && behind_number == Some(mine) {
            let latest = self.latest_ticks.max(behind.map_or(0, |behind| behind.time_ticks));
            let is_in_time = (generation.min_time_ticks..=latest).contains(&header.time_ticks);
            return if is_in_time { Belongs::To(mine) } else { Belongs::Nowhere };
        }
        let distance = number.wrapping_sub(mine);
        if distance == 1 || (!is_alone && (2..=PLAUSIBLE_GENERATIONS).contains(&distance)) {
            return Belongs::Next;
        }
        Belongs::Nowhere
    }

    /// Gives a batch the number of the generation it is a part of.
    fn mend_generation(&mut self, header: &mut BatchHeader, number: u64) {
        let report = Diagnostic::new(
            Code::BadBatchHeader,
            format!(
                "batch is of generation {}, those around it are of {number}; took it for one of them",
                header.generation
            ),
        );
        self.diagnostics.push(
            report.at_offset(self.stream.offset()).in_generation(number).on_thread(header.thread),
        );
        header.generation = number;
    }

    /// The header that stands behind the data of `header`, which begins `at` bytes from here, if one
    /// does.
    fn header_behind(&mut self, header: &BatchHeader, at: usize) -> Option<BatchHeader> {
        let start = at + header.header_len + header.data_len;
        let is_padded = self.is_padded;
        let bytes = self.stream.peek(start + MAX_HEADER_LEN);
        let behind = parse_header(bytes.get(start..)?).ok()?;
        let is_batch = behind.kind != BatchKind::EndOfGeneration;
        (is_batch && (behind.is_padded || !is_padded)).then_some(behind)
    }

    /// The generation of the second batch behind one, if there are two.
    fn second_behind(&mut self, header: &BatchHeader, behind: &BatchHeader) -> Option<u64> {
        let at = header.header_len + header.data_len;
        self.header_behind(behind, at).map(|second| second.generation)
    }

    fn skip_stray(&mut self, header: &BatchHeader, generation: Option<&Generation>) {
        let lost = (header.header_len + header.data_len).min(self.stream.peek(0).len());
        let want = match (generation, self.last_number) {
            (Some(generation), _) => format!("generation {}", generation.number),
            (None, Some(last)) => format!("a generation after {last}"),
            (None, None) => "a generation".into(),
        };
        self.diagnostics.push(
            Diagnostic::new(
                Code::GenerationOutOfOrder,
                format!("batch is of generation {}, want {want}; skipped it", header.generation),
            )
            .at_offset(self.stream.offset())
            .on_thread(header.thread)
            .losing_bytes(lost as u64),
        );
        self.stream.peek(lost);
        self.stream.consume(lost);
    }

    /// Moves a batch from the stream into the generation.
    fn take_batch(&mut self, header: &BatchHeader, generation: &mut Generation) {
        let offset = self.stream.offset();
        self.is_padded |= header.is_padded;
        let known = Known { ticks: header.time_ticks, ..self.known(Some(generation)) };
        let want = header.header_len + header.data_len;
        let bytes = self.stream.peek(want + MAX_HEADER_LEN);
        let mut data_len = header.data_len.min(bytes.len() - header.header_len);
        // Either this batch's length or the next batch is damaged, or the input is cut off. If a
        // batch begins inside this one's data, it is the length.
        let is_doubtful = if data_len < header.data_len {
            known.is_padded
        } else {
            bytes.len() > want && is_followed_badly(&bytes[want..], known)
        };
        let found = if is_doubtful {
            find_batch(bytes, header.header_len, header.header_len + data_len, known)
        } else {
            None
        };
        let report = |code, message: String| {
            Diagnostic::new(code, message)
                .at_offset(offset)
                .in_generation(generation.number)
                .on_thread(header.thread)
        };
        let size = header.data_len;
        if let Some(found) = found {
            data_len = found - header.header_len;
            self.diagnostics.push(report(
                Code::BadBatchHeader,
                format!("batch size is {size} but the next batch begins after {data_len}"),
            ));
        } else if data_len < size {
            self.diagnostics.push(
                report(
                    Code::TruncatedBatch,
                    format!(
                        "batch of {size} bytes ends after {data_len}; kept the whole events in it"
                    ),
                )
                .losing_bytes((size - data_len) as u64),
            );
        }
        self.last_ticks = header.time_ticks;
        self.latest_ticks = self.latest_ticks.max(header.time_ticks);
        if generation.arena_len() + data_len > MAX_GENERATION_BYTES {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::GenerationTooLarge,
                    format!("generation has over {MAX_GENERATION_BYTES} bytes of events; skipped a batch"),
                )
                .at_offset(offset)
                .in_generation(generation.number)
                .losing_bytes(data_len as u64),
            );
        } else {
            let data_offset = offset + header.header_len as u64;
            let data = &self.stream.peek(header.header_len + data_len)
                [header.header_len..header.header_len + data_len];
            generation.add_batch(header, data, data_offset, self.version, &mut self.diagnostics);
        }
        if let Some(footprint) = &mut self.footprint {
            let whole = header.header_len + data_len;
            footprint.add_batch(&self.stream.peek(whole)[..whole], self.version);
        }
        self.stream.consume(header.header_len + data_len);
    }

    /// Skips bytes until a batch begins, or to the end of the input.
    fn resume_behind_damage(&mut self, what: &'static str, generation: Option<&Generation>) {
        let start = self.stream.offset();
        let known = self.known(generation);
        loop {
            // Enough to see a batch of the largest size and the header behind it.
            let window = 2 * (MAX_BATCH_SIZE as usize + 2 * MAX_HEADER_LEN);
            let is_start = self.stream.offset() == start;
            let bytes = self.stream.peek(window);
            let at_end = bytes.len() < window;
            let limit = if at_end { bytes.len() } else { MAX_BATCH_SIZE as usize };
            let found = find_batch(bytes, usize::from(is_start), limit, known);
            self.stream.consume(found.unwrap_or(limit));
            if found.is_some() || at_end {
                break;
            }
        }
        let lost = self.stream.offset() - start;
        let outcome = if self.stream.peek(1).is_empty() {
            "found no batch after it"
        } else {
            "resumed at the next batch"
        };
        self.diagnostics.push(
            Diagnostic::new(Code::BadBatchHeader, format!("{what}; {outcome}"))
                .at_offset(start)
                .losing_bytes(lost),
        );
    }
}

/// Where a batch belongs, seen from the generation being read.
enum Belongs {
    Here,
    Next,
    Nowhere,
    /// To this generation, though its header says another.
    To(u64),
}

/// The end of a padded size.
const PADDING: [u8; 7] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0];

/// Batches of one generation are hardly this far apart, clock ticks: about a minute.
const SAME_GENERATION_TICKS: u64 = 1 << 30;

/// Whether what stands behind a batch is not another one.
fn is_followed_badly(behind: &[u8], known: Known) -> bool {
    match parse_header(behind) {
        Ok(header) => {
            known.is_padded && !header.is_padded && header.kind != BatchKind::EndOfGeneration
        }
        Err(_) => true,
    }
}
