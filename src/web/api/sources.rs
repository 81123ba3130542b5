//! The sources: what is in them, what of them was lost, and adding more.

use super::ask::objects;
use crate::analysis::{TRACE, place};
use crate::source::Location;
use crate::web::asker::Asker;
use crate::web::message::{Answer, Request, Result, bad};
use crate::web::session::Load;
use serde_json::json;
use std::path::PathBuf;

/// `/api/analysis`: the sources, the traces and the profiles.
pub fn analysis(_: &Request, asker: &mut Asker) -> Result<Answer> {
    let is_loading = asker.session.progress().0["is_loading"].clone();
    let (snapshot, database) = asker.database()?;
    let sources = snapshot.sources.iter();
    let sources: Vec<String> = sources.map(|(location, _)| location.to_string()).collect();
    let traces = objects(database, "select * from traces order by id", &[])?;
    let profiles = objects(
        database,
        "select p.*, (select json_group_array(json_object('type', t.type, 'unit', t.unit,
             'is_default', t.is_default) order by t.position)
           from profile_types t where t.profile_id = p.id) as types
         from profiles p order by id",
        &[],
    )?;
    Ok(Answer::json(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "snapshot": snapshot.number,
        "is_loading": is_loading,
        "sources": sources,
        "words": snapshot.words(),
        "traces": traces,
        "profiles": profiles,
    })))
}

/// `/api/diagnostics`: what was repaired, skipped or lost while loading, and what the database tells of that.
pub fn diagnostics(_: &Request, asker: &mut Asker) -> Result<Answer> {
    let told: Vec<_> = asker.session.diagnostics();
    let told = told.iter().map(|(source, one)| {
        json!({
            "source": source.to_string(),
            "severity": one.code.severity().as_str(),
            "code": one.code.as_str(),
            "text": one.to_string(),
        })
    });
    let told: Vec<_> = told.collect();
    let remarks = asker.session.progress().0["remarks"].clone();
    let (_, database) = asker.database()?;
    let rows = objects(database, "select * from diagnostics order by id limit 10000", &[])?;
    Ok(Answer::json(&json!({ "told": told, "remarks": remarks, "rows": rows })))
}

/// `POST /api/open` of `{source}`: a URL is read too. Files of this machine are named on the command line.
pub fn open(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let body = request.json()?;
    let source = body.get("source").and_then(serde_json::Value::as_str).unwrap_or("").trim();
    if source.is_empty() {
        return Err(bad("source: want a URL"));
    }
    match place(source.as_ref(), TRACE, None) {
        url @ Location::Url { .. } => load(asker, (url.clone(), url)),
        _ => Err(bad("source: want a URL; files are named on the command line, or dropped here")),
    }
}

/// `POST /api/upload?name=NAME` of a file: the server has written it to the disk, and the body is its number.
pub fn uploaded(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let number = std::str::from_utf8(&request.body).ok().and_then(|text| text.parse().ok());
    let path = number.and_then(|number: usize| asker.session.upload(number));
    let path = path.ok_or_else(|| bad("no file came"))?;
    // Only to be shown: nothing is opened by this name.
    let name = request.get("name").unwrap_or("upload");
    load(asker, (Location::Path(path), Location::Path(PathBuf::from(name))))
}

/// Begins to load what is at one place and is called by another.
fn load(asker: &Asker, source: (Location, Location)) -> Result<Answer> {
    let session = &asker.session;
    session.load(Load { sources: vec![source], target: None }, |_| {})?;
    Ok(Answer { status: 202, ..Answer::json(&json!({ "is_loading": true })) })
}
