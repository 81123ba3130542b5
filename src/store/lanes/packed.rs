//! How the states of a lane lie in the temporary file, and what of them in memory.
//!
//! A lane is a list of *ranges* of up to 4,096 states, a range a list of *chunks* of up to 64. In memory
//! stand the sums of each range and its directory, in the file the bytes of its chunks:
//!
//! ```text
//! directory: empty for one chunk; else for each
//!   varint start - start of the chunk before (of the range for the first)
//!   varint bytes of the chunk
//!   zigzag row of its first state - that of the chunk before (of the range for the first)
//!   sums
//! sums:
//!   varint number of classes in it; for each
//!   varint class | states << 4
//!   varint nanoseconds
//! chunk: for each state
//!   varint class | nanoseconds << 4
//!   zigzag row - row before - 1; only in lanes of procs and threads, and only of states that have a row
//! ```
//!
//! Between two states of a chunk that do not touch stands one of class [`GAP`]. Rows of a goroutine's
//! states follow each other within a range. All numbers are little-endian, 7 bits a byte.

/// Most states of a chunk.
pub const CHUNK: u32 = 64;
/// Most chunks of a range.
pub const CHUNKS: u32 = 64;
/// The class of the time between two states that do not touch.
pub const GAP: u8 = 15;
/// Times are cut to what lies between minus this and this, nanoseconds: 4 years. So durations leave
/// room for a class below them, and no sum over one lane overflows.
pub const MOST_NS: i64 = 1 << 57;

/// A state of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub start_ns: i64,
    pub end_ns: i64,
    /// Below 16.
    pub class: u8,
    /// Row of `raw_goroutine_states`; 0 for none.
    pub state_id: i64,
}

/// Time and number of states by class: those that there are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sums {
    len: usize,
    parts: [(u8, u32, i64); 16],
}

impl Sums {
    /// Class, states, nanoseconds of each class that there is.
    #[inline(always)]
    pub fn parts(&self) -> &[(u8, u32, i64)] {
        &self.parts[..self.len.min(16)]
    }

    /// Whether any state of a lane of a proc or thread has a row.
    pub fn has_ids(&self) -> bool {
        self.parts().iter().any(|part| class_has_id(part.0))
    }

    /// Time of all, gaps included, nanoseconds.
    #[inline(always)]
    fn total_ns(&self) -> i64 {
        self.parts().iter().fold(0, |sum, part| part.2.saturating_add(sum))
    }

    /// Reads sums from `at` on, and moves it behind them; `None` if they are damaged.
    #[inline(always)]
    pub fn read(&mut self, bytes: &[u8], at: &mut usize) -> Option<()> {
        self.len = varint(bytes, at)? as usize;
        for part in self.parts.get_mut(..self.len)? {
            let key = varint(bytes, at)?;
            let ns = i64::try_from(varint(bytes, at)?).ok()?;
            *part = ((key & 15) as u8, u32::try_from(key >> 4).ok()?, ns);
        }
        Some(())
    }
}

/// Sums that grow.
#[derive(Clone, Copy, Default)]
struct Growing {
    /// A bit for each class that there is.
    there: u16,
    states: [u32; 16],
    ns: [i64; 16],
}

impl Growing {
    #[inline(always)]
    fn add(&mut self, class: u8, states: u32, ns: i64) {
        let class = usize::from(class & 15);
        self.there |= 1 << class;
        self.states[class] += states;
        self.ns[class] += ns;
    }

    /// The classes that there are.
    #[inline(always)]
    fn classes(&self) -> impl Iterator<Item = usize> + use<> {
        let mut left = self.there;
        std::iter::from_fn(move || {
            let class = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            (class < 16).then_some(class)
        })
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        write_varint(bytes, u64::from(self.there.count_ones()));
        for class in self.classes() {
            write_varint(bytes, class as u64 | u64::from(self.states[class]) << 4);
            write_varint(bytes, self.ns[class] as u64);
        }
    }
}

/// A range that is complete, to be written.
pub struct PackedRange<'a> {
    pub start_ns: i64,
    pub end_ns: i64,
    /// Row of its first state.
    pub first_id: i64,
    /// Empty if there is but one chunk: that is the range.
    pub directory: &'a [u8],
    pub chunks: &'a [u8],
    /// What it sums up to, as in the directory.
    pub sums: &'a [u8],
}

