//! Why a profile could not be read.

use crate::wire::WireError;

/// Why a profile could not be read. The text is for users.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The bytes could not be read or unpacked.
    #[error("{0}")]
    Source(#[from] crate::source::SourceError),
    /// The bytes are no valid profile.
    #[error("{0}")]
    Wire(#[from] WireError),
    /// The profile cannot be used as asked.
    #[error("{0}")]
    Usage(String),
}
