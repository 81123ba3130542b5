//! `gotrace ingest`.

use super::files::PendingFile;
use super::load::{self, Loaded};
use super::locate::SourceOptions;
use super::opened::{Kind, Opened, kind_of_file};
use super::{CliError, Result, say};
use crate::cli::terminal;
use crate::model::Symbols;
use crate::source::Location;
use crate::store::{
    self, Added, AppendedDatabase, HeldSource, NewDatabaseFile, StoreError, human_ns,
};
use clap::Args;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Args)]
pub struct IngestArguments {
    /// Traces and profiles to load; folders stand for those in them, patterns for what matches
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<OsString>,
    /// Database to write; by default the first source's name with the ending .db
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace FILE, whatever is in it
    #[arg(long, conflicts_with = "append")]
    force: bool,
    /// Add to the database FILE what it does not hold yet; what you have added to it stays
    #[arg(long)]
    append: bool,
    /// Fail, and write nothing, if any part of a source cannot be read
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    options: SourceOptions,
}

pub fn run(arguments: &IngestArguments) -> Result<()> {
    let started = Instant::now();
    let is_recording =
        |path: &Path| !matches!(kind_of_file(path), Some(Kind::Database | Kind::Other(_)));
    let sources = arguments.options.expand(&arguments.sources, is_recording)?;
    let locations: Vec<Location> =
        sources.iter().map(|source| arguments.options.locate(source)).collect();
    let target = match &arguments.output {
        Some(path) => path.clone(),
        None => match folder_target(Path::new(&arguments.sources[0])) {
            Some(target) => target,
            None => default_target(&locations[0])?,
        },
    };
    let exists = target.exists() && !target.is_dir();
    if exists && arguments.append {
        return append(arguments, &locations, &target, started);
    }
    let is_own = exists && store::is_own(&target);
    if is_own && !arguments.force && held(&target)?.len() > locations.len() {
        return Err(is_in_the_way(&target));
    }
    let file = PendingFile::new(&target, arguments.force || is_own)?;
    let database = NewDatabaseFile::create(file.path())?;
    let mut symbols = Symbols::default();
    let mut loader = database.loader()?;
    let loaded = load_all(arguments, &locations, |location| {
        Ok(Added::New(load::load_source(Opened::new(location)?, &mut loader, &mut symbols)?))
    })?;
    database.finish_load(loader, &symbols)?;
    if is_own && !arguments.force && !is_replaceable(&target, file.path())? {
        return Err(is_in_the_way(&target));
    }
    let size = std::fs::metadata(file.path())?.len();
    // SQLite would put what stands in the journal of the old one into the new one.
    for ending in ["-wal", "-shm", "-journal"] {
        let mut beside = target.clone().into_os_string();
        beside.push(ending);
        let _ = std::fs::remove_file(beside);
    }
    file.keep()?;
    summarise(&target, &loaded, size, started)
}

/// Adds sources to a database, in a copy of it: until the copy takes its name, nothing has happened to it.
fn append(
    arguments: &IngestArguments,
    locations: &[Location],
    target: &Path,
    started: Instant,
) -> Result<()> {
    let failed = |error: StoreError| CliError::Failed(format!("{}: {error}", target.display()));
    if !store::is_own(target) {
        return Err(failed(StoreError::Usage("it is no database that gotrace made".into())));
    }
    let file = PendingFile::new(target, true)?;
    store::copy_database(target, file.path()).map_err(|error| match error {
        StoreError::Io(error) => error.into(),
        error => failed(error),
    })?;
    let (database, mut symbols) = AppendedDatabase::open(file.path()).map_err(failed)?;
    let mut loader = database.loader(&symbols)?;
    let loaded = load_all(arguments, locations, |location| {
        database.add(&mut loader, |loader| {
            load::load_source(Opened::new(location)?, loader, &mut symbols)
        })
    })?;
    if loaded.is_empty() {
        return Ok(());
    }
    database.finish_load(loader, &symbols)?;
    drop(database);
    let size = std::fs::metadata(file.path())?.len();
    file.keep()?;
    summarise(target, &loaded, size, started)
}

/// Loads all sources; says which are left out.
fn load_all<'a>(
    arguments: &IngestArguments,
    locations: &'a [Location],
    mut load: impl FnMut(&Location) -> Result<Added<Loaded>>,
) -> Result<Vec<(&'a Location, Loaded)>> {
    let mut loaded: Vec<(&Location, Loaded)> = Vec::new();
    let mut known = 0;
    for location in locations {
        match load(location) {
            Ok(Added::New(trace)) => loaded.push((location, trace)),
            Ok(Added::Known(name)) => {
                known += 1;
                say(&match name == location.to_string() {
                    true => format!("{location}: is in the database already; left out"),
                    false => format!("{location}: is in the database already, as {name}; left out"),
                });
            }
            Err(error) if arguments.strict || locations.len() == 1 => return Err(error),
            Err(error @ CliError::Failed(_)) => {
                say(&format!("gotrace: {error}; loading the others"))
            }
            Err(error) => return Err(error),
        }
    }
    if loaded.is_empty() && known == 0 {
        return Err(CliError::Failed("none of the sources could be loaded".into()));
    }
    if arguments.strict && loaded.iter().any(|(_, trace)| trace.has_loss) {
        return Err(CliError::Failed(
            "a part of the trace was lost, and --strict was given; nothing was written".into(),
        ));
    }
    Ok(loaded)
}

