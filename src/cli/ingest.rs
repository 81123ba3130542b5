//! `gotrace ingest`.

use super::locate::SourceOptions;
use super::{Result, observer, say};
use crate::analysis::{Ingest, Ingested, default_target, folder_target};
use crate::cli::terminal;
use crate::store::human_ns;
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
    let observer = observer();
    let sources = arguments.options.locate_all(&arguments.sources, arguments.force)?;
    let target = match &arguments.output {
        Some(path) => path.clone(),
        None => match folder_target(Path::new(&arguments.sources[0])) {
            Some(target) => target,
            None => default_target(&sources[0])?,
        },
    };
    let ingest = Ingest {
        sources,
        target,
        force: arguments.force,
        append: arguments.append,
        strict: arguments.strict,
    };
    let ingested = ingest.run(&observer)?;
    if ingested.loaded.is_empty() {
        return Ok(());
    }
    summarise(&ingest.target, &ingested, started)
}

/// `1 event`, `2 events`.
fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn summarise(target: &Path, ingested: &Ingested, started: Instant) -> Result<()> {
    let Ingested { loaded, size_bytes } = ingested;
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
    let (loaded, size) = (megabytes(bytes as f64), megabytes(*size_bytes as f64));
    say(&format!("loaded {loaded} in {seconds:.2} s{speed}; the database has {size}"));
    Ok(())
}
