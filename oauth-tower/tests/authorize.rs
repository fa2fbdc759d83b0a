//! The authorization endpoint through the service, as a browser sees it.

mod support;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use oauth_core::authorize::AuthorizeError;
use oauth_core::metadata::Endpoint;
use oauth_core::server::{AuthorizeStep, Server};
use oauth_tower::endpoint::{authorize_response, page_response};
use oauth_tower::login_page::LoginPage;
use oauth_tower::server::{AuthorizationServerLayer, AuthorizationServerService};
use support::{
    Answer, FORM, QUERY, VERIFIER, alice, empty, host, layer, no_body, post, request, send, server,
};

/// A browser in which alice is signed in.
struct Browser {
    service: AuthorizationServerService,
    cookie: Mutex<Option<String>>,
}

impl Browser {
    fn new(layer: AuthorizationServerLayer) -> Self {
        Self { service: layer.into_service(), cookie: Mutex::new(None) }
    }

    async fn send(&self, mut request: Request<Full<Bytes>>, user: Option<&str>) -> Answer {
        if let Some(cookie) = &*self.cookie.lock().unwrap() {
            request.headers_mut().insert("cookie", cookie.parse().unwrap());
        }
        if let Some(user) = user {
            request.headers_mut().insert("x-user", user.parse().unwrap());
        }
        let answer = send(&self.service, request).await;
        if let Some(set) = answer.headers.get("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            *self.cookie.lock().unwrap() = Some(pair.to_owned());
        }
        answer
    }

    async fn get(&self, path: &str, user: Option<&str>) -> Answer {
        self.send(empty("GET", path), user).await
    }

    async fn ticket(&self) -> String {
        let page = self.get(&format!("/authorize?{QUERY}"), Some("alice")).await;
        assert_eq!(page.status, 200);
        ticket_of(page.text())
    }

    async fn post(&self, form: &str) -> Answer {
        self.send(post("/authorize", form), Some("alice")).await
    }
}

fn ticket_of(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"ticket\" value=\"").expect("the page has a ticket");
    rest.split('"').next().unwrap().to_owned()
}

fn is_guarded(answer: &Answer) -> bool {
    answer.header("x-frame-options") == "DENY"
        && answer.header("content-security-policy").contains("frame-ancestors 'none'")
        && answer.header("referrer-policy") == "no-referrer"
        && answer.is_not_kept()
        && !answer.has_cors()
}

fn shows_an_error(answer: &Answer) -> bool {
    answer.header("content-type") == "text/html; charset=utf-8"
        && answer.header("location").is_empty()
        && is_guarded(answer)
}

#[tokio::test]
async fn a_whole_login() {
    let browser = Browser::new(layer());
    let login = browser.get(&format!("/authorize?{QUERY}"), None).await;
    assert_eq!(login.status, 303);
    assert!(login.is_not_kept() && login.header("set-cookie").starts_with("__Host-oauth-browser="));
    let return_to = login.header("location").strip_prefix("/login?return_to=").unwrap().to_owned();
    let return_to = oauth_core::params::percent_decode_form(&return_to).unwrap().into_owned();
    assert!(return_to.starts_with("/authorize?response_type=code&"), "{return_to}");

    let page = browser.get(&return_to, Some("alice")).await;
    assert_eq!(page.status, 200);
    assert!(is_guarded(&page));
    for shown in ["Notes &lt;b&gt;", "read your notes", "app.example", "alice", "action=\"/authorize\""] {
        assert!(page.text().contains(shown), "{shown}");
    }
    let answer = browser.post(&format!("ticket={}&decision=approve", ticket_of(page.text()))).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (303, ""));
    assert!(answer.is_not_kept() && answer.header("referrer-policy") == "no-referrer");
    let location = answer.header("location");
    assert!(location.starts_with("https://app.example/cb?code="), "{location}");
    assert!(
        location.contains("&state=s1") && location.ends_with("&iss=https%3A%2F%2Fas.example"),
        "{location}"
    );

    let code = location.split(['=', '&']).nth(1).unwrap();
    let form = format!("grant_type=authorization_code&client_id=app&code={code}&code_verifier={VERIFIER}");
    let tokens = send(&browser.service, post("/token", &form)).await;
    assert_eq!((tokens.status.as_u16(), tokens.json()["scope"].as_str()), (200, Some("read")));
}

#[tokio::test]
async fn mx_02_denial_goes_to_the_client() {
    let browser = Browser::new(layer());
    let form = format!("ticket={}&decision=deny", browser.ticket().await);
    let answer = browser.post(&form).await;
    assert_eq!(answer.status, 303);
    let location = answer.header("location");
    assert!(
        location.contains("error=access_denied") && location.contains("iss=") && !location.contains("code=")
    );
}

