//! Every canned query keeps what its header says and gives the recorded result; and the references in
//! `docs/` are what the declarations say.
//!
//! `UPDATE_GOLDEN=1 cargo test` records again.

mod committed;

use committed::run::Sandbox;
use committed::{Trace, check_all, golden, load_file, traces};
use gotrace::diagnostic::Code;
use gotrace::store::{
    CannedQuery, Database, FilterUse, ParameterType, RELATIONS, Relation, canned_queries,
};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

/// The trace each query is asked about, and its parameters there. Every query must have an answer.
const FIXTURES: &[(&str, &str, &[&str])] = &[
    ("blocking", "go1.27/mixed", &[]),
    ("channel-traffic", "go1.27/sync", &[]),
    ("channels", "go1.27/sync", &["system=0"]),
    ("cpu-functions", "go1.27/samples", &[]),
    ("creators", "go1.27/http", &[]),
    ("critical-path", "go1.27/annotations", &["task=2"]),
    ("critical-path-places", "go1.27/sync", &["limit=12"]),
    ("diagnostics", "go1.27/killed", &[]),
    ("events-by-type", "go1.27/mixed", &[]),
    ("gc", "go1.26/gc", &[]),
    ("gc-assists", "go1.26/gc", &[]),
    ("gc-frequency", "go1.26/gc", &[]),
    ("generations", "go1.27/generations", &[]),
    ("goroutine", "go1.27/cgo", &["goid=1", "limit=12"]),
    ("goroutine-profile", "profiles: go1.27/goroutine", &[]),
    ("goroutines", "go1.27/mixed", &[]),
    ("heap", "go1.26/gc", &[]),
    ("heap-growth", "profiles: go1.27/heap go1.27/heap2", &["limit=8"]),
    ("heap-objects", "go1.27/allocfree", &["limit=12"]),
    ("leaked", "go1.27/leak", &[]),
    ("lock-contention", "go1.27/sync", &[]),
    ("locks", "go1.27/sync", &[]),
    ("logs", "go1.27/annotations", &[]),
    ("longest-waits", "go1.27/timers", &[]),
    ("mmu", "go1.26/gc", &[]),
    ("mmu-worst", "go1.26/gc", &["window=1ms", "limit=4"]),
    ("network", "go1.27/http", &[]),
    ("network-peers-by-stack", "go1.27/http", &[]),
    ("preemptions", "go1.27/mixed", &[]),
    ("proc-idle", "go1.27/mixed", &["buckets=5"]),
    ("procs", "go1.27/syscalls", &[]),
    ("profile-diff", "profiles: go1.27/heap go1.27/heap2", &["limit=8"]),
    ("profile-labels", "profiles: go1.27/cpu go1.27/heap", &["limit=12"]),
    ("profile-top", "profiles: go1.27/heap go1.27/cpu", &["limit=12"]),
    ("profile-tree", "profiles: go1.27/cpu", &["function=main.*", "limit=10"]),
    ("regions", "go1.27/annotations", &[]),
    ("region-latency", "go1.27/annotations", &[]),
    ("related", "go1.27/http", &["goid=1"]),
    ("runnable-spikes", "go1.27/mixed", &["buckets=10", "limit=3"]),
    ("scheduler-delays", "go1.27/mixed", &["limit=5"]),
    ("scheduler-latency", "go1.27/mixed", &[]),
    ("short-lived", "go1.27/churn", &[]),
    ("sleeps", "go1.27/timers", &[]),
    ("stuck", "go1.27/leak", &[]),
    ("slowest-regions", "go1.27/annotations", &["limit=5"]),
    ("slowest-tasks", "go1.27/annotations", &["limit=5"]),
    ("stw", "go1.27/stw", &[]),
    ("stw-culprits", "go1.27/stw", &["limit=6"]),
    ("syscall-functions", "go1.27/syscalls", &[]),
    ("syscalls", "go1.27/syscalls", &[]),
    ("task-latency", "go1.27/annotations", &[]),
    ("task-tree", "go1.27/annotations", &["limit=20"]),
    ("tasks", "go1.27/annotations", &[]),
    ("threads", "go1.27/cgo", &[]),
    ("timeline", "go1.27/mixed", &["buckets=5"]),
    ("wait-kinds", "go1.27/http", &[]),
    ("wakers", "go1.27/sync", &["limit=12"]),
];

/// What to ask in a sandbox: a trace, or a database of the profiles named behind `profiles:`.
fn fixture(sandbox: &Sandbox, name: &str) -> &'static str {
    let Some(profiles) = name.strip_prefix("profiles: ") else {
        sandbox.copy(name, "app.trace");
        return "app.trace";
    };
    let mut arguments = vec!["ingest".to_owned(), "-o".into(), "app.db".into()];
    for profile in profiles.split(' ') {
        let path = committed::root().join(format!("testdata/profiles/{profile}.pb.gz"));
        let file = format!("{}.pb.gz", profile.replace('/', "-"));
        sandbox.write(&file, fs::read(path).unwrap());
        arguments.push(file);
    }
    sandbox.gotrace(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).expect(0);
    "app.db"
}

