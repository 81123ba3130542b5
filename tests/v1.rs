//! v1 traces (Go 1.11 to 1.21) end to end: the same events as Go's reader, and what is kept of
//! damaged ones.

mod committed;

use gotrace::diagnostic::{Code, Diagnostic, Diagnostics};
use gotrace::export::EventText;
use gotrace::order::{
    Event, GoSlot, GoState, NO_SLOT, Sink, Sync, TransitionOf, V1Stats, order_v1,
};
use gotrace::source::{self, RandomAccess};
use gotrace::wire::v2::{EventType, Generation, Tables};
use gotrace::wire::{parse_header, varint};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// The committed v1 traces.
fn traces() -> Vec<PathBuf> {
    let traces = committed::traces().into_iter().filter(committed::Trace::is_v1);
    let found: Vec<PathBuf> = traces.map(|trace| trace.path).collect();
    assert!(found.len() >= 20, "only {} v1 traces", found.len());
    found
}

fn trace(name: &str) -> Vec<u8> {
    fs::read(testdata().join("traces").join(name).with_extension("trace")).unwrap()
}

fn order<S: Sink>(bytes: &[u8], sink: &mut S) -> (V1Stats, Vec<Diagnostic>) {
    let mut diagnostics = Diagnostics::default();
    let version = parse_header(bytes).unwrap();
    let input = RandomAccess::from_bytes(bytes);
    let stats = order_v1(&input, version, sink, &mut diagnostics);
    (stats, diagnostics.finish())
}

fn text(bytes: &[u8]) -> (Vec<u8>, Vec<Diagnostic>) {
    let mut sink = EventText::new(Vec::new());
    let (_, diagnostics) = order(bytes, &mut sink);
    (sink.finish().unwrap(), diagnostics)
}

fn count(diagnostics: &[Diagnostic], code: Code) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.code == code).count()
}

/// Checks what every sink may rely on: times increase, a goroutine leaves the state it is in, and
/// no two living goroutines share a slot.
#[derive(Default)]
struct Checker {
    last_time: Option<i64>,
    syncs: u64,
    states: HashMap<i64, (GoState, GoSlot)>,
    slots: HashMap<GoSlot, i64>,
    events: Vec<EventType>,
}

impl Sink for Checker {
    fn sync(&mut self, sync: &Sync, generation: Option<&Generation>) {
        self.syncs += 1;
        assert_eq!(sync.n, self.syncs);
        if let Some(generation) = generation {
            assert_eq!((sync.n, sync.time, generation.number), (1, -1, 1));
        } else {
            assert_eq!(sync.time, self.last_time.map_or(0, |time| time + 1));
        }
    }

    fn event(&mut self, event: &Event, tables: &Tables) {
        assert!(self.last_time.is_none_or(|last| event.time > last), "{event:?}");
        self.last_time = Some(event.time);
        self.events.push(event.kind);
        assert!(tables.has_stack(event.stack()) && tables.has_stack(event.transition_stack()));
        let Some(TransitionOf::Goroutine(goid, slot, from, to)) = event.transition() else {
            return;
        };
        assert_ne!(slot, NO_SLOT, "{event:?}");
        let (state, known) =
            self.states.get(&goid).copied().unwrap_or((GoState::Undetermined, slot));
        assert_eq!(known, slot, "{event:?}");
        // Go takes a system call that a CPU sample falls in for one that does not block, and then
        // shows the end of a blocking one.
        let is_sampled_call =
            event.kind == EventType::GoSyscallEndBlocked && state == GoState::Running;
        // The goroutine of a C thread is created, and then said to be in a system call.
        let is_told = event.kind == EventType::GoStatus && from == GoState::Undetermined;
        let is_new = from == GoState::NotExist && !self.states.contains_key(&goid);
        assert!(from == state || is_new || is_sampled_call || is_told, "{event:?} but {state:?}");
        let owner = *self.slots.entry(slot).or_insert(goid);
        assert_eq!(owner, goid, "{event:?}");
        if to == GoState::NotExist {
            self.states.remove(&goid);
            self.slots.remove(&slot);
        } else {
            self.states.insert(goid, (to, slot));
        }
    }
}

