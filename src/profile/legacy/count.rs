//! Counts of stacks: Go's goroutine and threadcreate profiles as text, and those that a program
//! defines (`legacy_profile.go`, parseGoCount).

use super::lines::Lines;
use super::stacks::{Returns, Stacks, addresses};
use super::{is_blank, number, pattern, wrong};
use crate::wire::WireError;
use regex::Regex;
use std::sync::LazyLock;

static FIRST_LINE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(\S+) profile: total [0-9]+$"));

/// Whether a line is the first of such a profile, comments left aside.
pub(super) fn is_first_line(line: &str) -> bool {
    FIRST_LINE.is_match(line)
}

pub(super) fn read(lines: &mut Lines<'_>, stacks: &mut Stacks) -> Result<(), WireError> {
    static SAMPLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^([0-9]+) @((?: 0x[0-9a-f]+)+)$"));
    let start = lines.find(|(line, _)| !is_blank(line)).unwrap_or(("", 0));
    let start = FIRST_LINE.captures(start.0);
    let kind = start.map_or_else(String::new, |start| start[1].to_owned());
    stacks.set_period(&kind, "count", 1);
    stacks.set_sample_types(&[(&kind, "count")]);
    stacks.has_labels_of_comments = true;
    while let Some((line, offset)) = lines.next() {
        if is_blank(line) {
            stacks.comment(line.trim());
            continue;
        }
        if line.starts_with("---") {
            stacks.map.read_behind(line, lines)?;
            break;
        }
        let sample = SAMPLE.captures(line);
        let sample = sample.ok_or_else(|| wrong(offset, "want a count and a stack", line))?;
        let count = number(&sample[1]).ok_or_else(|| wrong(offset, "want a number", line))?;
        let stack = addresses(&sample[2], offset)?;
        stacks.sample(&stack, Returns::All, &[count], &[], offset)?;
    }
    Ok(())
}
