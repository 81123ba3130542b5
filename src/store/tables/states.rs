//! Reading goroutine states for functions that need all of them, or all of one goroutine.

use rusqlite::{Connection, Result};

/// States as in `raw_goroutine_states.code`.
pub const RUNNABLE: i64 = 2;
pub const RUNNING: i64 = 3;
pub const WAITING: i64 = 4;
pub const SYSCALL: i64 = 5;

/// A state of a goroutine.
#[derive(Debug, Clone, Copy)]
pub struct State {
    pub start: i64,
    pub end: i64,
    pub code: i64,
    pub stack: Option<i64>,
    pub proc: Option<i64>,
    pub woken_by: Option<i64>,
    pub woken_stack: Option<i64>,
}

impl State {
    /// Which.
    pub fn state(&self) -> i64 {
        self.code & 7
    }
}

/// The states of a goroutine, given by its row, in order of time.
pub fn states_of(connection: &Connection, goroutine: i64) -> Result<Vec<State>> {
    let mut statement = connection.prepare_cached(
        "select s.start_ns, s.duration_ns, s.code, s.stack_id, s.proc, s.woken_by, s.woken_stack_id
         from raw_state_ranges r
         cross join raw_goroutine_states s on s.id between r.first_state and r.last_state
         where r.goroutine_id = ?1
         order by r.id, s.id",
    )?;
    let rows = statement.query_map([goroutine], |row| {
        let start: i64 = row.get(0)?;
        Ok(State {
            start,
            end: start.saturating_add(row.get(1)?),
            code: row.get(2)?,
            stack: row.get(3)?,
            proc: row.get(4)?,
            woken_by: row.get(5)?,
            woken_stack: row.get(6)?,
        })
    })?;
    let mut states = rows.collect::<Result<Vec<State>>>()?;
    states.sort_by_key(|state| (state.start, state.end));
    Ok(states)
}

/// Start, end and code of every state, goroutines mixed.
pub fn for_each_state(connection: &Connection, mut take: impl FnMut(i64, i64, i64)) -> Result<()> {
    let mut statement =
        connection.prepare("select start_ns, duration_ns, code from raw_goroutine_states")?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let start: i64 = row.get(0)?;
        take(start, start.saturating_add(row.get(1)?), row.get(2)?);
    }
    Ok(())
}
