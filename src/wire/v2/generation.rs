//! One generation: its event batches by thread, and its tables, parsed.
//!
//! Source: Go 1.27 `internal/trace/generation.go`. Where Go gives up on the whole generation, the
//! smallest damaged part is skipped here and reported.

use super::spec::{EventType, MAX_FRAMES_PER_STACK, MAX_STRING_SIZE};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::wire::tables::{Frame, Tables};
use crate::wire::varint::{WINDOW, varint};
use crate::wire::{Version, sort_like_go};
use nom::bytes::complete::take;
use nom::number::complete::u8 as byte;
use nom::{IResult, Parser};
use std::collections::HashMap;

/// A batch of events of one thread.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    /// Time of the batch, clock ticks.
    pub time_ticks: u64,
    /// Where its data begins in the generation's arena.
    pub start: usize,
    /// Where its data ends in the generation's arena.
    pub end: usize,
    /// Absolute offset of its data in the input.
    pub offset: u64,
}

/// The batches of one thread, in the order of the file.
#[derive(Debug)]
pub struct ThreadBatches {
    /// Thread (M) number; -1 for none.
    pub thread: i64,
    /// Its batches.
    pub batches: Vec<Batch>,
}

/// A CPU profiler sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuSample {
    /// Nanoseconds on the trace's clock.
    pub time: i64,
    /// Thread.
    pub thread: i64,
    /// Proc, -1 if none.
    pub proc: i64,
    /// Goroutine, -1 if none.
    pub goroutine: i64,
    /// Stack number.
    pub stack: u64,
}

/// Three clocks read at nearly the same moment (Go 1.25+).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSnapshot {
    /// The trace's clock, ticks.
    pub time_ticks: u64,
    /// The system's monotonic clock, nanoseconds.
    pub mono_ns: u64,
    /// The wall clock, seconds since 1970.
    pub unix_seconds: u64,
    /// The wall clock, nanoseconds within the second.
    pub unix_nanos: u64,
}

/// Opaque data of an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExperimentalBatch {
    /// Number of the experiment; 1 is AllocFree.
    pub experiment: u8,
    /// Thread that wrote it.
    pub thread: i64,
    /// The data.
    pub data: Vec<u8>,
}

/// A generation.
#[derive(Debug)]
pub struct Generation {
    /// Its number; consecutive within a trace, not necessarily from 1.
    pub number: u64,
    /// Absolute offset of its first batch.
    pub offset: u64,
    /// Bytes of its batches, headers included.
    pub bytes: u64,
    /// Number of batches.
    pub batch_count: u64,
    /// Event batches by thread, threads in the order in which they first appear.
    pub threads: Vec<ThreadBatches>,
    /// Strings and stacks.
    pub tables: Tables,
    /// CPU samples in order of time.
    pub cpu_samples: Vec<CpuSample>,
    /// Length of a clock tick in nanoseconds; 0 if the generation does not say.
    pub ns_per_tick: f64,
    /// Earliest batch time, clock ticks.
    pub min_time_ticks: u64,
    /// Clock snapshot, if the format has one.
    pub clock_snapshot: Option<ClockSnapshot>,
    /// Bytes were lost before its first batch, which may have been batches of it.
    pub has_lost_start: bool,
    /// Batches of experiments.
    pub experimental: Vec<ExperimentalBatch>,
    pub(super) arena: Vec<u8>,
    thread_index: HashMap<i64, usize>,
}

impl Generation {
    /// An empty generation that begins at `offset` and keeps its events in `arena`, which is empty.
    pub(crate) fn new(number: u64, offset: u64, arena: Vec<u8>) -> Self {
        Generation {
            number,
            offset,
            bytes: 0,
            batch_count: 0,
            threads: Vec::new(),
            tables: Tables::default(),
            cpu_samples: Vec::new(),
            ns_per_tick: 0.0,
            min_time_ticks: 0,
            clock_snapshot: None,
            has_lost_start: false,
            experimental: Vec::new(),
            arena,
            thread_index: HashMap::new(),
        }
    }

    /// The raw bytes of a batch of [`Generation::threads`].
    pub fn batch_data(&self, batch: &Batch) -> &[u8] {
        &self.arena[batch.start..batch.end]
    }

