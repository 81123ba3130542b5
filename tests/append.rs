//! `gotrace ingest` into a database that exists.

mod committed;

use committed::run::Sandbox;
use committed::{Trace, invariants, root, violations};
use rusqlite::Connection;
use std::fs;

/// Traces of several releases that have functions and stacks in common, with damage, heap and annotations, and
/// profiles.
const TRACES: [&str; 5] =
    ["go1.22/gc", "go1.27/mixed", "go1.27/killed", "go1.21/sync", "go1.27/allocfree"];
const PROFILES: [&str; 3] = ["go1.21/heap", "go1.27/cpu", "go1.27/heap2"];

fn sandbox() -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::new();
    let mut sources = Vec::new();
    for (index, trace) in TRACES.iter().enumerate() {
        sandbox.copy(trace, &format!("{index}.trace"));
        sources.push(format!("{index}.trace"));
    }
    for (index, profile) in PROFILES.iter().enumerate() {
        let path = root().join(format!("testdata/profiles/{profile}.pb.gz"));
        sandbox.write(&format!("{index}.pb.gz"), fs::read(path).unwrap());
        sources.push(format!("{index}.pb.gz"));
    }
    (sandbox, sources)
}

/// Every row of every table of gotrace.
fn content(connection: &Connection) -> Vec<String> {
    let mut all = Vec::new();
    let sql = "select name from sqlite_schema where type = 'table' and name not like 'sqlite%'
               and name not like 'my%' order by name";
    let mut tables = connection.prepare(sql).unwrap();
    let tables: Vec<String> =
        tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(tables.len() > 25, "{tables:?}");
    for table in tables {
        let mut statement =
            connection.prepare(&format!("select * from {table} order by id")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells: Vec<String> =
                (0..columns).map(|column| format!("{:?}", row.get_ref(column).unwrap())).collect();
            all.push(format!("{table}: {}", cells.join(" ")));
        }
    }
    all
}

fn open(sandbox: &Sandbox, name: &str) -> Connection {
    Connection::open(sandbox.path(name)).unwrap()
}

#[test]
fn what_is_appended_is_there_as_if_it_had_been_ingested_at_once() {
    let (sandbox, sources) = sandbox();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    sandbox.gotrace(&[&["ingest", "-o", "once.db"], &sources[..]].concat()).expect(0);
    sandbox.gotrace(&["ingest", "--append", "-o", "all.db", sources[0]]).expect(0);
    for more in [&sources[1..2], &sources[2..6], &sources[6..]] {
        let run =
            sandbox.gotrace(&[&["ingest", "--append", "-o", "all.db"], more].concat()).expect(0);
        assert_eq!(run.text().lines().count(), more.len());
    }
    let all = open(&sandbox, "all.db");
    assert_eq!(violations(&all, &invariants()), [""; 0]);
    let (all, once) = (content(&all), content(&open(&sandbox, "once.db")));
    let first = all.iter().zip(&once).find(|(all, once)| all != once);
    assert_eq!(first, None);
    assert_eq!(all.len(), once.len());
}

#[test]
fn known_sources_are_left_out_and_new_ones_of_the_same_name_are_not() {
    let (sandbox, sources) = sandbox();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    sandbox.gotrace(&[&["ingest", "-o", "all.db"], &sources[..]].concat()).expect(0);
    let before = fs::read(sandbox.path("all.db")).unwrap();
    let run = sandbox
        .gotrace(&[&["ingest", "--append", "-o", "all.db"], &sources[..]].concat())
        .expect(0);
    assert_eq!(run.text(), "");
    assert_eq!(run.stderr.matches("is in the database already; left out").count(), sources.len());
    assert_eq!(fs::read(sandbox.path("all.db")).unwrap(), before, "nothing was written");
    // Under another name it is the same; another one of this name is not, nor is one known source in the way.
    fs::rename(sandbox.path("1.trace"), sandbox.path("again.trace")).unwrap();
    sandbox.copy("go1.27/http", "1.trace");
    let arguments =
        ["ingest", "--append", "-o", "all.db", "again.trace", "1.trace", "0.pb.gz", "bad"];
    let run = sandbox.gotrace(&arguments).expect(0);
    let run =
        run.says(&["again.trace: is in the database already, as 1.trace", "bad: no such file"]);
    assert_eq!(run.text().lines().count(), 1);
    let all = open(&sandbox, "all.db");
    assert_eq!(violations(&all, &invariants()), [""; 0]);
    let count = |sql: &str| all.query_row(sql, [], |row| row.get::<_, usize>(0)).unwrap();
    assert_eq!(count("select count(*) from traces"), TRACES.len() + 1);
    assert_eq!(count("select count(*) from profiles"), PROFILES.len());
    // Nothing is left of what was taken back.
    assert_eq!(
        count("select count(*) from raw_goroutines where trace_id not in (select id from traces)"),
        0
    );
    assert_eq!(
        count("select count(*) from functions"),
        count("select count(distinct name || ' ' || file) from functions")
    );
}

