//! Source with the values of its lines, from the folders that the user has named.

use super::views::head;
use crate::analysis::ViewForm;
use crate::profile::{ListingFunction, Report, SourceFinder, units};
use crate::web::message::{Answer, Result, bad};
use serde_json::{Value as Json, json};
use std::time::{Duration, UNIX_EPOCH};

/// Most functions of one answer, and most lines of one function.
const FUNCTIONS: usize = 40;
const LINES: usize = 4000;

/// The functions that match, those with the greatest values first. `folders` are those in which sources may be
/// read, `time_ns` is when the profile was recorded, nanoseconds since 1970; 0 if it does not tell.
pub fn source(
    mut report: Report,
    folders: &str,
    time_ns: i64,
    form: Option<ViewForm>,
) -> Result<Answer> {
    let mut finder = SourceFinder::within(folders);
    let listing = report.list_with(&mut finder).map_err(bad)?;
    match form {
        None => {}
        Some(ViewForm::Text) => {
            let mut text = Vec::new();
            listing.write(&mut text)?;
            return Ok(Answer::new("text/plain; charset=utf-8", text));
        }
        Some(_) => return Err(bad("source is there for pages, and as list.text")),
    }
    let total = listing.total.0;
    let mut functions: Vec<&ListingFunction> = listing.functions.iter().collect();
    functions.sort_by_key(|one| {
        std::cmp::Reverse((one.flat.0.unsigned_abs(), one.cum.0.unsigned_abs()))
    });
    let shown = functions.iter().take(FUNCTIONS).map(|one| function(one, &finder, total, time_ns));
    let shown: Vec<Json> = shown.collect();
    let mut json = head(&report);
    json["functions"] = shown.into();
    json["left_out"] = functions.len().saturating_sub(FUNCTIONS).into();
    Ok(Answer::json(&json))
}

fn function(one: &ListingFunction, finder: &SourceFinder, total: i64, time_ns: i64) -> Json {
    let share = |value: i64| units::percentage(value, total).trim().to_owned();
    let mut json = json!({
        "name": one.name,
        "file": one.file,
        "flat": one.flat.0,
        "flat_text": one.flat.1,
        "cum": one.cum.0,
        "cum_text": one.cum.1,
        "cum_share": share(one.cum.0),
    });
    match &one.lines {
        Err(why) => json["error"] = why.as_str().into(),
        Ok(lines) => {
            let shown = lines.iter().take(LINES);
            let shown = shown.map(|line| {
                json!([line.number, line.flat.0, line.flat.1, line.cum.0, line.cum.1, line.text])
            });
            json["lines"] = shown.collect();
            json["is_newer"] = is_newer(one, finder, time_ns).into();
        }
    }
    json
}

/// Whether the file was changed after the profile was recorded: its lines are not those that ran, then.
fn is_newer(one: &ListingFunction, finder: &SourceFinder, time_ns: i64) -> bool {
    let changed =
        finder.find(&one.file).ok().and_then(|path| path.metadata().ok()?.modified().ok());
    let recorded = u64::try_from(time_ns).ok().filter(|&ns| ns > 0);
    changed
        .zip(recorded)
        .is_some_and(|(changed, ns)| changed > UNIX_EPOCH + Duration::from_nanos(ns))
}
