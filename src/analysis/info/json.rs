//! `info` as JSON. The keys are an interface; `docs/info-json.md` lists them.

use super::database::DatabaseInfo;
use super::trace::{GenerationInfo, TraceInfo};
use crate::analysis::results;
use crate::diagnostic::Diagnostic;
use crate::export::utc;
use crate::source::Packing;
use crate::store::{self, Rows};
use crate::wire::v2::Footprint;
use crate::wire::v2::spec::ALL;
use serde_json::{Map, Value, json};

/// A trace.
pub fn trace(info: &TraceInfo) -> Value {
    let totals = &info.totals;
    let sum =
        |count: fn(&GenerationInfo) -> u64| -> u64 { info.generations.iter().map(count).sum() };
    json!({
        "kind": "trace",
        "source": info.source,
        "format": info.version.to_string(),
        "written_by": info.version.written_by(),
        "packing": packing(info.packing),
        "packed_bytes": info.packed_bytes,
        "size_bytes": info.size_bytes,
        "start_clock_ns": totals.start_clock_ns,
        "start_unix_ns": totals.start_unix_ns,
        "start_time": totals.start_unix_ns.map(utc),
        "duration_ns": totals.duration_ns,
        "gomaxprocs": totals.gomaxprocs,
        "events": totals.events,
        "goroutines": totals.goroutines,
        "procs": info.procs,
        "threads": info.threads,
        "strings": sum(|generation| generation.strings),
        "stacks": sum(|generation| generation.stacks),
        "gaps": totals.gaps,
        "lost_bytes": info.diagnostics.lost_bytes(),
        "lost_events": info.diagnostics.lost_events(),
        "generations": generations(info),
        "wire_events": info.footprint.as_deref().map(wire_events),
        "diagnostics": info.diagnostics.iter().map(diagnostic).collect::<Vec<_>>(),
    })
}

/// The word for a packing.
pub fn packing(packing: Packing) -> &'static str {
    match packing {
        Packing::Plain => "none",
        Packing::Gzip => "gzip",
        Packing::Zstd => "zstd",
    }
}

fn generations(info: &TraceInfo) -> Vec<Value> {
    let of = |generation: &GenerationInfo| {
        let span = &generation.span;
        json!({
            "number": span.number,
            "start_ns": span.start_ns,
            "duration_ns": generation.duration_ns,
            "byte_offset": span.offset,
            "size_bytes": span.size_bytes,
            "batches": span.batches,
            "events": span.events,
            "strings": generation.strings,
            "stacks": generation.stacks,
            "is_after_gap": span.is_after_gap,
            "clock_unix_ns": span.clock.map(|(_, _, unix_ns)| unix_ns),
        })
    };
    info.generations.iter().map(of).collect()
}

/// Those that occur, most bytes first.
fn wire_events(footprint: &Footprint) -> Vec<Value> {
    sorted(footprint)
        .into_iter()
        .map(|(event, count, bytes)| json!({"event": event, "count": count, "bytes": bytes}))
        .collect()
}

/// Name, count and bytes of the wire events that occur, most bytes first.
pub fn sorted(footprint: &Footprint) -> Vec<(&'static str, u64, u64)> {
    let mut rows: Vec<_> = ALL
        .iter()
        .map(|&kind| (kind.name(), footprint.of(kind as u8)))
        .filter(|(_, event)| event.count > 0)
        .map(|(name, event)| (name, event.count, event.bytes))
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.2));
    rows
}

fn diagnostic(one: &Diagnostic) -> Value {
    json!({
        "severity": one.code.severity().as_str(),
        "code": one.code.as_str(),
        "byte_offset": one.offset,
        "generation": one.generation,
        "thread": one.thread,
        "message": one.message,
        "lost_bytes": one.lost_bytes,
        "lost_events": one.lost_events,
        "lost_ns": one.lost_ns,
    })
}

/// A database: the rows of its tables `traces` and `profiles`.
pub fn database(info: &DatabaseInfo) -> Value {
    let rows = |rows: &Rows| -> Vec<Map<String, Value>> {
        let row = |row: &Vec<store::Value>| {
            let names = rows.columns.iter().map(|column| column.name.clone());
            names.zip(row.iter().map(|value| results::json(value.into()))).collect()
        };
        rows.rows.iter().map(row).collect()
    };
    json!({
        "kind": "database",
        "source": info.source,
        "traces": rows(&info.traces),
        "profiles": rows(&info.profiles),
    })
}
