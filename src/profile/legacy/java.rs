//! Profiles of Java's profilers: heap and contention, whose locations are named in text behind the
//! samples (`legacy_java_profile.go`).

use super::super::labels::{Label, LabelValue};
use super::super::model::{Function, Line, Profile};
use super::super::text::Text;
use super::lines::Lines;
use super::stacks::{Returns, Stacks, addresses};
use super::{heap, number, pattern, wrong};
use crate::wire::WireError;
use regex::Regex;
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Heap,
    Contention,
}

/// Bytes between two samples of a heap.
const HEAP_RATE: i64 = 512 << 10;

fn attribute(line: &str) -> Option<(&str, &str)> {
    static ATTRIBUTE: LazyLock<Regex> =
        LazyLock::new(|| pattern("([0-9A-Za-z_ ]+)=([0-9A-Za-z_ ]+)"));
    let found = ATTRIBUTE.captures(line)?;
    let part = |at| found.get(at).map_or("", |part| part.as_str().trim());
    Some((part(1), part(2)))
}

impl Kind {
    /// The kind of a text, if it is such a profile. Contention of C++ programs has the same first
    /// line, and neither a format nor a resolution.
    pub(super) fn of(text: &str) -> Option<Kind> {
        let mut lines = text.lines();
        match lines.next()?.trim() {
            "--- heapz 1 ---" => Some(Kind::Heap),
            "--- contentionz 1 ---" => lines
                .map(str::trim)
                .take_while(|line| line.is_empty() || line.contains('='))
                .filter_map(attribute)
                .any(|(key, _)| matches!(key, "format" | "resolution"))
                .then_some(Kind::Contention),
            _ => None,
        }
    }
}

pub(super) fn read(
    kind: Kind,
    lines: &mut Lines<'_>,
    stacks: &mut Stacks,
) -> Result<(), WireError> {
    static SAMPLE: LazyLock<Regex> =
        LazyLock::new(|| pattern(" *([0-9]+) +([0-9]+) +@ +([ x0-9a-f]*)"));
    lines.next();
    let bytes = stacks.profile.texts.intern("bytes");
    let mut is_in_samples = false;
    while let Some((whole, offset)) = lines.next() {
        let line = whole.trim();
        if line.is_empty() {
            continue;
        }
        if let (Some((key, value)), false) = (attribute(line), is_in_samples) {
            set(kind, key, value, stacks)
                .ok_or_else(|| wrong(offset, "want an attribute of a Java profile", line))?;
            continue;
        }
        is_in_samples = true;
        let Some(sample) = SAMPLE.captures(line) else {
            return locations(lines, Some((whole, offset)), stacks);
        };
        if stacks.profile.sample_types.is_empty() {
            return Err(wrong(offset, "want the resolution before the samples", line));
        }
        let value =
            |at: usize| number(&sample[at]).ok_or_else(|| wrong(offset, "want numbers", line));
        // Count and sum stand the other way round than elsewhere.
        let (mut count, mut sum) = (value(2)?, value(1)?);
        let mut label = None;
        match kind {
            Kind::Heap => {
                if count == 0 {
                    return Err(wrong(offset, "want a number of objects that is not 0", line));
                }
                let value = LabelValue::Number(sum.wrapping_div(count), Text::EMPTY);
                label = Some(Label { key: bytes, value });
                (count, sum) = heap::unsampled(count, sum, HEAP_RATE);
            }
            Kind::Contention => {
                let period = stacks.profile.period;
                if period != 0 {
                    (count, sum) = (count.wrapping_mul(period), sum.wrapping_mul(period));
                }
            }
        }
        let stack = addresses(&sample[3], offset)?;
        stacks.sample(&stack, Returns::None, &[count, sum], label.as_slice(), offset)?;
    }
    Ok(())
}

