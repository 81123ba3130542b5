//! Handing out converted events: times, strings the old format has no numbers for, and what is
//! reported once at the end.
//!
//! Source: Go 1.27 `internal/trace/tracev1.go` (init, next) and the time conversion in
//! `tracev1/parser.go` (parse).

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::order::Sink;
use crate::order::event::{Event, GoSlot, NO_SLOT, NONE, Sync};
use crate::order::limits::LONGEST_TRACE;
use crate::wire::header::HEADER_LEN;
use crate::wire::v1::Scan;
use crate::wire::v2::spec::{MAX_ARGS, SHAPES};
use crate::wire::v2::{EventType, Generation};

/// Length of a clock tick if the trace does not say, nanoseconds. The runtime divides its clock by
/// 64 on x86, which gives 16 to 32 ns, and elsewhere takes nanoseconds divided by 16 (Go 1.21
/// `runtime/trace.go`, traceTickDiv).
const ASSUMED_NS_PER_TICK: f64 = 20.0;

/// Reasons and kinds that are part of the event in the old format and strings in the new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Text {
    Forever,
    Preempted,
    Gosched,
    Sleep,
    ChanSend,
    ChanReceive,
    Network,
    Sync,
    SyncCond,
    Select,
    Empty,
    MarkAssistWait,
}

const REASONS: [(Text, &str); 12] = [
    (Text::Forever, "forever"),
    (Text::Preempted, "preempted"),
    (Text::Gosched, "runtime.Gosched"),
    (Text::Sleep, "sleep"),
    (Text::ChanSend, "chan send"),
    (Text::ChanReceive, "chan receive"),
    (Text::Network, "network"),
    (Text::Sync, "sync"),
    (Text::SyncCond, "sync.(*Cond).Wait"),
    (Text::Select, "select"),
    (Text::Empty, ""),
    (Text::MarkAssistWait, "GC mark assist wait for work"),
];

/// Why the world is stopped, by the number Go 1.21 writes.
const STW_KINDS: [&str; 17] = [
    "",
    "GC mark termination",
    "GC sweep termination",
    "write heap dump",
    "goroutine profile",
    "goroutine profile cleanup",
    "all goroutine stack trace",
    "read mem stats",
    "AllThreadsSyscall",
    "GOMAXPROCS",
    "start trace",
    "stop trace",
    "CountPagesInUse (test)",
    "ReadMetricsSlow (test)",
    "ReadMemStatsSlow (test)",
    "PageCachePagesLeaked (test)",
    "ResetDebugLog (test)",
];

/// On what an event happened.
#[derive(Debug, Clone, Copy)]
pub struct Who {
    pub thread: i64,
    pub proc: i64,
    pub goroutine: i64,
    pub slot: GoSlot,
}

impl Who {
    pub const NOBODY: Who = Who { thread: NONE, proc: NONE, goroutine: NONE, slot: NO_SLOT };
}

/// Things that are too many to report one by one.
#[derive(Debug, Default)]
pub struct Tally {
    count: u64,
    first: Option<(u64, String)>,
}

impl Tally {
    /// Counts one; `describe` tells the byte offset near it and what it is.
    pub fn add(&mut self, describe: impl FnOnce() -> (u64, String)) {
        self.count += 1;
        if self.first.is_none() {
            self.first = Some(describe());
        }
    }

    fn report(self, code: Code, what: &str, diagnostics: &mut Diagnostics) {
        let Some((offset, first)) = self.first else {
            return;
        };
        let mut report =
            Diagnostic::new(code, format!("{} {what}; the first: {first}", self.count))
                .at_offset(offset);
        if matches!(code, Code::InconsistentEvent) {
            report.lost_events = Some(self.count);
        }
        diagnostics.push(report);
    }
}

/// What is counted, one report each.
#[derive(Debug, Default)]
pub struct Tallies {
    pub missing_stacks: Tally,
    pub missing_strings: Tally,
    pub backwards: Tally,
    pub assumed: Tally,
    pub dropped: Tally,
    pub ranges: Tally,
    pub too_late: Tally,
}

impl Tallies {
    pub fn report(self, diagnostics: &mut Diagnostics) {
        let all = [
            (self.missing_stacks, Code::MissingStack, "stacks are not defined"),
            (self.missing_strings, Code::MissingString, "strings are not defined"),
            (
                self.backwards,
                Code::TimeBackwards,
                "events are earlier than what had to come before them",
            ),
            (self.assumed, Code::StateAssumed, "states were taken from the next event"),
            (self.dropped, Code::InconsistentEvent, "events could not be used"),
            (self.ranges, Code::RangeMismatch, "range events were left out"),
            (self.too_late, Code::TimeCut, "events are later than any can be"),
        ];
        for (tally, code, what) in all {
            tally.report(code, what, diagnostics);
        }
    }
}

