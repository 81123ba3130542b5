//! The entries of a v1 trace one by one: batch headers, strings, stacks, events.
//!
//! Source: Go 1.27 `internal/trace/internal/tracev1/parser.go` (readRawEvent, parseEvent). The
//! two upper bits of an entry's first byte count its arguments less one, the time difference
//! included; 3 means that the length of the arguments in bytes follows. This module is the plain
//! reading of the format; [`Cursor`](super::Cursor) and [`Scan`](super::Scan) have short cuts for
//! the entries that make up nearly all of a file.

use super::spec::{EventType, MAX_ARGS_SIZE, MAX_STRING_SIZE, Place, SHAPES};
use crate::wire::Version;
use crate::wire::tables::Frame;
use crate::wire::varint::varint;
use nom::bytes::complete::take;
use nom::multi::count;
use nom::{IResult, Parser};

/// First byte of every batch.
pub const BATCH_START: u8 = EventType::Batch as u8 | 1 << 6;

/// Deepest stack (parseEvent), frames.
const MAX_FRAMES_PER_STACK: u64 = 1000;

/// A CPU profiler sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuSample {
    /// When it was taken, clock ticks.
    pub ticks: i64,
    /// Goroutine, 0 if none.
    pub goroutine: u64,
    /// Proc, -1 if none.
    pub proc: i32,
    /// Stack number, 0 if none.
    pub stack: u32,
}

/// An entry of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A batch begins: proc, -1 for none, and clock ticks.
    Batch(i32, i64),
    /// Clock ticks per second, not 0.
    Frequency(u64),
    /// A goroutine that runs timers.
    TimerGoroutine(u64),
    /// A string: number, not 0, and text, not empty.
    String(u64, &'a [u8]),
    /// A stack: number and frames, leaf first.
    Stack(u32, Vec<Frame>),
    /// A CPU sample.
    Sample(CpuSample),
    /// An event of the current batch: kind, arguments behind the time difference, the stack last,
    /// and for `UserLog` the message.
    Event(EventType, Vec<u64>, &'a [u8]),
}

/// Why bytes are no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The input ends inside the entry.
    CutOff(EventType),
    /// This number is no event of this version.
    NotAnEvent(u8),
    /// A number is longer than 64 bits.
    Overlong(EventType),
    /// The entry has this many arguments, and should have another number of them.
    WrongCount(EventType, usize),
    /// The arguments' length or a string's length is over the maximum.
    TooLong(EventType, u64),
    /// An argument has a value that the format forbids.
    BadValue(EventType, u64),
    /// An event stands before the first batch.
    OutsideBatch(EventType),
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Flaw::CutOff(kind) => write!(f, "{}: input ends inside the event", kind.name()),
            Flaw::NotAnEvent(code) => write!(f, "want an event, got event number {code}"),
            Flaw::Overlong(kind) => write!(f, "{}: argument is longer than 64 bits", kind.name()),
            Flaw::WrongCount(kind, got) => {
                write!(f, "{}: want {} arguments, got {got}", kind.name(), argument_count(kind))
            }
            Flaw::TooLong(kind, len) => {
                write!(f, "{}: length {len} is over the maximum", kind.name())
            }
            Flaw::BadValue(kind, value) => write!(f, "{}: bad argument {value}", kind.name()),
            Flaw::OutsideBatch(kind) => write!(f, "{} stands before the first batch", kind.name()),
        }
    }
}

/// Arguments of an entry, the time difference and the stack included.
pub(super) fn argument_count(kind: EventType) -> usize {
    let shape = &SHAPES[kind as usize];
    shape.values() - usize::from(shape.place == Place::Structural)
}

/// Reads the entry at the start of `input`; returns it and its length.
pub fn entry(input: &[u8], version: Version) -> Result<(Entry<'_>, usize), Flaw> {
    let Some((&code, rest)) = input.split_first() else {
        return Err(Flaw::CutOff(EventType::Batch));
    };
    let shape = &SHAPES[usize::from(code & 0x3f)];
    if shape.since > version.minor() {
        return Err(Flaw::NotAnEvent(code & 0x3f));
    }
    let kind = shape.kind;
    let (rest, entry) = match kind {
        EventType::String => string(rest)?,
        // A batch has two arguments, though its first byte counts one: it has no time difference.
        EventType::Batch if code == BATCH_START => batch(rest)?,
        EventType::Batch => return Err(Flaw::WrongCount(kind, usize::from(code >> 6) + 1)),
        _ => arguments(kind, code >> 6, rest)?,
    };
    Ok((entry, input.len() - rest.len()))
}

