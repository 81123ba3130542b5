//! Reading a table of integers straight from the pages of its file.
//!
//! A statement takes about 100 ns for each row it hands to a program; taking the rows out of the
//! pages takes less than a tenth of it, and what looks at all states of a trace looks at millions.
//! Comes in: the name of a table without overflowing rows. Goes out: its rows in the order of their
//! numbers, all or those between two numbers.
//!
//! The file is read through SQLite's own handle while a statement holds SQLite's lock for
//! reading, so nobody can change it meanwhile. Where that is not enough (a database in memory, one
//! with a write-ahead log, one that may be written here) there is no such reader, and the caller
//! asks by a statement.
//!
//! Source: the SQLite file format (sqlite.org/fileformat2.html), sections 1.3 (header), 1.6
//! (pages of b-trees) and 2.1 (records).

use super::budget::Work;
use rusqlite::{Connection, Error, OptionalExtension, Result, Statement, ffi};
use std::ffi::c_int;

/// Pages read at a time where they follow each other, at most.
const RUN: usize = 64;
/// Pages kept for reading again, at most. A power of two.
const KEPT: usize = 1024;
/// The values of a row are taken out of so many bytes, which may reach beyond the last page: then one
/// check serves for all of them.
const LOAD: usize = 128;
/// Columns that are read, at most: each takes up to 8 bytes.
const MAX_COLUMNS: usize = LOAD / 8;
/// Levels of a b-tree at most; SQLite's own limit is 20 (btreeInt.h, BTCURSOR_MAX_DEPTH).
const MAX_DEPTH: usize = 20;

const LEAF: u8 = 0x0d;
const INTERIOR: u8 = 0x05;

/// What stands for NULL among the integers of a row.
pub const NULL: i64 = i64::MIN;

/// A table to read.
pub struct TablePages<'c> {
    connection: &'c Connection,
    work: &'c Work,
    file: *mut ffi::sqlite3_file,
    page_size: usize,
    /// Bytes of a page that are in use.
    usable: usize,
    leaves: Vec<Leaf>,
    /// Pages with their leaf plus 1, by the leaf's lowest bits.
    kept: Vec<(usize, Vec<u8>)>,
    /// Holds the lock for reading: it has given a row and is not reset.
    _lock: Statement<'c>,
}

#[derive(Clone, Copy)]
struct Leaf {
    page: u32,
    /// No row on it has a greater number.
    last: i64,
}

