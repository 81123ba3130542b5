//! What there is to say about a trace, gathered in one pass.
//!
//! The numbers that a database has too come from the same model, so that they are the same.

use crate::analysis::Result;
use crate::analysis::opened::{Opened, OpenedTrace};
use crate::diagnostic::Diagnostics;
use crate::model::{
    Builder, GcCycle, GenerationSpan, Goroutine, Items, Label, Log, Metric, Proc, ProcRow,
    ProcSpan, Range, Region, Sample, StateSpan, Symbols, Task, Thread, ThreadRow, Totals,
};
use crate::order::{Event, Sink, Sync};
use crate::source::Packing;
use crate::wire::Version;
use crate::wire::v2::{Footprint, Generation, Tables};

/// Everything `info` shows of a trace.
pub struct TraceInfo {
    /// As the user named it.
    pub source: String,
    /// Of the format.
    pub version: Version,
    /// How it is packed.
    pub packing: Packing,
    /// Length as it lies on disk; `None` for standard input.
    pub packed_bytes: Option<u64>,
    /// Length after unpacking.
    pub size_bytes: u64,
    /// Of the whole trace.
    pub totals: Totals,
    /// How many procs occur.
    pub procs: u64,
    /// How many threads occur.
    pub threads: u64,
    /// In the order of the file.
    pub generations: Vec<GenerationInfo>,
    /// `None` for the old formats.
    pub footprint: Option<Box<Footprint>>,
    /// What was repaired, skipped or lost.
    pub diagnostics: Diagnostics,
}

/// A generation, with what is counted of it here.
pub struct GenerationInfo {
    /// Where it is in the file and in time.
    pub span: GenerationSpan,
    /// Until the next one begins, or the trace ends.
    pub duration_ns: i64,
    /// In its table of strings.
    pub strings: u64,
    /// In its table of stacks.
    pub stacks: u64,
}

/// Reads a trace.
///
/// # Errors
/// If it is none.
pub fn read(opened: Opened) -> Result<TraceInfo> {
    let (packing, packed_bytes) = (opened.source.packing, opened.source.size_bytes);
    let OpenedTrace { location, mut reader, reading, .. } = opened.into_trace()?;
    reader.count_wire_events();
    let version = reader.version();
    let (mut counts, mut symbols) = (Counts::default(), Symbols::default());
    let mut sink =
        InfoSink { builder: Builder::new(&mut counts, &mut symbols), tables: Vec::new() };
    let outcome = reader.read(&mut sink);
    drop(reading);
    let (totals, tables) = (sink.builder.totals(), sink.tables);
    let mut generations: Vec<GenerationInfo> = counts
        .generations
        .into_iter()
        .zip(tables)
        .map(|(span, (strings, stacks))| GenerationInfo { span, duration_ns: 0, strings, stacks })
        .collect();
    let mut end_ns = totals.duration_ns;
    for generation in generations.iter_mut().rev() {
        generation.duration_ns = end_ns - generation.span.start_ns;
        end_ns = generation.span.start_ns;
    }
    Ok(TraceInfo {
        source: location.to_string(),
        version,
        packing,
        packed_bytes,
        size_bytes: outcome.size_bytes,
        totals,
        procs: counts.procs,
        threads: counts.threads,
        generations,
        footprint: outcome.footprint,
        diagnostics: outcome.diagnostics,
    })
}

/// Feeds the model and counts what it does not keep.
struct InfoSink<'a> {
    builder: Builder<'a, Counts>,
    /// Strings and stacks of each generation.
    tables: Vec<(u64, u64)>,
}

impl Sink for InfoSink<'_> {
    fn sync(&mut self, sync: &Sync, generation: Option<&Generation>) {
        if let Some(generation) = generation {
            let tables = &generation.tables;
            self.tables.push((tables.string_count() as u64, tables.stack_count() as u64));
        }
        self.builder.sync(sync, generation);
    }

    fn gap(&mut self) {
        self.builder.gap();
    }

    #[inline]
    fn event(&mut self, event: &Event, tables: &Tables) {
        self.builder.event(event, tables);
    }
}

/// Counts items and forgets them.
#[derive(Default)]
struct Counts {
    procs: u64,
    threads: u64,
    generations: Vec<GenerationSpan>,
}

impl Items for Counts {
    fn proc(&mut self, _: ProcRow, _: &Proc) {
        self.procs += 1;
    }
    fn thread(&mut self, _: ThreadRow, _: &Thread) {
        self.threads += 1;
    }
    fn generation(&mut self, generation: &GenerationSpan) {
        self.generations.push(*generation);
    }
    fn state(&mut self, _: &StateSpan) {}
    fn goroutine(&mut self, _: &Goroutine) {}
    fn proc_span(&mut self, _: &ProcSpan) {}
    fn range(&mut self, _: &Range, _: &Symbols) {}
    fn gc_cycle(&mut self, _: &GcCycle) {}
    fn metric(&mut self, _: &Metric) {}
    fn task(&mut self, _: &Task) {}
    fn region(&mut self, _: &Region<'_>) {}
    fn log(&mut self, _: &Log<'_>) {}
    fn label(&mut self, _: &Label<'_>) {}
    fn sample(&mut self, _: &Sample) {}
}
