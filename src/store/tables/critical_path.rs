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

use super::moments::state_name;
use super::states::{RUNNABLE, State, WAITING, states_of};
use super::{Item, TableFunction, maybe};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Result};
use std::collections::HashMap;
use std::rc::Rc;

/// Wake-ups followed one inside the other. What lies deeper is shown as the wait it is.
const MAX_DEPTH: i64 = 500;
/// States kept at a time; more are read again when they are needed.
const MAX_KEPT: usize = 2 << 20;

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
        Item {
            name: "woken_stack_id",
            doc: "where the waker was, for a step that begins after a wake-up; NULL otherwise",
        },
    ],
    example: (
        "go1.27/sync",
        "select sum(duration_ns) = 1000000 as is_complete\n\
         from critical_path((select id from goroutines where goid = 1), 500000, 1500000)",
    ),
    reads: &["raw_goroutines", "raw_state_ranges", "raw_goroutine_states"],
    run: |call, rows| {
        let (goroutine, from, to) = (call.integer(0)?, call.integer(1)?, call.integer(2)?);
        let mut walk = Walk { connection: call.connection, kept: HashMap::new(), count: 0 };
        let mut steps = walk.steps(goroutine, from, to)?;
        steps.reverse();
        for step in steps.into_iter().filter(|step| step.end > step.start) {
            let code = step.state.map(|state| state.code);
            rows.push([
                step.start.into(),
                (step.end - step.start).into(),
                maybe(step.state.map(|_| step.goroutine)),
                code.map_or(Value::Null, |code| Value::Text(state_name(code).into())),
                maybe(code.map(|code| code >> 8).filter(|reason| *reason != 0)),
                maybe(step.stack),
                step.depth.into(),
                maybe(step.state.and_then(|state| state.woken_stack)),
            ])?;
        }
        Ok(())
    },
};

struct Step {
    start: i64,
    end: i64,
    goroutine: i64,
    /// `None` where the goroutine is not there.
    state: Option<State>,
    stack: Option<i64>,
    depth: i64,
}

/// An interval of a goroutine that is still to be explained.
struct Task {
    goroutine: i64,
    from: i64,
    to: i64,
    depth: i64,
}

struct Walk<'a> {
    connection: &'a Connection,
    kept: HashMap<i64, Rc<[State]>>,
    count: usize,
}

impl Walk<'_> {
    fn states(&mut self, goroutine: i64) -> Result<Rc<[State]>> {
        if let Some(states) = self.kept.get(&goroutine) {
            return Ok(states.clone());
        }
        let states: Rc<[State]> = states_of(self.connection, goroutine)?.into();
        if self.count + states.len() > MAX_KEPT {
            self.kept.clear();
            self.count = 0;
        }
        self.count += states.len();
        self.kept.insert(goroutine, states.clone());
        Ok(states)
    }

    fn creator(&self, goroutine: i64) -> Result<Option<i64>> {
        let mut statement = self
            .connection
            .prepare_cached("select created_by from raw_goroutines where id = ?1")?;
        Ok(statement.query_row([goroutine], |row| row.get(0)).optional()?.flatten())
    }

    /// The steps, the last first.
    fn steps(&mut self, goroutine: i64, from: i64, to: i64) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        // What is to be explained, the latest on top: each task ends where the one above begins.
        let mut tasks = vec![Task { goroutine, from, to, depth: 0 }];
        while let Some(mut task) = tasks.pop() {
            if task.from >= task.to {
                continue;
            }
            let states = self.states(task.goroutine)?;
            let at = states.partition_point(|state| state.start < task.to);
            let Some(state) = at.checked_sub(1).map(|at| states[at]) else {
                // Before its beginning.
                let until = task.to;
                match self.creator(task.goroutine)? {
                    Some(creator) if task.depth < MAX_DEPTH => {
                        task.goroutine = creator;
                        task.depth += 1;
                        tasks.push(task);
                    }
                    _ => steps.push(absent(&task, task.from, until)),
                }
                continue;
            };
            let end = state.end.min(task.to);
            if end < task.to {
                // After its end, or in a gap of the trace.
                let from = end.max(task.from);
                steps.push(absent(&task, from, task.to));
                task.to = from;
                tasks.push(task);
                continue;
            }
            let start = state.start.max(task.from);
            let rest = Task { to: start, ..task };
            match state.woken_by {
                // A wait that was cut by the end of what is asked about was ended later: what its
                // waker did until then did not yet matter for sure, but is the best that is known.
                Some(waker)
                    if state.state() == WAITING
                        && task.depth < MAX_DEPTH
                        && waker != task.goroutine =>
                {
                    let depth = task.depth + 1;
                    tasks.push(rest);
                    tasks.push(Task { goroutine: waker, from: start, to: end, depth });
                }
                _ => {
                    let next = states.get(at).and_then(|next| next.stack);
                    let is_known = state.stack.is_some() && state.state() != RUNNABLE;
                    steps.push(Step {
                        start,
                        end,
                        goroutine: task.goroutine,
                        state: Some(state),
                        stack: if is_known { state.stack } else { next },
                        depth: task.depth,
                    });
                    tasks.push(rest);
                }
            }
            if steps.len() > 2 << 20 {
                return Err(super::refuse(
                    "critical_path: the path has more than two million steps; ask for less time",
                ));
            }
        }
        Ok(steps)
    }
}

fn absent(task: &Task, start: i64, end: i64) -> Step {
    Step { start, end, goroutine: task.goroutine, state: None, stack: None, depth: task.depth }
}