impl<'c> TablePages<'c> {
    /// Opens a table of the database's file; `None` if its pages cannot be read past SQLite.
    pub fn open(connection: &'c Connection, work: &'c Work, table: &str) -> Result<Option<Self>> {
        if !connection.is_readonly(rusqlite::MAIN_DB)? {
            return Ok(None);
        }
        let sql = format!("select rowid from main.{table} limit 1");
        let mut lock = connection.prepare(&sql)?;
        let mut rows = lock.raw_query();
        let is_empty = rows.next()?.is_none();
        // Not dropped: that would reset the statement, and with it go the lock.
        std::mem::forget(rows);
        if is_empty {
            return Ok(None);
        }
        let sql = "select rootpage from main.sqlite_schema where name = ?1 and type = 'table'";
        let root: Option<u32> = connection.query_row(sql, [table], |row| row.get(0)).optional()?;
        let (Some(root), Some(file)) = (root, file_of(connection)) else { return Ok(None) };
        let mut pages = TablePages {
            connection,
            work,
            file,
            page_size: 100,
            usable: 0,
            leaves: Vec::new(),
            kept: Vec::new(),
            _lock: lock,
        };
        let mut header = vec![0; 100 + LOAD];
        pages.read(1, &mut header)?;
        let is_walled = header[18] != 1 || header[19] != 1;
        if !header.starts_with(b"SQLite format 3\0") || is_walled {
            return Ok(None);
        }
        pages.page_size = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65536,
            size => usize::from(size),
        };
        if pages.page_size < 512 {
            return Err(pages.damaged(1));
        }
        pages.usable = pages.page_size.saturating_sub(usize::from(header[20]));
        let count = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
        let mut left = count;
        pages.find_leaves(root, i64::MAX, &mut left, 0)?;
        Ok(Some(pages))
    }

    fn damaged(&self, page: u32) -> Error {
        let offset = u64::from(page).saturating_sub(1) * self.page_size as u64;
        super::refusal::refuse(format!(
            "page {page} of the database, at byte {offset}, is damaged; ingest the trace again"
        ))
    }

    /// Fills a buffer, but its last `LOAD` bytes, from the beginning of a page on.
    fn read(&self, page: u32, buffer: &mut [u8]) -> Result<()> {
        let length = buffer.len() - LOAD;
        let offset = i64::from(page.checked_sub(1).ok_or_else(|| self.damaged(page))?)
            * self.page_size as i64;
        // SAFETY: the file belongs to the connection, which is borrowed as long as this lives, and
        // is used on its thread only. The buffer has the length that is given.
        let code = unsafe {
            match (*(*self.file).pMethods).xRead {
                Some(read) => read(self.file, buffer.as_mut_ptr().cast(), length as c_int, offset),
                None => ffi::SQLITE_IOERR,
            }
        };
        match code {
            ffi::SQLITE_OK => Ok(()),
            ffi::SQLITE_IOERR_SHORT_READ => Err(self.damaged(page)),
            code => Err(Error::SqliteFailure(ffi::Error::new(code), None)),
        }
    }

    /// The leaves below a page, in order; none of their rows has a number greater than `last`.
    fn find_leaves(&mut self, page: u32, last: i64, left: &mut u32, depth: usize) -> Result<()> {
        // More pages than the file has, or a page inside itself: then nothing may be believed.
        *left =
            left.checked_sub(1).filter(|_| depth < MAX_DEPTH).ok_or_else(|| self.damaged(page))?;
        let mut bytes = vec![0; self.page_size + LOAD];
        self.read(page, &mut bytes)?;
        if bytes[0] == LEAF {
            self.work.push(&mut self.leaves, Leaf { page, last })?;
            return Ok(());
        }
        let children = children(&bytes, last).ok_or_else(|| self.damaged(page))?;
        // All leaves of a b-tree are equally deep: the first child tells for the others.
        let mut kind = vec![0; 1 + LOAD];
        self.read(children[0].page, &mut kind)?;
        if kind[0] == LEAF {
            *left = left.checked_sub(children.len() as u32).ok_or_else(|| self.damaged(page))?;
            self.work.room(&mut self.leaves, children.len())?;
            self.leaves.extend(children);
            return Ok(());
        }
        for child in children {
            self.find_leaves(child.page, child.last, left, depth + 1)?;
        }
        Ok(())
    }

    /// Hands out all rows, in the order of their numbers, those of a leaf at a time. `make` makes of
    /// number and `N` integers, from the first column on, what is handed out, `None` to leave it out.
    ///
    /// A leaf at a time, so that the loop over the cells of a page has nothing else in it: whoever
    /// takes the rows may fail, and a check of that for each row costs a tenth of the whole.
    pub fn each<const N: usize, T>(
        &mut self,
        make: impl Fn(i64, [i64; N]) -> Option<T>,
        take: &mut dyn FnMut(&[T]) -> Result<()>,
    ) -> Result<()> {
        let mut run = Vec::new();
        let mut rows = Vec::new();
        let mut next = 0;
        while next < self.leaves.len() {
            // SAFETY: the connection is open.
            if unsafe { ffi::sqlite3_is_interrupted(self.connection.handle()) } != 0 {
                let error = ffi::Error::new(ffi::SQLITE_INTERRUPT);
                return Err(Error::SqliteFailure(error, None));
            }
            self.work.look()?;
            let rest = &self.leaves[next..];
            let is_run = |pair: &[Leaf]| pair[0].page.checked_add(1) == Some(pair[1].page);
            let count = 1 + rest.windows(2).take(RUN - 1).take_while(|pair| is_run(pair)).count();
            run.resize(count * self.page_size + LOAD, 0);
            self.read(rest[0].page, &mut run)?;
            for (index, leaf) in rest[..count].iter().enumerate() {
                let page = &run[index * self.page_size..];
                rows.clear();
                let page = &page[..self.page_size + LOAD];
                read_rows(page, self.usable, 0, i64::MAX, &make, &mut rows)
                    .ok_or_else(|| self.damaged(leaf.page))?;
                take(&rows)?;
            }
            next += count;
        }
        Ok(())
    }

    /// Hands out the rows with numbers from `first` to `last`, in order, as [`TablePages::each`] does.
    pub fn range<const N: usize, T>(
        &mut self,
        first: i64,
        last: i64,
        make: impl Fn(i64, [i64; N]) -> Option<T>,
        take: &mut dyn FnMut(&[T]) -> Result<()>,
    ) -> Result<()> {
        let mut rows = Vec::new();
        let mut next = self.leaves.partition_point(|leaf| leaf.last < first);
        while let Some(&leaf) = self.leaves.get(next) {
            if self.kept.is_empty() {
                self.kept.resize(KEPT, (0, Vec::new()));
            }
            let slot = next % KEPT;
            if self.kept[slot].0 != next + 1 {
                let mut page = std::mem::take(&mut self.kept[slot].1);
                page.resize(self.page_size + LOAD, 0);
                self.read(leaf.page, &mut page)?;
                self.kept[slot] = (next + 1, page);
            }
            let page = &self.kept[slot].1;
            let from = first_cell(page, first).ok_or_else(|| self.damaged(leaf.page))?;
            self.work.step()?;
            rows.clear();
            let is_over = read_rows(page, self.usable, from, last, &make, &mut rows)
                .ok_or_else(|| self.damaged(leaf.page))?;
            take(&rows)?;
            if is_over || leaf.last >= last {
                break;
            }
            next += 1;
        }
        Ok(())
    }
}

