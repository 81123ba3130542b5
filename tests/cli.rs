//! The contract of the command line, on the real binary.

mod committed;

use committed::run::{Run, Sandbox, finish};
use committed::{Trace, event_text, invariants, violations};
use gotrace::store::{RELATIONS, canned_queries};
use rusqlite::Connection;
use serde_json::Value as Json;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A sandbox with a small trace in it, and its database.
fn with_database() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "app.trace");
    sandbox.gotrace(&["ingest", "app.trace"]).expect(0);
    sandbox
}

fn open(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

// ingest ----------------------------------------------------------------------------------------

#[test]
fn ingest_writes_a_database_beside_the_source_and_names_it() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("deep")).unwrap();
    sandbox.copy("go1.27/mixed", "deep/app.out");
    let run = sandbox.gotrace(&["ingest", "deep/app.out"]).expect(0);
    assert!(run.text().starts_with("deep/app.db: deep/app.out: "), "{}", run.text());
    assert_eq!(run.text().lines().count(), 1);
    assert!(run.stderr.contains("loaded ") && run.stderr.contains(" MB/s"), "{}", run.stderr);
    assert_eq!(sandbox.files(), ["deep"]);
    let database = open(&sandbox.path("deep/app.db"));
    assert_eq!(number(&database, "select count(*) from traces"), 1);
    assert_eq!(number(&database, "pragma application_id"), 0x676f_7472);
    assert!(number(&database, "pragma user_version") > 0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode =
            |name: &str| fs::metadata(sandbox.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("deep/app.db"), mode("deep/app.out"), "as readable as any other file");
    }
}

/// As databases were before the comments on their columns stood in the statements of views.
#[test]
fn views_without_comments_are_the_same_views() {
    let sandbox = with_database();
    let database = open(&sandbox.path("app.db"));
    for view in RELATIONS.iter().filter(|relation| !relation.is_table) {
        let lines = view.sql.lines().filter(|line| !line.starts_with("-- "));
        let bare: Vec<&str> = lines.collect();
        let sql = format!("drop view {};\n{}", view.name, bare.join("\n"));
        database.execute_batch(&sql).unwrap();
    }
    let sql =
        "select count(*) from sqlite_schema where type = 'view' and sql like '%-- trace_id: %'";
    assert_eq!(number(&database, sql), 0);
    drop(database);
    sandbox.gotrace(&["query", "app.db", "goroutines"]).expect(0);
}

#[test]
fn the_ending_of_a_packed_trace_is_not_part_of_the_name() {
    let sandbox = Sandbox::new();
    let bytes = Trace::new("go1.27/leak").bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&bytes).unwrap();
    sandbox.write("a.trace.gz", gzip.finish().unwrap());
    sandbox.write("b.out.zst", zstd::stream::encode_all(&bytes[..], 1).unwrap());
    // What a file is, its bytes tell, not its name.
    sandbox.write("c.gz", &bytes);
    for (source, target) in [("a.trace.gz", "a.db"), ("b.out.zst", "b.db"), ("c.gz", "c.db")] {
        sandbox.gotrace(&["ingest", source]).expect(0);
        let database = open(&sandbox.path(target));
        assert_eq!(number(&database, "select size_bytes from traces"), bytes.len() as i64);
    }
}

#[test]
fn a_file_of_somebody_else_is_only_overwritten_by_force() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/leak", "app.trace");
    for foreign in [&b"my notes"[..], b"", b"SQLite format 3\0 but not by gotrace"] {
        sandbox.write("app.db", foreign);
        sandbox.gotrace(&["ingest", "app.trace"]).expect(1).says(&["app.db: ", "--force"]);
        assert_eq!(fs::read(sandbox.path("app.db")).unwrap(), foreign);
        assert_eq!(sandbox.files(), ["app.db", "app.trace"]);
    }
    let other = sandbox.path("other.db");
    open(&other).execute_batch("create table mine (a)").unwrap();
    sandbox.gotrace(&["ingest", "app.trace", "-o", "other.db"]).expect(1).says(&["--force"]);
    assert_eq!(number(&open(&other), "select count(*) from mine"), 0);
    sandbox.gotrace(&["ingest", "app.trace", "--force"]).expect(0);
    // One that gotrace made is replaced without asking by the same once more.
    sandbox.gotrace(&["ingest", "app.trace"]).expect(0);
    assert_eq!(number(&open(&sandbox.path("app.db")), "select count(*) from traces"), 1);
}

#[test]
fn ingest_without_a_name_for_its_output_is_used_wrongly() {
    let sandbox = Sandbox::new();
    let trace = Trace::new("go1.27/leak").bytes();
    sandbox.gotrace_with(&["ingest", "-"], trace.clone()).expect(2).says(&["-o"]);
    sandbox.write("app.db", &trace);
    sandbox.gotrace(&["ingest", "app.db"]).expect(2).says(&["-o"]);
    sandbox.gotrace(&["ingest"]).expect(2);
    assert_eq!(fs::read(sandbox.path("app.db")).unwrap(), trace);
    assert_eq!(sandbox.files(), ["app.db"]);
    fs::create_dir(sandbox.path("folder")).unwrap();
    sandbox
        .gotrace(&["ingest", "app.db", "-o", "folder"])
        .expect(1)
        .says(&["folder: is a directory"]);
    sandbox.gotrace(&["ingest", "app.db", "-o", "missing/x.db"]).expect(1).says(&["missing"]);
    assert_eq!(sandbox.files(), ["app.db", "folder"]);
}

