//! Damaged traces: nothing breaks, what is kept makes sense, and what is lost is said.

mod committed;

use committed::damage::{Amount, Damage, batches, damages};
use committed::examine::{Examined, examine};
use committed::heap::{Heap, peak};
use committed::run::Sandbox;
use committed::{Trace, check_all, invariants, load_file, traces, violations};
use gotrace::diagnostic::{Code, Severity};
use gotrace::wire::v2::parse_text;
use std::time::{Duration, Instant};

#[global_allocator]
static HEAP: Heap = Heap;

/// Of each format one or more: whole and killed ones, with one generation and with many.
const SAMPLE: [&str; 16] = [
    "go1.19/mixed",
    "go1.19/generations",
    "go1.21/killed",
    "go1.21/samples",
    "go1.21/annotations",
    "go1.22/killed",
    "go1.22/generations",
    "go1.23/gc",
    "go1.24/http",
    "go1.25/generations",
    "go1.25/killed",
    "go1.26/annotations",
    "go1.26/allocfree",
    "go1.27/generations",
    "go1.27/cgo",
    "go1.27/mixed",
];

/// Longest that one of these small traces may take. The machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);

fn sample() -> Vec<Trace> {
    SAMPLE.iter().map(|name| Trace::new(name)).collect()
}

/// Reads a damaged trace, and checks what must hold whatever the damage is.
fn read_damaged(whole: &[u8], damage: &Damage) -> Result<Option<Examined>, String> {
    let bytes = damage.apply(whole);
    let started = Instant::now();
    let (result, memory) = peak(|| examine(&bytes));
    let at = |problem: String| format!("{} {damage:.200}: {problem}", damage.kind);
    let found = result.map_err(at)?;
    if started.elapsed() > PATIENCE {
        return Err(at(format!("took {:?}", started.elapsed())));
    }
    // Tables of fixed size, and what the bytes become: an event of two bytes is a few rows.
    let bound = (32 << 20) + 64 * bytes.len();
    if memory > bound {
        return Err(at(format!("took {memory} bytes of memory")));
    }
    Ok(found)
}

#[test]
fn no_damage_breaks_anything_and_every_loss_is_told() {
    check_all(
        &sample(),
        |trace| trace.name.clone(),
        |trace| {
            let whole = trace.bytes();
            let intact = examine(&whole)?.ok_or("it is refused undamaged")?;
            let all = damages(&whole, Amount::SAMPLE, 3);
            assert!(all.len() > 100, "only {} damages", all.len());
            let mut told = 0;
            for damage in &all {
                // Only a header of 16 bytes can make it refuse a trace, and none was touched.
                let found = read_damaged(&whole, damage)?
                    .ok_or_else(|| format!("{} {damage}: refused", damage.kind))?;
                let is_told = found.diagnostics != intact.diagnostics;
                told += usize::from(is_told);
                // A cut at the end of a generation, or between batches of an old trace, leaves a
                // sound trace that is shorter; so does a missing batch. Else less means a word.
                let may_be_silent = ["cut", "missing", "wrong", "changed"];
                if found.events < intact.events
                    && !is_told
                    && !may_be_silent.iter().any(|word| damage.kind.contains(word))
                {
                    return Err(format!(
                        "{} {damage}: {} of {} events, and not a word",
                        damage.kind, found.events, intact.events
                    ));
                }
            }
            assert!(2 * told > all.len(), "only {told} of {} damages were told", all.len());
            Ok(())
        },
    );
}

#[test]
fn four_zeroed_bytes_lose_at_most_one_generation() {
    for name in ["go1.22/generations", "go1.25/generations", "go1.27/generations"] {
        let whole = Trace::new(name).bytes();
        let intact = examine(&whole).unwrap().unwrap();
        assert!(intact.generations.len() >= 4, "{name}");
        for at in (16..whole.len() - 4).step_by(41) {
            let mut bytes = whole.clone();
            bytes[at..at + 4].fill(0);
            let found = examine(&bytes)
                .unwrap_or_else(|problem| panic!("{name}: byte {at}: {problem}"))
                .unwrap();
            let less: Vec<u64> = intact
                .generations
                .iter()
                .filter(|(number, events)| found.events_of(*number) < *events)
                .map(|(number, _)| *number)
                .collect();
            assert!(less.len() <= 1, "{name}: byte {at}: less of generations {less:?}");
        }
    }
}

