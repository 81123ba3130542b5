//! Handing out events that took place, and reports about them.
//!
//! Comes in: an event that a rule let happen, or that follows from one. Goes out: the same event to
//! the sink, with a time of its own and no reference into nothing. The one idea: whatever goes out
//! passes [`Orderer::emit`], so what a sink may rely on is ensured in one place.

use super::rule::Context;
use super::state::Orderer;
use crate::diagnostic::{Code, Diagnostic};
use crate::order::Sink;
use crate::order::event::{Event, GoSlot, NO_SLOT};
use crate::wire::v2::spec::{MAX_ARGS, SHAPES};
use crate::wire::v2::{CpuSample, EventType, Generation, Tables};

impl Orderer {
    /// Hands out an event that the trace has as it is.
    #[inline(always)]
    pub(super) fn emit<S: Sink>(
        &mut self,
        event: &mut Event,
        subject: GoSlot,
        tables: &Tables,
        sink: &mut S,
    ) {
        event.time = self.fix_time(event.time);
        event.subject = subject;
        let shape = &SHAPES[event.kind as usize];
        if shape.stack_arg != 255 {
            let stack = event.args[shape.stack_arg as usize];
            if !tables.has_stack(stack)
                || (shape.other_stack_arg != 255
                    && !tables.has_stack(event.args[shape.other_stack_arg as usize]))
            {
                self.drop_missing_stacks(event, tables);
            }
        }
        let [string, other_string] = shape.string_args;
        if string != 255 {
            let has = |index: u8| tables.has_string(event.args[index as usize]);
            if !has(string) || (other_string != 255 && !has(other_string)) {
                self.drop_missing_strings(event, tables);
            }
        }
        self.events += 1;
        sink.event(event, tables);
    }

    /// Hands out an event that follows from another.
    #[expect(clippy::too_many_arguments, reason = "they are what an event consists of")]
    pub(super) fn emit_derived<S: Sink>(
        &mut self,
        kind: EventType,
        time: i64,
        args: [u64; MAX_ARGS],
        context: Context,
        subject: GoSlot,
        tables: &Tables,
        sink: &mut S,
    ) {
        let mut event = Event { kind, time, args, ..Event::blank() };
        context.put_into(&mut event);
        self.emit(&mut event, subject, tables, sink);
    }

    /// Hands out a sample of the CPU profiler, which no rule decides about.
    pub(super) fn sample<S: Sink>(
        &mut self,
        sample: &CpuSample,
        generation_offset: u64,
        tables: &Tables,
        sink: &mut S,
    ) {
        let mut stack = sample.stack;
        if !tables.has_stack(stack) {
            self.report(Code::MissingStack, sample.thread, format!("CPUSample: no stack {stack}"));
            self.place_reports(generation_offset);
            stack = 0;
        }
        let context = Context {
            thread: sample.thread,
            proc: sample.proc,
            goroutine: sample.goroutine,
            slot: self.goroutines.find(sample.goroutine).unwrap_or(NO_SLOT),
        };
        let args = [stack, 0, 0, 0];
        self.emit_derived(EventType::CPUSample, sample.time, args, context, NO_SLOT, tables, sink);
    }

    /// The time an event gets.
    pub(super) fn fix_time(&mut self, time: i64) -> i64 {
        // Two events never share a time (reader.go, ReadEvent).
        // Less than 2^62 of them follow the latest time, so none overflows.
        let time = if time > self.latest_time { self.cut_time(time) } else { time };
        let time = time.max(self.last_time + 1);
        self.last_time = time;
        time
    }

    #[cold]
    fn cut_time(&mut self, time: i64) -> i64 {
        if self.too_late.0 == 0 {
            self.too_late.1 = time;
        }
        self.too_late.0 += 1;
        self.latest_time
    }

    /// Says how many times of the generation were cut.
    pub(super) fn report_too_late(&mut self, generation: &Generation) {
        let (count, first) = std::mem::take(&mut self.too_late);
        if count > 0 {
            let message = format!(
                "{count} events are later than {} ns, which they got as time; the first: {first} ns",
                self.latest_time
            );
            self.diagnostics.push(
                Diagnostic::new(Code::TimeCut, message)
                    .at_offset(generation.offset)
                    .in_generation(generation.number),
            );
        }
    }

    #[cold]
    fn drop_missing_stacks(&mut self, event: &mut Event, tables: &Tables) {
        let shape = &SHAPES[event.kind as usize];
        for index in [shape.stack_arg, shape.other_stack_arg] {
            if index != 255 && !tables.has_stack(event.args[index as usize]) {
                self.report_missing(Code::MissingStack, "stack", event, event.args[index as usize]);
                event.args[index as usize] = 0;
            }
        }
    }

    #[cold]
    fn drop_missing_strings(&mut self, event: &mut Event, tables: &Tables) {
        for index in SHAPES[event.kind as usize].string_args {
            if index != 255 && !tables.has_string(event.args[index as usize]) {
                self.report_missing(
                    Code::MissingString,
                    "string",
                    event,
                    event.args[index as usize],
                );
                event.args[index as usize] = 0;
            }
        }
    }

    fn report_missing(&mut self, code: Code, what: &str, event: &Event, id: u64) {
        self.report(code, event.thread, format!("{}: no {what} {id}", event.kind.name()));
    }

    /// Reports something about the event being tried.
    pub(super) fn report(&mut self, code: Code, thread: i64, message: String) {
        let mut report = Diagnostic::new(code, message).on_thread(thread);
        report.generation = self.last_number;
        self.unplaced.push(report);
    }

    /// Hands on the reports about the event that was just tried. Like all offsets of events, theirs is that
    /// behind the event.
    #[cold]
    #[inline(never)]
    pub(super) fn place_reports(&mut self, offset: u64) {
        for report in self.unplaced.drain(..) {
            self.diagnostics.push(report.at_offset(offset));
        }
    }
}
