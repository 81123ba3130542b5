//! Whatever a source is and however it comes, every command takes it for the same, and opens it once.

mod committed;

use committed::run::{Run, Sandbox, finish};
use committed::{Trace, root};
use std::fs;
use std::io::Write;

const TRACE: &str = "go1.27/mixed";

/// Commands of which each reads one source, named `SOURCE`, and the kinds they are for.
const COMMANDS: &[(&[&str], &[&str])] = &[
    (&["ingest", "SOURCE", "-o", "out.db"], &["trace", "profile"]),
    (&["query", "SOURCE", "select count(*) from functions"], &["trace", "profile", "database"]),
    (&["report", "SOURCE"], &["trace", "database"]),
    (&["info", "SOURCE"], &["trace", "profile", "database"]),
    (&["info", "-f", "json", "SOURCE"], &["trace", "profile", "database"]),
    (&["events", "SOURCE", "--limit", "5"], &["trace"]),
    (&["events", "--wire", "SOURCE", "--limit", "5"], &["trace"]),
    (&["profile", "top", "SOURCE"], &["profile"]),
    (&["profile", "top", "--type", "sync", "SOURCE"], &["trace", "profile", "database"]),
    (&["export", "pprof", "SOURCE", "-t", "sync", "-o", "out.pb.gz", "--force"], &["trace"]),
    (&["export", "perfetto", "SOURCE", "-o", "out.pftrace", "--force"], &["trace"]),
    (&["export", "chrome", "SOURCE", "-o", "out.json", "--force"], &["trace"]),
    (&["export", "csv", "SOURCE", "goroutines"], &["trace", "profile", "database"]),
    (&["export", "events", "SOURCE"], &["trace"]),
];

/// The kinds of sources, with their bytes.
fn kinds(sandbox: &Sandbox) -> Vec<(&'static str, Vec<u8>)> {
    let trace = sandbox.copy(TRACE, "made.trace");
    sandbox.gotrace(&["ingest", trace.to_str().unwrap(), "-o", "made.db"]).expect(0);
    let database = fs::read(sandbox.path("made.db")).unwrap();
    let profile = fs::read(root().join("testdata/profiles/go1.27/heap.pb.gz")).unwrap();
    vec![("trace", Trace::new(TRACE).bytes()), ("profile", profile), ("database", database)]
}

fn run(sandbox: &Sandbox, words: &[&str], source: &str, stdin: Option<&[u8]>) -> Run {
    let words: Vec<&str> =
        words.iter().map(|word| if *word == "SOURCE" { source } else { word }).collect();
    match stdin {
        Some(bytes) => sandbox.gotrace_with(&words, bytes.to_vec()),
        None => sandbox.gotrace(&words),
    }
}

/// Without the name of the source, which differs.
fn without_name(run: &Run) -> String {
    run.text().replace("a-file", "SOURCE").replace("standard input", "SOURCE")
}

