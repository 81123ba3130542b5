//! Profiles: what `go tool pprof` prints for the committed ones, byte for byte; what damage does.

mod committed;

use committed::profiles::{self, examine};
use committed::run::Sandbox;
use committed::{heap, root};
use gotrace::profile::from_trace::TraceProfileType;
use gotrace::profile::read;
use gotrace::source::ByteStream;
use gotrace::wire::pprof::{RawFunction, RawLine, RawLocation, RawSample, RawValueType, Writer};
use sha2::{Digest, Sha256};
use std::fs;
use std::process::{Command, Output};

#[global_allocator]
static HEAP: heap::Heap = heap::Heap;

/// Runs `gotrace profile` in the folder of the project.
fn profile(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gotrace"))
        .arg("profile")
        .args(words)
        .current_dir(root())
        // Sources are found where the command line says, not where this machine has Go.
        .env("GOROOT", "")
        .env("HOME", "/nonexistent")
        .output()
        .expect("gotrace runs")
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Compares a share of the recorded command lines, so that the shares run side by side.
fn compare(share: usize) {
    let text = fs::read_to_string(root().join("testdata/expected/profiles.tsv")).unwrap();
    let cases: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(cases.len() > 500, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases.iter().skip(share).step_by(SHARES) {
        let mut fields = case.split('\t');
        let (size, want) = (fields.next().unwrap(), fields.next().unwrap());
        let words: Vec<&str> = fields.collect();
        let output = profile(&words);
        let got = match output.status.success() {
            true => format!("{} {}", output.stdout.len(), digest(&output.stdout)),
            false => "fails".into(),
        };
        let want = if want == "fails" { want.into() } else { format!("{size} {want}") };
        if got != want {
            wrong.push(format!("{}: want {want}, got {got}", words.join(" ")));
        }
    }
    assert!(wrong.is_empty(), "{} differ from go tool pprof: {wrong:#?}", wrong.len());
}

const SHARES: usize = 2;

#[test]
fn views_are_those_of_go_tool_pprof_1() {
    compare(0);
}

#[test]
fn views_are_those_of_go_tool_pprof_2() {
    compare(1);
}

#[test]
fn a_profile_that_go_wrote_is_written_as_the_same_bytes() {
    for path in profiles::paths() {
        let bytes = profiles::unpacked(&path);
        let profile = read(&mut ByteStream::from_bytes(bytes.as_slice()), true).unwrap();
        let mut written = Vec::new();
        profile.write(&mut written).unwrap();
        // Go's runtime orders the fields of the file in its own way; read and written once more,
        // by either, nothing changes any longer.
        let again = read(&mut ByteStream::from_bytes(written.as_slice()), true).unwrap();
        let mut twice = Vec::new();
        again.write(&mut twice).unwrap();
        assert!(written == twice, "{}", path.display());
        assert_eq!(profile.samples.len(), again.samples.len());
    }
}

/// A profile made of records, without the checks of the library.
fn made(fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.sample_type(RawValueType { kind: 1, unit: 2 });
    fill(&mut writer);
    ["", "cpu", "nanoseconds", "main.main"].iter().for_each(|text| writer.string(text));
    writer.take()
}

fn sample(locations: &[u64], values: &[i64]) -> impl Fn(&mut Writer) {
    move |writer| writer.sample(RawSample { locations, values, labels: &[] })
}

fn location(writer: &mut Writer, id: u64, function: u64) {
    let lines = [RawLine { function, line: 1, column: 0 }];
    writer.location(RawLocation { id, mapping: 0, address: 1, lines: &lines, is_folded: false });
}

#[test]
fn damage_is_told_with_field_and_place() {
    let good = |writer: &mut Writer| {
        sample(&[1], &[7])(writer);
        location(writer, 1, 1);
        writer.function(RawFunction { id: 1, name: 3, ..RawFunction::default() });
    };
    let error = |bytes: &[u8]| match examine(bytes) {
        Ok(Ok(_)) => "none".to_owned(),
        Ok(Err(_)) => read(&mut ByteStream::from_bytes(bytes), true).unwrap_err().to_string(),
        Err(problem) => panic!("{problem}"),
    };
    assert_eq!(error(&made(good)), "none");
    let cases: [(&str, Vec<u8>); 12] = [
        ("byte 0: empty input", Vec::new()),
        (
            "byte 6: sample.location_id: 9 in one of the samples from here on",
            made(|writer| {
                sample(&[9], &[7])(writer);
                location(writer, 1, 1);
                writer.function(RawFunction { id: 1, ..RawFunction::default() });
            }),
        ),
        (
            "byte 12: line.function_id: 5 at location 1",
            made(|writer| {
                sample(&[1], &[7])(writer);
                location(writer, 1, 5);
            }),
        ),
        (
            "byte 10: sample: 2 values, but those before have 1",
            made(|writer| {
                sample(&[], &[7])(writer);
                sample(&[], &[7, 8])(writer);
            }),
        ),
        ("byte 6: location.id: 0, which is reserved", made(|writer| location(writer, 0, 1))),
        (
            "location.id: a second location with the id 1",
            made(|writer| {
                location(writer, 1, 1);
                location(writer, 1, 1);
            }),
        ),
        (
            "function.name: text 77, but the string table has 4 entries",
            made(|writer| {
                writer.function(RawFunction { id: 1, name: 77, ..RawFunction::default() })
            }),
        ),
        ("byte 0: sample: want a length-delimited field, got a varint", vec![0x10, 1]),
        ("byte 2: sample.location_id: want varints", vec![0x12, 5, 0x0d, 1, 2, 3, 4]),
        ("byte 0: sample: 200 bytes, but the input ends after 1", vec![0x12, 0xc8, 1, 0]),
        // A length of 2^62 is not believed.
        (
            "byte 0: sample: 4611686018427387904 bytes; at most",
            [&[0x12][..], &[0x80; 8], &[0x40]].concat(),
        ),
        ("string_table: the first entry must be empty", vec![0x0a, 0, 0x32, 1, b'x']),
    ];
    for (want, bytes) in cases {
        let got = error(&bytes);
        assert!(got.contains(want), "want {want:?}, got {got:?}");
    }
}

#[test]
fn every_prefix_gives_an_error_with_a_place_or_a_profile() {
    for path in profiles::paths().iter().filter(|path| path.ends_with("threadcreate.pb.gz")) {
        let bytes = profiles::unpacked(path);
        for len in 0..bytes.len() {
            let result = examine(&bytes[..len]);
            assert!(result.is_ok(), "{} cut to {len}: {result:?}", path.display());
        }
    }
}

#[test]
fn damaged_bytes_neither_panic_nor_take_memory() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let (mut read, mut refused) = (0, 0);
    for path in profiles::paths().into_iter().chain(profiles::old_paths()) {
        let good = profiles::unpacked(&path);
        for _ in 0..40 {
            let mut bytes = good.clone();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                match random(4) {
                    0 => bytes[at] = random(256) as u8,
                    1 => bytes[at] ^= 1 << random(8),
                    2 => bytes.truncate(at.max(1)),
                    _ => {
                        let end = (at + random(40)).min(bytes.len());
                        bytes.drain(at.max(1).min(end)..end);
                    }
                }
            }
            let (result, peak) = heap::peak(|| examine(&bytes));
            match result {
                Ok(Ok(_)) => read += 1,
                Ok(Err(_)) => refused += 1,
                Err(problem) => panic!("{}: {problem}", path.display()),
            }
            let most = (32 << 20) + 200 * bytes.len();
            assert!(peak < most, "{}: {peak} bytes for {}", path.display(), bytes.len());
        }
    }
    assert!(read > 50 && refused > 50, "{read} read, {refused} refused");
}

