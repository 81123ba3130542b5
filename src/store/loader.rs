//! Model items to rows.

use super::StoreError;
use super::insert::RowWriter;
use super::relations::*;
use super::states::{StateStage, TraceBase, known};
use crate::diagnostic::Diagnostic;
use crate::model;
use crate::model::{FunctionId, ReasonId, StackId, Symbols, wait_kinds};
use crate::wire::Version;
use crate::wire::v2::EventType;
use rusqlite::Connection;

/// What the loader must be told about a trace that the model does not know.
pub struct LoadedTrace<'a> {
    /// The source, as the user named it.
    pub source: &'a str,
    /// Its format.
    pub version: Version,
    /// Its length after unpacking.
    pub size_bytes: u64,
    /// The model's totals.
    pub totals: model::Totals,
    /// What was repaired, skipped or lost.
    pub diagnostics: &'a [Diagnostic],
    /// Bytes lost over all diagnostics.
    pub lost_bytes: u64,
    /// Events lost over all diagnostics.
    pub lost_events: u64,
}

/// Row numbers used so far.
#[derive(Default, Clone, Copy)]
pub(super) struct Counts {
    goroutines: i64,
    goroutine_waits: i64,
    procs: i64,
    proc_states: i64,
    threads: i64,
    ranges: i64,
    gc_cycles: i64,
    metrics: i64,
    tasks: i64,
    regions: i64,
    logs: i64,
    labels: i64,
    samples: i64,
    generations: i64,
    diagnostics: i64,
    gc_workers: i64,
    heap_types: i64,
    heap_objects: i64,
    heap_spans: i64,
    goroutine_stacks: i64,
    event_counts: i64,
    pub(super) profiles: i64,
    pub(super) profile_types: i64,
    pub(super) profile_samples: i64,
    pub(super) profile_values: i64,
    pub(super) profile_labels: i64,
}

/// How far the row numbers of a database have come between two sources.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    next: Counts,
    traces: i64,
    /// States, ranges, totals.
    states: [i64; 3],
}

impl Numbers {
    /// Those of a database.
    pub(super) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let last = |table: &str, column: &str| -> Result<i64, StoreError> {
            let sql = format!("select coalesce(max({column}), 0) from main.{table}");
            Ok(connection.query_row(&sql, [], |row| row.get(0))?)
        };
        let id = |table: &str| last(table, "id");
        let samples = last("raw_profile_samples", "sample_id")?;
        let next = Counts {
            goroutines: id("raw_goroutines")?,
            goroutine_waits: id("raw_goroutine_waits")?,
            procs: id("procs")?,
            proc_states: id("raw_proc_states")?,
            threads: id("threads")?,
            ranges: id("ranges")?,
            gc_cycles: id("gc_cycles")?,
            metrics: id("metrics")?,
            tasks: id("tasks")?,
            regions: id("regions")?,
            logs: id("logs")?,
            labels: id("labels")?,
            samples: id("cpu_samples")?,
            generations: id("generations")?,
            diagnostics: id("diagnostics")?,
            gc_workers: id("gc_workers")?,
            heap_types: id("heap_types")?,
            heap_objects: id("raw_heap_objects")?,
            heap_spans: id("heap_spans")?,
            goroutine_stacks: id("goroutine_stacks")?,
            event_counts: id("event_counts")?,
            profiles: id("profiles")?,
            profile_types: id("profile_types")?,
            profile_samples: samples.max(last("profile_labels", "sample_id")?),
            profile_values: id("raw_profile_samples")?,
            profile_labels: id("profile_labels")?,
        };
        let states =
            [id("raw_goroutine_states")?, id("raw_state_ranges")?, id("raw_state_totals")?];
        Ok(Numbers { next, traces: id("traces")?, states })
    }

    /// The last trace.
    pub(super) fn traces(&self) -> i64 {
        self.traces
    }

    /// The last profile.
    pub(super) fn profiles(&self) -> i64 {
        self.next.profiles
    }
}

