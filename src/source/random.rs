//! A source that can be read at any place.

use super::{ByteStream, Position, SourceError};
use std::fs::File;
use std::io::{self, Write};

/// Up to this many bytes of a stream are kept in memory before a temporary file takes over.
const MEMORY: usize = 4 << 20;

/// Uncompressed bytes with absolute offsets, readable in any order.
///
/// v1 traces need it: their strings, stacks and clock frequency stand at the end, and the batches
/// of one proc are scattered over the file. The file is read, not mapped: a mapped file that
/// someone else cuts short kills the process, a read of it comes up short.
#[derive(Debug)]
pub struct RandomAccess {
    bytes: Bytes,
    /// Absolute offset of the first byte held.
    start: u64,
    /// Absolute offset behind the last byte held.
    end: u64,
    /// Where to tell how far reading has come.
    position: Option<Position>,
}

#[derive(Debug)]
enum Bytes {
    Memory(Vec<u8>),
    File(File),
}

impl RandomAccess {
    /// Bytes in memory, the first at offset 0.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        RandomAccess {
            start: 0,
            end: bytes.len() as u64,
            bytes: Bytes::Memory(bytes),
            position: None,
        }
    }

    /// A plain file. Bytes appended to it later are not seen.
    pub fn from_file(file: File) -> io::Result<Self> {
        let end = file.metadata()?.len();
        Ok(RandomAccess { bytes: Bytes::File(file), start: 0, end, position: None })
    }

    /// The rest of a stream: in memory if it is short, else copied into a temporary file
    /// without a name, which goes when the program does. If reading the stream fails, what came
    /// before is there, and [`ByteStream::take_error`] has the reason.
    pub fn spool(stream: &mut ByteStream) -> Result<Self, SourceError> {
        let start = stream.offset();
        let refuse = |error: io::Error| SourceError::Open {
            what: format!("cannot keep the input in a temporary file: {error}"),
        };
        let mut memory = Vec::new();
        let mut file: Option<File> = None;
        loop {
            let bytes = stream.peek(1 << 16);
            let len = bytes.len();
            if len == 0 {
                break;
            }
            if file.is_none() && memory.len() + len > MEMORY {
                let mut spilled = tempfile::tempfile().map_err(refuse)?;
                spilled.write_all(&memory).map_err(refuse)?;
                memory = Vec::new();
                file = Some(spilled);
            }
            match &mut file {
                Some(file) => file.write_all(bytes).map_err(refuse)?,
                None => memory.extend_from_slice(bytes),
            }
            stream.consume(len);
        }
        let bytes = match file {
            Some(file) => Bytes::File(file),
            None => Bytes::Memory(memory),
        };
        Ok(RandomAccess { bytes, start, end: stream.offset(), position: None })
    }

    /// Has progress told to `position`.
    pub(super) fn telling(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    /// Absolute offset behind the last byte.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Fills `buf` from the absolute offset `offset` on; returns how many bytes there were.
    /// Fewer than asked for means that the input ends there.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let held = self.end.saturating_sub(offset).min(buf.len() as u64) as usize;
        let at = match offset.checked_sub(self.start) {
            Some(at) if held > 0 => at,
            _ => return Ok(0),
        };
        let buf = &mut buf[..held];
        match &self.bytes {
            Bytes::Memory(bytes) => {
                let at = at as usize;
                buf.copy_from_slice(&bytes[at..at + held]);
                Ok(held)
            }
            Bytes::File(file) => {
                let mut filled = 0;
                while filled < held {
                    match read_some_at(file, &mut buf[filled..], at + filled as u64) {
                        // Someone cut the file short.
                        Ok(0) => break,
                        Ok(got) => filled += got,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
                if let Some(position) = &self.position {
                    // Whoever needs this reads the file once to find things and once to use them.
                    position.add(filled as u64 / 2);
                }
                Ok(filled)
            }
        }
    }
}

/// Reads some bytes of a file from an offset on, wherever others read; 0 at its end.
#[cfg(unix)]
pub fn read_some_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, offset)
}

/// Reads some bytes of a file from an offset on, wherever others read; 0 at its end.
#[cfg(windows)]
pub fn read_some_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buf, offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spooled_stream_keeps_its_offsets_in_memory_and_in_a_file() {
        for len in [100, MEMORY + 100_000] {
            let all: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let mut stream = ByteStream::from_bytes(all.clone());
            stream.peek(16);
            stream.consume(16);
            let spooled = RandomAccess::spool(&mut stream).unwrap();
            assert_eq!(matches!(spooled.bytes, Bytes::File(_)), len > MEMORY);
            assert_eq!(spooled.end(), len as u64);
            let mut buf = [0; 10];
            assert_eq!(spooled.read_at(20, &mut buf).unwrap(), 10);
            assert_eq!(buf, all[20..30]);
            assert_eq!(spooled.read_at(len as u64 - 3, &mut buf).unwrap(), 3);
            assert_eq!(buf[..3], all[len - 3..]);
            assert_eq!(spooled.read_at(len as u64 + 5, &mut buf).unwrap(), 0);
            assert_eq!(spooled.read_at(3, &mut buf).unwrap(), 0);
        }
    }

    #[test]
    fn every_range_is_the_same_wherever_the_bytes_are_kept() {
        let all: Vec<u8> = (0..50).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&all).unwrap();
        for start in [0, 1, 7, 50] {
            let mut stream = ByteStream::from_bytes(all.clone());
            stream.peek(start);
            stream.consume(start);
            let spooled = RandomAccess::spool(&mut stream).unwrap();
            let mut kept = vec![spooled];
            if start == 0 {
                kept.push(RandomAccess::from_file(file.try_clone().unwrap()).unwrap());
                kept.push(RandomAccess::from_bytes(all.clone()));
            }
            for access in kept {
                for (offset, len) in (0..=60).flat_map(|at| (0..=60).map(move |len| (at, len))) {
                    let mut buf = vec![0xff; len];
                    let got = access.read_at(offset as u64, &mut buf).unwrap();
                    let want = match offset < start {
                        true => &[][..],
                        false => &all[offset.min(50)..(offset + len).min(50)],
                    };
                    assert_eq!(buf[..got], *want, "{offset} {len} behind {start}");
                }
            }
        }
    }
}
