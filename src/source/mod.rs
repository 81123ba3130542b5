//! Where bytes come from: files, standard input, the web; plain, gzip or zstd.
//!
//! Comes in: what the user named. Goes out: a [`ByteStream`], which hands out the uncompressed
//! bytes through a sliding window and counts absolute offsets, so that every error can name one.
//! A format that cannot be read from front to back asks for [`RandomAccess`] instead.

mod access;
mod answer;
#[cfg(feature = "analysis")]
mod expand;
#[cfg(feature = "url")]
mod http;
mod limits;
#[cfg(feature = "url")]
mod proxy;
mod random;
mod stranger;
mod stream;
#[cfg(feature = "url")]
mod target;
#[cfg(feature = "url")]
mod tls;
#[cfg(feature = "url")]
mod transport;

pub use access::{Access, Headers, PemFile};
#[cfg(feature = "analysis")]
pub use expand::{Expansion, expand};
#[cfg(feature = "url")]
pub use http::{download, open_url};
pub use limits::{DownloadLimits, recording_time};
pub use random::{RandomAccess, read_some_at};
pub use stranger::describe as describe_stranger;
pub use stream::ByteStream;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the user named as a source. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file.
    Path(PathBuf),
    /// `-`, standard input.
    Stdin,
    /// What begins with one of the [`SCHEMES`].
    Url {
        /// As the user wrote it.
        url: String,
        /// How much to take from there, and how long to wait.
        limits: DownloadLimits,
        /// How to be let in.
        access: Box<Access>,
    },
}

/// How a URL begins: over TCP, over TLS, over TLS whoever answers, as in pprof, and over a Unix socket.
pub const SCHEMES: [&str; 5] =
    ["http://", "https://", "https+insecure://", "http+unix://", "unix://"];

impl Location {
    /// Reads the notation of the command line. The name of a file may be of any bytes.
    pub fn parse(name: impl AsRef<OsStr>) -> Location {
        let name = name.as_ref();
        let is_url = |text: &str| {
            SCHEMES.iter().any(|scheme| {
                text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            })
        };
        match name.to_str() {
            Some("-") => Location::Stdin,
            Some(text) if is_url(text) => Location::Url {
                url: text.into(),
                limits: DownloadLimits::default(),
                access: Box::default(),
            },
            _ => Location::Path(PathBuf::from(name)),
        }
    }

    /// The place as a word of a command line; what lets one in is left out of it.
    pub fn word(&self) -> String {
        match self {
            Location::Stdin => "-".into(),
            place => place.to_string(),
        }
    }

    /// The same place; if it is on the web, with bounds for its bytes and for the time they take.
    pub fn with_download(mut self, bytes: u64, time: Duration) -> Location {
        if let Location::Url { limits, .. } = &mut self {
            (limits.bytes, limits.time) = (bytes, time);
        }
        self
    }

    /// The same place; if it is on the web, with what lets in there.
    pub fn with_access(mut self, wanted: Access) -> Location {
        if let Location::Url { access, .. } = &mut self {
            **access = wanted;
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

impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Location::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Location::Stdin => f.write_str("Stdin"),
            Location::Url { url, limits, access } => f
                .debug_struct("Url")
                .field("url", &without_secrets(url))
                .field("limits", limits)
                .field("access", access)
                .finish(),
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Location::Path(path) => write!(f, "{}", path.display()),
            Location::Stdin => f.write_str("standard input"),
            Location::Url { url, .. } => f.write_str(&without_secrets(url)),
        }
    }
}

/// A URL without what stands before the @ and without the values of parameters that let in: it is shown
/// and stored.
fn without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let rest = rest[..host_end].rfind('@').map_or(rest, |at| &rest[at + 1..]);
    let Some((place, query)) = rest.split_once('?') else { return format!("{scheme}://{rest}") };
    let (query, fragment) = query.split_at(query.find('#').unwrap_or(query.len()));
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) if !value.is_empty() && is_secret(name) => {
            format!("{name}={}", access::HIDDEN)
        }
        _ => pair.to_owned(),
    });
    format!("{scheme}://{place}?{}{fragment}", pairs.collect::<Vec<_>>().join("&"))
}

