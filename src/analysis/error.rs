//! Why a question has no answer.

use crate::source::Location;

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

/// Fails if a part of a source was lost where nothing may be. `behind` is what stands behind that.
///
/// # Errors
/// That it was.
pub fn refuse_loss(is_lost: bool, source: &Location, behind: &str) -> Result<()> {
    match is_lost {
        true => {
            let what = format!("{source}: a part was lost, and --strict was given{behind}");
            Err(Error::Failed(what))
        }
        false => Ok(()),
    }
}
