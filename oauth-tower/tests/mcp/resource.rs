//! Which resource a token is for (RFC 8707), by one registry.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use http::Request;
use oauth_core::server::{BuildError, RegisteredResource, Server};
use oauth_tower::bearer::BearerLayer;
use oauth_tower::protected_resource::UnknownResource;
use oauth_tower::server::{AuthorizationServerLayer, AuthorizationServerService};
use serde_json::{Value, json};
use tower::Layer;

use crate::support::{VERIFIER, empty, host, post, send};
use crate::world::{CALLBACK, CLIENT, MCP, ORIGIN, builder};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn service(server: &Arc<Server>) -> AuthorizationServerService {
    AuthorizationServerLayer::new(server.clone()).host(host()).into_service()
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Who asks: the client with the document, or the one that the host has registered.
const CLIENTS: [(&str, &str); 2] = [(CLIENT, CALLBACK), ("app", "https://app.example/cb")];

fn with_cookie<B>(mut request: Request<B>, cookie: &str) -> Request<B> {
    request.headers_mut().insert("x-user", "alice".parse().unwrap());
    if !cookie.is_empty() {
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
    }
    request
}

/// Where the client is sent when alice agrees to all that is asked, or is sent with an error.
async fn authorize(server: &Arc<Server>, (client, callback): (&str, &str), more: &str) -> String {
    let service = service(server);
    let uri = format!(
        "/authorize?response_type=code&client_id={}&redirect_uri={}&code_challenge={CHALLENGE}\
         &code_challenge_method=S256&state=s{more}",
        encode(client),
        encode(callback)
    );
    let page = send(&service, with_cookie(empty("GET", &uri), "")).await;
    if page.headers.contains_key("location") {
        return page.header("location").to_owned();
    }
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let ticket =
        page.text().split("name=\"ticket\" value=\"").nth(1).expect("a consent page").split('"').next();
    let form = format!("ticket={}&decision=approve", encode(ticket.unwrap()));
    let answer = send(&service, with_cookie(post("/authorize", &form), &cookie)).await;
    answer.header("location").to_owned()
}

async fn redeem(server: &Arc<Server>, form: String) -> Value {
    send(&service(server), post("/token", &form)).await.json()
}

async fn tokens(server: &Arc<Server>, client: (&str, &str), at_authorize: &str, at_token: &str) -> Value {
    let location = authorize(server, client, at_authorize).await;
    let code =
        location.split("code=").nth(1).unwrap_or_else(|| panic!("{location}")).split('&').next().unwrap();
    let (id, callback) = (encode(client.0), encode(client.1));
    let form = format!(
        "grant_type=authorization_code&client_id={id}&redirect_uri={callback}&code_verifier={VERIFIER}&code={code}{at_token}"
    );
    redeem(server, form).await
}

/// An access token of the client with the document.
pub(crate) async fn token(server: &Arc<Server>, more: &str) -> String {
    tokens(server, CLIENTS[0], more, "").await["access_token"].as_str().unwrap().to_owned()
}

/// What a token is for.
async fn audience(server: &Arc<Server>, tokens: &Value) -> Vec<String> {
    let token = tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}"));
    let token = server.verify(token).await.unwrap();
    token.resources.iter().map(|resource| resource.as_str().to_owned()).collect()
}

#[tokio::test]
async fn the_only_resource_is_meant_however_it_is_written_or_not() {
    let server = builder(ORIGIN).build().unwrap();
    for client in CLIENTS {
        for resource in [
            String::new(),
            format!("&resource={}", encode(MCP)),
            format!("&resource={}&resource={}", encode(MCP), encode(MCP)),
            format!("&resource={}", encode("https://H.example/mcp")),
            format!("&resource={}", encode("https://h.example/mcp?client=codex")),
        ] {
            let answer = tokens(&server, client, &resource, &resource).await;
            assert_eq!(audience(&server, &answer).await, [MCP], "{client:?} {resource}");
        }
        for resource in [
            "https://h.example/",
            "https://h.example/mcp/x",
            "https://h.example/mcp?client=codex#part",
            "https://evil.example/mcp",
            "nonsense",
        ] {
            let location = authorize(&server, client, &format!("&resource={}", encode(resource))).await;
            assert!(location.contains("error=invalid_target"), "{resource}: {location}");
            assert!(location.contains("iss="), "{location}");
        }
    }
}

