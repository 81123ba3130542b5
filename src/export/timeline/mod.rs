//! Traces as timelines for viewers: the layout that all formats of them share.
//!
//! Comes in: ordered events, as a [`Sink`] ([`Timeline`]). Goes out: tracks, slices, instants, arrows and
//! counters, in a [`TimelineFormat`]. The idea is that the model hands a span out when it ends, and the span
//! is written then, so memory follows what lives and the distinct stacks, not the length of the trace.
//!
//! The trace is the root; in it are groups for counters, the garbage collector, procs, tasks, goroutines by
//! start function, and threads. A goroutine's lane shows all its states, those in which it waits too; lanes
//! below it show its regions, system calls, assists, pauses and CPU samples. An arrow leads from the moment
//! at which a goroutine makes another one runnable to where that one becomes so.

mod below;
mod format;
mod goroutine;
mod lane;
mod lanes;
mod places;
mod stage;
mod tasks;
mod tracks;

pub use format::*;
use lanes::Lanes;
use stage::{Stage, rank};

use super::PrintError;
use crate::diagnostic::Diagnostics;
use crate::model::{Builder, Selection, Symbols, TimeBounds};
use crate::order::{Event, GoState, ProcState, Sink, Sync, TraceReader, TransitionOf};
use crate::wire::v2::{Generation, Tables};

/// What has lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneKinds {
    /// Procs, with the goroutine that ran on each.
    pub procs: bool,
    /// Threads, with the goroutine that ran on each.
    pub threads: bool,
    /// Goroutines, with all their states.
    pub goroutines: bool,
}

/// How to lay a trace out.
#[derive(Debug, Clone)]
pub struct TimelineOptions {
    /// What to show.
    pub selection: Selection,
    /// What has lanes.
    pub lanes: LaneKinds,
    /// Whether there are arrows.
    pub has_flows: bool,
    /// Shortest time between two points of a counter, nanoseconds.
    pub counters_every_ns: i64,
}

impl Default for TimelineOptions {
    /// All lanes of the whole trace, with arrows, and counters every tenth of a millisecond.
    fn default() -> Self {
        TimelineOptions {
            selection: Selection::default(),
            lanes: LaneKinds { procs: true, threads: true, goroutines: true },
            has_flows: true,
            counters_every_ns: 100_000,
        }
    }
}

/// A [`Sink`] that writes a timeline.
struct Timeline<'a, F: TimelineFormat> {
    builder: Builder<'a, Lanes<F>>,
    from_to: Selection,
    every_ns: i64,
    /// Time of the first synchronisation point on the trace's clock.
    start: Option<i64>,
    window: TimeBounds,
    counts: Counts,
    counters: Option<[TrackId; COUNTERS.len()]>,
    /// What each counter showed last.
    shown: [i64; COUNTERS.len()],
    due_ns: i64,
    is_done: bool,
    error: Option<PrintError>,
}

/// How many goroutines, procs and threads are in a state.
#[derive(Default)]
struct Counts {
    goroutines: [i64; 6],
    procs: i64,
}

/// The counters that are counted here, in their order.
const COUNTERS: [(&str, &str); 5] = [
    ("goroutines running", "Goroutines that run."),
    ("goroutines runnable", "Goroutines that could run and have no proc."),
    ("goroutines waiting", "Goroutines that wait for something."),
    ("goroutines in syscalls", "Goroutines in system calls; each keeps a thread."),
    ("procs in use", "Procs that a thread has."),
];

impl Counts {
    fn values(&self) -> [i64; COUNTERS.len()] {
        use GoState::*;
        let states = [Running, Runnable, Waiting, Syscall];
        let [running, runnable, waiting, syscall] =
            states.map(|state| self.goroutines[state as usize]);
        [running, runnable, waiting, syscall, self.procs].map(|count| count.max(0))
    }
}

