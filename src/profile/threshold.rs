//! `--fail-if`: conditions that must not hold, for continuous integration.

use super::config::Config;
use super::model::Profile;
use super::pattern::Pattern;
use super::quantity::parse_quantity;
use super::report::{Report, Top, View};
use super::units;

/// Why conditions do not hold, or cannot be judged. The text is for users.
#[derive(Debug, thiserror::Error)]
pub enum ThresholdError {
    /// A condition that must not hold does, or the profile cannot be asked.
    #[error("{0}")]
    Failed(String),
    /// A condition is wrong.
    #[error("{0}")]
    Usage(String),
}

type Result<T> = std::result::Result<T, ThresholdError>;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Metric {
    Flat,
    Cum,
    FlatShare,
    CumShare,
    Total,
}

/// A condition, such as `flat% > 5 for main\.encode`.
pub struct Threshold {
    text: String,
    metric: Metric,
    comparison: String,
    /// A number and perhaps a unit; what they mean depends on the sample type.
    limit: String,
    functions: Option<Pattern>,
}

impl Threshold {
    /// Reads a condition: `METRIC COMPARISON NUMBER[UNIT] [for REGEX]`.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Threshold> {
        let refuse = |what: &str| {
            ThresholdError::Usage(format!(
                "--fail-if '{text}': {what}; write a condition such as 'flat% > 5 for main\\.encode', \
                 'cum >= 10MB' or 'total > 2s'"
            ))
        };
        let (condition, functions) = match text.split_once(" for ") {
            Some((condition, functions)) => {
                (condition, Some(Pattern::new(functions.trim()).map_err(|error| refuse(&error))?))
            }
            None => (text, None),
        };
        let at = condition.find(['<', '>', '=']).ok_or_else(|| refuse("there is no comparison"))?;
        let (metric, rest) = condition.split_at(at);
        let metric = match metric.trim() {
            "flat" => Metric::Flat,
            "cum" => Metric::Cum,
            "flat%" => Metric::FlatShare,
            "cum%" => Metric::CumShare,
            "total" => Metric::Total,
            _ => return Err(refuse("want flat, cum, flat%, cum% or total")),
        };
        let end = rest.find(|c| !matches!(c, '<' | '>' | '=')).unwrap_or(rest.len());
        let (comparison, value) = rest.split_at(end);
        if !["<", "<=", ">", ">=", "==", "="].contains(&comparison) {
            return Err(refuse("want one of < <= > >= =="));
        }
        if metric == Metric::Total && functions.is_some() {
            return Err(refuse("the total is of no function"));
        }
        let comparison = comparison.to_owned();
        let (text, limit) = (text.to_owned(), value.trim().to_owned());
        let threshold = Threshold { text, metric, comparison, limit, functions };
        if threshold.is_of_shares() {
            threshold.limit("")?;
        }
        Ok(threshold)
    }

    fn is_of_shares(&self) -> bool {
        matches!(self.metric, Metric::FlatShare | Metric::CumShare)
    }

    /// What is compared with: percent, or a value in `unit`, that of the sample type.
    fn limit(&self, unit: &str) -> Result<f64> {
        let limit = match self.is_of_shares() {
            true => parse_quantity(self.limit.trim_end_matches('%'), ""),
            false => parse_quantity(&self.limit, unit),
        };
        limit.map_err(|error| ThresholdError::Usage(format!("--fail-if '{}': {error}", self.text)))
    }

    /// Why the condition holds, for users; `None` if it does not.
    fn broken(&self, limit: f64, top: &Top, total: i64, unit: &str) -> Option<String> {
        let holds = |value: f64| match self.comparison.as_str() {
            "<" => value < limit,
            "<=" => value <= limit,
            ">" => value > limit,
            ">=" => value >= limit,
            _ => value == limit,
        };
        let share = |value: i64| match total {
            0 => 0.0,
            _ => value as f64 / total as f64 * 100.0,
        };
        if self.metric == Metric::Total {
            return holds(total as f64).then(|| {
                format!("--fail-if '{}': the total is {}", self.text, units::label(total, unit))
            });
        }
        let found = top.items.iter().filter(|item| {
            self.functions.as_ref().is_none_or(|pattern| pattern.is_match(&item.name))
        });
        let broken: Vec<String> = found
            .filter_map(|item| {
                let (value, is_share) = match self.metric {
                    Metric::Flat => (item.flat, false),
                    Metric::Cum => (item.cum, false),
                    Metric::FlatShare => (item.flat, true),
                    _ => (item.cum, true),
                };
                let compared = if is_share { share(value) } else { value as f64 };
                holds(compared).then(|| match is_share {
                    true => format!("{}: {compared:.2}%", item.name),
                    false => format!("{}: {}", item.name, units::label(value, unit)),
                })
            })
            .collect();
        let more = match broken.len() {
            0 => return None,
            count @ 4.. => format!(", and {} more", count - 3),
            _ => String::new(),
        };
        let shown = broken.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        Some(format!("--fail-if '{}': {shown}{more}", self.text))
    }
}

