//! The events of a v2 trace as they stand in the file, framing and tables included.
//!
//! Comes in: bytes. Goes out: one [`RawEvent`] after the other, in the order of the file, not
//! interpreted. [`write_trace`] is the way back. The idea is that of Go's raw reader: an event is
//! its number, its arguments, and for two of them some data; which batch it is in does not
//! matter. Unlike Go's it knows the events of the AllocFree experiment in every version that can
//! have them, and goes on behind damage where the batch's length tells how.
//!
//! Source: Go 1.27 `internal/trace/raw/{reader,writer,event}.go`.

use super::spec::{EventType, MAX_BATCH_SIZE, MAX_FRAMES_PER_STACK, SPECS, Spec};
use crate::source::{ByteStream, Source};
use crate::wire::header::HEADER_LEN;
use crate::wire::{Version, WireError, parse_header, varint};

/// An event as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEvent {
    /// What it is.
    pub kind: EventType,
    /// Its arguments, as many as its [`Spec`] names; behind those of a `Stack`, four numbers for
    /// each frame: pc, function, file, line.
    pub args: Vec<u64>,
    /// The text of a `String`, the content of an `ExperimentalBatch`; empty for all others.
    pub data: Vec<u8>,
}

impl RawEvent {
    /// An event without arguments.
    pub fn new(kind: EventType) -> Self {
        RawEvent { kind, args: Vec::new(), data: Vec::new() }
    }

    /// Length as Go counts it (raw/event.go, EncodedSize): every number as short as it can be,
    /// though the runtime pads the lengths of batches.
    pub fn encoded_len(&self) -> usize {
        let args: usize = self.args.iter().map(|&arg| varint::len(arg)).sum();
        match has_data(self.kind) {
            true => 1 + args + varint::len(self.data.len() as u64) + self.data.len(),
            false => 1 + args,
        }
    }

    /// Appends the event in the wire format.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(self.kind as u8);
        for &arg in &self.args {
            varint::write(out, arg);
        }
        if has_data(self.kind) {
            varint::write(out, self.data.len() as u64);
            out.extend_from_slice(&self.data);
        }
    }
}

/// Whether a length and so many bytes stand behind the arguments of an event.
pub fn has_data(kind: EventType) -> bool {
    matches!(kind, EventType::String | EventType::ExperimentalBatch)
}

/// A whole trace out of its events.
pub fn write_trace(version: Version, events: &[RawEvent]) -> Vec<u8> {
    let mut out = version.header().to_vec();
    for event in events {
        event.write(&mut out);
    }
    out
}

/// Why there is no event at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damage {
    /// The bytes end inside it.
    CutOff(EventType),
    /// No event of this version has this number.
    NotAnEvent(u8),
    /// A number is longer than 64 bits.
    Overlong(EventType),
    /// A stack has so many frames, or an event so many bytes of data, that it cannot be one.
    TooLarge(EventType, u64),
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Damage::CutOff(kind) => write!(f, "{}: the input ends inside the event", kind.name()),
            Damage::NotAnEvent(code) => write!(f, "want an event, got event number {code}"),
            Damage::Overlong(kind) => write!(f, "{}: argument is longer than 64 bits", kind.name()),
            Damage::TooLarge(kind, len) => write!(f, "{}: impossible length {len}", kind.name()),
        }
    }
}

/// The specification of an event number in a version of the format.
fn spec(code: u8, version: Version) -> Option<&'static Spec> {
    SPECS[code as usize].as_ref().filter(|spec| spec.since <= version.minor())
}

/// Decodes the event at the start of `bytes` into `event`; returns its length. Where each line
/// but the first of its text begins (frames, data) is put in `lines`.
pub(super) fn decode(
    bytes: &[u8],
    version: Version,
    event: &mut RawEvent,
    lines: &mut Vec<u32>,
) -> Result<usize, Damage> {
    event.args.clear();
    event.data.clear();
    lines.clear();
    let code = bytes[0];
    let spec = spec(code, version).ok_or(Damage::NotAnEvent(code))?;
    event.kind = spec.kind;
    let mut at = numbers(bytes, 1, spec.args.len(), event)?;
    if spec.kind == EventType::Stack {
        let frames = event.args[1];
        if frames > MAX_FRAMES_PER_STACK {
            return Err(Damage::TooLarge(spec.kind, frames));
        }
        for _ in 0..frames {
            lines.push(at as u32);
            at = numbers(bytes, at, 4, event)?;
        }
    }
    if has_data(spec.kind) {
        at = numbers(bytes, at, 1, event)?;
        let len = event.args.pop().unwrap_or(0);
        if len > MAX_BATCH_SIZE {
            return Err(Damage::TooLarge(spec.kind, len));
        }
        lines.push(at as u32);
        let data = bytes.get(at..at + len as usize).ok_or(Damage::CutOff(spec.kind))?;
        event.data.extend_from_slice(data);
        at += len as usize;
    }
    Ok(at)
}

