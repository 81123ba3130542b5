//! Plots as inline SVG. Colours are those of the page's classes, so that they follow its theme.

use super::facts::Facts;
use super::memory::{HeapPoint, Pause};
use crate::store::{human_bytes, human_ns};
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
/// How many columns the activity is drawn with.
const COLUMNS: usize = 222;

/// A curve, filled or not: the class that colours it and its points (time, value).
struct Curve {
    class: &'static str,
    name: &'static str,
    is_filled: bool,
    /// In order of time; each value holds to the next point.
    points: Vec<(i64, f64)>,
}

/// A diagram over the time of the trace.
struct Panel {
    title: String,
    top: f64,
    /// The value at the upper edge.
    max: f64,
    label: fn(f64) -> String,
    /// Drawn in this order, the later above the earlier.
    curves: Vec<Curve>,
}

/// The plots of a trace: what ran, what was ready to run, the heap.
pub fn plots(facts: &Facts) -> String {
    let duration_ns = facts.trace.duration_ns.max(1);
    let mut panels = Vec::new();
    if let Some(panel) = running(facts) {
        panels.push(panel);
    }
    if let Some(panel) = ready(facts) {
        panels.push(panel);
    }
    if let Some(panel) = heap(&facts.memory.heap) {
        panels.push(panel);
    }
    if panels.is_empty() {
        return String::new();
    }
    for (index, panel) in panels.iter_mut().enumerate() {
        panel.top = HEAD + index as f64 * (PANEL + HEAD);
    }
    let bottom = panels.len() as f64 * (PANEL + HEAD);
    let height = bottom + FOOT;
    let mut svg = format!(
        "<svg class=\"plots\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"What ran, what was ready to run, and the heap over time\">\n"
    );
    for panel in &panels {
        events(&mut svg, facts, panel.top, duration_ns);
        panel.draw(&mut svg, duration_ns);
    }
    time_axis(&mut svg, bottom, duration_ns);
    svg.push_str("</svg>\n");
    svg
}

/// The mark phases as bands and the pauses as lines behind the curves of a panel.
fn events(svg: &mut String, facts: &Facts, top: f64, duration_ns: i64) {
    let mut band = |class: &str, start_ns: i64, length_ns: i64, least: f64, name: &str| {
        let (from, to) =
            (x(start_ns, duration_ns), x(start_ns.saturating_add(length_ns), duration_ns));
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{PANEL}\">\
             <title>{name}</title></rect>",
            (to - from).max(least)
        );
    };
    for cycle in &facts.memory.cycles {
        let name = format!("marking, {} at {}", human_ns(cycle.mark_ns), human_ns(cycle.start_ns));
        band("mark", cycle.start_ns, cycle.mark_ns, 0.5, &name);
    }
    for pause in visible_pauses(facts) {
        let kind = super::html::escaped(&pause.kind);
        let name = format!("all stopped for {}: {kind}", human_ns(pause.duration_ns));
        band("pause", pause.start_ns, pause.duration_ns, 1.0, &name);
    }
}

/// The pauses that are long enough to be seen at all.
pub fn visible_pauses(facts: &Facts) -> impl Iterator<Item = &Pause> {
    let duration_ns = facts.trace.duration_ns;
    let is_visible = move |pause: &&Pause| pause.duration_ns.saturating_mul(1000) >= duration_ns;
    facts.memory.pauses.iter().filter(is_visible)
}

fn time_axis(svg: &mut String, bottom: f64, duration_ns: i64) {
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
            tick_time(time as i64)
        );
        time += step;
    }
}

/// A moment on the axis: round numbers need no digits behind the point.
fn tick_time(ns: i64) -> String {
    let text = human_ns(ns);
    let Some(unit) = text.find(|c: char| c.is_alphabetic() || c == 'µ') else { return text };
    let (number, unit) = text.split_at(unit);
    let number = match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    };
    if number == "0" { "0".into() } else { format!("{number} {unit}") }
}

