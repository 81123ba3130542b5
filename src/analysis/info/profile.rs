//! What there is to say about a profile.

use super::json::packing;
use crate::analysis::opened::Opened;
use crate::analysis::{Error, Result};
use crate::export::utc;
use crate::profile::{self, Profile, Text};
use crate::source::Packing;
use serde_json::{Value, json};

/// Everything `info` shows of a profile.
pub struct ProfileInfo {
    /// As the user named it.
    pub source: String,
    /// How it is packed.
    pub packing: Packing,
    /// Length as it lies on disk; `None` where that is not known.
    pub packed_bytes: Option<u64>,
    /// Length after unpacking.
    pub size_bytes: u64,
    /// The profile itself.
    pub profile: Profile,
}

/// Reads a profile.
///
/// # Errors
/// If it cannot be read to its end.
pub fn read(mut opened: Opened) -> Result<ProfileInfo> {
    let location = &opened.location;
    let profile = profile::read(&mut opened.source.stream, true)
        .map_err(|error| Error::Failed(format!("{location}: {error}")))?;
    Ok(ProfileInfo {
        source: location.to_string(),
        packing: opened.source.packing,
        packed_bytes: opened.source.size_bytes,
        size_bytes: opened.source.stream.offset(),
        profile,
    })
}

impl ProfileInfo {
    /// A text of the profile; `None` if it has none.
    pub fn text(&self, text: Text) -> Option<&str> {
        (!text.is_empty()).then(|| self.profile.text(text))
    }

    /// Names and units of the sample types, and whether it is the one that is shown.
    pub fn types(&self) -> Vec<(&str, &str, bool)> {
        let shown = self.profile.sample_index("").ok();
        let types = self.profile.sample_types.iter().enumerate();
        types
            .map(|(index, one)| {
                let profile = &self.profile;
                (profile.text(one.kind), profile.text(one.unit), Some(index) == shown)
            })
            .collect()
    }

    /// What happens between two samples, in words.
    pub fn period(&self) -> Option<String> {
        let (profile, kind) = (&self.profile, self.profile.period_type);
        let unit = profile.text(kind.unit);
        (profile.period != 0)
            .then(|| format!("{} {unit} of {}", profile.period, profile.text(kind.kind)))
    }

    /// As `docs/info-json.md` lists it.
    pub fn json(&self) -> Value {
        let profile = &self.profile;
        let main = profile.mappings.first();
        let types = self.types().into_iter().map(|(kind, unit, is_default)| {
            json!({ "type": kind, "unit": unit, "is_default": is_default })
        });
        let comments = profile.comments.iter().map(|&text| profile.text(text));
        json!({
            "kind": "profile",
            "source": self.source,
            "packing": packing(self.packing),
            "packed_bytes": self.packed_bytes,
            "size_bytes": self.size_bytes,
            "program": main.and_then(|one| self.text(one.file)),
            "build_id": main.and_then(|one| self.text(one.build_id)),
            "time_unix_ns": known(profile.time_nanos),
            "time": known(profile.time_nanos).map(utc),
            "duration_ns": known(profile.duration_nanos),
            "sample_types": types.collect::<Vec<_>>(),
            "period": known(profile.period),
            "period_type": self.text(profile.period_type.kind),
            "period_unit": self.text(profile.period_type.unit),
            "samples": profile.samples.len(),
            "locations": profile.locations.len(),
            "functions": profile.functions.len(),
            "mappings": profile.mappings.len(),
            "doc_url": self.text(profile.doc_url),
            "comments": comments.collect::<Vec<_>>(),
        })
    }
}

/// A number of the file, where 0 stands for unknown.
pub fn known(number: i64) -> Option<i64> {
    (number != 0).then_some(number)
}
