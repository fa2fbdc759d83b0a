//! Every flow of the server, prepared up to its last request, over a store that can be disturbed.

use oauth_core::clock::Timestamp;
use oauth_core::error::{Error, ErrorCode};
use oauth_core::grant::{Grant, State};
use oauth_core::storage::testing::{FaultStore, block_on};
use oauth_core::storage::{Body, Index};
use oauth_core::token::TokenResponse;

use crate::{Assertion, ISSUER, Ledger, World, code_of};

/// A request of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The person agrees.
    Approve,
    /// A code is redeemed.
    Redeem,
    /// A code is redeemed again, rightly proven.
    Replay,
    /// A refresh token is used.
    Refresh,
    /// A refresh token is used again, its successor unused.
    Retry,
    /// An old refresh token is used after its successor.
    Reuse,
    /// The client acts for itself.
    ClientCredentials,
    /// A grant type of the host's own, whose proof counts once.
    Custom,
    /// A refresh token is revoked.
    RevokeRefresh,
    /// An access token is revoked.
    RevokeAccess,
    /// An access token is introspected.
    Introspect,
    /// The host revokes everything of a subject.
    RevokeAll,
}

/// What a flow gave.
#[derive(Clone, Debug)]
pub enum Gained {
    /// A code.
    Code(String),
    /// Tokens.
    Tokens(TokenResponse),
    /// Whether the token is active.
    Active(bool),
    /// Nothing but success.
    Done,
}

/// What is stored, but for ids, secrets and times.
pub type Shape = Vec<String>;

/// A flow before its last request.
#[derive(Debug)]
pub struct Stage {
    /// The world, whose server stands on the disturbed store.
    pub world: World,
    /// The disturbed store.
    pub store: FaultStore<Ledger>,
    /// The flow.
    pub flow: Flow,
    ticket: String,
    code: String,
    /// The access token of alice's grant.
    pub access: String,
    /// The refresh token of alice's grant.
    pub refresh: String,
}

impl Flow {
    /// All flows.
    pub const ALL: [Self; 12] = [
        Self::Approve,
        Self::Redeem,
        Self::Replay,
        Self::Refresh,
        Self::Retry,
        Self::Reuse,
        Self::ClientCredentials,
        Self::Custom,
        Self::RevokeRefresh,
        Self::RevokeAccess,
        Self::Introspect,
        Self::RevokeAll,
    ];

    /// Whether the flow ends in a refusal that revokes the grant.
    pub fn is_attack(self) -> bool {
        matches!(self, Self::Replay | Self::Reuse)
    }

    /// Whether success means that alice's access token is dead.
    pub fn ends(self) -> bool {
        matches!(self, Self::RevokeRefresh | Self::RevokeAccess | Self::RevokeAll)
    }
}

impl Stage {
    /// Prepares a flow; nothing is disturbed yet.
    pub fn new(flow: Flow) -> Self {
        let world = World::new();
        let store = FaultStore::calm(world.ledger.clone());
        let custom = oauth_core::client::Client::public("device")
            .grant_types(["urn:example:assertion", "refresh_token"])
            .scope("read");
        let server = World::server(ISSUER, 1, store.clone(), &world.clock, |builder| {
            builder.grant_type(Assertion).client(custom)
        });
        let world = world.beside(server);
        let mut stage = Self {
            world,
            store,
            flow,
            ticket: String::new(),
            code: String::new(),
            access: String::new(),
            refresh: String::new(),
        };
        block_on(stage.prepare());
        stage.store.script(|_| None);
        stage
    }

    async fn prepare(&mut self) {
        let login = self.world.login("alice");
        let url = World::url("web", &[]);
        match self.flow {
            Flow::ClientCredentials | Flow::Custom => return,
            _ => self.ticket = self.world.ticket(&url, &login).await.expect("a ticket"),
        }
        if self.flow == Flow::Approve {
            return;
        }
        self.code = code_of(&self.world.accept(&self.ticket, &login).await.expect("a code"));
        if self.flow == Flow::Redeem {
            return;
        }
        let tokens = self.world.redeem("web", &self.code).await.expect("tokens");
        (self.access, self.refresh) = (tokens.access_token, tokens.refresh_token.expect("a refresh token"));
        if matches!(self.flow, Flow::Retry | Flow::Reuse) {
            let next = self.world.refresh("web", &self.refresh, &[]).await.expect("tokens");
            if self.flow == Flow::Reuse {
                let next = next.refresh_token.expect("a refresh token");
                self.world.refresh("web", &next, &[]).await.expect("tokens");
            }
        }
    }

