//! The tracks of a timeline: numbering them, and placing slices that must not overlap.

use super::format::*;

/// Most lanes of one name. Only a broken trace needs more than a few.
const MAX_LANES: usize = 64;

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
    /// With the end of the last slice in each.
    lanes: Vec<(TrackId, i64)>,
}

impl FlatLanes {
    /// No lane yet.
    pub fn new(parent: TrackId, name: &str, rank: i64) -> Self {
        Self::below(parent, "", name, rank)
    }

    /// No lane yet, below one for which `prefix` stands.
    pub fn below(parent: TrackId, prefix: &str, name: &str, rank: i64) -> Self {
        FlatLanes { parent, prefix: prefix.into(), name: name.into(), rank, lanes: Vec::new() }
    }

    /// The lane for a slice; `None` if there are too many. Slices come in the order of their ends.
    #[inline(always)]
    pub fn place<F: TimelineFormat>(
        &mut self,
        tracks: &mut Tracks<F>,
        start_ns: i64,
        end_ns: i64,
    ) -> Option<TrackId> {
        match self.lanes.iter_mut().find(|lane| lane.1 <= start_ns) {
            Some(lane) => {
                lane.1 = lane.1.max(end_ns);
                Some(lane.0)
            }
            None => self.add(tracks, end_ns),
        }
    }

    /// The first lane, in which instants are shown.
    pub fn first<F: TimelineFormat>(&mut self, tracks: &mut Tracks<F>) -> Option<TrackId> {
        match self.lanes.first() {
            Some(lane) => Some(lane.0),
            None => self.add(tracks, i64::MIN),
        }
    }

    #[inline(never)]
    fn add<F: TimelineFormat>(&mut self, tracks: &mut Tracks<F>, end_ns: i64) -> Option<TrackId> {
        let track = match self.lanes.len() {
            0 => tracks.lane_below(self.parent, &self.prefix, &self.name, self.rank),
            MAX_LANES.. => return None,
            others => {
                let name = format!("{} ({})", self.name, others + 1);
                tracks.lane_below(self.parent, &self.prefix, &name, self.rank)
            }
        };
        self.lanes.push((track, end_ns));
        Some(track)
    }
}
