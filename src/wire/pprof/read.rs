//! Bytes to records.

use super::cursor::{Cursor, check_tag};
use super::{
    RawFunction, RawHeader, RawLabel, RawLine, RawLocation, RawMapping, RawSample, RawValueType,
    Records, WireError,
};
use crate::source::ByteStream;
use crate::wire::varint;

/// The longest top-level record that is read, bytes. Records are a few hundred bytes; the bound
/// keeps a damaged length from making the window grow to the size of the input.
pub const MAX_RECORD_BYTES: u64 = 64 << 20;

/// Bytes between two looks at how far reading has come.
const LOOK_EVERY: u64 = 1 << 20;

/// Buffers that all samples share.
#[derive(Default)]
struct Buffers {
    locations: Vec<u64>,
    values: Vec<i64>,
    labels: Vec<RawLabel>,
    lines: Vec<RawLine>,
}

/// Reads a profile to its end. Fields that are not known are skipped, as protobuf demands.
pub fn read_profile(stream: &mut ByteStream, to: &mut impl Records) -> Result<(), WireError> {
    let mut buffers = Buffers::default();
    let mut next_look = LOOK_EVERY;
    loop {
        let offset = stream.offset();
        if offset >= next_look {
            to.reached(offset, stream.packed_offset())?;
            next_look = offset + LOOK_EVERY;
        }
        let start = stream.peek(20);
        if start.is_empty() {
            return Ok(());
        }
        let (tag, tag_len) = head(start, offset, "tag")?;
        let name = name_of(tag >> 3);
        check_tag(tag, name, offset)?;
        let (number, number_len) = match tag & 7 {
            0 | 2 => head(&start[tag_len..], offset + tag_len as u64, name)?,
            1 => (8, 0),
            _ => (4, 0),
        };
        stream.consume(tag_len + number_len);
        if tag & 7 == 0 {
            scalar(tag >> 3, name, number, offset, to)?;
            continue;
        }
        if number > MAX_RECORD_BYTES {
            return Err(WireError::new(
                offset,
                format!("{name}: {number} bytes; at most {MAX_RECORD_BYTES} are read in one piece"),
            ));
        }
        let len = number as usize;
        let base = stream.offset();
        let bytes = stream.peek(len);
        if bytes.len() < len {
            return Err(WireError::new(
                offset,
                format!("{name}: {len} bytes, but the input ends after {}", bytes.len()),
            ));
        }
        if tag & 7 == 2 {
            message(tag >> 3, name, &bytes[..len], base, offset, &mut buffers, to)?;
        } else if (1..=15).contains(&(tag >> 3)) {
            return Err(WireError::new(
                offset,
                format!("{name}: a number of fixed length is not what this field has"),
            ));
        }
        stream.consume(len);
    }
}

/// A varint at the top level.
fn head(bytes: &[u8], offset: u64, name: &str) -> Result<(u64, usize), WireError> {
    varint::read(bytes).ok_or_else(|| {
        let what = if bytes.len() < 10 { "the input ends inside" } else { "it is longer" };
        WireError::new(offset, format!("{name}: want a varint of at most 64 bits; {what}"))
    })
}

/// The field as `profile.proto` names it.
fn name_of(field: u64) -> &'static str {
    match field {
        1 => "sample_type",
        2 => "sample",
        3 => "mapping",
        4 => "location",
        5 => "function",
        6 => "string_table",
        7 => "drop_frames",
        8 => "keep_frames",
        9 => "time_nanos",
        10 => "duration_nanos",
        11 => "period_type",
        12 => "period",
        13 => "comment",
        14 => "default_sample_type",
        15 => "doc_url",
        _ => "unknown field",
    }
}

fn scalar(
    field: u64,
    name: &str,
    value: u64,
    offset: u64,
    to: &mut impl Records,
) -> Result<(), WireError> {
    let value = value as i64;
    let header = match field {
        7 => RawHeader::DropFrames(value),
        8 => RawHeader::KeepFrames(value),
        9 => RawHeader::TimeNanos(value),
        10 => RawHeader::DurationNanos(value),
        12 => RawHeader::Period(value),
        13 => RawHeader::Comment(value),
        14 => RawHeader::DefaultSampleType(value),
        15 => RawHeader::DocUrl(value),
        1..=6 | 11 => {
            return Err(WireError::new(
                offset,
                format!("{name}: want a length-delimited field, got a varint"),
            ));
        }
        _ => return Ok(()),
    };
    to.header(header, offset)
}

fn message(
    field: u64,
    name: &str,
    bytes: &[u8],
    base: u64,
    offset: u64,
    buffers: &mut Buffers,
    to: &mut impl Records,
) -> Result<(), WireError> {
    match field {
        1 => to.sample_type(value_type(bytes, base, "sample_type")?, offset),
        2 => sample(bytes, base, offset, buffers, to),
        3 => to.mapping(mapping(bytes, base)?, offset),
        4 => location(bytes, base, offset, buffers, to),
        5 => to.function(function(bytes, base)?, offset),
        6 => to.string(bytes, offset),
        11 => to.header(RawHeader::PeriodType(value_type(bytes, base, "period_type")?), offset),
        13 => {
            // Packed, as Go's writer does with more than two.
            let mut comments = Vec::new();
            let mut pos = 0;
            while pos < bytes.len() {
                let (value, len) = head(&bytes[pos..], base + pos as u64, name)?;
                comments.push(value as i64);
                pos += len;
            }
            comments
                .into_iter()
                .try_for_each(|comment| to.header(RawHeader::Comment(comment), offset))
        }
        7..=10 | 12 | 14 | 15 => Err(WireError::new(
            offset,
            format!("{name}: want a varint, got a length-delimited field"),
        )),
        _ => Ok(()),
    }
}

