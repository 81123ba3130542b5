//! Timelines as Perfetto traces: protocol buffers of the message `Trace`, one packet after the other.
//!
//! Everything is on one packet sequence. Names, frames, callstacks and the texts of stacks are interned
//! as soon as the trace tells them, under the numbers they have in the model. A slice is written as two
//! packets when it ends, so packets are not in the order of their times; Perfetto sorts. Of packets with
//! equal times it keeps the order in the file: a slice's end comes before the next one's beginning.
//!
//! Timestamps are nanoseconds since the start of the trace, as in the database. Clock snapshots relate
//! them to the wall clock.
//!
//! Source: Perfetto's `protos/perfetto/trace/` (trace_packet.proto, track_event/*.proto, interned_data,
//! profiling/profile_common.proto, clock_snapshot.proto); numbers of fields are from there.

use super::background::BackgroundWriter;
use super::protobuf::{bytes, fixed64, int, message, uint, varint, varint_len};
use super::timeline::*;
use crate::model::{StackId, Symbols};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Most frames in the text of a stack; callstacks have all.
const MAX_TEXT_FRAMES: usize = 64;
/// The only packet sequence.
const SEQUENCE: u64 = 1;
/// The process that stands for the trace.
const PROCESS: u64 = 1;

mod packet {
    pub const CLOCK_SNAPSHOT: u64 = 6;
    pub const TIMESTAMP: u64 = 8;
    pub const SEQUENCE_ID: u64 = 10;
    pub const TRACK_EVENT: u64 = 11;
    pub const INTERNED_DATA: u64 = 12;
    pub const SEQUENCE_FLAGS: u64 = 13;
    pub const TRACK_DESCRIPTOR: u64 = 60;
    pub const FIRST_ON_SEQUENCE: u64 = 87;
}

mod flags {
    pub const INCREMENTAL_STATE_CLEARED: u64 = 1;
    pub const NEEDS_INCREMENTAL_STATE: u64 = 2;
}

mod event {
    pub const CATEGORY_IIDS: u64 = 3;
    pub const DEBUG_ANNOTATIONS: u64 = 4;
    pub const TYPE: u64 = 9;
    pub const NAME_IID: u64 = 10;
    pub const TRACK_UUID: u64 = 11;
    pub const NAME: u64 = 23;
    pub const COUNTER_VALUE: u64 = 30;
    pub const FLOW_IDS: u64 = 47;
    pub const TERMINATING_FLOW_IDS: u64 = 48;
    pub const CALLSTACK_IID: u64 = 56;

    pub const SLICE_BEGIN: u64 = 1;
    pub const SLICE_END: u64 = 2;
    pub const INSTANT: u64 = 3;
    pub const COUNTER: u64 = 4;
}

mod interned {
    pub const EVENT_CATEGORIES: u64 = 1;
    pub const EVENT_NAMES: u64 = 2;
    pub const ANNOTATION_NAMES: u64 = 3;
    pub const FUNCTION_NAMES: u64 = 5;
    pub const FRAMES: u64 = 6;
    pub const CALLSTACKS: u64 = 7;
    pub const SOURCE_PATHS: u64 = 18;
    pub const MAPPINGS: u64 = 19;
    pub const ANNOTATION_VALUES: u64 = 29;
}

mod annotation {
    pub const NAME_IID: u64 = 1;
    pub const BOOL: u64 = 2;
    pub const INT: u64 = 4;
    pub const STRING: u64 = 6;
    pub const STRING_IID: u64 = 17;
}

mod descriptor {
    pub const UUID: u64 = 1;
    pub const NAME: u64 = 2;
    pub const PROCESS: u64 = 3;
    pub const PARENT_UUID: u64 = 5;
    pub const COUNTER: u64 = 8;
    pub const CHILD_ORDERING: u64 = 11;
    pub const SIBLING_ORDER_RANK: u64 = 12;
    pub const DESCRIPTION: u64 = 14;
    pub const SIBLING_MERGE_BEHAVIOR: u64 = 15;

    pub const LEXICOGRAPHIC: u64 = 1;
    pub const EXPLICIT: u64 = 3;
    /// Tracks of one name stay apart: goroutines often have the same.
    pub const MERGE_NONE: u64 = 2;

    pub const PROCESS_PID: u64 = 1;
    pub const PROCESS_NAME: u64 = 6;
    pub const COUNTER_UNIT: u64 = 3;
    pub const UNIT_BYTES: u64 = 3;
}

