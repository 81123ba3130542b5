//! Lanes of a timeline show what the database holds, at every zoom.

mod committed;

use committed::damage::{Amount, Random, damages};
use committed::databases::{EDIT, LIMITS, damage};
use committed::{LoadedFile, Trace, check_all, load_file, traces};
use gotrace::store::lanes::*;
use gotrace::store::{Database, Limits};
use rusqlite::Connection;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

/// The class of a state in SQL, as `schema/49_state_totals.sql` has the kinds.
const STATES: &str = "
    select s.goroutine_id, s.id, s.start_ns, s.start_ns + s.duration_ns, case s.code & 7
      when 3 then 1 when 2 then 2 when 5 then 3 when 6 then 4
      when 4 then case
        when r.kind = 'lock' and k.wait_kind in ('gc start', 'gc mark done') then 10
        when r.kind = 'network' then 5 when r.kind = 'lock' then 6 when r.kind = 'channel' then 7
        when r.kind = 'select' then 8 when r.kind = 'sleep' then 9 when r.kind = 'gc' then 10
        when r.kind = 'runtime' then 11 else 12 end
      else 0 end
    from raw_states s
    left join reasons r on r.id = s.reason_id
    left join stacks k on k.id = s.stack_id
    order by s.id";

#[derive(Debug, Clone, Copy)]
struct State {
    id: i64,
    start: i64,
    end: i64,
    class: usize,
}

/// The states of each goroutine, by SQL.
fn states(connection: &Connection) -> HashMap<i64, Vec<State>> {
    let mut all: HashMap<i64, Vec<State>> = HashMap::new();
    let mut statement = connection.prepare(STATES).unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let number = |at| row.get::<_, i64>(at).unwrap();
        let state =
            State { id: number(1), start: number(2), end: number(3), class: number(4) as usize };
        all.entry(number(0)).or_default().push(state);
    }
    all
}

impl State {
    /// What of it lies in a window.
    fn cut(&self, (from, to): (i64, i64)) -> Option<State> {
        let is_in = match self.start < self.end {
            true => self.end > from && self.start < to,
            false => (from..=to).contains(&self.start),
        };
        is_in.then_some(State { start: self.start.max(from), end: self.end.min(to), ..*self })
    }
}

/// Time and number of states by class.
fn sums(states: &[State], window: (i64, i64)) -> [(i64, u64); CLASSES] {
    let mut sums = [(0, 0); CLASSES];
    for state in states.iter().filter_map(|state| state.cut(window)) {
        sums[state.class].0 += state.end - state.start;
        sums[state.class].1 += 1;
    }
    sums
}

fn open(file: &LoadedFile) -> (Database, Lanes) {
    let database = Database::open(&file.path).unwrap();
    let lanes = Lanes::build(&database, 1, &mut |_| {}).unwrap();
    (database, lanes)
}

const ALL: (i64, i64) = (i64::MIN, i64::MAX);

fn ensure(is_so: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(problem()) }
}

/// What must hold of the lanes of goroutines as a whole.
fn check_totals(file: &LoadedFile) -> Result<(), String> {
    let (_, lanes) = open(file);
    let states = states(&file.connection);
    let mut statement = file
        .connection
        .prepare(
            "select id, running_ns, runnable_ns, syscall_ns, syscall_blocked_ns, waiting_ns from goroutines",
        )
        .unwrap();
    let rows = statement
        .query_map([], |row| Ok([0, 1, 2, 3, 4, 5].map(|at| row.get::<_, i64>(at).unwrap())))
        .unwrap();
    let mut count = 0;
    for row in rows {
        let row = row.unwrap();
        let lane = lanes.lane_of_goroutine(row[0]).ok_or("a goroutine has no lane")?;
        let LaneId::Goroutine(number) = lane else { return Err("not a goroutine".into()) };
        let goroutine = lanes.goroutines()[number as usize];
        let found = lanes.sums(lane, ALL).map_err(|error| error.to_string())?;
        let empty = Vec::new();
        let own = states.get(&row[0]).unwrap_or(&empty);
        let want = sums(own, ALL);
        ensure(found.map(|sum| (sum.ns, sum.states)) == want, || {
            format!("goroutine row {}: {found:?}, want {want:?}", row[0])
        })?;
        ensure(goroutine.states as usize == own.len(), || "number of states".into())?;
        let of = |class: Class| found[class as usize].ns;
        let waiting: i64 = Class::ALL.into_iter().filter(|class| class.is_waiting()).map(of).sum();
        let main = [Class::Running, Class::Runnable, Class::Syscall, Class::SyscallBlocked].map(of);
        ensure(main == row[1..5] && waiting == row[5], || {
            format!("goroutine row {row:?}: {main:?}, {waiting}")
        })?;
        count += 1;
    }
    ensure(count == lanes.goroutines().len(), || "other goroutines than in the database".into())
}

