//! Replaying the scheduler over a generation.
//!
//! Source: Go 1.27 `internal/trace/order.go`, one arm of [`Orderer::advance`] per `advanceX` there,
//! and `reader.go` for the choice of the next thread. Two kinds of "no" must not be mixed up:
//! *not yet* means that another thread's event has to come first and is the normal case, because
//! batches of different threads are not aligned; *inconsistent* means that no order can help.

use super::Sink;
use super::annotations::{Annotations, RegionEnd};
use super::event::{Event, GoSlot, GoState, NO_SLOT, NONE, ProcState, Sync, status};
use super::frontier::{Candidate, Frontier};
use super::goroutines::{Goroutine, Goroutines};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::wire::v2::spec::{MAX_ARGS, SHAPES};
use crate::wire::v2::{Cursor, CursorError, EventType, Generation, Tables, ticks_to_ns};
use rustc_hash::FxHashMap;

/// A thread, as ordering sees it.
#[derive(Debug, Clone)]
struct Thread {
    id: i64,
    goroutine: i64,
    slot: GoSlot,
    proc: i64,
    /// Index into `Orderer::procs` of `proc`.
    proc_index: u32,
    /// Whether an event of the thread was tried, or it was named as the thread of a system call.
    is_known: bool,
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

/// A thread's events in the generation being ordered, and the next of them. The event is handed
/// out from here: copying it right after its arguments were stored would stall on the stores.
struct Lane {
    cursor: Cursor,
    /// Index into `Orderer::threads`.
    thread: u32,
    event: Event,
}

impl Lane {
    /// Where the byte behind the event read last stands in the file. `index` is the lane's thread in
    /// [`Generation::threads`].
    fn offset(&self, generation: &Generation, index: usize) -> u64 {
        let place = self.cursor.place(&generation.threads[index].batches);
        place.map_or(generation.offset, |(batch, at)| batch.offset + at as u64)
    }
}

/// A proc, as ordering sees it.
#[derive(Debug, Clone)]
struct Proc {
    id: i64,
    status: u64,
    seq: u64,
    seq_generation: u32,
    is_sweeping: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GcState {
    Undetermined,
    NotRunning,
    Running,
}

/// What an event did.
enum Outcome {
    /// It took place; it is to be handed out, about this goroutine.
    Done(GoSlot),
    /// It took place and was handed out, or it is to be left out.
    Handled,
    /// Another thread must move first.
    NotYet,
}

/// On what an event happened.
#[derive(Debug, Clone, Copy)]
struct Context {
    thread: i64,
    proc: i64,
    goroutine: i64,
    slot: GoSlot,
}

impl Context {
    /// Notes in an event on what it happens. The event is told before it is tried, rather than the
    /// context handed on to where it goes out: two numbers that were just stored apart and are loaded
    /// as one pair cost as much as the rest of an event.
    #[inline(always)]
    fn put_into(self, event: &mut Event) {
        event.thread = self.thread;
        event.proc = self.proc;
        event.goroutine = self.goroutine;
        event.slot = self.slot;
    }
}

/// Why the events cannot be ordered, in words.
type Inconsistency = Box<str>;

/// No event is later after the start of its trace, nanoseconds: 36 years. Only damage says so, and
/// sums of such times must not overflow. The start may be any: most clocks count from when the
/// machine was started, those of js/wasm from 1970.
pub(in crate::order) const LONGEST_TRACE: i64 = 1 << 60;

/// No trace starts later, nanoseconds on its clock: the year 2116, if that counts from 1970.
const LATEST_START: i64 = 1 << 62;

/// The wire value of "no parent task" (Go 1.27 event.go, NoTask).
const NO_TASK: u64 = u64::MAX;

/// Puts the events of a trace in order, generation by generation.
pub struct Orderer {
    threads: Vec<Thread>,
    thread_index: FxHashMap<i64, u32>,
    procs: Vec<Proc>,
    proc_index: FxHashMap<i64, u32>,
    goroutines: Goroutines,
    annotations: Annotations,
    /// Stop-the-world ranges under way: goroutine and kind.
    stop_the_world: Vec<(GoSlot, u64)>,
    gc_seq: u64,
    gc_state: GcState,
    /// Counts generations; sequence numbers are only comparable within one.
    generation: u32,
    /// Whether this is the first generation of the trace, or the first behind a gap.
    is_initial: bool,
    last_time: i64,
    /// No event is later; see [`LONGEST_TRACE`].
    latest_time: i64,
    /// Events of the generation that say they are, and what the first of them says.
    too_late: (u64, i64),
    syncs: u64,
    last_number: Option<u64>,
    /// Something of the current generation was lost, so its end is not the next one's start.
    is_damaged: bool,
    events: u64,
    frontier: Frontier,
    /// Reports about the event being tried; where that stands in the file only the caller knows.
    unplaced: Vec<Diagnostic>,
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

    /// Orders a generation into `sink`. `has_loss` tells that parts of it could not be read.
    pub fn generation<S: Sink>(
        &mut self,
        generation: &mut Generation,
        has_loss: bool,
        sink: &mut S,
    ) {
        let follows = self.last_number.is_none_or(|last| generation.number == last + 1);
        if !follows || self.is_damaged {
            self.forget();
            sink.gap();
        }
        self.last_number = Some(generation.number);
        self.is_damaged = has_loss;
        self.generation += 1;
        self.annotations.begin_generation();

        // The sync event shares the rule that times increase strictly.
        if self.syncs == 0 {
            self.latest_time = generation.start_time().clamp(0, LATEST_START) + LONGEST_TRACE;
        }
        let time = self.fix_time(generation.start_time());
        self.syncs += 1;
        let clock = generation
            .clock_snapshot
            .map(|snapshot| (ticks_to_ns(snapshot.time_ticks, generation.ns_per_tick), snapshot));
        sink.sync(&Sync { time, n: self.syncs, clock }, Some(generation));

        let mut lanes: Vec<Lane> = generation
            .threads
            .iter()
            .map(|batches| Lane {
                cursor: Cursor::new(),
                thread: self.thread(batches.thread),
                event: Event::blank(),
            })
            .collect();
        self.frontier.clear();
        for (index, lane) in lanes.iter_mut().enumerate() {
            if self.next_event(generation, index, lane) {
                self.frontier.insert(Candidate { time: lane.event.time, cursor: index as u32 });
            }
        }
        let mut tables = std::mem::take(&mut generation.tables);
        if let Err(message) = self.replay(generation, &mut lanes, &mut tables, sink) {
            self.give_up(generation, &mut lanes, message);
        }
        generation.tables = tables;
        self.is_initial = false;
        self.report_too_late(generation);
    }