#[tokio::test]
async fn mx_08_ru_43_the_form_decides_nothing_but_the_answer() {
    let browser = Browser::new(layer());
    let ticket = browser.ticket().await;
    let extra = "state=other&redirect_uri=https%3A%2F%2Fevil.example&client_id=m2m&response_type=token";
    let answer = browser.post(&format!("ticket={ticket}&decision=approve&{extra}")).await;
    assert!(answer.header("location").starts_with("https://app.example/cb?code="));
    assert!(answer.header("location").contains("&state=s1"));
}

#[tokio::test]
async fn a_part_of_the_scope_is_chosen() {
    let query = QUERY.replace("scope=read", "scope=read%20write");
    let choose = async |choice: &str| {
        let browser = Browser::new(layer());
        let page = browser.get(&format!("/authorize?{query}"), Some("alice")).await;
        browser.post(&format!("ticket={}&decision=approve{choice}", ticket_of(page.text()))).await
    };
    for some in ["", "&scope=&scope=read", "&scope=read&scope=write", "&scope=read+write"] {
        assert_eq!(choose(some).await.status, 303, "{some}");
    }
    for none in ["&scope=", "&scope=&scope=admin", "&scope=%22"] {
        let answer = choose(none).await;
        assert!(answer.status == 400 && shows_an_error(&answer), "{none}");
    }
}

#[tokio::test]
async fn br_06_only_a_posted_form_answers() {
    let browser = Browser::new(layer());
    let ticket = browser.ticket().await;
    for media_type in ["text/plain", "application/json", "multipart/form-data; boundary=x"] {
        let mut request = post("/authorize", &format!("ticket={ticket}&decision=approve"));
        request.headers_mut().insert("content-type", media_type.parse().unwrap());
        let answer = browser.send(request, Some("alice")).await;
        assert!(answer.status == 415 && shows_an_error(&answer), "{media_type}");
    }
    let answer = browser.get(&format!("/authorize?ticket={ticket}&decision=approve"), Some("alice")).await;
    assert!(answer.status == 400 && shows_an_error(&answer));
    for form in
        ["", "decision=approve", &format!("ticket={ticket}"), &format!("ticket={ticket}&decision=yes")]
    {
        let answer = browser.post(form).await;
        assert!(answer.status == 400 && shows_an_error(&answer), "{form}");
    }
    let twice = format!("ticket={ticket}&decision=approve&decision=deny");
    assert_eq!(browser.post(&twice).await.status, 400);
}

#[tokio::test]
async fn br_07_other_sites_cannot_answer() {
    let browser = Browser::new(layer());
    let form = format!("ticket={}&decision=approve", browser.ticket().await);
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let mut request = post("/authorize", &form);
        request.headers_mut().insert(name, value.parse().unwrap());
        let answer = browser.send(request, Some("alice")).await;
        assert!(answer.status == 403 && shows_an_error(&answer), "{name}: {value}");
    }
    let mut own = post("/authorize", &form);
    own.headers_mut().insert("origin", "https://as.example".parse().unwrap());
    assert_eq!(browser.send(own, Some("alice")).await.status, 303);
}

#[tokio::test]
async fn br_13_another_person_cannot_answer() {
    let browser = Browser::new(layer());
    let form = format!("ticket={}&decision=approve", browser.ticket().await);
    for user in [Some("bob"), None] {
        let answer = browser.send(post("/authorize", &form), user).await;
        assert!(answer.status == 403 && shows_an_error(&answer), "{user:?}");
    }
    *browser.cookie.lock().unwrap() = None;
    assert_eq!(browser.post(&form).await.status, 403);
}

#[tokio::test]
async fn rp_24_head_issues_nothing() {
    let browser = Browser::new(layer());
    let form = format!("ticket={}&decision=approve", browser.ticket().await);
    browser.post(&form).await;
    // Consent is remembered now, so that a GET would issue at once.
    let get = browser.get(&format!("/authorize?{QUERY}"), Some("alice")).await;
    assert!(get.header("location").contains("code="));
    for method in ["HEAD", "PUT", "DELETE", "TRACE", "PATCH"] {
        let answer = browser.send(empty(method, &format!("/authorize?{QUERY}")), Some("alice")).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, POST, OPTIONS"), "{method}");
        assert!(answer.header("location").is_empty());
    }
}

#[tokio::test]
async fn br_01_no_cors_at_authorize() {
    let browser = Browser::new(layer());
    for method in ["OPTIONS", "GET", "POST", "DELETE"] {
        for query in [QUERY, "client_id=nope", ""] {
            let request = request(method, &format!("/authorize?{query}"))
                .header("origin", "https://evil.example")
                .header("access-control-request-method", "GET")
                .header("access-control-request-headers", "authorization")
                .header("content-type", FORM)
                .body(no_body())
                .unwrap();
            let answer = browser.send(request, Some("alice")).await;
            assert!(!answer.has_cors(), "{method} {query}");
        }
    }
    let options = browser.send(empty("OPTIONS", "/authorize"), None).await;
    assert_eq!((options.status.as_u16(), options.header("allow")), (204, "GET, POST, OPTIONS"));
}

