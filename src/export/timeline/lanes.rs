//! Model items to tracks, slices and arrows.

use super::below::show_sample;
use super::format::*;
use super::lane::{Arrival, Child, Lane};
use super::stage::{Stage, rank};
use super::tasks::Tasks;
use super::tracks::FlatLanes;
use crate::model::*;
use rustc_hash::FxHashMap;

/// Lays the items of one trace out.
pub struct Lanes<F> {
    pub stage: Stage<F>,
    goroutines: FxHashMap<GoroutineId, Box<Lane>>,
    tasks: Tasks,
    gc: Option<GcLanes>,
    metrics: Metrics,
    samples: Option<TrackId>,
}

struct GcLanes {
    cycles: FlatLanes,
    pauses: FlatLanes,
}

/// Counters of the heap and of GOMAXPROCS, with no more points than asked for.
#[derive(Default)]
struct Metrics {
    every_ns: i64,
    counters: [Option<TrackId>; 3],
    /// When the next value of each may be shown, and the last one that was not.
    due_ns: [i64; 3],
    held: [Option<(i64, i64)>; 3],
}

/// Counters, in their order: name, unit, description.
pub const METRICS: [(&str, Unit, &str); 3] = [
    ("heap live", Unit::Bytes, "Bytes of live heap."),
    ("heap goal", Unit::Bytes, "Heap size at which the next garbage collection should end."),
    ("GOMAXPROCS", Unit::Count, "How many procs there are."),
];

impl<F: TimelineFormat> Lanes<F> {
    /// A timeline of a trace.
    pub fn new(stage: Stage<F>, counters: Option<TrackId>, every_ns: i64) -> Self {
        let mut lanes = Lanes {
            stage,
            goroutines: FxHashMap::default(),
            tasks: Tasks::default(),
            gc: None,
            metrics: Metrics { every_ns, ..Metrics::default() },
            samples: None,
        };
        if let Some(group) = counters {
            for (index, (name, unit, about)) in METRICS.into_iter().enumerate() {
                let rank = 10 + index as i64;
                let track = lanes.stage.tracks.counter(group, unit, (name, about), rank);
                lanes.metrics.counters[index] = Some(track);
            }
        }
        lanes
    }

    /// Who made a goroutine runnable at a moment, and the arrow from there.
    fn wake(&mut self, waker: Waker, time_ns: i64, woken: i64, is_created: bool) -> Arrival {
        let mut arrival = Arrival { waker_stack: waker.stack, is_created, ..Arrival::default() };
        let Some(lane) = waker.goroutine.and_then(|id| self.goroutines.get_mut(&id)) else {
            return arrival;
        };
        arrival.woken_by = Some(lane.goid);
        let stage = &mut self.stage;
        lane.reveal_by(stage, waker.stack);
        arrival.is_waker_shown = lane.is_shown();
        let Some(track) = lane.track() else { return arrival };
        if !stage.has_flows || !stage.window.contain(time_ns) {
            return arrival;
        }
        let arrow = stage.tracks.flow();
        arrival.arrow = Some(arrow);
        let mut args = Args::new();
        args.push(Key::Goid, Value::Int(lane.goid));
        args.push(Key::Wakes, Value::Int(woken));
        args.push_stack(Key::Stack, waker.stack);
        let names = &stage.names;
        stage.tracks.format.instant(&Slice {
            track,
            category: Category::Wakeup,
            name: Name::Id(if is_created { names.create } else { names.unblock }),
            start_ns: time_ns,
            end_ns: time_ns,
            stack: waker.stack,
            flow: Flow::Begin(arrow),
            args: &args,
        });
        arrival
    }

    /// Whether a goroutine will surely be shown, so that an arrow may point to it.
    fn is_welcome(&self, lane: &Lane) -> bool {
        lane.is_shown() || (!lane.is_hidden() && self.stage.selection.functions.is_empty())
    }

    fn gc_lanes(&mut self) -> &mut GcLanes {
        let (tracks, root) = (&mut self.stage.tracks, self.stage.root);
        self.gc.get_or_insert_with(|| {
            let about = "Garbage collections, and pauses of the whole program.";
            let group = tracks.group(root, "GC", rank::GC, ChildOrder::ByRank, about);
            GcLanes {
                cycles: FlatLanes::new(group, "GC cycles", 0),
                pauses: FlatLanes::new(group, "stop-the-world", 1),
            }
        })
    }

    /// A pause, in the lane of the whole program.
    fn pause(&mut self, slice: Slice<'_>) {
        self.gc_lanes();
        let Some(gc) = &mut self.gc else { return };
        let tracks = &mut self.stage.tracks;
        if let Some(track) = gc.pauses.place(tracks, slice.start_ns, slice.end_ns) {
            tracks.format.slice(&Slice { track, ..slice });
        }
    }

    /// Writes what has been held back of the counters.
    pub fn finish(&mut self) {
        for index in 0..METRICS.len() {
            let (held, track) = (self.metrics.held[index].take(), self.metrics.counters[index]);
            if let (Some((time_ns, value)), Some(track)) = (held, track) {
                self.stage.tracks.format.counter(track, time_ns, value);
            }
        }
    }
}

