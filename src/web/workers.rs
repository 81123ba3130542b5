//! Threads that answer, each with its own connection to the database.

use super::asker::{Asker, Stop};
use super::message::{Answer, Body, Failure, Request, Result};
use super::session::Session;
use hyper::body::Bytes;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::oneshot;

/// Most requests that wait for a thread; more are sent away.
const WAITING: usize = 256;

/// What is written goes out in parts of so many bytes, of which so many wait for the browser.
const PART: usize = 64 << 10;
const PARTS: usize = 4;

/// Answers a request.
pub type Handler = fn(&Request, &mut Asker) -> Result<Answer>;

/// The threads.
pub struct Workers {
    jobs: SyncSender<Job>,
}

struct Job {
    request: Request,
    handler: Handler,
    answer: oneshot::Sender<Result<Answer>>,
    stop: Arc<Stop>,
}

/// Stops when it is dropped, as when the browser closes the connection.
struct StopWhenDropped(Option<Arc<Stop>>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        if let Some(stop) = &self.0 {
            stop.stop();
        }
    }
}

impl Workers {
    pub fn new(session: &Arc<Session>, count: usize) -> std::io::Result<Workers> {
        let (jobs, take) = sync_channel(WAITING);
        let take = Arc::new(Mutex::new(take));
        for number in 0..count.max(1) {
            let (take, session) = (take.clone(), session.clone());
            let thread = thread::Builder::new().name(format!("asker {number}"));
            thread.spawn(move || work(&take, session))?;
        }
        Ok(Workers { jobs })
    }

    /// Has a request answered by one of the threads.
    pub async fn run(&self, request: Request, handler: Handler) -> Result<Answer> {
        let (answer, waiting) = oneshot::channel();
        let stop = Arc::new(Stop::default());
        let mut unless_answered = StopWhenDropped(Some(stop.clone()));
        match self.jobs.try_send(Job { request, handler, answer, stop }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Err(Failure::new(429, "too many requests wait already"));
            }
            Err(TrySendError::Disconnected(_)) => return Err(Failure::new(503, "it ends")),
        }
        let done = waiting.await;
        // What is still to be written ends when it cannot be sent.
        unless_answered.0 = None;
        done.unwrap_or_else(|_| Err(Failure::new(500, "the answer was lost")))
    }
}

fn work(jobs: &Mutex<Receiver<Job>>, session: Arc<Session>) {
    let mut asker = Asker::new(session);
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { request, handler, answer, stop }) = job else { return };
        if stop.is_stopped() {
            continue;
        }
        asker.begin(stop.clone());
        let done = catch_unwind(AssertUnwindSafe(|| handler(&request, &mut asker)));
        match done {
            Ok(Ok(Answer { body: Body::Written(write), content_type, file_name, .. })) => {
                let (parts, body) = channel(PARTS);
                let head = Answer { file_name, ..Answer::new(content_type, Bytes::new()) };
                if answer.send(Ok(Answer { body: Body::Parts(body), ..head })).is_ok() {
                    let mut out = PartWriter { parts: parts.clone(), part: Vec::new() };
                    let written = catch_unwind(AssertUnwindSafe(|| {
                        write(&mut asker, &mut out)?;
                        out.flush()
                    }));
                    let error = match written {
                        Ok(Ok(())) => None,
                        Ok(Err(error)) => Some(error),
                        Err(_) => {
                            asker.forget();
                            Some(io::Error::other("gotrace failed here"))
                        }
                    };
                    // The connection is broken off: what came is not the whole.
                    if let Some(error) = error {
                        let _ = parts.blocking_send(Err(error));
                    }
                }
            }
            Ok(done) => drop(answer.send(done)),
            Err(_) => {
                // Whatever state it left, the next one begins anew.
                asker.forget();
                let what = "gotrace failed here; please report it, with what was asked";
                let _ = answer.send(Err(Failure::new(500, what)));
            }
        }
        stop.end();
    }
}

/// Sends what is written to the browser, part by part.
struct PartWriter {
    parts: Sender<Result<Bytes, io::Error>>,
    part: Vec<u8>,
}

impl Write for PartWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend_from_slice(bytes);
        if self.part.len() >= PART {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let part = std::mem::take(&mut self.part);
        if part.is_empty() {
            return Ok(());
        }
        self.parts.blocking_send(Ok(part.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
