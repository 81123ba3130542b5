//! What lanes did in a stretch of time, summed up.

use super::timeline::lanes_of;
use crate::store::lanes::{CLASSES, Class, LaneId, Row};
use crate::web::asker::Asker;
use crate::web::message::{Answer, Request, Result, bad};
use serde_json::{Map, Value as Json, json};

/// Lanes that are told one by one, those that did most.
const MOST_LANES: usize = 100;

/// `POST /api/area` of `{trace, from, to, order, first, last}`: sums by class, of the rows of an order from the
/// first to the last, or of all goroutines.
pub fn area(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let body = request.json()?;
    let number = |name: &str| body.get(name).and_then(Json::as_i64);
    let (from, to) = match (number("from"), number("to")) {
        (Some(from), Some(to)) if from <= to => (from, to),
        _ => return Err(bad("from, to: want nanoseconds, the earlier first")),
    };
    let (_, lanes) = lanes_of(asker, number("trace"))?;
    let mut wanted: Vec<LaneId> = match body.get("order").and_then(Json::as_str) {
        None => (0..lanes.goroutines().len() as u32).map(LaneId::Goroutine).collect(),
        Some(name) => {
            let kept = asker.session.timelines.order(name)?;
            let rows = kept.order.rows();
            let place = |name, otherwise| {
                number(name).map_or(otherwise, |at| usize::try_from(at).unwrap_or(0))
            };
            let last = place("last", usize::MAX).saturating_add(1).min(rows.len());
            let first = place("first", 0).min(last);
            let lanes_of_row = |row: &Row| match *row {
                Row::Lane(lane) => vec![lane],
                // The lanes of one that is not folded stand in rows of their own.
                Row::Group(at) => match kept.order.groups().get(at as usize) {
                    Some(group) if group.is_folded => kept.order.lanes_of(group).to_vec(),
                    _ => Vec::new(),
                },
            };
            rows[first..last].iter().flat_map(lanes_of_row).collect()
        }
    };
    wanted.sort_unstable();
    wanted.dedup();
    let (mut ns, mut states) = ([0_i64; CLASSES], [0_u64; CLASSES]);
    let mut each: Vec<(i64, LaneId)> = Vec::new();
    let mut there = 0_usize;
    lanes.sums_of_all(wanted, (from, to), |lane, sums| {
        let mut busy = 0_i64;
        let mut is_there = false;
        for class in Class::ALL {
            let sum = sums[class as usize];
            ns[class as usize] = ns[class as usize].saturating_add(sum.ns);
            states[class as usize] += sum.states;
            is_there |= sum.states > 0 && class != Class::Undetermined;
            if class == Class::Running {
                busy = sum.ns;
            }
        }
        if is_there {
            there += 1;
            each.push((busy, lane));
        }
    })?;
    each.sort_unstable_by_key(|(busy, lane)| (std::cmp::Reverse(*busy), *lane));
    each.truncate(MOST_LANES);
    let classes = Class::ALL.iter().filter(|class| states[**class as usize] > 0).map(|class| {
        let at = *class as usize;
        json!({ "class": at, "name": class.name(), "ns": ns[at], "states": states[at] })
    });
    let classes: Vec<Json> = classes.collect();
    let mut told = Vec::new();
    for (_, lane) in each {
        let sums = lanes.sums(lane, (from, to))?;
        let mut of = Map::new();
        for class in Class::ALL {
            if sums[class as usize].ns > 0 {
                of.insert(class.name().into(), sums[class as usize].ns.into());
            }
        }
        told.push(match lane {
            LaneId::Goroutine(at) => {
                let one = lanes.goroutines().get(at as usize);
                json!({ "id": one.map(|it| it.id), "goid": one.map(|it| it.goid), "ns": of })
            }
            LaneId::Proc(at) => {
                json!({ "proc": lanes.procs().get(at as usize).map(|it| it.number), "ns": of })
            }
            LaneId::Thread(at) => {
                json!({ "thread": lanes.threads().get(at as usize).map(|it| it.number), "ns": of })
            }
        });
    }
    Ok(Answer::json(&json!({
        "from_ns": from, "to_ns": to, "classes": classes, "lanes": there, "busiest": told,
    })))
}
