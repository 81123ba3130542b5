//! The first pass over a v1 trace: where the batches of each proc are, and all that belongs to
//! the whole trace.
//!
//! Source: Go 1.27 `internal/trace/internal/tracev1/parser.go` (collectBatchesAndCPUSamples), which
//! gives up at the first bad byte. Here a damaged batch ends where the damage is, and the scan
//! goes on at the next place where a batch begins.

use super::frame::{BATCH_START, CpuSample, Entry, Flaw, entry};
use super::spec::{EventType, MAX_ARGS_SIZE, MAX_BATCH_SIZE, MAX_STRING_SIZE, Place, SHAPES};
use super::window::Window;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::RandomAccess;
use crate::wire::Version;
use crate::wire::header::HEADER_LEN;
use crate::wire::tables::Tables;
use crate::wire::varint::{WINDOW, read_in_window};
use byteorder::{ByteOrder, LittleEndian};
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

/// The first event of a proc's next batch may seem to be this much earlier than the last one of
/// this batch, clock ticks: about a millisecond. Clocks of different cores differ a little.
pub(super) const CLOCK_SKEW: i64 = 1 << 16;

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;
/// Every entry but strings and log messages is shorter.
const LONGEST_ENTRY: usize = MAX_ARGS_SIZE as usize + 32;
/// Every entry is shorter.
const LONGEST_STRING: usize = MAX_STRING_SIZE as usize + LONGEST_ENTRY;

// What a hostile file may cost in memory. Real traces are far below all of these.
/// Procs.
const MAX_PROCS: usize = 1 << 16;
/// Batches, of real ones 256 GB.
const MAX_BATCHES: u64 = 1 << 22;
/// CPU samples: at 100 a second and running thread, a day of 4 threads.
const MAX_SAMPLES: usize = 1 << 25;
/// Timer goroutines; Go had at most 64.
const MAX_TIMERS: usize = 1 << 12;
/// Bytes of strings, and of log messages.
const MAX_STRING_BYTES: usize = 1 << 29;
/// Frames in stacks.
const MAX_FRAMES: usize = 1 << 26;
/// Highest string number. The numbers above are for log messages and our own strings.
const MAX_STRING_ID: u64 = 1 << 62;

// What is believed of a batch header that is found behind damaged bytes.
/// A batch may begin this many ticks (an hour or less) before the first one of the file ...
const PLAUSIBLE_BEFORE: i64 = 1 << 38;
/// ... and this many ticks (hours) after the latest.
const PLAUSIBLE_AFTER: i64 = 1 << 42;
/// Procs above this number are only believed if they have been seen.
const PLAUSIBLE_PROC: i32 = 1 << 12;
/// Entries that must be readable behind a batch header to believe it.
const PROBED_ENTRIES: usize = 24;

/// A batch that has events with times.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Absolute offset behind its header.
    pub offset: u64,
    /// Its length without the header, bytes; if it is damaged, up to the damage.
    pub len: u64,
    /// The time in its header, clock ticks.
    pub base_ticks: i64,
    /// The time of its first event.
    pub first_ticks: i64,
    /// The earliest time at which a system call ended of those whose end is in this batch and was
    /// written later than it happened; `i64::MAX` if there is none.
    pub earliest_exit: i64,
    /// Its proc may have lost batches before this one.
    pub follows_loss: bool,
    /// Its end was lost.
    pub is_damaged: bool,
}

/// The batches of one proc, in the order of the file.
#[derive(Debug)]
pub struct ProcBatches {
    /// Proc (P) number; -1 for none.
    pub proc: i32,
    /// Its batches.
    pub batches: Vec<Batch>,
    /// How many batches were lost of which the proc is not known, when its last one was read.
    losses_seen: u64,
}

/// The string numbers of log messages, which stand in the file without one.
///
/// The messages themselves are in the [`Tables`]; here are only their hashes, of 128 bits with a
/// random key, so that two messages are never taken for one.
#[derive(Debug, Default)]
pub struct LogStrings {
    keys: [RandomState; 2],
    ids: HashMap<u128, u64>,
}

