//! Functions, frames, stacks and reasons, each kept once for the whole database.
//!
//! Every generation has its own numbers for strings and stacks. They are translated once a
//! generation, so that an event costs one look-up in a vector.

use super::ids::{FunctionId, ReasonId, StackId};
use crate::wire::v2::Tables;
use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// A function.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FunctionData {
    /// Full name.
    pub name: Box<str>,
    /// Source file.
    pub file: Box<str>,
}

/// A position in a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameData {
    /// The function.
    pub function: FunctionId,
    /// Line in its file.
    pub line: u64,
    /// Program counter.
    pub pc: u64,
}

/// All symbols seen so far. Ids are positions plus one, in the order of first appearance.
#[derive(Debug, Default)]
pub struct Symbols {
    functions: IndexSet<FunctionData, FxBuildHasher>,
    frames: IndexSet<FrameData, FxBuildHasher>,
    /// Frames of all stacks, one after the other; positions in `frames`.
    stack_frames: Vec<u32>,
    stack_ends: Vec<u32>,
    stack_ids: FxHashMap<Box<[u32]>, StackId>,
    reasons: IndexSet<Box<str>, FxBuildHasher>,
}

impl Symbols {
    /// The id of a reason.
    pub fn reason(&mut self, name: &str) -> ReasonId {
        let index = match self.reasons.get_index_of(name) {
            Some(index) => index,
            None => self.reasons.insert_full(name.into()).0,
        };
        ReasonId::from_index(index)
    }

    /// The id of a function.
    pub fn function(&mut self, name: &[u8], file: &[u8]) -> FunctionId {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned().into_boxed_str();
        let data = FunctionData { name: text(name), file: text(file) };
        FunctionId::from_index(self.functions.insert_full(data).0)
    }

    /// The position of a frame in [`Symbols::frames`].
    pub fn frame(&mut self, data: FrameData) -> u32 {
        self.frames.insert_full(data).0 as u32
    }

    /// The id of a stack of frames, leaf first.
    pub fn stack(&mut self, frames: &[u32]) -> StackId {
        if let Some(&id) = self.stack_ids.get(frames) {
            return id;
        }
        let id = StackId::from_index(self.stack_ends.len());
        self.stack_frames.extend_from_slice(frames);
        self.stack_ends.push(self.stack_frames.len() as u32);
        self.stack_ids.insert(frames.into(), id);
        id
    }

    /// All functions.
    pub fn functions(&self) -> impl Iterator<Item = &FunctionData> {
        self.functions.iter()
    }

    /// All frames.
    pub fn frames(&self) -> impl Iterator<Item = &FrameData> {
        self.frames.iter()
    }

    /// The function of the frame at a position.
    pub fn function_of(&self, frame: u32) -> FunctionId {
        self.frames[frame as usize].function
    }

    /// The name of the function of the frame at a position.
    pub fn function_name(&self, frame: u32) -> &str {
        &self.functions[self.function_of(frame).index()].name
    }

