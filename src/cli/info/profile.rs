//! `info` of a profile as a page for people.

use super::page::{packed_size, pairs};
use crate::analysis::info::{ProfileInfo, known};
use crate::export::utc;
use crate::store::human_ns;
use std::io;

/// A profile.
pub fn profile(info: &ProfileInfo) -> io::Result<()> {
    pairs(&lines(info))
}

fn lines(info: &ProfileInfo) -> Vec<(&'static str, String)> {
    let profile = &info.profile;
    let unknown = || String::from("unknown");
    let types = info.types().into_iter().map(|(kind, unit, is_shown)| {
        format!("{kind} ({unit}{})", if is_shown { "; shown if no other is chosen" } else { "" })
    });
    let main = profile.mappings.first();
    let mut lines = vec![
        ("source", info.source.clone()),
        ("kind", "profile".into()),
        ("size", packed_size(info.size_bytes, info.packing, info.packed_bytes)),
        ("program", main.and_then(|one| info.text(one.file)).map_or_else(unknown, String::from)),
        ("recorded", known(profile.time_nanos).map_or_else(unknown, utc)),
        ("duration", known(profile.duration_nanos).map_or("of a moment".into(), human_ns)),
        ("sample types", types.collect::<Vec<_>>().join(", ")),
        ("period", info.period().unwrap_or_else(unknown)),
        ("samples", profile.samples.len().to_string()),
        ("locations", profile.locations.len().to_string()),
        ("functions", profile.functions.len().to_string()),
        ("mappings", profile.mappings.len().to_string()),
    ];
    if let Some(build) = main.and_then(|one| info.text(one.build_id)) {
        lines.push(("build id", build.into()));
    }
    lines.extend(info.text(profile.doc_url).map(|url| ("explained at", url.into())));
    lines.extend(profile.comments.iter().map(|&text| ("comment", profile.text(text).into())));
    lines.push(("look further", format!("gotrace profile top {}", info.source)));
    lines
}
