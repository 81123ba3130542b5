//! `gotrace man`: the manual, a page for each command.

use super::{Arguments, Error, Result};
use crate::analysis::PendingFile;
use crate::cli::terminal;
use crate::store::nearest;
use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct ManualArguments {
    /// Print the page of this command, such as query or export perfetto, and not that of gotrace
    #[arg(value_name = "COMMAND")]
    words: Vec<String>,
    /// Write the pages of all commands into this folder
    #[arg(short, long, value_name = "DIR", conflicts_with = "words")]
    output: Option<PathBuf>,
    /// Overwrite pages even if gotrace did not write them
    #[arg(long, requires = "output")]
    force: bool,
}

pub fn run(arguments: &ManualArguments) -> Result<()> {
    // The command that clap itself adds has no page.
    let mut command = Arguments::command().disable_help_subcommand(true);
    // Gives the commands their names from the first word on.
    command.build();
    match &arguments.output {
        Some(folder) => write_all(&command, folder, arguments.force),
        None => {
            let page = page(find(&command, &arguments.words)?)?;
            Ok(terminal::output().write_all(&page)?)
        }
    }
}

/// The command that words name.
fn find<'a>(mut command: &'a Command, words: &[String]) -> Result<&'a Command> {
    for word in words {
        let Some(next) = command.find_subcommand(word) else {
            let whole = command.get_bin_name().unwrap_or_else(|| command.get_name());
            let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
            let hint = match nearest(word, names.iter().copied()) {
                Some(near) => format!("did you mean '{near}'?"),
                None if names.is_empty() => format!("{whole} has none below it"),
                None => format!("{whole} has {}", names.join(", ")),
            };
            return Err(Error::Usage(format!("{word}: no such command of {whole}; {hint}")));
        };
        command = next;
    }
    Ok(command)
}

fn page(command: &Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    // Commands have no version of their own.
    let source = format!("gotrace {}", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone()).source(source).render(&mut page)?;
    Ok(page)
}

/// Writes the pages of a command and of all below it. One that may not be overwritten fails before any is.
fn write_all(command: &Command, folder: &Path, force: bool) -> Result<()> {
    fs::create_dir_all(folder)
        .map_err(|error| Error::Failed(format!("{}: {error}", folder.display())))?;
    let mut pages = Vec::new();
    let mut commands = vec![command];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        let path = folder.join(Man::new(command.clone()).get_filename());
        let page = page(command)?;
        let pending = PendingFile::new(&path, force || is_own(&path, &page))?;
        fs::write(pending.path(), page)?;
        pages.push(pending);
    }
    pages.into_iter().try_for_each(PendingFile::keep)
}

/// Whether a file begins as a page does that this command wrote: up to the name of the command in its title,
/// behind which the version stands.
fn is_own(path: &Path, page: &[u8]) -> bool {
    let title = page.windows(4).position(|at| at == b"\n.TH");
    let Some(title) = title.map(|at| at + 1) else { return false };
    let name = page[title..].iter().position(|&byte| byte == b'"').unwrap_or(0);
    let mut start = vec![0; title + name];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start == page[..start.len()]
}
