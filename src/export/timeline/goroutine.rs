//! The lanes of one goroutine, and what its states show on procs and threads.

use super::format::*;
use super::stage::Stage;
use super::tracks::FlatLanes;
use crate::model::{FunctionId, Region, Sample, StackId, State, StateSpan, ThreadRow};

/// Most spans that wait for the goroutine's function to become known.
const MAX_DEFERRED: usize = 64;
/// Most regions that had begun before what is shown, and wait for those around them.
const MAX_EARLY: usize = 1024;

/// Whether and where a goroutine is shown.
enum View {
    /// Its function is not known, and with that its group. All it did waits here.
    Deferred(Vec<Deferred>),
    /// In this track; `None` if goroutines have no lanes.
    Shown(Option<TrackId>),
    /// It was not asked for.
    Hidden,
}

enum Deferred {
    Span(StateSpan, Arrival),
    Sample(Sample),
}

/// What made a goroutine enter its next state, if something did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Arrival {
    /// Number of the goroutine that woke it or created it.
    pub woken_by: Option<i64>,
    /// Where that one was.
    pub waker_stack: Option<StackId>,
    /// The arrow that ends here.
    pub arrow: Option<u64>,
    /// Whether that goroutine is shown.
    pub is_waker_shown: bool,
    /// Whether it was created.
    pub is_created: bool,
}

/// An arrow from a proc or a thread, drawn when the goroutine runs.
#[derive(Debug, Clone, Copy)]
struct Departure {
    time_ns: i64,
    proc: i64,
    thread: Option<ThreadRow>,
    name: NameId,
    category: Category,
    goid: Option<i64>,
    stack: Option<StackId>,
}

/// A system call that may go on without its proc.
#[derive(Debug, Clone, Copy)]
struct Syscall {
    first: StateSpan,
    end_ns: i64,
    open_end: bool,
    /// When it lost its proc.
    lost_ns: Option<i64>,
}

/// The lanes below that of the goroutine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Child {
    Syscalls,
    Assists,
    Sweeps,
    Pauses,
    Regions,
    MisnestedRegions,
    Logs,
    Samples,
}

impl Child {
    fn name(self) -> &'static str {
        match self {
            Child::Syscalls => "syscalls",
            Child::Assists => "GC mark assist",
            Child::Sweeps => "GC incremental sweep",
            Child::Pauses => "stop-the-world",
            Child::Regions => "regions",
            Child::MisnestedRegions => "regions ended out of order",
            Child::Logs => "logs",
            Child::Samples => "CPU samples",
        }
    }
}

/// A region, cut to what is shown.
struct ShownRegion {
    name: Box<str>,
    start_ns: i64,
    end_ns: i64,
    task: u64,
    stack: Option<StackId>,
    end_stack: Option<StackId>,
    open_end: bool,
}

/// A goroutine that lives.
pub struct Lane {
    pub goid: i64,
    view: View,
    /// What made it enter the state that will come next.
    pub next: Arrival,
    /// What the runtime labels it since it runs.
    pub label: Option<NameId>,
    /// Its name where it runs.
    name: Option<NameId>,
    function: Option<FunctionId>,
    /// End of its last span.
    last_ns: i64,
    runnable_since: Option<i64>,
    departure: Option<Departure>,
    syscall: Option<Syscall>,
    children: Vec<(Child, FlatLanes)>,
    regions: Option<TrackId>,
    early: Vec<ShownRegion>,
}

impl Lane {
    /// A goroutine of which nothing is known but its number.
    pub fn new(goid: i64, is_hidden: bool) -> Self {
        Lane {
            goid,
            view: if is_hidden { View::Hidden } else { View::Deferred(Vec::new()) },
            next: Arrival::default(),
            label: None,
            name: None,
            function: None,
            last_ns: 0,
            runnable_since: None,
            departure: None,
            syscall: None,
            children: Vec::new(),
            regions: None,
            early: Vec::new(),
        }
    }

    /// Whether it is not to be shown.
    pub fn is_hidden(&self) -> bool {
        matches!(self.view, View::Hidden)
    }

    /// Whether it is decided that it is shown.
    pub fn is_shown(&self) -> bool {
        matches!(self.view, View::Shown(_))
    }

    /// Its track, if it has one.
    pub fn track(&self) -> Option<TrackId> {
        match self.view {
            View::Shown(track) => track,
            _ => None,
        }
    }

