//! What was so at a moment.

use super::intervals::{prepare, time};
use super::states::{STATE_OR_ALL, State, States, all_ranges};
use super::{Call, Cell, Item, TableFunction};
use crate::store::budget::sane;
use crate::store::refusal::refuse;
use rusqlite::{Connection, OptionalExtension, Result};

/// See its `doc`.
pub static STATES_AT: TableFunction = TableFunction {
    name: "states_at",
    doc: "What every goroutine did at a moment of the trace: a goroutine dump after the fact.",
    arguments: &[Item {
        name: "time_ns",
        doc: "the moment, nanoseconds since the start of the trace",
    }],
    required: 1,
    columns: &[
        Item { name: "goroutine_id", doc: "row in goroutines" },
        Item { name: "goid", doc: "the runtime's number" },
        Item { name: "state", doc: "'running', 'runnable', 'waiting' or 'syscall'" },
        Item { name: "reason_id", doc: "row in reasons; NULL if there is none" },
        Item { name: "since_ns", doc: "when it entered the state" },
        Item { name: "for_ns", doc: "how long it had been in it by then" },
        Item { name: "stack_id", doc: "where it was when it entered the state; NULL if unknown" },
        Item { name: "state_id", doc: "row in goroutine_states" },
    ],
    example: (
        "go1.27/leak",
        "select state, count(*) as goroutines\n\
         from states_at((select duration_ns / 2 from traces)) group by 1 order by 1",
    ),
    reads: &["raw_state_ranges", "raw_goroutine_states"],
    run: |call, rows| {
        let time = sane(call.integer(0)?);
        let mut states = States::open(call.connection, &call.work)?;
        let mut goid =
            call.connection.prepare("select goid from main.raw_goroutines where id = ?1")?;
        let mut ranges = all_ranges(call.connection, &call.work)?;
        ranges.retain(|range| range.start <= time && range.end > time);
        ranges.sort_unstable_by_key(|range| range.goroutine);
        for range in ranges {
            let mut found = None;
            states.range(range, |state| {
                if state.start <= time && state.end > time {
                    found = Some(*state);
                }
                Ok(())
            })?;
            let Some(state) = found else { continue };
            rows.push([
                i64::from(range.goroutine).into(),
                goid.query_row([range.goroutine], |row| row.get::<_, Option<i64>>(0))?.into(),
                state_name(state.code).into(),
                row_number(state.reason()),
                state.start.into(),
                (time - state.start).into(),
                row_number(state.stack),
                state.id.into(),
            ])?;
        }
        Ok(())
    },
};

/// See its `doc`.
pub static STATES_AT_EACH: TableFunction = TableFunction {
    name: "states_at_each",
    doc: "What goroutines did at each of many moments, in one pass.",
    arguments: &[
        Item {
            name: "moments",
            doc: "a SELECT, or the name of a relation, with the column time_ns and, if it has one, id",
        },
        STATE_OR_ALL,
    ],
    required: 1,
    columns: &[
        Item {
            name: "id",
            doc: "column id of the moment; its place, counted from 1, if there is none",
        },
        Item { name: "goroutine_id", doc: "row in goroutines" },
        Item { name: "state", doc: "'running', 'runnable', 'waiting' or 'syscall'" },
        Item { name: "reason_id", doc: "row in reasons; NULL if there is none" },
        Item { name: "start_ns", doc: "when it entered the state" },
        Item { name: "duration_ns", doc: "how long it was in it" },
        Item { name: "stack_id", doc: "where it was when it entered the state; NULL if unknown" },
        Item {
            name: "woken_stack_id",
            doc: "where the goroutine was that made it runnable or ended its wait",
        },
        Item { name: "state_id", doc: "row in goroutine_states" },
    ],
    example: (
        "go1.26/gc",
        "select count(distinct id) > 0 as has_any\n\
         from states_at_each('select id, start_ns as time_ns from gc_cycles', 'running')",
    ),
    reads: &["raw_state_ranges", "raw_goroutine_states"],
    run: |call, rows| {
        let wanted = call.optional_state(1)?;
        let mut moments = moments(call)?;
        moments.sort_unstable();
        let pick = |state: &State| wanted.is_none_or(|wanted| wanted.is(state)).then_some(*state);
        States::open(call.connection, &call.work)?.each_of(pick, |goroutine, state| {
            let first = moments.partition_point(|moment| moment.0 < state.start);
            for &(_, id) in moments[first..].iter().take_while(|moment| moment.0 < state.end) {
                rows.push([
                    id.into(),
                    i64::from(goroutine).into(),
                    state_name(state.code).into(),
                    row_number(state.reason()),
                    state.start.into(),
                    state.duration().into(),
                    row_number(state.stack),
                    row_number(state.woken_stack),
                    state.id.into(),
                ])?;
            }
            Ok(())
        })
    },
};

/// Time and id of each moment of the first argument.
fn moments(call: &Call<'_>) -> Result<Vec<(i64, i64)>> {
    let mut statement = prepare(call, call.text(0)?)?;
    let time_at = statement
        .column_index("time_ns")
        .map_err(|_| refuse("states_at_each: the statement has no column time_ns"))?;
    let id_at = statement.column_index("id").ok();
    let mut rows = statement.raw_query();
    let mut moments = Vec::new();
    let mut number = 0;
    while let Some(row) = rows.next()? {
        number += 1;
        let id = match id_at {
            Some(at) => row.get::<_, Option<i64>>(at)?.unwrap_or(number),
            None => number,
        };
        if let Some(time) = time(row, time_at)? {
            call.work.push(&mut moments, (time, id))?;
        }
    }
    Ok(moments)
}

/// A row number, 0 for none.
pub fn row_number(row: impl Into<i64>) -> Cell {
    Cell::from(Some(row.into()).filter(|row| *row != 0))
}

/// The name of the state of a `raw_goroutine_states.code`.
pub fn state_name(code: i64) -> &'static str {
    match code & 7 {
        2 => "runnable",
        3 => "running",
        4 => "waiting",
        _ => "syscall",
    }
}

/// State of the goroutine with a number at a moment; `None` where it does not exist, or is not seen.
pub fn state_at(connection: &Connection, goid: i64, time: i64) -> Result<Option<&'static str>> {
    let mut statement = connection.prepare_cached(
        "select s.code
         from raw_goroutines g
         cross join raw_state_ranges r on r.goroutine_id = g.id
           and r.start_ns <= ?2 and r.end_ns > ?2
         cross join raw_goroutine_states s on s.id between r.first_state and r.last_state
           and s.start_ns <= ?2 and s.start_ns + s.duration_ns > ?2
         where g.goid = ?1
         order by g.id limit 1",
    )?;
    let code: Option<i64> = statement.query_row([goid, time], |row| row.get(0)).optional()?;
    Ok(code.map(state_name))
}