#[test]
fn several_sources_go_into_one_database_and_a_bad_one_does_not_stop_the_others() {
    let sandbox = Sandbox::new();
    for (index, trace) in
        ["go1.22/gc", "go1.25/cgo", "go1.27/killed", "go1.27/gc"].iter().enumerate()
    {
        sandbox.copy(trace, &format!("{index}.trace"));
    }
    sandbox.write("bad.trace", "nothing of use");
    let sources = ["0.trace", "1.trace", "bad.trace", "missing.trace", "2.trace", "3.trace"];
    let run = sandbox.gotrace(&[&["ingest", "-o", "all.db"], &sources[..]].concat()).expect(0);
    let run = run.says(&["bad.trace: ", "missing.trace: no such file", "2.trace: byte "]);
    assert_eq!(run.text().lines().count(), 4);
    assert_eq!(run.text().matches(", incomplete").count(), 1);
    let database = open(&sandbox.path("all.db"));
    let sources: String = database
        .query_row(
            "select group_concat(source, ' ') from (select source from traces order by id)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(sources, "0.trace 1.trace 2.trace 3.trace");
    assert_eq!(violations(&database, &invariants()), [""; 0]);
    // Each trace has the rows it has alone.
    for (index, name) in ["0.trace", "1.trace", "2.trace", "3.trace"].iter().enumerate() {
        sandbox.gotrace(&["ingest", name, "-o", "one.db", "--force"]).expect(0);
        let one = open(&sandbox.path("one.db"));
        for table in [
            "goroutines",
            "ranges",
            "gc_cycles",
            "threads",
            "procs",
            "tasks",
            "cpu_samples",
            "diagnostics",
        ] {
            let own = format!("select count(*) from {table} where trace_id = {}", index + 1);
            let alone = number(&one, &format!("select count(*) from {table}"));
            assert_eq!(number(&database, &own), alone, "{name}: {table}");
        }
        let sums = "select sum(total_ns), sum(running_ns) from goroutines where trace_id";
        let pair = |connection: &Connection, sql: &str| -> (i64, i64) {
            connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
        };
        assert_eq!(
            pair(&database, &format!("{sums} = {}", index + 1)),
            pair(&one, &format!("{sums} is not null"))
        );
    }
    sandbox.gotrace(&["ingest", "bad.trace", "missing.trace", "-o", "none.db"]).expect(1);
    assert!(!sandbox.path("none.db").exists());
}

// Bad input -------------------------------------------------------------------------------------

/// Every command that reads a trace, with what must be in the message.
fn refused(sandbox: &Sandbox, source: &str, words: &[&str]) {
    let before = sandbox.files();
    for command in [
        &["ingest", source, "-o", "out.db"][..],
        &["query", source, "goroutines"],
        &["query", source, "select 1 from traces", "-f", "json"],
        &["events", source],
    ] {
        let run = sandbox.gotrace(command).expect(1).says(words).says(&["gotrace: ", source]);
        assert!(run.stdout.is_empty(), "{command:?}: {}", run.text());
        assert_eq!(run.stderr.lines().count(), 1, "{command:?}: {}", run.stderr);
        assert_eq!(sandbox.files(), before, "{command:?}");
        assert!(sandbox.left_behind().is_empty(), "{command:?}: {:?}", sandbox.left_behind());
    }
}

#[test]
fn what_is_no_trace_is_refused_with_a_reason_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    refused(&sandbox, "missing.trace", &["no such file"]);
    fs::create_dir(sandbox.path("folder")).unwrap();
    refused(&sandbox, "folder", &["directory"]);
    let trace = Trace::new("go1.27/leak").bytes();
    for (name, bytes, word) in [
        ("empty", &b""[..], "empty"),
        ("text", b"hello\n", "not a Go execution trace"),
        ("page.html", b"<html>", "HTML"),
        ("object.json", b"{}", "JSON"),
        ("binary", b"\x7fELF\x02\x01\x01", "ELF"),
        ("zeros", &[0; 4096], "not a Go execution trace"),
        ("newer", b"go 1.31 trace\0\0\0\x01\x01", "newer"),
        ("older", b"go 1.9 trace\0\0\0\0", "not supported"),
        ("odd", b"go 1.24 trace\0\0\0", "unknown trace version"),
        ("cut-header", b"go 1.26 trace\0", "header"),
        ("bad-header", b"go 1.26 trace\0\0\x07", "header"),
        ("short", &trace[..3], "not a Go execution trace"),
        ("bad.gz", b"\x1f\x8b\x08\0garbage", "gz"),
    ] {
        sandbox.write(name, bytes);
        refused(&sandbox, name, &[word]);
    }
}

#[test]
fn a_foreign_or_newer_database_is_refused() {
    let sandbox = with_database();
    open(&sandbox.path("foreign.db")).execute_batch("create table mine (a)").unwrap();
    let run = sandbox.gotrace(&["query", "foreign.db", "select 1 from traces"]).expect(1);
    run.says(&["foreign.db", "not one that gotrace made"]);
    open(&sandbox.path("app.db")).execute_batch("pragma user_version = 99").unwrap();
    let run = sandbox.gotrace(&["query", "app.db", "goroutines"]).expect(1);
    run.says(&["app.db", "schema version 99", "ingest the trace again"]);
    let mut damaged = fs::read(sandbox.path("app.db")).unwrap();
    let half = damaged.len() / 2;
    damaged.truncate(half);
    sandbox.write("half.db", damaged);
    let run = sandbox.gotrace(&["query", "half.db", "select count(*) from goroutine_states"]);
    assert_ne!(run.status, 0);
}

#[test]
fn a_trace_cut_anywhere_gives_what_is_left_or_an_error() {
    let sandbox = Sandbox::new();
    let bytes = Trace::new("go1.27/leak").bytes();
    let whole = number_of_events(&sandbox, &bytes).unwrap();
    let mut kept_before = 0;
    for step in 0..=40 {
        let len = bytes.len() * step / 40;
        let kept = number_of_events(&sandbox, &bytes[..len]);
        assert_eq!(kept.is_none(), len < 16, "cut at byte {len}");
        kept_before = kept.unwrap_or(0).max(kept_before);
    }
    assert_eq!(kept_before, whole);
}

