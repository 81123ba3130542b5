//! Filters: what is left is what would be there if nothing else had been recorded. So on every committed
//! trace and under several filters the invariants hold as they do for whole databases, and what is cut
//! out adds up to the whole.

mod committed;

use committed::run::Sandbox;
use committed::{Trace, check_all, invariants};
use gotrace::store::{Database, Filter, Limits, Rows, Value};

const NO_LIMITS: Limits =
    Limits { time: None, rows: None, enough: None, memory: 2 << 30, spill: 2 << 30 };

fn ask(database: &Database, sql: &str) -> Vec<Vec<Value>> {
    let mut rows = Rows::default();
    database.query(sql, &[], NO_LIMITS, &mut rows).unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.rows
}

fn number(database: &Database, sql: &str) -> i64 {
    match ask(database, sql)[..] {
        [ref row] => match row[..] {
            [Value::Integer(value)] => value,
            [Value::Null] => 0,
            ref other => panic!("{sql}: {other:?}"),
        },
        ref other => panic!("{sql}: {other:?}"),
    }
}

/// A database of a trace; the sandbox must live as long.
fn database(trace: &str) -> Option<(Sandbox, Database)> {
    let sandbox = Sandbox::new();
    sandbox.copy(trace, "app.trace");
    if sandbox.gotrace(&["ingest", "app.trace"]).status != 0 {
        return None;
    }
    let database = Database::open(&sandbox.path("app.db")).unwrap();
    Some((sandbox, database))
}

/// Invariants of the storage, which filters do not keep: they leave row numbers as they are.
const OF_STORAGE: &[&str] = &["range to states", "state without range"];
/// What a filter does not know, or leaves as it is for the whole trace.
const NOT_FILTERED: &[&str] = &[
    "threads and goroutines",
    "trace and its goroutines",
    "trace and its generations",
    "trace and its threads",
    "declared reference",
    // A thread on which nothing happens any more is left out.
    "state to thread",
    // Before Go 1.22 the loss of a proc could be traced later than it happened; a cut may lie between.
    "proc in itself",
    // Wakers are named, whether they are chosen or not.
    "state to waking goroutine",
    // The mark phase is no goroutine's.
    "cycle without its mark phase",
];

fn broken(database: &Database) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, sql) in invariants() {
        // The check of declared references is a pragma; it sees the whole database anyway.
        let sql = sql.replace(
            "select 'declared reference' as what, \"table\" || ' row ' || rowid || ' to ' || parent as reference\nfrom pragma_foreign_key_check\nunion all\n",
            "",
        );
        for row in ask(database, sql.trim().trim_end_matches(';')) {
            let text = format!("{row:?}");
            if !OF_STORAGE.iter().chain(NOT_FILTERED).any(|known| text.contains(known)) {
                problems.push(format!("{name}: {text}"));
            }
        }
    }
    problems.truncate(5);
    problems
}

#[test]
fn invariants_hold_for_what_is_left() {
    let all: Vec<Trace> = [
        "go1.27/mixed",
        "go1.27/http",
        "go1.27/sync",
        "go1.27/cgo",
        "go1.27/annotations",
        "go1.27/syscalls",
        "go1.27/leak",
        "go1.27/stw",
        "go1.26/gc",
        "go1.25/flightrec",
        "go1.23/coroutines",
        "go1.22/mixed",
        "go1.21/http",
        "go1.19/syscalls",
    ]
    .into_iter()
    .map(Trace::new)
    .collect();
    check_all(
        &all,
        |trace| trace.name.clone(),
        |trace| {
            let Some((_sandbox, database)) = database(&trace.name) else { return Ok(()) };
            let end = number(&database, "select duration_ns from traces");
            let goid = number(
                &database,
                "select goid from goroutines order by running_ns desc, goid limit 1",
            );
            let time = |from: i64, to: i64| Filter {
                from_ns: Some(from),
                to_ns: Some(to),
                ..Filter::default()
            };
            for filter in [
                time(end / 3, end * 2 / 3),
                time(end / 2, end),
                Filter { goroutines: vec![goid], ..Filter::default() },
                Filter { goroutines: vec![goid], ..time(end / 4, end / 2) },
                Filter { function: Some("main.*".into()), ..time(end / 4, end) },
            ] {
                let shown = format!("{filter:?}");
                if let Err(error) = database.set_filter(filter) {
                    // A program without such a goroutine.
                    assert!(error.to_string().contains("began with"), "{error}");
                    continue;
                }
                let problems = broken(&database);
                if !problems.is_empty() {
                    return Err(format!("{shown}: {problems:#?}"));
                }
            }
            Ok(())
        },
    );
}

