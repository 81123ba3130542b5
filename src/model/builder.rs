//! The pass over the ordered events.

use super::annotations::{self, Tasks};
use super::gc::{GcCycles, Work};
use super::goroutines::{Live, OpenRange, OpenRegion, OpenSpan, Table};
use super::ids::*;
use super::items::*;
use super::memory::{Memory, Space, Told};
use super::procs::{Procs, Threads};
use super::symbols::{Symbols, Translation};
use crate::order::{Event, GoSlot, GoState, NO_SLOT, NONE, ProcState, Sink, Sync, TransitionOf};
use crate::wire::v2::spec::ALL;
use crate::wire::v2::{EventType, Generation, Tables};

/// In v1 traces, what timers, the network poller and system calls do is on procs with numbers above
/// this, which are none (Go 1.27 internal/trace/internal/tracev1/parser.go, FakeP).
const FIRST_PSEUDO_PROC: i64 = 1_000_000;

/// Builds model items out of the ordered events of one trace.
pub struct Builder<'a, I: Items> {
    items: &'a mut I,
    symbols: &'a mut Symbols,
    translation: Translation,
    goroutines: Table,
    procs: Procs,
    threads: Threads,
    tasks: Tasks,
    gc: GcCycles,
    memory: Memory,
    event_counts: Box<[u64; 256]>,
    mark: Option<OpenRange>,
    /// Pauses under way; the runtime allows one at a time.
    pauses: Vec<(ReasonId, OpenRange)>,
    generation: Option<GenerationSpan>,
    totals: Totals,
    has_begun: bool,
    is_after_gap: bool,
    /// Time of the last synchronisation point, since the start of the trace.
    sync_ns: i64,
    /// Time of the last event, since the start of the trace.
    last_ns: i64,
}

impl<'a, I: Items> Builder<'a, I> {
    /// A builder for one trace. `symbols` may hold those of other traces already.
    pub fn new(items: &'a mut I, symbols: &'a mut Symbols) -> Self {
        Builder {
            items,
            symbols,
            translation: Translation::default(),
            goroutines: Table::default(),
            procs: Procs::default(),
            threads: Threads::default(),
            tasks: Tasks::default(),
            gc: GcCycles::default(),
            memory: Memory::default(),
            event_counts: Box::new([0; 256]),
            mark: None,
            pauses: Vec::new(),
            generation: None,
            totals: Totals::default(),
            has_begun: false,
            is_after_gap: false,
            sync_ns: 0,
            last_ns: 0,
        }
    }

    /// What is known about the whole trace, after its last synchronisation point.
    pub fn totals(&self) -> Totals {
        Totals { goroutines: self.goroutines.created() as u64, ..self.totals }
    }

    /// Where the items go.
    pub fn items(&mut self) -> &mut I {
        self.items
    }

    /// Nanoseconds since the start of the trace.
    #[inline(always)]
    fn since_start(&self, time: i64) -> i64 {
        time.wrapping_sub(self.totals.start_clock_ns)
    }

