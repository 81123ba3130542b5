//! What is written to disk: whole or not at all, and nothing is left behind.
#![cfg(unix)]

mod committed;

use committed::Trace;
use committed::run::{Run, Sandbox, finish, listening};
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A command that reads a trace that never ends, from standard input, and has begun with it.
fn endless(sandbox: &Sandbox, arguments: &[&str]) -> (Child, ChildStdin) {
    let mut command = sandbox.command(arguments);
    let command = listening(command.stdin(Stdio::piped()).stdout(Stdio::null()));
    let mut child = command.spawn().unwrap();
    let mut feed = child.stdin.take().unwrap();
    let bytes = Trace::new("go1.27/mixed").bytes();
    feed.write_all(&bytes[..bytes.len() / 2]).unwrap();
    (child, feed)
}

fn wait_for(what: &str, is_there: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_there() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(2));
    }
}

fn send(child: &Child, signal: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
}

/// The commands that load a trace, from standard input.
const LOADING: &[&[&str]] = &[
    &["ingest", "-", "-o", "app.db"],
    &["query", "-", "goroutines"],
    &["report", "-"],
    &["export", "csv", "-", "goroutines", "-o", "app.csv"],
];

#[test]
fn a_signal_leaves_nothing_behind_and_ends_with_its_status() {
    for &arguments in LOADING {
        for (signal, status) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129), ("-QUIT", 131)] {
            let sandbox = Sandbox::new();
            let (child, feed) = endless(&sandbox, arguments);
            let is_there = || !sandbox.left_behind().is_empty() || !sandbox.files().is_empty();
            wait_for("there is a temporary file", is_there);
            send(&child, signal);
            finish(child, Vec::new()).expect(status);
            drop(feed);
            assert_eq!(sandbox.files(), [""; 0], "{arguments:?} {signal}");
            assert_eq!(sandbox.left_behind(), [""; 0], "{arguments:?} {signal}");
        }
    }
}

#[test]
fn what_a_killed_program_left_goes_with_the_next_and_nothing_else() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "app.trace");
    let (mut killed, feed) = endless(&sandbox, LOADING[0]);
    let temporary =
        |count| sandbox.files().iter().filter(|name| name.ends_with(".tmp")).count() == count;
    wait_for("there is a temporary file", || temporary(1));
    killed.kill().unwrap();
    killed.wait().unwrap();
    drop(feed);
    assert!(temporary(1));
    // One that lives, and what others have called so.
    let (living, feed) = endless(&sandbox, LOADING[0]);
    wait_for("the first one's file is gone, the second one's is there", || temporary(1));
    sandbox.write(".gotrace-notes.tmp", "notes");
    fs::create_dir(sandbox.path(".gotrace-mine.tmp")).unwrap();
    sandbox.write(".gotrace-mine.tmp/notes", "notes");
    fs::create_dir(sandbox.path(".gotrace-empty.tmp")).unwrap();
    sandbox.gotrace(&["ingest", "app.trace", "-o", "other.db"]).expect(0);
    let left = sandbox.files();
    for name in [".gotrace-notes.tmp", ".gotrace-mine.tmp"] {
        assert!(left.iter().any(|file| file == name), "{left:?}");
    }
    assert!(sandbox.path(".gotrace-mine.tmp/notes").exists());
    assert!(temporary(3), "the living one's is there: {left:?}");
    drop(feed);
    finish(living, Vec::new()).expect(0);
    assert!(sandbox.path("app.db").exists());
}

fn limited(sandbox: &Sandbox, blocks: u32, arguments: &[&str]) -> Run {
    let program = env!("CARGO_BIN_EXE_gotrace");
    let command = format!("ulimit -f {blocks}; exec '{program}' {}", arguments.join(" "));
    let mut shell = Command::new("sh");
    shell.args(["-c", &command]).current_dir(sandbox.folder());
    shell.env("TMPDIR", sandbox.folder().parent().unwrap().join("tmp"));
    shell.stdin(Stdio::null());
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(shell.spawn().unwrap(), Vec::new())
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_that_names_the_file() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "app.trace");
    for blocks in [1, 100, 400] {
        limited(&sandbox, blocks, &["ingest", "app.trace"])
            .expect(1)
            .says(&["app.db: ", "removed"]);
        limited(&sandbox, blocks, &["query", "app.trace", "goroutines"])
            .expect(1)
            .says(&["TMPDIR"]);
    }
    limited(&sandbox, 1, &["events", "app.trace", "-o", "e.txt"]).expect(2);
    limited(&sandbox, 1, &["export", "chrome", "app.trace", "-o", "e.json"])
        .expect(1)
        .says(&["e.json: "]);
    assert_eq!(sandbox.files(), ["app.trace"]);
    assert_eq!(sandbox.left_behind(), [""; 0]);
}

#[test]
fn errors_name_the_folder_or_file_and_no_temporary_one() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "app.trace");
    let run = sandbox.gotrace(&["ingest", "app.trace", "-o", "none/app.db"]).expect(1);
    assert_eq!(run.stderr, "gotrace: none: no such folder\n");
    let run = sandbox.gotrace(&["ingest", "app.trace", "-o", "app.trace/app.db"]).expect(1);
    assert_eq!(run.stderr, "gotrace: app.trace: is no folder\n");
    sandbox.gotrace(&["export", "csv", "app.trace", "goroutines", "-o", "g.csv"]).expect(0);
    let run =
        sandbox.gotrace(&["export", "csv", "app.trace", "goroutines", "-o", "g.csv"]).expect(1);
    assert_eq!(run.stderr, "gotrace: g.csv: exists; --force overwrites it\n");
}

#[test]
fn a_new_file_has_the_mode_that_the_user_s_files_get() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "app.trace");
    let mine = fs::metadata(sandbox.write("mine", "")).unwrap().mode();
    sandbox.gotrace(&["ingest", "app.trace"]).expect(0);
    assert_eq!(fs::metadata(sandbox.path("app.db")).unwrap().mode(), mine);
}