#[test]
fn a_database_with_something_else_in_it_is_not_replaced() {
    let (sandbox, _) = sandbox();
    sandbox.gotrace(&["ingest", "0.trace", "0.pb.gz", "-o", "all.db"]).expect(0);
    // The same once more loses nothing; another name, order or copy is the same.
    sandbox.gotrace(&["ingest", "./0.pb.gz", "0.trace", "-o", "all.db"]).expect(0);
    for sources in
        [&["0.trace"][..], &["0.trace", "1.trace"], &["0.trace", "1.pb.gz"], &["1.trace"]]
    {
        let run = sandbox.gotrace(&[&["ingest", "-o", "all.db"], sources].concat()).expect(1);
        run.says(&["all.db: exists", "0.trace, ./0.pb.gz; ", "--append", "--force"]);
    }
    // A table of the user's, or a changed row.
    let keep = fs::read(sandbox.path("all.db")).unwrap();
    for sql in [
        "create table my_notes (a); insert into my_notes values ('keep')",
        "update raw_goroutines set goid = goid + 1",
        "pragma journal_mode = wal",
    ] {
        open(&sandbox, "all.db").execute_batch(sql).unwrap();
        let run = sandbox.gotrace(&["ingest", "0.trace", "0.pb.gz", "-o", "all.db"]).expect(1);
        let run = run.says(&["--append", "--force"]);
        assert_eq!(run.stderr.contains(", and my_notes, which"), sql.contains("my_notes"));
        if sql.contains("my_notes") {
            sandbox.gotrace(&["ingest", "--append", "1.trace", "-o", "all.db"]).expect(0);
            let note = "select a from my_notes";
            let note: String =
                open(&sandbox, "all.db").query_row(note, [], |row| row.get(0)).unwrap();
            assert_eq!(note, "keep");
        }
        fs::write(sandbox.path("all.db"), &keep).unwrap();
    }
    sandbox.gotrace(&["ingest", "1.trace", "-o", "all.db", "--force"]).expect(0);
    sandbox.gotrace(&["ingest", "1.trace", "-o", "all.db", "--force", "--append"]).expect(2);
    let files: Vec<String> =
        sandbox.files().into_iter().filter(|name| !name.starts_with(char::is_numeric)).collect();
    assert_eq!(files, ["all.db"]);
}

#[test]
fn only_a_whole_database_of_gotrace_is_appended_to() {
    let (sandbox, _) = sandbox();
    let append = ["ingest", "--append", "1.trace", "-o", "all.db"];
    sandbox.write("all.db", "notes");
    sandbox.gotrace(&append).expect(1).says(&["all.db: it is no database that gotrace made"]);
    sandbox.gotrace(&["ingest", "0.trace", "-o", "all.db", "--force"]).expect(0);
    let whole = fs::read(sandbox.path("all.db")).unwrap();
    for (sql, what) in [
        ("drop view waits", "waits is missing"),
        ("drop table logs; create table logs (id)", "logs is not the one gotrace makes"),
        ("delete from functions where id = 3", "functions"),
        ("update frames set function_id = 1000000 where id = 2", "frames"),
        ("delete from raw_stack_frames where id = 2", "stacks"),
        ("update stacks set depth = 9223372036854775807 where id = 2", "stacks"),
    ] {
        open(&sandbox, "all.db")
            .execute_batch(&format!("pragma foreign_keys = off; {sql}"))
            .unwrap();
        let before = fs::read(sandbox.path("all.db")).unwrap();
        sandbox.gotrace(&append).expect(1).says(&["all.db: ", what]);
        assert_eq!(fs::read(sandbox.path("all.db")).unwrap(), before);
        fs::write(sandbox.path("all.db"), &whole).unwrap();
    }
    // A trigger on a table of gotrace is none of it.
    open(&sandbox, "all.db")
        .execute_batch("create trigger mine after insert on traces begin delete from traces; end")
        .unwrap();
    sandbox.gotrace(&append).expect(1).says(&["its trigger mine is not gotrace's"]);
    fs::write(sandbox.path("all.db"), &whole).unwrap();
    // One on a table of the user's is kept.
    open(&sandbox, "all.db")
        .execute_batch(
            "create table notes (x); create trigger mine after insert on notes begin delete from traces; end",
        )
        .unwrap();
    sandbox.gotrace(&append).expect(0);
    let count: i64 = open(&sandbox, "all.db")
        .query_row("select count(*) from traces", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 2);
    let trace = Trace::new("go1.27/mixed").bytes();
    sandbox.write("cut.trace", &trace[..trace.len() / 2]);
    let before = fs::read(sandbox.path("all.db")).unwrap();
    sandbox.gotrace(&["ingest", "--append", "--strict", "cut.trace", "-o", "all.db"]).expect(1);
    assert_eq!(fs::read(sandbox.path("all.db")).unwrap(), before);
}
