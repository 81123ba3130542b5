//! Samples of pprof profiles to rows.

use super::StoreError;
use super::insert::RowWriter;
use super::loader::Loader;
use super::relations::*;
use crate::model::StackId;

/// What the loader must be told about a profile before its samples. `None` is what it does not tell.
pub struct LoadedProfile<'a> {
    /// The source, as the user named it.
    pub source: &'a str,
    /// File of the program.
    pub program: Option<&'a str>,
    /// Build id of the program.
    pub build_id: Option<&'a str>,
    /// When it was collected, nanoseconds since 1970.
    pub time_unix_ns: Option<i64>,
    /// For how long.
    pub duration_ns: Option<i64>,
    /// What happens once in a period, and its unit.
    pub period_type: Option<(&'a str, &'a str)>,
    /// Between two samples.
    pub period: Option<i64>,
    /// Name and unit of each value of a sample.
    pub types: &'a [(&'a str, &'a str)],
    /// Position of the type to show.
    pub default_type: usize,
    /// How many samples will come.
    pub samples: u64,
}

/// A label of a sample.
pub struct LoadedLabel<'a> {
    /// Its name.
    pub key: &'a str,
    /// What it says, if that is a text.
    pub text: Option<&'a str>,
    /// What it says, if that is a number.
    pub number: Option<i64>,
    /// The unit of the number, if it is known.
    pub unit: Option<&'a str>,
}

impl<W: RowWriter> Loader<W> {
    /// Begins a profile; its samples follow.
    pub fn begin_profile(&mut self, profile: &LoadedProfile<'_>) -> Result<(), StoreError> {
        self.next.profiles += 1;
        let id = self.next.profiles;
        self.write(&Profiles {
            id,
            source: profile.source,
            program: profile.program,
            build_id: profile.build_id,
            time_unix_ns: profile.time_unix_ns,
            duration_ns: profile.duration_ns,
            period_type: profile.period_type.map(|(kind, _)| kind),
            period_unit: profile.period_type.map(|(_, unit)| unit),
            period: profile.period,
            samples: profile.samples as i64,
        });
        self.base.profile_types = self.next.profile_types;
        for (position, (kind, unit)) in profile.types.iter().enumerate() {
            self.next.profile_types += 1;
            self.write(&ProfileTypes {
                id: self.next.profile_types,
                profile_id: id,
                position: position as i64,
                r#type: kind,
                unit,
                is_default: i64::from(position == profile.default_type),
            });
        }
        self.take_error()
    }

    /// A sample of the profile that was begun: its stack, if it is not empty, a value for each type,
    /// and its labels.
    pub fn profile_sample(
        &mut self,
        stack: Option<StackId>,
        values: &[i64],
        labels: &[LoadedLabel<'_>],
    ) {
        self.next.profile_samples += 1;
        let sample_id = self.next.profile_samples;
        for (position, &value) in values.iter().enumerate().filter(|(_, value)| **value != 0) {
            self.next.profile_values += 1;
            self.write(&RawProfileSamples {
                id: self.next.profile_values,
                type_id: self.base.profile_types + position as i64 + 1,
                sample_id,
                stack_id: stack.map(StackId::row),
                value,
            });
        }
        for label in labels {
            self.next.profile_labels += 1;
            self.write(&ProfileLabels {
                id: self.next.profile_labels,
                profile_id: self.next.profiles,
                sample_id,
                key: label.key,
                text: label.text,
                number: label.number,
                unit: label.unit,
            });
        }
    }
}
