//! Sources on the web, over servers that are threads of the test.

mod committed;

use committed::Trace;
use committed::run::{Run, Sandbox, finish};
use gotrace::source::{Access, DownloadLimits, SourceError, open_url};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// A server that answers each connection with `answer`, which gets the request line. It ends with
/// the test.
fn server(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = std::sync::Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let request: Vec<String> =
                    lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                let agent = format!("user-agent: gotrace/{}", env!("CARGO_PKG_VERSION"));
                assert!(
                    request.iter().any(|line| line.eq_ignore_ascii_case(&agent)),
                    "{request:?}"
                );
                answer(&request[0], &mut stream);
            });
        }
    });
    format!("http://{address}")
}

/// Runs gotrace without the proxies of the environment.
fn gotrace(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    finish(command(sandbox, arguments).spawn().unwrap(), Vec::new())
}

fn command(sandbox: &Sandbox, arguments: &[&str]) -> std::process::Command {
    let mut command = sandbox.command(arguments);
    for name in ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"]
    {
        command.env_remove(name);
    }
    command
}

/// Sends an answer. One that is not wanted to the end is no failure of the server.
fn send(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let _ = stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes());
    let _ = stream.write_all(body);
}

/// Sends a body in chunks, as net/http/pprof does.
fn send_chunked(stream: &mut TcpStream, body: &[u8], pause: Duration) {
    send(
        stream,
        "200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked",
        b"",
    );
    for chunk in body.chunks(7000) {
        let _ = write!(stream, "{:x}\r\n", chunk.len());
        let _ = stream.write_all(chunk);
        let _ = stream.write_all(b"\r\n");
        thread::sleep(pause);
    }
    let _ = stream.write_all(b"0\r\n\r\n");
}

#[test]
fn a_recording_over_http_is_a_source_like_a_file() {
    let trace = Trace::new("go1.27/gc");
    let bytes = trace.bytes();
    let base = server(move |request, stream| {
        assert_eq!(request, "GET /debug/pprof/trace?seconds=1 HTTP/1.1");
        send_chunked(stream, &bytes, Duration::from_millis(5));
    });
    let url = format!("{base}/debug/pprof/trace?seconds=1");
    let sandbox = Sandbox::new();
    let path = trace.path.to_str().unwrap();
    let events = gotrace(&sandbox, &["events", &url]).expect(0);
    assert!(events.stdout == gotrace(&sandbox, &["events", path]).expect(0).stdout);
    let footprint = gotrace(&sandbox, &["info", "-f", "footprint", &url]).expect(0);
    assert_eq!(footprint.text(), trace.expected("footprint").unwrap());

    gotrace(&sandbox, &["ingest", &url]).expect(0);
    assert_eq!(sandbox.files(), ["trace.db"]);
    let source =
        gotrace(&sandbox, &["query", "trace.db", "select source from traces", "-f", "tsv"])
            .expect(0);
    assert_eq!(source.text(), format!("source\n{url}\n"));
    let count =
        gotrace(&sandbox, &["query", &url, "select count(*) as n from gc_cycles", "-f", "tsv"])
            .expect(0);
    assert!(count.text().trim_start_matches("n\n").trim().parse::<u64>().unwrap() > 0);
}

#[test]
fn the_database_is_named_after_the_path_and_packed_answers_are_unpacked() {
    let bytes = Trace::new("go1.26/sync").bytes();
    let packed = zstd::bulk::compress(&bytes, 1).unwrap();
    let base = server(move |_, stream| {
        send(stream, &format!("200 OK\r\nContent-Length: {}", packed.len()), &packed);
    });
    let sandbox = Sandbox::new();
    gotrace(&sandbox, &["ingest", &format!("{base}/files/app.trace.zst?version=2")]).expect(0);
    assert_eq!(sandbox.files(), ["app.db"]);
}

