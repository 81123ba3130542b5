//! Unsigned LEB128 integers, as Go's `encoding/binary` writes them: at most 10 bytes.

use byteorder::{ByteOrder, LittleEndian};

/// Bytes looked at together: the longest event has 1 + 5 * 10 bytes, and a varint is read as a word
/// of 8. Because positions are kept below 64, no access needs a bounds check of its own.
pub const WINDOW: usize = 72;

/// Reads a varint at `pos` of a window. Returns the value and the position behind it, or `None`
/// if it is longer than 10 bytes or overflows 64 bits (as Go's `binary.Uvarint` refuses it).
///
/// `pos` must be below 64. The caller checks afterwards that the returned position is still inside
/// its data.
#[inline(always)]
pub fn read_in_window(window: &[u8; WINDOW], pos: usize) -> Option<(u64, usize)> {
    debug_assert!(pos < 64);
    let first = window[pos & 63];
    if first < 0x80 {
        return Some((u64::from(first), pos + 1));
    }
    read_long(window, pos)
}

#[inline(always)]
fn read_long(window: &[u8; WINDOW], pos: usize) -> Option<(u64, usize)> {
    match from_word(LittleEndian::read_u64(&window[pos & 63..][..8])) {
        Some((value, len)) => Some((value, pos + len)),
        None => read_slow(window, pos & 63, pos),
    }
}

/// Bytes that must be readable behind the data handed to [`read_padded`].
pub const PADDING: usize = 16;

/// Reads a varint at `pos`, as [`read_in_window`] does, from data of any length with [`PADDING`]
/// readable bytes behind it.
#[inline(always)]
pub fn read_padded(data: &[u8], pos: usize) -> Option<(u64, usize)> {
    let first = data[pos];
    if first < 0x80 {
        return Some((u64::from(first), pos + 1));
    }
    match from_word(LittleEndian::read_u64(&data[pos..][..8])) {
        Some((value, len)) => Some((value, pos + len)),
        None => read_slow(data, pos, pos),
    }
}

/// The varint at the start of 8 bytes, and its length; `None` if it is longer.
#[inline(always)]
fn from_word(word: u64) -> Option<(u64, usize)> {
    // The lowest byte without a continuation bit ends the number.
    let stops = !word & 0x8080_8080_8080_8080;
    if stops == 0 {
        return None;
    }
    let len = (stops.trailing_zeros() as usize >> 3) + 1;
    let word = word & (stops ^ (stops - 1));
    // Squeeze out the continuation bits: 7-bit groups to 14, 28 and 56 bits.
    let word = (word & 0x007f_007f_007f_007f) | ((word & 0x7f00_7f00_7f00_7f00) >> 1);
    let word = (word & 0x0000_3fff_0000_3fff) | ((word & 0x3fff_0000_3fff_0000) >> 2);
    let word = (word & 0x0000_0000_0fff_ffff) | ((word & 0x0fff_ffff_0000_0000) >> 4);
    Some((word, len))
}

#[cold]
fn read_slow(data: &[u8], at: usize, pos: usize) -> Option<(u64, usize)> {
    read(&data[at..]).map(|(value, len)| (value, pos + len))
}

/// Reads a varint at the start of `data`: the value and its length, or `None` if it is cut off,
/// longer than 10 bytes or overflows.
pub fn read(data: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (i, &byte) in data.iter().take(10).enumerate() {
        if byte < 0x80 {
            if i == 9 && byte > 1 {
                return None;
            }
            return Some((value | u64::from(byte) << (7 * i), i + 1));
        }
        value |= u64::from(byte & 0x7f) << (7 * i);
    }
    None
}

/// Appends `value`.
pub fn write(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes [`write()`] takes for `value`.
pub fn len(value: u64) -> usize {
    ((64 - (value | 1).leading_zeros()) as usize).div_ceil(7)
}

/// The nom form of [`read`].
pub fn varint(input: &[u8]) -> nom::IResult<&[u8], u64> {
    match read(input) {
        Some((value, len)) => Ok((&input[len..], value)),
        None if input.len() < 10 && input.iter().all(|byte| byte & 0x80 != 0) => {
            Err(nom::Err::Incomplete(nom::Needed::Unknown))
        }
        None => {
            Err(nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::TooLarge)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_and_plain_readers_agree_with_the_writer_on_every_length() {
        for shift in 0..64 {
            for value in [1u64 << shift, (1u64 << shift) - 1, u64::MAX >> (63 - shift)] {
                let mut bytes = Vec::new();
                write(&mut bytes, value);
                let len = bytes.len();
                assert_eq!(read(&bytes), Some((value, len)));
                assert_eq!(varint(&bytes).unwrap().1, value);
                // Whatever stands behind must not matter.
                bytes.resize(WINDOW, 0xff);
                let window = bytes.as_slice().try_into().unwrap();
                assert_eq!(read_in_window(window, 0), Some((value, len)), "{value:#x}");
                assert_eq!(read_padded(&bytes, 0), Some((value, len)), "{value:#x}");
            }
        }
    }

    #[test]
    fn overlong_numbers_are_refused() {
        let mut bytes = vec![0xff; 9];
        bytes.push(2);
        assert_eq!(read(&bytes), None);
        bytes.resize(WINDOW, 0);
        assert_eq!(read_in_window(bytes.as_slice().try_into().unwrap(), 0), None);
        assert_eq!(read(&[0x80; 16]), None);
        assert!(matches!(varint(&[0x80, 0x80]), Err(nom::Err::Incomplete(_))));
    }
}
