//! Every export is read back, and must hold together.

mod committed;

use committed::{Trace, check_all, load_file, source_of, traces};
use gotrace::export::{Chrome, LaneKinds, Perfetto, TimelineOptions, write_timeline};
use gotrace::model::{Moment, NamePattern, Selection};
use gotrace::order::TraceReader;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

const ALL: LaneKinds = LaneKinds { procs: true, threads: true, goroutines: true };

fn options(lanes: LaneKinds) -> TimelineOptions {
    TimelineOptions {
        selection: Selection::default(),
        lanes,
        has_flows: true,
        counters_every_ns: 100_000,
    }
}

fn reader(trace: &Trace) -> TraceReader {
    TraceReader::new(source_of(&trace.bytes())).unwrap()
}

fn perfetto(trace: &Trace, options: &TimelineOptions) -> Vec<u8> {
    let format = Perfetto::new(Vec::new()).unwrap();
    let (format, _) = write_timeline(reader(trace), format, "trace", options).unwrap();
    format.finish().unwrap()
}

fn chrome(trace: &Trace, options: &TimelineOptions) -> Vec<u8> {
    let format = Chrome::new(Vec::new()).unwrap();
    let (format, _) = write_timeline(reader(trace), format, "trace", options).unwrap();
    format.finish().unwrap()
}

/// The fields of a message of protocol buffers.
#[derive(Debug, Default, Clone)]
struct Message<'a>(Vec<(u64, Field<'a>)>);

#[derive(Debug, Clone, Copy)]
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Message<'a> {
    fn parse(mut bytes: &'a [u8]) -> Result<Self, String> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let tag = varint(&mut bytes)?;
            let field = match tag & 7 {
                0 => Field::Number(varint(&mut bytes)?),
                1 => {
                    let (number, rest) = bytes.split_at_checked(8).ok_or("short fixed64")?;
                    bytes = rest;
                    Field::Number(u64::from_le_bytes(number.try_into().unwrap()))
                }
                2 => {
                    let len = varint(&mut bytes)? as usize;
                    let (content, rest) = bytes.split_at_checked(len).ok_or("short bytes")?;
                    bytes = rest;
                    Field::Bytes(content)
                }
                other => return Err(format!("wire type {other}")),
            };
            fields.push((tag >> 3, field));
        }
        Ok(Message(fields))
    }

    fn number(&self, wanted: u64) -> Option<u64> {
        self.0.iter().find_map(|(field, value)| match value {
            Field::Number(number) if *field == wanted => Some(*number),
            _ => None,
        })
    }

    fn all(&self, wanted: u64) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter_map(move |(field, value)| match value {
            Field::Bytes(bytes) if *field == wanted => Some(*bytes),
            _ => None,
        })
    }

    fn message(&self, wanted: u64) -> Option<Message<'a>> {
        self.all(wanted).next().map(|bytes| Message::parse(bytes).unwrap())
    }

    fn text(&self, wanted: u64) -> String {
        self.all(wanted)
            .next()
            .map_or(String::new(), |bytes| String::from_utf8(bytes.into()).unwrap())
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0;
    for shift in (0..70).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or("short varint")?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err("long varint".into())
}

/// A Perfetto trace: tracks with name and parent, and slices with name, begin, end and depth.
#[derive(Debug, Default)]
struct Timeline {
    tracks: HashMap<u64, (String, u64)>,
    slices: HashMap<u64, Vec<(String, u64, u64, usize)>>,
    instants: usize,
    counters: HashMap<u64, Vec<(u64, u64)>>,
    flows: BTreeMap<u64, Vec<(u64, bool)>>,
    clocks: usize,
}

