//! Pictures of profiles: the graph of calls, and flame graphs.

mod layers;
mod svg;

use super::{CliError, Result};
use crate::profile::{Dot, Report};
use inferno::flamegraph::{self, Direction, Options};
use std::io::Write;

/// Draws the graph of calls.
pub fn graph(dot: &Dot, out: &mut impl Write) -> Result<()> {
    let drawing = svg::draw(dot).map_err(CliError::Failed)?;
    Ok(out.write_all(drawing.as_bytes())?)
}

/// Draws a flame graph: the root on top, as wide as the total.
pub fn flame(report: &mut Report, out: &mut impl Write) -> Result<()> {
    let folded = report.folded();
    let unit = report.sample_unit().to_owned();
    let kind = report.sample_type().to_owned();
    let (negative, positive): (Vec<_>, Vec<_>) = folded.iter().partition(|(_, value)| *value < 0);
    if positive.is_empty() && negative.is_empty() {
        return Err(CliError::Failed("no samples are left to draw".into()));
    }
    // A difference has both signs. Widths are of what changed, colours tell in which direction.
    let is_difference = !negative.is_empty();
    let lines: Vec<String> = folded
        .iter()
        .map(|(stack, value)| match is_difference {
            true if *value < 0 => format!("{stack} {} 0", value.unsigned_abs()),
            true => format!("{stack} 0 {value}"),
            false => format!("{stack} {value}"),
        })
        .collect();
    let header: Vec<String> = report.profile_labels();
    let mut options = Options::default();
    options.title = match header.iter().find_map(|line| line.strip_prefix("File: ")) {
        Some(program) => format!("{program}: {kind}"),
        None => kind,
    };
    options.subtitle =
        header.get(1..).map(|lines| lines.join(", ")).filter(|text| !text.is_empty());
    options.count_name = unit;
    options.direction = Direction::Inverted;
    // Equal names get equal colours, in every picture.
    options.hash = true;
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), out)?;
    Ok(())
}
