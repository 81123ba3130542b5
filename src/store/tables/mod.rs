//! Table-valued functions: `select * from interval_union('select ...')`.
//!
//! Each is declared once, as a [`TableFunction`]: name, arguments, columns, an example, and the code
//! that computes its rows. SQLite sees an eponymous virtual table whose hidden columns are the
//! arguments. What a function reads it reads through the connection that asks, so the same
//! limits, the same refusals and the same filters hold for it as for the statement around it.

mod buckets;
mod critical_path;
mod during;
mod intervals;
mod longest;
mod mmu;
mod moments;
mod peaks;
pub(crate) mod states;

pub use moments::state_at;
use states::WantedState;

use super::StoreError;
use super::budget::{Budget, Work, sane};
use super::refusal::refuse;
use rusqlite::types::{Null, Value, ValueRef};
use rusqlite::vtab::{
    Context, Filters, IndexConstraintOp, IndexInfo, VTab, VTabConfig, VTabConnection, VTabCursor,
    eponymous_only_module, sqlite3_vtab, sqlite3_vtab_cursor,
};
use rusqlite::{Connection, Error, Result, ffi};
use std::ffi::c_int;
use std::marker::PhantomData;

/// Most values a function may give; more would not fit into the memory a query may use.
const MAX_CELLS: usize = 16 << 20;

/// An argument or a column.
#[derive(Debug)]
pub struct Item {
    /// Its name.
    pub name: &'static str,
    /// What it is; for an argument that may be left out, also what that means.
    pub doc: &'static str,
}

/// A table-valued function.
pub struct TableFunction {
    /// Its name.
    pub name: &'static str,
    /// What its rows are.
    pub doc: &'static str,
    /// Its arguments, in order.
    pub arguments: &'static [Item],
    /// How many of them must be given.
    pub required: usize,
    /// Its columns, in order.
    pub columns: &'static [Item],
    /// A statement over a trace of `testdata/`, and that trace.
    pub example: (&'static str, &'static str),
    /// Relations it reads by itself.
    pub reads: &'static [&'static str],
    run: fn(&Call<'_>, &mut Rows) -> Result<()>,
}

/// All of them, in the order of their documentation.
pub static TABLE_FUNCTIONS: &[&TableFunction] = &[
    &intervals::INTERSECT,
    &intervals::JOIN,
    &intervals::UNION,
    &intervals::OVERLAP_COUNT,
    &peaks::OVERLAP_PEAKS,
    &during::STATES_DURING,
    &moments::STATES_AT,
    &moments::STATES_AT_EACH,
    &longest::LONGEST_STATES,
    &longest::STATE_PERCENTILES,
    &peaks::STATE_PEAKS,
    &buckets::STATE_BUCKETS,
    &buckets::IDLE_BUCKETS,
    &mmu::MMU,
    &mmu::MMU_WORST,
    &critical_path::CRITICAL_PATH,
    &critical_path::CRITICAL_PATH_SUMS,
];

/// Adds the functions to a connection.
pub fn register(connection: &Connection, budget: &Budget) -> std::result::Result<(), StoreError> {
    for function in TABLE_FUNCTIONS {
        let module = eponymous_only_module::<Table<'_>>();
        connection.create_module(function.name, module, Some((*function, budget.clone())))?;
    }
    Ok(())
}

/// A call: the connection that asks, and the arguments.
pub struct Call<'a> {
    /// To read through; not to be kept.
    pub connection: &'a Connection,
    /// To ask while it works.
    pub work: Work,
    function: &'static TableFunction,
    arguments: Vec<Value>,
}

