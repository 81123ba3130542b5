//! `gotrace export csv`, `jsonl` and `events`: what other programs read line by line.

use super::timeline::open_target;
use crate::cli::events::{self, EventsArguments};
use crate::cli::limits::LimitOptions;
use crate::cli::locate::SourceOptions;
use crate::cli::output::{Format, Output};
use crate::cli::{Error, Result, analyse};
use crate::export::Target;
use crate::store::find_relation;
use clap::Args;
use std::ffi::OsString;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

#[derive(Args)]
pub struct RowsArguments {
    /// Trace or database
    source: OsString,
    /// Table or view; gotrace query SOURCE "select ..." takes any statement
    table: String,
    /// File to write; packed if it ends in .gz; standard output without it
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Overwrite FILE
    #[arg(long)]
    force: bool,
    /// Longest time it may take, 0 for no limit
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    timeout: String,
    #[command(flatten)]
    limits: LimitOptions,
    /// Fail, and write nothing, if any part of a trace cannot be read
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    options: SourceOptions,
}

/// Writes all rows of a relation.
pub fn table(arguments: &RowsArguments, format: Format) -> Result<()> {
    let table = find_relation(&arguments.table.to_ascii_lowercase())?;
    let limits = arguments.limits.limits(&arguments.timeout, 0)?;
    let (mut target, pending) = open_target(&arguments.output, arguments.force)?;
    let location = arguments.options.locate(&arguments.source, arguments.force)?;
    let database = analyse(location, arguments.strict)?.into_database()?;
    let mut output = Output::to(Box::new(&mut target), false, Some(format));
    database.relation(table.name, limits, &mut output)?;
    output.finish()?;
    close(target, pending)
}

fn close(target: Target, pending: Option<crate::analysis::PendingFile>) -> Result<()> {
    target.close()?;
    pending.map_or(Ok(()), |file| file.keep())
}

#[derive(Args)]
pub struct EventFileArguments {
    #[command(flatten)]
    events: EventsArguments,
    /// File to write; packed if it ends in .gz; standard output without it
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

/// Writes the ordered events.
pub fn events(arguments: &EventFileArguments) -> Result<()> {
    let (target, pending) = open_target(&arguments.output, arguments.events.force)?;
    let mut out = BufWriter::with_capacity(1 << 16, target);
    events::write(&arguments.events, &mut out)?;
    out.flush()?;
    let target = out.into_inner().map_err(|error| Error::from(error.into_error()))?;
    close(target, pending)
}
