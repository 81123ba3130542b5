//! The lanes below that of a goroutine: system calls, regions, what the collector makes it do, samples.

use super::format::*;
use super::lane::{Child, Deferred, Lane, MAX_DEFERRED, ShownRegion, Syscall, View};
use super::stage::Stage;
use super::tracks::FlatLanes;
use crate::model::{Region, Sample, StackId, State, StateSpan};

/// Most regions that had begun before what is shown, and wait for those around them.
const MAX_EARLY: usize = 1024;

impl Lane {
    /// A part of a system call: with its proc, or without.
    pub(super) fn syscall_part(&mut self, span: &StateSpan, end_ns: i64) {
        let lost_ns = (span.state == State::SyscallBlocked).then_some(span.start_ns);
        match &mut self.syscall {
            Some(syscall) => {
                syscall.end_ns = end_ns;
                syscall.open_end = span.open_end;
                syscall.lost_ns = syscall.lost_ns.or(lost_ns);
            }
            None => {
                let (first, open_end) = (*span, span.open_end);
                self.syscall = Some(Syscall { first, end_ns, open_end, lost_ns });
            }
        }
    }

    /// Shows and returns the system call that ended before a span, unless the span is a part of it.
    #[inline(always)]
    pub(super) fn end_syscall<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        next: &StateSpan,
    ) -> Option<Syscall> {
        let syscall = self.syscall?;
        let goes_on = next.state == State::SyscallBlocked
            && next.from == State::Syscall
            && next.start_ns == syscall.end_ns;
        if goes_on { None } else { self.finish_syscall(stage) }
    }

    pub(super) fn finish_syscall<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
    ) -> Option<Syscall> {
        let syscall = self.syscall.take()?;
        let first = &syscall.first;
        let Some((start_ns, end_ns)) = stage.window.clip(first.start_ns, syscall.end_ns) else {
            return Some(syscall);
        };
        if self.track().is_none() {
            return Some(syscall);
        }
        let name = Name::Id(stage.syscall_name(first.stack));
        let mut args = Args::new();
        args.push(Key::Goid, Value::Int(self.goid));
        if syscall.lost_ns.is_some() {
            args.push(Key::Blocked, Value::Bool(true));
        }
        args.push_stack(Key::Stack, first.stack);
        if first.open_start {
            args.push(Key::OpenStart, Value::Bool(true));
        }
        if syscall.open_end {
            args.push(Key::OpenEnd, Value::Bool(true));
        }
        let (category, stack, flow) = (Category::Syscall, first.stack, Flow::None);
        let args = &args;
        self.child_slice(stage, Child::Syscalls, start_ns, end_ns, &|track| Slice {
            track,
            category,
            name,
            start_ns,
            end_ns,
            stack,
            flow,
            args,
        });
        Some(syscall)
    }

    /// Writes a slice into a lane below that of the goroutine.
    pub fn child_slice<'a, F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        child: Child,
        start_ns: i64,
        end_ns: i64,
        slice: &dyn Fn(TrackId) -> Slice<'a>,
    ) {
        let Some(parent) = self.track() else { return };
        if let Some(track) = self.child(parent, child).place(&mut stage.tracks, start_ns, end_ns) {
            stage.tracks.format.slice(&slice(track));
        }
    }

    /// The lane for the instants of a kind.
    pub fn instants<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        child: Child,
    ) -> Option<TrackId> {
        let parent = self.track()?;
        self.child(parent, child).first(&mut stage.tracks)
    }

    fn child(&mut self, parent: TrackId, child: Child) -> &mut FlatLanes {
        let index = match self.children.iter().position(|one| one.0 == child) {
            Some(index) => index,
            None => {
                let prefix = format!("G{}", self.goid);
                let rank = self.child_rank(child);
                let lanes = FlatLanes::below(parent, &prefix, child.name(), rank);
                self.children.push((child, lanes));
                self.children.len() - 1
            }
        };
        &mut self.children[index].1
    }

    /// A sample of the CPU profiler hit it.
    pub fn sample<F: TimelineFormat>(&mut self, stage: &mut Stage<F>, sample: &Sample) {
        match &mut self.view {
            View::Deferred(deferred) if deferred.len() < MAX_DEFERRED => {
                deferred.push(Deferred::Sample(*sample));
                return;
            }
            View::Deferred(_) => self.reveal(stage, None),
            _ => {}
        }
        if self.is_hidden() {
            return;
        }
        let track = match self.instants(stage, Child::Samples) {
            Some(track) => Some(track),
            None if sample.proc != -1 && stage.lanes.procs => stage.proc_instants(sample.proc),
            None => None,
        };
        if let Some(track) = track {
            show_sample(stage, track, sample, Some(self.goid));
        }
    }

    /// A region of it ended, or the goroutine did before its region.
    pub fn region<F: TimelineFormat>(&mut self, stage: &mut Stage<F>, region: &Region<'_>) {
        self.reveal_by(stage, region.stack.or(region.end_stack));
        let Some(parent) = self.track() else { return };
        let start = region.start_ns.unwrap_or(0);
        let end = region.end_ns.unwrap_or(self.last_ns);
        let Some((start_ns, end_ns)) = stage.window.clip(start, end) else { return };
        let is_early = region.start_ns.is_none() || start_ns != start;
        let shown = ShownRegion {
            name: region.name.into(),
            start_ns,
            end_ns,
            task: region.task,
            stack: region.stack,
            end_stack: region.end_stack,
            open_end: region.end_ns.is_none(),
        };
        if is_early && region.is_innermost && self.early.len() < MAX_EARLY {
            // They all begin where the timeline does, so the outer ones must be written first.
            self.early.push(shown);
        } else {
            self.show_region(stage, parent, &shown, region.is_innermost);
        }
    }

    /// Something happened on it at a stack, whose root tells its function if that is not known.
    pub fn reveal_by<F: TimelineFormat>(&mut self, stage: &mut Stage<F>, stack: Option<StackId>) {
        if matches!(self.view, View::Deferred(_)) {
            self.reveal(stage, stage.root_of(stack));
        }
    }

    pub(super) fn show_region<F: TimelineFormat>(
        &mut self,
        stage: &mut Stage<F>,
        parent: TrackId,
        region: &ShownRegion,
        is_nested: bool,
    ) {
        let name = Name::Id(stage.text(&region.name));
        let mut args = Args::new();
        args.push(Key::Goid, Value::Int(self.goid));
        if region.task != 0 {
            args.push(Key::Task, Value::Int(region.task as i64));
        }
        args.push_stack(Key::Stack, region.stack);
        args.push_stack(Key::EndStack, region.end_stack);
        if region.open_end {
            args.push(Key::OpenEnd, Value::Bool(true));
        }
        let &ShownRegion { start_ns, end_ns, stack, .. } = region;
        let (category, flow, args) = (Category::Region, Flow::None, &args);
        let slice = |track| Slice { track, category, name, start_ns, end_ns, stack, flow, args };
        if is_nested {
            let (tracks, child) = (&mut stage.tracks, Child::Regions);
            let (goid, rank) = (self.goid, self.child_rank(child));
            let track = *self.regions.get_or_insert_with(|| {
                tracks.lane_below(parent, &format!("G{goid}"), child.name(), rank)
            });
            tracks.format.slice(&slice(track));
        } else {
            self.child_slice(stage, Child::MisnestedRegions, start_ns, end_ns, &slice);
        }
    }
}

/// Writes a sample of the CPU profiler.
pub fn show_sample<F: TimelineFormat>(
    stage: &mut Stage<F>,
    track: TrackId,
    sample: &Sample,
    goid: Option<i64>,
) {
    let mut args = Args::new();
    args.push_known(Key::Goid, goid);
    args.push_known(Key::Proc, (sample.proc != -1).then_some(sample.proc));
    args.push_known(Key::Thread, (sample.thread != -1).then_some(sample.thread));
    args.push_stack(Key::Stack, sample.stack);
    stage.tracks.format.instant(&Slice {
        track,
        category: Category::Sample,
        name: Name::Id(stage.names.sample),
        start_ns: sample.time_ns,
        end_ns: sample.time_ns,
        stack: sample.stack,
        flow: Flow::None,
        args: &args,
    });
}
