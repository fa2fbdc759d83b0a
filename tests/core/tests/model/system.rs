//! The server under test beside its model, and the invariants of both.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use core_tests::{API1, API2, ISSUER, START, VERIFIER, World, code_of, secret};
use oauth_core::authorize::{AuthorizeError, Login, ShowKind};
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::Timestamp;
use oauth_core::error::{Error, ErrorCode};
use oauth_core::grant::State as GrantState;
use oauth_core::handle::{GrantId, KeyRing, Kind};
use oauth_core::server::{
    Answer as Redirect, ConsentPolicy, DeviceFlow, Server, ServerBuilder, SubjectStatus,
};
use oauth_core::storage::testing::block_on;
use oauth_core::storage::{Index, Key, Namespace, Store, StoreResult, Version};
use oauth_core::token::TokenResponse;

use crate::command::{Command, Proof, Token};
use crate::device::Codes;
use crate::reference::{self, Answer, Ask, Model, Set, Time};

/// Two that redirect, and two devices.
pub(crate) const CLIENTS: [&str; 4] = ["web", "web2", "tv", "tv2"];
pub(crate) const SUBJECTS: [&str; 2] = ["alice", "bob"];
const WRONG_VERIFIER: &str = "wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong";

/// What the client and the browser hold of a grant.
#[derive(Debug, Default)]
pub(crate) struct Held {
    ticket: String,
    code: Option<String>,
    pub(crate) device: Option<Codes>,
    pub(crate) redeemed: usize,
    access: Vec<String>,
    refresh: Vec<String>,
    /// Whether its end has been acknowledged to somebody.
    pub(crate) ended: bool,
}

impl Held {
    pub(crate) fn of_device(codes: Option<Codes>) -> Self {
        Self { device: codes, ..Self::default() }
    }
}

#[derive(Clone, Debug, Default)]
struct Disabled(Arc<Mutex<[bool; 2]>>);

#[async_trait]
impl SubjectStatus for Disabled {
    async fn is_active(&self, subject: &str) -> StoreResult<bool> {
        let disabled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(SUBJECTS.iter().zip(disabled.iter()).all(|(own, disabled)| *own != subject || !disabled))
    }
}

pub(crate) struct System {
    pub(crate) world: World,
    pub(crate) model: Model,
    pub(crate) held: Vec<Held>,
    disabled: Disabled,
    latest: Time,
    servers: u64,
}

impl System {
    pub(crate) fn new() -> Self {
        let (disabled, model) = (Disabled::default(), Model::new(START));
        let (status, ring) = (disabled.clone(), model.ring.clone());
        let world = World::with(|builder| configure(builder, &ring, status));
        Self { world, model, held: Vec::new(), disabled, latest: START, servers: 1 }
    }

    /// Does it on both sides and compares.
    pub(crate) fn run(&mut self, step: usize, command: &Command) {
        let before = self.grant_versions();
        let modelled = self.model.clone();
        let compared = block_on(self.execute(command));
        if let Some((seen, expected)) = compared {
            assert_eq!(seen, expected, "step {step}: {command:?}");
            let may_write = self.model.grants.len() != modelled.grants.len()
                || !matches!(
                    expected,
                    Answer::InvalidScope
                        | Answer::InvalidTarget
                        | Answer::AlreadyAnswered
                        | Answer::PageExpired
                        | Answer::AccessDenied
                        | Answer::Pending
                        | Answer::ExpiredToken
                        | Answer::UnknownCode
                        | Answer::TooMany
                );
            let same_states =
                self.model.grants.iter().map(|own| own.state).eq(modelled.grants.iter().map(|own| own.state));
            if !may_write || (expected == Answer::InvalidGrant && same_states) {
                assert_eq!(self.grant_versions(), before, "invariant 6, step {step}: {command:?}");
            }
        }
        block_on(self.check(step));
    }

    fn grant_versions(&self) -> BTreeMap<Key, Version> {
        let mut versions = self.world.ledger.versions();
        versions.retain(|key, _| key.namespace() == Namespace::Grant);
        versions
    }

