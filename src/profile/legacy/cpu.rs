//! CPU profiles of gperftools: words of 32 or 64 bits in either byte order (`legacy_profile.go`,
//! parseCPU), and those of Java's profilers, which name their locations in text behind them.

use super::super::model::Profile;
use super::java;
use super::lines::LossyText;
use super::stacks::{Returns, Stacks};
use crate::wire::WireError;
use rustc_hash::FxHashMap;

/// The first five words: 0, 3, 0 for C++ or 1 for Java, the time between samples, 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    word: Word,
    /// Microseconds.
    period: u64,
    is_java: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Little32,
    Big32,
    Little64,
    Big64,
}

/// How many words the header has.
const HEADER: usize = 5;

impl Word {
    fn size(self) -> usize {
        if matches!(self, Word::Little32 | Word::Big32) { 4 } else { 8 }
    }

    /// The word at the beginning of `bytes`, if there are enough of them.
    fn at(self, bytes: &[u8]) -> Option<u64> {
        let four = |bytes: &[u8]| bytes.first_chunk::<4>().copied();
        let eight = |bytes: &[u8]| bytes.first_chunk::<8>().copied();
        Some(match self {
            Word::Little32 => u32::from_le_bytes(four(bytes)?).into(),
            Word::Big32 => u32::from_be_bytes(four(bytes)?).into(),
            Word::Little64 => u64::from_le_bytes(eight(bytes)?),
            Word::Big64 => u64::from_be_bytes(eight(bytes)?),
        })
    }
}

impl Header {
    /// The header at the beginning of `bytes`, if there is one.
    pub(super) fn of(bytes: &[u8]) -> Option<Header> {
        // Of other things, next to none begin so.
        if bytes.first() != Some(&0) {
            return None;
        }
        [Word::Little32, Word::Big32, Word::Little64, Word::Big64].into_iter().find_map(|word| {
            let mut words = bytes.chunks_exact(word.size()).map(|bytes| word.at(bytes));
            let mut next = || words.next().flatten();
            let (first, second, java, period, last) = (next()?, next()?, next()?, next()?, next()?);
            let is_one = (first, second, last) == (0, 3, 0) && java < 2 && period > 0;
            is_one.then_some(Header { word, period, is_java: java == 1 })
        })
    }
}

/// Reads a whole profile that begins with that header.
pub(super) fn read(bytes: &[u8], header: Header) -> Result<Profile, WireError> {
    let mut stacks = Stacks::default();
    stacks.set_period("cpu", "nanoseconds", (header.period as i64).wrapping_mul(1000));
    stacks.set_sample_types(&[("samples", "count"), ("cpu", "nanoseconds")]);
    let returns = if header.is_java { Returns::None } else { Returns::AllButTheLeaf };
    let end = samples(bytes, header.word, returns, &mut stacks)?;
    let text = LossyText::new(&bytes[end..], end);
    let mut lines = text.lines();
    if header.is_java {
        java::locations(&mut lines, None, &mut stacks)?;
    } else {
        drop_frames_of_the_handler(&mut stacks.profile);
        stacks.map.read_entries(&mut lines)?;
        stacks.may_repeat_leaf = true;
    }
    let mut profile = stacks.finish(false);
    if header.is_java {
        java::drop_addresses(&mut profile);
    }
    Ok(profile)
}

/// Reads the samples: each a count, the number of frames, and the frames, leaf first; the last one
/// is 0, 1, 0. Returns where they end.
fn samples(
    bytes: &[u8],
    word: Word,
    returns: Returns,
    stacks: &mut Stacks,
) -> Result<usize, WireError> {
    let mut at = HEADER * word.size();
    let mut stack = Vec::new();
    while at < bytes.len() {
        let start = at as u64;
        let mut next = || {
            let found = bytes.get(at..).and_then(|rest| word.at(rest));
            at = found.map_or(bytes.len(), |_| at + word.size());
            found
        };
        let (Some(count), Some(depth)) = (next(), next()) else {
            return Err(WireError::new(start, "want a sample, but the profile ends inside of it"));
        };
        // Go asks for four bytes a word, whatever the word; what is missing is 0 to it.
        let left = bytes.len() - (start as usize + 2 * word.size());
        if depth > (left / 4) as u64 {
            let what = format!("a sample of {depth} frames, but {left} bytes are left");
            return Err(WireError::new(start, what));
        }
        stack.clear();
        stack.extend((0..depth).map(|_| next().unwrap_or(0)));
        if count == 0 && stack == [0] {
            break;
        }
        let value = count as i64;
        let values = [value, value.wrapping_mul(stacks.profile.period)];
        stacks.sample(&stack, returns, &values, &[], start)?;
    }
    Ok(at)
}

/// Where nearly all samples have the same second frame, it is that of the handler of signals; up to
/// two such are taken out (`legacy_profile.go`, cpuProfile).
fn drop_frames_of_the_handler(profile: &mut Profile) {
    let samples = &mut profile.samples;
    let enough = samples.len() - samples.len() / 32;
    for _ in 0..2 {
        let mut counts: FxHashMap<u32, usize> = FxHashMap::default();
        for sample in 0..samples.len() {
            if let Some(&second) = samples.stack(sample).get(1) {
                *counts.entry(second).or_default() += 1;
            }
        }
        let Some((&frame, _)) = counts.iter().find(|(_, count)| **count >= enough) else { return };
        for sample in 0..samples.len() {
            if samples.stack(sample).get(1) == Some(&frame) {
                samples.drop_second(sample);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::decode::read;
    use crate::source::ByteStream;

    /// A profile of two samples in each kind of word.
    fn profiles() -> [Vec<u8>; 4] {
        let words = [0u64, 3, 0, 10_000, 0, 2, 2, 0x1000, 0x2001, 1, 1, 0x1000, 0, 1, 0];
        [
            words.iter().flat_map(|&word| (word as u32).to_le_bytes()).collect(),
            words.iter().flat_map(|&word| (word as u32).to_be_bytes()).collect(),
            words.iter().flat_map(|&word| word.to_le_bytes()).collect(),
            words.iter().flat_map(|&word| word.to_be_bytes()).collect(),
        ]
    }

    #[test]
    fn every_kind_of_word_is_read() {
        for bytes in profiles() {
            let profile = read(&mut ByteStream::from_bytes(bytes), true).unwrap();
            assert_eq!(profile.samples.values(0), [2, 20_000_000]);
            let addresses = profile.locations.iter().map(|location| location.address);
            assert_eq!(addresses.collect::<Vec<_>>(), [0x1000, 0x2000]);
        }
    }

    #[test]
    fn a_profile_cut_anywhere_keeps_its_samples_or_says_where_it_ends() {
        for bytes in profiles() {
            let size = bytes.len() / 15;
            for end in 5 * size..bytes.len() {
                let begun = [5, 9, 12].map(|start| end > start * size);
                let begun = begun.into_iter().filter(|&is_begun| is_begun).count();
                match read(&mut ByteStream::from_bytes(&bytes[..end]), true) {
                    // To pprof an address that is cut off is 0 if half of it is there.
                    Ok(profile) => assert_eq!(profile.samples.len(), begun.min(2)),
                    Err(error) => {
                        let (start, error) = ([5, 9, 12][begun - 1] * size, error.to_string());
                        assert!(error.starts_with(&format!("byte {start}: ")), "{end}: {error}");
                    }
                }
            }
        }
    }
}
