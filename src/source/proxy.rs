//! The proxy that the environment names for a URL: `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.
//!
//! Whoever has them set for Go's programs finds the same here (`golang.org/x/net/http/httpproxy`): ureq
//! alone asks one proxy for every scheme and for this machine too, and knows no networks in `NO_PROXY`.

use std::net::IpAddr;
use ureq::Proxy;
use ureq::http::Uri;

/// What the environment says.
pub struct Proxies {
    http: String,
    https: String,
    none: Vec<Exception>,
}

impl Proxies {
    /// Reads the environment.
    pub fn from_env() -> Proxies {
        // The first that is not empty, in capitals or not.
        let variable = |name: &str| {
            let values = [name.to_owned(), name.to_lowercase()].into_iter();
            let mut values = values.filter_map(|name| std::env::var(name).ok());
            values.find(|value| !value.is_empty()).unwrap_or_default()
        };
        Proxies::new(variable("HTTP_PROXY"), variable("HTTPS_PROXY"), &variable("NO_PROXY"))
    }

    fn new(http: String, https: String, none: &str) -> Proxies {
        let none = none.split(',').filter_map(Exception::parse).collect();
        Proxies { http, https, none }
    }

    /// The proxy for a URL; `None` to ask the server itself. The error is for users.
    pub fn of(&self, uri: &Uri) -> Result<Option<Proxy>, String> {
        let (name, proxy) = match uri.scheme_str() {
            Some("https") => ("HTTPS_PROXY", self.https.trim()),
            _ => ("HTTP_PROXY", self.http.trim()),
        };
        if proxy.is_empty() || !self.is_for(uri) {
            return Ok(None);
        }
        // A proxy looks the host up itself in Go, whatever the version of SOCKS.
        let proxy = match proxy.split_once("://") {
            Some(("socks5", server)) => format!("socks5h://{server}"),
            _ => proxy.to_owned(),
        };
        Proxy::new(&proxy).map(Some).map_err(|_| {
            // Its value may hold a password.
            format!("{name} is no address of a proxy; want one such as http://proxy:3128")
        })
    }

    /// Whether a proxy is to be used for this host: not for this machine, and not for what NO_PROXY
    /// names.
    fn is_for(&self, uri: &Uri) -> bool {
        let host = uri.host().unwrap_or("").to_ascii_lowercase();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let ip = host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
        if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
            return false;
        }
        let port = uri.port_u16().unwrap_or(match uri.scheme_str() {
            Some("https") => 443,
            _ => 80,
        });
        !self.none.iter().any(|exception| exception.is_match(host, ip, port))
    }
}

/// An entry of NO_PROXY.
#[derive(Debug, PartialEq, Eq)]
enum Exception {
    /// `*`
    All,
    /// `10.0.0.0/8`
    Network(IpAddr, u8),
    /// `10.0.0.1` or `10.0.0.1:80`
    Address(IpAddr, Option<u16>),
    /// `example.com` with what is below it, or only that: `.example.com`, `*.example.com`. With a dot in
    /// front.
    Domain { suffix: String, is_itself: bool, port: Option<u16> },
}

impl Exception {
    fn parse(text: &str) -> Option<Exception> {
        let text = text.trim().to_ascii_lowercase();
        if text == "*" {
            return Some(Exception::All);
        }
        if let Some((ip, bits)) = text.split_once('/')
            && let (Ok(ip), Ok(bits)) = (ip.parse::<IpAddr>(), bits.parse())
            && bits <= width(ip)
        {
            return Some(Exception::Network(ip, bits));
        }
        // An IPv6 address without brackets has colons of its own.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if host.starts_with('[') || !host.contains(':') => {
                (host, Some(port.parse().ok()?))
            }
            _ => (&*text, None),
        };
        if let Ok(ip) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return Some(Exception::Address(ip.to_canonical(), port));
        }
        let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        match host {
            "" => None,
            _ if host.starts_with('.') => {
                Some(Exception::Domain { suffix: host.into(), is_itself: false, port })
            }
            _ => Some(Exception::Domain { suffix: format!(".{host}"), is_itself: true, port }),
        }
    }

    fn is_match(&self, host: &str, ip: Option<IpAddr>, at: u16) -> bool {
        let is_port = |port: &Option<u16>| port.is_none_or(|port| port == at);
        match self {
            Exception::All => true,
            Exception::Network(network, bits) => ip.is_some_and(|ip| {
                width(ip) == width(*network) && prefix(ip, *bits) == prefix(*network, *bits)
            }),
            Exception::Address(address, port) => ip == Some(*address) && is_port(port),
            Exception::Domain { suffix, is_itself, port } => {
                (host.ends_with(suffix.as_str()) || (*is_itself && host == &suffix[1..]))
                    && is_port(port)
            }
        }
    }
}

