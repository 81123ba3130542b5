//! `gotrace events`.

use super::locate::SourceOptions;
use super::moments::parse_moment;
use super::opened::Opened;
use super::{CliError, Result, load, say};
use crate::cli::terminal;
use crate::diagnostic::Diagnostics;
use crate::export::{
    EventFilter, EventFormat, EventJson, EventPrinter, EventText, Kinds, PrintError,
    write_wire_text, write_wire_text_with_offsets,
};
use crate::model::Moment;
use crate::order::TraceReader;
use crate::store::nearest;
use crate::wire::v2::raw::RawReader;
use crate::wire::v2::spec::ALL;
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::io::Write;

/// Write when this much text has gathered, bytes.
const WIRE_BUFFER: usize = 1 << 16;
/// Damaged places of which each is reported.
const ERRORS_SHOWN: u64 = 20;

#[derive(Args)]
pub struct EventsArguments {
    /// Trace to read
    trace: OsString,
    /// Only events at or after TIME: a duration since the start of the trace (1.5s), a time of
    /// day (12:34:56.7) or a date and time (2026-01-31T12:34:56Z), in UTC
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only events before TIME
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Only events on or about goroutine N; may be repeated
    #[arg(long, value_name = "N", value_delimiter = ',')]
    goroutine: Vec<i64>,
    /// Only events on or about proc N; may be repeated
    #[arg(long, value_name = "N", value_delimiter = ',')]
    proc: Vec<i64>,
    /// Only events on thread N; may be repeated
    #[arg(long, value_name = "N", value_delimiter = ',')]
    thread: Vec<i64>,
    /// Only events of this kind (StateTransition, RangeBegin, ...) or of this name on the wire
    /// (GoBlock, HeapAlloc, ...); may be repeated
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    kind: Vec<String>,
    /// Stop after N events
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = EventsFormat::Text)]
    format: EventsFormat,
    /// Print the events as they stand in the file, as go tool trace -d=wire does (traces of
    /// Go 1.22 and later); --kind takes names on the wire, of framing and tables too
    #[arg(long, conflicts_with_all = ["from", "to", "goroutine", "proc", "thread", "format"])]
    wire: bool,
    /// With --wire, begin each line with its offset in the (unpacked) trace, and a tab
    #[arg(long, requires = "wire")]
    offsets: bool,
    /// Fail if any part of the trace cannot be read
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    options: SourceOptions,
}

/// Output formats of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EventsFormat {
    /// As go tool trace -d=parsed prints them
    Text,
    /// One JSON object per line; docs/events-jsonl.md lists the keys
    Jsonl,
}

pub fn run(arguments: &EventsArguments) -> Result<()> {
    write(arguments, &mut terminal::output())
}

/// Writes the events to `out`.
pub fn write(arguments: &EventsArguments, out: &mut dyn Write) -> Result<()> {
    if arguments.wire {
        return write_wire(arguments, out);
    }
    let filter = filter(arguments)?;
    let location = arguments.options.locate(&arguments.trace);
    let (reader, progress) = load::open_trace(&location)?;
    let outcome = match arguments.format {
        EventsFormat::Text => print(reader, EventText::filtered(out, filter)),
        EventsFormat::Jsonl => print(reader, EventJson::filtered(out, filter)),
    };
    progress.finish();
    let diagnostics = outcome.map_err(|error| match error {
        PrintError::Io(error) => error.into(),
        other => CliError::Failed(format!("{location}: {other}")),
    })?;
    load::report(&location, &diagnostics);
    if arguments.strict && diagnostics.has_loss() {
        return Err(CliError::Failed(format!(
            "{location}: a part was lost, and --strict was given"
        )));
    }
    Ok(())
}

fn print<F: EventFormat>(
    reader: TraceReader,
    mut printer: EventPrinter<&mut dyn Write, F>,
) -> std::result::Result<Diagnostics, PrintError> {
    let outcome = reader.read(&mut printer);
    printer.finish()?;
    Ok(outcome.diagnostics)
}

