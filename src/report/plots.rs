//! What the page's plots show: what ran, what was ready to run, the heap.

use super::facts::Facts;
use super::memory::{HeapPoint, Pause};
use crate::picture::{Band, Curve, Panel, Plots, nice_step};
use crate::store::{human_bytes, human_ns};

/// How many columns the activity is drawn with.
const COLUMNS: usize = 222;

/// The plots of a trace as SVG.
pub fn plots(facts: &Facts) -> String {
    let panels = [running(facts), ready(facts), heap(&facts.memory.heap)];
    let plots = Plots {
        title: "What ran, what was ready to run, and the heap over time",
        duration_ns: facts.trace.duration_ns.max(1),
        time_label: tick_time,
        bands: bands(facts),
        panels: panels.into_iter().flatten().collect(),
    };
    plots.draw()
}

/// The mark phases, and the pauses that are long enough.
fn bands(facts: &Facts) -> Vec<Band> {
    let marks = facts.memory.cycles.iter().map(|cycle| Band {
        class: "mark",
        start_ns: cycle.start_ns,
        duration_ns: cycle.mark_ns,
        least_width: 0.5,
        name: format!("marking, {} at {}", human_ns(cycle.mark_ns), human_ns(cycle.start_ns)),
    });
    let pauses = visible_pauses(facts).map(|pause| Band {
        class: "pause",
        start_ns: pause.start_ns,
        duration_ns: pause.duration_ns,
        least_width: 1.0,
        name: format!("all stopped for {}: {}", human_ns(pause.duration_ns), pause.kind),
    });
    marks.chain(pauses).collect()
}

/// The pauses that are long enough to be seen at all.
pub fn visible_pauses(facts: &Facts) -> impl Iterator<Item = &Pause> {
    let duration_ns = facts.trace.duration_ns;
    let is_visible = move |pause: &&Pause| pause.duration_ns.saturating_mul(1000) >= duration_ns;
    facts.memory.pauses.iter().filter(is_visible)
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
    fn times_on_the_axis_are_round() {
        assert_eq!(tick_time(0), "0");
        assert_eq!(tick_time(20_000_000), "20 ms");
        assert_eq!(tick_time(100_000_000), "100 ms");
        assert_eq!(tick_time(2_500_000_000), "2.5 s");
    }
}