#[test]
fn all_time_of_goroutines_is_in_their_lanes() {
    check_all(
        &traces(),
        |trace| trace.name.clone(),
        |trace| check_totals(&load_file(&trace.bytes())?),
    );
}

#[test]
fn lanes_of_damaged_traces_hold_what_their_databases_hold() {
    for name in ["go1.21/mixed", "go1.22/killed", "go1.27/generations"] {
        let whole = Trace::new(name).bytes();
        let mut number = 0;
        for damage in damages(&whole, Amount::SAMPLE, 5).iter().step_by(9) {
            if let Ok(file) = load_file(&damage.apply(&whole)) {
                check_totals(&file).unwrap_or_else(|problem| panic!("{name} {damage}: {problem}"));
                number += 1;
            }
        }
        assert!(number > 5, "{name}: {number}");
    }
}

/// The columns of the canned query `goroutines` that are waits, with their classes.
const WAITS: [(&str, Class); 6] = [
    ("network_ns", Class::Network),
    ("lock_ns", Class::Lock),
    ("channel_ns", Class::Channel),
    ("select_ns", Class::Select),
    ("sleep_ns", Class::Sleep),
    ("gc_ns", Class::Gc),
];

#[test]
fn lanes_of_a_function_sum_up_to_the_query_about_goroutines() {
    let query = include_str!("../queries/goroutines.sql");
    for name in ["go1.19/mixed", "go1.21/gc", "go1.22/waits", "go1.26/gc", "go1.27/http"] {
        let file = load_file(&Trace::new(name).bytes()).unwrap();
        let (database, lanes) = open(&file);
        let order = Order::new(&lanes, &database, &OrderRequest::default()).unwrap();
        // Its function percentile is one of gotrace's own; the columns of it do not matter here.
        let query = query.replace("percentile(g.total_ns, 0.5)", "0");
        let query = query.replace("percentile(g.total_ns, 0.99)", "0");
        let query = query.replace(":trace", "null").replace(":system", "1").replace(":limit", "-1");
        let mut statement = file.connection.prepare(&query).unwrap();
        let mut rows = statement.query([]).unwrap();
        let mut groups = 0;
        while let Some(row) = rows.next().unwrap() {
            let function: Option<String> = row.get("name").unwrap();
            let group = order.groups().iter().find(|group| group.name == function).unwrap();
            let mut found = [0; CLASSES];
            let own = order.lanes_of(group).iter().copied();
            lanes
                .sums_of_all(own, ALL, |_, sums| {
                    (0..CLASSES).for_each(|class| found[class] += sums[class].ns);
                })
                .unwrap();
            for (column, class) in WAITS {
                let want: i64 = row.get(column).unwrap();
                assert_eq!(found[class as usize], want, "{name} {function:?} {column}");
            }
            let other: i64 = row.get("other_ns").unwrap();
            let rest = found[Class::Runtime as usize] + found[Class::Other as usize];
            assert_eq!(rest, other, "{name} {function:?}");
            groups += 1;
        }
        assert_eq!(groups, order.groups().len(), "{name}");
    }
}

