//! The ordered event.

use crate::wire::v2::spec::{MAX_ARGS, SHAPES};
use crate::wire::v2::{ClockSnapshot, EventType};

/// "No thread", "no proc", "no goroutine" in the id fields of an [`Event`], as in Go.
pub const NONE: i64 = -1;

/// A small number that stands for a goroutine while it lives, for indexing vectors. Reused after
/// the goroutine's end.
pub type GoSlot = u32;

/// "No goroutine" as a [`GoSlot`].
pub const NO_SLOT: GoSlot = u32::MAX;

/// States of a goroutine (Go 1.27 `internal/trace/resources.go`, GoState).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum GoState {
    /// Nothing is known yet.
    Undetermined,
    /// It does not exist (yet, or any more).
    NotExist,
    /// It could run and waits for a proc.
    Runnable,
    /// It runs.
    Running,
    /// It waits for something.
    Waiting,
    /// It is in a system call.
    Syscall,
}

impl GoState {
    /// The word Go uses.
    pub fn as_str(self) -> &'static str {
        match self {
            GoState::Undetermined => "Undetermined",
            GoState::NotExist => "NotExist",
            GoState::Runnable => "Runnable",
            GoState::Running => "Running",
            GoState::Waiting => "Waiting",
            GoState::Syscall => "Syscall",
        }
    }

    fn from_number(number: u64) -> GoState {
        match number {
            1 => GoState::NotExist,
            2 => GoState::Runnable,
            3 => GoState::Running,
            4 => GoState::Waiting,
            5 => GoState::Syscall,
            _ => GoState::Undetermined,
        }
    }
}

/// States of a proc (Go 1.27 `internal/trace/resources.go`, ProcState).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ProcState {
    /// Nothing is known yet.
    Undetermined,
    /// It does not exist yet.
    NotExist,
    /// A thread has it.
    Running,
    /// No thread has it.
    Idle,
}

impl ProcState {
    /// The word Go uses.
    pub fn as_str(self) -> &'static str {
        match self {
            ProcState::Undetermined => "Undetermined",
            ProcState::NotExist => "NotExist",
            ProcState::Running => "Running",
            ProcState::Idle => "Idle",
        }
    }

    fn from_number(number: u64) -> ProcState {
        match number {
            1 => ProcState::NotExist,
            2 => ProcState::Running,
            3 => ProcState::Idle,
            _ => ProcState::Undetermined,
        }
    }
}

/// Status numbers on the wire (Go 1.27 `internal/trace/tracev2/events.go`, GoStatus, ProcStatus).
pub mod status {
    use super::{GoState, ProcState};

    /// Goroutine is runnable.
    pub const GO_RUNNABLE: u64 = 1;
    /// Goroutine runs.
    pub const GO_RUNNING: u64 = 2;
    /// Goroutine is in a system call.
    pub const GO_SYSCALL: u64 = 3;
    /// Goroutine waits.
    pub const GO_WAITING: u64 = 4;
    /// Proc runs.
    pub const PROC_RUNNING: u64 = 1;
    /// Proc is idle.
    pub const PROC_IDLE: u64 = 2;
    /// Proc belongs to a thread in a system call.
    pub const PROC_SYSCALL: u64 = 3;
    /// Proc belonged to a thread in a system call, and it is not known to which.
    pub const PROC_SYSCALL_ABANDONED: u64 = 4;

    /// The state a goroutine status stands for; `None` for a number that is no status. Number 0
    /// is accepted as Go accepts it, and stands for nothing known.
    pub fn go_state(status: u64) -> Option<GoState> {
        Some(match status {
            0 => GoState::Undetermined,
            GO_RUNNABLE => GoState::Runnable,
            GO_RUNNING => GoState::Running,
            GO_SYSCALL => GoState::Syscall,
            GO_WAITING => GoState::Waiting,
            _ => return None,
        })
    }

    /// The state a proc status stands for; `None` for a number that is no status.
    pub fn proc_state(status: u64) -> Option<ProcState> {
        Some(match status {
            0 => ProcState::Undetermined,
            PROC_RUNNING | PROC_SYSCALL => ProcState::Running,
            PROC_IDLE | PROC_SYSCALL_ABANDONED => ProcState::Idle,
            _ => return None,
        })
    }
}

/// An event in its place. `goroutine`, `proc` and `thread` tell on what it happened, before it
/// took effect: a starting goroutine is in `args`, not in `goroutine`.
///
/// Arguments are those of the wire event, with what Go's reader adds (order.go):
/// - `GoStatus`, `GoStatusStack`: `args[2]` is `from << 32 | status`, from a [`GoState`];
/// - `ProcStatus`: `args[2]` is the [`ProcState`] before; `ProcSteal`: `args[3]` the status before;
/// - `STWEnd`: `args[0]` is the kind, as in `STWBegin`;
/// - `UserTaskBegin`: `args[1]` is `u64::MAX` for no parent; `UserTaskEnd`: `args[2]` is the parent
///   and `args[3]` the name, for [`Tables::extra_string`](crate::wire::v2::Tables::extra_string).
/// - `CPUSample`: `args[0]` is the stack.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// Nanoseconds on the trace's clock.
    pub time: i64,
    /// What happened.
    pub kind: EventType,
    /// Thread (M), or [`NONE`].
    pub thread: i64,
    /// Proc (P), or [`NONE`].
    pub proc: i64,
    /// Goroutine (G), or [`NONE`].
    pub goroutine: i64,
    /// Slot of `goroutine`, or [`NO_SLOT`].
    pub slot: GoSlot,
    /// For an event about another goroutine, that one's slot; else [`NO_SLOT`].
    pub subject: GoSlot,
    /// Arguments.
    pub args: [u64; MAX_ARGS],
}

