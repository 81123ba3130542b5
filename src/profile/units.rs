//! Units of measurement: conversion, and the form in which values are shown.
//!
//! Source: Go 1.27 pprof `internal/measurement/measurement.go`.

/// A unit: its name as shown, the names it is known by, and how many of the base unit it is.
pub(super) struct Unit {
    name: &'static str,
    aliases: &'static [&'static str],
    factor: f64,
}

/// Units that can be converted into each other.
pub(super) struct Kind {
    units: &'static [Unit],
    /// Spellings that are read beyond those of pprof, in lower case, and how many of the base unit.
    more: &'static [(&'static str, f64)],
    /// The units that are read, for users.
    pub known: &'static str,
    /// What a value is shown in where the wanted unit is of another kind.
    default_name: &'static str,
    default_factor: f64,
}

const fn unit(name: &'static str, aliases: &'static [&'static str], factor: f64) -> Unit {
    Unit { name, aliases, factor }
}

/// From the smallest unit to the largest.
pub(super) static KINDS: &[Kind] = &[
    Kind {
        units: &[
            unit("B", &["b", "byte"], 1.0),
            unit("kB", &["kb", "kbyte", "kilobyte"], 1024.0),
            unit("MB", &["mb", "mbyte", "megabyte"], 1048576.0),
            unit("GB", &["gb", "gbyte", "gigabyte"], 1073741824.0),
            unit("TB", &["tb", "tbyte", "terabyte"], 1099511627776.0),
            unit("PB", &["pb", "pbyte", "petabyte"], 1125899906842624.0),
        ],
        more: &[
            ("k", 1024.0),
            ("kib", 1024.0),
            ("m", 1048576.0),
            ("mib", 1048576.0),
            ("g", 1073741824.0),
            ("gib", 1073741824.0),
            ("t", 1099511627776.0),
            ("tib", 1099511627776.0),
            ("p", 1125899906842624.0),
            ("pib", 1125899906842624.0),
        ],
        known: "B, kB, MB, GB, TB or PB, or KiB, MiB, ...; both are powers of 1024",
        default_name: "B",
        default_factor: 1.0,
    },
    Kind {
        units: &[
            unit("ns", &["ns", "nanosecond"], 1.0),
            unit("us", &["μs", "us", "microsecond"], 1e3),
            unit("ms", &["ms", "millisecond"], 1e6),
            unit("s", &["s", "sec", "second"], 1e9),
            unit("hrs", &["hour", "hr"], 3600e9),
        ],
        more: &[
            // The micro sign; the letter mu is pprof's.
            ("µs", 1e3),
            ("μs", 1e3),
            ("m", 60e9),
            ("min", 60e9),
            ("minute", 60e9),
            ("h", 3600e9),
            ("d", 86400e9),
            ("day", 86400e9),
        ],
        known: "ns, us, ms, s, min, h or d",
        default_name: "s",
        default_factor: 1e9,
    },
    Kind {
        units: &[
            unit("n*GCU", &["nanogcu"], 1e-9),
            unit("u*GCU", &["microgcu"], 1e-6),
            unit("m*GCU", &["milligcu"], 1e-3),
            unit("GCU", &["gcu"], 1.0),
            unit("k*GCU", &["kilogcu"], 1e3),
            unit("M*GCU", &["megagcu"], 1e6),
            unit("G*GCU", &["gigagcu"], 1e9),
            unit("T*GCU", &["teragcu"], 1e12),
            unit("P*GCU", &["petagcu"], 1e15),
        ],
        more: &[],
        known: "GCU, n*GCU, u*GCU, m*GCU, k*GCU, M*GCU, G*GCU, T*GCU or P*GCU",
        default_name: "GCU",
        default_factor: 1.0,
    },
];

impl Kind {
    /// How many of the base unit a unit is, in any spelling that people write.
    pub fn read(&self, written: &str) -> Option<f64> {
        // Prefixes of GCU differ in nothing but their case.
        let shown = self.units.iter().find(|unit| unit.name == written);
        if let Some(unit) = shown.or_else(|| self.find(written)) {
            return Some(unit.factor);
        }
        let lower = written.to_lowercase();
        // A letter alone has no plural: ms are no mebibytes.
        let singular = lower.strip_suffix('s').filter(|rest| rest.len() > 1).unwrap_or(&lower);
        self.more.iter().find(|(name, _)| *name == lower || *name == singular).map(|found| found.1)
    }

    /// The unit that pprof finds under a name.
    pub fn find(&self, name: &str) -> Option<&Unit> {
        let mut name = name.to_lowercase();
        if name.len() > 2 && name.ends_with('s') {
            name.pop();
        }
        self.units.iter().find(|unit| unit.aliases.contains(&&*name))
    }

    fn convert(&self, value: i64, from: &str, to: &str) -> Option<(f64, &'static str)> {
        let base = value as f64 * self.find(from)?.factor;
        let default = (base / self.default_factor, self.default_name);
        if to == "minimum" || to == "auto" {
            // The largest unit of which it is at least one.
            let fitting = self.units.iter().rfind(|unit| base / unit.factor >= 1.0);
            return Some(fitting.map_or(default, |unit| (base / unit.factor, unit.name)));
        }
        Some(self.find(to).map_or(default, |unit| (base / unit.factor, unit.name)))
    }
}

/// Converts a value into another unit. The unit that comes back is the one it is in then; it is
/// empty where there is nothing to say. `auto` and `minimum` choose the unit that fits.
pub fn scale<'a>(value: i64, from: &str, to: &'a str) -> (f64, &'a str) {
    if value < 0 && value != i64::MIN {
        let (value, unit) = scale(-value, from, to);
        return (-value, unit);
    }
    if let Some(converted) = KINDS.iter().find_map(|kind| kind.convert(value, from, to)) {
        return converted;
    }
    match to {
        "count" | "sample" | "unit" | "minimum" | "auto" => (value as f64, ""),
        _ => (value as f64, to),
    }
}

