//! Waits one by one: who ended them, and what those did meanwhile.
//!
//! Totals by place are summed while a trace is loaded; who ended which wait is not, so it is read
//! from the states. Of a large trace only a part is read: the goroutines that waited longest for
//! others, up to a number of states. The report tells how much of the waiting that covers.

use super::ask;
use super::program::is_program;
use crate::store::{Database, StoreError};
use std::collections::HashMap;

/// Most goroutines whose waits are read.
const MAX_GOROUTINES: i64 = 64;
/// Most states that are looked at for waits.
const MAX_STATES: i64 = 300_000;
/// Most states that are read of a goroutine to know what it did while others waited for it.
const MAX_HOLDER_STATES: i64 = 100_000;

/// One wait.
#[derive(Debug, Clone, Copy)]
pub struct Wait {
    /// The goroutine that waited: row in `goroutines`.
    pub goroutine_id: i64,
    /// When it began.
    pub start_ns: i64,
    /// When it ended.
    pub end_ns: i64,
    /// Where: row in `stacks`.
    pub stack_id: Option<i64>,
    /// The goroutine that ended it: row in `goroutines`.
    pub woken_by: Option<i64>,
    /// Where that one was: row in `stacks`.
    pub woken_stack_id: Option<i64>,
}

/// The waits that were read.
#[derive(Debug, Default)]
pub struct Waits {
    /// The waits, those of each goroutine in order of time.
    pub all: Vec<Wait>,
}

/// Reads the waits of the goroutines that waited longest for locks, channels and the like.
pub fn read(database: &Database, trace: i64) -> Result<Waits, StoreError> {
    let sql = "with waiters as (
                 select w.goroutine_id as id, sum(w.total_ns) as total_ns
                 from raw_goroutine_waits w
                 join raw_goroutines g on g.id = w.goroutine_id
                 join reasons r on r.id = w.reason_id
                 where g.trace_id = :trace and r.kind in ('lock', 'channel', 'select')
                 group by 1 order by 2 desc, 1 limit :goroutines
               ), parts as materialized (
                 select r.goroutine_id, r.first_state, r.last_state,
                   sum(r.last_state - r.first_state + 1) over (order by r.id) as seen
                 from waiters w
                 cross join raw_state_ranges r on r.goroutine_id = w.id
               )
               select p.goroutine_id, (select f.name from goroutines g
                   join functions f on f.id = g.function_id where g.id = p.goroutine_id) as name,
                 s.start_ns, s.duration_ns, s.stack_id, s.woken_by_id, s.woken_stack_id
               from parts p
               cross join raw_goroutine_states s on s.id between p.first_state and p.last_state
               where p.seen <= :states and s.code & 7 = 4
                 and s.code >> 8 in (
                   select id from reasons where kind in ('lock', 'channel', 'select'))
                 -- Locks of the collector are no locks of the program.
                 and (s.stack_id is null or s.stack_id not in (
                   select id from stacks where wait_kind in ('gc start', 'gc mark done')))";
    let mut waits = Waits::default();
    let parameters = [("trace", trace), ("goroutines", MAX_GOROUTINES), ("states", MAX_STATES)];
    ask::each(database, sql, &parameters, |row| {
        if is_program(row.text("name").as_deref()) {
            waits.all.push(Wait {
                goroutine_id: row.value("goroutine_id"),
                start_ns: row.value("start_ns"),
                end_ns: row.value("start_ns") + row.sum("duration_ns"),
                stack_id: row.integer("stack_id"),
                woken_by: row.integer("woken_by_id"),
                woken_stack_id: row.integer("woken_stack_id"),
            });
        }
    })?;
    Ok(waits)
}

/// A state of a goroutine.
#[derive(Debug, Clone)]
pub struct State {
    /// When it began.
    pub start_ns: i64,
    /// When it ended.
    pub end_ns: i64,
    /// What it did.
    pub doing: Doing,
    /// Where it was when it began: row in `stacks`; `None` for running and ready.
    pub stack_id: Option<i64>,
}

/// What a goroutine did in a state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doing {
    /// It ran.
    Running,
    /// It was ready to run.
    Ready,
    /// It was in a system call.
    Syscall,
    /// It waited, for this kind of reason.
    Waiting(String),
}