/// What changed its state, from what to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransitionOf {
    /// A goroutine: its number and slot.
    Goroutine(i64, GoSlot, GoState, GoState),
    /// A proc: its number.
    Proc(i64, ProcState, ProcState),
}

impl Event {
    /// An event on nothing, to be filled.
    pub(super) fn blank() -> Event {
        Event {
            time: 0,
            kind: EventType::EventBatch,
            thread: NONE,
            proc: NONE,
            goroutine: NONE,
            slot: NO_SLOT,
            subject: NO_SLOT,
            args: [0; MAX_ARGS],
        }
    }

    /// Stack number of the executing goroutine at this moment; 0 for none.
    #[inline]
    pub fn stack(&self) -> u64 {
        if self.kind == EventType::CPUSample {
            return self.args[0];
        }
        match SHAPES[self.kind as usize].stack_arg {
            255 => 0,
            index => self.args[index as usize],
        }
    }

    /// The state change this event is, if it is one (Go 1.27 event.go, StateTransition).
    #[inline(always)]
    pub fn transition(&self) -> Option<TransitionOf> {
        use EventType::*;
        use GoState as G;
        use ProcState as P;
        let other =
            |from, to| Some(TransitionOf::Goroutine(self.args[0] as i64, self.subject, from, to));
        let own = |from, to| Some(TransitionOf::Goroutine(self.goroutine, self.slot, from, to));
        match self.kind {
            ProcStart => Some(TransitionOf::Proc(self.args[0] as i64, P::Idle, P::Running)),
            ProcStop => Some(TransitionOf::Proc(self.proc, P::Running, P::Idle)),
            ProcSteal => {
                // A proc whose thread is unknown was already shown as idle.
                let from = if self.args[3] == status::PROC_SYSCALL_ABANDONED {
                    P::Idle
                } else {
                    P::Running
                };
                Some(TransitionOf::Proc(self.args[0] as i64, from, P::Idle))
            }
            ProcStatus => Some(TransitionOf::Proc(
                self.args[0] as i64,
                P::from_number(self.args[2]),
                status::proc_state(self.args[1]).unwrap_or(P::Undetermined),
            )),
            GoCreate => other(G::NotExist, G::Runnable),
            GoCreateBlocked => other(G::NotExist, G::Waiting),
            GoCreateSyscall => other(G::NotExist, G::Syscall),
            GoStart => other(G::Runnable, G::Running),
            GoDestroy => own(G::Running, G::NotExist),
            GoDestroySyscall => own(G::Syscall, G::NotExist),
            GoStop => own(G::Running, G::Runnable),
            GoBlock => own(G::Running, G::Waiting),
            GoUnblock | GoSwitch | GoSwitchDestroy => other(G::Waiting, G::Runnable),
            GoSyscallBegin => own(G::Running, G::Syscall),
            GoSyscallEnd => own(G::Syscall, G::Running),
            GoSyscallEndBlocked => own(G::Syscall, G::Runnable),
            GoStatus | GoStatusStack => other(
                G::from_number(self.args[2] >> 32),
                status::go_state(self.args[2] & 0xffff_ffff).unwrap_or(G::Undetermined),
            ),
            _ => None,
        }
    }

    /// Stack number of the goroutine that changes its state, where the event tells it (Go 1.27
    /// event.go, StateTransition.Stack); 0 for none.
    #[inline(always)]
    pub fn transition_stack(&self) -> u64 {
        use EventType::*;
        match self.kind {
            GoCreate | GoCreateBlocked => self.args[1],
            GoStop | GoBlock | GoSyscallBegin => self.args[1],
            GoStatusStack => self.args[3],
            _ => 0,
        }
    }

    /// String number of the reason of the state change; 0 for none.
    #[inline(always)]
    pub fn reason(&self) -> u64 {
        match self.kind {
            EventType::GoStop | EventType::GoBlock => self.args[0],
            _ => 0,
        }
    }
}

/// A synchronisation point.
#[derive(Debug, Clone, Copy)]
pub struct Sync {
    /// Nanoseconds on the trace's clock.
    pub time: i64,
    /// The how-manieth it is, from 1.
    pub n: u64,
    /// The clocks read together at it, with the trace clock in nanoseconds; Go 1.25+.
    pub clock: Option<(i64, ClockSnapshot)>,
}
