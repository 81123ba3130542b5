//! Records to a profile, with every check of pprof's CheckValid made on the way.

use super::error::ProfileError;
use super::labels::{Label, LabelValue};
use super::limits::ReadLimits;
use super::model::{Function, Line, Location, Mapping, Profile, ValueType};
use super::text::Text;
use crate::source::ByteStream;
use crate::wire::WireError;
use crate::wire::pprof::{
    RawFunction, RawHeader, RawLabel, RawLine, RawLocation, RawMapping, RawSample, RawValueType,
    Records, read_profile,
};
use rustc_hash::FxHashMap;

/// Reads a profile, already unpacked: in the form of `profile.proto`, or in one of those before it.
/// `with_symbols` takes the functions of text from its comments, which pprof does not.
pub fn read(stream: &mut ByteStream, with_symbols: bool) -> Result<Profile, ProfileError> {
    read_within(stream, with_symbols, ReadLimits::default())
}

/// The same within other limits.
pub fn read_within(
    stream: &mut ByteStream,
    with_symbols: bool,
    limits: ReadLimits,
) -> Result<Profile, ProfileError> {
    if super::legacy::is_legacy(stream) {
        return super::legacy::read(stream, with_symbols, limits);
    }
    if stream.peek(1).is_empty() {
        return match stream.take_error() {
            Some(error) => Err(error.into()),
            None => Err(WireError::new(0, "empty input").into()),
        };
    }
    let mut decoder = Decoder { limits, ..Decoder::default() };
    let done = read_profile(stream, &mut decoder);
    // That the input could not be unpacked explains whatever the parser missed behind it.
    if let Some(error) = stream.take_error() {
        return Err(error.into());
    }
    done?;
    Ok(decoder.finish(stream.offset())?)
}

/// Numbers into the string table that are not looked up before it has come, at the end.
#[derive(Default)]
struct Decoder {
    profile: Profile,
    limits: ReadLimits,
    /// About how many bytes of memory everything here takes.
    kept_bytes: u64,
    /// The string table: the text of each number.
    strings: Vec<Text>,
    /// What was found first of things that have no place in the profile before the string table.
    sample_types: Vec<(RawValueType, u64)>,
    mappings: Vec<(RawMapping, u64)>,
    functions: Vec<(RawFunction, u64)>,
    headers: Vec<(RawHeader, u64)>,
    /// Labels as numbers, interned: most samples share theirs.
    label_sets: Vec<(Box<[RawLabel]>, u64)>,
    label_ids: FxHashMap<Box<[RawLabel]>, u32>,
    /// The label set of each sample that has one.
    sample_labels: Vec<(u32, u32)>,
    location_ids: Ids,
    function_ids: Ids,
    mapping_ids: Ids,
    /// Lines name functions by id until all functions have come.
    lines: Vec<(RawLine, u64)>,
    /// Ids of locations in samples that do not fit into 32 bits, and their stand-ins.
    large_ids: Vec<u64>,
    large_stand_ins: FxHashMap<u64, u32>,
    first_sample: Option<u64>,
    has_time: bool,
}

/// Ids, which are mostly 1, 2, 3, ..., to positions.
#[derive(Default)]
struct Ids {
    /// How many of them are 1, 2, 3, ... in this order.
    dense: u64,
    sparse: FxHashMap<u64, u32>,
}

impl Ids {
    /// Adds the id of position `position`; `false` if it was there before.
    fn insert(&mut self, id: u64, position: u32) -> bool {
        if self.sparse.is_empty() && id == self.dense + 1 && id == u64::from(position) + 1 {
            self.dense = id;
            return true;
        }
        self.get(id).is_none() && self.sparse.insert(id, position).is_none()
    }

    #[inline(always)]
    fn get(&self, id: u64) -> Option<u32> {
        if id.wrapping_sub(1) < self.dense {
            return Some((id - 1) as u32);
        }
        self.sparse.get(&id).copied()
    }
}

/// Ids of locations from here on are stand-ins for larger ones.
const STAND_INS: u32 = 0xf000_0000;

/// What a place in a hash table takes, about.
const ENTRY: usize = 16;

impl Records for Decoder {
    fn reached(&mut self, offset: u64, packed: Option<u64>) -> Result<(), WireError> {
        self.limits.check_ratio(offset, packed)
    }

