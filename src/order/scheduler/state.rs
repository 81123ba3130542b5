//! What is known of threads, procs and goroutines at one moment of the replay.
//!
//! Comes in: what the rules write. Goes out: what they read. The one idea: the state stands below the
//! rules, which each change a part of it and mostly do not know each other.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::order::annotations::Annotations;
use crate::order::event::{GoSlot, NO_SLOT, NONE};
use crate::order::frontier::Frontier;
use crate::order::goroutines::Goroutines;
use crate::order::limits::LONGEST_TRACE;
use rustc_hash::FxHashMap;

/// A thread, as ordering sees it.
#[derive(Debug, Clone)]
pub(super) struct Thread {
    pub(super) id: i64,
    pub(super) goroutine: i64,
    pub(super) slot: GoSlot,
    pub(super) proc: i64,
    /// Index into `Orderer::procs` of `proc`.
    pub(super) proc_index: u32,
    /// Whether an event of the thread was tried, or it was named as the thread of a system call.
    pub(super) is_known: bool,
}

impl Thread {
    fn new(id: i64) -> Self {
        Thread {
            id,
            goroutine: NONE,
            slot: NO_SLOT,
            proc: NONE,
            proc_index: u32::MAX,
            is_known: false,
        }
    }
}

/// A proc, as ordering sees it.
#[derive(Debug, Clone)]
pub(super) struct Proc {
    pub(super) id: i64,
    pub(super) status: u64,
    pub(super) seq: u64,
    pub(super) seq_generation: u32,
    pub(super) is_sweeping: bool,
}

/// Whether a mark phase is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GcState {
    Undetermined,
    NotRunning,
    Running,
}

/// Puts the events of a trace in order, generation by generation.
pub struct Orderer {
    pub(super) threads: Vec<Thread>,
    pub(super) thread_index: FxHashMap<i64, u32>,
    pub(super) procs: Vec<Proc>,
    pub(super) proc_index: FxHashMap<i64, u32>,
    pub(super) goroutines: Goroutines,
    pub(super) annotations: Annotations,
    /// Stop-the-world ranges under way: goroutine and kind.
    pub(super) stop_the_world: Vec<(GoSlot, u64)>,
    pub(super) gc_seq: u64,
    pub(super) gc_state: GcState,
    /// Counts generations; sequence numbers are only comparable within one.
    pub(super) generation: u32,
    /// Whether this is the first generation of the trace, or the first behind a gap.
    pub(super) is_initial: bool,
    pub(super) last_time: i64,
    /// No event is later; see [`LONGEST_TRACE`].
    pub(super) latest_time: i64,
    /// Events of the generation that say they are, and what the first of them says.
    pub(super) too_late: (u64, i64),
    pub(super) syncs: u64,
    pub(super) last_number: Option<u64>,
    /// Something of the current generation was lost, so its end is not the next one's start.
    pub(super) is_damaged: bool,
    pub(super) events: u64,
    pub(super) frontier: Frontier,
    /// Reports about the event being tried; where that stands in the file only the caller knows.
    pub(super) unplaced: Vec<Diagnostic>,
    /// Damage found while ordering. The caller takes them as it likes.
    pub diagnostics: Diagnostics,
}

impl Default for Orderer {
    fn default() -> Self {
        Self::new()
    }
}

impl Orderer {
    /// An orderer at the start of a trace.
    pub fn new() -> Self {
        Orderer {
            threads: Vec::new(),
            thread_index: FxHashMap::default(),
            procs: Vec::new(),
            proc_index: FxHashMap::default(),
            goroutines: Goroutines::default(),
            annotations: Annotations::default(),
            stop_the_world: Vec::new(),
            gc_seq: 0,
            gc_state: GcState::Undetermined,
            generation: 0,
            is_initial: true,
            // Go's reader starts with the zero value (reader.go, lastTs).
            last_time: 0,
            latest_time: LONGEST_TRACE,
            too_late: (0, 0),
            syncs: 0,
            last_number: None,
            is_damaged: false,
            events: 0,
            frontier: Frontier::default(),
            unplaced: Vec::new(),
            diagnostics: Diagnostics::default(),
        }
    }

    /// Events handed out so far, synchronisation points not counted.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The time of the last event, nanoseconds on the trace's clock.
    pub fn last_time(&self) -> i64 {
        self.last_time
    }

    /// Forgets the scheduler's state, as at the start of a trace.
    pub(super) fn forget(&mut self) {
        self.threads.clear();
        self.thread_index.clear();
        self.procs.clear();
        self.proc_index.clear();
        self.goroutines.clear();
        self.annotations.forget_regions();
        self.stop_the_world.clear();
        self.gc_state = GcState::Undetermined;
        self.is_initial = true;
    }

    /// The index of a thread, which is added if it is new.
    pub(super) fn thread(&mut self, id: i64) -> u32 {
        *self.thread_index.entry(id).or_insert_with(|| {
            self.threads.push(Thread::new(id));
            (self.threads.len() - 1) as u32
        })
    }

    /// The thread has no goroutine any more.
    pub(super) fn unbind(&mut self, index: usize) {
        let at = &mut self.threads[index];
        (at.goroutine, at.slot) = (NONE, NO_SLOT);
    }

    /// The proc of a thread that has one.
    #[inline(always)]
    pub(super) fn proc_of(&mut self, index: usize) -> &mut Proc {
        &mut self.procs[self.threads[index].proc_index as usize]
    }
}
