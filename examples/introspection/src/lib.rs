//! An API that asks the issuer about opaque tokens (RFC 7662), over HTTP, and remembers the answers for a moment.

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::server::Server;
use oauth_storage_memory::MemoryStore;
use oauth_tower::bearer::{Bearer, BearerLayer, IntrospectionVerifier};
use oauth_tower::http_client::HttpClient;
use oauth_tower::server::AuthorizationServerLayer;
use oauth2::basic::BasicClient;
use oauth2::reqwest;
use oauth2::{AccessToken, ClientId, ClientSecret as Secret, TokenResponse, TokenUrl};
use tokio::net::TcpListener;

const API: &str = "https://notes.example.com";
/// A revocation is noticed after so long. Short, since this is a demonstration.
const CACHE: Duration = Duration::from_secs(1);

/// What was seen from outside.
#[derive(Debug)]
pub struct Seen {
    /// What the API answered.
    pub hello: String,
    /// How often the issuer was asked while the API was called ten times.
    pub questions: usize,
    /// What the API answered once the token was revoked and the remembered answer had ended.
    pub revoked: u16,
    /// What it answered while the issuer was down.
    pub down: u16,
}

/// The issuer, which counts how often it is asked about tokens.
fn issuer(server: Arc<Server>, questions: Arc<AtomicUsize>) -> Router {
    let count = from_fn(move |request: Request, next: Next| {
        if request.uri().path() == "/introspect" {
            questions.fetch_add(1, Ordering::Relaxed);
        }
        next.run(request)
    });
    Router::new().layer(AuthorizationServerLayer::new(server)).layer(count)
}

/// The API, which knows of the issuer what any API knows: its address, and an id and a secret to ask with.
fn api(issuer: &str, secret: &str) -> Result<Router, Box<dyn Error>> {
    let verifier = IntrospectionVerifier::builder(issuer, format!("{issuer}/introspect"))
        .credentials("notes-api", secret)
        .audience(API)
        .cache_for(CACHE)
        .cache_refusals_for(CACHE)
        .build(HttpClient::with_public_roots())?;
    let hello = async |token: Bearer| format!("hello {}", token.client_id);
    Ok(Router::new().route("/notes", get(hello)).route_layer(BearerLayer::new(verifier)))
}

/// Serves both on free ports, gets a token, calls the API, revokes the token, and ends the issuer.
///
/// # Errors
///
/// If anything on the way fails.
pub async fn run() -> Result<Seen, Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let issuer_url = format!("http://{}", listener.local_addr()?);
    let secrets = [ClientSecret::generate(), ClientSecret::generate()];
    let server = Server::builder(&issuer_url, MemoryStore::new())
        .client(Client::machine("notebook", &secrets[0]).scope("notes:read").resource(API))
        .client(Client::resource_server("notes-api", &secrets[1], API))
        .build()?;
    let questions = Arc::new(AtomicUsize::new(0));
    let app = issuer(server, questions.clone());
    let issuing = tokio::spawn(async move { axum::serve(listener, app).await });

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let notes = format!("http://{}/notes", listener.local_addr()?);
    let app = api(&issuer_url, secrets[1].expose())?;
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });

    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let oauth = BasicClient::new(ClientId::new("notebook".to_owned()))
        .set_client_secret(Secret::new(secrets[0].expose().to_owned()))
        .set_token_uri(TokenUrl::new(format!("{issuer_url}/token"))?);
    let token = async || {
        let response = oauth.exchange_client_credentials().request_async(&http).await?;
        Ok::<_, Box<dyn Error>>(response.access_token().clone())
    };
    let call = async |token: &AccessToken| http.get(&notes).bearer_auth(token.secret()).send().await;

    let first = token().await?;
    let hello = call(&first).await?.text().await?;
    for _ in 0..9 {
        call(&first).await?.error_for_status()?;
    }
    let questions = questions.load(Ordering::Relaxed);

    let revocation = http.post(format!("{issuer_url}/revoke"));
    let revocation = revocation.basic_auth("notebook", Some(secrets[0].expose()));
    revocation.form(&[("token", first.secret())]).send().await?.error_for_status()?;
    // What was remembered before the revocation has ended by then.
    tokio::time::sleep(CACHE).await;
    let revoked = call(&first).await?.status().as_u16();

    let second = token().await?;
    issuing.abort();
    let _ = issuing.await;
    let down = call(&second).await?.status().as_u16();
    serving.abort();
    Ok(Seen { hello, questions, revoked, down })
}
