//! What the tests take for test data.

mod committed;

use committed::{profiles, root, traces_in};
use std::fs;
use std::path::Path;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

#[test]
fn what_was_not_recorded_here_is_no_test_data_wherever_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let testdata = folder.path();
    for part in ["traces/go1.21", "traces/go1.27", "profiles", "expected/go1.21", "expected/go1.27"]
    {
        copy(&root().join("testdata").join(part), &testdata.join(part));
    }
    let found = || {
        let traces = traces_in(testdata).into_iter().map(|trace| trace.path);
        traces.chain(profiles::paths_in(testdata)).collect::<Vec<_>>()
    };
    let before = found();
    assert!(before.len() > 60, "{before:?}");
    for name in [
        "mixed.db",
        "mine.trace",
        "notes.txt",
        ".DS_Store",
        ".gotrace-x.tmp",
        "gc.trace~",
        "heap9.pb.gz",
    ] {
        for place in ["traces", "traces/go1.21", "traces/go1.27", "profiles", "profiles/go1.27"] {
            fs::write(testdata.join(place).join(name), "no trace").unwrap();
        }
    }
    fs::create_dir(testdata.join("traces/go1.27/folder.trace")).unwrap();
    assert_eq!(found(), before);
}

#[test]
fn everything_that_ends_as_a_trace_does_is_expected_in_a_clean_clone() {
    // A trace without its expectations would be left out in silence.
    let Ok(listed) = std::process::Command::new("git")
        .args(["ls-files", "testdata/traces", "testdata/profiles"])
        .current_dir(root())
        .output()
    else {
        return;
    };
    let listed = String::from_utf8(listed.stdout).unwrap();
    let count = |ending: &str| listed.lines().filter(|line| line.ends_with(ending)).count();
    if listed.is_empty() {
        // Not a clone.
        return;
    }
    assert_eq!(traces_in(&root().join("testdata")).len(), count(".trace"));
    assert_eq!(profiles::paths().len(), count(".pb.gz"));
}
