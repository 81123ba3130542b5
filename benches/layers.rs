//! How fast the layers are, one on top of the other, on one trace.
//!
//! `cargo bench --bench layers -- TRACE [RUNS [LAYER]]` prints, for each layer (decode, order, model,
//! load, lanes) or for one of them, the median over the runs. Each line includes the work of the lines above
//! it: reading and decoding each thread's events for itself (v2 only, the threads of v1 cannot be read
//! apart), ordering them, building the model, and loading a database. Loading uses a second thread, the
//! others do not. Only lanes stand for themselves: building them from a loaded database, in states; and then
//! how long tiles of the busiest goroutines take at several zooms.

use gotrace::model::*;
use gotrace::order::{Event, Sink, Sync, TraceReader};
use gotrace::source::{self, Location};
use gotrace::store::lanes::{
    GroupBy, Lanes, Measure, Order, OrderRequest, SortBy, TILE_PIXELS, tile,
};
use gotrace::store::{Database, LoadedTrace, NewDatabaseFile};
use gotrace::wire::header::HEADER_LEN;
use gotrace::wire::v2::{Cursor, Generation, Reader, Tables};
use std::path::Path;
use std::time::{Duration, Instant};

/// Takes everything and does nothing; the sums keep the compiler from leaving work out.
#[derive(Default)]
struct Nothing(i64);

impl Sink for Nothing {
    fn sync(&mut self, sync: &Sync, _: Option<&Generation>) {
        self.0 ^= sync.time;
    }
    fn event(&mut self, event: &Event, _: &Tables) {
        self.0 = self.0.wrapping_add(event.time ^ event.goroutine ^ i64::from(event.subject));
    }
}

