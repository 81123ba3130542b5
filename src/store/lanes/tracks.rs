//! Lanes of procs and threads, from what goroutines did on them.
//!
//! Comes in: states of goroutines in the order of their rows, and the spans in which threads had procs.
//! Goes out: for each proc and thread its time in order. Rows are grouped by goroutine within stretches
//! of a quarter of a million (`store::state_chunk`), and those stretches follow each other by when
//! states end; so what is sorted within a stretch is in order as a whole.

use super::Track;
use super::class::Class;
use super::packed::{CHUNKS, Entry, Packer};
use super::packed_file::{LaneReader, PackedFile, PackedWriter};
use super::rows::{cut, row, stop_at};
use crate::store::StoreError;
use crate::store::budget::Work;
use crate::store::pages::NULL;
use crate::store::tables::states::rows_of;
use rusqlite::Connection;
use rustc_hash::FxHashMap;

/// Runs that are sorted at a time, at most: more than a stretch has. A power of two.
const MOST_RUNS: usize = 1 << 19;
/// Bits for the place of a run in its stretch.
const PLACE_BITS: u32 = MOST_RUNS.ilog2();
/// Chunks of a range of spans: a range of each track is held while they are read.
const SPAN_CHUNKS: u32 = 2;

/// The procs and threads of a trace, and when threads had procs.
pub struct Spans {
    pub procs: Vec<Track>,
    pub threads: Vec<Track>,
    /// A lane for each of them: procs, then threads.
    file: PackedFile,
}

impl Spans {
    /// Reads them.
    pub fn read(connection: &Connection, work: &Work, trace_id: i64) -> Result<Self, StoreError> {
        let procs = read_tracks(connection, work, "procs", trace_id)?;
        let threads = read_tracks(connection, work, "threads", trace_id)?;
        let mut writer = PackedWriter::new()?;
        let tracks = procs.len() + threads.len();
        work.hold(tracks.saturating_mul(size_of::<(Packer, i64)>()))?;
        let mut lanes: Vec<(Packer, i64)> =
            (0..tracks).map(|_| (Packer::new(true, SPAN_CHUNKS), i64::MIN)).collect();
        let mut push = |lane: usize, mut entry: Entry| -> Result<(), StoreError> {
            let (packer, end_ns) = &mut lanes[lane];
            entry.start_ns = entry.start_ns.max(*end_ns);
            entry.end_ns = entry.end_ns.max(entry.start_ns);
            *end_ns = entry.end_ns;
            if packer.is_full_before(&entry) {
                writer.pay(work)?;
                packer.take(|range| writer.push(lane as u32, &range)).transpose()?;
            }
            packer.push(&entry);
            Ok(())
        };
        let sql =
            "select id, proc_id, start_ns, duration_ns, is_running, open_start, open_end, thread_id
                   from main.raw_proc_states order by id";
        let make = |[_, proc, start, duration, is_running, _, _, thread]: [i64; 8]| {
            let start_ns = cut(start);
            let end_ns = cut(start_ns.saturating_add(duration.max(0)));
            let class = if is_running == 1 { Class::Runtime } else { Class::Undetermined };
            let entry = Entry { start_ns, end_ns, class: class as u8, state_id: 0 };
            let proc = procs.binary_search_by_key(&row(proc), |track| track.id).ok()?;
            Some((proc, row(thread), entry))
        };
        let mut error = None;
        let passed = rows_of(connection, work, Some("raw_proc_states"), sql, make, &mut |some| {
            for &(proc, thread, entry) in some {
                stop_at(push(proc, entry), &mut error)?;
                let thread = threads.binary_search_by_key(&thread, |track| track.id);
                if let (Ok(thread), true) = (thread, entry.class == Class::Runtime as u8) {
                    stop_at(push(procs.len() + thread, entry), &mut error)?;
                }
            }
            Ok(())
        });
        error.map_or(Ok(()), Err)?;
        passed?;
        for (lane, (packer, _)) in lanes.iter_mut().enumerate() {
            writer.pay(work)?;
            packer.take(|range| writer.push(lane as u32, &range)).transpose()?;
        }
        Ok(Spans { procs, threads, file: writer.finish()? })
    }
}

/// What a goroutine did on a proc and a thread.
#[derive(Debug, Clone, Copy)]
struct Run {
    entry: Entry,
    /// Places of the tracks; [`NOWHERE`] for none.
    proc: u32,
    thread: u32,
}

