//! Texts, each kept once.

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

/// A text of a profile: its place in [`Texts`]. Equal texts have equal numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(u32);

impl Text {
    /// The empty text.
    pub const EMPTY: Text = Text(0);

    /// Whether it is the empty text.
    pub fn is_empty(self) -> bool {
        self == Text::EMPTY
    }

    /// Its number; texts of one profile are numbered without gaps.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Default for Text {
    fn default() -> Self {
        Text::EMPTY
    }
}

/// The texts of a profile.
#[derive(Debug, Clone)]
pub struct Texts(IndexSet<Box<str>, FxBuildHasher>);

impl Default for Texts {
    fn default() -> Self {
        Texts(std::iter::once("".into()).collect())
    }
}

impl Texts {
    /// The text with these letters.
    pub fn intern(&mut self, text: &str) -> Text {
        match self.0.get_index_of(text) {
            Some(index) => Text(index as u32),
            None => Text(self.0.insert_full(text.into()).0 as u32),
        }
    }

    /// The text, if the profile has it.
    pub fn find(&self, text: &str) -> Option<Text> {
        self.0.get_index_of(text).map(|index| Text(index as u32))
    }

    /// Its letters.
    pub fn get(&self, text: Text) -> &str {
        &self.0[text.index()]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never: the empty text is always there.
    pub fn is_empty(&self) -> bool {
        false
    }
}

impl std::ops::Index<Text> for Texts {
    type Output = str;

    fn index(&self, text: Text) -> &str {
        self.get(text)
    }
}
