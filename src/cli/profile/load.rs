//! Sources of profiles.

use super::super::{CliError, Result, load::open_source, say};
use super::options::ProfileArguments;
use crate::profile::{self, Config, Preparation, Profile};
use crate::source::Location;
use std::fs::File;
use std::io::Read;
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
        match load_one(&arguments.locations.locate(source)) {
            Ok(profile) => profiles.push(profile),
            Err(error) if sources.len() == 1 => return Err(error),
            Err(error) => say(&format!("gotrace: {error}; going on with the others")),
        }
    }
    if profiles.is_empty() && !sources.is_empty() {
        return Err(CliError::Failed("none of the sources could be read".into()));
    }
    Ok(profiles)
}

fn load_one(location: &Location) -> Result<Profile> {
    let (mut source, progress) = open_source(location)?;
    let profile = profile::read(&mut source.stream);
    progress.finish();
    profile.map_err(|error| CliError::Failed(format!("{location}: {error}")))
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
