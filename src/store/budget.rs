//! What a statement may use, as gotrace's own functions ask for it.
//!
//! SQLite bounds its own heap and asks between the steps of its machine whether to go on. It knows nothing
//! of what a function does inside one step, nor of the memory the function takes. So every function that
//! does more than look at its arguments has a [`Work`]: it asks that before it goes on and before it takes
//! memory. Asking is a counter, except now and then.

use super::limits::{INTERRUPTED, Limits};
use super::watchdog::Watch;
use rusqlite::{Error, Result, ffi};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Steps between two looks at the clock: some microseconds.
const STEPS: u32 = 1 << 12;

/// Times that a trace can have, nanoseconds, from minus this to this. A database may hold any number; what
/// is cut to this can be subtracted and doubled, and no trace is longer: 73 years.
pub const MOST_NS: i64 = 1 << 61;

/// A time out of a database or a statement, cut to what a trace can have.
#[inline(always)]
pub fn sane(ns: i64) -> i64 {
    ns.clamp(-MOST_NS, MOST_NS)
}

/// What is left of the limits of a connection.
#[derive(Clone)]
pub struct Budget(Arc<Shared>);

struct Shared {
    base: Instant,
    /// Nanoseconds since `base`; the greatest number for no limit.
    deadline: AtomicU64,
    /// Most memory, bytes.
    memory: AtomicU64,
    /// Memory that functions hold, bytes.
    held: AtomicU64,
    limits: Mutex<Limits>,
    /// Whether whoever asked does not want the answer any more.
    is_unwanted: AtomicBool,
    watch: Watch,
}

/// Stops what is asked of one connection, from another thread.
#[derive(Clone)]
pub struct Stopper(Arc<Shared>);

impl Stopper {
    /// What runs ends soon, and nothing else runs until [`super::Database::start`] is called anew.
    pub fn stop(&self) {
        self.0.is_unwanted.store(true, Relaxed);
    }
}

impl Budget {
    /// Without limits but those of memory.
    pub fn new() -> Self {
        let limits = Limits::default();
        Budget(Arc::new(Shared {
            base: Instant::now(),
            deadline: AtomicU64::new(u64::MAX),
            memory: AtomicU64::new(limits.memory),
            held: AtomicU64::new(0),
            limits: Mutex::new(Limits { time: None, ..limits }),
            is_unwanted: AtomicBool::new(false),
            watch: Watch::default(),
        }))
    }

    /// From now on these limits hold.
    pub fn start(&self, limits: Limits) {
        let shared = &self.0;
        let time = limits.time.map(|time| shared.base.elapsed().saturating_add(time));
        let deadline =
            time.map_or(u64::MAX, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        shared.deadline.store(deadline, Relaxed);
        shared.is_unwanted.store(false, Relaxed);
        shared.memory.store(limits.memory, Relaxed);
        *shared.limits.lock().unwrap_or_else(PoisonError::into_inner) = limits;
        // SQLite's heap is one for all connections of the process.
        // SAFETY: it takes a number.
        unsafe { ffi::sqlite3_hard_heap_limit64(i64::try_from(limits.memory).unwrap_or(0)) };
        super::spill::set_limit(limits.spill);
    }

    /// What stops it from another thread.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.0.clone())
    }

    /// The limits that hold.
    pub fn limits(&self) -> Limits {
        *self.0.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a statement run under watch until the value is dropped: see [`super::watchdog`].
    pub fn watch(&self) -> impl Drop + '_ {
        let deadline = self.0.deadline.load(Relaxed);
        let until = (deadline != u64::MAX)
            .then(|| self.0.base.checked_add(Duration::from_nanos(deadline)))
            .flatten();
        self.0.watch.begin(until, self.limits().time)
    }

    /// Whether to stop: the time is over, or the user wants it.
    pub fn is_over(&self) -> bool {
        let shared = &self.0;
        INTERRUPTED.load(Relaxed)
            || shared.is_unwanted.load(Relaxed)
            || (shared.deadline.load(Relaxed) != u64::MAX
                && shared.base.elapsed().as_nanos() > u128::from(shared.deadline.load(Relaxed)))
    }

