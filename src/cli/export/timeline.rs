//! `gotrace export perfetto` and `gotrace export chrome`.

use crate::analysis::{PendingFile, moment};
use crate::cli::locate::SourceOptions;
use crate::cli::terminal;
use crate::cli::{Error, Result, analyse, say};
use crate::export::{Chrome, LaneKinds, Perfetto, Target, TimelineFormat, TimelineOptions};
use crate::model::{NamePattern, Selection};
use crate::profile::parse_duration;
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Which goroutines and what time.
#[derive(Args, Default)]
pub struct SelectionArguments {
    /// Only what is at or after TIME: a duration since the start of the trace (1.5s), a time of day
    /// (12:34:56.7) or a date and time (2026-01-31T12:34:56Z), in UTC
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Only what is before TIME
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Only goroutine N; may be repeated
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub goroutine: Vec<i64>,
    /// Only goroutines that began with the function NAME, in which * stands for any text; may be
    /// repeated
    #[arg(long, value_name = "NAME")]
    pub function: Vec<String>,
}

impl SelectionArguments {
    /// The selection as given.
    pub fn selection(&self) -> Result<Selection> {
        Ok(Selection {
            from: moment("--from", self.from.as_deref())?,
            to: moment("--to", self.to.as_deref())?,
            goroutines: self.goroutine.clone(),
            functions: self.function.iter().map(|name| NamePattern::new(name)).collect(),
        })
    }
}

/// What has lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Lanes {
    /// Procs, with the goroutine that ran on each
    Procs,
    /// Threads, with the goroutine that ran on each
    Threads,
    /// Goroutines, with all their states
    Goroutines,
    /// All of these
    All,
}

/// What a timeline shows.
#[derive(Args)]
pub struct LayoutArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    /// What has lanes; may be repeated. By default all for perfetto, procs for chrome, whose format
    /// takes more room
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',')]
    by: Vec<Lanes>,
    /// Leave out the arrows from where a goroutine is made runnable
    #[arg(long)]
    no_flows: bool,
    /// Shortest time between two points of a counter
    #[arg(long, value_name = "DURATION")]
    counters_every: Option<String>,
}

/// Options of all timelines.
#[derive(Args)]
pub struct TimelineArguments {
    /// Trace to export
    source: OsString,
    /// File to write; packed if it ends in .gz; - for standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Overwrite FILE
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    layout: LayoutArguments,
    /// Fail, and write nothing, if any part of a trace cannot be read
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    options: SourceOptions,
}

impl LayoutArguments {
    /// The options for Perfetto's format.
    pub fn perfetto(&self) -> Result<TimelineOptions> {
        self.options(&[Lanes::All], 100_000)
    }

    fn options(&self, lanes: &[Lanes], every_ns: i64) -> Result<TimelineOptions> {
        let by = if self.by.is_empty() { lanes } else { &self.by };
        let has = |lanes| by.contains(&lanes) || by.contains(&Lanes::All);
        let counters_every_ns = match &self.counters_every {
            None => every_ns,
            Some(text) => parse_duration(text).filter(|&ns| ns >= 0).ok_or_else(|| {
                Error::Usage(format!("--counters-every: want a duration such as 1ms, got '{text}'"))
            })?,
        };
        Ok(TimelineOptions {
            selection: self.selection.selection()?,
            lanes: LaneKinds {
                procs: has(Lanes::Procs),
                threads: has(Lanes::Threads),
                goroutines: has(Lanes::Goroutines),
            },
            has_flows: !self.no_flows,
            counters_every_ns,
        })
    }
}

#[derive(Args)]
pub struct PerfettoArguments {
    #[command(flatten)]
    common: TimelineArguments,
}

/// `gotrace export perfetto`.
pub fn perfetto(arguments: &PerfettoArguments) -> Result<()> {
    let arguments = &arguments.common;
    let options = arguments.layout.perfetto()?;
    if arguments.output == Path::new("-") {
        terminal::refuse_terminal("a file of Perfetto", "-o FILE")?;
    }
    export(arguments, &options, Perfetto::new, Perfetto::finish)
}

#[derive(Args)]
pub struct ChromeArguments {
    #[command(flatten)]
    common: TimelineArguments,
}

/// `gotrace export chrome`.
pub fn chrome(arguments: &ChromeArguments) -> Result<()> {
    let arguments = &arguments.common;
    let options = arguments.layout.options(&[Lanes::Procs], 1_000_000)?;
    export(arguments, &options, Chrome::new, Chrome::finish)
}

fn export<F: TimelineFormat>(
    arguments: &TimelineArguments,
    options: &TimelineOptions,
    begin: impl Fn(Target) -> io::Result<F>,
    finish: impl Fn(F) -> io::Result<Target>,
) -> Result<()> {
    let started = Instant::now();
    let (target, pending) = open_target(&arguments.output, arguments.force)?;
    let format = begin(target)?;
    let location = arguments.options.locate(&arguments.source, arguments.force)?;
    let mut analysis = analyse(location, arguments.strict)?;
    finish(analysis.timeline(format, options)?)?.close()?;
    let Some(pending) = pending else { return Ok(()) };
    let size = std::fs::metadata(pending.path())?.len();
    pending.keep()?;
    say(&format!(
        "{}: {:.1} MB in {:.2} s",
        arguments.output.display(),
        size as f64 / 1e6,
        started.elapsed().as_secs_f64(),
    ));
    Ok(())
}

/// Opens what an export goes to: a file under a temporary name, or standard output.
pub fn open_target(output: &Path, force: bool) -> Result<(Target, Option<PendingFile>)> {
    if output == Path::new("-") {
        return Ok((Target::Other(Box::new(terminal::shared_output())), None));
    }
    let pending = PendingFile::new(output, force)?;
    let file = File::create(pending.path())?;
    let is_packed = output.extension().is_some_and(|ending| ending == "gz");
    Ok((if is_packed { Target::packed(file) } else { Target::File(file) }, Some(pending)))
}
