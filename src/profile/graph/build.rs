//! Samples to a graph.

use super::node::{Edge, Graph, Node, NodeInfo};
use super::tags::TagNames;
use super::trim::NodeSet;
use crate::profile::labels::{LabelSet, text_labels};
use crate::profile::model::{Line, Location, Profile};
use crate::profile::text::Text;
use crate::profile::{paths, units};
use rustc_hash::FxHashMap;

/// How samples are counted.
#[derive(Debug, Clone, Copy)]
pub struct GraphOptions<'a> {
    /// Which value.
    pub index: usize,
    /// Average over the first value.
    pub mean: bool,
    /// Tell functions of different programs apart.
    pub with_objects: bool,
    /// Leave out nodes whose values are negative.
    pub drop_negative: bool,
    /// Collect edges. They cost most of the time, and the first look at a profile, which only finds
    /// the nodes that matter, does without.
    pub with_edges: bool,
    /// Collect labels: only pictures show them.
    pub with_tags: bool,
    /// Unit of the label `bytes`, and the unit to show it in.
    pub tag_units: (&'a str, &'a str),
}

/// The nodes of each location, by its position: the innermost first; [`NO_NODE`] for those that
/// are left out.
pub struct LocationNodes {
    ends: Vec<u32>,
    nodes: Vec<u32>,
}

/// A node that is left out.
pub const NO_NODE: u32 = u32::MAX;

impl LocationNodes {
    /// The nodes of a location.
    #[inline(always)]
    pub fn get(&self, location: u32) -> &[u32] {
        let location = location as usize;
        let start = if location == 0 { 0 } else { self.ends[location - 1] };
        &self.nodes[start as usize..self.ends[location] as usize]
    }
}

/// Makes nodes of locations.
struct NodeMaker<'a> {
    with_objects: bool,
    kept: Option<&'a NodeSet>,
    /// The file of each function, cleaned.
    files: Vec<Text>,
    nodes: Vec<Node>,
    ids: FxHashMap<NodeInfo, u32>,
}

impl<'a> NodeMaker<'a> {
    fn new(profile: &mut Profile, with_objects: bool, kept: Option<&'a NodeSet>) -> Self {
        let mut known: FxHashMap<Text, Text> = FxHashMap::default();
        let texts = &mut profile.texts;
        let mut clean = |file: Text| {
            *known.entry(file).or_insert_with(|| {
                let cleaned = paths::clean(&texts[file]);
                texts.intern(&cleaned)
            })
        };
        let files = (profile.functions.iter())
            .map(
                |function| {
                    if function.file.is_empty() { Text::EMPTY } else { clean(function.file) }
                },
            )
            .collect();
        NodeMaker { with_objects, kept, files, nodes: Vec::new(), ids: FxHashMap::default() }
    }

    /// `graph.go`, nodeInfo.
    fn info(&self, profile: &Profile, location: &Location, line: Option<&Line>) -> NodeInfo {
        let object = profile.mapping_file(location);
        let Some(line) = line else {
            return NodeInfo { address: location.address, object, ..NodeInfo::default() };
        };
        let function = &profile.functions[line.function as usize];
        let mut info = NodeInfo {
            name: function.name,
            address: location.address,
            file: self.files[line.function as usize],
            line: line.line,
            column: line.column,
            ..NodeInfo::default()
        };
        if self.with_objects || function.name.is_empty() {
            info.object = object;
            info.start_line = function.start_line;
        }
        info
    }

    /// `graph.go`, FindOrInsertNode.
    fn node(&mut self, mut info: NodeInfo, is_checked: bool) -> u32 {
        if is_checked && self.kept.is_some_and(|kept| !kept.contains(&info)) {
            return NO_NODE;
        }
        if let Some(&known) = self.ids.get(&info) {
            return known;
        }
        let id = self.nodes.len() as u32;
        self.nodes.push(Node { info, function: id, ..Node::default() });
        self.ids.insert(info, id);
        if info.address != 0 || info.line != 0 {
            (info.address, info.line, info.column) = (0, 0, 0);
            self.nodes[id as usize].function = self.node(info, false);
        }
        id
    }
}

/// The nodes of all locations (`graph.go`, CreateNodes).
pub fn location_nodes(
    profile: &mut Profile,
    with_objects: bool,
    kept: Option<&NodeSet>,
) -> (Vec<Node>, LocationNodes) {
    let mut maker = NodeMaker::new(profile, with_objects, kept);
    let profile = &*profile;
    let mut map = LocationNodes { ends: Vec::new(), nodes: Vec::new() };
    for location in &profile.locations {
        if location.lines.is_empty() {
            let info = maker.info(profile, location, None);
            map.nodes.push(maker.node(info, true));
        }
        for line in &location.lines {
            let info = maker.info(profile, location, Some(line));
            map.nodes.push(maker.node(info, true));
        }
        map.ends.push(map.nodes.len() as u32);
    }
    (maker.nodes, map)
}

/// Value and divisor of a sample.
#[inline(always)]
pub fn weight(values: &[i64], options: &GraphOptions<'_>) -> (i64, i64) {
    (values[options.index], if options.mean { values[0] } else { 0 })
}

/// The tags that the samples of a label set give their nodes; names are those of [`TagNames`].
pub struct SetTags {
    /// All text labels, joined (`graph.go`, joinLabels); 0 if there are none.
    text: u32,
    /// Shown form and number of each `bytes` label.
    numbers: Vec<(u32, i64)>,
}