/// Checks the items of a window against the states in it.
fn check_items(items: &[Item], states: &[State], window: (i64, i64), quantum: i64) {
    let want: Vec<State> = states.iter().filter_map(|state| state.cut(window)).collect();
    let mut want_at = 0;
    for item in items {
        let count = item.count as usize;
        let own = &want[want_at..want_at + count];
        want_at += count;
        let what = || format!("{window:?} {quantum}: {item:?}, of {own:?}");
        assert!(count > 0, "{}", what());
        let (first, last) = (own[0], own[count - 1]);
        assert_eq!((item.start_ns, item.end_ns), (first.start, last.end), "{}", what());
        assert_eq!(item.state_id, first.id, "{}", what());
        if count > 1 {
            // They begin in one quantum, but for a chunk that reaches into the next.
            let place = |state: &State| (state.start - window.0) / quantum;
            assert!(place(&last) - place(&first) <= 1, "{}", what());
            assert!(own.iter().all(|state| state.end - state.start < quantum), "{}", what());
        }
        let sums = sums(own, ALL);
        let most = sums.iter().map(|sum| sum.0).max().unwrap();
        assert_eq!(sums[item.main as usize].0, most, "{}", what());
        let length = (item.end_ns - item.start_ns) as f64;
        let share = |class: Class| sums[class as usize].0 as f64 / length * 255.0;
        if length > 0.0 {
            assert!((share(item.main) - f64::from(item.main_share)).abs() <= 1.0, "{}", what());
            let second = if item.second == item.main { 0.0 } else { share(item.second) };
            assert!((second - f64::from(item.second_share)).abs() <= 1.0, "{}", what());
        }
    }
    assert_eq!(want_at, want.len(), "{window:?} {quantum}: all states are in an item");
}

#[test]
fn any_window_at_any_zoom_holds_what_sql_finds_there() {
    let mut random = Random::new(17);
    for name in ["go1.19/mixed", "go1.21/killed", "go1.22/churn", "go1.26/gc", "go1.27/generations"]
    {
        let file = load_file(&Trace::new(name).bytes()).unwrap();
        let (_, lanes) = open(&file);
        let states = states(&file.connection);
        let ids: Vec<i64> = states.keys().copied().collect();
        let duration = lanes.duration_ns();
        for _ in 0..400 {
            let id = *random.pick(&ids);
            let (own, lane) = (&states[&id], lanes.lane_of_goroutine(id).unwrap());
            // Borders anywhere, or where states have theirs.
            let mut moment = || match random.below(3) {
                0 => random.pick(own).start,
                1 => random.pick(own).end,
                _ => random.below(duration as usize + 1) as i64,
            };
            let (a, b) = (moment(), moment());
            let window = (a.min(b), a.max(b));
            let quantum = 1 << random.below(40);
            let mut items = Vec::new();
            lanes.items(lane, window, quantum, &mut items).unwrap();
            check_items(&items, own, window, quantum);
            let found = lanes.sums(lane, window).unwrap();
            assert_eq!(found.map(|sum| (sum.ns, sum.states)), sums(own, window), "{name} {id}");
            let columns = lanes.shares(&[lane], window, 1 + random.below(300)).unwrap();
            for (at, column) in columns.iter().enumerate() {
                let length = i128::from(window.1 - window.0);
                let border =
                    |at: usize| window.0 + (length * at as i128 / columns.len() as i128) as i64;
                let (from, to) = (border(at), border(at + 1));
                let want = sums(own, (from, to)).map(|(ns, _)| ns);
                assert_eq!(*column, want, "{name} {id} {window:?} {at} of {}", columns.len());
            }
        }
    }
}

/// A tile, read as its documentation says.
#[derive(Debug)]
struct Tile {
    rows: Vec<TileRow>,
}

#[derive(Debug)]
enum TileRow {
    Items(Vec<(f32, f32, u32, u32)>),
    Shares(Vec<[u8; 8]>),
}

fn read_tile(bytes: &[u8]) -> Tile {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!(&bytes[..4], b"GTL1");
    let mut at = 8 + 8 * number(4) as usize;
    let rows = (0..number(4) as usize).map(|row| {
        let head = 8 + 8 * row;
        assert_eq!(bytes[head + 1..head + 4], [0, 0, 0]);
        let count = number(head + 4) as usize;
        let from = at;
        match bytes[head] {
            0 => {
                at += 16 * count;
                let float = |at| f32::from_bits(number(at));
                let item = |at| (float(at), float(at + 4), number(at + 8), number(at + 12));
                TileRow::Items((0..count).map(|index| item(from + 16 * index)).collect())
            }
            1 => {
                at += 8 * count;
                let columns = bytes[from..at].chunks_exact(8);
                TileRow::Shares(columns.map(|column| column.try_into().unwrap()).collect())
            }
            kind => panic!("kind {kind}"),
        }
    });
    let rows = rows.collect();
    assert_eq!(at, bytes.len(), "nothing is left");
    Tile { rows }
}