#[test]
fn every_header_says_what_sqlite_says() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/leak", "app.trace");
    sandbox.gotrace(&["ingest", "app.trace"]).expect(0);
    let database = Database::open(&sandbox.path("app.db")).unwrap();
    assert!(canned_queries().len() >= 45);
    let mut names = BTreeSet::new();
    for query in canned_queries() {
        let name = query.name;
        assert!(names.insert(name), "{name} is there twice");
        let is_kebab =
            |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        assert!(is_kebab(name), "{name}");
        // Statements that write are refused.
        let description =
            database.describe(query.sql).unwrap_or_else(|error| panic!("{name}: {error}"));
        let declared: Vec<&str> = query.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(description.columns, declared, "{name}: columns");
        let used: BTreeSet<&str> = description.parameters.iter().map(String::as_str).collect();
        let declared: BTreeSet<&str> =
            query.parameters.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(used, declared, "{name}: parameters");
        assert_eq!(query.parameters.len(), declared.len(), "{name}: a parameter is declared twice");
        for column in &query.columns {
            assert!(
                matches!(&*column.ty, "INTEGER" | "REAL" | "TEXT"),
                "{name}: type of {}",
                column.name
            );
            assert!(!column.doc.is_empty(), "{name}: {} has no comment", column.name);
            if column.name.ends_with("_ns") || column.name.ends_with("_bytes") {
                assert_ne!(column.ty, "TEXT", "{name}: {}", column.name);
            }
        }
        for parameter in &query.parameters {
            assert!(!parameter.doc.is_empty(), "{name}: {} has no comment", parameter.name);
        }
        assert!(
            !query.title.ends_with('.') && query.description.ends_with('.'),
            "{name}: full stops"
        );
        for line in query.sql.lines() {
            assert!(line.len() <= 100, "{name}: {line}");
        }
    }
}

#[test]
fn every_query_gives_the_recorded_result() {
    let queries = canned_queries();
    let recorded: BTreeSet<&str> = FIXTURES.iter().map(|(name, _, _)| *name).collect();
    let all: BTreeSet<&str> = queries.iter().map(|query| query.name).collect();
    assert_eq!(recorded, all, "FIXTURES names every query once");
    check_all(
        FIXTURES,
        |fixture| fixture.0.to_owned(),
        |(name, trace, parameters)| {
            let sandbox = Sandbox::new();
            let source = fixture(&sandbox, trace);
            let mut arguments = vec!["query", source, name, "-f", "csv"];
            parameters.iter().for_each(|parameter| arguments.extend(["-p", parameter]));
            let run = sandbox.gotrace(&arguments);
            if run.status != 0 {
                return Err(run.stderr);
            }
            if run.text().lines().count() < 2 {
                return Err(format!("{trace} has no answer"));
            }
            let shown: String =
                parameters.iter().map(|parameter| format!(" -p {parameter}")).collect();
            let of = match trace.contains(':') {
                true => format!("testdata/profiles, {trace}"),
                false => format!("testdata/traces/{trace}.trace"),
            };
            let text = format!("# {of}{shown}\n{}", run.text());
            golden::check(&format!("tests/golden/queries/{name}.txt"), &text)
        },
    );
    for entry in fs::read_dir(committed::root().join("tests/golden/queries")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(all.contains(name), "{} is of no query", path.display());
    }
}

#[test]
fn every_value_has_its_declared_type_on_every_trace() {
    let traces: Vec<Trace> = traces()
        .into_iter()
        .filter(|trace| trace.name.starts_with("go1.27") || trace.name.contains("gc"))
        .collect();
    let mut names: Vec<String> =
        traces.iter().filter(|trace| !trace.is_v1()).map(|trace| trace.name.clone()).collect();
    names.push("profiles: go1.27/heap go1.27/heap2".into());
    names.push("profiles: go1.27/cpu go1.27/goroutine go1.27/heap go1.27/heap2".into());
    let seen = std::sync::Mutex::new(BTreeSet::new());
    check_all(
        &names,
        |name| name.to_string(),
        |name| {
            let sandbox = Sandbox::new();
            if fixture(&sandbox, name) == "app.trace" {
                sandbox.gotrace(&["ingest", "app.trace"]).expect(0);
            }
            for query in canned_queries() {
                let run =
                    sandbox.gotrace(&["query", "app.db", query.name, "-f", "jsonl"]).expect(0);
                for line in run.text().lines() {
                    let row: serde_json::Map<String, serde_json::Value> =
                        serde_json::from_str(line).unwrap();
                    for (column, value) in query.columns.iter().zip(row.values()) {
                        let fits = match &*column.ty {
                            "INTEGER" => value.is_i64(),
                            "REAL" => value.is_f64(),
                            _ => value.is_string(),
                        };
                        if fits {
                            seen.lock().unwrap().insert((query.name, column.name.as_str()));
                        } else if !value.is_null() {
                            return Err(format!(
                                "{}: {} is {value}, not {}",
                                query.name, column.name, column.ty
                            ));
                        }
                    }
                }
            }
            Ok(())
        },
    );
    let seen = seen.into_inner().unwrap();
    for query in canned_queries() {
        let columns = query.columns.iter().filter(|column| {
            // Only with -p per_proc=1.
            (query.name, column.name.as_str()) != ("mmu-worst", "proc")
        });
        for column in columns {
            assert!(
                seen.contains(&(query.name, column.name.as_str())),
                "{}: {} is always NULL",
                query.name,
                column.name
            );
        }
    }
}

