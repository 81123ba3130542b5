//! Loading traces, with progress and the report of what was lost.

use super::load_profile::{ProfileTotals, is_profile, load_profile};
use super::{CliError, Result, say};
use crate::diagnostic::{Diagnostics, Severity};
use crate::model::{Builder, Symbols, Totals};
use crate::order::TraceReader;
use crate::source::{self, Location, Position, Source};
use crate::store::{LoadedTrace, Loader, RowWriter};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// What loading one source came to.
pub struct Loaded {
    /// The model's totals; of a profile, none.
    pub totals: Totals,
    /// What a profile came to; `None` for a trace.
    pub profile: Option<ProfileTotals>,
    /// Length of the source after unpacking, bytes.
    pub size_bytes: u64,
    /// Whether a part of it was lost.
    pub has_loss: bool,
}

/// Opens a trace; the error names the source.
pub fn open_trace(location: &Location) -> Result<(TraceReader, Progress)> {
    let (source, progress) = open_source(location)?;
    Ok((read_trace(location, source)?, progress))
}

fn read_trace(location: &Location, source: Source) -> Result<TraceReader> {
    TraceReader::new(source).map_err(|error| CliError::Failed(format!("{location}: {error}")))
}

/// Opens a source; the error names it.
pub fn open_source(location: &Location) -> Result<(Source, Progress)> {
    let source =
        source::open(location).map_err(|error| CliError::Failed(format!("{location}: {error}")))?;
    let progress =
        Progress::start(&location.to_string(), source.size_bytes, source.position.clone());
    Ok((source, progress))
}

/// Loads one source: a trace or a profile, as its bytes tell.
pub fn load_source<W: RowWriter>(
    location: &Location,
    loader: &mut Loader<W>,
    symbols: &mut Symbols,
) -> Result<Loaded> {
    let (mut source, progress) = open_source(location)?;
    if is_profile(&mut source.stream) {
        let profile = load_profile(location, &mut source.stream, loader, symbols)?;
        let size_bytes = source.stream.offset();
        let profile = Some(profile);
        return Ok(Loaded { totals: Totals::default(), profile, size_bytes, has_loss: false });
    }
    let reader = read_trace(location, source)?;
    let version = reader.version();
    let mut builder = Builder::new(loader, symbols);
    let outcome = reader.read(&mut builder);
    let totals = builder.totals();
    progress.finish();
    report(location, &outcome.diagnostics);
    let has_loss = outcome.diagnostics.has_loss();
    let (lost_bytes, lost_events) =
        (outcome.diagnostics.lost_bytes(), outcome.diagnostics.lost_events());
    loader.finish_trace(&LoadedTrace {
        source: &location.to_string(),
        version,
        size_bytes: outcome.size_bytes,
        totals,
        diagnostics: &outcome.diagnostics.finish(),
        lost_bytes,
        lost_events,
    })?;
    Ok(Loaded { totals, profile: None, size_bytes: outcome.size_bytes, has_loss })
}

/// Prints what was repaired, skipped or lost: one line each.
pub fn report(location: &Location, diagnostics: &Diagnostics) {
    const SHOWN: usize = 20;
    let notable = || diagnostics.iter().filter(|one| one.code.severity() > Severity::Info);
    for one in notable().take(SHOWN) {
        say(&format!("gotrace: {}: {location}: {one}", one.code.severity().as_str()));
    }
    let hidden = notable().count().saturating_sub(SHOWN);
    if hidden > 0 {
        say(&format!("gotrace: {location}: {hidden} more; the table 'diagnostics' has them"));
    }
}

/// A progress bar on a terminal, nothing elsewhere.
pub struct Progress {
    bar: Option<ProgressBar>,
    is_done: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Progress {
    fn start(name: &str, size_bytes: Option<u64>, position: Position) -> Progress {
        let is_done = Arc::new(AtomicBool::new(false));
        if !std::io::stderr().is_terminal() {
            return Progress { bar: None, is_done, thread: None };
        }
        let bar = match size_bytes {
            Some(size) => ProgressBar::new(size)
                .with_style(style("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}")),
            None => ProgressBar::new_spinner().with_style(style("{msg} {bytes} {bytes_per_sec}")),
        };
        bar.set_message(name.to_owned());
        let thread = thread::spawn({
            let (bar, is_done) = (bar.clone(), is_done.clone());
            move || {
                while !is_done.load(Ordering::Relaxed) {
                    bar.set_position(position.get());
                    thread::sleep(Duration::from_millis(50));
                }
            }
        });
        Progress { bar: Some(bar), is_done, thread: Some(thread) }
    }

    /// Removes the bar.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.is_done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
