//! Reading a v2 trace generation by generation, over damage if need be.
//!
//! Source: Go 1.27 `internal/trace/reader.go` and `generation.go`. Memory is bounded by the
//! largest generation. Where a batch should begin and does not, the reader looks for the next
//! place that is one: a header whose generation, time and thread are plausible and behind whose
//! data another such header (or the end of the input) stands.

use super::batch::{BatchHeader, BatchKind, MAX_HEADER_LEN, parse_header};
use super::footprint::Footprint;
use super::generation::Generation;
use super::spec::MAX_BATCH_SIZE;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::ByteStream;
use crate::wire::Version;

/// Most bytes of events that one generation may hold. A generation is about one second of a
/// program's life or 16 MB a thread, whatever comes first, so this is far above any real one.
const MAX_GENERATION_BYTES: usize = 1 << 31;

/// How far behind its predecessor or ahead of it a batch's generation may be and still be
/// believed. Traces of years have fewer generations than this.
const PLAUSIBLE_GENERATIONS: u64 = 1 << 20;

/// Reads generations from a stream that is positioned behind the trace header.
pub struct Reader {
    stream: ByteStream,
    version: Version,
    ns_per_tick: Option<f64>,
    /// Number of the generation read last; `None` before the first.
    last_number: Option<u64>,
    /// Time of the batch read last, clock ticks.
    last_ticks: u64,
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
        loop {
            match self.here() {
                Here::End => {
                    self.done = true;
                    break;
                }
                Here::Damage(what) => self.resume_behind_damage(what),
                Here::Batch(header) if header.kind == BatchKind::EndOfGeneration => {
                    if let Some(footprint) = &mut self.footprint {
                        footprint.add_batch(&self.stream.peek(1)[..1], self.version);
                    }
                    self.stream.consume(header.header_len);
                    if let Some(generation) = &mut generation {
                        generation.bytes += 1;
                        has_end_mark = true;
                        break;
                    }
                }
                Here::Batch(header) => {
                    match self.belongs(&header, generation.as_ref()) {
                        Belongs::Next => break,
                        Belongs::Nowhere => {
                            self.skip_stray(&header, generation.as_ref());
                            continue;
                        }
                        Belongs::Here => {}
                    }
                    let offset = self.stream.offset();
                    let spare = &mut self.spare;
                    let generation = generation.get_or_insert_with(|| {
                        Generation::new(header.generation, offset, std::mem::take(spare))
                    });
                    self.take_batch(&header, generation);
                }
            }
        }
        if let Some(error) = self.stream.take_error() {
            let offset = self.stream.offset();
            self.diagnostics
                .push(Diagnostic::new(Code::TruncatedBatch, error.to_string()).at_offset(offset));
        }
        let mut generation = generation?;
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
    fn here(&mut self) -> Here {
        let bytes = self.stream.peek(MAX_HEADER_LEN);
        if bytes.is_empty() {
            return Here::End;
        }
        match parse_header(bytes) {
            Ok(header) => Here::Batch(header),
            Err(what) => Here::Damage(what),
        }
    }

    /// Whether a batch belongs to the generation being read.
    fn belongs(&mut self, header: &BatchHeader, generation: Option<&Generation>) -> Belongs {
        let Some(generation) = generation else {
            return match self.last_number {
                _ if header.generation == 0 => Belongs::Nowhere,
                Some(last) if header.generation <= last => Belongs::Nowhere,
                Some(last) if header.generation - last > PLAUSIBLE_GENERATIONS => Belongs::Nowhere,
                _ => Belongs::Here,
            };
        };
        if header.generation == generation.number {
            return Belongs::Here;
        }
        let next_is_plausible = header.generation > generation.number
            && header.generation - generation.number <= PLAUSIBLE_GENERATIONS;
        // One batch with another number between two of this generation is a damaged number, not
        // a new generation: a generation has at least a clock batch and an event batch.
        match self.header_behind(header) {
            Some(behind) if behind.generation == generation.number => Belongs::Nowhere,
            _ if next_is_plausible => Belongs::Next,
            _ => Belongs::Nowhere,
        }
    }