    #[inline(always)]
    fn goroutine_event(
        &mut self,
        event: &Event,
        tables: &Tables,
        of: (i64, GoSlot, GoState, GoState),
        time_ns: i64,
        thread: Option<ThreadRow>,
    ) {
        let (goid, slot, from, to) = of;
        let mut proc = if event.proc < FIRST_PSEUDO_PROC { event.proc } else { NONE };
        if to == GoState::Syscall
            && event.kind == EventType::GoStatus
            && event.args[1] as i64 == NONE
        {
            // v1 traces do not say where the system call is; the proc is the one that wrote the
            // event. The goroutine has none, or it would be another event.
            proc = NONE;
        }
        if from == to {
            // A status at the start of a generation that tells nothing new.
            return;
        }
        let stack = self.translation.stack(event.transition_stack(), tables);
        let mut next = OpenSpan {
            state: State::from(to),
            from: State::from(from),
            start_ns: time_ns,
            open_start: false,
            reason: None,
            stack,
            proc,
            thread,
            waker: Waker::default(),
        };
        // A v1 trace tells the state of the goroutine of a C thread right after it was created, as
        // if nothing were known of it.
        let is_known = from == GoState::Undetermined
            && self.goroutines.get(slot).is_some_and(|live| live.sums.goid == goid);
        match from {
            GoState::Undetermined => {
                if !is_known {
                    next.open_start = true;
                    next.start_ns = self.sync_ns;
                }
                if to == GoState::Syscall && proc == NONE {
                    next.state = State::SyscallBlocked;
                }
            }
            GoState::NotExist | GoState::Waiting => {
                if matches!(to, GoState::Runnable | GoState::Waiting) {
                    next.waker = Waker {
                        goroutine: self.goroutines.id(event.slot),
                        stack: self.translation.stack(event.stack(), tables),
                    };
                }
            }
            _ => {}
        }
        if matches!(event.kind, EventType::GoBlock | EventType::GoStop) {
            next.reason = Some(self.reason(event.reason(), tables));
        } else if to == GoState::Waiting {
            // Created waiting, or waiting when the trace began: no reason is told.
            next.reason = Some(self.reason(0, tables));
        }
        match from {
            GoState::Undetermined | GoState::NotExist if !is_known => self.appear(goid, slot, next),
            _ => self.change(slot, to, next, time_ns),
        }
        if to == GoState::NotExist {
            if let Some(live) = self.goroutines.take(slot) {
                self.finish(live, Some(time_ns));
            }
            return;
        }
        let Some(live) = self.goroutines.get(slot) else { return };
        if live.sums.function.is_none()
            && let Some(stack) = stack
        {
            // Frames of C code may have no name; a later stack may know more.
            live.sums.function = self.symbols.root(stack).filter(|&id| self.symbols.is_named(id));
        }
        if to == GoState::Running && live.sums.started_ns.is_none() {
            live.sums.started_ns = Some(time_ns);
        }
        if to == GoState::Syscall && proc != NONE {
            let row = self.procs.row(proc, time_ns);
            self.procs.get(row).syscalling = slot;
        }
    }

    /// The reason with a string number, of which the items are told if it is new.
    #[inline(always)]
    fn reason(&mut self, number: u64, tables: &Tables) -> ReasonId {
        let known = self.symbols.reason_count();
        let reason = self.translation.reason(number, tables, self.symbols);
        if self.symbols.reason_count() != known {
            self.items.symbols(self.symbols);
        }
        reason
    }

    /// A goroutine is there that was not before.
    #[inline(never)]
    fn appear(&mut self, goid: i64, slot: GoSlot, span: OpenSpan) {
        if span.open_start
            && let Some(mut live) = self.goroutines.before_gap.remove(&goid)
        {
            live.span = span;
            self.goroutines.put(slot, live);
            return;
        }
        let id = self.goroutines.next_id();
        let mut live = Box::new(Live::new(id, goid, span, span.waker));
        let root = span.stack.and_then(|stack| self.symbols.root(stack));
        live.sums.function = root.filter(|&id| self.symbols.is_named(id));
        self.items.goroutine_begins(&live.sums);
        // Only in a damaged trace: the end of the one that had the slot is missing.
        if let Some(mut stale) = self.goroutines.put(slot, live) {
            let span = stale.close(self.last_ns, true);
            self.end_of_span(&span, stale.worker.take(), slot);
            self.items.state(&span);
            self.finish(stale, None);
        }
    }

    /// A goroutine changes its state.
    #[inline(always)]
    fn change(&mut self, slot: GoSlot, to: GoState, mut next: OpenSpan, time_ns: i64) {
        let Some(live) = self.goroutines.get(slot) else { return };
        if to == GoState::Runnable && live.span.state == State::Waiting {
            live.span.waker = next.waker;
        }
        let span = live.close(time_ns, false);
        let worker = live.worker.take();
        // Where something is missing, the event may not say the state that is known.
        if span.state != State::SyscallBlocked {
            next.from = span.state;
        }
        live.begin(next);
        self.end_of_span(&span, worker, slot);
        self.items.state(&span);
    }

