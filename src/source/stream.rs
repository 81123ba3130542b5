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

    /// Gives so many bytes at a time.
    struct Pieces(Vec<u8>, usize, usize);

    impl Read for Pieces {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let len = self.1.min(buf.len()).min(self.0.len() - self.2);
            buf[..len].copy_from_slice(&self.0[self.2..][..len]);
            self.2 += len;
            Ok(len)
        }
    }

    #[test]
    fn whatever_comes_at_a_time_and_is_taken_at_a_time_the_bytes_are_the_same() {
        // Around the end of a chunk, byte for byte.
        let len = CHUNK + 40;
        let bytes: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
        for piece in [CHUNK - 1, CHUNK, CHUNK + 1, 1 << 16, len] {
            for before in CHUNK - 3..=CHUNK + 3 {
                for (want, take) in [(0, 1), (1, 1), (2, 1), (5, 4), (9, 9), (100, 3)] {
                    let mut stream = ByteStream::new(Box::new(Pieces(bytes.clone(), piece, 0)));
                    assert!(stream.peek(before).len() >= before);
                    stream.consume(before);
                    let mut at = before;
                    loop {
                        let there = stream.peek(want.max(1));
                        assert!(there.len() >= want.min(len - at));
                        assert_eq!(there, &bytes[at..at + there.len()]);
                        let taken = take.min(there.len());
                        if taken == 0 {
                            break;
                        }
                        stream.consume(taken);
                        at += taken;
                        assert_eq!(stream.offset(), at as u64);
                    }
                    assert_eq!(at, len, "{piece} {before} {want} {take}");
                }
            }
        }
        // A byte at a time.
        for (want, take) in [(1, 1), (3, 2), (7, 7)] {
            let mut stream = ByteStream::new(Box::new(Pieces(bytes[..60].to_vec(), 1, 0)));
            let mut seen = Vec::new();
            while !stream.peek(want).is_empty() {
                let taken = take.min(stream.peek(want).len());
                seen.extend_from_slice(&stream.peek(want)[..taken]);
                stream.consume(taken);
            }
            assert_eq!(seen, bytes[..60]);
        }
    }
}