#[test]
fn behind_a_bad_first_generation_the_others_are_whole() {
    for name in ["go1.22/generations", "go1.25/generations", "go1.27/generations"] {
        let whole = Trace::new(name).bytes();
        let intact = examine(&whole).unwrap().unwrap();
        let first = intact.generations[0].0;
        let all = damages(&whole, Amount::SAMPLE, 11);
        let of_first = all.iter().filter(|damage| damage.kind == "first generation bad");
        for damage in of_first {
            let found = read_damaged(&whole, damage).unwrap().unwrap();
            for (number, events) in intact.generations.iter().filter(|one| one.0 != first) {
                assert_eq!(found.events_of(*number), *events, "{name}: generation {number}");
            }
            assert!(found.diagnostics.iter().any(|one| one.code.severity() == Severity::Loss));
        }
        assert!(all.iter().any(|damage| damage.kind == "first generation bad"));
    }
}

#[test]
fn a_doubled_batch_changes_nothing() {
    for name in ["go1.19/mixed", "go1.22/generations", "go1.27/mixed"] {
        let whole = Trace::new(name).bytes();
        let intact = examine(&whole).unwrap().unwrap();
        let mut doubled = 0;
        for batch in batches(&whole) {
            // Tables and samples are no events of a thread; what is twice there is told as such.
            let first = whole.get(batch.data.start).copied().unwrap_or(0);
            let is_table = [2, 3, 5, 7, 8, 37, 48 | 3 << 6, 49 | 3 << 6, 50, 3 << 6 | 3];
            if batch.data.is_empty() || is_table.contains(&first) {
                continue;
            }
            let mut bytes = whole[..batch.whole.end].to_vec();
            bytes.extend_from_slice(&whole[batch.whole.start..]);
            let found = examine(&bytes).unwrap().unwrap();
            assert_eq!(found.events, intact.events, "{name}: batch at {}", batch.whole.start);
            assert!(found.diagnostics.iter().any(|one| one.message.contains("twice")), "{name}");
            doubled += 1;
        }
        assert!(doubled >= 4, "{name}: {doubled}");
    }
}

#[test]
fn databases_of_damaged_traces_keep_the_invariants() {
    let invariants = invariants();
    let names = [
        "go1.19/generations",
        "go1.21/samples",
        "go1.22/generations",
        "go1.25/generations",
        "go1.26/annotations",
        "go1.27/generations",
        "go1.27/mixed",
    ];
    let all: Vec<Trace> = names.iter().map(|name| Trace::new(name)).collect();
    check_all(
        &all,
        |trace| trace.name.clone(),
        |trace| {
            let whole = trace.bytes();
            let all = damages(&whole, Amount::SAMPLE, 5);
            let mut gaps = 0;
            for damage in all.iter().step_by(all.len() / 16) {
                let file = load_file(&damage.apply(&whole))?;
                let mut found = violations(&file.connection, &invariants);
                // A changed number of a thread in an old trace cannot be told from the right one.
                found.retain(|one| {
                    !(trace.is_v1() && one.starts_with("one_goroutine_runs_on_a_thread: thread"))
                });
                if !found.is_empty() {
                    return Err(format!("{} {damage}: {found:?}", damage.kind));
                }
                gaps += file.loaded.totals.gaps;
            }
            let is_many = trace.name.ends_with("/generations") && !trace.is_v1();
            assert!(gaps > 0 || !is_many, "no damage made a gap");
            Ok(())
        },
    );
}

