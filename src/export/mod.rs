//! Ordered events and model items in other tools' formats, one file per format.

mod background;
mod chrome;
mod event_filter;
mod event_json;
mod event_kind;
mod event_printer;
mod event_text;
mod footprint;
mod go_format;
mod perfetto;
mod protobuf;
mod target;
mod timeline;
mod wire_text;

pub use chrome::Chrome;
pub use event_filter::{EventFilter, Kinds};
pub use event_json::EventJson;
pub use event_kind::KINDS;
pub use event_printer::{EventFormat, EventPrinter, PrintError, StackCache};
pub use event_text::EventText;
pub use footprint::footprint_text;
pub use go_format::utc;
pub use perfetto::Perfetto;
pub use target::Target;
pub use timeline::{LaneKinds, TimelineFormat, TimelineOptions, write_timeline};
pub use wire_text::{write_wire_text, write_wire_text_with_offsets};
