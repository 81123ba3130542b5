//! Adding to a database that exists, and telling sources that it has already.

use super::StoreError;
use super::database::{Database, analyze, create};
use super::insert::InsertWriter;
use super::loader::{Loader, Numbers};
use crate::model::{FrameData, FunctionId, Symbols};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A source that a database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldSource {
    /// As the user named it.
    pub source: String,
    /// What its content came to; other content has another.
    content: String,
    /// Whether it says when it was recorded. If not, two sources of one content need not be the same.
    is_dated: bool,
}

impl HeldSource {
    /// Whether both are one source: content counts, and not the name, unless there is nothing better.
    pub fn is_same(&self, other: &HeldSource) -> bool {
        self.content == other.content && (self.is_dated || self.source == other.source)
    }
}

/// The sources of a database that gotrace made.
pub fn held_sources(path: &Path) -> Result<Vec<HeldSource>, StoreError> {
    sources(&Database::open(path)?.connection)
}

/// Tables, views, indexes and triggers of a database that gotrace did not make.
pub fn foreign_names(path: &Path) -> Result<Vec<String>, StoreError> {
    let fresh = Connection::open_in_memory()?;
    create(&fresh)?;
    let known = declarations(&fresh)?;
    let names = declarations(&Database::open(path)?.connection)?;
    Ok(names.into_iter().filter(|it| !known.contains(it)).map(|(name, _)| name).collect())
}

/// Copies a database as it is, with what stands in its journal. The error says so if another program is using it.
pub fn copy_database(from: &Path, to: &Path) -> Result<(), StoreError> {
    // To be opened last and closed puts into the file what stands beside it.
    if let Ok(connection) = Connection::open(from) {
        connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(()))?;
    }
    for ending in ["-wal", "-journal"] {
        let mut beside = from.as_os_str().to_owned();
        beside.push(ending);
        if std::fs::metadata(&beside).is_ok_and(|it| it.len() > 0) {
            return Err(StoreError::Usage(
                "another program has it open; close it there first".into(),
            ));
        }
    }
    std::fs::copy(from, to)?;
    Ok(())
}

/// Whether nobody has written into a database since gotrace made it: then a `fresh` one was written to as often
/// (SQLite file format, 1.3: the file change counter, and whether there is a write-ahead log).
pub fn is_unchanged(path: &Path, fresh: &Path) -> std::io::Result<bool> {
    let counter = |path| {
        let mut header = [0; 100];
        File::open(path)?.read_exact(&mut header)?;
        Ok::<_, std::io::Error>((header[18..20].to_vec(), header[24..28].to_vec()))
    };
    Ok(counter(path)? == counter(fresh)?)
}

/// Name and text of what is declared.
fn declarations(connection: &Connection) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "select name, coalesce(sql, '') from main.sqlite_schema where name not like 'sqlite\\_%' escape '\\'";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What the database holds, traces first.
fn sources(connection: &Connection) -> Result<Vec<HeldSource>, StoreError> {
    sources_since(connection, 0, 0)
}

/// The traces and profiles with greater numbers than these.
fn sources_since(
    connection: &Connection,
    trace: i64,
    profile: i64,
) -> Result<Vec<HeldSource>, StoreError> {
    let traces = "select source,
          json_array('trace', format, size_bytes, start_clock_ns, start_unix_ns, duration_ns, events,
            generations, goroutines, lost_bytes, lost_events), 1
        from main.traces where id > ?1 order by id";
    let profiles = "with sums as materialized (
          select type_id, count(*) as number, total(value) as sum, max(value) as most
          from main.raw_profile_samples group by type_id)
        select source,
          json_array('profile', program, build_id, time_unix_ns, duration_ns, period_type, period_unit,
            period, samples, (select json_group_array(json_array(t.type, t.unit, s.number, s.sum, s.most))
              from main.profile_types t left join sums s on s.type_id = t.id
              where t.profile_id = p.id)), time_unix_ns is not null
        from main.profiles p where id > ?1 order by id";
    let mut found = Vec::new();
    for (sql, since) in [(traces, trace), (profiles, profile)] {
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([since], |row| {
            Ok(HeldSource { source: row.get(0)?, content: row.get(1)?, is_dated: row.get(2)? })
        })?;
        for row in rows {
            found.push(row?);
        }
    }
    Ok(found)
}

/// What became of a source.
pub enum Added<T> {
    /// It was loaded.
    New(T),
    /// The database has it already, under this name.
    Known(String),
}

/// A database to which sources are added, by INSERT. The caller has it in a file that nobody else uses and
/// renames that when all is done; until then nothing is done to survive a crash.
pub struct AppendedDatabase {
    connection: Connection,
}

impl AppendedDatabase {
    /// Opens a database that gotrace made, with its symbols. What users have added to it stays as it is.
    pub fn open(path: &Path) -> Result<(Self, Symbols), StoreError> {
        // Refuses what is none, or of another version.
        drop(Database::open(path)?);
        let foreign = foreign_names(path)?;
        let connection = Connection::open(path)?;
        // Rows are checked where they are written; nothing that somebody put into the file shall run.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        // The journal is for taking back a source that turns out to be known.
        connection.execute_batch(
            "pragma journal_mode = memory; pragma synchronous = off; pragma locking_mode = exclusive;
             pragma foreign_keys = off; pragma cache_size = -65536; begin",
        )?;
        let fresh = Connection::open_in_memory()?;
        create(&fresh)?;
        let declared = declarations(&connection)?;
        let lacks = |it: &(String, String)| !declared.contains(it);
        if let Some((name, _)) = declarations(&fresh)?.into_iter().find(lacks) {
            let hint = if foreign.contains(&name) { "was changed" } else { "is missing" };
            return Err(StoreError::Usage(format!(
                "{name} {hint} in it; ingest into another database"
            )));
        }
        let symbols = read_symbols(&connection)?;
        Ok((AppendedDatabase { connection }, symbols))
    }

