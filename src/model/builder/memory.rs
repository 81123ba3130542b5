//! Memory: objects, spans and stacks of the AllocFree experiment.
//!
//! Comes in: what exists, is allocated or released. Goes out: a block when it is released. The one
//! idea: the experiment numbers blocks, and what a number means [`Memory`](crate::model::memory::Memory)
//! knows; here only events are told apart.

use super::state::Builder;
use crate::model::items::Items;
use crate::model::memory::{Space, Told};
use crate::order::Event;
use crate::wire::v2::EventType;

impl<I: Items> Builder<'_, I> {
    /// An event of the AllocFree experiment.
    #[inline(never)]
    pub(super) fn memory_event(&mut self, event: &Event, time_ns: i64) {
        use EventType::*;
        let space = match event.kind {
            HeapObject | HeapObjectAlloc | HeapObjectFree => Space::Objects,
            Span | SpanAlloc | SpanFree => Space::Spans,
            GoroutineStack | GoroutineStackAlloc | GoroutineStackFree => Space::Stacks,
            _ => return,
        };
        let told = Told {
            space,
            number: event.args[0],
            args: [event.args[1], event.args[2]],
            time_ns,
            goroutine: self.goroutines.id(event.slot),
        };
        let done = match event.kind {
            HeapObjectFree | SpanFree | GoroutineStackFree => self.memory.release(told),
            HeapObjectAlloc | SpanAlloc | GoroutineStackAlloc => self.memory.exists(told, true),
            _ => self.memory.exists(told, false),
        };
        if let Some(block) = done {
            self.items.memory_block(&block);
        }
    }
}