    /// Now the function it began with is known, or will never be.
    pub fn reveal<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        function: Option<FunctionId>,
    ) {
        let View::Deferred(deferred) = &mut self.view else { return };
        let deferred = std::mem::take(deferred);
        self.function = function;
        let name = function.map(|id| &*stage.functions[id.index()].name);
        if !stage.selection.has_function(name) {
            self.view = View::Hidden;
            return;
        }
        self.view = View::Shown(None);
        if stage.lanes.goroutines {
            let name = self.full_name(stage);
            let group = stage.goroutine_group(function);
            self.view = View::Shown(Some(stage.tracks.lane(group, &name, self.rank())));
        }
        for one in deferred {
            match one {
                Deferred::Span(span, arrival) => self.show_span(stage, &span, arrival),
                Deferred::Sample(sample) => self.sample(stage, &sample),
            }
        }
    }

    /// Its place among the goroutines of a group, which leaves room for its children behind it.
    fn rank(&self) -> i64 {
        self.goid.saturating_mul(16)
    }

    fn child_rank(&self, child: Child) -> i64 {
        self.rank().saturating_add(1 + child as i64)
    }

    fn full_name<F>(&self, stage: &Stage<F>) -> String {
        match self.function {
            Some(id) => format!("G{} {}", self.goid, stage.functions[id.index()].name),
            None => format!("G{}", self.goid),
        }
    }

    fn run_name<F: TimelineFormat>(&mut self, stage: &mut Stage<F>) -> NameId {
        if let Some(name) = self.name {
            return name;
        }
        let text = self.full_name(stage);
        *self.name.insert(stage.tracks.format.name(&text))
    }

    /// It was in a state.
    #[inline(always)]
    pub fn span<F: TimelineFormat>(&mut self, stage: &mut Stage<F>, span: &StateSpan) {
        let arrival = std::mem::take(&mut self.next);
        self.last_ns = span.start_ns + span.duration_ns;
        match &mut self.view {
            View::Shown(_) => {}
            View::Hidden => return,
            View::Deferred(deferred) => {
                if span.function.is_none() && deferred.len() < MAX_DEFERRED {
                    deferred.push(Deferred::Span(*span, arrival));
                    return;
                }
                self.reveal(stage, span.function);
            }
        }
        if self.is_shown() {
            self.show_span(stage, span, arrival);
        }
    }

    fn show_span<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        span: &StateSpan,
        mut arrival: Arrival,
    ) {
        let syscall = self.end_syscall(stage, span);
        let end_ns = span.start_ns + span.duration_ns;
        let latency_ns = match span.state {
            State::Runnable => {
                self.runnable_since = Some(span.start_ns);
                if stage.has_flows && stage.window.contain(span.start_ns) && !span.open_start {
                    self.depart(stage, span, syscall, &mut arrival);
                }
                None
            }
            State::Running => self.runnable_since.take().map(|since| span.start_ns - since),
            State::Syscall | State::SyscallBlocked => {
                self.syscall_part(span, end_ns);
                None
            }
            _ => None,
        };
        if let Some(clipped) = stage.window.clip(span.start_ns, end_ns) {
            self.show_state(stage, span, arrival, latency_ns, clipped);
            self.show_places(stage, span, latency_ns, clipped);
        }
        if span.state == State::Running {
            self.label = None;
            self.departure = None;
        }
    }

    /// The slice in the lane of the goroutine.
    #[inline(always)]
    fn show_state<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        span: &StateSpan,
        arrival: Arrival,
        latency_ns: Option<i64>,
        (start_ns, end_ns): (i64, i64),
    ) {
        let Some(track) = self.track() else { return };
        let reason = span.reason.map(|id| stage.reason(id));
        let names = &stage.names;
        let name = match (span.state, reason) {
            (State::Waiting, Some(reason)) => reason.waiting,
            (State::Waiting, None) => names.waiting,
            (State::Runnable, _) => names.runnable,
            (State::Running, _) => names.running,
            (State::Syscall, _) => names.syscall,
            (State::SyscallBlocked, _) => names.syscall_blocked,
            (State::Undetermined | State::NotExist, _) => names.undetermined,
        };
        let mut args = Args::new();
        args.push(Key::Goid, Value::Int(self.goid));
        if let Some(text) = reason.and_then(|reason| reason.text) {
            args.push(Key::Reason, Value::Name(text));
        }
        if span.state != State::Waiting && span.state != State::Runnable {
            args.push_known(Key::Proc, (span.proc != -1).then_some(span.proc));
            args.push_known(Key::Thread, stage.thread_number(span.thread));
        }
        args.push_stack(Key::Stack, span.stack);
        args.push_known(Key::WokenBy, arrival.woken_by);
        args.push_stack(Key::WakerStack, arrival.waker_stack);
        args.push_known(Key::LatencyNs, latency_ns);
        self.push_common(&mut args, span);
        stage.tracks.format.slice(&Slice {
            track,
            category: Category::State,
            name: Name::Id(name),
            start_ns,
            end_ns,
            stack: span.stack,
            // The beginning of a span that is cut off is not where the arrow points.
            flow: arrival.arrow.map_or(Flow::None, Flow::End),
            args: &args,
        });
    }

    fn push_common(&self, args: &mut Args<'_>, span: &StateSpan) {
        if span.state == State::Running
            && let Some(label) = self.label
        {
            args.push(Key::Label, Value::Name(label));
        }
        if span.open_start {
            args.push(Key::OpenStart, Value::Bool(true));
        }
        if span.open_end {
            args.push(Key::OpenEnd, Value::Bool(true));
        }
    }

    /// The slices on the proc and the thread.
    #[inline(always)]
    fn show_places<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        span: &StateSpan,
        latency_ns: Option<i64>,
        (start_ns, end_ns): (i64, i64),
    ) {
        let has_proc = stage.lanes.procs
            && span.proc != -1
            && matches!(span.state, State::Running | State::Syscall);
        let has_thread = stage.lanes.threads
            && matches!(span.state, State::Running | State::Syscall | State::SyscallBlocked);
        if !has_proc && !has_thread {
            return;
        }
        let is_running = span.state == State::Running;
        let mut flow = self.arrow_to_place(stage, span);
        let name = match span.state {
            State::Running => self.run_name(stage),
            State::SyscallBlocked => stage.names.syscall_blocked,
            _ => stage.syscall_name(span.stack),
        };
        let mut args = Args::new();
        args.push(Key::Goid, Value::Int(self.goid));
        args.push_stack(Key::Stack, span.stack);
        args.push_known(Key::LatencyNs, latency_ns);
        self.push_common(&mut args, span);
        if has_proc && let Some(track) = stage.proc_lane(span.proc, start_ns, end_ns) {
            args.push_known(Key::Thread, stage.thread_number(span.thread));
            let category = if is_running { Category::Proc } else { Category::Syscall };
            let name = Name::Id(name);
            let stack = span.stack;
            let args = &args;
            stage.tracks.format.slice(&Slice {
                track,
                category,
                name,
                start_ns,
                end_ns,
                stack,
                flow,
                args,
            });
            flow = Flow::None;
        }
        if has_thread
            && let Some(thread) = span.thread
            && let Some(track) = stage.thread_lane(thread, start_ns, end_ns)
        {
            let category = if is_running { Category::Thread } else { Category::Syscall };
            let name = Name::Id(name);
            let stack = span.stack;
            let args = &args;
            stage.tracks.format.slice(&Slice {
                track,
                category,
                name,
                start_ns,
                end_ns,
                stack,
                flow,
                args,
            });
        }
    }

    /// Where goroutines have no lanes, arrows go from proc to proc, or from thread to thread.
    fn arrow_to_place<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        span: &StateSpan,
    ) -> Flow {
        if span.state != State::Running || !stage.window.contain(span.start_ns) {
            return Flow::None;
        }
        let Some(from) = self.departure.take() else { return Flow::None };
        let track = if stage.lanes.procs {
            if from.proc == -1 || span.proc == -1 { None } else { stage.proc_instants(from.proc) }
        } else {
            from.thread.filter(|_| span.thread.is_some()).and_then(|row| stage.thread_instants(row))
        };
        let Some(track) = track else { return Flow::None };
        let arrow = stage.tracks.flow();
        let mut args = Args::new();
        args.push_known(Key::Goid, from.goid);
        args.push(Key::Wakes, Value::Int(self.goid));
        args.push_stack(Key::Stack, from.stack);
        stage.tracks.format.instant(&Slice {
            track,
            category: from.category,
            name: Name::Id(from.name),
            start_ns: from.time_ns,
            end_ns: from.time_ns,
            stack: from.stack,
            flow: Flow::Begin(arrow),
            args: &args,
        });
        Flow::End(arrow)
    }

    /// It becomes runnable: an arrow may begin.
    fn depart<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        span: &StateSpan,
        syscall: Option<Syscall>,
        arrival: &mut Arrival,
    ) {
        let (names, time_ns) = (&stage.names, span.start_ns);
        let from = match syscall {
            Some(Syscall { first, lost_ns: Some(lost_ns), .. }) => Departure {
                // The proc was gone by then, the thread is where it was.
                time_ns: if stage.lanes.procs { lost_ns } else { time_ns },
                proc: first.proc,
                thread: first.thread,
                name: names.syscall_exit,
                category: Category::Syscall,
                goid: Some(self.goid),
                stack: first.stack,
            },
            _ if arrival.woken_by.is_some() && arrival.is_waker_shown => Departure {
                time_ns,
                proc: span.proc,
                thread: span.thread,
                name: if arrival.is_created { names.create } else { names.unblock },
                category: Category::Wakeup,
                goid: arrival.woken_by,
                stack: arrival.waker_stack,
            },
            _ => return,
        };
        if !stage.lanes.goroutines {
            self.departure = stage.window.contain(from.time_ns).then_some(from);
        } else if let (Category::Syscall, Some(track)) = (from.category, self.track()) {
            let arrow = stage.tracks.flow();
            let mut args = Args::new();
            args.push(Key::Goid, Value::Int(self.goid));
            stage.tracks.format.instant(&Slice {
                track,
                category: from.category,
                name: Name::Id(from.name),
                start_ns: time_ns,
                end_ns: time_ns,
                stack: None,
                flow: Flow::Begin(arrow),
                args: &args,
            });
            arrival.arrow = Some(arrow);
        }
    }

    /// A part of a system call: with its proc, or without.
    fn syscall_part(&mut self, span: &StateSpan, end_ns: i64) {
        let lost_ns = (span.state == State::SyscallBlocked).then_some(span.start_ns);
        match &mut self.syscall {
            Some(syscall) => {
                syscall.end_ns = end_ns;
                syscall.open_end = span.open_end;
                syscall.lost_ns = syscall.lost_ns.or(lost_ns);
            }
            None => {
                let (first, open_end) = (*span, span.open_end);
                self.syscall = Some(Syscall { first, end_ns, open_end, lost_ns });
            }
        }
    }

    /// Shows and returns the system call that ended before a span, unless the span is a part of it.
    #[inline(always)]
    fn end_syscall<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        next: &StateSpan,
    ) -> Option<Syscall> {
        let syscall = self.syscall?;
        let goes_on = next.state == State::SyscallBlocked
            && next.from == State::Syscall
            && next.start_ns == syscall.end_ns;
        if goes_on { None } else { self.finish_syscall(stage) }
    }

    fn finish_syscall<F: TimelineFormat>(&mut self, stage: &mut Stage<F>) -> Option<Syscall> {
        let syscall = self.syscall.take()?;
        let first = &syscall.first;
        let Some((start_ns, end_ns)) = stage.window.clip(first.start_ns, syscall.end_ns) else {
            return Some(syscall);
        };
        if self.track().is_none() {
            return Some(syscall);
        }
        let name = Name::Id(stage.syscall_name(first.stack));
        let mut args = Args::new();
        args.push(Key::Goid, Value::Int(self.goid));
        args.push(Key::Blocked, Value::Bool(syscall.lost_ns.is_some()));
        args.push_stack(Key::Stack, first.stack);
        if first.open_start {
            args.push(Key::OpenStart, Value::Bool(true));
        }
        if syscall.open_end {
            args.push(Key::OpenEnd, Value::Bool(true));
        }
        let (category, stack, flow) = (Category::Syscall, first.stack, Flow::None);
        let args = &args;
        self.child_slice(stage, Child::Syscalls, start_ns, end_ns, &|track| Slice {
            track,
            category,
            name,
            start_ns,
            end_ns,
            stack,
            flow,
            args,
        });
        Some(syscall)
    }

    /// Writes a slice into a lane below that of the goroutine.
    pub fn child_slice<'a, F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        child: Child,
        start_ns: i64,
        end_ns: i64,
        slice: &dyn Fn(TrackId) -> Slice<'a>,
    ) {
        let Some(parent) = self.track() else { return };
        if let Some(track) = self.child(parent, child).place(&mut stage.tracks, start_ns, end_ns) {
            stage.tracks.format.slice(&slice(track));
        }
    }

    /// The lane for the instants of a kind.
    pub fn instants<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        child: Child,
    ) -> Option<TrackId> {
        let parent = self.track()?;
        self.child(parent, child).first(&mut stage.tracks)
    }

    fn child(&mut self, parent: TrackId, child: Child) -> &mut FlatLanes {
        let index = match self.children.iter().position(|one| one.0 == child) {
            Some(index) => index,
            None => {
                let prefix = format!("G{}", self.goid);
                let rank = self.child_rank(child);
                let lanes = FlatLanes::below(parent, &prefix, child.name(), rank);
                self.children.push((child, lanes));
                self.children.len() - 1
            }
        };
        &mut self.children[index].1
    }

    /// A sample of the CPU profiler hit it.
    pub fn sample<F: TimelineFormat>(&mut self, stage: &mut Stage<F>, sample: &Sample) {
        match &mut self.view {
            View::Deferred(deferred) if deferred.len() < MAX_DEFERRED => {
                deferred.push(Deferred::Sample(*sample));
                return;
            }
            View::Deferred(_) => self.reveal(stage, None),
            _ => {}
        }
        if self.is_hidden() {
            return;
        }
        let track = match self.instants(stage, Child::Samples) {
            Some(track) => Some(track),
            None if sample.proc != -1 && stage.lanes.procs => stage.proc_instants(sample.proc),
            None => None,
        };
        if let Some(track) = track {
            show_sample(stage, track, sample, Some(self.goid));
        }
    }

    /// A region of it ended, or the goroutine did before its region.
    pub fn region<F: TimelineFormat>(&mut self, stage: &mut Stage<F>, region: &Region<'_>) {
        self.reveal_by(stage, region.stack.or(region.end_stack));
        let Some(parent) = self.track() else { return };
        let start = region.start_ns.unwrap_or(0);
        let end = region.end_ns.unwrap_or(self.last_ns);
        let Some((start_ns, end_ns)) = stage.window.clip(start, end) else { return };
        let is_early = region.start_ns.is_none() || start_ns != start;
        let shown = ShownRegion {
            name: region.name.into(),
            start_ns,
            end_ns,
            task: region.task,
            stack: region.stack,
            end_stack: region.end_stack,
            open_end: region.end_ns.is_none(),
        };
        if is_early && region.is_innermost && self.early.len() < MAX_EARLY {
            // They all begin where the timeline does, so the outer ones must be written first.
            self.early.push(shown);
        } else {
            self.show_region(stage, parent, &shown, region.is_innermost);
        }
    }

    /// Something happened on it at a stack, whose root tells its function if that is not known.
    pub fn reveal_by<F: TimelineFormat>(&mut self, stage: &mut Stage<F>, stack: Option<StackId>) {
        if matches!(self.view, View::Deferred(_)) {
            self.reveal(stage, stage.root_of(stack));
        }
    }

    fn show_region<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        parent: TrackId,
        region: &ShownRegion,
        is_nested: bool,
    ) {
        let name = Name::Id(stage.text(&region.name));
        let mut args = Args::new();
        args.push(Key::Goid, Value::Int(self.goid));
        if region.task != 0 {
            args.push(Key::Task, Value::Int(region.task as i64));
        }
        args.push_stack(Key::Stack, region.stack);
        args.push_stack(Key::EndStack, region.end_stack);
        if region.open_end {
            args.push(Key::OpenEnd, Value::Bool(true));
        }
        let &ShownRegion { start_ns, end_ns, stack, .. } = region;
        let (category, flow, args) = (Category::Region, Flow::None, &args);
        let slice = |track| Slice { track, category, name, start_ns, end_ns, stack, flow, args };
        if is_nested {
            let (tracks, child) = (&mut stage.tracks, Child::Regions);
            let (goid, rank) = (self.goid, self.child_rank(child));
            let track = *self.regions.get_or_insert_with(|| {
                tracks.lane_below(parent, &format!("G{goid}"), child.name(), rank)
            });
            tracks.format.slice(&slice(track));
        } else {
            self.child_slice(stage, Child::MisnestedRegions, start_ns, end_ns, &slice);
        }
    }

    /// Nothing more comes.
    pub fn finish<F: TimelineFormat>(mut self, stage: &mut Stage<F>) {
        self.reveal(stage, None);
        self.finish_syscall(stage);
        if let Some(parent) = self.track() {
            let mut early = std::mem::take(&mut self.early);
            early.sort_by_key(|region| std::cmp::Reverse(region.end_ns));
            for region in &early {
                self.show_region(stage, parent, region, true);
            }
        }
        if let Some(name) = self.name {
            stage.tracks.format.forget_name(name);
        }
    }
}

/// Writes a sample of the CPU profiler.
pub fn show_sample<F: TimelineFormat>(
    stage: &mut Stage<F>,
    track: TrackId,
    sample: &Sample,
    goid: Option<i64>,
) {
    let mut args = Args::new();
    args.push_known(Key::Goid, goid);
    args.push_known(Key::Proc, (sample.proc != -1).then_some(sample.proc));
    args.push_known(Key::Thread, (sample.thread != -1).then_some(sample.thread));
    args.push_stack(Key::Stack, sample.stack);
    stage.tracks.format.instant(&Slice {
        track,
        category: Category::Sample,
        name: Name::Id(stage.names.sample),
        start_ns: sample.time_ns,
        end_ns: sample.time_ns,
        stack: sample.stack,
        flow: Flow::None,
        args: &args,
    });
}
