//! Mutator utilisation: how much of the procs the program has beside the collector.
//!
//! The definitions are those of Go 1.27 `internal/trace/gc.go` (MutatorUtilizationV2), with one
//! difference, on purpose: Go adds a mark worker twice each time it starts again and takes it off once, so
//! that its curve sticks at 0 after the first collection. Here each proc is taken by the
//! collector exactly while a worker, an assist or a sweep is on it.
//!
//! The minimum over all windows of a length is exact: between two changes the mean over the window is
//! linear in the window's place, so it is least where the window begins or ends at a change.

use super::states::{RUNNING, SYSCALL, States, ranges_of};
use super::{Call, Cell, Item, Rows, TableFunction};
use crate::store::budget::{Work, sane};
use crate::store::refusal::refuse;
use rusqlite::Result;
use std::collections::BTreeMap;

const FLAGS: Item = Item {
    name: "what",
    doc: "what counts as collection, words with spaces between: stw (the world is stopped for it), \
          background (mark workers but idle ones), assist, sweep; and per_proc to look at each proc by \
          itself, without dedicated workers",
};

/// See its `doc`.
pub static MMU: TableFunction = TableFunction {
    name: "mmu",
    doc: "Minimum mutator utilisation: the least share of the procs that the program had in any window of a length.",
    arguments: &[
        FLAGS,
        Item {
            name: "window_ns",
            doc: "length of the window; left out: 1, 2, 5, 10 ... microseconds up to the whole trace",
        },
    ],
    required: 1,
    columns: &[
        Item { name: "window_ns", doc: "length of the window" },
        Item { name: "utilisation", doc: "least share in any such window, 0 to 1" },
        Item { name: "p999", doc: "least share if the worst 0.1 % of the windows are left out" },
        Item { name: "p99", doc: "least share if the worst 1 % are left out" },
        Item { name: "p95", doc: "least share if the worst 5 % are left out" },
        Item { name: "worst_at_ns", doc: "where the first window with the least share begins" },
    ],
    example: (
        "go1.26/gc",
        "select window_ns, round(utilisation, 4) as utilisation\n\
         from mmu('stw background assist') where window_ns in (1000000, 10000000)",
    ),
    reads: READS,
    run: |call, rows| {
        let curves = Curves::read(call)?;
        let Some((start, end)) = curves.span() else { return Ok(()) };
        let windows = match call.optional_integer(1)? {
            Some(window) if window > 0 => vec![window.min(end - start)],
            Some(_) => return Err(refuse("mmu: the window must be longer than 0")),
            None => windows(end - start),
        };
        for window in windows {
            call.work.look()?;
            let found = curves.minimum(window);
            let [p999, p99, p95] = curves.quantiles(window, [0.001, 0.01, 0.05]);
            let (utilisation, at) = found;
            rows.push([
                window.into(),
                utilisation.into(),
                p999.into(),
                p99.into(),
                p95.into(),
                at.into(),
            ])?;
        }
        Ok(())
    },
};

const READS: &[&str] = &[
    "metrics",
    "stop_the_world",
    "ranges",
    "gc_workers",
    "raw_state_ranges",
    "raw_goroutine_states",
    "trace_spans",
];

/// See its `doc`.
pub static MMU_WORST: TableFunction = TableFunction {
    name: "mmu_worst",
    doc: "The windows of a length in which the program had the least, the worst first, none overlapping another.",
    arguments: &[
        FLAGS,
        Item { name: "window_ns", doc: "length of the window" },
        Item { name: "windows", doc: "how many; left out: 10" },
    ],
    required: 2,
    columns: &[
        Item { name: "start_ns", doc: "when the window begins" },
        Item { name: "duration_ns", doc: "its length" },
        Item { name: "utilisation", doc: "share of the procs the program had in it, 0 to 1" },
        Item { name: "proc", doc: "with per_proc, the proc; else NULL" },
    ],
    example: (
        "go1.26/gc",
        "select round(utilisation, 3) as utilisation from mmu_worst('stw background assist', 5000000, 2)",
    ),
    reads: READS,
    run: |call, rows| {
        let curves = Curves::read(call)?;
        let Some((start, end)) = curves.span() else { return Ok(()) };
        let window = call.integer(1)?.min(end - start);
        if window <= 0 {
            return Err(refuse("mmu_worst: the window must be longer than 0"));
        }
        let count = call.optional_integer(2)?.unwrap_or(10).clamp(0, 1000) as usize;
        curves.worst(window, count, rows, &call.work)
    },
};

