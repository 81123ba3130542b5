//! Results as typed columns, some rows at a time.
//!
//! SQLite types values, not columns, and a database may hold anything. So a column takes the type of its first
//! value that is not NULL, and keeps values one by one only where another type turns up: what is as declared,
//! which is nearly all, stands as plain arrays, which forms and files of columns take as they are.

use super::Value;
use super::relations::{Column, RELATIONS};
use rusqlite::types::ValueRef;

/// A batch is handed out when it has so many rows, or takes so many bytes.
const ROWS: usize = 1024;
const BYTES: usize = 1 << 20;

/// What the numbers of a column count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds; an origin is told by the column's documentation.
    Nanoseconds,
    /// Bytes.
    Bytes,
    /// Parts of a whole, 0 to 1.
    Share,
}

impl Unit {
    /// The unit that ends the name of a column, as in all relations and canned queries.
    pub fn of(name: &str) -> Option<Unit> {
        match name {
            _ if name.ends_with("_ns") => Some(Unit::Nanoseconds),
            _ if name.ends_with("_bytes") => Some(Unit::Bytes),
            _ if name.ends_with("share") => Some(Unit::Share),
            _ => None,
        }
    }
}

/// A column of a result, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Its name in the result.
    pub name: String,
    /// `integer`, `real` or `text`, as it is declared; `None` for what a statement computes.
    pub ty: Option<String>,
    /// What its numbers count; `None` if they are plain numbers, or none.
    pub unit: Option<Unit>,
    /// What it means; `None` for what a statement computes.
    pub doc: Option<String>,
}

impl ColumnInfo {
    /// A column of which only the name is known.
    pub fn named(name: &str) -> ColumnInfo {
        ColumnInfo { name: name.into(), ty: None, unit: Unit::of(name), doc: None }
    }

    pub(super) fn declared(name: &str, ty: &str, doc: &str) -> ColumnInfo {
        let ty = Some(ty.to_ascii_lowercase()).filter(|ty| !ty.is_empty());
        ColumnInfo { ty, doc: Some(doc.into()), ..ColumnInfo::named(name) }
    }
}

/// The columns of a statement, with what is declared of those that stand in a table of ours.
pub(super) fn columns_of(statement: &rusqlite::Statement<'_>) -> Vec<ColumnInfo> {
    let declared = |table: &str, name: &str| -> Option<&'static Column> {
        let relation = RELATIONS.iter().find(|relation| relation.name == table)?;
        relation.columns.iter().find(|column| column.name == name)
    };
    let columns = statement.columns_with_metadata();
    let columns = columns.iter().map(|column| {
        let origin = column.table_name().zip(column.origin_name());
        match origin.and_then(|(table, name)| declared(table, name)) {
            Some(known) => ColumnInfo::declared(column.name(), known.ty, known.doc),
            None => ColumnInfo::named(column.name()),
        }
    });
    columns.collect()
}

/// A value that stands in a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// NULL: absent or unknown.
    Null,
    /// INTEGER.
    Integer(i64),
    /// REAL.
    Real(f64),
    /// TEXT.
    Text(&'a str),
    /// BLOB.
    Blob(&'a [u8]),
}

impl Cell<'_> {
    /// The value for itself.
    pub fn to_value(self) -> Value {
        match self {
            Cell::Null => Value::Null,
            Cell::Integer(value) => Value::Integer(value),
            Cell::Real(value) => Value::Real(value),
            Cell::Text(text) => Value::Text(text.into()),
            Cell::Blob(bytes) => Value::Blob(bytes.into()),
        }
    }
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Cell::Null,
            Value::Integer(value) => Cell::Integer(*value),
            Value::Real(value) => Cell::Real(*value),
            Value::Text(text) => Cell::Text(text),
            Value::Blob(bytes) => Cell::Blob(bytes),
        }
    }
}

/// The values of one column, by type. Where a value is NULL the arrays hold 0, or nothing of the text.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// All are NULL.
    Nulls,
    /// Integers.
    Integers(Vec<i64>),
    /// Floating-point numbers.
    Reals(Vec<f64>),
    /// Texts, one behind the other, and where each ends.
    Texts {
        /// All of them.
        text: String,
        /// Where each ends, bytes.
        ends: Vec<usize>,
    },
    /// Several types, or bytes.
    Mixed(Vec<Value>),
}

/// One column of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchColumn {
    /// The values.
    pub values: Values,
    /// Whether each is NULL.
    pub nulls: Vec<bool>,
}

/// Some rows of a result, column by column.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// In the order of the result.
    pub columns: Vec<BatchColumn>,
    rows: usize,
    bytes: usize,
}

impl Batch {
    /// An empty one.
    pub(super) fn new(columns: usize) -> Batch {
        let empty = BatchColumn { values: Values::Nulls, nulls: Vec::new() };
        Batch { columns: vec![empty; columns], rows: 0, bytes: 0 }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// A value.
    ///
    /// # Panics
    /// If there is no such row or column.
    #[inline]
    pub fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        self.columns[column].cell(row)
    }

    /// The values of a row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = Cell<'_>> {
        self.columns.iter().map(move |column| column.cell(row))
    }

    /// All rows, in order, each for itself.
    pub fn all(&self) -> impl Iterator<Item = Vec<Value>> {
        (0..self.rows).map(|row| self.row(row).map(Cell::to_value).collect())
    }

    /// Whether it should be handed out before more comes.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= ROWS || self.bytes >= BYTES
    }

    /// Adds a row; returns what it takes, bytes.
    pub(super) fn push(&mut self, row: &rusqlite::Row<'_>) -> rusqlite::Result<usize> {
        let mut bytes = 0;
        for (index, column) in self.columns.iter_mut().enumerate() {
            let value = row.get_ref(index)?;
            bytes += size_of::<Value>()
                + match value {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
                    _ => 0,
                };
            column.push(value);
        }
        self.rows += 1;
        self.bytes += bytes;
        Ok(bytes)
    }

    pub(super) fn clear(&mut self) {
        self.columns.iter_mut().for_each(BatchColumn::clear);
        (self.rows, self.bytes) = (0, 0);
    }
}

