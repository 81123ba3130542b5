//! Who is let in, and the headers that every answer has.
//!
//! Anybody on this machine can connect, and so can any page in the user's browser. So a request must know a
//! secret, must name the address that was printed (a page of a stranger may let its own name point to this
//! machine), and whatever is more than reading must come from our own pages.

use super::message::Failure;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use std::fmt::Write;

/// What lets one in: 128 bits in hexadecimal digits.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn new() -> std::io::Result<Secret> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
        let mut text = String::new();
        bytes.iter().for_each(|byte| {
            let _ = write!(text, "{byte:02x}");
        });
        Ok(Secret(text))
    }

    /// It, to be printed once.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether it is this, in a time that does not tell how much of it is right.
    fn is(&self, text: &str) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), text.as_bytes());
        ours.len() == theirs.len()
            && ours.iter().zip(theirs).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

/// The parameter of the first address that has the secret.
pub const SECRET: &str = "t";

/// Decides who is let in.
pub struct Door {
    secret: Secret,
    port: u16,
    /// The names that `Host` may have, with the port; empty if any may be meant, as on all addresses.
    hosts: Vec<String>,
}

/// How somebody is let in.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// With the cookie, or as a script.
    Known,
    /// With the secret in the address, which is taken away from there: the cookie comes instead.
    New,
}

impl Door {
    /// For a server on loopback, or on an address that others reach.
    pub fn new(secret: Secret, address: std::net::SocketAddr) -> Door {
        let port = address.port();
        let hosts = match address.ip() {
            ip if ip.is_unspecified() => Vec::new(),
            ip if ip.is_loopback() => {
                ["127.0.0.1", "localhost", "[::1]"].map(|it| format!("{it}:{port}")).into()
            }
            _ => vec![address.to_string()],
        };
        Door { secret, port, hosts }
    }

    /// Lets a request in, or says why not.
    pub fn enter(
        &self,
        headers: &HeaderMap,
        is_post: bool,
        given: Option<&str>,
    ) -> Result<Entry, Failure> {
        let host = header(headers, HOST.as_str()).ok_or_else(|| refuse(400, "no Host"))?;
        if !self.hosts.is_empty() && !self.hosts.iter().any(|it| it.eq_ignore_ascii_case(host)) {
            return Err(refuse(403, "this server has another name"));
        }
        let site = header(headers, "sec-fetch-site");
        if is_post && !self.is_ours(headers, host) {
            return Err(refuse(403, "only its own pages may ask this server to do something"));
        }
        if let Some(bearer) =
            header(headers, AUTHORIZATION.as_str()).and_then(|it| it.strip_prefix("Bearer "))
        {
            return match self.secret.is(bearer) {
                true => Ok(Entry::Known),
                false => Err(refuse(401, "another secret")),
            };
        }
        if self.cookies(headers).any(|value| self.secret.is(value)) {
            // A page of another site may link to a page here, but may not read or embed data.
            return match site {
                Some("cross-site") if !is_visit(headers) => Err(refuse(403, "not for other sites")),
                _ => Ok(Entry::Known),
            };
        }
        match given {
            Some(given) if self.secret.is(given) => Ok(Entry::New),
            _ => Err(Failure {
                hint: Some("open the address that gotrace printed, with its secret".into()),
                ..refuse(401, "the secret is missing")
            }),
        }
    }

    /// Whether something is asked by a page of ours, or by no page at all.
    fn is_ours(&self, headers: &HeaderMap, host: &str) -> bool {
        match (header(headers, "sec-fetch-site"), header(headers, ORIGIN.as_str())) {
            (Some(site), _) if site != "same-origin" && site != "none" => false,
            (_, Some(origin)) => {
                let name = origin.strip_prefix("http://");
                name.is_some_and(|name| name.eq_ignore_ascii_case(host))
            }
            _ => true,
        }
    }

    fn cookies<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        let name = self.cookie_name();
        let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|it| it.split_once('='));
        pairs.filter(move |(key, _)| key.trim() == name).map(|(_, value)| value.trim())
    }

    /// Cookies know no ports, so the name does.
    fn cookie_name(&self) -> String {
        format!("gotrace_{}", self.port)
    }

    /// `Set-Cookie` for who came with the secret.
    pub fn cookie(&self) -> String {
        format!("{}={}; HttpOnly; SameSite=Lax; Path=/", self.cookie_name(), self.secret.0)
    }
}

/// Whether a browser shows the answer as a page of its own.
fn is_visit(headers: &HeaderMap) -> bool {
    header(headers, "sec-fetch-mode") == Some("navigate")
        && header(headers, "sec-fetch-dest") == Some("document")
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn refuse(status: u16, what: &str) -> Failure {
    Failure::new(status, what)
}

/// What every answer says: nothing from elsewhere, nothing in frames, nothing guessed.
pub const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
         connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn door() -> Door {
        Door::new(Secret("0123456789abcdef".into()), "127.0.0.1:80".parse().unwrap())
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_who_knows_the_secret_and_the_name_comes_in() {
        let enter = |pairs: &[(&'static str, &str)], is_post, given| {
            door().enter(&headers(pairs), is_post, given).map_err(|failure| failure.status)
        };
        let host = ("host", "127.0.0.1:80");
        let cookie = ("cookie", "a=b; gotrace_80=0123456789abcdef");
        let secret = Some("0123456789abcdef");
        assert_eq!(enter(&[host], false, secret), Ok(Entry::New));
        assert_eq!(enter(&[host], false, Some("0123456789abcdee")), Err(401));
        assert_eq!(enter(&[host], false, None), Err(401));
        assert_eq!(enter(&[], false, secret), Err(400));
        assert_eq!(enter(&[("host", "evil.example:80")], false, secret), Err(403));
        assert_eq!(enter(&[("host", "127.0.0.1:81")], false, secret), Err(403));
        assert_eq!(enter(&[("host", "LocalHost:80")], false, secret), Ok(Entry::New));
        assert_eq!(enter(&[host, cookie], false, None), Ok(Entry::Known));
        assert_eq!(
            enter(&[host, ("cookie", "gotrace_81=0123456789abcdef")], false, None),
            Err(401)
        );
        let bearer = ("authorization", "Bearer 0123456789abcdef");
        assert_eq!(enter(&[host, bearer], true, None), Ok(Entry::Known));
        assert_eq!(enter(&[host, ("authorization", "Bearer x")], false, secret), Err(401));
    }

    #[test]
    fn other_sites_can_neither_ask_for_anything_nor_read() {
        let enter = |pairs: &[(&'static str, &str)], is_post| {
            let base = [("host", "127.0.0.1:80"), ("cookie", "gotrace_80=0123456789abcdef")];
            door().enter(&headers(&[&base, pairs].concat()), is_post, None).is_ok()
        };
        assert!(enter(&[("origin", "http://127.0.0.1:80")], true));
        assert!(!enter(&[("origin", "http://evil.example")], true));
        assert!(!enter(&[("origin", "null")], true));
        assert!(!enter(&[("sec-fetch-site", "cross-site")], true));
        assert!(!enter(&[("sec-fetch-site", "same-site")], true));
        assert!(enter(&[("sec-fetch-site", "same-origin")], true));
        assert!(!enter(&[("sec-fetch-site", "cross-site")], false));
        let visit = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        assert!(enter(&[&[("sec-fetch-site", "cross-site")][..], &visit].concat(), false));
        assert!(!enter(
            &[("sec-fetch-site", "cross-site"), visit[0], ("sec-fetch-dest", "iframe")],
            false
        ));
    }
}
