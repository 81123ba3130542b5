//! Goroutines: their spans, from the first appearance to the end.
//!
//! Comes in: transitions of goroutines. Goes out: a span when its state ends, the goroutine when it
//! does. The one idea: every span ends in [`Builder::end_of_span`], where its time is also counted for
//! its proc, its thread and the collection it helped.

use super::state::Builder;
use crate::model::annotations;
use crate::model::gc::Work;
use crate::model::goroutines::{Live, OpenSpan};
use crate::model::ids::*;
use crate::model::items::*;
use crate::order::{Event, GoSlot, GoState, NO_SLOT, NONE};
use crate::wire::v2::{EventType, Tables};

/// In v1 traces, what timers, the network poller and system calls do is on procs with numbers above
/// this, which are none (Go 1.27 internal/trace/internal/tracev1/parser.go, FakeP).
const FIRST_PSEUDO_PROC: i64 = 1_000_000;

impl<I: Items> Builder<'_, I> {
    /// A goroutine changes its state, or is told to be in one.
    #[inline(always)]
    pub(super) fn goroutine_event(
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
    pub(super) fn end_of_span(
        &mut self,
        span: &StateSpan,
        worker: Option<(WorkerKind, i64)>,
        slot: GoSlot,
    ) {
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
    pub(super) fn finish(&mut self, mut live: Box<Live>, ended_ns: Option<i64>) {
        live.sums.ended_ns = ended_ns;
        let until = ended_ns.unwrap_or(self.last_ns);
        if let Some(assist) = live.assist.take() {
            live.sums.mark_assist_ns += until - assist.start_ns;
            self.end_range(RangeKind::MarkAssist, assist, until, ended_ns.is_none(), None);
        }
        annotations::leave_regions(&mut live, self.items);
        self.items.goroutine(&live.sums);
    }
}
