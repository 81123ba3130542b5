//! A flame graph as SVG: one that is seen without a script, and that a browser zooms, searches, and fits into its
//! window.

use super::escaped;
use super::palette::Rgb;
use crate::model::wait_kinds::package_of;
use crate::profile::units;
use std::fmt::Write;

/// A frame of the picture. Values are in the unit of the profile.
#[derive(Debug, Default)]
pub struct Frame {
    /// As it is shown.
    pub name: String,
    /// How many frames are above it.
    pub depth: usize,
    /// What is left of it, in values.
    pub start: u64,
    /// How wide it is: of each stack the greater of both sides.
    pub width: u64,
    /// What there is now.
    pub now: u64,
    /// What there was before.
    pub before: u64,
    /// Which of the states of the palette are in it, as bits; the last bit stands for others.
    pub states: u32,
}

/// A picture to be drawn.
pub struct Flame {
    /// Each frame before those that it calls, the root first.
    pub frames: Vec<Frame>,
    /// The colour of each.
    pub colors: Vec<Rgb>,
    /// What stands above, the title first.
    pub header: Vec<String>,
    /// Whether there are values of before.
    pub is_difference: bool,
    /// The unit of the values.
    pub unit: String,
    /// Whether the root is on top.
    pub is_icicle: bool,
}

/// How wide the picture is without a script, pixels.
const WIDTH: f64 = 1200.0;
const MARGIN: f64 = 10.0;
/// How high a frame is.
const ROW: f64 = 18.0;
/// How wide a letter of a frame is.
const LETTER: f64 = 7.2;
/// So many letters of a header stand on one line.
const LINE: usize = 90;

