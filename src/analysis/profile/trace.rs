//! Profiles of what a trace tells.

use crate::analysis::opened::{Opened, OpenedTrace};
use crate::analysis::{Error, Result, refuse_loss};
use crate::profile::Profile;
use crate::profile::from_trace::{TraceProfileError, TraceProfileOptions, profiles_of_trace};

/// Measures in a trace: a profile for each type, read in one pass.
///
/// # Errors
/// If it is no trace, if the options do not fit it, or with `strict` if a part was lost.
pub fn trace_profiles(
    opened: Opened,
    options: &TraceProfileOptions,
    strict: bool,
) -> Result<Vec<Profile>> {
    let OpenedTrace { location, reader, observer, reading } = opened.into_trace()?;
    let read = profiles_of_trace(reader, options);
    drop(reading);
    let (profiles, diagnostics) = read.map_err(|error| match error {
        TraceProfileError::NoWallClock => Error::Failed(format!("{location}: {error}")),
        error => Error::Usage(error.to_string()),
    })?;
    observer.was_read(&location, &diagnostics);
    refuse_loss(strict && diagnostics.has_loss(), &location, "; nothing was written")?;
    Ok(profiles)
}