/// The children of an interior page; `None` if it is none, or damaged.
fn children(page: &[u8], last: i64) -> Option<Vec<Leaf>> {
    if page[0] != INTERIOR {
        return None;
    }
    let number = |at: usize| Some(u32::from_be_bytes(page.get(at..at + 4)?.try_into().ok()?));
    let mut children = Vec::new();
    for cell in 0..two_bytes(page, 3)? {
        let at = two_bytes(page, 12 + 2 * cell)?;
        children.push(Leaf { page: number(at)?, last: varint(page, at + 4)?.0 as i64 });
    }
    children.push(Leaf { page: number(8)?, last });
    Some(children)
}

fn two_bytes(page: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes([*page.get(at)?, *page.get(at + 1)?])))
}

/// A number of 1 to 9 bytes, the ninth with 8 bits; and where it ends.
#[inline(always)]
fn varint(page: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for index in 0..8 {
        let byte = *page.get(at + index)?;
        value = value << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((value, at + index + 1));
        }
    }
    Some((value << 8 | u64::from(*page.get(at + 8)?), at + 9))
}

/// The first cell of a leaf whose row has at least this number.
fn first_cell(page: &[u8], first: i64) -> Option<usize> {
    let (mut low, mut high) = (0, two_bytes(page, 3)?);
    while low < high {
        let middle = low.midpoint(high);
        let at = two_bytes(page, 8 + 2 * middle)?;
        let (_, at) = varint(page, at)?;
        if (varint(page, at)?.0 as i64) < first { low = middle + 1 } else { high = middle }
    }
    Some(low)
}

/// Reads the rows of a leaf from a cell on, up to number `last`. Whether there was one behind it; `None`
/// if the page is damaged.
#[inline(always)]
fn read_rows<const N: usize, T>(
    page: &[u8],
    usable: usize,
    first: usize,
    last: i64,
    make: &impl Fn(i64, [i64; N]) -> Option<T>,
    rows: &mut Vec<T>,
) -> Option<bool> {
    if page[0] != LEAF {
        return None;
    }
    let cells = first..two_bytes(page, 3)?;
    rows.reserve(cells.len());
    for cell in cells {
        let at = two_bytes(page, 8 + 2 * cell)?;
        let (length, at) = varint(page, at)?;
        let (number, at) = varint(page, at)?;
        // What does not fit on the page goes on elsewhere; rows of integers are not so long.
        if length > (usable as u64).checked_sub(at as u64)? {
            return None;
        }
        if number as i64 > last {
            return Some(true);
        }
        rows.extend(make(number as i64, integers(page, at, at + length as usize)?));
    }
    Some(false)
}

/// What the type of a value means for its bytes: how many there are, how far the 8 bytes that are
/// loaded are to be shifted down, which bits of that count, and what is added.
struct IntegerType {
    bytes: u8,
    shift: u8,
    mask: i64,
    base: i64,
}

