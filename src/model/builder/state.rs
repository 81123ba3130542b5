//! What is known of a trace while its events come.
//!
//! Comes in: what the files of the subjects write. Goes out: what they read, and at the end the totals.
//! The one idea: only what is alive is here; what is complete has gone to the items.

use crate::model::annotations::Tasks;
use crate::model::gc::GcCycles;
use crate::model::goroutines::{OpenRange, Table};
use crate::model::ids::ReasonId;
use crate::model::items::{GenerationSpan, Items, Totals};
use crate::model::memory::Memory;
use crate::model::procs::{Procs, Threads};
use crate::model::symbols::{Symbols, Translation};
use crate::wire::v2::Tables;

/// Builds model items out of the ordered events of one trace.
pub struct Builder<'a, I: Items> {
    pub(super) items: &'a mut I,
    pub(super) symbols: &'a mut Symbols,
    pub(super) translation: Translation,
    pub(super) goroutines: Table,
    pub(super) procs: Procs,
    pub(super) threads: Threads,
    pub(super) tasks: Tasks,
    pub(super) gc: GcCycles,
    pub(super) memory: Memory,
    pub(super) event_counts: Box<[u64; 256]>,
    pub(super) mark: Option<OpenRange>,
    /// Pauses under way; the runtime allows one at a time.
    pub(super) pauses: Vec<(ReasonId, OpenRange)>,
    pub(super) generation: Option<GenerationSpan>,
    pub(super) totals: Totals,
    pub(super) has_begun: bool,
    pub(super) is_after_gap: bool,
    /// Time of the last synchronisation point, since the start of the trace.
    pub(super) sync_ns: i64,
    /// Time of the last event, since the start of the trace.
    pub(super) last_ns: i64,
}

impl<'a, I: Items> Builder<'a, I> {
    /// A builder for one trace. `symbols` may hold those of other traces already.
    pub fn new(items: &'a mut I, symbols: &'a mut Symbols) -> Self {
        Builder {
            items,
            symbols,
            translation: Translation::default(),
            goroutines: Table::default(),
            procs: Procs::default(),
            threads: Threads::default(),
            tasks: Tasks::default(),
            gc: GcCycles::default(),
            memory: Memory::default(),
            event_counts: Box::new([0; 256]),
            mark: None,
            pauses: Vec::new(),
            generation: None,
            totals: Totals::default(),
            has_begun: false,
            is_after_gap: false,
            sync_ns: 0,
            last_ns: 0,
        }
    }

    /// What is known about the whole trace, after its last synchronisation point.
    pub fn totals(&self) -> Totals {
        Totals { goroutines: self.goroutines.created() as u64, ..self.totals }
    }

    /// Where the items go.
    pub fn items(&mut self) -> &mut I {
        self.items
    }

    /// Nanoseconds since the start of the trace.
    #[inline(always)]
    pub(super) fn since_start(&self, time: i64) -> i64 {
        time.wrapping_sub(self.totals.start_clock_ns)
    }

    /// The reason with a string number, of which the items are told if it is new.
    #[inline(always)]
    pub(super) fn reason(&mut self, number: u64, tables: &Tables) -> ReasonId {
        let known = self.symbols.reason_count();
        let reason = self.translation.reason(number, tables, self.symbols);
        if self.symbols.reason_count() != known {
            self.items.symbols(self.symbols);
        }
        reason
    }
}

/// A string of the trace as text; what is not UTF-8 in it is replaced.
pub(super) fn text(bytes: Option<&[u8]>) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes.unwrap_or(b""))
}
