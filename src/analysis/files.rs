//! Files that are being written: under a temporary name beside the target, renamed when complete.
//!
//! This owns every temporary file that has a name (the others are made without one, by the crate
//! `tempfile`, and go with the program). Each stands in a folder of its own, `.gotrace-NAME.tmp`, with a
//! file that is locked as long as the program lives. So a file goes
//! - when what writes it is dropped or fails,
//! - when a signal ends the program ([`remove_all`]),
//! - else, as after kill -9 and when the power fails, when gotrace next writes a file beside it: what nobody
//!   has locked is nobody's.

use super::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::Builder;

const PREFIX: &str = ".gotrace-";
const SUFFIX: &str = ".tmp";
/// The file that is written, and the one that is locked, in their folder.
const DATA: &str = "data";
const LOCK: &str = "lock";

/// The folders there are, the last made last, and for users what is written there.
static FOLDERS: Mutex<Vec<(PathBuf, String)>> = Mutex::new(Vec::new());

/// Folders are made, and files renamed, with this held: then a signal finds all of them.
fn folders() -> MutexGuard<'static, Vec<(PathBuf, String)>> {
    FOLDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes all temporary files. None can be made any more: the program must end.
pub fn remove_all() {
    let folders = folders();
    for (folder, _) in folders.iter() {
        // Other threads may be adding files just now.
        let _ = (0..10).find(|_| remove(folder).is_ok());
    }
    std::mem::forget(folders);
}

/// What went wrong with a file, in words, with advice if there was no room for it.
pub fn explain(error: &io::Error) -> String {
    use io::ErrorKind::*;
    match error.kind() {
        StorageFull | FileTooLarge | QuotaExceeded => no_room(&error.to_string()),
        _ => error.to_string(),
    }
}

/// That there is no room for what is being written.
pub fn no_room(what: &str) -> String {
    match folders().last() {
        Some((_, description)) => format!(
            "{description}: {what}; what was written of it is removed: make room there, or raise the limit \
             on the size of files (ulimit -f)"
        ),
        None => what.into(),
    }
}

/// A file without a name that others know. It goes when this does.
pub struct TemporaryFile {
    folder: PathBuf,
    path: PathBuf,
    /// Locked as long as this lives; `None` where the file system has no locks.
    _lock: Option<File>,
}

impl TemporaryFile {
    /// An empty file in the system's folder for temporary files.
    pub fn new(purpose: &str) -> Result<Self> {
        let folder = std::env::temp_dir();
        let shown = folder.display();
        let description = format!(
            "{purpose} in {shown}, the folder for temporary files (TMPDIR names another one)"
        );
        Self::new_in(&folder, description)
    }

    /// An empty file in `folder`. `description` is for errors: what is written there.
    fn new_in(folder: &Path, description: String) -> Result<Self> {
        remove_abandoned(folder);
        Self::try_new_in(folder, description).map_err(|error| {
            use io::ErrorKind::*;
            let what = match error.kind() {
                NotFound => "no such folder".into(),
                NotADirectory => "is no folder".into(),
                PermissionDenied | ReadOnlyFilesystem | StorageFull | QuotaExceeded => {
                    // Without the temporary name, which tells users nothing.
                    io::Error::from(error.kind()).to_string()
                }
                _ => error.to_string(),
            };
            Error::Failed(format!("{}: {what}", folder.display()))
        })
    }

    fn try_new_in(folder: &Path, description: String) -> io::Result<Self> {
        let mut folders = folders();
        // Whoever removes what is abandoned may come between any two of these steps; then again.
        for _ in 0..20 {
            let folder =
                Builder::new().prefix(PREFIX).suffix(SUFFIX).rand_bytes(8).tempdir_in(folder)?;
            let lock_path = folder.path().join(LOCK);
            let Ok(lock) = File::create(&lock_path) else { continue };
            let lock = match lock.try_lock() {
                Ok(()) => Some(lock),
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(_)) => None,
            };
            if !lock_path.exists() {
                continue;
            }
            let path = folder.path().join(DATA);
            File::create(&path)?;
            let folder = folder.keep();
            folders.push((folder.clone(), description));
            return Ok(TemporaryFile { folder, path, _lock: lock });
        }
        Err(io::Error::other("another gotrace removes the temporary files made here"))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let mut folders = folders();
        let _ = remove(&self.folder);
        folders.retain(|(folder, _)| *folder != self.folder);
    }
}

/// Removes a folder of ours with what gotrace puts there; what else is in it stays.
fn remove(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        // SQLite puts its journal beside the data, and files of `tempfile` are about to lose their names.
        let is_ours =
            name.to_str().is_some_and(|name| name.starts_with(DATA) || name.starts_with(".tmp"));
        if is_ours && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    // The lock last: it says whose the rest is.
    match fs::remove_file(folder.join(LOCK)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::remove_dir(folder)
}

/// Removes what gotraces that live no more have left in a folder. What cannot be removed stays.
fn remove_abandoned(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_named =
            name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        // Not through a link, and in a folder that many use only what is this user's.
        let is_folder = is_named && entry.metadata().is_ok_and(|it| it.is_dir() && is_mine(&it));
        if !is_folder {
            continue;
        }
        let path = entry.path();
        match File::options().write(true).open(path.join(LOCK)) {
            Ok(lock) => {
                if lock.try_lock().is_ok() {
                    // It stays locked meanwhile; Windows removes it when it is closed.
                    let _ = remove(&path);
                }
            }
            // Just made, or killed at that moment: it goes only if it is empty.
            Err(_) => drop(fs::remove_dir(&path)),
        }
    }
}

#[cfg(unix)]
fn is_mine(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    // SAFETY: it has no arguments and cannot fail.
    metadata.uid() == unsafe { libc::geteuid() }
}

#[cfg(not(unix))]
fn is_mine(_: &fs::Metadata) -> bool {
    true
}

/// A file being written. Dropped without [`PendingFile::keep`], it leaves nothing behind.
pub struct PendingFile {
    temporary: TemporaryFile,
    target: PathBuf,
}

impl PendingFile {
    /// A temporary file beside `target`. A target that exists is refused unless `force`.
    pub fn new(target: &Path, force: bool) -> Result<Self> {
        let shown = target.display();
        if target.is_dir() {
            return Err(Error::Failed(format!("{shown}: is a directory")));
        }
        if target.exists() && !force {
            return Err(Error::Failed(format!("{shown}: exists; --force overwrites it")));
        }
        let temporary = TemporaryFile::new_in(folder_of(target), shown.to_string())?;
        Ok(PendingFile { temporary, target: target.into() })
    }

    /// The temporary file.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Gives the file its name. When it has it, its content is on the disk.
    pub fn keep(self) -> Result<()> {
        let failed = |error: io::Error| {
            Error::Failed(format!("{}: {}", self.target.display(), explain(&error)))
        };
        File::options()
            .write(true)
            .open(self.path())
            .and_then(|it| it.sync_all())
            .map_err(failed)?;
        let renamed = {
            let _renaming = folders();
            fs::rename(self.path(), &self.target)
        };
        renamed.map_err(failed)?;
        sync_folder(folder_of(&self.target));
        Ok(())
    }
}

/// The folder of a file that is named.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Has the names in a folder written to the disk, where a folder can be opened for that.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        // Not all file systems can; the file is there all the same.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}
