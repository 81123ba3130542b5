//! The timeline: which lanes there are, in which order, and their tiles.

use super::ask::objects;
use crate::store::lanes::{
    Axis, Class, FoldedGroups, GroupBy, LaneFilter, LaneId, Lanes, Measure, Order, OrderRequest,
    Row, SortBy, TILE_PIXELS, tile,
};
use crate::store::{Database, Value};
use crate::web::asker::Asker;
use crate::web::message::{Answer, Request, Result, bad, missing};
use crate::web::timelines::{KeptOrder, TraceKey};
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Most rows that are told of at once.
const MOST_ROWS: i64 = 1024;
/// Most functions of a filter.
const MOST_NAMES: usize = 1000;
/// Most columns of sums over all goroutines.
const MOST_COLUMNS: i64 = 4096;

/// `/api/timeline?trace=N`: what there is to be seen.
pub fn timeline(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let snapshot = asker.session.snapshot()?;
    let (_, database) = asker.database()?;
    let trace = trace_of(database, request.number("trace")?)?;
    let sql = "select id, source, start_clock_ns, start_unix_ns, duration_ns, gomaxprocs, gaps \
               from traces where id = :trace";
    let row = objects(database, sql, &[("trace", Value::Integer(trace))])?;
    let mut json = row.into_iter().next().ok_or_else(|| missing("there is no such trace"))?;
    let session = asker.session.clone();
    if let Some(progress) = session.timelines.progress(&snapshot, trace)? {
        return Ok(Answer { status: 202, ..Answer::json(&progress) });
    }
    let lanes = session.timelines.lanes(&snapshot, trace)?;
    json["snapshot"] = snapshot.number.into();
    json["duration_ns"] = lanes.duration_ns().into();
    json["goroutines"] = lanes.goroutines().len().into();
    json["procs"] = lanes.procs().len().into();
    json["threads"] = lanes.threads().len().into();
    json["classes"] = Class::ALL.iter().map(|class| class.name()).collect();
    Ok(Answer::json(&json))
}

/// The trace that is meant: the first if none is named.
pub fn trace_of(database: &Database, given: Option<i64>) -> Result<i64> {
    if let Some(given) = given {
        return Ok(given);
    }
    match database.first_row("select min(id) from traces", &[])?.first() {
        Some(Value::Integer(first)) => Ok(*first),
        _ => Err(missing("there is no trace in it")),
    }
}

/// The lanes of the trace that is meant.
pub fn lanes_of(asker: &mut Asker, given: Option<i64>) -> Result<(TraceKey, Arc<Lanes>)> {
    let snapshot = asker.session.snapshot()?;
    let trace = trace_of(asker.database()?.1, given)?;
    let lanes = asker.session.timelines.lanes(&snapshot, trace)?;
    Ok(((snapshot.number, trace), lanes))
}

/// `POST /api/timeline/order`: puts lanes into an order, to which rows and tiles refer.
pub fn order(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let body = request.json()?;
    let (trace, lanes) = lanes_of(asker, body.get("trace").and_then(Json::as_i64))?;
    let wanted = order_request(&body)?;
    let asked = format!("{wanted:?}");
    let timelines = asker.session.clone();
    let timelines = &timelines.timelines;
    let kept = match timelines.known_order(trace, &asked) {
        Some(kept) => kept,
        None => {
            let order = Order::new(&lanes, asker.database()?.1, &wanted)?;
            timelines.keep_order(trace, asked, lanes, order)
        }
    };
    Ok(Answer::json(&json!({
        "order": kept.name,
        "rows": kept.order.rows().len(),
        "groups": kept.order.groups().len(),
        "shown": kept.order.lanes().len(),
        "hidden": kept.order.hidden(),
    })))
}

