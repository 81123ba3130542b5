//! Ordered events as JSON, one object a line.
//!
//! The keys are an interface; `docs/events-jsonl.md` lists them. Every object has the seven
//! common keys and `stack`; what else it has depends only on its `kind`. What is absent is null.
//! Numbers are integers (up to 64 bits). Text that is not UTF-8 has U+FFFD in place of each bad
//! part.

use super::event_kind::{RangeScope, kind_name, metric_name, range_name, range_scope};
use super::event_printer::{EventFormat, EventPrinter, StackCache};
use super::go_format::decimal;
use crate::order::{Event, NONE, Sync, TransitionOf};
use crate::wire::v2::spec::Class;
use crate::wire::v2::{EventType, FrameId, Tables};

/// JSON lines.
#[derive(Debug, Default)]
pub struct JsonLines;

/// A [`Sink`](crate::order::Sink) that prints events as JSON lines.
pub type EventJson<W> = EventPrinter<W, JsonLines>;

impl EventFormat for JsonLines {
    fn sync(&mut self, out: &mut Vec<u8>, sync: &Sync, since_start: i64) {
        head(out, since_start, sync.time, ["Sync", "Sync"], [NONE; 3]);
        key(out, "n");
        decimal(out, sync.n);
        key(out, "clock");
        match sync.clock {
            None => null(out),
            Some((time, clock)) => {
                out.extend_from_slice(b"{\"clock_ns\":");
                decimal(out, time);
                key(out, "mono_ns");
                decimal(out, clock.mono_ns);
                key(out, "unix_ns");
                let unix = (clock.unix_seconds as i64).wrapping_mul(1_000_000_000);
                decimal(out, unix.wrapping_add(clock.unix_nanos as i64));
                out.push(b'}');
            }
        }
        key(out, "stack");
        null(out);
        out.push(b'}');
    }

    fn event(
        &mut self,
        out: &mut Vec<u8>,
        event: &Event,
        since_start: i64,
        tables: &Tables,
        stacks: &mut StackCache,
    ) {
        let names = [kind_name(event.kind), event.kind.name()];
        head(out, since_start, event.time, names, [event.thread, event.proc, event.goroutine]);
        details(out, event, tables, stacks);
        stack(out, "stack", event.stack(), tables, stacks);
        out.push(b'}');
    }
}

fn head(out: &mut Vec<u8>, since_start: i64, time: i64, names: [&str; 2], on: [i64; 3]) {
    out.extend_from_slice(b"{\"time_ns\":");
    decimal(out, since_start);
    key(out, "clock_ns");
    decimal(out, time);
    for (name, value) in ["kind", "event"].into_iter().zip(names) {
        key(out, name);
        word(out, value);
    }
    for (name, value) in ["thread", "proc", "goroutine"].into_iter().zip(on) {
        key(out, name);
        id(out, value);
    }
}

fn details(out: &mut Vec<u8>, event: &Event, tables: &Tables, stacks: &mut StackCache) {
    use EventType::*;
    let args = &event.args;
    let string = |id: u64| tables.string(id).unwrap_or(b"");
    match event.kind {
        CPUSample => {}
        ProcsChange | HeapAlloc | HeapGoal => {
            key(out, "name");
            word(out, metric_name(event.kind));
            number(out, "value", args[0]);
        }
        GoLabel => text(out, "label", string(args[0])),
        STWBegin | STWEnd | GCBegin | GCActive | GCEnd | GCSweepBegin | GCSweepActive
        | GCSweepEnd | GCMarkAssistBegin | GCMarkAssistActive | GCMarkAssistEnd => {
            range(out, event, tables)
        }
        UserTaskBegin => task(out, args[0], args[1], string(args[2])),
        UserTaskEnd => task(out, args[0], args[2], tables.extra_string(args[3])),
        UserRegionBegin | UserRegionEnd => {
            number(out, "task", args[0]);
            text(out, "type", string(args[1]));
        }
        UserLog => {
            number(out, "task", args[0]);
            text(out, "category", string(args[1]));
            text(out, "message", string(args[2]));
        }
        _ if event.kind.spec().class == Class::AllocFree => experimental(out, event),
        _ => transition(out, event, tables, stacks),
    }
}

