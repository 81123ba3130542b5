//! Values over time, and samples of the CPU profiler.
//!
//! Comes in: events that say something about one moment. Goes out: the same at once. The one idea:
//! there is nothing to wait for; but the last value of each metric is what totals and collections tell.

use super::state::Builder;
use crate::model::items::*;
use crate::order::Event;
use crate::wire::v2::Tables;

impl<I: Items> Builder<'_, I> {
    /// A metric has a value from here on.
    pub(super) fn metric(&mut self, kind: MetricKind, time_ns: i64, value: u64) {
        if kind == MetricKind::Gomaxprocs {
            self.totals.gomaxprocs = Some(value);
        }
        self.gc.heap(kind, value);
        self.items.metric(&Metric { kind, time_ns, value });
    }

    /// The profiler looked where a thread was.
    #[inline(always)]
    pub(super) fn sample(&mut self, event: &Event, tables: &Tables, time_ns: i64) {
        self.items.sample(&Sample {
            time_ns,
            goroutine: self.goroutines.id(event.slot),
            proc: event.proc,
            thread: event.thread,
            stack: self.translation.stack(event.args[0], tables),
        });
    }
}
