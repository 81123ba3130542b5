//! `gotrace info`: Go's footprint, the documented JSON, and the same numbers as a database.

mod committed;

use committed::run::Sandbox;
use committed::{Trace, root, traces};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

/// Traces of which Go gives no footprint, what it says, and a row that gotrace has: its raw reader does
/// not know the AllocFree events before 1.26, and a cut in the middle of a number is the end of it.
const REFUSED_BY_GO: [(&str, &str, &str); 4] = [
    ("go1.23/allocfree", "invalid event type: 128", "\nHeapObject  "),
    ("go1.24/allocfree", "invalid event type: 128", "\nHeapObject  "),
    ("go1.25/allocfree", "invalid event type: 128", "\nHeapObject  "),
    ("go1.22/killed", "unexpected EOF", "\nGoUnblock  "),
];

fn v2_traces() -> Vec<Trace> {
    traces().into_iter().filter(|trace| !trace.is_v1()).collect()
}

fn json(sandbox: &Sandbox, source: &str) -> Value {
    let run = sandbox.gotrace(&["info", "-f", "json", source]).expect(0);
    serde_json::from_str(run.text()).unwrap()
}

#[test]
fn the_footprint_is_that_of_go() {
    let sandbox = Sandbox::new();
    let mut compared = 0;
    for trace in v2_traces() {
        let run =
            sandbox.gotrace(&["info", "-f", "footprint", trace.path.to_str().unwrap()]).expect(0);
        let want = trace.expected("footprint").unwrap();
        if let Some(error) = want.strip_prefix("# error: ") {
            let found = REFUSED_BY_GO.iter().find(|refused| refused.0 == trace.name);
            let (_, refusal, row) = found.unwrap_or_else(|| panic!("{}: {error}", trace.name));
            assert!(error.starts_with(refusal), "{}: {error}", trace.name);
            assert!(run.text().contains(row), "{}", trace.name);
            continue;
        }
        assert!(run.text() == want, "{}", trace.name);
        compared += 1;
    }
    assert!(compared > 60, "{compared}");
}

/// The keys of a section of `docs/info-json.md`.
fn documented(section: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("docs/info-json.md")).unwrap();
    let (_, section) = text.split_once(section).unwrap();
    let table = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let cells = table
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').nth(1).unwrap().to_owned());
    cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2).map(String::from).collect::<Vec<_>>())
        .collect()
}

/// The keys that the sentence beginning with `start` lists.
fn documented_in(start: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("docs/info-json.md")).unwrap();
    let (_, sentence) = text.split_once(start).unwrap();
    let sentence = sentence.split("\n\n").next().unwrap();
    // What stands in brackets explains.
    let mut depth = 0;
    let plain: String = sentence
        .chars()
        .filter(|c| {
            depth += i32::from(*c == '(');
            let is_plain = depth == 0;
            depth -= i32::from(*c == ')');
            is_plain
        })
        .collect();
    let list = plain.split(';').next().unwrap().split(". ").next().unwrap();
    list.split('`').skip(1).step_by(2).map(String::from).collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn json_has_the_documented_keys_and_the_numbers_of_the_database() {
    let sandbox = Sandbox::new();
    for name in [
        "go1.19/gc",
        "go1.21/killed",
        "go1.22/generations",
        "go1.24/stw",
        "go1.26/cgo",
        "go1.27/killed",
        "go1.27/boundary",
    ] {
        sandbox.copy(name, "app.trace");
        let info = json(&sandbox, "app.trace");
        assert_eq!(keys(&info), documented("## Of a trace"), "{name}");
        for (array, start) in [
            ("generations", "A generation: "),
            ("wire_events", "A wire event: "),
            ("diagnostics", "A diagnostic: "),
        ] {
            for row in info[array].as_array().into_iter().flatten() {
                assert_eq!(keys(row), documented_in(start), "{name}");
            }
        }

        sandbox.gotrace(&["ingest", "app.trace", "--force"]).expect(0);
        let ask = |sql: &str| -> Vec<Value> {
            let run = sandbox.gotrace(&["query", "app.db", "-f", "json", sql]).expect(0);
            serde_json::from_str(run.text()).unwrap()
        };
        let database = json(&sandbox, "app.db");
        assert_eq!(keys(&database), documented("## Of a database"));
        assert_eq!(database["traces"].as_array().unwrap(), &ask("select * from traces"));
        let mut same = 0;
        for (key, value) in database["traces"][0].as_object().unwrap() {
            if key != "generations" && info.get(key).is_some() {
                assert_eq!(&info[key], value, "{name}: {key}");
                same += 1;
            }
        }
        assert!(same >= 12, "{same}");
        compare_rows(&info["generations"], &ask("select * from generations order by start_ns"), 6);
        compare_rows(&info["diagnostics"], &ask("select * from diagnostics order by id"), 8);
        for (key, table) in
            [("procs", "procs"), ("threads", "threads"), ("goroutines", "goroutines")]
        {
            let count = &ask(&format!("select count(*) as n from {table}"))[0]["n"];
            assert_eq!(&info[key], count, "{name}: {key}");
        }
        let sum = |key: &str| -> u64 {
            info["generations"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row[key].as_u64().unwrap())
                .sum()
        };
        assert_eq!(info["events"].as_u64().unwrap(), sum("events"));
        assert_eq!(info["strings"].as_u64().unwrap(), sum("strings"));
        assert_eq!(info["duration_ns"].as_u64().unwrap(), sum("duration_ns"));
        assert_eq!(info["wire_events"].is_null(), Trace::new(name).is_v1(), "{name}");
        if Trace::new(name).is_v1() {
            continue;
        }
        let of_event = |event: &str| {
            let rows = info["wire_events"].as_array().unwrap();
            rows.iter()
                .find(|row| row["event"] == event)
                .map_or(0, |row| row["count"].as_u64().unwrap())
        };
        assert_eq!(of_event("String"), sum("strings"), "{name}");
        assert_eq!(of_event("Stack"), sum("stacks"), "{name}");
        assert_eq!(
            of_event("EventBatch") + of_event("ExperimentalBatch"),
            sum("batches"),
            "{name}"
        );
    }
}

