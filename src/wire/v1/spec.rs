//! The event table of the v1 format: one row per wire event.
//!
//! Source: Go 1.27 `internal/trace/internal/tracev1/parser.go` (EventDescriptions, parseEvent).

/// How an event stands in the file, and what it means for the goroutine that runs on the proc
/// whose batch it is in. Events do not say on which goroutine they happened; the reader knows it
/// from the last goroutine that started on the proc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Frames or describes other data; has no time.
    Structural,
    /// Was collected elsewhere and written later; has the time and the place in its arguments.
    Sampled,
    /// Happened on the proc's current goroutine, if it has one.
    Current,
    /// Happened on the goroutine in the first argument, which becomes the current one.
    Starts,
    /// Happened on the current goroutine; after it there is none.
    Leaves,
    /// Happened on the goroutine in the first argument; the current one stays.
    Named,
}

/// Everything the format says about one event.
#[derive(Debug)]
pub struct Spec {
    /// The event.
    pub kind: EventType,
    /// Name as Go prints it, without the `Ev` prefix.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// The first header version that has it: 11 or 19.
    pub since: u8,
    /// How it stands in the file.
    pub place: Place,
    /// Names of the arguments behind the time difference, the stack not counted.
    pub args: &'static [&'static str],
    /// Whether the number of the goroutine's stack follows as the last argument.
    pub has_stack: bool,
}

/// Highest number of arguments of an event, time difference and stack not counted.
pub const MAX_ARGS: usize = 4;
/// Longest string, bytes (readRawEvent, readStr).
pub const MAX_STRING_SIZE: u64 = 1_000_000;
/// Most bytes of arguments of an event that gives their length (readRawEvent).
pub const MAX_ARGS_SIZE: u64 = 2048;
/// Longest batch the runtime writes, bytes: its buffers have this size (Go 1.21
/// `runtime/trace.go`, traceBuf). The format itself has no limit.
pub const MAX_BATCH_SIZE: u64 = 64 << 10;

/// Declares the events. A row reads: number, name, first header version, place, arguments,
/// whether a stack follows.
///
/// For `20 GoBlock 11 Leaves [] true;` with its doc comment this gives the variant
/// `EventType::GoBlock = 20` and the entry `SPECS[20] = Some(Spec { name: "GoBlock", ... })`.
macro_rules! events {
    ($($(#[doc = $doc:literal])+ $code:literal $name:ident $since:literal $place:ident
        [$($arg:literal),*] $has_stack:literal;)*) => {
        /// A v1 wire event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum EventType { $($(#[doc = $doc])+ $name = $code,)* }

        /// The specification of each event, by its number. Numbers have 6 bits.
        pub static SPECS: [Option<Spec>; 64] = {
            let mut specs = [const { None }; 64];
            $(specs[$code] = Some(Spec {
                kind: EventType::$name,
                name: stringify!($name),
                doc: concat!($($doc, "\n"),+),
                since: $since,
                place: Place::$place,
                args: &[$($arg),*],
                has_stack: $has_stack,
            });)*
            specs
        };

        /// Every event, in the order of the table.
        pub const ALL: &[EventType] = &[$(EventType::$name,)*];
    };
}

events! {
    /// Start of a batch of one proc.
    1 Batch 11 Structural ["p", "ticks"] false;
    /// Clock ticks per second.
    2 Frequency 11 Structural ["freq"] false;
    /// A stack: after the arguments, four varints a frame (pc, function, file, line).
    3 Stack 11 Structural ["id", "siz"] false;
    /// GOMAXPROCS has this value now. The first one ends the description of what was there
    /// before the trace.
    4 Gomaxprocs 11 Current ["procs"] true;
    /// A thread acquired the proc.
    5 ProcStart 11 Current ["thread"] false;
    /// The thread gave up the proc, or it was taken away.
    6 ProcStop 11 Current [] false;
    /// A GC mark phase begins.
    7 GCStart 11 Current ["seq"] true;
    /// A GC mark phase ends.
    8 GCDone 11 Current [] false;
    /// The world is being stopped.
    9 STWStart 11 Current ["kindid"] false;
    /// The world runs again.
    10 STWDone 11 Current [] false;
    /// The proc begins to sweep.
    11 GCSweepStart 11 Current [] true;
    /// The proc ends its sweep: bytes looked at, bytes freed.
    12 GCSweepDone 11 Current ["swept", "reclaimed"] false;
    /// A goroutine was created, or existed before the trace.
    13 GoCreate 11 Current ["g", "stack"] true;
    /// A goroutine starts to run.
    14 GoStart 11 Starts ["g", "seq"] false;
    /// The running goroutine ends.
    15 GoEnd 11 Leaves [] false;
    /// The running goroutine stops for good, as in `select {}`.
    16 GoStop 11 Leaves [] true;
    /// The running goroutine yields.
    17 GoSched 11 Leaves [] true;
    /// The running goroutine is preempted.
    18 GoPreempt 11 Leaves [] true;
    /// The running goroutine sleeps.
    19 GoSleep 11 Leaves [] true;
    /// The running goroutine blocks, for a reason that has no event of its own.
    20 GoBlock 11 Leaves [] true;
    /// A goroutine is made runnable.
    21 GoUnblock 11 Current ["g", "seq"] true;
    /// The running goroutine blocks on a channel send.
    22 GoBlockSend 11 Leaves [] true;
    /// The running goroutine blocks on a channel receive.
    23 GoBlockRecv 11 Leaves [] true;
    /// The running goroutine blocks in a select.
    24 GoBlockSelect 11 Leaves [] true;
    /// The running goroutine blocks on a lock.
    25 GoBlockSync 11 Leaves [] true;
    /// The running goroutine blocks on a `sync.Cond`.
    26 GoBlockCond 11 Leaves [] true;
    /// The running goroutine blocks on the network.
    27 GoBlockNet 11 Leaves [] true;
    /// The running goroutine enters a system call.
    28 GoSysCall 11 Current [] true;
    /// A goroutine leaves a system call in which it had lost its proc; the last argument is when
    /// it did, because the event is only written once it has a proc again. 0: just now.
    29 GoSysExit 11 Named ["g", "seq", "ts"] false;
    /// The proc is taken away from the goroutine in a system call.
    30 GoSysBlock 11 Leaves [] false;
    /// A goroutine that existed before the trace was blocked when it began.
    31 GoWaiting 11 Named ["g"] false;
    /// A goroutine that existed before the trace was in a system call when it began.
    32 GoInSyscall 11 Named ["g"] false;
    /// Live heap bytes.
    33 HeapAlloc 11 Current ["mem"] false;
    /// Heap size at which the next GC cycle should end, bytes.
    34 HeapGoal 11 Current ["mem"] false;
    /// This goroutine runs timers; what it wakes was woken by a timer. Until Go 1.13.
    35 TimerGoroutine 11 Structural ["g"] false;
    /// The last wake-up of the goroutine was in vain. No supported Go release writes it.
    36 FutileWakeup 11 Current [] false;
    /// A string: a number, a length and the bytes.
    37 String 11 Structural [] false;
    /// A goroutine starts to run on the proc that made it runnable.
    38 GoStartLocal 11 Starts ["g"] false;
    /// A goroutine is made runnable on the proc it ran on last.
    39 GoUnblockLocal 11 Current ["g"] true;
    /// A goroutine leaves a system call on the proc it ran on last. No supported Go release writes
    /// it, and Go 1.27 puts it on the current goroutine (parseEvent) and then refuses the trace.
    40 GoSysExitLocal 11 Named ["g", "ts"] false;
    /// A goroutine starts to run with a label.
    41 GoStartLabel 11 Starts ["g", "seq", "labelid"] false;
    /// The running goroutine blocks until a GC mark assist has done its work.
    42 GoBlockGC 11 Leaves [] true;
    /// The goroutine must help marking.
    43 GCMarkAssistStart 11 Current [] true;
    /// The goroutine has paid its marking debt.
    44 GCMarkAssistDone 11 Current [] false;
    /// `trace.NewTask`.
    45 UserTaskCreate 11 Current ["taskid", "pid", "typeid"] true;
    /// `Task.End`.
    46 UserTaskEnd 11 Current ["taskid"] true;
    /// `trace.StartRegion` (mode 0) or `Region.End` (mode 1).
    47 UserRegion 11 Current ["taskid", "mode", "typeid"] true;
    /// `trace.Log`, `trace.Logf`; the message follows the arguments.
    48 UserLog 11 Current ["id", "keyid"] true;
    /// A CPU profiler sample.
    49 CPUSample 19 Sampled ["ts", "p", "g"] true;
}

impl EventType {
    /// The specification of the event.
    pub fn spec(self) -> &'static Spec {
        SPECS[self as usize].as_ref().expect("every variant has a row")
    }

    /// The name as Go prints it.
    pub fn name(self) -> &'static str {
        self.spec().name
    }
}

