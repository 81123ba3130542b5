//! What an analysis tells, on standard error: progress as a bar if it is a terminal, damage and remarks.

use super::{say, terminal};
use crate::analysis::{Observer, Ongoing, Work};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::source::{Location, Position};
use indexmap::IndexMap;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Says on standard error what an analysis tells.
pub struct Teller;

impl Observer for Teller {
    fn begins(&self, work: Work) -> Ongoing {
        match std::io::stderr().is_terminal() {
            true => Ongoing::until_dropped(Bar::new(work)),
            false => Ongoing::default(),
        }
    }

    fn was_read(&self, source: &Location, diagnostics: &Diagnostics) {
        say_damage(source, diagnostics);
    }

    fn remark(&self, text: &str) {
        say(&format!("gotrace: {text}"));
    }
}

/// Prints what was repaired, skipped or lost: a line for each kind and generation, about the first.
pub fn say_damage(location: &Location, diagnostics: &Diagnostics) {
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

/// A bar on the terminal, until it is dropped.
struct Bar {
    bar: ProgressBar,
    is_done: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Bar {
    fn new(work: Work) -> Bar {
        match work {
            Work::Reading { source, size_bytes, position } => {
                let bar = match size_bytes {
                    Some(size) => ProgressBar::new(size).with_style(style(
                        "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}",
                    )),
                    None => ProgressBar::new_spinner()
                        .with_style(style("{msg} {bytes} {bytes_per_sec}")),
                };
                Bar::run(&source, bar, move |bar| bar.set_position(position.get()))
            }
            // The time that a recording takes, with the bytes that have come.
            Work::Recording { source, duration, position } => {
                let bar = ProgressBar::new(duration.as_millis() as u64)
                    .with_style(style("{msg} {wide_bar} {prefix}"));
                let start = Instant::now();
                Bar::run(&source, bar, move |bar| {
                    let elapsed = start.elapsed();
                    let bytes = position.get().map_or(0, Position::get);
                    bar.set_prefix(recording_state(duration, elapsed, bytes));
                    bar.set_position((elapsed.as_millis() as u64).min(duration.as_millis() as u64));
                })
            }
        }
    }

    /// Shows a bar and keeps it up to date.
    fn run(name: &str, bar: ProgressBar, update: impl Fn(&ProgressBar) + Send + 'static) -> Bar {
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
        Bar { bar, is_done, thread: Some(thread) }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.is_done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}

/// `12 of 30 s, 1.5 MiB`
fn recording_state(duration: Duration, elapsed: Duration, bytes: u64) -> String {
    let (elapsed, total) = (elapsed.as_secs_f64(), duration.as_secs_f64());
    format!("{:.0} of {total} s, {}", elapsed.min(total).floor(), HumanBytes(bytes))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_says_how_far_it_is() {
        let state =
            |ms, bytes| recording_state(Duration::from_secs(20), Duration::from_millis(ms), bytes);
        assert_eq!(state(7900, 0), "7 of 20 s, 0 B");
        assert_eq!(state(99_000, 1536), "20 of 20 s, 1.50 KiB");
    }
}
