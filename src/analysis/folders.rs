//! Folders and patterns in place of files.

use super::opened::{Kind, kind_of_file};
use super::{Error, Observer, Result};
use crate::source::{self, Expansion};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// What of a folder is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Traces and profiles.
    Recordings,
    /// Profiles only.
    Profiles,
}

/// The sources that a name stands for: a folder for those in it, a pattern for what matches, whatever else for
/// itself. What else there is in a folder is remarked in one line.
///
/// # Errors
/// If there is nothing.
pub fn expand(name: &OsStr, wanted: Wanted, observer: &dyn Observer) -> Result<Vec<OsString>> {
    let mut is_wanted = |path: &Path| match kind_of_file(path) {
        // Whoever opens it is told why it cannot be read.
        None | Some(Kind::Profile) => true,
        Some(Kind::Trace) => wanted == Wanted::Recordings,
        Some(Kind::Database | Kind::Other(_)) => false,
    };
    let Expansion { names, skipped } = source::expand(name, &mut is_wanted)
        .map_err(|error| Error::Failed(format!("{}: {error}", Path::new(name).display())))?;
    if !skipped.is_empty() {
        observer.remark(&format!("left out what is no recording: {}", listed(&skipped)));
    }
    Ok(names)
}

/// The first of some names, and how many more there are.
fn listed(paths: &[impl AsRef<Path>]) -> String {
    const SHOWN: usize = 4;
    let mut names: Vec<String> =
        paths.iter().take(SHOWN).map(|path| path.as_ref().display().to_string()).collect();
    if paths.len() > SHOWN {
        names.push(format!("and {} more", paths.len() - SHOWN));
    }
    names.join(", ")
}
