//! Profiles out of traces: Go's own sample by sample, and gotrace's by what must hold of them.

mod committed;

use committed::{LoadedFile, Trace, check_all, load_file, source_of, traces};
use gotrace::model::{NamePattern, Selection};
use gotrace::order::TraceReader;
use gotrace::profile::from_trace::*;
use gotrace::profile::{LabelValue, Profile};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Go's four, in the order of the expectations.
const GOTOOL: [TraceProfileType; 4] = [
    TraceProfileType::Net,
    TraceProfileType::Sync,
    TraceProfileType::Syscall,
    TraceProfileType::Sched,
];

fn options(types: &[TraceProfileType]) -> TraceProfileOptions {
    TraceProfileOptions {
        types: types.to_vec(),
        selection: Selection::default(),
        region: None,
        task: None,
        labels: Vec::new(),
        is_gotool: false,
    }
}

fn profiles(trace: &Trace, options: &TraceProfileOptions) -> Vec<Profile> {
    let reader = TraceReader::new(source_of(&trace.bytes())).unwrap();
    profiles_of_trace(reader, options).unwrap().0
}

/// The profile of one type, of the whole trace.
fn profile(trace: &Trace, kind: TraceProfileType) -> Profile {
    profiles(trace, &options(&[kind])).remove(0)
}

/// The samples as text, as `tests/conformance/oracle/pprof.go` prints them.
fn text(profile: &Profile) -> Vec<String> {
    let mut lines: Vec<String> = (0..profile.samples.len())
        .map(|sample| {
            let values = profile.samples.values(sample);
            let mut line = format!("{} {}", values[0], values[1]);
            for &location in profile.samples.stack(sample) {
                let location = &profile.locations[location as usize];
                let at = location.lines[0];
                let function = profile.functions[at.function as usize];
                let (name, file) = (profile.text(function.name), profile.text(function.file));
                write!(line, " {:#x}:{name}:{file}:{}", location.address, at.line).unwrap();
            }
            line
        })
        .collect();
    lines.sort();
    lines
}

/// What the expectations say of a profile.
fn digest(profile: &Profile) -> String {
    let lines = text(profile);
    if lines.is_empty() {
        return "-".into();
    }
    let sum = |index: usize| -> i64 {
        (0..profile.samples.len()).map(|sample| profile.samples.values(sample)[index]).sum()
    };
    let hash = Sha256::digest(lines.join("\n").as_bytes());
    let hash: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{} {} {} {hash}", lines.len(), sum(0), sum(1))
}

#[test]
fn gotool_profiles_have_the_samples_of_go_by_goroutine_group_and_by_region() {
    let all = traces();
    let with_expectations: Vec<&Trace> = all
        .iter()
        // Of a trace that Go cannot read to its end it shows a part.
        .filter(|trace| {
            let expected = trace.expected("pprof.tsv");
            !expected.unwrap_or_else(|| panic!("{}: no expectation", trace.name)).starts_with('#')
        })
        .collect();
    assert!(with_expectations.len() > 80, "{}", with_expectations.len());
    check_all(
        &with_expectations,
        |trace| trace.name.clone(),
        |trace| {
            let expected = trace.expected("pprof.tsv").unwrap();
            assert!(expected.lines().count() > 1);
            for line in expected.lines() {
                let mut fields = line.split('\t');
                let (kind, name) = (fields.next().unwrap(), fields.next().unwrap());
                let mut options = TraceProfileOptions { is_gotool: true, ..options(&GOTOOL) };
                match kind {
                    "all" => {}
                    "goroutine" => options.selection.functions.push(NamePattern::exact(name)),
                    "region" => options.region = Some(NamePattern::exact(name)),
                    other => panic!("{other}"),
                }
                let want: Vec<&str> = fields.collect();
                let got: Vec<String> = profiles(trace, &options).iter().map(digest).collect();
                if got != want {
                    return Err(format!("{kind} {name}\n  got  {got:?}\n  want {want:?}"));
                }
            }
            Ok(())
        },
    );
}

/// The columns of the one row of a result.
fn integers(database: &LoadedFile, sql: &str) -> Vec<i64> {
    let mut statement = database.connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        (0..columns).map(|column| row.get::<_, Option<i64>>(column)).collect::<Result<Vec<_>, _>>()
    };
    let values = statement.query_row([], row).unwrap();
    values.into_iter().map(|value| value.unwrap_or(0)).collect()
}

