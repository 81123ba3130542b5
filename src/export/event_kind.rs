//! What Go's API calls the events and what they are about.
//!
//! Source: Go 1.27 `internal/trace/event.go` (tracev2Type2Kind, Metric, Range).

use crate::order::Event;
use crate::wire::v2::{EventType, Tables};
use std::borrow::Cow;

/// Every kind of ordered event in Go's API.
pub const KINDS: [&str; 14] = [
    "Sync",
    "Metric",
    "Label",
    "StackSample",
    "RangeBegin",
    "RangeActive",
    "RangeEnd",
    "TaskBegin",
    "TaskEnd",
    "RegionBegin",
    "RegionEnd",
    "Log",
    "StateTransition",
    "Experimental",
];

/// The event's kind in Go's API (event.go, tracev2Type2Kind).
pub fn kind_name(event: EventType) -> &'static str {
    use EventType::*;
    match event {
        CPUSample => "StackSample",
        ProcsChange | HeapAlloc | HeapGoal => "Metric",
        GoLabel => "Label",
        STWBegin | GCBegin | GCSweepBegin | GCMarkAssistBegin => "RangeBegin",
        GCActive | GCSweepActive | GCMarkAssistActive => "RangeActive",
        STWEnd | GCEnd | GCSweepEnd | GCMarkAssistEnd => "RangeEnd",
        UserTaskBegin => "TaskBegin",
        UserTaskEnd => "TaskEnd",
        UserRegionBegin => "RegionBegin",
        UserRegionEnd => "RegionEnd",
        UserLog => "Log",
        ProcStart | ProcStop | ProcSteal | ProcStatus | GoCreate | GoCreateSyscall | GoStart
        | GoDestroy | GoDestroySyscall | GoStop | GoBlock | GoUnblock | GoSyscallBegin
        | GoSyscallEnd | GoSyscallEndBlocked | GoStatus | GoStatusStack | GoSwitch
        | GoSwitchDestroy | GoCreateBlocked => "StateTransition",
        Span | SpanAlloc | SpanFree | HeapObject | HeapObjectAlloc | HeapObjectFree
        | GoroutineStack | GoroutineStackAlloc | GoroutineStackFree => "Experimental",
        EventBatch
        | Stacks
        | Stack
        | Strings
        | String
        | CPUSamples
        | Frequency
        | ExperimentalBatch
        | EventType::Sync
        | ClockSnapshot
        | EndOfGeneration => "Bad",
    }
}

/// The metric of `ProcsChange`, `HeapAlloc` and `HeapGoal`, by its name in `runtime/metrics`.
pub fn metric_name(event: EventType) -> &'static str {
    match event {
        EventType::ProcsChange => "/sched/gomaxprocs:threads",
        EventType::HeapAlloc => "/memory/classes/heap/objects:bytes",
        _ => "/gc/heap/goal:bytes",
    }
}

/// The name of the range that an event begins, ends or shows as under way.
pub fn range_name<'a>(event: &Event, tables: &'a Tables) -> Cow<'a, [u8]> {
    use EventType::*;
    Cow::Borrowed(match event.kind {
        STWBegin | STWEnd => {
            let kind = tables.string(event.args[0]).unwrap_or(b"");
            return Cow::Owned([b"stop-the-world (", kind, b")"].concat());
        }
        GCBegin | GCActive | GCEnd => b"GC concurrent mark phase",
        GCSweepBegin | GCSweepActive | GCSweepEnd => b"GC incremental sweep",
        _ => b"GC mark assist",
    })
}

/// What a range is a range of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeScope {
    /// The whole program.
    Global,
    /// A goroutine.
    Goroutine(i64),
    /// A proc.
    Proc(i64),
}

/// What the range of an event is a range of.
pub fn range_scope(event: &Event) -> RangeScope {
    use EventType::*;
    match event.kind {
        GCBegin | GCActive | GCEnd => RangeScope::Global,
        // "Active" events name their subject, because another thread may write them.
        GCSweepActive => RangeScope::Proc(event.args[0] as i64),
        GCSweepBegin | GCSweepEnd => RangeScope::Proc(event.proc),
        GCMarkAssistActive => RangeScope::Goroutine(event.args[0] as i64),
        _ => RangeScope::Goroutine(event.goroutine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::v2::spec::{ALL, Class};

    #[test]
    fn every_event_that_can_be_ordered_has_a_kind_and_every_kind_an_event() {
        let mut seen: Vec<&str> = vec!["Sync"];
        for &event in ALL {
            let kind = kind_name(event);
            if event.spec().class == Class::Structural || event == EventType::ClockSnapshot {
                assert!(kind == "Bad" || event == EventType::CPUSample, "{}", event.name());
                if kind == "Bad" {
                    continue;
                }
            }
            assert!(KINDS.contains(&kind), "{}: {kind}", event.name());
            seen.push(kind);
        }
        assert!(KINDS.iter().all(|kind| seen.contains(kind)));
    }
}
