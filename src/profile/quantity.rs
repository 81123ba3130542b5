//! Numbers with units, as people write them: the one reader of sizes, durations and thresholds.
//!
//! Every spelling that gotrace, `go tool pprof` or Go's own `Duration` prints is read, and what was
//! printed means the same when it is typed back. So `kB`, `KB`, `KiB` and `k` are all 1024 bytes: pprof
//! prints powers of 1024 as kB, MB and GB, gotrace prints them as KiB, MiB and GiB, and nothing prints
//! powers of 1000.

use super::units::{KINDS, Kind};

/// A number in the wanted unit.
struct Quantity {
    real: f64,
    /// The same without rounding, if number and unit are whole.
    exact: Option<i128>,
    has_unit: bool,
}

impl Quantity {
    /// Reads `text` for values in `unit`, in which plain numbers are. Times may have several parts, as
    /// Go prints them: `1m30.5s`.
    fn read(text: &str, unit: &str) -> Result<Self, String> {
        let text = text.trim();
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let mut quantity = Quantity { real: 0.0, exact: Some(0), has_unit: false };
        let mut rest = unsigned;
        while !rest.is_empty() || rest.len() == unsigned.len() {
            let is_number = |c: char| c.is_ascii_digit() || c == '.';
            let (number, after) = rest.split_at(rest.find(|c| !is_number(c)).unwrap_or(rest.len()));
            let Ok(real) = number.parse::<f64>() else {
                return Err(format!("want a number with a unit, got '{text}'"));
            };
            let (written, after) = after.split_at(after.find(is_number).unwrap_or(after.len()));
            let written = written.trim();
            let is_one = rest.len() == unsigned.len() && after.is_empty();
            let factor = (is_one || !written.is_empty() && is_time(unit))
                .then(|| factor(written, unit))
                .flatten()
                .ok_or_else(|| format!("'{}' does not fit; {}", written, wanted(unit)))?;
            quantity.real += real * factor;
            quantity.has_unit |= !written.is_empty();
            quantity.exact = (number.parse::<i64>().ok().filter(|_| factor.fract() == 0.0))
                .zip(quantity.exact)
                .map(|(number, sum)| sum.saturating_add(i128::from(number) * factor as i128));
            rest = after;
        }
        if text.starts_with('-') {
            quantity.real = -quantity.real;
            quantity.exact = quantity.exact.map(|exact| -exact);
        }
        Ok(quantity)
    }

    /// The nearest whole number; `None` if it does not fit, and for a
    /// fraction without a unit.
    fn whole(&self) -> Option<i64> {
        match self.exact {
            Some(exact) => i64::try_from(exact).ok(),
            None => (self.has_unit && self.real.abs() < 9e18).then(|| self.real.round() as i64),
        }
    }
}

fn is_time(unit: &str) -> bool {
    kind_of(unit).is_some_and(|kind| kind.read("ns").is_some())
}

fn kind_of(unit: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.find(unit).is_some())
}

/// How many of `unit` one of the unit `written` is; `None` if it is not known or of another kind.
fn factor(written: &str, unit: &str) -> Option<f64> {
    if written.is_empty() {
        return Some(1.0);
    }
    if let Some(kind) = kind_of(unit) {
        return Some(kind.read(written)? / kind.read(unit)?);
    }
    // What no kind has is counted: in its own name, or in the words that pprof takes for any.
    let plain = |name: &str| name.trim_end_matches('s').to_lowercase();
    let is_same = plain(written) == plain(unit);
    (is_same || ["count", "sample", "unit"].contains(&&*plain(written))).then_some(1.0)
}

/// Which units fit, for users.
fn wanted(unit: &str) -> String {
    match kind_of(unit) {
        Some(kind) => format!("the values are in {unit}: want {}", kind.known),
        None if unit.is_empty() => "want a plain number".into(),
        None => format!("the values are in {unit}: want a plain number"),
    }
}

/// The value of `text` in `unit`, the unit of a sample type: `64kB`, `1.5 GiB`, `2s`, `20`. The error is
/// for users and names the units that fit.
pub fn parse_quantity(text: &str, unit: &str) -> Result<f64, String> {
    Quantity::read(text, unit).map(|quantity| quantity.real)
}

