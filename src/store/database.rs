//! Database files: making new ones, opening old ones.

use super::budget::Budget;
use super::filter::Active;
use super::functions;
use super::guard;
use super::insert::InsertWriter;
use super::loader::Loader;
use super::relations::RELATIONS;
use super::schema::INDEXES;
use super::writer::BulkWriter;
use super::{StoreError, schema, spill};
use crate::model::Symbols;
use rusqlite::{Connection, OpenFlags};
use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// `PRAGMA application_id` of gotrace's databases: "gotr".
pub const APPLICATION_ID: i32 = 0x676f_7472;
/// `PRAGMA user_version`: the version of the schema. Raised whenever a query written for the old
/// schema could fail or mean something else.
pub const SCHEMA_VERSION: i32 = 2;

/// Tables whose rows are numbered when they begin and written when they end.
const OUT_OF_ORDER: &[&str] = &["raw_goroutines"];

/// Tables that are written by the thread for goroutine states.
const STATE_TABLES: &[&str] = &["raw_goroutine_states", "raw_state_ranges", "raw_state_totals"];

/// Makes an empty database with the whole schema, without any care for crashes.
pub(super) fn create(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch(
        "pragma page_size = 8192; pragma journal_mode = off; pragma synchronous = off;
         pragma locking_mode = exclusive; pragma foreign_keys = off;",
    )?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    connection.execute_batch("begin")?;
    for relation in RELATIONS {
        connection.execute_batch(relation.sql)?;
    }
    for index in INDEXES {
        connection.execute_batch(&index.sql())?;
    }
    connection.execute_batch("commit")?;
    Ok(())
}

/// Lets the planner know how large the tables are, from samples.
pub(super) fn analyze(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch("pragma analysis_limit = 1000; analyze;")?;
    Ok(())
}

/// A database being made in a file, page by page. The caller renames the file when it is complete;
/// until then nothing is done to survive a crash.
pub struct NewDatabaseFile {
    path: PathBuf,
}

impl NewDatabaseFile {
    /// A database in an empty file.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        create(&connection)?;
        connection.close().map_err(|(_, error)| error)?;
        Ok(NewDatabaseFile { path: path.into() })
    }

    /// A loader into the database, for all its traces.
    pub fn loader(&self) -> Result<Loader<BulkWriter>, StoreError> {
        let mut writer = BulkWriter::new(&self.path, INDEXES, OUT_OF_ORDER)?;
        let state_writer = writer.split(STATE_TABLES);
        Loader::in_parallel(writer, state_writer)
    }

    /// Completes the database.
    pub fn finish_load(
        self,
        loader: Loader<BulkWriter>,
        symbols: &Symbols,
    ) -> Result<(), StoreError> {
        let (writer, state_writer) = loader.finish(symbols)?;
        state_writer.finish()?;
        writer.finish()?;
        let connection = Connection::open(&self.path)?;
        connection.execute_batch("pragma journal_mode = off; pragma synchronous = off;")?;
        analyze(&connection)?;
        connection.close().map_err(|(_, error)| error)?;
        Ok(())
    }
}

/// A database being made in memory, by INSERT.
pub struct NewDatabase {
    connection: Connection,
}

impl NewDatabase {
    /// An empty database.
    pub fn in_memory() -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory()?;
        create(&connection)?;
        connection.execute_batch("begin")?;
        Ok(NewDatabase { connection })
    }

    /// A loader into the database, for all its traces.
    pub fn loader(&self) -> Result<Loader<InsertWriter<'_>>, StoreError> {
        Ok(Loader::new(InsertWriter::new(&self.connection)?, InsertWriter::new(&self.connection)?))
    }

    /// Completes the database.
    pub fn finish_load(
        &self,
        loader: Loader<InsertWriter<'_>>,
        symbols: &Symbols,
    ) -> Result<(), StoreError> {
        drop(loader.finish(symbols)?);
        self.connection.execute_batch("commit")?;
        analyze(&self.connection)
    }

    /// Goes on with it as a database to ask.
    pub fn into_database(self) -> Result<Database, StoreError> {
        Database::new(self.connection)
    }
}

/// A database to ask. It cannot be changed through this.
pub struct Database {
    pub(super) connection: Connection,
    pub(super) budget: Budget,
    pub(super) active: RefCell<Active>,
    /// Dropped behind the connection: what removes a temporary file.
    _owned: Option<Box<dyn std::any::Any + Send>>,
}

impl Database {
    /// Opens a file that gotrace made.
    ///
    /// It may come from anywhere: what stands in it is compared with what gotrace writes, see
    /// `store::schema`, and nothing in it is run.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        spill::register()?;
        let connection = Connection::open_with_flags_and_vfs(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            spill::LAYER,
        )?;
        guard::distrust(&connection)?;
        let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get(0));
        let application: i32 = number("application_id")?;
        if application != APPLICATION_ID {
            return Err(StoreError::Usage(
                "it is a SQLite database, but not one that gotrace made".into(),
            ));
        }
        let version: i32 = number("user_version")?;
        if version != SCHEMA_VERSION {
            return Err(StoreError::Usage(format!(
                "the database has schema version {version}, this gotrace knows {SCHEMA_VERSION}; \
                 ingest the trace again"
            )));
        }
        schema::check(&connection)?;
        Self::new(connection)
    }

    fn new(connection: Connection) -> Result<Self, StoreError> {
        let budget = Budget::new();
        functions::register(&connection, &budget)?;
        let asked = budget.clone();
        connection.progress_handler(4096, Some(move || asked.is_over()));
        // The file is read through a cache of its own and not mapped: so the memory a query takes is
        // bounded, whatever the size of the database, and what is lost is hardly measurable.
        connection.execute_batch("pragma mmap_size = 0; pragma cache_size = -32768;")?;
        guard::protect(&connection)?;
        let database = Database { connection, budget, active: RefCell::default(), _owned: None };
        database.start(database.budget.limits())?;
        Ok(database)
    }

    /// Keeps `value` until the database is closed, such as the guard of a temporary file.
    pub fn owning(mut self, value: impl std::any::Any + Send) -> Self {
        self._owned = Some(Box::new(value));
        self
    }
}

/// Whether bytes begin as SQLite databases do.
pub fn is_database(start: &[u8]) -> bool {
    start.starts_with(b"SQLite format 3\0")
}

/// Whether a file is a database that gotrace made.
pub fn is_own(path: &Path) -> bool {
    let mut start = [0; 72];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start.starts_with(b"SQLite format 3\0")
        // The application id is at byte 68 of the header (SQLite file format, 1.3).
        && start[68..72] == APPLICATION_ID.to_be_bytes()
}