/// Writes the timeline of a trace called `name`. Returns the format, to be finished, and what was
/// repaired or lost.
pub fn write_timeline<F: TimelineFormat>(
    reader: TraceReader,
    format: F,
    name: &str,
    options: &TimelineOptions,
) -> Result<(F, Diagnostics), PrintError> {
    let mut stage = Stage::new(format, name, options);
    // Counters are of the whole program; of a few goroutines they would say nothing.
    let has_counters = !options.selection.has_goroutines();
    let group = has_counters.then(|| {
        let (tracks, root) = (&mut stage.tracks, stage.root);
        tracks.group(root, "Counters", rank::COUNTERS, ChildOrder::ByRank, "Of the whole program.")
    });
    let counters = group.map(|group| {
        let mut rank = 0;
        COUNTERS.map(|counter| {
            rank += 1;
            stage.tracks.counter(group, Unit::Count, counter, rank)
        })
    });
    let mut lanes = Lanes::new(stage, group, options.counters_every_ns);
    let mut symbols = Symbols::default();
    let mut timeline = Timeline {
        builder: Builder::new(&mut lanes, &mut symbols),
        from_to: options.selection.clone(),
        every_ns: options.counters_every_ns,
        start: None,
        window: TimeBounds::ALL,
        counts: Counts::default(),
        counters,
        shown: [0; COUNTERS.len()],
        due_ns: i64::MIN,
        is_done: false,
        error: None,
    };
    let outcome = reader.read(&mut timeline);
    let error = timeline.error.take();
    drop(timeline);
    lanes.finish();
    match error {
        Some(error) => Err(error),
        None => Ok((lanes.stage.tracks.format, outcome.diagnostics)),
    }
}

impl<F: TimelineFormat> Timeline<'_, F> {
    fn count(&mut self, event: &Event) -> bool {
        match event.transition() {
            Some(TransitionOf::Goroutine(_, _, from, to)) if from != to => {
                self.counts.goroutines[from as usize] -= 1;
                self.counts.goroutines[to as usize] += 1;
                true
            }
            Some(TransitionOf::Proc(_, from, to)) if from != to => {
                self.counts.procs -= i64::from(from == ProcState::Running);
                self.counts.procs += i64::from(to == ProcState::Running);
                true
            }
            _ => false,
        }
    }

    #[inline(never)]
    fn show_counts(&mut self, time_ns: i64) {
        self.due_ns = time_ns.saturating_add(self.every_ns);
        let Some(counters) = self.counters else { return };
        let values = self.counts.values();
        let is_first = self.shown == [-1; COUNTERS.len()];
        for (index, value) in values.into_iter().enumerate() {
            if value != self.shown[index] || is_first {
                let format = &mut self.builder.items().stage.tracks.format;
                format.counter(counters[index], time_ns, value);
            }
        }
        self.shown = values;
    }
}

impl<F: TimelineFormat> Sink for Timeline<'_, F> {
    fn sync(&mut self, sync: &Sync, generation: Option<&Generation>) {
        if self.start.is_none() {
            self.start = Some(sync.time);
            match TimeBounds::resolve(self.from_to.from, self.from_to.to, sync) {
                Some(bounds) => self.window = bounds.since(sync.time),
                None => {
                    self.error = Some(PrintError::NoWallClock);
                    self.is_done = true;
                    return;
                }
            }
            self.builder.items().stage.window = self.window;
        }
        let time_ns = sync.time.wrapping_sub(self.start.unwrap_or(sync.time));
        self.builder.items().stage.last_ns = time_ns;
        if generation.is_none() && self.window.contain(time_ns) && !self.is_done {
            self.show_counts(time_ns);
        }
        self.builder.sync(sync, generation);
        self.is_done |= self.builder.items().stage.tracks.format.is_broken();
    }

    fn gap(&mut self) {
        self.counts = Counts::default();
        self.builder.gap();
    }

    #[inline(always)]
    fn event(&mut self, event: &Event, tables: &Tables) {
        if self.is_done {
            return;
        }
        self.builder.event(event, tables);
        if self.count(event) {
            let time_ns = event.time.wrapping_sub(self.start.unwrap_or(event.time));
            if time_ns >= self.due_ns && self.window.contain(time_ns) {
                self.show_counts(time_ns);
                self.is_done = self.builder.items().stage.tracks.format.is_broken();
            }
        }
    }

    fn is_done(&self) -> bool {
        self.is_done
    }
}