/// The way to the sink.
pub struct Output<'s, S> {
    sink: &'s mut S,
    /// Has the tables; the sink gets to see it at the synchronisation point.
    pub generation: Generation,
    reasons: [u64; REASONS.len()],
    stop_the_world: [u64; STW_KINDS.len()],
    /// Clock ticks at time 0.
    start_ticks: i64,
    ns_per_tick: f64,
    last_time: i64,
    /// Events whose time was cut.
    pub too_late: Tally,
    /// Events handed out, synchronisation points not counted.
    pub events: u64,
    syncs: u64,
}

impl<'s, S: Sink> Output<'s, S> {
    /// Takes over the tables of `scan` and adds the strings the converter needs.
    pub fn new(scan: &mut Scan, sink: &'s mut S, diagnostics: &mut Diagnostics) -> Self {
        let mut generation = Generation::new(1, HEADER_LEN as u64, Vec::new());
        generation.bytes = scan.end.saturating_sub(HEADER_LEN as u64);
        generation.batch_count = scan.batch_count;
        generation.tables = std::mem::take(&mut scan.tables);
        let mut id = scan.free_string_id;
        let mut add = |text: &str| {
            id += 1;
            generation.tables.add_string(id - 1, text.as_bytes());
            id - 1
        };
        let reasons = REASONS.map(|(_, text)| add(text));
        let stop_the_world = STW_KINDS.map(&mut add);
        let ns_per_tick = match scan.ticks_per_second {
            // The same division as Go, so that every time is the same to the last bit.
            Some(ticks) => 1e9 / ticks as i64 as f64,
            None => {
                diagnostics.push(
                    Diagnostic::new(
                        Code::MissingFrequency,
                        format!(
                            "no clock frequency, the recording was not ended; took \
                             {ASSUMED_NS_PER_TICK} ns a tick, times may be off by a factor"
                        ),
                    )
                    .at_offset(scan.end),
                );
                ASSUMED_NS_PER_TICK
            }
        };
        generation.ns_per_tick = ns_per_tick;
        Output {
            sink,
            generation,
            reasons,
            stop_the_world,
            start_ticks: 0,
            ns_per_tick,
            last_time: -1,
            too_late: Tally::default(),
            events: 0,
            syncs: 0,
        }
    }

    /// Begins the trace with an event at `ticks`, which is time 0.
    pub fn begin(&mut self, ticks: i64) {
        self.start_ticks = ticks;
        self.syncs = 1;
        self.sink.sync(&Sync { time: -1, n: 1, clock: None }, Some(&self.generation));
    }

    /// Ends the trace.
    pub fn end(&mut self) {
        self.syncs += 1;
        self.sink.sync(&Sync { time: self.last_time + 1, n: self.syncs, clock: None }, None);
    }

    /// Whether the sink needs no more.
    #[inline(always)]
    pub fn is_done(&self) -> bool {
        self.sink.is_done()
    }

    /// The time of the last event, nanoseconds.
    pub fn last_time(&self) -> i64 {
        self.last_time
    }

    /// The string number of a reason.
    pub fn reason(&self, text: Text) -> u64 {
        self.reasons[text as usize]
    }

    /// The string number of the kind of a stop-the-world.
    pub fn stop_the_world(&self, kind: usize) -> u64 {
        self.stop_the_world.get(kind).copied().unwrap_or(self.stop_the_world[0])
    }

    /// Clock ticks to nanoseconds since the first event, in floating point as Go does it.
    #[inline(always)]
    pub fn time(&self, ticks: i64) -> i64 {
        (ticks.wrapping_sub(self.start_ticks) as f64 * self.ns_per_tick) as i64
    }

    /// Hands out an event. Two events never share a time.
    #[inline(always)]
    pub fn emit(
        &mut self,
        kind: EventType,
        time: i64,
        args: [u64; MAX_ARGS],
        who: Who,
        subject: GoSlot,
    ) {
        // Times count from the first event.
        let time = if time > LONGEST_TRACE { self.cut_time(kind, time) } else { time };
        let time = time.max(self.last_time + 1);
        self.last_time = time;
        self.events += 1;
        let event = Event {
            time,
            kind,
            thread: who.thread,
            proc: who.proc,
            goroutine: who.goroutine,
            slot: who.slot,
            subject,
            args,
        };
        self.sink.event(&event, &self.generation.tables);
    }

    #[cold]
    fn cut_time(&mut self, kind: EventType, time: i64) -> i64 {
        self.too_late.add(|| (HEADER_LEN as u64, format!("{} at {time} ns", kind.name())));
        LONGEST_TRACE
    }

    /// Puts 0 for strings of an event that the trace does not define; whether there were any.
    #[inline(always)]
    pub fn drop_missing_strings(&self, kind: EventType, args: &mut [u64; MAX_ARGS]) -> bool {
        let mut dropped = false;
        for index in SHAPES[kind as usize].string_args {
            if index != 255 && !self.generation.tables.has_string(args[index as usize]) {
                args[index as usize] = 0;
                dropped = true;
            }
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_stands_at_its_own_place() {
        for (place, (text, _)) in REASONS.iter().enumerate() {
            assert_eq!(*text as usize, place);
        }
    }
}
