//! Sources on the web: `http://host:6060/debug/pprof/trace?seconds=5` and the like.
//!
//! Comes in: a URL. Goes out: the body of the answer as a reader. A server may be slow, silent,
//! endless or of another kind, so there are bounds for the time to connect, for the time
//! without a byte, and for the length; and an answer that is no success is told with its first line.
//! ureq would take headers along wherever an answer sends to, so that is followed here.

use super::proxy::Proxies;
use super::target::Target;
use super::{Access, DownloadLimits, Source, SourceError, from_reader, recording_time};
use super::{tls, transport};
use std::io::{self, Read};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(unix)]
use std::path::Path;
#[cfg(unix)]
use std::sync::mpsc::channel;
#[cfg(unix)]
use std::thread;
use std::time::{Duration, Instant};
use ureq::http::header::LOCATION;
use ureq::http::{HeaderName, HeaderValue};
use ureq::{Agent, Body, BodyReader, Error};

/// How much of an answer that is no success is read.
const EXPLANATION_BYTES: u64 = 4096;
/// How often an answer may send to another place.
const MOST_REDIRECTS: usize = 10;

/// Asks for `url`, and unpacks what comes.
pub fn open_url(url: &str, limits: DownloadLimits, access: &Access) -> Result<Source, SourceError> {
    let (body, size) = download(url, limits, access)?;
    from_reader(body, size)
}

/// Asks for `url`. Gives what comes, as it comes, and how much that is if the server says so.
///
/// What `access` holds goes to the server that `url` names: one that it sends to gets neither headers nor
/// a certificate, and shows its own as usual.
pub fn download(
    url: &str,
    limits: DownloadLimits,
    access: &Access,
) -> Result<(impl Read + Send + 'static, Option<u64>), SourceError> {
    let refuse = |what: String| SourceError::Open { what: access.headers.hide(&what) };
    if let Some(problem) = &access.problem {
        return Err(refuse(problem.clone()));
    }
    let named = Target::parse(url).map_err(refuse)?;
    let recording = recording_time(url);
    // A patience that was asked for is never cut short.
    let time = (limits.time + recording).max(limits.patience.unwrap_or_default());
    let patience = limits.patience.unwrap_or(limits.silence + recording);
    let waiting = Waiting { limits, patience, time, since: Instant::now() };
    let mut target = named.clone();
    for _ in 0..=MOST_REDIRECTS {
        let is_named = named.is_same_server(&target);
        let at = |what: String| match target == named {
            true => refuse(what),
            false => refuse(format!("it sends to {}: {what}", target.shown())),
        };
        let (agent, through) = agent(&target, is_named, access, &waiting).map_err(at)?;
        let mut request = agent.get(target.uri.clone());
        for (name, value) in access.headers.iter().filter(|_| is_named) {
            let header = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value));
            let (Ok(name), Ok(mut value)) = header else {
                return Err(refuse(format!("the header {name} cannot be sent")));
            };
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        let response =
            request.call().map_err(|error| at(format!("{}{through}", waiting.explain(&error))))?;
        let status = response.status();
        if let (true, Some(to)) = (status.is_redirection(), response.headers().get(LOCATION)) {
            let next = target.redirected(&String::from_utf8_lossy(to.as_bytes())).map_err(at)?;
            target = match named.is_same_server(&next) {
                true => next.with_user_of(&named),
                false => next,
            };
            continue;
        }
        let body = response.into_body();
        if !status.is_success() {
            return Err(at(format!("HTTP status {status}{}", first_line(body))));
        }
        let size = body.content_length();
        if size.is_some_and(|size| size > limits.bytes) {
            return Err(refuse(too_large(limits.bytes)));
        }
        let body = body.into_reader();
        return Ok((Limited { body, left: limits.bytes, is_over: false, waiting }, size));
    }
    Err(refuse(format!("it sends to other places more than {MOST_REDIRECTS} times")))
}