    fn sample_type(&mut self, value: RawValueType, offset: u64) -> Result<(), WireError> {
        self.keep(size_of::<(RawValueType, u64)>(), offset)?;
        self.sample_types.push((value, offset));
        Ok(())
    }

    fn sample(&mut self, sample: RawSample<'_>, offset: u64) -> Result<(), WireError> {
        let width = self.profile.samples.width();
        if self.first_sample.is_none() {
            self.first_sample = Some(offset);
        } else if sample.values.len() != width {
            return Err(WireError::new(
                offset,
                format!("sample: {} values, but those before have {width}", sample.values.len()),
            ));
        }
        self.keep(16 + 8 * sample.values.len() + 4 * sample.locations.len(), offset)?;
        let (large_ids, stand_ins) = (&mut self.large_ids, &mut self.large_stand_ins);
        let frames = sample.locations.iter().map(|&id| match u32::try_from(id) {
            Ok(id) if id < STAND_INS => id,
            _ => *stand_ins.entry(id).or_insert_with(|| {
                large_ids.push(id);
                // A million of them leave no doubt that the profile is damaged; the one that is
                // used again resolves to another id's location and is refused or harmless.
                STAND_INS + (large_ids.len() as u32 - 1).min(u32::MAX - STAND_INS)
            }),
        });
        if !self.profile.samples.push(frames, sample.values, Default::default()) {
            return Err(WireError::new(offset, "sample: more than 2^32 frames in all stacks"));
        }
        if !sample.labels.is_empty() {
            let set = match self.label_ids.get(sample.labels) {
                Some(&set) => set,
                None => {
                    // As numbers, as the key of that, and as labels in the end.
                    self.keep(3 * (size_of_val(sample.labels) + ENTRY), offset)?;
                    let set = self.label_sets.len() as u32;
                    self.label_sets.push((sample.labels.into(), offset));
                    self.label_ids.insert(sample.labels.into(), set);
                    set
                }
            };
            self.sample_labels.push((self.profile.samples.len() as u32 - 1, set));
        }
        Ok(())
    }

    fn mapping(&mut self, mapping: RawMapping, offset: u64) -> Result<(), WireError> {
        self.keep(2 * size_of::<RawMapping>() + ENTRY, offset)?;
        new_id(&mut self.mapping_ids, mapping.id, self.mappings.len(), "mapping", offset)?;
        self.mappings.push((mapping, offset));
        Ok(())
    }

    fn location(&mut self, raw: RawLocation<'_>, offset: u64) -> Result<(), WireError> {
        let position = self.profile.locations.len();
        let lines = size_of_val(raw.lines) + raw.lines.len() * size_of::<Line>() + ENTRY;
        self.keep(size_of::<Location>() + lines + ENTRY, offset)?;
        new_id(&mut self.location_ids, raw.id, position, "location", offset)?;
        let first = self.lines.len();
        self.lines.extend(raw.lines.iter().map(|&line| (line, offset)));
        if u32::try_from(self.lines.len()).is_err() {
            return Err(WireError::new(offset, "location: more than 2^32 lines in all locations"));
        }
        // The numbers stand in for lines and mapping until all functions and mappings are known.
        let lines = vec![Line { function: first as u32, line: raw.lines.len() as i64, column: 0 }];
        self.profile.locations.push(Location {
            id: raw.id,
            mapping: None,
            address: raw.address,
            lines: if raw.lines.is_empty() { Vec::new() } else { lines },
            is_folded: raw.is_folded,
        });
        if raw.mapping != 0 {
            self.location_mapping(position as u32, raw.mapping);
        }
        Ok(())
    }

    fn function(&mut self, function: RawFunction, offset: u64) -> Result<(), WireError> {
        self.keep(2 * size_of::<RawFunction>() + ENTRY, offset)?;
        new_id(&mut self.function_ids, function.id, self.functions.len(), "function", offset)?;
        self.functions.push((function, offset));
        Ok(())
    }

    fn string(&mut self, text: &[u8], offset: u64) -> Result<(), WireError> {
        if self.strings.is_empty() && !text.is_empty() {
            return Err(WireError::new(offset, "string_table: the first entry must be empty"));
        }
        let known = self.profile.texts.len();
        self.strings.push(self.profile.texts.intern(&String::from_utf8_lossy(text)));
        let is_new = self.profile.texts.len() > known;
        self.keep(size_of::<Text>() + if is_new { text.len() + 3 * ENTRY } else { 0 }, offset)?;
        Ok(())
    }

