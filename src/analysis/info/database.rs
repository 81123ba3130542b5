//! What there is to say about a database: its traces and profiles.

use crate::analysis::Result;
use crate::source::Location;
use crate::store::{Database, Limits, QueryResult, Value};

/// Everything `info` shows of a database.
pub struct DatabaseInfo {
    /// As the user named it.
    pub source: String,
    /// The table `traces`.
    pub traces: Rows,
    /// The table `profiles`.
    pub profiles: Rows,
}

/// All rows of a table.
#[derive(Default)]
pub struct Rows {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Values, in the order of the columns.
    pub rows: Vec<Vec<Value>>,
}

impl QueryResult for Rows {
    fn columns(&mut self, names: &[&str]) -> std::io::Result<()> {
        self.columns = names.iter().map(|&name| name.to_owned()).collect();
        Ok(())
    }

    fn row(&mut self, values: Vec<Value>) -> std::io::Result<()> {
        self.rows.push(values);
        Ok(())
    }

    fn keeps_rows(&self) -> bool {
        true
    }
}

/// Reads what a database holds.
///
/// # Errors
/// If it cannot be asked.
pub fn read(location: &Location, database: &Database) -> Result<DatabaseInfo> {
    let read = |table: &str| -> Result<Rows> {
        let mut rows = Rows::default();
        let sql = format!("select * from {table} order by id");
        database.query(&sql, &[], Limits::default(), &mut rows)?;
        Ok(rows)
    };
    let source = location.to_string();
    Ok(DatabaseInfo { source, traces: read("traces")?, profiles: read("profiles")? })
}