/// Events that `ingest` keeps; `None` if it fails, which it must do cleanly.
fn number_of_events(sandbox: &Sandbox, bytes: &[u8]) -> Option<i64> {
    sandbox.write("cut.trace", bytes);
    let run = sandbox.gotrace(&["ingest", "cut.trace"]);
    if run.status != 0 {
        let run = run.expect(1);
        assert!(run.stderr.starts_with("gotrace: cut.trace: byte "), "{}", run.stderr);
        assert_eq!(sandbox.files(), ["cut.trace"]);
        return None;
    }
    let database = open(&sandbox.path("cut.db"));
    let (events, lost) = database
        .query_row("select events, (select count(*) from diagnostics where severity <> 'info') from traces", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
        .unwrap();
    if lost > 0 {
        assert!(run.stderr.contains(": cut.trace: "), "{}", run.stderr);
    }
    drop(database);
    fs::remove_file(sandbox.path("cut.db")).unwrap();
    Some(events)
}

#[test]
fn a_partial_load_is_a_warning_unless_strict() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/killed", "app.trace");
    let run = sandbox.gotrace(&["ingest", "app.trace"]).expect(0);
    assert!(run.text().contains(", incomplete"), "{}", run.text());
    assert!(run.stderr.contains("gotrace: loss: app.trace: byte "), "{}", run.stderr);
    assert!(run.stderr.contains(": generation 2: thread "), "{}", run.stderr);
    let run = sandbox.gotrace(&["query", "app.db", "diagnostics", "-f", "json"]).expect(0);
    assert!(run.text().contains("\"truncated-batch\""), "{}", run.text());
    let all = sandbox.gotrace(&["events", "app.trace"]).expect(0);
    assert!(all.stdout.len() > 1_000_000);
    fs::remove_file(sandbox.path("app.db")).unwrap();
    for command in [
        &["ingest", "app.trace", "--strict"][..],
        &["ingest", "app.trace", "--strict", "-o", "x.db"],
        &["query", "app.trace", "goroutines", "--strict"],
        &["events", "app.trace", "--strict"],
    ] {
        sandbox.gotrace(command).expect(1).says(&["--strict", "lost"]);
        assert_eq!(sandbox.files(), ["app.trace"]);
    }
    // Strict refuses only what was lost.
    let mut bytes = Trace::new("go1.27/leak").bytes();
    assert_eq!(bytes.pop(), Some(52), "the end mark of a generation");
    sandbox.write("odd.trace", bytes);
    sandbox
        .gotrace(&["ingest", "odd.trace", "--strict"])
        .expect(0)
        .says(&["gotrace: warning: odd.trace: "]);
}

// Streams ---------------------------------------------------------------------------------------

#[test]
fn standard_input_is_read_like_a_file() {
    let sandbox = with_database();
    let bytes = Trace::new("go1.27/mixed").bytes();
    sandbox.gotrace_with(&["ingest", "-", "-o", "in.db"], bytes.clone()).expect(0);
    let count = "select count(*), sum(duration_ns), max(id) from goroutine_states";
    let ask = |arguments: &[&str], stdin: Vec<u8>| {
        sandbox.gotrace_with(arguments, stdin).expect(0).stdout
    };
    let want = ask(&["query", "app.db", count], Vec::new());
    assert_eq!(ask(&["query", "in.db", count], Vec::new()), want);
    assert_eq!(ask(&["query", "-", count], bytes.clone()), want);
    let packed = zstd::stream::encode_all(&bytes[..], 1).unwrap();
    assert_eq!(ask(&["query", "-", count], packed), want);
    assert_eq!(ask(&["events", "-"], bytes.clone()), event_text(&bytes).unwrap().0);
    sandbox.gotrace_with(&["events", "-"], Vec::new()).expect(1).says(&["standard input", "empty"]);
}

#[test]
fn standard_output_carries_nothing_but_data() {
    let sandbox = Sandbox::new();
    let path = sandbox.copy("go1.27/killed", "app.trace");
    let text = event_text(&fs::read(path).unwrap()).unwrap().0;
    let run = sandbox.gotrace(&["events", "app.trace"]).expect(0).says(&["loss"]);
    assert_eq!(run.stdout, text);
    let run = sandbox
        .gotrace(&["query", "app.trace", "select 1 as a", "-f", "csv"])
        .expect(0)
        .says(&["loss"]);
    assert_eq!(run.text(), "a\n1\n");
    // No colours and no progress bar where no terminal is.
    assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
    let help = sandbox.gotrace(&["--help"]).expect(0);
    assert!(help.text().contains("ingest") && help.stderr.is_empty());
    let version = sandbox.gotrace(&["--version"]).expect(0);
    assert_eq!(version.text(), concat!("gotrace ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let sandbox = with_database();
    sandbox.copy("go1.27/boundary", "large.trace");
    let many = "select * from raw_goroutine_states a, raw_goroutine_states b";
    for command in [
        &["events", "large.trace"][..],
        &["query", "app.db", many],
        &["query", "app.db", many, "-f", "json"],
        &["query", "app.db", many, "-f", "tsv"],
        &["queries"],
    ] {
        let mut child = sandbox.command(command).spawn().unwrap();
        let mut first = [0; 10];
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut first).unwrap();
        drop(stdout);
        let run = finish(child, Vec::new()).expect(0);
        assert_eq!(run.stderr, "", "{command:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    let sandbox = with_database();
    for command in [
        &["events", "app.trace"][..],
        &["query", "app.db", "goroutines"],
        &["query", "app.db", "goroutines", "-f", "table"],
        &["query", "app.db", "goroutines", "-f", "json"],
        &["queries"],
        &["ingest", "app.trace"],
    ] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let child = sandbox.command(command).stdout(Stdio::from(full)).spawn().unwrap();
        finish(child, Vec::new()).expect(1).says(&["gotrace: "]);
    }
}

// query -----------------------------------------------------------------------------------------

/// A row of every kind of value, and of text that formats must take care of.
const ODD: &str = "select 1 as n, null as absent, -9223372036854775808 as small, 0.1 + 0.2 as real,
      '' as empty, 'a,b;\"c\"' as quotes, 'tab' || char(9) || 'line' || char(10) || 'cr' || char(13) as space,
      'back\\slash \\n | pipe <b> <br> & ''q''' as signs, 'été 世界 😀' as letters, x'00ff' as bytes
    union all select 2, 'x', 9223372036854775807, -2.5, ' ', '\\|', '\\\\', '', 'null', null";

/// What the cells are in formats without types.
fn odd_cells() -> Vec<Vec<String>> {
    let rows = [
        [
            "1",
            "",
            "-9223372036854775808",
            "0.30000000000000004",
            "",
            "a,b;\"c\"",
            "tab\tline\ncr\r",
            "back\\slash \\n | pipe <b> <br> & 'q'",
            "été 世界 😀",
            "00ff",
        ],
        ["2", "x", "9223372036854775807", "-2.5", " ", "\\|", "\\\\", "", "null", ""],
    ];
    let mut rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| cell.to_string()).collect()).collect();
    rows.insert(0, ODD_NAMES.iter().map(|name| name.to_string()).collect());
    rows
}

