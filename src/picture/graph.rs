//! The graph of calls as SVG, without graphviz: the sizes, colours, widths and dots of pprof's
//! pictures. It can be moved with the mouse and the wheel.

use super::layers::{Bend, Input, place};
use super::{PictureError, escaped, palette};
use crate::profile::{Dot, DotEdge, DotNode};
use std::collections::HashMap;
use std::fmt::Write;

/// Width of a letter, as a part of the size of letters: of a common sans-serif, on the safe side.
const LETTER_WIDTH: f64 = 0.58;
const LINE_HEIGHT: f64 = 1.2;
const PADDING: f64 = 7.0;
const LABEL_SIZE: f64 = 11.0;
const MARGIN: f64 = 16.0;

/// Lines of a text that is escaped for graphviz.
fn lines(label: &str) -> Vec<String> {
    label
        .trim_end_matches("\\n")
        .split("\\n")
        .map(|line| line.replace("\\\"", "\"").replace("\\\\", "\\").trim().to_owned())
        .collect()
}

fn size_of(lines: &[String], letter: f64) -> (f64, f64) {
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    (longest as f64 * letter * LETTER_WIDTH, lines.len() as f64 * letter * LINE_HEIGHT)
}

/// Draws the graph.
///
/// # Errors
/// If it has too many boxes and edges for a picture.
pub fn graph(dot: &Dot) -> Result<String, PictureError> {
    let numbers: HashMap<&str, usize> =
        dot.nodes.iter().enumerate().map(|(at, node)| (&*node.id, at)).collect();
    let texts: Vec<Vec<String>> = dot.nodes.iter().map(|node| lines(&node.label)).collect();
    let boxes: Vec<(f64, f64)> = dot
        .nodes
        .iter()
        .zip(&texts)
        .map(|(node, text)| {
            let (width, height) = size_of(text, node.font_size as f64);
            (width + 2.0 * PADDING, height + 2.0 * PADDING)
        })
        .collect();
    let ties = dot.nodes.iter().filter_map(|node| node.tie.as_ref());
    let edges: Vec<(&DotEdge, usize, usize)> = dot
        .edges
        .iter()
        .chain(ties)
        // An end that is not shown has no box: its value cancelled out.
        .filter_map(|edge| Some((edge, *numbers.get(&*edge.from)?, *numbers.get(&*edge.to)?)))
        .filter(|(_, from, to)| from != to)
        .collect();
    let labels: Vec<Vec<String>> = edges.iter().map(|(edge, _, _)| lines(&edge.label)).collect();
    let input = Input {
        edges: edges
            .iter()
            .zip(&labels)
            .map(|((edge, from, to), label)| {
                let (width, height) = size_of(label, LABEL_SIZE);
                // Beside half of the line, whose middle the layout knows.
                (*from, *to, (width + edge.pen_width as f64 / 2.0, height))
            })
            .collect(),
        boxes,
    };
    let placed = place(&input).ok_or_else(|| {
        PictureError::Unfit(format!(
            "{} boxes are too many for a picture; use --nodecount or --focus",
            dot.nodes.len()
        ))
    })?;
    let mut drawing = Drawing { out: String::new() };
    let legend: Vec<String> =
        dot.legend.iter().flat_map(|line| line.split('\n')).map(String::from).collect();
    let (legend_width, legend_height) = size_of(&legend, 14.0);
    let top = legend_height + 2.0 * PADDING + 24.0;
    let width = placed.size.0.max(legend_width + 2.0 * PADDING) + 2.0 * MARGIN;
    let height = placed.size.1 + top + 2.0 * MARGIN;
    drawing.begin(&dot.title, width, height);
    drawing.legend(&legend, legend_width, legend_height);
    // Below the legend, in the middle.
    let left = (width - placed.size.0) / 2.0;
    let shifted = |(x, y): (f64, f64)| (x + left, y + top + MARGIN);
    for (index, (edge, from, to)) in edges.iter().enumerate() {
        let move_bend = |bend: &Bend| {
            let (x, y) = shifted((bend.x, bend.y));
            Bend { x, y, ..*bend }
        };
        let way: Vec<Bend> = placed.ways[index].iter().map(move_bend).collect();
        drawing.edge(edge, way, input.boxes[*from].1, input.boxes[*to].1);
    }
    for (index, (edge, _, _)) in edges.iter().enumerate() {
        let (x, y) = shifted(placed.labels[index]);
        let at = (x + edge.pen_width as f64 / 4.0, y);
        drawing.edge_label(&labels[index], at, &edge.tooltip);
    }
    for (index, node) in dot.nodes.iter().enumerate() {
        drawing.node(node, &texts[index], shifted(placed.boxes[index]), input.boxes[index]);
    }
    drawing.out.push_str("</g>\n</svg>\n");
    Ok(drawing.out)
}

struct Drawing {
    out: String,
}

