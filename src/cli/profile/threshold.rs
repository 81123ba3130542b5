//! `--fail-if`: conditions that must not hold, for continuous integration.

use super::{CliError, Result, new_report};
use crate::profile::{Config, Pattern, Profile, Top, View, units};

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
    limit: f64,
    /// Unit of the limit; empty for that of the profile.
    unit: String,
    functions: Option<Pattern>,
}

impl Threshold {
    /// Reads a condition: METRIC COMPARISON NUMBER[UNIT] [for REGEX].
    pub fn parse(text: &str) -> Result<Threshold> {
        let refuse = |what: &str| {
            CliError::Usage(format!(
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
        let value = value.trim();
        let end = value
            .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+'))
            .unwrap_or(value.len());
        let (number, unit) = value.split_at(end);
        let limit = number.parse().map_err(|_| refuse("want a number"))?;
        let unit = unit.trim().trim_end_matches('%').to_owned();
        if metric == Metric::Total && functions.is_some() {
            return Err(refuse("the total is of no function"));
        }
        let comparison = comparison.to_owned();
        Ok(Threshold { text: text.to_owned(), metric, comparison, limit, unit, functions })
    }

    /// Why the condition holds, for users; `None` if it does not.
    fn broken(&self, top: &Top, total: i64, unit: &str) -> Option<String> {
        let holds = |value: f64| match self.comparison.as_str() {
            "<" => value < self.limit,
            "<=" => value <= self.limit,
            ">" => value > self.limit,
            ">=" => value >= self.limit,
            _ => value == self.limit,
        };
        let in_unit = |value: i64| match self.unit.is_empty() {
            true => value as f64,
            false => units::scale(value, unit, &self.unit).0,
        };
        let share = |value: i64| match total {
            0 => 0.0,
            _ => value as f64 / total as f64 * 100.0,
        };
        if self.metric == Metric::Total {
            return holds(in_unit(total)).then(|| {
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
                let compared = if is_share { share(value) } else { in_unit(value) };
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

/// Fails if a condition holds. Every function counts, however small.
pub fn check(thresholds: &[Threshold], profile: &Profile, config: &Config) -> Result<()> {
    if thresholds.is_empty() {
        return Ok(());
    }
    let config = Config { trim: false, ..config.clone() };
    let mut report = new_report(profile.clone(), View::Top, None, &config)?;
    let top = report.top();
    let unit = report.sample_unit().to_owned();
    // Of what is left after the filters, not of the base.
    let total = match report.total() {
        total if total != 0 => total,
        _ => top.items.iter().fold(0i64, |sum, item| sum.wrapping_add(item.flat)),
    };
    let broken: Vec<String> =
        thresholds.iter().filter_map(|one| one.broken(&top, total, &unit)).collect();
    if broken.is_empty() { Ok(()) } else { Err(CliError::Failed(broken.join("\ngotrace: "))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Builder, Frame};

    fn verdict(condition: &str) -> std::result::Result<bool, CliError> {
        let mut builder = Builder::new(&[("space", "bytes")]);
        let mut frame = |function| builder.frame(&Frame { function, file: "a.go", line: 1, pc: 0 });
        let (hot, root, cold) = (frame("main.hot"), frame("main.main"), frame("main.cold"));
        builder.add(&[hot, root], Default::default(), &[3 << 20]);
        builder.add(&[cold, root], Default::default(), &[1 << 20]);
        let threshold = Threshold::parse(condition)?;
        Ok(check(&[threshold], &builder.finish(), &Config::default()).is_err())
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
        ] {
            assert_eq!(verdict(condition).ok(), Some(want), "{condition}");
        }
        for condition in ["", "flat", "size > 3", "flat >> 3", "flat > x", "total > 1 for main"] {
            assert!(matches!(verdict(condition), Err(CliError::Usage(_))), "{condition}");
        }
    }
}
