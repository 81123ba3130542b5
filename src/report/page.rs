//! The words and tables that all forms of the report share.

use super::TraceReport;
use super::facts::{Facts, FunctionFacts, Time};
use super::finding::{counted, grouped, percent, share};
use super::program::is_program;
use crate::store::{human_bytes, human_ns};

/// Most functions in the table of where the time went.
const MAX_FUNCTIONS: usize = 8;

/// A part of a whole, to be shown as a share.
pub struct Part {
    /// What it is.
    pub name: String,
    /// A stable word for it, which decides about its colour.
    pub key: String,
    /// How much of the whole.
    pub ns: i64,
}

impl Part {
    fn new(name: impl Into<String>, key: impl Into<String>, ns: i64) -> Part {
        Part { name: name.into(), key: key.into(), ns }
    }
}

/// The first line: what this is about.
pub fn title(facts: &Facts) -> String {
    let trace = &facts.trace;
    let mut title = format!("{}: {}", trace.source, human_ns(trace.duration_ns));
    if let Some(procs) = trace.gomaxprocs {
        title.push_str(&format!(", {}", counted(procs, "proc")));
    }
    title.push_str(&format!(", {}, {}", counted(trace.events, "event"), trace.written_by));
    title
}

/// What the procs did with their time.
pub fn proc_parts(facts: &Facts) -> Vec<Part> {
    let procs = &facts.procs;
    let program_ns = facts.program().map(|one| one.time.running_ns).sum::<i64>();
    vec![
        Part::new("running the program", "running", program_ns.min(procs.goroutine_ns)),
        Part::new(
            "running the runtime, such as the garbage collector",
            "runtime",
            (procs.goroutine_ns - program_ns).max(0),
        ),
        Part::new("in system calls", "syscall", procs.syscall_ns),
        Part::new("looking for work", "scheduler", procs.scheduler_ns),
        Part::new("idle", "idle", procs.idle_ns),
    ]
}

/// What the program's goroutines did with their time.
pub fn time_parts(time: &Time) -> Vec<Part> {
    let mut parts = vec![
        Part::new("running", "running", time.running_ns),
        Part::new("ready to run", "ready", time.ready_ns),
        Part::new("in system calls", "syscall", time.syscall_ns),
    ];
    let mut waiting: Vec<Part> =
        time.waiting.iter().map(|(kind, &ns)| Part::new(kind_words(kind), kind, ns)).collect();
    waiting.sort_by(|a, b| b.ns.cmp(&a.ns).then_with(|| a.name.cmp(&b.name)));
    parts.extend(waiting);
    parts.retain(|part| part.ns > 0);
    parts
}

/// A kind of waiting in words.
pub fn kind_words(kind: &str) -> String {
    match kind {
        "network" => "waiting for the network".into(),
        "lock" => "waiting for locks".into(),
        "sync" => "waiting for wait groups and the like".into(),
        "channel" => "waiting for channels".into(),
        "select" => "waiting in a select".into(),
        "sleep" => "sleeping".into(),
        "gc" => "waiting for the collector".into(),
        "forever" => "waiting for ever".into(),
        "runtime" => "waiting for the runtime".into(),
        "unknown" => "waiting, the trace does not tell for what".into(),
        _ => "waiting for something else".into(),
    }
}

/// Shares of a whole in a sentence: `40% idle, 35% running`.
fn shares(parts: &[Part]) -> String {
    let total: i64 = parts.iter().map(|part| part.ns).sum();
    let shown: Vec<String> = parts
        .iter()
        .filter(|part| share(part.ns, total) >= 0.0005)
        .map(|part| format!("{} {}", percent(share(part.ns, total)), part.name))
        .collect();
    shown.join(", ")
}

/// What the program did: a label and a sentence each.
pub fn overview(facts: &Facts) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let trace = &facts.trace;
    if trace.lost_bytes > 0 || trace.gaps > 0 {
        lines.push((
            "damage",
            format!(
                "a part of the trace is missing ({} could not be used, {}); the numbers are about what is left",
                counted(trace.lost_bytes, "byte"),
                counted(trace.gaps, "gap"),
            ),
        ));
    }
    if facts.procs.total_ns() > 0 {
        lines.push(("procs", shares(&proc_parts(facts))));
    }
    lines.push(("goroutines", goroutines(facts)));
    let time = facts.program_time();
    if time.total_ns() > 0 {
        lines.push(("their time", shares(&time_parts(&time))));
    }
    lines.push(("memory", memory(facts)));
    lines
}

