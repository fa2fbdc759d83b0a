//! Metadata (RFC 8414): what is promised is there, for issuers with and without a path.

use scenario_tests::{Setup, World};
use serde_json::Value;

/// Every advertised URL answers as its endpoint, not as the app around it.
async fn every_endpoint_answers(world: &World, metadata: &Value) {
    let issuer = world.issuer();
    assert_eq!(metadata["issuer"], issuer);
    let mut urls = 0;
    for (name, value) in metadata.as_object().unwrap() {
        let Some(url) = value.as_str().filter(|_| name.ends_with("_endpoint") || name.ends_with("_uri"))
        else {
            continue;
        };
        urls += 1;
        assert!(url.starts_with(&format!("{issuer}/")), "{name}: {url}");
        let reply = match name.as_str() {
            "authorization_endpoint" => {
                let page = world.net.get(url).await;
                assert_eq!((page.status.as_u16(), page.header("x-frame-options")), (400, "DENY"), "{page:?}");
                continue;
            }
            "jwks_uri" => {
                assert!(world.net.get(url).await.json()["keys"].is_array());
                continue;
            }
            "token_endpoint" => world.net.post(url, &[], "grant_type=authorization_code&client_id=spa").await,
            _ => world.net.post(url, &[], "token=x").await,
        };
        assert!(matches!(reply.status.as_u16(), 400 | 401), "{name}: {reply:?}");
        assert!(reply.json()["error"].is_string(), "{name}: {reply:?}");
        let read = world.net.get(url).await;
        assert_eq!((read.status.as_u16(), read.header("allow")), (405, "POST, OPTIONS"), "{name}");
    }
    assert_eq!(urls, 5);
}

/// The list members of the metadata are what the server does.
fn lists_are_true(metadata: &Value) {
    let list = |name: &str| -> Vec<String> { serde_json::from_value(metadata[name].clone()).unwrap() };
    assert_eq!(list("response_types_supported"), ["code"]);
    assert_eq!(list("code_challenge_methods_supported"), ["S256"]);
    assert_eq!(list("response_modes_supported"), ["query"]);
    assert_eq!(list("scopes_supported"), ["notes:read", "notes:write", "profile"]);
    let mut grants = list("grant_types_supported");
    grants.sort();
    assert_eq!(grants, ["authorization_code", "client_credentials", "refresh_token"]);
    for (endpoint, methods) in [
        ("token", &["client_secret_basic", "client_secret_post", "private_key_jwt", "none"][..]),
        ("revocation", &["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]),
        ("introspection", &["client_secret_basic", "client_secret_post", "private_key_jwt"]),
    ] {
        assert_eq!(list(&format!("{endpoint}_endpoint_auth_methods_supported")), methods);
    }
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
}

#[tokio::test]
async fn an_issuer_without_a_path() {
    for setup in [Setup::new(), Setup::new().on_loopback()] {
        let world = setup.start().await;
        let metadata = world.net.get("/.well-known/oauth-authorization-server").await.json();
        every_endpoint_answers(&world, &metadata).await;
        lists_are_true(&metadata);
    }
}

#[tokio::test]
async fn an_issuer_with_a_path() {
    let world = Setup::new().path("/t1").start().await;
    // RFC 8414 §3.1: between the host and the path, not behind it.
    let metadata = world.net.get("/.well-known/oauth-authorization-server/t1").await.json();
    every_endpoint_answers(&world, &metadata).await;
    for other in ["/.well-known/oauth-authorization-server", "/t1/.well-known/oauth-authorization-server"] {
        let reply = world.net.get(other).await;
        assert_eq!(reply.refusal(), (404, "not_found".to_owned()), "{other}");
    }
    let app = world.app("web").await;
    let tokens = app.obtain(&world.browser(), "alice", "notes:read", &[]).await;
    assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.status, 200);
}

#[tokio::test]
async fn clients_that_ask_for_the_openid_document_first_get_a_clean_404() {
    let world = Setup::new().mount(|layer, api| api.fallback(async || "<html>").layer(layer)).start().await;
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-protected-resource"] {
        assert_eq!(world.net.get(path).await.refusal(), (404, "not_found".to_owned()));
    }
}

#[tokio::test]
async fn endpoints_that_are_moved_or_left_out() {
    use oauth_core::metadata::Endpoint;
    let setup = Setup::new().layer(|layer| {
        layer
            .path(Endpoint::Token, "/oauth/token")
            .path(Endpoint::Authorize, "/oauth/authorize")
            .without(Endpoint::Introspect)
    });
    let world = setup.start().await;
    let metadata = world.net.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["token_endpoint"], "https://auth.example/oauth/token");
    assert!(metadata.get("introspection_endpoint").is_none());
    assert!(metadata.get("introspection_endpoint_auth_methods_supported").is_none());
    for gone in ["/token", "/introspect", "/authorize"] {
        assert_eq!(world.net.get(gone).await.status, 404, "{gone}");
    }
    // The way through the pages leads to the moved endpoint.
    let request = "/oauth/authorize?response_type=code&client_id=spa&scope=notes:read&state=s\
                   &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let back = world.browser().go_through(request, "alice").await;
    assert!(back.as_str().starts_with("https://app.example/callback?code="), "{back}");
}
