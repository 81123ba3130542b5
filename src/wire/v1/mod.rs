//! The v1 format: Go 1.11 to 1.21.
//!
//! A trace is a series of batches, each of one proc and in that proc's order. A batch has no
//! length: it ends where the next begins, so the whole file must be walked to find them. Strings
//! stand anywhere, stacks and the clock frequency at the end. So a trace is read twice: a
//! [`Scan`] notes where the batches are and takes in everything that belongs to all of them, then
//! one [`Cursor`] for each proc decodes its batches. Nothing orders the procs' batches against
//! each other; that is the work of the [`order`](crate::order) layer.
//!
//! Source: Go 1.27 `internal/trace/internal/tracev1/parser.go`, which keeps all events in memory.

mod cursor;
mod frame;
mod scan;
pub mod spec;
mod window;

pub use cursor::{Cursor, CursorError, WireEvent};
pub use frame::{CpuSample, Entry, Flaw, entry};
pub use scan::{Batch, LogStrings, ProcBatches, Scan};
pub use spec::EventType;
