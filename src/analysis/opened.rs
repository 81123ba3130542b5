//! Opening what the user named, once, and telling what it is.
//!
//! Comes in: a location. Goes out: its bytes with what they are, seen from the first of them. The
//! one idea: a pipe can be read only once, so nothing is opened to look at it and then again to
//! read it.

use super::files::{PendingFile, TemporaryFile};
use super::observer::{Observer, Ongoing, Work};
use super::{Error, Result};
use crate::order::TraceReader;
use crate::profile::is_profile;
use crate::source::{self, Location, Packing, Position, Source, describe_stranger};
use crate::store::{Database, is_database};
use crate::wire::looks_like_trace;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// How much of a source is looked at, bytes.
const LOOK: usize = 512;

/// What a source holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An execution trace of any version.
    Trace,
    /// A profile, as profile.proto or as text.
    Profile,
    /// A SQLite database.
    Database,
    /// Nothing that gotrace reads; the text says what it seems to be.
    Other(String),
}

/// An opened source.
pub struct Opened {
    /// Where it is.
    pub location: Location,
    /// What it holds.
    pub kind: Kind,
    /// Its bytes.
    pub source: Source,
    /// Who is told what becomes of it.
    pub observer: Arc<dyn Observer>,
    /// The reading, which is over when this is dropped.
    pub reading: Ongoing,
}

impl Opened {
    /// Opens a source and looks at what it is.
    ///
    /// # Errors
    /// If it cannot be opened; the error names it. That it is [`Kind::Other`] is none yet.
    pub fn new(location: &Location, observer: &Arc<dyn Observer>) -> Result<Self> {
        let (mut source, reading) = open(location, &**observer)?;
        if let Some(bytes) = source.answer {
            observer.remark(&format!(
                "warning: {location}: read past {bytes} bytes of HTTP headers; byte offsets \
                 count from behind them"
            ));
        }
        let kind = kind_of(&mut source);
        let (location, observer) = (location.clone(), observer.clone());
        Ok(Opened { location, kind, source, observer, reading })
    }

    /// The trace that it is, with its header read.
    ///
    /// # Errors
    /// If it is none, or its header cannot be read.
    pub fn into_trace(self) -> Result<OpenedTrace> {
        self.expect_trace()?;
        let Opened { location, source, observer, reading, .. } = self;
        let reader = TraceReader::new(source)
            .map_err(|error| Error::Failed(format!("{location}: {error}")))?;
        Ok(OpenedTrace { location, reader, observer, reading })
    }

    /// Refuses what is not a trace.
    ///
    /// # Errors
    /// What it is instead, and what to do with that.
    pub fn expect_trace(&self) -> Result<()> {
        let location = &self.location;
        let wrong = match &self.kind {
            Kind::Trace => return Ok(()),
            Kind::Profile => format!(
                "it is a profile, not an execution trace; gotrace profile top {location} shows it"
            ),
            Kind::Database => "it is a database; name the trace that it was made of".into(),
            Kind::Other(_) => return Err(self.refuse()),
        };
        Err(Error::Failed(format!("{location}: {wrong}")))
    }

    /// The database that it is: the file itself, or a copy if it cannot be read at any place.
    ///
    /// # Errors
    /// If it is none that can be asked.
    pub fn into_database(self) -> Result<Database> {
        let failed = |error: String| Error::Failed(format!("{}: {error}", self.location));
        if let Some(path) = self.location.path()
            && path.is_file()
            && self.source.packing == Packing::Plain
            && self.source.answer.is_none()
        {
            return Database::open(path).map_err(|error| failed(error.to_string()));
        }
        let location = self.location.clone();
        let copy = self.copy_database()?;
        let database = Database::open(copy.path())
            .map_err(|error| Error::Failed(format!("{location}: {error}")))?;
        Ok(database.owning(copy))
    }

    /// A copy of the database that it is.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub fn copy_database(mut self) -> Result<TemporaryFile> {
        let copy = TemporaryFile::new("a copy of what is asked")?;
        self.source.stream.copy_to(&mut File::create(copy.path())?)?;
        match self.source.stream.take_error() {
            Some(error) => Err(Error::Failed(format!("{}: {error}", self.location))),
            None => Ok(copy),
        }
    }

    /// The error for a source that is neither of two kinds.
    pub fn refuse(&self) -> Error {
        let what = match &self.kind {
            Kind::Other(what) => {
                format!("byte 0: not a Go execution trace and not a profile: {what}")
            }
            Kind::Database => "it is a database already; gotrace query asks it".into(),
            Kind::Trace => "it is an execution trace".into(),
            Kind::Profile => "it is a profile".into(),
        };
        Error::Failed(format!("{}: {what}", self.location))
    }
}

