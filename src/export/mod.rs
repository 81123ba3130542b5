//! Ordered events and model items in other tools' formats, one file per format.

mod event_filter;
mod event_json;
mod event_kind;
mod event_printer;
mod event_text;
mod footprint;
mod go_format;
mod wire_text;

pub use event_filter::{EventFilter, Kinds, Moment};
pub use event_json::EventJson;
pub use event_kind::KINDS;
pub use event_printer::{EventFormat, EventPrinter, PrintError, StackCache};
pub use event_text::EventText;
pub use footprint::footprint_text;
pub use go_format::utc;
pub use wire_text::{write_wire_text, write_wire_text_with_offsets};
