//! Flame graphs.
//!
//! The drawing is inferno's. It colours a frame by its name; marks at the end of a name (`_[k]`), which
//! it does not show, give frames of one name different colours. A difference has two numbers a line, of which
//! it takes the second for the width and second minus first for the colour.

use super::palette::{self, Rgb};
use super::{PictureError, shown};
use crate::model::wait_kinds::package_of;
use crate::profile::{BASE_LABEL, Report};
use inferno::flamegraph::color::{BackgroundColor, Color, PaletteMap};
use inferno::flamegraph::{self, Direction, Options};
use rustc_hash::FxHashMap;
use std::io::Write;

/// What the colours of a flame graph tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorBy {
    /// Functions: equal names have equal colours
    #[default]
    Function,
    /// Packages; the runtime is grey
    Package,
    /// What the goroutine did, which is added as a last frame: profiles of traces have it
    State,
}

/// How to draw a flame graph.
#[derive(Debug, Clone)]
pub struct FlameOptions {
    /// What colours tell. A difference has colours of its own.
    pub color_by: ColorBy,
    /// The root on top.
    pub is_icicle: bool,
    /// What stands above; what the profile calls itself if `None`.
    pub title: Option<String>,
}

impl Default for FlameOptions {
    fn default() -> Self {
        FlameOptions { color_by: ColorBy::default(), is_icicle: true, title: None }
    }
}

/// More than this is scaled down, since inferno adds up without looking.
const MAX_WIDTH: u128 = 1 << 53;

/// The mark of each state, in the order of [`palette::STATES`].
const MARKS: [&str; 4] = ["_[k]", "_[w]", "_[i]", "_[j]"];

/// Draws a flame graph, as wide as the total.
///
/// # Errors
/// If nothing is left to draw, if states are asked for and samples have none, or if `out` fails.
pub fn flame(
    report: &mut Report,
    how: &FlameOptions,
    out: &mut impl Write,
) -> Result<(), PictureError> {
    let header: Vec<String> = report.profile_labels();
    let mut subtitle = header.get(1..).unwrap_or_default().to_vec();
    let mut map = PaletteMap::default();
    let mut options = Options::default();
    let both = report.folded_by(BASE_LABEL);
    if both.is_empty() {
        return Err(PictureError::Unfit("no samples are left to draw".into()));
    }
    let is_difference = both.iter().any(|(_, _, value)| *value < 0);
    let mut lines = match how.color_by {
        _ if is_difference => {
            subtitle.push("red: more, blue: less than before".into());
            differences(both)
        }
        ColorBy::Function => {
            // Equal names get equal colours, in every picture.
            options.hash = true;
            report.folded().into_iter().map(|(stack, value)| (stack, 0, value as u64)).collect()
        }
        ColorBy::Package => {
            let folded = report.folded();
            for name in folded.iter().flat_map(|(stack, _)| stack.split(';')) {
                map.insert(frame_text(name), color(palette::package(package_of(name))));
            }
            folded.into_iter().map(|(stack, value)| (stack, 0, value as u64)).collect()
        }
        ColorBy::State => {
            subtitle.push(
                palette::STATES.map(|one| format!("{}: {}", one.color_name, one.state)).join(", "),
            );
            by_state(report.folded_by("state"), &mut map)?
        }
    };
    if how.color_by != ColorBy::Function {
        map.insert("", color(palette::GREY));
        options.palette_map = Some(&mut map);
    }
    options.factor = scale_down(&mut lines);
    lines.sort();
    let lines: Vec<String> = (lines.into_iter())
        .map(|(stack, base, value)| (frame_text(&stack), base, value))
        .map(|(stack, base, value)| match is_difference {
            true => format!("{stack} {base} {value}"),
            false => format!("{stack} {value}"),
        })
        .collect();
    let kind = report.sample_type();
    options.title = match (&how.title, header.iter().find_map(|line| line.strip_prefix("File: "))) {
        (Some(title), _) => shown(title).into_owned(),
        (None, Some(program)) => frame_text(&format!("{program}: {kind}")),
        (None, None) => frame_text(kind),
    };
    options.subtitle = Some(frame_text(&subtitle.join(", "))).filter(|text| !text.is_empty());
    options.count_name = frame_text(report.sample_unit());
    options.bgcolors = Some(BackgroundColor::Flat(color(palette::GROUND)));
    options.direction = if how.is_icicle { Direction::Inverted } else { Direction::Straight };
    let mut picture = Vec::new();
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut picture)?;
    let picture = String::from_utf8_lossy(&picture);
    out.write_all(with_units(&picture, report.sample_unit()).as_bytes())?;
    Ok(())
}

