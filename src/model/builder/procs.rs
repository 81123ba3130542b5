//! Procs: when a thread has them, and when they are taken from a system call.
//!
//! Comes in: transitions of procs. Goes out: their spans. The one idea: the loss of a proc is an event
//! of the proc, but changes what its goroutine does: the system call counts as blocked from there on.

use super::state::Builder;
use crate::model::goroutines::OpenSpan;
use crate::model::ids::*;
use crate::model::items::*;
use crate::order::{Event, NO_SLOT, ProcState};
use crate::wire::v2::EventType;

impl<I: Items> Builder<'_, I> {
    /// A proc changes its state.
    pub(super) fn proc_event(
        &mut self,
        event: &Event,
        proc: i64,
        from: ProcState,
        to: ProcState,
        time_ns: i64,
        thread: Option<ThreadRow>,
    ) {
        let row = self.procs.row(proc, time_ns);
        if from != to && to == ProcState::Idle {
            self.lose_proc(row, time_ns);
        }
        let is_running = to == ProcState::Running;
        let live = self.procs.get(row);
        match event.kind {
            EventType::ProcStart => live.sums.starts += 1,
            EventType::ProcSteal if from == ProcState::Running => live.sums.steals += 1,
            _ => {}
        }
        if let Some(span) = &live.span
            && span.is_running == is_running
        {
            return;
        }
        let is_known = matches!(from, ProcState::Running | ProcState::Idle);
        let is_new = live.span.is_none();
        let is_open = from == ProcState::Undetermined || (is_known && is_new);
        let start_ns = if is_open { self.sync_ns } else { time_ns };
        // Known before a gap, and not to the generation behind it: it may have been there all along.
        let open_start = is_open || (is_new && live.is_behind_gap);
        let next = ProcSpan {
            proc: row,
            start_ns,
            duration_ns: 0,
            is_running,
            open_start,
            open_end: false,
            thread: if is_running { thread } else { None },
        };
        if let Some(span) = live.span.replace(next) {
            self.end_proc_span(span, time_ns, false);
        }
    }

    /// Hands out a span and adds it to the sums of its proc.
    pub(super) fn end_proc_span(&mut self, mut span: ProcSpan, time_ns: i64, open_end: bool) {
        span.duration_ns = time_ns - span.start_ns;
        span.open_end = open_end;
        let sums = &mut self.procs.get(span.proc).sums;
        if span.is_running {
            sums.running_ns += span.duration_ns;
        } else {
            sums.idle_ns += span.duration_ns;
        }
        self.items.proc_span(&span);
    }

    /// A proc is taken from a goroutine in a system call: from here on the call counts as blocked
    /// (Go 1.27 internal/trace/summary.go, ResourceProc).
    fn lose_proc(&mut self, row: ProcRow, time_ns: i64) {
        let slot = std::mem::replace(&mut self.procs.get(row).syscalling, NO_SLOT);
        let Some(live) = self.goroutines.get(slot) else { return };
        if live.span.state != State::Syscall {
            return;
        }
        let span = live.close(time_ns, false);
        live.span = OpenSpan {
            state: State::SyscallBlocked,
            from: State::Syscall,
            start_ns: time_ns,
            open_start: false,
            ..live.span
        };
        self.end_of_span(&span, None, NO_SLOT);
        self.items.state(&span);
    }
}
