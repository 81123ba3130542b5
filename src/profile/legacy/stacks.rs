//! Samples whose stacks are addresses, on their way into a profile.

use super::super::labels::Label;
use super::super::model::{Location, Profile, ValueType};
use super::symbols::Symbols;
use super::{frames, map, pattern, wrong};
use crate::wire::WireError;
use regex::Regex;
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// Which addresses of a stack are those to which a call returns; one before each is the call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Returns {
    All,
    AllButTheLeaf,
    None,
}

/// A profile under construction.
#[derive(Default)]
pub(super) struct Stacks {
    pub(super) profile: Profile,
    pub(super) symbols: Symbols,
    /// Positions in the profile's locations.
    of_address: FxHashMap<u64, u32>,
    /// The mappings, read at the end of the text.
    pub(super) map: map::MemoryMap,
    /// Whether labels come from comments, which pprof does not read.
    pub(super) has_labels_of_comments: bool,
    /// Whether the leaf may stand twice, as address of the signal and as its return address.
    pub(super) may_repeat_leaf: bool,
}

/// The addresses in a line.
pub(super) fn addresses(line: &str, offset: u64) -> Result<Vec<u64>, WireError> {
    static HEX: LazyLock<Regex> = LazyLock::new(|| pattern("0x[0-9a-f]+"));
    let parsed = HEX.find_iter(line).map(|found| {
        u64::from_str_radix(&found.as_str()[2..], 16)
            .map_err(|_| wrong(offset, "want addresses of 64 bits", found.as_str()))
    });
    parsed.collect()
}

impl Stacks {
    fn value_type(&mut self, kind: &str, unit: &str) -> ValueType {
        let texts = &mut self.profile.texts;
        ValueType { kind: texts.intern(kind), unit: texts.intern(unit) }
    }

    /// Sets what happens once in a period: name, unit, and how many of the unit that is.
    pub(super) fn set_period(&mut self, kind: &str, unit: &str, period: i64) {
        self.profile.period_type = self.value_type(kind, unit);
        self.profile.period = period;
    }

    /// Sets what the values of samples are: name and unit of each.
    pub(super) fn set_sample_types(&mut self, types: &[(&str, &str)]) {
        let types = types.iter().map(|(kind, unit)| self.value_type(kind, unit)).collect();
        self.profile.sample_types = types;
    }

    /// Adds a sample; `stack` is a list of addresses, leaf first.
    pub(super) fn sample(
        &mut self,
        stack: &[u64],
        returns: Returns,
        values: &[i64],
        labels: &[Label],
        offset: u64,
    ) -> Result<(), WireError> {
        let mut frames = Vec::with_capacity(stack.len());
        for (place, &address) in stack.iter().enumerate() {
            let is_return = match returns {
                Returns::All => true,
                Returns::AllButTheLeaf => place > 0,
                Returns::None => false,
            };
            let address = address.wrapping_sub(u64::from(is_return));
            let locations = &mut self.profile.locations;
            frames.push(*self.of_address.entry(address).or_insert_with(|| {
                let id = locations.len() as u64 + 1;
                locations.push(Location { id, address, ..Location::default() });
                id as u32 - 1
            }));
        }
        let labels = self.profile.label_sets.intern(labels);
        self.symbols.sample();
        if !self.profile.samples.push(frames, values, labels) {
            return Err(WireError::new(offset, "more than 2^32 frames in all stacks"));
        }
        Ok(())
    }

    /// A comment behind a sample.
    pub(super) fn comment(&mut self, line: &str) {
        self.symbols.comment(line, &mut self.profile);
    }

    /// The position of the location with an address, if a sample leads there.
    pub(super) fn location(&self, address: u64) -> Option<u32> {
        self.of_address.get(&address).copied()
    }

    /// The whole profile. `with_symbols` takes the functions from the comments.
    pub(super) fn finish(mut self, with_symbols: bool) -> Profile {
        self.order_locations();
        self.map.give(&mut self.profile);
        if self.may_repeat_leaf {
            self.drop_repeated_leaves();
        }
        frames::drop_uninteresting(&mut self.profile);
        if with_symbols && !self.symbols.is_empty() {
            self.symbols.give(&mut self.profile);
        } else if self.has_labels_of_comments {
            for sample in 0..self.profile.samples.len() {
                self.profile.samples.set_labels(sample, Default::default());
            }
        }
        self.profile
    }

    /// Numbers locations in the order in which samples lead to them (`legacy_profile.go`,
    /// remapLocationIDs).
    fn order_locations(&mut self) {
        let mut order: Vec<u32> = Vec::new();
        let mut places = vec![u32::MAX; self.profile.locations.len()];
        self.profile.samples.map_frames(|frame| {
            let place = &mut places[frame as usize];
            if *place == u32::MAX {
                *place = order.len() as u32;
                order.push(frame);
            }
            *place
        });
        let old = std::mem::take(&mut self.profile.locations);
        self.profile.locations = (1..)
            .zip(order)
            .map(|(id, frame)| Location { id, ..old[frame as usize].clone() })
            .collect();
    }

    /// A handler of signals may take the address of the leaf from the signal and from the stack
    /// (`legacy_profile.go`, cleanupDuplicateLocations).
    fn drop_repeated_leaves(&mut self) {
        let Profile { samples, locations, .. } = &mut self.profile;
        for sample in 0..samples.len() {
            if let [leaf, second, ..] = *samples.stack(sample) {
                let (leaf, second) = (&locations[leaf as usize], &locations[second as usize]);
                if leaf.address == second.address.wrapping_add(1) {
                    samples.drop_second(sample);
                }
            }
        }
    }
}
