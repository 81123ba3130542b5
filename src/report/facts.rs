//! What is known of a trace before it is judged: totals, shares, places.

use super::ask::{self, Row};
use super::memory::{self, Memory};
use super::program::is_program;
use super::waits::{self, Waits};
use crate::store::{Activity, Database, StoreError};
use std::collections::{BTreeMap, HashMap};

/// Most goroutines that are looked at for having been left behind. More than that are told by their
/// number alone.
const MAX_LEFT: i64 = 100_000;

/// How many of the busiest goroutines are kept.
const MAX_BUSIEST: usize = 50;

/// Most procs a program can have; more are damage. Go's own limit is the machine's threads.
const MAX_PROCS: i64 = 1 << 20;

/// What is known of one trace.
pub struct Facts {
    /// The trace.
    pub trace: TraceFacts,
    /// Where goroutines spent their time, by the function they began with, most running time first.
    pub functions: Vec<FunctionFacts>,
    /// What the procs did; all 0 if the trace does not tell.
    pub procs: ProcFacts,
    /// Time in each state at each place.
    pub places: Vec<Place>,
    /// How many goroutines ran and were ready, over time.
    pub activity: Activity,
    /// Garbage collections, the heap, pauses.
    pub memory: Memory,
    /// Goroutines that wait when the trace ends.
    pub left: Vec<LeftGoroutine>,
    /// Which code started how many goroutines.
    pub creations: Vec<Creation>,
    /// The busiest goroutines of the program, busiest first.
    pub busiest: Vec<BusyGoroutine>,
    /// Waits one by one, of the goroutines that waited most.
    pub waits: Waits,
}

/// The row of `traces`, as far as the report shows it.
pub struct TraceFacts {
    /// Row in `traces`.
    pub id: i64,
    /// What was loaded, as the user named it.
    pub source: String,
    /// Which Go releases write its format.
    pub written_by: String,
    /// Nanoseconds from the first to the last event.
    pub duration_ns: i64,
    /// GOMAXPROCS as last seen; `None` if the trace does not tell.
    pub gomaxprocs: Option<i64>,
    /// Ordered events.
    pub events: i64,
    /// Places where a part is missing.
    pub gaps: i64,
    /// Bytes that could not be used.
    pub lost_bytes: i64,
    /// Wall time at the start, nanoseconds since 1970; `None` before Go 1.25.
    pub start_unix_ns: Option<i64>,
}

/// The goroutines that began with the same function.
#[derive(Debug, Clone, Default)]
pub struct FunctionFacts {
    /// The function; `None` for goroutines of which no stack was seen.
    pub name: Option<String>,
    /// How many goroutines.
    pub goroutines: i64,
    /// How many of them were started in the trace.
    pub started: i64,
    /// How many of them ended in the trace.
    pub ended: i64,
    /// Where their time went.
    pub time: Time,
}

/// Goroutine time by what it was spent on, nanoseconds.
#[derive(Debug, Clone, Default)]
pub struct Time {
    /// Running.
    pub running_ns: i64,
    /// Ready to run, without a proc.
    pub ready_ns: i64,
    /// In system calls, with a proc or without.
    pub syscall_ns: i64,
    /// Waiting, by its kind, as in [`Place`].
    pub waiting: BTreeMap<String, i64>,
}

impl Time {
    fn add(&mut self, other: &Time) {
        self.running_ns += other.running_ns;
        self.ready_ns += other.ready_ns;
        self.syscall_ns += other.syscall_ns;
        for (kind, ns) in &other.waiting {
            *self.waiting.entry(kind.clone()).or_default() += ns;
        }
    }

    /// Time spent waiting, for whatever kind of reason.
    pub fn waiting_ns(&self) -> i64 {
        self.waiting.values().sum()
    }

    /// All of it.
    pub fn total_ns(&self) -> i64 {
        self.running_ns + self.ready_ns + self.syscall_ns + self.waiting_ns()
    }

    /// Time in which goroutines did something, or wanted to: all but waiting.
    pub fn active_ns(&self) -> i64 {
        self.running_ns + self.ready_ns + self.syscall_ns
    }
}

