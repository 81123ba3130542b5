//! Measuring in a trace that was loaded into a database: its rows become the items that they were made
//! of, for what measures in traces.

use super::database::{Asker, integer, text};
use crate::analysis::{Error, Result};
use crate::model::{
    FrameData, FunctionId, Goroutine, GoroutineId, HeapTypeId, Items, MemoryBlock, MemoryKind,
    Range, RangeKind, ReasonId, Sample, StackId, State, StateSpan, Symbols, Totals, TypeData,
    Waker,
};
use crate::profile::Profile;
use crate::profile::from_trace::{TraceProfileOptions, profiles_of_items};
use crate::source::Location;
use crate::store::{Batch, Cell, ColumnInfo, Database, QueryResult, Value};
use std::collections::HashMap;

/// By `raw_goroutine_states.code`.
const STATES: [State; 8] = [
    State::Undetermined,
    State::NotExist,
    State::Runnable,
    State::Running,
    State::Waiting,
    State::Syscall,
    State::SyscallBlocked,
    State::Undetermined,
];

/// Measures in the trace with the row `wanted`, which need not be given if there is only one.
pub fn read(
    database: &Database,
    location: &Location,
    wanted: Option<i64>,
    options: &TraceProfileOptions,
) -> Result<Profile> {
    let selection = &options.selection;
    for (is_given, name) in [
        (options.is_gotool, "gotool"),
        (selection.from.is_some(), "from"),
        (selection.to.is_some(), "to"),
        (options.region.is_some(), "region"),
        (options.task.is_some(), "task"),
    ] {
        if is_given {
            return Err(Error::Usage(format!(
                "{location}: --{name} is for traces, not for databases: name the trace itself"
            )));
        }
    }
    let asker = Asker::choose(database, location, "trace", wanted)?;
    let known = Known::read(&asker)?;
    let totals = totals(&asker)?;
    let profiles =
        profiles_of_items(&known.symbols, &totals, options, |items| feed(&asker, &known, items))?;
    profiles.into_iter().next().ok_or_else(|| Error::Usage("--type: no type".into()))
}

fn totals(asker: &Asker<'_>) -> Result<Totals> {
    let rows = asker.ask("select start_unix_ns, duration_ns from traces where id = :id")?;
    let row = rows.first();
    let start_unix_ns = row.and_then(|row| maybe(&row[0]));
    let duration_ns = row.map_or(0, |row| integer(&row[1]));
    Ok(Totals { start_unix_ns, duration_ns, ..Totals::default() })
}

fn maybe(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        _ => None,
    }
}

/// Rows to ids.
#[derive(Default)]
struct Known {
    symbols: Symbols,
    functions: HashMap<i64, FunctionId>,
    stacks: HashMap<i64, StackId>,
    reasons: HashMap<i64, ReasonId>,
    goroutines: HashMap<i64, GoroutineId>,
    /// In the order of their rows.
    list: Vec<(i64, Goroutine)>,
}

impl Known {
    fn read(asker: &Asker<'_>) -> Result<Known> {
        let mut known = Known::default();
        for row in asker.ask("select id, name, file from functions order by id")? {
            let (name, file) = (text(&row[1]).as_bytes(), text(&row[2]).as_bytes());
            known.functions.insert(integer(&row[0]), known.symbols.function(name, file));
        }
        for row in asker.ask("select id, name from reasons order by id")? {
            known.reasons.insert(integer(&row[0]), known.symbols.reason(text(&row[1])));
        }
        known.read_stacks(asker)?;
        let goroutines = "select id, goid, function_id, created_ns, existed_before, create_stack_id
            from raw_goroutines where trace_id = :id order by id";
        for (index, row) in asker.ask(goroutines)?.iter().enumerate() {
            let id = GoroutineId::from_index(index);
            known.goroutines.insert(integer(&row[0]), id);
            let goroutine = known.goroutine(id, row);
            known.list.push((integer(&row[0]), goroutine));
        }
        Ok(known)
    }

