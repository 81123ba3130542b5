//! Plots over time as inline SVG. Colours are those of the page's classes, so that they follow its theme.

use super::escaped;
use std::fmt::Write;

/// Width of the drawing, user units; it is scaled to the page.
const WIDTH: f64 = 960.0;
/// Where the time axis begins and ends.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 952.0;
/// Height of a panel, and of what stands above and below it.
const PANEL: f64 = 120.0;
const HEAD: f64 = 30.0;
const FOOT: f64 = 24.0;
/// A curve, filled or not.
pub struct Curve {
    /// The class of the page's style sheet that colours it.
    pub class: &'static str,
    /// What it is.
    pub name: &'static str,
    /// Whether the area below it is drawn, too.
    pub is_filled: bool,
    /// Time in nanoseconds and value, in order of time; each value holds to the next point.
    pub points: Vec<(i64, f64)>,
}

/// A time that is marked behind the curves of all panels.
pub struct Band {
    /// The class of the page's style sheet that colours it.
    pub class: &'static str,
    /// Since the origin of the axis, nanoseconds.
    pub start_ns: i64,
    /// Nanoseconds.
    pub duration_ns: i64,
    /// It is drawn at least so wide, user units.
    pub least_width: f64,
    /// What it is.
    pub name: String,
}

/// A diagram over the time of all.
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// The value at the upper edge.
    pub max: f64,
    /// A value in words.
    pub label: fn(f64) -> String,
    /// Drawn in this order, the later above the earlier.
    pub curves: Vec<Curve>,
}

/// Diagrams one above the other, over one axis of time.
pub struct Plots {
    /// What they show together, for those who do not see them.
    pub title: &'static str,
    /// Where the axis ends, nanoseconds; it begins at 0.
    pub duration_ns: i64,
    /// A time on the axis in words.
    pub time_label: fn(i64) -> String,
    /// Marked in every panel.
    pub bands: Vec<Band>,
    /// From top to bottom.
    pub panels: Vec<Panel>,
}

impl Plots {
    /// The picture; empty without a panel.
    pub fn draw(&self) -> String {
        if self.panels.is_empty() {
            return String::new();
        }
        let bottom = self.panels.len() as f64 * (PANEL + HEAD);
        let height = bottom + FOOT;
        let mut svg = format!(
            "<svg class=\"plots\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
             aria-label=\"{}\">\n",
            escaped(self.title)
        );
        for (index, panel) in self.panels.iter().enumerate() {
            let top = HEAD + index as f64 * (PANEL + HEAD);
            self.draw_bands(&mut svg, top);
            panel.draw(&mut svg, top, self.duration_ns);
        }
        self.draw_axis(&mut svg, bottom);
        svg.push_str("</svg>\n");
        svg
    }

    fn draw_bands(&self, svg: &mut String, top: f64) {
        for band in &self.bands {
            let from = x(band.start_ns, self.duration_ns);
            let to = x(band.start_ns.saturating_add(band.duration_ns), self.duration_ns);
            let _ = writeln!(
                svg,
                "<rect class=\"{}\" x=\"{from:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{PANEL}\">\
                 <title>{}</title></rect>",
                band.class,
                (to - from).max(band.least_width),
                escaped(&band.name)
            );
        }
    }

    fn draw_axis(&self, svg: &mut String, bottom: f64) {
        let duration_ns = self.duration_ns;
        let step = nice_step(duration_ns as f64 / 6.0);
        let mut time = 0.0;
        while time <= duration_ns as f64 {
            let at = x(time as i64, duration_ns);
            let anchor = if time == 0.0 {
                "start"
            } else if at > RIGHT - 20.0 {
                "end"
            } else {
                "middle"
            };
            let _ = writeln!(
                svg,
                "<text class=\"tick\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
                bottom + 16.0,
                (self.time_label)(time as i64)
            );
            time += step;
        }
    }
}

/// The smallest of 1, 2, 2.5, 5 times a power of ten that is not less.
pub fn nice_step(at_least: f64) -> f64 {
    let power = 10f64.powf(at_least.max(1.0).log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|&step| step >= at_least)
        .unwrap_or(power)
}

fn x(time_ns: i64, duration_ns: i64) -> f64 {
    let share = time_ns.clamp(0, duration_ns) as f64 / duration_ns as f64;
    LEFT + share * (RIGHT - LEFT)
}

impl Panel {
    fn y(&self, top: f64, value: f64) -> f64 {
        top + PANEL - (value / self.max).clamp(0.0, 1.0) * PANEL
    }

    fn draw(&self, svg: &mut String, top: f64, duration_ns: i64) {
        let step = if self.max <= 2.0 { self.max } else { self.max / 2.0 };
        let mut value = 0.0;
        while value <= self.max * 1.001 {
            let y = self.y(top, value);
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y + 4.0,
                (self.label)(value)
            );
            value += step;
        }
        for curve in &self.curves {
            self.draw_curve(svg, curve, top, duration_ns);
        }
        let _ = writeln!(
            svg,
            "<text class=\"panel\" x=\"{LEFT}\" y=\"{:.1}\">{}</text>",
            top - 8.0,
            escaped(&self.title)
        );
    }

    fn draw_curve(&self, svg: &mut String, curve: &Curve, top: f64, duration_ns: i64) {
        let Some(first) = curve.points.first() else { return };
        let mut path = String::new();
        if curve.is_filled {
            let _ = write!(path, "M{:.1} {:.1}", x(first.0, duration_ns), self.y(top, 0.0));
        }
        for (index, point) in curve.points.iter().enumerate() {
            let to = curve.points.get(index + 1).map_or(duration_ns, |next| next.0);
            let y = self.y(top, point.1);
            let start = if index == 0 && !curve.is_filled { 'M' } else { 'L' };
            let _ = write!(
                path,
                "{start}{:.1} {y:.1}H{:.1}",
                x(point.0, duration_ns),
                x(to, duration_ns)
            );
        }
        if curve.is_filled {
            let _ = write!(path, "V{:.1}Z", self.y(top, 0.0));
        }
        let form = if curve.is_filled { "area" } else { "line" };
        let _ = writeln!(
            svg,
            "<path class=\"{form} {}\" d=\"{path}\"><title>{}</title></path>",
            curve.class, curve.name
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        for (least, step) in [(1.0, 1.0), (1.1, 2.0), (23.0, 25.0), (700.0, 1000.0), (0.0, 1.0)] {
            assert_eq!(nice_step(least), step);
        }
    }
}
