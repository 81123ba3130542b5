//! The command line.
//!
//! Output contract: standard output carries data only; messages, warnings and progress go to
//! standard error. Exit status 0: done; 1: failed; 2: used wrongly. A partial load is done, with
//! a warning; `--strict` makes it fail. A reader that closes the pipe is no failure.

mod browser;
mod completions;
mod events;
mod export;
mod filters;
mod info;
mod ingest;
mod limits;
mod locate;
mod manual;
mod open;
mod output;
mod pager;
mod profile;
mod progress;
mod queries;
mod query;
mod report;
mod shell;
mod signals;
mod table;
mod terminal;
mod web;
mod words;

pub(crate) use crate::analysis::{Error, Result};

use crate::analysis::{Analysis, Observer, Options};
use crate::source::Location;
use clap::error::{ContextKind, ErrorKind};
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

/// Answers from what Go programs record about themselves: execution traces and pprof profiles.
///
/// SOURCE is a file, - for standard input, or a URL such as
/// http://host:6060/debug/pprof/trace?seconds=5, for which host:6060 is enough. What it is (a trace,
/// plain or packed with gzip or zstd, a profile, or a database that gotrace made) is seen from its
/// bytes, never from its name.
#[derive(Parser)]
#[command(name = "gotrace", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Load traces and profiles into one SQLite database
    Ingest(ingest::IngestArguments),
    /// Ask a database or a trace: a canned query by name, or SQL
    Query(query::QueryArguments),
    /// List the canned queries, or show one
    Queries(queries::QueriesArguments),
    /// Ask a database or a trace interactively, with history and completion
    Sql(shell::SqlArguments),
    /// Tell what a program did, what is wrong with it, and where to look next
    Report(report::ReportArguments),
    /// Describe a trace or a database: format, generations, events and bytes by kind, damage
    Info(info::InfoArguments),
    /// Print the ordered events of a trace, as go tool trace -d=parsed does
    Events(events::EventsArguments),
    /// Show a profile: what go tool pprof shows, and more
    Profile(Box<profile::ProfileArguments>),
    /// Show traces and profiles in the browser: findings, timeline, flame graphs, SQL
    Web(web::WebArguments),
    /// Show a trace as a timeline in Perfetto's viewer; gotrace web needs no network
    Open(open::OpenArguments),
    /// Write a trace in the format of another tool
    #[command(subcommand)]
    Export(export::ExportCommand),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of gotrace or of one of its commands, or write all of them
    Man(manual::ManualArguments),
}

/// Who is told what goes on.
fn observer() -> Arc<dyn Observer> {
    Arc::new(progress::Teller)
}

/// How sources are opened, of which one thing is asked.
fn options(strict: bool) -> Options {
    Options { strict, is_for_one_question: true, observer: observer(), ..Options::default() }
}

/// Opens a source.
fn analyse(location: Location, strict: bool) -> Result<Analysis> {
    Analysis::with(&[location], options(strict))
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    match completions::answer() {
        Ok(false) => {}
        Ok(true) => return ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("gotrace: {error}"));
            return ExitCode::FAILURE;
        }
    }
    let words = match words::words() {
        Ok(words) => words,
        Err(what) => {
            say(&format!("gotrace: {what}"));
            return ExitCode::from(2);
        }
    };
    let arguments = match Arguments::try_parse_from(words.all) {
        Ok(arguments) => arguments,
        Err(mut error) => {
            // That an unknown option may be meant as a value behind '--' is nearly never so.
            if error.kind() == ErrorKind::UnknownArgument
                && error.get(ContextKind::SuggestedArg).is_none()
            {
                error.remove(ContextKind::Suggested);
            }
            // Help and version go to standard output with status 0, the rest to standard error
            // with status 2.
            let status = error.exit_code();
            let is_plain =
                |word: OsString| terminal::shown(&word.to_string_lossy()) == word.to_string_lossy();
            let printed = match std::env::args_os().all(is_plain) {
                true => error.print(),
                // It repeats what the user typed, or had completed; colours are not worth it then.
                false => write!(terminal::messages(), "{}", error.render()),
            };
            return match printed {
                Ok(()) => ExitCode::from(status as u8),
                Err(_) => ExitCode::SUCCESS,
            };
        }
    };
    // A server goes on for everybody else: a statement that nothing stops costs it a thread.
    if !matches!(arguments.command, Command::Web(_)) {
        crate::store::set_last_resort(|what| {
            say(&format!("gotrace: {what}"));
            std::process::exit(1);
        });
    }
    signals::listen();
    let done = match arguments.command {
        Command::Ingest(arguments) => ingest::run(&arguments),
        Command::Query(arguments) => query::run(&arguments),
        Command::Queries(arguments) => queries::run(&arguments),
        Command::Sql(arguments) => shell::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Info(arguments) => info::run(&arguments),
        Command::Events(arguments) => events::run(&arguments),
        Command::Profile(arguments) => profile::run(&arguments),
        Command::Web(arguments) => web::run(&arguments),
        Command::Open(arguments) => open::run(&arguments),
        Command::Export(command) => export::run(&command),
        Command::Completions { shell } => completions::run(shell),
        Command::Man(arguments) => manual::run(&arguments),
    };
    if words.is_guess && done.is_ok() {
        say("gotrace: that was 'gotrace report'; 'gotrace --help' lists what else there is to ask");
    }
    match done {
        Ok(()) | Err(Error::BrokenPipe) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("gotrace: {error}"));
            ExitCode::from(if matches!(error, Error::Usage(_)) { 2 } else { 1 })
        }
    }
}

/// Prints a message. A standard error that is gone is no reason to fail.
fn say(message: &str) {
    let _ = writeln!(terminal::messages(), "{message}");
}
