//! What the report finds: every rule on programs that show it and on programs that do not, the forms it
//! has, and that its documentation is that of the rules.

mod committed;

use committed::run::{Run, Sandbox};
use committed::{Trace, check_all, golden, traces};
use gotrace::report::RULES;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

/// A rule, and a word of the headline.
type Expected = (&'static str, &'static str);

/// What is to be found: traces of a program, and for each finding the rule and a word of its headline.
/// Nothing else may be found in them.
const FOUND: &[(&[&str], &[Expected])] = &[
    (&["go1.22/hotlock", "go1.27/hotlock"], &[("lock-contention", "main.(*table).add")]),
    (&["go1.22/lockeddb", "go1.27/lockeddb"], &[("lock-contention", "main.(*prices).lookup")]),
    (
        &["go1.27/memlimit", "go1.22/gc", "go1.25/gc", "go1.27/gc"],
        &[("frequent-gc", "on for"), ("gc-assists", "has to help")],
    ),
    (&["go1.22/forgotten", "go1.27/forgotten"], &[("goroutine-leak", "main.handle starts")]),
    (&["go1.22/overload", "go1.27/overload"], &[("scheduler-delay", "wait for a proc")]),
    (
        &["go1.22/dispatcher", "go1.27/dispatcher"],
        &[("serialising-goroutine", "main.run.func2"), ("idle-procs", "procs are free")],
    ),
    (&["go1.22/lockedthreads", "go1.27/lockedthreads"], &[("idle-procs", "procs are free")]),
    (&["go1.22/slowcalls", "go1.27/slowcalls"], &[("slow-calls", "main.save")]),
    (&["go1.24/cgo", "go1.25/cgo"], &[("slow-calls", "C code takes long in main._Cfunc_nap")]),
    (&["go1.22/stw", "go1.26/stw", "go1.27/stw"], &[("long-pauses", "write heap dump")]),
    (&["go1.22/churn", "go1.27/churn"], &[("goroutine-churn", "main.run starts")]),
    (
        &["go1.22/leak", "go1.23/leak", "go1.25/leak", "go1.27/leak"],
        &[
            ("stuck-goroutines", "3 goroutines stuck in main.leakSenders.func1"),
            ("stuck-goroutines", "2 goroutines stuck in main.deadlock.func1"),
            ("stuck-goroutines", "main.leakForever.func1"),
            ("stuck-goroutines", "main.leakForever.func2"),
            ("stuck-goroutines", "main.leakForever.func3"),
            ("stuck-goroutines", "1 goroutine stuck in sync.(*Mutex).Lock"),
            ("stuck-goroutines", "1 goroutine stuck in sync.(*RWMutex).Lock"),
        ],
    ),
];

/// Programs in which nothing is wrong, whatever release recorded them.
const HEALTHY: &[&str] = &["steady", "mixed", "http", "annotations", "flightrec", "synctest"];

fn report(trace: &str, arguments: &[&str]) -> Run {
    let sandbox = Sandbox::new();
    sandbox.copy(trace, "app.trace");
    let mut all = vec!["report", "app.trace"];
    all.extend(arguments);
    sandbox.gotrace(&all).expect(0)
}

fn json(run: &Run) -> Json {
    serde_json::from_slice(&run.stdout).unwrap()
}

/// Rule and headline of each finding, in order.
fn findings(report: &Json) -> Vec<(String, String)> {
    let text = |value: &Json| value.as_str().expect("a text").to_owned();
    let found = report["traces"][0]["findings"].as_array().expect("findings are a list");
    found.iter().map(|finding| (text(&finding["rule"]), text(&finding["headline"]))).collect()
}

#[test]
fn every_rule_finds_what_is_planted_and_nothing_else() {
    let planted: Vec<(&str, &[Expected])> = FOUND
        .iter()
        .flat_map(|(traces, expected)| traces.iter().map(move |trace| (*trace, *expected)))
        .collect();
    check_all(
        &planted,
        |(trace, _)| (*trace).into(),
        |(trace, expected)| {
            let report = json(&report(trace, &["-f", "json"]));
            let found = findings(&report);
            let is_right = found.len() == expected.len()
                && expected.iter().all(|(rule, word)| {
                    found.iter().any(|(name, headline)| name == rule && headline.contains(word))
                });
            if !is_right {
                return Err(format!("found {found:#?}"));
            }
            let costs: Vec<i64> = report["traces"][0]["findings"]
                .as_array()
                .unwrap()
                .iter()
                .map(|finding| finding["cost_ns"].as_i64().unwrap())
                .collect();
            let is_sorted = costs.is_sorted_by(|a, b| a >= b) && costs.iter().all(|&ns| ns > 0);
            if is_sorted { Ok(()) } else { Err(format!("costs {costs:?}")) }
        },
    );
}

