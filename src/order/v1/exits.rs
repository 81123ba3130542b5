//! Ends of system calls, moved to where they happened.
//!
//! A goroutine that leaves a system call without a proc writes its `GoSysExit` only when it has one
//! again, and puts the time at which it was ready into the event. Go moves the events there once
//! it has all of them in memory (Go 1.27 `tracev1/parser.go`, the end of parseEventBatches). Here
//! the scan notes the earliest such time of each batch, and a batch is read ahead for its ends
//! when the replay reaches that time. So only the ends of batches are held whose events are still
//! to come: a few thousand, because a batch has 64 KB.

use crate::source::RandomAccess;
use crate::wire::Version;
use crate::wire::v1::{Batch, Cursor, EventType, LogStrings, ProcBatches, WireEvent};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The end of a system call: when it happened and when it was written, clock ticks, and of which
/// goroutine.
pub type ExitKey = (i64, i64, u64);

/// The end of a system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exit {
    /// When it happened, clock ticks.
    pub ticks: i64,
    /// When it was written, which decides between two that happened at once.
    pub written: i64,
    /// The place among those with the same times, once it is known.
    rank: u32,
    /// The goroutine.
    pub goroutine: u64,
}

/// Ends of system calls that were written later than they happened, by time.
pub struct Exits {
    /// Batches not yet read ahead, the one with the earliest end last.
    unread: Vec<Batch>,
    heap: BinaryHeap<Reverse<Exit>>,
    /// Places of those with the same times; `None` until one is asked for.
    ranks: Option<FxHashMap<ExitKey, u32>>,
    version: Version,
}

impl Exits {
    pub fn new(procs: &[ProcBatches], version: Version) -> Self {
        let mut unread: Vec<Batch> = procs
            .iter()
            .flat_map(|proc| &proc.batches)
            .filter(|batch| batch.earliest_exit != i64::MAX)
            .cloned()
            .collect();
        unread.sort_by_key(|batch| Reverse(batch.earliest_exit));
        Exits { unread, heap: BinaryHeap::new(), ranks: None, version }
    }

    /// No end is earlier than this, clock ticks.
    pub fn earliest(&self) -> i64 {
        let held = self.heap.peek().map_or(i64::MAX, |exit| exit.0.ticks);
        let unread = self.unread.last().map_or(i64::MAX, |batch| batch.earliest_exit);
        held.min(unread)
    }

    /// Takes the earliest end before `ticks`.
    pub fn pop_before(&mut self, ticks: i64, input: &RandomAccess) -> Option<Exit> {
        while let Some(batch) = self.unread.pop_if(|batch| batch.earliest_exit < ticks) {
            self.read_ahead(&batch, input);
        }
        match self.heap.peek() {
            // What was written before comes first of what happened at one time.
            Some(Reverse(exit))
                if exit.ticks < ticks || (exit.ticks == ticks && exit.written < ticks) =>
            {
                self.heap.pop().map(|exit| exit.0)
            }
            _ => None,
        }
    }

    /// Whether only the merge of what is still to come tells whether an end that was taken is the next.
    pub fn is_doubtful(&self, exit: &Exit) -> bool {
        let is_same = |other: &Exit| (other.ticks, other.written) == (exit.ticks, exit.written);
        self.ranks.is_none() && self.heap.peek().is_some_and(|other| is_same(&other.0))
    }

    /// Puts an end back, and orders all by what the merge has shown.
    pub fn order_by(&mut self, ranks: FxHashMap<ExitKey, u32>, exit: Exit) {
        self.ranks = Some(ranks);
        let held = std::mem::take(&mut self.heap);
        for Reverse(exit) in held.into_iter().chain([Reverse(exit)]) {
            self.push(exit.ticks, exit.written, exit.goroutine);
        }
    }

    /// Adds an end: when it happened and was written, clock ticks, and its goroutine.
    pub fn push(&mut self, ticks: i64, written: i64, goroutine: u64) {
        let ranks = self.ranks.as_ref();
        let rank = ranks.and_then(|ranks| ranks.get(&(ticks, written, goroutine)));
        let rank = rank.copied().unwrap_or(0);
        self.heap.push(Reverse(Exit { ticks, written, rank, goroutine }));
    }

    fn read_ahead(&mut self, batch: &Batch, input: &RandomAccess) {
        let mut cursor = Cursor::new(self.version);
        let logs = LogStrings::default();
        // Damage is reported by the cursor that reads the batch for good.
        let mut event = WireEvent::NONE;
        while let Ok(true) = cursor.next(&mut event, input, std::slice::from_ref(batch), &logs) {
            let ticks = event.args[2] as i64;
            if event.kind == EventType::GoSysExit && ticks != 0 && ticks < event.ticks {
                self.push(ticks, event.ticks, event.args[0]);
            }
        }
    }
}
