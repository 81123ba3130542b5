//! What a URL asks: which server, over what, for which path.

use std::path::PathBuf;
use ureq::http::Uri;

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What is asked; `http://localhost/...` of a socket.
    pub uri: Uri,
    /// The Unix socket that is asked, if it is one.
    pub socket: Option<PathBuf>,
    /// Whether the certificate of the server is not looked at.
    pub is_insecure: bool,
}

impl Target {
    /// Reads a URL. The error is for users.
    pub fn parse(url: &str) -> Result<Target, String> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let is_insecure = scheme.eq_ignore_ascii_case("https+insecure");
        let (text, socket) = match &*scheme.to_ascii_lowercase() {
            "http+unix" | "unix" => {
                let (socket, path) = split_socket(rest)?;
                (format!("http://localhost{path}"), Some(socket))
            }
            "https+insecure" => (format!("https://{rest}"), None),
            _ => (url.to_owned(), None),
        };
        check_port(&text)?;
        let uri: Uri = text.parse().map_err(|error| format!("it is no URL: {error}"))?;
        Ok(Target { uri, socket, is_insecure })
    }

    /// Where an answer sends to that says `Location: to`.
    pub fn redirected(&self, to: &str) -> Result<Target, String> {
        let wrong = || "it sends to another place, but not to a URL".to_owned();
        let (scheme, authority) = match (self.uri.scheme_str(), self.uri.authority()) {
            (Some(scheme), Some(authority)) => (scheme, authority),
            _ => return Err(wrong()),
        };
        let (mut text, socket) = match to {
            _ if to.split(['/', '?', '#']).next().is_some_and(|start| start.contains(':')) => {
                (to.to_owned(), None)
            }
            _ if to.starts_with("//") => (format!("{scheme}:{to}"), None),
            _ if to.starts_with('/') => {
                (format!("{scheme}://{authority}{to}"), self.socket.clone())
            }
            _ if to.starts_with('?') => {
                (format!("{scheme}://{authority}{}{to}", self.uri.path()), self.socket.clone())
            }
            _ => {
                let folder = self.uri.path().rsplit_once('/').map_or("", |(folder, _)| folder);
                (format!("{scheme}://{authority}{folder}/{to}"), self.socket.clone())
            }
        };
        let fragment = text.find('#').unwrap_or(text.len());
        text.truncate(fragment);
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(wrong());
        }
        check_port(&text)?;
        Ok(Target { uri, socket, is_insecure: self.is_insecure })
    }

    /// Whether what is meant for this server may go to another one: it is the same, or the same over
    /// TLS, at the usual ports.
    pub fn is_same_server(&self, other: &Target) -> bool {
        let is_same_host = match (self.uri.host(), other.uri.host()) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            _ => false,
        };
        let (mine, theirs) = (self.scheme_and_port(), other.scheme_and_port());
        self.socket == other.socket
            && is_same_host
            && (mine == theirs || (mine, theirs) == (("http", 80), ("https", 443)))
    }

    fn scheme_and_port(&self) -> (&str, u16) {
        match self.uri.scheme_str() {
            Some("https") => ("https", self.uri.port_u16().unwrap_or(443)),
            _ => ("http", self.uri.port_u16().unwrap_or(80)),
        }
    }

    /// The target with the name and the password of another one, if it has none of its own.
    pub fn with_user_of(mut self, other: &Target) -> Target {
        let user_of = |uri: &Uri| {
            let authority = uri.authority()?.as_str();
            authority.rsplit_once('@').map(|(user, _)| user.to_owned())
        };
        if let (None, Some(user), Some(authority)) =
            (user_of(&self.uri), user_of(&other.uri), self.uri.authority())
            && let Ok(authority) = format!("{user}@{authority}").parse()
        {
            let mut parts = self.uri.clone().into_parts();
            parts.authority = Some(authority);
            if let Ok(uri) = Uri::from_parts(parts) {
                self.uri = uri;
            }
        }
        self
    }

    /// The place without what may be secret, for messages.
    pub fn shown(&self) -> String {
        let scheme = self.uri.scheme_str().unwrap_or("http");
        let host = self.uri.host().unwrap_or("");
        let port = self.uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://{host}{port}{}", self.uri.path())
    }
}

