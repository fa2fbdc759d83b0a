//! Another server, as the test says it answers.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use oauth_core::server::{AccessToken, VerifyError};
use oauth_tower::bearer::{Verification, Verifier};
use oauth_tower::body::Body;
use oauth_tower::http_client::HttpClient;
use serde_json::Value;
use tokio::sync::watch;
use tower::service_fn;

/// A server that answers by a script, counts the questions, and waits while its gate is shut.
#[derive(Clone)]
pub(crate) struct Elsewhere {
    script: Arc<Mutex<Script>>,
    asked: Arc<AtomicUsize>,
    gate: watch::Sender<bool>,
    last: Arc<Mutex<Option<Request<String>>>>,
}

type Script = Box<dyn Fn(&str) -> Response<Full<Bytes>> + Send>;

impl Elsewhere {
    pub(crate) fn new(script: impl Fn(&str) -> Response<Full<Bytes>> + Send + 'static) -> Self {
        Self {
            script: Arc::new(Mutex::new(Box::new(script))),
            asked: Arc::default(),
            gate: watch::Sender::new(true),
            last: Arc::default(),
        }
    }

    /// Answers every question with this document.
    pub(crate) fn saying(json: Value) -> Self {
        Self::new(move |_| document(&json))
    }

    pub(crate) fn script(&self, script: impl Fn(&str) -> Response<Full<Bytes>> + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    pub(crate) fn says(&self, json: Value) {
        self.script(move |_| document(&json));
    }

    /// How often it was asked since the last time this was called.
    pub(crate) fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }

    pub(crate) fn last(&self) -> Request<String> {
        self.last.lock().unwrap().take().expect("a question")
    }

    pub(crate) fn shut(&self) {
        self.gate.send_replace(false);
    }

    pub(crate) fn open(&self) {
        self.gate.send_replace(true);
    }

    pub(crate) fn client(&self) -> HttpClient {
        let own = self.clone();
        HttpClient::new(service_fn(move |request: Request<Body>| {
            let own = own.clone();
            async move {
                own.asked.fetch_add(1, Ordering::SeqCst);
                let (parts, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let text = String::from_utf8(body.to_vec()).unwrap();
                let path = parts.uri.path().to_owned();
                *own.last.lock().unwrap() = Some(Request::from_parts(parts, text));
                own.gate.subscribe().wait_for(|open| *open).await.unwrap();
                let response = own.script.lock().unwrap()(&path);
                Ok::<_, Infallible>(response)
            }
        }))
    }
}

pub(crate) fn document(json: &Value) -> Response<Full<Bytes>> {
    Response::new(Full::from(json.to_string()))
}

pub(crate) fn status(code: u16) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}

pub(crate) async fn verify(verifier: &impl Verifier, token: &str) -> Result<Arc<AccessToken>, VerifyError> {
    match verifier.verify_token(token) {
        Verification::Now(verdict) => verdict,
        Verification::Later(future) => future.await,
    }
}

#[track_caller]
pub(crate) fn assert_rejected(verdict: Result<Arc<AccessToken>, VerifyError>, what: &str) {
    assert!(matches!(verdict, Err(VerifyError::Rejected(_))), "{what}: {verdict:?}");
}

#[track_caller]
pub(crate) fn assert_unavailable(verdict: Result<Arc<AccessToken>, VerifyError>, what: &str) {
    assert!(matches!(verdict, Err(VerifyError::Unavailable(_))), "{what}: {verdict:?}");
}
