//! Standard output and standard error.
//!
//! Names in traces and profiles are anybody's text. On a terminal a control character in one of them
//! would act: move the cursor, change the title, hide or forge what is shown. So everything that this
//! program prints goes through here, and into a terminal such characters are written as escapes.
//! Into a file or a pipe the bytes are what they are.

use super::{Error, Result};
pub use crate::picture::shown;
use crate::report::write::{Style, Styled};
use clap::ValueEnum;
use std::io::{self, BufWriter, IsTerminal, StderrLock, Stdout, StdoutLock, Write};

/// A standard stream. If it is a terminal, whatever could act on it is shown instead.
pub struct Guarded<W: Write> {
    inner: W,
    is_terminal: bool,
    /// Whether styles become colours.
    has_colors: bool,
    /// The beginning of a letter whose other bytes have not come yet.
    pending: Vec<u8>,
}

/// Standard output, until the value is dropped nobody else's.
pub fn output() -> Guarded<StdoutLock<'static>> {
    guard(io::stdout().lock())
}

/// When there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal that has them, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Standard output with colours, if they are wanted.
pub fn painted_output(color: Color) -> Guarded<StdoutLock<'static>> {
    let mut out = output();
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    out.has_colors = match color {
        Color::Always => true,
        Color::Never => false,
        // https://no-color.org
        Color::Auto => {
            out.is_terminal
                && variable("NO_COLOR").is_none()
                && variable("TERM").is_none_or(|term| term != "dumb")
        }
    };
    // Who colours what goes into a pipe has a terminal behind it.
    out.is_terminal |= out.has_colors;
    out
}

/// Standard output for another thread to write to.
pub fn shared_output() -> Guarded<Stdout> {
    guard(io::stdout())
}

/// Standard error.
pub fn messages() -> Guarded<StderrLock<'static>> {
    guard(io::stderr().lock())
}

fn guard<W: Write + IsTerminal>(inner: W) -> Guarded<W> {
    let is_terminal = inner.is_terminal();
    Guarded { inner, is_terminal, has_colors: false, pending: Vec::new() }
}

/// Refuses to write into a terminal what is not for people.
pub fn refuse_terminal(what: &str, option: &str) -> Result<()> {
    match io::stdout().is_terminal() {
        true => Err(Error::Usage(format!(
            "{what} is not for a terminal; {option} writes a file, and a pipe takes it"
        ))),
        false => Ok(()),
    }
}

impl<W: Write> Guarded<W> {
    fn write_guarded(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut joined = std::mem::take(&mut self.pending);
        let mut rest = match joined.is_empty() {
            true => bytes,
            false => {
                joined.extend_from_slice(bytes);
                &joined
            }
        };
        while !rest.is_empty() {
            let (valid, wrong) = match std::str::from_utf8(rest) {
                Ok(text) => (text, None),
                Err(error) => {
                    let valid = &rest[..error.valid_up_to()];
                    let valid = std::str::from_utf8(valid).expect("it was found to be UTF-8");
                    (valid, Some(error.error_len()))
                }
            };
            self.inner.write_all(shown(valid).as_bytes())?;
            rest = &rest[valid.len()..];
            match wrong {
                None => {}
                Some(Some(len)) => {
                    self.write_bytes_shown(&rest[..len])?;
                    rest = &rest[len..];
                }
                Some(None) => {
                    self.pending = rest.to_vec();
                    break;
                }
            }
        }
        Ok(())
    }

    /// Bytes that are no letters; some terminals take those from 0x80 on for control characters.
    fn write_bytes_shown(&mut self, bytes: &[u8]) -> io::Result<()> {
        bytes.iter().try_for_each(|byte| write!(self.inner, "\\x{byte:02x}"))
    }
}

impl<W: Write> Write for Guarded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.is_terminal {
            false => self.inner.write(bytes),
            true => self.write_guarded(bytes).map(|()| bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write> Guarded<W> {
    /// Whether what comes from here on is bold, red or plain; on a terminal that shows colours.
    fn paint(&mut self, style: Style) -> io::Result<()> {
        if !self.has_colors {
            return Ok(());
        }
        self.inner.write_all(match style {
            Style::Plain => b"\x1b[0m",
            Style::Heading => b"\x1b[1m",
            Style::Cost => b"\x1b[31m",
        })
    }
}

impl<W: Write> Styled for BufWriter<Guarded<W>> {
    fn style(&mut self, style: Style) -> io::Result<()> {
        // What was written before it has to come before it.
        self.flush()?;
        self.get_mut().paint(style)
    }
}

impl<W: Write> Drop for Guarded<W> {
    fn drop(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        // Whoever wants to know about an error has flushed.
        let _ = self.write_bytes_shown(&pending);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(parts: &[&[u8]], is_terminal: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let mut guarded =
            Guarded { inner: &mut out, is_terminal, has_colors: false, pending: Vec::new() };
        parts.iter().for_each(|part| guarded.write_all(part).unwrap());
        drop(guarded);
        out
    }

    #[test]
    fn what_acts_is_shown_on_a_terminal_and_untouched_elsewhere() {
        let hostile = "a\x1b[31mb\u{85}c\u{202e}d\re\x7f\n\tµ──é\u{1f600}";
        assert_eq!(through(&[hostile.as_bytes()], false), hostile.as_bytes());
        let safe = "a\\x1b[31mb\\u{85}c\\u{202e}d\\re\\x7f\n\tµ──é\u{1f600}";
        assert_eq!(through(&[hostile.as_bytes()], true), safe.as_bytes());
        // However it comes, letters cut in the middle included.
        for at in 0..hostile.len() {
            let (a, b) = hostile.as_bytes().split_at(at);
            assert_eq!(through(&[a, b], true), safe.as_bytes(), "{at}");
        }
        let bytes: Vec<&[u8]> = hostile.as_bytes().chunks(1).collect();
        assert_eq!(through(&bytes, true), safe.as_bytes());
        assert_eq!(through(&[b"\x9b31m\xffx\xe2\x94"], true), b"\\x9b31m\\xffx\\xe2\\x94");
    }
}