    /// The start of the generation, nanoseconds on the trace's clock.
    pub fn start_time(&self) -> i64 {
        ticks_to_ns(self.min_time_ticks, self.ns_per_tick)
    }

    /// Bytes of event data held.
    pub(super) fn arena_len(&self) -> usize {
        self.arena.len()
    }

    /// Adds a batch whose header was read at `header_offset`; `data_offset` is where `data`
    /// begins in the input.
    pub(super) fn add_batch(
        &mut self,
        header: &super::BatchHeader,
        data: &[u8],
        data_offset: u64,
        version: Version,
        diagnostics: &mut Diagnostics,
    ) {
        self.batch_count += 1;
        self.bytes += (header.header_len + data.len()) as u64;
        if self.min_time_ticks == 0 || header.time_ticks < self.min_time_ticks {
            self.min_time_ticks = header.time_ticks;
        }
        if let super::BatchKind::Experimental(experiment) = header.kind {
            self.experimental.push(ExperimentalBatch {
                experiment,
                thread: header.thread,
                data: data.to_vec(),
            });
            return;
        }
        let clock_batch =
            if version.minor() >= 25 { EventType::Sync } else { EventType::Frequency };
        let mut table = TableBatch {
            generation: self,
            data_offset,
            thread: header.thread,
            time_ticks: header.time_ticks,
            diagnostics,
        };
        match data.first().copied() {
            Some(first) if first == EventType::Strings as u8 => table.read(data, 1, string),
            Some(first) if first == EventType::Stacks as u8 => table.read(data, 1, stack),
            Some(first) if first == EventType::CPUSamples as u8 => table.read(data, 1, cpu_sample),
            Some(first) if first == clock_batch as u8 => {
                // Before Go 1.25 the frequency stood alone, without the leading Sync.
                table.read(data, usize::from(version.minor() >= 25), clock);
            }
            _ => self.add_event_batch(header, data, data_offset, diagnostics),
        }
    }

    fn add_event_batch(
        &mut self,
        header: &super::BatchHeader,
        data: &[u8],
        offset: u64,
        diagnostics: &mut Diagnostics,
    ) {
        let index = *self.thread_index.entry(header.thread).or_insert_with(|| {
            self.threads.push(ThreadBatches { thread: header.thread, batches: Vec::new() });
            self.threads.len() - 1
        });
        let batches = &mut self.threads[index].batches;
        // A thread never writes two batches at the same tick, so equal bytes are one batch
        // written twice (a copy that was resumed at the wrong place, say).
        let doubled = !data.is_empty()
            && batches.iter().rev().take(4).any(|batch| {
                batch.time_ticks == header.time_ticks && &self.arena[batch.start..batch.end] == data
            });
        if doubled {
            diagnostics.push(
                Diagnostic::new(
                    Code::GenerationOutOfOrder,
                    "the batch is there twice; the second was skipped",
                )
                .at_offset(offset)
                .in_generation(self.number)
                .on_thread(header.thread)
                .losing_bytes(data.len() as u64),
            );
            return;
        }
        if let Some(before) = batches.last()
            && before.time_ticks > header.time_ticks
        {
            let by = before.time_ticks - header.time_ticks;
            diagnostics.push(
                Diagnostic::new(
                    Code::TimeBackwards,
                    format!("the batch is {by} clock ticks earlier than the one before it"),
                )
                .at_offset(offset)
                .in_generation(self.number)
                .on_thread(header.thread),
            );
        }
        let start = self.arena.len();
        self.arena.extend_from_slice(data);
        batches.push(Batch {
            time_ticks: header.time_ticks,
            start,
            end: start + data.len(),
            offset,
        });
    }

