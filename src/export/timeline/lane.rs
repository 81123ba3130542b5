//! A goroutine that lives, as its lane and those around it need it.

use super::format::*;
use super::tracks::FlatLanes;
use crate::model::{FunctionId, Sample, StackId, StateSpan, ThreadRow};

/// Most spans that wait for the goroutine's function to become known.
pub const MAX_DEFERRED: usize = 64;

/// Whether and where a goroutine is shown.
pub enum View {
    /// Its function is not known, and with that its group. All it did waits here.
    Deferred(Vec<Deferred>),
    /// In this track; `None` if goroutines have no lanes.
    Shown(Option<TrackId>),
    /// It was not asked for.
    Hidden,
}

/// What waits.
pub enum Deferred {
    /// It was in a state.
    Span(StateSpan, Arrival),
    /// A sample hit it.
    Sample(Sample),
}

/// What made a goroutine enter its next state, if something did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Arrival {
    /// Number of the goroutine that woke it or created it.
    pub woken_by: Option<i64>,
    /// Where that one was.
    pub waker_stack: Option<StackId>,
    /// The arrow that ends here.
    pub arrow: Option<u64>,
    /// Whether that goroutine is shown.
    pub is_waker_shown: bool,
    /// Whether it was created.
    pub is_created: bool,
}

/// A goroutine that lives.
pub struct Lane {
    pub goid: i64,
    pub(super) view: View,
    /// What made it enter the state that will come next.
    pub next: Arrival,
    /// What the runtime labels it since it runs.
    pub label: Option<NameId>,
    /// Its name where it runs.
    pub(super) name: Option<NameId>,
    pub(super) function: Option<FunctionId>,
    /// End of its last span.
    pub(super) last_ns: i64,
    pub(super) runnable_since: Option<i64>,
    pub(super) departure: Option<Departure>,
    pub(super) syscall: Option<Syscall>,
    pub(super) children: Vec<(Child, FlatLanes)>,
    pub(super) regions: Option<TrackId>,
    pub(super) early: Vec<ShownRegion>,
}

impl Lane {
    /// A goroutine of which nothing is known but its number.
    pub fn new(goid: i64, is_hidden: bool) -> Self {
        Lane {
            goid,
            view: if is_hidden { View::Hidden } else { View::Deferred(Vec::new()) },
            next: Arrival::default(),
            label: None,
            name: None,
            function: None,
            last_ns: 0,
            runnable_since: None,
            departure: None,
            syscall: None,
            children: Vec::new(),
            regions: None,
            early: Vec::new(),
        }
    }

    /// Whether it is not to be shown.
    pub fn is_hidden(&self) -> bool {
        matches!(self.view, View::Hidden)
    }

    /// Whether it is decided that it is shown.
    pub fn is_shown(&self) -> bool {
        matches!(self.view, View::Shown(_))
    }

    /// Its track, if it has one.
    pub fn track(&self) -> Option<TrackId> {
        match self.view {
            View::Shown(track) => track,
            _ => None,
        }
    }
}

/// A system call that may go on without its proc.
#[derive(Debug, Clone, Copy)]
pub struct Syscall {
    pub(super) first: StateSpan,
    pub(super) end_ns: i64,
    pub(super) open_end: bool,
    /// When it lost its proc.
    pub(super) lost_ns: Option<i64>,
}

/// The lanes below that of the goroutine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Child {
    Syscalls,
    Assists,
    Sweeps,
    Pauses,
    Regions,
    MisnestedRegions,
    Logs,
    Samples,
}

impl Child {
    pub(super) fn name(self) -> &'static str {
        match self {
            Child::Syscalls => "syscalls",
            Child::Assists => "GC mark assist",
            Child::Sweeps => "GC incremental sweep",
            Child::Pauses => "stop-the-world",
            Child::Regions => "regions",
            Child::MisnestedRegions => "regions ended out of order",
            Child::Logs => "logs",
            Child::Samples => "CPU samples",
        }
    }
}

/// A region, cut to what is shown.
pub struct ShownRegion {
    pub(super) name: Box<str>,
    pub(super) start_ns: i64,
    pub(super) end_ns: i64,
    pub(super) task: u64,
    pub(super) stack: Option<StackId>,
    pub(super) end_stack: Option<StackId>,
    pub(super) open_end: bool,
}

/// An arrow from a proc or a thread, drawn when the goroutine runs.
#[derive(Debug, Clone, Copy)]
pub struct Departure {
    pub(super) time_ns: i64,
    pub(super) proc: i64,
    pub(super) thread: Option<ThreadRow>,
    pub(super) name: NameId,
    pub(super) category: Category,
    pub(super) goid: Option<i64>,
    pub(super) stack: Option<StackId>,
}
