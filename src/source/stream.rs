//! A sliding window over a reader.

use super::{Position, SourceError};
use std::io::{self, Read};

/// Bytes asked of the reader at a time.
const CHUNK: usize = 1 << 18;

/// A stream of bytes with look-ahead and absolute offsets.
///
/// An error of the underlying reader (a damaged gzip file, say) is kept and handed out once by
/// [`ByteStream::take_error`]; for the reader of the format it is the end of the input, so that
/// everything before it is used.
pub struct ByteStream {
    reader: Box<dyn Read + Send>,
    window: Vec<u8>,
    /// Start of the unread part of `window`.
    start: usize,
    /// Absolute offset of `window[start]`.
    offset: u64,
    at_end: bool,
    error: Option<io::Error>,
    packed: Option<Position>,
}

impl ByteStream {
    /// A stream over `reader`, from offset 0.
    pub fn new(reader: Box<dyn Read + Send>) -> Self {
        ByteStream {
            reader,
            window: Vec::new(),
            start: 0,
            offset: 0,
            at_end: false,
            error: None,
            packed: None,
        }
    }

    /// The same stream, which is unpacked from an input that has come to `position`.
    pub fn unpacked_from(self, position: Position) -> Self {
        ByteStream { packed: Some(position), ..self }
    }

    /// How many bytes of the packed input were taken; `None` if it is not packed.
    pub fn packed_offset(&self) -> Option<u64> {
        self.packed.as_ref().map(Position::get)
    }

    /// A stream over bytes in memory.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Box::new(io::Cursor::new(bytes.into())))
    }

    /// Absolute offset of the next unread byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Looks at the next bytes without taking them: at least `want`, unless the input ends
    /// before. May return more.
    #[inline]
    pub fn peek(&mut self, want: usize) -> &[u8] {
        if self.window.len() - self.start < want {
            self.fill(want);
        }
        &self.window[self.start..]
    }

    /// Takes `count` bytes that were looked at before.
    #[inline]
    pub fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.window.len() - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// Writes what is left of the input to `out`. If reading fails, what came before is written, and
    /// [`ByteStream::take_error`] has the reason.
    pub fn copy_to(&mut self, out: &mut impl io::Write) -> io::Result<()> {
        loop {
            let bytes = self.peek(1);
            if bytes.is_empty() {
                return Ok(());
            }
            out.write_all(bytes)?;
            let len = bytes.len();
            self.consume(len);
        }
    }

    /// The error that ended the input early, if one did; hands it out once.
    pub fn take_error(&mut self) -> Option<SourceError> {
        let offset = self.offset + (self.window.len() - self.start) as u64;
        self.error.take().map(|source| SourceError::Read { offset, source })
    }

    #[cold]
    fn fill(&mut self, want: usize) {
        if self.at_end {
            return;
        }
        self.window.drain(..self.start);
        self.start = 0;
        while self.window.len() < want && !self.at_end {
            let len = self.window.len();
            // What is wanted may be a length that damage made up; as much again as there is follows
            // the bytes that really come.
            self.window.resize(len + CHUNK.max((want - len).min(len)), 0);
            let result = self.reader.read(&mut self.window[len..]);
            let got = match &result {
                Ok(got) => *got,
                Err(_) => 0,
            };
            self.window.truncate(len + got);
            match result {
                Ok(0) => self.at_end = true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.at_end = true;
                    self.error = Some(error);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct OneByte(Vec<u8>);

    impl Read for OneByte {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::other("broken pipe in the wall"));
            }
            buf[0] = self.0.remove(0);
            Ok(1)
        }
    }

    #[test]
    fn an_error_of_the_reader_ends_the_input_but_keeps_what_came_before() {
        let mut stream = ByteStream::new(Box::new(OneByte(b"abcdef".to_vec())));
        assert_eq!(&stream.peek(2)[..2], b"ab");
        stream.consume(2);
        assert_eq!(stream.offset(), 2);
        assert_eq!(stream.peek(100), b"cdef");
        let error = stream.take_error().unwrap();
        assert!(error.to_string().starts_with("byte 6: "), "{error}");
        assert!(stream.take_error().is_none());
    }
}