    /// Completes the generation once all batches are there. `frequency_elsewhere` is the tick
    /// length of a neighbouring generation, used if this one lost its own.
    pub(super) fn finish(
        &mut self,
        version: Version,
        frequency_elsewhere: Option<f64>,
        diagnostics: &mut Diagnostics,
    ) {
        // A window on the last event may reach beyond it.
        self.arena.resize(self.arena.len() + WINDOW, 0);
        if self.ns_per_tick == 0.0 {
            let report = match frequency_elsewhere {
                Some(ns_per_tick) => {
                    self.ns_per_tick = ns_per_tick;
                    Diagnostic::new(
                        Code::AssumedFrequency,
                        format!(
                            "no clock frequency; took {ns_per_tick} ns a tick from its neighbour"
                        ),
                    )
                }
                None => {
                    // What Linux and most systems use: nanotime divided by 64
                    // (Go runtime/tracetime.go, traceTimeDiv).
                    self.ns_per_tick = 64.0;
                    Diagnostic::new(
                        Code::MissingFrequency,
                        "no clock frequency; took 64 ns a tick, times may be off by a factor",
                    )
                }
            };
            diagnostics.push(report.at_offset(self.offset).in_generation(self.number));
        }
        if version.minor() >= 25 && self.clock_snapshot.is_none() {
            diagnostics.push(
                Diagnostic::new(Code::MissingClockSnapshot, "no clock snapshot")
                    .at_offset(self.offset)
                    .in_generation(self.number),
            );
        }
        self.check_stack_strings(diagnostics);
        for sample in &mut self.cpu_samples {
            sample.time = ticks_to_ns(sample.time as u64, self.ns_per_tick);
        }
        sort_like_go(&mut self.cpu_samples, |a, b| a.time < b.time);
    }

    fn check_stack_strings(&self, diagnostics: &mut Diagnostics) {
        for frame in self.tables.frames() {
            for id in [frame.function, frame.file] {
                if !self.tables.has_string(id) {
                    diagnostics.push(
                        Diagnostic::new(
                            Code::MissingString,
                            format!("frame with pc {:#x}: no string {id}", frame.pc),
                        )
                        .at_offset(self.offset)
                        .in_generation(self.number),
                    );
                }
            }
        }
    }
}

/// Reads the entries of a table batch into a generation.
struct TableBatch<'a> {
    generation: &'a mut Generation,
    data_offset: u64,
    thread: i64,
    time_ticks: u64,
    diagnostics: &'a mut Diagnostics,
}

/// Reads one entry; the error is what is wrong with it.
type ReadEntry = for<'i> fn(&mut TableBatch<'_>, &'i [u8]) -> Result<&'i [u8], String>;

impl TableBatch<'_> {
    fn read(&mut self, data: &[u8], skip: usize, entry: ReadEntry) {
        let mut rest = &data[skip..];
        while !rest.is_empty() {
            match entry(self, rest) {
                Ok(behind) => rest = behind,
                Err(message) => {
                    let lost = rest.len();
                    let report = self.report(Code::BadBatch, data.len() - lost, message);
                    self.diagnostics.push(report.losing_bytes(lost as u64));
                    return;
                }
            }
        }
    }

    fn report(&self, code: Code, at: usize, message: String) -> Diagnostic {
        Diagnostic::new(code, message)
            .at_offset(self.data_offset + at as u64)
            .in_generation(self.generation.number)
            .on_thread(self.thread)
    }

    fn duplicate(&mut self, what: &str, id: u64) {
        let report = self.report(
            Code::DuplicateId,
            0,
            format!("{what} {id} is defined twice; kept the first"),
        );
        self.diagnostics.push(report);
    }
}

/// Words for a nom error inside an entry called `name`.
fn explain(name: &str, error: nom::Err<nom::error::Error<&[u8]>>) -> String {
    match error {
        nom::Err::Incomplete(_) => format!("{name}: batch ends inside the entry"),
        nom::Err::Error(error) | nom::Err::Failure(error) => match error.code {
            nom::error::ErrorKind::Eof => format!("{name}: batch ends inside the entry"),
            _ => format!("{name}: malformed number"),
        },
    }
}

/// Takes the entry's event number.
fn leading(input: &[u8], want: EventType) -> Result<&[u8], String> {
    let name = want.name();
    let (rest, code) =
        byte::<_, nom::error::Error<&[u8]>>(input).map_err(|error| explain(name, error))?;
    if code != want as u8 {
        return Err(format!("want {name}, got event number {code}"));
    }
    Ok(rest)
}

