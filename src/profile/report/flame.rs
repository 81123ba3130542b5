//! The stacks of a profile as a tree: flame graphs that are drawn elsewhere, as on a page.
//!
//! A difference has two sides, what was there before and what is there now; each is added up by itself, so that
//! what is gone shows.

use super::Report;
use crate::profile::graph::location_nodes;
use crate::profile::labels::LabelValue;
use crate::profile::prepare::BASE_LABEL;
use crate::profile::text::Text;
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

/// A tree of stacks. Narrow frames are left out with what is above them.
#[derive(Debug, Clone)]
pub struct FlameTree {
    /// Names of functions, each once.
    pub names: Vec<String>,
    /// Values of the label that was asked for, each once; the last may stand for several. Empty if no sample has
    /// the label.
    pub labels: Vec<String>,
    /// How much of the width of each frame is of each of these values; empty if there are none.
    pub shares: Vec<[i64; LABELS]>,
    /// The frames, each before those that it calls, these the widest first. The first one is none: it is the
    /// sum of all stacks.
    pub nodes: Vec<FlameNode>,
    /// Whether there are values of before.
    pub is_difference: bool,
    /// How many frames are left out.
    pub left_out: usize,
}

/// A frame. All values are in the unit of the profile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlameNode {
    /// Its name, an index of `names`.
    pub name: u32,
    /// The frame that it is called by, an index of `nodes`; of the first one itself.
    pub parent: u32,
    /// What ends in this frame now, and what did before.
    pub own: [i64; 2],
    /// With what it calls, now and before.
    pub all: [i64; 2],
    /// How wide it is: of each stack the greater of both sides, added up.
    pub width: i64,
}

/// Most values of a label that are told apart; what is beyond them is the last one.
const LABELS: usize = 8;

/// Narrower frames than this part of all are left out.
const NARROWEST: i64 = 5000;
/// Most frames; of more the narrowest are left out.
const MAX_NODES: usize = 40_000;
/// So many letters of a name are kept.
const MAX_NAME: usize = 4096;

impl Report {
    /// Computes the tree; with the values of the text label `label`.
    pub fn flame_tree(&mut self, label: &str) -> FlameTree {
        let (nodes, map) = location_nodes(&mut self.profile, false, None);
        let key = self.profile.texts.find(label);
        let base_key = self.profile.texts.find(BASE_LABEL);
        let mut growing = Growing::new(key.is_some());
        let names: Vec<u32> = nodes
            .iter()
            .map(|node| growing.names.number(node.info.printable_name(&self.profile.texts)))
            .collect();
        for sample in 0..self.profile.samples.len() {
            let mut at = 0;
            for &location in self.profile.samples.stack(sample).iter().rev() {
                for &node in map.get(location).iter().rev() {
                    at = growing.child(at, names[node as usize]);
                }
            }
            if at == 0 {
                continue;
            }
            let labels = self.profile.labels(sample);
            let text = |wanted: Option<Text>| {
                let found = labels.iter().find(|label| Some(label.key) == wanted);
                match found.map(|label| label.value) {
                    Some(LabelValue::Text(text)) => Some(text),
                    _ => None,
                }
            };
            let label = text(key).map_or("", |text| &self.profile.texts[text]);
            let label = if key.is_some() { growing.label(label) } else { 0 };
            let value = self.divided(self.value_of(sample));
            growing.add(at, value, text(base_key).is_some(), label);
        }
        growing.finish()
    }
}

/// Texts with numbers.
#[derive(Default)]
struct Numbered {
    numbers: FxHashMap<String, u32>,
    texts: Vec<String>,
}

impl Numbered {
    fn number(&mut self, text: String) -> u32 {
        match self.numbers.entry(text) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let number = self.texts.len() as u32;
                self.texts.push(new.key().clone());
                *new.insert(number)
            }
        }
    }
}

/// A tree that is being made, in the order in which frames come.
struct Growing {
    names: Numbered,
    labels: Vec<String>,
    nodes: Vec<FlameNode>,
    /// Sums of the samples that end in a frame, without the mark of a base and with it.
    sums: Vec<[i64; 2]>,
    /// What of each frame's samples has which label; empty if labels are not wanted.
    shares: Vec<[i64; LABELS]>,
    children: FxHashMap<(u32, u32), u32>,
}

