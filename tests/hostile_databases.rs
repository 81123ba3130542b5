//! Databases that others made: what is in them is never trusted.

mod committed;

use committed::damage::Random;
use committed::databases::{EDIT, damage, examine};
use committed::{Trace, load_file};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Runs gotrace; fails the test if it panics or takes too long.
fn gotrace(arguments: &[&str], path: &Path) -> Output {
    let started = Instant::now();
    let path = path.to_str().unwrap();
    let words = arguments.iter().map(|&word| if word == "DB" { path } else { word });
    let output = Command::new(env!("CARGO_BIN_EXE_gotrace")).args(words).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0..=2)), "{arguments:?}: {text}");
    assert!(!text.contains("panicked"), "{arguments:?}: {text}");
    assert!(started.elapsed() < Duration::from_secs(30), "{arguments:?} took too long");
    output
}

/// The commands that read databases.
const COMMANDS: &[&[&str]] = &[
    &["info", "DB"],
    &["info", "DB", "-f", "json"],
    &["report", "DB", "--timeout", "2s"],
    &["profile", "top", "DB"],
    &["profile", "top", "DB", "--type", "wall", "--timeout", "2"],
    &["profile", "top", "DB", "--type", "alloc", "--timeout", "2"],
    &["export", "csv", "DB", "goroutine_states", "--timeout", "2s"],
    &["query", "DB", "goroutines", "-f", "table", "--timeout", "2s"],
    &["query", "DB", "goroutine", "-p", "goid=1", "-f", "markdown", "--timeout", "2s"],
    &["query", "DB", "goroutines", "--from", "1ms", "--to", "20ms", "--timeout", "2s"],
];

#[test]
fn damaged_databases_are_answered_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.db");
    let (mut random, mut answers) = (Random::new(10), 0);
    let started = Instant::now();
    for number in 0..60 {
        // Where damage makes everything run into the limit of time, fewer do.
        if started.elapsed() > Duration::from_secs(60) {
            break;
        }
        let script: Vec<u8> =
            (0..EDIT * (1 + number % 4)).map(|_| random.below(256) as u8).collect();
        damage(&script, &path).unwrap();
        answers += examine(&path).unwrap_or_else(|problem| panic!("{script:?}: {problem}"));
        if number % 6 == 0 {
            COMMANDS.iter().for_each(|command| drop(gotrace(command, &path)));
        }
    }
    assert!(answers > 300, "nearly nothing was answered: {answers}");
}

/// A good database, changed by statements.
fn changed(sql: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let file = load_file(&Trace::new("go1.27/sync").bytes()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.db");
    file.connection
        .execute_batch(&format!("pragma writable_schema = on; {sql}"))
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    std::fs::copy(&file.path, &path).unwrap();
    (folder, path)
}

#[test]
fn a_database_whose_tables_are_not_ours_is_refused() {
    let endless = "with recursive r(x) as (select 1 union all select x + 1 from r) select";
    for sql in [
        format!("drop view trace_spans; create view trace_spans as {endless} x as trace_id, 0 as from_ns, 1 as to_ns from r"),
        format!("alter table traces rename to t; create view traces as {endless} x as id from r"),
        "drop table event_counts".into(),
        "drop view goroutines; create view goroutines as select *, hex(zeroblob(1000000000)) from raw_goroutines".into(),
        "create trigger x after insert on metrics begin select 1; end".into(),
        "create index x on metrics (value + 1)".into(),
        "create index x on metrics (value) where value > 1".into(),
        "create view states_at as select 1".into(),
        "create table json_each (value)".into(),
        "alter table metrics add column x text generated always as (hex(zeroblob(1000000)))".into(),
        "insert into sqlite_schema select type, name, tbl_name, rootpage, sql from sqlite_schema where name = 'tasks'".into(),
        "update sqlite_schema set sql = replace(sql, 'strict', '') where name = 'metrics'".into(),
    ] {
        let (_folder, path) = changed(&sql);
        for command in COMMANDS {
            let output = gotrace(command, &path);
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && output.stdout.is_empty(), "{sql}: {command:?}");
            // A schema that SQLite itself does not take needs no words of ours.
            let is_told = text.contains("not as gotrace makes") || text.contains("malformed");
            assert!(is_told, "{sql}: {command:?}: {text}");
        }
    }
}

