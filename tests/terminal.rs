//! Text of others neither acts on a terminal nor breaks a picture.

#![cfg(unix)]

mod committed;

use committed::run::{Sandbox, finish};
use committed::{Trace, pty};
use std::fs;
use std::process::{Command, Stdio};

/// What acts: colours, a title, C1 as a letter and as a byte, a turned direction, a new line.
const HOSTILE: &[&[u8]] = &[
    b"\x1b[31m",
    b"\x1b]0;title\x07",
    b"\xc2\x85",
    b"\x9b31m",
    b"\xe2\x80\xae",
    b"\r\x08\x7f",
    b"\xef\xbf\xbe",
    b"\xe2\x80\x8b",
    b"\xe2\x81\xa6",
    b"\xef\xbb\xbf",
];

/// A profile all of whose texts are hostile.
fn hostile_profile() -> Vec<u8> {
    fn field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
        out.extend([number << 3 | 2, bytes.len() as u8]);
        out.extend(bytes);
    }
    let mut out = Vec::new();
    field(&mut out, 1, b"\x08\x01\x10\x02"); // sample_type: samples, count
    field(&mut out, 2, b"\x0a\x02\x01\x02\x12\x01\x07\x1a\x04\x08\x05\x10\x06"); // sample, with a label
    field(&mut out, 2, b"\x0a\x01\x02\x12\x01\x03");
    field(&mut out, 3, b"\x08\x01\x10\x01\x18\x09\x28\x07\x30\x08"); // mapping: file, build id
    for id in [1u8, 2] {
        field(&mut out, 4, &[8, id, 0x10, 1, 0x18, id, 0x22, 4, 8, id, 0x10, 9]); // location
        field(&mut out, 5, &[8, id, 0x10, id + 2, 0x18, id + 2, 0x20, 7]); // function
    }
    field(&mut out, 13, &[8]); // comment
    let all = HOSTILE.concat();
    let texts: [&[u8]; 9] =
        [b"", b"samples", b"count", b"main.a", b"main.b", b"key", b"value", b"file", b"build"];
    for (at, text) in texts.iter().enumerate() {
        let hostile = if at > 2 { &all[..] } else { b"" };
        field(&mut out, 6, &[text, hostile].concat());
    }
    out
}

/// A trace with hostile names of tasks, regions, functions and files: bytes of the same number in
/// place of others.
fn hostile_trace() -> Vec<u8> {
    let mut bytes = Trace::new("go1.27/mixed").bytes();
    for (name, hostile) in [
        (&b"price"[..], &b"\x1b[31m"[..]),
        (b"journal", b"\xc2\x85\xe2\x80\xae\x9b3"),
        (b"main.run.func1", b"main.\x1b]0;x\x07\x08\x08\x08"),
        (b"programs/mixed/main.go", b"\x1b[2Jrams/mixed/\x1bain.go"),
        (b"main.(*shop).work", b"main.(*s\x1b[1m.work"),
    ] {
        assert_eq!(name.len(), hostile.len());
        let mut count = 0;
        for at in 0..bytes.len() - name.len() {
            if bytes[at..].starts_with(name) {
                bytes[at..at + name.len()].copy_from_slice(hostile);
                count += 1;
            }
        }
        assert!(count > 0, "{}", String::from_utf8_lossy(name));
    }
    bytes
}

/// Runs a command whose output and messages go to a terminal; gives what reached it.
fn on_terminal(sandbox: &Sandbox, words: &[&str]) -> Vec<u8> {
    // Without the colours that the report itself has.
    let prepare = |command: &mut Command, _: &dyn Fn() -> Stdio| {
        command.env("NO_COLOR", "1");
    };
    pty::on_terminal(sandbox, words, (0, 0), prepare).0
}

/// What would act on the terminal, without what the progress bar does.
fn acting(out: &[u8]) -> Option<String> {
    let mut text = match String::from_utf8(out.to_vec()) {
        Ok(text) => text,
        Err(error) => return Some(format!("not UTF-8: {error}")),
    };
    for own in ["\r\x1b[2K", "\x1b[1A", "\x1b[2K"] {
        text = text.replace(own, "");
    }
    // Of letters that are no control characters, those that are not seen (Unicode's category Cf).
    let is_unseen = |c: char| {
        matches!(u32::from(c), 0xad | 0x61c | 0x180e | 0x200b | 0x200e | 0x200f | 0x2028..=0x202e | 0x2060..=0x206f)
            || matches!(u32::from(c), 0xfeff | 0xfff9..=0xfffb | 0xfffe | 0xffff | 0xe0000..=0xe007f)
    };
    let acts = |c: &char| (c.is_control() && !"\n\t\r".contains(*c)) || is_unseen(*c);
    // A line ends with \r\n there; another \r is none of the terminal's.
    let text = text.replace("\r\n", "\n");
    let found = text.chars().find(|c| acts(c) || *c == '\r')?;
    let at = text.find(found).unwrap();
    let start = (0..=at.saturating_sub(40)).rev().find(|&at| text.is_char_boundary(at)).unwrap();
    Some(format!("{found:?} behind {:?}", &text[start..at]))
}

