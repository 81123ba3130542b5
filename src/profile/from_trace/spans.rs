//! Profiles from the model's spans: everything counts, also what is open when the trace ends.

use super::build::{self, CPU_PERIOD_NS, Place, Sums, add, labels_of};
use super::inside::{Inside, Wanted};
use super::{TraceProfileError, TraceProfileOptions, TraceProfileType};
use crate::diagnostic::Diagnostics;
use crate::model::*;
use crate::order::{Event, Sink, Sync, TraceReader};
use crate::profile::Profile;
use crate::wire::v2::{Generation, Tables};

/// Most spans of a goroutine that wait for its function to become known.
const MAX_DEFERRED: usize = 64;

/// What a reason is, as bits.
mod class {
    pub const NETWORK: u8 = 1;
    pub const SYNC: u8 = 2;
    pub const SLEEP: u8 = 4;
}

/// Reads a trace.
pub fn read(
    reader: TraceReader,
    options: &TraceProfileOptions,
) -> Result<(Vec<Profile>, Diagnostics), TraceProfileError> {
    let mut symbols = Symbols::default();
    let mut items = SpanProfiles::new(options);
    let mut sink = Windowed {
        builder: Builder::new(&mut items, &mut symbols),
        selection: &options.selection,
        has_begun: false,
        is_refused: false,
    };
    let outcome = reader.read(&mut sink);
    let (totals, is_refused) = (sink.builder.totals(), sink.is_refused);
    drop(sink);
    if is_refused {
        return Err(TraceProfileError::NoWallClock);
    }
    Ok((items.profiles(options, &symbols, &totals), outcome.diagnostics))
}

/// Measures in the items that `feed` hands out; see [`super::profiles_of_items`].
pub fn read_items<E>(
    symbols: &Symbols,
    totals: &Totals,
    options: &TraceProfileOptions,
    feed: impl FnOnce(&mut dyn Items) -> Result<(), E>,
) -> Result<Vec<Profile>, E> {
    let mut items = SpanProfiles::new(options);
    items.symbols(symbols);
    feed(&mut items)?;
    Ok(items.profiles(options, symbols, totals))
}

/// Tells the items what time to look at, as soon as the trace's clock is known.
struct Windowed<'a> {
    builder: Builder<'a, SpanProfiles>,
    selection: &'a Selection,
    has_begun: bool,
    is_refused: bool,
}

impl Sink for Windowed<'_> {
    fn sync(&mut self, sync: &Sync, generation: Option<&Generation>) {
        if !self.has_begun {
            self.has_begun = true;
            match TimeBounds::resolve(self.selection.from, self.selection.to, sync) {
                Some(bounds) => self.builder.items().window = bounds.since(sync.time),
                None => self.is_refused = true,
            }
        }
        self.builder.sync(sync, generation);
    }

    fn gap(&mut self) {
        self.builder.gap();
    }

    #[inline(always)]
    fn event(&mut self, event: &Event, tables: &Tables) {
        self.builder.event(event, tables);
    }

    fn is_done(&self) -> bool {
        self.is_refused
    }
}

/// A goroutine that lives.
#[derive(Default)]
struct Live {
    is_hidden: bool,
    /// Whether its function was asked for, once that is known.
    is_wanted: Option<bool>,
    /// The function it began with, once that is known.
    function: Option<FunctionId>,
    deferred: Vec<(StateSpan, i64)>,
    /// The last place of its own that is known.
    stack: Option<StackId>,
    /// A running span whose end is not known as a place yet: when, how long, how much of it inside.
    running: Option<Running>,
    inside: Inside,
    /// What it did before it first left something that had begun before the trace.
    early: Option<Vec<Sums>>,
}

#[derive(Clone, Copy)]
struct Running {
    goroutine: Option<FunctionId>,
    value_ns: i64,
    is_early: bool,
}

