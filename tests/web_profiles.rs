//! `gotrace web`: the views of profiles are those of the command line, and no file is read that a profile names but
//! the user has not allowed.

mod committed;
mod served;

use committed::run::Sandbox;
use serde_json::Value as Json;
use served::Served;
use std::fs;
use std::path::Path;

/// Committed profiles of all kinds.
const PROFILES: &[&str] = &[
    "go1.27/cpu.pb.gz",
    "go1.27/heap.pb.gz",
    "go1.27/mutex.pb.gz",
    "go1.27/goroutine.pb.gz",
    "go1.21/block.pb.gz",
    "go1.21/allocs.pb.gz",
];

fn copy(sandbox: &Sandbox, from: &str, name: &str) {
    fs::copy(Path::new("testdata").join(from), sandbox.path(name)).unwrap();
}

/// A server over one committed profile, called `p.pb.gz`.
fn serve(profile: &str, more: &[&str]) -> (Sandbox, Served) {
    let sandbox = Sandbox::new();
    copy(&sandbox, &format!("profiles/{profile}"), "p.pb.gz");
    let served = Served::start(&sandbox, &[&["p.pb.gz"], more].concat());
    (sandbox, served)
}

/// What the command line says to some words.
fn said(sandbox: &Sandbox, words: &[&str]) -> String {
    let all = [&["profile"], words].concat();
    sandbox.gotrace(&all).expect(0).text().to_owned()
}

/// The text of a view of the server.
#[track_caller]
fn text(served: &Served, address: &str) -> String {
    let reply = served.get(address);
    assert_eq!(reply.status, 200, "{address}: {}", reply.text());
    reply.text().to_owned()
}

/// A row of `top` as the command line writes it, of one of the page.
fn line(row: &Json) -> String {
    let text = |at: usize| row[at].as_str().unwrap();
    let space = if text(1).is_empty() { "" } else { " " };
    format!(
        "{:>10} {:>6} {:>6} {:>10} {:>6}  {}{space}{}",
        text(3),
        text(4),
        text(5),
        text(7),
        text(8),
        text(0),
        text(1)
    )
}

#[test]
fn the_views_are_those_of_the_command_line() {
    for profile in PROFILES {
        let (sandbox, served) = serve(profile, &[]);
        for (address, words) in [
            ("/api/profile/top.text", &["top"][..]),
            ("/api/profile/top.text?sort=cum&n=5", &["top", "--cum", "--nodecount=5"]),
            (
                "/api/profile/top.text?f=main&i=runtime",
                &["top", "--focus=main", "--ignore=runtime"],
            ),
            ("/api/profile/top.csv?si=0", &["top", "--sample-index=0", "-f", "csv"]),
            ("/api/profile/peek.text?f=main", &["peek", "main", "--focus=main"]),
            ("/api/profile/tags.text", &["tags"]),
            ("/api/profile/folded.text?g=lines", &["folded", "--lines"]),
            ("/api/profile/graph.svg?n=30", &["graph", "--nodecount=30"]),
            ("/api/profile/flame.svg", &["flame", "--color-by=package"]),
        ] {
            let want = said(&sandbox, &[words, &["p.pb.gz"]].concat());
            assert_eq!(text(&served, address), want, "{profile} {address}");
        }
        // Samples come as the database has them.
        sandbox.gotrace(&["ingest", "p.pb.gz", "-o", "p.db"]).expect(0);
        let want = said(&sandbox, &["traces", "p.db"]);
        assert_eq!(text(&served, "/api/profile/traces.text"), want, "{profile}");
        // What the page shows is the same, value by value.
        let top = served.get("/api/profile/top").json();
        let mut lines: Vec<String> = top["header"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_str().unwrap().into())
            .collect();
        let columns = ["flat", "flat%", "sum%", "cum", "cum%"];
        lines.push(format!(
            "{:>10} {:>6} {:>6} {:>10} {:>6}",
            columns[0], columns[1], columns[2], columns[3], columns[4]
        ));
        lines.extend(top["rows"].as_array().unwrap().iter().map(line));
        assert_eq!(lines.join("\n") + "\n", said(&sandbox, &["top", "p.pb.gz"]), "{profile}");
    }
}

