//! Profiles in the forms that came before `profile.proto`: what `/debug/pprof/NAME?debug=1` gives,
//! and `goroutine?debug=2`; and what gperftools and Java's profilers wrote.
//!
//! Comes in: the bytes. Goes out: a profile with the samples, addresses and mappings that pprof
//! makes of it (Go 1.27 pprof `profile/legacy_profile.go`, `legacy_java_profile.go`). There is one
//! file here for each form. pprof ignores the comments, in which Go writes what is at each address;
//! here they give the functions, unless the user does not want them. The form with `debug=2` is not
//! known to pprof at all; see [`goroutine_text`].

mod contention;
mod count;
mod cpu;
mod frames;
mod heap;
mod java;
mod lines;
mod map;
mod stacks;
mod symbols;
mod threads;

use super::error::ProfileError;
use super::goroutine_text;
use super::limits::ReadLimits;
use super::model::Profile;
use crate::source::ByteStream;
use crate::wire::WireError;
use lines::{LossyText, whole};
use regex::Regex;
use stacks::Stacks;

/// The forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Cpu(cpu::Header),
    Heap,
    Contention,
    Java(java::Kind),
    Count,
    Threads,
    Goroutines,
}

/// How much of a source is looked at, bytes.
const LOOK: usize = 4096;

/// Whether the stream begins as a profile in one of these forms does.
pub fn is_legacy(stream: &mut ByteStream) -> bool {
    let start = stream.peek(LOOK);
    form_of(&start[..start.len().min(LOOK)]).is_some()
}

fn form_of(start: &[u8]) -> Option<Form> {
    if let Some(header) = cpu::Header::of(start) {
        return Some(Form::Cpu(header));
    }
    let text = String::from_utf8_lossy(start);
    let first = text.lines().next()?;
    if first.contains("heap profile:") && heap::is_first_line(first) {
        return Some(Form::Heap);
    }
    if let Some(kind) = java::Kind::of(&text) {
        return Some(Form::Java(kind));
    }
    if ["--- contentionz ", "--- mutex:", "--- contention:"].iter().any(|s| first.starts_with(s)) {
        return Some(Form::Contention);
    }
    let first = text.lines().find(|line| !is_blank(line))?;
    // To compile the patterns takes longer than to read a small profile that is no text.
    if first.contains(" profile: total ") && count::is_first_line(first) {
        Some(Form::Count)
    } else if threads::is_first_line(first) {
        Some(Form::Threads)
    } else if first.starts_with("goroutine ") && goroutine_text::is_first_line(first) {
        Some(Form::Goroutines)
    } else {
        None
    }
}

/// Reads a profile in one of these forms. `with_symbols` takes the functions from the comments.
pub fn read(
    stream: &mut ByteStream,
    with_symbols: bool,
    limits: ReadLimits,
) -> Result<Profile, ProfileError> {
    let bytes = whole(stream, limits)?;
    let form = form_of(&bytes[..bytes.len().min(LOOK)])
        .ok_or_else(|| WireError::new(0, "this is no profile in an old form"))?;
    if let Form::Cpu(header) = form {
        return Ok(cpu::read(&bytes, header)?);
    }
    if form == Form::Goroutines {
        return Ok(goroutine_text::read(&String::from_utf8_lossy(&bytes)));
    }
    let text = LossyText::new(&bytes, 0);
    let mut stacks = Stacks::default();
    let mut lines = text.lines();
    match form {
        Form::Heap => heap::read(&mut lines, &mut stacks)?,
        Form::Contention => contention::read(&mut lines, &mut stacks)?,
        Form::Threads => threads::read(&mut lines, &mut stacks)?,
        Form::Java(kind) => java::read(kind, &mut lines, &mut stacks)?,
        _ => count::read(&mut lines, &mut stacks)?,
    }
    let mut profile = stacks.finish(with_symbols);
    if matches!(form, Form::Java(_)) {
        java::drop_addresses(&mut profile);
    }
    Ok(profile)
}

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is right")
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

fn wrong(offset: u64, what: &str, line: &str) -> WireError {
    let shown: String = line.chars().take(80).collect();
    WireError::new(offset, format!("{what}, got {shown:?}"))
}

/// A whole number as Go's `strconv.ParseInt` reads it with base 0: also `0x1f`, `0b1`, `0o17`, `017`.
fn number(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (base, digits) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.starts_with(|letter: char| letter.is_ascii_hexdigit()) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{digits}"), base).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_of_goroutines_become_samples_with_their_state() {
        let text = "goroutine 1 [running]:\nmain.main()\n\t/a/main.go:5 +0x1d\n\n\
            goroutine 7 [chan receive, 12 minutes]:\nmain.f(0x1)\n\tm.go:9 +0x1\n\
            created by main.main in goroutine 1\n\tm.go:3 +0x2\n";
        let mut stream = ByteStream::from_bytes(text);
        assert!(is_legacy(&mut stream));
        let profile = read(&mut stream, true, ReadLimits::default()).unwrap();
        assert_eq!(profile.samples.len(), 2);
        assert_eq!(profile.samples.stack(1).len(), 1);
        assert_eq!(profile.labels(1).len(), 2);
    }

    #[test]
    fn damaged_text_is_refused_with_its_place() {
        let mut stream = ByteStream::from_bytes("goroutine profile: total 1\n\nnonsense\n");
        let error = read(&mut stream, true, ReadLimits::default()).unwrap_err().to_string();
        assert!(error.starts_with("byte 28: want a count and a stack"), "{error}");
    }

    #[test]
    fn places_are_those_of_the_source_although_bytes_are_no_text() {
        let bytes = b"goroutine profile: total 1\n# \xff\xfe\xfd\nnonsense\n";
        let mut stream = ByteStream::from_bytes(&bytes[..]);
        let error = read(&mut stream, true, ReadLimits::default()).unwrap_err().to_string();
        assert!(error.starts_with("byte 33: want a count and a stack"), "{error}");
    }

    #[test]
    fn numbers_are_read_in_the_base_that_they_name() {
        for (text, value) in
            [("0", 0), ("10", 10), ("010", 8), ("0x1F", 31), ("-0b11", -3), ("0o17", 15)]
        {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["", "-", "0x", "08", "1x", "0x-1", "9223372036854775808"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
