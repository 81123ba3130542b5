//! The sources, and what requests share.

use super::failure::{Failure, Result};
use super::kept::Kept;
use super::progress::Progress;
use super::timelines::Timelines;
use crate::analysis::{Ingest, Observer, SharedAnalysis, Snapshot, TemporaryFile};
use crate::diagnostic::Diagnostic;
use crate::profile::Profile;
use crate::report::Report;
use crate::source::Location;
use crate::store::{Database, Limits, Value};
use serde_json::{Value as Json, json};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a page may use of the database with one request.
pub const LIMITS: Limits = Limits {
    time: Some(Duration::from_secs(10)),
    rows: Some(1_000_000),
    enough: None,
    memory: 512 << 20,
    spill: 2 << 30,
};
/// Longest file that is posted, bytes.
const UPLOAD: u64 = 4 << 30;
/// Most files that are posted.
const UPLOADS: usize = 64;

/// What all requests share.
pub struct Session {
    analysis: SharedAnalysis,
    progress: Arc<Progress>,
    loading: Mutex<Loading>,
    uploads: Mutex<Vec<TemporaryFile>>,
    /// What each source is called, and where it is. Nothing else is ever opened by a name.
    places: Mutex<Vec<(String, Location)>>,
    /// What is drawn of traces.
    pub timelines: Timelines,
    reports: Kept<(u64, Option<i64>), Report>,
    /// Profiles that were shown last, by snapshot and by what was asked.
    pub profiles: Kept<(u64, String), Profile>,
    /// Folders in which sources of programs may be read, as in `PATH`; empty for none.
    pub source_path: String,
}

/// So many reports are kept; one is a few megabytes at most.
const REPORTS: usize = 16;
/// So many profiles are kept: that of a page and those that it is compared with.
const PROFILES: usize = 4;

#[derive(Default)]
struct Loading {
    /// How many loads have begun and not ended.
    running: usize,
    /// Why the last that failed did.
    error: Option<String>,
}

/// Sources to load.
pub struct Load {
    /// Where each is, and what it is called.
    pub sources: Vec<(Location, Location)>,
    /// Where the database is kept, and whether what is there may be overwritten; `None` for a temporary one.
    pub target: Option<(PathBuf, bool)>,
}

impl Session {
    /// A session without sources. `observer` is told of everything, too.
    pub fn new(strict: bool, source_path: String, observer: Arc<dyn Observer>) -> Arc<Session> {
        let progress = Arc::new(Progress::new(observer));
        Arc::new(Session {
            analysis: SharedAnalysis::new(strict, progress.clone()),
            progress,
            loading: Mutex::default(),
            uploads: Mutex::default(),
            places: Mutex::default(),
            timelines: Timelines::default(),
            reports: Kept::new(REPORTS),
            profiles: Kept::new(PROFILES),
            source_path,
        })
    }

    /// Loads sources on a thread of its own. What goes wrong, pages tell; so does `failed`.
    ///
    /// # Errors
    /// If the system has no thread.
    pub fn load(
        self: &Arc<Self>,
        load: Load,
        failed: impl Fn(&str) + Send + 'static,
    ) -> std::io::Result<()> {
        let session = self.clone();
        let places = load.sources.iter().map(|(place, name)| (name.to_string(), place.clone()));
        lock(&self.places).extend(places);
        self.loading().running += 1;
        let run = move || {
            let error = session.run(load).err();
            if error.is_none() {
                session.prepare();
            }
            let mut loading = session.loading();
            loading.running -= 1;
            loading.error = error.map(|error| error.to_string());
            if let Some(error) = &loading.error {
                failed(error);
            }
        };
        std::thread::Builder::new().name("loader".into()).spawn(run).map(drop)
    }

    fn run(&self, load: Load) -> crate::analysis::Result<()> {
        let Load { sources, target } = load;
        match target {
            None => self.analysis.add(&sources),
            Some((target, force)) => {
                let (append, strict) = (false, self.analysis.is_strict());
                let sources = sources.into_iter().map(|(place, _)| place).collect();
                self.analysis.ingest(&Ingest { sources, target, force, append, strict })
            }
        }
    }