/// The smallest of 1, 2, 2.5, 5 times a power of ten that is not less.
fn nice_step(at_least: f64) -> f64 {
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
    fn y(&self, value: f64) -> f64 {
        self.top + PANEL - (value / self.max).clamp(0.0, 1.0) * PANEL
    }

    fn draw(&self, svg: &mut String, duration_ns: i64) {
        let step = if self.max <= 2.0 { self.max } else { self.max / 2.0 };
        let mut value = 0.0;
        while value <= self.max * 1.001 {
            let y = self.y(value);
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
            self.draw_curve(svg, curve, duration_ns);
        }
        let _ = writeln!(
            svg,
            "<text class=\"panel\" x=\"{LEFT}\" y=\"{:.1}\">{}</text>",
            self.top - 8.0,
            self.title
        );
    }

    fn draw_curve(&self, svg: &mut String, curve: &Curve, duration_ns: i64) {
        let Some(first) = curve.points.first() else { return };
        let mut path = String::new();
        if curve.is_filled {
            let _ = write!(path, "M{:.1} {:.1}", x(first.0, duration_ns), self.y(0.0));
        }
        for (index, point) in curve.points.iter().enumerate() {
            let to = curve.points.get(index + 1).map_or(duration_ns, |next| next.0);
            let y = self.y(point.1);
            let start = if index == 0 && !curve.is_filled { 'M' } else { 'L' };
            let _ = write!(
                path,
                "{start}{:.1} {y:.1}H{:.1}",
                x(point.0, duration_ns),
                x(to, duration_ns)
            );
        }
        if curve.is_filled {
            let _ = write!(path, "V{:.1}Z", self.y(0.0));
        }
        let form = if curve.is_filled { "area" } else { "line" };
        let _ = writeln!(
            svg,
            "<path class=\"{form} {}\" d=\"{path}\"><title>{}</title></path>",
            curve.class, curve.name
        );
    }
}

/// The activity in columns: averages of a value over the steps of each.
fn columns(facts: &Facts, value: impl Fn(&crate::store::Step) -> f32) -> Vec<(i64, f64)> {
    let steps = &facts.activity.steps;
    let columns = COLUMNS.min(steps.len());
    (0..columns)
        .map(|column| {
            let (from, to) = (column * steps.len() / columns, (column + 1) * steps.len() / columns);
            let sum: f64 = steps[from..to].iter().map(|step| f64::from(value(step))).sum();
            ((from as i64).saturating_mul(facts.activity.step_ns), sum / (to - from) as f64)
        })
        .collect()
}

fn count_label(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

fn running(facts: &Facts) -> Option<Panel> {
    let both = columns(facts, |step| step.running + step.syscall);
    if both.is_empty() {
        return None;
    }
    let procs = facts.procs() as f64;
    let most = both.iter().map(|point| point.1).fold(procs, f64::max);
    Some(Panel {
        title: format!("Goroutines that run, on {procs} procs"),
        top: 0.0,
        max: most,
        label: count_label,
        curves: vec![
            Curve {
                class: "syscall",
                name: "in system calls, with a proc",
                is_filled: true,
                points: both,
            },
            Curve {
                class: "running",
                name: "running",
                is_filled: true,
                points: columns(facts, |step| step.running),
            },
        ],
    })
}

fn ready(facts: &Facts) -> Option<Panel> {
    let points = columns(facts, |step| step.ready);
    let most = points.iter().map(|point| point.1).fold(0.0, f64::max);
    if most < 0.05 {
        return None;
    }
    let max = if most <= 1.0 { 1.0 } else { nice_step(most).max(2.0) };
    Some(Panel {
        title: "Goroutines that are ready to run and have no proc".into(),
        top: 0.0,
        max,
        label: count_label,
        curves: vec![Curve { class: "ready", name: "ready to run", is_filled: true, points }],
    })
}

fn heap(heap: &[HeapPoint]) -> Option<Panel> {
    let live: Vec<(i64, f64)> =
        heap.iter().map(|point| (point.time_ns, point.live_bytes as f64)).collect();
    let goal: Vec<(i64, f64)> =
        heap.iter().filter_map(|point| Some((point.time_ns, point.goal_bytes? as f64))).collect();
    let most = live.iter().chain(&goal).map(|point| point.1).fold(0.0, f64::max);
    if live.len() < 3 || most <= 0.0 {
        return None;
    }
    Some(Panel {
        title: "Heap: live bytes, and the collector's goal".into(),
        top: 0.0,
        max: most,
        label: |bytes| if bytes == 0.0 { "0".into() } else { human_bytes(bytes) },
        curves: vec![
            Curve { class: "heap", name: "live heap", is_filled: true, points: live },
            Curve { class: "goal", name: "goal", is_filled: false, points: goal },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        for (least, step) in [(1.0, 1.0), (1.1, 2.0), (23.0, 25.0), (700.0, 1000.0), (0.0, 1.0)] {
            assert_eq!(nice_step(least), step);
        }
        assert_eq!(tick_time(0), "0");
        assert_eq!(tick_time(20_000_000), "20 ms");
        assert_eq!(tick_time(100_000_000), "100 ms");
        assert_eq!(tick_time(2_500_000_000), "2.5 s");
    }
}
