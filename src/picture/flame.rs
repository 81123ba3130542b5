//! Flame graphs: what they are drawn of, and the colours of their frames.
//!
//! A difference has two sides, what was there before and what is there now; a stack is as wide as the greater, so
//! that what is gone shows.

use super::flame_svg::{Flame, Frame, draw};
use super::palette::{self, Rgb};
use super::{PictureError, shown};
use crate::model::wait_kinds::package_of;
use crate::profile::{BASE_LABEL, Report};
use std::collections::BTreeMap;
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

/// Narrower frames than this part of all are not drawn.
const NARROWEST: u64 = 10_000;

/// A state that is none of [`palette::STATES`].
const OTHER: u32 = 1 << 31;

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
    let both = report.folded_by(BASE_LABEL);
    if both.is_empty() {
        return Err(PictureError::Unfit("no samples are left to draw".into()));
    }
    let is_difference = both.iter().any(|(_, _, value)| *value < 0);
    let mut lines = header.get(1..).unwrap_or_default().to_vec();
    let mut tree = Node::default();
    if is_difference {
        lines.push("red: more, blue: less than before".into());
        both.iter().for_each(|(stack, _, value)| tree.add(stack.split(';'), *value, 0));
    } else if how.color_by == ColorBy::State {
        let states = palette::STATES.map(|one| format!("{}: {}", one.color_name, one.state));
        lines.push(states.join(", "));
        by_state(&mut tree, &report.folded_by("state"))?;
    } else {
        report.folded().iter().for_each(|(stack, value)| tree.add(stack.split(';'), *value, 0));
    }
    let frames = tree.into_frames();
    let color = |frame: &Frame| match how.color_by {
        _ if frame.depth == 0 => palette::GREY,
        _ if is_difference => change(frame),
        ColorBy::Function => function(&frame.name),
        ColorBy::Package => palette::package(package_of(&frame.name)),
        ColorBy::State => state(frame.states),
    };
    let colors = frames.iter().map(color).collect();
    let kind = report.sample_type();
    let program = header.iter().find_map(|line| line.strip_prefix("File: "));
    let title = match (&how.title, program) {
        (Some(title), _) => title.clone(),
        (None, Some(program)) => format!("{program}: {kind}"),
        (None, None) => kind.to_owned(),
    };
    let header = [vec![title], lines].concat().iter().map(|line| frame_text(line)).collect();
    let unit = report.sample_unit().to_owned();
    let picture = Flame { frames, colors, header, is_difference, unit, is_icicle: how.is_icicle };
    Ok(out.write_all(draw(&picture).as_bytes())?)
}

/// A text on one line, of letters that XML allows.
fn frame_text(text: &str) -> String {
    shown(text).replace('\n', "\\n")
}

/// A frame with what it calls, by name.
#[derive(Default)]
struct Node {
    now: u64,
    before: u64,
    states: u32,
    children: BTreeMap<String, Node>,
}

impl Node {
    /// Adds a stack, from the root on; what is less than nothing was there before.
    fn add<'a>(&mut self, stack: impl Iterator<Item = &'a str>, value: i64, states: u32) {
        let mut at = self;
        at.states |= states;
        for name in stack {
            if !at.children.contains_key(name) {
                at.children.insert(name.to_owned(), Node::default());
            }
            at = at.children.get_mut(name).expect("it is there");
            at.states |= states;
        }
        let side = if value < 0 { &mut at.before } else { &mut at.now };
        *side = side.saturating_add(value.unsigned_abs());
    }

    /// The frames in order. No frame is deeper in memory than in the picture, so nothing here calls itself.
    fn into_frames(self) -> Vec<Frame> {
        let mut frames: Vec<Frame> = Vec::new();
        let mut parents: Vec<usize> = Vec::new();
        let mut waiting = vec![("all".to_owned(), self, 0, 0)];
        while let Some((name, node, parent, depth)) = waiting.pop() {
            let number = frames.len();
            let Node { now, before, states, children } = node;
            let width = now.max(before);
            let name = frame_text(&name);
            frames.push(Frame { name, depth, start: 0, width, now, before, states });
            parents.push(parent);
            let below = children.into_iter().rev();
            waiting.extend(below.map(|(name, child)| (name, child, number, depth + 1)));
        }
        for at in (1..frames.len()).rev() {
            let Frame { width, now, before, .. } = frames[at];
            let parent = &mut frames[parents[at]];
            parent.width = parent.width.saturating_add(width);
            parent.now = parent.now.saturating_add(now);
            parent.before = parent.before.saturating_add(before);
        }
        // Where the next child of each frame begins.
        let mut next = vec![0u64; frames.len()];
        for at in 1..frames.len() {
            let parent = parents[at];
            let start = next[parent];
            next[parent] = start.saturating_add(frames[at].width);
            frames[at].start = start;
            next[at] = start;
        }
        let narrowest = (frames[0].width / NARROWEST).max(1);
        frames.retain(|frame| frame.width >= narrowest);
        frames
    }
}

