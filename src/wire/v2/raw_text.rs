//! The text form of a trace, read back into events.
//!
//! Comes in: text as `gotrace events --wire` and `go tool trace -d=wire` print it, with the line
//! `Trace Go1.NN` before it. Goes out: a [`RawTrace`], and by
//! [`write_trace`](super::raw::write_trace) the bytes of a trace. It makes corner cases of the
//! scheduler readable tests:
//!
//! ```text
//! Trace Go1.26
//! EventBatch gen=1 m=7 time=100   # a comment
//! ProcStatus dt=1 p=0 pstatus=1
//! EventBatch gen=1 m=-1 time=100
//! Strings
//! String id=1
//!     data="main\x00"
//! EventBatch gen=1 m=-1 time=100
//! Stacks
//! Stack id=1
//!     pc=4096 func=1 file=1 line=12
//! ```
//!
//! Everything Go's reader of this form takes is taken. Beyond that, to make it bearable to write by
//! hand: `size` of a batch and `nframes` of a stack may be left out and are filled in; -1 may be
//! written for the number 2^64-1; and the data of an empty string may be left out, as Go's own
//! printer leaves it out.
//!
//! Source: Go 1.27 `internal/trace/raw/{doc,textreader}.go`.

use super::raw::{RawEvent, has_data, write_trace};
use super::spec::{ALL, EventType};
use crate::wire::Version;

/// A trace as a list of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawTrace {
    /// The version its header names.
    pub version: Version,
    /// Its events, in the order of the file.
    pub events: Vec<RawEvent>,
}

impl RawTrace {
    /// The trace in the wire format.
    pub fn to_bytes(&self) -> Vec<u8> {
        write_trace(self.version, &self.events)
    }
}

/// A place where the text is not what the form allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct TextError {
    /// Number of the line, from 1.
    pub line: usize,
    /// What was got and what was wanted.
    pub message: String,
}

const FRAME: [&str; 4] = ["pc", "func", "file", "line"];

/// Reads the text form of a trace.
pub fn parse_text(text: &str) -> Result<RawTrace, TextError> {
    let mut lines = Lines { lines: text.lines().enumerate().collect(), next: 0 };
    let Some((number, header)) = lines.take() else {
        return Err(TextError { line: 1, message: "want 'Trace Go1.NN', got nothing".into() });
    };
    let refuse = |message: String| TextError { line: number, message };
    let version = parse_header(header).map_err(refuse)?;
    let mut events: Vec<RawEvent> = Vec::new();
    // The batch whose size is still to be filled in.
    let mut open: Option<usize> = None;
    while let Some((number, line)) = lines.take() {
        let refuse = |message: String| TextError { line: number, message };
        let (event, lacks_size) = parse_event(line, version, &mut lines).map_err(refuse)?;
        let frames_batches = matches!(
            event.kind,
            EventType::EventBatch | EventType::ExperimentalBatch | EventType::EndOfGeneration
        );
        if frames_batches {
            close(&mut events, open.take());
        }
        if lacks_size {
            open = Some(events.len());
        }
        events.push(event);
    }
    close(&mut events, open);
    Ok(RawTrace { version, events })
}

/// Fills in the size of a batch that ends with the last event.
fn close(events: &mut [RawEvent], open: Option<usize>) {
    if let Some(batch) = open {
        let size: usize = events[batch + 1..].iter().map(RawEvent::encoded_len).sum();
        events[batch].args.push(size as u64);
    }
}

/// The lines that hold anything.
struct Lines<'a> {
    lines: Vec<(usize, &'a str)>,
    next: usize,
}

impl<'a> Lines<'a> {
    /// The next line and its number, from 1.
    fn peek(&mut self) -> Option<(usize, &'a str)> {
        loop {
            let &(index, line) = self.lines.get(self.next)?;
            if tokens(line).next().is_some() {
                return Some((index + 1, line));
            }
            self.next += 1;
        }
    }

    fn take(&mut self) -> Option<(usize, &'a str)> {
        let line = self.peek();
        self.next += 1;
        line
    }

    /// The next line if its first token begins with `name` and an equals sign.
    fn take_if(&mut self, name: &str) -> Option<&'a str> {
        let (_, line) = self.peek()?;
        let is_it = line
            .trim_start()
            .strip_prefix(name)
            .is_some_and(|rest| rest.trim_start().starts_with('='));
        if is_it { self.take().map(|(_, line)| line) } else { None }
    }
}

/// The words of a line up to a comment.
fn tokens(line: &str) -> impl Iterator<Item = &str> + Clone {
    line.split('#').next().unwrap_or("").split_whitespace()
}

