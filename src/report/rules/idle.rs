//! Procs are free although goroutines are ready to run.

use crate::report::finding::{Case, Finding, Rule, Threshold, percent};
use crate::store::{StoreError, Value, human_ns};

const SHARE: Threshold = Threshold {
    name: "share",
    at_least: 0.6,
    doc: "share of the trace in which a goroutine was ready to run and a proc was free; pauses of the whole program \
          left out",
};
const DURATION: Threshold = Threshold {
    name: "duration_ns",
    at_least: 5e6,
    doc: "length of the trace: in a shorter one it is how it began",
};

/// The rule.
pub static RULE: Rule = Rule {
    name: "idle-procs",
    title: "Procs are free while goroutines wait for one",
    doc: "Goroutines are ready to run, procs are free, and yet they do not come together: threads have to be woken \
          first. It happens where goroutines are locked to threads (`runtime.LockOSThread`), where work is handed from \
          one goroutine to the next in tiny pieces, or where the system gives the program fewer processors than \
          GOMAXPROCS says.",
    cost: "for as many goroutines as there were free procs, the time they were ready to run",
    thresholds: &[SHARE, DURATION],
    check,
};

fn check(case: &Case<'_>) -> Result<Vec<Finding>, StoreError> {
    let activity = &case.facts.activity;
    let procs = case.facts.procs() as f64;
    let paused = paused(case);
    let (mut time, mut lost) = (0.0, 0.0);
    for (step, paused) in activity.steps.iter().zip(&paused) {
        if *paused {
            continue;
        }
        let free = (procs - f64::from(step.running) - f64::from(step.syscall)).max(0.0);
        let both = free.min(f64::from(step.ready));
        time += both.min(1.0);
        lost += both;
    }
    let share = time / activity.steps.len().max(1) as f64;
    if !SHARE.is_reached(share) || !DURATION.is_reached(case.duration_ns() as f64) {
        return Ok(Vec::new());
    }
    let cost_ns = (lost * activity.step_ns as f64) as i64;
    let mut delayed: Vec<_> = case.facts.places_in("runnable").collect();
    delayed.sort_by_key(|row| std::cmp::Reverse(row.total_ns));
    let mut evidence = vec![format!(
        "For {} of the time a goroutine was ready to run and a proc was free; that adds up to {}.",
        percent(share),
        human_ns(cost_ns)
    )];
    if let Some(row) = delayed.first() {
        evidence.push(format!(
            "Most delayed: goroutines that began with {}, {} in {} delays, {} on average.",
            row.name.as_deref().unwrap_or("unknown"),
            human_ns(row.total_ns),
            row.spans,
            human_ns(row.total_ns / row.spans.max(1))
        ));
    }
    // For a goroutine that was woken, the stack in the trace is that of its waker.
    let woken = case.facts.places_in("waiting").filter(|row| row.kind.as_deref() != Some("sleep"));
    let most = woken.max_by_key(|row| (row.spans, row.total_ns));
    let mut stacks = Vec::new();
    if let Some(row) = most.filter(|row| !row.stack.is_empty()) {
        stacks.push(("where they wait most often before".into(), row.stack.clone()));
    }
    Ok(vec![Finding {
        rule: &RULE,
        headline: format!("procs are free while goroutines are ready, {} of the time", percent(share)),
        cost_ns,
        meaning: "Not the processors are short but the hand-over to them: each time a thread must be woken before a \
                  goroutine can go on."
            .into(),
        evidence,
        numbers: vec![("share", Value::Real(share)), ("lost_ns", Value::Integer(cost_ns))],
        stacks,
        commands: vec![case.query("proc-idle", &[]), case.query("scheduler-latency", &[])],
    }])
}

/// For each step, whether the world was stopped in it: then nothing can run.
fn paused(case: &Case<'_>) -> Vec<bool> {
    let activity = &case.facts.activity;
    let mut paused = vec![false; activity.steps.len()];
    for pause in &case.facts.memory.pauses {
        let step = |ns: i64| (ns / activity.step_ns.max(1)).clamp(0, paused.len() as i64) as usize;
        let first = step(pause.start_ns);
        let end = step(pause.start_ns.saturating_add(pause.duration_ns)) + 1;
        let end = end.min(paused.len());
        paused[first.min(end)..end].fill(true);
    }
    paused
}
