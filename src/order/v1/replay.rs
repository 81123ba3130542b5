//! Merging the procs' events: the earliest of those that may come next goes next.
//!
//! Source: Go 1.27 `internal/trace/internal/tracev1/parser.go` (parseEventBatches). The heap and the
//! list of procs that wait are Go's, operation for operation, because which of two events with
//! equal times comes first depends on how they were filled.
//!
//! Where Go gives up, this goes on. In a trace that Go accepts, an event that must wait is never
//! earlier than one that goes ahead of it: Go checks that all events come out in order of time. So
//! an event that has waited for long is waiting for something that is not in the file, and its
//! goroutine is taken to be where the event needs it.

use super::exits::{Exit, Exits};
use super::foresight::{Foresight, Rehearsal};
use super::output::{Output, Tallies};
use super::rules::{Goroutine, On, RULES, Seq, Status};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::order::Sink;
use crate::order::event::{Event, GoSlot, GoState, NO_SLOT, NONE};
use crate::order::frontier::{Candidate, Frontier};
use crate::order::goroutines::Goroutines;
use crate::source::RandomAccess;
use crate::wire::v1::{CpuSample, Cursor, CursorError, EventType, ProcBatches, Scan, WireEvent};
use crate::wire::v2::{Generation, Tables};
use crate::wire::{Version, sort_like_go};
use std::collections::{BTreeSet, HashMap};

/// How far others may go ahead of an event that has to wait, clock ticks: 0.1 to 0.2 ms. Clocks of
/// different cores that differ by less are only reported.
const PATIENCE: i64 = 1 << 13;

/// What feeds a stream.
enum Feed {
    /// The batches of the proc at this index of the scan.
    Batches(Cursor),
    /// The CPU samples from this index on.
    Samples(usize),
}

/// A stream whose next event cannot come yet.
#[derive(Clone, Copy)]
struct Waiting {
    stream: u32,
    /// It may come when something happens to this goroutine.
    goroutine: u64,
}

/// Whether an event can come.
enum Ready {
    /// Now; with the slot of the goroutine it depends on or happens on.
    Now(GoSlot),
    /// Not before something happens to this goroutine; and how long, in clock ticks, it is worth
    /// to wait for that.
    After(u64, i64),
}

/// Stands for the GC where a goroutine is waited for.
const GC: u64 = u64::MAX;

/// The events of a proc, or the CPU samples.
pub(super) struct Stream {
    feed: Feed,
    /// Number of the proc; -1 for none.
    pub proc: i64,
    /// The next event.
    event: WireEvent,
    has_event: bool,
    /// Slot of the goroutine that runs on the proc.
    pub slot: GoSlot,
    /// The thread that has the proc.
    pub thread: Option<i64>,
    pub is_seen: bool,
    pub is_running: bool,
    pub is_sweeping: bool,
}

/// The state of the merge, and of the conversion in `convert.rs`.
pub(super) struct Replay<'a, S> {
    input: &'a RandomAccess,
    pub(super) scan: Scan,
    pub(super) diagnostics: &'a mut Diagnostics,
    streams: Vec<Stream>,
    frontier: Frontier,
    /// Streams that are not in the frontier, because their next event cannot come yet, and the
    /// goroutine it waits for.
    waiting: Vec<Waiting>,
    /// Of the events that wait, the one that is first to have waited long enough: when that is, in
    /// clock ticks, and its stream.
    overdue: Option<(i64, u32)>,
    /// Whether a stream that waits has to be looked at again.
    pub(super) has_news: bool,
    exits: Exits,
    /// What a merge before this one has shown, if something was doubtful.
    foresight: Option<Foresight>,
    /// If this is that merge.
    pub(super) rehearsal: Option<Rehearsal>,
    has_begun: bool,
    /// Time of the last event in clock ticks.
    last_ticks: i64,
    gc_seq: u64,
    pub(super) goroutines: Goroutines<Goroutine>,
    pub(super) out: Output<'a, S>,
    pub(super) tallies: Tallies,
    /// Goroutines that existed before the trace and whose state was not told yet; `None` once all
    /// that existed are known.
    pub(super) unannounced: Option<BTreeSet<u64>>,
    /// Parent and name of tasks that have begun and not ended.
    pub(super) tasks: HashMap<u64, (u64, u64)>,
    /// Open regions of the goroutines that have any: task and name, outermost first.
    pub(super) regions: HashMap<GoSlot, Vec<(u64, u64)>>,
    /// Kind of the stop-the-world under way, and the stream it began on.
    pub(super) stopped: Option<(u64, u32)>,
    pub(super) in_gc: bool,
}

