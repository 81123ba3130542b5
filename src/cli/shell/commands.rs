//! The commands of the shell: lines that begin with a dot.

use super::Shell;
use crate::analysis::PendingFile;
use crate::cli::output::Format;
use crate::cli::queries;
use crate::cli::{Error, Result};
use crate::report::Report;
use crate::report::write::{self, Unstyled};
use crate::store::{RELATIONS, Relation, find_query, nearest};
use clap::ValueEnum;
use std::io::Write;
use std::path::Path;

/// A command.
pub struct Command {
    /// Its name, with the dot.
    pub name: &'static str,
    /// What it takes.
    arguments: &'static str,
    /// What it does.
    help: &'static str,
    run: fn(&mut Shell, &[&str]) -> Result<Next>,
}

/// What comes after a command.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// The next one.
    GoOn,
    /// The end.
    Quit,
}

/// All commands, as `.help` lists them.
pub static COMMANDS: &[Command] = &[
    Command {
        name: ".tables",
        arguments: "[PART]",
        help: "list the tables and views, or those with PART in their names",
        run: tables,
    },
    Command {
        name: ".schema",
        arguments: "[NAME]",
        help: "show the columns of a table or view, and what they mean; or of all",
        run: schema,
    },
    Command {
        name: ".queries",
        arguments: "[NAME]",
        help: "list the canned queries; or show one with its parameters, columns and SQL",
        run: show_queries,
    },
    Command {
        name: ".run",
        arguments: "NAME [PARAMETER=VALUE]...",
        help: "ask a canned query",
        run: run_query,
    },
    Command {
        name: ".report",
        arguments: "",
        help: "what the program did, and what is wrong with it",
        run: report,
    },
    Command {
        name: ".mode",
        arguments: "[FORMAT]",
        help: "format of results: table, csv, tsv, json, jsonl, markdown; without one, the usual",
        run: mode,
    },
    Command {
        name: ".output",
        arguments: "[--force] [FILE]",
        help: "write results into a file from now on; without one, to standard output again",
        run: output,
    },
    Command {
        name: ".timing",
        arguments: "on|off",
        help: "tell after each result how many rows it has and how long it took",
        run: timing,
    },
    Command { name: ".help", arguments: "", help: "this list", run: help },
    Command { name: ".quit", arguments: "", help: "leave (also Ctrl-D)", run: quit },
];

/// Runs a line that begins with a dot.
pub fn run(shell: &mut Shell, line: &str) -> Result<Next> {
    let words = words(line.trim().trim_end_matches(';'))?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some((&name, arguments)) = words.split_first() else { return Ok(Next::GoOn) };
    let name = if name == ".exit" { ".quit" } else { name };
    match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(shell, arguments),
        None => {
            let near = nearest(name, COMMANDS.iter().map(|command| command.name));
            let hint = near.map_or(".help lists the commands".into(), |near| {
                format!("did you mean '{near}'?")
            });
            Err(Error::Usage(format!("there is no command '{name}'; {hint}")))
        }
    }
}

/// The words of a line; quotes keep spaces together.
fn words(line: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(Error::Usage("a quote is not closed".into()));
    }
    words.extend(word);
    Ok(words)
}

fn refuse(command: &str) -> Error {
    let arguments = COMMANDS.iter().find(|one| one.name == command).map_or("", |one| one.arguments);
    Error::Usage(format!("want {command} {arguments}"))
}

fn tables(shell: &mut Shell, arguments: &[&str]) -> Result<Next> {
    let part = match arguments {
        [] => "",
        [part] => part,
        _ => return Err(refuse(".tables")),
    };
    // How the readable ones are stored is shown to those who ask for it.
    let is_shown = |relation: &&Relation| {
        relation.name.contains(part)
            && (part.starts_with("raw") || !relation.name.starts_with("raw_"))
    };
    let shown: Vec<&Relation> = RELATIONS.iter().filter(is_shown).collect();
    let width = shown.iter().map(|relation| relation.name.len()).max().unwrap_or(0);
    let mut out = shell.writer()?;
    for relation in shown {
        let doc = relation.doc.split_once(". ").map_or(relation.doc, |(first, _)| first);
        writeln!(out, "{:width$}  {}", relation.name, doc.trim_end_matches('.'))?;
    }
    Ok(Next::GoOn)
}

