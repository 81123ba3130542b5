//! Why a question has no answer.

use super::files;
use crate::picture::PictureError;
use crate::profile::{ThresholdError, ViewError};
use crate::store::StoreError;

/// Why a question has no answer. The texts are for users: they name the source and say what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something could not be read, written or found out.
    #[error("{0}")]
    Failed(String),
    /// The question is wrong: no such query, view, parameter or trace.
    #[error("{0}")]
    Usage(String),
    /// Whoever reads the answer is gone; there is nothing to be said, and nobody to hear it.
    #[error("broken pipe")]
    BrokenPipe,
}

/// What came of a question.
pub type Result<T> = std::result::Result<T, Error>;

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Error::BrokenPipe,
            _ => Error::Failed(files::explain(&error)),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Io(error) => error.into(),
            error if error.is_no_room() => Error::Failed(files::no_room(&error.to_string())),
            StoreError::Usage(text) => Error::Usage(text),
            other => Error::Failed(other.to_string()),
        }
    }
}

impl From<ViewError> for Error {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::Io(error) => error.into(),
            ViewError::Failed(text) => Error::Failed(text),
        }
    }
}

impl From<PictureError> for Error {
    fn from(error: PictureError) -> Self {
        match error {
            PictureError::Io(error) => error.into(),
            PictureError::Unfit(text) => Error::Failed(text),
        }
    }
}

impl From<ThresholdError> for Error {
    fn from(error: ThresholdError) -> Self {
        match error {
            ThresholdError::Failed(text) => Error::Failed(text),
            ThresholdError::Usage(text) => Error::Usage(text),
        }
    }
}
