//! Profiles: those of the database, and what is measured in its traces, in pprof's views.
//!
//! ```text
//! asked      which profile is meant, and pprof's options, out of an address
//! views      the views as pages take them
//! sources    source with the values of its lines
//! ```

mod asked;
mod sources;
mod views;

use super::ask::objects;
use crate::analysis::{Shown, ViewForm, find_view, write_view};
use crate::picture::{ColorBy, FlameOptions};
use crate::profile::from_trace::TraceProfileType;
use crate::profile::{Report, View};
use crate::web::asker::Asker;
use crate::web::message::{Answer, Body, Request, Result, bad, missing};
use serde_json::{Value as Json, json};
use std::io;

/// `/api/profiles`: the profiles that there are, and what can be measured in traces.
pub fn list(_: &Request, asker: &mut Asker) -> Result<Answer> {
    let has_sources = !asker.session.source_path.is_empty();
    let (_, database) = asker.database()?;
    let profiles = objects(
        database,
        "select id, source, time_unix_ns, duration_ns, samples from profiles order by id",
        &[],
    )?;
    let of_profiles = objects(
        database,
        "select profile_id, type, unit, is_default from profile_types order by profile_id, position",
        &[],
    )?;
    let traces = objects(database, "select id, source, duration_ns from traces order by id", &[])?;
    let types = TraceProfileType::ALL.iter();
    let types = types.map(|one| json!({ "name": one.as_str(), "doc": one.doc() }));
    Ok(Answer::json(&json!({
        "profiles": profiles,
        "profile_types": of_profiles,
        "traces": traces,
        "trace_types": types.collect::<Vec<Json>>(),
        "has_sources": has_sources,
    })))
}

/// `/api/profile/VIEW?...` for pages; `/api/profile/VIEW.text`, `.csv`, `.json` and `.svg` as the command line
/// writes it.
pub fn view(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let name = request.path.rsplit('/').next().unwrap_or("");
    let (name, ending) = name.split_once('.').unwrap_or((name, ""));
    // pprof's page calls it so.
    let name = if name == "source" { "list" } else { name };
    let is_download = name == "download";
    let shown = if is_download { Some(Shown::Report(View::Proto)) } else { find_view(name) };
    let shown = shown.ok_or_else(|| {
        missing(format!("there is no view '{name}'; there are flame, graph, top, peek, source, tags, traces and download"))
    })?;
    let form = match ending {
        "" => None,
        "text" | "txt" => Some(ViewForm::Text),
        "csv" => Some(ViewForm::Csv),
        "json" => Some(ViewForm::Json),
        "svg" => Some(ViewForm::Svg),
        "dot" => Some(ViewForm::Dot),
        _ => return Err(bad("the form is text, csv, json, svg or dot")),
    };
    let sources = asker.session.source_path.clone();
    let config = asked::config(request, &sources)?;
    let profile = asked::profile(request, asker, &config)?;
    let pattern = shown.wants_pattern().then(|| request.get("f").unwrap_or(""));
    let time_ns = profile.time_nanos;
    let mut report =
        Report::new((*profile).clone(), shown.view(), pattern, &config).map_err(bad)?;
    drop(profile);
    if is_download {
        let bytes = |report: Report, out: &mut dyn io::Write| {
            report.write_text(View::Proto, &mut { out }).map_err(io::Error::other)
        };
        return Ok(written(
            "application/octet-stream",
            Some("profile.pb.gz".into()),
            report,
            bytes,
        ));
    }
    if let Shown::Report(View::List) = shown {
        return sources::source(report, &sources, time_ns, form);
    }
    let Some(form) = form else {
        return Ok(Answer::json(&match shown {
            Shown::Report(View::Top) => views::top(&mut report),
            Shown::Report(View::Peek | View::Tree) => views::peek(&mut report)?,
            Shown::Report(View::Tags) => views::tags(&report),
            Shown::Flame => views::flame(&mut report, request.get("label").unwrap_or("state")),
            _ => return Err(bad(format!("{name} is there as {name}.text, and so on"))),
        }));
    };
    let content_type = match form {
        ViewForm::Text | ViewForm::Dot => "text/plain; charset=utf-8",
        ViewForm::Csv => "text/csv; charset=utf-8",
        ViewForm::Json => "application/json",
        ViewForm::Svg => "image/svg+xml",
    };
    let how = FlameOptions { color_by: ColorBy::Package, ..FlameOptions::default() };
    let file_name = (form == ViewForm::Csv).then(|| format!("{name}.csv"));
    // Every sample may be more than memory takes.
    if let Shown::Report(View::Traces | View::Raw | View::Folded) = shown {
        let write = move |report: Report, out: &mut dyn io::Write| {
            write_view(report, shown, form, &how, &mut { out }).map_err(io::Error::other)
        };
        return Ok(written(content_type, file_name, report, write));
    }
    let mut bytes = Vec::new();
    write_view(report, shown, form, &how, &mut bytes)?;
    Ok(Answer { file_name, ..Answer::new(content_type, bytes) })
}

/// An answer that is written while it is sent.
fn written(
    content_type: &'static str,
    file_name: Option<String>,
    report: Report,
    write: impl FnOnce(Report, &mut dyn io::Write) -> io::Result<()> + Send + 'static,
) -> Answer {
    let body = Body::Written(Box::new(move |_, out| write(report, out)));
    Answer { body, file_name, ..Answer::new(content_type, Vec::new()) }
}