/// A trace with its header read.
pub struct OpenedTrace {
    /// Where it is.
    pub location: Location,
    /// Its events.
    pub reader: TraceReader,
    /// Who is told what becomes of it.
    pub observer: Arc<dyn Observer>,
    /// The reading, which is over when this is dropped.
    pub reading: Ongoing,
}

/// Opens a source; the error names it.
fn open(location: &Location, observer: &dyn Observer) -> Result<(Source, Ongoing)> {
    let failed = |error| Error::Failed(format!("{location}: {error}"));
    let Some((work, position)) = recording(location) else {
        let source = source::open(location).map_err(failed)?;
        let reading = observer.begins(Work::Reading {
            source: location.to_string(),
            size_bytes: source.size_bytes,
            position: source.position.clone(),
        });
        return Ok((source, reading));
    };
    let reading = observer.begins(work);
    let source = source::open(location).map_err(failed)?;
    let _ = position.set(source.position.clone());
    Ok((source, reading))
}

/// The recording that a location asks a server for; `None` if it asks for none.
fn recording(location: &Location) -> Option<(Work, Arc<OnceLock<Position>>)> {
    let Location::Url { url, .. } = location else { return None };
    let duration = source::recording_time(url);
    let position = Arc::new(OnceLock::new());
    let source = location.to_string();
    let work = Work::Recording { source, duration, position: position.clone() };
    (!duration.is_zero()).then_some((work, position))
}

/// Whether a source is recorded when it is read, so that reading it again gives something else.
pub fn is_recorded(location: &Location) -> bool {
    recording(location).is_some()
}

/// Keeps what comes from the only URL among sources in a file, which takes its place among them.
///
/// # Errors
/// If there is not just one URL, and as of [`save_url`].
pub fn save_sources(
    sources: &mut [Location],
    target: &Path,
    force: bool,
    observer: &dyn Observer,
) -> Result<()> {
    expect_one_url(sources.iter())?;
    for source in sources.iter_mut().filter(|source| is_url(source)) {
        *source = save_url(source, target, force, observer)?;
    }
    Ok(())
}

fn is_url(location: &Location) -> bool {
    matches!(location, Location::Url { .. })
}

/// Refuses to keep what comes from several URLs in one file, or what comes from none.
pub fn expect_one_url<'a>(sources: impl Iterator<Item = &'a Location>) -> Result<()> {
    match sources.filter(|source| is_url(source)).count() {
        1 => Ok(()),
        urls => Err(Error::Usage(format!("--save keeps what comes from one URL; here are {urls}"))),
    }
}

/// Keeps what comes from a URL in a file, as it comes. Returns where that is; what is no URL stays where it is.
///
/// # Errors
/// If it cannot be had or kept. A target that exists is refused unless `force`.
pub fn save_url(
    location: &Location,
    target: &Path,
    force: bool,
    observer: &dyn Observer,
) -> Result<Location> {
    let Location::Url { url, limits, access } = location else { return Ok(location.clone()) };
    let file = PendingFile::new(target, force)?;
    let failed = |error: String| Error::Failed(format!("{location}: {error}"));
    let position = Position::default();
    let recording = recording(location).map(|(work, known)| {
        let _ = known.set(position.clone());
        observer.begins(work)
    });
    let (body, size_bytes) =
        source::download(url, *limits, access).map_err(|error| failed(error.to_string()))?;
    let source = location.to_string();
    let reading = recording.unwrap_or_else(|| {
        observer.begins(Work::Reading { source, size_bytes, position: position.clone() })
    });
    let mut out = File::create(file.path())?;
    std::io::copy(&mut position.counting(body), &mut out)
        .map_err(|error| failed(error.to_string()))?;
    drop(out);
    drop(reading);
    file.keep()?;
    Ok(Location::Path(target.into()))
}

/// What a file is; `None` if it cannot be read, which whoever opens it is told.
pub fn kind_of_file(path: &Path) -> Option<Kind> {
    source::open(&Location::Path(path.into())).ok().map(|mut source| kind_of(&mut source))
}

fn kind_of(source: &mut Source) -> Kind {
    // A trace may come slowly, as it is recorded; its header says enough.
    if looks_like_trace(source.stream.peek(16)) {
        return Kind::Trace;
    }
    let start = source.stream.peek(LOOK);
    let start = start[..start.len().min(LOOK)].to_vec();
    if is_database(&start) {
        return Kind::Database;
    }
    if is_profile(&mut source.stream) {
        return Kind::Profile;
    }
    Kind::Other(describe_stranger(&start).unwrap_or_else(|| {
        "it begins neither with \"go 1.NN trace\" nor with the fields of profile.proto".into()
    }))
}
