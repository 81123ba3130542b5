//! Which goroutine a state belongs to.

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Result};
use std::sync::{Arc, Mutex, PoisonError};

/// First row and goroutine of each range, in order of rows; read when first asked for.
type Owners = Vec<(i64, i64)>;

/// Adds the function to a connection. To be done again when other states are looked at: it then forgets
/// what it has read.
pub fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    let owners = Arc::new(Mutex::new(Owners::new()));
    connection.create_scalar_function("state_goroutine", 1, flags, move |context| {
        let Some(state) = context.get::<Option<i64>>(0)? else { return Ok(None) };
        let mut owners = owners.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the connection is used inside this call only.
        let connection = unsafe { context.get_connection()? };
        if owners.is_empty() {
            *owners = read(&connection)?;
        }
        let at = owners.partition_point(|range| range.0 <= state);
        Ok(at.checked_sub(1).map(|at| owners[at].1))
    })
}

fn read(connection: &Connection) -> Result<Owners> {
    let sql = "select first_state, goroutine_id from raw_state_ranges order by id";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
