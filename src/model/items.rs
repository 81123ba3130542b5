//! What the model hands out. Times are nanoseconds since the start of the trace.

use super::ids::*;
use super::symbols::Symbols;
use crate::order::GoState;
use crate::wire::v2::EventType;

/// A state of a goroutine in the model: Go's states, with the part of a system call after the
/// proc was lost as a state of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum State {
    /// Not known.
    Undetermined = 0,
    /// Not existing.
    NotExist = 1,
    /// Could run and has no proc.
    Runnable = 2,
    /// Runs.
    Running = 3,
    /// Waits.
    Waiting = 4,
    /// In a system call, with its proc.
    Syscall = 5,
    /// In a system call, without a proc.
    SyscallBlocked = 6,
}

impl From<GoState> for State {
    fn from(state: GoState) -> State {
        match state {
            GoState::Undetermined => State::Undetermined,
            GoState::NotExist => State::NotExist,
            GoState::Runnable => State::Runnable,
            GoState::Running => State::Running,
            GoState::Waiting => State::Waiting,
            GoState::Syscall => State::Syscall,
        }
    }
}

/// Who made a goroutine runnable, and where it was when it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waker {
    /// The goroutine; `None` if the runtime did it outside any goroutine.
    pub goroutine: Option<GoroutineId>,
    /// Its stack; `None` if the trace has none.
    pub stack: Option<StackId>,
}

/// A span during which a goroutine did not change its state.
#[derive(Debug, Clone, Copy)]
pub struct StateSpan {
    /// The goroutine.
    pub goroutine: GoroutineId,
    /// Start function of the goroutine, as far as it is known at the end of the span.
    pub function: Option<FunctionId>,
    /// When it began.
    pub start_ns: i64,
    /// How long it lasted.
    pub duration_ns: i64,
    /// The state.
    pub state: State,
    /// The state before.
    pub from: State,
    /// Whether it was so already when the trace, or the part behind a gap, began.
    pub open_start: bool,
    /// Whether it was still so when the trace, or the part before a gap, ended.
    pub open_end: bool,
    /// Why the goroutine waits or stopped; `None` for other states.
    pub reason: Option<ReasonId>,
    /// Where the goroutine was when it entered the state.
    pub stack: Option<StackId>,
    /// Number of the proc on which it entered the state, -1 for none.
    pub proc: i64,
    /// The thread on which it entered the state.
    pub thread: Option<ThreadRow>,
    /// For waiting, who ended it; for runnable, who made it so.
    pub waker: Waker,
}

/// Waiting time of a goroutine for one reason.
#[derive(Debug, Clone, Copy)]
pub struct Wait {
    /// Why.
    pub reason: ReasonId,
    /// How often.
    pub waits: i64,
    /// How long in all.
    pub total_ns: i64,
    /// The longest.
    pub max_ns: i64,
}

/// A goroutine, complete.
#[derive(Debug, Clone)]
pub struct Goroutine {
    /// Its row.
    pub id: GoroutineId,
    /// The runtime's number.
    pub goid: i64,
    /// The function it began with; `None` if no stack of it was seen.
    pub function: Option<FunctionId>,
    /// Who made it, and the stack of the `go` statement.
    pub created_by: Waker,
    /// First appearance.
    pub created_ns: i64,
    /// First time it ran; `None` if it never did.
    pub started_ns: Option<i64>,
    /// Its end; `None` if the trace (or the part before a gap) ended first.
    pub ended_ns: Option<i64>,
    /// Whether it is older than the trace, or than the part behind a gap.
    pub existed_before: bool,
    /// The state of its last span.
    pub last_state: State,
    /// Times in the states, from its creation to its end or that of the trace.
    pub running_ns: i64,
    /// See [`State::Runnable`].
    pub runnable_ns: i64,
    /// See [`State::Waiting`].
    pub waiting_ns: i64,
    /// See [`State::Syscall`].
    pub syscall_ns: i64,
    /// See [`State::SyscallBlocked`].
    pub syscall_blocked_ns: i64,
    /// The sum of the above.
    pub total_ns: i64,
    /// Waiting time by reason.
    pub waits: Vec<Wait>,
    /// Time inside mark assists; overlaps the states.
    pub mark_assist_ns: i64,
    /// Time inside sweeps that began and ended on it; overlaps the states.
    pub sweep_ns: i64,
    /// Time inside pauses it asked for; overlaps the states.
    pub stop_the_world_ns: i64,
}

