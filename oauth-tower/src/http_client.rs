//! Asking other servers, by an HTTP client that the host brings or by the default one.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use tokio::runtime::Handle;
use tower_service::Service;

use crate::body::{Body, BoxError};

type Exchange = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

/// An HTTP client: any tower service of requests. Cheap to clone.
///
/// Size and time of an answer are bounded by whoever asks.
///
/// # Security
///
/// The client must not follow redirects: an answer that points elsewhere is a failure. The
/// [default client](HttpClient::with_public_roots) does not, and neither does any client of `hyper-util`.
#[derive(Clone)]
pub struct HttpClient(Arc<dyn Fn(Request<Body>) -> Exchange + Send + Sync>);

/// What was answered, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    #[cfg(feature = "jwt")]
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl HttpClient {
    /// A client of the host, such as one of `hyper-util`.
    pub fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(Arc::new(move |request| {
            let mut service = service.clone();
            Box::pin(async move {
                poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
                service.call(request).await.map(|response| response.map(Body::new)).map_err(Into::into)
            })
        }))
    }

    /// The default client: HTTP/1.1 with kept connections, TLS with the root certificates of Mozilla's program, no redirects, no
    /// proxy. Plain `http` is possible; those who ask say where it is allowed.
    #[cfg(feature = "http-client")]
    pub fn with_public_roots() -> Self {
        use hyper_util::client::legacy::Client;
        use hyper_util::rt::{TokioExecutor, TokioTimer};

        /// Shorter than what servers keep idle connections for.
        const IDLE: Duration = Duration::from_secs(30);

        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::aws_lc_rs::default_provider())
            .expect("the provider supports the default versions of TLS")
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(8)
            .build::<_, Body>(connector);
        Self::new(client)
    }

    /// Sends a request and reads the answer to its end.
    ///
    /// # Errors
    ///
    /// In the operator's words. Nothing of the request's headers or body is in it.
    pub(crate) async fn exchange(
        &self,
        request: Request<Body>,
        deadline: Duration,
        max_bytes: usize,
    ) -> Result<Answer, String> {
        if Handle::try_current().is_err() {
            return Err("there is no tokio runtime to wait in".to_owned());
        }
        let exchange = (self.0)(request);
        let exchange = async {
            let (parts, body) = exchange.await.map_err(|error| describe(&*error))?.into_parts();
            let body = Limited::new(body, max_bytes).collect().await.map_err(|error| describe(&*error))?;
            Ok(Answer {
                status: parts.status,
                #[cfg(feature = "jwt")]
                headers: parts.headers,
                body: body.to_bytes(),
            })
        };
        match tokio::time::timeout(deadline, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err("no complete answer in time".to_owned()),
        }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

/// An error and its sources, in a line.
fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

/// Whether what is sent there can be read by nobody else: TLS, or this machine.
pub(crate) fn is_private(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some(host)) => ["127.0.0.1", "[::1]", "localhost"].contains(&host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_private_on_this_machine_only() {
        for url in
            ["https://as.example/introspect", "http://127.0.0.1:80/x", "http://localhost/", "http://[::1]:1/"]
        {
            assert!(is_private(url), "{url}");
        }
        for url in [
            "http://as.example/",
            "http://127.0.0.1.example/",
            "http://localhost@as.example/",
            "/x",
            "",
            "ftp://x/",
        ] {
            assert!(!is_private(url), "{url}");
        }
    }
}
