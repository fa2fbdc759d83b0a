//! Attacks through the browser: other sites, other browsers, other tabs, other people.

use attack_tests::{
    API1, API2, APP, Browser, Query, Reply, World, assert_json, assert_redirect, assert_refused, encode,
};
use http::Method;

const FORM: &str = "application/x-www-form-urlencoded";
const BROWSER_COOKIE: &str = "__Host-oauth-browser";
const SESSION_COOKIE: &str = "__Host-oauth-session";

/// Signs in on the built-in page, on the way to the request or not.
async fn sign_in(world: &World, browser: &mut Browser, address: &str, user: &str) -> Reply {
    let page = browser.get(world, address).await;
    let form = format!("form={}&username={user}&password=secret", encode(&page.field("form")));
    browser.post(world, "/sign-in", &form).await
}

fn approval(page: &Reply) -> String {
    format!("ticket={}&decision=approve", encode(&page.field("ticket")))
}

/// Every HTML answer and every redirect that a browser can get, by name.
async fn all_answers(world: &World) -> Vec<(&'static str, Reply)> {
    let mut browser = Browser::new();
    let mut answers = vec![
        ("malformed", browser.get(world, "/authorize?%").await),
        ("no client", browser.get(world, "/authorize").await),
        ("redirect URI", browser.authorize(world, Query::of("web").set("redirect_uri", "x")).await),
        ("too long", browser.authorize(world, Query::of("web").set("x", &"y".repeat(9000))).await),
        ("method", browser.send(world, Method::PUT, "/authorize", None, "").await),
        ("media type", browser.send(world, Method::POST, "/authorize", Some("text/plain"), "").await),
        ("form", browser.post(world, "/authorize", "").await),
        ("sign-in method", browser.send(world, Method::PUT, "/sign-in", None, "").await),
        ("sign-in form", browser.post(world, "/sign-in", "").await),
        ("sign-out form", browser.post(world, "/sign-out", "").await),
        ("signed out", browser.get(world, "/sign-out").await),
    ];
    let detour = browser.authorize(world, Query::of("web")).await;
    let sign_in_page = browser.get(world, detour.location()).await;
    let wrong = format!("form={}&username=alice&password=wrong", encode(&sign_in_page.field("form")));
    let wrong = browser.post(world, "/sign-in", &wrong).await;
    let signed_in = sign_in(world, &mut browser, detour.location(), "alice").await;
    let consent = browser.get(world, signed_in.location()).await;
    let denied = browser.decide(world, &consent, "deny").await;
    let approved = browser.decide(world, &consent, "approve").await;
    answers.push(("answered", browser.decide(world, &consent, "deny").await));
    answers.push(("client error", browser.authorize(world, Query::of("web").set("scope", "bogus")).await));
    answers.push(("welcome", browser.get(world, "/sign-in").await));
    let leave = browser.get(world, "/sign-out").await;
    let form = format!("form={}&decision=sign_out", encode(&leave.field("form")));
    answers.push(("left", browser.post(world, "/sign-out", &form).await));
    for (name, reply) in [
        ("detour", detour),
        ("sign-in", sign_in_page),
        ("wrong", wrong),
        ("signed in", signed_in),
        ("consent", consent),
        ("denied", denied),
        ("approved", approved),
        ("leave", leave),
    ] {
        answers.push((name, reply));
    }
    answers
}

#[tokio::test]
async fn br_01_no_cors_for_pages() {
    let world = World::with_pages();
    let mut browser = Browser::new()
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization");
    for path in ["/authorize", "/sign-in", "/sign-out"] {
        for method in [Method::OPTIONS, Method::GET, Method::POST, Method::HEAD] {
            let uri = format!("{path}?{}", Query::of("web"));
            let reply =
                browser.send(&world, method.clone(), &uri, Some(FORM), "ticket=x&decision=approve").await;
            let names = reply.headers.keys().map(http::HeaderName::as_str);
            let cors: Vec<_> = names.filter(|name| name.starts_with("access-control")).collect();
            assert!(cors.is_empty(), "{method} {path}: {cors:?}");
        }
    }
    for (name, reply) in all_answers(&world).await {
        assert_eq!(reply.header("access-control-allow-origin"), None, "{name}");
    }
}