/// The name under which pprof knows a unit that values in `from` are to be shown in. The error says
/// what comes of one that does not fit, for users.
pub fn shown_unit<'a>(from: &str, wanted: &'a str) -> Result<&'a str, String> {
    if matches!(wanted, "auto" | "minimum" | "count" | "sample" | "unit") {
        return Ok(wanted);
    }
    let Some(kind) = KINDS.iter().find(|kind| kind.find(from).is_some()) else {
        return Err(format!("'{wanted}' is put behind plain numbers; the values are in {from}"));
    };
    if kind.find(wanted).is_some() {
        return Ok(wanted);
    }
    let factor = kind.read(wanted);
    let found = kind.units.iter().find(|unit| Some(unit.factor) == factor);
    found.map(|unit| unit.name).ok_or_else(|| {
        let (known, default) = (kind.known, kind.default_name);
        format!("'{wanted}' is no unit for values in {from} ({known}); they are shown in {default}")
    })
}

/// The value with its unit, in the unit that fits.
pub fn label(value: i64, unit: &str) -> String {
    scaled_label(value, unit, "auto")
}

/// The value with its unit, in the unit `to`: two decimals, or none if they are zeros.
pub fn scaled_label(value: i64, from: &str, to: &str) -> String {
    let (value, unit) = scale(value, from, to);
    let text = format!("{value:.2}");
    let text = text.strip_suffix(".00").unwrap_or(&text);
    if text == "0" || text == "-0" { "0".into() } else { format!("{text}{unit}") }
}

/// The share of a value in a total, at least two digits, six characters wide.
pub fn percentage(value: i64, total: i64) -> String {
    let ratio = if total == 0 { 0.0 } else { (value as f64 / total as f64).abs() * 100.0 };
    if (99.95..=100.05).contains(&ratio) {
        "  100%".into()
    } else if ratio >= 1.0 {
        format!("{ratio:5.2}%")
    } else {
        format!("{:>5}%", two_digits(ratio))
    }
}

/// What Go's `%.2g` makes of a number from 0 to below 1.
fn two_digits(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".into() } else { "+Inf".into() };
    }
    // The exponent after rounding to two digits, as %e has it.
    let text = format!("{value:.1e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if exponent < -4 {
        format!("{}e-{:02}", trim(digits), -exponent)
    } else {
        trim(&format!("{value:.*}", (1 - exponent).max(0) as usize))
    }
}

/// Whether values of these two types may be added: equal names but for an `s` at the end, and
/// units that convert.
pub fn are_compatible(kinds: [&str; 2], units: [&str; 2]) -> bool {
    let plain = |kind: &str| kind.strip_suffix('s').unwrap_or(kind).to_owned();
    plain(kinds[0]) == plain(kinds[1])
        && (units[0] == units[1]
            || KINDS.iter().any(|kind| units.iter().all(|unit| kind.find(unit).is_some())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_have_the_form_of_go() {
        for (value, total, want) in [
            (0, 0, "    0%"),
            (1, 1, "  100%"),
            (1, 3, "33.33%"),
            (1, 100, " 1.00%"),
            (1, 1000, "  0.1%"),
            (15, 10_000, " 0.15%"),
            (123, 1_000_000, "0.012%"),
            (1, 10_000_000, "1e-05%"),
            (99951, 100_000, "  100%"),
            (999, 100_000, "    1%"),
            (-5, 10, "50.00%"),
        ] {
            assert_eq!(percentage(value, total), want, "{value} of {total}");
        }
    }

    #[test]
    fn a_unit_of_any_spelling_is_shown_under_its_name_of_pprof() {
        assert_eq!(shown_unit("bytes", "KiB"), Ok("kB"));
        assert_eq!(shown_unit("bytes", "kilobytes"), Ok("kilobytes"));
        assert_eq!(shown_unit("nanoseconds", "h"), Ok("hrs"));
        assert!(shown_unit("nanoseconds", "min").unwrap_err().contains("shown in s"));
        assert!(shown_unit("bytes", "ms").unwrap_err().contains("kB, MB"));
        assert!(shown_unit("count", "ms").unwrap_err().contains("plain numbers"));
        assert_eq!(shown_unit("count", "minimum"), Ok("minimum"));
    }

    #[test]
    fn values_are_shown_in_the_unit_that_fits() {
        assert_eq!(label(1536, "bytes"), "1.50kB");
        assert_eq!(label(1_000_000_000, "nanoseconds"), "1s");
        assert_eq!(label(-2048, "bytes"), "-2kB");
        assert_eq!(label(7, "count"), "7");
        assert_eq!(label(7, "widgets"), "7");
        assert_eq!(scaled_label(7, "widgets", "gadgets"), "7gadgets");
        assert_eq!(scaled_label(1 << 20, "bytes", "kb"), "1024kB");
        assert_eq!(scaled_label(1, "bytes", "mb"), "0");
        assert_eq!(scale(90_000, "ms", "parsecs"), (90.0, "s"));
        assert_eq!(label(0, "nanoseconds"), "0");
    }
}
