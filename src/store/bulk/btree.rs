//! B-trees from sorted rows.

use super::pages::PageFile;
use super::record::{put_varint, varint_len};
use std::io;

const LEAF_TABLE: u8 = 0x0d;
const INTERIOR_TABLE: u8 = 0x05;
const LEAF_INDEX: u8 = 0x0a;
const INTERIOR_INDEX: u8 = 0x02;

/// The cells of a page, in order, gathered until the page is full.
#[derive(Default)]
struct Cells {
    bytes: Vec<u8>,
    /// Where each cell begins in `bytes`.
    starts: Vec<u16>,
}

impl Cells {
    fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Whether another cell fits on a page with `header` bytes before the cell pointers.
    #[inline(always)]
    fn fits(&self, len: usize, header: usize, page_size: usize) -> bool {
        header + 2 * (self.starts.len() + 1) + self.bytes.len() + len <= page_size
    }

    #[inline(always)]
    fn begin(&mut self) -> &mut Vec<u8> {
        self.starts.push(self.bytes.len() as u16);
        &mut self.bytes
    }

    /// Takes back the last cell.
    fn pop(&mut self) -> Option<Vec<u8>> {
        let start = self.starts.pop()?;
        Some(self.bytes.split_off(usize::from(start)))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.starts.clear();
    }

    /// Lays out a page (file format, 1.6): header, pointers, free space, cells. The cells stand
    /// in order at the end, so they are copied in one go.
    fn lay_out(&self, page: &mut [u8], kind: u8, right_child: Option<u32>) {
        let content = page.len() - self.bytes.len();
        page[0] = kind;
        page[3..5].copy_from_slice(&(self.starts.len() as u16).to_be_bytes());
        // An empty page of 65536 bytes has its content at 65536, which is written as 0.
        page[5..7].copy_from_slice(&(content as u16).to_be_bytes());
        let mut at = 8;
        if let Some(child) = right_child {
            page[8..12].copy_from_slice(&child.to_be_bytes());
            at = 12;
        }
        for &start in &self.starts {
            page[at..at + 2]
                .copy_from_slice(&((content + usize::from(start)) as u16).to_be_bytes());
            at += 2;
        }
        page[content..].copy_from_slice(&self.bytes);
    }
}

/// How much of a payload stays in its cell (file format, 1.6). `max` is the most that may.
fn local_len(payload: usize, max: usize, page_size: usize) -> usize {
    if payload <= max {
        return payload;
    }
    let min = (page_size - 12) * 32 / 255 - 23;
    let rest = min + (payload - min) % (page_size - 4);
    if rest <= max { rest } else { min }
}

/// Builds the b-tree of a table.
pub struct TableBuilder {
    root: u32,
    cells: Cells,
    last_rowid: Option<i64>,
    /// The leaves written: page and greatest row number.
    leaves: Vec<(u32, i64)>,
}

impl TableBuilder {
    /// A table whose root page is `root`. The page must not be page 1.
    pub fn new(root: u32) -> Self {
        TableBuilder { root, cells: Cells::default(), last_rowid: None, leaves: Vec::new() }
    }

    /// Adds a row. Row numbers must increase.
    #[inline(always)]
    pub fn push(&mut self, file: &PageFile, rowid: i64, payload: &[u8]) -> io::Result<()> {
        if self.last_rowid.is_some_and(|last| last >= rowid) {
            return Err(io::Error::other("rows of a table are out of order"));
        }
        let page_size = file.page_size();
        let max = page_size - 35;
        let local = local_len(payload.len(), max, page_size);
        let overflow = if local < payload.len() { 4 } else { 0 };
        let len = varint_len(payload.len() as u64) + varint_len(rowid as u64) + local + overflow;
        if !self.cells.fits(len, 8, page_size) {
            self.end_leaf(file)?;
        }
        let first_overflow =
            if overflow > 0 { Some(file.append_chain(&payload[local..])?) } else { None };
        let cell = self.cells.begin();
        put_varint(cell, payload.len() as u64);
        put_varint(cell, rowid as u64);
        cell.extend_from_slice(&payload[..local]);
        if let Some(page) = first_overflow {
            cell.extend_from_slice(&page.to_be_bytes());
        }
        self.last_rowid = Some(rowid);
        Ok(())
    }

    /// Ends the leaf being filled, so that the next row may have any greater or smaller number.
    /// [`TableBuilder::finish`] puts the leaves in order.
    pub fn end_run(&mut self, file: &PageFile) -> io::Result<()> {
        if !self.cells.is_empty() {
            self.end_leaf(file)?;
        }
        self.last_rowid = None;
        Ok(())
    }

    fn end_leaf(&mut self, file: &PageFile) -> io::Result<()> {
        let page = file.append(|page| self.cells.lay_out(page, LEAF_TABLE, None))?;
        let last = self.last_rowid.expect("a leaf has a row");
        self.leaves.push((page, last));
        self.cells.clear();
        Ok(())
    }

