//! `info` of a profile: a page, or JSON.

use super::InfoFormat;
use super::json::{packing, print};
use super::page::{packed_size, pairs};
use crate::cli::opened::Opened;
use crate::cli::{CliError, Result};
use crate::export::utc;
use crate::profile::{self, Profile, Text};
use crate::source::Packing;
use crate::store::human_ns;
use serde_json::{Value, json};

/// Everything `info` shows of a profile.
struct ProfileInfo {
    source: String,
    packing: Packing,
    /// Length as it lies on disk; `None` where that is not known.
    packed_bytes: Option<u64>,
    /// Length after unpacking.
    size_bytes: u64,
    profile: Profile,
}

/// Describes the profile that was opened.
pub fn run(mut opened: Opened<'_>, format: InfoFormat) -> Result<()> {
    let location = opened.location;
    let profile = profile::read(&mut opened.source.stream, true)
        .map_err(|error| CliError::Failed(format!("{location}: {error}")))?;
    let info = ProfileInfo {
        source: location.to_string(),
        packing: opened.source.packing,
        packed_bytes: opened.source.size_bytes,
        size_bytes: opened.source.stream.offset(),
        profile,
    };
    opened.progress.finish();
    match format {
        InfoFormat::Table => Ok(pairs(&info.lines())?),
        InfoFormat::Json => Ok(print(&info.json())?),
        InfoFormat::Footprint => Err(CliError::Usage(format!(
            "{location}: a profile has no events; -f footprint is for traces"
        ))),
    }
}

impl ProfileInfo {
    fn text(&self, text: Text) -> Option<&str> {
        (!text.is_empty()).then(|| self.profile.text(text))
    }

    /// Names and units of the sample types, and whether it is the one that is shown.
    fn types(&self) -> Vec<(&str, &str, bool)> {
        let shown = self.profile.sample_index("").ok();
        let types = self.profile.sample_types.iter().enumerate();
        types
            .map(|(index, one)| {
                let profile = &self.profile;
                (profile.text(one.kind), profile.text(one.unit), Some(index) == shown)
            })
            .collect()
    }

    fn period(&self) -> Option<String> {
        let (profile, kind) = (&self.profile, self.profile.period_type);
        let unit = profile.text(kind.unit);
        (profile.period != 0)
            .then(|| format!("{} {unit} of {}", profile.period, profile.text(kind.kind)))
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let profile = &self.profile;
        let unknown = || String::from("unknown");
        let types = self.types().into_iter().map(|(kind, unit, is_shown)| {
            format!(
                "{kind} ({unit}{})",
                if is_shown { "; shown if no other is chosen" } else { "" }
            )
        });
        let main = profile.mappings.first();
        let mut lines = vec![
            ("source", self.source.clone()),
            ("kind", "profile".into()),
            ("size", packed_size(self.size_bytes, self.packing, self.packed_bytes)),
            (
                "program",
                main.and_then(|one| self.text(one.file)).map_or_else(unknown, String::from),
            ),
            ("recorded", known(profile.time_nanos).map_or_else(unknown, utc)),
            ("duration", known(profile.duration_nanos).map_or("of a moment".into(), human_ns)),
            ("sample types", types.collect::<Vec<_>>().join(", ")),
            ("period", self.period().unwrap_or_else(unknown)),
            ("samples", profile.samples.len().to_string()),
            ("locations", profile.locations.len().to_string()),
            ("functions", profile.functions.len().to_string()),
            ("mappings", profile.mappings.len().to_string()),
        ];
        if let Some(build) = main.and_then(|one| self.text(one.build_id)) {
            lines.push(("build id", build.into()));
        }
        lines.extend(self.text(profile.doc_url).map(|url| ("explained at", url.into())));
        lines.extend(profile.comments.iter().map(|&text| ("comment", profile.text(text).into())));
        lines.push(("look further", format!("gotrace profile top {}", self.source)));
        lines
    }

    fn json(&self) -> Value {
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
fn known(number: i64) -> Option<i64> {
    (number != 0).then_some(number)
}
