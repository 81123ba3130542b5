//! The event table of the v2 format: one row per wire event.
//!
//! Source: Go 1.27 `internal/trace/tracev2/events.go` (names, numbers, arguments) and
//! `internal/trace/version/version.go` (which header first has which event).

/// How an event stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Frames other data or stands in a table batch; never in a thread's event stream.
    Structural,
    /// Stands in a thread's event stream; its first argument is the time since the previous one.
    Timed,
    /// Timed, and only there when the AllocFree experiment was on.
    AllocFree,
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
    /// The first header version that has it: 22, 23, 25 or 26.
    pub since: u8,
    /// How it stands in the file.
    pub class: Class,
    /// Argument names as Go prints them. Their endings tell the kind: `_string` is a string
    /// number, `stack` a stack number, `_seq` a sequence number.
    pub args: &'static [&'static str],
}

impl Spec {
    /// Number of varint arguments behind the time difference, for timed events.
    pub const fn arg_count(&self) -> usize {
        if self.args.is_empty() { 0 } else { self.args.len() - 1 }
    }
}

/// Highest number of arguments of a timed event, time difference not counted.
pub const MAX_ARGS: usize = 4;
/// Longest batch (Go `tracev2.MaxBatchSize`), bytes.
pub const MAX_BATCH_SIZE: u64 = 64 << 10;
/// Deepest stack (Go `tracev2.MaxFramesPerStack`), frames.
pub const MAX_FRAMES_PER_STACK: u64 = 128;
/// Longest string (Go `tracev2.MaxEventTrailerDataSize`), bytes.
pub const MAX_STRING_SIZE: u64 = 1 << 10;

