//! Asking the database for what the report needs.

use super::finding::UNKNOWN;
use crate::store::{Database, QueryResult, StoreError, Value};
use std::cell::Cell;
use std::io;
use std::rc::Rc;

/// What the amounts of a column may add up to, over all rows of an answer: 73 years, if they are times. So the
/// sums of four such columns are a number still, and nobody who adds up amounts need think of it. A database may
/// hold any number; what is more than this is cut.
const MOST: i64 = (1 << 61) - 1;

/// A row of an answer.
pub struct Row {
    values: Vec<Value>,
    /// For each column, what its amounts add up to so far.
    totals: Rc<[Cell<i64>]>,
}

impl Row {
    /// The integer in a column, as large as may be; `None` for NULL. For what is neither added up nor
    /// subtracted, such as row numbers.
    pub fn integer(&self, column: usize) -> Option<i64> {
        match self.values.get(column) {
            Some(Value::Integer(value)) => Some(*value),
            Some(Value::Real(value)) => Some(value.round() as i64),
            _ => None,
        }
    }

    /// The integer in a column, 0 for NULL, cut to what can be subtracted: for moments and levels.
    pub fn value(&self, column: usize) -> i64 {
        self.integer(column).unwrap_or(0).clamp(-MOST, MOST)
    }

    /// The amount in a column, such as a duration or a number of things; 0 for NULL, which means in a column of
    /// sums that nothing was there to sum.
    pub fn sum(&self, column: usize) -> i64 {
        let total = &self.totals[column];
        let value = self.integer(column).unwrap_or(0).clamp(0, MOST - total.get());
        total.set(total.get() + value);
        value
    }

    /// The text in a column; `None` for NULL.
    pub fn text(&self, column: usize) -> Option<String> {
        match self.values.get(column) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }
}

struct Each<F: FnMut(Row)> {
    take: F,
    totals: Rc<[Cell<i64>]>,
    keeps_rows: bool,
}

impl<F: FnMut(Row)> QueryResult for Each<F> {
    fn columns(&mut self, names: &[&str]) -> io::Result<()> {
        self.totals = names.iter().map(|_| Cell::new(0)).collect();
        Ok(())
    }

    fn row(&mut self, values: Vec<Value>) -> io::Result<()> {
        (self.take)(Row { values, totals: Rc::clone(&self.totals) });
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
    take: impl FnMut(Row),
) -> Result<(), StoreError> {
    ask(database, sql, parameters, false, take)
}

fn ask(
    database: &Database,
    sql: &str,
    parameters: &[(&str, i64)],
    keeps_rows: bool,
    take: impl FnMut(Row),
) -> Result<(), StoreError> {
    let parameters: Vec<(String, Value)> =
        parameters.iter().map(|&(name, value)| (name.to_owned(), Value::Integer(value))).collect();
    database.ask(sql, &parameters, &mut Each { take, totals: Rc::from([]), keeps_rows })?;
    Ok(())
}

/// All rows of an answer.
pub fn rows(
    database: &Database,
    sql: &str,
    parameters: &[(&str, i64)],
) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    ask(database, sql, parameters, true, |row| rows.push(row))?;
    Ok(rows)
}

/// The stack with an id as text (a line for the function, an indented one for its place; empty for a
/// stack that is not there), and the function at which it leaves the program for the runtime or the
/// standard library's plumbing.
pub fn stack(database: &Database, id: i64) -> Result<(String, String), StoreError> {
    let rows = rows(database, "select stack(:id), stack_user(:id)", &[("id", id)])?;
    let text = |column| rows.first().and_then(|row| row.text(column));
    Ok((text(0).unwrap_or_default(), text(1).unwrap_or_else(|| UNKNOWN.into())))
}
