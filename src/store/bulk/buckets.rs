//! A table whose rows do not come in the order of their numbers, but nearly.
//!
//! Goroutines are numbered when they appear and complete when they end. Rows are gathered in
//! buckets of consecutive numbers, and a bucket is written when it is complete; the leaves of a
//! b-tree may stand anywhere in the file. So memory holds only the buckets of goroutines that live.

use super::btree::TableBuilder;
use super::pages::PageFile;
use std::collections::BTreeMap;
use std::io;

/// Rows in a bucket: a few pages, so that little of the last one is empty.
const BUCKET: i64 = 512;

#[derive(Default)]
struct Bucket {
    bytes: Vec<u8>,
    /// Row number, start and end in `bytes`.
    rows: Vec<(i64, u32, u32)>,
}

/// Builds such a table. Row numbers are positive and used once.
pub struct BucketedTable {
    table: TableBuilder,
    buckets: BTreeMap<i64, Bucket>,
}

impl BucketedTable {
    /// A table whose root page is `root`.
    pub fn new(root: u32) -> Self {
        BucketedTable { table: TableBuilder::new(root), buckets: BTreeMap::new() }
    }

    /// Adds a row.
    pub fn push(&mut self, file: &PageFile, rowid: i64, payload: &[u8]) -> io::Result<()> {
        let number = rowid.div_euclid(BUCKET);
        let bucket = self.buckets.entry(number).or_default();
        let start = bucket.bytes.len() as u32;
        bucket.bytes.extend_from_slice(payload);
        bucket.rows.push((rowid, start, bucket.bytes.len() as u32));
        if bucket.rows.len() as i64 == BUCKET {
            let bucket = self.buckets.remove(&number).expect("it was just filled");
            self.write(file, bucket)?;
        }
        Ok(())
    }

    fn write(&mut self, file: &PageFile, mut bucket: Bucket) -> io::Result<()> {
        bucket.rows.sort_unstable();
        for &(rowid, start, end) in &bucket.rows {
            self.table.push(file, rowid, &bucket.bytes[start as usize..end as usize])?;
        }
        self.table.end_run(file)
    }

    /// Writes the rest and the interior pages.
    pub fn finish(mut self, file: &PageFile) -> io::Result<()> {
        for (_, bucket) in std::mem::take(&mut self.buckets) {
            self.write(file, bucket)?;
        }
        self.table.finish(file)
    }
}