const ODD_NAMES: [&str; 10] =
    ["n", "absent", "small", "real", "empty", "quotes", "space", "signs", "letters", "bytes"];

#[track_caller]
fn assert_cells(got: Vec<Vec<String>>) {
    assert_eq!(got, odd_cells());
}

/// Runs a query in a format.
fn ask(sandbox: &Sandbox, sql: &str, format: &str) -> Run {
    sandbox.gotrace(&["query", "app.db", sql, "-f", format]).expect(0)
}

#[test]
fn csv_parses_back() {
    let sandbox = with_database();
    for run in [ask(&sandbox, ODD, "csv"), sandbox.gotrace(&["query", "app.db", ODD]).expect(0)] {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&run.stdout[..]);
        let rows = reader.records().map(|row| row.unwrap().iter().map(String::from).collect());
        assert_cells(rows.collect());
    }
}

#[test]
fn tsv_parses_back() {
    let sandbox = with_database();
    let unescape = |cell: &str| {
        let mut text = String::new();
        let mut signs = cell.chars();
        while let Some(sign) = signs.next() {
            text.push(match sign {
                '\\' => match signs.next().unwrap() {
                    't' => '\t',
                    'n' => '\n',
                    'r' => '\r',
                    '\\' => '\\',
                    other => panic!("\\{other} in {cell:?}"),
                },
                other => other,
            });
        }
        text
    };
    let run = ask(&sandbox, ODD, "tsv");
    assert_cells(run.text().lines().map(|line| line.split('\t').map(unescape).collect()).collect());
}

#[test]
fn json_and_jsonl_parse_back_with_their_types() {
    let sandbox = with_database();
    let json: Json = serde_json::from_slice(&ask(&sandbox, ODD, "json").stdout).unwrap();
    let lines: Vec<Json> = ask(&sandbox, ODD, "jsonl")
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(json, Json::Array(lines));
    let rows = json.as_array().unwrap();
    let names: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    assert_eq!(names, ODD_NAMES, "columns stay in order");
    let cells = odd_cells();
    for (row, cells) in rows.iter().zip(&cells[1..]) {
        for (index, name) in ODD_NAMES.iter().enumerate() {
            match (&row[name], cells[index].as_str()) {
                (Json::Null, cell) => {
                    assert_eq!((cell, matches!(*name, "absent" | "bytes")), ("", true))
                }
                (Json::Number(number), cell) if *name == "real" => {
                    assert_eq!(number.as_f64(), cell.parse().ok());
                }
                (Json::Number(number), cell) => assert_eq!(number.to_string(), cell),
                (Json::String(text), cell) => assert_eq!(text, cell),
                other => panic!("{other:?}"),
            }
        }
    }
    for format in ["json", "jsonl"] {
        let none = ask(&sandbox, "select 1 as a where 0", format);
        assert_eq!(none.text(), if format == "json" { "[]\n" } else { "" });
    }
}

#[test]
fn no_column_is_lost_where_two_have_one_name() {
    let sandbox = with_database();
    let sql = "select 1 as a, 2 as b, 3 as a, 4 as a";
    let row: Json = serde_json::from_slice(&ask(&sandbox, sql, "jsonl").stdout).unwrap();
    let values: Vec<i64> =
        row.as_object().unwrap().values().map(|value| value.as_i64().unwrap()).collect();
    assert_eq!(values, [1, 2, 3, 4]);
    assert_eq!(ask(&sandbox, sql, "csv").text().lines().next(), Some("a,b,a,a"));
}

