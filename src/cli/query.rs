//! `gotrace query`.

use super::filters::FilterOptions;
use super::limits::LimitOptions;
use super::locate::SourceOptions;
use super::output::{Format, Output};
use super::{Result, analyse, say};
use crate::analysis::{PendingFile, Question, parameter};
use clap::Args;
use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;

#[derive(Args)]
pub struct QueryArguments {
    /// Database or trace to ask
    source: OsString,
    /// Name of a canned query (see gotrace queries), or SQL
    #[arg(value_name = "NAME|SQL")]
    query: String,
    /// Value of a parameter
    #[arg(short, long = "param", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Only this trace of a database, by its row in the table traces
    #[arg(long, value_name = "N")]
    trace: Option<i64>,
    /// Stop after N rows
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Output format; by default what FILE ends in, else table on a terminal and csv elsewhere
    #[arg(short, long, value_enum)]
    format: Option<Format>,
    /// Show all columns of a table on a terminal, however wide it becomes
    #[arg(long)]
    wide: bool,
    /// Do not show long results through the pager (PAGER)
    #[arg(long)]
    no_pager: bool,
    /// File to write; standard output without it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite FILE
    #[arg(long)]
    force: bool,
    /// Longest time the query may take, 0 for no limit
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    timeout: String,
    /// Most rows the query may give, 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    max_rows: u64,
    #[command(flatten)]
    limits: LimitOptions,
    /// Fail if any part of a trace cannot be read
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    filters: FilterOptions,
    #[command(flatten)]
    options: SourceOptions,
}

pub fn run(arguments: &QueryArguments) -> Result<()> {
    let limits = arguments.limits.limits(&arguments.timeout, arguments.max_rows)?;
    let given = arguments.parameters.iter().map(|text| parameter(text)).collect::<Result<_>>()?;
    let mut question = Question::new(&arguments.query, given)?;
    if let Some(trace) = arguments.trace {
        question = question.of_trace(trace)?;
    }
    if let Some(rows) = arguments.limit {
        question = question.at_most(rows);
    }
    // Before anything is recorded or loaded: the file may be in the way.
    let pending = match &arguments.output {
        Some(path) => Some(PendingFile::new(path, arguments.force)?),
        None => None,
    };
    let location = arguments.options.locate(&arguments.source, arguments.force)?;
    let database = analyse(location, arguments.strict)?.into_database()?;
    database.start(limits)?;
    arguments.filters.apply(&database)?;
    let ending = || arguments.output.as_deref().and_then(Format::of_file);
    let format = arguments.format.or_else(ending);
    let mut output = match &pending {
        Some(file) => Output::to(Box::new(File::create(file.path())?), false, format),
        None => Output::new(format),
    };
    output.fit = (!arguments.wide).then_some("--wide, -f vertical");
    output.is_paged = !arguments.no_pager;
    let done = question.ask(&database, limits, &mut output);
    // What came before an error is still an answer.
    output.finish()?;
    for remark in question.remarks(&database, done?) {
        say(&format!("gotrace: {remark}"));
    }
    if let Some(file) = pending {
        file.keep()?;
    }
    Ok(())
}
