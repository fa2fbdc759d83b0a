//! The fetcher against servers, names and certificates that are not well-meant, over real sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oauth_core::fetch::{DocumentFetcher as _, FetchError};
use oauth_fetch::{Fetcher, Resolve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/// A server that says `answer` to each connection, then does not close it, and counts.
struct Hostile {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    request: Arc<std::sync::Mutex<String>>,
}

impl Hostile {
    async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        Self::holding(answer, None).await
    }

    async fn holding(answer: impl Into<Vec<u8>>, gate: Option<Arc<Notify>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let request = Arc::new(std::sync::Mutex::new(String::new()));
        let (count, seen, answer) = (connections.clone(), request.clone(), Arc::new(answer.into()));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (seen, answer, gate) = (seen.clone(), answer.clone(), gate.clone());
                tokio::spawn(async move {
                    let head = read_head(&mut stream).await;
                    *seen.lock().unwrap() = head;
                    if let Some(gate) = gate {
                        gate.notified().await;
                    }
                    let _ = stream.write_all(&answer).await;
                    let _ = stream.read(&mut [0]).await;
                });
            }
        });
        Self { address, connections, request }
    }

    fn url(&self) -> String {
        format!("http://{}/client.json?a=b", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn development() -> Fetcher {
    Fetcher::builder().allow_loopback().deadline(Duration::from_secs(20)).build()
}

#[tokio::test]
async fn fetches_a_document() {
    let server =
        Hostile::answering(format!("{OK}content-length: 2\r\ncache-control: max-age=60\r\n\r\n{{}}")).await;
    let fetched = development().fetch(&server.url(), 2).await.unwrap();
    assert_eq!(fetched.body, b"{}");
    assert_eq!(fetched.headers["cache-control"], "max-age=60");
}

#[tokio::test]
async fn cm_19_the_request_says_nothing_of_anybody() {
    let server = Hostile::answering(format!("{OK}set-cookie: a=b\r\ncontent-length: 2\r\n\r\n{{}}")).await;
    let fetcher = development();
    for _ in 0..2 {
        fetcher.fetch(&server.url(), 100).await.unwrap();
        let request = server.request.lock().unwrap().to_ascii_lowercase();
        let names: Vec<_> =
            request.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0)).collect();
        assert_eq!(names, ["host", "accept", "accept-encoding", "user-agent", "connection"], "{request}");
        assert!(request.starts_with("get /client.json?a=b http/1.1\r\n"), "{request}");
    }
}

#[tokio::test]
async fn cm_05_redirects_and_other_answers_are_refused() {
    let other = Hostile::answering(format!("{OK}content-length: 2\r\n\r\n{{}}")).await;
    for status in
        ["301 M", "302 F", "303 S", "307 T", "308 P", "201 C", "203 N", "206 P", "404 N", "410 G", "401 U"]
    {
        let answer = format!(
            "HTTP/1.1 {status}\r\nlocation: {}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}",
            other.url()
        );
        let server = Hostile::answering(answer).await;
        let refused = development().fetch(&server.url(), 100).await.unwrap_err();
        assert_eq!(refused, FetchError::Answer, "{status}");
    }
    assert_eq!(other.connections(), 0);
    for (answer, error) in [
        ("HTTP/1.1 204 N\r\n\r\n", FetchError::Answer),
        ("HTTP/1.1 500 E\r\ncontent-length: 0\r\n\r\n", FetchError::Unreachable),
        ("HTTP/1.1 429 E\r\ncontent-length: 0\r\n\r\n", FetchError::Unreachable),
        ("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\n{}", FetchError::Answer),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", FetchError::Answer),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\n{}",
            FetchError::Answer,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}",
            FetchError::Answer,
        ),
        ("SSH-2.0-OpenSSH_9.9\r\n", FetchError::Unreachable),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
            FetchError::Unreachable,
        ),
    ] {
        let server = Hostile::answering(answer).await;
        assert_eq!(development().fetch(&server.url(), 100).await.unwrap_err(), error, "{answer}");
    }
}

#[tokio::test]
async fn a_huge_body_or_head_is_not_read() {
    let huge = "x".repeat(64 * 1024);
    for (answer, error) in [
        (format!("{OK}content-length: 99999999999\r\n\r\n{huge}"), FetchError::TooLong),
        (format!("{OK}transfer-encoding: chunked\r\n\r\n10000\r\n{huge}\r\n0\r\n\r\n"), FetchError::TooLong),
        (format!("{OK}connection: close\r\n\r\n{huge}"), FetchError::TooLong),
        (format!("{OK}x: {huge}\r\ncontent-length: 2\r\n\r\n{{}}"), FetchError::Unreachable),
    ] {
        let server = Hostile::answering(answer).await;
        assert_eq!(development().fetch(&server.url(), 5 * 1024).await.unwrap_err(), error);
    }
}

