//! Views for machines, as JSON. Values are integers in the unit of the profile; percentages are for
//! whoever reads them to compute. docs/pprof.md lists the keys.

use super::{Listing, Neighbour, Report, Tags, Top, Traces, Tree, View, ViewError};
use crate::profile::labels::LabelValue;
use crate::profile::model::{Location, Profile};
use serde_json::{Map, Value, json};
use std::io::Write;

impl Report {
    /// Writes a view as one object.
    ///
    /// # Errors
    /// If it shows nothing, or if `out` fails.
    pub fn write_json(mut self, view: View, out: &mut impl Write) -> Result<(), ViewError> {
        let mut object = Map::new();
        object.insert("sample_type".into(), self.sample_type().into());
        object.insert("unit".into(), self.sample_unit().into());
        object.insert("total".into(), self.total().into());
        let mut put = |key: &str, value: Value| object.insert(key.into(), value);
        match view {
            View::Top | View::TopProto => {
                let top = self.top();
                put("header", json!(top.labels));
                put("items", top_json(&top));
            }
            View::Tree | View::Peek => {
                let tree = self.tree().map_err(ViewError::Failed)?;
                put("header", json!(tree.labels));
                put("nodes", tree_json(&tree));
            }
            View::List => {
                put("functions", list_json(&self.list().map_err(ViewError::Failed)?));
            }
            View::Traces => {
                put("samples", traces_json(&self.traces()));
            }
            View::Tags => {
                put("tags", tags_json(&self.tags()));
            }
            View::Comments => {
                put("comments", comments_json(self.profile()));
            }
            View::Dot | View::Callgrind => {
                let dot = self.dot();
                put("header", json!(dot.legend));
                let nodes: Vec<Value> = dot
                    .nodes
                    .iter()
                    .filter(|node| node.tie.is_none())
                    .map(|node| {
                        json!({ "id": node.id, "function": node.name, "flat": node.values.0, "cum": node.values.1 })
                    })
                    .collect();
                put("nodes", nodes.into());
                let edges: Vec<Value> = dot
                    .edges
                    .iter()
                    .map(|edge| {
                        json!({ "from": edge.from, "to": edge.to, "value": edge.value, "inline": edge.is_inline, "residual": edge.is_dotted })
                    })
                    .collect();
                put("edges", edges.into());
            }
            View::Folded => {
                let stacks: Vec<Value> = self
                    .folded()
                    .into_iter()
                    .map(|(stack, value)| {
                        json!({ "stack": stack.split(';').collect::<Vec<_>>(), "value": value })
                    })
                    .collect();
                put("stacks", stacks.into());
            }
            View::Raw | View::Proto => return write_profile(&self.into_profile(), out),
        }
        serde_json::to_writer_pretty(&mut *out, &object).map_err(std::io::Error::from)?;
        Ok(writeln!(out)?)
    }
}

fn top_json(top: &Top) -> Value {
    let items = top.items.iter().map(|item| {
        let inline = match item.inline {
            "" => Value::Null,
            text => text.trim_matches(['(', ')']).into(),
        };
        json!({ "function": item.name, "inline": inline, "flat": item.flat, "cum": item.cum })
    });
    items.collect()
}

fn tree_json(tree: &Tree) -> Value {
    let neighbours = |list: &[Neighbour]| -> Value {
        let one = |one: &Neighbour| json!({ "function": one.name, "value": one.weight, "inline": one.is_inline });
        list.iter().map(one).collect()
    };
    let nodes = tree.nodes.iter().map(|node| {
        json!({
            "function": node.name,
            "flat": node.flat.0,
            "cum": node.cum.0,
            "callers": neighbours(&node.callers),
            "callees": neighbours(&node.callees),
        })
    });
    nodes.collect()
}

fn list_json(listing: &Listing) -> Value {
    let functions = listing.functions.iter().map(|function| {
        let mut object = json!({
            "function": function.name,
            "file": if function.file.is_empty() { Value::Null } else { function.file.as_str().into() },
            "flat": function.flat.0,
            "cum": function.cum.0,
        });
        match &function.lines {
            Ok(lines) => {
                let lines = lines.iter().map(|line| {
                    json!({ "line": line.number, "flat": line.flat.0, "cum": line.cum.0, "text": line.text })
                });
                object["lines"] = lines.collect();
            }
            Err(error) => object["error"] = error.as_str().into(),
        }
        object
    });
    functions.collect()
}

