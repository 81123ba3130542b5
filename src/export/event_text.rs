//! Ordered events as the text of `go tool trace -d=parsed` (Go 1.27), byte for byte.
//!
//! Source: Go 1.27 `internal/trace/event.go`, `Event.String`. Times in clock snapshots are in
//! UTC, as Go prints them with `TZ=UTC`.

use super::event_kind::{RangeScope, kind_name, metric_name, range_name, range_scope};
use super::event_printer::{EventFormat, EventPrinter, StackCache};
use super::go_format::{decimal, hexadecimal, quoted, rfc3339_nano};
use crate::order::{Event, NONE, Sync, TransitionOf};
use crate::wire::v2::spec::{Class, SPECS};
use crate::wire::v2::{EventType, FrameId, Tables};

/// Go's text.
#[derive(Debug, Default)]
pub struct GoText;

/// A [`Sink`](crate::order::Sink) that prints events as Go does.
pub type EventText<W> = EventPrinter<W, GoText>;

impl EventFormat for GoText {
    fn sync(&mut self, out: &mut Vec<u8>, sync: &Sync, _since_start: i64) {
        head(out, [NONE; 3], "Sync", sync.time);
        out.extend_from_slice(b" N=");
        decimal(out, sync.n);
        if let Some((time, clock)) = sync.clock {
            out.extend_from_slice(b" Trace=");
            decimal(out, time);
            out.extend_from_slice(b" Mono=");
            decimal(out, clock.mono_ns);
            out.extend_from_slice(b" Wall=");
            rfc3339_nano(out, clock.unix_seconds as i64, clock.unix_nanos);
        }
    }

    fn event(
        &mut self,
        out: &mut Vec<u8>,
        event: &Event,
        _since_start: i64,
        tables: &Tables,
        stacks: &mut StackCache,
    ) {
        let on = [event.thread, event.proc, event.goroutine];
        head(out, on, kind_name(event.kind), event.time);
        details(out, event, tables, stacks);
        let stack = event.stack();
        // A sample always has a stack for Go, if only an empty one.
        if stack != 0 || event.kind == EventType::CPUSample {
            out.extend_from_slice(b"\nStack=\n");
            stacks.write(out, stack, tables, frames);
        }
    }
}

fn head(out: &mut Vec<u8>, [thread, proc, goroutine]: [i64; 3], kind: &str, time: i64) {
    out.extend_from_slice(b"M=");
    decimal(out, thread);
    out.extend_from_slice(b" P=");
    decimal(out, proc);
    out.extend_from_slice(b" G=");
    decimal(out, goroutine);
    out.push(b' ');
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b" Time=");
    decimal(out, time);
}

fn details(out: &mut Vec<u8>, event: &Event, tables: &Tables, stacks: &mut StackCache) {
    use EventType::*;
    let args = &event.args;
    let string = |id: u64| tables.string(id).unwrap_or(b"");
    match event.kind {
        ProcsChange | HeapAlloc | HeapGoal => {
            out.extend_from_slice(b" Name=");
            quoted(out, metric_name(event.kind).as_bytes());
            out.extend_from_slice(b" Value=");
            value(out, args[0]);
        }
        GoLabel => {
            out.extend_from_slice(b" Label=");
            quoted(out, string(args[0]));
            out.extend_from_slice(b" Resource=");
            resource(out, "Goroutine", event.goroutine);
        }
        STWBegin | STWEnd | GCBegin | GCActive | GCEnd | GCSweepBegin | GCSweepActive
        | GCSweepEnd | GCMarkAssistBegin | GCMarkAssistActive | GCMarkAssistEnd => {
            range(out, event, tables)
        }
        UserTaskBegin => task(out, args[0], args[1], string(args[2])),
        UserTaskEnd => task(out, args[0], args[2], tables.extra_string(args[3])),
        UserRegionBegin | UserRegionEnd => {
            out.extend_from_slice(b" Task=");
            decimal(out, args[0]);
            out.extend_from_slice(b" Type=");
            quoted(out, string(args[1]));
        }
        UserLog => {
            out.extend_from_slice(b" Task=");
            decimal(out, args[0]);
            out.extend_from_slice(b" Category=");
            quoted(out, string(args[1]));
            out.extend_from_slice(b" Message=");
            quoted(out, string(args[2]));
        }
        _ if event.kind.spec().class == Class::AllocFree => experimental(out, event),
        _ => transition(out, event, tables, stacks),
    }
}