#[test]
fn a_filter_that_leaves_everything_changes_nothing() {
    let (_sandbox, database) = database("go1.27/mixed").unwrap();
    let questions = [
        "select sum(running_ns), sum(runnable_ns), sum(waiting_ns), sum(syscall_ns), count(*),
           count(ended_ns), count(started_ns), sum(created_ns), sum(mark_assist_ns) from goroutines",
        "select state, reason, sum(spans), sum(total_ns), max(max_ns) from state_totals group by 1, 2",
        "select proc, running_ns, idle_ns, goroutine_ns, syscall_ns, starts, first_ns from procs order by proc",
        "select thread, running_ns, syscall_ns, first_ns from threads order by thread",
        "select name, count(*), sum(duration_ns) from ranges group by 1",
        "select * from gc_cycles order by id",
        "select count(*), sum(start_ns), sum(end_ns) from regions",
        "select count(*), sum(start_ns), sum(end_ns) from tasks",
        "select count(*), sum(time_ns) from logs",
        "select name, count(*), sum(value) from metrics group by 1",
    ];
    let whole: Vec<_> = questions.iter().map(|sql| ask(&database, sql)).collect();
    let end = number(&database, "select duration_ns from traces");
    for filter in [
        Filter { from_ns: Some(0), ..Filter::default() },
        Filter { to_ns: Some(end), ..Filter::default() },
    ] {
        database.set_filter(filter).unwrap();
        for (sql, whole) in questions.iter().zip(&whole) {
            assert_eq!(&ask(&database, sql), whole, "{sql}");
        }
    }
    database.set_filter(Filter::default()).unwrap();
    assert_eq!(&ask(&database, questions[0]), &whole[0]);
}

#[test]
fn parts_add_up_to_the_whole() {
    for trace in ["go1.27/mixed", "go1.26/gc", "go1.21/http", "go1.27/cgo"] {
        let Some((_sandbox, database)) = database(trace) else { continue };
        let end = number(&database, "select duration_ns from traces");
        let sums = [
            "select sum(running_ns) from goroutines",
            "select sum(runnable_ns) from goroutines",
            "select sum(waiting_ns) from goroutines",
            "select sum(syscall_ns + syscall_blocked_ns) from goroutines",
            "select sum(total_ns) from state_totals where state = 'waiting'",
            "select sum(duration_ns) from ranges where name = 'GC mark assist'",
            "select sum(duration_ns) from gc_workers",
            "select sum(idle_ns) from procs",
            "select sum(goroutine_ns) from procs",
            "select sum(running_ns) from threads",
            "select count(*) from logs",
            "select count(*) from cpu_samples",
        ];
        for sql in sums {
            database.set_filter(Filter::default()).unwrap();
            let whole = number(&database, sql);
            let mut parts = 0;
            for part in 0..3 {
                let (from, to) = (end * part / 3, end * (part + 1) / 3);
                let filter = Filter { from_ns: Some(from), to_ns: Some(to), ..Filter::default() };
                database.set_filter(filter).unwrap();
                parts += number(&database, sql);
            }
            assert_eq!(parts, whole, "{trace}: {sql}");
        }
    }
}

