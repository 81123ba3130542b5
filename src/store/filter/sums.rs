//! The sums over what a filter leaves, in one pass over the states.

use crate::store::StoreError;
use crate::store::budget::Work;
use crate::store::tables::states::{State, States};
use rusqlite::{Connection, Result, params};
use rustc_hash::FxHashMap;

/// Makes `filter_sums` (goroutines), `filter_proc_sums`, `filter_thread_sums`, `raw_goroutine_waits`
/// and `raw_state_totals`.
pub fn make(connection: &Connection, work: &Work) -> std::result::Result<(), StoreError> {
    connection.execute_batch(
        "create temp table filter_sums (
           id integer primary key not null, created_ns, last_ns, started_ns, last_state, running_ns,
           runnable_ns, waiting_ns, syscall_ns, syscall_blocked_ns);
         create temp table raw_goroutine_waits (
           id integer primary key not null, goroutine_id, reason_id, waits, total_ns, max_ns);
         create temp table raw_state_totals (
           id integer primary key not null, trace_id, state, reason_id, stack_id, function_id,
           woken_stack_id, spans, total_ns, max_ns, max_state_id, max_goroutine_id);
         create temp table filter_proc_sums (trace_id, proc, goroutine_ns, syscall_ns);
         create temp table filter_thread_sums (
           id integer primary key not null, running_ns, syscall_ns);",
    )?;
    let mut pass = Pass::default();
    let goroutines = goroutines(connection, work)?;
    let mut last = None;
    States::open(connection, work)?.each_of(
        |state| Some(*state),
        |id, state| {
            let one = match last {
                Some((before, one)) if before == id => one,
                _ => goroutines.get(&id).copied().unwrap_or_default(),
            };
            last = Some((id, one));
            pass.add(i64::from(id), one, &state, work)
        },
    )?;
    connection.execute_batch("begin")?;
    let written = pass.write(connection);
    connection.execute_batch(if written.is_ok() { "commit" } else { "rollback" })?;
    Ok(written?)
}

/// Trace and start function of a goroutine.
type Origin = (i64, Option<i64>);

fn goroutines(connection: &Connection, work: &Work) -> Result<FxHashMap<u32, Origin>> {
    let mut statement =
        connection.prepare("select id, trace_id, function_id from main.raw_goroutines")?;
    let mut rows = statement.query([])?;
    let mut goroutines = FxHashMap::default();
    while let Some(row) = rows.next()? {
        work.room_in(&goroutines)?;
        goroutines.insert(row.get(0)?, (row.get(1)?, row.get(2)?));
    }
    Ok(goroutines)
}

/// Sums of a goroutine; the array is by state - 2.
struct Goroutine {
    created: i64,
    last: i64,
    started: Option<i64>,
    last_state: i64,
    by_state: [i64; 5],
}

#[derive(Default, Clone, Copy)]
struct Sum {
    spans: i64,
    total: i64,
    max: i64,
    max_state: i64,
    max_goroutine: i64,
}

impl Sum {
    fn add(&mut self, goroutine: i64, state: &State) {
        if self.spans == 0 || state.duration() > self.max {
            self.max = state.duration();
            (self.max_state, self.max_goroutine) = (state.id, goroutine);
        }
        self.spans += 1;
        self.total = self.total.saturating_add(state.duration());
    }
}

#[derive(PartialEq, Eq, Hash, PartialOrd, Ord, Clone, Copy)]
struct Place {
    trace: i64,
    state: i64,
    reason: Option<i64>,
    stack: Option<i64>,
    function: Option<i64>,
    woken_stack: Option<i64>,
}

#[derive(Default)]
struct Pass {
    goroutines: FxHashMap<i64, Goroutine>,
    waits: FxHashMap<(i64, i64), Sum>,
    places: FxHashMap<Place, Sum>,
    procs: FxHashMap<(i64, i64), (i64, i64)>,
    threads: FxHashMap<i64, (i64, i64)>,
}