/// Packs states of a lane, in order of time and without overlap.
#[derive(Default)]
pub struct Packer {
    has_ids: bool,
    most_chunks: u32,
    /// Ends of what is there.
    start_ns: i64,
    end_ns: i64,
    first_id: i64,
    last_id: i64,
    /// Of the chunk that grows.
    states: u32,
    chunk_start_ns: i64,
    chunk_at: usize,
    chunk_id: i64,
    sums: Growing,
    /// Of the range.
    number_of_chunks: u32,
    last_chunk_start_ns: i64,
    last_chunk_id: i64,
    all: Growing,
    directory: Vec<u8>,
    chunks: Vec<u8>,
    all_sums: Vec<u8>,
}

impl Packer {
    /// `has_ids` if states have rows of their own, and not those that follow each other; with so many
    /// chunks to a range.
    pub fn new(has_ids: bool, most_chunks: u32) -> Self {
        Packer { has_ids, most_chunks, ..Packer::default() }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.states == 0 && self.number_of_chunks == 0
    }

    /// Whether the range has to be taken before this state is added.
    #[inline(always)]
    pub fn is_full_before(&self, entry: &Entry) -> bool {
        let is_next = self.has_ids || entry.state_id == self.last_id.wrapping_add(1);
        self.number_of_chunks >= self.most_chunks || (!is_next && !self.is_empty())
    }

    /// Adds a state; it must not begin before the end of the one before.
    #[inline(always)]
    pub fn push(&mut self, entry: &Entry) {
        if self.states == 0 {
            if self.number_of_chunks == 0 {
                (self.start_ns, self.first_id) = (entry.start_ns, entry.state_id);
                (self.last_chunk_start_ns, self.last_chunk_id) = (entry.start_ns, entry.state_id);
            }
            self.chunk_start_ns = entry.start_ns;
            self.chunk_id = entry.state_id;
            self.last_id = entry.state_id.wrapping_sub(1);
        } else if self.has_ids && self.chunk_id == 0 {
            // Nobody was there yet.
            self.chunk_id = entry.state_id;
            self.last_id = entry.state_id.wrapping_sub(1);
        }
        if self.has_ids && self.first_id == 0 {
            (self.first_id, self.last_chunk_id) = (entry.state_id, entry.state_id);
        }
        if self.states > 0 && entry.start_ns > self.end_ns {
            let gap = entry.start_ns - self.end_ns;
            write_varint(&mut self.chunks, (gap as u64) << 4 | u64::from(GAP));
            self.sums.add(GAP, 0, gap);
        }
        let ns = entry.end_ns - entry.start_ns;
        write_varint(&mut self.chunks, (ns as u64) << 4 | u64::from(entry.class & 15));
        self.sums.add(entry.class, 1, ns);
        if self.has_ids && class_has_id(entry.class) {
            let step = entry.state_id.wrapping_sub(self.last_id).wrapping_sub(1);
            write_varint(&mut self.chunks, zigzag(step));
        }
        if !self.has_ids || class_has_id(entry.class) {
            self.last_id = entry.state_id;
        }
        self.end_ns = entry.end_ns;
        self.states += 1;
        if self.states == CHUNK {
            self.end_chunk();
        }
    }

    fn end_chunk(&mut self) {
        let directory = &mut self.directory;
        write_varint(directory, (self.chunk_start_ns - self.last_chunk_start_ns) as u64);
        write_varint(directory, (self.chunks.len() - self.chunk_at) as u64);
        write_varint(directory, zigzag(self.chunk_id.wrapping_sub(self.last_chunk_id)));
        self.sums.write(directory);
        for class in self.sums.classes() {
            self.all.add(class as u8, self.sums.states[class], self.sums.ns[class]);
        }
        (self.last_chunk_start_ns, self.last_chunk_id) = (self.chunk_start_ns, self.chunk_id);
        (self.sums, self.states) = (Growing::default(), 0);
        self.chunk_at = self.chunks.len();
        self.number_of_chunks += 1;
    }

