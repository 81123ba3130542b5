//! The string and stack tables of one generation.
//!
//! Numbers in the file are dense in practice, so they index vectors; a hostile file with
//! scattered numbers falls back to a hash map instead of a huge vector.

use std::borrow::Cow;
use std::collections::HashMap;

/// A map from the file's numbers to positions in a vector.
#[derive(Debug, Default, Clone)]
pub(crate) struct IdMap {
    dense: Vec<u32>,
    sparse: HashMap<u64, u32>,
    len: usize,
}

const ABSENT: u32 = u32::MAX;

impl IdMap {
    /// Maps `id`; `false` if it is mapped already, which then stays.
    pub fn insert(&mut self, id: u64, position: u32) -> bool {
        if self.get(id).is_some() {
            return false;
        }
        self.len += 1;
        // At most a few unused slots for each used one.
        if id < 4 * self.len as u64 + 1024 {
            let index = id as usize;
            if index >= self.dense.len() {
                self.dense.resize(index + 1, ABSENT);
            }
            self.dense[index] = position;
        } else {
            self.sparse.insert(id, position);
        }
        true
    }

    /// The position of `id`.
    #[inline]
    pub fn get(&self, id: u64) -> Option<u32> {
        match self.dense.get(id as usize) {
            Some(&position) if position != ABSENT => Some(position),
            _ if self.sparse.is_empty() => None,
            _ => self.sparse.get(&id).copied(),
        }
    }

    /// Once all ids are there: moves those that turned out not to be scattered.
    fn compact(&mut self) {
        let limit = 4 * self.len as u64 + 1024;
        let Some(last) = self.sparse.keys().copied().filter(|&id| id < limit).max() else {
            return;
        };
        if last as usize >= self.dense.len() {
            self.dense.resize(last as usize + 1, ABSENT);
        }
        let dense = &mut self.dense;
        self.sparse.retain(|&id, position| {
            if id < limit {
                dense[id as usize] = *position;
            }
            id >= limit
        });
    }

    /// Number of mapped ids.
    pub fn len(&self) -> usize {
        self.len
    }
}

/// A frame of a stack, with the string numbers of its generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Program counter.
    pub pc: u64,
    /// String number of the function name.
    pub function: u64,
    /// String number of the file name.
    pub file: u64,
    /// Line in the file.
    pub line: u64,
}

/// Position of a frame in [`Tables::frame`].
pub type FrameId = u32;

/// Strings and stacks of one generation.
#[derive(Debug, Default)]
pub struct Tables {
    string_ids: IdMap,
    string_ends: Vec<u32>,
    string_bytes: Vec<u8>,
    stack_ids: IdMap,
    stack_ends: Vec<u32>,
    stack_frames: Vec<FrameId>,
    frames: Vec<Frame>,
    // Go keeps one frame for each pc of a generation, the first it reads (generation.go,
    // addStacks); the numbers of other tools only agree if we do the same.
    frame_of_pc: HashMap<u64, FrameId>,
    extra_strings: Vec<Box<[u8]>>,
    extra_string_ids: HashMap<Box<[u8]>, u64>,
}

impl Tables {
    /// Defines a string; `false` if the number is taken.
    pub fn add_string(&mut self, id: u64, text: &[u8]) -> bool {
        if !self.string_ids.insert(id, self.string_ends.len() as u32) {
            return false;
        }
        self.string_bytes.extend_from_slice(text);
        self.string_ends.push(self.string_bytes.len() as u32);
        true
    }

    /// Defines a stack, leaf first; `false` if the number is taken.
    pub fn add_stack(&mut self, id: u64, frames: impl IntoIterator<Item = Frame>) -> bool {
        if !self.stack_ids.insert(id, self.stack_ends.len() as u32) {
            return false;
        }
        for frame in frames {
            let next = self.frames.len() as FrameId;
            let position = *self.frame_of_pc.entry(frame.pc).or_insert(next);
            if position == next {
                self.frames.push(frame);
            }
            self.stack_frames.push(position);
        }
        self.stack_ends.push(self.stack_frames.len() as u32);
        true
    }

    /// Makes look-ups faster once all strings and stacks are there. Worth it if their numbers came
    /// in no order.
    pub fn compact(&mut self) {
        self.string_ids.compact();
        self.stack_ids.compact();
    }

