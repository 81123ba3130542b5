//! Corner cases of the scheduler, as small traces written by hand in the text form of
//! `gotrace events --wire`. One tick is one nanosecond in all of them.
//!
//! With `GOTRACE_SCHEDULER_TRACES=DIR` the traces are written there, to be looked at with
//! `go tool trace -d=parsed`; Go 1.27 gives the same order for all that it does not refuse.

use gotrace::diagnostic::{Code, Diagnostic, Severity};
use gotrace::order::{Event, NONE, Sink, Sync, TraceReader, TransitionOf};
use gotrace::source;
use gotrace::wire::v2::{Generation, Tables, parse_text};
use std::io::Cursor;

/// What became of a trace: a line for each event, and what was found wrong.
struct Ordered {
    lines: Vec<String>,
    diagnostics: Vec<Diagnostic>,
}

impl Sink for Ordered {
    fn sync(&mut self, sync: &Sync, generation: Option<&Generation>) {
        let what = generation
            .map_or("end".into(), |generation| format!("generation {}", generation.number));
        self.lines.push(format!("{} {what}", sync.time));
    }

    fn gap(&mut self) {
        // The first generation of a trace follows nothing, which is no gap for a test.
        if !self.lines.is_empty() {
            self.lines.push("gap".into());
        }
    }

    fn event(&mut self, event: &Event, tables: &Tables) {
        let id = |name, id| {
            if id == NONE { format!(" {name}-") } else { format!(" {name}{id}") }
        };
        let mut line = event.time.to_string();
        line += &id("m", event.thread);
        line += &id("p", event.proc);
        line += &id("g", event.goroutine);
        line += &format!(" {}", event.kind.name());
        match event.transition() {
            Some(TransitionOf::Goroutine(goid, _, from, to)) => {
                line += &format!(": g{goid} {}->{}", from.as_str(), to.as_str());
            }
            Some(TransitionOf::Proc(proc, from, to)) => {
                line += &format!(": p{proc} {}->{}", from.as_str(), to.as_str());
            }
            None => {}
        }
        let reason = tables.string(event.reason()).unwrap_or(b"");
        if !reason.is_empty() {
            line += &format!(" {:?}", String::from_utf8_lossy(reason));
        }
        self.lines.push(line);
    }
}

/// Orders a trace of format 1.26. `name` is for the file, see above.
fn order(name: &str, text: &str) -> Ordered {
    let trace = parse_text(&format!("Trace Go1.26\n{text}"))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let bytes = trace.to_bytes();
    if let Some(folder) = std::env::var_os("GOTRACE_SCHEDULER_TRACES") {
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.trace")), &bytes)
            .unwrap();
    }
    let reader = TraceReader::new(source::from_reader(Cursor::new(bytes), None).unwrap()).unwrap();
    let mut ordered = Ordered { lines: Vec::new(), diagnostics: Vec::new() };
    let outcome = reader.read(&mut ordered);
    ordered.diagnostics = outcome.diagnostics.finish();
    ordered
}

/// Orders one generation, given its event batches and tables, which must give exactly these events.
fn check(name: &str, body: &str, want: &[&str]) -> Vec<Diagnostic> {
    let ordered = order(name, &generation(1, body));
    let (first, rest) = ordered.lines.split_first().unwrap();
    let (last, events) = rest.split_last().unwrap();
    assert!(first.ends_with("generation 1") && last.ends_with("end"), "{first}, {last}");
    assert_eq!(events, want, "{:?}", ordered.diagnostics);
    ordered.diagnostics
}

/// A generation of format 1.26: its clock, its batches, its end.
fn generation(number: u64, body: &str) -> String {
    format!(
        "EventBatch gen={number} m=-1 time=1
         Sync
         Frequency freq=1000000000
         ClockSnapshot dt=0 mono=1 sec=0 nsec=1
         {body}
         EndOfGeneration\n"
    )
}

