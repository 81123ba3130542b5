//! Lanes: the events of each thread in a generation, one after the other.
//!
//! Comes in: a generation and the place reached in a thread's batches. Goes out: the thread's next
//! event. The one idea: what cannot be decoded costs the rest of its batch, no more; the thread goes
//! on with the next one.

use super::state::Orderer;
use crate::diagnostic::{Code, Diagnostic};
use crate::order::event::Event;
use crate::wire::v2::{Cursor, CursorError, Generation};

/// A thread's events in the generation being ordered, and the next of them. The event is handed
/// out from here: copying it right after its arguments were stored would stall on the stores.
pub(super) struct Lane {
    pub(super) cursor: Cursor,
    /// Index into `Orderer::threads`.
    pub(super) thread: u32,
    pub(super) event: Event,
}

impl Lane {
    /// Where the byte behind the event read last stands in the file. `index` is the lane's thread in
    /// [`Generation::threads`].
    pub(super) fn offset(&self, generation: &Generation, index: usize) -> u64 {
        let place = self.cursor.place(&generation.threads[index].batches);
        place.map_or(generation.offset, |(batch, at)| batch.offset + at as u64)
    }
}

impl Orderer {
    /// Reads a thread's next event; skips what cannot be decoded.
    #[inline(always)]
    pub(super) fn next_event(
        &mut self,
        generation: &Generation,
        index: usize,
        lane: &mut Lane,
    ) -> bool {
        match generation.next_event(index, &mut lane.cursor, &mut lane.event.args) {
            Ok(Some((kind, time))) => {
                (lane.event.kind, lane.event.time) = (kind, time);
                true
            }
            Ok(None) => false,
            Err(error) => self.skip_damage(generation, index, lane, error),
        }
    }

    #[cold]
    #[inline(never)]
    fn skip_damage(
        &mut self,
        generation: &Generation,
        index: usize,
        lane: &mut Lane,
        error: CursorError,
    ) -> bool {
        let mut error = error;
        loop {
            let batches = &generation.threads[index];
            let offset = lane.offset(generation, index);
            let lost = lane.cursor.skip_batch();
            self.is_damaged = true;
            self.diagnostics.push(
                Diagnostic::new(Code::BadEvent, format!("{error}; skipped the rest of the batch"))
                    .at_offset(offset)
                    .in_generation(generation.number)
                    .on_thread(batches.thread)
                    .losing_bytes(lost as u64),
            );
            match generation.next_event(index, &mut lane.cursor, &mut lane.event.args) {
                Ok(Some((kind, time))) => {
                    (lane.event.kind, lane.event.time) = (kind, time);
                    return true;
                }
                Ok(None) => return false,
                Err(next) => error = next,
            }
        }
    }
}
