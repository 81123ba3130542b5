//! The ordered events of a trace, read again from its file: no table has them all.

use crate::analysis::{EventsForm, Observer, Opened, Silent, event_kinds, moment, write_events};
use crate::export::EventFilter;
use crate::source::Location;
use crate::store::Value;
use crate::web::asker::Asker;
use crate::web::message::{Answer, Body, Request, Result, bad, missing};
use std::io;
use std::sync::Arc;

/// Most events of one answer.
const EVENTS: u64 = 10_000;

/// `/api/events?trace=N`: a line of JSON for each event, as `gotrace events -f jsonl` writes them, with its
/// filters `from`, `to`, `goroutine`, `proc`, `thread`, `kind`, `limit`.
pub fn events(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let filter = filter(request)?;
    let location = file(request, asker)?;
    let write = move |_: &mut Asker, out: &mut dyn io::Write| {
        let observer: Arc<dyn Observer> = Arc::new(Silent);
        let opened = Opened::new(&location, &observer).map_err(io::Error::other)?;
        write_events(opened, filter, EventsForm::Jsonl, false, out).map_err(io::Error::other)
    };
    let body = Body::Written(Box::new(write));
    Ok(Answer { body, ..Answer::new("application/jsonl; charset=utf-8", Vec::new()) })
}

/// Where the trace is that is asked about.
fn file(request: &Request, asker: &mut Asker) -> Result<Location> {
    let trace = request.number("trace")?;
    let session = asker.session.clone();
    let (_, database) = asker.database()?;
    let given = [("trace".to_owned(), trace.map_or(Value::Null, Value::Integer))];
    let sql = "select source from traces where id = coalesce(:trace, (select min(id) from traces))";
    let found = database.first_row(sql, &given);
    let Ok([Value::Text(source)]) = found.as_deref() else {
        return Err(missing("there is no such trace"));
    };
    session.file(source).ok_or_else(|| {
        missing("the events are in the file of the trace, and that is not at hand: it came from elsewhere, or is in a database only")
    })
}

fn filter(request: &Request) -> Result<EventFilter> {
    let limit = request.number("limit")?.and_then(|limit| u64::try_from(limit).ok());
    let kinds: Vec<String> = request.get("kind").map_or_else(Vec::new, |kinds| {
        kinds
            .split(',')
            .map(|kind| kind.trim().to_owned())
            .filter(|kind| !kind.is_empty())
            .collect()
    });
    Ok(EventFilter {
        from: moment("from", request.get("from"))?,
        to: moment("to", request.get("to"))?,
        goroutines: numbers(request, "goroutine")?,
        procs: numbers(request, "proc")?,
        threads: numbers(request, "thread")?,
        kinds: event_kinds(&kinds)?,
        limit: Some(limit.unwrap_or(EVENTS).min(EVENTS)),
    })
}

/// The numbers of a parameter, with commas between them.
fn numbers(request: &Request, name: &str) -> Result<Vec<i64>> {
    let all = request.get(name).unwrap_or("").split(',').map(str::trim).filter(|it| !it.is_empty());
    all.map(|text| text.parse().map_err(|_| bad(format!("{name}: want numbers")))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::message::parameters;

    fn asked(query: &str) -> Request {
        Request { parameters: parameters(query), ..Request::default() }
    }

    #[test]
    fn what_is_asked_for_is_bounded_and_checked() {
        let filter = filter(&asked("goroutine=1,%202&limit=50000&kind=GoBlock,Log")).unwrap();
        assert_eq!((filter.goroutines, filter.limit), (vec![1, 2], Some(EVENTS)));
        assert!(filter.kinds.is_some());
        assert_eq!(super::filter(&asked("limit=-1")).unwrap().limit, Some(EVENTS));
        for wrong in ["goroutine=x", "kind=NoSuchKind", "from=when", "limit=many"] {
            assert!(super::filter(&asked(wrong)).is_err(), "{wrong}");
        }
    }
}