#[test]
fn steal_from_self_acts_like_stop() {
    let diagnostics = check(
        "steal_from_self",
        "EventBatch gen=1 m=7 time=100
         ProcStatus dt=0 p=0 pstatus=1
         GoStatus dt=1 g=1 m=7 gstatus=2
         GoSyscallBegin dt=1 p_seq=1 stack=0
         ProcSteal dt=1 p=0 p_seq=2 m=7
         GoSyscallEndBlocked dt=1
         ProcStart dt=1 p=0 p_seq=3
         GoStart dt=1 g=1 g_seq=1",
        &[
            "100 m7 p- g- ProcStatus: p0 Undetermined->Running",
            "101 m7 p0 g- GoStatus: g1 Undetermined->Running",
            "102 m7 p0 g1 GoSyscallBegin: g1 Running->Syscall",
            "103 m7 p0 g1 ProcSteal: p0 Running->Idle",
            "104 m7 p- g1 GoSyscallEndBlocked: g1 Syscall->Runnable",
            "105 m7 p- g- ProcStart: p0 Idle->Running",
            "106 m7 p0 g- GoStart: g1 Runnable->Running",
        ],
    );
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
}

#[test]
fn syscall_end_blocked_waits_for_its_proc_to_be_stolen() {
    // The thief's clock is behind: by the times alone the call would end before the proc is lost.
    check(
        "end_blocked_waits",
        "EventBatch gen=1 m=7 time=100
         ProcStatus dt=0 p=0 pstatus=1
         GoStatus dt=1 g=1 m=7 gstatus=2
         GoSyscallBegin dt=1 p_seq=1 stack=0
         GoSyscallEndBlocked dt=1
         EventBatch gen=1 m=8 time=100
         ProcStatus dt=50 p=1 pstatus=1
         ProcSteal dt=1 p=0 p_seq=2 m=7
         ProcStop dt=1",
        &[
            "100 m7 p- g- ProcStatus: p0 Undetermined->Running",
            "101 m7 p0 g- GoStatus: g1 Undetermined->Running",
            "102 m7 p0 g1 GoSyscallBegin: g1 Running->Syscall",
            "150 m8 p- g- ProcStatus: p1 Undetermined->Running",
            "151 m8 p1 g- ProcSteal: p0 Running->Idle",
            "152 m7 p- g1 GoSyscallEndBlocked: g1 Syscall->Runnable",
            "153 m8 p1 g- ProcStop: p1 Running->Idle",
        ],
    );
}

#[test]
fn a_proc_is_started_only_after_it_was_stolen_whatever_the_clocks_say() {
    check(
        "start_after_steal",
        "EventBatch gen=1 m=7 time=100
         ProcStatus dt=0 p=0 pstatus=1
         GoStatus dt=1 g=1 m=7 gstatus=2
         GoSyscallBegin dt=1 p_seq=1 stack=0
         EventBatch gen=1 m=9 time=100
         ProcStart dt=5 p=0 p_seq=3
         EventBatch gen=1 m=8 time=100
         ProcSteal dt=20 p=0 p_seq=2 m=7",
        &[
            "100 m7 p- g- ProcStatus: p0 Undetermined->Running",
            "101 m7 p0 g- GoStatus: g1 Undetermined->Running",
            "102 m7 p0 g1 GoSyscallBegin: g1 Running->Syscall",
            "120 m8 p- g- ProcSteal: p0 Running->Idle",
            "121 m9 p- g- ProcStart: p0 Idle->Running",
        ],
    );
}

#[test]
fn sequence_numbers_order_what_three_threads_do_to_one_goroutine() {
    // Thread 9 wakes the goroutine first (1), thread 7 runs it (2) until it blocks, thread 8 wakes
    // it again (3). The clocks claim the reverse.
    check(
        "sequence_numbers",
        "EventBatch gen=1 m=7 time=100
         ProcStatus dt=0 p=0 pstatus=1
         GoStatus dt=1 g=5 m=-1 gstatus=4
         GoStart dt=1 g=5 g_seq=2
         GoBlock dt=1 reason_string=1 stack=0
         EventBatch gen=1 m=8 time=100
         GoUnblock dt=2 g=5 g_seq=3 stack=0
         EventBatch gen=1 m=9 time=100
         GoUnblock dt=90 g=5 g_seq=1 stack=0
         EventBatch gen=1 m=-1 time=100
         Strings
         String id=1
           data=\"chan receive\"",
        &[
            "100 m7 p- g- ProcStatus: p0 Undetermined->Running",
            "101 m7 p0 g- GoStatus: g5 Undetermined->Waiting",
            "190 m9 p- g- GoUnblock: g5 Waiting->Runnable",
            "191 m7 p0 g- GoStart: g5 Runnable->Running",
            "192 m7 p0 g5 GoBlock: g5 Running->Waiting \"chan receive\"",
            "193 m8 p- g- GoUnblock: g5 Waiting->Runnable",
        ],
    );
}