/// Adds each stack with its state as a last frame.
fn by_state(tree: &mut Node, stacks: &[(String, String, i64)]) -> Result<(), PictureError> {
    if stacks.iter().all(|(_, state, _)| state.is_empty()) {
        return Err(PictureError::Unfit(
            "--color-by state: no sample has the label state; profiles of traces have it".into(),
        ));
    }
    for (stack, state, value) in stacks {
        let known = palette::STATES.iter().position(|known| known.state == state);
        let last = Some(state.as_str()).filter(|state| !state.is_empty());
        tree.add(stack.split(';').chain(last), *value, known.map_or(OTHER, |at| 1 << at));
    }
    Ok(())
}

/// The colour of a frame in which there is only one state; grey for several.
fn state(states: u32) -> Rgb {
    let only = palette::STATES.iter().enumerate().find(|(at, _)| states == 1 << at);
    only.map_or(palette::GREY, |(_, one)| one.fill)
}

/// The colour of its package, a little darker or lighter: equal names have equal colours.
fn function(name: &str) -> Rgb {
    let hash = name.bytes().fold(7u32, |hash, byte| hash.wrapping_mul(31) ^ u32::from(byte));
    let part = 88 + (hash >> 3) % 13;
    let darker = |channel: u8| (u32::from(channel) * part / 100) as u8;
    let Rgb { r, g, b } = palette::package(package_of(name));
    Rgb { r: darker(r), g: darker(g), b: darker(b) }
}

/// Red for what has become more, blue for less; the more, the stronger.
fn change(frame: &Frame) -> Rgb {
    let difference = frame.now.abs_diff(frame.before) as f64 / frame.width.max(1) as f64;
    let fade = |strong: f64| (232.0 - (232.0 - strong) * difference.min(1.0)) as u8;
    match frame.now.cmp(&frame.before) {
        std::cmp::Ordering::Greater => Rgb { r: fade(236.0), g: fade(110.0), b: fade(110.0) },
        std::cmp::Ordering::Less => Rgb { r: fade(110.0), g: fade(150.0), b: fade(240.0) },
        std::cmp::Ordering::Equal => Rgb { r: 232, g: 232, b: 232 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(stacks: &[(&str, i64)]) -> Vec<Frame> {
        let mut tree = Node::default();
        stacks.iter().for_each(|(stack, value)| tree.add(stack.split(';'), *value, 0));
        tree.into_frames()
    }

    #[test]
    fn a_difference_is_as_wide_as_the_larger_side_and_its_colour_is_the_change() {
        let all = frames(&[("a;gone", -7), ("a;less", 2), ("a;less", -5), ("a;new", 3)]);
        let shown: Vec<_> =
            all.iter().map(|one| (&*one.name, one.start, one.width, one.now, one.before)).collect();
        let want = [
            ("all", 0, 15, 5, 12),
            ("a", 0, 15, 5, 12),
            ("gone", 0, 7, 0, 7),
            ("less", 7, 5, 2, 5),
            ("new", 12, 3, 3, 0),
        ];
        assert_eq!(shown, want);
        let (less, more) = (change(&all[3]), change(&all[4]));
        assert!(less.b > less.r && more.r > more.b);
    }

    #[test]
    fn frames_with_one_state_have_its_colour_and_others_are_grey() {
        let rows = [("f;g", "running", 4), ("f;g", "waiting", 1), ("f;h", "waiting", 2)];
        let rows = rows.map(|(stack, label, value)| (stack.to_owned(), label.to_owned(), value));
        let mut tree = Node::default();
        by_state(&mut tree, &rows).unwrap();
        let (running, waiting) = (palette::STATES[0].fill, palette::STATES[2].fill);
        let shown: Vec<(String, Rgb)> =
            tree.into_frames().into_iter().map(|one| (one.name, state(one.states))).collect();
        let want = [
            ("all", palette::GREY),
            ("f", palette::GREY),
            ("g", palette::GREY),
            ("running", running),
            ("waiting", waiting),
            ("h", waiting),
            ("waiting", waiting),
        ];
        assert_eq!(shown, want.map(|(name, color)| (name.to_owned(), color)));
        assert!(by_state(&mut Node::default(), &[("f".into(), String::new(), 1)]).is_err());
    }

    #[test]
    fn numbers_of_any_size_and_stacks_of_any_depth_can_be_drawn() {
        let all = frames(&[("a", i64::MIN), ("b", i64::MAX), ("c", 5)]);
        assert_eq!((all.len(), all[0].width), (3, u64::MAX));
        let deep = vec!["f"; 200_000].join(";");
        assert_eq!(frames(&[(&deep, 1)]).len(), 200_001);
    }
}
