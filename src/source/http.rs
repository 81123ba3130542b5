//! Sources on the web: `http://host:6060/debug/pprof/trace?seconds=5` and the like.
//!
//! Comes in: a URL. Goes out: the body of the answer as a reader. A server may be slow, silent,
//! endless or of another kind, so there are bounds for the time to connect, for the time
//! without a byte, and for the length; and an answer that is no success is told with its first line.

use super::{DownloadLimits, Source, SourceError, from_reader, recording_time};
use std::io::{self, Read};
use std::time::Duration;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, BodyReader, Error};

/// How much of an answer that is no success is read.
const EXPLANATION_BYTES: u64 = 4096;

/// Asks for `url`, and unpacks what comes.
pub fn open_url(url: &str, limits: DownloadLimits) -> Result<Source, SourceError> {
    let (body, size) = download(url, limits)?;
    from_reader(body, size)
}

/// Asks for `url`. Gives what comes, as it comes, and how much that is if the server says so.
pub fn download(
    url: &str,
    limits: DownloadLimits,
) -> Result<(impl Read + Send + 'static, Option<u64>), SourceError> {
    let refuse = |what: String| SourceError::Open { what };
    check_port(url).map_err(refuse)?;
    let recording = recording_time(url);
    let patience = limits.patience.unwrap_or(limits.silence + recording);
    // A patience that was asked for is never cut short.
    let time = (limits.time + recording).max(limits.patience.unwrap_or_default());
    let agent: Agent = Agent::config_builder()
        .user_agent(concat!("gotrace/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .timeout_resolve(Some(limits.connect))
        .timeout_connect(Some(limits.connect))
        .timeout_send_request(Some(limits.silence))
        .timeout_per_read(Some(patience))
        .timeout_global(Some(time))
        .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
        .build()
        .into();
    let response =
        agent.get(url).call().map_err(|error| refuse(explain(&error, limits, patience, time)))?;
    let status = response.status();
    let body = response.into_body();
    if !status.is_success() {
        return Err(refuse(format!("HTTP status {status}{}", first_line(body))));
    }
    let size = body.content_length();
    if size.is_some_and(|size| size > limits.bytes) {
        return Err(refuse(too_large(limits.bytes)));
    }
    let body = body.into_reader();
    Ok((Limited { body, left: limits.bytes, is_over: false, limits, patience, time }, size))
}

/// Refuses a port that there cannot be, which otherwise would be left out and another one asked.
fn check_port(url: &str) -> Result<(), String> {
    let server = url.split_once("://").map_or(url, |(_, rest)| rest);
    let server = server.split(['/', '?', '#']).next().unwrap_or("");
    let server = server.rsplit_once('@').map_or(server, |(_, server)| server);
    // The colons of an address in brackets are its own.
    let port = server.rsplit(']').next().and_then(|rest| rest.rsplit_once(':'));
    match port {
        Some((_, port)) if !port.is_empty() && !port.parse().is_ok_and(|port: u16| port > 0) => {
            Err(format!("there is no port {port}; ports are 1 to 65535"))
        }
        _ => Ok(()),
    }
}

/// The first line of what a server says about a failure, as the end of a sentence.
fn first_line(body: Body) -> String {
    let mut text = Vec::new();
    // Whatever comes is better than nothing.
    let _ = body.into_reader().take(EXPLANATION_BYTES).read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text);
    match text.lines().map(str::trim).find(|line| !line.is_empty()) {
        // What is printed on a terminal must not control it.
        Some(line) => {
            format!(": {}", line.chars().filter(|c| !c.is_control()).take(300).collect::<String>())
        }
        None => String::new(),
    }
}

fn too_large(limit: u64) -> String {
    format!("the answer is longer than the limit of {limit} bytes; --max-download raises it")
}

/// What a failure means for the user.
fn explain(error: &Error, limits: DownloadLimits, patience: Duration, time: Duration) -> String {
    let seconds = |time: Duration| time.as_secs_f64();
    match error {
        Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
            format!("no connection within {} s", seconds(limits.connect))
        }
        Error::Timeout(ureq::Timeout::PerRead) => {
            format!("nothing came for {} s", seconds(patience))
        }
        Error::Timeout(ureq::Timeout::Global) => {
            format!("not complete after {} s; --max-time raises the limit", seconds(time))
        }
        Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            "connection refused; does the program run, and does it serve net/http/pprof there?"
                .into()
        }
        Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// The body of an answer, up to a length.
struct Limited {
    body: BodyReader<'static>,
    left: u64,
    is_over: bool,
    limits: DownloadLimits,
    patience: Duration,
    time: Duration,
}

impl Read for Limited {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // One byte more than is left tells whether there is more.
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let want = buf.len().min(most.saturating_add(1));
        let got = match self.is_over {
            true => 1,
            false => self.body.read(&mut buf[..want]).map_err(|error| self.explain(error))?,
        };
        self.is_over = got > most;
        if self.is_over && most == 0 {
            return Err(io::Error::other(too_large(self.limits.bytes)));
        }
        // What is within the limit is used before the error is told.
        let kept = got.min(most);
        self.left -= kept as u64;
        Ok(kept)
    }
}

impl Limited {
    fn explain(&self, error: io::Error) -> io::Error {
        let kind = error.kind();
        io::Error::new(kind, explain(&Error::from(error), self.limits, self.patience, self.time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ports_that_can_be_are_asked() {
        for url in ["http://h/x:99999", "http://h:6060", "http://[::1]/", "https://u:p@[::1]:1/"] {
            assert_eq!(check_port(url), Ok(()), "{url}");
        }
        for url in ["http://h:99999/", "http://h:0", "http://[::1]:x/", "http://u:1@h:-1?"] {
            assert!(check_port(url).is_err(), "{url}");
        }
    }
}
