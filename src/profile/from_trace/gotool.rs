//! The profiles of `go tool trace -pprof=TYPE`, sample by sample.
//!
//! A sample is from the first transition into the state to the next one out of it, and counts as much of it
//! as overlaps with the goroutine's life from its first run to its end, or with regions. What is still open
//! at the end is left out, as is what lies wholly before the goroutine's first run. The stack is that of the
//! execution context that emitted the transition: for a wake-up, the waker's. Stacks with the same program
//! counters are one.
//!
//! Source: Go 1.27 `cmd/trace/pprof.go`, `internal/trace/traceviewer/pprof.go` (BuildProfile) and
//! `internal/trace/summary.go`.

use super::{TraceProfileOptions, TraceProfileType};
use crate::diagnostic::Diagnostics;
use crate::model::{FunctionId, StackId, Symbols, Translation};
use crate::order::{Event, GoState, Sink, Sync, TraceReader, TransitionOf};
use crate::profile::{Builder, Frame, LabelSet, Profile};
use crate::wire::v2::{EventType, Generation, Tables};
use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// Frames of a stack that count (pprofMaxStack).
const MAX_FRAMES: usize = 128;

/// The profiles that Go has, as bits.
fn bit(kind: TraceProfileType) -> u8 {
    match kind {
        TraceProfileType::Net => 1,
        TraceProfileType::Sync => 2,
        TraceProfileType::Syscall => 4,
        TraceProfileType::Sched => 8,
        _ => 0,
    }
}

/// Reads a trace. The types are Go's.
pub fn read(reader: TraceReader, options: &TraceProfileOptions) -> (Vec<Profile>, Diagnostics) {
    let mut tracker = Tracker::new(options);
    let outcome = reader.read(&mut tracker);
    tracker.end();
    let profiles =
        options.types.iter().map(|&kind| tracker.profile(bit(kind))).collect::<Vec<Profile>>();
    (profiles, outcome.diagnostics)
}

/// Samples by profile and stack.
type Sums = FxHashMap<(u8, Option<StackId>), Sum>;

/// Samples of one stack in one profile.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    count: i64,
    ns: i64,
    /// When the last one came: of stacks that count as one, Go shows the last.
    last: i64,
}

/// A state that is being measured.
#[derive(Clone, Copy)]
struct Tracked {
    state: GoState,
    profiles: u8,
    since: i64,
    stack: Option<StackId>,
}

/// A goroutine that lives.
struct Live {
    goid: i64,
    /// Whether it was asked for; known with its name.
    is_wanted: Option<bool>,
    has_run: bool,
    existed_before: bool,
    /// Whether its number may be used again, for another call from C.
    is_reusable: bool,
    tracked: Option<Tracked>,
    /// What cannot be counted yet: it has not run, or its name is not known, or its number may come
    /// again.
    held: Sums,
    /// Open regions, innermost last: whether each is asked for.
    regions: Vec<bool>,
    /// How many of the open regions are asked for.
    inside: u32,
    /// What lay outside of regions so far; `None` once a region ended that began before the trace.
    outside: Option<Sums>,
}

/// What is held of a number that may be used again.
#[derive(Default)]
struct Reusable {
    /// Of the lives before the last.
    earlier: Sums,
    last: Sums,
    has_run: bool,
    is_wanted: bool,
}

struct Tracker<'a> {
    options: &'a TraceProfileOptions,
    profiles: u8,
    symbols: Symbols,
    translation: Translation,
    live: Vec<Option<Box<Live>>>,
    reusable: FxHashMap<i64, Reusable>,
    sums: Sums,
    /// Whether goroutines of a function were asked for.
    wanted_functions: Vec<bool>,
    /// The profiles of waiting for a reason, by string number of the generation.
    reasons: FxHashMap<u64, u8>,
}

fn merge(into: &mut Sums, from: Sums) {
    for (key, one) in from {
        let sum = into.entry(key).or_default();
        sum.count += one.count;
        sum.ns += one.ns;
        sum.last = sum.last.max(one.last);
    }
}

fn add(sums: &mut Sums, tracked: &Tracked, ns: i64) {
    let mut profiles = tracked.profiles;
    while profiles != 0 {
        let one = profiles & profiles.wrapping_neg();
        profiles ^= one;
        let sum = sums.entry((one, tracked.stack)).or_default();
        sum.count += 1;
        sum.ns += ns;
        sum.last = tracked.since + ns;
    }
}

impl<'a> Tracker<'a> {
    fn new(options: &'a TraceProfileOptions) -> Self {
        Tracker {
            options,
            profiles: options.types.iter().fold(0, |all, &kind| all | bit(kind)),
            symbols: Symbols::default(),
            translation: Translation::default(),
            live: Vec::new(),
            reusable: FxHashMap::default(),
            sums: Sums::default(),
            wanted_functions: Vec::new(),
            reasons: FxHashMap::default(),
        }
    }

