//! What goroutines did during intervals.

use super::intervals::{A, Cover, Set};
use super::moments::state_name;
use super::{Item, TableFunction, refuse};
use rusqlite::OptionalExtension;
use rustc_hash::FxHashMap;

/// See its `doc`.
pub static STATES_DURING: TableFunction = TableFunction {
    name: "states_during",
    doc: "What goroutines did during each of the intervals, summed by the function they began with. Intervals may overlap.",
    arguments: &[
        A,
        Item {
            name: "state",
            doc: "only this state: 'running', 'runnable', 'waiting' or 'syscall'; left out, all",
        },
    ],
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
    reads: &["raw_state_ranges", "raw_goroutine_states", "raw_goroutines"],
    run: |call, rows| {
        let mut set = Set::read(call, 0, usize::MAX)?;
        set.sort();
        let wanted = match call.optional_text(1)? {
            None => "",
            Some("runnable") => "and s.code & 7 = 2",
            Some("running") => "and s.code & 7 = 3",
            Some("waiting") => "and s.code & 7 = 4",
            Some("syscall") => "and s.code & 7 >= 5",
            Some(_) => return Err(call.refuse_argument(1, "the name of a state")),
        };
        let cover = Cover::new(&set);
        let longest = set.intervals.iter().map(|one| one.end - one.start).max().unwrap_or(0);
        let sql = format!(
            "select r.goroutine_id, s.start_ns, s.duration_ns, s.code
             from raw_state_ranges r
             cross join raw_goroutine_states s on s.id between r.first_state and r.last_state {wanted}
             where r.end_ns > {} and r.start_ns < {}",
            set.intervals.first().map_or(0, |one| one.start),
            set.intervals.iter().map(|one| one.end).max().unwrap_or(0),
        );
        let mut statement = call.connection.prepare(&sql)?;
        let mut states = statement.raw_query();
        let mut functions: FxHashMap<i64, Option<i64>> = FxHashMap::default();
        let mut name =
            call.connection.prepare("select function_id from raw_goroutines where id = ?1")?;
        let mut sums: FxHashMap<(usize, &'static str, Option<i64>), i64> = FxHashMap::default();
        let mut last = (0, None);
        while let Some(row) = states.next()? {
            let start: i64 = row.get(1)?;
            let end = start.saturating_add(row.get(2)?);
            if !cover.meets(start, end) {
                continue;
            }
            let goroutine: i64 = row.get(0)?;
            if last.0 != goroutine {
                let function = match functions.get(&goroutine) {
                    Some(function) => *function,
                    None => name.query_row([goroutine], |row| row.get(0)).optional()?.flatten(),
                };
                functions.insert(goroutine, function);
                last = (goroutine, function);
            }
            let state = state_name(row.get(3)?);
            // None that begins so much earlier reaches this far.
            let first = set.intervals.partition_point(|one| one.start < start - longest);
            let near = set.intervals[first..].iter().take_while(|one| one.start < end);
            for (offset, one) in near.enumerate().filter(|(_, one)| one.end > start) {
                let part = one.end.min(end) - one.start.max(start);
                *sums.entry((first + offset, state, last.1)).or_default() += part;
            }
            if sums.len() > 4 << 20 {
                return Err(refuse("states_during: too many intervals; ask for fewer"));
            }
        }
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
