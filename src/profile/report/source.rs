//! `list`: source with the values of its lines.
//!
//! Source: Go 1.27 pprof `internal/report/source.go`, printSource. Sources are looked for where
//! pprof does, and then in places where Go keeps them: the tree of the Go release, the module
//! cache, vendor folders; so those of programs built with `-trimpath` are found too.

use super::Report;
use crate::profile::graph::Node;
use crate::profile::{paths, units};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Annotated source of some functions.
#[derive(Debug, Clone)]
pub struct Listing {
    /// What percentages are of, and as shown.
    pub total: (i64, String),
    /// One for each function and file.
    pub functions: Vec<ListingFunction>,
}

/// A function with its lines.
#[derive(Debug, Clone)]
pub struct ListingFunction {
    /// The function.
    pub name: String,
    /// Its file as the profile names it; empty if it does not.
    pub file: String,
    /// Its own value, and as shown.
    pub flat: (i64, String),
    /// Its value with everything it calls, and as shown.
    pub cum: (i64, String),
    /// Its lines; or why they are not here.
    pub lines: Result<Vec<ListingLine>, String>,
}

/// A line of source.
#[derive(Debug, Clone)]
pub struct ListingLine {
    /// Its number in the file.
    pub number: i64,
    /// Its own value, and as shown.
    pub flat: (i64, String),
    /// Its value with everything it calls, and as shown.
    pub cum: (i64, String),
    /// The line itself.
    pub text: String,
}

/// Lines shown before the first and behind the last one with a value.
const MARGIN: i64 = 5;

impl Report {
    /// Computes `list`. The error is for users: nothing matches the pattern.
    pub fn list(&mut self) -> Result<Listing, String> {
        let graph = self.new_graph(None, false);
        let texts = &self.profile.texts;
        let is_wanted =
            |name: &str| self.symbol.as_ref().is_none_or(|symbol| symbol.is_match(name));
        let mut functions: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
        for node in graph.iter() {
            let name = &texts[node.info.name];
            if is_wanted(name) {
                functions.entry(name).or_default().push(node);
            }
        }
        if functions.is_empty() {
            let symbol = self.symbol.as_ref().map_or("", |symbol| symbol.as_str());
            return Err(format!("no matches found for regexp: {symbol}"));
        }
        let mut finder = SourceFinder::new(&self.config.source_path, &self.config.trim_path);
        let mut listing =
            Listing { total: (self.total, self.format(self.total)), functions: Vec::new() };
        for (name, nodes) in functions {
            let mut files: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
            for node in nodes.iter().filter(|node| !node.info.file.is_empty()) {
                files.entry(&texts[node.info.file]).or_default().push(node);
            }
            if files.is_empty() {
                listing.functions.push(self.without_source(name));
            }
            for (file, nodes) in files {
                listing.functions.push(self.listed(name, file, &nodes, &mut finder));
            }
        }
        Ok(listing)
    }

    fn without_source(&self, name: &str) -> ListingFunction {
        ListingFunction {
            name: name.into(),
            file: String::new(),
            flat: (0, String::new()),
            cum: (0, String::new()),
            lines: Err(format!("No source information for {name}")),
        }
    }

    fn listed(
        &self,
        name: &str,
        file: &str,
        nodes: &[&Node],
        finder: &mut SourceFinder,
    ) -> ListingFunction {
        let sum = |get: &dyn Fn(&Node) -> i64| {
            nodes.iter().fold(0i64, |sum, node| sum.wrapping_add(get(node)))
        };
        let shown = |value: i64| (value, self.format(value));
        ListingFunction {
            name: name.into(),
            file: file.into(),
            flat: shown(sum(&|node| node.flat)),
            cum: shown(sum(&|node| node.cum)),
            lines: self.lines(file, nodes, finder),
        }
    }

    /// `source.go`, getSourceFromFile.
    fn lines(
        &self,
        file: &str,
        nodes: &[&Node],
        finder: &mut SourceFinder,
    ) -> Result<Vec<ListingLine>, String> {
        let begin = |node: &Node| match node.info.start_line {
            0 => node.info.line.saturating_sub(MARGIN),
            start => start,
        };
        let mut start = begin(nodes[0]);
        let end_of = |node: &Node| node.info.line.saturating_add(MARGIN);
        let mut end = end_of(nodes[0]);
        let mut values: HashMap<i64, (i64, i64)> = HashMap::new();
        for node in nodes {
            if begin(node) < start {
                start = begin(node);
            } else if end_of(node) > end {
                end = end_of(node);
            }
            let (flat, cum) = values.entry(node.info.line).or_default();
            *flat = flat.wrapping_add(node.flat);
            *cum = cum.wrapping_add(node.cum);
        }
        let shown = |value: i64| match value {
            0 => (0, ".".into()),
            _ => (value, self.format(value)),
        };
        let source = finder.lines(file)?;
        let numbers = start.max(1)..=end.min(source.len() as i64);
        let lines = numbers.map(|number| {
            let (flat, cum) = values.get(&number).copied().unwrap_or_default();
            let text = source[number as usize - 1].clone();
            ListingLine { number, flat: shown(flat), cum: shown(cum), text }
        });
        Ok(lines.collect())
    }
}

