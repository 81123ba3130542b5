//! Completion in the shell: commands, tables, columns, functions, names of queries.

use super::commands::COMMANDS;
use crate::cli::output::Format;
use crate::store::{RELATIONS, canned_queries};
use clap::ValueEnum;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};
use std::collections::BTreeSet;

/// The words of SQL that are worth completing.
const KEYWORDS: &[&str] = &[
    "select",
    "from",
    "where",
    "group",
    "order",
    "by",
    "having",
    "limit",
    "offset",
    "join",
    "left",
    "cross",
    "inner",
    "on",
    "using",
    "as",
    "and",
    "or",
    "not",
    "null",
    "is",
    "in",
    "like",
    "glob",
    "between",
    "exists",
    "case",
    "when",
    "then",
    "else",
    "end",
    "distinct",
    "union",
    "all",
    "with",
    "recursive",
    "materialized",
    "over",
    "partition",
    "desc",
    "asc",
    "explain",
    "values",
];

/// What can stand at a place.
pub struct Words {
    functions: Vec<String>,
}

impl Words {
    /// The words of a database with these functions.
    pub fn new(functions: Vec<String>) -> Words {
        Words { functions }
    }

    /// Where the word before the cursor begins, and what it can become.
    pub fn complete(&self, line: &str, cursor: usize) -> (usize, Vec<String>) {
        let before = &line[..cursor];
        if before.trim_start().starts_with('.') {
            return complete_command(before);
        }
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let start = before.trim_end_matches(is_part).len();
        let word = &before[start..];
        let mut found: Vec<String> = Vec::new();
        let mut add = |candidates: &mut dyn Iterator<Item = &str>| {
            let mut matching: Vec<String> = candidates
                .filter(|candidate| begins_with(candidate, word))
                .filter(|candidate| !found.iter().any(|known| known == candidate))
                .map(str::to_owned)
                .collect();
            matching.sort();
            matching.dedup();
            found.extend(matching);
        };
        let head = before[..start].trim_end();
        let last = head.rsplit(|c: char| !is_part(c)).next().unwrap_or("").to_ascii_lowercase();
        if before[..start].ends_with('.') {
            // Behind `goroutines.` or an alias of it.
            add(&mut columns_of(before, &before[..start - 1]).into_iter());
        } else if matches!(last.as_str(), "from" | "join") {
            add(&mut relations());
        } else if !word.is_empty() {
            add(&mut columns_in(line).into_iter());
            add(&mut relations());
            add(&mut self.functions.iter().map(String::as_str));
            add(&mut KEYWORDS.iter().copied());
            add(&mut columns().into_iter());
        }
        (start, found)
    }
}

fn begins_with(candidate: &str, word: &str) -> bool {
    candidate.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn relations() -> impl Iterator<Item = &'static str> {
    RELATIONS.iter().map(|relation| relation.name).filter(|name| !name.starts_with("raw_"))
}

fn columns() -> BTreeSet<&'static str> {
    RELATIONS.iter().flat_map(|relation| relation.columns).map(|column| column.name).collect()
}

/// The columns of the relations that a statement names.
fn columns_in(statement: &str) -> BTreeSet<&'static str> {
    let words: BTreeSet<&str> =
        statement.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    RELATIONS
        .iter()
        .filter(|relation| words.contains(relation.name))
        .flat_map(|relation| relation.columns)
        .map(|column| column.name)
        .collect()
}

/// The columns of the relation with a name or an alias; of all that the statement names if it is
/// unknown.
fn columns_of(statement: &str, qualified: &str) -> BTreeSet<&'static str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let name = &qualified[qualified.trim_end_matches(is_part).len()..];
    let words: Vec<&str> =
        statement.split_whitespace().map(|word| word.trim_matches(',')).collect();
    let aliased = words.windows(3).find_map(|three| match three {
        [relation, "as", alias] if *alias == name => Some(*relation),
        [relation, alias, _] if *alias == name => Some(*relation),
        _ => None,
    });
    let relation =
        RELATIONS.iter().find(|relation| relation.name == name || Some(relation.name) == aliased);
    match relation {
        Some(relation) => relation.columns.iter().map(|column| column.name).collect(),
        None => columns_in(statement),
    }
}

fn complete_command(before: &str) -> (usize, Vec<String>) {
    let start = before.rfind(char::is_whitespace).map_or(0, |space| space + 1);
    let word = &before[start..];
    let words: Vec<&str> = before[..start].split_whitespace().collect();
    let candidates: Vec<String> = match words[..] {
        [] => COMMANDS.iter().map(|command| command.name.to_owned()).collect(),
        [".run" | ".queries"] => canned_queries().iter().map(|query| query.name.into()).collect(),
        [".run", name, ..] => canned_queries()
            .iter()
            .filter(|query| query.name == name)
            .flat_map(|query| &query.parameters)
            .map(|parameter| format!("{}=", parameter.name))
            .collect(),
        [".schema" | ".tables"] => RELATIONS.iter().map(|relation| relation.name.into()).collect(),
        [".mode"] => Format::value_variants()
            .iter()
            .filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()))
            .collect(),
        [".timing"] => vec!["on".into(), "off".into()],
        [".help"] => COMMANDS.iter().map(|command| command.name.to_owned()).collect(),
        _ => Vec::new(),
    };
    let matching = candidates.into_iter().filter(|candidate| begins_with(candidate, word));
    (start, matching.collect())
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, words) = Words::complete(self, line, cursor);
        let pair = |word: String| Pair { display: word.clone(), replacement: word };
        Ok((start, words.into_iter().map(pair).collect()))
    }
}

impl Helper for Words {}
impl Highlighter for Words {}
impl Validator for Words {}
impl Hinter for Words {
    type Hint = String;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(line: &str) -> Vec<String> {
        Words::new(vec!["stack_leaf".into(), "stack_user".into()]).complete(line, line.len()).1
    }

    #[test]
    fn words_of_sql_are_completed_by_what_can_stand_there() {
        assert_eq!(complete("select * from gorout")[0], "goroutine_events");
        assert!(complete("select * from ").contains(&"goroutines".to_owned()));
        assert!(!complete("select * from r").iter().any(|name| name.starts_with("raw_")));
        assert_eq!(complete("select stack_u"), ["stack_user"]);
        assert_eq!(complete("SEL"), ["select_waits", "select"]);
        assert_eq!(complete("select swept_b"), ["swept_bytes"]);
        assert!(complete("select ").is_empty(), "nothing is offered for nothing");
        assert_eq!(complete("select g.goi from goroutines g where g.goi"), ["goid"]);
        assert_eq!(complete("select traces.gomax"), ["gomaxprocs"]);
    }

    #[test]
    fn commands_are_completed_with_what_they_take() {
        assert_eq!(complete(".sch"), [".schema"]);
        assert_eq!(complete(".run goroutines"), ["goroutines"]);
        assert_eq!(complete(".run locks sy"), ["system="]);
        assert_eq!(complete(".mode js"), ["json", "jsonl"]);
        assert_eq!(complete(".schema tas"), ["tasks"]);
        assert!(complete(".unknown x").is_empty());
    }
}