#[test]
fn events_are_those_of_go() {
    let mut compared = 0;
    for path in traces() {
        let name = path.strip_prefix(testdata().join("traces")).unwrap();
        let expected = testdata().join("expected").join(name).with_extension("parsed");
        let expected = fs::read_to_string(expected).unwrap();
        if expected.contains("# error:") {
            continue;
        }
        let head: Vec<&str> = expected.lines().next().unwrap().split(' ').collect();
        let (text, diagnostics) = text(&fs::read(&path).unwrap());
        let sum: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            (text.len().to_string().as_str(), sum.as_str()),
            (head[3], head[5]),
            "{}",
            name.display()
        );
        let losses: Vec<&Diagnostic> =
            diagnostics.iter().filter(|found| found.code != Code::RegionMisuse).collect();
        assert!(losses.is_empty(), "{}: {losses:?}", name.display());
        compared += 1;
    }
    assert!(compared >= 18, "only {compared} compared");
}

#[test]
fn what_sinks_rely_on_holds_for_every_trace() {
    for path in traces() {
        let mut checker = Checker::default();
        let (stats, _) = order(&fs::read(&path).unwrap(), &mut checker);
        assert_eq!(checker.events.len() as u64, stats.events);
        assert_eq!(checker.syncs, 2);
    }
}

#[test]
fn a_packed_trace_gives_the_same() {
    let plain = trace("go1.21/http");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &plain).unwrap();
    let packed = std::io::Cursor::new(packed.finish().unwrap());
    let mut source = source::from_reader(packed, None).unwrap();
    let version = parse_header(source.stream.peek(16)).unwrap();
    source.stream.consume(16);
    let input = source.random_access().unwrap();
    let mut sink = EventText::new(Vec::new());
    order_v1(&input, version, &mut sink, &mut Diagnostics::default());
    assert!(sink.finish().unwrap() == text(&plain).0);
}

#[test]
fn of_a_killed_program_all_whole_events_are_kept() {
    let mut checker = Checker::default();
    let (stats, diagnostics) = order(&trace("go1.21/killed"), &mut checker);
    assert!(stats.events > 9000, "{}", stats.events);
    assert_eq!(count(&diagnostics, Code::TruncatedBatch), 1);
    // Both stand at the end of a v1 trace.
    assert_eq!(count(&diagnostics, Code::MissingFrequency), 1);
    assert_eq!(count(&diagnostics, Code::MissingStack), 1);
}

#[test]
fn callbacks_from_c_are_kept_although_their_order_is_broken() {
    for name in ["go1.19/cgo", "go1.21/cgo"] {
        let mut checker = Checker::default();
        let (stats, diagnostics) = order(&trace(name), &mut checker);
        assert!(stats.events > 300, "{name}: {}", stats.events);
        assert_eq!(count(&diagnostics, Code::StateAssumed), 1);
    }
}

#[test]
fn every_prefix_gives_a_result() {
    let whole = trace("go1.19/annotations");
    for len in 16..whole.len() {
        let mut checker = Checker::default();
        let (_, diagnostics) = order(&whole[..len], &mut checker);
        for found in &diagnostics {
            assert!(found.offset.is_none_or(|offset| offset <= len as u64), "{len}: {found}");
        }
        assert!(len == whole.len() || !diagnostics.is_empty());
    }
}

#[test]
fn a_damaged_byte_anywhere_breaks_nothing() {
    let whole = trace("go1.21/samples");
    let (stats, _) = order(&whole, &mut Checker::default());
    // All bytes and more changes take a minute; this is a sample of them.
    for (at, change) in (16..whole.len()).step_by(5).zip([0x01, 0x80, 0xff].into_iter().cycle()) {
        let mut damaged = whole.clone();
        damaged[at] ^= change;
        let (got, diagnostics) = order(&damaged, &mut Checker::default());
        for found in &diagnostics {
            assert!(
                found.offset.is_none_or(|offset| offset <= whole.len() as u64),
                "{at}: {found}"
            );
        }
        assert!(got.events < 2 * stats.events, "byte {at}: {} events", got.events);
    }
}

