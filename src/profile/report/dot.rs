//! `dot` and `graph`: the graph of calls as a picture.
//!
//! Source: Go 1.27 pprof `internal/graph/dotgraph.go`. [`Dot`] holds what the picture shows, in
//! terms of graphviz; it writes itself in graphviz's language, and is drawn without it.

use super::Report;
use crate::profile::graph::{Graph, MAX_NODELETS, NodeInfo, Tag, TagCount, TagMap, sort_tags};
use crate::profile::text::Texts;
use crate::profile::{paths, units};
use regex::Regex;
use std::io::{self, Write};
use std::sync::LazyLock;

/// A picture of a graph.
#[derive(Debug, Clone)]
pub struct Dot {
    /// The program; empty if unknown.
    pub title: String,
    /// What the profile is and what is shown of it.
    pub legend: Vec<String>,
    /// Functions, each followed by its labels.
    pub nodes: Vec<DotNode>,
    /// Calls, the heaviest first.
    pub edges: Vec<DotEdge>,
}

/// A box.
#[derive(Debug, Clone)]
pub struct DotNode {
    /// Its name in the text.
    pub id: String,
    /// The function, or the value of a label.
    pub name: String,
    /// Own value, and with everything it calls.
    pub values: (i64, i64),
    /// Its text, escaped for graphviz: lines end with `\n`.
    pub label: String,
    /// Size of the letters, 8 to 24.
    pub font_size: i64,
    /// What is shown under the mouse, escaped.
    pub tooltip: String,
    /// Colours of frame and ground; `None` for a label.
    pub colors: Option<(String, String)>,
    /// The line between a label and what it is a label of.
    pub tie: Option<DotEdge>,
}

/// An arrow.
#[derive(Debug, Clone)]
pub struct DotEdge {
    /// The box it begins at.
    pub from: String,
    /// The box it ends at.
    pub to: String,
    /// Value of the calls.
    pub value: i64,
    /// Whether all calls were inlined.
    pub is_inline: bool,
    /// Its text, escaped.
    pub label: String,
    /// How much graphviz should keep it straight; 1 if not said.
    pub weight: i64,
    /// How thick it is, 1 to 6.
    pub pen_width: i64,
    /// Its colour; `None` for the default.
    pub color: Option<String>,
    /// What is shown under the mouse, escaped.
    pub tooltip: String,
    /// Dotted: it stands for a way over nodes that are not shown.
    pub is_dotted: bool,
    /// Twice as long, to make room for labels.
    pub is_long: bool,
}

impl Report {
    /// Computes the picture (`report.go`, GetDOT; `dotgraph.go`, ComposeDot).
    pub fn dot(&mut self) -> Dot {
        let trimmed = self.trimmed_graph();
        let legend = self.labels(&trimmed, true);
        let program = self.profile.program();
        let title = if program.is_empty() { "" } else { paths::base(program) }.to_owned();
        let graph = &trimmed.graph;
        let largest = graph.iter().map(|node| node.flat_value().wrapping_abs() as f64);
        let max_flat = largest.fold(0.0, f64::max);
        let composer = Composer { report: self, graph, max_flat, unit: self.bytes_unit() };
        let mut dot = Dot { title, legend, nodes: Vec::new(), edges: Vec::new() };
        let mut numbers = vec![0; graph.nodes.len()];
        let mut has_labels = vec![false; graph.nodes.len()];
        let mut edges = Vec::new();
        for (index, &id) in graph.shown.iter().enumerate() {
            numbers[id as usize] = index + 1;
            dot.nodes.push(composer.node(id, index + 1));
            let labels = composer.labels(id, index + 1);
            has_labels[id as usize] = !labels.is_empty();
            dot.nodes.extend(labels);
            edges.extend(&graph.nodes[id as usize].outgoing);
        }
        for edge in graph.sorted_edges(&edges, &self.profile.texts) {
            let ends = graph.edges[edge as usize];
            let (from, to) = (numbers[ends.from as usize], numbers[ends.to as usize]);
            dot.edges.push(composer.edge(edge, from, to, has_labels[ends.from as usize]));
        }
        dot
    }
}

struct Composer<'a> {
    report: &'a Report,
    graph: &'a Graph,
    max_flat: f64,
    /// Unit of the numbers of labels.
    unit: String,
}

