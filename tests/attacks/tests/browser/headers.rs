//! What the pages' headers say.

use super::*;

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
