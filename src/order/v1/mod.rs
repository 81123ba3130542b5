//! Ordering v1 traces (Go 1.11 to 1.21) into the events of today's format.
//!
//! Comes in: a whole v1 trace that can be read at any place. Goes out: the same ordered events
//! that Go 1.27's reader makes of it, as one generation with the number 1. Go loads all events,
//! orders them, moves some, and converts them. Here it is one stream: cursors over the batches of
//! each proc, merged by the same rules ([`replay`]), with the few events that Go moves put where
//! they belong on the way ([`exits`]), and converted one at a time ([`convert`]). Memory is that of
//! one batch a proc, the strings and stacks, and the CPU samples. Where clocks are so coarse that this
//! cannot tell what Go's order would be, the trace is merged twice ([`foresight`]).
//!
//! Source: Go 1.27 `internal/trace/internal/tracev1/{parser,order}.go` and
//! `internal/trace/tracev1.go`. Two things are random in Go, because it ranges over maps, and fixed
//! here: the goroutines that existed before the trace without having a state are announced by
//! ascending number, and where the clocks of procs show the same, the choice is the one that Go
//! makes when the map gives the procs by ascending number.

mod convert;
mod exits;
mod foresight;
mod output;
mod replay;
mod rules;

use super::Sink;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::RandomAccess;
use crate::wire::Version;
use crate::wire::header::HEADER_LEN;
use crate::wire::v1::Scan;

/// What ordering a v1 trace came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct V1Stats {
    /// Events handed out, synchronisation points not counted.
    pub events: u64,
    /// Batches in the file.
    pub batches: u64,
    /// The time of the last event, nanoseconds since the first.
    pub last_time: i64,
    /// Length of the input, bytes.
    pub bytes: u64,
}

/// Orders all events of a v1 trace into `sink`. `input` begins with the trace's header, or right
/// behind it; `version` is what the header says.
///
/// Damage costs the batch it is in and is told in `diagnostics`.
///
/// # Panics
///
/// If `version` is not one of the v1 formats.
pub fn order_v1<S: Sink>(
    input: &RandomAccess,
    version: Version,
    sink: &mut S,
    diagnostics: &mut Diagnostics,
) -> V1Stats {
    assert!(!version.is_v2(), "{version} is not a v1 trace");
    let scan = Scan::new(input, version, diagnostics);
    let batches = scan.batch_count;
    let mut replay = replay::Replay::new(input, scan, sink, diagnostics);
    replay.run();
    let (events, last_time) = replay.finish();
    if events == 0 && !diagnostics.has_loss() && !sink.is_done() {
        diagnostics.push(
            Diagnostic::new(Code::EmptyTrace, "the trace has no event")
                .at_offset(HEADER_LEN as u64),
        );
    }
    V1Stats { events, batches, last_time, bytes: input.end() }
}
