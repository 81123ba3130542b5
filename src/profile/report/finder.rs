//! Finding and reading source files: where pprof looks for them, and then in places where Go keeps them.
//!
//! Source: Go 1.27 pprof `internal/report/source.go`, openSourceFile.

use crate::profile::paths;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The largest source file that is read, bytes.
const MAX_SOURCE: u64 = 64 << 20;
/// How much is read by one finder, bytes: a profile may name one file in a thousand ways.
const MAX_SOURCES: u64 = 512 << 20;

/// Finds and reads source files.
pub struct SourceFinder {
    search: String,
    trim: String,
    known: HashMap<String, Result<Vec<String>, String>>,
    /// Where Go keeps sources.
    roots: Vec<PathBuf>,
    /// How many bytes may still be read.
    room: u64,
    /// The only folders from which is read; `None` for all.
    within: Option<Vec<PathBuf>>,
}

impl SourceFinder {
    /// A finder that looks in the folders of `search` (a list as in `PATH`; empty for the current
    /// folder) and above them, for names without the prefixes of `trim`.
    pub fn new(search: &str, trim: &str) -> Self {
        let search = match search.is_empty() {
            false => search.to_owned(),
            true => std::env::current_dir()
                .map(|folder| folder.to_string_lossy().into_owned())
                .unwrap_or_default(),
        };
        let (known, roots) = (HashMap::new(), go_roots());
        SourceFinder { search, trim: trim.into(), known, roots, room: MAX_SOURCES, within: None }
    }

    /// A finder that reads nothing but what is below the folders of `search`: names of files come from
    /// profiles, and a profile may come from anybody.
    pub fn within(search: &str) -> Self {
        let folders = paths::split_list(search).filter_map(|folder| fs::canonicalize(folder).ok());
        SourceFinder {
            search: search.into(),
            trim: String::new(),
            known: HashMap::new(),
            roots: go_roots(),
            room: MAX_SOURCES,
            within: Some(folders.collect()),
        }
    }

    /// Whether it is a file that may be read. Links are followed before that is decided.
    fn is_open(&self, path: &Path) -> bool {
        let is_allowed = |folders: &Vec<PathBuf>| {
            let real = fs::canonicalize(path);
            real.is_ok_and(|real| folders.iter().any(|folder| real.starts_with(folder)))
        };
        path.is_file() && self.within.as_ref().is_none_or(is_allowed)
    }

    /// The lines of a file. The error is for users.
    pub fn lines(&mut self, file: &str) -> Result<&[String], String> {
        if !self.known.contains_key(file) {
            let path = self.find(file);
            let lines = path.and_then(|path| read_lines(&path, &mut self.room));
            self.known.insert(file.to_owned(), lines);
        }
        match &self.known[file] {
            Ok(lines) => Ok(lines),
            Err(error) => Err(error.clone()),
        }
    }

    /// Where the file is (`source.go`, openSourceFile; then the places of Go).
    pub fn find(&self, file: &str) -> Result<PathBuf, String> {
        let name = paths::trim(file, &self.trim, &self.search);
        let path = Path::new(name);
        if path.is_absolute() || name.starts_with('/') {
            if self.is_open(path) {
                return Ok(path.into());
            }
        } else {
            for folder in paths::split_list(&self.search) {
                let found = Path::new(&folder)
                    .ancestors()
                    .map(|folder| folder.join(name))
                    .find(|path| self.is_open(path));
                if let Some(found) = found {
                    return Ok(found);
                }
            }
        }
        if let Some(found) = self.find_in_go(name) {
            return Ok(found);
        }
        if self.within.is_some() {
            // Whether there is such a file elsewhere is nobody's business.
            return Err(format!("{name} is in none of the folders of --source-path"));
        }
        Err(match path.is_absolute() || name.starts_with('/') {
            true => format!("open {name}: no such file or directory"),
            false => format!("could not find file {name} on path {}", self.search),
        })
    }

    /// Looks for the file below the places where Go keeps sources, and for ever shorter ends of its
    /// name below the search path: another machine had the same tree somewhere else.
    fn find_in_go(&self, name: &str) -> Option<PathBuf> {
        let name = name.replace('\\', "/");
        let ends = std::iter::successors(Some(name.trim_start_matches('/')), |rest| {
            rest.split_once('/').map(|(_, rest)| rest)
        });
        let ends: Vec<&str> = ends.collect();
        for end in &ends {
            // A module with its version is a folder of the cache, capital letters escaped.
            if end.split('/').any(|part| part.contains('@')) {
                let escaped = escape_module(end);
                let found = self.roots.iter().map(|root| root.join(&escaped));
                if let Some(found) = found.into_iter().find(|path| self.is_open(path)) {
                    return Some(found);
                }
            }
        }
        // `-trimpath` names files of the standard library without any folder of the machine.
        for end in &ends {
            let is_below_src = ends.len() > 1 && end.contains('/');
            let found =
                self.roots.iter().map(|root| root.join(end)).find(|path| self.is_open(path));
            if is_below_src && found.is_some() {
                return found;
            }
        }
        for folder in paths::split_list(&self.search) {
            for end in &ends {
                // The name alone would find any file of that name.
                if ends.len() > 1 && !end.contains('/') {
                    break;
                }
                let plain = Path::new(&folder).join(end);
                let vendored = Path::new(&folder).join("vendor").join(without_version(end));
                if let Some(found) = [plain, vendored].into_iter().find(|path| self.is_open(path)) {
                    return Some(found);
                }
            }
        }
        None
    }
}