/// What all procs together did, nanoseconds.
#[derive(Debug, Clone, Default)]
pub struct ProcFacts {
    /// Ran goroutines, those of the runtime included.
    pub goroutine_ns: i64,
    /// Kept to a goroutine in a system call.
    pub syscall_ns: i64,
    /// Had a thread that looked for work.
    pub scheduler_ns: i64,
    /// Had no thread.
    pub idle_ns: i64,
}

impl ProcFacts {
    /// All of it.
    pub fn total_ns(&self) -> i64 {
        self.goroutine_ns + self.syscall_ns + self.scheduler_ns + self.idle_ns
    }
}

/// A row of `state_totals`: goroutines of one function in one state at one place.
#[derive(Debug, Clone)]
pub struct Place {
    /// 'running', 'runnable', 'waiting' or 'syscall'.
    pub state: String,
    /// Why, in the runtime's words.
    pub reason: Option<String>,
    /// What kind of waiting: `reasons.kind`, but "sync" for locks that are no mutexes.
    pub kind: Option<String>,
    /// Where the goroutines were; row in `stacks`.
    pub stack_id: Option<i64>,
    /// The function the goroutines began with.
    pub name: Option<String>,
    /// The function in which the program waits.
    pub place: Option<String>,
    /// The whole stack.
    pub stack: String,
    /// How often.
    pub spans: i64,
    /// How long in all.
    pub total_ns: i64,
    /// The longest.
    pub max_ns: i64,
    /// When the longest began.
    pub max_start_ns: i64,
    /// Whether the longest was still under way when the trace ended.
    pub max_is_open: bool,
    /// The goroutine of the longest.
    pub max_goid: Option<i64>,
}

/// A goroutine that waits when the trace ends.
#[derive(Debug, Clone)]
pub struct LeftGoroutine {
    /// The runtime's number.
    pub goid: i64,
    /// The function it began with.
    pub name: Option<String>,
    /// When it was created, or first seen.
    pub created_ns: i64,
    /// Whether it is older than the trace.
    pub existed_before: bool,
    /// Where it was started; row in `stacks`.
    pub create_stack_id: Option<i64>,
    /// When it began to wait.
    pub since_ns: i64,
    /// How long it waits already.
    pub waited_ns: i64,
    /// Where it waits; row in `stacks`.
    pub stack_id: Option<i64>,
    /// Why, in the runtime's words; empty if the trace does not tell.
    pub reason: String,
    /// What kind of waiting.
    pub kind: String,
}

/// Goroutines of one function that were started at one place.
#[derive(Debug, Clone, Default)]
pub struct Creation {
    /// Where the `go` statement is; row in `stacks`.
    pub stack_id: Option<i64>,
    /// The function they begin with.
    pub name: Option<String>,
    /// How many.
    pub goroutines: i64,
    /// How long they ran, summed over them.
    pub running_ns: i64,
    /// How long they were ready to run, summed over them.
    pub ready_ns: i64,
    /// How long they existed, summed over them.
    pub total_ns: i64,
}

/// A goroutine that was busy: running, ready to run or in system calls.
#[derive(Debug, Clone)]
pub struct BusyGoroutine {
    /// Row in `goroutines`.
    pub id: i64,
    /// The runtime's number.
    pub goid: i64,
    /// The function it began with.
    pub name: Option<String>,
    /// Its row in `functions`.
    function: Option<i64>,
    /// How long it was busy.
    pub busy_ns: i64,
    /// How long of that it ran.
    pub running_ns: i64,
}

impl Facts {
    /// Reads what is to be known of a trace.
    pub fn read(database: &Database, trace: TraceFacts) -> Result<Facts, StoreError> {
        let id = trace.id;
        let places = read_places(database, id)?;
        let sums = Sums::read(database, id)?.finish(&read_names(database)?, &places);
        let mut functions: Vec<FunctionFacts> = sums.functions.into_values().collect();
        functions.sort_by(|a, b| {
            b.time.running_ns.cmp(&a.time.running_ns).then_with(|| a.name.cmp(&b.name))
        });
        let mut creations: Vec<Creation> = sums.creations.into_values().collect();
        creations.sort_by(|a, b| {
            b.goroutines.cmp(&a.goroutines).then_with(|| a.stack_id.cmp(&b.stack_id))
        });
        Ok(Facts {
            functions,
            procs: read_procs(database, id)?,
            places,
            activity: database.activity(id, trace.duration_ns)?,
            memory: memory::read(database, id, trace.duration_ns)?,
            left: read_left(database, id)?,
            creations,
            busiest: sums.busiest,
            waits: waits::read(database, id)?,
            trace,
        })
    }