    /// The bytes of a string, usually UTF-8; `None` if the generation does not define it.
    /// Number 0 is the empty string.
    pub fn string(&self, id: u64) -> Option<&[u8]> {
        if id == 0 {
            return Some(b"");
        }
        let position = self.string_ids.get(id)? as usize;
        let start = if position == 0 { 0 } else { self.string_ends[position - 1] as usize };
        Some(&self.string_bytes[start..self.string_ends[position] as usize])
    }

    /// Whether a string is defined.
    #[inline]
    pub fn has_string(&self, id: u64) -> bool {
        id == 0 || self.string_ids.get(id).is_some()
    }

    /// Whether a stack is defined. Number 0 means "no stack" and always is.
    #[inline]
    pub fn has_stack(&self, id: u64) -> bool {
        id == 0 || self.stack_ids.get(id).is_some()
    }

    /// Position of a stack, for [`Tables::stack_at`]; `None` for 0 and for undefined numbers.
    #[inline]
    pub fn stack_position(&self, id: u64) -> Option<usize> {
        if id == 0 { None } else { self.stack_ids.get(id).map(|position| position as usize) }
    }

    /// Position of a string in the order of definition; `None` for 0 and for undefined numbers.
    #[inline]
    pub fn string_position(&self, id: u64) -> Option<usize> {
        if id == 0 { None } else { self.string_ids.get(id).map(|position| position as usize) }
    }

    /// Number of strings.
    pub fn string_count(&self) -> usize {
        self.string_ids.len()
    }

    /// Number of stacks.
    pub fn stack_count(&self) -> usize {
        self.stack_ends.len()
    }

    /// The frames of the stack with this number, leaf first; empty for 0 and undefined numbers.
    pub fn stack(&self, id: u64) -> &[FrameId] {
        self.stack_position(id).map_or(&[], |position| self.stack_at(position))
    }

    /// The frames of the stack at a position, leaf first.
    pub fn stack_at(&self, position: usize) -> &[FrameId] {
        let start = if position == 0 { 0 } else { self.stack_ends[position - 1] as usize };
        &self.stack_frames[start..self.stack_ends[position] as usize]
    }

    /// A frame.
    pub fn frame(&self, id: FrameId) -> &Frame {
        &self.frames[id as usize]
    }

    /// All distinct frames.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The names of the functions of the stack with this number, leaf first. What is not UTF-8 is
    /// replaced; a name that the generation does not define is empty.
    pub fn function_names(&self, stack: u64) -> impl Iterator<Item = Cow<'_, str>> {
        let name = |id: &FrameId| self.string(self.frame(*id).function).unwrap_or_default();
        self.stack(stack).iter().map(move |id| String::from_utf8_lossy(name(id)))
    }

    /// Keeps a string that comes from an earlier generation; the result is for
    /// [`Tables::extra_string`]. The empty string is 0.
    pub fn add_extra_string(&mut self, text: &[u8]) -> u64 {
        if text.is_empty() {
            return 0;
        }
        if let Some(&id) = self.extra_string_ids.get(text) {
            return id;
        }
        self.extra_strings.push(text.into());
        let id = self.extra_strings.len() as u64;
        self.extra_string_ids.insert(text.into(), id);
        id
    }

    /// A string kept by [`Tables::add_extra_string`].
    pub fn extra_string(&self, id: u64) -> &[u8] {
        match id.checked_sub(1) {
            Some(position) => self.extra_strings.get(position as usize).map_or(b"", |text| text),
            None => b"",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scattered_numbers_do_not_grow_the_dense_part() {
        let mut map = IdMap::default();
        for i in 1..100u64 {
            assert!(map.insert(i << 40, i as u32));
        }
        assert!(map.insert(5, 500));
        assert!(!map.insert(5, 501));
        assert_eq!((map.get(5), map.get(7 << 40), map.get(6)), (Some(500), Some(7), None));
        assert!(map.dense.len() < 2048);
        assert!(map.insert(1300, 13));
        map.compact();
        assert_eq!((map.get(1300), map.get(5), map.get(7 << 40)), (Some(13), Some(500), Some(7)));
        assert!(map.sparse.len() == 99 && map.dense.len() < 2048);
    }

    #[test]
    fn the_first_frame_of_a_pc_wins() {
        let mut tables = Tables::default();
        let frame = |line| Frame { pc: 1, function: 2, file: 3, line };
        assert!(tables.add_stack(1, [frame(10)]));
        assert!(tables.add_stack(2, [frame(11)]));
        assert!(!tables.add_stack(2, []));
        assert_eq!(tables.frame(tables.stack(2)[0]).line, 10);
        assert!(tables.stack(3).is_empty());
    }
}
