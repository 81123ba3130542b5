//! Loading traces, with progress and the report of what was lost.

use super::files::PendingFile;
use super::load_profile::{ProfileTotals, load_profile};
use super::opened::{Kind, Opened};
use super::{CliError, Result, say};
use crate::cli::terminal;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::model::{Builder, Symbols, Totals};
use crate::order::TraceReader;
use crate::source::{self, Access, DownloadLimits, Location, Position, Source};
use crate::store::{LoadedTrace, Loader, RowWriter};
use indexmap::IndexMap;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs::File;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

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
    Opened::new(location)?.into_trace()
}

/// Opens a source; the error names it.
pub fn open_source(location: &Location) -> Result<(Source, Progress)> {
    let failed = |error| CliError::Failed(format!("{location}: {error}"));
    let Some(recording) = Recording::of(location) else {
        let source = source::open(location).map_err(failed)?;
        let name = location.to_string();
        let progress = Progress::start(&name, source.size_bytes, source.position.clone());
        return Ok((source, progress));
    };
    // A server answers when it has recorded; until then only the clock moves.
    let position = Arc::new(OnceLock::new());
    let progress = Progress::recording(&location.to_string(), recording, position.clone());
    let source = source::open(location).map_err(failed)?;
    let _ = position.set(source.position.clone());
    Ok((source, progress))
}

/// Keeps what comes from a URL in a file, as it comes.
pub fn save_url(
    url: &str,
    limits: DownloadLimits,
    access: &Access,
    target: &Path,
    force: bool,
) -> Result<()> {
    let file = PendingFile::new(target, force)?;
    let location = Location::parse(url);
    let failed = |error: String| CliError::Failed(format!("{location}: {error}"));
    let position = Position::default();
    let progress = Recording::of(&location).map(|recording| {
        let known = Arc::new(OnceLock::from(position.clone()));
        Progress::recording(&location.to_string(), recording, known)
    });
    let (body, size) =
        source::download(url, limits, access).map_err(|error| failed(error.to_string()))?;
    let progress =
        progress.unwrap_or_else(|| Progress::start(&location.to_string(), size, position.clone()));
    let mut out = File::create(file.path())?;
    std::io::copy(&mut position.counting(body), &mut out)
        .map_err(|error| failed(error.to_string()))?;
    drop(out);
    progress.finish();
    file.keep()
}

/// How long a recording takes that a location asks for.
struct Recording(Duration);

impl Recording {
    fn of(location: &Location) -> Option<Recording> {
        match location {
            Location::Url { url, .. } => Some(source::recording_time(url)),
            _ => None,
        }
        .filter(|time| !time.is_zero())
        .map(Recording)
    }

    /// `12 of 30 s, 1.5 MiB`
    fn state(&self, elapsed: Duration, bytes: u64) -> String {
        let (elapsed, total) = (elapsed.as_secs_f64(), self.0.as_secs_f64());
        format!("{:.0} of {total} s, {}", elapsed.min(total).floor(), HumanBytes(bytes))
    }
}

