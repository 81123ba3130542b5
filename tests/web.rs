//! `gotrace web`: who is let in, and that its answers are those of the command line. What pages look like, and
//! what they do in a browser, is tested by `tests/web/run`.

mod committed;
mod served;

use committed::run::Sandbox;
use gotrace::store::canned_queries;
use serde_json::{Value as Json, json};
use served::Served;
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A server over one committed trace, called `t.trace`.
fn serve(trace: &str) -> (Sandbox, Served) {
    let sandbox = Sandbox::new();
    sandbox.copy(trace, "t.trace");
    let served = Served::start(&sandbox, &["t.trace"]);
    (sandbox, served)
}

/// The addresses of pages, with what stands for a name.
const PAGES: &[&str] = &[
    "/",
    "/timeline",
    "/goroutines",
    "/goroutines/main.main",
    "/goroutine/1",
    "/collector",
    "/scheduler",
    "/syscalls",
    "/network",
    "/locks",
    "/channels",
    "/threads",
    "/procs",
    "/tasks",
    "/task/1",
    "/regions",
    "/profile",
    "/events",
    "/sql",
    "/queries",
    "/query/goroutines",
    "/diagnostics",
];

#[test]
fn only_who_knows_the_secret_is_let_in() {
    let (_sandbox, served) = serve("go1.27/mixed");
    let cookie = format!("gotrace_{}={}", served.host.split_once(':').unwrap().1, served.secret);
    for page in PAGES.iter().chain(&["/api/analysis", "/api/progress", "/assets/x/y.js", "/none"]) {
        assert_eq!(served.send("GET", page, &[], b"").status, 401, "{page}");
        let wrong = format!("{page}?t={}", "0".repeat(32));
        assert_eq!(served.send("GET", &wrong, &[], b"").status, 401, "{page}");
        let other = [("Host", "evil.example"), ("Cookie", &*cookie)];
        assert_eq!(served.send("GET", page, &other, b"").status, 403, "{page}");
    }
    // The secret in the address is exchanged for a cookie, and gone from the address.
    let first = served.send("GET", &format!("/sql?q=a%20b&t={}", served.secret), &[], b"");
    assert_eq!((first.status, first.header("location")), (303, Some("/sql?q=a%20b")));
    let set = first.header("set-cookie").unwrap();
    assert!(
        set.starts_with(&cookie) && set.contains("HttpOnly") && set.contains("SameSite"),
        "{set}"
    );
    let with = |headers: &[(&str, &str)], method: &str, target: &str| {
        let all = [&[("Cookie", &*cookie)], headers].concat();
        served.send(method, target, &all, b"{\"sql\":\"select 1 as one\"}").status
    };
    assert_eq!(with(&[], "GET", "/"), 200);
    // Other sites can neither post nor read, but may link to a page.
    assert_eq!(with(&[], "POST", "/api/sql"), 200);
    assert_eq!(with(&[("Origin", "http://evil.example")], "POST", "/api/sql"), 403);
    assert_eq!(with(&[("Sec-Fetch-Site", "cross-site")], "GET", "/api/analysis"), 403);
    // What changes something is no GET.
    assert_eq!(with(&[], "GET", "/api/open"), 405);
    assert_eq!(with(&[], "PUT", "/"), 405);
}

#[test]
fn every_answer_forbids_what_pages_do_not_need() {
    let (_sandbox, served) = serve("go1.27/mixed");
    for page in PAGES.iter().chain(&["/api/analysis", "/api/queries", "/none"]) {
        let reply = served.get(page);
        assert_eq!(reply.status, if *page == "/none" { 404 } else { 200 }, "{page}");
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{page}");
        assert_eq!(reply.header("access-control-allow-origin"), None, "{page}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{page}");
        if reply.header("content-type").unwrap().starts_with("text/html") {
            let scripts = reply.text().matches("<script").count();
            assert_eq!(reply.text().matches("<script src=").count() + 1, scripts, "{page}");
            assert!(reply.text().contains("<script type=\"module\" src=\"/assets/"), "{page}");
            assert!(!reply.text().contains("style=\"") && !reply.text().contains("http"), "{page}");
        }
    }
}

