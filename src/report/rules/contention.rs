//! Goroutines wait for each other's locks.

use crate::report::facts::Place;
use crate::report::finding::{Case, Finding, Rule, Threshold, counted, percent, share};
use crate::report::waits::{self, Doing, Meanwhile, State, Wait};
use crate::store::{StoreError, Value, human_ns};
use std::collections::{HashMap, HashSet};

const WAITERS: Threshold = Threshold {
    name: "waiters",
    at_least: 0.05,
    doc: "goroutines that wait for the lock on average, at any time",
};
const SHARE: Threshold = Threshold {
    name: "share",
    at_least: 0.1,
    doc: "share of the waiting for the lock in the time in which the program's goroutines ran, were ready \
          to run, were in system calls or waited for it",
};

/// Most waits that are looked at for what the holder of the lock did.
const MAX_HOLDS: usize = 200;
/// Most goroutines whose states are read for that.
const MAX_HOLDERS: usize = 12;
/// Most locks that are reported.
const MAX_LOCKS: usize = 3;

/// The rule.
pub static RULE: Rule = Rule {
    name: "lock-contention",
    title: "Lock contention",
    doc: "Goroutines wait for a `sync.Mutex` or `sync.RWMutex` that others hold. The report tells who released the \
          lock and what the holders did meanwhile: work (then the work belongs outside of the lock), or waiting for \
          something else, such as a database (then the lock should not be kept over that). Waiting in a `WaitGroup`, \
          `Cond` or `Once` is not counted: it is what those are for.",
    cost: "the time goroutines waited for the lock",
    thresholds: &[WAITERS, SHARE],
    check,
};

/// The waits for one lock, as far as places tell locks apart.
struct Lock<'a> {
    place: &'a str,
    /// The longest first.
    rows: Vec<&'a Place>,
    total_ns: i64,
}

fn check(case: &Case<'_>) -> Result<Vec<Finding>, StoreError> {
    let mut locks: Vec<Lock<'_>> = Vec::new();
    for row in case.facts.places_in("waiting").filter(|row| row.kind.as_deref() == Some("lock")) {
        let place = row.place.as_deref().unwrap_or("");
        match locks.iter_mut().find(|lock| lock.place == place) {
            Some(lock) => {
                lock.rows.push(row);
                lock.total_ns += row.total_ns;
            }
            None => locks.push(Lock { place, rows: vec![row], total_ns: row.total_ns }),
        }
    }
    locks.sort_by_key(|lock| std::cmp::Reverse(lock.total_ns));
    let active_ns = case.facts.program_time().active_ns();
    locks
        .iter()
        .filter(|lock| WAITERS.is_reached(case.of_duration(lock.total_ns)))
        .filter(|lock| SHARE.is_reached(share(lock.total_ns, active_ns + lock.total_ns)))
        // A single wait that never ends is no contention; another rule finds it.
        .filter(|lock| lock.rows.iter().map(|row| row.spans).sum::<i64>() > 1)
        .filter(|lock| lock.rows.iter().any(|row| row.max_goid.is_some()))
        .take(MAX_LOCKS)
        .map(|lock| finding(case, lock, active_ns))
        .filter_map(Result::transpose)
        .collect()
}

fn finding(
    case: &Case<'_>,
    lock: &Lock<'_>,
    active_ns: i64,
) -> Result<Option<Finding>, StoreError> {
    let stacks: HashSet<Option<i64>> = lock.rows.iter().map(|row| row.stack_id).collect();
    let mut waits: Vec<&Wait> =
        case.facts.waits.all.iter().filter(|wait| stacks.contains(&wait.stack_id)).collect();
    let ended = waits.iter().filter(|wait| wait.woken_by.is_some()).count();
    if !waits.is_empty() && ended == 0 {
        // All of them wait still: a deadlock, not contention.
        return Ok(None);
    }
    let longest = lock.rows.iter().max_by_key(|row| row.max_ns).expect("a lock has rows");
    let times: i64 = lock.rows.iter().map(|row| row.spans).sum();
    let waiters = case.of_duration(lock.total_ns);
    let mut evidence = vec![format!(
        "{} lost {} in {}: {waiters:.1} goroutines stood there on average; {} a wait, {} the longest.",
        if lock.rows.len() == 1 && times == 1 { "A goroutine" } else { "Goroutines" },
        human_ns(lock.total_ns),
        counted(times, "wait"),
        human_ns(lock.total_ns / times.max(1)),
        human_ns(longest.max_ns),
    )];
    let mut stacks = vec![(String::from("waiting"), longest.stack.clone())];
    let released = released_by(case, &waits)?;
    if let Some((place, stack_id, count)) = &released {
        evidence.push(format!(
            "It was released by {place} ({count} of {} that were looked at).",
            counted(ended as i64, "wait")
        ));
        stacks.push(("releasing the lock".into(), case.stack(*stack_id)?));
    }
    waits.sort_by_key(|wait| (wait.start_ns - wait.end_ns, wait.start_ns));
    let holds = holds(case, &waits)?;
    let meaning = explain(case, &holds, &mut evidence, &mut stacks)?;
    Ok(Some(Finding {
        rule: &RULE,
        headline: format!("lock contention in {}", lock.place),
        cost_ns: lock.total_ns,
        meaning,
        evidence,
        numbers: vec![
            ("total_ns", Value::Integer(lock.total_ns)),
            ("waits", Value::Integer(times)),
            ("max_ns", Value::Integer(longest.max_ns)),
            ("waiters", Value::Real(waiters)),
            ("share", Value::Real(share(lock.total_ns, active_ns + lock.total_ns))),
            ("mean_hold_ns", holds.mean_ns().map_or(Value::Null, Value::Integer)),
        ],
        stacks,
        commands: vec![case.query("lock-contention", &[]), case.query("locks", &["stacks=1"])],
    }))
}