    /// GOMAXPROCS, or 1 where the trace does not tell.
    pub fn procs(&self) -> i64 {
        self.trace.gomaxprocs.unwrap_or(1).max(1)
    }

    /// The time that all procs have together, nanoseconds.
    pub fn procs_ns(&self) -> i64 {
        self.trace.duration_ns.saturating_mul(self.procs())
    }

    /// The functions of the program, those of the runtime left out.
    pub fn program(&self) -> impl Iterator<Item = &FunctionFacts> {
        self.functions.iter().filter(|function| is_program(function.name.as_deref()))
    }

    /// Where the time of the program's goroutines went.
    pub fn program_time(&self) -> Time {
        let mut time = Time::default();
        self.program().for_each(|function| time.add(&function.time));
        time
    }

    /// The places of the program's goroutines in a state.
    pub fn places_in(&self, state: &str) -> impl Iterator<Item = &Place> {
        let state = state.to_owned();
        self.places
            .iter()
            .filter(move |place| place.state == state && is_program(place.name.as_deref()))
    }
}

/// The traces of a database.
pub fn traces(database: &Database) -> Result<Vec<TraceFacts>, StoreError> {
    let sql = "select id, source, written_by, duration_ns, gomaxprocs, events, gaps, lost_bytes,
                 start_unix_ns
               from traces order by id";
    let row = |row: &Row<'_>| TraceFacts {
        id: row.value("id"),
        source: row.text("source").unwrap_or_default(),
        written_by: row.text("written_by").unwrap_or_default(),
        duration_ns: row.value("duration_ns").max(0),
        gomaxprocs: row.integer("gomaxprocs").map(|procs| procs.clamp(0, MAX_PROCS)),
        events: row.sum("events"),
        gaps: row.sum("gaps"),
        lost_bytes: row.sum("lost_bytes"),
        start_unix_ns: row.integer("start_unix_ns"),
    };
    ask::rows(database, sql, &[], row)
}

/// What is summed over goroutines one by one.
#[derive(Default)]
struct Sums {
    functions: HashMap<Option<i64>, FunctionFacts>,
    creations: HashMap<(Option<i64>, Option<i64>), Creation>,
    busiest: Vec<BusyGoroutine>,
}

impl Sums {
    /// One pass over the goroutines: of a trace with many, grouping them in SQL takes longer.
    fn read(database: &Database, trace: i64) -> Result<Sums, StoreError> {
        let sql = "select id, goid, function_id, create_stack_id, existed_before, ended_ns is null as is_left,
                     running_ns, runnable_ns, syscall_ns + syscall_blocked_ns as syscall_ns, total_ns
                   from raw_goroutines where trace_id = :trace";
        let mut sums = Sums::default();
        ask::each(database, sql, &[("trace", trace)], |row| sums.add(row))?;
        Ok(sums)
    }

