//! What an analysis tells while it loads, for pages: how far it is, what was lost, what else is to be known.

use crate::analysis::{Observer, Ongoing, Work};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Location, Position};
use serde_json::{Value as Json, json};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Most remarks that are kept; a server may run for long.
const REMARKS: usize = 100;

/// Keeps what is told, and passes it on.
pub struct Progress {
    inner: Arc<dyn Observer>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    works: Vec<(u64, Current)>,
    next: u64,
    remarks: Vec<String>,
    diagnostics: Vec<(Location, Diagnostic)>,
}

/// Work that goes on.
struct Current {
    source: String,
    size_bytes: Option<u64>,
    position: Arc<OnceLock<Position>>,
    /// Since when a server has recorded, and how long it will.
    recording: Option<(Instant, Duration)>,
}

impl Progress {
    pub fn new(inner: Arc<dyn Observer>) -> Progress {
        Progress { inner, state: Arc::default() }
    }

    /// What goes on, as JSON.
    pub fn works(&self) -> Json {
        lock(&self.state).works.iter().map(|(_, one)| one.json()).collect()
    }

    pub fn remarks(&self) -> Vec<String> {
        lock(&self.state).remarks.clone()
    }

    /// What was repaired, skipped or lost.
    pub fn diagnostics(&self) -> Vec<(Location, Diagnostic)> {
        lock(&self.state).diagnostics.clone()
    }
}

impl Current {
    fn json(&self) -> Json {
        json!({
            "source": self.source,
            "size_bytes": self.size_bytes,
            "done_bytes": self.position.get().map(Position::get),
            "recording_ns": self.recording.map(|(_, all)| all.as_nanos() as u64),
            "recorded_ns": self.recording.map(|(since, _)| since.elapsed().as_nanos() as u64),
        })
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes work off the list when it is over.
struct Listed {
    state: Arc<Mutex<State>>,
    number: u64,
    _passed_on: Ongoing,
}

impl Drop for Listed {
    fn drop(&mut self) {
        lock(&self.state).works.retain(|(number, _)| *number != self.number);
    }
}

impl Observer for Progress {
    fn begins(&self, work: Work) -> Ongoing {
        let current = match &work {
            Work::Reading { source, size_bytes, position } => Current {
                source: source.clone(),
                size_bytes: *size_bytes,
                position: Arc::new(OnceLock::from(position.clone())),
                recording: None,
            },
            Work::Recording { source, duration, position } => Current {
                source: source.clone(),
                size_bytes: None,
                position: position.clone(),
                recording: Some((Instant::now(), *duration)),
            },
        };
        let mut state = lock(&self.state);
        let number = state.next;
        state.next += 1;
        state.works.push((number, current));
        drop(state);
        let state = self.state.clone();
        Ongoing::until_dropped(Listed { state, number, _passed_on: self.inner.begins(work) })
    }

    fn was_read(&self, source: &Location, diagnostics: &Diagnostics) {
        let mut state = lock(&self.state);
        // A source that is read again tells the same again.
        state.diagnostics.retain(|(of, _)| of != source);
        state.diagnostics.extend(diagnostics.iter().map(|one| (source.clone(), one.clone())));
        drop(state);
        self.inner.was_read(source, diagnostics);
    }

    fn remark(&self, text: &str) {
        let mut state = lock(&self.state);
        if state.remarks.len() < REMARKS {
            state.remarks.push(text.into());
        }
        drop(state);
        self.inner.remark(text);
    }
}