#[test]
fn a_coroutine_switch_gives_three_events() {
    check(
        "coroutine_switch",
        "EventBatch gen=1 m=7 time=100
         ProcStatus dt=0 p=0 pstatus=1
         GoStatus dt=1 g=1 m=7 gstatus=2
         GoCreateBlocked dt=1 new_g=2 new_stack=0 stack=0
         GoSwitch dt=10 g=2 g_seq=1
         GoSwitchDestroy dt=10 g=1 g_seq=1",
        &[
            "100 m7 p- g- ProcStatus: p0 Undetermined->Running",
            "101 m7 p0 g- GoStatus: g1 Undetermined->Running",
            "102 m7 p0 g1 GoCreateBlocked: g2 NotExist->Waiting",
            "112 m7 p0 g1 GoSwitch: g2 Waiting->Runnable",
            "113 m7 p0 g1 GoBlock: g1 Running->Waiting",
            "114 m7 p0 g- GoStart: g2 Runnable->Running",
            "122 m7 p0 g2 GoSwitchDestroy: g1 Waiting->Runnable",
            "123 m7 p0 g2 GoDestroy: g2 Running->NotExist",
            "124 m7 p0 g- GoStart: g1 Runnable->Running",
        ],
    );
}

#[test]
fn a_region_ended_out_of_order_is_a_diagnostic_only() {
    // Go's reader refuses the whole trace at the first end.
    let diagnostics = check(
        "region_out_of_order",
        "EventBatch gen=1 m=7 time=100
         ProcStatus dt=0 p=0 pstatus=1
         GoStatus dt=1 g=1 m=7 gstatus=2
         UserRegionBegin dt=1 task=0 name_string=1 stack=0
         UserRegionBegin dt=1 task=0 name_string=2 stack=0
         UserRegionEnd dt=1 task=0 name_string=1 stack=0
         UserRegionEnd dt=1 task=0 name_string=2 stack=0
         GoStop dt=1 reason_string=0 stack=0
         EventBatch gen=1 m=-1 time=100
         Strings
         String id=1
           data=\"outer\"
         String id=2
           data=\"inner\"",
        &[
            "100 m7 p- g- ProcStatus: p0 Undetermined->Running",
            "101 m7 p0 g- GoStatus: g1 Undetermined->Running",
            "102 m7 p0 g1 UserRegionBegin",
            "103 m7 p0 g1 UserRegionBegin",
            "104 m7 p0 g1 UserRegionEnd",
            "105 m7 p0 g1 UserRegionEnd",
            "106 m7 p0 g1 GoStop: g1 Running->Runnable",
        ],
    );
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    assert_eq!(
        (diagnostics[0].code, diagnostics[0].code.severity()),
        (Code::RegionMisuse, Severity::Warning)
    );
    assert!(
        diagnostics[0].message.contains("\"outer\" ended while \"inner\""),
        "{}",
        diagnostics[0]
    );
}

#[test]
fn a_goroutine_in_a_system_call_is_listed_by_another_thread_and_counts_for_its_own() {
    check(
        "syscall_listed_by_another",
        "EventBatch gen=1 m=7 time=100
         ProcStatus dt=0 p=0 pstatus=1
         GoStatus dt=1 g=9 m=8 gstatus=3
         EventBatch gen=1 m=8 time=100
         GoSyscallEndBlocked dt=50",
        &[
            "100 m7 p- g- ProcStatus: p0 Undetermined->Running",
            "101 m8 p0 g- GoStatus: g9 Undetermined->Syscall",
            "150 m8 p- g9 GoSyscallEndBlocked: g9 Syscall->Runnable",
        ],
    );
}