#[test]
fn failures_show_the_status_and_what_the_server_says() {
    let base = server(|request, stream| {
        if request.contains("/missing") {
            send(stream, "404 Not Found", b"404 page not found\n");
        } else if request.contains("/moved") {
            send(stream, "302 Found\r\nLocation: /missing", b"");
        } else if request.contains("/page") {
            send(stream, "200 OK", b"<html><body>hello</body></html>");
        } else {
            let text =
                b"\nCould not enable tracing: \x1b[31mtracing is already enabled\nsecond line\n";
            send(stream, "500 Internal Server Error", text);
        }
    });
    let sandbox = Sandbox::new();
    let run = |path: &str| gotrace(&sandbox, &["ingest", &format!("{base}{path}")]).expect(1);
    run("/missing").says(&["/missing: HTTP status 404 Not Found: 404 page not found\n"]);
    run("/moved").says(&["HTTP status 404 Not Found"]);
    run("/busy").says(&[
        "HTTP status 500 Internal Server Error: Could not enable tracing: [31mtracing is already enabled\n",
    ]);
    run("/page").says(&["not a Go execution trace", "HTML"]);
    assert_eq!(sandbox.files(), [""; 0]);

    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    gotrace(&sandbox, &["info", &format!("http://{unused}/trace")])
        .expect(1)
        .says(&["connection refused"]);
    gotrace(&sandbox, &["info", "http:///trace"]).expect(1);
}

#[test]
fn a_length_over_the_limit_is_refused_and_an_endless_answer_is_cut() {
    let bytes = Trace::new("go1.27/generations").bytes();
    let len = bytes.len();
    let base = server(move |request, stream| {
        if request.contains("/told") {
            send(stream, &format!("200 OK\r\nContent-Length: {}", 5u64 << 30), &bytes);
        } else {
            send_chunked(stream, &bytes, Duration::ZERO);
        }
    });
    let sandbox = Sandbox::new();
    let told = format!("{base}/told");
    gotrace(&sandbox, &["events", &told]).expect(1).says(&[
        "the answer is longer than the limit of 4294967296 bytes; --max-download raises it",
    ]);
    // What came before the limit is a trace that was cut off, and is treated as one.
    let endless = format!("{base}/endless");
    let limit = (len - 1000).to_string();
    let arguments = ["info", "-f", "json", "--max-download", &limit, &endless];
    let run = gotrace(&sandbox, &arguments).expect(0);
    assert!(run.text().contains(&format!("the answer is longer than the limit of {limit} bytes")));
    assert!(run.text().contains("truncated-batch"));
    gotrace(&sandbox, &[&arguments[..], &["--strict"]].concat()).expect(1);
    let exact = len.to_string();
    let run =
        gotrace(&sandbox, &["info", "--strict", "--max-download", &exact, &endless]).expect(0);
    assert!(run.text().contains("Nothing was found wrong."));
    gotrace(&sandbox, &["info", "--max-download", "much", &endless])
        .expect(2)
        .says(&["want a size"]);
}

#[test]
fn a_server_that_says_nothing_is_given_up_but_a_recording_is_waited_for() {
    let bytes = Trace::new("go1.27/sync").bytes();
    let base = server(move |request, stream| {
        if request.contains("/hangs") {
            send(stream, "200 OK", &bytes[..bytes.len() / 2]);
            thread::sleep(Duration::from_secs(60));
        }
        // As net/http/pprof: nothing comes before the recording is over.
        thread::sleep(Duration::from_millis(1200));
        send(stream, "200 OK", &bytes);
    });
    let limits =
        DownloadLimits { silence: Duration::from_millis(500), ..DownloadLimits::default() };
    let started = Instant::now();
    let Err(SourceError::Open { what }) =
        open_url(&format!("{base}/trace"), limits, &Access::default())
    else {
        panic!("the server was waited for");
    };
    assert_eq!(what, "nothing came for 0.5 s");
    assert!(started.elapsed() < Duration::from_secs(10));

    let mut source = open_url(&format!("{base}/trace?seconds=2"), limits, &Access::default())
        .expect("seconds= is waited for");
    assert!(source.stream.peek(1 << 20).starts_with(b"go 1.26 trace"));
    assert!(source.stream.take_error().is_none());

    let mut source =
        open_url(&format!("{base}/hangs"), limits, &Access::default()).expect("it begins well");
    assert!(source.stream.peek(1 << 20).len() > 1000, "what came is kept");
    let error = source.stream.take_error().unwrap().to_string();
    assert!(error.ends_with("nothing came for 0.5 s"), "{error}");
}

