//! Writing protocol buffers: the five lines of the encoding that an exporter needs.
//!
//! A generated writer would build a tree of objects for each packet; with some ten million small
//! packets of known shape, appending to one buffer is several times as fast.
//!
//! Source: the encoding, <https://protobuf.dev/programming-guides/encoding/>.

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;

/// Appends a number in groups of seven bits, lowest first.
#[inline(always)]
pub fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes that [`varint`] takes for a number.
#[inline(always)]
pub fn varint_len(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// Appends a field of an unsigned or enum type.
#[inline(always)]
pub fn uint(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3 | VARINT);
    varint(out, value);
}

/// Appends a field of type int32 or int64; negative numbers take ten bytes.
#[inline(always)]
pub fn int(out: &mut Vec<u8>, field: u64, value: i64) {
    uint(out, field, value as u64);
}

/// Appends a field of type fixed64.
#[inline(always)]
pub fn fixed64(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3 | FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends a field of type string, bytes or of a message type.
#[inline(always)]
pub fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | BYTES);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// Appends a field of a message type, whose content `write` appends.
pub fn message(out: &mut Vec<u8>, field: u64, write: impl FnOnce(&mut Vec<u8>)) {
    let mut content = Vec::new();
    write(&mut content);
    bytes(out, field, &content);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        // The examples of the encoding's description.
        let mut out = Vec::new();
        uint(&mut out, 1, 150);
        bytes(&mut out, 2, b"testing");
        message(&mut out, 3, |out| uint(out, 1, 150));
        int(&mut out, 4, -2);
        assert_eq!(out[..3], [0x08, 0x96, 0x01]);
        assert_eq!(out[3..12], *b"\x12\x07testing");
        assert_eq!(out[12..17], [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(out[17..], *b"\x20\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
        for value in [0, 1, 127, 128, 16383, 16384, u64::from(u32::MAX), u64::MAX] {
            out.clear();
            varint(&mut out, value);
            assert_eq!(out.len(), varint_len(value), "{value}");
        }
        out.clear();
        fixed64(&mut out, 47, 5);
        assert_eq!(out, [0xf9, 0x02, 5, 0, 0, 0, 0, 0, 0, 0]);
    }
}