/// The sum of a value, of samples with a label if one is given.
fn sum(profile: &Profile, value: usize, label: Option<(&str, &str)>) -> i64 {
    (0..profile.samples.len())
        .filter(|&sample| {
            label.is_none_or(|(key, value)| {
                profile.labels(sample).iter().any(|label| {
                    let LabelValue::Text(text) = label.value else { return false };
                    profile.text(label.key) == key && profile.text(text) == value
                })
            })
        })
        .map(|sample| profile.samples.values(sample)[value])
        .sum()
}

#[test]
fn wall_time_is_the_life_of_all_goroutines_by_state() {
    check_all(
        &traces(),
        |trace| trace.name.clone(),
        |trace| {
            let database = load_file(&trace.bytes())?;
            let wall = profile(trace, TraceProfileType::Wall);
            let wanted = integers(
                &database,
                "select sum(running_ns), sum(runnable_ns), sum(waiting_ns), sum(syscall_ns), \
                 sum(syscall_blocked_ns), sum(total_ns) from goroutines",
            );
            let states = ["running", "runnable", "waiting", "syscall", "syscall-blocked"];
            let mut got: Vec<i64> =
                states.iter().map(|state| sum(&wall, 1, Some(("state", state)))).collect();
            got.push(sum(&wall, 1, None));
            if got != wanted { Err(format!("{got:?}, want {wanted:?}")) } else { Ok(()) }
        },
    );
}

#[test]
fn the_parts_are_what_the_database_says() {
    use TraceProfileType::*;
    let questions = [
        (Net, "select sum(duration_ns) from network_waits"),
        (OffCpu, "select sum(waiting_ns) from goroutines"),
        (
            Sync,
            "select sum(duration_ns) from goroutine_states where state = 'waiting' and (reason like '%chan%' or reason like '%sync%' or reason like '%select%')",
        ),
        (Sched, "select sum(runnable_ns) from goroutines"),
        (SchedByWaker, "select sum(runnable_ns) from goroutines"),
        (Syscall, "select sum(syscall_ns + syscall_blocked_ns) from goroutines"),
        (Sleep, "select sum(duration_ns) from sleep_waits"),
        (GcAssist, "select sum(mark_assist_ns) from goroutines"),
        (Cpu, "select count(*) * 10000000 from cpu_samples"),
    ];
    let types: Vec<TraceProfileType> = questions.iter().map(|question| question.0).collect();
    let mut seen = vec![0; types.len()];
    for name in ["go1.27/mixed", "go1.27/gc", "go1.27/samples", "go1.23/syscalls", "go1.19/sync"] {
        let trace = Trace::new(name);
        let database = load_file(&trace.bytes()).unwrap();
        let all = profiles(&trace, &options(&types));
        for (index, (kind, sql)) in questions.iter().enumerate() {
            let want = integers(&database, sql)[0];
            assert_eq!(sum(&all[index], 1, None), want, "{name}: {}", kind.as_str());
            seen[index] += want;
            // One pass for several is as one pass for each.
            assert_eq!(text(&all[index]), text(&profile(&trace, *kind)), "{name} {kind:?}");
        }
    }
    assert!(seen.iter().all(|&sum| sum > 0), "{seen:?}");
    let trace = Trace::new("go1.27/allocfree");
    let database = load_file(&trace.bytes()).unwrap();
    let sql = "select count(*), sum(size_bytes) from heap_objects where allocated_ns is not null";
    let alloc = profile(&trace, Alloc);
    let want = integers(&database, sql);
    assert!(want[0] > 0 && want[1] > 0);
    assert_eq!([sum(&alloc, 0, None), sum(&alloc, 1, None)], want[..]);
    let goroutines = profile(&Trace::new("go1.27/mixed"), Goroutines);
    assert_eq!(sum(&goroutines, 0, None), 22);
}

