//! Being let in by servers: certificates, headers, sockets, proxies. The servers are threads of the test.

mod committed;

use committed::Trace;
use committed::run::{Run, Sandbox, finish};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

/// What must never be seen.
const SECRET: &str = "swordfish-4711";

/// The requests that a server got, as lines.
type Requests = Arc<Mutex<Vec<Vec<String>>>>;
/// What a server answers: status with headers, and the body.
type Answer = dyn Fn(&[String]) -> (String, Vec<u8>) + Send + Sync;

/// Reads one request.
fn request(stream: &mut impl Read) -> Option<Vec<String>> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let text = String::from_utf8(bytes).unwrap();
    Some(text.trim_end().lines().map(String::from).collect())
}

/// Answers one request.
fn serve(mut stream: impl Read + Write, requests: &Requests, answer: &Answer) {
    let Some(request) = request(&mut stream) else { return };
    let (head, body) = answer(&request);
    requests.lock().unwrap().push(request);
    let length = body.len();
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&body);
    let _ = stream.flush();
}

/// A server that ends with the test: its address, and what it was asked.
fn server(
    answer: impl Fn(&[String]) -> (String, Vec<u8>) + Send + Sync + 'static,
) -> (String, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let requests = Requests::default();
    let asked = requests.clone();
    thread::spawn(move || listener.incoming().for_each(|it| serve(it.unwrap(), &asked, &answer)));
    (address, requests)
}

/// The same over TLS.
fn tls_server(
    config: ServerConfig,
    answer: impl Fn(&[String]) -> (String, Vec<u8>) + Send + Sync + 'static,
) -> (String, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let requests = Requests::default();
    let asked = requests.clone();
    let config = Arc::new(config);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            serve(&mut stream, &asked, &answer);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    (address, requests)
}

/// An authority.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for a host, and its key.
    fn sign(&self, host: &str) -> (String, String) {
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// The configuration of a server for a host; with `clients`, only whom that authority has signed for may ask.
    fn server(&self, host: &str, clients: Option<&Authority>) -> ServerConfig {
        let (certificate, key) = self.sign(host);
        Authority::server_with(&certificate, &key, clients)
    }

    fn server_with(certificate: &str, key: &str, clients: Option<&Authority>) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots
                    .add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap())
                    .unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        builder.with_single_cert(vec![certificate], key).unwrap()
    }
}

fn trace() -> (String, Vec<u8>) {
    ("200 OK".into(), Trace::new("go1.27/gc").bytes())
}

fn profile() -> Vec<u8> {
    std::fs::read(committed::root().join("testdata/profiles/go1.27/heap.pb.gz")).unwrap()
}

/// Runs gotrace with only these variables for proxies, headers and certificates.
fn with(sandbox: &Sandbox, variables: &[(&str, &str)], arguments: &[&str]) -> Run {
    let mut command = sandbox.command(arguments);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "GOTRACE_HEADERS"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    // What the system trusts: an authority that has signed for nobody here.
    let trusted = sandbox.path(".trusted.pem");
    if !trusted.exists() {
        std::fs::write(&trusted, Authority::new("far away").pem).unwrap();
    }
    command.env("SSL_CERT_FILE", trusted).env_remove("SSL_CERT_DIR");
    command.envs(variables.iter().copied());
    let run = finish(command.spawn().unwrap(), Vec::new());
    assert!(!run.stderr.contains(SECRET), "{}", run.stderr);
    assert!(!String::from_utf8_lossy(&run.stdout).contains(SECRET), "{:?}", run.text());
    run
}

fn gotrace(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    with(sandbox, &[], arguments)
}

/// Whether a request has this header.
fn has(request: &[String], header: &str) -> bool {
    request.iter().any(|line| line.eq_ignore_ascii_case(header))
}

