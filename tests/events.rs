//! `gotrace events`: filters and JSON. That the text is Go's is tested elsewhere; here every other
//! output is compared with it.

mod committed;

use committed::run::{Run, Sandbox};
use committed::{Trace, source_of, traces};
use gotrace::export::{EventFilter, EventJson, EventText};
use gotrace::order::TraceReader;
use gotrace::source;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// The events of Go's text: each with its stacks.
fn blocks(text: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = text.match_indices("\nM=").map(|(at, _)| at + 1).collect();
    if text.starts_with("M=") {
        starts.insert(0, 0);
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(&start, end)| &text[start..end]).collect()
}

/// The number behind `NAME=` or `NAME(` in the first line of an event.
fn number(block: &str, name: &str) -> Option<i64> {
    let line = block.lines().next()?;
    let at = if line.starts_with(name) { 0 } else { line.find(&format!(" {name}"))? + 1 };
    let rest = &line[at + name.len()..];
    let len = rest[1..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |len| len + 1);
    rest[..len].parse().ok()
}

fn kind(block: &str) -> &str {
    block.split(' ').nth(3).unwrap()
}

fn time(block: &str) -> i64 {
    number(block, "Time=").unwrap()
}

fn is_about(block: &str, ids: [&str; 4], wanted: i64) -> bool {
    ids.iter().any(|name| number(block, name) == Some(wanted))
}

const OF_GOROUTINE: [&str; 4] = ["G=", "GoID=", "Scope=Goroutine(", "Resource=Goroutine("];
const OF_PROC: [&str; 4] = ["P=", "ProcID=", "Scope=Proc(", "Scope=Proc("];

/// A filter on the command line, and the same as a condition on Go's text.
type Case<'a> = (Vec<&'a str>, Box<dyn Fn(&str) -> bool>);

#[test]
fn filters_keep_exactly_the_events_that_match_and_their_text() {
    for name in [
        "go1.27/mixed",
        "go1.27/boundary",
        "go1.26/cgo",
        "go1.23/coroutines",
        "go1.22/generations",
        "go1.21/mixed",
    ] {
        let path = trace(name);
        let all = output(&["events", &path]);
        let start = time(&all);
        let ms = move |block: &str| (time(block) - start) as f64 / 1e6;
        let goid = number(blocks(&all)[100], "G=").unwrap().max(1);
        let thread = number(blocks(&all)[50], "M=").unwrap();
        let (goid_text, thread_text) = (goid.to_string(), thread.to_string());
        let cases: Vec<Case> = vec![
            (
                vec!["--goroutine", &goid_text],
                Box::new(move |block| is_about(block, OF_GOROUTINE, goid)),
            ),
            (
                vec!["--goroutine", &goid_text, "--goroutine", "2"],
                Box::new(move |block| {
                    [goid, 2].iter().any(|goid| is_about(block, OF_GOROUTINE, *goid))
                }),
            ),
            (vec!["--proc", "1"], Box::new(|block| is_about(block, OF_PROC, 1))),
            (
                vec!["--thread", &thread_text],
                Box::new(move |block| number(block, "M=") == Some(thread)),
            ),
            (vec!["--kind", "rangebegin"], Box::new(|block| kind(block) == "RangeBegin")),
            (
                vec!["--kind", "Metric,Sync", "--kind=Label"],
                Box::new(|block| ["Metric", "Sync", "Label"].contains(&kind(block))),
            ),
            (vec!["--from", "1ms"], Box::new(move |block| ms(block) >= 1.0)),
            (vec!["--to", "1.25ms"], Box::new(move |block| ms(block) < 1.25)),
            (
                vec!["--from", "700us", "--to", "2ms"],
                Box::new(move |block| ms(block) >= 0.7 && ms(block) < 2.0),
            ),
            (
                vec!["--proc", "0", "--kind", "StateTransition", "--from", "1ms"],
                Box::new(move |block| {
                    is_about(block, OF_PROC, 0)
                        && kind(block) == "StateTransition"
                        && ms(block) >= 1.0
                }),
            ),
        ];
        for (arguments, keeps) in cases {
            let got = output(&[&["events", &path], &arguments[..]].concat());
            let want: String = blocks(&all).into_iter().filter(|block| keeps(block)).collect();
            assert!(got == want, "{name} {arguments:?}: {} bytes, want {}", got.len(), want.len());
        }
        let first: String = blocks(&all).into_iter().take(7).collect();
        assert_eq!(output(&["events", &path, "--limit", "7"]), first);
        assert_eq!(output(&["events", &path, "--limit", "0"]), "");
    }
}

