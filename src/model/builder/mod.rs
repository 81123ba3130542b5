//! The pass over the ordered events.
//!
//! Comes in: events in order ([`Builder`] is a [`Sink`]). Goes out: model items, each when it is
//! complete. The one idea: an event is looked at once, by the file of its subject.
//!
//! From the bottom: `state` is what is known; `ranges` ends ranges, `goroutines` what a goroutine that
//! ends had open, `procs` takes system calls' procs away; `threads`, `annotations`, `memory` and
//! `metrics` stand for themselves; `borders` ends everything; this file tells the events apart.

mod annotations;
mod borders;
mod goroutines;
mod memory;
mod metrics;
mod procs;
mod ranges;
mod state;
mod threads;

pub use state::Builder;

use super::items::{Items, MetricKind};
use crate::order::{Event, Sink, Sync, TransitionOf};
use crate::wire::v2::{EventType, Generation, Tables};

impl<I: Items> Sink for Builder<'_, I> {
    fn sync(&mut self, sync: &Sync, generation: Option<&Generation>) {
        self.synchronise(sync, generation);
    }

    fn gap(&mut self) {
        self.begin_gap();
    }

    #[inline(always)]
    fn event(&mut self, event: &Event, tables: &Tables) {
        use EventType::*;
        let time_ns = self.since_start(event.time);
        self.last_ns = time_ns;
        self.totals.events += 1;
        self.event_counts[event.kind as usize] += 1;
        if let Some(generation) = &mut self.generation {
            generation.events += 1;
        }
        let thread = self.count_on_thread(event, time_ns);
        match event.kind {
            CPUSample => self.sample(event, tables, time_ns),
            ProcsChange => self.metric(MetricKind::Gomaxprocs, time_ns, event.args[0]),
            HeapAlloc => self.metric(MetricKind::HeapLive, time_ns, event.args[0]),
            HeapGoal => self.metric(MetricKind::HeapGoal, time_ns, event.args[0]),
            STWBegin | STWEnd | GCActive | GCBegin | GCEnd | GCSweepActive | GCSweepBegin
            | GCSweepEnd | GCMarkAssistActive | GCMarkAssistBegin | GCMarkAssistEnd => {
                self.range_event(event, tables, time_ns);
            }
            GoLabel => self.annotation(event, tables, time_ns),
            UserTaskBegin | UserTaskEnd | UserRegionBegin | UserRegionEnd | UserLog => {
                if self.items.wants_annotations() {
                    self.annotation(event, tables, time_ns);
                }
            }
            _ => match event.transition() {
                Some(TransitionOf::Goroutine(goid, slot, from, to)) => {
                    self.goroutine_event(event, tables, (goid, slot, from, to), time_ns, thread);
                }
                Some(TransitionOf::Proc(proc, from, to)) => {
                    self.proc_event(event, proc, from, to, time_ns, thread);
                }
                None => self.memory_event(event, time_ns),
            },
        }
    }
}