impl Threshold {
    /// Fails if a condition is about a unit that the profile has not.
    ///
    /// # Errors
    /// Which one, or that the profile has no such sample type.
    pub fn check_units(thresholds: &[Threshold], profile: &Profile, config: &Config) -> Result<()> {
        if thresholds.is_empty() {
            return Ok(());
        }
        let index = profile.sample_index(&config.sample_index).map_err(ThresholdError::Failed)?;
        let unit = profile.text(profile.sample_types[index].unit);
        thresholds.iter().try_for_each(|one| one.limit(unit).map(|_| ()))
    }

    /// What holds of the conditions, a sentence each. Every function counts, however small. `messages` gets
    /// what the options did not match.
    ///
    /// # Errors
    /// If a condition is about a unit that the profile has not, or the options do not fit the profile.
    pub fn broken_of(
        thresholds: &[Threshold],
        profile: &Profile,
        config: &Config,
        messages: &mut Vec<String>,
    ) -> Result<Vec<String>> {
        if thresholds.is_empty() {
            return Ok(Vec::new());
        }
        let config = Config { trim: false, ..config.clone() };
        let mut report = Report::new(profile.clone(), View::Top, None, &config)
            .map_err(ThresholdError::Failed)?;
        messages.append(&mut report.messages);
        let top = report.top();
        let unit = report.sample_unit().to_owned();
        // Of what is left after the filters, not of the base.
        let total = match report.total() {
            total if total != 0 => total,
            _ => top.items.iter().fold(0i64, |sum, item| sum.wrapping_add(item.flat)),
        };
        let mut broken = Vec::new();
        for one in thresholds {
            broken.extend(one.broken(one.limit(&unit)?, &top, total, &unit));
        }
        Ok(broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Builder, Frame};

    fn verdict(condition: &str) -> Result<bool> {
        let mut builder = Builder::new(&[("space", "bytes")]);
        let mut frame = |function| builder.frame(&Frame { function, file: "a.go", line: 1, pc: 0 });
        let (hot, root, cold) = (frame("main.hot"), frame("main.main"), frame("main.cold"));
        builder.add(&[hot, root], Default::default(), &[3 << 20]);
        builder.add(&[cold, root], Default::default(), &[1 << 20]);
        let threshold = Threshold::parse(condition)?;
        let (profile, config) = (builder.finish(), Config::default());
        let broken = Threshold::broken_of(&[threshold], &profile, &config, &mut Vec::new())?;
        Ok(!broken.is_empty())
    }

    #[test]
    fn conditions_are_about_values_shares_and_totals() {
        for (condition, want) in [
            ("flat% > 74 for hot", true),
            ("flat% > 76 for hot", false),
            ("flat% > 50 for cold", false),
            ("cum% >= 100", true),
            ("cum > 3MB for main.main", true),
            ("flat > 3MB", false),
            ("flat >= 3MB", true),
            ("total > 4MB", false),
            ("total >= 4194304", true),
            ("flat% < 30 for cold", true),
            ("flat% > 30 % for cold", false),
            ("total > 1GiB", false),
            ("total > 1 KiB", true),
            ("cum > 3.5MiB for main.main", true),
            ("cum > 3999 kB for main.main", true),
        ] {
            assert_eq!(verdict(condition).ok(), Some(want), "{condition}");
        }
        for condition in [
            "",
            "flat",
            "size > 3",
            "flat >> 3",
            "flat > x",
            "total > 1 for main",
            "cum > 1xyz",
            "total > 1h",
            "total > 3 bananas",
            "flat% > 3kB",
            "cum > 3%",
            "total > inf",
        ] {
            assert!(matches!(verdict(condition), Err(ThresholdError::Usage(_))), "{condition}");
        }
    }
}