/// What a database holds; the error names it.
fn held(target: &Path) -> Result<Vec<HeldSource>> {
    store::held_sources(target).map_err(|error| {
        CliError::Failed(format!("{}: exists; --force replaces it: {error}", target.display()))
    })
}

/// Whether nothing is lost if `fresh` takes the place of a database: it holds the same sources, and nobody has
/// changed it.
fn is_replaceable(target: &Path, fresh: &Path) -> Result<bool> {
    let (old, new) = (held(target)?, held(fresh)?);
    let has_all = old.iter().all(|one| new.iter().any(|other| one.is_same(other)));
    Ok(has_all && old.len() == new.len() && store::is_unchanged(target, fresh)?)
}

/// Says what would be lost with a database, and what to do.
fn is_in_the_way(target: &Path) -> CliError {
    const SHOWN: usize = 3;
    let list = |mut names: Vec<String>| {
        let more = names.len().saturating_sub(SHOWN);
        names.truncate(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        names.join(", ") + &more
    };
    let sources = store::held_sources(target).unwrap_or_default();
    let sources = list(sources.into_iter().map(|one| one.source).collect());
    let foreign = match list(store::foreign_names(target).unwrap_or_default()) {
        names if names.is_empty() => names,
        names => format!(", and {names}, which gotrace did not make"),
    };
    CliError::Failed(format!(
        "{}: exists, with what gotrace read from {sources}{foreign}; --append adds to it, --force replaces it",
        target.display()
    ))
}

/// `trace.db` for `trace.out`, beside it; for a URL, in the current folder.
fn default_target(location: &Location) -> Result<PathBuf> {
    let Some(path) = location.file_name() else {
        return Err(CliError::Usage("give -o FILE when reading from standard input".into()));
    };
    let is_packed = path.extension().is_some_and(|ending| ending == "gz" || ending == "zst");
    let target = if is_packed {
        path.with_extension("").with_extension("db")
    } else {
        path.with_extension("db")
    };
    if Some(&*target) == location.path() {
        return Err(CliError::Usage(format!(
            "{}: give -o FILE for a source named .db",
            path.display()
        )));
    }
    Ok(target)
}

/// `runs.db` for the folder `runs`, beside it; for the one we are in, in it. `None` for what is no folder.
fn folder_target(path: &Path) -> Option<PathBuf> {
    if !path.is_dir() {
        return None;
    }
    let named = |path: &Path| {
        let mut name = path.file_name()?.to_owned();
        name.push(".db");
        Some(name)
    };
    match named(path) {
        Some(name) => Some(path.with_file_name(name)),
        // `.` and `..` have no names.
        None => named(&path.canonicalize().ok()?).map(PathBuf::from),
    }
}

/// `1 event`, `2 events`.
fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn summarise(
    target: &Path,
    loaded: &[(&Location, Loaded)],
    size: u64,
    started: Instant,
) -> Result<()> {
    let mut out = terminal::output();
    for (location, trace) in loaded {
        let totals = &trace.totals;
        if let Some(profile) = &trace.profile {
            let samples = counted(profile.samples, "sample");
            let types = profile.types.join(", ");
            writeln!(out, "{}: {location}: {samples} of {types}", target.display())?;
            continue;
        }
        writeln!(
            out,
            "{}: {location}: {}, {}, {}, {}{}",
            target.display(),
            counted(totals.events, "event"),
            counted(totals.goroutines, "goroutine"),
            counted(totals.generations, "generation"),
            human_ns(totals.duration_ns),
            if trace.has_loss { ", incomplete" } else { "" },
        )?;
    }
    let bytes: u64 = loaded.iter().map(|(_, trace)| trace.size_bytes).sum();
    let events: u64 = loaded.iter().map(|(_, trace)| trace.totals.events).sum();
    let seconds = started.elapsed().as_secs_f64();
    let megabytes = |bytes: f64| format!("{:.1} MB", bytes / 1e6);
    let speed = match events {
        // Profiles have none, and are small.
        0 => String::new(),
        _ => format!(
            ": {}/s, {:.2} million events/s",
            megabytes(bytes as f64 / seconds),
            events as f64 / 1e6 / seconds
        ),
    };
    let (loaded, size) = (megabytes(bytes as f64), megabytes(size as f64));
    say(&format!("loaded {loaded} in {seconds:.2} s{speed}; the database has {size}"));
    Ok(())
}
