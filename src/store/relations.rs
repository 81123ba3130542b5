//! The relations of the database, and a row type for each table, as `schema/` declares them.

/// A column as declared.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// `integer`, `text` or `real`; empty for the columns of views.
    pub ty: &'static str,
    /// Whether NULL is excluded.
    pub not_null: bool,
    /// What it means.
    pub doc: &'static str,
}

/// A table or view as declared.
#[derive(Debug)]
pub struct Relation {
    /// Its name.
    pub name: &'static str,
    /// Whether it is a table.
    pub is_table: bool,
    /// What a row is.
    pub doc: &'static str,
    /// The file that declares it.
    pub sql: &'static str,
    /// Its columns, in order.
    pub columns: &'static [Column],
}

/// A row of a table. Generated for each.
pub trait Row {
    /// Position among the tables, for indexing.
    const TABLE: usize;
    /// Name of the table.
    const NAME: &'static str;
    /// Number of columns.
    const COLUMNS: usize;
    /// The row number.
    fn id(&self) -> i64;
    /// Shows every value, in the order of the columns.
    fn visit<V: Visitor>(&self, visitor: &mut V);
}

/// Takes the values of a row.
pub trait Visitor {
    /// An INTEGER.
    fn integer(&mut self, value: i64);
    /// A REAL.
    fn real(&mut self, value: f64);
    /// A TEXT.
    fn text(&mut self, value: &str);
    /// A NULL.
    fn null(&mut self);
}

include!(concat!(env!("OUT_DIR"), "/relations.rs"));