/// Writes a Perfetto trace.
pub struct Perfetto<W: Write + Send + 'static> {
    out: BackgroundWriter<W>,
    is_broken: bool,
    /// Names interned so far; texts of stacks are numbered apart from them.
    names: u32,
    functions: usize,
    frames: usize,
    stacks: usize,
    /// The event being put together.
    event: Vec<u8>,
    scratch: Vec<u8>,
}

impl<W: Write + Send + 'static> Perfetto<W> {
    /// A trace that is written to `out`.
    pub fn new(out: W) -> io::Result<Self> {
        let mut perfetto = Perfetto {
            out: BackgroundWriter::new(out)?,
            is_broken: false,
            names: 0,
            functions: 0,
            frames: 0,
            stacks: 0,
            event: Vec::new(),
            scratch: Vec::new(),
        };
        perfetto.begin();
        Ok(perfetto)
    }

    /// Writes what is left, and returns the writer.
    pub fn finish(self) -> io::Result<W> {
        self.out.finish()
    }

    /// The first packet: from here on numbers of interned data mean what is told below.
    fn begin(&mut self) {
        self.scratch.clear();
        let data = &mut self.scratch;
        for (index, category) in Category::ALL.iter().enumerate() {
            intern(data, interned::EVENT_CATEGORIES, index as u64 + 1, category.as_str());
        }
        for (index, key) in Key::ALL.iter().enumerate() {
            intern(data, interned::ANNOTATION_NAMES, index as u64 + 1, key.as_str());
        }
        // Frames must be in a mapping.
        message(data, interned::MAPPINGS, |out| uint(out, 1, 1));
        self.event.clear();
        uint(&mut self.event, packet::FIRST_ON_SEQUENCE, 1);
        bytes(&mut self.event, packet::INTERNED_DATA, &self.scratch);
        self.write_packet(flags::INCREMENTAL_STATE_CLEARED | flags::NEEDS_INCREMENTAL_STATE);
    }

    /// Writes a packet with the content of `event`.
    fn write_packet(&mut self, flags: u64) {
        uint(&mut self.event, packet::SEQUENCE_ID, SEQUENCE);
        uint(&mut self.event, packet::SEQUENCE_FLAGS, flags);
        bytes(self.out.buffer(), 1, &self.event);
        self.is_broken |= !self.out.hand_over();
    }

    /// Writes a packet with interned data.
    fn write_interned(&mut self) {
        if self.scratch.is_empty() {
            return;
        }
        self.event.clear();
        bytes(&mut self.event, packet::INTERNED_DATA, &self.scratch);
        self.write_packet(flags::NEEDS_INCREMENTAL_STATE);
    }

    /// Writes a packet with the event in `event`.
    #[inline(always)]
    fn write_event(&mut self, time_ns: i64, needs_interned: bool) {
        const TIMESTAMP: u8 = (packet::TIMESTAMP << 3) as u8;
        const SEQUENCE_ID: u8 = (packet::SEQUENCE_ID << 3) as u8;
        const SEQUENCE_FLAGS: u8 = (packet::SEQUENCE_FLAGS << 3) as u8;
        const TRACK_EVENT: u8 = (packet::TRACK_EVENT << 3 | 2) as u8;
        let time = time_ns.max(0) as u64;
        let len = self.event.len();
        let flags_len = if needs_interned { 2 } else { 0 };
        let total = 1 + varint_len(time) + 2 + flags_len + 1 + varint_len(len as u64) + len;
        let out = self.out.buffer();
        out.push(1 << 3 | 2);
        varint(out, total as u64);
        out.push(TIMESTAMP);
        varint(out, time);
        out.extend_from_slice(&[SEQUENCE_ID, SEQUENCE as u8]);
        if needs_interned {
            out.extend_from_slice(&[SEQUENCE_FLAGS, flags::NEEDS_INCREMENTAL_STATE as u8]);
        }
        out.push(TRACK_EVENT);
        varint(out, len as u64);
        out.extend_from_slice(&self.event);
        self.is_broken |= !self.out.hand_over();
    }

    /// Puts an event with a name together.
    #[inline(always)]
    fn named_event(&mut self, kind: u64, slice: &Slice<'_>) {
        let out = &mut self.event;
        out.clear();
        uint(out, event::TYPE, kind);
        uint(out, event::TRACK_UUID, u64::from(slice.track.id));
        uint(out, event::CATEGORY_IIDS, slice.category as u64 + 1);
        match slice.name {
            Name::Id(name) => uint(out, event::NAME_IID, u64::from(name.0)),
            Name::Text(text) => bytes(out, event::NAME, text.as_bytes()),
        }
        match slice.flow {
            Flow::None => {}
            Flow::Begin(flow) => fixed64(out, event::FLOW_IDS, flow),
            Flow::End(flow) => fixed64(out, event::TERMINATING_FLOW_IDS, flow),
        }
        if let Some(stack) = slice.stack {
            uint(out, event::CALLSTACK_IID, stack.row() as u64);
        }
        for &(key, value) in slice.args.as_slice() {
            annotate(out, key, value);
        }
    }
}

