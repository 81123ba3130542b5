//! `gotrace info`.

mod page;
mod profile;

use super::locate::SourceOptions;
use super::progress::say_damage;
use super::{Error, Result, analyse};
use crate::analysis::info::Info;
use crate::analysis::refuse_loss;
use crate::cli::terminal;
use crate::export::footprint_text;
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::io::Write;

#[derive(Args)]
pub struct InfoArguments {
    /// Trace, profile or database to describe
    source: OsString,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = InfoFormat::Table)]
    format: InfoFormat,
    /// Overwrite FILE
    #[arg(long)]
    force: bool,
    /// Fail if any part of a trace cannot be read
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    options: SourceOptions,
}

/// Output formats of `info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InfoFormat {
    /// A page for people
    Table,
    /// One object; docs/info-json.md lists the keys
    Json,
    /// Bytes and count of each wire event, as go tool trace -d=footprint prints them
    Footprint,
}

pub fn run(arguments: &InfoArguments) -> Result<()> {
    let location = arguments.options.locate(&arguments.source, arguments.force)?;
    for info in analyse(location.clone(), arguments.strict)?.info()? {
        match (arguments.format, &info) {
            (InfoFormat::Json, info) => {
                let mut out = terminal::output();
                serde_json::to_writer_pretty(&mut out, &info.json())
                    .map_err(std::io::Error::from)?;
                out.write_all(b"\n")?;
            }
            (InfoFormat::Table, Info::Trace(info)) => page::trace(info)?,
            (InfoFormat::Table, Info::Profile(info)) => profile::profile(info)?,
            (InfoFormat::Table, Info::Database(info)) => page::database(info)?,
            (InfoFormat::Footprint, Info::Trace(info)) => {
                let Some(footprint) = &info.footprint else {
                    return Err(Error::Failed(format!(
                        "{location}: {} has no such figures; traces of Go 1.22 and later have",
                        info.version
                    )));
                };
                let text = footprint_text(footprint, info.version, info.size_bytes);
                terminal::output().write_all(text.as_bytes())?;
                // The page shows them, and so does the JSON.
                say_damage(&location, &info.diagnostics);
            }
            (InfoFormat::Footprint, Info::Profile(_)) => {
                return Err(Error::Usage(format!(
                    "{location}: a profile has no events; -f footprint is for traces"
                )));
            }
            (InfoFormat::Footprint, Info::Database(_)) => {
                return Err(Error::Usage(format!(
                    "{location}: a database does not have these figures; name the trace itself"
                )));
            }
        }
        if let Info::Trace(info) = &info {
            refuse_loss(arguments.strict && info.diagnostics.has_loss(), &location, "")?;
        }
    }
    Ok(())
}
