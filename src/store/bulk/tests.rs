//! Whatever rows are written page by page, SQLite must find the same as after INSERT.

use super::record::put_varint;
use super::{BucketedTable, IndexBuilder, PageFile, RecordEncoder, TableBuilder};
use crate::store::relations::{Row, Visitor};
use rusqlite::Connection;
use rusqlite::types::Value;
use std::fs::File;
#[cfg(unix)]
use std::io::{Read, Seek, SeekFrom, Write};
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

/// The record of an index entry of a number, a text and a row number.
fn entry(key: i64, text: &str, id: i64) -> Vec<u8> {
    const INTEGER: u8 = 6;
    let mut record = vec![0, INTEGER];
    put_varint(&mut record, 13 + 2 * text.len() as u64);
    record.push(INTEGER);
    record[0] = record.len() as u8;
    record.extend_from_slice(&key.to_be_bytes());
    record.extend_from_slice(text.as_bytes());
    record.extend_from_slice(&id.to_be_bytes());
    record
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
    // Around each full bucket.
    let counts = [0usize, 1, 500, 5000].into_iter().chain(510..=514).chain(1022..=1026);
    for (seed, count) in counts.enumerate() {
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

/// Makes a table and an index over its column `a`, of which `text` characters follow each key, and
/// asks SQLite what it thinks of them.
fn check_table_and_index(path: &Path, page_size: u32, keys: &[i64], text: usize) {
    let template = path.with_extension(page_size.to_string());
    if !template.exists() {
        drop(make(&template, page_size, &format!("{TABLE}; create index i on t (a, b)")));
    }
    std::fs::copy(&template, path).unwrap();
    let file = PageFile::open(File::options().read(true).write(true).open(path).unwrap()).unwrap();
    let mut encoder = RecordEncoder::default();
    let mut table = TableBuilder::new(2);
    let payload = "x".repeat(text);
    let mut entries = Vec::new();
    for (at, &key) in keys.iter().enumerate() {
        let id = at as i64 + 1;
        let mut values =
            vec![Value::Integer(id), Value::Integer(key), Value::Text(payload.clone())];
        values.resize(COLUMNS, Value::Null);
        table.push(&file, id, encoder.encode(&AnyRow(values))).unwrap();
        entries.push((key, id));
    }
    table.finish(&file).unwrap();
    entries.sort_unstable();
    let mut index = IndexBuilder::new(3);
    for &(key, id) in &entries {
        index.push(&file, &entry(key, &payload, id)).unwrap();
    }
    index.finish(&file).unwrap();
    file.finish().unwrap();
    let what = format!("{} entries of {text} characters on pages of {page_size}", keys.len());
    let connection = Connection::open(path).unwrap();
    let text = |sql| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(text("pragma integrity_check"), "ok", "{what}");
    let count = |sql| connection.query_row(sql, [], |row| row.get::<_, usize>(0)).unwrap();
    assert_eq!(count("select count(*) from t not indexed"), keys.len(), "{what}");
    assert_eq!(count("select count(*) from t indexed by i where a > -1000"), keys.len(), "{what}");
}

#[test]
fn index_entries_in_order_make_an_index() {
    let folder = tempfile::tempdir().unwrap();
    for (seed, count) in [5000, 200_000].into_iter().enumerate() {
        let mut random = Random(seed as u64 + 5);
        let keys: Vec<i64> =
            (0..count).map(|_| random.next(count / 3 + 1) as i64 * 1000 - 77).collect();
        check_table_and_index(&folder.path().join("x.db"), 1024, &keys, 0);
    }
}

/// A page is full after some number of entries, a level after some number of pages; whatever is
/// special about the one that comes then, one of these numbers meets it. Few of them are enough for
/// that where pages are small.
#[test]
fn every_number_of_entries_makes_a_tree() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    // Up to three levels: narrow entries; some that just do not overflow (the most of an index is
    // 102 bytes here, that of a table 477); some of which a page holds the fewest; some that overflow
    // in the index, and in both.
    for (text, most) in [(0, 2600), (40, 420), (90, 130), (94, 130), (400, 130), (900, 130)] {
        for count in 0..=most {
            // All numbers where the tree grows a level, and around each full page.
            if text == 0 && count > 900 && count % 7 != 0 {
                continue;
            }
            let keys: Vec<i64> = (0..count).collect();
            check_table_and_index(&path, 512, &keys, text);
        }
    }
    // Pages as the databases have them: around the first few that are full.
    for count in (700..900).chain(1500..1800) {
        let keys: Vec<i64> = (0..count).collect();
        check_table_and_index(&path, 8192, &keys, 0);
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

/// SQLite leaves the page with the byte at 1 GiB alone. A table and its chains of overflowing rows are
/// written across it, from every place before it.
#[cfg(unix)]
#[test]
fn the_page_of_the_lock_is_left_out_wherever_it_comes() {
    const PAGE: usize = 65536;
    let lock = (1u64 << 30) / PAGE as u64 + 1;
    let folder = tempfile::tempdir().unwrap();
    for before in 1..=9 {
        let path = folder.path().join(format!("{before}.db"));
        drop(make(&path, PAGE as u32, TABLE));
        let mut file = File::options().read(true).write(true).open(&path).unwrap();
        let first = file.metadata().unwrap().len() / PAGE as u64 + 1;
        // All pages up to some before the lock's are free; the file has holes there.
        let pages = lock - before;
        file.set_len(pages * PAGE as u64).unwrap();
        let mut free: Vec<u32> = (first..=pages).map(|page| page as u32).collect();
        let trunk = PAGE / 4 - 8;
        let mut trunks = Vec::new();
        while !free.is_empty() {
            let leaves = free.split_off(free.len() - trunk.min(free.len() - 1));
            trunks.push((free.pop().unwrap(), leaves));
        }
        let mut table = TableBuilder::new(2);
        let out = PageFile::open(file.try_clone().unwrap()).unwrap();
        let mut encoder = RecordEncoder::default();
        let rows: Vec<AnyRow> = (1..=12)
            .map(|id| {
                // Chains of one to three pages, and rows that need none.
                let text = "0123456789abcdef".repeat([0, 100, 5000, 9000, 13_000][id as usize % 5]);
                let mut values = vec![Value::Integer(id), Value::Text(text)];
                values.resize(COLUMNS, Value::Null);
                AnyRow(values)
            })
            .collect();
        for row in &rows {
            table.push(&out, row.id(), encoder.encode(row)).unwrap();
        }
        table.finish(&out).unwrap();
        out.finish().unwrap();
        // The free pages that were there before, in front of those it has left.
        let word = |file: &mut File, at: u64| {
            let mut bytes = [0; 4];
            file.seek(SeekFrom::Start(at)).unwrap();
            file.read_exact(&mut bytes).unwrap();
            u32::from_be_bytes(bytes)
        };
        let (mut next, mut count) = (word(&mut file, 32), word(&mut file, 36));
        for (page, leaves) in trunks {
            let words = [next, leaves.len() as u32].into_iter().chain(leaves.iter().copied());
            let bytes: Vec<u8> = words.flat_map(u32::to_be_bytes).collect();
            file.seek(SeekFrom::Start(u64::from(page - 1) * PAGE as u64)).unwrap();
            file.write_all(&bytes).unwrap();
            (next, count) = (page, count + 1 + leaves.len() as u32);
        }
        file.seek(SeekFrom::Start(32)).unwrap();
        file.write_all(&[next.to_be_bytes(), count.to_be_bytes()].concat()).unwrap();
        drop(file);
        let connection = Connection::open(&path).unwrap();
        let text = |sql| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(text("pragma integrity_check"), "ok", "{before} pages before");
        let sql = "select count(*) || ' ' || sum(length(a)) from t";
        let sum: usize = (1..=12).map(|id| 16 * [0, 100, 5000, 9000, 13_000][id % 5]).sum();
        assert_eq!(text(sql), format!("12 {sum}"), "{before} pages before");
        std::fs::remove_file(&path).unwrap();
    }
}
