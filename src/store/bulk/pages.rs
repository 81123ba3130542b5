//! The pages of a database file that are not SQLite's any more.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Pages gathered before they are written, bytes.
const BUFFER: usize = 1 << 20;

/// The page with this byte is left alone by SQLite (file format, 1.4).
const LOCK_BYTE: u64 = 1 << 30;

/// A database file, made by SQLite and closed, to which pages are added. Clones share the file, also
/// over threads: pages get their numbers in the order in which they come.
#[derive(Clone)]
pub struct PageFile {
    shared: Arc<Mutex<Shared>>,
    page_size: usize,
}

struct Shared {
    file: File,
    page_size: usize,
    /// Number of pages, those in `buffer` included. Pages are numbered from 1.
    pages: u32,
    buffer: Vec<u8>,
    /// Pages that turned out to be of no use; they go on the freelist.
    free: Vec<u32>,
}

impl PageFile {
    /// Takes over a file that SQLite has written and closed.
    pub fn open(mut file: File) -> io::Result<Self> {
        let mut header = [0; 100];
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut header)?;
        let page_size = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65536,
            size => usize::from(size),
        };
        let reserved = header[20];
        if &header[..16] != b"SQLite format 3\0" || page_size < 512 || reserved != 0 {
            return Err(io::Error::other("not a database file as SQLite makes it"));
        }
        let pages = file.seek(SeekFrom::End(0))? / page_size as u64;
        let pages = u32::try_from(pages).map_err(io::Error::other)?;
        let buffer = Vec::with_capacity(BUFFER + page_size);
        let shared = Shared { file, page_size, pages, buffer, free: Vec::new() };
        Ok(PageFile { shared: Arc::new(Mutex::new(shared)), page_size })
    }

    /// Bytes of a page.
    pub fn page_size(&self) -> usize {
        self.page_size
    }

    /// Appends a page; returns its number. `fill` gets the page zeroed.
    pub fn append(&self, fill: impl FnOnce(&mut [u8])) -> io::Result<u32> {
        self.lock().append(fill)
    }

    /// Writes what does not fit into a cell as a chain of pages (file format, 1.6: next page, then
    /// data); returns the first.
    pub fn append_chain(&self, mut data: &[u8]) -> io::Result<u32> {
        let mut shared = self.lock();
        let capacity = self.page_size - 4;
        let count = u32::try_from(data.len().div_ceil(capacity)).map_err(io::Error::other)?;
        // The chain names each next page before it is written, so the numbers must be consecutive.
        while !shared.is_consecutive(count) {
            let unused = shared.append(|_| {})?;
            shared.free.push(unused);
        }
        let first = shared.pages + 1;
        while !data.is_empty() {
            let (here, behind) = data.split_at(data.len().min(capacity));
            data = behind;
            let next = if data.is_empty() { 0 } else { shared.pages + 2 };
            shared.append(|page| {
                page[..4].copy_from_slice(&next.to_be_bytes());
                page[4..4 + here.len()].copy_from_slice(here);
            })?;
        }
        Ok(first)
    }

    /// Writes over a page that exists: the root of a b-tree, whose number the schema has.
    pub fn replace(&self, number: u32, page: &[u8]) -> io::Result<()> {
        let mut shared = self.lock();
        shared.flush()?;
        shared.write_at(number, page)
    }

    /// Takes back a page that was appended: its content goes into `page`, its place on the
    /// freelist.
    pub fn take_back(&self, number: u32, page: &mut [u8]) -> io::Result<()> {
        let mut shared = self.lock();
        shared.flush()?;
        let start = shared.offset_of(number);
        shared.file.seek(SeekFrom::Start(start))?;
        shared.file.read_exact(page)?;
        shared.free.push(number);
        Ok(())
    }

    /// Completes the file if no clone is left: SQLite may open it again.
    pub fn finish(self) -> io::Result<()> {
        let Some(shared) = Arc::into_inner(self.shared) else { return Ok(()) };
        shared.into_inner().unwrap_or_else(PoisonError::into_inner).finish()
    }

    /// A thread that panicked with the lock leaves a file that nobody will use: no reason to care.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn append(&mut self, fill: impl FnOnce(&mut [u8])) -> io::Result<u32> {
        if u64::from(self.pages) == LOCK_BYTE / self.page_size as u64 {
            self.buffer.resize(self.buffer.len() + self.page_size, 0);
            self.pages += 1;
        }
        // SQLite's own limit on pages.
        if self.pages >= u32::MAX - 2 {
            return Err(io::Error::other("the database would have too many pages"));
        }
        self.pages += 1;
        let start = self.buffer.len();
        self.buffer.resize(start + self.page_size, 0);
        fill(&mut self.buffer[start..]);
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        Ok(self.pages)
    }

    /// Whether `count` pages appended now get consecutive numbers.
    fn is_consecutive(&self, count: u32) -> bool {
        let lock_page = LOCK_BYTE / self.page_size as u64 + 1;
        let next = u64::from(self.pages) + 1;
        !(next..next + u64::from(count)).contains(&lock_page)
    }

    fn offset_of(&self, number: u32) -> u64 {
        u64::from(number - 1) * self.page_size as u64
    }

    fn write_at(&mut self, number: u32, page: &[u8]) -> io::Result<()> {
        let start = self.offset_of(number);
        self.file.seek(SeekFrom::Start(start))?;
        self.file.write_all(page)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::End(0))?;
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        // Each unused page is a trunk of the freelist without leaves (file format, 1.5).
        let mut trunk = 0u32;
        let free = std::mem::take(&mut self.free);
        let mut page = vec![0; self.page_size];
        for &number in &free {
            page[..4].copy_from_slice(&trunk.to_be_bytes());
            self.write_at(number, &page)?;
            trunk = number;
        }
        // Number of pages, first trunk, number of free pages (file format, 1.3, offset 28).
        self.file.seek(SeekFrom::Start(28))?;
        for field in [self.pages, trunk, free.len() as u32] {
            self.file.write_all(&field.to_be_bytes())?;
        }
        self.file.flush()
    }
}