#[test]
fn what_came_is_saved_as_it_came() {
    let path = committed::root().join("testdata/profiles/go1.27/heap.pb.gz");
    let bytes = std::fs::read(path).unwrap();
    let sent = bytes.clone();
    let base = server(move |request, stream| match request.contains("/heap") {
        true => send(stream, "200 OK", &sent),
        false => send(stream, "200 OK", b"no profile"),
    });
    let sandbox = Sandbox::new();
    let url = format!("{}/debug/pprof/heap", base.strip_prefix("http://").unwrap());
    let top = gotrace(&sandbox, &["profile", "-top", &url, "--save", "heap.pb.gz"]).expect(0);
    assert!(top.text().contains("main.makeValue"));
    assert_eq!(top.stderr, "", "a bar is for terminals");
    assert!(std::fs::read(sandbox.path("heap.pb.gz")).unwrap() == bytes);

    // It is kept even if it cannot be read.
    let other = format!("{base}/other");
    gotrace(&sandbox, &["profile", "top", &other, "--save", "other"]).expect(1);
    assert_eq!(std::fs::read(sandbox.path("other")).unwrap(), b"no profile");
    gotrace(&sandbox, &["profile", "top", "heap.pb.gz", "--save", "x"]).expect(2).says(&["--save"]);
    gotrace(&sandbox, &["profile", "top", &url, "--save", "heap.pb.gz"])
        .expect(1)
        .says(&["--force"]);
}

#[test]
#[cfg(unix)]
fn an_interrupted_download_leaves_nothing_behind() {
    let (tell, told) = std::sync::mpsc::channel();
    let tell = std::sync::Mutex::new(tell);
    let base = server(move |_, stream| {
        send(stream, "200 OK\r\nContent-Length: 1000", b"begun");
        tell.lock().unwrap().send(()).unwrap();
        thread::sleep(Duration::from_secs(60));
    });
    let sandbox = Sandbox::new();
    let url = format!("{base}/debug/pprof/profile?seconds=30");
    let mut command = command(&sandbox, &["profile", "top", &url, "--save", "cpu.pb.gz"]);
    let child = committed::run::listening(&mut command).spawn().unwrap();
    told.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(sandbox.files().len(), 1, "the file is being written");
    let interrupt = ["-INT", &child.id().to_string()];
    assert!(std::process::Command::new("kill").args(interrupt).status().unwrap().success());
    finish(child, Vec::new()).expect(130);
    assert_eq!(sandbox.files(), [""; 0]);
}

