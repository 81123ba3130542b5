//! The folders of `src/` are layers: a layer imports only those to its left, and each outside crate
//! has its owners.

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
    &["store", "picture"],
    &["report"],
    &["analysis"],
    &["web"],
    &["cli"],
    &["main"],
];

/// Layers of the design that no folder has yet.
const PLANNED: &[&str] = &[];

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
    ("csv", &["analysis", "profile"]),
    ("flate2", &["source", "profile", "export"]),
    ("zstd", &["source"]),
    ("ureq", &["source"]),
    ("rustls", &["source"]),
    ("base64", &["source"]),
    ("percent_encoding", &["source", "web"]),
    ("hyper", &["web"]),
    ("hyper_util", &["web"]),
    ("http_body_util", &["web"]),
    ("tokio", &["web"]),
    ("getrandom", &["web"]),
    ("glob", &["source"]),
    ("tempfile", &["analysis", "cli", "source", "store"]),
    ("ctrlc", &["cli"]),
    ("libc", &["analysis", "cli"]),
    ("serde_json", &["analysis", "cli", "export", "profile", "report", "web"]),
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
                problems.push(format!("{} imports {layer}, which is not to its left", file.name));
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
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

/// Files of one layer that import each other, with the reason why that is no flaw.
const CIRCLES: &[(&[&str], &str)] = &[];

#[test]
fn files_of_a_layer_do_not_import_each_other_in_circles() {
    let files = files();
    let imports = imports(&files);
    let circles: Vec<Vec<&str>> = circles(&imports)
        .into_iter()
        .map(|circle| circle.into_iter().map(|at| files[at].name.as_str()).collect())
        .collect();
    let allowed: Vec<Vec<&str>> = CIRCLES.iter().map(|(names, _)| names.to_vec()).collect();
    let told: Vec<String> = circles
        .iter()
        .filter(|circle| !allowed.contains(circle))
        .map(|circle| {
            let within = |at: &usize| circle.contains(&files[*at].name.as_str());
            let arrows =
                imports.iter().enumerate().filter(|(from, _)| within(from)).map(|(from, to)| {
                    let to: Vec<_> =
                        to.iter().filter(|at| within(at)).map(|at| &files[*at].name).collect();
                    format!("{} -> {to:?}", files[from].name)
                });
            arrows.collect::<Vec<_>>().join("\n")
        })
        .collect();
    assert!(told.is_empty(), "what both need goes below both:\n{}", told.join("\n\n"));
    assert_eq!(circles.len(), allowed.len(), "an exception is not needed any more");
    // Nothing was overlooked: most files import another one of their layer.
    let tied = imports.iter().filter(|to| !to.is_empty()).count();
    assert!(tied * 2 > files.len(), "{tied} of {}", files.len());
}

/// For each file, the files of the same layer that it imports something from.
fn imports(files: &[SourceFile]) -> Vec<BTreeSet<usize>> {
    let modules: BTreeMap<&[String], usize> =
        files.iter().enumerate().map(|(at, file)| (&file.module[..], at)).collect();
    // What a module hands on: its name there, and the path it comes from.
    let handed_on: Vec<BTreeMap<String, Vec<String>>> =
        files.iter().map(|file| file.hands_on(&modules)).collect();
    let find = |path: &[String]| -> Option<usize> {
        let mut path = path.to_vec();
        for _ in 0..8 {
            let known = (1..=path.len()).rev().find(|&len| modules.contains_key(&path[..len]))?;
            let at = modules[&path[..known]];
            match path.get(known).and_then(|name| handed_on[at].get(name)) {
                Some(from) if *from != path => path = from.clone(),
                _ => return Some(at),
            }
        }
        panic!("{path:?} is handed on for ever");
    };
    let of = |file: &SourceFile| {
        let found = file.paths(&modules).into_iter().filter(|(_, is_handed_on)| !is_handed_on);
        let found = found.filter_map(|(path, _)| find(&path));
        // A folder is one with its mod.rs, which hands out work and holds what all in it share.
        let is_own = |&to: &usize| !file.module.starts_with(&files[to].module);
        found.filter(|&to| files[to].module[0] == file.module[0]).filter(is_own).collect()
    };
    files.iter().map(of).collect()
}

