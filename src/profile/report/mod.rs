//! Reports: what a profile says, and the text that `go tool pprof` prints for it.
//!
//! A [`Report`] is made of a profile, a view and the options. Each view is computed into a structure
//! of its own, which knows how to write itself as pprof does; other forms are made from the
//! structure by whoever asked.
//!
//! Source: Go 1.27 pprof `internal/report/report.go`, `internal/driver/driver.go`.

mod callgrind;
mod columns;
mod csv;
mod dot;
mod finder;
mod flame;
mod header;
mod json;
mod raw;
mod source;
mod tags;
mod text;
mod top;
mod traces;
mod tree;

pub use dot::{Dot, DotEdge, DotNode};
pub use finder::SourceFinder;
pub use flame::{FlameNode, FlameTree};
pub use source::{Listing, ListingFunction, ListingLine};
pub use tags::{TagGroup, Tags};
pub use top::{Top, TopItem};
pub use traces::{Trace, TraceFrame, Traces};
pub use tree::{Neighbour, Tree, TreeNode};

use super::config::Config;
use super::focus::{LabelUnits, focus, label_units};
use super::graph::{Graph, GraphOptions, NodeSet, to_int};
use super::label_frames::add_label_frames;
use super::model::Profile;
use super::paths;
use super::pattern::Pattern;
use super::prepare::{BASE_LABEL, map_labels};
use super::text::Text;
use super::units;
use rustc_hash::FxHashMap;

/// Why a view cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// Writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// There is nothing to show, or it cannot be shown; the text is for users.
    #[error("{0}")]
    Failed(String),
}

/// What a report shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The functions with the largest values.
    Top,
    /// Each function with its callers and callees.
    Tree,
    /// The same for the functions that match a pattern.
    Peek,
    /// Annotated source of the functions that match a pattern.
    List,
    /// Every sample.
    Traces,
    /// Labels and their values.
    Tags,
    /// Everything in the profile.
    Raw,
    /// The remarks in the profile.
    Comments,
    /// The graph of calls, in the language of graphviz.
    Dot,
    /// For KCachegrind.
    Callgrind,
    /// The profile.
    Proto,
    /// The functions with the largest values, as a profile.
    TopProto,
    /// Stacks for flame graphs.
    Folded,
}

/// A report about to be made.
pub struct Report {
    profile: Profile,
    view: View,
    config: Config,
    units: LabelUnits,
    symbol: Option<Pattern>,
    /// Which value of a sample.
    index: usize,
    sample_type: String,
    sample_unit: String,
    /// The unit values are shown in.
    unit: String,
    /// What values are multiplied by.
    ratio: f64,
    total: i64,
    /// For the user: what the options did not match.
    pub messages: Vec<String>,
}

impl Report {
    /// Prepares a report: applies everything that leaves something out, and collapses what the
    /// granularity does not tell apart. `symbol` is the pattern of `peek` and `list`. The error is
    /// for users (`driver.go`, generateRawReport).
    pub fn new(
        mut profile: Profile,
        view: View,
        symbol: Option<&str>,
        config: &Config,
    ) -> Result<Report, String> {
        let mut messages = Vec::new();
        let units = label_units(&profile, &mut messages);
        let config = overridden(view, config.clone());
        add_label_frames(&mut profile, &config, &mut messages);
        if config.relative_percentages {
            focus(&mut profile, &units, &config, &mut messages)?;
        }
        let index = profile.sample_index(&config.sample_index)?;
        if config.divide_by == 0.0 {
            return Err("--divide-by: zero divisor specified".into());
        }
        let symbol = match symbol {
            Some(symbol) => Some(Pattern::new(symbol)?),
            None => None,
        };
        let kind = profile.text(profile.sample_types[index].kind);
        let sample_unit = profile.text(profile.sample_types[index].unit).to_owned();
        let unit = units::shown_unit(&sample_unit, &config.unit).unwrap_or_else(|why| {
            messages.push(format!("--unit: {why}"));
            &config.unit
        });
        let mut report = Report {
            view,
            units,
            symbol,
            index,
            sample_type: if config.mean { format!("mean_{kind}") } else { kind.to_owned() },
            unit: unit.to_owned(),
            sample_unit,
            ratio: 1.0 / config.divide_by,
            total: 0,
            messages,
            profile,
            config,
        };
        report.total = report.compute_total();
        if !report.config.relative_percentages {
            let config = &report.config;
            focus(&mut report.profile, &report.units, config, &mut report.messages)?;
        }
        aggregate(&mut report.profile, &report.config)?;
        Ok(report)
    }

    /// The profile, as far as the options left it.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What percentages are of.
    pub fn total(&self) -> i64 {
        self.total
    }

    /// The name of the sample type.
    pub fn sample_type(&self) -> &str {
        &self.sample_type
    }

