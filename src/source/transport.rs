//! Ways to a server other than a TCP connection: a Unix socket, and a proxy that is asked for the whole
//! URL. ureq reaches every server behind a proxy by CONNECT, which most proxies allow for https only;
//! Go, and everybody else, asks for plain http as RFC 9112, 3.2.2 says.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, RustlsConnector, TcpConnector,
    Transport, TransportAdapter,
};
use ureq::{Agent, Error, Proxy, config::Config};

/// Asks a proxy for whole URLs.
pub fn asking_proxy(config: Config, proxy: &Proxy) -> Agent {
    let user = proxy.username().map(|user| {
        let both = format!("{user}:{}", proxy.password().unwrap_or(""));
        format!("Proxy-Authorization: Basic {}\r\n", BASE64_STANDARD.encode(both))
    });
    let connector = ProxyConnector { proxy: proxy.uri().clone(), user: user.unwrap_or_default() };
    let chain = connector.chain(TcpConnector::default()).chain(RustlsConnector::default());
    Agent::with_parts(config, chain, OnlyProxy(proxy.uri().clone()))
}

/// Looks up the proxy only: of the server only the proxy may know.
#[derive(Debug)]
struct OnlyProxy(Uri);

impl Resolver for OnlyProxy {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        match *uri == self.0 {
            true => DefaultResolver::default().resolve(uri, config, timeout),
            false => Ok(self.empty()),
        }
    }
}

struct ProxyConnector {
    proxy: Uri,
    /// The header that tells the proxy who asks, with the end of its line; may be empty.
    user: String,
}

impl Connector<()> for ProxyConnector {
    type Out = ProxyTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<ProxyTransport>, Error> {
        // The connection to the proxy itself is made by those behind in the chain.
        if *details.uri == self.proxy {
            return Ok(None);
        }
        let (config, resolver) = (details.config, details.resolver);
        let below = (details.run_connector)(&ConnectionDetails {
            uri: &self.proxy,
            addrs: resolver.resolve(&self.proxy, config, details.timeout)?,
            config,
            request_level: details.request_level,
            resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        })?;
        let authority = details.uri.authority().map_or("", |authority| authority.as_str());
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        Ok(Some(ProxyTransport {
            below: TransportAdapter::new(below, details.current_time.clone()),
            buffers: buffers(config),
            head: Some((format!("http://{host}"), self.user.clone())),
        }))
    }
}

fn buffers(config: &Config) -> LazyBuffers {
    LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size())
}

struct ProxyTransport {
    below: TransportAdapter,
    buffers: LazyBuffers,
    /// What is still to be put before the path and behind the first line of the request.
    head: Option<(String, String)>,
}

impl Transport for ProxyTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.below.set_timeout(timeout);
        let mut output = self.buffers.output()[..amount].to_vec();
        // A request is written by whole lines, so its first one is in the first piece.
        if let Some((server, user)) = self.head.take() {
            if let Some(end) = output.windows(2).position(|bytes| bytes == b"\r\n") {
                output.splice(end + 2..end + 2, user.bytes());
            }
            if let Some(space) = output.iter().position(|&byte| byte == b' ') {
                output.splice(space + 1..space + 1, server.bytes());
            }
        }
        Ok(self.below.write_all(&output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.below.set_timeout(timeout);
        let got = self.below.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(got);
        Ok(got > 0)
    }

    fn is_open(&mut self) -> bool {
        self.below.get_mut().is_open()
    }
}

// The user's name and password are in there.
impl fmt::Debug for ProxyConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyConnector")
    }
}

impl fmt::Debug for ProxyTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyTransport")
    }
}

#[cfg(unix)]
pub use unix::through_socket;

#[cfg(unix)]
mod unix {
    use super::*;
    use std::io;
    use std::os::unix::net::UnixStream;
    use std::sync::Mutex;

    /// Asks through a Unix socket that is connected already, once.
    pub fn through_socket(config: Config, socket: UnixStream) -> Agent {
        let connector = SocketConnector(Arc::new(Mutex::new(Some(socket))));
        Agent::with_parts(config, connector, Nowhere)
    }

    /// Looks nothing up: the socket is the server.
    #[derive(Debug)]
    struct Nowhere;

    impl Resolver for Nowhere {
        fn resolve(
            &self,
            _: &Uri,
            _: &Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, Error> {
            Ok(self.empty())
        }
    }

    #[derive(Debug)]
    struct SocketConnector(Arc<Mutex<Option<UnixStream>>>);

    impl Connector<()> for SocketConnector {
        type Out = SocketTransport;

        fn connect(
            &self,
            details: &ConnectionDetails<'_>,
            _: Option<()>,
        ) -> Result<Option<SocketTransport>, Error> {
            let socket = self.0.lock().ok().and_then(|mut socket| socket.take());
            let transport =
                socket.map(|socket| SocketTransport { socket, buffers: buffers(details.config) });
            Ok(transport)
        }
    }

    #[derive(Debug)]
    struct SocketTransport {
        socket: UnixStream,
        buffers: LazyBuffers,
    }

    impl Transport for SocketTransport {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.buffers
        }

        fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
            let timeout = timeout.for_write();
            self.socket.set_write_timeout(timeout.not_zero().map(|time| *time))?;
            let output = &self.buffers.output()[..amount];
            (&self.socket).write_all(output).map_err(|error| timed_out(error, timeout))
        }

        fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
            let timeout = timeout.for_read();
            if timeout.after.is_zero() {
                return Err(Error::Timeout(timeout.reason));
            }
            self.socket.set_read_timeout(timeout.not_zero().map(|time| *time))?;
            let input = self.buffers.input_append_buf();
            let got = loop {
                match self.socket.read(input) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    got => break got.map_err(|error| timed_out(error, timeout))?,
                }
            };
            self.buffers.input_appended(got);
            Ok(got > 0)
        }

        fn is_open(&mut self) -> bool {
            // One socket answers one request.
            false
        }
    }

    fn timed_out(error: io::Error, timeout: NextTimeout) -> Error {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::Timeout(timeout.reason),
            _ => error.into(),
        }
    }
}
