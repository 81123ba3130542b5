//! The map of a program's memory behind its samples, and which part of it addresses are in.

use super::super::model::{Mapping, Profile};
use super::lines::Lines;
use super::{pattern, wrong};
use crate::wire::WireError;
use regex::{Captures, Regex};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::LazyLock;

const SENTINELS: [&str; 2] = ["--- Memory map: ---", "MAPPED_LIBRARIES:"];

/// Whether the map begins behind this line.
pub(super) fn is_sentinel(line: &str) -> bool {
    SENTINELS.iter().any(|sentinel| line.contains(sentinel))
}

/// A part of the address space that code was mapped to.
struct Entry {
    start: u64,
    limit: u64,
    offset: u64,
    file: String,
    build_id: String,
}

/// The parts, in the order of their lines.
#[derive(Default)]
pub(super) struct MemoryMap {
    entries: Vec<Entry>,
}

/// Where the main program begins on Linux for amd64.
const PROGRAM_START: u64 = 0x40_0000;

impl MemoryMap {
    /// Reads the map if `line`, or one behind it, says that it begins (`legacy_profile.go`,
    /// parseAdditionalSections).
    pub(super) fn read_behind(
        &mut self,
        line: &str,
        lines: &mut Lines<'_>,
    ) -> Result<(), WireError> {
        if is_sentinel(line) || lines.any(|(line, _)| is_sentinel(line)) {
            self.read_entries(lines)?;
        }
        Ok(())
    }

    /// Reads the lines of the map, in the form of `/proc/self/maps` or of pprof's own; other lines
    /// are left out (`legacy_profile.go`, parseProcMapsFromScanner).
    pub(super) fn read_entries(&mut self, lines: &mut Lines<'_>) -> Result<(), WireError> {
        let mut variables = Variables::default();
        for (line, offset) in lines {
            let line = variables.replace(without_log_prefix(line), offset)?;
            if let Some(entry) = entry(&line) {
                self.entries.extend(entry);
            } else if let Some((name, value)) = line.split_once('=') {
                variables.add(name.trim(), value.trim(), offset)?;
            }
        }
        Ok(())
    }

    /// Gives the profile the mappings, and each location the one it is in (`profile.go`,
    /// massageMappings; `legacy_profile.go`, remapMappingIDs).
    pub(super) fn give(&mut self, profile: &mut Profile) {
        self.join_adjacent();
        self.put_program_first();
        self.correct_program();
        let mut finder = Finder::new(&self.entries);
        for location in profile.locations.iter_mut().filter(|location| location.address != 0) {
            location.mapping = Some(finder.find(location.address, &mut self.entries));
        }
        for (id, entry) in (1..).zip(&self.entries) {
            profile.mappings.push(Mapping {
                id,
                start: entry.start,
                limit: entry.limit,
                offset: entry.offset,
                file: profile.texts.intern(&entry.file),
                build_id: profile.texts.intern(&entry.build_id),
                ..Mapping::default()
            });
        }
    }

    fn join_adjacent(&mut self) {
        let mut joined: Vec<Entry> = Vec::with_capacity(self.entries.len());
        for entry in self.entries.drain(..) {
            match joined.last_mut() {
                Some(last) if last.goes_on_in(&entry) => {
                    last.limit = entry.limit;
                    if !entry.file.is_empty() {
                        last.file = entry.file;
                    }
                    if !entry.build_id.is_empty() {
                        last.build_id = entry.build_id;
                    }
                }
                _ => joined.push(entry),
            }
        }
        self.entries = joined;
    }

    /// The first one with a file that is no library is taken for the program.
    fn put_program_first(&mut self) {
        static LIBRARY: LazyLock<Regex> = LazyLock::new(|| pattern(r"[.]so$|[.]so[._][0-9]+"));
        let program = self.entries.iter().position(|entry| {
            let file = entry.file.replace("(deleted)", "");
            let file = file.trim();
            !file.is_empty() && !file.starts_with('[') && !LIBRARY.is_match(file)
        });
        if let Some(program) = program {
            self.entries.swap(0, program);
        }
    }