    /// Hands out what is there, and begins anew.
    pub fn take<T>(&mut self, take: impl FnOnce(PackedRange<'_>) -> T) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        if self.states > 0 {
            self.end_chunk();
        }
        self.all_sums.clear();
        self.all.write(&mut self.all_sums);
        let taken = take(PackedRange {
            start_ns: self.start_ns,
            end_ns: self.end_ns,
            first_id: self.first_id,
            directory: if self.number_of_chunks > 1 { &self.directory } else { &[] },
            chunks: &self.chunks,
            sums: &self.all_sums,
        });
        (self.all, self.number_of_chunks, self.chunk_at) = (Growing::default(), 0, 0);
        self.directory.clear();
        self.chunks.clear();
        Some(taken)
    }
}

/// Whether a state of this class in a lane of a proc or thread has a row: somebody is there.
#[inline(always)]
fn class_has_id(class: u8) -> bool {
    // Undetermined, runtime, gap.
    !matches!(class, 0 | 11 | 15)
}

/// A chunk in a directory.
#[derive(Debug, Default)]
pub struct ChunkEntry {
    pub start_ns: i64,
    pub end_ns: i64,
    /// Row of its first state.
    pub first_id: i64,
    /// Where its bytes are, behind the directory.
    pub from: usize,
    pub to: usize,
    pub sums: Sums,
}

/// Reads a directory, chunk by chunk.
pub struct Directory<'a> {
    bytes: &'a [u8],
    at: usize,
    start_ns: i64,
    id: i64,
    from: usize,
}

impl<'a> Directory<'a> {
    /// That of a range which begins so.
    pub fn new(bytes: &'a [u8], start_ns: i64, first_id: i64) -> Self {
        Directory { bytes, at: 0, start_ns, id: first_id, from: 0 }
    }

    /// Puts the next chunk into an entry; `false` at the end, an error if it is damaged.
    #[inline(always)]
    pub fn next(&mut self, entry: &mut ChunkEntry) -> Result<bool, Damaged> {
        if self.at >= self.bytes.len() {
            return Ok(false);
        }
        self.read(entry).map(|()| true).ok_or(Damaged)
    }

    #[inline(always)]
    fn read(&mut self, entry: &mut ChunkEntry) -> Option<()> {
        let delta = i64::try_from(varint(self.bytes, &mut self.at)?).ok()?;
        self.start_ns = self.start_ns.checked_add(delta)?;
        let length = usize::try_from(varint(self.bytes, &mut self.at)?).ok()?;
        self.id = self.id.wrapping_add(unzigzag(varint(self.bytes, &mut self.at)?));
        entry.sums.read(self.bytes, &mut self.at)?;
        (entry.start_ns, entry.first_id, entry.from) = (self.start_ns, self.id, self.from);
        self.from = self.from.checked_add(length)?;
        entry.to = self.from;
        entry.end_ns = self.start_ns.checked_add(entry.sums.total_ns())?;
        Some(())
    }
}

/// The bytes are not what was written.
#[derive(Debug)]
pub struct Damaged;

/// Hands out the states of a chunk, gaps left out.
#[inline(always)]
pub fn each_state(
    bytes: &[u8],
    chunk: &ChunkEntry,
    has_ids: bool,
    mut take: impl FnMut(Entry),
) -> Result<(), Damaged> {
    let (mut at, mut time, mut next_id) = (0, chunk.start_ns, chunk.first_id);
    while at < bytes.len() {
        let value = varint(bytes, &mut at).ok_or(Damaged)?;
        let (class, start_ns) = ((value & 15) as u8, time);
        // Less than 2^60: it cannot become negative.
        time = time.checked_add((value >> 4) as i64).ok_or(Damaged)?;
        if class == GAP {
            continue;
        }
        let mut state_id = 0;
        if !has_ids {
            state_id = next_id;
            next_id = next_id.wrapping_add(1);
        } else if class_has_id(class) {
            let step = unzigzag(varint(bytes, &mut at).ok_or(Damaged)?);
            state_id = next_id.wrapping_add(step);
            next_id = state_id.wrapping_add(1);
        }
        take(Entry { start_ns, end_ns: time, class, state_id });
    }
    Ok(())
}

#[inline(always)]
fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

#[inline(always)]
fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[inline(always)]
fn write_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[inline(always)]
fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0;
    for index in 0..10 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