/// Compares the keys that both have, of which there must be so many. Booleans are 0 and 1 in SQL.
fn compare_rows(info: &Value, rows: &[Value], want: usize) {
    let info = info.as_array().unwrap();
    assert_eq!(info.len(), rows.len());
    for (info, row) in info.iter().zip(rows) {
        let mut same = 0;
        for (key, value) in row.as_object().unwrap() {
            let Some(got) = info.get(key) else { continue };
            match got.as_bool() {
                Some(got) => assert_eq!(u64::from(got), value.as_u64().unwrap(), "{key}"),
                None => assert_eq!(got, value, "{key}"),
            }
            same += 1;
        }
        assert!(same >= want, "{same} of {row}");
    }
}

#[test]
fn the_page_tells_the_main_facts() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "app.trace");
    let page = sandbox.gotrace(&["info", "app.trace"]).expect(0);
    assert_eq!(page.stderr, "");
    for fact in [
        "format      go 1.26, written by Go 1.26 or 1.27",
        "GOMAXPROCS  4",
        "events      2716",
        "started     2026-11-23T22:54:23.856723522Z",
        "\nGenerations\nnumber",
        "\nEvents in the file\nevent",
        "\nGoSyscallBegin ",
        "\nNothing was found wrong.",
    ] {
        assert!(page.text().contains(fact), "no {fact:?} in:\n{}", page.text());
    }
    sandbox.gotrace(&["ingest", "app.trace"]).expect(0);
    let page = sandbox.gotrace(&["info", "app.db"]).expect(0);
    for fact in ["app.trace", "go 1.26", "2716", "2026-11-23T22:54:23.856723522Z"] {
        assert!(page.text().contains(fact), "no {fact:?} in:\n{}", page.text());
    }
    sandbox.gotrace(&["info", "app.db", "-f", "footprint"]).expect(2).says(&["database"]);
}

#[test]
fn damage_is_shown_worst_first_and_strict_refuses_it() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/killed", "app.trace");
    let page = sandbox.gotrace(&["info", "app.trace"]).expect(0);
    let (_, diagnostics) = page.text().split_once("\nDiagnostics\n").unwrap();
    assert!(diagnostics.starts_with("loss: truncated-batch: byte "), "{diagnostics}");
    assert!(diagnostics.contains("more missing-stack; -f json has them"), "{diagnostics}");
    sandbox.gotrace(&["info", "app.trace", "--strict"]).expect(1).says(&["app.trace", "--strict"]);
}

#[test]
fn packed_sources_and_standard_input_are_the_same_trace() {
    let sandbox = Sandbox::new();
    let bytes = Trace::new("go1.27/gc").bytes();
    sandbox.write("plain", &bytes);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, &bytes).unwrap();
    let packed = encoder.finish().unwrap();
    sandbox.write("packed", &packed);
    let plain = json(&sandbox, "plain");
    let mut unpacked = json(&sandbox, "packed");
    assert_eq!(unpacked["packing"], "gzip");
    assert_eq!(unpacked["packed_bytes"], packed.len());
    assert_eq!((&plain["packing"], &plain["packed_bytes"]), (&"none".into(), &bytes.len().into()));
    for key in ["packing", "packed_bytes", "source"] {
        unpacked[key] = plain[key].clone();
    }
    assert_eq!(plain, unpacked);
    let run = sandbox.gotrace_with(&["info", "-f", "json", "-"], packed).expect(0);
    let piped: Value = serde_json::from_str(run.text()).unwrap();
    assert_eq!(
        (&piped["source"], &piped["packed_bytes"]),
        (&"standard input".into(), &Value::Null)
    );
    assert_eq!(piped["wire_events"], plain["wire_events"]);
}
