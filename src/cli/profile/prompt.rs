//! The prompt: `gotrace profile SOURCE` without a view. Its commands are those of `go tool pprof`
//! (Go 1.27 pprof `internal/driver/interactive.go`).

use super::options::{ProfileArguments, missing, view_with_count};
use super::{Error, Result, new_report, output, say};
use crate::analysis::{Shown, VIEWS, ViewForm, find_view, write_view};
use crate::cli::terminal;
use crate::picture::FlameOptions;
use crate::profile::{Config, GRANULARITIES, OPTIONS, Profile, Report, View};
use clap::Args;
use std::fs::File;
use std::io::{self, BufRead, BufWriter, IsTerminal, Write};

const PROMPT: &str = "(gotrace) ";

/// Answers commands until the end of the input. On a terminal lines can be edited, recalled and
/// completed with the tab key.
pub fn run(profile: Profile, mut config: Config) -> Result<()> {
    config.compact_labels = true;
    let mut prompt = Prompt { profile, config };
    prompt.greet()?;
    if !io::stdin().is_terminal() {
        for line in io::stdin().lock().lines() {
            if !prompt.answer(&line?)? {
                break;
            }
        }
        return Ok(());
    }
    let failed = |error: rustyline::error::ReadlineError| Error::Failed(error.to_string());
    let mut editor =
        rustyline::Editor::<Words, rustyline::history::DefaultHistory>::new().map_err(failed)?;
    editor.set_helper(Some(Words { functions: prompt.functions() }));
    loop {
        match editor.readline(PROMPT) {
            Ok(line) => {
                let _ = editor.add_history_entry(&line);
                if !prompt.answer(&line)? {
                    return Ok(());
                }
            }
            Err(rustyline::error::ReadlineError::Interrupted) => {}
            Err(rustyline::error::ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(failed(error)),
        }
    }
}

struct Prompt {
    profile: Profile,
    config: Config,
}

/// A command with what stands behind it.
struct Command {
    shown: Shown,
    pattern: Option<String>,
    config: Config,
    output: Option<String>,
}

impl Prompt {
    /// Says what the profile is, where it does not mix with reports.
    fn greet(&self) -> Result<()> {
        let report = new_report(self.profile.clone(), View::Top, None, &self.config)?;
        say(&report.profile_labels().join("\n"));
        if report.total() == 0 && self.profile.sample_types.len() > 1 {
            say("No samples were found with the default sample value type.");
            say("Try the command sample_index to look at other values.");
        }
        say("Entering interactive mode (type \"help\" for commands, \"o\" for options)");
        Ok(())
    }

    fn functions(&self) -> Vec<String> {
        let profile = &self.profile;
        // The line editor writes to the terminal itself: no name is offered that would act there.
        let names = profile.functions.iter().map(|one| profile.text(one.name));
        names.filter(|name| terminal::shown(name) == *name).map(String::from).collect()
    }

    /// Does what a line says; `false` to leave. What is wrong is said, and the prompt goes on.
    fn answer(&mut self, line: &str) -> Result<bool> {
        for line in self.expanded(line.trim()) {
            match self.command(&line) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(Error::BrokenPipe) => return Err(Error::BrokenPipe),
                Err(error) => say(&error.to_string()),
            }
        }
        Ok(true)
    }

    /// Short forms: `:` clears the filters, a sample type chooses it.
    fn expanded(&self, line: &str) -> Vec<String> {
        if line == ":" {
            let filters = ["focus=", "ignore=", "hide=", "tagfocus=", "tagignore="];
            return filters.map(String::from).to_vec();
        }
        for name in self.profile.sample_type_names() {
            let choose = format!("sample_index={name}");
            if line == name {
                return vec![choose];
            } else if line.strip_prefix("total_") == Some(name) {
                return vec!["mean=0".into(), choose];
            } else if line.strip_prefix("mean_") == Some(name) {
                return vec!["mean=1".into(), choose];
            }
        }
        vec![line.to_owned()]
    }

    fn command(&mut self, line: &str) -> Result<bool> {
        let failed = Error::Failed;
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => {
                // What stands behind //: is a remark, as in the list of options.
                (name.trim(), Some(value.split("//:").next().unwrap_or(value).trim()))
            }
            None => (line, None),
        };
        if Config::is_option(name) {
            let Some(value) = value.or(Config::is_flag(name).then_some("true")) else {
                return Err(failed(format!("please specify a value, e.g. {name}=<val>")));
            };
            if name == "sample_index" {
                self.profile.sample_index(value).map_err(failed)?;
            }
            self.config.set(name, value).map_err(failed)?;
            return Ok(true);
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.first() {
            None => {}
            Some(&("quit" | "exit" | "q")) => return Ok(false),
            Some(&("o" | "options")) => self.options()?,
            Some(&"help") => help(words.get(1).copied())?,
            Some(_) => self.show(self.parse(&words)?)?,
        }
        Ok(true)
    }

    /// `top20 -cum main -runtime >file` (`interactive.go`, parseCommandLine).
    fn parse(&self, words: &[&str]) -> Result<Command> {
        let mut config = self.config.clone();
        let mut name = words[0];
        if let Some((plain, count)) = view_with_count(name)
            && let Ok(count) = count.parse()
        {
            config.nodecount = count;
            name = plain;
        }
        let Some(shown) = find_view(name) else {
            let unknown = || format!("unrecognized command: {name:?}; type \"help\" for commands");
            return Err(Error::Failed(missing(name).unwrap_or_else(unknown)));
        };
        let mut rest = words[1..].iter();
        let pattern = match (shown.wants_pattern(), rest.as_slice()) {
            (true, []) => {
                return Err(Error::Failed(format!("command {name} requires an argument")));
            }
            (true, _) => rest.next().map(|word| word.to_string()),
            (false, _) => None,
        };
        let (mut focus, mut ignore, mut output) = (Vec::new(), Vec::new(), None);
        while let Some(&word) = rest.next() {
            if let Ok(count) = word.parse::<i32>() {
                config.nodecount = count.into();
            } else if let Some(file) = word.strip_prefix('>') {
                let file = if file.is_empty() { rest.next().copied() } else { Some(file) };
                let what = "unexpected end of line after >";
                output = Some(file.ok_or(Error::Failed(what.into()))?.to_owned());
            } else if word == "-cum" || word == "--cum" {
                config.cum = true;
            } else if let Some(pattern) = word.strip_prefix('-') {
                ignore.push(pattern);
            } else {
                focus.push(word);
            }
        }
        let is_tags = shown == Shown::Report(View::Tags);
        let (focused, ignored) = match is_tags {
            true => (&mut config.tagfocus, &mut config.tagignore),
            false => (&mut config.focus, &mut config.ignore),
        };
        if !focus.is_empty() {
            *focused = focus.join("|");
        }
        if !ignore.is_empty() {
            *ignored = ignore.join("|");
        }
        if config.nodecount == -1 && shown == Shown::Report(View::Top) {
            config.nodecount = 10;
        }
        Ok(Command { shown, pattern, config, output })
    }

    fn show(&self, command: Command) -> Result<()> {
        let view = command.shown.view();
        let form = match command.shown {
            Shown::Report(_) => ViewForm::Text,
            Shown::Graph | Shown::Flame => ViewForm::Svg,
        };
        let pattern = command.pattern.as_deref();
        let report: Report = new_report(self.profile.clone(), view, pattern, &command.config)?;
        let flame = FlameOptions::default();
        let output = command.output.or_else(|| output::name_away_from_terminal(view, form));
        match output {
            None => {
                let mut out = BufWriter::new(terminal::output());
                write_view(report, command.shown, form, &flame, &mut out)
            }
            Some(path) => {
                say(&format!("Generating report in {path}"));
                let mut out = BufWriter::new(File::create(path)?);
                write_view(report, command.shown, form, &flame, &mut out)
            }
        }
    }

    fn options(&self) -> Result<()> {
        let types = self.profile.sample_type_names().join(" | ");
        let mut out = terminal::output();
        for name in OPTIONS {
            let value = self.config.get(name).unwrap_or_default();
            let (value, remark) = match name {
                "granularity" => {
                    let value = if value.is_empty() { "(default)".into() } else { value };
                    let mut choices = GRANULARITIES;
                    choices.sort_unstable();
                    (value, format!("[{}]", choices.join(" | ")))
                }
                "sort" => (value, "[cum | flat]".into()),
                "sample_index" => {
                    let index = self.profile.sample_index(&value).unwrap_or(0);
                    let kind = self.profile.sample_types.get(index).map(|kind| kind.kind);
                    let kind = kind.map_or("", |kind| self.profile.text(kind));
                    (kind.to_owned(), format!("[{types}]"))
                }
                "nodecount" if value == "-1" => (value, "default".into()),
                _ if value.is_empty() => ("\"\"".into(), String::new()),
                _ => (value, String::new()),
            };
            let remark = if remark.is_empty() { remark } else { format!("//: {remark}") };
            writeln!(out, "{}", format!("  {name:<25} = {value:<20} {remark}").trim_end())?;
        }
        Ok(())
    }
}