#[tokio::test]
async fn one_slash_after_an_empty_path_does_not_count_and_is_not_in_the_audience() {
    let server = Server::builder(ORIGIN, oauth_storage_memory::MemoryStore::new())
        .mcp("https://h.example", crate::world::Host)
        .scope("read", "read")
        .build()
        .unwrap();
    for asked in ["https://h.example", "https://h.example/"] {
        let answer = tokens(&server, CLIENTS[0], &format!("&resource={}", encode(asked)), "").await;
        assert_eq!(audience(&server, &answer).await, ["https://h.example"]);
    }
}

#[tokio::test]
async fn of_several_a_request_names_some_and_a_refresh_fewer() {
    let files = "https://h.example/files";
    let server = builder(ORIGIN).resource(files).build().unwrap();
    let both = format!("&resource={}&resource={}", encode(MCP), encode(files));
    for client in CLIENTS {
        let location = authorize(&server, client, "").await;
        assert!(location.contains("error=invalid_target"), "{location}");

        let first = tokens(&server, client, &both, &format!("&resource={}", encode(files))).await;
        assert_eq!(audience(&server, &first).await, [files]);
        let id = encode(client.0);
        let mut refresh = first["refresh_token"].as_str().unwrap().to_owned();
        for (resource, expected) in [
            (String::new(), &[MCP, files][..]),
            (format!("&resource={}", encode(MCP)), &[MCP]),
            (format!("&resource={}", encode("https://h.example/mcp?x=1")), &[MCP]),
        ] {
            let form = format!("grant_type=refresh_token&client_id={id}&refresh_token={refresh}{resource}");
            let answer = redeem(&server, form).await;
            assert_eq!(audience(&server, &answer).await, expected, "{resource}");
            refresh = answer["refresh_token"].as_str().unwrap().to_owned();
        }
        let other = encode("https://elsewhere.example");
        let form =
            format!("grant_type=refresh_token&client_id={id}&refresh_token={refresh}&resource={other}");
        assert_eq!(redeem(&server, form).await["error"], json!("invalid_target"));
    }
}

#[test]
fn a_layer_for_a_resource_that_nobody_registered_is_a_mistake_that_says_so() {
    let server = builder(ORIGIN).build().unwrap();
    let unknown = BearerLayer::registered(server.clone(), "https://h.example/mpc").unwrap_err();
    assert!(
        unknown.to_string().contains(r#"Server::builder(..).resource("https://h.example/mpc")"#),
        "{unknown}"
    );
    assert!(matches!(oauth_tower::mcp::guard(server.clone(), "x"), Err(UnknownResource { .. })));

    let layer = BearerLayer::new(server.clone()).resource("https://h.example/mpc");
    let mistake = catch_unwind(AssertUnwindSafe(|| drop(layer.layer(())))).unwrap_err();
    let said = mistake.downcast_ref::<String>().expect("words");
    assert!(said.contains("https://h.example/mpc") && said.contains(".resource("), "{said}");
    drop(BearerLayer::new(server).resource("HTTPS://h.example/mcp").layer(()));
}

#[tokio::test]
async fn what_is_advertised_to_all_is_ignored_where_the_host_did_not_give_it() {
    let server = builder(ORIGIN).build().unwrap();
    let location = authorize(&server, CLIENTS[1], "&scope=read+write+offline_access").await;
    assert!(location.contains("code="), "{location}");
    let first = tokens(&server, CLIENTS[1], "&scope=read+offline_access", "").await;
    assert_eq!(first["scope"], "read");
    let refresh = first["refresh_token"].as_str().unwrap();
    let form =
        format!("grant_type=refresh_token&client_id=app&refresh_token={refresh}&scope=read+offline_access");
    assert_eq!(redeem(&server, form).await["scope"], "read");
    for too_much in ["read+admin", "read+admin+offline_access", "offline_access"] {
        let location = authorize(&server, CLIENTS[1], &format!("&scope={too_much}")).await;
        assert!(location.contains("error=invalid_scope"), "{too_much}: {location}");
    }
}

#[test]
fn a_registry_names_each_resource_once() {
    let twice = builder(ORIGIN).resource("https://H.example/mcp").build().unwrap_err();
    assert!(matches!(twice, BuildError::DuplicateResource(_)), "{twice}");
    let no_uri = builder(ORIGIN).resource("/mcp").build().unwrap_err();
    assert!(matches!(no_uri, BuildError::ServerResource { .. }), "{no_uri}");
    let no_scope = RegisteredResource::new("https://h.example/x").scopes("a\"b");
    assert!(matches!(builder(ORIGIN).resource(no_scope).build().unwrap_err(), BuildError::Scope { .. }));
}
