//! `gotrace info`.
//!
//! Comes in: a trace, a profile, or a database. Goes out: what it is and what is in it, as a page, as JSON, or as
//! Go's table of the bytes by event. A trace is read once, as for loading it, and no row is kept.

mod collect;
mod json;
mod page;
mod profile;

use super::locate::SourceOptions;
use super::opened::{Kind, Opened};
use super::{CliError, Result, load};
use crate::cli::terminal;
use crate::export::footprint_text;
use crate::source::Location;
use crate::store::{Database, Limits, QueryResult, Value};
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::io::Write;

#[derive(Args)]
pub struct InfoArguments {
    /// Trace, profile or database to describe
    source: OsString,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = InfoFormat::Table)]
    format: InfoFormat,
    /// Fail if any part of a trace cannot be read
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    options: SourceOptions,
}

/// Output formats of `info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InfoFormat {
    /// A page for people
    Table,
    /// One object; docs/info-json.md lists the keys
    Json,
    /// Bytes and count of each wire event, as go tool trace -d=footprint prints them
    Footprint,
}

pub fn run(arguments: &InfoArguments) -> Result<()> {
    let location = arguments.options.locate(&arguments.source);
    let opened = Opened::new(&location)?;
    match opened.kind {
        Kind::Database => {
            return run_database(&location, &opened.into_database()?, arguments.format);
        }
        Kind::Profile => return profile::run(opened, arguments.format),
        Kind::Trace => {}
        Kind::Other(_) => return Err(opened.refuse()),
    }
    let info = collect::read(opened)?;
    match arguments.format {
        InfoFormat::Table => page::trace(&info)?,
        InfoFormat::Json => json::print(&json::trace(&info))?,
        InfoFormat::Footprint => {
            let Some(footprint) = &info.footprint else {
                return Err(CliError::Failed(format!(
                    "{location}: {} has no such figures; traces of Go 1.22 and later have",
                    info.version
                )));
            };
            let text = footprint_text(footprint, info.version, info.size_bytes);
            terminal::output().write_all(text.as_bytes())?;
        }
    }
    // The page shows them, and so does the JSON.
    if arguments.format == InfoFormat::Footprint {
        load::report(&location, &info.diagnostics);
    }
    if arguments.strict && info.diagnostics.has_loss() {
        return Err(CliError::Failed(format!(
            "{location}: a part was lost, and --strict was given"
        )));
    }
    Ok(())
}

/// Rows of the table `traces`.
#[derive(Default)]
struct Traces {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl QueryResult for Traces {
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

fn run_database(location: &Location, database: &Database, format: InfoFormat) -> Result<()> {
    let mut traces = Traces::default();
    let limits = Limits::default();
    database.query("select * from traces order by id", &[], limits, &mut traces)?;
    match format {
        InfoFormat::Table => page::database(&traces)?,
        InfoFormat::Json => json::print(&json::database(location, &traces))?,
        InfoFormat::Footprint => {
            return Err(CliError::Usage(format!(
                "{location}: a database does not have these figures; name the trace itself"
            )));
        }
    }
    Ok(())
}
