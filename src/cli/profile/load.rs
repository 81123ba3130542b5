//! Sources of profiles.

use super::options::ProfileArguments;
use super::{database, database_trace};
use crate::cli::export::pprof::profiles_of_opened;
use crate::cli::load::save_url;
use crate::cli::opened::{Kind, Opened, kind_of_file};
use crate::cli::{CliError, Result, say};
use crate::profile::{self, Config, Preparation, Profile};
use crate::source::Location;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// Loads the sources and the bases, and makes one profile of them.
pub fn load(
    arguments: &ProfileArguments,
    sources: &[OsString],
    config: &Config,
) -> Result<Profile> {
    // As in pprof, a program may stand before the sources.
    let (program, sources) = match sources {
        [program, rest @ ..] if !rest.is_empty() && is_program(Path::new(program)) => {
            (Some(program.to_string_lossy()), rest)
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
        program: program.as_deref(),
        build_id: arguments.buildid.as_deref(),
        symbolize: arguments.symbolize,
    };
    if arguments.save.is_some() {
        let is_url = |source: &&OsString| matches!(locate(arguments, source), Location::Url { .. });
        let urls = sources.iter().chain(bases).filter(is_url).count();
        if urls != 1 {
            let what = format!("--save keeps what comes from one URL; here are {urls}");
            return Err(CliError::Usage(what));
        }
    }
    let profiles = load_all(arguments, sources)?;
    let bases = load_all(arguments, bases)?;
    profile::prepare(profiles, bases, how).map_err(CliError::Failed)
}

/// Loads what can be loaded; fails if nothing can.
fn load_all(arguments: &ProfileArguments, sources: &[OsString]) -> Result<Vec<Profile>> {
    let is_wanted = |path: &Path| match kind_of_file(path) {
        Some(Kind::Trace) => arguments.kind.is_some(),
        kind => matches!(kind, Some(Kind::Profile) | None),
    };
    let mut locations = Vec::new();
    for source in sources {
        match locate(arguments, source) {
            // `host:6060/debug/pprof/heap?gc=1` is no pattern.
            url @ Location::Url { .. } => locations.push(url),
            _ => {
                let names = arguments.locations.expand(std::slice::from_ref(source), is_wanted)?;
                locations.extend(names.iter().map(|name| locate(arguments, name)));
            }
        }
    }
    let mut profiles = Vec::new();
    for location in &locations {
        let loaded = match (&arguments.save, location) {
            (Some(file), Location::Url { url, limits, access }) => {
                save_url(url, *limits, access, file, arguments.force)
                    .and_then(|()| load_one(arguments, &Location::Path(file.clone())))
            }
            _ => load_one(arguments, location),
        };
        match loaded {
            Ok(profile) => profiles.push(profile),
            Err(error @ CliError::Failed(_)) if locations.len() > 1 => {
                say(&format!("gotrace: {error}; going on with the others"))
            }
            Err(error) => return Err(error),
        }
    }
    if profiles.is_empty() && !locations.is_empty() {
        return Err(CliError::Failed("none of the sources could be read".into()));
    }
    Ok(profiles)
}

/// The place the user named, in whole or as short as pprof takes it: `host:6060/debug/pprof/heap`
/// without `http://`, and a server alone for its CPU profile. A URL asks for as many seconds as the
/// user wants (Go 1.27 `cmd/pprof/pprof.go`, adjustURL).
fn locate(arguments: &ProfileArguments, source: &OsStr) -> Location {
    let named = arguments.locations.locate(source);
    let url = match &named {
        Location::Url { url, .. } => url.clone(),
        Location::Path(path) => match source.to_str() {
            Some(source) if is_host_and_port(source) && !path.exists() => {
                format!("http://{source}")
            }
            _ => return named,
        },
        Location::Stdin => return named,
    };
    let location = arguments.locations.locate(whole_url(&url, arguments.seconds));
    match arguments.timeout {
        Some(seconds) => location.with_patience(Duration::from_secs(seconds)),
        None => location,
    }
}

/// Whether it begins with `host:port`.
fn is_host_and_port(source: &str) -> bool {
    let server = source.split(['/', '?']).next().unwrap_or("");
    server.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// A URL with the path of the CPU profile if it has none, and with `seconds`.
fn whole_url(url: &str, seconds: Option<u64>) -> String {
    let url = url.split('#').next().unwrap_or("");
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let path = place.split_once("://").map_or("", |(_, rest)| rest);
    let has_path = path.split_once('/').is_some_and(|(_, path)| !path.is_empty());
    let mut whole = match has_path {
        true => place.to_owned(),
        false => format!("{}/debug/pprof/profile", place.trim_end_matches('/')),
    };
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    let wanted = seconds.map(|seconds| format!("seconds={seconds}"));
    if let Some(wanted) = &wanted {
        pairs.retain(|pair| !pair.starts_with("seconds="));
        pairs.push(wanted);
    }
    if !pairs.is_empty() {
        whole.push('?');
        whole.push_str(&pairs.join("&"));
    }
    whole
}

fn load_one(arguments: &ProfileArguments, location: &Location) -> Result<Profile> {
    let mut opened = Opened::new(location)?;
    match opened.kind {
        Kind::Database => {
            let database = opened.into_database()?;
            database::start(&database, arguments.timeout)?;
            match arguments.kind {
                Some(kind) => {
                    let options = arguments.traces.options(vec![kind.0])?;
                    database_trace::read(&database, location, arguments.trace, &options)
                }
                None => database::read(&database, location, arguments.profile),
            }
        }
        Kind::Trace => read_trace(arguments, opened),
        // What is no profile is not read to its end.
        Kind::Other(_) => Err(opened.refuse()),
        Kind::Profile => {
            let (with_symbols, limits) = (!arguments.symbolize.is_off, arguments.read_limits());
            let profile = profile::read_within(&mut opened.source.stream, with_symbols, limits);
            opened.progress.finish();
            profile.map_err(|error| CliError::Failed(format!("{location}: {error}")))
        }
    }
}

/// Measures in a trace.
fn read_trace(arguments: &ProfileArguments, opened: Opened<'_>) -> Result<Profile> {
    let location = opened.location;
    let Some(kind) = arguments.kind else {
        return Err(CliError::Usage(format!(
            "{location}: this is a trace; say with --type what to measure in it, such as --type sync"
        )));
    };
    let options = arguments.traces.options(vec![kind.0])?;
    let mut profiles = profiles_of_opened(opened, &options, false)?;
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
    // A pipe is read only once.
    path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok()
        && (magic == *b"\x7fELF"
            || magic == [0xcf, 0xfa, 0xed, 0xfe]
            || magic == [0xca, 0xfe, 0xba, 0xbe]
            || magic.starts_with(b"MZ"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_as_for_pprof() {
        let heap = "http://h:1/debug/pprof/heap";
        assert_eq!(whole_url("http://h:1", None), "http://h:1/debug/pprof/profile");
        assert_eq!(
            whole_url("http://h:1/?a=b", Some(5)),
            "http://h:1/debug/pprof/profile?a=b&seconds=5"
        );
        assert_eq!(
            whole_url(&format!("{heap}?seconds=3&gc=1#x"), Some(5)),
            format!("{heap}?gc=1&seconds=5")
        );
        assert_eq!(whole_url(&format!("{heap}?seconds=3"), None), format!("{heap}?seconds=3"));
        assert!(
            is_host_and_port("localhost:6060/debug/pprof/heap") && is_host_and_port("[::1]:80")
        );
        assert!(
            !is_host_and_port("heap.pb.gz")
                && !is_host_and_port("C:/x")
                && !is_host_and_port(":80")
        );
    }
}
