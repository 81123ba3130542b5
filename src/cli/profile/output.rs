//! Reports in the formats of `-f`.

use super::options::ProfileFormat;
use super::pictures::{self, FlameOptions};
use super::{CliError, Result, Shown, json};
use crate::profile::{Report, View};
use std::io::Write;
use std::path::Path;

/// The name that a file gets which otherwise would be written into a terminal, as pprof has it:
/// `None` for what people read (`commands.go`, awayFromTTY).
pub fn name_away_from_terminal(view: View, format: ProfileFormat) -> Option<String> {
    let ending = match (format, view) {
        (ProfileFormat::Svg, _) => "svg",
        (ProfileFormat::Text, View::Callgrind) => "callgraph.out",
        (ProfileFormat::Text, View::Proto | View::TopProto) => "pb.gz",
        _ => return None,
    };
    // The first that is not there (`tempfile.go`, newTempFile).
    let names = (1..).map(|number| format!("profile{number:03}.{ending}"));
    names.into_iter().find(|name| !Path::new(name).exists())
}

/// Writes a report.
pub fn write(
    mut report: Report,
    shown: Shown,
    format: ProfileFormat,
    flame: &FlameOptions,
    out: &mut impl Write,
) -> Result<()> {
    match (shown, format) {
        (Shown::Report(view), ProfileFormat::Text) => write_text(report, view, out)?,
        (Shown::Graph, ProfileFormat::Dot | ProfileFormat::Text)
        | (Shown::Report(View::Dot), ProfileFormat::Dot) => report.dot().write(out)?,
        (Shown::Graph | Shown::Report(View::Dot), ProfileFormat::Svg) => {
            pictures::graph(&report.dot(), out)?;
        }
        (Shown::Flame | Shown::Report(View::Folded), ProfileFormat::Svg) => {
            pictures::flame(&mut report, flame, out)?;
        }
        (Shown::Flame, ProfileFormat::Text) => write_text(report, View::Folded, out)?,
        (_, ProfileFormat::Json) => json::write_json(report, shown, out)?,
        (_, ProfileFormat::Csv) => json::write_csv(report, shown, out)?,
        (_, ProfileFormat::Dot | ProfileFormat::Svg) => {
            return Err(CliError::Usage(
                "-f: dot and svg are formats of graph; flame and folded have svg".into(),
            ));
        }
    }
    out.flush()?;
    Ok(())
}

/// What pprof prints.
pub fn write_text(mut report: Report, view: View, out: &mut impl Write) -> Result<()> {
    match view {
        View::Top => report.top().write(out)?,
        View::Tree | View::Peek => match report.tree() {
            Ok(tree) => tree.write(out)?,
            Err(what) => return Err(CliError::Failed(what)),
        },
        View::List => report.list().map_err(CliError::Failed)?.write(out)?,
        View::Traces => report.traces().write(out)?,
        View::Tags => report.tags().write(out)?,
        View::Raw => report.write_raw(out)?,
        View::Comments => report.write_comments(out)?,
        View::Dot => report.dot().write(out)?,
        View::Callgrind => report.write_callgrind(out)?,
        View::Proto => report.into_profile().write_packed(out)?,
        View::TopProto => report.top_profile().write_packed(out)?,
        View::Folded => {
            for (stack, value) in report.folded() {
                writeln!(out, "{stack} {value}")?;
            }
        }
    }
    Ok(())
}
