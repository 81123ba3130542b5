//! Sources as one database that can be asked.

use super::files::TemporaryFile;
use super::load::load_source;
use super::opened::{Kind, Opened};
use super::{Result, refuse_loss};
use crate::model::Symbols;
use crate::store::{Database, Loader, NewDatabase, NewDatabaseFile, RowWriter};

/// Where sources are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Storage {
    /// Into a file that nobody sees, which goes with the analysis: as fast as memory, and larger traces fit.
    #[default]
    TemporaryFile,
    /// Into memory, where nothing can be written.
    Memory,
}

/// Loads sources; of a single database nothing is loaded, it is opened as it is.
///
/// # Errors
/// If a source cannot be read; with `strict` also if a part of one was lost.
pub fn database(sources: Vec<Opened>, storage: Storage, strict: bool) -> Result<Database> {
    if let [only] = &sources[..]
        && only.kind == Kind::Database
    {
        let only = sources.into_iter().next().expect("there is one");
        return only.into_database();
    }
    match storage {
        Storage::Memory => {
            let mut symbols = Symbols::default();
            let database = NewDatabase::in_memory()?;
            let mut loader = database.loader()?;
            load_all(sources, &mut loader, &mut symbols, strict)?;
            database.finish_load(loader, &symbols)?;
            Ok(database.into_database()?)
        }
        Storage::TemporaryFile => {
            let file = database_file(sources, strict)?;
            let database = Database::open(file.path())?;
            // Where an open file can be unlinked, do it now: then it is gone even if this process is killed.
            Ok(if cfg!(unix) { database } else { database.owning(file) })
        }
    }
}

/// Loads sources into a database file, which goes with what is returned.
///
/// # Errors
/// As of [`database`].
pub fn database_file(sources: Vec<Opened>, strict: bool) -> Result<TemporaryFile> {
    let mut symbols = Symbols::default();
    let file = TemporaryFile::new("the database of what is asked")?;
    let database = NewDatabaseFile::create(file.path())?;
    let mut loader = database.loader()?;
    load_all(sources, &mut loader, &mut symbols, strict)?;
    database.finish_load(loader, &symbols)?;
    Ok(file)
}

fn load_all<W: RowWriter>(
    sources: Vec<Opened>,
    loader: &mut Loader<W>,
    symbols: &mut Symbols,
    strict: bool,
) -> Result<()> {
    sources.into_iter().try_for_each(|opened| {
        let location = opened.location.clone();
        let loaded = load_source(opened, loader, symbols)?;
        refuse_loss(strict && loaded.has_loss, &location, "")
    })
}