/// 1, 2, 5, 10 ... microseconds up to a length, and that.
fn windows(longest: i64) -> Vec<i64> {
    let mut windows = Vec::new();
    let mut power = 1_000_i64;
    while power < longest {
        windows.extend([1, 2, 5].map(|digit| power.saturating_mul(digit)));
        power = power.saturating_mul(10);
    }
    windows.retain(|&window| window < longest);
    windows.push(longest);
    windows
}

/// What counts.
#[derive(Default)]
struct What {
    stw: bool,
    background: bool,
    assist: bool,
    sweep: bool,
    per_proc: bool,
}

impl What {
    fn parse(text: &str) -> Result<What> {
        let mut what = What::default();
        for word in text.split([' ', '|', ',']).filter(|word| !word.is_empty()) {
            *(match word {
                "stw" => &mut what.stw,
                "background" => &mut what.background,
                "assist" => &mut what.assist,
                "sweep" => &mut what.sweep,
                "per_proc" | "perProc" => &mut what.per_proc,
                _ => {
                    return Err(refuse(format!(
                        "mmu: want stw, background, assist, sweep or per_proc, got '{word}'"
                    )));
                }
            }) = true;
        }
        Ok(what)
    }
}

/// A utilisation over time that changes at moments; its last value is only an end.
struct Curve {
    proc: Option<i64>,
    times: Vec<i64>,
    values: Vec<f64>,
    /// Integral of the values up to each time.
    sums: Vec<f64>,
}

impl Curve {
    fn new(proc: Option<i64>, points: Vec<(i64, f64)>, end: i64) -> Option<Curve> {
        let mut curve = Curve { proc, times: Vec::new(), values: Vec::new(), sums: Vec::new() };
        for (time, value) in points.into_iter().filter(|(time, _)| *time < end) {
            if curve.times.last() == Some(&time) {
                curve.times.pop();
                curve.values.pop();
            }
            if curve.values.last() != Some(&value) {
                curve.times.push(time);
                curve.values.push(value);
            }
        }
        curve.times.push(end);
        curve.values.push(0.0);
        let mut sum = 0.0;
        for index in 0..curve.times.len() {
            if index > 0 {
                let length = (curve.times[index] - curve.times[index - 1]) as f64;
                sum += curve.values[index - 1] * length;
            }
            curve.sums.push(sum);
        }
        (curve.times.len() > 1).then_some(curve)
    }

    fn span(&self) -> (i64, i64) {
        (self.times[0], self.times[self.times.len() - 1])
    }

    /// The mean over each window that begins or ends at a change, in order of time.
    fn windowed(&self, window: i64) -> Vec<(i64, f64)> {
        let (start, end) = self.span();
        let window = window.min(end - start);
        let mut places = self.times.clone();
        places.extend(self.times.iter().map(|time| time - window));
        places.retain(|&time| time >= start && time + window <= end);
        places.sort_unstable();
        places.dedup();
        let (mut left, mut right) = (0, 0);
        let integral = |time: i64, at: &mut usize| {
            while *at + 1 < self.times.len() && self.times[*at + 1] <= time {
                *at += 1;
            }
            self.sums[*at] + self.values[*at] * (time - self.times[*at]) as f64
        };
        places
            .into_iter()
            .map(|time| {
                let sum = integral(time + window, &mut right) - integral(time, &mut left);
                // Rounding must not give a share below nothing.
                (time, (sum / window as f64).clamp(0.0, 1.0))
            })
            .collect()
    }
}

/// One curve, or one for each proc.
struct Curves(Vec<Curve>);

impl Curves {
    fn span(&self) -> Option<(i64, i64)> {
        let starts = self.0.iter().map(|curve| curve.span().0);
        let ends = self.0.iter().map(|curve| curve.span().1);
        Some((starts.min()?, ends.max()?))
    }

