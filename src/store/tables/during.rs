//! What goroutines did during intervals.

use super::intervals::{A, Cover, Set};
use super::moments::state_name;
use super::states::{STATE_OR_ALL, State, States, functions_of};
use super::{Item, TableFunction};
use rustc_hash::FxHashMap;

/// See its `doc`.
pub static STATES_DURING: TableFunction = TableFunction {
    name: "states_during",
    doc: "What goroutines did during each of the intervals, summed by the function they began with. Intervals may overlap.",
    arguments: &[A, STATE_OR_ALL],
    required: 1,
    columns: &[
        Item {
            name: "id",
            doc: "column id of the interval; its place, counted from 1, if there is none",
        },
        Item { name: "state", doc: "'running', 'runnable', 'waiting' or 'syscall'" },
        Item {
            name: "function_id",
            doc: "row in functions: what the goroutines began with; NULL if unknown",
        },
        Item {
            name: "total_ns",
            doc: "time in that state during the interval, summed over goroutines",
        },
    ],
    example: (
        "go1.26/gc",
        "select d.state, sum(d.total_ns) > 0 as has_any from states_during('gc_cycles', 'running') d group by 1",
    ),
    reads: &["raw_state_ranges", "raw_goroutine_states"],
    run: |call, rows| {
        let mut set = Set::read(call, 0, usize::MAX)?;
        set.sort();
        let wanted = call.optional_state(1)?;
        let work = &call.work;
        let cover = Cover::new(&set, work)?;
        let longest = set.intervals.iter().map(|one| one.end - one.start).max().unwrap_or(0);
        let functions = functions_of(call.connection, work)?;
        let mut sums: FxHashMap<(usize, &'static str, Option<i64>), i64> = FxHashMap::default();
        let pick = |state: &State| {
            let is_wanted = wanted.is_none_or(|wanted| wanted.is(state));
            (is_wanted && cover.meets(state.start, state.end)).then_some((
                state.start,
                state.end,
                state_name(state.code),
            ))
        };
        States::open(call.connection, work)?.each_of(pick, |goroutine, (start, end, name)| {
            let function = functions.get(&goroutine).copied();
            // None that begins so much earlier reaches this far.
            let first = set.intervals.partition_point(|one| one.start < start - longest);
            let near = set.intervals[first..].iter().take_while(|one| one.start < end);
            for (offset, one) in near.enumerate() {
                work.step()?;
                if one.end > start {
                    let part = one.end.min(end) - one.start.max(start);
                    work.room_in(&sums)?;
                    let sum = sums.entry((first + offset, name, function)).or_default();
                    *sum = sum.saturating_add(part);
                }
            }
            Ok(())
        })?;
        work.hold(sums.len().saturating_mul(48))?;
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_unstable();
        for ((index, state, function), total) in sums {
            rows.push([
                set.intervals[index].id.into(),
                state.into(),
                function.into(),
                total.into(),
            ])?;
        }
        Ok(())
    },
};
