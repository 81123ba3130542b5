//! One wire event of the old format to the events of the new one.
//!
//! Source: Go 1.27 `internal/trace/tracev1.go` (convertEvent), and what `tracev1/parser.go`
//! (postProcessTrace) finds out before: where a wake-up came from, and whether events fit together.
//! Where Go refuses a trace because they do not, the event is left out, or what must have been
//! before it is made up from it, and both are reported.

use super::output::{Text, Who};
use super::replay::Replay;
use super::rules::{Goroutine, Status};
use crate::diagnostic::{Code, Diagnostic};
use crate::order::Sink;
use crate::order::event::{GoSlot, GoState, NO_SLOT, NONE, ProcState, status};
use crate::wire::v1::{EventType as Old, WireEvent};
use crate::wire::v2::EventType as New;
use crate::wire::v2::spec::MAX_ARGS;

// Events that belong to no proc get these numbers (parser.go, TimerP and following).
/// Wake-ups by timers.
const TIMER_PROC: i64 = 1_000_001;
/// Wake-ups by the network poller.
const NETPOLL_PROC: i64 = 1_000_002;
/// Returns from system calls.
const SYSCALL_PROC: i64 = 1_000_003;
/// The beginning of mark phases.
const GC_PROC: i64 = 1_000_004;

/// "No parent task" in the new format (event.go, NoTask).
const NO_TASK: u64 = u64::MAX;

/// Tasks that are remembered until they end. A program with more of them under way is broken.
const MAX_TASKS: usize = 1 << 20;

/// `GoStatus` arguments: goroutine, no thread, states before and after.
fn go_status(goid: u64, before: GoState, status: u64) -> [u64; MAX_ARGS] {
    [goid, NONE as u64, (before as u64) << 32 | status, 0]
}

/// The number of a state on the wire.
fn wire_status(state: GoState) -> u64 {
    match state {
        GoState::Runnable => status::GO_RUNNABLE,
        GoState::Running => status::GO_RUNNING,
        GoState::Waiting => status::GO_WAITING,
        GoState::Syscall => status::GO_SYSCALL,
        GoState::Undetermined | GoState::NotExist => 0,
    }
}