    async fn execute(&mut self, command: &Command) -> Option<(Answer, Answer)> {
        match *command {
            Command::Approve { client, subject } => {
                let login = self.world.login(SUBJECTS[subject]);
                let url = World::url(CLIENTS[client], &[]);
                let ticket = self.world.ticket(&url, &login).await.expect("a consent page");
                let seen = self.world.accept(&ticket, &login).await;
                let code = seen.as_ref().ok().map(code_of);
                self.held.push(Held { ticket, code, ..Held::default() });
                Some((page_answer(seen), self.model.approve(client, subject)))
            }
            Command::AnswerAgain(pick) => {
                let grant = self.grant(pick, |own| !own.ticket.is_empty())?;
                let login = self.login(grant);
                let seen = self.world.accept(&self.held[grant].ticket, &login).await;
                if let Ok(answer) = &seen {
                    assert_eq!(Some(code_of(answer)), self.held[grant].code, "one page, one code");
                }
                Some((page_answer(seen), self.model.answer_again(grant)))
            }
            Command::Redeem(pick, proof, ask) => {
                let grant = self.grant(pick, |own| own.code.is_some())?;
                let seen = self.redeem(grant, proof, ask).await;
                let before = self.model.grants[grant].state;
                let expected = self.model.redeem(grant, matches!(proof, Proof::Right), ask);
                if seen.is_ok() {
                    self.held[grant].redeemed += 1;
                }
                self.note_end(grant, before);
                Some((self.tokens(grant, seen, expected), expected))
            }
            Command::Refresh { grant, age, owner, ask } => {
                let grant = self.grant(grant, |own| !own.refresh.is_empty())?;
                let generation = (self.held[grant].refresh.len() - 1).saturating_sub(age);
                let token = &self.held[grant].refresh[generation];
                let seen = self.world.refresh(self.client(grant, owner), token, &pairs(ask)).await;
                let before = self.model.grants[grant].state;
                let expected = self.model.refresh(grant, generation, owner, ask);
                self.note_end(grant, before);
                Some((self.tokens(grant, seen, expected), expected))
            }
            Command::ClientCredentials { client, ask } => {
                let form = [vec![("grant_type", "client_credentials")], pairs(ask)].concat();
                let seen = self.world.token(CLIENTS[client], &form).await;
                let expected = self.model.client_credentials(client, ask);
                self.held.resize_with(self.model.grants.len(), Held::default);
                Some((self.tokens(self.held.len().saturating_sub(1), seen, expected), expected))
            }
            Command::StartDevice { client } => Some(self.start_device(client).await),
            Command::Poll { device, owner, ask } => {
                let grant = self.grant(device, |own| own.device.is_some())?;
                Some(self.poll(grant, owner, ask).await)
            }
            Command::Decide { device, subject, decision } => {
                let grant = self.grant(device, |own| own.device.is_some())?;
                Some(self.decide(grant, subject, decision).await)
            }
            Command::Revoke { grant, token, owner } => {
                let (grant, text, number) = self.token(grant, token)?;
                let seen = self.world.revoke(self.client(grant, owner), &text).await;
                let expected = match token {
                    Token::Code => self.model.revoke_code(grant, owner),
                    Token::Access(_) => self.model.revoke_access(grant, number, owner),
                    Token::Refresh(_) => self.model.revoke_refresh(grant, number, owner),
                };
                self.held[grant].ended |= self.model.grants[grant].state == reference::State::Revoked;
                Some((seen.map_or_else(token_error, |()| Answer::Done), expected))
            }
            Command::Introspect { grant, token } => {
                let (grant, text, number) = self.token(grant, token)?;
                self.introspect(grant, token, &text, number).await;
                None
            }
            Command::End(pick) => {
                let grant = self.grant(pick, |own| own.code.is_some() || own.device.is_some())?;
                let seen = self.world.server.grants().revoke(self.id(grant)).await.expect("no failure");
                self.held[grant].ended = true;
                Some((Answer::Ended(usize::from(seen)), self.model.end(grant)))
            }
            Command::EndAll(set) => {
                let (client, subject, session);
                let index = match set {
                    Set::Client(own) => {
                        client = CLIENTS[own];
                        Index::Client(client)
                    }
                    Set::Subject(own) => {
                        subject = SUBJECTS[own];
                        Index::Subject(subject)
                    }
                    Set::Session(own) => {
                        session = format!("{}-session", SUBJECTS[own]);
                        Index::Session(&session)
                    }
                };
                let seen = self.world.server.grants().revoke_all(index).await.expect("no failure");
                for grant in (0..self.held.len()).filter(|grant| self.model.is_in(*grant, set)) {
                    self.held[grant].ended = true;
                }
                Some((Answer::Ended(seen), self.model.end_all(set)))
            }
            Command::Disable { subject, disabled } => {
                self.model.disabled[subject] = disabled;
                *self.disabled.0.lock().unwrap_or_else(PoisonError::into_inner) = self.model.disabled;
                None
            }
            Command::Forward(seconds) => self.set_clock(self.model.now + seconds),
            Command::Back(seconds) => self.set_clock((self.model.now - seconds).max(self.latest - 20)),
            Command::Purge => {
                self.model.purge();
                let now = Timestamp::from_secs(self.model.now);
                while self.world.ledger.purge(now, 3).await.expect("no failure").more {}
                None
            }
            Command::Restart => self.restart(),
            Command::RotateKeys => {
                let next = self.model.ring[0].checked_add(1)?;
                self.model.ring.insert(0, next);
                self.model.ring.truncate(2);
                self.restart()
            }
            Command::LoseKeys => {
                self.model.ring = vec![self.model.ring[0].checked_add(1)?];
                self.restart()
            }
        }
    }