#[test]
fn markdown_parses_back() {
    let sandbox = with_database();
    // A cell ends at a sign that is not escaped; every escaped sign stands for itself.
    let cells = |line: &str| {
        let mut cells = vec![String::new()];
        let mut rest = line.strip_prefix("| ").unwrap().strip_suffix(" |").unwrap();
        while let Some(sign) = rest.chars().next() {
            let cell = cells.last_mut().unwrap();
            if let Some(behind) = rest.strip_prefix(" | ") {
                cells.push(String::new());
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix("<br>") {
                cell.push('\n');
                rest = behind;
            } else if let Some(escaped) = rest.strip_prefix('\\') {
                let sign = escaped.chars().next().unwrap();
                assert!(sign.is_ascii_punctuation(), "{line}");
                cell.push(sign);
                rest = &escaped[1..];
            } else {
                assert!(sign != '|' && sign != '<', "{line}");
                cell.push(sign);
                rest = &rest[sign.len_utf8()..];
            }
        }
        cells
    };
    let run = ask(&sandbox, ODD, "markdown");
    let mut lines: Vec<&str> = run.text().split('\n').collect();
    assert_eq!(lines.pop(), Some(""));
    let marks = lines.remove(1);
    assert_eq!(marks.matches("---").count(), ODD_NAMES.len(), "{marks}");
    // As in tables, numbers that are not whole have two digits.
    let mut wanted = odd_cells();
    for (row, real) in [(1, "0.30"), (2, "-2.50")] {
        wanted[row][3] = real.into();
    }
    assert_eq!(lines.iter().map(|line| cells(line)).collect::<Vec<_>>(), wanted);
}

#[test]
fn markdown_has_units_and_numbers_to_the_right() {
    let sandbox = with_database();
    let sql = "select 'x' as name, null as total_ns, 2048 as heap_bytes, 1500000000 as start_ns
               union all select 'y', 1500000, 1, 0";
    assert_eq!(
        ask(&sandbox, sql, "markdown").text(),
        "| name | total_ns | heap_bytes | start_ns |\n| --- | ---: | ---: | ---: |\n\
         | x |  | 2.0KiB | 1.500000s |\n| y | 1.50ms | 1B | 0.000000s |\n"
    );
}

#[test]
fn tables_show_durations_for_people_and_leave_the_absent_empty() {
    let sandbox = with_database();
    let sql = "select 1500000 as total_ns, 2048 as heap_bytes, null as stack, 'x' as name
               union all select null, null, 'main.main', null";
    let run = ask(&sandbox, sql, "table");
    let lines: Vec<&str> = run.text().lines().collect();
    assert!(lines[0].contains("total_ns") && lines[0].contains("name"), "{}", run.text());
    assert!(
        lines.iter().any(|line| line.contains("1.50ms") && line.contains("2.0KiB")),
        "{}",
        run.text()
    );
    let last = lines[lines.len() - 1];
    assert_eq!(last.trim(), "main.main");
    assert!(!run.text().to_lowercase().contains("null"));
}

#[test]
fn a_query_gives_the_same_over_a_trace_and_over_its_database() {
    let sandbox = with_database();
    for query in canned_queries() {
        let goid =
            if query.parameters.iter().any(|one| one.name == "goid") { "goid=1" } else { "" };
        let arguments = |source| {
            let mut arguments = vec!["query", source, query.name, "-f", "csv"];
            if !goid.is_empty() {
                arguments.extend(["-p", goid]);
            }
            arguments
        };
        let stored = sandbox.gotrace(&arguments("app.db")).expect(0);
        let direct = sandbox.gotrace(&arguments("app.trace")).expect(0);
        assert_eq!(stored.text(), direct.text(), "{}", query.name);
    }
    assert!(sandbox.left_behind().is_empty(), "{:?}", sandbox.left_behind());
    assert_eq!(sandbox.files(), ["app.db", "app.trace"]);
}

#[test]
fn wrong_sql_is_shown_with_a_caret_and_the_nearest_name() {
    let sandbox = with_database();
    let caret =
        |sql: &str, at: &str| format!("\n  {sql}\n  {}^\n", " ".repeat(sql.find(at).unwrap()));
    for (sql, at, words) in [
        ("select nam from goroutines", "nam", &["no such column: nam", "'name'"][..]),
        (
            "select count(*) from gorutines",
            "gorutines",
            &["no such table: gorutines", "'goroutines'"],
        ),
        ("select g.goidd from goroutines g", "g.goidd", &["goidd", "'goid'"]),
        ("select goid, from goroutines", "from", &["syntax error"]),
        ("select humanns(1) from traces", "humanns", &["no such function: humanns"]),
        ("select 'abc from traces", "'abc", &["unrecognized token"]),
    ] {
        let run = sandbox.gotrace(&["query", "app.db", sql]).expect(1).says(words);
        assert!(run.stderr.contains(&caret(sql, at)), "{}", run.stderr);
        assert!(run.stdout.is_empty());
    }
    let run = sandbox
        .gotrace(&["query", "app.db", "select goid\nfrom goroutines\nwhere goidx = 1"])
        .expect(1);
    assert!(run.stderr.contains("\n  where goidx = 1\n        ^\n"), "{}", run.stderr);
    sandbox.gotrace(&["query", "app.db", "select 1; select 2"]).expect(1).says(&["one statement"]);
}

#[test]
fn wrong_use_has_status_2_and_says_what_was_meant() {
    let sandbox = with_database();
    for (arguments, words) in [
        (
            &["query", "app.db", "gorutines"][..],
            &["there is no query 'gorutines'", "'goroutines'"][..],
        ),
        (&["query", "app.db", "xyzzy"], &["there is no query 'xyzzy'", "gotrace queries"]),
        (&["queries", "blokcing"], &["'blocking'"]),
        (&["query", "app.db", "goroutine", "-p", "god=1"], &["no parameter 'god'", "'goid'"]),
        (&["query", "app.db", "goroutine", "-p", "goid=one"], &["'goid'", "an integer", "'one'"]),
        (&["query", "app.db", "goroutine", "-p", "goid"], &["NAME=VALUE"]),
        (&["query", "app.db", "select :limit"], &["'limit'", "-p limit=VALUE"]),
        (&["query", "app.db", "goroutines", "-f", "xml"], &["xml", "jsonl"]),
        (&["query", "app.db", "goroutines", "--timeout", "soon"], &["--timeout", "soon"]),
        (&["query", "app.db"], &["NAME|SQL"]),
        (&["qurey", "app.db", "goroutines"], &["qurey", "query"]),
        (&[], &["Usage"]),
        (&["events"], &["TRACE"]),
    ] {
        let run = sandbox.gotrace(arguments).expect(2).says(words);
        assert!(run.stdout.is_empty(), "{arguments:?}");
    }
    // The name is wrong whatever the source is.
    sandbox.gotrace(&["query", "missing.db", "gorutines"]).expect(2);
}

#[test]
fn parameters_reach_canned_queries_and_sql() {
    let sandbox = with_database();
    let ask = |arguments: &[&str]| {
        let run =
            sandbox.gotrace(&[&["query", "app.db"], arguments, &["-f", "csv"]].concat()).expect(0);
        run.text().to_owned()
    };
    assert_eq!(
        ask(&[
            "select :a + 1 as x, :b as y, typeof(:c) as z",
            "-p",
            "a=41",
            "-p",
            "b=it's",
            "-p",
            "c=1.5"
        ]),
        "x,y,z\n42,it's,real\n"
    );
    // The last one wins.
    assert_eq!(ask(&["select :a as x", "-p", "a=1", "-p", "a=2"]), "x\n2\n");
    let of_one = ask(&["goroutine", "-p", "goid=1"]);
    assert!(of_one.lines().count() > 5);
    assert_ne!(of_one, ask(&["goroutine", "-p", "goid=2"]));
}

#[test]
fn statements_that_could_change_anything_are_refused() {
    let sandbox = with_database();
    let before = fs::read(sandbox.path("app.db")).unwrap();
    for sql in [
        "insert into traces select * from traces",
        "update traces set source = 'x'",
        "update traces set source = 'x' returning id",
        "delete from traces",
        "replace into reasons values (1, 'a', 'b')",
        "create table t (a)",
        "create temp table t (a)",
        "create view v as select 1",
        "create virtual table t using fts5(a)",
        "drop table traces",
        "alter table traces rename to t",
        "create trigger t after insert on traces begin select 1; end",
        "attach 'new.db' as n",
        "attach ':memory:' as n",
        "detach main",
        "vacuum into 'new.db'",
        "vacuum main",
        "reindex traces",
        "analyze traces",
        "begin immediate",
        "savepoint s",
        "commit transaction",
        "pragma query_only = 0",
        "pragma journal_mode = wal",
        "pragma writable_schema = 1",
        "pragma user_version = 7",
        "pragma mmap_size = 0",
        "select * from pragma_journal_mode('wal')",
        "select * from pragma_user_version(7)",
        "select load_extension('libm')",
        "select load_extension('libm', 'init')",
        "select writefile('new.db', 'x')",
        "select readfile('app.trace')",
        "select edit('x')",
        "select fts3_tokenizer('simple', x'00')",
    ] {
        let run = sandbox.gotrace(&["query", "app.db", sql]);
        assert_eq!(run.status, 1, "{sql}: {}{}", run.text(), run.stderr);
        assert!(run.stderr.starts_with("gotrace: "), "{sql}: {}", run.stderr);
    }
    // The trace behind a query has no better chances.
    sandbox.gotrace(&["query", "app.trace", "delete from traces"]).expect(1);
    assert_eq!(sandbox.files(), ["app.db", "app.trace"]);
    assert!(fs::read(sandbox.path("app.db")).unwrap() == before, "the file has changed");
    for sql in [
        "pragma table_info(traces)",
        "select * from pragma_table_list",
        "explain query plan select 1",
    ] {
        sandbox.gotrace(&["query", "app.db", sql]).expect(0);
    }
}

#[test]
fn a_query_without_end_stops_at_the_time_limit() {
    let sandbox = with_database();
    for sql in [
        "with recursive r(n) as (select 1 union all select n + 1 from r) select count(*) from r",
        "select count(*) from raw_goroutine_states a, raw_goroutine_states b, raw_goroutine_states c,
           raw_goroutine_states d where a.id + b.id + c.id + d.id = -1",
        "select percentile(a.id + b.id, 0.5) from raw_goroutine_states a, raw_goroutine_states b,
           raw_goroutine_states c",
    ] {
        let started = Instant::now();
        let run = sandbox.gotrace(&["query", "app.db", sql, "--timeout", "300ms"]).expect(1);
        run.says(&["0.3 s", "--timeout"]);
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn a_huge_result_stops_at_the_row_limit_and_keeps_what_came_before() {
    let sandbox = with_database();
    let sql = "with recursive r(n) as (select 1 union all select n + 1 from r) select n from r";
    for (format, want) in
        [("csv", "n\n1\n2\n3\n"), ("json", "[\n{\"n\":1},\n{\"n\":2},\n{\"n\":3}\n]\n")]
    {
        let run =
            sandbox.gotrace(&["query", "app.db", sql, "--max-rows", "3", "-f", format]).expect(1);
        assert_eq!(run.text(), want);
        run.says(&["3 rows", "--max-rows"]);
    }
    // Exactly as many as allowed are no excess.
    let two = sandbox.gotrace(&["query", "app.db", "values (1), (2)", "--max-rows", "2"]).expect(0);
    assert_eq!(two.text(), "column1\n1\n2\n");
    for sql in ["select zeroblob(2000000000)", "select hex(zeroblob(250000000))"] {
        sandbox.gotrace(&["query", "app.db", sql]).expect(1).says(&["is longer than"]);
    }
}

#[test]
fn a_statement_is_what_sqlite_takes_for_one() {
    let sandbox = with_database();
    for sql in [
        "values(1)",
        "select(1)",
        "select/**/1",
        ";; select 1",
        "-- x\nselect 1",
        "/* x */ select 1; -- y",
        "with a as (values(1)) select * from a",
    ] {
        let run = sandbox.gotrace(&["query", "app.db", sql]).expect(0);
        assert!(run.text().ends_with("\n1\n"), "{sql}: {}", run.text());
    }
    sandbox.gotrace(&["query", "app.db", "explain select 1"]).expect(0);
    sandbox.gotrace(&["query", "app.db", "traces"]).expect(2).says(&["no query 'traces'"]);
    sandbox
        .gotrace(&["query", "app.db", "gorutines"])
        .expect(2)
        .says(&["did you mean 'goroutines'"]);
    for sql in ["delete from goroutines", "update goroutines set id = 1", "drop table traces"] {
        let run = sandbox.gotrace(&["query", "app.db", sql]).expect(1);
        run.says(&["only statements that read are allowed"]);
    }
}

#[test]
fn functions_take_what_a_user_gives_or_say_what_they_want() {
    let sandbox = with_database();
    for (sql, want) in [
        ("human_ns(avg(value)) from json_each('[1500, 1501]')", "1.50µs"),
        ("human_ns(null) is null", "1"),
        ("stack_leaf(1.0) = stack_leaf(1)", "1"),
        ("state_at(1.0, 0.4) is state_at(1, 0)", "1"),
        ("histogram_step(1500.2, 10)", "31"),
        ("count(*) > 0 from state_buckets(2.0)", "1"),
        ("1e300", "1e300"),
        ("-2.5e17", "-2.5e17"),
        ("0.1", "0.1"),
    ] {
        let (value, from) = sql.split_once(" from ").unwrap_or((sql, "(values (1))"));
        let sql = format!("select {value} as x from {from}");
        let run = sandbox.gotrace(&["query", "app.db", &sql]).expect(0);
        assert_eq!(run.text(), format!("x\n{want}\n"), "{sql}");
    }
    for (sql, says) in [
        ("select human_ns('abc')", "human_ns(ns): want a number as argument 1, got the text 'abc'"),
        ("select percentile(1, 'x')", "percentile(x, p): want a share as argument 2"),
        ("select stack_match(1, 2)", "stack_match(stack_id, pattern): want a text as argument 2"),
        ("select human_ns(1, 2)", "it is human_ns(ns)"),
        (
            "select * from state_buckets('a')",
            "state_buckets: want an integer as argument 1 (steps)",
        ),
    ] {
        sandbox.gotrace(&["query", "app.db", sql]).expect(1).says(&[says]);
    }
}

#[test]
fn the_list_of_queries_and_each_query_can_be_shown() {
    let sandbox = Sandbox::new();
    let list = sandbox.gotrace(&["queries"]).expect(0);
    let names: Vec<&str> =
        list.text().lines().map(|line| line.split(' ').next().unwrap()).collect();
    let want: Vec<&str> = canned_queries().iter().map(|query| query.name).collect();
    assert_eq!(names, want);
    assert!(names.len() >= 9);
    for name in names {
        let shown = sandbox.gotrace(&["queries", name]).expect(0);
        for part in ["\nColumns:\n", "\nSQL:\n"] {
            assert!(shown.text().contains(part), "{name}");
        }
    }
}

#[test]
fn an_option_that_is_not_known_is_not_taken_for_a_value() {
    let sandbox = Sandbox::new();
    let run = sandbox.gotrace(&["query", "-q", "x", "y"]).expect(2);
    assert!(run.stderr.contains("unexpected argument '-q'") && !run.stderr.contains("-- -q"));
    sandbox.gotrace(&["query", "--timout", "3", "x"]).expect(2).says(&["'--timeout'"]);
}

#[test]
fn what_people_type_first_is_what_they_mean() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "app.trace");
    let profile = committed::root().join("testdata/profiles/go1.27/cpu.pb.gz");
    sandbox.write("cpu.pb.gz", std::fs::read(profile).unwrap());
    for (typed, meant) in [
        ("app.trace", "report app.trace"),
        ("trace app.trace", "report app.trace"),
        ("goroutines app.trace", "query app.trace goroutines"),
        ("goroutine app.trace -p goid=1 -f json", "query app.trace goroutine -p goid=1 -f json"),
        ("top cpu.pb.gz", "profile top cpu.pb.gz"),
        ("-top cpu.pb.gz", "profile top cpu.pb.gz"),
        ("-top5 -cum cpu.pb.gz", "profile -top5 -cum cpu.pb.gz"),
        ("-sample_index=samples -top cpu.pb.gz", "profile -sample_index=samples -top cpu.pb.gz"),
        ("--nodecount 3 -top cpu.pb.gz", "profile top --nodecount 3 cpu.pb.gz"),
        ("pprof -traces cpu.pb.gz", "profile traces cpu.pb.gz"),
        ("peek main cpu.pb.gz", "profile peek main cpu.pb.gz"),
    ] {
        let words = |line: &str| line.split(' ').map(String::from).collect::<Vec<_>>();
        let run = |line: &str| {
            let words = words(line);
            sandbox.gotrace(&words.iter().map(String::as_str).collect::<Vec<_>>()).expect(0)
        };
        assert_eq!(run(typed).text(), run(meant).text(), "{typed}");
    }
    sandbox.gotrace(&["app.trace"]).expect(0).says(&["that was 'gotrace report'", "--help"]);
    // A file that is the value of an option is no second source.
    sandbox.write("r.html", "old");
    sandbox.gotrace(&["app.trace", "-o", "r.html", "--force"]).expect(0);
    assert!(
        std::fs::read_to_string(sandbox.path("r.html")).unwrap().starts_with("<!DOCTYPE html>")
    );
    for (typed, status, says) in [
        ("-d=parsed app.trace", 2, "gotrace events SOURCE"),
        ("-d=wire app.trace", 2, "gotrace events --wire SOURCE"),
        ("-pprof=net app.trace", 2, "gotrace export pprof --type net SOURCE"),
        ("-http=:0 app.trace", 2, "gotrace web SOURCE"),
        ("cpu.pb.gz", 1, "gotrace profile top cpu.pb.gz"),
        ("report cpu.pb.gz", 1, "it is a profile, and reports are of traces"),
        ("goroutins app.trace", 2, "did you mean 'goroutines'?"),
        ("goroutines", 2, "goroutines of what?"),
        ("trace.out", 2, "trace.out: no such file"),
        ("app.trace app.trace", 2, "gotrace ingest"),
        ("profile tagz cpu.pb.gz", 2, "did you mean 'tags'?"),
    ] {
        let words: Vec<&str> = typed.split(' ').collect();
        sandbox.gotrace(&words).expect(status).says(&[says]);
    }
}

#[test]
fn the_name_of_its_file_says_what_a_report_is() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "app.trace");
    for (file, options, start) in [
        ("r.html", "", "<!DOCTYPE html>"),
        ("r.json", "", "{"),
        ("r.md", "", "# "),
        ("r.txt", "", "app.trace: "),
        ("x.html", "-f text", "app.trace: "),
        ("y", "-f html", "<!DOCTYPE html>"),
        ("z", "--html", "<!DOCTYPE html>"),
    ] {
        let mut words = vec!["report", "app.trace", "-o", file];
        words.extend(options.split(' ').filter(|word| !word.is_empty()));
        sandbox.gotrace(&words).expect(0);
        let text = std::fs::read_to_string(sandbox.path(file)).unwrap();
        assert!(text.starts_with(start), "{file}: {}", &text[..40]);
    }
}

