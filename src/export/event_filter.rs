//! Which ordered events to print.
//!
//! All conditions must hold; a condition with several values holds if one of them does.

use super::event_kind::{KINDS, kind_name};
use crate::model::{Moment, TimeBounds};
use crate::order::{Event, Sync, TransitionOf};
use crate::wire::v2::EventType;
use crate::wire::v2::spec::{ALL, Class};

/// The kinds of events to keep.
#[derive(Clone)]
pub struct Kinds {
    is_kept: [bool; 256],
    keeps_sync: bool,
}

impl Kinds {
    /// No kind.
    pub fn none() -> Self {
        Kinds { is_kept: [false; 256], keeps_sync: false }
    }

    /// Adds the events of a kind of Go's API (`StateTransition`) or one wire event (`GoBlock`),
    /// whatever the case; `false` if no ordered event is called so.
    pub fn add(&mut self, name: &str) -> bool {
        if name.eq_ignore_ascii_case("Sync") {
            self.keeps_sync = true;
            return true;
        }
        let mut is_known = false;
        for event in ordered_events() {
            if name.eq_ignore_ascii_case(kind_name(event))
                || name.eq_ignore_ascii_case(event.name())
            {
                self.is_kept[event as usize] = true;
                is_known = true;
            }
        }
        is_known
    }

    /// Every name that [`Kinds::add`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KINDS.into_iter().chain(ordered_events().map(EventType::name))
    }
}

/// The events that can be in a trace's order.
fn ordered_events() -> impl Iterator<Item = EventType> {
    ALL.iter().copied().filter(|event| {
        *event == EventType::CPUSample
            || (event.spec().class != Class::Structural && *event != EventType::ClockSnapshot)
    })
}

/// Conditions. The default keeps everything.
#[derive(Clone, Default)]
pub struct EventFilter {
    /// Nothing before this moment.
    pub from: Option<Moment>,
    /// Nothing at or after this moment.
    pub to: Option<Moment>,
    /// On, or about, one of these goroutines.
    pub goroutines: Vec<i64>,
    /// On, or about, one of these procs.
    pub procs: Vec<i64>,
    /// On one of these threads.
    pub threads: Vec<i64>,
    /// Of one of these kinds.
    pub kinds: Option<Box<Kinds>>,
    /// At most so many events.
    pub limit: Option<u64>,
}

/// `from` and `to` on the trace's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    from: i64,
    to: i64,
}

impl Bounds {
    /// The whole trace.
    pub const ALL: Bounds = Bounds { from: i64::MIN, to: i64::MAX };

    /// Judges a time on the trace's clock.
    #[inline]
    pub fn judge(self, time: i64) -> Verdict {
        match time {
            _ if time < self.from => Verdict::Drop,
            // The last moment there is stands for "no end".
            _ if time >= self.to && self.to != i64::MAX => Verdict::TooLate,
            _ => Verdict::Keep,
        }
    }
}

/// How a time stands to the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Within.
    Keep,
    /// Before them.
    Drop,
    /// Behind them, and so is all that follows, since times increase.
    TooLate,
}

impl EventFilter {
    /// The bounds in a trace that starts with `sync`; `None` if a wall time is asked for and the
    /// trace does not tell any.
    pub fn bounds(&self, sync: &Sync) -> Option<Bounds> {
        let TimeBounds { from, to } = TimeBounds::resolve(self.from, self.to, sync)?;
        Some(Bounds { from, to })
    }

    /// Whether it keeps synchronisation points, which are on no thread, proc or goroutine.
    pub fn keeps_sync(&self) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.keeps_sync)
            && [&self.goroutines, &self.procs, &self.threads].iter().all(|ids| ids.is_empty())
    }

    /// Whether it keeps an event, whatever its time.
    #[inline]
    pub fn keeps(&self, event: &Event) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.is_kept[event.kind as usize])
            && (self.threads.is_empty() || self.threads.contains(&event.thread))
            && (self.goroutines.is_empty() || self.is_of_goroutine(event))
            && (self.procs.is_empty() || self.is_of_proc(event))
    }

    fn is_of_goroutine(&self, event: &Event) -> bool {
        let about = match event.transition() {
            Some(TransitionOf::Goroutine(goid, ..)) => goid,
            _ if event.kind == EventType::GCMarkAssistActive => event.args[0] as i64,
            _ => event.goroutine,
        };
        self.goroutines.contains(&event.goroutine) || self.goroutines.contains(&about)
    }

    fn is_of_proc(&self, event: &Event) -> bool {
        let about = match event.transition() {
            Some(TransitionOf::Proc(proc, ..)) => proc,
            _ if event.kind == EventType::GCSweepActive => event.args[0] as i64,
            _ => event.proc,
        };
        self.procs.contains(&event.proc) || self.procs.contains(&about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_go_by_both_names_in_any_case() {
        let mut kinds = Kinds::none();
        assert!(kinds.add("rangebegin") && kinds.add("GOBLOCK") && kinds.add("sync"));
        let kept: Vec<&str> = ALL
            .iter()
            .filter(|event| kinds.is_kept[**event as usize])
            .map(|event| event.name())
            .collect();
        assert_eq!(kept, ["GoBlock", "STWBegin", "GCBegin", "GCSweepBegin", "GCMarkAssistBegin"]);
        assert!(kinds.keeps_sync);
        for unknown in ["EventBatch", "String", "Bad", "ClockSnapshot", ""] {
            assert!(!kinds.add(unknown), "{unknown}");
        }
        assert!(Kinds::names().all(|name| Kinds::none().add(name)));
    }
}
