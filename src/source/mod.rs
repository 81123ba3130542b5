//! Where bytes come from: files, standard input, the web; plain, gzip or zstd.
//!
//! Comes in: what the user named. Goes out: a [`ByteStream`], which hands out the uncompressed
//! bytes through a sliding window and counts absolute offsets, so that every error can name one.
//! A format that cannot be read from front to back asks for [`RandomAccess`] instead.

mod http;
mod random;
mod stream;

pub use http::{DownloadLimits, download, open_url, recording_time};
pub use random::RandomAccess;
pub use stream::ByteStream;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the user named as a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file.
    Path(PathBuf),
    /// `-`, standard input.
    Stdin,
    /// What begins with `http://` or `https://`.
    Url {
        /// As the user wrote it.
        url: String,
        /// How much to take from there, and how long to wait.
        limits: DownloadLimits,
    },
}

impl Location {
    /// Reads the notation of the command line.
    pub fn parse(text: &str) -> Location {
        let has_scheme = |scheme: &str| {
            text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        if text == "-" {
            Location::Stdin
        } else if has_scheme("http://") || has_scheme("https://") {
            Location::Url { url: text.into(), limits: DownloadLimits::default() }
        } else {
            Location::Path(PathBuf::from(text))
        }
    }

    /// The same place, with this bound if it is on the web.
    pub fn with_max_download(mut self, bytes: u64) -> Location {
        if let Location::Url { limits, .. } = &mut self {
            limits.bytes = bytes;
        }
        self
    }

    /// The same place; if it is on the web, no answer for that long means that none will come.
    pub fn with_patience(mut self, patience: Duration) -> Location {
        if let Location::Url { limits, .. } = &mut self {
            limits.patience = Some(patience);
        }
        self
    }

    /// What a file with the same content would be called; `None` for standard input.
    pub fn file_name(&self) -> Option<PathBuf> {
        match self {
            Location::Path(path) => Some(path.clone()),
            Location::Stdin => None,
            Location::Url { url, .. } => {
                let path = url.split(['?', '#']).next().unwrap_or("");
                let (_, path) = path.split_once("://").unwrap_or(("", path));
                // The first part is the host.
                let name = path
                    .split('/')
                    .skip(1)
                    .filter(|part| !part.is_empty())
                    .last()
                    .unwrap_or("trace");
                let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
                let name: String =
                    name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
                // Neither hidden nor a folder.
                Some(match name.trim_start_matches('.') {
                    "" => "trace".into(),
                    name => name.into(),
                })
            }
        }
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Location::Path(path) => Some(path),
            Location::Stdin | Location::Url { .. } => None,
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Location::Path(path) => write!(f, "{}", path.display()),
            Location::Stdin => f.write_str("standard input"),
            Location::Url { url, .. } => f.write_str(&without_password(url)),
        }
    }
}

/// A URL without what stands before the @: it is shown and stored.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..host_end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.into(),
    }
}

/// Why a source could not be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file system, or the server, refused.
    #[error("{what}")]
    Open {
        /// The error in words, with advice where there is any.
        what: String,
    },
    /// Reading failed in the middle.
    #[error("byte {offset}: reading failed: {source}")]
    Read {
        /// Uncompressed bytes read before the failure.
        offset: u64,
        /// What the system or the decompressor said.
        source: io::Error,
    },
}

/// How the bytes were packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// Shared count of the bytes read so far from the source itself (compressed, if it is).
#[derive(Debug, Clone, Default)]
pub struct Position(Arc<AtomicU64>);

impl Position {
    /// Bytes read so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A reader whose bytes count.
    pub fn counting(&self, inner: impl Read) -> impl Read {
        Counted { inner, position: self.clone() }
    }
}

struct Counted<R> {
    inner: R,
    position: Position,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.position.add(n as u64);
        Ok(n)
    }
}

/// An opened source.
pub struct Source {
    /// The uncompressed bytes.
    pub stream: ByteStream,
    /// How it was packed.
    pub packing: Packing,
    /// Size in bytes as it lies on disk; `None` for standard input.
    pub size_bytes: Option<u64>,
    /// Progress through [`Source::size_bytes`].
    pub position: Position,
    /// The file itself, if it can be read at any place.
    file: Option<File>,
}

