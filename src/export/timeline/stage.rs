//! What all lanes of a timeline share: the format, the groups, names and the selection.

use super::format::*;
use super::tracks::{FlatLanes, Tracks};
use super::{LaneKinds, TimelineOptions};
use crate::model::{FunctionId, ReasonId, Selection, StackId, Symbols, ThreadRow, TimeBounds};
use rustc_hash::FxHashMap;

/// Most names of regions and tasks that are kept; more are written anew each time.
const MAX_NAMES: usize = 1 << 16;

/// A function, as far as lanes need it.
pub struct Function {
    /// Its full name; empty if the trace tells none.
    pub name: Box<str>,
    /// The group of the goroutines that began with it.
    group: Option<TrackId>,
    /// Its name as that of system calls.
    syscall: Option<NameId>,
}

/// Names of a reason.
#[derive(Clone, Copy)]
pub struct Reason {
    /// Of the slice of a goroutine that waits.
    pub waiting: NameId,
    /// The reason; `None` if it is empty.
    pub text: Option<NameId>,
    /// Of the slice of a pause.
    pub pause: NameId,
}

/// Names that are always there.
pub struct FixedNames {
    pub undetermined: NameId,
    pub runnable: NameId,
    pub running: NameId,
    pub waiting: NameId,
    pub syscall: NameId,
    pub syscall_blocked: NameId,
    pub gc: NameId,
    pub assist: NameId,
    pub sweep: NameId,
    pub create: NameId,
    pub unblock: NameId,
    pub syscall_exit: NameId,
    pub sample: NameId,
}

impl FixedNames {
    fn new(format: &mut impl TimelineFormat) -> Self {
        let mut name = |text| format.name(text);
        FixedNames {
            undetermined: name("unknown"),
            runnable: name("runnable"),
            running: name("running"),
            waiting: name("waiting"),
            syscall: name("syscall"),
            syscall_blocked: name("syscall (blocked)"),
            gc: name("GC"),
            assist: name("GC mark assist"),
            sweep: name("GC incremental sweep"),
            create: name("create"),
            unblock: name("unblock"),
            syscall_exit: name("syscall exit"),
            sample: name("cpu sample"),
        }
    }
}

/// See the module.
pub struct Stage<F> {
    pub tracks: Tracks<F>,
    pub names: FixedNames,
    pub selection: Selection,
    /// In nanoseconds since the start of the trace.
    pub window: TimeBounds,
    /// Time of the last synchronisation point.
    pub last_ns: i64,
    pub lanes: LaneKinds,
    pub has_flows: bool,
    pub root: TrackId,
    pub functions: Vec<Function>,
    reasons: Vec<Reason>,
    /// Functions at the leaf and at the root, by stack.
    leaves: Vec<Option<FunctionId>>,
    roots: Vec<Option<FunctionId>>,
    goroutines: Option<TrackId>,
    /// Groups of goroutines by the name of the function; `""` for those without.
    groups: FxHashMap<Box<str>, TrackId>,
    procs: FxHashMap<i64, FlatLanes>,
    proc_group: Option<TrackId>,
    threads: Vec<(i64, Option<FlatLanes>)>,
    thread_group: Option<TrackId>,
    texts: FxHashMap<Box<str>, NameId>,
}

/// The order of the groups in the trace.
pub mod rank {
    pub const COUNTERS: i64 = 0;
    pub const GC: i64 = 1;
    pub const PROCS: i64 = 2;
    pub const TASKS: i64 = 3;
    pub const GOROUTINES: i64 = 4;
    pub const THREADS: i64 = 5;
    pub const SAMPLES: i64 = 6;
}

impl<F: TimelineFormat> Stage<F> {
    /// A timeline without lanes.
    pub fn new(mut format: F, name: &str, options: &TimelineOptions) -> Self {
        let names = FixedNames::new(&mut format);
        let mut tracks = Tracks::new(format);
        let root = tracks.root(name);
        Stage {
            tracks,
            names,
            selection: options.selection.clone(),
            window: TimeBounds::ALL,
            last_ns: 0,
            lanes: options.lanes,
            has_flows: options.has_flows,
            root,
            functions: Vec::new(),
            reasons: Vec::new(),
            leaves: Vec::new(),
            roots: Vec::new(),
            goroutines: None,
            groups: FxHashMap::default(),
            procs: FxHashMap::default(),
            proc_group: None,
            threads: Vec::new(),
            thread_group: None,
            texts: FxHashMap::default(),
        }
    }

    /// Takes notice of new symbols.
    pub fn symbols(&mut self, symbols: &Symbols) {
        self.tracks.format.symbols(symbols);
        for function in symbols.functions().skip(self.functions.len()) {
            let name = function.name.clone();
            self.functions.push(Function { name, group: None, syscall: None });
        }
        for index in self.roots.len()..symbols.stack_count() {
            let frames = symbols.stack_frames(StackId::from_index(index));
            let named = |frame: Option<&u32>| {
                frame.map(|&frame| symbols.function_of(frame)).filter(|&id| symbols.is_named(id))
            };
            self.leaves.push(named(frames.first()));
            self.roots.push(named(frames.last()));
        }
        for reason in symbols.reasons().skip(self.reasons.len()) {
            let format = &mut self.tracks.format;
            let reason = match reason {
                "" => Reason {
                    waiting: self.names.waiting,
                    text: None,
                    pause: format.name("stop-the-world"),
                },
                _ => Reason {
                    waiting: format.name(&format!("waiting ({reason})")),
                    text: Some(format.name(reason)),
                    pause: format.name(&format!("stop-the-world ({reason})")),
                },
            };
            self.reasons.push(reason);
        }
    }

