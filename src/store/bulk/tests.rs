//! Whatever rows are written page by page, SQLite must find the same as after INSERT.

use super::{BucketedTable, IndexBuilder, PageFile, RecordEncoder, TableBuilder};
use crate::store::relations::{Row, Visitor};
use rusqlite::Connection;
use rusqlite::types::Value;
use std::fs::File;
use std::path::Path;

/// A row of any values.
struct AnyRow(Vec<Value>);

impl Row for AnyRow {
    const TABLE: usize = 0;
    const NAME: &'static str = "t";
    const COLUMNS: usize = COLUMNS;
    fn id(&self) -> i64 {
        match self.0[0] {
            Value::Integer(id) => id,
            _ => unreachable!("the first value is the row number"),
        }
    }
    fn visit<V: Visitor>(&self, visitor: &mut V) {
        for value in &self.0 {
            match value {
                Value::Null | Value::Blob(_) => visitor.null(),
                Value::Integer(value) => visitor.integer(*value),
                Value::Real(value) => visitor.real(*value),
                Value::Text(value) => visitor.text(value),
            }
        }
    }
}

/// A small generator, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % below
    }

    fn value(&mut self) -> Value {
        match self.next(10) {
            0 => Value::Null,
            1 => Value::Integer(self.next(3) as i64 - 1),
            2 | 3 => {
                // Around every size at which the encoding changes.
                let edge = 1i64 << [7, 15, 23, 31, 47, 62][self.next(6) as usize];
                let value = edge + self.next(3) as i64 - 1;
                Value::Integer(if self.next(2) == 0 { value } else { -value })
            }
            4 => Value::Integer(if self.next(2) == 0 { i64::MAX } else { i64::MIN }),
            5 => Value::Real(self.next(1000) as f64 / 7.0),
            6..=8 => Value::Text("a\u{e9}\u{1f600}".repeat(self.next(30) as usize)),
            // Longer than a page now and then, so that it overflows.
            _ => Value::Text("0123456789abcde".repeat(self.next(2500) as usize)),
        }
    }
}

const COLUMNS: usize = 6;
const TABLE: &str = "create table t (id integer primary key, a, b, c, d, e)";

fn random_rows(random: &mut Random, count: usize) -> Vec<AnyRow> {
    let mut id = if random.next(2) == 0 { 0 } else { -(random.next(1000) as i64) };
    (0..count)
        .map(|_| {
            id += 1 + random.next(3) as i64 * random.next(1 << 20) as i64;
            let mut values = vec![Value::Integer(id)];
            values.extend((1..COLUMNS).map(|_| random.value()));
            AnyRow(values)
        })
        .collect()
}

fn make(path: &Path, page_size: u32, sql: &str) -> PageFile {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(&format!("pragma page_size = {page_size}; {sql}")).unwrap();
    connection.close().unwrap();
    PageFile::open(File::options().read(true).write(true).open(path).unwrap()).unwrap()
}