// Writing to a String does not fail.
impl Drawing {
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(text);
        self.out.push('\n');
    }

    fn begin(&mut self, title: &str, width: f64, height: f64) {
        let title = escaped(if title.is_empty() { "profile" } else { title });
        self.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"Helvetica, Arial, sans-serif\">"
        ));
        self.put(format_args!("<title>{title}</title>"));
        self.put(format_args!("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>"));
        self.out.push_str(SCRIPT);
        self.put(format_args!("<g id=\"view\">"));
    }

    fn legend(&mut self, lines: &[String], width: f64, height: f64) {
        let (width, height) = (width + 2.0 * PADDING, height + 2.0 * PADDING);
        self.put(format_args!(
            "<rect x=\"{MARGIN}\" y=\"{MARGIN}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"#f8f8f8\" stroke=\"#999999\"/>"
        ));
        for (at, line) in lines.iter().enumerate() {
            let y = MARGIN + PADDING + (at as f64 + 0.8) * 14.0 * LINE_HEIGHT;
            self.put(format_args!(
                "<text x=\"{:.1}\" y=\"{y:.1}\" font-size=\"14\">{}</text>",
                MARGIN + PADDING,
                escaped(line)
            ));
        }
    }

    fn node(&mut self, node: &DotNode, lines: &[String], at: (f64, f64), size: (f64, f64)) {
        let (x, y) = (at.0 - size.0 / 2.0, at.1 - size.1 / 2.0);
        let (frame, ground) = match &node.colors {
            Some((frame, ground)) => (frame.as_str(), ground.as_str()),
            None => (palette::INK, palette::BOX),
        };
        let radius = if node.colors.is_none() { 5 } else { 0 };
        let tooltip = escaped(&plain(&node.tooltip));
        self.put(format_args!(
            "<g><title>{tooltip}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{radius}\" fill=\"{ground}\" stroke=\"{frame}\"/>",
            size.0, size.1
        ));
        let letter = node.font_size as f64;
        for (index, line) in lines.iter().enumerate() {
            let y = y + PADDING + (index as f64 + 0.85) * letter * LINE_HEIGHT;
            self.put(format_args!(
                "<text x=\"{:.1}\" y=\"{y:.1}\" font-size=\"{letter}\" text-anchor=\"middle\">{}</text>",
                at.0,
                escaped(line)
            ));
        }
        self.put(format_args!("</g>"));
    }

    /// A smooth way through the bends, and an arrow head at its end.
    fn edge(&mut self, edge: &DotEdge, mut way: Vec<Bend>, from_height: f64, to_height: f64) {
        let last = way.len() - 1;
        let direction = if way[last].y > way[0].y { 1.0 } else { -1.0 };
        let width = edge.pen_width as f64;
        let head = 7.0 + 1.5 * width;
        way[0].y += direction * from_height / 2.0;
        way[last].y -= direction * (to_height / 2.0 + head);
        let slopes = slopes(&way);
        let mut path = format!("M{:.1},{:.1}", way[0].x, way[0].y);
        for (pair, slopes) in way.windows(2).zip(slopes.windows(2)) {
            let third = (pair[1].y - pair[0].y) / 3.0;
            let (x1, y1) = (pair[0].x + slopes[0] * third, pair[0].y + third);
            let (x2, y2) = (pair[1].x - slopes[1] * third, pair[1].y - third);
            let (x, y) = (pair[1].x, pair[1].y);
            let _ = write!(path, " C{x1:.1},{y1:.1} {x2:.1},{y2:.1} {x:.1},{y:.1}");
        }
        let color = edge.color.as_deref().unwrap_or(palette::INK);
        let dots = if edge.is_dotted { " stroke-dasharray=\"2,4\"" } else { "" };
        let (x, y) = (way[last].x, way[last].y);
        let (tip, half) = (y + direction * head, 3.0 + width);
        self.put(format_args!(
            "<g><title>{}</title><path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\"{dots}/><path d=\"M{x:.1},{tip:.1} L{:.1},{y:.1} L{:.1},{y:.1} Z\" fill=\"{color}\"/></g>",
            escaped(&plain(&edge.tooltip)),
            x - half,
            x + half,
        ));
    }

    fn edge_label(&mut self, lines: &[String], at: (f64, f64), tooltip: &str) {
        let (_, height) = size_of(lines, LABEL_SIZE);
        // A light rim keeps the text readable where a line passes behind it.
        self.put(format_args!(
            "<g fill=\"#000000\" stroke=\"#ffffff\" stroke-width=\"3\" stroke-opacity=\"0.85\" paint-order=\"stroke\"><title>{}</title>",
            escaped(&plain(tooltip))
        ));
        for (index, line) in lines.iter().enumerate() {
            let y = at.1 - height / 2.0 + (index as f64 + 0.8) * LABEL_SIZE * LINE_HEIGHT;
            self.put(format_args!(
                "<text x=\"{:.1}\" y=\"{y:.1}\" font-size=\"{LABEL_SIZE}\" text-anchor=\"middle\">{}</text>",
                at.0,
                escaped(line)
            ));
        }
        self.put(format_args!("</g>"));
    }
}

/// How far aside a way goes for each step down, at each bend: such that it stays between the bends and
/// is smooth (Fritsch and Butland's method), upright at its ends and where it turns back.
fn slopes(way: &[Bend]) -> Vec<f64> {
    let mut slopes = vec![0.0; way.len()];
    for at in 1..way.len() - 1 {
        let (a, b, c) = (way[at - 1], way[at], way[at + 1]);
        let (before, after) = (b.y - a.y, c.y - b.y);
        let (first, second) = ((b.x - a.x) / before, (c.x - b.x) / after);
        if first * second > 0.0 && first.is_finite() && second.is_finite() {
            let weights = (2.0 * after + before, after + 2.0 * before);
            let slope = (weights.0 + weights.1) / (weights.0 / first + weights.1 / second);
            slopes[at] = slope.clamp(-b.slant, b.slant);
        }
    }
    slopes
}

fn plain(tooltip: &str) -> String {
    tooltip.replace("\\\"", "\"").replace("\\\\", "\\")
}

/// Moving, zooming and searching, in a browser; other viewers show the whole picture.
const SCRIPT: &str = concat!(
    "<script type=\"text/ecmascript\"><![CDATA[\n",
    include_str!("graph.js"),
    "]]></script>\n"
);
