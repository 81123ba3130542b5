//! Folders and patterns in the place of sources.

mod committed;

use committed::run::Sandbox;
use std::fs;

/// A folder `runs` with two traces, a profile, and what is none of these.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("runs/older")).unwrap();
    sandbox.copy("go1.27/gc", "runs/b.trace");
    // What it is is seen from the bytes.
    sandbox.copy("go1.27/sync", "runs/a.txt");
    let heap = committed::root().join("testdata/profiles/go1.27/heap.pb.gz");
    fs::copy(heap, sandbox.path("runs/heap.pb.gz")).unwrap();
    sandbox.copy("go1.27/gc", "runs/.hidden.trace");
    sandbox.copy("go1.27/gc", "runs/older/c.trace");
    sandbox.write("runs/notes.md", "# What we saw\n");
    sandbox
}

/// What a database holds.
fn held(sandbox: &Sandbox, database: &str) -> Vec<String> {
    let sql = "select source from traces union all select source from profiles";
    let run = sandbox.gotrace(&["query", database, sql, "-f", "tsv"]).expect(0);
    run.text().lines().skip(1).map(String::from).collect()
}

#[test]
fn a_folder_stands_for_the_recordings_in_it() {
    let sandbox = sandbox();
    sandbox
        .gotrace(&["ingest", "runs/"])
        .expect(0)
        .says(&["gotrace: left out what is no recording: runs/notes.md, runs/older\n"]);
    let all = ["runs/a.txt", "runs/b.trace", "runs/heap.pb.gz"];
    assert_eq!(held(&sandbox, "runs.db"), all);
    // Nothing is lost: not refused, and what is a database by then is left out.
    fs::rename(sandbox.path("runs.db"), sandbox.path("runs/all.db")).unwrap();
    let again = sandbox.gotrace(&["ingest", "--strict", "runs", "-o", "again.db"]).expect(0);
    again.says(&["runs/all.db, runs/notes.md, runs/older"]);
    assert_eq!(held(&sandbox, "again.db"), all);
    let append = ["ingest", "--append", "runs", "-o", "again.db"];
    sandbox.gotrace(&append).expect(0).says(&["runs/b.trace: is in the database already"]);
}

#[test]
fn the_folder_we_are_in_has_a_name_too() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/gc", "a.trace");
    sandbox.gotrace(&["ingest", "."]).expect(0);
    assert_eq!(sandbox.files(), ["a.trace", "work.db"]);
}

#[test]
fn a_pattern_that_no_shell_has_expanded_stands_for_what_matches() {
    let sandbox = sandbox();
    let ingest = sandbox.gotrace(&["ingest", "runs/*.t*"]).expect(0);
    assert!(!ingest.stderr.contains("left out"), "{}", ingest.stderr);
    assert_eq!(held(&sandbox, "runs/a.db"), ["runs/a.txt", "runs/b.trace"]);
    // As if the shell had named the files.
    sandbox
        .gotrace(&["ingest", "runs/*.m?", "runs/[a-b].*", "-o", "x.db"])
        .expect(0)
        .says(&["runs/notes.md: byte 0: not a Go execution trace", "loading the others"]);
    sandbox.gotrace(&["ingest", "runs/*.trace", "--strict", "-o", "y.db"]).expect(0);
    assert_eq!(held(&sandbox, "y.db"), ["runs/b.trace"]);
}

#[test]
#[cfg(unix)]
fn a_file_with_the_name_of_a_pattern_is_that_file() {
    let sandbox = sandbox();
    sandbox.copy("go1.27/gc", "runs/*.trace");
    sandbox.gotrace(&["ingest", "runs/*.trace", "-o", "x.db"]).expect(0);
    assert_eq!(held(&sandbox, "x.db"), ["runs/*.trace"]);
    // A pipe in a folder would be waited for.
    let pipe = sandbox.path("runs/pipe");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    sandbox.gotrace(&["ingest", "runs", "-o", "y.db"]).expect(0).says(&["runs/pipe"]);
}

#[test]
fn where_there_is_nothing_is_said() {
    let sandbox = sandbox();
    fs::create_dir_all(sandbox.path("empty")).unwrap();
    fs::create_dir_all(sandbox.path("texts")).unwrap();
    sandbox.write("texts/notes.md", "# What we saw\n");
    sandbox.write("texts/.hidden", "");
    for (name, want) in [
        ("empty", "gotrace: empty: it is an empty directory\n"),
        ("texts", "gotrace: texts: there is no recording in this directory, only something else\n"),
        ("runs/*.none", "gotrace: runs/*.none: no file matches this pattern\n"),
        ("e*", "gotrace: e*: what matches this pattern are directories without recordings\n"),
        ("none", "gotrace: none: no such file\n"),
    ] {
        sandbox.gotrace(&["ingest", name, "-o", "x.db"]).expect(1).says(&[want]);
        sandbox.gotrace(&["profile", "-top", name]).expect(1).says(&[want]);
    }
    assert!(!sandbox.path("x.db").exists());
    // Who takes one source says who takes several.
    sandbox
        .gotrace(&["report", "runs"])
        .expect(1)
        .says(&["runs: is a directory", "gotrace ingest"]);
}

#[test]
fn the_profiles_of_a_folder_are_merged() {
    let sandbox = sandbox();
    let one = sandbox.gotrace(&["profile", "-raw", "runs"]).expect(0);
    let want = "left out what is no recording: runs/a.txt, runs/b.trace, runs/notes.md, runs/older";
    assert!(
        one.stderr.contains(want),
        "a trace has no profile before it is measured: {}",
        one.stderr
    );
    let alone = sandbox.gotrace(&["profile", "-raw", "runs/heap.pb.gz"]).expect(0);
    assert_eq!(one.stdout, alone.stdout);
    fs::copy(sandbox.path("runs/heap.pb.gz"), sandbox.path("runs/heap2.pb.gz")).unwrap();
    let both = ["runs/heap.pb.gz", "runs/heap2.pb.gz"];
    let named = sandbox.gotrace(&["top", both[0], both[1]]).expect(0);
    assert_eq!(sandbox.gotrace(&["top", "runs"]).expect(0).stdout, named.stdout);
    assert_eq!(sandbox.gotrace(&["top", "runs/*.pb.gz"]).expect(0).stdout, named.stdout);
    // Bases are sources.
    let diff = sandbox.gotrace(&["top", "runs", "-diff_base", "runs/h*.gz"]).expect(0);
    assert!(diff.text().contains("Showing nodes accounting for 0"), "{}", diff.text());

    // With a type to measure, the traces are.
    for name in ["runs/heap.pb.gz", "runs/heap2.pb.gz"] {
        fs::remove_file(sandbox.path(name)).unwrap();
    }
    let types = ["profile", "-raw", "--type", "sync"];
    let folder = sandbox.gotrace(&[&types[..], &["runs"]].concat()).expect(0);
    let traces = [&types[..], &["runs/a.txt", "runs/b.trace"]].concat();
    assert_eq!(folder.stdout, sandbox.gotrace(&traces).expect(0).stdout);
}