impl<S: Sink> Replay<'_, S> {
    /// Hands out what `event` of a stream stands for. `slot` is that of the goroutine on which it
    /// happened.
    #[inline(always)]
    pub(super) fn convert(&mut self, event: &WireEvent, stream: u32, slot: GoSlot) {
        if self.unannounced.is_some() {
            self.end_init_without_mark(event, stream);
        }
        let args = event.args;
        let ticks = event.ticks;
        let stack = self.stack(event, stream);
        let proc = self.stream(stream).proc;
        let mut who = Who {
            thread: self.stream(stream).thread.unwrap_or(NONE),
            proc,
            goroutine: if event.goroutine == 0 { NONE } else { event.goroutine as i64 },
            slot,
        };
        match event.kind {
            Old::GoCreate => self.create(event, stream, who, stack),
            Old::GoStart | Old::GoStartLocal | Old::GoStartLabel => self.start(event, stream, who),
            Old::GoEnd => {
                if self.leaves(event, stream, &mut who) {
                    self.emit(New::GoDestroy, ticks, [0; MAX_ARGS], who, NO_SLOT);
                    if self.goroutines.get(who.slot).has_regions {
                        self.regions.remove(&who.slot);
                    }
                    self.goroutines.remove(who.slot);
                    // In a damaged trace another proc may still think that it runs there.
                    let ended = self.goroutines.get(who.slot);
                    (ended.goid, ended.status) = (NONE, Status::Lost);
                }
            }
            Old::GoSched => self.stop(event, stream, who, stack, Text::Gosched),
            Old::GoPreempt => self.stop(event, stream, who, stack, Text::Preempted),
            Old::GoStop => self.block(event, stream, who, stack, Text::Forever),
            Old::GoSleep => self.block(event, stream, who, stack, Text::Sleep),
            Old::GoBlock => self.block(event, stream, who, stack, Text::Empty),
            Old::GoBlockSend => self.block(event, stream, who, stack, Text::ChanSend),
            Old::GoBlockRecv => self.block(event, stream, who, stack, Text::ChanReceive),
            Old::GoBlockSelect => self.block(event, stream, who, stack, Text::Select),
            Old::GoBlockSync => self.block(event, stream, who, stack, Text::Sync),
            Old::GoBlockCond => self.block(event, stream, who, stack, Text::SyncCond),
            Old::GoBlockNet => self.block(event, stream, who, stack, Text::Network),
            Old::GoBlockGC => self.block(event, stream, who, stack, Text::MarkAssistWait),
            Old::GoUnblock | Old::GoUnblockLocal => {
                // Its slot was looked up as the goroutine the event is about.
                let subject = slot;
                let goroutine = self.goroutines.get(subject);
                goroutine.shown = GoState::Runnable;
                let from_network = std::mem::take(&mut goroutine.waits_for_network);
                let from_timer = self.scan.timer_goroutines.contains(&event.goroutine);
                who.slot = if event.goroutine == 0 { NO_SLOT } else { self.stream(stream).slot };
                if from_network || from_timer {
                    who.proc = if from_network { NETPOLL_PROC } else { TIMER_PROC };
                    who.thread = NONE;
                }
                let args = [args[0], args[1], stack, 0];
                self.emit(New::GoUnblock, ticks, args, who, subject);
            }
            Old::GoSysCall => self.system_call(event, stream, who, stack),
            Old::GoSysBlock => {
                if self.leaves(event, stream, &mut who) {
                    self.goroutines.get(who.slot).blocked_at = Some(ticks);
                }
            }
            Old::GoSysExit | Old::GoSysExitLocal => {
                let is_late = event.kind == Old::GoSysExit && args[2] as i64 > ticks;
                if self.goroutines.get(slot).blocked_at.is_none() {
                    // It was handed out where it happened.
                } else if is_late {
                    self.delay_exit(event);
                } else {
                    self.end_system_call(slot, ticks);
                }
            }
            Old::GoWaiting | Old::GoInSyscall => {
                let in_call = event.kind == Old::GoInSyscall;
                let state = if in_call { GoState::Syscall } else { GoState::Waiting };
                let goroutine = self.goroutines.get(slot);
                goroutine.waits_for_network = false;
                goroutine.blocked_at = in_call.then_some(ticks);
                goroutine.shown = state;
                if let Some(unannounced) = &mut self.unannounced {
                    unannounced.remove(&args[0]);
                }
                let args = go_status(args[0], GoState::Undetermined, wire_status(state));
                self.emit(New::GoStatus, ticks, args, who, slot);
            }

            Old::Gomaxprocs => match self.unannounced.take() {
                Some(unannounced) => self.announce(unannounced, ticks),
                None => self.emit(New::ProcsChange, ticks, [args[0], stack, 0, 0], who, NO_SLOT),
            },
            Old::ProcStart => {
                let state = self.stream(stream);
                let was_running = std::mem::replace(&mut state.is_running, true);
                state.thread = Some(args[0] as i64);
                who.thread = args[0] as i64;
                if !std::mem::replace(&mut state.is_seen, true) {
                    let args = [proc as u64, status::PROC_RUNNING, 0, 0];
                    return self.emit(New::ProcStatus, ticks, args, who, NO_SLOT);
                }
                if was_running {
                    self.assume_proc(ProcState::Running, event, stream);
                }
                self.emit(New::ProcStart, ticks, [proc as u64, 0, 0, 0], who, NO_SLOT);
            }
            Old::ProcStop => {
                let state = self.stream(stream);
                let was_running = std::mem::replace(&mut state.is_running, false);
                state.thread = None;
                if !std::mem::replace(&mut state.is_seen, true) {
                    let args = [proc as u64, status::PROC_IDLE, 0, 0];
                    return self.emit(New::ProcStatus, ticks, args, who, NO_SLOT);
                }
                if !was_running {
                    self.assume_proc(ProcState::Idle, event, stream);
                }
                self.emit(New::ProcStop, ticks, [proc as u64, 0, 0, 0], who, NO_SLOT);
            }

            Old::GCStart => {
                if std::mem::replace(&mut self.in_gc, true) {
                    return self.drop_range(event, stream, "has begun already");
                }
                (who.thread, who.proc) = (NONE, GC_PROC);
                self.emit(New::GCBegin, ticks, [args[0], stack, 0, 0], who, NO_SLOT);
            }
            Old::GCDone => {
                if !std::mem::replace(&mut self.in_gc, false) {
                    return self.drop_range(event, stream, "has not begun");
                }
                self.emit(New::GCEnd, ticks, [0; MAX_ARGS], who, NO_SLOT);
            }
            Old::STWStart => {
                if self.stopped.is_some() {
                    return self.drop_range(event, stream, "has begun already");
                }
                let kind = self.stop_the_world_kind(args[0]);
                self.stopped = Some((kind, stream));
                self.emit(New::STWBegin, ticks, [kind, 0, 0, 0], who, NO_SLOT);
            }
            Old::STWDone => match self.stopped.take() {
                Some((kind, _)) => self.emit(New::STWEnd, ticks, [kind, 0, 0, 0], who, NO_SLOT),
                None => self.drop_range(event, stream, "has not begun"),
            },
            Old::GCSweepStart => {
                if std::mem::replace(&mut self.stream(stream).is_sweeping, true) {
                    return self.drop_range(event, stream, "has begun already");
                }
                self.emit(New::GCSweepBegin, ticks, [stack, 0, 0, 0], who, NO_SLOT);
            }
            Old::GCSweepDone => {
                if !std::mem::replace(&mut self.stream(stream).is_sweeping, false) {
                    return self.drop_range(event, stream, "has not begun");
                }
                self.emit(New::GCSweepEnd, ticks, [args[0], args[1], 0, 0], who, NO_SLOT);
            }
            Old::GCMarkAssistStart => {
                if slot != NO_SLOT
                    && std::mem::replace(&mut self.goroutines.get(slot).in_mark_assist, true)
                {
                    return self.drop_range(event, stream, "has begun already");
                }
                self.emit(New::GCMarkAssistBegin, ticks, [stack, 0, 0, 0], who, NO_SLOT);
            }
            Old::GCMarkAssistDone => {
                // The assist may have begun before the trace.
                if slot != NO_SLOT {
                    self.goroutines.get(slot).in_mark_assist = false;
                }
                self.emit(New::GCMarkAssistEnd, ticks, [0; MAX_ARGS], who, NO_SLOT);
            }
            Old::HeapAlloc => self.emit(New::HeapAlloc, ticks, [args[0], 0, 0, 0], who, NO_SLOT),
            Old::HeapGoal => self.emit(New::HeapGoal, ticks, [args[0], 0, 0, 0], who, NO_SLOT),

            Old::UserTaskCreate => self.task_create(event, stream, who, stack),
            Old::UserTaskEnd => {
                let (parent, name) = self.tasks.remove(&args[0]).unwrap_or((NO_TASK, 0));
                let name = self.extra_string(name);
                let args = [args[0], stack, parent, name];
                self.emit(New::UserTaskEnd, ticks, args, who, NO_SLOT);
            }
            Old::UserRegion => self.region(event, stream, who, stack),
            Old::UserLog => {
                let args = [args[0], args[1], args[3], stack];
                self.emit_named(New::UserLog, event, stream, args, who);
            }
            Old::CPUSample => {
                who.proc = args[1] as i64;
                who.thread = NONE;
                let args = [stack, NONE as u64, args[1], args[2]];
                self.emit(New::CPUSample, ticks, args, who, NO_SLOT);
            }
            Old::FutileWakeup => self.drop_event(event, stream, "no event stands for it"),
            Old::Batch | Old::Frequency | Old::Stack | Old::TimerGoroutine | Old::String => {}
        }
    }

    #[inline(always)]
    fn emit(&mut self, kind: New, ticks: i64, args: [u64; MAX_ARGS], who: Who, subject: GoSlot) {
        let time = self.out.time(ticks);
        self.out.emit(kind, time, args, who, subject);
    }

    /// Hands out an event with strings.
    fn emit_named(
        &mut self,
        kind: New,
        event: &WireEvent,
        stream: u32,
        mut args: [u64; MAX_ARGS],
        who: Who,
    ) {
        if self.out.drop_missing_strings(kind, &mut args) {
            let place = self.offset_near(stream);
            self.tallies.missing_strings.add(|| (place, format!("of {}", event.kind.name())));
        }
        self.emit(kind, event.ticks, args, who, NO_SLOT);
    }

    /// The stack of an event, 0 if the trace does not define it.
    #[inline(always)]
    fn stack(&mut self, event: &WireEvent, stream: u32) -> u64 {
        let stack = u64::from(event.stack);
        if stack == 0 || self.out.generation.tables.has_stack(stack) {
            return stack;
        }
        self.miss_stack(event, stream, stack)
    }

    #[cold]
    fn miss_stack(&mut self, event: &WireEvent, stream: u32, stack: u64) -> u64 {
        let place = self.offset_near(stream);
        self.tallies
            .missing_stacks
            .add(|| (place, format!("stack {stack} of {}", event.kind.name())));
        0
    }

    fn create(&mut self, event: &WireEvent, stream: u32, who: Who, stack: u64) {
        if let Some(unannounced) = &mut self.unannounced {
            // It exists already; what it does is told by a later event, or not at all.
            unannounced.insert(event.args[0]);
            return;
        }
        let subject = self.find(event.args[0]).unwrap_or(NO_SLOT);
        if subject != NO_SLOT {
            self.goroutines.get(subject).shown = GoState::Runnable;
        }
        let mut start_stack = event.args[1];
        if !self.out.generation.tables.has_stack(start_stack) {
            start_stack = self.miss_stack(event, stream, start_stack);
        }
        let args = [event.args[0], start_stack, stack, 0];
        self.emit(New::GoCreate, event.ticks, args, who, subject);
    }

    fn start(&mut self, event: &WireEvent, stream: u32, mut who: Who) {
        let slot = who.slot;
        let before = std::mem::replace(&mut self.stream(stream).slot, slot);
        if before != NO_SLOT && before != slot {
            self.lose(before, event, stream);
        }
        if self.goroutines.get(slot).blocked_at.is_some() {
            // The end of its system call has a later time than its start.
            self.end_system_call(slot, event.ticks);
        }
        let shown = std::mem::replace(&mut self.goroutines.get(slot).shown, GoState::Running);
        let goid = event.args[0];
        if event.kind == Old::GoStartLabel {
            // Go takes 0 for an unknown thread in this one case.
            who.thread = self.stream(stream).thread.unwrap_or(0);
            self.emit(New::GoStart, event.ticks, event.args, who, slot);
            return self.emit_named(New::GoLabel, event, stream, [event.args[2], 0, 0, 0], who);
        }
        if let Some(unannounced) = &mut self.unannounced
            && shown == GoState::Undetermined
        {
            unannounced.remove(&goid);
            let args = go_status(goid, shown, status::GO_RUNNING);
            return self.emit(New::GoStatus, event.ticks, args, who, slot);
        }
        self.emit(New::GoStart, event.ticks, event.args, who, slot);
    }

    /// An event that ends the goroutine's run. Whether there is one, and it runs.
    #[inline(always)]
    fn leaves(&mut self, event: &WireEvent, stream: u32, who: &mut Who) -> bool {
        self.stream(stream).slot = NO_SLOT;
        self.runs(event, stream, who)
    }

    /// Whether an event has a goroutine. If that does not run, it is made to.
    #[inline(always)]
    fn runs(&mut self, event: &WireEvent, stream: u32, who: &mut Who) -> bool {
        if event.goroutine == 0 {
            self.drop_event(event, stream, "its goroutine is not known");
            return false;
        }
        let is_running = who.slot != NO_SLOT && {
            let shown = self.goroutines.get(who.slot).shown;
            shown == GoState::Running
                || (shown == GoState::Syscall && event.kind == Old::GoSysBlock)
        };
        if !is_running {
            who.slot = self.assume(event.goroutine, Some(GoState::Running), event, stream);
            let goroutine = self.goroutines.get(who.slot);
            goroutine.blocked_at = None;
            if event.kind == Old::GoSysCall {
                goroutine.status = Status::Running;
            }
        }
        true
    }

    fn stop(&mut self, event: &WireEvent, stream: u32, mut who: Who, stack: u64, reason: Text) {
        if !self.leaves(event, stream, &mut who) {
            return;
        }
        self.goroutines.get(who.slot).shown = GoState::Runnable;
        let args = [self.out.reason(reason), stack, 0, 0];
        self.emit(New::GoStop, event.ticks, args, who, NO_SLOT);
    }

    fn block(&mut self, event: &WireEvent, stream: u32, mut who: Who, stack: u64, reason: Text) {
        if !self.leaves(event, stream, &mut who) {
            return;
        }
        let goroutine = self.goroutines.get(who.slot);
        goroutine.shown = GoState::Waiting;
        goroutine.status = Status::Waiting;
        goroutine.waits_for_network = event.kind == Old::GoBlockNet;
        let args = [self.out.reason(reason), stack, 0, 0];
        self.emit(New::GoBlock, event.ticks, args, who, NO_SLOT);
    }

    /// A system call is one event in the old format, and a second one if the proc was lost in it.
    fn system_call(&mut self, event: &WireEvent, stream: u32, mut who: Who, stack: u64) {
        if !self.runs(event, stream, &mut who) {
            return;
        }
        let args = [0, stack, 0, 0];
        if self.blocks(event, stream) {
            self.goroutines.get(who.slot).shown = GoState::Syscall;
            return self.emit(New::GoSyscallBegin, event.ticks, args, who, NO_SLOT);
        }
        // How long it was is not known: Go shows the shortest time there is, and 0 for an unknown
        // thread.
        who.thread = self.stream(stream).thread.unwrap_or(0);
        let time = self.out.time(event.ticks);
        self.out.emit(New::GoSyscallBegin, time, args, who, NO_SLOT);
        self.out.emit(New::GoSyscallEnd, time.saturating_add(1), [0; MAX_ARGS], who, NO_SLOT);
    }

    /// Hands out the end of a system call in which the proc was lost.
    pub(super) fn end_system_call(&mut self, slot: GoSlot, ticks: i64) {
        let goroutine = self.goroutines.get(slot);
        goroutine.blocked_at = None;
        goroutine.shown = GoState::Runnable;
        let who = Who { thread: NONE, proc: SYSCALL_PROC, goroutine: goroutine.goid, slot };
        self.emit(New::GoSyscallEndBlocked, ticks, [0; MAX_ARGS], who, NO_SLOT);
    }

    /// All that existed before the trace are known. Those of which nothing was said could run.
    #[cold]
    fn announce(&mut self, unannounced: std::collections::BTreeSet<u64>, ticks: i64) {
        for goid in unannounced {
            let slot = self.find(goid).unwrap_or(NO_SLOT);
            if slot != NO_SLOT {
                self.goroutines.get(slot).shown = GoState::Runnable;
            }
            let args = go_status(goid, GoState::Undetermined, status::GO_RUNNABLE);
            self.emit(New::GoStatus, ticks, args, Who::NOBODY, slot);
        }
    }

    /// The string of the kind of a stop-the-world (parser.go, STWReason).
    fn stop_the_world_kind(&self, number: u64) -> u64 {
        let kind = match number {
            0 | 1 if self.scan.version.minor() < 21 => number as usize + 1,
            _ if self.scan.version.minor() < 21 => 0,
            _ => usize::try_from(number).unwrap_or(0),
        };
        self.out.stop_the_world(kind)
    }

    fn task_create(&mut self, event: &WireEvent, stream: u32, who: Who, stack: u64) {
        let [task, parent, name, _] = event.args;
        if self.tasks.len() < MAX_TASKS && self.tasks.insert(task, (parent, name)).is_some() {
            let message = format!("UserTaskCreate: task {task} has begun already");
            let offset = self.offset_near(stream);
            self.diagnostics.push(Diagnostic::new(Code::TaskMisuse, message).at_offset(offset));
        }
        let parent = if parent == 0 { NO_TASK } else { parent };
        self.emit_named(New::UserTaskBegin, event, stream, [task, parent, name, stack], who);
    }

    fn extra_string(&mut self, id: u64) -> u64 {
        let tables = &mut self.out.generation.tables;
        let text: Box<[u8]> = tables.string(id).unwrap_or(b"").into();
        tables.add_extra_string(&text)
    }

    fn region(&mut self, event: &WireEvent, stream: u32, who: Who, stack: u64) {
        let [task, mode, name, _] = event.args;
        let kind = match mode {
            0 => New::UserRegionBegin,
            1 => New::UserRegionEnd,
            _ => {
                return self.drop_event(
                    event,
                    stream,
                    "it has a mode that is neither begin nor end",
                );
            }
        };
        if who.slot != NO_SLOT {
            if mode == 0 {
                self.goroutines.get(who.slot).has_regions = true;
                self.regions.entry(who.slot).or_default().push((task, name));
            } else {
                self.region_end(task, name, stream, who);
            }
        }
        self.emit_named(kind, event, stream, [task, name, stack, 0], who);
    }

    fn region_end(&mut self, task: u64, name: u64, stream: u32, who: Who) {
        let Some(open) = self.regions.get_mut(&who.slot) else {
            return;
        };
        let found = open.iter().rposition(|&region| region == (task, name));
        let innermost = open.last().copied();
        if let Some(found) = found {
            open.remove(found);
        }
        if open.is_empty() {
            self.regions.remove(&who.slot);
            self.goroutines.get(who.slot).has_regions = false;
        }
        if let Some(innermost) = innermost
            && innermost != (task, name)
        {
            let text = |id| {
                String::from_utf8_lossy(self.out.generation.tables.string(id).unwrap_or(b"?"))
                    .into_owned()
            };
            let message = format!(
                "goroutine {}: region {:?} ended while {:?} is the innermost",
                who.goroutine,
                text(name),
                text(innermost.1)
            );
            let offset = self.offset_near(stream);
            self.diagnostics.push(Diagnostic::new(Code::RegionMisuse, message).at_offset(offset));
        }
    }

    // What follows is for damaged traces only.

    /// What existed before the trace is described while the world is stopped, and a `Gomaxprocs`
    /// ends the description. If the program was killed before the buffer with both was full, they
    /// are not in the file, but events that need a running world are.
    #[inline(never)]
    fn end_init_without_mark(&mut self, event: &WireEvent, stream: u32) {
        let is_init = matches!(
            event.kind,
            Old::GoCreate
                | Old::GoWaiting
                | Old::GoInSyscall
                | Old::GoStart
                | Old::GoStartLocal
                | Old::GoStartLabel
                | Old::ProcStart
                | Old::STWDone
                | Old::HeapAlloc
                | Old::HeapGoal
                | Old::CPUSample
                | Old::Gomaxprocs
        );
        // With a coarse clock the mark can have the time of what other procs did behind it.
        if !is_init
            && !self.has_event_until(event.ticks, stream)
            && let Some(unannounced) = self.unannounced.take()
        {
            self.announce(unannounced, event.ticks);
        }
    }

    /// Takes a goroutine to be in the state that its next event needs; `None` for a goroutine whose
    /// event tells its state itself. Returns its slot.
    #[cold]
    pub(super) fn assume(
        &mut self,
        goid: u64,
        state: Option<GoState>,
        event: &WireEvent,
        stream: u32,
    ) -> GoSlot {
        let slot = match self.find(goid) {
            Some(slot) => slot,
            None => self.goroutines.add(Goroutine::new(goid, 1, Status::Runnable)),
        };
        self.has_news = true;
        let shown = self.goroutines.get(slot).shown;
        let place = self.offset_near(stream);
        self.tallies.assumed.add(|| {
            (
                place,
                format!("{} of goroutine {goid}, which is {}", event.kind.name(), shown.as_str()),
            )
        });
        let Some(state) = state.filter(|&state| state != shown) else {
            return slot;
        };
        self.begin(event.ticks);
        self.goroutines.get(slot).shown = state;
        if let Some(unannounced) = &mut self.unannounced {
            unannounced.remove(&goid);
        }
        let args = go_status(goid, shown, wire_status(state));
        self.emit(New::GoStatus, event.ticks, args, Who::NOBODY, slot);
        slot
    }

    /// A goroutine stopped running, and how was lost. It is taken to wait for something unknown, so
    /// that no delay of the scheduler is made up when it runs again.
    #[cold]
    fn lose(&mut self, slot: GoSlot, event: &WireEvent, stream: u32) {
        let goroutine = self.goroutines.get(slot);
        if goroutine.status != Status::Running {
            return;
        }
        self.has_news = true;
        let goroutine = self.goroutines.get(slot);
        goroutine.status = Status::Lost;
        let goid = goroutine.goid as u64;
        self.assume(goid, Some(GoState::Waiting), event, stream);
    }

    /// Events of a stream were lost before `event`: forgets what ran there.
    #[cold]
    pub(super) fn forget_stream(&mut self, event: &WireEvent, stream: u32) {
        let slot = std::mem::replace(&mut self.stream(stream).slot, NO_SLOT);
        if slot != NO_SLOT {
            self.lose(slot, event, stream);
        }
        let state = self.stream(stream);
        let proc = state.proc;
        let who = Who { thread: state.thread.unwrap_or(NONE), proc, ..Who::NOBODY };
        // If the end of a range was in the lost bytes, it ended there.
        if std::mem::replace(&mut state.is_sweeping, false) {
            self.emit(New::GCSweepEnd, event.ticks, [0; MAX_ARGS], who, NO_SLOT);
        }
        if let Some((kind, begun)) = self.stopped
            && begun == stream
        {
            self.stopped = None;
            self.emit(New::STWEnd, event.ticks, [kind, 0, 0, 0], who, NO_SLOT);
        }
    }

    /// Takes a proc that seems to be in a state to have left it.
    #[cold]
    fn assume_proc(&mut self, before: ProcState, event: &WireEvent, stream: u32) {
        let state = self.stream(stream);
        let proc = state.proc;
        let who = Who { thread: state.thread.unwrap_or(NONE), proc, ..Who::NOBODY };
        let now =
            if before == ProcState::Running { status::PROC_IDLE } else { status::PROC_RUNNING };
        let place = self.offset_near(stream);
        self.tallies.assumed.add(|| {
            (place, format!("{} of proc {proc}, which is {}", event.kind.name(), before.as_str()))
        });
        self.emit(New::ProcStatus, event.ticks, [proc as u64, now, before as u64, 0], who, NO_SLOT);
    }

    /// Leaves out an event.
    #[cold]
    pub(super) fn drop_event(&mut self, event: &WireEvent, stream: u32, why: &str) {
        let place = self.offset_near(stream);
        self.tallies.dropped.add(|| (place, format!("{}: {why}", event.kind.name())));
    }

    /// Leaves out an event of a range that does not fit.
    #[cold]
    fn drop_range(&mut self, event: &WireEvent, stream: u32, why: &str) {
        let place = self.offset_near(stream);
        self.tallies.ranges.add(|| (place, format!("{}: the range {why}", event.kind.name())));
    }
}
