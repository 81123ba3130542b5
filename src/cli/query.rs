//! `gotrace query`.

use super::files::PendingFile;
use super::filters::FilterOptions;
use super::load;
use super::locate::SourceOptions;
use super::output::{Format, Output};
use super::{CliError, Result};
use crate::model::Symbols;
use crate::profile::parse_duration;
use crate::source::Location;
use crate::store::{self, Database, Limits, NewDatabaseFile, Value, is_database};
use clap::Args;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Args)]
pub struct QueryArguments {
    /// Database or trace to ask
    source: String,
    /// Name of a canned query (see gotrace queries), or SQL
    #[arg(value_name = "NAME|SQL")]
    query: String,
    /// Value of a parameter
    #[arg(short, long = "param", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Output format; table on a terminal, else csv
    #[arg(short, long, value_enum)]
    format: Option<Format>,
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
    /// Fail if any part of a trace cannot be read
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    filters: FilterOptions,
    #[command(flatten)]
    options: SourceOptions,
}

pub fn run(arguments: &QueryArguments) -> Result<()> {
    let timeout = parse_duration(&arguments.timeout).filter(|&ns| ns >= 0).ok_or_else(|| {
        CliError::Usage(format!(
            "--timeout: want a duration such as 10s, got '{}'",
            arguments.timeout
        ))
    })?;
    let limits = Limits {
        time: (timeout > 0).then(|| Duration::from_nanos(timeout as u64)),
        rows: (arguments.max_rows > 0).then_some(arguments.max_rows),
    };
    let mut given = Vec::new();
    for parameter in &arguments.parameters {
        let Some((name, value)) = parameter.split_once('=') else {
            return Err(CliError::Usage(format!("-p: want NAME=VALUE, got '{parameter}'")));
        };
        given.push((name.to_owned(), value.to_owned()));
    }
    let text = arguments.query.trim();
    // A name is one word; no SQL statement is.
    let canned = if text.split_whitespace().nth(1).is_none() {
        Some(store::find_query(text)?)
    } else {
        None
    };
    let database = open(&arguments.options.locate(&arguments.source), arguments.strict)?;
    arguments.filters.apply(&database)?;
    let pending = match &arguments.output {
        Some(path) => Some(PendingFile::new(path, arguments.force)?),
        None => None,
    };
    let mut output = match &pending {
        Some(file) => Output::to(Box::new(File::create(file.path())?), false, arguments.format),
        None => Output::new(arguments.format),
    };
    let done = match canned {
        Some(query) => database.canned(query, &given, limits, &mut output),
        None => {
            let parameters: Vec<(String, Value)> =
                given.into_iter().map(|(name, value)| (name, guess_type(value))).collect();
            database.query(text, &parameters, limits, &mut output)
        }
    };
    // What came before an error is still an answer.
    output.finish()?;
    done?;
    if let Some(file) = pending {
        file.keep()?;
    }
    Ok(())
}

/// Opens a database, or loads a trace into a temporary one.
pub fn open(location: &Location, strict: bool) -> Result<Database> {
    if let Some(path) = location.path()
        && is_database(path)
    {
        return Database::open(path)
            .map_err(|error| CliError::Failed(format!("{location}: {error}")));
    }
    // A file that nobody sees is as fast as memory, and larger traces fit.
    let file =
        tempfile::Builder::new().prefix("gotrace-").suffix(".db").tempfile()?.into_temp_path();
    let database = NewDatabaseFile::create(&file)?;
    let mut symbols = Symbols::default();
    let mut loader = database.loader()?;
    let loaded = load::load_source(location, &mut loader, &mut symbols)?;
    if strict && loaded.has_loss {
        return Err(CliError::Failed(format!(
            "{location}: a part was lost, and --strict was given"
        )));
    }
    database.finish_load(loader, &symbols)?;
    let database = Database::open(&file)?;
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
