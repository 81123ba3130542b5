//! Reading goroutine states for functions that need all of them, or those of one goroutine.

use super::Item;
use crate::store::budget::{Work, sane};
use crate::store::pages::{NULL, TablePages};
use rusqlite::{Connection, OptionalExtension, Result, Row};
use rustc_hash::FxHashMap;

/// The argument that names a state.
pub const STATE: Item =
    Item { name: "state", doc: "'running', 'runnable', 'waiting' or 'syscall'" };
/// The same where it may be left out.
pub const STATE_OR_ALL: Item = Item {
    name: "state",
    doc: "only this state: 'running', 'runnable', 'waiting' or 'syscall'; left out, all",
};

/// States as in `raw_goroutine_states.code`.
pub const RUNNABLE: i64 = 2;
pub const RUNNING: i64 = 3;
pub const WAITING: i64 = 4;
pub const SYSCALL: i64 = 5;

/// Columns of `raw_goroutine_states`.
const COLUMNS: usize = 9;

/// A state of a goroutine. Row numbers are 0 for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub id: i64,
    pub start: i64,
    pub end: i64,
    pub code: i64,
    pub stack: u32,
    /// -1 for none.
    pub proc: i32,
    pub thread: u32,
    pub woken_by_id: u32,
    pub woken_stack: u32,
}

impl State {
    /// Which.
    #[inline(always)]
    pub fn state(&self) -> i64 {
        self.code & 7
    }

    /// Row of its reason; 0 if there is none.
    #[inline(always)]
    pub fn reason(&self) -> i64 {
        self.code >> 8
    }

    /// How long it lasts.
    #[inline(always)]
    pub fn duration(&self) -> i64 {
        self.end.saturating_sub(self.start)
    }

    #[inline(always)]
    fn new(id: i64, columns: [i64; COLUMNS]) -> State {
        let [_, start, duration, code, stack, proc, thread, woken_by_id, woken_stack] = columns;
        let row = |number: i64| u32::try_from(number).unwrap_or(0);
        let start = sane(start);
        State {
            id,
            start,
            // It does not end before it begins, whatever the database says.
            end: sane(start.saturating_add(duration.max(0))),
            code,
            stack: row(stack),
            // Numbers beyond 2^31 are of no proc that a program can have.
            proc: i32::try_from(proc).unwrap_or(-1),
            thread: row(thread),
            woken_by_id: row(woken_by_id),
            woken_stack: row(woken_stack),
        }
    }

    fn read(row: &Row<'_>) -> Result<State> {
        let columns = columns_of(row)?;
        Ok(State::new(columns[0], columns))
    }

    /// What is left of it between two times, as `states_by_time.sql` says; `None` if nothing is.
    #[inline(always)]
    fn cut(mut self, times: Option<(i64, i64)>) -> Option<State> {
        let Some((from, to)) = times else { return Some(self) };
        if self.start >= to || (self.end <= from && self.start < from) {
            return None;
        }
        if self.start <= from && from > 0 {
            // What it was before.
            self.code &= !0o70;
        }
        let is_late = self.end > to;
        let is_early = self.start < from;
        self.code |= i64::from(is_early) << 6 | i64::from(is_late) << 7;
        if (self.state() == WAITING && is_late) || (self.state() == RUNNABLE && is_early) {
            (self.woken_by_id, self.woken_stack) = (0, 0);
        }
        self.start = self.start.max(from);
        self.end = self.end.min(to);
        Some(self)
    }
}

/// A state by its name.
#[derive(Debug, Clone, Copy)]
pub enum WantedState {
    /// One of the codes.
    Only(i64),
    /// In a system call, with or without a proc.
    Syscall,
}

impl WantedState {
    /// Whether a state is of this name.
    #[inline(always)]
    pub fn is(self, state: &State) -> bool {
        match self {
            WantedState::Only(wanted) => state.state() == wanted,
            WantedState::Syscall => state.state() >= SYSCALL,
        }
    }
}

/// Rows of `raw_goroutine_states` that belong to one goroutine.
#[derive(Debug, Clone, Copy)]
pub struct StateRange {
    pub first: i64,
    pub last: i64,
    pub start: i64,
    pub end: i64,
    pub goroutine: u32,
}

