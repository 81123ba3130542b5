//! Garbage collections, put together from the mark phase, the two pauses around it, and heap metrics.
//!
//! The runtime's sequence (Go 1.27 `runtime/mgc.go`, gcStart and gcMarkTermination) is: begin of the
//! mark phase, stop the world (sweep termination), start the world, marking, stop the world (mark
//! termination), end of the mark phase, new heap values, start the world. Before Go 1.22 the world
//! was stopped before the begin was traced.

use super::ids::*;
use super::items::*;

/// How the runtime words the two pauses of a cycle.
pub const SWEEP_TERMINATION: &str = "GC sweep termination";
pub const MARK_TERMINATION: &str = "GC mark termination";

/// The collections of a trace.
#[derive(Default)]
pub struct GcCycles {
    heap_live: Option<u64>,
    heap_goal: Option<u64>,
    /// The pause that was under way or ended last before a mark phase began.
    sweep_termination: Option<Pause>,
    cycle: Option<Cycle>,
}

#[derive(Clone, Copy)]
struct Pause {
    start_ns: i64,
    /// `None` while it lasts.
    duration_ns: Option<i64>,
}

struct Cycle {
    row: GcCycle,
    /// Whether the mark phase has ended; then only the end of the last pause is awaited.
    is_marked: bool,
    mark_termination_start_ns: Option<i64>,
}

impl GcCycles {
    /// The live heap or the goal has a new value.
    pub fn heap(&mut self, kind: MetricKind, value: u64) {
        match kind {
            MetricKind::HeapLive => {
                self.heap_live = Some(value);
                // What was marked becomes what is live while the world is stopped for the end of the
                // mark phase (Go 1.27 runtime/mgc.go, gcMarkTermination; mgcpacer.go, resetLive).
                if let Some(cycle) = &mut self.cycle
                    && !cycle.is_marked
                    && cycle.mark_termination_start_ns.is_some()
                {
                    cycle.row.heap_after_bytes = Some(value);
                }
            }
            MetricKind::HeapGoal => self.heap_goal = Some(value),
            MetricKind::Gomaxprocs => {}
        }
    }

    /// A mark phase begins, or is found under way.
    pub fn mark_begin(
        &mut self,
        start_ns: i64,
        open_start: bool,
        goroutine: Option<GoroutineId>,
        stack: Option<StackId>,
    ) -> Option<GcCycle> {
        let unfinished = self.take();
        let pause = self.sweep_termination.take();
        self.cycle = Some(Cycle {
            row: GcCycle {
                start_ns,
                duration_ns: 0,
                open_start,
                open_end: false,
                sweep_termination_pause_ns: pause.and_then(|pause| pause.duration_ns),
                mark_termination_pause_ns: None,
                heap_before_bytes: self.heap_live,
                heap_after_bytes: None,
                heap_goal_bytes: self.heap_goal,
                assist_ns: 0,
                background_ns: 0,
                idle_ns: 0,
                goroutine,
                stack,
            },
            is_marked: false,
            mark_termination_start_ns: None,
        });
        // Still under way: its end will be told.
        self.sweep_termination = pause.filter(|pause| pause.duration_ns.is_none());
        unfinished
    }

    /// The mark phase ends.
    pub fn mark_end(&mut self, time_ns: i64) -> Option<GcCycle> {
        let cycle = self.cycle.as_mut()?;
        cycle.row.duration_ns = time_ns - cycle.row.start_ns;
        cycle.is_marked = true;
        // Without a pause under way (Go 1.21 and older show it as part of the phase, or it is
        // missing) nothing more is to come.
        if cycle.mark_termination_start_ns.is_none() { self.take() } else { None }
    }

    /// The world is being stopped.
    pub fn stop(&mut self, kind: &str, time_ns: i64) {
        match kind {
            SWEEP_TERMINATION => {
                self.sweep_termination = Some(Pause { start_ns: time_ns, duration_ns: None });
            }
            MARK_TERMINATION => {
                if let Some(cycle) = &mut self.cycle {
                    cycle.mark_termination_start_ns = Some(time_ns);
                }
            }
            _ => {}
        }
    }

    /// The world runs again.
    pub fn start(&mut self, kind: &str, time_ns: i64) -> Option<GcCycle> {
        match kind {
            SWEEP_TERMINATION => {
                let pause = self.sweep_termination.as_mut()?;
                let duration_ns = time_ns - pause.start_ns;
                pause.duration_ns = Some(duration_ns);
                if let Some(cycle) = &mut self.cycle
                    && !cycle.is_marked
                    && cycle.row.sweep_termination_pause_ns.is_none()
                {
                    cycle.row.sweep_termination_pause_ns = Some(duration_ns);
                    self.sweep_termination = None;
                }
                None
            }
            MARK_TERMINATION => {
                let cycle = self.cycle.as_mut()?;
                let start_ns = cycle.mark_termination_start_ns.take()?;
                // Marking may find more work after the world was stopped; the runtime then starts
                // the world and tries again. The pauses add up.
                let pause = cycle.row.mark_termination_pause_ns.get_or_insert(0);
                *pause += time_ns - start_ns;
                if cycle.is_marked { self.take() } else { None }
            }
            _ => None,
        }
    }

    /// A goroutine has helped marking, or a worker has marked, for so long.
    pub fn add_work(&mut self, kind: Work, duration_ns: i64) {
        if let Some(cycle) = &mut self.cycle {
            match kind {
                Work::Assist => cycle.row.assist_ns += duration_ns,
                Work::Background => cycle.row.background_ns += duration_ns,
                Work::Idle => cycle.row.idle_ns += duration_ns,
            }
        }
    }

    /// The trace, or the part before a gap, ends.
    pub fn end(&mut self, time_ns: i64) -> Option<GcCycle> {
        let mut row = self.take()?;
        if row.duration_ns == 0 {
            row.duration_ns = time_ns - row.start_ns;
            row.open_end = true;
        }
        self.sweep_termination = None;
        Some(row)
    }

    fn take(&mut self) -> Option<GcCycle> {
        self.cycle.take().map(|cycle| cycle.row)
    }
}

/// Who marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A goroutine that allocates.
    Assist,
    /// A dedicated or fractional worker.
    Background,
    /// A worker that only uses idle procs.
    Idle,
}
