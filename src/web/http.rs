//! Connections: requests are read whole, answers go out whole or in parts.
//!
//! All of hyper and tokio is here. Handlers are plain functions that know neither.

use super::api;
use super::door::{Door, Entry, HEADERS, SECRET, Secret};
use super::message::{Answer, Body, Failure, Request, parameters};
use super::pages;
use super::session::Session;
use super::workers::Workers;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, SET_COOKIE,
};
use hyper::service::service_fn;
use hyper::{Method, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Receiver;

/// How long a browser may take to send the head of a request.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take to send what it posts.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// Most connections at once; others wait.
const CONNECTIONS: usize = 64;
/// Longest head of a request, bytes.
const HEAD: usize = 16 << 10;
/// Longest body of a request that is no upload, bytes.
const BODY: usize = 1 << 20;
/// Longest path and query, bytes.
const TARGET: usize = 8 << 10;

/// How to serve.
pub struct ServerOptions {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Threads that ask the database.
    pub workers: usize,
}

/// A server that listens and does not serve yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    secret: Secret,
    workers: usize,
}

/// What connections share.
struct Shared {
    door: Door,
    session: Arc<Session>,
    workers: Workers,
}

impl Server {
    /// Begins to listen.
    ///
    /// # Errors
    /// If the address cannot be had, or the system has no random numbers.
    pub fn listen(options: &ServerOptions) -> std::io::Result<Server> {
        let listener = TcpListener::bind(options.address)?;
        let address = listener.local_addr()?;
        Ok(Server { listener, address, secret: Secret::new()?, workers: options.workers })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What lets one in.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The address of a page, with the secret.
    pub fn link(&self, page: &str) -> String {
        let sign = if page.contains('?') { '&' } else { '?' };
        let host = match self.address {
            any if any.ip().is_unspecified() => format!("127.0.0.1:{}", any.port()),
            other => other.to_string(),
        };
        format!("http://{host}{page}{sign}{SECRET}={}", self.secret.text())
    }

    /// Serves, for ever.
    ///
    /// # Errors
    /// If the system refuses threads or the socket.
    pub fn serve(self, session: Arc<Session>) -> std::io::Result<()> {
        let shared = Arc::new(Shared {
            door: Door::new(self.secret, self.address),
            workers: Workers::new(&session, self.workers)?,
            session,
        });
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let local = tokio::task::LocalSet::new();
        self.listener.set_nonblocking(true)?;
        local.block_on(&runtime, accept(self.listener, shared))
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return Ok(()) };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // A connection that is gone already, or no file left: others may come.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let shared = shared.clone();
        tokio::task::spawn_local(async move {
            let service = service_fn(move |request| {
                let shared = shared.clone();
                async move { Ok::<_, Infallible>(respond(request, &shared).await) }
            });
            let served = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .max_buf_size(HEAD)
                .max_headers(64)
                .serve_connection(TokioIo::new(stream), service);
            // A browser that goes away is no matter.
            let _ = served.await;
            drop(place);
        });
    }
}

async fn respond(request: hyper::Request<Incoming>, shared: &Arc<Shared>) -> Response<Parts> {
    let is_head = request.method() == Method::HEAD;
    let mut cookie = None;
    let answer = match answer(request, shared, &mut cookie).await {
        Ok(answer) => answer,
        Err(failure) => failure.into_answer(),
    };
    let mut response = Response::new(match answer.body {
        Body::Whole(bytes) if !is_head => Parts::Whole(bytes),
        Body::Parts(parts) if !is_head => Parts::Channel(parts),
        // What is written, the worker has made parts of.
        _ => Parts::Whole(Bytes::new()),
    });
    *response.status_mut() = answer.status.try_into().unwrap_or_default();
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    let cache =
        if answer.is_immutable { "private, max-age=31536000, immutable" } else { "no-store" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    let mut set = |name, value: Option<String>| {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    };
    set(LOCATION, answer.location);
    set(SET_COOKIE, cookie);
    set(
        CONTENT_DISPOSITION,
        answer.file_name.map(|name| format!("attachment; filename=\"{name}\"")),
    );
    response
}

async fn answer(
    request: hyper::Request<Incoming>,
    shared: &Arc<Shared>,
    cookie: &mut Option<String>,
) -> Result<Answer, Failure> {
    let is_post = match *request.method() {
        Method::GET | Method::HEAD => false,
        Method::POST => true,
        _ => return Err(Failure::new(405, "want GET or POST")),
    };
    let uri = request.uri();
    let query = uri.query().unwrap_or("").to_owned();
    if uri.path().len() + query.len() > TARGET {
        return Err(Failure::new(414, "the address is too long"));
    }
    let path = percent_decode_str(uri.path())
        .decode_utf8()
        .map_err(|_| Failure::new(400, "the path is no UTF-8"))?
        .into_owned();
    let parameters = parameters(&query);
    let given = parameters.iter().find(|(name, _)| name == SECRET).map(|(_, value)| &**value);
    let entry = shared.door.enter(request.headers(), is_post, given)?;
    if entry == Entry::New {
        *cookie = Some(shared.door.cookie());
        if !is_post {
            return Ok(Answer::redirect(without_secret(uri.path(), &query)));
        }
    }
    let request = Request { is_post, path, query, parameters, body: body(request, shared).await? };
    dispatch(request, shared).await
}

/// The same address without the secret, which shall not stand in histories. One that begins with two slashes
/// would be that of another server.
fn without_secret(path: &str, query: &str) -> String {
    let prefix = format!("{SECRET}=");
    let rest: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with(&prefix)).collect();
    let path = format!("/{}", path.trim_start_matches(['/', '\\']));
    if rest.is_empty() { path } else { format!("{path}?{}", rest.join("&")) }
}