    fn set_clock(&mut self, now: Time) -> Option<(Answer, Answer)> {
        self.model.now = now;
        self.latest = self.latest.max(now);
        self.world.clock.set(Timestamp::from_secs(now));
        None
    }

    fn restart(&mut self) -> Option<(Answer, Answer)> {
        self.servers += 1;
        for device in self.model.grants.iter_mut().filter_map(|own| own.device.as_mut()) {
            device.next_poll = None;
        }
        let (ring, status) = (self.model.ring.clone(), self.disabled.clone());
        let store = self.world.ledger.clone();
        let server: Arc<Server> = World::server(ISSUER, self.servers, store, &self.world.clock, |own| {
            configure(own, &ring, status)
        });
        self.world = self.world.beside(server);
        None
    }

    async fn redeem(&self, grant: usize, proof: Proof, ask: Ask) -> Result<TokenResponse, Error> {
        let code = self.held[grant].code.as_deref().expect("a code");
        let mut form = vec![("grant_type", "authorization_code"), ("code", code)];
        match proof {
            Proof::WrongVerifier => form.push(("code_verifier", WRONG_VERIFIER)),
            Proof::NoVerifier => {}
            _ => form.push(("code_verifier", VERIFIER)),
        }
        if matches!(proof, Proof::OtherRedirect) {
            form.push(("redirect_uri", "https://app.example/other"));
        }
        form.extend(pairs(ask));
        self.world.token(self.client(grant, !matches!(proof, Proof::OtherClient)), &form).await
    }

    /// Notes the tokens of an answer; a token that the model has seen before must be the same text.
    pub(crate) fn tokens(
        &mut self,
        grant: usize,
        seen: Result<TokenResponse, Error>,
        expected: Answer,
    ) -> Answer {
        let response = match seen {
            Ok(response) => response,
            Err(error) => return token_error(error),
        };
        let Answer::Tokens { access, refresh } = expected else { panic!("{response:?}, not {expected:?}") };
        let held = &mut self.held[grant];
        assert!(!held.ended, "invariant 3: {response:?} after the end of the grant");
        same_or_new(&mut held.access, access, response.access_token);
        if let Some(generation) = refresh {
            same_or_new(&mut held.refresh, generation, response.refresh_token.expect("a refresh token"));
        } else {
            assert_eq!(response.refresh_token, None, "RT-27");
        }
        expected
    }

