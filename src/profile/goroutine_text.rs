//! The stacks of all goroutines as text: `/debug/pprof/goroutine?debug=2`, and what a crash prints.
//!
//! Comes in: the text. Goes out: a profile with a sample for each distinct stack, and the state of its
//! goroutines as a label. pprof does not read this form; it is how Go 1.27
//! `runtime/traceback.go`, goroutineheader and traceback, print goroutines.

use super::builder::{Builder, Frame};
use super::model::Profile;
use regex::Regex;
use std::sync::LazyLock;

/// `goroutine 7 gp=0xc000 m=nil [chan receive, 12 minutes, locked to thread]:`
static FIRST_LINE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"^goroutine [0-9]+ (?:[^\[]*)\[([^\],]*)(?:, ([0-9]+) minutes)?[^\]]*\]:$";
    Regex::new(pattern).expect("the pattern is right")
});

/// Whether a line begins the stack of a goroutine.
pub fn is_first_line(line: &str) -> bool {
    FIRST_LINE.is_match(line)
}

/// Reads the stacks of all goroutines.
pub fn read(text: &str) -> Profile {
    let mut builder = Builder::new(&[("goroutine", "count")]);
    builder.period("goroutine", "count", 1);
    let mut stack = Vec::new();
    let mut state: Option<(String, i64)> = None;
    let mut function: Option<String> = None;
    for line in text.lines().chain([""]) {
        let start = FIRST_LINE.captures(line);
        if (start.is_some() || line.trim().is_empty())
            && let Some((state, minutes)) = state.take()
        {
            let waiting = [("wait", minutes, "minutes")];
            let numbers = if minutes == 0 { &[][..] } else { &waiting };
            let labels = builder.labels(&[("state", &state)], numbers);
            builder.add(&stack, labels, &[1]);
        }
        if let Some(found) = start {
            let minutes = found.get(2).and_then(|minutes| minutes.as_str().parse().ok());
            state = Some((found[1].to_owned(), minutes.unwrap_or(0)));
            stack.clear();
        } else if line.starts_with("...") && line.ends_with("elided...") {
            // The runtime prints a hundred frames of a stack.
            stack.push(builder.frame(&Frame { function: line, file: "", line: 0, pc: 0 }));
        } else if let Some(at) = line.strip_prefix('\t') {
            let at = at.split(" +0x").next().unwrap_or(at);
            let (file, number) = at.rsplit_once(':').unwrap_or((at, "0"));
            if let Some(function) = function.take() {
                let line = number.parse().unwrap_or(0);
                stack.push(builder.frame(&Frame { function: &function, file, line, pc: 0 }));
            }
        } else if !line.starts_with("created by ") {
            function = Some(without_arguments(line).to_owned());
        } else {
            function = None;
        }
    }
    builder.finish()
}

/// `main.(*T).do(0x1, {0x2, 0x3})` without what is in the last brackets.
fn without_arguments(call: &str) -> &str {
    let mut depth = 0;
    for (at, letter) in call.char_indices().rev() {
        match letter {
            ')' => depth += 1,
            '(' => {
                depth -= 1;
                if depth == 0 {
                    return &call[..at];
                }
            }
            _ if depth == 0 => return call,
            _ => {}
        }
    }
    call
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_told_from_receivers() {
        assert_eq!(without_arguments("main.(*T).do(0x1, {0x2})"), "main.(*T).do");
        assert_eq!(without_arguments("main.main()"), "main.main");
        assert_eq!(without_arguments("main.f"), "main.f");
    }

    #[test]
    fn each_goroutine_counts_and_what_is_elided_is_seen() {
        let text = "goroutine 1 [running]:\nmain.f(0x1)\n\t/a/b.go:7 +0x1\n...additional frames elided...\n\
            goroutine 2 [select, 3 minutes]:\nmain.g()\n\t/a/b.go:9 +0x1\ncreated by main.main\n\t/a/b.go:2";
        let profile = read(text);
        assert_eq!(profile.samples.len(), 2);
        assert_eq!(profile.samples.stack(0).len(), 2);
        assert_eq!(profile.samples.stack(1).len(), 1);
        assert_eq!(profile.labels(1).len(), 2);
    }
}
