//! System calls: begun, ended, and the goroutines of C threads, which live in one.
//!
//! Comes in: an event at either end of a system call. Goes out: the new status of goroutine and proc.
//! The one idea: a thread may lose its proc while it is in the call, and only the proc's own sequence
//! tells whether that has been read; so the end of a call waits for it.

use super::rule::{Answer, Context, DONE, Outcome, need, need_all, succeeds, wrong_proc_state};
use super::state::Orderer;
use crate::order::Sink;
use crate::order::event::{Event, NO_SLOT, NONE, status};
use crate::wire::v2::{EventType, Tables};

impl Orderer {
    /// `GoSyscallBegin`.
    #[inline(always)]
    pub(super) fn go_syscall_begin(
        &mut self,
        event: &Event,
        index: usize,
        context: Context,
    ) -> Answer {
        need_all(event.kind, context)?;
        self.need_status(event.kind, context.slot, status::GO_RUNNING)?;
        self.goroutines.get(context.slot).status = status::GO_SYSCALL as u8;
        let generation = self.generation;
        let state = self.proc_of(index);
        state.status = status::PROC_SYSCALL;
        // The proc's sequence number tells which system call a later ProcSteal means.
        if !succeeds(generation, event.args[0], state.seq_generation, state.seq) {
            let message = format!(
                "GoSyscallBegin: proc {} is at sequence number {}, want {} before it;",
                state.id,
                state.seq,
                event.args[0].wrapping_sub(1)
            );
            return Err(message.into());
        }
        (state.seq, state.seq_generation) = (event.args[0], generation);
        DONE
    }

    /// `GoSyscallEnd`: the thread still has its proc.
    #[inline(always)]
    pub(super) fn go_syscall_end(
        &mut self,
        kind: EventType,
        index: usize,
        context: Context,
    ) -> Answer {
        need_all(kind, context)?;
        self.need_status(kind, context.slot, status::GO_SYSCALL)?;
        let state = self.proc_of(index);
        if state.status != status::PROC_SYSCALL {
            return Err(wrong_proc_state(kind, state));
        }
        state.status = status::PROC_RUNNING;
        self.goroutines.get(context.slot).status = status::GO_RUNNING as u8;
        DONE
    }

    /// `GoSyscallEndBlocked`: the thread has lost its proc.
    #[inline(always)]
    pub(super) fn go_syscall_end_blocked(
        &mut self,
        kind: EventType,
        index: usize,
        context: Context,
    ) -> Answer {
        // The event says that the proc was lost. As long as it is still here and in the
        // system call, the loss has not been read yet.
        if context.proc != NONE && self.proc_of(index).status == status::PROC_SYSCALL {
            return Ok(Outcome::NotYet);
        }
        need(context.thread != NONE, kind, "a thread")?;
        need(context.goroutine != NONE, kind, "a goroutine")?;
        self.need_status(kind, context.slot, status::GO_SYSCALL)?;
        self.goroutines.get(context.slot).status = status::GO_RUNNABLE as u8;
        self.unbind(index);
        DONE
    }

    /// `GoCreateSyscall`: a C thread gets a goroutine, which begins in its system call.
    #[inline(always)]
    pub(super) fn go_create_syscall(
        &mut self,
        event: &Event,
        index: usize,
        context: Context,
    ) -> Answer {
        need(context.thread != NONE, event.kind, "a thread")?;
        need(context.goroutine == NONE, event.kind, "no goroutine")?;
        let goid = event.args[0] as i64;
        if self.goroutines.find(goid).is_some() {
            return Err(format!("GoCreateSyscall: goroutine {goid} exists already;").into());
        }
        let slot = self.add_goroutine(goid, status::GO_SYSCALL);
        let at = &mut self.threads[index];
        (at.goroutine, at.slot) = (goid, slot);
        Ok(Outcome::Done(slot))
    }

    /// `GoDestroySyscall`: the goroutine of a C thread ends in its system call, and the thread loses
    /// its proc with it: its number may be used for another thread at once (order.go,
    /// advanceGoDestroySyscall).
    #[inline(never)]
    pub(super) fn go_destroy_syscall<S: Sink>(
        &mut self,
        event: &mut Event,
        index: usize,
        context: Context,
        tables: &Tables,
        sink: &mut S,
    ) -> Answer {
        need(context.thread != NONE, event.kind, "a thread")?;
        need(context.goroutine != NONE, event.kind, "a goroutine")?;
        self.need_status(event.kind, context.slot, status::GO_SYSCALL)?;
        if context.proc != NONE {
            let state = self.proc_of(index);
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
        DONE
    }
}