impl Composer<'_> {
    fn texts(&self) -> &Texts {
        &self.report.profile.texts
    }

    fn share(&self, value: i64) -> String {
        units::percentage(value, self.report.total).trim().to_owned()
    }

    fn score(&self, value: i64) -> f64 {
        value as f64 / self.report.total.wrapping_abs() as f64
    }

    fn node(&self, id: u32, number: usize) -> DotNode {
        let node = &self.graph.nodes[id as usize];
        let (flat, cum) = (node.flat_value(), node.cum_value());
        let mut label = multiline_name(&node.info, self.texts());
        let flat_text = self.report.format(flat);
        match flat {
            0 => label.push('0'),
            _ => label += &format!("{flat_text} ({})", self.share(flat)),
        }
        let mut cum_text = flat_text;
        if cum != flat {
            label += if flat != 0 { "\\n" } else { " " };
            cum_text = self.report.format(cum);
            label += &format!("of {cum_text} ({})", self.share(cum));
        }
        let mut font_size = 8;
        let size = flat.wrapping_abs() as f64;
        if self.max_flat != 0.0 && flat != 0 && size <= self.max_flat {
            font_size += (16.0 * (size / self.max_flat).sqrt()).ceil() as i64;
        }
        let name = node.info.printable_name(self.texts());
        DotNode {
            id: format!("N{number}"),
            tooltip: format!("{} ({cum_text})", escape(&name)),
            name,
            values: (flat, cum),
            label,
            font_size,
            colors: Some((color(self.score(cum), false), color(self.score(cum), true))),
            tie: None,
        }
    }

    /// The labels of a node. A leaf shows those of what was left out below it too.
    fn labels(&self, id: u32, number: usize) -> Vec<DotNode> {
        let node = &self.graph.nodes[id as usize];
        let by_flat = !node.outgoing.is_empty();
        let mut tags = node.label_tags.sorted(&self.graph.tag_names, by_flat);
        tags.truncate(MAX_NODELETS);
        let mut nodes = Vec::new();
        let source = format!("N{number}");
        for (index, tag) in tags.iter().enumerate() {
            let value = if by_flat { tag.count.flat_value() } else { tag.count.cum_value() };
            if value == 0 {
                continue;
            }
            let id = format!("N{number}_{index}");
            nodes.push(self.label(&source, id.clone(), &tag.name, value, false));
            if let Some(numbers) = node.numeric_tags.get(&tag.id) {
                self.numbers(numbers, by_flat, &id, &mut nodes);
            }
        }
        if let Some(numbers) = node.numeric_tags.get(&0) {
            self.numbers(numbers, by_flat, &source, &mut nodes);
        }
        nodes
    }

    fn label(&self, source: &str, id: String, name: &str, value: i64, is_dotted: bool) -> DotNode {
        let text = self.report.format(value);
        DotNode {
            name: name.to_owned(),
            values: (value, value),
            label: name.to_owned(),
            font_size: 8,
            tooltip: text.clone(),
            colors: None,
            tie: Some(DotEdge {
                from: source.to_owned(),
                to: id.clone(),
                value,
                is_inline: false,
                label: format!(" {text}"),
                weight: 100,
                pen_width: 1,
                color: None,
                tooltip: text,
                is_dotted,
                is_long: false,
            }),
            id,
        }
    }

    /// `dotgraph.go`, numericNodelets.
    fn numbers(&self, tags: &TagMap, by_flat: bool, source: &str, nodes: &mut Vec<DotNode>) {
        let unit = &*self.unit;
        let tags = collapsed(tags.sorted(&self.graph.tag_names, by_flat), unit, by_flat);
        for (index, Tag { name, count, .. }) in tags.iter().enumerate() {
            let is_flat = by_flat || count.flat_value() == count.cum_value();
            let value = if is_flat { count.flat_value() } else { count.cum_value() };
            if value != 0 {
                let id = format!("N{source}_{index}");
                nodes.push(self.label(source, id, name, value, !is_flat));
            }
        }
    }

    fn edge(&self, edge: u32, from: usize, to: usize, has_labels: bool) -> DotEdge {
        let edge = self.graph.edges[edge as usize];
        let value = edge.value();
        let text = self.report.format(value);
        let total = self.report.total;
        let part = |most: i64| match total {
            0 => 1,
            _ => 1 + value.wrapping_mul(most).wrapping_div(total).wrapping_abs().min(most),
        };
        let name =
            |node: u32| escape(&self.graph.nodes[node as usize].info.printable_name(self.texts()));
        let arrow = if edge.is_residual { "..." } else { "->" };
        DotEdge {
            from: format!("N{from}"),
            to: format!("N{to}"),
            value,
            is_inline: edge.is_inline,
            label: format!(" {text}{}", if edge.is_inline { "\\n (inline)" } else { "" }),
            weight: part(100),
            pen_width: part(5),
            color: (total != 0).then(|| color(self.score(value), false)),
            tooltip: format!("{} {arrow} {} ({text})", name(edge.from), name(edge.to)),
            is_dotted: edge.is_residual,
            is_long: has_labels,
        }
    }
}

