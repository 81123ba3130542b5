//! An analysis that several threads ask at once, and to which sources are added while they do.
//!
//! The database stands in a file that each thread opens for itself. What is added goes into a copy, which takes
//! the place of the database when it is complete: a [`Snapshot`] never changes, and lives as long as somebody
//! asks it.

use super::database::database_file;
use super::files::TemporaryFile;
use super::ingest::Ingest;
use super::load::load_source;
use super::opened::{Kind, Opened};
use super::profile::ProfileOptions;
use super::{Error, Observer, Result, refuse_loss};
use crate::profile::Profile;
use crate::profile::from_trace::TraceProfileOptions;
use crate::source::{Location, Packing};
use crate::store::{Added, AppendedDatabase, Database, Rows, Value};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Opened sources that several threads ask.
pub struct SharedAnalysis {
    observer: Arc<dyn Observer>,
    strict: bool,
    newest: Mutex<Option<Arc<Snapshot>>>,
}

/// The database of some sources, as it was when the last of them was added.
pub struct Snapshot {
    /// Greater than that of the one before; never 0.
    pub number: u64,
    /// What is in it, as it was named.
    pub sources: Vec<(Location, Kind)>,
    /// Where each of them is.
    places: Vec<Location>,
    file: Held,
}

/// Where the database is.
enum Held {
    /// In a file of the user's.
    Kept(PathBuf),
    /// In one that goes.
    Temporary(TemporaryFile),
}

impl SharedAnalysis {
    /// Of nothing yet.
    pub fn new(strict: bool, observer: Arc<dyn Observer>) -> SharedAnalysis {
        SharedAnalysis { observer, strict, newest: Mutex::default() }
    }

    /// Whether a source of which a part cannot be read is an error.
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// What can be asked; `None` before the first source is loaded.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds sources to what is there: where each is, and what it is called. Until they are loaded, all of them, everybody asks what was there before.
    ///
    /// # Errors
    /// If one of them cannot be read, or is a database where something is there already.
    pub fn add(&self, sources: &[(Location, Location)]) -> Result<()> {
        let mut opened = Vec::with_capacity(sources.len());
        for (location, name) in sources {
            let mut one = Opened::new(location, &self.observer)?;
            one.location = name.clone();
            if let Kind::Other(_) = one.kind {
                return Err(one.refuse());
            }
            opened.push(one);
        }
        let added: Vec<(Location, Kind)> =
            opened.iter().map(|one| (one.location.clone(), one.kind.clone())).collect();
        let places: Vec<Location> = sources.iter().map(|(place, _)| place.clone()).collect();
        let Some(before) = self.snapshot() else {
            let file = match plain_database(&opened) {
                Some(path) => Held::Kept(path),
                None => Held::Temporary(self.load(opened)?),
            };
            return self.publish(added, places, file);
        };
        if let Some(one) = opened.iter().find(|one| one.kind == Kind::Database) {
            return Err(Error::Usage(format!(
                "{}: it is a database; open it alone, or add the traces and profiles that it was made of",
                one.location
            )));
        }
        let file = TemporaryFile::new("the database of what is asked")?;
        std::fs::copy(before.path(), file.path())?;
        let (database, mut symbols) = AppendedDatabase::open(file.path())?;
        let mut loader = database.loader(&symbols)?;
        for one in opened {
            let name = one.location.clone();
            let done =
                database.add(&mut loader, |loader| load_source(one, loader, &mut symbols))?;
            match done {
                Added::New(loaded) => refuse_loss(self.strict && loaded.has_loss, &name, "")?,
                Added::Known(known) => {
                    self.observer.remark(&format!("{name}: is there already, as {known}; left out"))
                }
            }
        }
        database.finish_load(loader, &symbols)?;
        drop(database);
        let places = [&before.places[..], &places].concat();
        self.publish([&before.sources[..], &added].concat(), places, Held::Temporary(file))
    }

    /// Loads sources into a database that is kept, and goes on with it.
    ///
    /// # Errors
    /// As of [`Ingest::run`].
    pub fn ingest(&self, ingest: &Ingest) -> Result<()> {
        let loaded = ingest.run(&self.observer)?.loaded;
        let kind = |location: Location| (location, Kind::Trace);
        let places = loaded.iter().map(|(location, _)| location.clone()).collect();
        let sources = loaded.into_iter().map(|(location, _)| kind(location)).collect();
        self.publish(sources, places, Held::Kept(ingest.target.clone()))
    }

    fn load(&self, mut opened: Vec<Opened>) -> Result<TemporaryFile> {
        if opened.iter().all(|one| one.kind != Kind::Database) {
            return database_file(opened, self.strict);
        }
        // A packed one, or one out of a pipe, is copied.
        let (Some(only), true) = (opened.pop(), opened.is_empty()) else {
            return Err(Error::Usage(
                "a database is opened alone; name the traces and profiles that it was made of"
                    .into(),
            ));
        };
        only.copy_database()
    }

