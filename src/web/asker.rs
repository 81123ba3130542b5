//! What a worker asks with.

use super::failure::Result;
use super::session::{LIMITS, Session};
use crate::analysis::Snapshot;
use crate::store::{Database, Filter, Stopper};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A connection to the newest database, and whether somebody waits for what it answers.
pub struct Asker {
    /// What all requests share.
    pub session: Arc<Session>,
    connection: Option<(Arc<Snapshot>, Database)>,
    stop: Arc<Stop>,
}

impl Asker {
    pub fn new(session: Arc<Session>) -> Asker {
        Asker { session, connection: None, stop: Arc::default() }
    }

    /// Begins a request, which is not wanted any more once `stop` says so.
    pub fn begin(&mut self, stop: Arc<Stop>) {
        self.stop = stop;
    }

    /// Whether nobody waits for the answer any more.
    pub fn is_stopped(&self) -> bool {
        self.stop.is_stopped()
    }

    /// Gives the connection up, whatever its state.
    pub fn forget(&mut self) {
        self.connection = None;
    }

    /// The newest database, without a filter and with the limits of a request.
    ///
    /// # Errors
    /// If nothing is loaded yet.
    pub fn database(&mut self) -> Result<(&Snapshot, &Database)> {
        let newest = self.session.snapshot()?;
        if self.connection.as_ref().is_none_or(|(known, _)| known.number != newest.number) {
            // First the old one: its file can go then.
            self.connection = None;
            let database = newest.connect()?;
            self.connection = Some((newest, database));
        }
        let (snapshot, database) = self.connection.as_ref().expect("it was just made");
        if !database.filter().is_empty() {
            database.set_filter(Filter::default())?;
        }
        database.start(LIMITS)?;
        self.stop.watch(database.stopper());
        Ok((snapshot, database))
    }
}

/// Stops what is asked of a database when nobody waits for the answer any more.
#[derive(Default)]
pub struct Stop {
    is_stopped: AtomicBool,
    running: Mutex<Option<Stopper>>,
}

impl Stop {
    /// Whether it is over.
    pub fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    /// From now on a connection is stopped, too.
    pub fn watch(&self, stopper: Stopper) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_stopped() {
            stopper.stop();
        }
        *running = Some(stopper);
    }

    /// From now on it is.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        if let Some(stopper) = &*self.running.lock().unwrap_or_else(PoisonError::into_inner) {
            stopper.stop();
        }
    }

    /// The answer is there: the connection is somebody else's again.
    pub fn end(&self) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
