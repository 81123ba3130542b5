//! Where statements end.

/// What a text holds: complete statements, each with the semicolon that ends it left out, and how
/// many bytes of the text they take. What is behind is a statement that is not complete yet.
pub fn split(text: &str) -> (Vec<&str>, usize) {
    let mut statements = Vec::new();
    let (mut start, mut at) = (0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match skip(&text[at..]) {
            Some(0) => return (statements, start),
            Some(length) => at += length,
            None if bytes[at] == b';' => {
                if !is_blank(&text[start..at]) {
                    statements.push(text[start..at].trim());
                }
                at += 1;
                start = at;
            }
            // Bytes inside a character are never one of the signs that are looked for.
            None => at += 1,
        }
        while !text.is_char_boundary(at) {
            at += 1;
        }
    }
    (statements, start)
}

/// Whether a text holds nothing but spaces and comments.
pub fn is_blank(text: &str) -> bool {
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let is_comment = rest.starts_with("--") || rest.starts_with("/*");
        match skip(rest) {
            Some(0) if is_comment => return true,
            Some(length) if is_comment => rest = rest[length..].trim_start(),
            _ => return false,
        }
    }
    true
}

/// Length of the comment, text or quoted name at the start of a text: 0 if it does not end, `None` if
/// there is none. SQLite doubles a quote to have it inside, which reads as two texts side by side.
fn skip(text: &str) -> Option<usize> {
    let behind = |end: &str, from: usize| {
        text[from..].find(end).map_or(0, |length| from + length + end.len())
    };
    match text.as_bytes() {
        [b'-', b'-', ..] => Some(text.find('\n').map_or(0, |length| length + 1)),
        [b'/', b'*', ..] => Some(behind("*/", 2)),
        [b'\'', ..] => Some(behind("'", 1)),
        [b'"', ..] => Some(behind("\"", 1)),
        [b'`', ..] => Some(behind("`", 1)),
        [b'[', ..] => Some(behind("]", 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_at_semicolons_outside_of_texts_names_and_comments() {
        let text = "select ';'';' as \"a;b\"; -- no; end\nselect /* ; */ 2 ;; select 3";
        let (statements, rest) = split(text);
        assert_eq!(statements, ["select ';'';' as \"a;b\"", "-- no; end\nselect /* ; */ 2"]);
        assert_eq!(&text[rest..], " select 3");
        for open in ["select 'a;", "select \"a;", "select /* ;", "select -- ;", "select [a;"] {
            assert_eq!(split(open), (vec![], 0), "{open}");
        }
        assert_eq!(split("select 'ä€;' + 'ü';"), (vec!["select 'ä€;' + 'ü'"], 23));
        assert_eq!(split(""), (vec![], 0));
    }

    #[test]
    fn comments_alone_are_no_statement() {
        for text in ["", " \n", "-- x", "-- x\n ", "/* x */ -- y", "/* x"] {
            assert!(is_blank(text), "{text}");
        }
        for text in ["select 1", "-- x\nselect 1", "''", "/* x */ y"] {
            assert!(!is_blank(text), "{text}");
        }
        assert_eq!(split("-- only a comment;\n;").0, Vec::<&str>::new());
    }
}
