//! The flow, page by page, without a network: a browser with cookies, and pages over a memory store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{Method, Request, Response, StatusCode};
use oauth_core::client::Client;
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::server::{AuthorizeStep, Server};
use oauth_storage_memory::MemoryStore;

use super::*;

const ISSUER: &str = "https://as.example/t1";
const SIGN_IN: &str = "/t1/sign-in";
const SIGN_OUT: &str = "/t1/sign-out";
const REQUEST: &str = "response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fcb\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&state=a%26b%2Bc";

struct Users;

#[async_trait::async_trait]
impl Credentials for Users {
    async fn check(&self, username: &str, password: &str) -> Result<Option<Identity>, CredentialsError> {
        match (username, password) {
            ("down", _) => Err("no database".into()),
            ("nobody", "secret") => Ok(Some(Identity::new(""))),
            ("alice" | "bob", "secret") => Ok(Some(Identity::new(format!("id-{username}")))),
            (_, password) => {
                assert!(password.len() <= 1024, "a long password reached the hash");
                Ok(None)
            }
        }
    }
}

struct World {
    server: Arc<Server>,
    pages: Pages,
    clock: ManualClock,
}

#[derive(Clone, Default)]
struct Browser(BTreeMap<String, String>);

fn world() -> World {
    let clock = ManualClock::new(Timestamp::from_secs(1_700_000_000));
    let client = Client::public("app").name("The App").redirect_uri("https://app.example/cb").scope("read");
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let server = Server::builder(ISSUER, store).clock(clock.clone()).client(client).build().unwrap();
    World { pages: Pages::new(server.clone(), Users), server, clock }
}

impl Browser {
    fn head(&self, method: Method, uri: &str) -> http::request::Builder {
        let cookies: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Request::builder().method(method).uri(uri).header(COOKIE, cookies.join("; "))
    }

    fn keep<T>(&mut self, response: &Response<T>) {
        response.headers().get_all(SET_COOKIE).iter().for_each(|cookie| self.keep_cookie(cookie));
    }

    fn keep_cookie(&mut self, cookie: &HeaderValue) {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("__Host-"), "{cookie}");
        for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(cookie.contains(attribute), "br_14: {cookie}");
        }
        assert!(!cookie.contains("Domain"), "br_14: {cookie}");
        let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        if value.is_empty() {
            self.0.remove(name)
        } else {
            self.0.insert(name.into(), value.into())
        };
    }

    async fn get(&mut self, world: &World, uri: &str) -> Response<String> {
        let head = self.head(Method::GET, uri).body(()).unwrap().into_parts().0;
        self.send(world, head, "").await
    }

    async fn post(&mut self, world: &World, uri: &str, body: &str) -> Response<String> {
        let head = self
            .head(Method::POST, uri)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .header("origin", "null");
        self.send(world, head.body(()).unwrap().into_parts().0, body).await
    }

    async fn send(&mut self, world: &World, head: Parts, body: &str) -> Response<String> {
        let page = world.pages.page(head.uri.path().strip_prefix("/t1").unwrap()).unwrap();
        let response = world.pages.respond(page, &head, body.as_bytes()).await;
        assert_eq!(response.headers()["x-frame-options"], "DENY", "br_09");
        assert_eq!(response.headers()["cache-control"], "no-store", "br_18");
        self.keep(&response);
        response
    }

    /// Where the authorization endpoint sends this browser to sign in; `None` where it asks for consent.
    async fn arrive(&mut self, world: &World, query: &str) -> Option<String> {
        let head = self.head(Method::GET, &format!("/t1/authorize?{query}")).body(()).unwrap().into_parts().0;
        let login = world.pages.login(&head).await.unwrap();
        let answer = world.server.authorize(&head, login).await.unwrap();
        answer.set_cookie.iter().for_each(|cookie| self.keep_cookie(cookie));
        match answer.step {
            AuthorizeStep::Login(sign_in) => Some(world.pages.sign_in_address(&sign_in.return_to)),
            AuthorizeStep::Consent(_) => None,
            AuthorizeStep::Issue(_) => unreachable!("the client is not of the first party"),
        }
    }

    async fn sign_in(&mut self, world: &World, page: &Response<String>, who: &str) -> Response<String> {
        let body = format!("form={}&username={who}&password=secret", token(page));
        self.post(world, SIGN_IN, &body).await
    }

    fn session(&self) -> Option<&String> {
        self.0.get("__Host-oauth-session")
    }

    async fn who(&self, world: &World) -> Option<Login> {
        let head = self.head(Method::GET, "/").body(()).unwrap().into_parts().0;
        world.pages.login(&head).await.unwrap()
    }
}

