//! The lanes of traces, which are built beside everything else, and the orders in which pages see them.

use super::failure::{Failure, Result};
use crate::analysis::Snapshot;
use crate::store::Limits;
use crate::store::lanes::{Lanes, Order};
use serde_json::{Value as Json, json};
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What building the lanes of a trace may use: as much time as it needs, for nobody waits for it alone.
const BUILD: Limits =
    Limits { time: None, rows: None, enough: None, memory: 512 << 20, spill: 2 << 30 };
/// So many traces have their lanes kept; each may take a hundred megabytes.
const MOST_TRACES: usize = 4;
/// So many orders are kept. Who asks for an older one is told to ask for it anew.
const MOST_ORDERS: usize = 16;

/// A trace: the number of its snapshot, and its row.
pub type TraceKey = (u64, i64);

/// What requests share of timelines.
#[derive(Default)]
pub struct Timelines {
    known: Mutex<VecDeque<(TraceKey, Arc<Timeline>)>>,
    orders: Mutex<VecDeque<Arc<KeptOrder>>>,
    /// Names of orders are never those of another run of the program: browsers keep tiles by them.
    names: RandomState,
    next: AtomicU64,
}

/// The lanes of one trace, or how far they are.
struct Timeline {
    states: AtomicU64,
    built: Mutex<Option<std::result::Result<Arc<Lanes>, String>>>,
}

/// An order that pages know by its name.
pub struct KeptOrder {
    /// Its name in addresses.
    pub name: String,
    /// What was asked for.
    pub asked: String,
    /// The trace.
    pub trace: TraceKey,
    /// Its lanes.
    pub lanes: Arc<Lanes>,
    pub order: Order,
}

impl Timelines {
    /// The lanes of a trace. They are built from the first time on that somebody asks.
    ///
    /// # Errors
    /// 503 as long as they are being built; or why they cannot be.
    pub fn lanes(&self, snapshot: &Arc<Snapshot>, trace: i64) -> Result<Arc<Lanes>> {
        let timeline = self.timeline(snapshot, trace)?;
        match &*lock(&timeline.built) {
            None => Err(Failure::new(503, "the timeline is being prepared")),
            Some(Ok(lanes)) => Ok(lanes.clone()),
            Some(Err(error)) => Err(Failure::new(422, error.clone())),
        }
    }

    /// How far they are: pages ask again, and that is no error. `None` if they are
    /// no longer being built.
    pub fn progress(&self, snapshot: &Arc<Snapshot>, trace: i64) -> Result<Option<Json>> {
        let timeline = self.timeline(snapshot, trace)?;
        if lock(&timeline.built).is_some() {
            return Ok(None);
        }
        let states = timeline.states.load(Ordering::Relaxed);
        let json = json!({ "is_ready": false, "states": states });
        Ok(Some(json))
    }

    fn timeline(&self, snapshot: &Arc<Snapshot>, trace: i64) -> Result<Arc<Timeline>> {
        let key = (snapshot.number, trace);
        let mut known = lock(&self.known);
        if let Some((_, timeline)) = known.iter().find(|(of, _)| *of == key) {
            return Ok(timeline.clone());
        }
        let timeline = Arc::new(Timeline { states: AtomicU64::new(0), built: Mutex::default() });
        let (build, snapshot) = (timeline.clone(), snapshot.clone());
        thread::Builder::new().name("lanes".into()).spawn(move || build.run(&snapshot, trace))?;
        // Those of what was there before other sources were added go first.
        known.retain(|((number, _), _)| *number >= key.0);
        if known.len() >= MOST_TRACES {
            known.pop_front();
        }
        known.push_back((key, timeline.clone()));
        Ok(timeline)
    }

    /// The order that was asked for with these words, if it is still there.
    pub fn known_order(&self, trace: TraceKey, asked: &str) -> Option<Arc<KeptOrder>> {
        let orders = lock(&self.orders);
        orders.iter().find(|it| it.trace == trace && it.asked == asked).cloned()
    }

    /// Keeps an order.
    pub fn keep_order(
        &self,
        trace: TraceKey,
        asked: String,
        lanes: Arc<Lanes>,
        order: Order,
    ) -> Arc<KeptOrder> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{:016x}", self.names.hash_one(number));
        let kept = Arc::new(KeptOrder { name, asked, trace, lanes, order });
        let mut orders = lock(&self.orders);
        if orders.len() >= MOST_ORDERS {
            orders.pop_front();
        }
        orders.push_back(kept.clone());
        kept
    }

    /// The order with a name.
    ///
    /// # Errors
    /// 410 if it is no longer kept.
    pub fn order(&self, name: &str) -> Result<Arc<KeptOrder>> {
        let found = lock(&self.orders).iter().find(|it| it.name == name).cloned();
        found.ok_or_else(|| Failure::new(410, "this order is no longer kept; ask for it again"))
    }
}

impl Timeline {
    fn run(&self, snapshot: &Snapshot, trace: i64) {
        let build = || -> Result<Lanes> {
            let database = snapshot.connect()?;
            database.start(BUILD)?;
            let mut tell = |states| self.states.store(states, Ordering::Relaxed);
            Ok(Lanes::build(&database, trace, &mut tell)?)
        };
        let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(build));
        let built = match built {
            Ok(built) => built.map(Arc::new).map_err(|failure| failure.error),
            Err(_) => Err("gotrace failed here; please report it".into()),
        };
        *lock(&self.built) = Some(built);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