fn goroutines(facts: &Facts) -> String {
    let sum = |value: fn(&FunctionFacts) -> i64| facts.program().map(value).sum::<i64>();
    let program = sum(|one| one.goroutines);
    let others = facts.functions.iter().map(|one| one.goroutines).sum::<i64>() - program;
    let ended = sum(|one| one.ended);
    format!(
        "{} of the program ({} started, {} ended, {} there at the end), {} of the runtime",
        grouped(program),
        grouped(sum(|one| one.started)),
        grouped(ended),
        grouped(program - ended),
        grouped(others)
    )
}

fn memory(facts: &Facts) -> String {
    let memory = &facts.memory;
    let mut text = match memory.cycles.len() {
        0 => "no garbage collection".to_owned(),
        count => {
            let mark_ns: i64 = memory.cycles.iter().map(|cycle| cycle.mark_ns).sum();
            format!(
                "{}, marking {} of the time",
                counted(count as i64, "garbage collection"),
                percent(share(mark_ns, facts.trace.duration_ns).min(1.0))
            )
        }
    };
    if let Some(bytes) = memory.max_heap_bytes {
        text.push_str(&format!("; heap up to {}", human_bytes(bytes as f64)));
    }
    if memory.allocated_bytes > 0 {
        text.push_str(&format!(", {} allocated", human_bytes(memory.allocated_bytes as f64)));
    }
    if let Some(longest) = memory.pauses.iter().max_by_key(|pause| pause.duration_ns) {
        let total_ns: i64 = memory.pauses.iter().map(|pause| pause.duration_ns).sum();
        text.push_str(&format!(
            "; {}, {} in all, the longest {}",
            counted(memory.pauses.len() as i64, "pause"),
            human_ns(total_ns),
            human_ns(longest.duration_ns)
        ));
    }
    text
}

/// The head of the table of where the time went.
pub const FUNCTION_COLUMNS: [&str; 7] =
    ["goroutines beginning with", "number", "running", "ready", "in calls", "waiting", "mostly"];

/// Where the program's goroutines spent their time, by the function they began with.
pub fn function_rows(facts: &Facts) -> Vec<[String; 7]> {
    let mut functions: Vec<&FunctionFacts> = facts.program().collect();
    // What is active matters more than what waits.
    functions.sort_by(|a, b| {
        (b.time.active_ns(), b.time.total_ns(), &a.name).cmp(&(
            a.time.active_ns(),
            a.time.total_ns(),
            &b.name,
        ))
    });
    let row = |one: &&FunctionFacts| {
        let mostly = one.time.waiting.iter().max_by_key(|(_, ns)| **ns);
        let total = one.time.total_ns();
        [
            function_name(one),
            grouped(one.goroutines),
            human_ns(one.time.running_ns),
            human_ns(one.time.ready_ns),
            human_ns(one.time.syscall_ns),
            human_ns(one.time.waiting_ns()),
            mostly.filter(|(_, ns)| **ns * 4 > total).map_or(String::new(), |(kind, ns)| {
                format!("{}, {}", kind_words(kind), percent(share(*ns, total)))
            }),
        ]
    };
    functions.iter().take(MAX_FUNCTIONS).map(row).collect()
}

/// The name of a group, for people: the main goroutine begins in the runtime.
fn function_name(one: &FunctionFacts) -> String {
    match one.name.as_deref() {
        Some("runtime.main") => "the main goroutine".into(),
        Some(name) => name.into(),
        None => "unknown".into(),
    }
}

/// How many functions of the program are not in the table.
pub fn hidden_functions(facts: &Facts) -> usize {
    let all = facts.functions.iter().filter(|one| is_program(one.name.as_deref())).count();
    all.saturating_sub(MAX_FUNCTIONS)
}

/// What a finding costs, beside the number: how many goroutines that would be all the time.
pub fn cost(report: &TraceReport, cost_ns: i64) -> String {
    let goroutines = share(cost_ns, report.facts.trace.duration_ns);
    format!("costs {}, {goroutines:.1} goroutines' time", human_ns(cost_ns))
}

/// What is said where nothing was found.
pub fn nothing_found() -> String {
    format!(
        "Nothing: none of the {} rules applies. Where to look on: gotrace queries",
        super::RULES.len()
    )
}
