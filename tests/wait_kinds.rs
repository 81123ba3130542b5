//! Each inferred kind of waiting is found in a program that shows it, recorded under two Go releases,
//! and in none of those that do not.

mod committed;

use committed::run::Sandbox;
use gotrace::model::wait_kinds::{ACTIVITY_RULES, COLLECTOR_LOCKS, WAIT_RULES};
use std::collections::BTreeSet;

/// Kinds, the releases and programs that show each, and a program that does not.
const SHOWN: &[(&str, &[&str], &str)] = &[
    ("once", &["go1.22/waits", "go1.27/waits", "go1.27/sync"], "go1.27/leak"),
    ("sync.Map", &["go1.22/waits", "go1.27/waits"], "go1.27/sync"),
    ("sync.Pool", &["go1.22/collectors", "go1.27/collectors"], "go1.27/sync"),
    ("waitgroup", &["go1.21/sync", "go1.27/sync"], "go1.27/stw"),
    ("cond", &["go1.21/sync", "go1.27/sync"], "go1.27/timers"),
    ("rwmutex read", &["go1.21/sync", "go1.27/sync"], "go1.27/leak"),
    ("rwmutex write", &["go1.21/sync", "go1.27/sync"], "go1.27/timers"),
    ("mutex", &["go1.21/sync", "go1.27/sync"], "go1.27/timers"),
    ("gc start", &["go1.22/collectors", "go1.27/collectors"], "go1.27/sync"),
    ("gc mark done", &["go1.26/gc", "go1.27/gc"], "go1.27/sync"),
    ("dns", &["go1.22/waits", "go1.27/waits"], "go1.27/http"),
    ("tls handshake", &["go1.22/waits", "go1.27/waits"], "go1.27/http"),
    ("accept", &["go1.21/http", "go1.27/http"], "go1.27/sync"),
    ("dial", &["go1.22/http", "go1.27/http"], "go1.27/sync"),
    ("read", &["go1.21/http", "go1.27/http"], "go1.27/sync"),
    ("write", &["go1.22/waits", "go1.27/waits"], "go1.27/sync"),
    ("close", &["go1.21/http", "go1.27/http"], "go1.27/sync"),
    ("channel send", &["go1.21/sync", "go1.27/sync"], "go1.27/http"),
    ("channel receive", &["go1.21/sync", "go1.27/sync"], "go1.21/churn"),
    ("select", &["go1.21/sync", "go1.27/sync"], "go1.22/churn"),
    ("timer", &["go1.21/sync", "go1.27/timers"], "go1.22/churn"),
    ("gc assist", &["go1.26/gc", "go1.27/gc"], "go1.27/sync"),
    ("forever", &["go1.22/leak", "go1.27/leak"], "go1.27/sync"),
];

/// The same for activities.
const ACTIVE: &[(&str, &[&str], &str)] = &[
    ("http server", &["go1.21/http", "go1.27/http"], "go1.27/waits"),
    ("http client", &["go1.21/http", "go1.27/http"], "go1.27/waits"),
    ("database/sql", &["go1.22/waits", "go1.27/waits"], "go1.27/http"),
];

/// The values of a column of the waits of a trace.
fn found(trace: &str, column: &str) -> BTreeSet<String> {
    let sandbox = Sandbox::new();
    sandbox.copy(trace, "app.trace");
    let sql = format!("select distinct {column} from waits where {column} is not null");
    let run = sandbox.gotrace(&["query", "app.trace", &sql, "-f", "csv"]).expect(0);
    run.text().lines().skip(1).map(String::from).collect()
}

fn check(column: &str, cases: &[(&str, &[&str], &str)]) {
    let mut problems = Vec::new();
    for (kind, shown, not_shown) in cases {
        assert!(shown.len() >= 2, "{kind}");
        for trace in *shown {
            if !found(trace, column).contains(*kind) {
                problems.push(format!("{trace} has no {kind}: {:?}", found(trace, column)));
            }
        }
        if found(not_shown, column).contains(*kind) {
            problems.push(format!("{not_shown} has {kind}"));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn each_kind_is_found_where_it_is_and_nowhere_else() {
    check("wait_kind", SHOWN);
    let covered: BTreeSet<&str> = SHOWN.iter().map(|case| case.0).collect();
    for rule in WAIT_RULES {
        assert!(covered.contains(rule.kind), "no program shows {}", rule.kind);
    }
}

#[test]
fn each_activity_is_found_where_it_is_and_nowhere_else() {
    check("activity", ACTIVE);
    assert_eq!(ACTIVE.len(), ACTIVITY_RULES.len());
}

#[test]
fn a_mutex_wanted_inside_a_once_is_a_mutex() {
    for trace in ["go1.22/waits", "go1.27/waits"] {
        let sandbox = Sandbox::new();
        sandbox.copy(trace, "app.trace");
        let sql = "select distinct wait_kind from waits
                   where stack_match(stack_id, 'sync.(*Once).Do ** main.lockAndUnlock')";
        let run = sandbox.gotrace(&["query", "app.trace", sql, "-f", "csv"]).expect(0);
        assert_eq!(run.text().lines().skip(1).collect::<Vec<_>>(), ["mutex"], "{trace}");
    }
}

#[test]
fn the_locks_of_the_collector_are_the_same_ones_everywhere() {
    let mut places = 0;
    for folder in ["schema", "queries", "src/report"] {
        for entry in std::fs::read_dir(committed::root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            for (at, _) in text.match_indices("'gc start'") {
                let list = &text[at..at + text[at..].find(')').unwrap()];
                let found: Vec<&str> =
                    list.split(", ").map(|kind| kind.trim_matches('\'')).collect();
                assert_eq!(found, COLLECTOR_LOCKS, "{}", path.display());
                places += 1;
            }
        }
    }
    assert!(places >= 5, "{places}");
    let of_rules = WAIT_RULES.iter().map(|rule| rule.kind).filter(|kind| kind.starts_with("gc "));
    assert!(of_rules.eq(COLLECTOR_LOCKS));
}

#[test]
fn locks_of_the_collector_are_no_locks_of_the_timeline() {
    for trace in ["go1.22/collectors", "go1.27/collectors"] {
        let sandbox = Sandbox::new();
        sandbox.copy(trace, "app.trace");
        sandbox.gotrace(&["ingest", "app.trace", "-o", "app.db"]).expect(0);
        let ask = |sql: &str| {
            let run = sandbox.gotrace(&["query", "app.db", sql, "-f", "csv"]).expect(0);
            run.text().lines().nth(1).unwrap().to_owned()
        };
        let of_waits = "select sum(duration_ns) filter (where kind = 'lock'), sum(duration_ns) filter (where kind = 'gc'),
            sum(duration_ns) filter (where wait_kind in ('gc start', 'gc mark done')) > 0 from waits";
        let of_buckets = "select sum(total_ns) filter (where r.kind = 'lock' and not is_collector),
            sum(total_ns) filter (where r.kind = 'gc' or is_collector), sum(total_ns) filter (where is_collector) > 0
            from state_buckets(7) b join reasons r on r.id = b.reason_id where state = 'waiting'";
        assert_eq!(ask(of_waits), ask(of_buckets), "{trace}");
        assert!(ask(of_waits).ends_with(",1"), "{trace}");
    }
}