/// Takes an attribute. `None` if it is none of these, or its value is wrong.
fn set(kind: Kind, key: &str, value: &str, stacks: &mut Stacks) -> Option<()> {
    match (kind, key) {
        (_, "format") => (value == "java").then_some(())?,
        (Kind::Heap, "resolution") => {
            stacks.set_sample_types(&[("inuse_objects", "count"), ("inuse_space", value)]);
        }
        (Kind::Contention, "resolution") => {
            stacks.set_sample_types(&[("contentions", "count"), ("delay", value)]);
        }
        (Kind::Contention, "sampling period") => {
            stacks.set_period("contentions", "count", number(value)?);
        }
        (Kind::Contention, "ms since reset") => {
            stacks.profile.duration_nanos = number(value)?.wrapping_mul(1_000_000);
        }
        _ => return None,
    }
    Some(())
}

/// Reads what is at the addresses of the samples, a line each: `0x1f function (file:line)`,
/// `0x1f function (library)`, or `0x1f state`. `first` is a line that was taken before.
pub(super) fn locations<'a>(
    lines: &mut Lines<'a>,
    first: Option<(&'a str, u64)>,
    stacks: &mut Stacks,
) -> Result<(), WireError> {
    static LOCATION: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"^\s*0x([0-9A-Fa-f]+)\s+(.*)\s*$"));
    let mut functions: FxHashMap<Text, u32> = FxHashMap::default();
    for (line, offset) in first.into_iter().chain(lines) {
        let line = line.trim();
        let Some(found) = LOCATION.captures(line) else { continue };
        let address = u64::from_str_radix(&found[1], 16)
            .map_err(|_| wrong(offset, "want an address of 64 bits", line))?;
        let Some(location) = stacks.location(address) else { continue };
        let place = found.get(2).map_or("", |place| place.as_str());
        let (name, file, line) = function_at(place);
        let profile = &mut stacks.profile;
        let (name, file) = (profile.texts.intern(name), profile.texts.intern(file));
        let function = *functions.entry(name).or_insert_with(|| {
            let id = profile.functions.len() as u64 + 1;
            profile.functions.push(Function { id, name, system_name: name, file, start_line: 0 });
            id as u32 - 1
        });
        let location = &mut profile.locations[location as usize];
        location.lines = vec![Line { function, line, column: 0 }];
        location.address = 0;
    }
    Ok(())
}

/// The function, file and line that a location is described by.
fn function_at(place: &str) -> (&str, &str, i64) {
    static WITH_LINE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(.*)\s+\((.+):(-?[0-9]+)\)$"));
    static WITH_PATH: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(.*)\s+\((.*)\)$"));
    let parts = |pattern: &Regex| {
        let found = pattern.captures(place)?;
        Some([1, 2, 3].map(|at| found.get(at).map_or("", |part| part.as_str())))
    };
    if let Some([name, file, line]) = parts(&WITH_LINE) {
        return (name, file, line.parse().map_or(0, |line: i64| line.max(0)));
    }
    if let Some([name, path, _]) = parts(&WITH_PATH) {
        return (name, last_element(path), 0);
    }
    if place.contains("generated stub/JIT") { ("STUB", "", 0) } else { (place, "", 0) }
}

/// The last element of a path, as Go's `filepath.Base` has it.
fn last_element(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit('/').next() {
        Some("") | None if path.is_empty() => ".",
        Some("") | None => "/",
        Some(last) => last,
    }
}

/// Addresses of Java are those of one run only (`Profile.Aggregate` without addresses); functions
/// are ordered as locations name them.
pub(super) fn drop_addresses(profile: &mut Profile) {
    for location in &mut profile.locations {
        location.address = 0;
    }
    let mut places = vec![None; profile.functions.len()];
    let mut order = Vec::new();
    for line in profile.locations.iter_mut().flat_map(|location| &mut location.lines) {
        let place = places[line.function as usize].get_or_insert_with(|| {
            order.push(line.function);
            order.len() as u32 - 1
        });
        line.function = *place;
    }
    let old = std::mem::take(&mut profile.functions);
    profile.functions = (1..)
        .zip(order)
        .map(|(id, function): (u64, u32)| Function { id, ..old[function as usize] })
        .collect();
}
