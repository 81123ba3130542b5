//! The folders of `src/` are layers: a layer imports only those to its left, and each outside crate
//! has its owners. What must be otherwise is named below, with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers in the direction of the data. Those of one row do not know each other.
const LAYERS: &[&[&str]] = &[
    &["diagnostic"],
    &["source"],
    &["wire"],
    &["order"],
    &["model"],
    &["export", "profile"],
    &["store"],
    &["report"],
    &["cli"],
    &["main"],
];

/// Layers of the design that no folder has yet.
const PLANNED: &[&str] = &[];

/// Imports against the flow: file, imported layer, why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "wire/v2/generation.rs",
    "order",
    "CPU samples are sorted while the generation is read; the sort is that of the ordering",
)];

/// Which layers may use an outside crate; none named means all.
const OWNERS: &[(&str, &[&str])] = &[
    ("nom", &["wire"]),
    ("byteorder", &["wire"]),
    ("rusqlite", &["store"]),
    ("strsim", &["store"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("indicatif", &["cli"]),
    ("terminal_size", &["cli"]),
    ("unicode_width", &["cli"]),
    ("csv", &["cli"]),
    ("flate2", &["source", "profile", "export"]),
    ("zstd", &["source"]),
    ("ureq", &["source"]),
    ("rustls", &["source"]),
    ("base64", &["source"]),
    ("percent_encoding", &["source"]),
    ("glob", &["source"]),
    ("tempfile", &["cli", "source", "store"]),
    ("ctrlc", &["cli"]),
    ("libc", &["cli"]),
    ("serde_json", &["cli", "export", "report"]),
    ("inferno", &["cli"]),
    ("memchr", &[]),
    ("regex", &["profile"]),
    ("rustyline", &["cli"]),
    ("indexmap", &[]),
    ("rustc_hash", &[]),
    ("thiserror", &[]),
];

#[test]
fn layers_import_only_what_is_to_their_left() {
    let mut problems = Vec::new();
    let mut used = BTreeSet::new();
    let mut imported = BTreeSet::new();
    for file in files() {
        let mine = rank(&file.module[0]);
        for layer in file.layers() {
            let theirs = rank(&layer);
            let is_own = layer == file.module[0];
            if !is_own {
                imported.insert(layer.clone());
            }
            if theirs.is_none() {
                problems.push(format!("{}: '{layer}' is no layer; add it to LAYERS", file.name));
            } else if !is_own && theirs >= mine {
                match EXCEPTIONS.iter().position(|(name, to, _)| *name == file.name && *to == layer)
                {
                    Some(index) => {
                        used.insert(index);
                    }
                    None => problems
                        .push(format!("{} imports {layer}, which is not to its left", file.name)),
                }
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!(used.len(), EXCEPTIONS.len(), "an exception is not needed any more");
    // Nothing was overlooked: every layer but the last two is imported by another one.
    for layer in LAYERS[..LAYERS.len() - 2].concat() {
        assert!(imported.contains(layer) || PLANNED.contains(&layer), "nobody imports {layer}");
    }
}

#[test]
fn every_folder_is_a_layer_and_lib_lists_them_in_order() {
    let mut folders: Vec<String> = files().iter().map(|file| file.module[0].clone()).collect();
    folders.dedup();
    assert!(folders.len() >= 8, "{folders:?}");
    for layer in LAYERS.concat() {
        assert_ne!(folders.contains(&layer.to_owned()), PLANNED.contains(&layer), "{layer}");
    }
    for name in ["util", "utils", "common", "shared", "helpers", "misc"] {
        assert!(
            !files().iter().any(|file| file.module.iter().any(|module| module == name)),
            "{name}"
        );
    }
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared: Vec<&str> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let ranks: Vec<_> = declared.iter().map(|layer| rank(layer)).collect();
    assert!(ranks.is_sorted() && !ranks.contains(&None), "{declared:?}");
    let mut both = [declared.iter().map(|layer| layer.to_string()).collect(), folders];
    both[1].retain(|folder| folder != "main");
    both.iter_mut().for_each(|names: &mut Vec<String>| names.sort());
    assert_eq!(both[0], both[1], "the folders of src/ and the modules of lib.rs");
    let main = fs::read_to_string(root().join("src/main.rs")).unwrap();
    assert!(main.lines().count() < 40, "main.rs only starts the command line");
}

#[test]
fn outside_crates_are_used_by_their_owners_only() {
    let dependencies = dependencies();
    assert!(dependencies.len() > 10, "{dependencies:?}");
    let owners: BTreeMap<&str, &[&str]> = OWNERS.iter().copied().collect();
    assert_eq!(owners.len(), OWNERS.len(), "a crate is listed twice");
    let mut problems = Vec::new();
    let mut used = BTreeSet::new();
    for file in files() {
        for name in file.crates(&dependencies) {
            match owners.get(name.as_str()) {
                None => problems.push(format!("{name} has no owner; add it to OWNERS")),
                Some(layers) if layers.is_empty() || layers.contains(&file.module[0].as_str()) => {}
                Some(layers) => {
                    problems.push(format!("{} uses {name}, which is for {layers:?}", file.name))
                }
            }
            used.insert(name);
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
    let unused: Vec<_> = dependencies.difference(&used).collect();
    assert!(unused.is_empty(), "dependencies that src/ does not use: {unused:?}");
}

/// Position of a layer in the flow.
fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&layer))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The crates under `[dependencies]`, as Rust writes them.
fn dependencies() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, section) = text.split_once("\n[dependencies]\n").expect("Cargo.toml has dependencies");
    section
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| Some(line.split_once(" = ")?.0.replace('-', "_")))
        .collect()
}

/// A source file, as tokens: words and single signs; comments and literals are left out.
struct SourceFile {
    /// Below `src/`.
    name: String,
    /// Path of the module it is.
    module: Vec<String>,
    tokens: Vec<String>,
}

fn files() -> Vec<SourceFile> {
    let mut paths = Vec::new();
    collect(&root().join("src"), &mut paths);
    paths.sort();
    let files: Vec<SourceFile> = paths
        .iter()
        .map(|path| {
            let name =
                path.strip_prefix(root().join("src")).unwrap().to_str().unwrap().replace('\\', "/");
            let mut module: Vec<String> =
                name.trim_end_matches(".rs").split('/').map(String::from).collect();
            if module.len() > 1 && module.last().is_some_and(|last| last == "mod") {
                module.pop();
            }
            SourceFile { tokens: tokens(&fs::read_to_string(path).unwrap()), name, module }
        })
        .filter(|file| file.name != "lib.rs")
        .collect();
    assert!(files.len() > 30, "only {} source files were found", files.len());
    files
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

impl SourceFile {
    fn is(&self, at: usize, token: &str) -> bool {
        self.tokens.get(at).is_some_and(|here| here == token)
    }

    fn is_path_sign(&self, at: usize) -> bool {
        self.is(at, ":") && self.is(at + 1, ":")
    }

    /// The layers that paths beginning with `crate::`, `super::` or `gotrace::` lead to.
    fn layers(&self) -> Vec<String> {
        let mut layers = Vec::new();
        let mut module = self.module.clone();
        // For each open brace, whether an inline module is inside.
        let mut braces = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            match self.tokens[at].as_str() {
                "mod" if self.is(at + 2, "{") => {
                    module.push(self.tokens[at + 1].clone());
                    braces.push(true);
                    at += 2;
                }
                "{" => braces.push(false),
                "}" if braces.pop().expect("braces match") => {
                    module.pop();
                }
                "crate" | "gotrace" if self.is_path_sign(at + 1) => self.heads(at + 3, &mut layers),
                "super" if self.is_path_sign(at + 1) => {
                    let mut depth = module.len();
                    while self.is(at, "super") && self.is_path_sign(at + 1) {
                        depth -= 1;
                        at += 3;
                    }
                    match depth {
                        0 => self.heads(at, &mut layers),
                        _ => layers.push(module[0].clone()),
                    }
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        assert!(braces.is_empty(), "{}: braces do not match", self.name);
        layers
    }

    /// The first words of the path, or of the group of paths, at a token.
    fn heads(&self, at: usize, heads: &mut Vec<String>) {
        if !self.is(at, "{") {
            return heads.push(self.tokens[at].clone());
        }
        let mut depth = 0;
        for at in at..self.tokens.len() {
            match self.tokens[at].as_str() {
                "{" | "," if depth + usize::from(self.is(at, "{")) == 1 => {
                    depth = 1;
                    if !self.is(at + 1, "}") {
                        heads.push(self.tokens[at + 1].clone());
                    }
                }
                "{" => depth += 1,
                "}" if depth == 1 => return,
                "}" => depth -= 1,
                _ => {}
            }
        }
    }

    /// The outside crates it names. Its tests may use any; they stand at the end.
    fn crates(&self, all: &BTreeSet<String>) -> BTreeSet<String> {
        if self.module.last().is_some_and(|last| last == "tests") {
            return BTreeSet::new();
        }
        let tests = ["mod", "tests", "{"];
        let end =
            self.tokens.windows(3).position(|words| words == tests).unwrap_or(self.tokens.len());
        // A path may begin with a sign, as in `::csv::Reader`.
        let is_word = |at: usize| {
            self.tokens[at] != "use"
                && self.tokens[at].starts_with(|c: char| c.is_alphanumeric() || c == '>')
        };
        let begins_path = |at: usize| at < 3 || !self.is_path_sign(at - 2) || !is_word(at - 3);
        (0..end)
            .filter(|&at| all.contains(&self.tokens[at]) && begins_path(at))
            .filter(|&at| self.is_path_sign(at + 1) || (at > 0 && self.is(at - 1, "use")))
            .map(|at| self.tokens[at].clone())
            .collect()
    }
}

/// Words and signs of Rust source without comments, strings, characters and lifetimes.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").expect("the comment ends") + 2
        } else if let Some(len) = raw_string(rest) {
            len
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' {
            // A lifetime has no closing quote behind its first character.
            let is_character = rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'');
            if is_character { quoted(rest, '\'') } else { 1 }
        } else if is_word(first) {
            let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(rest[..len].to_owned());
            len
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[skip..];
    }
    tokens
}

/// Length of the raw string at the start, if there is one.
fn raw_string(text: &str) -> Option<usize> {
    let behind = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let marks = behind.len() - behind.trim_start_matches('#').len();
    let begin = text.len() - behind.len() + marks;
    if !text[begin..].starts_with('"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(marks));
    Some(begin + 1 + text[begin + 1..].find(&end).expect("the raw string ends") + end.len())
}

/// Length of the literal at the start, with its quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    panic!("a literal does not end: {}", text.lines().next().unwrap_or(""));
}

#[test]
fn the_reader_of_sources_sees_every_form_of_import() {
    let source = r##"
        // use crate::comment;
        use crate::{wire::{self, v2::{A, B}}, order, model::Builder,};
        use super::super::store; use super::near;
        fn f<'a>(x: &'a str) -> char { let _ = "crate::text \" {"; let _ = r#"crate::raw"#; '{' }
        mod inner { use super::*; pub(super) use super::super::super::cli::main; }
        impl crate::export::Sink for X { fn g() { not::nom::this(); nom::that() } }
        use ::csv::Reader;
        mod tests { use super::*; use super::super::super::cli::main; use zstd::x; }
    "##;
    let file = SourceFile {
        name: "order/deep.rs".into(),
        module: vec!["order".into(), "deep".into()],
        tokens: tokens(source),
    };
    assert_eq!(
        file.layers(),
        ["wire", "order", "model", "store", "order", "order", "cli", "export", "order", "cli"]
    );
    let crates = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
    assert_eq!(file.crates(&crates(&["nom", "csv", "zstd"])), crates(&["nom", "csv"]));
}