impl Doing {
    /// In words that go behind "it".
    pub fn words(&self) -> String {
        match self {
            Doing::Running => "ran".into(),
            Doing::Ready => "was ready to run".into(),
            Doing::Syscall => "was in system calls".into(),
            Doing::Waiting(kind) => match kind.as_str() {
                "network" => "waited for the network".into(),
                "lock" => "waited for another lock".into(),
                "channel" => "waited for a channel".into(),
                "select" => "waited in a select".into(),
                "sleep" => "slept".into(),
                "gc" => "helped the garbage collector".into(),
                _ => "waited".into(),
            },
        }
    }
}

/// The states of a goroutine in order, as many as may be read.
pub fn states(database: &Database, goroutine_id: i64) -> Result<Vec<State>, StoreError> {
    let sql = "select s.start_ns, s.duration_ns, s.code & 7 as state, r.kind, s.stack_id
               from raw_state_ranges p
               cross join raw_goroutine_states s on s.id between p.first_state and p.last_state
               left join reasons r on r.id = s.code >> 8
               where p.goroutine_id = :goroutine
               order by p.id, s.id limit :states";
    let mut states = Vec::new();
    let parameters = [("goroutine", goroutine_id), ("states", MAX_HOLDER_STATES)];
    ask::each(database, sql, &parameters, |row| {
        states.push(State {
            start_ns: row.value("start_ns"),
            end_ns: row.value("start_ns") + row.sum("duration_ns"),
            doing: match row.value("state") {
                2 => Doing::Ready,
                3 => Doing::Running,
                5 | 6 => Doing::Syscall,
                _ => Doing::Waiting(row.text("kind").unwrap_or_default()),
            },
            stack_id: row.integer("stack_id"),
        });
    })?;
    Ok(states)
}

/// What goroutines did between two moments each, added up.
#[derive(Debug, Default)]
pub struct Meanwhile {
    /// By what they did and where: how long.
    pub parts: HashMap<(Doing, Option<i64>), i64>,
    /// How long in all.
    pub total_ns: i64,
}

impl Meanwhile {
    /// Adds what a goroutine did between two moments.
    pub fn add(&mut self, states: &[State], start_ns: i64, end_ns: i64) {
        let first = states.partition_point(|state| state.end_ns <= start_ns);
        for state in states[first..].iter().take_while(|state| state.start_ns < end_ns) {
            let ns = state.end_ns.min(end_ns) - state.start_ns.max(start_ns);
            let part = self.parts.entry((state.doing.clone(), state.stack_id)).or_default();
            *part = part.saturating_add(ns);
            // One that overlaps another, in a damaged database, counts twice.
            self.total_ns = self.total_ns.saturating_add(ns);
        }
    }

    /// What they did, longest first, with the place at which they did most of it.
    pub fn shares(&self) -> Vec<(Doing, i64, Option<i64>)> {
        let mut parts: Vec<_> = self.parts.iter().collect();
        parts.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        let mut shares: Vec<(Doing, i64, Option<i64>)> = Vec::new();
        for ((doing, stack_id), &ns) in parts {
            match shares.iter_mut().find(|share| share.0 == *doing) {
                Some(share) => share.1 = share.1.saturating_add(ns),
                None => shares.push((doing.clone(), ns, *stack_id)),
            }
        }
        shares.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_meanwhile_is_clipped_and_added_up_by_what_was_done() {
        let state = |start_ns, end_ns, doing, stack_id| State { start_ns, end_ns, doing, stack_id };
        let network = || Doing::Waiting("network".into());
        let states = [
            state(0, 10, Doing::Running, None),
            state(10, 40, network(), Some(1)),
            state(40, 50, network(), Some(2)),
            state(50, 60, Doing::Running, None),
        ];
        let mut meanwhile = Meanwhile::default();
        meanwhile.add(&states, 5, 55);
        meanwhile.add(&states, 45, 48);
        assert_eq!(meanwhile.total_ns, 53);
        assert_eq!(meanwhile.shares(), [(network(), 43, Some(1)), (Doing::Running, 10, None)]);
        let mut nothing = Meanwhile::default();
        nothing.add(&states, 60, 90);
        assert!(nothing.shares().is_empty());
    }
}
