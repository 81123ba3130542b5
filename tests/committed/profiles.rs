//! The committed profiles, and what must hold of any input that is taken for one.

use gotrace::profile::{Config, Profile, ProfileError, Report, View, merge, read};
use gotrace::source::{ByteStream, from_reader};
use std::fs;
use std::path::{Path, PathBuf};

/// All committed profiles in the form of profile.proto.
pub fn paths() -> Vec<PathBuf> {
    let paths = paths_in(&super::root().join("testdata"));
    assert!(paths.len() >= 21, "{} profiles", paths.len());
    paths
}

/// The profiles in a copy of `testdata`.
pub fn paths_in(testdata: &Path) -> Vec<PathBuf> {
    let found = super::recorded(testdata, "profiles", ".pb.gz", |name| {
        // What testdata/programs/profiles writes, a second heap profile for differences included.
        let kinds =
            ["heap", "heap2", "allocs", "cpu", "goroutine", "mutex", "block", "threadcreate"];
        kinds.iter().any(|kind| name.ends_with(&format!("/{kind}")))
    });
    found.into_iter().map(|(_, path)| path).collect()
}

/// All committed profiles in the forms before profile.proto (tests/conformance/old_forms.py).
pub fn old_paths() -> Vec<PathBuf> {
    let testdata = super::root().join("testdata");
    let found = [".prof", ".txt"].map(|ending| {
        super::recorded(&testdata, "profiles", ending, |name| name.starts_with("old/"))
    });
    let paths: Vec<PathBuf> = found.into_iter().flatten().map(|(_, path)| path).collect();
    assert!(paths.len() >= 17, "{} profiles in old forms", paths.len());
    paths
}

/// The bytes of a profile, unpacked.
pub fn unpacked(path: &PathBuf) -> Vec<u8> {
    let file = fs::File::open(path).unwrap();
    let mut stream = from_reader(file, None).unwrap().stream;
    let mut bytes = Vec::new();
    loop {
        let some = stream.peek(1);
        if some.is_empty() {
            return bytes;
        }
        bytes.extend_from_slice(some);
        let len = bytes.len() - stream.offset() as usize;
        stream.consume(len);
    }
}

/// Reads an input and does everything with it that can be done. The inner result is the profile, or
/// what the error says without its numbers; the outer one is what is wrong with gotrace.
pub fn examine(input: &[u8]) -> Result<Result<Profile, String>, String> {
    let profile = match read(&mut ByteStream::from_bytes(input), true) {
        Ok(profile) => profile,
        Err(ProfileError::Wire(error)) if error.offset <= input.len() as u64 => {
            // What was there instead can be anything.
            let what = error.message.split(", got").next().unwrap_or("");
            return Ok(Err(what.chars().filter(|c| !c.is_ascii_digit()).collect()));
        }
        Err(error) => return Err(format!("not an error with a place in the input: {error}")),
    };
    let mut bytes = Vec::new();
    profile.write(&mut bytes).map_err(|error| error.to_string())?;
    let again = read(&mut ByteStream::from_bytes(bytes.as_slice()), true);
    let again = again.map_err(|error| format!("what was written cannot be read: {error}"))?;
    if again.samples.len() != profile.samples.len() {
        return Err("what was written has other samples".into());
    }
    // A label that is 0 without a unit is not written, by pprof neither.
    for one in [&profile, &again] {
        if let Ok(merged) = merge(&[one, one])
            && merged.samples.len() > profile.samples.len()
        {
            return Err("merged with itself it has more samples".into());
        }
    }
    let config = Config { focus: "a|b".into(), noinlines: true, ..Config::default() };
    for (view, config) in [
        (View::Top, &Config::default()),
        (View::Tree, &config),
        (View::Dot, &Config::default()),
        (View::Traces, &Config::default()),
        (View::Raw, &config),
        (View::Callgrind, &Config::default()),
        (View::List, &Config::default()),
    ] {
        let Ok(mut report) = Report::new(profile.clone(), view, None, config) else { continue };
        let mut out = Vec::new();
        let written = match view {
            View::Top => report.top().write(&mut out),
            View::Tree => report.tree().map_or(Ok(()), |tree| tree.write(&mut out)),
            View::Dot => report.dot().write(&mut out),
            View::Traces => report.traces().write(&mut out),
            View::Raw => report.write_raw(&mut out),
            View::Callgrind => report.write_callgrind(&mut out),
            _ => report.list().map_or(Ok(()), |listing| listing.write(&mut out)),
        };
        written.map_err(|error| format!("{view:?}: {error}"))?;
    }
    Ok(Ok(profile))
}
