//! Signing in by the provider, over real sockets: as it should be, and as others would have it.

mod provider;

use std::collections::BTreeMap;

use provider::{Mood, Provider};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Response, redirect::Policy};
use serde_json::Value;
use tokio::net::TcpListener;
use url::Url;

const REDIRECT_URI: &str = "http://127.0.0.1:9/cb";

/// A browser, as far as it matters here: it keeps the cookies of the app, and follows nothing by itself.
#[derive(Clone)]
struct Browser {
    http: Client,
    issuer: String,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    async fn send(&mut self, path: &str, form: Option<&[(&str, &str)]>) -> Response {
        let url = if path.starts_with('/') { format!("{}{path}", self.issuer) } else { path.to_owned() };
        let own = url.starts_with(&self.issuer);
        let mut request = match form {
            Some(form) => self.http.post(url).form(form),
            None => self.http.get(url),
        };
        if own {
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        let answer = request.send().await.unwrap();
        for set in answer.headers().get_all(SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            assert!(set.contains("; HttpOnly") && set.contains("SameSite=Lax"), "{set}");
            if set.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    fn attempts(&self) -> usize {
        self.cookies.keys().filter(|name| name.starts_with("upstream-")).count()
    }

    /// From the client's link to the provider, by way of the page; the answer is the provider's redirect.
    async fn visit_provider(&mut self, state: &str) -> String {
        let page = self.send(&request(state), None).await.text().await.unwrap();
        for said in ["Notes", "notes:read", "127.0.0.1"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        let form = [("return_to", &*field(&page, "return_to")), ("again", &*field(&page, "again"))];
        let there = location(&self.send("/upstream", Some(&form)).await);
        location(&self.send(&there, None).await)
    }

    /// Back from the provider to the consent page.
    async fn consent(&mut self, answer: &str) -> String {
        let back = location(&self.send(answer, None).await);
        self.send(&back, None).await.text().await.unwrap()
    }

    /// The code of an approved consent page.
    async fn approve(&mut self, page: &str) -> Url {
        let form = [("ticket", &*field(page, "ticket")), ("decision", "approve")];
        Url::parse(&location(&self.send("/authorize", Some(&form)).await)).unwrap()
    }
}

fn request(state: &str) -> String {
    format!(
        "/authorize?response_type=code&client_id=notes-app&redirect_uri={REDIRECT_URI}&state={state}\
         &code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )
}

fn location(answer: &Response) -> String {
    assert_eq!(answer.status(), 303, "{answer:?}");
    answer.headers()[LOCATION].to_str().unwrap().to_owned()
}

fn field(page: &str, name: &str) -> String {
    let (_, rest) =
        page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}: {page}"));
    rest.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&")
}

fn param(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

async fn start() -> (Provider, Browser) {
    let provider = Provider::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let app = upstream_login::app(&issuer, provider.settings()).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    (provider, Browser { http, issuer, cookies: BTreeMap::new() })
}

/// Refused here, with the attempt over and nobody signed in.
async fn assert_refused(browser: &mut Browser, answer: &str, status: u16) {
    let refused = browser.send(answer, None).await;
    assert_eq!(refused.status(), status, "{refused:?}");
    assert!(refused.headers().get(LOCATION).is_none());
    assert!(!browser.cookies.contains_key("signed-in"), "{:?}", browser.cookies.keys());
}

#[tokio::test]
async fn the_whole_road() {
    let (provider, mut browser) = start().await;
    let answer = browser.visit_provider("s-1").await;
    let asked = provider.requests().remove(0);
    assert_eq!((&*asked["code_challenge_method"], asked["scope"].contains("openid")), ("S256", true));
    assert!(!asked.contains_key("prompt") && asked["nonce"] != asked["state"]);
    let page = browser.consent(&answer).await;
    assert!(page.contains("ada") && page.contains("Read your notes"), "{page}");
    assert_eq!(browser.attempts(), 0);
    let back = browser.approve(&page).await;
    assert_eq!(param(&back, "state").as_deref(), Some("s-1"));
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "notes-app"),
        ("redirect_uri", REDIRECT_URI),
        ("code", &*param(&back, "code").unwrap()),
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    ];
    let tokens: Value = browser.send("/token", Some(&form)).await.json().await.unwrap();
    assert!(tokens["access_token"].is_string(), "{tokens}");
    assert!(!tokens.to_string().contains("theirs"), "nothing of the provider's is passed on");

    // Signed in, nobody goes to the provider; who has to prove it anew does, and the provider is told.
    assert!(browser.send(&request("s-2"), None).await.text().await.unwrap().contains("name=\"ticket\""));
    let anew = browser.send(&format!("{}&prompt=login", request("s-3")), None).await.text().await.unwrap();
    let form = [("return_to", &*field(&anew, "return_to")), ("again", &*field(&anew, "again"))];
    let there = location(&browser.send("/upstream", Some(&form)).await);
    assert!(there.contains("prompt=login"), "{there}");
}

#[tokio::test]
async fn whoever_says_no_there_is_not_signed_in_here() {
    let (provider, mut browser) = start().await;
    provider.is(Mood::Denies);
    let answer = browser.visit_provider("s-1").await;
    assert_refused(&mut browser, &answer, 400).await;
    assert_eq!(browser.attempts(), 0, "the attempt is over");
    provider.is(Mood::Willing);
    let answer = browser.visit_provider("s-1").await;
    assert!(browser.consent(&answer).await.contains("name=\"ticket\""));
}

#[tokio::test]
async fn an_answer_that_nobody_waits_for_counts_for_nothing() {
    let (_, mut browser) = start().await;
    let answer = browser.visit_provider("s-1").await;
    let callback = |query: &str| format!("{}/callback?{query}", browser.issuer);
    let state = param(&Url::parse(&answer).unwrap(), "state").unwrap();
    let forged = [
        callback("code=code-0&state=forged-forged-forged"),
        // The cookie's name alone is not the state.
        callback(&format!("code=code-0&state={}-and-more", &state[..8])),
        callback("code=code-0&state="),
        callback("code=code-0&state=%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9"),
        callback("code=code-0&state=%3B%20signed-in=x"),
    ];
    for answer in forged {
        assert_refused(&mut browser, &answer, 403).await;
    }
    assert_refused(&mut browser, "/callback?code=code-0", 400).await;
    // In another browser: whoever sends their own answer to somebody does not sign them in.
    let mut other = Browser { cookies: BTreeMap::new(), ..browser.clone() };
    assert_refused(&mut other, &answer, 403).await;
    // With the cookie planted as well, the request that waits is still another browser's.
    let mut planted = browser.clone();
    planted.cookies.retain(|name, _| name.starts_with("upstream-"));
    assert_refused(&mut planted, &answer, 403).await;
}

#[tokio::test]
async fn an_answer_counts_once() {
    let (_, mut browser) = start().await;
    let answer = browser.visit_provider("s-1").await;
    let copy = browser.clone();
    browser.consent(&answer).await;
    let mut without = browser.clone();
    without.cookies.remove("signed-in");
    assert_refused(&mut without, &answer, 403).await;
    // Also where the cookie was copied before: the provider gives nothing twice.
    assert_refused(&mut copy.clone(), &answer, 400).await;
}

#[tokio::test]
async fn an_id_token_for_another_request_or_by_another_key_signs_nobody_in() {
    let (provider, mut browser) = start().await;
    for mood in [Mood::OtherNonce, Mood::OtherKey] {
        provider.is(mood);
        let answer = browser.visit_provider("s-1").await;
        assert_refused(&mut browser, &answer, 400).await;
    }
}

#[tokio::test]
async fn tabs_do_not_disturb_each_other() {
    let (_, mut browser) = start().await;
    let (first, second) = (browser.visit_provider("s-1").await, browser.visit_provider("s-2").await);
    assert_eq!(browser.attempts(), 2);
    for (answer, state) in [(second, "s-2"), (first, "s-1")] {
        let page = browser.consent(&answer).await;
        let back = browser.approve(&page).await;
        assert_eq!(param(&back, "state").as_deref(), Some(state));
    }
    assert_eq!(browser.attempts(), 0);
}

#[tokio::test]
async fn no_other_site_sends_anybody_to_the_provider() {
    let (provider, browser) = start().await;
    let request = browser.http.post(format!("{}/upstream", browser.issuer));
    let request = request.form(&[("return_to", "/")]).header("origin", "https://evil.example");
    let refused = request.send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers().get(SET_COOKIE)), (403, None));
    assert!(provider.requests().is_empty());
}
