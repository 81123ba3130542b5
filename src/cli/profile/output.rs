//! Where a view goes that is not for a terminal.

use crate::analysis::ViewForm;
use crate::profile::View;
use std::path::Path;

/// The name that a file gets which otherwise would be written into a terminal, as pprof has it:
/// `None` for what people read (`commands.go`, awayFromTTY).
pub fn name_away_from_terminal(view: View, format: ViewForm) -> Option<String> {
    let ending = match (format, view) {
        (ViewForm::Svg, _) => "svg",
        (ViewForm::Text, View::Callgrind) => "callgraph.out",
        (ViewForm::Text, View::Proto | View::TopProto) => "pb.gz",
        _ => return None,
    };
    // The first that is not there (`tempfile.go`, newTempFile).
    let names = (1..).map(|number| format!("profile{number:03}.{ending}"));
    names.into_iter().find(|name| !Path::new(name).exists())
}