/// The last type that an integer can have.
const LAST_TYPE: u8 = 9;

/// By the lowest four bits of a type.
const INTEGER_TYPES: [IntegerType; 16] = {
    const fn of(bytes: u8) -> IntegerType {
        IntegerType { bytes, shift: 64 - 8 * bytes, mask: -1, base: 0 }
    }
    const fn constant(base: i64) -> IntegerType {
        IntegerType { bytes: 0, shift: 0, mask: 0, base }
    }
    // 7 is a number with a point, which tables of integers do not have.
    let none = constant(NULL);
    let mut types = [const { constant(0) }; 16];
    types[0] = constant(NULL);
    (types[1], types[2], types[3]) = (of(1), of(2), of(3));
    (types[4], types[5], types[6]) = (of(4), of(6), of(8));
    (types[7], types[9]) = (none, constant(1));
    types
};

/// The first `N` values of a record that reaches to `end`.
#[inline(always)]
fn integers<const N: usize>(page: &[u8], at: usize, end: usize) -> Option<[i64; N]> {
    let header = usize::from(*page.get(at)?);
    // One byte a type is all that integers need.
    let types: &[u8; N] = page.get(at + 1..at + 1 + N)?.try_into().ok()?;
    if header <= N || header >= 0x80 {
        return None;
    }
    const { assert!(N <= MAX_COLUMNS) };
    let body: &[u8; LOAD] = page.get(at + header..at + header + LOAD)?.try_into().ok()?;
    let mut values = [0; N];
    let (mut from, mut greatest) = (0, 0);
    for (value, &ty) in values.iter_mut().zip(types) {
        greatest = greatest.max(ty);
        let ty = &INTEGER_TYPES[usize::from(ty & 15)];
        // It is never cut: values have 8 bytes each at most. The compiler does not see that.
        let from_here = from.min(LOAD - 8);
        let bytes = *body[from_here..].first_chunk().unwrap_or(&[0; 8]);
        *value = ((i64::from_be_bytes(bytes) >> ty.shift) & ty.mask).wrapping_add(ty.base);
        from += usize::from(ty.bytes);
    }
    (greatest <= LAST_TYPE && at + header + from <= end).then_some(values)
}

