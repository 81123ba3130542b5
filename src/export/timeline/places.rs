//! What a goroutine shows on procs and threads, and the arrows that lead there.

use super::format::*;
use super::lane::{Arrival, Departure, Lane, Syscall};
use super::stage::Stage;
use crate::model::{State, StateSpan};

impl Lane {
    /// The slices on the proc and the thread.
    #[inline(always)]
    pub(super) fn show_places<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        span: &StateSpan,
        latency_ns: Option<i64>,
        (start_ns, end_ns): (i64, i64),
    ) {
        let has_proc = stage.lanes.procs
            && span.proc != -1
            && matches!(span.state, State::Running | State::Syscall);
        let has_thread = stage.lanes.threads
            && matches!(span.state, State::Running | State::Syscall | State::SyscallBlocked);
        if !has_proc && !has_thread {
            return;
        }
        let is_running = span.state == State::Running;
        let mut flow = self.arrow_to_place(stage, span);
        let name = match span.state {
            State::Running => self.run_name(stage),
            State::SyscallBlocked => stage.names.syscall_blocked,
            _ => stage.syscall_name(span.stack),
        };
        let mut args = Args::new();
        args.push(Key::Goid, Value::Int(self.goid));
        args.push_stack(Key::Stack, span.stack);
        args.push_known(Key::LatencyNs, latency_ns);
        self.push_common(&mut args, span);
        let (name, stack) = (Name::Id(name), span.stack);
        if has_proc && let Some(track) = stage.proc_lane(span.proc, start_ns, end_ns) {
            // The lane of a thread tells its number.
            let mut args = args;
            args.push_known(Key::Thread, stage.thread_number(span.thread));
            let category = if is_running { Category::Proc } else { Category::Syscall };
            let args = &args;
            let slice = Slice { track, category, name, start_ns, end_ns, stack, flow, args };
            stage.tracks.format.slice(&slice);
            flow = Flow::None;
        }
        if has_thread
            && let Some(thread) = span.thread
            && let Some(track) = stage.thread_lane(thread, start_ns, end_ns)
        {
            let category = if is_running { Category::Thread } else { Category::Syscall };
            let args = &args;
            let slice = Slice { track, category, name, start_ns, end_ns, stack, flow, args };
            stage.tracks.format.slice(&slice);
        }
    }

    /// Where goroutines have no lanes, arrows go from proc to proc, or from thread to thread.
    fn arrow_to_place<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        span: &StateSpan,
    ) -> Flow {
        if span.state != State::Running || !stage.window.contain(span.start_ns) {
            return Flow::None;
        }
        let Some(from) = self.departure.take() else { return Flow::None };
        let track = match from.thread {
            _ if stage.lanes.procs && span.proc == -1 => None,
            _ if stage.lanes.procs => stage.proc_at(from.proc, from.time_ns),
            Some(row) if span.thread.is_some() => stage.thread_at(row, from.time_ns),
            _ => None,
        };
        let Some(track) = track else { return Flow::None };
        let arrow = stage.tracks.flow();
        let mut args = Args::new();
        args.push_known(Key::Goid, from.goid);
        args.push(Key::Wakes, Value::Int(self.goid));
        args.push_stack(Key::Stack, from.stack);
        stage.tracks.format.instant(&Slice {
            track,
            category: from.category,
            name: Name::Id(from.name),
            start_ns: from.time_ns,
            end_ns: from.time_ns,
            stack: from.stack,
            flow: Flow::Begin(arrow),
            args: &args,
        });
        Flow::End(arrow)
    }

    /// It becomes runnable: an arrow may begin.
    pub(super) fn depart<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        span: &StateSpan,
        syscall: Option<Syscall>,
        arrival: &mut Arrival,
    ) {
        let (names, time_ns) = (&stage.names, span.start_ns);
        let from = match syscall {
            // A call that never had a proc shows nothing on one.
            Some(Syscall { first, lost_ns: Some(_), .. })
                if stage.lanes.procs
                    && !stage.lanes.goroutines
                    && first.state != State::Syscall =>
            {
                return;
            }
            Some(Syscall { first, lost_ns: Some(lost_ns), .. }) => Departure {
                // The proc was gone by then, the thread is where it was.
                time_ns: if stage.lanes.procs { lost_ns } else { time_ns },
                proc: first.proc,
                thread: first.thread,
                name: names.syscall_exit,
                category: Category::Syscall,
                goid: Some(self.goid),
                stack: first.stack,
            },
            _ if arrival.woken_by.is_some() && arrival.is_waker_shown => Departure {
                time_ns,
                proc: span.proc,
                thread: span.thread,
                name: if arrival.is_created { names.create } else { names.unblock },
                category: Category::Wakeup,
                goid: arrival.woken_by,
                stack: arrival.waker_stack,
            },
            _ => return,
        };
        if !stage.lanes.goroutines {
            self.departure = stage.window.contain(from.time_ns).then_some(from);
        } else if let (Category::Syscall, Some(track)) = (from.category, self.track()) {
            let arrow = stage.tracks.flow();
            let mut args = Args::new();
            args.push(Key::Goid, Value::Int(self.goid));
            stage.tracks.format.instant(&Slice {
                track,
                category: from.category,
                name: Name::Id(from.name),
                start_ns: time_ns,
                end_ns: time_ns,
                stack: None,
                flow: Flow::Begin(arrow),
                args: &args,
            });
            arrival.arrow = Some(arrow);
        }
    }
}
