//! `info` as a page for people.

use crate::analysis::info::{DatabaseInfo, TraceInfo, packing, sorted};
use crate::analysis::results::shown;
use crate::cli::output::{Format, Output};
use crate::cli::terminal;
use crate::diagnostic::{Code, Diagnostic};
use crate::export::utc;
use crate::source::Packing;
use crate::store::{ColumnInfo, QueryResult, Rows, Value, human_bytes, human_ns};
use std::cmp::Reverse;
use std::io::{self, Write};

/// Diagnostics that are shown of each code.
const DIAGNOSTICS_SHOWN: usize = 3;
/// Generations that are shown; `-f json` has all.
const GENERATIONS_SHOWN: usize = 50;

/// A trace.
pub fn trace(info: &TraceInfo) -> io::Result<()> {
    let totals = &info.totals;
    let mut lines = vec![
        ("source", info.source.clone()),
        ("format", format!("{}, written by {}", info.version, info.version.written_by())),
        ("size", packed_size(info.size_bytes, info.packing, info.packed_bytes)),
        ("started", totals.start_unix_ns.map_or("unknown (Go 1.25 and later tell)".into(), utc)),
        ("duration", human_ns(totals.duration_ns)),
        ("GOMAXPROCS", totals.gomaxprocs.map_or("unknown".into(), |procs| procs.to_string())),
        ("events", totals.events.to_string()),
        ("goroutines", totals.goroutines.to_string()),
        ("procs", info.procs.to_string()),
        ("threads", info.threads.to_string()),
        ("strings", info.generations.iter().map(|one| one.strings).sum::<u64>().to_string()),
        ("stacks", info.generations.iter().map(|one| one.stacks).sum::<u64>().to_string()),
    ];
    if totals.gaps > 0 {
        lines.push(("gaps", totals.gaps.to_string()));
    }
    let (lost_bytes, lost_events) = (info.diagnostics.lost_bytes(), info.diagnostics.lost_events());
    if lost_bytes + lost_events > 0 {
        lines.push(("lost", format!("{}, {lost_events} events", human_bytes(lost_bytes as f64))));
    }
    pairs(&lines)?;
    generations(info)?;
    wire_events(info)?;
    diagnostics(info)
}

/// The size of a source, and how it is packed.
pub fn packed_size(size_bytes: u64, how: Packing, packed_bytes: Option<u64>) -> String {
    let unpacked = human_bytes(size_bytes as f64);
    match (how, packed_bytes) {
        (Packing::Plain, _) => unpacked,
        (how, Some(packed)) => {
            format!("{unpacked}, packed with {} to {}", packing(how), human_bytes(packed as f64))
        }
        (how, None) => format!("{unpacked}, packed with {}", packing(how)),
    }
}

/// Names and values, aligned.
pub fn pairs(lines: &[(&str, String)]) -> io::Result<()> {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut out = terminal::output();
    for (name, value) in lines {
        writeln!(out, "{name:width$}  {value}")?;
    }
    Ok(())
}

/// A table under a title, with values shown as those of queries.
fn table(title: &str, columns: &[&str], rows: impl Iterator<Item = Vec<Value>>) -> io::Result<()> {
    writeln!(terminal::output(), "\n{title}")?;
    let mut output = Output::new(Some(Format::Table));
    output.columns(&columns.iter().map(|name| ColumnInfo::named(name)).collect::<Vec<_>>())?;
    for row in rows {
        output.row(row)?;
    }
    output.finish()
}