/// Whether a parameter is one of those with which servers let in: `access_token`, `X-Amz-Signature`.
fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 9] = [
        "token",
        "secret",
        "password",
        "passwd",
        "apikey",
        "auth",
        "signature",
        "sig",
        "credential",
    ];
    let name = name.to_ascii_lowercase();
    name == "api_key"
        || name == "api-key"
        || name.split(['_', '-', '.']).any(|word| WORDS.contains(&word))
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

impl SourceError {
    /// The error without its place, for who tells the place otherwise.
    pub fn reason(&self) -> String {
        match self {
            SourceError::Open { what } => what.clone(),
            SourceError::Read { source, .. } => format!("reading failed: {source}"),
        }
    }
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
    /// How many bytes the headers of an HTTP answer took that stand before the data, as `curl -i`
    /// saves them; `None` if there are none. The stream begins behind them.
    pub answer: Option<u64>,
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

/// Refuses: there is nothing in this build to ask a server with.
#[cfg(not(feature = "url"))]
pub fn download(
    _: &str,
    _: DownloadLimits,
    _: &Access,
) -> Result<(io::Empty, Option<u64>), SourceError> {
    let what = "is on the web, and gotrace was built without the feature `url`";
    Err(SourceError::Open { what: what.into() })
}

/// Opens `location`; packing is seen from the first bytes, never from the name.
pub fn open(location: &Location) -> Result<Source, SourceError> {
    match location {
        Location::Stdin => from_reader(io::stdin(), None),
        #[cfg(feature = "url")]
        Location::Url { url, limits, access } => open_url(url, *limits, access),
        #[cfg(not(feature = "url"))]
        Location::Url { url, limits, access } => {
            let (body, size) = download(url, *limits, access)?;
            from_reader(body, size)
        }
        Location::Path(path) => {
            let refuse = |what: String| SourceError::Open { what };
            let file = File::open(path).map_err(|error| refuse(open_failure(&error)))?;
            let metadata = file.metadata().map_err(|error| refuse(error.to_string()))?;
            if metadata.is_dir() {
                return Err(refuse(
                    "is a directory; gotrace ingest and gotrace profile take all that is in it, \
                     else name a file"
                        .into(),
                ));
            }
            // A second handle, because the stream owns the first. Reading at a place moves the
            // position of both on Windows, which is why the stream must not be read then.
            let seekable = metadata.is_file().then(|| file.try_clone().ok()).flatten();
            let mut source = from_reader(file, metadata.is_file().then_some(metadata.len()))?;
            let is_plain = source.packing == Packing::Plain && source.answer.is_none();
            source.file = seekable.filter(|_| is_plain);
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

/// How often something may be packed: by the program, by who stored it, by who sent it.
const MOST_PACKINGS: usize = 4;
/// The largest window of a zstd frame that is unpacked, as a power of two: 128 MiB.
const ZSTD_WINDOW_LOG: u32 = 27;

/// Reads from any reader, unpacking as needed. `size_bytes` is only used for progress.
pub fn from_reader(
    reader: impl Read + Send + 'static,
    size_bytes: Option<u64>,
) -> Result<Source, SourceError> {
    let failed = |source| SourceError::Read { offset: 0, source };
    let position = Position::default();
    let mut reader: Box<dyn Read + Send> =
        Box::new(Counted { inner: reader, position: position.clone() });
    let (mut packing, mut answer) = (Packing::Plain, None);
    for _ in 0..=MOST_PACKINGS {
        let mut start = Vec::with_capacity(5);
        (&mut reader).take(5).read_to_end(&mut start).map_err(failed)?;
        let found = packing_of(&start);
        let is_answer = answer.is_none() && start == *b"HTTP/";
        reader = Box::new(io::Cursor::new(start).chain(reader));
        if is_answer {
            let (behind, headers) = answer::skip_headers(reader)?;
            (reader, answer) = (behind, Some(headers));
            continue;
        }
        if packing == Packing::Plain {
            packing = found;
        }
        reader = match found {
            Packing::Plain => break,
            Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(
                BufReader::with_capacity(1 << 18, reader),
            )),
            Packing::Zstd => Box::new(unpack_zstd(reader).map_err(failed)?),
        };
    }
    let mut stream = ByteStream::new(reader);
    if packing != Packing::Plain {
        stream = stream.unpacked_from(position.clone());
    }
    Ok(Source { stream, packing, size_bytes, position, answer, file: None })
}

/// How bytes are packed that begin so.
fn packing_of(start: &[u8]) -> Packing {
    match start {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
        _ => Packing::Plain,
    }
}

fn unpack_zstd(reader: impl Read + Send + 'static) -> io::Result<impl Read + Send + 'static> {
    let mut decoder = zstd::stream::read::Decoder::new(reader)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(ZstdReader(decoder))
}

/// Says what to do about a frame that zstd refuses because of its size.
struct ZstdReader<R: Read>(zstd::stream::read::Decoder<'static, BufReader<R>>);

impl<R: Read> Read for ZstdReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf).map_err(|error| match error.to_string().contains("too much memory") {
            true => io::Error::other(
                "the zstd frame needs a window of more than 128 MiB; unpack it with zstd -d --long=31",
            ),
            false => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn locations_are_told_apart_by_their_notation() {
        assert_eq!(Location::parse("-"), Location::Stdin);
        assert_eq!(Location::parse("https.trace").path(), Some(Path::new("https.trace")));
        assert_eq!(Location::parse("héttp://x").path(), Some(Path::new("héttp://x")));
        for url in ["HTTP://h:6060/x", "https+insecure://h", "http+unix://%2Fs/x", "unix:///s/x"] {
            assert!(matches!(Location::parse(url), Location::Url { .. }), "{url}");
        }
        assert_eq!(Location::parse("http://me:secret@h/x?a=@").to_string(), "http://h/x?a=@");
        for (url, shown) in [
            ("http://h/x@y", "http://h/x@y"),
            ("http://u@h?a=1&access_token=abc#b", "http://h?a=1&access_token=***#b"),
            (
                "https://h/x?X-Amz-Signature=abc&sig=&seconds=5",
                "https://h/x?X-Amz-Signature=***&sig=&seconds=5",
            ),
            ("http://h/x?author=me&debug=1", "http://h/x?author=me&debug=1"),
        ] {
            assert_eq!(Location::parse(url).to_string(), shown);
        }
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
            ("http+unix://%2Frun%2Fapp.sock/debug/pprof/heap", "heap"),
        ] {
            assert_eq!(Location::parse(url).file_name(), Some(want.into()), "{url}");
        }
    }

    #[test]
    fn members_of_a_packed_source_may_end_anywhere() {
        let gzip = |bytes: &[u8]| {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(bytes).unwrap();
            packer.finish().unwrap()
        };
        let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
        type Packer<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;
        let packers: [Packer<'_>; 2] = [&gzip, &zstd];
        let all = |packed: Vec<u8>| {
            let mut stream = from_reader(io::Cursor::new(packed), None).unwrap().stream;
            let mut bytes = Vec::new();
            stream.copy_to(&mut bytes).unwrap();
            assert!(stream.take_error().is_none());
            bytes
        };
        let bytes: Vec<u8> = (0..24).collect();
        for pack in packers {
            for first in 0..=bytes.len() {
                for second in first..=bytes.len() {
                    let members = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                    assert_eq!(all(members.map(pack).concat()), bytes, "{first} {second}");
                }
            }
            // Members that end where buffers do.
            for power in [13, 15, 16, 17, 18] {
                for len in (1 << power) - 1..=(1 << power) + 1 {
                    let member: Vec<u8> = (0..len).map(|at: u32| (at % 253) as u8).collect();
                    let packed = [pack(&member), pack(&[]), pack(b"x")].concat();
                    assert_eq!(all(packed), [&member[..], b"x"].concat(), "{len}");
                }
            }
        }
    }
}