/// Draws it.
pub fn draw(flame: &Flame) -> String {
    let lines = header(&flame.header);
    let top = 40.0 + lines.len() as f64 * 17.0;
    let rows = flame.frames.iter().map(|frame| frame.depth).max().unwrap_or(0) + 1;
    let height = top + rows as f64 * ROW + MARGIN;
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\">"
    );
    let title = flame.header.first().map_or("", |title| title);
    let _ = writeln!(out, "<title>{}</title>", escaped(title));
    let _ = writeln!(out, "<style>{STYLE}</style>\n<script><![CDATA[\n{SCRIPT}]]></script>");
    let _ =
        writeln!(out, "<rect class=\"ground\" width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>");
    let _ = writeln!(
        out,
        "<text class=\"title\" x=\"{MARGIN}\" y=\"24\" font-size=\"16\">{}</text>",
        escaped(title)
    );
    for (at, line) in lines.iter().enumerate() {
        let y = 49.0 + at as f64 * 17.0;
        let _ = writeln!(
            out,
            "<text class=\"header\" x=\"{MARGIN}\" y=\"{y}\">{}</text>",
            escaped(line)
        );
    }
    let _ = writeln!(out, "<g id=\"frames\">");
    let root = flame.frames.first().map_or(0, |root| root.width);
    let scale = (WIDTH - 2.0 * MARGIN) / (root.max(1) as f64);
    for (frame, &color) in flame.frames.iter().zip(&flame.colors) {
        let row = if flame.is_icicle { frame.depth } else { rows - 1 - frame.depth };
        let y = top + row as f64 * ROW;
        let (x, width) = (MARGIN + frame.start as f64 * scale, frame.width as f64 * scale);
        let Rgb { r, g, b } = color;
        let letters = ((width - 6.0) / LETTER).max(0.0) as usize;
        let _ = writeln!(
            out,
            "<g><title>{} ({})</title><rect x=\"{x:.2}\" y=\"{y}\" width=\"{width:.2}\" height=\"{}\" fill=\"rgb({r},{g},{b})\"/><text x=\"{:.2}\" y=\"{}\">{}</text></g>",
            escaped(&frame.name),
            escaped(&value(frame, root, flame)),
            ROW - 1.0,
            x + 3.0,
            y + 13.0,
            escaped(&shortened(&frame.name, letters)),
        );
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// The lines of a header, of which long ones are broken between what they tell.
fn header(texts: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for text in texts.iter().skip(1) {
        match lines.last_mut() {
            Some(line) if line.len() + text.len() < LINE => {
                line.push_str(", ");
                line.push_str(text);
            }
            _ => lines.push(text.clone()),
        }
    }
    lines
}

/// What a frame is worth: its value, its share, and of a difference what has changed.
fn value(frame: &Frame, root: u64, flame: &Flame) -> String {
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let text = units::label(signed(frame.now), &flame.unit);
    let share = units::percentage(signed(frame.now), signed(root));
    let share = share.trim();
    if !flame.is_difference {
        return format!("{text}, {share}");
    }
    let change = units::label(signed(frame.now.abs_diff(frame.before)), &flame.unit);
    match frame.now.cmp(&frame.before) {
        std::cmp::Ordering::Greater => format!("{text}, {share}; +{change}"),
        std::cmp::Ordering::Less => format!("{text}, {share}; -{change}"),
        std::cmp::Ordering::Equal => format!("{text}, {share}; no change"),
    }
}

/// A name that fits: first the path of its package goes, then the package, then the receiver, then the end.
/// The script does the same.
fn shortened(name: &str, letters: usize) -> String {
    if letters < 2 {
        return String::new();
    }
    let fits = |text: &str| text.chars().count() <= letters;
    let package = package_of(name);
    let without_path = &name[package.rfind('/').map_or(0, |slash| slash + 1)..];
    let inside = name.get(package.len() + 1..).unwrap_or(without_path);
    let method = match inside.starts_with('(') {
        true => inside.split_once(").").map_or(inside, |(_, method)| method),
        false => inside,
    };
    let forms = [name, without_path, inside, method];
    match forms.into_iter().find(|form| fits(form)) {
        Some(form) => form.to_owned(),
        None => method.chars().take(letters - 1).chain(['…']).collect(),
    }
}

/// The themes: light colours show through on a dark ground.
const STYLE: &str = "
text { fill: #1c2128; } .header { fill: #5b6470; } .title { font-weight: 600; }
#frames g { cursor: pointer; } #frames text { pointer-events: none; }
#frames g:hover rect, #frames g:focus rect { stroke: #1c2128; stroke-width: 1.5; } #frames g:focus { outline: none; }
#frames.searching g:not(.match) { opacity: .4; }
#frames g.match rect { fill: #ffd75e; fill-opacity: 1; stroke: #b3402f; stroke-width: 1.5; } #frames g.match text { fill: #1c2128; }
#frames g.aside rect { fill-opacity: .5; }
.button { cursor: pointer; } .button rect { fill: #f1f3f6; stroke: #c3c9d1; } .button:hover rect { stroke: #5b6470; }
@media (prefers-color-scheme: dark) {
  .ground { fill: #1c2027; } text { fill: #eef1f5; } .header { fill: #98a3b1; }
  #frames rect { fill-opacity: .4; } #frames g.aside rect { fill-opacity: .2; }
  #frames g:hover rect, #frames g:focus rect { stroke: #eef1f5; }
  .button rect { fill: #252b34; stroke: #4a535f; }
}
";

const SCRIPT: &str = include_str!("flame.js");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_shorter_from_the_side_of_the_package() {
        let name = "net/http.(*conn).serve";
        for (letters, want) in [
            (30, name),
            (21, "http.(*conn).serve"),
            (14, "(*conn).serve"),
            (5, "serve"),
            (4, "ser…"),
            (1, ""),
        ] {
            assert_eq!(shortened(name, letters), want, "{letters}");
        }
        for name in ["", "é", "main", "a/b/", "x.", "[...].f", "a.(b"] {
            (0..8).for_each(|letters| assert!(shortened(name, letters).chars().count() <= letters));
        }
    }
}
