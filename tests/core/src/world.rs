//! A server, its clock, its store, and one browser.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderMap, header};
use oauth_core::authorize::{AuthorizeError, Login};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::error::Error;
use oauth_core::handle::KeyRing;
use oauth_core::secret::SeededRandom;
use oauth_core::server::{
    Answer, AuthorizeStep, Introspection, Server, ServerBuilder, StartError, StoredKeys,
};
use oauth_core::storage::Store;
use oauth_core::token::TokenResponse;

use crate::{APP, CHALLENGE, ISSUER, Ledger, SPA, START, VERIFIER, clients, secret};

/// Everything that a test of the core needs.
#[derive(Debug)]
pub struct World {
    /// The server.
    pub server: Arc<Server>,
    /// What is stored, below whatever disturbs the server's store.
    pub ledger: Ledger,
    /// The server's clock.
    pub clock: ManualClock,
    cookie: Mutex<Option<String>>,
}

impl World {
    /// A server with the fixture clients.
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// The same with other settings.
    pub fn with(configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        Self::over(|ledger| ledger, configure)
    }

    /// The same over a store that wraps the ledger.
    pub fn over<S: Store>(
        wrap: impl FnOnce(Ledger) -> S,
        configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> Self {
        let (ledger, clock) = (Ledger::new(), ManualClock::new(Timestamp::from_secs(START)));
        let server = Self::server(ISSUER, 0, wrap(ledger.clone()), &clock, configure);
        Self { server, ledger, clock, cookie: Mutex::default() }
    }

    /// Another server: a restart, another replica, or another issuer. Servers that share records need seeds of their own.
    pub fn server(
        issuer: &str,
        seed: u64,
        store: impl Store,
        clock: &ManualClock,
        configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> Arc<Server> {
        let builder = Server::builder(issuer, store)
            .clock(clock.clone())
            .random(SeededRandom::new(seed))
            .key_ring(KeyRing::new([1; 32]));
        let builder = clients().into_iter().fold(builder, ServerBuilder::client);
        configure(builder).build().expect("a server")
    }

    /// As [`World::server`], with keys that are kept in the store.
    ///
    /// # Errors
    ///
    /// Why it does not start.
    pub async fn start(
        seed: u64,
        store: impl Store,
        clock: &ManualClock,
        keys: StoredKeys,
    ) -> Result<Arc<Server>, StartError> {
        let builder = Server::builder(ISSUER, store)
            .clock(clock.clone())
            .random(SeededRandom::new(seed))
            .stored_keys(keys);
        clients().into_iter().fold(builder, ServerBuilder::client).start().await
    }

    /// The same browser and records with another server.
    #[must_use]
    pub fn beside(&self, server: Arc<Server>) -> Self {
        let cookie = Mutex::new(self.cookie.lock().unwrap_or_else(PoisonError::into_inner).clone());
        Self { server, ledger: self.ledger.clone(), clock: self.clock.clone(), cookie }
    }

    /// Moves the clock forward by seconds.
    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Somebody who signed in when the world began, in the session that is named after them.
    pub fn login(&self, subject: &str) -> Login {
        Login::new(subject, Timestamp::from_secs(START)).session(format!("{subject}-session"))
    }

    /// The browser's cookie.
    pub fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A request of the browser.
    pub fn head(&self, method: &str, path_and_query: &str) -> Parts {
        let mut request = http::Request::builder().method(method).uri(path_and_query);
        if let Some(cookie) = self.cookie() {
            request = request.header(header::COOKIE, cookie);
        }
        request.body(()).expect("a request").into_parts().0
    }

    /// The path and query of an authorization request of a fixture client for its first resource.
    pub fn url(client: &str, more: &[(&str, &str)]) -> String {
        let redirect_uri = if client == "spa" { SPA } else { APP };
        let base = [
            ("client_id", client),
            ("redirect_uri", redirect_uri),
            ("response_type", "code"),
            ("state", "xyz"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        format!("/authorize?{}", form(&[&base, more].concat()))
    }

    /// Opens an authorization request in the browser.
    ///
    /// # Errors
    ///
    /// What the server answers.
    pub async fn open(&self, url: &str, login: Option<Login>) -> Result<AuthorizeStep, AuthorizeError> {
        let answer = self.server.authorize(&self.head("GET", url), login).await?;
        if let Some(set) = answer.set_cookie {
            let pair = set.to_str().expect("text").split(';').next().map(str::to_owned);
            *self.cookie.lock().unwrap_or_else(PoisonError::into_inner) = pair;
        }
        Ok(answer.step)
    }

    /// Opens an authorization request that leads to a consent page, and gives the ticket of that page.
    ///
    /// # Errors
    ///
    /// What the server answers.
    pub async fn ticket(&self, url: &str, login: &Login) -> Result<String, AuthorizeError> {
        match self.open(url, Some(login.clone())).await? {
            AuthorizeStep::Consent(pending) => Ok(pending.ticket()),
            other => panic!("no consent page: {other:?}"),
        }
    }

    /// Answers a consent page with yes.
    ///
    /// # Errors
    ///
    /// What the server answers.
    pub async fn accept(&self, ticket: &str, login: &Login) -> Result<Answer, AuthorizeError> {
        let head = self.head("POST", "/authorize");
        self.server.resume_pending(&head, ticket, Some(login.clone())).await?.accept(None).await
    }

    /// A code for the client, all its resources and all its scope, from a consent page unless consent is remembered.
    ///
    /// # Errors
    ///
    /// What the server answers.
    pub async fn approve(&self, client: &str, subject: &str) -> Result<String, AuthorizeError> {
        let login = self.login(subject);
        match self.open(&Self::url(client, &[]), Some(login.clone())).await? {
            AuthorizeStep::Consent(pending) => Ok(code_of(&self.accept(&pending.ticket(), &login).await?)),
            AuthorizeStep::Issue(answer) => Ok(code_of(&answer)),
            AuthorizeStep::Login(sign_in) => panic!("no code: {sign_in:?}"),
        }
    }

    /// A form as the client sends it: by HTTP Basic, or for a public client with its id in the body.
    pub fn signed(client: &str, pairs: &[(&str, &str)]) -> (HeaderMap, String) {
        let mut headers = HeaderMap::new();
        if client == "spa" {
            return (headers, form(&[&[("client_id", client)], pairs].concat()));
        }
        let basic = format!("Basic {}", STANDARD.encode(format!("{client}:{}", secret(client))));
        headers.insert(header::AUTHORIZATION, basic.parse().expect("a header"));
        (headers, form(pairs))
    }

    /// A token request.
    ///
    /// # Errors
    ///
    /// What the server answers.
    pub async fn token(&self, client: &str, pairs: &[(&str, &str)]) -> Result<TokenResponse, Error> {
        let (headers, body) = Self::signed(client, pairs);
        self.server.token(&headers, body.as_bytes()).await
    }

    /// Redeems a code with the right verifier.
    ///
    /// # Errors
    ///
    /// What the server answers.
    pub async fn redeem(&self, client: &str, code: &str) -> Result<TokenResponse, Error> {
        let pairs = [("grant_type", "authorization_code"), ("code", code), ("code_verifier", VERIFIER)];
        self.token(client, &pairs).await
    }

    /// Refreshes, with more parameters.
    ///
    /// # Errors
    ///
    /// What the server answers.
    pub async fn refresh(
        &self,
        client: &str,
        refresh_token: &str,
        more: &[(&str, &str)],
    ) -> Result<TokenResponse, Error> {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.token(client, &[&pairs, more].concat()).await
    }

    /// Tokens that the subject has given the client.
    pub async fn tokens(&self, client: &str, subject: &str) -> TokenResponse {
        let code = self.approve(client, subject).await.expect("a code");
        self.redeem(client, &code).await.expect("tokens")
    }

    /// Revokes a token.
    ///
    /// # Errors
    ///
    /// What the server answers.
    pub async fn revoke(&self, client: &str, token: &str) -> Result<(), Error> {
        let (headers, body) = Self::signed(client, &[("token", token)]);
        self.server.revoke(&headers, body.as_bytes()).await
    }

    /// Introspects a token.
    ///
    /// # Errors
    ///
    /// What the server answers.
    pub async fn introspect(&self, client: &str, token: &str) -> Result<Introspection, Error> {
        let (headers, body) = Self::signed(client, &[("token", token)]);
        self.server.introspect(&headers, body.as_bytes()).await
    }

    /// Whether the server accepts an access token.
    pub async fn works(&self, access_token: &str) -> bool {
        self.server.verify(access_token).await.is_ok()
    }

    /// Whether the API at the first resource is told that a token works.
    pub async fn is_active(&self, token: &str) -> bool {
        self.introspect("rs1", token).await.expect("an introspection").is_active()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// Pairs in `application/x-www-form-urlencoded`.
pub fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// One parameter of the redirect in a location.
pub fn location(location: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(location).expect("a location");
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The code of an answer.
pub fn code_of(answer: &Answer) -> String {
    location(answer.location(), "code").expect("a code")
}
