//! Wire events to ordered events.
//!
//! Comes in: a [`Generation`], whose batches are ordered only within
//! each thread. Goes out: every event once, in one order that the Go scheduler could have
//! produced, with the thread, proc and goroutine it happened on. The idea is to replay the
//! scheduler: an event may go next only if the state it needs has been reached, and among those
//! that may, the earliest goes.
//!
//! That is the v2 format. v1 traces have other rules, in `v1`, and end in the same events.
//!
//! Source: Go 1.27 `internal/trace/order.go` and `reader.go`. The order is the same as Go's,
//! event for event, also where timestamps are equal.

mod annotations;
mod event;
mod frontier;
mod goroutines;
mod limits;
mod reader;
mod scheduler;
mod v1;

pub use event::{Event, GoSlot, GoState, NO_SLOT, NONE, ProcState, Sync, TransitionOf, status};
pub use reader::{Outcome, TraceReader};
pub use scheduler::Orderer;
pub use v1::{V1Stats, order_v1};

use crate::wire::v2::{Generation, Tables};

/// Takes ordered events. Times are nanoseconds on the trace's clock, strictly increasing.
pub trait Sink {
    /// A synchronisation point: the start of `generation`, or the end of the trace if that is
    /// `None`.
    fn sync(&mut self, sync: &Sync, generation: Option<&Generation>);

    /// What follows is not connected with what came before: a part of the trace is missing. All
    /// goroutines and procs will be introduced anew.
    fn gap(&mut self) {}

    /// An event of the generation announced last. `tables` resolves its strings and stacks.
    fn event(&mut self, event: &Event, tables: &Tables);

    /// Whether it needs no more. Reading stops soon after, not at once: what still comes is to
    /// be ignored.
    fn is_done(&self) -> bool {
        false
    }
}
