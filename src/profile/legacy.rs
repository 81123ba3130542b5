//! Profiles as text: what `/debug/pprof/NAME?debug=1` gives, and `goroutine?debug=2`.
//!
//! Comes in: the text. Goes out: a profile with the samples, addresses and mappings that pprof
//! makes of it (Go 1.27 pprof `profile/legacy_profile.go`). pprof ignores the comments, in which Go
//! writes what is at each address; here they give the functions, unless the user does not want
//! them. The form with `debug=2` is not known to pprof at all; see
//! [`goroutine_text`].

use super::decode::ProfileError;
use super::goroutine_text;
use super::labels::{Label, LabelValue};
use super::limits::ReadLimits;
use super::model::{Function, Line, Location, Mapping, Profile, ValueType};
use super::text::Text;
use crate::source::ByteStream;
use crate::wire::WireError;
use regex::Regex;
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// The forms of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Heap,
    Contention,
    Count,
    Goroutines,
}

struct Patterns {
    count_start: Regex,
    count: Regex,
    heap_start: Regex,
    heap: Regex,
    contention: Regex,
    hex: Regex,
    full_map: Regex,
    brief_map: Regex,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let compile = |pattern: &str| Regex::new(pattern).expect("the pattern is right");
    let range = r"^[ \t]*(?:0x)?([0-9a-fA-F]+)[\s-]?[ \t]*(?:0x)?([0-9a-fA-F]+):?";
    Patterns {
        count_start: compile(r"^(\S+) profile: total [0-9]+$"),
        count: compile(r"^([0-9]+) @((?: 0x[0-9a-f]+)+)$"),
        heap_start: compile(
            r"heap profile: *([0-9]+): *([0-9]+) *\[ *([0-9]+): *([0-9]+) *\] *@ *(heap[_a-z0-9]*)/?([0-9]*)",
        ),
        heap: compile(r"(-?[0-9]+): *(-?[0-9]+) *\[ *([0-9]+): *([0-9]+) *] @([ x0-9a-f]*)"),
        contention: compile(r"([0-9]+) *([0-9]+) @([ x0-9a-f]*)"),
        hex: compile("0x[0-9a-f]+"),
        full_map: compile(&format!(
            r"{range}(?:\s+([-rwxp]+))?(?:\s+([0-9a-fA-F]+))?\s+[0-9a-fA-F]+:[0-9a-fA-F]+\s+[0-9]+(?:\s+(\S+))?"
        )),
        brief_map: compile(&format!(
            r"{range}(?:\s+([-rwxp]+))?(?:\s+(\S+))?(?:\s+\(@([0-9a-fA-F]+)\))?(?:\s+([0-9a-fA-F]+))?"
        )),
    }
});

/// Whether the stream begins as a profile in text does.
pub fn is_text(stream: &mut ByteStream) -> bool {
    let start = stream.peek(4096);
    let start = &start[..start.len().min(4096)];
    form_of(&String::from_utf8_lossy(start)).is_some()
}

