//! The longest states, and how states spread by function.

use super::moments::row_number;
use super::states::{STATE, State, States, functions_of};
use super::{Item, TableFunction};
use crate::store::budget::Work;
use rusqlite::{Connection, OptionalExtension, Result};
use rustc_hash::FxHashMap;
use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

const TRACE: Item = Item { name: "trace_id", doc: "only this trace; left out or NULL, all" };

/// Most states to give.
const MOST: i64 = 100_000;

/// See its `doc`.
pub static LONGEST_STATES: TableFunction = TableFunction {
    name: "longest_states",
    doc: "The longest times that goroutines spent in a state without a break, the longest first. Far quicker than to \
          sort goroutine_states.",
    arguments: &[
        STATE,
        Item { name: "count", doc: "how many, at most 100000; so many if it is below 0" },
        TRACE,
    ],
    required: 2,
    columns: &[
        Item { name: "state_id", doc: "row in goroutine_states" },
        Item { name: "goroutine_id", doc: "row in goroutines" },
        Item { name: "start_ns", doc: "when it began" },
        Item { name: "duration_ns", doc: "how long it lasted" },
        Item { name: "reason_id", doc: "row in reasons; NULL if there is none" },
        Item { name: "stack_id", doc: "where it was when it entered the state; NULL if unknown" },
        Item {
            name: "woken_by_id",
            doc: "for waiting, row of the goroutine that ended it; for runnable, of the one that made it so; NULL if none did",
        },
        Item { name: "woken_stack_id", doc: "where that goroutine was when it did so" },
    ],
    example: (
        "go1.27/sync",
        "select duration_ns > 0 as has_any, stack_user(stack_id) is not null as is_known\n\
         from longest_states('waiting', 1)",
    ),
    reads: &["raw_state_ranges", "raw_goroutine_states"],
    run: |call, rows| {
        let wanted = call.state(0)?;
        let count = match call.integer(1)? {
            count @ 0..=MOST => count as usize,
            _ => MOST as usize,
        };
        let trace = goroutines_of(call.connection, call.optional_integer(2)?)?;
        let mut found: BinaryHeap<Reverse<Longest>> = BinaryHeap::new();
        // What is not longer than this is not among them.
        let least = Cell::new(if count == 0 { i64::MAX } else { -1 });
        let is_long = |state: &State| state.duration() > least.get();
        let pick = |state: &State| (is_long(state) && wanted.is(state)).then_some(*state);
        States::open(call.connection, &call.work)?.each_of(pick, |goroutine, state| {
            if !is_long(&state) || !trace.contains(&goroutine) {
                return Ok(());
            }
            let key = (state.duration(), Reverse(state.id));
            found.push(Reverse(Longest { key, goroutine, state }));
            if found.len() > count {
                found.pop();
            }
            if let Some(Reverse(last)) = found.peek().filter(|_| found.len() == count) {
                least.set(last.key.0);
            }
            Ok(())
        })?;
        for Reverse(one) in found.into_sorted_vec() {
            rows.push([
                one.state.id.into(),
                row_number(one.goroutine),
                one.state.start.into(),
                one.state.duration().into(),
                row_number(one.state.reason()),
                row_number(one.state.stack),
                row_number(one.state.woken_by_id),
                row_number(one.state.woken_stack),
            ])?;
        }
        Ok(())
    },
};

/// Ordered by its length; of two, the one that comes first in the table is the longer.
struct Longest {
    key: (i64, Reverse<i64>),
    goroutine: u32,
    state: State,
}

