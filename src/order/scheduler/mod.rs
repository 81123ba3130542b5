//! Replaying the scheduler over a generation.
//!
//! Comes in: a [`Generation`](crate::wire::v2::Generation). Goes out: its events in one order, to a
//! [`Sink`]. The one idea: a state machine of threads, procs and goroutines says which event can
//! happen; each event has one rule, named in [`Orderer::step`] and found in the file of its subject.
//!
//! Source: Go 1.27 `internal/trace/order.go`, one rule per `advanceX` there. Two kinds of "no" must
//! not be mixed up: *not yet* means that another thread's event has to come first and is the normal
//! case, because batches of different threads are not aligned; *inconsistent* means that no order can
//! help.
//!
//! From the bottom: `state` is what is known; `rule` is what rules are told, ask and answer; `output`
//! hands out; then come the subjects, of which `syscalls` and `status` use what `goroutines` does to
//! the table of goroutines; this file picks the rule; `lanes` reads, and `replay` runs the threads
//! against each other.

mod annotations;
mod goroutines;
mod lanes;
mod output;
mod procs;
mod ranges;
mod replay;
mod rule;
mod state;
mod status;
mod syscalls;

pub use state::Orderer;

use super::Sink;
use super::event::{Event, NO_SLOT, NONE};
use crate::wire::v2::{EventType, Tables};
use rule::{Answer, Context, DONE, Inconsistency, Outcome, need, need_all, need_thread_and_proc};

impl Orderer {
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

    /// Applies the rule of an event. All but the long ones are inlined: a call would cost as much as
    /// most of them.
    #[inline(always)]
    fn step<S: Sink>(
        &mut self,
        event: &mut Event,
        thread: u32,
        tables: &mut Tables,
        sink: &mut S,
    ) -> Answer {
        use EventType::*;
        let index = thread as usize;
        let at = &mut self.threads[index];
        at.is_known = true;
        if at.id == NONE {
            // Events of no thread leave no trace in the state (order.go, Advance).
            (at.goroutine, at.slot, at.proc) = (NONE, NO_SLOT, NONE);
        }
        let context =
            Context { thread: at.id, proc: at.proc, goroutine: at.goroutine, slot: at.slot };
        context.put_into(event);
        let kind = event.kind;
        match kind {
            ProcStatus => self.proc_status(event, index),
            ProcStart => self.proc_start(event, index, context),
            ProcStop => self.proc_stop(kind, index, context),
            ProcSteal => self.proc_steal(event, index, context),

            GoStatus | GoStatusStack => self.go_status(event, index, context),
            GoCreate | GoCreateBlocked => self.go_create(event, context),
            GoStart => self.go_start(event, index, context),
            GoDestroy | GoStop | GoBlock => self.go_leave(kind, index, context),
            GoUnblock => self.go_unblock(event),
            GoSwitch | GoSwitchDestroy => self.go_switch(event, index, context, tables, sink),

            GoCreateSyscall => self.go_create_syscall(event, index, context),
            GoDestroySyscall => self.go_destroy_syscall(event, index, context, tables, sink),
            GoSyscallBegin => self.go_syscall_begin(event, index, context),
            GoSyscallEnd => self.go_syscall_end(kind, index, context),
            GoSyscallEndBlocked => self.go_syscall_end_blocked(kind, index, context),

            STWBegin => self.stw_begin(event, context),
            STWEnd => self.stw_end(event, context, tables),
            GCMarkAssistBegin | GCMarkAssistEnd => self.gc_mark_assist(kind, context),
            GCMarkAssistActive => self.gc_mark_assist_active(event, context),
            GCSweepBegin | GCSweepEnd => self.gc_sweep(kind, index, context),
            GCSweepActive => self.gc_sweep_active(event, context),
            GCActive | GCBegin | GCEnd => self.gc(event, context),

            UserTaskBegin => self.user_task_begin(event, context, tables),
            UserTaskEnd => self.user_task_end(event, context, tables),
            UserRegionBegin => self.user_region_begin(event, context, tables),
            UserRegionEnd => self.user_region_end(event, context, tables),

            // What changes nothing that ordering knows.
            ProcsChange | GoLabel | UserLog => {
                need_all(kind, context)?;
                DONE
            }
            HeapAlloc | HeapGoal => {
                need_thread_and_proc(kind, context)?;
                DONE
            }
            // The AllocFree experiment.
            Span | SpanAlloc | SpanFree | HeapObject | HeapObjectAlloc | HeapObjectFree
            | GoroutineStack | GoroutineStackAlloc | GoroutineStackFree => {
                need(context.thread != NONE, kind, "a thread")?;
                DONE
            }

            // Never in a thread's stream; the cursor refuses them.
            EventBatch | Stacks | Stack | Strings | String | CPUSamples | CPUSample | Frequency
            | ExperimentalBatch | Sync | ClockSnapshot | EndOfGeneration => {
                Err(format!("{} has no place among events;", kind.name()).into())
            }
        }
    }
}
