//! `tags`: labels and the values of the samples that have them. And `comments`.

use super::Report;
use super::columns::align_right;
use crate::profile::labels::LabelValue;
use crate::profile::units;
use indexmap::IndexMap;
use std::io::{self, Write};

/// All labels.
#[derive(Debug, Clone)]
pub struct Tags {
    /// One for each key, the heaviest first.
    pub groups: Vec<TagGroup>,
    /// What percentages are of, and as shown.
    pub total: (i64, String),
}

/// A key with its values.
#[derive(Debug, Clone)]
pub struct TagGroup {
    /// The key.
    pub key: String,
    /// Value of all samples that have it, and as shown.
    pub total: (i64, String),
    /// Each value with that of its samples and its shown form, the heaviest first.
    pub values: Vec<(String, i64, String)>,
}

impl Report {
    /// Computes `tags` (`report.go`, printTags).
    pub fn tags(&self) -> Tags {
        let profile = &self.profile;
        let mut keys: IndexMap<&str, (i64, IndexMap<String, i64>)> = IndexMap::new();
        for sample in 0..profile.samples.len() {
            let value = profile.samples.values(sample)[self.index];
            for label in profile.labels(sample) {
                let shown = match label.value {
                    LabelValue::Text(text) => profile.text(text).to_owned(),
                    LabelValue::Number(number, _) => {
                        let unit = self.units.get(&label.key).map_or("", |unit| unit);
                        units::scaled_label(number, unit, &self.unit)
                    }
                };
                let (total, values) = keys.entry(profile.text(label.key)).or_default();
                *total = total.wrapping_add(value);
                let sum = values.entry(shown).or_default();
                *sum = sum.wrapping_add(value);
            }
        }
        // Go sorts keys by a weight that it never counts, so by name.
        keys.sort_unstable_keys();
        let groups = keys.into_iter().map(|(key, (total, values))| {
            let mut values: Vec<(String, i64)> = values.into_iter().collect();
            // The heaviest first (`graph.go`, SortTags).
            values.sort_unstable_by(|(a, left), (b, right)| {
                right.wrapping_abs().cmp(&left.wrapping_abs()).then_with(|| a.cmp(b))
            });
            let values = values.into_iter().map(|(name, flat)| (name, flat, self.format(flat)));
            TagGroup {
                key: key.into(),
                total: (total, self.format(total)),
                values: values.collect(),
            }
        });
        Tags { groups: groups.collect(), total: (self.total, self.format(self.total)) }
    }

    /// Writes the remarks in the profile.
    pub fn write_comments(&self, out: &mut impl Write) -> io::Result<()> {
        let mut comments = self.profile.comments.iter();
        comments.try_for_each(|&comment| writeln!(out, "{}", self.profile.text(comment)))
    }
}

impl Tags {
    /// Writes what pprof prints.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let (total, total_text) = &self.total;
        let share = |value: i64| match *total > 0 {
            true => format!(" ({})", units::percentage(value, *total)),
            false => String::new(),
        };
        let mut text = String::new();
        for group in &self.groups {
            let (sum, sum_text) = &group.total;
            text += &format!("{}:\t Total {sum_text} of {total_text}{}\n", group.key, share(*sum));
            for (name, value, shown) in &group.values {
                text += &format!(" \t{shown}{}:\t {name}\n", share(*value));
            }
            text.push('\n');
        }
        align_right(&text, out)
    }
}
