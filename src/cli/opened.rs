//! Opening what the user named, once, and telling what it is.
//!
//! Comes in: a location. Goes out: its bytes with what they are, seen from the first of them. The
//! one idea: a pipe can be read only once, so nothing is opened to look at it and then again to
//! read it.

use super::files::TemporaryFile;
use super::load::{Progress, open_source};
use super::{CliError, Result, say};
use crate::order::TraceReader;
use crate::profile::is_profile;
use crate::source::{self, Location, Packing, Source, describe_stranger};
use crate::store::{Database, is_database};
use crate::wire::looks_like_trace;
use std::fs::File;
use std::path::Path;

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
pub struct Opened<'a> {
    pub location: &'a Location,
    pub kind: Kind,
    pub source: Source,
    pub progress: Progress,
}

impl<'a> Opened<'a> {
    /// Opens a source; errors name it.
    pub fn new(location: &'a Location) -> Result<Self> {
        let (mut source, progress) = open_source(location)?;
        if let Some(bytes) = source.answer {
            say(&format!(
                "gotrace: warning: {location}: read past {bytes} bytes of HTTP headers; byte offsets \
                 count from behind them"
            ));
        }
        let kind = kind_of(&mut source);
        Ok(Opened { location, kind, source, progress })
    }

    /// The trace that it is, with its header read.
    pub fn into_trace(self) -> Result<(TraceReader, Progress)> {
        self.expect_trace()?;
        let reader = TraceReader::new(self.source)
            .map_err(|error| CliError::Failed(format!("{}: {error}", self.location)))?;
        Ok((reader, self.progress))
    }

    /// Refuses what is not a trace.
    pub fn expect_trace(&self) -> Result<()> {
        let location = self.location;
        let wrong = match &self.kind {
            Kind::Trace => return Ok(()),
            Kind::Profile => format!(
                "it is a profile, not an execution trace; gotrace profile top {location} shows it"
            ),
            Kind::Database => "it is a database; name the trace that it was made of".into(),
            Kind::Other(_) => return Err(self.refuse()),
        };
        Err(CliError::Failed(format!("{location}: {wrong}")))
    }

    /// The database that it is: the file itself, or a copy if it cannot be read at any place.
    pub fn into_database(mut self) -> Result<Database> {
        let failed = |error: String| CliError::Failed(format!("{}: {error}", self.location));
        if let Some(path) = self.location.path()
            && path.is_file()
            && self.source.packing == Packing::Plain
            && self.source.answer.is_none()
        {
            return Database::open(path).map_err(|error| failed(error.to_string()));
        }
        let copy = TemporaryFile::new("a copy of what is asked")?;
        self.source.stream.copy_to(&mut File::create(copy.path())?)?;
        if let Some(error) = self.source.stream.take_error() {
            return Err(failed(error.to_string()));
        }
        self.progress.finish();
        let database = Database::open(copy.path())
            .map_err(|error| CliError::Failed(format!("{}: {error}", self.location)))?;
        Ok(database.owning(copy))
    }

    /// The error for a source that is neither of two kinds.
    pub fn refuse(&self) -> CliError {
        let what = match &self.kind {
            Kind::Other(what) => {
                format!("byte 0: not a Go execution trace and not a profile: {what}")
            }
            Kind::Database => "it is a database already; gotrace query asks it".into(),
            Kind::Trace => "it is an execution trace".into(),
            Kind::Profile => "it is a profile".into(),
        };
        CliError::Failed(format!("{}: {what}", self.location))
    }
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
