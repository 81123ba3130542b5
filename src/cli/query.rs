//! `gotrace query`.

use super::files::{PendingFile, TemporaryFile};
use super::filters::FilterOptions;
use super::limits::LimitOptions;
use super::load;
use super::locate::SourceOptions;
use super::opened::{Kind, Opened};
use super::output::{Format, Output};
use super::{CliError, Result, say};
use crate::model::Symbols;
use crate::source::Location;
use crate::store::{self, CannedQuery, Database, FilterUse, NewDatabaseFile, Value, human_ns};
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
    /// Output format; table on a terminal, else csv
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
    let mut given = Vec::new();
    for parameter in &arguments.parameters {
        let Some((name, value)) = parameter.split_once('=') else {
            return Err(CliError::Usage(format!("-p: want NAME=VALUE, got '{parameter}'")));
        };
        given.push((name.to_owned(), value.to_owned()));
    }
    let text = arguments.query.trim();
    let name = text.trim_end_matches(';').trim_end();
    let canned = store::is_query_name(name).then(|| store::find_query(name)).transpose()?;
    let database = open(&arguments.options.locate(&arguments.source), arguments.strict)?;
    database.start(limits)?;
    arguments.filters.apply(&database)?;
    let pending = match &arguments.output {
        Some(path) => Some(PendingFile::new(path, arguments.force)?),
        None => None,
    };
    let mut output = match &pending {
        Some(file) => Output::to(Box::new(File::create(file.path())?), false, arguments.format),
        None => Output::new(arguments.format),
    };
    output.fit = (!arguments.wide).then_some("--wide, -f vertical");
    output.is_paged = !arguments.no_pager;
    let parameters: Vec<(String, Value)> =
        given.iter().map(|(name, value)| (name.clone(), guess_type(value.clone()))).collect();
    let done = match canned {
        Some(query) => database.canned(query, &given, limits, &mut output),
        None => database.query(text, &parameters, limits, &mut output),
    };
    // What came before an error is still an answer.
    let is_empty = !output.has_rows();
    output.finish()?;
    done?;
    if let Some(query) = canned
        && let Some(traces) = summed_traces(&database, query, &given)
    {
        let advice = match has_choice(query) {
            true => "-p trace=ID asks one of them",
            false => "for one of them, ask the trace itself",
        };
        say(&format!("gotrace: of all {traces} traces together; {advice}"));
    }
    if is_empty {
        say(&format!("gotrace: 0 rows: {}", why_empty(&database, canned, &parameters)));
    }
    if let Some(file) = pending {
        file.keep()?;
    }
    Ok(())
}

fn has_choice(query: &CannedQuery) -> bool {
    query.parameters.iter().any(|parameter| parameter.name == "trace")
}

/// Whether a canned query is about traces: what no filter means anything to is about profiles.
fn is_of_traces(query: &CannedQuery) -> bool {
    has_choice(query) || query.filters != FilterUse::None
}

/// How many traces a canned query has put together that could be asked of each; `None` if it is of one, or
/// tells them apart.
fn summed_traces(
    database: &Database,
    query: &CannedQuery,
    given: &[(String, String)],
) -> Option<i64> {
    let tells_apart = query.columns.iter().any(|column| column.name == "trace_id");
    if !is_of_traces(query) || tells_apart || given.iter().any(|(name, _)| name == "trace") {
        return None;
    }
    match database.first_row("select count(*) from main.traces", &[]).as_deref() {
        Ok([Value::Integer(traces @ 2..)]) => Some(*traces),
        _ => None,
    }
}

/// Why a result has no row, as far as that can be said.
fn why_empty(
    database: &Database,
    canned: Option<&CannedQuery>,
    parameters: &[(String, Value)],
) -> String {
    let Some(query) = canned else { return "the statement gives none".into() };
    if !is_of_traces(query) {
        return "the source has nothing that the query is about".into();
    }
    // The whole trace, whatever the filters leave of it.
    let whole = "select count(*), max(duration_ns) from main.traces";
    let (traces, end_ns) = match database.first_row(whole, &[]).as_deref() {
        Ok([Value::Integer(traces), end]) => {
            (*traces, if let Value::Integer(end) = end { *end } else { 0 })
        }
        _ => (0, 0),
    };
    if traces == 0 {
        return "the source holds no trace".into();
    }
    if database.filter().from_ns.is_some_and(|from| from >= end_ns) {
        return format!("--from is behind the end of the trace, which is at {}", human_ns(end_ns));
    }
    let goid = parameters.iter().find(|(name, _)| name == "goid");
    if let Some(goid) = goid {
        let known = "select count(*) from main.raw_goroutines where goid = :goid";
        let known = database.first_row(known, std::slice::from_ref(goid));
        if let Ok(known) = known
            && known[..] == [Value::Integer(0)]
            && let Value::Integer(goid) = goid.1
        {
            return format!("there is no goroutine {goid} in the trace");
        }
    }
    "the trace has nothing that the query is about, or the filters leave nothing".into()
}

/// Opens a database, or loads a trace into a temporary one.
pub fn open(location: &Location, strict: bool) -> Result<Database> {
    open_opened(Opened::new(location)?, strict)
}

/// The same of what is opened already.
pub fn open_opened(opened: Opened<'_>, strict: bool) -> Result<Database> {
    let location = opened.location;
    if opened.kind == Kind::Database {
        return opened.into_database();
    }
    // A file that nobody sees is as fast as memory, and larger traces fit.
    let file = TemporaryFile::new("the database of what is asked")?;
    let database = NewDatabaseFile::create(file.path())?;
    let mut symbols = Symbols::default();
    let mut loader = database.loader()?;
    let loaded = load::load_source(opened, &mut loader, &mut symbols)?;
    if strict && loaded.has_loss {
        return Err(CliError::Failed(format!(
            "{location}: a part was lost, and --strict was given"
        )));
    }
    database.finish_load(loader, &symbols)?;
    let database = Database::open(file.path())?;
    // Where an open file can be unlinked, do it now: then it is gone even if this process is killed.
    if cfg!(unix) {
        return Ok(database);
    }
    Ok(database.owning(file))
}

/// Parameters of ad-hoc SQL have no declared type: what reads as a number is one.
fn guess_type(text: String) -> Value {
    if let Ok(value) = text.parse() {
        Value::Integer(value)
    } else if let Ok(value) = text.parse() {
        Value::Real(value)
    } else {
        Value::Text(text)
    }
}