#[test]
fn tiles_show_lanes_and_groups() {
    let file = load_file(&Trace::new("go1.27/http").bytes()).unwrap();
    let (database, lanes) = open(&file);
    let folded = Order::new(&lanes, &database, &OrderRequest::default()).unwrap();
    let none = FoldedGroups::Only(Default::default());
    let request = OrderRequest { folded: none, ..OrderRequest::default() };
    let unfolded = Order::new(&lanes, &database, &request).unwrap();
    assert_eq!(folded.rows().len(), folded.groups().len());
    assert_eq!(unfolded.rows().len(), unfolded.groups().len() + lanes.goroutines().len());
    let z = 64 - lanes.duration_ns().leading_zeros() as u8;
    let mut rows = 0;
    for block in 0..unfolded.rows().len().div_ceil(32) as u32 {
        let bytes = tile(&lanes, &unfolded, block, z, 0, 1024).unwrap();
        assert!(bytes.len() <= 8 + 32 * (8 + 4 * 1024), "{}", bytes.len());
        for (at, row) in read_tile(&bytes).rows.iter().enumerate() {
            rows += 1;
            match (unfolded.rows()[block as usize * 32 + at], row) {
                (Row::Group(_), TileRow::Shares(columns)) => {
                    assert_eq!(columns.len(), 256);
                    for column in columns {
                        let all = column[1..7].iter().step_by(2).chain([&column[6]]);
                        assert!(all.map(|&share| u32::from(share)).sum::<u32>() <= 255);
                    }
                }
                (Row::Lane(lane), TileRow::Items(items)) => {
                    let sums = lanes.sums(lane, ALL).unwrap();
                    assert_eq!(items.is_empty(), sums.iter().all(|sum| sum.states == 0));
                    let mut before = 0.0;
                    for &(start, end, state, packed) in items {
                        assert!(before <= start && start <= end && end <= 1024.0);
                        assert!(state > 0 && packed & 15 < CLASSES as u32);
                        before = start;
                    }
                }
                (row, _) => panic!("{row:?} has the wrong kind"),
            }
        }
    }
    assert_eq!(rows, unfolded.rows().len());
    // Far outside: no items, and no trouble.
    for (block, z, x) in
        [(u32::MAX, 30, 0), (0, 62, 1), (0, 62, u64::MAX), (0, 255, 0), (0, 0, 1 << 62)]
    {
        let bytes = tile(&lanes, &unfolded, block, z, x, u32::MAX).unwrap();
        for row in read_tile(&bytes).rows {
            assert!(!matches!(row, TileRow::Items(items) if !items.is_empty()));
        }
    }
}

/// Time by class on each proc or thread, by SQL; idle time from the spans of procs.
fn track_sums(connection: &Connection, is_proc: bool) -> HashMap<i64, [(i64, u64); CLASSES]> {
    let (column, codes) = if is_proc { ("proc", "3, 5") } else { ("thread_id", "3, 5, 6") };
    let sql = format!(
        "select s.{column}, case when s.code & 7 = 3 then
             case when g.id in (select goroutine_id from gc_workers) or f.name glob 'runtime.gcBgMark*'
             then 10 else 1 end
           when s.code & 7 = 5 then 3 else 4 end as class, sum(s.duration_ns), count(*)
         from raw_states s join raw_goroutines g on g.id = s.goroutine_id
         left join functions f on f.id = g.function_id
         where s.code & 7 in ({codes}) and s.{column} is not null
         group by 1, 2"
    );
    let mut sums: HashMap<i64, [(i64, u64); CLASSES]> = HashMap::new();
    let mut statement = connection.prepare(&sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let number = |at| row.get::<_, i64>(at).unwrap();
        sums.entry(number(0)).or_default()[number(1) as usize] = (number(2), number(3) as u64);
    }
    sums
}

