//! Tables on a terminal are no wider than it is.

#![cfg(unix)]

mod committed;

use committed::pty;
use committed::run::Sandbox;
use std::process::Stdio;
use unicode_width::UnicodeWidthStr;

/// Runs a command at a terminal of so many columns and lines; what it showed, line by line.
fn on_terminal(sandbox: &Sandbox, words: &[&str], size: (u16, u16), pager: &str) -> Vec<String> {
    let (out, status) = pty::on_terminal(sandbox, words, size, |command, terminal| {
        command.env("PAGER", pager).stdin(terminal()).stderr(Stdio::null());
    });
    assert_eq!(status, Some(0), "{words:?}");
    String::from_utf8(out).unwrap().lines().map(String::from).collect()
}

fn with_database() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "app.trace");
    sandbox.gotrace(&["ingest", "app.trace", "-o", "d"]).expect(0);
    sandbox
}

/// What is named below a table. It is text, which may be longer than a line.
fn is_note(line: &str) -> bool {
    line.starts_with("empty or 0 in all rows: ") || line.starts_with("no room for: ")
}

#[test]
fn canned_queries_fit_the_terminal_with_all_their_rows() {
    let sandbox = with_database();
    let list = sandbox.gotrace(&["queries"]).expect(0);
    let names: Vec<&str> =
        list.text().lines().map(|line| line.split(' ').next().unwrap()).collect();
    let plain =
        ["goroutines", "locks", "channels", "syscalls", "gc", "network", "creators", "blocking"];
    assert!(plain.iter().all(|name| names.contains(name)));
    for name in plain {
        let csv = sandbox.gotrace(&["query", "d", name, "-f", "csv"]).expect(0);
        let whole = csv.text().lines().count() - 1;
        for width in [80, 100, 200] {
            let lines = on_terminal(&sandbox, &["query", "d", name], (width, 1000), "cat");
            let table: Vec<&String> = lines.iter().filter(|line| !is_note(line)).collect();
            for line in &table {
                assert!(line.width() <= usize::from(width), "{name} at {width}: {line}");
            }
            // Below the title and its line; stacks have a line for each frame.
            assert!(whole == 0 || table.len() >= whole + 2, "{name} at {width}: {lines:#?}");
        }
    }
}

#[test]
fn a_report_is_as_wide_as_the_terminal_where_it_can_be_broken() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/boundary", "app.trace");
    let words = ["report", "app.trace", "--color", "never"];
    let mut longest = Vec::new();
    for width in [80, 100, 120, 200] {
        let lines = on_terminal(&sandbox, &words, (width, 1000), "cat");
        // Frames of stacks, commands and headlines are not broken.
        let is_breakable = |line: &&String| {
            !line.starts_with("       ")
                && !line.starts_with("  1. ")
                && !line.starts_with("app.trace")
        };
        let breakable: Vec<&String> = lines.iter().filter(is_breakable).collect();
        let most = breakable.iter().map(|line| line.width()).max().unwrap();
        assert!(most <= usize::from(width).min(160), "{width}: {breakable:#?}");
        longest.push(most);
    }
    assert!(longest.is_sorted() && longest[0] < longest[2], "{longest:?}");
}

#[test]
fn what_does_not_fit_is_named_and_can_be_had() {
    let sandbox = with_database();
    let lines = on_terminal(&sandbox, &["query", "d", "goroutines"], (80, 1000), "cat");
    let last = lines.last().unwrap();
    assert!(last.starts_with("no room for: ") && last.contains("p99_total_ns"), "{last}");
    let wide = on_terminal(&sandbox, &["query", "d", "goroutines", "--wide"], (80, 1000), "cat");
    assert!(wide[0].contains("p99_total_ns") && !wide.iter().any(|line| line.contains("no room")));
    let vertical =
        on_terminal(&sandbox, &["query", "d", "goroutines", "-f", "vertical"], (80, 1000), "cat");
    assert!(
        vertical[0] == "── row 1 ──"
            && vertical.iter().any(|line| line.starts_with("p99_total_ns "))
    );
    // Into a pipe all of it goes, whatever the terminal.
    let piped = sandbox.gotrace(&["query", "d", "goroutines", "-f", "table"]).expect(0);
    assert!(piped.text().lines().next().unwrap().contains("p99_total_ns"));
}

#[test]
fn long_results_go_through_the_pager() {
    let sandbox = with_database();
    let sql =
        "with recursive n(value) as (select 1 union all select value + 1 from n where value < 40)
               select * from n";
    let pager = "sed s/^/paged:/";
    let paged = on_terminal(&sandbox, &["query", "d", sql], (80, 20), pager);
    assert!(paged.len() >= 42 && paged.iter().all(|line| line.starts_with("paged:")), "{paged:?}");
    for (words, rows) in [(&["query", "d", sql][..], 100), (&["query", "d", sql, "--no-pager"], 20)]
    {
        let lines = on_terminal(&sandbox, words, (80, rows), pager);
        assert!(lines.iter().all(|line| !line.starts_with("paged:")), "{lines:?}");
    }
    // What cannot be run loses nothing.
    for pager in ["/no/such/pager", ""] {
        let lines = on_terminal(&sandbox, &["query", "d", sql], (80, 20), pager);
        assert_eq!(lines.last().map(|line| line.trim()), Some("40"), "{pager}");
    }
}
