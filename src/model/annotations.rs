//! Tasks and regions of the program.

use super::goroutines::{Live, OpenRegion};
use super::ids::*;
use super::items::*;
use rustc_hash::FxHashMap;

/// The wire value of "no parent".
const NO_PARENT: u64 = u64::MAX;

/// Tasks that have begun and not ended.
#[derive(Default)]
pub struct Tasks {
    open: FxHashMap<u64, Task>,
    /// Lowest number of a task that began in the trace. The runtime numbers tasks upwards, so a
    /// task with a lower number began before the trace.
    first: Option<u64>,
}

impl Tasks {
    /// A task begins. Returns one that had the same number and is given up.
    pub fn begin(&mut self, task: Task) -> Option<Task> {
        self.first = Some(self.first.map_or(task.task, |first| first.min(task.task)));
        self.open.insert(task.task, task)
    }

    /// A task ends; `None` if it had ended before.
    pub fn end(&mut self, number: u64, time_ns: i64, by: Option<GoroutineId>) -> Option<Task> {
        let mut task = match self.open.remove(&number) {
            Some(task) => task,
            None if self.first.is_some_and(|first| number >= first) => return None,
            None => Task {
                task: number,
                parent: None,
                name: None,
                start_ns: None,
                end_ns: None,
                goroutine: None,
                end_goroutine: None,
                stack: None,
            },
        };
        task.end_ns = Some(time_ns);
        task.end_goroutine = by;
        Some(task)
    }

    /// Takes the tasks that never ended, in the order of their numbers.
    pub fn take_open(&mut self) -> Vec<Task> {
        let mut open: Vec<Task> = self.open.drain().map(|(_, task)| task).collect();
        open.sort_unstable_by_key(|task| task.task);
        open
    }
}

/// A parent number as the wire has it.
pub fn parent(number: u64) -> Option<u64> {
    (number != NO_PARENT && number != 0).then_some(number)
}

/// Ends a region of a goroutine and hands it out. The innermost open region of that task and name
/// is meant; without one, the region began before the trace.
pub fn end_region<I: Items>(
    live: &mut Live,
    task: u64,
    name: &str,
    time_ns: i64,
    end_stack: Option<StackId>,
    items: &mut I,
) {
    let found = live.regions.iter().rposition(|open| open.task == task && *open.name == *name);
    let is_innermost = found.is_none_or(|found| found + 1 == live.regions.len());
    let open = found.map(|found| (live.regions.remove(found), found as u32));
    let (start_ns, stack, depth) = match &open {
        Some((open, depth)) => (Some(open.start_ns), open.stack, *depth),
        None => (None, None, 0),
    };
    items.region(&Region {
        goroutine: live.sums.id,
        task,
        name,
        start_ns,
        end_ns: Some(time_ns),
        depth,
        is_innermost,
        stack,
        end_stack,
    });
}

/// Hands out the regions of a goroutine that have not ended.
pub fn leave_regions<I: Items>(live: &mut Live, items: &mut I) {
    let goroutine = live.sums.id;
    for (depth, open) in live.regions.drain(..).enumerate() {
        let OpenRegion { task, name, start_ns, stack } = open;
        items.region(&Region {
            goroutine,
            task,
            name: &name,
            start_ns: Some(start_ns),
            end_ns: None,
            depth: depth as u32,
            is_innermost: true,
            stack,
            end_stack: None,
        });
    }
}