    /// What else depends on a span that ends.
    #[inline(always)]
    fn end_of_span(&mut self, span: &StateSpan, worker: Option<(WorkerKind, i64)>, slot: GoSlot) {
        match span.state {
            State::Running => {
                if span.proc != NONE {
                    let row = self.procs.row(span.proc, span.start_ns);
                    self.procs.get(row).sums.goroutine_ns += span.duration_ns;
                }
                if let Some(thread) = span.thread {
                    self.threads.get(thread).running_ns += span.duration_ns;
                }
                if let Some((kind, since)) = worker {
                    let work = match kind {
                        WorkerKind::Dedicated | WorkerKind::Fractional => Work::Background,
                        WorkerKind::Idle => Work::Idle,
                    };
                    let duration_ns = span.start_ns + span.duration_ns - since;
                    self.gc.add_work(work, duration_ns);
                    self.items.gc_worker(&WorkerSpan {
                        kind,
                        goroutine: span.goroutine,
                        proc: span.proc,
                        start_ns: since,
                        duration_ns,
                    });
                }
            }
            State::Syscall | State::SyscallBlocked => {
                if let Some(thread) = span.thread {
                    self.threads.get(thread).syscall_ns += span.duration_ns;
                }
                if span.state == State::Syscall && span.proc != NONE {
                    let row = self.procs.row(span.proc, span.start_ns);
                    let proc = self.procs.get(row);
                    proc.sums.syscall_ns += span.duration_ns;
                    if proc.syscalling == slot {
                        proc.syscalling = NO_SLOT;
                    }
                }
            }
            _ => {}
        }
    }

    /// A goroutine is complete.
    fn finish(&mut self, mut live: Box<Live>, ended_ns: Option<i64>) {
        live.sums.ended_ns = ended_ns;
        let until = ended_ns.unwrap_or(self.last_ns);
        if let Some(assist) = live.assist.take() {
            live.sums.mark_assist_ns += until - assist.start_ns;
            self.end_range(RangeKind::MarkAssist, assist, until, ended_ns.is_none(), None);
        }
        annotations::leave_regions(&mut live, self.items);
        self.items.goroutine(&live.sums);
    }

    fn proc_event(
        &mut self,
        event: &Event,
        proc: i64,
        from: ProcState,
        to: ProcState,
        time_ns: i64,
        thread: Option<ThreadRow>,
    ) {
        let row = self.procs.row(proc, time_ns);
        if from != to && to == ProcState::Idle {
            self.lose_proc(row, time_ns);
        }
        let is_running = to == ProcState::Running;
        let live = self.procs.get(row);
        match event.kind {
            EventType::ProcStart => live.sums.starts += 1,
            EventType::ProcSteal if from == ProcState::Running => live.sums.steals += 1,
            _ => {}
        }
        if let Some(span) = &live.span
            && span.is_running == is_running
        {
            return;
        }
        let is_known = matches!(from, ProcState::Running | ProcState::Idle);
        let is_new = live.span.is_none();
        let is_open = from == ProcState::Undetermined || (is_known && is_new);
        let start_ns = if is_open { self.sync_ns } else { time_ns };
        // Known before a gap, and not to the generation behind it: it may have been there all along.
        let open_start = is_open || (is_new && live.is_behind_gap);
        let next = ProcSpan {
            proc: row,
            start_ns,
            duration_ns: 0,
            is_running,
            open_start,
            open_end: false,
            thread: if is_running { thread } else { None },
        };
        if let Some(span) = live.span.replace(next) {
            self.end_proc_span(span, time_ns, false);
        }
    }

    fn end_proc_span(&mut self, mut span: ProcSpan, time_ns: i64, open_end: bool) {
        span.duration_ns = time_ns - span.start_ns;
        span.open_end = open_end;
        let sums = &mut self.procs.get(span.proc).sums;
        if span.is_running {
            sums.running_ns += span.duration_ns;
        } else {
            sums.idle_ns += span.duration_ns;
        }
        self.items.proc_span(&span);
    }