#[tokio::test]
async fn br_06_only_a_posted_form_answers() {
    let world = World::new();
    let mut browser = Browser::signed_in("alice");
    let page = browser.authorize(&world, Query::of("web")).await;
    let form = approval(&page);
    let json = format!(r#"{{"ticket":"{}","decision":"approve"}}"#, page.field("ticket"));
    for media_type in ["text/plain", "application/json", "multipart/form-data; boundary=x", "", "text/html"] {
        for body in [&form, &json] {
            let reply = browser.send(&world, Method::POST, "/authorize", Some(media_type), body).await;
            assert_refused(&reply, 415);
        }
    }
    assert_refused(&browser.send(&world, Method::POST, "/authorize", None, &form).await, 415);
    assert_refused(&browser.get(&world, &format!("/authorize?{form}")).await, 400);
    let asked = browser.get(&world, &format!("/authorize?{}&{form}", Query::of("web"))).await;
    assert_eq!(asked.status, 200, "asked again: {asked:?}");
    assert_refused(&browser.post(&world, &format!("/authorize?{form}"), "").await, 400);
    assert!(world.grants("web").await.is_empty());
    browser.post(&world, "/authorize", &form).await.code();
}

#[tokio::test]
async fn br_07_fetch_metadata() {
    let world = World::new();
    let mut browser = Browser::signed_in("alice");
    let page = browser.authorize(&world, Query::of("web")).await;
    let form = approval(&page);
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "garbage")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "https://as.example.evil.example")],
        &[("origin", "http://as.example")],
        &[("origin", "https://as.example:8443")],
        &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
    ] {
        let mut browser = browser.clone();
        browser.headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        assert_refused(&browser.post(&world, "/authorize", &form).await, 403);
    }
    assert!(world.grants("web").await.is_empty());
    for (name, value) in [("sec-fetch-site", "same-origin"), ("origin", "https://as.example")] {
        browser.clone().header(name, value).post(&world, "/authorize", &form).await.code();
    }
}

#[tokio::test]
async fn br_08_login_csrf() {
    let world = World::with_pages();
    let (mut attacker, mut victim) = (Browser::new(), Browser::new());
    let page = attacker.get(&world, "/sign-in").await;
    let form = format!("form={}&username=bob&password=secret", encode(&page.field("form")));
    for mut browser in [victim.clone(), Browser::new()] {
        assert_refused(&browser.post(&world, "/sign-in", &form).await, 403);
    }
    victim.get(&world, "/sign-in").await;
    assert_refused(&victim.post(&world, "/sign-in", &form).await, 403);
    assert_refused(&victim.post(&world, "/sign-in", "username=bob&password=secret").await, 400);
    let mut own = victim.clone().header("sec-fetch-site", "cross-site");
    let page = own.get(&world, "/sign-in").await;
    let form = format!("form={}&username=bob&password=secret", encode(&page.field("form")));
    assert_refused(&own.post(&world, "/sign-in", &form).await, 403);
    assert!(!victim.cookies.contains_key(SESSION_COOKIE) && !own.cookies.contains_key(SESSION_COOKIE));
}

#[tokio::test]
async fn br_09_clickjacking() {
    for (name, reply) in all_answers(&World::with_pages()).await {
        if reply.status == 303 && reply.body.is_empty() {
            continue;
        }
        assert_eq!(reply.header("x-frame-options"), Some("DENY"), "{name}");
        let csp = reply.header("content-security-policy").unwrap_or_default();
        assert!(
            csp.contains("frame-ancestors 'none'") && csp.contains("default-src 'none'"),
            "{name}: {csp}"
        );
        assert!(!csp.contains("unsafe"), "{name}: {csp}");
        assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{name}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{name}");
    }
    // The pages of an app that sets nothing are guarded too.
    let world = World::new();
    let consent = Browser::signed_in("alice").authorize(&world, Query::of("web")).await;
    assert_eq!((consent.status, consent.header("x-frame-options")), (200, Some("DENY")));
}