impl<'a, S: Sink> Replay<'a, S> {
    pub fn new(
        input: &'a RandomAccess,
        mut scan: Scan,
        sink: &'a mut S,
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        let out = Output::new(&mut scan, sink, diagnostics);
        // Samples are written late, in the order in which their buffer was emptied.
        sort_like_go(&mut scan.samples, |a: &CpuSample, b| a.ticks < b.ticks);
        let mut replay = Replay {
            input,
            diagnostics,
            streams: Vec::new(),
            frontier: Frontier::default(),
            waiting: Vec::new(),
            overdue: None,
            has_news: true,
            exits: Exits::new(&scan.procs, scan.version),
            foresight: None,
            rehearsal: None,
            has_begun: false,
            last_ticks: i64::MIN,
            gc_seq: 0,
            goroutines: Goroutines::default(),
            out,
            tallies: Tallies::default(),
            unannounced: Some(BTreeSet::new()),
            tasks: HashMap::new(),
            regions: HashMap::new(),
            stopped: None,
            in_gc: false,
            scan,
        };
        for index in 0..=replay.scan.procs.len() {
            let (proc, feed) = match replay.scan.procs.get(index) {
                Some(batches) => {
                    (i64::from(batches.proc), Feed::Batches(Cursor::new(replay.scan.version)))
                }
                None => (NONE, Feed::Samples(0)),
            };
            replay.streams.push(Stream {
                feed,
                proc,
                event: WireEvent::NONE,
                has_event: false,
                slot: NO_SLOT,
                thread: None,
                is_seen: false,
                is_running: false,
                is_sweeping: false,
            });
            replay.next_event(index);
            replay.waiting.push(Waiting { stream: index as u32, goroutine: 0 });
        }
        replay
    }

    /// Hands out all events.
    pub fn run(&mut self) {
        loop {
            if self.out.is_done() {
                return;
            }
            if self.has_news {
                self.admit();
            }
            let first = self.frontier.get(0);
            if let Some((deadline, stream)) = self.overdue
                && first.is_none_or(|first| first.time > deadline)
            {
                self.force(stream);
                continue;
            }
            let Some(Candidate { cursor: stream, .. }) = first else {
                break;
            };
            self.frontier.remove(0);
            // Another event may have changed the goroutine since this one was let in.
            if let Ready::Now(slot) = self.readiness(stream) {
                self.take(stream, slot);
            }
            self.readmit(stream);
        }
        self.exits_before(i64::MAX);
    }

    /// Ends the trace; returns the number of events and the time of the last.
    pub fn finish(mut self) -> (u64, i64) {
        self.out.end();
        self.tallies.too_late = std::mem::take(&mut self.out.too_late);
        std::mem::take(&mut self.tallies).report(self.diagnostics);
        (self.out.events, self.out.last_time())
    }

    /// Begins the trace, if this is its first event.
    #[inline(always)]
    pub(super) fn begin(&mut self, ticks: i64) {
        if !self.has_begun {
            self.has_begun = true;
            self.out.begin(ticks);
        }
    }