impl Pass {
    fn add(
        &mut self,
        id: i64,
        (trace, function): Origin,
        state: &State,
        work: &Work,
    ) -> Result<()> {
        let kind = state.state();
        let known = |row: i64| Some(row).filter(|row| *row != 0);
        let reason = known(state.reason());
        let duration = state.duration();
        work.room_in(&self.goroutines)?;
        let goroutine = self.goroutines.entry(id).or_insert(Goroutine {
            created: state.start,
            last: state.end,
            started: None,
            last_state: kind,
            by_state: [0; 5],
        });
        goroutine.created = goroutine.created.min(state.start);
        if state.end >= goroutine.last {
            (goroutine.last, goroutine.last_state) = (state.end, kind);
        }
        if kind == 3 && goroutine.started.is_none_or(|started| state.start < started) {
            goroutine.started = Some(state.start);
        }
        if let Some(sum) = goroutine.by_state.get_mut((kind - 2).max(0) as usize) {
            *sum = sum.saturating_add(duration);
        }
        if let (4, Some(reason)) = (kind, reason) {
            work.room_in(&self.waits)?;
            self.waits.entry((id, reason)).or_default().add(id, state);
        }
        let place = Place {
            trace,
            state: kind,
            reason,
            stack: known(state.stack.into()),
            function,
            woken_stack: known(state.woken_stack.into()),
        };
        work.room_in(&self.places)?;
        self.places.entry(place).or_default().add(id, state);
        if matches!(kind, 3 | 5) && state.proc >= 0 {
            work.room_in(&self.procs)?;
            let sums = self.procs.entry((trace, state.proc.into())).or_default();
            let sum = if kind == 3 { &mut sums.0 } else { &mut sums.1 };
            *sum = sum.saturating_add(duration);
        }
        if let (3 | 5 | 6, Some(thread)) = (kind, known(state.thread.into())) {
            work.room_in(&self.threads)?;
            let sums = self.threads.entry(thread).or_default();
            let sum = if kind == 3 { &mut sums.0 } else { &mut sums.1 };
            *sum = sum.saturating_add(duration);
        }
        Ok(())
    }

    fn write(self, connection: &Connection) -> Result<()> {
        let mut insert = connection
            .prepare("insert into filter_sums values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
        for (id, one) in sorted(self.goroutines) {
            let [runnable, running, waiting, syscall, blocked] = one.by_state;
            insert.execute(params![
                id,
                one.created,
                one.last,
                one.started,
                one.last_state,
                running,
                runnable,
                waiting,
                syscall,
                blocked
            ])?;
        }
        let mut insert = connection
            .prepare("insert into raw_goroutine_waits values (null, ?1, ?2, ?3, ?4, ?5)")?;
        for ((goroutine, reason), sum) in sorted(self.waits) {
            insert.execute(params![goroutine, reason, sum.spans, sum.total, sum.max])?;
        }
        let mut insert = connection.prepare(
            "insert into raw_state_totals
             values (null, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?;
        for (place, sum) in sorted(self.places) {
            insert.execute(params![
                place.trace,
                place.state,
                place.reason,
                place.stack,
                place.function,
                place.woken_stack,
                sum.spans,
                sum.total,
                sum.max,
                sum.max_state,
                sum.max_goroutine
            ])?;
        }
        let mut insert =
            connection.prepare("insert into filter_proc_sums values (?1, ?2, ?3, ?4)")?;
        for ((trace, proc), (goroutine, syscall)) in sorted(self.procs) {
            insert.execute(params![trace, proc, goroutine, syscall])?;
        }
        let mut insert =
            connection.prepare("insert into filter_thread_sums values (?1, ?2, ?3)")?;
        for (thread, (running, syscall)) in sorted(self.threads) {
            insert.execute(params![thread, running, syscall])?;
        }
        Ok(())
    }
}

fn sorted<K: Ord + Copy, V>(map: FxHashMap<K, V>) -> Vec<(K, V)> {
    let mut all: Vec<(K, V)> = map.into_iter().collect();
    all.sort_unstable_by_key(|(key, _)| *key);
    all
}
