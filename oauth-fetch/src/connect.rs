//! A connection to an address that was checked.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use oauth_core::fetch::FetchError;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::target::{Target, TargetHost};
use crate::{Resolve, is_public};

/// How many addresses of a host are tried.
const ATTEMPTS: usize = 3;
/// How long one of them may take to accept.
const ATTEMPT: Duration = Duration::from_millis(500);

/// A connection, encrypted but for `http` on loopback.
pub(crate) enum Stream {
    Tls(Box<TlsStream<TcpStream>>),
    Plain(TcpStream),
}

/// Looks the host up once, checks every address, and connects to one of them.
pub(crate) async fn connect(
    target: &Target,
    resolver: &dyn Resolve,
    tls: &Arc<ClientConfig>,
) -> Result<Stream, FetchError> {
    let addresses = match &target.host {
        TargetHost::Address(address) => vec![*address],
        TargetHost::Name(name) => lookup(name, resolver).await?,
    };
    let stream = dial(&addresses, target.port).await?;
    if !target.https {
        return Ok(Stream::Plain(stream));
    }
    let name = ServerName::try_from(target.server_name().to_owned()).map_err(|_| FetchError::Url)?;
    let stream = TlsConnector::from(tls.clone()).connect(name, stream).await;
    Ok(Stream::Tls(Box::new(stream.map_err(|_| FetchError::Unreachable)?)))
}

/// One address that is not public speaks against the host, whatever the others are.
async fn lookup(name: &str, resolver: &dyn Resolve) -> Result<Vec<IpAddr>, FetchError> {
    let addresses = resolver.resolve(name).await.map_err(|_| FetchError::Unreachable)?;
    if addresses.iter().all(|address| is_public(*address)) { Ok(addresses) } else { Err(FetchError::Address) }
}

async fn dial(addresses: &[IpAddr], port: u16) -> Result<TcpStream, FetchError> {
    for address in addresses.iter().take(ATTEMPTS) {
        let connecting = TcpStream::connect(SocketAddr::new(*address, port));
        if let Ok(Ok(stream)) = tokio::time::timeout(ATTEMPT, connecting).await {
            return Ok(stream);
        }
    }
    Err(FetchError::Unreachable)
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
