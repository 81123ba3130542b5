//! What the program says of itself: tasks and regions.
//!
//! Comes in: their beginnings and ends. Goes out: the same, the end of a task with its parent and its
//! name. The one idea: they decide nothing about the order, so what does not fit is reported and kept.
//! Logs and labels need no rule.

use super::rule::{Answer, Context, DONE, need_all};
use super::state::Orderer;
use crate::diagnostic::Code;
use crate::order::annotations::RegionEnd;
use crate::order::event::Event;
use crate::wire::v2::Tables;

/// The wire value of "no parent task" (Go 1.27 event.go, NoTask).
const NO_TASK: u64 = u64::MAX;

impl Orderer {
    /// `UserTaskBegin`.
    #[inline(never)]
    pub(super) fn user_task_begin(
        &mut self,
        event: &mut Event,
        context: Context,
        tables: &Tables,
    ) -> Answer {
        let args = &mut event.args;
        // 0 is the background task elsewhere, but here it means no parent.
        if args[1] == 0 {
            args[1] = NO_TASK;
        }
        if !self.annotations.begin_task(args[0], args[1], args[2], tables) {
            let message = format!("UserTaskBegin: task {} has begun already", args[0]);
            self.report(Code::TaskMisuse, context.thread, message);
        }
        need_all(event.kind, context)?;
        DONE
    }

    /// `UserTaskEnd`.
    #[inline(always)]
    pub(super) fn user_task_end(
        &mut self,
        event: &mut Event,
        context: Context,
        tables: &mut Tables,
    ) -> Answer {
        let task = self.annotations.end_task(event.args[0], tables);
        (event.args[2], event.args[3]) = task.unwrap_or((NO_TASK, 0));
        need_all(event.kind, context)?;
        DONE
    }

    /// `UserRegionBegin`.
    #[inline(always)]
    pub(super) fn user_region_begin(
        &mut self,
        event: &Event,
        context: Context,
        tables: &Tables,
    ) -> Answer {
        need_all(event.kind, context)?;
        let innermost = &mut self.goroutines.get(context.slot).innermost_region;
        *innermost =
            self.annotations.begin_region(*innermost, event.args[0], event.args[1], tables);
        DONE
    }

    /// `UserRegionEnd`.
    #[inline(never)]
    pub(super) fn user_region_end(
        &mut self,
        event: &Event,
        context: Context,
        tables: &Tables,
    ) -> Answer {
        need_all(event.kind, context)?;
        let args = &event.args;
        let innermost = &mut self.goroutines.get(context.slot).innermost_region;
        let end = self.annotations.end_region(innermost, args[0], args[1], tables);
        if let RegionEnd::Misplaced(innermost) = end {
            let message = format!(
                "goroutine {}: region {:?} ended while {:?} is the innermost",
                context.goroutine,
                String::from_utf8_lossy(tables.string(args[1]).unwrap_or(b"")),
                String::from_utf8_lossy(&innermost),
            );
            self.report(Code::RegionMisuse, context.thread, message);
        }
        DONE
    }
}
