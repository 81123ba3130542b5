//! Goroutine states to rows: the bulk of a database, so it may run on a thread of its own.
//!
//! Comes in: spans in the order of their ends. Goes out: rows grouped by goroutine, the ranges that
//! name them, and the sums by place.

use super::StoreError;
use super::insert::RowWriter;
use super::relations::{RawGoroutineStates, RawStateRanges, RawStateTotals};
use super::state_chunk::StateChunk;
use crate::model::{FunctionId, ReasonId, StackId, State, StateSpan};
use rustc_hash::FxHashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// A proc or thread number; -1 is none.
pub(super) fn known(number: i64) -> Option<i64> {
    (number != -1).then_some(number)
}

/// Where the row numbers of a trace begin: ids of the model count from 1 in each.
#[derive(Clone, Copy)]
pub struct TraceBase {
    pub trace_id: i64,
    pub goroutines: i64,
    pub threads: i64,
}

/// Where spent time is summed up.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    state: State,
    reason: Option<ReasonId>,
    stack: Option<StackId>,
    function: Option<FunctionId>,
    woken_stack: Option<StackId>,
}

#[derive(Clone, Copy)]
struct Sum {
    spans: i64,
    total_ns: i64,
    max_ns: i64,
    max_state_id: i64,
    max_goroutine_id: i64,
}

/// Writes chunks of states.
struct StateWriter<W> {
    writer: W,
    error: Option<StoreError>,
    base: TraceBase,
    states: i64,
    ranges: i64,
    totals: i64,
    places: FxHashMap<Place, Sum>,
}

impl<W: RowWriter> StateWriter<W> {
    fn new(writer: W) -> Self {
        StateWriter {
            writer,
            error: None,
            base: TraceBase { trace_id: 1, goroutines: 0, threads: 0 },
            states: 0,
            ranges: 0,
            totals: 0,
            places: FxHashMap::default(),
        }
    }

    /// Writes the spans of a chunk, goroutine by goroutine.
    fn write_chunk(&mut self, chunk: &mut StateChunk, is_last: bool) {
        if self.error.is_some() {
            return chunk.clear();
        }
        let mut done = Ok(());
        chunk.drain(is_last, |spans| {
            if done.is_ok() {
                done = self.write_range(spans);
            }
        });
        self.error = done.err();
    }

    fn write_range(
        &mut self,
        spans: &mut dyn Iterator<Item = &StateSpan>,
    ) -> Result<(), StoreError> {
        let first_state = self.states + 1;
        let (mut goroutine_id, mut start_ns, mut end_ns) = (0, i64::MAX, 0);
        for span in spans {
            goroutine_id = self.base.goroutines + span.goroutine.row();
            start_ns = start_ns.min(span.start_ns);
            end_ns = span.start_ns + span.duration_ns;
            self.write_state(span, goroutine_id)?;
        }
        self.ranges += 1;
        self.writer.write(&RawStateRanges {
            id: self.ranges,
            goroutine_id,
            first_state,
            last_state: self.states,
            start_ns,
            end_ns,
        })
    }

    #[inline(always)]
    fn write_state(&mut self, span: &StateSpan, goroutine_id: i64) -> Result<(), StoreError> {
        self.states += 1;
        let id = self.states;
        let place = Place {
            state: span.state,
            reason: span.reason,
            stack: span.stack,
            function: span.function,
            woken_stack: span.waker.stack,
        };
        let sum = self.places.entry(place).or_insert(Sum {
            spans: 0,
            total_ns: 0,
            max_ns: -1,
            max_state_id: id,
            max_goroutine_id: goroutine_id,
        });
        sum.spans += 1;
        sum.total_ns += span.duration_ns;
        if span.duration_ns > sum.max_ns {
            sum.max_ns = span.duration_ns;
            (sum.max_state_id, sum.max_goroutine_id) = (id, goroutine_id);
        }
        let code = span.state as i64
            | (span.from as i64) << 3
            | i64::from(span.open_start) << 6
            | i64::from(span.open_end) << 7
            | span.reason.map_or(0, ReasonId::row) << 8;
        self.writer.write(&RawGoroutineStates {
            id,
            start_ns: span.start_ns,
            duration_ns: span.duration_ns,
            code,
            stack_id: span.stack.map(StackId::row),
            proc: known(span.proc),
            thread_id: span.thread.map(|row| self.base.threads + row.row()),
            woken_by_id: span.waker.goroutine.map(|id| self.base.goroutines + id.row()),
            woken_stack_id: span.waker.stack.map(StackId::row),
        })
    }