/// What an option does: its name as the command line has it, and its help.
fn option_help(name: &str) -> Option<(String, String)> {
    let command = ProfileArguments::augment_args(clap::Command::new("profile"));
    let argument = command.get_arguments().find(|argument| argument.get_id() == name)?;
    let value = match Config::is_flag(name) {
        true => String::new(),
        false => {
            let names = argument.get_value_names()?;
            format!("={}", names.first()?)
        }
    };
    Some((format!("{name}{value}"), argument.get_help()?.to_string()))
}

/// What each view shows, for help.
const HELP: [(&str, &str); 15] = [
    ("callgrind", "The graph for KCachegrind; into a file"),
    ("comments", "The remarks in the profile"),
    ("dot", "The graph in the language of graphviz"),
    ("flame", "A flame graph as SVG; into a file"),
    ("folded", "Stacks with their values, for flame graph tools"),
    ("graph", "The graph of calls as SVG; into a file"),
    ("list", "REGEX: source of the functions that match, with values"),
    ("peek", "REGEX: callers and callees of the functions that match"),
    ("proto", "The profile; into a file"),
    ("raw", "Everything in the profile"),
    ("tags", "[REGEX] [-REGEX]: labels and their values"),
    ("top", "[N] [REGEX] [-REGEX] [-cum]: functions with the largest values"),
    ("topproto", "The same as a profile; into a file"),
    ("traces", "Every sample"),
    ("tree", "[N] [REGEX] [-REGEX] [-cum]: functions with callers and callees"),
];

