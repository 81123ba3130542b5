//! More goroutines are ready to run than there are procs.

use crate::report::finding::{Case, Finding, Rule, Threshold, percent, share};
use crate::store::{StoreError, Value, human_ns};

const BUSY: Threshold = Threshold {
    name: "busy",
    at_least: 0.75,
    doc: "share of the procs' time in which goroutines ran",
};
const READY: Threshold = Threshold {
    name: "ready",
    at_least: 0.5,
    doc: "goroutines that were ready to run on average, for each proc",
};

/// The rule.
pub static RULE: Rule = Rule {
    name: "scheduler-delay",
    title: "Scheduler delay",
    doc: "The procs are busy, and goroutines that are ready have to wait for one. Whatever must react quickly comes \
          too late.",
    cost: "the time the program's goroutines were ready to run but did not",
    thresholds: &[BUSY, READY],
    check,
};

fn check(case: &Case<'_>) -> Result<Vec<Finding>, StoreError> {
    let facts = case.facts;
    let procs = facts.procs();
    let running_ns: i64 = facts.functions.iter().map(|one| one.time.running_ns).sum();
    let busy = share(running_ns, facts.procs_ns());
    let ready_ns = facts.program_time().ready_ns;
    let ready = case.of_duration(ready_ns);
    if !BUSY.is_reached(busy) || !READY.is_reached(ready / procs as f64) {
        return Ok(Vec::new());
    }
    let mut evidence = vec![format!(
        "{} procs were busy {} of the time, and {ready:.1} goroutines more were ready to run on average.",
        procs,
        percent(busy.min(1.0)),
    )];
    let hogs: Vec<String> = facts
        .functions
        .iter()
        .take(3)
        .filter(|one| share(one.time.running_ns, running_ns) >= 0.05)
        .map(|one| {
            let name = one.name.as_deref().unwrap_or("unknown");
            format!("{name} ({})", percent(share(one.time.running_ns, running_ns)))
        })
        .collect();
    evidence.push(format!("What ran: goroutines that began with {}.", hogs.join(", ")));
    let mut spans = 0;
    let longest =
        facts.places_in("runnable").inspect(|row| spans += row.spans).max_by_key(|row| row.max_ns);
    let mut stacks = Vec::new();
    if let Some(longest) = longest {
        evidence.push(format!(
            "The longest delay was {}, of goroutine {} ({}), {} after the start.",
            human_ns(longest.max_ns),
            longest.max_goid.unwrap_or(0),
            longest.name.as_deref().unwrap_or("unknown"),
            human_ns(longest.max_start_ns),
        ));
        if !longest.stack.is_empty() {
            stacks.push((
                "where the goroutine with the longest delay was stopped".into(),
                longest.stack.clone(),
            ));
        }
    }
    // Those that ran little and were delayed much are the ones that suffer.
    let victim = facts
        .program()
        .filter(|one| {
            one.time.ready_ns > one.time.running_ns.saturating_mul(10) && one.time.waiting_ns() > 0
        })
        .max_by_key(|one| one.time.ready_ns);
    if let Some(victim) = victim {
        evidence.push(format!(
            "{} ran for {} and was delayed for {}.",
            victim.name.as_deref().unwrap_or("unknown"),
            human_ns(victim.time.running_ns),
            human_ns(victim.time.ready_ns)
        ));
    }
    Ok(vec![Finding {
        rule: &RULE,
        headline: format!("goroutines wait for a proc, {ready:.1} of them at any time"),
        cost_ns: ready_ns,
        meaning: "There is more to compute than the procs can do: everything, also what takes no time itself, is late \
                  by the time it waits in line."
            .into(),
        evidence,
        numbers: vec![
            ("ready_ns", Value::Integer(ready_ns)),
            ("ready_goroutines", Value::Real(ready)),
            ("busy_share", Value::Real(busy)),
            ("max_ns", longest.map_or(Value::Null, |row| Value::Integer(row.max_ns))),
        ],
        stacks,
        commands: vec![case.query("scheduler-delays", &[]), case.query("scheduler-latency", &[])],
    }])
}
