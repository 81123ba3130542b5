//! The committed traces and what the library makes of them, for the tests of several kinds.

#![allow(dead_code, reason = "no test needs all of it")]

pub mod damage;
pub mod databases;
pub mod examine;
pub mod golden;
pub mod heap;
pub mod profiles;
#[cfg(unix)]
pub mod pty;
pub mod run;

use gotrace::diagnostic::Diagnostic;
use gotrace::export::EventText;
use gotrace::model::{Builder, Symbols, Totals};
use gotrace::order::TraceReader;
use gotrace::source::{self, Source};
use gotrace::store::{Database, LoadedTrace, Loader, NewDatabase, NewDatabaseFile, RowWriter};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A trace of `testdata/traces`.
#[derive(Debug, Clone)]
pub struct Trace {
    /// `go1.27/gc`.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

impl Trace {
    /// The trace `name`, such as `go1.27/gc`.
    pub fn new(name: &str) -> Trace {
        let path = root().join(format!("testdata/traces/{name}.trace"));
        assert!(path.exists(), "{}: no such trace", path.display());
        Trace { name: name.into(), path }
    }

    pub fn bytes(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap()
    }

    /// What Go says: the file with this ending in `testdata/expected`, if there is one.
    pub fn expected(&self, ending: &str) -> Option<String> {
        let path = format!("{}/{}.{ending}", root().join("testdata/expected").display(), self.name);
        fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether it is in the format of Go 1.21 and older.
    pub fn is_v1(&self) -> bool {
        self.name.starts_with("go1.19/") || self.name.starts_with("go1.21/")
    }
}

/// The root of the repository. The package in `fuzz/` shares this module.
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_root = |folder: &&Path| folder.join("testdata").is_dir();
    package.ancestors().take(2).find(is_root).expect("the repository has testdata/")
}

/// Every committed trace: a `NAME.trace` of which Go's word is in `testdata/expected`. Whatever else
/// lies beside them, such as a database made of one, is not ours.
pub fn traces() -> Vec<Trace> {
    let traces = traces_in(&root().join("testdata"));
    assert!(traces.len() > 90, "only {} traces were found", traces.len());
    traces
}

/// The traces in a copy of `testdata`.
pub fn traces_in(testdata: &Path) -> Vec<Trace> {
    recorded(testdata, "traces", ".trace", |name| {
        testdata.join(format!("expected/{name}.parsed")).is_file()
    })
    .into_iter()
    .map(|(name, path)| Trace { name, path })
    .collect()
}

/// The files `PART/FOLDER/NAME` with an ending that were recorded by `testdata/record`, which has written
/// down what to expect of each: whatever else lies there is somebody's own. Name without the ending, and
/// path. `tests/conformance/recorded.py` is the same rule for scripts.
pub fn recorded(
    testdata: &Path,
    part: &str,
    ending: &str,
    is_expected: impl Fn(&str) -> bool,
) -> Vec<(String, PathBuf)> {
    let part = testdata.join(part);
    let mut found = Vec::new();
    let folders = fs::read_dir(&part).unwrap().map(|entry| entry.unwrap().path());
    for folder in folders.filter(|path| path.is_dir()) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&part).unwrap().to_str().unwrap_or("").replace('\\', "/");
            if let Some(name) = name.strip_suffix(ending)
                && is_expected(name)
            {
                found.push((name.to_owned(), path));
            }
        }
    }
    found.sort();
    found
}

/// Checks every item, on all processors; panics with all that failed.
pub fn check_all<T: Sync>(
    items: &[T],
    name: impl Fn(&T) -> String,
    check: impl Fn(&T) -> Result<(), String> + Sync,
) {
    assert!(!items.is_empty());
    let next = AtomicUsize::new(0);
    let problems = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, |count| count.get());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(problem) = check(item) {
                        problems.lock().unwrap().push((item as *const T as usize, problem));
                    }
                }
            });
        }
    });
    let mut problems = problems.into_inner().expect("no check panicked");
    problems.sort();
    let text: Vec<String> = problems
        .iter()
        .map(|(at, problem)| {
            let index = (at - items.as_ptr() as usize) / size_of::<T>().max(1);
            format!("{}: {problem}", name(&items[index]))
        })
        .collect();
    assert!(text.is_empty(), "{} of {} failed:\n{}", text.len(), items.len(), text.join("\n"));
}

/// An opened source of bytes.
pub fn source_of(bytes: &[u8]) -> Source {
    source::from_reader(Cursor::new(bytes.to_vec()), Some(bytes.len() as u64)).unwrap()
}