    pub(crate) fn note_end(&mut self, grant: usize, before: reference::State) {
        let after = self.model.grants[grant].state;
        self.held[grant].ended |= after == reference::State::Revoked && before != after;
    }

    async fn introspect(&self, grant: usize, token: Token, text: &str, number: usize) {
        let active = async |client| self.world.introspect(client, text).await.expect("an answer").is_active();
        let (owner, other, alive) =
            (self.client(grant, true), self.client(grant, false), self.model.may_act(grant));
        let (own, api) = match token {
            Token::Code => (false, false),
            Token::Access(_) => {
                let works = self.model.works(grant, number) && alive;
                (works, works && self.model.grants[grant].access[number].ask != Ask::OneResource)
            }
            Token::Refresh(_) => (self.model.is_newest(grant, number), false),
        };
        assert_eq!(active(owner).await, own, "IN-03: {token:?}");
        assert_eq!(active("rs2").await, api, "IN-02, IN-07: {token:?}");
        assert!(!active(other).await, "invariant 5: {token:?}");
    }

    /// The invariants, whatever has happened.
    async fn check(&self, step: usize) {
        for (grant, held) in self.held.iter().enumerate() {
            assert!(held.redeemed <= 1, "invariant 1: a code was redeemed twice, step {step}");
            for (number, text) in held.access.iter().enumerate() {
                let works = self.world.works(text).await;
                assert_eq!(
                    works,
                    self.model.works(grant, number),
                    "grant {grant}, access {number}, step {step}"
                );
                assert!(!(works && held.ended), "invariant 3: a token works after the end, step {step}");
            }
            let mut branches = 0;
            for (generation, text) in held.refresh.iter().enumerate().rev().take(2) {
                let owner = self.client(grant, true);
                let active = self.world.introspect(owner, text).await.expect("an answer").is_active();
                assert_eq!(active, self.model.is_newest(grant, generation), "grant {grant}, step {step}");
                branches += usize::from(active);
            }
            assert!(branches <= 1, "invariant 2: two live refresh tokens, step {step}");
            if let Some(code) = &held.code {
                assert!(!self.world.works(code).await, "invariant 5: a code is no access token");
            }
        }
        for record in self.world.ledger.grants() {
            let grant = record.grant().expect("a grant");
            assert!(record.retain_until >= grant.expires_at, "invariant 10, step {step}");
            let GrantState::Active(active) = &grant.state else { continue };
            for entry in active.access.iter() {
                assert!(entry.scope.is_subset_of(&grant.scope), "invariant 4, step {step}");
                let within = |own: &oauth_core::resource::Resource| grant.resources.contains(own.as_str());
                assert!(entry.resources.iter().all(within), "invariant 4, step {step}");
                assert!(entry.expires_at <= grant.expires_at, "invariant 4, step {step}");
            }
        }
    }