    fn add(&mut self, row: &Row<'_>) {
        let (function, is_new) = (row.integer("function_id"), row.value("existed_before") == 0);
        let (running_ns, ready_ns, syscall_ns) =
            (row.sum("running_ns"), row.sum("runnable_ns"), row.sum("syscall_ns"));
        let facts = self.functions.entry(function).or_default();
        facts.goroutines += 1;
        facts.started += i64::from(is_new);
        facts.ended += i64::from(row.value("is_left") == 0);
        facts.time.running_ns += running_ns;
        facts.time.ready_ns += ready_ns;
        facts.time.syscall_ns += syscall_ns;
        if is_new {
            let creation =
                self.creations.entry((row.integer("create_stack_id"), function)).or_default();
            creation.goroutines += 1;
            creation.running_ns += running_ns;
            creation.ready_ns += ready_ns;
            creation.total_ns += row.sum("total_ns");
        }
        let busy_ns = running_ns + ready_ns + syscall_ns;
        if self.busiest.len() < MAX_BUSIEST || busy_ns > self.busiest[MAX_BUSIEST - 1].busy_ns {
            let at = self.busiest.partition_point(|one| one.busy_ns >= busy_ns);
            let (id, goid) = (row.value("id"), row.value("goid"));
            let one = BusyGoroutine { id, goid, name: None, function, busy_ns, running_ns };
            self.busiest.insert(at, one);
            self.busiest.truncate(MAX_BUSIEST);
        }
    }

    /// Gives the functions their names, and their goroutines the time they waited.
    fn finish(mut self, names: &HashMap<i64, String>, places: &[Place]) -> Sums {
        let name = |function: Option<i64>| names.get(&function?).cloned();
        for (function, facts) in &mut self.functions {
            facts.name = name(*function);
        }
        let mut waiting: HashMap<Option<&str>, BTreeMap<String, i64>> = HashMap::new();
        for place in places.iter().filter(|place| place.state == "waiting") {
            let kinds = waiting.entry(place.name.as_deref()).or_default();
            *kinds.entry(place.kind.clone().unwrap_or_default()).or_default() += place.total_ns;
        }
        for facts in self.functions.values_mut() {
            facts.time.waiting = waiting.remove(&facts.name.as_deref()).unwrap_or_default();
        }
        for ((stack_id, function), creation) in &mut self.creations {
            (creation.stack_id, creation.name) = (*stack_id, name(*function));
        }
        for one in &mut self.busiest {
            one.name = name(one.function);
        }
        self.busiest.retain(|one| is_program(one.name.as_deref()));
        self
    }
}

fn read_names(database: &Database) -> Result<HashMap<i64, String>, StoreError> {
    let mut names = HashMap::new();
    ask::each(database, "select id, name from functions", &[], |row| {
        names.insert(row.value("id"), row.text("name").unwrap_or_default());
    })?;
    Ok(names)
}

fn read_procs(database: &Database, trace: i64) -> Result<ProcFacts, StoreError> {
    let sql = "select sum(goroutine_ns) as goroutine_ns, sum(syscall_ns) as syscall_ns,
                 sum(running_ns - goroutine_ns - syscall_ns) as scheduler_ns, sum(idle_ns) as idle_ns
               from procs where trace_id = :trace";
    let procs = |row: &Row<'_>| ProcFacts {
        goroutine_ns: row.sum("goroutine_ns"),
        syscall_ns: row.sum("syscall_ns"),
        scheduler_ns: row.sum("scheduler_ns").max(0),
        idle_ns: row.sum("idle_ns"),
    };
    let rows = ask::rows(database, sql, &[("trace", trace)], procs)?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

fn read_places(database: &Database, trace: i64) -> Result<Vec<Place>, StoreError> {
    // The name in the totals may be one that was not yet known then; the goroutine has it.
    let sql = "select t.state, t.reason, t.kind, t.stack_id, coalesce(t.name, g.name) as name, t.spans,
                 t.total_ns, t.max_ns, coalesce(s.start_ns, 0) as max_start_ns, s.code >> 7 & 1 as max_is_open,
                 g.goid as max_goid,
                 stack_user(t.stack_id) as place, stack(t.stack_id) as stack
               from state_totals t
               join goroutines g on g.id = t.max_goroutine_id
               left join raw_goroutine_states s on s.id = t.max_state_id
               where t.trace_id = :trace
               order by t.total_ns desc, t.stack_id, t.name";
    let place = |row: &Row<'_>| Place {
        state: row.text("state").unwrap_or_default(),
        reason: row.text("reason"),
        kind: kind(row.text("kind"), row.text("stack").as_deref()),
        stack_id: row.integer("stack_id"),
        name: row.text("name"),
        spans: row.sum("spans"),
        total_ns: row.sum("total_ns"),
        max_ns: row.value("max_ns").max(0),
        max_start_ns: row.value("max_start_ns"),
        max_is_open: row.value("max_is_open") != 0,
        max_goid: row.integer("max_goid"),
        place: row.text("place"),
        stack: row.text("stack").unwrap_or_default(),
    };
    ask::rows(database, sql, &[("trace", trace)], place)
}

