//! The order of nodes and edges.

use super::node::{Graph, Node};
use super::to_int;
use crate::profile::text::Texts;
use rustc_hash::FxHashMap;
use std::cmp::Ordering;

impl Graph {
    /// Sorts the nodes: for pictures by how much they tell, else by cumulative or flat value
    /// (`graph.go`, SortNodes).
    pub fn sort(&mut self, texts: &Texts, by_cum: bool, is_picture: bool) {
        let names = self.names(texts);
        let scores: FxHashMap<u32, i64> = self
            .shown
            .iter()
            .map(|&id| {
                let node = &self.nodes[id as usize];
                let score = match (is_picture, by_cum) {
                    (true, _) => self.entropy_score(node),
                    (false, true) => node.cum,
                    (false, false) => node.flat,
                };
                (id, score.wrapping_abs())
            })
            .collect();
        let second = |node: &Node| match is_picture || by_cum {
            true => node.flat.wrapping_abs(),
            false => node.cum.wrapping_abs(),
        };
        let mut shown = std::mem::take(&mut self.shown);
        shown.sort_by(|a, b| {
            let (left, right) = (&self.nodes[*a as usize], &self.nodes[*b as usize]);
            let by_name = || match (left.info.address, right.info.address) {
                (l, r) if l != 0 && r != 0 && l != r => l.cmp(&r),
                _ => names[a].cmp(&names[b]),
            };
            scores[b]
                .cmp(&scores[a])
                .then_with(by_name)
                .then_with(|| second(right).cmp(&second(left)))
        });
        self.shown = shown;
    }

    fn names(&self, texts: &Texts) -> FxHashMap<u32, String> {
        let name = |id: u32| self.nodes[id as usize].info.printable_name(texts);
        self.shown.iter().map(|&id| (id, name(id))).collect()
    }

    /// How important it is to show a node (`graph.go`, entropyScore): one that only passes on what
    /// it gets is not.
    fn entropy_score(&self, node: &Node) -> i64 {
        let mut score = 0.0;
        score += match node.incoming.is_empty() {
            true => 1.0,
            false => self.edge_entropy(&node.incoming, 0),
        };
        score += match node.outgoing.is_empty() {
            true => 1.0,
            false => self.edge_entropy(&node.outgoing, node.flat),
        };
        to_int(score * node.cum as f64).wrapping_add(node.flat)
    }

    /// `graph.go`, edgeEntropyScore.
    fn edge_entropy(&self, edges: &[u32], own: i64) -> f64 {
        let weight = |edge: &u32| self.edges[*edge as usize].weight;
        let mut total = own;
        for edge in edges.iter().filter(|edge| weight(edge) > 0) {
            total = total.wrapping_add(weight(edge));
        }
        if total == 0 {
            return 0.0;
        }
        let part = |value: i64| {
            let share = value.wrapping_abs() as f64 / total as f64;
            -share * log2(share)
        };
        let mut score: f64 = edges.iter().map(|edge| part(weight(edge))).sum();
        if own > 0 {
            score += part(own);
        }
        score
    }

    /// Edges in the order in which they are shown (`graph.go`, EdgeMap.Sort).
    pub fn sorted_edges(&self, edges: &[u32], texts: &Texts) -> Vec<u32> {
        let name = |node: u32| self.nodes[node as usize].info.printable_name(texts);
        let mut sorted: Vec<(i64, u32)> = edges
            .iter()
            .map(|&edge| (self.edges[edge as usize].weight.wrapping_abs(), edge))
            .collect();
        sorted.sort_by(|(left, a), (right, b)| {
            right.cmp(left).then_with(|| {
                let (a, b) = (&self.edges[*a as usize], &self.edges[*b as usize]);
                // Names are only made where weights are equal.
                let order = |a, b| if a == b { Ordering::Equal } else { name(a).cmp(&name(b)) };
                order(a.from, b.from).then_with(|| order(a.to, b.to))
            })
        });
        sorted.into_iter().map(|(_, edge)| edge).collect()
    }
}

/// The logarithm as Go computes it, so that scores round alike (`math/log10.go`, log2).
fn log2(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() || value.is_subnormal() {
        return value.log2();
    }
    // value = fraction * 2^exponent with the fraction in [0.5, 1).
    let bits = value.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i64 - 1022;
    let fraction = f64::from_bits((bits & !(0x7ff << 52)) | (1022 << 52));
    if fraction == 0.5 {
        return (exponent - 1) as f64;
    }
    fraction.ln() * (1.0 / std::f64::consts::LN_2) + exponent as f64
}
