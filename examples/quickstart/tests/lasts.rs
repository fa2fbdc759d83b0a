//! Stopped and started again, the quickstart goes on where it was: whichever engine keeps its records.

use std::path::Path;

use engines::{Postgres, Redis};
use oauth2::reqwest::{self, Client, redirect::Policy};
use quickstart::Place;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A browser: it keeps cookies and follows redirects.
struct Browser {
    http: Client,
    cookies: Vec<(String, String)>,
}

impl Browser {
    fn new() -> Self {
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { http, cookies: Vec::new() }
    }

    async fn send(&mut self, mut request: reqwest::RequestBuilder) -> String {
        loop {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = request.header("cookie", pairs.join("; ")).send().await.unwrap();
            for set in answer.headers().get_all("set-cookie") {
                let pair = set.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.cookies.retain(|(known, _)| known != name);
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
            let Some(location) = answer.headers().get("location") else {
                return answer.text().await.unwrap();
            };
            let next = answer.url().join(location.to_str().unwrap()).unwrap();
            request = self.http.get(next);
        }
    }

    async fn open(&mut self, address: &str) -> String {
        self.send(self.http.get(address)).await
    }

    async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> String {
        self.send(self.http.post(address).form(fields)).await
    }
}

/// The value of a hidden field.
fn field<'a>(page: &'a str, name: &str) -> &'a str {
    let (_, rest) =
        page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}: {page}"));
    rest.split('"').next().unwrap()
}

async fn start(issuer: &str, listener: TcpListener, place: &Place) -> JoinHandle<()> {
    let app = quickstart::app(issuer, place).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() })
}

/// Signs in, restarts everything, and goes on.
async fn lasts(place: Place) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let issuer = format!("http://{address}");
    let act = format!("{issuer}/act");
    let running = start(&issuer, listener, &place).await;

    let mut browser = Browser::new();
    let page = browser.open(&format!("{issuer}/login")).await;
    let action = format!("{issuer}{}", form_action(&page));
    let consent = browser
        .post(&action, &[("form", field(&page, "form")), ("username", "alice"), ("password", "wonderland")])
        .await;
    let ticket = field(&consent, "ticket").to_owned();
    let signed_in =
        browser.post(&format!("{issuer}/authorize"), &[("ticket", &ticket), ("decision", "approve")]).await;
    assert!(signed_in.contains("Access token"), "{signed_in}");
    assert!(browser.post(&act, &[("action", "add")]).await.contains("Water the plants"));

    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    let listener = TcpListener::bind(address).await.unwrap();
    let _running = start(&issuer, listener, &place).await;

    assert!(browser.open(&issuer).await.contains("Access token"), "still signed in at the app");
    assert!(browser.post(&act, &[("action", "read")]).await.contains("Water the plants"));
    assert!(browser.post(&act, &[("action", "refresh")]).await.contains("New tokens"));
    assert!(browser.post(&act, &[("action", "introspect")]).await.contains("&#34;active&#34;: true"));
    // The server still knows who is signed in, and what was allowed: no page comes between.
    assert!(browser.open(&format!("{issuer}/login")).await.contains("Access token"));
    browser.post(&act, &[("action", "revoke")]).await;
    assert!(browser.post(&act, &[("action", "read")]).await.contains("401"));
}

/// The path that the page's form is sent to.
fn form_action(page: &str) -> String {
    let (_, rest) = page.split_once("action=\"").expect("a form");
    rest.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&")
}

fn place(directory: &Path) -> Place {
    Place::directory(directory).unwrap()
}

#[tokio::test]
async fn in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    lasts(place(directory.path())).await;
}

#[tokio::test]
async fn on_postgresql() {
    let directory = tempfile::tempdir().unwrap();
    lasts(place(directory.path()).database(Postgres::start().url())).await;
}

#[tokio::test]
async fn on_redis() {
    let directory = tempfile::tempdir().unwrap();
    let redis = Redis::start();
    lasts(place(directory.path()).database(redis.url())).await;
}
