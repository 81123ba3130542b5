//! `raw`: everything in the profile.

use super::Report;
use super::header::date_time;
use crate::profile::labels::{number_labels, text_labels};
use crate::profile::model::{Location, Profile};
use std::fmt::Write as _;
use std::io::{self, Write};

impl Report {
    /// Writes what pprof prints (`profile/profile.go`, String).
    pub fn write_raw(&self, out: &mut impl Write) -> io::Result<()> {
        write_raw(&self.profile, out)
    }

    /// The profile as pprof writes it (`report.go`, printProto): divided, if that is wanted.
    pub fn into_profile(mut self) -> Profile {
        if self.ratio > 0.0 && self.ratio != 1.0 {
            for sample in 0..self.profile.samples.len() {
                for value in self.profile.samples.values_mut(sample) {
                    *value = crate::profile::graph::to_int(*value as f64 * self.ratio);
                }
            }
        }
        self.profile
    }
}

fn write_raw(profile: &Profile, out: &mut impl Write) -> io::Result<()> {
    for &comment in &profile.comments {
        writeln!(out, "Comment: {}", profile.text(comment))?;
    }
    if !profile.doc_url.is_empty() {
        writeln!(out, "Doc: {}", profile.text(profile.doc_url))?;
    }
    let period = profile.period_type;
    writeln!(out, "PeriodType: {} {}", profile.text(period.kind), profile.text(period.unit))?;
    writeln!(out, "Period: {}", profile.period)?;
    if profile.time_nanos != 0 {
        writeln!(out, "Time: {} +0000 UTC", precise_time(profile.time_nanos))?;
    }
    if profile.duration_nanos != 0 {
        // %.4v cuts the text after four letters.
        let duration = go_duration(profile.duration_nanos);
        writeln!(out, "Duration: {}", duration.chars().take(4).collect::<String>())?;
    }
    writeln!(out, "Samples:")?;
    let types = profile.sample_types.iter().map(|value| {
        let default = if value.kind == profile.default_sample_type { "[dflt]" } else { "" };
        format!("{}/{}{default}", profile.text(value.kind), profile.text(value.unit))
    });
    writeln!(out, "{}", types.collect::<Vec<_>>().join(" ").trim())?;
    let mut line = String::new();
    for sample in 0..profile.samples.len() {
        line.clear();
        write_sample(profile, sample, &mut line);
        out.write_all(line.as_bytes())?;
    }
    writeln!(out, "Locations")?;
    for location in &profile.locations {
        line.clear();
        write_location(profile, location, &mut line);
        out.write_all(line.as_bytes())?;
    }
    writeln!(out, "Mappings")?;
    for mapping in &profile.mappings {
        let flags = [
            (mapping.has_functions, "[FN]"),
            (mapping.has_filenames, "[FL]"),
            (mapping.has_line_numbers, "[LN]"),
            (mapping.has_inline_frames, "[IN]"),
        ];
        let flags: String = flags.iter().filter(|(is, _)| *is).map(|(_, text)| *text).collect();
        writeln!(
            out,
            "{}: {:#x}/{:#x}/{:#x} {} {} {flags}",
            mapping.id,
            mapping.start,
            mapping.limit,
            mapping.offset,
            profile.text(mapping.file),
            profile.text(mapping.build_id)
        )?;
    }
    Ok(())
}

// Writing to a String does not fail.
fn write_sample(profile: &Profile, sample: usize, line: &mut String) {
    for value in profile.samples.values(sample) {
        let _ = write!(line, " {value:>10}");
    }
    line.push_str(": ");
    for &frame in profile.samples.stack(sample) {
        let _ = write!(line, "{} ", profile.locations[frame as usize].id);
    }
    line.push('\n');
    let labels = profile.labels(sample);
    let texts = text_labels(labels, &profile.texts).into_iter();
    let texts = texts.map(|(key, values)| format!("{key}:[{}]", values.join(" ")));
    let numbers = number_labels(labels, &profile.texts).into_iter().map(|(key, values)| {
        let has_units = values.iter().any(|(_, unit)| !unit.is_empty());
        let values: Vec<String> = values
            .iter()
            .map(|(value, unit)| match has_units {
                true => format!("{value} {unit}"),
                false => value.to_string(),
            })
            .collect();
        format!("{key}:[{}]", values.join(" "))
    });
    for mut labels in [texts.collect::<Vec<_>>(), numbers.collect()] {
        if !labels.is_empty() {
            labels.sort();
            let _ = writeln!(line, "                {}", labels.join(" "));
        }
    }
}

fn write_location(profile: &Profile, location: &Location, line: &mut String) {
    let _ = write!(line, "{:>6}: {:#x} ", location.id, location.address);
    if let Some(mapping) = location.mapping {
        let _ = write!(line, "M={} ", profile.mappings[mapping as usize].id);
    }
    if location.is_folded {
        line.push_str("[F] ");
    }
    for (index, place) in location.lines.iter().enumerate() {
        if index > 0 {
            line.push_str("\n             ");
        }
        let function = &profile.functions[place.function as usize];
        let _ = write!(
            line,
            "{} {}:{}:{} s={}",
            profile.text(function.name),
            profile.text(function.file),
            place.line,
            place.column,
            function.start_line
        );
        if function.name != function.system_name {
            let _ = write!(line, "({})", profile.text(function.system_name));
        }
    }
    line.push('\n');
}

/// Seconds with their fraction, without zeros at the end.
fn precise_time(unix_nanos: i64) -> String {
    let fraction = unix_nanos.rem_euclid(1_000_000_000);
    let seconds = date_time(unix_nanos);
    match fraction {
        0 => seconds,
        _ => format!("{seconds}.{fraction:09}").trim_end_matches('0').to_owned(),
    }
}

/// A duration as Go's time.Duration prints it.
fn go_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let n = nanos.unsigned_abs();
    let fraction = |whole: u64, part: u64, digits: usize, unit: &str| {
        let part = format!("{part:0digits$}");
        let part = part.trim_end_matches('0');
        let dot = if part.is_empty() { "" } else { "." };
        format!("{whole}{dot}{part}{unit}")
    };
    let text = match n {
        0..1_000 => format!("{n}ns"),
        1_000..1_000_000 => fraction(n / 1_000, n % 1_000, 3, "µs"),
        1_000_000..1_000_000_000 => fraction(n / 1_000_000, n % 1_000_000, 6, "ms"),
        _ => {
            let seconds = n / 1_000_000_000;
            let last = fraction(seconds % 60, n % 1_000_000_000, 9, "s");
            match (seconds / 3600, seconds / 60 % 60) {
                (0, 0) => last,
                (0, minutes) => format!("{minutes}m{last}"),
                (hours, minutes) => format!("{hours}h{minutes}m{last}"),
            }
        }
    };
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_times_have_the_form_of_go() {
        assert_eq!(go_duration(1_500_000_000), "1.5s");
        assert_eq!(go_duration(90_000_000_001), "1m30.000000001s");
        assert_eq!(go_duration(3_600_000_000_000), "1h0m0s");
        assert_eq!((go_duration(999), go_duration(1_500)), ("999ns".into(), "1.5µs".into()));
        assert_eq!(go_duration(-2_000_000), "-2ms");
        assert_eq!(precise_time(1_500_000_000), "1970-01-01 00:00:01.5");
        assert_eq!(precise_time(2_000_000_000), "1970-01-01 00:00:02");
    }
}