fn parse_header(line: &str) -> Result<Version, String> {
    let mut words = tokens(line);
    let minor = match (words.next(), words.next(), words.next()) {
        (Some("Trace"), Some(version), None) => version.strip_prefix("Go1."),
        _ => None,
    };
    let minor = minor.ok_or_else(|| format!("want 'Trace Go1.NN', got '{}'", line.trim()))?;
    let version =
        minor.parse().ok().and_then(Version::from_minor).filter(|version| version.is_v2());
    version.ok_or_else(|| format!("there is no format Go1.{minor} with such events"))
}

/// Reads an event; tells whether its size is to be filled in.
fn parse_event(
    line: &str,
    version: Version,
    lines: &mut Lines,
) -> Result<(RawEvent, bool), String> {
    let mut words = tokens(line);
    let name = words.next().unwrap_or("");
    let kind = ALL
        .iter()
        .copied()
        .find(|kind| kind.name() == name && kind.spec().since <= version.minor())
        .ok_or_else(|| format!("there is no event '{name}' in {version}"))?;
    let mut event = RawEvent::new(kind);
    let names = kind.spec().args;
    let given = words.clone().count();
    let lacks_last =
        given + 1 == names.len() && matches!(kind, EventType::EventBatch | EventType::Stack);
    let wanted = if lacks_last { &names[..given] } else { names };
    arguments(words, wanted, &mut event.args).map_err(|error| format!("{name}: {error}"))?;
    if kind == EventType::Stack {
        let mut count = 0;
        while let Some(frame) = lines.take_if("pc") {
            if count == 0 && lacks_last {
                event.args.push(0);
            }
            arguments(tokens(frame), &FRAME, &mut event.args)
                .map_err(|error| format!("{name}: frame: {error}"))?;
            count += 1;
        }
        match event.args.get(1) {
            _ if lacks_last && count == 0 => event.args.push(0),
            _ if lacks_last => event.args[1] = count,
            Some(&want) if want != count => {
                return Err(format!("{name}: want {want} frames, got {count}"));
            }
            _ => {}
        }
        return Ok((event, false));
    }
    if has_data(kind)
        && let Some(line) = lines.take_if("data")
    {
        let (_, quoted) = line.split_once('=').unwrap_or(("", ""));
        event.data = unquote(quoted.trim()).map_err(|error| format!("{name}: data: {error}"))?;
    }
    Ok((event, lacks_last))
}

/// Reads `name=value` words, in the order of `names`.
fn arguments<'a>(
    mut words: impl Iterator<Item = &'a str>,
    names: &[&str],
    args: &mut Vec<u64>,
) -> Result<(), String> {
    for &name in names {
        let word = words.next().ok_or_else(|| format!("want {name}=, got nothing"))?;
        let value = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
        let value = value.ok_or_else(|| format!("want {name}=, got '{word}'"))?;
        let number = value.parse::<u64>().or_else(|error| match value {
            "-1" => Ok(u64::MAX),
            _ => Err(error),
        });
        args.push(number.map_err(|_| format!("{name}: '{value}' is no number of 64 bits"))?);
    }
    match words.next() {
        Some(word) => Err(format!("want nothing more, got '{word}'")),
        None => Ok(()),
    }
}

/// The bytes that a Go string literal stands for, as Go's `strconv.Unquote` reads it.
fn unquote(literal: &str) -> Result<Vec<u8>, String> {
    if let Some(raw) = literal.strip_prefix('`') {
        let raw = raw.strip_suffix('`').filter(|raw| !raw.contains('`'));
        return raw
            .map(|raw| raw.replace('\r', "").into_bytes())
            .ok_or_else(|| "the literal does not end".into());
    }
    let inner = literal
        .strip_prefix('"')
        .ok_or_else(|| format!("want a quoted string, got '{literal}'"))?;
    let mut out = Vec::new();
    let mut rest = inner;
    loop {
        let plain = rest.find(['"', '\\']).ok_or("the literal does not end")?;
        out.extend_from_slice(&rest.as_bytes()[..plain]);
        if rest.as_bytes()[plain] == b'"' {
            let behind = &rest[plain + 1..];
            return if behind.is_empty() {
                Ok(out)
            } else {
                Err(format!("'{behind}' behind the literal"))
            };
        }
        rest = escape(&rest[plain + 1..], &mut out)?;
    }
}

/// Appends what an escape stands for; returns what is behind it.
fn escape<'a>(text: &'a str, out: &mut Vec<u8>) -> Result<&'a str, String> {
    let letter = text.chars().next().ok_or("the literal does not end")?;
    let rest = &text[letter.len_utf8()..];
    let simple = match letter {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        '"' => b'"',
        'x' | 'u' | 'U' | '0'..='7' => return numeric_escape(letter, text, out),
        _ => return Err(format!("unknown escape \\{letter}")),
    };
    out.push(simple);
    Ok(rest)
}

