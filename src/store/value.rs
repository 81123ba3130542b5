//! A value of a result.

/// A value of a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL: absent or unknown.
    Null,
    /// INTEGER.
    Integer(i64),
    /// REAL.
    Real(f64),
    /// TEXT.
    Text(String),
    /// BLOB.
    Blob(Vec<u8>),
}
