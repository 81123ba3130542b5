//! `--from`, `--to`, `--goroutine`, `--function` and `--task` of commands that ask a database.

use super::Result;
use crate::analysis::{Filters, moment};
use crate::store::Database;
use clap::Args;

#[derive(Args)]
pub struct FilterOptions {
    /// Only what is at or after TIME: a duration since the start of the trace (1.5s), a time
    /// of day (12:34:56.7) or a date and time (2026-01-31T12:34:56Z), in UTC
    #[arg(long, value_name = "TIME", help_heading = "Filters")]
    from: Option<String>,
    /// Only what is before TIME
    #[arg(long, value_name = "TIME", help_heading = "Filters")]
    to: Option<String>,
    /// Only goroutine N; may be repeated
    #[arg(long, value_name = "N", value_delimiter = ',', help_heading = "Filters")]
    goroutine: Vec<i64>,
    /// Only goroutines that began with this function; * stands for any characters
    #[arg(long, value_name = "NAME", help_heading = "Filters")]
    function: Option<String>,
    /// Only what was done for the task with this number, or for tasks of this type, and for
    /// their subtasks
    #[arg(long, value_name = "N|TYPE", help_heading = "Filters")]
    task: Option<String>,
}

impl FilterOptions {
    /// Makes the database show only what is asked for.
    pub fn apply(&self, database: &Database) -> Result<()> {
        let filters = Filters {
            from: moment("--from", self.from.as_deref())?,
            to: moment("--to", self.to.as_deref())?,
            goroutines: self.goroutine.clone(),
            function: self.function.clone(),
            task: self.task.clone(),
        };
        filters.apply(database)
    }
}