    /// Writes the rest and the interior pages; the top of the tree goes into the root page.
    pub fn finish(mut self, file: &PageFile) -> io::Result<()> {
        let mut root = vec![0; file.page_size()];
        if self.leaves.is_empty() {
            self.cells.lay_out(&mut root, LEAF_TABLE, None);
            return file.replace(self.root, &root);
        }
        self.end_run(file)?;
        self.leaves.sort_unstable_by_key(|leaf| leaf.1);
        let mut children = std::mem::take(&mut self.leaves);
        loop {
            let mut parents = Vec::new();
            let mut rest = &children[..];
            while !rest.is_empty() {
                self.cells.clear();
                // The last child of a page has no cell; it is the right-most pointer.
                let mut used = 0;
                while used + 1 < rest.len() {
                    let (page, last) = rest[used];
                    if !self.cells.fits(4 + varint_len(last as u64), 12, file.page_size()) {
                        break;
                    }
                    let cell = self.cells.begin();
                    cell.extend_from_slice(&page.to_be_bytes());
                    put_varint(cell, last as u64);
                    used += 1;
                }
                // A page without any cell is not allowed; leave two children for the last page.
                if used + 2 == rest.len() && used > 1 {
                    used -= 1;
                    self.cells.pop();
                }
                let (right, last) = rest[used];
                rest = &rest[used + 1..];
                if rest.is_empty() && parents.is_empty() {
                    if used == 0 {
                        return self.copy_up(file, &mut root, right);
                    }
                    self.cells.lay_out(&mut root, INTERIOR_TABLE, Some(right));
                    return file.replace(self.root, &root);
                }
                let cells = &self.cells;
                let page = file.append(|page| cells.lay_out(page, INTERIOR_TABLE, Some(right)))?;
                parents.push((page, last));
            }
            children = parents;
        }
    }

    /// A tree of one leaf is its root: moves the leaf there.
    fn copy_up(&self, file: &PageFile, root: &mut [u8], leaf: u32) -> io::Result<()> {
        file.take_back(leaf, root)?;
        file.replace(self.root, root)
    }
}

/// Builds the b-tree of an index.
pub struct IndexBuilder {
    root: u32,
    cells: Cells,
    /// The entry that did not fit on the leaf being filled. It goes up between this leaf and the
    /// next, once it is known that there is a next one.
    held_back: Option<Vec<u8>>,
    /// The leaves written, and the entries that stand between them.
    leaves: Vec<u32>,
    dividers: Vec<Vec<u8>>,
}

impl IndexBuilder {
    /// An index whose root page is `root`.
    pub fn new(root: u32) -> Self {
        IndexBuilder {
            root,
            cells: Cells::default(),
            held_back: None,
            leaves: Vec::new(),
            dividers: Vec::new(),
        }
    }

    /// Adds an entry: a record of the keys and the row number. Entries must come in their order.
    pub fn push(&mut self, file: &PageFile, payload: &[u8]) -> io::Result<()> {
        let page_size = file.page_size();
        let max = (page_size - 12) * 64 / 255 - 23;
        let local = local_len(payload.len(), max, page_size);
        let mut cell = Vec::with_capacity(local + 16);
        put_varint(&mut cell, payload.len() as u64);
        cell.extend_from_slice(&payload[..local]);
        if local < payload.len() {
            cell.extend_from_slice(&file.append_chain(&payload[local..])?.to_be_bytes());
        }
        if let Some(divider) = self.held_back.take() {
            self.end_leaf(file)?;
            self.dividers.push(divider);
        } else if !self.cells.fits(cell.len(), 8, page_size) {
            self.held_back = Some(cell);
            return Ok(());
        }
        self.cells.begin().extend_from_slice(&cell);
        Ok(())
    }

    fn end_leaf(&mut self, file: &PageFile) -> io::Result<()> {
        let page = file.append(|page| self.cells.lay_out(page, LEAF_INDEX, None))?;
        self.leaves.push(page);
        self.cells.clear();
        Ok(())
    }

    /// Writes the rest and the interior pages; the top of the tree goes into the root page.
    pub fn finish(mut self, file: &PageFile) -> io::Result<()> {
        let page_size = file.page_size();
        let mut root = vec![0; page_size];
        if let Some(last) = self.held_back.take() {
            // It gets a leaf, for which the leaf before gives up its last entry as divider. A page
            // holds four entries or more.
            self.dividers.extend(self.cells.pop());
            self.end_leaf(file)?;
            self.cells.begin().extend_from_slice(&last);
        }
        if self.leaves.is_empty() {
            self.cells.lay_out(&mut root, LEAF_INDEX, None);
            return file.replace(self.root, &root);
        }
        self.end_leaf(file)?;
        let (mut children, mut dividers) = (self.leaves, self.dividers);
        loop {
            // `dividers[i]` stands between `children[i]` and `children[i + 1]`.
            let (mut parents, mut between) = (Vec::new(), Vec::new());
            let mut at = 0;
            while at < children.len() {
                self.cells.clear();
                let first = at;
                while at + 1 < children.len()
                    && self.cells.fits(4 + dividers[at].len(), 12, page_size)
                {
                    let cell = self.cells.begin();
                    cell.extend_from_slice(&children[at].to_be_bytes());
                    cell.extend_from_slice(&dividers[at]);
                    at += 1;
                }
                // Leave two children for the last page, which otherwise would have no cell.
                if at + 2 == children.len() && at > first + 1 {
                    at -= 1;
                    self.cells.pop();
                }
                let right = children[at];
                at += 1;
                if at == children.len() && parents.is_empty() {
                    self.cells.lay_out(&mut root, INTERIOR_INDEX, Some(right));
                    return file.replace(self.root, &root);
                }
                if at < children.len() {
                    between.push(std::mem::take(&mut dividers[at - 1]));
                }
                let cells = &self.cells;
                parents.push(file.append(|page| cells.lay_out(page, INTERIOR_INDEX, Some(right)))?);
            }
            (children, dividers) = (parents, between);
        }
    }
}