fn order_request(body: &Json) -> Result<OrderRequest> {
    let text = |name: &str| body.get(name).and_then(Json::as_str).unwrap_or("");
    let axis = match text("lanes") {
        "" | "goroutines" => Axis::Goroutines,
        "procs" => Axis::Procs,
        "threads" => Axis::Threads,
        _ => return Err(bad("lanes: want goroutines, procs or threads")),
    };
    let group = match text("group") {
        "" | "function" => GroupBy::Function,
        "creator" => GroupBy::Creator,
        "none" => GroupBy::Nothing,
        _ => return Err(bad("group: want function, creator or none")),
    };
    let measure = |name: &str| {
        let known = Measure::of_name(name);
        known.ok_or_else(|| bad("want total, waiting, syscalls, states or the name of a class"))
    };
    let sort = match text("sort") {
        "" | "start" => SortBy::Start,
        "number" => SortBy::Number,
        "name" => SortBy::Name,
        name => SortBy::Measure(measure(name)?),
    };
    let folded = match body.get("folded") {
        Some(_) => FoldedGroups::Only(keys(body, "folded")),
        None => FoldedGroups::AllBut(keys(body, "unfolded")),
    };
    let window = match body.get("window") {
        Some(Json::Array(times)) => match (times.first(), times.get(1)) {
            (Some(from), Some(to)) => from.as_i64().zip(to.as_i64()),
            _ => None,
        },
        _ => None,
    };
    let filter = body.get("filter").unwrap_or(&Json::Null);
    let least = match filter.get("least") {
        Some(least) => {
            let of = measure(least.get("measure").and_then(Json::as_str).unwrap_or(""))?;
            Some((of, least.get("value").and_then(Json::as_i64).unwrap_or(1)))
        }
        None => None,
    };
    let functions = filter.get("functions").and_then(Json::as_array);
    let functions = functions.into_iter().flatten().filter_map(Json::as_str);
    let filter = LaneFilter {
        functions: functions.take(MOST_NAMES).map(String::from).collect(),
        goids: keys(filter, "goids"),
        text: filter.get("text").and_then(Json::as_str).map(String::from),
        least,
    };
    let is_reversed = body.get("is_reversed").and_then(Json::as_bool).unwrap_or(false);
    Ok(OrderRequest { axis, group, sort, is_reversed, window, filter, folded })
}

/// The numbers of a list.
fn keys<T: FromIterator<i64>>(object: &Json, name: &str) -> T {
    let list = object.get(name).and_then(Json::as_array);
    list.into_iter().flatten().filter_map(Json::as_i64).collect()
}

fn kept(request: &Request, asker: &Asker) -> Result<Arc<KeptOrder>> {
    let name = request.get("order").ok_or_else(|| bad("order: want its name"))?;
    asker.session.timelines.order(name)
}

/// `/api/timeline/rows?order=NAME&first=N&count=N`: what the rows are.
pub fn rows(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let kept = kept(request, asker)?;
    let first = usize::try_from(request.number("first")?.unwrap_or(0)).unwrap_or(usize::MAX);
    let count = request.number("count")?.unwrap_or(128).clamp(0, MOST_ROWS) as usize;
    let rows = kept.order.rows().get(first..).unwrap_or_default();
    let rows = &rows[..rows.len().min(count)];
    let names = names(asker.database()?.1, &kept.lanes, rows)?;
    let is_grouped = !kept.order.groups().is_empty();
    let all = rows.iter().map(|row| match *row {
        Row::Group(at) => match kept.order.groups().get(at as usize) {
            Some(group) => json!({
                "kind": "group",
                "key": group.key,
                "name": group.name.as_ref().map(|name| name.chars().take(300).collect::<String>()),
                "lanes": group.lanes.len(),
                "is_folded": group.is_folded,
            }),
            None => Json::Null,
        },
        Row::Lane(lane) => lane_json(&kept.lanes, lane, &names, is_grouped),
    });
    Ok(Answer::json(&all.collect()))
}

fn lane_json(lanes: &Lanes, lane: LaneId, names: &HashMap<u32, String>, is_grouped: bool) -> Json {
    let depth = u8::from(is_grouped);
    match lane {
        LaneId::Goroutine(at) => match lanes.goroutines().get(at as usize) {
            Some(one) => json!({
                "kind": "goroutine",
                "id": one.id,
                "goid": one.goid,
                "name": names.get(&one.function_id),
                "start_ns": one.start_ns,
                "end_ns": one.end_ns,
                "states": one.states,
                "depth": depth,
            }),
            None => Json::Null,
        },
        LaneId::Proc(at) => {
            let number = lanes.procs().get(at as usize).map(|track| track.number);
            json!({ "kind": "proc", "number": number, "depth": depth })
        }
        LaneId::Thread(at) => {
            let number = lanes.threads().get(at as usize).map(|track| track.number);
            json!({ "kind": "thread", "number": number, "depth": depth })
        }
    }
}

