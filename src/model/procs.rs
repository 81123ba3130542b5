//! Procs and threads.

use super::ids::*;
use super::items::*;
use crate::order::{GoSlot, NO_SLOT, NONE};
use rustc_hash::FxHashMap;

/// A proc and what it does now.
pub struct LiveProc {
    pub sums: Proc,
    /// The goroutine that is in a system call with it.
    pub syscalling: GoSlot,
    /// The span under way; `None` before the first is known, and behind a gap.
    pub span: Option<ProcSpan>,
    /// Whether a gap has ended a span, so that the next one does not begin where the proc does.
    pub is_behind_gap: bool,
    pub sweep: Option<super::goroutines::OpenRange>,
}

/// All procs of a trace.
#[derive(Default)]
pub struct Procs {
    all: Vec<LiveProc>,
    /// Procs are numbered from 0, so this indexes almost all of them.
    dense: Vec<u32>,
    hashed: FxHashMap<i64, u32>,
}

const DENSE: i64 = 1 << 12;

impl Procs {
    /// The row of a proc, which is added if it is new.
    #[inline(always)]
    pub fn row(&mut self, proc: i64, time_ns: i64) -> ProcRow {
        match self.dense.get(proc as usize) {
            Some(&index) if index != u32::MAX => ProcRow::from_index(index as usize),
            _ => self.row_slow(proc, time_ns),
        }
    }

    fn row_slow(&mut self, proc: i64, time_ns: i64) -> ProcRow {
        if let Some(&index) = self.hashed.get(&proc) {
            return ProcRow::from_index(index as usize);
        }
        let index = self.all.len() as u32;
        if (0..DENSE).contains(&proc) {
            if proc as usize >= self.dense.len() {
                self.dense.resize(proc as usize + 1, u32::MAX);
            }
            self.dense[proc as usize] = index;
        } else {
            self.hashed.insert(proc, index);
        }
        self.all.push(LiveProc {
            sums: Proc { proc, first_ns: time_ns, ..Proc::default() },
            syscalling: NO_SLOT,
            span: None,
            is_behind_gap: false,
            sweep: None,
        });
        ProcRow::from_index(index as usize)
    }

    /// A proc.
    #[inline(always)]
    pub fn get(&mut self, row: ProcRow) -> &mut LiveProc {
        &mut self.all[row.index()]
    }

    /// All procs with their rows.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (ProcRow, &mut LiveProc)> {
        self.all.iter_mut().enumerate().map(|(index, proc)| (ProcRow::from_index(index), proc))
    }
}

/// Threads found without hashing, by the lowest bits of their numbers, which the system hands out one
/// after the other. A power of two.
const RECENT: usize = 64;

/// All threads of a trace.
pub struct Threads {
    all: Vec<Thread>,
    rows: FxHashMap<i64, ThreadRow>,
    /// The threads asked for last.
    recent: [Option<(i64, ThreadRow)>; RECENT],
}

impl Default for Threads {
    fn default() -> Self {
        Threads { all: Vec::new(), rows: FxHashMap::default(), recent: [None; RECENT] }
    }
}

impl Threads {
    /// The row of a thread, which is added if it is new; `None` for no thread.
    #[inline(always)]
    pub fn row(&mut self, thread: i64, time_ns: i64) -> Option<ThreadRow> {
        match self.recent[thread as usize % RECENT] {
            Some((recent, row)) if recent == thread => Some(row),
            _ if thread == NONE => None,
            _ => Some(self.row_slow(thread, time_ns)),
        }
    }

    fn row_slow(&mut self, thread: i64, time_ns: i64) -> ThreadRow {
        let all = &mut self.all;
        let row = *self.rows.entry(thread).or_insert_with(|| {
            all.push(Thread { thread, first_ns: time_ns, last_ns: time_ns, ..Thread::default() });
            ThreadRow::from_index(all.len() - 1)
        });
        self.recent[thread as usize % RECENT] = Some((thread, row));
        row
    }

    /// How many there are.
    #[inline(always)]
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// A thread.
    #[inline(always)]
    pub fn get(&mut self, row: ThreadRow) -> &mut Thread {
        &mut self.all[row.index()]
    }

    /// All threads with their rows.
    pub fn iter(&self) -> impl Iterator<Item = (ThreadRow, &Thread)> {
        self.all.iter().enumerate().map(|(index, thread)| (ThreadRow::from_index(index), thread))
    }
}