/// At most so many tags as a node may have; the others are joined to the nearest of the heaviest
/// (`dotgraph.go`, collapsedTags).
fn collapsed(mut tags: Vec<Tag>, unit: &str, by_flat: bool) -> Vec<Tag> {
    if tags.len() <= MAX_NODELETS {
        return tags;
    }
    let rest = tags.split_off(MAX_NODELETS);
    let mut groups: Vec<Vec<TagCount>> = tags.iter().map(|tag| vec![tag.count]).collect();
    for Tag { count, .. } in rest {
        let distance = |group: &[TagCount]| {
            (units::scale(group[0].value, unit, unit).0 - count.value as f64).abs()
        };
        let mut nearest = 0;
        for group in 1..groups.len() {
            if distance(&groups[group]) < distance(&groups[nearest]) {
                nearest = group;
            }
        }
        groups[nearest].push(count);
    }
    let mut tags: Vec<Tag> = groups.iter().map(|group| joined(group, unit)).collect();
    sort_tags(&mut tags, by_flat);
    tags
}

/// `dotgraph.go`, tagGroupLabel.
fn joined(group: &[TagCount], unit: &str) -> Tag {
    let first = &group[0];
    let label = |tag: &TagCount| units::label(tag.value, unit);
    if group.len() == 1 {
        let (flat, cum) = (first.flat_value(), first.cum_value());
        let count = TagCount { flat, cum, ..TagCount::default() };
        return Tag { name: label(first), count, id: 0 };
    }
    let (mut low, mut high, mut sum) = (first, first, *first);
    for tag in &group[1..] {
        let value = units::scale(tag.value, unit, unit).0 as i64;
        if value < low.value {
            low = tag;
        }
        if value > high.value {
            high = tag;
        }
        sum.add(tag.flat_div, tag.flat, true);
        sum.add(tag.cum_div, tag.cum, false);
    }
    let (flat, cum) = (sum.flat_value(), sum.cum_value());
    Tag {
        name: format!("{}..{}", label(low), label(high)),
        count: TagCount { flat, cum, ..TagCount::default() },
        id: 0,
    }
}

/// The colour of a share of the total, from -1 (green) over 0 (grey) to 1 (red); light for a
/// ground (`dotgraph.go`, dotColor).
fn color(score: f64, is_ground: bool) -> String {
    const SHIFT: f64 = 0.7;
    let (mut saturation, value) = if is_ground { (0.1, 0.93) } else { (1.0, 0.7) };
    let mut score = score.clamp(-1.0, 1.0);
    if score.abs() < 0.2 {
        saturation *= score.abs() / 0.2;
    }
    if score > 0.0 {
        score = score.powf(1.0 - SHIFT);
    } else if score < 0.0 {
        score = -(-score).powf(1.0 - SHIFT);
    }
    let (red, green) = match score < 0.0 {
        true => (value * (1.0 + saturation * score), value),
        false => (value, value * (1.0 - saturation * score)),
    };
    let blue = value * (1.0 - saturation);
    let byte = |part: f64| (part * 255.0) as u8;
    format!("#{:02x}{:02x}{:02x}", byte(red), byte(green), byte(blue))
}

fn multiline_name(info: &NodeInfo, texts: &Texts) -> String {
    let name = escape(&short_name(&texts[info.name]))
        .replace("::", "\\n")
        // Type arguments, of which a profile only tells that there are some.
        .replace("[...]", "[…]")
        .replace('.', "\\n");
    let file = if info.file.is_empty() { "" } else { paths::base(&texts[info.file]) };
    info.components(texts, &name, file).join("\\n") + "\\n"
}

struct NamePatterns {
    version: Regex,
    short: [Regex; 3],
}

static NAME_PATTERNS: LazyLock<NamePatterns> = LazyLock::new(|| {
    let compile = |pattern| Regex::new(pattern).expect("the pattern is right");
    NamePatterns {
        version: compile(r"^(.*?)/v(?:[2-9]|[1-9][0-9]+)([./].*)$"),
        // Go, Java, C++.
        short: [
            compile(r"^(?:[0-9A-Za-z_\-.]+/)+([^.]+\..+)"),
            compile(
                r"^(?:[a-z][0-9A-Za-z_]*\.)*([A-Z][0-9A-Za-z_$]*\.(?:<init>|[a-z][0-9A-Za-z_$]*(?:\$[0-9]+)?))(?:\(|$)",
            ),
            compile(
                r"^(?:[_a-zA-Z][0-9A-Za-z_]*::)+(_*[A-Z][0-9A-Za-z_]*::~?[_a-zA-Z][0-9A-Za-z_]*(?:<.*>)?)",
            ),
        ],
    }
});

