//! The profile itself.

use super::labels::{Label, LabelSets};
use super::samples::Samples;
use super::text::{Text, Texts};

/// What is measured, and in what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ValueType {
    /// Such as `cpu` or `inuse_space`.
    pub kind: Text,
    /// Such as `nanoseconds` or `bytes`.
    pub unit: Text,
}

/// A part of the address space, and the file that is mapped there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mapping {
    /// Its number in the file, not 0.
    pub id: u64,
    /// First address.
    pub start: u64,
    /// Address behind the last.
    pub limit: u64,
    /// Offset of `start` in the file.
    pub offset: u64,
    /// Name of the file; empty if unknown.
    pub file: Text,
    /// Its build id; empty if unknown.
    pub build_id: Text,
    /// Whether its locations have functions.
    pub has_functions: bool,
    /// Whether its functions have files.
    pub has_filenames: bool,
    /// Whether its locations have lines.
    pub has_line_numbers: bool,
    /// Whether inlined frames are told.
    pub has_inline_frames: bool,
}

/// A function and a line in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Line {
    /// Position in [`Profile::functions`].
    pub function: u32,
    /// The line; 0 if not known.
    pub line: i64,
    /// The column in it; 0 if not known.
    pub column: i64,
}

/// An address in the program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// Its number in the file, not 0.
    pub id: u64,
    /// Position in [`Profile::mappings`]; `None` if it is in none.
    pub mapping: Option<u32>,
    /// The address; 0 if not known.
    pub address: u64,
    /// The function there. Where functions were inlined there are several, the innermost first;
    /// where it is not known what is at the address there is none.
    pub lines: Vec<Line>,
    /// Whether several places may have been folded into this one.
    pub is_folded: bool,
}

/// A function of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Function {
    /// Its number in the file, not 0.
    pub id: u64,
    /// For people.
    pub name: Text,
    /// As the system names it.
    pub system_name: Text,
    /// Its source file; empty if unknown.
    pub file: Text,
    /// The line it begins in; 0 if not known.
    pub start_line: i64,
}

/// A profile.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// What each value of a sample is.
    pub sample_types: Vec<ValueType>,
    /// Name of the sample type to show; empty for the last one.
    pub default_sample_type: Text,
    /// The samples.
    pub samples: Samples,
    /// Their labels.
    pub label_sets: LabelSets,
    /// The first one is the program itself.
    pub mappings: Vec<Mapping>,
    /// Where stacks lead through.
    pub locations: Vec<Location>,
    /// The functions there.
    pub functions: Vec<Function>,
    /// All texts.
    pub texts: Texts,
    /// Remarks.
    pub comments: Vec<Text>,
    /// Where it is explained; empty if nowhere.
    pub doc_url: Text,
    /// Frames to leave out, a regular expression; empty for none.
    pub drop_frames: Text,
    /// Exceptions from it.
    pub keep_frames: Text,
    /// When it was collected, nanoseconds since 1970; 0 if not known, as in the file.
    pub time_nanos: i64,
    /// For how long, nanoseconds; 0 if it is a moment.
    pub duration_nanos: i64,
    /// What happens once in a period.
    pub period_type: ValueType,
    /// Between two samples, in the unit of the period type; 0 if not known.
    pub period: i64,
}

impl Profile {
    /// The letters of a text.
    pub fn text(&self, text: Text) -> &str {
        self.texts.get(text)
    }

    /// The labels of a sample.
    pub fn labels(&self, sample: usize) -> &[Label] {
        self.label_sets.get(self.samples.labels(sample))
    }

    /// The names of the sample types.
    pub fn sample_type_names(&self) -> Vec<&str> {
        self.sample_types.iter().map(|value| self.text(value.kind)).collect()
    }

    /// The file of a location's mapping; empty if there is none.
    pub fn mapping_file(&self, location: &Location) -> Text {
        location.mapping.map_or(Text::EMPTY, |mapping| self.mappings[mapping as usize].file)
    }

    /// The program that was profiled, as the first mapping tells it; empty if it does not.
    pub fn program(&self) -> &str {
        self.mappings.first().map_or("", |mapping| self.text(mapping.file))
    }

    /// The position of the sample type that `name` means: its name or number, with or without
    /// `inuse_` before it; for an empty name the default one (Go 1.27 pprof `profile/index.go`,
    /// SampleIndexByName). The error is for users.
    pub fn sample_index(&self, name: &str) -> Result<usize, String> {
        let names = self.sample_type_names();
        if names.is_empty() {
            return Err("the profile has no sample types".into());
        }
        if name.is_empty() {
            let default = self.text(self.default_sample_type);
            let position = names.iter().position(|&kind| !default.is_empty() && kind == default);
            return Ok(position.unwrap_or(names.len() - 1));
        }
        if let Ok(index) = name.parse::<i64>() {
            return match usize::try_from(index) {
                Ok(index) if index < names.len() => Ok(index),
                _ => Err(format!(
                    "sample_index {name} is outside the range [0..{}]",
                    names.len() - 1
                )),
            };
        }
        let plain = name.strip_prefix("inuse_").unwrap_or(name);
        names
            .iter()
            .position(|&kind| kind == name || kind == plain)
            .ok_or_else(|| format!("sample_index {name:?} must be one of: [{}]", names.join(" ")))
    }

    /// Multiplies all values by a factor for their sample type, and leaves out samples of which no
    /// changed value is left (Go 1.27 pprof `profile/profile.go`, ScaleN).
    pub fn scale(&mut self, factors: &[f64]) {
        if factors.iter().all(|&factor| factor == 1.0) {
            return;
        }
        self.samples.retain(|samples, sample| {
            let mut keep = false;
            for (value, &factor) in samples.values_mut(sample).iter_mut().zip(factors) {
                if factor != 1.0 {
                    // Rust's round() goes away from zero at a half, as Go's math.Round.
                    *value = (*value as f64 * factor).round() as i64;
                    keep |= *value != 0;
                }
            }
            keep
        });
    }
}
