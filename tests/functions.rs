//! The functions do what their documentation shows: every example is run, and `docs/functions.md` and
//! `docs/wait-kinds.md` are what the declarations say. And intervals that break the rules are refused by name.
//!
//! `UPDATE_GOLDEN=1 cargo test` records again.

mod committed;

use committed::golden;
use committed::run::Sandbox;
use gotrace::model::wait_kinds::{ACTIVITY_RULES, REASON_KINDS, WAIT_RULES};
use gotrace::store::FUNCTIONS;
use gotrace::store::tables::TABLE_FUNCTIONS;
use std::collections::BTreeSet;
use std::fmt::Write;

const GENERATED: &str = "<!-- Generated from the declarations: UPDATE_GOLDEN=1 cargo test -->\n";

/// What an example gives, as a Markdown table.
fn run_example((trace, sql): (&str, &str)) -> String {
    let sandbox = Sandbox::new();
    sandbox.copy(trace, "app.trace");
    let run = sandbox.gotrace(&["query", "app.trace", sql, "-f", "markdown"]);
    assert_eq!(run.status, 0, "{sql}: {}", run.stderr);
    assert!(run.text().lines().count() > 2, "{sql} gives nothing");
    format!("\n```sql\n{sql}\n```\n\nOver `testdata/traces/{trace}.trace`:\n\n{}", run.text())
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "\\<").replace('*', "\\*")
}

