//! `gotrace export`, `gotrace open` and profiles of traces on the command line.

mod committed;

use committed::root;
use committed::run::{Sandbox, finish};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};

#[test]
fn an_export_is_written_whole_or_not_at_all_and_overwrites_nothing_unasked() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "a.trace");
    sandbox
        .gotrace(&["export", "perfetto", "a.trace", "-o", "a.pftrace"])
        .expect(0)
        .says(&["a.pftrace"]);
    let first = std::fs::read(sandbox.path("a.pftrace")).unwrap();
    assert!(first.len() > 100_000);
    sandbox
        .gotrace(&["export", "perfetto", "a.trace", "-o", "a.pftrace"])
        .expect(1)
        .says(&["exists", "--force"]);
    sandbox.gotrace(&["export", "chrome", "a.trace", "-o", "a.json.gz"]).expect(0);
    let packed = std::fs::read(sandbox.path("a.json.gz")).unwrap();
    let mut json = String::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut json).unwrap();
    let plain = sandbox.gotrace(&["export", "chrome", "a.trace", "-o", "-"]).expect(0);
    assert_eq!(plain.text(), json);
    sandbox.write("b.trace", b"no trace at all");
    sandbox
        .gotrace(&["export", "perfetto", "b.trace", "-o", "b.pftrace"])
        .expect(1)
        .says(&["b.trace"]);
    sandbox.copy("go1.27/killed", "killed.trace");
    let strict = ["export", "perfetto", "killed.trace", "-o", "k.pftrace", "--strict"];
    sandbox.gotrace(&strict).expect(1).says(&["--strict", "nothing was written"]);
    sandbox.gotrace(&strict[..5]).expect(0).says(&["loss"]);
    let names = ["a.json.gz", "a.pftrace", "a.trace", "b.trace", "k.pftrace", "killed.trace"];
    assert_eq!(sandbox.files(), names);
    assert!(sandbox.left_behind().is_empty());
}

#[test]
fn what_cannot_be_is_refused_with_a_hint() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.22/mixed", "a.trace");
    let refused = |arguments: &[&str], status, words: &[&str]| {
        let all = [&["export"], arguments].concat();
        sandbox.gotrace(&all).expect(status).says(words);
    };
    refused(&["perfetto", "a.trace", "-o", "x", "--from", "soon"], 2, &["--from", "1.5s"]);
    refused(&["perfetto", "a.trace", "-o", "x", "--from", "12:00:00"], 1, &["wall time"]);
    refused(&["perfetto", "a.trace", "-o", "x", "--counters-every", "x"], 2, &["1ms"]);
    refused(&["chrome", "a.trace", "-o", "x", "--by", "cores"], 2, &["procs", "threads"]);
    refused(&["pprof", "a.trace", "-t", "sync,net", "-o", "x"], 2, &["{}"]);
    refused(&["pprof", "a.trace", "-t", "wall", "--gotool", "-o", "x"], 2, &["wall", "sched"]);
    refused(&["pprof", "a.trace", "-t", "sync", "--label", "x=1", "-o", "x"], 2, &["reason"]);
    refused(&["csv", "a.trace", "gorutines"], 2, &["did you mean 'goroutines'"]);
    sandbox.gotrace(&["profile", "top", "a.trace"]).expect(2).says(&["--type"]);
    assert_eq!(sandbox.files(), ["a.trace"]);
}

#[test]
fn tables_and_events_are_written_as_query_and_events_print_them() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "a.trace");
    let whole = "select * from goroutine_states";
    for format in ["csv", "jsonl"] {
        let want = sandbox.gotrace(&["query", "a.trace", whole, "-f", format]).expect(0);
        let got = sandbox.gotrace(&["export", format, "a.trace", "goroutine_states"]).expect(0);
        assert!(got.stdout.len() > 10_000);
        assert!(got.stdout == want.stdout, "{format}");
        sandbox.gotrace(&["export", format, "a.trace", "goroutine_states", "-o", "out"]).expect(0);
        assert!(std::fs::read(sandbox.path("out")).unwrap() == want.stdout, "{format}");
        std::fs::remove_file(sandbox.path("out")).unwrap();
    }
    for options in [&[][..], &["-f", "jsonl"], &["--wire"], &["--kind", "RangeBegin"]] {
        let want = sandbox.gotrace(&[&["events", "a.trace"], options].concat()).expect(0);
        let got = sandbox.gotrace(&[&["export", "events", "a.trace"], options].concat()).expect(0);
        assert!(!got.stdout.is_empty() && got.stdout == want.stdout, "{options:?}");
    }
}

