//! Borders: where a generation begins, a part is missing, or the trace ends.
//!
//! Comes in: synchronisation points and gaps. Goes out: the generations, and at a gap or the end all
//! that was still open. The one idea: what is open at a border ends there with a mark that it did not
//! really; goroutines alone are kept over a gap, since their numbers are never used again.

use super::state::Builder;
use crate::model::goroutines::Live;
use crate::model::items::*;
use crate::model::symbols::Translation;
use crate::order::{NO_SLOT, Sync};
use crate::wire::v2::Generation;
use crate::wire::v2::spec::ALL;

impl<I: Items> Builder<'_, I> {
    /// A generation begins, or the trace ends.
    pub(super) fn synchronise(&mut self, sync: &Sync, generation: Option<&Generation>) {
        if !self.has_begun {
            self.has_begun = true;
            self.totals.start_clock_ns = sync.time;
        }
        let time_ns = self.since_start(sync.time);
        self.last_ns = time_ns;
        if !self.is_after_gap {
            self.finish_those_before_gap();
        }
        if let Some(span) = self.generation.take() {
            self.items.generation(&span);
        }
        self.sync_ns = time_ns;
        let Some(generation) = generation else {
            self.finish_those_before_gap();
            self.end_trace();
            self.totals.duration_ns = time_ns;
            return;
        };
        self.translation = Translation::new(&generation.tables, self.symbols);
        for (id, data) in self.memory.begin(generation) {
            self.items.heap_type(id, &data);
        }
        self.items.symbols(self.symbols);
        let clock = sync.clock.map(|(time, clock)| {
            let unix_ns = (clock.unix_seconds as i64)
                .wrapping_mul(1_000_000_000)
                .wrapping_add(clock.unix_nanos as i64);
            (self.since_start(time), clock.mono_ns, unix_ns)
        });
        if let (Some((clock_ns, _, unix_ns)), None) = (clock, self.totals.start_unix_ns) {
            self.totals.start_unix_ns = Some(unix_ns.wrapping_sub(clock_ns));
        }
        self.totals.generations += 1;
        self.generation = Some(GenerationSpan {
            number: generation.number,
            start_ns: time_ns,
            offset: generation.offset,
            size_bytes: generation.bytes,
            batches: generation.batch_count,
            events: 0,
            is_after_gap: std::mem::take(&mut self.is_after_gap),
            clock,
        });
    }

    /// A part of the trace is missing.
    pub(super) fn begin_gap(&mut self) {
        if !self.has_begun {
            return;
        }
        self.totals.gaps += 1;
        self.is_after_gap = true;
        self.finish_those_before_gap();
        for live in self.interrupt() {
            self.goroutines.before_gap.insert(live.sums.goid, live);
        }
    }

    /// Ends everything that is under way: the trace ends here, or a part is missing from here on.
    #[expect(clippy::vec_box, reason = "they go back into the table as they are")]
    fn interrupt(&mut self) -> Vec<Box<Live>> {
        let until = self.last_ns;
        let mut all = self.goroutines.take_all();
        for live in &mut all {
            let worker = live.worker.take();
            let span = live.close(until, true);
            self.end_of_span(&span, worker, NO_SLOT);
            self.items.state(&span);
        }
        let mut proc_spans = Vec::new();
        let mut sweeps = Vec::new();
        for (_, proc) in self.procs.iter_mut() {
            proc.is_behind_gap |= proc.span.is_some();
            proc_spans.extend(proc.span.take());
            sweeps.extend(proc.sweep.take());
            proc.syscalling = NO_SLOT;
        }
        for span in proc_spans {
            self.end_proc_span(span, until, true);
        }
        for sweep in sweeps {
            self.end_range(RangeKind::Sweep, sweep, until, true, None);
        }
        if let Some(mark) = self.mark.take() {
            self.end_range(RangeKind::Mark, mark, until, true, None);
        }
        for (kind, pause) in std::mem::take(&mut self.pauses) {
            if let Some(live) = all.iter_mut().find(|live| Some(live.sums.id) == pause.goroutine) {
                live.sums.stop_the_world_ns += until - pause.start_ns;
            }
            self.end_range(RangeKind::StopTheWorld(kind), pause, until, true, None);
        }
        let cycle = self.gc.end(until);
        self.emit_cycle(cycle);
        for block in self.memory.take_all() {
            self.items.memory_block(&block);
        }
        all
    }

    /// Those that did not appear again behind the gap have ended in it, nobody knows when.
    fn finish_those_before_gap(&mut self) {
        let mut lost: Vec<Box<Live>> =
            self.goroutines.before_gap.drain().map(|(_, live)| live).collect();
        lost.sort_unstable_by_key(|live| live.sums.id);
        for live in lost {
            self.finish(live, None);
        }
    }

    /// Hands out what is complete only now.
    fn end_trace(&mut self) {
        for live in self.interrupt() {
            self.finish(live, None);
        }
        for task in self.tasks.take_open() {
            self.items.task(&task);
        }
        for (row, proc) in self.procs.iter_mut() {
            // Where events are missing, a goroutine may seem to run on while its proc is idle or
            // runs another one, and before Go 1.22 the loss of a proc in a system call could be
            // traced later than it happened. No proc did more than it ran.
            let sums = &mut proc.sums;
            sums.goroutine_ns = sums.goroutine_ns.min(sums.running_ns);
            sums.syscall_ns = sums.syscall_ns.min(sums.running_ns - sums.goroutine_ns);
            self.items.proc(row, &proc.sums);
        }
        for (row, thread) in self.threads.iter() {
            self.items.thread(row, thread);
        }
        for kind in ALL {
            let events = self.event_counts[*kind as usize];
            if events > 0 {
                self.items.event_count(*kind, events);
            }
        }
    }
}