fn schema(shell: &mut Shell, arguments: &[&str]) -> Result<Next> {
    let relations: Vec<&Relation> = match arguments {
        [] => RELATIONS.iter().filter(|relation| !relation.name.starts_with("raw_")).collect(),
        [name] => vec![find_relation(name)?],
        _ => return Err(refuse(".schema")),
    };
    let mut out = shell.writer()?;
    for (index, relation) in relations.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let kind = if relation.is_table { "table" } else { "view" };
        writeln!(out, "{} ({kind}): {}", relation.name, relation.doc)?;
        let columns = relation.columns;
        let width = columns.iter().map(|column| column.name.len()).max().unwrap_or(0);
        let has_types = columns.iter().any(|column| !column.ty.is_empty());
        for column in columns {
            let ty = if has_types { format!("{:7}  ", column.ty) } else { String::new() };
            writeln!(out, "  {:width$}  {ty}{}", column.name, column.doc)?;
        }
    }
    Ok(Next::GoOn)
}

fn find_relation(name: &str) -> Result<&'static Relation> {
    RELATIONS.iter().find(|relation| relation.name == name).ok_or_else(|| {
        let near = nearest(name, RELATIONS.iter().map(|relation| relation.name));
        let hint =
            near.map_or(".tables lists them".into(), |near| format!("did you mean '{near}'?"));
        Error::Usage(format!("there is no table or view '{name}'; {hint}"))
    })
}

fn show_queries(shell: &mut Shell, arguments: &[&str]) -> Result<Next> {
    let mut out = shell.writer()?;
    match arguments {
        [] => queries::list(&mut out)?,
        [name] => queries::show(find_query(name)?, &mut out)?,
        _ => return Err(refuse(".queries")),
    }
    Ok(Next::GoOn)
}

fn run_query(shell: &mut Shell, arguments: &[&str]) -> Result<Next> {
    let Some((name, parameters)) = arguments.split_first() else { return Err(refuse(".run")) };
    let query = find_query(name)?;
    let mut given = Vec::new();
    for parameter in parameters {
        let Some((name, value)) = parameter.split_once('=') else {
            return Err(Error::Usage(format!("want PARAMETER=VALUE, got '{parameter}'")));
        };
        given.push((name.to_owned(), value.to_owned()));
    }
    shell.ask(|database, limits, output| database.canned(query, &given, limits, output))?;
    Ok(Next::GoOn)
}

fn report(shell: &mut Shell, arguments: &[&str]) -> Result<Next> {
    if !arguments.is_empty() {
        return Err(refuse(".report"));
    }
    shell.database.start(shell.limits)?;
    let report = Report::new(&shell.database, &shell.source, None)?;
    write::write_text(&report, None, &mut Unstyled(&mut *shell.writer()?))?;
    Ok(Next::GoOn)
}

fn mode(shell: &mut Shell, arguments: &[&str]) -> Result<Next> {
    shell.format = match arguments {
        [] => None,
        [name] => {
            let format = Format::from_str(name, true).map_err(|_| {
                Error::Usage(format!(
                    "there is no format '{name}'; there are table, csv, tsv, json, jsonl, markdown"
                ))
            })?;
            Some(format)
        }
        _ => return Err(refuse(".mode")),
    };
    Ok(Next::GoOn)
}

fn output(shell: &mut Shell, arguments: &[&str]) -> Result<Next> {
    let (path, force) = match arguments {
        [] | ["stdout"] => (None, false),
        ["--force", path] => (Some(path), true),
        [path] if !path.starts_with('-') => (Some(path), false),
        _ => return Err(refuse(".output")),
    };
    shell.close_output()?;
    if let Some(path) = path {
        let file = PendingFile::new(Path::new(path), force)?;
        shell.open_output(file)?;
    }
    Ok(Next::GoOn)
}

fn timing(shell: &mut Shell, arguments: &[&str]) -> Result<Next> {
    shell.has_timing = match arguments {
        ["on"] => true,
        ["off"] => false,
        _ => return Err(refuse(".timing")),
    };
    Ok(Next::GoOn)
}

fn help(shell: &mut Shell, _: &[&str]) -> Result<Next> {
    let usage = |command: &Command| format!("{} {}", command.name, command.arguments);
    let width = COMMANDS.iter().map(|command| usage(command).len()).max().unwrap_or(0);
    let mut out = shell.writer()?;
    for command in COMMANDS {
        writeln!(out, "{:width$}  {}", usage(command), command.help)?;
    }
    writeln!(out, "\nAnything else is SQL: a statement ends with ';' and may have several lines.")?;
    writeln!(out, "Tab completes, arrows bring back what was typed before, Ctrl-C stops a query.")?;
    Ok(Next::GoOn)
}

fn quit(_: &mut Shell, _: &[&str]) -> Result<Next> {
    Ok(Next::Quit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_words_together() {
        assert_eq!(words(" .run a  name='x y' \"\" ").unwrap(), [".run", "a", "name=x y", ""]);
        assert!(words(".run 'a").is_err());
    }
}