#[test]
fn a_wire_name_keeps_only_that_event() {
    let path = trace("go1.27/gc");
    let got = output(&["events", &path, "-f", "jsonl", "--kind", "goblock", "--kind", "STWBegin"]);
    let names: Vec<String> = got
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["event"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(names.iter().all(|name| name == "GoBlock" || name == "STWBegin"), "{names:?}");
    assert!(names.contains(&"GoBlock".into()) && names.contains(&"STWBegin".into()));
}

#[test]
fn wall_times_need_a_clock_and_mean_utc() {
    let path = trace("go1.27/generations");
    let all = output(&["events", &path]);
    let sync = all.lines().next().unwrap();
    // The clocks were read a little after the start.
    let delay = number(sync, "Trace=").unwrap() - time(sync);
    let wall = sync.split("Wall=").nth(1).unwrap();
    let want: String =
        blocks(&all).into_iter().filter(|block| time(block) - time(sync) >= delay).collect();
    assert!(!want.is_empty() && want.len() < all.len());
    let clock = wall.trim_end_matches('Z').split('T').nth(1).unwrap();
    for from in [wall, &wall.replace('Z', "+00:00"), &wall.replace('T', " "), clock] {
        assert_eq!(output(&["events", &path, "--from", from]), want, "{from}");
    }
    let day_before = output(&["events", &path, "--to", "2001-01-01T00:00:00Z"]);
    assert_eq!(day_before, "");

    let run = gotrace(&["events", &trace("go1.24/mixed"), "--from", wall]);
    assert_eq!(run.status, 1);
    assert!(run.stderr.contains("does not tell the wall time"), "{}", run.stderr);
    assert!(run.stdout.is_empty());
}

#[test]
fn wrong_filters_are_refused_with_a_hint() {
    let path = trace("go1.27/mixed");
    for (arguments, hint) in [
        (["--kind", "rangebgin"], "did you mean 'RangeBegin'?"),
        (["--kind", "GoBlok"], "did you mean 'GoBlock'?"),
        (["--kind", "zzz"], "the kinds are Sync, Metric"),
        (["--kind", "EventBatch"], "there are no events 'EventBatch'"),
        (["--from", "tomorrow"], "--from: want a duration"),
        (["--to", "12h:30"], "--to: want a duration"),
        (["--goroutine", "main"], "invalid value"),
    ] {
        let run = gotrace(&[&["events", &path], &arguments[..]].concat());
        assert_eq!(run.status, 2, "{arguments:?}");
        assert!(run.stderr.contains(hint), "{arguments:?}: {}", run.stderr);
    }
}

/// Hands out a file in small pieces and counts them.
struct Slow {
    file: File,
    read: Arc<AtomicUsize>,
}

impl Read for Slow {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let len = buf.len().min(512);
        let got = self.file.read(&mut buf[..len])?;
        self.read.fetch_add(got, Ordering::Relaxed);
        Ok(got)
    }
}

