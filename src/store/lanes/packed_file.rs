//! The temporary file that holds packed lanes, and walking through a part of one.

use super::packed::{ChunkEntry, Directory, Entry, PackedRange, Sums, each_state};
use crate::source::read_some_at;
use crate::store::StoreError;
use crate::store::budget::Work;
use std::fs::File;
use std::io::{self, BufWriter, Write};

/// What of a lane stands together in the file.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    start_ns: i64,
    end_ns: i64,
    /// Row of its first state.
    first_id: i64,
    offset: u64,
    /// Bytes in the file.
    chunks: u32,
    /// Where its sums are among the directories, and the bytes of its own directory behind them.
    sums: u32,
    directory: u32,
    /// Which lane it is of, as the builder counts them.
    lane: u32,
}

/// Writes ranges.
pub struct PackedWriter {
    file: BufWriter<File>,
    offset: u64,
    ranges: Vec<Range>,
    directories: Vec<u8>,
    /// Ranges for whose memory the limits were asked.
    paid: usize,
}

impl PackedWriter {
    /// Into a file that has no name and goes away by itself.
    pub fn new() -> Result<Self, StoreError> {
        let file = BufWriter::with_capacity(1 << 20, tempfile::tempfile()?);
        Ok(PackedWriter { file, offset: 0, ranges: Vec::new(), directories: Vec::new(), paid: 0 })
    }

    /// Asks for the memory of one range more. Fails if there must not be more.
    #[inline(always)]
    pub fn pay(&mut self, work: &Work) -> Result<(), StoreError> {
        if self.ranges.len() >= self.paid {
            let more = self.paid.max(1 << 12);
            work.hold(more * (size_of::<Range>() + 24))?;
            self.paid += more;
        }
        Ok(())
    }

    /// Adds a range of a lane. Those of one lane must come in order of time.
    pub fn push(&mut self, lane: u32, range: &PackedRange<'_>) -> Result<(), StoreError> {
        let too_large = || StoreError::Usage("the trace is too large for a timeline".into());
        self.ranges.push(Range {
            start_ns: range.start_ns,
            end_ns: range.end_ns,
            first_id: range.first_id,
            offset: self.offset,
            directory: u32::try_from(range.directory.len()).map_err(|_| too_large())?,
            chunks: u32::try_from(range.chunks.len()).map_err(|_| too_large())?,
            sums: u32::try_from(self.directories.len()).map_err(|_| too_large())?,
            lane,
        });
        self.directories.extend_from_slice(range.sums);
        self.directories.extend_from_slice(range.directory);
        self.file.write_all(range.chunks)?;
        self.offset += range.chunks.len() as u64;
        Ok(())
    }

    /// To read what was written. The ranges are then in the order of lanes, and of time in each.
    pub fn finish(mut self) -> Result<PackedFile, StoreError> {
        self.file.flush()?;
        let file = self.file.into_inner().map_err(|error| error.into_error())?;
        // Stable: those of one lane stay in order of time.
        self.ranges.sort_by_key(|range| range.lane);
        self.ranges.shrink_to_fit();
        self.directories.shrink_to_fit();
        let lanes = self.ranges.last().map_or(0, |range| range.lane as usize + 1);
        let mut first = vec![0; lanes + 1];
        for range in &self.ranges {
            first[range.lane as usize + 1] += 1;
        }
        let mut sum = 0;
        for first in &mut first {
            sum += *first;
            *first = sum;
        }
        let (ranges, directories) = (self.ranges, self.directories);
        Ok(PackedFile { file, length: self.offset, ranges, first, directories })
    }
}

/// Reads ranges; many threads may at once.
pub struct PackedFile {
    file: File,
    length: u64,
    ranges: Vec<Range>,
    /// For each lane, which range is its first; and behind the last.
    first: Vec<u32>,
    directories: Vec<u8>,
}

/// Room for what is read, to be used again.
#[derive(Default)]
pub struct Room {
    chunks: Vec<u8>,
    /// The range or chunk that is looked at.
    entry: ChunkEntry,
}

/// A stretch of a lane that need not be looked into.
pub struct Stretch<'a> {
    pub start_ns: i64,
    pub end_ns: i64,
    /// Row of its first state that has one; 0 if none has.
    pub first_id: i64,
    pub sums: &'a Sums,
}

/// What takes the states of a lane.
pub trait Visitor {
    /// A stretch that lies in the window wholly. If it is not taken, its parts come.
    fn stretch(&mut self, stretch: &Stretch<'_>) -> bool;
    /// A state, cut to the window.
    fn state(&mut self, state: &Entry);
}

impl PackedFile {
    /// Number of all ranges.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The ranges of a lane, in order of time.
    pub fn ranges_of(&self, lane: u32) -> &[Range] {
        match self.first.get(lane as usize..) {
            Some([from, to, ..]) => &self.ranges[*from as usize..*to as usize],
            _ => &[],
        }
    }

