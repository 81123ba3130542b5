//! Pictures of profiles: the graph of calls, and flame graphs.

mod flame;
mod layers;
mod svg;

pub use flame::{ColorBy, FlameOptions, flame};

use super::{CliError, Result};
use crate::profile::Dot;
use std::io::Write;

/// Draws the graph of calls.
pub fn graph(dot: &Dot, out: &mut impl Write) -> Result<()> {
    let drawing = svg::draw(dot).map_err(CliError::Failed)?;
    Ok(out.write_all(drawing.as_bytes())?)
}
