//! What single clients do beyond the usual way.

use http::Request;
use scenario_tests::Reply;
use serde_json::{Value, json};

use super::*;
use crate::documents::Documents;
use crate::known::{Asks, tokens};

const CLAUDE: &str = "https://claude.ai/api/mcp/auth_callback";
const LOOPBACK: Asks<'static> = Asks {
    redirect_uri: "http://127.0.0.1:45678/callback",
    scope: Some("notes:read"),
    resource: &[FILES],
    at_token: &[],
    state: Some("s-1"),
};

fn metadata(redirect_uris: Value) -> Value {
    json!({"client_name": "A client", "redirect_uris": redirect_uris, "token_endpoint_auth_method": "none"})
}

async fn register(world: &World, metadata: &Value) -> Reply {
    let request = Request::post(world.net.url("/register")).header("content-type", "application/json");
    world.net.send(request.body(metadata.to_string().into_bytes()).unwrap()).await
}

#[tokio::test]
async fn a_client_whose_registration_has_run_out_registers_anew() {
    // Hosted clients keep what they once got, and register again on nothing but 401 `invalid_client`.
    let (world, documents) = (world().await, Documents::start().await);
    let registration = Registration::Dynamic(metadata(json!([CLAUDE])));
    let known = Known::new(&world, &documents, &registration).await;
    let asks = Asks { redirect_uri: CLAUDE, ..LOOPBACK };
    let code = known.code(&world, &asks).await;
    let first = tokens(&known.redeem(&world, &code, &asks).await);
    world.clock.advance(std::time::Duration::from_secs(120 * 24 * 3600));
    let refused = known.refresh(&world, &first["refresh_token"], &asks).await;
    assert_eq!(refused.refusal(), (401, "invalid_client".to_owned()));
    let page = world.browser().open(&known.request(&asks)).await.page();
    assert_eq!(page.status, 400);
    assert!(page.shows("This app is not known here"), "{page:?}");
    let again = Known::new(&world, &documents, &registration).await;
    assert_ne!(again.id, known.id);
    again.whole_life(&world, &asks).await;
}

#[tokio::test]
async fn two_processes_of_one_client_refresh_at_once() {
    let (world, documents) = (world().await, Documents::start().await);
    let registration = Registration::Dynamic(metadata(json!(["http://127.0.0.1/callback"])));
    let known = Known::new(&world, &documents, &registration).await;
    let code = known.code(&world, &LOOPBACK).await;
    let first = tokens(&known.redeem(&world, &code, &LOOPBACK).await);
    let refresh = || known.refresh(&world, &first["refresh_token"], &LOOPBACK);
    let (one, two) = tokio::join!(refresh(), refresh());
    assert_eq!(tokens(&one)["refresh_token"], tokens(&two)["refresh_token"]);
    tokens(&known.refresh(&world, &tokens(&two)["refresh_token"], &LOOPBACK).await);
}

#[tokio::test]
async fn one_bad_redirect_uri_among_good_ones_is_told_by_name_as_json() {
    let world = world().await;
    let good = "cursor://anysphere.cursor-mcp/oauth/callback";
    for bad in ["http://evil.example/callback", "javascript:alert(1)", "https://*.example/cb"] {
        let refused = register(&world, &metadata(json!([good, bad, "http://localhost:8787/callback"]))).await;
        assert_eq!(refused.refusal(), (400, "invalid_redirect_uri".to_owned()));
        let description = refused.member("error_description");
        assert!(description.contains(bad) && !description.contains("anysphere"), "{description}");
        assert!(refused.header("location").is_empty());
    }
}

#[tokio::test]
async fn a_slash_matters_where_only_the_port_may_differ() {
    let (world, documents) = (world().await, Documents::start().await);
    let registration = Registration::Dynamic(metadata(json!(["http://127.0.0.1:33418/"])));
    let known = Known::new(&world, &documents, &registration).await;
    for uri in ["http://127.0.0.1:33418", "http://127.0.0.1:33418/x", "http://localhost:33418/"] {
        let page = world.browser().open(&known.request(&Asks { redirect_uri: uri, ..LOOPBACK })).await.page();
        assert!(page.shows("does not lead back to the app"), "{uri}: {page:?}");
    }
}

#[tokio::test]
async fn a_client_on_a_web_page_reads_every_answer() {
    const ORIGIN: &str = "http://localhost:6274";
    let world = world().await;
    let metadata = metadata(json!(["http://localhost:6274/oauth/callback"])).to_string();
    for (method, path) in [
        ("GET", "/.well-known/oauth-authorization-server"),
        ("GET", "/.well-known/openid-configuration"),
        ("POST", "/register"),
        ("POST", "/token"),
        ("POST", "/revoke"),
    ] {
        let headers = "content-type,authorization,mcp-protocol-version";
        let preflight = Request::options(world.net.url(path))
            .header("origin", ORIGIN)
            .header("access-control-request-method", method)
            .header("access-control-request-headers", headers);
        let reply = world.net.send(preflight.body(Vec::new()).unwrap()).await;
        assert!(reply.status.is_success(), "{path}: {reply:?}");
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        assert!(reply.header("access-control-allow-methods").contains(method));
        assert_eq!(reply.header("access-control-allow-headers"), headers);

        let request = Request::builder().method(method).uri(world.net.url(path)).header("origin", ORIGIN);
        let request = request.header("content-type", "application/json");
        let body = if method == "POST" { metadata.clone().into_bytes() } else { Vec::new() };
        let reply = world.net.send(request.body(body).unwrap()).await;
        assert_eq!(reply.header("access-control-allow-origin"), "*", "{path}: {reply:?}");
        reply.json();
    }
    let page = world.net.get("/authorize").await;
    assert!(!page.has_cors());
}
