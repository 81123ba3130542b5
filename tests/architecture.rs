//! What the documents say about the sources is so. A path in backticks names a file or a folder that is there. Names
//! in backticks behind the path of a file, with no more than spaces, commas and "and" between, are defined in it:
//! `Type::function` in a block of the type, `function`, `Type` or `CONSTANT` anywhere outside of its tests. Other
//! words in backticks are none of that.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The one about the sources.
const ARCHITECTURE: &str = "docs/architecture.md";

/// What its names are besides those of the sources: layers, events, Go's functions, relations, columns, types of profiles.
const OTHERS: &[&str] = &[
    "export",
    "profile",
    "store",
    "picture",
    "GoBlock",
    "GoUnblock",
    "advanceGoStopExec",
    "advanceGoUnblock",
    "goroutine_states",
    "raw_goroutine_states",
    "raw_goroutine_waits",
    "raw_goroutines",
    "raw_state_totals",
    "lock_ns",
    "states_at",
    "sync",
];

#[test]
fn files_and_what_they_define_are_there() {
    let mut problems = Vec::new();
    let mut named = 0;
    for document in documents() {
        let text = read(&document);
        for mention in mentions(&text) {
            let path = root().join(&mention.path);
            if !path.exists() {
                problems.push(format!("{document}: there is no {}", mention.path));
            } else if !mention.names.is_empty() {
                let source = read(&mention.path);
                let missing = mention.names.iter().filter(|name| !defines(&source, name));
                problems.extend(
                    missing.map(|name| format!("{document}: no {name} in {}", mention.path)),
                );
            }
            named += 1;
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(named > 150, "only {named} files are named in all documents");
    let about = mentions(&read(ARCHITECTURE));
    let names: BTreeSet<_> =
        about.iter().flat_map(|one| one.names.iter().map(|name| (&one.path, name))).collect();
    assert!(names.len() > 60, "only {} names are checked", names.len());
}

#[test]
fn every_folder_is_told_of() {
    let text = read(ARCHITECTURE);
    let mut folders = Vec::new();
    collect_folders(&root().join("src"), &mut folders);
    assert!(folders.len() > 25, "{folders:?}");
    let untold: Vec<_> =
        folders.iter().filter(|folder| !text.contains(&format!("`{folder}/`"))).collect();
    assert!(untold.is_empty(), "{ARCHITECTURE} does not tell of {untold:?}");
}

/// A name that stands far from the path of its file would be checked against nothing.
#[test]
fn names_stand_behind_their_file() {
    let text = read(ARCHITECTURE);
    let checked: usize = mentions(&text).iter().map(|mention| mention.names.len()).sum();
    let named: Vec<&str> = spans(&text)
        .into_iter()
        .map(|span| span.text)
        .filter(|text| is_name(text) && !OTHERS.contains(text))
        .collect();
    assert_eq!(
        named.len(),
        checked,
        "a name stands far from its file, or belongs to OTHERS: {named:?}"
    );
}

#[test]
fn documents_that_sources_name_are_there() {
    let mut files = Vec::new();
    for folder in ["src", "tests", "schema", "queries", "examples", "benches"] {
        collect_files(&root().join(folder), &["rs", "sql", "md"], &mut files);
    }
    let mut found = 0;
    let mut problems = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (at, _) in text.match_indices("docs/") {
            // What has folders in it is a part of a URL.
            let is_name = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            let rest = &text[at + "docs/".len()..];
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            if rest[end..].starts_with(".md") {
                found += 1;
                let document = format!("docs/{}.md", &rest[..end]);
                if !root().join(&document).exists() {
                    problems.push(format!("{}: there is no {document}", file.display()));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(found > 30, "only {found}");
}

#[test]
fn the_notation_is_read_and_what_is_not_there_is_found() {
    let text = "`src/a.rs` `A::b`, `c` and\n`D` but `e`; `src/b/` `f`\n```\n`src/no.rs`\n```\n`src/c.rs`'s `G`";
    let found = mentions(text);
    let found: Vec<(&str, Vec<&str>)> = found
        .iter()
        .map(|one| (one.path.as_str(), one.names.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(
        found,
        [("src/a.rs", vec!["A::b", "c", "D"]), ("src/b/", vec![]), ("src/c.rs", vec![])]
    );
    let source = "pub struct A {\n}\nimpl<'a, T: X> Sink for A<'a, T> {\n    pub(super) fn b<T>(\n}\nimpl B {\n    fn \
                  d() {\n    }\n}\nstatic S: u8 = 1;\npub trait E {\n    fn e();\n}\n#[cfg(test)]\nmod tests {\n    fn t() {}\n}\n";
    for name in ["A", "A::b", "B::d", "E::e", "S", "b"] {
        assert!(defines(source, name), "{name}");
    }
    for name in ["A::d", "B::b", "E::b", "C", "t", "B::S", "Sink::b", "a"] {
        assert!(!defines(source, name), "{name}");
    }
}

/// A file or a folder of `src/` that a document names, and what it is said to define.
struct Mention {
    path: String,
    names: Vec<String>,
}

/// A text between backticks, and where it stands, with them.
struct Span<'a> {
    text: &'a str,
    start: usize,
    end: usize,
}

/// The texts between backticks, those of blocks of code left out.
fn spans(text: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut is_code = false;
    let mut opened = None;
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("```") {
            (is_code, opened) = (!is_code, None);
        } else if !is_code {
            for (at, _) in line.match_indices('`') {
                let at = line_start + at;
                match opened.take() {
                    None => opened = Some(at),
                    Some(start) => {
                        spans.push(Span { text: &text[start + 1..at], start, end: at + 1 });
                    }
                }
            }
            if line.trim().is_empty() {
                opened = None;
            }
        }
        line_start += line.len();
    }
    spans
}

fn mentions(text: &str) -> Vec<Mention> {
    let mut mentions: Vec<Mention> = Vec::new();
    // Where names of the last path may go on.
    let mut goes_on_at = None;
    for span in spans(text) {
        let is_path = |c: char| c.is_ascii_alphanumeric() || "_/.".contains(c);
        if span.text.starts_with("src/") && span.text.chars().all(is_path) {
            mentions.push(Mention { path: span.text.into(), names: Vec::new() });
            goes_on_at = span.text.ends_with(".rs").then_some(span.end);
            continue;
        }
        let between = goes_on_at.take().map(|end: usize| text[end..span.start].trim());
        if matches!(between, Some("" | "," | "and" | ", and")) && is_name(span.text) {
            mentions.last_mut().expect("there is a path").names.push(span.text.into());
            goes_on_at = Some(span.end);
        }
    }
    mentions
}

/// Whether a text is a name, with the type it belongs to or without.
fn is_name(text: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    text.split("::").count() <= 2 && text.split("::").all(is_word)
}

/// Whether a source defines a name outside of its tests.
fn defines(source: &str, name: &str) -> bool {
    let source = source.split("\n#[cfg(test)]\nmod tests").next().unwrap_or(source);
    match name.split_once("::") {
        Some((of, function)) => {
            blocks(source).any(|(head, body)| is_of(head, of) && has(body, &["fn"], function))
        }
        None => has(source, &["fn", "struct", "enum", "trait", "type", "const", "static"], name),
    }
}

/// Blocks that begin in the first column, as the formatter lays them out: the first line, and the whole.
fn blocks(source: &str) -> impl Iterator<Item = (&str, &str)> {
    let starts = source.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(starts).filter_map(move |at| {
        let rest = &source[at..];
        let is_block = ["impl", "pub trait", "trait"].iter().any(|word| rest.starts_with(word));
        let block = &rest[..rest.find("\n}").unwrap_or(rest.len())];
        is_block.then(|| (block.split('{').next().unwrap_or(block), block))
    })
}

/// Whether a block is of a type: its own functions, those that a trait wants of it, or a trait's.
fn is_of(head: &str, name: &str) -> bool {
    let of = match head.rsplit_once(" for ") {
        Some((_, of)) => of,
        None if head.starts_with("impl<") => head.split_once("> ").map_or("", |(_, of)| of),
        None => head.trim_start_matches("pub ").split_once(' ').map_or("", |(_, of)| of),
    };
    let end = of.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(of.len());
    &of[..end] == name
}

/// Whether one of the words stands before the name.
fn has(source: &str, words: &[&str], name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    source.match_indices(name).any(|(at, _)| {
        let (before, behind) = (&source[..at], &source[at + name.len()..]);
        let word = before.strip_suffix(' ').map_or("", |before| {
            let start = before.rfind(|c| !is_word(c)).map_or(0, |at| at + 1);
            &before[start..]
        });
        let is_code = !before.rsplit('\n').next().unwrap_or("").contains("//");
        is_code && words.contains(&word) && !behind.starts_with(is_word)
    })
}

/// The documents, by their paths.
fn documents() -> Vec<String> {
    let mut files = Vec::new();
    collect_files(&root().join("docs"), &["md"], &mut files);
    let mut documents: Vec<String> = files
        .iter()
        .map(|file| file.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"))
        .collect();
    assert!(documents.len() > 15, "{documents:?}");
    documents.extend(["README.md", "CONTRIBUTING.md"].map(String::from));
    documents
}

fn collect_folders(folder: &Path, into: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            into.push(name);
            collect_folders(&path, into);
        }
    }
}

fn collect_files(folder: &Path, endings: &[&str], into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_files(&path, endings, into);
        } else if path.extension().is_some_and(|ending| endings.iter().any(|one| ending == *one)) {
            into.push(path);
        }
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
