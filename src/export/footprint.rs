//! The footprint of a trace as the text of `go tool trace -d=footprint` (Go 1.27), byte for byte.
//!
//! Source: Go 1.27 `cmd/trace/main.go`, debugEventsFootprint.

use crate::wire::v2::spec::SPECS;
use crate::wire::v2::{EventFootprint, Footprint};
use crate::wire::{Version, sort_like_go};

/// How many event numbers each version has in Go's table; the ones above are "unknown" to it.
fn known_codes(version: Version) -> usize {
    match version.minor() {
        22 => 45,
        23 => 50,
        25 => 52,
        _ => 137,
    }
}

/// Go's text. `size_bytes` is the length of the trace.
///
/// Go gives up on traces of Go 1.23 to 1.25 with AllocFree events; here they have their names.
pub fn footprint_text(footprint: &Footprint, version: Version, size_bytes: u64) -> String {
    let mut rows: Vec<(u8, EventFootprint)> =
        (0..=u8::MAX).map(|code| (code, footprint.of(code))).collect();
    // Most of them are 0; where those stand is up to Go's sort.
    sort_like_go(&mut rows, |a, b| b.1.bytes < a.1.bytes);
    let total = footprint.total().count;
    let share = |part: u64, of: u64| format!("{:.2}%", part as f64 / of as f64 * 100.0);
    let mut cells = vec![
        ["Event", "Bytes", "%", "Count", "%"].map(String::from),
        ["-", "-", "-", "-", "-"].map(String::from),
    ];
    cells.extend(rows.into_iter().map(|(code, event)| {
        [
            name(code, event, version),
            event.bytes.to_string(),
            share(event.bytes, size_bytes),
            event.count.to_string(),
            share(event.count, total),
        ]
    }));
    align(&cells)
}

fn name(code: u8, event: EventFootprint, version: Version) -> String {
    let name = SPECS[code as usize].as_ref().map_or("", |spec| spec.name);
    if usize::from(code) < known_codes(version) || event.count > 0 {
        name.into()
    } else {
        format!("<unknown ({code})>")
    }
}

/// Lays cells out as Go's `text/tabwriter` does: columns as wide as their widest cell and two
/// spaces, but for the last one, and at least three.
fn align(rows: &[[String; 5]]) -> String {
    let mut widths = [3; 4];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.len() + 2);
        }
    }
    let mut text = String::new();
    for row in rows {
        for (width, cell) in widths.iter().zip(row) {
            text += &format!("{cell:width$}");
        }
        text += &row[4];
        text += "\n";
    }
    text
}