#[test]
fn reading_stops_with_the_last_event_that_is_wanted() {
    let path = trace("go1.27/boundary");
    let size = fs::metadata(&path).unwrap().len() as usize;
    let limit = EventFilter { limit: Some(20), ..EventFilter::default() };
    let to = EventFilter {
        to: Some(gotrace::model::Moment::SinceStart(1_000_000)),
        ..EventFilter::default()
    };
    for filter in [limit, to] {
        let read = Arc::new(AtomicUsize::new(0));
        let slow = Slow { file: File::open(&path).unwrap(), read: read.clone() };
        let reader = TraceReader::new(source::from_reader(slow, None).unwrap()).unwrap();
        let mut text = EventText::filtered(Vec::new(), filter);
        let outcome = reader.read(&mut text);
        assert_eq!(outcome.diagnostics.iter().count(), 0);
        assert!(!text.finish().unwrap().is_empty());
        let read = read.load(Ordering::Relaxed);
        // The first generation is less than half of this trace.
        assert!(read < size * 3 / 4, "read {read} of {size} bytes");
    }
}

// JSON -------------------------------------------------------------------------

/// The keys that `docs/events-jsonl.md` promises for each kind.
fn documented_keys() -> Vec<(String, Vec<String>)> {
    let text =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/events-jsonl.md")).unwrap();
    let (_, section) = text.split_once("## Keys by kind").unwrap();
    let table = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    table
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let mut words = line.split('`').skip(1).step_by(2).map(String::from);
            (words.next().unwrap(), words.collect())
        })
        .collect()
}

#[test]
fn json_has_the_documented_keys_and_says_the_same_as_the_text() {
    let documented = documented_keys();
    let mut seen = std::collections::BTreeSet::new();
    for trace in traces() {
        let (name, bytes) = (&trace.name, trace.bytes());
        let open = || TraceReader::new(source_of(&bytes)).unwrap();
        let mut text = EventText::new(Vec::new());
        open().read(&mut text);
        let text = String::from_utf8_lossy(&text.finish().unwrap()).into_owned();
        let mut json = EventJson::new(Vec::new());
        open().read(&mut json);
        let json = String::from_utf8(json.finish().unwrap()).unwrap();
        let blocks = blocks(&text);
        assert_eq!(json.lines().count(), blocks.len(), "{name}");
        let start = time(blocks[0]);
        for (line, block) in json.lines().zip(blocks) {
            let event: Value = serde_json::from_str(line).unwrap();
            let kind = event["kind"].as_str().unwrap();
            let (_, keys) =
                documented.iter().find(|(documented, _)| documented == kind).expect(kind);
            let mut want =
                vec!["time_ns", "clock_ns", "kind", "event", "thread", "proc", "goroutine"];
            want.extend(keys.iter().map(String::as_str));
            want.push("stack");
            let got: Vec<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(got, want, "{name}: {line}");
            assert_eq!(
                event["clock_ns"].as_i64().unwrap() - event["time_ns"].as_i64().unwrap(),
                start
            );
            // The one text of the traces that is not UTF-8.
            let block = block.replace(r"\xff\xfe", "\u{fffd}\u{fffd}");
            assert_eq!(text_of(&event), block, "{name}: {line}");
            seen.insert(kind.to_owned());
        }
    }
    let kinds: std::collections::BTreeSet<String> =
        documented.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(seen, kinds, "every kind occurs in a trace");
}

