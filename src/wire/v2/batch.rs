//! Batch framing (Go 1.27 `internal/trace/batch.go`, readBatch).

use super::spec::{EventType, MAX_BATCH_SIZE};
use crate::wire::varint::varint;
use nom::IResult;
use nom::Parser;
use nom::error::{Error, ErrorKind};
use nom::number::complete::u8 as byte;

/// Longest possible batch header: two bytes and four varints.
pub const MAX_HEADER_LEN: usize = 2 + 4 * 10;

/// What a batch carries, as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchKind {
    /// Events or tables.
    Regular,
    /// The opaque data of the experiment with this number.
    Experimental(u8),
    /// Nothing: the mark that ends a generation (Go 1.26+). All other fields are 0.
    EndOfGeneration,
}

/// A batch header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// What the batch carries.
    pub kind: BatchKind,
    /// Generation number.
    pub generation: u64,
    /// Thread (M) that wrote it; -1 for batches of no thread.
    pub thread: i64,
    /// Time of the batch, clock ticks.
    pub time_ticks: u64,
    /// Length of the data behind the header, bytes.
    pub data_len: usize,
    /// Length of the header itself, bytes.
    pub header_len: usize,
    /// Whether the length takes `PADDED_SIZE_LEN` bytes.
    pub is_padded: bool,
}

/// Length of the number with which a batch header ends, as the runtime writes it: it leaves room
/// for the longest before it knows the number (Go 1.27 `runtime/tracebuf.go`, varintReserve and
/// varintAt). Tools that write traces need not do so. No other number of a trace looks like it,
/// so it is the surest sign of a batch where other bytes are damaged.
pub const PADDED_SIZE_LEN: usize = 10;

/// Parses a batch header up to the number of its length, which is damaged: `data_len` is 0, and
/// `header_len` leads to that number.
pub fn parse_start(input: &[u8]) -> Option<BatchHeader> {
    let (rest, mut start) = start(input).ok()?;
    start.header_len = input.len() - rest.len();
    (start.kind != BatchKind::EndOfGeneration).then_some(start)
}

/// Parses a batch header at the start of `input`.
pub fn parse_header(input: &[u8]) -> Result<BatchHeader, &'static str> {
    match header(input) {
        Ok((_, header)) => Ok(header),
        Err(nom::Err::Incomplete(_)) => Err("the input ends inside a batch header"),
        Err(nom::Err::Error(error) | nom::Err::Failure(error)) => Err(match error.code {
            ErrorKind::Tag => "want a batch, got another byte",
            ErrorKind::Verify => "batch size is over the maximum of 65536",
            ErrorKind::Eof => "the input ends inside a batch header",
            _ => "batch header has a malformed number",
        }),
    }
}

fn header(input: &[u8]) -> IResult<&[u8], BatchHeader> {
    let (rest, mut header) = start(input)?;
    if header.kind == BatchKind::EndOfGeneration {
        return Ok((rest, header));
    }
    let (behind, size) = varint(rest)?;
    if size > MAX_BATCH_SIZE {
        return Err(nom::Err::Error(Error::new(input, ErrorKind::Verify)));
    }
    header.data_len = size as usize;
    header.header_len = input.len() - behind.len();
    header.is_padded = rest.len() - behind.len() == PADDED_SIZE_LEN;
    Ok((behind, header))
}

/// A header up to its length.
fn start(input: &[u8]) -> IResult<&[u8], BatchHeader> {
    let (rest, first) = byte(input)?;
    let mut header = BatchHeader {
        kind: BatchKind::EndOfGeneration,
        generation: 0,
        thread: -1,
        time_ticks: 0,
        data_len: 0,
        header_len: 1,
        is_padded: false,
    };
    let (rest, kind) = if first == EventType::EventBatch as u8 {
        (rest, BatchKind::Regular)
    } else if first == EventType::ExperimentalBatch as u8 {
        let (rest, experiment) = byte(rest)?;
        (rest, BatchKind::Experimental(experiment))
    } else if first == EventType::EndOfGeneration as u8 {
        return Ok((rest, header));
    } else {
        return Err(nom::Err::Error(Error::new(input, ErrorKind::Tag)));
    };
    let (rest, (generation, thread, time_ticks)) = (varint, varint, varint).parse(rest)?;
    header = BatchHeader { kind, generation, thread: thread as i64, time_ticks, ..header };
    Ok((rest, header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_parse_with_their_length() {
        let got = parse_header(&[1, 7, 0x80, 1, 9, 3, 0xaa, 0xbb, 0xcc]).unwrap();
        assert_eq!(got.kind, BatchKind::Regular);
        assert_eq!((got.generation, got.thread, got.time_ticks), (7, 128, 9));
        assert_eq!((got.data_len, got.header_len), (3, 6));
        assert_eq!(parse_header(&[52]).unwrap().kind, BatchKind::EndOfGeneration);
        assert_eq!(parse_header(&[49, 1, 1, 1, 1, 0]).unwrap().kind, BatchKind::Experimental(1));
    }

    #[test]
    fn the_runtime_s_headers_are_told_from_others() {
        let padded = [1, 7, 5, 9, 0x83, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0xaa];
        let got = parse_header(&padded).unwrap();
        assert_eq!((got.is_padded, got.data_len, got.header_len), (true, 3, 14));
        assert!(!parse_header(&[1, 7, 5, 9, 3]).unwrap().is_padded);
        let start = parse_start(&[1, 7, 5, 9, 0xff, 0xff, 0xff, 0xff]).unwrap();
        assert_eq!((start.generation, start.thread, start.header_len), (7, 5, 4));
        assert_eq!(parse_start(&[52, 1]), None);
    }

    #[test]
    fn bad_headers_say_why() {
        assert!(parse_header(&[2]).unwrap_err().contains("want a batch"));
        assert!(parse_header(&[1, 7, 7]).unwrap_err().contains("ends inside"));
        assert!(parse_header(&[1, 7, 7, 7, 0xff, 0xff, 0x7f]).unwrap_err().contains("65536"));
        assert!(
            parse_header(&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
                .unwrap_err()
                .contains("malformed")
        );
    }
}