/// A span during which a proc did not change its state.
#[derive(Debug, Clone, Copy)]
pub struct ProcSpan {
    /// The proc.
    pub proc: ProcRow,
    /// When it began.
    pub start_ns: i64,
    /// How long it lasted.
    pub duration_ns: i64,
    /// Whether a thread had it.
    pub is_running: bool,
    /// Whether it was so already when the trace, or the part behind a gap, began.
    pub open_start: bool,
    /// Whether it was still so when the trace, or the part before a gap, ended.
    pub open_end: bool,
    /// The thread that had it.
    pub thread: Option<ThreadRow>,
}

/// A proc, complete.
#[derive(Debug, Clone, Copy, Default)]
pub struct Proc {
    /// Its number.
    pub proc: i64,
    /// First time it is mentioned.
    pub first_ns: i64,
    /// Time a thread had it.
    pub running_ns: i64,
    /// Time no thread had it.
    pub idle_ns: i64,
    /// Time a goroutine ran on it.
    pub goroutine_ns: i64,
    /// Time its goroutine was in a system call.
    pub syscall_ns: i64,
    /// How often a thread took it.
    pub starts: i64,
    /// How often it was taken away from a system call.
    pub steals: i64,
}

/// A thread, complete.
#[derive(Debug, Clone, Copy, Default)]
pub struct Thread {
    /// The system's number of it.
    pub thread: i64,
    /// First event on it.
    pub first_ns: i64,
    /// Last event on it.
    pub last_ns: i64,
    /// Events on it.
    pub events: i64,
    /// Time goroutines ran on it.
    pub running_ns: i64,
    /// Time goroutines were in system calls on it.
    pub syscall_ns: i64,
}

/// The kinds of [`Range`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeKind {
    /// `GC concurrent mark phase`, global.
    Mark,
    /// `GC mark assist`, of a goroutine.
    MarkAssist,
    /// `GC incremental sweep`, of a proc.
    Sweep,
    /// `stop-the-world (REASON)`, of a goroutine.
    StopTheWorld(ReasonId),
}

/// A span the runtime marks.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// What it is.
    pub kind: RangeKind,
    /// The goroutine of its scope, or for others the one that was running.
    pub goroutine: Option<GoroutineId>,
    /// Number of the proc on which it began, -1 for none.
    pub proc: i64,
    /// When it began.
    pub start_ns: i64,
    /// How long it lasted.
    pub duration_ns: i64,
    /// Whether it had begun before the trace, or the part behind a gap.
    pub open_start: bool,
    /// Whether it had not ended when the trace, or the part before a gap, did.
    pub open_end: bool,
    /// Where it began.
    pub stack: Option<StackId>,
    /// For sweeps: bytes looked at and bytes freed.
    pub swept: Option<(u64, u64)>,
}

/// A garbage collection.
#[derive(Debug, Clone, Copy)]
pub struct GcCycle {
    /// Start of the concurrent mark phase.
    pub start_ns: i64,
    /// Length of the concurrent mark phase.
    pub duration_ns: i64,
    /// Whether it had begun before the trace, or the part behind a gap.
    pub open_start: bool,
    /// Whether it had not ended when the trace, or the part before a gap, did.
    pub open_end: bool,
    /// Length of the pause before the mark phase, if seen.
    pub sweep_termination_pause_ns: Option<i64>,
    /// Length of the pause after the mark phase, if seen.
    pub mark_termination_pause_ns: Option<i64>,
    /// Live heap at the start, if a value was seen before.
    pub heap_before_bytes: Option<u64>,
    /// Live heap after marking, if the trace tells.
    pub heap_after_bytes: Option<u64>,
    /// Heap size this cycle aimed for, if a value was seen before.
    pub heap_goal_bytes: Option<u64>,
    /// Time in mark assists, summed over goroutines.
    pub assist_ns: i64,
    /// Time of dedicated and fractional workers, summed over them.
    pub background_ns: i64,
    /// Time of idle-priority workers, summed over them.
    pub idle_ns: i64,
    /// The goroutine that triggered it.
    pub goroutine: Option<GoroutineId>,
    /// Where that goroutine was.
    pub stack: Option<StackId>,
}

