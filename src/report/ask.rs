//! Asking the database for what the report needs.

use super::finding::UNKNOWN;
use crate::store::{Database, Limits, QueryResult, StoreError, Value};
use std::io;

/// A row of an answer.
pub struct Row(Vec<Value>);

impl Row {
    /// The integer in a column; `None` for NULL.
    pub fn integer(&self, column: usize) -> Option<i64> {
        match self.0.get(column) {
            Some(Value::Integer(value)) => Some(*value),
            Some(Value::Real(value)) => Some(value.round() as i64),
            _ => None,
        }
    }

    /// The integer in a column of sums, where NULL means that nothing was there to sum.
    pub fn sum(&self, column: usize) -> i64 {
        self.integer(column).unwrap_or(0)
    }

    /// The text in a column; `None` for NULL.
    pub fn text(&self, column: usize) -> Option<String> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }
}

struct Each<F: FnMut(Row)>(F);

impl<F: FnMut(Row)> QueryResult for Each<F> {
    fn columns(&mut self, _: &[&str]) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, values: Vec<Value>) -> io::Result<()> {
        (self.0)(Row(values));
        Ok(())
    }
}

/// Hands every row of an answer to a function. The statements are the report's own: they need no
/// limits but those they contain.
pub fn each(
    database: &Database,
    sql: &str,
    parameters: &[(&str, i64)],
    take: impl FnMut(Row),
) -> Result<(), StoreError> {
    let parameters: Vec<(String, Value)> =
        parameters.iter().map(|&(name, value)| (name.to_owned(), Value::Integer(value))).collect();
    database.query(sql, &parameters, Limits { time: None, rows: None }, &mut Each(take))?;
    Ok(())
}

/// All rows of an answer.
pub fn rows(
    database: &Database,
    sql: &str,
    parameters: &[(&str, i64)],
) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    each(database, sql, parameters, |row| rows.push(row))?;
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
