//! Sorting the entries of an index in bounded memory.
//!
//! Comes in: entries in any order. Goes out: the same in ascending order. The idea: a full buffer is
//! sorted and put aside in a file, and at the end the runs are merged. A trace that is not long
//! fits in the buffer and needs no file.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Entries kept in memory: 4 MB.
const RUN: usize = 1 << 19;
/// Bytes read ahead of each run when they are merged.
const READ_AHEAD: usize = 32 << 10;

/// Entries to be sorted: a key in the upper half, a row number in the lower.
pub struct SortedRuns {
    entries: Vec<u64>,
    /// Where files may be made.
    folder: PathBuf,
    runs: Vec<File>,
    run: usize,
}

impl SortedRuns {
    /// No entries yet. Files without a name are made in `folder` if there are many.
    pub fn new(folder: &Path) -> Self {
        Self::with_run(folder, RUN)
    }

    fn with_run(folder: &Path, run: usize) -> Self {
        SortedRuns { entries: Vec::new(), folder: folder.into(), runs: Vec::new(), run }
    }

    /// Adds an entry.
    #[inline(always)]
    pub fn push(&mut self, entry: u64) -> io::Result<()> {
        self.entries.push(entry);
        if self.entries.len() == self.run { self.put_aside() } else { Ok(()) }
    }

    #[cold]
    fn put_aside(&mut self) -> io::Result<()> {
        self.entries.sort_unstable();
        let mut file = tempfile::tempfile_in(&self.folder)?;
        let mut out = BufWriter::with_capacity(READ_AHEAD, &mut file);
        for entry in self.entries.drain(..) {
            out.write_all(&entry.to_le_bytes())?;
        }
        out.flush()?;
        drop(out);
        file.seek(SeekFrom::Start(0))?;
        self.runs.push(file);
        Ok(())
    }

    /// Hands out all entries in order.
    pub fn drain(mut self, mut take: impl FnMut(u64) -> io::Result<()>) -> io::Result<()> {
        self.entries.sort_unstable();
        if self.runs.is_empty() {
            return self.entries.into_iter().try_for_each(take);
        }
        let mut files: Vec<_> =
            self.runs.into_iter().map(|run| BufReader::with_capacity(READ_AHEAD, run)).collect();
        let mut last = self.entries.into_iter();
        let from_memory = files.len();
        let mut next = |run: usize| {
            if run == from_memory { Ok(last.next()) } else { read_entry(&mut files[run]) }
        };
        let mut heads = BinaryHeap::new();
        for run in 0..=from_memory {
            heads.extend(next(run)?.map(|entry| Reverse((entry, run))));
        }
        while let Some(mut head) = heads.peek_mut() {
            let Reverse((entry, run)) = *head;
            take(entry)?;
            match next(run)? {
                Some(entry) => *head = Reverse((entry, run)),
                None => drop(std::collections::binary_heap::PeekMut::pop(head)),
            }
        }
        Ok(())
    }
}

/// The next entry of a run; `None` at its end.
fn read_entry(file: &mut impl Read) -> io::Result<Option<u64>> {
    let mut bytes = [0; 8];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(u64::from_le_bytes(bytes))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_out_in_order_however_many_runs_they_took() {
        for count in [0, 1, 6, 7, 8, 70, 71, 1000] {
            let mut sorted = SortedRuns::with_run(&std::env::temp_dir(), 7);
            let mut entries: Vec<u64> =
                (0..count).map(|n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7).collect();
            entries.iter().for_each(|&entry| sorted.push(entry).unwrap());
            assert_eq!(sorted.runs.len() as u64, count / 7);
            let mut got = Vec::new();
            sorted
                .drain(|entry| {
                    got.push(entry);
                    Ok(())
                })
                .unwrap();
            entries.sort_unstable();
            assert_eq!(got, entries);
        }
    }

    #[test]
    fn every_number_of_entries_comes_out_whatever_a_run_holds() {
        // Small runs, and those around what is read ahead of each.
        let read_ahead = READ_AHEAD / 8;
        let small = (1..=9).flat_map(|run| (0..=4 * run + 1).map(move |count| (run, count)));
        let large = (read_ahead - 1..=read_ahead + 1).flat_map(|run| {
            [run - 1, run, run + 1, 2 * run, 2 * run + 1].map(|count| (run, count))
        });
        for (run, count) in small.chain(large) {
            let mut sorted = SortedRuns::with_run(&std::env::temp_dir(), run);
            for entry in 0..count as u64 {
                sorted.push(entry.wrapping_mul(0x9e37_79b9_7f4a_7c15)).unwrap();
            }
            let (mut got, mut last) = (0, 0);
            sorted
                .drain(|entry| {
                    assert!(entry >= last, "{run} {count}");
                    (got, last) = (got + 1, entry);
                    Ok(())
                })
                .unwrap();
            assert_eq!(got, count, "{run}");
        }
    }
}