    /// The unit of the values in the profile.
    pub fn sample_unit(&self) -> &str {
        &self.sample_unit
    }

    /// Which value of a sample is shown.
    pub fn sample_index(&self) -> usize {
        self.index
    }

    /// A value in the form in which the report shows it (`report.go`, New).
    pub fn format(&self, value: i64) -> String {
        units::scaled_label(self.divided(value), &self.sample_unit, &self.unit)
    }

    fn divided(&self, value: i64) -> i64 {
        match self.ratio {
            ratio if ratio > 0.0 && ratio != 1.0 => to_int(value as f64 * ratio),
            _ => value,
        }
    }

    /// `report.go`, computeTotal.
    fn compute_total(&self) -> i64 {
        let profile = &self.profile;
        let base = profile.texts.find(BASE_LABEL).zip(profile.texts.find("true"));
        let (mut total, mut div, mut diff_total, mut diff_div) = (0i64, 0i64, 0i64, 0i64);
        for sample in 0..profile.samples.len() {
            let values = profile.samples.values(sample);
            let value = values[self.index].wrapping_abs();
            let divisor = if self.config.mean { values[0] } else { 0 };
            total = total.wrapping_add(value);
            div = div.wrapping_add(divisor);
            if let Some((key, value_text)) = base
                && profile.is_labelled(sample, key, value_text)
            {
                diff_total = diff_total.wrapping_add(value);
                diff_div = diff_div.wrapping_add(divisor);
            }
        }
        if diff_total > 0 {
            (total, div) = (diff_total, diff_div);
        }
        if div != 0 { total.wrapping_div(div) } else { total }
    }

    /// Cleans the profile as the graph wants it (`report.go`, newGraph).
    fn clean_for_graph(&mut self) {
        let (trim, source) = (&self.config.trim_path, &self.config.source_path);
        let mut known: FxHashMap<Text, Text> = FxHashMap::default();
        let profile = &mut self.profile;
        for function in &mut profile.functions {
            let file = function.file;
            function.file = *known.entry(file).or_insert_with(|| {
                let trimmed = paths::trim(&profile.texts[file], trim, source).to_owned();
                profile.texts.intern(&trimmed)
            });
        }
        if let Some(key) = profile.texts.find(BASE_LABEL)
            && profile.has_label(key)
        {
            map_labels(profile, |labels| {
                labels.iter().filter(|label| label.key != key).copied().collect()
            });
        }
    }

    fn graph_options<'a>(&self, tag_unit: &'a str, shown: &'a str) -> GraphOptions<'a> {
        let with_objects = matches!(self.view, View::List | View::Callgrind | View::Raw);
        GraphOptions {
            index: self.index,
            mean: self.config.mean,
            with_objects,
            drop_negative: self.config.drop_negative,
            with_edges: true,
            with_tags: self.view == View::Dot,
            tag_units: (tag_unit, shown),
        }
    }

    fn is_call_tree(&self) -> bool {
        self.config.call_tree && matches!(self.view, View::Dot | View::Callgrind)
    }

    /// The unit of the label `bytes`, the only number that graphs show; empty if it has none.
    fn bytes_unit(&self) -> String {
        let bytes = self.profile.texts.find("bytes").and_then(|key| self.units.get(&key));
        bytes.cloned().unwrap_or_default()
    }

    fn new_graph(&mut self, kept: Option<&NodeSet>, with_edges: bool) -> Graph {
        self.clean_for_graph();
        let tag_unit = self.bytes_unit();
        let shown = self.unit.clone();
        let options = GraphOptions { with_edges, ..self.graph_options(&tag_unit, &shown) };
        match self.is_call_tree() {
            true => Graph::new_tree(&mut self.profile, &options, kept),
            false => Graph::new(&mut self.profile, &options, kept),
        }
    }

