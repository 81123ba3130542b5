//! Bytes to wire events: framing and the spec tables of both trace formats.
//!
//! Comes in: bytes, for v2 as a [`ByteStream`](crate::source::ByteStream), for v1 as
//! [`RandomAccess`](crate::source::RandomAccess). Goes out: for v2, one
//! [`Generation`](v2::Generation) at a time, with its tables parsed and its event batches
//! ready to be decoded thread by thread; for v1, a [`Scan`](v1::Scan) of the whole file, and a
//! cursor over the batches of each proc.
//!
//! Source: Go 1.27 `internal/trace/tracev2` and `internal/trace/{reader,generation,batch}.go` for
//! v2, `internal/trace/internal/tracev1/parser.go` for v1.

mod go_sort;
pub mod header;
pub mod pprof;
pub mod tables;
pub mod v1;
pub mod v2;
pub mod varint;

pub use go_sort::sort_like_go;
pub use header::{Version, looks_like_trace, parse_header};

/// A place where the bytes are not what the format allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {message}")]
pub struct WireError {
    /// Absolute byte offset in the uncompressed input.
    pub offset: u64,
    /// What was got and what was wanted.
    pub message: String,
}

impl WireError {
    /// An error at an absolute byte offset.
    pub fn new(offset: u64, message: impl Into<String>) -> Self {
        WireError { offset, message: message.into() }
    }
}
