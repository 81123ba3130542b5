//! The ordered events of a trace, and its events as they stand in the file.

use super::opened::{Opened, OpenedTrace};
use super::{Error, Result, refuse_loss};
use crate::diagnostic::Diagnostics;
use crate::export::{
    EventFilter, EventFormat, EventJson, EventPrinter, EventText, Kinds, PrintError,
    write_wire_text, write_wire_text_with_offsets,
};
use crate::order::TraceReader;
use crate::store::nearest;
use crate::wire::v2::raw::RawReader;
use crate::wire::v2::spec::ALL;
use std::io::Write;

/// Write when this much text has gathered, bytes.
const WIRE_BUFFER: usize = 1 << 16;
/// Damaged places of which each is reported.
const ERRORS_SHOWN: u64 = 20;

/// Forms of ordered events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventsForm {
    /// As `go tool trace -d=parsed` prints them.
    Text,
    /// One JSON object a line; `docs/events-jsonl.md` lists the keys.
    Jsonl,
}

/// Writes the ordered events of a trace.
///
/// # Errors
/// If it is no trace, if `out` fails, or with `strict` if a part was lost.
pub fn write_events(
    opened: Opened,
    filter: EventFilter,
    form: EventsForm,
    strict: bool,
    out: &mut dyn Write,
) -> Result<()> {
    let OpenedTrace { location, reader, observer, reading } = opened.into_trace()?;
    let outcome = match form {
        EventsForm::Text => print(reader, EventText::filtered(out, filter)),
        EventsForm::Jsonl => print(reader, EventJson::filtered(out, filter)),
    };
    drop(reading);
    let diagnostics = outcome.map_err(|error| match error {
        PrintError::Io(error) => error.into(),
        other => Error::Failed(format!("{location}: {other}")),
    })?;
    observer.was_read(&location, &diagnostics);
    refuse_loss(strict && diagnostics.has_loss(), &location, "")
}

fn print<F: EventFormat>(
    reader: TraceReader,
    mut printer: EventPrinter<&mut dyn Write, F>,
) -> std::result::Result<Diagnostics, PrintError> {
    let outcome = reader.read(&mut printer);
    printer.finish()?;
    Ok(outcome.diagnostics)
}

/// Which events as they stand in the file, and how.
pub struct WireEvents {
    kinds: [bool; 256],
    /// Most events.
    pub limit: Option<u64>,
    /// Whether each line begins with its offset in the unpacked trace.
    pub has_offsets: bool,
}

impl WireEvents {
    /// Events of these names on the wire; all if there is none.
    ///
    /// # Errors
    /// If there are no events of a name.
    pub fn new(names: &[String]) -> Result<WireEvents> {
        let mut kinds = [names.is_empty(); 256];
        for name in names {
            let kind = ALL.iter().find(|kind| kind.name().eq_ignore_ascii_case(name));
            let kind = kind
                .ok_or_else(|| unknown_kind(name, ALL.iter().map(|kind| kind.name()).collect()))?;
            kinds[*kind as usize] = true;
        }
        Ok(WireEvents { kinds, limit: None, has_offsets: false })
    }

    /// Writes the events of a trace in the order of the file.
    ///
    /// # Errors
    /// If it is no trace of Go 1.22 or later, if `out` fails, or with `strict` if a part was lost.
    pub fn write(&self, opened: Opened, strict: bool, out: &mut dyn Write) -> Result<()> {
        opened.expect_trace()?;
        let Opened { location, source, observer, reading, .. } = opened;
        let mut reader = RawReader::new(source)
            .map_err(|error| Error::Failed(format!("{location}: {error}")))?;
        let mut text = Vec::with_capacity(WIRE_BUFFER + 4096);
        let mut left = self.limit.unwrap_or(u64::MAX);
        let mut errors = 0;
        while left > 0 {
            match reader.next_event() {
                Ok(false) => break,
                Ok(true) if !self.kinds[reader.event().kind as usize] => continue,
                Ok(true) if self.has_offsets => write_wire_text_with_offsets(&mut text, &reader),
                Ok(true) => write_wire_text(&mut text, reader.event()),
                Err(error) => {
                    errors += 1;
                    if errors <= ERRORS_SHOWN {
                        observer.remark(&format!("loss: {location}: {error}"));
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
        drop(reading);
        out.write_all(&text)?;
        if errors > ERRORS_SHOWN {
            observer.remark(&format!("{location}: {} more", errors - ERRORS_SHOWN));
        }
        refuse_loss(strict && errors > 0, &location, "")
    }
}

/// The kinds of ordered events that were asked for; `None` for all.
///
/// # Errors
/// If there are no events of a name.
pub fn event_kinds(names: &[String]) -> Result<Option<Box<Kinds>>> {
    let mut kinds = None;
    for name in names {
        if !kinds.get_or_insert_with(|| Box::new(Kinds::none())).add(name) {
            return Err(unknown_kind(name, Kinds::names().collect()));
        }
    }
    Ok(kinds)
}

fn unknown_kind(name: &str, known: Vec<&str>) -> Error {
    // Names are compared in lower case, since users get the case wrong first.
    let lower: Vec<String> = known.iter().map(|name| name.to_ascii_lowercase()).collect();
    let near = nearest(&name.to_ascii_lowercase(), lower.iter().map(String::as_str));
    let near = near.and_then(|near| lower.iter().position(|lower| lower == near));
    let hint = match near {
        Some(near) => format!("did you mean '{}'?", known[near]),
        None => format!("the kinds are {}", known.join(", ")),
    };
    Error::Usage(format!("--kind: there are no events '{name}'; {hint}"))
}
