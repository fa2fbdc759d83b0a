//! Records to store.

use std::sync::Arc;
use std::time::Duration;

use crate::client::{Client, ClientSecret};
use crate::clock::Timestamp;
use crate::grant::{
    Access, AccessTokens, Active, Authentication, Code, Confirmation, Details, EndedJwt, Grant, JwtId,
    Previous, Refresh, Resources, RevokeReason, Salt, State, UriHash,
};
use crate::handle::{GrantId, KeyId};
use crate::pkce::Challenge;
use crate::resource::Resource;
use crate::scope::Scope;
use crate::secret::{Digest, Random, Secret32, SeededRandom, random_array};
use crate::storage::{
    Body, Consent, Document, Fence, Key, KeyMaterial, Keys, Marker, Record, Session, SigningMaterial,
    StoredKey, StoredSigningKey, Version,
};

/// The present of the checks: 2100-01-01.
pub(super) const NOW: Timestamp = Timestamp::from_secs(4_102_444_800);
pub(super) const HOUR: Duration = Duration::from_secs(3600);

/// Makes records that differ from each other and are the same in each run.
#[derive(Debug)]
pub(super) struct Sample(SeededRandom);

impl Sample {
    pub(super) fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed))
    }

    pub(super) fn random(&self) -> &dyn Random {
        &self.0
    }

    pub(super) fn record(&self, body: Body) -> Arc<Record> {
        let id = match body {
            Body::Grant(_) => *GrantId::new_v7(NOW, &self.0).as_bytes(),
            _ => random_array(&self.0),
        };
        let key = Key::new(body.namespace(), id);
        Arc::new(Record { key, version: Version::generate(&self.0), retain_until: NOW + HOUR, body })
    }

    /// The next version of a record with another body.
    pub(super) fn next(&self, record: &Record, body: Body) -> Arc<Record> {
        Arc::new(Record { version: Version::generate(&self.0), body, ..record.clone() })
    }

    /// The next version of a grant, changed.
    pub(super) fn next_grant(&self, record: &Record, change: impl FnOnce(&mut Grant)) -> Arc<Record> {
        let mut body = record.body.clone();
        if let Body::Grant(grant) = &mut body {
            grant.generation += 1;
            change(grant);
        }
        self.next(record, body)
    }

    /// The next version of a record with another `retain_until`.
    pub(super) fn retained(&self, record: &Record, retain_until: Timestamp) -> Arc<Record> {
        Arc::new(Record { version: Version::generate(&self.0), retain_until, ..record.clone() })
    }

    /// An active grant of its own subject.
    pub(super) fn grant(&self) -> Arc<Record> {
        let subject = format!("subject-{:016x}", u64::from_ne_bytes(random_array(&self.0)));
        self.grant_of("client", Some(&subject), None)
    }

    pub(super) fn grant_of(&self, client: &str, subject: Option<&str>, session: Option<&str>) -> Arc<Record> {
        self.record(Body::Grant(Grant {
            issuer: "https://issuer.example".into(),
            client_id: client.into(),
            subject: subject.map(Into::into),
            session: session.map(Into::into),
            scope: scope("read"),
            resources: Resources::default(),
            created_at: NOW,
            expires_at: NOW + HOUR,
            generation: 0,
            state: State::Active(Active { access: AccessTokens::one(self.access()), refresh: None }),
            code: None,
            authentication: None,
            details: None,
        }))
    }

    fn access(&self) -> Access {
        Access {
            digest: self.digest(),
            scope: scope("read"),
            resources: resources(),
            issued_at: NOW,
            expires_at: NOW + HOUR,
            confirmation: None,
            authentication: None,
        }
    }

    fn digest(&self) -> Digest {
        Digest::of_secret(&Secret32::generate(&self.0))
    }

    /// A grant with every optional part filled.
    fn full_grant(&self) -> Grant {
        let confirmation: Arc<Confirmation> = Confirmation::Jkt("thumbprint".into()).into();
        let previous = Previous {
            digest: self.digest(),
            key: KeyId::from_bytes([1, 2, 3, 4]),
            salt: Salt::generate(&self.0),
            used_at: NOW,
            streak: 3,
            retried: true,
        };
        let refresh =
            Refresh { digest: self.digest(), expires_at: NOW + HOUR, previous: Some(Box::new(previous)) };
        let access = Access {
            confirmation: Some(confirmation.clone()),
            authentication: Some(Arc::new(authentication())),
            ..self.access()
        };
        Grant {
            issuer: "https://issuer.example/tenant".into(),
            client_id: "client".into(),
            subject: Some("subject".into()),
            session: Some("session".into()),
            scope: scope("read write offline"),
            resources: resources(),
            created_at: NOW,
            expires_at: Timestamp::MAX,
            generation: u32::MAX,
            state: State::Active(Active {
                access: [self.access(), access].into_iter().collect(),
                refresh: Some(refresh),
            }),
            code: Some(Box::new(self.code())),
            authentication: Some(authentication()),
            details: Some(Box::new(Details {
                nonce: Some("nonce".into()),
                authorization_details: Some(r#"[{"type":"payment"}]"#.into()),
                confirmation: Some(confirmation),
                ancestors: vec![GrantId::new_random(&self.0)],
                device: None,
                host_data: Some("host data".into()),
                ended_jwts: vec![EndedJwt { id: JwtId::from_bytes([9; 8]), until: NOW + HOUR }],
            })),
        }
    }

    fn code(&self) -> Code {
        Code {
            digest: self.digest(),
            expires_at: NOW,
            retain_until: NOW + HOUR,
            challenge: Some(Challenge::of_verifier("a-verifier-of-at-least-forty-three-characters")),
            redirect_uri: UriHash::of("https://client.example/callback"),
            registered_uri: UriHash::of("https://client.example/callback"),
            redeemed_at: Some(NOW),
        }
    }

    fn client(&self) -> Client {
        Client::confidential("client", &ClientSecret::generate_from(&self.0))
            .name("A client")
            .redirect_uri("https://client.example/callback")
            .scope("read write")
            .build()
            .expect("a valid client")
    }

    /// Keys of both forms, and a fence.
    fn keys(&self) -> Keys {
        let id = KeyId::from_bytes([1, 2, 3, 4]);
        let plain = KeyMaterial::plain(random_array(&self.0));
        let wrapped = KeyMaterial::wrapped(KeyId::from_bytes([5, 6, 7, 8]), [9; 72]);
        Keys {
            issuer: "https://issuer.example".into(),
            signing: vec![StoredSigningKey {
                kid: "kid".into(),
                algorithm: "ES256".into(),
                signs_from: NOW,
                key: SigningMaterial::wrapped(id, vec![7; 178]),
            }],
            ring: [plain, wrapped].map(|key| StoredKey { id, mints_from: NOW, key }).into(),
            not_before: Some(NOW),
        }
    }

    /// One body of each kind, and one grant in each state.
    pub(super) fn bodies(&self) -> Vec<Body> {
        let full = self.full_grant();
        let in_state = |state| Body::Grant(Grant { state, ..full.clone() });
        let revoked = State::Revoked { at: NOW, reason: RevokeReason::RefreshReuse };
        vec![
            in_state(State::Requested),
            in_state(State::Approved),
            in_state(State::Denied),
            in_state(revoked),
            self.grant_of("client", None, None).body.clone(),
            Body::Client(Box::new(self.client())),
            Body::Consent(Box::new(Consent {
                issuer: "https://issuer.example".into(),
                client_id: "client".into(),
                subject: "subject".into(),
                scope: scope("read"),
                resources: resources().iter().cloned().collect(),
                given_at: NOW,
                expires_at: NOW + HOUR,
            })),
            Body::Session(Box::new(Session {
                issuer: "https://issuer.example".into(),
                subject: "subject".into(),
                username: Some("alice".into()),
                digest: self.digest(),
                authentication: authentication(),
                expires_at: NOW + HOUR,
                ended_at: Some(NOW),
            })),
            Body::Fence(Fence { not_before: NOW }),
            Body::Marker(Marker { used_at: NOW }),
            Body::Keys(Box::new(self.keys())),
            Body::Document(Box::new(Document {
                issuer: "https://issuer.example".into(),
                client_id: "https://client.example/metadata.json".into(),
                text: r#"{"client_id":"https://client.example/metadata.json"}"#.into(),
                fetched_at: NOW,
                changed_at: Some(NOW),
            })),
            Body::Grant(full),
        ]
    }
}

pub(super) fn revoke(grant: &mut Grant) {
    grant.state = State::Revoked { at: NOW, reason: RevokeReason::Host };
}

pub(super) fn is_revoked(record: &Record) -> bool {
    record.grant().is_some_and(|grant| matches!(grant.state, State::Revoked { .. }))
}

fn scope(text: &str) -> Scope {
    Scope::parse(text).expect("a valid scope")
}

fn resources() -> Resources {
    Resources::new([Resource::parse("https://api.example/v1").expect("a valid resource")])
}

fn authentication() -> Authentication {
    let amr = vec!["pwd".into(), "otp".into()];
    Authentication::new(NOW).by(Some("urn:example:silver".into()), amr)
}
