//! Ranges of the runtime: the mark phase, mark assists, sweeps and pauses.
//!
//! Comes in: the ends of ranges, and which of them were under way when the trace began. Goes out: the
//! same, less those that do not fit. The one idea: only the mark phase has a sequence and so decides
//! the order; of all others an end without its beginning costs no more than itself.

use super::rule::{Answer, Context, DONE, Outcome, need_all, need_thread_and_proc};
use super::state::{GcState, Orderer};
use crate::diagnostic::Code;
use crate::order::event::Event;
use crate::wire::v2::{EventType, Tables};

impl Orderer {
    /// `STWBegin`.
    #[inline(always)]
    pub(super) fn stw_begin(&mut self, event: &Event, context: Context) -> Answer {
        need_all(event.kind, context)?;
        if self.stop_the_world.contains(&(context.slot, event.args[0])) {
            return self.skip_range(event.kind, context, "has begun already");
        }
        self.stop_the_world.push((context.slot, event.args[0]));
        DONE
    }

    /// `STWEnd`; it gets the kind from the beginning.
    #[inline(always)]
    pub(super) fn stw_end(
        &mut self,
        event: &mut Event,
        context: Context,
        tables: &Tables,
    ) -> Answer {
        need_all(event.kind, context)?;
        let open = self.stop_the_world.iter().position(|range| range.0 == context.slot);
        let Some(open) = open else {
            return self.skip_range(event.kind, context, "has not begun");
        };
        let kind = self.stop_the_world.remove(open).1;
        event.args[0] = if tables.has_string(kind) { kind } else { 0 };
        DONE
    }

    /// `GCMarkAssistBegin` and `GCMarkAssistEnd`.
    #[inline(always)]
    pub(super) fn gc_mark_assist(&mut self, kind: EventType, context: Context) -> Answer {
        need_all(kind, context)?;
        let begins = kind == EventType::GCMarkAssistBegin;
        let state = self.goroutines.get(context.slot);
        if state.in_mark_assist == begins {
            let what = if begins { "has begun already" } else { "has not begun" };
            return self.skip_range(kind, context, what);
        }
        state.in_mark_assist = begins;
        DONE
    }

    /// `GCMarkAssistActive`.
    #[inline(always)]
    pub(super) fn gc_mark_assist_active(&mut self, event: &Event, context: Context) -> Answer {
        let Some(slot) = self.goroutines.find(event.args[0] as i64) else {
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

    /// `GCSweepBegin` and `GCSweepEnd`.
    #[inline(always)]
    pub(super) fn gc_sweep(&mut self, kind: EventType, index: usize, context: Context) -> Answer {
        need_thread_and_proc(kind, context)?;
        let begins = kind == EventType::GCSweepBegin;
        let state = self.proc_of(index);
        if state.is_sweeping == begins {
            let what = if begins { "has begun already" } else { "has not begun" };
            return self.skip_range(kind, context, what);
        }
        state.is_sweeping = begins;
        DONE
    }

    /// `GCSweepActive`.
    #[inline(always)]
    pub(super) fn gc_sweep_active(&mut self, event: &Event, context: Context) -> Answer {
        let proc = self.proc_index.get(&(event.args[0] as i64)).copied();
        let Some(state) = proc.map(|proc| &mut self.procs[proc as usize]) else {
            return self.skip_range(event.kind, context, "is of an unknown proc");
        };
        if state.is_sweeping == self.is_initial {
            let what = if self.is_initial { "is there twice" } else { "has not begun" };
            return self.skip_range(event.kind, context, what);
        }
        state.is_sweeping = true;
        DONE
    }

    /// `GCActive`, `GCBegin` and `GCEnd`. The mark phase has sequence numbers at both ends, because
    /// they are on different threads.
    #[inline(never)]
    pub(super) fn gc(&mut self, event: &Event, context: Context) -> Answer {
        let (kind, seq) = (event.kind, event.args[0]);
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
            return DONE;
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
        DONE
    }

    /// Leaves out an event of a range that does not fit; ranges do not decide the order.
    #[cold]
    fn skip_range(&mut self, kind: EventType, context: Context, what: &str) -> Answer {
        self.report(
            Code::RangeMismatch,
            context.thread,
            format!("{}: the range {what}; left the event out", kind.name()),
        );
        Ok(Outcome::Handled)
    }
}