/// The path of the socket and what is asked there: `%2Frun%2Fapp.sock/debug/pprof/heap`,
/// `/run/app.sock:/debug/pprof/heap`, or `/run/app.sock/debug/pprof/heap`, where the socket is the first
/// part that is no folder.
fn split_socket(rest: &str) -> Result<(PathBuf, String), String> {
    let (place, query) = match rest.find(['?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (socket, path) = if !place.starts_with('/') {
        place.split_at(place.find('/').unwrap_or(place.len()))
    } else if let Some((socket, path)) = place.split_once(':') {
        (socket, path)
    } else {
        let ends = place.match_indices('/').map(|(at, _)| at).skip(1).chain([place.len()]);
        let end = ends.into_iter().find(|&end| !decoded(&place[..end]).is_dir());
        place.split_at(end.unwrap_or(place.len()))
    };
    if socket.is_empty() {
        return Err("there is no socket in it; want one such as \
                    http+unix://%2Frun%2Fapp.sock/debug/pprof/heap"
            .into());
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok((decoded(socket), format!("{slash}{path}{query}")))
}

/// A path of which some bytes are written as `%2F`.
fn decoded(text: &str) -> PathBuf {
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(text).collect();
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        PathBuf::from(std::ffi::OsString::from_vec(bytes))
    }
    #[cfg(not(unix))]
    PathBuf::from(String::from_utf8_lossy(&bytes).into_owned())
}

/// Refuses a port that there cannot be, which otherwise would be left out and another one asked.
fn check_port(url: &str) -> Result<(), String> {
    let server = url.split_once("://").map_or(url, |(_, rest)| rest);
    let server = server.split(['/', '?', '#']).next().unwrap_or("");
    let server = server.rsplit_once('@').map_or(server, |(_, server)| server);
    // The colons of an address in brackets are its own.
    let port = server.rsplit(']').next().and_then(|rest| rest.rsplit_once(':'));
    match port {
        Some((_, port)) if !port.is_empty() && !port.parse().is_ok_and(|port: u16| port > 0) => {
            Err(format!("there is no port {port}; ports are 1 to 65535"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn only_ports_that_can_be_are_asked() {
        for url in ["http://h/x:99999", "http://h:6060", "http://[::1]/", "https://u:p@[::1]:1/"] {
            assert_eq!(check_port(url), Ok(()), "{url}");
        }
        for url in ["http://h:99999/", "http://h:0", "http://[::1]:x/", "http://u:1@h:-1?"] {
            assert!(check_port(url).is_err(), "{url}");
        }
    }

    #[test]
    fn sockets_are_named_in_each_way() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("app.sock"), "").unwrap();
        let path = folder.path().join("app.sock");
        let path = path.to_str().unwrap();
        let encoded = path.replace('/', "%2F");
        for url in [
            format!("http+unix://{encoded}/debug/pprof/heap?gc=1"),
            format!("HTTP+UNIX://{path}/debug/pprof/heap?gc=1#x"),
            format!("unix://{path}/debug/pprof/heap?gc=1"),
            format!("unix://{path}:/debug/pprof/heap?gc=1"),
        ] {
            let target = Target::parse(&url).unwrap();
            assert_eq!(target.socket.as_deref(), Some(Path::new(path)), "{url}");
            assert_eq!(target.uri.path_and_query().unwrap(), "/debug/pprof/heap?gc=1", "{url}");
            assert_eq!(target.uri.authority().unwrap(), "localhost");
        }
        assert_eq!(Target::parse(&format!("unix://{path}")).unwrap().uri.path(), "/");
        // A colon in the name of the socket.
        let target = Target::parse("http+unix://%2Frun%2Fa:1.sock/x").unwrap();
        assert_eq!(target.socket.as_deref(), Some(Path::new("/run/a:1.sock")));
        assert!(Target::parse("http+unix:///").is_ok_and(|target| target.uri.path() == "/"));
        assert!(Target::parse("http+unix://").unwrap_err().contains("no socket"));
    }

    #[test]
    fn where_an_answer_sends_to_is_read_as_browsers_do() {
        let from = Target::parse("http://u:p@h:80/a/b?c").unwrap();
        for (to, want) in [
            ("/x?y#z", "http://u:p@h:80/x?y"),
            ("x", "http://u:p@h:80/a/x"),
            ("?d", "http://u:p@h:80/a/b?d"),
            ("//o/x", "http://o/x"),
            ("https://o:1/x", "https://o:1/x"),
            ("x?u=http://y", "http://u:p@h:80/a/x?u=http://y"),
        ] {
            assert_eq!(from.redirected(to).unwrap().uri, want, "{to}");
        }
        for to in
            ["ftp://h/x", "file:///etc/passwd", "http+unix://%2Fs/x", "http://h:0/", "javascript:x"]
        {
            assert!(from.redirected(to).is_err(), "{to}");
        }
    }

    #[test]
    fn only_the_same_server_is_the_same() {
        let named = |url: &str| Target::parse(url).unwrap();
        for (one, other, is_same) in [
            ("http://h/a", "http://H:80/b", true),
            ("http://h/", "https://h/", true),
            ("https://h/", "http://h/", false),
            ("http://h/", "http://h:8080/", false),
            ("http://h:8080/", "https://h/", false),
            ("http://h/", "http://sub.h/", false),
            ("http://h/", "http://h.o/", false),
            ("http+unix://%2Fa/", "http+unix://%2Fb/", false),
            ("http+unix://%2Fa/", "http://localhost/", false),
        ] {
            assert_eq!(named(one).is_same_server(&named(other)), is_same, "{one} {other}");
        }
        let with = named("http://h/x").with_user_of(&named("http://u:p@h/"));
        assert_eq!(with.uri, "http://u:p@h/x");
        assert_eq!(with.shown(), "http://h/x");
    }
}
