//! Leaving out samples, frames and labels.
//!
//! Source: Go 1.27 pprof `internal/driver/driver_focus.go`, `profile/filter.go`.

use super::config::Config;
use super::labels::{Label, LabelValue};
use super::model::{Line, Location, Profile};
use super::pattern::Pattern;
use super::prepare::{map_labels, prune_from};
use super::text::Text;
use super::units;
use regex::Regex;
use rustc_hash::FxHashMap;

/// Units of the numbers of labels, by key.
pub type LabelUnits = FxHashMap<Text, String>;

/// The unit of each key of number labels: the first one that a sample tells, else one that the key
/// suggests (`profile/profile.go`, NumLabelUnits). The messages are for users.
pub fn label_units(profile: &Profile, messages: &mut Vec<String>) -> LabelUnits {
    let mut units = LabelUnits::default();
    let mut ignored: Vec<(Text, Vec<String>)> = Vec::new();
    let mut is_seen = vec![false; profile.label_sets.len()];
    let mut keys = Vec::new();
    for sample in 0..profile.samples.len() {
        let set = profile.samples.labels(sample);
        if std::mem::replace(&mut is_seen[set.index()], true) {
            continue;
        }
        for label in profile.label_sets.get(set) {
            let LabelValue::Number(_, unit) = label.value else { continue };
            keys.push(label.key);
            if unit.is_empty() {
                continue;
            }
            let unit = profile.text(unit);
            match units.get(&label.key) {
                None => {
                    units.insert(label.key, unit.to_owned());
                }
                Some(known) if known != unit => {
                    let at = ignored.iter().position(|(key, _)| *key == label.key);
                    let at = at.unwrap_or_else(|| {
                        ignored.push((label.key, Vec::new()));
                        ignored.len() - 1
                    });
                    if !ignored[at].1.iter().any(|other| other == unit) {
                        ignored[at].1.push(unit.to_owned());
                    }
                }
                Some(_) => {}
            }
        }
    }
    for key in keys {
        units.entry(key).or_insert_with(|| match profile.text(key) {
            "alignment" | "request" => "bytes".into(),
            key => key.into(),
        });
    }
    for (key, mut others) in ignored {
        others.sort();
        let (name, others) = (profile.text(key), others.join(", "));
        let used = &units[&key];
        messages
            .push(format!("For tag {name} used unit {used}, also encountered unit(s) {others}"));
    }
    units
}

fn option(name: &str, value: &str) -> Result<Option<Pattern>, String> {
    if value.is_empty() {
        return Ok(None);
    }
    Pattern::new(value).map(Some).map_err(|error| format!("--{}: {error}", name.replace('_', "-")))
}

/// Applies all options that leave something out. The messages and the error are for users.
pub fn focus(
    profile: &mut Profile,
    units: &LabelUnits,
    config: &Config,
    messages: &mut Vec<String>,
) -> Result<(), String> {
    let focus = option("focus", &config.focus)?;
    let ignore = option("ignore", &config.ignore)?;
    let hide = option("hide", &config.hide)?;
    let show = option("show", &config.show)?;
    let show_from = option("show_from", &config.show_from)?;
    let tagfocus = TagFilter::new("tagfocus", &config.tagfocus, messages)?;
    let tagignore = TagFilter::new("tagignore", &config.tagignore, messages)?;
    let prune = option("prune_from", &config.prune_from)?;
    let tagshow = option("tagshow", &config.tagshow)?;
    let taghide = option("taghide", &config.taghide)?;

    let mut warn = |is_used: bool, matched: bool, name: &str| {
        if is_used && !matched {
            messages.push(format!("{name} expression matched no samples"));
        }
    };
    let names =
        NameFilter { focus: &focus, ignore: &ignore, hide: &hide, show: &show }.apply(profile);
    warn(focus.is_some(), names.focused, "Focus");
    warn(ignore.is_some(), names.ignored, "Ignore");
    warn(hide.is_some(), names.hidden, "Hide");
    warn(show.is_some(), names.shown, "Show");
    if let Some(pattern) = &show_from {
        warn(true, apply_show_from(profile, pattern), "ShowFrom");
    }
    let (focused, ignored) = filter_by_tag(profile, tagfocus.as_ref(), tagignore.as_ref(), units);
    warn(tagfocus.is_some(), focused, "TagFocus");
    warn(tagignore.is_some(), ignored, "TagIgnore");
    if tagshow.is_some() || taghide.is_some() {
        let (shown, hidden) = filter_tags(profile, tagshow.as_ref(), taghide.as_ref());
        warn(tagshow.is_some(), shown, "TagShow");
        warn(taghide.is_some(), hidden, "TagHide");
    }
    if let Some(pattern) = &prune {
        prune_from(profile, pattern);
    }
    Ok(())
}

