//! What depends on the order of events that are still to come.
//!
//! Go has all events in order before it moves ends of system calls and looks whether calls block.
//! Here both are decided before the later events were merged. Mostly their times tell; where clocks are
//! coarse, two events have one time, and only the merge says which is first. Then the trace is merged
//! once before, without handing anything out, and what that showed is kept for the places in question.

use super::exits::ExitKey;
use crate::wire::v1::{EventType, WireEvent};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// What a merge showed.
#[derive(Default)]
pub struct Foresight {
    /// The place of ends of system calls among those that happened at one time and were written at one
    /// time.
    pub ranks: FxHashMap<ExitKey, u32>,
    /// Of the calls for which a sample and the end of the run have one time, whether the sample comes
    /// first, in order.
    pub samples_first: VecDeque<bool>,
}

/// A merge that is watched.
#[derive(Default)]
pub struct Rehearsal {
    found: Foresight,
    /// Ends that were written at the last time at which any was, in order.
    exits: Vec<ExitKey>,
    /// Calls that are not decided, by goroutine.
    open: FxHashMap<u64, usize>,
}

impl Rehearsal {
    /// What it showed.
    pub fn finish(mut self) -> Foresight {
        self.rank();
        self.found
    }

    /// An event comes.
    #[inline(always)]
    pub fn note(&mut self, event: &WireEvent) {
        match event.kind {
            EventType::GoSysExit if event.args[2] != 0 => {
                if self.exits.last().is_some_and(|last| last.1 != event.ticks) {
                    self.rank();
                }
                self.exits.push((event.args[2] as i64, event.ticks, event.args[0]));
            }
            EventType::CPUSample | EventType::GoSysBlock => {
                if let Some(call) = self.open.remove(&event.goroutine) {
                    self.found.samples_first[call] = event.kind == EventType::CPUSample;
                }
            }
            _ => {}
        }
    }

    /// A call comes of which it is to be seen whether a sample comes before the end of the run.
    pub fn open(&mut self, goroutine: u64) {
        self.open.insert(goroutine, self.found.samples_first.len());
        self.found.samples_first.push_back(false);
    }

    fn rank(&mut self) {
        let mut order: Vec<(ExitKey, u32)> = self.exits.drain(..).zip(0..).collect();
        order.sort_unstable();
        let happened = |one: &(ExitKey, u32)| one.0.0;
        for same in order.chunk_by(|a, b| happened(a) == happened(b)) {
            if same.len() > 1 {
                self.found.ranks.extend(same.iter().copied());
            }
        }
    }
}
