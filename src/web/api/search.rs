//! Where on the timeline something is: goroutines, places in the program, regions, tasks and messages.

use super::ask::objects;
use super::timeline::trace_of;
use crate::store::Value;
use crate::web::asker::Asker;
use crate::web::message::{Answer, Request, Result, bad};
use serde_json::{Value as Json, json};

/// Most hits of each kind.
const MOST: usize = 500;
/// Longest text that is searched for, bytes.
const LONGEST: usize = 1000;

/// Of the text of a hit so much is told, characters.
const SHOWN: usize = 300;

/// What is searched, each with its kind and a statement that gives time, length, goroutine and text.
const SEARCHES: [(&str, &str); 5] = [
    (
        "goroutine",
        "select g.created_ns as start_ns, g.total_ns as duration_ns, g.id as goroutine_id, \
         g.goid as goid, null as state, f.name as text from raw_goroutines g \
         left join functions f on f.id = g.function_id where g.trace_id = :trace \
         and (g.goid = :number or instr(lower(f.name), :text)) order by g.created_ns, g.id",
    ),
    (
        // The longest of each place stands for all.
        "place",
        "with found as (select distinct s.stack_id as stack_id from functions f \
           join stack_frames s on s.function_id = f.id where instr(lower(f.name), :text)) \
         select s.start_ns as start_ns, s.duration_ns as duration_ns, g.id as goroutine_id, \
         g.goid as goid, s.id as state, t.state || coalesce(' (' || t.reason || ')', '') || ' in ' \
         || coalesce(stack_user(t.stack_id), '?') || ', longest of ' || t.spans as text \
         from state_totals t join raw_goroutine_states s on s.id = t.max_state_id \
         join raw_goroutines g on g.id = t.max_goroutine_id \
         where t.trace_id = :trace and (t.stack_id in (select stack_id from found) \
           or instr(lower(t.reason), :text)) order by t.total_ns desc",
    ),
    (
        "region",
        "select coalesce(r.start_ns, 0) as start_ns, \
         coalesce(r.end_ns, t.duration_ns) - coalesce(r.start_ns, 0) as duration_ns, \
         g.id as goroutine_id, g.goid as goid, null as state, r.type as text from regions r \
         join raw_goroutines g on g.id = r.goroutine_id join traces t on t.id = r.trace_id \
         where r.trace_id = :trace and instr(lower(r.type), :text) order by 1",
    ),
    (
        "task",
        "select coalesce(k.start_ns, 0) as start_ns, \
         coalesce(k.end_ns, t.duration_ns) - coalesce(k.start_ns, 0) as duration_ns, \
         k.goroutine_id as goroutine_id, (select goid from raw_goroutines where id = k.goroutine_id) \
         as goid, null as state, coalesce(k.type, '?') || ' ' || k.task as text from tasks k \
         join traces t on t.id = k.trace_id where k.trace_id = :trace \
         and (k.task = :number or instr(lower(k.type), :text)) order by 1",
    ),
    (
        "log",
        "select l.time_ns as start_ns, 0 as duration_ns, l.goroutine_id as goroutine_id, \
         (select goid from raw_goroutines where id = l.goroutine_id) as goid, null as state, \
         l.category || ': ' || l.message as text from logs l where l.trace_id = :trace \
         and (instr(lower(l.message), :text) or instr(lower(l.category), :text)) order by 1",
    ),
];

/// `/api/search?trace=N&q=TEXT`.
pub fn search(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let text = request.get("q").unwrap_or("").trim().to_lowercase();
    if text.is_empty() || text.len() > LONGEST {
        return Err(bad("q: want a text of at most 1,000 bytes"));
    }
    let database = asker.database()?.1;
    let trace = trace_of(database, request.number("trace")?)?;
    let digits = text.strip_prefix('g').unwrap_or(&text);
    let number = digits.parse().map_or(Value::Null, Value::Integer);
    let given = [("trace", Value::Integer(trace)), ("number", number), ("text", Value::Text(text))];
    let (mut hits, mut has_more) = (Vec::new(), false);
    for (kind, sql) in SEARCHES {
        let used = given.iter().filter(|(name, _)| sql.contains(&format!(":{name}")));
        let used: Vec<(&str, Value)> = used.cloned().collect();
        let mut found = objects(database, &format!("{sql} limit {}", MOST + 1), &used)?;
        has_more |= found.len() > MOST;
        found.truncate(MOST);
        for hit in &mut found {
            hit["kind"] = kind.into();
            if let Some(text) = hit["text"].as_str() {
                hit["text"] = text.chars().take(SHOWN).collect::<String>().into();
            }
        }
        hits.append(&mut found);
    }
    Ok(Answer::json(&json!({ "hits": Json::Array(hits), "has_more": has_more })))
}