impl LogStrings {
    fn key(&self, text: &[u8]) -> u128 {
        let [high, low] = &self.keys;
        u128::from(high.hash_one(text)) << 64 | u128::from(low.hash_one(text))
    }

    /// The string number of a message; 0, the empty string, if it is not known.
    pub fn id(&self, text: &[u8]) -> u64 {
        if text.is_empty() { 0 } else { self.ids.get(&self.key(text)).copied().unwrap_or(0) }
    }
}

/// What the first pass finds.
#[derive(Debug)]
pub struct Scan {
    /// The format.
    pub version: Version,
    /// The procs by ascending number, also those without events.
    pub procs: Vec<ProcBatches>,
    /// Strings and stacks.
    pub tables: Tables,
    /// Numbers of the log messages in `tables`.
    pub logs: LogStrings,
    /// CPU samples, in the order of the file.
    pub samples: Vec<CpuSample>,
    /// Goroutines that run timers.
    pub timer_goroutines: HashSet<u64>,
    /// Clock ticks per second, if the trace says.
    pub ticks_per_second: Option<u64>,
    /// Batches, also those without events.
    pub batch_count: u64,
    /// Absolute offset behind the last byte.
    pub end: u64,
    /// The lowest number above all string numbers.
    pub free_string_id: u64,
}

impl Scan {
    /// Walks over a trace, whose header has been read.
    pub fn new(input: &RandomAccess, version: Version, diagnostics: &mut Diagnostics) -> Scan {
        let mut window = Window::new(CHUNK);
        window.open(HEADER_LEN as u64, input.end());
        let mut scanner = Scanner {
            input,
            window,
            diagnostics,
            proc_index: HashMap::new(),
            current: None,
            losses: 0,
            first_ticks: None,
            latest_ticks: i64::MIN,
            string_bytes: 0,
            frames: 0,
            messages: Vec::new(),
            message_bytes: 0,
            is_full: false,
            scan: Scan {
                version,
                procs: Vec::new(),
                tables: Tables::default(),
                logs: LogStrings::default(),
                samples: Vec::new(),
                timer_goroutines: HashSet::new(),
                ticks_per_second: None,
                batch_count: 0,
                end: input.end(),
                free_string_id: 1,
            },
        };
        scanner.walk();
        scanner.finish()
    }
}

/// The batch that is being walked over.
struct Current {
    /// Index in `Scan::procs`.
    index: usize,
    /// Absolute offset of its header.
    header: u64,
    has_events: bool,
    batch: Batch,
}

struct Scanner<'a> {
    input: &'a RandomAccess,
    window: Window,
    diagnostics: &'a mut Diagnostics,
    scan: Scan,
    proc_index: HashMap<i32, usize>,
    current: Option<Current>,
    /// Batches lost of which the proc is not known.
    losses: u64,
    /// The time of the first batch of the file.
    first_ticks: Option<i64>,
    latest_ticks: i64,
    string_bytes: usize,
    frames: usize,
    /// Log messages; they get numbers when those of all strings are known.
    messages: Vec<Box<[u8]>>,
    message_bytes: usize,
    is_full: bool,
}

