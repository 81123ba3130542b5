//! Numbers, strings and times as Go's `fmt`, `strconv` and `time` packages print them.

use std::io::Write;

/// The integers that are printed.
pub trait Integer {
    /// Whether it is negative, and its absolute value.
    fn parts(self) -> (bool, u64);
}

impl Integer for u64 {
    #[inline]
    fn parts(self) -> (bool, u64) {
        (false, self)
    }
}

impl Integer for i64 {
    #[inline]
    fn parts(self) -> (bool, u64) {
        (self < 0, self.unsigned_abs())
    }
}

/// `00` to `99`, two digits each.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

/// Appends an integer in decimal. Most of the time of printing events is spent here, so digits
/// are made in pairs.
#[inline]
pub fn decimal(out: &mut Vec<u8>, value: impl Integer) {
    let (is_negative, mut value) = value.parts();
    if is_negative {
        out.push(b'-');
    }
    if value < 10 {
        return out.push(b'0' + value as u8);
    }
    let mut digits = [0; 20];
    let mut at = digits.len();
    while value >= 100 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[(value % 100) as usize]);
        value /= 100;
    }
    if value >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[value as usize]);
    } else {
        at -= 1;
        digits[at] = b'0' + value as u8;
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends an integer in hexadecimal, without prefix.
pub fn hexadecimal(out: &mut Vec<u8>, value: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let len = (64 - value.leading_zeros()).div_ceil(4).max(1);
    for i in (0..len).rev() {
        out.push(DIGITS[(value >> (4 * i)) as usize & 15]);
    }
}

/// Appends a string as `strconv.Quote` and the verb `%q` do.
pub fn quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut rest = text;
    while !rest.is_empty() {
        // Plain ASCII in one go, as it is nearly everything.
        let plain = rest
            .iter()
            .position(|&byte| !(0x20..0x7f).contains(&byte) || byte == b'"' || byte == b'\\')
            .unwrap_or(rest.len());
        out.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
        let Some(&byte) = rest.first() else { break };
        if byte < 0x80 {
            escape_ascii(out, byte);
            rest = &rest[1..];
            continue;
        }
        let (len, character) = first_character(rest);
        match character {
            Some(c) if is_print(c) => out.extend_from_slice(&rest[..len]),
            Some(c) if (c as u32) < 0x10000 => {
                write!(out, "\\u{:04x}", c as u32).expect("writing to memory");
            }
            Some(c) => write!(out, "\\U{:08x}", c as u32).expect("writing to memory"),
            None => write!(out, "\\x{byte:02x}").expect("writing to memory"),
        }
        rest = &rest[len..];
    }
    out.push(b'"');
}

fn escape_ascii(out: &mut Vec<u8>, byte: u8) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        0x07 => b'a',
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x0b => b'v',
        _ => return write!(out, "\\x{byte:02x}").expect("writing to memory"),
    };
    out.extend_from_slice(&[b'\\', letter]);
}

/// The first character and its length; `None` and 1 for a byte that is not UTF-8.
fn first_character(bytes: &[u8]) -> (usize, Option<char>) {
    let window = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(window) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&window[..error.valid_up_to()]).unwrap_or(""),
    };
    match valid.chars().next() {
        Some(c) => (c.len_utf8(), Some(c)),
        None => (1, None),
    }
}

/// Whether Go prints the character as it is (`strconv.IsPrint`). Rust's own escaping rule is the
/// same Unicode property: letters, marks, numbers, punctuation, symbols and the ASCII space.
fn is_print(c: char) -> bool {
    // A backslash escape is the only thing escape_debug makes of an unprintable character; marks
    // are printable for Go but escaped by Rust at the start of a string, hence the letter before.
    let mut text = String::from("a");
    text.push(c);
    let is_escaped = text.escape_debug().skip(1).any(|c| c == '\\');
    !is_escaped && (c == ' ' || !c.is_whitespace())
}

/// Appends a time in UTC as `time.RFC3339Nano`.
pub fn rfc3339_nano(out: &mut Vec<u8>, unix_seconds: i64, nanos: u64) {
    let seconds = unix_seconds.wrapping_add((nanos / 1_000_000_000) as i64);
    let nanos = nanos % 1_000_000_000;
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    write!(
        out,
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
    .expect("writing to memory");
    if nanos != 0 {
        let digits = format!("{nanos:09}");
        write!(out, ".{}", digits.trim_end_matches('0')).expect("writing to memory");
    }
    out.push(b'Z');
}

/// A time in UTC as `time.RFC3339Nano`.
pub fn utc(unix_ns: i64) -> String {
    let mut out = Vec::new();
    let second = 1_000_000_000;
    rfc3339_nano(&mut out, unix_ns.div_euclid(second), unix_ns.rem_euclid(second) as u64);
    String::from_utf8_lossy(&out).into_owned()
}

/// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar. Years
/// are counted from March, so that the leap day is the last of a year.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_print_as_in_go() {
        assert_eq!(text(|out| decimal(out, -1i64)), "-1");
        for n in [0u64, 9, 10, 99, 100, 12_345, 1_234_567_890_123] {
            assert_eq!(text(|out| decimal(out, n)), n.to_string());
        }
        assert_eq!(text(|out| decimal(out, u64::MAX)), "18446744073709551615");
        assert_eq!(text(|out| decimal(out, i64::MIN)), "-9223372036854775808");
        assert_eq!(text(|out| hexadecimal(out, 0)), "0");
        assert_eq!(text(|out| hexadecimal(out, 0x4a0_b1c2)), "4a0b1c2");
    }

    #[test]
    fn strings_are_quoted_as_in_go() {
        // Each pair was printed by Go 1.27: fmt.Printf("%q").
        for (input, want) in [
            (&b"plain"[..], r#""plain""#),
            (b"tab\tq\"b\\", r#""tab\tq\"b\\""#),
            (b"\x00\x07\x1b\x7f", r#""\x00\a\x1b\x7f""#),
            ("h\u{e9}llo \u{4e16}".as_bytes(), "\"h\u{e9}llo \u{4e16}\""),
            ("\u{a0}\u{200b}\u{feff}".as_bytes(), r#""\u00a0\u200b\ufeff""#),
            ("\u{1f600}\u{e0001}".as_bytes(), "\"\u{1f600}\\U000e0001\""),
            (b"\xff\xc3\x28", r#""\xff\xc3(""#),
            ("\u{301}x".as_bytes(), "\"\u{301}x\""),
        ] {
            assert_eq!(text(|out| quoted(out, input)), want);
        }
    }

    #[test]
    fn times_print_as_in_go() {
        assert_eq!(text(|out| rfc3339_nano(out, 0, 0)), "1970-01-01T00:00:00Z");
        assert_eq!(
            text(|out| rfc3339_nano(out, 1_709_210_096, 120_000_000)),
            "2024-02-29T12:34:56.12Z"
        );
        assert_eq!(text(|out| rfc3339_nano(out, -1, 5)), "1969-12-31T23:59:59.000000005Z");
        assert_eq!(text(|out| rfc3339_nano(out, 4_102_444_799, 0)), "2099-12-31T23:59:59Z");
    }
}
