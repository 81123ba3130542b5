//! Which goroutine a state belongs to.

use crate::store::budget::{Budget, Work};
use crate::store::tables::states::all_ranges;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Result};
use std::sync::{Arc, Mutex, PoisonError};

/// First row and goroutine of each range, in order of rows; read when first asked for.
type Owners = Vec<(i64, i64)>;

/// Adds the function to a connection. To be done again when other states are looked at: it then forgets
/// what it has read.
pub fn register(connection: &Connection, budget: &Budget) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    let owners = Arc::new(Mutex::new((Owners::new(), budget.work())));
    connection.create_scalar_function("state_goroutine", 1, flags, move |context| {
        let Some(state) = super::integer(context, "state_goroutine", 0)? else { return Ok(None) };
        let mut guard = owners.lock().unwrap_or_else(PoisonError::into_inner);
        let (owners, work) = &mut *guard;
        // SAFETY: the connection is used inside this call only.
        let connection = unsafe { context.get_connection()? };
        if owners.is_empty() {
            *owners = read(&connection, work)?;
        }
        let at = owners.partition_point(|range| range.0 <= state);
        Ok(at.checked_sub(1).map(|at| owners[at].1))
    })
}

fn read(connection: &Connection, work: &Work) -> Result<Owners> {
    let ranges = all_ranges(connection, work)?;
    Ok(ranges.into_iter().map(|range| (range.first, i64::from(range.goroutine))).collect())
}