/// Command lines over the hostile profile `p`, trace `t`, and database `d` of both.
fn command_lines(sandbox: &Sandbox) -> Vec<Vec<String>> {
    let mut lines: Vec<Vec<String>> = Vec::new();
    let mut add = |line: &str| lines.push(line.split(' ').map(String::from).collect());
    for view in [
        "top",
        "tree",
        "peek .",
        "list .",
        "traces",
        "tags",
        "raw",
        "dot",
        "comments",
        "folded",
        "callgrind",
        "text",
    ] {
        add(&format!("profile {view} p"));
        add(&format!("profile {view} d"));
    }
    for view in ["top", "traces", "dot"] {
        add(&format!("profile {view} --type wall t"));
        add(&format!("profile {view} -f json p"));
    }
    for line in [
        "profile flame p",
        "profile graph p",
        "profile proto p",
        "profile top nosuch\x1b[31m",
        "profile top -f csv p",
        "profile p",
        "info t",
        "info p",
        "info d",
        "info -f json t",
        "info -f json p",
        "report t",
        "report -f markdown t",
        "report -f json t",
        "report --html t",
        "events t",
        "events -f jsonl t",
        "events --wire t",
        "events --kind x\x1b[31m t",
        "export csv t goroutines",
        "export jsonl t tasks",
        "export csv t \x1b[31m",
        "export chrome t -o -",
        "export perfetto t -o -",
        "export events t",
        "export pprof t -t sync -o -",
        "queries",
        "queries gc",
        "queries \x1b[31m",
        "ingest t p -o x.db",
        "ingest nosuch\x1b[31m",
        "\x1b[31m",
        "open \x1b[31m",
        "web \x1b[31m",
        "web --http \x1b[31m t",
        "completions bash",
        "man",
        "sql d",
        "sql \x1b[31m",
        "query d \x1b[31m",
        "profile top p --focus \x1b[31m",
    ] {
        add(line);
    }
    let queries = sandbox.gotrace(&["queries"]).expect(0);
    for name in queries.text().lines().filter_map(|line| line.split(' ').next()) {
        let needs = sandbox.gotrace(&["queries", name]).expect(0);
        let parameters: Vec<&str> = match needs.text().contains("goid") {
            true => vec!["-p", "goid=1"],
            false => vec![],
        };
        for format in ["table", "csv", "markdown"] {
            let line = ["query", "d", name, "-f", format];
            lines.push(line.iter().chain(&parameters).map(|word| word.to_string()).collect());
        }
    }
    for format in ["table", "csv", "tsv", "json", "jsonl", "markdown"] {
        let sql = "select name as \"a\x1b[31mb\", file, stack(1) from functions";
        lines.push(["query", "d", sql, "-f", format].map(String::from).to_vec());
    }
    lines.push(["query", "d", "select '\x1b[31m'", "-f", "raw"].map(String::from).to_vec());
    lines.push(["query", "d", "select \x1b[31m from \u{202e}"].map(String::from).to_vec());
    lines
}

fn hostile_sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("p", hostile_profile());
    sandbox.write("t", hostile_trace());
    sandbox.gotrace(&["ingest", "t", "p", "-o", "d"]).expect(0);
    sandbox
}

#[test]
fn no_text_of_others_acts_on_a_terminal() {
    let sandbox = hostile_sandbox();
    let lines = command_lines(&sandbox);
    // No command is forgotten.
    let help = sandbox.gotrace(&["--help"]).expect(0);
    let commands = help.text().split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    for command in commands.lines().filter_map(|line| line.split_whitespace().next()) {
        assert!(command == "help" || lines.iter().any(|line| line[0] == command), "{command}");
    }
    committed::check_all(
        &lines,
        |line| line.join(" "),
        |line| {
            let words: Vec<&str> = line.iter().map(String::as_str).collect();
            let out = on_terminal(&sandbox, &words);
            acting(&out).map_or(Ok(()), Err)
        },
    );
    for words in [
        ["profile", "top", "p"],
        ["query", "d", "select name from functions"],
        ["query", "d", "creators"],
    ] {
        let out = on_terminal(&sandbox, &words);
        assert!(String::from_utf8_lossy(&out).contains("\\x1b"), "{words:?} shows nothing hostile");
    }
}