/// Go's text of an event, out of its JSON.
fn text_of(event: &Value) -> String {
    let id = |key: &str| event[key].as_i64().unwrap_or(-1);
    let string = |key: &str| quoted(event[key].as_str().unwrap_or(""));
    let kind = event["kind"].as_str().unwrap();
    let mut text = format!(
        "M={} P={} G={} {kind} Time={}",
        id("thread"),
        id("proc"),
        id("goroutine"),
        id("clock_ns")
    );
    let out = &mut text;
    match kind {
        "Sync" => {
            write!(out, " N={}", event["n"]).unwrap();
            if let Some(clock) = event["clock"].as_object() {
                let unix = clock["unix_ns"].as_i64().unwrap();
                write!(
                    out,
                    " Trace={} Mono={} Wall={}",
                    clock["clock_ns"],
                    clock["mono_ns"],
                    wall(unix)
                )
                .unwrap();
            }
        }
        "Metric" => {
            write!(out, " Name={} Value=Value{{Uint64({})}}", string("name"), event["value"])
                .unwrap()
        }
        "Label" => {
            write!(out, " Label={} Resource=Goroutine({})", string("label"), id("goroutine"))
                .unwrap()
        }
        "RangeBegin" | "RangeActive" | "RangeEnd" => {
            let scope = match event["scope"].as_str().unwrap() {
                "global" => "None".into(),
                "proc" => format!("Proc({})", id("scope_id")),
                _ => format!("Goroutine({})", id("scope_id")),
            };
            write!(out, " Name={} Scope={scope}", string("name")).unwrap();
            match (kind, &event["swept_bytes"]) {
                ("RangeEnd", Value::Null) => out.push_str(" Attributes=[]"),
                ("RangeEnd", swept) => write!(
                    out,
                    " Attributes=[\"bytes swept\"=Value{{Uint64({swept})}} \"bytes reclaimed\"=Value{{Uint64({})}}]",
                    event["reclaimed_bytes"]
                )
                .unwrap(),
                _ => {}
            }
        }
        "TaskBegin" | "TaskEnd" => {
            let parent = event["parent"].as_u64().unwrap_or(u64::MAX);
            write!(out, " ID={} Parent={parent} Type={}", event["task"], string("type")).unwrap();
        }
        "RegionBegin" | "RegionEnd" => {
            write!(out, " Task={} Type={}", event["task"], string("type")).unwrap()
        }
        "Log" => {
            let (category, message) = (string("category"), string("message"));
            write!(out, " Task={} Category={category} Message={message}", event["task"]).unwrap();
        }
        "StateTransition" => {
            let resource = if event["resource"] == "proc" { "ProcID" } else { "GoID" };
            let (from, to) = (event["from"].as_str().unwrap(), event["to"].as_str().unwrap());
            write!(
                out,
                " {resource}={} {from}->{to} Reason={}",
                id("resource_id"),
                string("reason")
            )
            .unwrap();
            let always =
                ["GoCreate", "GoCreateBlocked"].contains(&event["event"].as_str().unwrap());
            if always || !event["transition_stack"].is_null() {
                write!(out, "\nTransitionStack=\n{}", frames(&event["transition_stack"])).unwrap();
            }
        }
        "Experimental" => {
            let args: Vec<String> = event["args"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| format!("{name}=Value{{Uint64({value})}}"))
                .collect();
            write!(out, " Name={} Args=[{}]", event["event"].as_str().unwrap(), args.join(", "))
                .unwrap();
        }
        _ => {}
    }
    if kind == "StackSample" || !event["stack"].is_null() {
        write!(out, "\nStack=\n{}", frames(&event["stack"])).unwrap();
    }
    text.push('\n');
    text
}

fn frames(stack: &Value) -> String {
    let mut text = String::new();
    for frame in stack.as_array().map_or(&[][..], |frames| frames) {
        let (func, file) = (frame["func"].as_str().unwrap(), frame["file"].as_str().unwrap());
        let pc = frame["pc"].as_u64().unwrap();
        writeln!(text, "\t{func} @ {pc:#x}\n\t\t{file}:{}", frame["line"]).unwrap();
    }
    text
}

/// Quoted as Go does it, as far as the committed traces need it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(out, "\\{c}").unwrap(),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{202e}' | '\u{202c}' => write!(out, "\\u{:04x}", c as u32).unwrap(),
            '\0' => out.push_str("\\x00"),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A time as Go prints it, made with SQLite.
fn wall(unix_ns: i64) -> String {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    let seconds: String = connection
        .query_row(
            "select strftime('%Y-%m-%dT%H:%M:%S', ?, 'unixepoch')",
            [unix_ns / 1_000_000_000],
            |row| row.get(0),
        )
        .unwrap();
    let fraction = format!("{:09}", unix_ns % 1_000_000_000);
    match fraction.trim_end_matches('0') {
        "" => format!("{seconds}Z"),
        digits => format!("{seconds}.{digits}Z"),
    }
}
