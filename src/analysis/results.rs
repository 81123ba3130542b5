//! Results as text: for programs ([`RowText`]), and single values for people ([`shown`]).

use crate::store::{Batch, Cell, ColumnInfo, QueryResult, Unit, human_bytes, human_ns};
use std::borrow::Cow;
use std::io::{self, Write};

/// Forms of rows that other programs read line by line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowForm {
    /// Comma-separated values with a header line (RFC 4180).
    Csv,
    /// Tab-separated values with a header line; tab, newline and backslash as `\t`, `\n`, `\\`.
    Tsv,
    /// One array of objects.
    Json,
    /// One object a line.
    Jsonl,
}

/// Writes a result as text while it comes.
pub struct RowText<W: Write> {
    form: RowForm,
    out: W,
    /// Names of the columns, for objects as they stand there, with quotes and colon.
    names: Vec<String>,
    rows: u64,
}

impl<W: Write> RowText<W> {
    /// To a writer; many small pieces are written.
    pub fn new(form: RowForm, out: W) -> Self {
        RowText { form, out, names: Vec::new(), rows: 0 }
    }

    /// Writes what stands behind the last row, and gives the writer back.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn finish(mut self) -> io::Result<W> {
        if self.form == RowForm::Json && !self.names.is_empty() {
            self.out.write_all(if self.rows == 0 { b"[]\n" } else { b"\n]\n" })?;
        }
        Ok(self.out)
    }

    fn write_object<'a>(&mut self, row: impl Iterator<Item = Cell<'a>>) -> io::Result<()> {
        let (start, end): (&[u8], &[u8]) = match (self.form, self.rows) {
            (RowForm::Jsonl, _) => (b"{", b"}\n"),
            (_, 0) => (b"[\n{", b"}"),
            _ => (b",\n{", b"}"),
        };
        self.rows += 1;
        self.out.write_all(start)?;
        for (index, (name, cell)) in self.names.iter().zip(row).enumerate() {
            if index > 0 {
                self.out.write_all(b",")?;
            }
            self.out.write_all(name.as_bytes())?;
            write_json(&mut self.out, cell)?;
        }
        self.out.write_all(end)
    }
}

impl<W: Write> QueryResult for RowText<W> {
    fn columns(&mut self, columns: &[ColumnInfo]) -> io::Result<()> {
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        match self.form {
            RowForm::Csv => {
                let mut writer = csv::Writer::from_writer(&mut self.out);
                writer.write_record(&names)?;
                writer.flush()?;
                self.names = names;
            }
            RowForm::Tsv => {
                write_tsv(&mut self.out, names.iter().map(|name| Cow::Borrowed(name.as_str())))?;
                self.names = names;
            }
            RowForm::Json | RowForm::Jsonl => {
                let key = |name: &String| Ok(serde_json::to_string(name)? + ":");
                self.names = distinct(&names).iter().map(key).collect::<io::Result<_>>()?;
            }
        }
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> io::Result<()> {
        let mut rows = (0..batch.rows()).map(|row| batch.row(row));
        match self.form {
            RowForm::Csv => {
                // One writer for all of them: it has a buffer of its own.
                let mut writer = csv::Writer::from_writer(&mut self.out);
                for row in rows {
                    for cell in row {
                        writer.write_field(plain(cell).as_bytes())?;
                    }
                    writer.write_record(None::<&[u8]>)?;
                }
                writer.flush()
            }
            RowForm::Tsv => rows.try_for_each(|row| write_tsv(&mut self.out, row.map(plain))),
            RowForm::Json | RowForm::Jsonl => rows.try_for_each(|row| self.write_object(row)),
        }
    }
}

/// Names of which none is there twice: a second `id` becomes `id:1`, as SQLite itself calls it in a
/// subquery. An object cannot have two members of one name.
fn distinct(names: &[String]) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let numbered = (1..).map(|number| format!("{name}:{number}"));
        let mut candidates = std::iter::once(name.clone()).chain(numbered);
        let free = candidates.find(|candidate| !distinct.contains(candidate));
        distinct.push(free.expect("there are endless candidates"));
    }
    distinct
}

