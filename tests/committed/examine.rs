//! Reading any bytes as a trace, and checking that what comes out makes sense whatever went in.

use super::source_of;
use gotrace::diagnostic::{Code, Diagnostic};
use gotrace::export::EventText;
use gotrace::model::*;
use gotrace::order::{Event, Sink, Sync, TraceReader};
use gotrace::wire::v2::spec::MAX_BATCH_SIZE;
use gotrace::wire::v2::{Generation, Tables};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What came out of a trace.
pub struct Examined {
    /// Ordered events, synchronisation points not counted.
    pub events: u64,
    /// Generations in the order of the trace: number and events.
    pub generations: Vec<(u64, u64)>,
    /// What was repaired, skipped or lost.
    pub diagnostics: Vec<Diagnostic>,
}

impl Examined {
    /// Events of a generation; 0 if it is not there.
    pub fn events_of(&self, number: u64) -> u64 {
        self.generations.iter().find(|one| one.0 == number).map_or(0, |one| one.1)
    }
}

/// Reads bytes into the model and into text. `Ok(None)` if they are refused as a whole, with an error
/// that names a byte. An error tells what does not make sense, or what panicked.
pub fn examine(bytes: &[u8]) -> Result<Option<Examined>, String> {
    match catch_unwind(AssertUnwindSafe(|| read(bytes))) {
        Ok(result) => result,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("?");
            Err(format!("panicked: {text}"))
        }
    }
}

fn read(bytes: &[u8]) -> Result<Option<Examined>, String> {
    let len = bytes.len() as u64;
    let reader = match TraceReader::new(source_of(bytes)) {
        Ok(reader) => reader,
        Err(error) if error.offset > len => return Err(format!("refused behind the end: {error}")),
        Err(_) => return Ok(None),
    };
    let mut items = CheckedItems::default();
    let mut symbols = Symbols::default();
    let mut both = Both {
        builder: Builder::new(&mut items, &mut symbols),
        text: EventText::new(std::io::sink()),
        events: 0,
        syncs: 0,
        last_time: i64::MIN,
        generations: Vec::new(),
        has_ended: false,
        problem: None,
    };
    let outcome = reader.read(&mut both);
    let totals = both.builder.totals();
    let Both { events, generations, has_ended, problem, .. } = both;
    if let Some(problem) = problem {
        return Err(problem);
    }
    let check = |is_fine: bool, what: &str| if is_fine { Ok(()) } else { Err(what.to_owned()) };
    check(has_ended, "the trace has no end")?;
    check(outcome.events == events, "the events are counted wrongly")?;
    check(totals.events == events, "the model counts other events")?;
    check(generations.len() as u64 == totals.generations, "the generations are counted wrongly")?;
    check(generations.is_sorted_by(|a, b| a.0 < b.0), "generations are not in order")?;
    check(outcome.size_bytes == len, "the input was not read to its end")?;
    items.finish(&symbols, &totals)?;
    let diagnostics = outcome.diagnostics.finish();
    for one in &diagnostics {
        check(one.offset.is_none_or(|offset| offset <= len), &format!("behind the end: {one}"))?;
        // Of a batch that is cut off, what is missing is counted too.
        let most = len + u64::from(one.code == Code::TruncatedBatch) * MAX_BATCH_SIZE;
        check(one.lost_bytes <= most, &format!("more lost than there was: {one}"))?;
    }
    // An event takes two bytes, and one event of a thread may become three.
    check(events <= 3 * len, "there are more events than bytes")?;
    Ok(Some(Examined { events, generations, diagnostics }))
}

/// Hands events on to the model and to the text.
struct Both<'a> {
    builder: Builder<'a, CheckedItems>,
    text: EventText<std::io::Sink>,
    events: u64,
    syncs: u64,
    last_time: i64,
    generations: Vec<(u64, u64)>,
    has_ended: bool,
    problem: Option<String>,
}

impl Both<'_> {
    fn moment(&mut self, time: i64) {
        if time <= self.last_time {
            self.problem.get_or_insert(format!("time {time} behind {}", self.last_time));
        }
        self.last_time = time;
    }
}

