//! Output files: written under a temporary name beside the target, renamed when complete.

use super::{CliError, Result};
use crate::store;
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};
use tempfile::{Builder, TempPath};

/// The temporary files there are, for when the user interrupts.
static TEMPORARY: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Has a temporary file removed if the user interrupts. Where something else listens to that already,
/// the process goes on, and so does the file.
fn remove_if_interrupted(path: PathBuf) {
    static LISTENING: Once = Once::new();
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
    LISTENING.call_once(|| {
        let _ = ctrlc::set_handler(|| {
            for path in &*TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner) {
                let _ = std::fs::remove_file(path);
            }
            // Whatever stands in the last line, a progress bar and ^C, ends here.
            if std::io::stderr().is_terminal() {
                eprintln!();
            }
            // As a shell has it for a process that SIGINT ended.
            std::process::exit(130);
        });
    });
}

/// A file being written. Dropped without [`PendingFile::keep`], it leaves nothing behind.
pub struct PendingFile {
    temporary: TempPath,
    target: PathBuf,
}

impl PendingFile {
    /// A temporary file beside `target`. A target that exists and was not made by gotrace is
    /// refused unless `force`.
    pub fn new(target: &Path, force: bool) -> Result<Self> {
        if target.is_dir() {
            return Err(CliError::Failed(format!("{}: is a directory", target.display())));
        }
        if target.exists() && !force && !store::is_own(target) {
            return Err(CliError::Failed(format!(
                "{}: exists and was not made by gotrace; --force overwrites it",
                target.display()
            )));
        }
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let file = Builder::new()
            .prefix(".gotrace-")
            .suffix(".tmp")
            .tempfile_in(folder)
            .map_err(|error| CliError::Failed(format!("{}: {error}", folder.display())))?;
        let temporary = file.into_temp_path();
        remove_if_interrupted(temporary.to_path_buf());
        Ok(PendingFile { temporary, target: target.into() })
    }

    /// The temporary file.
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Gives the file its name.
    pub fn keep(self) -> Result<()> {
        let target = self.target;
        // Temporary files are private; the result should be as readable as any file of the user.
        #[cfg(unix)]
        make_readable(&self.temporary)?;
        self.temporary
            .persist(&target)
            .map_err(|error| CliError::Failed(format!("{}: {}", target.display(), error.error)))
    }
}

/// Gives a file the mode that a newly created file gets.
#[cfg(unix)]
fn make_readable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let probe = path.with_extension("mode");
    let mode = std::fs::File::create(&probe)?.metadata()?.permissions().mode();
    std::fs::remove_file(&probe)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}
