//! The report, for the first page.

use crate::report::{self, Report};
use crate::web::asker::Asker;
use crate::web::message::{Answer, Request, Result, missing};
use serde_json::{Value as Json, json};
use std::sync::Arc;

fn read(request: &Request, asker: &mut Asker) -> Result<Arc<Report>> {
    let only = request.number("trace")?;
    let session = asker.session.clone();
    let (snapshot, database) = asker.database()?;
    let report = session.report(snapshot, database, only)?;
    match report.traces.is_empty() {
        true => Err(missing("there is no trace in it")),
        false => Ok(report),
    }
}

/// `/api/report?trace=N`: what `gotrace report -f json` writes, with the sentences and bars of its page.
pub fn report(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let report = read(request, asker)?;
    let mut text = Vec::new();
    report::write::write_json(&report, &mut text)?;
    let mut json: Json = serde_json::from_slice(&text).map_err(std::io::Error::from)?;
    for (index, trace) in report.traces.iter().enumerate() {
        let facts = &trace.facts;
        let parts = |parts: Vec<report::Part>| -> Json {
            parts.iter().map(|it| json!({ "name": it.name, "key": it.key, "ns": it.ns })).collect()
        };
        let overview = report::overview(facts).into_iter();
        let overview = overview.map(|(label, text)| json!({ "label": label, "text": text }));
        let into = &mut json["traces"][index];
        into["bars"] = json!([
            { "title": "What the procs did", "parts": parts(report::proc_parts(facts)) },
            {
                "title": "What the program's goroutines did",
                "parts": parts(report::time_parts(&facts.program_time())),
            },
        ]);
        into["overview"] = overview.collect();
        into["nothing_found"] = report::nothing_found().into();
    }
    Ok(Answer::json(&json))
}

/// `/api/report/plots.svg?trace=N`: what ran, what was ready, and the heap over time.
pub fn plots(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let report = read(request, asker)?;
    let first = report.traces.first().ok_or_else(|| missing("there is no trace in it"))?;
    Ok(Answer::new("image/svg+xml", report::plots(&first.facts)))
}
