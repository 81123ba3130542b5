//! `gotrace export`.

pub mod pprof;
pub mod timeline;

use super::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum ExportCommand {
    /// A timeline for ui.perfetto.dev and trace_processor
    Perfetto(timeline::PerfettoArguments),
    /// A timeline for chrome://tracing, ui.perfetto.dev and speedscope.app
    Chrome(timeline::ChromeArguments),
    /// Profiles of where goroutines spend time, for go tool pprof and the like
    Pprof(pprof::PprofArguments),
}

pub fn run(command: &ExportCommand) -> Result<()> {
    match command {
        ExportCommand::Perfetto(arguments) => timeline::perfetto(arguments),
        ExportCommand::Chrome(arguments) => timeline::chrome(arguments),
        ExportCommand::Pprof(arguments) => pprof::run(arguments),
    }
}
