//! Patterns over stacks: `A ** B` is a stack in which A calls, however indirectly, B.
//!
//! A pattern is a list of words, from the root of the stack to its leaf. A word stands for one frame
//! and is compared with the full name of its function; `*` in it stands for any characters. The word
//! `**` stands for any number of frames. A pattern may match anywhere in the stack; `^` as its first
//! word ties it to the root, `$` as its last to the leaf.

/// A pattern, ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackPattern {
    at_root: bool,
    at_leaf: bool,
    /// Parts between `**`; the frames of one follow each other directly.
    parts: Vec<Vec<String>>,
}

impl StackPattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<StackPattern, String> {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let at_root = words.first() == Some(&"^");
        if at_root {
            words.remove(0);
        }
        let at_leaf = words.last() == Some(&"$");
        if at_leaf {
            words.pop();
        }
        if let Some(odd) = words.iter().find(|word| matches!(**word, "^" | "$")) {
            return Err(format!(
                "'{odd}' may only stand at the {} of a stack pattern",
                match *odd {
                    "^" => "beginning",
                    _ => "end",
                }
            ));
        }
        if words.iter().all(|word| *word == "**") {
            return Err("a stack pattern names at least one function, such as 'main.* ** \
                        sync.(*Mutex).Lock'"
                .into());
        }
        // `** A` at the root and `A **` at the leaf tie nothing.
        let at_root = at_root && words.first() != Some(&"**");
        let at_leaf = at_leaf && words.last() != Some(&"**");
        let parts = words
            .split(|word| *word == "**")
            .filter(|part| !part.is_empty())
            .map(|part| part.iter().map(|word| String::from(*word)).collect())
            .collect();
        Ok(StackPattern { at_root, at_leaf, parts })
    }

    /// The words that stand for frames, for callers that compare each with each function once.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flatten().map(String::as_str)
    }

    /// Whether a stack matches. `fits(word, depth)` tells whether the frame `depth` frames above the
    /// root, of `depths`, has a function as the word says; words are numbered as in
    /// [`StackPattern::words`].
    pub fn matches(&self, depths: usize, mut fits: impl FnMut(usize, usize) -> bool) -> bool {
        let mut at = 0;
        let mut first_word = 0;
        for (index, part) in self.parts.iter().enumerate() {
            let (is_first, is_last) = (index == 0, index + 1 == self.parts.len());
            let Some(latest) = depths.checked_sub(part.len()) else { return false };
            let mut candidates = at..=latest;
            if is_last && self.at_leaf {
                // The leaf is the only place left; what comes before has been found as early as
                // possible, so this is without loss.
                candidates = latest.max(at)..=latest;
            }
            if is_first && self.at_root {
                candidates = *candidates.start()..=0;
            }
            let found = candidates.into_iter().find(|&start| {
                (0..part.len()).all(|offset| fits(first_word + offset, start + offset))
            });
            let Some(start) = found else { return false };
            at = start + part.len();
            first_word += part.len();
        }
        true
    }
}

/// Whether a name is as a word says, `*` standing for any characters.
pub fn glob(word: &str, name: &str) -> bool {
    let Some((head, rest)) = word.split_once('*') else { return word == name };
    let Some(mut name) = name.strip_prefix(head) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return name.ends_with(part);
        }
        match name.find(part) {
            Some(at) => name = &name[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, stack: &[&str]) -> bool {
        let pattern = StackPattern::parse(pattern).unwrap();
        let words: Vec<&str> = pattern.words().collect();
        pattern.matches(stack.len(), |word, depth| glob(words[word], stack[depth]))
    }

    #[test]
    fn words_follow_each_other_and_two_stars_leave_room() {
        let stack =
            ["main.main", "main.run", "net/http.(*conn).serve", "main.f", "sync.(*Mutex).Lock"];
        for pattern in [
            "main.run",
            "main.main main.run",
            "main.main ** main.f",
            "net/http.(*conn).serve ** sync.(*Mutex).Lock",
            "main.main ** net/http.* ** sync.*",
            "^ main.main ** sync.* $",
            "^ main.main",
            "sync.(*Mutex).Lock $",
            "^ ** main.f ** $",
            "main.* main.*",
            "*serve main.f sync.* $",
        ] {
            assert!(matches(pattern, &stack), "{pattern}");
        }
        for pattern in [
            "main",
            "main.main main.f",
            "main.f ** main.run",
            "^ main.run",
            "main.f $",
            "main.main ** main.main",
            "^ main.main sync.* $",
            "main.main main.run net/http.(*conn).serve main.f sync.(*Mutex).Lock main.g",
        ] {
            assert!(!matches(pattern, &stack), "{pattern}");
        }
    }

    #[test]
    fn a_repeated_function_is_found_where_the_rest_fits() {
        assert!(matches("a b $", &["a", "c", "a", "b"]));
        assert!(matches("a ** a b", &["a", "a", "b"]));
        assert!(!matches("^ a b", &["a", "c", "a", "b"]));
        assert!(matches("f ** f ** f", &["f", "f", "f"]));
        assert!(!matches("f ** f ** f ** f", &["f", "f", "f"]));
    }

    #[test]
    fn stars_stand_for_any_characters() {
        assert!(glob("*", ""));
        assert!(glob("main.*", "main.f.func1"));
        assert!(glob("*.(*Mutex).*ock", "sync.(*Mutex).Unlock"));
        assert!(glob("a*b*b", "abb") && !glob("a*b*b", "ab"));
        assert!(!glob("main.*", "domain.f") && !glob("main", "main.f"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["", "  ", "**", "^ $", "a ^ b", "$ a"] {
            assert!(StackPattern::parse(text).is_err(), "{text}");
        }
    }
}
