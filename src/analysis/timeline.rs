//! Traces in the formats of viewers.

use super::opened::{Opened, OpenedTrace};
use super::{Error, Result, refuse_loss};
use crate::export::{PrintError, TimelineFormat, TimelineOptions, write_timeline};

/// Reads a trace into a format, and gives it back to be finished.
///
/// # Errors
/// If it is no trace, if the format fails, or with `strict` if a part was lost.
pub fn write_timeline_of<F: TimelineFormat>(
    opened: Opened,
    strict: bool,
    format: F,
    options: &TimelineOptions,
) -> Result<F> {
    let OpenedTrace { location, reader, observer, reading } = opened.into_trace()?;
    let name = location.file_name().and_then(|path| path.file_name()?.to_str().map(String::from));
    let name = name.unwrap_or_else(|| location.to_string());
    let written = write_timeline(reader, format, &name, options);
    drop(reading);
    let (format, diagnostics) = written.map_err(|error| match error {
        PrintError::Io(error) => error.into(),
        other => Error::Failed(format!("{location}: {other}")),
    })?;
    observer.was_read(&location, &diagnostics);
    refuse_loss(strict && diagnostics.has_loss(), &location, "; nothing was written")?;
    Ok(format)
}
