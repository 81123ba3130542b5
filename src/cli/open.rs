//! `gotrace open`: a trace in Perfetto's viewer.
//!
//! The viewer is a web page, which loads the trace from this machine: `#!/?url=` names a file on
//! 127.0.0.1:9001, the one address that its content security policy allows. The trace goes from this process to
//! the browser and nowhere else.
//!
//! Source: Perfetto's "Deep linking to the Perfetto UI" (`docs/visualization/deep-linking-to-perfetto-ui.md`).

use super::browser::open_browser;
use super::export::timeline::LayoutArguments;
use super::locate::SourceOptions;
use super::{Error, Result, analyse, say};
use crate::cli::terminal;
use crate::export::{Perfetto, Target};
use clap::Args;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Longest head of a request, bytes.
const MAX_HEAD: usize = 16 << 10;
/// How long a browser may take to send a request, or to take the next part of an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The file, in the link.
const PATH: &str = "/trace.pftrace";

#[derive(Args)]
pub struct OpenArguments {
    /// Trace to show
    source: OsString,
    #[command(flatten)]
    layout: LayoutArguments,
    /// Print the link only
    #[arg(long)]
    no_browser: bool,
    /// Port to serve the file on; the public viewer loads from no other than 9001
    #[arg(long, value_name = "PORT", default_value_t = 9001)]
    port: u16,
    /// Viewer to use
    #[arg(long, value_name = "URL", default_value = "https://ui.perfetto.dev")]
    ui: String,
    /// Overwrite FILE
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    options: SourceOptions,
}

/// What is served.
struct Served {
    /// Locked while it is sent: its position is one for all.
    file: Mutex<File>,
    size: u64,
    /// Origin of the viewer, the only page that may read the file.
    origin: String,
    port: u16,
}

pub fn run(arguments: &OpenArguments) -> Result<()> {
    let layout = arguments.layout.perfetto()?;
    let origin = origin_of(&arguments.ui).ok_or_else(|| {
        Error::Usage(format!(
            "--ui: want a URL such as https://ui.perfetto.dev, got '{}'",
            arguments.ui
        ))
    })?;
    // Before the work, not after it.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port)).map_err(|error| {
        Error::Failed(format!(
            "127.0.0.1:{}: {error}; another gotrace open may be waiting for its browser",
            arguments.port
        ))
    })?;
    let port = listener.local_addr()?.port();
    let location = arguments.options.locate(&arguments.source, arguments.force)?;
    // Where an open file can have no name, it is gone even if this process is killed.
    let mut file = tempfile::tempfile()?;
    let format = Perfetto::new(Target::File(file.try_clone()?))?;
    analyse(location, false)?.timeline(format, &layout)?.finish()?.close()?;
    let size = file.stream_position()?;
    let ui = arguments.ui.trim_end_matches('/');
    let link = format!("{ui}/#!/?url=http://127.0.0.1:{port}{PATH}");
    let is_shown = !arguments.no_browser && open_browser(&link);
    writeln!(terminal::output(), "{link}")?;
    say(if is_shown {
        "opening the browser; waiting for it to load the trace, Ctrl-C ends"
    } else {
        "open this link in a browser on this machine; waiting for it, Ctrl-C ends"
    });
    serve(&listener, Served { file: Mutex::new(file), size, origin, port })?;
    say("the browser has the trace");
    Ok(())
}

/// `https://host:port` of a URL.
fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    (matches!(scheme, "http" | "https") && !host.is_empty()).then(|| format!("{scheme}://{host}"))
}

/// Serves until the file was taken once.
fn serve(listener: &TcpListener, served: Served) -> io::Result<()> {
    let served = Arc::new(served);
    let (done, is_done) = channel();
    listener.set_nonblocking(true)?;
    loop {
        match listener.accept() {
            // Browsers open connections ahead of their requests, so none may hold up another.
            Ok((stream, _)) => {
                let (served, done) = (served.clone(), done.clone());
                thread::spawn(move || {
                    // A browser that goes away may come again.
                    let _ = answer(stream, &served, &done);
                });
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if is_done.recv_timeout(Duration::from_millis(20)).is_ok() {
                    return Ok(());
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Answers one request.
fn answer(mut stream: TcpStream, served: &Served, done: &Sender<()>) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = read_head(&mut stream)?;
    let mut words = head.lines().next().unwrap_or("").split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let header = |name: &str| {
        head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    // A page of another site may have let its own name point to this machine.
    let port = served.port;
    let is_host = header("host").is_some_and(|host| {
        host == format!("127.0.0.1:{port}") || host == format!("localhost:{port}")
    });
    // A browser would not let another page read the answer, but that would be the end of the serving.
    let is_viewer =
        header("origin").is_none_or(|origin| origin.eq_ignore_ascii_case(&served.origin));
    let status = match (method, path.split('?').next()) {
        _ if !is_host || !is_viewer => "403 Forbidden",
        ("OPTIONS", _) => "204 No Content",
        ("GET" | "HEAD", Some(PATH)) => "200 OK",
        ("GET" | "HEAD", _) => "404 Not Found",
        _ => "405 Method Not Allowed",
    };
    let is_file = status == "200 OK";
    let len = if is_file { served.size } else { 0 };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {len}\r\nContent-Type: application/octet-stream\r\n\
         Access-Control-Allow-Origin: {}\r\nAccess-Control-Allow-Methods: GET, HEAD\r\n\
         Access-Control-Allow-Private-Network: true\r\nVary: Origin\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        served.origin
    )?;
    if is_file && method == "GET" {
        let mut file = served.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.rewind()?;
        io::copy(&mut (&mut *file).take(served.size), &mut stream)?;
        stream.flush()?;
        // What is still on its way must not be lost when the process ends.
        stream.shutdown(std::net::Shutdown::Write)?;
        let _ = stream.read(&mut [0]);
        let _ = done.send(());
    }
    Ok(())
}

/// The request line and the headers.
fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut part = [0; 1024];
    while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        let count = stream.read(&mut part)?;
        if count == 0 || head.len() + count > MAX_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.extend_from_slice(&part[..count]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_and_host() {
        assert_eq!(
            origin_of("https://ui.perfetto.dev/#!/x").as_deref(),
            Some("https://ui.perfetto.dev")
        );
        assert_eq!(origin_of("http://localhost:10000").as_deref(), Some("http://localhost:10000"));
        assert_eq!(origin_of("ui.perfetto.dev"), None);
        assert_eq!(origin_of("file:///x"), None);
    }
}
