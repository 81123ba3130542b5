//! One slice of the timeline: a row of `goroutine_states`, with all that is known around it.

use super::ask::objects;
use crate::store::{Database, Value};
use crate::web::asker::Asker;
use crate::web::message::{Answer, Request, Result, bad, missing};
use serde_json::{Value as Json, json};

/// Most slices whose texts are asked for at once.
const MOST_LABELS: usize = 1000;
/// Most frames of a stack that are shown.
const MOST_FRAMES: usize = 200;
/// Longest name that stands in a slice, characters.
const LONGEST: usize = 300;
/// Most regions, tasks and arrows of a slice.
const MOST: usize = 500;

/// The columns of a state that both readings below need.
const STATE: &str = "s.id as id, s.start_ns as start_ns, s.duration_ns as duration_ns, \
    case s.code & 7 when 3 then 'running' when 2 then 'runnable' when 4 then 'waiting' \
      when 5 then 'syscall' when 6 then 'syscall' end as state, \
    case s.code & 7 when 6 then 'blocked' else nullif(w.name, '') end as reason, \
    case when s.code & 7 = 4 then case when w.kind = 'lock' and k.wait_kind in \
      ('gc start', 'gc mark done') then 'gc' else w.kind end end as kind, \
    case when s.code & 7 = 4 then case when w.is_decisive then w.wait_kind \
      else coalesce(k.wait_kind, w.wait_kind) end end as wait_kind, s.stack_id as stack_id";
const STATE_FROM: &str = "from raw_goroutine_states s \
    left join reasons w on w.id = nullif(s.code >> 8, 0) \
    left join stacks k on k.id = s.stack_id";

/// `POST /api/timeline/labels` of `{states: [ROW, ...]}`: what stands in slices.
pub fn labels(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let body = request.json()?;
    let states = body.get("states").and_then(Json::as_array);
    let states = states.ok_or_else(|| bad("states: want rows of goroutine_states"))?;
    let ids: Vec<String> = (states.iter().take(MOST_LABELS))
        .filter_map(Json::as_i64)
        .map(|id| id.to_string())
        .collect();
    let sql = format!(
        "select s.id as id, s.code & 7 as code, s.proc as proc, nullif(w.name, '') as reason, \
         substr(case when s.code & 7 in (5, 6) then stack_call(s.stack_id) else stack_user(s.stack_id) \
         end, 1, {LONGEST}) as place, g.goid as goid, (select substr(f.name, 1, {LONGEST}) \
         from functions f where f.id = g.function_id) as name \
         {STATE_FROM} left join raw_goroutines g on g.id = state_goroutine(s.id) where s.id in ({})",
        ids.join(", ")
    );
    let rows = objects(asker.database()?.1, &sql, &[])?;
    Ok(Answer::json(&rows.into()))
}

/// `/api/slice?state=ROW`.
pub fn slice(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let state =
        request.number("state")?.ok_or_else(|| bad("state: want a row of goroutine_states"))?;
    let database = asker.database()?.1;
    let sql = format!(
        "select {STATE}, k.activity as activity, (s.code >> 6) & 1 as open_start, \
         (s.code >> 7) & 1 as open_end, s.proc as proc, \
         (select thread from threads t where t.id = s.thread_id) as thread, \
         g.id as goroutine_id, g.goid as goid, g.trace_id as trace_id, \
         (select f.name from functions f where f.id = g.function_id) as function, \
         s.woken_by_id as woken_by_id, s.woken_stack_id as woken_stack_id \
         {STATE_FROM} left join raw_goroutines g on g.id = state_goroutine(s.id) where s.id = :state"
    );
    let found = objects(database, &sql, &[("state", Value::Integer(state))])?;
    let mut json = found.into_iter().next().ok_or_else(|| missing("there is no such state"))?;
    let number = |json: &Json, name: &str| json.get(name).and_then(Json::as_i64);
    let (start, duration) = (number(&json, "start_ns"), number(&json, "duration_ns"));
    let end = start.unwrap_or(0).saturating_add(duration.unwrap_or(0));
    json["end_ns"] = end.into();
    json["stack"] = stack(database, number(&json, "stack_id"))?;
    json["woken_stack"] = stack(database, number(&json, "woken_stack_id"))?;
    let goroutine = number(&json, "goroutine_id");
    let (previous, next) = neighbours(database, state, goroutine)?;
    json["previous"] = previous;
    json["next"] = next;
    if let Some(waker) = number(&json, "woken_by_id") {
        // Who is made ready is woken where it becomes so; who waits, where that ends.
        let is_ready = json["state"] == "runnable";
        let at = if is_ready { start.unwrap_or(0) } else { end };
        json["waker"] = goroutine_at(database, waker, at)?;
    }
    if let Some(goroutine) = goroutine {
        let around = [
            ("goroutine", Value::Integer(goroutine)),
            ("start", Value::Integer(start.unwrap_or(0))),
            ("end", Value::Integer(end)),
        ];
        let sql = format!(
            "select r.id as id, r.type as type, r.task as task, r.start_ns as start_ns, \
             r.end_ns as end_ns, (select t.type from tasks t where t.task = r.task and \
             t.trace_id = r.trace_id) as task_type from regions r where r.goroutine_id = :goroutine \
             and coalesce(r.start_ns, 0) < :end and coalesce(r.end_ns, :end) > :start \
             order by r.depth limit {MOST}"
        );
        json["regions"] = objects(database, &sql, &around)?.into();
        let sql = format!(
            "select name, start_ns, duration_ns from ranges where goroutine_id = :goroutine \
             and start_ns < :end and start_ns + duration_ns > :start order by start_ns limit {MOST}"
        );
        json["ranges"] = objects(database, &sql, &around)?.into();
        let sql = format!(
            "select time_ns, category, message, task from logs where goroutine_id = :goroutine \
             and time_ns between :start and :end order by time_ns limit {MOST}"
        );
        json["logs"] = objects(database, &sql, &around)?.into();
    }
    Ok(Answer::json(&json))
}

