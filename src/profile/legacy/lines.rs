//! The bytes of a source as lines.

use super::super::error::ProfileError;
use super::super::limits::ReadLimits;
use crate::source::ByteStream;
use std::borrow::Cow;

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

/// A text, some of whose letters may have taken the place of bytes that are no UTF-8.
pub(super) struct LossyText<'a> {
    bytes: &'a [u8],
    text: Cow<'a, str>,
    offset: u64,
}

impl<'a> LossyText<'a> {
    /// The text of bytes that begin at `offset` of the source.
    pub(super) fn new(bytes: &'a [u8], offset: usize) -> Self {
        LossyText { bytes, text: String::from_utf8_lossy(bytes), offset: offset as u64 }
    }

    /// Its lines.
    pub(super) fn lines(&self) -> Lines<'_> {
        Lines { bytes: self.bytes, text: &self.text, offset: self.offset }
    }
}

/// Lines with their offsets.
pub(super) struct Lines<'a> {
    /// What is left, as it stands in the source; it has as many lines as `text`.
    bytes: &'a [u8],
    text: &'a str,
    offset: u64,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (&'a str, u64);

    fn next(&mut self) -> Option<Self::Item> {
        if self.text.is_empty() {
            return None;
        }
        let (line, rest) = self.text.split_once('\n').unwrap_or((self.text, ""));
        let end = self.bytes.iter().position(|&byte| byte == b'\n');
        let len = end.map_or(self.bytes.len(), |end| end + 1);
        let offset = self.offset;
        (self.text, self.bytes) = (rest, &self.bytes[len..]);
        self.offset += len as u64;
        Some((line.strip_suffix('\r').unwrap_or(line), offset))
    }
}
