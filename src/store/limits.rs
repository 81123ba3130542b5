//! Bounds of what is asked.

use super::human::human_bytes;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Set to stop the statement that runs, as by Ctrl-C.
pub static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Bounds of what is asked.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest time; `None` for no limit.
    pub time: Option<Duration>,
    /// Most rows of a statement; `None` for no limit.
    pub rows: Option<u64>,
    /// How many rows are enough: then a statement ends, and that is no error; `None` for all.
    pub enough: Option<u64>,
    /// Most memory of SQLite, and of gotrace's own functions, bytes. A single value may have a 32nd part of it.
    pub memory: u64,
    /// Most that SQLite may put into temporary files, bytes.
    pub spill: u64,
}

impl Default for Limits {
    /// A minute, a million rows, 2 GiB of memory and as much in temporary files.
    fn default() -> Self {
        Limits {
            time: Some(Duration::from_secs(60)),
            rows: Some(1_000_000),
            enough: None,
            memory: 2 << 30,
            spill: 2 << 30,
        }
    }
}

impl Limits {
    /// Longest text or blob, bytes.
    pub(super) fn value_bytes(&self) -> i32 {
        i32::try_from(self.memory / 32).unwrap_or(i32::MAX).max(1 << 20)
    }

    /// What is said when the memory is used up.
    pub(super) fn memory_message(&self) -> String {
        format!(
            "stopped: it needs more than {} of memory; --max-memory raises the limit",
            human_bytes(self.memory as f64)
        )
    }
}