type Rest<'a, T> = Result<(&'a [u8], T), Flaw>;

/// Turns a nom error inside an entry into a flaw of it.
fn flaw(kind: EventType, error: nom::Err<nom::error::Error<&[u8]>>) -> Flaw {
    match error {
        nom::Err::Incomplete(_) => Flaw::CutOff(kind),
        nom::Err::Error(error) | nom::Err::Failure(error) => match error.code {
            nom::error::ErrorKind::Eof => Flaw::CutOff(kind),
            _ => Flaw::Overlong(kind),
        },
    }
}

fn number(kind: EventType, input: &[u8]) -> Rest<'_, u64> {
    varint(input).map_err(|error| flaw(kind, error))
}

fn bytes(kind: EventType, len: u64, input: &[u8]) -> Rest<'_, &[u8]> {
    let taken: IResult<&[u8], &[u8]> = take(len)(input);
    taken.map_err(|error| flaw(kind, error))
}

fn batch(input: &[u8]) -> Rest<'_, Entry<'_>> {
    let kind = EventType::Batch;
    let (rest, (proc, ticks)) = (varint, varint).parse(input).map_err(|error| flaw(kind, error))?;
    let proc = match proc {
        u64::MAX => -1,
        _ => i32::try_from(proc).map_err(|_| Flaw::BadValue(kind, proc))?,
    };
    Ok((rest, Entry::Batch(proc, ticks as i64)))
}

fn string(input: &[u8]) -> Rest<'_, Entry<'_>> {
    let kind = EventType::String;
    let (rest, (id, len)) = (varint, varint).parse(input).map_err(|error| flaw(kind, error))?;
    if id == 0 {
        return Err(Flaw::BadValue(kind, id));
    }
    if len == 0 || len > MAX_STRING_SIZE {
        return Err(Flaw::TooLong(kind, len));
    }
    let (rest, text) = bytes(kind, len, rest)?;
    Ok((rest, Entry::String(id, text)))
}

fn arguments(kind: EventType, counted: u8, input: &[u8]) -> Rest<'_, Entry<'_>> {
    let (mut rest, mut args) = if counted < 3 {
        count(varint, usize::from(counted) + 1).parse(input).map_err(|error| flaw(kind, error))?
    } else {
        let (rest, len) = number(kind, input)?;
        if len > MAX_ARGS_SIZE {
            return Err(Flaw::TooLong(kind, len));
        }
        let (rest, mut inside) = bytes(kind, len, rest)?;
        let mut args = Vec::new();
        while !inside.is_empty() {
            // A number that the length cuts in two is as wrong as one that is too long.
            let (behind, arg) = number(kind, inside).map_err(|_| Flaw::Overlong(kind))?;
            args.push(arg);
            inside = behind;
        }
        (rest, args)
    };
    if kind == EventType::Stack {
        return Ok((rest, stack(&args)?));
    }
    if args.len() != argument_count(kind) {
        return Err(Flaw::WrongCount(kind, args.len()));
    }
    let entry = match kind {
        EventType::Frequency if args[0] as i64 <= 0 => return Err(Flaw::BadValue(kind, args[0])),
        EventType::Frequency => Entry::Frequency(args[0]),
        EventType::TimerGoroutine => Entry::TimerGoroutine(args[0]),
        EventType::CPUSample => Entry::Sample(CpuSample {
            ticks: args[1] as i64,
            proc: args[2] as i32,
            goroutine: args[3],
            stack: args[4] as u32,
        }),
        _ => {
            let mut text: &[u8] = b"";
            if kind == EventType::UserLog {
                let (behind, len) = number(kind, rest)?;
                if len > MAX_STRING_SIZE {
                    return Err(Flaw::TooLong(kind, len));
                }
                (rest, text) = bytes(kind, len, behind)?;
            }
            args.remove(0);
            Entry::Event(kind, args, text)
        }
    };
    Ok((rest, entry))
}

