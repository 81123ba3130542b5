//! Printing ordered events: what all formats share.
//!
//! Comes in: ordered events, as a [`Sink`]. Goes out: the text of those that an [`EventFilter`]
//! keeps, in an [`EventFormat`]. The text gathers in memory and is written in large pieces. A
//! stack is rendered once a generation and then copied, because a few stacks make most of the
//! output.

use super::event_filter::{Bounds, EventFilter, Verdict};
use crate::order::{Event, Sink, Sync};
use crate::wire::v2::{FrameId, Generation, Tables};
use std::io::{self, Write};
use std::ops::Range;

/// Write when this much text has gathered, bytes.
const BUFFER: usize = 1 << 16;

/// A format of ordered events. What it appends for an event ends without a line break, which
/// the printer adds.
pub trait EventFormat {
    /// Appends a synchronisation point. `since_start` is its time since the start of the trace.
    fn sync(&mut self, out: &mut Vec<u8>, sync: &Sync, since_start: i64);

    /// Appends an event. `since_start` is its time since the start of the trace.
    fn event(
        &mut self,
        out: &mut Vec<u8>,
        event: &Event,
        since_start: i64,
        tables: &Tables,
        stacks: &mut StackCache,
    );
}

/// Why events were not printed to the end.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// The writer failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The filter names a wall time and the trace has no wall clock.
    #[error(
        "the trace does not tell the wall time of its start (those of Go 1.25 and later do); \
         give --from and --to as durations since the start, such as 1.5s"
    )]
    NoWallClock,
}

/// A [`Sink`] that prints events. An error ends the reading and is kept for
/// [`EventPrinter::finish`].
pub struct EventPrinter<W: Write, F> {
    out: W,
    text: Vec<u8>,
    format: F,
    filter: EventFilter,
    bounds: Bounds,
    stacks: StackCache,
    /// Time of the first synchronisation point on the trace's clock.
    start: Option<i64>,
    is_done: bool,
    error: Option<PrintError>,
}

impl<W: Write, F: EventFormat + Default> EventPrinter<W, F> {
    /// Prints all events to `out`.
    pub fn new(out: W) -> Self {
        Self::filtered(out, EventFilter::default())
    }

    /// Prints the events that `filter` keeps to `out`.
    pub fn filtered(out: W, filter: EventFilter) -> Self {
        EventPrinter {
            out,
            text: Vec::with_capacity(BUFFER + 4096),
            format: F::default(),
            is_done: filter.limit == Some(0),
            filter,
            bounds: Bounds::ALL,
            stacks: StackCache::default(),
            start: None,
            error: None,
        }
    }
}

impl<W: Write, F: EventFormat> EventPrinter<W, F> {
    /// Writes what is left, and returns the writer or the first error.
    pub fn finish(mut self) -> Result<W, PrintError> {
        self.flush();
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.out),
        }
    }

    fn flush(&mut self) {
        if self.error.is_none()
            && let Err(error) = self.out.write_all(&self.text)
        {
            self.fail(error.into());
        }
        self.text.clear();
    }

    fn fail(&mut self, error: PrintError) {
        self.error = Some(error);
        self.is_done = true;
    }

    /// Ends an event: the line break, and the count.
    #[inline]
    fn end(&mut self) {
        self.text.push(b'\n');
        if self.text.len() >= BUFFER {
            self.flush();
        }
        if let Some(left) = &mut self.filter.limit {
            *left -= 1;
            self.is_done |= *left == 0;
        }
    }

    /// Whether a time is within the bounds; their end is the end of the reading.
    #[inline]
    fn is_in_time(&mut self, time: i64) -> bool {
        let verdict = self.bounds.judge(time);
        self.is_done |= verdict == Verdict::TooLate;
        verdict == Verdict::Keep
    }
}

impl<W: Write, F: EventFormat> Sink for EventPrinter<W, F> {
    fn sync(&mut self, sync: &Sync, _generation: Option<&Generation>) {
        self.stacks.clear();
        if self.is_done {
            return;
        }
        if self.start.is_none() {
            self.start = Some(sync.time);
            match self.filter.bounds(sync) {
                Some(bounds) => self.bounds = bounds,
                None => return self.fail(PrintError::NoWallClock),
            }
        }
        if self.is_in_time(sync.time) && self.filter.keeps_sync() {
            let since_start = sync.time.wrapping_sub(self.start.unwrap_or(sync.time));
            self.format.sync(&mut self.text, sync, since_start);
            self.end();
        }
    }

    #[inline]
    fn event(&mut self, event: &Event, tables: &Tables) {
        if self.is_done {
            return;
        }
        if self.is_in_time(event.time) && self.filter.keeps(event) {
            let since_start = event.time.wrapping_sub(self.start.unwrap_or(event.time));
            self.format.event(&mut self.text, event, since_start, tables, &mut self.stacks);
            self.end();
        }
    }

    fn is_done(&self) -> bool {
        self.is_done
    }
}

/// Rendered stacks of the current generation.
#[derive(Debug, Default)]
pub struct StackCache {
    /// Where the text of a stack is, by its position in the tables.
    places: Vec<Option<Range<u32>>>,
    text: Vec<u8>,
}

impl StackCache {
    /// Most text that is kept, bytes. Far more than the stacks of any real generation.
    const LIMIT: usize = 32 << 20;

    fn clear(&mut self) {
        self.places.clear();
        self.text.clear();
    }

    /// Appends a stack as `render` shows it. A stack that the generation does not define, and
    /// number 0, have no frames.
    #[inline]
    pub fn write(
        &mut self,
        out: &mut Vec<u8>,
        stack: u64,
        tables: &Tables,
        render: impl Fn(&mut Vec<u8>, &[FrameId], &Tables),
    ) {
        let Some(position) = tables.stack_position(stack) else {
            return render(out, &[], tables);
        };
        if let Some(Some(place)) = self.places.get(position) {
            out.extend_from_slice(&self.text[place.start as usize..place.end as usize]);
            return;
        }
        let start = out.len();
        render(out, tables.stack_at(position), tables);
        self.keep(position, &out[start..]);
    }

    #[cold]
    fn keep(&mut self, position: usize, text: &[u8]) {
        if self.text.len() + text.len() > Self::LIMIT {
            self.clear();
        }
        if position >= self.places.len() {
            self.places.resize(position + 1, None);
        }
        let start = self.text.len();
        self.text.extend_from_slice(text);
        self.places[position] = Some(start as u32..self.text.len() as u32);
    }
}