#[test]
fn a_c_thread_that_leaves_go_loses_its_proc_to_nobody() {
    // Thread 7 is gone with p0; its number is used again at once, by a thread with p1. The later
    // steal names thread 7 and must not take p1 from the new one.
    check(
        "c_thread_leaves",
        "EventBatch gen=1 m=7 time=100
         GoCreateSyscall dt=0 new_g=4
         GoSyscallEndBlocked dt=1
         ProcStatus dt=1 p=0 pstatus=2
         ProcStart dt=1 p=0 p_seq=1
         GoStart dt=1 g=4 g_seq=1
         GoSyscallBegin dt=1 p_seq=2 stack=0
         GoDestroySyscall dt=1
         EventBatch gen=1 m=7 time=110
         GoCreateSyscall dt=0 new_g=4
         ProcStatus dt=1 p=1 pstatus=2
         GoSyscallEndBlocked dt=1
         ProcStart dt=1 p=1 p_seq=1
         ProcSteal dt=1 p=0 p_seq=3 m=7",
        &[
            "100 m7 p- g- GoCreateSyscall: g4 NotExist->Syscall",
            "101 m7 p- g4 GoSyscallEndBlocked: g4 Syscall->Runnable",
            "102 m7 p- g- ProcStatus: p0 Undetermined->Idle",
            "103 m7 p- g- ProcStart: p0 Idle->Running",
            "104 m7 p0 g- GoStart: g4 Runnable->Running",
            "105 m7 p0 g4 GoSyscallBegin: g4 Running->Syscall",
            "106 m7 p0 g4 ProcSteal: p0 Running->Idle",
            "107 m7 p0 g4 GoDestroySyscall: g4 Syscall->NotExist",
            "110 m7 p- g- GoCreateSyscall: g4 NotExist->Syscall",
            "111 m7 p- g4 ProcStatus: p1 Undetermined->Idle",
            "112 m7 p- g4 GoSyscallEndBlocked: g4 Syscall->Runnable",
            "113 m7 p- g- ProcStart: p1 Idle->Running",
            "114 m7 p1 g- ProcSteal: p0 Idle->Idle",
        ],
    );
}

#[test]
fn an_abandoned_proc_whose_thread_is_known_is_shown_on_that_thread() {
    let ordered = order(
        "abandoned_but_known",
        &(generation(
            1,
            "EventBatch gen=1 m=7 time=100
             ProcStatus dt=0 p=0 pstatus=1
             GoStatus dt=1 g=1 m=7 gstatus=2
             GoSyscallBegin dt=1 p_seq=1 stack=0",
        ) + &generation(
            2,
            "EventBatch gen=2 m=8 time=200
             ProcStatus dt=0 p=0 pstatus=4
             GoStatus dt=1 g=1 m=7 gstatus=3
             ProcSteal dt=1 p=0 p_seq=1 m=7
             EventBatch gen=2 m=7 time=200
             GoSyscallEndBlocked dt=1",
        )),
    );
    assert_eq!(
        ordered.lines[4..],
        [
            "103 generation 2",
            "200 m7 p0 g1 ProcStatus: p0 Running->Running",
            "201 m7 p- g1 GoStatus: g1 Syscall->Syscall",
            "202 m8 p- g- ProcSteal: p0 Running->Idle",
            "203 m7 p- g1 GoSyscallEndBlocked: g1 Syscall->Runnable",
            "204 end",
        ],
        "{:?}",
        ordered.diagnostics
    );
}

#[test]
fn a_goroutine_is_created_by_a_thread_that_runs_none() {
    // The runtime does so for timers and finalizers.
    check(
        "create_without_goroutine",
        "EventBatch gen=1 m=7 time=100
         ProcStatus dt=0 p=0 pstatus=1
         GoCreate dt=1 new_g=5 new_stack=0 stack=0
         GoStart dt=1 g=5 g_seq=1
         GoDestroy dt=1
         GoCreate dt=1 new_g=6 new_stack=0 stack=0",
        &[
            "100 m7 p- g- ProcStatus: p0 Undetermined->Running",
            "101 m7 p0 g- GoCreate: g5 NotExist->Runnable",
            "102 m7 p0 g- GoStart: g5 Runnable->Running",
            "103 m7 p0 g5 GoDestroy: g5 Running->NotExist",
            "104 m7 p0 g- GoCreate: g6 NotExist->Runnable",
        ],
    );
}