fn token(page: &Response<String>) -> String {
    assert_eq!(page.status(), StatusCode::OK, "{}", page.body());
    let (_, rest) = page.body().split_once("name=\"form\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

fn location<T>(response: &Response<T>) -> &str {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    response.headers()[LOCATION].to_str().unwrap()
}

#[tokio::test]
async fn signs_in_and_goes_back_to_the_request() {
    let (world, mut browser) = (world(), Browser::default());
    let address = browser.arrive(&world, REQUEST).await.unwrap();
    let page = browser.get(&world, &address).await;
    assert!(page.body().contains("The App"), "{}", page.body());
    let answer = browser.sign_in(&world, &page, "alice").await;
    let back = location(&answer).strip_prefix("/t1/authorize?").unwrap().to_owned();
    assert!(back.starts_with(REQUEST), "{back}");
    assert_eq!(browser.arrive(&world, &back).await, None);
    let login = browser.who(&world).await.unwrap();
    assert_eq!(&*login.subject, "id-alice");
    assert_eq!(login.authenticated_at, world.server.now());
    // The sign-in page has nothing left to ask: going back to it leads on.
    assert!(location(&browser.get(&world, &address).await).starts_with("/t1/authorize?"));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_the_same() {
    let (world, mut browser) = (world(), Browser::default());
    let page = browser.get(&world, SIGN_IN).await;
    let mut bodies = Vec::new();
    let long = "x".repeat(1025);
    for (name, password) in [("alice", "wrong"), ("carol", "secret"), ("alice", &*long), ("alice", "")] {
        let form = format!("form={}&username={name}&password={password}", token(&page));
        let answer = browser.post(&world, SIGN_IN, &form).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(!answer.headers().contains_key(LOCATION));
        assert!(answer.body().contains(&format!("value=\"{name}\"")), "the name is kept");
        assert!(!answer.body().contains("wrong") && browser.session().is_none());
        bodies.push(answer.body().replace(&token(&answer), "").replace(name, ""));
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn br_12_each_sign_in_begins_a_new_session_and_ends_the_old_one() {
    let (world, mut victim, mut attacker) = (world(), Browser::default(), Browser::default());
    let page = attacker.get(&world, SIGN_IN).await;
    attacker.sign_in(&world, &page, "bob").await;
    let planted = attacker.session().unwrap().clone();
    victim.0.insert("__Host-oauth-session".into(), planted.clone());
    world.clock.advance(Duration::from_secs(1));
    let address = victim.arrive(&world, &format!("{REQUEST}&prompt=login")).await.unwrap();
    let page = victim.get(&world, &address).await;
    victim.sign_in(&world, &page, "alice").await;
    assert_ne!(victim.session(), Some(&planted));
    assert_eq!(&*victim.who(&world).await.unwrap().subject, "id-alice");
    assert!(attacker.who(&world).await.is_none(), "the planted session is dead");
}

#[tokio::test]
async fn br_15_two_session_cookies_count_as_none() {
    let (world, mut browser) = (world(), Browser::default());
    let page = browser.get(&world, SIGN_IN).await;
    browser.sign_in(&world, &page, "alice").await;
    let (name, value) = ("__Host-oauth-session", browser.session().unwrap());
    for cookies in [format!("{name}={value}; {name}={value}"), format!("{name}=; {name}={value}")] {
        let request = Request::builder().header(COOKIE, cookies).body(()).unwrap();
        assert!(world.pages.login(&request.into_parts().0).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn br_08_br_07_a_form_of_another_browser_or_site_is_refused() {
    let (world, mut mine, mut theirs) = (world(), Browser::default(), Browser::default());
    let page = mine.get(&world, SIGN_IN).await;
    theirs.get(&world, SIGN_IN).await;
    assert_eq!(theirs.sign_in(&world, &page, "bob").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(Browser::default().sign_in(&world, &page, "bob").await.status(), StatusCode::FORBIDDEN);
    let body = format!("form={}&username=alice&password=secret", token(&page));
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null")]
    {
        let head = mine.head(Method::POST, SIGN_IN).header(name, value);
        let head = head.header("content-type", "application/x-www-form-urlencoded");
        let answer = mine.send(&world, head.body(()).unwrap().into_parts().0, &body).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{name}: {value}");
    }
    assert!(mine.session().is_none() && theirs.session().is_none());
}

#[tokio::test]
async fn br_06_only_a_posted_form_signs_in() {
    let (world, mut browser) = (world(), Browser::default());
    let page = browser.get(&world, SIGN_IN).await;
    let body = format!("form={}&username=alice&password=secret", token(&page));
    for media_type in ["text/plain", "application/json", "multipart/form-data"] {
        let head = browser.head(Method::POST, SIGN_IN).header("content-type", media_type);
        let answer = browser.send(&world, head.body(()).unwrap().into_parts().0, &body).await;
        assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let answer = browser.get(&world, &format!("{SIGN_IN}?{body}")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let head = browser.head(Method::PUT, SIGN_IN).body(()).unwrap().into_parts().0;
    let answer = browser.send(&world, head, &body).await;
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers()["allow"], "GET, HEAD, POST, OPTIONS");
    for body in ["", "form=", "form=x", "form=a&form=b", "form=%zz"] {
        assert_eq!(browser.post(&world, SIGN_IN, body).await.status(), StatusCode::BAD_REQUEST, "{body}");
    }
    assert!(browser.session().is_none());
}

#[tokio::test]
async fn ru_50_only_an_address_that_we_issued_to_this_browser_is_gone_back_to() {
    let (world, mut browser, mut other) = (world(), Browser::default(), Browser::default());
    let issued = other.arrive(&world, REQUEST).await.unwrap();
    let theirs = issued.split_once("return_to=").unwrap().1.to_owned();
    for address in [
        "//evil.example",
        "/%5Cevil.example",
        "////evil.example",
        "https:evil.example",
        "https://evil.example/t1/authorize?client_id=app",
        "/%2509/evil.example",
        "javascript:1",
        "/t1/authorize",
        "/t1/authorize?client_id=app",
        "/t1/authorize@evil.example?client_id=app",
        "/t1/../evil?client_id=app",
        &theirs,
    ] {
        let page = browser.get(&world, &format!("{SIGN_IN}?return_to={address}")).await;
        let answer = browser.sign_in(&world, &page, "alice").await;
        assert_eq!(location(&answer), SIGN_IN, "{address}");
        browser.0.remove("__Host-oauth-session");
    }
    // Nor one that was altered on the way.
    let mine = browser.arrive(&world, REQUEST).await.unwrap();
    let page = browser.get(&world, &mine[..mine.len() - 1]).await;
    assert_eq!(location(&browser.sign_in(&world, &page, "alice").await), SIGN_IN);
}

#[tokio::test]
async fn somebody_else_signs_in_from_the_consent_page() {
    // Also where the page is shown in the very millisecond of the first sign-in.
    for pause in [60, 0] {
        let (world, mut browser) = (world(), Browser::default());
        let page = browser.get(&world, SIGN_IN).await;
        browser.sign_in(&world, &page, "alice").await;
        world.clock.advance(Duration::from_secs(pause));
        assert_eq!(browser.arrive(&world, REQUEST).await, None);
        let consent = browser.head(Method::GET, &format!("/t1/authorize?{REQUEST}"));
        let consent = consent.body(()).unwrap().into_parts().0;
        let switch = world.pages.switch_account_address(&consent, "/t1/authorize").unwrap();
        let page = browser.get(&world, &switch).await;
        assert!(page.status() == StatusCode::OK && !page.body().contains("alice"), "{pause}");
        let answer = browser.sign_in(&world, &page, "bob").await;
        let back = location(&answer).strip_prefix("/t1/authorize?").unwrap().to_owned();
        assert_eq!(browser.arrive(&world, &back).await, None);
        assert_eq!(&*browser.who(&world).await.unwrap().subject, "id-bob");
    }
}

#[tokio::test]
async fn prompt_login_asks_again_and_keeps_the_name() {
    let (world, mut browser) = (world(), Browser::default());
    let page = browser.get(&world, SIGN_IN).await;
    browser.sign_in(&world, &page, "alice").await;
    world.clock.advance(Duration::from_secs(60));
    let address = browser.arrive(&world, &format!("{REQUEST}&prompt=login")).await.unwrap();
    let page = browser.get(&world, &address).await;
    assert!(page.body().contains("value=\"alice\"") && page.body().contains("sign in again"));
    let answer = browser.sign_in(&world, &page, "alice").await;
    let back = location(&answer).split_once('?').unwrap().1.to_owned();
    assert_eq!(browser.arrive(&world, &back).await, None);
}

#[tokio::test]
async fn tabs_do_not_disturb_each_other() {
    let (world, mut browser) = (world(), Browser::default());
    let [one, two] = ["one", "two"].map(|state| REQUEST.replace("a%26b%2Bc", state));
    let (one, two) =
        (browser.arrive(&world, &one).await.unwrap(), browser.arrive(&world, &two).await.unwrap());
    let (first, second) = (browser.get(&world, &one).await, browser.get(&world, &two).await);
    let answer = browser.sign_in(&world, &first, "alice").await;
    assert!(location(&answer).contains("state=one"));
    let answer = browser.sign_in(&world, &second, "alice").await;
    assert!(location(&answer).contains("state=two"));
}

#[tokio::test]
async fn an_expired_page_is_shown_anew_and_keeps_its_way_back() {
    let (world, mut browser) = (world(), Browser::default());
    let address = browser.arrive(&world, REQUEST).await.unwrap();
    let page = browser.get(&world, &address).await;
    world.clock.advance(Duration::from_secs(3600));
    let anew = browser.sign_in(&world, &page, "alice").await;
    assert!(anew.body().contains("open for too long") && browser.session().is_none());
    let answer = browser.sign_in(&world, &anew, "alice").await;
    assert!(location(&answer).starts_with("/t1/authorize?"));
}

#[tokio::test]
async fn a_session_ends_after_its_lifetime() {
    let (world, mut browser) = (world(), Browser::default());
    let page = browser.get(&world, SIGN_IN).await;
    browser.sign_in(&world, &page, "alice").await;
    world.clock.advance(TWO_WEEKS - Duration::from_secs(1));
    assert!(browser.who(&world).await.is_some());
    world.clock.advance(Duration::from_secs(1));
    assert!(browser.who(&world).await.is_none());
}

#[tokio::test]
async fn signing_out_takes_a_post_and_kills_copies_of_the_cookie() {
    let (world, mut browser) = (world(), Browser::default());
    let page = browser.get(&world, SIGN_IN).await;
    browser.sign_in(&world, &page, "alice").await;
    let copy = browser.clone();
    let asked =
        browser.get(&world, &format!("{SIGN_OUT}?post_logout_redirect_uri=https://evil.example")).await;
    assert!(!asked.body().contains("evil.example"), "br_22");
    assert!(browser.who(&world).await.is_some(), "br_22: asking is not doing");
    let token = token(&asked);
    let stay = browser.post(&world, SIGN_OUT, &format!("form={token}&decision=stay")).await;
    assert_eq!(location(&stay), SIGN_IN);
    let unclear = browser.post(&world, SIGN_OUT, &format!("form={token}&decision=maybe")).await;
    assert_eq!(unclear.status(), StatusCode::BAD_REQUEST);
    assert!(browser.who(&world).await.is_some());
    let done = browser.post(&world, SIGN_OUT, &format!("form={token}&decision=sign_out")).await;
    assert_eq!(done.status(), StatusCode::OK);
    assert!(browser.session().is_none() && copy.who(&world).await.is_none());
}

#[tokio::test]
async fn a_sign_out_page_of_an_earlier_session_asks_again() {
    let (world, mut browser) = (world(), Browser::default());
    let page = browser.get(&world, SIGN_IN).await;
    browser.sign_in(&world, &page, "alice").await;
    let asked = token(&browser.get(&world, SIGN_OUT).await);
    browser.sign_in(&world, &page, "bob").await;
    let answer = browser.post(&world, SIGN_OUT, &format!("form={asked}&decision=sign_out")).await;
    assert_eq!(location(&answer), SIGN_OUT);
    assert_eq!(&*browser.who(&world).await.unwrap().subject, "id-bob");
}

#[tokio::test]
async fn a_failing_check_is_no_wrong_password() {
    let (world, mut browser) = (world(), Browser::default());
    let page = browser.get(&world, SIGN_IN).await;
    let answer = browser.sign_in(&world, &page, "down").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after") && !answer.body().contains("no database"));
    let answer = browser.sign_in(&world, &page, "nobody").await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