impl PartialEq for Longest {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Longest {}

impl PartialOrd for Longest {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Longest {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

/// Rows of the goroutines of a trace, which follow each other.
fn goroutines_of(connection: &Connection, trace: Option<i64>) -> Result<Range<u32>> {
    let Some(trace) = trace else { return Ok(0..u32::MAX) };
    let sql = "select min(id), max(id) + 1 from main.raw_goroutines where trace_id = ?1
               having count(*) > 0";
    let found = connection.query_row(sql, [trace], |row| Ok(row.get(0)?..row.get(1)?));
    Ok(found.optional()?.unwrap_or_default())
}

/// See its `doc`.
pub static STATE_PERCENTILES: TableFunction = TableFunction {
    name: "state_percentiles",
    doc: "How long goroutines are in a state each time, by the function they began with: how often, in all, and the \
          percentiles.",
    arguments: &[STATE, TRACE],
    required: 1,
    columns: &[
        Item {
            name: "function_id",
            doc: "row in functions: what the goroutines began with; NULL if unknown",
        },
        Item { name: "times", doc: "how often" },
        Item { name: "total_ns", doc: "in all" },
        Item { name: "p50_ns", doc: "half of the times were not longer" },
        Item { name: "p90_ns", doc: "90 % were not longer" },
        Item { name: "p99_ns", doc: "99 % were not longer" },
        Item { name: "max_ns", doc: "the longest" },
        Item { name: "longest_at_ns", doc: "when the longest began" },
        Item { name: "goroutine_id", doc: "row in goroutines of the longest" },
    ],
    example: (
        "go1.27/mixed",
        "select count(*) > 1 as has_many, sum(p50_ns <= p99_ns) = count(*) as is_sane\n\
         from state_percentiles('runnable')",
    ),
    reads: &["raw_state_ranges", "raw_goroutine_states"],
    run: |call, rows| {
        let wanted = call.state(0)?;
        let trace = goroutines_of(call.connection, call.optional_integer(1)?)?;
        let functions = functions_of(call.connection, &call.work)?;
        let mut places: FxHashMap<Option<i64>, usize> = FxHashMap::default();
        let mut spreads: Vec<Spread> = Vec::new();
        let mut last = (0, 0);
        let pick = |state: &State| wanted.is(state).then_some((state.duration(), state.start));
        States::open(call.connection, &call.work)?.each_of(
            pick,
            |goroutine, (duration, start)| {
                if !trace.contains(&goroutine) {
                    return Ok(());
                }
                if last.0 != goroutine {
                    let function = functions.get(&goroutine).copied();
                    let place = *places.entry(function).or_insert(spreads.len());
                    if place == spreads.len() {
                        call.work.room_in(&places)?;
                        spreads.push(Spread { function, ..Spread::default() });
                    }
                    last = (goroutine, place);
                }
                spreads[last.1].add(goroutine, duration, start, &call.work)
            },
        )?;
        spreads.sort_unstable_by_key(|spread| spread.function);
        for mut spread in spreads {
            let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|share| spread.percentile(share));
            let (longest, start, goroutine) = spread.longest;
            rows.push([
                spread.function.into(),
                (spread.durations.len() as i64).into(),
                spread.total.into(),
                p50.into(),
                p90.into(),
                p99.into(),
                longest.into(),
                start.into(),
                i64::from(goroutine).into(),
            ])?;
        }
        Ok(())
    },
};

/// The durations of the states of a function.
#[derive(Default)]
struct Spread {
    function: Option<i64>,
    durations: Vec<i64>,
    total: i64,
    /// Duration, start and goroutine of the longest.
    longest: (i64, i64, u32),
}

impl Spread {
    fn add(&mut self, goroutine: u32, duration: i64, start: i64, work: &Work) -> Result<()> {
        // Of several that are equally long, the earliest.
        if self.durations.is_empty()
            || duration > self.longest.0
            || (duration == self.longest.0 && start < self.longest.1)
        {
            self.longest = (duration, start, goroutine);
        }
        self.total = self.total.saturating_add(duration);
        work.push(&mut self.durations, duration)
    }

    /// As the SQL function `percentile`: the smallest of which at least this share is not greater.
    fn percentile(&mut self, share: f64) -> Option<i64> {
        let rank = crate::store::rank::nearest_rank(self.durations.len(), share)?;
        Some(*self.durations.select_nth_unstable(rank).1)
    }
}
