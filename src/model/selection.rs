//! Which goroutines and what time to look at.

use super::Moment;

/// A name, in which `*` stands for any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern(String);

impl NamePattern {
    /// The pattern as users write it.
    pub fn new(text: &str) -> Self {
        NamePattern(text.to_owned())
    }

    /// Whether the whole of a name is what it says.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or("");
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let mut last = None;
        for part in parts {
            if let Some(middle) = last.replace(part) {
                // The earliest place leaves most for the parts that follow.
                let Some(at) = rest.find(middle) else { return false };
                rest = &rest[at + middle.len()..];
            }
        }
        match last {
            Some(last) => rest.ends_with(last),
            None => rest.is_empty(),
        }
    }
}

/// What to look at. The default is everything. All conditions must hold; one with several values
/// holds if one of them does.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Nothing before this moment.
    pub from: Option<Moment>,
    /// Nothing at or after this moment.
    pub to: Option<Moment>,
    /// Goroutines with these numbers.
    pub goroutines: Vec<i64>,
    /// Goroutines that began with these functions.
    pub functions: Vec<NamePattern>,
}

impl Selection {
    /// Whether it leaves out any goroutine.
    pub fn has_goroutines(&self) -> bool {
        !self.goroutines.is_empty() || !self.functions.is_empty()
    }

    /// Whether it may have goroutines with this number.
    pub fn has_goid(&self, goid: i64) -> bool {
        self.goroutines.is_empty() || self.goroutines.contains(&goid)
    }

    /// Whether it has goroutines that began with this function; `None` if that is not known.
    pub fn has_function(&self, name: Option<&str>) -> bool {
        let matches = |name| self.functions.iter().any(|pattern| pattern.matches(name));
        self.functions.is_empty() || name.is_some_and(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_all_else_for_itself() {
        let matches = |pattern: &str, name| NamePattern::new(pattern).matches(name);
        assert!(matches("main.run", "main.run") && !matches("main.run", "main.run.func1"));
        assert!(matches("main.*", "main.run") && !matches("main.*", "xmain.run"));
        assert!(matches("*.func1", "main.run.func1") && !matches("*.func1", "main.run.func12"));
        assert!(matches("a*b*c", "a-b-b-c") && !matches("a*b*c", "a-c-b"));
        assert!(matches("*", "") && matches("a*a", "aa") && !matches("a*a", "a"));
        assert!(matches("*(*shop)*", "main.(*shop).work"));
    }
}
