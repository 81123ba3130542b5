//! Several profiles to one.
//!
//! Source: Go 1.27 pprof `profile/merge.go` and `internal/measurement/measurement.go`,
//! ScaleProfiles. Locations, functions and mappings get their numbers in the order in which the
//! samples lead to them, as there, so that a merged profile is the same bytes.

use super::labels::{Label, LabelSet, LabelValue};
use super::model::{Function, Line, Location, Mapping, Profile, ValueType};
use super::samples::{MAX_FRAMES, UniqueSamples};
use super::text::Text;
use super::units;
use rustc_hash::FxHashMap;

/// Makes profiles such that they can be merged: keeps the sample types that all of them have, and
/// converts values to the smallest unit of each. The error is for users.
pub fn make_compatible(profiles: &mut [Profile]) -> Result<(), String> {
    let Some(first) = profiles.first() else { return Err("no profiles to merge".into()) };
    let is_common =
        |kind: &str| profiles.iter().all(|profile| profile.sample_type_names().contains(&kind));
    let common: Vec<String> = first
        .sample_type_names()
        .into_iter()
        .filter(|kind| is_common(kind))
        .map(String::from)
        .collect();
    if common.is_empty() {
        let types: Vec<String> =
            profiles.iter().map(|profile| profile.sample_type_names().join(" ")).collect();
        return Err(format!("the profiles have no sample type in common: {}", types.join(" / ")));
    }
    profiles.iter_mut().for_each(|profile| select_types(profile, &common));
    if profiles.len() > 1 {
        scale_to_common_units(profiles)?;
    }
    Ok(())
}

/// Leaves a profile these sample types, in this order.
fn select_types(profile: &mut Profile, kinds: &[String]) {
    let names = profile.sample_type_names();
    let positions: Vec<usize> =
        kinds.iter().filter_map(|kind| names.iter().position(|name| name == kind)).collect();
    if positions.len() == names.len() && positions.iter().copied().eq(0..names.len()) {
        return;
    }
    let default = profile.text(profile.default_sample_type).to_owned();
    let default = if kinds.contains(&default) { default } else { kinds[0].clone() };
    profile.default_sample_type = profile.texts.intern(&default);
    profile.sample_types = positions.iter().map(|&at| profile.sample_types[at]).collect();
    profile.samples.select_values(&positions);
}

/// The name of the smallest unit among those of several profiles.
fn common_unit(types: &[(&str, &str)]) -> Result<String, String> {
    let (kind, mut smallest) = types[0];
    for &(other, unit) in &types[1..] {
        if !units::are_compatible([kind, other], [smallest, unit]) {
            return Err(format!("incompatible types: {kind} {smallest}, {other} {unit}"));
        }
        if units::scale(1, unit, smallest).0 < 1.0 {
            smallest = unit;
        }
    }
    Ok(smallest.to_owned())
}

fn scale_to_common_units(profiles: &mut [Profile]) -> Result<(), String> {
    let common = |get: &dyn Fn(&Profile) -> ValueType| {
        let types: Vec<(&str, &str)> = profiles
            .iter()
            .map(|profile| {
                let value = get(profile);
                (profile.text(value.kind), profile.text(value.unit))
            })
            .collect();
        common_unit(&types)
    };
    let period_unit = common(&|profile| profile.period_type)?;
    let width = profiles[0].sample_types.len();
    let sample_units: Vec<String> = (0..width)
        .map(|position| common(&|profile: &Profile| profile.sample_types[position]))
        .collect::<Result<_, _>>()?;
    for profile in profiles {
        let old = profile.text(profile.period_type.unit);
        profile.period = units::scale(profile.period, old, &period_unit).0 as i64;
        profile.period_type.unit = profile.texts.intern(&period_unit);
        let mut factors = Vec::with_capacity(width);
        for (position, unit) in sample_units.iter().enumerate() {
            let old = profile.sample_types[position].unit;
            factors.push(units::scale(1, profile.text(old), unit).0);
            profile.sample_types[position].unit = profile.texts.intern(unit);
        }
        profile.scale(&factors);
    }
    Ok(())
}

/// Merges profiles, which must be compatible: samples with equal stacks and labels become one, those
/// without a value are left out, and so is whatever no sample leads to.
pub fn merge(profiles: &[&Profile]) -> Result<Profile, String> {
    let first = profiles.first().ok_or("no profiles to merge")?;
    for other in &profiles[1..] {
        check_compatible(first, other)?;
    }
    let mut merger = Merger { profile: combine_headers(profiles), ..Merger::default() };
    for profile in profiles {
        merger.add(profile)?;
    }
    let merged = merger.profile;
    let has_zero = (0..merged.samples.len()).any(|sample| is_zero(&merged, sample));
    // What cancelled out may be all that led to some location: merge again without it.
    if has_zero { merge(&[&merged]) } else { Ok(merged) }
}

