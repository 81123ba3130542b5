//! What goroutines, procs and threads did, so compact that any part can be drawn at any zoom at once.
//!
//! Comes in: a database. Goes out: what a timeline draws. The states of a goroutine follow each
//! other, so a duration and a [`Class`] are all there is to draw; they take some 2 bytes, where a row of
//! the database takes 30. They lie in a temporary file, and what chunks of 64 and ranges of 4,096 states
//! sum up to beside them: what is narrower than a pixel is never looked into.
//!
//! ```no_run
//! # use gotrace::store::{Database, lanes::{Lanes, Order, OrderRequest, tile}};
//! # fn main() -> Result<(), gotrace::store::StoreError> {
//! let database = Database::open("app.db".as_ref())?;
//! let lanes = Lanes::build(&database, 1, &mut |states| eprintln!("{states}"))?;
//! // All lanes of goroutines by function, every group folded to a row.
//! let order = Order::new(&lanes, &database, &OrderRequest::default())?;
//! // Rows 0 to 31, the first 2^30 ns, on 1024 pixels.
//! let bytes = tile(&lanes, &order, 0, 30, 0, 1024)?;
//! # Ok(()) }
//! ```

mod build;
mod class;
mod detail;
mod order;
mod packed;
mod packed_file;
mod request;
mod rows;
mod sums;
mod tile;
mod tracks;

pub use class::{CLASSES, Class};
pub use detail::Item;
pub use order::{Group, Order, Row};
pub use request::{Axis, FoldedGroups, GroupBy, LaneFilter, Measure, OrderRequest, SortBy};
pub use sums::{ClassSums, Column, Sum};
pub use tile::{ROWS_OF_TILE, TILE_PIXELS, tile};

use super::{Database, StoreError};
use detail::Piler;
use packed_file::{PackedFile, Room, Visitor};
use sums::{Columns, Grid, Summer};

/// A lane of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LaneId {
    /// A goroutine, by its place in [`Lanes::goroutines`].
    Goroutine(u32),
    /// What was done on a proc, by its place in [`Lanes::procs`].
    Proc(u32),
    /// What was done on a thread, by its place in [`Lanes::threads`].
    Thread(u32),
}

/// A proc or thread of a trace.
///
/// On its lane goroutines run ([`Class::Running`], mark workers [`Class::Gc`]) and are in system calls
/// ([`Class::Syscall`], on threads [`Class::SyscallBlocked`], too), with the rows of those states; in between a thread
/// has the proc and looks for work ([`Class::Runtime`]), or none has it ([`Class::Undetermined`]: idle).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Track {
    /// Row in `procs` or `threads`.
    pub id: u32,
    /// The number that the trace has for it.
    pub number: i64,
}

/// A goroutine of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goroutine {
    /// Row in `raw_goroutines`.
    pub id: u32,
    /// Row in `functions` of what it began with; 0 if unknown.
    pub function_id: u32,
    /// Row in `raw_goroutines` of the one that made it; 0 if unknown.
    pub created_by: u32,
    /// Row in `stacks` of the go statement that made it; 0 if unknown.
    pub create_stack_id: u32,
    /// Number of its states.
    pub states: u32,
    /// The runtime's number.
    pub goid: i64,
    /// When its first state begins, nanoseconds since the beginning of the trace.
    pub start_ns: i64,
    /// When its last state ends.
    pub end_ns: i64,
}

/// The lanes of a trace. Many threads may read them at once.
pub struct Lanes {
    duration_ns: i64,
    goroutines: Vec<Goroutine>,
    procs: Vec<Track>,
    threads: Vec<Track>,
    /// Its lanes are numbered: goroutines, procs, threads.
    file: PackedFile,
}

