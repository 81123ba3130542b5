//! What the program says of itself: tasks, regions and logs; and the labels that the runtime gives.
//!
//! Comes in: their events. Goes out: logs and labels at once, tasks and regions when they end. The one
//! idea: only the runtime's labels tell mark workers from other goroutines, so those are read, too.

use super::state::{Builder, text};
use crate::model::annotations;
use crate::model::goroutines::OpenRegion;
use crate::model::items::*;
use crate::order::Event;
use crate::wire::v2::{EventType, Tables};

impl<I: Items> Builder<'_, I> {
    /// A task, region, log or label.
    #[inline(never)]
    pub(super) fn annotation(&mut self, event: &Event, tables: &Tables, time_ns: i64) {
        use EventType::*;
        let stack = self.translation.stack(event.stack(), tables);
        let goroutine = self.goroutines.id(event.slot);
        let args = &event.args;
        match event.kind {
            UserTaskBegin => {
                let task = Task {
                    task: args[0],
                    parent: annotations::parent(args[1]),
                    name: Some(text(tables.string(args[2])).into_owned()),
                    start_ns: Some(time_ns),
                    end_ns: None,
                    goroutine,
                    end_goroutine: None,
                    stack,
                };
                self.items.task_begins(&task);
                if let Some(task) = self.tasks.begin(task) {
                    self.items.task(&task);
                }
            }
            UserTaskEnd => {
                if let Some(task) = self.tasks.end(args[0], time_ns, goroutine) {
                    self.items.task(&task);
                }
            }
            UserRegionBegin => {
                if let Some(live) = self.goroutines.get(event.slot) {
                    let (task, name) = (args[0], text(tables.string(args[1])));
                    self.items.region_begins(live.sums.id, task, &name, time_ns);
                    let name = name.into();
                    live.regions.push(OpenRegion { task, name, start_ns: time_ns, stack });
                }
            }
            UserRegionEnd => {
                let name = text(tables.string(args[1]));
                if let Some(live) = self.goroutines.get(event.slot) {
                    annotations::end_region(live, args[0], &name, time_ns, stack, self.items);
                }
            }
            UserLog => self.items.log(&Log {
                time_ns,
                goroutine,
                task: args[0],
                category: &text(tables.string(args[1])),
                message: &text(tables.string(args[2])),
                stack,
            }),
            GoLabel => {
                let label = text(tables.string(args[0]));
                let Some(live) = self.goroutines.get(event.slot) else { return };
                live.worker = match &*label {
                    "GC (dedicated)" => Some((WorkerKind::Dedicated, time_ns)),
                    "GC (idle)" => Some((WorkerKind::Idle, time_ns)),
                    label if label.starts_with("GC (") => Some((WorkerKind::Fractional, time_ns)),
                    _ => None,
                };
                let goroutine = live.sums.id;
                self.items.label(&Label { time_ns, goroutine, label: &label });
            }
            _ => {}
        }
    }
}