#[test]
fn the_reference_of_the_functions_is_current_and_its_examples_run() {
    let mut names = BTreeSet::new();
    let mut text = format!(
        "# Functions\n\n{GENERATED}
Beside SQLite's own functions these can be used in `gotrace query` and `gotrace sql`. Those that give rows stand
behind `from`; a statement that they take is a text, in which `'` is written twice.\n\n"
    );
    for function in FUNCTIONS {
        assert!(names.insert(function.name), "{} is there twice", function.name);
        let first = function.doc.split_once([':', ';', '.']).map_or(function.doc, |parts| parts.0);
        writeln!(
            text,
            "- [{}({})](#{}): {first}",
            function.name, function.arguments, function.name
        )
        .unwrap();
    }
    for function in TABLE_FUNCTIONS {
        let first = function.doc.split_once([':', ';', '.']).map_or(function.doc, |parts| parts.0);
        writeln!(text, "- [{}](#{}): {first}", function.name, function.name).unwrap();
    }
    for function in FUNCTIONS {
        assert!(function.example.1.contains(&format!("{}(", function.name)), "{}", function.name);
        let kind = if function.is_aggregate { "aggregate" } else { "scalar" };
        write!(
            text,
            "\n## {}\n\n`{}({})` ({kind}). {}\n{}",
            function.name,
            function.name,
            function.arguments,
            function.doc,
            run_example(function.example)
        )
        .unwrap();
    }
    for function in TABLE_FUNCTIONS {
        assert!(function.example.1.contains(&format!("{}(", function.name)), "{}", function.name);
        let arguments: Vec<String> = function
            .arguments
            .iter()
            .enumerate()
            .map(|(index, one)| {
                if index < function.required { one.name.into() } else { format!("[{}]", one.name) }
            })
            .collect();
        write!(
            text,
            "\n## {}\n\n`{}({})` (rows). {}\n\n| argument | |\n|---|---|\n",
            function.name,
            function.name,
            arguments.join(", "),
            function.doc
        )
        .unwrap();
        for item in function.arguments {
            writeln!(text, "| {} | {} |", item.name, cell(item.doc)).unwrap();
        }
        text.push_str("\n| column | |\n|---|---|\n");
        for item in function.columns {
            writeln!(text, "| {} | {} |", item.name, cell(item.doc)).unwrap();
        }
        text.push_str(&run_example(function.example));
    }
    assert!(names.len() > 10 && TABLE_FUNCTIONS.len() > 8);
    golden::check("docs/functions.md", &text).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_reference_of_the_wait_kinds_is_current() {
    let mut text = format!(
        "# What goroutines wait for\n\n{GENERATED}
The runtime words its reasons coarsely: a mutex, a wait group and the start of a collection are all \"sync\". The
functions between the runtime and the program say more. From them the columns `wait_kind` and `activity` of `waits`, `lock_waits`,
`state_totals` and others are inferred, once for each distinct stack, while a trace is loaded.

A wait is of a kind below if one of the functions is in the *entry* of its stack: the frames from the leaf on, as long
as they belong to the packages named. The program's own functions end the entry. So a mutex that is wanted inside a function that
`sync.Once` calls is a `mutex`, and the mutex inside `sync.Once` itself is `once`. The first rule that holds decides. `*` stands for any
characters.

| wait_kind | meaning | functions | entry |
|---|---|---|---|\n"
    );
    let code = |words: &[&str]| {
        words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
    };
    let mut kinds = BTreeSet::new();
    for rule in WAIT_RULES {
        assert!(kinds.insert(rule.kind), "{} is there twice", rule.kind);
        let family = format!("{:?}", rule.family).to_lowercase();
        writeln!(
            text,
            "| {} | {} | {} | {family} |",
            rule.kind,
            cell(rule.doc),
            code(rule.functions)
        )
        .unwrap();
    }
    writeln!(text, "\nThe packages of the entry (`/` at the end: and all below):\n").unwrap();
    for family in [WAIT_RULES[0].family, WAIT_RULES[WAIT_RULES.len() - 1].family] {
        let name = format!("{family:?}").to_lowercase();
        writeln!(text, "- {name}: {}", code(family.packages())).unwrap();
    }
    text.push_str(
        "\nWhere no rule holds, and always for sleeping, waiting forever and what the collector and the runtime do, the \
         reason alone decides:\n\n| wait_kind | reason | meaning |\n|---|---|---|\n",
    );
    for (kind, reason, doc) in REASON_KINDS {
        writeln!(text, "| {kind} | {} | {} |", cell(reason), cell(doc)).unwrap();
    }
    text.push_str(
        "\n## Activities\n\nOn whose behalf a goroutine waits. The frame nearest to the leaf for which a rule holds decides: a query made \
         by the handler of an HTTP server is `database/sql`.\n\n| activity | meaning | functions |\n|---|---|---|\n",
    );
    for rule in ACTIVITY_RULES {
        writeln!(text, "| {} | {} | {} |", rule.activity, cell(rule.doc), code(rule.functions))
            .unwrap();
    }
    assert!(kinds.len() > 12);
    golden::check("docs/wait-kinds.md", &text).unwrap_or_else(|error| panic!("{error}"));
}

/// Asks over a small trace and returns the rows as CSV without the header, or the error.
fn ask(sql: &str) -> Result<String, String> {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/leak", "app.trace");
    let run = sandbox.gotrace(&["query", "app.trace", sql, "-f", "csv"]);
    match run.status {
        0 => Ok(run.text().lines().skip(1).collect::<Vec<_>>().join(" ")),
        _ => Err(run.stderr),
    }
}

const A: &str = "select 1 as id, 0 as start_ns, 10 as duration_ns union all select 2, 20, 10";
const B: &str = "select 7 as id, 5 as start_ns, 20 as duration_ns";
const OVERLAPPING: &str =
    "select 1 as id, 0 as start_ns, 10 as duration_ns union all select 2, 9, 10";

#[test]
fn intervals_meet_where_both_are() {
    let meet = |function: &str, a: &str, b: &str| {
        ask(&format!("select start_ns, duration_ns, a_id, b_id from {function}('{a}', '{b}')"))
    };
    assert_eq!(meet("interval_intersect", A, B).unwrap(), "5,5,1,7 20,5,2,7");
    assert_eq!(meet("interval_join", OVERLAPPING, B).unwrap(), "5,5,1,7 9,10,2,7");
    // What only touches does not meet.
    let after = "select 3 as id, 10 as start_ns, 10 as duration_ns";
    assert_eq!(meet("interval_intersect", A, after).unwrap(), "");
    let union = |a: &str| {
        ask(&format!("select start_ns, duration_ns, intervals from interval_union('{a}')")).unwrap()
    };
    assert_eq!(union(OVERLAPPING), "0,19,2");
    assert_eq!(union(A), "0,10,1 20,10,1");
    let count =
        ask(&format!("select start_ns, duration_ns, count from overlap_count('{OVERLAPPING}')"));
    assert_eq!(count.unwrap(), "0,9,1 9,1,2 10,9,1");
}

#[test]
fn groups_do_not_meet() {
    let a = "select 1 as id, 0 as start_ns, 10 as duration_ns, ''x'' as g union all select 2, 5, 10, ''y''";
    let b = "select 3 as id, 0 as start_ns, 100 as duration_ns, ''y'' as g";
    let sql = format!("select a_id, group_value from interval_intersect('{a}', '{b}', 'g')");
    assert_eq!(ask(&sql).unwrap(), "2,y");
}

#[test]
fn overlapping_intervals_are_refused_by_name() {
    let error =
        ask(&format!("select * from interval_intersect('{OVERLAPPING}', '{B}')")).unwrap_err();
    for word in ["interval_intersect(a)", "id 1 (start_ns 0, duration_ns 10)", "id 2 (start_ns 9"] {
        assert!(error.contains(word), "{error}");
    }
    let error =
        ask(&format!("select * from interval_intersect('{A}', '{OVERLAPPING}')")).unwrap_err();
    assert!(error.contains("interval_intersect(b)"), "{error}");
    let negative = "select 5 as id, 3 as start_ns, -1 as duration_ns";
    let error = ask(&format!("select * from interval_union('{negative}')")).unwrap_err();
    assert!(error.contains("id 5") && error.contains("-1"), "{error}");
    let error = ask("select * from interval_union('select 1 as start_ns')").unwrap_err();
    assert!(error.contains("no column duration_ns"), "{error}");
    let error = ask("select * from interval_union()").unwrap_err();
    assert!(error.contains("interval_union wants (intervals, by)"), "{error}");
}

#[test]
fn statements_inside_functions_are_refused_like_others() {
    for inner in [
        "delete from traces",
        "attach ''x'' as y",
        "pragma user_version = 3",
        "select load_extension(''x'')",
        "create temp table x (y)",
        "not a statement",
        "",
    ] {
        let error = ask(&format!("select * from interval_union('{inner}')")).unwrap_err();
        assert!(!error.is_empty(), "{inner}");
    }
    let endless = "with recursive n (start_ns, duration_ns) as \
                   (select 1, 1 union all select start_ns + 1, 1 from n) select * from n";
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/leak", "app.trace");
    let sql = format!("select count(*) from overlap_peaks('{endless}', 10)");
    let run = sandbox.gotrace(&["query", "app.trace", &sql, "--timeout", "500ms"]);
    assert_eq!(run.status, 1);
    assert!(run.stderr.contains("stopped after 0.5 s"), "{}", run.stderr);
}

#[test]
fn wrong_patterns_and_percentages_are_explained() {
    let error = ask("select stack_match(stack_id, '**') from waits").unwrap_err();
    assert!(error.contains("names at least one function"), "{error}");
    let error = ask("select * from mmu('stw everything')").unwrap_err();
    assert!(error.contains("got 'everything'"), "{error}");
    assert_eq!(ask("select stack_match(null, 'main.*') is null").unwrap(), "1");
}

#[test]
fn a_critical_path_has_no_gap_and_no_overlap() {
    for trace in ["go1.27/sync", "go1.27/http", "go1.22/mixed", "go1.21/sync", "go1.27/annotations"]
    {
        let sandbox = Sandbox::new();
        sandbox.copy(trace, "app.trace");
        let sql = "with steps as (
            select p.start_ns, p.duration_ns,
              lag(p.start_ns + p.duration_ns) over (order by p.start_ns) as before
            from traces t, critical_path((select min(id) from goroutines where goid = 1), 0, t.duration_ns) p
          )
          select sum(duration_ns) - (select duration_ns from traces),
            sum(before is not null and before <> start_ns), count(*) > 10
          from steps";
        let run = sandbox.gotrace(&["query", "app.trace", sql, "-f", "csv"]).expect(0);
        assert_eq!(run.text().lines().nth(1), Some("0,0,1"), "{trace}");
    }
}