    /// Says how many times of the generation were cut.
    fn report_too_late(&mut self, generation: &Generation) {
        let (count, first) = std::mem::take(&mut self.too_late);
        if count > 0 {
            let message = format!(
                "{count} events are later than {} ns, which they got as time; the first: {first} ns",
                self.latest_time
            );
            self.diagnostics.push(
                Diagnostic::new(Code::TimeCut, message)
                    .at_offset(generation.offset)
                    .in_generation(generation.number),
            );
        }
    }

    /// Ends the trace: hands out the last synchronisation point.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) {
        let time = self.fix_time(self.last_time);
        self.syncs += 1;
        sink.sync(&Sync { time, n: self.syncs, clock: None }, None);
    }

    /// Forgets the scheduler's state, as at the start of a trace.
    fn forget(&mut self) {
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

    /// Runs the generation's threads against each other until no event is left.
    fn replay<S: Sink>(
        &mut self,
        generation: &Generation,
        lanes: &mut [Lane],
        tables: &mut Tables,
        sink: &mut S,
    ) -> Result<(), Inconsistency> {
        let mut samples = generation.cpu_samples.iter();
        let mut next_sample = samples.next();
        loop {
            if sink.is_done() {
                return Ok(());
            }
            let Some(first) = self.frontier.get(0) else {
                // Samples may be later than every event.
                while let Some(sample) = next_sample {
                    self.sample(sample, generation.offset, tables, sink);
                    next_sample = samples.next();
                }
                return Ok(());
            };
            while let Some(sample) = next_sample
                && sample.time < first.time
            {
                self.sample(sample, generation.offset, tables, sink);
                next_sample = samples.next();
            }
            let index = first.cursor as usize;
            let lane = &mut lanes[index];
            // As long as this thread's next event is the earliest of all, the heap stays as it
            // is, and so does the choice.
            let limit =
                self.frontier.runner_up().min(next_sample.map_or(i64::MAX, |sample| sample.time));
            let mut is_stuck = false;
            loop {
                let advanced = self.advance(&mut lane.event, lane.thread, tables, sink);
                if !self.unplaced.is_empty() {
                    self.place_reports(lane.offset(generation, index));
                }
                if !advanced? {
                    is_stuck = true;
                    break;
                }
                if !self.next_event(generation, index, lane) {
                    self.frontier.remove(0);
                    break;
                }
                if lane.event.time > limit {
                    self.frontier.update(0, lane.event.time);
                    break;
                }
            }
            if is_stuck {
                self.frontier.update(0, lane.event.time);
                self.advance_another(generation, lanes, tables, sink)?;
            }
        }
    }

    /// The earliest thread cannot move: lets the earliest one move that can.
    #[inline(never)]
    fn advance_another<S: Sink>(
        &mut self,
        generation: &Generation,
        lanes: &mut [Lane],
        tables: &mut Tables,
        sink: &mut S,
    ) -> Result<(), Inconsistency> {
        self.frontier.sort();
        for place in 1..self.frontier.len() {
            let candidate = self.frontier.get(place).expect("place is in range");
            let index = candidate.cursor as usize;
            let lane = &mut lanes[index];
            let advanced = self.advance(&mut lane.event, lane.thread, tables, sink);
            if !self.unplaced.is_empty() {
                self.place_reports(lane.offset(generation, index));
            }
            if advanced? {
                if self.next_event(generation, index, lane) {
                    self.frontier.update(place, lane.event.time);
                } else {
                    self.frontier.remove(place);
                }
                return Ok(());
            }
        }
        Err(self.stuck(generation, lanes).into())
    }

    /// Says what every thread waits for, shortened.
    #[cold]
    fn stuck(&self, generation: &Generation, lanes: &[Lane]) -> String {
        let mut text = format!("none of {} threads' next events can happen:", self.frontier.len());
        for candidate in self.frontier.iter().take(4) {
            let index = candidate.cursor as usize;
            let event = &lanes[index].event;
            let spec = event.kind.spec();
            text += &format!(" thread {}: {}", generation.threads[index].thread, spec.name);
            for (name, value) in spec.args[1..].iter().zip(event.args) {
                text += &format!(" {name}={value}");
            }
            text += ";";
        }
        text
    }

    /// Reads a thread's next event; skips what cannot be decoded.
    #[inline(always)]
    fn next_event(&mut self, generation: &Generation, index: usize, lane: &mut Lane) -> bool {
        match generation.next_event(index, &mut lane.cursor, &mut lane.event.args) {
            Ok(Some((kind, time))) => {
                (lane.event.kind, lane.event.time) = (kind, time);
                true
            }
            Ok(None) => false,
            Err(error) => self.skip_damage(generation, index, lane, error),
        }
    }

    #[cold]
    #[inline(never)]
    fn skip_damage(
        &mut self,
        generation: &Generation,
        index: usize,
        lane: &mut Lane,
        error: CursorError,
    ) -> bool {
        let mut error = error;
        loop {
            let batches = &generation.threads[index];
            let offset = lane.offset(generation, index);
            let lost = lane.cursor.skip_batch();
            self.is_damaged = true;
            self.diagnostics.push(
                Diagnostic::new(Code::BadEvent, format!("{error}; skipped the rest of the batch"))
                    .at_offset(offset)
                    .in_generation(generation.number)
                    .on_thread(batches.thread)
                    .losing_bytes(lost as u64),
            );
            match generation.next_event(index, &mut lane.cursor, &mut lane.event.args) {
                Ok(Some((kind, time))) => {
                    (lane.event.kind, lane.event.time) = (kind, time);
                    return true;
                }
                Ok(None) => return false,
                Err(next) => error = next,
            }
        }
    }

    /// Gives up the rest of a generation and reports what that costs.
    #[cold]
    fn give_up(&mut self, generation: &Generation, lanes: &mut [Lane], message: Inconsistency) {
        let code = if message.starts_with("none of") {
            Code::CannotAdvance
        } else {
            Code::InconsistentEvent
        };
        let earliest = self.frontier.iter().min_by_key(|candidate| candidate.time).copied();
        let place = earliest.and_then(|candidate| {
            let index = candidate.cursor as usize;
            let batches = &generation.threads[index];
            let (batch, at) = lanes[index].cursor.place(&batches.batches)?;
            Some((batch.offset + at as u64, batches.thread))
        });
        let (mut events, mut bytes, mut until) = (0u64, 0u64, self.last_time);
        for candidate in self.frontier.iter().copied().collect::<Vec<_>>() {
            let index = candidate.cursor as usize;
            let batches = &generation.threads[index].batches;
            let lane = &mut lanes[index];
            if let Some((batch, at)) = lane.cursor.place(batches) {
                let behind = batches.iter().filter(|other| other.start > batch.start);
                bytes += (batch.end - batch.start - at) as u64;
                bytes += behind.map(|batch| (batch.end - batch.start) as u64).sum::<u64>();
            }
            loop {
                events += 1;
                until = until.max(lane.event.time);
                match generation.next_event(index, &mut lane.cursor, &mut lane.event.args) {
                    Ok(Some((_, time))) => lane.event.time = time,
                    Ok(None) => break,
                    Err(_) => {
                        lane.cursor.skip_batch();
                    }
                }
            }
        }
        self.is_damaged = true;
        let mut report =
            Diagnostic::new(code, format!("{message} skipped the rest of the generation"))
                .in_generation(generation.number)
                .losing_bytes(bytes);
        report.offset = Some(place.map_or(generation.offset, |place| place.0));
        report.thread = place.map(|place| place.1);
        report.lost_events = Some(events);
        report.lost_ns = Some(until.saturating_sub(self.last_time).max(0) as u64);
        self.diagnostics.push(report);
    }

    fn thread(&mut self, id: i64) -> u32 {
        *self.thread_index.entry(id).or_insert_with(|| {
            self.threads.push(Thread::new(id));
            (self.threads.len() - 1) as u32
        })
    }

    fn fix_time(&mut self, time: i64) -> i64 {
        // Two events never share a time (reader.go, ReadEvent).
        // Less than 2^62 of them follow the latest time, so none overflows.
        let time = if time > self.latest_time { self.cut_time(time) } else { time };
        let time = time.max(self.last_time + 1);
        self.last_time = time;
        time
    }

    #[cold]
    fn cut_time(&mut self, time: i64) -> i64 {
        if self.too_late.0 == 0 {
            self.too_late.1 = time;
        }
        self.too_late.0 += 1;
        self.latest_time
    }

    /// Hands out an event that the trace has as it is.
    #[inline(always)]
    fn emit<S: Sink>(&mut self, event: &mut Event, subject: GoSlot, tables: &Tables, sink: &mut S) {
        event.time = self.fix_time(event.time);
        event.subject = subject;
        let shape = &SHAPES[event.kind as usize];
        if shape.stack_arg != 255 {
            let stack = event.args[shape.stack_arg as usize];
            if !tables.has_stack(stack)
                || (shape.other_stack_arg != 255
                    && !tables.has_stack(event.args[shape.other_stack_arg as usize]))
            {
                self.drop_missing_stacks(event, tables);
            }
        }
        let [string, other_string] = shape.string_args;
        if string != 255 {
            let has = |index: u8| tables.has_string(event.args[index as usize]);
            if !has(string) || (other_string != 255 && !has(other_string)) {
                self.drop_missing_strings(event, tables);
            }
        }
        self.events += 1;
        sink.event(event, tables);
    }

    /// Hands out an event that follows from another.
    #[expect(clippy::too_many_arguments, reason = "they are what an event consists of")]
    fn emit_derived<S: Sink>(
        &mut self,
        kind: EventType,
        time: i64,
        args: [u64; MAX_ARGS],
        context: Context,
        subject: GoSlot,
        tables: &Tables,
        sink: &mut S,
    ) {
        let mut event = Event { kind, time, args, ..Event::blank() };
        context.put_into(&mut event);
        self.emit(&mut event, subject, tables, sink);
    }

    #[cold]
    fn drop_missing_stacks(&mut self, event: &mut Event, tables: &Tables) {
        let shape = &SHAPES[event.kind as usize];
        for index in [shape.stack_arg, shape.other_stack_arg] {
            if index != 255 && !tables.has_stack(event.args[index as usize]) {
                self.report_missing(Code::MissingStack, "stack", event, event.args[index as usize]);
                event.args[index as usize] = 0;
            }
        }
    }

    #[cold]
    fn drop_missing_strings(&mut self, event: &mut Event, tables: &Tables) {
        for index in SHAPES[event.kind as usize].string_args {
            if index != 255 && !tables.has_string(event.args[index as usize]) {
                self.report_missing(
                    Code::MissingString,
                    "string",
                    event,
                    event.args[index as usize],
                );
                event.args[index as usize] = 0;
            }
        }
    }

    fn report_missing(&mut self, code: Code, what: &str, event: &Event, id: u64) {
        self.report(code, event.thread, format!("{}: no {what} {id}", event.kind.name()));
    }

    fn report(&mut self, code: Code, thread: i64, message: String) {
        let mut report = Diagnostic::new(code, message).on_thread(thread);
        report.generation = self.last_number;
        self.unplaced.push(report);
    }

    /// Hands on the reports about the event that was just tried. Like all offsets of events, theirs is that
    /// behind the event.
    #[cold]
    #[inline(never)]
    fn place_reports(&mut self, offset: u64) {
        for report in self.unplaced.drain(..) {
            self.diagnostics.push(report.at_offset(offset));
        }
    }

    fn sample<S: Sink>(
        &mut self,
        sample: &crate::wire::v2::CpuSample,
        generation_offset: u64,
        tables: &Tables,
        sink: &mut S,
    ) {
        let mut stack = sample.stack;
        if !tables.has_stack(stack) {
            self.report(Code::MissingStack, sample.thread, format!("CPUSample: no stack {stack}"));
            self.place_reports(generation_offset);
            stack = 0;
        }
        let context = Context {
            thread: sample.thread,
            proc: sample.proc,
            goroutine: sample.goroutine,
            slot: self.goroutines.find(sample.goroutine).unwrap_or(NO_SLOT),
        };
        let args = [stack, 0, 0, 0];
        self.emit_derived(EventType::CPUSample, sample.time, args, context, NO_SLOT, tables, sink);
    }

    /// Tries an event; `Ok(false)` means not yet.
    #[inline(always)]
    fn advance<S: Sink>(
        &mut self,
        event: &mut Event,
        thread: u32,
        tables: &mut Tables,
        sink: &mut S,
    ) -> Result<bool, Inconsistency> {
        match self.step(event, thread, tables, sink)? {
            Outcome::Done(subject) => self.emit(event, subject, tables, sink),
            Outcome::Handled => {}
            Outcome::NotYet => return Ok(false),
        }
        Ok(true)
    }

    #[inline(always)]
    fn step<S: Sink>(
        &mut self,
        event: &mut Event,
        thread: u32,
        tables: &mut Tables,
        sink: &mut S,
    ) -> Result<Outcome, Inconsistency> {
        use EventType::*;
        let index = thread as usize;
        let at = &mut self.threads[index];
        at.is_known = true;
        if at.id == NONE {
            // Events of no thread leave no trace in the state (order.go, Advance).
            (at.goroutine, at.slot, at.proc) = (NONE, NO_SLOT, NONE);
        }
        let proc_index = at.proc_index as usize;
        let context =
            Context { thread: at.id, proc: at.proc, goroutine: at.goroutine, slot: at.slot };
        context.put_into(event);
        let done = Ok(Outcome::Done(NO_SLOT));
        let args = &mut event.args;
        match event.kind {
            // Procs.
            ProcStatus => self.proc_status(event, index),
            ProcStart => {
                let Some(&proc) = self.proc_index.get(&(args[0] as i64)) else {
                    return Ok(Outcome::NotYet);
                };
                let generation = self.generation;
                let state = &mut self.procs[proc as usize];
                // A ProcStart can be read before the ProcSteal or ProcStop that frees the proc,
                // or while this thread has a proc that is yet to be stolen from its system call.
                if state.status != status::PROC_IDLE
                    || !succeeds(generation, args[1], state.seq_generation, state.seq)
                    || context.proc != NONE
                {
                    return Ok(Outcome::NotYet);
                }
                need(context.thread != NONE, event.kind, "a thread")?;
                state.status = status::PROC_RUNNING;
                (state.seq, state.seq_generation) = (args[1], generation);
                let at = &mut self.threads[index];
                (at.proc, at.proc_index) = (state.id, proc);
                done
            }
            ProcStop => {
                need_thread_and_proc(event.kind, context)?;
                let state = &mut self.procs[proc_index];
                if state.status != status::PROC_RUNNING && state.status != status::PROC_SYSCALL {
                    return Err(wrong_proc_state(event.kind, state));
                }
                state.status = status::PROC_IDLE;
                self.threads[index].proc = NONE;
                done
            }
            ProcSteal => self.proc_steal(args, index, context),
            ProcsChange | GoLabel | UserLog => {
                need_all(event.kind, context)?;
                done
            }

            // Goroutines.
            GoStatus | GoStatusStack => self.go_status(event, index, context),
            GoCreate | GoCreateBlocked => {
                need_thread_and_proc(event.kind, context)?;
                if context.slot != NO_SLOT {
                    self.need_status(event.kind, context.slot, status::GO_RUNNING)?;
                }
                let goid = args[0] as i64;
                if self.goroutines.find(goid).is_some() {
                    return Err(
                        format!("{}: goroutine {goid} exists already;", event.kind.name()).into()
                    );
                }
                let state =
                    if event.kind == GoCreate { status::GO_RUNNABLE } else { status::GO_WAITING };
                let slot = self.add_goroutine(goid, state);
                Ok(Outcome::Done(slot))
            }
            GoCreateSyscall => {
                need(context.thread != NONE, event.kind, "a thread")?;
                need(context.goroutine == NONE, event.kind, "no goroutine")?;
                let goid = args[0] as i64;
                if self.goroutines.find(goid).is_some() {
                    return Err(format!("GoCreateSyscall: goroutine {goid} exists already;").into());
                }
                let slot = self.add_goroutine(goid, status::GO_SYSCALL);
                let at = &mut self.threads[index];
                (at.goroutine, at.slot) = (goid, slot);
                Ok(Outcome::Done(slot))
            }
            GoStart => {
                let goid = args[0] as i64;
                let Some(slot) = self.goroutines.find(goid) else { return Ok(Outcome::NotYet) };
                let generation = self.generation;
                let state = self.goroutines.get(slot);
                if u64::from(state.status) != status::GO_RUNNABLE
                    || !succeeds(generation, args[1], state.seq_generation, state.seq)
                {
                    return Ok(Outcome::NotYet);
                }
                need_thread_and_proc(event.kind, context)?;
                need(context.goroutine == NONE, event.kind, "no goroutine")?;
                state.status = status::GO_RUNNING as u8;
                (state.seq, state.seq_generation) = (args[1], generation);
                let at = &mut self.threads[index];
                (at.goroutine, at.slot) = (goid, slot);
                Ok(Outcome::Done(slot))
            }
            GoDestroy | GoStop | GoBlock => {
                need_all(event.kind, context)?;
                self.need_status(event.kind, context.slot, status::GO_RUNNING)?;
                match event.kind {
                    GoDestroy => self.remove_goroutine(context.slot),
                    GoStop => self.goroutines.get(context.slot).status = status::GO_RUNNABLE as u8,
                    _ => self.goroutines.get(context.slot).status = status::GO_WAITING as u8,
                }
                self.unbind(index);
                done
            }
            GoDestroySyscall => self.go_destroy_syscall(event, index, context, tables, sink),
            GoUnblock => {
                let Some(slot) = self.goroutines.find(args[0] as i64) else {
                    return Ok(Outcome::NotYet);
                };
                let generation = self.generation;
                let state = self.goroutines.get(slot);
                if u64::from(state.status) != status::GO_WAITING
                    || !succeeds(generation, args[1], state.seq_generation, state.seq)
                {
                    return Ok(Outcome::NotYet);
                }
                state.status = status::GO_RUNNABLE as u8;
                (state.seq, state.seq_generation) = (args[1], generation);
                Ok(Outcome::Done(slot))
            }
            GoSwitch | GoSwitchDestroy => self.go_switch(event, index, context, tables, sink),
            GoSyscallBegin => {
                need_all(event.kind, context)?;
                self.need_status(event.kind, context.slot, status::GO_RUNNING)?;
                self.goroutines.get(context.slot).status = status::GO_SYSCALL as u8;
                let state = &mut self.procs[proc_index];
                state.status = status::PROC_SYSCALL;
                // The proc's sequence number tells which system call a later ProcSteal means.
                if !succeeds(self.generation, args[0], state.seq_generation, state.seq) {
                    let message = format!(
                        "GoSyscallBegin: proc {} is at sequence number {}, want {} before it;",
                        state.id,
                        state.seq,
                        args[0].wrapping_sub(1)
                    );
                    return Err(message.into());
                }
                (state.seq, state.seq_generation) = (args[0], self.generation);
                done
            }
            GoSyscallEnd => {
                need_all(event.kind, context)?;
                self.need_status(event.kind, context.slot, status::GO_SYSCALL)?;
                let state = &mut self.procs[proc_index];
                if state.status != status::PROC_SYSCALL {
                    return Err(wrong_proc_state(event.kind, state));
                }
                state.status = status::PROC_RUNNING;
                self.goroutines.get(context.slot).status = status::GO_RUNNING as u8;
                done
            }
            GoSyscallEndBlocked => {
                // The event says that the proc was lost. As long as it is still here and in the
                // system call, the loss has not been read yet.
                if context.proc != NONE && self.procs[proc_index].status == status::PROC_SYSCALL {
                    return Ok(Outcome::NotYet);
                }
                need(context.thread != NONE, event.kind, "a thread")?;
                need(context.goroutine != NONE, event.kind, "a goroutine")?;
                self.need_status(event.kind, context.slot, status::GO_SYSCALL)?;
                self.goroutines.get(context.slot).status = status::GO_RUNNABLE as u8;
                self.unbind(index);
                done
            }

            // Ranges.
            STWBegin => {
                need_all(event.kind, context)?;
                if self.stop_the_world.contains(&(context.slot, args[0])) {
                    return self.skip_range(event.kind, context, "has begun already");
                }
                self.stop_the_world.push((context.slot, args[0]));
                done
            }
            STWEnd => {
                need_all(event.kind, context)?;
                let open = self.stop_the_world.iter().position(|range| range.0 == context.slot);
                let Some(open) = open else {
                    return self.skip_range(event.kind, context, "has not begun");
                };
                let kind = self.stop_the_world.remove(open).1;
                args[0] = if tables.has_string(kind) { kind } else { 0 };
                done
            }
            GCMarkAssistBegin | GCMarkAssistEnd => {
                need_all(event.kind, context)?;
                let begins = event.kind == GCMarkAssistBegin;
                let state = self.goroutines.get(context.slot);
                if state.in_mark_assist == begins {
                    let what = if begins { "has begun already" } else { "has not begun" };
                    return self.skip_range(event.kind, context, what);
                }
                state.in_mark_assist = begins;
                done
            }
            GCMarkAssistActive => {
                let Some(slot) = self.goroutines.find(args[0] as i64) else {
                    return self.skip_range(event.kind, context, "is of an unknown goroutine");
                };
                let is_initial = self.is_initial;
                let state = self.goroutines.get(slot);
                if state.in_mark_assist == is_initial {
                    let what = if is_initial { "is there twice" } else { "has not begun" };
                    return self.skip_range(event.kind, context, what);
                }
                state.in_mark_assist = true;
                Ok(Outcome::Done(slot))
            }
            GCSweepBegin | GCSweepEnd => {
                need_thread_and_proc(event.kind, context)?;
                let begins = event.kind == GCSweepBegin;
                let state = &mut self.procs[proc_index];
                if state.is_sweeping == begins {
                    let what = if begins { "has begun already" } else { "has not begun" };
                    return self.skip_range(event.kind, context, what);
                }
                state.is_sweeping = begins;
                done
            }
            GCSweepActive => {
                let proc = self.proc_index.get(&(args[0] as i64)).copied();
                let Some(state) = proc.map(|proc| &mut self.procs[proc as usize]) else {
                    return self.skip_range(event.kind, context, "is of an unknown proc");
                };
                if state.is_sweeping == self.is_initial {
                    let what = if self.is_initial { "is there twice" } else { "has not begun" };
                    return self.skip_range(event.kind, context, what);
                }
                state.is_sweeping = true;
                done
            }
            GCActive | GCBegin | GCEnd => self.gc(event.kind, args[0], context),
            HeapAlloc | HeapGoal => {
                need_thread_and_proc(event.kind, context)?;
                done
            }

            // Annotations.
            UserTaskBegin => {
                self.task_begin(args, context, tables);
                need_all(event.kind, context)?;
                done
            }
            UserTaskEnd => {
                let task = self.annotations.end_task(args[0], tables);
                (args[2], args[3]) = task.unwrap_or((NO_TASK, 0));
                need_all(event.kind, context)?;
                done
            }
            UserRegionBegin => {
                need_all(event.kind, context)?;
                let innermost = &mut self.goroutines.get(context.slot).innermost_region;
                *innermost = self.annotations.begin_region(*innermost, args[0], args[1], tables);
                done
            }
            UserRegionEnd => {
                need_all(event.kind, context)?;
                self.region_end(args, context, tables);
                done
            }

            // The AllocFree experiment.
            Span | SpanAlloc | SpanFree | HeapObject | HeapObjectAlloc | HeapObjectFree
            | GoroutineStack | GoroutineStackAlloc | GoroutineStackFree => {
                need(context.thread != NONE, event.kind, "a thread")?;
                done
            }

            // Never in a thread's stream; the cursor refuses them.
            EventBatch | Stacks | Stack | Strings | String | CPUSamples | CPUSample | Frequency
            | ExperimentalBatch | Sync | ClockSnapshot | EndOfGeneration => {
                Err(format!("{} has no place among events;", event.kind.name()).into())
            }
        }
    }

    fn add_goroutine(&mut self, goid: i64, state: u64) -> GoSlot {
        self.goroutines.add(Goroutine {
            goid,
            seq: 0,
            seq_generation: self.generation,
            status: state as u8,
            in_mark_assist: false,
            innermost_region: 0,
        })
    }

    fn remove_goroutine(&mut self, slot: GoSlot) {
        let innermost = self.goroutines.get(slot).innermost_region;
        self.annotations.end_regions(innermost);
        if !self.stop_the_world.is_empty() {
            self.stop_the_world.retain(|range| range.0 != slot);
        }
        self.goroutines.remove(slot);
    }

    /// The thread has no goroutine any more.
    fn unbind(&mut self, index: usize) {
        let at = &mut self.threads[index];
        (at.goroutine, at.slot) = (NONE, NO_SLOT);
    }

    #[inline(always)]
    fn need_status(
        &mut self,
        kind: EventType,
        slot: GoSlot,
        want: u64,
    ) -> Result<(), Inconsistency> {
        let state = self.goroutines.get(slot);
        if u64::from(state.status) == want {
            Ok(())
        } else {
            Err(wrong_go_state(kind, state, want))
        }
    }

    /// Leaves out an event of a range that does not fit; ranges do not decide the order.
    #[cold]
    fn skip_range(
        &mut self,
        kind: EventType,
        context: Context,
        what: &str,
    ) -> Result<Outcome, Inconsistency> {
        self.report(
            Code::RangeMismatch,
            context.thread,
            format!("{}: the range {what}; left the event out", kind.name()),
        );
        Ok(Outcome::Handled)
    }

    #[inline(never)]
    fn proc_status(&mut self, event: &mut Event, index: usize) -> Result<Outcome, Inconsistency> {
        let args = &mut event.args;
        let id = args[0] as i64;
        let new = args[1];
        let Some(mut before) = status::proc_state(new) else {
            return Err(format!("ProcStatus: proc {id} has no status {new};").into());
        };
        let known = self.proc_index.get(&id).copied();
        let mut was_promoted = false;
        let proc = match known {
            Some(proc) => {
                let state = &mut self.procs[proc as usize];
                if new == status::PROC_SYSCALL_ABANDONED && state.status == status::PROC_SYSCALL {
                    // "Abandoned" means that the runtime could not say which thread the proc was
                    // with. Here it is known, so nothing is lost.
                    before = ProcState::Running;
                    args[1] = status::PROC_SYSCALL;
                    was_promoted = true;
                } else if new == status::PROC_SYSCALL_ABANDONED
                    && state.status == status::PROC_SYSCALL_ABANDONED
                {
                    before = ProcState::Idle;
                } else if state.status != new {
                    return Err(format!(
                        "ProcStatus: proc {id} has status {}, the event says {new};",
                        state.status
                    )
                    .into());
                }
                (state.seq, state.seq_generation) = (0, self.generation);
                proc
            }
            None => {
                before =
                    if self.is_initial { ProcState::Undetermined } else { ProcState::NotExist };
                let proc = self.procs.len() as u32;
                self.procs.push(Proc {
                    id,
                    status: new,
                    seq: 0,
                    seq_generation: self.generation,
                    is_sweeping: false,
                });
                self.proc_index.insert(id, proc);
                proc
            }
        };
        args[2] = before as u64;
        if new == status::PROC_RUNNING || new == status::PROC_SYSCALL {
            let at = &mut self.threads[index];
            (at.proc, at.proc_index) = (id, proc);
        }
        if was_promoted {
            // The event must show the thread that has the proc, not the one that wrote it.
            let Some(holder) =
                self.threads.iter().find(|thread| thread.is_known && thread.proc == id)
            else {
                return Err(format!("{}: no thread has proc {id};", event.kind.name()).into());
            };
            Context { thread: holder.id, proc: id, goroutine: holder.goroutine, slot: holder.slot }
                .put_into(event);
        }
        Ok(Outcome::Done(NO_SLOT))
    }

    #[inline(never)]
    fn proc_steal(
        &mut self,
        args: &mut [u64; MAX_ARGS],
        index: usize,
        context: Context,
    ) -> Result<Outcome, Inconsistency> {
        let id = args[0] as i64;
        let Some(&proc) = self.proc_index.get(&id) else { return Ok(Outcome::NotYet) };
        let generation = self.generation;
        let state = &mut self.procs[proc as usize];
        let was_abandoned = state.status == status::PROC_SYSCALL_ABANDONED;
        if (state.status != status::PROC_SYSCALL && !was_abandoned)
            || !succeeds(generation, args[1], state.seq_generation, state.seq)
        {
            return Ok(Outcome::NotYet);
        }
        need(context.thread != NONE, EventType::ProcSteal, "a thread")?;
        args[3] = state.status;
        state.status = status::PROC_IDLE;
        (state.seq, state.seq_generation) = (args[1], generation);
        if was_abandoned {
            // Which thread it was stolen from is lost; that thread may have moved on.
            return Ok(Outcome::Done(NO_SLOT));
        }
        let from = args[2] as i64;
        if from == context.thread {
            // Stealing from itself is like stopping.
            if context.proc != id {
                return Err(format!(
                    "ProcSteal: thread {from} steals proc {id} from itself but has proc {};",
                    context.proc
                )
                .into());
            }
            self.threads[index].proc = NONE;
            return Ok(Outcome::Done(NO_SLOT));
        }
        let victim = self.thread_index.get(&from).map(|&victim| &mut self.threads[victim as usize]);
        let Some(victim) = victim.filter(|victim| victim.is_known) else {
            return Err(format!("ProcSteal: thread {from} is not known;").into());
        };
        if victim.proc != id {
            return Err(format!(
                "ProcSteal: want proc {id} on thread {from}, it has proc {};",
                victim.proc
            )
            .into());
        }
        // The victim is in a system call and cannot leave it before it has seen this.
        victim.proc = NONE;
        Ok(Outcome::Done(NO_SLOT))
    }

    #[inline(never)]
    fn go_status(
        &mut self,
        event: &mut Event,
        index: usize,
        mut context: Context,
    ) -> Result<Outcome, Inconsistency> {
        let args = &mut event.args;
        let goid = args[0] as i64;
        let on_thread = args[1] as i64;
        let new = args[2];
        let Some(mut before) = status::go_state(new) else {
            return Err(format!("GoStatus: goroutine {goid} has no status {new};").into());
        };
        let slot = match self.goroutines.find(goid) {
            Some(slot) => {
                let generation = self.generation;
                let state = self.goroutines.get(slot);
                if u64::from(state.status) != new {
                    return Err(wrong_go_state(EventType::GoStatus, state, new));
                }
                (state.seq, state.seq_generation) = (0, generation);
                slot
            }
            None if self.is_initial => {
                before = GoState::Undetermined;
                self.add_goroutine(goid, new)
            }
            None => {
                return Err(format!("GoStatus: goroutine {goid} appears from nowhere;").into());
            }
        };
        args[2] = (before as u64) << 32 | new;
        if new == status::GO_RUNNING {
            let at = &mut self.threads[index];
            (at.goroutine, at.slot) = (goid, slot);
        } else if new == status::GO_SYSCALL {
            if on_thread == NONE {
                return Err(format!(
                    "GoStatus: goroutine {goid} is in a system call on no thread;"
                )
                .into());
            }
            if on_thread == context.thread {
                if !self.is_initial && context.goroutine != goid {
                    return Err(format!(
                        "GoStatus: want goroutine {goid} on thread {on_thread}, it has {};",
                        context.goroutine
                    )
                    .into());
                }
                let at = &mut self.threads[index];
                (at.goroutine, at.slot) = (goid, slot);
            } else {
                // Another thread has been in this system call for the whole generation, without
                // a proc: all procs are taken back when a generation begins.
                let other = self.thread(on_thread);
                let other = &mut self.threads[other as usize];
                if other.is_known {
                    if other.goroutine != goid {
                        return Err(format!(
                            "GoStatus: want goroutine {goid} on thread {on_thread}, it has {};",
                            other.goroutine
                        )
                        .into());
                    }
                    (context.goroutine, context.slot) = (goid, slot);
                } else {
                    other.is_known = true;
                    (other.goroutine, other.slot) = (goid, slot);
                    (other.proc, other.proc_index) = (NONE, u32::MAX);
                }
                context.thread = on_thread;
                context.put_into(event);
            }
        }
        Ok(Outcome::Done(slot))
    }

    /// A coroutine switch is three events: the other goroutine is unblocked, this one blocks or
    /// ends, the other starts.
    #[inline(never)]
    fn go_switch<S: Sink>(
        &mut self,
        event: &mut Event,
        index: usize,
        context: Context,
        tables: &Tables,
        sink: &mut S,
    ) -> Result<Outcome, Inconsistency> {
        need_all(event.kind, context)?;
        self.need_status(event.kind, context.slot, status::GO_RUNNING)?;
        let next = event.args[0] as i64;
        let Some(slot) = self.goroutines.find(next) else { return Ok(Outcome::NotYet) };
        let generation = self.generation;
        let state = self.goroutines.get(slot);
        if u64::from(state.status) != status::GO_WAITING
            || !succeeds(generation, event.args[1], state.seq_generation, state.seq)
        {
            return Ok(Outcome::NotYet);
        }
        state.status = status::GO_RUNNING as u8;
        (state.seq, state.seq_generation) = (event.args[1], generation);
        let time = event.time;
        self.emit(event, slot, tables, sink);
        let leaves = if event.kind == EventType::GoSwitch {
            self.goroutines.get(context.slot).status = status::GO_WAITING as u8;
            EventType::GoBlock
        } else {
            self.remove_goroutine(context.slot);
            EventType::GoDestroy
        };
        self.emit_derived(leaves, time, [0; MAX_ARGS], context, NO_SLOT, tables, sink);
        let at = &mut self.threads[index];
        (at.goroutine, at.slot) = (next, slot);
        let start = Context { goroutine: NONE, slot: NO_SLOT, ..context };
        let args = [event.args[0], event.args[1], 0, 0];
        self.emit_derived(EventType::GoStart, time, args, start, slot, tables, sink);
        Ok(Outcome::Handled)
    }

    /// The goroutine of a C thread ends in its system call, and the thread loses its proc with it:
    /// its number may be used for another thread at once (order.go, advanceGoDestroySyscall).
    #[inline(never)]
    fn go_destroy_syscall<S: Sink>(
        &mut self,
        event: &mut Event,
        index: usize,
        context: Context,
        tables: &Tables,
        sink: &mut S,
    ) -> Result<Outcome, Inconsistency> {
        need(context.thread != NONE, event.kind, "a thread")?;
        need(context.goroutine != NONE, event.kind, "a goroutine")?;
        self.need_status(event.kind, context.slot, status::GO_SYSCALL)?;
        if context.proc != NONE {
            let state = &mut self.procs[self.threads[index].proc_index as usize];
            if state.status != status::PROC_SYSCALL {
                return Err(wrong_proc_state(event.kind, state));
            }
            state.status = status::PROC_SYSCALL_ABANDONED;
            self.threads[index].proc = NONE;
            let args = [context.proc as u64, 0, 0, status::PROC_SYSCALL];
            self.emit_derived(
                EventType::ProcSteal,
                event.time,
                args,
                context,
                NO_SLOT,
                tables,
                sink,
            );
        }
        self.remove_goroutine(context.slot);
        self.unbind(index);
        Ok(Outcome::Done(NO_SLOT))
    }

    /// The mark phase has sequence numbers at both ends, because they are on different threads.
    #[inline(never)]
    fn gc(
        &mut self,
        kind: EventType,
        seq: u64,
        context: Context,
    ) -> Result<Outcome, Inconsistency> {
        let done = Ok(Outcome::Done(NO_SLOT));
        let is_first = match kind {
            EventType::GCActive => self.is_initial,
            EventType::GCBegin => self.gc_state == GcState::Undetermined,
            _ => false,
        };
        if is_first {
            if self.gc_state != GcState::Undetermined {
                return Err("GCActive: not the first GC event of the trace;".into());
            }
            (self.gc_seq, self.gc_state) = (seq, GcState::Running);
            return done;
        }
        if seq != self.gc_seq.wrapping_add(1) {
            return Ok(Outcome::NotYet);
        }
        let should_run = kind != EventType::GCBegin;
        if (self.gc_state == GcState::Running) != should_run {
            let what = if should_run { "no GC cycle runs;" } else { "a GC cycle runs already;" };
            return Err(format!("{}: {what}", kind.name()).into());
        }
        need_all(kind, context)?;
        self.gc_seq = seq;
        self.gc_state =
            if kind == EventType::GCEnd { GcState::NotRunning } else { GcState::Running };
        done
    }

    #[inline(never)]
    fn task_begin(&mut self, args: &mut [u64; MAX_ARGS], context: Context, tables: &Tables) {
        // 0 is the background task elsewhere, but here it means no parent.
        if args[1] == 0 {
            args[1] = NO_TASK;
        }
        if !self.annotations.begin_task(args[0], args[1], args[2], tables) {
            let message = format!("UserTaskBegin: task {} has begun already", args[0]);
            self.report(Code::TaskMisuse, context.thread, message);
        }
    }

    #[inline(never)]
    fn region_end(&mut self, args: &[u64; MAX_ARGS], context: Context, tables: &Tables) {
        let innermost = &mut self.goroutines.get(context.slot).innermost_region;
        let end = self.annotations.end_region(innermost, args[0], args[1], tables);
        if let RegionEnd::Misplaced(innermost) = end {
            let message = format!(
                "goroutine {}: region {:?} ended while {:?} is the innermost",
                context.goroutine,
                String::from_utf8_lossy(tables.string(args[1]).unwrap_or(b"")),
                String::from_utf8_lossy(&innermost),
            );
            self.report(Code::RegionMisuse, context.thread, message);
        }
    }
}

/// Whether a sequence number is the next one of the same generation.
#[inline(always)]
fn succeeds(generation: u32, seq: u64, last_generation: u32, last: u64) -> bool {
    generation == last_generation && seq == last.wrapping_add(1)
}

#[inline(always)]
fn need(is_met: bool, kind: EventType, what: &'static str) -> Result<(), Inconsistency> {
    if is_met { Ok(()) } else { Err(unmet(kind, what)) }
}

#[inline(always)]
fn need_thread_and_proc(kind: EventType, context: Context) -> Result<(), Inconsistency> {
    need(context.thread != NONE, kind, "a thread")?;
    need(context.proc != NONE, kind, "a proc")
}

/// Most events are of user code, which has all three.
#[inline(always)]
fn need_all(kind: EventType, context: Context) -> Result<(), Inconsistency> {
    need_thread_and_proc(kind, context)?;
    need(context.goroutine != NONE, kind, "a goroutine")
}

#[cold]
fn unmet(kind: EventType, what: &'static str) -> Inconsistency {
    format!("{}: want {what} at this point;", kind.name()).into()
}

#[cold]
fn wrong_go_state(kind: EventType, state: &Goroutine, want: u64) -> Inconsistency {
    let word = |status| status::go_state(status).unwrap_or(GoState::Undetermined).as_str();
    format!(
        "{}: goroutine {} is {}, want {};",
        kind.name(),
        state.goid,
        word(u64::from(state.status)),
        word(want)
    )
    .into()
}

#[cold]
fn wrong_proc_state(kind: EventType, state: &Proc) -> Inconsistency {
    let word = status::proc_state(state.status).unwrap_or(ProcState::Undetermined).as_str();
    format!("{}: proc {} is {word} with status {};", kind.name(), state.id, state.status).into()
}
