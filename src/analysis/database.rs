//! Sources as one database that can be asked.

use super::files::TemporaryFile;
use super::load::load_source;
use super::opened::{Kind, Opened};
use super::{Error, Result};
use crate::model::Symbols;
use crate::store::{Database, NewDatabase, NewDatabaseFile};

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
    let mut symbols = Symbols::default();
    match storage {
        Storage::Memory => {
            let database = NewDatabase::in_memory()?;
            let mut loader = database.loader()?;
            for opened in sources {
                let location = opened.location.clone();
                let loaded = load_source(opened, &mut loader, &mut symbols)?;
                check(strict && loaded.has_loss, &location)?;
            }
            database.finish_load(loader, &symbols)?;
            Ok(database.into_database()?)
        }
        Storage::TemporaryFile => {
            let file = TemporaryFile::new("the database of what is asked")?;
            let database = NewDatabaseFile::create(file.path())?;
            let mut loader = database.loader()?;
            for opened in sources {
                let location = opened.location.clone();
                let loaded = load_source(opened, &mut loader, &mut symbols)?;
                check(strict && loaded.has_loss, &location)?;
            }
            database.finish_load(loader, &symbols)?;
            let database = Database::open(file.path())?;
            // Where an open file can be unlinked, do it now: then it is gone even if this process is killed.
            Ok(if cfg!(unix) { database } else { database.owning(file) })
        }
    }
}

/// Fails if something was lost where nothing may be.
pub fn check(is_lost: bool, location: &crate::source::Location) -> Result<()> {
    match is_lost {
        true => Err(Error::Failed(format!("{location}: a part was lost, and --strict was given"))),
        false => Ok(()),
    }
}
