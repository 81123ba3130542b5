//! Building lanes: one pass over the states of a database, in the order of their rows.
//!
//! The rows of one goroutine stand together in ranges, so each range is packed as it comes; nothing but
//! the range that grows is held. What is in the database may be anything: a state that does not follow
//! the one before is cut to what lies behind it.

use super::class::{Class, Classes};
use super::packed::{CHUNKS, Entry, Packer};
use super::packed_file::{PackedFile, PackedWriter};
use super::rows::{cut, row, stop_at};
use super::tracks::{Spans, Tracks};
use super::{Goroutine, Track};
use crate::store::budget::Work;
use crate::store::pages::NULL;
use crate::store::tables::states::rows_of;
use crate::store::{Database, StoreError};
use rusqlite::{Connection, OptionalExtension};
use rustc_hash::FxHashSet;

/// States between two tellings of progress.
const TELL: u64 = 1 << 18;

/// What is built.
pub struct Built {
    pub duration_ns: i64,
    pub goroutines: Vec<Goroutine>,
    pub procs: Vec<Track>,
    pub threads: Vec<Track>,
    pub file: PackedFile,
}

/// Rows that belong to a lane.
#[derive(Clone, Copy)]
struct Rows {
    first: i64,
    last: i64,
    lane: u32,
}

/// A row of `raw_goroutine_states`.
#[derive(Clone, Copy)]
struct State {
    id: i64,
    start_ns: i64,
    end_ns: i64,
    class: Class,
    proc: i64,
    thread: u32,
}

/// Builds the lanes of a trace.
pub fn build(
    database: &Database,
    trace_id: i64,
    progress: &mut dyn FnMut(u64),
) -> Result<Built, StoreError> {
    let (connection, work) = (&database.connection, database.budget.work());
    let _watch = database.budget.watch();
    let sql = "select duration_ns from main.traces where id = ?1";
    let duration_ns: Option<i64> =
        connection.query_row(sql, [trace_id], |row| row.get(0)).optional()?;
    let Some(duration_ns) = duration_ns else {
        return Err(StoreError::Usage(format!("the database has no trace {trace_id}")));
    };
    let mut goroutines = read_goroutines(connection, &work, trace_id)?;
    let ranges = read_ranges(connection, &work, &goroutines)?;
    let classes = Classes::read(connection, &work)?;
    let spans = Spans::read(connection, &work, trace_id)?;
    let workers = read_workers(connection, &work, &goroutines, trace_id)?;
    let first_track = goroutines.len() as u32;
    let mut builder = Builder {
        work: &work,
        goroutines: &mut goroutines,
        workers: &workers,
        ranges: &ranges,
        at: 0,
        packer: Packer::new(false, CHUNKS),
        writer: PackedWriter::new()?,
        tracks: Tracks::new(&spans, &work, first_track)?,
    };
    let (mut states, mut told, mut error) = (0, 0, None);
    let sql = "select id, start_ns, duration_ns, code, stack_id, proc, thread_id
               from main.raw_goroutine_states order by id";
    let make = |[id, start, duration, code, stack, proc, thread]: [i64; 7]| {
        let start_ns = cut(start);
        // It does not end before it begins, whatever the database says.
        let end_ns = cut(start_ns.saturating_add(duration.max(0)));
        let class = classes.of(code, stack);
        Some(State { id, start_ns, end_ns, class, proc, thread: row(thread) })
    };
    let table = Some("raw_goroutine_states");
    let passed = rows_of(connection, &work, table, sql, make, &mut |some| {
        stop_at(builder.add(some), &mut error)?;
        states += some.len() as u64;
        if states - told >= TELL {
            told = states;
            progress(states);
        }
        Ok(())
    });
    error.map_or(Ok(()), Err)?;
    passed?;
    let writer = builder.finish()?;
    let (procs, threads) = (spans.procs, spans.threads);
    progress(states);
    let file = writer.finish()?;
    Ok(Built { duration_ns: cut(duration_ns), goroutines, procs, threads, file })
}

/// The goroutines, by their place, that mark in the background.
fn read_workers(
    connection: &Connection,
    work: &Work,
    goroutines: &[Goroutine],
    trace_id: i64,
) -> Result<FxHashSet<u32>, StoreError> {
    let mut workers = FxHashSet::default();
    let mut statement = connection.prepare(
        "select distinct goroutine_id from main.gc_workers where trace_id = ?1
         union select g.id from main.functions f cross join main.raw_goroutines g
         where f.name glob 'runtime.gcBgMark*' and g.function_id = f.id and g.trace_id = ?1",
    )?;
    let mut rows = statement.query([trace_id])?;
    while let Some(found) = rows.next()? {
        let id = row(found.get(0)?);
        if let Ok(place) = goroutines.binary_search_by_key(&id, |goroutine| goroutine.id) {
            work.hold(2 * size_of::<u32>())?;
            workers.insert(place as u32);
        }
    }
    Ok(workers)
}