    fn read_stacks(&mut self, asker: &Asker<'_>) -> Result<()> {
        let mut frames = HashMap::new();
        for row in asker.ask("select id, function_id, line, pc from frames order by id")? {
            let Some(&function) = self.functions.get(&integer(&row[1])) else { continue };
            let data = FrameData {
                function,
                line: u64::try_from(integer(&row[2])).unwrap_or(0),
                pc: integer(&row[3]) as u64,
            };
            frames.insert(integer(&row[0]), self.symbols.frame(data));
        }
        let rows = asker.ask(
            "select s.id, r.frame_id from stacks s left join raw_stack_frames r
             on r.id between s.first_frame and s.first_frame + s.depth - 1 order by s.id, r.id",
        )?;
        for rows in rows.chunk_by(|a, b| integer(&a[0]) == integer(&b[0])) {
            let of_stack: Vec<u32> =
                rows.iter().filter_map(|row| frames.get(&integer(&row[1])).copied()).collect();
            self.stacks.insert(integer(&rows[0][0]), self.symbols.stack(&of_stack));
        }
        Ok(())
    }

    fn goroutine(&self, id: GoroutineId, row: &[Value]) -> Goroutine {
        Goroutine {
            id,
            goid: integer(&row[1]),
            function: self.functions.get(&integer(&row[2])).copied(),
            created_by: Waker { goroutine: None, stack: self.stack(&row[5]) },
            created_ns: integer(&row[3]),
            existed_before: integer(&row[4]) != 0,
            // Nothing that measures asks for these.
            started_ns: None,
            ended_ns: None,
            last_state: State::Undetermined,
            running_ns: 0,
            runnable_ns: 0,
            waiting_ns: 0,
            syscall_ns: 0,
            syscall_blocked_ns: 0,
            total_ns: 0,
            waits: Vec::new(),
            mark_assist_ns: 0,
            sweep_ns: 0,
            stop_the_world_ns: 0,
        }
    }

    fn stack(&self, value: &Value) -> Option<StackId> {
        self.stacks.get(&maybe(value)?).copied()
    }
}

/// Samples and mark assists, by the row of their goroutine; 0 for none.
struct Events {
    samples: HashMap<i64, Vec<Sample>>,
    assists: HashMap<i64, Vec<Range>>,
}

impl Events {
    fn read(asker: &Asker<'_>, known: &Known) -> Result<Events> {
        let mut events = Events { samples: HashMap::new(), assists: HashMap::new() };
        let samples = "select goroutine_id, time_ns, stack_id from cpu_samples
            where trace_id = :id order by id";
        for row in asker.ask(samples)? {
            let goroutine = integer(&row[0]);
            events.samples.entry(goroutine).or_default().push(Sample {
                time_ns: integer(&row[1]),
                goroutine: known.goroutines.get(&goroutine).copied(),
                proc: -1,
                thread: -1,
                stack: known.stack(&row[2]),
            });
        }
        let assists = "select goroutine_id, start_ns, duration_ns, stack_id from ranges
            where trace_id = :id and name = 'GC mark assist' order by id";
        for row in asker.ask(assists)? {
            let goroutine = integer(&row[0]);
            events.assists.entry(goroutine).or_default().push(Range {
                kind: RangeKind::MarkAssist,
                goroutine: known.goroutines.get(&goroutine).copied(),
                proc: -1,
                start_ns: integer(&row[1]),
                duration_ns: integer(&row[2]),
                open_start: false,
                open_end: false,
                stack: known.stack(&row[3]),
                swept: None,
            });
        }
        Ok(events)
    }

    fn hand_out(&self, goroutine: i64, known: &Known, items: &mut dyn Items) {
        for sample in self.samples.get(&goroutine).into_iter().flatten() {
            items.sample(sample);
        }
        for assist in self.assists.get(&goroutine).into_iter().flatten() {
            items.range(assist, &known.symbols);
        }
    }
}

