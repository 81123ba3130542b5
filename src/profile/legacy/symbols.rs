//! What Go writes in comments behind a sample: the functions at its addresses, and its labels.

use super::super::labels::{Label, LabelValue};
use super::super::model::{Function, Line, Profile};
use super::super::text::Text;
use regex::Regex;
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// A place as a comment tells it.
struct Symbol {
    function: String,
    file: String,
    line: i64,
}

/// What comments said of addresses.
#[derive(Default)]
pub(super) struct Symbols {
    of_address: FxHashMap<u64, Vec<Symbol>>,
    /// Addresses of which the comments of the current sample have told.
    last_address: Option<u64>,
    /// Whether comments of an address are those that came first.
    is_new: bool,
}

impl Symbols {
    /// Whether nothing was said.
    pub(super) fn is_empty(&self) -> bool {
        self.of_address.is_empty()
    }

    /// A sample has come; comments behind it begin anew.
    pub(super) fn sample(&mut self) {
        self.last_address = None;
    }

    /// A comment behind a sample: `#`, address, function with offset, file with line, between tabs;
    /// or the labels of the sample.
    pub(super) fn comment(&mut self, line: &str, profile: &mut Profile) {
        let Some(rest) = line.strip_prefix('#') else { return };
        if let Some(labels) = rest.strip_prefix(" labels: ") {
            return sample_labels(labels, profile);
        }
        let mut words = rest.split('\t').filter(|word| !word.is_empty());
        let (Some(address), Some(name)) = (words.next(), words.next()) else { return };
        let address = address.trim().strip_prefix("0x");
        let Some(address) = address.and_then(|hex| u64::from_str_radix(hex, 16).ok()) else {
            return;
        };
        let (file, number) = words.next().and_then(|at| at.rsplit_once(':')).unwrap_or(("", "0"));
        let function = name.trim().rsplit_once("+0x").map_or(name.trim(), |(name, _)| name);
        if self.last_address != Some(address) {
            self.is_new = !self.of_address.contains_key(&address);
            self.last_address = Some(address);
        }
        // Several lines in a row with one address are what was inlined there.
        if self.is_new {
            self.of_address.entry(address).or_default().push(Symbol {
                function: function.into(),
                file: file.into(),
                line: number.trim().parse().unwrap_or(0),
            });
        }
    }

    /// Gives locations the functions of the comments. Go leaves frames of the runtime at both ends
    /// out of them; so they are left out of stacks of which anything else is known.
    pub(super) fn give(&self, profile: &mut Profile) {
        let mut functions: FxHashMap<(Text, Text), u32> = FxHashMap::default();
        for location in &mut profile.locations {
            for symbol in self.of_address.get(&location.address).into_iter().flatten() {
                let name = profile.texts.intern(&symbol.function);
                let file = profile.texts.intern(&symbol.file);
                let function = *functions.entry((name, file)).or_insert_with(|| {
                    let id = profile.functions.len() as u64 + 1;
                    let system_name = name;
                    profile.functions.push(Function { id, name, system_name, file, start_line: 0 });
                    id as u32 - 1
                });
                location.lines.push(Line { function, line: symbol.line, column: 0 });
            }
        }
        for mapping in &mut profile.mappings {
            (mapping.has_functions, mapping.has_filenames) = (true, true);
            (mapping.has_line_numbers, mapping.has_inline_frames) = (true, true);
        }
        let is_known: Vec<bool> =
            profile.locations.iter().map(|location| !location.lines.is_empty()).collect();
        for sample in 0..profile.samples.len() {
            if profile.samples.stack(sample).iter().any(|&frame| is_known[frame as usize]) {
                profile.samples.retain_frames(sample, |frame| is_known[frame as usize]);
            }
        }
    }
}

/// `{"key":"value", ...}` behind a sample of goroutines.
fn sample_labels(text: &str, profile: &mut Profile) {
    static PAIR: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#""((?:[^"\\]|\\.)*)":\s*"((?:[^"\\]|\\.)*)""#).expect("the pattern is right")
    });
    let Some(sample) = profile.samples.len().checked_sub(1) else { return };
    let texts = &mut profile.texts;
    let plain = |text: &str| text.replace("\\\"", "\"").replace("\\\\", "\\");
    let labels: Vec<Label> = PAIR
        .captures_iter(text)
        .map(|pair| Label {
            key: texts.intern(&plain(&pair[1])),
            value: LabelValue::Text(texts.intern(&plain(&pair[2]))),
        })
        .collect();
    let labels = profile.label_sets.intern(&labels);
    profile.samples.set_labels(sample, labels);
}
