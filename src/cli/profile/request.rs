//! The options of `gotrace profile` that say which profile is meant.

use super::options::ProfileArguments;
use super::{Result, observer};
use crate::analysis::{
    CPU_PROFILE, ProfileOptions, ProfileRequest, Wanted, is_program, place, places,
};
use crate::profile::{Config, Preparation};
use crate::source::Location;
use std::ffi::{OsStr, OsString};
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
                preparation: Preparation {
                    is_diff,
                    normalize: config.normalize,
                    all_frames: self.all_frames,
                    comment: self.add_comment.as_deref(),
                    program,
                    build_id: self.buildid.as_deref(),
                    symbolize: self.symbolize,
                },
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
        places(names, wanted, &*observer(), |name| self.place(name))
    }

    fn place(&self, source: &OsStr) -> Location {
        let place = self.locations.limit(place(source, CPU_PROFILE, self.seconds));
        match self.timeout {
            Some(seconds) => place.with_patience(Duration::from_secs(seconds)),
            None => place,
        }
    }
}