#[test]
fn profiles_of_a_trace_are_shown_and_written_in_every_way() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "a.trace");
    let files = ["export", "pprof", "a.trace", "-t", "sync,wall", "-o", "p-{}.pb.gz"];
    sandbox.gotrace(&files).expect(0);
    let top = sandbox.gotrace(&["profile", "top", "a.trace", "--type", "sync"]).expect(0);
    let of_file = sandbox.gotrace(&["profile", "top", "p-sync.pb.gz"]).expect(0);
    assert_eq!(top.text(), of_file.text());
    assert!(top.text().contains("runtime.chanrecv2") && top.text().contains("Type: delay"));
    sandbox.gotrace(&["profile", "flame", "a.trace", "--type", "wall", "-o", "f.svg"]).expect(0);
    let flame = std::fs::read_to_string(sandbox.path("f.svg")).unwrap();
    assert!(flame.contains("main.(*shop).work") && flame.contains("a.trace: wall"));

    // Standard input is a source as any other.
    let bytes = std::fs::read(sandbox.path("a.trace")).unwrap();
    let piped = sandbox.gotrace_with(&["profile", "top", "-", "--type", "sync"], bytes).expect(0);
    assert_eq!(piped.text(), of_file.text());
    let none = ["profile", "top", "a.trace", "--type", "sync", "--goroutine", "99999"];
    sandbox.gotrace(&none).expect(0).says(&["no sample of type sync with these options"]);

    let sql = "select pprof(stack_id, 'waits', 'count', 1, 'delay', 'nanoseconds', duration_ns) from network_waits";
    sandbox.gotrace(&["query", "a.trace", sql, "-f", "raw", "-o", "net.pb.gz"]).expect(0);
    let of_query = sandbox.gotrace(&["profile", "top", "net.pb.gz"]).expect(0);
    let of_type = sandbox.gotrace(&["profile", "top", "a.trace", "--type", "net"]).expect(0);
    assert_eq!(of_query.text(), of_type.text());
    let none = sandbox.gotrace(&["query", "a.trace", "select pprof(1, 'x')"]);
    none.expect(1).says(&["pprof(stack_id, 'delay', 'nanoseconds', duration_ns)"]);
    let two = sandbox.gotrace(&["query", "a.trace", "select 1, 2", "-f", "raw"]);
    two.expect(1).says(&["one value"]);
}

/// The frames of a flame graph: what their titles say, colour, and whether they are upper ones.
fn frames(svg: &str) -> Vec<(String, String, f64)> {
    let after = |text: &str, start: &str, end: &str| {
        let from = text.find(start).expect(start) + start.len();
        text[from..from + text[from..].find(end).expect(end)].to_owned()
    };
    svg.split("<g>")
        .skip(1)
        .filter(|frame| frame.contains("<title>"))
        .map(|frame| {
            let y = after(frame, " y=\"", "\"").parse().unwrap();
            (after(frame, "<title>", "</title>"), after(frame, "fill=\"", "\""), y)
        })
        .collect()
}