    /// The graph without what the options leave out (`report.go`, newTrimmedGraph).
    fn trimmed_graph(&mut self) -> Trimmed {
        let is_picture = self.view == View::Dot;
        let is_tree = self.is_call_tree();
        // Edges are the costly part, and which nodes matter is seen without them.
        let may_drop = !is_tree && self.config.nodefraction != 0.0;
        let mut graph = self.new_graph(None, !may_drop);
        let total = graph.flat_sum();
        let cutoff = |fraction: f64| to_int(total as f64 * fraction).wrapping_abs();
        let node_cutoff = cutoff(self.config.nodefraction);
        let edge_cutoff = cutoff(self.config.edgefraction);
        let mut dropped_nodes = 0;
        let mut has_edges = !may_drop;
        if node_cutoff > 0 {
            let kept = graph.above(node_cutoff);
            if kept.len() != graph.shown.len() {
                if is_tree {
                    dropped_nodes = graph.shown.len() - kept.len();
                    graph.trim_tree(&kept, &self.profile.texts);
                } else {
                    let infos = graph.infos(&kept);
                    dropped_nodes = graph.shown.len() - infos.len();
                    graph = self.new_graph(Some(&infos), true);
                    has_edges = true;
                }
            }
        }
        if !has_edges {
            graph = self.new_graph(None, true);
        }
        let original_count = graph.shown.len();
        let by_cum = self.config.cum;
        graph.sort(&self.profile.texts, by_cum, is_picture);
        if let Ok(count @ 1..) = usize::try_from(self.config.nodecount) {
            graph.trim_tags(node_cutoff);
            graph.trim_edges(edge_cutoff);
            let kept = graph.top(count, is_picture);
            if kept.len() != graph.shown.len() {
                if is_tree {
                    graph.trim_tree(&kept, &self.profile.texts);
                } else {
                    let infos = graph.infos(&kept);
                    graph = self.new_graph(Some(&infos), true);
                }
                graph.sort(&self.profile.texts, by_cum, is_picture);
            }
        }
        graph.trim_tags(node_cutoff);
        let dropped_edges = graph.trim_edges(edge_cutoff);
        if is_picture {
            graph.remove_redundant_edges(&self.profile.texts);
        }
        self.select_unit(&graph);
        Trimmed { graph, original_count, dropped_nodes, dropped_edges }
    }

    /// Chooses the unit in which the smallest value still shows (`report.go`, selectOutputUnit).
    fn select_unit(&mut self, graph: &Graph) {
        if self.unit != "minimum" || graph.shown.is_empty() {
            return;
        }
        let smallest = graph
            .iter()
            .map(|node| match node.flat_value().wrapping_abs() {
                0 => node.cum_value().wrapping_abs(),
                flat => flat,
            })
            .filter(|&value| value > 0)
            .min();
        let smallest = self.divided(smallest.unwrap_or(self.total));
        let largest = self.divided(self.total);
        let unit_of = |value| units::scale(value, &self.sample_unit, "minimum").1;
        let (low, high) = (unit_of(smallest), unit_of(largest));
        // Callgrind has whole numbers only, so there the smallest unit is kept.
        let unit = if low != high
            && smallest.wrapping_mul(100) < largest
            && self.view != View::Callgrind
        {
            unit_of(smallest.wrapping_mul(100))
        } else {
            low
        };
        self.unit = if unit.is_empty() { self.sample_unit.clone() } else { unit.to_owned() };
    }
}

/// A graph, and what was left out of it.
struct Trimmed {
    graph: Graph,
    original_count: usize,
    dropped_nodes: usize,
    dropped_edges: usize,
}

/// What a view changes about the options (`driver.go`, applyCommandOverrides).
fn overridden(view: View, mut config: Config) -> Config {
    let mut trim = config.trim;
    match view {
        View::Peek => trim = false,
        View::List => {
            trim = false;
            config.granularity = "lines".into();
        }
        View::Top | View::TopProto if config.nodecount == -1 => config.nodecount = 0,
        _ if config.nodecount == -1 => config.nodecount = 80,
        _ => {}
    }
    if matches!(view, View::Proto | View::Raw | View::Callgrind) {
        trim = false;
        config.granularity = "addresses".into();
    }
    if !trim {
        config.nodecount = 0;
        config.nodefraction = 0.0;
        config.edgefraction = 0.0;
    }
    config
}

/// Forgets what the granularity does not tell apart (`driver.go`, aggregate).
fn aggregate(profile: &mut Profile, config: &Config) -> Result<(), String> {
    let (mut function, mut file, mut line, mut address) = (false, false, false, false);
    match config.granularity.as_str() {
        "" | "functions" => function = true,
        "addresses" if !config.noinlines => return Ok(()),
        "addresses" => (function, file, line, address) = (true, true, true, true),
        "lines" => (function, file, line) = (true, true, true),
        "files" => file = true,
        "filefunctions" => (function, file) = (true, true),
        other => return Err(format!("{other:?} is no granularity")),
    }
    for mapping in &mut profile.mappings {
        mapping.has_inline_frames &= !config.noinlines;
        mapping.has_functions &= function;
        mapping.has_filenames &= file;
        mapping.has_line_numbers &= line;
    }
    for known in &mut profile.functions {
        if !function {
            (known.name, known.system_name) = (Text::EMPTY, Text::EMPTY);
        }
        if !file {
            known.file = Text::EMPTY;
        }
    }
    for location in &mut profile.locations {
        if config.noinlines && location.lines.len() > 1 {
            location.lines.drain(..location.lines.len() - 1);
        }
        for known in &mut location.lines {
            if !line {
                known.line = 0;
            }
            if !line || !config.showcolumns {
                known.column = 0;
            }
        }
        if !address {
            location.address = 0;
        }
    }
    Ok(())
}