    /// Some systems map the program's code to large pages, or anew in another place.
    fn correct_program(&mut self) {
        if let [first, second, ..] = &self.entries[..]
            && first.file.starts_with("/anon_hugepage")
            && first.limit == second.start
        {
            self.entries.remove(0);
        }
        if let Some(first) = self.entries.first_mut()
            && first.start.wrapping_sub(first.offset) == PROGRAM_START
        {
            (first.start, first.offset) = (PROGRAM_START, 0);
        }
    }
}

impl Entry {
    /// Whether the other one is the same mapping further on.
    fn goes_on_in(&self, next: &Entry) -> bool {
        let may_be = |a: &str, b: &str| a.is_empty() || b.is_empty() || a == b;
        let length = self.limit.wrapping_sub(self.start);
        may_be(&self.file, &next.file)
            && may_be(&self.build_id, &next.build_id)
            && self.limit == next.start
            && (self.offset == 0
                || next.offset == 0
                || self.offset.wrapping_add(length) == next.offset)
    }

    /// Addresses before the start that belong to it if its file was mapped as a whole.
    fn before(&self) -> std::ops::Range<u64> {
        self.start.wrapping_sub(self.offset)..self.start
    }
}

/// The entry of a line; `Some(None)` if it is one that is not code, `None` if it is none
/// (`legacy_profile.go`, parseMappingEntry).
fn entry(line: &str) -> Option<Option<Entry>> {
    const RANGE: &str = r"^\s*(?:0x)?([0-9A-Fa-f]+)[\s-]?\s*(?:0x)?([0-9A-Fa-f]+):?";
    static FULL: LazyLock<Regex> = LazyLock::new(|| {
        pattern(&format!(
            r"{RANGE}(?:\s+([-rwxp]+))?(?:\s+([0-9A-Fa-f]+))?\s+[0-9A-Fa-f]+:[0-9A-Fa-f]+\s+[0-9]+(?:\s+(\S+))?"
        ))
    });
    static BRIEF: LazyLock<Regex> = LazyLock::new(|| {
        pattern(&format!(
            r"{RANGE}(?:\s+([-rwxp]+))?(?:\s+(\S+))?(?:\s+\(@([0-9A-Fa-f]+)\))?(?:\s+([0-9A-Fa-f]+))?"
        ))
    });
    let (found, offset, file, build_id) = match FULL.captures(line) {
        Some(found) => (found, 4, 5, usize::MAX),
        None => (BRIEF.captures(line)?, 5, 4, 6),
    };
    let text = |at| group(&found, at);
    if !text(3).is_empty() && !text(3).contains('x') {
        return Some(None);
    }
    let hex = |at| u64::from_str_radix(text(at), 16).ok();
    let offset = if text(offset).is_empty() { 0 } else { hex(offset)? };
    let (start, limit) = (hex(1)?, hex(2)?);
    let (file, build_id) = (text(file).to_owned(), text(build_id).to_owned());
    Some(Some(Entry { start, limit, offset, file, build_id }))
}

fn group<'a>(found: &Captures<'a>, at: usize) -> &'a str {
    found.get(at).map_or("", |part| part.as_str())
}

/// The line without what glog puts before it, `... file:line] `.
fn without_log_prefix(line: &str) -> &str {
    static PREFIX: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[^\[\]]+:[0-9]+]\s"));
    let prefix = if line.contains(']') { PREFIX.find(line) } else { None };
    prefix.map_or(line, |prefix| &line[prefix.end()..])
}

/// What `name=value` lines define; `$name` in lines behind them stands for the value.
#[derive(Default)]
struct Variables {
    /// Name with the `$`, and value; of several that fit, the first holds.
    values: Vec<(String, String)>,
    /// Bytes of lines in which something was replaced.
    replaced: usize,
}

