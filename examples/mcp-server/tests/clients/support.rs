//! The example on a port of its own, a host that serves one client's document, and the person at a browser.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use async_trait::async_trait;
use mcp_server::{DEMO_USER, app};
use oauth_core::fetch::{DocumentFetcher, FetchError, Fetched};
use reqwest::redirect::Policy;
use serde_json::json;
use tokio::net::TcpListener;

/// The client's id: where its document would be.
pub(crate) const CLIENT: &str = "https://client.example/mcp-client.json";

/// Serves the document of [`CLIENT`].
#[derive(Debug)]
struct Host;

#[async_trait]
impl DocumentFetcher for Host {
    async fn fetch(&self, url: &str, _limit: usize) -> Result<Fetched, FetchError> {
        let document = json!({
            "client_id": CLIENT,
            "client_name": "Test Client",
            "redirect_uris": ["http://127.0.0.1/callback"],
            "token_endpoint_auth_method": "none",
        });
        let body = document.to_string().into_bytes();
        (url == CLIENT)
            .then(|| Fetched { body, headers: http::HeaderMap::new() })
            .ok_or(FetchError::Unreachable)
    }
}

/// Serves the example, and says its origin.
pub(crate) async fn serve() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let app = app(&origin, Host).unwrap().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    origin
}

/// A person's browser.
pub(crate) struct Browser {
    http: reqwest::Client,
    origin: String,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new(origin: &str) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { http, origin: origin.to_owned(), cookies: BTreeMap::new() }
    }

    /// Opens an authorization URL, signs in if it must, agrees, and says where the client is called back, and the consent page.
    pub(crate) async fn approve(&mut self, url: &str) -> (String, String) {
        let mut page = self.open(url, None).await.expect_err("a page");
        if page.contains("name=\"password\"") {
            let form = [("form", field(&page, "form")), ("username", DEMO_USER.0), ("password", DEMO_USER.1)];
            page = self.open(&format!("{}/sign-in", self.origin), Some(&form)).await.expect_err("a page");
        }
        let form = [("ticket", field(&page, "ticket")), ("decision", "approve")];
        let callback =
            self.open(&format!("{}/authorize", self.origin), Some(&form)).await.expect("a redirect");
        (callback, page)
    }

    /// Follows redirects on the origin; answers where else it is sent, or the page.
    async fn open(&mut self, address: &str, form: Option<&[(&str, &str)]>) -> Result<String, String> {
        let (mut address, mut form) = (address.to_owned(), form);
        loop {
            let request = match form.take() {
                Some(form) => self.http.post(&address).form(form),
                None => self.http.get(&address),
            };
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = request.header("cookie", cookies.join("; ")).send().await.unwrap();
            for cookie in answer.headers().get_all("set-cookie") {
                let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = cookie.split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            match answer.headers().get("location").map(|location| location.to_str().unwrap()) {
                None => return Err(answer.text().await.unwrap()),
                Some(path) if path.starts_with('/') => address = format!("{}{path}", self.origin),
                Some(elsewhere) => return Ok(elsewhere.to_owned()),
            }
        }
    }
}

fn field<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, rest) =
        page.split_once(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no {name}: {page}"));
    let (_, rest) = rest.split_once("value=\"").unwrap();
    rest.split('"').next().unwrap()
}