fn range(out: &mut Vec<u8>, event: &Event, tables: &Tables) {
    text(out, "name", &range_name(event, tables));
    let (scope, of) = match range_scope(event) {
        RangeScope::Global => ("global", NONE),
        RangeScope::Goroutine(goid) => ("goroutine", goid),
        RangeScope::Proc(proc) => ("proc", proc),
    };
    key(out, "scope");
    word(out, scope);
    key(out, "scope_id");
    id(out, of);
    if event.kind == EventType::GCSweepEnd {
        number(out, "swept_bytes", event.args[0]);
        number(out, "reclaimed_bytes", event.args[1]);
    } else if kind_name(event.kind) == "RangeEnd" {
        for name in ["swept_bytes", "reclaimed_bytes"] {
            key(out, name);
            null(out);
        }
    }
}

fn task(out: &mut Vec<u8>, task: u64, parent: u64, name: &[u8]) {
    number(out, "task", task);
    key(out, "parent");
    // The wire's "no task".
    if parent == u64::MAX {
        null(out)
    } else {
        decimal(out, parent)
    }
    text(out, "type", name);
}

fn experimental(out: &mut Vec<u8>, event: &Event) {
    key(out, "args");
    out.push(b'{');
    for (i, name) in event.kind.spec().args[1..].iter().enumerate() {
        if i != 0 {
            out.push(b',');
        }
        word(out, name);
        out.push(b':');
        decimal(out, event.args[i]);
    }
    out.push(b'}');
}

fn transition(out: &mut Vec<u8>, event: &Event, tables: &Tables, stacks: &mut StackCache) {
    let (resource, of, from, to) = match event.transition() {
        Some(TransitionOf::Goroutine(goid, _, from, to)) => {
            ("goroutine", goid, from.as_str(), to.as_str())
        }
        Some(TransitionOf::Proc(proc, from, to)) => ("proc", proc, from.as_str(), to.as_str()),
        None => return,
    };
    key(out, "resource");
    word(out, resource);
    key(out, "resource_id");
    id(out, of);
    key(out, "from");
    word(out, from);
    key(out, "to");
    word(out, to);
    match tables.string(event.reason()) {
        None | Some(b"") => {
            key(out, "reason");
            null(out);
        }
        Some(reason) => text(out, "reason", reason),
    }
    stack(out, "transition_stack", event.transition_stack(), tables, stacks);
}

fn stack(out: &mut Vec<u8>, name: &str, stack: u64, tables: &Tables, stacks: &mut StackCache) {
    key(out, name);
    if stack == 0 {
        return null(out);
    }
    stacks.write(out, stack, tables, frames);
}

fn frames(out: &mut Vec<u8>, stack: &[FrameId], tables: &Tables) {
    let string = |id: u64| tables.string(id).unwrap_or(b"");
    out.push(b'[');
    for (i, &id) in stack.iter().enumerate() {
        let frame = tables.frame(id);
        out.extend_from_slice(if i == 0 { b"{\"func\":" } else { b",{\"func\":" });
        json_string(out, string(frame.function));
        text(out, "file", string(frame.file));
        number(out, "line", frame.line);
        number(out, "pc", frame.pc);
        out.push(b'}');
    }
    out.push(b']');
}

fn key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// A text of our own, which needs no escaping.
fn word(out: &mut Vec<u8>, word: &str) {
    out.push(b'"');
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
}

fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

fn number(out: &mut Vec<u8>, name: &str, value: u64) {
    key(out, name);
    decimal(out, value);
}

/// The number of a thread, proc or goroutine.
fn id(out: &mut Vec<u8>, id: i64) {
    if id == NONE { null(out) } else { decimal(out, id) }
}

fn text(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    key(out, name);
    json_string(out, value);
}

fn json_string(out: &mut Vec<u8>, value: &[u8]) {
    // Writing to memory cannot fail, nor can a string fail to be JSON.
    let _ = serde_json::to_writer(out, &*String::from_utf8_lossy(value));
}