impl BatchColumn {
    /// A value.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline]
    pub fn cell(&self, row: usize) -> Cell<'_> {
        if self.nulls[row] {
            return Cell::Null;
        }
        match &self.values {
            Values::Nulls => Cell::Null,
            Values::Integers(values) => Cell::Integer(values[row]),
            Values::Reals(values) => Cell::Real(values[row]),
            Values::Texts { text, ends } => {
                let start = if row == 0 { 0 } else { ends[row - 1] };
                Cell::Text(&text[start..ends[row]])
            }
            Values::Mixed(values) => Cell::from(&values[row]),
        }
    }

    #[inline]
    fn push(&mut self, value: ValueRef<'_>) {
        match (&mut self.values, value) {
            (Values::Nulls, ValueRef::Null) => {}
            (Values::Integers(values), ValueRef::Integer(value)) => values.push(value),
            (Values::Integers(values), ValueRef::Null) => values.push(0),
            (Values::Reals(values), ValueRef::Real(value)) => values.push(value),
            (Values::Reals(values), ValueRef::Null) => values.push(0.0),
            (Values::Texts { text, ends }, ValueRef::Text(bytes)) => {
                text.push_str(&String::from_utf8_lossy(bytes));
                ends.push(text.len());
            }
            (Values::Texts { text, ends }, ValueRef::Null) => ends.push(text.len()),
            (Values::Mixed(values), value) => values.push(owned(value)),
            (_, value) => {
                self.change_to_fit(value);
                return self.push(value);
            }
        }
        self.nulls.push(matches!(value, ValueRef::Null));
    }

    /// Gives the column its type, or none if it has had another one.
    #[cold]
    fn change_to_fit(&mut self, value: ValueRef<'_>) {
        let rows = self.nulls.len();
        let is_untyped = rows == 0 || matches!(self.values, Values::Nulls);
        self.values = match value {
            ValueRef::Integer(_) if is_untyped => Values::Integers(vec![0; rows]),
            ValueRef::Real(_) if is_untyped => Values::Reals(vec![0.0; rows]),
            ValueRef::Text(_) if is_untyped => {
                Values::Texts { text: String::new(), ends: vec![0; rows] }
            }
            _ => Values::Mixed((0..rows).map(|row| self.cell(row).to_value()).collect()),
        };
    }

    /// Forgets the values, but not the room for them, nor the type, which the next ones will have too.
    fn clear(&mut self) {
        self.nulls.clear();
        match &mut self.values {
            Values::Nulls => {}
            Values::Integers(values) => values.clear(),
            Values::Reals(values) => values.clear(),
            Values::Texts { text, ends } => {
                text.clear();
                ends.clear();
            }
            Values::Mixed(_) => self.values = Values::Nulls,
        }
    }
}

fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Real(value) => Value::Real(value),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of values through one column, `per_batch` at a time.
    fn through(values: &[Value], per_batch: usize) -> (Vec<Value>, Vec<Values>) {
        let mut column = BatchColumn { values: Values::Nulls, nulls: Vec::new() };
        let (mut back, mut types) = (Vec::new(), Vec::new());
        for part in values.chunks(per_batch) {
            column.clear();
            for value in part {
                column.push(match value {
                    Value::Null => ValueRef::Null,
                    Value::Integer(value) => ValueRef::Integer(*value),
                    Value::Real(value) => ValueRef::Real(*value),
                    Value::Text(text) => ValueRef::Text(text.as_bytes()),
                    Value::Blob(bytes) => ValueRef::Blob(bytes),
                });
            }
            back.extend((0..part.len()).map(|row| column.cell(row).to_value()));
            types.push(column.values.clone());
        }
        (back, types)
    }

    #[test]
    fn whatever_comes_in_whatever_order_comes_out() {
        let kinds = [
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Real(0.1),
            Value::Text("é".into()),
            Value::Text(String::new()),
            Value::Blob(vec![0, 255]),
        ];
        // Every order of five of them.
        for mut number in 0..6usize.pow(5) {
            let values: Vec<Value> = (0..5)
                .map(|_| {
                    let kind = kinds[number % 6].clone();
                    number /= 6;
                    kind
                })
                .collect();
            for per_batch in [1, 2, 3, 5] {
                assert_eq!(through(&values, per_batch).0, values, "{per_batch}");
            }
        }
    }

    #[test]
    fn what_is_of_one_type_stands_as_an_array() {
        let values = [Value::Null, Value::Integer(7), Value::Null, Value::Integer(-1)];
        assert_eq!(through(&values, 4).1, [Values::Integers(vec![0, 7, 0, -1])]);
        let values = [Value::Text("ab".into()), Value::Null, Value::Text("c".into())];
        let texts = Values::Texts { text: "abc".into(), ends: vec![2, 2, 3] };
        assert_eq!(through(&values, 3).1, [texts]);
        // Each batch for itself.
        let values = [Value::Integer(7), Value::Null, Value::Text("c".into()), Value::Null];
        let texts = Values::Texts { text: "c".into(), ends: vec![1, 1] };
        assert_eq!(through(&values, 2).1, [Values::Integers(vec![7, 0]), texts]);
    }
}
