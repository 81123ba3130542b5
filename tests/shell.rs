//! `gotrace sql` without a terminal: statements on standard input.

mod committed;

use committed::run::{Run, Sandbox, finish};
use std::fs;
use std::process::Stdio;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "app.trace");
    sandbox
}

#[track_caller]
fn shell(sandbox: &Sandbox, input: &str) -> Run {
    sandbox.gotrace_with(&["sql", "app.trace"], input.into())
}

#[test]
fn statements_are_run_one_after_the_other_without_a_prompt() {
    let sandbox = sandbox();
    let run =
        shell(&sandbox, "select 1 as a,\n  ';' as b; select 2; -- the end;\nselect 3").expect(0);
    assert_eq!(run.text(), "a,b\n1,;\n2\n2\n3\n3\n");
    assert_eq!(run.stderr, "");
    assert_eq!(shell(&sandbox, "").expect(0).text(), "");
    assert_eq!(shell(&sandbox, "-- nothing\n;;\n").expect(0).text(), "");
    assert!(sandbox.left_behind().is_empty(), "{:?}", sandbox.left_behind());
}

#[test]
fn a_statement_that_fails_does_not_stop_the_others_but_makes_the_status_1() {
    let sandbox = sandbox();
    let run = shell(&sandbox, "select nowhere from goroutines;\nselect 'on' as go;\n").expect(1);
    assert_eq!(run.text(), "go\non\n");
    run.says(&["no such column: nowhere", "a statement failed"]);
    shell(&sandbox, "locks;").expect(1).says(&["canned query", ".run locks"]);
    shell(&sandbox, ".tabels\n").expect(1).says(&["did you mean '.tables'?"]);
    shell(&sandbox, "select 'open").expect(1).says(&["a statement failed"]);
}

#[test]
fn what_writes_is_refused() {
    let sandbox = sandbox();
    sandbox.gotrace(&["ingest", "app.trace"]).expect(0);
    let before = fs::read(sandbox.path("app.db")).unwrap();
    for sql in [
        "delete from traces",
        "create table x (a)",
        "attach 'other.db' as other",
        "pragma writable_schema = 1",
        "select load_extension('x')",
        "vacuum",
        "begin",
    ] {
        let input = format!("{sql};\nselect count(*) from traces;\n").into_bytes();
        let run = sandbox.gotrace_with(&["sql", "app.db"], input).expect(1);
        assert!(run.text().ends_with("\n1\n"), "{sql}: {}", run.text());
    }
    assert_eq!(fs::read(sandbox.path("app.db")).unwrap(), before);
    assert_eq!(sandbox.files(), ["app.db", "app.trace"]);
    let endless =
        "with recursive n(x) as (select 1 union all select x + 1 from n) select * from n;";
    let arguments = ["sql", "app.db", "--timeout", "200ms", "--max-rows", "0"];
    let run = sandbox.gotrace_with(&arguments, format!("select 1 where 0; {endless}").into());
    run.expect(1).says(&["stopped after 0.2 s"]);
    let arguments = ["sql", "app.db", "--max-rows", "3"];
    let run = sandbox.gotrace_with(&arguments, endless.into()).expect(1).says(&["3 rows"]);
    assert_eq!(run.text(), "x\n1\n2\n3\n");
}

#[test]
fn commands_tell_about_tables_and_queries() {
    let sandbox = sandbox();
    let run = shell(&sandbox, ".tables wait\n").expect(0);
    assert!(run.text().starts_with("goroutine_waits "), "{}", run.text());
    assert!(run.text().lines().count() >= 5 && !run.text().contains("raw_"), "{}", run.text());
    let run = shell(&sandbox, ".schema tasks\n").expect(0);
    assert!(run.text().starts_with("tasks (table): Tasks of the program"), "{}", run.text());
    assert!(
        run.text().contains("  end_ns            integer  when it was ended"),
        "{}",
        run.text()
    );
    let all = shell(&sandbox, ".schema\n").expect(0);
    assert!(all.text().contains("\ngoroutines (view): ") && !all.text().contains("\nraw_"));
    shell(&sandbox, ".schema task\n").expect(1).says(&["did you mean 'tasks'?"]);
    let run = shell(&sandbox, ".queries\n").expect(0);
    assert_eq!(run.text(), sandbox.gotrace(&["queries"]).expect(0).text());
    let run = shell(&sandbox, ".queries locks\n").expect(0);
    assert_eq!(run.text(), sandbox.gotrace(&["queries", "locks"]).expect(0).text());
    let help = shell(&sandbox, ".help\n").expect(0);
    for command in [".tables", ".schema", ".run", ".mode", ".output", ".timing", ".quit"] {
        assert!(help.text().contains(&format!("\n{command} ")) || help.text().starts_with(command));
    }
}

