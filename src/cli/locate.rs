//! What the options say about where sources are.

use crate::profile::{parse_duration, parse_size};
use crate::source::Location;
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
        self.limit(Location::parse(name))
    }

    /// A place, within the bounds of the options.
    pub fn limit(&self, place: Location) -> Location {
        place.with_download(self.max_download, self.max_time)
    }
}

/// A time such as `30s`, above 0.
fn parse_time(text: &str) -> Result<Duration, String> {
    let ns = parse_duration(text).and_then(|ns| u64::try_from(ns).ok()).filter(|&ns| ns > 0);
    ns.map(Duration::from_nanos).ok_or_else(|| "want a duration such as 30s or 10m".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::DownloadLimits;

    #[test]
    fn the_defaults_of_the_options_are_those_of_a_location() {
        assert_eq!(parse_size("4GiB"), Ok(DownloadLimits::default().bytes));
        assert_eq!(parse_time("10m"), Ok(DownloadLimits::default().time));
        assert!(parse_time("0s").is_err() && parse_time("-1s").is_err());
    }
}