/// Functions read states past SQLite where they can, and cut them by themselves.
#[test]
fn functions_see_the_states_that_statements_see() {
    let pairs = [
        (
            "select state, reason_id, sum(total_ns) from state_buckets(3) group by 1, 2 order by 1, 2",
            "select case code & 7 when 2 then 'runnable' when 3 then 'running' when 4 then 'waiting'
                 else 'syscall' end as state, nullif(code >> 8, 0) as reason_id, sum(duration_ns)
             from raw_goroutine_states group by 1, 2 having sum(duration_ns) > 0 order by 1, 2",
        ),
        (
            "select * from state_peaks('runnable', 5)",
            "select * from overlap_peaks(
               'select start_ns, duration_ns from raw_goroutine_states where code & 7 = 2', 5)",
        ),
        (
            "select state_id, goroutine_id, start_ns, duration_ns, reason_id, stack_id, woken_by_id,
               woken_stack_id from longest_states('waiting', 7)",
            "select id, goroutine_id, start_ns, duration_ns, reason_id, stack_id, woken_by_id,
               woken_stack_id
             from raw_states where code & 7 = 4 order by duration_ns desc, id limit 7",
        ),
        (
            "select function_id, times, total_ns, p50_ns, p99_ns, max_ns, longest_at_ns
             from state_percentiles('running') order by 1",
            "select g.function_id, count(*), sum(s.duration_ns), percentile(s.duration_ns, 0.5),
               percentile(s.duration_ns, 0.99), max(s.duration_ns), (
                 select min(o.start_ns) from raw_states o
                 join raw_goroutines p on p.id = o.goroutine_id
                 where o.code & 7 = 3 and p.function_id is g.function_id
                 group by o.duration_ns order by o.duration_ns desc limit 1)
             from raw_states s join raw_goroutines g on g.id = s.goroutine_id
             where s.code & 7 = 3 group by 1 order by 1",
        ),
        (
            "select m.id, m.goroutine_id, m.state_id, m.start_ns, m.duration_ns, m.stack_id,
               m.woken_stack_id
             from states_at_each('select 7 as id, (from_ns + to_ns) / 2 as time_ns from trace_spans
               union all select 8, from_ns from trace_spans') m order by 1, 2",
            "select t.column1, s.goroutine_id, s.id, s.start_ns, s.duration_ns, s.stack_id,
               s.woken_stack_id
             from (select 7 as column1, (from_ns + to_ns) / 2 as time_ns from trace_spans
               union all select 8, from_ns from trace_spans) t
             join raw_states s on s.start_ns <= t.time_ns and s.start_ns + s.duration_ns > t.time_ns
             order by 1, 2",
        ),
        (
            "select goroutine_id, state_id, since_ns
             from states_at((select (from_ns + to_ns) / 2 from trace_spans)) order by 1",
            "select s.goroutine_id, s.id, s.start_ns
             from trace_spans t
             join raw_states s on s.start_ns <= (t.from_ns + t.to_ns) / 2
               and s.start_ns + s.duration_ns > (t.from_ns + t.to_ns) / 2
             order by 1",
        ),
    ];
    check_all(
        &committed::traces(),
        |trace| trace.name.clone(),
        |trace| {
            let Some((_sandbox, database)) = database(&trace.name) else { return Ok(()) };
            let end = number(&database, "select duration_ns from traces");
            let time = Filter { from_ns: Some(end / 3), to_ns: Some(end / 2), ..Filter::default() };
            let goroutines = Filter { goroutines: vec![1], ..Filter::default() };
            for filter in [Filter::default(), time, goroutines] {
                let shown = format!("{filter:?}");
                if database.set_filter(filter).is_err() {
                    // No goroutine 1 was seen.
                    continue;
                }
                for (function, statement) in pairs {
                    if ask(&database, function) != ask(&database, statement) {
                        return Err(format!("{shown}: {function}"));
                    }
                }
            }
            Ok(())
        },
    );
}

