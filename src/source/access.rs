//! How to be let in by a server, and how to know that it is the right one.
//!
//! The one idea: what is secret is held by types that do not show it, so that neither an error nor a
//! database nor `{:?}` can.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Header lines that go to the server that was named. Only their names are ever shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// Reads lines such as `Authorization: Bearer abc`. Empty lines and those that begin with `#` are
    /// left out. The error names the line by its number.
    pub fn parse(text: &[u8]) -> Result<Headers, String> {
        let mut headers = Vec::new();
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let header = header(line).map_err(|what| match text.contains(&b'\n') {
                true => format!("line {}: {what}", index + 1),
                false => what.into(),
            })?;
            headers.push(header);
        }
        Ok(Headers(headers))
    }

    /// Adds headers, which take the place of those that have the same names.
    pub fn replace_with(&mut self, others: &Headers) {
        let is_replaced = |name: &str| others.0.iter().any(|(other, _)| *other == name);
        self.0.retain(|(name, _)| !is_replaced(name));
        self.0.extend(others.0.iter().cloned());
    }

    /// Adds headers beside those that are there.
    pub fn extend(&mut self, others: Headers) {
        self.0.extend(others.0);
    }

    /// Names, in lower case, and values.
    #[cfg(feature = "url")]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// A text in which no value stands: servers repeat what they were sent.
    #[cfg(feature = "url")]
    pub(super) fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (_, value) in &self.0 {
            let value = String::from_utf8_lossy(value);
            // The credentials alone, without the `Bearer` before them, are as secret.
            let credentials = value.split_once(' ').map_or("", |(_, credentials)| credentials);
            for secret in [&*value, credentials.trim()] {
                // What is shorter is no secret, but a part of many words.
                if secret.len() >= 4 {
                    text = text.replace(secret, HIDDEN);
                }
            }
        }
        text
    }
}

/// What stands for a secret.
pub(super) const HIDDEN: &str = "***";

/// One header line as name, in lower case, and value.
fn header(line: &[u8]) -> Result<(String, Vec<u8>), &'static str> {
    const WANT: &str = "no header; want 'Name: value'";
    let colon = line.iter().position(|&byte| byte == b':').ok_or(WANT)?;
    let (name, value) = (line[..colon].trim_ascii_end(), line[colon + 1..].trim_ascii());
    // RFC 9110, 5.1 and 5.5.
    let is_token = |&byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.iter().all(is_token) {
        return Err(WANT);
    }
    if value.iter().any(|&byte| byte.is_ascii_control() && byte != b'\t') {
        return Err("a control character in the value of a header");
    }
    Ok((String::from_utf8_lossy(name).to_ascii_lowercase(), value.to_vec()))
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, _)| (name, HIDDEN))).finish()
    }
}

/// What a file with certificates or a key holds, read once, for it may be a pipe.
#[derive(Clone, PartialEq, Eq)]
pub struct PemFile {
    name: String,
    bytes: Arc<[u8]>,
}

impl PemFile {
    /// Reads the file. What is in it is looked at when it is needed.
    pub fn read(path: impl AsRef<Path>) -> Result<PemFile, String> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|error| super::open_failure(&error))?;
        Ok(PemFile { name: path.display().to_string(), bytes: bytes.into() })
    }

    /// The name of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    #[cfg(feature = "url")]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for PemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PemFile").field(&self.name).finish()
    }
}

/// How to be let in by a server, and how to know that it is the right one. `Debug` shows no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Sent to the server that was named, and to no other one that it leads to.
    pub headers: Headers,
    /// The only authorities whose signature on a certificate is trusted; `None` for those that the
    /// system trusts.
    pub authorities: Option<PemFile>,
    /// The client's certificate, with those between it and the authority, if any.
    pub certificate: Option<PemFile>,
    /// The key of the client's certificate; `None` if it is in the same file.
    pub key: Option<PemFile>,
    /// Why nothing may be asked for: what the environment says cannot be understood.
    pub problem: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_headers_or_refused_without_their_values() {
        let headers =
            Headers::parse(b"# mine\r\nX-A:  b c \r\n\r\nAuthorization: Bearer:x\n").unwrap();
        let pairs: Vec<_> = headers.0.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(pairs, [("x-a", &b"b c"[..]), ("authorization", b"Bearer:x")]);
        for (text, want) in [
            ("hidden", "no header; want 'Name: value'"),
            ("A: b\nA hidden: x", "line 2: no header; want 'Name: value'"),
            (": hidden", "no header; want 'Name: value'"),
            ("A: hid\x07den", "a control character in the value of a header"),
        ] {
            assert_eq!(Headers::parse(text.as_bytes()), Err(want.into()), "{text:?}");
        }
    }

    #[test]
    fn what_is_nearer_replaces_what_has_the_same_name() {
        let mut headers = Headers::parse(b"A: 1\nB: 2").unwrap();
        headers.replace_with(&Headers::parse(b"a: 3\nA: 4").unwrap());
        assert_eq!(headers, Headers::parse(b"B: 2\nA: 3\nA: 4").unwrap());
    }

    #[test]
    fn nothing_secret_is_shown() {
        let headers = Headers::parse(b"Authorization: Bearer swordfish").unwrap();
        let file = PemFile { name: "key.pem".into(), bytes: b"swordfish"[..].into() };
        let access = Access { headers, key: Some(file), ..Access::default() };
        let shown = format!("{access:?} {access:#?}");
        assert!(shown.contains("authorization") && shown.contains("key.pem"), "{shown}");
        // Nor as bytes.
        assert!(!shown.contains("swordfish") && !shown.contains("115, 119"), "{shown}");
        #[cfg(feature = "url")]
        assert_eq!(access.headers.hide("no: Bearer swordfish, swordfish"), "no: ***, ***");
    }
}
