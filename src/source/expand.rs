//! What names of sources stand for: folders for the recordings in them, patterns for the files that match.

use super::{Location, SourceError};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// What a name stands for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Expansion {
    /// The sources, sorted by name; at least one.
    pub names: Vec<OsString>,
    /// What lies beside them in folders and is not wanted.
    pub skipped: Vec<PathBuf>,
}

/// Tells what a name of the command line stands for. A folder stands for the files in it that are
/// wanted; folders in it and hidden files are left out. What is no file and no URL, but has `*`, `?` or
/// `[` in it, is a pattern, and stands for all that match, as if the shell had put them there. Whatever
/// else stands for itself. The error says that there is nothing.
pub fn expand(
    name: &OsStr,
    is_wanted: &mut dyn FnMut(&Path) -> bool,
) -> Result<Expansion, SourceError> {
    let refuse = |what: String| SourceError::Open { what };
    let mut found = Expansion::default();
    let location = Location::parse(name);
    let Some(path) = location.path() else {
        found.names.push(name.into());
        return Ok(found);
    };
    if path.is_dir() {
        look_into(path, is_wanted, &mut found)?;
        return match found.names.is_empty() {
            true => Err(refuse(nothing_in_folder(found.skipped.len()))),
            false => Ok(found),
        };
    }
    let pattern = name.to_str().filter(|name| name.contains(['*', '?', '[']));
    let Some(pattern) = pattern.filter(|_| path.symlink_metadata().is_err()) else {
        found.names.push(name.into());
        return Ok(found);
    };
    let as_in_shells = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let matches = glob::glob_with(pattern, as_in_shells)
        .map_err(|error| refuse(format!("no such file, and no pattern: {}", error.msg)))?;
    let mut matches: Vec<PathBuf> = matches.filter_map(Result::ok).collect();
    matches.sort();
    for path in &matches {
        match path.is_dir() {
            true => look_into(path, is_wanted, &mut found)?,
            false => found.names.push(path.into()),
        }
    }
    match found.names.is_empty() {
        true if matches.is_empty() => Err(refuse("no file matches this pattern".into())),
        true => Err(refuse("what matches this pattern are directories without recordings".into())),
        false => Ok(found),
    }
}

fn nothing_in_folder(others: usize) -> String {
    match others {
        0 => "it is an empty directory".into(),
        1 => "there is no recording in this directory, only something else".into(),
        _ => format!("there is no recording in this directory, only {others} other things"),
    }
}

/// Adds what is in a folder.
fn look_into(
    folder: &Path,
    is_wanted: &mut dyn FnMut(&Path) -> bool,
    found: &mut Expansion,
) -> Result<(), SourceError> {
    let failed = |error: std::io::Error| SourceError::Open { what: super::open_failure(&error) };
    let mut names = Vec::new();
    for entry in folder.read_dir().map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name());
    }
    names.sort();
    for name in names {
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = folder.join(name);
        // A pipe would be waited for.
        match path.is_file() && is_wanted(&path) {
            true => found.names.push(path.into()),
            false => found.skipped.push(path),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A folder with files, and what a name in it stands for.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new(files: &[&str]) -> Folder {
            let folder = tempfile::tempdir().unwrap();
            for file in files {
                let path = folder.path().join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            }
            Folder(folder)
        }

        /// Names and what is skipped, relative to the folder; or the error.
        fn expand(&self, name: &str) -> Result<(Vec<String>, Vec<String>), String> {
            let path = self.0.path().join(name);
            let mut is_wanted = |path: &Path| path.extension().is_some_and(|is| is == "trace");
            let found =
                expand(path.as_os_str(), &mut is_wanted).map_err(|error| error.to_string())?;
            let short = |path: &Path| {
                path.strip_prefix(self.0.path()).unwrap().to_str().unwrap().replace('\\', "/")
            };
            Ok((
                found.names.iter().map(|name| short(Path::new(name))).collect(),
                found.skipped.iter().map(|path| short(path)).collect(),
            ))
        }
    }

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    #[test]
    fn a_folder_stands_for_what_is_wanted_in_it_sorted_by_name() {
        let folder =
            Folder::new(&["b.trace", "a.trace", "10.trace", "x.txt", ".h.trace", "sub/c.trace"]);
        let want = (texts(&["10.trace", "a.trace", "b.trace"]), texts(&["sub", "x.txt"]));
        assert_eq!(folder.expand(""), Ok(want));
        fs::create_dir(folder.0.path().join("empty")).unwrap();
        assert_eq!(folder.expand("empty"), Err("it is an empty directory".into()));
        let none = Folder::new(&["x.txt", ".h.trace", "y"]);
        let want = "there is no recording in this directory, only 2 other things";
        assert_eq!(none.expand(""), Err(want.into()));
    }

    #[test]
    fn a_pattern_stands_for_what_matches_and_a_name_for_itself() {
        let folder = Folder::new(&[
            "b.trace",
            "a.trace",
            "c.txt",
            ".h.trace",
            "sub/d.trace",
            "sub/e.txt",
            "sub/deep/f.trace",
        ]);
        let names = |name: &str| folder.expand(name).map(|(names, _)| names);
        assert_eq!(names("*.trace"), Ok(texts(&["a.trace", "b.trace"])));
        // Whoever writes a pattern names the files, whatever is in them.
        assert_eq!(names("[bc].t*"), Ok(texts(&["b.trace", "c.txt"])));
        assert_eq!(names("s*"), Ok(texts(&["sub/d.trace"])));
        assert_eq!(names("s*/*.t?t"), Ok(texts(&["sub/e.txt"])));
        assert_eq!(names("**/f.*"), Ok(texts(&["sub/deep/f.trace"])));
        assert_eq!(names("*.db"), Err("no file matches this pattern".into()));
        let error = names("[a.trace").unwrap_err();
        assert!(error.starts_with("no such file, and no pattern: "), "{error}");
        // What is not there is told when it is opened.
        assert_eq!(names("none"), Ok(texts(&["none"])));
        #[cfg(unix)]
        {
            fs::write(folder.0.path().join("[bc].t*"), "").unwrap();
            assert_eq!(names("[bc].t*"), Ok(texts(&["[bc].t*"])));
        }
    }

    #[test]
    fn urls_and_standard_input_are_no_patterns() {
        for name in ["http://h/x?a=[1]*", "-", "http+unix://%2Fs/x?y"] {
            let found = expand(OsStr::new(name), &mut |_| true).unwrap();
            assert_eq!(found.names, [name]);
        }
    }
}
