//! The tracks of a timeline: numbering them, and placing slices that must not overlap.

use super::format::*;
use std::collections::VecDeque;

/// Most lanes of one name. Only a broken trace needs more than a few.
const MAX_LANES: usize = 64;
/// Slices of a lane that are remembered for those that come late.
const MAX_RECENT: usize = 256;

/// A format together with the numbers given out so far.
pub struct Tracks<F> {
    /// Where everything is written.
    pub format: F,
    next_track: u32,
    next_flow: u64,
}

impl<F: TimelineFormat> Tracks<F> {
    /// No track yet.
    pub fn new(format: F) -> Self {
        Tracks { format, next_track: 1, next_flow: 1 }
    }

    /// The track that stands for the trace.
    pub fn root(&mut self, name: &str) -> TrackId {
        let track = self.number(None);
        self.announce(Track { name, ..blank(track, TrackKind::Root) });
        track
    }

    /// A track that holds others.
    pub fn group(
        &mut self,
        parent: TrackId,
        name: &str,
        rank: i64,
        children: ChildOrder,
        description: &str,
    ) -> TrackId {
        let track = self.number(None);
        let blank = blank(track, TrackKind::Group);
        let parent = Some(parent);
        self.announce(Track { parent, name, rank, children, description, ..blank });
        track
    }

    /// A track for slices.
    pub fn lane(&mut self, parent: TrackId, name: &str, rank: i64) -> TrackId {
        self.lane_below(parent, "", name, rank)
    }

    /// A track for slices, below one for which `prefix` stands.
    pub fn lane_below(&mut self, parent: TrackId, prefix: &str, name: &str, rank: i64) -> TrackId {
        let track = self.number(Some(parent.group));
        let blank = blank(track, TrackKind::Lane);
        self.announce(Track { parent: Some(parent), name, prefix, rank, ..blank });
        track
    }

    /// A track for a value.
    pub fn counter(
        &mut self,
        parent: TrackId,
        unit: Unit,
        (name, description): (&str, &str),
        rank: i64,
    ) -> TrackId {
        let track = self.number(Some(parent.group));
        let blank = blank(track, TrackKind::Counter(unit));
        self.announce(Track { parent: Some(parent), name, rank, description, ..blank });
        track
    }

    /// The number for a new arrow.
    pub fn flow(&mut self) -> u64 {
        self.next_flow += 1;
        self.next_flow - 1
    }

    fn number(&mut self, group: Option<u32>) -> TrackId {
        let id = self.next_track;
        self.next_track = id.checked_add(1).expect("a trace has fewer than 2^32 goroutines");
        TrackId { id, group: group.unwrap_or(id) }
    }

    fn announce(&mut self, track: Track<'_>) {
        self.format.track(&track);
    }
}

/// A track without a name.
fn blank(track: TrackId, kind: TrackKind) -> Track<'static> {
    Track {
        track,
        parent: None,
        kind,
        name: "",
        prefix: "",
        rank: 0,
        children: ChildOrder::ByRank,
        description: "",
    }
}

/// Lanes of one name, in each of which slices lie one behind the other. Almost always there is one;
/// what would overlap, as after damage, goes into a further one.
pub struct FlatLanes {
    parent: TrackId,
    prefix: Box<str>,
    name: Box<str>,
    rank: i64,
    lanes: Vec<FlatLane>,
    /// Whether slices may come late, out of the order of their ends.
    has_late: bool,
}

struct FlatLane {
    track: TrackId,
    /// End of the last slice.
    end_ns: i64,
    /// The last slices, for those that come late.
    recent: VecDeque<(i64, i64)>,
}

impl FlatLane {
    /// Whether a slice has a place here.
    #[inline(always)]
    fn has_room(&self, start_ns: i64, end_ns: i64) -> bool {
        self.end_ns <= start_ns || self.has_room_before(start_ns, end_ns)
    }

    /// Whether a slice that comes late has a place among the last ones.
    fn has_room_before(&self, start_ns: i64, end_ns: i64) -> bool {
        let is_known = self.recent.len() < MAX_RECENT
            || self.recent.front().is_some_and(|first| first.0 <= start_ns);
        // Strictly: of two slices that touch, the earlier one must come first.
        let is_free = |&(start, end): &(i64, i64)| end < start_ns || end_ns < start;
        is_known && !self.recent.is_empty() && self.recent.iter().all(is_free)
    }

    fn note(&mut self, start_ns: i64, end_ns: i64) {
        if self.recent.len() == MAX_RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((start_ns, end_ns));
    }
}

impl FlatLanes {
    /// No lane yet.
    pub fn new(parent: TrackId, name: &str, rank: i64) -> Self {
        Self::below(parent, "", name, rank)
    }

    /// No lane yet, for slices of goroutines: of one whose function is not known at first, they come
    /// late.
    pub fn with_late(parent: TrackId, name: &str, rank: i64) -> Self {
        FlatLanes { has_late: true, ..Self::new(parent, name, rank) }
    }

    /// No lane yet, below one for which `prefix` stands.
    pub fn below(parent: TrackId, prefix: &str, name: &str, rank: i64) -> Self {
        let (prefix, name) = (prefix.into(), name.into());
        FlatLanes { parent, prefix, name, rank, lanes: Vec::new(), has_late: false }
    }

    /// The lane for a slice; `None` if there are too many. Slices come in the order of their ends.
    #[inline(always)]
    pub fn place<F: TimelineFormat>(
        &mut self,
        tracks: &mut Tracks<F>,
        start_ns: i64,
        end_ns: i64,
    ) -> Option<TrackId> {
        let index = match self.lanes.iter().position(|lane| lane.has_room(start_ns, end_ns)) {
            Some(index) => index,
            None => self.add(tracks)?,
        };
        let lane = &mut self.lanes[index];
        lane.end_ns = lane.end_ns.max(end_ns);
        if self.has_late {
            lane.note(start_ns, end_ns);
        }
        Some(lane.track)
    }

    /// The lane whose slice a moment lies in, also if the slice is still to come; `None` if it is
    /// in none, or too far back.
    pub fn holding(&self, time_ns: i64) -> Option<TrackId> {
        let is_in = |&(start_ns, end_ns): &(i64, i64)| start_ns <= time_ns && time_ns <= end_ns;
        let past = self.lanes.iter().find(|lane| lane.recent.iter().rev().any(is_in));
        let open = || self.lanes.first().filter(|lane| lane.end_ns <= time_ns);
        past.or_else(open).map(|lane| lane.track)
    }

    /// The first lane, in which instants are shown.
    pub fn first<F: TimelineFormat>(&mut self, tracks: &mut Tracks<F>) -> Option<TrackId> {
        if self.lanes.is_empty() {
            self.add(tracks)?;
        }
        self.lanes.first().map(|lane| lane.track)
    }

    #[inline(never)]
    fn add<F: TimelineFormat>(&mut self, tracks: &mut Tracks<F>) -> Option<usize> {
        let track = match self.lanes.len() {
            0 => tracks.lane_below(self.parent, &self.prefix, &self.name, self.rank),
            MAX_LANES.. => return None,
            others => {
                let name = format!("{} ({})", self.name, others + 1);
                tracks.lane_below(self.parent, &self.prefix, &name, self.rank)
            }
        };
        self.lanes.push(FlatLane { track, end_ns: i64::MIN, recent: VecDeque::new() });
        Some(self.lanes.len() - 1)
    }
}
