//! What a timeline consists of, and what a format of timelines must be able to write.

use crate::model::{StackId, Symbols};

/// A track: a row in which slices lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackId {
    /// Its number, from 1.
    pub id: u32,
    /// The number of the nearest group around it, or its own if it is one.
    pub group: u32,
}

/// The number of a name that was interned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameId(pub u32);

/// What a track is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackKind {
    /// The root, which stands for the trace.
    Root,
    /// It holds other tracks.
    Group,
    /// Slices lie in it; it may hold other tracks, too.
    Lane,
    /// A value over time, in this unit.
    Counter(Unit),
}

/// Unit of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// Bytes.
    Bytes,
}

/// How the tracks inside another one are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildOrder {
    /// By their names.
    ByName,
    /// By their ranks.
    ByRank,
}

/// A track, as it is announced before anything lies in it.
#[derive(Debug, Clone, Copy)]
pub struct Track<'a> {
    /// Its number.
    pub track: TrackId,
    /// The track around it; `None` for the root.
    pub parent: Option<TrackId>,
    /// What it is for.
    pub kind: TrackKind,
    /// Its name.
    pub name: &'a str,
    /// What to put before the name where tracks do not stand below their parent.
    pub prefix: &'a str,
    /// Its place among its siblings, where they are ordered by rank.
    pub rank: i64,
    /// How tracks inside it are ordered.
    pub children: ChildOrder,
    /// What it shows; empty if its name tells.
    pub description: &'a str,
}

/// Declares a fieldless enum whose variants have texts.
macro_rules! texts {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $variant_doc:literal])* $variant:ident = $text:literal,)* }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[doc = $variant_doc])* $variant,)* }

        impl $name {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The text, as it stands in the file.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }
    };
}

texts! {
    /// What a slice or instant is about.
    Category {
        /// A state of a goroutine.
        State = "go.state",
        /// A goroutine on a proc.
        Proc = "go.proc",
        /// A goroutine on a thread.
        Thread = "go.thread",
        /// A system call as a whole.
        Syscall = "go.syscall",
        /// A goroutine makes another one runnable.
        Wakeup = "go.wakeup",
        /// The garbage collector, and what it makes goroutines do.
        Gc = "go.gc",
        /// The world is stopped.
        Stw = "go.stw",
        /// A region of the program.
        Region = "go.region",
        /// A task of the program.
        Task = "go.task",
        /// A message of the program.
        Log = "go.log",
        /// A sample of the CPU profiler.
        Sample = "go.cpu_sample",
    }
}

texts! {
    /// What an argument says.
    Key {
        /// Number of the goroutine.
        Goid = "goid",
        /// Why it waits or stopped.
        Reason = "reason",
        /// The proc on which it entered the state.
        Proc = "proc",
        /// The thread on which it entered the state.
        Thread = "thread",
        /// Where it was.
        Stack = "stack",
        /// Where it was at the end.
        EndStack = "end_stack",
        /// Number of the goroutine that ended the wait, or made it runnable.
        WokenBy = "woken_by_goid",
        /// Where that goroutine was.
        WakerStack = "waker_stack",
        /// Number of the goroutine that is made runnable.
        Wakes = "wakes",
        /// Nanoseconds from runnable to running.
        LatencyNs = "latency_ns",
        /// What the runtime labels the goroutine.
        Label = "label",
        /// The span had begun before the trace, or a part behind a gap, did.
        OpenStart = "open_start",
        /// The span had not ended when the trace, or a part before a gap, did.
        OpenEnd = "open_end",
        /// Number of the task.
        Task = "task",
        /// Number of the task around it.
        ParentTask = "parent_task",
        /// Category of the message.
        LogCategory = "category",
        /// Text of the message.
        Message = "message",
        /// Live heap when the collection began.
        HeapBefore = "heap_before_bytes",
        /// Live heap after marking.
        HeapAfter = "heap_after_bytes",
        /// Heap size the collection aimed for.
        HeapGoal = "heap_goal_bytes",
        /// Time in mark assists.
        AssistNs = "assist_ns",
        /// Time of dedicated and fractional mark workers.
        BackgroundNs = "background_ns",
        /// Time of idle-priority mark workers.
        IdleNs = "idle_ns",
        /// The pause before marking.
        SweepTerminationNs = "sweep_termination_pause_ns",
        /// The pause after marking.
        MarkTerminationNs = "mark_termination_pause_ns",
        /// Bytes looked at by a sweep.
        SweptBytes = "swept_bytes",
        /// Bytes freed by a sweep.
        ReclaimedBytes = "reclaimed_bytes",
        /// Whether the proc was lost during a system call.
        Blocked = "blocked",
    }
}