fn help(topic: Option<&str>) -> Result<()> {
    let mut out = terminal::output();
    if let Some(topic) = topic {
        if let Some((name, text)) = HELP.iter().find(|(name, _)| *name == topic) {
            return Ok(writeln!(out, "{name} {text}")?);
        }
        if let Some((form, text)) = option_help(topic).filter(|_| Config::is_option(topic)) {
            return Ok(writeln!(out, "{form}: {text}")?);
        }
        let unknown = || format!("unknown command: {topic}");
        return Err(Error::Failed(missing(topic).unwrap_or_else(unknown)));
    }
    writeln!(
        out,
        "Commands; words without - keep what matches, with - drop it, >FILE writes there:"
    )?;
    for (name, text) in HELP {
        writeln!(out, "  {name:<12} {text}")?;
    }
    writeln!(out, "  {:<12} The options and their values", "o, options")?;
    writeln!(out, "  {:<12} Clear focus, ignore, hide, tagfocus and tagignore", ":")?;
    writeln!(out, "  {:<12} Leave", "q, quit")?;
    writeln!(out, "Options, set with NAME=VALUE, flags also without a value:")?;
    for (form, text) in OPTIONS.iter().filter_map(|name| option_help(name)) {
        writeln!(out, "  {form:<25} {text}")?;
    }
    Ok(())
}

/// Completes commands and options, and behind them names of functions.
struct Words {
    functions: Vec<String>,
}

impl rustyline::completion::Completer for Words {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let line = &line[..at];
        let start = line.rfind([' ', '-', '=']).map_or(0, |space| space + 1);
        let word = &line[start..];
        let is_first = !line.contains([' ', '=']);
        let found = match is_first || line.starts_with("help ") {
            true => {
                let names =
                    VIEWS.iter().map(|(name, _)| *name).chain(OPTIONS).chain(["help", "quit"]);
                names.filter(|name| name.starts_with(word)).map(String::from).collect()
            }
            false => {
                let names = self.functions.iter().filter(|name| name.contains(word));
                names.take(100).cloned().collect()
            }
        };
        Ok((start, found))
    }
}

impl rustyline::hint::Hinter for Words {
    type Hint = String;
}
impl rustyline::highlight::Highlighter for Words {}
impl rustyline::validate::Validator for Words {}
impl rustyline::Helper for Words {}
