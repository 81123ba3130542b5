//! The replay: which thread moves next.
//!
//! Comes in: a generation. Goes out: all its events in order, through the rules. The one idea: the
//! thread whose next event is the earliest moves if it can, else the earliest of those that can
//! (Go 1.27 `internal/trace/reader.go`). Where none can, the rest of the generation is given up.

use super::lanes::Lane;
use super::rule::Inconsistency;
use super::state::Orderer;
use crate::diagnostic::{Code, Diagnostic};
use crate::order::Sink;
use crate::order::event::{Event, Sync};
use crate::order::frontier::Candidate;
use crate::order::limits::{LATEST_START, LONGEST_TRACE};
use crate::wire::v2::{Cursor, Generation, Tables, ticks_to_ns};

impl Orderer {
    /// Orders a generation into `sink`. `has_loss` tells that parts of it could not be read.
    pub fn generation<S: Sink>(
        &mut self,
        generation: &mut Generation,
        has_loss: bool,
        sink: &mut S,
    ) {
        let follows = self.last_number.is_none_or(|last| generation.number == last + 1);
        if !follows || self.is_damaged {
            self.forget();
            sink.gap();
        }
        self.last_number = Some(generation.number);
        self.is_damaged = has_loss;
        self.generation += 1;
        self.annotations.begin_generation();

        // The sync event shares the rule that times increase strictly.
        if self.syncs == 0 {
            self.latest_time = generation.start_time().clamp(0, LATEST_START) + LONGEST_TRACE;
        }
        let time = self.fix_time(generation.start_time());
        self.syncs += 1;
        let clock = generation
            .clock_snapshot
            .map(|snapshot| (ticks_to_ns(snapshot.time_ticks, generation.ns_per_tick), snapshot));
        sink.sync(&Sync { time, n: self.syncs, clock }, Some(generation));

        let mut lanes: Vec<Lane> = generation
            .threads
            .iter()
            .map(|batches| Lane {
                cursor: Cursor::new(),
                thread: self.thread(batches.thread),
                event: Event::blank(),
            })
            .collect();
        self.frontier.clear();
        for (index, lane) in lanes.iter_mut().enumerate() {
            if self.next_event(generation, index, lane) {
                self.frontier.insert(Candidate { time: lane.event.time, cursor: index as u32 });
            }
        }
        let mut tables = std::mem::take(&mut generation.tables);
        if let Err(message) = self.replay(generation, &mut lanes, &mut tables, sink) {
            self.give_up(generation, &mut lanes, message);
        }
        generation.tables = tables;
        self.is_initial = false;
        self.report_too_late(generation);
    }

