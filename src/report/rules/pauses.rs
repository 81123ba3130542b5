//! The whole program is stopped for long.

use crate::report::finding::{Case, Finding, Rule, Threshold, counted, percent};
use crate::report::memory::Pause;
use crate::store::{StoreError, Value, human_ns};

/// A pause counts if one of a kind is as long as this, or if all of the kind take this share of the time.
const LONGEST: Threshold = Threshold {
    name: "longest_ns",
    at_least: 10e6,
    doc: "the longest pause of a kind, or else 5% of the trace for all of the kind together",
};
const SHARE: f64 = 0.05;
const TOTAL: Threshold =
    Threshold { name: "total_ns", at_least: 1e6, doc: "all pauses of a kind together" };

/// The rule.
pub static RULE: Rule = Rule {
    name: "long-pauses",
    title: "The whole program is stopped for long",
    doc: "The runtime stops all goroutines: for the beginning and the end of a garbage collection, and because the program \
          asks for it (a heap dump, `runtime.ReadMemStats`, a goroutine profile, changing GOMAXPROCS). A collection's pause \
          is long if a goroutine takes long to stop.",
    cost: "the length of the pauses, for each proc",
    thresholds: &[LONGEST, TOTAL],
    check,
};

fn check(case: &Case<'_>) -> Result<Vec<Finding>, StoreError> {
    let pauses = &case.facts.memory.pauses;
    let mut kinds: Vec<&str> = pauses.iter().map(|pause| pause.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut findings = Vec::new();
    for kind in kinds {
        let of_kind: Vec<&Pause> = pauses.iter().filter(|pause| pause.kind == kind).collect();
        let total_ns: i64 = of_kind.iter().map(|pause| pause.duration_ns).sum();
        let longest =
            of_kind.iter().max_by_key(|pause| pause.duration_ns).expect("a kind has a pause");
        let is_long =
            LONGEST.is_reached(longest.duration_ns as f64) || case.of_duration(total_ns) >= SHARE;
        if !is_long || !TOTAL.is_reached(total_ns as f64) {
            continue;
        }
        let place = case.place(longest.stack_id)?;
        findings.push(Finding {
            rule: &RULE,
            headline: format!("the program was stopped for {}: {kind}", human_ns(longest.duration_ns)),
            cost_ns: total_ns.saturating_mul(case.facts.procs()),
            meaning: if kind.starts_with("GC ") {
                "Nothing runs while the collector begins or ends a collection; that takes long when goroutines are slow \
                 to stop, or the system gives the program too few processors."
                    .into()
            } else {
                format!("Nothing runs meanwhile, and it is the program that asked for it, in {place}.")
            },
            evidence: vec![
                format!(
                    "{}, {} in all ({} of the trace), the longest {}, {} after the start.",
                    counted(of_kind.len() as i64, "pause"),
                    human_ns(total_ns),
                    percent(case.of_duration(total_ns)),
                    human_ns(longest.duration_ns),
                    human_ns(longest.start_ns)
                ),
                format!("The longest was asked for in {place}."),
            ],
            numbers: vec![
                ("pauses", Value::Integer(of_kind.len() as i64)),
                ("total_ns", Value::Integer(total_ns)),
                ("max_ns", Value::Integer(longest.duration_ns)),
                ("max_at_ns", Value::Integer(longest.start_ns)),
            ],
            stacks: vec![("asking for the longest pause".into(), case.stack(longest.stack_id)?)],
            commands: vec![case.query("stw-culprits", &[]), case.query("stw", &[])],
        });
    }
    Ok(findings)
}