/// The names of the functions with which the goroutines of some rows began.
fn names(database: &Database, lanes: &Lanes, rows: &[Row]) -> Result<HashMap<u32, String>> {
    let mut functions: Vec<String> = (rows.iter())
        .filter_map(|row| match *row {
            Row::Lane(LaneId::Goroutine(at)) => lanes.goroutines().get(at as usize),
            _ => None,
        })
        .map(|goroutine| goroutine.function_id.to_string())
        .collect();
    functions.sort_unstable();
    functions.dedup();
    if functions.is_empty() {
        return Ok(HashMap::new());
    }
    let list = functions.join(", ");
    // No row is so wide that it would show more of a name.
    let sql = format!("select id, substr(name, 1, 300) from functions where id in ({list})");
    let mut found = crate::store::Rows::default();
    database.ask(&sql, &[], &mut found)?;
    let pairs = found.rows.into_iter().filter_map(|row| match <[Value; 2]>::try_from(row) {
        Ok([Value::Integer(id), Value::Text(name)]) => Some((u32::try_from(id).ok()?, name)),
        _ => None,
    });
    Ok(pairs.collect())
}

/// `/api/timeline/find?order=NAME&goroutine=ROW`, `&proc=N`, `&thread=N`: in which row of an order it is.
pub fn find(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let kept = kept(request, asker)?;
    let place = |tracks: &[crate::store::lanes::Track], number: i64| {
        tracks.iter().position(|track| track.number == number).map(|at| at as u32)
    };
    let lane = if let Some(id) = request.number("goroutine")? {
        kept.lanes.lane_of_goroutine(id)
    } else if let Some(number) = request.number("proc")? {
        place(kept.lanes.procs(), number).map(LaneId::Proc)
    } else if let Some(number) = request.number("thread")? {
        place(kept.lanes.threads(), number).map(LaneId::Thread)
    } else {
        return Err(bad("goroutine, proc or thread: want one of them"));
    };
    let order = &kept.order;
    let Some(lane) = lane else { return Err(missing("there is no such lane")) };
    let row = order.rows().iter().position(|row| *row == Row::Lane(lane));
    let group = order.groups().iter().position(|group| order.lanes_of(group).contains(&lane));
    let row_of_group =
        group.and_then(|at| order.rows().iter().position(|row| *row == Row::Group(at as u32)));
    Ok(Answer::json(&json!({
        "row": row,
        "group": group.map(|at| order.groups()[at].key),
        "row_of_group": row_of_group,
    })))
}

/// `/api/tiles?order=NAME&z=N&x=N&block=N`: what is drawn of 32 rows of an order.
pub fn tiles(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let kept = kept(request, asker)?;
    let number = |name: &str| -> Result<u64> {
        let number = request.number(name)?.ok_or_else(|| bad(format!("{name}: want a number")))?;
        u64::try_from(number).map_err(|_| bad(format!("{name}: want no negative number")))
    };
    let z = u8::try_from(number("z")?).ok().filter(|z| *z < 63);
    let z = z.ok_or_else(|| bad("z: want 0 to 62"))?;
    let block = u32::try_from(number("block")?).map_err(|_| bad("block: it is too large"))?;
    let px = request.number("px")?.unwrap_or(i64::from(TILE_PIXELS)).clamp(1, 8192) as u32;
    let bytes = tile(&kept.lanes, &kept.order, block, z, number("x")?, px)?;
    Ok(Answer { is_immutable: true, ..Answer::new("application/octet-stream", bytes) })
}

/// `/api/timeline/activity?trace=N&from=NS&to=NS&columns=N`: time of all goroutines together by class, in columns
/// of equal width.
pub fn activity(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let (_, lanes) = lanes_of(asker, request.number("trace")?)?;
    let from = request.number("from")?.unwrap_or(0);
    let to = request.number("to")?.unwrap_or_else(|| lanes.duration_ns()).max(from);
    let columns = request.number("columns")?.unwrap_or(256).clamp(1, MOST_COLUMNS) as usize;
    let all: Vec<LaneId> = (0..lanes.goroutines().len() as u32).map(LaneId::Goroutine).collect();
    let sums = lanes.shares(&all, (from, to), columns)?;
    let classes = Class::ALL.iter().map(|class| {
        let column: Vec<i64> = sums.iter().map(|column| column[*class as usize]).collect();
        (class.name().to_owned(), json!(column))
    });
    Ok(Answer::json(&json!({
        "from_ns": from,
        "to_ns": to,
        "columns": columns,
        "ns": classes.collect::<serde_json::Map<String, Json>>(),
    })))
}