fn value_type(bytes: &[u8], base: u64, name: &'static str) -> Result<RawValueType, WireError> {
    let mut value = RawValueType::default();
    let mut cursor = Cursor::new(bytes, base, name);
    while let Some(field) = cursor.next()? {
        match field.number {
            1 => value.kind = field.number("value_type.type")? as i64,
            2 => value.unit = field.number("value_type.unit")? as i64,
            _ => {}
        }
    }
    Ok(value)
}

fn sample(
    bytes: &[u8],
    base: u64,
    offset: u64,
    buffers: &mut Buffers,
    to: &mut impl Records,
) -> Result<(), WireError> {
    buffers.locations.clear();
    buffers.values.clear();
    buffers.labels.clear();
    let mut cursor = Cursor::new(bytes, base, "sample");
    while let Some(field) = cursor.next()? {
        match field.number {
            1 => field.numbers("sample.location_id", &mut buffers.locations)?,
            2 => field.numbers("sample.value", &mut buffers.values)?,
            3 => {
                let (bytes, base) = field.bytes("sample.label")?;
                buffers.labels.push(label(bytes, base)?);
            }
            _ => {}
        }
    }
    let sample = RawSample {
        locations: &buffers.locations,
        values: &buffers.values,
        labels: &buffers.labels,
    };
    to.sample(sample, offset)
}

fn label(bytes: &[u8], base: u64) -> Result<RawLabel, WireError> {
    let mut label = RawLabel::default();
    let mut cursor = Cursor::new(bytes, base, "label");
    while let Some(field) = cursor.next()? {
        match field.number {
            1 => label.key = field.number("label.key")? as i64,
            2 => label.text = field.number("label.str")? as i64,
            3 => label.number = field.number("label.num")? as i64,
            4 => label.unit = field.number("label.num_unit")? as i64,
            _ => {}
        }
    }
    Ok(label)
}

fn mapping(bytes: &[u8], base: u64) -> Result<RawMapping, WireError> {
    let mut mapping = RawMapping::default();
    let mut cursor = Cursor::new(bytes, base, "mapping");
    while let Some(field) = cursor.next()? {
        match field.number {
            1 => mapping.id = field.number("mapping.id")?,
            2 => mapping.start = field.number("mapping.memory_start")?,
            3 => mapping.limit = field.number("mapping.memory_limit")?,
            4 => mapping.offset = field.number("mapping.file_offset")?,
            5 => mapping.file = field.number("mapping.filename")? as i64,
            6 => mapping.build_id = field.number("mapping.build_id")? as i64,
            7 => mapping.has_functions = field.number("mapping.has_functions")? != 0,
            8 => mapping.has_filenames = field.number("mapping.has_filenames")? != 0,
            9 => mapping.has_line_numbers = field.number("mapping.has_line_numbers")? != 0,
            10 => mapping.has_inline_frames = field.number("mapping.has_inline_frames")? != 0,
            _ => {}
        }
    }
    Ok(mapping)
}

fn location(
    bytes: &[u8],
    base: u64,
    offset: u64,
    buffers: &mut Buffers,
    to: &mut impl Records,
) -> Result<(), WireError> {
    buffers.lines.clear();
    let (mut id, mut mapping, mut address, mut is_folded) = (0, 0, 0, false);
    let mut cursor = Cursor::new(bytes, base, "location");
    while let Some(field) = cursor.next()? {
        match field.number {
            1 => id = field.number("location.id")?,
            2 => mapping = field.number("location.mapping_id")?,
            3 => address = field.number("location.address")?,
            4 => {
                let (bytes, base) = field.bytes("location.line")?;
                buffers.lines.push(line(bytes, base)?);
            }
            5 => is_folded = field.number("location.is_folded")? != 0,
            _ => {}
        }
    }
    to.location(RawLocation { id, mapping, address, lines: &buffers.lines, is_folded }, offset)
}

fn line(bytes: &[u8], base: u64) -> Result<RawLine, WireError> {
    let mut line = RawLine::default();
    let mut cursor = Cursor::new(bytes, base, "line");
    while let Some(field) = cursor.next()? {
        match field.number {
            1 => line.function = field.number("line.function_id")?,
            2 => line.line = field.number("line.line")? as i64,
            3 => line.column = field.number("line.column")? as i64,
            _ => {}
        }
    }
    Ok(line)
}

fn function(bytes: &[u8], base: u64) -> Result<RawFunction, WireError> {
    let mut function = RawFunction::default();
    let mut cursor = Cursor::new(bytes, base, "function");
    while let Some(field) = cursor.next()? {
        match field.number {
            1 => function.id = field.number("function.id")?,
            2 => function.name = field.number("function.name")? as i64,
            3 => function.system_name = field.number("function.system_name")? as i64,
            4 => function.file = field.number("function.filename")? as i64,
            5 => function.start_line = field.number("function.start_line")? as i64,
            _ => {}
        }
    }
    Ok(function)
}
