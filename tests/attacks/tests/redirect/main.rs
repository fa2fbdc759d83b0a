//! Attacks on where the answer goes: what a redirect URI may be, and what happens to all others.

mod comparison;
mod flow;
mod loopback;

use attack_tests::{
    APP, Browser, Query, Reply, Socket, World, assert_json, assert_page, assert_redirect, assert_refused,
    encode, secret,
};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use oauth_core::client::{Client, ClientBuilder, ClientError, ClientSecret};
use oauth_core::redirect_uri::RedirectUriError;
use oauth_core::server::ServerBuilder;
use tower::ServiceExt;

/// Nobody is sent to any of these: not without a session, not with one, not without asking, not with another error beside.
async fn refused(client_id: &str, uris: &[&str]) {
    refused_in(&World::new(), client_id, uris).await;
}

async fn refused_in(world: &World, client_id: &str, uris: &[&str]) {
    for uri in uris {
        let query = Query::of(client_id).set("redirect_uri", uri);
        let variants = [
            query.clone(),
            query.clone().set("prompt", "none"),
            query.clone().set("scope", "bogus"),
            query.clone().without("response_type"),
            query.set("response_mode", "form_post"),
        ];
        for query in variants {
            for mut browser in [Browser::new(), Browser::signed_in("alice")] {
                let reply = browser.authorize(world, &query).await;
                assert!(!reply.body.contains(uri), "{uri} is reflected: {reply:?}");
                assert_refused(&reply, 400);
                assert!(reply.body.contains("does not lead back to the app"), "{reply:?}");
            }
        }
    }
    assert!(world.grants(client_id).await.is_empty());
}

/// The redirect URI works: alice's approval goes exactly there.
async fn accepted(world: &World, client_id: &str, uri: &str) -> Reply {
    let query = Query::of(client_id).set("redirect_uri", uri);
    let reply = Browser::signed_in("alice").approve(world, query).await;
    reply.code();
    let rest = reply.location().strip_prefix(uri).unwrap_or_else(|| panic!("{reply:?}"));
    assert!(rest.starts_with(['?', '&']), "{reply:?}");
    reply
}

fn with_client(client: ClientBuilder) -> World {
    World::with(|builder: ServerBuilder| builder.client(client))
}

/// A public client with these redirect URIs cannot be registered.
fn unregistrable(uris: &[&str], why: RedirectUriError) {
    for uri in uris {
        let answer = Client::public("new").redirect_uri(*uri).build();
        let Err(ClientError::RedirectUri { uri: named, source }) = answer else {
            panic!("{uri}: {answer:?}")
        };
        assert_eq!((&*named, source), (*uri, why), "{uri}");
    }
}
