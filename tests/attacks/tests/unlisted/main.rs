//! Attacks that no list names: they play the server's own devices off against each other.

mod elsewhere;
mod page;

use std::time::Duration;

use attack_tests::{
    APP, Browser, Query, START, Socket, VERIFIER, World, assert_json, assert_page, assert_redirect,
    assert_refused, basic, encode, secret,
};
use http::Method;
use oauth_core::client::Client;
use oauth_core::storage::Index;

fn answer(ticket: &str, decision: &str) -> String {
    format!("ticket={}&decision={decision}", encode(ticket))
}
