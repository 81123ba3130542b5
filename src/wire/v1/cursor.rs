//! Decoding the events of one proc, batch after batch.
//!
//! Source: Go 1.27 `internal/trace/internal/tracev1/parser.go` (loadBatch, parseEvent). This is the
//! innermost loop of reading a v1 trace: a table look-up by the event's number, then one varint
//! after the other.

use super::frame::{Flaw, entry};
use super::scan::{Batch, CLOCK_SKEW, LogStrings};
use super::spec::{EventType, MAX_ARGS, MAX_ARGS_SIZE, MAX_STRING_SIZE, Place, SHAPES};
use super::window::Window;
use crate::source::RandomAccess;
use crate::wire::Version;
use crate::wire::varint::read_in_window;

/// Bytes of a batch in memory at a time. The runtime's batches fit in whole.
const CHUNK: usize = 64 << 10;
/// Every event but a `UserLog` with its message, and every string header, is shorter.
const LONGEST_EVENT: usize = MAX_ARGS_SIZE as usize + 32;
/// Two events of a batch are never this far apart, clock ticks: months.
const LONGEST_PAUSE: u64 = 1 << 50;

/// A decoded event of a proc, not yet put in order.
#[derive(Debug, Clone, Copy)]
pub struct WireEvent {
    /// When it happened, clock ticks.
    pub ticks: i64,
    /// Goroutine on which it happened; 0 for none, or if that was in lost bytes.
    pub goroutine: u64,
    /// Arguments behind the time difference, without the stack; those the event does not have
    /// are 0. The last one of a `UserLog` is the string number of its message.
    pub args: [u64; MAX_ARGS],
    /// Stack number; 0 for none.
    pub stack: u32,
    /// What happened.
    pub kind: EventType,
    /// Events of this proc before this one were lost.
    pub follows_loss: bool,
}

impl WireEvent {
    /// A placeholder.
    pub const NONE: WireEvent = WireEvent {
        ticks: 0,
        goroutine: 0,
        args: [0; MAX_ARGS],
        stack: 0,
        kind: EventType::Batch,
        follows_loss: false,
    };
}

/// Why a batch cannot be decoded any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorError {
    /// The bytes are no event.
    Flaw(Flaw),
    /// The event is this many clock ticks later than the proc's next batch.
    Late(EventType, i64),
    /// The event is this many clock ticks later than the one before it, longer than any program runs.
    Pause(EventType, u64),
}

impl std::fmt::Display for CursorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CursorError::Flaw(flaw) => flaw.fmt(f),
            CursorError::Pause(kind, by) => {
                write!(f, "{}: it is {by} ticks later than the event before it", kind.name())
            }
            CursorError::Late(kind, by) => {
                write!(f, "{}: it is {by} ticks later than the next batch of its proc", kind.name())
            }
        }
    }
}

/// Whether the first argument of an event is a goroutine.
#[cold]
fn names_goroutine(kind: EventType) -> bool {
    kind.spec().args.first() == Some(&"g")
}

/// A position in the batches of one proc.
#[derive(Debug)]
pub struct Cursor {
    version: Version,
    window: Window,
    /// Index of the proc's next batch.
    next_batch: usize,
    last_ticks: i64,
    /// Later times are not believed.
    latest_ticks: i64,
    /// Goroutine that runs on the proc; 0 for none.
    current: u64,
    has_lost: bool,
    /// The current batch is damaged behind its last event.
    is_damaged: bool,
}

impl Cursor {
    /// A cursor before the first event.
    pub fn new(version: Version) -> Self {
        Cursor {
            version,
            window: Window::new(CHUNK),
            next_batch: 0,
            last_ticks: 0,
            latest_ticks: i64::MAX,
            current: 0,
            has_lost: false,
            is_damaged: false,
        }
    }

