//! An authorization server whose users sign in at an upstream OpenID provider.
//!
//! 1. `front.rs` is the seam. Where nobody is signed in, its page says which client asks for what, and where its answer would
//!    go. Whoever agrees to that goes on to the provider; nothing is remembered of them before.
//! 2. `upstream.rs` asks the provider who they are, with `state`, `nonce` and PKCE. `attempt.rs` keeps these in a cookie of the
//!    browser that went there: one for each attempt, good for ten minutes and for one answer.
//! 3. `sessions.rs` knows who is signed in here. The request then continues, and the person is asked for consent unless they
//!    have given it to this very client. Nothing of the provider's is passed on.
//!
//! The provider lets this server in as one client. Without a question of its own before and after, whoever registers a client
//! here could have a code for the price of a click on a link.

mod attempt;
mod cookie;
mod front;
mod sessions;
mod upstream;

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::request::Parts;
use oauth_core::authorize::{ShowError, ShowKind, is_same_origin};
use oauth_core::client::Client;
use oauth_core::server::Server;
use oauth_storage_memory::MemoryStore;
use oauth_tower::pages::{Theme, error_page};
use oauth_tower::server::AuthorizationServerLayer;
use serde::Deserialize;

use attempt::Attempt;
use front::Front;
use sessions::Sessions;
use upstream::Upstream;
pub use upstream::UpstreamSettings;

/// Where the provider sends browsers back to, below the issuer.
pub const CALLBACK: &str = "/callback";

#[derive(Clone)]
struct App {
    server: Arc<Server>,
    sessions: Sessions,
    upstream: Arc<Upstream>,
    theme: Theme,
}

/// The whole app. `issuer` is the address that it is reached at.
///
/// # Errors
///
/// If the issuer is none, or the provider does not describe itself.
pub async fn app(issuer: &str, settings: UpstreamSettings) -> Result<Router, Box<dyn Error>> {
    let server = Server::builder(issuer, MemoryStore::new())
        .scope("notes:read", "Read your notes")
        .client(
            Client::public("notes-app").name("Notes").redirect_uri("http://127.0.0.1/cb").scope("notes:read"),
        )
        .build()?;
    let upstream = Arc::new(Upstream::discover(settings, &format!("{issuer}{CALLBACK}")).await?);
    let (sessions, theme) = (Sessions::default(), Theme::new("Notes"));
    let front = Front {
        sessions: sessions.clone(),
        issuer: server.issuer().clone(),
        theme: theme.clone(),
        provider: upstream.host(),
    };
    let oauth = AuthorizationServerLayer::new(server.clone()).host(front);
    Ok(Router::new()
        .route("/upstream", post(start))
        .route(CALLBACK, get(callback))
        .with_state(App { server, sessions, upstream, theme })
        .layer(oauth))
}

#[derive(Deserialize)]
struct Agreed {
    return_to: String,
    #[serde(default)]
    again: bool,
}

/// Somebody has read the page and goes on to the provider.
async fn start(State(app): State<App>, head: Parts, Form(form): Form<Agreed>) -> Response {
    if !is_same_origin(&head, app.server.issuer()) {
        return app.show(ShowKind::OtherBrowser, "the form came from another site");
    }
    let (url, attempt) = app.upstream.start(form.return_to, form.again);
    match attempt.set(app.server.issuer()) {
        Some(cookie) => ([(SET_COOKIE, cookie)], Redirect::to(url.as_str())).into_response(),
        None => app.show(ShowKind::TooLong, "the request does not fit into a cookie"),
    }
}

#[derive(Deserialize)]
struct Answer {
    state: String,
    code: Option<String>,
    error: Option<String>,
}

/// The provider's answer.
async fn callback(State(app): State<App>, head: Parts, Query(answer): Query<Answer>) -> Response {
    let issuer = app.server.issuer();
    let Some(attempt) = Attempt::find(&head.headers, issuer, &answer.state) else {
        return app.show(ShowKind::OtherBrowser, "the state belongs to no attempt of this browser");
    };
    let found = match answer.code {
        Some(code) => app.upstream.finish(code, &attempt, app.server.now()).await,
        None => Err(upstream::Failed::Refused(answer.error.unwrap_or_default())),
    };
    let mut response = match found {
        // Whoever planted the cookie could otherwise choose where the browser goes.
        Ok(_) if !app.server.is_return_to(&head, &attempt.return_to) => {
            app.show(ShowKind::OtherBrowser, "the request is not one of this browser")
        }
        Ok(login) => {
            let cookie = app.sessions.begin(&head.headers, issuer, login);
            ([(SET_COOKIE, cookie)], Redirect::to(&attempt.return_to)).into_response()
        }
        Err(failed) => app.show(failed.kind(), failed.to_string()),
    };
    // Whatever came of it, the attempt is over.
    if let Ok(cookie) = HeaderValue::try_from(attempt.end(issuer)) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

impl App {
    fn show(&self, kind: ShowKind, reason: impl Into<std::borrow::Cow<'static, str>>) -> Response {
        let error = ShowError::new(kind, reason);
        tracing::warn!(reason = error.reason(), "upstream_login_failed");
        error_page(&self.theme, &error).into_response()
    }
}