impl Lanes {
    /// Builds the lanes of a trace, given by its row in `traces`, whatever filter is in force. Takes about
    /// a second for 10 million states, within the limits of the database; `progress` gets the number of
    /// states that were read.
    ///
    /// # Errors
    /// If there is no such trace, the database is damaged, a limit is passed, or there is no room for the
    /// temporary file.
    pub fn build(
        database: &Database,
        trace_id: i64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Lanes, StoreError> {
        let built = build::build(database, trace_id, progress);
        let built = built.map_err(|error| database.explain(error))?;
        Ok(Lanes {
            duration_ns: built.duration_ns,
            goroutines: built.goroutines,
            procs: built.procs,
            threads: built.threads,
            file: built.file,
        })
    }

    /// How long the trace is, nanoseconds.
    pub fn duration_ns(&self) -> i64 {
        self.duration_ns
    }

    /// The goroutines, in the order of their rows.
    pub fn goroutines(&self) -> &[Goroutine] {
        &self.goroutines
    }

    /// The procs, in the order of their rows.
    pub fn procs(&self) -> &[Track] {
        &self.procs
    }

    /// The threads, in the order of their rows.
    pub fn threads(&self) -> &[Track] {
        &self.threads
    }

    /// The lane of a goroutine, by its row in `raw_goroutines`.
    pub fn lane_of_goroutine(&self, id: i64) -> Option<LaneId> {
        let id = u32::try_from(id).ok()?;
        let at = self.goroutines.binary_search_by_key(&id, |goroutine| goroutine.id).ok()?;
        Some(LaneId::Goroutine(at as u32))
    }

    /// Bytes in the temporary file, and in memory.
    pub fn bytes(&self) -> (u64, u64) {
        let (file, memory) = self.file.bytes();
        let lists = size_of_val(&self.goroutines[..]);
        (file, memory + lists as u64)
    }

    /// Adds what is to be drawn of a lane from one time to another, nanoseconds, in order of time: states
    /// at least as long as the quantum one by one, shorter ones together that begin in the same quantum (or
    /// in the next, if a chunk of them reaches into it). Nothing is left out.
    pub fn items(
        &self,
        lane: LaneId,
        (from_ns, to_ns): (i64, i64),
        quantum_ns: i64,
        items: &mut Vec<Item>,
    ) -> Result<(), StoreError> {
        let mut piler = Piler::new(from_ns, quantum_ns, |pile| items.push(Item::from(pile)));
        self.walk(lane, (from_ns, to_ns), &mut Room::default(), &mut piler)?;
        piler.finish();
        Ok(())
    }

    /// Time by class in each of some columns of equal width, of all given lanes together: nanoseconds.
    /// Column `i` of `n` begins at `length * i / n`, rounded down.
    pub fn shares(
        &self,
        lanes: &[LaneId],
        window: (i64, i64),
        columns: usize,
    ) -> Result<Vec<Column>, StoreError> {
        let mut sums = Columns::new(Grid::new(window, columns));
        if window.0 < window.1 {
            let mut room = Room::default();
            for &lane in lanes {
                self.walk(lane, window, &mut room, &mut sums)?;
            }
        }
        Ok(sums.columns)
    }

    /// Exact time and number of states by class from one time to another.
    pub fn sums(&self, lane: LaneId, window: (i64, i64)) -> Result<ClassSums, StoreError> {
        let mut summer = Summer::default();
        self.walk(lane, window, &mut Room::default(), &mut summer)?;
        Ok(summer.sums)
    }

    /// The same of each of some lanes, handed out one by one.
    pub fn sums_of_all(
        &self,
        lanes: impl IntoIterator<Item = LaneId>,
        window: (i64, i64),
        mut take: impl FnMut(LaneId, &ClassSums),
    ) -> Result<(), StoreError> {
        let mut room = Room::default();
        for lane in lanes {
            let mut summer = Summer::default();
            self.walk(lane, window, &mut room, &mut summer)?;
            take(lane, &summer.sums);
        }
        Ok(())
    }

    fn walk(
        &self,
        lane: LaneId,
        window: (i64, i64),
        room: &mut Room,
        visitor: &mut impl Visitor,
    ) -> Result<(), StoreError> {
        let (goroutines, procs) = (self.goroutines.len(), self.procs.len());
        let (before, own, number) = match lane {
            LaneId::Goroutine(number) => (0, goroutines, number),
            LaneId::Proc(number) => (goroutines, procs, number),
            LaneId::Thread(number) => (goroutines + procs, self.threads.len(), number),
        };
        if number as usize >= own {
            return Ok(());
        }
        let has_ids = !matches!(lane, LaneId::Goroutine(_));
        let ranges = self.file.ranges_of(before as u32 + number);
        self.file.walk(ranges, has_ids, window, room, visitor)
    }
}