/// The columns of a relation as SQLite has them: name, type, whether NULL is excluded.
fn columns(connection: &Connection, relation: &str) -> Vec<(String, String, bool)> {
    let mut statement =
        connection.prepare("select name, type, \"notnull\" from pragma_table_info(?)").unwrap();
    let rows =
        statement.query_map([relation], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn the_schema_is_what_the_declarations_say() {
    let file = load_file(&Trace::new("go1.27/leak").bytes()).unwrap();
    let sql = "select name, type = 'table', sql from sqlite_schema
               where type in ('table', 'view') and name not like 'sqlite_%' order by rowid";
    let mut statement = file.connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let stored: Vec<(String, bool, String)> = rows.map(Result::unwrap).collect();
    let names: BTreeSet<&str> = stored.iter().map(|(name, _, _)| name.as_str()).collect();
    let declared: BTreeSet<&str> = RELATIONS.iter().map(|relation| relation.name).collect();
    assert_eq!(names, declared);
    assert!(declared.len() > 30);
    for (name, is_table, sql) in &stored {
        let relation = RELATIONS.iter().find(|relation| relation.name == name).unwrap();
        assert_eq!(relation.is_table, *is_table, "{name}");
        let columns = columns(&file.connection, name);
        assert_eq!(columns.len(), relation.columns.len(), "{name}: columns");
        for (column, (stored, ty, not_null)) in relation.columns.iter().zip(&columns) {
            assert_eq!(column.name, stored, "{name}");
            assert!(!column.doc.is_empty(), "{name}.{stored} has no comment");
            if *is_table {
                assert_eq!(
                    (column.ty, column.not_null),
                    (&*ty.to_lowercase(), *not_null),
                    "{name}.{stored}"
                );
            }
            let comment = match is_table {
                true => format!(" -- {}\n", column.doc),
                false => format!("\n-- {stored}: {}\n", column.doc),
            };
            assert!(sql.contains(&comment), "{name}.{stored}: the comment is not in the database");
        }
        if *is_table {
            assert!(sql.ends_with("strict"), "{name} is not strict");
        }
        assert!(relation.doc.ends_with('.'), "{name}: {}", relation.doc);
    }
}

// The references in docs/ --------------------------------------------------------------------------

const GENERATED: &str = "<!-- Generated from the declarations: UPDATE_GOLDEN=1 cargo test -->\n";

/// A cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "\\<").replace('*', "\\*")
}

#[test]
fn the_reference_of_the_schema_is_current() {
    let file = load_file(&Trace::new("go1.27/leak").bytes()).unwrap();
    let mut text = format!(
        "# Schema\n\n{GENERATED}
The relations of a gotrace database. Times are nanoseconds since the start of the trace and end in `_ns`; `id` is a row
number, unique in the database; unknown is NULL. What the numbers mean is defined in [definitions.md](definitions.md).
Relations whose names begin with `raw_` are how it is stored; there is a readable view for each.\n\n"
    );
    let (raw, readable): (Vec<&Relation>, Vec<&Relation>) =
        RELATIONS.iter().partition(|relation| relation.name.starts_with("raw_"));
    for relation in readable.iter().chain(&raw) {
        writeln!(
            text,
            "- [{}](#{}): {}",
            relation.name,
            relation.name,
            first_sentence(relation.doc)
        )
        .unwrap();
    }
    for relation in readable.iter().chain(&raw) {
        let kind = if relation.is_table { "table" } else { "view" };
        writeln!(
            text,
            "\n## {}\n\n{} ({kind})\n\n| column | type | |\n|---|---|---|",
            relation.name, relation.doc
        )
        .unwrap();
        for (column, (_, ty, not_null)) in
            relation.columns.iter().zip(columns(&file.connection, relation.name))
        {
            let null = if relation.is_table && !not_null { " or NULL" } else { "" };
            writeln!(
                text,
                "| {} | {}{null} | {} |",
                column.name,
                ty.to_lowercase(),
                cell(column.doc)
            )
            .unwrap();
        }
    }
    golden::check("docs/schema.md", &text).unwrap_or_else(|error| panic!("{error}"));
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text.trim_end_matches('.'), |(first, _)| first)
}