#[test]
fn a_certificate_is_checked_unless_the_url_says_insecure() {
    let authority = Authority::new("ours");
    let (address, requests) = tls_server(authority.server("127.0.0.1", None), |_| trace());
    let sandbox = Sandbox::new();
    gotrace(&sandbox, &["info", &format!("https://{address}/trace")]).expect(1).says(&[
        "the certificate of the server is refused: no authority that is trusted has signed it; ",
        "--tls-ca FILE",
        "https+insecure://",
    ]);
    assert!(requests.lock().unwrap().is_empty());
    gotrace(&sandbox, &["ingest", &format!("HTTPS+insecure://{address}/trace")]).expect(0);
    assert!(sandbox.path("trace.db").exists());

    // The word is for the server that it is said of.
    let to = format!("https://{address}/trace");
    let (first, _) = tls_server(authority.server("127.0.0.1", None), move |_| {
        (format!("302 Found\r\nLocation: {to}"), Vec::new())
    });
    gotrace(&sandbox, &["info", &format!("https+insecure://{first}/")])
        .expect(1)
        .says(&[&format!("it sends to https://{address}/trace: the certificate of the server")]);
    // Who speaks no TLS.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let plain = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    gotrace(&sandbox, &["info", &format!("https+insecure://{plain}/")])
        .expect(1)
        .says(&["the server does not speak TLS there; is it http://?"]);
}

#[test]
fn an_authority_is_trusted_that_is_named() {
    let authority = Authority::new("ours");
    let (address, _) = tls_server(authority.server("127.0.0.1", None), |_| trace());
    let (other_name, _) = tls_server(authority.server("other.test", None), |_| trace());
    let (heap, _) =
        tls_server(authority.server("127.0.0.1", None), |_| ("200 OK".into(), profile()));
    let sandbox = Sandbox::new();
    sandbox.write("ca.pem", &authority.pem);
    sandbox.write("wrong.pem", Authority::new("theirs").pem);
    sandbox.write("empty.pem", "# nothing\n");
    let url = format!("https://{address}/trace");
    gotrace(&sandbox, &["info", "--tls-ca", "ca.pem", &url]).expect(0);
    gotrace(&sandbox, &["-top", "-tls_ca", "ca.pem", &format!("https://{heap}/heap")]).expect(0);
    gotrace(&sandbox, &["info", "--tls-ca", "wrong.pem", &url]).expect(1).says(&["has signed it"]);
    gotrace(&sandbox, &["info", "--tls-ca", "ca.pem", &format!("https://{other_name}/")])
        .expect(1)
        .says(&["it is for another host"]);
    gotrace(&sandbox, &["info", "--tls-ca", "empty.pem", &url])
        .expect(1)
        .says(&["--tls-ca empty.pem: there is no certificate in it"]);
    gotrace(&sandbox, &["info", "--tls-ca", "none.pem", &url])
        .expect(2)
        .says(&["none.pem", "no such file"]);
}

#[test]
fn a_server_may_have_signed_for_itself() {
    let sandbox = Sandbox::new();
    for (is_ca, status) in [(IsCa::NoCa, 0), (IsCa::Ca(BasicConstraints::Unconstrained), 1)] {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.is_ca = is_ca;
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        let config = Authority::server_with(&certificate, &key.serialize_pem(), None);
        let (address, _) = tls_server(config, |_| trace());
        sandbox.write("own.pem", certificate);
        let url = format!("https://{address}/trace");
        let run = gotrace(&sandbox, &["info", "--tls-ca", "own.pem", &url]).expect(status);
        if status == 1 {
            run.says(&["it is one of an authority, and not for servers", "https+insecure://"]);
        }
        gotrace(&sandbox, &["info", &url.replace("https", "https+insecure")]).expect(0);
    }
}

#[test]
fn a_certificate_is_shown_to_servers_that_want_one() {
    let (authority, clients) = (Authority::new("ours"), Authority::new("clients"));
    let (address, requests) =
        tls_server(authority.server("127.0.0.1", Some(&clients)), |_| trace());
    let sandbox = Sandbox::new();
    let (certificate, key) = clients.sign("me");
    sandbox.write("ca.pem", &authority.pem);
    sandbox.write("me.pem", &certificate);
    sandbox.write("me.key", &key);
    sandbox.write("both.pem", format!("{key}{certificate}"));
    sandbox.write("other.key", clients.sign("other").1);
    let url = format!("https://{address}/trace");
    let run = |status: i32, arguments: &[&str]| {
        let all = [&["info", "--tls-ca", "ca.pem", &url], arguments].concat();
        gotrace(&sandbox, &all).expect(status)
    };
    run(1, &[]).says(&["the server refused the connection", "--tls-cert FILE and --tls-key FILE"]);
    assert!(requests.lock().unwrap().is_empty());
    run(0, &["--tls-cert", "me.pem", "--tls-key", "me.key"]);
    run(0, &["--tls-cert", "both.pem"]);
    run(1, &["--tls-cert", "me.pem"]).says(&["--tls-cert me.pem: there is no private key in it"]);
    run(1, &["--tls-cert", "me.pem", "--tls-key", "other.key"])
        .says(&["--tls-key other.key: it is not the key of the certificate"]);
    run(1, &["--tls-cert", "me.key", "--tls-key", "me.key"])
        .says(&["there is no certificate in it"]);
    run(2, &["--tls-key", "me.key"]).says(&["--tls-cert"]);

    // Where the answer sends to gets none, and so is not let in, though it trusts the same authority.
    let to = url.clone();
    let (first, _) = tls_server(authority.server("127.0.0.1", Some(&clients)), move |_| {
        (format!("302 Found\r\nLocation: {to}"), Vec::new())
    });
    let first = format!("https://{first}/");
    let all = ["info", "--tls-ca", "ca.pem", "--tls-cert", "both.pem", &first];
    gotrace(&sandbox, &all).expect(1).says(&[&format!("it sends to {url}: the server refused")]);
}

