//! The app's pages.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::response::{Html, IntoResponse, Response};

use super::oauth::{Outcome, Tokens};

/// Nothing but the style on the page itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/// For somebody who has not signed in.
#[derive(Template)]
#[template(path = "home.html")]
pub(super) struct Home<'a> {
    pub(super) issuer: &'a str,
    pub(super) users: &'a str,
}

/// For somebody who has.
#[derive(Template)]
#[template(path = "account.html")]
pub(super) struct Account<'a> {
    pub(super) issuer: &'a str,
    pub(super) tokens: Tokens,
    pub(super) last: Option<Outcome>,
}

/// When signing in did not work.
#[derive(Template)]
#[template(path = "problem.html")]
pub(super) struct Problem {
    pub(super) title: &'static str,
    pub(super) code: String,
    pub(super) description: String,
}

impl Problem {
    pub(super) fn new(title: &'static str, code: &str) -> Self {
        Self { title, code: code.to_owned(), description: String::new() }
    }
}

/// The two ends of a token: enough to see that it changes.
fn shortened(token: &str) -> String {
    let (start, end) = (token.get(..12).unwrap_or_default(), token.len().saturating_sub(8));
    format!("{start}…{}", token.get(end..).unwrap_or_default())
}

fn respond(status: StatusCode, page: &impl Template) -> Response {
    let Ok(html) = page.render() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    (status, [(CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-store")], Html(html)).into_response()
}

impl IntoResponse for Home<'_> {
    fn into_response(self) -> Response {
        respond(StatusCode::OK, &self)
    }
}

impl IntoResponse for Account<'_> {
    fn into_response(self) -> Response {
        respond(StatusCode::OK, &self)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        respond(StatusCode::BAD_REQUEST, &self)
    }
}