/// What a pattern matches: functions, by name or file; mappings, by file.
struct Matches {
    functions: Vec<bool>,
    mappings: Vec<bool>,
}

impl Matches {
    fn new(profile: &Profile, pattern: &Pattern) -> Self {
        let mut known: FxHashMap<Text, bool> = FxHashMap::default();
        let mut is_match =
            |text: Text| *known.entry(text).or_insert_with(|| pattern.is_match(profile.text(text)));
        Matches {
            functions: profile
                .functions
                .iter()
                .map(|function| is_match(function.name) || is_match(function.file))
                .collect(),
            mappings: profile.mappings.iter().map(|mapping| is_match(mapping.file)).collect(),
        }
    }

    fn line(&self, line: &Line) -> bool {
        self.functions[line.function as usize]
    }

    fn mapping(&self, location: &Location) -> bool {
        location.mapping.is_some_and(|mapping| self.mappings[mapping as usize])
    }

    fn location(&self, location: &Location) -> bool {
        location.lines.iter().any(|line| self.line(line)) || self.mapping(location)
    }
}

struct NameFilter<'a> {
    focus: &'a Option<Pattern>,
    ignore: &'a Option<Pattern>,
    hide: &'a Option<Pattern>,
    show: &'a Option<Pattern>,
}

/// Whether each pattern matched anything.
#[derive(Default)]
struct Matched {
    focused: bool,
    ignored: bool,
    hidden: bool,
    shown: bool,
}

impl NameFilter<'_> {
    /// `filter.go`, FilterSamplesByName.
    fn apply(&self, profile: &mut Profile) -> Matched {
        let mut matched = Matched::default();
        let all = [self.focus, self.ignore, self.hide, self.show];
        if all.iter().all(|pattern| pattern.is_none()) {
            return matched;
        }
        let [focus, ignore, hide, show] =
            all.map(|pattern| pattern.as_ref().map(|pattern| Matches::new(profile, pattern)));
        // Some(false) ignores the sample, Some(true) keeps it.
        let mut verdict = vec![None; profile.locations.len()];
        let mut is_hidden = vec![false; profile.locations.len()];
        for (position, location) in profile.locations.iter_mut().enumerate() {
            if ignore.as_ref().is_some_and(|ignore| ignore.location(location)) {
                matched.ignored = true;
                verdict[position] = Some(false);
            } else if focus.as_ref().is_none_or(|focus| focus.location(location)) {
                matched.focused = true;
                verdict[position] = Some(true);
            }
            if let Some(hide) = &hide
                && hide.location(location)
            {
                matched.hidden = true;
                let all = hide.mapping(location);
                location.lines.retain(|line| !all && !hide.line(line));
                is_hidden[position] |= location.lines.is_empty();
            }
            if let Some(show) = &show {
                if !show.mapping(location) {
                    location.lines.retain(|line| show.line(line));
                }
                matched.shown |= !location.lines.is_empty();
                is_hidden[position] |= location.lines.is_empty();
            }
        }
        let hides = is_hidden.iter().any(|&hidden| hidden);
        profile.samples.retain(|samples, sample| {
            let mut keep = false;
            for &frame in samples.stack(sample) {
                match verdict[frame as usize] {
                    Some(true) => keep = true,
                    Some(false) => return false,
                    None => {}
                }
            }
            if keep && hides {
                samples.retain_frames(sample, |frame| !is_hidden[frame as usize]);
                keep = !samples.stack(sample).is_empty();
            }
            keep
        });
        matched
    }
}