#[inline]
fn numbers(
    bytes: &[u8],
    mut at: usize,
    count: usize,
    event: &mut RawEvent,
) -> Result<usize, Damage> {
    for _ in 0..count {
        let rest = bytes.get(at..).unwrap_or(&[]);
        match varint::read(rest) {
            Some((value, len)) => {
                event.args.push(value);
                at += len;
            }
            None if rest.len() < 10 => return Err(Damage::CutOff(event.kind)),
            None => return Err(Damage::Overlong(event.kind)),
        }
    }
    Ok(at)
}

/// Reads the events of a trace in the order of the file.
pub struct RawReader {
    stream: ByteStream,
    version: Version,
    event: RawEvent,
    /// Where the event begins.
    offset: u64,
    lines: Vec<u32>,
    /// Where the batch read last ends, as its header says.
    batch_end: u64,
    is_done: bool,
}

impl RawReader {
    /// Most bytes an event can have: a batch of an experiment, whose header has five numbers.
    const LONGEST: usize = MAX_BATCH_SIZE as usize + 64;
    /// Bytes in which most events fit; more are asked for only if they do not.
    const USUAL: usize = 64;

    /// Reads the header of a trace.
    pub fn new(source: Source) -> Result<Self, WireError> {
        let mut stream = source.stream;
        let start = stream.peek(HEADER_LEN);
        let version = parse_header(&start[..start.len().min(HEADER_LEN)])?;
        if !version.is_v2() {
            return Err(WireError::new(
                0,
                format!(
                    "{version} has no wire events of this kind; those of Go 1.22 and later can be shown"
                ),
            ));
        }
        stream.consume(HEADER_LEN);
        Ok(RawReader {
            stream,
            version,
            event: RawEvent::new(EventType::EventBatch),
            offset: HEADER_LEN as u64,
            lines: Vec::new(),
            batch_end: 0,
            is_done: false,
        })
    }

    /// The format of the trace.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Moves to the next event; `Ok(false)` at the end of the input. After an error the next call
    /// goes on at the end of the batch, if another one begins there, and else ends.
    pub fn next_event(&mut self) -> Result<bool, WireError> {
        self.offset = self.stream.offset();
        let mut want = Self::USUAL;
        while !self.is_done {
            let bytes = self.stream.peek(want);
            if bytes.is_empty() {
                self.is_done = true;
                let missing = self.batch_end.saturating_sub(self.offset);
                let problem = match self.stream.take_error() {
                    Some(error) => error.reason(),
                    None if missing == 0 => break,
                    None => {
                        format!("the input ends {missing} bytes before the end of its last batch")
                    }
                };
                return Err(WireError::new(self.offset, problem));
            }
            let is_all = bytes.len() < want;
            match decode(bytes, self.version, &mut self.event, &mut self.lines) {
                Ok(len) => {
                    self.stream.consume(len);
                    if self.event.kind == EventType::EventBatch {
                        self.batch_end = self.stream.offset().saturating_add(self.event.args[3]);
                    }
                    return Ok(true);
                }
                // A number that seems cut off by the end of the window may go on behind it.
                Err(Damage::CutOff(_)) if !is_all && want < Self::LONGEST => want = Self::LONGEST,
                Err(damage) => {
                    self.resume();
                    return Err(WireError::new(self.offset, damage.to_string()));
                }
            }
        }
        Ok(false)
    }

    /// The event read last.
    pub fn event(&self) -> &RawEvent {
        &self.event
    }

    /// Absolute offset of the event read last.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Absolute offsets of what the text shows on lines of its own behind the first line of the
    /// event read last: frames, data.
    pub fn line_offsets(&self) -> impl Iterator<Item = u64> {
        self.lines.iter().map(|&line| self.offset + u64::from(line))
    }