#[test]
fn headers_are_sent_and_never_shown() {
    let (address, requests) = server(|request| match request.join("\n").contains(SECRET) {
        // As servers do that explain themselves.
        _ if request[0].contains("/echo") => ("401 Unauthorized".into(), request.join(" ").into()),
        true => trace(),
        false => ("403 Forbidden".into(), b"who are you?\n".to_vec()),
    });
    let sandbox = Sandbox::new();
    let url = format!("http://{address}/trace");
    let token = format!("Authorization: Bearer {SECRET}");
    gotrace(&sandbox, &["info", &url]).expect(1).says(&["HTTP status 403 Forbidden: who are you?"]);
    let two = ["ingest", &url, "--header", &token, "--header", "X-Team: blue"];
    gotrace(&sandbox, &two).expect(0);
    let sent = requests.lock().unwrap().last().unwrap().clone();
    assert!(has(&sent, &token) && has(&sent, "X-Team: blue"), "{sent:?}");
    sandbox.write("headers", format!("# ours\n{token}\nX-Team: red\n"));
    gotrace(&sandbox, &["report", &url, "--header", "@headers"]).expect(0);
    assert!(has(requests.lock().unwrap().last().unwrap(), "X-Team: red"));

    // What is given here goes before what the environment has.
    let lines = format!("authorization: Bearer stale\nX-Team: green\nX-Key: {SECRET}");
    let environment = [("GOTRACE_HEADERS", &*lines)];
    with(&sandbox, &environment, &["info", &url]).expect(0);
    with(&sandbox, &environment, &["info", &url, "--header", &token]).expect(0);
    let sent = requests.lock().unwrap().last().unwrap().clone();
    assert!(has(&sent, &token) && has(&sent, "X-Team: green"), "{sent:?}");
    assert!(!sent.join("\n").contains("stale"), "{sent:?}");

    // Whatever goes wrong, and whatever is asked.
    gotrace(&sandbox, &["info", &format!("http://{address}/echo"), "--header", &token])
        .expect(1)
        .says(&["HTTP status 401 Unauthorized: GET /echo", "***"]);
    for wrong in
        [SECRET.to_owned(), format!("{SECRET} x: y"), format!("X: {SECRET}\x07"), "".into()]
    {
        gotrace(&sandbox, &["info", &url, "--header", &wrong]).expect(2).says(&["--header"]);
    }
    sandbox.write("wrong", format!("A: b\n{SECRET}\n"));
    gotrace(&sandbox, &["info", &url, "--header", "@wrong"])
        .expect(2)
        .says(&["--header @wrong: line 2: no header; want 'Name: value'"]);
    gotrace(&sandbox, &["info", &url, "--header", "@none"]).expect(2).says(&["@none"]);
    let wrong = [("GOTRACE_HEADERS", &*format!("A: b\n{SECRET}"))];
    with(&sandbox, &wrong, &["info", &url]).expect(1).says(&["GOTRACE_HEADERS: line 2: no header"]);
    // It matters to URLs only.
    sandbox.copy("go1.27/gc", "a.trace");
    with(&sandbox, &wrong, &["info", "a.trace"]).expect(0);

    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    gotrace(&sandbox, &["info", &format!("http://{gone}/"), "--header", &token]).expect(1);
    let sql = ["query", &url, "select * from traces", "-f", "json", "--header", &token];
    gotrace(&sandbox, &sql).expect(0);
    let database = std::fs::read(sandbox.path("trace.db")).unwrap();
    let is_in = |text: &str| database.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(is_in(&url) && !is_in(SECRET) && !is_in("Bearer"));
}