    fn publish(
        &self,
        sources: Vec<(Location, Kind)>,
        places: Vec<Location>,
        file: Held,
    ) -> Result<()> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let number = newest.as_ref().map_or(0, |before| before.number) + 1;
        let snapshot = Snapshot { number, sources, places, file };
        // What cannot be asked is not handed out.
        snapshot.connect()?;
        *newest = Some(Arc::new(snapshot));
        Ok(())
    }
}

/// The file of a database that can be asked where it stands.
fn plain_database(opened: &[Opened]) -> Option<PathBuf> {
    match opened {
        [one] if one.kind == Kind::Database => {
            let is_plain = one.source.packing == Packing::Plain && one.source.answer.is_none();
            one.location.path().filter(|path| is_plain && path.is_file()).map(Path::to_path_buf)
        }
        _ => None,
    }
}

impl Snapshot {
    /// A connection to the database, for one thread.
    ///
    /// # Errors
    /// If it is no database that can be asked.
    pub fn connect(&self) -> Result<Database> {
        Database::open(self.path())
            .map_err(|error| Error::Failed(format!("{}: {error}", self.names())))
    }

    fn path(&self) -> &Path {
        match &self.file {
            Held::Kept(path) => path,
            Held::Temporary(file) => file.path(),
        }
    }

    /// The sources as the user named them.
    pub fn names(&self) -> String {
        let names: Vec<String> = self.sources.iter().map(|(one, _)| one.to_string()).collect();
        names.join(" ")
    }

    /// The same, as they are typed.
    pub fn words(&self) -> String {
        let words: Vec<String> = self.sources.iter().map(|(one, _)| one.word()).collect();
        words.join(" ")
    }

    /// A profile that is in the database, or what is measured in a trace that is, less a base: the row of
    /// another profile or trace, of which the same is read. What the database does not tell is measured in the
    /// trace's file, if it was loaded from one that is still there.
    ///
    /// # Errors
    /// As of [`ProfileOptions::read`].
    pub fn profile(
        &self,
        database: &Database,
        options: &ProfileOptions<'_>,
        base: Option<i64>,
        observer: &Arc<dyn Observer>,
    ) -> Result<Profile> {
        let profile = self.read_profile(database, options, observer)?;
        let Some(row) = base else { return options.prepare(vec![profile], Vec::new()) };
        let mut of_base = ProfileOptions {
            limits: options.limits,
            measure: options.measure.clone(),
            timeout: options.timeout,
            ..ProfileOptions::default()
        };
        match options.measure {
            Some(_) => of_base.trace = Some(row),
            None => of_base.profile = Some(row),
        }
        let base = self.read_profile(database, &of_base, observer)?;
        options.prepare(vec![profile], vec![base])
    }

    fn read_profile(
        &self,
        database: &Database,
        options: &ProfileOptions<'_>,
        observer: &Arc<dyn Observer>,
    ) -> Result<Profile> {
        let location = match &self.sources[..] {
            [(only, _)] => only.clone(),
            _ => Location::Path(self.path().into()),
        };
        let needs_file = options.measure.as_ref().is_some_and(needs_trace);
        match self.place_of_trace(database, options.trace)?.filter(|_| needs_file) {
            Some(place) => options.read(Opened::new(place, observer)?),
            None => options.read_database(database, &location),
        }
    }

    /// The file that a trace was loaded from. A database names files, too, but those it may name as it likes.
    fn place_of_trace(&self, database: &Database, row: Option<i64>) -> Result<Option<&Location>> {
        let sql = "select source from traces where id = :id or :id is null order by id limit 2";
        let row = row.map_or(Value::Null, Value::Integer);
        let mut rows = Rows::default();
        database.ask(sql, &[("id".to_owned(), row)], &mut rows)?;
        let [only] = &rows.rows[..] else { return Ok(None) };
        let [Value::Text(source)] = &only[..] else { return Ok(None) };
        let is_it = |((name, kind), place): &((&Location, &Kind), &Location)| {
            name.to_string() == **source
                && **kind == Kind::Trace
                && place.path().is_some_and(Path::is_file)
        };
        let pairs = self.sources.iter().map(|(name, kind)| (name, kind)).zip(&self.places);
        let mut found = pairs.filter(is_it);
        // Of two with one name nobody knows which one it is.
        Ok(found.next().filter(|_| found.next().is_none()).map(|(_, place)| place))
    }
}

/// Whether it asks for what only the trace itself tells.
fn needs_trace(options: &TraceProfileOptions) -> bool {
    let TraceProfileOptions { selection, region, task, is_gotool, .. } = options;
    let has_time = selection.from.is_some() || selection.to.is_some();
    has_time || region.is_some() || task.is_some() || *is_gotool
}