fn generations(info: &TraceInfo) -> io::Result<()> {
    let all = &info.generations;
    let title = match all.len() {
        0 => return Ok(()),
        shown if shown <= GENERATIONS_SHOWN => "Generations".into(),
        more => format!("Generations (the first {GENERATIONS_SHOWN} of {more}; -f json has all)"),
    };
    let columns = [
        "number",
        "start_ns",
        "duration_ns",
        "byte_offset",
        "size_bytes",
        "batches",
        "events",
        "strings",
        "stacks",
    ];
    let integer = |value: u64| Value::Integer(i64::try_from(value).unwrap_or(i64::MAX));
    table(
        &title,
        &columns,
        all.iter().take(GENERATIONS_SHOWN).map(|generation| {
            let span = &generation.span;
            vec![
                integer(span.number),
                Value::Integer(span.start_ns),
                Value::Integer(generation.duration_ns),
                integer(span.offset),
                integer(span.size_bytes),
                integer(span.batches),
                integer(span.events),
                integer(generation.strings),
                integer(generation.stacks),
            ]
        }),
    )
}

fn wire_events(info: &TraceInfo) -> io::Result<()> {
    let Some(footprint) = &info.footprint else {
        return Ok(());
    };
    let total = footprint.total();
    let share = |part: u64, of: u64| Value::Real(part as f64 / of.max(1) as f64);
    table(
        "Events in the file",
        &["event", "bytes", "bytes_share", "count", "count_share"],
        sorted(footprint).into_iter().map(|(event, count, bytes)| {
            vec![
                Value::Text(event.into()),
                Value::Integer(bytes as i64),
                share(bytes, info.size_bytes),
                Value::Integer(count as i64),
                share(count, total.count),
            ]
        }),
    )
}

/// The worst first, and of each code only some: a stack that is missing is missed often.
fn diagnostics(info: &TraceInfo) -> io::Result<()> {
    let mut out = terminal::output();
    let mut all: Vec<&Diagnostic> = info.diagnostics.iter().collect();
    if all.is_empty() {
        return writeln!(out, "\nNothing was found wrong.");
    }
    all.sort_by_key(|one| Reverse(one.code.severity()));
    writeln!(out, "\nDiagnostics")?;
    let mut shown: Vec<Code> = Vec::new();
    for one in &all {
        if shown.iter().filter(|code| **code == one.code).count() < DIAGNOSTICS_SHOWN {
            writeln!(out, "{}: {}: {one}", one.code.severity().as_str(), one.code.as_str())?;
        }
        shown.push(one.code);
    }
    for &code in Code::ALL {
        let count = info.diagnostics.count(code);
        if count > DIAGNOSTICS_SHOWN as u64 {
            writeln!(
                out,
                "... and {} more {}; -f json has them",
                count - DIAGNOSTICS_SHOWN as u64,
                code.as_str()
            )?;
        }
    }
    Ok(())
}

/// A database: a block for each of its traces and profiles.
pub fn database(info: &DatabaseInfo) -> io::Result<()> {
    let blocks = |rows: &Rows| -> Vec<Vec<(String, String)>> {
        let line = |(column, value): (&ColumnInfo, &Value)| {
            // Points in time of clocks mean nothing as durations.
            let (name, text) = match (column.name.as_str(), value) {
                ("start_unix_ns", Value::Integer(unix_ns)) => ("started", utc(*unix_ns)),
                ("time_unix_ns", Value::Integer(unix_ns)) => ("recorded", utc(*unix_ns)),
                ("start_clock_ns", Value::Integer(ns)) => ("start_clock_ns", ns.to_string()),
                ("start_unix_ns", Value::Null) => ("started", "unknown".into()),
                ("time_unix_ns", Value::Null) => ("recorded", "unknown".into()),
                (name, Value::Null) => {
                    (name.trim_end_matches("_ns").trim_end_matches("_bytes"), "unknown".into())
                }
                (name, value) => (
                    name.trim_end_matches("_ns").trim_end_matches("_bytes"),
                    shown(name, value.into()),
                ),
            };
            (name.to_owned(), text)
        };
        rows.rows.iter().map(|row| rows.columns.iter().zip(row).map(line).collect()).collect()
    };
    for (index, block) in blocks(&info.traces).into_iter().chain(blocks(&info.profiles)).enumerate()
    {
        if index > 0 {
            writeln!(terminal::output())?;
        }
        let lines: Vec<(&str, String)> =
            block.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
        pairs(&lines)?;
    }
    Ok(())
}