#[test]
fn states_across_a_gap_are_open() {
    let whole = Trace::new("go1.27/generations").bytes();
    let mut numbers: Vec<u64> = batches(&whole).iter().map(|batch| batch.generation).collect();
    numbers.retain(|&number| number != 0);
    numbers.dedup();
    let lost = numbers[1];
    let all = batches(&whole);
    let of_lost: Vec<_> = all.iter().filter(|batch| batch.generation == lost).collect();
    let (start, end) = (of_lost[0].whole.start, of_lost[of_lost.len() - 1].whole.end);
    // With the mark that ends it.
    let bytes = [&whole[..start], &whole[end + 1..]].concat();
    let file = load_file(&bytes).unwrap();
    assert_eq!(file.loaded.totals.gaps, 1);
    let ask = |sql: &str| -> i64 { file.connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    let gap_ns = ask("select start_ns from generations where is_after_gap");
    let count =
        |condition: &str| ask(&format!("select count(*) from goroutine_states where {condition}"));
    assert!(count(&format!("open_end and start_ns + duration_ns < {gap_ns}")) > 2);
    assert!(count(&format!("open_start and start_ns = {gap_ns}")) > 2);
    // Nothing reaches into the gap unless it says that its end is not known.
    let before_ns = ask(&format!(
        "select max(start_ns + duration_ns) from goroutine_states where start_ns < {gap_ns}"
    ));
    assert!(before_ns < gap_ns);
    let closed = format!("not open_end and start_ns + duration_ns = {before_ns}");
    assert_eq!(count(&format!("{closed} and start_ns < {gap_ns} and duration_ns > 1000000")), 0);
}

#[test]
fn each_loss_is_one_line_with_its_place_and_strict_refuses() {
    let sandbox = Sandbox::new();
    let whole = Trace::new("go1.27/generations").bytes();
    // In the middle of a thread's events.
    let all = batches(&whole);
    let of_second = all.iter().filter(|batch| batch.generation == 2);
    let second = of_second.max_by_key(|batch| (batch.owner < 1 << 32, batch.data.len())).unwrap();
    let second = second.data.start + second.data.len() / 2;
    let mut bytes = whole.clone();
    bytes[second..second + 4].fill(0);
    sandbox.write("app.trace", &bytes);
    let run = sandbox.gotrace(&["ingest", "app.trace"]).expect(0);
    assert!(run.text().contains("incomplete"), "{}", run.text());
    let losses: Vec<&str> =
        run.stderr.lines().filter(|line| line.starts_with("gotrace: loss: ")).collect();
    assert!(!losses.is_empty(), "{}", run.stderr);
    for line in &losses {
        let (_, rest) = line.split_once("app.trace: byte ").expect(line);
        let offset: u64 = rest.split(':').next().unwrap().parse().expect(line);
        assert!(offset > 16 && offset < bytes.len() as u64, "{line}");
        assert!(line.contains(": generation 2: thread "), "{line}");
        assert!(line.contains("(lost ") && line.contains(" bytes"), "{line}");
    }
    let given_up = losses.iter().find(|line| line.contains("rest of the generation"));
    let given_up = given_up.unwrap_or_else(|| panic!("{}", run.stderr));
    assert!(given_up.contains(" events, ") && given_up.contains(" ms)"), "{given_up}");
    for command in [["ingest", "--strict"], ["events", "--strict"], ["info", "--strict"]] {
        let run = sandbox.gotrace(&[command[0], command[1], "app.trace"]).expect(1);
        assert!(run.stderr.contains("--strict"), "{}", run.stderr);
    }
}

/// A goroutine on a proc, which does what `events` says.
fn program(events: &str) -> Vec<u8> {
    let text = format!(
        "Trace Go1.23\n\
         EventBatch gen=1 m=0 time=100\n\
         ProcStatus dt=1 p=0 pstatus=1\n\
         GoStatus dt=1 g=1 m=0 gstatus=2\n\
         {events}\
         EventBatch gen=1 m=-1 time=100\n\
         Frequency freq=1000000000\n\
         EventBatch gen=1 m=-1 time=100\n\
         Strings\n\
         String id=1\n\tdata=\"outer\"\n\
         String id=2\n\tdata=\"inner\"\n\
         EventBatch gen=1 m=-1 time=100\n\
         Stacks\n"
    );
    parse_text(&text).unwrap().to_bytes()
}

#[test]
fn misuse_of_regions_and_tasks_costs_nothing() {
    // Go refuses a trace with a region that ends while another is the innermost.
    let crossed = "UserRegionBegin dt=1 task=0 name_string=1 stack=0\n\
                   UserRegionBegin dt=1 task=0 name_string=2 stack=0\n\
                   UserRegionEnd dt=1 task=0 name_string=1 stack=0\n\
                   UserRegionEnd dt=1 task=0 name_string=2 stack=0\n";
    let twice = "UserTaskBegin dt=1 task=7 parent_task=0 name_string=1 stack=0\n\
                 UserTaskBegin dt=1 task=7 parent_task=0 name_string=1 stack=0\n\
                 UserTaskEnd dt=1 task=7 stack=0\n\
                 UserTaskEnd dt=1 task=7 stack=0\n";
    for (events, code) in [(crossed, Code::RegionMisuse), (twice, Code::TaskMisuse)] {
        let found = examine(&program(events)).unwrap().unwrap();
        assert_eq!(found.events, 6, "{:?}", found.diagnostics);
        let codes: Vec<Code> = found.diagnostics.iter().map(|one| one.code).collect();
        assert!(codes.contains(&code), "{codes:?}");
        assert!(codes.iter().all(|code| code.severity() < Severity::Loss), "{codes:?}");
    }
}

#[test]
fn a_batch_that_goes_back_in_time_is_told() {
    let later = "EventBatch gen=1 m=0 time=50\nGoBlock dt=1 reason_string=1 stack=0\n";
    let found = examine(&program(later)).unwrap().unwrap();
    assert_eq!(found.events, 3);
    let told = found.diagnostics.iter().find(|one| one.code == Code::TimeBackwards).unwrap();
    assert_eq!((told.generation, told.thread), (Some(1), Some(0)));
    assert!(told.offset.is_some() && told.message.contains("50 clock ticks"), "{told}");
}

#[test]
fn lying_lengths_cost_no_memory() {
    for trace in traces().iter().filter(|trace| !trace.is_v1()).step_by(9) {
        let whole = trace.bytes();
        for batch in batches(&whole).iter().filter(|batch| batch.fields.len() == 4).take(3) {
            for size in [0xffff_u64, 0x1_0000, 0x7fff_ffff, u64::MAX] {
                let mut bytes = whole[..batch.fields[3].start].to_vec();
                bytes.extend(committed::damage::encode(size));
                bytes.extend_from_slice(&whole[batch.fields[3].end..]);
                let (result, memory) = peak(|| examine(&bytes));
                assert!(result.is_ok(), "{}: {:?}", trace.name, result.err());
                assert!(memory < (32 << 20) + 64 * bytes.len(), "{}: {memory}", trace.name);
            }
        }
    }
    // Counts inside of tables: a stack of 2^60 frames, a string of 2^60 bytes.
    for line in ["Stacks\nStack id=1", "Strings\nString id=1"] {
        let text = format!("Trace Go1.23\nEventBatch gen=1 m=-1 time=100\n{line}\n\tdata=\"x\"\n");
        let text = text.replace("Stack id=1\n\tdata=\"x\"\n", "Stack id=1\n");
        let mut bytes = parse_text(&text).unwrap().to_bytes();
        // The count or length is the last number of one byte, or the one before the text.
        let at = bytes.len() - if line.starts_with("Stacks") { 1 } else { 2 };
        bytes.splice(at..at + 1, committed::damage::encode(1 << 60));
        let (result, memory) = peak(|| examine(&bytes));
        let found = result.unwrap().unwrap();
        assert!(memory < 32 << 20, "{line}: {memory}");
        assert!(found.diagnostics.iter().any(|one| one.code == Code::BadBatch
            || one.code == Code::TruncatedBatch
            || one.code == Code::BadBatchHeader));
    }
}

/// The trace with another clock frequency.
fn with_frequency(whole: &[u8], ticks_per_second: u64) -> Vec<u8> {
    let number = committed::damage::encode(ticks_per_second);
    let mut bytes = whole.to_vec();
    for batch in batches(whole).iter().rev() {
        let data = &whole[batch.data.clone()];
        // Alone in its batch, or behind the Sync of Go 1.25; in old traces behind all events, before
        // the stacks, and there is one.
        let at = match data {
            [8, ..] => Some(1),
            [50, 8, ..] => Some(2),
            _ if whole[5..7] < b"22"[..] => (1..data.len()).rev().take(10).find(|&at| {
                let number = committed::damage::number(&data[at..]);
                data[at - 1] == 2 && number.is_some_and(|(_, len)| at + len == data.len())
            }),
            _ => None,
        };
        let Some(at) = at else { continue };
        let start = batch.data.start + at;
        let (_, len) = committed::damage::number(&whole[start..]).unwrap();
        bytes.splice(start..start + len, number.clone());
        if let Some(size) = batch.fields.get(3) {
            let grown = (batch.data.len() - len + number.len()) as u64;
            bytes.splice(size.clone(), committed::damage::encode(grown));
        }
    }
    bytes
}

#[test]
fn times_beyond_all_bounds_overflow_nothing() {
    // Found by fuzzing: a tick of a second makes days of microseconds, and centuries of days.
    for name in ["go1.19/mixed", "go1.22/generations", "go1.27/generations"] {
        let whole = Trace::new(name).bytes();
        let bytes = with_frequency(&whole, 1);
        assert!(bytes != whole, "{name}: no frequency was found");
        let found = examine(&bytes).unwrap_or_else(|problem| panic!("{name}: {problem}")).unwrap();
        assert!(found.events > 100, "{name}: {}", found.events);
    }
}

#[test]
fn there_is_no_generation_behind_the_last_number() {
    // Found by fuzzing.
    let last = u64::MAX;
    let batch = |generation, time| {
        format!("EventBatch gen={generation} m=0 time={time}\nProcStart dt=1 p=0 p_seq=1\n")
    };
    for numbers in
        [[last, last, 0, 0], [last, last, 1, 1], [last - 1, last, 0, 1], [last, 0, last, 0]]
    {
        let batches = numbers.iter().zip(1..).map(|(&number, at)| batch(number, at * 10));
        let text = format!("Trace Go1.22\n{}", batches.collect::<String>());
        let bytes = parse_text(&text).unwrap().to_bytes();
        examine(&bytes).unwrap_or_else(|problem| panic!("{numbers:?}: {problem}"));
    }
}