/// No track.
const NOWHERE: u32 = u32::MAX;

/// A lane that grows.
struct Growing<'a> {
    packer: Packer,
    /// Its number in the file.
    lane: u32,
    /// The last run, which the next may cut.
    last: Option<Entry>,
    /// When what is packed ends.
    end_ns: i64,
    /// When a thread had the proc: the span that is not packed wholly, and those behind.
    span: Option<Entry>,
    spans: LaneReader<'a>,
}

impl Growing<'_> {
    /// Adds a run, cut to what lies behind the one before, and the spans before it.
    #[inline(always)]
    fn push(
        &mut self,
        mut run: Entry,
        writer: &mut PackedWriter,
        work: &Work,
    ) -> Result<(), StoreError> {
        run.start_ns = run.start_ns.max(self.end_ns);
        if let Some(mut last) = self.last {
            // Before Go 1.22 nothing tells when a system call lost its proc, so calls last while others
            // run there already; who runs is certain.
            if last.end_ns > run.start_ns && is_call(&last) && !is_call(&run) {
                last.end_ns = run.start_ns.max(last.start_ns);
            }
            run.start_ns = run.start_ns.max(last.end_ns);
            self.pack(&last, writer, work)?;
        }
        self.fill(run.start_ns, writer, work)?;
        run.end_ns = run.end_ns.max(run.start_ns);
        self.last = Some(run);
        Ok(())
    }

    #[inline(always)]
    fn pack(
        &mut self,
        entry: &Entry,
        writer: &mut PackedWriter,
        work: &Work,
    ) -> Result<(), StoreError> {
        if self.packer.is_full_before(entry) {
            writer.pay(work)?;
            self.packer.take(|range| writer.push(self.lane, &range)).transpose()?;
        }
        self.packer.push(entry);
        self.end_ns = entry.end_ns;
        Ok(())
    }

    /// Packs what of the spans lies between what is packed and a time.
    #[inline(always)]
    fn fill(
        &mut self,
        until_ns: i64,
        writer: &mut PackedWriter,
        work: &Work,
    ) -> Result<(), StoreError> {
        while let Some(span) = self.span {
            // What lies in runs is told by them.
            let start_ns = span.start_ns.max(self.end_ns);
            if start_ns >= until_ns && span.end_ns >= until_ns {
                break;
            }
            let end_ns = span.end_ns.min(until_ns);
            if start_ns < end_ns {
                self.pack(&Entry { start_ns, end_ns, ..span }, writer, work)?;
            }
            if span.end_ns > until_ns {
                break;
            }
            work.step()?;
            self.span = self.spans.next()?;
        }
        Ok(())
    }

    fn finish(&mut self, writer: &mut PackedWriter, work: &Work) -> Result<(), StoreError> {
        if let Some(last) = self.last.take() {
            self.pack(&last, writer, work)?;
        }
        self.fill(i64::MAX, writer, work)?;
        writer.pay(work)?;
        self.packer.take(|range| writer.push(self.lane, &range)).transpose()?;
        Ok(())
    }
}

/// Makes lanes of procs and threads.
pub struct Tracks<'a> {
    work: &'a Work,
    threads: &'a [Track],
    /// Place of each proc by its number.
    by_number: FxHashMap<i64, u32>,
    /// Procs, then threads.
    lanes: Vec<Growing<'a>>,
    /// Runs of the stretch.
    runs: Vec<Run>,
    /// Their order: time and place.
    keys: Vec<u64>,
}

impl<'a> Tracks<'a> {
    /// Lanes that are numbered from `first` on: procs, then threads.
    pub fn new(spans: &'a Spans, work: &'a Work, first: u32) -> Result<Self, StoreError> {
        let count = spans.procs.len() + spans.threads.len();
        let of_lane = size_of::<Growing<'_>>() + 2 * size_of::<(i64, u32)>();
        work.hold(count.saturating_mul(of_lane))?;
        work.hold(count.min(spans.file.len()).saturating_mul(8 << 10))?;
        let mut lanes = Vec::with_capacity(count);
        for track in 0..count as u32 {
            let mut own = LaneReader::new(&spans.file, track);
            lanes.push(Growing {
                packer: Packer::new(true, CHUNKS),
                lane: first + track,
                last: None,
                end_ns: i64::MIN,
                span: own.next()?,
                spans: own,
            });
        }
        let procs = spans.procs.iter().enumerate();
        let by_number = procs.map(|(place, proc)| (proc.number, place as u32)).collect();
        let (runs, keys) = (Vec::new(), Vec::new());
        Ok(Tracks { work, threads: &spans.threads, by_number, lanes, runs, keys })
    }

