//! The programs of `examples/`, which the crate documentation shows, do what they say.

use gotrace::order::TraceReader;
use gotrace::source::{self, Location};
use std::io::{self, Write};
use std::path::Path;

#[path = "../examples/iterate_events.rs"]
#[allow(dead_code, reason = "its main is for the command line")]
mod iterate_events;

#[cfg(feature = "analysis")]
#[path = "../examples/ask_a_trace.rs"]
#[allow(dead_code, reason = "its main is for the command line")]
mod ask_a_trace;

#[cfg(feature = "analysis")]
#[path = "../examples/list_findings.rs"]
#[allow(dead_code, reason = "its main is for the command line")]
mod list_findings;

fn trace(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("testdata/traces").join(name).with_extension("trace").to_str().unwrap().into()
}

#[test]
fn iterate_events_prints_every_event_once_in_order() {
    for name in ["go1.19/sync", "go1.22/gc", "go1.27/mixed"] {
        let trace = trace(name);
        let mut text = Vec::new();
        iterate_events::print_events(&trace, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();

        let reader = TraceReader::new(source::open(&Location::parse(&trace)).unwrap()).unwrap();
        let events = reader.try_for_each(|_, _| Ok::<_, ()>(())).unwrap().events;
        assert!(events > 500, "{name}");
        assert_eq!(text.lines().count() as u64, events, "{name}");

        let times: Vec<i64> =
            text.lines().map(|line| line.split_once(" ns: ").unwrap().0.parse().unwrap()).collect();
        assert!(times[0] == 0 && times.is_sorted_by(|a, b| a < b), "{name}");
        assert!(text.lines().any(|line| line.contains(": GoBlock ")), "{name}");
    }
}

#[test]
fn what_fails_ends_the_reading_and_is_told() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(buf.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(buf.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for name in ["go1.19/sync", "go1.27/mixed"] {
        let error = iterate_events::print_events(&trace(name), &mut Full(200)).unwrap_err();
        let error = error.downcast::<io::Error>().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{name}");
    }
    let error = iterate_events::print_events(&trace("go1.27/none"), &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "no such file");
}

#[cfg(feature = "analysis")]
#[test]
fn ask_a_trace_answers_queries_and_sql_over_several_sources() {
    let ask = |question: &str, names: &[&str]| {
        let sources: Vec<String> = names.iter().map(|name| trace(name)).collect();
        let mut text = Vec::new();
        ask_a_trace::ask(question, &sources, &mut text).map_err(|error| error.to_string())?;
        Ok::<_, String>(String::from_utf8(text).unwrap())
    };
    let events = |name| {
        let reader =
            TraceReader::new(source::open(&Location::parse(trace(name))).unwrap()).unwrap();
        reader.try_for_each(|_, _| Ok::<_, ()>(())).unwrap().events
    };
    let (one, other) = ("go1.19/sync", "go1.27/mixed");
    let counted = ask("select id, events from traces", &[one, other]);
    let expected = format!("id,events\n1,{}\n2,{}\n", events(one), events(other));
    assert_eq!(counted, Ok(expected));
    let goroutines = ask("goroutines", &[other]).unwrap();
    assert!(
        goroutines.starts_with("name,goroutines,") && goroutines.lines().count() > 3,
        "{goroutines}"
    );
    assert_eq!(
        ask("gorutines", &[other]).unwrap_err(),
        "there is no query 'gorutines'; did you mean 'goroutines'?"
    );
    assert!(ask("select", &["go1.27/none"]).unwrap_err().ends_with("none.trace: no such file"));
}

#[cfg(feature = "analysis")]
#[test]
fn list_findings_lists_those_of_the_report_in_their_order() {
    use gotrace::analysis::Analysis;
    let trace = trace("go1.27/boundary");
    let mut text = Vec::new();
    list_findings::list(&trace, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let report = Analysis::open(&[Location::parse(&trace)]).unwrap().report(None).unwrap();
    let headlines: Vec<&str> =
        report.traces[0].findings.iter().map(|finding| finding.headline.as_str()).collect();
    assert!(!headlines.is_empty());
    let shown: Vec<&str> = text.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(shown.len(), headlines.len());
    assert!(shown.iter().zip(&headlines).all(|(line, headline)| line.contains(headline)), "{text}");
}
