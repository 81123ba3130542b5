//! How many bytes of a trace each wire event takes.
//!
//! Comes in: the batches of a trace, as they are read. Goes out: count and bytes by event. The
//! figures are those of `go tool trace -d=footprint`: framing and tables are events too, and every
//! number counts as short as it can be written.
//!
//! Source: Go 1.27 `cmd/trace/main.go`, debugEventsFootprint.

use super::raw::{RawEvent, decode};
use super::spec::EventType;
use crate::wire::Version;

/// What the events of one kind come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventFootprint {
    /// How many there are.
    pub count: u64,
    /// Their length.
    pub bytes: u64,
}

/// [`EventFootprint`] by event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footprint {
    events: [EventFootprint; 256],
}

impl Default for Footprint {
    fn default() -> Self {
        Footprint { events: [EventFootprint::default(); 256] }
    }
}

impl Footprint {
    /// Counts an event.
    pub fn add(&mut self, event: &RawEvent) {
        let of_kind = &mut self.events[event.kind as usize];
        of_kind.count += 1;
        of_kind.bytes += event.encoded_len() as u64;
    }

    /// Counts the events of a batch, header included. Behind a damaged event nothing is counted.
    pub(super) fn add_batch(&mut self, mut bytes: &[u8], version: Version) {
        let mut event = RawEvent::new(EventType::EventBatch);
        let mut lines = Vec::new();
        while !bytes.is_empty()
            && let Ok(len) = decode(bytes, version, &mut event, &mut lines)
        {
            self.add(&event);
            bytes = &bytes[len..];
        }
    }

    /// What the events of the kind with this number come to.
    pub fn of(&self, code: u8) -> EventFootprint {
        self.events[code as usize]
    }

    /// What all events come to.
    pub fn total(&self) -> EventFootprint {
        self.events.iter().fold(EventFootprint::default(), |sum, event| EventFootprint {
            count: sum.count + event.count,
            bytes: sum.bytes + event.bytes,
        })
    }
}
