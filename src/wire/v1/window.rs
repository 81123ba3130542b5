//! A piece of the input in memory, moved along as it is used up.

use crate::source::RandomAccess;
use crate::wire::varint;

/// Readable bytes behind the last byte of the window: an event is decoded without a look at the
/// end between its numbers.
const SLACK: usize = varint::WINDOW;

/// A window on the bytes from an offset to a limit.
#[derive(Debug, Default)]
pub struct Window {
    buf: Vec<u8>,
    /// The next unread byte in `buf`.
    pub pos: usize,
    /// Behind the last byte in `buf`.
    pub end: usize,
    /// Absolute offset of `buf[0]`.
    base: u64,
    /// Absolute offset at which reading ends.
    limit: u64,
    /// Bytes read at a time.
    chunk: usize,
}

impl Window {
    /// A window that shows nothing yet.
    pub fn new(chunk: usize) -> Self {
        Window { chunk, ..Window::default() }
    }

    /// Shows the bytes from `from` to `limit`.
    pub fn open(&mut self, from: u64, limit: u64) {
        (self.pos, self.end) = (0, 0);
        (self.base, self.limit) = (from, limit);
    }

    /// Absolute offset of the next unread byte.
    pub fn offset(&self) -> u64 {
        self.base + self.pos as u64
    }

    /// Bytes from the next unread one to the limit.
    pub fn left(&self) -> u64 {
        self.limit - self.offset()
    }

    /// The bytes from `start`, which must not be behind `end`, with unspecified ones behind the end.
    #[inline(always)]
    pub fn event(&self, start: usize) -> &[u8; varint::WINDOW] {
        self.buf[start..].first_chunk().expect("SLACK bytes stand behind the end")
    }

    /// The unread bytes in memory.
    pub fn unread(&self) -> &[u8] {
        self.buf.get(self.pos..self.end).unwrap_or(&[])
    }

    /// Gets at least `want` unread bytes into memory, unless the limit comes before.
    #[inline(always)]
    pub fn need(&mut self, input: &RandomAccess, want: usize) {
        if self.end - self.pos < want && self.base + (self.end as u64) < self.limit {
            self.fill(input, want);
        }
    }

    #[cold]
    #[inline(never)]
    fn fill(&mut self, input: &RandomAccess, want: usize) {
        self.buf.copy_within(self.pos..self.end, 0);
        self.base += self.pos as u64;
        self.end -= self.pos;
        self.pos = 0;
        let from = self.base + self.end as u64;
        let more = self.chunk.max(want).min((self.limit - from) as usize);
        if self.buf.len() < self.end + more + SLACK {
            self.buf.resize(self.end + more + SLACK, 0);
        }
        let got = input.read_at(from, &mut self.buf[self.end..self.end + more]).unwrap_or(0);
        self.end += got;
        if got < more {
            // The file was cut short or cannot be read on: for us it ends here.
            self.limit = from + got as u64;
        }
    }

    /// Frees the memory.
    pub fn close(&mut self) {
        *self = Window { base: self.offset(), limit: self.offset(), ..Window::new(self.chunk) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides_to_the_limit_and_no_further() {
        let input = RandomAccess::from_bytes((0..100).collect::<Vec<u8>>());
        let mut window = Window::new(8);
        window.open(10, 40);
        window.need(&input, 4);
        assert_eq!(window.unread(), (10..18).collect::<Vec<u8>>());
        window.pos += 6;
        window.need(&input, 20);
        assert_eq!(window.unread()[..20], (16..36).collect::<Vec<u8>>());
        assert_eq!((window.offset(), window.left()), (16, 24));
        window.pos += 20;
        window.need(&input, 100);
        assert_eq!(window.unread(), [36, 37, 38, 39]);
        window.close();
        assert!(window.unread().is_empty() && window.left() == 0);
    }

    #[test]
    fn whatever_is_asked_for_at_a_time_the_bytes_are_the_same() {
        let bytes: Vec<u8> = (0..40).collect();
        let input = RandomAccess::from_bytes(bytes.clone());
        for chunk in 1..=9 {
            for (from, limit) in (0..=12).flat_map(|from| (from..=40).map(move |to| (from, to))) {
                for (want, take) in [(1, 1), (2, 1), (3, 3), (7, 5), (9, 9), (30, 2)] {
                    let mut window = Window::new(chunk);
                    window.open(from as u64, limit as u64);
                    let mut seen = Vec::new();
                    loop {
                        window.need(&input, want);
                        let unread = window.unread();
                        let there = unread.len();
                        assert!(there >= want.min(limit - from - seen.len()), "{chunk} {want}");
                        if there == 0 {
                            break;
                        }
                        let take = take.min(there);
                        seen.extend_from_slice(&unread[..take]);
                        // What stands behind the end may be anything, but it can be looked at.
                        assert_eq!(window.event(window.pos)[0], seen[seen.len() - take]);
                        window.pos += take;
                        assert_eq!(window.offset(), (from + seen.len()) as u64);
                        assert_eq!(window.left(), (limit - from - seen.len()) as u64);
                    }
                    assert_eq!(seen, bytes[from..limit], "{chunk} {from} {limit} {want} {take}");
                }
            }
        }
    }
}