    fn minimum(&self, window: i64) -> (f64, i64) {
        let all = self.0.iter().flat_map(|curve| curve.windowed(window));
        all.fold(
            (f64::INFINITY, 0),
            |best, (time, value)| {
                if value < best.0 { (value, time) } else { best }
            },
        )
    }

    /// Values that the given shares of all windows do not exceed.
    fn quantiles<const N: usize>(&self, window: i64, shares: [f64; N]) -> [f64; N] {
        // Between two places the mean is linear, so its values are spread evenly: each stretch adds
        // mass at an even density between its two ends.
        let mut edges: Vec<(f64, f64)> = Vec::new();
        let mut points: Vec<(f64, f64)> = Vec::new();
        let mut mass = 0.0;
        for curve in &self.0 {
            let means = curve.windowed(window);
            if let [(_, only)] = means[..] {
                points.push((only, 1.0));
                mass += 1.0;
            }
            for pair in means.windows(2) {
                let length = (pair[1].0 - pair[0].0) as f64;
                let (low, high) = (pair[0].1.min(pair[1].1), pair[0].1.max(pair[1].1));
                mass += length;
                if high - low < 1e-12 {
                    points.push((low, length));
                } else {
                    let density = length / (high - low);
                    edges.extend([(low, density), (high, -density)]);
                }
            }
        }
        edges.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        shares.map(|share| quantile(&edges, &points, share * mass))
    }

    fn worst(&self, window: i64, count: usize, rows: &mut Rows, work: &Work) -> Result<()> {
        let mut all: Vec<(f64, i64, Option<i64>)> = Vec::new();
        for curve in &self.0 {
            let means = curve.windowed(window);
            all.extend(means.into_iter().map(|(time, value)| (value, time, curve.proc)));
        }
        all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        let mut kept: Vec<i64> = Vec::new();
        for (value, time, proc) in all {
            if kept.len() >= count {
                break;
            }
            work.steps(1 + kept.len())?;
            if kept.iter().any(|other| (other - time).abs() < window) {
                continue;
            }
            kept.push(time);
            rows.push([time.into(), window.into(), value.into(), Cell::from(proc)])?;
        }
        Ok(())
    }
}

/// The value at which the mass below it reaches `wanted`.
fn quantile(edges: &[(f64, f64)], points: &[(f64, f64)], wanted: f64) -> f64 {
    let (mut mass, mut density, mut value) = (0.0, 0.0, 0.0);
    let (mut edge, mut point) = (0, 0);
    loop {
        let next_edge = edges.get(edge).map_or(f64::INFINITY, |edge| edge.0);
        let next_point = points.get(point).map_or(f64::INFINITY, |point| point.0);
        let next = next_edge.min(next_point);
        if next.is_infinite() {
            return value;
        }
        let added = density * (next - value);
        if mass + added >= wanted && density > 0.0 {
            return (value + (wanted - mass) / density).clamp(0.0, 1.0);
        }
        mass += added;
        value = next;
        if next_edge <= next_point {
            density += edges[edge].1;
            edge += 1;
        } else {
            mass += points[point].1;
            point += 1;
            if mass >= wanted {
                return value;
            }
        }
    }
}

/// What a moment changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    /// The number of procs is this now.
    Procs(i64),
    /// The world is stopped for the collector once more (or once less) than before.
    Stopped(i32),
    /// The collector is on a proc once more (or once less) than before.
    Busy(i64, i32),
}