/// The largest sets of files that reach each other, each in order.
fn circles(imports: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let reached: Vec<BTreeSet<usize>> = (0..imports.len())
        .map(|from| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
            while let Some(at) = next.pop() {
                next.extend(imports[at].iter().filter(|&&to| seen.insert(to)));
            }
            seen
        })
        .collect();
    let mut circles: Vec<Vec<usize>> = (0..imports.len())
        .filter(|&at| reached[at].contains(&at))
        .map(|at| reached[at].iter().copied().filter(|&to| reached[to].contains(&at)).collect())
        .collect();
    circles.sort();
    circles.dedup();
    circles
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

    /// The paths it names within the crate, each whole, and whether it only hands the name on. Its tests, at
    /// the end, may name anything.
    fn paths(&self, modules: &BTreeMap<&[String], usize>) -> Vec<(Vec<String>, bool)> {
        let mut paths = Vec::new();
        let tests = ["mod", "tests", "{"];
        let end =
            self.tokens.windows(3).position(|words| words == tests).unwrap_or(self.tokens.len());
        if self.module.last().is_some_and(|last| last == "tests") {
            return paths;
        }
        let mut module = self.module.clone();
        // For each open brace, whether an inline module is inside.
        let mut braces = Vec::new();
        for at in 0..end {
            match self.tokens[at].as_str() {
                "{" => {
                    let is_module = at > 1 && self.is(at - 2, "mod");
                    braces.push(is_module);
                    if is_module {
                        module.push(self.tokens[at - 1].clone());
                    }
                }
                "}" if braces.pop().expect("braces match") => {
                    module.pop();
                }
                _ => {}
            }
            if (at > 1 && self.is_path_sign(at - 2)) || !self.is_path_sign(at + 1) {
                continue;
            }
            let mut base = module.clone();
            let mut from = at;
            match self.tokens[at].as_str() {
                "crate" | "gotrace" => {
                    base.clear();
                    from += 3;
                }
                "self" => from += 3,
                "super" => {
                    while self.is(from, "super") && self.is_path_sign(from + 1) {
                        base.pop();
                        from += 3;
                    }
                }
                child => {
                    base.push(child.to_owned());
                    // A module of its own; else something that was imported or stands in the file.
                    if !modules.contains_key(&base[..]) {
                        continue;
                    }
                    base.pop();
                }
            }
            let ends = |token: &String| [";", "}", "="].contains(&token.as_str());
            let start = self.tokens[..at].iter().rposition(ends);
            let before = &self.tokens[start.map_or(0, |start| start + 1)..at];
            let is_use = before.iter().position(|token| token == "use");
            let is_handed_on = is_use.is_some_and(|at| {
                before[..at].ends_with(&["pub".to_owned()])
                    || before[..at].ends_with(&[")".to_owned()])
            });
            self.expand(from, base, &mut |path| paths.push((path, is_handed_on)));
        }
        paths
    }

    /// The paths that stand at a token, below `base`; returns what is behind them.
    fn expand(&self, at: usize, base: Vec<String>, take: &mut dyn FnMut(Vec<String>)) -> usize {
        if self.is(at, "{") {
            let mut at = at + 1;
            while !self.is(at, "}") {
                at = self.expand(at, base.clone(), take);
                if self.is(at, "as") {
                    at += 2;
                }
                if self.is(at, ",") {
                    at += 1;
                }
            }
            return at + 1;
        }
        let mut path = base;
        if !self.is(at, "self") {
            path.push(self.tokens[at].clone());
        }
        if self.is_path_sign(at + 1) && self.tokens.get(at + 3).is_some_and(|next| next != "<") {
            return self.expand(at + 3, path, take);
        }
        take(path);
        at + 1
    }

    /// What it hands on from elsewhere.
    fn hands_on(&self, modules: &BTreeMap<&[String], usize>) -> BTreeMap<String, Vec<String>> {
        let handed_on = self.paths(modules).into_iter().filter(|(_, is_handed_on)| *is_handed_on);
        handed_on.map(|(path, _)| (path[path.len() - 1].clone(), path)).collect()
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