/// The ordered events as text, and what was repaired or lost.
pub fn event_text(bytes: &[u8]) -> Result<(Vec<u8>, Vec<Diagnostic>), String> {
    let reader = TraceReader::new(source_of(bytes)).map_err(|error| error.to_string())?;
    let mut text = EventText::new(Vec::new());
    let outcome = reader.read(&mut text);
    Ok((text.finish().unwrap(), outcome.diagnostics.finish()))
}

/// A trace in a database.
pub struct Loaded {
    pub totals: Totals,
    pub diagnostics: Vec<Diagnostic>,
}

/// Loads a trace through a loader.
fn load<W: RowWriter>(
    bytes: &[u8],
    loader: &mut Loader<W>,
    symbols: &mut Symbols,
) -> Result<Loaded, String> {
    let reader = TraceReader::new(source_of(bytes)).map_err(|error| error.to_string())?;
    let version = reader.version();
    let mut builder = Builder::new(loader, symbols);
    let outcome = reader.read(&mut builder);
    let totals = builder.totals();
    let (lost_bytes, lost_events) =
        (outcome.diagnostics.lost_bytes(), outcome.diagnostics.lost_events());
    let diagnostics = outcome.diagnostics.finish();
    loader
        .finish_trace(&LoadedTrace {
            source: "test",
            version,
            size_bytes: outcome.size_bytes,
            totals,
            diagnostics: &diagnostics,
            lost_bytes,
            lost_events,
        })
        .map_err(|error| error.to_string())?;
    Ok(Loaded { totals, diagnostics })
}

/// Loads a trace into a database in memory, by INSERT.
pub fn load_in_memory(bytes: &[u8]) -> Result<Database, String> {
    let database = NewDatabase::in_memory().map_err(|error| error.to_string())?;
    let mut symbols = Symbols::default();
    let mut loader = database.loader().map_err(|error| error.to_string())?;
    load(bytes, &mut loader, &mut symbols)?;
    database.finish_load(loader, &symbols).map_err(|error| error.to_string())?;
    database.into_database().map_err(|error| error.to_string())
}

/// A trace in a database file, opened for any statement.
pub struct LoadedFile {
    pub loaded: Loaded,
    pub path: PathBuf,
    pub connection: rusqlite::Connection,
    _folder: tempfile::TempDir,
}

/// Loads a trace into a database file, as `gotrace ingest` does.
pub fn load_file(bytes: &[u8]) -> Result<LoadedFile, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("trace.db");
    let database = NewDatabaseFile::create(&path).map_err(|error| error.to_string())?;
    let mut symbols = Symbols::default();
    let mut loader = database.loader().map_err(|error| error.to_string())?;
    let loaded = load(bytes, &mut loader, &mut symbols)?;
    database.finish_load(loader, &symbols).map_err(|error| error.to_string())?;
    let connection = rusqlite::Connection::open(&path).map_err(|error| error.to_string())?;
    Ok(LoadedFile { loaded, path, connection, _folder: folder })
}

/// The statements of `tests/invariants`: name and text.
pub fn invariants() -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join("tests/invariants"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    assert!(files.len() >= 5, "only {} invariants were found", files.len());
    files
        .iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// What is wrong with a database by SQLite's own checks and by the invariants.
pub fn violations(
    connection: &rusqlite::Connection,
    invariants: &[(String, String)],
) -> Vec<String> {
    let mut found = Vec::new();
    let mut ask = |name: &str, sql: &str, is_fine: &dyn Fn(&str) -> bool| {
        let mut statement = match connection.prepare(sql) {
            Ok(statement) => statement,
            Err(error) => return found.push(format!("{name}: {error}")),
        };
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut shown = 0;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(error) => return found.push(format!("{name}: {error}")),
            };
            let cells: Vec<String> =
                (0..columns).map(|column| cell(row.get_ref(column).unwrap())).collect();
            let line = cells.join("|");
            if !is_fine(&line) {
                shown += 1;
                if shown > 3 {
                    break;
                }
                found.push(format!("{name}: {line}"));
            }
        }
    };
    ask("integrity_check", "pragma integrity_check", &|line| line == "ok");
    ask("foreign_key_check", "pragma foreign_key_check", &|_| false);
    for (name, sql) in invariants {
        ask(name, sql, &|_| false);
    }
    found
}

fn cell(value: rusqlite::types::ValueRef<'_>) -> String {
    use rusqlite::types::ValueRef::*;
    match value {
        Null => "NULL".into(),
        Integer(value) => value.to_string(),
        Real(value) => value.to_string(),
        Text(text) | Blob(text) => String::from_utf8_lossy(text).into_owned(),
    }
}
