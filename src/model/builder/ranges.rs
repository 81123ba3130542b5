//! Ranges of the runtime: the mark phase, mark assists, sweeps and pauses; and collections of them.
//!
//! Comes in: the ends of ranges. Goes out: each range when it ends, and a collection when the last of
//! its ranges has. The one idea: where a range is kept while it is open follows its scope: a goroutine,
//! a proc, or the trace.

use super::state::{Builder, text};
use crate::model::gc::Work;
use crate::model::goroutines::OpenRange;
use crate::model::items::*;
use crate::order::{Event, NONE};
use crate::wire::v2::{EventType, Tables};

impl<I: Items> Builder<'_, I> {
    /// A range begins, ends, or was under way when the generation began.
    #[inline(never)]
    pub(super) fn range_event(&mut self, event: &Event, tables: &Tables, time_ns: i64) {
        use EventType::*;
        let stack = self.translation.stack(event.stack(), tables);
        let mut open = OpenRange {
            start_ns: time_ns,
            open_start: false,
            stack,
            goroutine: self.goroutines.id(event.slot),
            slot: event.slot,
            proc: event.proc,
        };
        match event.kind {
            GCActive | GCSweepActive | GCMarkAssistActive => {
                (open.start_ns, open.open_start) = (self.sync_ns, true);
            }
            _ => {}
        }
        match event.kind {
            GCBegin => {
                self.mark = Some(open);
                let unfinished = self.gc.mark_begin(time_ns, false, open.goroutine, stack);
                self.emit_cycle(unfinished);
            }
            GCActive if self.mark.is_none() => {
                self.mark = Some(open);
                let unfinished = self.gc.mark_begin(open.start_ns, true, None, None);
                self.emit_cycle(unfinished);
            }
            GCEnd => {
                if let Some(mark) = self.mark.take() {
                    self.end_range(RangeKind::Mark, mark, time_ns, false, None);
                }
                let cycle = self.gc.mark_end(time_ns);
                self.emit_cycle(cycle);
            }
            GCSweepBegin => {
                let row = self.procs.row(event.proc, time_ns);
                self.procs.get(row).sweep = Some(open);
            }
            GCSweepActive => {
                open.proc = event.args[0] as i64;
                let row = self.procs.row(open.proc, time_ns);
                let sweep = &mut self.procs.get(row).sweep;
                sweep.get_or_insert(open);
            }
            GCSweepEnd => {
                let row = self.procs.row(event.proc, time_ns);
                if let Some(sweep) = self.procs.get(row).sweep.take() {
                    // A sweep belongs to a proc; it is a goroutine's only if that one saw both
                    // ends (Go 1.27 internal/trace/summary.go, EventRangeEnd).
                    if sweep.goroutine == open.goroutine
                        && let Some(live) = self.goroutines.get(event.slot)
                    {
                        live.sums.sweep_ns += time_ns - sweep.start_ns;
                    }
                    let swept = Some((event.args[0], event.args[1]));
                    self.end_range(RangeKind::Sweep, sweep, time_ns, false, swept);
                }
            }
            GCMarkAssistBegin | GCMarkAssistActive => {
                let slot = if event.kind == GCMarkAssistBegin { event.slot } else { event.subject };
                open.goroutine = self.goroutines.id(slot);
                open.slot = slot;
                if event.kind == GCMarkAssistActive {
                    open.proc = NONE;
                }
                if let Some(live) = self.goroutines.get(slot) {
                    live.assist.get_or_insert(open);
                }
            }
            GCMarkAssistEnd => {
                let Some(live) = self.goroutines.get(event.slot) else { return };
                let Some(assist) = live.assist.take() else { return };
                live.sums.mark_assist_ns += time_ns - assist.start_ns;
                self.gc.add_work(Work::Assist, time_ns - assist.start_ns);
                self.end_range(RangeKind::MarkAssist, assist, time_ns, false, None);
            }
            STWBegin => {
                let kind = self.reason(event.args[0], tables);
                self.gc.stop(text(tables.string(event.args[0])).as_ref(), time_ns);
                self.pauses.push((kind, open));
            }
            STWEnd => {
                let found = self.pauses.iter().rposition(|pause| pause.1.slot == event.slot);
                let Some(found) = found else { return };
                let (kind, pause) = self.pauses.remove(found);
                if let Some(live) = self.goroutines.get(event.slot) {
                    live.sums.stop_the_world_ns += time_ns - pause.start_ns;
                }
                self.end_range(RangeKind::StopTheWorld(kind), pause, time_ns, false, None);
                let cycle = self.gc.start(self.symbols.reason_name(kind), time_ns);
                self.emit_cycle(cycle);
            }
            _ => {}
        }
    }

    /// Hands out a range.
    pub(super) fn end_range(
        &mut self,
        kind: RangeKind,
        open: OpenRange,
        time_ns: i64,
        open_end: bool,
        swept: Option<(u64, u64)>,
    ) {
        let range = Range {
            kind,
            goroutine: open.goroutine,
            proc: open.proc,
            start_ns: open.start_ns,
            duration_ns: time_ns - open.start_ns,
            open_start: open.open_start,
            open_end,
            stack: open.stack,
            swept,
        };
        self.items.range(&range, self.symbols);
    }

    /// Hands out a collection that is complete.
    pub(super) fn emit_cycle(&mut self, cycle: Option<GcCycle>) {
        if let Some(cycle) = cycle {
            self.items.gc_cycle(&cycle);
        }
    }
}