/// `\xHH`, `\OOO`, `\uHHHH` or `\UHHHHHHHH`; `text` begins behind the backslash.
fn numeric_escape<'a>(letter: char, text: &'a str, out: &mut Vec<u8>) -> Result<&'a str, String> {
    let (skip, len, radix) = match letter {
        'x' => (1, 2, 16),
        'u' => (1, 4, 16),
        'U' => (1, 8, 16),
        _ => (0, 3, 8),
    };
    let refuse = || format!("malformed escape \\{letter}");
    let digits = text.get(skip..skip + len).ok_or_else(refuse)?;
    // `from_str_radix` would take a sign.
    let is_number = digits.chars().all(|c| c.is_digit(radix));
    let value = u32::from_str_radix(digits, radix).ok().filter(|_| is_number).ok_or_else(refuse)?;
    if matches!(letter, 'u' | 'U') {
        let character = char::from_u32(value).ok_or_else(refuse)?;
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        out.push(u8::try_from(value).map_err(|_| refuse())?);
    }
    Ok(&text[skip + len..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(body: &str) -> Result<Vec<RawEvent>, String> {
        parse_text(&format!("Trace Go1.23\n{body}"))
            .map(|trace| trace.events)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn sizes_and_counts_are_filled_in() {
        let text = "
            EventBatch gen=1 m=-1 time=5   # of no thread
            Stacks
            Stack id=1
              pc=1 func=2 file=3 line=300
              pc=5 func=6 file=7 line=8
            Stack id=2 nframes=0
            # nothing
            EventBatch gen=1 m=2 time=5 size=99
            ProcStop dt=1
            EventBatch gen=1 m=-1 time=5
            Strings
            String id=1
              data=\"a # b\"
            String id=2";
        let events = events(text).unwrap();
        assert_eq!(events[0].args, [1, u64::MAX, 5, 1 + 12 + 3]);
        assert_eq!(events[2].args, [1, 2, 1, 2, 3, 300, 5, 6, 7, 8]);
        assert_eq!(events[3].args, [2, 0]);
        assert_eq!(events[4].args[3], 99);
        assert_eq!(events[6].args[3], 1 + 8 + 3);
        assert_eq!((&events[8].data[..], &events[9].data[..]), (&b"a # b"[..], &b""[..]));
    }

    #[test]
    fn errors_name_the_line_and_what_was_wanted() {
        for (body, want) in [
            ("GoStart dt=1 g=2", "line 2: GoStart: want g_seq=, got nothing"),
            ("\nGoStart dt=1 p=2 g_seq=1", "line 3: GoStart: want g=, got 'p=2'"),
            ("ProcStop dt=x", "line 2: ProcStop: dt: 'x' is no number of 64 bits"),
            ("ProcStop dt=1 dt=2", "want nothing more, got 'dt=2'"),
            ("Nothing", "there is no event 'Nothing'"),
            ("EndOfGeneration", "there is no event 'EndOfGeneration' in go 1.23"),
            ("Stack id=1 nframes=2\npc=1 func=1 file=1 line=1", "want 2 frames, got 1"),
            ("Stack id=1\npc=1 func=1 line=1", "frame: want file="),
            ("String id=1\ndata=abc", "want a quoted string, got 'abc'"),
            ("String id=1\ndata=\"abc", "the literal does not end"),
            ("String id=1\ndata=\"abc\" x", "' x' behind the literal"),
            ("String id=1\ndata=\"\\q\"", "unknown escape \\q"),
        ] {
            let error = events(body).unwrap_err();
            assert!(error.contains(want), "{body}: {error}");
        }
        for header in
            ["", "Trace", "Trace Go1.21", "Trace Go1.99", "Trace Go1.22 x", "trace Go1.22"]
        {
            let error = parse_text(header).unwrap_err().to_string();
            assert!(error.starts_with("line 1: "), "{header}: {error}");
        }
    }

    #[test]
    fn literals_are_those_of_go() {
        for (literal, want) in [
            (r#""""#, &b""[..]),
            (r#""a\t\"b\\\n""#, b"a\t\"b\\\n"),
            (r#""\x00\xff\101\a\b\f\r\v""#, b"\x00\xffA\x07\x08\x0c\r\x0b"),
            (r#""\u4e16\U0001f600""#, "\u{4e16}\u{1f600}".as_bytes()),
            ("`raw \\n`", b"raw \\n"),
        ] {
            assert_eq!(unquote(literal).as_deref(), Ok(want), "{literal}");
        }
        for literal in [
            r#""\x0""#,
            r#""\xzz""#,
            r#""\u+123""#,
            r#""\ud800""#,
            r#""\777""#,
            r#""\'""#,
            r#""é\x"#,
            "`a`b`",
            "\"",
        ] {
            assert!(unquote(literal).is_err(), "{literal}");
        }
    }
}