#[test]
fn every_rule_is_shown_by_two_releases_and_not_by_a_healthy_program() {
    for rule in RULES {
        let shown: BTreeSet<&str> = FOUND
            .iter()
            .filter(|(_, expected)| expected.iter().any(|(name, _)| *name == rule.name))
            .flat_map(|(traces, _)| traces.iter())
            .map(|trace| trace.split_once('/').unwrap().0)
            .collect();
        assert!(shown.len() >= 2, "{}: shown by {shown:?}", rule.name);
    }
    let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), RULES.len(), "a rule is there twice");
}

#[test]
fn nothing_is_found_in_a_healthy_trace() {
    let healthy: Vec<Trace> = traces()
        .into_iter()
        .filter(|trace| HEALTHY.contains(&trace.name.split_once('/').unwrap().1))
        .collect();
    assert!(healthy.len() >= 25, "only {} traces", healthy.len());
    check_all(
        &healthy,
        |trace| trace.name.clone(),
        |trace| {
            let found = findings(&json(&report(&trace.name, &["-f", "json"])));
            if !found.is_empty() {
                return Err(format!("found {found:#?}"));
            }
            let text = report(&trace.name, &[]);
            match text.text().contains("Nothing: none of the") {
                true => Ok(()),
                false => Err("the text does not say that nothing was found".into()),
            }
        },
    );
}

/// Every committed trace can be reported on in every form, damaged ones too, twice with the same bytes.
#[test]
fn every_trace_has_a_report_in_every_form() {
    let all: Vec<Trace> = traces()
        .into_iter()
        .filter(|trace| trace.name.starts_with("go1.27") || trace.name.contains("killed"))
        .collect();
    check_all(
        &all,
        |trace| trace.name.clone(),
        |trace| {
            for form in [&["-f", "text"][..], &["-f", "markdown"], &["-f", "json"], &["--html"]] {
                let once = report(&trace.name, form);
                if once.stdout.len() < 300 || once.stdout != report(&trace.name, form).stdout {
                    return Err(format!("{form:?}: too short, or not the same twice"));
                }
            }
            well_formed(report(&trace.name, &["--html"]).text())
        },
    );
}

/// Whether every element of a page is closed in order and nothing is loaded from elsewhere.
fn well_formed(page: &str) -> Result<(), String> {
    for word in ["http:", "https:", "src=", "<script", "@import", "url(", "<link", "NaN", "inf\""] {
        if page.contains(word) {
            return Err(format!("the page contains {word}"));
        }
    }
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').ok_or("a tag is not closed")?;
        let tag = &rest[..end];
        let name = tag.split(|c: char| c.is_whitespace() || c == '/').find(|word| !word.is_empty());
        let name = name.ok_or("an empty tag")?;
        if tag.starts_with('/') {
            let last = open.pop();
            if last != Some(name) {
                return Err(format!("</{name}> closes {last:?}"));
            }
        } else if !tag.ends_with('/') && !["!DOCTYPE", "!--", "meta"].contains(&name) {
            open.push(name);
        }
        rest = &rest[end + 1..];
    }
    if open.is_empty() { Ok(()) } else { Err(format!("{open:?} are not closed")) }
}

#[test]
fn the_check_of_pages_sees_what_is_wrong() {
    assert!(well_formed("<!DOCTYPE html><a><b/>x</a>").is_ok());
    for page in ["<a><b></a>", "<a>", "<img src=x>", "<a", "a</a>"] {
        assert!(well_formed(page).is_err(), "{page}");
    }
}

// The four planted problems -----------------------------------------------------------------------

#[test]
fn the_cause_of_a_hot_lock_is_the_work_under_it() {
    let run = report("go1.27/hotlock", &[]);
    assert!(run.text().contains("The work that is done under this lock takes the time"));
    assert!(run.text().contains("released by main.(*table).add"));
    assert!(run.text().contains("programs/hotlock/main.go:43"));
}

#[test]
fn the_cause_of_a_lock_around_a_query_is_the_query() {
    for trace in ["go1.22/lockeddb", "go1.27/lockeddb"] {
        let run = report(trace, &["-f", "json"]);
        let finding = &json(&run)["traces"][0]["findings"][0];
        let meaning = finding["meaning"].as_str().unwrap();
        assert!(meaning.contains("waits for the network in main.(*toyStmt).Query"), "{meaning}");
        // The first stack leads from the lock to the database.
        let frames: Vec<&str> = finding["stacks"][0]["frames"]
            .as_array()
            .unwrap()
            .iter()
            .map(|frame| frame.as_str().unwrap())
            .collect();
        for word in ["database/sql.(*DB).QueryRow", "main.(*prices).load", "main.(*prices).lookup"]
        {
            assert!(frames.iter().any(|frame| frame.contains(word)), "{word} in {frames:?}");
        }
    }
}

