//! Text of others, where people look at it: terminals, pictures, pages.

use std::borrow::Cow;

/// A text as it stands in XML and HTML, in elements and in attributes: what would be markup, and what
/// would act, as escapes.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// A text as it is shown to people: control characters, and letters that turn or hide what stands around
/// them, as escapes. Lines and tabs stay. What is left is allowed in XML, too.
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\r' => shown.push_str("\\r"),
            c if acts(c) && u32::from(c) < 0x80 => shown += &format!("\\x{:02x}", u32::from(c)),
            c if acts(c) => shown += &format!("\\u{{{:x}}}", u32::from(c)),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Whether a character does something other than to stand where it is.
fn acts(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        c if c.is_control() => true,
        // Line and paragraph separators; marks, embeddings, overrides and isolates of the direction of
        // writing; spaces without width and invisible operators; annotations; tags.
        '\u{2028}' | '\u{2029}' => true,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => {
            true
        }
        '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{feff}' | '\u{180e}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        // No characters at all.
        '\u{fffe}' | '\u{ffff}' => true,
        _ => false,
    }
}