fn is_zero(profile: &Profile, sample: usize) -> bool {
    profile.samples.values(sample).iter().all(|&value| value == 0)
}

fn check_compatible(a: &Profile, b: &Profile) -> Result<(), String> {
    let name = |profile: &Profile, value: ValueType| {
        format!("{} {}", profile.text(value.kind), profile.text(value.unit))
    };
    let (pa, pb) = (name(a, a.period_type), name(b, b.period_type));
    if pa != pb {
        return Err(format!("incompatible period types: {pa}, {pb}"));
    }
    let names = |profile: &Profile| {
        let names = profile.sample_types.iter().map(|&value| name(profile, value));
        names.collect::<Vec<_>>().join(", ")
    };
    let (sa, sb) = (names(a), names(b));
    if sa == sb { Ok(()) } else { Err(format!("incompatible sample types: [{sa}] and [{sb}]")) }
}

/// A profile without samples, whose header is made of those of several (`merge.go`,
/// combineHeaders).
fn combine_headers(profiles: &[&Profile]) -> Profile {
    let first = profiles[0];
    let mut result = Profile::default();
    for profile in profiles {
        if result.time_nanos == 0 || profile.time_nanos < result.time_nanos {
            result.time_nanos = profile.time_nanos;
        }
        result.duration_nanos = result.duration_nanos.wrapping_add(profile.duration_nanos);
        if result.period == 0 || result.period < profile.period {
            result.period = profile.period;
        }
        for &comment in &profile.comments {
            let comment = result.texts.intern(profile.text(comment));
            if !result.comments.contains(&comment) {
                result.comments.push(comment);
            }
        }
        if result.default_sample_type.is_empty() {
            let text = profile.text(profile.default_sample_type);
            result.default_sample_type = result.texts.intern(text);
        }
        if result.doc_url.is_empty() {
            result.doc_url = result.texts.intern(profile.text(profile.doc_url));
        }
    }
    let mut value = |value: ValueType| ValueType {
        kind: result.texts.intern(first.text(value.kind)),
        unit: result.texts.intern(first.text(value.unit)),
    };
    result.sample_types = first.sample_types.iter().map(|&kind| value(kind)).collect();
    result.period_type = value(first.period_type);
    result.drop_frames = result.texts.intern(first.text(first.drop_frames));
    result.keep_frames = result.texts.intern(first.text(first.keep_frames));
    result
}

#[derive(PartialEq, Eq, Hash)]
struct MappingKey {
    size: u64,
    offset: u64,
    name: Text,
}

#[derive(PartialEq, Eq, Hash)]
struct LocationKey {
    /// From the start of the mapping, which moves from one run of the program to the next.
    address: u64,
    mapping: Option<u32>,
    is_folded: bool,
    /// Functions and lines.
    lines: Box<[(u32, i64)]>,
    /// Column of the last line only: that is what Go's key comes to, whose columns but the last
    /// are overwritten by the function of the next line (`merge.go`, Location.key).
    column: i64,
}

#[derive(Default)]
struct Merger {
    profile: Profile,
    samples: UniqueSamples,
    locations: FxHashMap<LocationKey, u32>,
    functions: FxHashMap<(Text, Text, Text, i64), u32>,
    mappings: FxHashMap<MappingKey, u32>,
}

/// Positions in one source to those in the merged profile.
struct Translation<'a> {
    source: &'a Profile,
    texts: Vec<Option<Text>>,
    labels: Vec<Option<LabelSet>>,
    locations: Vec<Option<u32>>,
    functions: Vec<Option<u32>>,
    /// With what is added to addresses.
    mappings: Vec<Option<(u32, u64)>>,
}

impl Merger {
    fn add(&mut self, source: &Profile) -> Result<(), String> {
        let mut translation = Translation {
            source,
            texts: vec![None; source.texts.len()],
            labels: vec![None; source.label_sets.len()],
            locations: vec![None; source.locations.len()],
            functions: vec![None; source.functions.len()],
            mappings: vec![None; source.mappings.len()],
        };
        // The first mapping is that of the program, wherever the first sample leads.
        if self.mappings.is_empty() && !source.mappings.is_empty() {
            self.mapping(0, &mut translation);
        }
        let mut stack = Vec::new();
        for sample in 0..source.samples.len() {
            if is_zero(source, sample) {
                continue;
            }
            stack.clear();
            for &frame in source.samples.stack(sample) {
                stack.push(self.location(frame, &mut translation));
            }
            let labels = self.labels(source.samples.labels(sample), &mut translation);
            let values = source.samples.values(sample);
            let merged = &mut self.profile.samples;
            if !self.samples.add(merged, &stack, labels, values, i64::wrapping_add) {
                return Err(format!(
                    "the profiles are too large to be merged: more than {MAX_FRAMES} frames in all stacks"
                ));
            }
        }
        Ok(())
    }

