//! The app's own pages lead a client to a token, and the token to the app's API.

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Response, StatusCode, redirect::Policy};
use serde_json::Value;
use tokio::net::TcpListener;
use url::Url;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";
const REQUEST: &str = "/authorize?response_type=code&client_id=harbour-web\
                       &redirect_uri=http://127.0.0.1:9/callback&code_challenge_method=S256\
                       &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A browser, as far as it matters here: it keeps cookies, and follows nothing by itself.
struct Browser {
    http: Client,
    issuer: String,
    cookies: Vec<String>,
}

impl Browser {
    async fn send(&mut self, path: &str, form: Option<&[(&str, &str)]>) -> Response {
        let url = format!("{}{path}", self.issuer);
        let request = match form {
            Some(form) => self.http.post(url).form(form),
            None => self.http.get(url),
        };
        let answer = request.header(COOKIE, self.cookies.join("; ")).send().await.unwrap();
        for set in answer.headers().get_all(SET_COOKIE) {
            self.cookies.push(set.to_str().unwrap().split(';').next().unwrap().to_owned());
        }
        answer
    }

    /// Where it comes back to after signing in for an app.
    async fn return_to(&mut self) -> String {
        let to_login = location(&self.send(REQUEST, None).await);
        let query = Url::parse(&format!("{}{to_login}", self.issuer)).unwrap();
        query.query_pairs().find(|(name, _)| name == "return_to").unwrap().1.into_owned()
    }

    async fn signs_in_to(&mut self, return_to: &str) -> String {
        let typed = [("name", "ada"), ("password", "lovelace"), ("return_to", return_to)];
        location(&self.send("/login", Some(&typed)).await)
    }
}

fn location(answer: &Response) -> String {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()[LOCATION].to_str().unwrap().to_owned()
}

async fn start() -> Browser {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let app = embed_axum::app(&issuer).unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    Browser { http, issuer, cookies: Vec::new() }
}

#[tokio::test]
async fn the_whole_road() {
    let mut browser = start().await;
    let return_to = browser.return_to().await;
    let back = browser.signs_in_to(&return_to).await;
    let to_allow = location(&browser.send(&back, None).await);
    let page = browser.send(&to_allow, None).await.text().await.unwrap();
    let ticket = page.split_once("name=\"ticket\" value=\"").unwrap().1.split('"').next().unwrap();
    let answer = location(&browser.send("/allow", Some(&[("ticket", ticket), ("answer", "yes")])).await);
    let answer = Url::parse(&answer).unwrap();
    let code = answer.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();

    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "harbour-web"),
        ("redirect_uri", REDIRECT_URI),
        ("code", &code),
        ("code_verifier", VERIFIER),
    ];
    let tokens: Value = browser.send("/token", Some(&form)).await.json().await.unwrap();
    let berths = browser.http.get(format!("{}/api/berths", browser.issuer));
    let berths = berths.bearer_auth(tokens["access_token"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(berths.json::<Value>().await.unwrap()["skipper"], "ada");
    // The cookie that signs in to the app is worth nothing at its API.
    assert_eq!(browser.send("/api/berths", None).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn ru_50_the_sign_in_page_goes_nowhere_else() {
    let mut browser = start().await;
    let own = browser.return_to().await;
    let mut stranger = Browser { cookies: Vec::new(), ..start().await };
    let theirs = stranger.return_to().await;
    for prefix in
        ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "javascript:1"]
    {
        for address in [prefix.to_owned(), format!("{prefix}{own}")] {
            assert_eq!(browser.signs_in_to(&address).await, "/", "{address}");
        }
    }
    // Nor to what another browser was sent to sign in for.
    assert_eq!(browser.signs_in_to(&theirs).await, "/");
    assert_eq!(browser.signs_in_to(&own).await, own);
}
