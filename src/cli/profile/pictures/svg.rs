//! The graph of calls as SVG, without graphviz: the sizes, colours, widths and dots of pprof's
//! pictures. It can be moved with the mouse and the wheel.

use super::layers::{Input, place};
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

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Draws the picture. The error is for users.
pub fn draw(dot: &Dot) -> Result<String, String> {
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
            .map(|((_, from, to), label)| (*from, *to, size_of(label, LABEL_SIZE)))
            .collect(),
        boxes,
    };
    let placed = place(&input).ok_or_else(|| {
        format!("{} boxes are too many for a picture; use --nodecount or --focus", dot.nodes.len())
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
        let way: Vec<(f64, f64)> = placed.ways[index].iter().map(|&at| shifted(at)).collect();
        drawing.edge(edge, &way, input.boxes[*from].1, input.boxes[*to].1);
    }
    for (index, (edge, _, _)) in edges.iter().enumerate() {
        drawing.edge_label(&labels[index], shifted(placed.labels[index]), &edge.tooltip);
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
        let title = escape(if title.is_empty() { "profile" } else { title });
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
                escape(line)
            ));
        }
    }

    fn node(&mut self, node: &DotNode, lines: &[String], at: (f64, f64), size: (f64, f64)) {
        let (x, y) = (at.0 - size.0 / 2.0, at.1 - size.1 / 2.0);
        let (frame, ground) = match &node.colors {
            Some((frame, ground)) => (frame.as_str(), ground.as_str()),
            None => ("#888888", "#f8f8f8"),
        };
        let radius = if node.colors.is_none() { 5 } else { 0 };
        let tooltip = escape(&plain(&node.tooltip));
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
                escape(line)
            ));
        }
        self.put(format_args!("</g>"));
    }

    /// A smooth way through the bends, upright at each, and an arrow head at its end.
    fn edge(&mut self, edge: &DotEdge, way: &[(f64, f64)], from_height: f64, to_height: f64) {
        let mut way = way.to_vec();
        let last = way.len() - 1;
        let direction = if way[last].1 > way[0].1 { 1.0 } else { -1.0 };
        let width = edge.pen_width as f64;
        let head = 7.0 + 1.5 * width;
        way[0].1 += direction * from_height / 2.0;
        way[last].1 -= direction * (to_height / 2.0 + head);
        let mut path = format!("M{:.1},{:.1}", way[0].0, way[0].1);
        for pair in way.windows(2) {
            let ((x1, y1), (x2, y2)) = (pair[0], pair[1]);
            let middle = (y1 + y2) / 2.0;
            let _ = write!(path, " C{x1:.1},{middle:.1} {x2:.1},{middle:.1} {x2:.1},{y2:.1}");
        }
        let color = edge.color.as_deref().unwrap_or("#888888");
        let dots = if edge.is_dotted { " stroke-dasharray=\"2,4\"" } else { "" };
        let (x, y) = way[last];
        let (tip, half) = (y + direction * head, 3.0 + width);
        self.put(format_args!(
            "<g><title>{}</title><path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\"{dots}/><path d=\"M{x:.1},{tip:.1} L{:.1},{y:.1} L{:.1},{y:.1} Z\" fill=\"{color}\"/></g>",
            escape(&plain(&edge.tooltip)),
            x - half,
            x + half,
        ));
    }

    fn edge_label(&mut self, lines: &[String], at: (f64, f64), tooltip: &str) {
        let (width, height) = size_of(lines, LABEL_SIZE);
        // A light ground keeps the text readable where a line passes behind it.
        self.put(format_args!(
            "<g><title>{}</title><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"#ffffff\" fill-opacity=\"0.85\"/>",
            escape(&plain(tooltip)),
            at.0 - width / 2.0,
            at.1 - height / 2.0
        ));
        for (index, line) in lines.iter().enumerate() {
            let y = at.1 - height / 2.0 + (index as f64 + 0.8) * LABEL_SIZE * LINE_HEIGHT;
            self.put(format_args!(
                "<text x=\"{:.1}\" y=\"{y:.1}\" font-size=\"{LABEL_SIZE}\" text-anchor=\"middle\" fill=\"#333333\">{}</text>",
                at.0,
                escape(line)
            ));
        }
        self.put(format_args!("</g>"));
    }
}

fn plain(tooltip: &str) -> String {
    tooltip.replace("\\\"", "\"").replace("\\\\", "\\")
}

/// Moving and zooming, in a browser; other viewers show the whole picture.
const SCRIPT: &str = r#"<script type="text/ecmascript"><![CDATA[
window.addEventListener('load', function () {
  var svg = document.documentElement, box = svg.viewBox.baseVal, drag = null;
  svg.setAttribute('width', '100%'); svg.setAttribute('height', '100%');
  svg.addEventListener('wheel', function (e) {
    e.preventDefault();
    var f = e.deltaY > 0 ? 1.15 : 1 / 1.15;
    var x = box.x + box.width * e.clientX / innerWidth, y = box.y + box.height * e.clientY / innerHeight;
    box.x = x - (x - box.x) * f; box.y = y - (y - box.y) * f; box.width *= f; box.height *= f;
  }, { passive: false });
  svg.addEventListener('mousedown', function (e) { drag = [e.clientX, e.clientY]; });
  svg.addEventListener('mousemove', function (e) {
    if (!drag) return;
    var f = Math.max(box.width / innerWidth, box.height / innerHeight);
    box.x -= (e.clientX - drag[0]) * f; box.y -= (e.clientY - drag[1]) * f; drag = [e.clientX, e.clientY];
  });
  window.addEventListener('mouseup', function () { drag = null; });
});
]]></script>
"#;
