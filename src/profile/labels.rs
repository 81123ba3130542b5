//! Labels of samples. Samples with equal labels share one set.

use super::text::{Text, Texts};
use rustc_hash::FxHashMap;

/// What a label says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LabelValue {
    /// A text.
    Text(Text),
    /// A number, with its unit; an empty unit is one that the profile does not tell.
    Number(i64, Text),
}

/// A label of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Label {
    /// Its name.
    pub key: Text,
    /// What it says.
    pub value: LabelValue,
}

/// The labels of a sample: its place in [`LabelSets`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct LabelSet(u32);

impl LabelSet {
    /// No labels.
    pub const EMPTY: LabelSet = LabelSet(0);

    /// Its number.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// All distinct sets of labels. A key may have several values, as in pprof; their order is kept.
#[derive(Debug, Clone)]
pub struct LabelSets {
    sets: Vec<Box<[Label]>>,
    ids: FxHashMap<Box<[Label]>, LabelSet>,
}

impl Default for LabelSets {
    fn default() -> Self {
        LabelSets {
            sets: vec![Box::default()],
            ids: [(Box::default(), LabelSet::EMPTY)].into_iter().collect(),
        }
    }
}

impl LabelSets {
    /// The set with these labels. The order of different keys does not matter.
    pub fn intern(&mut self, labels: &[Label]) -> LabelSet {
        if let Some(&id) = self.ids.get(labels) {
            return id;
        }
        let mut sorted = labels.to_vec();
        // Stable, so the values of one key keep their order. Texts come before numbers, which have
        // a table of their own in pprof.
        sorted.sort_by_key(|label| (matches!(label.value, LabelValue::Number(..)), label.key));
        let sorted: Box<[Label]> = sorted.into();
        let id = match self.ids.get(&sorted) {
            Some(&id) => id,
            None => {
                let id = LabelSet(self.sets.len() as u32);
                self.sets.push(sorted.clone());
                self.ids.insert(sorted, id);
                id
            }
        };
        // Bounds the table under both orders of the same labels.
        if self.ids.len() < 2 * self.sets.len() {
            self.ids.insert(labels.into(), id);
        }
        id
    }

    /// The labels of a set: texts first, by key, then numbers, by key.
    pub fn get(&self, set: LabelSet) -> &[Label] {
        &self.sets[set.index()]
    }

    /// How many sets there are.
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Never: the empty set is always there.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// All sets with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (LabelSet, &[Label])> {
        self.sets.iter().enumerate().map(|(index, set)| (LabelSet(index as u32), &**set))
    }

    /// Makes another set of each; returns the new number of every old one.
    pub fn map(
        &self,
        mut change: impl FnMut(&[Label]) -> Vec<Label>,
    ) -> (LabelSets, Vec<LabelSet>) {
        let mut changed = LabelSets::default();
        let ids = self.sets.iter().map(|set| changed.intern(&change(set))).collect();
        (changed, ids)
    }
}

/// The text labels of a set, one run of equal keys after the other, sorted by the letters of the
/// key as Go sorts them.
pub fn text_labels<'a>(labels: &[Label], texts: &'a Texts) -> Vec<(&'a str, Vec<&'a str>)> {
    by_key(labels, texts, |label| match label.value {
        LabelValue::Text(value) => Some(&texts[value]),
        LabelValue::Number(..) => None,
    })
}

/// The number labels of a set, likewise; each number with its unit.
pub fn number_labels<'a>(
    labels: &[Label],
    texts: &'a Texts,
) -> Vec<(&'a str, Vec<(i64, &'a str)>)> {
    by_key(labels, texts, |label| match label.value {
        LabelValue::Number(value, unit) => Some((value, &texts[unit])),
        LabelValue::Text(_) => None,
    })
}

/// Values by the letters of their keys, those of a key in the order of the labels.
fn by_key<'a, T>(
    labels: &[Label],
    texts: &'a Texts,
    value: impl Fn(&Label) -> Option<T>,
) -> Vec<(&'a str, Vec<T>)> {
    let keyed = labels.iter().filter_map(|label| Some((&texts[label.key], value(label)?)));
    let mut keyed: Vec<(&str, T)> = keyed.collect();
    keyed.sort_by(|a, b| a.0.cmp(b.0));
    let mut result: Vec<(&str, Vec<T>)> = Vec::new();
    for (key, value) in keyed {
        match result.last_mut() {
            Some((last, values)) if *last == key => values.push(value),
            _ => result.push((key, vec![value])),
        }
    }
    result
}
