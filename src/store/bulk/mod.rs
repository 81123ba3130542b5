//! Writing the b-trees of a new database file page by page, without SQLite's INSERT.
//!
//! Comes in: rows of a table in the order of their row numbers, or entries of an index in the
//! order of their keys. Goes out: finished pages, in a file whose schema SQLite made. The idea: a
//! b-tree of sorted rows needs no search and no balancing; leaves are filled one after the other
//! and written once, and the interior pages follow from the list of leaves.
//!
//! Source: the SQLite file format (sqlite.org/fileformat2.html), sections 1.5 (pages of tables and
//! indexes), 1.6 (overflow) and 2.1 (records).

mod btree;
mod buckets;
mod pages;
mod record;
mod sorted_runs;

pub use btree::{IndexBuilder, TableBuilder};
pub use buckets::BucketedTable;
pub use pages::PageFile;
pub use record::RecordEncoder;
pub use sorted_runs::SortedRuns;

#[cfg(test)]
mod tests;
