//! Waits for locks: Go's mutex and block profiles as text, and contention of C++ programs
//! (`legacy_profile.go`, parseContention).

use super::lines::Lines;
use super::stacks::{Returns, Stacks, addresses};
use super::{is_blank, number, pattern, wrong};
use crate::wire::WireError;
use regex::Regex;
use std::sync::LazyLock;

pub(super) fn read(lines: &mut Lines<'_>, stacks: &mut Stacks) -> Result<(), WireError> {
    static SAMPLE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"([0-9]+) *([0-9]+) @([ x0-9a-f]*)"));
    lines.next();
    stacks.set_period("contentions", "count", 1);
    stacks.set_sample_types(&[("contentions", "count"), ("delay", "nanoseconds")]);
    let mut hertz = 0i64;
    let mut is_in_samples = false;
    while let Some((line, offset)) = lines.next() {
        let line = line.trim();
        if is_blank(line) {
            stacks.comment(line);
            continue;
        }
        if line.starts_with("---") {
            stacks.map.read_behind(line, lines)?;
            break;
        }
        if let (Some((key, value)), false) = (line.split_once('='), is_in_samples) {
            attribute(key.trim(), value.trim(), stacks, &mut hertz)
                .ok_or_else(|| wrong(offset, "want an attribute of a contention profile", line))?;
            continue;
        }
        is_in_samples = true;
        let sample = SAMPLE.captures(line);
        let sample = sample.ok_or_else(|| wrong(offset, "want a sample of contention", line))?;
        let value =
            |at: usize| sample[at].parse::<i64>().map_err(|_| wrong(offset, "want numbers", line));
        let (mut delay, mut count) = (value(1)?, value(2)?);
        let period = stacks.profile.period;
        if period > 0 {
            if hertz > 0 {
                delay = (delay as f64 * period as f64 / (hertz as f64 / 1e9)) as i64;
            }
            count = count.wrapping_mul(period);
        }
        let stack = addresses(&sample[3], offset)?;
        stacks.sample(&stack, Returns::All, &[count, delay], &[], offset)?;
    }
    Ok(())
}

fn attribute(key: &str, value: &str, stacks: &mut Stacks, hertz: &mut i64) -> Option<()> {
    match key {
        "cycles/second" => *hertz = number(value)?,
        "sampling period" => stacks.profile.period = number(value)?,
        "ms since reset" => {
            stacks.profile.duration_nanos = number(value)?.wrapping_mul(1_000_000);
        }
        "discarded samples" => {}
        _ => return None,
    }
    Some(())
}
