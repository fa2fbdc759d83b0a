//! Clients that describe themselves: where a link of theirs may lead, and how many documents it may cause to be fetched.

use std::net::SocketAddr;
use std::time::Duration;

use attack_tests::{
    API1, Browser, Documents, Query, Reply, World, assert_json, assert_redirect, assert_refused,
};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use oauth_core::server::ClientIdMetadataDocuments;
use serde_json::json;

const ID: &str = "https://c.example/client.json";
const CALLBACK: &str = "https://c.example/cb";

/// A server that takes documents, and a document at each of these URLs.
fn serving(urls: &[&str]) -> (World, Documents) {
    let documents = Documents::default();
    for url in urls {
        let document = json!({
            "client_id": url,
            "client_name": "The Client",
            "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": "none",
        });
        documents.put(url, document);
    }
    let world = World::with(|builder| {
        builder
            .resource(API1)
            .document_fetcher(documents.clone())
            .client_id_metadata_documents(ClientIdMetadataDocuments::new())
    });
    (world, documents)
}

fn query(client_id: &str) -> Query {
    Query::of(client_id).set("redirect_uri", CALLBACK)
}

#[tokio::test]
async fn ru_49_no_link_leads_straight_to_a_strangers_page() {
    let (world, _) = serving(&[ID]);
    for (request, error) in [
        (query(ID).set("response_type", "token"), "unsupported_response_type"),
        (query(ID).without("code_challenge"), "invalid_request"),
        (query(ID).set("resource", "https://other.example"), "invalid_target"),
        (query(ID).set("prompt", "none"), "login_required"),
        (query(ID).set("prompt", "none login"), "invalid_request"),
    ] {
        let reply = Browser::new().authorize(&world, &request).await;
        assert_refused(&reply, 400);
        assert!(reply.body.contains("you were not sent back"), "{reply:?}");
        // Whoever is signed in has been here before: the client is told.
        if error != "login_required" {
            let reply = Browser::signed_in("alice").authorize(&world, &request).await;
            assert_redirect(&reply, CALLBACK, error, Some("s-1"));
        }
        // A client that the host has registered is trusted.
        let own =
            request.to_string().replace("c.example%2Fclient.json", "x").replace("https%3A%2F%2Fx", "spa");
        let own = own.replace("https%3A%2F%2Fc.example%2Fcb", "https%3A%2F%2Fspa.example%2Fcb");
        assert_redirect(&Browser::new().authorize(&world, own).await, attack_tests::SPA, error, Some("s-1"));
    }
    // What such a client cannot have is left out: the person signs in and sees the rest.
    let reply = Browser::new().authorize(&world, query(ID).set("scope", "bogus read")).await;
    assert!(reply.status == 303 && reply.location().starts_with("/login?"), "{reply:?}");
}

async fn visit(world: &World, client_id: &str, from: &str) -> Reply {
    let mut request = Request::get(format!("/authorize?{}", query(client_id)))
        .header("x-forwarded-for", "203.0.113.9")
        .body(Full::<Bytes>::default())
        .expect("a request");
    let peer: SocketAddr = from.parse().expect("an address");
    request.extensions_mut().insert(peer);
    world.send(request).await
}

#[track_caller]
fn assert_later(reply: &Reply) {
    assert_eq!((reply.status, reply.header("location")), (503, None), "{reply:?}");
    assert!(reply.header("retry-after").is_some(), "{reply:?}");
}

#[tokio::test]
async fn cm_17_fetches_are_limited_by_who_causes_them_and_by_where_they_go() {
    let urls: Vec<String> = (0..100).map(|at| format!("https://c.example/{at}.json")).collect();
    let mut known: Vec<&str> = urls.iter().map(String::as_str).collect();
    known.push("https://d.example/client.json");
    let (world, documents) = serving(&known);
    let (a, b, c) = ("192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1");
    for url in &urls[..30] {
        assert_eq!(visit(&world, url, a).await.status, 303);
    }
    let limited = visit(&world, &urls[30], a).await;
    assert_later(&limited);
    assert_eq!(documents.fetches(), 30);
    // What is known costs no fetch, and others are not concerned: also not with the very client that was refused.
    assert_eq!(visit(&world, &urls[0], a).await.status, 303);
    for url in &urls[30..60] {
        assert_eq!(visit(&world, url, b).await.status, 303, "{url}");
    }
    // A host is visited sixty times, whoever sends us there; other hosts are.
    assert_later(&visit(&world, &urls[60], c).await);
    assert_eq!(visit(&world, known[100], c).await.status, 303);
    assert_eq!(documents.fetches(), 61);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(visit(&world, &urls[61], a).await.status, 303);
    assert_later(&visit(&world, &urls[62], a).await);
}

#[tokio::test]
async fn cm_17_who_may_cause_no_more_fetches_keeps_no_old_document_alive() {
    let urls: Vec<String> = (0..30).map(|at| format!("https://h{at}.example/c.json")).collect();
    let mut known: Vec<&str> = urls.iter().map(String::as_str).collect();
    known.push(ID);
    let (world, documents) = serving(&known);
    let (a, b) = ("192.0.2.1:1", "192.0.2.2:1");
    assert_eq!(visit(&world, ID, b).await.status, 303);
    world.clock.advance(Duration::from_secs(3601));
    for url in &urls {
        assert_eq!(visit(&world, url, a).await.status, 303);
    }
    // The last document is good enough for whoever has had their fetches, and for nobody else.
    assert_eq!(visit(&world, ID, a).await.status, 303);
    assert_eq!(documents.fetches(), 31);
    assert_eq!(visit(&world, ID, b).await.status, 303);
    assert_eq!(documents.fetches(), 32, "the document is fetched as soon as somebody may");
}

#[tokio::test]
async fn cm_17_fetches_for_token_requests_are_limited_too() {
    let (world, documents) = serving(&[ID]);
    for at in 0..200 {
        let id = format!("https%3A%2F%2Fh{at}.example%2Fc.json");
        for endpoint in ["/token", "/revoke", "/introspect"] {
            let reply = world.post(endpoint, &[], &format!("client_id={id}&token=x")).await;
            assert_json(&reply, 503, "temporarily_unavailable");
        }
    }
    // Each is tried once in a while: the three requests for one client are one fetch.
    assert_eq!(documents.fetches(), 60);
    assert_eq!(visit(&world, ID, "192.0.2.1:1").await.status, 303, "those who sign in are not concerned");
}

#[tokio::test]
async fn a_cached_document_adds_no_outbound_request() {
    let (world, documents) = serving(&[ID]);
    for at in 0..50 {
        let mut browser = Browser::signed_in(&format!("u{at}"));
        let code = browser.approve(&world, query(ID)).await.code();
        assert!(code.starts_with("oac_"));
        world.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(documents.fetches(), 1);
    world.clock.advance(Duration::from_secs(3600));
    Browser::new().authorize(&world, query(ID)).await;
    assert_eq!(documents.fetches(), 2, "after the hour that a document without headers counts");
}
