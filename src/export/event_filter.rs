//! Which ordered events to print.
//!
//! All conditions must hold; a condition with several values holds if one of them does.

use super::event_kind::{KINDS, kind_name};
use crate::order::{Event, Sync, TransitionOf};
use crate::wire::v2::EventType;
use crate::wire::v2::spec::{ALL, Class};

/// Nanoseconds of a day.
const DAY: i64 = 86_400 * 1_000_000_000;

/// A point in time as users name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nanoseconds since the start of the trace.
    SinceStart(i64),
    /// Nanoseconds since 1970.
    Unix(i64),
    /// Nanoseconds since midnight UTC, of the day that brings it nearest to the trace's start.
    TimeOfDay(i64),
}

impl Moment {
    /// The moment on the trace's clock. `start` is the trace's start on it, `start_unix` on the
    /// wall clock, if that is known; `None` if it is needed and not known.
    pub fn on_trace_clock(self, start: i64, start_unix: Option<i64>) -> Option<i64> {
        let unix = match self {
            Moment::SinceStart(ns) => return Some(start.saturating_add(ns)),
            Moment::Unix(unix) => unix,
            Moment::TimeOfDay(ns) => {
                let start = start_unix?;
                let midnight = start.div_euclid(DAY).saturating_mul(DAY);
                let days = [midnight.saturating_sub(DAY), midnight, midnight.saturating_add(DAY)];
                days.map(|day| day.saturating_add(ns))
                    .into_iter()
                    .min_by_key(|unix| unix.abs_diff(start))
                    .unwrap_or(start)
            }
        };
        Some(start.saturating_add(unix.saturating_sub(start_unix?)))
    }
}

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
        let start_unix = sync.clock.map(|(time, clock)| {
            let unix = (clock.unix_seconds as i64)
                .saturating_mul(1_000_000_000)
                .saturating_add(clock.unix_nanos as i64);
            unix.saturating_sub(time.saturating_sub(sync.time))
        });
        let resolve = |moment: Option<Moment>, default: i64| match moment {
            Some(moment) => moment.on_trace_clock(sync.time, start_unix),
            None => Some(default),
        };
        Some(Bounds { from: resolve(self.from, i64::MIN)?, to: resolve(self.to, i64::MAX)? })
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
    fn a_time_of_day_is_the_one_nearest_to_the_start() {
        let hour = DAY / 24;
        // The trace starts at 23:00 on day 10, and at 500 on its own clock.
        let start_unix = 10 * DAY + 23 * hour;
        let at = |ns| Moment::TimeOfDay(ns).on_trace_clock(500, Some(start_unix));
        assert_eq!(at(23 * hour + 7), Some(507));
        assert_eq!(at(22 * hour), Some(500 - hour));
        assert_eq!(at(hour), Some(500 + 2 * hour));
        assert_eq!(Moment::TimeOfDay(0).on_trace_clock(500, None), None);
        assert_eq!(Moment::Unix(start_unix + 1).on_trace_clock(500, Some(start_unix)), Some(501));
        assert_eq!(Moment::SinceStart(9).on_trace_clock(500, None), Some(509));
        assert_eq!(Moment::SinceStart(i64::MAX).on_trace_clock(500, None), Some(i64::MAX));
    }

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