/// `filter.go`, ShowFrom.
fn apply_show_from(profile: &mut Profile, pattern: &Pattern) -> bool {
    let matches = Matches::new(profile, pattern);
    let mut is_match = vec![false; profile.locations.len()];
    for (position, location) in profile.locations.iter_mut().enumerate() {
        if matches.mapping(location) {
            is_match[position] = true;
        } else if let Some(last) = location.lines.iter().rposition(|line| matches.line(line)) {
            location.lines.truncate(last + 1);
            is_match[position] = true;
        }
    }
    profile.samples.retain(|samples, sample| {
        let stack = samples.stack(sample);
        match stack.iter().rposition(|&frame| is_match[frame as usize]) {
            Some(last) => {
                samples.cut(sample, 0..last + 1);
                true
            }
            None => false,
        }
    });
    is_match.contains(&true)
}

/// A range of numbers in a unit (`driver_focus.go`, parseTagFilterRange).
struct Range {
    low: Option<f64>,
    high: Option<f64>,
    unit: String,
}

impl Range {
    fn parse(filter: &str) -> Option<Range> {
        let regex = Regex::new("([+-]?[0-9]+)([a-zA-Z]+)?").expect("the pattern is right");
        let found: Vec<_> = regex.captures_iter(filter).take(2).collect();
        let number = |at: usize| found[at][1].parse::<i64>().ok();
        let unit_of = |at: usize| found[at].get(2).map_or("", |unit| unit.as_str());
        let first = found.first()?;
        let (value, unit) = units::scale(number(0)?, unit_of(0), unit_of(0));
        let unit = unit.to_owned();
        let Some(second) = found.get(1) else {
            let text = &first[0];
            let (low, high) = if filter == text {
                (Some(value), Some(value))
            } else if filter.strip_suffix(':') == Some(text) {
                (Some(value), None)
            } else if filter.strip_prefix(':') == Some(text) {
                (None, Some(value))
            } else {
                return None;
            };
            return Some(Range { low, high, unit });
        };
        if filter != format!("{}:{}", &first[0], &second[0]) {
            return None;
        }
        let (high, second_unit) = units::scale(number(1)?, unit_of(1), &unit);
        if second_unit != unit {
            return None;
        }
        Some(Range { low: Some(value), high: Some(high), unit })
    }

    fn contains(&self, value: i64, unit: &str) -> bool {
        let (value, unit) = units::scale(value, unit, &self.unit);
        unit == self.unit
            && self.low.is_none_or(|low| value >= low)
            && self.high.is_none_or(|high| value <= high)
    }
}

enum Wanted {
    Range(Range),
    Patterns(Vec<Pattern>),
}

/// `tagfocus` or `tagignore`.
struct TagFilter {
    key: Option<String>,
    wanted: Wanted,
}

impl TagFilter {
    /// `driver_focus.go`, compileTagFilter.
    fn new(name: &str, value: &str, messages: &mut Vec<String>) -> Result<Option<Self>, String> {
        if value.is_empty() {
            return Ok(None);
        }
        let (key, value) = match value.split_once('=') {
            Some((key, value)) => (Some(key).filter(|key| !key.is_empty()), value),
            None => (None, value),
        };
        let key = key.map(String::from);
        let wanted = match Range::parse(value) {
            Some(range) => {
                messages.push(format!("{name}:Interpreted '{value}' as range, not regexp"));
                Wanted::Range(range)
            }
            None => {
                let patterns = value
                    .split(',')
                    .map(|part| Pattern::new(part).map_err(|error| format!("--{name}: {error}")));
                Wanted::Patterns(patterns.collect::<Result<_, _>>()?)
            }
        };
        Ok(Some(TagFilter { key, wanted }))
    }

