//! The consent page as an ordinary handler: ask, show, take the answer.

use askama::Template;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use oauth_core::server::AuthorizeStep;
use oauth_tower::endpoint::{authorize_response, page_response};
use serde::Deserialize;

use crate::App;

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>Harbour</title>
<h1>May {{ client }} come aboard?</h1>
<p>{{ subject }}, it would:</p>
<ul>{% for scope in scopes %}<li>{{ scope }}</li>{% endfor %}</ul>
<p>The answer goes to <strong>{{ to }}</strong>.</p>
<form method="post" action="/allow">
<input type="hidden" name="ticket" value="{{ ticket }}">
<button name="answer" value="no">No</button>
<button name="answer" value="yes">Yes</button>
</form></html>"#
)]
struct Page<'a> {
    client: &'a str,
    subject: &'a str,
    scopes: Vec<&'a str>,
    to: &'a str,
    ticket: String,
}

#[derive(Deserialize)]
pub(crate) struct Answered {
    ticket: String,
    answer: String,
}

/// Shows the page.
pub(crate) async fn show(State(app): State<App>, head: Parts) -> Response {
    let server = &app.server;
    let asked = match server.pending(&head, app.sessions.login(&head.headers)).await {
        Ok(asked) => asked,
        Err(error) => return authorize_response(server, Err(error)).into_response(),
    };
    match asked.step {
        AuthorizeStep::Consent(pending) => {
            let scopes = pending.scope().iter();
            let page = Page {
                client: pending.client().name(),
                subject: pending.subject(),
                scopes: scopes.map(|token| server.describe_scope(token).unwrap_or(token)).collect(),
                to: pending.redirect_host(),
                ticket: pending.ticket(),
            };
            page_response(page.render().unwrap_or_default(), asked.set_cookie).into_response()
        }
        // Signed out meanwhile: the authorization endpoint sorts it out.
        AuthorizeStep::Login(request) => Redirect::to(&request.return_to).into_response(),
        AuthorizeStep::Issue(answer) => authorize_response(server, Ok(answer)).into_response(),
    }
}

/// Takes the answer.
pub(crate) async fn take(State(app): State<App>, head: Parts, Form(form): Form<Answered>) -> Response {
    let server = &app.server;
    let answer = match server.resume_pending(&head, &form.ticket, app.sessions.login(&head.headers)).await {
        Ok(decision) if form.answer == "yes" => decision.accept(None).await,
        Ok(decision) => decision.deny().await,
        Err(error) => Err(error),
    };
    authorize_response(server, answer).into_response()
}