    /// Puts a stream whose event was taken back into the frontier, or lets it wait. Go looks at all
    /// streams that wait after each event; only those need it for whose goroutine something
    /// happened.
    #[inline(always)]
    fn readmit(&mut self, stream: u32) {
        if self.has_news || !self.streams[stream as usize].has_event {
            self.waiting.push(Waiting { stream, goroutine: 0 });
            self.has_news = true;
            return;
        }
        let time = self.streams[stream as usize].event.ticks;
        match self.readiness(stream) {
            Ready::Now(_) => self.frontier.insert(Candidate { time, cursor: stream }),
            Ready::After(goroutine, patience) => {
                self.waiting.push(Waiting { stream, goroutine });
                self.note_waiting(time.saturating_add(patience), stream);
            }
        }
    }

    #[inline(always)]
    fn note_waiting(&mut self, deadline: i64, stream: u32) {
        if self.overdue.is_none_or(|(other, _)| deadline < other) {
            self.overdue = Some((deadline, stream));
        }
    }

    /// Something happened to a goroutine.
    #[inline(always)]
    fn wake(&mut self, goroutine: u64) {
        self.has_news |= self.waiting.iter().any(|waiting| waiting.goroutine == goroutine);
    }

    /// Moves streams whose next event can come into the frontier.
    #[inline(never)]
    fn admit(&mut self) {
        self.has_news = false;
        self.overdue = None;
        let mut place = 0;
        while let Some(&Waiting { stream, .. }) = self.waiting.get(place) {
            let state = &self.streams[stream as usize];
            let time = state.event.ticks;
            if !state.has_event {
                self.waiting.swap_remove(place);
                continue;
            }
            match self.readiness(stream) {
                Ready::Now(_) => {
                    self.waiting.swap_remove(place);
                    self.frontier.insert(Candidate { time, cursor: stream });
                }
                Ready::After(goroutine, patience) => {
                    self.waiting[place].goroutine = goroutine;
                    self.note_waiting(time.saturating_add(patience), stream);
                    place += 1;
                }
            }
        }
    }

    /// The live goroutine with this number.
    #[inline(always)]
    pub(super) fn find(&self, goid: u64) -> Option<GoSlot> {
        self.goroutines.find(goid as i64)
    }

    /// Whether the next event of a stream can come now.
    #[inline(always)]
    fn readiness(&mut self, stream: u32) -> Ready {
        let event = &self.streams[stream as usize].event;
        let rule = &RULES[event.kind as usize];
        let goid = match rule.on {
            On::Nothing | On::Current => event.goroutine,
            On::First | On::New => event.args[0],
            On::Gc if event.args[0] != self.gc_seq => {
                return Ready::After(GC, if event.args[0] < self.gc_seq { 0 } else { PATIENCE });
            }
            On::Gc => event.goroutine,
        };
        let slot = match rule.on {
            On::First | On::New => self.find(goid),
            // Its goroutine was in lost bytes, or it has none; there is nothing to wait for.
            _ if goid == 0 => return Ready::Now(NO_SLOT),
            _ => self.current(stream),
        };
        let event = &self.streams[stream as usize].event;
        match (rule.on, slot) {
            (On::Nothing | On::Gc, slot) => Ready::Now(slot.unwrap_or(NO_SLOT)),
            (On::New, None) => Ready::Now(NO_SLOT),
            // Numbers are not used again.
            (On::New, Some(_)) => Ready::After(goid, 0),
            (_, None) => Ready::After(goid, PATIENCE),
            (_, Some(slot)) => {
                let goroutine = self.goroutines.get(slot);
                if rule.allows(goroutine, event) {
                    Ready::Now(slot)
                } else if rule.is_hopeless(goroutine, event) {
                    Ready::After(goid, 0)
                } else {
                    Ready::After(goid, PATIENCE)
                }
            }
        }
    }

    /// Slot of the goroutine that creates another with the next event of a stream.
    #[inline(always)]
    fn creator(&mut self, stream: u32) -> GoSlot {
        if self.streams[stream as usize].event.goroutine == 0 {
            return NO_SLOT;
        }
        self.current(stream).unwrap_or(NO_SLOT)
    }