fn stack(args: &[u64]) -> Result<Entry<'static>, Flaw> {
    let kind = EventType::Stack;
    let &[id, len, ref frames @ ..] = args else {
        return Err(Flaw::WrongCount(kind, args.len()));
    };
    if len > MAX_FRAMES_PER_STACK {
        return Err(Flaw::TooLong(kind, len));
    }
    if frames.len() as u64 != 4 * len {
        return Err(Flaw::WrongCount(kind, args.len()));
    }
    let frames = frames
        .chunks_exact(4)
        .map(|frame| Frame { pc: frame[0], function: frame[1], file: frame[2], line: frame[3] })
        .collect();
    // Go keeps 32 bits of a stack's number, here and in the events.
    Ok(Entry::Stack(id as u32, frames))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse_header;

    fn read(input: &[u8]) -> Result<(Entry<'_>, usize), Flaw> {
        entry(input, parse_header(b"go 1.19 trace\0\0\0").unwrap())
    }

    #[test]
    fn structural_entries() {
        assert_eq!(read(&[0x41, 3, 0x80, 1, 99]), Ok((Entry::Batch(3, 128), 4)));
        let mut none = vec![0x41];
        crate::wire::varint::write(&mut none, u64::MAX);
        none.push(7);
        assert_eq!(read(&none), Ok((Entry::Batch(-1, 7), 12)));
        assert_eq!(read(&[2, 100]), Ok((Entry::Frequency(100), 2)));
        assert_eq!(read(&[37, 5, 2, b'h', b'i']), Ok((Entry::String(5, b"hi"), 5)));
        let frame = Frame { pc: 10, function: 11, file: 12, line: 13 };
        assert_eq!(
            read(&[3 | 3 << 6, 6, 4, 1, 10, 11, 12, 13]),
            Ok((Entry::Stack(4, vec![frame]), 8))
        );
    }

    #[test]
    fn events_have_their_arguments_behind_the_time_difference() {
        let wanted = Entry::Event(EventType::GoStart, vec![7, 2], b"");
        assert_eq!(read(&[14 | 2 << 6, 1, 7, 2]), Ok((wanted.clone(), 4)));
        // The same with a length.
        assert_eq!(read(&[14 | 3 << 6, 3, 1, 7, 2]), Ok((wanted, 5)));
        let log = Entry::Event(EventType::UserLog, vec![1, 2, 3], b"text");
        assert_eq!(read(&[48 | 3 << 6, 4, 0, 1, 2, 3, 4, b't', b'e', b'x', b't']), Ok((log, 11)));
        let sample = CpuSample { ticks: 8, goroutine: 6, proc: 3, stack: 5 };
        assert_eq!(read(&[49 | 3 << 6, 5, 0, 8, 3, 6, 5]), Ok((Entry::Sample(sample), 7)));
    }

    #[test]
    fn what_is_no_entry_says_why() {
        assert_eq!(read(&[0, 1]), Err(Flaw::NotAnEvent(0)));
        assert_eq!(read(&[50, 1]), Err(Flaw::NotAnEvent(50)));
        assert_eq!(read(&[14, 1]), Err(Flaw::WrongCount(EventType::GoStart, 1)));
        assert_eq!(read(&[14 | 2 << 6, 1, 7]), Err(Flaw::CutOff(EventType::GoStart)));
        assert_eq!(read(&[14 | 3 << 6, 3, 1, 7, 0x82]), Err(Flaw::Overlong(EventType::GoStart)));
        assert_eq!(read(&[2, 0]), Err(Flaw::BadValue(EventType::Frequency, 0)));
        assert_eq!(read(&[37, 1, 0]), Err(Flaw::TooLong(EventType::String, 0)));
        assert_eq!(read(&[1, 3, 3]), Err(Flaw::WrongCount(EventType::Batch, 1)));
        let old = parse_header(b"go 1.11 trace\0\0\0").unwrap();
        assert_eq!(entry(&[49 | 3 << 6, 5, 0, 8, 3, 6, 5], old), Err(Flaw::NotAnEvent(49)));
        assert_eq!(
            Flaw::WrongCount(EventType::GoStart, 1).to_string(),
            "GoStart: want 3 arguments, got 1"
        );
    }
}