#[test]
fn every_command_takes_every_kind_from_standard_input_as_from_a_file() {
    let sandbox = Sandbox::new();
    for (kind, bytes) in kinds(&sandbox) {
        sandbox.write("a-file", &bytes);
        for (words, of) in COMMANDS {
            let from_file = run(&sandbox, words, "a-file", None);
            let _ = fs::remove_file(sandbox.path("out.db"));
            let from_pipe = run(&sandbox, words, "-", Some(&bytes));
            let _ = fs::remove_file(sandbox.path("out.db"));
            let what = format!("{kind}: {words:?}: {}{}", from_file.stderr, from_pipe.stderr);
            let want = if of.contains(&kind) { 0 } else { 1 };
            // That a type must be named is a matter of use.
            let is_right = |status: i32| status == want || (want == 1 && status == 2);
            assert!(is_right(from_file.status) && is_right(from_pipe.status), "{what}");
            // A size on disk is known of files only, and the report names the source as it was.
            if !matches!(words[0], "info" | "report") {
                assert_eq!(without_name(&from_file), without_name(&from_pipe), "{what}");
            }
            assert!(!from_file.stderr.contains("panicked"), "{what}");
        }
    }
    assert_eq!(sandbox.left_behind(), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_opened_once() {
    let sandbox = Sandbox::new();
    for (kind, bytes) in kinds(&sandbox) {
        for (words, _) in COMMANDS.iter().filter(|(_, of)| of.contains(&kind)) {
            let pipe = sandbox.path("pipe");
            assert!(
                std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success(),
                "mkfifo"
            );
            let words: Vec<&str> =
                words.iter().map(|word| if *word == "SOURCE" { "pipe" } else { word }).collect();
            let child = sandbox.command(&words).spawn().unwrap();
            // Whoever opens it a second time waits for ever, and counts as hanging.
            let bytes = bytes.clone();
            let writer = std::thread::spawn({
                let pipe = pipe.clone();
                move || {
                    let mut pipe = fs::File::options().write(true).open(pipe).unwrap();
                    // A reader that has enough goes away.
                    let _ = pipe.write_all(&bytes);
                }
            });
            finish(child, Vec::new()).expect(0);
            writer.join().unwrap();
            fs::remove_file(pipe).unwrap();
            let _ = fs::remove_file(sandbox.path("out.db"));
        }
    }
}

/// A profile of one sample whose fields stand in another order: the string table first.
fn strings_first() -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in ["", "samples", "count", "main.main", "main.go"] {
        bytes.extend([0x32, text.len() as u8]);
        bytes.extend(text.as_bytes());
    }
    bytes.extend(b"\x2a\x06\x08\x01\x10\x03\x20\x04"); // function 1
    bytes.extend(b"\x22\x08\x08\x01\x22\x04\x08\x01\x10\x07"); // location 1
    bytes.extend(b"\x12\x06\x0a\x01\x01\x12\x01\x05"); // sample
    bytes.extend(b"\x0a\x04\x08\x01\x10\x02"); // sample_type
    bytes
}

#[test]
fn a_profile_is_one_in_whatever_order_its_fields_stand() {
    let sandbox = Sandbox::new();
    sandbox.write("p", strings_first());
    let top = sandbox.gotrace(&["profile", "top", "p"]).expect(0);
    assert!(top.text().contains("main.main"), "{}", top.text());
    assert!(sandbox.gotrace(&["info", "p"]).expect(0).text().contains("samples (count"));
    let sql = "select name from functions";
    assert_eq!(sandbox.gotrace(&["query", "p", sql]).expect(0).text(), "name\nmain.main\n");
    sandbox.gotrace(&["ingest", "p", "-o", "p.db"]).expect(0);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[test]
fn what_is_packed_more_than_once_is_unpacked() {
    let sandbox = Sandbox::new();
    let trace = Trace::new(TRACE).bytes();
    let twice = zstd::encode_all(&gzip(&trace)[..], 1).unwrap();
    sandbox.write("twice", &twice);
    sandbox.write("plain", &trace);
    let events = |name: &str| sandbox.gotrace(&["events", name]).expect(0).stdout;
    assert_eq!(events("twice"), events("plain"));
    let mut often = trace;
    for _ in 0..8 {
        often = gzip(&often);
    }
    sandbox.write("often", &often);
    sandbox.gotrace(&["info", "often"]).expect(1).says(&["often: ", "packed more often"]);
}

#[test]
fn damage_of_the_packing_is_told_with_its_place_once() {
    let sandbox = Sandbox::new();
    for trace in ["go1.27/mixed", "go1.19/mixed"] {
        let mut packed = gzip(&Trace::new(trace).bytes());
        packed.truncate(packed.len() / 2);
        sandbox.write("cut.gz", &packed);
        for words in
            [&["info", "cut.gz"][..], &["ingest", "cut.gz", "--force"], &["events", "cut.gz"]]
        {
            let run = sandbox.gotrace(words).expect(0);
            let all = format!("{}{}", run.stderr, String::from_utf8_lossy(&run.stdout));
            let line = all.lines().find(|line| line.contains("reading failed"));
            let line = line.unwrap_or_else(|| panic!("{words:?}: {all}"));
            assert!(line.matches("byte ").count() <= 1, "{line}");
        }
    }
}

#[test]
fn headers_of_an_answer_are_read_past() {
    let sandbox = Sandbox::new();
    let trace = Trace::new(TRACE).bytes();
    let headers = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n";
    sandbox.write("answer", [&headers[..], &trace].concat());
    sandbox.write("plain", &trace);
    let events = |name: &str| sandbox.gotrace(&["events", name]).expect(0);
    let answer = events("answer");
    assert_eq!(answer.stdout, events("plain").stdout);
    answer.says(&["warning: answer: read past 59 bytes of HTTP headers"]);
    // The old format is read in any order, and a packed one is unpacked.
    let old = Trace::new("go1.19/mixed").bytes();
    sandbox.write("answer", [&headers[..], &old].concat());
    sandbox.write("plain", &old);
    assert_eq!(events("answer").stdout, events("plain").stdout);
    let profile = fs::read(root().join("testdata/profiles/go1.27/heap.pb.gz")).unwrap();
    sandbox.write("answer", [&headers[..], &profile].concat());
    sandbox.gotrace(&["profile", "top", "answer"]).expect(0);
    sandbox.write("answer", b"HTTP/1.1 404 Not Found\r\n\r\n404 page not found\n");
    sandbox.gotrace(&["profile", "top", "answer"]).expect(1).says(&["404 Not Found"]);
}

#[test]
fn what_is_saved_by_mistake_is_named_by_every_command() {
    let sandbox = Sandbox::new();
    for (bytes, want) in [
        (&b""[..], "the file is empty"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"404 page not found\n", "404 page not found"),
        (b"{\"traceEvents\":[]}", "JSON"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0>\0", "a program (ELF)"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0>\0", "a core dump"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "byte 0"),
        (b"\x28\xb5\x2f\xfd\0\xf8\0\0\0", "window of more than 128 MiB"),
    ] {
        sandbox.write("source", bytes);
        for (words, _) in COMMANDS {
            let run = run(&sandbox, words, "source", None).expect(1);
            assert!(run.stderr.contains(want), "{words:?}: {}", run.stderr);
            // The true reason, once.
            let lines = run.stderr.lines().count();
            assert!(lines == 1 && run.stderr.matches("byte 0").count() <= 1, "{}", run.stderr);
        }
    }
}

#[cfg(unix)]
#[test]
fn endless_zeros_are_not_read() {
    let sandbox = Sandbox::new();
    for (words, _) in COMMANDS {
        run(&sandbox, words, "/dev/zero", None).expect(1).says(&["zero bytes"]);
    }
}

#[cfg(unix)]
#[test]
fn a_file_may_have_any_name() {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::new();
    let name = OsStr::from_bytes(b"bad\xff\xfename");
    for (kind, bytes) in kinds(&sandbox) {
        fs::write(sandbox.folder().join(name), &bytes).unwrap();
        for (words, _) in COMMANDS.iter().filter(|(_, of)| of.contains(&kind)) {
            let words: Vec<OsString> = words
                .iter()
                .map(|word| if *word == "SOURCE" { name.into() } else { word.into() })
                .collect();
            finish(sandbox.command(&words).spawn().unwrap(), Vec::new()).expect(0);
            let _ = fs::remove_file(sandbox.path("out.db"));
        }
    }
    let profile = root().join("testdata/profiles/go1.27/heap.pb.gz");
    fs::copy(profile, sandbox.folder().join(name)).unwrap();
    let words = [OsStr::new("profile"), OsStr::new("-top"), OsStr::new("--base"), name, name];
    finish(sandbox.command(&words).spawn().unwrap(), Vec::new()).expect(0);
}
