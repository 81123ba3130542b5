//! `tree` and `peek`: functions with their callers and callees.

use super::Report;
use crate::profile::units;
use std::io::{self, Write};

/// Functions with their callers and callees.
#[derive(Debug, Clone)]
pub struct Tree {
    /// What the profile is and what is shown of it.
    pub labels: Vec<String>,
    /// What percentages are of.
    pub total: i64,
    /// One for each function that is shown, in order.
    pub nodes: Vec<TreeNode>,
    /// Whether there is any function at all.
    pub has_nodes: bool,
}

/// A function with its callers and callees.
#[derive(Debug, Clone)]
pub struct TreeNode {
    /// The function.
    pub name: String,
    /// Its own value, and as shown.
    pub flat: (i64, String),
    /// Its value with everything it calls, and as shown.
    pub cum: (i64, String),
    /// Who calls it, the heaviest first.
    pub callers: Vec<Neighbour>,
    /// Whom it calls, the heaviest first.
    pub callees: Vec<Neighbour>,
}

/// A caller or callee.
#[derive(Debug, Clone)]
pub struct Neighbour {
    /// The function.
    pub name: String,
    /// Value of the calls.
    pub weight: i64,
    /// The value as shown.
    pub text: String,
    /// Whether all calls were inlined.
    pub is_inline: bool,
}

impl Report {
    /// Computes `tree`; with a pattern, `peek`. The error is for users: nothing matches the
    /// pattern (`report.go`, printTree).
    pub fn tree(&mut self) -> Result<Tree, (Tree, String)> {
        let trimmed = self.trimmed_graph();
        let graph = &trimmed.graph;
        let texts = &self.profile.texts;
        let name = |node: u32| graph.nodes[node as usize].info.printable_name(texts);
        let neighbours = |edges: &[u32], is_caller: bool| {
            let sorted = graph.sorted_edges(edges, texts).into_iter();
            let neighbour = sorted.map(|edge| {
                let edge = graph.edges[edge as usize];
                Neighbour {
                    name: name(if is_caller { edge.from } else { edge.to }),
                    weight: edge.weight,
                    text: self.format(edge.weight),
                    is_inline: edge.is_inline,
                }
            });
            neighbour.collect()
        };
        let mut nodes = Vec::new();
        for &id in &graph.shown {
            let node = &graph.nodes[id as usize];
            let name = name(id);
            if self.symbol.as_ref().is_some_and(|symbol| !symbol.is_match(&name)) {
                continue;
            }
            let (flat, cum) = (node.flat_value(), node.cum_value());
            nodes.push(TreeNode {
                name,
                flat: (flat, self.format(flat)),
                cum: (cum, self.format(cum)),
                callers: neighbours(&node.incoming, true),
                callees: neighbours(&node.outgoing, false),
            });
        }
        let is_found = !nodes.is_empty();
        let labels = self.labels(&trimmed, false);
        let has_nodes = !graph.shown.is_empty();
        let tree = Tree { labels, total: self.total, nodes, has_nodes };
        match &self.symbol {
            Some(symbol) if !is_found => {
                let text = format!("no matches found for regexp: {}", symbol.as_str());
                Err((tree, text))
            }
            _ => Ok(tree),
        }
    }
}

const SEPARATOR: &str = "----------------------------------------------------------+-------------";
const LEGEND: &str = "      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t ";

impl Tree {
    /// Writes what pprof prints.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}\n{SEPARATOR}\n{LEGEND}", self.labels.join("\n"))?;
        let mut sum = 0i64;
        for node in &self.nodes {
            writeln!(out, "{SEPARATOR}")?;
            let (cum, cum_text) = &node.cum;
            let (flat, flat_text) = &node.flat;
            write_neighbours(out, &node.callers, *cum)?;
            sum = sum.wrapping_add(*flat);
            writeln!(
                out,
                "{flat_text:>10} {} {} {cum_text:>10} {}                | {}",
                units::percentage(*flat, self.total),
                units::percentage(sum, self.total),
                units::percentage(*cum, self.total),
                node.name
            )?;
            write_neighbours(out, &node.callees, *cum)?;
        }
        if self.has_nodes { writeln!(out, "{SEPARATOR}") } else { Ok(()) }
    }
}

fn write_neighbours(out: &mut impl Write, neighbours: &[Neighbour], cum: i64) -> io::Result<()> {
    for one in neighbours {
        let share = units::percentage(one.weight, cum);
        let inline = if one.is_inline { " (inline)" } else { "" };
        writeln!(out, "{:>50} {share} |   {}{inline}", one.text, one.name)?;
    }
    Ok(())
}
