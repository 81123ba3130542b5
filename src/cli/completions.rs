//! `gotrace completions`: what shells offer when Tab is pressed.
//!
//! The script of a shell asks this program, with the variable [`ASKED`] set and the words typed so far. So it
//! offers what depends on them, and the script stays right when the program changes. What is offered stands in
//! a copy of the command line's description that nothing else is parsed with: a word that is not offered may
//! be SQL, or a file.

use super::{Arguments, Error, Result};
use crate::analysis::{find_view, view_names};
use crate::cli::terminal;
use crate::store::{CannedQuery, RELATIONS, canned_queries};
use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};
use clap_complete::env::{CompleteEnv, Shells};
use std::any::TypeId;
use std::ffi::{OsStr, OsString};
use std::io::Write;

/// The variable by which a script asks: the name of its shell.
const ASKED: &str = "GOTRACE_COMPLETE";

/// Writes the script of a shell.
pub fn run(shell: clap_complete::Shell) -> Result<()> {
    let shells = Shells::builtins();
    let completer = shells
        .completer(&shell.to_string())
        .ok_or_else(|| Error::Failed(format!("{shell}: there are no completions for it")))?;
    // Into memory first: a reader of a pipe that has gone is no failure of the script.
    let mut script = Vec::new();
    completer.write_registration(ASKED, "gotrace", "gotrace", "gotrace", &mut script)?;
    Ok(terminal::output().write_all(&script)?)
}

/// Answers the script of a shell, if it is what started this process. Whether it was.
pub fn answer() -> Result<bool> {
    let folder = std::env::current_dir().ok();
    CompleteEnv::with_factory(|| offering(Arguments::command()).arg(source()))
        .var(ASKED)
        .try_complete(std::env::args_os(), folder.as_deref())
        .map_err(|error| Error::Failed(error.to_string()))
}

/// A command and those below it, with what can be offered for their arguments.
fn offering(mut command: Command) -> Command {
    let below: Vec<String> = command.get_subcommands().map(|one| one.get_name().into()).collect();
    for name in &below {
        command = command.mut_subcommand(name, offering);
    }
    let name = command.get_name().to_owned();
    command.mut_args(|arg| match (&*name, arg.get_id().as_str()) {
        ("query", "query") | ("queries", "name") => arg.add(names(queries)),
        ("query", "parameters") => arg.add(names(parameters)),
        ("csv" | "jsonl", "table") => arg.add(names(relations)),
        ("man", "words") => arg.add(names(commands)),
        ("profile", "words") => arg.add(ArgValueCompleter::new(ViewOrSource)),
        // What names a source may be a URL as well, so only some of its values are paths.
        _ if arg.get_value_parser().type_id() == TypeId::of::<OsString>() => {
            arg.value_hint(ValueHint::AnyPath)
        }
        _ => arg,
    })
}

/// The source in `gotrace FILE`, and behind the name of a query or view in place of a command.
fn source() -> Arg {
    Arg::new("source").num_args(0..).hide(true).add(ArgValueCompleter::new(|word: &OsStr| {
        let is_first = before().len() < 2;
        // All files beside all commands would be too many.
        if is_first && word.is_empty() { Vec::new() } else { PathCompleter::any().complete(word) }
    }))
}

/// Offers names, with what they mean.
fn names(all: impl Fn() -> Vec<(String, String)> + Send + Sync + 'static) -> ArgValueCompleter {
    ArgValueCompleter::new(move |word: &OsStr| offered(all(), word))
}

/// Those names that begin as a word does.
fn offered(names: Vec<(String, String)>, word: &OsStr) -> Vec<CompletionCandidate> {
    let Some(word) = word.to_str() else { return Vec::new() };
    let fitting = names.into_iter().filter(|(name, _)| name.starts_with(word));
    fitting.map(|(name, doc)| CompletionCandidate::new(name).help(Some(doc.into()))).collect()
}

fn queries() -> Vec<(String, String)> {
    let of = |query: &CannedQuery| (query.name.into(), query.title.to_string());
    canned_queries().iter().map(of).collect()
}

/// The parameters of the query that was typed, whose values are yet to come.
fn parameters() -> Vec<(String, String)> {
    let words = all();
    let is_named = |query: &&CannedQuery| words.iter().skip(2).any(|word| word == query.name);
    let parameters = canned_queries().iter().filter(is_named).flat_map(|query| &query.parameters);
    parameters.map(|one| (format!("{}=", one.name), one.doc.to_string())).collect()
}

fn relations() -> Vec<(String, String)> {
    RELATIONS.iter().map(|relation| (relation.name.into(), relation.doc.into())).collect()
}

fn commands() -> Vec<(String, String)> {
    let about = |one: &Command| one.get_about().map(ToString::to_string).unwrap_or_default();
    let of = |one: &Command| (one.get_name().to_owned(), about(one));
    Arguments::command().get_subcommands().map(of).collect()
}

/// The words of `gotrace profile`: a view at first, files.
struct ViewOrSource;

impl ValueCompleter for ViewOrSource {
    fn complete(&self, word: &OsStr) -> Vec<CompletionCandidate> {
        let has_view = before()
            .iter()
            .skip(2)
            .any(|word| word.to_str().is_some_and(|word| find_view(word).is_some()));
        let views = view_names().filter(|_| !has_view);
        let views = views.map(|view| (view.to_owned(), String::new())).collect();
        let mut all = offered(views, word);
        all.extend(PathCompleter::any().complete(word));
        all
    }
}

/// The words of the command line that is being typed, the program first.
fn all() -> Vec<OsString> {
    std::env::args_os().skip_while(|word| word != "--").skip(1).collect()
}

/// Those before the one that is completed: the last, unless the shell says which.
fn before() -> Vec<OsString> {
    let mut words = all();
    let index = std::env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
    words.truncate(index.unwrap_or(words.len().saturating_sub(1)));
    words
}