    /// For a piece of work that begins.
    pub fn work(&self) -> Work {
        Work { budget: self.clone(), held: AtomicU64::new(0), steps: AtomicU32::new(0) }
    }
}

/// A piece of work of a function. The memory it holds is given back when it is dropped.
pub struct Work {
    budget: Budget,
    // One thread uses it; atomic because SQLite's wrapper wants its state to survive a panic.
    held: AtomicU64,
    steps: AtomicU32,
}

impl Work {
    /// To be called for every small step; fails if there is no time left.
    #[inline(always)]
    pub fn step(&self) -> Result<()> {
        self.steps(1)
    }

    /// The same for many small steps at once.
    #[inline(always)]
    pub fn steps(&self, count: usize) -> Result<()> {
        let steps = self.steps.load(Relaxed).saturating_add(count.min(STEPS as usize) as u32);
        self.steps.store(steps, Relaxed);
        if steps < STEPS { Ok(()) } else { self.look() }
    }

    /// Fails if there is no time left.
    #[inline(never)]
    pub fn look(&self) -> Result<()> {
        self.steps.store(0, Relaxed);
        if self.budget.is_over() {
            return Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), None));
        }
        Ok(())
    }

    /// Fails if so much memory more must not be taken, bytes.
    #[inline(never)]
    pub fn hold(&self, bytes: usize) -> Result<()> {
        self.look()?;
        let (shared, bytes) = (&self.budget.0, bytes as u64);
        // SAFETY: it takes nothing and gives a number.
        let of_sqlite = u64::try_from(unsafe { ffi::sqlite3_memory_used() }).unwrap_or(0);
        let all = shared.held.load(Relaxed).saturating_add(bytes).saturating_add(of_sqlite);
        if all > shared.memory.load(Relaxed) {
            return Err(super::refusal::refuse(self.budget.limits().memory_message()));
        }
        shared.held.fetch_add(bytes, Relaxed);
        self.held.fetch_add(bytes, Relaxed);
        Ok(())
    }

    /// Gives back what it holds.
    pub fn release(&self) {
        self.budget.0.held.fetch_sub(self.held.swap(0, Relaxed), Relaxed);
    }

    /// Adds to a list, if there is memory for it.
    #[inline(always)]
    pub fn push<T>(&self, list: &mut Vec<T>, item: T) -> Result<()> {
        if list.len() == list.capacity() {
            self.room(list, 1)?;
        }
        list.push(item);
        Ok(())
    }

    /// Adds some to a list, if there is memory for them.
    #[inline(always)]
    pub fn extend<T, const N: usize>(&self, list: &mut Vec<T>, items: [T; N]) -> Result<()> {
        if list.capacity() - list.len() < N {
            self.room(list, N)?;
        }
        list.extend(items);
        Ok(())
    }

    /// Makes room for some more in a list.
    #[inline(never)]
    pub fn room<T>(&self, list: &mut Vec<T>, more: usize) -> Result<()> {
        if list.capacity() - list.len() < more {
            let grown = more.max(list.capacity()).max(8);
            self.hold(grown.saturating_mul(size_of::<T>()))?;
            list.reserve_exact(list.capacity() - list.len() + grown);
        }
        Ok(())
    }

    /// Makes sure that there may be one more in a map, which grows by itself.
    #[inline(always)]
    pub fn room_in<K, V, S>(&self, map: &HashMap<K, V, S>) -> Result<()> {
        if map.len() < map.capacity() {
            return Ok(());
        }
        self.hold(map.capacity().max(4).saturating_mul(size_of::<(K, V)>() + 1))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_refused_beyond_the_limit_and_given_back() {
        let budget = Budget::new();
        budget.0.memory.store(1 << 40, Relaxed);
        let work = budget.work();
        assert!(work.hold(1 << 39).is_ok());
        let error = budget.work().hold((1 << 39) + 1).unwrap_err().to_string();
        assert!(error.contains("--max-memory"), "{error}");
        drop(work);
        assert!(budget.work().hold(1 << 39).is_ok());
        let work = budget.work();
        let mut list = Vec::new();
        (0..1000_u64).for_each(|number| work.push(&mut list, number).unwrap());
        assert!(work.held.load(Relaxed) >= 8000 && work.held.load(Relaxed) <= 32_000);
    }
}
