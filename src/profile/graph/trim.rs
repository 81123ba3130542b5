//! Leaving out what matters little.

use super::node::{Graph, NodeInfo};
use crate::profile::text::Texts;
use rustc_hash::{FxHashMap, FxHashSet};

/// Nodes to keep, by what they are.
pub type NodeSet = FxHashSet<NodeInfo>;

/// How many labels of each kind a node of a picture has at most.
pub const MAX_NODELETS: usize = 4;

impl Graph {
    /// The nodes whose cumulative value is at least `cutoff` (`graph.go`, getNodesAboveCumCutoff).
    pub fn above(&self, cutoff: i64) -> Vec<u32> {
        let is_above = |id: &u32| self.nodes[*id as usize].cum.wrapping_abs() >= cutoff;
        self.shown.iter().copied().filter(is_above).collect()
    }

    /// What these nodes are.
    pub fn infos(&self, nodes: &[u32]) -> NodeSet {
        nodes.iter().map(|&id| self.nodes[id as usize].info).collect()
    }

    /// Leaves out labels of less weight.
    pub fn trim_tags(&mut self, cutoff: i64) {
        for &id in &self.shown {
            let node = &mut self.nodes[id as usize];
            node.label_tags.trim(cutoff);
            node.numeric_tags.values_mut().for_each(|tags| tags.trim(cutoff));
        }
    }

    /// Leaves out edges of less weight; returns how many those were.
    pub fn trim_edges(&mut self, cutoff: i64) -> usize {
        let mut dropped = Vec::new();
        for &id in &self.shown {
            let incoming = &self.nodes[id as usize].incoming;
            dropped.extend(
                incoming
                    .iter()
                    .copied()
                    .filter(|&edge| self.edges[edge as usize].weight.wrapping_abs() < cutoff),
            );
        }
        dropped.iter().for_each(|&edge| self.remove_edge(edge));
        dropped.len()
    }

    /// The first `count` nodes. In a picture their labels count as nodes too (`graph.go`,
    /// selectTopNodes).
    pub fn top(&self, count: usize, is_picture: bool) -> Vec<u32> {
        let mut most = count;
        if is_picture {
            let mut sum = 0;
            for (index, node) in self.iter().enumerate() {
                let numbers: usize =
                    node.numeric_tags.values().map(super::TagMap::count_flat).sum();
                sum += (node.label_tags.count_flat() + numbers).min(MAX_NODELETS) + 1;
                if sum >= count {
                    most = index + 1;
                    break;
                }
            }
        }
        self.shown[..most.min(self.shown.len())].to_vec()
    }

    /// Leaves a tree these nodes; the children of others become those of their parents
    /// (`graph.go`, TrimTree).
    pub fn trim_tree(&mut self, kept: &[u32], texts: &Texts) {
        let kept: FxHashSet<u32> = kept.iter().copied().collect();
        let old = std::mem::take(&mut self.shown);
        for id in old {
            if kept.contains(&id) {
                self.shown.push(id);
                continue;
            }
            let outgoing = self.nodes[id as usize].outgoing.clone();
            let Some(&incoming) = self.nodes[id as usize].incoming.first() else {
                for edge in outgoing {
                    let child = self.edges[edge as usize].to;
                    self.nodes[child as usize].incoming.clear();
                }
                continue;
            };
            let parent = self.edges[incoming as usize].from;
            let is_inline = self.edges[incoming as usize].is_inline;
            self.nodes[parent as usize].outgoing.retain(|&edge| edge != incoming);
            for edge in outgoing {
                let moved = &mut self.edges[edge as usize];
                moved.from = parent;
                moved.is_residual = true;
                moved.is_inline &= is_inline;
                self.nodes[parent as usize].outgoing.push(edge);
            }
        }
        self.remove_redundant_edges(texts);
    }

    /// Removes edges over left-out nodes where there is another way (`graph.go`,
    /// RemoveRedundantEdges), from the lightest node and edge on.
    pub fn remove_redundant_edges(&mut self, texts: &Texts) {
        for index in (0..self.shown.len()).rev() {
            let node = &self.nodes[self.shown[index] as usize];
            let incoming = self.sorted_edges(&node.incoming, texts);
            for &edge in incoming.iter().rev() {
                // An edge heavier than one that is none of these stays, else it would confuse.
                if !self.edges[edge as usize].is_residual {
                    break;
                }
                if self.is_redundant(edge) {
                    self.remove_edge(edge);
                }
            }
        }
    }

    /// Whether there is another way from one end to the other.
    fn is_redundant(&self, edge: u32) -> bool {
        let (from, to) = (self.edges[edge as usize].from, self.edges[edge as usize].to);
        let mut seen: FxHashMap<u32, ()> = FxHashMap::default();
        seen.insert(to, ());
        let mut queue = std::collections::VecDeque::from([to]);
        while let Some(node) = queue.pop_front() {
            for &other in &self.nodes[node as usize].incoming {
                let source = self.edges[other as usize].from;
                if other == edge || seen.contains_key(&source) {
                    continue;
                }
                if source == from {
                    return true;
                }
                seen.insert(source, ());
                queue.push_back(source);
            }
        }
        false
    }
}