/// The name without the path of its package, and without arguments in Java (`graph.go`,
/// ShortenFunctionName).
pub(super) fn short_name(name: &str) -> String {
    let patterns = &*NAME_PATTERNS;
    let name = name.strip_prefix("(anonymous namespace)::").unwrap_or(name);
    let name = patterns.version.replace_all(name, "${1}${2}");
    let found = patterns.short.iter().find_map(|pattern| pattern.captures(&name));
    found.map_or_else(|| name.to_string(), |found| found[1].to_owned())
}

/// `dotgraph.go`, escapeForDot.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\l")
}

impl Dot {
    /// Writes what pprof prints.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let title = if self.title.is_empty() { "unnamed" } else { &self.title };
        writeln!(out, "digraph \"{title}\" {{")?;
        writeln!(out, "node [style=filled fillcolor=\"#f8f8f8\"]")?;
        if let Some(first) = self.legend.first() {
            write!(out, "subgraph cluster_L {{ \"{}\" [shape=box fontsize=16", escape(first))?;
            let lines: Vec<String> = self.legend.iter().map(|line| escape(line)).collect();
            write!(out, " label=\"{}\\l\"", lines.join("\\l"))?;
            if !self.title.is_empty() {
                write!(out, " tooltip=\"{}\"", self.title)?;
            }
            writeln!(out, "] }}")?;
        }
        for node in &self.nodes {
            write_node(out, node)?;
        }
        for edge in &self.edges {
            write_edge(out, edge)?;
        }
        writeln!(out, "}}")
    }
}

fn write_node(out: &mut impl Write, node: &DotNode) -> io::Result<()> {
    let DotNode { id, label, font_size, tooltip, .. } = node;
    let Some((frame, ground)) = &node.colors else {
        writeln!(
            out,
            "{id} [label = \"{label}\" id=\"{id}\" fontsize=8 shape=box3d tooltip=\"{tooltip}\"]"
        )?;
        let Some(tie) = &node.tie else { return Ok(()) };
        let DotEdge { from, to, label, tooltip, .. } = tie;
        let style = if tie.is_dotted { " style=\"dotted\"" } else { "" };
        return writeln!(
            out,
            "{from} -> {to} [label=\"{label}\" weight=100 tooltip=\"{tooltip}\" labeltooltip=\"{tooltip}\"{style}]"
        );
    };
    let number = &id[1..];
    writeln!(
        out,
        "{id} [label=\"{label}\" id=\"node{number}\" fontsize={font_size} shape=box tooltip=\"{tooltip}\" color=\"{frame}\" fillcolor=\"{ground}\"]"
    )
}

fn write_edge(out: &mut impl Write, edge: &DotEdge) -> io::Result<()> {
    write!(out, "{} -> {} [label=\"{}\"", edge.from, edge.to, edge.label)?;
    if edge.weight > 1 {
        write!(out, " weight={}", edge.weight)?;
    }
    if edge.pen_width > 1 {
        write!(out, " penwidth={}", edge.pen_width)?;
    }
    if let Some(color) = &edge.color {
        write!(out, " color=\"{color}\"")?;
    }
    let tooltip = &edge.tooltip;
    write!(out, " tooltip=\"{tooltip}\" labeltooltip=\"{tooltip}\"")?;
    if edge.is_dotted {
        write!(out, " style=\"dotted\"")?;
    }
    if edge.is_long {
        write!(out, " minlen=2")?;
    }
    writeln!(out, "]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened_as_pprof_does() {
        for (name, want) in [
            ("github.com/a/b/v2.(*T).Do", "b.(*T).Do"),
            ("net/http.(*conn).serve", "http.(*conn).serve"),
            ("main.main", "main.main"),
            ("a.b.Klass.method(int)", "Klass.method"),
            ("ns::Class::Method<int>", "Class::Method<int>"),
            ("(anonymous namespace)::f", "f"),
        ] {
            assert_eq!(short_name(name), want, "{name}");
        }
        assert_eq!(color(0.0, true), "#ededed");
        assert_eq!(color(1.0, false), "#b20000");
    }
}
