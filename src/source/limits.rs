//! How much to take from the web, and how long to wait for it.

use std::time::Duration;

/// Bounds of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DownloadLimits {
    /// Longest time to look up the host and connect.
    pub connect: Duration,
    /// Longest time without a byte. What the URL asks for with `seconds=` comes on top, since a
    /// recording sends nothing before it has something.
    pub silence: Duration,
    /// Longest time for everything. What the URL asks for with `seconds=` comes on top.
    pub time: Duration,
    /// Most bytes.
    pub bytes: u64,
    /// Longest time without a byte in all, instead of the above.
    pub patience: Option<Duration>,
}

impl Default for DownloadLimits {
    fn default() -> Self {
        DownloadLimits {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            time: Duration::from_secs(600),
            bytes: 4 << 30,
            patience: None,
        }
    }
}

/// Longest recording that is believed; what asks for more is waited for no longer than that.
const LONGEST_RECORDING: f64 = 86_400.0;

/// How long the server records before it answers a URL, as `net/http/pprof` does: what `seconds=` in
/// the query asks for, else what it takes for a CPU profile or a trace; else nothing.
pub fn recording_time(url: &str) -> Duration {
    let url = url.split('#').next().unwrap_or("");
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let seconds = query.split('&').filter_map(|pair| pair.strip_prefix("seconds=")).next();
    let seconds = seconds.and_then(|seconds| seconds.parse::<f64>().ok());
    let default = match path {
        _ if path.ends_with("/debug/pprof/profile") => 30.0,
        _ if path.ends_with("/debug/pprof/trace") => 1.0,
        _ => 0.0,
    };
    let seconds = seconds.filter(|&seconds| seconds > 0.0).unwrap_or(default);
    Duration::from_secs_f64(seconds.min(LONGEST_RECORDING))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_the_recording_is_waited_for() {
        for (url, want) in [
            ("http://h/debug/pprof/trace?seconds=5", 5.0),
            ("http://h/debug/pprof/trace?debug=1&seconds=0.5#top", 0.5),
            ("http://h/debug/pprof/trace", 1.0),
            ("http://h/debug/pprof/profile?seconds=0", 30.0),
            ("http://h/trace?seconds=-1", 0.0),
            ("http://h/trace?seconds=NaN", 0.0),
            ("http://h/trace?seconds=1e300", LONGEST_RECORDING),
            ("http://h/seconds=7", 0.0),
        ] {
            assert_eq!(recording_time(url).as_secs_f64(), want, "{url}");
        }
    }
}