fn form_of(text: &str) -> Option<Form> {
    let mut lines = text.lines();
    let first = text.lines().next()?;
    if first.starts_with("heap profile:") {
        return Some(Form::Heap);
    }
    if ["--- contentionz ", "--- mutex:", "--- contention:"].iter().any(|s| first.starts_with(s)) {
        return Some(Form::Contention);
    }
    let first = lines.find(|line| !is_blank(line))?;
    // To compile the patterns takes longer than to read a small profile that is no text.
    if first.contains(" profile: total ") && PATTERNS.count_start.is_match(first) {
        Some(Form::Count)
    } else if first.starts_with("goroutine ") && goroutine_text::is_first_line(first) {
        Some(Form::Goroutines)
    } else {
        None
    }
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// Reads a profile in text. `with_symbols` takes the functions from the comments.
pub fn read_text(
    stream: &mut ByteStream,
    with_symbols: bool,
    limits: ReadLimits,
) -> Result<Profile, ProfileError> {
    let text = whole(stream, limits)?;
    let text = String::from_utf8_lossy(&text);
    let form = form_of(&text).ok_or_else(|| WireError::new(0, "this text is no profile"))?;
    if form == Form::Goroutines {
        return Ok(goroutine_text::read(&text));
    }
    let mut reader =
        Reader { lines: Lines::new(&text), profile: Profile::default(), ..Reader::default() };
    match form {
        Form::Heap => reader.heap()?,
        Form::Contention => reader.contention()?,
        _ => reader.count()?,
    }
    reader.finish(form, with_symbols);
    Ok(reader.profile)
}

/// All bytes. What is kept of a text in the end takes at most as much as the text, thrice.
fn whole(stream: &mut ByteStream, limits: ReadLimits) -> Result<Vec<u8>, ProfileError> {
    let mut text = Vec::new();
    loop {
        limits.check_ratio(stream.offset(), stream.packed_offset())?;
        let some = stream.peek(1);
        if some.is_empty() {
            break;
        }
        let len = some.len();
        if (text.len() + len) as u64 > limits.memory_bytes / 4 {
            return Err(limits.too_much(text.len() as u64).into());
        }
        text.extend_from_slice(some);
        stream.consume(len);
    }
    match stream.take_error() {
        Some(error) => Err(error.into()),
        None => Ok(text),
    }
}

/// Lines with their offsets.
#[derive(Default)]
struct Lines<'a> {
    rest: &'a str,
    offset: u64,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Lines { rest: text, offset: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = (&'a str, u64);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let len = self.rest.find('\n').map_or(self.rest.len(), |end| end + 1);
        let (line, rest) = self.rest.split_at(len);
        let offset = self.offset;
        self.rest = rest;
        self.offset += len as u64;
        let line = line.strip_suffix('\n').unwrap_or(line);
        Some((line.strip_suffix('\r').unwrap_or(line), offset))
    }
}

/// A place as a comment tells it.
struct Symbol {
    function: String,
    file: String,
    line: i64,
}

#[derive(Default)]
struct Reader<'a> {
    lines: Lines<'a>,
    profile: Profile,
    locations: FxHashMap<u64, u32>,
    symbols: FxHashMap<u64, Vec<Symbol>>,
    /// Addresses of which the comments of the current sample have told.
    last_symbol: Option<u64>,
    /// Whether comments of an address are those that came first.
    is_new_symbol: bool,
}

const SENTINELS: [&str; 2] = ["--- Memory map: ---", "MAPPED_LIBRARIES:"];

fn is_sentinel(line: &str) -> bool {
    SENTINELS.iter().any(|sentinel| line.contains(sentinel))
}

fn wrong(offset: u64, what: &str, line: &str) -> WireError {
    let shown: String = line.chars().take(80).collect();
    WireError::new(offset, format!("{what}, got {shown:?}"))
}

