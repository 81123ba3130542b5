//! Profiles out of execution traces: where goroutines spend time in each of their states.
//!
//! Comes in: a trace. Goes out: one [`Profile`] for each type asked for, all from one pass. Times are summed
//! up by stack and labels as spans end, so memory follows the distinct stacks, not the length of the trace.
//!
//! There are two ways. gotrace's own (`spans.rs`) counts what is still under way when the trace ends, and
//! shows where the goroutine itself was. Go's (`gotool.rs`) has exactly the samples of
//! `go tool trace -pprof=TYPE`. The differences are told in `docs/profiles-of-traces.md`.

mod build;
mod gotool;
mod inside;
mod spans;

use super::Profile;
use crate::diagnostic::Diagnostics;
use crate::model::{Items, NamePattern, Selection, Symbols, Totals};
use crate::order::TraceReader;

/// Declares the types: name, sample types, doc.
macro_rules! types {
    ($($(#[doc = $doc:literal])* $name:ident $text:literal $count:literal $value:literal $unit:literal;)*) => {
        /// What a profile of a trace measures.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum TraceProfileType { $($(#[doc = $doc])* $name,)* }

        impl TraceProfileType {
            /// All of them.
            pub const ALL: &'static [TraceProfileType] = &[$(TraceProfileType::$name,)*];

            /// Its name on the command line.
            pub fn as_str(self) -> &'static str {
                match self { $(TraceProfileType::$name => $text,)* }
            }

            /// What it measures, in one sentence.
            pub fn doc(self) -> &'static str {
                match self { $(TraceProfileType::$name => concat!($($doc,)*).trim_ascii(),)* }
            }

            /// Name of what is counted, and name and unit of what is added up; without the latter
            /// there is only a count.
            fn values(self) -> (&'static str, Option<(&'static str, &'static str)>) {
                match self { $(TraceProfileType::$name => {
                    ($count, if $value.is_empty() { None } else { Some(($value, $unit)) })
                })* }
            }
        }
    };
}

types! {
    /// Waiting for the network.
    Net "net" "contentions" "delay" "nanoseconds";
    /// Waiting for locks, channels and select.
    Sync "sync" "contentions" "delay" "nanoseconds";
    /// System calls, with and without a proc.
    Syscall "syscall" "contentions" "delay" "nanoseconds";
    /// Waiting for a proc, by where the goroutine is.
    Sched "sched" "contentions" "delay" "nanoseconds";
    /// Waiting for a proc, by where the goroutine was made runnable.
    SchedByWaker "sched-by-waker" "contentions" "delay" "nanoseconds";
    /// The samples of the CPU profiler that the trace holds.
    Cpu "cpu" "samples" "cpu" "nanoseconds";
    /// Waiting for whatever reason.
    OffCpu "offcpu" "contentions" "delay" "nanoseconds";
    /// All that goroutines lived through, the state as a label.
    Wall "wall" "spans" "time" "nanoseconds";
    /// Sleeping.
    Sleep "sleep" "contentions" "delay" "nanoseconds";
    /// Helping the garbage collector because of an allocation.
    GcAssist "gc-assist" "assists" "time" "nanoseconds";
    /// Goroutines by where they were created.
    Goroutines "goroutines" "goroutines" "" "";
    /// Allocated objects by type and goroutine, of traces with GODEBUG=traceallocfree=1.
    Alloc "alloc" "objects" "space" "bytes";
}

impl TraceProfileType {
    /// The type with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_str() == name)
    }

    /// Whether Go has it too.
    pub fn is_of_gotool(self) -> bool {
        use TraceProfileType::*;
        matches!(self, Net | Sync | Syscall | Sched)
    }
}

/// A task, as users name it.
#[derive(Debug, Clone)]
pub enum TaskPattern {
    /// By its number.
    Number(u64),
    /// By its name.
    Name(NamePattern),
}

/// What to measure; the default is nothing, in the whole trace.
#[derive(Debug, Clone, Default)]
pub struct TraceProfileOptions {
    /// The profiles, in their order in the result.
    pub types: Vec<TraceProfileType>,
    /// Of which goroutines and what time.
    pub selection: Selection,
    /// Only inside regions of this name.
    pub region: Option<NamePattern>,
    /// Only inside this task and those below it: in its regions, and on the goroutine that created it
    /// until it ends.
    pub task: Option<TaskPattern>,
    /// Only samples with these labels: key and value.
    pub labels: Vec<(String, NamePattern)>,
    /// Exactly as `go tool trace -pprof` has it.
    pub is_gotool: bool,
}

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum TraceProfileError {
    /// The selection names a wall time and the trace has no wall clock.
    #[error(
        "the trace does not tell the wall time of its start (those of Go 1.25 and later do); \
         give --from and --to as durations since the start, such as 1.5s"
    )]
    NoWallClock,
    /// Go has no such profile.
    #[error(
        "--gotool: go tool trace has no profile '{}', only net, sync, syscall and sched",
        .0.as_str()
    )]
    NotOfGotool(TraceProfileType),
    /// Go cannot restrict its profiles in this way.
    #[error("--gotool: go tool trace cannot restrict its profiles by {0}")]
    NoRestriction(&'static str),
}

/// Reads a trace into the profiles asked for. Each is in the order of `options.types`.
pub fn profiles_of_trace(
    reader: TraceReader,
    options: &TraceProfileOptions,
) -> Result<(Vec<Profile>, Diagnostics), TraceProfileError> {
    if !options.is_gotool {
        return spans::read(reader, options);
    }
    if let Some(&other) = options.types.iter().find(|one| !one.is_of_gotool()) {
        return Err(TraceProfileError::NotOfGotool(other));
    }
    let selection = &options.selection;
    for (is_given, what) in [
        (selection.from.is_some() || selection.to.is_some(), "time"),
        (options.task.is_some(), "task"),
        (!options.labels.is_empty(), "label"),
    ] {
        if is_given {
            return Err(TraceProfileError::NoRestriction(what));
        }
    }
    Ok(gotool::read(reader, options))
}

/// The profiles asked for, of items that come from somewhere else than a trace: `feed` hands out each
/// goroutine with what belongs to it, one goroutine after the other, then what belongs to none. The whole
/// time counts; regions and tasks are not known.
pub fn profiles_of_items<E>(
    symbols: &Symbols,
    totals: &Totals,
    options: &TraceProfileOptions,
    feed: impl FnOnce(&mut dyn Items) -> Result<(), E>,
) -> Result<Vec<Profile>, E> {
    spans::read_items(symbols, totals, options, feed)
}