#[test]
fn the_files_of_pages_are_there_and_nothing_else_is() {
    let (_sandbox, served) = serve("go1.27/mixed");
    let page = served.get("/");
    let root = page.text().split("href=\"").nth(1).unwrap().split("icon.svg").next().unwrap();
    let mut wanted: Vec<String> = Vec::new();
    for page in PAGES {
        let text = served.get(page).text().to_owned();
        let links = text.split('"').filter(|it| it.starts_with("/assets/"));
        wanted.extend(links.map(String::from));
    }
    // And what modules import.
    let mut at = 0;
    while let Some(address) = wanted.get(at).cloned() {
        at += 1;
        let file = served.get(&address);
        assert_eq!(file.status, 200, "{address}");
        assert!(file.header("cache-control").unwrap().contains("immutable"), "{address}");
        let folder = address.rsplit_once('/').unwrap().0;
        let text = String::from_utf8_lossy(&file.body).into_owned();
        let imports = text.split(" from \"").skip(1).filter_map(|rest| rest.split('"').next());
        for import in imports.filter(|it| it.starts_with('.') && address.ends_with(".js")) {
            let mut parts: Vec<&str> = folder.split('/').collect();
            for part in import.split('/') {
                match part {
                    "." => {}
                    ".." => drop(parts.pop()),
                    name => parts.push(name),
                }
            }
            let address = parts.join("/");
            if !wanted.contains(&address) {
                wanted.push(address);
            }
        }
    }
    for path in ["../Cargo.toml", "..%2f..%2fetc/passwd", "%2e%2e/build.rs", "README.md", ""] {
        assert_eq!(served.get(&format!("{root}{path}")).status, 404, "{path}");
    }
    assert_eq!(served.get("/etc/passwd").status, 404);
}

#[test]
fn canned_queries_answer_what_the_command_line_answers() {
    for trace in ["go1.27/mixed", "go1.27/annotations", "go1.21/mixed"] {
        let (sandbox, served) = serve(trace);
        for query in canned_queries() {
            let needs = query.parameters.iter().any(|one| one.default.is_empty());
            let said = sandbox.gotrace(&["query", "t.trace", query.name, "-f", "csv"]);
            let reply = served.get(&format!("/api/query/{}.csv", query.name));
            if said.status != 0 {
                let what = (reply.status, reply.is_whole, needs);
                assert!(reply.status >= 400 || !reply.is_whole, "{trace} {}: {what:?}", query.name);
                continue;
            }
            assert_eq!(reply.status, 200, "{trace} {}: {}", query.name, reply.text());
            assert!(reply.body == said.stdout, "{trace} {}: {}", query.name, reply.text());
            // What pages take has the same values.
            let table = served.get(&format!("/api/query/{}", query.name)).json();
            let rows = table["rows"].as_array().unwrap().len();
            let all = sandbox.gotrace(&["query", "t.trace", query.name, "-f", "json"]);
            let all: Json = serde_json::from_slice(&all.stdout).unwrap();
            assert_eq!(rows, all.as_array().unwrap().len(), "{trace} {}", query.name);
        }
    }
}

#[test]
fn the_limit_of_a_query_holds_where_it_is_given() {
    let (_sandbox, served) = serve("go1.27/mixed");
    for (limits, rows, has_more) in [
        ("limit=3", 3, true),
        ("limit=3&limit_rows=2", 2, true),
        ("limit=3&limit_rows=5", 5, true),
        ("limit=-1", 585, false),
    ] {
        let answer = served.get(&format!("/api/query/goroutine?goid=1&{limits}")).json();
        let got = answer["rows"].as_array().map(Vec::len);
        assert_eq!((got, &answer["has_more"]), (Some(rows), &json!(has_more)), "{limits}");
    }
}

#[test]
fn events_are_those_of_the_file() {
    let (sandbox, served) = serve("go1.27/mixed");
    for (filters, arguments) in [
        ("limit=20", &["--limit", "20"][..]),
        ("kind=GoBlock,Log&limit=7", &["--kind", "GoBlock,Log", "--limit", "7"]),
        ("goroutine=1&from=10ms&to=20ms", &["--goroutine", "1", "--from", "10ms", "--to", "20ms"]),
    ] {
        let said = sandbox.gotrace(&[&["events", "t.trace", "-f", "jsonl"], arguments].concat());
        let reply = served.get(&format!("/api/events?{filters}"));
        assert!(reply.status == 200 && reply.is_whole, "{filters}: {}", reply.text());
        assert!(!said.stdout.is_empty() && reply.body == said.stdout, "{filters}");
    }
    assert_eq!(served.get("/api/events?kind=NoSuch").status, 400);
    assert_eq!(served.get("/api/events?trace=99").status, 404);
    // A database has no events.
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "t.trace");
    assert_eq!(sandbox.gotrace(&["ingest", "t.trace", "-o", "t.db"]).status, 0);
    let served = Served::start(&sandbox, &["t.db"]);
    assert_eq!(served.get("/api/events").status, 404);
}