/// What is posted; a file is written to the disk as it comes, and the body is its number.
async fn body(request: hyper::Request<Incoming>, shared: &Arc<Shared>) -> Result<Vec<u8>, Failure> {
    if request.method() != Method::POST {
        return Ok(Vec::new());
    }
    if request.uri().path() == api::UPLOAD {
        return upload(request, &shared.session).await;
    }
    let collected = Limited::new(request.into_body(), BODY).collect();
    match tokio::time::timeout(BODY_PATIENCE, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes().into()),
        Ok(Err(_)) => Err(Failure::new(413, format!("a request has at most {BODY} bytes"))),
        Err(_) => Err(Failure::new(408, "the request did not come")),
    }
}

/// Writes a posted file to the disk, part by part.
async fn upload(
    request: hyper::Request<Incoming>,
    session: &Arc<Session>,
) -> Result<Vec<u8>, Failure> {
    let mut file = session.new_upload()?;
    let mut body = request.into_body();
    loop {
        let frame = match tokio::time::timeout(BODY_PATIENCE, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) => break,
            Ok(Some(Err(_))) | Err(_) => return Err(Failure::new(408, "the file did not come")),
        };
        if let Ok(bytes) = frame.into_data() {
            file.write(&bytes)?;
        }
    }
    Ok(session.keep_upload(file).to_string().into_bytes())
}

/// Finds who answers, and has that done by a worker unless it is nothing.
async fn dispatch(request: Request, shared: &Arc<Shared>) -> Result<Answer, Failure> {
    if request.path == api::PROGRESS {
        return Ok(progress(&shared.session));
    }
    if let Some(answer) = pages::answer(&request, &shared.session) {
        return answer;
    }
    let Some(handler) = api::find(&request.path) else {
        return Err(Failure::new(404, "no such page"));
    };
    if handler.is_post && !request.is_post {
        return Err(Failure::new(405, "want POST"));
    }
    shared.workers.run(request, handler.run).await
}

/// Tells how far loading is, until it is over.
fn progress(session: &Arc<Session>) -> Answer {
    let (tell, parts) = tokio::sync::mpsc::channel(1);
    let session = session.clone();
    tokio::task::spawn_local(async move {
        loop {
            let (state, is_over) = session.progress();
            let line = Bytes::from(format!("data: {state}\n\n"));
            if tell.send(Ok(line)).await.is_err() || is_over {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    Answer { body: Body::Parts(parts), ..Answer::new("text/event-stream", Bytes::new()) }
}

/// The body of an answer as hyper takes it.
enum Parts {
    Whole(Bytes),
    Channel(Receiver<Result<Bytes, std::io::Error>>),
}

impl hyper::body::Body for Parts {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Parts::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Parts::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Parts::Channel(parts) => {
                parts.poll_recv(context).map(|part| part.map(|it| it.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Parts::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Parts::Whole(bytes) => hyper::body::SizeHint::with_exact(bytes.len() as u64),
            Parts::Channel(_) => hyper::body::SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_goes_and_the_rest_of_an_address_stays() {
        assert_eq!(without_secret("/", "t=abc"), "/");
        assert_eq!(without_secret("/sql", "q=a%20b&t=abc&x=1"), "/sql?q=a%20b&x=1");
        assert_eq!(without_secret("//evil.example", "t=abc"), "/evil.example");
        assert_eq!(without_secret("/\\evil.example", "t=abc"), "/evil.example");
    }
}
