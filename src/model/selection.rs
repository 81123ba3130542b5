//! Which goroutines and what time to look at.

use super::Moment;

/// A name, in which `*` stands for any text, but for that of a pointer receiver: `main.(*shop).*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern {
    /// What stands between the stars, in order.
    parts: Vec<Box<str>>,
}

impl NamePattern {
    /// The pattern as users write it.
    pub fn new(text: &str) -> Self {
        let mut parts: Vec<String> = vec![String::new()];
        let mut before = '*';
        for c in text.chars() {
            match parts.last_mut() {
                Some(part) if c != '*' || before == '(' => part.push(c),
                _ => parts.push(String::new()),
            }
            before = c;
        }
        NamePattern { parts: parts.into_iter().map(String::into_boxed_str).collect() }
    }

    /// This name and no other.
    pub fn exact(name: &str) -> Self {
        NamePattern { parts: vec![name.into()] }
    }

    /// Whether the whole of a name is what it says.
    pub fn matches(&self, name: &str) -> bool {
        let [first, middle @ .., last] = &self.parts[..] else {
            return self.parts.first().is_some_and(|only| **only == *name);
        };
        let Some(mut rest) = name.strip_prefix(&**first) else { return false };
        for part in middle {
            // The earliest place leaves most for the parts that follow.
            let Some(at) = rest.find(&**part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(&**last)
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

    /// Whether it has goroutines that began with this function. `None` stands for one that nothing
    /// in the trace tells; such goroutines were asked for only if no function was.
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
        assert!(matches("main.(*shop).work", "main.(*shop).work"));
        assert!(!matches("main.(*shop).work", "main.(*bookshop).work"));
        assert!(matches("", "") && !matches("", "x") && matches("**", "x"));
        assert!(!NamePattern::exact("a*").matches("ab") && NamePattern::exact("a*").matches("a*"));
    }
}
