//! Values and rows as text: what all forms of results have in common.

use crate::store::{Value, human_bytes, human_ns};
use std::io::{self, Write};

/// Names of which none is there twice: a second `id` becomes `id:1`, as SQLite itself calls it in a
/// subquery. An object cannot have two members of one name.
pub fn distinct(names: &[String]) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let numbered = (1..).map(|number| format!("{name}:{number}"));
        let mut candidates = std::iter::once(name.clone()).chain(numbered);
        let free = candidates.find(|candidate| !distinct.contains(candidate));
        distinct.push(free.expect("there are endless candidates"));
    }
    distinct
}

/// A row as an object.
pub fn object(names: &[String], values: &[Value]) -> serde_json::Map<String, serde_json::Value> {
    names.iter().cloned().zip(values.iter().map(json)).collect()
}

/// A value as JSON.
pub fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(value) => (*value).into(),
        Value::Real(value) => (*value).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Blob(bytes) => hex(bytes).into(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value without decoration; NULL is empty.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => real(*value),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => hex(bytes),
    }
}

/// Whether a number written without an exponent is longer than it is exact.
fn is_long(value: f64) -> bool {
    value.is_finite() && value.abs() >= 1e17
}

fn real(value: f64) -> String {
    if is_long(value) { format!("{value:e}") } else { value.to_string() }
}

/// A value for people. The end of the column's name tells the unit.
pub fn shown(name: &str, value: &Value) -> String {
    match value {
        Value::Integer(ns) if is_moment(name) => format!("{:.6}s", *ns as f64 / 1e9),
        Value::Integer(ns) if name.ends_with("_ns") => human_ns(*ns),
        Value::Real(ns) if name.ends_with("_ns") => human_ns(ns.round() as i64),
        Value::Integer(bytes) if name.ends_with("_bytes") => human_bytes(*bytes as f64),
        Value::Real(bytes) if name.ends_with("_bytes") => human_bytes(*bytes),
        Value::Real(share) if name.ends_with("share") => format!("{:.1}%", share * 100.0),
        Value::Real(value) if is_long(*value) => real(*value),
        Value::Real(value) => format!("{value:.2}"),
        other => plain(other),
    }
}

/// Whether a column holds points in time, which need more digits than durations.
fn is_moment(name: &str) -> bool {
    const MOMENTS: [&str; 8] = [
        "start_ns",
        "end_ns",
        "time_ns",
        "created_ns",
        "started_ns",
        "ended_ns",
        "first_ns",
        "last_ns",
    ];
    MOMENTS.contains(&name) || name.ends_with("_at_ns")
}

/// A line of comma-separated values (RFC 4180).
///
/// # Errors
/// If `out` fails.
pub fn write_csv(out: &mut impl Write, fields: impl Iterator<Item = String>) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().from_writer(out);
    writer.write_record(fields)?;
    writer.flush()
}

/// A line of tab-separated values; tab, newline and backslash as `\\t`, `\\n`, `\\\\`.
///
/// # Errors
/// If `out` fails.
pub fn write_tsv(out: &mut impl Write, fields: impl Iterator<Item = String>) -> io::Result<()> {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            out.write_all(b"\t")?;
        }
        let escaped = field
            .replace('\\', "\\\\")
            .replace('\t', "\\t")
            .replace('\n', "\\n")
            .replace('\r', "\\r");
        out.write_all(escaped.as_bytes())?;
    }
    out.write_all(b"\n")
}