/// How many bits an address has.
fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// The first bits of an address, of which it has so many.
fn prefix(ip: IpAddr, bits: u8) -> u128 {
    let number = match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    // The first 0 bits of 128 are none.
    number.checked_shr(u32::from(width(ip) - bits)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(none: &str) -> Proxies {
        Proxies::new("http://me:secret@p:3128".into(), "q".into(), none)
    }

    /// The host of the proxy for a URL.
    fn of(proxies: &Proxies, url: &str) -> Option<String> {
        let proxy = proxies.of(&url.parse().unwrap()).unwrap();
        proxy.map(|proxy| format!("{}:{}", proxy.host(), proxy.port()))
    }

    #[test]
    fn each_scheme_has_its_proxy_and_this_machine_has_none() {
        let all = proxies("");
        assert_eq!(of(&all, "http://h/x").as_deref(), Some("p:3128"));
        assert_eq!(of(&all, "https://h/x").as_deref(), Some("q:80"));
        for host in ["localhost", "LOCALHOST:6060", "127.0.0.1", "127.9.9.9:1", "[::1]:6060"] {
            assert_eq!(of(&all, &format!("http://{host}/x")), None, "{host}");
        }
        let one = Proxies::new("socks5://s".into(), String::new(), "");
        assert_eq!(of(&one, "https://h/x"), None);
        let socks = one.of(&"http://h/x".parse().unwrap()).unwrap().unwrap();
        assert!(!socks.resolve_target() && socks.protocol() == ureq::ProxyProtocol::Socks5h);
    }

    /// The cases of `golang.org/x/net/http/httpproxy`, TestUseProxy and its kin.
    #[test]
    fn no_proxy_is_read_as_go_reads_it() {
        let list = "foobar.com, .barbaz.net, *.dots.org, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, \
                    10.0.0.0/30, 2001:db8::52:0:1, [2001:db8::52:0:2]:443, 2002:db8:a::45/64, x:8080, ,";
        let some = proxies(list);
        for (host, is_used) in [
            ("foobar.com", false),
            ("FooBar.com", false),
            ("www.foobar.com", false),
            ("foofoobar.com", true),
            ("barbaz.net", true),
            ("sub.barbaz.net", false),
            ("dots.org", true),
            ("a.b.dots.org", false),
            ("192.168.1.1", false),
            ("192.168.1.1:8080", false),
            ("192.168.1.2", true),
            ("192.168.1.2:81", false),
            ("192.168.1.3", false),
            ("192.168.1.4", true),
            ("10.0.0.2", false),
            ("10.0.0.4", true),
            ("[2001:db8::52:0:1]", false),
            ("[2001:db8::52:0:2]", true),
            ("[2001:db8::52:0:2]:443", false),
            ("[2002:db8:a::123]", false),
            ("[2002:db8:b::123]", true),
            ("x", true),
            ("x:8080", false),
            ("[fe80::424b:c8be:1643:a1b6]", true),
        ] {
            assert_eq!(of(&some, &format!("http://{host}/x")).is_some(), is_used, "{host}");
        }
        assert_eq!(of(&proxies("a, * ,b"), "http://h/"), None);
        assert_eq!(of(&proxies("0.0.0.0/0"), "http://8.8.8.8/"), None);
        assert!(of(&proxies("0.0.0.0/0"), "http://[2001::1]/").is_some());
        assert!(of(&proxies("10.0.0.0/33,1/2/3"), "http://10.0.0.1/").is_some());
    }

    #[test]
    fn what_is_no_proxy_is_told_without_its_password() {
        let wrong = Proxies::new("ftp://me:secret@p".into(), String::new(), "");
        let error = wrong.of(&"http://h/".parse().unwrap()).unwrap_err();
        assert!(error.starts_with("HTTP_PROXY is no address of a proxy;"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
