//! What there is to say about a database: its traces and profiles.

use crate::analysis::Result;
use crate::source::Location;
use crate::store::{Database, Limits, Rows};

/// Everything `info` shows of a database.
pub struct DatabaseInfo {
    /// As the user named it.
    pub source: String,
    /// The table `traces`.
    pub traces: Rows,
    /// The table `profiles`.
    pub profiles: Rows,
}

/// Reads what a database holds.
///
/// # Errors
/// If it cannot be asked.
pub fn read(location: &Location, database: &Database) -> Result<DatabaseInfo> {
    let read = |table: &str| -> Result<Rows> {
        let mut rows = Rows::default();
        database.relation(table, Limits::default(), &mut rows)?;
        Ok(rows)
    };
    let source = location.to_string();
    Ok(DatabaseInfo { source, traces: read("traces")?, profiles: read("profiles")? })
}