fn value(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(b"Value{Uint64(");
    decimal(out, value);
    out.extend_from_slice(b")}");
}

fn resource(out: &mut Vec<u8>, kind: &str, id: i64) {
    out.extend_from_slice(kind.as_bytes());
    out.push(b'(');
    decimal(out, id);
    out.push(b')');
}

fn range(out: &mut Vec<u8>, event: &Event, tables: &Tables) {
    use EventType::*;
    out.extend_from_slice(b" Name=");
    quoted(out, &range_name(event, tables));
    out.extend_from_slice(b" Scope=");
    match range_scope(event) {
        RangeScope::Global => out.extend_from_slice(b"None"),
        RangeScope::Goroutine(id) => resource(out, "Goroutine", id),
        RangeScope::Proc(id) => resource(out, "Proc", id),
    }
    match event.kind {
        GCSweepEnd => {
            out.extend_from_slice(b" Attributes=[\"bytes swept\"=");
            value(out, event.args[0]);
            out.extend_from_slice(b" \"bytes reclaimed\"=");
            value(out, event.args[1]);
            out.push(b']');
        }
        STWEnd | GCEnd | GCMarkAssistEnd => out.extend_from_slice(b" Attributes=[]"),
        _ => {}
    }
}

fn task(out: &mut Vec<u8>, id: u64, parent: u64, name: &[u8]) {
    out.extend_from_slice(b" ID=");
    decimal(out, id);
    out.extend_from_slice(b" Parent=");
    decimal(out, parent);
    out.extend_from_slice(b" Type=");
    quoted(out, name);
}

fn experimental(out: &mut Vec<u8>, event: &Event) {
    let Some(spec) = &SPECS[event.kind as usize] else {
        return;
    };
    out.extend_from_slice(b" Name=");
    out.extend_from_slice(spec.name.as_bytes());
    out.extend_from_slice(b" Args=[");
    for (i, name) in spec.args[1..].iter().enumerate() {
        if i != 0 {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        value(out, event.args[i]);
    }
    out.push(b']');
}

fn transition(out: &mut Vec<u8>, event: &Event, tables: &Tables, stacks: &mut StackCache) {
    match event.transition() {
        Some(TransitionOf::Goroutine(goid, _, from, to)) => {
            out.extend_from_slice(b" GoID=");
            decimal(out, goid);
            arrow(out, from.as_str(), to.as_str());
        }
        Some(TransitionOf::Proc(proc, from, to)) => {
            out.extend_from_slice(b" ProcID=");
            decimal(out, proc);
            arrow(out, from.as_str(), to.as_str());
        }
        None => return,
    }
    out.extend_from_slice(b" Reason=");
    quoted(out, tables.string(event.reason()).unwrap_or(b""));
    let stack = event.transition_stack();
    // A creation always names the new goroutine's stack for Go, if only an empty one.
    if stack != 0 || matches!(event.kind, EventType::GoCreate | EventType::GoCreateBlocked) {
        out.extend_from_slice(b"\nTransitionStack=\n");
        stacks.write(out, stack, tables, frames);
    }
}

fn arrow(out: &mut Vec<u8>, from: &str, to: &str) {
    out.push(b' ');
    out.extend_from_slice(from.as_bytes());
    out.extend_from_slice(b"->");
    out.extend_from_slice(to.as_bytes());
}

fn frames(out: &mut Vec<u8>, stack: &[FrameId], tables: &Tables) {
    let string = |id: u64| tables.string(id).unwrap_or(b"");
    for &id in stack {
        let frame = tables.frame(id);
        out.push(b'\t');
        out.extend_from_slice(string(frame.function));
        out.extend_from_slice(b" @ 0x");
        hexadecimal(out, frame.pc);
        out.extend_from_slice(b"\n\t\t");
        out.extend_from_slice(string(frame.file));
        out.push(b':');
        decimal(out, frame.line);
        out.push(b'\n');
    }
}
