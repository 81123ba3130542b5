//! Records to bytes, as Go's writer lays them out: fields that are 0 are left out, repeated
//! numbers are packed if there are more than two (Go 1.27 pprof `profile/proto.go`,
//! encodeUint64s). So a profile that Go wrote comes out as the same bytes.

use super::{RawFunction, RawHeader, RawLabel, RawLocation, RawMapping, RawSample, RawValueType};
use crate::wire::varint;

/// Appends records to a buffer. The order that Go writes them in is that of the methods here.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
    /// The message being made, because its length comes before it.
    message: Vec<u8>,
    inner: Vec<u8>,
}

impl Writer {
    /// An empty profile.
    pub fn new() -> Self {
        Writer::default()
    }

    /// The bytes so far, to be written out; the buffer is empty afterwards.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Bytes waiting to be taken.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether no bytes wait.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// A sample type.
    pub fn sample_type(&mut self, value: RawValueType) {
        self.value_type(1, value);
    }

    /// A sample.
    pub fn sample(&mut self, sample: RawSample<'_>) {
        self.message.clear();
        numbers(&mut self.message, 1, sample.locations.iter().copied(), &mut self.inner);
        let values = sample.values.iter().map(|&value| value as u64);
        numbers(&mut self.message, 2, values, &mut self.inner);
        for &RawLabel { key, text, number, unit } in sample.labels {
            self.inner.clear();
            for (field, value) in [(1, key), (2, text), (3, number), (4, unit)] {
                optional(&mut self.inner, field, value as u64);
            }
            bytes(&mut self.message, 3, &self.inner);
        }
        bytes(&mut self.out, 2, &self.message);
    }

    /// A mapping.
    pub fn mapping(&mut self, mapping: RawMapping) {
        self.message.clear();
        let fields = [
            mapping.id,
            mapping.start,
            mapping.limit,
            mapping.offset,
            mapping.file as u64,
            mapping.build_id as u64,
            u64::from(mapping.has_functions),
            u64::from(mapping.has_filenames),
            u64::from(mapping.has_line_numbers),
            u64::from(mapping.has_inline_frames),
        ];
        for (field, value) in (1..).zip(fields) {
            optional(&mut self.message, field, value);
        }
        bytes(&mut self.out, 3, &self.message);
    }

    /// A location.
    pub fn location(&mut self, location: RawLocation<'_>) {
        self.message.clear();
        optional(&mut self.message, 1, location.id);
        optional(&mut self.message, 2, location.mapping);
        optional(&mut self.message, 3, location.address);
        for line in location.lines {
            self.inner.clear();
            optional(&mut self.inner, 1, line.function);
            optional(&mut self.inner, 2, line.line as u64);
            optional(&mut self.inner, 3, line.column as u64);
            bytes(&mut self.message, 4, &self.inner);
        }
        optional(&mut self.message, 5, u64::from(location.is_folded));
        bytes(&mut self.out, 4, &self.message);
    }

    /// A function.
    pub fn function(&mut self, function: RawFunction) {
        self.message.clear();
        optional(&mut self.message, 1, function.id);
        optional(&mut self.message, 2, function.name as u64);
        optional(&mut self.message, 3, function.system_name as u64);
        optional(&mut self.message, 4, function.file as u64);
        optional(&mut self.message, 5, function.start_line as u64);
        bytes(&mut self.out, 5, &self.message);
    }

    /// The next entry of the string table; the first must be empty.
    pub fn string(&mut self, text: &str) {
        bytes(&mut self.out, 6, text.as_bytes());
    }

    /// A field of the profile itself.
    pub fn header(&mut self, header: RawHeader) {
        let (field, value) = match header {
            RawHeader::DropFrames(value) => (7, value),
            RawHeader::KeepFrames(value) => (8, value),
            RawHeader::TimeNanos(value) => (9, value),
            RawHeader::DurationNanos(value) => (10, value),
            RawHeader::PeriodType(value) => {
                if value != RawValueType::default() {
                    self.value_type(11, value);
                }
                return;
            }
            RawHeader::Period(value) => (12, value),
            RawHeader::Comment(value) => return number(&mut self.out, 13, value as u64),
            // Go writes this one even if it is 0 (`encode.go`, Profile.encode).
            RawHeader::DefaultSampleType(value) => return number(&mut self.out, 14, value as u64),
            RawHeader::DocUrl(value) => (15, value),
        };
        optional(&mut self.out, field, value as u64);
    }

    /// All comments at once, packed as Go does.
    pub fn comments(&mut self, comments: &[i64]) {
        let values = comments.iter().map(|&comment| comment as u64);
        numbers(&mut self.out, 13, values, &mut self.inner);
    }

    fn value_type(&mut self, field: u64, value: RawValueType) {
        self.message.clear();
        optional(&mut self.message, 1, value.kind as u64);
        optional(&mut self.message, 2, value.unit as u64);
        bytes(&mut self.out, field, &self.message);
    }
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint::write(out, field << 3);
    varint::write(out, value);
}

fn optional(out: &mut Vec<u8>, field: u64, value: u64) {
    if value != 0 {
        number(out, field, value);
    }
}

fn bytes(out: &mut Vec<u8>, field: u64, data: &[u8]) {
    varint::write(out, field << 3 | 2);
    varint::write(out, data.len() as u64);
    out.extend_from_slice(data);
}

fn numbers(
    out: &mut Vec<u8>,
    field: u64,
    values: impl ExactSizeIterator<Item = u64>,
    packed: &mut Vec<u8>,
) {
    if values.len() > 2 {
        packed.clear();
        values.for_each(|value| varint::write(packed, value));
        bytes(out, field, packed);
    } else {
        values.for_each(|value| number(out, field, value));
    }
}