#[test]
fn the_tree_of_a_flame_graph_adds_up_to_the_folded_stacks() {
    for profile in PROFILES {
        let (sandbox, served) = serve(profile, &[]);
        let folded = said(&sandbox, &["folded", "p.pb.gz"]);
        let sum = |lines: &mut dyn Iterator<Item = &str>| -> i64 {
            lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<i64>().unwrap()).sum()
        };
        let flame = served.get("/api/profile/flame").json();
        let nodes = flame["nodes"].as_array().unwrap();
        assert_eq!(nodes[0][3], sum(&mut folded.lines()), "{profile}");
        for (at, node) in nodes.iter().enumerate().skip(1) {
            assert!(node[1].as_u64().unwrap() < at as u64, "{profile}: a caller stands first");
        }
        // The way from the root to each frame, and what the stacks that begin with it come to.
        for at in (1..nodes.len()).step_by(nodes.len() / 20 + 1) {
            let mut names = Vec::new();
            let mut node = at;
            while node != 0 {
                names.push(
                    flame["names"][nodes[node][0].as_u64().unwrap() as usize].as_str().unwrap(),
                );
                node = nodes[node][1].as_u64().unwrap() as usize;
            }
            names.reverse();
            let stack = names.join(";");
            let is_in = |line: &&str| {
                let known = line.rsplit_once(' ').unwrap().0;
                known == stack || known.starts_with(&format!("{stack};"))
            };
            assert_eq!(nodes[at][3], sum(&mut folded.lines().filter(is_in)), "{profile} {stack}");
        }
    }
}

#[test]
fn a_base_is_taken_off() {
    let sandbox = Sandbox::new();
    copy(&sandbox, "profiles/go1.27/heap.pb.gz", "a.pb.gz");
    copy(&sandbox, "profiles/go1.27/heap2.pb.gz", "b.pb.gz");
    let served = Served::start(&sandbox, &["a.pb.gz", "b.pb.gz"]);
    let want = said(&sandbox, &["top", "--diff-base=a.pb.gz", "b.pb.gz"]);
    assert_eq!(text(&served, "/api/profile/top.text?profile=2&base=1"), want);
    let flame = served.get("/api/profile/flame?profile=2&base=1").json();
    assert_eq!(flame["is_difference"], true);
    let root = &flame["nodes"][0];
    assert!(root[3].as_i64() > Some(0) && root[5].as_i64() > Some(0), "{root}");
    assert_eq!(served.get("/api/profile/top?norm=t").status, 400);
    assert_eq!(served.get("/api/profile/top?profile=99").status, 422);
}

#[test]
fn traces_are_measured_also_in_a_part() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/annotations", "t.trace");
    let served = Served::start(&sandbox, &["t.trace"]);
    let list = served.get("/api/profiles").json();
    assert!(list["trace_types"].as_array().unwrap().iter().all(|one| one["doc"].is_string()));
    let mut seen = 0;
    for (query, words) in [
        ("type=sync", &["--type=sync"][..]),
        ("type=wall&function=main.main", &["--type=wall", "--function=main.main"]),
        ("type=wall&from=0&to=1ms", &["--type=wall", "--from=0", "--to=1ms"]),
        ("type=wall&region=*", &["--type=wall", "--region=*"]),
        ("type=offcpu&task=1", &["--type=offcpu", "--task=1"]),
    ] {
        let want = said(&sandbox, &[&["top"], words, &["t.trace"]].concat());
        let got = text(&served, &format!("/api/profile/top.text?{query}"));
        // When it was recorded is known of the file only.
        let rows = |text: &str| {
            text.lines()
                .skip_while(|line| !line.contains("flat%"))
                .map(String::from)
                .collect::<Vec<_>>()
        };
        assert_eq!(rows(&got), rows(&want), "{query}");
        seen += rows(&got).len();
    }
    assert!(seen > 20, "{seen}");
    assert_eq!(served.get("/api/profile/top?type=nonsense").status, 400);
    // The label state colours frames.
    let flame = served.get("/api/profile/flame?type=wall").json();
    assert!(flame["label_names"].as_array().unwrap().iter().any(|name| name == "waiting"));
}