/// Prints the events in the order of the file.
fn write_wire(arguments: &EventsArguments, out: &mut dyn Write) -> Result<()> {
    let mut kinds = [arguments.kind.is_empty(); 256];
    for name in &arguments.kind {
        let kind = ALL.iter().find(|kind| kind.name().eq_ignore_ascii_case(name));
        let kind =
            kind.ok_or_else(|| unknown_kind(name, ALL.iter().map(|kind| kind.name()).collect()))?;
        kinds[*kind as usize] = true;
    }
    let location = arguments.options.locate(&arguments.trace);
    let fail = |error: String| CliError::Failed(format!("{location}: {error}"));
    let opened = Opened::new(&location)?;
    opened.expect_trace()?;
    let progress = opened.progress;
    let mut reader = RawReader::new(opened.source).map_err(|error| fail(error.to_string()))?;
    let mut text = Vec::with_capacity(WIRE_BUFFER + 4096);
    let mut left = arguments.limit.unwrap_or(u64::MAX);
    let mut errors = 0;
    while left > 0 {
        match reader.next_event() {
            Ok(false) => break,
            Ok(true) if !kinds[reader.event().kind as usize] => continue,
            Ok(true) if arguments.offsets => write_wire_text_with_offsets(&mut text, &reader),
            Ok(true) => write_wire_text(&mut text, reader.event()),
            Err(error) => {
                errors += 1;
                if errors <= ERRORS_SHOWN {
                    say(&format!("gotrace: loss: {location}: {error}"));
                }
                continue;
            }
        }
        left -= 1;
        if text.len() >= WIRE_BUFFER {
            out.write_all(&text)?;
            text.clear();
        }
    }
    progress.finish();
    out.write_all(&text)?;
    if errors > ERRORS_SHOWN {
        say(&format!("gotrace: {location}: {} more", errors - ERRORS_SHOWN));
    }
    if arguments.strict && errors > 0 {
        return Err(fail("a part was lost, and --strict was given".into()));
    }
    Ok(())
}

/// The conditions as given.
fn filter(arguments: &EventsArguments) -> Result<EventFilter> {
    let mut kinds = None;
    for name in &arguments.kind {
        if !kinds.get_or_insert_with(|| Box::new(Kinds::none())).add(name) {
            return Err(unknown_kind(name, Kinds::names().collect()));
        }
    }
    Ok(EventFilter {
        from: moment("--from", arguments.from.as_deref())?,
        to: moment("--to", arguments.to.as_deref())?,
        goroutines: arguments.goroutine.clone(),
        procs: arguments.proc.clone(),
        threads: arguments.thread.clone(),
        kinds,
        limit: arguments.limit,
    })
}

/// A point in time as given with a flag.
pub fn moment(flag: &str, text: Option<&str>) -> Result<Option<Moment>> {
    let Some(text) = text else { return Ok(None) };
    parse_moment(text).map(Some).ok_or_else(|| {
        CliError::Usage(format!(
            "{flag}: want a duration since the start such as 1.5s, a time of day such as 12:34:56.7 \
             or a time such as 2026-01-31T12:34:56Z, got '{text}'"
        ))
    })
}

fn unknown_kind(name: &str, known: Vec<&str>) -> CliError {
    // Names are compared in lower case, since users get the case wrong first.
    let lower: Vec<String> = known.iter().map(|name| name.to_ascii_lowercase()).collect();
    let near = nearest(&name.to_ascii_lowercase(), lower.iter().map(String::as_str));
    let near = near.and_then(|near| lower.iter().position(|lower| lower == near));
    let hint = match near {
        Some(near) => format!("did you mean '{}'?", known[near]),
        None => format!("the kinds are {}", known.join(", ")),
    };
    CliError::Usage(format!("--kind: there are no events '{name}'; {hint}"))
}
