//! `gotrace profile`.

mod options;
mod output;
mod prompt;
mod request;

pub use options::{ProfileArguments, from_pprof, is_of_pprof};

use super::{Error, Result, observer, say};
use crate::analysis::{PendingFile, Shown, ViewForm, find_view, view_names, write_view};
use crate::cli::terminal;
use crate::profile::{Config, Profile, Report, Threshold, View};
use crate::store::nearest;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

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
        let usage = |what: &str| Err(Error::Usage(what.into()));
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
        let (pattern, sources) = match shown.wants_pattern() {
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
    let config = arguments.config().map_err(Error::Usage)?;
    let thresholds: Vec<Threshold> = arguments
        .fail_if
        .iter()
        .map(|text| Threshold::parse(text))
        .collect::<std::result::Result<_, _>>()?;
    let Some(request) = arguments.request()? else {
        let profile = arguments.profile_request(&arguments.words, &config)?.load(&observer())?;
        // Conditions alone are a question with a yes or no.
        return match thresholds.is_empty() {
            true => prompt::run(profile, config),
            false => check(&thresholds, &profile, &config),
        };
    };
    // Before anything is recorded.
    let form = arguments.form(request.shown)?;
    let profile = arguments.profile_request(request.sources, &config)?.load(&observer())?;
    Threshold::check_units(&thresholds, &profile, &config)?;
    let checked = match thresholds.is_empty() {
        true => None,
        false => Some(profile.clone()),
    };
    let view = request.shown.view();
    let report = new_report(profile, view, request.pattern, &config)?;
    let mut target = arguments.output.clone();
    if target.is_none() && std::io::stdout().is_terminal() {
        target = output::name_away_from_terminal(view, form).map(PathBuf::from);
        if let Some(target) = &target {
            say(&format!("Generating report in {}", target.display()));
        }
    }
    write(arguments, report, request.shown, form, target.as_deref())?;
    match checked {
        Some(profile) => check(&thresholds, &profile, &config),
        None => Ok(()),
    }
}

fn write(
    arguments: &ProfileArguments,
    report: Report,
    shown: Shown,
    form: ViewForm,
    target: Option<&Path>,
) -> Result<()> {
    match target {
        None => {
            let mut out = BufWriter::new(terminal::output());
            write_view(report, shown, form, &arguments.flame(), &mut out)
        }
        Some(path) => {
            let file = PendingFile::new(path, arguments.force)?;
            let mut out = BufWriter::new(File::create(file.path())?);
            write_view(report, shown, form, &arguments.flame(), &mut out)?;
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
    config: &Config,
) -> Result<Report> {
    let report = Report::new(profile, view, pattern, config).map_err(Error::Failed)?;
    for message in &report.messages {
        say(&format!("gotrace: {message}"));
    }
    Ok(report)
}

/// Fails if a condition holds.
fn check(thresholds: &[Threshold], profile: &Profile, config: &Config) -> Result<()> {
    let mut messages = Vec::new();
    let broken = Threshold::broken_of(thresholds, profile, config, &mut messages);
    for message in messages {
        say(&format!("gotrace: {message}"));
    }
    match broken? {
        broken if broken.is_empty() => Ok(()),
        broken => Err(Error::Failed(broken.join("\ngotrace: "))),
    }
}