/// How the runtime meant a mark worker to use its proc (Go 1.27 `runtime/mgc.go`, gcMarkWorkerMode).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerKind {
    /// It has the proc for itself.
    Dedicated,
    /// It has a share of the proc.
    Fractional,
    /// It has the proc as long as nothing else wants it.
    Idle,
}

/// A time during which a goroutine marked in the background.
#[derive(Debug, Clone, Copy)]
pub struct WorkerSpan {
    /// How.
    pub kind: WorkerKind,
    /// Which.
    pub goroutine: GoroutineId,
    /// Number of the proc, -1 for none.
    pub proc: i64,
    /// When it began to.
    pub start_ns: i64,
    /// Until it stopped running.
    pub duration_ns: i64,
}

/// A type of objects.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TypeData {
    /// Its name.
    pub name: String,
    /// Size of a value, bytes.
    pub size_bytes: u64,
    /// How many bytes of its beginning can hold pointers.
    pub pointer_bytes: u64,
}

/// What a [`MemoryBlock`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryKind {
    /// An object on the heap.
    Object {
        /// Its type; `None` if the allocation names none.
        ty: Option<HeapTypeId>,
    },
    /// A span of pages.
    Span {
        /// Its size.
        size_bytes: u64,
        /// Number of the size class and whether its objects are free of pointers; `None` for
        /// spans without objects, such as those of stacks.
        class: Option<(u64, bool)>,
    },
    /// The stack of a goroutine.
    Stack {
        /// Its size.
        size_bytes: u64,
    },
}

/// A piece of memory the AllocFree experiment tells of.
#[derive(Debug, Clone, Copy)]
pub struct MemoryBlock {
    /// What it is.
    pub kind: MemoryKind,
    /// Where it is.
    pub address: u64,
    /// When it was allocated; `None` if it existed already.
    pub allocated_ns: Option<i64>,
    /// When it was released; `None` if that is not in the trace.
    pub freed_ns: Option<i64>,
    /// The goroutine that allocated it, if that is in the trace.
    pub goroutine: Option<GoroutineId>,
}

/// Values over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Bytes of live heap.
    HeapLive,
    /// Heap size at which the next cycle should end, bytes.
    HeapGoal,
    /// Number of procs.
    Gomaxprocs,
}

/// One value of a metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Of what.
    pub kind: MetricKind,
    /// From when on it held.
    pub time_ns: i64,
    /// The value.
    pub value: u64,
}

/// A user task.
#[derive(Debug, Clone)]
pub struct Task {
    /// The runtime's number.
    pub task: u64,
    /// The parent's number, if it has one.
    pub parent: Option<u64>,
    /// Its name; `None` if its beginning is not in the trace.
    pub name: Option<String>,
    /// When it was created, if that is in the trace.
    pub start_ns: Option<i64>,
    /// When it was ended, if that is in the trace.
    pub end_ns: Option<i64>,
    /// Who created it.
    pub goroutine: Option<GoroutineId>,
    /// Who ended it.
    pub end_goroutine: Option<GoroutineId>,
    /// Where it was created.
    pub stack: Option<StackId>,
}

/// A user region.
#[derive(Debug, Clone)]
pub struct Region<'a> {
    /// Its goroutine.
    pub goroutine: GoroutineId,
    /// Number of its task.
    pub task: u64,
    /// Its name.
    pub name: &'a str,
    /// When it began, if that is in the trace.
    pub start_ns: Option<i64>,
    /// When it ended, if it did.
    pub end_ns: Option<i64>,
    /// Open regions around it when it began.
    pub depth: u32,
    /// Whether no region that began inside it was still open when it ended. If all do, the regions
    /// of a goroutine nest.
    pub is_innermost: bool,
    /// Where it began.
    pub stack: Option<StackId>,
    /// Where it ended.
    pub end_stack: Option<StackId>,
}

/// A user log message.
#[derive(Debug, Clone, Copy)]
pub struct Log<'a> {
    /// When.
    pub time_ns: i64,
    /// Who.
    pub goroutine: Option<GoroutineId>,
    /// Number of its task.
    pub task: u64,
    /// Its category.
    pub category: &'a str,
    /// Its text.
    pub message: &'a str,
    /// Where.
    pub stack: Option<StackId>,
}

/// A label the runtime gave a goroutine.
#[derive(Debug, Clone, Copy)]
pub struct Label<'a> {
    /// From when on.
    pub time_ns: i64,
    /// Who.
    pub goroutine: GoroutineId,
    /// The label.
    pub label: &'a str,
}

