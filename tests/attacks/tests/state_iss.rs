//! Attacks on who answers: `state`, `iss`, the metadata, and ids that pose as others.

use attack_tests::{
    APP, Browser, ISSUER, Query, VERIFIER, World, assert_json, assert_redirect, encode, secret,
};
use http::{Method, Request};
use http_body_util::Full;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::server::Server;
use oauth_storage_memory::MemoryStore;
use oauth_tower::login_page::LoginPage;
use oauth_tower::server::AuthorizationServerLayer;
use tower::ServiceExt;
use tower_layer::Layer;

#[tokio::test]
async fn mx_01_iss_in_success() {
    let world = World::new();
    let reply = Browser::signed_in("alice").approve(&world, Query::of("web")).await;
    let metadata = world.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(reply.param("iss").as_deref(), metadata["issuer"].as_str());
    assert!(reply.location().ends_with("&iss=https%3A%2F%2Fas.example"), "{}", reply.location());
}

#[tokio::test]
async fn mx_02_iss_in_error() {
    let world = World::new();
    let mut browser = Browser::signed_in("alice");
    let page = browser.authorize(&world, Query::of("web")).await;
    let denied = browser.decide(&world, &page, "deny").await;
    assert_redirect(&denied, APP, "access_denied", Some("s-1"));
    let query = Query::of("web").set("scope", "bogus");
    assert_redirect(&browser.authorize(&world, query).await, APP, "invalid_scope", Some("s-1"));
    let query = Query::of("web").set("prompt", "none");
    assert_redirect(&browser.authorize(&world, query).await, APP, "consent_required", Some("s-1"));
    assert!(world.grants("web").await.is_empty());
}

#[tokio::test]
async fn mx_03_iss_in_all_response_modes() {
    let world = World::new();
    let metadata = world.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["response_modes_supported"], serde_json::json!(["query"]));
    let query = Query::of("web").set("response_mode", "query");
    Browser::signed_in("alice").approve(&world, &query).await.code();
    for mode in ["form_post", "fragment", "jwt"] {
        let reply =
            Browser::signed_in("alice").authorize(&world, query.clone().set("response_mode", mode)).await;
        assert_redirect(&reply, APP, "invalid_request", Some("s-1"));
    }
}

#[tokio::test]
async fn mx_04_metadata_tells_the_truth() {
    let world = World::new();
    let reply = world.get("/.well-known/oauth-authorization-server").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    let metadata = reply.json();
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    assert_eq!(metadata["issuer"], ISSUER);
    for (member, method) in [
        ("authorization_endpoint", Method::GET),
        ("token_endpoint", Method::POST),
        ("revocation_endpoint", Method::POST),
        ("introspection_endpoint", Method::POST),
        ("jwks_uri", Method::GET),
    ] {
        let url = metadata[member].as_str().unwrap_or_else(|| panic!("no {member}: {metadata}"));
        let path = url.strip_prefix(ISSUER).unwrap();
        let reply = Browser::new().send(&world, method, path, None, "").await;
        assert!(!reply.is_from_app() && ![404, 405].contains(&reply.status), "{member}: {reply:?}");
    }
    assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(metadata["response_types_supported"], serde_json::json!(["code"]));
    // Without an authorization endpoint there is no response that could carry it.
    let bare = AuthorizationServerLayer::new(world.server.clone());
    let bare = World::mounted(world.server.clone(), world.clock.clone(), bare);
    let metadata = bare.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], false);
    assert!(metadata.get("authorization_endpoint").is_none());
    assert!(bare.get("/authorize").await.is_from_app());
}

#[tokio::test]
async fn mx_05_state_comes_back_exactly() {
    let world = World::new();
    for (raw, state) in [
        ("a%2Bb%20c%26d%3De%25", "a+b c&d=e%"),
        ("a+b", "a b"),
        ("%2525", "%25"),
        ("%22%3C%3E%27%5C", "\"<>'\\"),
        ("%26code%3Devil%26iss%3Dx%23f", "&code=evil&iss=x#f"),
        ("%20", " "),
        ("~.-_", "~.-_"),
        ("eyJ%3D%3D", "eyJ=="),
    ] {
        let query = Query::of("web").set_raw("state", raw);
        let reply = Browser::signed_in("alice").approve(&world, &query).await;
        reply.code();
        assert_eq!(reply.param("state").as_deref(), Some(state));
        let error = Browser::new().authorize(&world, query.set("prompt", "none")).await;
        assert_redirect(&error, APP, "login_required", Some(state));
    }
}

