//! Sources into a database that is kept.

use super::files::PendingFile;
use super::load::{Loaded, load_source};
use super::opened::Opened;
use super::{Error, Observer, Result};
use crate::model::Symbols;
use crate::source::Location;
use crate::store::{self, Added, AppendedDatabase, HeldSource, NewDatabaseFile, StoreError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is to be loaded, and where to.
pub struct Ingest {
    /// Traces and profiles.
    pub sources: Vec<Location>,
    /// The database.
    pub target: PathBuf,
    /// Whether whatever is there may be replaced. A database that gotrace made of the same sources may always.
    pub force: bool,
    /// Whether to add to the database what it does not hold yet.
    pub append: bool,
    /// Whether to fail, and to write nothing, if any part of a source cannot be read.
    pub strict: bool,
}

/// What came of it.
pub struct Ingested {
    /// The sources that were loaded; the others were remarked.
    pub loaded: Vec<(Location, Loaded)>,
    /// Size of the database, bytes.
    pub size_bytes: u64,
}

impl Ingest {
    /// Loads the sources. Until all of it is on the disk, whatever is at the target stays as it is.
    ///
    /// # Errors
    /// If none of the sources can be loaded, or the target is in the way or cannot be written.
    pub fn run(&self, observer: &Arc<dyn Observer>) -> Result<Ingested> {
        let target = &self.target;
        let exists = target.exists() && !target.is_dir();
        if exists && self.append {
            return self.append(observer);
        }
        let is_own = exists && store::is_own(target);
        if is_own && !self.force && held(target)?.len() > self.sources.len() {
            return Err(is_in_the_way(target));
        }
        let file = PendingFile::new(target, self.force || is_own)?;
        let database = NewDatabaseFile::create(file.path())?;
        let mut symbols = Symbols::default();
        let mut loader = database.loader()?;
        let loaded = self.load_all(&**observer, |location| {
            let opened = Opened::new(location, observer)?;
            Ok(Added::New(load_source(opened, &mut loader, &mut symbols)?))
        })?;
        database.finish_load(loader, &symbols)?;
        if is_own && !self.force && !is_replaceable(target, file.path())? {
            return Err(is_in_the_way(target));
        }
        let size_bytes = std::fs::metadata(file.path())?.len();
        // SQLite would put what stands in the journal of the old one into the new one.
        for ending in ["-wal", "-shm", "-journal"] {
            let mut beside = target.clone().into_os_string();
            beside.push(ending);
            let _ = std::fs::remove_file(beside);
        }
        file.keep()?;
        Ok(Ingested { loaded, size_bytes })
    }

    /// Adds to a copy of the database: until the copy takes its name, nothing has happened to it.
    fn append(&self, observer: &Arc<dyn Observer>) -> Result<Ingested> {
        let target = &self.target;
        let failed = |error: StoreError| Error::Failed(format!("{}: {error}", target.display()));
        if !store::is_own(target) {
            return Err(failed(StoreError::Usage("it is no database that gotrace made".into())));
        }
        let file = PendingFile::new(target, true)?;
        store::copy_database(target, file.path()).map_err(|error| match error {
            StoreError::Io(error) => error.into(),
            error => failed(error),
        })?;
        let (database, mut symbols) = AppendedDatabase::open(file.path()).map_err(failed)?;
        let mut loader = database.loader(&symbols)?;
        let loaded = self.load_all(&**observer, |location| {
            database.add(&mut loader, |loader| {
                load_source(Opened::new(location, observer)?, loader, &mut symbols)
            })
        })?;
        if loaded.is_empty() {
            return Ok(Ingested { loaded, size_bytes: std::fs::metadata(target)?.len() });
        }
        database.finish_load(loader, &symbols)?;
        drop(database);
        let size_bytes = std::fs::metadata(file.path())?.len();
        file.keep()?;
        Ok(Ingested { loaded, size_bytes })
    }

    /// Loads all sources; says which are left out.
    fn load_all(
        &self,
        observer: &dyn Observer,
        mut load: impl FnMut(&Location) -> Result<Added<Loaded>>,
    ) -> Result<Vec<(Location, Loaded)>> {
        let mut loaded: Vec<(Location, Loaded)> = Vec::new();
        let mut known = 0;
        for location in &self.sources {
            match load(location) {
                Ok(Added::New(trace)) => loaded.push((location.clone(), trace)),
                Ok(Added::Known(name)) => {
                    known += 1;
                    observer.remark(&match name == location.to_string() {
                        true => format!("{location}: is in the database already; left out"),
                        false => {
                            format!("{location}: is in the database already, as {name}; left out")
                        }
                    });
                }
                Err(error) if self.strict || self.sources.len() == 1 => return Err(error),
                Err(error @ Error::Failed(_)) => {
                    observer.remark(&format!("{error}; loading the others"))
                }
                Err(error) => return Err(error),
            }
        }
        if loaded.is_empty() && known == 0 {
            return Err(Error::Failed("none of the sources could be loaded".into()));
        }
        if self.strict && loaded.iter().any(|(_, trace)| trace.has_loss) {
            return Err(Error::Failed(
                "a part of the trace was lost, and --strict was given; nothing was written".into(),
            ));
        }
        Ok(loaded)
    }
}

/// What a database holds; the error names it.
fn held(target: &Path) -> Result<Vec<HeldSource>> {
    store::held_sources(target).map_err(|error| {
        Error::Failed(format!("{}: exists; --force replaces it: {error}", target.display()))
    })
}

/// Whether nothing is lost if `fresh` takes the place of a database: it holds the same sources, and nobody has
/// changed it.
fn is_replaceable(target: &Path, fresh: &Path) -> Result<bool> {
    let (old, new) = (held(target)?, held(fresh)?);
    let has_all = old.iter().all(|one| new.iter().any(|other| one.is_same(other)));
    Ok(has_all && old.len() == new.len() && store::is_unchanged(target, fresh)?)
}

/// Says what would be lost with a database, and what to do.
fn is_in_the_way(target: &Path) -> Error {
    const SHOWN: usize = 3;
    let list = |mut names: Vec<String>| {
        let more = names.len().saturating_sub(SHOWN);
        names.truncate(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        names.join(", ") + &more
    };
    let sources = store::held_sources(target).unwrap_or_default();
    let sources = list(sources.into_iter().map(|one| one.source).collect());
    let foreign = match list(store::foreign_names(target).unwrap_or_default()) {
        names if names.is_empty() => names,
        names => format!(", and {names}, which gotrace did not make"),
    };
    Error::Failed(format!(
        "{}: exists, with what gotrace read from {sources}{foreign}; --append adds to it, --force replaces it",
        target.display()
    ))
}

/// `trace.db` for `trace.out`, beside it; for a URL, in the current folder.
///
/// # Errors
/// If the source has no name to go by.
pub fn default_target(location: &Location) -> Result<PathBuf> {
    let Some(path) = location.file_name() else {
        return Err(Error::Usage("give -o FILE when reading from standard input".into()));
    };
    let is_packed = path.extension().is_some_and(|ending| ending == "gz" || ending == "zst");
    let target = if is_packed {
        path.with_extension("").with_extension("db")
    } else {
        path.with_extension("db")
    };
    if Some(&*target) == location.path() {
        return Err(Error::Usage(format!(
            "{}: give -o FILE for a source named .db",
            path.display()
        )));
    }
    Ok(target)
}

/// `runs.db` for the folder `runs`, beside it; for the one we are in, in it. `None` for what is no folder.
pub fn folder_target(path: &Path) -> Option<PathBuf> {
    if !path.is_dir() {
        return None;
    }
    let named = |path: &Path| {
        let mut name = path.file_name()?.to_owned();
        name.push(".db");
        Some(name)
    };
    match named(path) {
        Some(name) => Some(path.with_file_name(name)),
        // `.` and `..` have no names.
        None => named(&path.canonicalize().ok()?).map(PathBuf::from),
    }
}