impl Variables {
    /// So many are enough for any map that was ever written, and looked through in no time.
    const MOST: usize = 100;
    /// So many bytes may lines have that values make longer.
    const MOST_BYTES: usize = 16 << 20;

    fn add(&mut self, name: &str, value: &str, offset: u64) -> Result<(), WireError> {
        if self.values.len() == Self::MOST {
            let what = format!("want at most {} variables in the map of the memory", Self::MOST);
            return Err(wrong(offset, &what, name));
        }
        self.values.push((format!("${name}"), value.to_owned()));
        Ok(())
    }

    fn replace<'a>(
        &mut self,
        line: &'a str,
        offset: u64,
    ) -> Result<std::borrow::Cow<'a, str>, WireError> {
        if self.values.is_empty() || !line.contains('$') {
            return Ok(line.into());
        }
        let mut out = String::new();
        let mut rest = line;
        while let Some(dollar) = rest.find('$') {
            let (before, from) = rest.split_at(dollar);
            let found = self.values.iter().find(|(name, _)| from.starts_with(name.as_str()));
            let (name, value) =
                found.map_or(("$", "$"), |(name, value)| (name.as_str(), value.as_str()));
            out.push_str(before);
            out.push_str(value);
            rest = &from[name.len()..];
            if self.replaced + out.len() > Self::MOST_BYTES {
                let limit = Self::MOST_BYTES >> 20;
                let what = format!("want variables that make lines of at most {limit} MiB");
                return Err(wrong(offset, &what, line));
            }
        }
        out.push_str(rest);
        self.replaced += out.len();
        Ok(out.into())
    }
}

/// Finds the first entry that an address is in.
struct Finder {
    inside: FirstCover,
    before: FirstCover,
    /// The made-up entry for addresses that are in none.
    made_up: Option<u32>,
}

impl Finder {
    fn new(entries: &[Entry]) -> Finder {
        let bounds =
            entries.iter().flat_map(|entry| [entry.start, entry.limit, entry.before().start]);
        let mut bounds: Vec<u64> = bounds.chain([0, u64::MAX]).collect();
        bounds.sort_unstable();
        bounds.dedup();
        let mut finder = Finder {
            inside: FirstCover::new(&bounds),
            before: FirstCover::new(&bounds),
            made_up: None,
        };
        for (index, entry) in (0..).zip(entries) {
            finder.inside.insert(entry.start..entry.limit, index);
            if entry.offset != 0 {
                finder.before.insert(entry.before(), index);
            }
        }
        finder
    }

    /// The entry of an address. One whose first part is missing, as some handlers leave it out, is
    /// made longer; if nothing else helps, one of the whole address space is made up.
    fn find(&mut self, address: u64, entries: &mut Vec<Entry>) -> u32 {
        if let Some(found) = self.inside.first(address, |_| true) {
            return found;
        }
        let has_offset = |index: u32| entries[index as usize].offset != 0;
        if let Some(found) = self.before.first(address, has_offset) {
            let entry = &mut entries[found as usize];
            let before = entry.before();
            (entry.start, entry.offset) = (before.start, 0);
            self.inside.insert(before, found);
            return found;
        }
        *self.made_up.get_or_insert_with(|| {
            let index = entries.len() as u32;
            let (file, build_id) = Default::default();
            entries.push(Entry { start: 0, limit: u64::MAX, offset: 0, file, build_id });
            self.inside.insert(0..u64::MAX, index);
            index
        })
    }
}

/// Ranges with numbers; tells the least number of those that an address is in, in logarithmic time
/// however they overlap.
struct FirstCover {
    bounds: Vec<u64>,
    /// A tree over the pieces between bounds, as an array: the children of `n` are `2n` and `2n+1`.
    nodes: Vec<BinaryHeap<Reverse<u32>>>,
}

impl FirstCover {
    /// For ranges that begin and end at some of these bounds, which are sorted.
    fn new(bounds: &[u64]) -> FirstCover {
        let nodes = vec![BinaryHeap::new(); 2 * bounds.len()];
        FirstCover { bounds: bounds.to_vec(), nodes }
    }

