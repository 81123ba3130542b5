//! Sources of profiles.

use super::database;
use super::options::ProfileArguments;
use crate::cli::export::pprof::profiles_of_source;
use crate::cli::files::PendingFile;
use crate::cli::load::open_source;
use crate::cli::{CliError, Result, say};
use crate::profile::{self, Config, Preparation, Profile};
use crate::source::{Location, Source};
use crate::store::is_database;
use crate::wire::looks_like_trace;
use std::fs::File;
use std::io::{BufWriter, Read};
use std::path::Path;

/// Loads the sources and the bases, and makes one profile of them.
pub fn load(arguments: &ProfileArguments, sources: &[String], config: &Config) -> Result<Profile> {
    // As in pprof, a program may stand before the sources.
    let (program, sources) = match sources {
        [program, rest @ ..] if !rest.is_empty() && is_program(Path::new(program)) => {
            (Some(program.as_str()), rest)
        }
        all => (None, all),
    };
    let is_diff = !arguments.diff_base.is_empty();
    let bases = if is_diff { &arguments.diff_base } else { &arguments.base };
    let how = Preparation {
        is_diff,
        normalize: config.normalize,
        all_frames: arguments.all_frames,
        comment: arguments.add_comment.as_deref(),
        program,
        build_id: arguments.buildid.as_deref(),
    };
    let profiles = load_all(arguments, sources)?;
    let bases = load_all(arguments, bases)?;
    profile::prepare(profiles, bases, how).map_err(CliError::Failed)
}

/// Loads what can be loaded; fails if nothing can.
fn load_all(arguments: &ProfileArguments, sources: &[String]) -> Result<Vec<Profile>> {
    let mut profiles = Vec::new();
    for source in sources {
        let location = locate(arguments, source);
        match load_one(arguments, &location) {
            Ok(profile) => {
                if let (Some(path), Location::Url { .. }) = (&arguments.save, &location) {
                    save(&profile, path, arguments.force)?;
                }
                profiles.push(profile);
            }
            Err(error @ CliError::Failed(_)) if sources.len() > 1 => {
                say(&format!("gotrace: {error}; going on with the others"))
            }
            Err(error) => return Err(error),
        }
    }
    if profiles.is_empty() && !sources.is_empty() {
        return Err(CliError::Failed("none of the sources could be read".into()));
    }
    Ok(profiles)
}

/// The place the user named; a URL asks for as many seconds as the user wants.
fn locate(arguments: &ProfileArguments, source: &str) -> Location {
    let location = arguments.locations.locate(source);
    match (arguments.seconds, &location) {
        (Some(seconds), Location::Url { url, .. }) if !url.contains("seconds=") => {
            let mark = if url.contains('?') { '&' } else { '?' };
            arguments.locations.locate(&format!("{url}{mark}seconds={seconds}"))
        }
        _ => location,
    }
}

fn save(profile: &Profile, path: &Path, force: bool) -> Result<()> {
    let file = PendingFile::new(path, force)?;
    profile.write_packed(BufWriter::new(File::create(file.path())?))?;
    file.keep()
}

fn load_one(arguments: &ProfileArguments, location: &Location) -> Result<Profile> {
    if let Some(path) = location.path()
        && is_database(path)
    {
        return database::read(path, arguments.profile);
    }
    let (mut source, progress) = open_source(location)?;
    if looks_like_trace(source.stream.peek(16)) {
        let profile = read_trace(arguments, location, source);
        progress.finish();
        return profile;
    }
    let with_symbols = arguments.symbolize.as_deref() != Some("none");
    let profile = profile::read(&mut source.stream, with_symbols);
    progress.finish();
    profile.map_err(|error| CliError::Failed(format!("{location}: {error}")))
}

/// Measures in a trace.
fn read_trace(
    arguments: &ProfileArguments,
    location: &Location,
    source: Source,
) -> Result<Profile> {
    let Some(kind) = arguments.kind else {
        return Err(CliError::Usage(format!(
            "{location}: this is a trace; say with --type what to measure in it, such as --type sync"
        )));
    };
    let options = arguments.traces.options(vec![kind.0])?;
    let mut profiles = profiles_of_source(location, source, &options, false)?;
    let profile = profiles
        .pop()
        .ok_or_else(|| CliError::Failed(format!("{location}: there is no such profile")))?;
    if profile.samples.is_empty() {
        let kind = kind.0.as_str();
        say(&format!("gotrace: {location}: there is no sample of type {kind} with these options"));
    }
    Ok(profile)
}

/// Whether a file is a program, by its first bytes: ELF, Mach-O, PE.
fn is_program(path: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok()
        && (magic == *b"\x7fELF"
            || magic == [0xcf, 0xfa, 0xed, 0xfe]
            || magic == [0xca, 0xfe, 0xba, 0xbe]
            || magic.starts_with(b"MZ"))
}
