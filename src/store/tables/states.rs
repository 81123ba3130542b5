//! Reading goroutine states for functions that need all of them, or those of one goroutine.

use rusqlite::{Connection, Result, Row};

/// States as in `raw_goroutine_states.code`.
pub const RUNNABLE: i64 = 2;
pub const RUNNING: i64 = 3;
pub const WAITING: i64 = 4;
pub const SYSCALL: i64 = 5;

/// A state of a goroutine. Row numbers are 0 for none.
#[derive(Debug, Clone, Copy)]
pub struct State {
    pub start: i64,
    pub end: i64,
    pub code: i64,
    pub stack: u32,
    pub proc: i32,
    pub woken_by: u32,
    pub woken_stack: u32,
}

impl State {
    /// Which.
    pub fn state(&self) -> i64 {
        self.code & 7
    }

    fn read(row: &Row<'_>) -> Result<State> {
        let start: i64 = row.get(0)?;
        let number = |at| row.get::<_, Option<u32>>(at).map(Option::unwrap_or_default);
        Ok(State {
            start,
            end: start.saturating_add(row.get(1)?),
            code: row.get(2)?,
            stack: number(3)?,
            // Numbers beyond 2^31 are of no proc that a program can have.
            proc: row.get::<_, Option<i64>>(4)?.and_then(|proc| proc.try_into().ok()).unwrap_or(-1),
            woken_by: number(5)?,
            woken_stack: number(6)?,
        })
    }
}

/// Rows of `raw_goroutine_states` that belong to one goroutine.
#[derive(Debug, Clone, Copy)]
pub struct StateRange {
    pub first: i64,
    pub last: i64,
    pub start: i64,
}

/// The ranges of a goroutine, given by its row, in order of time.
pub fn ranges_of(connection: &Connection, goroutine: i64) -> Result<Vec<StateRange>> {
    let mut statement = connection.prepare_cached(
        "select first_state, last_state, start_ns from raw_state_ranges
         where goroutine_id = ?1 order by id",
    )?;
    let rows = statement.query_map([goroutine], |row| {
        Ok(StateRange { first: row.get(0)?, last: row.get(1)?, start: row.get(2)? })
    })?;
    rows.collect()
}

/// The states of a range, in order of time.
pub fn states_of(connection: &Connection, range: StateRange) -> Result<Vec<State>> {
    let mut statement = connection.prepare_cached(
        "select start_ns, duration_ns, code, stack_id, proc, woken_by, woken_stack_id
         from raw_goroutine_states where id between ?1 and ?2 order by id",
    )?;
    let rows = statement.query_map([range.first, range.last], State::read)?;
    rows.collect()
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
