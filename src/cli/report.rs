//! `gotrace report`.

use super::limits::LimitOptions;
use super::locate::SourceOptions;
use super::{Result, options, say};
use crate::analysis::{Analysis, Options, PendingFile, is_recorded};
use crate::cli::terminal;
use crate::report::write::{self, Styled, Unstyled};
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct ReportArguments {
    /// Database or trace to look at
    source: OsString,
    /// Output format; by default what FILE ends in, else text
    #[arg(short, long, value_enum)]
    format: Option<Form>,
    /// The same as -f html
    #[arg(long, conflicts_with = "format")]
    html: bool,
    /// File to write; standard output without it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite FILE
    ///
    /// A page that gotrace made is overwritten without it.
    #[arg(long)]
    force: bool,
    /// When there are colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = terminal::Color::Auto)]
    color: terminal::Color,
    /// Only this trace of a database, by its row in the table traces
    #[arg(long, value_name = "N")]
    trace: Option<i64>,
    /// Longest time it may take to ask the database, 0 for no limit
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    timeout: String,
    #[command(flatten)]
    limits: LimitOptions,
    /// Fail if any part of a trace cannot be read
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    options: SourceOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For a terminal
    Text,
    /// For an issue or a wiki
    Markdown,
    /// For scripts
    Json,
    /// A page with plots, one file that needs no other
    Html,
}

impl ReportArguments {
    fn form(&self) -> Form {
        let ending = || self.output.as_ref()?.extension()?.to_str();
        match (self.format, ending()) {
            (Some(format), _) => format,
            _ if self.html => Form::Html,
            (None, Some("html" | "htm")) => Form::Html,
            (None, Some("md")) => Form::Markdown,
            (None, Some("json")) => Form::Json,
            _ => Form::Text,
        }
    }
}

pub fn run(arguments: &ReportArguments) -> Result<()> {
    let limits = arguments.limits.limits(&arguments.timeout, 0)?;
    let location = arguments.options.locate(&arguments.source, arguments.force)?;
    let is_recorded = is_recorded(&location);
    let options = Options { limits, ..options(arguments.strict) };
    let report = Analysis::with(&[location], options)?.report(arguments.trace)?;
    if is_recorded {
        say("gotrace: the commands below record anew; --save FILE keeps this recording");
    }
    let form = arguments.form();
    let write = |width: Option<usize>, out: &mut dyn Styled| match form {
        Form::Html => write::write_html(&report, out),
        Form::Text => write::write_text(&report, width, out),
        Form::Markdown => write::write_markdown(&report, out),
        Form::Json => write::write_json(&report, out),
    };
    let Some(target) = &arguments.output else {
        if form == Form::Html {
            terminal::refuse_terminal("an HTML page", "-o FILE")?;
        }
        let width = terminal_size::terminal_size().filter(|_| io::stdout().is_terminal());
        // Lines that are longer than that are hard to read.
        let width = width.map(|(width, _)| usize::from(width.0).clamp(60, 160));
        let mut out = BufWriter::new(terminal::painted_output(arguments.color));
        write(width, &mut out)?;
        return Ok(out.flush()?);
    };
    let file = PendingFile::new(target, arguments.force || is_own_page(target))?;
    let mut out = BufWriter::new(File::create(file.path())?);
    write(None, &mut Unstyled(&mut out))?;
    out.flush()?;
    drop(out);
    file.keep()
}

/// Whether a file is a page that this command wrote. Text and Markdown have no mark.
fn is_own_page(path: &Path) -> bool {
    let mut start = vec![0; write::HTML_START.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start == write::HTML_START.as_bytes()
}
