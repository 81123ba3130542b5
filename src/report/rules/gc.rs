//! The garbage collector runs too often.

use crate::report::finding::{Case, Finding, Rule, Threshold, counted, percent, share};

use crate::store::{StoreError, Value, human_bytes, human_ns};
use std::collections::HashMap;

const CYCLES: Threshold =
    Threshold { name: "cycles", at_least: 3.0, doc: "collections in the trace" };
const MARKING: Threshold = Threshold {
    name: "marking",
    at_least: 0.25,
    doc: "share of the trace in which the collector was marking",
};

const COST: Threshold = Threshold {
    name: "cost",
    at_least: 0.05,
    doc: "share of mark workers and assists in the time of all procs",
};

const DURATION: Threshold = Threshold {
    name: "duration_ns",
    at_least: 5e6,
    doc: "length of the trace: in a shorter one a few collections say nothing",
};

/// The rule.
pub static RULE: Rule = Rule {
    name: "frequent-gc",
    title: "Garbage is collected too often",
    doc: "The collector is on for a large part of the time. Either the program allocates much, or it has little room: \
          `GOGC` is low, or the memory limit (`GOMEMLIMIT`) is close to what the program keeps.",
    cost: "the time of mark workers and of goroutines that had to help",
    thresholds: &[CYCLES, MARKING, COST, DURATION],
    check,
};

fn check(case: &Case<'_>) -> Result<Vec<Finding>, StoreError> {
    let memory = &case.facts.memory;
    let cycles = &memory.cycles;
    let mark_ns: i64 = cycles.iter().map(|cycle| cycle.mark_ns).sum();
    let marking = case.of_duration(mark_ns);
    if !CYCLES.is_reached(cycles.len() as f64) || !MARKING.is_reached(marking) {
        return Ok(Vec::new());
    }
    let seconds = case.duration_ns() as f64 / 1e9;
    let assist_ns: i64 = cycles.iter().map(|cycle| cycle.assist_ns).sum();
    let background_ns: i64 = cycles.iter().map(|cycle| cycle.background_ns).sum();
    let procs_ns = case.facts.procs_ns();
    let cost = share(assist_ns + background_ns, procs_ns);
    if !COST.is_reached(cost) || !DURATION.is_reached(case.duration_ns() as f64) {
        return Ok(Vec::new());
    }
    let rate = memory.allocated_bytes as f64 / seconds;
    let mut evidence = vec![
        format!(
            "{} in {}: the collector was marking {} of the time, and cost {} in mark workers and {} in goroutines that \
             had to help.",
            counted(cycles.len() as i64, "collection"),
            human_ns(case.duration_ns()),
            percent(marking.min(1.0)),
            human_ns(background_ns),
            human_ns(assist_ns)
        ),
        format!(
            "The program allocated about {}, that is {} a second.",
            human_bytes(memory.allocated_bytes as f64),
            human_bytes(rate)
        ),
    ];
    let (kept, room) = kept_and_room(case);
    let is_tight = kept > 0 && room < kept / 2;
    if kept > 0 {
        evidence.push(format!(
            "After marking the heap held {} on average, and grew by {} before the next collection began.",
            human_bytes(kept as f64),
            human_bytes(room as f64)
        ));
    }
    let mut stacks = Vec::new();
    if let Some((place, stack_id, total_ns)) = allocating(case)? {
        evidence.push(format!("Who allocates: {place} ({total_ns})."));
        stacks.push(("allocating".into(), case.stack(stack_id)?));
    }
    Ok(vec![Finding {
        rule: &RULE,
        headline: format!(
            "the garbage collector is on for {} of the time",
            percent(marking.min(1.0))
        ),
        cost_ns: assist_ns + background_ns,
        meaning: if is_tight {
            "The heap has little room to grow beyond what the program keeps, so that the collector starts again as soon \
             as it has ended: a larger GOGC or GOMEMLIMIT, or keeping less, gives it room."
                .into()
        } else {
            "The program makes garbage so fast that the collector hardly stops: allocating less, in the functions \
             below, or a larger GOGC helps."
                .into()
        },
        evidence,
        numbers: vec![
            ("cycles", Value::Integer(cycles.len() as i64)),
            ("mark_share", Value::Real(marking)),
            ("assist_ns", Value::Integer(assist_ns)),
            ("background_ns", Value::Integer(background_ns)),
            ("allocated_bytes", Value::Integer(memory.allocated_bytes)),
            ("kept_bytes", if kept > 0 { Value::Integer(kept) } else { Value::Null }),
            ("cpu_share", Value::Real(share(assist_ns + background_ns, case.facts.procs_ns()))),
        ],
        stacks,
        commands: vec![
            case.query("gc-frequency", &[]),
            case.query("gc", &[]),
            case.query("heap", &[]),
        ],
    }])
}

/// What the heap held after marking, and how much it grew until the next collection: averages, 0
/// where the trace does not tell.
fn kept_and_room(case: &Case<'_>) -> (i64, i64) {
    let memory = &case.facts.memory;
    let mean = |values: &[i64]| values.iter().sum::<i64>() / values.len().max(1) as i64;
    if memory.grown_bytes.is_empty() {
        return (0, 0);
    }
    (mean(&memory.kept_bytes), mean(&memory.grown_bytes))
}

/// Who allocates: where most time went into assists, else where most collections were triggered.
fn allocating(case: &Case<'_>) -> Result<Option<(String, Option<i64>, String)>, StoreError> {
    let memory = &case.facts.memory;
    if let Some(assist) = memory.assists.iter().find(|assist| assist.place.is_some()) {
        let place = assist.place.clone().unwrap_or_default();
        let total_ns: i64 = memory.assists.iter().map(|one| one.total_ns).sum();
        let words = format!("{} of the assists", percent(share(assist.total_ns, total_ns)));
        return Ok(Some((place, assist.stack_id, words)));
    }
    let mut triggers: HashMap<String, (i64, Option<i64>)> = HashMap::new();
    for cycle in memory.cycles.iter().filter(|cycle| cycle.stack_id.is_some()) {
        triggers.entry(case.place(cycle.stack_id)?).or_insert((0, cycle.stack_id)).0 += 1;
    }
    let most = triggers.into_iter().max_by(|a, b| a.1.0.cmp(&b.1.0).then_with(|| b.0.cmp(&a.0)));
    Ok(most.map(|(place, (count, stack_id))| {
        (place, stack_id, format!("it triggered {}", counted(count, "collection")))
    }))
}