impl StateRange {
    fn read(row: &Row<'_>) -> Result<StateRange> {
        Ok(StateRange {
            first: row.get(0)?,
            last: row.get(1)?,
            start: sane(row.get(2)?),
            end: sane(row.get(3)?),
            goroutine: row.get(4)?,
        })
    }
}

/// The ranges of a goroutine, given by its row, in order of time.
pub fn ranges_of(connection: &Connection, goroutine: i64) -> Result<Vec<StateRange>> {
    let mut statement = connection.prepare_cached(
        "select first_state, last_state, start_ns, end_ns, goroutine_id from raw_state_ranges
         where goroutine_id = ?1 order by id",
    )?;
    let rows = statement.query_map([goroutine], StateRange::read)?;
    rows.collect()
}

/// The ranges of all goroutines, in the order of their rows.
pub fn all_ranges(connection: &Connection, work: &Work) -> Result<Vec<StateRange>> {
    let mut ranges = Vec::new();
    let table =
        if is_shadowed(connection, "raw_state_ranges")? { None } else { Some("raw_state_ranges") };
    let sql = "select id, goroutine_id, first_state, last_state, start_ns, end_ns
               from raw_state_ranges order by id";
    let range = |[_, goroutine, first, last, start, end]: [i64; 6]| {
        let goroutine = u32::try_from(goroutine).unwrap_or(0);
        Some(StateRange { first, last, start: sane(start), end: sane(end), goroutine })
    };
    rows_of(connection, work, table, sql, range, &mut |some| {
        work.room(&mut ranges, some.len())?;
        ranges.extend_from_slice(some);
        Ok(())
    })?;
    Ok(ranges)
}

/// Whether a filter has put another relation in front of one of the file.
fn is_shadowed(connection: &Connection, name: &str) -> Result<bool> {
    let sql = "select count(*) from sqlite_temp_schema where name = ?1";
    connection.query_row(sql, [name], |row| row.get::<_, i64>(0)).map(|count| count > 0)
}

/// Hands out what `make` makes of the integers of all rows, [`NULL`] for NULL, some at a time: those of a
/// statement, or from the pages of a table of the file where that can be. The statement names the
/// table's columns, from the first on.
pub(in crate::store) fn rows_of<const N: usize, T>(
    connection: &Connection,
    work: &Work,
    table: Option<&str>,
    sql: &str,
    make: impl Fn([i64; N]) -> Option<T>,
    take: &mut dyn FnMut(&[T]) -> Result<()>,
) -> Result<()> {
    if let Some(name) = table
        && let Some(mut pages) = TablePages::open(connection, work, name)?
    {
        let make = |id, mut columns: [i64; N]| {
            columns[0] = id;
            make(columns)
        };
        return pages.each(make, take);
    }
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.raw_query();
    let mut some = Vec::with_capacity(ROWS);
    while let Some(row) = rows.next()? {
        some.extend(make(columns_of(row)?));
        if some.len() == ROWS {
            take(&some)?;
            some.clear();
        }
    }
    take(&some)
}

/// Rows of a statement that are handed out at a time.
const ROWS: usize = 256;

fn columns_of<const N: usize>(row: &Row<'_>) -> Result<[i64; N]> {
    let mut columns = [NULL; N];
    for (at, column) in columns.iter_mut().enumerate() {
        *column = row.get::<_, Option<i64>>(at)?.unwrap_or(NULL);
    }
    Ok(columns)
}

/// Row of the function each goroutine began with, by its own row; without those of which no stack
/// was seen.
pub fn functions_of(connection: &Connection, work: &Work) -> Result<FxHashMap<u32, i64>> {
    let mut functions = FxHashMap::default();
    // Filters leave functions as they are.
    let sql = "select id, trace_id, goid, function_id from main.raw_goroutines";
    let known = |[id, _, _, function]: [i64; 4]| {
        (function != NULL).then_some((u32::try_from(id).unwrap_or(0), function))
    };
    rows_of(connection, work, Some("raw_goroutines"), sql, known, &mut |some| {
        for &(id, function) in some {
            work.room_in(&functions)?;
            functions.insert(id, function);
        }
        Ok(())
    })?;
    Ok(functions)
}