    /// Slot of the goroutine on which the next event of a stream happens.
    #[inline(always)]
    fn current(&mut self, stream: u32) -> Option<GoSlot> {
        let state = &self.streams[stream as usize];
        let goid = state.event.goroutine;
        // The slot may belong to another goroutine by now, but only in a damaged trace.
        if state.slot != NO_SLOT && self.goroutines.get(state.slot).goid == goid as i64 {
            return Some(self.streams[stream as usize].slot);
        }
        self.find(goid)
    }

    /// Lets the next event of a stream happen.
    #[inline(always)]
    fn take(&mut self, stream: u32, mut slot: GoSlot) {
        let index = stream as usize;
        let event = self.streams[index].event;
        if event.ticks >= self.exits.earliest() {
            self.exits_before(event.ticks);
        }
        if let Some(rehearsal) = &mut self.rehearsal {
            rehearsal.note(&event);
        }
        if event.ticks < self.last_ticks {
            self.note_backwards(&event, stream);
        }
        self.last_ticks = self.last_ticks.max(event.ticks);
        self.begin(event.ticks);
        if event.follows_loss {
            self.forget_stream(&event, stream);
            if let Ready::Now(now) = self.readiness(stream) {
                slot = now;
            }
        }
        let rule = &RULES[event.kind as usize];
        match rule.on {
            On::Nothing if event.kind == EventType::GoEnd => self.wake(event.goroutine),
            On::Nothing => {}
            On::Gc => {
                self.gc_seq = self.gc_seq.wrapping_add(1);
                self.wake(GC);
            }
            On::New => {
                self.goroutines.add(Goroutine::new(event.args[0], 1, Status::Runnable));
                slot = self.creator(stream);
                self.wake(event.args[0]);
            }
            On::Current | On::First if slot != NO_SLOT => {
                let goroutine = self.goroutines.get(slot);
                rule.apply(goroutine, &event);
                let goid = goroutine.goid as u64;
                self.wake(goid);
            }
            On::Current | On::First => {}
        }
        // The next event is decoded first: a system call must know whether it blocks.
        self.next_event(index);
        self.convert(&event, stream, slot);
    }

    /// Whether the goroutine of a `GoSysCall` that was just taken from a stream loses its proc in
    /// the call: whether its next event is a `GoSysBlock` (Go 1.27 tracev1.go, convertEvent).
    ///
    /// Go looks for the goroutine's next event among all that follow. That can only be the next one
    /// of the same stream, or a CPU sample: until an event of this proc ends its run, the goroutine
    /// cannot start elsewhere, and every event of this proc that is not about another goroutine
    /// happens on it; events about another (its start, its return from a system call, its state
    /// when the trace begins) cannot come while the proc is taken. Go refuses traces where it is
    /// otherwise (postProcessTrace, checkRunning), so it does not matter that the look-ahead ends
    /// after one event, at the end of what the trace has of the stream, and where bytes were lost.
    pub(super) fn blocks(&mut self, call: &WireEvent, stream: u32) -> bool {
        let state = &self.streams[stream as usize];
        let next = &state.event;
        if !state.has_event
            || next.follows_loss
            || next.kind != EventType::GoSysBlock
            || next.goroutine != call.goroutine
        {
            return false;
        }
        // A sample of the goroutine in between makes Go see the call as one that does not block.
        let Some(Stream { feed: Feed::Samples(behind), has_event, .. }) = self.streams.last()
        else {
            return true;
        };
        let sample = self.scan.samples[behind - usize::from(*has_event)..]
            .iter()
            .take_while(|sample| sample.ticks <= next.ticks)
            .find(|sample| sample.goroutine == call.goroutine);
        match sample {
            None => true,
            Some(sample) if sample.ticks < next.ticks => false,
            Some(_) => !self.is_sample_first(call.goroutine),
        }
    }

