//! What of a trace is asked about.

use super::moments::parse_moment;
use super::{Error, Result};
use crate::model::Moment;
use crate::store::{Database, Filter};

/// Leaves out of all answers of a database what is not asked about. The default leaves out nothing.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// Only what was so at or after it.
    pub from: Option<Moment>,
    /// Only what was so before it.
    pub to: Option<Moment>,
    /// Only goroutines with these numbers of Go; all if empty.
    pub goroutines: Vec<i64>,
    /// Only goroutines that began with this function; `*` stands for any characters.
    pub function: Option<String>,
    /// Only what was done for the task with this number, or for tasks of this type, and for their subtasks.
    pub task: Option<String>,
}

impl Filters {
    /// Makes the database show only what is asked about.
    ///
    /// # Errors
    /// If a time of day is given and the trace does not tell its own; if there is no such task.
    pub fn apply(&self, database: &Database) -> Result<()> {
        let filter = Filter {
            from_ns: on_trace_clock("--from", self.from, database)?,
            to_ns: on_trace_clock("--to", self.to, database)?,
            goroutines: self.goroutines.clone(),
            function: self.function.clone(),
            task: self.task.clone(),
        };
        if filter.is_empty() { Ok(()) } else { Ok(database.set_filter(filter)?) }
    }
}

fn on_trace_clock(
    option: &str,
    moment: Option<Moment>,
    database: &Database,
) -> Result<Option<i64>> {
    let Some(moment) = moment else { return Ok(None) };
    let start_unix = database.start_unix_ns()?;
    moment.on_trace_clock(0, start_unix).map(Some).ok_or_else(|| {
        Error::Failed(format!(
            "{option}: the trace does not tell its wall-clock time (Go 1.25 and later do); give \
             a duration since its start"
        ))
    })
}

/// A point in time as given with an option.
///
/// # Errors
/// If it is none.
pub fn moment(option: &str, text: Option<&str>) -> Result<Option<Moment>> {
    let Some(text) = text else { return Ok(None) };
    parse_moment(text).map(Some).ok_or_else(|| {
        Error::Usage(format!(
            "{option}: want a duration since the start such as 1.5s, a time of day such as 12:34:56.7 \
             or a time such as 2026-01-31T12:34:56Z, got '{text}'"
        ))
    })
}
