//! Ordered events to model items: what goroutines, procs and threads did, and for how long.
//!
//! Comes in: ordered events ([`Builder`] is a [`Sink`](crate::order::Sink)). Goes out: each
//! item once, as soon as it is complete, into an [`Items`]. The idea is one pass with state only
//! for what is alive: a span is handed out when it ends, a goroutine when it ends, so memory
//! follows the live goroutines and the distinct stacks, not the length of the trace.
//!
//! Definitions: `docs/definitions.md`; they follow Go 1.27 `internal/trace/summary.go` where that
//! is right.

mod annotations;
mod builder;
mod gc;
mod goroutines;
mod ids;
mod items;
mod memory;
mod moment;
mod procs;
mod selection;
pub mod stack_pattern;
mod symbols;
pub mod wait_kinds;

pub use builder::Builder;
pub use ids::*;
pub use items::*;
pub use moment::{Moment, TimeBounds};
pub use selection::{NamePattern, Selection};
pub use symbols::{FrameData, FunctionData, Symbols, Translation};
