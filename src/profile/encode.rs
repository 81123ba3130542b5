//! A profile to bytes. A profile that Go wrote, read and written again, is the same bytes: the
//! string table is made in the order of Go's writer (Go 1.27 pprof `profile/encode.go`,
//! preEncode).

use super::labels::{LabelValue, number_labels, text_labels};
use super::model::Profile;
use super::text::{Text, Texts};
use crate::wire::pprof::{
    RawFunction, RawHeader, RawLabel, RawLine, RawLocation, RawMapping, RawSample, RawValueType,
    Writer,
};
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;
use std::io::{self, Write};

/// Bytes collected before they are written out.
const CHUNK: usize = 1 << 16;

/// The string table while it is made.
struct Table<'a> {
    texts: &'a Texts,
    strings: IndexSet<Text, FxBuildHasher>,
}

impl Table<'_> {
    fn add(&mut self, text: Text) -> i64 {
        self.strings.insert_full(text).0 as i64
    }

    fn find(&mut self, text: &str) -> i64 {
        let text = self.texts.find(text).expect("labels are made of the profile's texts");
        self.add(text)
    }
}

impl Profile {
    /// Writes the profile packed with gzip, as files of profiles are.
    pub fn write_packed(&self, out: impl Write) -> io::Result<()> {
        let mut packer = flate2::write::GzEncoder::new(out, flate2::Compression::default());
        self.write(&mut packer)?;
        packer.finish()?.flush()
    }

    /// Writes the profile in the form of `profile.proto`, not packed.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        let mut table = Table { texts: &self.texts, strings: IndexSet::default() };
        table.add(Text::EMPTY);
        let mut writer = Writer::new();
        let types: Vec<RawValueType> = self
            .sample_types
            .iter()
            .map(|value| RawValueType { kind: table.add(value.kind), unit: table.add(value.unit) })
            .collect();
        types.into_iter().for_each(|value| writer.sample_type(value));
        self.write_samples(&mut table, &mut writer, &mut out)?;
        self.write_symbols(&mut table, &mut writer, &mut out)?;
        self.write_rest(&mut table, &mut writer);
        out.write_all(&writer.take())
    }

    fn write_samples(
        &self,
        table: &mut Table<'_>,
        writer: &mut Writer,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let mut sets: Vec<Option<Vec<RawLabel>>> = vec![None; self.label_sets.len()];
        let mut ids = Vec::new();
        for sample in 0..self.samples.len() {
            let set = self.samples.labels(sample);
            let labels = sets[set.index()].get_or_insert_with(|| self.raw_labels(sample, table));
            ids.clear();
            let stack = self.samples.stack(sample);
            ids.extend(stack.iter().map(|&frame| self.locations[frame as usize].id));
            writer.sample(RawSample {
                locations: &ids,
                values: self.samples.values(sample),
                labels,
            });
            flush(writer, out)?;
        }
        Ok(())
    }

    fn raw_labels(&self, sample: usize, table: &mut Table<'_>) -> Vec<RawLabel> {
        let labels = self.labels(sample);
        let mut raw = Vec::with_capacity(labels.len());
        for (key, values) in text_labels(labels, &self.texts) {
            for value in values {
                let key = table.find(key);
                raw.push(RawLabel { key, text: table.find(value), ..RawLabel::default() });
            }
        }
        for (key, values) in number_labels(labels, &self.texts) {
            for (number, unit) in values {
                let key = table.find(key);
                raw.push(RawLabel { key, text: 0, number, unit: table.find(unit) });
            }
        }
        raw
    }

    fn write_symbols(
        &self,
        table: &mut Table<'_>,
        writer: &mut Writer,
        out: &mut impl Write,
    ) -> io::Result<()> {
        for mapping in &self.mappings {
            writer.mapping(RawMapping {
                id: mapping.id,
                start: mapping.start,
                limit: mapping.limit,
                offset: mapping.offset,
                file: table.add(mapping.file),
                build_id: table.add(mapping.build_id),
                has_functions: mapping.has_functions,
                has_filenames: mapping.has_filenames,
                has_line_numbers: mapping.has_line_numbers,
                has_inline_frames: mapping.has_inline_frames,
            });
        }
        let mut lines = Vec::new();
        for location in &self.locations {
            lines.clear();
            lines.extend(location.lines.iter().map(|line| RawLine {
                function: self.functions[line.function as usize].id,
                line: line.line,
                column: line.column,
            }));
            writer.location(RawLocation {
                id: location.id,
                mapping: location.mapping.map_or(0, |mapping| self.mappings[mapping as usize].id),
                address: location.address,
                lines: &lines,
                is_folded: location.is_folded,
            });
            flush(writer, out)?;
        }
        for function in &self.functions {
            writer.function(RawFunction {
                id: function.id,
                name: table.add(function.name),
                system_name: table.add(function.system_name),
                file: table.add(function.file),
                start_line: function.start_line,
            });
            flush(writer, out)?;
        }
        Ok(())
    }

    /// The fields behind the string table. Their texts are in it, so they are numbered first.
    fn write_rest(&self, table: &mut Table<'_>, writer: &mut Writer) {
        let drop_frames = table.add(self.drop_frames);
        let keep_frames = table.add(self.keep_frames);
        let period_type = RawValueType {
            kind: table.add(self.period_type.kind),
            unit: table.add(self.period_type.unit),
        };
        let comments: Vec<i64> = self.comments.iter().map(|&comment| table.add(comment)).collect();
        let default_sample_type = table.add(self.default_sample_type);
        let doc_url = table.add(self.doc_url);
        for &text in &table.strings {
            writer.string(self.text(text));
        }
        writer.header(RawHeader::DropFrames(drop_frames));
        writer.header(RawHeader::KeepFrames(keep_frames));
        writer.header(RawHeader::TimeNanos(self.time_nanos));
        writer.header(RawHeader::DurationNanos(self.duration_nanos));
        writer.header(RawHeader::PeriodType(period_type));
        writer.header(RawHeader::Period(self.period));
        writer.comments(&comments);
        writer.header(RawHeader::DefaultSampleType(default_sample_type));
        writer.header(RawHeader::DocUrl(doc_url));
    }

    /// Whether a label of the profile has this key.
    pub fn has_label(&self, key: Text) -> bool {
        self.label_sets.iter().any(|(_, labels)| labels.iter().any(|label| label.key == key))
    }

    /// Whether a sample has the text label.
    pub fn is_labelled(&self, sample: usize, key: Text, value: Text) -> bool {
        let wanted = LabelValue::Text(value);
        self.labels(sample).iter().any(|label| label.key == key && label.value == wanted)
    }
}

fn flush(writer: &mut Writer, out: &mut impl Write) -> io::Result<()> {
    if writer.len() < CHUNK {
        return Ok(());
    }
    out.write_all(&writer.take())
}