#[test]
fn a_length_that_the_input_does_not_have_takes_no_memory() {
    // A location of 52,257,868 bytes, and one of 2^31 - 1.
    for length in [&[0x8c, 0xc8, 0xf5, 0x18][..], &[0xff, 0xff, 0xff, 0xff, 0x07]] {
        let bytes = [&[0x0a, 4, 0x08, 1, 0x10, 2, 0x22], length, &[0; 5000]].concat();
        let (result, peak) = heap::peak(|| examine(&bytes));
        assert!(matches!(result, Ok(Err(_))), "{result:?}");
        assert!(peak < 1 << 20, "{peak}");
    }
}

#[test]
fn a_damaged_file_is_refused_by_name_and_place() {
    let sandbox = Sandbox::new();
    let good = fs::read(root().join("testdata/profiles/go1.27/heap.pb.gz")).unwrap();
    sandbox.write("cut.pb.gz", &good[..good.len() / 2]);
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 0x55;
    sandbox.write("bad.pb.gz", &bad);
    sandbox.write("noise", b"\x0a\x04\x08\x01\x10\x02\x13noise");
    for name in ["cut.pb.gz", "bad.pb.gz", "noise"] {
        sandbox.gotrace(&["profile", "top", name]).expect(1).says(&[name, "byte "]);
    }
    sandbox.write("page", b"<!DOCTYPE html>\n<p>404");
    let page = sandbox.gotrace(&["profile", "top", "page"]).expect(1);
    page.says(&["byte ", "not a profile: it looks like an HTML or XML page"]);
    sandbox.write("text", b"heap profile: 1: 2 [3: 4] @ heap/1\nrubbish");
    let text = sandbox.gotrace(&["profile", "top", "text"]).expect(1);
    assert!(!text.stderr.contains("no profile"), "{}", text.stderr);
}

