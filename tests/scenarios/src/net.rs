//! The way to the socket: what a proxy in front of the server does, and nothing more.

use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use serde_json::Value;

/// The failure to get an answer.
pub type NetError = Box<dyn std::error::Error + Send + Sync>;

/// Carries requests for the server's public origin to its socket. Everything else goes where it says.
#[derive(Clone, Debug)]
pub struct Net {
    http: reqwest::Client,
    origin: String,
    address: String,
}

impl Net {
    /// `origin` is how the server is known, `address` where it is.
    ///
    /// # Panics
    ///
    /// If no client can be built.
    pub fn new(origin: &str, address: &str) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build();
        Self { http: http.expect("a client"), origin: origin.to_owned(), address: address.to_owned() }
    }

    /// How the server is known.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Sends a request, and follows nothing.
    ///
    /// # Errors
    ///
    /// When there is no whole answer.
    pub async fn try_send(&self, request: Request<Vec<u8>>) -> Result<Reply, NetError> {
        let (mut head, body) = request.into_parts();
        let uri = head.uri.to_string();
        if let Some(path) = uri.strip_prefix(&self.origin) {
            head.uri = format!("{}{path}", self.address).parse::<Uri>()?;
        }
        let request = reqwest::Request::try_from(Request::from_parts(head, body))?;
        let answer = self.http.execute(request).await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok(Reply { status, headers, body: answer.bytes().await? })
    }

    /// Sends a request that is answered.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Reply {
        self.try_send(request).await.expect("an answer")
    }

    /// GET of a path on the server's origin, or of a URL.
    pub async fn get(&self, to: &str) -> Reply {
        self.send(Request::get(self.url(to)).body(Vec::new()).expect("a request")).await
    }

    /// POST of a form, with headers.
    pub async fn post(&self, to: &str, headers: &[(&str, &str)], form: &str) -> Reply {
        self.send(self.form(to, headers, form)).await
    }

    /// The request of [`Net::post`].
    ///
    /// # Panics
    ///
    /// If `to` or a header cannot be in a request.
    pub fn form(&self, to: &str, headers: &[(&str, &str)], form: &str) -> Request<Vec<u8>> {
        let mut request =
            Request::post(self.url(to)).header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(form.as_bytes().to_vec()).expect("a request")
    }

    /// The URL of a path on the server's origin; a URL stays as it is.
    pub fn url(&self, to: &str) -> String {
        if to.starts_with('/') { format!("{}{to}", self.origin) } else { to.to_owned() }
    }
}

/// What the `oauth2` crate sends goes the same way.
impl<'c> AsyncHttpClient<'c> for Net {
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Failed>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let reply = self.try_send(request).await.map_err(Failed)?;
            let mut response = HttpResponse::new(reply.body.to_vec());
            *response.status_mut() = reply.status;
            *response.headers_mut() = reply.headers;
            Ok(response)
        })
    }
}

/// [`NetError`] as a type that is an error itself.
#[derive(Debug)]
pub struct Failed(NetError);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failed {}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Reply {
    /// A header's text; empty where it is absent.
    ///
    /// # Panics
    ///
    /// If it is there twice.
    pub fn header(&self, name: &str) -> &str {
        assert!(self.headers.get_all(name).iter().count() < 2, "{name} is there twice: {self:?}");
        self.headers.get(name).map(HeaderValue::to_str).transpose().expect("text").unwrap_or_default()
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// If it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// The body as JSON, of which the content type must speak.
    ///
    /// # Panics
    ///
    /// If it is something else.
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status and error code of a refusal.
    pub fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["error"].as_str().unwrap_or_default().to_owned())
    }

    /// A member of the JSON object that is a string.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub fn member(&self, name: &str) -> String {
        let json = self.json();
        json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned()
    }

    /// Whether scripts of other origins may read it.
    pub fn has_cors(&self) -> bool {
        self.headers.keys().any(|name| name.as_str().starts_with("access-control-"))
    }
}
