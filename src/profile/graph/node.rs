//! Nodes and edges.

use super::tags::{TagMap, TagNames};
use crate::profile::paths;
use crate::profile::text::{Text, Texts};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// What tells nodes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct NodeInfo {
    /// Name of the function; empty if unknown or not wanted.
    pub name: Text,
    /// Address; 0 if not wanted.
    pub address: u64,
    /// Source file; empty if unknown or not wanted.
    pub file: Text,
    /// Where the function begins.
    pub start_line: i64,
    /// The line; 0 if not wanted.
    pub line: i64,
    /// The column; 0 if not wanted.
    pub column: i64,
    /// The file of the mapping; empty if not wanted.
    pub object: Text,
}

impl NodeInfo {
    /// The parts of the name that is shown. `name` and `file` say how those two are shown.
    pub fn components(&self, texts: &Texts, name: &str, file: &str) -> Vec<String> {
        let mut parts = Vec::new();
        if self.address != 0 {
            parts.push(format!("{:016x}", self.address));
        }
        if !self.name.is_empty() {
            parts.push(name.to_owned());
        }
        if self.line != 0 {
            let column = match self.column {
                0 => String::new(),
                column => format!(":{column}"),
            };
            parts.push(format!("{file}:{}{column}", self.line));
        } else if !self.file.is_empty() {
            parts.push(file.to_owned());
        } else if !self.name.is_empty() {
            // The name is there already.
        } else if !self.object.is_empty() {
            parts.push(format!("[{}]", paths::base(&texts[self.object])));
        } else {
            parts.push("<unknown>".into());
        }
        parts
    }

    /// The name that is shown.
    pub fn printable_name(&self, texts: &Texts) -> String {
        // Most names are the function's and nothing else.
        if self.address == 0 && self.line == 0 && self.file.is_empty() && !self.name.is_empty() {
            return texts[self.name].to_owned();
        }
        self.components(texts, &texts[self.name], &texts[self.file]).join(" ")
    }
}

/// A function (line, address) with what was counted for it.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// What it is.
    pub info: NodeInfo,
    /// The node of the whole function.
    pub function: u32,
    /// Value of the samples whose leaf it is.
    pub flat: i64,
    /// What `flat` is divided by; 0 for nothing.
    pub flat_div: i64,
    /// Value of the samples it is in.
    pub cum: i64,
    /// What `cum` is divided by; 0 for nothing.
    pub cum_div: i64,
    /// Edges that end here.
    pub incoming: Vec<u32>,
    /// Edges that begin here.
    pub outgoing: Vec<u32>,
    /// Text labels of its samples.
    pub label_tags: TagMap,
    /// Number labels of its samples, by the text labels they are with.
    pub numeric_tags: IndexMap<u32, TagMap, FxBuildHasher>,
}

fn divided(value: i64, divisor: i64) -> i64 {
    if divisor == 0 { value } else { value.wrapping_div(divisor) }
}

impl Node {
    /// `flat`, as an average if one is wanted.
    pub fn flat_value(&self) -> i64 {
        divided(self.flat, self.flat_div)
    }

    /// `cum`, as an average if one is wanted.
    pub fn cum_value(&self) -> i64 {
        divided(self.cum, self.cum_div)
    }
}

/// A call from one node to another.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    /// The caller.
    pub from: u32,
    /// The callee.
    pub to: u32,
    /// Value of the samples it is in.
    pub weight: i64,
    /// What `weight` is divided by; 0 for nothing.
    pub weight_div: i64,
    /// It stands for a way over nodes that were left out.
    pub is_residual: bool,
    /// All calls were inlined.
    pub is_inline: bool,
}

impl Edge {
    /// The weight, as an average if one is wanted.
    pub fn value(&self) -> i64 {
        divided(self.weight, self.weight_div)
    }
}

/// A graph. `shown` lists the nodes that are part of it, in their order; there may be more in
/// `nodes`, and edges may lead to them.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// All nodes.
    pub nodes: Vec<Node>,
    /// All edges, also removed ones: those that count are in the nodes' lists.
    pub edges: Vec<Edge>,
    /// Nodes of the graph, in order.
    pub shown: Vec<u32>,
    /// Names of the tags of all nodes.
    pub tag_names: TagNames,
}

impl Graph {
    /// The nodes of the graph, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Node> {
        self.shown.iter().map(|&node| &self.nodes[node as usize])
    }

    /// Sum of all flat values, not averaged.
    pub fn flat_sum(&self) -> i64 {
        self.iter().fold(0i64, |sum, node| sum.wrapping_add(node.flat))
    }

    /// Takes an edge out of the lists of its nodes.
    pub fn remove_edge(&mut self, edge: u32) {
        let Edge { from, to, .. } = self.edges[edge as usize];
        self.nodes[from as usize].outgoing.retain(|&other| other != edge);
        self.nodes[to as usize].incoming.retain(|&other| other != edge);
    }
}