impl Curves {
    fn read(call: &Call<'_>) -> Result<Curves> {
        let what = What::parse(call.text(0)?)?;
        let traces: i64 =
            call.connection.query_row("select count(*) from trace_spans", [], |row| row.get(0))?;
        if traces == 0 {
            return Ok(Curves(Vec::new()));
        }
        if traces != 1 {
            return Err(refuse(format!(
                "{}: the database holds {traces} traces; utilisation is that of one",
                call.function.name
            )));
        }
        let (_, end) = call.span()?;
        let mut changes = Vec::new();
        read_procs(call, &mut changes)?;
        if what.stw {
            let sql = "select start_ns, duration_ns, 0 from stop_the_world where kind like '%GC%'";
            read_spans(call, sql, |_| [Change::Stopped(1), Change::Stopped(-1)], &mut changes)?;
        }
        let busy = |proc| [Change::Busy(proc, 1), Change::Busy(proc, -1)];
        if what.background {
            let sql = if what.per_proc {
                "select start_ns, duration_ns, proc from gc_workers where kind = 'fractional'"
            } else {
                "select start_ns, duration_ns, proc from gc_workers where kind <> 'idle'"
            };
            read_spans(call, sql, busy, &mut changes)?;
        }
        if what.sweep {
            let sql = "select start_ns, duration_ns, proc from ranges
                       where name = 'GC incremental sweep' and proc is not null";
            read_spans(call, sql, busy, &mut changes)?;
        }
        if what.assist {
            read_assists(call, &mut changes)?;
        }
        changes.sort_unstable_by_key(|(time, _)| *time);
        Ok(Curves(curves(&changes, what.per_proc, end, &call.work)?))
    }
}

fn read_procs(call: &Call<'_>, changes: &mut Vec<(i64, Change)>) -> Result<()> {
    let sql = "select time_ns, value from metrics where name = 'gomaxprocs' order by time_ns, id";
    let mut statement = call.connection.prepare(sql)?;
    let mut rows = statement.raw_query();
    let mut last = None;
    while let Some(row) = rows.next()? {
        let (time, procs) = (sane(row.get(0)?), row.get::<_, i64>(1)?);
        // As many as a damaged trace may claim, but not more than can be looked at.
        let procs = procs.clamp(1, 1 << 16);
        if last != Some(procs) {
            call.work.push(changes, (time, Change::Procs(procs)))?;
        }
        last = Some(procs);
    }
    Ok(())
}

fn read_spans(
    call: &Call<'_>,
    sql: &str,
    change: impl Fn(i64) -> [Change; 2],
    changes: &mut Vec<(i64, Change)>,
) -> Result<()> {
    let mut statement = call.connection.prepare(sql)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let (start, duration) = (sane(row.get(0)?), row.get::<_, i64>(1)?.max(0));
        let Some(key) = row.get::<_, Option<i64>>(2)? else { continue };
        let [begin, end] = change(key);
        let end_ns = sane(start.saturating_add(duration));
        call.work.extend(changes, [(start, begin), (end_ns, end)])?;
    }
    Ok(())
}