/// Sums up the spans of a trace.
struct SpanProfiles {
    types: Vec<TraceProfileType>,
    sums: Vec<Sums>,
    selection: Selection,
    window: TimeBounds,
    wanted: Option<Wanted>,
    /// By state: whether its spans change nothing, since no type is about them and there is nothing
    /// to follow from span to span.
    is_skipped: [bool; 8],
    /// By goroutine; `None` for those that have ended.
    live: Vec<Option<Box<Live>>>,
    /// By goroutine, if allocations are asked for: they are told when they are released, maybe after
    /// the goroutine's end. `None` for those that were not asked for.
    allocators: Vec<Option<Option<FunctionId>>>,
    heap_types: Vec<String>,
    heap_type_bytes: Vec<i64>,
    /// By reason.
    classes: Vec<u8>,
    /// Whether functions were asked for.
    wanted_functions: Vec<bool>,
}

impl SpanProfiles {
    fn new(options: &TraceProfileOptions) -> Self {
        SpanProfiles {
            types: options.types.clone(),
            sums: vec![Sums::default(); options.types.len()],
            selection: options.selection.clone(),
            window: TimeBounds::ALL,
            wanted: Wanted::new(options),
            is_skipped: skipped_states(options),
            live: Vec::new(),
            allocators: Vec::new(),
            heap_types: Vec::new(),
            heap_type_bytes: Vec::new(),
            classes: Vec::new(),
            wanted_functions: Vec::new(),
        }
    }

    /// What the sums come to.
    fn profiles(
        mut self,
        options: &TraceProfileOptions,
        symbols: &Symbols,
        totals: &Totals,
    ) -> Vec<Profile> {
        let heap_types = &self.heap_types;
        let profiles = options.types.iter().zip(&mut self.sums).map(|(&kind, sums)| {
            sums.retain(|place, _| {
                let labels = labels_of(place, symbols, heap_types);
                options.labels.iter().all(|(key, pattern)| {
                    labels.iter().any(|(name, value)| name == key && pattern.matches(value))
                })
            });
            build::profile(kind, sums, symbols, heap_types, totals)
        });
        profiles.collect()
    }

    /// Whether goroutines of a function were asked for.
    fn wants(&self, function: Option<FunctionId>) -> bool {
        match function {
            Some(id) => self.wanted_functions[id.index()],
            None => self.selection.has_function(None),
        }
    }

    fn span(&mut self, live: &mut Live, span: &StateSpan) {
        let end_ns = span.start_ns + span.duration_ns;
        // Asked for at once: it is about what was entered and left until now.
        let inside_ns = match (&self.wanted, self.window.clip(span.start_ns, end_ns)) {
            (None, _) => 0,
            (Some(_), Some((start_ns, end_ns))) => live.inside.take(start_ns, end_ns),
            (Some(_), None) => {
                live.inside.take(span.start_ns, end_ns);
                0
            }
        };
        if live.is_wanted.is_none() && span.function.is_none() && live.deferred.len() < MAX_DEFERRED
        {
            live.deferred.push((*span, inside_ns));
            return;
        }
        self.decide(live, span.function);
        self.count(live, span, inside_ns, span.function);
    }

    /// The function of a goroutine is known now, or never will be.
    fn decide(&mut self, live: &mut Live, function: Option<FunctionId>) {
        if live.is_wanted.is_none() {
            live.is_wanted = Some(self.wants(function));
            live.function = function;
            for (span, inside_ns) in std::mem::take(&mut live.deferred) {
                self.count(live, &span, inside_ns, function);
            }
        }
    }

    fn count(
        &mut self,
        live: &mut Live,
        span: &StateSpan,
        inside_ns: i64,
        goroutine: Option<FunctionId>,
    ) {
        // Where it stopped running is where it ran, as far as anything tells.
        if let Some(running) = live.running.take() {
            self.end_running(live, running, span.stack);
        }
        let clipped = self.window.clip(span.start_ns, span.start_ns + span.duration_ns);
        let mut value_ns = clipped.map_or(0, |(start_ns, end_ns)| end_ns - start_ns);
        let is_early = self.wanted.is_some() && inside_ns == 0 && live.early.is_some();
        if self.wanted.is_some() && !is_early {
            value_ns = inside_ns.min(value_ns);
        }
        let own = span.stack.or(live.stack);
        live.stack = own;
        let is_counted = clipped.is_some()
            && live.is_wanted == Some(true)
            && (value_ns > 0 || self.wanted.is_none());
        if !is_counted {
            return;
        }
        if span.state == State::Running {
            live.running = Some(Running { goroutine, value_ns, is_early });
            return;
        }
        let class = span.reason.map_or(0, |reason| self.classes[reason.index()]);
        for index in 0..self.types.len() {
            let Some(place) = place_of(self.types[index], span, class, own, goroutine) else {
                continue;
            };
            let goes_on = span.state == State::SyscallBlocked && span.from == State::Syscall;
            let count = i64::from(!goes_on || self.types[index] == TraceProfileType::Wall);
            let sums = match &mut live.early {
                Some(early) if is_early => &mut early[index],
                _ => &mut self.sums[index],
            };
            add(sums, place, count, value_ns);
        }
    }

