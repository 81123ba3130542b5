//! `gotrace profile`.

mod database;
mod database_trace;
mod json;
mod load;
mod options;
mod output;
mod pictures;
mod prompt;
mod threshold;

pub use options::{ProfileArguments, from_pprof, is_of_pprof};

use super::files::PendingFile;
use super::{CliError, Result, say};
use crate::cli::terminal;
use crate::profile::{Profile, Report, View};
use crate::store::nearest;
use options::ProfileFormat;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use threshold::Threshold;

/// What the user can ask for: pprof's views, and pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A view of pprof.
    Report(View),
    /// The graph of calls as a picture.
    Graph,
    /// A flame graph.
    Flame,
}

/// The views by name.
const VIEWS: [(&str, Shown); 17] = [
    ("callgrind", Shown::Report(View::Callgrind)),
    ("comments", Shown::Report(View::Comments)),
    ("dot", Shown::Report(View::Dot)),
    ("flame", Shown::Flame),
    ("folded", Shown::Report(View::Folded)),
    ("graph", Shown::Graph),
    ("list", Shown::Report(View::List)),
    ("peek", Shown::Report(View::Peek)),
    ("proto", Shown::Report(View::Proto)),
    ("raw", Shown::Report(View::Raw)),
    ("svg", Shown::Graph),
    ("tags", Shown::Report(View::Tags)),
    ("text", Shown::Report(View::Top)),
    ("top", Shown::Report(View::Top)),
    ("topproto", Shown::Report(View::TopProto)),
    ("traces", Shown::Report(View::Traces)),
    ("tree", Shown::Report(View::Tree)),
];

/// The view with this name.
pub fn find_view(name: &str) -> Option<Shown> {
    VIEWS.iter().find(|(known, _)| *known == name).map(|(_, shown)| *shown)
}

/// The names of the views.
pub fn view_names() -> impl Iterator<Item = &'static str> {
    VIEWS.iter().map(|(name, _)| *name)
}

/// Whether a view is of the functions that match a pattern.
pub fn wants_pattern(shown: Shown) -> bool {
    matches!(shown, Shown::Report(View::Peek | View::List))
}

/// What was asked for on the command line.
struct Request<'a> {
    shown: Shown,
    pattern: Option<&'a str>,
    sources: &'a [OsString],
}

impl ProfileArguments {
    /// Tells view, pattern and sources apart; `None` without a view.
    fn request(&self) -> Result<Option<Request<'_>>> {
        let words = &self.words;
        let usage = |what: &str| Err(CliError::Usage(what.into()));
        let name = words[0].to_string_lossy();
        let Some(shown) = find_view(&name) else {
            let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if words.len() > 1 && is_name && !Path::new(&words[0]).exists() {
                let hint = nearest(&name, view_names()).map_or_else(
                    || format!("the views are {}", view_names().collect::<Vec<_>>().join(", ")),
                    |view| format!("did you mean '{view}'?"),
                );
                return usage(&format!(
                    "{name}: no such view of profiles, and no such file; {hint}"
                ));
            }
            return Ok(None);
        };
        let (pattern, sources) = match wants_pattern(shown) {
            true if words.len() < 2 => {
                return usage(&format!("{name} wants a pattern, then a source"));
            }
            true => match words[1].to_str() {
                Some(pattern) => (Some(pattern), &words[2..]),
                None => return usage("a pattern is UTF-8"),
            },
            false => (None, &words[1..]),
        };
        if sources.is_empty() {
            return usage(&format!("{name} of what? Name a source"));
        }
        Ok(Some(Request { shown, pattern, sources }))
    }
}

pub fn run(arguments: &ProfileArguments) -> Result<()> {
    let config = arguments.config().map_err(CliError::Usage)?;
    let thresholds: Vec<Threshold> =
        arguments.fail_if.iter().map(|text| Threshold::parse(text)).collect::<Result<_>>()?;
    let Some(request) = arguments.request()? else {
        let profile = load::load(arguments, &arguments.words, &config)?;
        // Conditions alone are a question with a yes or no.
        return match thresholds.is_empty() {
            true => prompt::run(profile, config),
            false => threshold::check(&thresholds, &profile, &config),
        };
    };
    let profile = load::load(arguments, request.sources, &config)?;
    threshold::check_units(&thresholds, &profile, &config)?;
    let checked = match thresholds.is_empty() {
        true => None,
        false => Some(profile.clone()),
    };
    let format = arguments.format.unwrap_or(match request.shown {
        Shown::Graph | Shown::Flame => ProfileFormat::Svg,
        _ => ProfileFormat::Text,
    });
    let view = match request.shown {
        Shown::Report(view) => view,
        Shown::Graph => View::Dot,
        Shown::Flame => View::Folded,
    };
    let report = new_report(profile, view, request.pattern, &config)?;
    let mut target = arguments.output.clone();
    if target.is_none() && std::io::stdout().is_terminal() {
        target = output::name_away_from_terminal(view, format).map(PathBuf::from);
        if let Some(target) = &target {
            say(&format!("Generating report in {}", target.display()));
        }
    }
    write(arguments, report, request.shown, format, target.as_deref())?;
    match checked {
        Some(profile) => threshold::check(&thresholds, &profile, &config),
        None => Ok(()),
    }
}

fn write(
    arguments: &ProfileArguments,
    report: Report,
    shown: Shown,
    format: ProfileFormat,
    target: Option<&Path>,
) -> Result<()> {
    match target {
        None => {
            let mut out = BufWriter::new(terminal::output());
            output::write(report, shown, format, &arguments.flame(), &mut out)
        }
        Some(path) => {
            let file = PendingFile::new(path, arguments.force)?;
            let mut out = BufWriter::new(File::create(file.path())?);
            output::write(report, shown, format, &arguments.flame(), &mut out)?;
            out.flush()?;
            drop(out);
            file.keep()
        }
    }
}

/// Prepares a report, and says what the options did not match.
fn new_report(
    profile: Profile,
    view: View,
    pattern: Option<&str>,
    config: &crate::profile::Config,
) -> Result<Report> {
    let report = Report::new(profile, view, pattern, config).map_err(CliError::Failed)?;
    for message in &report.messages {
        say(&format!("gotrace: {message}"));
    }
    Ok(report)
}
