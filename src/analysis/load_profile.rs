//! Loading profiles into a database.

use super::{Error, Result};
use crate::model::{FrameData, StackId, Symbols};
use crate::profile::{self, LabelValue, Profile, Text};
use crate::source::{ByteStream, Location};
use crate::store::{LoadedLabel, LoadedProfile, Loader, RowWriter};

/// What loading one profile came to.
pub struct ProfileTotals {
    /// Its samples.
    pub samples: u64,
    /// What it measures, such as `inuse_space`, the default first.
    pub types: Vec<String>,
}

/// Loads one profile.
///
/// # Errors
/// If it cannot be read to its end, or cannot be kept.
pub fn load_profile<W: RowWriter>(
    location: &Location,
    stream: &mut ByteStream,
    loader: &mut Loader<W>,
    symbols: &mut Symbols,
) -> Result<ProfileTotals> {
    let profile = profile::read(stream, true)
        .map_err(|error| Error::Failed(format!("{location}: {error}")))?;
    let default_type = profile.sample_index("").unwrap_or(0);
    begin(location, &profile, default_type, loader)?;
    let mut stacks = StackLoader::new(&profile, symbols);
    for sample in 0..profile.samples.len() {
        let stack = stacks.stack(sample, symbols);
        let labels: Vec<LoadedLabel<'_>> = profile
            .labels(sample)
            .iter()
            .map(|label| {
                let key = profile.text(label.key);
                match label.value {
                    LabelValue::Text(text) => LoadedLabel {
                        key,
                        text: Some(profile.text(text)),
                        number: None,
                        unit: None,
                    },
                    LabelValue::Number(number, unit) => LoadedLabel {
                        key,
                        text: None,
                        number: Some(number),
                        unit: known(&profile, unit),
                    },
                }
            })
            .collect();
        loader.profile_sample(stack, profile.samples.values(sample), &labels);
    }
    let mut types: Vec<String> =
        profile.sample_type_names().into_iter().map(String::from).collect();
    if default_type < types.len() {
        types.swap(0, default_type);
    }
    Ok(ProfileTotals { samples: profile.samples.len() as u64, types })
}

/// A text, if the profile tells it.
fn known(profile: &Profile, text: Text) -> Option<&str> {
    (!text.is_empty()).then(|| profile.text(text))
}

fn begin<W: RowWriter>(
    location: &Location,
    profile: &Profile,
    default_type: usize,
    loader: &mut Loader<W>,
) -> Result<()> {
    let types: Vec<(&str, &str)> = profile
        .sample_types
        .iter()
        .map(|value| (profile.text(value.kind), profile.text(value.unit)))
        .collect();
    let main = profile.mappings.first();
    let number = |value: i64| (value != 0).then_some(value);
    let period = profile.period_type;
    loader.begin_profile(&LoadedProfile {
        source: &location.to_string(),
        program: main.and_then(|mapping| known(profile, mapping.file)),
        build_id: main.and_then(|mapping| known(profile, mapping.build_id)),
        time_unix_ns: number(profile.time_nanos),
        duration_ns: number(profile.duration_nanos),
        period_type: known(profile, period.kind).map(|kind| (kind, profile.text(period.unit))),
        period: number(profile.period),
        types: &types,
        default_type,
        samples: profile.samples.len() as u64,
    })?;
    Ok(())
}

/// Locations of a profile as frames of the database.
struct StackLoader<'a> {
    profile: &'a Profile,
    /// The frames of each location, the innermost first.
    frames: Vec<Vec<u32>>,
    stack: Vec<u32>,
}

impl<'a> StackLoader<'a> {
    fn new(profile: &'a Profile, symbols: &mut Symbols) -> Self {
        let mut frames = Vec::with_capacity(profile.locations.len());
        for location in &profile.locations {
            let pc = location.address;
            let mut of_location = Vec::with_capacity(location.lines.len().max(1));
            if location.lines.is_empty() {
                // What is there is not known: the address stands for it, and the file of the program.
                let name = format!("{pc:#x}");
                let file = profile.text(profile.mapping_file(location));
                let function = symbols.function(name.as_bytes(), file.as_bytes());
                of_location.push(symbols.frame(FrameData { function, line: 0, pc }));
            }
            for line in &location.lines {
                let known = &profile.functions[line.function as usize];
                let (name, file) = (profile.text(known.name), profile.text(known.file));
                let function = symbols.function(name.as_bytes(), file.as_bytes());
                let line = u64::try_from(line.line).unwrap_or(0);
                of_location.push(symbols.frame(FrameData { function, line, pc }));
            }
            frames.push(of_location);
        }
        StackLoader { profile, frames, stack: Vec::new() }
    }

    fn stack(&mut self, sample: usize, symbols: &mut Symbols) -> Option<StackId> {
        self.stack.clear();
        for &location in self.profile.samples.stack(sample) {
            self.stack.extend(&self.frames[location as usize]);
        }
        (!self.stack.is_empty()).then(|| symbols.stack(&self.stack))
    }
}