#[test]
fn a_download_that_comes_byte_by_byte_has_an_end() {
    let base = server(|request, stream| {
        if request.contains("/slow-headers") {
            for byte in b"HTTP/1.1 200 OK\r\nX: ".iter().chain([b'x'; 10_000].iter()) {
                if stream.write_all(&[*byte]).is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(50));
            }
        }
        send(stream, "200 OK", b"go 1.26 trace\0\0\0");
        while stream.write_all(b"\x01").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let sandbox = Sandbox::new();
    for path in ["/endless", "/slow-headers"] {
        let started = Instant::now();
        let run = gotrace(&sandbox, &["info", "--max-time", "1s", &format!("{base}{path}")]);
        assert!(started.elapsed() < Duration::from_secs(20), "{path}");
        let all = format!("{}{}", run.stderr, String::from_utf8_lossy(&run.stdout));
        assert!(
            all.contains("not complete after 1 s; --max-time raises the limit"),
            "{path}: {all}"
        );
    }
}

#[test]
fn a_port_that_there_cannot_be_is_not_left_out() {
    let sandbox = Sandbox::new();
    let run = gotrace(&sandbox, &["info", "http://127.0.0.1:99999/debug/pprof/trace"]).expect(1);
    run.says(&["there is no port 99999; ports are 1 to 65535"]);
}

/// A server as of net/http/pprof, alone and with the paths that were asked for.
fn recorder() -> (String, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
    let bytes = Trace::new("go1.27/gc").bytes();
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let requests = asked.clone();
    let base = server(move |request, stream| {
        let path = request.split(' ').nth(1).unwrap();
        requests.lock().unwrap().push(path.to_owned());
        match path.starts_with("/debug/pprof/trace") {
            true => send(stream, "200 OK", &bytes),
            false => send(stream, "404 Not Found", b"404 page not found\n"),
        }
    });
    (base.strip_prefix("http://").unwrap().to_owned(), asked)
}

#[test]
fn a_server_alone_is_its_trace_in_all_commands() {
    let (server, asked) = recorder();
    let took = || std::mem::take(&mut *asked.lock().unwrap());
    let sandbox = Sandbox::new();
    let five = "/debug/pprof/trace?seconds=5";
    for named in [server.clone(), format!("http://{server}"), format!("http://{server}/")] {
        gotrace(&sandbox, &["info", &named]).expect(0);
        assert_eq!(took(), [five], "{named}");
    }
    let commands: [&[&str]; 8] = [
        &["report", &server],
        // The command may be left out, as before a file.
        &[&server],
        &["query", &server, "gc"],
        &["sql", &server],
        &["events", &server, "--limit", "1"],
        &["ingest", &server],
        &["export", "csv", &server, "procs"],
        &["export", "perfetto", &server, "-o", "gc.pftrace"],
    ];
    for command in commands {
        gotrace(&sandbox, command).expect(0);
        assert_eq!(took(), [five], "{command:?}");
        let command = [command, &["--seconds", "2s"]].concat();
        let run = gotrace(&sandbox, &[&command[..], &["--force"]].concat()).expect(0);
        assert_eq!(took(), ["/debug/pprof/trace?seconds=2"], "{command:?}: {}", run.stderr);
    }
    assert!(sandbox.files().contains(&"trace.db".to_owned()));
    let url = format!("http://{server}{five}");
    gotrace(&sandbox, &["info", "--seconds", "9", &url]).expect(0);
    assert_eq!(took(), ["/debug/pprof/trace?seconds=9"]);
    gotrace(&sandbox, &["profile", "top", &server]).expect(1);
    assert_eq!(took(), ["/debug/pprof/profile"]);
    gotrace(&sandbox, &["info", "--seconds", "long", &server]).expect(2).says(&["--seconds"]);

    // A file with that very name is meant.
    std::fs::write(sandbox.path(&server), Trace::new("go1.27/gc").bytes()).unwrap();
    gotrace(&sandbox, &["info", &server]).expect(0);
    assert_eq!(took(), [""; 0]);
}

#[test]
fn a_recording_that_is_saved_is_asked_further() {
    let (server, asked) = recorder();
    let bytes = Trace::new("go1.27/gc").bytes();
    let sandbox = Sandbox::new();
    const ANEW: &str =
        "gotrace: the commands below record anew; --save FILE keeps this recording\n";

    let run = gotrace(&sandbox, &["report", &server]).expect(0).says(&[ANEW]);
    assert!(run.text().contains(&format!("'http://{server}/debug/pprof/trace?seconds=5'")));
    let run = gotrace(&sandbox, &["report", &server, "--save", "gc.trace"]).expect(0);
    assert!(!run.stderr.contains(ANEW), "{}", run.stderr);
    assert!(run.text().contains("gotrace query gc.trace "), "{}", run.text());
    assert!(!run.text().contains(&server), "{}", run.text());
    assert!(std::fs::read(sandbox.path("gc.trace")).unwrap() == bytes);
    assert_eq!(asked.lock().unwrap().len(), 2, "one recording each");
    // What is not recorded is the same when it is asked for again.
    let file = format!("http://{server}/debug/pprof/trace.out");
    let run = gotrace(&sandbox, &["report", &file]).expect(0);
    assert!(!run.stderr.contains(ANEW), "{}", run.stderr);

    let commands: [&[&str]; 7] = [
        &["query", &server, "gc"],
        &["sql", &server],
        &["info", &server],
        &["events", &server, "--limit", "1"],
        &["ingest", &server],
        &["export", "csv", &server, "procs"],
        &["export", "events", &server, "--limit", "1"],
    ];
    for command in commands {
        let save = [command, &["--save", "saved.trace"]].concat();
        let _ = std::fs::remove_file(sandbox.path("saved.trace"));
        gotrace(&sandbox, &save).expect(0);
        assert!(std::fs::read(sandbox.path("saved.trace")).unwrap() == bytes, "{command:?}");
        let before = asked.lock().unwrap().len();
        gotrace(&sandbox, &save).expect(1).says(&["saved.trace", "--force"]);
        assert_eq!(asked.lock().unwrap().len(), before, "nothing is recorded in vain");
        gotrace(&sandbox, &[&save[..], &["--force"]].concat()).expect(0);
    }
    assert!(sandbox.files().contains(&"saved.db".to_owned()));
    for command in [&["report", "gc.trace"][..], &["ingest", &server, &server]] {
        gotrace(&sandbox, &[command, &["--save", "x"]].concat()).expect(2).says(&["--save"]);
    }
    assert!(!sandbox.files().contains(&"x".to_owned()));
}
