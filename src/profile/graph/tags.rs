//! Labels of the samples of a node, counted.

use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;

/// The names of the tags of a graph. The first one is empty.
#[derive(Debug, Clone)]
pub struct TagNames(IndexSet<String, FxBuildHasher>);

impl Default for TagNames {
    fn default() -> Self {
        TagNames([String::new()].into_iter().collect())
    }
}

impl TagNames {
    /// The number of a name.
    pub fn intern(&mut self, name: String) -> u32 {
        self.0.insert_full(name).0 as u32
    }

    fn get(&self, name: u32) -> &str {
        &self.0[name as usize]
    }
}

/// What was counted for a tag.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TagCount {
    /// The number, of the first sample; 0 for texts.
    pub value: i64,
    /// Value of samples that have the node as leaf.
    pub flat: i64,
    /// What `flat` is divided by; 0 for nothing.
    pub flat_div: i64,
    /// Value of samples that go through the node.
    pub cum: i64,
    /// What `cum` is divided by; 0 for nothing.
    pub cum_div: i64,
}

impl TagCount {
    /// `flat`, as an average if one is wanted.
    pub fn flat_value(&self) -> i64 {
        if self.flat_div == 0 { self.flat } else { self.flat.wrapping_div(self.flat_div) }
    }

    /// `cum`, as an average if one is wanted.
    pub fn cum_value(&self) -> i64 {
        if self.cum_div == 0 { self.cum } else { self.cum.wrapping_div(self.cum_div) }
    }

    /// Counts a sample.
    pub fn add(&mut self, divisor: i64, value: i64, is_flat: bool) {
        let (sum, div) = match is_flat {
            true => (&mut self.flat, &mut self.flat_div),
            false => (&mut self.cum, &mut self.cum_div),
        };
        *sum = sum.wrapping_add(value);
        *div = div.wrapping_add(divisor);
    }
}

/// A value of a label, counted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tag {
    /// The value as shown.
    pub name: String,
    /// The number of `name` in the graph; 0 for a joined tag.
    pub id: u32,
    /// What was counted.
    pub count: TagCount,
}

/// What was counted for tags with different names, in the order in which they came.
///
/// Names are numbers, as a node of a deep stack has the labels of every sample that goes through it.
#[derive(Debug, Clone, Default)]
pub struct TagMap(IndexMap<u32, TagCount, FxBuildHasher>);

impl TagMap {
    /// The count of the tag with this name.
    pub fn find_or_add(&mut self, name: u32, value: i64) -> &mut TagCount {
        self.0.entry(name).or_insert(TagCount { value, ..TagCount::default() })
    }

    /// Leaves out tags of less weight (`graph.go`, trimLowFreqTags).
    pub fn trim(&mut self, minimum: i64) {
        self.0.retain(|_, tag| {
            tag.flat.wrapping_abs() >= minimum || tag.cum.wrapping_abs() >= minimum
        });
    }

    /// How many have a value of their own.
    pub fn count_flat(&self) -> usize {
        self.0.values().filter(|tag| tag.flat != 0).count()
    }

    /// The tags with their names, the heaviest first.
    pub fn sorted(&self, names: &TagNames, by_flat: bool) -> Vec<Tag> {
        let tags = self.0.iter().map(|(&id, &count)| Tag { name: names.get(id).into(), id, count });
        let mut tags: Vec<Tag> = tags.collect();
        sort(&mut tags, by_flat);
        tags
    }
}

/// The heaviest first (`graph.go`, SortTags).
pub fn sort(tags: &mut [Tag], by_flat: bool) {
    tags.sort_by(|a, b| {
        let cum = match by_flat {
            true => std::cmp::Ordering::Equal,
            false => b.count.cum.wrapping_abs().cmp(&a.count.cum.wrapping_abs()),
        };
        cum.then_with(|| b.count.flat.wrapping_abs().cmp(&a.count.flat.wrapping_abs()))
            .then_with(|| a.name.cmp(&b.name))
    });
}
