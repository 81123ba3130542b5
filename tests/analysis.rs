//! An analysis answers any number of questions, of sources that can be read once, too, and tells what it
//! does.

use gotrace::analysis::info::Info;
use gotrace::analysis::{
    Analysis, EventsForm, Kind, Observer, Ongoing, Options, ProfileOptions, Shown, Storage,
    ViewForm, Work, write_view,
};
use gotrace::diagnostic::Diagnostics;
use gotrace::export::{EventFilter, Perfetto, Target, TimelineOptions};
use gotrace::profile::from_trace::{TraceProfileOptions, TraceProfileType};
use gotrace::source::Location;
use gotrace::store::{Cell, ColumnInfo, QueryResult, Rows, Unit, Value};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

fn place(name: &str) -> Location {
    Location::Path(testdata(name))
}

const TRACE: &str = "traces/go1.27/mixed.trace";

fn rows(analysis: &mut Analysis, sql: &str) -> Rows {
    let mut rows = Rows::default();
    analysis.query(sql, &[], &mut rows).unwrap();
    rows
}

/// Everything that can be asked of a trace, twice.
fn ask_everything(mut analysis: Analysis) {
    let mut before = None;
    for _ in 0..2 {
        let counts = rows(&mut analysis, "select count(*), sum(total_ns) from goroutines");
        let report = analysis.report(None).unwrap();
        let infos = analysis.info().unwrap();
        let [Info::Trace(info)] = &infos[..] else { panic!("it is a trace") };
        let mut events = Vec::new();
        analysis.events(EventFilter::default(), EventsForm::Text, &mut events).unwrap();
        let options = TraceProfileOptions {
            types: vec![TraceProfileType::Sync],
            ..TraceProfileOptions::default()
        };
        let profiles = analysis.trace_profiles(&options).unwrap();
        let mut timeline = Vec::new();
        {
            let out = Shared(Arc::new(Mutex::new(Vec::new())));
            let format = Perfetto::new(Target::Other(Box::new(out.clone()))).unwrap();
            let format = analysis.timeline(format, &TimelineOptions::default()).unwrap();
            format.finish().unwrap().close().unwrap();
            timeline.append(&mut out.0.lock().unwrap());
        }
        let events = events.iter().filter(|&&byte| byte == b'\n').count();
        assert!(info.totals.events > 500 && events as u64 >= info.totals.events);
        assert!(!profiles[0].samples.is_empty() && timeline.len() > 10_000);
        let now = (counts.rows, report.traces[0].findings.len(), events, profiles[0].samples.len());
        assert_eq!(*before.get_or_insert(now.clone()), now);
    }
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn everything_can_be_asked_again_of_a_file() {
    ask_everything(Analysis::open(&[place(TRACE)]).unwrap());
}

#[cfg(unix)]
#[test]
fn everything_can_be_asked_again_of_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let name = std::ffi::CString::new(pipe.to_str().unwrap()).unwrap();
    // SAFETY: the name is a string that ends with 0.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    let feed = |pipe: PathBuf| {
        std::thread::spawn(move || std::fs::write(pipe, std::fs::read(testdata(TRACE)).unwrap()))
    };
    let writer = feed(pipe.clone());
    ask_everything(Analysis::open(&[Location::Path(pipe.clone())]).unwrap());
    writer.join().unwrap().unwrap();

    // Asked for one thing only, it is not copied, and says so the second time.
    let writer = feed(pipe.clone());
    let options = Options { is_for_one_question: true, ..Options::default() };
    let mut analysis = Analysis::with(&[Location::Path(pipe)], options).unwrap();
    analysis.info().unwrap();
    let error = analysis.info().err().unwrap().to_string();
    assert!(error.ends_with("it was read already, and can be read only once"), "{error}");
    writer.join().unwrap().unwrap();
}