#[test]
fn headers_go_to_the_server_that_was_named_only() {
    let (other, others) = server(|_| trace());
    let to = format!("http://{other}/trace?signature={SECRET}");
    let (address, requests) = server(move |request| match &*request[0] {
        "GET /away HTTP/1.1" => (format!("302 Found\r\nLocation: {to}"), Vec::new()),
        "GET /here HTTP/1.1" => ("307 Moved\r\nLocation: trace".into(), Vec::new()),
        "GET /round HTTP/1.1" => ("302 Found\r\nLocation: /round".into(), Vec::new()),
        "GET /ftp HTTP/1.1" => ("302 Found\r\nLocation: ftp://h/".into(), Vec::new()),
        _ => trace(),
    });
    let sandbox = Sandbox::new();
    let token = format!("Authorization: Bearer {SECRET}");
    let key = format!("X-Api-Key: {SECRET}");
    let run = |status: i32, path: &str| {
        let url = format!("http://me:{SECRET}@{address}{path}");
        gotrace(&sandbox, &["info", &url, "--header", &token, "--header", &key]).expect(status)
    };
    run(0, "/here");
    assert!(requests.lock().unwrap().iter().all(|one| has(one, &token) && has(one, &key)));
    assert_eq!(requests.lock().unwrap()[1][0], "GET /trace HTTP/1.1");
    run(0, "/away");
    let got = others.lock().unwrap().pop().unwrap();
    assert_eq!(got[0], format!("GET /trace?signature={SECRET} HTTP/1.1"));
    let rest = got[1..].join("\n").to_lowercase();
    assert!(!rest.contains(SECRET) && !rest.contains("authorization"), "{got:?}");
    run(1, "/round").says(&["it sends to other places more than 10 times"]);
    run(1, "/ftp").says(&["it sends to another place, but not to a URL"]);
}

#[test]
fn a_parameter_that_lets_in_is_not_shown() {
    let (address, requests) = server(|_| trace());
    let sandbox = Sandbox::new();
    let url = format!("http://{address}/trace?access_token={SECRET}&seconds=1");
    gotrace(&sandbox, &["ingest", &url]).expect(0);
    assert!(requests.lock().unwrap()[0][0].contains(SECRET));
    let database = std::fs::read(sandbox.path("trace.db")).unwrap();
    assert!(!database.windows(SECRET.len()).any(|bytes| bytes == SECRET.as_bytes()));
}

