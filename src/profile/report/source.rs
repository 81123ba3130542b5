//! `list`: source with the values of its lines.
//!
//! Source: Go 1.27 pprof `internal/report/source.go`, printSource. Sources are looked for where
//! pprof does, and then in places where Go keeps them: the tree of the Go release, the module
//! cache, vendor folders; so those of programs built with `-trimpath` are found too.

use super::Report;
use super::finder::SourceFinder;
use crate::profile::graph::Node;
use crate::profile::units;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

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
        let mut finder = SourceFinder::new(&self.config.source_path, &self.config.trim_path);
        self.list_with(&mut finder)
    }

    /// The same, with sources from where `finder` finds them.
    pub fn list_with(&mut self, finder: &mut SourceFinder) -> Result<Listing, String> {
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
                listing.functions.push(self.listed(name, file, &nodes, finder));
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
