//! Bytes as a socket carries them, for what the types of the `http` crate refuse to hold.

use std::net::SocketAddr;

use axum::Router;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::{App, World};

/// The world's server on a port of its own; it ends with this value.
#[derive(Debug)]
pub struct Socket {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Socket {
    /// Serves the world's server, around an [`App`].
    pub async fn open(world: &World) -> Self {
        Self::serve(Router::new().fallback_service(App).layer(world.layer.clone())).await
    }

    /// Serves any app.
    pub async fn serve(app: Router) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let task = tokio::spawn(async move {
            axum::serve(listener, app).await.expect("serves until it is dropped");
        });
        Self { address, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends bytes and reads until the server closes, which `Connection: close` asks for.
    pub async fn send(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("connects");
        // The server may answer, and close, before it has read everything.
        let _ = stream.write_all(bytes.as_ref()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A request with this target, byte for byte.
    pub async fn get(&self, target: impl AsRef<[u8]>) -> String {
        let end = b" HTTP/1.1\r\nhost: as.example\r\nconnection: close\r\n\r\n".as_slice();
        self.send([b"GET ".as_slice(), target.as_ref(), end].concat()).await
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.task.abort();
    }
}
