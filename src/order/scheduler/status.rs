//! Status at the start of a generation: what goroutines and procs are in before anything happens.
//!
//! Comes in: the status that a generation tells of each goroutine and proc before their first event
//! in it. Goes out: the state set where nothing was known, or found to be the one told. The one idea:
//! sequence numbers begin anew here, which is what lets every other rule compare them.

use super::rule::{Answer, Context, DONE, Outcome, wrong_go_state};
use super::state::{Orderer, Proc};
use crate::order::event::{Event, GoState, NONE, ProcState, status};
use crate::wire::v2::EventType;

impl Orderer {
    /// `ProcStatus`.
    #[inline(never)]
    pub(super) fn proc_status(&mut self, event: &mut Event, index: usize) -> Answer {
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
        DONE
    }

    /// `GoStatus` and `GoStatusStack`.
    #[inline(never)]
    pub(super) fn go_status(
        &mut self,
        event: &mut Event,
        index: usize,
        mut context: Context,
    ) -> Answer {
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
}