/// The source tree of the Go release and the module cache, as the environment tells them.
fn go_roots() -> Vec<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let mut roots = Vec::new();
    match std::env::var_os("GOROOT") {
        // Set to nothing: nowhere.
        Some(root) if root.is_empty() => {}
        Some(root) => roots.push(PathBuf::from(root).join("src")),
        // Where installers put it.
        None => {
            roots.extend(
                ["/usr/local/go/src", "/usr/lib/go/src", "C:\\Program Files\\Go\\src"]
                    .map(PathBuf::from),
            );
        }
    }
    roots.extend(variable("GOMODCACHE").map(PathBuf::from));
    let home = variable("HOME").or_else(|| variable("USERPROFILE"));
    let path = variable("GOPATH")
        .or_else(|| home.map(|home| PathBuf::from(home).join("go").into_os_string()));
    for folder in path.iter().flat_map(std::env::split_paths) {
        roots.push(folder.join("pkg").join("mod"));
        roots.push(folder.join("src"));
    }
    roots
}

/// A path in the module cache: `!x` for `X` (`golang.org/x/mod/module`, EscapePath).
fn escape_module(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    // Only the path of the module is escaped; the files in it keep their names.
    let (module, rest) = match path.split_once('@') {
        Some((module, rest)) => (module, format!("@{rest}")),
        None => (path, String::new()),
    };
    for letter in module.chars() {
        if letter.is_ascii_uppercase() {
            escaped.push('!');
        }
        escaped.push(letter.to_ascii_lowercase());
    }
    escaped + &rest
}

/// A path with the versions of modules left out, as in vendor folders.
fn without_version(path: &str) -> String {
    let parts = path.split('/').map(|part| part.split('@').next().unwrap_or(part));
    parts.collect::<Vec<_>>().join("/")
}

fn read_lines(path: &Path, room: &mut u64) -> Result<Vec<String>, String> {
    let error = |error: io::Error| format!("{}: {error}", path.display());
    let size = fs::metadata(path).map_err(error)?.len();
    if size > MAX_SOURCE {
        return Err(format!("{}: too large for a source file", path.display()));
    }
    *room = room
        .checked_sub(size)
        .ok_or_else(|| format!("{}: more sources than can be shown at once", path.display()))?;
    let bytes = fs::read(path).map_err(error)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().map(String::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_found_by_the_names_that_builds_give_them() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "one\ntwo\r\n").unwrap();
        };
        write("cache/github.com/!burnt!sushi/toml@v1.2.3/Decode.go");
        write("goroot/src/net/http/server.go");
        write("work/vendor/github.com/x/y/y.go");
        write("work/pkg/a.go");
        let at = |path: &str| folder.path().join(path);
        let finder = SourceFinder {
            search: at("work").to_str().unwrap().into(),
            trim: String::new(),
            known: HashMap::new(),
            roots: vec![at("goroot/src"), at("cache")],
            room: 100,
            within: None,
        };
        for (name, want) in [
            (
                "github.com/BurntSushi/toml@v1.2.3/Decode.go",
                "cache/github.com/!burnt!sushi/toml@v1.2.3/Decode.go",
            ),
            (
                "/builder/go/pkg/mod/github.com/BurntSushi/toml@v1.2.3/Decode.go",
                "cache/github.com/!burnt!sushi/toml@v1.2.3/Decode.go",
            ),
            ("net/http/server.go", "goroot/src/net/http/server.go"),
            ("/opt/go/src/net/http/server.go", "goroot/src/net/http/server.go"),
            ("github.com/x/y@v0.1.0/y.go", "work/vendor/github.com/x/y/y.go"),
            ("example.com/module/pkg/a.go", "work/pkg/a.go"),
            ("/elsewhere/module/pkg/a.go", "work/pkg/a.go"),
        ] {
            assert_eq!(finder.find(name).ok(), Some(at(want)), "{name}");
        }
        assert!(finder.find("nowhere/a.go").is_err());
        let mut finder = finder;
        assert_eq!(finder.lines("net/http/server.go").unwrap(), ["one", "two"]);
        finder.room = 5;
        assert!(finder.lines("/elsewhere/module/pkg/a.go").unwrap_err().contains("more sources"));
    }

    #[test]
    fn a_finder_of_some_folders_reads_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for name in ["open/pkg/a.go", "secret/pkg/b.go", "top.go"] {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), "one\n").unwrap();
        }
        let open = at("open");
        let finder = SourceFinder::within(open.to_str().unwrap());
        let found = |name: &str| finder.find(name).ok();
        assert_eq!(found("pkg/a.go"), Some(at("open/pkg/a.go")));
        assert_eq!(found("/elsewhere/pkg/a.go"), Some(at("open/pkg/a.go")));
        let whole = |name: &str| at(name).to_str().unwrap().to_owned();
        assert!(found(&whole("open/pkg/a.go")).is_some());
        let outside = [
            whole("secret/pkg/b.go"),
            whole("open/../secret/pkg/b.go"),
            "../secret/pkg/b.go".into(),
            "pkg/../../secret/pkg/b.go".into(),
            // Folders above are looked in only where everything may be read.
            "top.go".into(),
            "/etc/passwd".into(),
        ];
        for name in outside {
            assert_eq!(found(&name), None, "{name}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(at("secret"), at("open/link")).unwrap();
            assert_eq!(found("link/pkg/b.go"), None);
        }
        assert_eq!(SourceFinder::within("").find(&whole("open/pkg/a.go")).ok(), None);
    }
}
