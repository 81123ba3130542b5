//! The goroutines that live, and what is being added up about each.

use super::ids::*;
use super::items::*;
use crate::order::{GoSlot, NO_SLOT};
use rustc_hash::FxHashMap;

/// A span that has begun.
#[derive(Debug, Clone, Copy)]
pub struct OpenSpan {
    pub state: State,
    pub from: State,
    pub start_ns: i64,
    pub open_start: bool,
    pub reason: Option<ReasonId>,
    pub stack: Option<StackId>,
    pub proc: i64,
    pub thread: Option<ThreadRow>,
    pub waker: Waker,
}

/// A range that has begun on a goroutine or a proc.
#[derive(Debug, Clone, Copy)]
pub struct OpenRange {
    pub start_ns: i64,
    pub open_start: bool,
    pub stack: Option<StackId>,
    pub goroutine: Option<GoroutineId>,
    pub slot: GoSlot,
    pub proc: i64,
}

/// A region that has begun.
#[derive(Debug, Clone)]
pub struct OpenRegion {
    pub task: u64,
    pub name: Box<str>,
    pub start_ns: i64,
    pub stack: Option<StackId>,
}

/// A goroutine that lives.
#[derive(Debug)]
pub struct Live {
    /// What is known and summed so far. Its `waits` are kept sorted by nothing: they are few.
    pub sums: Goroutine,
    pub span: OpenSpan,
    pub assist: Option<OpenRange>,
    pub regions: Vec<OpenRegion>,
    /// Since when it marks in the background, and how.
    pub worker: Option<(WorkerKind, i64)>,
}

impl Live {
    pub fn new(id: GoroutineId, goid: i64, span: OpenSpan, created_by: Waker) -> Self {
        Live {
            sums: Goroutine {
                id,
                goid,
                function: None,
                created_by,
                created_ns: span.start_ns,
                started_ns: None,
                ended_ns: None,
                existed_before: span.open_start,
                last_state: span.state,
                running_ns: 0,
                runnable_ns: 0,
                waiting_ns: 0,
                syscall_ns: 0,
                syscall_blocked_ns: 0,
                total_ns: 0,
                waits: Vec::new(),
                mark_assist_ns: 0,
                sweep_ns: 0,
                stop_the_world_ns: 0,
            },
            span,
            assist: None,
            regions: Vec::new(),
            worker: None,
        }
    }

    /// The next span begins.
    #[inline(always)]
    pub fn begin(&mut self, next: OpenSpan) {
        let OpenSpan { state, from, start_ns, open_start, reason, stack, proc, thread, waker } =
            next;
        // One by one: as a whole it would be loaded in pairs, right behind the stores that made it.
        let span = &mut self.span;
        span.state = state;
        span.from = from;
        span.start_ns = start_ns;
        span.open_start = open_start;
        span.reason = reason;
        span.stack = stack;
        span.proc = proc;
        span.thread = thread;
        span.waker = waker;
    }

    /// Ends the open span, adds it to the sums and returns it.
    #[inline(always)]
    pub fn close(&mut self, time_ns: i64, open_end: bool) -> StateSpan {
        let span = &self.span;
        let duration_ns = time_ns - span.start_ns;
        let sums = &mut self.sums;
        match span.state {
            State::Running => sums.running_ns += duration_ns,
            State::Runnable => sums.runnable_ns += duration_ns,
            State::Syscall => sums.syscall_ns += duration_ns,
            State::SyscallBlocked => sums.syscall_blocked_ns += duration_ns,
            State::Waiting => {
                sums.waiting_ns += duration_ns;
                if let Some(reason) = span.reason {
                    add_wait(&mut sums.waits, reason, duration_ns);
                }
            }
            State::Undetermined | State::NotExist => {}
        }
        sums.total_ns += duration_ns;
        sums.last_state = span.state;
        StateSpan {
            goroutine: sums.id,
            function: sums.function,
            start_ns: span.start_ns,
            duration_ns,
            state: span.state,
            from: span.from,
            open_start: span.open_start,
            open_end,
            reason: span.reason,
            stack: span.stack,
            proc: span.proc,
            thread: span.thread,
            waker: span.waker,
        }
    }
}

fn add_wait(waits: &mut Vec<Wait>, reason: ReasonId, duration_ns: i64) {
    match waits.iter_mut().find(|wait| wait.reason == reason) {
        Some(wait) => {
            wait.waits += 1;
            wait.total_ns += duration_ns;
            wait.max_ns = wait.max_ns.max(duration_ns);
        }
        None => {
            waits.push(Wait { reason, waits: 1, total_ns: duration_ns, max_ns: duration_ns });
        }
    }
}

/// Live goroutines by slot, and those that were alive before a gap, by number.
#[derive(Default)]
pub struct Table {
    by_slot: Vec<Option<Box<Live>>>,
    /// A goroutine's number is never used again by the runtime, so one that appears with the same
    /// number behind a gap is the same goroutine.
    pub before_gap: FxHashMap<i64, Box<Live>>,
    created: usize,
}

impl Table {
    /// How many goroutines there were so far.
    pub fn created(&self) -> usize {
        self.created
    }

    /// The id for a goroutine seen for the first time.
    pub fn next_id(&mut self) -> GoroutineId {
        self.created += 1;
        GoroutineId::from_index(self.created - 1)
    }

    /// The goroutine in a slot.
    #[inline(always)]
    pub fn get(&mut self, slot: GoSlot) -> Option<&mut Live> {
        self.by_slot.get_mut(slot as usize)?.as_deref_mut()
    }

    /// The id of the goroutine in a slot.
    #[inline(always)]
    pub fn id(&self, slot: GoSlot) -> Option<GoroutineId> {
        self.by_slot.get(slot as usize)?.as_deref().map(|live| live.sums.id)
    }

    /// Puts a goroutine into a slot.
    pub fn put(&mut self, slot: GoSlot, live: Box<Live>) -> Option<Box<Live>> {
        debug_assert_ne!(slot, NO_SLOT);
        let index = slot as usize;
        if index >= self.by_slot.len() {
            self.by_slot.resize_with(index + 1, || None);
        }
        self.by_slot[index].replace(live)
    }

    /// Takes a goroutine out of its slot.
    pub fn take(&mut self, slot: GoSlot) -> Option<Box<Live>> {
        self.by_slot.get_mut(slot as usize)?.take()
    }

    /// Takes all goroutines out, in the order of their ids.
    #[expect(clippy::vec_box, reason = "they go back into the table as they are")]
    pub fn take_all(&mut self) -> Vec<Box<Live>> {
        let mut all: Vec<Box<Live>> = self.by_slot.drain(..).flatten().collect();
        all.sort_unstable_by_key(|live| live.sums.id);
        all
    }
}
