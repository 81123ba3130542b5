//! Samples to a tree: what is reached on different ways is different.

use super::build::{GraphOptions, SetTags, location_nodes, weight};
use super::node::{Edge, Graph, Node};
use super::tags::TagNames;
use super::trim::NodeSet;
use crate::profile::model::Profile;
use rustc_hash::FxHashMap;

/// No node: the parent of roots.
const ROOT: u32 = u32::MAX;

impl Graph {
    /// The tree of all samples (`graph.go`, newTree). Nodes are told apart by what they are and by
    /// their parent.
    pub fn new_tree(
        profile: &mut Profile,
        options: &GraphOptions<'_>,
        kept: Option<&NodeSet>,
    ) -> Graph {
        let (kinds, map) = location_nodes(profile, options.with_objects, kept);
        let profile = &*profile;
        let mut tree = Tree { kinds: &kinds, graph: Graph::default(), ids: FxHashMap::default() };
        let mut tag_names = TagNames::default();
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
            let mut parent = ROOT;
            for &location in profile.samples.stack(sample).iter().rev() {
                let of_location = map.get(location);
                for (index, &kind) in of_location.iter().enumerate().rev() {
                    if kind == super::build::NO_NODE {
                        continue;
                    }
                    let is_inline = index + 1 != of_location.len();
                    let node = tree.child(parent, kind);
                    let added = &mut tree.graph.nodes[node as usize];
                    added.add_sample((value, divisor), tags, false);
                    if parent != ROOT {
                        let edge = tree.edge(parent, node);
                        edge.weight = edge.weight.wrapping_add(value);
                        edge.weight_div = edge.weight_div.wrapping_add(divisor);
                        edge.is_inline &= is_inline;
                    }
                    parent = node;
                }
            }
            if parent != ROOT {
                let leaf = &mut tree.graph.nodes[parent as usize];
                leaf.add_sample((value, divisor), tags, true);
            }
        }
        let mut graph = Graph { tag_names, ..tree.graph };
        graph.select(options.drop_negative);
        graph
    }
}

struct Tree<'a> {
    /// What nodes can be, by number.
    kinds: &'a [Node],
    graph: Graph,
    ids: FxHashMap<(u32, u32), u32>,
}

impl Tree<'_> {
    /// The node of a kind below a parent.
    fn child(&mut self, parent: u32, kind: u32) -> u32 {
        if let Some(&known) = self.ids.get(&(parent, kind)) {
            return known;
        }
        let id = self.graph.nodes.len() as u32;
        let info = self.kinds[kind as usize].info;
        self.graph.nodes.push(Node { info, function: id, ..Node::default() });
        self.ids.insert((parent, kind), id);
        let function = self.kinds[kind as usize].function;
        if function != kind {
            self.graph.nodes[id as usize].function = self.child(parent, function);
        }
        id
    }

    /// The edge to a node from its parent; made when first a sample takes it.
    fn edge(&mut self, parent: u32, node: u32) -> &mut Edge {
        let graph = &mut self.graph;
        let id = match graph.nodes[node as usize].incoming.first() {
            Some(&known) => known,
            None => {
                let id = graph.edges.len() as u32;
                graph.edges.push(Edge {
                    from: parent,
                    to: node,
                    weight: 0,
                    weight_div: 0,
                    is_residual: false,
                    is_inline: true,
                });
                graph.nodes[parent as usize].outgoing.push(id);
                graph.nodes[node as usize].incoming.push(id);
                id
            }
        };
        &mut graph.edges[id as usize]
    }
}