    /// Bytes in the file, and in memory.
    pub fn bytes(&self) -> (u64, u64) {
        let lists = size_of_val(&self.ranges[..]) + size_of_val(&self.first[..]);
        let memory = lists + self.directories.len();
        (self.length, memory as u64)
    }

    /// Walks through a lane, given by its ranges, from one time to another, in order of time.
    ///
    /// States without a duration are in the window if they are on its border.
    pub fn walk(
        &self,
        ranges: &[Range],
        has_ids: bool,
        window: (i64, i64),
        room: &mut Room,
        visitor: &mut impl Visitor,
    ) -> Result<(), StoreError> {
        let (from, to) = window;
        let first = ranges.partition_point(|range| range.end_ns < from);
        for range in &ranges[first..] {
            if range.start_ns > to {
                break;
            }
            self.walk_range(range, has_ids, window, room, visitor)?;
        }
        Ok(())
    }

    fn walk_range(
        &self,
        range: &Range,
        has_ids: bool,
        (from, to): (i64, i64),
        room: &mut Room,
        visitor: &mut impl Visitor,
    ) -> Result<(), StoreError> {
        let entry = &mut room.entry;
        let mut at = range.sums as usize;
        entry.sums.read(&self.directories, &mut at).ok_or_else(damaged)?;
        (entry.start_ns, entry.end_ns) = (range.start_ns, range.end_ns);
        (entry.from, entry.to) = (0, range.chunks as usize);
        entry.first_id = range.first_id;
        let is_taken = |entry: &ChunkEntry, visitor: &mut dyn FnMut(&Stretch<'_>) -> bool| {
            let ChunkEntry { start_ns, end_ns, first_id, ref sums, .. } = *entry;
            let first_id = if has_ids && !sums.has_ids() { 0 } else { first_id };
            let stretch = Stretch { start_ns, end_ns, first_id, sums };
            start_ns >= from && end_ns <= to && visitor(&stretch)
        };
        if is_taken(entry, &mut |stretch| visitor.stretch(stretch)) {
            return Ok(());
        }
        let end = at.saturating_add(range.directory as usize);
        let bytes = self.directories.get(at..end).ok_or_else(damaged)?;
        let mut directory = Directory::new(bytes, range.start_ns, range.first_id);
        let is_one = bytes.is_empty();
        // Where the bytes of chunks that were read begin in those of all.
        let mut read_from = None;
        let mut is_left = is_one;
        while std::mem::take(&mut is_left) || directory.next(entry).map_err(|_| damaged())? {
            if entry.end_ns < from {
                continue;
            }
            if entry.start_ns > to {
                break;
            }
            if !is_one && is_taken(entry, &mut |stretch| visitor.stretch(stretch)) {
                continue;
            }
            let begin = match read_from {
                Some(begin) => begin,
                None => {
                    // All that follow: mostly they are needed, and reading again costs more.
                    let length = (range.chunks as usize).saturating_sub(entry.from);
                    self.read(&mut room.chunks, range.offset + entry.from as u64, length)?;
                    read_from = Some(entry.from);
                    entry.from
                }
            };
            let bytes = entry.from.checked_sub(begin).zip(entry.to.checked_sub(begin));
            let bytes = bytes.and_then(|(from, to)| room.chunks.get(from..to));
            each_state(bytes.ok_or_else(damaged)?, entry, has_ids, |mut state| {
                let is_outside = match state.start_ns < state.end_ns {
                    true => state.end_ns <= from || state.start_ns >= to,
                    false => state.end_ns < from || state.start_ns > to,
                };
                if !is_outside {
                    state.start_ns = state.start_ns.max(from);
                    state.end_ns = state.end_ns.min(to);
                    visitor.state(&state);
                }
            })
            .map_err(|_| damaged())?;
        }
        Ok(())
    }