    /// A running span whose end is a place, if it is one.
    fn end_running(&mut self, live: &mut Live, running: Running, stack: Option<StackId>) {
        let Running { goroutine, value_ns, is_early } = running;
        let function = if stack.is_none() { goroutine } else { None };
        let state = Some(State::Running);
        let place = Place { stack, function, goroutine, state, ..Place::default() };
        let Some(index) = self.has(TraceProfileType::Wall) else { return };
        match &mut live.early {
            Some(early) if is_early => add(&mut early[index], place, 1, value_ns),
            _ => add(&mut self.sums[index], place, 1, value_ns),
        }
    }

    /// Something that had begun before the trace ends, so all so far was inside it.
    fn keep_early(&mut self, live: &mut Live, end_ns: i64) {
        let Some(early) = &mut live.early else { return };
        live.inside.cover_until(end_ns);
        if let Some(running) = &mut live.running {
            running.is_early = false;
        }
        for (sums, early) in self.sums.iter_mut().zip(early) {
            for (place, sum) in early.drain() {
                add(sums, place, sum.count, sum.value);
            }
        }
    }

    #[inline(always)]
    fn live_mut(&mut self, id: GoroutineId) -> Option<&mut Live> {
        self.live.get_mut(id.index())?.as_deref_mut()
    }

    fn live(&self, id: GoroutineId) -> Option<&Live> {
        self.live.get(id.index())?.as_deref()
    }

    /// Takes a goroutine out, so that it and the sums can be changed at once.
    #[inline(always)]
    fn take(&mut self, id: GoroutineId) -> Option<Box<Live>> {
        self.live.get_mut(id.index())?.take()
    }

    #[inline(always)]
    fn put(&mut self, id: GoroutineId, live: Box<Live>) {
        if id.index() >= self.live.len() {
            self.live.resize_with(id.index() + 1, || None);
        }
        self.live[id.index()] = Some(live);
    }

    fn enter(&mut self, goroutine: Option<GoroutineId>, time_ns: i64) {
        if let Some(live) = goroutine.and_then(|id| self.live_mut(id)) {
            live.inside.enter(time_ns);
        }
    }

    fn leave(&mut self, goroutine: Option<GoroutineId>, time_ns: i64) {
        if let Some(live) = goroutine.and_then(|id| self.live_mut(id)) {
            live.inside.leave(time_ns);
        }
    }

    fn has(&self, kind: TraceProfileType) -> Option<usize> {
        self.types.iter().position(|&one| one == kind)
    }
}

/// The states whose spans need not be looked at. Most are of goroutines that run or could.
fn skipped_states(options: &TraceProfileOptions) -> [bool; 8] {
    use TraceProfileType::*;
    let is_restricted = options.selection.has_goroutines() || Wanted::new(options).is_some();
    let mut is_skipped = [!is_restricted; 8];
    for kind in &options.types {
        let states: &[State] = match kind {
            Net | Sync | Sleep | OffCpu => &[State::Waiting],
            Syscall => &[State::Syscall, State::SyscallBlocked],
            SchedByWaker => &[State::Runnable],
            // They need to know the goroutine, or where it was before.
            Sched | Wall | Cpu | GcAssist | Goroutines | Alloc => return [false; 8],
        };
        for &state in states {
            is_skipped[state as usize] = false;
        }
    }
    is_skipped
}