    /// Decodes the next event into `event`. `Ok(false)` at the end of the proc's batches. After an
    /// error [`Cursor::skip_batch`] goes on behind the damaged batch.
    #[inline(always)]
    pub fn next(
        &mut self,
        event: &mut WireEvent,
        input: &RandomAccess,
        batches: &[Batch],
        logs: &LogStrings,
    ) -> Result<bool, CursorError> {
        loop {
            self.window.need(input, LONGEST_EVENT);
            if self.window.pos >= self.window.end {
                if !self.open_next(batches) {
                    return Ok(false);
                }
                continue;
            }
            // The longest event that is decoded here has 71 bytes: its number, the length of its
            // arguments and six numbers of ten bytes.
            let bytes = self.window.event(self.window.pos);
            let code = bytes[0];
            let shape = &SHAPES[usize::from(code & 0x3f)];
            let kind = shape.kind;
            if matches!(shape.place, Place::Structural | Place::Sampled) {
                self.pass_over(input)?;
                continue;
            }
            let flaw = |flaw| Err(CursorError::Flaw(flaw));
            let overlong = || CursorError::Flaw(Flaw::Overlong(kind));
            let mut pos = 1;
            let mut stop = usize::MAX;
            if code >> 6 == 3 {
                let (len, behind) = read_in_window(bytes, pos).ok_or_else(overlong)?;
                if len > MAX_ARGS_SIZE {
                    return flaw(Flaw::TooLong(kind, len));
                }
                pos = behind;
                stop = behind + len as usize;
            } else if usize::from(code >> 6) + 1 != shape.values() {
                return flaw(Flaw::WrongCount(kind, usize::from(code >> 6) + 1));
            }
            let (diff, behind) = read_in_window(bytes, pos).ok_or_else(overlong)?;
            pos = behind;
            event.args = [0; MAX_ARGS];
            for arg in &mut event.args[..shape.args as usize] {
                (*arg, pos) = read_in_window(bytes, pos).ok_or_else(overlong)?;
            }
            event.stack = 0;
            if shape.has_stack {
                let (stack, behind) = read_in_window(bytes, pos).ok_or_else(overlong)?;
                // Go keeps 32 bits of a stack's number, here and in the table.
                event.stack = stack as u32;
                pos = behind;
            }
            if pos != stop && stop != usize::MAX {
                return flaw(Flaw::WrongCount(kind, shape.values() + 1));
            }
            if self.window.pos + pos > self.window.end {
                return flaw(Flaw::CutOff(kind));
            }
            if (event.args[0] as i64) < 0 && names_goroutine(kind) {
                return flaw(Flaw::BadValue(kind, event.args[0]));
            }
            event.kind = kind;
            event.ticks = self.last_ticks.wrapping_add(diff as i64);
            if diff > LONGEST_PAUSE {
                return Err(CursorError::Pause(kind, diff));
            }
            if event.ticks > self.latest_ticks {
                let by = event.ticks.wrapping_sub(self.latest_ticks.wrapping_sub(CLOCK_SKEW));
                return Err(CursorError::Late(kind, by));
            }
            event.follows_loss = self.has_lost;
            event.goroutine = match shape.place {
                Place::Starts => {
                    self.current = event.args[0];
                    self.current
                }
                Place::Named => event.args[0],
                Place::Leaves => std::mem::take(&mut self.current),
                _ => self.current,
            };
            self.last_ticks = event.ticks;
            self.has_lost = false;
            self.window.pos += pos;
            if kind == EventType::UserLog {
                event.args[MAX_ARGS - 1] = self.message(input, logs)?;
            }
            return Ok(true);
        }
    }

    #[cold]
    #[inline(never)]
    fn open_next(&mut self, batches: &[Batch]) -> bool {
        self.has_lost |= self.is_damaged;
        let Some(batch) = batches.get(self.next_batch) else {
            self.window.close();
            return false;
        };
        self.next_batch += 1;
        self.has_lost |= batch.follows_loss;
        self.is_damaged = batch.is_damaged;
        if self.has_lost {
            // Who runs here was in the lost bytes.
            self.current = 0;
        }
        self.window.open(batch.offset, batch.offset + batch.len);
        self.last_ticks = batch.base_ticks;
        self.latest_ticks = batches
            .get(self.next_batch)
            .map_or(i64::MAX, |next| next.first_ticks.saturating_add(CLOCK_SKEW));
        true
    }

    /// Passes over an entry that the scan has taken in.
    #[cold]
    #[inline(never)]
    fn pass_over(&mut self, input: &RandomAccess) -> Result<(), CursorError> {
        let mut result = entry(self.window.unread(), self.version);
        if let Err(Flaw::CutOff(EventType::String)) = result {
            self.window.need(input, MAX_STRING_SIZE as usize + 32);
            result = entry(self.window.unread(), self.version);
        }
        let (_, len) = result.map_err(CursorError::Flaw)?;
        self.window.pos += len;
        Ok(())
    }

    /// Reads the message behind a `UserLog`; returns its string number.
    #[inline(never)]
    fn message(&mut self, input: &RandomAccess, logs: &LogStrings) -> Result<u64, CursorError> {
        let kind = EventType::UserLog;
        let flaw = |flaw| Err(CursorError::Flaw(flaw));
        self.window.need(input, 16);
        if self.window.unread().is_empty() {
            return flaw(Flaw::CutOff(kind));
        }
        let Some((len, header)) = read_in_window(self.window.event(self.window.pos), 0) else {
            return flaw(Flaw::Overlong(kind));
        };
        if len > MAX_STRING_SIZE {
            return flaw(Flaw::TooLong(kind, len));
        }
        self.window.need(input, header + len as usize);
        let Some(text) = self.window.unread().get(header..header + len as usize) else {
            return flaw(Flaw::CutOff(kind));
        };
        let id = logs.id(text);
        self.window.pos += header + len as usize;
        Ok(id)
    }

    /// Absolute offset of the next unread byte.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// Gives up the rest of the current batch; returns how many bytes that is.
    pub fn skip_batch(&mut self) -> u64 {
        let lost = self.window.left();
        self.window.open(self.window.offset() + lost, self.window.offset() + lost);
        self.has_lost = true;
        self.current = 0;
        lost
    }

    /// Bytes not yet decoded, in this batch and those behind it.
    pub fn bytes_left(&self, batches: &[Batch]) -> u64 {
        let behind = batches.get(self.next_batch..).unwrap_or(&[]);
        self.window.left() + behind.iter().map(|batch| batch.len).sum::<u64>()
    }
}
