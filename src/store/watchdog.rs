//! The last resort against a statement that nothing stops.
//!
//! SQLite asks whether to go on between the steps of its machine. A single call of one of its own functions
//! is one step: `instr` of two texts of megabytes takes minutes, and there is no way to stop it from outside.
//! So a statement with a limit of time is watched by a thread: if it is still running some time behind the
//! limit, the thread calls what the program has set for this case, which ends the program. A library that
//! sets nothing is not ended.

use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long a statement may go on behind its limit, at least. A part of the limit if that is longer.
const GRACE: Duration = Duration::from_secs(1);

static LAST_RESORT: OnceLock<fn(&str)> = OnceLock::new();

/// Sets what ends the program, given a text for the user. It is called on a thread of its own, while the
/// statement runs on. Only the first call counts.
pub fn set_last_resort(end: fn(&str)) {
    let _ = LAST_RESORT.set(end);
}

/// Watches the statements of a connection.
#[derive(Default)]
pub struct Watch(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    /// When to end the program, and the limit; `None` while nothing runs.
    end: Option<(Instant, Duration)>,
    has_thread: bool,
    is_closed: bool,
}

impl Watch {
    /// Watches until the value is dropped.
    pub fn begin(&self, until: Option<Instant>, limit: Option<Duration>) -> impl Drop + '_ {
        if let (Some(until), Some(limit), Some(_)) = (until, limit, LAST_RESORT.get()) {
            let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
            let grace = GRACE.max(limit / 10);
            state.end = until.checked_add(grace).map(|end| (end, limit));
            if !state.has_thread {
                let shared = Arc::clone(&self.0);
                let thread = std::thread::Builder::new().name("watchdog".into());
                // Without a thread there is no last resort, which is no reason not to ask.
                state.has_thread = thread.spawn(move || watch(&shared)).is_ok();
            }
            drop(state);
            self.0.1.notify_one();
        }
        Watching(self)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        self.0.1.notify_one();
    }
}

struct Watching<'a>(&'a Watch);

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.0.0.0.lock().unwrap_or_else(PoisonError::into_inner).end = None;
    }
}

fn watch(shared: &(Mutex<State>, Condvar)) {
    let mut state = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
    while !state.is_closed {
        let left = match state.end {
            // Woken when there is something to watch.
            None => Duration::from_secs(3600),
            Some((end, limit)) => {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return end_program(limit);
                }
                left
            }
        };
        state = shared.1.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

fn end_program(limit: Duration) {
    if let Some(end) = LAST_RESORT.get() {
        end(&format!(
            "stopped after {} s, inside a function of SQLite that cannot be left; --timeout raises the limit",
            limit.as_secs_f64()
        ));
    }
}
