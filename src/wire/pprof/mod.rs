//! The wire form of pprof profiles: `profile.proto`, read and written as a stream of records.
//!
//! Comes in: the uncompressed bytes, as a [`ByteStream`](crate::source::ByteStream). Goes out:
//! one call of [`Records`] for each top-level field, in the order of the file, with numbers into
//! the string table as they stand. [`Writer`] is the other direction.
//!
//! Written by hand rather than derived with prost: a derived decoder builds one object with three
//! vectors for each sample and needs the whole input in memory, which for a profile of a million
//! samples is ten times its size; and its errors name neither the field nor the byte. Here a
//! record lives in reused buffers and memory is what the receiver keeps.
//!
//! Source: Go 1.27 `github.com/google/pprof/profile/{proto,encode}.go` and `profile.proto`.

mod cursor;
mod read;
mod write;

pub use read::{MAX_RECORD_BYTES, read_profile};
pub use write::Writer;

use super::WireError;

/// What kind of thing is measured; numbers into the string table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RawValueType {
    /// Such as `cpu`.
    pub kind: i64,
    /// Such as `nanoseconds`.
    pub unit: i64,
}

/// A label of a sample; numbers into the string table, but for `number`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RawLabel {
    /// Its name.
    pub key: i64,
    /// Its text; 0 if it is a number.
    pub text: i64,
    /// Its number, if `text` is 0.
    pub number: i64,
    /// Unit of the number; 0 for none.
    pub unit: i64,
}

/// A sample: a stack, leaf first, with its values and labels.
#[derive(Debug, Clone, Copy)]
pub struct RawSample<'a> {
    /// Ids of locations.
    pub locations: &'a [u64],
    /// One for each sample type.
    pub values: &'a [i64],
    /// In the order of the file.
    pub labels: &'a [RawLabel],
}

/// A part of the address space.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RawMapping {
    /// Not 0 in a valid profile.
    pub id: u64,
    /// First address.
    pub start: u64,
    /// Address behind the last.
    pub limit: u64,
    /// Offset of `start` in the file.
    pub offset: u64,
    /// Name of the file, in the string table.
    pub file: i64,
    /// Its build id, in the string table.
    pub build_id: i64,
    /// Whether its locations have functions.
    pub has_functions: bool,
    /// Whether its functions have files.
    pub has_filenames: bool,
    /// Whether its locations have lines.
    pub has_line_numbers: bool,
    /// Whether inlined frames are told.
    pub has_inline_frames: bool,
}

/// A place in a function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RawLine {
    /// Id of the function; 0 for none.
    pub function: u64,
    /// Line in its file; 0 if not known.
    pub line: i64,
    /// Column in the line; 0 if not known.
    pub column: i64,
}

/// An address, with the functions that were inlined there: the innermost first.
#[derive(Debug, Clone, Copy)]
pub struct RawLocation<'a> {
    /// Not 0 in a valid profile.
    pub id: u64,
    /// Id of the mapping; 0 for none.
    pub mapping: u64,
    /// Where.
    pub address: u64,
    /// Functions and lines.
    pub lines: &'a [RawLine],
    /// Whether several places may have been folded into this one.
    pub is_folded: bool,
}

/// A function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RawFunction {
    /// Not 0 in a valid profile.
    pub id: u64,
    /// For people, in the string table.
    pub name: i64,
    /// As the system names it, in the string table.
    pub system_name: i64,
    /// Its file, in the string table.
    pub file: i64,
    /// Where it begins; 0 if not known.
    pub start_line: i64,
}

/// A field of the profile itself; texts are numbers into the string table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawHeader {
    /// Frames to leave out, a regular expression.
    DropFrames(i64),
    /// Exceptions from it.
    KeepFrames(i64),
    /// When it was collected, nanoseconds since 1970.
    TimeNanos(i64),
    /// For how long, nanoseconds.
    DurationNanos(i64),
    /// What happens once in a period.
    PeriodType(RawValueType),
    /// Between two samples, in the unit of the period type.
    Period(i64),
    /// A remark.
    Comment(i64),
    /// The sample type to show.
    DefaultSampleType(i64),
    /// Where it is explained.
    DocUrl(i64),
}

/// What receives a profile, record by record. `offset` is where the record begins in the
/// uncompressed input.
pub trait Records {
    /// Reading has come to this offset, for which so many bytes of a packed input were taken; an error
    /// ends it. It is asked every few megabytes.
    fn reached(&mut self, _offset: u64, _packed: Option<u64>) -> Result<(), WireError> {
        Ok(())
    }
    /// A sample type.
    fn sample_type(&mut self, value: RawValueType, offset: u64) -> Result<(), WireError>;
    /// A sample.
    fn sample(&mut self, sample: RawSample<'_>, offset: u64) -> Result<(), WireError>;
    /// A mapping.
    fn mapping(&mut self, mapping: RawMapping, offset: u64) -> Result<(), WireError>;
    /// A location.
    fn location(&mut self, location: RawLocation<'_>, offset: u64) -> Result<(), WireError>;
    /// A function.
    fn function(&mut self, function: RawFunction, offset: u64) -> Result<(), WireError>;
    /// The next entry of the string table.
    fn string(&mut self, text: &[u8], offset: u64) -> Result<(), WireError>;
    /// A field of the profile itself.
    fn header(&mut self, header: RawHeader, offset: u64) -> Result<(), WireError>;
}