/// The frames of a stack, the innermost first.
fn stack(database: &Database, id: Option<i64>) -> Result<Json> {
    let Some(id) = id else { return Ok(Json::Null) };
    let sql = format!(
        "select function, file, line from stack_frames where stack_id = :id order by position \
         limit {MOST_FRAMES}"
    );
    Ok(objects(database, &sql, &[("id", Value::Integer(id))])?.into())
}

/// The rows of the states before and behind a state of a goroutine.
fn neighbours(database: &Database, state: i64, goroutine: Option<i64>) -> Result<(Json, Json)> {
    let Some(goroutine) = goroutine else { return Ok((Json::Null, Json::Null)) };
    // A range ends where others of the same goroutine go on.
    let sql = "select case when :state > r.first_state then :state - 1 else \
        (select max(b.last_state) from raw_state_ranges b where b.goroutine_id = :goroutine \
         and b.last_state < :state) end as previous, \
        case when :state < r.last_state then :state + 1 else \
        (select min(b.first_state) from raw_state_ranges b where b.goroutine_id = :goroutine \
         and b.first_state > :state) end as next \
        from raw_state_ranges r where r.goroutine_id = :goroutine \
        and :state between r.first_state and r.last_state limit 1";
    let given = [("state", Value::Integer(state)), ("goroutine", Value::Integer(goroutine))];
    let mut row = objects(database, sql, &given)?.into_iter().next().unwrap_or(Json::Null);
    Ok((row["previous"].take(), row["next"].take()))
}

/// A goroutine, and what it did at a time.
fn goroutine_at(database: &Database, goroutine: i64, time_ns: i64) -> Result<Json> {
    let sql = format!(
        "select g.goid as goid, g.id as goroutine_id, \
         (select f.name from functions f where f.id = g.function_id) as function, {STATE} \
         from raw_goroutines g left join raw_state_ranges r on r.goroutine_id = g.id \
         and r.start_ns <= :time and r.end_ns >= :time \
         left join raw_goroutine_states s on s.id between r.first_state and r.last_state \
         and s.start_ns <= :time and s.start_ns + s.duration_ns >= :time \
         left join reasons w on w.id = nullif(s.code >> 8, 0) \
         left join stacks k on k.id = s.stack_id where g.id = :goroutine \
         order by s.code & 7 = 3 desc, s.id limit 1"
    );
    let given = [("goroutine", Value::Integer(goroutine)), ("time", Value::Integer(time_ns))];
    Ok(objects(database, &sql, &given)?.into_iter().next().unwrap_or(Json::Null))
}

/// `/api/slice/woken?state=ROW`: whom its goroutine woke meanwhile.
pub fn woken(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let state =
        request.number("state")?.ok_or_else(|| bad("state: want a row of goroutine_states"))?;
    let database = asker.database()?.1;
    let sql = "select start_ns, start_ns + duration_ns as end_ns, state_goroutine(id) as goroutine_id \
               from raw_goroutine_states where id = :state";
    let mine = objects(database, sql, &[("state", Value::Integer(state))])?;
    let mine = mine.first().ok_or_else(|| missing("there is no such state"))?;
    let number =
        |name: &str| mine.get(name).and_then(Json::as_i64).map_or(Value::Null, Value::Integer);
    let given = [
        ("start", number("start_ns")),
        ("end", number("end_ns")),
        ("goroutine", number("goroutine_id")),
    ];
    // Ranges that overlap are few, and have some thousand rows each. The plus signs keep SQLite from making an
    // index of all states first.
    let sql = format!(
        "select s.id as id, g.id as goroutine_id, g.goid as goid, s.start_ns as start_ns, \
         s.duration_ns as duration_ns, \
         (select f.name from functions f where f.id = g.function_id) as function \
         from raw_state_ranges r cross join raw_goroutine_states s \
           on s.id between r.first_state and r.last_state and +s.woken_by_id = :goroutine \
           and s.code & 7 = 2 and +s.start_ns between :start and :end \
         cross join raw_goroutines g on g.id = r.goroutine_id \
         where r.start_ns <= :end and r.end_ns >= :start order by s.start_ns limit {MOST}"
    );
    let rows = objects(database, &sql, &given)?;
    Ok(Answer::json(&json!({ "woken": rows, "has_more": rows.len() == MOST })))
}
