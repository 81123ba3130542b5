//! Wire events as the text of `go tool trace -d=wire` (Go 1.27), byte for byte.
//!
//! Source: Go 1.27 `internal/trace/raw/event.go`, `Event.String`.

use super::go_format::{decimal, quoted};
use crate::wire::v2::EventType;
use crate::wire::v2::raw::{RawEvent, RawReader};
use std::iter;

const FRAME: [&str; 4] = ["pc", "func", "file", "line"];

/// Appends an event, with a line break behind each of its lines.
pub fn write_wire_text(out: &mut Vec<u8>, event: &RawEvent) {
    write_lines(out, event, |_| {});
}

/// Appends the event that `reader` read last. Each line begins with the absolute offset of what
/// it shows, and a tab.
pub fn write_wire_text_with_offsets(out: &mut Vec<u8>, reader: &RawReader) {
    let mut offsets = iter::once(reader.offset()).chain(reader.line_offsets());
    write_lines(out, reader.event(), |out| {
        if let Some(offset) = offsets.next() {
            decimal(out, offset);
        }
        out.push(b'\t');
    });
}

fn write_lines(out: &mut Vec<u8>, event: &RawEvent, mut begin_line: impl FnMut(&mut Vec<u8>)) {
    let spec = event.kind.spec();
    begin_line(out);
    out.extend_from_slice(spec.name.as_bytes());
    for (name, &value) in spec.args.iter().zip(&event.args) {
        argument(out, b' ', name, value);
    }
    out.push(b'\n');
    if event.kind == EventType::Stack {
        for frame in event.args[spec.args.len()..].chunks(FRAME.len()) {
            begin_line(out);
            for (i, (name, &value)) in FRAME.iter().zip(frame).enumerate() {
                argument(out, if i == 0 { b'\t' } else { b' ' }, name, value);
            }
            out.push(b'\n');
        }
    }
    // Go prints no line for data of no length.
    if !event.data.is_empty() {
        begin_line(out);
        out.extend_from_slice(b"\tdata=");
        quoted(out, &event.data);
        out.push(b'\n');
    }
}

fn argument(out: &mut Vec<u8>, before: u8, name: &str, value: u64) {
    out.push(before);
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    decimal(out, value);
}