#[tokio::test]
async fn br_09_rp_14_ru_42_errors_are_shown_here_with_all_guards() {
    let browser = Browser::new(layer());
    let evil = QUERY.replace("app.example", "evil.example");
    for query in [
        "client_id=nope&redirect_uri=https://evil.example",
        &evil,
        &format!("{evil}&prompt=none"),
        "",
        "client_id=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "client_id=app&client_id=app",
        "client_id=%ff",
    ] {
        let answer = browser.get(&format!("/authorize?{query}"), Some("alice")).await;
        assert!(answer.status == 400 && shows_an_error(&answer), "{query}");
        assert!(!answer.text().contains("<script") && !answer.text().contains("evil.example"), "{query}");
    }
}

#[tokio::test]
async fn errors_of_the_request_go_to_the_client() {
    let browser = Browser::new(layer());
    let query = QUERY.replace("response_type=code", "response_type=token");
    let answer = browser.get(&format!("/authorize?{query}"), Some("alice")).await;
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").starts_with("https://app.example/cb?error=unsupported_response_type"));
    assert!(answer.header("location").contains("state=s1") && answer.is_not_kept());
}

#[tokio::test]
async fn a_host_that_cannot_tell_is_unavailable() {
    let browser = Browser::new(layer());
    let answer = browser.get(&format!("/authorize?{QUERY}"), Some("broken")).await;
    assert!(answer.status == 503 && shows_an_error(&answer));
    assert!(!answer.header("retry-after").is_empty() && !answer.text().contains("session store"));
}

#[tokio::test]
async fn another_path_is_led_back_to() {
    let layer = layer().path(Endpoint::Authorize, "/oauth/start");
    let browser = Browser::new(layer);
    let login = browser.get(&format!("/oauth/start?{QUERY}"), None).await;
    assert!(login.header("location").starts_with("/login?return_to=/oauth/start?"));
    let page = browser.get(&format!("/oauth/start?{QUERY}"), Some("alice")).await;
    assert!(page.text().contains("action=\"/oauth/start\""));
}

/// The app's own handler for the question.
async fn ask(server: &Arc<Server>, head: &http::request::Parts) -> http::Response<oauth_tower::body::Body> {
    match server.pending(head, Some(alice())).await {
        Ok(authorization) => match authorization.step {
            AuthorizeStep::Consent(pending) => page_response(pending.ticket(), authorization.set_cookie),
            step => panic!("{step:?}"),
        },
        Err(error) => authorize_response(server, Err(error)),
    }
}

#[tokio::test]
async fn a_consent_page_of_the_apps_own() {
    let app = LoginPage::at("/login?from=oauth", |_| async { Ok(Some(alice())) }).consent_at("/my/consent");
    let browser = Browser::new(layer().host(app));
    let sent = browser.get(&format!("/authorize?{QUERY}&login_hint=a%26b"), None).await;
    assert!(sent.status == 303 && !sent.header("set-cookie").is_empty());
    assert_eq!(sent.header("location"), format!("/my/consent?{QUERY}&login_hint=a%26b"));
    let relogin = browser.get(&format!("/authorize?{QUERY}&prompt=login&login_hint=a%26b"), None).await;
    assert!(relogin.header("location").starts_with("/login?from=oauth&return_to=/authorize?"));
    assert!(relogin.header("location").contains("%26login_hint=a%2526b%26resume="));
}

#[tokio::test]
async fn the_hand_written_way() {
    let server = server();
    let head = |method, cookie: &str, query: &str| {
        let request = request(method, &format!("/my/consent?{query}")).header("cookie", cookie);
        request.body(()).unwrap().into_parts().0
    };
    let page = ask(&server, &head("GET", "", QUERY)).await;
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(page.headers()["x-frame-options"], "DENY");
    let ticket = http_body_util::BodyExt::collect(page.into_body()).await.unwrap().to_bytes();
    let ticket = std::str::from_utf8(&ticket).unwrap();

    let head = head("POST", &cookie, "");
    let answer = async |login| {
        let outcome: Result<_, AuthorizeError> =
            async { server.resume_pending(&head, ticket, login).await?.accept(None).await }.await;
        authorize_response(&server, outcome)
    };
    assert_eq!(answer(None).await.status(), 403);
    let approved = answer(Some(alice())).await;
    assert_eq!(approved.status(), 303);
    assert!(approved.headers()["location"].to_str().unwrap().starts_with("https://app.example/cb?code="));
    assert_eq!(
        ask(&server, &request("GET", "/my/consent").body(()).unwrap().into_parts().0).await.status(),
        400
    );

    let elsewhere = AuthorizationServerLayer::new(server.clone()).host(host()).authorize_elsewhere();
    let document = serde_json::to_value(elsewhere.metadata()).unwrap();
    assert_eq!(document["authorization_endpoint"], "https://as.example/authorize");
    let answer = send(&elsewhere.into_service(), empty("GET", "/authorize")).await;
    assert_eq!(answer.status, 404);
}