#[tokio::test]
async fn br_11_no_third_party_content() {
    for (name, reply) in all_answers(&World::with_pages()).await {
        let page = reply.body.to_ascii_lowercase();
        for never in
            ["<script", "<img", "<iframe", "<link", "src=", "url(", "@import", "href=\"http", "href=\"//"]
        {
            assert!(!page.contains(never), "{name}: {never}: {page}");
        }
        for address in page.match_indices("href=\"").chain(page.match_indices("action=\"")) {
            let at = address.0 + address.1.len();
            assert!(page[at..].starts_with('/') && !page[at..].starts_with("//"), "{name}: {page}");
        }
    }
}

#[tokio::test]
async fn br_12_session_fixation() {
    let world = World::with_pages();
    let (mut attacker, mut victim) = (Browser::new(), Browser::new());
    sign_in(&world, &mut attacker, "/sign-in", "bob").await;
    let planted = attacker.cookies[SESSION_COOKIE].clone();
    victim.cookies.insert(SESSION_COOKIE.into(), planted.clone());
    // Somebody signs in where the planted session is alive: a new one begins, the planted one is dead.
    let query = Query::of("web").set("prompt", "login");
    world.clock.advance(std::time::Duration::from_secs(5));
    let detour = victim.authorize(&world, &query).await;
    sign_in(&world, &mut victim, detour.location(), "alice").await;
    assert_ne!(victim.cookies[SESSION_COOKIE], planted);
    let mine = victim.authorize(&world, Query::of("web")).await;
    assert!(mine.status == 200 && mine.body.contains("alice"), "{mine:?}");
    assert_eq!(attacker.authorize(&world, Query::of("web")).await.status, 303, "signed out");
    // A session that nobody began is no session.
    let mut victim = Browser::new();
    victim.cookies.insert(SESSION_COOKIE.into(), "A".repeat(43));
    let detour = victim.authorize(&world, Query::of("web")).await;
    sign_in(&world, &mut victim, detour.location(), "alice").await;
    assert_ne!(victim.cookies[SESSION_COOKIE], "A".repeat(43));
}

#[tokio::test]
async fn br_13_session_swap_between_page_and_answer() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    alice.session = Some("one".into());
    let page = alice.authorize(&world, Query::of("web")).await;
    let form = approval(&page);
    type Change = fn(&mut Browser);
    let changes: [Change; 5] = [
        |browser| browser.user = Some("bob".into()),
        |browser| browser.user = None,
        |browser| browser.authenticated_at = Some(attack_tests::START + 1),
        |browser| browser.session = Some("two".into()),
        |browser| browser.session = None,
    ];
    for change in changes {
        let mut other = alice.clone();
        change(&mut other);
        assert_refused(&other.post(&world, "/authorize", &form).await, 403);
        assert_refused(&other.post(&world, "/authorize", &form.replace("approve", "deny")).await, 403);
    }
    assert!(world.grants("web").await.is_empty());
    alice.post(&world, "/authorize", &form).await.code();
}

#[tokio::test]
async fn br_14_cookie_attributes() {
    let mut seen = Vec::new();
    for (name, reply) in all_answers(&World::with_pages()).await {
        for cookie in reply.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.starts_with("__Host-oauth-"), "{name}: {cookie}");
            for attribute in ["; Path=/;", "; HttpOnly;", "; SameSite=Lax", "; Secure"] {
                assert!(format!("{cookie};").contains(attribute), "{name}: {attribute}: {cookie}");
            }
            assert!(!cookie.to_ascii_lowercase().contains("domain"), "{name}: {cookie}");
            seen.push(cookie.split('=').next().unwrap().to_owned());
        }
    }
    assert!(seen.iter().any(|name| name == BROWSER_COOKIE) && seen.iter().any(|name| name == SESSION_COOKIE));
}