#[test]
fn goroutines_functions_and_tasks_are_chosen() {
    let (_sandbox, database) = database("go1.27/mixed").unwrap();
    let by_function = number(&database, "select count(*) from goroutines where name glob 'main.*'");
    let filter = |function: &str| Filter { function: Some(function.into()), ..Filter::default() };
    database.set_filter(filter("main.*")).unwrap();
    assert_eq!(number(&database, "select count(*) from goroutines"), by_function);
    assert!(by_function > 1);
    let error = database.set_filter(filter("main.mian")).unwrap_err().to_string();
    assert!(error.contains("did you mean 'main.main'"), "{error}");
    let (_sandbox, database) = self::database("go1.27/annotations").unwrap();
    let task = number(
        &database,
        "select task from tasks where goroutine_id = end_goroutine_id order by end_ns - start_ns desc limit 1",
    );
    let length =
        number(&database, &format!("select end_ns - start_ns from tasks where task = {task}"));
    database.set_filter(Filter { task: Some(task.to_string()), ..Filter::default() }).unwrap();
    let creator = number(
        &database,
        &format!(
            "select g.total_ns from goroutines g join tasks t on t.goroutine_id = g.id where t.task = {task}"
        ),
    );
    assert_eq!(
        creator, length,
        "the creator of the task is looked at from its beginning to its end"
    );
    assert_eq!(
        number(
            &database,
            &format!(
                "select count(*) from regions where task <> {task}
        and task not in (select task from tasks)"
            )
        ),
        0
    );
    for (filter, word) in [
        (Filter { goroutines: vec![999_999], ..Filter::default() }, "there is no goroutine 999999"),
        (
            Filter { task: Some("nothing".into()), ..Filter::default() },
            "no task with the type 'nothing'",
        ),
        (
            Filter { from_ns: Some(5), to_ns: Some(5), ..Filter::default() },
            "--from must be before --to",
        ),
    ] {
        let error = database.set_filter(filter).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn the_database_stays_as_it_is() {
    let (sandbox, database) = database("go1.27/leak").unwrap();
    let before = std::fs::read(sandbox.path("app.db")).unwrap();
    database.set_filter(Filter { from_ns: Some(1000), ..Filter::default() }).unwrap();
    ask(&database, "select * from goroutines");
    // And a filter opens no door.
    for sql in ["delete from raw_state_totals", "drop table filter_sums", "create temp table x (y)"]
    {
        let mut rows = Rows::default();
        assert!(database.query(sql, &[], NO_LIMITS, &mut rows).is_err(), "{sql}");
    }
    drop(database);
    assert!(before == std::fs::read(sandbox.path("app.db")).unwrap());
}

#[test]
fn queries_say_which_filters_they_take() {
    let sandbox = Sandbox::new();
    sandbox.copy("go1.27/mixed", "app.trace");
    sandbox.gotrace(&["ingest", "app.trace"]).expect(0);
    let ask = |arguments: &[&str]| sandbox.gotrace(&[&["query", "app.db"], arguments].concat());
    ask(&["events-by-type", "--from", "1ms"]).expect(2).says(&["takes no filters"]);
    ask(&["gc", "--goroutine", "1"]).expect(2).says(&["it takes --from and --to"]);
    ask(&["procs", "--from", "1ms", "--to", "2ms"]).expect(0);
    ask(&["critical-path", "--function", "main.main"]).expect(2).says(&["--goroutine or --task"]);
    ask(&["blocking", "--from", "soon"]).expect(2).says(&["--from: want a duration"]);
    // The same by parameter and by filter.
    let by_filter =
        ask(&["critical-path", "--goroutine", "1", "--from", "1ms", "--to", "2ms"]).expect(0);
    let by_parameter =
        ask(&["critical-path", "-p", "goid=1", "-p", "from=1ms", "-p", "to=2ms"]).expect(0);
    assert_eq!(by_filter.text(), by_parameter.text());
    assert!(by_filter.text().lines().count() > 2);
}
