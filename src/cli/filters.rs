//! `--from`, `--to`, `--goroutine`, `--function` and `--task` of commands that ask a database.

use super::events::moment;
use super::{CliError, Result};
use crate::store::{Database, Filter};
use clap::Args;

#[derive(Args)]
pub struct FilterOptions {
    /// Only what was so at or after TIME: a duration since the start of the trace (1.5s), a time
    /// of day (12:34:56.7) or a date and time (2026-01-31T12:34:56Z), in UTC
    #[arg(long, value_name = "TIME", help_heading = "Filters")]
    from: Option<String>,
    /// Only what was so before TIME
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
        let filter = Filter {
            from_ns: self.moment("--from", self.from.as_deref(), database)?,
            to_ns: self.moment("--to", self.to.as_deref(), database)?,
            goroutines: self.goroutine.clone(),
            function: self.function.clone(),
            task: self.task.clone(),
        };
        if filter.is_empty() { Ok(()) } else { Ok(database.set_filter(filter)?) }
    }

    fn moment(&self, option: &str, text: Option<&str>, database: &Database) -> Result<Option<i64>> {
        let Some(moment) = moment(option, text)? else { return Ok(None) };
        let start_unix = database.start_unix_ns()?;
        moment.on_trace_clock(0, start_unix).map(Some).ok_or_else(|| {
            CliError::Failed(format!(
                "{option}: the trace does not tell its wall-clock time (Go 1.25 and later do); give \
                 a duration since its start"
            ))
        })
    }
}
