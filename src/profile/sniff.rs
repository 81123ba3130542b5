//! Telling profiles from other things by their first bytes.

use crate::source::ByteStream;

/// How much of a source is looked at, bytes.
const LOOK: usize = 4096;
/// How many fields must be those of a profile; fewer, where the source or the look ends before.
const FIELDS: usize = 4;

/// Whether a source holds a profile, unpacked: in one of the old forms, or in that of
/// `profile.proto`, whose fields may come in any order.
pub fn is_profile(stream: &mut ByteStream) -> bool {
    if super::legacy::is_legacy(stream) {
        return true;
    }
    let start = stream.peek(LOOK);
    is_message(&start[..start.len().min(LOOK)], Message::Profile, FIELDS)
}

/// The messages of profile.proto.
#[derive(Clone, Copy)]
enum Message {
    Profile,
    ValueType,
    Sample,
    Label,
    Mapping,
    Location,
    Line,
    Function,
}

/// What a field holds.
enum Field {
    Number,
    /// Of which several may be packed into one field.
    Numbers,
    Text,
    Message(Message),
}

impl Message {
    /// What its field with a number holds (Go 1.27 pprof `proto/profile.proto`).
    fn field(self, number: u64) -> Option<Field> {
        use Message::*;
        Some(match (self, number) {
            (Profile, 1 | 11) => Field::Message(ValueType),
            (Profile, 2) => Field::Message(Sample),
            (Profile, 3) => Field::Message(Mapping),
            (Profile, 4) => Field::Message(Location),
            (Profile, 5) => Field::Message(Function),
            (Profile, 6) => Field::Text,
            (Profile, 7..=10 | 12 | 14 | 15) => Field::Number,
            (Profile, 13) => Field::Numbers,
            (ValueType, 1 | 2) => Field::Number,
            (Sample, 1 | 2) => Field::Numbers,
            (Sample, 3) => Field::Message(Label),
            (Label, 1..=4) => Field::Number,
            (Mapping, 1..=10) => Field::Number,
            (Location, 1..=3 | 5) => Field::Number,
            (Location, 4) => Field::Message(Line),
            (Line, 1..=3) => Field::Number,
            (Function, 1..=5) => Field::Number,
            _ => return None,
        })
    }
}

/// Whether bytes begin with fields of a message, the first few of them looked at, what they hold
/// included. They may be cut off anywhere behind the first key.
fn is_message(mut bytes: &[u8], message: Message, fields: usize) -> bool {
    let is_whole = matches!(message, Message::Profile);
    let mut seen = 0;
    while seen < fields && !bytes.is_empty() {
        let Some(key) = take_varint(&mut bytes) else { break };
        let Some(field) = message.field(key >> 3) else { return false };
        // What is cut off is a number of less than ten bytes, or a length.
        let Some(number) = take_varint(&mut bytes) else {
            return bytes.len() < 10 && matches!(key & 7, 0 | 2) && (seen > 0 || !is_whole);
        };
        let mut inside = || {
            let length = usize::try_from(number).unwrap_or(usize::MAX).min(bytes.len());
            let (inside, rest) = bytes.split_at(length);
            bytes = rest;
            inside
        };
        let is_right = match (field, key & 7) {
            (Field::Number | Field::Numbers, 0) => true,
            (Field::Numbers, 2) => {
                inside();
                true
            }
            (Field::Text, 2) => {
                let text = inside();
                let is_cut = (text.len() as u64) < number;
                !text.contains(&0) && is_nearly_utf8(text) && !(is_cut && seen == 0)
            }
            (Field::Message(inner), 2) => is_message(inside(), inner, FIELDS),
            _ => false,
        };
        if !is_right {
            return false;
        }
        seen += 1;
    }
    // An empty message has all its fields at 0, which the messages inside may.
    seen > 0 || !is_whole
}

/// Whether it is UTF-8, up to a letter that is cut off.
fn is_nearly_utf8(text: &[u8]) -> bool {
    std::str::from_utf8(text).map_or_else(|error| error.error_len().is_none(), |_| true)
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for (at, &byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * at).min(63);
        if byte & 0x80 == 0 {
            *bytes = &bytes[at + 1..];
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(bytes: &[u8]) -> bool {
        is_profile(&mut ByteStream::from_bytes(bytes))
    }

    #[test]
    fn a_profile_is_known_whatever_field_stands_first() {
        let fields: [&[u8]; 9] = [
            b"\x0a\x04\x08\x01\x10\x02",                 // sample_type
            b"\x12\x05\x0a\x01\x01\x12\x00",             // sample
            b"\x1a\x06\x08\x01\x10\x80\x80\x04",         // mapping
            b"\x22\x08\x08\x01\x10\x01\x22\x02\x08\x01", // location
            b"\x2a\x04\x08\x01\x10\x03",                 // function
            b"\x32\x00",                                 // string_table
            b"\x32\x07samples",
            b"\x48\x80\xf0\xa4\xa1\xf2\xf3\xe5\xd8\x18", // time_nanos
            b"\x6a\x01\x05",                             // comment, packed
        ];
        for first in fields {
            for second in fields {
                let both = [first, second].concat();
                assert!(is(&both) && is(first), "{both:?}");
                // Cut off, it still is no other thing.
                (first.len()..both.len())
                    .for_each(|end| assert!(is(&both[..end]), "{:?}", &both[..end]));
            }
        }
    }

    #[test]
    fn other_things_are_no_profiles() {
        for bytes in [
            &b""[..],
            b"Hello, world",
            b"HTTP/1.1 200 OK",
            b"\x7fELF\x02\x01",
            b"go 1.22 trace\0\0\0",
            b"SQLite format 3\0",
            b"2026-11-26 12:00:00 started\n",
            b"P6 640 480 255\n",
            b"\x0a\x04\x18\x01\x10\x02",
            b"\x32\x03a\x00b\x32\x00",
            &[0; 100],
            &[0xff; 100],
        ] {
            assert!(!is(bytes), "{bytes:?}");
        }
    }
}