impl Scanner<'_> {
    fn walk(&mut self) {
        loop {
            self.window.need(self.input, LONGEST_ENTRY);
            if self.window.pos >= self.window.end {
                break;
            }
            let result = match self.step_over() {
                Some(pos) => {
                    self.window.pos = pos;
                    continue;
                }
                None => self.take_in(),
            };
            if let Err(flaw) = result {
                let is_cut =
                    matches!(flaw, Flaw::CutOff(_)) && self.window.left() < LONGEST_STRING as u64;
                if is_cut && !self.hides_batch(self.window.offset()) {
                    self.end_in_the_middle(flaw);
                    break;
                }
                self.resume_behind(flaw);
            }
        }
        self.end_batch(self.window.offset(), false);
    }

    /// The short cut for events that mean nothing to the scan, which are nearly all: returns the
    /// position behind the event, `None` for an entry to look at.
    #[inline(always)]
    fn step_over(&mut self) -> Option<usize> {
        let bytes = self.window.event(self.window.pos);
        let code = bytes[0];
        let shape = &SHAPES[usize::from(code & 0x3f)];
        let current = self.current.as_mut()?;
        if !current.has_events
            || matches!(shape.place, Place::Structural | Place::Sampled)
            || matches!(shape.kind, EventType::UserLog)
        {
            return None;
        }
        let counted = usize::from(code >> 6);
        let len = if counted == 3 {
            let (len, behind) = read_in_window(bytes, 1)?;
            if len > MAX_ARGS_SIZE {
                return None;
            }
            if shape.kind == EventType::GoSysExit {
                note_exit(&mut current.batch, bytes, behind);
            }
            behind + len as usize
        } else {
            if counted + 1 != shape.values() {
                return None;
            }
            // The lowest bytes without a continuation bit end the numbers.
            let mut stops = !LittleEndian::read_u64(&bytes[1..9]) & 0x8080_8080_8080_8080;
            for _ in 0..counted {
                stops &= stops.wrapping_sub(1);
            }
            if stops == 0 {
                return None;
            }
            2 + (stops.trailing_zeros() as usize >> 3)
        };
        let behind = self.window.pos + len;
        (behind <= self.window.end).then_some(behind)
    }

    /// Reads the entry at the current position, with all checks.
    #[inline(never)]
    fn take_in(&mut self) -> Result<(), Flaw> {
        let version = self.scan.version;
        let mut result = entry(self.window.unread(), version);
        if matches!(result, Err(Flaw::CutOff(EventType::String | EventType::UserLog))) {
            self.window.need(self.input, LONGEST_STRING);
            result = entry(self.window.unread(), version);
        }
        // The entry borrows from the window; what it says is copied out by the arms below.
        let (entry, len) = result?;
        let offset = self.window.offset();
        match entry {
            Entry::Batch(proc, ticks) => {
                self.window.pos += len;
                self.begin_batch(proc, ticks, offset);
                return Ok(());
            }
            Entry::String(id, text) => {
                // May stand before the first batch, unlike all others.
                let is_over = self.string_bytes + text.len() > MAX_STRING_BYTES;
                if id >= MAX_STRING_ID {
                    return Err(Flaw::BadValue(EventType::String, id));
                }
                if is_over {
                    self.is_full = true;
                } else if self.scan.tables.add_string(id, text) {
                    self.string_bytes += text.len();
                    self.scan.free_string_id = self.scan.free_string_id.max(id + 1);
                } else {
                    self.report_duplicate("string", id, offset);
                }
            }
            Entry::Stack(id, frames) => {
                self.need_batch(EventType::Stack)?;
                // Go takes a stack without frames for none.
                if id != 0 && !frames.is_empty() {
                    self.frames += frames.len();
                    if self.frames > MAX_FRAMES {
                        self.is_full = true;
                    } else if !self.scan.tables.add_stack(u64::from(id), frames) {
                        self.report_duplicate("stack", u64::from(id), offset);
                    }
                }
            }
            Entry::Frequency(ticks) => {
                self.need_batch(EventType::Frequency)?;
                self.scan.ticks_per_second = Some(ticks);
            }
            Entry::TimerGoroutine(goroutine) => {
                self.need_batch(EventType::TimerGoroutine)?;
                if self.scan.timer_goroutines.len() < MAX_TIMERS {
                    self.scan.timer_goroutines.insert(goroutine);
                }
            }
            Entry::Sample(sample) => {
                self.need_batch(EventType::CPUSample)?;
                if self.scan.samples.len() < MAX_SAMPLES {
                    self.scan.samples.push(sample);
                } else {
                    self.is_full = true;
                }
            }
            Entry::Event(kind, args, text) => {
                if kind == EventType::UserLog && !text.is_empty() {
                    let key = self.scan.logs.key(text);
                    if self.message_bytes + text.len() > MAX_STRING_BYTES {
                        self.is_full = true;
                    } else if !self.scan.logs.ids.contains_key(&key) {
                        self.message_bytes += text.len();
                        self.scan.logs.ids.insert(key, self.messages.len() as u64);
                        self.messages.push(text.into());
                    }
                }
                let Some(current) = &mut self.current else {
                    return Err(Flaw::OutsideBatch(kind));
                };
                if !current.has_events {
                    let bytes = self.window.event(self.window.pos);
                    // Behind the length of the arguments, if there is one.
                    let has_len = bytes[0] >> 6 == 3;
                    let at =
                        if has_len { read_in_window(bytes, 1).map_or(1, |len| len.1) } else { 1 };
                    let diff = read_in_window(bytes, at).map_or(0, |diff| diff.0);
                    current.batch.first_ticks = current.batch.base_ticks.wrapping_add(diff as i64);
                    current.has_events = true;
                }
                if kind == EventType::GoSysExit && args[2] != 0 {
                    let exit = args[2] as i64;
                    current.batch.earliest_exit = current.batch.earliest_exit.min(exit);
                }
            }
        }
        self.window.pos += len;
        Ok(())
    }

    fn need_batch(&self, kind: EventType) -> Result<(), Flaw> {
        if self.current.is_some() { Ok(()) } else { Err(Flaw::OutsideBatch(kind)) }
    }

    fn report_duplicate(&mut self, what: &str, id: u64, offset: u64) {
        self.diagnostics.push(
            Diagnostic::new(
                Code::DuplicateId,
                format!("{what} {id} is defined twice; kept the first"),
            )
            .at_offset(offset),
        );
    }

    fn begin_batch(&mut self, proc: i32, ticks: i64, header: u64) {
        self.end_batch(header, false);
        self.scan.batch_count += 1;
        self.first_ticks.get_or_insert(ticks);
        self.latest_ticks = self.latest_ticks.max(ticks);
        let count = self.scan.procs.len();
        let index = *self.proc_index.entry(proc).or_insert(count);
        if index == count {
            if count == MAX_PROCS {
                self.proc_index.remove(&proc);
                self.is_full = true;
                return;
            }
            self.scan.procs.push(ProcBatches { proc, batches: Vec::new(), losses_seen: 0 });
        }
        let losses_seen = std::mem::replace(&mut self.scan.procs[index].losses_seen, self.losses);
        self.current = Some(Current {
            index,
            header,
            has_events: false,
            batch: Batch {
                offset: self.window.offset(),
                len: 0,
                base_ticks: ticks,
                first_ticks: ticks,
                earliest_exit: i64::MAX,
                follows_loss: losses_seen != self.losses,
                is_damaged: false,
            },
        });
    }

    /// The current batch ends at `end`.
    fn end_batch(&mut self, end: u64, is_damaged: bool) {
        let Some(mut current) = self.current.take() else {
            return;
        };
        current.batch.len = end - current.batch.offset;
        current.batch.is_damaged = is_damaged;
        if current.has_events && self.is_doubled(current.index, &current.batch) {
            let report = Diagnostic::new(
                Code::GenerationOutOfOrder,
                "the batch is there twice; the second was skipped",
            );
            self.diagnostics
                .push(report.at_offset(current.batch.offset).losing_bytes(current.batch.len));
            return;
        }
        let batches = &mut self.scan.procs[current.index].batches;
        // Batches of stacks or samples have nothing for the cursors.
        if current.has_events || is_damaged || current.batch.follows_loss {
            if self.scan.batch_count > MAX_BATCHES {
                self.is_full = true;
            } else {
                batches.push(current.batch);
            }
        }
    }

    /// Whether one of the last batches of a proc has the same time and the same bytes. A proc never
    /// writes two batches at the same tick, so this is one batch written twice.
    fn is_doubled(&self, index: usize, batch: &Batch) -> bool {
        let last = self.scan.procs[index].batches.iter().rev().take(16);
        last.filter(|other| (other.base_ticks, other.len) == (batch.base_ticks, batch.len))
            .any(|other| self.has_same_bytes(other.offset, batch.offset, batch.len))
    }

    fn has_same_bytes(&self, mut a: u64, mut b: u64, mut len: u64) -> bool {
        let mut pieces = [[0; 4096]; 2];
        while len > 0 {
            let want = len.min(4096) as usize;
            let [one, other] = &mut pieces;
            let got = [(a, one), (b, other)]
                .map(|(at, piece)| self.input.read_at(at, &mut piece[..want]).unwrap_or(0));
            if got != [want; 2] || pieces[0][..want] != pieces[1][..want] {
                return false;
            }
            (a, b, len) = (a + want as u64, b + want as u64, len - want as u64);
        }
        true
    }

    /// The input ends inside an entry.
    fn end_in_the_middle(&mut self, flaw: Flaw) {
        let lost = self.window.left();
        self.diagnostics.push(
            Diagnostic::new(Code::TruncatedBatch, format!("{flaw}; kept everything before it"))
                .at_offset(self.window.offset())
                .losing_bytes(lost),
        );
    }

    /// Whether a batch seems to begin somewhere behind `from`, so that the entry there is damaged
    /// rather than cut off by the end of the input.
    fn hides_batch(&mut self, from: u64) -> bool {
        let offset = self.window.offset();
        let found = self.find_batch(from + 1).is_some();
        self.window.open(offset, self.input.end());
        found
    }

    /// Ends the current batch before the damaged entry and goes on at the next batch.
    #[cold]
    fn resume_behind(&mut self, flaw: Flaw) {
        let damage = self.window.offset();
        let mut from = damage;
        if let Some(current) = &self.current {
            // The damage may be older than the entry that shows it. If this batch is longer than
            // any, or its header is a strange one, it is not the batch it seemed to be.
            if !self.is_plausible_batch(current) {
                from = current.header;
                self.current = None;
                self.scan.batch_count -= 1;
            } else if damage - current.header > MAX_BATCH_SIZE {
                from = current.header;
            }
        }
        let found = self.find_batch(from + 1);
        let resumed = found.unwrap_or(self.input.end());
        let end = damage.min(resumed);
        let header = self.current.as_ref().map_or(from, |current| current.header);
        self.end_batch(end, true);
        if resumed - header > MAX_BATCH_SIZE {
            // More than the rest of one batch is lost, and whose the other was is not known.
            self.losses += 1;
        }
        let outcome =
            if found.is_some() { "resumed at the next batch" } else { "found no batch after it" };
        self.diagnostics.push(
            Diagnostic::new(Code::BadEvent, format!("{flaw}; {outcome}"))
                .at_offset(damage)
                .losing_bytes(resumed - end),
        );
        self.window.open(resumed, self.input.end());
    }

    fn is_plausible_batch(&self, current: &Current) -> bool {
        let proc = self.scan.procs[current.index].proc;
        self.is_plausible(proc, current.batch.base_ticks)
    }

    fn is_plausible(&self, proc: i32, ticks: i64) -> bool {
        let is_known = self
            .proc_index
            .get(&proc)
            .is_some_and(|&index| !self.scan.procs[index].batches.is_empty());
        let in_time = self.first_ticks.is_none_or(|first| {
            ticks >= first.saturating_sub(PLAUSIBLE_BEFORE)
                && ticks <= self.latest_ticks.saturating_add(PLAUSIBLE_AFTER)
        });
        (is_known || proc < PLAUSIBLE_PROC) && ticks > 0 && in_time
    }

    /// The first place from `from` on at which a batch begins. Moves the window there.
    fn find_batch(&mut self, from: u64) -> Option<u64> {
        self.window.open(from.min(self.input.end()), self.input.end());
        loop {
            self.window.need(self.input, PROBED_ENTRIES * 64);
            let unread = self.window.unread();
            if unread.is_empty() {
                return None;
            }
            match unread.iter().position(|&byte| byte == BATCH_START) {
                None => self.window.pos = self.window.end,
                Some(0) => {
                    if self.is_batch() {
                        return Some(self.window.offset());
                    }
                    self.window.pos += 1;
                }
                Some(skip) => self.window.pos += skip,
            }
        }
    }

    /// Whether a plausible batch begins at the current position.
    fn is_batch(&mut self) -> bool {
        let version = self.scan.version;
        let Ok((Entry::Batch(proc, ticks), mut at)) = entry(self.window.unread(), version) else {
            return false;
        };
        if !self.is_plausible(proc, ticks) {
            return false;
        }
        for _ in 0..PROBED_ENTRIES {
            self.window.need(self.input, at + LONGEST_ENTRY);
            let rest = &self.window.unread()[at..];
            if rest.is_empty() {
                return true;
            }
            match entry(rest, version) {
                Ok((_, len)) => at += len,
                // Strings are long; the end of the input may be near.
                Err(Flaw::CutOff(_)) => return true,
                Err(_) => return false,
            }
        }
        true
    }

    fn finish(mut self) -> Scan {
        self.drop_outliers();
        if self.is_full {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::GenerationTooLarge,
                    "the tables of the trace are too large; left out a part",
                )
                .at_offset(HEADER_LEN as u64),
            );
        }
        let Scanner { mut scan, messages, .. } = self;
        let first = scan.free_string_id;
        for (id, text) in (first..).zip(&messages) {
            scan.tables.add_string(id, text);
            scan.free_string_id = id + 1;
        }
        for id in scan.logs.ids.values_mut() {
            *id += first;
        }
        scan.tables.compact();
        // Go visits the procs in the random order of a map. Which of two procs comes first where
        // their clocks show the same depends on it, so it is fixed here.
        scan.procs.sort_by_key(|batches| batches.proc);
        scan
    }

    /// Drops batches whose time is out of order among those of their proc: their headers are
    /// damaged, and with them the time of every event in them.
    fn drop_outliers(&mut self) {
        for procs in &mut self.scan.procs {
            let batches = &mut procs.batches;
            let mut i = 0;
            while i + 1 < batches.len() {
                if batches[i].first_ticks <= batches[i + 1].first_ticks.saturating_add(CLOCK_SKEW) {
                    i += 1;
                    continue;
                }
                // Which of the two is wrong shows the one before.
                let before =
                    i.checked_sub(1).map_or(i64::MIN, |before| batches[before].first_ticks);
                let wrong = if batches[i + 1].first_ticks >= before { i } else { i + 1 };
                let batch = batches.remove(wrong);
                if let Some(behind) = batches.get_mut(wrong) {
                    behind.follows_loss = true;
                }
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::BadBatchHeader,
                        format!(
                            "the time of this batch of proc {} is out of order; skipped the batch",
                            procs.proc
                        ),
                    )
                    .at_offset(batch.offset)
                    .losing_bytes(batch.len),
                );
                i = i.saturating_sub(1);
            }
        }
    }
}

/// Notes the time in a `GoSysExit` whose arguments begin at `pos`.
#[inline(never)]
fn note_exit(batch: &mut Batch, bytes: &[u8; WINDOW], mut pos: usize) {
    let mut value = 0;
    for _ in 0..4 {
        let Some((next, behind)) = read_in_window(bytes, pos) else {
            return;
        };
        (value, pos) = (next, behind);
    }
    if value != 0 {
        batch.earliest_exit = batch.earliest_exit.min(value as i64);
    }
}