/// How long each proc was idle, by its row.
fn idle_times(connection: &Connection) -> HashMap<i64, i64> {
    let mut statement = connection.prepare("select id, idle_ns from procs").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0).unwrap(), row.get(1).unwrap())));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn what_goroutines_did_is_on_the_lanes_of_procs_and_threads() {
    check_all(
        &traces(),
        |trace| trace.name.clone(),
        |trace| {
            let file = load_file(&trace.bytes())?;
            let (_, lanes) = open(&file);
            let own = [Class::Running, Class::Syscall, Class::SyscallBlocked, Class::Gc];
            for is_proc in [true, false] {
                let want = track_sums(&file.connection, is_proc);
                let idle = idle_times(&file.connection);
                let tracks = if is_proc { lanes.procs() } else { lanes.threads() };
                for (place, track) in tracks.iter().enumerate() {
                    let place = place as u32;
                    let lane = if is_proc { LaneId::Proc(place) } else { LaneId::Thread(place) };
                    let found = lanes.sums(lane, ALL).map_err(|error| error.to_string())?;
                    let key = if is_proc { track.number } else { i64::from(track.id) };
                    let want = want.get(&key).copied().unwrap_or_default();
                    if is_proc {
                        let found = found[Class::Undetermined as usize].ns;
                        let want = idle[&i64::from(track.id)];
                        // Old traces have system calls of procs that are idle already.
                        let is_same = found == want || (trace.is_v1() && found < want);
                        ensure(is_same, || format!("proc {key}: idle {found}, want {idle:?}"))?;
                    }
                    for class in own {
                        let (found, want) = (found[class as usize], want[class as usize]);
                        // In old traces calls go on while others run on the proc, and clocks of procs
                        // differ, so that what overlaps on a thread is cut.
                        let is_running = matches!(class, Class::Running | Class::Gc);
                        let is_exact = !trace.is_v1() || (is_proc && is_running);
                        let is_same = found.ns == want.0 || (!is_exact && found.ns < want.0);
                        ensure(is_same && found.states == want.1, || {
                            format!("proc {is_proc} {key} {class:?}: {found:?}, want {want:?}")
                        })?;
                    }
                }
                ensure(
                    want.keys().all(|key| {
                        tracks.iter().any(|track| {
                            *key == if is_proc { track.number } else { i64::from(track.id) }
                        })
                    }),
                    || "a track has no lane".into(),
                )?;
            }
            Ok(())
        },
    );
}

#[test]
fn items_of_procs_are_the_states_that_ran_there() {
    let mut random = Random::new(5);
    let file = load_file(&Trace::new("go1.27/mixed").bytes()).unwrap();
    let (_, lanes) = open(&file);
    let states = states(&file.connection);
    let by_id: HashMap<i64, State> =
        states.values().flatten().map(|state| (state.id, *state)).collect();
    let mut single = 0;
    for _ in 0..300 {
        let lane = match random.below(2) {
            0 => LaneId::Proc(random.below(lanes.procs().len()) as u32),
            _ => LaneId::Thread(random.below(lanes.threads().len()) as u32),
        };
        let duration = lanes.duration_ns() as usize;
        let (a, b) = (random.below(duration) as i64, random.below(duration) as i64);
        let (window, quantum) = ((a.min(b), a.max(b)), 1 << random.below(24));
        let mut items = Vec::new();
        lanes.items(lane, window, quantum, &mut items).unwrap();
        let sums = lanes.sums(lane, window).unwrap();
        let count: u64 = items.iter().map(|item| item.count).sum();
        assert_eq!(count, sums.iter().map(|sum| sum.states).sum::<u64>());
        assert!(items.windows(2).all(|pair| pair[0].end_ns <= pair[1].start_ns));
        for item in items.iter().filter(|item| item.count == 1) {
            if matches!(item.main, Class::Runtime | Class::Undetermined) {
                assert_eq!(item.state_id, 0);
                continue;
            }
            let state = by_id[&item.state_id].cut(window).unwrap();
            assert_eq!((item.start_ns, item.end_ns), (state.start, state.end), "{item:?}");
            single += 1;
        }
    }
    assert!(single > 1000, "{single}");
}

