//! Points in time as users name them, and what lies between two of them.

use crate::order::Sync;

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

/// A part of a trace, on its own clock: at or after `from`, before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeBounds {
    /// First moment that belongs to it; the lowest number for no bound.
    pub from: i64,
    /// First moment behind it; the highest number for no bound.
    pub to: i64,
}

impl TimeBounds {
    /// The whole trace.
    pub const ALL: TimeBounds = TimeBounds { from: i64::MIN, to: i64::MAX };

    /// The bounds in a trace that starts with `sync`; `None` if a wall time is asked for and the
    /// trace does not tell any.
    pub fn resolve(from: Option<Moment>, to: Option<Moment>, sync: &Sync) -> Option<TimeBounds> {
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
        Some(TimeBounds { from: resolve(from, i64::MIN)?, to: resolve(to, i64::MAX)? })
    }

    /// The same bounds in nanoseconds since `start`.
    pub fn since(self, start: i64) -> TimeBounds {
        let shift = |time: i64| match time {
            i64::MIN | i64::MAX => time,
            time => time.saturating_sub(start),
        };
        TimeBounds { from: shift(self.from), to: shift(self.to) }
    }

    /// Whether a moment lies within.
    #[inline(always)]
    pub fn contain(self, time: i64) -> bool {
        time >= self.from && (time < self.to || self.to == i64::MAX)
    }

    /// The part of a span that lies within, if any does.
    #[inline(always)]
    pub fn clip(self, start: i64, end: i64) -> Option<(i64, i64)> {
        let is_within = start < self.to && (end > self.from || (end == start && end == self.from));
        is_within.then(|| (start.max(self.from), end.min(self.to)))
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
    fn spans_are_cut_to_the_bounds_and_left_out_beyond() {
        let bounds = TimeBounds { from: 10, to: 20 };
        assert_eq!(bounds.clip(5, 15), Some((10, 15)));
        assert_eq!(bounds.clip(15, 25), Some((15, 20)));
        assert_eq!(bounds.clip(10, 10), Some((10, 10)));
        for (start, end) in [(5, 10), (20, 25), (0, 0), (20, 20)] {
            assert_eq!(bounds.clip(start, end), None, "{start}..{end}");
        }
        assert_eq!(TimeBounds::ALL.clip(-5, i64::MAX), Some((-5, i64::MAX)));
        assert!(bounds.contain(10) && !bounds.contain(20) && TimeBounds::ALL.contain(i64::MAX));
        assert_eq!(TimeBounds::ALL.since(100), TimeBounds::ALL);
        assert_eq!(bounds.since(5), TimeBounds { from: 5, to: 15 });
    }
}
