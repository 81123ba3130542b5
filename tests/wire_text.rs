//! `gotrace events --wire`, and its text read back into a trace.

mod committed;

use committed::run::{Run, Sandbox};
use committed::{Trace, event_text, source_of, traces};
use gotrace::export::write_wire_text;
use gotrace::wire::v2::raw::{RawEvent, RawReader};
use gotrace::wire::v2::{RawTrace, parse_text};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{BufRead, BufReader};

/// Runs gotrace in a folder of its own.
fn gotrace(arguments: &[&str]) -> Run {
    Sandbox::new().gotrace(arguments)
}

/// Standard output of a run that must succeed and say nothing.
fn output(arguments: &[&str]) -> String {
    let run = gotrace(arguments).expect(0);
    assert_eq!(run.stderr, "");
    run.text().to_owned()
}

/// The path of a trace, such as `go1.27/gc`.
fn trace(name: &str) -> String {
    Trace::new(name).path.to_str().unwrap().to_owned()
}

fn v2_traces() -> Vec<Trace> {
    traces().into_iter().filter(|trace| !trace.is_v1()).collect()
}

/// Traces whose events Go's raw reader refuses: before 1.26 it does not know the AllocFree events.
const REFUSED_BY_GO: [&str; 3] = ["go1.23/allocfree", "go1.24/allocfree", "go1.25/allocfree"];

fn raw_events(bytes: &[u8]) -> Vec<RawEvent> {
    let mut reader = RawReader::new(source_of(bytes)).unwrap();
    let mut events = Vec::new();
    while let Ok(true) = reader.next_event() {
        events.push(reader.event().clone());
    }
    events
}