#[test]
fn parts_of_the_time_and_groups_of_goroutines_add_up_to_the_whole() {
    let trace = Trace::new("go1.27/mixed");
    let whole = sum(&profile(&trace, TraceProfileType::Wall), 1, None);
    let within = |from: Option<i64>, to: Option<i64>| {
        let moment = |ns: Option<i64>| ns.map(gotrace::model::Moment::SinceStart);
        let mut options = options(&[TraceProfileType::Wall]);
        (options.selection.from, options.selection.to) = (moment(from), moment(to));
        sum(&profiles(&trace, &options)[0], 1, None)
    };
    let (first, second) = (Some(20_000_000), Some(40_000_000));
    let parts = [within(None, first), within(first, second), within(second, None)];
    assert!(parts.iter().all(|&part| part > 0), "{parts:?}");
    assert_eq!(parts.iter().sum::<i64>(), whole);
    assert_eq!(within(Some(1 << 60), None), 0);

    let of = |function: &str| {
        let mut options = options(&[TraceProfileType::Wall]);
        options.selection.functions.push(NamePattern::new(function));
        let profile = profiles(&trace, &options).remove(0);
        assert_eq!(
            sum(&profile, 1, None),
            sum(&profile, 1, Some(("goroutine", function))).max(if function.contains('*') {
                sum(&profile, 1, None)
            } else {
                0
            },)
        );
        sum(&profile, 1, None)
    };
    let groups = of("main.*") + of("runtime*");
    assert_eq!(groups, whole);
    assert!(of("main.run.func1") > 0);
}

#[test]
fn time_inside_regions_and_tasks_is_that_of_the_database() {
    let trace = Trace::new("go1.27/mixed");
    let database = load_file(&trace.bytes()).unwrap();
    let inside = |region: Option<&str>, task: Option<TaskPattern>| {
        let region = region.map(NamePattern::new);
        let options = TraceProfileOptions { region, task, ..options(&[TraceProfileType::Wall]) };
        sum(&profiles(&trace, &options)[0], 1, None)
    };
    for region in ["price", "book", "journal"] {
        let sql = format!("select sum(end_ns - start_ns) from regions where type = '{region}'");
        let want = integers(&database, &sql)[0];
        assert!(want > 0);
        assert_eq!(inside(Some(region), None), want, "{region}");
    }
    let task = integers(&database, "select min(task) from tasks")[0] as u64;
    let sql = format!(
        "select sum(end_ns - start_ns) from regions where task = {task} and type = 'price'"
    );
    let want = integers(&database, &sql)[0];
    assert!(want > 0);
    assert_eq!(inside(Some("price"), Some(TaskPattern::Number(task))), want);
    let with_creator = inside(None, Some(TaskPattern::Number(task)));
    assert!(with_creator > want, "{with_creator} {want}");
    assert_eq!(inside(Some("no such region"), None), 0);
}

#[test]
fn labels_restrict_and_go_refuses_what_it_has_not() {
    let trace = Trace::new("go1.27/mixed");
    let mut restricted = options(&[TraceProfileType::Wall]);
    restricted.labels.push(("state".into(), NamePattern::new("running")));
    let all = profile(&trace, TraceProfileType::Wall);
    let running = profiles(&trace, &restricted).remove(0);
    assert_eq!(sum(&running, 1, None), sum(&all, 1, Some(("state", "running"))));
    let refused = |options: &TraceProfileOptions| {
        let reader = TraceReader::new(source_of(&trace.bytes())).unwrap();
        profiles_of_trace(reader, options).unwrap_err().to_string()
    };
    restricted.is_gotool = true;
    assert!(refused(&restricted).contains("no profile 'wall'"));
    restricted.types = vec![TraceProfileType::Sync];
    assert!(refused(&restricted).contains("cannot restrict its profiles by label"));
}

#[test]
fn a_profile_read_back_is_the_same_and_two_are_byte_for_byte_equal() {
    for name in ["go1.27/mixed", "go1.22/leak", "go1.21/gc"] {
        let trace = Trace::new(name);
        let write = || {
            let mut all = Vec::new();
            for profile in profiles(&trace, &options(TraceProfileType::ALL)) {
                let mut bytes = Vec::new();
                profile.write_packed(&mut bytes).unwrap();
                all.push(bytes);
            }
            all
        };
        let written = write();
        assert_eq!(written, write(), "{name}");
        for (bytes, profile) in
            written.iter().zip(profiles(&trace, &options(TraceProfileType::ALL)))
        {
            let read = gotrace::profile::read(&mut source_of(bytes).stream, true).unwrap();
            assert_eq!(read.samples.len(), profile.samples.len());
            assert_eq!(read.duration_nanos, profile.duration_nanos);
            assert!(read.duration_nanos > 0);
            if profile.samples.width() == 2 {
                assert_eq!(text(&read), text(&profile));
            }
        }
    }
}