    fn text(&mut self, text: Text, translation: &mut Translation<'_>) -> Text {
        let known = &mut translation.texts[text.index()];
        *known.get_or_insert_with(|| self.profile.texts.intern(translation.source.text(text)))
    }

    fn labels(&mut self, set: LabelSet, translation: &mut Translation<'_>) -> LabelSet {
        if let Some(known) = translation.labels[set.index()] {
            return known;
        }
        let mut labels = Vec::new();
        for label in translation.source.label_sets.get(set) {
            let key = self.text(label.key, translation);
            let value = match label.value {
                LabelValue::Text(text) => LabelValue::Text(self.text(text, translation)),
                LabelValue::Number(number, unit) => {
                    LabelValue::Number(number, self.text(unit, translation))
                }
            };
            labels.push(Label { key, value });
        }
        let merged = self.profile.label_sets.intern(&labels);
        translation.labels[set.index()] = Some(merged);
        merged
    }

    fn location(&mut self, position: u32, translation: &mut Translation<'_>) -> u32 {
        if let Some(known) = translation.locations[position as usize] {
            return known;
        }
        let source = &translation.source.locations[position as usize];
        let mapping = source.mapping.map(|mapping| self.mapping(mapping, translation));
        let address = source.address.wrapping_add(mapping.map_or(0, |(_, moved)| moved));
        let mapping = mapping.map(|(mapping, _)| mapping);
        let mut lines = Vec::with_capacity(source.lines.len());
        for line in &source.lines {
            lines.push(Line { function: self.function(line.function, translation), ..*line });
        }
        let start = mapping.map_or(0, |mapping| self.profile.mappings[mapping as usize].start);
        let key = LocationKey {
            address: address.wrapping_sub(start),
            mapping,
            is_folded: source.is_folded,
            lines: lines.iter().map(|line| (line.function, line.line)).collect(),
            column: lines.last().map_or(0, |line| line.column),
        };
        let locations = &mut self.profile.locations;
        let merged = *self.locations.entry(key).or_insert_with(|| {
            let id = locations.len() as u64 + 1;
            let is_folded = source.is_folded;
            locations.push(Location { id, mapping, address, lines, is_folded });
            id as u32 - 1
        });
        translation.locations[position as usize] = Some(merged);
        merged
    }

    /// The merged mapping, and what is added to addresses in it.
    fn mapping(&mut self, position: u32, translation: &mut Translation<'_>) -> (u32, u64) {
        if let Some(known) = translation.mappings[position as usize] {
            return known;
        }
        let source = translation.source.mappings[position as usize];
        let file = self.text(source.file, translation);
        let build_id = self.text(source.build_id, translation);
        // Rounded up to pages, so that small differences do not matter.
        let size = source.limit.wrapping_sub(source.start).wrapping_add(0xfff);
        let key = MappingKey {
            size: size - size % 0x1000,
            offset: source.offset,
            name: if build_id.is_empty() { file } else { build_id },
        };
        let mappings = &mut self.profile.mappings;
        let merged = *self.mappings.entry(key).or_insert_with(|| {
            let id = mappings.len() as u64 + 1;
            mappings.push(Mapping { id, file, build_id, ..source });
            id as u32 - 1
        });
        let moved = mappings[merged as usize].start.wrapping_sub(source.start);
        translation.mappings[position as usize] = Some((merged, moved));
        (merged, moved)
    }

    fn function(&mut self, position: u32, translation: &mut Translation<'_>) -> u32 {
        if let Some(known) = translation.functions[position as usize] {
            return known;
        }
        let source = translation.source.functions[position as usize];
        let name = self.text(source.name, translation);
        let system_name = self.text(source.system_name, translation);
        let file = self.text(source.file, translation);
        let start_line = source.start_line;
        let functions = &mut self.profile.functions;
        let key = (name, system_name, file, start_line);
        let merged = *self.functions.entry(key).or_insert_with(|| {
            let id = functions.len() as u64 + 1;
            functions.push(Function { id, name, system_name, file, start_line });
            id as u32 - 1
        });
        translation.functions[position as usize] = Some(merged);
        merged
    }
}
