//! The built-in pages, mounted: from the client's link to the code, through one service.

#![cfg(feature = "pages")]

mod support;

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use oauth_tower::pages::{Credentials, CredentialsError, Identity, Pages, Theme};
use oauth_tower::server::{AuthorizationServerLayer, AuthorizationServerService};
use support::{Answer, QUERY, empty, post, send, server_at};

struct Users;

#[async_trait]
impl Credentials for Users {
    async fn check(&self, name: &str, password: &str) -> Result<Option<Identity>, CredentialsError> {
        Ok((password == "secret").then(|| Identity::new(format!("id-{name}"))))
    }
}

struct Browser {
    service: AuthorizationServerService,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new() -> Self {
        let server = server_at("https://as.example/t1");
        let pages = Pages::new(server.clone(), Users).theme(Theme::new("Acme"));
        let service = AuthorizationServerLayer::new(server).pages(pages).into_service();
        Self { service, cookies: BTreeMap::new() }
    }

    async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request.headers_mut().insert("cookie", cookies.join("; ").parse().unwrap());
        let answer = send(&self.service, request).await;
        for set in answer.headers.get_all("set-cookie") {
            let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.into(), value.into());
        }
        assert_eq!(answer.headers["x-frame-options"].to_str().unwrap_or_default(), "DENY", "br_09");
        answer
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(empty("GET", path)).await
    }
}

fn hidden(page: &Answer, name: &str) -> String {
    let (_, rest) = page.text().split_once(&format!("name=\"{name}\" value=\"")).expect("a hidden field");
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_whole_login_with_the_built_in_pages() {
    let mut browser = Browser::new();
    let start = browser.get(&format!("/t1/authorize?{QUERY}")).await;
    let address = start.header("location").to_owned();
    assert!(start.status == 303 && address.starts_with("/t1/sign-in?return_to="), "{address}");
    let page = browser.get(&address).await;
    assert!(page.status == 200 && page.text().contains("Notes"));

    let form = format!("form={}&username=alice&password=secret", hidden(&page, "form"));
    let signed_in = browser.send(post("/t1/sign-in", &form)).await;
    let back = signed_in.header("location").to_owned();
    assert!(signed_in.status == 303 && back.starts_with("/t1/authorize?"), "{back}");

    let consent = browser.get(&back).await;
    assert_eq!(consent.status, 200);
    for shown in ["Acme", "Notes", "read your notes", "app.example", "alice", "/t1/sign-in?return_to="] {
        assert!(consent.text().contains(shown), "{shown}");
    }
    let form = format!("ticket={}&decision=approve", hidden(&consent, "ticket"));
    let first = send_raw(&browser, &form).await;
    assert!(first.header("location").starts_with("https://app.example/cb?code="));
    let again = send_raw(&browser, &form).await;
    assert_eq!(first.header("location"), again.header("location"));
    let deny = send_raw(&browser, &form.replace("approve", "deny")).await;
    assert_eq!(deny.status, 409);
    assert!(deny.text().contains("Acme") && deny.header("x-frame-options") == "DENY");
}

async fn send_raw(browser: &Browser, form: &str) -> Answer {
    let mut request = post("/t1/authorize", form);
    let cookies: Vec<_> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    request.headers_mut().insert("cookie", cookies.join("; ").parse().unwrap());
    send(&browser.service, request).await
}

#[tokio::test]
async fn the_pages_have_limits_and_methods() {
    let mut browser = Browser::new();
    let page = browser.get("/t1/sign-in").await;
    assert!(page.status == 200 && !page.has_cors());
    let long = browser.send(post("/t1/sign-in", &"x".repeat(100_000))).await;
    assert_eq!(long.status, 413);
    let long = browser.get(&format!("/t1/sign-in?return_to={}", "x".repeat(20_000))).await;
    assert_eq!(long.status, 414);
    // The longest request that the authorization endpoint takes still finds its way through.
    let longest = format!("{QUERY}&x={}", "y".repeat(8192 - 3 - QUERY.len()));
    let address = browser.get(&format!("/t1/authorize?{longest}")).await.header("location").to_owned();
    let page = browser.get(&address).await;
    assert!(page.status == 200 && page.text().contains("Notes"));
    let put = browser.send(empty("PUT", "/t1/sign-in")).await;
    let options = send(&browser.service, empty("OPTIONS", "/t1/sign-in")).await;
    assert_eq!((put.status.as_u16(), put.header("allow")), (405, options.header("allow")));
    let unknown = browser.get("/t1/authorize?client_id=nope").await;
    assert!(unknown.status == 400 && unknown.text().contains("Acme"));
    assert_eq!(send(&browser.service, empty("GET", "/sign-in")).await.status, 404);
}
