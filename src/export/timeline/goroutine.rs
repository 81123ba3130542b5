//! The lane of one goroutine, with its states.

use super::format::*;
use super::lane::{Arrival, Child, Deferred, Lane, MAX_DEFERRED, View};
use super::stage::Stage;
use crate::model::{FunctionId, State, StateSpan};

impl Lane {
    /// Now the function it began with is known, or will never be.
    pub fn reveal<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        function: Option<FunctionId>,
    ) {
        let View::Deferred(deferred) = &mut self.view else { return };
        let deferred = std::mem::take(deferred);
        self.function = function;
        let name = function.map(|id| &*stage.functions[id.index()].name);
        if !stage.selection.has_function(name) {
            self.view = View::Hidden;
            return;
        }
        self.view = View::Shown(None);
        if stage.lanes.goroutines {
            let name = self.full_name(stage);
            let group = stage.goroutine_group(function);
            self.view = View::Shown(Some(stage.tracks.lane(group, &name, self.rank())));
        }
        for one in deferred {
            match one {
                Deferred::Span(span, arrival) => self.show_span(stage, &span, arrival),
                Deferred::Sample(sample) => self.sample(stage, &sample),
            }
        }
    }

    /// Its place among the goroutines of a group, which leaves room for its children behind it.
    fn rank(&self) -> i64 {
        self.goid.saturating_mul(16)
    }

    pub(super) fn child_rank(&self, child: Child) -> i64 {
        self.rank().saturating_add(1 + child as i64)
    }

    fn full_name<F>(&self, stage: &Stage<F>) -> String {
        match self.function {
            Some(id) => format!("G{} {}", self.goid, stage.functions[id.index()].name),
            None => format!("G{}", self.goid),
        }
    }

    pub(super) fn run_name<F: TimelineFormat>(&mut self, stage: &mut Stage<F>) -> NameId {
        if let Some(name) = self.name {
            return name;
        }
        let text = self.full_name(stage);
        *self.name.insert(stage.tracks.format.name(&text))
    }

    /// It was in a state.
    #[inline(always)]
    pub fn span<F: TimelineFormat>(&mut self, stage: &mut Stage<F>, span: &StateSpan) {
        let arrival = std::mem::take(&mut self.next);
        self.last_ns = span.start_ns + span.duration_ns;
        match &mut self.view {
            View::Shown(_) => {}
            View::Hidden => return,
            View::Deferred(deferred) => {
                if span.function.is_none() && deferred.len() < MAX_DEFERRED {
                    deferred.push(Deferred::Span(*span, arrival));
                    return;
                }
                self.reveal(stage, span.function);
            }
        }
        if self.is_shown() {
            self.show_span(stage, span, arrival);
        }
    }

    fn show_span<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        span: &StateSpan,
        mut arrival: Arrival,
    ) {
        let syscall = self.end_syscall(stage, span);
        let end_ns = span.start_ns + span.duration_ns;
        let latency_ns = match span.state {
            State::Runnable => {
                self.runnable_since = Some(span.start_ns);
                if stage.has_flows && stage.window.contain(span.start_ns) && !span.open_start {
                    self.depart(stage, span, syscall, &mut arrival);
                }
                None
            }
            State::Running => self.runnable_since.take().map(|since| span.start_ns - since),
            State::Syscall | State::SyscallBlocked => {
                self.syscall_part(span, end_ns);
                None
            }
            _ => None,
        };
        if let Some(clipped) = stage.window.clip(span.start_ns, end_ns) {
            self.show_state(stage, span, arrival, latency_ns, clipped);
            self.show_places(stage, span, latency_ns, clipped);
        }
        if span.state == State::Running {
            self.label = None;
            self.departure = None;
        }
    }

    /// The slice in the lane of the goroutine.
    #[inline(always)]
    fn show_state<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        span: &StateSpan,
        arrival: Arrival,
        latency_ns: Option<i64>,
        (start_ns, end_ns): (i64, i64),
    ) {
        let Some(track) = self.track() else { return };
        let reason = span.reason.map(|id| stage.reason(id));
        let names = &stage.names;
        let name = match (span.state, reason) {
            (State::Waiting, Some(reason)) => reason.waiting,
            (State::Waiting, None) => names.waiting,
            (State::Runnable, _) => names.runnable,
            (State::Running, _) => names.running,
            (State::Syscall, _) => names.syscall,
            (State::SyscallBlocked, _) => names.syscall_blocked,
            (State::Undetermined | State::NotExist, _) => names.undetermined,
        };
        let mut args = Args::new();
        args.push(Key::Goid, Value::Int(self.goid));
        if let Some(text) = reason.and_then(|reason| reason.text) {
            args.push(Key::Reason, Value::Name(text));
        }
        if span.state != State::Waiting && span.state != State::Runnable {
            args.push_known(Key::Proc, (span.proc != -1).then_some(span.proc));
            args.push_known(Key::Thread, stage.thread_number(span.thread));
        }
        args.push_stack(Key::Stack, span.stack);
        args.push_known(Key::WokenBy, arrival.woken_by);
        args.push_stack(Key::WakerStack, arrival.waker_stack);
        args.push_known(Key::LatencyNs, latency_ns);
        self.push_common(&mut args, span);
        stage.tracks.format.slice(&Slice {
            track,
            category: Category::State,
            name: Name::Id(name),
            start_ns,
            end_ns,
            stack: span.stack,
            // The beginning of a span that is cut off is not where the arrow points.
            flow: arrival.arrow.map_or(Flow::None, Flow::End),
            args: &args,
        });
    }

    pub(super) fn push_common(&self, args: &mut Args<'_>, span: &StateSpan) {
        if span.state == State::Running
            && let Some(label) = self.label
        {
            args.push(Key::Label, Value::Name(label));
        }
        if span.open_start {
            args.push(Key::OpenStart, Value::Bool(true));
        }
        if span.open_end {
            args.push(Key::OpenEnd, Value::Bool(true));
        }
    }

    /// Nothing more comes.
    pub fn finish<F: TimelineFormat>(mut self, stage: &mut Stage<F>) {
        self.reveal(stage, None);
        self.finish_syscall(stage);
        if let Some(parent) = self.track() {
            let mut early = std::mem::take(&mut self.early);
            early.sort_by_key(|region| std::cmp::Reverse(region.end_ns));
            for region in &early {
                self.show_region(stage, parent, region, true);
            }
        }
        if let Some(name) = self.name {
            stage.tracks.format.forget_name(name);
        }
    }
}