    /// The header that stands behind the data of `header`, if one does.
    fn header_behind(&mut self, header: &BatchHeader) -> Option<BatchHeader> {
        let start = header.header_len + header.data_len;
        let bytes = self.stream.peek(start + MAX_HEADER_LEN);
        let behind = parse_header(bytes.get(start..)?).ok()?;
        (behind.kind != BatchKind::EndOfGeneration).then_some(behind)
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
        let want = header.header_len + header.data_len;
        let bytes = self.stream.peek(want + MAX_HEADER_LEN);
        let mut data_len = header.data_len;
        if bytes.len() < want {
            data_len = bytes.len() - header.header_len;
            self.diagnostics.push(
                Diagnostic::new(
                    Code::TruncatedBatch,
                    format!(
                        "batch of {} bytes ends after {data_len}; kept the whole events in it",
                        header.data_len
                    ),
                )
                .at_offset(offset)
                .in_generation(generation.number)
                .on_thread(header.thread)
                .losing_bytes((header.data_len - data_len) as u64),
            );
        } else if bytes.len() > want && parse_header(&bytes[want..]).is_err() {
            // Either this batch's length or the next batch is damaged. If a batch begins inside
            // this one's data, it is the length.
            let known = Known { generation: generation.number, ticks: header.time_ticks };
            if let Some(found) = find_batch(&bytes[..want], header.header_len, known) {
                data_len = found - header.header_len;
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::BadBatchHeader,
                        format!(
                            "batch size is {} but the next batch begins after {data_len}",
                            header.data_len
                        ),
                    )
                    .at_offset(offset)
                    .in_generation(generation.number)
                    .on_thread(header.thread),
                );
            }
        }
        self.last_ticks = header.time_ticks;
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
    fn resume_behind_damage(&mut self, what: &'static str) {
        let start = self.stream.offset();
        let known =
            Known { generation: self.last_number.unwrap_or(0).max(1), ticks: self.last_ticks };
        loop {
            // Enough to see a batch of the largest size and the header behind it.
            let window = 2 * (MAX_BATCH_SIZE as usize + 2 * MAX_HEADER_LEN);
            let bytes = self.stream.peek(window);
            let at_end = bytes.len() < window;
            let limit = if at_end { bytes.len() } else { MAX_BATCH_SIZE as usize };
            let from = usize::from(self.stream.offset() == start);
            let bytes = self.stream.peek(window);
            let found = find_batch(bytes, from, known).filter(|&found| found < limit);
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
}

/// What is known about the trace when a batch is searched.
#[derive(Clone, Copy)]
struct Known {
    /// Number of the current or the last generation.
    generation: u64,
    /// Time of the last batch, clock ticks; 0 if none was read.
    ticks: u64,
}

impl Known {
    fn allows(&self, header: &BatchHeader) -> bool {
        if header.kind == BatchKind::EndOfGeneration {
            return true;
        }
        let near = |a: u64, b: u64, distance: u64| a.abs_diff(b) <= distance;
        near(header.generation, self.generation, PLAUSIBLE_GENERATIONS)
            && header.generation != 0
            // About a day of 64 ns ticks.
            && (self.ticks == 0 || near(header.time_ticks, self.ticks, 1 << 40))
            // Thread numbers are process ids or pointers; Windows and macOS have large ones.
            && header.time_ticks != 0
    }
}

/// The first place from `from` on at which a batch begins: a plausible header with data behind
/// which another plausible header stands.
fn find_batch(bytes: &[u8], from: usize, known: Known) -> Option<usize> {
    (from..bytes.len()).find(|&at| {
        // The byte test comes first because almost every position fails it.
        (bytes[at] == super::EventType::EventBatch as u8
            || bytes[at] == super::EventType::ExperimentalBatch as u8)
            && is_batch(&bytes[at..], known)
    })
}

fn is_batch(bytes: &[u8], known: Known) -> bool {
    let Ok(header) = parse_header(bytes) else { return false };
    if !known.allows(&header) || header.data_len == 0 {
        return false;
    }
    let end = header.header_len + header.data_len;
    match bytes.get(end..) {
        None => false,
        Some([]) => true,
        Some(behind) => parse_header(behind).is_ok_and(|next| {
            known.allows(&next)
                && (next.kind == BatchKind::EndOfGeneration
                    || next.generation == header.generation
                    || next.generation == header.generation + 1)
        }),
    }
}