#[tokio::test]
async fn br_15_cookie_tossing() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let page = alice.authorize(&world, Query::of("web")).await;
    let (form, own) = (approval(&page), alice.cookies[BROWSER_COOKIE].clone());
    let other = "A".repeat(43);
    let bare = Browser { cookies: Default::default(), ..alice.clone() };
    for cookies in [
        format!("{BROWSER_COOKIE}={own}; {BROWSER_COOKIE}={other}"),
        format!("{BROWSER_COOKIE}={other}; {BROWSER_COOKIE}={own}"),
        format!("{BROWSER_COOKIE}={own}; {BROWSER_COOKIE}={own}"),
        format!("{BROWSER_COOKIE}=; {BROWSER_COOKIE}={own}"),
        format!("{BROWSER_COOKIE}={other}"),
        format!("oauth-browser={own}"),
        format!("__Host-OAuth-Browser={own}"),
        format!("{BROWSER_COOKIE}=\"{own}\""),
        format!("{BROWSER_COOKIE}={own}, x=y"),
        String::new(),
    ] {
        let reply = bare.clone().header("cookie", &cookies).post(&world, "/authorize", &form).await;
        assert_refused(&reply, 403);
    }
    // Two headers, as a proxy may split them.
    let split = bare.header("cookie", &format!("{BROWSER_COOKIE}={own}"));
    let tossed = split.clone().header("cookie", &format!("{BROWSER_COOKIE}={other}"));
    assert_refused(&tossed.clone().post(&world, "/authorize", &form).await, 403);
    assert!(world.grants("web").await.is_empty());
    split.header("cookie", "x=y").post(&world, "/authorize", &form).await.code();
}

#[tokio::test]
async fn br_16_consent_is_bound_to_client_and_scope() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let narrow = |client: &str| Query::of(client).set("scope", "read").set("resource", API1);
    let page = alice.authorize(&world, narrow("web")).await;
    // The approval of one client at another's request is an approval of the first.
    let form = format!("{}&client_id=web2", approval(&page));
    alice.post(&world, &format!("/authorize?{}", narrow("web2")), &form).await.code();
    assert!(world.grants("web2").await.is_empty());
    assert_eq!(world.grants("web").await.len(), 1);
    // What was allowed is not asked again; whatever goes beyond is.
    alice.authorize(&world, narrow("web")).await.code();
    for wider in [
        narrow("web").set("scope", "read write"),
        narrow("web").set("resource", API2),
        narrow("web").add("resource", API2),
        narrow("web").without("scope"),
        narrow("web").without("resource"),
        narrow("web2"),
    ] {
        let asked = alice.authorize(&world, &wider).await;
        assert_eq!(asked.status, 200, "{wider}: {asked:?}");
        let silent = alice.authorize(&world, wider.set("prompt", "none")).await;
        assert!(silent.param("error").is_some() && silent.param("code").is_none(), "{silent:?}");
    }
    assert_eq!(alice.authorize(&world, narrow("web").set("prompt", "consent")).await.status, 200);
    let bob = Browser::signed_in("bob").authorize(&world, narrow("web")).await;
    assert_eq!(bob.status, 200, "bob has allowed nothing");
    // A native client could be any program on the device: it is asked about each time.
    for uri in ["com.example.cli:/cb", "http://127.0.0.1:9/cb"] {
        let native = Query::of("cli").set("redirect_uri", uri);
        alice.approve(&world, &native).await.code();
        assert_eq!(alice.authorize(&world, &native).await.status, 200, "{uri}");
    }
}

#[tokio::test]
async fn br_17_a_detour_returns_to_the_browser_that_left() {
    let world = World::new();
    world.clock.advance(std::time::Duration::from_secs(100));
    let query = Query::of("web").set("prompt", "login");
    let mut attacker = Browser::signed_in("bob");
    let detour = attacker.authorize(&world, &query).await;
    let return_to = detour.param("return_to").unwrap();
    world.clock.advance(std::time::Duration::from_secs(100));
    attacker.authenticated_at = Some(attack_tests::START + 150);
    assert_eq!(attacker.get(&world, &return_to).await.status, 200, "it works where it was made");
    // In the browser of somebody who has signed in since, it proves nothing: they are asked to sign in.
    let mut victim = Browser::signed_in("alice");
    victim.authenticated_at = Some(attack_tests::START + 150);
    for _ in 0..2 {
        let reply = victim.get(&world, &return_to).await;
        assert!(reply.location().starts_with("/login?"), "{reply:?}");
    }
    assert!(world.grants("web").await.is_empty());
}