/// Where a span of a goroutine that does not run counts in a profile, if it does.
fn place_of(
    kind: TraceProfileType,
    span: &StateSpan,
    class: u8,
    own: Option<StackId>,
    goroutine: Option<FunctionId>,
) -> Option<Place> {
    use TraceProfileType::*;
    let is_waiting = span.state == State::Waiting;
    let counts = match kind {
        Net => is_waiting && class & class::NETWORK != 0,
        Sync => is_waiting && class & class::SYNC != 0,
        Sleep => is_waiting && class & class::SLEEP != 0,
        OffCpu => is_waiting,
        Syscall => matches!(span.state, State::Syscall | State::SyscallBlocked),
        Sched | SchedByWaker => span.state == State::Runnable,
        Wall => true,
        Cpu | GcAssist | Goroutines | Alloc => false,
    };
    if !counts {
        return None;
    }
    let stack = if kind == SchedByWaker { span.waker.stack.or(span.stack) } else { own };
    let function = if stack.is_none() { goroutine } else { None };
    let (state, reason) = (Some(span.state), span.reason);
    Some(Place { stack, function, goroutine, state, reason, heap_type: None })
}

impl Items for SpanProfiles {
    fn wants_annotations(&self) -> bool {
        self.wanted.is_some()
    }

    fn symbols(&mut self, symbols: &Symbols) {
        for function in symbols.functions().skip(self.wanted_functions.len()) {
            let name = (!function.name.is_empty()).then_some(&*function.name);
            self.wanted_functions.push(self.selection.has_function(name));
        }
        for reason in symbols.reasons().skip(self.classes.len()) {
            // Go 1.27 cmd/trace/pprof.go, computePprofIO and computePprofBlock.
            let mut class = 0;
            if reason == "network" {
                class |= class::NETWORK;
            }
            if ["chan", "sync", "select"].iter().any(|word| reason.contains(word)) {
                class |= class::SYNC;
            }
            if reason == "sleep" {
                class |= class::SLEEP;
            }
            self.classes.push(class);
        }
    }

    fn goroutine_begins(&mut self, goroutine: &Goroutine) {
        let mut live = Box::new(Live {
            is_hidden: !self.selection.has_goid(goroutine.goid),
            ..Live::default()
        });
        if self.wanted.is_some() && goroutine.existed_before {
            live.early = Some(vec![Sums::default(); self.types.len()]);
        }
        let is_wanted = !live.is_hidden && self.window.contain(goroutine.created_ns);
        if let Some(index) = self.has(TraceProfileType::Goroutines)
            && is_wanted
            && self.wanted.is_none()
            && self.wants(goroutine.function)
        {
            let stack = goroutine.created_by.stack;
            let place = Place { stack, goroutine: goroutine.function, ..Place::default() };
            add(&mut self.sums[index], place, 1, 0);
        }
        self.put(goroutine.id, live);
    }

    #[inline(always)]
    fn state(&mut self, span: &StateSpan) {
        if self.is_skipped[span.state as usize] {
            return;
        }
        let Some(mut live) = self.take(span.goroutine) else { return };
        if !live.is_hidden {
            self.span(&mut live, span);
        }
        self.put(span.goroutine, live);
    }

    fn goroutine(&mut self, goroutine: &Goroutine) {
        let Some(mut live) = self.take(goroutine.id) else { return };
        if !live.is_hidden {
            self.decide(&mut live, goroutine.function);
        }
        if let Some(running) = live.running.take() {
            self.end_running(&mut live, running, None);
        }
        if self.has(TraceProfileType::Alloc).is_some() {
            let index = goroutine.id.index();
            if index >= self.allocators.len() {
                self.allocators.resize(index + 1, None);
            }
            self.allocators[index] = (live.is_wanted == Some(true)).then_some(live.function);
        }
    }

    fn heap_type(&mut self, _: HeapTypeId, data: &TypeData) {
        self.heap_types.push(data.name.clone());
        self.heap_type_bytes.push(i64::try_from(data.size_bytes).unwrap_or(i64::MAX));
    }