/// The states of a database, under the filter that is in force.
pub struct States<'c> {
    connection: &'c Connection,
    work: &'c Work,
    /// `None` if they have to be asked for by a statement.
    pages: Option<TablePages<'c>>,
    /// The times at which they are cut.
    cut: Option<(i64, i64)>,
}

impl<'c> States<'c> {
    /// The states that a statement on this connection sees.
    pub fn open(connection: &'c Connection, work: &'c Work) -> Result<Self> {
        // Filters put other relations in front of the file's, see `store::filter`.
        let cut = if is_shadowed(connection, "filter_time")? {
            let sql = "select from_ns, to_ns from filter_time";
            connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?
        } else {
            None
        };
        let is_readable = cut.is_some() || !is_shadowed(connection, "raw_goroutine_states")?;
        let pages = match is_readable {
            true => TablePages::open(connection, work, "raw_goroutine_states")?,
            false => None,
        };
        Ok(States { connection, work, pages, cut })
    }

    /// Hands out what `pick` takes of all of them, goroutines mixed, in the order of their rows, some at
    /// a time. What it does not look at is not even put together.
    fn some<T>(
        &mut self,
        pick: impl Fn(&State) -> Option<T>,
        take: &mut dyn FnMut(&[T]) -> Result<()>,
    ) -> Result<()> {
        let cut = self.cut;
        match &mut self.pages {
            Some(pages) => pages.each(|id, columns| pick(&State::new(id, columns).cut(cut)?), take),
            None => {
                let make = |columns: [i64; COLUMNS]| pick(&State::new(columns[0], columns));
                rows_of(self.connection, self.work, None, ALL, make, take)
            }
        }
    }

    /// Hands out what `pick` takes of all of them, goroutines mixed, in the order of their rows.
    pub fn each<T: Copy>(
        &mut self,
        pick: impl Fn(&State) -> Option<T>,
        mut take: impl FnMut(T) -> Result<()>,
    ) -> Result<()> {
        self.some(pick, &mut |some| some.iter().try_for_each(|&one| take(one)))
    }

    /// The same with the row of the goroutine they belong to.
    pub fn each_of<T: Copy>(
        &mut self,
        pick: impl Fn(&State) -> Option<T>,
        mut take: impl FnMut(u32, T) -> Result<()>,
    ) -> Result<()> {
        let ranges = all_ranges(self.connection, self.work)?;
        let mut at = 0;
        let (mut first, mut last, mut goroutine) = (0, -1, 0);
        let pick = |state: &State| Some((state.id, pick(state)?));
        self.some(pick, &mut |some| {
            for &(id, one) in some {
                if id > last {
                    while ranges.get(at).is_some_and(|range| range.last < id) {
                        at += 1;
                    }
                    (first, last, goroutine) = match ranges.get(at) {
                        Some(range) => (range.first, range.last, range.goroutine),
                        None => (i64::MAX, i64::MAX, 0),
                    };
                }
                // Without a range it is of a goroutine that is not looked at.
                if id >= first {
                    take(goroutine, one)?;
                }
            }
            Ok(())
        })
    }

    /// Hands out those of a range, in order of time.
    pub fn range(
        &mut self,
        range: StateRange,
        mut take: impl FnMut(&State) -> Result<()>,
    ) -> Result<()> {
        if let Some(pages) = &mut self.pages {
            let cut = self.cut;
            let make = |id, columns| State::new(id, columns).cut(cut);
            return pages.range(range.first, range.last, make, &mut |states| {
                states.iter().try_for_each(&mut take)
            });
        }
        let mut statement = self.connection.prepare_cached(SOME)?;
        let mut rows = statement.query([range.first, range.last])?;
        while let Some(row) = rows.next()? {
            take(&State::read(row)?)?;
        }
        Ok(())
    }
}

const ALL: &str = "select id, start_ns, duration_ns, code, stack_id, proc, thread_id, woken_by_id,
       woken_stack_id
     from raw_goroutine_states";

const SOME: &str = "select id, start_ns, duration_ns, code, stack_id, proc, thread_id, woken_by_id,
       woken_stack_id
     from raw_goroutine_states where id between ?1 and ?2 order by id";
