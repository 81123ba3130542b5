//! The options of `gotrace profile` that say which profile is meant.

use super::options::ProfileArguments;
use super::{Result, observer};
use crate::analysis::{ProfileOptions, ProfileRequest, Wanted, expand, is_program, profile_place};
use crate::profile::Config;
use crate::source::Location;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

impl ProfileArguments {
    /// The profile that is meant by sources, with a program before them or without.
    pub fn profile_request<'a>(
        &'a self,
        sources: &'a [OsString],
        config: &Config,
    ) -> Result<ProfileRequest<'a>> {
        let (program, sources) = match sources {
            [program, rest @ ..] if !rest.is_empty() && is_program(Path::new(program)) => {
                (program.to_str(), rest)
            }
            all => (None, all),
        };
        let is_diff = !self.diff_base.is_empty();
        let bases = if is_diff { &self.diff_base } else { &self.base };
        Ok(ProfileRequest {
            sources: self.places(sources)?,
            bases: self.places(bases)?,
            options: ProfileOptions {
                is_diff,
                normalize: config.normalize,
                all_frames: self.all_frames,
                comment: self.add_comment.as_deref(),
                program,
                build_id: self.buildid.as_deref(),
                symbolize: self.symbolize,
                limits: self.read_limits(),
                measure: self.kind.map(|kind| self.traces.options(vec![kind.0])).transpose()?,
                profile: self.profile,
                trace: self.trace,
                timeout: self.timeout,
            },
            save: self.save.clone().map(|file| (file, self.force)),
        })
    }

    /// The places that are named; folders and patterns stand for what is in them.
    fn places(&self, names: &[OsString]) -> Result<Vec<Location>> {
        let wanted = if self.kind.is_some() { Wanted::Recordings } else { Wanted::Profiles };
        let mut places = Vec::new();
        for name in names {
            match self.place(name) {
                // `host:6060/debug/pprof/heap?gc=1` is no pattern.
                url @ Location::Url { .. } => places.push(url),
                _ => {
                    let names = expand(name, wanted, &*observer())?;
                    places.extend(names.iter().map(|name| self.place(name)));
                }
            }
        }
        Ok(places)
    }

    fn place(&self, source: &OsString) -> Location {
        let place = self.locations.limit(profile_place(source, self.seconds));
        match self.timeout {
            Some(seconds) => place.with_patience(Duration::from_secs(seconds)),
            None => place,
        }
    }
}