    /// Makes what the first page will ask for.
    fn prepare(&self) {
        let Some(snapshot) = self.analysis.snapshot() else { return };
        let Ok(database) = snapshot.connect() else { return };
        let first = database.first_row("select id from traces order by id limit 1", &[]);
        if let Ok([Value::Integer(first)]) = first.as_deref() {
            // What is wrong with either is told to who asks.
            let _ = self.timelines.progress(&snapshot, *first);
            let _ = self.report(&snapshot, &database, Some(*first));
        }
    }

    /// What can be asked.
    ///
    /// # Errors
    /// If nothing is loaded yet.
    pub fn snapshot(&self) -> Result<Arc<Snapshot>> {
        self.analysis.snapshot().ok_or_else(|| {
            let loading = self.loading();
            match (loading.running, &loading.error) {
                (1.., _) => Failure::new(503, "it is still being loaded"),
                (0, Some(error)) => Failure::new(422, error.clone()),
                (0, None) => Failure::new(404, "there is no source yet"),
            }
        })
    }

    /// The report on a trace, or on all. Who asks for one that is being made waits for it.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn report(
        &self,
        snapshot: &Snapshot,
        database: &Database,
        only: Option<i64>,
    ) -> Result<Arc<Report>> {
        let key = (snapshot.number, only);
        self.reports.get(key, || Ok(Report::new(database, &snapshot.words(), only)?))
    }

    /// How far loading is, and whether it is over.
    pub fn progress(&self) -> (Json, bool) {
        let loading = self.loading();
        let json = json!({
            "is_loading": loading.running > 0,
            "work": self.progress.works(),
            "snapshot": self.analysis.snapshot().map(|it| it.number),
            "error": loading.error,
            "remarks": self.progress.remarks(),
        });
        (json, loading.running == 0)
    }

    /// The file that a source is, by what it is called: one that can be read again. `None` if it is something
    /// else, or if several are called so.
    pub fn file(&self, name: &str) -> Option<Location> {
        let places = lock(&self.places);
        let mut found = places.iter().filter(|(called, _)| called == name);
        let (_, place) = found.next()?;
        let is_file = place.path().is_some_and(std::path::Path::is_file);
        (is_file && found.all(|(_, other)| other.path() == place.path())).then(|| place.clone())
    }

    /// What was repaired, skipped or lost.
    pub fn diagnostics(&self) -> Vec<(Location, Diagnostic)> {
        self.progress.diagnostics()
    }

    /// A place for a file that is posted.
    ///
    /// # Errors
    /// If there are too many, or it cannot be made.
    pub fn new_upload(&self) -> Result<Upload> {
        if self.uploads().len() >= UPLOADS {
            return Err(Failure::new(429, format!("at most {UPLOADS} files can be added")));
        }
        let file = TemporaryFile::new("a file that a page has sent")?;
        let out = File::create(file.path())?;
        Ok(Upload { file, out, size: 0 })
    }

    /// Keeps a posted file as long as the session lives; returns its number.
    pub fn keep_upload(&self, upload: Upload) -> usize {
        let mut uploads = self.uploads();
        uploads.push(upload.file);
        uploads.len() - 1
    }

    /// Where a posted file is.
    pub fn upload(&self, number: usize) -> Option<PathBuf> {
        self.uploads().get(number).map(|file| file.path().into())
    }

    fn uploads(&self) -> MutexGuard<'_, Vec<TemporaryFile>> {
        lock(&self.uploads)
    }

    fn loading(&self) -> MutexGuard<'_, Loading> {
        lock(&self.loading)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that is being posted.
pub struct Upload {
    file: TemporaryFile,
    out: File,
    size: u64,
}

impl Upload {
    /// Adds a part.
    ///
    /// # Errors
    /// If it becomes too long, or cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.size += bytes.len() as u64;
        if self.size > UPLOAD {
            return Err(Failure::new(413, "the file is too long; name it on the command line"));
        }
        Ok(self.out.write_all(bytes)?)
    }
}
