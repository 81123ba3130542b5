//! Samples as flat arrays.

use super::labels::LabelSet;
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};

/// The samples of a profile. A stack is a run of `frames`, leaf first; cutting a stack short
/// changes the run only.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    /// Positions in the profile's locations.
    frames: Vec<u32>,
    /// Begin and end of each stack in `frames`.
    stacks: Vec<(u32, u32)>,
    /// `width` of them for each sample.
    values: Vec<i64>,
    labels: Vec<LabelSet>,
    width: usize,
}

impl Samples {
    /// No samples, of `width` values each.
    pub fn new(width: usize) -> Self {
        Samples { width, ..Samples::default() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.stacks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.stacks.is_empty()
    }

    /// How many values each has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The stack of a sample as positions in the profile's locations, leaf first.
    #[inline(always)]
    pub fn stack(&self, sample: usize) -> &[u32] {
        let (start, end) = self.stacks[sample];
        &self.frames[start as usize..end as usize]
    }

    /// Its values, one for each sample type.
    #[inline(always)]
    pub fn values(&self, sample: usize) -> &[i64] {
        &self.values[sample * self.width..][..self.width]
    }

    /// The same, to be changed.
    pub fn values_mut(&mut self, sample: usize) -> &mut [i64] {
        &mut self.values[sample * self.width..][..self.width]
    }

    /// Its labels.
    #[inline(always)]
    pub fn labels(&self, sample: usize) -> LabelSet {
        self.labels[sample]
    }

    /// Gives a sample other labels.
    pub fn set_labels(&mut self, sample: usize, labels: LabelSet) {
        self.labels[sample] = labels;
    }

    /// Appends a sample. The first one sets the width if [`Samples::new`] did not.
    ///
    /// Returns `false`, and does nothing, if all stacks together would have more than 2^32 frames.
    #[must_use]
    pub fn push(
        &mut self,
        stack: impl IntoIterator<Item = u32>,
        values: &[i64],
        labels: LabelSet,
    ) -> bool {
        if self.is_empty() {
            self.width = values.len();
        }
        debug_assert_eq!(values.len(), self.width);
        let start = self.frames.len();
        self.frames.extend(stack);
        let end = self.frames.len();
        if end > MAX_FRAMES {
            self.frames.truncate(start);
            return false;
        }
        self.stacks.push((start as u32, end as u32));
        self.values.extend_from_slice(values);
        self.labels.push(labels);
        true
    }

    /// Replaces every frame.
    pub fn map_frames(&mut self, mut change: impl FnMut(u32) -> u32) {
        self.frames.iter_mut().for_each(|frame| *frame = change(*frame));
    }

    /// All frames of all stacks, one after the other, with those that were cut away.
    pub fn frames(&self) -> &[u32] {
        &self.frames
    }

    /// Cuts a stack down to a run of itself.
    pub fn cut(&mut self, sample: usize, run: std::ops::Range<usize>) {
        let (start, end) = &mut self.stacks[sample];
        *end = *start + run.end as u32;
        *start += run.start as u32;
    }

    /// Takes the second frame out of a stack, if there is one: the caller of the leaf.
    pub fn drop_second(&mut self, sample: usize) {
        let (start, end) = &mut self.stacks[sample];
        if *end - *start > 1 {
            self.frames[*start as usize + 1] = self.frames[*start as usize];
            *start += 1;
        }
    }

    /// Keeps of each stack the frames that `keep` says.
    pub fn retain_frames(&mut self, sample: usize, mut keep: impl FnMut(u32) -> bool) {
        let (start, end) = self.stacks[sample];
        let mut to = start as usize;
        for from in start as usize..end as usize {
            if keep(self.frames[from]) {
                self.frames[to] = self.frames[from];
                to += 1;
            }
        }
        self.stacks[sample].1 = to as u32;
    }

    /// Keeps the samples that `keep` says; it may change them.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut Samples, usize) -> bool) {
        let mut to = 0;
        for from in 0..self.len() {
            if !keep(self, from) {
                continue;
            }
            if to != from {
                self.stacks[to] = self.stacks[from];
                self.labels[to] = self.labels[from];
                let start = from * self.width;
                self.values.copy_within(start..start + self.width, to * self.width);
            }
            to += 1;
        }
        self.stacks.truncate(to);
        self.labels.truncate(to);
        self.values.truncate(to * self.width);
    }

    /// Picks the values at these positions, in this order, for every sample.
    pub fn select_values(&mut self, positions: &[usize]) {
        let mut values = Vec::with_capacity(self.len() * positions.len());
        for sample in 0..self.len() {
            let old = self.values(sample);
            values.extend(positions.iter().map(|&position| old[position]));
        }
        self.values = values;
        self.width = positions.len();
    }
}

/// Where samples with equal stacks and labels are added up.
#[derive(Debug, Default)]
pub struct UniqueSamples {
    /// The last sample whose stack and labels have this hash.
    last: FxHashMap<u64, u32>,
    /// For each sample, the one before it with the same hash.
    previous: Vec<u32>,
}

const NONE: u32 = u32::MAX;

/// Most frames of all stacks of a profile together. Tests cannot fill 16 GiB.
pub const MAX_FRAMES: usize = if cfg!(test) { 10_000 } else { u32::MAX as usize };

impl UniqueSamples {
    /// Adds values to the sample with this stack and these labels, which is made if it is not
    /// there. `add` is how values are added.
    ///
    /// Returns `false`, and does nothing, if all stacks together would have more than [`MAX_FRAMES`].
    #[must_use]
    pub fn add(
        &mut self,
        samples: &mut Samples,
        stack: &[u32],
        labels: LabelSet,
        values: &[i64],
        add: impl Fn(i64, i64) -> i64,
    ) -> bool {
        let mut hasher = FxHasher::default();
        (stack, labels).hash(&mut hasher);
        let last = self.last.entry(hasher.finish()).or_insert(NONE);
        let mut known = *last;
        while known != NONE {
            let sample = known as usize;
            if samples.labels(sample) == labels && samples.stack(sample) == stack {
                for (sum, &value) in samples.values_mut(sample).iter_mut().zip(values) {
                    *sum = add(*sum, value);
                }
                return true;
            }
            known = self.previous[sample];
        }
        let is_room = samples.push(stack.iter().copied(), values, labels);
        if is_room {
            self.previous.push(*last);
            *last = samples.len() as u32 - 1;
        }
        is_room
    }
}