    /// Names of a reason.
    #[inline(always)]
    pub fn reason(&self, id: ReasonId) -> Reason {
        self.reasons[id.index()]
    }

    /// The function at the root of a stack.
    pub fn root_of(&self, stack: Option<StackId>) -> Option<FunctionId> {
        self.roots.get(stack?.index()).copied().flatten()
    }

    /// What to call a system call that was made at a stack.
    pub fn syscall_name(&mut self, stack: Option<StackId>) -> NameId {
        let leaf = stack.and_then(|stack| self.leaves.get(stack.index()).copied().flatten());
        let Some(leaf) = leaf else { return self.names.syscall };
        let function = &mut self.functions[leaf.index()];
        *function.syscall.get_or_insert_with(|| self.tracks.format.name(&function.name))
    }

    /// The number of a text as a name. It is written anew when there are too many.
    pub fn text(&mut self, text: &str) -> NameId {
        if let Some(&name) = self.texts.get(text) {
            return name;
        }
        if self.texts.len() >= MAX_NAMES {
            for (_, name) in self.texts.drain() {
                self.tracks.format.forget_name(name);
            }
        }
        let name = self.tracks.format.name(text);
        self.texts.insert(text.into(), name);
        name
    }

    /// The group of the goroutines that began with a function.
    pub fn goroutine_group(&mut self, function: Option<FunctionId>) -> TrackId {
        if let Some(function) = function
            && let Some(group) = self.functions[function.index()].group
        {
            return group;
        }
        let (tracks, root) = (&mut self.tracks, self.root);
        let goroutines = *self.goroutines.get_or_insert_with(|| {
            let about = "Goroutines by the function they began with. A lane shows all states.";
            tracks.group(root, "Goroutines", rank::GOROUTINES, ChildOrder::ByName, about)
        });
        let name = function.map_or("", |function| &*self.functions[function.index()].name);
        let group = match self.groups.get(name) {
            Some(&group) => group,
            None => {
                let shown = if name.is_empty() { "(no stack)" } else { name };
                let group =
                    tracks.group(goroutines, shown, rank::GOROUTINES, ChildOrder::ByRank, "");
                self.groups.insert(name.into(), group);
                group
            }
        };
        if let Some(function) = function {
            self.functions[function.index()].group = Some(group);
        }
        group
    }

    /// The lane of a proc for a slice.
    #[inline(always)]
    pub fn proc_lane(&mut self, proc: i64, start_ns: i64, end_ns: i64) -> Option<TrackId> {
        if let Some(lanes) = self.procs.get_mut(&proc) {
            return lanes.place(&mut self.tracks, start_ns, end_ns);
        }
        self.add_proc(proc);
        self.procs.get_mut(&proc)?.place(&mut self.tracks, start_ns, end_ns)
    }

    /// The lane of a proc from which an arrow can begin at a moment.
    pub fn proc_at(&self, proc: i64, time_ns: i64) -> Option<TrackId> {
        self.procs.get(&proc)?.holding(time_ns)
    }

    /// The lane of a thread from which an arrow can begin at a moment.
    pub fn thread_at(&self, row: ThreadRow, time_ns: i64) -> Option<TrackId> {
        self.threads.get(row.index())?.1.as_ref()?.holding(time_ns)
    }

    /// The lane of a proc for an instant.
    pub fn proc_instants(&mut self, proc: i64) -> Option<TrackId> {
        self.add_proc(proc);
        self.procs.get_mut(&proc)?.first(&mut self.tracks)
    }

    fn add_proc(&mut self, proc: i64) {
        let (tracks, root) = (&mut self.tracks, self.root);
        let group = *self.proc_group.get_or_insert_with(|| {
            let about = "Which goroutine ran on each proc (P), or was in a system call with it.";
            tracks.group(root, "Procs", rank::PROCS, ChildOrder::ByRank, about)
        });
        let name = || FlatLanes::with_late(group, &format!("Proc {proc}"), proc);
        self.procs.entry(proc).or_insert_with(name);
    }

    /// A thread has this number.
    pub fn add_thread(&mut self, row: ThreadRow, number: i64) {
        debug_assert_eq!(row.index(), self.threads.len());
        self.threads.push((number, None));
    }

    /// The number of a thread.
    #[inline(always)]
    pub fn thread_number(&self, row: Option<ThreadRow>) -> Option<i64> {
        Some(self.threads.get(row?.index())?.0)
    }

    /// The lane of a thread for a slice.
    #[inline(always)]
    pub fn thread_lane(&mut self, row: ThreadRow, start_ns: i64, end_ns: i64) -> Option<TrackId> {
        if self.threads.get(row.index())?.1.is_none() {
            self.open_thread(row);
        }
        self.threads[row.index()].1.as_mut()?.place(&mut self.tracks, start_ns, end_ns)
    }

    fn open_thread(&mut self, row: ThreadRow) {
        let (tracks, root) = (&mut self.tracks, self.root);
        let group = *self.thread_group.get_or_insert_with(|| {
            let about = "Which goroutine ran on each thread (M), or was in a system call on it.";
            tracks.group(root, "Threads", rank::THREADS, ChildOrder::ByRank, about)
        });
        let (number, lanes) = &mut self.threads[row.index()];
        *lanes = Some(FlatLanes::with_late(group, &format!("Thread {number}"), *number));
    }
}