impl<F: TimelineFormat> Items for Lanes<F> {
    fn symbols(&mut self, symbols: &Symbols) {
        self.stage.symbols(symbols);
    }

    fn goroutine_begins(&mut self, goroutine: &Goroutine) {
        let is_hidden = !self.stage.selection.has_goid(goroutine.goid);
        let mut lane = Box::new(Lane::new(goroutine.goid, is_hidden));
        if !is_hidden && goroutine.function.is_some() {
            lane.reveal(&mut self.stage, goroutine.function);
        }
        if !goroutine.existed_before && self.is_welcome(&lane) {
            let waker = goroutine.created_by;
            lane.next = self.wake(waker, goroutine.created_ns, goroutine.goid, true);
        }
        self.goroutines.insert(goroutine.id, lane);
    }

    fn thread_begins(&mut self, row: ThreadRow, number: i64) {
        self.stage.add_thread(row, number);
    }

    fn task_begins(&mut self, task: &Task) {
        let creator = task.goroutine.and_then(|id| self.goroutines.get_mut(&id));
        let is_shown = match creator {
            Some(lane) => {
                lane.reveal_by(&mut self.stage, task.stack);
                lane.is_shown()
            }
            None => !self.stage.selection.has_goroutines(),
        };
        self.tasks.begin(&mut self.stage, task, is_shown);
    }

    #[inline(always)]
    fn state(&mut self, span: &StateSpan) {
        let mut arrival = None;
        if span.state == State::Waiting && !span.open_end && span.waker.goroutine.is_some() {
            let Some(lane) = self.goroutines.get(&span.goroutine) else { return };
            if self.is_welcome(lane) {
                let (goid, end_ns) = (lane.goid, span.start_ns + span.duration_ns);
                arrival = Some(self.wake(span.waker, end_ns, goid, false));
            }
        }
        let Some(lane) = self.goroutines.get_mut(&span.goroutine) else { return };
        if let Some(next) = arrival {
            let told = Arrival { arrow: lane.next.arrow, ..next };
            lane.next = told;
        }
        lane.span(&mut self.stage, span);
        lane.next = arrival.unwrap_or_default();
    }

    fn goroutine(&mut self, goroutine: &Goroutine) {
        if let Some(lane) = self.goroutines.remove(&goroutine.id) {
            lane.finish(&mut self.stage);
        }
    }

    fn proc_span(&mut self, _: &ProcSpan) {}

    fn proc(&mut self, _: ProcRow, _: &Proc) {}

    fn thread(&mut self, _: ThreadRow, _: &Thread) {}

    fn range(&mut self, range: &Range, _: &Symbols) {
        let (start, end) = (range.start_ns, range.start_ns + range.duration_ns);
        let Some((start_ns, end_ns)) = self.stage.window.clip(start, end) else { return };
        let names = &self.stage.names;
        let (child, name, category) = match range.kind {
            // The cycles show it, with more.
            RangeKind::Mark => return,
            RangeKind::MarkAssist => (Child::Assists, names.assist, Category::Gc),
            RangeKind::Sweep => (Child::Sweeps, names.sweep, Category::Gc),
            RangeKind::StopTheWorld(reason) => {
                (Child::Pauses, self.stage.reason(reason).pause, Category::Stw)
            }
        };
        let lane = range.goroutine.and_then(|id| self.goroutines.get_mut(&id));
        let mut args = Args::new();
        args.push_known(Key::Goid, lane.as_ref().map(|lane| lane.goid));
        args.push_known(Key::Proc, (range.proc != -1).then_some(range.proc));
        args.push_stack(Key::Stack, range.stack);
        if let Some((swept, reclaimed)) = range.swept {
            args.push(Key::SweptBytes, Value::Int(swept as i64));
            args.push(Key::ReclaimedBytes, Value::Int(reclaimed as i64));
        }
        if range.open_start {
            args.push(Key::OpenStart, Value::Bool(true));
        }
        if range.open_end {
            args.push(Key::OpenEnd, Value::Bool(true));
        }
        let (name, flow, stack, args) = (Name::Id(name), Flow::None, range.stack, &args);
        let slice = |track| Slice { track, category, name, start_ns, end_ns, stack, flow, args };
        if let Some(lane) = lane {
            lane.reveal_by(&mut self.stage, range.stack);
            lane.child_slice(&mut self.stage, child, start_ns, end_ns, &slice);
        }
        if child == Child::Pauses {
            self.pause(slice(self.stage.root));
        }
    }

