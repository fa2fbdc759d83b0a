//! The app that signs in: an ordinary OAuth client, which knows the server by its addresses alone.

mod oauth;
mod page;
mod visitor;

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use oauth_core::client::ClientSecret;
use serde::Deserialize;

use oauth::{OAuth, Outcome};
use page::{Account, Home, Problem};
use visitor::{Visitors, cookie};

use crate::place::Place;

#[derive(Clone)]
struct App {
    oauth: Arc<OAuth>,
    visitors: Arc<Visitors>,
}

/// The secret that the app was registered with, made up when it first ran.
pub(crate) fn secret(place: &Place) -> Result<ClientSecret, Box<dyn Error>> {
    let kept = place.saved::<Option<String>>("client-secret.json")?;
    let text =
        kept.write(|kept| kept.get_or_insert_with(|| ClientSecret::generate().expose().to_owned()).clone());
    Ok(ClientSecret::from_text(text))
}

pub(crate) fn router(issuer: &str, secret: &str, place: &Place) -> Result<Router, Box<dyn Error>> {
    let oauth = Arc::new(OAuth::new(issuer, secret)?);
    let routes = Router::new()
        .route("/", get(home))
        .route("/login", get(login))
        .route("/callback", get(callback))
        .route("/act", post(act))
        .route("/sign-out-here", post(sign_out));
    Ok(routes.with_state(App { oauth, visitors: Arc::new(Visitors::open(place)?) }))
}

async fn home(State(app): State<App>, headers: HeaderMap) -> Response {
    let visitor = app.visitors.get(&headers);
    match visitor.tokens {
        Some(tokens) => Account { issuer: app.oauth.issuer(), tokens, last: visitor.last }.into_response(),
        None => Home { issuer: app.oauth.issuer(), users: crate::DEMO_USERS }.into_response(),
    }
}

#[derive(Deserialize)]
struct Login {
    prompt: Option<String>,
}

/// Step 1: off to the server, with a state and a PKCE challenge of which only this browser's session knows the other half.
async fn login(State(app): State<App>, headers: HeaderMap, Query(login): Query<Login>) -> Response {
    let (id, set) = app.visitors.identify(&headers);
    let (address, waiting) = app.oauth.begin(login.prompt.as_deref());
    app.visitors.update(&id, |visitor| visitor.wait(waiting));
    (AppendHeaders(set.then(|| (SET_COOKIE, cookie(&id)))), Redirect::to(&address)).into_response()
}

#[derive(Deserialize)]
struct Callback {
    #[serde(default)]
    state: String,
    #[serde(default)]
    iss: String,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Step 2: back from the server, with a code or an error.
async fn callback(State(app): State<App>, headers: HeaderMap, Query(back): Query<Callback>) -> Response {
    // A visitor who double-clicks comes twice, and may be gone before the first answer: what has begun is finished.
    let finished = tokio::spawn(async move { app.finish(&headers, back).await });
    finished.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

impl App {
    async fn finish(&self, headers: &HeaderMap, back: Callback) -> Response {
        let (oauth, visitors) = (&self.oauth, &self.visitors);
        let Some(id) = visitors.known(headers) else {
            return Problem::new("This sign-in was not started here", "state").into_response();
        };
        let Some(waiting) = visitors.take(&id, &back.state) else {
            return match visitors.get(headers).tokens {
                Some(_) => Redirect::to(&oauth.home()).into_response(),
                None => Problem::new("This sign-in is over", "state").into_response(),
            };
        };
        if back.iss != oauth.issuer() {
            return Problem::new("The answer came from another server", "iss").into_response();
        }
        let Some(code) = back.code else {
            let error = back.error.unwrap_or_default();
            let denied = error == "access_denied";
            let title = if denied { "You did not allow it" } else { "Signing in did not work" };
            let description = back.error_description.unwrap_or_default();
            return Problem { title, code: error, description }.into_response();
        };
        match oauth.redeem(code, waiting).await {
            Ok(tokens) => {
                visitors.update(&id, |visitor| (visitor.tokens, visitor.last) = (Some(tokens), None));
                Redirect::to(&oauth.home()).into_response()
            }
            Err(why) => Problem::new("The code was not accepted", &why).into_response(),
        }
    }
}

#[derive(Deserialize)]
struct Act {
    action: String,
}

/// Everything that can be done with the tokens.
async fn act(State(app): State<App>, headers: HeaderMap, Form(act): Form<Act>) -> Response {
    let Some(id) = app.visitors.known(&headers) else { return Redirect::to("/").into_response() };
    let Some(tokens) = app.visitors.get(&headers).tokens else { return Redirect::to("/").into_response() };
    let outcome = match act.action.as_str() {
        "read" => app.oauth.read_notes(&tokens).await,
        "add" => app.oauth.add_note(&tokens).await,
        "introspect" => app.oauth.introspect(&tokens).await,
        "revoke" => app.oauth.revoke(&tokens).await,
        "refresh" => match app.oauth.refresh(&tokens).await {
            Ok(fresh) => {
                app.visitors.update(&id, |visitor| visitor.tokens = Some(fresh));
                Outcome::new("POST /token", 200, "New tokens; the old refresh token is spent.")
            }
            Err(why) => Outcome::new("POST /token", 400, &why),
        },
        _ => return StatusCode::BAD_REQUEST.into_response(),
    };
    app.visitors.update(&id, |visitor| visitor.last = Some(outcome));
    Redirect::to("/").into_response()
}

/// Forgets the tokens, then lets the server ask whether to sign out there too.
async fn sign_out(State(app): State<App>, headers: HeaderMap) -> Response {
    if let (Some(id), Some(tokens)) = (app.visitors.known(&headers), app.visitors.get(&headers).tokens) {
        app.oauth.revoke(&tokens).await;
        app.visitors.update(&id, |visitor| (visitor.tokens, visitor.last) = (None, None));
    }
    Redirect::to("/sign-out").into_response()
}
