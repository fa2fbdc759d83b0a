//! Attacks on the form of a request, by its body: too long, too slow, or not what was announced.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use attack_tests::{Socket, World, assert_json, basic, secret};
use bytes::Bytes;
use http::Request;
use http_body::{Frame, SizeHint};

/// A body that comes in pieces of a KiB and counts them; then it ends, or nothing more ever comes.
struct Pieces {
    left: usize,
    /// As an HTTP server has it from `Content-Length`.
    announced: u64,
    ends: bool,
    read: Arc<AtomicUsize>,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return if self.ends { Poll::Ready(None) } else { Poll::Pending };
        }
        self.left -= 1;
        self.read.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'a'; 1024])))))
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.announced);
        hint
    }
}

impl Pieces {
    fn endless(read: &Arc<AtomicUsize>, announced: u64) -> Self {
        Self { left: 10_240, announced, ends: true, read: read.clone() }
    }

    fn stalling() -> Self {
        Self { left: 1, announced: 0, ends: false, read: Arc::default() }
    }
}

fn request(path: &str, body: Pieces) -> Request<Pieces> {
    let mut request = Request::post(path)
        .header("authorization", basic("m2m", &secret("m2m")))
        .header("content-type", "application/x-www-form-urlencoded");
    if body.announced > 0 {
        request = request.header("content-length", body.announced);
    }
    request.body(body).unwrap()
}

const PATHS: [&str; 3] = ["/token", "/revoke", "/introspect"];

#[tokio::test]
async fn rp_16_oversized_body() {
    let world = World::new();
    for path in PATHS {
        // Announced: nothing of it is read. In pieces, or with a lie: little more than the limit.
        for (announced, most) in [(10_485_760, 0), (0, 65), (10, 65)] {
            let read = Arc::new(AtomicUsize::new(0));
            let body = Pieces::endless(&read, announced);
            assert_json(&world.send(request(path, body)).await, 413, "invalid_request");
            assert!(read.load(Ordering::Relaxed) <= most, "{path}: {announced}: {read:?}");
        }
    }
}

#[tokio::test]
async fn rp_16_oversized_body_of_a_page() {
    for world in [World::new(), World::with_pages()] {
        for path in ["/authorize", "/sign-in"] {
            for (announced, most) in [(10_485_760, 0), (0, 65)] {
                let read = Arc::new(AtomicUsize::new(0));
                let reply = world.send(request(path, Pieces::endless(&read, announced))).await;
                if !reply.is_from_app() {
                    attack_tests::assert_refused(&reply, 413);
                }
                assert!(read.load(Ordering::Relaxed) <= most, "{path}: {announced}: {read:?}");
            }
        }
    }
}

#[tokio::test]
async fn rp_16_oversized_body_over_a_socket() {
    let world = World::new();
    let socket = Socket::open(&world).await;
    let head = format!(
        "POST /token HTTP/1.1\r\nhost: as.example\r\nauthorization: {}\r\n\
         content-type: application/x-www-form-urlencoded\r\n",
        basic("m2m", &secret("m2m"))
    );
    // The connection is closed although nobody asked for that: what was not read is not read later either.
    let announced =
        socket.send(format!("{head}content-length: 10485760\r\n\r\ngrant_type=client_credentials")).await;
    assert!(announced.starts_with("HTTP/1.1 413 "), "{announced}");
    let chunk = format!("{:x}\r\n{}\r\n", 70_000, "a".repeat(70_000));
    let chunked = socket.send(format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}")).await;
    assert!(chunked.starts_with("HTTP/1.1 413 "), "{chunked}");
    // Two lengths, or a length and chunks, are not a request (RFC 9112 section 6.3).
    for lie in
        ["content-length: 5\r\ncontent-length: 6\r\n", "content-length: -1\r\n", "content-length: 1e9\r\n"]
    {
        let answer = socket.send(format!("{head}connection: close\r\n{lie}\r\nabcdef")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{lie}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn rp_17_slow_body() {
    let world = World::new();
    let slow = (0..1000).map(|at| {
        let world = world.clone();
        tokio::spawn(async move {
            world.send(request(PATHS[at % 3], Pieces { announced: 2048, ..Pieces::stalling() })).await
        })
    });
    let slow: Vec<_> = slow.collect();
    tokio::task::yield_now().await;
    assert_eq!(world.token("m2m", "grant_type=client_credentials").await.status, 200, "others are served");
    let before = tokio::time::Instant::now();
    for reply in slow {
        assert_json(&reply.await.unwrap(), 408, "invalid_request");
    }
    assert!(before.elapsed() <= std::time::Duration::from_secs(3), "the deadline counts for all at once");
    assert_eq!(world.grants("m2m").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn rp_17_slow_body_of_a_page() {
    let world = World::with_pages();
    for path in ["/authorize", "/sign-in", "/sign-out"] {
        attack_tests::assert_refused(&world.send(request(path, Pieces::stalling())).await, 408);
    }
}
