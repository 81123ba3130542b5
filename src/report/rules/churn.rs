//! Goroutines are started for next to nothing.

use crate::report::ask::UNKNOWN;
use crate::report::finding::{Case, Finding, Rule, Threshold, grouped, percent};
use crate::report::program::is_program;
use crate::store::{StoreError, Value, human_ns};

const GOROUTINES: Threshold = Threshold {
    name: "goroutines",
    at_least: 1000.0,
    doc: "goroutines started at the place with the same function",
};
const RATE: Threshold =
    Threshold { name: "per_second", at_least: 10_000.0, doc: "how many of them a second" };
/// Starting and ending a goroutine takes a microsecond or so, being scheduled several.
const MAX_MEAN_RUN_NS: i64 = 20_000;
const SHORT: Threshold = Threshold {
    name: "short",
    at_least: 1.0,
    doc: "1 if they ran less than 20µs each, on average",
};

/// The rule.
pub static RULE: Rule = Rule {
    name: "goroutine-churn",
    title: "Goroutines are started for next to nothing",
    doc: "Very many goroutines are started that run for microseconds: starting, scheduling and ending them costs as much as what \
          they do.",
    cost: "the time these goroutines were ready to run, and ran",
    thresholds: &[GOROUTINES, RATE, SHORT],
    check,
};

fn check(case: &Case<'_>) -> Result<Vec<Finding>, StoreError> {
    let seconds = case.duration_ns() as f64 / 1e9;
    let mut findings = Vec::new();
    for creation in case.facts.creations.iter().filter(|one| is_program(one.name.as_deref())) {
        let count = creation.goroutines;
        let rate = count as f64 / seconds;
        let mean_run_ns = creation.running_ns / count.max(1);
        let is_short = f64::from(u8::from(mean_run_ns < MAX_MEAN_RUN_NS));
        if !GOROUTINES.is_reached(count as f64)
            || !RATE.is_reached(rate)
            || !SHORT.is_reached(is_short)
        {
            continue;
        }
        let place = case.place(creation.stack_id)?;
        let busy_ns = creation.running_ns + creation.ready_ns;
        findings.push(Finding {
            rule: &RULE,
            headline: format!("{place} starts {} goroutines a second that hardly run", grouped(rate as i64)),
            cost_ns: busy_ns,
            meaning: "A goroutine for each small piece of work costs more than the work: let few goroutines do many \
                      pieces each."
                .into(),
            evidence: vec![format!(
                "{} goroutines that begin with {} ran for {} on average, after {} of waiting for a proc; running was {} of what \
                 they did.",
                grouped(count),
                creation.name.as_deref().unwrap_or(UNKNOWN),
                human_ns(mean_run_ns),
                human_ns(creation.ready_ns / count.max(1)),
                percent(creation.running_ns as f64 / creation.total_ns.max(1) as f64)
            )],
            numbers: vec![
                ("goroutines", Value::Integer(count)),
                ("per_second", Value::Real(rate)),
                ("mean_run_ns", Value::Integer(mean_run_ns)),
                ("mean_ready_ns", Value::Integer(creation.ready_ns / count.max(1))),
            ],
            stacks: vec![("starting them".into(), case.stack(creation.stack_id)?)],
            commands: vec![case.query("short-lived", &[]), case.query("creators", &[])],
        });
        if findings.len() == 3 {
            break;
        }
    }
    Ok(findings)
}