impl Call<'_> {
    fn refuse_argument(&self, index: usize, want: &str) -> Error {
        let name = self.function.arguments[index].name;
        refuse(format!("{}: want {want} as argument {} ({name})", self.function.name, index + 1))
    }

    /// A text.
    pub fn text(&self, index: usize) -> Result<&str> {
        match &self.arguments[index] {
            Value::Text(text) => Ok(text),
            _ => Err(self.refuse_argument(index, "a text")),
        }
    }

    /// A text that may be left out.
    pub fn optional_text(&self, index: usize) -> Result<Option<&str>> {
        match &self.arguments[index] {
            Value::Null => Ok(None),
            _ => self.text(index).map(Some),
        }
    }

    /// An integer that may be left out.
    pub fn optional_integer(&self, index: usize) -> Result<Option<i64>> {
        match self.arguments[index] {
            Value::Null => Ok(None),
            Value::Integer(value) => Ok(Some(value)),
            Value::Real(value) => Ok(Some(value.round() as i64)),
            _ => Err(self.refuse_argument(index, "an integer")),
        }
    }

    /// An integer.
    pub fn integer(&self, index: usize) -> Result<i64> {
        self.optional_integer(index)?.ok_or_else(|| self.refuse_argument(index, "an integer"))
    }

    /// A number of steps to cut something into.
    pub fn steps(&self, index: usize) -> Result<usize> {
        match self.integer(index)? {
            steps @ 1..=100_000 => Ok(steps as usize),
            _ => Err(self.refuse_argument(index, "a number from 1 to 100000")),
        }
    }

    /// The name of a state that may be left out.
    pub fn optional_state(&self, index: usize) -> Result<Option<WantedState>> {
        match self.optional_text(index)? {
            None => Ok(None),
            Some("runnable") => Ok(Some(WantedState::Only(states::RUNNABLE))),
            Some("running") => Ok(Some(WantedState::Only(states::RUNNING))),
            Some("waiting") => Ok(Some(WantedState::Only(states::WAITING))),
            Some("syscall") => Ok(Some(WantedState::Syscall)),
            Some(_) => Err(self.refuse_argument(index, "the name of a state")),
        }
    }

    /// The name of a state.
    pub fn state(&self, index: usize) -> Result<WantedState> {
        self.optional_state(index)?
            .ok_or_else(|| self.refuse_argument(index, "the name of a state"))
    }

    /// Length of the traces of the database: that of the longest.
    pub fn span(&self) -> Result<(i64, i64)> {
        let sql = "select coalesce(min(from_ns), 0), coalesce(max(to_ns), 0) from trace_spans";
        self.connection.query_row(sql, [], |row| Ok((sane(row.get(0)?), sane(row.get(1)?))))
    }
}

/// A value of a row, small: there may be millions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// NULL.
    Null,
    /// INTEGER.
    Integer(i64),
    /// REAL.
    Real(f64),
    /// TEXT that the program knows.
    Word(&'static str),
    /// A value of `Rows::values`.
    Other(u32),
}

impl From<i64> for Cell {
    fn from(value: i64) -> Cell {
        Cell::Integer(value)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Cell {
        Cell::Real(value)
    }
}

impl From<&'static str> for Cell {
    fn from(value: &'static str) -> Cell {
        Cell::Word(value)
    }
}

impl From<Option<i64>> for Cell {
    fn from(value: Option<i64>) -> Cell {
        value.map_or(Cell::Null, Cell::Integer)
    }
}

/// Gives the cells of one row more; nothing at the end.
type NextRow = Box<dyn FnMut(&mut Vec<Cell>)>;

/// The rows of a function.
pub struct Rows {
    width: usize,
    work: Work,
    cells: Vec<Cell>,
    values: Vec<Value>,
    /// Rows behind those of `cells`, made when they are asked for.
    rest: Option<NextRow>,
}

impl Rows {
    /// Adds a row.
    pub fn push<const N: usize>(&mut self, row: [Cell; N]) -> Result<()> {
        debug_assert_eq!(N, self.width);
        if self.cells.len() + N > MAX_CELLS {
            return Err(refuse(format!(
                "the result has more than {} rows; ask for less, or for sums",
                self.cells.len() / N
            )));
        }
        self.work.step()?;
        self.work.extend(&mut self.cells, row)
    }

    /// Lets rows be made one by one, behind those that were added. `next` reads nothing from the
    /// database.
    pub fn stream<const N: usize>(
        &mut self,
        mut next: impl FnMut() -> Option<[Cell; N]> + 'static,
    ) {
        debug_assert_eq!(N, self.width);
        self.rest = Some(Box::new(move |cells| cells.extend(next().into_iter().flatten())));
    }

    /// Goes on with the row behind those in `cells`.
    fn refill(&mut self) {
        self.cells.clear();
        if let Some(next) = &mut self.rest {
            next(&mut self.cells);
        }
    }

    /// Keeps values that rows then name by their place.
    pub fn keep(&mut self, values: Vec<Value>) {
        self.values = values;
    }
}

/// A virtual table. `base` must come first.
#[repr(C)]
struct Table<'vtab> {
    base: sqlite3_vtab,
    function: &'static TableFunction,
    budget: Budget,
    handle: *mut ffi::sqlite3,
    phantom: PhantomData<&'vtab ()>,
}