    fn insert(&mut self, range: std::ops::Range<u64>, number: u32) {
        let place = |bound| self.bounds.partition_point(|&other| other < bound);
        let pieces = self.bounds.len();
        let (mut from, mut to) = (place(range.start) + pieces, place(range.end) + pieces);
        while from < to {
            if from % 2 == 1 {
                self.nodes[from].push(Reverse(number));
                from += 1;
            }
            if to % 2 == 1 {
                to -= 1;
                self.nodes[to].push(Reverse(number));
            }
            (from, to) = (from / 2, to / 2);
        }
    }

    /// The least number at an address; those that are not `live` are forgotten.
    fn first(&mut self, address: u64, live: impl Fn(u32) -> bool) -> Option<u32> {
        let piece = self.bounds.partition_point(|&bound| bound <= address).checked_sub(1)?;
        let mut node = piece + self.bounds.len();
        let mut first = None;
        while node > 0 {
            while self.nodes[node].peek().is_some_and(|&Reverse(number)| !live(number)) {
                self.nodes[node].pop();
            }
            let here = self.nodes[node].peek().map(|&Reverse(number)| number);
            first = first.into_iter().chain(here).min();
            node /= 2;
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::model::Location;
    use super::super::lines::LossyText;
    use super::*;

    #[test]
    fn the_first_of_overlapping_ranges_is_found_whatever_they_are() {
        let mut state = 1u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % below
        };
        for _ in 0..200 {
            let ranges: Vec<_> = (0..random(12)).map(|_| random(20)..random(20)).collect();
            let mut bounds: Vec<u64> =
                ranges.iter().flat_map(|range| [range.start, range.end]).collect();
            bounds.sort_unstable();
            bounds.dedup();
            let mut cover = FirstCover::new(&bounds);
            for (number, range) in (0..).zip(&ranges) {
                cover.insert(range.clone(), number);
            }
            for dead in [u32::MAX, random(12) as u32] {
                for address in 0..21 {
                    let live = |number: u32| number != dead;
                    let want = (0..)
                        .zip(&ranges)
                        .position(|(number, range)| range.contains(&address) && live(number));
                    let got = cover.first(address, live);
                    assert_eq!(got, want.map(|number| number as u32), "{address} {ranges:?}");
                }
            }
        }
    }

    fn read(text: &str) -> Result<MemoryMap, WireError> {
        let mut map = MemoryMap::default();
        map.read_entries(&mut LossyText::new(text.as_bytes(), 0).lines()).map(|()| map)
    }

    #[test]
    fn variables_do_not_make_more_of_a_map_than_its_limit() {
        let value = "x".repeat(10_000);
        let line = format!("400000-500000 {}\n", "$a".repeat(10_000));
        let error = read(&format!("a={value}\n{line}")).err().unwrap().to_string();
        assert!(error.starts_with("byte 10003: want variables that make lines of at"), "{error}");
        let many: String = (0..101).map(|n| format!("v{n}=1\n")).collect();
        let error = read(&many).err().unwrap().to_string();
        assert!(error.contains("want at most 100 variables"), "{error}");
    }

    #[test]
    fn a_location_is_in_the_first_of_many_mappings_that_overlap() {
        let address = |n: u64| (n + 1) << 20;
        let mut profile = Profile::default();
        for n in 0..5000 {
            profile.locations.push(Location { address: address(n), ..Location::default() });
        }
        // Each covers all addresses from its own on, so that the first is far behind.
        let text: String =
            (0..5000).rev().map(|n| format!("{:x}-{:x} /f.so\n", address(n), 1u64 << 50)).collect();
        // Those of one name are joined where one ends at the other's start; here none does.
        read(&text).unwrap().give(&mut profile);
        assert_eq!(profile.mappings.len(), 5000);
        for (n, location) in (0..).zip(&profile.locations) {
            assert_eq!(location.mapping, Some(4999 - n));
        }
    }
}
