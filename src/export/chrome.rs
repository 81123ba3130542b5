//! Timelines in Chrome's trace event format, for chrome://tracing, ui.perfetto.dev and speedscope.
//!
//! The format knows processes with threads in them, so each group of lanes is a process and each lane a
//! thread of it. To keep files small, what a name tells already is not said again in arguments, and of a
//! stack there is the first function that is not the runtime's or the like; the whole stack is under `sf`,
//! in the table at the end, which chrome://tracing shows.
//!
//! Arrows are of the first kind of the format, bound to slices: `s` inside the slice of the waker, `f` with
//! `bp: e` at the beginning of the slice of the woken. Both ends have one name, without which readers do
//! not pair them.
//!
//! Source: the "Trace Event Format" document of the Chromium project; what Perfetto makes of it, in its
//! `src/trace_processor/importers/json/`.

use super::background::BackgroundWriter;
use super::timeline::*;
use crate::model::{StackId, Symbols};
use std::io::{self, Write};

/// Packages whose functions say how something waits rather than where the program does.
const PLUMBING: [&str; 7] = ["runtime", "internal", "sync", "syscall", "os", "net", "time"];

/// Writes Chrome's trace events as JSON.
pub struct Chrome<W: Write + Send + 'static> {
    out: BackgroundWriter<W>,
    is_broken: bool,
    has_event: bool,
    /// Names in JSON; those that were forgotten leave their place to others.
    names: Vec<Box<str>>,
    free_names: Vec<u32>,
    /// Names of counters in JSON, by the number of their track.
    counters: Vec<(u32, String)>,
    /// What to show of each stack, in JSON, and the number of its leaf in `frames`.
    stacks: Vec<(Box<str>, u32)>,
    frames: FrameTree,
}

/// Stacks as a tree of frames: each has a name and, but for roots, a parent. Numbers count from 1.
#[derive(Default)]
struct FrameTree {
    nodes: indexmap::IndexSet<(u32, u32), rustc_hash::FxBuildHasher>,
    /// Names of the model's frames, in JSON.
    names: Vec<Box<str>>,
}

impl FrameTree {
    /// The number of the leaf of a stack; 0 if it is empty.
    fn leaf(&mut self, frames: &[u32]) -> u32 {
        frames
            .iter()
            .rev()
            .fold(0, |parent, &frame| self.nodes.insert_full((parent, frame)).0 as u32 + 1)
    }
}

impl<W: Write + Send + 'static> Chrome<W> {
    /// A file that is written to `out`.
    pub fn new(out: W) -> io::Result<Self> {
        let mut out = BackgroundWriter::new(out)?;
        out.buffer().extend_from_slice(b"{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
        Ok(Chrome {
            out,
            is_broken: false,
            has_event: false,
            names: Vec::new(),
            free_names: Vec::new(),
            counters: Vec::new(),
            stacks: Vec::new(),
            frames: FrameTree::default(),
        })
    }

    /// Writes the table of stacks and what is left, and returns the writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.buffer().extend_from_slice(b"\n],\"stackFrames\":{");
        for (index, &(parent, frame)) in self.frames.nodes.iter().enumerate() {
            let out = self.out.buffer();
            let comma = if index == 0 { "" } else { "," };
            let name = &self.frames.names[frame as usize];
            write!(out, "{comma}\n\"{}\":{{\"name\":{name}", index + 1)?;
            if parent != 0 {
                write!(out, ",\"parent\":\"{parent}\"")?;
            }
            out.push(b'}');
            self.out.hand_over();
        }
        self.out.buffer().extend_from_slice(b"}}\n");
        self.out.finish()
    }

    /// Begins an event; its phase, process and thread are written.
    #[inline(always)]
    fn begin(&mut self, phase: u8, track: TrackId) -> &mut Vec<u8> {
        self.is_broken |= !self.out.hand_over();
        let out = self.out.buffer();
        out.extend_from_slice(if self.has_event { b",\n{\"ph\":\"" } else { b"\n{\"ph\":\"" });
        self.has_event = true;
        out.push(phase);
        out.extend_from_slice(b"\",\"pid\":");
        integer(out, u64::from(track.group));
        out.extend_from_slice(b",\"tid\":");
        integer(out, u64::from(track.id));
        out
    }

    /// One end of an arrow.
    fn arrow_end(&mut self, phase: u8, slice: &Slice<'_>, time_ns: i64, arrow: u64) {
        let out = self.begin(phase, slice.track);
        time(out, b",\"ts\":", time_ns);
        out.extend_from_slice(b",\"id\":");
        integer(out, arrow);
        out.extend_from_slice(b",\"cat\":\"go\",\"name\":\"wake\"");
        out.extend_from_slice(if phase == b'f' { b",\"bp\":\"e\"}" } else { b"}" });
    }

    /// What slices and instants have behind their times: name, category, stack, arguments.
    #[inline(always)]
    fn end(&mut self, slice: &Slice<'_>) {
        let out = self.out.buffer();
        out.extend_from_slice(b",\"name\":");
        match slice.name {
            Name::Id(name) => out.extend_from_slice(self.names[name.0 as usize].as_bytes()),
            Name::Text(text) => string(out, text),
        }
        if !is_plain(slice.category) {
            out.extend_from_slice(b",\"cat\":\"");
            out.extend_from_slice(slice.category.as_str().as_bytes());
            out.push(b'"');
        }
        if let Some((_, leaf)) = slice.stack.and_then(|stack| self.stacks.get(stack.index()))
            && *leaf != 0
        {
            out.extend_from_slice(b",\"sf\":\"");
            integer(out, u64::from(*leaf));
            out.push(b'"');
        }
        let mut open: &[u8] = b",\"args\":{";
        for &(key, value) in slice.args.as_slice() {
            if is_told(slice.category, key) {
                continue;
            }
            out.extend_from_slice(open);
            open = b",";
            out.push(b'"');
            out.extend_from_slice(key.as_str().as_bytes());
            out.extend_from_slice(b"\":");
            match value {
                Value::Int(value) => signed(out, value),
                Value::Bool(value) => {
                    out.extend_from_slice(if value { b"true" } else { b"false" });
                }
                Value::Text(text) => string(out, text),
                Value::Name(name) => out.extend_from_slice(self.names[name.0 as usize].as_bytes()),
                Value::Stack(stack) => {
                    let text = self.stacks.get(stack.index());
                    out.extend_from_slice(text.map_or(b"\"\"", |text| text.0.as_bytes()));
                }
            }
        }
        out.extend_from_slice(if open == b"," { b"}}" } else { b"}" });
    }
}