impl SetTags {
    pub fn new(
        profile: &Profile,
        set: LabelSet,
        options: &GraphOptions<'_>,
        names: &mut TagNames,
    ) -> SetTags {
        use crate::profile::labels::LabelValue;
        let labels = profile.label_sets.get(set);
        let mut texts: Vec<String> = Vec::new();
        for (key, values) in text_labels(labels, &profile.texts) {
            texts.extend(values.iter().map(|value| format!("{key}:{value}")));
        }
        texts.sort();
        let text = names.intern(texts.join("\\n"));
        let (unit, shown) = options.tag_units;
        let numbers = labels.iter().filter_map(|label| match label.value {
            LabelValue::Number(value, _) if profile.text(label.key) == "bytes" => {
                Some((names.intern(units::scaled_label(value, unit, shown)), value))
            }
            _ => None,
        });
        SetTags { numbers: numbers.collect(), text }
    }
}

impl Node {
    /// `graph.go`, addSample.
    pub fn add_sample(
        &mut self,
        (value, divisor): (i64, i64),
        tags: Option<&SetTags>,
        is_flat: bool,
    ) {
        let (sum, div) = match is_flat {
            true => (&mut self.flat, &mut self.flat_div),
            false => (&mut self.cum, &mut self.cum_div),
        };
        *sum = sum.wrapping_add(value);
        *div = div.wrapping_add(divisor);
        let Some(tags) = tags else { return };
        if tags.text != 0 {
            self.label_tags.find_or_add(tags.text, 0).add(divisor, value, is_flat);
        }
        if tags.numbers.is_empty() {
            return;
        }
        let numeric = self.numeric_tags.entry(tags.text).or_default();
        for &(name, number) in &tags.numbers {
            numeric.find_or_add(name, number).add(divisor, value, is_flat);
        }
    }
}

/// Edges by their ends.
#[derive(Default)]
struct Edges {
    list: Vec<Edge>,
    ids: FxHashMap<u64, u32>,
    /// The last sample that was counted for each edge.
    seen: Vec<u32>,
}

impl Edges {
    /// Counts a call for a sample, once (`graph.go`, AddToEdgeDiv).
    #[inline]
    fn add(&mut self, call: Edge, nodes: &mut [Node], sample: u32) {
        let id =
            *self.ids.entry(u64::from(call.from) << 32 | u64::from(call.to)).or_insert_with(|| {
                let id = self.list.len() as u32;
                self.list.push(Edge { weight: 0, weight_div: 0, ..call });
                self.seen.push(NO_NODE);
                nodes[call.from as usize].outgoing.push(id);
                nodes[call.to as usize].incoming.push(id);
                id
            }) as usize;
        if std::mem::replace(&mut self.seen[id], sample) == sample {
            return;
        }
        let edge = &mut self.list[id];
        edge.weight = edge.weight.wrapping_add(call.weight);
        edge.weight_div = edge.weight_div.wrapping_add(call.weight_div);
        edge.is_residual |= call.is_residual;
        edge.is_inline &= call.is_inline;
    }
}

impl Graph {
    /// The graph of all samples; with `kept`, of these nodes only (`graph.go`, newGraph).
    pub fn new(profile: &mut Profile, options: &GraphOptions<'_>, kept: Option<&NodeSet>) -> Graph {
        let (mut nodes, map) = location_nodes(profile, options.with_objects, kept);
        let profile = &*profile;
        let mut edges = Edges::default();
        let mut tag_names = TagNames::default();
        let mut seen = vec![NO_NODE; nodes.len()];
        let mut set_tags: Vec<Option<SetTags>> = Vec::new();
        set_tags.resize_with(profile.label_sets.len(), || None);
        for sample in 0..profile.samples.len() {
            let (value, divisor) = weight(profile.samples.values(sample), options);
            if value == 0 && divisor == 0 {
                continue;
            }
            let set = profile.samples.labels(sample);
            let tags = options.with_tags.then(|| {
                &*set_tags[set.index()]
                    .get_or_insert_with(|| SetTags::new(profile, set, options, &mut tag_names))
            });
            let number = sample as u32;
            let mut parent = NO_NODE;
            let mut is_residual = false;
            for &location in profile.samples.stack(sample).iter().rev() {
                let of_location = map.get(location);
                for (index, &node) in of_location.iter().enumerate().rev() {
                    if node == NO_NODE {
                        is_residual = true;
                        continue;
                    }
                    if std::mem::replace(&mut seen[node as usize], number) != number {
                        nodes[node as usize].add_sample((value, divisor), tags, false);
                    }
                    if options.with_edges && parent != NO_NODE && node != parent {
                        let call = Edge {
                            from: parent,
                            to: node,
                            weight: value,
                            weight_div: divisor,
                            is_residual,
                            is_inline: index + 1 != of_location.len(),
                        };
                        edges.add(call, &mut nodes, number);
                    }
                    parent = node;
                    is_residual = false;
                }
            }
            if parent != NO_NODE && !is_residual {
                nodes[parent as usize].add_sample((value, divisor), tags, true);
            }
        }
        let mut graph = Graph { nodes, edges: edges.list, shown: Vec::new(), tag_names };
        graph.select(options.drop_negative);
        graph
    }

    /// Shows the nodes that have a value (`graph.go`, selectNodesForGraph).
    pub fn select(&mut self, drop_negative: bool) {
        let is_shown = |node: &Node| {
            let is_negative = node.flat < 0 || (node.flat == 0 && node.cum < 0);
            (node.cum != 0 || node.flat != 0) && !(drop_negative && is_negative)
        };
        let numbers = 0..self.nodes.len() as u32;
        self.shown = numbers.filter(|&node| is_shown(&self.nodes[node as usize])).collect();
    }
}