    /// A proc is taken from a goroutine in a system call: from here on the call counts as blocked
    /// (Go 1.27 internal/trace/summary.go, ResourceProc).
    fn lose_proc(&mut self, row: ProcRow, time_ns: i64) {
        let slot = std::mem::replace(&mut self.procs.get(row).syscalling, NO_SLOT);
        let Some(live) = self.goroutines.get(slot) else { return };
        if live.span.state != State::Syscall {
            return;
        }
        let span = live.close(time_ns, false);
        live.span = OpenSpan {
            state: State::SyscallBlocked,
            from: State::Syscall,
            start_ns: time_ns,
            open_start: false,
            ..live.span
        };
        self.end_of_span(&span, None, NO_SLOT);
        self.items.state(&span);
    }

    #[inline(never)]
    fn range_event(&mut self, event: &Event, tables: &Tables, time_ns: i64) {
        use EventType::*;
        let stack = self.translation.stack(event.stack(), tables);
        let mut open = OpenRange {
            start_ns: time_ns,
            open_start: false,
            stack,
            goroutine: self.goroutines.id(event.slot),
            slot: event.slot,
            proc: event.proc,
        };
        match event.kind {
            GCActive | GCSweepActive | GCMarkAssistActive => {
                (open.start_ns, open.open_start) = (self.sync_ns, true);
            }
            _ => {}
        }
        match event.kind {
            GCBegin => {
                self.mark = Some(open);
                let unfinished = self.gc.mark_begin(time_ns, false, open.goroutine, stack);
                self.emit_cycle(unfinished);
            }
            GCActive if self.mark.is_none() => {
                self.mark = Some(open);
                let unfinished = self.gc.mark_begin(open.start_ns, true, None, None);
                self.emit_cycle(unfinished);
            }
            GCEnd => {
                if let Some(mark) = self.mark.take() {
                    self.end_range(RangeKind::Mark, mark, time_ns, false, None);
                }
                let cycle = self.gc.mark_end(time_ns);
                self.emit_cycle(cycle);
            }
            GCSweepBegin => {
                let row = self.procs.row(event.proc, time_ns);
                self.procs.get(row).sweep = Some(open);
            }
            GCSweepActive => {
                open.proc = event.args[0] as i64;
                let row = self.procs.row(open.proc, time_ns);
                let sweep = &mut self.procs.get(row).sweep;
                sweep.get_or_insert(open);
            }
            GCSweepEnd => {
                let row = self.procs.row(event.proc, time_ns);
                if let Some(sweep) = self.procs.get(row).sweep.take() {
                    // A sweep belongs to a proc; it is a goroutine's only if that one saw both
                    // ends (Go 1.27 internal/trace/summary.go, EventRangeEnd).
                    if sweep.goroutine == open.goroutine
                        && let Some(live) = self.goroutines.get(event.slot)
                    {
                        live.sums.sweep_ns += time_ns - sweep.start_ns;
                    }
                    let swept = Some((event.args[0], event.args[1]));
                    self.end_range(RangeKind::Sweep, sweep, time_ns, false, swept);
                }
            }
            GCMarkAssistBegin | GCMarkAssistActive => {
                let slot = if event.kind == GCMarkAssistBegin { event.slot } else { event.subject };
                open.goroutine = self.goroutines.id(slot);
                open.slot = slot;
                if event.kind == GCMarkAssistActive {
                    open.proc = NONE;
                }
                if let Some(live) = self.goroutines.get(slot) {
                    live.assist.get_or_insert(open);
                }
            }
            GCMarkAssistEnd => {
                let Some(live) = self.goroutines.get(event.slot) else { return };
                let Some(assist) = live.assist.take() else { return };
                live.sums.mark_assist_ns += time_ns - assist.start_ns;
                self.gc.add_work(Work::Assist, time_ns - assist.start_ns);
                self.end_range(RangeKind::MarkAssist, assist, time_ns, false, None);
            }
            STWBegin => {
                let kind = self.reason(event.args[0], tables);
                self.gc.stop(text(tables.string(event.args[0])).as_ref(), time_ns);
                self.pauses.push((kind, open));
            }
            STWEnd => {
                let found = self.pauses.iter().rposition(|pause| pause.1.slot == event.slot);
                let Some(found) = found else { return };
                let (kind, pause) = self.pauses.remove(found);
                if let Some(live) = self.goroutines.get(event.slot) {
                    live.sums.stop_the_world_ns += time_ns - pause.start_ns;
                }
                self.end_range(RangeKind::StopTheWorld(kind), pause, time_ns, false, None);
                let cycle = self.gc.start(self.symbols.reason_name(kind), time_ns);
                self.emit_cycle(cycle);
            }
            _ => {}
        }
    }

