//! Goroutines: made, started, stopped, blocked, unblocked and switched.
//!
//! Comes in: an event of a goroutine that has user code to run. Goes out: its new status, and which
//! thread has it. The one idea: what happens on the thread that runs a goroutine needs only its
//! status, what happens to it from elsewhere comes with the number that must be next in its sequence.

use super::rule::{Answer, Context, DONE, Outcome, need, need_all, need_thread_and_proc, succeeds};
use super::state::Orderer;
use crate::order::Sink;
use crate::order::event::{Event, GoSlot, NO_SLOT, NONE, status};
use crate::order::goroutines::Goroutine;
use crate::wire::v2::spec::MAX_ARGS;
use crate::wire::v2::{EventType, Tables};

impl Orderer {
    /// `GoCreate` and `GoCreateBlocked`.
    #[inline(always)]
    pub(super) fn go_create(&mut self, event: &Event, context: Context) -> Answer {
        need_thread_and_proc(event.kind, context)?;
        if context.slot != NO_SLOT {
            self.need_status(event.kind, context.slot, status::GO_RUNNING)?;
        }
        let goid = event.args[0] as i64;
        if self.goroutines.find(goid).is_some() {
            return Err(format!("{}: goroutine {goid} exists already;", event.kind.name()).into());
        }
        let state = if event.kind == EventType::GoCreate {
            status::GO_RUNNABLE
        } else {
            status::GO_WAITING
        };
        let slot = self.add_goroutine(goid, state);
        Ok(Outcome::Done(slot))
    }

    /// `GoStart`.
    #[inline(always)]
    pub(super) fn go_start(&mut self, event: &Event, index: usize, context: Context) -> Answer {
        let goid = event.args[0] as i64;
        let Some(slot) = self.goroutines.find(goid) else { return Ok(Outcome::NotYet) };
        let generation = self.generation;
        let state = self.goroutines.get(slot);
        if u64::from(state.status) != status::GO_RUNNABLE
            || !succeeds(generation, event.args[1], state.seq_generation, state.seq)
        {
            return Ok(Outcome::NotYet);
        }
        need_thread_and_proc(event.kind, context)?;
        need(context.goroutine == NONE, event.kind, "no goroutine")?;
        state.status = status::GO_RUNNING as u8;
        (state.seq, state.seq_generation) = (event.args[1], generation);
        let at = &mut self.threads[index];
        (at.goroutine, at.slot) = (goid, slot);
        Ok(Outcome::Done(slot))
    }

    /// `GoDestroy`, `GoStop` and `GoBlock`: the goroutine leaves its thread.
    #[inline(always)]
    pub(super) fn go_leave(&mut self, kind: EventType, index: usize, context: Context) -> Answer {
        need_all(kind, context)?;
        self.need_status(kind, context.slot, status::GO_RUNNING)?;
        match kind {
            EventType::GoDestroy => self.remove_goroutine(context.slot),
            EventType::GoStop => {
                self.goroutines.get(context.slot).status = status::GO_RUNNABLE as u8
            }
            _ => self.goroutines.get(context.slot).status = status::GO_WAITING as u8,
        }
        self.unbind(index);
        DONE
    }

    /// `GoUnblock`.
    #[inline(always)]
    pub(super) fn go_unblock(&mut self, event: &Event) -> Answer {
        let Some(slot) = self.goroutines.find(event.args[0] as i64) else {
            return Ok(Outcome::NotYet);
        };
        let generation = self.generation;
        let state = self.goroutines.get(slot);
        if u64::from(state.status) != status::GO_WAITING
            || !succeeds(generation, event.args[1], state.seq_generation, state.seq)
        {
            return Ok(Outcome::NotYet);
        }
        state.status = status::GO_RUNNABLE as u8;
        (state.seq, state.seq_generation) = (event.args[1], generation);
        Ok(Outcome::Done(slot))
    }

    /// `GoSwitch` and `GoSwitchDestroy`. A coroutine switch is three events: the other goroutine is
    /// unblocked, this one blocks or ends, the other starts.
    #[inline(never)]
    pub(super) fn go_switch<S: Sink>(
        &mut self,
        event: &mut Event,
        index: usize,
        context: Context,
        tables: &Tables,
        sink: &mut S,
    ) -> Answer {
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

    /// A goroutine exists from here on.
    pub(super) fn add_goroutine(&mut self, goid: i64, state: u64) -> GoSlot {
        self.goroutines.add(Goroutine {
            goid,
            seq: 0,
            seq_generation: self.generation,
            status: state as u8,
            in_mark_assist: false,
            innermost_region: 0,
        })
    }

    /// A goroutine ends, and with it what is open on it.
    pub(super) fn remove_goroutine(&mut self, slot: GoSlot) {
        let innermost = self.goroutines.get(slot).innermost_region;
        self.annotations.end_regions(innermost);
        if !self.stop_the_world.is_empty() {
            self.stop_the_world.retain(|range| range.0 != slot);
        }
        self.goroutines.remove(slot);
    }
}
