//! `traces`: every sample; and stacks for flame graphs.

use super::Report;
use crate::profile::graph::location_nodes;
use crate::profile::labels::{LabelValue, number_labels, text_labels};
use crate::profile::text::Text;
use crate::profile::units;
use rustc_hash::FxHashMap;
use std::io::{self, Write};

/// Every sample.
#[derive(Debug, Clone)]
pub struct Traces {
    /// What the profile is.
    pub labels: Vec<String>,
    /// The samples that have a stack.
    pub traces: Vec<Trace>,
}

/// A sample.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Its labels: key, and values as shown.
    pub labels: Vec<(String, Vec<String>)>,
    /// Its value.
    pub value: i64,
    /// Its value as shown.
    pub text: String,
    /// Its stack, the leaf first.
    pub stack: Vec<TraceFrame>,
}

/// A frame of a stack.
#[derive(Debug, Clone)]
pub struct TraceFrame {
    /// The function.
    pub name: String,
    /// Whether it was inlined into the next one.
    pub is_inline: bool,
}

impl Report {
    /// Computes `traces` (`report.go`, printTraces).
    pub fn traces(&mut self) -> Traces {
        let (nodes, map) = location_nodes(&mut self.profile, false, None);
        let names: Vec<String> =
            nodes.iter().map(|node| node.info.printable_name(&self.profile.texts)).collect();
        let mut traces = Vec::new();
        for sample in 0..self.profile.samples.len() {
            let mut stack = Vec::new();
            for &location in self.profile.samples.stack(sample) {
                let of_location = map.get(location);
                for (index, &node) in of_location.iter().enumerate() {
                    let is_inline = index + 1 != of_location.len();
                    stack.push(TraceFrame { name: names[node as usize].clone(), is_inline });
                }
            }
            if stack.is_empty() {
                continue;
            }
            let value = self.value_of(sample);
            let text = self.format(value);
            traces.push(Trace { labels: self.shown_labels(sample), value, text, stack });
        }
        Traces { labels: self.profile_labels(), traces }
    }

    /// The value of a sample, as an average if one is wanted.
    pub(super) fn value_of(&self, sample: usize) -> i64 {
        let values = self.profile.samples.values(sample);
        match values[0] {
            divisor if self.config.mean && divisor != 0 => values[self.index].wrapping_div(divisor),
            _ => values[self.index],
        }
    }

    fn shown_labels(&self, sample: usize) -> Vec<(String, Vec<String>)> {
        let labels = self.profile.labels(sample);
        let texts = &self.profile.texts;
        let mut shown: Vec<(String, Vec<String>)> = text_labels(labels, texts)
            .into_iter()
            .map(|(key, values)| (key.to_owned(), values.into_iter().map(String::from).collect()))
            .collect();
        // Go sorts the lines, in which keys are padded.
        shown.sort_by_cached_key(label_line);
        let mut numbers: Vec<(String, Vec<String>)> = number_labels(labels, texts)
            .into_iter()
            .map(|(key, values)| {
                let text = texts.find(key);
                let unit = text.and_then(|key| self.units.get(&key)).map_or("", |unit| unit);
                let shown = values.iter().map(|&(value, _)| units::label(value, unit)).collect();
                (key.to_owned(), shown)
            })
            .collect();
        numbers.sort_by_cached_key(label_line);
        shown.extend(numbers);
        shown
    }

    /// Equal stacks with the sum of their values: functions from the root to the leaf, joined by
    /// semicolons, as flame graph tools read them. Sorted by stack; sums of 0 are left out.
    pub fn folded(&mut self) -> Vec<(String, i64)> {
        self.fold(None).into_iter().map(|(stack, _, sum)| (stack, sum)).collect()
    }

    /// The same, apart for each value of a text label, which stands second; it is empty for samples
    /// without the label.
    pub fn folded_by(&mut self, label: &str) -> Vec<(String, String, i64)> {
        let key = self.profile.texts.find(label);
        self.fold(key)
    }

    fn fold(&mut self, key: Option<Text>) -> Vec<(String, String, i64)> {
        let (nodes, map) = location_nodes(&mut self.profile, false, None);
        let name = |info: &crate::profile::graph::NodeInfo| {
            info.printable_name(&self.profile.texts).replace([';', '\n'], ":")
        };
        let names: Vec<String> = nodes.iter().map(|node| name(&node.info)).collect();
        let mut sums: FxHashMap<Text, FxHashMap<String, i64>> = FxHashMap::default();
        let mut stack = String::new();
        for sample in 0..self.profile.samples.len() {
            stack.clear();
            for &location in self.profile.samples.stack(sample).iter().rev() {
                for &node in map.get(location).iter().rev() {
                    if !stack.is_empty() {
                        stack.push(';');
                    }
                    stack.push_str(&names[node as usize]);
                }
            }
            let value = self.divided(self.value_of(sample));
            let label = self.profile.labels(sample).iter().find(|label| Some(label.key) == key);
            let label = match label.map(|label| label.value) {
                Some(LabelValue::Text(text)) => text,
                _ => Text::EMPTY,
            };
            let sums = sums.entry(label).or_default();
            match sums.get_mut(stack.as_str()) {
                Some(sum) => *sum = sum.wrapping_add(value),
                None => {
                    sums.insert(stack.clone(), value);
                }
            }
        }
        let mut folded = Vec::new();
        for (label, sums) in sums {
            let label = &self.profile.texts[label];
            let shown = sums.into_iter().filter(|(stack, sum)| *sum != 0 && !stack.is_empty());
            folded.extend(shown.map(|(stack, sum)| (stack, label.to_owned(), sum)));
        }
        folded.sort();
        folded
    }
}

fn label_line((key, values): &(String, Vec<String>)) -> String {
    format!("{key:>10}:  {}\n", values.join(" "))
}

const SEPARATOR: &str = "-----------+-------------------------------------------------------";

impl Traces {
    /// Writes what pprof prints.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", self.labels.join("\n"))?;
        for trace in &self.traces {
            writeln!(out, "{SEPARATOR}")?;
            for label in &trace.labels {
                out.write_all(label_line(label).as_bytes())?;
            }
            for (index, frame) in trace.stack.iter().enumerate() {
                let value = if index == 0 { trace.text.as_str() } else { "" };
                let inline = if frame.is_inline { " (inline)" } else { "" };
                writeln!(out, "{value:>10}   {}{inline}", frame.name)?;
            }
        }
        writeln!(out, "{SEPARATOR}")
    }
}