impl Source {
    /// The uncompressed bytes, readable in any order: the file itself if it is a plain one, else
    /// a copy of what is left of [`Source::stream`]. Offsets count from the start of the input
    /// either way. What the stream still holds must not be read afterwards, except its error.
    pub fn random_access(&mut self) -> Result<RandomAccess, SourceError> {
        match self.file.take() {
            Some(file) => RandomAccess::from_file(file)
                .map(|bytes| bytes.telling(self.position.clone()))
                .map_err(|error| SourceError::Open { what: error.to_string() }),
            None => RandomAccess::spool(&mut self.stream),
        }
    }
}

/// Opens `location`; packing is seen from the first bytes, never from the name.
pub fn open(location: &Location) -> Result<Source, SourceError> {
    match location {
        Location::Stdin => from_reader(io::stdin(), None),
        Location::Url { url, limits } => open_url(url, *limits),
        Location::Path(path) => {
            let refuse = |what: String| SourceError::Open { what };
            let file = File::open(path).map_err(|error| refuse(open_failure(&error)))?;
            let metadata = file.metadata().map_err(|error| refuse(error.to_string()))?;
            if metadata.is_dir() {
                return Err(refuse("is a directory; name the trace files in it".into()));
            }
            // A second handle, because the stream owns the first. Reading at a place moves the
            // position of both on Windows, which is why the stream must not be read then.
            let seekable = metadata.is_file().then(|| file.try_clone().ok()).flatten();
            let mut source = from_reader(file, metadata.is_file().then_some(metadata.len()))?;
            source.file = seekable.filter(|_| source.packing == Packing::Plain);
            Ok(source)
        }
    }
}

fn open_failure(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

/// Reads from any reader, unpacking as needed. `size_bytes` is only used for progress.
pub fn from_reader(
    reader: impl Read + Send + 'static,
    size_bytes: Option<u64>,
) -> Result<Source, SourceError> {
    let position = Position::default();
    let mut counted = Counted { inner: reader, position: position.clone() };
    let mut magic = Vec::with_capacity(4);
    (&mut counted)
        .take(4)
        .read_to_end(&mut magic)
        .map_err(|source| SourceError::Read { offset: 0, source })?;
    let packing = match magic[..] {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Packing::Zstd,
        _ => Packing::Plain,
    };
    let whole = io::Cursor::new(magic).chain(counted);
    let unpacked: Box<dyn Read + Send> = match packing {
        Packing::Plain => Box::new(whole),
        Packing::Gzip => {
            Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(1 << 18, whole)))
        }
        Packing::Zstd => Box::new(
            zstd::stream::read::Decoder::new(whole)
                .map_err(|source| SourceError::Read { offset: 0, source })?,
        ),
    };
    let mut stream = ByteStream::new(unpacked);
    if packing != Packing::Plain {
        stream = stream.unpacked_from(position.clone());
    }
    Ok(Source { stream, packing, size_bytes, position, file: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_told_apart_by_their_notation() {
        assert_eq!(Location::parse("-"), Location::Stdin);
        assert_eq!(Location::parse("https.trace").path(), Some(Path::new("https.trace")));
        assert_eq!(Location::parse("héttp://x").path(), Some(Path::new("héttp://x")));
        assert!(matches!(Location::parse("HTTP://h:6060/x"), Location::Url { .. }));
        assert_eq!(Location::parse("http://me:secret@h/x?a=@").to_string(), "http://h/x?a=@");
        assert_eq!(Location::parse("http://h/x@y").to_string(), "http://h/x@y");
    }

    #[test]
    fn a_url_has_the_name_of_its_last_part() {
        for (url, want) in [
            ("http://host:6060/debug/pprof/trace?seconds=5", "trace"),
            ("https://host/files/app.trace.gz#x", "app.trace.gz"),
            ("http://host:6060", "trace"),
            ("http://host/?q=/x", "trace"),
            ("http://host/a/", "a"),
            ("http://host/..", "trace"),
            ("http://host/a%2fb", "a_2fb"),
        ] {
            assert_eq!(Location::parse(url).file_name(), Some(want.into()), "{url}");
        }
    }
}