#[test]
fn traces_and_profiles_are_one_database_in_a_file_or_in_memory() {
    let heap = "profiles/go1.27/heap.pb.gz";
    let sources = [place(TRACE), place(heap), place("traces/go1.19/sync.trace")];
    let mut answers = Vec::new();
    for storage in [Storage::TemporaryFile, Storage::Memory] {
        let mut analysis =
            Analysis::with(&sources, Options { storage, ..Options::default() }).unwrap();
        let kinds: Vec<Kind> = analysis.sources().map(|(_, kind)| kind.clone()).collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Trace).count(), 2);
        assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Profile).count(), 1);
        let sql = "select (select count(*) from traces), (select count(*) from profiles),
                     (select sum(duration_ns) from goroutine_states),
                     (select sum(value) from profile_samples)";
        answers.push(rows(&mut analysis, sql).rows);
        assert_eq!(answers[0][0][..2], [Value::Integer(2), Value::Integer(1)]);
        assert_eq!(analysis.report(None).unwrap().traces.len(), 2);
        let error = analysis.trace_profiles(&TraceProfileOptions::default()).unwrap_err();
        assert_eq!(error.to_string(), "this is asked of one trace; here are 3 sources");
    }
    assert_eq!(answers[0], answers[1]);
}

/// Writes down what it is told.
#[derive(Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Observer for Notes {
    fn begins(&self, work: Work) -> Ongoing {
        struct Ends(Arc<Mutex<Vec<String>>>, gotrace::source::Position, Option<u64>);
        impl Drop for Ends {
            fn drop(&mut self) {
                let is_whole = Some(self.1.get()) == self.2;
                self.0.lock().unwrap().push(format!("ends, read to the end: {is_whole}"));
            }
        }
        let Work::Reading { size_bytes, position, .. } = work else { panic!("nothing records") };
        self.0.lock().unwrap().push("begins".into());
        Ongoing::until_dropped(Ends(self.0.clone(), position, size_bytes))
    }

    fn was_read(&self, _: &Location, diagnostics: &Diagnostics) {
        self.0.lock().unwrap().push(format!("has loss: {}", diagnostics.has_loss()));
    }
}

#[test]
fn an_observer_is_told_of_work_and_damage_and_the_analysis_keeps_the_damage() {
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.trace");
    let bytes = std::fs::read(testdata(TRACE)).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let notes = Arc::new(Mutex::new(Vec::new()));
    let options =
        |strict| Options { strict, observer: Arc::new(Notes(notes.clone())), ..Options::default() };
    let location = Location::Path(cut);
    let mut analysis = Analysis::with(std::slice::from_ref(&location), options(false)).unwrap();
    assert_eq!(*notes.lock().unwrap(), ["begins"]);
    assert!(analysis.diagnostics().is_empty());
    analysis.database().unwrap();
    let told = ["begins", "ends, read to the end: true", "has loss: true"];
    assert_eq!(*notes.lock().unwrap(), told);
    let kept = analysis.diagnostics();
    let sql = "select distinct code from diagnostics
               where code != 'too-many-diagnostics' order by code";
    let codes = rows(&mut analysis, sql).rows;
    let mut seen: Vec<Value> =
        kept.iter().map(|(_, found)| Value::Text(found.code.as_str().into())).collect();
    seen.sort_by_key(|code| format!("{code:?}"));
    seen.dedup();
    assert_eq!(codes.concat(), seen);
    assert!(kept.iter().all(|(of, _)| *of == location) && !kept.is_empty());

    let mut strict = Analysis::with(&[location], options(true)).unwrap();
    let error = strict.database().err().unwrap().to_string();
    assert!(error.ends_with("a part was lost, and --strict was given"), "{error}");
}

#[test]
fn columns_of_relations_and_canned_queries_come_with_type_unit_and_meaning() {
    let mut analysis = Analysis::open(&[place(TRACE)]).unwrap();
    let all = rows(&mut analysis, "select start_ns, kind, 1 as one from waits limit 1");
    assert_eq!(all.columns[0].unit, Some(Unit::Nanoseconds));
    assert_eq!(all.columns[2], ColumnInfo::named("one"));
    let table = rows(&mut analysis, "select t.size_bytes as b from traces t");
    let [size] = &table.columns[..] else { panic!("one column") };
    assert_eq!((size.name.as_str(), size.unit), ("b", None));
    assert_eq!(size.ty.as_deref(), Some("integer"));
    assert!(size.doc.as_deref().is_some_and(|doc| doc.contains("after unpacking")), "{size:?}");
    let canned = rows(&mut analysis, "goroutines");
    assert!(canned.columns.iter().all(|column| column.doc.is_some() && column.ty.is_some()));
}