#[test]
fn every_view_has_json_and_csv() {
    let sandbox = Sandbox::new();
    sandbox.write("cpu", fs::read(root().join("testdata/profiles/go1.27/cpu.pb.gz")).unwrap());
    let views = [
        "top",
        "tree",
        "traces",
        "tags",
        "raw",
        "comments",
        "graph",
        "flame",
        "folded",
        "dot",
        "callgrind",
        "proto",
        "topproto",
        "peek main",
        "list main",
    ];
    for view in views {
        let words: Vec<&str> = ["profile"].into_iter().chain(view.split(' ')).collect();
        let run = sandbox.gotrace(&[&words[..], &["cpu", "-f", "json"]].concat()).expect(0);
        let value: serde_json::Value = serde_json::from_str(run.text()).expect(view);
        assert!(value.is_object(), "{view}");
        let run = sandbox.gotrace(&[&words[..], &["cpu", "-f", "csv"]].concat()).expect(0);
        let mut reader = csv::Reader::from_reader(run.stdout.as_slice());
        assert!(!reader.headers().unwrap().is_empty(), "{view}");
        let rows: Vec<_> = reader.records().map(|row| row.expect(view)).collect();
        assert!(!rows.is_empty() || view == "comments", "{view}");
    }
    let run = sandbox.gotrace(&["profile", "top", "cpu", "-f", "json"]).expect(0);
    let value: serde_json::Value = serde_json::from_str(run.text()).unwrap();
    let flat = value["items"].as_array().unwrap().iter().map(|item| item["flat"].as_i64().unwrap());
    assert_eq!(flat.sum::<i64>(), value["total"].as_i64().unwrap());
}

#[test]
fn pictures_show_what_the_profile_has() {
    let sandbox = Sandbox::new();
    sandbox.write("heap", fs::read(root().join("testdata/profiles/go1.27/heap.pb.gz")).unwrap());
    let graph = sandbox.gotrace(&["profile", "graph", "heap"]).expect(0);
    let again = sandbox.gotrace(&["profile", "graph", "heap"]).expect(0);
    assert!(graph.stdout == again.stdout, "the same profile gives the same picture");
    for part in ["<svg", "makeValue", "(90.2", "File: profiles", "</svg>"] {
        assert!(graph.text().contains(part), "{part}");
    }
    let flame = sandbox.gotrace(&["profile", "flame", "heap"]).expect(0);
    assert!(flame.text().contains("main.makeValue") && flame.text().contains("</svg>"));
    let folded = sandbox.gotrace(&["profile", "folded", "heap"]).expect(0);
    let sum: i64 = folded.text().lines().map(number_at_end).sum();
    let top = sandbox.gotrace(&["profile", "top", "heap", "-f", "json"]).expect(0);
    let top: serde_json::Value = serde_json::from_str(top.text()).unwrap();
    assert_eq!(sum, top["total"].as_i64().unwrap());
}

