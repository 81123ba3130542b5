//! What was so at a moment.

use super::{Cell, Item, TableFunction};
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
    reads: &["raw_state_ranges", "raw_goroutine_states", "raw_goroutines"],
    run: |call, rows| {
        let time = call.integer(0)?;
        let mut statement = call.connection.prepare(
            "select r.goroutine_id, g.goid, s.code, s.start_ns, s.stack_id, s.id
             from raw_state_ranges r
             cross join raw_goroutine_states s on s.id between r.first_state and r.last_state
               and s.start_ns <= ?1 and s.start_ns + s.duration_ns > ?1
             join raw_goroutines g on g.id = r.goroutine_id
             where r.start_ns <= ?1 and r.end_ns > ?1
             order by r.goroutine_id",
        )?;
        let mut found = statement.query([time])?;
        while let Some(row) = found.next()? {
            let (code, since): (i64, i64) = (row.get(2)?, row.get(3)?);
            rows.push([
                Cell::Integer(row.get(0)?),
                Cell::Integer(row.get(1)?),
                state_name(code).into(),
                Some(code >> 8).filter(|reason| *reason != 0).into(),
                since.into(),
                (time - since).into(),
                row.get::<_, Option<i64>>(4)?.into(),
                Cell::Integer(row.get(5)?),
            ])?;
        }
        Ok(())
    },
};

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
