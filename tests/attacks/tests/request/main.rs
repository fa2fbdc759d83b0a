//! Attacks on the form of a request: repeated, malformed, oversized, mistyped and misrouted parameters.

mod authorize;
mod encoding;
mod token;

use attack_tests::{
    API1, APP, Browser, Query, Socket, VERIFIER, World, assert_json, assert_redirect, assert_refused, basic,
    encode, secret,
};
use bytes::Bytes;
use http::Method;
use oauth_core::client::{Client, ClientSecret};
use oauth_tower::bearer::BearerLayer;
use tower::ServiceExt;
use tower_layer::Layer;

const GRANT: &str = "grant_type=client_credentials";

/// What the authorization endpoint says to alice.
async fn ask(world: &World, query: &Query) -> attack_tests::Reply {
    Browser::signed_in("alice").authorize(world, query).await
}
