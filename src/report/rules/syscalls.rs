//! System calls and C code that last.

use crate::report::ask::UNKNOWN;
use crate::report::facts::Place;
use crate::report::finding::{Case, Finding, Rule, Threshold, counted, percent, share};
use crate::store::{StoreError, Value, human_ns};

const SHARE: Threshold = Threshold {
    name: "share",
    at_least: 0.25,
    doc: "share of the calls at the place in the time in which the program's goroutines ran, were ready to run or were \
          in calls",
};
const CALLS: Threshold = Threshold {
    name: "goroutines",
    at_least: 0.25,
    doc: "goroutines that were in such a call on average, at any time",
};

/// The rule.
pub static RULE: Rule = Rule {
    name: "slow-calls",
    title: "System calls or C code that last",
    doc: "Goroutines spend their time in system calls or in C code, at one place. Each such call keeps a thread of the \
          system for itself, and its proc until the runtime takes that away. A call that lasts to the end of the \
          trace, and for half of it, is left out: it waits for something to happen.",
    cost: "the time goroutines were in such calls",
    thresholds: &[SHARE, CALLS],
    check,
};

/// The calls at a place.
struct Calls<'a> {
    place: &'a str,
    total_ns: i64,
    blocked_ns: i64,
    calls: i64,
    longest: &'a Place,
}

fn check(case: &Case<'_>) -> Result<Vec<Finding>, StoreError> {
    let mut places: Vec<Calls<'_>> = Vec::new();
    for row in case.facts.places_in("syscall").filter(|row| !is_waiting(case, row)) {
        let is_blocked = row.reason.as_deref() == Some("blocked");
        let place = row.place.as_deref().unwrap_or(UNKNOWN);
        let index = places.iter().position(|calls| calls.place == place).unwrap_or_else(|| {
            places.push(Calls { place, total_ns: 0, blocked_ns: 0, calls: 0, longest: row });
            places.len() - 1
        });
        let calls = &mut places[index];
        calls.total_ns += row.total_ns;
        if is_blocked {
            calls.blocked_ns += row.total_ns;
        } else {
            calls.calls += row.spans;
        }
        if row.max_ns > calls.longest.max_ns {
            calls.longest = row;
        }
    }
    let active_ns = case.facts.program_time().active_ns();
    places.sort_by(|a, b| b.total_ns.cmp(&a.total_ns).then_with(|| a.place.cmp(b.place)));
    let slow = places.iter().filter(|calls| {
        SHARE.is_reached(share(calls.total_ns, active_ns))
            && CALLS.is_reached(case.of_duration(calls.total_ns))
    });
    Ok(slow.take(3).map(|calls| finding(case, calls, active_ns)).collect())
}

/// Whether calls wait for something that did not come: the longest lasts to the end of the trace.
fn is_waiting(case: &Case<'_>, row: &Place) -> bool {
    row.max_is_open && case.of_duration(row.max_ns) >= 0.5
}

fn finding(case: &Case<'_>, calls: &Calls<'_>, active_ns: i64) -> Finding {
    let is_c = is_c_code(&calls.longest.stack);
    let what = if is_c { "C code takes long" } else { "system calls take long" };
    Finding {
        rule: &RULE,
        headline: format!("{what} in {}", calls.place),
        cost_ns: calls.total_ns,
        meaning: if is_c {
            "Goroutines are in C code, each on a thread of its own, where the Go scheduler cannot reach them.".into()
        } else {
            "Goroutines are in system calls that block, each on a thread of its own: the disk, a pipe or the like is \
             slow, or is used in too many small pieces."
                .into()
        },
        evidence: vec![
            format!(
                "{} took {}, {} of the time in which the program's goroutines did something; {:.1} goroutines were in \
                 one on average.",
                counted(calls.calls, "call"),
                human_ns(calls.total_ns),
                percent(share(calls.total_ns, active_ns)),
                case.of_duration(calls.total_ns)
            ),
            format!(
                "For {} of it the goroutine had lost its proc; the longest stretch was {}, of goroutine {}.",
                percent(share(calls.blocked_ns, calls.total_ns)),
                human_ns(calls.longest.max_ns),
                calls.longest.max_goid.unwrap_or(0)
            ),
        ],
        numbers: vec![
            ("calls", Value::Integer(calls.calls)),
            ("total_ns", Value::Integer(calls.total_ns)),
            ("blocked_ns", Value::Integer(calls.blocked_ns)),
            ("max_ns", Value::Integer(calls.longest.max_ns)),
            ("share", Value::Real(share(calls.total_ns, active_ns))),
        ],
        stacks: vec![("calling".into(), calls.longest.stack.clone())],
        commands: vec![case.query("syscalls", &["stacks=1"]), case.query("threads", &[])],
    }
}

/// Whether a call goes into C code: the functions that cgo generates, or the runtime's entry.
fn is_c_code(stack: &str) -> bool {
    stack.lines().take_while(|line| !line.is_empty()).take(6).any(|line| {
        line.contains("._Cfunc_") || line == "runtime.cgocall" || line.contains("_cgo_gotypes.go")
    })
}
