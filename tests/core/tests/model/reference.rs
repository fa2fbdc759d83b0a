//! What the server should do, as plainly as it can be said: times in seconds, grants by number, no store and no secrets.

use crate::device::Device;

/// Seconds since the epoch.
pub(crate) type Time = i64;

pub(crate) const CODE: Time = 60;
pub(crate) const PAGE: Time = 15 * 60;
pub(crate) const ACCESS: Time = 5 * 60;
pub(crate) const IDLE: Time = 60 * 60;
pub(crate) const ABSOLUTE: Time = 2 * 60 * 60;
pub(crate) const WINDOW: Time = 60;
pub(crate) const SKEW: Time = 60;
pub(crate) const MAX_ACCESS: usize = 16;

/// What a token request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    All,
    LessScope,
    OneResource,
    TooMuchScope,
    OtherResource,
}

impl Ask {
    /// What cannot be had from any grant.
    pub(crate) fn refused(self) -> Option<Answer> {
        match self {
            Self::TooMuchScope => Some(Answer::InvalidScope),
            Self::OtherResource => Some(Answer::InvalidTarget),
            _ => None,
        }
    }
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The access token of that number, and the generation of the refresh token that comes with it.
    Tokens {
        access: usize,
        refresh: Option<usize>,
    },
    /// The grant's code.
    Code,
    Done,
    /// So many grants were named.
    Ended(usize),
    InvalidGrant,
    InvalidScope,
    InvalidTarget,
    AccessDenied,
    AlreadyAnswered,
    PageExpired,
    /// The device waits on.
    Pending,
    SlowDown,
    ExpiredToken,
    UnknownCode,
    TooMany,
    /// Everything of the subject has been ended at this very moment.
    SignedOut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Requested,
    Denied,
    Approved,
    Active,
    Revoked,
    Purged,
}

/// Which grants are ended together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    Client(usize),
    Subject(usize),
    Session(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// The generation and what was asked: a retry that asks the same gets the same token.
    derived: Option<(usize, Ask)>,
    pub(crate) ask: Ask,
    issued: Time,
    expires: Time,
}

#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) client: usize,
    pub(crate) subject: Option<usize>,
    pub(crate) state: State,
    pub(crate) expires: Time,
    code_expires: Time,
    page_expires: Time,
    /// The key that made the code and the page.
    pub(crate) key: u8,
    pub(crate) device: Option<Device>,
    /// The key of each refresh token, by generation.
    pub(crate) refresh: Vec<u8>,
    idle: Time,
    previous_used: Option<Time>,
    pub(crate) access: Vec<Access>,
    /// The numbers of the access tokens that are kept, oldest first.
    kept: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) now: Time,
    pub(crate) ring: Vec<u8>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) disabled: [bool; 2],
    /// When all attempts at user codes are there again.
    pub(crate) attempts: [Option<Time>; 2],
    fences: Vec<(Set, Time)>,
}

impl Model {
    pub(crate) fn new(now: Time) -> Self {
        Self {
            now,
            ring: vec![1],
            grants: Vec::new(),
            disabled: [false; 2],
            attempts: [None; 2],
            fences: Vec::new(),
        }
    }

    /// The second client keeps its refresh tokens.
    pub(crate) fn rotates(client: usize) -> bool {
        client != 1
    }

    pub(crate) fn fenced(&self, client: usize, subject: Option<usize>) -> bool {
        let caught = |set| match set {
            Set::Client(own) => own == client,
            Set::Subject(own) | Set::Session(own) => Some(own) == subject,
        };
        self.fences.iter().any(|(set, at)| caught(*set) && self.now <= *at)
    }

    pub(crate) fn approve(&mut self, client: usize, subject: usize) -> Answer {
        let (code_expires, page_expires) = (self.now + CODE, self.now + PAGE);
        let fenced = self.fenced(client, Some(subject));
        let state = if fenced { State::Revoked } else { State::Approved };
        self.grants.push(Grant {
            expires: page_expires.max(code_expires) + SKEW,
            code_expires,
            page_expires,
            key: self.ring[0],
            ..Grant::of(client, Some(subject), state)
        });
        if fenced { Answer::AccessDenied } else { Answer::Code }
    }