/// A sample of the CPU profiler.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// When.
    pub time_ns: i64,
    /// Which goroutine ran, if one did.
    pub goroutine: Option<GoroutineId>,
    /// Number of the proc, -1 for none.
    pub proc: i64,
    /// The system's number of the thread, -1 if unknown.
    pub thread: i64,
    /// Where.
    pub stack: Option<StackId>,
}

/// A generation that was read.
#[derive(Debug, Clone, Copy)]
pub struct GenerationSpan {
    /// As the trace numbers it.
    pub number: u64,
    /// When it begins.
    pub start_ns: i64,
    /// Absolute offset of its first batch.
    pub offset: u64,
    /// Bytes of its batches.
    pub size_bytes: u64,
    /// Number of its batches.
    pub batches: u64,
    /// Ordered events.
    pub events: u64,
    /// Whether what came before is missing.
    pub is_after_gap: bool,
    /// Time of the clock snapshot, the monotonic clock and nanoseconds since 1970 then.
    pub clock: Option<(i64, u64, i64)>,
}

/// The whole trace, known at its end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    /// Trace clock at the start.
    pub start_clock_ns: i64,
    /// Wall time at the start, nanoseconds since 1970; `None` without a clock snapshot.
    pub start_unix_ns: Option<i64>,
    /// From the first to the last event.
    pub duration_ns: i64,
    /// GOMAXPROCS as last seen.
    pub gomaxprocs: Option<u64>,
    /// Ordered events, synchronisation points not counted.
    pub events: u64,
    /// Generations.
    pub generations: u64,
    /// Goroutines.
    pub goroutines: u64,
    /// Places where a part is missing.
    pub gaps: u64,
}

/// Takes model items. Spans come in the order of their ends, everything else in the order in which
/// it becomes complete.
pub trait Items {
    /// Whether tasks, regions and logs are wanted; if not, they are not told. The same from the
    /// first item to the last.
    fn wants_annotations(&self) -> bool {
        true
    }
    /// Symbols were added. Comes before the first item that names one of them.
    fn symbols(&mut self, _symbols: &Symbols) {}
    /// A goroutine is seen for the first time; only what is known from the start is filled in.
    fn goroutine_begins(&mut self, _goroutine: &Goroutine) {}
    /// A thread is seen for the first time; `number` is the system's.
    fn thread_begins(&mut self, _row: ThreadRow, _number: i64) {}
    /// A goroutine enters a region of a task.
    fn region_begins(&mut self, _goroutine: GoroutineId, _task: u64, _name: &str, _time_ns: i64) {}
    /// A task is created.
    fn task_begins(&mut self, _task: &Task) {}
    /// A goroutine's span.
    fn state(&mut self, span: &StateSpan);
    /// A goroutine, after its last span.
    fn goroutine(&mut self, goroutine: &Goroutine);
    /// A proc's span.
    fn proc_span(&mut self, span: &ProcSpan);
    /// A proc, at the end of the trace.
    fn proc(&mut self, row: ProcRow, proc: &Proc);
    /// A thread, at the end of the trace.
    fn thread(&mut self, row: ThreadRow, thread: &Thread);
    /// A range.
    fn range(&mut self, range: &Range, symbols: &Symbols);
    /// A garbage collection.
    fn gc_cycle(&mut self, cycle: &GcCycle);
    /// A value of a metric.
    fn metric(&mut self, metric: &Metric);
    /// A task.
    fn task(&mut self, task: &Task);
    /// A region.
    fn region(&mut self, region: &Region<'_>);
    /// A log message.
    fn log(&mut self, log: &Log<'_>);
    /// A label.
    fn label(&mut self, label: &Label<'_>);
    /// A CPU sample.
    fn sample(&mut self, sample: &Sample);
    /// A generation.
    fn generation(&mut self, generation: &GenerationSpan);
    /// A time during which a goroutine marked in the background.
    fn gc_worker(&mut self, _: &WorkerSpan) {}
    /// A type of objects, before the first object that has it.
    fn heap_type(&mut self, _: HeapTypeId, _: &TypeData) {}
    /// A piece of memory.
    fn memory_block(&mut self, _: &MemoryBlock) {}
    /// How many events of a kind the trace has, at its end.
    fn event_count(&mut self, _: EventType, _: u64) {}
}