/// Value of an argument.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// A number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
    /// A text that is used once.
    Text(&'a str),
    /// A name that was interned.
    Name(NameId),
    /// The text of a stack.
    Stack(StackId),
}

/// Arguments of a slice, in order.
#[derive(Debug, Clone, Copy)]
pub struct Args<'a> {
    all: [(Key, Value<'a>); MAX_ARGS],
    len: usize,
}

/// Most arguments a slice has.
const MAX_ARGS: usize = 12;

impl<'a> Args<'a> {
    /// None yet.
    #[inline(always)]
    pub fn new() -> Self {
        Args { all: [(Key::Goid, Value::Int(0)); MAX_ARGS], len: 0 }
    }

    /// Adds one.
    #[inline(always)]
    pub fn push(&mut self, key: Key, value: Value<'a>) {
        self.all[self.len] = (key, value);
        self.len += 1;
    }

    /// Adds a number, if it is known.
    #[inline(always)]
    pub fn push_known(&mut self, key: Key, value: Option<i64>) {
        if let Some(value) = value {
            self.push(key, Value::Int(value));
        }
    }

    /// Adds the text of a stack, if there is one.
    #[inline(always)]
    pub fn push_stack(&mut self, key: Key, stack: Option<StackId>) {
        if let Some(stack) = stack {
            self.push(key, Value::Stack(stack));
        }
    }

    /// The arguments.
    #[inline(always)]
    pub fn as_slice(&self) -> &[(Key, Value<'a>)] {
        &self.all[..self.len]
    }
}

/// How a slice or instant takes part in an arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It does not.
    None,
    /// The arrow with this number begins here.
    Begin(u64),
    /// The arrow with this number ends here.
    End(u64),
}

/// The name of a slice or instant.
#[derive(Debug, Clone, Copy)]
pub enum Name<'a> {
    /// One that was interned.
    Id(NameId),
    /// One that is used once.
    Text(&'a str),
}

/// A slice or an instant. Times are nanoseconds since the start of the trace.
#[derive(Debug, Clone, Copy)]
pub struct Slice<'a> {
    /// Where it lies.
    pub track: TrackId,
    /// What it is about.
    pub category: Category,
    /// Its name.
    pub name: Name<'a>,
    /// When it begins, or happens.
    pub start_ns: i64,
    /// When it ends; of no meaning for an instant.
    pub end_ns: i64,
    /// Where the goroutine was.
    pub stack: Option<StackId>,
    /// Its part in an arrow.
    pub flow: Flow,
    /// Its arguments.
    pub args: &'a Args<'a>,
}

/// A format of timelines. The slices of one track come in the order of their ends; they nest, and
/// of two that begin together, the inner one comes second.
pub trait TimelineFormat {
    /// Announces symbols; they are used only afterwards. Called again with more of them.
    fn symbols(&mut self, symbols: &Symbols);
    /// Relates clocks: nanoseconds since the start, the monotonic clock, and since 1970.
    fn clock(&mut self, since_start_ns: i64, mono_ns: u64, unix_ns: i64);
    /// Interns a name.
    fn name(&mut self, text: &str) -> NameId;
    /// A name is not used any more.
    fn forget_name(&mut self, name: NameId);
    /// Announces a track.
    fn track(&mut self, track: &Track<'_>);
    /// Writes a slice.
    fn slice(&mut self, slice: &Slice<'_>);
    /// Writes an instant.
    fn instant(&mut self, instant: &Slice<'_>);
    /// A counter has this value from here on.
    fn counter(&mut self, track: TrackId, time_ns: i64, value: i64);
    /// Whether nothing can be written any more.
    fn is_broken(&self) -> bool;
}
