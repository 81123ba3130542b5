//! What the options say about where sources are.

use super::{Result, observer};
use crate::analysis::{self, TRACE, Wanted, place, save_sources};
use crate::profile::{parse_duration, parse_quantity, parse_size};
use crate::source::{Access, Headers, Location, PemFile};
use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

/// Header lines for every URL.
const HEADERS_VARIABLE: &str = "GOTRACE_HEADERS";

/// How sources are read that may be recorded by a server just then.
#[derive(Args)]
pub struct SourceOptions {
    /// How long to record from a URL, in seconds or with a unit; from a server alone 5 s
    #[arg(long, value_name = "N", value_parser = parse_seconds, help_heading = "URLs")]
    seconds: Option<u64>,
    /// Keep what came from a URL in FILE
    #[arg(long, value_name = "FILE", help_heading = "URLs")]
    save: Option<PathBuf>,
    #[command(flatten)]
    urls: UrlOptions,
}

impl SourceOptions {
    /// The place that the user named, or the file that now has what came from it. `force`: whatever is in
    /// that file may be overwritten.
    pub fn locate(&self, name: impl AsRef<OsStr>, force: bool) -> Result<Location> {
        let mut places = [self.place(name.as_ref())];
        self.save(&mut places, force)?;
        let [place] = places;
        Ok(place)
    }

    /// As of [`SourceOptions::locate`]; folders and patterns stand for the recordings in them.
    pub fn locate_all(&self, names: &[impl AsRef<OsStr>], force: bool) -> Result<Vec<Location>> {
        let place = |name: &OsStr| self.place(name);
        let mut places = analysis::places(names, Wanted::Recordings, &*observer(), place)?;
        self.save(&mut places, force)?;
        Ok(places)
    }

    fn place(&self, name: &OsStr) -> Location {
        self.urls.limit(place(name, TRACE, self.seconds))
    }

    fn save(&self, places: &mut [Location], force: bool) -> Result<()> {
        let Some(target) = &self.save else { return Ok(()) };
        save_sources(places, target, force, &*observer())
    }
}

/// How URLs are read.
#[derive(Args)]
pub struct UrlOptions {
    /// Header to send to the servers of URLs, such as 'Authorization: Bearer ...'; or @FILE with a
    /// header on each line; may be repeated
    ///
    /// The environment variable GOTRACE_HEADERS has such lines, too. What is in them is never shown, and goes
    /// to the servers that are named, not to others that they send to.
    #[arg(long = "header", value_name = "HEADER", value_parser = HeaderParser, help_heading = "URLs")]
    headers: Vec<Headers>,
    /// Trust the certificates that the authorities in FILE (PEM) have signed, and no others
    #[arg(long, value_name = "FILE", value_parser = pem_parser(), help_heading = "URLs", hide_short_help = true)]
    tls_ca: Option<PemFile>,
    /// Certificate (PEM) to show to servers
    #[arg(long, value_name = "FILE", value_parser = pem_parser(), help_heading = "URLs", hide_short_help = true)]
    tls_cert: Option<PemFile>,
    /// Its key (PEM), if it is not in the same file
    #[arg(long, value_name = "FILE", value_parser = pem_parser(), requires = "tls_cert", help_heading = "URLs", hide_short_help = true)]
    tls_key: Option<PemFile>,
    /// Most bytes to take from a URL
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = parse_size, help_heading = "URLs", hide_short_help = true)]
    max_download: u64,
    /// Longest time that a download may take, besides what a recording takes
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_time, help_heading = "URLs", hide_short_help = true)]
    max_time: Duration,
}

impl UrlOptions {
    /// A place, within the bounds of the options and with what lets one in.
    pub fn limit(&self, place: Location) -> Location {
        match place {
            url @ Location::Url { .. } => {
                url.with_download(self.max_download, self.max_time).with_access(self.access())
            }
            other => other,
        }
    }

    fn access(&self) -> Access {
        let (mut headers, problem) = match from_environment() {
            Ok(headers) => (headers, None),
            Err(what) => (Headers::default(), Some(format!("{HEADERS_VARIABLE}: {what}"))),
        };
        let mut nearer = Headers::default();
        self.headers.iter().for_each(|headers| nearer.extend(headers.clone()));
        headers.replace_with(&nearer);
        Access {
            headers,
            authorities: self.tls_ca.clone(),
            certificate: self.tls_cert.clone(),
            key: self.tls_key.clone(),
            problem,
        }
    }
}

fn from_environment() -> std::result::Result<Headers, String> {
    match std::env::var_os(HEADERS_VARIABLE) {
        Some(text) => Headers::parse(text.as_encoded_bytes()),
        None => Ok(Headers::default()),
    }
}

fn pem_parser() -> impl TypedValueParser<Value = PemFile> {
    OsStringValueParser::new().try_map(PemFile::read)
}

/// Reads a header, or a file of them. clap would repeat a value that it does not like.
#[derive(Clone)]
struct HeaderParser;

impl TypedValueParser for HeaderParser {
    type Value = Headers;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> std::result::Result<Headers, clap::Error> {
        let refuse = |what: String| {
            clap::Error::raw(ErrorKind::ValueValidation, format!("--header{what}\n"))
                .with_cmd(command)
        };
        let bytes = value.as_encoded_bytes();
        // No name of a header begins so.
        let Some(file) = value.to_str().and_then(|value| value.strip_prefix('@')) else {
            return match Headers::parse(bytes) {
                Ok(headers) if headers == Headers::default() => Err(refuse(": it is empty".into())),
                headers => headers.map_err(|what| refuse(format!(": {what}"))),
            };
        };
        let text = std::fs::read(file).map_err(|error| refuse(format!(" @{file}: {error}")))?;
        Headers::parse(&text).map_err(|what| refuse(format!(" @{file}: {what}")))
    }
}

/// Whole seconds of `30`, `1min`, `500ms`.
pub fn parse_seconds(text: &str) -> std::result::Result<u64, String> {
    let seconds = match parse_duration(text) {
        // As in all other options; only numbers alone are not nanoseconds here.
        Some(ns) if text.parse::<f64>().is_err() => ns as f64 / 1e9,
        _ => parse_quantity(text, "seconds")?,
    };
    let seconds = seconds.ceil();
    (0.0..1e9).contains(&seconds).then_some(seconds as u64).ok_or_else(|| "out of range".into())
}

/// A time such as `30s`, above 0.
fn parse_time(text: &str) -> std::result::Result<Duration, String> {
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
        for (text, want) in [("30", 30), ("1s", 1), ("500ms", 1), ("2m", 120), ("1min", 60)] {
            assert_eq!(parse_seconds(text), Ok(want), "{text}");
        }
        assert!(parse_seconds("-1s").is_err() && parse_seconds("long").is_err());
        assert!(parse_time("0s").is_err() && parse_time("-1s").is_err());
    }
}
