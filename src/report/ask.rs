//! Asking the database for what the report needs.

use crate::store::{self, Batch, Cell as Value, ColumnInfo, Database, QueryResult, StoreError};
use std::cell::Cell;
use std::io;

/// What the amounts of a column may add up to, over all rows of an answer: 73 years, if they are times. So the
/// sums of four such columns are a number still, and nobody who adds up amounts need think of it. A database may
/// hold any number; what is more than this is cut.
const MOST: i64 = (1 << 61) - 1;

/// Where a trace does not tell the place.
pub const UNKNOWN: &str = "an unknown place";

/// A row of an answer. Columns go by name; that each name is one of the statement's is checked where there are
/// debug assertions, so by the tests, in which every statement runs.
pub struct Row<'a> {
    batch: &'a Batch,
    row: usize,
    columns: &'a [Column],
    /// Where the next name is looked for first: names come in the order of the statement, mostly.
    next: Cell<usize>,
}

struct Column {
    name: String,
    /// What its amounts add up to so far.
    total: Cell<i64>,
}

impl Row<'_> {
    fn column(&self, name: &str) -> Option<usize> {
        let next = self.next.get();
        let is_it = |&at: &usize| self.columns[at].name == name;
        let found = (next..self.columns.len()).chain(0..next).find(is_it);
        debug_assert!(found.is_some(), "the statement gives no column '{name}'");
        self.next.set(found? + 1);
        found
    }

    /// The integer in a column, as large as may be; `None` for NULL. For what is neither added up nor
    /// subtracted, such as row numbers.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.batch.cell(self.row, self.column(name)?) {
            Value::Integer(value) => Some(value),
            Value::Real(value) => Some(value.round() as i64),
            _ => None,
        }
    }

    /// The integer in a column, 0 for NULL, cut to what can be subtracted: for moments and levels.
    pub fn value(&self, name: &str) -> i64 {
        self.integer(name).unwrap_or(0).clamp(-MOST, MOST)
    }

    /// The amount in a column, such as a duration or a number of things; 0 for NULL, which means in a column of
    /// sums that nothing was there to sum.
    pub fn sum(&self, name: &str) -> i64 {
        let Some(column) = self.column(name) else { return 0 };
        self.next.set(column);
        let total = &self.columns[column].total;
        let value = self.integer(name).unwrap_or(0).clamp(0, MOST - total.get());
        total.set(total.get() + value);
        value
    }

    /// The text in a column; `None` for NULL.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.batch.cell(self.row, self.column(name)?) {
            Value::Text(text) => Some(text.into()),
            _ => None,
        }
    }
}

struct Each<F: FnMut(&Row<'_>)> {
    take: F,
    columns: Vec<Column>,
    keeps_rows: bool,
}

impl<F: FnMut(&Row<'_>)> QueryResult for Each<F> {
    fn columns(&mut self, columns: &[ColumnInfo]) -> io::Result<()> {
        let column = |one: &ColumnInfo| Column { name: one.name.clone(), total: Cell::new(0) };
        self.columns = columns.iter().map(column).collect();
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> io::Result<()> {
        for row in 0..batch.rows() {
            (self.take)(&Row { batch, row, columns: &self.columns, next: Cell::new(0) });
        }
        Ok(())
    }

    fn keeps_rows(&self) -> bool {
        self.keeps_rows
    }
}

/// Hands every row of an answer to a function, within the limits that the report has been given.
pub fn each(
    database: &Database,
    sql: &str,
    parameters: &[(&str, i64)],
    take: impl FnMut(&Row<'_>),
) -> Result<(), StoreError> {
    ask(database, sql, parameters, false, take)
}

fn ask(
    database: &Database,
    sql: &str,
    parameters: &[(&str, i64)],
    keeps_rows: bool,
    take: impl FnMut(&Row<'_>),
) -> Result<(), StoreError> {
    let parameters: Vec<(String, store::Value)> = parameters
        .iter()
        .map(|&(name, value)| (name.to_owned(), store::Value::Integer(value)))
        .collect();
    database.ask(sql, &parameters, &mut Each { take, columns: Vec::new(), keeps_rows })?;
    Ok(())
}

/// What a function makes of the rows of an answer, all of which is kept.
pub fn rows<T>(
    database: &Database,
    sql: &str,
    parameters: &[(&str, i64)],
    mut make: impl FnMut(&Row<'_>) -> T,
) -> Result<Vec<T>, StoreError> {
    let mut rows = Vec::new();
    ask(database, sql, parameters, true, |row| rows.push(make(row)))?;
    Ok(rows)
}

/// The stack with an id as text (a line for the function, an indented one for its place; empty for a
/// stack that is not there), and the function at which it leaves the program for the runtime or the
/// standard library's plumbing.
pub fn stack(database: &Database, id: i64) -> Result<(String, String), StoreError> {
    let sql = "select stack(:id) as stack, stack_user(:id) as place";
    let texts = |row: &Row<'_>| (row.text("stack"), row.text("place"));
    let rows = rows(database, sql, &[("id", id)], texts)?;
    let (stack, place) = rows.into_iter().next().unwrap_or_default();
    Ok((stack.unwrap_or_default(), place.unwrap_or_else(|| UNKNOWN.into())))
}