    /// Makes the request.
    ///
    /// # Errors
    ///
    /// The code that the client or the visitor is told.
    pub async fn run(&self) -> Result<Gained, ErrorCode> {
        let world = &self.world;
        let tokens =
            |answer: Result<TokenResponse, Error>| answer.map(Gained::Tokens).map_err(|error| error.code());
        match self.flow {
            Flow::Approve => match world.accept(&self.ticket, &world.login("alice")).await {
                Ok(answer) => Ok(Gained::Code(code_of(&answer))),
                Err(oauth_core::authorize::AuthorizeError::Show(error)) => Err(error.kind().code()),
                Err(oauth_core::authorize::AuthorizeError::Redirect(error)) => Err(error.code()),
            },
            Flow::Redeem | Flow::Replay => tokens(world.redeem("web", &self.code).await),
            Flow::Refresh | Flow::Retry | Flow::Reuse => {
                tokens(world.refresh("web", &self.refresh, &[("scope", "read")]).await)
            }
            Flow::ClientCredentials => {
                tokens(world.token("m2m", &[("grant_type", "client_credentials")]).await)
            }
            Flow::Custom => {
                let body = crate::form(&[
                    ("client_id", "device"),
                    ("grant_type", "urn:example:assertion"),
                    ("assertion", "jti1.alice"),
                ]);
                tokens(world.server.token(&http::HeaderMap::new(), body.as_bytes()).await)
            }
            Flow::RevokeRefresh => self.done(world.revoke("web", &self.refresh).await),
            Flow::RevokeAccess => self.done(world.revoke("web", &self.access).await),
            Flow::Introspect => match world.introspect("web", &self.access).await {
                Ok(answer) => Ok(Gained::Active(answer.is_active())),
                Err(error) => Err(error.code()),
            },
            Flow::RevokeAll => {
                self.done(world.server.grants().revoke_all(Index::Subject("alice")).await.map(drop))
            }
        }
    }

    fn done(&self, answer: Result<(), Error>) -> Result<Gained, ErrorCode> {
        answer.map(|()| Gained::Done).map_err(|error| error.code())
    }

    /// What is stored of grants and used values.
    pub fn shape(&self) -> Shape {
        let mut shape: Shape = self
            .world
            .ledger
            .snapshot()
            .values()
            .filter_map(|record| match &record.body {
                Body::Grant(grant) => Some(grant_shape(grant)),
                Body::Marker(_) => Some("used".to_owned()),
                _ => None,
            })
            .collect();
        shape.sort();
        shape
    }

    /// Asserts that what was gained is durable and true.
    pub async fn check_gain(&self, gained: &Gained, case: &str) {
        match gained {
            Gained::Code(code) => {
                let tokens = self.world.redeem("web", code).await.expect(case);
                assert!(self.world.works(&tokens.access_token).await, "invariant 7: {case}");
            }
            Gained::Tokens(tokens) => {
                assert!(!self.flow.is_attack(), "invariant 1: {case}");
                assert!(self.world.works(&tokens.access_token).await, "invariant 7: {case}");
            }
            Gained::Active(active) => assert!(active, "{case}"),
            Gained::Done => assert!(!self.world.works(&self.access).await, "RV-06: {case}"),
        }
    }

    /// Asserts that a retry in a calm store succeeds, or is refused cleanly and leaves no token that works.
    pub async fn settle(&self, case: &str) {
        self.store.script(|_| None);
        let answer = self.run().await;
        match (&answer, self.flow) {
            (Ok(gained), _) => self.check_gain(gained, case).await,
            (Err(ErrorCode::InvalidGrant), Flow::Redeem | Flow::Replay | Flow::Reuse) => {
                let grants = self.world.ledger.grants();
                let ended = |grant: &Grant| matches!(grant.state, State::Revoked { .. });
                assert!(grants.iter().filter_map(|own| own.grant()).all(ended), "invariant 9: {case}");
            }
            // The proof has been used, and nobody was told the token.
            (Err(ErrorCode::InvalidGrant), Flow::Custom) => {}
            _ => panic!("invariant 9: {case}: {answer:?}"),
        }
        if let (Ok(Gained::Tokens(tokens)), Flow::Refresh | Flow::Retry) = (&answer, self.flow) {
            let next = tokens.refresh_token.as_deref().expect("a refresh token");
            self.world.refresh("web", next, &[]).await.expect(case);
            let old = self.world.refresh("web", &self.refresh, &[]).await;
            assert!(old.is_err(), "invariant 2: {case}");
        }
    }
}

fn grant_shape(grant: &Grant) -> String {
    let (access, refresh) = match &grant.state {
        State::Active(active) => (active.access.len(), active.refresh.is_some()),
        _ => (0, false),
    };
    let redeemed = grant.code.as_ref().is_some_and(|code| code.redeemed_at > Some(Timestamp::EPOCH));
    format!("{} {} {access} {refresh} {redeemed}", grant.state.name(), grant.generation)
}