    /// Whether the next sample of a goroutine comes before the end of its run, which has the same time.
    #[cold]
    fn is_sample_first(&mut self, goroutine: u64) -> bool {
        if let Some(rehearsal) = &mut self.rehearsal {
            rehearsal.open(goroutine);
            return false;
        }
        self.foresee().samples_first.pop_front().unwrap_or(false)
    }

    fn foresee(&mut self) -> &mut Foresight {
        let (input, version) = (self.input, self.scan.version);
        self.foresight.get_or_insert_with(|| rehearse(input, version))
    }

    /// Hands out the system calls that ended before `ticks`.
    #[cold]
    #[inline(never)]
    fn exits_before(&mut self, ticks: i64) {
        while let Some(exit) = self.exits.pop_before(ticks, self.input) {
            if self.rehearsal.is_none() && self.exits.is_doubtful(&exit) {
                let ranks = std::mem::take(&mut self.foresee().ranks);
                self.exits.order_by(ranks, exit);
                continue;
            }
            self.exit(exit);
        }
    }

    /// Hands out the end of a system call before the event that tells of it comes.
    fn exit(&mut self, exit: Exit) {
        let Some(slot) = self.find(exit.goroutine) else {
            return;
        };
        // Where it does not fit, the event itself will be used when it comes.
        if self.goroutines.get(slot).blocked_at.is_some_and(|blocked| blocked <= exit.ticks) {
            self.end_system_call(slot, exit.ticks);
        }
    }

    /// Hands out a `GoSysExit` later than it comes.
    pub(super) fn delay_exit(&mut self, event: &WireEvent) {
        self.exits.push(event.args[2] as i64, event.ticks, event.args[0]);
    }

    /// Makes the next event of a stream possible, and lets it happen.
    #[cold]
    #[inline(never)]
    fn force(&mut self, stream: u32) {
        self.waiting.retain(|waiting| waiting.stream != stream);
        self.has_news = true;
        let event = self.streams[stream as usize].event;
        let rule = &RULES[event.kind as usize];
        match rule.on {
            On::Gc => self.gc_seq = event.args[0],
            On::New => {
                self.drop_event(&event, stream, "the goroutine exists already");
                self.next_event(stream as usize);
                return self.waiting.push(Waiting { stream, goroutine: 0 });
            }
            On::Nothing => {}
            On::Current | On::First => {
                let goid = if rule.on == On::First { event.args[0] } else { event.goroutine };
                let needed = match (event.kind, rule.needs) {
                    (EventType::GoWaiting | EventType::GoInSyscall, _) => None,
                    (EventType::GoSysExit | EventType::GoSysExitLocal, _) => Some(GoState::Syscall),
                    (EventType::GoSysBlock, _) => Some(GoState::Syscall),
                    (_, Status::Runnable) => Some(GoState::Runnable),
                    (_, Status::Running) => Some(GoState::Running),
                    (_, _) => Some(GoState::Waiting),
                };
                let slot = self.assume(goid, needed, &event, stream);
                let goroutine = self.goroutines.get(slot);
                goroutine.status = rule.needs;
                match rule.seq {
                    Seq::Keeps | Seq::Counts => {}
                    Seq::Is(seq) => goroutine.seq = seq,
                    Seq::Argument => goroutine.seq = event.args[1],
                }
                goroutine.blocked_at = match needed {
                    Some(GoState::Syscall) if event.kind != EventType::GoSysBlock => {
                        Some(event.ticks)
                    }
                    _ => None,
                };
            }
        }
        match self.readiness(stream) {
            Ready::Now(slot) => self.take(stream, slot),
            // Cannot be; but an event that stays would stay for ever.
            Ready::After(..) => self.next_event(stream as usize),
        }
        self.waiting.push(Waiting { stream, goroutine: 0 });
    }