/// Appends an annotation to an event.
#[inline(always)]
fn annotate(out: &mut Vec<u8>, key: Key, value: Value<'_>) {
    // Keys are fewer than 128, so this is one byte.
    let key = key as u64 + 1;
    let mut head = |content: usize| {
        varint(out, event::DEBUG_ANNOTATIONS << 3 | 2);
        varint(out, (2 + content) as u64);
        uint(out, annotation::NAME_IID, key);
    };
    match value {
        Value::Int(value) => {
            head(1 + varint_len(value as u64));
            int(out, annotation::INT, value);
        }
        Value::Bool(value) => {
            head(2);
            uint(out, annotation::BOOL, u64::from(value));
        }
        Value::Text(text) => {
            head(1 + varint_len(text.len() as u64) + text.len());
            bytes(out, annotation::STRING, text.as_bytes());
        }
        Value::Name(name) => {
            let iid = text_iid_of_name(name);
            head(2 + varint_len(iid));
            uint(out, annotation::STRING_IID, iid);
        }
        Value::Stack(stack) => {
            let iid = text_iid_of_stack(stack);
            head(2 + varint_len(iid));
            uint(out, annotation::STRING_IID, iid);
        }
    }
}

/// Stacks and names share the numbers of annotation texts: even ones are stacks, odd ones names.
fn text_iid_of_stack(stack: StackId) -> u64 {
    stack.row() as u64 * 2
}

fn text_iid_of_name(name: NameId) -> u64 {
    u64::from(name.0) * 2 + 1
}

fn intern(data: &mut Vec<u8>, field: u64, iid: u64, text: &str) {
    message(data, field, |out| {
        uint(out, 1, iid);
        bytes(out, 2, text.as_bytes());
    });
}

/// A stack as lines of `function file:line`, the leaf first.
fn stack_text(symbols: &Symbols, stack: StackId) -> String {
    let mut text = String::new();
    let frames = symbols.stack_frames(stack);
    for (index, &frame) in frames.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        if index == MAX_TEXT_FRAMES {
            let _ = write!(text, "... and {} more", frames.len() - index);
            break;
        }
        let frame = symbols.frame_data(frame);
        let function = symbols.function_data(frame.function);
        let file = function.file.rsplit('/').next().unwrap_or("");
        let _ = write!(text, "{} {file}:{}", function.name, frame.line);
    }
    text
}

