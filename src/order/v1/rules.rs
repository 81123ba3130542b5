//! When an event may come next: what it needs of its goroutine, and what it makes of it.
//!
//! Source: Go 1.27 `internal/trace/internal/tracev1/order.go` (stateTransition). The runtime
//! numbers those events of a goroutine that may be written by different procs; the events of one
//! proc need no numbers, because they are in order already.

use crate::order::event::GoState;
use crate::order::goroutines::Numbered;
use crate::wire::v1::{EventType, WireEvent};

/// What ordering knows of a goroutine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// It was running where bytes were lost.
    Lost,
    /// It waits for a proc.
    Runnable,
    /// It runs, or it is in a system call and still has its proc.
    Running,
    /// It waits for something, or it is in a system call without a proc.
    Waiting,
}

/// A goroutine.
#[derive(Debug, Clone)]
pub struct Goroutine {
    pub goid: i64,
    /// The sequence number of its next numbered event.
    pub seq: u64,
    pub status: Status,
    /// Its state as the events handed out so far have it.
    pub shown: GoState,
    /// If it lost its proc in a system call whose end was not handed out yet: when, in clock
    /// ticks.
    pub blocked_at: Option<i64>,
    /// It waits for the network.
    pub waits_for_network: bool,
    pub in_mark_assist: bool,
    /// Whether it has open regions, which are kept elsewhere.
    pub has_regions: bool,
}

impl Goroutine {
    pub fn new(goid: u64, seq: u64, status: Status) -> Self {
        Goroutine {
            goid: goid as i64,
            seq,
            status,
            shown: GoState::Undetermined,
            blocked_at: None,
            waits_for_network: false,
            in_mark_assist: false,
            has_regions: false,
        }
    }
}

impl Numbered for Goroutine {
    fn goid(&self) -> i64 {
        self.goid
    }
}

/// Which goroutine an event depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// None: the event may come at any time.
    Nothing,
    /// The one that runs on the proc.
    Current,
    /// The one in the first argument.
    First,
    /// The one in the first argument, which must not exist yet.
    New,
    /// None, but it has a sequence number of its own.
    Gc,
}

/// What an event means for the goroutine's sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seq {
    /// Nothing.
    Keeps,
    /// Adds one.
    Counts,
    /// It must be this, then one is added.
    Is(u64),
    /// It must be the second argument, then one is added.
    Argument,
}

/// What an event needs and does.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub on: On,
    pub needs: Status,
    pub seq: Seq,
    pub becomes: Status,
}

impl Rule {
    /// Whether the goroutine is where the event needs it.
    #[inline(always)]
    pub fn allows(&self, goroutine: &Goroutine, event: &WireEvent) -> bool {
        goroutine.status == self.needs
            && match self.seq {
                Seq::Keeps | Seq::Counts => true,
                Seq::Is(seq) => goroutine.seq == seq,
                Seq::Argument => goroutine.seq == event.args[1],
            }
    }

    /// Whether the goroutine can never again be where the event needs it, whatever comes. Sequence
    /// numbers only grow, and what wakes or starts a goroutine counts.
    pub fn is_hopeless(&self, goroutine: &Goroutine, event: &WireEvent) -> bool {
        let wanted = match self.seq {
            Seq::Keeps | Seq::Counts => return false,
            Seq::Is(seq) => seq,
            Seq::Argument => event.args[1],
        };
        let needs_a_count = matches!(
            (goroutine.status, self.needs),
            (Status::Waiting, Status::Runnable) | (Status::Runnable, Status::Waiting)
        );
        goroutine.seq > wanted || (goroutine.seq == wanted && needs_a_count)
    }

    /// Lets the event happen to the goroutine.
    #[inline(always)]
    pub fn apply(&self, goroutine: &mut Goroutine, event: &WireEvent) {
        goroutine.status = self.becomes;
        match self.seq {
            Seq::Keeps => {}
            Seq::Counts => goroutine.seq = goroutine.seq.wrapping_add(1),
            Seq::Is(seq) => goroutine.seq = seq + 1,
            Seq::Argument => goroutine.seq = event.args[1].wrapping_add(1),
        }
    }
}

const fn rule(kind: EventType) -> Rule {
    use EventType::*;
    use Status::*;
    let (on, needs, seq, becomes) = match kind {
        GoCreate => (On::New, Lost, Seq::Keeps, Runnable),
        GoWaiting | GoInSyscall => (On::First, Runnable, Seq::Is(1), Waiting),
        GoStart | GoStartLabel => (On::First, Runnable, Seq::Argument, Running),
        // Follows the GoCreate or GoUnblock on the same proc, so it needs no number.
        GoStartLocal => (On::First, Runnable, Seq::Counts, Running),
        GoBlock | GoBlockSend | GoBlockRecv | GoBlockSelect | GoBlockSync | GoBlockCond
        | GoBlockNet | GoBlockGC | GoSleep | GoSysBlock => {
            (On::Current, Running, Seq::Keeps, Waiting)
        }
        GoSched | GoPreempt => (On::Current, Running, Seq::Keeps, Runnable),
        GoUnblock | GoSysExit => (On::First, Waiting, Seq::Argument, Runnable),
        GoUnblockLocal | GoSysExitLocal => (On::First, Waiting, Seq::Counts, Runnable),
        GCStart => (On::Gc, Lost, Seq::Keeps, Lost),
        // They come from the proc the goroutine runs on, so it started there before.
        GoEnd | GoStop | GoSysCall => (On::Nothing, Running, Seq::Keeps, Running),
        Gomaxprocs | ProcStart | ProcStop | GCDone | STWStart | STWDone | GCSweepStart
        | GCSweepDone | HeapAlloc | HeapGoal | FutileWakeup | GCMarkAssistStart
        | GCMarkAssistDone | UserTaskCreate | UserTaskEnd | UserRegion | UserLog | CPUSample
        | Batch | Frequency | Stack | TimerGoroutine | String => {
            (On::Nothing, Lost, Seq::Keeps, Lost)
        }
    };
    Rule { on, needs, seq, becomes }
}

/// The rule of each event, by its number.
pub static RULES: [Rule; 64] = {
    let mut rules =
        [Rule { on: On::Nothing, needs: Status::Lost, seq: Seq::Keeps, becomes: Status::Lost }; 64];
    let mut i = 0;
    while i < crate::wire::v1::spec::ALL.len() {
        let kind = crate::wire::v1::spec::ALL[i];
        rules[kind as usize] = rule(kind);
        i += 1;
    }
    rules
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_start_waits_for_its_number_and_a_local_one_does_not() {
        let mut goroutine = Goroutine::new(7, 1, Status::Runnable);
        let start = |kind, seq| WireEvent { kind, args: [7, seq, 0, 0], ..WireEvent::NONE };
        let numbered = &RULES[EventType::GoStart as usize];
        assert!(!numbered.allows(&goroutine, &start(EventType::GoStart, 2)));
        assert!(numbered.allows(&goroutine, &start(EventType::GoStart, 1)));
        assert!(!numbered.is_hopeless(&goroutine, &start(EventType::GoStart, 2)));
        assert!(numbered.is_hopeless(&goroutine, &start(EventType::GoStart, 0)));
        let local = &RULES[EventType::GoStartLocal as usize];
        let event = start(EventType::GoStartLocal, 0);
        assert!(local.allows(&goroutine, &event));
        local.apply(&mut goroutine, &event);
        assert_eq!((goroutine.seq, goroutine.status), (2, Status::Running));
        assert!(!local.allows(&goroutine, &event));
    }
}