    fn grant(&self, pick: usize, fits: impl Fn(&Held) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.held.len()).filter(|grant| fits(&self.held[*grant])).collect();
        let newest_first = fitting.len().checked_sub(1)?;
        fitting.get(newest_first - pick % fitting.len()).copied()
    }

    fn token(&self, grant: usize, token: Token) -> Option<(usize, String, usize)> {
        match token {
            Token::Code => {
                let grant = self.grant(grant, |own| own.code.is_some())?;
                Some((grant, self.held[grant].code.clone()?, 0))
            }
            Token::Access(pick) => {
                let grant = self.grant(grant, |own| !own.access.is_empty())?;
                let tokens = &self.held[grant].access;
                let number = tokens.len() - 1 - pick % tokens.len();
                Some((grant, tokens[number].clone(), number))
            }
            Token::Refresh(age) => {
                let grant = self.grant(grant, |own| !own.refresh.is_empty())?;
                let tokens = &self.held[grant].refresh;
                let generation = (tokens.len() - 1).saturating_sub(age);
                Some((grant, tokens[generation].clone(), generation))
            }
        }
    }

    pub(crate) fn client(&self, grant: usize, owner: bool) -> &'static str {
        let own = self.model.grants[grant].client;
        CLIENTS[if owner { own } else { own ^ 1 }]
    }

    fn login(&self, grant: usize) -> Login {
        self.world.login(SUBJECTS[self.model.grants[grant].subject.expect("a subject")])
    }

    fn id(&self, grant: usize) -> GrantId {
        let held = &self.held[grant];
        let (kind, code) = match (&held.code, &held.device) {
            (Some(code), _) => (Kind::Code, code),
            (None, device) => (Kind::Device, &device.as_ref().expect("a code").device),
        };
        self.world.server.handles().parse(kind, code).expect("our code").grant
    }
}

fn configure(builder: ServerBuilder, ring: &[u8], status: Disabled) -> ServerBuilder {
    let seconds = |time: Time| Duration::from_secs(time.unsigned_abs());
    let device = |id| {
        Client::confidential(id, &ClientSecret::from_text(secret(id)))
            .grant_types([DeviceFlow::GRANT_TYPE, "refresh_token"])
            .scope("read write")
            .resource(API1)
            .resource(API2)
    };
    builder
        .device_flow(DeviceFlow::new().lifetime(seconds(crate::device::LIFETIME)))
        .client(device("tv"))
        .client(device("tv2"))
        .key_ring(KeyRing::from_keys(ring.iter().map(|key| [*key; 32])).expect("a ring"))
        .subject_status(status)
        .consent(ConsentPolicy::AlwaysAsk)
        .code_lifetime(seconds(reference::CODE))
        .consent_page_lifetime(seconds(reference::PAGE))
        .access_token_lifetime(seconds(reference::ACCESS))
        .refresh_token_idle(seconds(reference::IDLE))
        .grant_lifetime(seconds(reference::ABSOLUTE))
        .retry_window(seconds(reference::WINDOW))
        .max_access_tokens(reference::MAX_ACCESS)
}

pub(crate) fn pairs(ask: Ask) -> Vec<(&'static str, &'static str)> {
    match ask {
        Ask::All => vec![],
        Ask::LessScope => vec![("scope", "read")],
        Ask::OneResource => vec![("resource", API1)],
        Ask::TooMuchScope => vec![("scope", "read admin")],
        Ask::OtherResource => vec![("resource", "https://other.example")],
    }
}

fn same_or_new(texts: &mut Vec<String>, number: usize, text: String) {
    match texts.get(number) {
        Some(before) => assert_eq!(*before, text, "a retry gives the same answer"),
        None => {
            assert_eq!(texts.len(), number);
            assert!(!texts.contains(&text));
            texts.push(text);
        }
    }
}

fn page_answer(seen: Result<Redirect, AuthorizeError>) -> Answer {
    match seen {
        Ok(_) => Answer::Code,
        Err(AuthorizeError::Redirect(error)) if error.code() == ErrorCode::AccessDenied => {
            Answer::AccessDenied
        }
        Err(AuthorizeError::Show(error)) if error.kind() == ShowKind::Expired => Answer::PageExpired,
        Err(AuthorizeError::Show(error)) if error.kind() == ShowKind::AlreadyAnswered => {
            Answer::AlreadyAnswered
        }
        Err(error) => panic!("{error:?}"),
    }
}

pub(crate) fn token_error(error: Error) -> Answer {
    if let Some(answer) = crate::device::waiting(&error) {
        return answer;
    }
    match error.code() {
        ErrorCode::InvalidGrant => Answer::InvalidGrant,
        ErrorCode::InvalidScope => Answer::InvalidScope,
        ErrorCode::InvalidTarget => Answer::InvalidTarget,
        code => panic!("{code}: {error:?}"),
    }
}
