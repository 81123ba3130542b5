//! Points in time as users write them.

use crate::model::Moment;
use crate::profile::parse_duration;

const SECOND: i64 = 1_000_000_000;

/// Reads a duration since the start (`1.5s`, or nanoseconds as an integer), a time of day in UTC
/// (`12:34:56.789`), or a date and time (RFC 3339; UTC if it names no offset).
pub fn parse_moment(text: &str) -> Option<Moment> {
    let text = text.trim();
    if let Some((date, time)) = text.split_once(['T', 't', ' ']) {
        return date_and_time(date, time).map(Moment::Unix);
    }
    if text.contains(':') {
        return time_of_day(text).map(Moment::TimeOfDay);
    }
    parse_duration(text).filter(|&ns| ns >= 0).map(Moment::SinceStart)
}

/// Nanoseconds since 1970.
fn date_and_time(date: &str, time: &str) -> Option<i64> {
    let mut parts = date.split('-').map(|part| digits(part, 4));
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || day == 0 || day > days_of_month(year, month)? {
        return None;
    }
    let (time, offset) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => (&time[..at], offset_seconds(&time[at..])?),
        None => (time, 0),
    };
    let seconds = days_since_1970(year, month, day).checked_mul(86_400)?.checked_sub(offset)?;
    seconds.checked_mul(SECOND)?.checked_add(time_of_day(time)?)
}

/// Nanoseconds since midnight of `HH:MM`, `HH:MM:SS` or `HH:MM:SS.frac`.
fn time_of_day(text: &str) -> Option<i64> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let mut parts = clock.split(':').map(|part| digits(part, 2));
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = match parts.next() {
        Some(second) => second?,
        None if fraction.is_some() => return None,
        None => 0,
    };
    // 60 is a leap second, which clocks of computers show as the next minute's first.
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let nanos = match fraction {
        Some(fraction) => digits(fraction, 9)? * 10_i64.pow(9 - fraction.len() as u32),
        None => 0,
    };
    Some(((hour * 60 + minute) * 60 + second) * SECOND + nanos)
}

/// Seconds east of UTC of `Z`, `+HH:MM` or `-HH:MM`.
fn offset_seconds(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60)
}

/// A number of 1 to `longest` digits and nothing else.
fn digits(text: &str, longest: usize) -> Option<i64> {
    let is_number =
        !text.is_empty() && text.len() <= longest && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_month(year: i64, month: i64) -> Option<i64> {
    Some(match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    })
}

/// Days since 1970-01-01 in the Gregorian calendar. Years count from March, so that the leap day
/// is the last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (153 * month + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_notations_are_told_apart() {
        assert_eq!(parse_moment("1.5s"), Some(Moment::SinceStart(1_500_000_000)));
        assert_eq!(parse_moment("2500"), Some(Moment::SinceStart(2500)));
        assert_eq!(parse_moment("00:01:02.5"), Some(Moment::TimeOfDay(62_500_000_000)));
        assert_eq!(parse_moment("23:59"), Some(Moment::TimeOfDay(86_340_000_000_000)));
        assert_eq!(parse_moment("1970-01-01T00:00:01Z"), Some(Moment::Unix(1_000_000_000)));
    }

    #[test]
    fn dates_and_offsets_give_unix_time() {
        let unix = |text| match parse_moment(text) {
            Some(Moment::Unix(ns)) => Some(ns),
            _ => None,
        };
        // The pairs are of `date -d TEXT +%s`.
        assert_eq!(unix("2024-02-29T12:34:56.12Z"), Some(1_709_210_096_120_000_000));
        assert_eq!(unix("2024-02-29 12:34:56"), Some(1_709_210_096_000_000_000));
        assert_eq!(unix("2024-02-29T14:34:56+02:00"), Some(1_709_210_096_000_000_000));
        assert_eq!(unix("2024-02-29T07:04:56-05:30"), Some(1_709_210_096_000_000_000));
        assert_eq!(unix("2099-12-31T23:59:59z"), Some(4_102_444_799_000_000_000));
        assert_eq!(unix("1969-12-31T23:59:59.000000005Z"), Some(-999_999_995));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "s",
            "-1s",
            "1.5",
            "soon",
            "25:00",
            "12:60",
            "1:2:3:4",
            "12:00.5",
            "12:00:00.",
            "12:00:00.1234567890",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-01-00T00:00:00Z",
            "2024-01-01T",
            "2024-01-01TZ",
            "2024-01-01T00:00:00+2",
            "2024-01-01T00:00:00+25:00",
            "999999999999999999-01-01T00:00:00Z",
            "é:ü",
            "2024-01T00:00",
        ] {
            assert_eq!(parse_moment(text), None, "{text}");
        }
    }
}