    /// The profiles that count waiting for a reason (computePprofIO, computePprofBlock).
    fn waiting_profiles(&mut self, reason: u64, tables: &Tables) -> u8 {
        let profiles = self.profiles;
        *self.reasons.entry(reason).or_insert_with(|| {
            let text = String::from_utf8_lossy(tables.string(reason).unwrap_or(b""));
            let is_sync = ["chan", "sync", "select"].iter().any(|word| text.contains(word));
            let net = if text == "network" { bit(TraceProfileType::Net) } else { 0 };
            let sync = if is_sync { bit(TraceProfileType::Sync) } else { 0 };
            (net | sync) & profiles
        })
    }

    fn appear(&mut self, event: &Event, goid: i64, slot: usize, from: GoState) {
        if slot >= self.live.len() {
            self.live.resize_with(slot + 1, || None);
        }
        if let Some(live) = self.live[slot].take() {
            self.finish(*live);
        }
        let existed_before = from == GoState::Undetermined;
        let has_outside = existed_before && self.options.region.is_some();
        self.live[slot] = Some(Box::new(Live {
            goid,
            is_wanted: None,
            has_run: false,
            existed_before,
            is_reusable: event.kind == EventType::GoCreateSyscall,
            tracked: None,
            held: Sums::default(),
            regions: Vec::new(),
            inside: 0,
            outside: has_outside.then(Sums::default),
        }));
    }

    /// Whether a goroutine of this function and number was asked for.
    fn wants(&self, goid: i64, function: Option<FunctionId>) -> bool {
        let selection = &self.options.selection;
        let has_function = match function {
            Some(id) => self.wanted_functions[id.index()],
            None => selection.has_function(Some("")),
        };
        has_function && selection.has_goid(goid)
    }

    #[inline(always)]
    fn transition(
        &mut self,
        event: &Event,
        tables: &Tables,
        (goid, slot, from, to): (i64, u32, GoState, GoState),
    ) {
        let slot = slot as usize;
        let is_new = from == GoState::NotExist
            || (from == GoState::Undetermined
                && self
                    .live
                    .get(slot)
                    .is_none_or(|live| live.as_ref().is_none_or(|live| live.goid != goid)));
        if is_new {
            self.appear(event, goid, slot, from);
        }
        let Some(mut live) = self.live.get_mut(slot).and_then(Option::take) else { return };
        if let Some(tracked) = live.tracked
            && tracked.state != to
        {
            live.tracked = None;
            self.sample(&mut live, &tracked, event.time - tracked.since);
        }
        if live.is_wanted.is_none() {
            let stack = self.translation.stack(event.transition_stack(), tables);
            let name = stack.and_then(|stack| self.symbols.root(stack));
            if let Some(name) = name.filter(|&name| self.symbols.is_named(name)) {
                self.name(&mut live, Some(name));
            }
        }
        if to == GoState::Running && !live.has_run {
            // What was before its first run does not overlap with its life as Go sees it.
            live.has_run = true;
            live.held.clear();
        }
        if to == GoState::NotExist {
            self.finish(*live);
            return;
        }
        let profiles = match to {
            GoState::Waiting => self.waiting_profiles(event.reason(), tables),
            GoState::Syscall => bit(TraceProfileType::Syscall) & self.profiles,
            GoState::Runnable => bit(TraceProfileType::Sched) & self.profiles,
            _ => 0,
        };
        if profiles != 0 && live.tracked.is_none() {
            let stack = self.translation.stack(event.stack(), tables);
            live.tracked = Some(Tracked { state: to, profiles, since: event.time, stack });
        }
        self.live[slot] = Some(live);
    }

    #[inline(always)]
    fn sample(&mut self, live: &mut Live, tracked: &Tracked, ns: i64) {
        if ns <= 0 || live.is_wanted == Some(false) {
            return;
        }
        if self.options.region.is_some() {
            // Regions are entered and left while running, so a sample is inside or outside. Their
            // intervals count wherever the goroutine's life begins.
            if live.inside == 0 {
                if let Some(outside) = &mut live.outside {
                    add(outside, tracked, ns);
                }
                return;
            }
        } else if !live.has_run {
            return add(&mut live.held, tracked, ns);
        }
        if live.is_wanted.is_none() || live.is_reusable {
            add(&mut live.held, tracked, ns);
        } else {
            add(&mut self.sums, tracked, ns);
        }
    }

    /// A goroutine's name is known now, or never will be.
    fn name(&mut self, live: &mut Live, function: Option<FunctionId>) {
        let is_wanted = self.wants(live.goid, function);
        live.is_wanted = Some(is_wanted);
        if !is_wanted {
            live.held.clear();
        } else if (live.has_run || self.options.region.is_some()) && !live.is_reusable {
            merge(&mut self.sums, std::mem::take(&mut live.held));
        }
    }

    fn finish(&mut self, mut live: Live) {
        if live.is_wanted.is_none() {
            self.name(&mut live, None);
        }
        if !live.is_reusable {
            return merge(&mut self.sums, live.held);
        }
        // Of goroutines with one number, the summary knows the last.
        let known = self.reusable.entry(live.goid).or_default();
        let last = std::mem::replace(&mut known.last, live.held);
        merge(&mut known.earlier, last);
        known.has_run = live.has_run;
        known.is_wanted = live.is_wanted == Some(true);
    }