#[test]
fn the_reference_of_the_queries_is_current() {
    let mut text = format!(
        "# Canned queries\n\n{GENERATED}
`gotrace query SOURCE NAME` asks one of these; `-p NAME=VALUE` sets a parameter. `gotrace queries NAME` shows its SQL.
Durations may be given as `1.5ms` or in nanoseconds. `--from`, `--to`, `--goroutine`, `--function` and `--task` leave only a part to
look at, as if nothing else had been recorded; each query says which it obeys. [filters.md](filters.md) tells how.\n\n"
    );
    for query in canned_queries() {
        writeln!(text, "- [{}](#{}): {}", query.name, query.name, query.title).unwrap();
    }
    for query in canned_queries() {
        text.push_str(&reference_of(query));
    }
    golden::check("docs/queries.md", &text).unwrap_or_else(|error| panic!("{error}"));
}

fn reference_of(query: &CannedQuery) -> String {
    let filters = match query.filters {
        FilterUse::None => "none",
        FilterUse::Parameters => {
            "`--from`, `--to`, `--goroutine` and `--task` stand for parameters"
        }
        FilterUse::Time => "`--from`, `--to`",
        FilterUse::All => "all",
    };
    let mut text = format!(
        "\n## {}\n\n{}. {}\n\nFilters: {filters}.\n",
        query.name, query.title, query.description
    );
    if !query.parameters.is_empty() {
        text.push_str("\n| parameter | type | default | |\n|---|---|---|---|\n");
    }
    for parameter in &query.parameters {
        let ty = match parameter.ty {
            ParameterType::Integer => "integer",
            ParameterType::Real => "number",
            ParameterType::Text => "text",
            ParameterType::Duration => "duration",
        };
        writeln!(
            text,
            "| {} | {ty} | {} | {} |",
            parameter.name,
            parameter.default,
            cell(&parameter.doc)
        )
        .unwrap();
    }
    text.push_str("\n| column | type | |\n|---|---|---|\n");
    for column in &query.columns {
        writeln!(
            text,
            "| {} | {} | {} |",
            column.name,
            column.ty.to_lowercase(),
            cell(&column.doc)
        )
        .unwrap();
    }
    text
}

#[test]
fn the_reference_of_the_diagnostics_is_current() {
    let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes.len(), Code::ALL.len(), "a code is there twice");
    assert!(codes.len() > 15);
    let mut text = format!(
        "# Diagnostics\n\n{GENERATED}
What can be wrong with a trace, and what that costs. Each case is a row in the table `diagnostics`, and a line on standard
error unless it is only `info`. Of one kind at most 100 are kept; the others are counted.

- `info`: worth knowing; every number is exact.
- `warning`: something is odd and was repaired; nothing is missing.
- `loss`: a part could not be used; numbers cover less than was recorded. `--strict` refuses such a trace.

| code | severity | |
|---|---|---|\n"
    );
    for code in Code::ALL {
        assert!(code.doc().ends_with('.'), "{}", code.doc());
        writeln!(
            text,
            "| {} | {} | {} |",
            code.as_str(),
            code.severity().as_str(),
            cell(code.doc())
        )
        .unwrap();
    }
    golden::check("docs/diagnostics.md", &text).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn no_query_puts_traces_together_in_silence() {
    let sandbox = Sandbox::new();
    let traces = ["go1.27/mixed", "go1.22/sync"].map(|name| committed::Trace::new(name).path);
    let [one, two] = traces.each_ref().map(|path| path.to_str().unwrap());
    sandbox.gotrace(&["ingest", one, two, "-o", "two.db"]).expect(0);
    for query in canned_queries() {
        let goid = query.parameters.iter().any(|one| one.name == "goid" && one.default == "null");
        let words = ["query", "two.db", query.name];
        let words = [&words[..], if goid { &["-p", "goid=1"] } else { &[] }].concat();
        let run = sandbox.gotrace(&words);
        let tells_apart = query.columns.iter().any(|column| column.name == "trace_id");
        let is_said = run.stderr.contains("all 2 traces together");
        let is_refused = run.status == 1 && run.stderr.contains("trace");
        // There is none in this database.
        let is_of_profiles = run.stderr.contains("0 rows") && query.description.contains("profile");
        assert!(
            tells_apart || is_said || is_refused || is_of_profiles,
            "{}: {}{}",
            query.name,
            run.stderr,
            run.text()
        );
    }
}
