//! Model items to SQLite, and answers out of it.
//!
//! Comes in: model items ([`Loader`] is an [`Items`](crate::model::Items)). Goes out: a database, and
//! the results of queries over it. What the tables are is declared in `schema/`, what the canned
//! queries are in `queries/`; both are compiled in by `build.rs`. Everything that is particular to
//! SQLite is in this module.

mod activity;
mod append;
mod batch;
mod budget;
mod bulk;
mod catalog;
mod database;
mod filter;
mod functions;
mod guard;
mod human;
mod insert;
pub mod lanes;
mod limits;
mod loader;
mod pages;
mod profiles;
mod rank;
mod refusal;
mod relations;
mod result;
mod schema;
mod spill;
mod state_chunk;
mod states;
pub mod tables;
mod value;
mod watchdog;
mod writer;

pub use activity::{Activity, Step};
pub use append::{
    Added, AppendedDatabase, HeldSource, copy_database, foreign_names, held_sources, is_unchanged,
};
pub use batch::{Batch, BatchColumn, Cell, ColumnInfo, Unit, Values};
pub use budget::Stopper;
pub use catalog::{
    CannedQuery, FilterUse, Parameter, ParameterType, ResultColumn, canned_queries, find_query,
    is_query_name, nearest,
};
pub use database::{Database, NewDatabase, NewDatabaseFile, is_database, is_own};
pub use filter::Filter;
pub use functions::{FUNCTIONS, Function};
pub use human::{human_bytes, human_ns};
pub use insert::RowWriter;
pub use limits::{INTERRUPTED, Limits};
pub use loader::{LoadedTrace, Loader};
pub use profiles::{LoadedLabel, LoadedProfile};
pub use relations::{Column, RELATIONS, Relation};
pub use result::{Description, QueryResult, Rows, find_relation};
pub use value::Value;
pub use watchdog::set_last_resort;

/// Why the store could not do what was asked. The text is for users.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused or failed.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A file could not be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The user asked for something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// A statement is wrong or not allowed.
    #[error("{0}")]
    Statement(String),
}

impl StoreError {
    /// Whether SQLite could not write for want of room.
    pub fn is_no_room(&self) -> bool {
        use rusqlite::ErrorCode::{DiskFull, SystemIoFailure};
        matches!(self, StoreError::Sqlite(error)
            if matches!(error.sqlite_error_code(), Some(DiskFull | SystemIoFailure)))
    }
}