    fn end_range(
        &mut self,
        kind: RangeKind,
        open: OpenRange,
        time_ns: i64,
        open_end: bool,
        swept: Option<(u64, u64)>,
    ) {
        let range = Range {
            kind,
            goroutine: open.goroutine,
            proc: open.proc,
            start_ns: open.start_ns,
            duration_ns: time_ns - open.start_ns,
            open_start: open.open_start,
            open_end,
            stack: open.stack,
            swept,
        };
        self.items.range(&range, self.symbols);
    }

    fn emit_cycle(&mut self, cycle: Option<GcCycle>) {
        if let Some(cycle) = cycle {
            self.items.gc_cycle(&cycle);
        }
    }

    #[inline(never)]
    fn annotation(&mut self, event: &Event, tables: &Tables, time_ns: i64) {
        use EventType::*;
        let stack = self.translation.stack(event.stack(), tables);
        let goroutine = self.goroutines.id(event.slot);
        let args = &event.args;
        match event.kind {
            UserTaskBegin => {
                let task = Task {
                    task: args[0],
                    parent: annotations::parent(args[1]),
                    name: Some(text(tables.string(args[2])).into_owned()),
                    start_ns: Some(time_ns),
                    end_ns: None,
                    goroutine,
                    end_goroutine: None,
                    stack,
                };
                self.items.task_begins(&task);
                if let Some(task) = self.tasks.begin(task) {
                    self.items.task(&task);
                }
            }
            UserTaskEnd => {
                if let Some(task) = self.tasks.end(args[0], time_ns, goroutine) {
                    self.items.task(&task);
                }
            }
            UserRegionBegin => {
                if let Some(live) = self.goroutines.get(event.slot) {
                    let (task, name) = (args[0], text(tables.string(args[1])));
                    self.items.region_begins(live.sums.id, task, &name, time_ns);
                    let name = name.into();
                    live.regions.push(OpenRegion { task, name, start_ns: time_ns, stack });
                }
            }
            UserRegionEnd => {
                let name = text(tables.string(args[1]));
                if let Some(live) = self.goroutines.get(event.slot) {
                    annotations::end_region(live, args[0], &name, time_ns, stack, self.items);
                }
            }
            UserLog => self.items.log(&Log {
                time_ns,
                goroutine,
                task: args[0],
                category: &text(tables.string(args[1])),
                message: &text(tables.string(args[2])),
                stack,
            }),
            GoLabel => {
                let label = text(tables.string(args[0]));
                let Some(live) = self.goroutines.get(event.slot) else { return };
                live.worker = match &*label {
                    "GC (dedicated)" => Some((WorkerKind::Dedicated, time_ns)),
                    "GC (idle)" => Some((WorkerKind::Idle, time_ns)),
                    label if label.starts_with("GC (") => Some((WorkerKind::Fractional, time_ns)),
                    _ => None,
                };
                let goroutine = live.sums.id;
                self.items.label(&Label { time_ns, goroutine, label: &label });
            }
            _ => {}
        }
    }