/// The goroutines of a trace, in the order of their rows.
fn read_goroutines(
    connection: &Connection,
    work: &Work,
    trace_id: i64,
) -> Result<Vec<Goroutine>, StoreError> {
    let mut goroutines = Vec::new();
    let sql = "select id, trace_id, goid, function_id, created_by, create_stack_id, created_ns
               from main.raw_goroutines order by id";
    let make = |[id, trace, goid, function, created_by, stack, created_ns]: [i64; 7]| {
        (trace == trace_id && row(id) != 0).then_some(Goroutine {
            id: row(id),
            function_id: row(function),
            created_by: row(created_by),
            create_stack_id: row(stack),
            states: 0,
            goid: if goid == NULL { 0 } else { goid },
            start_ns: cut(created_ns),
            end_ns: i64::MIN,
        })
    };
    rows_of(connection, work, Some("raw_goroutines"), sql, make, &mut |some| {
        work.room(&mut goroutines, some.len())?;
        goroutines.extend_from_slice(some);
        Ok(())
    })?;
    // They come so; a damaged table may have them otherwise, or twice.
    goroutines.sort_unstable_by_key(|goroutine| goroutine.id);
    goroutines.dedup_by_key(|goroutine| goroutine.id);
    goroutines.shrink_to_fit();
    Ok(goroutines)
}

/// The rows of states of the trace's goroutines, in their order and without overlap.
fn read_ranges(
    connection: &Connection,
    work: &Work,
    goroutines: &[Goroutine],
) -> Result<Vec<Rows>, StoreError> {
    let mut ranges: Vec<Rows> = Vec::new();
    let sql = "select id, goroutine_id, first_state, last_state
               from main.raw_state_ranges order by id";
    let make = |[_, goroutine, first, last]: [i64; 4]| {
        let id = u32::try_from(goroutine).ok()?;
        let lane = goroutines.binary_search_by_key(&id, |goroutine| goroutine.id).ok()?;
        (first <= last).then_some(Rows { first, last, lane: lane as u32 })
    };
    rows_of(connection, work, Some("raw_state_ranges"), sql, make, &mut |some| {
        work.room(&mut ranges, some.len())?;
        for range in some {
            if ranges.last().is_none_or(|before| before.last < range.first) {
                ranges.push(*range);
            }
        }
        Ok(())
    })?;
    Ok(ranges)
}

/// Packs states as they come.
struct Builder<'a> {
    work: &'a Work,
    goroutines: &'a mut [Goroutine],
    workers: &'a FxHashSet<u32>,
    ranges: &'a [Rows],
    at: usize,
    packer: Packer,
    writer: PackedWriter,
    tracks: Tracks<'a>,
}

impl Builder<'_> {
    fn add(&mut self, states: &[State]) -> Result<(), StoreError> {
        for state in states {
            if self.ranges.get(self.at).is_some_and(|range| range.last < state.id) {
                self.next_range(state.id)?;
            }
            let Some(&range) = self.ranges.get(self.at) else { break };
            // Without a range it is of another trace.
            if range.first > state.id {
                continue;
            }
            let goroutine = &mut self.goroutines[range.lane as usize];
            let start_ns = state.start_ns.max(goroutine.end_ns);
            let mut entry = Entry {
                start_ns,
                end_ns: state.end_ns.max(start_ns),
                class: state.class as u8,
                state_id: state.id,
            };
            if goroutine.states == 0 {
                goroutine.start_ns = start_ns;
            }
            goroutine.states = goroutine.states.saturating_add(1);
            goroutine.end_ns = entry.end_ns;
            if self.packer.is_full_before(&entry) {
                self.end_range(range.lane)?;
            }
            self.packer.push(&entry);
            let is_running = state.class == Class::Running;
            if is_running || matches!(state.class, Class::Syscall | Class::SyscallBlocked) {
                if is_running && self.workers.contains(&range.lane) {
                    entry.class = Class::Gc as u8;
                }
                self.tracks.push(entry, state.proc, state.thread, &mut self.writer)?;
            }
        }
        Ok(())
    }

    /// Goes on to the range that this row may be in.
    fn next_range(&mut self, id: i64) -> Result<(), StoreError> {
        let before = self.ranges[self.at].lane;
        self.end_range(before)?;
        while self.ranges.get(self.at).is_some_and(|range| range.last < id) {
            self.at += 1;
        }
        // Goroutines come in the order of their rows within a stretch.
        if self.ranges.get(self.at).is_some_and(|range| range.lane <= before) {
            self.tracks.end_stretch(&mut self.writer)?;
        }
        Ok(())
    }

    /// Writes what is packed.
    fn end_range(&mut self, lane: u32) -> Result<(), StoreError> {
        self.writer.pay(self.work)?;
        self.packer.take(|packed| self.writer.push(lane, &packed)).transpose()?;
        Ok(())
    }

    fn finish(mut self) -> Result<PackedWriter, StoreError> {
        if let Some(range) = self.ranges.get(self.at) {
            self.end_range(range.lane)?;
        }
        for goroutine in self.goroutines {
            goroutine.end_ns = goroutine.end_ns.max(goroutine.start_ns);
        }
        self.tracks.finish(&mut self.writer)?;
        Ok(self.writer)
    }
}