/// Writes v1 traces.
struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn new() -> Self {
        Writer { bytes: b"go 1.19 trace\0\0\0".to_vec() }
    }

    fn batch(&mut self, proc: u64, ticks: u64) {
        self.bytes.push(0x41);
        varint::write(&mut self.bytes, proc);
        varint::write(&mut self.bytes, ticks);
    }

    fn event(&mut self, code: u8, args: &[u64]) {
        if args.len() <= 3 {
            self.bytes.push(code | (args.len() as u8 - 1) << 6);
            args.iter().for_each(|&arg| varint::write(&mut self.bytes, arg));
            return;
        }
        self.bytes.push(code | 3 << 6);
        let mut inside = Vec::new();
        args.iter().for_each(|&arg| varint::write(&mut inside, arg));
        varint::write(&mut self.bytes, inside.len() as u64);
        self.bytes.extend(inside);
    }

    /// `batches` batches of `runs` runs of goroutine 1 on proc 0, one tick a step.
    fn runs(&mut self, batches: u64, runs: u64) {
        let start = 1 << 40;
        for batch in 0..batches {
            self.batch(0, start + batch * runs * 2 + 2);
            if batch == 0 {
                self.event(5, &[0, 77]); // ProcStart
                self.event(13, &[0, 1, 0, 0]); // GoCreate
                self.event(4, &[0, 1, 0]); // Gomaxprocs
            }
            for _ in 0..runs {
                self.event(38, &[1, 1]); // GoStartLocal
                self.event(17, &[1, 0]); // GoSched
            }
        }
        self.event(2, &[1_000_000_000]); // Frequency
    }
}

#[test]
fn four_bad_bytes_cost_no_more_than_their_batch() {
    let mut writer = Writer::new();
    writer.runs(10, 5000);
    let (whole, found) = order(&writer.bytes, &mut Checker::default());
    assert!(found.is_empty(), "{found:?}");
    let middle = writer.bytes.len() / 2;
    for at in middle..middle + 40 {
        let mut damaged = writer.bytes.clone();
        damaged[at..at + 4].fill(0xff);
        let mut checker = Checker::default();
        let (got, found) = order(&damaged, &mut checker);
        assert!(
            got.events + 10_010 > whole.events,
            "byte {at}: {} of {}",
            got.events,
            whole.events
        );
        assert!(
            found
                .iter()
                .any(|one| one.offset.is_some_and(|offset| offset.abs_diff(at as u64) < 100)),
            "{found:?}"
        );
    }
}

#[test]
fn a_damaged_header_costs_no_more_than_its_batch() {
    let mut writer = Writer::new();
    writer.runs(4, 1000);
    let (whole, _) = order(&writer.bytes, &mut Checker::default());
    let header = writer.bytes.len() - 3 - 2 * writer.bytes[16..].len() / 4;
    let header = (header..).find(|&at| writer.bytes[at] == 0x41).unwrap();
    for change in 1..=255 {
        for byte in 0..8 {
            let mut damaged = writer.bytes.clone();
            damaged[header + byte] ^= change;
            let (got, _) = order(&damaged, &mut Checker::default());
            assert!(
                got.events + 2 * 2010 > whole.events,
                "byte {byte}: {} of {}",
                got.events,
                whole.events
            );
        }
    }
}

#[test]
fn the_end_of_a_system_call_moves_to_where_it_happened() {
    let mut writer = Writer::new();
    writer.batch(0, 1 << 30);
    writer.event(5, &[0, 77]); // ProcStart
    writer.event(13, &[1, 1, 0, 0]); // GoCreate
    writer.event(4, &[1, 1, 0]); // Gomaxprocs
    writer.event(38, &[1, 1]); // GoStartLocal
    writer.event(28, &[1, 0]); // GoSysCall
    writer.event(30, &[1]); // GoSysBlock at +5
    writer.event(33, &[10, 1]); // HeapAlloc at +15
    writer.event(33, &[10, 2]); // HeapAlloc at +25
    writer.event(29, &[10, 1, 2, (1 << 30) + 20]); // GoSysExit at +35, happened at +20
    writer.event(2, &[1_000_000_000]);
    struct Seen(Vec<(EventType, i64)>);
    impl Sink for Seen {
        fn sync(&mut self, _: &Sync, _: Option<&Generation>) {}
        fn event(&mut self, event: &Event, _: &Tables) {
            self.0.push((event.kind, event.time));
        }
    }
    let mut seen = Seen(Vec::new());
    let (_, found) = order(&writer.bytes, &mut seen);
    assert!(found.is_empty(), "{found:?}");
    use EventType as E;
    let expected = [
        (E::ProcStatus, 0),
        (E::GoStatus, 2),
        (E::GoStart, 3),
        (E::GoSyscallBegin, 4),
        (E::HeapAlloc, 15),
        (E::GoSyscallEndBlocked, 20),
        (E::HeapAlloc, 25),
    ];
    assert_eq!(seen.0, expected);
}

