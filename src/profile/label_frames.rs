//! Labels as frames: `tagroot` and `tagleaf`.
//!
//! Source: Go 1.27 pprof `internal/driver/tagroot.go`.

use super::config::Config;
use super::labels::{Label, LabelValue};
use super::model::{Function, Line, Location, Profile};
use super::text::Text;
use super::units;
use rustc_hash::FxHashMap;

/// Makes frames of labels (`tagroot.go`, addLabelNodes).
pub fn add_label_frames(profile: &mut Profile, config: &Config, messages: &mut Vec<String>) {
    let keys = |list: &str| -> Vec<String> {
        list.split(',').filter(|key| !key.is_empty()).map(String::from).collect()
    };
    let (roots, leaves) = (keys(&config.tagroot), keys(&config.tagleaf));
    if roots.is_empty() && leaves.is_empty() {
        return;
    }
    let mut adder = FrameAdder {
        next_location: profile.locations.iter().map(|location| location.id).max().unwrap_or(0),
        next_function: profile.functions.iter().map(|function| function.id).max().unwrap_or(0),
        known: FxHashMap::default(),
        unit: &config.unit,
    };
    let old = std::mem::take(&mut profile.samples);
    let (mut root_matched, mut leaf_matched) = (false, false);
    let mut by_set = FxHashMap::default();
    for sample in 0..old.len() {
        let set = old.labels(sample);
        let (added_leaves, added_roots) = by_set.entry(set).or_insert_with(|| {
            let labels = profile.label_sets.get(set).to_vec();
            let (roots, matched) = adder.frames(profile, &labels, &roots);
            root_matched |= matched;
            let (leaves, matched) = adder.frames(profile, &labels, &leaves);
            leaf_matched |= matched;
            (leaves, roots)
        });
        let stack = old.stack(sample).iter();
        let frames = added_leaves.iter().chain(stack).chain(added_roots.iter()).copied();
        // It was read from as many frames; what this adds can only be too much in the extreme.
        if !profile.samples.push(frames, old.values(sample), set) {
            messages.push("TagRoot and TagLeaf: too many frames; the rest is left out".into());
            break;
        }
    }
    if !roots.is_empty() && !root_matched {
        messages.push("TagRoot expression matched no samples".into());
    }
    if !leaves.is_empty() && !leaf_matched {
        messages.push("TagLeaf expression matched no samples".into());
    }
}

struct FrameAdder<'a> {
    next_location: u64,
    next_function: u64,
    known: FxHashMap<(Text, Text), u32>,
    unit: &'a str,
}

impl FrameAdder<'_> {
    /// The frames of these keys, and whether any has a value.
    fn frames(
        &mut self,
        profile: &mut Profile,
        labels: &[Label],
        keys: &[String],
    ) -> (Vec<u32>, bool) {
        let mut matched = false;
        // Backwards: the first key is nearest to the root, the last one to the leaf.
        let frames = keys.iter().rev().map(|key| {
            let values = self.values(profile, labels, key);
            matched |= !values.is_empty();
            let name = profile.texts.intern(&values.join(","));
            let file = profile.texts.intern(key);
            self.location(profile, name, file)
        });
        (frames.collect(), matched)
    }

    fn values(&self, profile: &Profile, labels: &[Label], key: &str) -> Vec<String> {
        let Some(key) = profile.texts.find(key) else { return Vec::new() };
        let of_key = || labels.iter().filter(|label| label.key == key).map(|label| label.value);
        let has_units =
            of_key().any(|value| matches!(value, LabelValue::Number(_, unit) if !unit.is_empty()));
        of_key()
            .map(|value| match value {
                LabelValue::Text(text) => profile.text(text).to_owned(),
                LabelValue::Number(number, unit) if has_units => {
                    units::scaled_label(number, profile.text(unit), self.unit)
                }
                LabelValue::Number(number, _) => units::scaled_label(number, "", ""),
            })
            .collect()
    }

    fn location(&mut self, profile: &mut Profile, name: Text, file: Text) -> u32 {
        *self.known.entry((name, file)).or_insert_with(|| {
            self.next_function += 1;
            self.next_location += 1;
            let id = self.next_function;
            profile.functions.push(Function { id, name, file, ..Function::default() });
            let function = profile.functions.len() as u32 - 1;
            profile.locations.push(Location {
                id: self.next_location,
                lines: vec![Line { function, ..Line::default() }],
                ..Location::default()
            });
            profile.locations.len() as u32 - 1
        })
    }
}