#[test]
fn a_result_comes_in_batches_of_bounded_size_and_whole() {
    #[derive(Default)]
    struct Count {
        sizes: Vec<usize>,
        sum: i64,
    }
    impl QueryResult for Count {
        fn columns(&mut self, columns: &[ColumnInfo]) -> std::io::Result<()> {
            assert_eq!(columns.len(), 2);
            Ok(())
        }
        fn batch(&mut self, batch: &gotrace::store::Batch) -> std::io::Result<()> {
            self.sizes.push(batch.rows());
            for row in 0..batch.rows() {
                if let (Cell::Integer(number), Cell::Text(text)) =
                    (batch.cell(row, 0), batch.cell(row, 1))
                {
                    assert_eq!(text.len(), number as usize % 7);
                    self.sum += number;
                }
            }
            Ok(())
        }
    }
    let mut analysis = Analysis::open(&[place(TRACE)]).unwrap();
    let mut count = Count::default();
    let sql = "with recursive n(x) as (select 1 union all select x + 1 from n limit 5000)
               select x, printf('%.*c', x % 7, 'x') from n where x % 7 > 0";
    let total = analysis.query(sql, &[], &mut count).unwrap();
    assert_eq!(count.sizes.iter().sum::<usize>() as u64, total);
    assert!(count.sizes.len() > 3 && count.sizes.iter().all(|&size| size <= 1024));
    assert_eq!(count.sum, (1..=5000).filter(|x| x % 7 > 0).sum::<i64>());
    // Long texts make small batches.
    let mut count = Count::default();
    let long = "with recursive n(x) as (select 7 union all select x + 7 from n limit 8)
                select x, zeroblob(600000) from n";
    analysis.query(long, &[], &mut count).unwrap();
    assert_eq!(count.sizes, [2, 2, 2, 2]);
}

#[test]
fn profiles_of_several_sources_are_merged_and_shown_in_every_form() {
    use gotrace::profile::{Config, Report, View};
    let heap = place("profiles/go1.27/heap.pb.gz");
    let total = |sources: &[Location]| {
        let profile = Analysis::open(sources).unwrap().profile(&ProfileOptions::default()).unwrap();
        Report::new(profile, View::Top, None, &Config::default()).unwrap().total()
    };
    let one = total(std::slice::from_ref(&heap));
    assert!(one > 0);
    assert_eq!(total(&[heap.clone(), heap.clone()]), 2 * one);

    let error = Analysis::open(&[place(TRACE)]).unwrap().profile(&ProfileOptions::default());
    assert!(error.err().unwrap().to_string().contains("say with --type what to measure"));
    let measure = TraceProfileOptions {
        types: vec![TraceProfileType::Sync],
        ..TraceProfileOptions::default()
    };
    let options = ProfileOptions { measure: Some(measure), ..ProfileOptions::default() };
    let mut analysis = Analysis::open(&[place(TRACE)]).unwrap();
    for (shown, form, start) in [
        (Shown::Report(View::Top), ViewForm::Text, "Type: delay"),
        (Shown::Report(View::Top), ViewForm::Json, "{"),
        (Shown::Report(View::Top), ViewForm::Csv, "function,inline,flat,cum"),
        (Shown::Graph, ViewForm::Svg, "<svg"),
        (Shown::Flame, ViewForm::Svg, "<svg"),
    ] {
        let profile = analysis.profile(&options).unwrap();
        let report = Report::new(profile, shown.view(), None, &Config::default()).unwrap();
        let mut out = Vec::new();
        write_view(report, shown, form, &Default::default(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(start) && text.len() > 100, "{shown:?} {form:?}: {text:.200}");
    }
}