/// How many symbols are written already.
#[derive(Default)]
struct Written {
    functions: usize,
    frames: usize,
    stacks: usize,
    reasons: usize,
}

/// Writes the items of one trace after the other. The first error of the writer stops all writing
/// and is returned by the next method that can.
pub struct Loader<W: RowWriter> {
    writer: W,
    error: Option<StoreError>,
    trace_id: i64,
    pub(super) next: Counts,
    /// What `next` was when the current trace began: ids of the model count from 1 in each trace.
    pub(super) base: Counts,
    states: StateStage<W>,
    written: Written,
}

impl<W: RowWriter> Loader<W> {
    /// A loader into an empty database. Goroutine states are most of all rows, so they go through a
    /// writer of their own.
    pub fn new(writer: W, state_writer: W) -> Self {
        Self::with_stage(writer, StateStage::inline(state_writer))
    }

    /// The same with the states written by another thread.
    pub fn in_parallel(writer: W, state_writer: W) -> Result<Self, StoreError>
    where
        W: Send + 'static,
    {
        Ok(Self::with_stage(writer, StateStage::in_parallel(state_writer)?))
    }

    fn with_stage(writer: W, states: StateStage<W>) -> Self {
        Loader {
            writer,
            error: None,
            trace_id: 1,
            next: Counts::default(),
            base: Counts::default(),
            states,
            written: Written::default(),
        }
    }

    /// A loader behind the rows that a database has, and behind the symbols it has.
    pub(super) fn going_on(writer: W, state_writer: W, numbers: Numbers, known: &Symbols) -> Self {
        let base = TraceBase {
            trace_id: numbers.traces + 1,
            goroutines: numbers.next.goroutines,
            threads: numbers.next.threads,
        };
        Loader {
            trace_id: base.trace_id,
            next: numbers.next,
            base: numbers.next,
            written: Written {
                functions: known.functions().count(),
                frames: known.frame_count(),
                stacks: known.stack_count(),
                reasons: known.reason_count(),
            },
            ..Self::with_stage(writer, StateStage::going_on(state_writer, base, numbers.states))
        }
    }

    /// Where it is, between two sources.
    pub(super) fn numbers(&self) -> Numbers {
        // Those of states may have gaps.
        Numbers { next: self.next, traces: self.trace_id - 1, states: [0; 3] }
    }

    /// Forgets what came since.
    pub(super) fn go_back(&mut self, numbers: Numbers) {
        self.trace_id = numbers.traces + 1;
        (self.next, self.base, self.error) = (numbers.next, numbers.next, None);
        self.begin_states();
    }

    fn begin_states(&mut self) {
        self.states.begin_trace(TraceBase {
            trace_id: self.trace_id,
            goroutines: self.base.goroutines,
            threads: self.base.threads,
        });
    }

    /// Completes the trace whose items have come.
    pub fn finish_trace(&mut self, trace: &LoadedTrace<'_>) -> Result<(), StoreError> {
        self.states.finish_trace()?;
        let trace_id = self.trace_id;
        for diagnostic in trace.diagnostics {
            self.next.diagnostics += 1;
            let id = self.next.diagnostics;
            self.write(&Diagnostics {
                id,
                trace_id,
                severity: diagnostic.code.severity().as_str(),
                code: diagnostic.code.as_str(),
                byte_offset: diagnostic.offset.map(signed),
                generation: diagnostic.generation.map(signed),
                thread: diagnostic.thread,
                message: &diagnostic.message,
                lost_bytes: signed(diagnostic.lost_bytes),
                lost_events: diagnostic.lost_events.map(signed),
                lost_ns: diagnostic.lost_ns.map(signed),
            });
        }
        let totals = &trace.totals;
        self.write(&Traces {
            id: trace_id,
            source: trace.source,
            format: &trace.version.to_string(),
            written_by: trace.version.written_by(),
            size_bytes: signed(trace.size_bytes),
            start_clock_ns: totals.start_clock_ns,
            start_unix_ns: totals.start_unix_ns,
            duration_ns: totals.duration_ns,
            gomaxprocs: totals.gomaxprocs.map(signed),
            events: signed(totals.events),
            generations: signed(totals.generations),
            goroutines: signed(totals.goroutines),
            gaps: signed(totals.gaps),
            lost_bytes: signed(trace.lost_bytes),
            lost_events: signed(trace.lost_events),
        });
        self.trace_id += 1;
        self.base = self.next;
        self.begin_states();
        self.take_error()
    }