    fn write_totals(&mut self) {
        let mut places: Vec<(Place, Sum)> = self.places.drain().collect();
        places.sort_unstable_by_key(|(place, _)| {
            (place.state, place.reason, place.stack, place.function, place.woken_stack)
        });
        for (place, sum) in places {
            self.totals += 1;
            let written = self.writer.write(&RawStateTotals {
                id: self.totals,
                trace_id: self.base.trace_id,
                state: place.state as i64,
                reason_id: place.reason.map(ReasonId::row),
                stack_id: place.stack.map(StackId::row),
                function_id: place.function.map(FunctionId::row),
                woken_stack_id: place.woken_stack.map(StackId::row),
                spans: sum.spans,
                total_ns: sum.total_ns,
                max_ns: sum.max_ns,
                max_state_id: sum.max_state_id,
                max_goroutine_id: sum.max_goroutine_id,
            });
            self.error = self.error.take().or(written.err());
        }
    }

    fn finish(self) -> Result<W, StoreError> {
        self.error.map_or(Ok(self.writer), Err)
    }
}

enum Message {
    Chunk(StateChunk),
    EndOfTrace(StateChunk),
    Begin(TraceBase),
}

/// Gathers states and has them written, by this thread or another.
pub struct StateStage<W> {
    chunk: StateChunk,
    place: Where<W>,
}

enum Where<W> {
    Here(StateWriter<W>),
    There {
        messages: SyncSender<Message>,
        /// Emptied chunks come back, with what they keep for the next.
        emptied: Receiver<StateChunk>,
        thread: JoinHandle<Result<W, StoreError>>,
    },
}

impl<W: RowWriter> StateStage<W> {
    /// Writes on the calling thread.
    pub fn inline(writer: W) -> Self {
        StateStage { chunk: StateChunk::new(), place: Where::Here(StateWriter::new(writer)) }
    }

    /// The same, behind the rows that there are: states, ranges, totals.
    pub fn going_on(writer: W, base: TraceBase, [states, ranges, totals]: [i64; 3]) -> Self {
        let writer = StateWriter { base, states, ranges, totals, ..StateWriter::new(writer) };
        StateStage { chunk: StateChunk::new(), place: Where::Here(writer) }
    }

    /// Writes on a thread of its own.
    pub fn in_parallel(writer: W) -> Result<Self, StoreError>
    where
        W: Send + 'static,
    {
        // One chunk is filled, one is written, none waits: memory for two.
        let (messages, inbox) = sync_channel(0);
        let (outbox, emptied) = sync_channel(2);
        let thread = std::thread::Builder::new().name("states".into()).spawn(move || {
            let mut states = StateWriter::new(writer);
            let mut kept = Vec::new();
            for message in inbox {
                match message {
                    Message::Begin(base) => states.base = base,
                    Message::Chunk(mut chunk) => {
                        chunk.prepend(&mut kept);
                        states.write_chunk(&mut chunk, false);
                        chunk.take_into(&mut kept);
                        // The other side may be gone after an error of its own.
                        let _ = outbox.send(chunk);
                    }
                    Message::EndOfTrace(mut chunk) => {
                        chunk.prepend(&mut kept);
                        states.write_chunk(&mut chunk, true);
                        states.write_totals();
                        let _ = outbox.send(chunk);
                    }
                }
            }
            states.finish()
        })?;
        Ok(StateStage {
            chunk: StateChunk::new(),
            place: Where::There { messages, emptied, thread },
        })
    }

    /// Adds a span.
    #[inline(always)]
    pub fn push(&mut self, span: &StateSpan) {
        if self.chunk.push(span) {
            self.hand_over(false);
        }
    }

    #[inline(never)]
    fn hand_over(&mut self, is_last: bool) {
        match &mut self.place {
            Where::Here(states) => {
                states.write_chunk(&mut self.chunk, is_last);
                if is_last {
                    states.write_totals();
                }
            }
            Where::There { messages, emptied, .. } => {
                let next = emptied.try_recv().unwrap_or_else(|_| StateChunk::new());
                let chunk = std::mem::replace(&mut self.chunk, next);
                let message =
                    if is_last { Message::EndOfTrace(chunk) } else { Message::Chunk(chunk) };
                // If the thread is gone, joining it tells why.
                let _ = messages.send(message);
            }
        }
    }

    /// Writes what is left of the current trace.
    pub fn finish_trace(&mut self) -> Result<(), StoreError> {
        self.hand_over(true);
        Ok(())
    }

    /// The spans that follow are of another trace.
    pub fn begin_trace(&mut self, base: TraceBase) {
        match &mut self.place {
            Where::Here(states) => states.base = base,
            Where::There { messages, .. } => {
                let _ = messages.send(Message::Begin(base));
            }
        }
    }

    /// Returns the writer, or the first error there was.
    pub fn finish(self) -> Result<W, StoreError> {
        match self.place {
            Where::Here(states) => states.finish(),
            Where::There { messages, thread, .. } => {
                drop(messages);
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }
        }
    }
}
