//! What the options say about where sources are.

use crate::source::Location;
use crate::store::parse_duration;
use clap::Args;
use std::ffi::OsStr;
use std::time::Duration;

#[derive(Args)]
pub struct SourceOptions {
    /// Most bytes to take from a URL
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = parse_size, hide_short_help = true)]
    max_download: u64,
    /// Longest time that a download may take, besides what a recording takes
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_time, hide_short_help = true)]
    max_time: Duration,
}

impl SourceOptions {
    /// The place that the user named.
    pub fn locate(&self, name: impl AsRef<OsStr>) -> Location {
        Location::parse(name).with_download(self.max_download, self.max_time)
    }
}

/// A time such as `30s`, above 0.
fn parse_time(text: &str) -> Result<Duration, String> {
    let ns = parse_duration(text).and_then(|ns| u64::try_from(ns).ok()).filter(|&ns| ns > 0);
    ns.map(Duration::from_nanos).ok_or_else(|| "want a duration such as 30s or 10m".into())
}

/// Bytes of `4GiB`, `500MB`, `64k` or a plain number.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let scale: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err("want a size such as 500MB or 4GiB".into()),
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(scale));
    bytes.ok_or_else(|| "want a size such as 500MB or 4GiB".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::DownloadLimits;

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(parse_size("4GiB"), Ok(DownloadLimits::default().bytes));
        assert_eq!(parse_time("10m"), Ok(DownloadLimits::default().time));
        assert!(parse_time("0s").is_err() && parse_time("-1s").is_err());
        assert_eq!(parse_size("500 MB"), Ok(500_000_000));
        assert_eq!((parse_size("64k"), parse_size("7")), (Ok(65536), Ok(7)));
        for text in ["", "GiB", "-1", "1.5G", "4 parsecs", "99999999999TiB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