impl Reader<'_> {
    fn value_type(&mut self, kind: &str, unit: &str) -> ValueType {
        let texts = &mut self.profile.texts;
        ValueType { kind: texts.intern(kind), unit: texts.intern(unit) }
    }

    fn set_types(&mut self, period: (&str, &str), types: &[(&str, &str)]) {
        self.profile.period_type = self.value_type(period.0, period.1);
        let types = types.iter().map(|(kind, unit)| self.value_type(kind, unit)).collect();
        self.profile.sample_types = types;
    }

    /// `legacy_profile.go`, parseHeap.
    fn heap(&mut self) -> Result<(), WireError> {
        let (line, offset) = self.lines.next().unwrap_or(("", 0));
        let refuse = |what| Err(wrong(offset, what, line));
        let Some(start) = PATTERNS.heap_start.captures(line) else {
            return refuse("want the first line of a heap profile");
        };
        let differs = |a: usize, b: usize| start[a] != start[b] && &start[a] != "0";
        let has_alloc = differs(3, 1) || differs(4, 2);
        let rate = start[6].parse::<i64>().unwrap_or(0);
        let (is_sampled, period) = match &start[5] {
            "heapz_v2" | "heap_v2" => (true, rate),
            "heapprofile" => (false, 1),
            "heap" => (true, rate / 2),
            _ => return refuse("want a heap profile of a known version"),
        };
        self.profile.period = period;
        let all = [
            ("alloc_objects", "count"),
            ("alloc_space", "bytes"),
            ("inuse_objects", "count"),
            ("inuse_space", "bytes"),
        ];
        let in_use = [("objects", "count"), ("space", "bytes")];
        self.set_types(("space", "bytes"), if has_alloc { &all } else { &in_use });
        let bytes = self.profile.texts.intern("bytes");
        while let Some((line, offset)) = self.lines.next() {
            let line = line.trim();
            if is_blank(line) {
                self.comment(line);
                continue;
            }
            if is_sentinel(line) {
                break;
            }
            let sample = PATTERNS.heap.captures(line);
            let sample = sample.ok_or_else(|| wrong(offset, "want a sample of a heap", line))?;
            let mut values = Vec::with_capacity(4);
            let mut block = 0;
            for (count, size) in if has_alloc { &[(3, 4), (1, 2)][..] } else { &[(1, 2)] } {
                let number = |at: usize| {
                    sample[at].parse::<i64>().map_err(|_| wrong(offset, "want numbers", line))
                };
                let (count, size) = (number(*count)?, number(*size)?);
                if count == 0 && size != 0 {
                    return Err(wrong(offset, "want no bytes without objects", line));
                }
                if count != 0 {
                    block = size.wrapping_div(count);
                }
                let scaled =
                    if is_sampled { unsampled(count, size, period) } else { (count, size) };
                values.extend([scaled.0, scaled.1]);
            }
            let label = Label { key: bytes, value: LabelValue::Number(block, Text::EMPTY) };
            self.sample(&sample[5], &values, &[label], offset)?;
        }
        Ok(())
    }

    /// `legacy_profile.go`, parseContention.
    fn contention(&mut self) -> Result<(), WireError> {
        self.lines.next();
        self.set_types(
            ("contentions", "count"),
            &[("contentions", "count"), ("delay", "nanoseconds")],
        );
        self.profile.period = 1;
        let mut hertz = 0i64;
        while let Some((line, offset)) = self.lines.next() {
            let line = line.trim();
            if is_blank(line) {
                self.comment(line);
                continue;
            }
            if line.starts_with("---") {
                break;
            }
            if let Some((key, value)) = line.split_once('=') {
                let number = value.trim().parse::<i64>();
                let number = number.map_err(|_| wrong(offset, "want a number", line));
                match key.trim() {
                    "cycles/second" => hertz = number?,
                    "sampling period" => self.profile.period = number?,
                    "ms since reset" => {
                        self.profile.duration_nanos = number?.wrapping_mul(1_000_000);
                    }
                    "discarded samples" => {}
                    _ => {
                        return Err(wrong(
                            offset,
                            "want an attribute of a contention profile",
                            line,
                        ));
                    }
                }
                continue;
            }
            let sample = PATTERNS.contention.captures(line);
            let sample =
                sample.ok_or_else(|| wrong(offset, "want a sample of contention", line))?;
            let number = |at: usize| {
                sample[at].parse::<i64>().map_err(|_| wrong(offset, "want numbers", line))
            };
            let (mut delay, mut count) = (number(1)?, number(2)?);
            let period = self.profile.period;
            if period > 0 {
                if hertz > 0 {
                    delay = (delay as f64 * period as f64 / (hertz as f64 / 1e9)) as i64;
                }
                count = count.wrapping_mul(period);
            }
            self.sample(&sample[3], &[count, delay], &[], offset)?;
        }
        Ok(())
    }

    /// `legacy_profile.go`, parseGoCount.
    fn count(&mut self) -> Result<(), WireError> {
        let start = self.lines.find(|(line, _)| !is_blank(line)).unwrap_or(("", 0));
        let start = PATTERNS.count_start.captures(start.0);
        let kind = start.map_or_else(String::new, |start| start[1].to_owned());
        self.set_types((&kind, "count"), &[(&kind, "count")]);
        self.profile.period = 1;
        while let Some((line, offset)) = self.lines.next() {
            if is_blank(line) {
                self.comment(line.trim());
                continue;
            }
            if line.starts_with("---") {
                break;
            }
            let sample = PATTERNS.count.captures(line);
            let sample = sample.ok_or_else(|| wrong(offset, "want a count and a stack", line))?;
            let count = sample[1].parse().map_err(|_| wrong(offset, "want a number", line))?;
            self.sample(&sample[2], &[count], &[], offset)?;
        }
        Ok(())
    }

    fn sample(
        &mut self,
        addresses: &str,
        values: &[i64],
        labels: &[Label],
        offset: u64,
    ) -> Result<(), WireError> {
        let mut stack = Vec::new();
        for found in PATTERNS.hex.find_iter(addresses) {
            let address = u64::from_str_radix(&found.as_str()[2..], 16)
                .map_err(|_| wrong(offset, "want addresses of 64 bits", found.as_str()))?;
            // Return addresses; one before is the call.
            let address = address.wrapping_sub(1);
            let locations = &mut self.profile.locations;
            stack.push(*self.locations.entry(address).or_insert_with(|| {
                let id = locations.len() as u64 + 1;
                locations.push(Location { id, address, ..Location::default() });
                id as u32 - 1
            }));
        }
        let labels = self.profile.label_sets.intern(labels);
        self.last_symbol = None;
        if !self.profile.samples.push(stack, values, labels) {
            return Err(WireError::new(offset, "more than 2^32 frames in all stacks"));
        }
        Ok(())
    }

    /// A comment behind a sample: `#`, address, function with offset, file with line, between tabs;
    /// or the labels of the sample.
    fn comment(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix('#') else { return };
        if let Some(labels) = rest.strip_prefix(" labels: ") {
            return self.sample_labels(labels);
        }
        let mut words = rest.split('\t').filter(|word| !word.is_empty());
        let (Some(address), Some(name)) = (words.next(), words.next()) else { return };
        let address = address.trim().strip_prefix("0x");
        let Some(address) = address.and_then(|hex| u64::from_str_radix(hex, 16).ok()) else {
            return;
        };
        let (file, number) = words.next().and_then(|at| at.rsplit_once(':')).unwrap_or(("", "0"));
        let function = name.trim().rsplit_once("+0x").map_or(name.trim(), |(name, _)| name);
        if self.last_symbol != Some(address) {
            self.is_new_symbol = !self.symbols.contains_key(&address);
            self.last_symbol = Some(address);
        }
        // Several lines in a row with one address are what was inlined there.
        if self.is_new_symbol {
            self.symbols.entry(address).or_default().push(Symbol {
                function: function.into(),
                file: file.into(),
                line: number.trim().parse().unwrap_or(0),
            });
        }
    }

    /// `{"key":"value", ...}` behind a sample of goroutines.
    fn sample_labels(&mut self, text: &str) {
        static PAIR: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#""((?:[^"\\]|\\.)*)":\s*"((?:[^"\\]|\\.)*)""#)
                .expect("the pattern is right")
        });
        let Some(sample) = self.profile.samples.len().checked_sub(1) else { return };
        let texts = &mut self.profile.texts;
        let plain = |text: &str| text.replace("\\\"", "\"").replace("\\\\", "\\");
        let labels: Vec<Label> = PAIR
            .captures_iter(text)
            .map(|pair| Label {
                key: texts.intern(&plain(&pair[1])),
                value: LabelValue::Text(texts.intern(&plain(&pair[2]))),
            })
            .collect();
        let labels = self.profile.label_sets.intern(&labels);
        self.profile.samples.set_labels(sample, labels);
    }

    fn finish(&mut self, form: Form, with_symbols: bool) {
        self.memory_map();
        self.order_locations();
        self.assign_mappings();
        // What Go keeps out of its own profiles too (`legacy_profile.go`, addLegacyFrameInfo).
        if form == Form::Heap {
            self.profile.drop_frames = self.profile.texts.intern(r"runtime\..*");
            let keep = r"runtime\.panic|runtime\.reflectcall|runtime\.call[0-9]*";
            self.profile.keep_frames = self.profile.texts.intern(keep);
        }
        if with_symbols && !self.symbols.is_empty() {
            self.symbolise();
        } else {
            self.drop_labels(form);
        }
    }

    /// pprof does not read labels of goroutines.
    fn drop_labels(&mut self, form: Form) {
        if form == Form::Count {
            for sample in 0..self.profile.samples.len() {
                self.profile.samples.set_labels(sample, Default::default());
            }
        }
    }

    /// What is left of the text may be a map of the memory (`legacy_profile.go`,
    /// parseProcMapsFromScanner).
    fn memory_map(&mut self) {
        for (line, _) in self.lines.by_ref() {
            let hex = |text: Option<regex::Match<'_>>| {
                text.and_then(|text| u64::from_str_radix(text.as_str(), 16).ok())
            };
            let (found, at) = match PATTERNS.full_map.captures(line) {
                Some(found) => (found, (4, 5, 9)),
                None => match PATTERNS.brief_map.captures(line) {
                    Some(found) => (found, (5, 4, 6)),
                    None => continue,
                },
            };
            let is_code = found.get(3).is_none_or(|rights| rights.as_str().contains('x'));
            let (Some(start), Some(limit)) = (hex(found.get(1)), hex(found.get(2))) else {
                continue;
            };
            if !is_code {
                continue;
            }
            let text = |at: usize| found.get(at).map_or("", |text| text.as_str()).to_owned();
            let (file, build_id) = (text(at.1), text(at.2));
            let mapping = Mapping {
                start,
                limit,
                offset: hex(found.get(at.0)).unwrap_or(0),
                file: self.profile.texts.intern(&file),
                build_id: self.profile.texts.intern(&build_id),
                ..Mapping::default()
            };
            self.profile.mappings.push(mapping);
        }
    }

    /// Numbers locations in the order in which samples lead to them.
    fn order_locations(&mut self) {
        let mut order: Vec<u32> = Vec::new();
        let mut places = vec![u32::MAX; self.profile.locations.len()];
        self.profile.samples.map_frames(|frame| {
            let place = &mut places[frame as usize];
            if *place == u32::MAX {
                *place = order.len() as u32;
                order.push(frame);
            }
            *place
        });
        let old = std::mem::take(&mut self.profile.locations);
        self.profile.locations = (1..)
            .zip(order)
            .map(|(id, frame)| Location { id, ..old[frame as usize].clone() })
            .collect();
    }

    /// `legacy_profile.go`, remapMappingIDs; Go's own text has no map, so all is in a made-up one.
    fn assign_mappings(&mut self) {
        let mappings = &mut self.profile.mappings;
        let mut made_up = None;
        for location in self.profile.locations.iter_mut().filter(|location| location.address != 0) {
            let address = location.address;
            let found = mappings
                .iter()
                .position(|mapping| mapping.start <= address && address < mapping.limit);
            let position = found.or(made_up).unwrap_or_else(|| {
                mappings.push(Mapping { limit: u64::MAX, ..Mapping::default() });
                mappings.len() - 1
            });
            if found.is_none() {
                made_up = Some(position);
            }
            location.mapping = Some(position as u32);
        }
        for (id, mapping) in (1..).zip(mappings) {
            mapping.id = id;
        }
    }

    /// Gives locations the functions of the comments. Go leaves frames of the runtime at both ends
    /// out of them; so they are left out of stacks of which anything else is known.
    fn symbolise(&mut self) {
        let profile = &mut self.profile;
        let mut functions: FxHashMap<(Text, Text), u32> = FxHashMap::default();
        for location in &mut profile.locations {
            for symbol in self.symbols.get(&location.address).into_iter().flatten() {
                let name = profile.texts.intern(&symbol.function);
                let file = profile.texts.intern(&symbol.file);
                let function = *functions.entry((name, file)).or_insert_with(|| {
                    let id = profile.functions.len() as u64 + 1;
                    let system_name = name;
                    profile.functions.push(Function { id, name, system_name, file, start_line: 0 });
                    id as u32 - 1
                });
                location.lines.push(Line { function, line: symbol.line, column: 0 });
            }
        }
        for mapping in &mut profile.mappings {
            (mapping.has_functions, mapping.has_filenames) = (true, true);
            (mapping.has_line_numbers, mapping.has_inline_frames) = (true, true);
        }
        let is_known: Vec<bool> =
            profile.locations.iter().map(|location| !location.lines.is_empty()).collect();
        for sample in 0..profile.samples.len() {
            if profile.samples.stack(sample).iter().any(|&frame| is_known[frame as usize]) {
                profile.samples.retain_frames(sample, |frame| is_known[frame as usize]);
            }
        }
    }
}

