//! Loading sources into a database.

use super::Result;
use super::load_profile::{ProfileTotals, load_profile};
use super::opened::{Kind, Opened, OpenedTrace};
use crate::model::{Builder, Symbols, Totals};
use crate::store::{LoadedTrace, Loader, RowWriter};

/// What loading one source came to.
pub struct Loaded {
    /// The model's totals; of a profile, none.
    pub totals: Totals,
    /// What a profile came to; `None` for a trace.
    pub profile: Option<ProfileTotals>,
    /// Length of the source after unpacking, bytes.
    pub size_bytes: u64,
    /// Whether a part of it was lost.
    pub has_loss: bool,
}

/// Loads one source: a trace or a profile.
///
/// # Errors
/// If it is neither, or cannot be read or written at all. Damage is none: what was lost is told.
pub fn load_source<W: RowWriter>(
    mut opened: Opened,
    loader: &mut Loader<W>,
    symbols: &mut Symbols,
) -> Result<Loaded> {
    match opened.kind {
        Kind::Trace => {}
        Kind::Profile => {
            let stream = &mut opened.source.stream;
            let profile = Some(load_profile(&opened.location, stream, loader, symbols)?);
            let size_bytes = stream.offset();
            return Ok(Loaded { totals: Totals::default(), profile, size_bytes, has_loss: false });
        }
        Kind::Database | Kind::Other(_) => return Err(opened.refuse()),
    }
    let OpenedTrace { location, reader, observer, reading } = opened.into_trace()?;
    let version = reader.version();
    let mut builder = Builder::new(loader, symbols);
    let outcome = reader.read(&mut builder);
    let totals = builder.totals();
    drop(reading);
    observer.was_read(&location, &outcome.diagnostics);
    let has_loss = outcome.diagnostics.has_loss();
    let (lost_bytes, lost_events) =
        (outcome.diagnostics.lost_bytes(), outcome.diagnostics.lost_events());
    loader.finish_trace(&LoadedTrace {
        source: &location.to_string(),
        version,
        size_bytes: outcome.size_bytes,
        totals,
        diagnostics: &outcome.diagnostics.finish(),
        lost_bytes,
        lost_events,
    })?;
    Ok(Loaded { totals, profile: None, size_bytes: outcome.size_bytes, has_loss })
}