fn traces_json(traces: &Traces) -> Value {
    let samples = traces.traces.iter().map(|trace| {
        let labels: Map<String, Value> =
            trace.labels.iter().map(|(key, values)| (key.clone(), json!(values))).collect();
        let stack: Value = trace
            .stack
            .iter()
            .map(|frame| json!({ "function": frame.name, "inline": frame.is_inline }))
            .collect();
        json!({ "value": trace.value, "labels": labels, "stack": stack })
    });
    samples.collect()
}

fn tags_json(tags: &Tags) -> Value {
    let groups = tags.groups.iter().map(|group| {
        let values: Value = group
            .values
            .iter()
            .map(|(name, value, _)| json!({ "name": name, "value": value }))
            .collect();
        json!({ "key": group.key, "total": group.total.0, "values": values })
    });
    groups.collect()
}

fn comments_json(profile: &Profile) -> Value {
    profile.comments.iter().map(|&comment| profile.text(comment)).collect()
}

/// Everything in the profile, written sample by sample: there may be millions.
fn write_profile(profile: &Profile, out: &mut impl Write) -> Result<(), ViewError> {
    let types: Value = profile
        .sample_types
        .iter()
        .map(|kind| json!({ "type": profile.text(kind.kind), "unit": profile.text(kind.unit) }))
        .collect();
    let known = |value: i64| if value == 0 { Value::Null } else { value.into() };
    let head = json!({
        "sample_types": types,
        "period_type": profile.text(profile.period_type.kind),
        "period_unit": profile.text(profile.period_type.unit),
        "period": known(profile.period),
        "time_unix_ns": known(profile.time_nanos),
        "duration_ns": known(profile.duration_nanos),
        "comments": comments_json(profile),
    });
    let head = head.to_string();
    write!(out, "{}", head.trim_end_matches('}'))?;
    write!(out, ",\n\"mappings\":[")?;
    for (index, mapping) in profile.mappings.iter().enumerate() {
        let object = json!({
            "id": mapping.id, "start": mapping.start, "limit": mapping.limit, "offset": mapping.offset,
            "file": profile.text(mapping.file), "build_id": profile.text(mapping.build_id),
        });
        write!(out, "{}{object}", if index == 0 { "\n" } else { ",\n" })?;
    }
    write!(out, "],\n\"locations\":[")?;
    for (index, location) in profile.locations.iter().enumerate() {
        let object = location_json(profile, location);
        write!(out, "{}{object}", if index == 0 { "\n" } else { ",\n" })?;
    }
    write!(out, "],\n\"samples\":[")?;
    for sample in 0..profile.samples.len() {
        let stack = profile.samples.stack(sample).iter();
        let stack: Vec<u64> = stack.map(|&frame| profile.locations[frame as usize].id).collect();
        let labels = labels_json(profile, sample);
        let object =
            json!({ "values": profile.samples.values(sample), "stack": stack, "labels": labels });
        write!(out, "{}{object}", if sample == 0 { "\n" } else { ",\n" })?;
    }
    Ok(writeln!(out, "]}}")?)
}

fn location_json(profile: &Profile, location: &Location) -> Value {
    let lines: Value = location
        .lines
        .iter()
        .map(|line| {
            let function = &profile.functions[line.function as usize];
            json!({ "function": profile.text(function.name), "file": profile.text(function.file), "line": line.line, "column": line.column })
        })
        .collect();
    let mapping = location.mapping.map(|mapping| profile.mappings[mapping as usize].id);
    json!({ "id": location.id, "address": location.address, "mapping": mapping, "lines": lines })
}

fn labels_json(profile: &Profile, sample: usize) -> Value {
    let labels = profile.labels(sample).iter().map(|label| {
        let key = profile.text(label.key);
        match label.value {
            LabelValue::Text(text) => json!({ "key": key, "text": profile.text(text) }),
            LabelValue::Number(number, unit) => {
                json!({ "key": key, "number": number, "unit": profile.text(unit) })
            }
        }
    });
    labels.collect()
}