    /// Ends the trace: hands out the last synchronisation point.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) {
        let time = self.fix_time(self.last_time);
        self.syncs += 1;
        sink.sync(&Sync { time, n: self.syncs, clock: None }, None);
    }

    /// Runs the generation's threads against each other until no event is left.
    fn replay<S: Sink>(
        &mut self,
        generation: &Generation,
        lanes: &mut [Lane],
        tables: &mut Tables,
        sink: &mut S,
    ) -> Result<(), Inconsistency> {
        let mut samples = generation.cpu_samples.iter();
        let mut next_sample = samples.next();
        loop {
            if sink.is_done() {
                return Ok(());
            }
            let Some(first) = self.frontier.get(0) else {
                // Samples may be later than every event.
                while let Some(sample) = next_sample {
                    self.sample(sample, generation.offset, tables, sink);
                    next_sample = samples.next();
                }
                return Ok(());
            };
            while let Some(sample) = next_sample
                && sample.time < first.time
            {
                self.sample(sample, generation.offset, tables, sink);
                next_sample = samples.next();
            }
            let index = first.cursor as usize;
            let lane = &mut lanes[index];
            // As long as this thread's next event is the earliest of all, the heap stays as it
            // is, and so does the choice.
            let limit =
                self.frontier.runner_up().min(next_sample.map_or(i64::MAX, |sample| sample.time));
            let mut is_stuck = false;
            loop {
                let advanced = self.advance(&mut lane.event, lane.thread, tables, sink);
                if !self.unplaced.is_empty() {
                    self.place_reports(lane.offset(generation, index));
                }
                if !advanced? {
                    is_stuck = true;
                    break;
                }
                if !self.next_event(generation, index, lane) {
                    self.frontier.remove(0);
                    break;
                }
                if lane.event.time > limit {
                    self.frontier.update(0, lane.event.time);
                    break;
                }
            }
            if is_stuck {
                self.frontier.update(0, lane.event.time);
                self.advance_another(generation, lanes, tables, sink)?;
            }
        }
    }

    /// The earliest thread cannot move: lets the earliest one move that can.
    #[inline(never)]
    fn advance_another<S: Sink>(
        &mut self,
        generation: &Generation,
        lanes: &mut [Lane],
        tables: &mut Tables,
        sink: &mut S,
    ) -> Result<(), Inconsistency> {
        self.frontier.sort();
        for place in 1..self.frontier.len() {
            let candidate = self.frontier.get(place).expect("place is in range");
            let index = candidate.cursor as usize;
            let lane = &mut lanes[index];
            let advanced = self.advance(&mut lane.event, lane.thread, tables, sink);
            if !self.unplaced.is_empty() {
                self.place_reports(lane.offset(generation, index));
            }
            if advanced? {
                if self.next_event(generation, index, lane) {
                    self.frontier.update(place, lane.event.time);
                } else {
                    self.frontier.remove(place);
                }
                return Ok(());
            }
        }
        Err(self.stuck(generation, lanes).into())
    }

    /// Says what every thread waits for, shortened.
    #[cold]
    fn stuck(&self, generation: &Generation, lanes: &[Lane]) -> String {
        let mut text = format!("none of {} threads' next events can happen:", self.frontier.len());
        for candidate in self.frontier.iter().take(4) {
            let index = candidate.cursor as usize;
            let event = &lanes[index].event;
            let spec = event.kind.spec();
            text += &format!(" thread {}: {}", generation.threads[index].thread, spec.name);
            for (name, value) in spec.args[1..].iter().zip(event.args) {
                text += &format!(" {name}={value}");
            }
            text += ";";
        }
        text
    }

    /// Gives up the rest of a generation and reports what that costs.
    #[cold]
    fn give_up(&mut self, generation: &Generation, lanes: &mut [Lane], message: Inconsistency) {
        let code = if message.starts_with("none of") {
            Code::CannotAdvance
        } else {
            Code::InconsistentEvent
        };
        let earliest = self.frontier.iter().min_by_key(|candidate| candidate.time).copied();
        let place = earliest.and_then(|candidate| {
            let index = candidate.cursor as usize;
            let batches = &generation.threads[index];
            let (batch, at) = lanes[index].cursor.place(&batches.batches)?;
            Some((batch.offset + at as u64, batches.thread))
        });
        let (mut events, mut bytes, mut until) = (0u64, 0u64, self.last_time);
        for candidate in self.frontier.iter().copied().collect::<Vec<_>>() {
            let index = candidate.cursor as usize;
            let batches = &generation.threads[index].batches;
            let lane = &mut lanes[index];
            if let Some((batch, at)) = lane.cursor.place(batches) {
                let behind = batches.iter().filter(|other| other.start > batch.start);
                bytes += (batch.end - batch.start - at) as u64;
                bytes += behind.map(|batch| (batch.end - batch.start) as u64).sum::<u64>();
            }
            loop {
                events += 1;
                until = until.max(lane.event.time);
                match generation.next_event(index, &mut lane.cursor, &mut lane.event.args) {
                    Ok(Some((_, time))) => lane.event.time = time,
                    Ok(None) => break,
                    Err(_) => {
                        lane.cursor.skip_batch();
                    }
                }
            }
        }
        self.is_damaged = true;
        let mut report =
            Diagnostic::new(code, format!("{message} skipped the rest of the generation"))
                .in_generation(generation.number)
                .losing_bytes(bytes);
        report.offset = Some(place.map_or(generation.offset, |place| place.0));
        report.thread = place.map(|place| place.1);
        report.lost_events = Some(events);
        report.lost_ns = Some(until.saturating_sub(self.last_time).max(0) as u64);
        self.diagnostics.push(report);
    }
}
