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
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The end of a system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exit {
    /// When it happened, clock ticks.
    pub ticks: i64,
    /// When it was written, which decides between two that happened at once.
    pub written: i64,
    /// The goroutine.
    pub goroutine: u64,
}

/// Ends of system calls that were written later than they happened, by time.
pub struct Exits {
    /// Batches not yet read ahead, the one with the earliest end last.
    unread: Vec<Batch>,
    heap: BinaryHeap<Reverse<Exit>>,
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
        Exits { unread, heap: BinaryHeap::new(), version }
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
            Some(exit) if exit.0.ticks < ticks => self.heap.pop().map(|exit| exit.0),
            _ => None,
        }
    }

    /// Adds an end that is later than it was written, which clocks of different cores can do.
    pub fn push(&mut self, exit: Exit) {
        self.heap.push(Reverse(exit));
    }

    fn read_ahead(&mut self, batch: &Batch, input: &RandomAccess) {
        let mut cursor = Cursor::new(self.version);
        let logs = LogStrings::default();
        // Damage is reported by the cursor that reads the batch for good.
        let mut event = WireEvent::NONE;
        while let Ok(true) = cursor.next(&mut event, input, std::slice::from_ref(batch), &logs) {
            let ticks = event.args[2] as i64;
            if event.kind == EventType::GoSysExit && ticks != 0 && ticks < event.ticks {
                self.heap.push(Reverse(Exit {
                    ticks,
                    written: event.ticks,
                    goroutine: event.args[0],
                }));
            }
        }
    }
}