impl Sink for Both<'_> {
    fn sync(&mut self, sync: &Sync, generation: Option<&Generation>) {
        self.moment(sync.time);
        self.syncs += 1;
        if sync.n != self.syncs || self.has_ended {
            self.problem.get_or_insert(format!(
                "synchronisation point {} is number {}",
                self.syncs, sync.n
            ));
        }
        match generation {
            Some(generation) => self.generations.push((generation.number, 0)),
            None => self.has_ended = true,
        }
        self.text.sync(sync, generation);
        self.builder.sync(sync, generation);
    }

    fn gap(&mut self) {
        self.text.gap();
        self.builder.gap();
    }

    fn event(&mut self, event: &Event, tables: &Tables) {
        self.moment(event.time);
        self.events += 1;
        match self.generations.last_mut() {
            Some(last) if !self.has_ended => last.1 += 1,
            _ => {
                self.problem.get_or_insert("an event of no generation".into());
            }
        }
        self.text.event(event, tables);
        self.builder.event(event, tables);
    }
}

/// What is known about a goroutine or proc whose spans come.
#[derive(Default, Clone)]
struct Spans {
    end_ns: Option<i64>,
    first_ns: i64,
    open_end: bool,
    total_ns: i64,
    is_complete: bool,
}

impl Spans {
    fn add(
        &mut self,
        start_ns: i64,
        duration_ns: i64,
        open_start: bool,
        open_end: bool,
    ) -> Result<(), String> {
        let place = || format!("span at {start_ns} of {duration_ns} ns");
        if self.is_complete {
            return Err(format!("{} behind the end", place()));
        }
        if start_ns < 0 || duration_ns < 0 {
            return Err(format!("{} is negative", place()));
        }
        match self.end_ns {
            None => self.first_ns = start_ns,
            Some(end_ns) if start_ns == end_ns && !self.open_end => {}
            Some(end_ns) if start_ns >= end_ns && self.open_end && open_start => {}
            Some(end_ns) => return Err(format!("{} does not follow the end at {end_ns}", place())),
        }
        self.end_ns = Some(
            start_ns.checked_add(duration_ns).ok_or_else(|| format!("{} overflows", place()))?,
        );
        self.open_end = open_end;
        self.total_ns += duration_ns;
        Ok(())
    }
}

/// Takes model items and checks each.
#[derive(Default)]
struct CheckedItems {
    goroutines: Vec<Spans>,
    procs: Vec<Spans>,
    threads: usize,
    max_stack: i64,
    max_reason: i64,
    max_end_ns: i64,
    events: u64,
    problem: Option<String>,
}

fn at<T: Default + Clone>(all: &mut Vec<T>, index: usize) -> &mut T {
    if index >= all.len() {
        all.resize(index + 1, T::default());
    }
    &mut all[index]
}

impl CheckedItems {
    fn note(&mut self, what: &str, result: Result<(), String>) {
        if let Err(problem) = result
            && self.problem.is_none()
        {
            self.problem = Some(format!("{what}: {problem}"));
        }
    }

    fn need(&mut self, what: &str, is_fine: bool) {
        self.note(what, if is_fine { Ok(()) } else { Err("wrong".into()) });
    }

    fn stack(&mut self, stack: Option<StackId>) {
        self.max_stack = self.max_stack.max(stack.map_or(0, StackId::row));
    }

    fn interval(&mut self, what: &str, start_ns: i64, duration_ns: i64) {
        self.need(
            what,
            start_ns >= 0 && duration_ns >= 0 && start_ns.checked_add(duration_ns).is_some(),
        );
        self.max_end_ns = self.max_end_ns.max(start_ns.saturating_add(duration_ns));
    }

    fn finish(mut self, symbols: &Symbols, totals: &Totals) -> Result<(), String> {
        self.need("a goroutine is not complete", self.goroutines.iter().all(|one| one.is_complete));
        self.need("goroutines", self.goroutines.len() as u64 == totals.goroutines);
        self.need("a proc is not complete", self.procs.iter().all(|one| one.is_complete));
        self.need("stack ids", self.max_stack <= symbols.stacks().count() as i64);
        self.need("reason ids", self.max_reason <= symbols.reasons().count() as i64);
        self.need("duration", self.max_end_ns <= totals.duration_ns);
        self.need("events of generations", self.events == totals.events);
        self.problem.map_or(Ok(()), Err)
    }
}

impl Items for CheckedItems {
    fn state(&mut self, span: &StateSpan) {
        let spans = at(&mut self.goroutines, span.goroutine.index());
        let result = spans.add(span.start_ns, span.duration_ns, span.open_start, span.open_end);
        self.note("state", result);
        self.interval("state", span.start_ns, span.duration_ns);
        self.stack(span.stack);
        self.stack(span.waker.stack);
        self.max_reason = self.max_reason.max(span.reason.map_or(0, ReasonId::row));
        self.need("waiting has a reason", span.state != State::Waiting || span.reason.is_some());
        self.need("state is known", !matches!(span.state, State::Undetermined | State::NotExist));
    }

