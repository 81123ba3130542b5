//! Rows into tables, page by page. The fast counterpart of [`super::insert`].

use super::StoreError;
use super::bulk::{BucketedTable, IndexBuilder, PageFile, RecordEncoder, SortedRuns, TableBuilder};
use super::insert::RowWriter;
use super::relations::{RELATIONS, Row, Visitor};
use rusqlite::Connection;
use std::fs::File;
use std::path::Path;

/// An index over one integer column.
pub struct IndexSpec {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
}

impl IndexSpec {
    /// The statement that makes it.
    pub fn sql(&self) -> String {
        format!("create index {} on {} ({})", self.name(), self.table, self.column)
    }

    /// Its name.
    pub fn name(&self) -> String {
        format!("{}_by_{}", self.table, self.column)
    }
}

enum Table {
    InOrder(TableBuilder),
    Bucketed(BucketedTable),
}

struct Index {
    table: usize,
    column: usize,
    root: u32,
    /// Key in the upper, row number in the lower half.
    entries: SortedRuns,
}

/// A [`RowWriter`] into a database file whose schema, indexes included, SQLite has made and in which
/// all tables are empty.
///
/// Writers split off by [`BulkWriter::split`] write other tables into the same file, also from other
/// threads: pages are appended in whatever order they become full.
pub struct BulkWriter {
    file: PageFile,
    tables: Vec<Option<Table>>,
    indexes: Vec<Index>,
    /// By table: whether any index wants its rows.
    is_indexed: Vec<bool>,
    encoder: RecordEncoder,
}

impl BulkWriter {
    /// Takes over the file. `bucketed` names the tables whose rows come out of order.
    pub fn new(path: &Path, indexes: &[IndexSpec], bucketed: &[&str]) -> Result<Self, StoreError> {
        let roots = Connection::open(path)?;
        let root = |name: &str| -> Result<u32, StoreError> {
            let sql = "select rootpage from sqlite_schema where name = ?1";
            Ok(roots.query_row(sql, [name], |row| row.get(0))?)
        };
        // Beside the database, where there is room for it, too.
        let folder = path.parent().unwrap_or(Path::new(""));
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let declared: Vec<_> = RELATIONS.iter().filter(|relation| relation.is_table).collect();
        let mut tables = Vec::new();
        for table in &declared {
            let root = root(table.name)?;
            tables.push(Some(if bucketed.contains(&table.name) {
                Table::Bucketed(BucketedTable::new(root))
            } else {
                Table::InOrder(TableBuilder::new(root))
            }));
        }
        let mut is_indexed = vec![false; declared.len()];
        let mut built = Vec::new();
        for spec in indexes {
            let place = declared.iter().position(|table| table.name == spec.table);
            let column = place.and_then(|table| {
                declared[table].columns.iter().position(|column| column.name == spec.column)
            });
            let (Some(table), Some(column)) = (place, column) else {
                return Err(StoreError::Usage(format!("no column for index {}", spec.name())));
            };
            is_indexed[table] = true;
            let entries = SortedRuns::new(folder);
            built.push(Index { table, column, root: root(&spec.name())?, entries });
        }
        roots.close().map_err(|(_, error)| error)?;
        let file = File::options().read(true).write(true).open(path)?;
        Ok(BulkWriter {
            file: PageFile::open(file)?,
            tables,
            indexes: built,
            is_indexed,
            encoder: RecordEncoder::default(),
        })
    }

    /// A writer for some of the tables, which this one then has no more.
    pub fn split(&mut self, names: &[&str]) -> BulkWriter {
        let declared = RELATIONS.iter().filter(|relation| relation.is_table);
        let is_chosen: Vec<bool> = declared.map(|table| names.contains(&table.name)).collect();
        let tables = self.tables.iter_mut().zip(&is_chosen);
        let (chosen, indexes) =
            std::mem::take(&mut self.indexes).into_iter().partition(|index| is_chosen[index.table]);
        self.indexes = indexes;
        BulkWriter {
            file: self.file.clone(),
            tables: tables
                .map(|(table, &chosen)| if chosen { table.take() } else { None })
                .collect(),
            indexes: chosen,
            is_indexed: self.is_indexed.clone(),
            encoder: RecordEncoder::default(),
        }
    }

    /// Writes what is left of the tables and their indexes. When all writers have, the last one
    /// completes the file, and SQLite may open it again.
    pub fn finish(mut self) -> Result<(), StoreError> {
        for table in self.tables.into_iter().flatten() {
            match table {
                Table::InOrder(table) => table.finish(&self.file)?,
                Table::Bucketed(table) => table.finish(&self.file)?,
            }
        }
        for index in self.indexes {
            let mut builder = IndexBuilder::new(index.root);
            index.entries.drain(|entry| {
                let (key, rowid) = ((entry >> 32) as i64, i64::from(entry as u32));
                builder.push(&self.file, self.encoder.encode_integers(&[key, rowid]))
            })?;
            builder.finish(&self.file)?;
        }
        Ok(self.file.finish()?)
    }
}

impl RowWriter for BulkWriter {
    #[inline(always)]
    fn write<R: Row>(&mut self, row: &R) -> Result<(), StoreError> {
        let id = row.id();
        let record = self.encoder.encode(row);
        match &mut self.tables[R::TABLE] {
            Some(Table::InOrder(table)) => table.push(&self.file, id, record)?,
            Some(Table::Bucketed(table)) => table.push(&self.file, id, record)?,
            None => return Err(StoreError::Usage(format!("{} has another writer", R::NAME))),
        }
        if self.is_indexed[R::TABLE] {
            for index in self.indexes.iter_mut().filter(|index| index.table == R::TABLE) {
                let mut pick = Pick { column: index.column, at: 0, value: 0 };
                row.visit(&mut pick);
                let half = |value: i64| u32::try_from(value).map_err(std::io::Error::other);
                index.entries.push(u64::from(half(pick.value)?) << 32 | u64::from(half(id)?))?;
            }
        }
        Ok(())
    }
}

/// Finds the integer of one column.
struct Pick {
    column: usize,
    at: usize,
    value: i64,
}

impl Visitor for Pick {
    fn integer(&mut self, value: i64) {
        if self.at == self.column {
            self.value = value;
        }
        self.at += 1;
    }
    fn real(&mut self, _: f64) {
        self.at += 1;
    }
    fn text(&mut self, _: &str) {
        self.at += 1;
    }
    fn null(&mut self) {
        self.at += 1;
    }
}