/// The file of the main database.
fn file_of(connection: &Connection) -> Option<*mut ffi::sqlite3_file> {
    let mut file: *mut ffi::sqlite3_file = std::ptr::null_mut();
    // SAFETY: SQLITE_FCNTL_FILE_POINTER writes a pointer to where it is told; the file lives as long
    // as the database is open. Without methods it is not open.
    unsafe {
        let code = ffi::sqlite3_file_control(
            connection.handle(),
            c"main".as_ptr(),
            ffi::SQLITE_FCNTL_FILE_POINTER,
            (&raw mut file).cast(),
        );
        (code == ffi::SQLITE_OK && !file.is_null() && !(*file).pMethods.is_null()).then_some(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::OpenFlags;
    use std::path::Path;

    fn work() -> Work {
        super::super::budget::Budget::new().work()
    }

    fn next(random: &mut u64) -> u64 {
        *random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        *random >> 16
    }

    /// A database with rows of all sizes, some numbers left out.
    fn make(path: &Path, page_size: usize, rows: u64) {
        let mut connection = Connection::open(path).unwrap();
        connection
            .execute_batch(&format!(
                "pragma page_size = {page_size}; create table before (a);
                 create table t (id integer primary key not null, a integer, b integer, c integer)"
            ))
            .unwrap();
        let transaction = connection.transaction().unwrap();
        let mut random = 1;
        for number in 0..rows {
            let mut value = || match next(&mut random) % 12 {
                0 => None,
                1 => Some(0),
                2 => Some(1),
                3 => Some(-1),
                4 => Some(i64::MAX),
                _ => Some((next(&mut random) << 16) as i64 >> (next(&mut random) % 64)),
            };
            let row = (number * 3, value(), value(), value());
            transaction.execute("insert into t values (?1, ?2, ?3, ?4)", row).unwrap();
        }
        transaction.commit().unwrap();
    }

    fn open(path: &Path) -> Connection {
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    }

    fn by_statement(connection: &Connection, first: i64, last: i64) -> Vec<[i64; 4]> {
        let mut statement =
            connection.prepare("select * from t where id between ?1 and ?2").unwrap();
        let rows = statement.query_map([first, last], |row| {
            let mut columns = [NULL; 4];
            for (at, column) in columns.iter_mut().enumerate() {
                *column = row.get::<_, Option<i64>>(at)?.unwrap_or(NULL);
            }
            Ok(columns)
        });
        rows.unwrap().collect::<Result<_>>().unwrap()
    }

    #[test]
    fn rows_are_those_of_a_statement() {
        let folder = tempfile::tempdir().unwrap();
        for (page_size, rows) in [(512, 3000), (8192, 20_000), (65536, 9000), (4096, 1)] {
            let path = folder.path().join(format!("{page_size}.db"));
            make(&path, page_size, rows);
            let (connection, work) = (open(&path), work());
            let mut pages = TablePages::open(&connection, &work, "t").unwrap().unwrap();
            let mut found = Vec::new();
            let row = |id, [_, a, b, c]: [i64; 4]| Some([id, a, b, c]);
            let mut take = |rows: &[[i64; 4]]| {
                found.extend_from_slice(rows);
                Ok(())
            };
            pages.each(row, &mut take).unwrap();
            assert_eq!(found, by_statement(&connection, i64::MIN, i64::MAX));
            for (first, last) in [(0, 0), (1, 2), (-5, 700), (299, 301), (2000, i64::MAX), (9, 3)] {
                let mut found = Vec::new();
                let mut take = |rows: &[[i64; 4]]| {
                    found.extend_from_slice(rows);
                    Ok(())
                };
                pages.range(first, last, row, &mut take).unwrap();
                assert_eq!(found, by_statement(&connection, first, last), "{first} to {last}");
            }
        }
    }

    #[test]
    fn what_cannot_be_read_past_sqlite_is_left_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        make(&path, 4096, 10);
        let writable = Connection::open(&path).unwrap();
        assert!(
            TablePages::open(&writable, &work(), "t").unwrap().is_none(),
            "it may have changes"
        );
        assert!(
            TablePages::open(&open(&path), &work(), "before").unwrap().is_none(),
            "it is empty"
        );
        writable.execute_batch("pragma journal_mode = wal; update t set a = 7").unwrap();
        assert!(
            TablePages::open(&open(&path), &work(), "t").unwrap().is_none(),
            "the log is newer"
        );
        let memory = Connection::open_in_memory().unwrap();
        memory.execute_batch("create table t (id integer primary key); insert into t values (1); pragma query_only = 1").unwrap();
        assert!(TablePages::open(&memory, &work(), "t").unwrap().is_none());
    }

    #[test]
    fn nobody_writes_while_it_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        make(&path, 4096, 10);
        let (connection, work) = (open(&path), work());
        let pages = TablePages::open(&connection, &work, "t").unwrap();
        let writable = Connection::open(&path).unwrap();
        writable.busy_timeout(std::time::Duration::ZERO).unwrap();
        assert!(writable.execute_batch("delete from t").is_err());
        drop(pages);
        writable.execute_batch("delete from t").unwrap();
    }

    #[test]
    fn damaged_pages_are_errors_or_rows_and_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        make(&path, 512, 3000);
        let whole = std::fs::read(&path).unwrap();
        let (mut random, mut errors) = (7, 0);
        for _ in 0..600 {
            let mut bytes = whole.clone();
            for _ in 0..1 + next(&mut random) % 4 {
                // Not the schema, which is SQLite's business.
                let at = 1024 + next(&mut random) as usize % (bytes.len() - 1024);
                // The beginning of a page is where most depends on each byte.
                let at =
                    if next(&mut random) > u64::MAX >> 17 { at } else { at / 512 * 512 + at % 12 };
                bytes[at] = next(&mut random) as u8;
            }
            std::fs::write(&path, bytes).unwrap();
            let (connection, work) = (open(&path), work());
            let result = TablePages::open(&connection, &work, "t").and_then(|pages| match pages {
                Some(mut pages) => {
                    let row = |id, _: [i64; 4]| Some(id);
                    pages.range(1000, 5000, row, &mut |_| Ok(()))?;
                    pages.each(row, &mut |_| Ok(()))
                }
                None => Ok(()),
            });
            errors += usize::from(result.is_err());
        }
        assert!(errors > 100, "{errors}");
    }
}