#[test]
fn the_name_of_its_file_says_how_an_answer_is_written() {
    let sandbox = with_database();
    for (file, options, text) in [
        ("a.json", "", "[\n"),
        ("a.jsonl", "", "{\"n\":1}\n"),
        ("a.MD", "", "| n |\n"),
        ("a.csv", "", "n\n1\n"),
        ("a.tsv", "", "n\n1\n"),
        ("a.txt", "", "n\n1\n"),
        ("b.json", "-f csv", "n\n1\n"),
    ] {
        let mut words = vec!["query", "app.db", "select 1 as n", "-o", file];
        words.extend(options.split(' ').filter(|word| !word.is_empty()));
        sandbox.gotrace(&words).expect(0);
        let written = fs::read_to_string(sandbox.path(file)).unwrap();
        assert!(written.starts_with(text), "{file}: {written}");
    }
    let tabs = ["query", "app.db", "select 1 as n, 2 as m", "-o", "tabs.tsv"];
    sandbox.gotrace(&tabs).expect(0);
    assert_eq!(fs::read_to_string(sandbox.path("tabs.tsv")).unwrap(), "n\tm\n1\t2\n");
}

#[test]
fn limit_and_trace_of_a_query_are_its_parameters() {
    let sandbox = with_database();
    sandbox.copy("go1.27/gc", "gc.trace");
    sandbox.gotrace(&["ingest", "app.trace", "gc.trace", "-o", "two.db"]).expect(0);
    let ask = |arguments: &[&str]| {
        let run = sandbox.gotrace(&[&["query", "two.db", "-f", "csv"], arguments].concat());
        let run = run.expect(0);
        (run.text().to_owned(), run.stderr)
    };
    let all = ask(&["goroutines"]).0;
    let (short, _) = ask(&["goroutines", "--limit", "3"]);
    assert_eq!(short, ask(&["goroutines", "-p", "limit=3"]).0);
    assert_eq!(short.lines().count(), 4);
    assert!(all.lines().count() > 4);
    // Without such a parameter, and of SQL: it stops there, which is no failure.
    assert!(ask(&["events-by-type"]).0.lines().count() > 2);
    assert_eq!(ask(&["events-by-type", "--limit", "1"]).0.lines().count(), 2);
    let count = "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n";
    assert_eq!(ask(&[count, "--limit", "2"]), ("i\n1\n2\n".into(), String::new()));
    assert_eq!(ask(&[count, "--limit", "0"]).0, "i\n");

    let (of_second, said) = ask(&["goroutines", "--trace", "2"]);
    assert_eq!(of_second, ask(&["goroutines", "-p", "trace=2"]).0);
    assert_ne!(of_second, all);
    assert_eq!(said, "");
    assert!(ask(&["goroutines"]).1.contains("--trace ID asks one of them"));
    for (query, says) in [("select 1", "trace_id = 1"), ("profile-top", "--trace: query")] {
        sandbox.gotrace(&["query", "two.db", query, "--trace", "1"]).expect(2).says(&[says]);
    }
}

