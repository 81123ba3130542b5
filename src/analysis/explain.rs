//! Errors of the layers below, in words for those who asked.

use super::{Error, files};
use crate::picture::PictureError;
use crate::profile::{ThresholdError, ViewError};
use crate::store::StoreError;

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
