//! The device flow on both sides: what should happen, and how it is tried.

use http::request::Parts;
use oauth_core::authorize::ShowKind;
use oauth_core::error::Error;
use oauth_core::server::{DeviceError, DeviceFlow};

use crate::command::Decision;
use crate::reference::{Answer, Ask, Grant, Model, SKEW, State, Time};
use crate::system::{Held, SUBJECTS, System, pairs};

pub(crate) const LIFETIME: Time = 10 * 60;
const INTERVAL: Time = 5;
const SLOWER_BY: Time = 5;
const MAX_INTERVAL: Time = 60;
/// How much earlier than told a device may come.
const EARLY: Time = 1;
/// For how long a second poll ends nothing.
const SENT_TWICE: Time = 2;
/// Wrong user codes of one person: this many, then one in so many seconds.
const ATTEMPTS: Time = 5;
const ATTEMPT: Time = 120;

/// What is known of a device until it has its tokens.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    expires: Time,
    interval: Time,
    /// From when on a poll is not early; the limiter forgets it at a restart.
    pub(crate) next_poll: Option<Time>,
    redeemed: Option<Time>,
}

impl Model {
    pub(crate) fn start_device(&mut self, client: usize) -> Answer {
        let fenced = self.fenced(client, None);
        let expires = self.now + LIFETIME;
        let device = Device { expires, interval: INTERVAL, next_poll: None, redeemed: None };
        let state = if fenced { State::Revoked } else { State::Requested };
        let mut grant = Grant::of(client, None, state);
        (grant.expires, grant.key, grant.device) = (expires + SKEW, self.ring[0], Some(device));
        self.grants.push(grant);
        if fenced { Answer::InvalidGrant } else { Answer::Done }
    }

    pub(crate) fn poll(&mut self, grant: usize, owner: bool, ask: Ask) -> Answer {
        let (now, key, active) = (self.now, self.ring[0], self.may_act(grant));
        let own = &mut self.grants[grant];
        let Some(device) = own.device.as_mut().filter(|_| owner) else { return Answer::InvalidGrant };
        match own.state {
            State::Denied => Answer::AccessDenied,
            State::Requested | State::Approved if now >= device.expires => Answer::ExpiredToken,
            State::Requested => device.wait(now),
            State::Purged | State::Revoked => Answer::InvalidGrant,
            State::Active => {
                if (now - device.redeemed.unwrap_or_default()).max(0) >= SENT_TWICE {
                    own.state = State::Revoked;
                }
                Answer::InvalidGrant
            }
            State::Approved => match ask.refused() {
                Some(refused) => refused,
                None if !active => Answer::InvalidGrant,
                None => {
                    device.redeemed = Some(now);
                    own.activate(ask, now, key)
                }
            },
        }
    }

    pub(crate) fn decide(&mut self, grant: usize, subject: usize, decision: Decision) -> Answer {
        let now = self.now;
        let full_at = self.attempts[subject].unwrap_or(now).min(now + ATTEMPTS * ATTEMPT);
        let next = full_at.max(now) + ATTEMPT;
        if next > now + ATTEMPTS * ATTEMPT {
            return Answer::TooMany;
        }
        self.attempts[subject] = Some(next);
        let fenced = self.fenced(self.grants[grant].client, Some(subject));
        let own = &mut self.grants[grant];
        let open = own.device.as_ref().is_some_and(|device| now < device.expires);
        let found = own.state == State::Requested && open && self.ring.contains(&own.key);
        if decision == Decision::WrongCode || !found {
            return Answer::UnknownCode;
        }
        self.attempts[subject] = Some(next - ATTEMPT);
        if decision == Decision::No {
            own.state = State::Denied;
            return Answer::Done;
        }
        own.subject = Some(subject);
        own.state = if fenced { State::Revoked } else { State::Approved };
        if fenced { Answer::SignedOut } else { Answer::Done }
    }
}