impl Listing {
    /// Writes what pprof prints.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "Total: {}", self.total.1)?;
        for function in &self.functions {
            if let (true, Err(why)) = (function.file.is_empty(), &function.lines) {
                writeln!(out, "{why}")?;
                continue;
            }
            let (name, file) = (&function.name, &function.file);
            writeln!(out, "ROUTINE ======================== {name} in {file}")?;
            writeln!(
                out,
                "{:>10} {:>10} (flat, cum) {} of Total",
                function.flat.1,
                function.cum.1,
                units::percentage(function.cum.0, self.total.0)
            )?;
            match &function.lines {
                Err(error) => writeln!(out, " Error: {error}")?,
                Ok(lines) => {
                    for line in lines {
                        let (flat, cum) = (&line.flat.1, &line.cum.1);
                        writeln!(out, "{flat:>10} {cum:>10} {:>6}:{}", line.number, line.text)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The largest source file that is read, bytes.
const MAX_SOURCE: u64 = 64 << 20;

/// Finds and reads source files.
pub struct SourceFinder {
    search: String,
    trim: String,
    known: HashMap<String, Result<Vec<String>, String>>,
    /// Where Go keeps sources.
    roots: Vec<PathBuf>,
}

impl SourceFinder {
    /// A finder that looks in the folders of `search` (a list as in `PATH`; empty for the current
    /// folder) and above them, for names without the prefixes of `trim`.
    pub fn new(search: &str, trim: &str) -> Self {
        let search = match search.is_empty() {
            false => search.to_owned(),
            true => std::env::current_dir()
                .map(|folder| folder.to_string_lossy().into_owned())
                .unwrap_or_default(),
        };
        SourceFinder { search, trim: trim.into(), known: HashMap::new(), roots: go_roots() }
    }

    /// The lines of a file. The error is for users.
    pub fn lines(&mut self, file: &str) -> Result<&[String], String> {
        if !self.known.contains_key(file) {
            let lines = self.find(file).and_then(|path| read_lines(&path));
            self.known.insert(file.to_owned(), lines);
        }
        match &self.known[file] {
            Ok(lines) => Ok(lines),
            Err(error) => Err(error.clone()),
        }
    }

    /// Where the file is (`source.go`, openSourceFile; then the places of Go).
    pub fn find(&self, file: &str) -> Result<PathBuf, String> {
        let name = paths::trim(file, &self.trim, &self.search);
        let path = Path::new(name);
        if path.is_absolute() || name.starts_with('/') {
            if path.is_file() {
                return Ok(path.into());
            }
        } else {
            for folder in paths::split_list(&self.search) {
                let found = Path::new(&folder)
                    .ancestors()
                    .map(|folder| folder.join(name))
                    .find(|path| path.is_file());
                if let Some(found) = found {
                    return Ok(found);
                }
            }
        }
        if let Some(found) = self.find_in_go(name) {
            return Ok(found);
        }
        Err(match path.is_absolute() || name.starts_with('/') {
            true => format!("open {name}: no such file or directory"),
            false => format!("could not find file {name} on path {}", self.search),
        })
    }

    /// Looks for the file below the places where Go keeps sources, and for ever shorter ends of its
    /// name below the search path: another machine had the same tree somewhere else.
    fn find_in_go(&self, name: &str) -> Option<PathBuf> {
        let name = name.replace('\\', "/");
        let ends = std::iter::successors(Some(name.trim_start_matches('/')), |rest| {
            rest.split_once('/').map(|(_, rest)| rest)
        });
        let ends: Vec<&str> = ends.collect();
        for end in &ends {
            // A module with its version is a folder of the cache, capital letters escaped.
            if end.split('/').any(|part| part.contains('@')) {
                let escaped = escape_module(end);
                let found = self.roots.iter().map(|root| root.join(&escaped));
                if let Some(found) = found.into_iter().find(|path| path.is_file()) {
                    return Some(found);
                }
            }
        }
        // `-trimpath` names files of the standard library without any folder of the machine.
        for end in &ends {
            let is_below_src = ends.len() > 1 && end.contains('/');
            let found = self.roots.iter().map(|root| root.join(end)).find(|path| path.is_file());
            if is_below_src && found.is_some() {
                return found;
            }
        }
        for folder in paths::split_list(&self.search) {
            for end in &ends {
                // The name alone would find any file of that name.
                if ends.len() > 1 && !end.contains('/') {
                    break;
                }
                let plain = Path::new(&folder).join(end);
                let vendored = Path::new(&folder).join("vendor").join(without_version(end));
                if let Some(found) = [plain, vendored].into_iter().find(|path| path.is_file()) {
                    return Some(found);
                }
            }
        }
        None
    }
}

/// The source tree of the Go release and the module cache, as the environment tells them.
fn go_roots() -> Vec<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let mut roots = Vec::new();
    match std::env::var_os("GOROOT") {
        // Set to nothing: nowhere.
        Some(root) if root.is_empty() => {}
        Some(root) => roots.push(PathBuf::from(root).join("src")),
        // Where installers put it.
        None => {
            roots.extend(
                ["/usr/local/go/src", "/usr/lib/go/src", "C:\\Program Files\\Go\\src"]
                    .map(PathBuf::from),
            );
        }
    }
    roots.extend(variable("GOMODCACHE").map(PathBuf::from));
    let home = variable("HOME").or_else(|| variable("USERPROFILE"));
    let path = variable("GOPATH")
        .or_else(|| home.map(|home| PathBuf::from(home).join("go").into_os_string()));
    for folder in path.iter().flat_map(std::env::split_paths) {
        roots.push(folder.join("pkg").join("mod"));
        roots.push(folder.join("src"));
    }
    roots
}

/// A path in the module cache: `!x` for `X` (`golang.org/x/mod/module`, EscapePath).
fn escape_module(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    // Only the path of the module is escaped; the files in it keep their names.
    let (module, rest) = match path.split_once('@') {
        Some((module, rest)) => (module, format!("@{rest}")),
        None => (path, String::new()),
    };
    for letter in module.chars() {
        if letter.is_ascii_uppercase() {
            escaped.push('!');
        }
        escaped.push(letter.to_ascii_lowercase());
    }
    escaped + &rest
}

/// A path with the versions of modules left out, as in vendor folders.
fn without_version(path: &str) -> String {
    let parts = path.split('/').map(|part| part.split('@').next().unwrap_or(part));
    parts.collect::<Vec<_>>().join("/")
}

fn read_lines(path: &Path) -> Result<Vec<String>, String> {
    let error = |error: io::Error| format!("{}: {error}", path.display());
    if fs::metadata(path).map_err(error)?.len() > MAX_SOURCE {
        return Err(format!("{}: too large for a source file", path.display()));
    }
    let bytes = fs::read(path).map_err(error)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().map(String::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_found_by_the_names_that_builds_give_them() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "one\ntwo\r\n").unwrap();
        };
        write("cache/github.com/!burnt!sushi/toml@v1.2.3/Decode.go");
        write("goroot/src/net/http/server.go");
        write("work/vendor/github.com/x/y/y.go");
        write("work/pkg/a.go");
        let at = |path: &str| folder.path().join(path);
        let finder = SourceFinder {
            search: at("work").to_str().unwrap().into(),
            trim: String::new(),
            known: HashMap::new(),
            roots: vec![at("goroot/src"), at("cache")],
        };
        for (name, want) in [
            (
                "github.com/BurntSushi/toml@v1.2.3/Decode.go",
                "cache/github.com/!burnt!sushi/toml@v1.2.3/Decode.go",
            ),
            (
                "/builder/go/pkg/mod/github.com/BurntSushi/toml@v1.2.3/Decode.go",
                "cache/github.com/!burnt!sushi/toml@v1.2.3/Decode.go",
            ),
            ("net/http/server.go", "goroot/src/net/http/server.go"),
            ("/opt/go/src/net/http/server.go", "goroot/src/net/http/server.go"),
            ("github.com/x/y@v0.1.0/y.go", "work/vendor/github.com/x/y/y.go"),
            ("example.com/module/pkg/a.go", "work/pkg/a.go"),
            ("/elsewhere/module/pkg/a.go", "work/pkg/a.go"),
        ] {
            assert_eq!(finder.find(name).ok(), Some(at(want)), "{name}");
        }
        assert!(finder.find("nowhere/a.go").is_err());
        let mut finder = finder;
        assert_eq!(finder.lines("net/http/server.go").unwrap(), ["one", "two"]);
    }
}
