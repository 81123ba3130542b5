//! `gotrace web`: what the timeline asks, beside what the database says.

mod committed;
mod served;

use committed::run::Sandbox;
use serde_json::{Value as Json, json};
use served::Served;
use std::time::{Duration, Instant};

/// A server over one committed trace whose lanes are there, and what it says of them.
fn serve(trace: &str) -> (Sandbox, Served, Json) {
    let sandbox = Sandbox::new();
    sandbox.copy(trace, "t.trace");
    let served = Served::start(&sandbox, &["t.trace"]);
    let started = Instant::now();
    loop {
        let reply = served.get("/api/timeline");
        if reply.status != 202 {
            let info = reply.json();
            return (sandbox, served, info);
        }
        assert!(started.elapsed() < Duration::from_secs(60), "it prepares for ever");
    }
}

fn post(served: &Served, address: &str, body: &Json) -> Json {
    served.post(address, body.to_string().as_bytes()).json()
}

/// The rows of a statement.
fn ask(served: &Served, sql: &str) -> Vec<Vec<Json>> {
    let answer = post(served, "/api/sql", &json!({ "sql": sql }));
    serde_json::from_value(answer["rows"].clone()).unwrap()
}

#[test]
fn an_order_has_a_row_for_each_lane_and_each_group() {
    for trace in ["go1.27/mixed", "go1.19/mixed", "go1.27/killed"] {
        let (_sandbox, served, info) = serve(trace);
        let goroutines = ask(&served, "select count(*) from goroutines")[0][0].clone();
        assert_eq!(info["goroutines"], goroutines, "{trace}");
        for (lanes, table) in
            [("goroutines", "goroutines"), ("procs", "procs"), ("threads", "threads")]
        {
            let wish = json!({ "lanes": lanes, "group": "none" });
            let order = post(&served, "/api/timeline/order", &wish);
            let count = ask(&served, &format!("select count(*) from {table}"))[0][0].clone();
            assert_eq!((&order["rows"], &order["hidden"]), (&count, &json!(0)), "{trace} {lanes}");
            // The same wish is the same order, so that tiles are not drawn again.
            assert_eq!(post(&served, "/api/timeline/order", &wish)["order"], order["order"]);
            let name = order["order"].as_str().unwrap();
            let rows = served.get(&format!("/api/timeline/rows?order={name}&count=1000")).json();
            let rows = rows.as_array().unwrap();
            assert_eq!(rows.len() as u64, count.as_u64().unwrap().min(1000), "{trace} {lanes}");
            if lanes == "goroutines" {
                for (at, row) in rows.iter().enumerate().step_by(7) {
                    let find = format!("/api/timeline/find?order={name}&goroutine={}", row["id"]);
                    assert_eq!(served.get(&find).json()["row"], json!(at), "{trace}");
                }
            }
            let z = 64 - info["duration_ns"].as_u64().unwrap().leading_zeros();
            let tile = served.get(&format!("/api/tiles?order={name}&z={z}&x=0&block=0"));
            assert_eq!((tile.status, &tile.body[..4]), (200, &b"GTL1"[..]), "{trace} {lanes}");
            assert!(tile.header("cache-control").unwrap().contains("immutable"));
        }
        let order = post(&served, "/api/timeline/order", &json!({}));
        let name = order["order"].as_str().unwrap();
        let groups = served.get(&format!("/api/timeline/rows?order={name}&count=1000")).json();
        let lanes = groups.as_array().unwrap().iter().map(|row| row["lanes"].as_u64().unwrap());
        assert_eq!(json!(lanes.sum::<u64>()), goroutines, "{trace}");
    }
}

#[test]
fn a_slice_is_the_row_of_the_database_with_what_is_around_it() {
    let (_sandbox, served, _) = serve("go1.27/mixed");
    let sql = "select s.id, s.state, s.start_ns, s.duration_ns, g.goid, w.goid from goroutine_states s \
               join goroutines g on g.id = s.goroutine_id left join goroutines w on w.id = s.woken_by_id \
               where s.id % 13 = 0";
    let rows = ask(&served, sql);
    assert!(rows.len() > 20);
    for row in &rows {
        let slice = served.get(&format!("/api/slice?state={}", row[0])).json();
        for (name, want) in ["id", "state", "start_ns", "duration_ns", "goid"].iter().zip(row) {
            assert_eq!(slice[*name], *want, "{name} of {slice}");
        }
        if !row[5].is_null() {
            assert_eq!(slice["waker"]["goid"], row[5], "{slice}");
        }
        // The next one begins where it ends, and has it before.
        if let Some(next) = slice["next"].as_i64() {
            let next = served.get(&format!("/api/slice?state={next}")).json();
            assert_eq!(next["start_ns"], slice["end_ns"], "{slice}");
            assert_eq!(next["previous"], slice["id"], "{slice}");
            assert_eq!(next["goid"], slice["goid"]);
        }
    }
    let states: Vec<&Json> = rows.iter().map(|row| &row[0]).collect();
    let labels = post(&served, "/api/timeline/labels", &json!({ "states": states }));
    assert_eq!(labels.as_array().unwrap().len(), rows.len());
    let woken = "select s.id, w.id from goroutine_states s join goroutine_states w on \
        w.goroutine_id = s.woken_by_id and w.state = 'running' and s.start_ns between w.start_ns \
        and w.start_ns + w.duration_ns where s.state = 'runnable' limit 20";
    for row in ask(&served, woken) {
        let told = served.get(&format!("/api/slice/woken?state={}", row[1])).json();
        let ids = told["woken"].as_array().unwrap().iter().map(|one| &one["id"]);
        assert!(ids.into_iter().any(|id| *id == row[0]), "{row:?} {told}");
    }
}

