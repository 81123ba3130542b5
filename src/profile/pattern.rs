//! Regular expressions as Go means them.
//!
//! Rust's `regex` and Go's `regexp` share their syntax but for details. Here a pattern in Go's
//! syntax is rewritten: `\d \s \w \b` mean ASCII in Go; in a class, `[`, `&`, `~` are themselves;
//! a brace that opens no repetition is itself; `\Q..\E` quotes.

use regex::Regex;

/// A compiled pattern, with its text as the user wrote it.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

/// Bytes that a compiled pattern may take.
const MAX_COMPILED: usize = 64 << 20;

impl Pattern {
    /// Compiles a pattern. The error is for users.
    pub fn new(text: &str) -> Result<Pattern, String> {
        let regex = regex::RegexBuilder::new(&to_rust(text))
            .size_limit(MAX_COMPILED)
            .build()
            .map_err(|error| format!("{text:?} is no regular expression: {error}"))?;
        Ok(Pattern { text: text.to_owned(), regex })
    }

    /// Whether it matches anywhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// As the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn to_rust(go: &str) -> String {
    let mut out = String::with_capacity(go.len() + 8);
    let mut rest = go;
    let mut in_class = false;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '\\' => escape(rest, in_class, &mut out),
            '[' if !in_class => {
                in_class = true;
                let negated = rest[1..].starts_with('^');
                out.push_str(if negated { "[^" } else { "[" });
                let len = 1 + usize::from(negated);
                // A bracket that closes at once is the letter.
                if rest[len..].starts_with(']') {
                    out.push_str("\\]");
                    len + 1
                } else {
                    len
                }
            }
            '[' if rest.starts_with("[:") && rest.contains(":]") => {
                let len = rest.find(":]").map_or(2, |end| end + 2);
                out.push_str(&rest[..len]);
                len
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
                1
            }
            '[' | '&' | '~' if in_class => {
                out.push('\\');
                out.push(first);
                1
            }
            '{' if !in_class && !opens_repetition(rest) => {
                out.push_str("\\{");
                1
            }
            _ => {
                out.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    out
}

/// Rewrites what begins with a backslash; returns how much of the pattern that was.
fn escape(rest: &str, in_class: bool, out: &mut String) -> usize {
    let Some(second) = rest[1..].chars().next() else {
        out.push('\\');
        return 1;
    };
    let class = match second {
        'd' | 'D' => "0-9",
        's' | 'S' => r"\t\n\x0c\r ",
        'w' | 'W' => "0-9A-Za-z_",
        'b' => {
            out.push_str(r"(?-u:\b)");
            return 2;
        }
        'Q' => {
            let quoted = &rest[2..];
            let end = quoted.find("\\E").unwrap_or(quoted.len());
            out.push_str(&regex::escape(&quoted[..end]));
            return (2 + end + 2).min(rest.len());
        }
        _ => {
            out.push('\\');
            out.push(second);
            return 1 + second.len_utf8();
        }
    };
    match (in_class, second.is_ascii_uppercase()) {
        (true, false) => out.push_str(class),
        (_, negated) => {
            out.push_str(if negated { "[^" } else { "[" });
            out.push_str(class);
            out.push(']');
        }
    }
    2
}

/// Whether a brace is that of `{2}`, `{2,}` or `{2,3}`.
fn opens_repetition(rest: &str) -> bool {
    let Some((inside, _)) = rest[1..].split_once('}') else { return false };
    let (low, high) = inside.split_once(',').unwrap_or((inside, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !low.is_empty() && is_number(low) && is_number(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        for (pattern, text, want) in [
            (r"\d", "٣", false),
            (r"^\w+$", "größe", false),
            (r"func\d{2}", "func12", true),
            ("func{", "func{", true),
            ("a{,2}", "a{,2}", true),
            ("[[]", "[", true),
            ("[]a]", "]", true),
            ("[a&&b]", "&", true),
            ("[[:alpha:]]", "x", true),
            (r"[^\d]", "7", false),
            (r"[\D]", "7", false),
            (r"\Qa.b\E.", "a.bc", true),
            (r"\Qa.b", "axb", false),
            (r"main\.(*T)", "x", false),
            (r"\bfoo\b", "a foo b", true),
            ("(?i)FOO", "foo", true),
        ] {
            match Pattern::new(pattern) {
                Ok(compiled) => assert_eq!(compiled.is_match(text), want, "{pattern} on {text}"),
                Err(error) => assert!(!want, "{error}"),
            }
        }
    }
}
