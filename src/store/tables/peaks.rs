//! How many of something are under way at the same time, in equal steps of the trace.

use super::buckets::STEPS;
use super::intervals::{A, each_interval, step_border};
use super::states::{STATE, State, States};
use super::{Call, Item, Rows, TableFunction};
use rusqlite::Result;

const COLUMNS: &[Item] = &[
    Item { name: "start_ns", doc: "when the step begins" },
    Item { name: "duration_ns", doc: "how long it is" },
    Item { name: "max_count", doc: "most at a time" },
    Item { name: "mean_count", doc: "how many on average over the step" },
    Item { name: "peak_ns", doc: "when there were most for the first time" },
];

/// See its `doc`.
pub static OVERLAP_PEAKS: TableFunction = TableFunction {
    name: "overlap_peaks",
    doc: "How many of the intervals are under way at the same time, in equal steps of the trace: the most and the \
          mean of each.",
    arguments: &[A, STEPS],
    required: 2,
    columns: COLUMNS,
    example: (
        "go1.27/mixed",
        "select max_count, round(mean_count, 2) as mean_count\n\
         from overlap_peaks('select * from lock_waits', 4)",
    ),
    reads: &["trace_spans"],
    run: |call, rows| {
        let mut edges = Edges::new(call)?;
        let mut keys = Vec::new();
        each_interval(call, 0, |start, end| match edges.of(start, end) {
            Some(both) => call.work.extend(&mut keys, both),
            None => Ok(()),
        })?;
        edges.keys = keys;
        edges.peaks(call.steps(1)?, rows)
    },
};

/// See its `doc`.
pub static STATE_PEAKS: TableFunction = TableFunction {
    name: "state_peaks",
    doc: "How many goroutines are in a state at the same time, in equal steps of the trace: the most and the mean \
          of each.",
    arguments: &[STATE, STEPS],
    required: 2,
    columns: COLUMNS,
    example: (
        "go1.27/mixed",
        "select max_count, round(mean_count, 2) as mean_count from state_peaks('runnable', 4)",
    ),
    reads: &["trace_spans", "raw_goroutine_states"],
    run: |call, rows| {
        let wanted = call.state(0)?;
        let mut edges = Edges::new(call)?;
        let mut keys = Vec::new();
        let pick = |state: &State| match wanted.is(state) {
            true => edges.of(state.start, state.end),
            false => None,
        };
        let mut states = States::open(call.connection, &call.work)?;
        states.each(pick, |both| call.work.extend(&mut keys, both))?;
        edges.keys = keys;
        edges.peaks(call.steps(1)?, rows)
    },
};

/// Beginnings and ends in the time looked at, small, as there are millions.
struct Edges {
    from: i64,
    to: i64,
    /// Time since `from`, doubled; plus 1 if it is a beginning. So ends come first: what ends when
    /// another begins does not overlap it.
    keys: Vec<u64>,
}

impl Edges {
    fn new(call: &Call<'_>) -> Result<Self> {
        let (from, to) = call.span()?;
        Ok(Edges { from, to: to.max(from), keys: Vec::new() })
    }

    /// Beginning and end of an interval, if any of it lies in the time looked at.
    #[inline(always)]
    fn of(&self, start: i64, end: i64) -> Option<[u64; 2]> {
        let key = |time: i64| (time.clamp(self.from, self.to) - self.from) as u64 * 2;
        (end > self.from && start < self.to).then(|| [key(start) + 1, key(end)])
    }

    fn peaks(mut self, steps: usize, rows: &mut Rows) -> Result<()> {
        self.keys.sort_unstable();
        let edge = |key: &u64| (self.from + (key / 2) as i64, if key % 2 == 1 { 1 } else { -1 });
        let mut edges = self.keys.iter().map(edge).peekable();
        let border = |step: usize| self.from + step_border(self.to - self.from, step, steps);
        let mut count = 0_i64;
        for step in 0..steps {
            let (start, end) = (border(step), border(step + 1));
            let (mut most, mut peak, mut since, mut sum) = (count, start, start, 0_i128);
            while let Some((time, change)) = edges.next_if(|edge| edge.0 < end) {
                sum += i128::from(count) * i128::from(time - since);
                since = time;
                count += change;
                // What begins and ends at one moment is looked at when all has.
                let is_last = edges.peek().is_none_or(|edge| edge.0 != time);
                if is_last && (count > most || since == start) {
                    (most, peak) = (count, since);
                }
            }
            sum += i128::from(count) * i128::from(end - since);
            let mean = if end > start { sum as f64 / (end - start) as f64 } else { 0.0 };
            rows.push([start.into(), (end - start).into(), most.into(), mean.into(), peak.into()])?;
        }
        Ok(())
    }
}