    fn goroutine(&mut self, one: &Goroutine) {
        let spans = at(&mut self.goroutines, one.id.index());
        let is_twice = std::mem::replace(&mut spans.is_complete, true);
        let spans = spans.clone();
        self.need("goroutine is there twice", !is_twice);
        let states = [
            one.running_ns,
            one.runnable_ns,
            one.waiting_ns,
            one.syscall_ns,
            one.syscall_blocked_ns,
        ];
        self.need("total is the sum", states.iter().sum::<i64>() == one.total_ns);
        self.need("total is that of the spans", spans.total_ns == one.total_ns);
        self.need(
            "waits are the waiting",
            one.waits.iter().map(|wait| wait.total_ns).sum::<i64>() == one.waiting_ns,
        );
        self.need("goroutine has a span", spans.end_ns.is_some());
        self.need("created", spans.first_ns == one.created_ns);
        self.need(
            "ended",
            one.ended_ns.is_none_or(|end_ns| spans.end_ns == Some(end_ns) && !spans.open_end),
        );
        self.need("not ended", one.ended_ns.is_some() || spans.open_end);
        self.need("started", one.started_ns.is_none_or(|start_ns| start_ns >= one.created_ns));
        self.need(
            "ranges",
            one.mark_assist_ns >= 0 && one.sweep_ns >= 0 && one.stop_the_world_ns >= 0,
        );
        self.stack(one.created_by.stack);
    }

    fn proc_span(&mut self, span: &ProcSpan) {
        let spans = at(&mut self.procs, span.proc.index());
        let result = spans.add(span.start_ns, span.duration_ns, span.open_start, span.open_end);
        self.note("proc state", result);
        self.interval("proc state", span.start_ns, span.duration_ns);
    }

    fn proc(&mut self, row: ProcRow, one: &Proc) {
        let spans = at(&mut self.procs, row.index());
        spans.is_complete = true;
        let total_ns = spans.total_ns;
        self.need("proc sums", one.running_ns + one.idle_ns == total_ns);
        self.need("proc parts", one.goroutine_ns + one.syscall_ns <= one.running_ns);
        self.need("proc number", one.first_ns >= 0);
    }

    fn thread(&mut self, row: ThreadRow, one: &Thread) {
        self.need("threads in order", row.index() == self.threads);
        self.threads += 1;
        self.interval("thread", one.first_ns, one.last_ns - one.first_ns);
        self.need("thread sums", one.running_ns >= 0 && one.syscall_ns >= 0);
    }

    fn range(&mut self, range: &Range, symbols: &Symbols) {
        if let RangeKind::StopTheWorld(reason) = range.kind {
            let _ = symbols.reason_name(reason);
        }
        self.interval("range", range.start_ns, range.duration_ns);
        self.stack(range.stack);
    }

    fn gc_cycle(&mut self, cycle: &GcCycle) {
        self.interval("gc cycle", cycle.start_ns, cycle.duration_ns);
        let parts = [
            Some(cycle.assist_ns),
            Some(cycle.background_ns),
            Some(cycle.idle_ns),
            cycle.sweep_termination_pause_ns,
            cycle.mark_termination_pause_ns,
        ];
        self.need("gc cycle parts", parts.iter().flatten().all(|&part| part >= 0));
        self.stack(cycle.stack);
    }

    fn metric(&mut self, metric: &Metric) {
        self.interval("metric", metric.time_ns, 0);
    }

    fn task(&mut self, task: &Task) {
        let start_ns = task.start_ns.unwrap_or(0);
        self.interval("task", start_ns, task.end_ns.unwrap_or(start_ns) - start_ns);
        self.stack(task.stack);
    }

    fn region(&mut self, region: &Region<'_>) {
        let start_ns = region.start_ns.unwrap_or(0);
        self.interval("region", start_ns, region.end_ns.unwrap_or(start_ns) - start_ns);
        self.stack(region.stack);
        self.stack(region.end_stack);
    }

    fn log(&mut self, log: &Log<'_>) {
        self.interval("log", log.time_ns, 0);
        self.stack(log.stack);
    }

    fn label(&mut self, label: &Label<'_>) {
        self.interval("label", label.time_ns, 0);
    }

    fn sample(&mut self, sample: &Sample) {
        self.interval("sample", sample.time_ns, 0);
        self.stack(sample.stack);
    }

    fn generation(&mut self, generation: &GenerationSpan) {
        self.interval("generation", generation.start_ns, 0);
        self.events += generation.events;
    }
}
