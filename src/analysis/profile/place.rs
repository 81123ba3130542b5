//! Places as short as pprof takes them.

use crate::source::Location;
use std::ffi::OsStr;

/// The place that a user named for a profile, in whole or as short as pprof takes it:
/// `host:6060/debug/pprof/heap` without `http://`, and a server alone for its CPU profile. A URL asks for
/// `seconds`, if there are any (Go 1.27 `cmd/pprof/pprof.go`, adjustURL).
pub fn profile_place(source: &OsStr, seconds: Option<u64>) -> Location {
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
    Location::parse(whole_url(&url, seconds))
}

/// Whether it begins with `host:port`.
fn is_host_and_port(source: &str) -> bool {
    let server = source.split(['/', '?']).next().unwrap_or("");
    server.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// A URL with the path of the CPU profile if it has none, and with `seconds`.
fn whole_url(url: &str, seconds: Option<u64>) -> String {
    let url = url.split('#').next().unwrap_or("");
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let path = place.split_once("://").map_or("", |(_, rest)| rest);
    let has_path = path.split_once('/').is_some_and(|(_, path)| !path.is_empty());
    let mut whole = match has_path {
        true => place.to_owned(),
        false => format!("{}/debug/pprof/profile", place.trim_end_matches('/')),
    };
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    let wanted = seconds.map(|seconds| format!("seconds={seconds}"));
    if let Some(wanted) = &wanted {
        pairs.retain(|pair| !pair.starts_with("seconds="));
        pairs.push(wanted);
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
        assert_eq!(whole_url("http://h:1", None), "http://h:1/debug/pprof/profile");
        assert_eq!(
            whole_url("http://h:1/?a=b", Some(5)),
            "http://h:1/debug/pprof/profile?a=b&seconds=5"
        );
        assert_eq!(
            whole_url(&format!("{heap}?seconds=3&gc=1#x"), Some(5)),
            format!("{heap}?gc=1&seconds=5")
        );
        assert_eq!(whole_url(&format!("{heap}?seconds=3"), None), format!("{heap}?seconds=3"));
        assert!(
            is_host_and_port("localhost:6060/debug/pprof/heap") && is_host_and_port("[::1]:80")
        );
        assert!(
            !is_host_and_port("heap.pb.gz")
                && !is_host_and_port("C:/x")
                && !is_host_and_port(":80")
        );
    }
}
