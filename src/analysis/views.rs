//! Views of profiles: what pprof shows, and pictures, in every form.

use super::{Error, Result};
use crate::picture::{self, FlameOptions};
use crate::profile::{Report, View};
use std::io::Write;
use std::path::Path;

/// What can be shown of a profile: pprof's views, and pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A view of pprof.
    Report(View),
    /// The graph of calls as a picture.
    Graph,
    /// A flame graph.
    Flame,
}

/// The views by name.
pub const VIEWS: [(&str, Shown); 17] = [
    ("callgrind", Shown::Report(View::Callgrind)),
    ("comments", Shown::Report(View::Comments)),
    ("dot", Shown::Report(View::Dot)),
    ("flame", Shown::Flame),
    ("folded", Shown::Report(View::Folded)),
    ("graph", Shown::Graph),
    ("list", Shown::Report(View::List)),
    ("peek", Shown::Report(View::Peek)),
    ("proto", Shown::Report(View::Proto)),
    ("raw", Shown::Report(View::Raw)),
    ("svg", Shown::Graph),
    ("tags", Shown::Report(View::Tags)),
    ("text", Shown::Report(View::Top)),
    ("top", Shown::Report(View::Top)),
    ("topproto", Shown::Report(View::TopProto)),
    ("traces", Shown::Report(View::Traces)),
    ("tree", Shown::Report(View::Tree)),
];

/// The view with this name.
pub fn find_view(name: &str) -> Option<Shown> {
    VIEWS.iter().find(|(known, _)| *known == name).map(|(_, shown)| *shown)
}

/// The names of the views.
pub fn view_names() -> impl Iterator<Item = &'static str> {
    VIEWS.iter().map(|(name, _)| *name)
}

impl Shown {
    /// The view that it is made of.
    pub fn view(self) -> View {
        match self {
            Shown::Report(view) => view,
            Shown::Graph => View::Dot,
            Shown::Flame => View::Folded,
        }
    }

    /// Whether it is of the functions that match a pattern.
    pub fn wants_pattern(self) -> bool {
        matches!(self, Shown::Report(View::Peek | View::List))
    }
}

/// Forms of views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewForm {
    /// As `go tool pprof` prints it.
    Text,
    /// One object; `docs/pprof.md` lists the keys.
    Json,
    /// Comma-separated values with a header line.
    Csv,
    /// Of the graph: the language of graphviz.
    Dot,
    /// Of the graph and of flame graphs: a picture.
    Svg,
}

impl ViewForm {
    /// What the name of a file asks for; `None` if it says nothing.
    ///
    /// # Errors
    /// If it asks for a kind of picture that there is not.
    pub fn of_file(path: &Path) -> Result<Option<ViewForm>> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("");
        Ok(match &*ending.to_ascii_lowercase() {
            "csv" => Some(ViewForm::Csv),
            "dot" | "gv" => Some(ViewForm::Dot),
            "json" => Some(ViewForm::Json),
            "svg" => Some(ViewForm::Svg),
            "pdf" | "png" | "gif" | "ps" | "eps" | "jpg" | "jpeg" | "webp" => {
                return Err(Error::Usage(format!(
                    "{}: pictures are written as .svg, and graphs as .dot, too; \
                     'gotrace profile dot SOURCE | dot -T{ending}' makes others of those",
                    path.display()
                )));
            }
            _ => None,
        })
    }
}

/// Writes a view.
///
/// # Errors
/// If it has no such form, if it shows nothing, or if `out` fails.
pub fn write_view(
    mut report: Report,
    shown: Shown,
    form: ViewForm,
    flame: &FlameOptions,
    out: &mut impl Write,
) -> Result<()> {
    match (shown, form) {
        (Shown::Report(view), ViewForm::Text) => report.write_text(view, out)?,
        (Shown::Graph, ViewForm::Dot | ViewForm::Text)
        | (Shown::Report(View::Dot), ViewForm::Dot) => report.dot().write(out)?,
        (Shown::Graph | Shown::Report(View::Dot), ViewForm::Svg) => {
            out.write_all(picture::graph(&report.dot())?.as_bytes())?;
        }
        (Shown::Flame | Shown::Report(View::Folded), ViewForm::Svg) => {
            picture::flame(&mut report, flame, out)?;
        }
        (Shown::Flame, ViewForm::Text) => report.write_text(View::Folded, out)?,
        (_, ViewForm::Json) => report.write_json(shown.view(), out)?,
        (_, ViewForm::Csv) => report.write_csv(shown.view(), out)?,
        (_, ViewForm::Dot | ViewForm::Svg) => {
            return Err(Error::Usage(
                "dot and svg are formats of graph; flame and folded have svg".into(),
            ));
        }
    }
    out.flush()?;
    Ok(())
}
