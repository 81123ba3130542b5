//! The lanes of tasks: for each name as many as there were at a time.

use super::format::*;
use super::stage::{Stage, rank};
use crate::model::Task;
use rustc_hash::FxHashMap;

/// Most names that have lanes of their own; tasks of further names share some.
const MAX_NAMES: usize = 4096;

/// Tasks that have begun and not ended.
#[derive(Default)]
pub struct Tasks {
    group: Option<TrackId>,
    names: FxHashMap<Box<str>, Lanes>,
    /// `None` if the task is not to be shown.
    open: FxHashMap<u64, Option<Place>>,
}

/// The lanes for a name.
#[derive(Default)]
struct Lanes {
    all: Vec<TrackId>,
    /// Those in which no task is under way, the first one last.
    free: Vec<usize>,
}

/// Where a task is shown.
struct Place {
    track: TrackId,
    name: Box<str>,
    lane: usize,
}

impl Tasks {
    /// A task begins.
    pub fn begin<F: TimelineFormat>(&mut self, stage: &mut Stage<F>, task: &Task, is_shown: bool) {
        let place = is_shown.then(|| self.place(stage, task));
        if let Some(Some(given_up)) = self.open.insert(task.task, place) {
            self.free(&given_up);
        }
    }

    /// The lane of a task that has begun and not ended.
    pub fn track(&self, task: u64) -> Option<TrackId> {
        self.open.get(&task)?.as_ref().map(|place| place.track)
    }

    /// A task ends, or the trace does.
    pub fn end<F: TimelineFormat>(&mut self, stage: &mut Stage<F>, task: &Task, is_shown: bool) {
        let place = match self.open.remove(&task.task) {
            Some(place) => place,
            // Its beginning is not in the trace, so it has been there all the time: no other one
            // comes into its lane.
            None if is_shown => Some(self.add(stage, task)),
            None => None,
        };
        let Some(place) = place else { return };
        if task.start_ns.is_some() {
            self.free(&place);
        }
        let track = place.track;
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

    /// A lane for a task that begins.
    fn place<F: TimelineFormat>(&mut self, stage: &mut Stage<F>, task: &Task) -> Place {
        let name = self.key(task);
        let lanes = self.names.entry(name.into()).or_default();
        match lanes.free.pop() {
            Some(lane) => Place { track: lanes.all[lane], name: name.into(), lane },
            None => self.add(stage, task),
        }
    }

    /// A new lane.
    fn add<F: TimelineFormat>(&mut self, stage: &mut Stage<F>, task: &Task) -> Place {
        let (tracks, root) = (&mut stage.tracks, stage.root);
        let group = *self.group.get_or_insert_with(|| {
            let about = "Tasks of the program by name, with their messages.";
            tracks.group(root, "Tasks", rank::TASKS, ChildOrder::ByName, about)
        });
        let name = self.key(task);
        let lanes = self.names.entry(name.into()).or_default();
        let lane = lanes.all.len();
        let track = match lane {
            0 => tracks.lane(group, name, 0),
            others => tracks.lane(group, &format!("{name} ({})", others + 1), others as i64),
        };
        lanes.all.push(track);
        Place { track, name: name.into(), lane }
    }

    fn free(&mut self, place: &Place) {
        if let Some(lanes) = self.names.get_mut(&place.name) {
            let at = lanes.free.partition_point(|&lane| lane > place.lane);
            lanes.free.insert(at, place.lane);
        }
    }

    fn key<'a>(&self, task: &'a Task) -> &'a str {
        let name = task.name.as_deref().unwrap_or("task");
        let has_own = self.names.len() < MAX_NAMES || self.names.contains_key(name);
        if has_own { name } else { "(other tasks)" }
    }
}
