//! The app's own sign-in page. It goes on to `return_to`, if that is where this browser came from.

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::request::Parts;
use oauth_core::authorize::is_same_origin;
use serde::Deserialize;

use crate::App;
use crate::sessions::Session;

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>Harbour</title>
<h1>Harbour: sign in</h1>
{% if failed %}<p role="alert">That is not right.</p>{% endif %}
<form method="post" action="/login">
<input type="hidden" name="return_to" value="{{ return_to }}">
<p><label>Name <input name="name" autocomplete="username"></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password"></label></p>
<button>Sign in</button>
</form></html>"#
)]
struct Page<'a> {
    return_to: &'a str,
    failed: bool,
}

#[derive(Deserialize)]
pub(crate) struct Arrived {
    #[serde(default)]
    return_to: String,
}

#[derive(Deserialize)]
pub(crate) struct Typed {
    name: String,
    password: String,
    return_to: String,
}

/// Always the form, also for somebody who is signed in: they are here because somebody asks who they are.
pub(crate) async fn show(Query(query): Query<Arrived>) -> Response {
    page(&query.return_to, false)
}

pub(crate) async fn take(State(app): State<App>, head: Parts, Form(typed): Form<Typed>) -> Response {
    if !is_same_origin(&head, app.server.issuer()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    // The app's own check of passwords stands here.
    let user = match (&*typed.name, &*typed.password) {
        ("ada", "lovelace") => "ada",
        ("grace", "hopper") => "grace",
        _ => return page(&typed.return_to, true),
    };
    let session = Session { user, signed_in_at: app.server.now() };
    let cookie = app.sessions.begin(&head.headers, session);
    let next = if app.server.is_return_to(&head, &typed.return_to) { &typed.return_to } else { "/" };
    ([(SET_COOKIE, cookie)], Redirect::to(next)).into_response()
}

fn page(return_to: &str, failed: bool) -> Response {
    match (Page { return_to, failed }).render() {
        Ok(html) => Html(html).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
