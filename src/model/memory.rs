//! Objects, spans and goroutine stacks in memory, as the AllocFree experiment tells them.
//!
//! The runtime lists what exists when tracing begins and at each new generation, and then tells
//! each allocation and release. A block is handed out when it is released, or when the trace (or
//! the part before a gap) ends; so memory follows what lives, not the length of the trace.

use super::ids::{GoroutineId, HeapTypeId};
use super::items::{MemoryBlock, MemoryKind, TypeData};
use crate::wire::v2::{AllocFree, Generation, HeapLayout};
use rustc_hash::FxHashMap;

/// Where Go's heap begins where a trace does not tell its layout: numbers are then no addresses,
/// but still distinct (Go 1.27 `runtime/traceallocfree.go`).
const UNKNOWN_LAYOUT: HeapLayout =
    HeapLayout { min_address: 0, page_bytes: 8192, object_align_bytes: 8, stack_align_bytes: 2048 };

/// Which kind of block a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// Objects on the heap.
    Objects,
    /// Spans of pages.
    Spans,
    /// Stacks of goroutines.
    Stacks,
}

/// What an event says about a block.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// What is counted.
    pub space: Space,
    /// The number.
    pub number: u64,
    /// Type, pages or order, and the class of a span.
    pub args: [u64; 2],
    /// When.
    pub time_ns: i64,
    /// The goroutine that did it.
    pub goroutine: Option<GoroutineId>,
}

/// The blocks that exist.
#[derive(Default)]
pub struct Memory {
    layout: Option<HeapLayout>,
    /// By number in the current generation.
    types: FxHashMap<u64, HeapTypeId>,
    all_types: indexmap::IndexSet<TypeData>,
    blocks: FxHashMap<(Space, u64), MemoryBlock>,
}

impl Memory {
    /// A generation begins: its numbers of types are its own. Returns the types not seen before.
    pub fn begin(&mut self, generation: &Generation) -> Vec<(HeapTypeId, TypeData)> {
        if generation.experimental.is_empty() {
            return Vec::new();
        }
        let told = AllocFree::parse(&generation.experimental);
        self.layout = told.layout.or(self.layout);
        self.types.clear();
        let mut new = Vec::new();
        for ty in told.types {
            let data = TypeData {
                name: ty.name,
                size_bytes: ty.size_bytes,
                pointer_bytes: ty.pointer_bytes,
            };
            let (index, is_new) = self.all_types.insert_full(data.clone());
            let id = HeapTypeId::from_index(index);
            self.types.insert(ty.id, id);
            if is_new {
                new.push((id, data));
            }
        }
        new
    }

    /// A block exists, or is allocated. Returns one whose release was not told.
    pub fn exists(&mut self, told: Told, is_new: bool) -> Option<MemoryBlock> {
        let block = self.block(told, is_new);
        let known = self.blocks.get_mut(&(told.space, told.number));
        match known {
            // Listed again.
            Some(known) if !is_new && known.kind == block.kind => None,
            _ => self.blocks.insert((told.space, told.number), block),
        }
    }

    /// A block is released. What was not known to exist is told without its beginning.
    pub fn release(&mut self, told: Told) -> Option<MemoryBlock> {
        let mut block = self.blocks.remove(&(told.space, told.number))?;
        block.freed_ns = Some(told.time_ns);
        Some(block)
    }

    /// Everything that still exists, in the order of addresses.
    pub fn take_all(&mut self) -> Vec<MemoryBlock> {
        let mut all: Vec<_> = self.blocks.drain().collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        all.into_iter().map(|(_, block)| block).collect()
    }

    fn block(&self, told: Told, is_new: bool) -> MemoryBlock {
        let layout = self.layout.unwrap_or(UNKNOWN_LAYOUT);
        let (unit, kind) = match told.space {
            Space::Objects => (
                layout.object_align_bytes,
                MemoryKind::Object { ty: self.types.get(&told.args[0]).copied() },
            ),
            Space::Spans => {
                // The lowest bit marks spans that hold no objects; else it is size class and
                // whether objects are free of pointers (Go 1.27 traceallocfree.go,
                // traceSpanTypeAndClass; mheap.go, spanClass).
                let class = told.args[1];
                let class =
                    if class & 1 == 0 { Some((class >> 2, class >> 1 & 1 == 1)) } else { None };
                let size_bytes = told.args[0].saturating_mul(layout.page_bytes);
                (layout.page_bytes, MemoryKind::Span { size_bytes, class })
            }
            Space::Stacks => {
                // The length of the size in bits (Go 1.27 traceCompressStackSize).
                let order = told.args[0];
                let size_bytes = if (1..=63).contains(&order) { 1 << (order - 1) } else { 0 };
                (layout.stack_align_bytes, MemoryKind::Stack { size_bytes })
            }
        };
        MemoryBlock {
            kind,
            address: layout.min_address.wrapping_add(told.number.wrapping_mul(unit)),
            allocated_ns: is_new.then_some(told.time_ns),
            freed_ns: None,
            goroutine: told.goroutine.filter(|_| is_new),
        }
    }
}