#[tokio::test]
async fn br_18_nothing_is_kept() {
    let world = World::with_pages();
    for (name, reply) in all_answers(&world).await {
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{name}");
        assert_eq!(reply.header("pragma"), Some("no-cache"), "{name}");
    }
    let world = World::new();
    let tokens = world.tokens("web").await;
    let token = format!("token={}", tokens.access);
    for (path, form) in
        [("/token", World::refreshment(&tokens.refresh)), ("/introspect", token.clone()), ("/revoke", token)]
    {
        let good = world.post_as("web", path, &form).await;
        assert_eq!(good.status, 200, "{path}");
        for reply in [
            good,
            world.post_as("web", path, "").await,
            world.get(path).await,
            world.post(path, &[], &form).await,
        ] {
            assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
            assert_eq!(reply.header("pragma"), Some("no-cache"), "{path}");
        }
    }
    assert_json(&world.post("/introspect", &[("content-type", "x")], "").await, 415, "invalid_request");
}

#[tokio::test]
async fn br_19_no_referrer() {
    for (name, reply) in all_answers(&World::with_pages()).await {
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "{name}");
    }
}

#[tokio::test]
async fn br_20_form_post_and_web_message() {
    let world = World::new();
    let state = "\"><script>alert(1)</script>";
    let query = Query::of("web").set("state", state);
    for mode in ["form_post", "web_message"] {
        let reply =
            Browser::signed_in("alice").authorize(&world, query.clone().set("response_mode", mode)).await;
        assert_redirect(&reply, APP, "invalid_request", Some(state));
        assert!(reply.body.is_empty(), "{reply:?}");
    }
    let reply = Browser::signed_in("alice").approve(&world, &query).await;
    reply.code();
    assert_eq!(reply.param("state").as_deref(), Some(state));
    assert!(!reply.location().contains(['"', '<', '>', '(']) && reply.body.is_empty(), "{reply:?}");
}

#[tokio::test]
async fn br_22_forced_sign_out_and_redirects() {
    let world = World::with_pages();
    let mut alice = Browser::new();
    sign_in(&world, &mut alice, "/sign-in", "alice").await;
    let hostile = "post_logout_redirect_uri=https%3A%2F%2Fevil.example&id_token_hint=x&return_to=//evil.example&decision=sign_out";
    let asked = alice.get(&world, &format!("/sign-out?{hostile}")).await;
    assert_eq!(asked.status, 200);
    assert!(!asked.body.contains("evil"), "{asked:?}");
    for form in [hostile, "decision=sign_out", "form=x&decision=sign_out"] {
        assert_refused(&alice.post(&world, "/sign-out", form).await, 400);
    }
    let mut other = Browser::new();
    let mine = sign_in(&world, &mut other, "/sign-in", "bob").await;
    assert_eq!(mine.status, 303);
    let foreign = other.get(&world, "/sign-out").await;
    let form = format!("form={}&decision=sign_out", encode(&foreign.field("form")));
    assert_refused(&alice.post(&world, "/sign-out", &form).await, 403);
    // The token of another page of the same browser is none.
    let elsewhere = Browser {
        cookies: [(BROWSER_COOKIE.into(), alice.cookies[BROWSER_COOKIE].clone())].into(),
        ..Browser::new()
    }
    .get(&world, "/sign-in")
    .await;
    let form = format!("form={}&decision=sign_out", encode(&elsewhere.field("form")));
    assert_refused(&alice.post(&world, "/sign-out", &form).await, 403);
    assert_eq!(alice.authorize(&world, Query::of("web")).await.status, 200, "still signed in");
    let form = format!("form={}&{hostile}", encode(&asked.field("form")));
    let done = alice.post(&world, "/sign-out", &form).await;
    assert_eq!((done.status, done.header("location")), (200, None));
    assert_eq!(alice.authorize(&world, Query::of("web")).await.status, 303, "signed out");
}
