//! `gotrace export`.

mod timeline;

use super::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum ExportCommand {
    /// A timeline for ui.perfetto.dev and trace_processor
    Perfetto(timeline::PerfettoArguments),
}

pub fn run(command: &ExportCommand) -> Result<()> {
    match command {
        ExportCommand::Perfetto(arguments) => timeline::perfetto(arguments),
    }
}