/// Declares the events. A row reads: number, name, first header version, class, arguments.
///
/// For `14 GoCreate 22 Timed ["dt", ...];` with its doc comment this gives the variant
/// `EventType::GoCreate = 14` and the entry `SPECS[14] = Some(Spec { name: "GoCreate", ... })`.
macro_rules! events {
    ($($(#[doc = $doc:literal])+ $code:literal $name:ident $since:literal $class:ident [$($arg:literal),*];)*) => {
        /// A v2 wire event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum EventType { $($(#[doc = $doc])+ $name = $code,)* }

        /// The specification of each event, by its number.
        pub static SPECS: [Option<Spec>; 256] = {
            let mut specs = [const { None }; 256];
            $(specs[$code] = Some(Spec {
                kind: EventType::$name,
                name: stringify!($name),
                doc: concat!($($doc, "\n"),+),
                since: $since,
                class: Class::$class,
                args: &[$($arg),*],
            });)*
            specs
        };

        /// Every event, in the order of the table.
        pub const ALL: &[EventType] = &[$(EventType::$name,)*];
    };
}

events! {
    /// Start of a batch of one thread.
    1 EventBatch 22 Structural ["gen", "m", "time", "size"];
    /// Start of a batch of stacks.
    2 Stacks 22 Structural [];
    /// A stack: after the arguments, four varints a frame (pc, function, file, line).
    3 Stack 22 Structural ["id", "nframes"];
    /// Start of a batch of strings.
    4 Strings 22 Structural [];
    /// A string: after the argument, a length and the bytes.
    5 String 22 Structural ["id"];
    /// Start of a batch of CPU samples.
    6 CPUSamples 22 Structural [];
    /// A CPU profiler sample.
    7 CPUSample 22 Structural ["time", "m", "p", "g", "stack"];
    /// Clock ticks per second; alone in its batch before Go 1.25.
    8 Frequency 22 Structural ["freq"];

    /// GOMAXPROCS has this value now.
    9 ProcsChange 22 Timed ["dt", "procs_value", "stack"];
    /// The thread acquired a proc.
    10 ProcStart 22 Timed ["dt", "p", "p_seq"];
    /// The thread gave up its proc.
    11 ProcStop 22 Timed ["dt"];
    /// The thread took a proc away from a thread in a system call.
    12 ProcSteal 22 Timed ["dt", "p", "p_seq", "m"];
    /// The status of a proc at the start of a generation.
    13 ProcStatus 22 Timed ["dt", "p", "pstatus"];

    /// A goroutine was created.
    14 GoCreate 22 Timed ["dt", "new_g", "new_stack", "stack"];
    /// A goroutine appeared in a system call: a C thread calls into Go.
    15 GoCreateSyscall 22 Timed ["dt", "new_g"];
    /// A goroutine starts to run.
    16 GoStart 22 Timed ["dt", "g", "g_seq"];
    /// The running goroutine ends.
    17 GoDestroy 22 Timed ["dt"];
    /// A goroutine ends in a system call: the C thread returns from Go.
    18 GoDestroySyscall 22 Timed ["dt"];
    /// The running goroutine yields but stays runnable.
    19 GoStop 22 Timed ["dt", "reason_string", "stack"];
    /// The running goroutine blocks.
    20 GoBlock 22 Timed ["dt", "reason_string", "stack"];
    /// A goroutine is made runnable.
    21 GoUnblock 22 Timed ["dt", "g", "g_seq", "stack"];
    /// The running goroutine enters a system call.
    22 GoSyscallBegin 22 Timed ["dt", "p_seq", "stack"];
    /// The goroutine leaves its system call with its proc.
    23 GoSyscallEnd 22 Timed ["dt"];
    /// The goroutine leaves its system call and had lost its proc.
    24 GoSyscallEndBlocked 22 Timed ["dt"];
    /// The status of a goroutine at the start of a generation.
    25 GoStatus 22 Timed ["dt", "g", "m", "gstatus"];

    /// The world is being stopped.
    26 STWBegin 22 Timed ["dt", "kind_string", "stack"];
    /// The world runs again.
    27 STWEnd 22 Timed ["dt"];

    /// A GC cycle is under way at the start of a generation.
    28 GCActive 22 Timed ["dt", "gc_seq"];
    /// A GC mark phase begins.
    29 GCBegin 22 Timed ["dt", "gc_seq", "stack"];
    /// A GC mark phase ends.
    30 GCEnd 22 Timed ["dt", "gc_seq"];
    /// A sweep is under way at the start of a generation.
    31 GCSweepActive 22 Timed ["dt", "p"];
    /// A proc begins to sweep.
    32 GCSweepBegin 22 Timed ["dt", "stack"];
    /// A proc ends its sweep: bytes looked at, bytes freed.
    33 GCSweepEnd 22 Timed ["dt", "swept_value", "reclaimed_value"];
    /// A mark assist is under way at the start of a generation.
    34 GCMarkAssistActive 22 Timed ["dt", "g"];
    /// The goroutine must help marking.
    35 GCMarkAssistBegin 22 Timed ["dt", "stack"];
    /// The goroutine has paid its marking debt.
    36 GCMarkAssistEnd 22 Timed ["dt"];
    /// Live heap bytes.
    37 HeapAlloc 22 Timed ["dt", "heapalloc_value"];
    /// Heap size at which the next GC cycle should end, bytes.
    38 HeapGoal 22 Timed ["dt", "heapgoal_value"];

    /// The running goroutine gets a label.
    39 GoLabel 22 Timed ["dt", "label_string"];
    /// `trace.NewTask`.
    40 UserTaskBegin 22 Timed ["dt", "task", "parent_task", "name_string", "stack"];
    /// `Task.End`.
    41 UserTaskEnd 22 Timed ["dt", "task", "stack"];
    /// `trace.StartRegion`, `trace.WithRegion`.
    42 UserRegionBegin 22 Timed ["dt", "task", "name_string", "stack"];
    /// `Region.End`.
    43 UserRegionEnd 22 Timed ["dt", "task", "name_string", "stack"];
    /// `trace.Log`, `trace.Logf`.
    44 UserLog 22 Timed ["dt", "task", "key_string", "value_string", "stack"];

    /// A coroutine switch: unblocks and starts the other goroutine, blocks this one.
    45 GoSwitch 23 Timed ["dt", "g", "g_seq"];
    /// A coroutine switch at which the current goroutine ends.
    46 GoSwitchDestroy 23 Timed ["dt", "g", "g_seq"];
    /// A goroutine was created blocked, as coroutines are.
    47 GoCreateBlocked 23 Timed ["dt", "new_g", "new_stack", "stack"];
    /// The status of a goroutine at the start of a generation, with where it is.
    48 GoStatusStack 23 Timed ["dt", "g", "m", "gstatus", "stack"];
    /// Start of a batch of an experiment, opaque to readers that do not know it.
    49 ExperimentalBatch 23 Structural ["exp", "gen", "m", "time"];

    /// Start of a batch of clock data.
    50 Sync 25 Structural [];
    /// The trace clock, the monotonic clock and the wall clock read together.
    51 ClockSnapshot 25 Timed ["dt", "mono", "sec", "nsec"];
    /// The generation is complete.
    52 EndOfGeneration 26 Structural [];

    /// AllocFree: a heap span that exists when the generation starts.
    128 Span 23 AllocFree ["dt", "id", "npages_value", "kindclass"];
    /// AllocFree: a heap span is allocated.
    129 SpanAlloc 23 AllocFree ["dt", "id", "npages_value", "kindclass"];
    /// AllocFree: a heap span is freed.
    130 SpanFree 23 AllocFree ["dt", "id"];
    /// AllocFree: a heap object that exists when the generation starts.
    131 HeapObject 23 AllocFree ["dt", "id", "type"];
    /// AllocFree: a heap object is allocated.
    132 HeapObjectAlloc 23 AllocFree ["dt", "id", "type"];
    /// AllocFree: a heap object is freed.
    133 HeapObjectFree 23 AllocFree ["dt", "id"];
    /// AllocFree: a goroutine stack that exists when the generation starts.
    134 GoroutineStack 23 AllocFree ["dt", "id", "order"];
    /// AllocFree: a goroutine stack is allocated.
    135 GoroutineStackAlloc 23 AllocFree ["dt", "id", "order"];
    /// AllocFree: a goroutine stack is freed.
    136 GoroutineStackFree 23 AllocFree ["dt", "id"];
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
#[repr(align(16))]
pub struct Shape {
    /// The event; meaningless unless `is_timed`.
    pub kind: EventType,
    /// Whether it may stand in a thread's event stream.
    pub is_timed: bool,
    /// Varints behind the time difference.
    pub args: u8,
    /// Index into the decoded arguments of the stack of the executing goroutine; 255 if none.
    pub stack_arg: u8,
    /// Index into the decoded arguments of a second stack; 255 if none.
    pub other_stack_arg: u8,
    /// Indexes into the decoded arguments of strings; 255 if none.
    pub string_args: [u8; 2],
}

/// [`Shape`] by event number, derived from [`SPECS`].
pub static SHAPES: [Shape; 256] = {
    let mut shapes = [Shape {
        kind: EventType::EventBatch,
        is_timed: false,
        args: 0,
        stack_arg: 255,
        other_stack_arg: 255,
        string_args: [255, 255],
    }; 256];
    let mut code = 0;
    while code < 256 {
        if let Some(spec) = &SPECS[code] {
            let shape = &mut shapes[code];
            shape.kind = spec.kind;
            // ClockSnapshot has a time difference but stands only in sync batches; Go's reader
            // has no ordering rule for it either (order.go, orderingDispatch).
            shape.is_timed = !matches!(spec.class, Class::Structural)
                && !matches!(spec.kind, EventType::ClockSnapshot);
            if shape.is_timed {
                shape.args = spec.arg_count() as u8;
                let mut i = 1;
                while i < spec.args.len() {
                    let decoded = (i - 1) as u8;
                    if str_eq(spec.args[i], "stack") {
                        shape.stack_arg = decoded;
                    } else if str_ends_with(spec.args[i], "_stack") {
                        shape.other_stack_arg = decoded;
                    } else if str_ends_with(spec.args[i], "_string") {
                        let slot = if shape.string_args[0] == 255 { 0 } else { 1 };
                        shape.string_args[slot] = decoded;
                    }
                    i += 1;
                }
            }
        }
        code += 1;
    }
    shapes
};

const fn str_ends_with(text: &str, end: &str) -> bool {
    let (text, end) = (text.as_bytes(), end.as_bytes());
    if text.len() < end.len() {
        return false;
    }
    let mut i = 0;
    while i < end.len() {
        if text[text.len() - end.len() + i] != end[i] {
            return false;
        }
        i += 1;
    }
    true
}

const fn str_eq(a: &str, b: &str) -> bool {
    a.len() == b.len() && str_ends_with(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stands_at_its_number_and_fits_the_argument_array() {
        assert_eq!(ALL.len(), SPECS.iter().flatten().count());
        assert_eq!(ALL.len(), 61);
        for &kind in ALL {
            let spec = kind.spec();
            assert_eq!(spec.kind, kind);
            if spec.class != Class::Structural {
                assert!(spec.arg_count() <= MAX_ARGS, "{}", spec.name);
                assert_eq!(spec.args[0], "dt", "{}", spec.name);
            }
        }
    }

    #[test]
    fn shapes_find_stacks_and_strings_by_the_names_of_the_arguments() {
        let create = &SHAPES[EventType::GoCreate as usize];
        assert_eq!((create.stack_arg, create.other_stack_arg), (2, 1));
        let log = &SHAPES[EventType::UserLog as usize];
        assert_eq!((log.stack_arg, log.string_args), (3, [1, 2]));
        assert_eq!(SHAPES[EventType::ProcStop as usize].args, 0);
        assert!(!SHAPES[EventType::Stack as usize].is_timed);
    }
}
