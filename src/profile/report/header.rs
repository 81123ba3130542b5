//! What stands above reports.

use super::{Report, Trimmed};
use crate::profile::graph::{Graph, to_int};
use crate::profile::{paths, units};

impl Report {
    /// What the profile is (`report.go`, ProfileLabels). Times are in UTC.
    pub fn profile_labels(&self) -> Vec<String> {
        let profile = &self.profile;
        let mut labels = Vec::new();
        if let Some(mapping) = profile.mappings.first() {
            if !mapping.file.is_empty() {
                labels.push(format!("File: {}", paths::base(profile.text(mapping.file))));
            }
            if !mapping.build_id.is_empty() {
                labels.push(format!("Build ID: {}", profile.text(mapping.build_id)));
            }
        }
        let comments = profile.comments.iter().map(|&comment| profile.text(comment));
        labels.extend(comments.filter(|comment| !comment.starts_with('#')).map(String::from));
        if !self.sample_type.is_empty() {
            labels.push(format!("Type: {}", self.sample_type));
        }
        if !profile.doc_url.is_empty() {
            labels.push(format!("Doc: {}", profile.text(profile.doc_url)));
        }
        if profile.time_nanos != 0 {
            labels.push(format!("Time: {} UTC", date_time(profile.time_nanos)));
        }
        if profile.duration_nanos != 0 {
            let duration = units::label(profile.duration_nanos, "nanoseconds");
            let (nanos, unit) = units::scale(self.total, &self.sample_unit, "nanoseconds");
            let ratio = match unit == "ns" && nanos != 0.0 {
                true => {
                    format!("({})", units::percentage(to_int(nanos), profile.duration_nanos))
                }
                false => String::new(),
            };
            labels.push(format!(
                "Duration: {duration}, Total samples = {} {ratio}",
                self.format(self.total)
            ));
        }
        labels
    }

    /// What the profile is and what is shown of it (`report.go`, reportLabels).
    pub(super) fn labels(&self, trimmed: &Trimmed, is_picture: bool) -> Vec<String> {
        let mut labels = Vec::new();
        if is_picture || !self.config.compact_labels {
            labels = self.profile_labels();
        }
        labels.extend(self.filter_labels());
        let shown = graph_total(&trimmed.graph);
        labels.push(format!(
            "Showing nodes accounting for {}, {} of {} total",
            self.format(shown),
            units::percentage(shown, self.total).trim(),
            self.format(self.total)
        ));
        if self.total != 0 {
            let mut dropped = |count: usize, what: &str, by: &str, fraction: f64| {
                if count > 0 {
                    let cutoff = to_int(self.total as f64 * fraction).wrapping_abs();
                    let plural = if count > 1 { "s" } else { "" };
                    let cutoff = self.format(cutoff);
                    labels.push(format!("Dropped {count} {what}{plural} ({by} <= {cutoff})"));
                }
            };
            dropped(trimmed.dropped_nodes, "node", "cum", self.config.nodefraction);
            let dropped_edges = if is_picture { trimmed.dropped_edges } else { 0 };
            dropped(dropped_edges, "edge", "freq", self.config.edgefraction);
            let count = trimmed.graph.shown.len();
            if count > 0 && count < trimmed.original_count {
                labels.push(format!("Showing top {count} nodes out of {}", trimmed.original_count));
            }
        }
        if is_picture {
            labels.push("\nSee https://git.io/JfYMW for how to read the graph".into());
        }
        labels
    }

    /// `driver.go`, reportOptions; `report.go`, legendActiveFilters.
    fn filter_labels(&self) -> Vec<String> {
        let config = &self.config;
        let filters = [
            ("focus", &config.focus),
            ("ignore", &config.ignore),
            ("hide", &config.hide),
            ("show", &config.show),
            ("show_from", &config.show_from),
            ("tagfocus", &config.tagfocus),
            ("tagignore", &config.tagignore),
            ("tagshow", &config.tagshow),
            ("taghide", &config.taghide),
        ];
        let mut labels: Vec<String> = filters
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| {
                let text = format!("{name}={value}");
                // Go counts bytes; so does this, but for a letter that the cut would split.
                match text.len() > 80 {
                    true => format!("   {}…", &text[..text.floor_char_boundary(80)]),
                    false => format!("   {text}"),
                }
            })
            .collect();
        if !labels.is_empty() {
            labels.insert(0, "Active filters:".into());
        }
        labels
    }
}

/// Sum of the flat values that are shown.
pub(super) fn graph_total(graph: &Graph) -> i64 {
    graph.iter().fold(0i64, |sum, node| sum.wrapping_add(node.flat_value()))
}

/// `2006-01-02 15:04:05`, in UTC.
pub(super) fn date_time(unix_nanos: i64) -> String {
    let seconds = unix_nanos.div_euclid(1_000_000_000);
    let (days, second) = (seconds.div_euclid(86400), seconds.rem_euclid(86400));
    // Days to a date in the calendar of 400-year eras that begin on March 1st.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_around_leap_days() {
        assert_eq!(date_time(0), "1970-01-01 00:00:00");
        assert_eq!(date_time(951_782_400_000_000_000), "2000-02-29 00:00:00");
        assert_eq!(date_time(1_709_251_199_999_999_999), "2024-02-29 23:59:59");
        assert_eq!(date_time(-1), "1969-12-31 23:59:59");
    }
}
