//! From bytes to ordered events, whatever the format.

use super::{Event, Orderer, Sink, Sync, order_v1};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::source::{RandomAccess, Source};
use crate::wire::header::HEADER_LEN;
use crate::wire::v2::{Footprint, Generation, Tables};
use crate::wire::{self, Version, WireError};

/// A trace whose header has been read.
pub struct TraceReader {
    version: Version,
    body: Body,
}

/// What is behind the header.
enum Body {
    /// The whole input, and what ended it early, if something did.
    V1(RandomAccess, Option<Diagnostic>),
    V2(Box<wire::v2::Reader>),
}

/// What reading a trace came to.
#[derive(Debug)]
pub struct Outcome {
    /// Ordered events, synchronisation points not counted.
    pub events: u64,
    /// Length of the trace after unpacking, bytes.
    pub size_bytes: u64,
    /// Bytes and count of the wire events, if they were to be counted and the format is v2.
    pub footprint: Option<Box<Footprint>>,
    /// What was repaired, skipped or lost.
    pub diagnostics: Diagnostics,
}

impl TraceReader {
    /// Reads the header of a trace.
    pub fn new(mut source: Source) -> Result<Self, WireError> {
        let start = source.stream.peek(HEADER_LEN);
        let version = wire::parse_header(&start[..start.len().min(HEADER_LEN)])?;
        source.stream.consume(HEADER_LEN);
        let body = if version.is_v2() {
            Body::V2(Box::new(wire::v2::Reader::new(source.stream, version)))
        } else {
            let input = source
                .random_access()
                .map_err(|error| WireError::new(HEADER_LEN as u64, error.reason()))?;
            let cut = source.stream.take_error().map(|error| {
                Diagnostic::new(Code::TruncatedBatch, error.reason()).at_offset(input.end())
            });
            Body::V1(input, cut)
        };
        Ok(TraceReader { version, body })
    }

    /// The format of the trace.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Has the wire events counted while the trace is read.
    pub fn count_wire_events(&mut self) {
        if let Body::V2(reader) = &mut self.body {
            reader.footprint = Some(Box::default());
        }
    }

    /// Orders all events of the trace into `sink`.
    pub fn read<S: Sink>(self, sink: &mut S) -> Outcome {
        match self.body {
            Body::V1(input, cut) => read_v1(&input, self.version, cut, sink),
            Body::V2(reader) => read_v2(*reader, sink),
        }
    }

    /// Hands each ordered event to `each`, with the tables that resolve its strings and stacks;
    /// `examples/iterate_events.rs` shows how. An error of `each` ends the reading, and is returned.
    ///
    /// Times are nanoseconds on the trace's clock and increase strictly. Where that clock began means
    /// nothing (v2: about when the machine was started; v1: at the first event): subtract the time of
    /// the first event. Synchronisation points, which tell the time of day, and gaps are left out; a
    /// [`Sink`] is told of them.
    pub fn try_for_each<E>(
        self,
        each: impl FnMut(&Event, &Tables) -> Result<(), E>,
    ) -> Result<Outcome, E> {
        let mut sink = Each { each, error: None };
        let outcome = self.read(&mut sink);
        sink.error.map_or(Ok(outcome), Err)
    }
}

/// Calls a function for each event until one fails.
struct Each<F, E> {
    each: F,
    error: Option<E>,
}

impl<F: FnMut(&Event, &Tables) -> Result<(), E>, E> Sink for Each<F, E> {
    fn sync(&mut self, _: &Sync, _: Option<&Generation>) {}

    fn event(&mut self, event: &Event, tables: &Tables) {
        if self.error.is_none() {
            self.error = (self.each)(event, tables).err();
        }
    }

    fn is_done(&self) -> bool {
        self.error.is_some()
    }
}

fn read_v1<S: Sink>(
    input: &RandomAccess,
    version: Version,
    cut: Option<Diagnostic>,
    sink: &mut S,
) -> Outcome {
    let mut diagnostics = Diagnostics::default();
    cut.into_iter().for_each(|found| diagnostics.push(found));
    let stats = order_v1(input, version, sink, &mut diagnostics);
    Outcome { events: stats.events, size_bytes: stats.bytes, footprint: None, diagnostics }
}

fn read_v2<S: Sink>(mut reader: wire::v2::Reader, sink: &mut S) -> Outcome {
    let mut orderer = Orderer::new();
    let mut diagnostics = Diagnostics::default();
    while let Some(mut generation) = reader.next_generation() {
        let found = std::mem::take(&mut reader.diagnostics);
        // That others are missing before it takes nothing from this one.
        let is_whole = |one: &Diagnostic| {
            one.code.severity() < Severity::Loss || one.code == Code::GenerationGap
        };
        let has_loss = generation.has_lost_start || !found.iter().all(is_whole);
        diagnostics.append(found);
        orderer.generation(&mut generation, has_loss, sink);
        diagnostics.append(std::mem::take(&mut orderer.diagnostics));
        reader.recycle(generation);
        if sink.is_done() {
            break;
        }
    }
    diagnostics.append(std::mem::take(&mut reader.diagnostics));
    orderer.finish(sink);
    if orderer.events() == 0 && !diagnostics.has_loss() && !sink.is_done() {
        diagnostics.push(
            Diagnostic::new(Code::EmptyTrace, "the trace has no event")
                .at_offset(HEADER_LEN as u64),
        );
    }
    Outcome {
        events: orderer.events(),
        size_bytes: reader.offset(),
        footprint: reader.footprint,
        diagnostics,
    }
}