/// The place that ended most of the waits: its name, a stack of it, how many it ended.
fn released_by(
    case: &Case<'_>,
    waits: &[&Wait],
) -> Result<Option<(String, Option<i64>, i64)>, StoreError> {
    let mut counts: HashMap<Option<i64>, i64> = HashMap::new();
    for wait in waits.iter().filter(|wait| wait.woken_by.is_some()) {
        *counts.entry(wait.woken_stack_id).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(stack_id, count)| (std::cmp::Reverse(count), stack_id));
    let mut places: Vec<(String, Option<i64>, i64)> = Vec::new();
    for (stack_id, count) in counts.into_iter().take(50) {
        let place = case.place(stack_id)?;
        match places.iter_mut().find(|(known, _, _)| *known == place) {
            Some(known) => known.2 += count,
            None => places.push((place, stack_id, count)),
        }
    }
    Ok(places.into_iter().max_by_key(|place| place.2))
}

/// What holders did while others waited.
#[derive(Default)]
struct Holds {
    meanwhile: Meanwhile,
    count: i64,
}

impl Holds {
    fn mean_ns(&self) -> Option<i64> {
        (self.count > 0).then(|| self.meanwhile.total_ns / self.count)
    }
}

/// Adds up what the goroutines that ended the longest waits did before. If one waited for the same
/// lock itself, it holds it since that ended; else it is taken to have held it all the while.
fn holds(case: &Case<'_>, waits: &[&Wait]) -> Result<Holds, StoreError> {
    let mut holds = Holds::default();
    // Of each holder: what it did, and when its own waits for this lock ended.
    let mut holders: HashMap<i64, (Vec<State>, Vec<i64>)> = HashMap::new();
    for wait in waits.iter().take(MAX_HOLDS) {
        let Some(holder) = wait.woken_by else { continue };
        if !holders.contains_key(&holder) {
            if holders.len() >= MAX_HOLDERS {
                continue;
            }
            let own = waits.iter().filter(|own| own.goroutine_id == holder);
            let mut ends: Vec<i64> = own.map(|own| own.end_ns).collect();
            ends.sort_unstable();
            holders.insert(holder, (waits::states(case.database, holder)?, ends));
        }
        let (states, ends) = &holders[&holder];
        let before = ends.partition_point(|&end_ns| end_ns <= wait.end_ns);
        let acquired_ns = before.checked_sub(1).map(|index| ends[index]);
        let start_ns = acquired_ns.map_or(wait.start_ns, |ns| ns.max(wait.start_ns));
        if start_ns < wait.end_ns {
            holds.meanwhile.add(states, start_ns, wait.end_ns);
            holds.count += 1;
        }
    }
    Ok(holds)
}

/// Says what the holders did, and what that means.
fn explain(
    case: &Case<'_>,
    holds: &Holds,
    evidence: &mut Vec<String>,
    stacks: &mut Vec<(String, String)>,
) -> Result<String, StoreError> {
    let shares = holds.meanwhile.shares();
    let Some((doing, most_ns, stack_id)) = shares.first() else {
        return Ok("Goroutines stand in line for one lock: what is done under it is done by one at a time.".into());
    };
    let mut words = Vec::new();
    for (doing, ns, _) in shares.iter().take(3) {
        let share = share(*ns, holds.meanwhile.total_ns);
        if words.is_empty() || share >= 0.05 {
            words.push(format!("{} {} of the time", doing.words(), percent(share)));
        }
    }
    let (last, first) = words.split_last().expect("there is a share");
    let list =
        if first.is_empty() { last.clone() } else { format!("{} and {last}", first.join(", ")) };
    evidence.push(format!(
        "While others waited, its holder {list}; it kept the lock for {} on average.",
        human_ns(holds.mean_ns().unwrap_or(0))
    ));
    if share(*most_ns, holds.meanwhile.total_ns) < 0.5 {
        return Ok("Goroutines stand in line for one lock: what is done under it is done by one at a time.".into());
    }
    Ok(match doing {
        Doing::Running => "The work that is done under this lock takes the time: whatever the number of procs, one \
                           goroutine at a time does it."
            .into(),
        Doing::Ready => "The holder of the lock itself has to wait for a proc, and all who need the lock wait with \
                         it."
            .into(),
        Doing::Syscall | Doing::Waiting(_) => {
            let place = case.place(*stack_id)?;
            stacks.insert(0, (format!("where the holder {}", doing.words()), case.stack(*stack_id)?));
            format!(
                "The lock is kept while its holder {} in {place}: one slow answer stops all who need the lock.",
                wait_words(doing)
            )
        }
    })
}

fn wait_words(doing: &Doing) -> &'static str {
    match doing {
        Doing::Syscall => "is in a system call",
        Doing::Waiting(kind) => match kind.as_str() {
            "network" => "waits for the network",
            "lock" => "waits for another lock",
            "channel" => "waits for a channel",
            "select" => "waits in a select",
            "sleep" => "sleeps",
            "gc" => "helps the garbage collector",
            _ => "waits",
        },
        _ => "works",
    }
}