impl<W: Write + Send + 'static> TimelineFormat for Perfetto<W> {
    fn symbols(&mut self, symbols: &Symbols) {
        self.scratch.clear();
        let data = &mut self.scratch;
        for (index, function) in symbols.functions().enumerate().skip(self.functions) {
            let iid = index as u64 + 1;
            intern(data, interned::FUNCTION_NAMES, iid, &function.name);
            intern(data, interned::SOURCE_PATHS, iid, &function.file);
            self.functions = index + 1;
        }
        for index in self.frames..symbols.frame_count() {
            let frame = symbols.frame_data(index as u32);
            let function = frame.function.row() as u64;
            message(data, interned::FRAMES, |out| {
                uint(out, 1, index as u64 + 1);
                uint(out, 2, function);
                uint(out, 3, 1);
                uint(out, 4, frame.pc);
                uint(out, 5, function);
                uint(out, 6, frame.line);
            });
            self.frames = index + 1;
        }
        for index in self.stacks..symbols.stack_count() {
            let stack = StackId::from_index(index);
            message(data, interned::CALLSTACKS, |out| {
                uint(out, 1, stack.row() as u64);
                // Perfetto lists the root first.
                for &frame in symbols.stack_frames(stack).iter().rev() {
                    uint(out, 2, u64::from(frame) + 1);
                }
            });
            let text = stack_text(symbols, stack);
            intern(data, interned::ANNOTATION_VALUES, text_iid_of_stack(stack), &text);
            self.stacks = index + 1;
        }
        self.write_interned();
    }

    fn clock(&mut self, since_start_ns: i64, mono_ns: u64, unix_ns: i64) {
        const REALTIME: u64 = 1;
        const MONOTONIC: u64 = 3;
        const BOOTTIME: u64 = 6;
        self.event.clear();
        message(&mut self.event, packet::CLOCK_SNAPSHOT, |out| {
            let clocks = [
                (BOOTTIME, since_start_ns as u64),
                (MONOTONIC, mono_ns),
                (REALTIME, unix_ns as u64),
            ];
            for (clock, time) in clocks {
                message(out, 1, |out| {
                    uint(out, 1, clock);
                    uint(out, 2, time);
                });
            }
            uint(out, 2, BOOTTIME);
        });
        self.write_packet(flags::NEEDS_INCREMENTAL_STATE);
    }

    fn name(&mut self, text: &str) -> NameId {
        self.names += 1;
        let name = NameId(self.names);
        self.scratch.clear();
        intern(&mut self.scratch, interned::EVENT_NAMES, u64::from(name.0), text);
        intern(&mut self.scratch, interned::ANNOTATION_VALUES, text_iid_of_name(name), text);
        self.write_interned();
        name
    }

    // Numbers are not used again: the reader keeps what they stood for.
    fn forget_name(&mut self, _: NameId) {}

    fn track(&mut self, track: &Track<'_>) {
        self.event.clear();
        message(&mut self.event, packet::TRACK_DESCRIPTOR, |out| {
            uint(out, descriptor::UUID, u64::from(track.track.id));
            if let Some(parent) = track.parent {
                uint(out, descriptor::PARENT_UUID, u64::from(parent.id));
            }
            match track.kind {
                TrackKind::Root => message(out, descriptor::PROCESS, |out| {
                    uint(out, descriptor::PROCESS_PID, PROCESS);
                    bytes(out, descriptor::PROCESS_NAME, track.name.as_bytes());
                }),
                TrackKind::Counter(unit) => {
                    bytes(out, descriptor::NAME, track.name.as_bytes());
                    message(out, descriptor::COUNTER, |out| match unit {
                        // Perfetto's own unit for it puts the word "count" behind each number.
                        Unit::Count => {}
                        Unit::Bytes => uint(out, descriptor::COUNTER_UNIT, descriptor::UNIT_BYTES),
                    });
                }
                TrackKind::Group | TrackKind::Lane => {
                    bytes(out, descriptor::NAME, track.name.as_bytes());
                }
            }
            let order = match track.children {
                ChildOrder::ByName => descriptor::LEXICOGRAPHIC,
                ChildOrder::ByRank => descriptor::EXPLICIT,
            };
            uint(out, descriptor::CHILD_ORDERING, order);
            if track.parent.is_some() {
                let rank = track.rank.clamp(0, i64::from(i32::MAX));
                int(out, descriptor::SIBLING_ORDER_RANK, rank);
                uint(out, descriptor::SIBLING_MERGE_BEHAVIOR, descriptor::MERGE_NONE);
            }
            if !track.description.is_empty() {
                bytes(out, descriptor::DESCRIPTION, track.description.as_bytes());
            }
        });
        self.write_packet(flags::NEEDS_INCREMENTAL_STATE);
    }

    #[inline(always)]
    fn slice(&mut self, slice: &Slice<'_>) {
        self.named_event(event::SLICE_BEGIN, slice);
        self.write_event(slice.start_ns, true);
        self.event.clear();
        uint(&mut self.event, event::TYPE, event::SLICE_END);
        uint(&mut self.event, event::TRACK_UUID, u64::from(slice.track.id));
        self.write_event(slice.end_ns, false);
    }

    fn instant(&mut self, instant: &Slice<'_>) {
        self.named_event(event::INSTANT, instant);
        self.write_event(instant.start_ns, true);
    }

    fn counter(&mut self, track: TrackId, time_ns: i64, value: i64) {
        self.event.clear();
        uint(&mut self.event, event::TYPE, event::COUNTER);
        uint(&mut self.event, event::TRACK_UUID, u64::from(track.id));
        int(&mut self.event, event::COUNTER_VALUE, value);
        self.write_event(time_ns, false);
    }

    fn is_broken(&self) -> bool {
        self.is_broken
    }
}