    /// An event of the AllocFree experiment.
    #[inline(never)]
    fn memory_event(&mut self, event: &Event, time_ns: i64) {
        use EventType::*;
        let space = match event.kind {
            HeapObject | HeapObjectAlloc | HeapObjectFree => Space::Objects,
            Span | SpanAlloc | SpanFree => Space::Spans,
            GoroutineStack | GoroutineStackAlloc | GoroutineStackFree => Space::Stacks,
            _ => return,
        };
        let told = Told {
            space,
            number: event.args[0],
            args: [event.args[1], event.args[2]],
            time_ns,
            goroutine: self.goroutines.id(event.slot),
        };
        let done = match event.kind {
            HeapObjectFree | SpanFree | GoroutineStackFree => self.memory.release(told),
            HeapObjectAlloc | SpanAlloc | GoroutineStackAlloc => self.memory.exists(told, true),
            _ => self.memory.exists(told, false),
        };
        if let Some(block) = done {
            self.items.memory_block(&block);
        }
    }

    fn metric(&mut self, kind: MetricKind, time_ns: i64, value: u64) {
        if kind == MetricKind::Gomaxprocs {
            self.totals.gomaxprocs = Some(value);
        }
        self.gc.heap(kind, value);
        self.items.metric(&Metric { kind, time_ns, value });
    }

    /// Ends everything that is under way: the trace ends here, or a part is missing from here on.
    #[expect(clippy::vec_box, reason = "they go back into the table as they are")]
    fn interrupt(&mut self) -> Vec<Box<Live>> {
        let until = self.last_ns;
        let mut all = self.goroutines.take_all();
        for live in &mut all {
            let worker = live.worker.take();
            let span = live.close(until, true);
            self.end_of_span(&span, worker, NO_SLOT);
            self.items.state(&span);
        }
        let mut proc_spans = Vec::new();
        let mut sweeps = Vec::new();
        for (_, proc) in self.procs.iter_mut() {
            proc.is_behind_gap |= proc.span.is_some();
            proc_spans.extend(proc.span.take());
            sweeps.extend(proc.sweep.take());
            proc.syscalling = NO_SLOT;
        }
        for span in proc_spans {
            self.end_proc_span(span, until, true);
        }
        for sweep in sweeps {
            self.end_range(RangeKind::Sweep, sweep, until, true, None);
        }
        if let Some(mark) = self.mark.take() {
            self.end_range(RangeKind::Mark, mark, until, true, None);
        }
        for (kind, pause) in std::mem::take(&mut self.pauses) {
            if let Some(live) = all.iter_mut().find(|live| Some(live.sums.id) == pause.goroutine) {
                live.sums.stop_the_world_ns += until - pause.start_ns;
            }
            self.end_range(RangeKind::StopTheWorld(kind), pause, until, true, None);
        }
        let cycle = self.gc.end(until);
        self.emit_cycle(cycle);
        for block in self.memory.take_all() {
            self.items.memory_block(&block);
        }
        all
    }

    fn finish_those_before_gap(&mut self) {
        let mut lost: Vec<Box<Live>> =
            self.goroutines.before_gap.drain().map(|(_, live)| live).collect();
        lost.sort_unstable_by_key(|live| live.sums.id);
        for live in lost {
            self.finish(live, None);
        }
    }

    fn end_trace(&mut self) {
        for live in self.interrupt() {
            self.finish(live, None);
        }
        for task in self.tasks.take_open() {
            self.items.task(&task);
        }
        for (row, proc) in self.procs.iter_mut() {
            // Where events are missing, a goroutine may seem to run on while its proc is idle or
            // runs another one, and before Go 1.22 the loss of a proc in a system call could be
            // traced later than it happened. No proc did more than it ran.
            let sums = &mut proc.sums;
            sums.goroutine_ns = sums.goroutine_ns.min(sums.running_ns);
            sums.syscall_ns = sums.syscall_ns.min(sums.running_ns - sums.goroutine_ns);
            self.items.proc(row, &proc.sums);
        }
        for (row, thread) in self.threads.iter() {
            self.items.thread(row, thread);
        }
        for kind in ALL {
            let events = self.event_counts[*kind as usize];
            if events > 0 {
                self.items.event_count(*kind, events);
            }
        }
    }
}

fn text(bytes: Option<&[u8]>) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes.unwrap_or(b""))
}

