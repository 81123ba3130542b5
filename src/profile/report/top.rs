//! `top`: the functions with the largest values.

use super::Report;
use crate::profile::graph::NodeInfo;
use crate::profile::labels::LabelSet;
use crate::profile::model::{Function, Line, Location, Profile, ValueType};
use crate::profile::units;
use indexmap::IndexMap;
use std::io::{self, Write};

/// The functions with the largest values.
#[derive(Debug, Clone)]
pub struct Top {
    /// What the profile is and what is shown of it.
    pub labels: Vec<String>,
    /// What percentages are of.
    pub total: i64,
    /// One for each function (line, address), in order.
    pub items: Vec<TopItem>,
}

/// A line of `top`.
#[derive(Debug, Clone)]
pub struct TopItem {
    /// The function.
    pub name: String,
    /// `(inline)`, `(partial-inline)` or empty.
    pub inline: &'static str,
    /// Its own value.
    pub flat: i64,
    /// Its value with everything it calls.
    pub cum: i64,
    /// `flat` as shown.
    pub flat_text: String,
    /// `cum` as shown.
    pub cum_text: String,
}

impl Report {
    /// Computes `top` (`report.go`, TextItems).
    pub fn top(&mut self) -> Top {
        let trimmed = self.trimmed_graph();
        let graph = &trimmed.graph;
        let items = graph
            .iter()
            .map(|node| {
                let incoming = || node.incoming.iter().map(|&edge| graph.edges[edge as usize]);
                let inline = match (
                    incoming().any(|edge| edge.is_inline),
                    incoming().any(|edge| !edge.is_inline),
                ) {
                    (true, true) => "(partial-inline)",
                    (true, false) => "(inline)",
                    (false, _) => "",
                };
                let (flat, cum) = (node.flat_value(), node.cum_value());
                TopItem {
                    name: node.info.printable_name(&self.profile.texts),
                    inline,
                    flat,
                    cum,
                    flat_text: self.format(flat),
                    cum_text: self.format(cum),
                }
            })
            .collect();
        Top { labels: self.labels(&trimmed, false), total: self.total, items }
    }

    /// The functions with the largest values as a profile (`report.go`, printTopProto).
    pub fn top_profile(&mut self) -> Profile {
        let trimmed = self.trimmed_graph();
        let mut out = Profile { texts: self.profile.texts.clone(), ..Profile::default() };
        let unit = out.texts.intern(&self.unit);
        let types = ["cum", "flat"].map(|kind| ValueType { kind: out.texts.intern(kind), unit });
        out.sample_types = types.into();
        out.time_nanos = self.profile.time_nanos;
        out.duration_nanos = self.profile.duration_nanos;
        out.period_type = self.profile.period_type;
        out.period = self.profile.period;
        let mut functions: IndexMap<NodeInfo, u32> = IndexMap::new();
        for (index, node) in trimmed.graph.iter().enumerate() {
            let info = node.info;
            let key = NodeInfo {
                name: info.name,
                file: info.file,
                start_line: info.start_line,
                ..NodeInfo::default()
            };
            let next = functions.len() as u32;
            let function = *functions.entry(key).or_insert_with(|| {
                out.functions.push(Function {
                    id: u64::from(next) + 1,
                    name: info.name,
                    file: info.file,
                    start_line: info.start_line,
                    ..Function::default()
                });
                next
            });
            out.locations.push(Location {
                id: index as u64 + 1,
                address: info.address,
                lines: vec![Line { function, line: info.line, column: info.column }],
                ..Location::default()
            });
            let scaled = |value| units::scale(value, &self.sample_unit, &self.unit).0 as i64;
            let values = [scaled(node.cum_value()), scaled(node.flat_value())];
            let is_room = out.samples.push([index as u32], &values, LabelSet::EMPTY);
            debug_assert!(is_room, "one frame for each node, and nodes are fewer than frames");
        }
        out
    }
}

impl Top {
    /// Writes what pprof prints (`report.go`, printText).
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", self.labels.join("\n"))?;
        writeln!(out, "{:>10} {:>5}% {:>5}% {:>10} {:>5}%", "flat", "flat", "sum", "cum", "cum")?;
        let mut sum = 0i64;
        for item in &self.items {
            sum = sum.wrapping_add(item.flat);
            let space = if item.inline.is_empty() { "" } else { " " };
            writeln!(
                out,
                "{:>10} {} {} {:>10} {}  {}{space}{}",
                item.flat_text,
                units::percentage(item.flat, self.total),
                units::percentage(sum, self.total),
                item.cum_text,
                units::percentage(item.cum, self.total),
                item.name,
                item.inline
            )?;
        }
        Ok(())
    }
}