impl Items for Nothing {
    fn state(&mut self, span: &StateSpan) {
        self.0 = self.0.wrapping_add(span.duration_ns);
    }
    fn goroutine(&mut self, goroutine: &Goroutine) {
        self.0 = self.0.wrapping_add(goroutine.total_ns);
    }
    fn proc_span(&mut self, _: &ProcSpan) {}
    fn proc(&mut self, _: ProcRow, _: &Proc) {}
    fn thread(&mut self, _: ThreadRow, _: &Thread) {}
    fn range(&mut self, _: &Range, _: &Symbols) {}
    fn gc_cycle(&mut self, _: &GcCycle) {}
    fn metric(&mut self, _: &Metric) {}
    fn task(&mut self, _: &Task) {}
    fn region(&mut self, _: &Region<'_>) {}
    fn log(&mut self, _: &Log<'_>) {}
    fn label(&mut self, _: &Label<'_>) {}
    fn sample(&mut self, _: &Sample) {}
    fn generation(&mut self, _: &GenerationSpan) {}
}

fn open(path: &str) -> TraceReader {
    let source =
        source::open(&Location::parse(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    TraceReader::new(source).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Reads all generations and decodes all events, thread by thread; returns how many there are. `None`
/// for the old format.
fn decode(path: &str) -> Option<u64> {
    let mut source = source::open(&Location::parse(path)).expect("it was opened before");
    let version = gotrace::wire::parse_header(source.stream.peek(HEADER_LEN)).expect("is a trace");
    source.stream.consume(HEADER_LEN);
    if !version.is_v2() {
        return None;
    }
    let mut reader = Reader::new(source.stream, version);
    let (mut events, mut sum) = (0, 0i64);
    while let Some(generation) = reader.next_generation() {
        for thread in 0..generation.threads.len() {
            let (mut cursor, mut args) = (Cursor::new(), Default::default());
            while let Ok(Some((_, time))) = generation.next_event(thread, &mut cursor, &mut args) {
                events += 1;
                sum = sum.wrapping_add(time ^ args[0] as i64);
            }
        }
    }
    std::hint::black_box(sum);
    Some(events)
}

/// Loads a database, and removes it.
fn load(path: &str) -> u64 {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    load_into(path, file.path())
}

fn load_into(path: &str, file: &Path) -> u64 {
    let database = NewDatabaseFile::create(file).expect("a new database");
    let mut symbols = Symbols::default();
    let mut loader = database.loader().expect("a loader");
    let trace = open(path);
    let version = trace.version();
    let mut builder = Builder::new(&mut loader, &mut symbols);
    let outcome = trace.read(&mut builder);
    let loaded = LoadedTrace {
        source: path,
        version,
        size_bytes: outcome.size_bytes,
        totals: builder.totals(),
        diagnostics: &outcome.diagnostics.finish(),
        lost_bytes: 0,
        lost_events: 0,
    };
    loader.finish_trace(&loaded).expect("a complete trace");
    database.finish_load(loader, &symbols).expect("a complete database");
    outcome.events
}

/// Builds lanes from a database of the trace, and draws tiles.
fn lanes(path: &str, runs: usize) {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    load_into(path, file.path());
    let database = Database::open(file.path()).expect("a database");
    let build = || Lanes::build(&database, 1, &mut |_| {}).expect("lanes");
    let mut built = build();
    let states = |lanes: &Lanes| lanes.goroutines().iter().map(|one| u64::from(one.states)).sum();
    let (time, count) = median(runs, || {
        built = build();
        states(&built)
    });
    let (seconds, (in_file, in_memory)) = (time.as_secs_f64(), built.bytes());
    println!(
        "{:20} {seconds:8.3} s  {:8.2} million states/s, {:.2} bytes a state in the file, {:.1} MB in memory",
        "lanes",
        count as f64 / seconds / 1e6,
        in_file as f64 / count as f64,
        in_memory as f64 / 1e6
    );
    let request = OrderRequest {
        group: GroupBy::Nothing,
        sort: SortBy::Measure(Measure::States),
        ..OrderRequest::default()
    };
    let started = Instant::now();
    let order = Order::new(&built, &database, &request).expect("an order");
    println!("sorting {} lanes  {:8.3} s", order.rows().len(), started.elapsed().as_secs_f64());
    let folded = Order::new(&built, &database, &OrderRequest::default()).expect("an order");
    let whole = 64 - built.duration_ns().max(1).leading_zeros() as u8;
    for (name, order) in [("busiest", &order), ("groups", &folded)] {
        for z in (0..5).map(|step| whole.saturating_sub(step * 4)) {
            let tiles = (built.duration_ns() as u64 >> z) + 1;
            let (mut times, mut bytes) = (Vec::new(), 0);
            for x in (0..9).map(|at| (tiles - 1) * at / 8) {
                for block in 0..2 {
                    let started = Instant::now();
                    let tile = tile(&built, order, block, z, x, TILE_PIXELS).expect("a tile");
                    times.push(started.elapsed().as_secs_f64() * 1e3);
                    bytes = bytes.max(tile.len());
                }
            }
            times.sort_by(f64::total_cmp);
            println!(
                "tile of {name}, 2^{z} ns {:8.2} ms, at most {:.2} ms and {bytes} bytes",
                times[times.len() / 2],
                times[times.len() - 1]
            );
        }
    }
}

fn median(runs: usize, mut run: impl FnMut() -> u64) -> (Duration, u64) {
    let mut events = 0;
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let started = Instant::now();
            events = run();
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    (times[runs / 2], events)
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(path) = arguments.first() else {
        // Also run, without arguments, by `cargo test --benches`.
        eprintln!("usage: cargo bench --bench layers -- TRACE [RUNS [LAYER]]");
        return;
    };
    let runs = arguments.get(1).and_then(|runs| runs.parse().ok()).unwrap_or(5);
    let report = |name: &str, (time, events): (Duration, u64)| {
        let seconds = time.as_secs_f64();
        println!(
            "{name:20} {seconds:8.3} s  {:8.2} million events/s",
            events as f64 / seconds / 1e6
        );
    };
    let only = arguments.get(2);
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    if wanted("decode") && decode(path).is_some() {
        report("decode", median(runs, || decode(path).unwrap_or(0)));
    }
    if wanted("order") {
        let order = || open(path).read(&mut Nothing::default()).events;
        report("decode and order", median(runs, order));
    }
    if wanted("model") {
        let model = || {
            let (mut nothing, mut symbols) = (Nothing::default(), Symbols::default());
            open(path).read(&mut Builder::new(&mut nothing, &mut symbols)).events
        };
        report("and model", median(runs, model));
    }
    if wanted("load") {
        report("and load", median(runs, || load(path)));
    }
    if wanted("lanes") {
        lanes(path, runs);
    }
}