impl Growing {
    fn new(has_labels: bool) -> Growing {
        let mut names = Numbered::default();
        names.number("root".into());
        Growing {
            names,
            labels: Vec::new(),
            nodes: vec![FlameNode::default()],
            sums: vec![[0; 2]],
            shares: if has_labels { vec![[0; LABELS]] } else { Vec::new() },
            children: FxHashMap::default(),
        }
    }

    fn child(&mut self, parent: u32, name: u32) -> u32 {
        let new = self.nodes.len() as u32;
        let at = *self.children.entry((parent, name)).or_insert(new);
        if at == new {
            self.nodes.push(FlameNode { name, parent, ..FlameNode::default() });
            self.sums.push([0; 2]);
            if !self.shares.is_empty() {
                self.shares.push([0; LABELS]);
            }
        }
        at
    }

    /// The number of a label's value.
    fn label(&mut self, text: &str) -> usize {
        if let Some(known) = self.labels.iter().position(|known| known == text) {
            return known;
        }
        match self.labels.len() {
            room if room < LABELS - 1 => self.labels.push(text.to_owned()),
            room if room == LABELS - 1 => self.labels.push("others".into()),
            _ => {}
        }
        self.labels.len() - 1
    }

    fn add(&mut self, at: u32, value: i64, is_base: bool, label: usize) {
        let sum = &mut self.sums[at as usize][usize::from(is_base)];
        *sum = sum.saturating_add(value);
        if let Some(shares) = self.shares.get_mut(at as usize) {
            shares[label] = shares[label].saturating_add(value.saturating_abs());
        }
    }

    fn finish(mut self) -> FlameTree {
        let mut is_difference = false;
        for (node, sums) in self.nodes.iter_mut().zip(&self.sums) {
            for &sum in sums {
                let side = usize::from(sum < 0);
                is_difference |= sum < 0;
                node.own[side] = node.own[side].saturating_add(sum.saturating_abs());
            }
            node.all = node.own;
            node.width = node.own[0].max(node.own[1]);
        }
        // Who calls stands before whom it calls.
        for at in (1..self.nodes.len()).rev() {
            let FlameNode { parent, all, width, .. } = self.nodes[at];
            let into = &mut self.nodes[parent as usize];
            into.width = into.width.saturating_add(width);
            for (sum, value) in into.all.iter_mut().zip(all) {
                *sum = sum.saturating_add(value);
            }
            if let Some(&shares) = self.shares.get(at) {
                for (sum, value) in self.shares[parent as usize].iter_mut().zip(shares) {
                    *sum = sum.saturating_add(value);
                }
            }
        }
        let (nodes, names, kept) = self.kept();
        let left_out = self.nodes.len() - nodes.len();
        let shares = match self.labels.iter().any(|label| !label.is_empty()) {
            true => kept.iter().filter_map(|&at| self.shares.get(at as usize).copied()).collect(),
            false => Vec::new(),
        };
        let labels = if shares.is_empty() { Vec::new() } else { self.labels };
        FlameTree { names, labels, shares, nodes, is_difference, left_out }
    }