#[tokio::test]
async fn a_slow_body_ends_with_the_deadline() {
    let short = Duration::from_millis(50);
    for answer in ["", "HTTP/1.1 200", OK, &format!("{OK}content-length: 10\r\n\r\n{{")] {
        let server = Hostile::answering(answer).await;
        let fetcher = Fetcher::builder().allow_loopback().deadline(short).build();
        assert_eq!(fetcher.fetch(&server.url(), 100).await.unwrap_err(), FetchError::Unreachable, "{answer}");
        assert!(format!("{fetcher:?}").contains("in_flight: 0"));
    }
}

/// Answers one address at first, and another afterwards.
#[derive(Debug)]
struct Rebinding {
    asked: Arc<AtomicUsize>,
    first: Vec<IpAddr>,
}

#[async_trait::async_trait]
impl Resolve for Rebinding {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(if asked == 0 { self.first.clone() } else { vec![Ipv4Addr::LOCALHOST.into()] })
    }
}

#[tokio::test]
async fn cm_02_names_of_private_addresses_are_refused_without_a_byte() {
    let server = Hostile::answering("").await;
    let local = Ipv4Addr::LOCALHOST.into();
    for first in [
        vec![local],
        vec!["8.8.8.8".parse().unwrap(), local],
        vec![local, "8.8.8.8".parse().unwrap()],
        vec!["::ffff:127.0.0.1".parse().unwrap()],
        vec!["64:ff9b::7f00:1".parse().unwrap()],
        vec!["169.254.169.254".parse().unwrap()],
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let resolver = Rebinding { asked: asked.clone(), first };
        // Loopback is allowed by its own names only.
        let port = server.address.port();
        let fetcher = Fetcher::builder().resolver(resolver).allow_port(port).allow_loopback().build();
        let url = format!("https://rebinding.example:{port}/c");
        assert_eq!(fetcher.fetch(&url, 100).await.unwrap_err(), FetchError::Address);
        assert_eq!(asked.load(Ordering::SeqCst), 1, "a second look-up could say something else");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn those_who_ask_for_one_document_share_one_fetch() {
    let gate = Arc::new(Notify::new());
    let answer = format!("{OK}content-length: 2\r\n\r\n{{}}");
    let server = Hostile::holding(answer, Some(gate.clone())).await;
    let fetcher = development();
    let all: Vec<_> = (0..20)
        .map(|_| {
            let (fetcher, url) = (fetcher.clone(), server.url());
            tokio::spawn(async move { fetcher.fetch(&url, 100).await })
        })
        .collect();
    // One who gives up takes nothing from the others.
    all[0].abort();
    gate.notify_one();
    for (at, one) in all.into_iter().enumerate() {
        match one.await {
            Ok(fetched) => assert_eq!(fetched.unwrap().body, b"{}"),
            Err(_) => assert_eq!(at, 0),
        }
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn cm_17_fetches_in_flight_are_bounded() {
    let gate = Arc::new(Notify::new());
    let server = Hostile::holding("", Some(gate)).await;
    let elsewhere = Hostile::answering(format!("{OK}content-length: 2\r\n\r\n{{}}")).await;
    let deadline = Duration::from_secs(20);
    let fetcher =
        Fetcher::builder().allow_loopback().deadline(deadline).in_flight(3).in_flight_per_host(2).build();
    let fetch = |url: String| {
        let fetcher = fetcher.clone();
        tokio::spawn(async move { fetcher.fetch(&url, 100).await })
    };
    let waiting = [fetch(format!("{}1", server.url())), fetch(format!("{}2", server.url()))];
    while server.connections() < 2 {
        tokio::task::yield_now().await;
    }
    for at in 3..1000 {
        assert_eq!(fetcher.fetch(&format!("{}{at}", server.url()), 100).await.unwrap_err(), FetchError::Busy);
    }
    assert_eq!(server.connections(), 2);
    assert!(fetcher.fetch(&elsewhere.url(), 100).await.is_ok(), "another host is not affected");
    waiting.iter().for_each(|task| task.abort());
}

#[tokio::test]
async fn certificates_are_checked() {
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = issued.cert.der().clone();
    let key = rustls::pki_types::PrivateKeyDer::try_from(issued.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut head = vec![0; 4096];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(format!("{OK}content-length: 2\r\n\r\n{{}}").as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let trusting = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let fetcher = Fetcher::builder().allow_loopback().tls(Arc::new(trusting)).build();
    assert!(fetcher.fetch(&format!("https://localhost:{port}/c"), 100).await.is_ok());
    let other_name = fetcher.fetch(&format!("https://127.0.0.1:{port}/c"), 100).await;
    assert_eq!(other_name.unwrap_err(), FetchError::Unreachable);
    let unknown_authority = development().fetch(&format!("https://localhost:{port}/c"), 100).await;
    assert_eq!(unknown_authority.unwrap_err(), FetchError::Unreachable);
}
