//! Samples from anywhere to a profile: what reads traces, SQL results or text puts them in here.

use super::labels::{Label, LabelSet, LabelValue};
use super::model::{Function, Line, Location, Mapping, Profile, ValueType};
use super::samples::{MAX_FRAMES, Samples, UniqueSamples};
use super::text::Text;
use rustc_hash::FxHashMap;

/// A place in a function, as a trace tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Frame<'a> {
    /// Full name of the function.
    pub function: &'a str,
    /// Its source file; empty if unknown.
    pub file: &'a str,
    /// The line; 0 if unknown.
    pub line: i64,
    /// Program counter; 0 if unknown.
    pub pc: u64,
}

/// Makes a profile. Samples with equal stacks and labels are added up.
///
/// ```
/// use gotrace::profile::{Builder, Frame};
/// let mut builder = Builder::new(&[("contentions", "count"), ("delay", "nanoseconds")]);
/// let leaf = builder.frame(&Frame { function: "sync.(*Mutex).Lock", file: "mutex.go", line: 9, pc: 7 });
/// let root = builder.frame(&Frame { function: "main.main", file: "main.go", line: 5, pc: 3 });
/// let labels = builder.labels(&[("state", "waiting")], &[]);
/// builder.add(&[leaf, root], labels, &[1, 250]);
/// builder.add(&[leaf, root], labels, &[1, 750]);
/// let profile = builder.finish();
/// assert_eq!(profile.samples.values(0), [2, 1000]);
/// ```
#[derive(Debug, Default)]
pub struct Builder {
    profile: Profile,
    functions: FxHashMap<(Text, Text), u32>,
    locations: FxHashMap<(u64, Vec<Line>), u32>,
    samples: UniqueSamples,
    /// How many samples there was no room for.
    dropped: u64,
}

impl Builder {
    /// For samples with these values: name and unit of each.
    pub fn new(sample_types: &[(&str, &str)]) -> Self {
        let mut builder = Builder::default();
        let profile = &mut builder.profile;
        profile.samples = Samples::new(sample_types.len());
        for (kind, unit) in sample_types {
            let kind = profile.texts.intern(kind);
            let unit = profile.texts.intern(unit);
            profile.sample_types.push(ValueType { kind, unit });
        }
        builder
    }

    /// What happens once in a period, its unit, and how long it is.
    pub fn period(&mut self, kind: &str, unit: &str, period: i64) -> &mut Self {
        let kind = self.profile.texts.intern(kind);
        let unit = self.profile.texts.intern(unit);
        self.profile.period_type = ValueType { kind, unit };
        self.profile.period = period;
        self
    }

    /// When it was collected (nanoseconds since 1970, 0 if unknown), and for how long.
    pub fn time(&mut self, unix_ns: i64, duration_ns: i64) -> &mut Self {
        self.profile.time_nanos = unix_ns;
        self.profile.duration_nanos = duration_ns;
        self
    }

    /// A remark; those that do not begin with # are shown above reports.
    pub fn comment(&mut self, text: &str) -> &mut Self {
        let text = self.profile.texts.intern(text);
        self.profile.comments.push(text);
        self
    }

    /// The sample type to show if nobody says another.
    pub fn default_sample_type(&mut self, kind: &str) -> &mut Self {
        self.profile.default_sample_type = self.profile.texts.intern(kind);
        self
    }

    /// A frame that was not inlined, or of which that is not known. The result is for
    /// [`Builder::add`]; equal frames have equal numbers.
    pub fn frame(&mut self, frame: &Frame<'_>) -> u32 {
        self.location(frame.pc, std::slice::from_ref(frame))
    }

    /// An address with the functions inlined there, the innermost first.
    pub fn location(&mut self, address: u64, frames: &[Frame<'_>]) -> u32 {
        let lines: Vec<Line> = frames
            .iter()
            .map(|frame| Line { function: self.function(frame), line: frame.line, column: 0 })
            .collect();
        let locations = &mut self.profile.locations;
        *self.locations.entry((address, lines)).or_insert_with_key(|(address, lines)| {
            let position = locations.len() as u32;
            locations.push(Location {
                id: u64::from(position) + 1,
                mapping: Some(0),
                address: *address,
                lines: lines.clone(),
                is_folded: false,
            });
            position
        })
    }

    fn function(&mut self, frame: &Frame<'_>) -> u32 {
        let name = self.profile.texts.intern(frame.function);
        let file = self.profile.texts.intern(frame.file);
        let functions = &mut self.profile.functions;
        *self.functions.entry((name, file)).or_insert_with(|| {
            let position = functions.len() as u32;
            let id = u64::from(position) + 1;
            functions.push(Function { id, name, system_name: name, file, start_line: 0 });
            position
        })
    }

    /// A set of labels, for [`Builder::add`]: texts, and numbers with their units.
    pub fn labels(&mut self, texts: &[(&str, &str)], numbers: &[(&str, i64, &str)]) -> LabelSet {
        let mut labels = Vec::with_capacity(texts.len() + numbers.len());
        let interned = &mut self.profile.texts;
        for (key, value) in texts {
            let key = interned.intern(key);
            labels.push(Label { key, value: LabelValue::Text(interned.intern(value)) });
        }
        for (key, value, unit) in numbers {
            let key = interned.intern(key);
            labels.push(Label { key, value: LabelValue::Number(*value, interned.intern(unit)) });
        }
        self.profile.label_sets.intern(&labels)
    }

    /// Adds a sample: its stack, leaf first, and one value for each sample type. A sample that
    /// would be more than all stacks together may have (2^32 frames) is left out, and a remark in
    /// the profile says so.
    pub fn add(&mut self, stack: &[u32], labels: LabelSet, values: &[i64]) {
        let samples = &mut self.profile.samples;
        if !self.samples.add(samples, stack, labels, values, i64::saturating_add) {
            self.dropped += 1;
        }
    }

    /// The profile. It has one mapping, which says that it needs no symbols from a program file.
    pub fn finish(mut self) -> Profile {
        if self.dropped > 0 {
            let dropped = self.dropped;
            self.comment(&format!(
                "{dropped} samples are left out: there are more than {MAX_FRAMES} frames in all stacks"
            ));
        }
        self.profile.mappings = vec![Mapping {
            id: 1,
            has_functions: true,
            has_filenames: true,
            has_line_numbers: true,
            has_inline_frames: true,
            ..Mapping::default()
        }];
        self.profile
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::prepare::{Preparation, prepare};

    /// A profile whose stacks have this many frames in all.
    fn of_frames(count: usize, name: &str) -> Profile {
        let mut builder = Builder::new(&[("samples", "count")]);
        let frame = builder.frame(&Frame { function: name, file: "", line: 0, pc: 0 });
        let mut left = count;
        for len in 1.. {
            let len = left.min(len);
            builder.add(&vec![frame; len], LabelSet::EMPTY, &[1]);
            left -= len;
            if left == 0 {
                break;
            }
        }
        builder.finish()
    }

    #[test]
    fn what_there_is_no_room_for_is_told() {
        let whole = of_frames(MAX_FRAMES / 2, "f");
        assert!(whole.comments.is_empty());
        let cut = of_frames(2 * MAX_FRAMES, "f");
        assert_eq!(cut.comments.len(), 1);
        assert!(cut.text(cut.comments[0]).contains("samples are left out"));
        let other = of_frames(MAX_FRAMES / 2 + 200, "g");
        let merged = prepare(vec![whole, other], Vec::new(), Preparation::default());
        assert!(merged.unwrap_err().contains("too large to be merged"));
    }
}