    /// Adds what a goroutine did on a proc, given by its number, and a thread, given by its row.
    #[inline(always)]
    pub fn push(
        &mut self,
        entry: Entry,
        proc: i64,
        thread: u32,
        writer: &mut PackedWriter,
    ) -> Result<(), StoreError> {
        // Without a proc it is where it lost it.
        let is_on_proc = entry.class != Class::SyscallBlocked as u8;
        let proc = if is_on_proc { self.by_number.get(&proc).copied() } else { None };
        let thread = self.threads.binary_search_by_key(&thread, |track| track.id);
        let before = self.lanes.len() - self.threads.len();
        let thread = thread.map_or(NOWHERE, |place| (before + place) as u32);
        let proc = proc.unwrap_or(NOWHERE);
        if proc != NOWHERE || thread != NOWHERE {
            self.work.push(&mut self.runs, Run { entry, proc, thread })?;
            if self.runs.len() >= MOST_RUNS {
                self.end_stretch(writer)?;
            }
        }
        Ok(())
    }

    /// The rows that follow end later.
    pub fn end_stretch(&mut self, writer: &mut PackedWriter) -> Result<(), StoreError> {
        let starts = self.runs.iter().map(|run| run.entry.start_ns);
        let from = starts.clone().min().unwrap_or(0);
        let length = starts.clone().max().unwrap_or(0).saturating_sub(from);
        if length < i64::MAX >> PLACE_BITS {
            self.work.room(&mut self.keys, self.runs.len())?;
            let keys = starts.enumerate();
            self.keys.extend(
                keys.map(|(place, start)| ((start - from) as u64) << PLACE_BITS | place as u64),
            );
            // Numbers are sorted several times as quickly as runs.
            self.keys.sort_unstable();
            // What takes no time comes before what begins then.
            let ends = |key: &u64| self.runs[place_of(*key)].entry.end_ns;
            for same in self.keys.chunk_by_mut(|a, b| a >> PLACE_BITS == b >> PLACE_BITS) {
                if same.len() > 1 {
                    same.sort_by_key(ends);
                }
            }
        } else {
            self.runs.sort_by_key(|run| (run.entry.start_ns, run.entry.end_ns));
            self.keys.extend(0..self.runs.len() as u64);
        }
        for &key in &self.keys {
            let run = &self.runs[place_of(key)];
            for place in [run.proc, run.thread] {
                if let Some(lane) = self.lanes.get_mut(place as usize) {
                    lane.push(run.entry, writer, self.work)?;
                }
            }
        }
        self.keys.clear();
        self.runs.clear();
        Ok(())
    }

    /// Writes what is left.
    pub fn finish(&mut self, writer: &mut PackedWriter) -> Result<(), StoreError> {
        self.end_stretch(writer)?;
        self.lanes.iter_mut().try_for_each(|lane| lane.finish(writer, self.work))
    }
}

/// The place in a key.
#[inline(always)]
fn place_of(key: u64) -> usize {
    key as usize & (MOST_RUNS - 1)
}

/// Whether a goroutine is in a system call.
#[inline(always)]
fn is_call(entry: &Entry) -> bool {
    entry.class == Class::Syscall as u8 || entry.class == Class::SyscallBlocked as u8
}

/// The procs or threads of a trace, in the order of their rows.
fn read_tracks(
    connection: &Connection,
    work: &Work,
    table: &str,
    trace_id: i64,
) -> Result<Vec<Track>, StoreError> {
    let mut tracks = Vec::new();
    let column = table.trim_end_matches('s');
    let sql = format!("select id, trace_id, {column} from main.{table} order by id");
    let make = |[id, trace, number]: [i64; 3]| {
        let is_ours = trace == trace_id && row(id) != 0 && number != NULL;
        is_ours.then_some(Track { id: row(id), number })
    };
    rows_of(connection, work, Some(table), &sql, make, &mut |some| {
        work.room(&mut tracks, some.len())?;
        tracks.extend_from_slice(some);
        Ok(())
    })?;
    tracks.sort_unstable_by_key(|track: &Track| track.id);
    tracks.dedup_by_key(|track| track.id);
    Ok(tracks)
}