#[test]
fn sql_reads_and_says_what_is_wrong() {
    let (_sandbox, served) = serve("go1.27/mixed");
    let ask = |body: Json| served.post("/api/sql", body.to_string().as_bytes());
    let result = ask(json!({ "sql": "select :n + 1 as x, 'a' as y, 9007199254740993 as big",
                             "parameters": { "n": 41 } }));
    let result = result.json();
    assert_eq!(result["rows"], json!([[42, "a", "9007199254740993"]]));
    assert_eq!(result["columns"][0]["name"], "x");
    let null = ask(json!({ "sql": "select :n is null as x", "parameters": { "n": null } }));
    assert_eq!(null.json()["rows"], json!([[1]]));
    let few = ask(json!({ "sql": "select value from json_each('[1,2,3]')", "limit": 2 })).json();
    assert_eq!((few["rows"].as_array().unwrap().len(), &few["has_more"]), (2, &json!(true)));
    let filtered = json!({ "sql": "select group_concat(distinct name) as n from goroutines",
                           "filters": { "function": "main.main" } });
    assert_eq!(ask(filtered).json()["rows"], json!([["main.main"]]));
    // The filter of one request is none of the next, on whichever connection.
    for _ in 0..8 {
        let all = ask(json!({ "sql": "select count(distinct name) > 1 as n from goroutines" }));
        assert_eq!(all.json()["rows"], json!([[1]]));
    }
    let wrong = ask(json!({ "sql": "select nosuch from goroutines" }));
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.text().contains("no such column") && wrong.text().contains('^'),
        "{}",
        wrong.text()
    );
    for sql in ["delete from raw_goroutines", "attach 'x' as y", "pragma user_version = 3", ""] {
        assert_eq!(ask(json!({ "sql": sql })).status, 422, "{sql}");
    }
    assert_eq!(served.post("/api/sql", b"{").status, 400);
    assert_eq!(served.post("/api/sql", &vec![b' '; 2 << 20]).status, 413);
}

#[test]
fn the_report_is_that_of_the_command_line() {
    let (sandbox, served) = serve("go1.27/leak");
    let said = sandbox.gotrace(&["report", "t.trace", "-f", "json"]).expect(0);
    let said: Json = serde_json::from_slice(&said.stdout).unwrap();
    let mut shown = served.get("/api/report").json();
    for trace in shown["traces"].as_array_mut().unwrap() {
        for more in ["bars", "overview", "nothing_found"] {
            assert!(trace.as_object_mut().unwrap().shift_remove(more).is_some(), "{more}");
        }
    }
    assert_eq!(shown, said);
    let plots = served.get("/api/report/plots.svg");
    assert_eq!(plots.header("content-type"), Some("image/svg+xml"));
    assert!(!plots.text().contains("style="), "the policy of pages forbids it");
    roxmltree::Document::parse(&plots.text().replace("<svg", "<svg xmlns=\"x\"")).unwrap();
}

#[test]
fn what_is_dropped_is_added_under_its_name() {
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox, &[]);
    assert_eq!(served.get("/api/analysis").status, 404);
    let add = |trace: &str, name: &str| {
        let bytes = committed::Trace::new(trace).bytes();
        let reply = served.post(&format!("/api/upload?name={name}"), &bytes);
        assert_eq!(reply.status, 202, "{}", reply.text());
        served.wait();
    };
    add("go1.27/mixed", "a.trace");
    assert_eq!(served.get("/api/analysis").json()["sources"], json!(["a.trace"]));
    add("go1.22/mixed", "b%2F..%2Fc.trace");
    let both = served.get("/api/analysis").json();
    assert_eq!(both["traces"].as_array().unwrap().len(), 2);
    assert_eq!(both["traces"][1]["source"], "b/../c.trace");
    assert_eq!(both["snapshot"], 2);
    // What is nothing is told, and what was there stays.
    assert_eq!(served.post("/api/upload?name=x", b"nothing").status, 202);
    served.wait();
    let told = served.get("/api/progress");
    assert!(told.text().contains("x: byte 0: not a Go execution trace"), "{}", told.text());
    assert_eq!(served.get("/api/analysis").json()["snapshot"], 2);
    assert_eq!(served.post("/api/open", b"{\"source\":\"/etc/passwd\"}").status, 400);
    drop(served);
}