/// A value as JSON. What JSON has no number for is null; bytes are hexadecimal digits.
pub fn json(cell: Cell<'_>) -> serde_json::Value {
    match cell {
        Cell::Null => serde_json::Value::Null,
        Cell::Integer(value) => value.into(),
        Cell::Real(value) => value.into(),
        Cell::Text(text) => text.into(),
        Cell::Blob(bytes) => hex(bytes).into(),
    }
}

fn write_json(out: &mut impl Write, cell: Cell<'_>) -> io::Result<()> {
    match cell {
        Cell::Null => out.write_all(b"null")?,
        Cell::Integer(value) => write!(out, "{value}")?,
        Cell::Text(text) => serde_json::to_writer(out, text)?,
        other => serde_json::to_writer(out, &json(other))?,
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value without decoration; NULL is empty.
pub fn plain(cell: Cell<'_>) -> Cow<'_, str> {
    match cell {
        Cell::Null => Cow::Borrowed(""),
        Cell::Integer(value) => Cow::Owned(value.to_string()),
        Cell::Real(value) => Cow::Owned(real(value)),
        Cell::Text(text) => Cow::Borrowed(text),
        Cell::Blob(bytes) => Cow::Owned(hex(bytes)),
    }
}

/// Whether a number written without an exponent is longer than it is exact.
fn is_long(value: f64) -> bool {
    value.is_finite() && value.abs() >= 1e17
}

fn real(value: f64) -> String {
    if is_long(value) { format!("{value:e}") } else { value.to_string() }
}

/// A value for people. The end of the column's name tells the unit.
pub fn shown(name: &str, cell: Cell<'_>) -> String {
    match (cell, Unit::of(name)) {
        (Cell::Integer(ns), _) if is_moment(name) => format!("{:.6}s", ns as f64 / 1e9),
        (Cell::Integer(ns), Some(Unit::Nanoseconds)) => human_ns(ns),
        (Cell::Real(ns), Some(Unit::Nanoseconds)) => human_ns(ns.round() as i64),
        (Cell::Integer(bytes), Some(Unit::Bytes)) => human_bytes(bytes as f64),
        (Cell::Real(bytes), Some(Unit::Bytes)) => human_bytes(bytes),
        (Cell::Real(share), Some(Unit::Share)) => format!("{:.1}%", share * 100.0),
        (Cell::Real(value), _) if is_long(value) => real(value),
        (Cell::Real(value), _) => format!("{value:.2}"),
        (other, _) => plain(other).into_owned(),
    }
}

/// Whether a column holds points in time, which need more digits than durations.
fn is_moment(name: &str) -> bool {
    const MOMENTS: [&str; 8] = [
        "start_ns",
        "end_ns",
        "time_ns",
        "created_ns",
        "started_ns",
        "ended_ns",
        "first_ns",
        "last_ns",
    ];
    MOMENTS.contains(&name) || name.ends_with("_at_ns")
}

fn write_tsv<'a>(
    out: &mut impl Write,
    fields: impl Iterator<Item = Cow<'a, str>>,
) -> io::Result<()> {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            out.write_all(b"\t")?;
        }
        let mut rest: &str = &field;
        while let Some(at) = rest.find(['\\', '\t', '\n', '\r']) {
            out.write_all(&rest.as_bytes()[..at])?;
            out.write_all(match rest.as_bytes()[at] {
                b'\\' => b"\\\\",
                b'\t' => b"\\t",
                b'\n' => b"\\n",
                _ => b"\\r",
            })?;
            rest = &rest[at + 1..];
        }
        out.write_all(rest.as_bytes())?;
    }
    out.write_all(b"\n")
}
