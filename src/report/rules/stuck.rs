//! Goroutines that wait for what does not come.

use super::leak;
use crate::report::ask::UNKNOWN;
use crate::report::facts::{LeftGoroutine, is_mutex};
use crate::report::finding::{Case, Finding, Rule, Threshold, counted, percent};
use crate::report::program::is_program;
use crate::store::{StoreError, Value, human_ns};
use std::collections::{BTreeMap, HashSet};

const SHARE: Threshold = Threshold {
    name: "share",
    at_least: 0.5,
    doc: "share of the trace for which they wait already when it ends",
};
const DURATION: Threshold = Threshold {
    name: "waited_ns",
    at_least: 5e6,
    doc: "how long the one waits that waits longest",
};

/// Most places that are reported.
const MAX_FINDINGS: usize = 10;

/// The rule.
pub static RULE: Rule = Rule {
    name: "stuck-goroutines",
    title: "Goroutines are stuck",
    doc: "When the trace ends, goroutines wait where nobody should wait for long, and have done so for most of the trace: for \
          a mutex (a deadlock), to send to a channel, or for ever (a nil channel, an empty select; not the main goroutine's). \
          Receiving from a channel is what idle workers do and is not counted.",
    cost: "the time these goroutines have waited",
    thresholds: &[SHARE, DURATION],
    check,
};

fn check(case: &Case<'_>) -> Result<Vec<Finding>, StoreError> {
    let leaked: HashSet<i64> =
        leak::leaks(case)?.iter().flat_map(|(_, group)| group.iter().map(|one| one.goid)).collect();
    let mut groups: BTreeMap<(&str, String), Vec<&LeftGoroutine>> = BTreeMap::new();
    for one in &case.facts.left {
        let is_long = SHARE.is_reached(case.of_duration(one.waited_ns));
        if !is_long || leaked.contains(&one.goid) || !is_suspect(case, one)? {
            continue;
        }
        groups.entry((&one.reason, case.place(one.stack_id)?)).or_default().push(one);
    }
    let mut findings = Vec::new();
    for ((reason, place), group) in groups {
        let longest = group.iter().max_by_key(|one| one.waited_ns).expect("a group has members");
        if DURATION.is_reached(longest.waited_ns as f64) {
            findings.push(finding(case, reason, &place, &group, longest)?);
        }
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.cost_ns));
    findings.truncate(MAX_FINDINGS);
    Ok(findings)
}

fn is_suspect(case: &Case<'_>, one: &LeftGoroutine) -> Result<bool, StoreError> {
    let is_main = one.name.as_deref() == Some("runtime.main") || one.goid == 1;
    Ok(match one.kind.as_str() {
        _ if !is_program(one.name.as_deref()) => false,
        "forever" => !is_main,
        "channel" => one.reason == "chan send",
        "lock" => is_mutex(&case.stack(one.stack_id)?),
        _ => false,
    })
}

fn finding(
    case: &Case<'_>,
    reason: &str,
    place: &str,
    group: &[&LeftGoroutine],
    longest: &LeftGoroutine,
) -> Result<Finding, StoreError> {
    let count = group.len() as i64;
    let meaning = match reason {
        "forever" => "It waits for a nil channel or in an empty select: nothing can ever wake it.",
        "chan send" => "Nobody receives what is sent to this channel.",
        _ => {
            "The lock is never released: its holder waits itself, perhaps for a lock of the waiter, or has forgotten it."
        }
    };
    let mut stacks = vec![("waiting".to_owned(), case.stack(longest.stack_id)?)];
    let create = case.stack(longest.create_stack_id)?;
    if !create.is_empty() {
        stacks.push(("started by".into(), create));
    }
    let goids: Vec<String> = group.iter().take(5).map(|one| one.goid.to_string()).collect();
    Ok(Finding {
        rule: &RULE,
        headline: format!("{} stuck in {place}", counted(count, "goroutine")),
        cost_ns: group.iter().map(|one| one.waited_ns).sum(),
        meaning: meaning.into(),
        evidence: vec![format!(
            "{} ({}{}) {} for {} ({}), up to {} ({} of the trace).",
            counted(count, "goroutine"),
            goids.join(", "),
            if group.len() > goids.len() { ", ..." } else { "" },
            if count == 1 { "waits" } else { "wait" },
            match reason {
                "forever" => "ever",
                "chan send" => "a receiver",
                _ => "a lock",
            },
            longest.name.as_deref().unwrap_or(UNKNOWN),
            human_ns(longest.waited_ns),
            percent(case.of_duration(longest.waited_ns))
        )],
        numbers: vec![
            ("goroutines", Value::Integer(count)),
            ("max_ns", Value::Integer(longest.waited_ns)),
            ("goid", Value::Integer(longest.goid)),
        ],
        stacks,
        commands: vec![
            case.query("stuck", &["stacks=1"]),
            case.query("goroutine", &[&format!("goid={}", longest.goid)]),
        ],
    })
}
