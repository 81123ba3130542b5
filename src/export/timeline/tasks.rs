//! The lanes of tasks: one for each, in a group for each name.

use super::format::*;
use super::stage::{Stage, rank};
use crate::model::Task;
use rustc_hash::FxHashMap;

/// Most groups; tasks of further names share one.
const MAX_GROUPS: usize = 4096;

/// Tasks that have begun and not ended.
#[derive(Default)]
pub struct Tasks {
    group: Option<TrackId>,
    groups: FxHashMap<Box<str>, TrackId>,
    /// `None` if the task is not to be shown.
    open: FxHashMap<u64, Option<TrackId>>,
}

impl Tasks {
    /// A task begins.
    pub fn begin<F: TimelineFormat>(&mut self, stage: &mut Stage<F>, task: &Task, is_shown: bool) {
        let track = is_shown.then(|| self.lane(stage, task));
        self.open.insert(task.task, track);
    }

    /// The lane of a task that has begun and not ended.
    pub fn track(&self, task: u64) -> Option<TrackId> {
        self.open.get(&task).copied().flatten()
    }

    /// A task ends, or the trace does.
    pub fn end<F: TimelineFormat>(&mut self, stage: &mut Stage<F>, task: &Task, is_shown: bool) {
        let track = match self.open.remove(&task.task) {
            Some(track) => track,
            // Its beginning is not in the trace.
            None => is_shown.then(|| self.lane(stage, task)),
        };
        let Some(track) = track else { return };
        let (start, end) = (task.start_ns.unwrap_or(0), task.end_ns.unwrap_or(stage.last_ns));
        let Some((start_ns, end_ns)) = stage.window.clip(start, end) else { return };
        let name = Name::Id(stage.text(task.name.as_deref().unwrap_or("task")));
        let mut args = Args::new();
        args.push(Key::Task, Value::Int(task.task as i64));
        args.push_known(Key::ParentTask, task.parent.map(|parent| parent as i64));
        args.push_stack(Key::Stack, task.stack);
        if task.start_ns.is_none() {
            args.push(Key::OpenStart, Value::Bool(true));
        }
        if task.end_ns.is_none() {
            args.push(Key::OpenEnd, Value::Bool(true));
        }
        stage.tracks.format.slice(&Slice {
            track,
            category: Category::Task,
            name,
            start_ns,
            end_ns,
            stack: task.stack,
            flow: Flow::None,
            args: &args,
        });
    }

    fn lane<F: TimelineFormat>(&mut self, stage: &mut Stage<F>, task: &Task) -> TrackId {
        let (tracks, root) = (&mut stage.tracks, stage.root);
        let all = *self.group.get_or_insert_with(|| {
            let about = "Tasks of the program by name, with their messages.";
            tracks.group(root, "Tasks", rank::TASKS, ChildOrder::ByName, about)
        });
        let name = task.name.as_deref().unwrap_or("task");
        let key = if self.groups.len() < MAX_GROUPS { name } else { "(other tasks)" };
        let group = match self.groups.get(name).or_else(|| self.groups.get(key)) {
            Some(&group) => group,
            None => {
                let group = tracks.group(all, key, rank::TASKS, ChildOrder::ByRank, "");
                self.groups.insert(key.into(), group);
                group
            }
        };
        let number = i64::try_from(task.task).unwrap_or(i64::MAX);
        tracks.lane(group, &format!("{name} {}", task.task), number)
    }
}
