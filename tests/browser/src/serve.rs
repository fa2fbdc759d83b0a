//! Apps on free ports.

use axum::Router;
use axum::extract::RawQuery;
use axum::response::Html;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Serves an app for as long as the test lasts; it is told its own address, which is also the answer.
///
/// # Panics
///
/// If no port is free.
pub async fn serve(app: impl AsyncFnOnce(&str) -> Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = format!("http://{}", listener.local_addr().expect("it is bound"));
    let app = app(&address).await;
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// A program on the same device that waits for its answer on a loopback port (RFC 8252 §7.3).
pub struct Callback {
    /// Its redirect URI.
    pub uri: String,
    answers: UnboundedReceiver<String>,
}

impl Callback {
    /// Starts to wait, on a free port.
    pub async fn listen() -> Self {
        let (send, answers) = unbounded_channel();
        let answer = async move |RawQuery(query): RawQuery| {
            let _ = send.send(query.unwrap_or_default());
            Html("<p id=\"done\">Back in the program</p>")
        };
        let address =
            serve(async |_: &str| Router::new().route("/callback", axum::routing::get(answer))).await;
        Self { uri: format!("{address}/callback"), answers }
    }

    /// The query of the next answer.
    ///
    /// # Panics
    ///
    /// If the program has ended.
    pub async fn answer(&mut self) -> String {
        self.answers.recv().await.expect("the program still runs")
    }

    /// Whether no further answer has come.
    pub fn is_quiet(&mut self) -> bool {
        self.answers.try_recv().is_err()
    }
}