    fn header(&mut self, header: RawHeader, offset: u64) -> Result<(), WireError> {
        if let RawHeader::TimeNanos(time) = header {
            if self.has_time {
                return Err(WireError::new(
                    offset,
                    "time_nanos: a second one; these are several profiles in one file",
                ));
            }
            self.has_time = time != 0;
        }
        self.keep(size_of::<(RawHeader, u64)>(), offset)?;
        self.headers.push((header, offset));
        Ok(())
    }
}

fn new_id(
    ids: &mut Ids,
    id: u64,
    position: usize,
    what: &str,
    offset: u64,
) -> Result<(), WireError> {
    let error = |what: String| Err(WireError::new(offset, what));
    let Ok(position) = u32::try_from(position) else {
        return error(format!("{what}: more than 2^32 of them"));
    };
    if id == 0 {
        return error(format!("{what}.id: 0, which is reserved"));
    }
    if !ids.insert(id, position) {
        return error(format!("{what}.id: a second {what} with the id {id}"));
    }
    Ok(())
}

impl Decoder {
    /// Counts what is about to be kept.
    #[inline(always)]
    fn keep(&mut self, bytes: usize, offset: u64) -> Result<(), WireError> {
        self.kept_bytes += bytes as u64;
        match self.kept_bytes > self.limits.memory_bytes {
            true => Err(self.limits.too_much(offset)),
            false => Ok(()),
        }
    }

    /// Remembers the mapping of a location by its id, until all mappings have come.
    fn location_mapping(&mut self, position: u32, mapping: u64) {
        // Mappings mostly come before locations; then the position is known already.
        let known = self.mapping_ids.get(mapping);
        self.profile.locations[position as usize].mapping = Some(match known {
            Some(mapping) => mapping,
            None => *self.large_stand_ins.entry(mapping).or_insert_with(|| {
                self.large_ids.push(mapping);
                STAND_INS + (self.large_ids.len() as u32 - 1).min(u32::MAX - STAND_INS)
            }),
        });
    }

    fn finish(mut self, end: u64) -> Result<Profile, WireError> {
        let samples = &self.profile.samples;
        if let Some(offset) = self.first_sample
            && samples.width() != self.sample_types.len()
        {
            return Err(WireError::new(
                offset,
                format!(
                    "sample: {} values, but there are {} sample types",
                    samples.width(),
                    self.sample_types.len()
                ),
            ));
        }
        if self.first_sample.is_none() && self.sample_types.is_empty() && self.strings.is_empty() {
            return Err(WireError::new(end, "no sample types, no samples, no string table"));
        }
        self.finish_symbols()?;
        self.finish_stacks()?;
        self.finish_labels()?;
        self.finish_headers()?;
        Ok(self.profile)
    }

    fn text(&self, number: i64, what: &str, offset: u64) -> Result<Text, WireError> {
        let found = usize::try_from(number).ok().and_then(|number| self.strings.get(number));
        // Go's reader resolves 0 only if there is a string table at all; so does this one, but for
        // a profile without any text.
        match found {
            Some(&text) => Ok(text),
            None if number == 0 && self.strings.is_empty() => Ok(Text::EMPTY),
            None => Err(WireError::new(
                offset,
                format!(
                    "{what}: text {number}, but the string table has {} entries",
                    self.strings.len()
                ),
            )),
        }
    }

    fn value_type(&self, raw: RawValueType, offset: u64) -> Result<ValueType, WireError> {
        Ok(ValueType {
            kind: self.text(raw.kind, "value_type.type", offset)?,
            unit: self.text(raw.unit, "value_type.unit", offset)?,
        })
    }