impl Device {
    fn wait(&mut self, now: Time) -> Answer {
        let every = (self.interval - EARLY).max(EARLY);
        let owed = (self.next_poll.unwrap_or(now) - now).clamp(0, every);
        if owed > 0 {
            self.interval = (self.interval + SLOWER_BY).min(MAX_INTERVAL);
            return Answer::SlowDown;
        }
        self.next_poll = Some(now + every);
        Answer::Pending
    }
}

/// What a device was told.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    pub(crate) device: String,
    user: String,
}

impl System {
    pub(crate) async fn start_device(&mut self, client: usize) -> (Answer, Answer) {
        let (headers, body) = core_tests::World::signed(crate::system::CLIENTS[client], &[]);
        let seen = self.world.server.device_authorization(&headers, body.as_bytes(), None).await;
        let codes = seen
            .as_ref()
            .ok()
            .map(|told| Codes { device: told.device_code.clone(), user: told.user_code.shown() });
        self.held.push(Held::of_device(codes));
        let seen = seen.map_or_else(crate::system::token_error, |_| Answer::Done);
        (seen, self.model.start_device(client))
    }

    pub(crate) async fn poll(&mut self, grant: usize, owner: bool, ask: Ask) -> (Answer, Answer) {
        let code = self.held[grant].device.clone().expect("a device").device;
        let form =
            [vec![("grant_type", DeviceFlow::GRANT_TYPE), ("device_code", &code)], pairs(ask)].concat();
        let seen = self.world.token(self.client(grant, owner), &form).await;
        let before = self.model.grants[grant].state;
        let expected = self.model.poll(grant, owner, ask);
        if seen.is_ok() {
            self.held[grant].redeemed += 1;
        }
        self.note_end(grant, before);
        (self.tokens(grant, seen, expected), expected)
    }

    pub(crate) async fn decide(
        &mut self,
        grant: usize,
        subject: usize,
        decision: Decision,
    ) -> (Answer, Answer) {
        let seen = self.answer_device(grant, subject, decision).await;
        let expected = self.model.decide(grant, subject, decision);
        self.held[grant].ended |= expected == Answer::SignedOut;
        (seen, expected)
    }

    /// Types the code, and answers the page.
    async fn answer_device(&self, grant: usize, subject: usize, decision: Decision) -> Answer {
        let head = self.browser_head().await;
        let (login, server) = (self.world.login(SUBJECTS[subject]), &self.world.server);
        let typed = match decision {
            Decision::WrongCode => "BBBB-BBBB",
            _ => &self.held[grant].device.as_ref().expect("a device").user,
        };
        let pending = match server.device_pending(&head, login.clone(), typed, None).await {
            Ok(pending) => pending,
            Err(DeviceError::UnknownCode) => return Answer::UnknownCode,
            Err(DeviceError::TooMany(_)) => return Answer::TooMany,
            Err(error) => panic!("{error:?}"),
        };
        let answer = server.resume_device(&head, &pending.ticket(), Some(login)).await.expect("an answer");
        let answered = match decision {
            Decision::No => answer.deny().await,
            _ => answer.accept(None).await,
        };
        match answered {
            Ok(()) => Answer::Done,
            Err(error) if error.kind() == ShowKind::LoginChanged => Answer::SignedOut,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// A POST of a browser that has been here before.
    async fn browser_head(&self) -> Parts {
        if self.world.cookie().is_none() {
            let url = core_tests::World::url("web", &[]);
            self.world.open(&url, None).await.expect("a sign-in page");
        }
        self.world.head("POST", "/device")
    }
}

/// What a device hears while it waits.
pub(crate) fn waiting(error: &Error) -> Option<Answer> {
    use oauth_core::error::ErrorCode;
    match error.code() {
        ErrorCode::AuthorizationPending => Some(Answer::Pending),
        ErrorCode::SlowDown => Some(Answer::SlowDown),
        ErrorCode::AccessDenied => Some(Answer::AccessDenied),
        ErrorCode::ExpiredToken => Some(Answer::ExpiredToken),
        _ => None,
    }
}
