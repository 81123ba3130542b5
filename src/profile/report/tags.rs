//! `tags`: labels and the values of the samples that have them. And `comments`.

use super::Report;
use crate::profile::graph::Tag;
use crate::profile::labels::LabelValue;
use crate::profile::{graph, units};
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
            let tags = values.into_iter().map(|(name, flat)| Tag { name, flat, ..Tag::default() });
            let mut tags: Vec<Tag> = tags.collect();
            graph::sort_tags(&mut tags, true);
            let values = tags.into_iter().map(|tag| {
                let text = self.format(tag.flat);
                (tag.name, tag.flat, text)
            });
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
    /// Writes what pprof prints. It prints through Go's `text/tabwriter`, with cells to the right and
    /// one space between: the first column of a group, which is as wide as its widest cell, is
    /// that of the key and of the values.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let (total, total_text) = &self.total;
        let share = |value: i64| match *total > 0 {
            true => format!(" ({})", units::percentage(value, *total)),
            false => String::new(),
        };
        for group in &self.groups {
            let (sum, sum_text) = &group.total;
            // A cell of tabwriter is text up to a tab; what follows the last tab of a line is none.
            let mut lines = vec![(
                vec![format!("{}:", group.key)],
                format!(" Total {sum_text} of {total_text}{}", share(*sum)),
            )];
            for (name, value, text) in &group.values {
                lines.push((
                    vec![" ".into(), format!("{text}{}:", share(*value))],
                    format!(" {name}"),
                ));
            }
            write_columns(out, &lines)?;
            writeln!(out)?;
        }
        Ok(())
    }
}

/// What `text/tabwriter` with AlignRight and padding 1 makes of lines of cells: a column is a run
/// of consecutive lines that have a cell there, as wide as the widest one and the padding.
fn write_columns(out: &mut impl Write, lines: &[(Vec<String>, String)]) -> io::Result<()> {
    let width = |text: &str| text.chars().count();
    let column_width = |line: usize, column: usize| {
        let has = |at: &usize| lines[*at].0.len() > column;
        let up = (0..=line).rev().take_while(has);
        let down = (line..lines.len()).take_while(has);
        up.chain(down).map(|at| width(&lines[at].0[column])).max().unwrap_or(0) + 1
    };
    for (line, (cells, rest)) in lines.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            let padding = column_width(line, column) - width(cell);
            write!(out, "{:padding$}{cell}", "")?;
        }
        // Text may hold tabs and line ends of its own; they are rare enough to go as they are.
        writeln!(out, "{rest}")?;
    }
    Ok(())
}
