//! One profile out of sources: profiles, traces and databases, merged, and less their bases.

mod database;
mod database_trace;
mod trace;

pub use trace::trace_profiles;

use super::opened::{Kind, Opened, expect_one_url, save_url};
use super::{Error, Observer, Result};
use crate::profile::from_trace::TraceProfileOptions;
use crate::profile::{self, Preparation, Profile, ReadLimits};
use crate::source::Location;
use crate::store::Database;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which profile of a source is meant, and what is made of it. The default is the only one, as it is.
#[derive(Default)]
pub struct ProfileOptions<'a> {
    /// What is made of the sources.
    pub preparation: Preparation<'a>,
    /// What is read and kept of each source at most.
    pub limits: ReadLimits,
    /// What to measure in traces, and in databases with traces; `None` refuses them.
    pub measure: Option<TraceProfileOptions>,
    /// Which profile of a database, by its row; it need not be given if there is only one.
    pub profile: Option<i64>,
    /// Which trace of a database, likewise.
    pub trace: Option<i64>,
    /// Longest time it may take to ask a database, seconds; `None` for the usual.
    pub timeout: Option<u64>,
}

/// Sources that are merged to one profile, and what is subtracted from it.
pub struct ProfileRequest<'a> {
    /// What is merged.
    pub sources: Vec<Location>,
    /// What is subtracted.
    pub bases: Vec<Location>,
    /// Which profile of them.
    pub options: ProfileOptions<'a>,
    /// Where to keep what comes from a URL, and whether what is there may be overwritten.
    pub save: Option<(PathBuf, bool)>,
}

impl ProfileRequest<'_> {
    /// Loads the sources and the bases, and makes one profile of them. Of several sources those that cannot
    /// be read are left out, and remarked.
    ///
    /// # Errors
    /// If none of the sources can be read, or they do not go together.
    pub fn load(&self, observer: &Arc<dyn Observer>) -> Result<Profile> {
        if self.save.is_some() {
            expect_one_url(self.sources.iter().chain(&self.bases))?;
        }
        let profiles = self.load_all(&self.sources, observer)?;
        let bases = self.load_all(&self.bases, observer)?;
        self.options.prepare(profiles, bases)
    }

    /// Loads what can be loaded; fails if nothing can.
    fn load_all(
        &self,
        locations: &[Location],
        observer: &Arc<dyn Observer>,
    ) -> Result<Vec<Profile>> {
        let mut profiles = Vec::new();
        for location in locations {
            let loaded = match (&self.save, location) {
                (Some((file, force)), Location::Url { .. }) => {
                    save_url(location, file, *force, &**observer)
                        .and_then(|file| self.load_one(&file, observer))
                }
                _ => self.load_one(location, observer),
            };
            match loaded {
                Ok(profile) => profiles.push(profile),
                Err(error @ Error::Failed(_)) if locations.len() > 1 => {
                    observer.remark(&format!("{error}; going on with the others"))
                }
                Err(error) => return Err(error),
            }
        }
        if profiles.is_empty() && !locations.is_empty() {
            return Err(Error::Failed("none of the sources could be read".into()));
        }
        Ok(profiles)
    }

    fn load_one(&self, location: &Location, observer: &Arc<dyn Observer>) -> Result<Profile> {
        self.options.read(Opened::new(location, observer)?)
    }
}

impl ProfileOptions<'_> {
    /// Makes one profile of several, less the bases.
    ///
    /// # Errors
    /// If they do not go together.
    pub fn prepare(&self, profiles: Vec<Profile>, bases: Vec<Profile>) -> Result<Profile> {
        profile::prepare(profiles, bases, self.preparation).map_err(Error::Failed)
    }

    /// Reads the profile of a source.
    ///
    /// # Errors
    /// If there is none, if there are several and none is chosen, or if it cannot be read.
    pub fn read(&self, mut opened: Opened) -> Result<Profile> {
        let location = opened.location.clone();
        match opened.kind {
            Kind::Database => {
                let database = opened.into_database()?;
                database::start(&database, self.timeout)?;
                self.read_database(&database, &location)
            }
            Kind::Trace => self.read_trace(opened),
            // What is no profile is not read to its end.
            Kind::Other(_) => Err(opened.refuse()),
            Kind::Profile => {
                let with_symbols = !self.preparation.symbolize.is_off;
                let stream = &mut opened.source.stream;
                let profile = profile::read_within(stream, with_symbols, self.limits);
                profile.map_err(|error| Error::Failed(format!("{location}: {error}")))
            }
        }
    }

    /// The same of a database that is asked already.
    pub fn read_database(&self, database: &Database, location: &Location) -> Result<Profile> {
        match &self.measure {
            Some(options) => database_trace::read(database, location, self.trace, options),
            None => database::read(database, location, self.profile),
        }
    }

    /// Measures in a trace.
    fn read_trace(&self, opened: Opened) -> Result<Profile> {
        let location = opened.location.clone();
        let observer = opened.observer.clone();
        let Some(options) = &self.measure else {
            return Err(Error::Usage(format!(
                "{location}: this is a trace; say with --type what to measure in it, such as --type sync"
            )));
        };
        let profile = trace_profiles(opened, options, false)?
            .pop()
            .ok_or_else(|| Error::Failed(format!("{location}: there is no such profile")))?;
        if profile.samples.is_empty() {
            let kind = options.types.first().map_or("", |kind| kind.as_str());
            observer.remark(&format!(
                "{location}: there is no sample of type {kind} with these options"
            ));
        }
        Ok(profile)
    }
}

/// Whether a file is a program, by its first bytes: ELF, Mach-O, PE. As in pprof, one may stand before the
/// sources.
pub fn is_program(path: &Path) -> bool {
    let mut magic = [0; 4];
    // A pipe is read only once.
    path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok()
        && (magic == *b"\x7fELF"
            || magic == [0xcf, 0xfa, 0xed, 0xfe]
            || magic == [0xca, 0xfe, 0xba, 0xbe]
            || magic.starts_with(b"MZ"))
}
