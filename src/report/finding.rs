//! Rules, and what they find.

use super::ask::{self, UNKNOWN};
use super::facts::Facts;
use crate::store::{Database, StoreError, Value, find_query};
use std::cell::RefCell;
use std::collections::HashMap;

/// A rule: what is looked for, and from when on it counts.
pub struct Rule {
    /// Its name, for scripts.
    pub name: &'static str,
    /// What it finds, in a few words.
    pub title: &'static str,
    /// What is looked for, and why it matters.
    pub doc: &'static str,
    /// What the cost of its findings is.
    pub cost: &'static str,
    /// From when on there is a finding: all of them must be reached.
    pub thresholds: &'static [Threshold],
    /// Looks at a trace.
    pub check: fn(&Case<'_>) -> Result<Vec<Finding>, StoreError>,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

/// A number that must be reached for a finding.
#[derive(Debug)]
pub struct Threshold {
    /// What is compared.
    pub name: &'static str,
    /// The least value; of a share, 0 to 1; of a duration, nanoseconds.
    pub at_least: f64,
    /// What the number is.
    pub doc: &'static str,
}

impl Threshold {
    /// Whether a value reaches it.
    pub fn is_reached(&self, value: f64) -> bool {
        value >= self.at_least
    }
}

/// Something that is wrong.
#[derive(Debug)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// What it is, in one line that names the place.
    pub headline: String,
    /// What it costs: time that goroutines or procs lost, summed over them.
    pub cost_ns: i64,
    /// What it means, in one sentence.
    pub meaning: String,
    /// What was seen, in sentences.
    pub evidence: Vec<String>,
    /// The numbers behind the evidence, by name; units end the names.
    pub numbers: Vec<(&'static str, Value)>,
    /// Stacks, each with what it is of.
    pub stacks: Vec<(String, String)>,
    /// Commands that show more.
    pub commands: Vec<String>,
}

/// What a rule looks at.
pub struct Case<'a> {
    /// The database, for stacks and for questions of few rows.
    pub database: &'a Database,
    /// What is known.
    pub facts: &'a Facts,
    source: &'a str,
    /// The trace's row, if there are several in the database.
    trace: Option<i64>,
    /// Stacks that were asked for already, as text and by place: many goroutines wait at few places.
    stacks: RefCell<HashMap<i64, (String, String)>>,
}

impl<'a> Case<'a> {
    /// A trace that rules are to look at.
    pub fn new(
        database: &'a Database,
        facts: &'a Facts,
        source: &'a str,
        trace: Option<i64>,
    ) -> Case<'a> {
        Case { database, facts, source, trace, stacks: RefCell::default() }
    }

    /// The length of the trace, at least a nanosecond.
    pub fn duration_ns(&self) -> i64 {
        self.facts.trace.duration_ns.max(1)
    }

    /// What share of the trace a time is; more than 1 for sums over several goroutines.
    pub fn of_duration(&self, ns: i64) -> f64 {
        ns as f64 / self.duration_ns() as f64
    }

    /// The command line of a canned query on this trace, with parameters.
    pub fn query(&self, name: &str, parameters: &[&str]) -> String {
        let mut command = format!("gotrace query {} {name}", quoted(self.source));
        // Not every query tells traces apart.
        let has_trace = find_query(name)
            .is_ok_and(|query| query.parameters.iter().any(|parameter| parameter.name == "trace"));
        if let Some(trace) = self.trace.filter(|_| has_trace) {
            command.push_str(&format!(" -p trace={trace}"));
        }
        for parameter in parameters {
            command.push_str(&format!(" -p {}", quoted(parameter)));
        }
        command
    }

    /// A stack as text.
    pub fn stack(&self, id: Option<i64>) -> Result<String, StoreError> {
        Ok(self.known(id)?.0)
    }

    /// The function of the program in which a stack is.
    pub fn place(&self, id: Option<i64>) -> Result<String, StoreError> {
        Ok(self.known(id)?.1)
    }

    fn known(&self, id: Option<i64>) -> Result<(String, String), StoreError> {
        let Some(id) = id else { return Ok((String::new(), UNKNOWN.into())) };
        if let Some(known) = self.stacks.borrow().get(&id) {
            return Ok(known.clone());
        }
        let stack = ask::stack(self.database, id)?;
        self.stacks.borrow_mut().insert(id, stack.clone());
        Ok(stack)
    }
}

/// A word for a shell, in quotes if it needs them.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-+=./:,@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A share in percent for people: `12%`, `0.4%`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || (9.95..99.5).contains(&percent) || percent >= 99.95 {
        format!("{percent:.0}%")
    } else if percent < 0.05 {
        "<0.1%".into()
    } else {
        format!("{percent:.1}%")
    }
}

/// A share of a whole; 0 if there is no whole.
pub fn share(part_ns: i64, whole_ns: i64) -> f64 {
    if whole_ns <= 0 { 0.0 } else { part_ns as f64 / whole_ns as f64 }
}

/// A number with its noun: `1 goroutine`, `2 goroutines`.
pub fn counted(count: i64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A number with its thousands set apart: `1,234,567`.
pub fn grouped(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if count < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_numbers_and_words_are_written_for_people() {
        let shares = [(0.0, "0%"), (0.0004, "<0.1%"), (0.0049, "0.5%"), (0.0995, "10%")];
        for (share, text) in shares.into_iter().chain([(0.996, "99.6%"), (1.0, "100%")]) {
            assert_eq!(percent(share), text);
        }
        assert_eq!(counted(1, "wait"), "1 wait");
        assert_eq!(counted(0, "wait"), "0 waits");
        assert_eq!(counted(-1_234_567, "wait"), "-1,234,567 waits");
        assert_eq!(grouped(100), "100");
        assert_eq!(quoted("a.trace"), "a.trace");
        assert_eq!(quoted("my trace's"), "'my trace'\\''s'");
        assert_eq!(quoted("http://h/t?seconds=5"), "'http://h/t?seconds=5'");
    }
}
