//! What is allocated: Go's heap profiles as text, those of tcmalloc, and growth and fragmentation
//! of its heap (`legacy_profile.go`, parseHeap).

use super::super::labels::{Label, LabelValue};
use super::super::text::Text;
use super::lines::Lines;
use super::map::is_sentinel;
use super::stacks::{Returns, Stacks, addresses};
use super::{is_blank, pattern, wrong};
use crate::wire::WireError;
use regex::Regex;
use std::sync::LazyLock;

const COUNTS: &str = r"heap profile: *([0-9]+): *([0-9]+) *\[ *([0-9]+): *([0-9]+) *\]";

static FIRST_LINE: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"{COUNTS} *@ *(heap[_a-z0-9]*)/?([0-9]*)")));
static OTHER_FIRST_LINE: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("{COUNTS} @ (?:growth|fragmentation)z?")));

/// Whether a line is the first of such a profile.
pub(super) fn is_first_line(line: &str) -> bool {
    line.starts_with("heap profile:")
        || FIRST_LINE.is_match(line)
        || OTHER_FIRST_LINE.is_match(line)
}

/// What the first line says.
struct Header {
    /// Whether samples have what was ever allocated too.
    has_alloc: bool,
    /// Whether only some objects were taken, one in `period` bytes.
    is_sampled: bool,
    period: i64,
}

fn header(line: &str, offset: u64) -> Result<Header, WireError> {
    let refuse = |what| wrong(offset, what, line);
    let Some(start) = FIRST_LINE.captures(line) else {
        if OTHER_FIRST_LINE.is_match(line) {
            return Ok(Header { has_alloc: false, is_sampled: false, period: 1 });
        }
        return Err(refuse("want the first line of a heap profile"));
    };
    let differs = |a: usize, b: usize| start[a] != start[b] && &start[a] != "0";
    let has_alloc = differs(3, 1) || differs(4, 2);
    let rate = match &start[6] {
        "" => 0,
        rate => rate.parse::<i64>().map_err(|_| refuse("want a rate of at most 63 bits"))?,
    };
    let (is_sampled, period) = match &start[5] {
        "heapz_v2" | "heap_v2" => (true, rate),
        "heapprofile" => (false, 1),
        "heap" => (true, rate / 2),
        _ => return Err(refuse("want a heap profile of a known version")),
    };
    Ok(Header { has_alloc, is_sampled, period })
}

pub(super) fn read(lines: &mut Lines<'_>, stacks: &mut Stacks) -> Result<(), WireError> {
    static SAMPLE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"(-?[0-9]+): *(-?[0-9]+) *\[ *([0-9]+): *([0-9]+) *] @([ x0-9a-f]*)")
    });
    let (line, offset) = lines.next().unwrap_or(("", 0));
    let Header { has_alloc, is_sampled, period } = header(line, offset)?;
    stacks.set_period("space", "bytes", period);
    let all = [
        ("alloc_objects", "count"),
        ("alloc_space", "bytes"),
        ("inuse_objects", "count"),
        ("inuse_space", "bytes"),
    ];
    let in_use = [("objects", "count"), ("space", "bytes")];
    stacks.set_sample_types(if has_alloc { &all } else { &in_use });
    let bytes = stacks.profile.texts.intern("bytes");
    while let Some((line, offset)) = lines.next() {
        let line = line.trim();
        if is_blank(line) {
            stacks.comment(line);
            continue;
        }
        if is_sentinel(line) {
            stacks.map.read_entries(lines)?;
            break;
        }
        let sample = SAMPLE.captures(line);
        let sample = sample.ok_or_else(|| wrong(offset, "want a sample of a heap", line))?;
        let mut values = Vec::with_capacity(4);
        let mut block = 0;
        for (count, size) in if has_alloc { &[(3, 4), (1, 2)][..] } else { &[(1, 2)] } {
            let number = |at: usize| {
                sample[at].parse::<i64>().map_err(|_| wrong(offset, "want numbers", line))
            };
            let (count, size) = (number(*count)?, number(*size)?);
            if count == 0 && size != 0 {
                return Err(wrong(offset, "want no bytes without objects", line));
            }
            if count != 0 {
                block = size.wrapping_div(count);
            }
            let scaled = if is_sampled { unsampled(count, size, period) } else { (count, size) };
            values.extend([scaled.0, scaled.1]);
        }
        let label = Label { key: bytes, value: LabelValue::Number(block, Text::EMPTY) };
        let stack = addresses(&sample[5], offset)?;
        stacks.sample(&stack, Returns::All, &values, &[label], offset)?;
    }
    Ok(())
}

/// Estimates what a sample of a heap stands for (`legacy_profile.go`, scaleHeapSample).
pub(super) fn unsampled(count: i64, size: i64, rate: i64) -> (i64, i64) {
    if count == 0 || size == 0 {
        return (0, 0);
    }
    if rate <= 1 {
        return (count, size);
    }
    let average = size as f64 / count as f64;
    let factor = 1.0 / (1.0 - (-average / rate as f64).exp());
    ((count as f64 * factor) as i64, (size as f64 * factor) as i64)
}