#[test]
fn what_the_user_added_is_no_reason_to_refuse() {
    let (_folder, path) = changed(
        "create table notes (id integer primary key, text); create index by_text on notes (text) where id > 1;
         create view long_waits as select * from waits where duration_ns > 1000000;
         create index metrics_by_name on metrics (name, time_ns);
         create trigger t after insert on notes begin select 1; end",
    );
    let output = gotrace(&["query", "DB", "select count(*) >= 0 as x from long_waits"], &path);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "x\n1\n");
}

#[test]
fn the_largest_numbers_are_no_trouble() {
    for (sql, command) in [
        ("update traces set duration_ns = 9223372036854775807", &["report", "DB"][..]),
        ("update traces set gomaxprocs = 9223372036854775807", &["report", "DB"]),
        ("update raw_goroutines set running_ns = 9223372036854775807", &["report", "DB"]),
        (
            "update raw_goroutine_states set duration_ns = 9223372036854775807",
            &["report", "DB", "--html"],
        ),
        (
            "update raw_goroutine_states set start_ns = -9223372036854775807",
            &["query", "DB", "mmu"],
        ),
    ] {
        let (_folder, path) = changed(sql);
        let output = gotrace(command, &path);
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// What an endless series of numbers is called in the statements below.
const ENDLESS: &str = "with recursive n(x) as (select 1 union all select x + 1 from n)";

/// What is said about a statement, with options for what it may use.
fn refusal(sql: &str, options: &[&str]) -> String {
    let (_folder, path) = changed("select 1");
    let words = ["query", "DB", sql, "--max-rows", "0"];
    // A table keeps its rows.
    let output = gotrace(&[&words, options, &["-f", "table"]].concat(), &path);
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn time_ends_what_functions_do_inside_of_them() {
    // Half a million intervals, each as long as the trace, meet every state; and each other.
    let many = "with recursive n(x) as (select 1 union all select x + 1 from n limit 500000) \
                select 0 as start_ns, 1000000000 as duration_ns, x as id from n";
    for function in
        ["states_during('SQL')", "interval_join('SQL', 'SQL')", "overlap_count('SQL', 'id')"]
    {
        let sql = format!("select count(*) from {}", function.replace("SQL", many));
        let started = Instant::now();
        let error = refusal(&sql, &["--timeout", "100ms"]);
        assert!(error.starts_with("gotrace: stopped after 0.1 s; "), "{function}: {error}");
        assert!(started.elapsed() < Duration::from_secs(5), "{function}");
    }
}

#[test]
fn memory_of_functions_and_results_is_bounded() {
    for sql in [
        format!("{ENDLESS} select percentile(x, 0.5) from n"),
        format!("{ENDLESS} select pprof(x, 'a', 'b', 1) from n"),
        format!(
            "select count(*) from interval_union('{ENDLESS} select x * 2 as start_ns, 1 as duration_ns from n')"
        ),
        format!("select count(*) from states_at_each('{ENDLESS} select x as time_ns from n')"),
        format!("{ENDLESS} select x, hex(zeroblob(1000)) from n"),
    ] {
        let error = refusal(&sql, &["--max-memory", "64MiB"]);
        assert!(error.contains("more than 64.0MiB of memory; --max-memory"), "{sql}: {error}");
    }
}

#[test]
fn sorting_does_not_fill_the_disk() {
    for sql in [
        format!("{ENDLESS} select x, hex(zeroblob(1000)) from n order by 2, 1"),
        format!("{ENDLESS} select count(*) from (select distinct x, hex(zeroblob(1000)) from n)"),
    ] {
        let error = refusal(&sql, &["--max-temp", "20MiB"]);
        assert!(error.contains("20.0MiB in temporary files; --max-temp"), "{sql}: {error}");
    }
}

#[test]
fn a_function_of_sqlite_that_does_not_end_ends_the_program() {
    let (_folder, path) = changed("select 1");
    let sql = "select instr(hex(zeroblob(20000000)), hex(zeroblob(10000000)) || 'x')";
    let started = Instant::now();
    let output = gotrace(&["query", "DB", sql, "--timeout", "300ms"], &path);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("stopped after 0.3 s") && text.contains("--timeout"), "{text}");
    assert!(started.elapsed() < Duration::from_secs(10));
}
