//! The hosts of the clients' metadata documents.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

/// Serves documents on a port of its own.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    /// Where it is.
    pub(crate) origin: String,
    served: Arc<Mutex<HashMap<String, String>>>,
}

impl Documents {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let origin = format!("http://{}", listener.local_addr().expect("it is bound"));
        let served: Arc<Mutex<HashMap<String, String>>> = Arc::default();
        let documents = served.clone();
        let answer = async move |uri: Uri| -> Response {
            let documents = documents.lock().unwrap_or_else(PoisonError::into_inner);
            match documents.get(uri.path()) {
                Some(text) => ([(header::CONTENT_TYPE, "application/json")], text.clone()).into_response(),
                None => StatusCode::NOT_FOUND.into_response(),
            }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        Self { origin, served }
    }

    /// Serves a document, in which `{host}` stands for this host, and answers its URL.
    pub(crate) fn put(&self, path: &str, document: &serde_json::Value) -> String {
        let text = document.to_string().replace("{host}", &self.origin);
        self.served.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), text);
        format!("{}{path}", self.origin)
    }
}