    #[cold]
    fn note_backwards(&mut self, event: &WireEvent, stream: u32) {
        let by = self.out.time(self.last_ticks).saturating_sub(self.out.time(event.ticks));
        let place = self.offset_near(stream);
        self.tallies.backwards.add(|| (place, format!("{} by {by} ns", event.kind.name())));
    }

    /// An absolute byte offset near the event last taken from a stream.
    pub(super) fn offset_near(&self, stream: u32) -> u64 {
        match &self.streams[stream as usize].feed {
            Feed::Batches(cursor) => cursor.offset(),
            Feed::Samples(_) => 0,
        }
    }

    /// Whether an event of this time, or an earlier one, is still to come, while one of `stream` is
    /// converted: a stream is that one, in the frontier, or waiting.
    pub(super) fn has_event_until(&self, ticks: i64, stream: u32) -> bool {
        let is_until = |stream: u32| {
            let stream = &self.streams[stream as usize];
            stream.has_event && stream.event.ticks <= ticks
        };
        is_until(stream)
            || self.frontier.get(0).is_some_and(|first| first.time <= ticks)
            || self.waiting.iter().any(|waiting| is_until(waiting.stream))
    }

    pub(super) fn stream(&mut self, stream: u32) -> &mut Stream {
        &mut self.streams[stream as usize]
    }

    /// Moves a stream to its next event.
    #[inline(always)]
    fn next_event(&mut self, index: usize) {
        let stream = &mut self.streams[index];
        match &mut stream.feed {
            Feed::Batches(cursor) => {
                let batches = &self.scan.procs[index].batches;
                match cursor.next(&mut stream.event, self.input, batches, &self.scan.logs) {
                    Ok(more) => stream.has_event = more,
                    Err(error) => self.skip_damage(index, error),
                }
            }
            Feed::Samples(position) => {
                stream.has_event = *position < self.scan.samples.len();
                if let Some(sample) = self.scan.samples.get(*position) {
                    *position += 1;
                    stream.event = WireEvent {
                        ticks: sample.ticks,
                        kind: EventType::CPUSample,
                        goroutine: sample.goroutine,
                        args: [0, sample.proc as i64 as u64, sample.goroutine, 0],
                        stack: sample.stack,
                        follows_loss: false,
                    };
                }
            }
        }
    }

    /// Skips damaged batches of a stream until one has an event.
    #[cold]
    #[inline(never)]
    fn skip_damage(&mut self, index: usize, mut error: CursorError) {
        let ProcBatches { proc, batches, .. } = &self.scan.procs[index];
        let stream = &mut self.streams[index];
        let Feed::Batches(cursor) = &mut stream.feed else {
            return;
        };
        loop {
            let offset = cursor.offset();
            let lost = cursor.skip_batch();
            let message = format!("proc {proc}: {error}; skipped the rest of the batch");
            self.diagnostics.push(
                Diagnostic::new(Code::BadEvent, message).at_offset(offset).losing_bytes(lost),
            );
            match cursor.next(&mut stream.event, self.input, batches, &self.scan.logs) {
                Ok(more) => {
                    stream.has_event = more;
                    return;
                }
                Err(next) => error = next,
            }
        }
    }
}

/// Takes all events and does nothing with them.
struct Nobody;

impl Sink for Nobody {
    fn sync(&mut self, _: &crate::order::Sync, _: Option<&Generation>) {}
    fn event(&mut self, _: &Event, _: &Tables) {}
}

/// Merges the whole trace, to see what comes.
#[cold]
#[inline(never)]
fn rehearse(input: &RandomAccess, version: Version) -> Foresight {
    let mut nobody = Nobody;
    let (mut of_scan, mut of_replay) = (Diagnostics::default(), Diagnostics::default());
    let scan = Scan::new(input, version, &mut of_scan);
    let mut replay = Replay::new(input, scan, &mut nobody, &mut of_replay);
    replay.rehearsal = Some(Rehearsal::default());
    replay.run();
    let rehearsal = replay.rehearsal.take().unwrap_or_default();
    rehearsal.finish()
}
