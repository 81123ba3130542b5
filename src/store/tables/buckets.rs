//! What happened in equal steps of the trace.

use super::intervals::step_border;
use super::moments::state_name;
use super::states::{RUNNABLE, State, States, WAITING};
use super::{Cell, Item, TableFunction};
use crate::model::wait_kinds::COLLECTOR_LOCKS;
use crate::store::budget::{Work, sane};
use rusqlite::{Connection, Result};
use rustc_hash::FxHashMap;

/// The argument of functions that cut the time into equal steps.
pub const STEPS: Item =
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
        Item {
            name: "is_collector",
            doc: "1 if it waited for a lock of the collector, which waits.kind calls gc; else 0",
        },
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
        let collector = collector_stacks(call.connection, &call.work)?;
        // By state and reason: they are few, but a hostile trace has as many as it likes.
        let mut places: FxHashMap<i64, usize> = FxHashMap::default();
        let mut sums: Vec<i64> = Vec::new();
        let pick = |state: &State| {
            let (start, end) = (state.start.max(from), state.end.min(to));
            (start < end).then_some((start, end, state.code, state.stack))
        };
        let mut states = States::open(call.connection, &call.work)?;
        states.each(pick, |(mut start, end, code, stack)| {
            let next = places.len();
            let is_collector = !collector.is_empty()
                && code & 7 == WAITING
                && collector.contains_key(&(code >> 8, stack));
            let kind = (code & 7) | i64::from(is_collector) << 3 | (code >> 8) << 4;
            let place = *places.entry(kind).or_insert(next);
            if place == next {
                call.work.room_in(&places)?;
                call.work.room(&mut sums, steps)?;
                sums.resize(sums.len() + steps, 0);
            }
            let totals = &mut sums[place * steps..(place + 1) * steps];
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
                totals[step] = totals[step].saturating_add(until - start);
                start = until;
                step += 1;
            }
            call.work.steps(step)
        })?;
        let mut kinds: Vec<(i64, usize)> = places.into_iter().collect();
        kinds.sort_unstable();
        for (kind, place) in kinds {
            let state = state_name(kind);
            let reason = Cell::from(Some(kind >> 4).filter(|reason| *reason != 0));
            let is_collector = kind >> 3 & 1;
            for step in 0..steps {
                let (start, total) = (borders[step], sums[place * steps + step]);
                if total > 0 {
                    let length = borders[step + 1] - start;
                    rows.push([
                        start.into(),
                        length.into(),
                        state.into(),
                        reason,
                        is_collector.into(),
                        total.into(),
                    ])?;
                }
            }
        }
        Ok(())
    },
};

/// Reasons and stacks of waits for locks of the collector, as rows: the runtime says of them what it
/// says of the program's.
fn collector_stacks(connection: &Connection, work: &Work) -> Result<FxHashMap<(i64, u32), ()>> {
    let kinds = COLLECTOR_LOCKS.map(|kind| format!("'{kind}'")).join(", ");
    let sql = format!(
        "select r.id, k.id from stacks k join reasons r on r.kind = 'lock' where k.wait_kind in ({kinds})"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut found = FxHashMap::default();
    while let Some(row) = rows.next()? {
        work.room_in(&found)?;
        // A number that no row of ours has is of no state either.
        if let Ok(stack) = u32::try_from(row.get::<_, i64>(1)?) {
            found.insert((row.get(0)?, stack), ());
        }
    }
    Ok(found)
}

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
        let mut edges = Vec::new();
        let both = |start: i64, end: i64, is_proc: bool| {
            let (start, end) = (start.max(from), end.min(to));
            (start < end).then(|| [edge(start - from, is_proc, 1), edge(end - from, is_proc, -1)])
        };
        let pick = |state: &State| match state.state() {
            RUNNABLE => both(state.start, state.end, false),
            _ => None,
        };
        let mut states = States::open(call.connection, &call.work)?;
        states.each(pick, |both| call.work.extend(&mut edges, both))?;
        let mut statement = call
            .connection
            .prepare("select start_ns, duration_ns from raw_proc_states where not is_running")?;
        let mut idle = statement.raw_query();
        while let Some(row) = idle.next()? {
            let start = sane(row.get(0)?);
            if let Some(both) = both(start, sane(start.saturating_add(row.get(1)?)), true) {
                call.work.extend(&mut edges, both)?;
            }
        }
        edges.sort_unstable();
        let mut sweep = Sweep { edges: &edges, next: 0, from, time: from, runnable: 0, idle: 0 };
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
                Some(sums.longest_at).filter(|_| sums.longest > 0).into(),
            ])?;
        }
        Ok(())
    },
};

/// One more (or less) runnable goroutine or idle proc from a time on, counted from the beginning of
/// what is looked at. Small and in order of time, as there are millions.
fn edge(time: i64, is_proc: bool, change: i32) -> u64 {
    (time as u64) << 2 | u64::from(is_proc) << 1 | u64::from(change > 0)
}

/// A pass over changes in order of time.
struct Sweep<'a> {
    edges: &'a [u64],
    next: usize,
    from: i64,
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
            let time = |edge: u64| self.from + (edge >> 2) as i64;
            let next = self.edges.get(self.next).copied();
            let until = next.map_or(end, |edge| time(edge).min(end));
            let length = until - self.time;
            if length > 0 {
                let wasted = self.idle.min(self.runnable).max(0);
                let add = |sum: i64, count: i32| {
                    sum.saturating_add(length.saturating_mul(i64::from(count)))
                };
                sums.idle = add(sums.idle, self.idle);
                sums.runnable = add(sums.runnable, self.runnable);
                sums.wasted = add(sums.wasted, wasted);
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
            match next {
                Some(edge) if time(edge) < end => {
                    let count = if edge & 2 == 0 { &mut self.runnable } else { &mut self.idle };
                    *count += if edge & 1 == 0 { -1 } else { 1 };
                    self.next += 1;
                }
                _ => return sums,
            }
        }
    }
}