#[test]
fn canned_queries_run_with_parameters() {
    let sandbox = sandbox();
    let run = shell(&sandbox, ".run goroutines limit=2\n").expect(0);
    let query = ["query", "app.trace", "goroutines", "-p", "limit=2"];
    assert_eq!(run.text(), sandbox.gotrace(&query).expect(0).text());
    shell(&sandbox, ".run\n").expect(1).says(&["NAME"]);
    shell(&sandbox, ".run gorutines\n").expect(1).says(&["did you mean 'goroutines'?"]);
    shell(&sandbox, ".run goroutines limits=2\n").expect(1).says(&["did you mean 'limit'?"]);
    shell(&sandbox, ".run goroutines limit\n").expect(1).says(&["PARAMETER=VALUE"]);
    let report = shell(&sandbox, ".report\n").expect(0);
    assert_eq!(report.text(), sandbox.gotrace(&["report", "app.trace"]).expect(0).text());
}

#[test]
fn modes_and_timing_are_set_and_the_end_can_be_asked_for() {
    let sandbox = sandbox();
    let run = shell(
        &sandbox,
        ".mode jsonl\nselect 1 as a;\n.mode markdown\nselect 1 as a;\n.mode\nselect 1 as a;\n",
    );
    assert_eq!(run.expect(0).text(), "{\"a\":1}\n| a |\n| ---: |\n| 1 |\na\n1\n");
    shell(&sandbox, ".mode xml\n").expect(1).says(&["xml", "jsonl"]);
    let run = shell(&sandbox, ".timing on\nselect 1;\n.timing off\nselect 2;\n").expect(0);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    run.says(&["1 row in "]);
    for end in [".quit", ".exit", "quit", "exit;"] {
        let run = shell(&sandbox, &format!("select 1;\n{end}\nselect 2;\n")).expect(0);
        assert_eq!(run.text(), "1\n1\n", "{end}");
    }
}

#[test]
fn results_go_into_a_file_that_is_not_somebody_elses() {
    let sandbox = sandbox();
    let input = ".output a.csv\nselect 1 as a;\nselect 2 as b;\n.output\nselect 3 as c;\n";
    let run = shell(&sandbox, input).expect(0);
    assert_eq!(run.text(), "c\n3\n");
    assert_eq!(fs::read_to_string(sandbox.path("a.csv")).unwrap(), "a\n1\nb\n2\n");
    let run = shell(&sandbox, ".output a.csv\nselect 4;\n").expect(1).says(&["a.csv", "--force"]);
    assert_eq!(run.text(), "4\n4\n");
    assert_eq!(fs::read_to_string(sandbox.path("a.csv")).unwrap(), "a\n1\nb\n2\n");
    // The end of the input is the end of the file.
    shell(&sandbox, ".output --force a.csv\n.mode json\nselect 5 as d;\n").expect(0);
    assert_eq!(fs::read_to_string(sandbox.path("a.csv")).unwrap(), "[\n{\"d\":5}\n]\n");
    assert_eq!(sandbox.files(), ["a.csv", "app.trace"]);
}

#[test]
fn a_reader_that_goes_away_is_no_failure_and_wrong_use_is_told() {
    let sandbox = sandbox();
    let mut child = sandbox
        .command(&["sql", "app.trace"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let input = "select * from goroutine_events;\nselect 1;\n".repeat(10).into_bytes();
    let run = finish(child, input);
    assert_eq!((run.status, &*run.stderr), (0, ""));
    sandbox.gotrace(&["sql", "-"]).expect(2).says(&["standard input"]);
    sandbox.gotrace(&["sql", "app.trace", "--timeout", "soon"]).expect(2).says(&["--timeout"]);
    sandbox.gotrace(&["sql", "missing"]).expect(1).says(&["missing"]);
}