    /// The trace ends.
    fn end(&mut self) {
        for live in std::mem::take(&mut self.live).into_iter().flatten() {
            self.finish(*live);
        }
        for (_, one) in std::mem::take(&mut self.reusable) {
            if one.is_wanted {
                merge(&mut self.sums, one.last);
                // The life of one that never ran begins at time 0, before all others.
                if !one.has_run {
                    merge(&mut self.sums, one.earlier);
                }
            }
        }
    }

    fn begin_region(&mut self, event: &Event, tables: &Tables) {
        let Some(wanted) = &self.options.region else { return };
        let name = String::from_utf8_lossy(tables.string(event.args[1]).unwrap_or(b""));
        let is_wanted = wanted.matches(&name);
        if let Some(Some(live)) = self.live.get_mut(event.slot as usize) {
            live.regions.push(is_wanted);
            live.inside += u32::from(is_wanted);
        }
    }

    fn end_region(&mut self, event: &Event, tables: &Tables) {
        let Some(wanted) = &self.options.region else { return };
        let Some(Some(live)) = self.live.get_mut(event.slot as usize) else { return };
        match live.regions.pop() {
            Some(was_wanted) => live.inside -= u32::from(was_wanted),
            None if live.existed_before => {
                // It began before the trace. Of several of these, Go takes the one that ends first
                // to cover the others (pprofMatchingRegions).
                let name = String::from_utf8_lossy(tables.string(event.args[1]).unwrap_or(b""));
                if wanted.matches(&name)
                    && let Some(outside) = live.outside.take()
                {
                    let into = match live.is_wanted {
                        Some(true) => &mut self.sums,
                        _ => &mut live.held,
                    };
                    merge(into, outside);
                }
            }
            None => {}
        }
    }

    /// The profile as BuildProfile makes it: one location for each program counter.
    fn profile(&self, bit: u8) -> Profile {
        let mut samples: Vec<(Option<StackId>, Sum)> = self
            .sums
            .iter()
            .filter(|(key, _)| key.0 == bit)
            .map(|(key, sum)| (key.1, *sum))
            .collect();
        samples.sort_unstable_by_key(|sample| sample.0);
        // Stacks with equal program counters are one. They are compared as arrays of a fixed length
        // that are filled up with zeros, so a counter of 0 at the end is as none (pcsForStack).
        let mut by_pcs: IndexMap<Vec<u64>, (&[u32], Sum), FxBuildHasher> = IndexMap::default();
        for (stack, one) in samples {
            let frames = stack.map_or(&[] as &[u32], |stack| self.symbols.stack_frames(stack));
            let frames = &frames[..frames.len().min(MAX_FRAMES)];
            let mut pcs: Vec<u64> =
                frames.iter().map(|&frame| self.symbols.frame_data(frame).pc).collect();
            while pcs.pop_if(|pc| *pc == 0).is_some() {}
            let (shown, sum) = by_pcs.entry(pcs).or_insert((frames, Sum::default()));
            if one.last > sum.last {
                (*shown, sum.last) = (frames, one.last);
            }
            sum.count += one.count;
            sum.ns += one.ns;
        }
        let mut builder = Builder::new(&[("contentions", "count"), ("delay", "nanoseconds")]);
        builder.period("trace", "count", 1);
        let mut locations: FxHashMap<u64, u32> = FxHashMap::default();
        for (frames, sum) in by_pcs.into_values() {
            let stack: Vec<u32> = frames
                .iter()
                .map(|&frame| {
                    let data = self.symbols.frame_data(frame);
                    *locations.entry(data.pc).or_insert_with(|| {
                        let function = self.symbols.function_data(data.function);
                        builder.frame(&Frame {
                            function: &function.name,
                            file: &function.file,
                            line: i64::try_from(data.line).unwrap_or(0),
                            pc: data.pc,
                        })
                    })
                })
                .collect();
            builder.add(&stack, LabelSet::EMPTY, &[sum.count, sum.ns]);
        }
        builder.finish()
    }
}

impl Sink for Tracker<'_> {
    fn sync(&mut self, _: &Sync, generation: Option<&Generation>) {
        let Some(generation) = generation else { return };
        self.translation = Translation::new(&generation.tables, &mut self.symbols);
        self.reasons.clear();
        let selection = &self.options.selection;
        for function in self.symbols.functions().skip(self.wanted_functions.len()) {
            self.wanted_functions.push(selection.has_function(Some(&function.name)));
        }
    }

    fn gap(&mut self) {
        // Go reads no further than this; what goes on behind it has no beginning.
        for live in self.live.iter_mut().flatten() {
            live.tracked = None;
        }
    }

    #[inline(always)]
    fn event(&mut self, event: &Event, tables: &Tables) {
        match event.kind {
            EventType::UserRegionBegin => self.begin_region(event, tables),
            EventType::UserRegionEnd => self.end_region(event, tables),
            _ => {
                if let Some(TransitionOf::Goroutine(goid, slot, from, to)) = event.transition()
                    && from != to
                {
                    self.transition(event, tables, (goid, slot, from, to));
                }
            }
        }
    }
}