/// What the decoder needs to know about an event number, in one cache line's reach.
#[derive(Clone, Copy)]
pub struct Shape {
    /// The event; meaningless if `since` is 255.
    pub kind: EventType,
    /// First header version that has it; 255 for numbers that are no event.
    pub since: u8,
    /// How it stands in the file.
    pub place: Place,
    /// Arguments behind the time difference, the stack not counted.
    pub args: u8,
    /// Whether a stack follows.
    pub has_stack: bool,
}

impl Shape {
    /// Varints of the event: time difference, arguments and stack.
    #[inline(always)]
    pub const fn values(&self) -> usize {
        1 + self.args as usize + self.has_stack as usize
    }
}

/// [`Shape`] by event number, derived from [`SPECS`].
pub static SHAPES: [Shape; 64] = {
    let mut shapes = [Shape {
        kind: EventType::Batch,
        since: 255,
        place: Place::Structural,
        args: 0,
        has_stack: false,
    }; 64];
    let mut code = 0;
    while code < 64 {
        if let Some(spec) = &SPECS[code] {
            shapes[code] = Shape {
                kind: spec.kind,
                since: spec.since,
                place: spec.place,
                args: spec.args.len() as u8,
                has_stack: spec.has_stack,
            };
        }
        code += 1;
    }
    shapes
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_from_1_to_49_has_its_row() {
        assert_eq!(ALL.len(), 49);
        for (&kind, code) in ALL.iter().zip(1..) {
            let spec = kind.spec();
            assert_eq!((kind as u8, spec.kind), (code, kind));
            assert!(spec.args.len() <= MAX_ARGS, "{}", spec.name);
            assert!(!spec.doc.is_empty() && [11, 19].contains(&spec.since), "{}", spec.name);
            // The reader takes the goroutine from the first argument.
            if matches!(spec.place, Place::Starts | Place::Named) {
                assert_eq!(spec.args[0], "g", "{}", spec.name);
            }
        }
    }

    #[test]
    fn values_count_the_time_difference_and_the_stack() {
        assert_eq!(SHAPES[EventType::ProcStop as usize].values(), 1);
        assert_eq!(SHAPES[EventType::GoCreate as usize].values(), 4);
        assert_eq!(SHAPES[EventType::UserTaskCreate as usize].values(), 5);
        assert_eq!(SHAPES[0].since, 255);
    }
}