#[test]
fn the_cause_of_thrashing_is_the_missing_room() {
    for trace in ["go1.22/memlimit", "go1.27/memlimit"] {
        let run = report(trace, &["-f", "json"]);
        let finding = &json(&run)["traces"][0]["findings"][0];
        assert_eq!(finding["rule"], "frequent-gc", "{trace}");
        assert!(finding["meaning"].as_str().unwrap().contains("GOMEMLIMIT"), "{finding}");
        assert!(finding["numbers"]["kept_bytes"].as_i64().unwrap() > 10 << 20, "{finding}");
    }
}

#[test]
fn the_cause_of_a_leak_is_where_they_start_and_where_they_wait() {
    let run = report("go1.27/forgotten", &[]);
    assert!(run.text().contains("They want to send to a channel"));
    assert!(run.text().contains("started by:\n       main.handle  "), "{}", run.text());
}

// Numbers -----------------------------------------------------------------------------------------

/// The answer of a query, one value.
fn number(sandbox: &Sandbox, sql: &str) -> i64 {
    let run = sandbox.gotrace(&["query", "app.trace", sql, "-f", "csv"]).expect(0);
    run.text().lines().nth(1).unwrap().parse().unwrap()
}

#[test]
fn the_numbers_are_those_of_the_database() {
    let sandbox = Sandbox::new();
    for trace in ["go1.27/hotlock", "go1.27/memlimit", "go1.22/leak", "go1.21/mixed"] {
        sandbox.copy(trace, "app.trace");
        let run = sandbox.gotrace(&["report", "app.trace", "-f", "json"]).expect(0);
        let facts = &json(&run)["traces"][0];
        let program = "name not like 'runtime.%' and name not like 'runtime/trace.%'";
        for (what, sql) in [
            ("duration_ns", "select duration_ns from traces".to_owned()),
            ("events", "select events from traces".to_owned()),
        ] {
            assert_eq!(facts[what].as_i64(), Some(number(&sandbox, &sql)), "{trace}: {what}");
        }
        for (what, column) in [
            ("running_ns", "running_ns"),
            ("ready_ns", "runnable_ns"),
            ("syscall_ns", "syscall_ns + syscall_blocked_ns"),
        ] {
            let sql = format!("select sum({column}) from goroutines where {program}");
            let want = number(&sandbox, &sql);
            assert_eq!(facts["program"][what].as_i64(), Some(want), "{trace}: {what}");
        }
        let waiting: i64 = facts["program"]["waiting_ns"]
            .as_object()
            .unwrap()
            .values()
            .map(|ns| ns.as_i64().unwrap())
            .sum();
        let sql = format!("select sum(waiting_ns) from goroutines where {program}");
        assert_eq!(waiting, number(&sandbox, &sql), "{trace}: waiting_ns");
        let marks = number(&sandbox, "select count(*) from gc_cycles");
        assert_eq!(facts["memory"]["gc_cycles"].as_i64(), Some(marks), "{trace}");
    }
    sandbox.copy("go1.27/hotlock", "app.trace");
    let run = sandbox.gotrace(&["report", "app.trace", "-f", "json"]).expect(0);
    let finding = &json(&run)["traces"][0]["findings"][0];
    let locks = sandbox.gotrace(&["query", "app.trace", "locks", "-f", "jsonl"]).expect(0);
    let first: Json = serde_json::from_str(locks.text().lines().next().unwrap()).unwrap();
    assert_eq!(finding["numbers"]["total_ns"], first["total_ns"]);
    assert_eq!(finding["numbers"]["waits"], first["waits"]);
    assert_eq!(finding["cost_ns"], first["total_ns"]);
}

#[test]
fn suggested_commands_run() {
    let sandbox = Sandbox::new();
    let mut names = BTreeSet::new();
    for trace in FOUND.iter().map(|(traces, _)| traces[0]) {
        sandbox.copy(trace, "app.trace");
        let run = sandbox.gotrace(&["report", "app.trace", "-f", "json"]).expect(0);
        for finding in json(&run)["traces"][0]["findings"].as_array().unwrap() {
            let commands = finding["commands"].as_array().unwrap();
            assert!(!commands.is_empty(), "{finding}");
            for command in commands {
                let words: Vec<&str> = command.as_str().unwrap().split(' ').collect();
                if names.insert(words.join(" ")) {
                    let run = sandbox.gotrace(&words[1..]).expect(0);
                    assert!(run.text().lines().count() > 1, "{command} has no answer on {trace}");
                }
            }
        }
    }
    assert!(names.len() > 8, "{names:?}");
}