#[test]
fn the_end_of_a_gc_waits_for_its_begin() {
    check(
        "gc_sequence",
        "EventBatch gen=1 m=7 time=100
         ProcStatus dt=0 p=0 pstatus=1
         GoStatus dt=1 g=1 m=7 gstatus=2
         GCEnd dt=1 gc_seq=6
         EventBatch gen=1 m=8 time=100
         ProcStatus dt=10 p=1 pstatus=1
         GoStatus dt=1 g=2 m=8 gstatus=2
         GCBegin dt=1 gc_seq=5 stack=0",
        &[
            "100 m7 p- g- ProcStatus: p0 Undetermined->Running",
            "101 m7 p0 g- GoStatus: g1 Undetermined->Running",
            "110 m8 p- g- ProcStatus: p1 Undetermined->Running",
            "111 m8 p1 g- GoStatus: g2 Undetermined->Running",
            "112 m8 p1 g2 GCBegin",
            "113 m7 p0 g1 GCEnd",
        ],
    );
}

#[test]
fn events_that_share_a_time_are_moved_apart_and_keep_the_threads_order() {
    check(
        "same_time",
        "EventBatch gen=1 m=7 time=100
         ProcStatus dt=0 p=0 pstatus=1
         HeapAlloc dt=0 heapalloc_value=1
         HeapAlloc dt=0 heapalloc_value=2
         EventBatch gen=1 m=8 time=100
         ProcStatus dt=0 p=1 pstatus=1",
        &[
            "100 m7 p- g- ProcStatus: p0 Undetermined->Running",
            "101 m7 p0 g- HeapAlloc",
            "102 m7 p0 g- HeapAlloc",
            "103 m8 p- g- ProcStatus: p1 Undetermined->Running",
        ],
    );
}

#[test]
fn a_generation_that_cannot_be_ordered_costs_only_its_rest() {
    let ordered = order(
        "stuck_generation",
        &(generation(
            1,
            "EventBatch gen=1 m=7 time=100
             ProcStatus dt=0 p=0 pstatus=1
             GoStart dt=1 g=5 g_seq=1   # nobody has created it
             GoBlock dt=1 reason_string=0 stack=0",
        ) + &generation(
            2,
            "EventBatch gen=2 m=7 time=200
             ProcStatus dt=0 p=0 pstatus=1
             GoStatus dt=1 g=5 m=7 gstatus=2",
        )),
    );
    assert_eq!(
        ordered.lines,
        [
            "1 generation 1",
            "100 m7 p- g- ProcStatus: p0 Undetermined->Running",
            "gap",
            "101 generation 2",
            "200 m7 p- g- ProcStatus: p0 Undetermined->Running",
            "201 m7 p0 g- GoStatus: g5 Undetermined->Running",
            "202 end",
        ]
    );
    let [loss] = &ordered.diagnostics[..] else { panic!("{:?}", ordered.diagnostics) };
    assert_eq!((loss.code, loss.generation, loss.thread), (Code::CannotAdvance, Some(1), Some(7)));
    assert_eq!(loss.lost_events, Some(2));
    assert!(loss.message.contains("thread 7: GoStart g=5 g_seq=1"), "{}", loss.message);
}

#[test]
fn a_thread_that_contradicts_itself_ends_the_generation() {
    let ordered = order(
        "inconsistent",
        &generation(
            1,
            "EventBatch gen=1 m=7 time=100
             ProcStatus dt=0 p=0 pstatus=1
             GoBlock dt=1 reason_string=0 stack=0",
        ),
    );
    assert_eq!(ordered.lines.len(), 3);
    let [loss] = &ordered.diagnostics[..] else { panic!("{:?}", ordered.diagnostics) };
    assert_eq!((loss.code, loss.lost_events), (Code::InconsistentEvent, Some(1)));
    assert!(loss.message.contains("GoBlock: want a goroutine"), "{}", loss.message);
}

#[test]
fn a_missing_stack_costs_only_itself() {
    let diagnostics = check(
        "missing_stack",
        "EventBatch gen=1 m=7 time=100
         ProcStatus dt=0 p=0 pstatus=1
         GoStatus dt=1 g=1 m=7 gstatus=2
         GoBlock dt=1 reason_string=77 stack=88",
        &[
            "100 m7 p- g- ProcStatus: p0 Undetermined->Running",
            "101 m7 p0 g- GoStatus: g1 Undetermined->Running",
            "102 m7 p0 g1 GoBlock: g1 Running->Waiting",
        ],
    );
    let codes: Vec<Code> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, [Code::MissingStack, Code::MissingString]);
}
