//! Threads: which one an event is on.
//!
//! Comes in: every event. Goes out: the row of its thread, which has counted it. The one idea: a thread
//! is known by its events alone, since nothing in a trace says that one begins or ends.

use super::state::Builder;
use crate::model::ids::ThreadRow;
use crate::model::items::Items;
use crate::order::Event;

impl<I: Items> Builder<'_, I> {
    /// Counts an event on its thread; `None` if it is on none.
    #[inline(always)]
    pub(super) fn count_on_thread(&mut self, event: &Event, time_ns: i64) -> Option<ThreadRow> {
        let known = self.threads.count();
        let row = self.threads.row(event.thread, time_ns)?;
        if self.threads.count() != known {
            self.items.thread_begins(row, event.thread);
        }
        let thread = self.threads.get(row);
        thread.events += 1;
        thread.last_ns = time_ns;
        Some(row)
    }
}