/// A server of the tenant, which shares the origin with another.
fn tenant(name: &str) -> AuthorizationServerLayer {
    let issuer = format!("{ISSUER}/{name}");
    let clock = ManualClock::new(Timestamp::from_secs(attack_tests::START));
    let client = Client::machine("m2m", &ClientSecret::from_text(secret("m2m")));
    let server = Server::builder(issuer, MemoryStore::new()).clock(clock).client(client).build().unwrap();
    AuthorizationServerLayer::new(server).host(LoginPage::at("/login", |_| async { Ok(None) }))
}

#[tokio::test]
async fn mx_07_metadata_of_tenants() {
    let both = tenant("t1").layer(tenant("t2").layer(attack_tests::App));
    let get = |path: &'static str| {
        let service = both.clone();
        async move {
            let request = Request::get(path).body(Full::<bytes::Bytes>::default()).unwrap();
            let response = service.oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
            (status, String::from_utf8(body.to_vec()).unwrap())
        }
    };
    for tenant in ["t1", "t2"] {
        let path: &'static str = match tenant {
            "t1" => "/.well-known/oauth-authorization-server/t1",
            _ => "/.well-known/oauth-authorization-server/t2",
        };
        let (status, body) = get(path).await;
        assert_eq!(status, 200);
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(json["issuer"], format!("{ISSUER}/{tenant}"));
        assert_eq!(json["token_endpoint"], format!("{ISSUER}/{tenant}/token"));
    }
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/t3",
        "/.well-known/oauth-authorization-server/../t2",
        "/.well-known/oauth-authorization-server/t1/../t2",
        "/.well-known/oauth-authorization-server/T1",
        "/.well-known/oauth-authorization-server/t1%2f..%2ft2",
        "/.well-known/oauth-authorization-server//t1",
        "/t1/.well-known/openid-configuration",
        "/.well-known/openid-configuration/t1",
    ] {
        let (status, body) = get(path).await;
        assert_eq!((status, &*body), (404, r#"{"error":"not_found"}"#), "{path}");
    }
}

#[tokio::test]
async fn mx_08_state_is_not_taken_from_the_form() {
    let world = World::new();
    let mut browser = Browser::signed_in("alice");
    let page = browser.authorize(&world, Query::of("web")).await;
    let form = format!("ticket={}&decision=approve&state=other", encode(&page.field("ticket")));
    let reply = browser.post(&world, "/authorize?state=other", &form).await;
    reply.code();
    assert_eq!(reply.param("state").as_deref(), Some("s-1"));
    // Also where the request had none.
    let page = browser.authorize(&world, Query::of("web2").without("state")).await;
    let form = format!("ticket={}&decision=approve&state=other", encode(&page.field("ticket")));
    let reply = browser.post(&world, "/authorize", &form).await;
    reply.code();
    assert_eq!(reply.param("state"), None);
}

#[tokio::test]
async fn mx_09_a_client_that_is_called_like_a_user() {
    let key = ClientSecret::from_text(secret("alice"));
    let alice = Client::confidential("alice", &key)
        .name("alice")
        .redirect_uri(APP)
        .grant_types(["authorization_code", "client_credentials"])
        .resource(attack_tests::API1);
    let world = World::with(|builder| builder.client(alice));
    let own = world.token("alice", "grant_type=client_credentials").await.text("access_token");
    let for_user = world.tokens("web").await.access;
    let introspect =
        async |token: &str| world.post_as("rs1", "/introspect", &format!("token={token}")).await.json();
    let (own, for_user) = (introspect(&own).await, introspect(&for_user).await);
    assert_eq!((own["sub"].as_str(), own["client_id"].as_str()), (Some("alice"), Some("alice")));
    assert!(own.get("auth_time").is_none(), "{own}");
    assert_eq!((for_user["sub"].as_str(), for_user["client_id"].as_str()), (Some("alice"), Some("web")));
    assert_eq!(for_user["auth_time"], attack_tests::START);
    // Ending what the user has ends nothing of the client, and the other way round.
    let listed = world.server.grants().list(oauth_core::storage::Index::Subject("alice")).await.unwrap();
    assert!(listed.iter().all(|grant| &*grant.client_id == "web"), "{listed:?}");
    let form = format!("grant_type=authorization_code&code=x&code_verifier={VERIFIER}");
    assert_json(&world.token("alice", &form).await, 400, "invalid_grant");
}
