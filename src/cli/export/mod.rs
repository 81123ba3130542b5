//! `gotrace export`.

pub mod pprof;
mod rows;
pub mod timeline;

use super::Result;
use super::output::Format;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum ExportCommand {
    /// A timeline for ui.perfetto.dev and trace_processor
    Perfetto(timeline::PerfettoArguments),
    /// A timeline for chrome://tracing, ui.perfetto.dev and speedscope.app
    Chrome(timeline::ChromeArguments),
    /// Profiles of where goroutines spend time, for go tool pprof and the like
    Pprof(pprof::PprofArguments),
    /// All rows of a table or view as comma-separated values
    Csv(rows::RowsArguments),
    /// All rows of a table or view as JSON objects, one a line
    Jsonl(rows::RowsArguments),
    /// The ordered events, as gotrace events prints them
    Events(rows::EventFileArguments),
}

pub fn run(command: &ExportCommand) -> Result<()> {
    match command {
        ExportCommand::Perfetto(arguments) => timeline::perfetto(arguments),
        ExportCommand::Chrome(arguments) => timeline::chrome(arguments),
        ExportCommand::Pprof(arguments) => pprof::run(arguments),
        ExportCommand::Csv(arguments) => rows::table(arguments, Format::Csv),
        ExportCommand::Jsonl(arguments) => rows::table(arguments, Format::Jsonl),
        ExportCommand::Events(arguments) => rows::events(arguments),
    }
}