#[test]
fn of_calls_that_end_at_one_time_the_one_that_is_told_first_comes_first() {
    // Goroutines 5 and 9 leave their calls at +20, both are told at +35, by proc 0 that of 9. Go's merge
    // takes proc 0 first.
    let start = 1 << 30;
    let mut writer = Writer::new();
    writer.batch(0, start);
    writer.event(5, &[0, 77]); // ProcStart
    writer.event(13, &[1, 5, 0, 0]); // GoCreate
    writer.event(13, &[0, 9, 0, 0]);
    writer.event(4, &[1, 2, 0]); // Gomaxprocs
    writer.event(38, &[1, 5]); // GoStartLocal
    writer.event(28, &[1, 0]); // GoSysCall
    writer.event(30, &[1]); // GoSysBlock at +5
    writer.event(29, &[30, 9, 2, start + 20]); // GoSysExit at +35
    writer.event(33, &[1, 1]); // HeapAlloc
    writer.batch(1, start + 3);
    writer.event(5, &[0, 78]);
    writer.event(14, &[1, 9, 1]); // GoStart
    writer.event(28, &[1, 0]);
    writer.event(30, &[1]); // at +6
    writer.event(29, &[29, 5, 2, start + 20]); // at +35
    writer.event(33, &[1, 2]);
    writer.event(2, &[1_000_000_000]);
    let mut lines = lines(&writer);
    lines.retain(|line| line.contains("Syscall->Runnable"));
    // What go tool trace -d=parsed of Go 1.27 prints, its procs sorted.
    assert_eq!(
        lines,
        [
            "M=-1 P=1000003 G=9 StateTransition Time=20 GoID=9 Syscall->Runnable Reason=\"\"",
            "M=-1 P=1000003 G=5 StateTransition Time=21 GoID=5 Syscall->Runnable Reason=\"\"",
        ]
    );
}

#[test]
fn a_time_that_is_cut_is_told() {
    let mut writer = Writer::new();
    writer.batch(0, 1 << 30);
    writer.event(5, &[0, 77]); // ProcStart
    writer.event(4, &[1, 1, 0]); // Gomaxprocs
    writer.event(33, &[1, 1]); // HeapAlloc
    writer.event(33, &[1 << 40, 2]); // 34,000 years later
    writer.event(2, &[1]);
    let (_, found) = order(&writer.bytes, &mut Checker::default());
    assert_eq!(count(&found, Code::TimeCut), 1, "{found:?}");
}

/// The lines of the events, as go tool trace -d=parsed of Go 1.27 prints them if it takes procs by number.
fn lines(writer: &Writer) -> Vec<String> {
    let (text, found) = text(&writer.bytes);
    assert!(found.is_empty(), "{found:?}");
    let text = String::from_utf8(text).unwrap();
    text.lines().filter(|line| line.starts_with("M=")).map(String::from).collect()
}

#[test]
fn what_existed_is_known_only_at_its_mark_whatever_others_did_at_that_time() {
    let mut writer = Writer::new();
    let start = 1 << 30;
    writer.batch(0, start);
    writer.event(5, &[0, 77]); // ProcStart
    writer.event(6, &[0]); // ProcStop
    writer.batch(1, start);
    writer.event(5, &[0, 78]);
    writer.event(13, &[0, 5, 0, 0]); // GoCreate
    writer.event(4, &[0, 2, 0]); // Gomaxprocs
    writer.event(38, &[1, 5]); // GoStartLocal
    writer.event(2, &[1_000_000_000]);
    assert_eq!(
        lines(&writer),
        [
            "M=-1 P=-1 G=-1 Sync Time=-1 N=1",
            "M=77 P=0 G=-1 StateTransition Time=0 ProcID=0 Undetermined->Running Reason=\"\"",
            "M=78 P=1 G=-1 StateTransition Time=1 ProcID=1 Undetermined->Running Reason=\"\"",
            "M=77 P=0 G=-1 StateTransition Time=2 ProcID=0 Running->Idle Reason=\"\"",
            "M=-1 P=-1 G=-1 StateTransition Time=3 GoID=5 Undetermined->Runnable Reason=\"\"",
            "M=78 P=1 G=5 StateTransition Time=4 GoID=5 Runnable->Running Reason=\"\"",
            "M=-1 P=-1 G=-1 Sync Time=5 N=2",
        ]
    );
}

