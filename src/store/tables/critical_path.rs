//! The chain of running and waiting that decided how long something took.
//!
//! It is followed backwards. As long as the goroutine runs, is in a system call or waits for a
//! proc, that itself is the reason. While it waits for another one to wake it, the reason is what
//! that other one did in this time: the path goes over to the waker at the moment of the wake-up
//! and comes back at the moment the wait began. Where a goroutine did not exist yet, what its
//! creator did is the reason. A wait that no goroutine ended (a timer, the network, the
//! collector) is a reason of its own.
//!
//! So the steps neither overlap nor leave a gap: their sum is the length of the interval.

use super::moments::{row_number, state_name};
use super::states::{
    RUNNABLE, RUNNING, State, StateRange, States, WAITING, functions_of, ranges_of,
};
use super::{Cell, Item, TableFunction};
use crate::store::budget::{Work, sane};
use rusqlite::{Connection, Error, OptionalExtension, Result};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// Wake-ups followed one inside the other. What lies deeper is shown as the wait it is.
const MAX_DEPTH: u32 = 500;
/// States kept at a time.
const MAX_KEPT: usize = 1 << 20;
/// Most steps of a path.
const MAX_STEPS: usize = 2 << 20;

/// See its `doc`.
pub static CRITICAL_PATH: TableFunction = TableFunction {
    name: "critical_path",
    doc: "The chain of running and waiting that decided how long a goroutine took for something: its own states, \
          and in place of its waits what the goroutine that ended them did meanwhile, and so on. The steps do not overlap \
          and have no gap; they come in order of time.",
    arguments: &[
        Item { name: "goroutine_id", doc: "row in goroutines of the one that was done at the end" },
        Item { name: "from_ns", doc: "the beginning" },
        Item { name: "to_ns", doc: "the end" },
    ],
    required: 3,
    columns: &[
        Item { name: "start_ns", doc: "when the step begins" },
        Item { name: "duration_ns", doc: "how long it lasts" },
        Item {
            name: "goroutine_id",
            doc: "row in goroutines of the one whose step it is; NULL where none was there",
        },
        Item {
            name: "state",
            doc: "what it did: 'running', 'runnable', 'waiting', 'syscall'; NULL where none was there",
        },
        Item { name: "reason_id", doc: "row in reasons; NULL if there is none" },
        Item {
            name: "stack_id",
            doc: "where it was when it entered the state; for running and runnable, where it was next; NULL if unknown",
        },
        Item {
            name: "depth",
            doc: "how many wake-ups lie between it and the goroutine asked about",
        },
    ],
    example: (
        "go1.27/sync",
        "select sum(duration_ns) = 1000000 as is_complete\n\
         from critical_path((select id from goroutines where goid = 1), 500000, 1500000)",
    ),
    reads: &["raw_goroutines", "raw_state_ranges", "raw_goroutine_states"],
    run: |call, rows| {
        let number = |index| Ok::<_, Error>(call.optional_integer(index)?.map(sane));
        let (Some(goroutine), Some(from), Some(to)) = (number(0)?, number(1)?, number(2)?) else {
            // Unknown what is meant: a database of profiles alone has no main goroutine.
            return Ok(());
        };
        let mut steps = Vec::new();
        let goroutine = u32::try_from(goroutine).unwrap_or(0);
        Walk::new(call.connection, &call.work)?.walk(goroutine, from, to, |step| {
            call.work.push(&mut steps, step)?;
            if steps.len() <= MAX_STEPS {
                return Ok(());
            }
            Err(crate::store::refusal::refuse(
                "critical_path: the path has more than two million steps; ask for less time, or for \
                 critical_path_sums",
            ))
        })?;
        // The last was found first.
        rows.stream(move || {
            let step = steps.pop()?;
            Some([
                step.start.into(),
                (step.end - step.start).into(),
                row_number(step.goroutine),
                step.state(),
                row_number(step.code >> 8),
                row_number(step.stack),
                i64::from(step.depth).into(),
            ])
        });
        Ok(())
    },
};