/// An assist takes a proc while its goroutine runs on it (Go 1.27 gc.go, inGC and Executing).
fn read_assists(call: &Call<'_>, changes: &mut Vec<(i64, Change)>) -> Result<()> {
    let mut by_goroutine: BTreeMap<i64, Vec<(i64, i64)>> = BTreeMap::new();
    let sql = "select goroutine_id, start_ns, duration_ns from ranges
               where name = 'GC mark assist' and goroutine_id is not null";
    let mut statement = call.connection.prepare(sql)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let (start, duration) = (sane(row.get(1)?), row.get::<_, i64>(2)?.max(0));
        let assists = by_goroutine.entry(row.get(0)?).or_default();
        call.work.push(assists, (start, sane(start.saturating_add(duration))))?;
    }
    let mut states = States::open(call.connection, &call.work)?;
    for (goroutine, mut assists) in by_goroutine {
        assists.sort_unstable();
        let mut next = 0;
        for range in ranges_of(call.connection, goroutine)? {
            states.range(range, |state| {
                if state.proc < 0 || !matches!(state.state(), RUNNING | SYSCALL) {
                    return Ok(());
                }
                while assists.get(next).is_some_and(|assist| assist.1 <= state.start) {
                    next += 1;
                }
                for assist in assists[next..].iter().take_while(|assist| assist.0 < state.end) {
                    let (start, end) = (assist.0.max(state.start), assist.1.min(state.end));
                    call.work.step()?;
                    if start < end {
                        let proc = i64::from(state.proc);
                        let both = [(start, Change::Busy(proc, 1)), (end, Change::Busy(proc, -1))];
                        call.work.extend(changes, both)?;
                    }
                }
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Goes through the changes, which are in order of time. All of one moment take effect together.
fn curves(changes: &[(i64, Change)], per_proc: bool, end: i64, work: &Work) -> Result<Vec<Curve>> {
    let mut busy: BTreeMap<i64, i32> = BTreeMap::new();
    let (mut procs, mut stopped) = (0_i64, 0);
    // By proc, or one for all; with the time its curve ended if its proc is gone.
    let mut points: BTreeMap<i64, Vec<(i64, f64)>> = BTreeMap::new();
    let mut done: Vec<Curve> = Vec::new();
    for group in changes.chunk_by(|a, b| a.0 == b.0) {
        let time = group[0].0;
        for (_, change) in group {
            match *change {
                Change::Procs(count) => {
                    for proc in count..procs {
                        if let Some(points) = points.remove(&proc).filter(|_| per_proc) {
                            done.extend(Curve::new(Some(proc), points, time));
                        }
                    }
                    procs = count;
                }
                Change::Stopped(change) => stopped += change,
                Change::Busy(proc, change) => *busy.entry(proc).or_default() += change,
            }
        }
        work.steps(busy.len() + if per_proc { procs as usize } else { 1 })?;
        if procs == 0 {
            // Nothing can be said before the number of procs is known.
            continue;
        }
        let is_busy = |proc: &i64| busy.get(proc).is_some_and(|count| *count > 0);
        if per_proc {
            for proc in 0..procs {
                let value = if stopped > 0 || is_busy(&proc) { 0.0 } else { 1.0 };
                add(points.entry(proc).or_default(), time, value, work)?;
            }
        } else {
            let taken = if stopped > 0 {
                procs
            } else {
                busy.iter().filter(|(proc, count)| **proc < procs && **count > 0).count() as i64
            };
            add(points.entry(0).or_default(), time, 1.0 - taken as f64 / procs as f64, work)?;
        }
    }
    for (proc, points) in points {
        done.extend(Curve::new(per_proc.then_some(proc), points, end));
    }
    Ok(done)
}

fn add(points: &mut Vec<(i64, f64)>, time: i64, value: f64, work: &Work) -> Result<()> {
    if points.last().is_some_and(|last| last.1 == value) {
        return Ok(());
    }
    // A curve has its times, values and sums beside.
    if points.len() == points.capacity() {
        work.hold(points.len() * 24)?;
    }
    work.push(points, (time, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_is_exact_and_covers_the_whole_curve() {
        // Two procs; one is taken from 10 to 20, the world stands from 50 to 51.
        let changes = [
            (0, Change::Procs(2)),
            (10, Change::Busy(1, 1)),
            (20, Change::Busy(1, -1)),
            (50, Change::Stopped(1)),
            (51, Change::Stopped(-1)),
        ];
        let work = crate::store::budget::Budget::new().work();
        let all = Curves(curves(&changes, false, 100, &work).unwrap());
        assert_eq!(all.span(), Some((0, 100)));
        assert_eq!(all.minimum(1), (0.0, 50));
        assert_eq!(all.minimum(2).0, 0.5);
        assert_eq!(all.minimum(10), (0.5, 10));
        assert_eq!(all.minimum(100), (0.94, 0));
        let each = Curves(curves(&changes, true, 100, &work).unwrap());
        assert_eq!(each.0.len(), 2);
        assert_eq!(each.minimum(10), (0.0, 10));
        let [median] = all.quantiles(1, [0.5]);
        assert_eq!(median, 1.0);
        // Of all windows of length 1, those from 10 to 19 have half, 1 at 50 has nothing.
        let [low] = all.quantiles(1, [0.1]);
        assert_eq!(low, 0.5);
    }

    #[test]
    fn windows_go_up_to_the_whole_trace() {
        assert_eq!(windows(10_000), [1_000, 2_000, 5_000, 10_000]);
        assert_eq!(windows(500), [500]);
        assert_eq!(windows(12_345), [1_000, 2_000, 5_000, 10_000, 12_345]);
    }
}
