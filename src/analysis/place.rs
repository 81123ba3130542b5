//! Places as short as pprof takes them.

use super::folders::{Wanted, expand};
use super::{Observer, Result};
use crate::source::Location;
use std::ffi::OsStr;

/// What a server alone stands for where a profile is asked about.
pub const CPU_PROFILE: &str = "/debug/pprof/profile";
/// What it stands for elsewhere. Go's own default of one second is short for a report.
pub const TRACE: &str = "/debug/pprof/trace?seconds=5";

/// The place that a user named, in whole or as short as pprof takes it: `host:6060/debug/pprof/heap` without
/// `http://`, and a server alone for what `default` names there. A URL asks for `seconds`, if there are any
/// (Go 1.27 `cmd/pprof/pprof.go`, adjustURL). A file with such a name goes before a server.
pub fn place(source: &OsStr, default: &str, seconds: Option<u64>) -> Location {
    let named = Location::parse(source);
    let url = match &named {
        Location::Url { url, .. } => url.clone(),
        Location::Path(path) => match source.to_str() {
            Some(source) if is_host_and_port(source) && !path.exists() => {
                format!("http://{source}")
            }
            _ => return named,
        },
        Location::Stdin => return named,
    };
    Location::parse(whole_url(&url, default, seconds))
}

/// The places that a user named, where folders and patterns stand for what is in them.
///
/// # Errors
/// As of [`expand`].
pub fn places(
    names: &[impl AsRef<OsStr>],
    wanted: Wanted,
    observer: &dyn Observer,
    place: impl Fn(&OsStr) -> Location,
) -> Result<Vec<Location>> {
    let mut places = Vec::new();
    for name in names {
        match place(name.as_ref()) {
            // `host:6060/debug/pprof/heap?gc=1` is no pattern.
            url @ Location::Url { .. } => places.push(url),
            _ => {
                let names = expand(name.as_ref(), wanted, observer)?;
                places.extend(names.iter().map(|name| place(name)));
            }
        }
    }
    Ok(places)
}

/// Whether it begins with `host:port`.
pub fn is_host_and_port(source: &str) -> bool {
    let server = source.split(['/', '?']).next().unwrap_or("");
    server.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// A URL with the default path if it has none, and with `seconds`. One that is whole stays as it is: its
/// bytes may be signed.
fn whole_url(url: &str, default: &str, seconds: Option<u64>) -> String {
    let whole = url.split('#').next().unwrap_or("");
    let (place, query) = whole.split_once('?').unwrap_or((whole, ""));
    let path = place.split_once("://").map_or("", |(_, rest)| rest);
    let has_path = path.split_once('/').is_some_and(|(_, path)| !path.is_empty());
    if has_path && seconds.is_none() {
        return url.to_owned();
    }
    let (mut whole, default) = match has_path {
        true => (place.to_owned(), ""),
        false => {
            let (path, query) = default.split_once('?').unwrap_or((default, ""));
            (format!("{}{path}", place.trim_end_matches('/')), query)
        }
    };
    let is_seconds = |pair: &&str| pair.starts_with("seconds=");
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    let wanted = seconds.map(|seconds| format!("seconds={seconds}"));
    if let Some(wanted) = &wanted {
        pairs.retain(|pair| !is_seconds(pair));
        pairs.push(wanted);
    } else if !default.is_empty() && !pairs.iter().any(is_seconds) {
        pairs.push(default);
    }
    if !pairs.is_empty() {
        whole.push('?');
        whole.push_str(&pairs.join("&"));
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_as_for_pprof() {
        let heap = "http://h:1/debug/pprof/heap";
        let cpu = |url: &str, seconds| whole_url(url, CPU_PROFILE, seconds);
        assert_eq!(cpu("http://h:1", None), "http://h:1/debug/pprof/profile");
        assert_eq!(cpu("http://h:1/?a=b", Some(5)), "http://h:1/debug/pprof/profile?a=b&seconds=5");
        assert_eq!(
            cpu(&format!("{heap}?seconds=3&gc=1#x"), Some(5)),
            format!("{heap}?gc=1&seconds=5")
        );
        for whole in [format!("{heap}?seconds=3"), format!("{heap}?&a=%2F&#x")] {
            assert_eq!(cpu(&whole, None), whole);
        }
        assert!(
            is_host_and_port("localhost:6060/debug/pprof/heap") && is_host_and_port("[::1]:80")
        );
        assert!(
            !is_host_and_port("heap.pb.gz")
                && !is_host_and_port("C:/x")
                && !is_host_and_port(":80")
        );
    }

    #[test]
    fn a_server_alone_is_its_trace() {
        let trace = |url: &str, seconds| whole_url(url, TRACE, seconds);
        for server in ["http://h:1", "http://h:1/", "http://h:1?", "http://h:1/#top"] {
            assert_eq!(trace(server, None), "http://h:1/debug/pprof/trace?seconds=5");
            assert_eq!(trace(server, Some(7)), "http://h:1/debug/pprof/trace?seconds=7");
        }
        assert_eq!(trace("http://h:1?seconds=2", None), "http://h:1/debug/pprof/trace?seconds=2");
        let named = |source: &str| place(source.as_ref(), TRACE, None).to_string();
        assert_eq!(named("h:1"), "http://h:1/debug/pprof/trace?seconds=5");
        assert_eq!(named("h:1/app.trace"), "http://h:1/app.trace");
        assert_eq!(named("app.trace"), "app.trace");
    }
}