/// See its `doc`.
pub static CRITICAL_PATH_SUMS: TableFunction = TableFunction {
    name: "critical_path_sums",
    doc: "The steps of critical_path, summed up by what was done and where.",
    arguments: CRITICAL_PATH.arguments,
    required: 3,
    columns: &[
        Item { name: "state", doc: "as in critical_path" },
        Item { name: "reason_id", doc: "row in reasons; NULL if there is none" },
        Item {
            name: "function_id",
            doc: "row in functions: what the goroutines began with; NULL if unknown",
        },
        Item { name: "stack_id", doc: "as in critical_path" },
        Item { name: "steps", doc: "how many steps" },
        Item { name: "total_ns", doc: "how long in all" },
        Item { name: "max_ns", doc: "the longest" },
        Item { name: "longest_at_ns", doc: "when the longest began" },
        Item { name: "goroutine_id", doc: "row in goroutines of the longest" },
    ],
    example: (
        "go1.27/sync",
        "select sum(total_ns) = 1000000 as is_complete\n\
         from critical_path_sums((select id from goroutines where goid = 1), 500000, 1500000)",
    ),
    reads: &["raw_state_ranges", "raw_goroutine_states"],
    run: |call, rows| {
        let number = |index| Ok::<_, Error>(call.optional_integer(index)?.map(sane));
        let (Some(goroutine), Some(from), Some(to)) = (number(0)?, number(1)?, number(2)?) else {
            return Ok(());
        };
        let functions = functions_of(call.connection, &call.work)?;
        let mut sums: FxHashMap<(i64, Option<i64>, u32), Sum> = FxHashMap::default();
        let goroutine = u32::try_from(goroutine).unwrap_or(0);
        Walk::new(call.connection, &call.work)?.walk(goroutine, from, to, |step| {
            // The state before, which the code tells too, is of no matter here.
            let code = step.code & !0xf8;
            let function = functions.get(&step.goroutine).copied();
            call.work.room_in(&sums)?;
            sums.entry((code, function, step.stack)).or_default().add(&step);
            if sums.len() <= MAX_STEPS {
                return Ok(());
            }
            Err(crate::store::refusal::refuse(
                "critical_path_sums: more than two million places; ask for less time",
            ))
        })?;
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_unstable_by_key(|(place, _)| *place);
        for ((code, function, stack), sum) in sums {
            rows.push([
                Step { code, ..sum.longest }.state(),
                row_number(code >> 8),
                function.into(),
                row_number(stack),
                sum.steps.into(),
                sum.total.into(),
                (sum.longest.end - sum.longest.start).into(),
                sum.longest.start.into(),
                row_number(sum.longest.goroutine),
            ])?;
        }
        Ok(())
    },
};

/// The steps of one place. The last step comes first, so of several that are equally long the
/// earliest is kept.
#[derive(Default)]
struct Sum {
    steps: i64,
    total: i64,
    longest: Step,
}

impl Sum {
    fn add(&mut self, step: &Step) {
        let duration = step.end - step.start;
        if self.steps == 0 || duration >= self.longest.end - self.longest.start {
            self.longest = *step;
        }
        self.steps += 1;
        self.total = self.total.saturating_add(duration);
    }
}

/// Row numbers are 0 for none; so is `code` where no goroutine was there.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    start: i64,
    end: i64,
    code: i64,
    goroutine: u32,
    stack: u32,
    depth: u32,
}

impl Step {
    fn state(&self) -> Cell {
        if self.code == 0 { Cell::Null } else { state_name(self.code).into() }
    }
}

/// An interval of a goroutine that is still to be explained.
#[derive(Clone, Copy)]
struct Task {
    goroutine: u32,
    from: i64,
    to: i64,
    depth: u32,
    /// Where the goroutine was at the end; 0 if that is not known.
    stack: u32,
}

impl Task {
    fn absent(&self, start: i64, end: i64) -> Step {
        Step { start, end, code: 0, goroutine: 0, stack: 0, depth: self.depth }
    }
}

/// The path goes back in time, so what lies later is not needed again.
struct Walk<'a> {
    connection: &'a Connection,
    work: &'a Work,
    source: States<'a>,
    ranges: FxHashMap<u32, Rc<[StateRange]>>,
    /// By first row of the range.
    states: FxHashMap<i64, Rc<[State]>>,
    kept: usize,
}

impl<'a> Walk<'a> {
    fn new(connection: &'a Connection, work: &'a Work) -> Result<Self> {
        let (ranges, states) = (FxHashMap::default(), FxHashMap::default());
        let source = States::open(connection, work)?;
        Ok(Walk { connection, work, source, ranges, states, kept: 0 })
    }