#[test]
#[cfg(unix)]
fn a_unix_socket_is_a_server() {
    use std::os::unix::net::UnixListener;
    let sandbox = Sandbox::new();
    let path = sandbox.path("app.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let requests = Requests::default();
    let asked = requests.clone();
    thread::spawn(move || {
        let answer = |request: &[String]| match request[0].split(' ').nth(1).unwrap() {
            "/debug/pprof/heap?gc=1" | "/debug/pprof/profile?seconds=1" => {
                ("200 OK".into(), profile())
            }
            "/debug/pprof/trace" => trace(),
            "/moved" => ("302 Found\r\nLocation: /debug/pprof/trace".into(), Vec::new()),
            _ => ("404 Not Found".into(), b"404 page not found\n".to_vec()),
        };
        listener.incoming().for_each(|stream| serve(stream.unwrap(), &asked, &answer));
    });
    let path = path.to_str().unwrap();
    let encoded = format!("http+unix://{}", path.replace('/', "%2F"));
    // No proxy can reach it.
    let proxy = [("HTTP_PROXY", "http://127.0.0.1:1")];
    let heap = "/debug/pprof/heap?gc=1";
    for url in [
        format!("{encoded}{heap}"),
        format!("unix://{path}{heap}"),
        format!("unix://{path}:{heap}"),
    ] {
        let top = with(&sandbox, &proxy, &["profile", "top", &url]).expect(0);
        assert!(top.text().contains("main.makeValue"), "{url}");
    }
    // A server alone stands for its CPU profile.
    gotrace(&sandbox, &["profile", "top", &encoded, "--seconds", "1"]).expect(0);
    let moved = format!("{encoded}/moved");
    gotrace(&sandbox, &["ingest", &moved, "--header", "X-A: b"]).expect(0);
    assert!(sandbox.path("moved.db").exists());
    let last = requests.lock().unwrap().last().unwrap().clone();
    assert!(has(&last, "Host: localhost") && has(&last, "X-A: b"), "{last:?}");
    gotrace(&sandbox, &["info", &format!("{encoded}/x")])
        .expect(1)
        .says(&["/x: HTTP status 404 Not Found: 404 page not found"]);
    gotrace(&sandbox, &["info", "http+unix://%2Fnone.sock/x"])
        .expect(1)
        .says(&["/none.sock: no such socket"]);
    drop(UnixListener::bind(sandbox.path("dead.sock")).unwrap());
    gotrace(&sandbox, &["info", &format!("unix://{}/x", sandbox.path("dead.sock").display())])
        .expect(1)
        .says(&["nobody listens there"]);
}

#[test]
#[cfg(unix)]
fn a_socket_that_says_nothing_is_given_up() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("app.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let url = format!("unix://{}/trace", path.display());
    gotrace(&sandbox, &["info", "--max-time", "1s", &url])
        .expect(1)
        .says(&["not complete after 1 s; --max-time raises the limit"]);
}

#[test]
fn a_proxy_of_the_environment_is_asked() {
    let (proxy, requests) = server(|_| trace());
    let sandbox = Sandbox::new();
    let at = format!("http://me:{SECRET}@{proxy}");
    // Only the proxy knows the host.
    let url = "http://app.test:6060/debug/pprof/trace?seconds=1";
    let run = |variables: &[(&str, &str)], url: &str| with(&sandbox, variables, &["info", url]);
    run(&[("HTTP_PROXY", &at)], url).expect(0);
    let sent = requests.lock().unwrap().pop().unwrap();
    assert_eq!(sent[0], format!("GET {url} HTTP/1.1"));
    assert!(has(&sent, "Host: app.test:6060"), "{sent:?}");
    assert!(has(&sent, "Proxy-Authorization: Basic bWU6c3dvcmRmaXNoLTQ3MTE="), "{sent:?}");
    // Without a scheme, in lower case.
    run(&[("http_proxy", &proxy)], url).expect(0);
    assert_eq!(requests.lock().unwrap().len(), 1);

    // Not for what NO_PROXY names, nor for other schemes, nor for this machine.
    let (here, here_requests) = server(|_| trace());
    let _ = run(&[("HTTP_PROXY", &at), ("NO_PROXY", "10.0.0.0/8,.test")], url).expect(1);
    let _ = run(&[("HTTP_PROXY", &at)], "https://app.test/").expect(1);
    run(&[("HTTP_PROXY", &at), ("ALL_PROXY", &at)], &format!("http://{here}/")).expect(0);
    assert_eq!((requests.lock().unwrap().len(), here_requests.lock().unwrap().len()), (1, 1));

    run(&[("HTTP_PROXY", &format!("http://me:{SECRET}@127.0.0.1:1"))], url)
        .expect(1)
        .says(&["connection refused", "(through the proxy 127.0.0.1:1)"]);
    run(&[("HTTP_PROXY", &format!("ftp://me:{SECRET}@p"))], url)
        .expect(1)
        .says(&["HTTP_PROXY is no address of a proxy"]);
}

#[test]
fn https_goes_through_a_tunnel_of_the_proxy() {
    let authority = Authority::new("ours");
    let config = Arc::new(authority.server("app.test", None));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap().to_string();
    let requests = Requests::default();
    let asked = requests.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let connect = request(&mut stream).unwrap();
            asked.lock().unwrap().push(connect);
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let connection = ServerConnection::new(config.clone()).unwrap();
            serve(StreamOwned::new(connection, stream), &asked, &|_| trace());
        }
    });
    let sandbox = Sandbox::new();
    sandbox.write("ca.pem", &authority.pem);
    let token = format!("Authorization: Bearer {SECRET}");
    let arguments = ["info", "https://app.test/trace", "--tls-ca", "ca.pem", "--header", &token];
    with(&sandbox, &[("HTTPS_PROXY", &proxy)], &arguments).expect(0);
    let asked = requests.lock().unwrap();
    assert_eq!(asked[0][0], "CONNECT app.test:443 HTTP/1.1");
    assert!(!asked[0].join("\n").contains(SECRET), "the proxy does not see what is for the server");
    assert_eq!(asked[1][0], "GET /trace HTTP/1.1");
    assert!(has(&asked[1], &token));
}