    /// Skips to the end of the batch, if that is ahead and another one begins there.
    fn resume(&mut self) {
        let skip = self.batch_end.saturating_sub(self.stream.offset()) as usize;
        let is_in_batch = (1..=MAX_BATCH_SIZE as usize).contains(&skip);
        let behind = self.stream.peek(skip.min(Self::LONGEST) + 1).get(skip).copied();
        if is_in_batch && behind.is_some_and(|code| is_batch_start(code, self.version)) {
            self.stream.consume(skip);
        } else {
            self.is_done = true;
        }
    }
}

fn is_batch_start(code: u8, version: Version) -> bool {
    spec(code, version).is_some_and(|spec| {
        matches!(
            spec.kind,
            EventType::EventBatch | EventType::ExperimentalBatch | EventType::EndOfGeneration
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;

    fn read_all(bytes: Vec<u8>) -> (Vec<RawEvent>, Vec<String>) {
        let source = source::from_reader(std::io::Cursor::new(bytes), None).unwrap();
        let mut reader = RawReader::new(source).unwrap();
        let (mut events, mut errors) = (Vec::new(), Vec::new());
        loop {
            match reader.next_event() {
                Ok(true) => events.push(reader.event().clone()),
                Ok(false) => return (events, errors),
                Err(error) => errors.push(error.to_string()),
            }
        }
    }

    fn event(kind: EventType, args: &[u64], data: &[u8]) -> RawEvent {
        RawEvent { kind, args: args.into(), data: data.into() }
    }

    fn some_events() -> Vec<RawEvent> {
        vec![
            event(EventType::EventBatch, &[1, u64::MAX, 5, 13], b""),
            event(EventType::Strings, &[], b""),
            event(EventType::String, &[7], b"main\xff"),
            event(EventType::Stack, &[3, 2, 10, 7, 7, 20, 11, 7, 7, 1 << 40], b""),
            event(EventType::EventBatch, &[1, 2, 5, 3], b""),
            event(EventType::ProcStart, &[1, 0, 300], b""),
            event(EventType::ExperimentalBatch, &[1, 1, 2, 5], &[9; 200]),
            event(EventType::EndOfGeneration, &[], b""),
        ]
    }

    #[test]
    fn what_is_written_is_read_back() {
        let version = Version::from_minor(26).unwrap();
        let bytes = write_trace(version, &some_events());
        let len: usize = some_events().iter().map(RawEvent::encoded_len).sum();
        assert_eq!(bytes.len(), HEADER_LEN + len);
        assert_eq!(read_all(bytes), (some_events(), vec![]));
    }

    #[test]
    fn events_of_later_versions_are_no_events() {
        let version = Version::from_minor(23).unwrap();
        let events = some_events();
        let (read, errors) = read_all(write_trace(version, &events));
        assert_eq!(read, events[..7]);
        assert_eq!(errors.len(), 1);
        assert!(errors[0].contains("event number 52"), "{errors:?}");
    }

    #[test]
    fn reading_goes_on_at_the_end_of_a_damaged_batch() {
        let version = Version::from_minor(26).unwrap();
        let mut bytes = version.header().to_vec();
        event(EventType::EventBatch, &[1, 2, 5, 4], b"").write(&mut bytes);
        let damage = bytes.len();
        bytes.extend_from_slice(&[200, 1, 1, 1]);
        event(EventType::EventBatch, &[1, 2, 6, 0], b"").write(&mut bytes);
        let (read, errors) = read_all(bytes.clone());
        assert_eq!(read.len(), 2);
        assert_eq!(errors, [format!("byte {damage}: want an event, got event number 200")]);
        // Nothing begins behind the batch: reading ends.
        bytes[damage + 4] = 0;
        assert_eq!(read_all(bytes).0.len(), 1);
    }

    #[test]
    fn every_prefix_gives_the_events_before_the_cut() {
        let version = Version::from_minor(26).unwrap();
        let bytes = write_trace(version, &some_events());
        for len in HEADER_LEN..bytes.len() {
            let (read, errors) = read_all(bytes[..len].to_vec());
            assert_eq!(read, some_events()[..read.len()], "{len}");
            assert!(errors.len() <= 1 && (read.len() < 8 || errors.is_empty()));
        }
    }
}
