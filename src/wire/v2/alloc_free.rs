//! The batches of the AllocFree experiment: what its events' numbers stand for.
//!
//! Source: Go 1.27 `runtime/traceallocfree.go` (traceSnapshotMemory) and `runtime/tracetype.go`
//! (dumpTypesRec). The first byte of a batch tells what it holds; a batch whose first byte is
//! anything else, or that ends inside a record, is used as far as it goes.

use super::generation::ExperimentalBatch;
use crate::wire::varint::varint;
use nom::IResult;
use nom::bytes::complete::take;

/// Number of the experiment (Go 1.27 `internal/trace/tracev2/events.go`, AllocFree).
const ALLOC_FREE: u8 = 1;
/// What the first byte of a batch says: types.
const TYPES: u8 = 0;
/// What the first byte of a batch says: layout of the heap.
const LAYOUT: u8 = 1;

/// What addresses are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeapLayout {
    /// Address from which all are counted.
    pub min_address: u64,
    /// Unit of a span's number and length, bytes.
    pub page_bytes: u64,
    /// Unit of an object's number, bytes.
    pub object_align_bytes: u64,
    /// Unit of a stack's number, bytes.
    pub stack_align_bytes: u64,
}

/// A type that objects of a generation have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeapType {
    /// Its number in this generation; 0 stands for no type.
    pub id: u64,
    /// Size of a value, bytes.
    pub size_bytes: u64,
    /// How many bytes of its beginning can hold pointers.
    pub pointer_bytes: u64,
    /// Its name, as Go writes it.
    pub name: String,
}

/// What the batches of a generation tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AllocFree {
    /// What addresses are counted in; `None` if that is not told.
    pub layout: Option<HeapLayout>,
    /// The types.
    pub types: Vec<HeapType>,
}

impl AllocFree {
    /// Reads the batches of a generation.
    pub fn parse(batches: &[ExperimentalBatch]) -> AllocFree {
        let mut all = AllocFree::default();
        for batch in batches.iter().filter(|batch| batch.experiment == ALLOC_FREE) {
            match batch.data.split_first() {
                Some((&TYPES, mut rest)) => {
                    while let Ok((behind, ty)) = parse_type(rest) {
                        all.types.push(ty);
                        rest = behind;
                    }
                }
                Some((&LAYOUT, rest)) => {
                    if let Ok((_, layout)) = parse_layout(rest) {
                        all.layout = Some(layout);
                    }
                }
                _ => {}
            }
        }
        all
    }
}

fn parse_layout(input: &[u8]) -> IResult<&[u8], HeapLayout> {
    let (input, min_address) = varint(input)?;
    let (input, page_bytes) = varint(input)?;
    let (input, object_align_bytes) = varint(input)?;
    let (input, stack_align_bytes) = varint(input)?;
    let layout = HeapLayout { min_address, page_bytes, object_align_bytes, stack_align_bytes };
    Ok((input, layout))
}

fn parse_type(input: &[u8]) -> IResult<&[u8], HeapType> {
    let (input, id) = varint(input)?;
    // Where the type lies in the program.
    let (input, _address) = varint(input)?;
    let (input, size_bytes) = varint(input)?;
    let (input, pointer_bytes) = varint(input)?;
    let (input, length) = varint(input)?;
    let (input, name) = take(length)(input)?;
    let name = String::from_utf8_lossy(name).into_owned();
    Ok((input, HeapType { id, size_bytes, pointer_bytes, name }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(experiment: u8, data: &[u8]) -> ExperimentalBatch {
        ExperimentalBatch { experiment, thread: 1, data: data.into() }
    }

    #[test]
    fn types_and_layout_are_read_up_to_where_a_batch_breaks_off() {
        let types =
            [&[0, 7, 0x80, 1, 24, 16, 3][..], b"abc", &[8, 1, 8, 8, 200][..], b"cut"].concat();
        let all = AllocFree::parse(&[
            batch(1, &types),
            batch(1, &[1, 0x80, 0x80, 1, 0x80, 0x40, 8, 0x80, 0x10]),
            batch(2, &[0, 1, 1, 1, 1, 1, b'x']),
            batch(1, &[]),
        ]);
        let ty = HeapType { id: 7, size_bytes: 24, pointer_bytes: 16, name: "abc".into() };
        assert_eq!(all.types, [ty]);
        let layout = all.layout.unwrap();
        assert_eq!((layout.min_address, layout.page_bytes), (1 << 14, 1 << 13));
        assert_eq!((layout.object_align_bytes, layout.stack_align_bytes), (8, 1 << 11));
    }
}