    /// Writes the symbols of all traces that are not written yet, and returns both writers.
    pub fn finish(mut self, symbols: &Symbols) -> Result<(W, W), StoreError> {
        for (index, function) in symbols.functions().enumerate().skip(self.written.functions) {
            let id = FunctionId::from_index(index).row();
            self.write(&Functions { id, name: &function.name, file: &function.file });
        }
        for (index, frame) in symbols.frames().enumerate().skip(self.written.frames) {
            self.write(&Frames {
                id: index as i64 + 1,
                function_id: frame.function.row(),
                line: signed(frame.line),
                pc: frame.pc as i64,
            });
        }
        let mut first_frame = 1;
        for (index, frames) in symbols.stacks().enumerate() {
            if index < self.written.stacks {
                first_frame += frames.len() as i64;
                continue;
            }
            for (position, &frame) in frames.iter().enumerate() {
                let id = first_frame + position as i64;
                self.write(&RawStackFrames { id, frame_id: i64::from(frame) + 1 });
            }
            let names = || frames.iter().map(|&frame| symbols.function_name(frame));
            let function =
                |frame: Option<&u32>| frame.map(|&frame| symbols.function_of(frame).row());
            self.write(&Stacks {
                id: StackId::from_index(index).row(),
                first_frame,
                depth: frames.len() as i64,
                leaf_function_id: function(frames.first()),
                root_function_id: function(frames.last()),
                wait_kind: wait_kinds::wait_kind(names()),
                activity: wait_kinds::activity(names()),
            });
            first_frame += frames.len() as i64;
        }
        for (index, name) in symbols.reasons().enumerate().skip(self.written.reasons) {
            let id = ReasonId::from_index(index).row();
            self.write(&Reasons {
                id,
                name,
                kind: kind_of_reason(name),
                wait_kind: wait_kinds::kind_by_reason(name),
                is_decisive: i64::from(wait_kinds::is_decided_by_reason(name)),
            });
        }
        match self.error {
            Some(error) => Err(error),
            None => Ok((self.writer, self.states.finish()?)),
        }
    }

    /// The first error of the writer, once.
    pub(super) fn take_error(&mut self) -> Result<(), StoreError> {
        self.error.take().map_or(Ok(()), Err)
    }

    #[inline(always)]
    pub(super) fn write<R: Row>(&mut self, row: &R) {
        if self.error.is_none() {
            self.error = self.writer.write(row).err();
        }
    }

    fn goroutine_row(&self, id: model::GoroutineId) -> i64 {
        self.base.goroutines + id.row()
    }

    fn thread_row(&self, row: model::ThreadRow) -> i64 {
        self.base.threads + row.row()
    }
}

/// What kind of waiting a reason is. The words are those of Go 1.27 `runtime/traceruntime.go`,
/// traceBlockReasonStrings, and of the v1 converter.
pub fn kind_of_reason(name: &str) -> &'static str {
    match name {
        "network" => "network",
        "sync" | "sync.(*Cond).Wait" => "lock",
        "chan send" | "chan receive" => "channel",
        "select" => "select",
        "sleep" => "sleep",
        "forever" => "forever",
        "system goroutine wait" | "preempted" | "wait for debug call" | "runtime.Gosched" => {
            "runtime"
        }
        "" | "unspecified" => "unknown",
        name if name.contains("GC") => "gc",
        _ => "other",
    }
}

