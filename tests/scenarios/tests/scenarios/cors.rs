//! A client that runs in a browser (draft-ietf-oauth-browser-based-apps): scripts of any origin, without cookies.

use http::Request;
use oauth_core::server::DynamicRegistration;
use scenario_tests::{Reply, Setup, World, encode};

const ORIGIN: &str = "https://app.example";

/// What a browser asks before a script may send its request (Fetch §4.8).
async fn preflight(world: &World, method: &str, path: &str, headers: &str) -> Reply {
    let request = Request::options(world.net.url(path))
        .header("origin", ORIGIN)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", headers)
        .header("sec-fetch-mode", "cors");
    world.net.send(request.body(Vec::new()).unwrap()).await
}

/// Whether a browser would let the script go on, and read the answer. Without credentials `*` is enough.
fn lets_through(reply: &Reply, method: &str, headers: &str) -> bool {
    let list = |name| -> Vec<String> {
        reply.header(name).split(',').map(|item| item.trim().to_ascii_lowercase()).collect()
    };
    let methods = list("access-control-allow-methods");
    let allowed = list("access-control-allow-headers");
    reply.status.is_success()
        && matches!(reply.header("access-control-allow-origin"), "*" | ORIGIN)
        && (methods.contains(&"*".to_owned()) || methods.contains(&method.to_ascii_lowercase()))
        && headers.split(',').all(|header| allowed.contains(&header.to_owned()))
}

#[tokio::test]
async fn scripts_may_call_what_clients_call() {
    let registration = DynamicRegistration::open();
    let world = Setup::new().server(|server| server.dynamic_registration(registration)).start().await;
    for (method, path, headers) in [
        ("POST", "/register", "content-type,mcp-protocol-version"),
        ("PUT", "/register/some-client", "authorization,content-type"),
        ("DELETE", "/register/some-client", "authorization"),
        ("POST", "/token", "authorization,content-type"),
        ("POST", "/token", "dpop"),
        ("POST", "/revoke", "authorization"),
        ("GET", "/jwks", "x-requested-with"),
        ("GET", "/.well-known/oauth-authorization-server", "mcp-protocol-version"),
        ("GET", "/.well-known/openid-configuration", "mcp-protocol-version"),
        ("GET", "/api/notes", "authorization"),
        ("POST", "/api/notes", "authorization,content-type"),
    ] {
        let reply = preflight(&world, method, path, headers).await;
        assert!(lets_through(&reply, method, headers), "{method} {path}: {reply:?}");
        // Cookies are for the pages alone.
        assert!(reply.header("access-control-allow-credentials").is_empty());
    }
}

#[tokio::test]
async fn no_script_calls_the_pages_or_introspection() {
    let world = World::start().await;
    for (method, path) in
        [("GET", "/authorize"), ("POST", "/authorize"), ("GET", "/sign-in"), ("POST", "/introspect")]
    {
        let reply = preflight(&world, method, path, "content-type").await;
        assert!(!reply.has_cors(), "{path}: {reply:?}");
    }
    for path in ["/authorize?client_id=spa", "/authorize", "/sign-in", "/sign-out"] {
        let request = Request::get(world.net.url(path)).header("origin", ORIGIN);
        let reply = world.net.send(request.body(Vec::new()).unwrap()).await;
        assert!(!reply.has_cors(), "{path}: {reply:?}");
    }
}

#[tokio::test]
async fn a_page_app_lives_from_its_redirect_to_its_end_on_fetch_alone() {
    let world = World::start().await;
    let (app, browser) = (world.app("spa").await, world.browser());
    let (url, waiting) = app.begin("notes:read", &[]);
    let back = browser.go_through(url.as_str(), "alice").await;
    let code = app.code(&back, &waiting);
    let fetch = async |path: &str, form: String| {
        let reply =
            world.net.post(path, &[("origin", ORIGIN), ("sec-fetch-site", "cross-site")], &form).await;
        // An answer that the script may not read is no answer.
        assert_eq!(reply.header("access-control-allow-origin"), "*", "{reply:?}");
        reply
    };
    let verifier = waiting.verifier.secret();
    let form = format!("grant_type=authorization_code&client_id=spa&code={code}&code_verifier={verifier}");
    let tokens = fetch("/token", form.clone()).await;
    assert_eq!(tokens.status, 200);
    let api = Request::get(world.net.url("/api/notes")).header("origin", ORIGIN);
    let api = api.header("authorization", format!("Bearer {}", tokens.member("access_token")));
    let notes = world.net.send(api.body(Vec::new()).unwrap()).await;
    assert_eq!((notes.text(), notes.header("access-control-allow-origin")), ("id-alice", "*"));
    let refused =
        fetch("/token", "grant_type=refresh_token&client_id=spa&refresh_token=junk".to_owned()).await;
    assert_eq!(refused.refusal(), (400, "invalid_grant".to_owned()));
    let end = format!("client_id=spa&token={}", encode(&tokens.member("refresh_token")));
    assert_eq!(fetch("/revoke", end).await.text(), "{}");
    let api = Request::get(world.net.url("/api/notes")).header("origin", ORIGIN);
    let api = api.header("authorization", format!("Bearer {}", tokens.member("access_token")));
    let refused = world.net.send(api.body(Vec::new()).unwrap()).await;
    assert_eq!((refused.status.as_u16(), refused.header("access-control-allow-origin")), (401, "*"));
    assert!(refused.header("access-control-expose-headers").contains("WWW-Authenticate"));
}