/// The kind of a wait. The runtime has one reason, "sync", for everything that is built on its
/// semaphores; the stack tells mutexes from wait groups, condition variables and the like.
fn kind(kind: Option<String>, stack: Option<&str>) -> Option<String> {
    match kind.as_deref() {
        Some("lock") if !stack.is_some_and(is_mutex) => Some("sync".into()),
        _ => kind,
    }
}

/// Whether the innermost frames of a stack are those of locking a mutex.
pub fn is_mutex(stack: &str) -> bool {
    let frames = stack.lines().filter(|line| !line.starts_with('\t'));
    let first = frames
        .skip_while(|frame| frame.starts_with("runtime.") || frame.starts_with("sync.runtime_"))
        .find(|frame| !frame.starts_with("internal/sync."))
        .unwrap_or("");
    ["sync.(*Mutex).", "sync.(*RWMutex)."].iter().any(|mutex| first.starts_with(mutex))
}

fn read_left(database: &Database, trace: i64) -> Result<Vec<LeftGoroutine>, StoreError> {
    let sql =
        "select g.goid, f.name, g.created_ns, g.existed_before, g.create_stack_id, s.start_ns as since_ns,
                 s.duration_ns as waited_ns, s.stack_id, r.name as reason, r.kind
               from raw_goroutines g
               left join functions f on f.id = g.function_id
               cross join raw_goroutine_states s on s.id = (
                 select max(last_state) from raw_state_ranges r where r.goroutine_id = g.id)
               join reasons r on r.id = s.code >> 8
               where g.trace_id = :trace and g.ended_ns is null and s.code & 7 = 4
               limit :limit";
    let left = |row: &Row<'_>| LeftGoroutine {
        goid: row.value("goid"),
        name: row.text("name"),
        created_ns: row.value("created_ns"),
        existed_before: row.value("existed_before") != 0,
        create_stack_id: row.integer("create_stack_id"),
        since_ns: row.value("since_ns"),
        waited_ns: row.sum("waited_ns"),
        stack_id: row.integer("stack_id"),
        reason: row.text("reason").unwrap_or_default(),
        kind: row.text("kind").unwrap_or_default(),
    };
    let parameters = [("trace", trace), ("limit", MAX_LEFT)];
    ask::rows(database, sql, &parameters, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutexes_are_told_from_wait_groups_by_the_stack() {
        for stack in [
            "sync.(*Mutex).Lock\n\tsync/mutex.go:90\nmain.f\n\tf.go:1",
            "sync.runtime_SemacquireMutex\n\tx\nsync.(*Mutex).lockSlow\n\tx\nsync.(*Mutex).Lock",
            "internal/sync.(*Mutex).lockSlow\n\tx\nsync.(*Mutex).Lock",
            "sync.(*RWMutex).RLock\n\tsync/rwmutex.go:72",
        ] {
            assert!(is_mutex(stack), "{stack}");
        }
        for stack in [
            "",
            "sync.(*WaitGroup).Wait\n\tsync/waitgroup.go:116\nmain.f\n\tf.go:1",
            "sync.runtime_Semacquire\n\tx\nsync.(*WaitGroup).Wait\n\tx",
            "main.f\n\tf.go:1\nsync.(*Mutex).Lock",
        ] {
            assert!(!is_mutex(stack), "{stack}");
        }
    }

    #[test]
    fn the_runtime_and_the_tracer_are_not_the_program() {
        for name in ["main.main", "runtime.main", "runtimex.f", "net/http.(*conn).serve"] {
            assert!(is_program(Some(name)), "{name}");
        }
        for name in ["runtime.bgsweep", "runtime/trace.Start.func1"] {
            assert!(!is_program(Some(name)), "{name}");
        }
        assert!(!is_program(None));
    }
}