/// SQLite has no unsigned integers; values above 2^63-1 do not occur in sound traces.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl<W: RowWriter> model::Items for Loader<W> {
    #[inline(always)]
    fn state(&mut self, span: &model::StateSpan) {
        self.states.push(span);
    }

    fn goroutine(&mut self, item: &model::Goroutine) {
        let id = self.goroutine_row(item.id);
        self.next.goroutines = self.next.goroutines.max(id);
        self.write(&RawGoroutines {
            id,
            trace_id: self.trace_id,
            goid: item.goid,
            function_id: item.function.map(FunctionId::row),
            created_by: item.created_by.goroutine.map(|id| self.goroutine_row(id)),
            create_stack_id: item.created_by.stack.map(StackId::row),
            created_ns: item.created_ns,
            started_ns: item.started_ns,
            ended_ns: item.ended_ns,
            existed_before: i64::from(item.existed_before),
            last_state: item.last_state as i64,
            running_ns: item.running_ns,
            runnable_ns: item.runnable_ns,
            waiting_ns: item.waiting_ns,
            syscall_ns: item.syscall_ns,
            syscall_blocked_ns: item.syscall_blocked_ns,
            total_ns: item.total_ns,
            mark_assist_ns: item.mark_assist_ns,
            sweep_ns: item.sweep_ns,
            stop_the_world_ns: item.stop_the_world_ns,
        });
        for wait in &item.waits {
            self.next.goroutine_waits += 1;
            self.write(&RawGoroutineWaits {
                id: self.next.goroutine_waits,
                goroutine_id: id,
                reason_id: wait.reason.row(),
                waits: wait.waits,
                total_ns: wait.total_ns,
                max_ns: wait.max_ns,
            });
        }
    }

    fn proc_span(&mut self, span: &model::ProcSpan) {
        self.next.proc_states += 1;
        self.write(&RawProcStates {
            id: self.next.proc_states,
            proc_id: self.base.procs + span.proc.row(),
            start_ns: span.start_ns,
            duration_ns: span.duration_ns,
            is_running: i64::from(span.is_running),
            open_start: i64::from(span.open_start),
            open_end: i64::from(span.open_end),
            thread_id: span.thread.map(|row| self.thread_row(row)),
        });
    }

    fn proc(&mut self, row: model::ProcRow, proc: &model::Proc) {
        let id = self.base.procs + row.row();
        self.next.procs = id;
        self.write(&Procs {
            id,
            trace_id: self.trace_id,
            proc: proc.proc,
            first_ns: proc.first_ns,
            running_ns: proc.running_ns,
            idle_ns: proc.idle_ns,
            goroutine_ns: proc.goroutine_ns,
            syscall_ns: proc.syscall_ns,
            starts: proc.starts,
            steals: proc.steals,
        });
    }

    fn thread(&mut self, row: model::ThreadRow, thread: &model::Thread) {
        let id = self.thread_row(row);
        self.next.threads = id;
        self.write(&Threads {
            id,
            trace_id: self.trace_id,
            thread: thread.thread,
            first_ns: thread.first_ns,
            last_ns: thread.last_ns,
            events: thread.events,
            running_ns: thread.running_ns,
            syscall_ns: thread.syscall_ns,
        });
    }

    fn range(&mut self, range: &model::Range, symbols: &Symbols) {
        use model::RangeKind::*;
        self.next.ranges += 1;
        let pause;
        let (name, scope) = match range.kind {
            Mark => ("GC concurrent mark phase", "global"),
            MarkAssist => ("GC mark assist", "goroutine"),
            Sweep => ("GC incremental sweep", "proc"),
            StopTheWorld(reason) => {
                pause = format!("stop-the-world ({})", symbols.reason_name(reason));
                (pause.as_str(), "goroutine")
            }
        };
        self.write(&Ranges {
            id: self.next.ranges,
            trace_id: self.trace_id,
            name,
            scope,
            goroutine_id: range.goroutine.map(|id| self.goroutine_row(id)),
            proc: known(range.proc),
            start_ns: range.start_ns,
            duration_ns: range.duration_ns,
            open_start: i64::from(range.open_start),
            open_end: i64::from(range.open_end),
            stack_id: range.stack.map(StackId::row),
            swept_bytes: range.swept.map(|swept| signed(swept.0)),
            reclaimed_bytes: range.swept.map(|swept| signed(swept.1)),
        });
    }

    fn gc_cycle(&mut self, cycle: &model::GcCycle) {
        self.next.gc_cycles += 1;
        self.write(&GcCycles {
            id: self.next.gc_cycles,
            trace_id: self.trace_id,
            start_ns: cycle.start_ns,
            duration_ns: cycle.duration_ns,
            open_start: i64::from(cycle.open_start),
            open_end: i64::from(cycle.open_end),
            sweep_termination_pause_ns: cycle.sweep_termination_pause_ns,
            mark_termination_pause_ns: cycle.mark_termination_pause_ns,
            heap_before_bytes: cycle.heap_before_bytes.map(signed),
            heap_after_bytes: cycle.heap_after_bytes.map(signed),
            heap_goal_bytes: cycle.heap_goal_bytes.map(signed),
            assist_ns: cycle.assist_ns,
            background_ns: cycle.background_ns,
            idle_ns: cycle.idle_ns,
            goroutine_id: cycle.goroutine.map(|id| self.goroutine_row(id)),
            stack_id: cycle.stack.map(StackId::row),
        });
    }

    fn metric(&mut self, metric: &model::Metric) {
        use model::MetricKind::*;
        self.next.metrics += 1;
        let name = match metric.kind {
            HeapLive => "heap_live_bytes",
            HeapGoal => "heap_goal_bytes",
            Gomaxprocs => "gomaxprocs",
        };
        self.write(&Metrics {
            id: self.next.metrics,
            trace_id: self.trace_id,
            name,
            time_ns: metric.time_ns,
            value: signed(metric.value),
        });
    }

    fn task(&mut self, task: &model::Task) {
        self.next.tasks += 1;
        self.write(&Tasks {
            id: self.next.tasks,
            trace_id: self.trace_id,
            task: task.task as i64,
            parent: task.parent.map(|parent| parent as i64),
            r#type: task.name.as_deref(),
            start_ns: task.start_ns,
            end_ns: task.end_ns,
            goroutine_id: task.goroutine.map(|id| self.goroutine_row(id)),
            end_goroutine_id: task.end_goroutine.map(|id| self.goroutine_row(id)),
            stack_id: task.stack.map(StackId::row),
        });
    }

    fn region(&mut self, region: &model::Region<'_>) {
        self.next.regions += 1;
        self.write(&Regions {
            id: self.next.regions,
            trace_id: self.trace_id,
            goroutine_id: self.goroutine_row(region.goroutine),
            task: region.task as i64,
            r#type: region.name,
            start_ns: region.start_ns,
            end_ns: region.end_ns,
            depth: i64::from(region.depth),
            stack_id: region.stack.map(StackId::row),
            end_stack_id: region.end_stack.map(StackId::row),
        });
    }

    fn log(&mut self, log: &model::Log<'_>) {
        self.next.logs += 1;
        self.write(&Logs {
            id: self.next.logs,
            trace_id: self.trace_id,
            time_ns: log.time_ns,
            goroutine_id: log.goroutine.map(|id| self.goroutine_row(id)),
            task: log.task as i64,
            category: log.category,
            message: log.message,
            stack_id: log.stack.map(StackId::row),
        });
    }

    fn label(&mut self, label: &model::Label<'_>) {
        self.next.labels += 1;
        self.write(&Labels {
            id: self.next.labels,
            trace_id: self.trace_id,
            time_ns: label.time_ns,
            goroutine_id: self.goroutine_row(label.goroutine),
            label: label.label,
        });
    }

    fn sample(&mut self, sample: &model::Sample) {
        self.next.samples += 1;
        self.write(&CpuSamples {
            id: self.next.samples,
            trace_id: self.trace_id,
            time_ns: sample.time_ns,
            goroutine_id: sample.goroutine.map(|id| self.goroutine_row(id)),
            proc: known(sample.proc),
            thread: known(sample.thread),
            stack_id: sample.stack.map(StackId::row),
        });
    }

    fn generation(&mut self, generation: &model::GenerationSpan) {
        self.next.generations += 1;
        self.write(&Generations {
            id: self.next.generations,
            trace_id: self.trace_id,
            number: signed(generation.number),
            start_ns: generation.start_ns,
            byte_offset: signed(generation.offset),
            size_bytes: signed(generation.size_bytes),
            batches: signed(generation.batches),
            events: signed(generation.events),
            is_after_gap: i64::from(generation.is_after_gap),
            clock_ns: generation.clock.map(|clock| clock.0),
            clock_mono_ns: generation.clock.map(|clock| signed(clock.1)),
            clock_unix_ns: generation.clock.map(|clock| clock.2),
        });
    }

    fn gc_worker(&mut self, span: &model::WorkerSpan) {
        use model::WorkerKind::*;
        self.next.gc_workers += 1;
        self.write(&GcWorkers {
            id: self.next.gc_workers,
            trace_id: self.trace_id,
            kind: match span.kind {
                Dedicated => "dedicated",
                Fractional => "fractional",
                Idle => "idle",
            },
            goroutine_id: self.goroutine_row(span.goroutine),
            proc: known(span.proc),
            start_ns: span.start_ns,
            duration_ns: span.duration_ns,
        });
    }

    fn heap_type(&mut self, id: model::HeapTypeId, ty: &model::TypeData) {
        let id = self.base.heap_types + id.row();
        self.next.heap_types = id;
        self.write(&HeapTypes {
            id,
            trace_id: self.trace_id,
            name: &ty.name,
            size_bytes: signed(ty.size_bytes),
            pointer_bytes: signed(ty.pointer_bytes),
        });
    }

    fn memory_block(&mut self, block: &model::MemoryBlock) {
        let trace_id = self.trace_id;
        // Addresses above 2^63-1 are those of the kernel.
        let address = signed(block.address);
        let goroutine_id = block.goroutine.map(|id| self.goroutine_row(id));
        let (allocated_ns, freed_ns) = (block.allocated_ns, block.freed_ns);
        match block.kind {
            model::MemoryKind::Object { ty } => {
                self.next.heap_objects += 1;
                self.write(&RawHeapObjects {
                    id: self.next.heap_objects,
                    trace_id,
                    address,
                    type_id: ty.map(|ty| self.base.heap_types + ty.row()),
                    allocated_ns,
                    freed_ns,
                    goroutine_id,
                });
            }
            model::MemoryKind::Span { size_bytes, class } => {
                self.next.heap_spans += 1;
                self.write(&HeapSpans {
                    id: self.next.heap_spans,
                    trace_id,
                    address,
                    size_bytes: signed(size_bytes),
                    size_class: class.map(|class| signed(class.0)),
                    is_pointer_free: class.map(|class| i64::from(class.1)),
                    allocated_ns,
                    freed_ns,
                    goroutine_id,
                });
            }
            model::MemoryKind::Stack { size_bytes } => {
                self.next.goroutine_stacks += 1;
                self.write(&GoroutineStacks {
                    id: self.next.goroutine_stacks,
                    trace_id,
                    address,
                    size_bytes: signed(size_bytes),
                    allocated_ns,
                    freed_ns,
                    goroutine_id,
                });
            }
        }
    }

    fn event_count(&mut self, kind: EventType, events: u64) {
        self.next.event_counts += 1;
        self.write(&EventCounts {
            id: self.next.event_counts,
            trace_id: self.trace_id,
            event: kind.name(),
            events: signed(events),
        });
    }
}