    pub(crate) fn answer_again(&self, grant: usize) -> Answer {
        let own = &self.grants[grant];
        if !self.ring.contains(&own.key) || self.now >= own.page_expires {
            Answer::PageExpired
        } else if own.state == State::Approved && self.now < own.code_expires {
            Answer::Code
        } else {
            Answer::AlreadyAnswered
        }
    }

    pub(crate) fn redeem(&mut self, grant: usize, proven: bool, ask: Ask) -> Answer {
        let (now, active) = (self.now, self.may_act(grant));
        let own = &mut self.grants[grant];
        if !proven {
            return Answer::InvalidGrant;
        }
        match own.state {
            State::Approved if now < own.code_expires => {}
            State::Active => {
                own.state = State::Revoked;
                return Answer::InvalidGrant;
            }
            _ => return Answer::InvalidGrant,
        }
        if let Some(refused) = ask.refused() {
            return refused;
        }
        if !active {
            return Answer::InvalidGrant;
        }
        own.activate(ask, now, self.ring[0])
    }

    pub(crate) fn refresh(&mut self, grant: usize, generation: usize, owner: bool, ask: Ask) -> Answer {
        let (now, key, active) = (self.now, self.ring[0], self.may_act(grant));
        let ring = self.ring.clone();
        let own = &mut self.grants[grant];
        if !owner || own.state != State::Active || now >= own.expires {
            return Answer::InvalidGrant;
        }
        let newest = own.refresh.len() - 1;
        let retry = match own.previous_used {
            Some(used) if generation + 1 == newest => Some(used),
            _ => None,
        };
        match retry {
            _ if generation == newest => {}
            Some(used) if (now - used).max(0) < WINDOW => {}
            None if !ring.contains(&own.refresh[generation]) => return Answer::InvalidGrant,
            _ => {
                own.state = State::Revoked;
                return Answer::InvalidGrant;
            }
        }
        if now >= own.idle {
            return Answer::InvalidGrant;
        }
        if let Some(refused) = ask.refused() {
            return refused;
        }
        if !active || (retry.is_some() && !ring.contains(&own.refresh[newest])) {
            return Answer::InvalidGrant;
        }
        if let Some(used) = retry {
            let access = own.issue(Some((newest, ask)), ask, now, now.max(used));
            return Answer::Tokens { access, refresh: Some(newest) };
        }
        own.idle = (now + IDLE).min(own.expires);
        if !Self::rotates(own.client) {
            let access = own.issue(None, ask, now, now);
            return Answer::Tokens { access, refresh: Some(newest) };
        }
        own.refresh.push(key);
        own.previous_used = Some(now);
        let access = own.issue(Some((newest + 1, ask)), ask, now, now);
        Answer::Tokens { access, refresh: Some(newest + 1) }
    }

    pub(crate) fn client_credentials(&mut self, client: usize, ask: Ask) -> Answer {
        let fenced = self.fenced(client, None);
        let state = if fenced { State::Revoked } else { State::Active };
        let mut own = Grant { expires: self.now + ACCESS, ..Grant::of(client, None, state) };
        if let Some(refused) = ask.refused() {
            return refused;
        }
        let access = own.issue(None, ask, self.now, self.now);
        self.grants.push(own);
        if fenced { Answer::InvalidGrant } else { Answer::Tokens { access, refresh: None } }
    }

    pub(crate) fn revoke_code(&mut self, grant: usize, owner: bool) -> Answer {
        self.end_if(grant, owner)
    }

    pub(crate) fn revoke_refresh(&mut self, grant: usize, generation: usize, owner: bool) -> Answer {
        let own = &self.grants[grant];
        let newest = own.refresh.len() - 1;
        let known = own.state == State::Active
            && (generation == newest || (generation + 1 == newest && own.previous_used.is_some()));
        let genuine = self.ring.contains(&own.refresh[generation]);
        self.end_if(grant, owner && (known || genuine))
    }

    pub(crate) fn revoke_access(&mut self, grant: usize, access: usize, owner: bool) -> Answer {
        let own = &mut self.grants[grant];
        if owner && own.state == State::Active && own.kept.contains(&access) {
            own.kept.retain(|kept| *kept != access);
            own.previous_used.take_if(|used| *used <= own.access[access].issued);
        }
        Answer::Done
    }