    /// All reasons.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        self.reasons.iter().map(|name| &**name)
    }

    /// The text of a reason.
    pub fn reason_name(&self, id: ReasonId) -> &str {
        &self.reasons[id.index()]
    }

    /// How many reasons there are.
    #[inline(always)]
    pub fn reason_count(&self) -> usize {
        self.reasons.len()
    }

    /// A function.
    pub fn function_data(&self, id: FunctionId) -> &FunctionData {
        &self.functions[id.index()]
    }

    /// The frame at a position.
    pub fn frame_data(&self, frame: u32) -> &FrameData {
        &self.frames[frame as usize]
    }

    /// How many stacks there are.
    pub fn stack_count(&self) -> usize {
        self.stack_ends.len()
    }

    /// How many frames there are.
    pub fn frame_count(&self) -> usize {
        self.frames.len()
    }

    /// The frames of a stack, leaf first, as positions in [`Symbols::frames`].
    pub fn stack_frames(&self, stack: StackId) -> &[u32] {
        let index = stack.index();
        let start = if index == 0 { 0 } else { self.stack_ends[index - 1] };
        &self.stack_frames[start as usize..self.stack_ends[index] as usize]
    }

    /// The stacks, in the order of their ids: frames as positions in [`Symbols::frames`].
    pub fn stacks(&self) -> impl Iterator<Item = &[u32]> {
        let mut start = 0;
        self.stack_ends.iter().map(move |&end| {
            let frames = &self.stack_frames[start..end as usize];
            start = end as usize;
            frames
        })
    }

    /// Whether a function has a name.
    pub fn is_named(&self, id: FunctionId) -> bool {
        !self.functions[id.index()].name.is_empty()
    }

    /// The function at the root of a stack; `None` if the stack is empty.
    pub fn root(&self, stack: StackId) -> Option<FunctionId> {
        self.stack_frames(stack).last().map(|&frame| self.function_of(frame))
    }
}

/// The numbers of one generation, translated.
#[derive(Debug, Default)]
pub struct Translation {
    /// By position of the stack in its generation.
    stacks: Vec<StackId>,
    /// By position of the string in its generation; filled when first asked for.
    reasons: Vec<Option<ReasonId>>,
    empty_reason: Option<ReasonId>,
}

impl Translation {
    /// Translates the tables of a generation.
    pub fn new(tables: &Tables, symbols: &mut Symbols) -> Self {
        let text = |id: u64| tables.string(id).unwrap_or(b"");
        let frames: Vec<u32> = tables
            .frames()
            .iter()
            .map(|frame| {
                let function = symbols.function(text(frame.function), text(frame.file));
                symbols.frame(FrameData { function, line: frame.line, pc: frame.pc })
            })
            .collect();
        let mut buffer = Vec::new();
        let stacks = (0..tables.stack_count())
            .map(|position| {
                buffer.clear();
                let ids = tables.stack_at(position).iter();
                buffer.extend(ids.map(|&id| frames[id as usize]));
                symbols.stack(&buffer)
            })
            .collect();
        Translation { stacks, reasons: vec![None; tables.string_count()], empty_reason: None }
    }

    /// The stack with this number in its generation; `None` for 0.
    #[inline(always)]
    pub fn stack(&self, id: u64, tables: &Tables) -> Option<StackId> {
        tables.stack_position(id).map(|position| self.stacks[position])
    }

    /// The reason with this string number in its generation; the empty one for 0.
    #[inline(always)]
    pub fn reason(&mut self, id: u64, tables: &Tables, symbols: &mut Symbols) -> ReasonId {
        let place = match tables.string_position(id) {
            Some(position) => &mut self.reasons[position],
            None => &mut self.empty_reason,
        };
        *place.get_or_insert_with(|| {
            symbols.reason(&String::from_utf8_lossy(tables.string(id).unwrap_or(b"")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_symbols_have_one_id_and_stacks_know_their_root() {
        let mut symbols = Symbols::default();
        let main = symbols.function(b"main.main", b"main.go");
        let work = symbols.function(b"main.work", b"main.go");
        assert_eq!(symbols.function(b"main.main", b"main.go"), main);
        let outer = symbols.frame(FrameData { function: main, line: 5, pc: 1 });
        let inner = symbols.frame(FrameData { function: work, line: 9, pc: 2 });
        let stack = symbols.stack(&[inner, outer]);
        assert_eq!(symbols.stack(&[inner, outer]), stack);
        assert_eq!(symbols.root(stack), Some(main));
        let empty = symbols.stack(&[]);
        assert_eq!(symbols.root(empty), None);
        assert_eq!(symbols.stacks().map(<[u32]>::len).collect::<Vec<_>>(), [2, 0]);
        assert_eq!(symbols.reason("sync"), symbols.reason("sync"));
    }
}
