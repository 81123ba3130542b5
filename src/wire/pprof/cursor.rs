//! The fields of one protobuf message.

use super::WireError;
use crate::wire::varint;

/// A field's value, by its wire type.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire types 1 and 5. `profile.proto` has none; they are skipped where they are unknown.
    Fixed,
    /// Wire type 2, and the absolute offset of its first byte.
    Bytes(&'a [u8], u64),
}

/// A field: number, value, absolute offset of its tag.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    pub number: u64,
    pub value: Value<'a>,
    pub offset: u64,
}

/// Refuses a tag that no field of a profile begins with: field 0, which protobuf does not have and
/// which any zeros would be, groups, which it has given up, and wire types that never were.
#[inline(always)]
pub fn check_tag(tag: u64, name: &str, offset: u64) -> Result<(), WireError> {
    let what = match (tag >> 3, tag & 7) {
        (0, _) => "want a field, got the number 0".to_owned(),
        (_, 0 | 1 | 2 | 5) => return Ok(()),
        (field, 3 | 4) => format!("field {field}: want a value, got a group (wire types 3 and 4)"),
        (field, other) => format!("field {field}: wire type {other} is none of protobuf's"),
    };
    Err(WireError::new(offset, format!("{name}: {what}")))
}

/// Walks over the fields of a message.
pub struct Cursor<'a> {
    data: &'a [u8],
    pos: usize,
    base: u64,
    message: &'static str,
}

impl<'a> Cursor<'a> {
    /// Over a message whose first byte is at `base`; `message` is its name for errors.
    pub fn new(data: &'a [u8], base: u64, message: &'static str) -> Self {
        Cursor { data, pos: 0, base, message }
    }

    fn error(&self, at: usize, what: impl std::fmt::Display) -> WireError {
        WireError::new(self.base + at as u64, format!("{}: {what}", self.message))
    }

    #[inline(always)]
    fn varint(&mut self, what: &str) -> Result<u64, WireError> {
        match self.data.get(self.pos) {
            Some(&byte) if byte < 0x80 => {
                self.pos += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_varint(what),
        }
    }

    fn long_varint(&mut self, what: &str) -> Result<u64, WireError> {
        let rest = &self.data[self.pos..];
        match varint::read(rest) {
            Some((value, len)) => {
                self.pos += len;
                Ok(value)
            }
            None if rest.len() < 10 => {
                Err(self.error(self.pos, format_args!("{what}: the message ends inside a varint")))
            }
            None => Err(self.error(
                self.pos,
                format_args!("{what}: want a varint of at most 64 bits, got a longer one"),
            )),
        }
    }

    /// The next field; `None` at the end of the message.
    #[inline]
    pub fn next(&mut self) -> Result<Option<Field<'a>>, WireError> {
        if self.pos >= self.data.len() {
            return Ok(None);
        }
        let at = self.pos;
        let tag = self.varint("tag of a field")?;
        let number = tag >> 3;
        check_tag(tag, self.message, self.base + at as u64)?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint("value of a field")?),
            2 => {
                let len = self.varint("length of a field")?;
                let rest = self.data.len() - self.pos;
                if len > rest as u64 {
                    return Err(self.error(
                        at,
                        format_args!("field {number} has {len} bytes, {rest} are left"),
                    ));
                }
                let start = self.pos;
                self.pos += len as usize;
                Value::Bytes(&self.data[start..self.pos], self.base + start as u64)
            }
            fixed => {
                let len = if fixed == 1 { 8 } else { 4 };
                if self.data.len() - self.pos < len {
                    return Err(
                        self.error(at, format_args!("field {number}: the message ends inside"))
                    );
                }
                self.pos += len;
                Value::Fixed
            }
        };
        Ok(Some(Field { number, value, offset: self.base + at as u64 }))
    }
}

impl<'a> Field<'a> {
    fn mismatch(&self, name: &str, want: &str) -> WireError {
        let got = match self.value {
            Value::Varint(_) => "a varint",
            Value::Fixed => "a number of fixed length",
            Value::Bytes(..) => "a length-delimited field",
        };
        WireError::new(self.offset, format!("{name}: want {want}, got {got}"))
    }

    /// The value of a number field.
    #[inline(always)]
    pub fn number(&self, name: &str) -> Result<u64, WireError> {
        match self.value {
            Value::Varint(value) => Ok(value),
            _ => Err(self.mismatch(name, "a varint")),
        }
    }

    /// The bytes of a text or a message, with their absolute offset.
    #[inline(always)]
    pub fn bytes(&self, name: &str) -> Result<(&'a [u8], u64), WireError> {
        match self.value {
            Value::Bytes(bytes, offset) => Ok((bytes, offset)),
            _ => Err(self.mismatch(name, "a length-delimited field")),
        }
    }

    /// Appends the values of a repeated number field, packed or not.
    #[inline(always)]
    pub fn numbers<T: From64>(&self, name: &str, to: &mut Vec<T>) -> Result<(), WireError> {
        match self.value {
            Value::Varint(value) => to.push(T::from64(value)),
            Value::Bytes(bytes, offset) => {
                let mut pos = 0;
                while pos < bytes.len() {
                    let (value, len) = match (bytes[pos], bytes.get(pos + 1)) {
                        (first, _) if first < 0x80 => (u64::from(first), 1),
                        (first, Some(&second)) if second < 0x80 => {
                            (u64::from(first & 0x7f) | u64::from(second) << 7, 2)
                        }
                        _ => varint::read(&bytes[pos..]).ok_or_else(|| {
                            WireError::new(
                                offset + pos as u64,
                                format!("{name}: want a varint of at most 64 bits"),
                            )
                        })?,
                    };
                    to.push(T::from64(value));
                    pos += len;
                }
            }
            Value::Fixed => return Err(self.mismatch(name, "varints")),
        }
        Ok(())
    }
}

/// What a varint of 64 bits is read as.
pub trait From64 {
    fn from64(value: u64) -> Self;
}

impl From64 for u64 {
    fn from64(value: u64) -> u64 {
        value
    }
}

impl From64 for i64 {
    fn from64(value: u64) -> i64 {
        value as i64
    }
}