    fn memory_block(&mut self, block: &MemoryBlock) {
        let Some(index) = self.has(TraceProfileType::Alloc) else { return };
        let (MemoryKind::Object { ty }, Some(time_ns)) = (block.kind, block.allocated_ns) else {
            return;
        };
        let allocator = match block.goroutine {
            // Without a goroutine it belongs to the whole program only.
            None => (!self.selection.has_goroutines()).then_some(None),
            Some(id) => match self.live(id) {
                Some(live) if live.is_hidden || live.is_wanted == Some(false) => None,
                Some(live) => Some(live.function),
                None => self.allocators.get(id.index()).copied().flatten(),
            },
        };
        let Some(goroutine) = allocator else { return };
        // Where the goroutine was then is not known any more.
        if self.wanted.is_some() || !self.window.contain(time_ns) {
            return;
        }
        let place = Place { function: goroutine, goroutine, heap_type: ty, ..Place::default() };
        // The size of an object whose type is not told is not known.
        let bytes = ty.map_or(0, |ty| self.heap_type_bytes[ty.index()]);
        add(&mut self.sums[index], place, 1, bytes);
    }

    fn region_begins(&mut self, goroutine: GoroutineId, task: u64, name: &str, time_ns: i64) {
        if self.wanted.as_ref().is_some_and(|wanted| wanted.has_region(task, name)) {
            self.enter(Some(goroutine), time_ns);
        }
    }

    fn region(&mut self, region: &Region<'_>) {
        let Some(wanted) = &self.wanted else { return };
        if !wanted.has_region(region.task, region.name) {
            return;
        }
        let Some(end_ns) = region.end_ns else { return };
        if region.start_ns.is_some() {
            self.leave(Some(region.goroutine), end_ns);
        } else if let Some(mut live) = self.take(region.goroutine) {
            self.keep_early(&mut live, end_ns);
            self.put(region.goroutine, live);
        }
    }

    fn task_begins(&mut self, task: &Task) {
        if self.wanted.as_mut().is_some_and(|wanted| wanted.begin_task(task)) {
            self.enter(task.goroutine, task.start_ns.unwrap_or(0));
        }
    }

    fn task(&mut self, task: &Task) {
        let creator = self.wanted.as_mut().and_then(|wanted| wanted.end_task(task));
        if let (Some(_), Some(end_ns)) = (creator, task.end_ns) {
            self.leave(creator, end_ns);
        }
    }

    fn sample(&mut self, sample: &Sample) {
        let Some(index) = self.has(TraceProfileType::Cpu) else { return };
        let live = sample.goroutine.and_then(|id| self.live(id));
        let is_wanted = match live {
            Some(live) => {
                !live.is_hidden && live.is_wanted.unwrap_or(self.selection.functions.is_empty())
            }
            None => !self.selection.has_goroutines(),
        };
        let is_inside = self.wanted.is_none() || live.is_some_and(|live| live.inside.is_open());
        if is_wanted && is_inside && self.window.contain(sample.time_ns) {
            let goroutine = live.and_then(|live| live.function);
            let place = Place { stack: sample.stack, goroutine, ..Place::default() };
            add(&mut self.sums[index], place, 1, CPU_PERIOD_NS);
        }
    }

    fn range(&mut self, range: &Range, _: &Symbols) {
        let Some(index) = self.has(TraceProfileType::GcAssist) else { return };
        let live = range.goroutine.and_then(|id| self.live(id));
        let Some(live) = live.filter(|_| range.kind == RangeKind::MarkAssist) else { return };
        let is_wanted =
            !live.is_hidden && live.is_wanted.unwrap_or(self.selection.functions.is_empty());
        let is_inside = self.wanted.is_none() || live.inside.is_open();
        let clipped = self.window.clip(range.start_ns, range.start_ns + range.duration_ns);
        if let (true, true, Some((start_ns, end_ns))) = (is_wanted, is_inside, clipped) {
            let (stack, goroutine) = (range.stack, live.function);
            let place = Place { stack, goroutine, ..Place::default() };
            add(&mut self.sums[index], place, 1, end_ns - start_ns);
        }
    }

    fn proc_span(&mut self, _: &ProcSpan) {}

    fn proc(&mut self, _: ProcRow, _: &Proc) {}

    fn thread(&mut self, _: ThreadRow, _: &Thread) {}

    fn gc_cycle(&mut self, _: &GcCycle) {}

    fn metric(&mut self, _: &Metric) {}

    fn log(&mut self, _: &Log<'_>) {}

    fn label(&mut self, _: &Label<'_>) {}

    fn generation(&mut self, _: &GenerationSpan) {}
}