/// Nanoseconds of `1.5ms`, `2s`, `10us`, `1min`, `1h`, or of a plain integer.
pub fn parse_duration(text: &str) -> Option<i64> {
    // Whoever writes 1.5 means seconds or milliseconds; there is no half of a nanosecond.
    if !text.contains(char::is_alphabetic) && text.contains('.') {
        return None;
    }
    Quantity::read(text, "nanoseconds").ok()?.whole()
}

/// Bytes of `4GiB`, `500MB`, `64k` or of a plain integer. The error is for users.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wanted = "want a size such as 500MB or 4GiB";
    let read = Quantity::read(text, "bytes").map_err(|error| format!("{wanted}: {error}"))?;
    let bytes = read.whole().and_then(|bytes| u64::try_from(bytes).ok());
    bytes.ok_or_else(|| format!("{wanted}, got '{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::units;

    #[test]
    fn what_is_printed_means_the_same_when_it_is_read() {
        for unit in ["bytes", "kilobytes", "nanoseconds", "ms", "seconds", "GCU", "count"] {
            for value in [1, 7, 999, 1024, 65_536, 3 << 20, 5 << 30, 7 << 40, 3_600_000_000_000] {
                let label = units::label(value, unit);
                let read = parse_quantity(&label, unit).unwrap_or_else(|error| panic!("{error}"));
                let back = units::label(read.round() as i64, unit);
                assert_eq!(back, label, "{value} {unit}");
            }
        }
        for (text, unit, want) in [
            ("512.05kB", "bytes", 524_339.2),
            ("2.5KiB", "bytes", 2560.0),
            ("1.00GB", "bytes", 1073741824.0),
            ("2 megabytes", "bytes", 2097152.0),
            ("1PiB", "B", 1125899906842624.0),
            ("23.4µs", "nanoseconds", 23_400.0),
            ("23.4μs", "nanoseconds", 23_400.0),
            ("1.50hrs", "seconds", 5400.0),
            ("2min", "ms", 120_000.0),
            ("3 days", "hours", 72.0),
            ("-1h0m1.5s", "seconds", -3601.5),
            ("5m*GCU", "GCU", 0.005),
            ("5M*GCU", "gcus", 5e6),
            ("-4.5", "count", -4.5),
            ("3 bananas", "banana", 3.0),
        ] {
            let read = parse_quantity(text, unit).unwrap();
            assert!((read - want).abs() <= want.abs() * 1e-12, "{text} in {unit}: {read}");
        }
    }

    #[test]
    fn a_unit_that_is_not_known_or_does_not_fit_is_refused_with_those_that_do() {
        for (text, unit, says) in [
            ("1xyz", "nanoseconds", "ns, us, ms, s, min, h or d"),
            ("1KB", "nanoseconds", "ns, us"),
            ("1s", "bytes", "kB, MB, GB"),
            ("3 bananas", "count", "plain number"),
            ("3ms", "count", "plain number"),
            ("3%", "bytes", "kB"),
            ("1e9", "bytes", "kB"),
            ("", "bytes", "want a number"),
            ("kB", "bytes", "want a number"),
            ("1-2", "bytes", "'-'"),
            ("1MB5kB", "bytes", "'MB'"),
            ("1m30", "seconds", "''"),
            (".", "", "want a number"),
            ("infs", "seconds", "want a number"),
        ] {
            let error = parse_quantity(text, unit).unwrap_err();
            assert!(error.contains(says), "{text} in {unit}: {error}");
        }
    }

    #[test]
    fn durations_and_sizes_are_read_with_their_units() {
        assert_eq!(parse_duration("1500"), Some(1500));
        assert_eq!(parse_duration("9223372036854775807"), Some(i64::MAX));
        assert_eq!(parse_duration("1.5ms"), Some(1_500_000));
        assert_eq!(parse_duration("-2s"), Some(-2_000_000_000));
        assert_eq!(parse_duration("1m"), Some(60_000_000_000));
        assert_eq!(parse_duration("1h"), Some(3_600_000_000_000));
        for text in ["1x", "ms", "99999999999999h", "", "1MB", "1.5"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
        assert_eq!(parse_size("4GiB"), Ok(4 << 30));
        assert_eq!(parse_size("500 MB"), Ok(500 << 20));
        assert_eq!((parse_size("64k"), parse_size("7")), (Ok(65536), Ok(7)));
        assert_eq!(parse_size("1.5G"), Ok(3 << 29));
        for text in ["", "GiB", "-1", "4 parsecs", "99999999999TiB", "5s"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
