//! The bytes of a source as lines.

use super::super::decode::ProfileError;
use super::super::limits::ReadLimits;
use crate::source::ByteStream;

/// All bytes. What is kept of a text in the end takes at most as much as the text, thrice.
pub(super) fn whole(stream: &mut ByteStream, limits: ReadLimits) -> Result<Vec<u8>, ProfileError> {
    let mut text = Vec::new();
    loop {
        limits.check_ratio(stream.offset(), stream.packed_offset())?;
        let some = stream.peek(1);
        if some.is_empty() {
            break;
        }
        let len = some.len();
        if (text.len() + len) as u64 > limits.memory_bytes / 4 {
            return Err(limits.too_much(text.len() as u64).into());
        }
        text.extend_from_slice(some);
        stream.consume(len);
    }
    match stream.take_error() {
        Some(error) => Err(error.into()),
        None => Ok(text),
    }
}

/// Lines with their offsets.
#[derive(Default)]
pub(super) struct Lines<'a> {
    rest: &'a str,
    offset: u64,
}

impl<'a> Lines<'a> {
    /// Lines of a text that begins `offset` bytes behind the start of the source.
    pub(super) fn new(text: &'a str, offset: u64) -> Self {
        Lines { rest: text, offset }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = (&'a str, u64);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let len = self.rest.find('\n').map_or(self.rest.len(), |end| end + 1);
        let (line, rest) = self.rest.split_at(len);
        let offset = self.offset;
        self.rest = rest;
        self.offset += len as u64;
        let line = line.strip_suffix('\n').unwrap_or(line);
        Some((line.strip_suffix('\r').unwrap_or(line), offset))
    }
}