#[test]
fn colours_of_a_report_are_its_own_and_only_where_they_are_wanted() {
    let sandbox = hostile_sandbox();
    sandbox.copy("go1.27/boundary", "app.trace");
    let report = |trace: &str, color: &str, environment: &[(&str, &str)]| {
        let words = ["report", trace, "--color", color];
        let (out, status) = pty::on_terminal(&sandbox, &words, (100, 50), |command, _| {
            command.env_remove("NO_COLOR").env("TERM", "xterm");
            command.envs(environment.iter().copied());
        });
        assert_eq!(status, Some(0), "{words:?}");
        String::from_utf8(out).unwrap()
    };
    for trace in ["app.trace", "t"] {
        let plain = report(trace, "never", &[]);
        assert!(!plain.contains('\x1b'), "{plain}");
        let colored = report(trace, "auto", &[]);
        assert!(colored.contains("\x1b[1mWHAT IT DID\x1b[0m"), "{colored}");
        // Text of others that reached the terminal as it is would be missing here.
        let codes = ["\x1b[0m", "\x1b[1m", "\x1b[31m"];
        let without = codes.iter().fold(colored.clone(), |text, code| text.replace(code, ""));
        assert_eq!(without, plain, "{trace}");
        assert_eq!(report(trace, "always", &[("TERM", "dumb")]), colored);
        assert_eq!(report(trace, "auto", &[("NO_COLOR", "1")]), plain);
        assert_eq!(report(trace, "auto", &[("TERM", "dumb")]), plain);
    }
    let colored = report("app.trace", "auto", &[]);
    assert!(colored.contains("[long-pauses] \x1b[31m"), "{colored}");
    // Not on a terminal there are none.
    let run = sandbox.gotrace(&["report", "app.trace"]).expect(0);
    assert!(!run.text().contains('\x1b'));
}

#[test]
fn into_a_pipe_the_bytes_are_what_they_are() {
    let sandbox = hostile_sandbox();
    for (line, want) in [
        ("profile raw p", &b"main.a\x1b[31m"[..]),
        ("export csv d functions", b"main.a\x1b[31m"),
        ("events t", b"\x1b]0;x\x07"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let out = sandbox.gotrace(&words).expect(0).stdout;
        assert!(out.windows(want.len()).any(|bytes| bytes == want), "{line}");
    }
}

#[test]
fn what_is_not_for_people_does_not_go_to_a_terminal() {
    let sandbox = hostile_sandbox();
    for (line, file) in [
        ("profile graph p", "profile001.svg"),
        ("profile flame p", "profile002.svg"),
        ("profile proto p", "profile001.pb.gz"),
        ("profile -topproto p", "profile002.pb.gz"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let out = String::from_utf8(on_terminal(&sandbox, &words)).unwrap();
        assert!(out.contains(&format!("Generating report in {file}")), "{line}: {out}");
        assert!(!out.contains("<svg") && sandbox.path(file).exists(), "{line}: {out}");
    }
    for line in [
        "report --html t",
        "export perfetto t -o -",
        "export pprof t -t sync -o -",
        "query d SQL -f raw",
    ] {
        let sql = "select pprof(1, 'a', 'b', 1)";
        let words: Vec<&str> =
            line.split(' ').map(|word| if word == "SQL" { sql } else { word }).collect();
        let out = String::from_utf8(on_terminal(&sandbox, &words)).unwrap();
        assert!(out.contains("not for a terminal; -o FILE"), "{line}: {out}");
        // A pipe takes it.
        sandbox.gotrace(&words).expect(0);
    }
}

#[test]
fn every_picture_is_well_formed_whatever_the_names() {
    let sandbox = hostile_sandbox();
    for line in [
        "profile graph p",
        "profile graph -f svg --call-tree p",
        "profile flame p",
        "profile flame --color-by package p",
        "profile flame --icicle=false p",
        "profile folded -f svg p",
        "profile flame --base p2 p",
        "profile graph --diff-base p2 p",
        "profile flame --type wall --color-by state t",
        "profile graph --type wall t",
    ] {
        fs::copy(sandbox.path("p"), sandbox.path("p2")).unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let run = finish(sandbox.command(&words).spawn().unwrap(), Vec::new());
        if line.contains("base") && run.stderr.contains("no samples") {
            continue;
        }
        let run = run.expect(0);
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        let picture = roxmltree::Document::parse_with_options(run.text(), options)
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(picture.root_element().tag_name().name(), "svg", "{line}");
        let text: String = picture.descendants().filter_map(|node| node.text()).collect();
        assert!(text.contains("\\x1b"), "{line}: the names are not in it");
    }
}
