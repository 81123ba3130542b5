//! Labels of the samples of a node, counted.

/// A value of a label, counted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tag {
    /// The value as shown.
    pub name: String,
    /// The unit of a number; empty for texts.
    pub unit: String,
    /// The number; 0 for texts.
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

impl Tag {
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

/// Tags with different names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TagMap(pub Vec<Tag>);

impl TagMap {
    /// The tag with this name.
    pub fn find_or_add(&mut self, name: &str, unit: &str, value: i64) -> &mut Tag {
        let at = self.0.iter().position(|tag| tag.name == name).unwrap_or_else(|| {
            let tag = Tag { name: name.into(), unit: unit.into(), value, ..Tag::default() };
            self.0.push(tag);
            self.0.len() - 1
        });
        &mut self.0[at]
    }

    /// Leaves out tags of less weight (`graph.go`, trimLowFreqTags).
    pub fn trim(&mut self, minimum: i64) {
        self.0
            .retain(|tag| tag.flat.wrapping_abs() >= minimum || tag.cum.wrapping_abs() >= minimum);
    }
}

/// The heaviest first (`graph.go`, SortTags).
pub fn sort(tags: &mut [Tag], by_flat: bool) {
    tags.sort_by(|a, b| {
        let cum = match by_flat {
            true => std::cmp::Ordering::Equal,
            false => b.cum.wrapping_abs().cmp(&a.cum.wrapping_abs()),
        };
        cum.then_with(|| b.flat.wrapping_abs().cmp(&a.flat.wrapping_abs()))
            .then_with(|| a.name.cmp(&b.name))
    });
}
