//! `gotrace ingest`.

use super::files::PendingFile;
use super::load::{self, Loaded};
use super::locate::SourceOptions;
use super::opened::Opened;
use super::{CliError, Result, say};
use crate::cli::terminal;
use crate::model::Symbols;
use crate::source::Location;
use crate::store::{NewDatabaseFile, human_ns};
use clap::Args;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Args)]
pub struct IngestArguments {
    /// Traces and profiles to load
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<OsString>,
    /// Database to write; by default the first source's name with the ending .db
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite FILE even if gotrace did not make it
    #[arg(long)]
    force: bool,
    /// Fail, and write nothing, if any part of a source cannot be read
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    options: SourceOptions,
}

pub fn run(arguments: &IngestArguments) -> Result<()> {
    let started = Instant::now();
    let locations: Vec<Location> =
        arguments.sources.iter().map(|source| arguments.options.locate(source)).collect();
    let target = match &arguments.output {
        Some(path) => path.clone(),
        None => default_target(&locations[0])?,
    };
    let file = PendingFile::new(&target, arguments.force)?;
    let database = NewDatabaseFile::create(file.path())?;
    let mut symbols = Symbols::default();
    let mut loaded: Vec<(&Location, Loaded)> = Vec::new();
    {
        let mut loader = database.loader()?;
        for location in &locations {
            let opened = Opened::new(location);
            match opened.and_then(|opened| load::load_source(opened, &mut loader, &mut symbols)) {
                Ok(trace) => loaded.push((location, trace)),
                Err(error) if arguments.strict || locations.len() == 1 => return Err(error),
                Err(error @ CliError::Failed(_)) => {
                    say(&format!("gotrace: {error}; loading the others"))
                }
                Err(error) => return Err(error),
            }
        }
        if loaded.is_empty() {
            return Err(CliError::Failed("none of the sources could be loaded".into()));
        }
        if arguments.strict && loaded.iter().any(|(_, trace)| trace.has_loss) {
            return Err(CliError::Failed(
                "a part of the trace was lost, and --strict was given; nothing was written".into(),
            ));
        }
        database.finish_load(loader, &symbols)?;
    }
    let size = std::fs::metadata(file.path())?.len();
    file.keep()?;
    summarise(&target, &loaded, size, started)
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