fn check(path: &Path, rows: &[AnyRow]) {
    let connection = Connection::open(path).unwrap();
    let verdict: String =
        connection.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    connection
        .execute_batch(&format!("attach ':memory:' as m; {}", TABLE.replace(" t ", " m.t ")))
        .unwrap();
    for row in rows {
        let mut insert = connection.prepare_cached("insert into m.t values (?,?,?,?,?,?)").unwrap();
        insert.execute(rusqlite::params_from_iter(&row.0)).unwrap();
    }
    for sql in [
        "select count(*) from (select * from main.t except select * from m.t)",
        "select count(*) from (select * from m.t except select * from main.t)",
        "select (select count(*) from main.t) - (select count(*) from m.t)",
    ] {
        let count: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 0, "{sql}");
    }
    // The file is as good as any: it can be changed and packed.
    connection
        .execute_batch("insert into main.t (a) values ('later'); delete from main.t where id % 3 = 0; vacuum main;")
        .unwrap();
    let verdict: String =
        connection.query_row("pragma main.integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

#[test]
fn any_rows_are_what_insert_would_have_made_of_them() {
    let folder = tempfile::tempdir().unwrap();
    for (seed, &(count, page_size)) in [
        (0, 4096),
        (1, 512),
        (2, 65536),
        (40, 512),
        (300, 512),
        (300, 8192),
        (3000, 512),
        (3000, 1024),
        (2000, 65536),
    ]
    .iter()
    .enumerate()
    {
        let mut random = Random(seed as u64 + 1);
        let rows = random_rows(&mut random, count);
        let path = folder.path().join(format!("{seed}.db"));
        let file = make(&path, page_size, TABLE);
        let mut table = TableBuilder::new(2);
        let mut encoder = RecordEncoder::default();
        for row in &rows {
            table.push(&file, row.id(), encoder.encode(row)).unwrap();
        }
        table.finish(&file).unwrap();
        file.finish().unwrap();
        check(&path, &rows);
    }
}

#[test]
fn rows_in_any_order_are_put_in_order_by_buckets() {
    let folder = tempfile::tempdir().unwrap();
    for (seed, count) in [0usize, 1, 500, 512, 513, 5000].into_iter().enumerate() {
        let mut random = Random(seed as u64 + 77);
        let mut rows: Vec<AnyRow> = (1..=count as i64)
            .map(|id| {
                AnyRow(vec![
                    Value::Integer(id),
                    random.value(),
                    Value::Null,
                    Value::Null,
                    Value::Null,
                    Value::Integer(id),
                ])
            })
            .collect();
        for i in (1..rows.len()).rev() {
            rows.swap(i, random.next(i as u64 + 1) as usize);
        }
        let path = folder.path().join(format!("{seed}.db"));
        let file = make(&path, 4096, TABLE);
        let mut table = BucketedTable::new(2);
        let mut encoder = RecordEncoder::default();
        for row in &rows {
            table.push(&file, row.id(), encoder.encode(row)).unwrap();
        }
        table.finish(&file).unwrap();
        file.finish().unwrap();
        check(&path, &rows);
    }
}

#[test]
fn index_entries_in_order_make_an_index() {
    let folder = tempfile::tempdir().unwrap();
    for (seed, &(count, page_size)) in
        [(0u64, 4096), (1, 512), (60, 512), (61, 512), (62, 512), (5000, 512), (200_000, 1024)]
            .iter()
            .enumerate()
    {
        let mut random = Random(seed as u64 + 5);
        let keys: Vec<i64> =
            (0..count).map(|_| random.next(count / 3 + 1) as i64 * 1000 - 77).collect();
        let path = folder.path().join(format!("{seed}.db"));
        let sql = format!("{TABLE}; create index i on t (a)");
        let file = make(&path, page_size, &sql);
        let mut encoder = RecordEncoder::default();
        let mut table = TableBuilder::new(2);
        let mut entries = Vec::new();
        for (at, &key) in keys.iter().enumerate() {
            let id = at as i64 + 1;
            let mut values = vec![Value::Null; COLUMNS];
            (values[0], values[1]) = (Value::Integer(id), Value::Integer(key));
            table.push(&file, id, encoder.encode(&AnyRow(values))).unwrap();
            entries.push((key, id));
        }
        table.finish(&file).unwrap();
        entries.sort_unstable();
        let mut index = IndexBuilder::new(3);
        for &(key, id) in &entries {
            index.push(&file, encoder.encode_integers(&[key, id])).unwrap();
        }
        index.finish(&file).unwrap();
        file.finish().unwrap();
        let connection = Connection::open(&path).unwrap();
        let verdict: String =
            connection.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(verdict, "ok", "{count} entries on pages of {page_size}");
        let found: i64 = connection
            .query_row("select count(*) from t indexed by i where a > -1000", [], |row| row.get(0))
            .unwrap();
        assert_eq!(found, count as i64);
    }
}

/// A row of a number and a text, and the entry of the index on the text.
enum Pair<'a> {
    Row(i64, &'a str),
    Entry(i64, &'a str),
}

impl Row for Pair<'_> {
    const TABLE: usize = 0;
    const NAME: &'static str = "t";
    const COLUMNS: usize = 2;
    fn id(&self) -> i64 {
        let (Pair::Row(id, _) | Pair::Entry(id, _)) = self;
        *id
    }
    fn visit<V: Visitor>(&self, visitor: &mut V) {
        match self {
            Pair::Row(id, text) => {
                visitor.integer(*id);
                visitor.text(text);
            }
            Pair::Entry(id, text) => {
                visitor.text(text);
                visitor.integer(*id);
            }
        }
    }
}

/// Boundaries of pages are where b-trees go wrong, and there is no telling which number of rows
/// meets one: so every number, on the smallest pages, up to three levels and more.
#[test]
fn every_number_of_rows_makes_a_table_and_an_index() {
    let folder = tempfile::tempdir().unwrap();
    // Widths: many on a page; a few; the largest that stays on its page, and one more; overflowing.
    let widths = [(8, 200, 1), (8, 5000, 613), (60, 200, 1), (600, 60, 1), (3000, 20, 1)];
    let around_the_largest = (94..=100).map(|width| (width, 60, 1));
    for (width, most, step) in widths.into_iter().chain(around_the_largest) {
        let mut encoder = RecordEncoder::default();
        let rows: Vec<_> = (1..=most)
            .map(|id| {
                let key = format!("{id:0width$}");
                let row = encoder.encode(&Pair::Row(id, &key)).to_vec();
                (row, encoder.encode(&Pair::Entry(id, &key)).to_vec())
            })
            .collect();
        // Each number is a table and an index of one file; opening files would take the time.
        let counts: Vec<usize> = (0..=most as usize).step_by(step).collect();
        let path = folder.path().join(format!("{width}-{step}.db"));
        let sql: String = counts
            .iter()
            .map(|n| {
                format!(
                    "create table t{n} (id integer primary key, a); create index i{n} on t{n} (a);"
                )
            })
            .collect();
        let file = make(&path, 512, &sql);
        let connection = Connection::open(&path).unwrap();
        let mut roots =
            connection.prepare("select rootpage from sqlite_schema where name = ?").unwrap();
        let mut root = |name: String| roots.query_row([name], |row| row.get::<_, u32>(0)).unwrap();
        let roots: Vec<_> =
            counts.iter().map(|n| (root(format!("t{n}")), root(format!("i{n}")))).collect();
        for (&count, (table, index)) in counts.iter().zip(roots) {
            let mut table = TableBuilder::new(table);
            let mut index = IndexBuilder::new(index);
            for (id, (row, entry)) in (1..).zip(&rows[..count]) {
                table.push(&file, id, row).unwrap();
                index.push(&file, entry).unwrap();
            }
            table.finish(&file).unwrap();
            index.finish(&file).unwrap();
        }
        file.finish().unwrap();
        let connection = Connection::open(&path).unwrap();
        let verdict: String =
            connection.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(verdict, "ok", "rows of {width}");
        for count in counts {
            for hint in [format!("indexed by i{count} where a > ''"), "not indexed".into()] {
                let sql = format!("select count(*), coalesce(sum(id), 0) from t{count} {hint}");
                let found: (usize, usize) =
                    connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
                assert_eq!(found, (count, count * (count + 1) / 2), "rows of {width}, {hint}");
            }
        }
    }
}

#[test]
fn rows_out_of_order_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = make(&folder.path().join("x.db"), 4096, TABLE);
    let mut table = TableBuilder::new(2);
    table.push(&file, 5, &[2, 0]).unwrap();
    assert!(table.push(&file, 5, &[2, 0]).is_err());
}
