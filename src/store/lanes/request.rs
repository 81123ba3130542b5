//! What a timeline asks for: which lanes, in which order.

use super::Class;
use rustc_hash::FxHashSet;

/// What the lanes are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Axis {
    /// Goroutines.
    #[default]
    Goroutines,
    /// Procs; there are no groups of them.
    Procs,
    /// Threads; there are no groups of them.
    Threads,
}

/// What stands together in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupBy {
    /// Goroutines that began with the same function.
    #[default]
    Function,
    /// Goroutines that the same function of the program made with its go statements.
    Creator,
    /// There are no groups.
    Nothing,
}

/// A number that each lane has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Time in which it is there, nanoseconds.
    Total,
    /// Time in a class, nanoseconds.
    Class(Class),
    /// Time in system calls, with or without a proc, nanoseconds.
    Syscall,
    /// Time of waiting, for whatever, nanoseconds.
    Waiting,
    /// Number of states.
    States,
}

impl Measure {
    /// By its name in requests: `total`, `syscalls`, `waiting`, `states`, or the name of a class.
    pub fn of_name(name: &str) -> Option<Measure> {
        let class = || Class::ALL.into_iter().find(|class| class.name() == name);
        match name {
            "total" => Some(Measure::Total),
            "syscalls" => Some(Measure::Syscall),
            "waiting" => Some(Measure::Waiting),
            "states" => Some(Measure::States),
            _ => class().map(Measure::Class),
        }
    }
}

/// By what lanes are sorted. Groups follow: by the sum of a measure, else by their first lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortBy {
    /// What begins first comes first. Procs and threads: by number.
    #[default]
    Start,
    /// By the number that the trace has for it.
    Number,
    /// By the function that it began with.
    Name,
    /// The most comes first.
    Measure(Measure),
}

/// Which groups are folded to one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoldedGroups {
    /// All but these, by [`Group::key`](super::Group::key).
    AllBut(FxHashSet<i64>),
    /// Only these.
    Only(FxHashSet<i64>),
}

impl Default for FoldedGroups {
    /// All.
    fn default() -> Self {
        FoldedGroups::AllBut(FxHashSet::default())
    }
}

/// Which lanes are shown; all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct LaneFilter {
    /// Goroutines that began with one of these functions; `*` stands for any text. Empty for all.
    pub functions: Vec<String>,
    /// Goroutines with one of these numbers. Empty for all.
    pub goids: Vec<i64>,
    /// Goroutines that began with a function in whose name this stands, whatever the case.
    pub text: Option<String>,
    /// Lanes of which the measure is at least this, in the window of the request.
    pub least: Option<(Measure, i64)>,
}

/// What is wanted. The default is goroutines by function, each group folded.
#[derive(Debug, Clone, Default)]
pub struct OrderRequest {
    /// What the lanes are of.
    pub axis: Axis,
    /// How they are grouped.
    pub group: GroupBy,
    /// How they are sorted.
    pub sort: SortBy,
    /// Whether they are sorted the other way round.
    pub is_reversed: bool,
    /// From when to when measures are taken, nanoseconds; `None` for the whole trace.
    pub window: Option<(i64, i64)>,
    /// Which lanes are shown.
    pub filter: LaneFilter,
    /// Which groups are folded.
    pub folded: FoldedGroups,
}