#[test]
fn a_sample_at_the_time_at_which_a_call_blocks_comes_where_the_merge_has_it() {
    let mut writer = Writer::new();
    let start = 1 << 30;
    writer.batch(0, start);
    writer.event(5, &[0, 77]); // ProcStart
    writer.event(13, &[1, 1, 0, 0]); // GoCreate
    writer.event(4, &[1, 1, 0]); // Gomaxprocs
    writer.event(38, &[1, 1]); // GoStartLocal
    writer.event(28, &[1, 0]); // GoSysCall
    writer.event(30, &[1]); // GoSysBlock at +5
    writer.event(29, &[10, 1, 2, start + 12]); // GoSysExit at +15, happened at +12
    writer.event(49, &[1, start + 5, 0, 1, 0]); // CPUSample of +5
    writer.event(2, &[1_000_000_000]);
    assert_eq!(
        lines(&writer),
        [
            "M=-1 P=-1 G=-1 Sync Time=-1 N=1",
            "M=77 P=0 G=-1 StateTransition Time=0 ProcID=0 Undetermined->Running Reason=\"\"",
            "M=-1 P=-1 G=-1 StateTransition Time=2 GoID=1 Undetermined->Runnable Reason=\"\"",
            "M=77 P=0 G=1 StateTransition Time=3 GoID=1 Runnable->Running Reason=\"\"",
            "M=77 P=0 G=1 StateTransition Time=4 GoID=1 Running->Syscall Reason=\"\"",
            "M=77 P=0 G=1 StateTransition Time=5 GoID=1 Syscall->Running Reason=\"\"",
            "M=-1 P=0 G=1 StackSample Time=6",
            "M=-1 P=1000003 G=1 StateTransition Time=12 GoID=1 Syscall->Runnable Reason=\"\"",
            "M=-1 P=-1 G=-1 Sync Time=13 N=2",
        ]
    );
}

#[test]
fn an_event_may_lie_anywhere_across_what_is_read_at_a_time() {
    // A batch of more than a window (64 KB), its events moved on a byte at a time.
    let mut want = None;
    for shift in 0..24 {
        let mut writer = Writer::new();
        writer.batch(0, 1 << 30);
        writer.event(5, &[0, 77]); // ProcStart
        writer.event(4, &[1, 1, 0]); // Gomaxprocs
        for _ in 0..shift {
            writer.event(33, &[0, 1]); // HeapAlloc of 3 bytes
        }
        if shift % 3 > 0 {
            writer.event(33, &[0, 1 << (7 * (shift % 3))]); // of 4 or 5
        }
        for number in 0..30_000u64 {
            // Of 3 to 7 bytes.
            writer.event(33, &[1, 1 << (number % 28)]);
        }
        writer.event(2, &[1_000_000_000]);
        let mut checker = Checker::default();
        let (stats, found) = order(&writer.bytes, &mut checker);
        assert!(found.is_empty(), "{found:?}");
        let before = shift + u64::from(shift % 3 > 0);
        let got = stats.events - before;
        assert_eq!(*want.get_or_insert(got), got, "{shift}");
    }
}

#[test]
fn hostile_tables_are_refused_before_they_are_allocated() {
    let mut writer = Writer::new();
    writer.batch(0, 1);
    writer.bytes.push(37); // String, with a length of 2^60
    varint::write(&mut writer.bytes, 1);
    varint::write(&mut writer.bytes, 1 << 60);
    let (stats, diagnostics) = order(&writer.bytes, &mut Checker::default());
    assert_eq!(stats.events, 0);
    assert!(
        diagnostics.iter().any(|found| found.message.contains("String: length")),
        "{diagnostics:?}"
    );
    // Procs without end cost no more than a few bytes each.
    let mut writer = Writer::new();
    (0..200_000).for_each(|proc| writer.batch(proc, 5));
    let (_, diagnostics) = order(&writer.bytes, &mut Checker::default());
    assert_eq!(count(&diagnostics, Code::GenerationTooLarge), 1);
}