fn number_at_end(line: &str) -> i64 {
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[test]
fn conditions_decide_the_exit_status() {
    let sandbox = Sandbox::new();
    for name in ["heap", "heap2"] {
        let path = root().join(format!("testdata/profiles/go1.27/{name}.pb.gz"));
        sandbox.write(name, fs::read(path).unwrap());
    }
    let run = |words: &[&str]| sandbox.gotrace(&[&["profile"], words].concat());
    run(&["top", "heap", "--fail-if", "flat% > 95 for main"]).expect(0);
    let failed = run(&["top", "heap", "--fail-if", "flat% > 50 for main\\.makeValue"]).expect(1);
    assert!(failed.text().contains("main.makeValue"), "the report is printed all the same");
    failed.says(&["flat% > 50", "main.makeValue: 90.2"]);
    run(&["heap2", "--base", "heap", "--fail-if", "cum > 100kB for put"]).expect(1).says(&["put"]);
    run(&["heap", "--base", "heap", "--fail-if", "cum > 0"]).expect(0);
    run(&["top", "heap", "--fail-if", "nonsense"]).expect(2).says(&["--fail-if", "flat%"]);
    run(&["heap", "--fail-if", "total > 1GiB"]).expect(0);
    run(&["heap", "--fail-if", "total > 1KiB"]).expect(1);
    for (condition, says) in [
        ("total > 1h", "kB, MB, GB"),
        ("cum > 1xyz for main", "'xyz'"),
        ("total > 3 bananas", "MB"),
    ] {
        let refused = run(&["top", "heap", "--fail-if", condition]).expect(2);
        assert!(refused.stdout.is_empty(), "a condition without a verdict comes before the report");
        refused.says(&["--fail-if", condition, says]);
    }
    run(&["top", "heap", "--unit", "ms"]).expect(0).says(&["--unit: 'ms' is no unit"]);
    let same = ["kB", "KiB"].map(|unit| run(&["top", "heap", "--unit", unit]).expect(0).stdout);
    assert!(same[0] == same[1]);
}

#[test]
fn the_prompt_answers_the_commands_of_pprof() {
    let sandbox = Sandbox::new();
    sandbox.write("heap", fs::read(root().join("testdata/profiles/go1.27/heap.pb.gz")).unwrap());
    let lines = "top3\nfocus=newRecord\ntop1 -cum\nsample_index=alloc_objects\noptions\n:\n\
        peek main\\.put$\ntree >tree.txt\nnonsense\nunit=\nhelp\nhelp top\nsample_index=no\nquit\ntop";
    let run = sandbox.gotrace_with(&["profile", "heap"], lines.as_bytes().to_vec()).expect(0);
    let text = run.text();
    assert!(text.contains("Showing top 3 nodes out of"), "{text}");
    assert!(text.contains("focus=newRecord"), "{text}");
    assert!(
        text.contains("sample_index              = alloc_objects        //: [alloc_objects | ")
    );
    assert!(text.contains("topproto") && text.contains("relative_percentages"));
    assert!(fs::read_to_string(sandbox.path("tree.txt")).unwrap().contains("main.makeValue"));
    run.says(&["File: profiles\n", "unrecognized command: \"nonsense\"", "must be one of"]);
}

#[test]
fn text_profiles_have_the_functions_of_their_comments() {
    for (name, function) in [
        ("heap.txt", "main.makeValue"),
        ("goroutine1.txt", "main.main.func1.1"),
        ("goroutine2.txt", "main.main.func1.1"),
        ("mutex.txt", "sync.(*Mutex).Unlock"),
    ] {
        let output = profile(&["top", &format!("testdata/profiles/go1.27/{name}")]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(function), "{name}: {text}");
        // Only what has no comment at all stays unknown.
        assert!(!name.starts_with("goroutine") || !text.contains("<unknown>"), "{name}: {text}");
    }
    let output = profile(&["tags", "testdata/profiles/go1.27/goroutine1.txt"]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("waiter"));
}

#[test]
fn views_are_of_traces_too() {
    let trace = "testdata/traces/go1.27/sync.trace";
    let output = profile(&["top", trace, "--type", "sync"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Type: delay") && text.contains("sync.(*Mutex).Lock"), "{text}");
    let output = profile(&["top", trace, "--type", "sync", "--base", trace]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Showing nodes accounting for 0, 0% of 0 total"), "{text}");
    let output = profile(&["top", trace]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--type"));
}

#[test]
fn a_database_gives_the_profiles_of_the_trace_that_was_loaded() {
    let sandbox = Sandbox::new();
    for trace in ["go1.19/mixed", "go1.21/http", "go1.27/mixed", "go1.27/gc", "go1.27/allocfree"] {
        sandbox.copy(trace, "app.trace");
        sandbox.gotrace(&["ingest", "app.trace", "-o", "app.db", "--force"]).expect(0);
        for kind in TraceProfileType::ALL {
            use TraceProfileType::{Cpu, GcAssist, Goroutines};
            let show = |view, source, more: &[&str]| {
                let words = ["profile", view, source, "--type", kind.as_str()];
                sandbox.gotrace(&[&words[..], more].concat()).expect(0).text().to_owned()
            };
            // A trace tells the function of an old goroutine after some of its samples.
            if matches!(kind, Cpu | GcAssist | Goroutines) {
                assert_eq!(show("top", "app.db", &[]), show("top", "app.trace", &[]), "{kind:?}");
                continue;
            }
            assert_eq!(show("raw", "app.db", &[]), show("raw", "app.trace", &[]), "{kind:?}");
            let some = ["--function", "main.*", "--label", "state=waiting"];
            assert_eq!(show("raw", "app.db", &some), show("raw", "app.trace", &some), "{kind:?}");
        }
    }
    sandbox.copy("go1.27/samples", "samples.trace");
    sandbox.gotrace(&["ingest", "app.trace", "samples.trace", "-o", "two.db"]).expect(0);
    let top = |words: &[&str]| sandbox.gotrace(&[&["profile", "top"], words].concat());
    let of_database = top(&["two.db", "--type", "cpu", "--trace", "2"]).expect(0).stdout;
    assert!(of_database == top(&["samples.trace", "--type", "cpu"]).expect(0).stdout);
    top(&["two.db", "--type", "cpu"]).expect(2).says(&["--trace N", "2 samples.trace"]);
    top(&["two.db", "--type", "cpu", "--trace", "3"]).expect(1).says(&["no trace 3"]);
    top(&["two.db", "--type", "cpu", "--from", "1ms"]).expect(2).says(&["--from"]);
    top(&["two.db"]).expect(1).says(&["--type"]);
}

#[test]
fn every_profile_is_loaded_beside_a_trace() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "app.trace");
    let mut arguments = vec!["ingest".to_owned(), "--strict".into(), "-o".into(), "run.db".into()];
    for (number, path) in profiles::paths().iter().enumerate() {
        let name = format!("profile{number}");
        sandbox.write(&name, fs::read(path).unwrap());
        arguments.push(name);
    }
    arguments.push("app.trace".into());
    sandbox.gotrace(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).expect(0);
    let count = |sql: &str| {
        let run = sandbox.gotrace(&["query", "run.db", sql, "-f", "csv"]).expect(0);
        run.text().lines().nth(1).unwrap().parse::<usize>().unwrap()
    };
    assert_eq!(count("select count(*) from profiles"), profiles::paths().len());
    assert_eq!(count("select count(*) from traces"), 1);
    assert!(count("select count(distinct key) from profile_labels") >= 4);
    // One table of functions for all: main.main is in several profiles and in the trace.
    let shared = "select count(distinct profile_id) from profile_samples s
        join stack_frames f on f.stack_id = s.stack_id where f.function = 'runtime.gcBgMarkWorker'";
    assert!(count(shared) >= 2);
}

#[test]
fn the_frames_of_a_flame_graph_have_values_as_pprof_shows_them() {
    let sandbox = Sandbox::new();
    for (name, want, not) in [
        ("cpu", "<title>main.busy (30ms, 9.38%)</title>", "nanoseconds"),
        ("goroutine", "<title>runtime.chanrecv1 (3, 60.00%)</title>", "3 count"),
    ] {
        let source = root().join(format!("testdata/profiles/go1.27/{name}.pb.gz"));
        let source = source.to_str().unwrap();
        sandbox.gotrace(&["profile", "flame", source, "-o", name]).expect(0);
        let picture = fs::read_to_string(sandbox.path(name)).unwrap();
        assert!(picture.contains(want) && !picture.contains(&format!(" {not}")), "{name}");
    }
}

#[test]
fn the_name_of_its_file_says_what_a_view_is() {
    let sandbox = Sandbox::new();
    sandbox
        .write("heap.pb.gz", fs::read(root().join("testdata/profiles/go1.27/heap.pb.gz")).unwrap());
    for (view, file, options, start) in [
        ("graph", "g.svg", "", "<svg"),
        ("graph", "g.dot", "", "digraph"),
        ("graph", "g", "", "<svg"),
        ("graph", "x.png", "-f dot", "digraph"),
        ("dot", "d.svg", "", "<svg"),
        ("top", "t.json", "", "{"),
        ("top", "t.csv", "", "function"),
        ("top", "t.txt", "", "File:"),
        ("top", "u.json", "-f text", "File:"),
    ] {
        let mut words = vec!["profile", view, "heap.pb.gz", "-o", file];
        words.extend(options.split(' ').filter(|word| !word.is_empty()));
        sandbox.gotrace(&words).expect(0);
        let text = fs::read_to_string(sandbox.path(file)).unwrap();
        assert!(text.lines().take(5).any(|line| line.starts_with(start)), "{file}: {text}");
    }
    for file in ["h.png", "h.PDF"] {
        let run = sandbox.gotrace(&["profile", "graph", "heap.pb.gz", "-o", file]).expect(2);
        run.says(&[file, ".svg", ".dot"]);
        assert!(!sandbox.path(file).exists());
    }
    sandbox.gotrace(&["profile", "top", "heap.pb.gz", "-o", "h.svg"]).expect(2).says(&["svg"]);
}