/// Loads one source: a trace or a profile.
pub fn load_source<W: RowWriter>(
    mut opened: Opened<'_>,
    loader: &mut Loader<W>,
    symbols: &mut Symbols,
) -> Result<Loaded> {
    let location = opened.location;
    match opened.kind {
        Kind::Trace => {}
        Kind::Profile => {
            let stream = &mut opened.source.stream;
            let profile = Some(load_profile(location, stream, loader, symbols)?);
            let size_bytes = stream.offset();
            return Ok(Loaded { totals: Totals::default(), profile, size_bytes, has_loss: false });
        }
        Kind::Database | Kind::Other(_) => return Err(opened.refuse()),
    }
    let (reader, progress) = opened.into_trace()?;
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

/// Prints what was repaired, skipped or lost: a line for each kind and generation, about the first.
pub fn report(location: &Location, diagnostics: &Diagnostics) {
    const SHOWN: usize = 20;
    let mut kinds: IndexMap<(Code, Option<u64>), (&Diagnostic, u64)> = IndexMap::new();
    for one in diagnostics.iter().filter(|one| one.code.severity() > Severity::Info) {
        kinds.entry((one.code, one.generation)).or_insert((one, 0)).1 += 1;
    }
    // Only so many of a kind are kept. If they are all of one generation, so are the others.
    let kinds_of = |code| kinds.keys().filter(|kind| kind.0 == code).count();
    let only: Vec<Code> = Code::ALL.iter().copied().filter(|&code| kinds_of(code) == 1).collect();
    for (kind, (_, count)) in &mut kinds {
        if only.contains(&kind.0) {
            *count = diagnostics.count(kind.0);
        }
    }
    for (&(code, _), &(first, count)) in kinds.iter().take(SHOWN) {
        let severity = code.severity().as_str();
        let more = match count {
            1 => String::new(),
            _ => format!("; {} more of {} here", count - 1, code.as_str()),
        };
        say(&format!("gotrace: {severity}: {location}: {first}{more}"));
    }
    let all = Code::ALL.iter().filter(|code| code.severity() > Severity::Info);
    let all: u64 = all.map(|&code| diagnostics.count(code)).sum();
    let told: u64 = kinds.values().take(SHOWN).map(|(_, count)| count).sum();
    if all > told {
        let more = all - told;
        say(&format!("gotrace: {location}: {more} more; the table 'diagnostics' has them"));
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
        if !std::io::stderr().is_terminal() {
            return Progress::hidden();
        }
        let bar = match size_bytes {
            Some(size) => ProgressBar::new(size)
                .with_style(style("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}")),
            None => ProgressBar::new_spinner().with_style(style("{msg} {bytes} {bytes_per_sec}")),
        };
        Progress::run(name, bar, move |bar| bar.set_position(position.get()))
    }

    /// A bar of the time that a recording takes, with the bytes that have come; they are counted once
    /// `position` is set.
    fn recording(name: &str, recording: Recording, position: Arc<OnceLock<Position>>) -> Progress {
        if !std::io::stderr().is_terminal() {
            return Progress::hidden();
        }
        let bar = ProgressBar::new(recording.0.as_millis() as u64)
            .with_style(style("{msg} {wide_bar} {prefix}"));
        let start = Instant::now();
        Progress::run(name, bar, move |bar| {
            let elapsed = start.elapsed();
            bar.set_prefix(recording.state(elapsed, position.get().map_or(0, Position::get)));
            bar.set_position((elapsed.as_millis() as u64).min(recording.0.as_millis() as u64));
        })
    }

    fn hidden() -> Progress {
        Progress { bar: None, is_done: Arc::default(), thread: None }
    }

    /// Shows a bar and keeps it up to date.
    fn run(
        name: &str,
        bar: ProgressBar,
        update: impl Fn(&ProgressBar) + Send + 'static,
    ) -> Progress {
        let is_done = Arc::new(AtomicBool::new(false));
        // What is over at once needs no bar, which would only flash.
        bar.set_draw_target(ProgressDrawTarget::hidden());
        bar.set_message(terminal::shown(name).into_owned());
        let start = Instant::now();
        let thread = thread::spawn({
            let (bar, is_done) = (bar.clone(), is_done.clone());
            move || {
                let mut is_hidden = true;
                while !is_done.load(Ordering::Relaxed) {
                    if is_hidden && start.elapsed() >= Duration::from_millis(200) {
                        bar.set_draw_target(ProgressDrawTarget::stderr());
                        is_hidden = false;
                    }
                    update(&bar);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_says_how_far_it_is() {
        let of = |url: &str| Recording::of(&Location::parse(url));
        let recording = of("http://h/debug/pprof/profile?seconds=20").unwrap();
        assert_eq!(recording.state(Duration::from_millis(7900), 0), "7 of 20 s, 0 B");
        assert_eq!(recording.state(Duration::from_secs(99), 1536), "20 of 20 s, 1.50 KiB");
        assert!(of("http://h/debug/pprof/heap").is_none() && of("app.trace").is_none());
    }
}