    /// The last state of a goroutine that begins before a moment.
    fn state_before(&mut self, goroutine: u32, time: i64) -> Result<Option<State>> {
        let ranges = match self.ranges.get(&goroutine) {
            Some(ranges) => ranges.clone(),
            None => {
                let ranges: Rc<[StateRange]> =
                    ranges_of(self.connection, i64::from(goroutine))?.into();
                self.work.room_in(&self.ranges)?;
                self.work.hold(size_of_val(&*ranges))?;
                self.ranges.insert(goroutine, ranges.clone());
                ranges
            }
        };
        let at = ranges.partition_point(|range| range.start < time);
        let Some(range) = at.checked_sub(1).map(|at| ranges[at]) else { return Ok(None) };
        let states = match self.states.get(&range.first) {
            Some(states) => states.clone(),
            None => {
                let mut states = Vec::new();
                // What is forgotten when there is too much of it does not count: see `make_room`.
                self.source.range(range, |state| match states.len() < MAX_KEPT {
                    true => {
                        states.push(*state);
                        Ok(())
                    }
                    false => self.work.push(&mut states, *state),
                })?;
                let states: Rc<[State]> = states.into();
                self.make_room(states.len(), time);
                self.states.insert(range.first, states.clone());
                states
            }
        };
        let at = states.partition_point(|state| state.start < time);
        Ok(at.checked_sub(1).map(|at| states[at]))
    }

    fn make_room(&mut self, wanted: usize, time: i64) {
        if self.kept + wanted > MAX_KEPT {
            self.states.retain(|_, states| states.first().is_some_and(|first| first.start < time));
            self.kept = self.states.values().map(|states| states.len()).sum();
            if self.kept + wanted > MAX_KEPT {
                self.states.clear();
                self.kept = 0;
            }
        }
        self.kept += wanted;
    }

    fn creator(&self, goroutine: u32) -> Result<Option<u32>> {
        let mut statement = self
            .connection
            .prepare_cached("select created_by from raw_goroutines where id = ?1")?;
        Ok(statement.query_row([goroutine], |row| row.get(0)).optional()?.flatten())
    }

    /// Hands out the steps, the last first.
    fn walk(
        &mut self,
        goroutine: u32,
        from: i64,
        to: i64,
        mut take: impl FnMut(Step) -> Result<()>,
    ) -> Result<()> {
        // What is to be explained, the latest on top: each task ends where the one above begins.
        let mut tasks = vec![Task { goroutine, from, to, depth: 0, stack: 0 }];
        while let Some(task) = tasks.pop() {
            self.work.step()?;
            if task.from >= task.to {
                continue;
            }
            match self.state_before(task.goroutine, task.to)? {
                Some(state) => {
                    if let Some(step) = explain(task, state, &mut tasks) {
                        take(step)?;
                    }
                }
                // Before its beginning.
                None => match self.creator(task.goroutine)? {
                    Some(goroutine) if task.depth < MAX_DEPTH => {
                        tasks.push(Task { goroutine, depth: task.depth + 1, stack: 0, ..task });
                    }
                    _ => take(task.absent(task.from, task.to))?,
                },
            }
        }
        Ok(())
    }
}

/// Explains the last part of a task, in which its goroutine is in `state`: by a step, or by a task of
/// the goroutine that ended the wait. What is before it becomes a task of its own.
fn explain(task: Task, state: State, tasks: &mut Vec<Task>) -> Option<Step> {
    let end = state.end.min(task.to).max(task.from);
    if end < task.to {
        // After its end, or in a gap of the trace.
        tasks.push(Task { to: end, stack: 0, ..task });
        return Some(task.absent(end, task.to));
    }
    let start = state.start.max(task.from);
    tasks.push(Task { to: start, stack: state.stack, ..task });
    // A wait that goes on beyond what is asked about was ended later: what its waker did until
    // then is the best that is known.
    let is_explained = state.state() == WAITING
        && state.woken_by_id != 0
        && state.woken_by_id != task.goroutine
        && task.depth < MAX_DEPTH;
    if is_explained {
        tasks.push(Task {
            goroutine: state.woken_by_id,
            from: start,
            to: end,
            depth: task.depth + 1,
            stack: state.woken_stack,
        });
        return None;
    }
    // Where it ran or could have run to is where it was next.
    let is_next = matches!(state.state(), RUNNING | RUNNABLE) && task.stack != 0;
    Some(Step {
        start,
        end,
        code: state.code,
        goroutine: task.goroutine,
        stack: if is_next { task.stack } else { state.stack },
        depth: task.depth,
    })
}