/// Hands out everything there is to measure.
fn feed(asker: &Asker<'_>, known: &Known, items: &mut dyn Items) -> Result<()> {
    let events = Events::read(asker, known)?;
    let mut feeder = Feeder { known, events: &events, items, next: 0, is_begun: false };
    // The ranges are few, and the spans of each are in order already: only ranges are sorted. The
    // limit keeps SQLite from dropping the order of a subquery.
    asker.ask_each(
        "select r.goroutine_id, s.start_ns, s.duration_ns, s.code, s.stack_id, s.woken_stack_id
         from (
           select a.goroutine_id as goroutine_id, a.first_state as first_state, a.last_state as last_state
           from raw_goroutines g join raw_state_ranges a on a.goroutine_id = g.id
           where g.trace_id = :id order by a.goroutine_id, a.first_state limit -1
         ) r
         cross join raw_goroutine_states s on s.id between r.first_state and r.last_state",
        &mut feeder,
    )?;
    feeder.finish_until(None);
    events.hand_out(0, known, items);
    feed_memory(asker, known, items)
}

/// Hands out goroutines as their spans come.
struct Feeder<'a> {
    known: &'a Known,
    events: &'a Events,
    items: &'a mut dyn Items,
    /// The goroutine that is handed out, by its place in the list.
    next: usize,
    /// Whether it has begun.
    is_begun: bool,
}

impl Feeder<'_> {
    /// Hands out whole goroutines up to one, which begins; or all.
    fn finish_until(&mut self, row: Option<i64>) {
        while let Some((current, goroutine)) = self.known.list.get(self.next) {
            if !self.is_begun {
                self.is_begun = true;
                self.items.goroutine_begins(goroutine);
            }
            if row == Some(*current) {
                return;
            }
            self.events.hand_out(*current, self.known, self.items);
            self.items.goroutine(goroutine);
            self.next += 1;
            self.is_begun = false;
        }
    }
}

impl QueryResult for Feeder<'_> {
    fn columns(&mut self, _: &[ColumnInfo]) -> std::io::Result<()> {
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> std::io::Result<()> {
        (0..batch.rows()).for_each(|row| self.state(batch, row));
        Ok(())
    }
}

impl Feeder<'_> {
    /// Hands out the state that stands in a row.
    fn state(&mut self, batch: &Batch, row: usize) {
        let maybe = |column| match batch.cell(row, column) {
            Cell::Integer(number) => Some(number),
            _ => None,
        };
        let integer = |column| maybe(column).unwrap_or(0);
        let stack = |column| self.known.stacks.get(&maybe(column)?).copied();
        self.finish_until(Some(integer(0)));
        let Some((_, goroutine)) = self.known.list.get(self.next) else { return };
        let code = integer(3);
        self.items.state(&StateSpan {
            goroutine: goroutine.id,
            function: goroutine.function,
            start_ns: integer(1),
            duration_ns: integer(2),
            state: STATES[(code & 7) as usize],
            from: STATES[(code >> 3 & 7) as usize],
            open_start: code & 64 != 0,
            open_end: code & 128 != 0,
            reason: self.known.reasons.get(&(code >> 8)).copied(),
            stack: stack(4),
            proc: -1,
            thread: None,
            waker: Waker { goroutine: None, stack: stack(5) },
        });
    }
}

fn feed_memory(asker: &Asker<'_>, known: &Known, items: &mut dyn Items) -> Result<()> {
    let mut types = HashMap::new();
    let rows = asker
        .ask("select id, name, size_bytes from heap_types where trace_id = :id order by id")?;
    for (index, row) in rows.iter().enumerate() {
        let id = HeapTypeId::from_index(index);
        types.insert(integer(&row[0]), id);
        let size_bytes = u64::try_from(integer(&row[2])).unwrap_or(0);
        items.heap_type(id, &TypeData { name: text(&row[1]).into(), size_bytes, pointer_bytes: 0 });
    }
    let objects = "select type_id, allocated_ns, goroutine_id from raw_heap_objects
        where trace_id = :id order by id";
    for row in asker.ask(objects)? {
        items.memory_block(&MemoryBlock {
            kind: MemoryKind::Object { ty: types.get(&integer(&row[0])).copied() },
            address: 0,
            allocated_ns: maybe(&row[1]),
            freed_ns: None,
            goroutine: known.goroutines.get(&integer(&row[2])).copied(),
        });
    }
    Ok(())
}