#[test]
fn lanes_are_shown_in_the_order_that_is_asked_for() {
    let file = load_file(&Trace::new("go1.27/http").bytes()).unwrap();
    let (database, lanes) = open(&file);
    let duration = lanes.duration_ns();
    let order = |request: &OrderRequest| Order::new(&lanes, &database, request).unwrap();
    let measures = [
        Measure::Total,
        Measure::Class(Class::Running),
        Measure::Class(Class::Network),
        Measure::Syscall,
        Measure::Waiting,
        Measure::States,
    ];
    for group in [GroupBy::Function, GroupBy::Creator, GroupBy::Nothing] {
        for window in [None, Some((duration / 3, duration / 2))] {
            for measure in measures {
                let sort = SortBy::Measure(measure);
                let request = OrderRequest { group, sort, window, ..OrderRequest::default() };
                let order = order(&request);
                assert_eq!(order.lanes().len(), lanes.goroutines().len());
                let value = |lane: &LaneId| {
                    let sums = lanes.sums(*lane, window.unwrap_or(ALL)).unwrap();
                    let of = |is_in: &dyn Fn(Class) -> bool| -> i64 {
                        let own = Class::ALL.into_iter().filter(|class| is_in(*class));
                        own.map(|class| sums[class as usize].ns).sum()
                    };
                    match measure {
                        Measure::Total => of(&|_| true),
                        Measure::Class(one) => of(&|class| class == one),
                        Measure::Syscall => {
                            of(&|class| matches!(class, Class::Syscall | Class::SyscallBlocked))
                        }
                        Measure::Waiting => of(&|class| class as u8 >= 5),
                        Measure::States => sums.iter().map(|sum| sum.states as i64).sum(),
                    }
                };
                let is_falling = |lanes: &[LaneId]| {
                    lanes.iter().map(value).collect::<Vec<_>>().is_sorted_by(|a, b| a >= b)
                };
                if group == GroupBy::Nothing {
                    assert!(order.groups().is_empty() && is_falling(order.lanes()));
                } else {
                    let of = |group| order.lanes_of(group);
                    assert!(order.groups().iter().all(|group| is_falling(of(group))));
                    let sums: Vec<i64> = order
                        .groups()
                        .iter()
                        .map(|group| of(group).iter().map(value).sum())
                        .collect();
                    assert!(sums.is_sorted_by(|a, b| a >= b), "{measure:?} {sums:?}");
                }
            }
        }
    }
    // Filters, folding, and where a lane is.
    let all = lanes.goroutines().len();
    let filter = LaneFilter { functions: vec!["net/http.*".into()], ..LaneFilter::default() };
    let mut request = OrderRequest { filter, ..OrderRequest::default() };
    let folded = order(&request);
    let names = folded.groups().iter().map(|group| group.name.as_deref().unwrap_or(""));
    assert!(names.clone().count() > 1 && names.clone().all(|name| name.starts_with("net/http.")));
    assert_eq!(folded.lanes().len() + folded.hidden(), all);
    let key = folded.groups()[1].key;
    request.folded = FoldedGroups::AllBut([key].into_iter().collect());
    let unfolded = order(&request);
    assert_eq!(unfolded.rows().len(), folded.rows().len() + folded.groups()[1].lanes.len());
    for &lane in unfolded.lanes() {
        match unfolded.rows()[unfolded.row_of(lane).unwrap()] {
            Row::Lane(shown) => assert_eq!(shown, lane),
            Row::Group(at) => {
                let group = &unfolded.groups()[at as usize];
                assert!(group.is_folded && unfolded.lanes_of(group).contains(&lane));
            }
        }
    }
    let goid = lanes.goroutines()[all / 2].goid;
    request.filter = LaneFilter { goids: vec![goid], ..LaneFilter::default() };
    assert_eq!(order(&request).lanes().len(), 1);
    request.filter = LaneFilter { text: Some("HANDLE".into()), ..LaneFilter::default() };
    let with_text = order(&request);
    assert!(with_text.hidden() > 0);
    let least = Some((Measure::Class(Class::Running), 1_000_000));
    request.filter = LaneFilter { least, ..LaneFilter::default() };
    for lane in order(&request).lanes() {
        assert!(lanes.sums(*lane, ALL).unwrap()[Class::Running as usize].ns >= 1_000_000);
    }
    for (axis, count) in
        [(Axis::Procs, lanes.procs().len()), (Axis::Threads, lanes.threads().len())]
    {
        for sort in [SortBy::Start, SortBy::Name, SortBy::Number, SortBy::Measure(Measure::Total)] {
            let order = order(&OrderRequest { axis, sort, ..OrderRequest::default() });
            assert_eq!((order.rows().len(), order.groups().len()), (count, 0));
        }
    }
}

