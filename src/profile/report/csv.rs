//! Views for machines, as comma-separated values: the numbers of the JSON.

use super::{Report, View, ViewError};
use crate::profile::model::Profile;
use std::io::Write;

impl Report {
    /// Writes a view as comma-separated values, with a header line.
    ///
    /// # Errors
    /// If it shows nothing, or if `out` fails.
    pub fn write_csv(mut self, view: View, out: &mut impl Write) -> Result<(), ViewError> {
        let mut csv = csv::Writer::from_writer(out);
        let failed = |error: csv::Error| match error.into_kind() {
            csv::ErrorKind::Io(error) => ViewError::Io(error),
            other => ViewError::Failed(format!("{other:?}")),
        };
        let mut row = |cells: &[&str]| csv.write_record(cells).map_err(failed);
        match view {
            View::Top | View::TopProto => {
                row(&["function", "inline", "flat", "cum"])?;
                for item in self.top().items {
                    let inline = item.inline.trim_matches(['(', ')']);
                    row(&[&item.name, inline, &item.flat.to_string(), &item.cum.to_string()])?;
                }
            }
            View::Tree | View::Peek => {
                row(&["function", "relation", "neighbour", "inline", "value"])?;
                for node in self.tree().map_err(ViewError::Failed)?.nodes {
                    let name = &node.name;
                    row(&[name, "flat", "", "", &node.flat.0.to_string()])?;
                    row(&[name, "cum", "", "", &node.cum.0.to_string()])?;
                    for (relation, list) in [("caller", node.callers), ("callee", node.callees)] {
                        for one in list {
                            let inline = if one.is_inline { "inline" } else { "" };
                            row(&[name, relation, &one.name, inline, &one.weight.to_string()])?;
                        }
                    }
                }
            }
            View::List => {
                row(&["function", "file", "line", "flat", "cum", "text"])?;
                for function in self.list().map_err(ViewError::Failed)?.functions {
                    let Ok(lines) = &function.lines else {
                        // Without its source it is still known what it comes to.
                        let [flat, cum] =
                            [function.flat.0, function.cum.0].map(|value| value.to_string());
                        row(&[&function.name, &function.file, "", &flat, &cum, ""])?;
                        continue;
                    };
                    for line in lines {
                        let [number, flat, cum] =
                            [line.number, line.flat.0, line.cum.0].map(|value| value.to_string());
                        row(&[&function.name, &function.file, &number, &flat, &cum, &line.text])?;
                    }
                }
            }
            View::Traces => {
                row(&["sample", "value", "labels", "stack"])?;
                for (index, trace) in self.traces().traces.iter().enumerate() {
                    let labels: Vec<String> = trace
                        .labels
                        .iter()
                        .map(|(key, values)| format!("{key}={}", values.join(" ")))
                        .collect();
                    let stack: Vec<&str> = trace.stack.iter().map(|frame| &*frame.name).collect();
                    let (index, value) = ((index + 1).to_string(), trace.value.to_string());
                    row(&[&index, &value, &labels.join(";"), &stack.join(";")])?;
                }
            }
            View::Tags => {
                row(&["key", "name", "value"])?;
                for group in self.tags().groups {
                    for (name, value, _) in group.values {
                        row(&[&group.key, &name, &value.to_string()])?;
                    }
                }
            }
            View::Comments => {
                row(&["comment"])?;
                for &comment in &self.profile().comments {
                    row(&[self.profile().text(comment)])?;
                }
            }
            View::Dot | View::Callgrind => {
                row(&["from", "to", "inline", "residual", "value"])?;
                let dot = self.dot();
                let name = |id: &str| {
                    let found = dot.nodes.iter().find(|node| node.id == id);
                    found.map_or("", |node| &*node.name)
                };
                for edge in &dot.edges {
                    let (inline, residual) =
                        (edge.is_inline.to_string(), edge.is_dotted.to_string());
                    let value = edge.value.to_string();
                    row(&[name(&edge.from), name(&edge.to), &inline, &residual, &value])?;
                }
            }
            View::Folded => {
                row(&["stack", "value"])?;
                for (stack, value) in self.folded() {
                    row(&[&stack, &value.to_string()])?;
                }
            }
            View::Raw | View::Proto => raw_csv(&self.into_profile(), &mut row)?,
        }
        csv.flush()?;
        Ok(())
    }
}

/// A row for each sample: its values, and functions from the leaf to the root.
fn raw_csv(
    profile: &Profile,
    row: &mut impl FnMut(&[&str]) -> Result<(), ViewError>,
) -> Result<(), ViewError> {
    let mut names = profile.sample_type_names();
    names.push("stack");
    row(&names)?;
    for sample in 0..profile.samples.len() {
        let values = profile.samples.values(sample).iter().map(i64::to_string);
        let mut cells: Vec<String> = values.collect();
        let mut stack = Vec::new();
        for &frame in profile.samples.stack(sample) {
            let location = &profile.locations[frame as usize];
            if location.lines.is_empty() {
                stack.push(format!("{:#x}", location.address));
            }
            for line in &location.lines {
                let function = &profile.functions[line.function as usize];
                stack.push(profile.text(function.name).to_owned());
            }
        }
        cells.push(stack.join(";"));
        row(&cells.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    Ok(())
}