    fn is_match(&self, profile: &Profile, labels: &[Label], units: &LabelUnits) -> bool {
        let has_key =
            |label: &Label| self.key.as_ref().is_none_or(|key| profile.text(label.key) == key);
        match &self.wanted {
            Wanted::Range(range) => labels.iter().filter(|label| has_key(label)).any(|label| {
                let LabelValue::Number(value, _) = label.value else { return false };
                range.contains(value, units.get(&label.key).map_or("", |unit| unit))
            }),
            // Without a key, each pattern must match some label, as key:value; with one, one of
            // the patterns must match a value.
            Wanted::Patterns(patterns) if self.key.is_none() => patterns.iter().all(|pattern| {
                labels.iter().any(|label| match label.value {
                    LabelValue::Text(value) => pattern.is_match(&format!(
                        "{}:{}",
                        profile.text(label.key),
                        profile.text(value)
                    )),
                    LabelValue::Number(..) => false,
                })
            }),
            Wanted::Patterns(patterns) => {
                labels.iter().filter(|label| has_key(label)).any(|label| {
                    let LabelValue::Text(value) = label.value else { return false };
                    patterns.iter().any(|pattern| pattern.is_match(profile.text(value)))
                })
            }
        }
    }
}

/// `filter.go`, FilterSamplesByTag; whether each filter matched any sample.
fn filter_by_tag(
    profile: &mut Profile,
    focus: Option<&TagFilter>,
    ignore: Option<&TagFilter>,
    units: &LabelUnits,
) -> (bool, bool) {
    if focus.is_none() && ignore.is_none() {
        return (true, false);
    }
    let verdicts: Vec<(bool, bool)> = profile
        .label_sets
        .iter()
        .map(|(_, labels)| {
            let is_match = |filter: &TagFilter| filter.is_match(profile, labels, units);
            (focus.is_none_or(is_match), ignore.is_some_and(is_match))
        })
        .collect();
    let mut matched = (false, false);
    profile.samples.retain(|samples, sample| {
        let (focused, ignored) = verdicts[samples.labels(sample).index()];
        matched.0 |= focused;
        matched.1 |= ignored;
        focused && !ignored
    });
    matched
}

/// `filter.go`, FilterTagsByName; whether each pattern matched any label.
fn filter_tags(
    profile: &mut Profile,
    show: Option<&Pattern>,
    hide: Option<&Pattern>,
) -> (bool, bool) {
    let mut matched = (false, false);
    let verdict: FxHashMap<Text, bool> = (profile.label_sets.iter())
        .flat_map(|(_, labels)| labels)
        .map(|label| {
            let name = profile.text(label.key);
            let shown = show.is_none_or(|show| show.is_match(name));
            let hidden = hide.is_some_and(|hide| hide.is_match(name));
            matched.0 |= shown;
            matched.1 |= hidden;
            (label.key, shown && !hidden)
        })
        .collect();
    map_labels(profile, |labels| {
        labels.iter().filter(|label| verdict[&label.key]).copied().collect()
    });
    matched
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_labels_are_read_with_their_units() {
        let contains = |filter: &str, value, unit| {
            Range::parse(filter).map(|range| range.contains(value, unit))
        };
        assert_eq!(contains("32kb", 32768, "bytes"), Some(true));
        assert_eq!(contains("32kb", 32769, "bytes"), Some(false));
        assert_eq!(contains(":64kb", 65536, "bytes"), Some(true));
        assert_eq!(contains("4mb:", 4 << 20, "bytes"), Some(true));
        assert_eq!(contains("12kb:64mb", 1 << 20, "bytes"), Some(true));
        assert_eq!(contains("12kb:64mb", 1, "bytes"), Some(false));
        // A number without a unit is one in whatever unit.
        assert_eq!(contains("5", 5, "goid"), Some(true));
        assert_eq!(contains("12kb:3s", 1, "bytes"), None);
        assert_eq!(contains("a.*b", 1, "bytes"), None);
    }
}
