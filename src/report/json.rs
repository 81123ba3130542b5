//! The report as JSON. What stands in it is described in `docs/report.md`, by hand.

use super::{Finding, Report, TraceReport, write};
use crate::store::Value;
use serde_json::{Value as Json, json};
use std::io::{self, Write};

/// Writes the report as one JSON object.
pub fn write_json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let traces: Vec<Json> = report.traces.iter().map(trace).collect();
    let document = json!({ "source": report.source, "traces": traces });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn trace(report: &TraceReport) -> Json {
    let facts = &report.facts;
    let (trace, memory) = (&facts.trace, &facts.memory);
    let time = facts.program_time();
    let functions: Vec<Json> = facts
        .functions
        .iter()
        .map(|one| {
            json!({
                "name": one.name,
                "is_program": super::program::is_program(one.name.as_deref()),
                "goroutines": one.goroutines,
                "started": one.started,
                "ended": one.ended,
                "running_ns": one.time.running_ns,
                "ready_ns": one.time.ready_ns,
                "syscall_ns": one.time.syscall_ns,
                "waiting_ns": one.time.waiting,
            })
        })
        .collect();
    json!({
        "trace_id": trace.id,
        "source": trace.source,
        "written_by": trace.written_by,
        "start_unix_ns": trace.start_unix_ns,
        "duration_ns": trace.duration_ns,
        "gomaxprocs": trace.gomaxprocs,
        "events": trace.events,
        "gaps": trace.gaps,
        "lost_bytes": trace.lost_bytes,
        "procs": {
            "goroutine_ns": facts.procs.goroutine_ns,
            "syscall_ns": facts.procs.syscall_ns,
            "scheduler_ns": facts.procs.scheduler_ns,
            "idle_ns": facts.procs.idle_ns,
        },
        "program": {
            "goroutines": facts.program().map(|one| one.goroutines).sum::<i64>(),
            "running_ns": time.running_ns,
            "ready_ns": time.ready_ns,
            "syscall_ns": time.syscall_ns,
            "waiting_ns": time.waiting,
        },
        "memory": {
            "gc_cycles": memory.cycles.len(),
            "mark_ns": memory.cycles.iter().map(|cycle| cycle.mark_ns).sum::<i64>(),
            "assist_ns": memory.assists.iter().map(|assist| assist.total_ns).sum::<i64>(),
            "pauses": memory.pauses.len(),
            "pause_ns": memory.pauses.iter().map(|pause| pause.duration_ns).sum::<i64>(),
            "max_pause_ns": memory.pauses.iter().map(|pause| pause.duration_ns).max(),
            "allocated_bytes": memory.allocated_bytes,
            "max_heap_bytes": memory.max_heap_bytes,
        },
        "functions": functions,
        "findings": report.findings.iter().map(finding).collect::<Vec<Json>>(),
    })
}

fn finding(finding: &Finding) -> Json {
    let numbers: serde_json::Map<String, Json> = finding
        .numbers
        .iter()
        .map(|(name, value)| {
            let value = match value {
                Value::Integer(value) => json!(value),
                Value::Real(value) => json!(value),
                Value::Text(text) => json!(text),
                Value::Null | Value::Blob(_) => Json::Null,
            };
            ((*name).to_owned(), value)
        })
        .collect();
    let stacks: Vec<Json> = finding
        .stacks
        .iter()
        .filter(|(_, stack)| !stack.is_empty())
        .map(|(of, stack)| json!({ "of": of, "frames": write::stack_lines(stack) }))
        .collect();
    json!({
        "rule": finding.rule.name,
        "headline": finding.headline,
        "cost_ns": finding.cost_ns,
        "meaning": finding.meaning,
        "evidence": finding.evidence,
        "numbers": numbers,
        "stacks": stacks,
        "commands": finding.commands,
    })
}