/// The picture with values as pprof shows them, `280ms` in place of `280,000,000 nanoseconds`.
fn with_units(picture: &str, unit: &str) -> String {
    const END: &str = "</title>";
    let mut out = String::with_capacity(picture.len());
    for part in picture.split_inclusive(END) {
        // The last brackets of a title; a name before them may hold anything.
        let value = part.strip_suffix(END).and_then(|_| part.rfind('(')).map(|at| at + 1);
        let label = value.and_then(|at| {
            // Commas stand between the digits of a number, too.
            let number = part[at..].split(' ').next()?;
            let rest =
                part[at + number.len()..].strip_prefix(' ')?.strip_prefix(&*frame_text(unit))?;
            let number: i64 = number.replace(',', "").parse().ok()?;
            let label = crate::profile::units::label(number, unit);
            rest.starts_with([',', ')']).then_some((at, label, rest))
        });
        match label {
            Some((at, label, rest)) => out.extend([&part[..at], &label, rest]),
            None => out.push_str(part),
        }
    }
    out
}

/// A text as inferno takes it: on one line, and of letters that XML allows.
fn frame_text(text: &str) -> String {
    shown(text).replace('\n', "\\n")
}

/// A stack with the two numbers of its line.
type Line = (String, u64, u64);

/// What was there before and is there now: as wide as the larger one, so that what is gone shows.
fn differences(stacks: Vec<(String, String, i64)>) -> Vec<Line> {
    let mut sums: FxHashMap<String, (u64, u64)> = FxHashMap::default();
    for (stack, _, value) in stacks {
        let (before, now) = sums.entry(stack).or_default();
        let side = if value < 0 { before } else { now };
        *side = side.saturating_add(value.unsigned_abs());
    }
    // Half of the numbers' range each, so that the first may be twice what the other is.
    let halved = |value: u64| value.min(i64::MAX as u64 / 2);
    let line = |(stack, (before, now)): (String, (u64, u64))| {
        let (before, now) = (halved(before), halved(now));
        let width = before.max(now);
        (stack, width + before - now, width)
    };
    sums.into_iter().map(line).collect()
}

