//! Procs: started, stopped and stolen.
//!
//! Comes in: an event of a proc. Goes out: its new status, and which thread has it. The one idea: a
//! proc is taken in the order of its sequence numbers, so a thread that takes it waits until the one
//! before has let it go.

use super::rule::{
    Answer, Context, DONE, Outcome, need, need_thread_and_proc, succeeds, wrong_proc_state,
};
use super::state::Orderer;
use crate::order::event::{Event, NONE, status};
use crate::wire::v2::EventType;

impl Orderer {
    /// `ProcStart`.
    #[inline(always)]
    pub(super) fn proc_start(&mut self, event: &Event, index: usize, context: Context) -> Answer {
        let Some(&proc) = self.proc_index.get(&(event.args[0] as i64)) else {
            return Ok(Outcome::NotYet);
        };
        let generation = self.generation;
        let state = &mut self.procs[proc as usize];
        // A ProcStart can be read before the ProcSteal or ProcStop that frees the proc,
        // or while this thread has a proc that is yet to be stolen from its system call.
        if state.status != status::PROC_IDLE
            || !succeeds(generation, event.args[1], state.seq_generation, state.seq)
            || context.proc != NONE
        {
            return Ok(Outcome::NotYet);
        }
        need(context.thread != NONE, event.kind, "a thread")?;
        state.status = status::PROC_RUNNING;
        (state.seq, state.seq_generation) = (event.args[1], generation);
        let at = &mut self.threads[index];
        (at.proc, at.proc_index) = (state.id, proc);
        DONE
    }

    /// `ProcStop`.
    #[inline(always)]
    pub(super) fn proc_stop(&mut self, kind: EventType, index: usize, context: Context) -> Answer {
        need_thread_and_proc(kind, context)?;
        let state = self.proc_of(index);
        if state.status != status::PROC_RUNNING && state.status != status::PROC_SYSCALL {
            return Err(wrong_proc_state(kind, state));
        }
        state.status = status::PROC_IDLE;
        self.threads[index].proc = NONE;
        DONE
    }

    /// `ProcSteal`.
    #[inline(never)]
    pub(super) fn proc_steal(
        &mut self,
        event: &mut Event,
        index: usize,
        context: Context,
    ) -> Answer {
        let args = &mut event.args;
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
            return DONE;
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
            return DONE;
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
        DONE
    }
}