    /// A loader that goes on with the numbers of the database. `symbols` are those of [`Self::open`].
    pub fn loader(&self, symbols: &Symbols) -> Result<Loader<InsertWriter<'_>>, StoreError> {
        let numbers = Numbers::read(&self.connection)?;
        let writer = InsertWriter::new(&self.connection)?;
        let state_writer = InsertWriter::new(&self.connection)?;
        Ok(Loader::going_on(writer, state_writer, numbers, symbols))
    }

    /// Loads a source; one that the database has already is taken back, and so is what an error left.
    pub fn add<'c, T, E: From<StoreError>>(
        &'c self,
        loader: &mut Loader<InsertWriter<'c>>,
        load: impl FnOnce(&mut Loader<InsertWriter<'c>>) -> Result<T, E>,
    ) -> Result<Added<T>, E> {
        let sql = |sql: &str| self.connection.execute_batch(sql).map_err(StoreError::from);
        sql("savepoint source")?;
        let before = loader.numbers();
        let loaded = load(loader).and_then(|loaded| Ok((loaded, self.known_since(&before)?)));
        match loaded {
            Ok((loaded, None)) => {
                sql("release source")?;
                Ok(Added::New(loaded))
            }
            Ok((_, Some(known))) => {
                sql("rollback to source; release source")?;
                loader.go_back(before);
                Ok(Added::Known(known))
            }
            Err(error) => {
                sql("rollback to source; release source")?;
                loader.go_back(before);
                Err(error)
            }
        }
    }

    /// If what was loaded behind these numbers was there before: its name there.
    fn known_since(&self, before: &Numbers) -> Result<Option<String>, StoreError> {
        let new = sources_since(&self.connection, before.traces(), before.profiles())?;
        let all = sources(&self.connection)?;
        // The new one stands in the list, too.
        let held = |one: &HeldSource| {
            let mut same = all.iter().filter(|other| other.is_same(one));
            let first = same.next()?;
            same.next().map(|_| first.source.clone())
        };
        Ok(new.first().and_then(held))
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
}

/// The symbols that a database has; their numbers are the rows'.
fn read_symbols(connection: &Connection) -> Result<Symbols, StoreError> {
    let changed = |what: &str| {
        StoreError::Usage(format!(
            "its {what} are not as gotrace wrote them; ingest into another database"
        ))
    };
    let mut symbols = Symbols::default();
    let mut statement =
        connection.prepare("select id, name, file from main.functions order by id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, file): (String, String) = (row.get(1)?, row.get(2)?);
        let id = symbols.function(name.as_bytes(), file.as_bytes());
        if id.row() != row.get::<_, i64>(0)? {
            return Err(changed("functions"));
        }
    }
    let functions = symbols.functions().count() as i64;
    let mut statement =
        connection.prepare("select id, function_id, line, pc from main.frames order by id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let function: i64 = row.get(1)?;
        let line = u64::try_from(row.get::<_, i64>(2)?).map_err(|_| changed("frames"))?;
        if !(1..=functions).contains(&function) {
            return Err(changed("frames"));
        }
        let function = FunctionId::from_index(function as usize - 1);
        let at = symbols.frame(FrameData { function, line, pc: row.get::<_, i64>(3)? as u64 });
        if i64::from(at) + 1 != row.get::<_, i64>(0)? {
            return Err(changed("frames"));
        }
    }
    let mut statement = connection.prepare("select id, name from main.reasons order by id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if symbols.reason(&row.get::<_, String>(1)?).row() != row.get::<_, i64>(0)? {
            return Err(changed("reasons"));
        }
    }
    read_stacks(connection, &mut symbols)?.then_some(symbols).ok_or_else(|| changed("stacks"))
}

/// Whether the stacks are one after the other, as the loader writes them.
fn read_stacks(connection: &Connection, symbols: &mut Symbols) -> Result<bool, StoreError> {
    let frames = symbols.frame_count() as i64;
    let mut of_stacks =
        connection.prepare("select id, frame_id from main.raw_stack_frames order by id")?;
    let mut of_stacks = of_stacks.query([])?;
    let mut statement =
        connection.prepare("select id, first_frame, depth from main.stacks order by id")?;
    let mut rows = statement.query([])?;
    let (mut next, mut stack) = (1i64, Vec::new());
    while let Some(row) = rows.next()? {
        let (first, depth): (i64, i64) = (row.get(1)?, row.get(2)?);
        stack.clear();
        for at in next..next.saturating_add(depth) {
            let Some(row) = of_stacks.next()? else { return Ok(false) };
            let frame: i64 = row.get(1)?;
            if row.get::<_, i64>(0)? != at || !(1..=frames).contains(&frame) {
                return Ok(false);
            }
            stack.push(frame as u32 - 1);
        }
        if first != next || symbols.stack(&stack).row() != row.get::<_, i64>(0)? {
            return Ok(false);
        }
        next += depth;
    }
    Ok(of_stacks.next()?.is_none())
}
