//! Manual pages, and what shells complete.

mod committed;

use committed::run::Sandbox;
use std::fs;

#[test]
fn every_command_has_a_page() {
    let sandbox = Sandbox::new();
    let first = sandbox.gotrace(&["man"]).expect(0);
    assert!(first.text().contains(".TH gotrace 1 "), "{}", first.text());
    for (words, title) in [
        (&["man", "profile"][..], ".TH gotrace-profile 1  \"gotrace "),
        (&["man", "export", "perfetto"], ".TH gotrace-export-perfetto 1  \"gotrace "),
    ] {
        let page = sandbox.gotrace(words).expect(0);
        assert!(page.text().contains(title), "{}", page.text());
        assert!(page.text().contains("\n.SH OPTIONS\n"), "{}", page.text());
    }
    sandbox.gotrace(&["man", "-o", "deep/man"]).expect(0);
    let pages: Vec<_> = fs::read_dir(sandbox.path("deep/man")).unwrap().collect();
    // Each page names those below it.
    let mut named = vec!["gotrace(1)".to_owned()];
    for page in &pages {
        let text = fs::read_to_string(page.as_ref().unwrap().path()).unwrap();
        let text = text.replace("\\-", "-");
        named.extend(text.lines().filter(|line| line.ends_with("(1)")).map(String::from));
    }
    named.sort();
    let mut written: Vec<String> = pages
        .iter()
        .map(|page| page.as_ref().unwrap().file_name().into_string().unwrap())
        .map(|name| name.replace(".1", "(1)"))
        .collect();
    written.sort();
    assert_eq!(written, named);
    assert!(written.len() > 15, "{written:?}");
    let page = fs::read(sandbox.path("deep/man/gotrace.1")).unwrap();
    assert_eq!(page, first.stdout);
}

#[test]
fn only_own_pages_are_overwritten() {
    let sandbox = Sandbox::new();
    sandbox.gotrace(&["man", "-o", "man"]).expect(0);
    let own = fs::read(sandbox.path("man/gotrace.1")).unwrap();
    sandbox.write("man/gotrace.1", [&own[..], b"older"].concat());
    sandbox.write("man/gotrace-query.1", "of another");
    sandbox.gotrace(&["man", "-o", "man"]).expect(1).says(&["gotrace-query.1", "--force"]);
    assert_ne!(fs::read(sandbox.path("man/gotrace.1")).unwrap(), own, "none is written then");
    sandbox.gotrace(&["man", "-o", "man", "--force"]).expect(0);
    assert_eq!(fs::read(sandbox.path("man/gotrace.1")).unwrap(), own);
    fs::remove_file(sandbox.path("man/gotrace-query.1")).unwrap();
    sandbox.write("man/gotrace.1", [&own[..], b"older"].concat());
    sandbox.gotrace(&["man", "-o", "man"]).expect(0);
    assert_eq!(fs::read(sandbox.path("man/gotrace.1")).unwrap(), own);
}

#[test]
fn a_page_that_is_not_there_is_told_with_the_nearest() {
    let sandbox = Sandbox::new();
    for (words, hint) in [
        (&["man", "profil"][..], "did you mean 'profile'?"),
        (&["man", "export", "perfeto"], "did you mean 'perfetto'?"),
        (&["man", "query", "gc"], "gotrace query has none below it"),
        (&["man", "export", "zzzzzzzz"], "gotrace export has perfetto, chrome"),
    ] {
        sandbox.gotrace(words).expect(2).says(&["no such command", hint]);
    }
}

/// What bash offers for the last word of a command line; `None` where there is no bash.
#[cfg(unix)]
fn offered(sandbox: &Sandbox, words: &[&str]) -> Option<Vec<String>> {
    use std::path::Path;
    use std::process::{Command, Stdio};
    let script = "source <(gotrace completions bash)
        complete -p gotrace > /dev/null || exit 3
        COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9
        _clap_complete_gotrace gotrace \"${@: -1}\" \"${@: -2:1}\"
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let folder = Path::new(env!("CARGO_BIN_EXE_gotrace")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let child = Command::new("bash")
        .args(["--norc", "-c", script, "bash"])
        .args(words)
        .current_dir(sandbox.folder())
        .env("PATH", path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = match child {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        child => child.unwrap(),
    };
    let run = committed::run::finish(child, Vec::new()).expect(0);
    assert_eq!(run.stderr, "");
    Some(run.text().lines().filter(|line| !line.is_empty()).map(String::from).collect())
}

#[cfg(unix)]
#[test]
fn bash_completes_names_and_files() {
    let sandbox = Sandbox::new();
    sandbox.write("topmost.trace", "");
    fs::create_dir(sandbox.path("folder")).unwrap();
    for (line, wanted) in [
        ("quer", &["query", "queries"][..]),
        ("topm", &["topmost.trace"]),
        ("query x gor", &["goroutine", "goroutines", "goroutine-profile"]),
        ("query x --strict gor", &["goroutine", "goroutines", "goroutine-profile"]),
        ("query top", &["topmost.trace"]),
        ("query x goroutine -p go", &["goid="]),
        ("query x gc -p go", &[]),
        ("queries lock-", &["lock-contention"]),
        ("profile topp", &["topproto"]),
        ("profile to", &["top", "topproto", "topmost.trace"]),
        ("profile top to", &["topmost.trace"]),
        ("profile --force top to", &["topmost.trace"]),
        ("export csv x goroutine_w", &["goroutine_waits"]),
        ("export jsonl x goroutine_w", &["goroutine_waits"]),
        ("export csv topm", &["topmost.trace"]),
        ("export perfetto topm", &["topmost.trace"]),
        ("report fol", &["folder/"]),
        ("report topmost.trace --form", &["--format"]),
        ("report topmost.trace --format ht", &["html"]),
        ("man expor", &["export"]),
    ] {
        let words: Vec<&str> = std::iter::once("gotrace").chain(line.split(' ')).collect();
        let Some(mut offered) = offered(&sandbox, &words) else { return };
        let mut wanted = wanted.to_vec();
        offered.sort();
        wanted.sort();
        assert_eq!(offered, wanted, "{line}");
    }
    // SQL is typed without anything being in its way.
    assert_eq!(offered(&sandbox, &["gotrace", "query", "x", "select go"]), Some(Vec::new()));
}

#[test]
fn every_shell_has_a_script_that_asks() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = sandbox.gotrace(&["completions", shell]).expect(0);
        assert!(script.text().contains("GOTRACE_COMPLETE"), "{shell}: {}", script.text());
    }
    // Words that are not offered are none the worse for it.
    sandbox.gotrace(&["queries", "gorutines"]).expect(2).says(&["did you mean 'goroutines'?"]);
}