#[test]
fn slow_and_broken_clients_leave_it_alive() {
    let (_sandbox, served) = serve("go1.27/mixed");
    // Connections that say nothing, and halves of requests.
    let quiet: Vec<TcpStream> = (0..40)
        .map(|at| {
            let mut stream = TcpStream::connect(&served.host).unwrap();
            if at % 2 == 0 {
                stream.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
            }
            stream
        })
        .collect();
    for bytes in [&b"\0\0\0\0"[..], b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"] {
        let reply = served.raw(bytes);
        assert!(reply.status == 0 || reply.status >= 400, "{}", reply.head);
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: {}\r\n\r\n", "a".repeat(100_000), served.host);
    assert!(served.raw(long.as_bytes()).status >= 400 || served.raw(long.as_bytes()).status == 0);
    assert_eq!(served.get("/api/analysis").status, 200);
    drop(quiet);
}

#[test]
fn a_question_ends_when_nobody_waits_for_its_answer() {
    let (_sandbox, served) = serve("go1.27/mixed");
    let sql =
        "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n";
    let body = json!({ "sql": sql }).to_string();
    // More than there are threads to answer.
    for _ in 0..8 {
        let mut stream = TcpStream::connect(&served.host).unwrap();
        let head = format!(
            "POST /api/sql HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{body}",
            served.host,
            served.secret,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    let started = Instant::now();
    assert_eq!(served.get("/api/query/goroutines").status, 200);
    // Each of them would take ten seconds, four at a time.
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
}

#[test]
fn an_answer_that_cannot_be_completed_is_broken_off() {
    let (_sandbox, served) = serve("go1.27/mixed");
    let sql = "with recursive n(i) as (select 1 union all select i + 1 from n)
               select i, printf('%.20000c', 'x') as x, abs(case i when 50 then -9223372036854775807 - 1 else i end) as y from n";
    let body = json!({ "sql": sql, "format": "csv" }).to_string();
    let reply = served.post("/api/sql", body.as_bytes());
    assert!(reply.body.len() > 100_000 && !reply.is_whole, "{}", reply.head);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_and_leaves_nothing_behind() {
    use committed::run::listening;
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let sandbox = Sandbox::new();
        sandbox.copy("go1.27/mixed", "t.trace");
        let mut command = sandbox.command(&["web", "--no-browser", "t.trace"]);
        let mut served = Served::of(listening(&mut command));
        served.wait();
        assert!(!sandbox.left_behind().is_empty(), "the database is in a file");
        // SAFETY: the process is ours and has not been waited for.
        unsafe { libc::kill(served.child.id() as i32, signal) };
        assert_eq!(served.child.wait().unwrap().code(), Some(128 + signal));
        assert_eq!(sandbox.left_behind(), [""; 0], "{signal}");
    }
}

#[test]
fn what_cannot_be_is_told_before_anything_is_served() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "t.trace");
    sandbox.write("there.db", "mine");
    let web = |arguments: &[&str]| sandbox.gotrace(&[&["web", "--no-browser"], arguments].concat());
    web(&["nosuch.trace"]).expect(1).says(&["nosuch.trace", "no such file"]);
    web(&["--http", "0.0.0.0:0", "t.trace"]).expect(2).says(&["--allow-remote"]);
    web(&["--http", "nonsense", "t.trace"]).expect(2).says(&["HOST:PORT"]);
    web(&["t.trace", "-o", "there.db"]).expect(1).says(&["there.db", "--force"]);
}

#[test]
fn a_database_can_be_kept_and_shown_again() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "t.trace");
    let served = Served::start(&sandbox, &["t.trace", "-o", "kept.db"]);
    let first = served.get("/api/query/goroutines.csv").body;
    drop(served);
    assert_eq!(sandbox.files(), ["kept.db", "t.trace"]);
    let served = Served::start(&sandbox, &["kept.db"]);
    assert!(served.get("/api/query/goroutines.csv").body == first);
    assert_eq!(served.get("/api/analysis").json()["traces"][0]["source"], "t.trace");
}
