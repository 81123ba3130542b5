//! A running `gotrace web`, and requests to it that are made by hand.

#![allow(dead_code, reason = "no test needs all of it")]

use crate::committed::run::Sandbox;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// A server, which ends with the value.
pub struct Served {
    pub child: Child,
    /// `127.0.0.1:PORT`.
    pub host: String,
    pub secret: String,
}

/// What came back.
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    /// Whether the body came to its end.
    pub is_whole: bool,
}

impl Served {
    /// Starts a server and waits until it has loaded what it shall show.
    pub fn start(sandbox: &Sandbox, arguments: &[&str]) -> Served {
        let all = [&["web", "--no-browser"], arguments].concat();
        let served = Served::of(&mut sandbox.command(&all));
        served.wait();
        served
    }

    /// Starts what a command says.
    pub fn of(command: &mut Command) -> Served {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let link = lines.by_ref().map(Result::unwrap).find(|line| line.contains("http://"));
        let link = link.expect("the address is printed");
        // What else is said must not fill the pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let rest = link.split_once("http://").unwrap().1;
        let (host, secret) = rest.split_once("/?t=").unwrap();
        Served { child, host: host.into(), secret: secret.trim().into() }
    }

    /// Waits until nothing is loaded any more.
    pub fn wait(&self) {
        let started = Instant::now();
        while self.get("/api/progress").text().contains("\"is_loading\":true") {
            assert!(started.elapsed() < Duration::from_secs(60), "it loads for ever");
        }
    }

    /// A request of one who knows the secret.
    pub fn get(&self, target: &str) -> Reply {
        self.send("GET", target, &[("Authorization", &format!("Bearer {}", self.secret))], b"")
    }

    pub fn post(&self, target: &str, body: &[u8]) -> Reply {
        self.send("POST", target, &[("Authorization", &format!("Bearer {}", self.secret))], body)
    }

    /// A request with these headers and `Host`.
    pub fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut request = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            request.push_str(&format!("Host: {}\r\n", self.host));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        self.raw(&[request.as_bytes(), body].concat())
    }

    /// Bytes as they are.
    pub fn raw(&self, request: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // A server that refuses what comes need not read all of it.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Reply::parse(&bytes)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Reply {
    fn parse(bytes: &[u8]) -> Reply {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let rest = bytes.get(end + 4..).unwrap_or_default();
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
        let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        let (body, is_whole) = if is_chunked { unchunk(rest) } else { (rest.to_vec(), true) };
        Reply { status, head, body, is_whole }
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("answers are UTF-8")
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.status, 200, "{}", self.text());
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, it)| it.trim())
    }
}

/// The content of chunks, and whether the last one came.
fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(at) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&rest[..at]).unwrap_or("");
        let Ok(size) = usize::from_str_radix(size, 16) else { break };
        if size == 0 {
            return (body, true);
        }
        let Some(chunk) = rest.get(at + 2..at + 2 + size) else { break };
        body.extend_from_slice(chunk);
        rest = rest.get(at + 4 + size..).unwrap_or_default();
    }
    (body, false)
}