#[test]
fn sums_of_an_area_equal_those_of_the_states() {
    for trace in ["go1.27/mixed", "go1.21/mixed"] {
        let (_sandbox, served, info) = serve(trace);
        let duration = info["duration_ns"].as_i64().unwrap();
        for (from, to) in
            [(0, duration), (duration / 3, duration / 2), (duration / 2, duration / 2 + 1000)]
        {
            let sql = format!(
                "select state, sum(min(start_ns + duration_ns, {to}) - max(start_ns, {from})) \
                 from goroutine_states where start_ns < {to} and start_ns + duration_ns > {from} \
                 and state in ('running', 'runnable') group by 1"
            );
            let area = post(&served, "/api/area", &json!({ "from": from, "to": to }));
            for row in ask(&served, &sql) {
                let classes = area["classes"].as_array().unwrap();
                let found = classes.iter().find(|class| class["name"] == row[0]);
                assert_eq!(found.unwrap()["ns"], row[1], "{trace} {from} {to} {row:?}");
            }
        }
        let activity = served.get("/api/timeline/activity?columns=37").json();
        let running = activity["ns"]["running"].as_array().unwrap();
        let sum: i64 = running.iter().map(|ns| ns.as_i64().unwrap()).sum();
        assert_eq!(
            json!(sum),
            ask(&served, "select sum(running_ns) from goroutines")[0][0],
            "{trace}"
        );
    }
}

#[test]
fn what_is_searched_is_found() {
    let (_sandbox, served, _) = serve("go1.27/annotations");
    let kinds = |text: &str| -> Vec<String> {
        let found = served.get(&format!("/api/search?q={text}")).json();
        let hits = found["hits"].as_array().unwrap().iter();
        hits.map(|hit| hit["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert!(kinds("main.").contains(&"goroutine".into()));
    assert!(kinds("main.").contains(&"place".into()));
    let region = ask(&served, "select type from regions where type <> '' limit 1");
    assert!(kinds(region[0][0].as_str().unwrap()).contains(&"region".into()));
    assert!(kinds("1").contains(&"goroutine".into()));
    assert!(kinds("nothing%27%22%3B").is_empty());
}

#[test]
fn what_is_wrong_is_refused() {
    let (_sandbox, served, _) = serve("go1.27/mixed");
    let order = post(&served, "/api/timeline/order", &json!({}));
    let name = order["order"].as_str().unwrap();
    let tile = |rest: &str| served.get(&format!("/api/tiles?order={name}&{rest}")).status;
    assert_eq!(tile("z=63&x=0&block=0"), 400);
    assert_eq!(tile("z=-1&x=0&block=0"), 400);
    assert_eq!(tile("z=3&x=-1&block=0"), 400);
    assert_eq!(tile("z=3&x=0"), 400);
    // Nothing is there, and that is no error.
    assert_eq!(tile("z=62&x=9223372036854775807&block=4294967295&px=99999"), 200);
    assert_eq!(served.get("/api/tiles?order=0&z=3&x=0&block=0").status, 410);
    assert_eq!(served.get("/api/slice?state=99999999").status, 404);
    assert_eq!(served.get("/api/slice").status, 400);
    assert_eq!(served.get("/api/search").status, 400);
    assert_eq!(served.get("/api/timeline?trace=77").status, 404);
    for body in [r#"{"lanes": "x"}"#, r#"{"sort": "x"}"#, r#"{"group": 5e"#] {
        assert_eq!(served.post("/api/timeline/order", body.as_bytes()).status, 400, "{body}");
    }
    assert_eq!(served.post("/api/area", br#"{"from": 5, "to": 1}"#).status, 400);
    let far = br#"{"from": -9223372036854775808, "to": 9223372036854775807}"#;
    assert_eq!(served.post("/api/area", far).status, 200);
    let far =
        "/api/timeline/activity?from=-9223372036854775808&to=9223372036854775807&columns=99999";
    assert_eq!(served.get(far).status, 200);
}
