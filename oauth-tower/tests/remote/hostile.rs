//! Servers that lie, stall, redirect and talk without end, on a socket, with the default client.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use oauth_tower::bearer::{IntrospectionVerifier, Verifier};
use oauth_tower::http_client::HttpClient;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::elsewhere::{assert_unavailable, verify};

/// What a hostile server does with a connection after the head of the request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// Answers nothing.
    Silent,
    /// Answers the head, and a byte of the body.
    Stalling,
    /// Points to another server.
    Redirecting(u16),
    /// Sends ten million bytes.
    Large,
    /// Sends without end.
    Endless,
    /// Ends in the middle of the body.
    Breaking,
    /// No HTTP at all.
    Babbling,
    /// Sends a byte of the body now and then.
    Dripping,
    /// Never comes to the end of the head.
    Verbose,
    /// Says over and over that it will answer.
    Promising,
    /// Two lengths, of which one is right.
    Ambiguous,
    /// A chunk that ends before it should.
    Miscounting,
}

pub(crate) const MANNERS: [Manner; 12] = [
    Manner::Silent,
    Manner::Stalling,
    Manner::Redirecting(0),
    Manner::Large,
    Manner::Endless,
    Manner::Breaking,
    Manner::Babbling,
    Manner::Dripping,
    Manner::Verbose,
    Manner::Promising,
    Manner::Ambiguous,
    Manner::Miscounting,
];

/// Serves in this manner; counts the connections, and the bytes that somebody took.
pub(crate) async fn serve(manner: Manner) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(answer(stream, manner));
        }
    });
    (port, connections)
}

async fn answer(mut stream: TcpStream, manner: Manner) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    let _ = stream.read(&mut buffer).await?;
    let head = |length: &str| format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{length}\r\n");
    match manner {
        Manner::Silent => {}
        Manner::Stalling => {
            stream.write_all(format!("{}{{", head("content-length: 9\r\n")).as_bytes()).await?
        }
        Manner::Redirecting(port) => {
            let location = format!("location: http://127.0.0.1:{port}/\r\n");
            let head = format!("HTTP/1.1 302 Found\r\n{location}content-length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
        }
        Manner::Large => {
            stream.write_all(head("content-length: 10000000\r\n").as_bytes()).await?;
            stream.write_all(&vec![b' '; 10_000_000]).await?;
        }
        Manner::Endless => {
            stream.write_all(head("").as_bytes()).await?;
            while stream.write_all(&[b' '; 4096]).await.is_ok() {}
        }
        Manner::Breaking => {
            stream.write_all(format!("{}{{", head("content-length: 9\r\n")).as_bytes()).await?;
            return Ok(());
        }
        Manner::Babbling => stream.write_all(b"220 mail.example ESMTP\r\n").await?,
        Manner::Dripping => {
            stream.write_all(head("content-length: 9000\r\n").as_bytes()).await?;
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Manner::Verbose => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            while stream.write_all(b"x-word: and another thing\r\n").await.is_ok() {}
        }
        Manner::Promising => while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_ok() {},
        Manner::Ambiguous => {
            stream.write_all(head("content-length: 2\r\ncontent-length: 11\r\n").as_bytes()).await?;
            stream.write_all(br#"{"keys":[]}"#).await?;
        }
        Manner::Miscounting => {
            stream.write_all(head("transfer-encoding: chunked\r\n").as_bytes()).await?;
            stream.write_all(b"5\r\n{\"keys\":[]}\r\n0\r\n\r\n").await?;
        }
    }
    // Until the other side has had enough.
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// Nobody gets through, nobody waits for long, and nobody goes where a redirect points.
pub(crate) async fn endure<V: Verifier>(verifier: impl Fn(u16) -> V, token: &str) {
    let (elsewhere, followed) = serve(Manner::Babbling).await;
    let verifier = &verifier;
    join_all(MANNERS.map(async |manner| {
        let manner =
            if let Manner::Redirecting(_) = manner { Manner::Redirecting(elsewhere) } else { manner };
        let (port, connections) = serve(manner).await;
        let verdict = tokio::time::timeout(Duration::from_secs(20), verify(&verifier(port), token)).await;
        assert_unavailable(verdict.expect("an end"), &format!("{manner:?}"));
        assert!(connections.load(Ordering::SeqCst) > 0, "{manner:?}");
    }))
    .await;
    assert_eq!(followed.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_introspection_endpoint_in_every_manner() {
    let http = HttpClient::with_public_roots();
    let verifier = |port| {
        IntrospectionVerifier::builder("https://as.example", format!("http://127.0.0.1:{port}/introspect"))
            .deadline(Duration::from_millis(400))
            .build(http.clone())
            .unwrap()
    };
    endure(verifier, "abc").await;
}
