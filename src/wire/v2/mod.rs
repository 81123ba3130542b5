//! The v2 format: Go 1.22 and later.
//!
//! A trace is a series of generations. A generation is a set of batches: event batches, each of
//! one thread and in that thread's order, and table batches (strings, stacks, CPU samples,
//! clock data, experiments) that belong to all of them. Nothing orders the threads' batches
//! against each other; that is the work of the [`order`](crate::order) layer.

mod alloc_free;
mod batch;
mod cursor;
mod footprint;
mod generation;
pub mod raw;
mod raw_text;
mod reader;
mod resync;
pub mod spec;

pub use super::tables::{Frame, FrameId, Tables};
pub use alloc_free::{AllocFree, HeapLayout, HeapType};
pub use batch::{BatchHeader, BatchKind};
pub use cursor::{Cursor, CursorError};
pub use footprint::{EventFootprint, Footprint};
pub use generation::{
    Batch, ClockSnapshot, CpuSample, ExperimentalBatch, Generation, ThreadBatches, ticks_to_ns,
};
pub use raw_text::{RawTrace, TextError, parse_text};
pub use reader::Reader;
pub use spec::EventType;