/// Whether a category is left out: it is most of the file, and the place of a slice tells it.
fn is_plain(category: Category) -> bool {
    use Category::*;
    matches!(category, State | Proc | Thread | Syscall)
}

/// Whether an argument is left out: the name or the place of the slice tells it, or another slice does.
fn is_told(category: Category, key: Key) -> bool {
    use Category::*;
    match key {
        Key::Goid => matches!(category, State | Proc | Thread | Region),
        Key::Reason | Key::Thread | Key::WakerStack | Key::EndStack | Key::LogCategory => true,
        // The name of a system call is where it is.
        Key::Stack => matches!(category, Proc | Thread | Syscall),
        Key::LatencyNs => matches!(category, Proc | Thread),
        _ => false,
    }
}

/// Appends a number.
#[inline(always)]
fn integer(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

fn signed(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    integer(out, value.unsigned_abs());
}

/// Appends nanoseconds as microseconds with a fraction.
#[inline(always)]
fn time(out: &mut Vec<u8>, key: &[u8], ns: i64) {
    out.extend_from_slice(key);
    let ns = ns.max(0) as u64;
    integer(out, ns / 1000);
    let fraction = (ns % 1000) as u16;
    if fraction != 0 {
        let digits = [
            b'.',
            b'0' + (fraction / 100) as u8,
            b'0' + (fraction / 10 % 10) as u8,
            b'0' + (fraction % 10) as u8,
        ];
        let len = 4 - digits.iter().rev().take_while(|&&digit| digit == b'0').count();
        out.extend_from_slice(&digits[..len]);
    }
}

/// Appends a text in JSON.
fn string(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(json(text).as_bytes());
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A frame as `function file:line`.
fn frame_text(symbols: &Symbols, frame: u32) -> String {
    let frame = symbols.frame_data(frame);
    let function = symbols.function_data(frame.function);
    let file = function.file.rsplit('/').next().unwrap_or("");
    format!("{} {file}:{}", function.name, frame.line)
}

/// The frame that says most about where the program is: the first outside of plumbing, else the leaf.
fn telling_frame(symbols: &Symbols, frames: &[u32]) -> Option<u32> {
    let is_plumbing = |frame: &u32| {
        let name = &symbols.function_data(symbols.function_of(*frame)).name;
        // The first element of the package's path; `net/http` is no plumbing.
        let end = name.find(['.', '/']).unwrap_or(name.len());
        let is_listed = PLUMBING.contains(&&name[..end]);
        is_listed && !(name.starts_with("net/") || name.starts_with("os/"))
    };
    frames.iter().find(|frame| !is_plumbing(frame)).or(frames.first()).copied()
}

impl<W: Write + Send + 'static> TimelineFormat for Chrome<W> {
    fn symbols(&mut self, symbols: &Symbols) {
        for frame in self.frames.names.len()..symbols.frame_count() {
            let text = frame_text(symbols, frame as u32);
            self.frames.names.push(json(&text).into());
        }
        for index in self.stacks.len()..symbols.stack_count() {
            let frames = symbols.stack_frames(StackId::from_index(index));
            let telling = telling_frame(symbols, frames);
            let text = telling.map_or("\"\"", |frame| &self.frames.names[frame as usize]);
            let text = text.into();
            self.stacks.push((text, self.frames.leaf(frames)));
        }
    }

    // The format has no place for clocks that readers would use.
    fn clock(&mut self, _: i64, _: u64, _: i64) {}

    fn name(&mut self, text: &str) -> NameId {
        let text = json(text).into();
        NameId(match self.free_names.pop() {
            Some(free) => {
                self.names[free as usize] = text;
                free
            }
            None => {
                self.names.push(text);
                self.names.len() as u32 - 1
            }
        })
    }

    fn forget_name(&mut self, name: NameId) {
        self.free_names.push(name.0);
    }

    fn track(&mut self, track: &Track<'_>) {
        let (kind, sort) = match track.kind {
            TrackKind::Root => return,
            TrackKind::Counter(_) => {
                self.counters.push((track.track.id, json(track.name)));
                return;
            }
            TrackKind::Group => ("process_name", "process_sort_index"),
            TrackKind::Lane => ("thread_name", "thread_sort_index"),
        };
        let name = match track.prefix {
            "" => json(track.name),
            prefix => json(&format!("{prefix} {}", track.name)),
        };
        let out = self.begin(b'M', track.track);
        out.extend_from_slice(
            format!(",\"name\":\"{kind}\",\"args\":{{\"name\":{name}}}}}").as_bytes(),
        );
        let rank = track.rank.clamp(0, i64::from(i32::MAX));
        let out = self.begin(b'M', track.track);
        out.extend_from_slice(
            format!(",\"name\":\"{sort}\",\"args\":{{\"sort_index\":{rank}}}}}").as_bytes(),
        );
    }

    #[inline(always)]
    fn slice(&mut self, slice: &Slice<'_>) {
        let out = self.begin(b'X', slice.track);
        time(out, b",\"ts\":", slice.start_ns);
        time(out, b",\"dur\":", slice.end_ns - slice.start_ns);
        self.end(slice);
        if let Flow::End(arrow) = slice.flow {
            self.arrow_end(b'f', slice, slice.start_ns, arrow);
        }
    }

    fn instant(&mut self, instant: &Slice<'_>) {
        let Flow::Begin(arrow) = instant.flow else {
            let out = self.begin(b'i', instant.track);
            time(out, b",\"ts\":", instant.start_ns);
            out.extend_from_slice(b",\"s\":\"t\"");
            return self.end(instant);
        };
        // The arrow itself says that and when; a system call ends at this moment, and the arrow
        // must begin inside its slice.
        let is_end = instant.category == Category::Syscall;
        self.arrow_end(b's', instant, instant.start_ns - i64::from(is_end), arrow);
    }

    fn counter(&mut self, track: TrackId, time_ns: i64, value: i64) {
        let index = self.counters.iter().position(|counter| counter.0 == track.id);
        let Some(index) = index else { return };
        let out = self.begin(b'C', track);
        time(out, b",\"ts\":", time_ns);
        out.extend_from_slice(b",\"name\":");
        let name = std::mem::take(&mut self.counters[index].1);
        let out = self.out.buffer();
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b",\"args\":{\"value\":");
        signed(out, value);
        out.extend_from_slice(b"}}");
        self.counters[index].1 = name;
    }

    fn is_broken(&self) -> bool {
        self.is_broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_microseconds_with_all_digits_that_count() {
        let text = |ns| {
            let mut out = Vec::new();
            time(&mut out, b"", ns);
            String::from_utf8(out).unwrap()
        };
        for (ns, want) in [
            (0, "0"),
            (1, "0.001"),
            (10, "0.01"),
            (999, "0.999"),
            (1000, "1"),
            (1500, "1.5"),
            (123_456_789, "123456.789"),
            (-5, "0"),
        ] {
            assert_eq!(text(ns), want);
        }
    }
}
