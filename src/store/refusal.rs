//! Errors of gotrace's own functions and tables, as SQLite hands them on.

use rusqlite::{Error, ffi};

/// An error with a text for users.
pub fn refuse(text: impl Into<String>) -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ERROR), Some(text.into()))
}
