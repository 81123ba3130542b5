//! Rows into tables by prepared INSERT statements.

use super::StoreError;
use super::relations::{RELATIONS, Row, Visitor};
use rusqlite::{Connection, Statement};

/// Takes rows; those of one table come in the order of their ids unless the loader says otherwise.
pub trait RowWriter {
    /// Adds a row to its table.
    fn write<R: Row>(&mut self, row: &R) -> Result<(), StoreError>;
}

/// A [`RowWriter`] over an open transaction.
pub struct InsertWriter<'c> {
    statements: Vec<Statement<'c>>,
}

impl<'c> InsertWriter<'c> {
    /// Prepares an INSERT for every table.
    pub fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        let tables = RELATIONS.iter().filter(|relation| relation.is_table);
        let statements = tables
            .map(|table| {
                let marks = vec!["?"; table.columns.len()].join(", ");
                connection.prepare(&format!("insert into {} values ({marks})", table.name))
            })
            .collect::<Result<_, _>>()?;
        Ok(InsertWriter { statements })
    }
}

impl RowWriter for InsertWriter<'_> {
    fn write<R: Row>(&mut self, row: &R) -> Result<(), StoreError> {
        let mut binder = Binder { statement: &mut self.statements[R::TABLE], next: 0, error: None };
        row.visit(&mut binder);
        if let Some(error) = binder.error {
            return Err(error.into());
        }
        binder.statement.raw_execute()?;
        Ok(())
    }
}

struct Binder<'a, 'c> {
    statement: &'a mut Statement<'c>,
    next: usize,
    error: Option<rusqlite::Error>,
}

impl Binder<'_, '_> {
    fn bind(&mut self, value: impl rusqlite::ToSql) {
        self.next += 1;
        if let Err(error) = self.statement.raw_bind_parameter(self.next, value) {
            self.error.get_or_insert(error);
        }
    }
}

impl Visitor for Binder<'_, '_> {
    fn integer(&mut self, value: i64) {
        self.bind(value);
    }
    fn real(&mut self, value: f64) {
        self.bind(value);
    }
    fn text(&mut self, value: &str) {
        self.bind(value);
    }
    fn null(&mut self) {
        self.bind(rusqlite::types::Null);
    }
}
