//! Recorded texts: a test compares with the file, or writes it again if `UPDATE_GOLDEN=1` is set.

use std::fs;
use std::path::Path;

/// Whether recorded texts are to be written again.
pub fn is_update() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1")
}

/// Compares a text with the recorded one in the file at `path`, below the root of the repository.
pub fn check(path: &str, got: &str) -> Result<(), String> {
    let file = super::root().join(path);
    if is_update() {
        return write(&file, got).map_err(|error| format!("{path}: {error}"));
    }
    let Ok(want) = fs::read_to_string(&file) else {
        return Err(format!("{path} is missing; UPDATE_GOLDEN=1 cargo test writes it"));
    };
    match first_difference(got, &want) {
        None => Ok(()),
        Some(difference) => {
            Err(format!("{path}: {difference}\nUPDATE_GOLDEN=1 cargo test writes it again"))
        }
    }
}

fn write(file: &Path, text: &str) -> std::io::Result<()> {
    fs::create_dir_all(file.parent().expect("below the root"))?;
    // What is right already keeps its time.
    if fs::read_to_string(file).is_ok_and(|old| old == text) {
        Ok(())
    } else {
        fs::write(file, text)
    }
}

/// The first line in which two texts differ.
pub fn first_difference(got: &str, want: &str) -> Option<String> {
    if got == want {
        return None;
    }
    let mut lines = got.split('\n').zip(want.split('\n')).enumerate();
    Some(match lines.find(|(_, (got, want))| got != want) {
        Some((index, (got, want))) => format!("line {}:\n  got  {got}\n  want {want}", index + 1),
        None => format!("got {} lines, want {}", got.lines().count(), want.lines().count()),
    })
}
