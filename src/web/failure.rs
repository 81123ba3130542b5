//! Why there is no answer, and the status that says so.

use crate::analysis::Error;
use crate::store::StoreError;
use std::io;

/// Why there is no answer.
#[derive(Debug)]
pub struct Failure {
    pub status: u16,
    /// What is wrong, for users.
    pub error: String,
    /// What to do.
    pub hint: Option<String>,
}

pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub fn new(status: u16, error: impl Into<String>) -> Failure {
        Failure { status, error: error.into(), hint: None }
    }
}

/// The request is wrong.
pub fn bad(what: impl Into<String>) -> Failure {
    Failure::new(400, what)
}

/// There is no such thing.
pub fn missing(what: impl Into<String>) -> Failure {
    Failure::new(404, what)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match error {
            Error::Usage(_) => 400,
            _ => 422,
        };
        Failure::new(status, error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::new(500, error.to_string())
    }
}
