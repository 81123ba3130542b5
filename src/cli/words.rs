//! The words of the command line, before they are parsed: what people type who know `go tool trace`, `go tool
//! pprof` or nothing yet is what they mean, or the error says the right words.

use super::{Arguments, Command, profile};
use crate::analysis::{find_view, is_host_and_port, view_names};
use crate::store::{canned_queries, nearest};
use clap::{CommandFactory, Subcommand};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The words of a command line.
pub struct Words {
    /// The words, the program's name first.
    pub all: Vec<OsString>,
    /// Whether only sources were named, and the command is our guess.
    pub is_guess: bool,
}

/// The words that this process was started with. The error is for users.
pub fn words() -> Result<Words, String> {
    // SQL may begin with a comment, which is no option; a space before it makes no difference.
    let is_comment = |text: &str| {
        text.strip_prefix("--").is_some_and(|rest| rest.starts_with([' ', '\t', '\n']))
    };
    let typed = std::env::args_os().map(|word| match word.to_str() {
        Some(text) if is_comment(text) => format!(" {text}").into(),
        _ => word,
    });
    let mut words = meant(typed.collect())?;
    if words.all.len() >= 3 && words.all[1] == "profile" {
        words.all = pprof(&words.all)?;
    }
    Ok(words)
}

/// Puts the command in front of what is meant by it.
fn meant(mut words: Vec<OsString>) -> Result<Words, String> {
    let known = |words| Ok(Words { all: words, is_guess: false });
    let Some(first) = words.get(1).and_then(|word| word.to_str()) else { return known(words) };
    let first = first.to_owned();
    if first == "help"
        || Command::has_subcommand(&first)
        || matches!(&*first, "-h" | "--help" | "-V" | "--version")
    {
        return known(words);
    }
    let has_more = words.len() > 2;
    if first.starts_with('-') && first != "-" {
        let option = first.trim_start_matches('-');
        let (option, value) = option.split_once('=').unwrap_or((option, ""));
        if let Some(right) = of_trace(option, value) {
            return Err(format!("{first}: as in go tool trace; here it is '{right}'"));
        }
        // As for go tool pprof; its options are looked at there.
        if has_more && profile::is_of_pprof(option) {
            words.insert(1, "profile".into());
        }
        return known(words);
    }
    // `go tool trace` and `go tool pprof` without their first words.
    if let (true, Some(command)) = (has_more, command_of_tool(&first)) {
        words[1] = command.into();
        return known(words);
    }
    let is_query = canned_queries().iter().any(|query| query.name == first);
    if has_more && is_query {
        words.splice(1..3, ["query".into(), words[2].clone(), words[1].clone()]);
        return known(words);
    }
    if has_more && find_view(&first).is_some() {
        words.insert(1, "profile".into());
        return known(words);
    }
    if is_source(OsStr::new(&first)) {
        words.insert(1, "report".into());
        // What stands behind an option may be its value.
        let sources = words[2..].iter().take_while(|word| is_source(word)).count();
        if sources > 1 {
            return Err(format!(
                "a report is of one source, here are {sources}; 'gotrace ingest ... -o all.db' puts several into \
                 one database"
            ));
        }
        return Ok(Words { all: words, is_guess: true });
    }
    if is_query || find_view(&first).is_some() {
        return Err(format!("{first} of what? Name a source behind it"));
    }
    if first.contains(['.', '/', '\\']) {
        return Err(format!("{first}: no such file"));
    }
    let queries = canned_queries().iter().map(|query| query.name);
    let commands = Arguments::command();
    let mut candidates: Vec<String> =
        commands.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    candidates.extend(queries.chain(view_names()).map(String::from));
    let hint = nearest(&first, candidates.iter().map(String::as_str)).map_or_else(
        || "gotrace --help lists the commands".to_owned(),
        |name| format!("did you mean '{name}'?"),
    );
    Err(format!("{first}: no such file, and no command, query or view; {hint}"))
}

/// What an option of `go tool trace` is here.
fn of_trace(option: &str, value: &str) -> Option<String> {
    Some(match (option, value) {
        ("d", "parsed") => "gotrace events SOURCE".into(),
        ("d", "wire") => "gotrace events --wire SOURCE".into(),
        ("d", "footprint") => "gotrace info -f footprint SOURCE".into(),
        ("pprof", "net" | "sync" | "syscall" | "sched") => {
            format!("gotrace export pprof --type {value} SOURCE")
        }
        _ => return None,
    })
}

fn command_of_tool(word: &str) -> Option<&'static str> {
    match word {
        "trace" => Some("report"),
        "pprof" => Some("profile"),
        _ => None,
    }
}

/// Whether a word names a source: a file that there is, standard input, a URL, a server.
fn is_source(word: &OsStr) -> bool {
    word == "-"
        || word.to_str().is_some_and(|text| text.contains("://") || is_host_and_port(text))
        || Path::new(word).exists()
}

/// The words of `gotrace profile`, which may be written as for go tool pprof.
fn pprof(words: &[OsString]) -> Result<Vec<OsString>, String> {
    // A word that is not UTF-8 can only name a file. A number stands in for it, behind a letter that
    // no word has.
    let texts = words.iter().enumerate().skip(2).map(|(index, word)| match word.to_str() {
        Some(text) => text.to_owned(),
        None => format!("\0{index}"),
    });
    let back = |text: String| match text.strip_prefix('\0').and_then(|index| index.parse().ok()) {
        Some(index @ 0usize..) => words[index].clone(),
        None => text.into(),
    };
    let rest = profile::from_pprof(texts)?.into_iter().map(back);
    Ok(words[..2].iter().cloned().chain(rest).collect())
}