    fn gc_cycle(&mut self, cycle: &GcCycle) {
        let (start, end) = (cycle.start_ns, cycle.start_ns + cycle.duration_ns);
        let Some((start_ns, end_ns)) = self.stage.window.clip(start, end) else { return };
        let bytes = |value: Option<u64>| value.map(|bytes| bytes as i64);
        let mut args = Args::new();
        args.push_known(Key::HeapBefore, bytes(cycle.heap_before_bytes));
        args.push_known(Key::HeapAfter, bytes(cycle.heap_after_bytes));
        args.push_known(Key::HeapGoal, bytes(cycle.heap_goal_bytes));
        args.push(Key::AssistNs, Value::Int(cycle.assist_ns));
        args.push(Key::BackgroundNs, Value::Int(cycle.background_ns));
        args.push(Key::IdleNs, Value::Int(cycle.idle_ns));
        args.push_known(Key::SweepTerminationNs, cycle.sweep_termination_pause_ns);
        args.push_known(Key::MarkTerminationNs, cycle.mark_termination_pause_ns);
        args.push_stack(Key::Stack, cycle.stack);
        if cycle.open_start {
            args.push(Key::OpenStart, Value::Bool(true));
        }
        if cycle.open_end {
            args.push(Key::OpenEnd, Value::Bool(true));
        }
        self.gc_lanes();
        let Some(gc) = &mut self.gc else { return };
        let stage = &mut self.stage;
        let Some(track) = gc.cycles.place(&mut stage.tracks, start_ns, end_ns) else { return };
        stage.tracks.format.slice(&Slice {
            track,
            category: Category::Gc,
            name: Name::Id(stage.names.gc),
            start_ns,
            end_ns,
            stack: cycle.stack,
            flow: Flow::None,
            args: &args,
        });
    }

    fn metric(&mut self, metric: &Metric) {
        let index = match metric.kind {
            MetricKind::HeapLive => 0,
            MetricKind::HeapGoal => 1,
            MetricKind::Gomaxprocs => 2,
        };
        let value = i64::try_from(metric.value).unwrap_or(i64::MAX);
        let metrics = &mut self.metrics;
        let Some(track) = metrics.counters[index] else { return };
        let window = self.stage.window;
        if window.to != i64::MAX && metric.time_ns >= window.to {
            return;
        }
        if metric.time_ns < metrics.due_ns[index].max(window.from) {
            // The value when the interval, or the window, begins is the last one before.
            metrics.held[index] = Some((metric.time_ns.max(window.from), value));
            return;
        }
        let format = &mut self.stage.tracks.format;
        if let Some((time_ns, value)) = metrics.held[index].take() {
            format.counter(track, time_ns, value);
        }
        format.counter(track, metric.time_ns, value);
        metrics.due_ns[index] = metric.time_ns.saturating_add(metrics.every_ns);
    }

    fn task(&mut self, task: &Task) {
        let has_all = !self.stage.selection.has_goroutines();
        self.tasks.end(&mut self.stage, task, has_all);
    }

    fn region(&mut self, region: &Region<'_>) {
        if let Some(lane) = self.goroutines.get_mut(&region.goroutine) {
            lane.region(&mut self.stage, region);
        }
    }

    fn log(&mut self, log: &Log<'_>) {
        let lane = log.goroutine.and_then(|id| self.goroutines.get_mut(&id));
        let (mut goid, mut track) = (None, None);
        if let Some(lane) = lane {
            lane.reveal_by(&mut self.stage, log.stack);
            goid = Some(lane.goid);
            if log.task == 0 {
                track = lane.instants(&mut self.stage, Child::Logs);
            }
        }
        let track = track.or_else(|| self.tasks.track(log.task));
        if let Some(track) = track
            && self.stage.window.contain(log.time_ns)
        {
            let mut args = Args::new();
            args.push_known(Key::Goid, goid);
            args.push(Key::LogCategory, Value::Text(log.category));
            args.push(Key::Message, Value::Text(log.message));
            args.push_stack(Key::Stack, log.stack);
            self.stage.tracks.format.instant(&Slice {
                track,
                category: Category::Log,
                name: Name::Text(if log.category.is_empty() { "log" } else { log.category }),
                start_ns: log.time_ns,
                end_ns: log.time_ns,
                stack: log.stack,
                flow: Flow::None,
                args: &args,
            });
        }
    }

    fn label(&mut self, label: &Label<'_>) {
        if let Some(lane) = self.goroutines.get_mut(&label.goroutine) {
            lane.label = Some(self.stage.text(label.label));
        }
    }

    fn sample(&mut self, sample: &Sample) {
        if !self.stage.window.contain(sample.time_ns) {
            return;
        }
        if let Some(id) = sample.goroutine {
            if let Some(lane) = self.goroutines.get_mut(&id) {
                lane.sample(&mut self.stage, sample);
            }
        } else if !self.stage.selection.has_goroutines() {
            let (tracks, root) = (&mut self.stage.tracks, self.stage.root);
            let track = *self.samples.get_or_insert_with(|| {
                tracks.lane(root, "CPU samples outside of goroutines", rank::SAMPLES)
            });
            show_sample(&mut self.stage, track, sample, None);
        }
    }

    fn generation(&mut self, generation: &GenerationSpan) {
        if let Some((since_start_ns, mono_ns, unix_ns)) = generation.clock {
            self.stage.tracks.format.clock(since_start_ns, mono_ns, unix_ns);
        }
    }
}
