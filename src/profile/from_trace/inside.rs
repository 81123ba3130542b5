//! Being inside the regions or the task that were asked for.

use super::{TaskPattern, TraceProfileOptions};
use crate::model::{GoroutineId, NamePattern, Task};
use rustc_hash::FxHashMap;

/// How much of a goroutine's time is inside.
#[derive(Debug, Default)]
pub struct Inside {
    /// How many of the things asked for it is in.
    depth: u32,
    /// When it entered the outermost of them.
    since_ns: i64,
    /// Time inside since its last span, not counting what is open.
    covered_ns: i64,
    /// End of its last span.
    last_ns: i64,
}

impl Inside {
    /// It enters a region, or creates the task.
    pub fn enter(&mut self, time_ns: i64) {
        if self.depth == 0 {
            self.since_ns = time_ns;
        }
        self.depth += 1;
    }

    /// It leaves what it entered.
    pub fn leave(&mut self, time_ns: i64) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 {
            self.covered_ns += time_ns - self.since_ns.max(self.last_ns);
        }
    }

    /// It leaves what it was in since before its last span.
    pub fn cover_until(&mut self, time_ns: i64) {
        if self.depth == 0 {
            self.covered_ns = time_ns - self.last_ns;
        }
    }

    /// Whether it is inside now.
    pub fn is_open(&self) -> bool {
        self.depth > 0
    }

    /// How much of a span that ends now was inside. Spans come one behind the other.
    pub fn take(&mut self, start_ns: i64, end_ns: i64) -> i64 {
        let open = if self.depth > 0 { end_ns - self.since_ns.max(start_ns) } else { 0 };
        self.last_ns = end_ns;
        std::mem::take(&mut self.covered_ns) + open
    }
}

/// What to be inside of.
pub struct Wanted {
    region: Option<NamePattern>,
    task: Option<TaskPattern>,
    /// Tasks asked for that have begun and not ended, with the goroutine that created each.
    tasks: FxHashMap<u64, Option<GoroutineId>>,
}

impl Wanted {
    /// As the options say; `None` if they say nothing.
    pub fn new(options: &TraceProfileOptions) -> Option<Self> {
        let (region, task) = (options.region.clone(), options.task.clone());
        let wanted = Wanted { region, task, tasks: FxHashMap::default() };
        (wanted.region.is_some() || wanted.task.is_some()).then_some(wanted)
    }

    /// Whether a region is asked for.
    pub fn has_region(&self, task: u64, name: &str) -> bool {
        let is_of_task = match &self.task {
            None => true,
            Some(TaskPattern::Number(number)) if *number == task => true,
            Some(_) => self.tasks.contains_key(&task),
        };
        is_of_task && self.region.as_ref().is_none_or(|pattern| pattern.matches(name))
    }

    /// A task begins. Whether its creator is inside from here on.
    pub fn begin_task(&mut self, task: &Task) -> bool {
        let is_meant = match &self.task {
            None => false,
            Some(TaskPattern::Number(number)) => *number == task.task,
            Some(TaskPattern::Name(pattern)) => {
                task.name.as_ref().is_some_and(|name| pattern.matches(name))
            }
        };
        let is_below = task.parent.is_some_and(|parent| self.tasks.contains_key(&parent));
        if is_meant || is_below {
            self.tasks.insert(task.task, task.goroutine);
        }
        (is_meant || is_below) && self.region.is_none()
    }

    /// A task ends. Its creator, if that one was inside because of it.
    pub fn end_task(&mut self, task: &Task) -> Option<GoroutineId> {
        let creator = self.tasks.remove(&task.task)?;
        creator.filter(|_| self.region.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_inside_is_the_union_of_what_was_entered() {
        let mut inside = Inside::default();
        assert_eq!(inside.take(0, 10), 0);
        inside.enter(12);
        inside.enter(13);
        inside.leave(14);
        assert_eq!(inside.take(10, 20), 8);
        inside.leave(25);
        inside.enter(27);
        assert_eq!(inside.take(20, 30), 5 + 3);
        inside.leave(31);
        assert_eq!(inside.take(30, 40), 1);
        assert_eq!(inside.take(40, 50), 0);
        inside.cover_until(57);
        assert_eq!(inside.take(50, 60), 7);
    }
}