// The command -------------------------------------------------------------------------------------

#[test]
fn a_report_on_several_traces_has_a_part_for_each_or_for_the_one_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/hotlock", "a.trace");
    sandbox.copy("go1.27/forgotten", "b.trace");
    sandbox.gotrace(&["ingest", "a.trace", "b.trace", "-o", "both.db"]).expect(0);
    let both = json(&sandbox.gotrace(&["report", "both.db", "-f", "json"]).expect(0));
    assert_eq!(both["traces"].as_array().unwrap().len(), 2);
    let one =
        json(&sandbox.gotrace(&["report", "both.db", "-f", "json", "--trace", "2"]).expect(0));
    assert_eq!(one["traces"].as_array().unwrap().len(), 1);
    assert_eq!(one["traces"][0], both["traces"][1]);
    // It is what the report on the trace alone says, and further commands name the trace.
    let alone = json(&report("go1.27/forgotten", &["-f", "json"]));
    for key in ["duration_ns", "program", "functions", "memory"] {
        assert_eq!(one["traces"][0][key], alone["traces"][0][key], "{key}");
    }
    let (found, alone) = (&one["traces"][0]["findings"][0], &alone["traces"][0]["findings"][0]);
    assert_eq!(found["numbers"], alone["numbers"]);
    assert!(
        found["commands"][0].as_str().unwrap().contains("both.db leaked -p trace=2"),
        "{found}"
    );
    sandbox.gotrace(&["report", "both.db", "--trace", "3"]).expect(2).says(&["no trace 3", "1, 2"]);
}

#[test]
fn a_page_is_written_beside_and_overwrites_only_a_page() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/memlimit", "app.trace");
    let arguments = ["report", "app.trace", "--html", "-o", "app.html"];
    assert!(sandbox.gotrace(&arguments).expect(0).stdout.is_empty());
    let page = fs::read_to_string(sandbox.path("app.html")).unwrap();
    well_formed(&page).unwrap();
    for word in ["<svg", "prefers-color-scheme: dark", "main.render", "Heap: live bytes"] {
        assert!(page.contains(word), "{word}");
    }
    sandbox.gotrace(&arguments).expect(0);
    sandbox.write("app.html", "my page");
    sandbox.gotrace(&arguments).expect(1).says(&["app.html", "--force"]);
    assert_eq!(fs::read(sandbox.path("app.html")).unwrap(), b"my page");
    sandbox.gotrace(&["report", "app.trace", "-f", "text", "-o", "app.html", "--force"]).expect(0);
    assert!(fs::read_to_string(sandbox.path("app.html")).unwrap().contains("WHAT IT DID"));
    assert_eq!(sandbox.files(), ["app.html", "app.trace"]);
    sandbox.gotrace(&["report", "app.trace", "--html", "-f", "json"]).expect(2);
    sandbox.gotrace(&["report", "missing.trace"]).expect(1).says(&["missing.trace"]);
}

#[test]
fn what_is_lost_is_told() {
    let run = report("go1.27/killed", &[]);
    assert!(run.text().contains("a part of the trace is missing"), "{}", run.text());
    let run = report("go1.27/killed", &["--html"]);
    assert!(run.text().contains("<div class=\"card damage\">"));
    let run = report("go1.27/mixed", &[]);
    assert!(!run.text().contains("missing"));
}

// docs/report.md ----------------------------------------------------------------------------------

#[test]
fn the_reference_of_the_report_is_current() {
    let mut text = String::from(include_str!("committed/report_head.md"));
    for rule in RULES {
        assert!(rule.doc.ends_with('.') && !rule.cost.ends_with('.'), "{}", rule.name);
        assert!(!rule.thresholds.is_empty(), "{} has no threshold", rule.name);
        writeln!(
            text,
            "\n### {}\n\n{}. {}\n\nCost: {}.\n\n| threshold | at least | |\n|---|---:|---|",
            rule.name, rule.title, rule.doc, rule.cost
        )
        .unwrap();
        for threshold in rule.thresholds {
            writeln!(text, "| {} | {} | {} |", threshold.name, threshold.at_least, threshold.doc)
                .unwrap();
        }
    }
    golden::check("docs/report.md", &text).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn what_came_from_standard_input_is_asked_further_as_it_was_named() {
    let sandbox = Sandbox::new();
    let bytes = fs::read(sandbox.copy("go1.27/boundary", "app.trace")).unwrap();
    let run = sandbox.gotrace_with(&["report", "-"], bytes).expect(0);
    assert!(run.text().contains("\n       gotrace query - stw-culprits\n"), "{}", run.text());
    assert!(!run.text().contains("query 'standard input'"), "{}", run.text());
}
