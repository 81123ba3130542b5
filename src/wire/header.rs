//! The 16 bytes every trace begins with: `go 1.NN trace\0\0\0`.

use super::WireError;
use nom::Parser;
use nom::bytes::complete::tag;
use nom::character::complete::u8 as decimal;
use nom::sequence::delimited;

/// Length of the header, bytes. (`go 1.5 trace` and older were one byte shorter and padded.)
pub const HEADER_LEN: usize = 16;

/// The format of a trace: the number in its header, which is not the Go release that wrote it
/// (Go 1.24 writes 1.23, Go 1.27 writes 1.26).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u8);

impl Version {
    /// The headers that are understood (Go 1.27 `internal/trace/version/version.go`).
    pub const KNOWN: [Version; 7] =
        [Version(11), Version(19), Version(21), Version(22), Version(23), Version(25), Version(26)];

    /// The version `go 1.NN`, if it is known.
    pub fn from_minor(minor: u8) -> Option<Version> {
        Some(Version(minor)).filter(|version| Self::KNOWN.contains(version))
    }

    /// The bytes at the start of a trace of this version.
    pub fn header(self) -> [u8; HEADER_LEN] {
        let mut header = *b"go 1.NN trace\0\0\0";
        (header[5], header[6]) = (b'0' + self.0 / 10, b'0' + self.0 % 10);
        header
    }

    /// NN of `go 1.NN trace`.
    pub fn minor(self) -> u8 {
        self.0
    }

    /// Whether this is the per-thread, per-generation format of Go 1.22 and later.
    pub fn is_v2(self) -> bool {
        self.0 >= 22
    }

    /// Which Go releases write this header, in words.
    pub fn written_by(self) -> &'static str {
        match self.0 {
            11 => "Go 1.11 to 1.18",
            19 => "Go 1.19 or 1.20",
            21 => "Go 1.21",
            22 => "Go 1.22",
            23 => "Go 1.23 or 1.24",
            25 => "Go 1.25",
            _ => "Go 1.26 or 1.27",
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "go 1.{}", self.0)
    }
}

/// Whether `start` looks like the start of a trace of any version.
pub fn looks_like_trace(start: &[u8]) -> bool {
    parse(start).is_some()
}

fn parse(start: &[u8]) -> Option<u8> {
    let mut parser = delimited(
        tag::<_, _, nom::error::Error<&[u8]>>(&b"go 1."[..]),
        decimal,
        tag(&b" trace"[..]),
    );
    parser.parse(start).ok().map(|(_, minor)| minor)
}

/// Parses the header at the start of `start`.
pub fn parse_header(start: &[u8]) -> Result<Version, WireError> {
    if start.is_empty() {
        return Err(WireError::new(
            0,
            "the file is empty; was the program stopped before trace.Stop?",
        ));
    }
    let Some(minor) = parse(start) else {
        return Err(WireError::new(0, describe_stranger(start)));
    };
    let version = Version(minor);
    if !Version::KNOWN.contains(&version) {
        let newest = Version::KNOWN[Version::KNOWN.len() - 1];
        let advice = if version > newest {
            "it was written by a newer Go; a newer gotrace is needed"
        } else {
            "such an old format is not supported"
        };
        return Err(WireError::new(5, format!("unknown trace version {version}: {advice}")));
    }
    // "go 1.NN trace" and three NUL bytes: 16 bytes for every known version.
    if start.len() < HEADER_LEN {
        return Err(WireError::new(start.len() as u64, "the file ends inside the trace header"));
    }
    if start[HEADER_LEN - 3..HEADER_LEN] != [0, 0, 0] {
        return Err(WireError::new(
            HEADER_LEN as u64 - 3,
            "bad trace header: want three zero bytes",
        ));
    }
    Ok(version)
}

/// Says what a file that is no trace seems to be, because that is what helps.
fn describe_stranger(start: &[u8]) -> String {
    let guess = crate::source::describe_stranger(start);
    let guess = guess.unwrap_or_else(|| "it does not begin with \"go 1.NN trace\"".into());
    format!("not a Go execution trace: {guess}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_versions_parse_and_others_say_what_to_do() {
        assert_eq!(parse_header(b"go 1.26 trace\0\0\0rest").unwrap().minor(), 26);
        let newer = parse_header(b"go 1.31 trace\0\0\0").unwrap_err().to_string();
        assert!(newer.contains("newer gotrace"), "{newer}");
        assert!(parse_header(b"go 1.20 trace\0\0\0").is_err());
        assert!(parse_header(b"go 1.22 tr").unwrap_err().to_string().contains("not a Go"));
        assert!(parse_header(b"go 1.22 trace\0").unwrap_err().to_string().contains("ends inside"));
        for version in Version::KNOWN {
            assert_eq!(parse_header(&version.header()), Ok(version));
            assert_eq!(Version::from_minor(version.minor()), Some(version));
        }
        assert_eq!(Version::from_minor(20), None);
        assert!(parse_header(b"").unwrap_err().to_string().contains("empty"));
        assert!(parse_header(b"go 1.999 trace\0\0").is_err());
    }
}
