//! Goroutines have to help the garbage collector.

use crate::report::ask::UNKNOWN;
use crate::report::finding::{Case, Finding, Rule, Threshold, counted, percent, share};
use crate::store::{StoreError, Value, human_ns};

const SHARE: Threshold = Threshold {
    name: "share",
    at_least: 0.1,
    doc: "share of the time in mark assists in the time in which the program's goroutines ran, were ready to run, \
          were in system calls or waited for the collector",
};
const TOTAL: Threshold = Threshold {
    name: "goroutines",
    at_least: 0.05,
    doc: "goroutines that were in a mark assist on average, at any time",
};

/// The rule.
pub static RULE: Rule = Rule {
    name: "gc-assists",
    title: "Goroutines have to help the garbage collector",
    doc: "Who allocates faster than the collector marks must mark a part of the heap before the allocation is granted \
          (a mark assist), or wait until somebody else has done it. Requests get slow in the middle of an allocation.",
    cost: "the time goroutines were in mark assists",
    thresholds: &[SHARE, TOTAL],
    check,
};

fn check(case: &Case<'_>) -> Result<Vec<Finding>, StoreError> {
    let assists = &case.facts.memory.assists;
    let total_ns: i64 = assists.iter().map(|assist| assist.total_ns).sum();
    let time = case.facts.program_time();
    let gc_ns = time.waiting.get("gc").copied().unwrap_or(0);
    let assist_share = share(total_ns, time.active_ns() + gc_ns);
    if !SHARE.is_reached(assist_share) || !TOTAL.is_reached(case.of_duration(total_ns)) {
        return Ok(Vec::new());
    }
    let Some(most) = assists.first() else { return Ok(Vec::new()) };
    let place = most.place.as_deref().unwrap_or(UNKNOWN);
    let count: i64 = assists.iter().map(|assist| assist.assists).sum();
    let others: Vec<String> = assists
        .iter()
        .take(3)
        .map(|assist| {
            let place = assist.place.as_deref().unwrap_or(UNKNOWN);
            format!("{place} ({})", percent(share(assist.total_ns, total_ns)))
        })
        .collect();
    Ok(vec![Finding {
        rule: &RULE,
        headline: format!("allocating in {place} has to help the garbage collector"),
        cost_ns: total_ns,
        meaning: "These functions allocate faster than the collector can mark, and pay for it with their own time."
            .into(),
        evidence: vec![
            format!(
                "{} took {}: {} of the time in which the program's goroutines wanted to work.",
                counted(count, "assist"),
                human_ns(total_ns),
                percent(assist_share.min(1.0))
            ),
            format!("Where: {}.", others.join(", ")),
        ],
        numbers: vec![
            ("assists", Value::Integer(count)),
            ("total_ns", Value::Integer(total_ns)),
            ("share", Value::Real(assist_share)),
        ],
        stacks: vec![("allocating".into(), case.stack(most.stack_id)?)],
        commands: vec![case.query("gc-assists", &[]), case.query("heap", &[])],
    }])
}