impl<I: Items> Sink for Builder<'_, I> {
    fn sync(&mut self, sync: &Sync, generation: Option<&Generation>) {
        if !self.has_begun {
            self.has_begun = true;
            self.totals.start_clock_ns = sync.time;
        }
        let time_ns = self.since_start(sync.time);
        self.last_ns = time_ns;
        if !self.is_after_gap {
            self.finish_those_before_gap();
        }
        if let Some(span) = self.generation.take() {
            self.items.generation(&span);
        }
        self.sync_ns = time_ns;
        let Some(generation) = generation else {
            self.finish_those_before_gap();
            self.end_trace();
            self.totals.duration_ns = time_ns;
            return;
        };
        self.translation = Translation::new(&generation.tables, self.symbols);
        for (id, data) in self.memory.begin(generation) {
            self.items.heap_type(id, &data);
        }
        self.items.symbols(self.symbols);
        let clock = sync.clock.map(|(time, clock)| {
            let unix_ns = (clock.unix_seconds as i64)
                .wrapping_mul(1_000_000_000)
                .wrapping_add(clock.unix_nanos as i64);
            (self.since_start(time), clock.mono_ns, unix_ns)
        });
        if let (Some((clock_ns, _, unix_ns)), None) = (clock, self.totals.start_unix_ns) {
            self.totals.start_unix_ns = Some(unix_ns.wrapping_sub(clock_ns));
        }
        self.totals.generations += 1;
        self.generation = Some(GenerationSpan {
            number: generation.number,
            start_ns: time_ns,
            offset: generation.offset,
            size_bytes: generation.bytes,
            batches: generation.batch_count,
            events: 0,
            is_after_gap: std::mem::take(&mut self.is_after_gap),
            clock,
        });
    }

    fn gap(&mut self) {
        if !self.has_begun {
            return;
        }
        self.totals.gaps += 1;
        self.is_after_gap = true;
        self.finish_those_before_gap();
        for live in self.interrupt() {
            self.goroutines.before_gap.insert(live.sums.goid, live);
        }
    }

    #[inline(always)]
    fn event(&mut self, event: &Event, tables: &Tables) {
        use EventType::*;
        let time_ns = self.since_start(event.time);
        self.last_ns = time_ns;
        self.totals.events += 1;
        self.event_counts[event.kind as usize] += 1;
        if let Some(generation) = &mut self.generation {
            generation.events += 1;
        }
        let known_threads = self.threads.count();
        let thread = self.threads.row(event.thread, time_ns);
        if let Some(row) = thread {
            if self.threads.count() != known_threads {
                self.items.thread_begins(row, event.thread);
            }
            let thread = self.threads.get(row);
            thread.events += 1;
            thread.last_ns = time_ns;
        }
        match event.kind {
            CPUSample => self.items.sample(&Sample {
                time_ns,
                goroutine: self.goroutines.id(event.slot),
                proc: event.proc,
                thread: event.thread,
                stack: self.translation.stack(event.args[0], tables),
            }),
            ProcsChange => self.metric(MetricKind::Gomaxprocs, time_ns, event.args[0]),
            HeapAlloc => self.metric(MetricKind::HeapLive, time_ns, event.args[0]),
            HeapGoal => self.metric(MetricKind::HeapGoal, time_ns, event.args[0]),
            STWBegin | STWEnd | GCActive | GCBegin | GCEnd | GCSweepActive | GCSweepBegin
            | GCSweepEnd | GCMarkAssistActive | GCMarkAssistBegin | GCMarkAssistEnd => {
                self.range_event(event, tables, time_ns);
            }
            GoLabel => self.annotation(event, tables, time_ns),
            UserTaskBegin | UserTaskEnd | UserRegionBegin | UserRegionEnd | UserLog => {
                if self.items.wants_annotations() {
                    self.annotation(event, tables, time_ns);
                }
            }
            _ => match event.transition() {
                Some(TransitionOf::Goroutine(goid, slot, from, to)) => {
                    self.goroutine_event(event, tables, (goid, slot, from, to), time_ns, thread);
                }
                Some(TransitionOf::Proc(proc, from, to)) => {
                    self.proc_event(event, proc, from, to, time_ns, thread);
                }
                None => self.memory_event(event, time_ns),
            },
        }
    }
}
