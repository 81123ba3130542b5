//! One goroutine on which the others wait.

use crate::report::finding::{Case, Finding, Rule, Threshold, counted, percent, share};
use crate::store::{StoreError, Value, human_ns};
use std::collections::{HashMap, HashSet};

const BUSY: Threshold = Threshold {
    name: "busy",
    at_least: 0.75,
    doc: "share of the trace in which the goroutine ran, was ready to run or was in a system call",
};
const WAITERS: Threshold =
    Threshold { name: "waiters", at_least: 3.0, doc: "other goroutines whose waits it ended" };
const WAITING: Threshold = Threshold {
    name: "waiting",
    at_least: 1.0,
    doc: "goroutines that waited for it on average, at any time",
};
const FREE: Threshold = Threshold {
    name: "free",
    at_least: 0.4,
    doc: "share of the procs' time that was not used for running goroutines",
};

/// The rule.
pub static RULE: Rule = Rule {
    name: "serialising-goroutine",
    title: "One goroutine serialises the rest",
    doc: "One goroutine is busy nearly all the time, others wait for what it sends them or for room to send to it, and \
          procs are free: the program is as fast as that goroutine, whatever the number of procs. Waits for channels, \
          in selects and for mutexes that it ended are counted; waiting for a group to be done is not.",
    cost: "the time others waited for the goroutine",
    thresholds: &[BUSY, WAITERS, WAITING, FREE],
    check,
};

fn check(case: &Case<'_>) -> Result<Vec<Finding>, StoreError> {
    let facts = case.facts;
    let procs_ns = facts.procs_ns();
    let free = 1.0 - share(facts.functions.iter().map(|one| one.time.running_ns).sum(), procs_ns);
    if !FREE.is_reached(free) {
        return Ok(Vec::new());
    }
    // Who waits for the end of all work waits for its last worker, however many there are.
    let at_end: HashSet<Option<i64>> = facts
        .places_in("waiting")
        .filter(|row| row.kind.as_deref() == Some("sync"))
        .map(|row| row.stack_id)
        .collect();
    let mut findings = Vec::new();
    for busy in &facts.busiest {
        let busy_share = case.of_duration(busy.busy_ns);
        if !BUSY.is_reached(busy_share) {
            continue;
        }
        let waits = || {
            let ended = facts.waits.all.iter().filter(|wait| wait.woken_by == Some(busy.id));
            ended.filter(|wait| !at_end.contains(&wait.stack_id))
        };
        let waiters: HashSet<i64> = waits().map(|wait| wait.goroutine_id).collect();
        let total_ns: i64 = waits().map(|wait| wait.end_ns - wait.start_ns).sum();
        if !WAITERS.is_reached(waiters.len() as f64)
            || !WAITING.is_reached(case.of_duration(total_ns))
        {
            continue;
        }
        let (where_it_wakes, waker_stack) =
            most(waits().map(|wait| (wait.woken_stack_id, wait.end_ns - wait.start_ns)));
        let (_, waiting_stack) =
            most(waits().map(|wait| (wait.stack_id, wait.end_ns - wait.start_ns)));
        let waiting_place = case.place(waiting_stack)?;
        let name = busy.name.as_deref().unwrap_or("unknown");
        let waiting = case.of_duration(total_ns);
        findings.push(Finding {
            rule: &RULE,
            headline: format!("goroutine {} ({name}) serialises the rest", busy.goid),
            cost_ns: total_ns,
            meaning: format!(
                "All the others need comes out of one goroutine, one piece after the other: only a faster {} or more \
                 of its kind make the program faster.",
                case.place(waker_stack)?
            ),
            evidence: vec![
                format!(
                    "It was busy {} of the time (it ran {}), while {} of the procs' time was free.",
                    percent(busy_share.min(1.0)),
                    percent(case.of_duration(busy.running_ns)),
                    percent(free)
                ),
                format!(
                    "{} waited {} for it, {waiting:.1} at any time on average, most of it in {waiting_place}.",
                    counted(waiters.len() as i64, "other goroutine"),
                    human_ns(total_ns),
                ),
                format!("{} of these waits it ended in {}.", percent(where_it_wakes), case.place(waker_stack)?),
            ],
            numbers: vec![
                ("goid", Value::Integer(busy.goid)),
                ("busy_ns", Value::Integer(busy.busy_ns)),
                ("running_ns", Value::Integer(busy.running_ns)),
                ("waiters", Value::Integer(waiters.len() as i64)),
                ("waiting_ns", Value::Integer(total_ns)),
                ("free_share", Value::Real(free)),
            ],
            stacks: vec![
                ("where it lets the others go on".into(), case.stack(waker_stack)?),
                ("where they wait".into(), case.stack(waiting_stack)?),
            ],
            commands: vec![
                case.query("goroutine", &[&format!("goid={}", busy.goid)]),
                case.query("blocking", &[]),
            ],
        });
    }
    Ok(findings)
}

/// The stack with the largest sum, and the share it has in all.
fn most(parts: impl Iterator<Item = (Option<i64>, i64)>) -> (f64, Option<i64>) {
    let mut sums: HashMap<Option<i64>, i64> = HashMap::new();
    let mut total = 0;
    for (stack_id, ns) in parts {
        *sums.entry(stack_id).or_default() += ns;
        total += ns;
    }
    let most = sums.into_iter().max_by_key(|&(stack_id, ns)| (ns, std::cmp::Reverse(stack_id)));
    most.map_or((0.0, None), |(stack_id, ns)| (share(ns, total), stack_id))
}