fn string<'i>(batch: &mut TableBatch<'_>, input: &'i [u8]) -> Result<&'i [u8], String> {
    let rest = leading(input, EventType::String)?;
    let (rest, (id, len)) =
        (varint, varint).parse(rest).map_err(|error| explain("String", error))?;
    if len > MAX_STRING_SIZE {
        return Err(format!("String: length {len} is over the maximum of {MAX_STRING_SIZE}"));
    }
    let taken: IResult<&[u8], &[u8]> = take(len)(rest);
    let (rest, text) = taken.map_err(|error| explain("String", error))?;
    if !batch.generation.tables.add_string(id, text) {
        batch.duplicate("string", id);
    }
    Ok(rest)
}

fn stack<'i>(batch: &mut TableBatch<'_>, input: &'i [u8]) -> Result<&'i [u8], String> {
    let rest = leading(input, EventType::Stack)?;
    let (mut rest, (id, count)) =
        (varint, varint).parse(rest).map_err(|error| explain("Stack", error))?;
    if count > MAX_FRAMES_PER_STACK {
        return Err(format!("Stack: {count} frames, the maximum is {MAX_FRAMES_PER_STACK}"));
    }
    let mut frames = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let (behind, (pc, function, file, line)) = (varint, varint, varint, varint)
            .parse(rest)
            .map_err(|error| explain("Stack", error))?;
        rest = behind;
        frames.push(Frame { pc, function, file, line });
    }
    if !batch.generation.tables.add_stack(id, frames) {
        batch.duplicate("stack", id);
    }
    Ok(rest)
}

fn cpu_sample<'i>(batch: &mut TableBatch<'_>, input: &'i [u8]) -> Result<&'i [u8], String> {
    let rest = leading(input, EventType::CPUSample)?;
    let (rest, (time, thread, proc, goroutine, stack)) = (varint, varint, varint, varint, varint)
        .parse(rest)
        .map_err(|error| explain("CPUSample", error))?;
    batch.generation.cpu_samples.push(CpuSample {
        // Still ticks here; `Generation::finish` knows the frequency.
        time: time as i64,
        thread: thread as i64,
        proc: proc as i64,
        goroutine: if goroutine == 0 { -1 } else { goroutine as i64 },
        stack,
    });
    Ok(rest)
}

fn clock<'i>(batch: &mut TableBatch<'_>, input: &'i [u8]) -> Result<&'i [u8], String> {
    if input[0] == EventType::ClockSnapshot as u8 {
        let (rest, (diff, mono_ns, unix_seconds, unix_nanos)) = (varint, varint, varint, varint)
            .parse(&input[1..])
            .map_err(|error| explain("ClockSnapshot", error))?;
        if batch.generation.clock_snapshot.is_some() {
            batch.duplicate("clock snapshot", 0);
        } else {
            let time_ticks = batch.time_ticks.wrapping_add(diff);
            batch.generation.clock_snapshot =
                Some(ClockSnapshot { time_ticks, mono_ns, unix_seconds, unix_nanos });
        }
        return Ok(rest);
    }
    let rest = leading(input, EventType::Frequency)?;
    let (rest, ticks_per_second) = varint(rest).map_err(|error| explain("Frequency", error))?;
    if ticks_per_second == 0 {
        return Err("Frequency: 0 ticks a second".into());
    }
    if batch.generation.ns_per_tick != 0.0 {
        batch.duplicate("frequency", ticks_per_second);
    } else {
        // The same two divisions as Go, so that every time is the same to the last bit.
        batch.generation.ns_per_tick = 1.0 / (ticks_per_second as f64 / 1e9);
    }
    Ok(rest)
}

/// Ticks to nanoseconds exactly as Go does (base.go, frequency.mul): in floating point,
/// rounded towards zero.
#[inline(always)]
pub fn ticks_to_ns(ticks: u64, ns_per_tick: f64) -> i64 {
    // Below 2^63 the signed conversion gives the same and is one instruction.
    let ticks = if ticks >> 63 == 0 { ticks as i64 as f64 } else { ticks as f64 };
    (ticks * ns_per_tick) as i64
}
