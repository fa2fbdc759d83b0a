//! A grant, its handles and the requests that may come.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::grant::{
    Access, AccessTokens, Active, Allowed, Ask, Code, Formats, Grant, Redeem, Refresh, RefreshRequest,
    Resources, RevokeReason, Rotation, Salt, State, UriHash,
};
use crate::handle::{GrantId, Handle, Handles, KeyRing, Kind, Prefixes};
use crate::pkce::Challenge;
use crate::redirect_uri::RedirectUri;
use crate::resource::Resource;
use crate::scope::Scope;
use crate::secret::{Digest, Secret32, SeededRandom};

pub(super) const ISSUER: &str = "https://as.example";
pub(super) const CLIENT: &str = "web";
pub(super) const URI: &str = "https://app.example/cb";
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + seconds)
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) struct World {
    pub(super) handles: Handles,
    pub(super) random: SeededRandom,
    pub(super) id: GrantId,
    pub(super) code: Secret32,
    pub(super) access: Secret32,
    pub(super) refresh: Secret32,
    pub(super) allowed: Scope,
    pub(super) resources: Resources,
    pub(super) uris: Vec<RedirectUri>,
    pub(super) fresh: Secret32,
    pub(super) formats: Formats,
}

impl World {
    pub(super) fn new() -> Self {
        let random = SeededRandom::new(1);
        Self {
            handles: Handles::new(ISSUER, KeyRing::new([7; 32]), Prefixes::default()),
            id: GrantId::new_random(&random),
            code: Secret32::generate(&random),
            access: Secret32::generate(&random),
            refresh: Secret32::generate(&random),
            fresh: Secret32::generate(&random),
            allowed: Scope::parse("read write").unwrap(),
            resources: Resources::new(["https://api.example", "https://files.example"].map(resource)),
            formats: Formats::default(),
            uris: vec![RedirectUri::register(URI).unwrap()],
            random,
        }
    }

    pub(super) fn allowed(&self) -> Allowed<'_> {
        Allowed { scope: &self.allowed, resources: &self.resources }
    }

    pub(super) fn digest(&self, kind: Kind, secret: &Secret32) -> Digest {
        self.handle(kind, 0, secret).digest()
    }

    pub(super) fn handle(&self, kind: Kind, generation: u32, secret: &Secret32) -> Handle {
        self.handles.mint(kind, self.id, generation, secret.clone())
    }

    /// Approved at 0, the code expires at 60, nothing lives beyond 1000.
    pub(super) fn approved(&self) -> Grant {
        Grant {
            issuer: ISSUER.into(),
            client_id: CLIENT.into(),
            subject: Some("alice".into()),
            session: None,
            scope: self.allowed.clone(),
            resources: self.resources.clone(),
            created_at: at(0),
            expires_at: at(1000),
            generation: 0,
            state: State::Approved,
            code: Some(Box::new(Code {
                digest: self.digest(Kind::Code, &self.code),
                expires_at: at(60),
                retain_until: at(900),
                challenge: Some(Challenge::of_verifier(VERIFIER)),
                redirect_uri: UriHash::of(URI),
                registered_uri: UriHash::of(URI),
                redeemed_at: None,
            })),
            authentication: None,
            details: None,
        }
    }

    /// Redeemed at 10: an access token until 310, a refresh token until 510 unless used.
    pub(super) fn active(&self) -> Grant {
        let mut grant = self.approved();
        grant.code.as_mut().unwrap().redeemed_at = Some(at(10));
        grant.state = State::Active(Active {
            access: AccessTokens::one(Access {
                digest: self.digest(Kind::Access, &self.access),
                scope: self.allowed.clone(),
                resources: grant.resources.clone(),
                issued_at: at(10),
                expires_at: at(310),
                confirmation: None,
                authentication: None,
            }),
            refresh: Some(Refresh {
                digest: self.digest(Kind::Refresh, &self.refresh),
                expires_at: at(510),
                previous: None,
            }),
        });
        grant
    }

    pub(super) fn revoked(&self) -> Grant {
        self.active().with_state(State::Revoked { at: at(20), reason: RevokeReason::Host })
    }

    pub(super) fn redeem<'a>(&'a self, handle: &'a Handle, ask: &'a Ask<'a>) -> Redeem<'a> {
        Redeem {
            handle,
            issuer: ISSUER,
            client_id: CLIENT,
            registered_uris: &self.uris,
            redirect_uri: Some(URI),
            redirect_uri_required: false,
            verifier: Some(VERIFIER),
            ask,
            allowed: self.allowed(),
            access: self.digest(Kind::Access, &self.access),
            access_lifetime: seconds(300),
            formats: &self.formats,
            refresh: Some((self.digest(Kind::Refresh, &self.refresh), seconds(500))),
            grant_lifetime: seconds(990),
            replay_tolerance: Duration::ZERO,
        }
    }

    pub(super) fn refresh<'a>(&'a self, handle: &'a Handle, ask: &'a Ask<'a>) -> RefreshRequest<'a> {
        RefreshRequest {
            handle,
            issuer: ISSUER,
            client_id: CLIENT,
            rotation: Rotation::Always,
            ask,
            allowed: self.allowed(),
            access_lifetime: seconds(300),
            formats: &self.formats,
            idle_lifetime: seconds(500),
            retry_window: seconds(60),
            max_retry_streak: None,
            max_access: 16,
            handles: &self.handles,
            salt: Salt::generate(&self.random),
            fresh: &self.fresh,
        }
    }
}

pub(super) fn resource(uri: &str) -> Resource {
    Resource::parse(uri).unwrap()
}

pub(super) fn ask<'a>(scope: Option<&str>, resources: &[&'a str]) -> Ask<'a> {
    Ask { scope: scope.map(|text| Scope::parse(text).unwrap()), resources: resources.to_vec() }
}

pub(super) fn another_client() -> Arc<str> {
    "web2".into()
}