fn wire_text(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    raw_events(bytes).iter().for_each(|event| write_wire_text(&mut text, event));
    String::from_utf8(text).unwrap()
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_text_is_that_of_go() {
    for trace in v2_traces() {
        let name = &trace.name;
        let text = wire_text(&trace.bytes());
        let want = trace.expected("wire").unwrap();
        let head: Vec<&str> = want.lines().next().unwrap().split(' ').collect();
        let ["lines", lines, "bytes", bytes, "sha256", sha256] = head[..] else {
            panic!("{name}: {head:?}")
        };
        // Go stops where it does not know an event; what it printed before is the same.
        let bytes: usize = bytes.parse().unwrap();
        assert!(text.len() >= bytes, "{name}: {} bytes, want {bytes}", text.len());
        assert_eq!(text[..bytes].matches('\n').count().to_string(), lines, "{name}");
        assert_eq!(sum(&text.as_bytes()[..bytes]), sha256, "{name}");
        let is_refused = want.contains("# error: invalid event type");
        assert_eq!(is_refused, REFUSED_BY_GO.contains(&name.as_str()), "{name}");
        assert_eq!(text.len() > bytes, is_refused, "{name}");
    }
}

#[test]
fn the_command_prints_the_same() {
    let path = trace("go1.27/annotations");
    let want = wire_text(&fs::read(&path).unwrap());
    assert_eq!(output(&["events", "--wire", &path]), want);
    let first: String = want.split_inclusive('\n').take(4).collect();
    assert_eq!(output(&["events", "--wire", "--limit", "4", &path]), first);
    let only = output(&["events", "--wire", "--kind", "sync,EVENTBATCH", &path]);
    let is_kept = |line: &&str| line.starts_with("EventBatch ") || *line == "Sync\n";
    assert_eq!(only, want.split_inclusive('\n').filter(is_kept).collect::<String>());
}

#[test]
fn offsets_stand_before_the_lines_and_lead_to_the_bytes() {
    let path = trace("go1.26/allocfree");
    let bytes = fs::read(&path).unwrap();
    let text = output(&["events", "--wire", "--offsets", &path]);
    let (mut plain, mut last) = (String::new(), 0);
    let mut texts = 0;
    for line in text.lines() {
        let (offset, line) = line.split_once('\t').unwrap();
        let offset: usize = offset.parse().unwrap();
        assert!(offset > last || line.starts_with("EventBatch"), "{line}");
        last = offset;
        if line.starts_with("EventBatch") {
            assert_eq!(bytes[offset], 1, "{line}");
        } else if let Some(data) = line.strip_prefix("\tdata=\"runtime.") {
            assert!(bytes[offset..].starts_with(b"runtime."), "{data}");
            texts += 1;
        }
        plain += line;
        plain += "\n";
    }
    assert!(texts > 10);
    assert_eq!(plain, wire_text(&bytes));
}

#[test]
fn the_text_is_read_back_to_the_same_events_and_the_same_order() {
    for trace in v2_traces() {
        let (name, bytes) = (&trace.name, trace.bytes());
        let version = RawReader::new(source_of(&bytes)).unwrap().version();
        let events = raw_events(&bytes);
        let text = format!("Trace Go1.{}\n{}", version.minor(), wire_text(&bytes));
        let read = parse_text(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(read == RawTrace { version, events }, "{name}");
        let written = read.to_bytes();
        assert!(raw_events(&written) == read.events, "{name}");
        // The end of a killed program's last batch cannot be written as it was.
        if !name.ends_with("/killed") {
            assert!(event_text(&written).unwrap().0 == event_text(&bytes).unwrap().0, "{name}");
        }
    }
}

#[test]
fn sizes_that_are_left_out_are_those_of_the_runtime() {
    let bytes = fs::read(trace("go1.27/sync")).unwrap();
    let text = format!("Trace Go1.26\n{}", wire_text(&bytes));
    let without: String = text
        .split_inclusive('\n')
        .map(|line| match line.split_once(" size=").or_else(|| line.split_once(" nframes=")) {
            Some((line, _)) => format!("{line}\n"),
            None => line.to_owned(),
        })
        .collect();
    assert_ne!(without, text);
    assert!(parse_text(&without) == parse_text(&text));
}

#[test]
fn v1_traces_have_no_such_events() {
    let run = gotrace(&["events", "--wire", &trace("go1.21/sync")]);
    assert_eq!((run.status, run.stdout.len()), (1, 0));
    assert!(run.stderr.contains("go 1.21"), "{}", run.stderr);
}

#[test]
fn a_cut_off_trace_is_shown_up_to_the_cut_and_strict_refuses_it() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(trace("go1.27/sync")).unwrap();
    let path = folder.path().join("cut.trace");
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let path = path.to_str().unwrap();
    let run = gotrace(&["events", "--wire", path]);
    assert_eq!(run.status, 0);
    assert!(run.stderr.contains(": byte "), "{}", run.stderr);
    let whole = wire_text(&bytes);
    let text = run.text();
    assert!(text.len() > whole.len() / 3 && whole.starts_with(text));
    assert_eq!(gotrace(&["events", "--wire", "--strict", path]).status, 1);
}

/// Go's own test cases of its trace reader have their traces in this form; they are looked for in
/// `$GOTRACE_GOROOT` and left out if that is not set.
#[test]
fn the_traces_of_go_s_own_test_cases_are_understood() {
    let Some(root) = std::env::var_os("GOTRACE_GOROOT") else {
        eprintln!("skipped: GOTRACE_GOROOT is not set");
        return;
    };
    let folder = std::path::Path::new(&root).join("src/internal/trace/testdata/tests");
    let mut count = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let lines = BufReader::new(fs::File::open(&path).unwrap()).lines().map(Result::unwrap);
        let text: Vec<String> = lines.skip_while(|line| line != "-- trace --").skip(1).collect();
        let read = parse_text(&text.join("\n"))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(raw_events(&read.to_bytes()) == read.events, "{}", path.display());
        count += 1;
    }
    assert!(count > 15, "{count}");
}

#[test]
fn a_time_that_is_cut_is_told() {
    let bytes = fs::read(trace("go1.27/sync")).unwrap();
    let text = format!("Trace Go1.26\n{}", wire_text(&bytes));
    // 64 ns a tick: more than 36 years behind the start.
    let late = text.replacen("ProcStop dt=13\n", "ProcStop dt=18100000000000000\n", 1);
    assert_ne!(late, text);
    let codes = |text: &str| {
        let (_, found) = event_text(&parse_text(text).unwrap().to_bytes()).unwrap();
        found.into_iter().map(|one| (one.code.as_str(), one.message)).collect::<Vec<_>>()
    };
    assert!(codes(&text).iter().all(|(code, _)| *code != "time-cut"));
    let found = codes(&late);
    let told = found.iter().find(|(code, _)| *code == "time-cut");
    let (_, message) = told.unwrap_or_else(|| panic!("{found:?}"));
    assert!(message.contains("events are later than"), "{message}");
}