/// What asks a server, and, for messages, through what.
fn agent(
    target: &Target,
    is_named: bool,
    access: &Access,
    waiting: &Waiting,
) -> Result<(Agent, String), String> {
    let limits = waiting.limits;
    let left = waiting.time.saturating_sub(waiting.since.elapsed());
    let proxy = match &target.socket {
        Some(_) => None,
        None => Proxies::from_env().of(&target.uri)?,
    };
    // Only what is encrypted goes through a tunnel.
    let is_tunnel = |proxy: &ureq::Proxy| {
        use ureq::ProxyProtocol::{Http, Https};
        target.uri.scheme_str() == Some("https") || !matches!(proxy.protocol(), Http | Https)
    };
    let config = Agent::config_builder()
        .user_agent(concat!("gotrace/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        // Where an answer sends to is another server, which may not get the same.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_resolve(Some(limits.connect))
        .timeout_connect(Some(limits.connect))
        .timeout_send_request(Some(limits.silence))
        .timeout_per_read(Some(waiting.patience))
        .timeout_global(Some(left))
        .proxy(proxy.clone().filter(is_tunnel))
        .tls_config(tls::config(access, is_named, target.is_insecure)?)
        .build();
    if let Some(path) = &target.socket {
        #[cfg(unix)]
        {
            let socket = connect(path, limits.connect)
                .map_err(|what| format!("{}: {what}", path.display()))?;
            return Ok((transport::through_socket(config, socket), String::new()));
        }
        #[cfg(not(unix))]
        return Err(format!("{}: this system has no Unix sockets", path.display()));
    }
    let through = match &proxy {
        Some(proxy) => format!(" (through the proxy {}:{})", proxy.host(), proxy.port()),
        None => String::new(),
    };
    let agent = match &proxy {
        Some(proxy) if !is_tunnel(proxy) => transport::asking_proxy(config, proxy),
        _ => config.into(),
    };
    Ok((agent, through))
}

/// Connects to a socket within a time: a program that listens there and never answers lets one wait for ever.
#[cfg(unix)]
fn connect(path: &Path, most: Duration) -> Result<UnixStream, String> {
    let (sender, connected) = channel();
    let path = path.to_owned();
    // It ends with the program if nothing comes of it.
    thread::spawn(move || drop(sender.send(UnixStream::connect(path))));
    match connected.recv_timeout(most) {
        Ok(socket) => socket.map_err(|error| socket_failure(&error)),
        Err(_) => Err(no_connection(most)),
    }
}

fn no_connection(most: Duration) -> String {
    format!("no connection within {} s", most.as_secs_f64())
}

/// Why there is no connection to a socket.
#[cfg(unix)]
fn socket_failure(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such socket".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::ConnectionRefused => {
            "nobody listens there; does the program run, and does it serve net/http/pprof there?"
                .into()
        }
        _ => format!("it cannot be asked: {error}"),
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

/// How long to wait.
#[derive(Clone, Copy)]
struct Waiting {
    limits: DownloadLimits,
    /// Longest time without a byte.
    patience: Duration,
    /// Longest time for everything.
    time: Duration,
    since: Instant,
}

impl Waiting {
    /// What a failure means for the user.
    fn explain(&self, error: &Error) -> String {
        let seconds = |time: Duration| time.as_secs_f64();
        if let Some(error) = tls_failure(error) {
            return tls::explain(error);
        }
        match error {
            Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
                no_connection(self.limits.connect)
            }
            Error::Timeout(ureq::Timeout::PerRead) => {
                format!("nothing came for {} s", seconds(self.patience))
            }
            Error::Timeout(ureq::Timeout::Global) => {
                format!("not complete after {} s; --max-time raises the limit", seconds(self.time))
            }
            Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                "connection refused; does the program run, and does it serve net/http/pprof there?"
                    .into()
            }
            Error::Io(error) => error.to_string(),
            // It would repeat the URL with its password.
            Error::BadUri(_) => "there is no host in the URL".into(),
            other => other.to_string(),
        }
    }
}

/// What TLS says, if it is the reason.
fn tls_failure(error: &Error) -> Option<&rustls::Error> {
    match error {
        Error::Rustls(error) => Some(error),
        Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// The body of an answer, up to a length.
struct Limited {
    body: BodyReader<'static>,
    left: u64,
    is_over: bool,
    waiting: Waiting,
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
            return Err(io::Error::other(too_large(self.waiting.limits.bytes)));
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
        io::Error::new(kind, self.waiting.explain(&Error::from(error)))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_socket_that_nobody_looks_after_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("full.sock");
        let listener = UnixListener::bind(&path).unwrap();
        // SAFETY: it is a socket that listens; the number of those that may wait is changed.
        assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
        let most = Duration::from_millis(100);
        let mut kept = Vec::new();
        let refused = loop {
            match connect(&path, most) {
                Ok(socket) => kept.push(socket),
                Err(what) => break what,
            }
            assert!(kept.len() < 100, "there is room for all");
        };
        // Systems that do not let one wait refuse.
        let is_told = refused == "no connection within 0.1 s" || refused.contains("nobody listens");
        assert!(is_told && !kept.is_empty(), "{refused}");
    }
}