    fn finish_symbols(&mut self) -> Result<(), WireError> {
        for &(raw, offset) in &self.sample_types {
            let value = self.value_type(raw, offset)?;
            self.profile.sample_types.push(value);
        }
        for &(raw, offset) in &self.mappings {
            let mapping = Mapping {
                id: raw.id,
                start: raw.start,
                limit: raw.limit,
                offset: raw.offset,
                file: self.text(raw.file, "mapping.filename", offset)?,
                build_id: self.text(raw.build_id, "mapping.build_id", offset)?,
                has_functions: raw.has_functions,
                has_filenames: raw.has_filenames,
                has_line_numbers: raw.has_line_numbers,
                has_inline_frames: raw.has_inline_frames,
            };
            self.profile.mappings.push(mapping);
        }
        for &(raw, offset) in &self.functions {
            let function = Function {
                id: raw.id,
                name: self.text(raw.name, "function.name", offset)?,
                system_name: self.text(raw.system_name, "function.system_name", offset)?,
                file: self.text(raw.file, "function.filename", offset)?,
                start_line: raw.start_line,
            };
            self.profile.functions.push(function);
        }
        for location in &mut self.profile.locations {
            if let Some(mapping) = location.mapping
                && mapping >= STAND_INS
            {
                // A mapping that is nowhere is none, as for Go (`encode.go`, postDecode).
                let id = self.large_ids[(mapping - STAND_INS) as usize];
                location.mapping = self.mapping_ids.get(id);
            }
            let Some(&Line { function: first, line: count, .. }) = location.lines.first() else {
                continue;
            };
            let raw = &self.lines[first as usize..][..count as usize];
            location.lines = raw
                .iter()
                .map(|&(raw, offset)| match self.function_ids.get(raw.function) {
                    Some(function) => Ok(Line { function, line: raw.line, column: raw.column }),
                    None => Err(WireError::new(
                        offset,
                        format!(
                            "line.function_id: {} at location {}, but there is no such function",
                            raw.function, location.id
                        ),
                    )),
                })
                .collect::<Result<_, _>>()?;
        }
        Ok(())
    }

    fn finish_stacks(&mut self) -> Result<(), WireError> {
        let (ids, large) = (&self.location_ids, &self.large_ids);
        let mut missing = None;
        self.profile.samples.map_frames(|id| {
            let id = match id.checked_sub(STAND_INS) {
                Some(stand_in) => large[stand_in as usize],
                None => u64::from(id),
            };
            ids.get(id).unwrap_or_else(|| {
                missing.get_or_insert(id);
                0
            })
        });
        match missing {
            // Where the samples begin is as near as can be told: samples are not kept with their
            // offsets, which would cost a tenth of the memory.
            Some(id) => Err(WireError::new(
                self.first_sample.unwrap_or(0),
                format!(
                    "sample.location_id: {id} in one of the samples from here on, but there is no such location"
                ),
            )),
            None => Ok(()),
        }
    }

    fn finish_labels(&mut self) -> Result<(), WireError> {
        let mut sets = Vec::with_capacity(self.label_sets.len());
        let mut labels = Vec::new();
        for (raw, offset) in &self.label_sets {
            labels.clear();
            for label in raw {
                let key = self.text(label.key, "label.key", *offset)?;
                // Neither text nor number nor unit: no label (Go 1.27 `encode.go`, postDecode).
                if label.text != 0 {
                    let text = self.text(label.text, "label.str", *offset)?;
                    labels.push(Label { key, value: LabelValue::Text(text) });
                } else if label.number != 0 || label.unit != 0 {
                    let unit = self.text(label.unit, "label.num_unit", *offset)?;
                    labels.push(Label { key, value: LabelValue::Number(label.number, unit) });
                }
            }
            sets.push(self.profile.label_sets.intern(&labels));
        }
        for &(sample, set) in &self.sample_labels {
            self.profile.samples.set_labels(sample as usize, sets[set as usize]);
        }
        Ok(())
    }

    fn finish_headers(&mut self) -> Result<(), WireError> {
        for &(header, offset) in &self.headers {
            match header {
                RawHeader::DropFrames(number) => {
                    self.profile.drop_frames = self.text(number, "drop_frames", offset)?;
                }
                RawHeader::KeepFrames(number) => {
                    self.profile.keep_frames = self.text(number, "keep_frames", offset)?;
                }
                RawHeader::TimeNanos(time) => self.profile.time_nanos = time,
                RawHeader::DurationNanos(duration) => self.profile.duration_nanos = duration,
                RawHeader::PeriodType(raw) => {
                    self.profile.period_type = self.value_type(raw, offset)?;
                }
                RawHeader::Period(period) => self.profile.period = period,
                RawHeader::Comment(number) => {
                    let comment = self.text(number, "comment", offset)?;
                    self.profile.comments.push(comment);
                }
                RawHeader::DefaultSampleType(number) => {
                    let text = self.text(number, "default_sample_type", offset)?;
                    self.profile.default_sample_type = text;
                }
                RawHeader::DocUrl(number) => {
                    self.profile.doc_url = self.text(number, "doc_url", offset)?;
                }
            }
        }
        Ok(())
    }
}