/// Everything that is asked of lanes; whatever comes out, it comes.
fn ask_everything(path: &Path) -> bool {
    let Ok(database) = Database::open(path) else { return false };
    // Enough time for a busy machine.
    let _ = database.start(Limits { time: Some(Duration::from_secs(10)), ..LIMITS });
    let Ok(lanes) = Lanes::build(&database, 1, &mut |_| {}) else { return false };
    let duration = lanes.duration_ns();
    let windows = [ALL, (0, duration), (duration, 0), (-1, 1), (i64::MAX - 1, i64::MAX)];
    let some = (0..lanes.goroutines().len().min(20) as u32).map(LaneId::Goroutine);
    let procs = (0..lanes.procs().len().min(20) as u32).map(LaneId::Proc);
    let threads = (0..lanes.threads().len().min(20) as u32).map(LaneId::Thread);
    for lane in some.chain(procs).chain(threads).chain([LaneId::Proc(u32::MAX)]) {
        for window in windows {
            let mut items = Vec::new();
            lanes.items(lane, window, 1, &mut items).unwrap();
            lanes.items(lane, window, i64::MAX, &mut items).unwrap();
            lanes.sums(lane, window).unwrap();
            lanes.shares(&[lane], window, 100).unwrap();
        }
    }
    for group in [GroupBy::Function, GroupBy::Creator] {
        let sort = SortBy::Measure(Measure::Total);
        let request = OrderRequest { group, sort, ..OrderRequest::default() };
        let Ok(order) = Order::new(&lanes, &database, &request) else { return false };
        for z in [0, 20, 40, 57, 62] {
            tile(&lanes, &order, 0, z, 0, 1024).unwrap();
        }
    }
    true
}

#[test]
fn hostile_rows_are_shown_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.db");
    for (number, sql) in [
        "update raw_state_ranges set last_state = first_state + 1000",
        "update raw_state_ranges set first_state = last_state, last_state = first_state",
        "update raw_state_ranges set first_state = -9223372036854775808, last_state = 9223372036854775807",
        "update raw_state_ranges set goroutine_id = 1",
        "update raw_state_ranges set goroutine_id = 9223372036854775807 where id % 2",
        "update raw_goroutine_states set duration_ns = -duration_ns",
        "update raw_goroutine_states set duration_ns = 9223372036854775807",
        "update raw_goroutine_states set start_ns = -9223372036854775807 where id % 3",
        "update raw_goroutine_states set start_ns = 9223372036854775807 - start_ns",
        "update raw_goroutine_states set code = -1",
        "update raw_goroutine_states set code = 9223372036854775807",
        "update raw_goroutine_states set proc = 9223372036854775807, thread_id = -1",
        "update raw_goroutine_states set proc = 0, thread_id = 1",
        "update raw_goroutine_states set id = -id",
        "delete from raw_goroutine_states where id % 2",
        "update raw_goroutines set created_ns = -9223372036854775807, goid = 9223372036854775807",
        "update raw_goroutines set id = id * 10000000000",
        "update raw_proc_states set start_ns = -start_ns, duration_ns = 9223372036854775807",
        "update procs set proc = 3",
        "update reasons set id = id * 1000000000",
        "update stacks set wait_kind = 'gc start'",
        "update traces set duration_ns = 9223372036854775807",
        "update traces set duration_ns = -1",
        "delete from raw_state_ranges; delete from procs",
    ]
    .iter()
    .enumerate()
    {
        let file = load_file(&Trace::new("go1.27/sync").bytes()).unwrap();
        let sql = format!("pragma foreign_keys = off; {sql}");
        file.connection.execute_batch(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        std::fs::copy(&file.path, &path).unwrap();
        assert!(ask_everything(&path), "{number} {sql}");
    }
    let (mut random, mut answered) = (Random::new(3), 0);
    for number in 0..60 {
        let script: Vec<u8> =
            (0..EDIT * (1 + number % 4)).map(|_| random.below(256) as u8).collect();
        damage(&script, &path).unwrap();
        answered += usize::from(ask_everything(&path));
    }
    assert!(answered > 5, "{answered}");
}
