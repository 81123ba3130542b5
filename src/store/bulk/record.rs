//! Rows as SQLite records: a header of types, then the values (file format, 2.1).

use crate::store::relations::{Row, Visitor};

/// Encodes one row after the other, reusing its memory.
///
/// Header and body grow towards each other's end: the header is written where it will stand, the
/// body behind the place that a header with one byte a column takes. Only a long text has a type of
/// more bytes; then the body is moved.
#[derive(Default)]
pub struct RecordEncoder {
    buffer: Vec<u8>,
    /// End of the header so far.
    header: usize,
    /// Where the body begins.
    body: usize,
    /// End of the body so far.
    end: usize,
    is_first: bool,
}

/// Type and size of integers by the number of their bits, the sign included: the smallest of the sizes
/// that holds the value.
const INTEGER_TYPES: [(u8, u8); 65] = {
    let mut types = [(6, 8); 65];
    let mut bits = 0;
    while bits <= 48 {
        types[bits] = match bits {
            0..=8 => (1, 1),
            9..=16 => (2, 2),
            17..=24 => (3, 3),
            25..=32 => (4, 4),
            _ => (5, 6),
        };
        bits += 1;
    }
    types
};

impl RecordEncoder {
    /// The record of a row whose first column is its row number, which is kept outside of the
    /// record.
    #[inline(always)]
    pub fn encode<R: Row>(&mut self, row: &R) -> &[u8] {
        self.begin(R::COLUMNS, true);
        row.visit(self);
        self.finish()
    }

    /// The record of an index entry of integers, the last of which is the row number.
    pub fn encode_integers(&mut self, values: &[i64]) -> &[u8] {
        self.begin(values.len(), false);
        for &value in values {
            self.integer(value);
        }
        self.finish()
    }

    #[inline(always)]
    fn begin(&mut self, columns: usize, is_first: bool) {
        self.is_first = is_first;
        // The header's length comes first; one byte is enough below 127 columns.
        self.header = 1;
        self.body = 1 + columns;
        self.end = self.body;
        let room = 1 + 10 * columns;
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
    }

    #[inline(always)]
    fn put_type(&mut self, ty: u8) {
        self.buffer[self.header] = ty;
        self.header += 1;
    }

    #[inline(always)]
    fn finish(&mut self) -> &[u8] {
        debug_assert_eq!(self.header, self.body);
        if self.header > 127 {
            // The length takes two bytes, which count themselves.
            let len = (self.header + 1) as u64;
            let mut start = Vec::new();
            put_varint(&mut start, len);
            self.buffer.splice(0..1, start);
            return &self.buffer[..self.end + 1];
        }
        self.buffer[0] = self.header as u8;
        &self.buffer[..self.end]
    }

    /// Makes room for a type of `len` bytes where one was reserved.
    #[cold]
    fn widen_header(&mut self, len: usize) {
        let more = len - 1;
        self.buffer.resize((self.end + more + 64).max(self.buffer.len()), 0);
        self.buffer.copy_within(self.body..self.end, self.body + more);
        self.body += more;
        self.end += more;
    }
}

impl Visitor for RecordEncoder {
    #[inline(always)]
    fn integer(&mut self, value: i64) {
        if self.is_first {
            self.is_first = false;
            return self.put_type(0);
        }
        // 0 and 1 need no bytes.
        if value as u64 <= 1 {
            return self.put_type(8 + value as u8);
        }
        let bits = 65 - ((value ^ (value >> 63)) as u64).leading_zeros() as usize;
        let (ty, size) = INTEGER_TYPES[bits.min(64)];
        self.put_type(ty);
        // All 8 bytes are stored, the wanted ones first; the next value goes over the others.
        let bytes = (value << (64 - 8 * u32::from(size))).to_be_bytes();
        self.buffer[self.end..][..8].copy_from_slice(&bytes);
        self.end += usize::from(size);
    }

    fn real(&mut self, value: f64) {
        self.is_first = false;
        // SQLite stores NaN as NULL.
        if value.is_nan() {
            return self.null();
        }
        self.put_type(7);
        self.buffer[self.end..][..8].copy_from_slice(&value.to_be_bytes());
        self.end += 8;
    }

    fn text(&mut self, value: &str) {
        self.is_first = false;
        let ty = 13 + 2 * value.len() as u64;
        if ty < 0x80 {
            self.put_type(ty as u8);
        } else {
            let mut bytes = Vec::with_capacity(9);
            put_varint(&mut bytes, ty);
            self.widen_header(bytes.len());
            self.buffer[self.header..][..bytes.len()].copy_from_slice(&bytes);
            self.header += bytes.len();
        }
        // What follows still needs room for 8 bytes a column.
        let columns = self.body - self.header;
        let room = self.end + value.len() + 8 * (columns + 1);
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        self.buffer[self.end..][..value.len()].copy_from_slice(value.as_bytes());
        self.end += value.len();
    }

    #[inline(always)]
    fn null(&mut self) {
        self.is_first = false;
        self.put_type(0);
    }
}

/// Appends a number as SQLite's varint: big-endian, at most 9 bytes, the ninth with 8 bits.
#[inline(always)]
pub fn put_varint(out: &mut Vec<u8>, value: u64) {
    let (bytes, len) = varint(value);
    out.extend_from_slice(&bytes[..len]);
}

/// A number as SQLite's varint, and how many of the bytes it takes.
#[inline(always)]
pub fn varint(value: u64) -> ([u8; 9], usize) {
    let mut bytes = [0; 9];
    if value < 0x80 {
        bytes[0] = value as u8;
        return (bytes, 1);
    }
    let len = varint_len(value);
    let mut rest = value;
    if len == 9 {
        bytes[8] = rest as u8;
        rest >>= 8;
    } else {
        bytes[len - 1] = rest as u8 & 0x7f;
        rest >>= 7;
    }
    for byte in bytes[..len - 1].iter_mut().rev() {
        *byte = rest as u8 | 0x80;
        rest >>= 7;
    }
    (bytes, len)
}

/// Bytes of a number as SQLite's varint.
#[inline(always)]
pub fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7).min(9)
}