#[test]
fn a_database_says_nothing_of_which_file_is_read() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/annotations", "t.trace");
    sandbox.gotrace(&["ingest", "t.trace", "-o", "t.db"]).expect(0);
    let served = Served::start(&sandbox, &["t.db"]);
    assert_eq!(served.get("/api/profile/top?type=wall").status, 200);
    let reply = served.get("/api/profile/top?type=wall&from=1ms");
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("name the trace itself"), "{}", reply.text());
}

#[test]
fn the_name_of_a_posted_file_opens_nothing() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/annotations", "t.trace");
    let served = Served::start(&sandbox, &[]);
    let trace = fs::read(sandbox.path("t.trace")).unwrap();
    assert_eq!(served.post("/api/upload?name=%2Fetc%2Fpasswd", &trace).status, 202);
    served.wait();
    // It is measured in the file that was posted, whatever it is called.
    assert_eq!(served.get("/api/profile/top?type=wall&from=1ms").status, 200);
}

/// A profile with one function, whose file has this name.
fn profile_of(file: &str) -> Vec<u8> {
    use gotrace::profile::{Builder, Frame};
    let mut builder = Builder::new(&[("cpu", "nanoseconds")]);
    builder.time(1_000_000_000, 0);
    let frame = Frame { function: "main.work", file, line: 2, pc: 0x1000 };
    let location = builder.location(0x1000, &[frame]);
    let labels = builder.labels(&[], &[]);
    builder.add(&[location], labels, &[5_000_000]);
    let mut bytes = Vec::new();
    builder.finish().write_packed(&mut bytes).unwrap();
    bytes
}

#[test]
fn sources_are_read_in_the_folders_that_the_user_names_only() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("src/app")).unwrap();
    fs::write(sandbox.path("src/app/main.go"), "package main\nfunc work() {} // here\n").unwrap();
    fs::write(sandbox.path("outside.go"), "secret\nsecret\n").unwrap();
    let folder = sandbox.path("src");
    let outside = sandbox.path("outside.go");
    let files = [
        "app/main.go",
        "/etc/passwd",
        outside.to_str().unwrap(),
        "app/../../outside.go",
        "outside.go",
    ];
    for (at, file) in files.iter().enumerate() {
        sandbox.write("p.pb.gz", profile_of(file));
        for (is_allowed, path) in [(true, folder.to_str().unwrap()), (false, "")] {
            let served = Served::start(&sandbox, &["p.pb.gz", "--source-path", path]);
            let reply = served.get("/api/profile/source");
            let function = reply.json()["functions"][0].clone();
            assert_eq!(function["flat"], 5_000_000, "{file}");
            let text = text(&served, "/api/profile/list.text?f=work");
            assert!(!reply.text().contains("secret") && !text.contains("secret"), "{file}");
            match at == 0 && is_allowed {
                true => {
                    assert_eq!(function["lines"][1][5], "func work() {} // here");
                    // It was written long after 1970.
                    assert_eq!(function["is_newer"], true);
                    assert!(text.contains("func work() {} // here"), "{text}");
                }
                false => {
                    let error = function["error"].as_str().unwrap();
                    assert!(error.contains("--source-path"), "{file}: {error}");
                }
            }
        }
    }
}

#[test]
fn what_is_wrong_is_said() {
    let (_sandbox, served) = serve("go1.27/cpu.pb.gz", &[]);
    for (address, status) in [
        ("/api/profile/nonsense", 404),
        ("/api/profile/top?g=sideways", 400),
        ("/api/profile/top?f=(", 400),
        ("/api/profile/peek?f=nothing_has_this_name", 400),
        ("/api/profile/top.exe", 400),
        ("/api/profile/graph", 400),
        ("/api/profile/top?type=sync", 422),
    ] {
        let reply = served.get(address);
        assert_eq!(reply.status, status, "{address}: {}", reply.text());
        assert!(reply.text().contains("\"error\""), "{address}: {}", reply.text());
    }
    let packed = served.get("/api/profile/download");
    assert!(packed.is_whole && packed.body.starts_with(&[0x1f, 0x8b]));
    assert!(packed.header("content-disposition").unwrap().contains("profile.pb.gz"));
}