#[test]
fn flame_graphs_are_coloured_by_what_was_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "a.trace");
    sandbox.copy("go1.27/stw", "b.trace");
    let draw = |options: &[&str]| {
        let words = [&["profile", "flame", "a.trace"], options].concat();
        frames(sandbox.gotrace(&words).expect(0).text())
    };
    let colors = |frames: &[(String, String, f64)], word: &str| {
        let of_word = frames.iter().filter(|frame| frame.0.starts_with(word));
        of_word.map(|frame| frame.1.clone()).collect::<std::collections::BTreeSet<_>>()
    };

    // One colour for each package.
    let packages = draw(&["-t", "wall", "--color-by", "package"]);
    let main = colors(&packages, "main.");
    let bufio = colors(&packages, "bufio.");
    assert!(main.len() == 1 && bufio.len() == 1 && main != bufio, "{main:?} {bufio:?}");

    // One for each state, which is a frame at the end; what has several of them is grey.
    let states = draw(&["-t", "wall", "--color-by", "state"]);
    let of_states: Vec<_> =
        ["running (", "runnable (", "waiting ("].map(|word| colors(&states, word)).into();
    assert!(of_states.iter().all(|of| of.len() == 1), "{of_states:?}");
    assert!(
        of_states[0] != of_states[1]
            && of_states[1] != of_states[2]
            && of_states[0] != of_states[2]
    );
    assert_eq!(colors(&states, "main.(*shop).work ").len(), 1);
    assert!(!of_states.contains(&colors(&states, "main.(*shop).work ")));

    // The root on top, or at the bottom.
    let edge = |frames: &[(String, String, f64)]| {
        let root = frames.iter().find(|frame| frame.0.starts_with("all (")).unwrap().2;
        frames.iter().all(|frame| frame.2 >= root)
    };
    assert!(edge(&states) && !edge(&draw(&["-t", "wall", "--icicle=false"])));

    // What is gone shows, as well as what is new.
    let change = draw(&["-t", "offcpu", "--diff-base", "b.trace"]);
    let only = |name: &str| change.iter().filter(|frame| frame.0.starts_with(name)).count();
    assert!(only("main.(*shop).work ") > 0, "{change:?}");
    let back = frames(
        sandbox
            .gotrace(&["profile", "flame", "b.trace", "-t", "offcpu", "--diff-base", "a.trace"])
            .expect(0)
            .text(),
    );
    let sign = |frames: &[(String, String, f64)]| {
        let title = &frames
            .iter()
            .find(|frame| frame.0.starts_with("internal/poll.(*FD).Read "))
            .unwrap()
            .0;
        title.contains("; +")
    };
    assert!(sign(&change) && !sign(&back), "{back:?}");

    sandbox.write("cpu", std::fs::read(root().join("testdata/profiles/go1.27/cpu.pb.gz")).unwrap());
    let none = sandbox.gotrace(&["profile", "flame", "cpu", "--color-by", "state"]);
    none.expect(1).says(&["no sample has the label state"]);
}

/// What a server on this machine answers.
fn ask(port: u16, request: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let _ = stream.shutdown(Shutdown::Both);
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end + 4..].to_vec())
}

#[test]
fn open_serves_the_timeline_to_the_viewer_alone_and_ends_when_it_was_taken() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "a.trace");
    sandbox.gotrace(&["export", "perfetto", "a.trace", "-o", "a.pftrace"]).expect(0);
    let arguments = ["open", "a.trace", "--no-browser", "--port", "0"];
    let mut child = sandbox.command(&arguments).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut link = String::new();
    out.read_line(&mut link).unwrap();
    let (ui, url) = link.trim().split_once("/#!/?url=http://127.0.0.1:").unwrap();
    assert_eq!(ui, "https://ui.perfetto.dev");
    let (port, path) = url.split_once('/').unwrap();
    let port: u16 = port.parse().unwrap();
    let request = |method: &str, path: &str, host: &str| {
        format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {ui}\r\n\r\n")
    };
    let host = format!("127.0.0.1:{port}");
    // A connection that a browser opens and does not use.
    let _idle = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (head, body) = ask(port, &request("OPTIONS", path, &host));
    assert!(head.starts_with("HTTP/1.1 204") && body.is_empty(), "{head}");
    assert!(head.contains("Access-Control-Allow-Private-Network: true"), "{head}");
    assert!(ask(port, &request("GET", "etc/passwd", &host)).0.starts_with("HTTP/1.1 404"));
    assert!(ask(port, &request("POST", path, &host)).0.starts_with("HTTP/1.1 405"));
    assert!(ask(port, &request("GET", path, "evil.example:9001")).0.starts_with("HTTP/1.1 403"));
    let other =
        format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://evil.example\r\n\r\n");
    assert!(ask(port, &other).0.starts_with("HTTP/1.1 403"));
    let want = std::fs::read(sandbox.path("a.pftrace")).unwrap();
    let (head, body) = ask(port, &request("HEAD", path, &host));
    assert!(head.contains(&format!("Content-Length: {}", want.len())) && body.is_empty());
    let (head, body) = ask(port, &request("GET", path, &host));
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("Access-Control-Allow-Origin: https://ui.perfetto.dev"), "{head}");
    assert!(body == want);
    let run = finish(child, Vec::new()).expect(0);
    assert!(run.stderr.contains("the browser has the trace"), "{}", run.stderr);
    assert!(sandbox.left_behind().is_empty());
}