impl Timeline {
    fn read(bytes: &[u8]) -> Result<Timeline, String> {
        let mut timeline = Timeline::default();
        let mut names: HashMap<u64, String> = HashMap::new();
        let mut events: Vec<(u64, Message<'_>)> = Vec::new();
        for packet in Message::parse(bytes)?.all(1) {
            let packet = Message::parse(packet)?;
            if packet.number(10) != Some(1) {
                return Err("a packet without its sequence".into());
            }
            if let Some(data) = packet.message(12) {
                for name in data.all(2) {
                    let name = Message::parse(name)?;
                    names.insert(name.number(1).ok_or("a name without number")?, name.text(2));
                }
            }
            if let Some(track) = packet.message(60) {
                let parent = track.number(5).unwrap_or(0);
                if parent != 0 && !timeline.tracks.contains_key(&parent) {
                    return Err("a track before its parent".into());
                }
                let id = track.number(1).ok_or("a track without number")?;
                if timeline.tracks.insert(id, (track.text(2), parent)).is_some() {
                    return Err(format!("track {id} is there twice"));
                }
            }
            timeline.clocks += packet.all(6).count();
            if let Some(event) = packet.message(11) {
                events.push((packet.number(8).ok_or("an event without time")?, event));
            }
        }
        // Stable, as in trace_processor: events of one time stay in the order of the file.
        events.sort_by_key(|event| event.0);
        timeline.replay(&events, &names)?;
        Ok(timeline)
    }

    fn replay(
        &mut self,
        events: &[(u64, Message<'_>)],
        names: &HashMap<u64, String>,
    ) -> Result<(), String> {
        let mut open: HashMap<u64, Vec<(String, u64)>> = HashMap::new();
        for (time, event) in events {
            let track = event.number(11).ok_or("an event without track")?;
            if !self.tracks.contains_key(&track) {
                return Err(format!("there is no track {track}"));
            }
            let name = match event.number(10) {
                Some(iid) => names.get(&iid).ok_or("a name that was not interned")?.clone(),
                None => event.text(23),
            };
            match event.number(9) {
                Some(1) => open.entry(track).or_default().push((name, *time)),
                Some(2) => {
                    let stack = open.entry(track).or_default();
                    let (name, begin) = stack.pop().ok_or("an end without a beginning")?;
                    let depth = stack.len();
                    self.slices.entry(track).or_default().push((name, begin, *time, depth));
                }
                Some(3) => self.instants += 1,
                Some(4) => {
                    let value = event.number(30).ok_or("a counter without value")?;
                    self.counters.entry(track).or_default().push((*time, value));
                }
                other => return Err(format!("an event of type {other:?}")),
            }
            for (field, is_end) in [(47, false), (48, true)] {
                if let Some(flow) = event.number(field) {
                    self.flows.entry(flow).or_default().push((*time, is_end));
                }
            }
        }
        if let Some(stack) = open.values().find(|stack| !stack.is_empty()) {
            return Err(format!("slices that do not end: {stack:?}"));
        }
        for (flow, ends) in &self.flows {
            if !matches!(ends[..], [(_, false), (_, true)]) {
                return Err(format!("arrow {flow} has the ends {ends:?}"));
            }
        }
        Ok(())
    }

    /// Names from below the trace to the track.
    fn path(&self, mut track: u64) -> Vec<String> {
        let mut path = Vec::new();
        while let Some((name, parent)) = self.tracks.get(&track) {
            if *parent != 0 {
                path.insert(0, name.clone());
            }
            track = *parent;
        }
        path
    }

    /// For each goroutine its number and the time in slices of a name, sorted.
    fn times(&self, state: &str) -> Vec<(i64, i64)> {
        let mut times = Vec::new();
        for &track in self.tracks.keys() {
            let path = self.path(track);
            if path.len() == 3 && path[0] == "Goroutines" {
                let goid = path[2][1..].split(' ').next().unwrap().parse().unwrap();
                let slices = self.slices.get(&track).map_or(&[][..], |slices| slices);
                let of_state = slices.iter().filter(|slice| slice.0.starts_with(state));
                times.push((goid, of_state.map(|slice| (slice.2 - slice.1) as i64).sum()));
            }
        }
        times.sort();
        times
    }

    fn groups(&self) -> Vec<String> {
        let mut groups: Vec<String> =
            self.tracks.keys().filter_map(|&track| self.path(track).into_iter().next()).collect();
        groups.sort();
        groups.dedup();
        groups
    }
}

#[test]
fn perfetto_slices_nest_arrows_have_two_ends_and_states_add_up_to_the_database() {
    check_all(
        &traces(),
        |trace| trace.name.clone(),
        |trace| {
            let timeline = Timeline::read(&perfetto(trace, &options(ALL)))?;
            let database = load_file(&trace.bytes())?;
            for (state, column) in [
                ("running", "running_ns"),
                ("runnable", "runnable_ns"),
                ("waiting", "waiting_ns"),
                ("syscall", "syscall_ns + syscall_blocked_ns"),
            ] {
                let sql = format!("select goid, {column} from goroutines order by 1, 2");
                let mut statement = database.connection.prepare(&sql).unwrap();
                let want: Vec<(i64, i64)> = statement
                    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
                    .unwrap()
                    .map(Result::unwrap)
                    .collect();
                let got = timeline.times(state);
                if got != want {
                    return Err(format!("{state}: {got:?}\nwant {want:?}"));
                }
            }
            if !timeline.slices.values().flatten().any(|slice| slice.3 == 0) {
                return Err("there is no slice".into());
            }
            Ok(())
        },
    );
}

#[test]
fn perfetto_shows_all_that_the_program_did() {
    let trace = Trace::new("go1.27/mixed");
    let timeline = Timeline::read(&perfetto(&trace, &options(ALL))).unwrap();
    assert_eq!(timeline.groups(), ["Counters", "GC", "Goroutines", "Procs", "Tasks", "Threads"]);
    assert_eq!(timeline.clocks, 1);
    assert!(timeline.flows.len() > 60 && timeline.instants > 60);
    let has = |path: &[&str]| timeline.tracks.keys().any(|&track| timeline.path(track) == path);
    assert!(has(&["Counters", "heap live"]));
    assert!(has(&["Goroutines", "main.run.func1", "G10 main.run.func1"]));
    assert!(has(&["Goroutines", "main.run.func1", "G10 main.run.func1", "regions"]));
    assert!(has(&["Tasks", "order"]));
    assert!(!timeline.tracks.values().any(|(name, _)| name.starts_with("Proc 0 (")));
    let count = |name: &str| timeline.slices.values().flatten().filter(|one| one.0 == name).count();
    let database = load_file(&trace.bytes()).unwrap();
    let rows = |sql: &str| -> usize {
        database.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() as usize
    };
    assert_eq!(count("price"), rows("select count(*) from regions where type = 'price'"));
    assert_eq!(count("order"), rows("select count(*) from tasks where type = 'order'"));
    assert_eq!(
        count("waiting (chan receive)"),
        rows("select count(*) from goroutine_states where reason = 'chan receive'")
    );
    assert_eq!(count("GC"), rows("select count(*) from gc_cycles"));
}

#[test]
fn a_part_of_the_time_or_of_the_goroutines_is_cut_out_whole() {
    let trace = Trace::new("go1.27/mixed");
    let whole = Timeline::read(&perfetto(&trace, &options(ALL))).unwrap();
    let mut cut = options(ALL);
    cut.selection.from = Some(Moment::SinceStart(20_000_000));
    cut.selection.to = Some(Moment::SinceStart(30_000_000));
    let part = Timeline::read(&perfetto(&trace, &cut)).unwrap();
    let slices = part.slices.values().flatten();
    assert!(slices.clone().count() > 100);
    assert!(slices.clone().all(|one| one.1 >= 20_000_000 && one.2 <= 30_000_000));
    let lives: i64 = ["running", "runnable", "waiting", "syscall"]
        .iter()
        .flat_map(|state| part.times(state))
        .filter(|(goid, _)| *goid == 1)
        .map(|(_, ns)| ns)
        .sum();
    assert_eq!(lives, 10_000_000);

    let mut some = options(ALL);
    some.selection.functions.push(NamePattern::new("main.run.*"));
    let some = Timeline::read(&perfetto(&trace, &some)).unwrap();
    assert_eq!(some.times("running").len(), 4);
    let of_whole: Vec<_> = whole
        .times("running")
        .into_iter()
        .filter(|one| some.times("running").contains(one))
        .collect();
    assert_eq!(some.times("running"), of_whole);
    assert!(!some.groups().contains(&"Counters".to_owned()));

    let mut without = options(ALL);
    without.has_flows = false;
    let without = Timeline::read(&perfetto(&trace, &without)).unwrap();
    assert!(without.flows.is_empty());
    assert_eq!(without.times("waiting"), whole.times("waiting"));
}

#[test]
fn counters_have_no_more_points_than_asked_for() {
    let trace = Trace::new("go1.27/gc");
    let points = |every_ns: i64| {
        let options = TimelineOptions { counters_every_ns: every_ns, ..options(ALL) };
        let timeline = Timeline::read(&perfetto(&trace, &options)).unwrap();
        let heap = timeline.tracks.iter().find(|(_, (name, _))| name == "heap live").unwrap().0;
        timeline.counters[heap].clone()
    };
    let (all, few) = (points(0), points(1_000_000));
    assert!(all.len() > few.len() && few.len() > 10, "{} {}", all.len(), few.len());
    assert_eq!(all.last(), few.last());
    // The last value before an interval ends is kept, too: never more than two in one.
    for window in few.windows(4) {
        assert!(window[3].0 - window[0].0 >= 1_000_000 || window[3] == *few.last().unwrap());
    }
}

/// An end of an arrow: phase, process and thread, time in nanoseconds.
type End = (char, (u64, u64), i64);

/// Checks the nesting of slices on each thread, and that arrows leave and reach slices.
fn check_chrome(bytes: &[u8]) -> Result<HashMap<String, usize>, String> {
    let file: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let mut slices: BTreeMap<(u64, u64), Vec<(i64, i64)>> = BTreeMap::new();
    let mut flows: BTreeMap<u64, Vec<End>> = BTreeMap::new();
    let mut counts = HashMap::new();
    let ns = |value: &Value| (value.as_f64().unwrap() * 1000.0).round() as i64;
    for event in file["traceEvents"].as_array().ok_or("no traceEvents")? {
        let phase = event["ph"].as_str().unwrap().chars().next().unwrap();
        *counts.entry(phase.to_string()).or_insert(0) += 1;
        let lane = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        match phase {
            'X' => {
                let (start, len) = (ns(&event["ts"]), ns(&event["dur"]));
                slices.entry(lane).or_default().push((start, start + len));
                if let Some(frame) = event["sf"].as_str()
                    && file["stackFrames"][frame]["name"].as_str().is_none()
                {
                    return Err(format!("there is no frame {frame}"));
                }
            }
            's' | 'f' => {
                let id = event["id"].as_u64().unwrap();
                flows.entry(id).or_default().push((phase, lane, ns(&event["ts"])));
            }
            'M' | 'C' | 'i' => {}
            other => return Err(format!("phase {other}")),
        }
    }
    for (lane, slices) in &mut slices {
        slices.sort_by_key(|slice| (slice.0, -slice.1));
        let mut open: Vec<(i64, i64)> = Vec::new();
        for &slice in slices.iter() {
            while open.last().is_some_and(|outer| outer.1 <= slice.0) {
                open.pop();
            }
            if open.last().is_some_and(|outer| outer.1 < slice.1) {
                return Err(format!("{lane:?}: {slice:?} is not inside {:?}", open.last()));
            }
            open.push(slice);
        }
    }
    for (id, mut ends) in flows {
        ends.sort_by_key(|end| (end.2, end.0 == 'f'));
        let [('s', from, left), ('f', to, reached)] = ends[..] else {
            return Err(format!("arrow {id} has the ends {ends:?}"));
        };
        let is_in = |lane, time| {
            slices.get(&lane).is_some_and(|slices: &Vec<(i64, i64)>| {
                let behind = slices.partition_point(|slice| slice.0 <= time);
                slices[..behind].iter().rev().take(64).any(|slice| time <= slice.1)
            })
        };
        if !is_in(from, left) || !is_in(to, reached) {
            return Err(format!("arrow {id} hangs in the air: {ends:?}"));
        }
    }
    Ok(counts)
}

#[test]
fn chrome_slices_nest_and_arrows_lead_from_slice_to_slice() {
    let procs = LaneKinds { procs: true, threads: false, goroutines: false };
    let threads = LaneKinds { procs: false, threads: true, goroutines: false };
    let goroutines = LaneKinds { procs: false, threads: false, goroutines: true };
    check_all(
        &traces(),
        |trace| trace.name.clone(),
        |trace| {
            for lanes in [procs, threads, goroutines, ALL] {
                let counts = check_chrome(&chrome(trace, &options(lanes)))
                    .map_err(|error| format!("{lanes:?}: {error}"))?;
                if !counts.contains_key("X") {
                    return Err("there is no slice".into());
                }
            }
            Ok(())
        },
    );
    let counts = check_chrome(&chrome(&Trace::new("go1.27/mixed"), &options(procs))).unwrap();
    assert!(counts["s"] > 60 && counts["s"] == counts["f"] && counts["C"] > 50, "{counts:?}");
}

#[test]
fn two_exports_are_byte_for_byte_equal() {
    for name in ["go1.27/mixed", "go1.21/gc", "go1.23/syscalls", "go1.27/killed"] {
        let trace = Trace::new(name);
        let options = options(ALL);
        assert_eq!(perfetto(&trace, &options), perfetto(&trace, &options), "{name}");
        assert_eq!(chrome(&trace, &options), chrome(&trace, &options), "{name}");
    }
}
