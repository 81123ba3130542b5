//! `gotrace events`.

use super::locate::SourceOptions;
use super::{Result, analyse};
use crate::analysis::{EventsForm, WireEvents, event_kinds, moment};
use crate::cli::terminal;
use crate::export::EventFilter;
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::io::Write;

#[derive(Args)]
pub struct EventsArguments {
    /// Trace to read
    trace: OsString,
    /// Only what is at or after TIME: a duration since the start of the trace (1.5s), a time of
    /// day (12:34:56.7) or a date and time (2026-01-31T12:34:56Z), in UTC
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only what is before TIME
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
    /// Overwrite FILE
    #[arg(long)]
    pub force: bool,
    /// Fail if any part of a trace cannot be read
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
    let open = || {
        let location = arguments.options.locate(&arguments.trace, arguments.force)?;
        analyse(location, arguments.strict)
    };
    if arguments.wire {
        let mut events = WireEvents::new(&arguments.kind)?;
        (events.limit, events.has_offsets) = (arguments.limit, arguments.offsets);
        return open()?.wire_events(&events, out);
    }
    let filter = EventFilter {
        from: moment("--from", arguments.from.as_deref())?,
        to: moment("--to", arguments.to.as_deref())?,
        goroutines: arguments.goroutine.clone(),
        procs: arguments.proc.clone(),
        threads: arguments.thread.clone(),
        kinds: event_kinds(&arguments.kind)?,
        limit: arguments.limit,
    };
    let form = match arguments.format {
        EventsFormat::Text => EventsForm::Text,
        EventsFormat::Jsonl => EventsForm::Jsonl,
    };
    open()?.events(filter, form, out)
}