    fn read(&self, bytes: &mut Vec<u8>, offset: u64, length: usize) -> Result<(), StoreError> {
        // No more than there is, whatever the directory says.
        if offset.checked_add(length as u64).is_none_or(|end| end > self.length) {
            return Err(damaged());
        }
        bytes.resize(length, 0);
        let mut filled = 0;
        while filled < length {
            match read_some_at(&self.file, &mut bytes[filled..], offset + filled as u64) {
                Ok(0) => return Err(damaged()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Reads a lane of a proc or thread state by state.
pub struct LaneReader<'a> {
    file: &'a PackedFile,
    ranges: &'a [Range],
    room: Room,
    entries: Vec<Entry>,
    at: usize,
}

/// Keeps states.
struct Keep<'a>(&'a mut Vec<Entry>);

impl Visitor for Keep<'_> {
    fn stretch(&mut self, _: &Stretch<'_>) -> bool {
        false
    }

    fn state(&mut self, state: &Entry) {
        self.0.push(*state);
    }
}

impl<'a> LaneReader<'a> {
    /// From the beginning of a lane on.
    pub fn new(file: &'a PackedFile, lane: u32) -> Self {
        let ranges = file.ranges_of(lane);
        LaneReader { file, ranges, room: Room::default(), entries: Vec::new(), at: 0 }
    }

    /// The next state.
    pub fn next(&mut self) -> Result<Option<Entry>, StoreError> {
        while self.at == self.entries.len() {
            let Some((range, rest)) = self.ranges.split_first() else { return Ok(None) };
            self.ranges = rest;
            self.entries.clear();
            self.at = 0;
            let all = (i64::MIN, i64::MAX);
            let keep = &mut Keep(&mut self.entries);
            self.file.walk_range(range, true, all, &mut self.room, keep)?;
        }
        self.at += 1;
        Ok(self.entries.get(self.at - 1).copied())
    }
}

fn damaged() -> StoreError {
    StoreError::Io(io::Error::new(
        io::ErrorKind::InvalidData,
        "the temporary file of the timeline is damaged",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::detail::Piler;
    use super::super::packed::{CHUNKS, Packer};
    use super::super::sums::{Columns, Grid, Summer};
    use super::*;

    /// Lanes of random states: one of goroutines, one of procs.
    fn file(random: &mut impl FnMut(u64) -> u64) -> (PackedFile, [Vec<Entry>; 2]) {
        let mut writer = PackedWriter::new().unwrap();
        let lanes = [false, true].map(|has_ids| {
            let mut packer = Packer::new(has_ids, CHUNKS);
            let (mut time, mut id, mut entries) = (random(1000) as i64, 1, Vec::new());
            for _ in 0..10_000 {
                let gap = if random(5) == 0 { random(1 << 20) } else { 0 };
                let start_ns = time + gap as i64;
                let bits = random(40);
                time = start_ns + random(1 << bits) as i64;
                let class = random(13) as u8;
                let has_id = !has_ids || !matches!(class, 0 | 11);
                id += if has_ids || random(1000) == 0 { 1 + random(1 << 20) as i64 } else { 1 };
                let state_id = if has_id { id } else { 0 };
                let entry = Entry { start_ns, end_ns: time, class, state_id };
                if packer.is_full_before(&entry) {
                    packer.take(|range| writer.push(u32::from(has_ids), &range).unwrap());
                }
                packer.push(&entry);
                entries.push(entry);
            }
            packer.take(|range| writer.push(u32::from(has_ids), &range).unwrap());
            entries
        });
        (writer.finish().unwrap(), lanes)
    }

    fn numbers() -> impl FnMut(u64) -> u64 {
        let mut state = 1u64;
        move |bound| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 20) % bound
        }
    }

    #[test]
    fn what_is_packed_comes_out() {
        let (file, lanes) = file(&mut numbers());
        for (lane, want) in lanes.iter().enumerate() {
            let mut found = Vec::new();
            let all = (i64::MIN, i64::MAX);
            let ranges = file.ranges_of(lane as u32);
            assert!(ranges.len() > 2);
            file.walk(ranges, lane == 1, all, &mut Room::default(), &mut Keep(&mut found)).unwrap();
            assert!(found == *want);
        }
        let mut reader = LaneReader::new(&file, 1);
        let read = std::iter::from_fn(|| reader.next().unwrap());
        assert!(read.eq(lanes[1].iter().copied()));
        assert!(file.ranges_of(2).is_empty() && file.ranges_of(u32::MAX).is_empty());
    }

    #[test]
    #[cfg(unix)]
    fn a_damaged_file_is_refused_or_read() {
        let mut random = numbers();
        let (mut refused, mut read) = (0, 0);
        for _ in 0..200 {
            let (mut file, _) = file(&mut random);
            for _ in 0..1 + random(20) {
                let bytes = [random(256) as u8, [0, 0x7f, 0x80, 0xff][random(4) as usize]];
                let at = random(file.length);
                std::os::unix::fs::FileExt::write_at(&file.file, &bytes, at).unwrap();
            }
            if random(4) == 0 {
                let length = random(file.length);
                file.file.set_len(length).unwrap();
            }
            if random(4) == 0 {
                let at = random(file.directories.len() as u64) as usize;
                file.directories[at] = random(256) as u8;
            }
            for lane in 0..2 {
                let ranges = file.ranges_of(lane);
                let end = random(1 << 45) as i64;
                for window in [(i64::MIN, i64::MAX), (random(1 << 40) as i64, end)] {
                    let mut room = Room::default();
                    let quantum = 1 << random(45);
                    let mut items = 0;
                    let mut piler = Piler::new(window.0, quantum, |_| items += 1);
                    let mut columns = Columns::new(Grid::new(window, 100));
                    let mut summer = Summer::default();
                    for is_fine in [
                        file.walk(ranges, lane == 1, window, &mut room, &mut piler).is_ok(),
                        file.walk(ranges, lane == 1, window, &mut room, &mut columns).is_ok(),
                        file.walk(ranges, lane == 1, window, &mut room, &mut summer).is_ok(),
                    ] {
                        if is_fine { read += 1 } else { refused += 1 }
                    }
                    piler.finish();
                }
            }
        }
        assert!(refused > 50 && read > 50, "{refused} {read}");
    }
}
