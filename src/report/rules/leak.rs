//! Goroutines that are started again and again, and never end.

use crate::report::ask::UNKNOWN;
use crate::report::facts::LeftGoroutine;
use crate::report::finding::{Case, Finding, Rule, Threshold, counted, percent};
use crate::store::{StoreError, Value, human_ns};
use std::collections::HashMap;

const GOROUTINES: Threshold = Threshold {
    name: "goroutines",
    at_least: 5.0,
    doc: "goroutines that were started in the trace at one place and wait at one other when it ends",
};
const SPREAD: Threshold = Threshold {
    name: "spread",
    at_least: 0.25,
    doc: "share of the trace between the start of the first and of the last of them: a pool is started at once",
};
const ASLEEP: Threshold = Threshold {
    name: "asleep",
    at_least: 0.9,
    doc: "share of these goroutines in all waits there of goroutines with the same function: where others were woken, these \
          may still be",
};

/// The rule.
pub static RULE: Rule = Rule {
    name: "goroutine-leak",
    title: "Goroutines leak",
    doc: "Code starts goroutines throughout the trace that come to wait at the same place, for a channel, in a select, for a \
          lock or for ever, and none of them is woken. Each keeps its stack and all that it refers to. Waiting for the network \
          or a timer is not counted.",
    cost: "the time the leaked goroutines have waited",
    thresholds: &[GOROUTINES, SPREAD, ASLEEP],
    check,
};

/// What tells a leak from another: function, reason, where they wait.
type Key<'a> = (&'a str, &'a str, String);

/// Groups of goroutines that would be a leak, with where they wait. Also asked by the rule for stuck
/// goroutines, which leaves these out.
pub fn leaks<'a>(case: &Case<'a>) -> Result<Vec<(String, Vec<&'a LeftGoroutine>)>, StoreError> {
    let mut places: HashMap<Option<i64>, String> = HashMap::new();
    let mut groups: HashMap<Key<'a>, Vec<&'a LeftGoroutine>> = HashMap::new();
    for one in case.facts.left.iter().filter(|one| is_leakable(one)) {
        if let std::collections::hash_map::Entry::Vacant(entry) = places.entry(one.stack_id) {
            entry.insert(case.place(one.stack_id)?);
        }
        let place = places[&one.stack_id].clone();
        let name = one.name.as_deref().unwrap_or(UNKNOWN);
        groups.entry((name, &one.reason, place)).or_default().push(one);
    }
    let mut leaks: Vec<_> = groups
        .into_iter()
        .filter(|((name, reason, place), group)| is_leak(case, name, reason, place, group))
        .map(|((_, _, place), group)| (place, group))
        .collect();
    leaks.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
    Ok(leaks)
}

fn is_leakable(one: &LeftGoroutine) -> bool {
    !one.existed_before
        && crate::report::program::is_program(one.name.as_deref())
        && matches!(one.kind.as_str(), "channel" | "select" | "lock" | "forever" | "other")
}

fn is_leak(
    case: &Case<'_>,
    name: &str,
    reason: &str,
    place: &str,
    group: &[&LeftGoroutine],
) -> bool {
    let first = group.iter().map(|one| one.created_ns).min().unwrap_or(0);
    let last = group.iter().map(|one| one.created_ns).max().unwrap_or(0);
    let waits: i64 = case
        .facts
        .places_in("waiting")
        .filter(|row| row.name.as_deref() == Some(name))
        .filter(|row| row.reason.as_deref().unwrap_or("") == reason)
        .filter(|row| row.place.as_deref() == Some(place))
        .map(|row| row.spans)
        .sum();
    GOROUTINES.is_reached(group.len() as f64)
        && SPREAD.is_reached(case.of_duration(last - first))
        && ASLEEP.is_reached(group.len() as f64 / waits.max(1) as f64)
}

fn check(case: &Case<'_>) -> Result<Vec<Finding>, StoreError> {
    leaks(case)?.into_iter().take(3).map(|(place, group)| finding(case, &place, &group)).collect()
}

fn finding(case: &Case<'_>, place: &str, group: &[&LeftGoroutine]) -> Result<Finding, StoreError> {
    let oldest = group.iter().min_by_key(|one| one.since_ns).expect("a group has members");
    let waited_ns: i64 = group.iter().map(|one| one.waited_ns).sum();
    let count = group.len() as i64;
    let name = oldest.name.as_deref().unwrap_or(UNKNOWN);
    let creator = case.place(oldest.create_stack_id)?;
    let started: i64 = case
        .facts
        .creations
        .iter()
        .filter(|creation| creation.name.as_deref() == Some(name))
        .map(|creation| creation.goroutines)
        .sum();
    let rate = count as f64 / (case.duration_ns() as f64 / 1e9);
    Ok(Finding {
        rule: &RULE,
        headline: format!("{} that {creator} starts never end", counted(count, "goroutine")),
        cost_ns: waited_ns,
        meaning: format!(
            "{} but nobody will ever wake them, and their number grows by {rate:.0} a second: the program needs more and \
             more memory.",
            match oldest.reason.as_str() {
                "chan send" => "They want to send to a channel,".to_owned(),
                "chan receive" => "They want to receive from a channel,".to_owned(),
                "select" => "They wait in a select,".to_owned(),
                other => format!("They wait ({other}),"),
            }
        ),
        evidence: vec![
            format!(
                "{} of the {} that began with {name} wait in {place} ({}) when the trace ends; none was ever woken there.",
                count,
                counted(started.max(count), "goroutine"),
                oldest.reason
            ),
            format!(
                "They were started throughout the trace; the oldest, goroutine {}, waits for {} already ({} of the trace).",
                oldest.goid,
                human_ns(oldest.waited_ns),
                percent(case.of_duration(oldest.waited_ns))
            ),
        ],
        numbers: vec![
            ("goroutines", Value::Integer(count)),
            ("started", Value::Integer(started.max(count))),
            ("per_second", Value::Real(rate)),
            ("max_ns", Value::Integer(oldest.waited_ns)),
        ],
        stacks: vec![
            ("waiting".into(), case.stack(oldest.stack_id)?),
            ("started by".into(), case.stack(oldest.create_stack_id)?),
        ],
        commands: vec![case.query("leaked", &[]), case.query("creators", &[])],
    })
}
