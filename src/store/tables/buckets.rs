//! What happened in equal steps of the trace.

use super::intervals::step_border;
use super::states::{RUNNABLE, for_each_state};
use super::{Item, TableFunction};
use rusqlite::types::Value;
use std::collections::BTreeMap;

const STEPS: Item =
    Item { name: "steps", doc: "into how many steps to cut the time looked at, 1 to 100000" };

/// See its `doc`.
pub static STATE_BUCKETS: TableFunction = TableFunction {
    name: "state_buckets",
    doc: "Time goroutines spent in each state in equal steps of the trace, summed over goroutines.",
    arguments: &[STEPS],
    required: 1,
    columns: &[
        Item { name: "start_ns", doc: "when the step begins" },
        Item { name: "duration_ns", doc: "how long it is" },
        Item { name: "state", doc: "'running', 'runnable', 'waiting' or 'syscall'" },
        Item { name: "reason_id", doc: "row in reasons; NULL if there is none" },
        Item { name: "total_ns", doc: "time in that state in that step" },
    ],
    example: (
        "go1.27/mixed",
        "select start_ns > 0 as second_half, sum(total_ns) > 0 as has_run\n\
         from state_buckets(2) where state = 'running' group by 1",
    ),
    reads: &["trace_spans", "raw_goroutine_states"],
    run: |call, rows| {
        let (from, to) = call.span()?;
        let steps = call.steps(0)?;
        let borders: Vec<i64> =
            (0..=steps).map(|step| from + step_border(to - from, step, steps)).collect();
        let per_ns = steps as f64 / (to - from).max(1) as f64;
        // By state and reason: they are few.
        let mut sums: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        let mut last: Option<(i64, Vec<i64>)> = None;
        for_each_state(call.connection, |start, end, code| {
            let (mut start, end) = (start.max(from), end.min(to));
            if start >= end {
                return;
            }
            let kind = (code & 7) | (code >> 8) << 3;
            if last.as_ref().is_none_or(|last| last.0 != kind) {
                let totals = sums.remove(&kind).unwrap_or_else(|| vec![0; steps]);
                if let Some((kind, totals)) = last.replace((kind, totals)) {
                    sums.insert(kind, totals);
                }
            }
            let Some((_, totals)) = &mut last else { return };
            let guess = ((start - from) as f64 * per_ns) as usize;
            let mut step = guess.min(steps - 1);
            while borders[step] > start {
                step -= 1;
            }
            while borders[step + 1] <= start {
                step += 1;
            }
            while start < end {
                let until = end.min(borders[step + 1]);
                totals[step] += until - start;
                start = until;
                step += 1;
            }
        })?;
        sums.extend(last);
        for (kind, totals) in sums {
            let state = match kind & 7 {
                2 => "runnable",
                3 => "running",
                4 => "waiting",
                _ => "syscall",
            };
            let reason = if kind >> 3 == 0 { Value::Null } else { Value::Integer(kind >> 3) };
            for (step, total) in totals.into_iter().enumerate().filter(|(_, total)| *total > 0) {
                let start = borders[step];
                rows.push([
                    start.into(),
                    (borders[step + 1] - start).into(),
                    state.to_owned().into(),
                    reason.clone(),
                    total.into(),
                ])?;
            }
        }
        Ok(())
    },
};

/// See its `doc`.
pub static IDLE_BUCKETS: TableFunction = TableFunction {
    name: "idle_buckets",
    doc: "Time in which procs were idle while goroutines could have run, in equal steps of the trace.",
    arguments: &[STEPS],
    required: 1,
    columns: &[
        Item { name: "start_ns", doc: "when the step begins" },
        Item { name: "duration_ns", doc: "how long it is" },
        Item { name: "idle_ns", doc: "time procs were idle, summed over procs" },
        Item {
            name: "runnable_ns",
            doc: "time goroutines waited for a proc, summed over goroutines",
        },
        Item {
            name: "wasted_ns",
            doc: "time of idle procs for which a goroutine was waiting, summed: at each moment the lesser of both numbers",
        },
        Item {
            name: "longest_ns",
            doc: "the longest time without a break in which that was so, as far as it lies in the step",
        },
        Item { name: "longest_at_ns", doc: "when that began; NULL if it never was so" },
    ],
    example: ("go1.27/mixed", "select wasted_ns <= idle_ns as is_sane from idle_buckets(1)"),
    reads: &["trace_spans", "raw_goroutine_states", "raw_proc_states"],
    run: |call, rows| {
        let (from, to) = call.span()?;
        let steps = call.steps(0)?;
        // Time, change of runnable goroutines, change of idle procs.
        let mut edges: Vec<(i64, i32, i32)> = Vec::new();
        for_each_state(call.connection, |start, end, code| {
            let (start, end) = (start.max(from), end.min(to));
            if code & 7 == RUNNABLE && start < end {
                edges.extend([(start, 1, 0), (end, -1, 0)]);
            }
        })?;
        let mut statement = call
            .connection
            .prepare("select start_ns, duration_ns from raw_proc_states where not is_running")?;
        let mut idle = statement.raw_query();
        while let Some(row) = idle.next()? {
            let start: i64 = row.get(0)?;
            let (start, end) = (start.max(from), start.saturating_add(row.get(1)?).min(to));
            if start < end {
                edges.extend([(start, 0, 1), (end, 0, -1)]);
            }
        }
        edges.sort_unstable();
        let mut sweep = Sweep { edges: &edges, next: 0, time: from, runnable: 0, idle: 0 };
        for step in 0..steps {
            let start = from + step_border(to - from, step, steps);
            let end = from + step_border(to - from, step + 1, steps);
            let sums = sweep.to(end);
            rows.push([
                start.into(),
                (end - start).into(),
                sums.idle.into(),
                sums.runnable.into(),
                sums.wasted.into(),
                sums.longest.into(),
                if sums.longest > 0 { sums.longest_at.into() } else { Value::Null },
            ])?;
        }
        Ok(())
    },
};

/// A pass over changes in order of time.
struct Sweep<'a> {
    edges: &'a [(i64, i32, i32)],
    next: usize,
    time: i64,
    runnable: i32,
    idle: i32,
}

#[derive(Default)]
struct Sums {
    idle: i64,
    runnable: i64,
    wasted: i64,
    longest: i64,
    longest_at: i64,
}

impl Sweep<'_> {
    /// Goes on to `end` and sums what is on the way.
    fn to(&mut self, end: i64) -> Sums {
        let mut sums = Sums::default();
        let mut since: Option<i64> = None;
        loop {
            let until = self.edges.get(self.next).map_or(end, |edge| edge.0.min(end));
            let length = until - self.time;
            if length > 0 {
                sums.idle += length * i64::from(self.idle);
                sums.runnable += length * i64::from(self.runnable);
                let wasted = self.idle.min(self.runnable).max(0);
                sums.wasted += length * i64::from(wasted);
                if wasted > 0 {
                    let since = *since.get_or_insert(self.time);
                    if until - since > sums.longest {
                        (sums.longest, sums.longest_at) = (until - since, since);
                    }
                } else {
                    since = None;
                }
            }
            self.time = until;
            match self.edges.get(self.next) {
                Some(&(time, runnable, idle)) if time < end => {
                    self.runnable += runnable;
                    self.idle += idle;
                    self.next += 1;
                }
                _ => return sums,
            }
        }
    }
}
