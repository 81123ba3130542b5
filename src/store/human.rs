//! Numbers for people.

/// A duration for people: three significant digits and a unit, as `1.25ms`.
pub fn human_ns(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let size = ns.unsigned_abs();
    let (value, unit) = match size {
        0..1_000 => return format!("{sign}{size}ns"),
        1_000..999_500 => (size as f64 / 1e3, "µs"),
        999_500..999_500_000 => (size as f64 / 1e6, "ms"),
        _ => (size as f64 / 1e9, "s"),
    };
    let digits = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{sign}{value:.digits$}{unit}")
}

/// A number of bytes for people.
pub fn human_bytes(bytes: f64) -> String {
    let (value, unit) = match bytes.abs() {
        size if size < 1024.0 => return format!("{bytes:.0}B"),
        size if size < 1024.0 * 1024.0 => (bytes / 1024.0, "KiB"),
        size if size < 1024.0 * 1024.0 * 1024.0 => (bytes / (1024.0 * 1024.0), "MiB"),
        _ => (bytes / (1024.0 * 1024.0 * 1024.0), "GiB"),
    };
    format!("{value:.1}{unit}")
}
