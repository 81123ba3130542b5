//! What an analysis tells while it works: progress, damage, remarks. How that is shown, as a bar on a
//! terminal or on a page, is the business of whoever observes.

use crate::diagnostic::Diagnostics;
use crate::source::{Location, Position};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Something that takes its time.
pub enum Work {
    /// A source is being read.
    Reading {
        /// The source, as it was named.
        source: String,
        /// Its length on disk; `None` where that is not known.
        size_bytes: Option<u64>,
        /// How much of that was read; it moves while the work goes on.
        position: Position,
    },
    /// A server records, and answers when it has; until then only the clock moves.
    Recording {
        /// The source, as it was named.
        source: String,
        /// How long the recording takes.
        duration: Duration,
        /// How much has come; set once the server answers.
        position: Arc<OnceLock<Position>>,
    },
}

/// Work that is going on; it is over when this is dropped.
#[derive(Default)]
pub struct Ongoing(
    #[allow(dead_code, reason = "it is held for what dropping it does")] Option<Box<dyn Send>>,
);

impl Ongoing {
    /// Ends with the value: what it does when it is dropped is done then.
    pub fn until_dropped(value: impl Send + 'static) -> Self {
        Ongoing(Some(Box::new(value)))
    }
}

/// Is told what an analysis does. What it does not care for it need not implement.
pub trait Observer: Send + Sync {
    /// Work begins; it goes on until what is returned is dropped.
    fn begins(&self, work: Work) -> Ongoing {
        let _ = work;
        Ongoing::default()
    }

    /// A source was read: what was repaired, skipped or lost.
    fn was_read(&self, source: &Location, diagnostics: &Diagnostics) {
        let _ = (source, diagnostics);
    }

    /// Something that whoever asked should know.
    fn remark(&self, text: &str) {
        let _ = text;
    }
}

/// Does not care.
pub struct Silent;

impl Observer for Silent {}