/// Each stack with its state as a last frame, and marks on frames below which there is only one.
fn by_state(
    stacks: Vec<(String, String, i64)>,
    map: &mut PaletteMap,
) -> Result<Vec<Line>, PictureError> {
    if stacks.iter().all(|(_, state, _)| state.is_empty()) {
        return Err(PictureError::Unfit(
            "--color-by state: no sample has the label state; profiles of traces have it".into(),
        ));
    }
    let with_state = |(stack, state, value): (String, String, i64)| match state.is_empty() {
        true => (stack, value as u64),
        false => (format!("{stack};{state}"), value as u64),
    };
    let states: Vec<u32> = stacks
        .iter()
        .map(|(_, state, _)| {
            palette::STATES.iter().position(|known| known.state == state).unwrap_or(31) as u32
        })
        .collect();
    let stacks: Vec<(String, u64)> = stacks.into_iter().map(with_state).collect();
    // The frames as a tree: the number of each by its parent's and its name, and the states below.
    let mut numbers: FxHashMap<(usize, &str), usize> = FxHashMap::default();
    let mut below = vec![0u32];
    for ((stack, _), state) in stacks.iter().zip(&states) {
        let mut at = 0;
        for name in stack.split(';') {
            let new = below.len();
            at = *numbers.entry((at, name)).or_insert(new);
            if at == new {
                below.push(0);
            }
            below[at] |= 1 << state;
        }
    }
    let mut lines = Vec::with_capacity(stacks.len());
    for (stack, value) in &stacks {
        let mut at = 0;
        let mut marked = String::with_capacity(stack.len() * 2);
        for name in stack.split(';') {
            at = numbers[&(at, name)];
            let only = (0..MARKS.len()).find(|state| below[at] == 1 << state);
            let start = marked.len();
            marked.push_str(name);
            marked.push_str(only.map_or("", |state| MARKS[state]));
            let rgb = only.map_or(palette::GREY, |state| palette::STATES[state].fill);
            map.insert(frame_text(&marked[start..]), color(rgb));
            marked.push(';');
        }
        marked.pop();
        lines.push((marked, 0, *value));
    }
    Ok(lines)
}

/// Makes numbers small enough to be added up; returns by what to multiply them.
fn scale_down(lines: &mut Vec<Line>) -> f64 {
    let total: u128 = lines.iter().map(|(_, base, value)| u128::from(*base.max(value))).sum();
    let shift = (128 - (total / MAX_WIDTH).leading_zeros()).min(63);
    if shift > 0 {
        for (_, base, value) in lines.iter_mut() {
            (*base, *value) = (*base >> shift, *value >> shift);
        }
        lines.retain(|(_, _, value)| *value > 0);
    }
    (1u64 << shift) as f64
}

fn color(rgb: Rgb) -> Color {
    Color { r: rgb.r, g: rgb.g, b: rgb.b }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stacks(rows: &[(&str, &str, i64)]) -> Vec<(String, String, i64)> {
        rows.iter().map(|&(stack, label, value)| (stack.into(), label.into(), value)).collect()
    }

    #[test]
    fn a_difference_is_as_wide_as_the_larger_side_and_its_colour_is_the_change() {
        let rows =
            [("a;gone", "true", -7), ("a;less", "", 2), ("a;less", "true", -5), ("a;new", "", 3)];
        let mut lines = differences(stacks(&rows));
        lines.sort();
        let shown: Vec<(u64, i64)> =
            lines.iter().map(|(_, base, width)| (*width, *width as i64 - *base as i64)).collect();
        assert_eq!(shown, [(7, -7), (5, -3), (3, 3)]);
    }

    #[test]
    fn frames_with_one_state_below_have_its_mark_and_others_none() {
        let rows = [("f;g", "running", 4), ("f;g", "waiting", 1), ("f;h", "waiting", 2)];
        let mut map = PaletteMap::default();
        let lines = by_state(stacks(&rows), &mut map).unwrap();
        let marked: Vec<&str> = lines.iter().map(|line| line.0.as_str()).collect();
        assert_eq!(marked, ["f;g;running_[k]", "f;g;waiting_[i]", "f;h_[i];waiting_[i]"]);
        assert_eq!(map.get("f"), Some(color(palette::GREY)));
        assert_eq!(map.get("h_[i]"), Some(color(palette::STATES[2].fill)));
        assert!(by_state(stacks(&[("f", "", 1)]), &mut map).is_err());
    }

    #[test]
    fn numbers_of_any_size_can_be_added_up() {
        let mut lines = differences(stacks(&[("a", "", i64::MIN), ("b", "", i64::MAX)]));
        let factor = scale_down(&mut lines);
        assert!(factor > 1.0 && lines.iter().all(|line| line.1 < 1 << 54 && line.2 < 1 << 54));
        assert_eq!(scale_down(&mut vec![("a".into(), 0, 5)]), 1.0);
    }
}
