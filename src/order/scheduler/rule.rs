//! What every rule is told, what it may ask for, and what it answers.
//!
//! Comes in: an event about to happen and on what it would. Goes out: an [`Answer`]. The one idea:
//! "not yet" is an outcome, since another order of the threads helps; what no order can help is an
//! [`Inconsistency`], in words.

use super::state::{Orderer, Proc};
use crate::order::event::{Event, GoSlot, GoState, NO_SLOT, NONE, ProcState, status};
use crate::order::goroutines::Goroutine;
use crate::wire::v2::EventType;

/// What an event did.
pub(super) enum Outcome {
    /// It took place; it is to be handed out, about this goroutine.
    Done(GoSlot),
    /// It took place and was handed out, or it is to be left out.
    Handled,
    /// Another thread must move first.
    NotYet,
}

/// On what an event happened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    pub(super) thread: i64,
    pub(super) proc: i64,
    pub(super) goroutine: i64,
    pub(super) slot: GoSlot,
}

impl Context {
    /// Notes in an event on what it happens. The event is told before it is tried, rather than the
    /// context handed on to where it goes out: two numbers that were just stored apart and are loaded
    /// as one pair cost as much as the rest of an event.
    #[inline(always)]
    pub(super) fn put_into(self, event: &mut Event) {
        event.thread = self.thread;
        event.proc = self.proc;
        event.goroutine = self.goroutine;
        event.slot = self.slot;
    }
}

/// Why the events cannot be ordered, in words.
pub(super) type Inconsistency = Box<str>;

/// What a rule says.
pub(super) type Answer = Result<Outcome, Inconsistency>;

/// The event took place, and is about no other goroutine.
pub(super) const DONE: Answer = Ok(Outcome::Done(NO_SLOT));

/// Whether a sequence number is the next one of the same generation.
#[inline(always)]
pub(super) fn succeeds(generation: u32, seq: u64, last_generation: u32, last: u64) -> bool {
    generation == last_generation && seq == last.wrapping_add(1)
}

/// What an event has to have on its thread before it can happen.
#[inline(always)]
pub(super) fn need(is_met: bool, kind: EventType, what: &'static str) -> Result<(), Inconsistency> {
    if is_met { Ok(()) } else { Err(unmet(kind, what)) }
}

/// What only the scheduler itself does needs no goroutine.
#[inline(always)]
pub(super) fn need_thread_and_proc(kind: EventType, context: Context) -> Result<(), Inconsistency> {
    need(context.thread != NONE, kind, "a thread")?;
    need(context.proc != NONE, kind, "a proc")
}

/// Most events are of user code, which has all three.
#[inline(always)]
pub(super) fn need_all(kind: EventType, context: Context) -> Result<(), Inconsistency> {
    need_thread_and_proc(kind, context)?;
    need(context.goroutine != NONE, kind, "a goroutine")
}

impl Orderer {
    /// The goroutine in a slot has to have a status.
    #[inline(always)]
    pub(super) fn need_status(
        &mut self,
        kind: EventType,
        slot: GoSlot,
        want: u64,
    ) -> Result<(), Inconsistency> {
        let state = self.goroutines.get(slot);
        if u64::from(state.status) == want {
            Ok(())
        } else {
            Err(wrong_go_state(kind, state, want))
        }
    }
}

#[cold]
fn unmet(kind: EventType, what: &'static str) -> Inconsistency {
    format!("{}: want {what} at this point;", kind.name()).into()
}

#[cold]
pub(super) fn wrong_go_state(kind: EventType, state: &Goroutine, want: u64) -> Inconsistency {
    let word = |status| status::go_state(status).unwrap_or(GoState::Undetermined).as_str();
    format!(
        "{}: goroutine {} is {}, want {};",
        kind.name(),
        state.goid,
        word(u64::from(state.status)),
        word(want)
    )
    .into()
}

#[cold]
pub(super) fn wrong_proc_state(kind: EventType, state: &Proc) -> Inconsistency {
    let word = status::proc_state(state.status).unwrap_or(ProcState::Undetermined).as_str();
    format!("{}: proc {} is {word} with status {};", kind.name(), state.id, state.status).into()
}
