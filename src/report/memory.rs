//! Garbage collections, the heap and pauses of a trace.

use super::ask;
use crate::store::{Database, StoreError};

/// Into how many points the curve of the heap is reduced.
const HEAP_POINTS: usize = 240;

/// What is known of the memory.
#[derive(Default)]
pub struct Memory {
    /// The collections, in order.
    pub cycles: Vec<Cycle>,
    /// Pauses of the whole program, in order; those for starting and ending the trace left out.
    pub pauses: Vec<Pause>,
    /// Where goroutines had to help marking, most time first.
    pub assists: Vec<AssistPlace>,
    /// How much the heap grew, collections left out of account: what was allocated, bytes.
    pub allocated_bytes: i64,
    /// What collections left of the heap, in order: each value that is smaller than the one before it.
    pub kept_bytes: Vec<i64>,
    /// How far the heap grew from each of these to the next collection that made it smaller.
    pub grown_bytes: Vec<i64>,
    /// The largest live heap; `None` if the trace does not tell.
    pub max_heap_bytes: Option<i64>,
    /// The heap over time, thinned out.
    pub heap: Vec<HeapPoint>,
}

/// A row of `gc_cycles`.
pub struct Cycle {
    /// When the mark phase began.
    pub start_ns: i64,
    /// How long it lasted.
    pub mark_ns: i64,
    /// Time goroutines helped, summed over them.
    pub assist_ns: i64,
    /// Time of dedicated and fractional mark workers, summed over them.
    pub background_ns: i64,
    /// What triggered it: row in `stacks`.
    pub stack_id: Option<i64>,
}

/// A row of `stop_the_world`.
pub struct Pause {
    /// Why, in the runtime's words.
    pub kind: String,
    /// When stopping began.
    pub start_ns: i64,
    /// Until the world was started again.
    pub duration_ns: i64,
    /// Where it was asked for: row in `stacks`.
    pub stack_id: Option<i64>,
}

/// Mark assists at one place.
pub struct AssistPlace {
    /// The function of the program that allocated.
    pub place: Option<String>,
    /// How many.
    pub assists: i64,
    /// How long in all.
    pub total_ns: i64,
    /// A stack of it: row in `stacks`.
    pub stack_id: Option<i64>,
}

/// The heap in a piece of the trace.
#[derive(Debug, Clone, Copy)]
pub struct HeapPoint {
    /// When the piece begins.
    pub time_ns: i64,
    /// The largest live heap in it.
    pub live_bytes: i64,
    /// The collector's goal at its end; `None` if there was none yet.
    pub goal_bytes: Option<i64>,
}

/// Reads what is known.
pub fn read(database: &Database, trace: i64, duration_ns: i64) -> Result<Memory, StoreError> {
    let mut memory = Memory::default();
    read_cycles(database, trace, &mut memory)?;
    read_pauses(database, trace, &mut memory)?;
    read_assists(database, trace, &mut memory)?;
    read_heap(database, trace, duration_ns, &mut memory)?;
    Ok(memory)
}

fn read_cycles(database: &Database, trace: i64, memory: &mut Memory) -> Result<(), StoreError> {
    let sql = "select start_ns, duration_ns, assist_ns, background_ns, stack_id
               from gc_cycles where trace_id = :trace order by start_ns";
    ask::each(database, sql, &[("trace", trace)], |row| {
        memory.cycles.push(Cycle {
            start_ns: row.value("start_ns"),
            mark_ns: row.sum("duration_ns"),
            assist_ns: row.sum("assist_ns"),
            background_ns: row.sum("background_ns"),
            stack_id: row.integer("stack_id"),
        });
    })
}

fn read_pauses(database: &Database, trace: i64, memory: &mut Memory) -> Result<(), StoreError> {
    let sql = "select kind, start_ns, duration_ns, stack_id
               from stop_the_world
               where trace_id = :trace and kind not in ('start trace', 'stop trace')
               order by start_ns";
    ask::each(database, sql, &[("trace", trace)], |row| {
        memory.pauses.push(Pause {
            kind: row.text("kind").unwrap_or_default(),
            start_ns: row.value("start_ns"),
            duration_ns: row.sum("duration_ns"),
            stack_id: row.integer("stack_id"),
        });
    })
}

fn read_assists(database: &Database, trace: i64, memory: &mut Memory) -> Result<(), StoreError> {
    // stack_id is that of the longest: SQLite takes bare columns from the row of max().
    let sql =
        "select stack_user(stack_id) as place, sum(times) as times, sum(total_ns) as total_ns,
                 max(longest_ns) as longest_ns, stack_id
               from (
                 select stack_id, count(*) as times, sum(duration_ns) as total_ns,
                   max(duration_ns) as longest_ns
                 from ranges where trace_id = :trace and name = 'GC mark assist'
                 group by stack_id)
               group by 1 order by 3 desc, 1";
    ask::each(database, sql, &[("trace", trace)], |row| {
        memory.assists.push(AssistPlace {
            place: row.text("place"),
            assists: row.sum("times"),
            total_ns: row.sum("total_ns"),
            stack_id: row.integer("stack_id"),
        });
    })
}

fn read_heap(
    database: &Database,
    trace: i64,
    duration_ns: i64,
    memory: &mut Memory,
) -> Result<(), StoreError> {
    let sql = "select time_ns, value, name = 'heap_goal_bytes' as is_goal
               from metrics
               where trace_id = :trace and name in ('heap_live_bytes', 'heap_goal_bytes')
               order by time_ns, id";
    let piece_ns = (duration_ns.max(1) / HEAP_POINTS as i64).max(1);
    let (mut live, mut goal) = (None::<i64>, None);
    ask::each(database, sql, &[("trace", trace)], |row| {
        let (time_ns, value) = (row.value("time_ns"), row.value("value"));
        if row.value("is_goal") != 0 {
            // The largest goal there is means that there is none (GOGC=off).
            goal = row.integer("value").filter(|&value| value < i64::MAX);
        } else {
            // The runtime counts up what is allocated, and sets the count to what was marked when a
            // mark phase ends (Go runtime/mgcpacer.go, resetLive): a smaller value is a collection.
            if let Some(before) = live.filter(|&before| value < before) {
                if let Some(&kept) = memory.kept_bytes.last() {
                    memory.grown_bytes.push(before - kept);
                }
                memory.kept_bytes.push(value);
            }
            let grown = live.map_or(0, |before| (value - before).max(0));
            memory.allocated_bytes = memory.allocated_bytes.saturating_add(grown);
            live = Some(value);
            memory.max_heap_bytes = memory.max_heap_bytes.max(Some(value));
        }
        let Some(live_bytes) = live else { return };
        let start_ns = time_ns / piece_ns * piece_ns;
        match memory.heap.last_mut() {
            Some(point) if point.time_ns == start_ns => {
                point.live_bytes = point.live_bytes.max(live_bytes);
                point.goal_bytes = goal;
            }
            _ => memory.heap.push(HeapPoint { time_ns: start_ns, live_bytes, goal_bytes: goal }),
        }
    })
}
