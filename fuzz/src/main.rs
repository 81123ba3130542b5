//! Hostile input for gotrace.
//!
//! ```text
//! gotrace-fuzz run TARGET [--seconds N] [--seed N]   mutate the committed traces
//! gotrace-fuzz replay TARGET FILE...                 run inputs that were written down
//! gotrace-fuzz damage TRACE [--full] [--seed N]      damage a trace, print what is kept of it
//! gotrace-fuzz targets                               list the targets
//! ```
//!
//! It needs no nightly compiler and no instrumentation: instead of the branches taken, what an
//! input made gotrace *say* (kinds of diagnostics, kinds of events, sizes) tells whether it is worth
//! keeping. Everything follows from the seed. A failure is written to a file and ends the run.

#[path = "../../tests/committed/mod.rs"]
mod committed;
mod drive;
mod mutate;
mod targets;

use committed::damage::{Amount, damages};
use committed::{examine, heap};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use targets::Target;

#[global_allocator]
static HEAP: heap::Heap = heap::Heap;

const USAGE: &str = "usage: gotrace-fuzz run TARGET [--seconds N] [--seed N] [--out FOLDER]
       gotrace-fuzz replay TARGET FILE...
       gotrace-fuzz damage TRACE [--full] [--seed N]
       gotrace-fuzz targets";

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gotrace-fuzz: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What follows the command.
#[derive(Default)]
struct Arguments {
    plain: Vec<String>,
    seconds: u64,
    seed: u64,
    is_full: bool,
    out: PathBuf,
}

impl Arguments {
    fn parse(arguments: &[String]) -> Result<Arguments, String> {
        let mut parsed = Arguments {
            seconds: 15,
            seed: 1,
            out: std::env::temp_dir().join("gotrace-fuzz"),
            ..Arguments::default()
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or(format!("{argument} wants a value"));
            let number = |text: &String| text.parse().map_err(|_| format!("{text} is no number"));
            match argument.as_str() {
                "--seconds" => parsed.seconds = number(value()?)?,
                "--seed" => parsed.seed = number(value()?)?,
                "--out" => parsed.out = value()?.into(),
                "--full" => parsed.is_full = true,
                text if text.starts_with("--") => return Err(USAGE.into()),
                text => parsed.plain.push(text.into()),
            }
        }
        Ok(parsed)
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    let Some((command, rest)) = arguments.split_first() else { return Err(USAGE.into()) };
    let arguments = Arguments::parse(rest)?;
    match (command.as_str(), arguments.plain.as_slice()) {
        ("targets", []) => {
            Target::ALL.iter().for_each(|target| println!("{}", target.name()));
            Ok(())
        }
        ("run", [name]) => {
            let time = Duration::from_secs(arguments.seconds);
            drive::run(Target::find(name)?, time, arguments.seed, &arguments.out)
        }
        ("replay", [name, files @ ..]) => {
            let target = Target::find(name)?;
            files.iter().try_for_each(|file| {
                let seen = target.execute(&read(Path::new(file))?);
                seen.map(|seen| println!("{file}: fine, {} features", seen.len()))
                    .map_err(|problem| format!("{file}: {problem}"))
            })
        }
        ("damage", [path]) => damage(Path::new(path), arguments.is_full, arguments.seed),
        _ => Err(USAGE.into()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Prints a line for each damage: its kind, its edits, how many events are kept (-1 if the trace is
/// refused), and what does not make sense. The first line is that of the whole trace.
fn damage(path: &Path, is_full: bool, seed: u64) -> Result<(), String> {
    // A panic is told in the line of its damage.
    std::panic::set_hook(Box::new(|_| {}));
    let whole = read(path)?;
    let amount = if is_full { Amount::FULL } else { Amount::SAMPLE };
    let mut text = String::new();
    let mut line = |kind: &str, edits: &str, bytes: &[u8]| {
        let (kept, problem) = match examine::examine(bytes) {
            Ok(found) => (found.map_or(-1, |found| found.events as i64), String::new()),
            Err(problem) => (-1, problem.replace(['\t', '\n'], " ")),
        };
        let _ = writeln!(text, "{kind}\t{edits}\t{kept}\t{problem}");
    };
    line("whole", "", &whole);
    for damage in damages(&whole, amount, seed) {
        line(damage.kind, &damage.to_string(), &damage.apply(&whole));
    }
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}