/// Estimates what a sample of a heap stands for (`legacy_profile.go`, scaleHeapSample).
fn unsampled(count: i64, size: i64, rate: i64) -> (i64, i64) {
    if count == 0 || size == 0 {
        return (0, 0);
    }
    if rate <= 1 {
        return (count, size);
    }
    let average = size as f64 / count as f64;
    let factor = 1.0 / (1.0 - (-average / rate as f64).exp());
    ((count as f64 * factor) as i64, (size as f64 * factor) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_of_goroutines_become_samples_with_their_state() {
        let text = "goroutine 1 [running]:\nmain.main()\n\t/a/main.go:5 +0x1d\n\n\
            goroutine 7 [chan receive, 12 minutes]:\nmain.f(0x1)\n\tm.go:9 +0x1\n\
            created by main.main in goroutine 1\n\tm.go:3 +0x2\n";
        let mut stream = ByteStream::from_bytes(text);
        assert!(is_text(&mut stream));
        let profile = read_text(&mut stream, true, ReadLimits::default()).unwrap();
        assert_eq!(profile.samples.len(), 2);
        assert_eq!(profile.samples.stack(1).len(), 1);
        assert_eq!(profile.labels(1).len(), 2);
    }

    #[test]
    fn damaged_text_is_refused_with_its_place() {
        let mut stream = ByteStream::from_bytes("goroutine profile: total 1\n\nnonsense\n");
        let error = read_text(&mut stream, true, ReadLimits::default()).unwrap_err().to_string();
        assert!(error.starts_with("byte 28: want a count and a stack"), "{error}");
    }
}
