//! `callgrind`: for KCachegrind.

use super::Report;
use crate::profile::graph::{Graph, NodeInfo, to_int};
use crate::profile::text::Text;
use crate::profile::units;
use rustc_hash::FxHashMap;
use std::io::{self, Write};

impl Report {
    /// Writes the graph as pprof does (`report.go`, printCallgrind).
    pub fn write_callgrind(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.config.nodefraction = 0.0;
        self.config.edgefraction = 0.0;
        self.config.nodecount = 0;
        let graph = self.trimmed_graph().graph;
        let names = self.unique_names(&graph);
        writeln!(out, "positions: instr line\nevents: {}({})", self.sample_type, self.unit)?;
        let (mut objects, mut files, mut functions) = (Names::new(), Names::new(), Names::new());
        let mut previous: Option<NodeInfo> = None;
        let scaled = |value: i64| to_int(units::scale(value, &self.sample_unit, &self.unit).0);
        for &id in &graph.shown {
            let node = &graph.nodes[id as usize];
            let info = &node.info;
            let is_same = previous.is_some_and(|previous| {
                (info.object, info.file, info.name)
                    == (previous.object, previous.file, previous.name)
            });
            if !is_same {
                writeln!(out, "\nob={}", short(&mut objects, self.profile.text(info.object)))?;
                writeln!(out, "fl={}", short(&mut files, self.profile.text(info.file)))?;
                writeln!(out, "fn={}", short(&mut functions, self.profile.text(info.name)))?;
            }
            let address = address(previous, info.address);
            writeln!(out, "{address} {} {}", info.line, scaled(node.flat_value()))?;
            for edge in graph.sorted_edges(&node.outgoing, &self.profile.texts) {
                let edge = graph.edges[edge as usize];
                let callee = graph.nodes[edge.to as usize].info;
                writeln!(out, "cfl={}", short(&mut files, self.profile.text(callee.file)))?;
                let name = names.get(&edge.to).map_or("", |name| name);
                writeln!(out, "cfn={}", short(&mut functions, name))?;
                let at = self::address(previous, callee.address);
                writeln!(out, "calls=0 {at} {}\n* * {}", callee.line, scaled(edge.weight))?;
            }
            previous = Some(*info);
        }
        Ok(())
    }

    /// The name of each node, with a number where several functions share one (`report.go`,
    /// getDisambiguatedNames).
    fn unique_names(&self, graph: &Graph) -> FxHashMap<u32, String> {
        let mut functions: FxHashMap<(Text, Text), Vec<u32>> = FxHashMap::default();
        for node in graph.iter() {
            let known = functions.entry((node.info.file, node.info.name)).or_default();
            if !known.contains(&node.function) {
                known.push(node.function);
            }
        }
        let name = |&id: &u32| {
            let node = &graph.nodes[id as usize];
            let of_name = &functions[&(node.info.file, node.info.name)];
            let name = self.profile.text(node.info.name);
            let position = of_name.iter().position(|&function| function == node.function);
            match (of_name.len(), position) {
                (0..=1, _) | (_, None) => (id, name.to_owned()),
                (count, Some(at)) => (id, format!("{name} [{}/{count}]", at + 1)),
            }
        };
        graph.shown.iter().map(name).collect()
    }
}

type Names = std::collections::HashMap<String, usize>;

/// A name, the first time with a number, then as the number only.
fn short(names: &mut Names, name: &str) -> String {
    if name.is_empty() {
        return String::new();
    }
    if let Some(number) = names.get(name) {
        return format!("({number})");
    }
    let number = names.len() + 1;
    names.insert(name.to_owned(), number);
    format!("({number}) {name}")
}

/// An address, from the one before if that is shorter.
fn address(previous: Option<NodeInfo>, address: u64) -> String {
    let full = format!("{address:#x}");
    let Some(previous) = previous else { return full };
    if previous.address == address {
        return "*".into();
    }
    let relative = format!("{:+}", address.wrapping_sub(previous.address) as i64);
    if relative.len() < full.len() { relative } else { full }
}