// SAFETY: `base` is the first field of a `repr(C)` struct.
unsafe impl<'vtab> VTab<'vtab> for Table<'vtab> {
    type Aux = (&'static TableFunction, Budget);
    type Cursor = Cursor<'vtab>;

    fn connect(
        db: &mut VTabConnection,
        aux: Option<&Self::Aux>,
        _: &[&[u8]],
    ) -> Result<(String, Self)> {
        let (function, budget) = aux.ok_or_else(|| refuse("the function is not declared"))?;
        // It does nothing but read, so views may use it.
        db.config(VTabConfig::Innocuous)?;
        let columns = function.columns.iter().map(|column| column.name.to_owned());
        // Hidden columns have names that no column has, so that `select *` and joins see none.
        let hidden = (0..function.arguments.len()).map(|index| format!("argument_{index} hidden"));
        let columns: Vec<String> = columns.chain(hidden).collect();
        let schema = format!("create table x ({})", columns.join(", "));
        // SAFETY: the handle is used only inside calls that SQLite makes on this connection.
        let handle = unsafe { db.handle() };
        let base = sqlite3_vtab::default();
        let (function, budget) = (*function, budget.clone());
        Ok((schema, Table { base, function, budget, handle, phantom: PhantomData }))
    }

    fn best_index(&self, info: &mut IndexInfo) -> Result<()> {
        let first = self.function.columns.len() as c_int;
        let (mut given, mut place) = (0, 0);
        let mut waits = false;
        let mut usages = vec![None; self.function.arguments.len()];
        for (index, constraint) in info.constraints().enumerate() {
            let argument = constraint.column() - first;
            if argument < 0
                || constraint.operator() != IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_EQ
            {
                continue;
            }
            waits |= !constraint.is_usable();
            if let Some(usage) = usages.get_mut(argument as usize) {
                *usage = Some(index);
            }
        }
        if waits {
            // An argument comes from a table that must be read first.
            return Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CONSTRAINT), None));
        }
        for (argument, usage) in usages.into_iter().enumerate() {
            let Some(index) = usage else { continue };
            place += 1;
            given |= 1 << argument;
            let mut usage = info.constraint_usage(index);
            usage.set_argv_index(place);
            usage.set_omit(true);
        }
        info.set_idx_num(given);
        info.set_estimated_cost(1e6);
        info.set_estimated_rows(1000);
        Ok(())
    }

    fn open(&'vtab mut self) -> Result<Cursor<'vtab>> {
        Ok(Cursor {
            base: sqlite3_vtab_cursor::default(),
            function: self.function,
            handle: self.handle,
            budget: self.budget.clone(),
            rows: Rows {
                width: self.function.columns.len(),
                work: self.budget.work(),
                cells: Vec::new(),
                values: Vec::new(),
                rest: None,
            },
            at: 0,
            number: 0,
            phantom: PhantomData,
        })
    }
}

/// A cursor over computed rows. `base` must come first.
#[repr(C)]
struct Cursor<'vtab> {
    base: sqlite3_vtab_cursor,
    function: &'static TableFunction,
    budget: Budget,
    handle: *mut ffi::sqlite3,
    rows: Rows,
    /// Where the row begins in the cells.
    at: usize,
    number: i64,
    phantom: PhantomData<&'vtab ()>,
}

// SAFETY: `base` is the first field of a `repr(C)` struct.
unsafe impl VTabCursor for Cursor<'_> {
    fn filter(&mut self, given: c_int, _: Option<&str>, filters: &Filters<'_>) -> Result<()> {
        let function = self.function;
        (self.at, self.number) = (0, 0);
        (self.rows.cells, self.rows.rest) = (Vec::new(), None);
        self.rows.work.release();
        let mut values = filters.iter();
        let mut arguments = Vec::new();
        for index in 0..function.arguments.len() {
            let value = if given >> index & 1 == 1 { values.next() } else { None };
            arguments.push(value.map_or(Value::Null, owned));
        }
        if given.count_ones() < function.required as u32 {
            let names: Vec<&str> = function.arguments.iter().map(|one| one.name).collect();
            return Err(refuse(format!("{} wants ({})", function.name, names.join(", "))));
        }
        // SAFETY: SQLite calls this on the connection's thread; the wrapper does not own the
        // handle and does not outlive this call.
        let connection = unsafe { Connection::from_handle(self.handle)? };
        let work = self.budget.work();
        let call = Call { connection: &connection, work, function, arguments };
        (function.run)(&call, &mut self.rows)?;
        if self.rows.cells.is_empty() {
            self.rows.refill();
        }
        Ok(())
    }

    fn next(&mut self) -> Result<()> {
        self.number += 1;
        self.at += self.rows.width;
        if self.at >= self.rows.cells.len() {
            self.at = 0;
            self.rows.refill();
        }
        Ok(())
    }

    fn eof(&self) -> bool {
        self.at >= self.rows.cells.len()
    }

    fn column(&self, context: &mut Context, index: c_int) -> Result<()> {
        let index = index as usize;
        let cell = self.rows.cells.get(self.at + index).filter(|_| index < self.rows.width);
        match cell {
            None | Some(Cell::Null) => context.set_result(&Null),
            Some(Cell::Integer(value)) => context.set_result(value),
            Some(Cell::Real(value)) => context.set_result(value),
            Some(Cell::Word(text)) => context.set_result(text),
            Some(Cell::Other(place)) => match self.rows.values.get(*place as usize) {
                Some(value) => context.set_result(value),
                None => context.set_result(&Null),
            },
        }
    }

    fn rowid(&self) -> Result<i64> {
        Ok(self.number)
    }
}

/// A value out of a borrowed one; text that is not UTF-8 is repaired.
fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Real(value) => Value::Real(value),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}