    pub(crate) fn end(&mut self, grant: usize) -> Answer {
        let there = self.grants[grant].state != State::Purged;
        self.end_if(grant, there);
        Answer::Ended(usize::from(there))
    }

    pub(crate) fn end_all(&mut self, set: Set) -> Answer {
        match self.fences.iter_mut().find(|(own, _)| *own == set) {
            Some((_, at)) => *at = self.now.max(*at),
            None => self.fences.push((set, self.now)),
        }
        let ended = (0..self.grants.len()).filter(|grant| self.is_in(*grant, set)).collect::<Vec<_>>();
        for grant in &ended {
            self.end_if(*grant, true);
        }
        Answer::Ended(ended.len())
    }

    pub(crate) fn is_in(&self, grant: usize, set: Set) -> bool {
        let own = &self.grants[grant];
        own.state != State::Purged
            && match set {
                Set::Client(client) => own.client == client,
                Set::Subject(subject) | Set::Session(subject) => own.subject == Some(subject),
            }
    }

    pub(crate) fn purge(&mut self) {
        for own in &mut self.grants {
            let page = if own.page_expires > 0 { own.page_expires.max(own.code_expires) + SKEW } else { 0 };
            if own.expires.max(page) < self.now {
                own.state = State::Purged;
            }
        }
    }

    /// Whether the API accepts an access token.
    pub(crate) fn works(&self, grant: usize, access: usize) -> bool {
        let own = &self.grants[grant];
        own.state == State::Active
            && self.now < own.expires
            && own.kept.contains(&access)
            && self.now < own.access[access].expires
    }

    /// Whether its client is told that a refresh token is active.
    pub(crate) fn is_newest(&self, grant: usize, generation: usize) -> bool {
        let own = &self.grants[grant];
        own.state == State::Active
            && self.now < own.expires.min(own.idle)
            && generation + 1 == own.refresh.len()
            && self.may_act(grant)
    }

    pub(crate) fn may_act(&self, grant: usize) -> bool {
        self.grants[grant].subject.is_none_or(|subject| !self.disabled[subject])
    }

    fn end_if(&mut self, grant: usize, allowed: bool) -> Answer {
        let own = &mut self.grants[grant];
        if allowed && own.state != State::Purged {
            own.state = State::Revoked;
        }
        Answer::Done
    }
}

impl Grant {
    /// One that has nothing yet.
    pub(crate) fn of(client: usize, subject: Option<usize>, state: State) -> Self {
        Self {
            client,
            subject,
            state,
            expires: 0,
            code_expires: 0,
            page_expires: 0,
            key: 0,
            device: None,
            refresh: Vec::new(),
            idle: 0,
            previous_used: None,
            access: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Its code, or its device code, has been redeemed.
    pub(crate) fn activate(&mut self, ask: Ask, now: Time, key: u8) -> Answer {
        self.state = State::Active;
        self.expires = now + ABSOLUTE;
        self.idle = now + IDLE;
        self.refresh.push(key);
        let access = self.issue(None, ask, now, now);
        Answer::Tokens { access, refresh: Some(0) }
    }

    fn issue(&mut self, derived: Option<(usize, Ask)>, ask: Ask, now: Time, issued: Time) -> usize {
        let known = self.access.iter().position(|own| derived.is_some() && own.derived == derived);
        if let Some(known) = known
            && self.kept.contains(&known)
            && now < self.access[known].expires
        {
            return known;
        }
        let access = Access { derived, ask, issued, expires: (now + ACCESS).min(self.expires) };
        let number = known.unwrap_or(self.access.len());
        self.kept.retain(|kept| *kept != number && self.access[*kept].expires > now);
        if self.kept.len() == MAX_ACCESS {
            let nearest = self.kept.iter().enumerate().min_by_key(|(_, kept)| self.access[**kept].expires);
            let nearest = nearest.map_or(0, |(place, _)| place);
            self.kept.remove(nearest);
        }
        match known {
            Some(known) => self.access[known] = access,
            None => self.access.push(access),
        }
        self.kept.push(number);
        number
    }
}