#[test]
fn a_timeout_is_written_the_same_everywhere() {
    let sandbox = with_database();
    let heap = committed::root().join("testdata/profiles/go1.27/heap.pb.gz");
    fs::copy(heap, sandbox.path("heap.pb.gz")).unwrap();
    for command in [
        &["query", "app.db", "select 1"][..],
        &["report", "app.db"],
        &["sql", "app.db"],
        &["export", "csv", "app.db", "procs"],
        &["profile", "top", "heap.pb.gz"],
    ] {
        // A number alone is seconds: none of these takes so long, all of them take some nanoseconds.
        for timeout in ["100", "100s", "2m", "1h"] {
            sandbox.gotrace(&[command, &["--timeout", timeout]].concat()).expect(0);
        }
        sandbox.gotrace(&[command, &["--timeout", "soon"]].concat()).expect(2).says(&["--timeout"]);
    }
}

/// The options of a command with what its help says of them.
fn options_of(help: &str) -> Vec<(String, String)> {
    let mut options: Vec<(String, String)> = Vec::new();
    for line in help.lines().map(str::trim) {
        if line.starts_with("--") || line.starts_with('-') && line.contains(", --") {
            let name = line.split("--").nth(1).unwrap();
            let name = name.split([' ', '=', '[']).next().unwrap();
            options.push((name.to_owned(), String::new()));
        } else if let Some((_, text)) = options.last_mut()
            && text.is_empty()
        {
            // The first line is the sentence, which long help does not fold at this width.
            text.push_str(line);
        }
    }
    options
}

#[test]
fn the_same_option_has_the_same_sentence_in_all_commands() {
    let sandbox = Sandbox::new();
    let mut known: std::collections::BTreeMap<String, String> = Default::default();
    let commands: [&[&str]; 11] = [
        &["query"],
        &["sql"],
        &["report"],
        &["info"],
        &["events"],
        &["profile"],
        &["open"],
        &["export", "perfetto"],
        &["export", "pprof"],
        &["export", "csv"],
        &["export", "events"],
    ];
    let mut compared = 0;
    for command in commands {
        let help = sandbox.gotrace(&[command, &["--help"]].concat()).expect(0);
        for (name, text) in options_of(help.text()) {
            if !["from", "to", "trace", "force", "save", "header", "max-time"].contains(&&*name) {
                continue;
            }
            compared += 1;
            let first = known.entry(name.clone()).or_insert_with(|| text.clone());
            assert_eq!(*first, text, "--{name} of {command:?}");
        }
    }
    assert!(compared > 40, "only {compared} options were compared");
}
