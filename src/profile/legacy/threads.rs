//! Stacks of the threads of a C++ program, threadz (`legacy_profile.go`, parseThread).

use super::lines::Lines;
use super::map::is_sentinel;
use super::stacks::{Returns, Stacks, addresses};
use super::{is_blank, pattern, wrong};
use crate::wire::WireError;
use regex::Regex;
use std::sync::LazyLock;

static THREAD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"--- Thread ([0-9A-Fa-f]+) \(name: (.*)/([0-9]+)\) stack: ---"));

fn is_title(line: &str) -> bool {
    static TITLE: LazyLock<Regex> = LazyLock::new(|| pattern("--- threadz [0-9]+ ---"));
    line.contains("--- threadz ") && TITLE.is_match(line)
}

fn is_thread(line: &str) -> bool {
    line.contains("--- Thread ") && THREAD.is_match(line)
}

/// Whether a line is the first of such a profile, comments left aside.
pub(super) fn is_first_line(line: &str) -> bool {
    is_title(line) || is_thread(line)
}

pub(super) fn read(lines: &mut Lines<'_>, stacks: &mut Stacks) -> Result<(), WireError> {
    stacks.set_period("thread", "count", 1);
    stacks.set_sample_types(&[("thread", "count")]);
    stacks.may_repeat_leaf = true;
    let mut next = lines.find(|(line, _)| !is_blank(line));
    if next.is_some_and(|(line, _)| is_title(line)) {
        next = lines.find(|(line, _)| is_sentinel(line) || line.starts_with('-'));
    }
    // Where the text ends without a map of the memory pprof refuses it; nothing is missing then.
    while let Some((line, offset)) = next {
        if is_sentinel(line) {
            return stacks.map.read_entries(lines);
        }
        if line.starts_with("---- no stack trace for") {
            return stacks.map.read_behind(line, lines);
        }
        if !is_thread(line) {
            return Err(wrong(offset, "want a thread", line));
        }
        next = thread(lines, stacks, offset)?;
    }
    Ok(())
}

/// Reads the lines behind that of a thread. The line behind them.
fn thread<'a>(
    lines: &mut Lines<'a>,
    stacks: &mut Stacks,
    offset: u64,
) -> Result<Option<(&'a str, u64)>, WireError> {
    let mut stack = Vec::new();
    let mut is_repeated = false;
    let next = loop {
        let Some((line, offset)) = lines.next() else { break None };
        let line = line.trim();
        if line.starts_with("---") {
            break Some((line, offset));
        }
        if line.contains("same as previous thread") {
            is_repeated = true;
        } else {
            stack.extend(addresses(line, offset)?);
        }
    };
    if !is_repeated && !stack.is_empty() {
        stacks.sample(&stack, Returns::AllButTheLeaf, &[1], &[], offset)?;
    } else if let Some(last) = stacks.profile.samples.len().checked_sub(1) {
        let count = &mut stacks.profile.samples.values_mut(last)[0];
        *count = count.wrapping_add(1);
    }
    Ok(next)
}