    /// The wide frames in the order in which they are handed out, the names that they have, and which they are.
    fn kept(&self) -> (Vec<FlameNode>, Vec<String>, Vec<u32>) {
        let mut narrowest = (self.nodes[0].width / NARROWEST).max(1);
        // No frame is wider than the one that calls it, so what is left is a tree, too.
        let is_kept = |node: &&FlameNode, narrowest| node.width >= narrowest;
        let count = |narrowest| self.nodes.iter().filter(|node| is_kept(node, narrowest)).count();
        while narrowest < self.nodes[0].width / 8 && count(narrowest) > MAX_NODES {
            narrowest *= 2;
        }
        let mut children: Vec<Vec<u32>> = vec![Vec::new(); self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate().skip(1) {
            if is_kept(&node, narrowest) {
                children[node.parent as usize].push(at as u32);
            }
        }
        let texts = &self.names.texts;
        let (mut nodes, mut names, mut kept) = (Vec::new(), Vec::<String>::new(), Vec::new());
        let mut known: FxHashMap<u32, u32> = FxHashMap::default();
        let mut waiting = vec![(0u32, 0u32)];
        while let Some((at, parent)) = waiting.pop() {
            // Stacks of so many frames are none of a program.
            if nodes.len() == MAX_NODES {
                break;
            }
            let node = self.nodes[at as usize];
            let name = *known.entry(node.name).or_insert_with(|| {
                names.push(texts[node.name as usize].chars().take(MAX_NAME).collect());
                names.len() as u32 - 1
            });
            let number = nodes.len() as u32;
            nodes.push(FlameNode { name, parent, ..node });
            kept.push(at);
            let below = &mut children[at as usize];
            let by_width = |at: u32| (self.nodes[at as usize].width, at);
            below.sort_by(|&a, &b| {
                let name = |at: u32| &texts[self.nodes[at as usize].name as usize];
                by_width(a).0.cmp(&by_width(b).0).then_with(|| name(b).cmp(name(a)))
            });
            waiting.extend(below.iter().map(|&child| (child, number)));
        }
        (nodes, names, kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of stacks: names from the root on, value, whether it is of the base, label.
    fn tree(stacks: &[(&str, i64, bool, &str)]) -> FlameTree {
        let mut growing = Growing::new(true);
        for &(stack, value, is_base, label) in stacks {
            let mut at = 0;
            for name in stack.split(';') {
                let name = growing.names.number(name.into());
                at = growing.child(at, name);
            }
            let label = growing.label(label);
            growing.add(at, value, is_base, label);
        }
        growing.finish()
    }

    /// Name, parent, own values, values, width.
    type Shown<'a> = (&'a str, u32, [i64; 2], [i64; 2], i64);

    fn shown(tree: &FlameTree) -> Vec<Shown<'_>> {
        let one = |node: &FlameNode| {
            (&*tree.names[node.name as usize], node.parent, node.own, node.all, node.width)
        };
        tree.nodes.iter().map(one).collect()
    }

    #[test]
    fn frames_come_before_what_they_call_and_the_widest_first() {
        let tree = tree(&[("a;b", 1, false, ""), ("a;c;d", 5, false, ""), ("a", 2, false, "")]);
        let want = [
            ("root", 0, [0, 0], [8, 0], 8),
            ("a", 0, [2, 0], [8, 0], 8),
            ("c", 1, [0, 0], [5, 0], 5),
            ("d", 2, [5, 0], [5, 0], 5),
            ("b", 1, [1, 0], [1, 0], 1),
        ];
        assert_eq!(shown(&tree), want);
        assert!(!tree.is_difference && tree.left_out == 0);
    }

    #[test]
    fn a_difference_keeps_what_is_gone() {
        let tree =
            tree(&[("a;gone", -7, true, ""), ("a;less", 2, false, ""), ("a;less", -5, true, "")]);
        let want = [
            ("root", 0, [0, 0], [2, 12], 12),
            ("a", 0, [0, 0], [2, 12], 12),
            ("gone", 1, [0, 7], [0, 7], 7),
            ("less", 1, [2, 5], [2, 5], 5),
        ];
        assert_eq!(shown(&tree), want);
        assert!(tree.is_difference);
    }

    #[test]
    fn narrow_frames_are_left_out_and_numbers_may_be_of_any_size() {
        let tree =
            tree(&[("a", i64::MAX, false, ""), ("b", i64::MAX, false, ""), ("c", 1, false, "")]);
        assert_eq!((tree.nodes.len(), tree.left_out), (3, 1));
        assert_eq!(tree.nodes[0].all[0], i64::MAX);
        let many: Vec<String> = (0..100_000).map(|at| format!("f{at}")).collect();
        let many: Vec<_> = many.iter().map(|name| (&**name, 1, false, "")).collect();
        assert_eq!(self::tree(&many).nodes.len(), 1);
    }

    #[test]
    fn frames_tell_what_of_them_has_which_label() {
        let tree = tree(&[
            ("f;g", 4, false, "running"),
            ("f;g", 1, false, "waiting"),
            ("f;h", 2, false, "waiting"),
        ]);
        let shares: Vec<&[i64]> = tree.shares.iter().map(|shares| &shares[..2]).collect();
        assert_eq!(shares, [[4, 3], [4, 3], [4, 1], [0, 2]]);
        assert_eq!(tree.labels, ["running", "waiting"]);
        assert!(self::tree(&[("f", 1, false, "")]).labels.is_empty());
        let many: Vec<String> = (0..20).map(|at| at.to_string()).collect();
        let many: Vec<_> = many.iter().map(|label| ("f", 1, false, &**label)).collect();
        let tree = self::tree(&many);
        assert_eq!((tree.labels.len(), tree.shares[0][7]), (8, 13));
    }
}
