//! How many goroutines ran, and how many were ready to run, over time.

use super::budget::sane;
use super::{Database, StoreError};
use rusqlite::Result;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};

/// Most steps a trace is cut into. A step must be short against what a scheduler does, for what
/// happens in it is averaged; half a million numbers are a few megabytes.
const MAX_STEPS: i64 = 1 << 16;

/// States over time, in equal steps from the start of the trace.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    /// Length of a step, nanoseconds; the last one may be cut short by the end of the trace.
    pub step_ns: i64,
    /// For each step, how many goroutines were in the state on average.
    pub steps: Vec<Step>,
}

/// What goroutines did in a step: how many of them did it on average.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Step {
    /// Ran, those of the runtime included.
    pub running: f32,
    /// Were in a system call and kept their proc.
    pub syscall: f32,
    /// Were ready to run and had no proc.
    pub ready: f32,
}

impl Database {
    /// The activity in a trace of a length. One pass over its states.
    pub fn activity(&self, trace_id: i64, duration_ns: i64) -> Result<Activity, StoreError> {
        let duration_ns = sane(duration_ns.max(1));
        let step_ns = (duration_ns + MAX_STEPS - 1) / MAX_STEPS;
        let (connection, _watch) = (&self.connection, self.budget.watch());
        // Not one of the documented functions: it is here for this statement.
        let name = "gotrace_activity";
        connection.create_aggregate_function(
            name,
            3,
            FunctionFlags::SQLITE_UTF8,
            Sum { step_ns, duration_ns },
        )?;
        let only_trace: bool =
            connection.query_row("select count(*) = 1 from traces", [], |row| row.get(0))?;
        let failed = |error: rusqlite::Error| self.explain(error.into());
        // Most other states are waits (4); the function itself leaves out the rest, which is quicker.
        let blob: Option<Vec<u8>> = if only_trace {
            let sql = "select gotrace_activity(code, start_ns, duration_ns)
                       from raw_goroutine_states where code & 7 <> 4";
            connection.query_row(sql, [], |row| row.get(0)).map_err(failed)?
        } else {
            let sql = "select gotrace_activity(s.code, s.start_ns, s.duration_ns)
                       from raw_goroutines g
                       cross join raw_state_ranges r on r.goroutine_id = g.id
                       cross join raw_goroutine_states s
                         on s.id between r.first_state and r.last_state
                       where g.trace_id = ? and s.code & 7 <> 4";
            connection.query_row(sql, [trace_id], |row| row.get(0)).map_err(failed)?
        };
        connection.remove_function(name, 3)?;
        let steps = blob.unwrap_or_default().chunks_exact(12).map(Step::from_bytes).collect();
        Ok(Activity { step_ns, steps })
    }
}

impl Step {
    fn from_bytes(bytes: &[u8]) -> Step {
        let float = |at: usize| {
            f32::from_le_bytes(bytes[at..at + 4].try_into().expect("chunks have 12 bytes"))
        };
        Step { running: float(0), syscall: float(4), ready: float(8) }
    }
}

/// Sums spans of time up, by state and step.
struct Sum {
    step_ns: i64,
    duration_ns: i64,
}

/// For each state: nanoseconds in steps that a span covers in part, and by how much the number of
/// spans that cover a step as a whole changes from the step before.
struct Lanes {
    partial: [Vec<i64>; 3],
    whole: [Vec<i32>; 3],
}

impl Sum {
    fn steps(&self) -> usize {
        ((self.duration_ns + self.step_ns - 1) / self.step_ns) as usize
    }
}

impl Aggregate<Option<Lanes>, Option<Vec<u8>>> for Sum {
    fn init(&self, _: &mut Context<'_>) -> Result<Option<Lanes>> {
        let steps = self.steps();
        Ok(Some(Lanes {
            partial: std::array::from_fn(|_| vec![0; steps]),
            whole: std::array::from_fn(|_| vec![0; steps + 1]),
        }))
    }

    fn step(&self, context: &mut Context<'_>, lanes: &mut Option<Lanes>) -> Result<()> {
        let Some(lanes) = lanes else { return Ok(()) };
        // States as in raw_goroutine_states.code: running, in a system call with a proc, runnable.
        let lane = match context.get::<i64>(0)? & 7 {
            3 => 0,
            5 => 1,
            2 => 2,
            _ => return Ok(()),
        };
        let start = context.get::<i64>(1)?.clamp(0, self.duration_ns);
        let end = start.saturating_add(context.get::<i64>(2)?).clamp(start, self.duration_ns);
        if end == start {
            return Ok(());
        }
        // More than fits is damage: no sum of a step is so long.
        let add = |sum: &mut i64, ns: i64| *sum = sum.saturating_add(ns);
        let (first, last) = (start / self.step_ns, (end - 1) / self.step_ns);
        let partial = &mut lanes.partial[lane];
        if first == last {
            add(&mut partial[first as usize], end - start);
        } else {
            add(&mut partial[first as usize], (first + 1) * self.step_ns - start);
            add(&mut partial[last as usize], end - last * self.step_ns);
            lanes.whole[lane][first as usize + 1] += 1;
            lanes.whole[lane][last as usize] -= 1;
        }
        Ok(())
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        lanes: Option<Option<Lanes>>,
    ) -> Result<Option<Vec<u8>>> {
        let Some(lanes) = lanes.flatten() else { return Ok(None) };
        let mut bytes = Vec::with_capacity(self.steps() * 12);
        let mut covering = [0i32; 3];
        for step in 0..self.steps() {
            let start = step as i64 * self.step_ns;
            let length = (self.duration_ns - start).min(self.step_ns) as f64;
            for (lane, covering) in covering.iter_mut().enumerate() {
                *covering += lanes.whole[lane][step];
                let average = f64::from(*covering) + lanes.partial[lane][step] as f64 / length;
                bytes.extend((average as f32).to_le_bytes());
            }
        }
        Ok(Some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn spans_count_in_every_step_they_touch_by_how_much_they_cover() {
        let connection = Connection::open_in_memory().unwrap();
        let sum = Sum { step_ns: 10, duration_ns: 35 };
        connection.create_aggregate_function("a", 3, FunctionFlags::SQLITE_UTF8, sum).unwrap();
        // Running 5 to 35, in a system call 12 to 14, ready 0 to 10 and 30 to 90.
        let sql = "select a(column1, column2, column3)
                   from (values (3, 5, 30), (5, 12, 2), (2, 0, 10), (2, 30, 60), (2, 7, 0), (6, 0, 30))";
        let bytes: Vec<u8> = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        let steps: Vec<Step> = bytes.chunks_exact(12).map(Step::from_bytes).collect();
        let step = |running, syscall, ready| Step { running, syscall, ready };
        assert_eq!(
            steps,
            [step(0.5, 0.0, 1.0), step(1.0, 0.2, 0.0), step(1.0, 0.0, 0.0), step(1.0, 0.0, 1.0)]
        );
    }
}
