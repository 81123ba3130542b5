//! Decoding the events of one thread, batch after batch.
//!
//! Source: Go 1.27 `internal/trace/batchcursor.go`. This is the innermost loop of the program:
//! a table look-up by the event's number, then one varint after the other.

use super::generation::{Batch, Generation, ticks_to_ns};
use super::spec::{EventType, MAX_ARGS, SHAPES};
use crate::wire::varint::{WINDOW, read_in_window};

/// Why a batch cannot be decoded any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorError {
    /// This number is no timed event.
    NotAnEvent(u8),
    /// An argument is longer than 64 bits.
    Overlong,
    /// The batch ends inside an argument.
    CutOff,
}

impl std::fmt::Display for CursorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CursorError::NotAnEvent(code) => {
                write!(f, "want a timed event, got event number {code}")
            }
            CursorError::Overlong => f.write_str("argument is longer than 64 bits"),
            CursorError::CutOff => f.write_str("batch ends inside an event"),
        }
    }
}

/// A position in the batches of one thread of one generation.
#[derive(Debug)]
pub struct Cursor {
    /// Nanoseconds on the trace's clock of the event read last.
    last_time: i64,
    /// Index of the current batch in the thread's batches.
    batch: usize,
    /// Next byte and end of the current batch in the arena.
    pos: usize,
    end: usize,
}

impl Cursor {
    /// A cursor before the first event.
    pub fn new() -> Self {
        Cursor { last_time: 0, batch: 0, pos: 0, end: 0 }
    }

    /// Reads the next event: its kind and time. `Ok(None)` at the end of the thread's batches. Its
    /// arguments go into `args`; those it does not have stay as they are. After an error,
    /// [`Cursor::skip_batch`] goes on behind the damaged batch.
    #[inline(always)]
    pub fn next(
        &mut self,
        arena: &[u8],
        batches: &[Batch],
        ns_per_tick: f64,
        args: &mut [u64; MAX_ARGS],
    ) -> Result<Option<(EventType, i64)>, CursorError> {
        if self.pos == self.end && !self.next_batch(batches) {
            return Ok(None);
        }
        // Go re-reads the batch's time while the running time is 0 (batchcursor.go, nextEvent).
        if self.last_time == 0 {
            self.last_time = ticks_to_ns(batches[self.batch - 1].time_ticks, ns_per_tick);
        }
        let window: &[u8; WINDOW] =
            arena[self.pos..][..WINDOW].try_into().expect("the arena is padded by a window");
        let code = window[0];
        let shape = &SHAPES[code as usize];
        if !shape.is_timed {
            return Err(CursorError::NotAnEvent(code));
        }
        let (diff, mut pos) = read_in_window(window, 1).ok_or(CursorError::Overlong)?;
        for arg in &mut args[..shape.args as usize] {
            let (value, next) = read_in_window(window, pos).ok_or(CursorError::Overlong)?;
            *arg = value;
            pos = next;
        }
        if pos > self.end - self.pos {
            return Err(CursorError::CutOff);
        }
        self.pos += pos;
        let time = ticks_to_ns(diff, ns_per_tick).wrapping_add(self.last_time);
        self.last_time = time;
        Ok(Some((shape.kind, time)))
    }

    #[inline(never)]
    fn next_batch(&mut self, batches: &[Batch]) -> bool {
        while let Some(batch) = batches.get(self.batch) {
            self.batch += 1;
            self.last_time = 0;
            (self.pos, self.end) = (batch.start, batch.end);
            if self.pos != self.end {
                return true;
            }
        }
        false
    }

    /// The batch the cursor is in, and the offset in it of the next unread byte.
    pub fn place<'a>(&self, batches: &'a [Batch]) -> Option<(&'a Batch, usize)> {
        let batch = batches.get(self.batch.checked_sub(1)?)?;
        Some((batch, self.pos - batch.start))
    }

    /// Gives up the rest of the current batch; returns how many bytes that is.
    pub fn skip_batch(&mut self) -> usize {
        let lost = self.end - self.pos;
        self.pos = self.end;
        lost
    }
}

impl Default for Cursor {
    fn default() -> Self {
        Self::new()
    }
}

impl Generation {
    /// [`Cursor::next`] for the thread at `index` in [`Generation::threads`].
    #[inline(always)]
    pub fn next_event(
        &self,
        index: usize,
        cursor: &mut Cursor,
        args: &mut [u64; MAX_ARGS],
    ) -> Result<Option<(EventType, i64)>, CursorError> {
        cursor.next(&self.arena, &self.threads[index].batches, self.ns_per_tick, args)
    }
}
