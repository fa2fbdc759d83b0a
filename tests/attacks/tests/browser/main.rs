//! Attacks through the browser: other sites, other browsers, other tabs, other people.

mod forms;
mod headers;

use attack_tests::{
    API1, API2, APP, Browser, Query, Reply, World, assert_json, assert_redirect, assert_refused, encode,
};
use http::Method;

const FORM: &str = "application/x-www-form-urlencoded";
const BROWSER_COOKIE: &str = "__Host-oauth-browser";
const SESSION_COOKIE: &str = "__Host-oauth-session";

/// Signs in on the built-in page, on the way to the request or not.
async fn sign_in(world: &World, browser: &mut Browser, address: &str, user: &str) -> Reply {
    let page = browser.get(world, address).await;
    let form = format!("form={}&username={user}&password=secret", encode(&page.field("form")));
    browser.post(world, "/sign-in", &form).await
}

fn approval(page: &Reply) -> String {
    format!("ticket={}&decision=approve", encode(&page.field("ticket")))
}

/// Every HTML answer and every redirect that a browser can get, by name.
async fn all_answers(world: &World) -> Vec<(&'static str, Reply)> {
    let mut browser = Browser::new();
    let mut answers = vec![
        ("malformed", browser.get(world, "/authorize?%").await),
        ("no client", browser.get(world, "/authorize").await),
        ("redirect URI", browser.authorize(world, Query::of("web").set("redirect_uri", "x")).await),
        ("too long", browser.authorize(world, Query::of("web").set("x", &"y".repeat(9000))).await),
        ("method", browser.send(world, Method::PUT, "/authorize", None, "").await),
        ("media type", browser.send(world, Method::POST, "/authorize", Some("text/plain"), "").await),
        ("form", browser.post(world, "/authorize", "").await),
        ("sign-in method", browser.send(world, Method::PUT, "/sign-in", None, "").await),
        ("sign-in form", browser.post(world, "/sign-in", "").await),
        ("sign-out form", browser.post(world, "/sign-out", "").await),
        ("signed out", browser.get(world, "/sign-out").await),
    ];
    let detour = browser.authorize(world, Query::of("web")).await;
    let sign_in_page = browser.get(world, detour.location()).await;
    let wrong = format!("form={}&username=alice&password=wrong", encode(&sign_in_page.field("form")));
    let wrong = browser.post(world, "/sign-in", &wrong).await;
    let signed_in = sign_in(world, &mut browser, detour.location(), "alice").await;
    let consent = browser.get(world, signed_in.location()).await;
    let denied = browser.decide(world, &consent, "deny").await;
    let approved = browser.decide(world, &consent, "approve").await;
    answers.push(("answered", browser.decide(world, &consent, "deny").await));
    answers.push(("client error", browser.authorize(world, Query::of("web").set("scope", "bogus")).await));
    answers.push(("welcome", browser.get(world, "/sign-in").await));
    let leave = browser.get(world, "/sign-out").await;
    let form = format!("form={}&decision=sign_out", encode(&leave.field("form")));
    answers.push(("left", browser.post(world, "/sign-out", &form).await));
    for (name, reply) in [
        ("detour", detour),
        ("sign-in", sign_in_page),
        ("wrong", wrong),
        ("signed in", signed_in),
        ("consent", consent),
        ("denied", denied),
        ("approved", approved),
        ("leave", leave),
    ] {
        answers.push((name, reply));
    }
    answers
}
