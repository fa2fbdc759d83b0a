//! Records to store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use oauth_core::clock::Timestamp;
use oauth_core::grant::{
    Access, AccessTokens, Active, Code, Grant, Previous, Refresh, Resources, Salt, State, UriHash,
};
use oauth_core::handle::{GrantId, KeyId};
use oauth_core::pkce::Challenge;
use oauth_core::resource::Resource;
use oauth_core::scope::Scope;
use oauth_core::secret::{Digest, Random, Secret32, SeededRandom};
use oauth_core::storage::{Body, Key, Record, Version};

/// The present: 2100-01-01, before which nothing is purged.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(4_102_444_800);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// Makes grants that differ from each other and are the same in each run, one each millisecond.
#[derive(Debug)]
pub(crate) struct Records(SeededRandom, AtomicU64);

impl Records {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed), AtomicU64::new(0))
    }

    /// A live grant: a subject of 36 bytes, a client id of 40, three scopes, a resource, an access token.
    pub(crate) fn grant(&self) -> Arc<Record> {
        let begun = NOW + Duration::from_millis(self.1.fetch_add(1, Ordering::Relaxed));
        let mut words = [0; 8];
        self.0.fill(&mut words);
        let subject = format!("7b2f8c1e-5a94-4d33-{:04x}-{:012x}", words[7], u64::from_ne_bytes(words) >> 16);
        let resources = Resources::new([Resource::parse("https://api.example.com/v1").expect("a resource")]);
        let scope = Scope::parse("notes:read notes:write profile").expect("a scope");
        let access = Access {
            digest: self.digest(),
            scope: scope.clone(),
            resources: resources.clone(),
            issued_at: NOW,
            expires_at: NOW + DAY / 24,
            confirmation: None,
            authentication: None,
        };
        let grant = Grant {
            issuer: "https://auth.example.com".into(),
            client_id: "a-client-whose-id-is-exactly-40-bytes-oo".into(),
            subject: Some(subject.into()),
            session: None,
            scope,
            resources,
            created_at: NOW,
            expires_at: NOW + 30 * DAY,
            generation: 0,
            state: State::Active(Active { access: AccessTokens::one(access), refresh: None }),
            code: None,
            authentication: None,
            details: None,
        };
        let retain_until = grant.retain_until();
        let key = Key::grant(GrantId::new_v7(begun, &self.0));
        Arc::new(Record { key, version: self.version(), retain_until, body: Body::Grant(grant) })
    }

    /// The same by the authorization code road, with a refresh token that has been used once.
    pub(crate) fn refreshed_grant(&self) -> Arc<Record> {
        let previous = Previous {
            digest: self.digest(),
            key: KeyId::from_bytes([1, 2, 3, 4]),
            salt: Salt::generate(&self.0),
            used_at: NOW,
            streak: 0,
            retried: false,
        };
        let code = Code {
            digest: self.digest(),
            expires_at: NOW,
            retain_until: NOW,
            challenge: Some(Challenge::of_verifier("a-verifier-of-at-least-forty-three-characters")),
            redirect_uri: UriHash::of("https://client.example/callback"),
            registered_uri: UriHash::of("https://client.example/callback"),
            redeemed_at: Some(NOW),
        };
        self.changed(&self.grant(), |grant| {
            grant.code = Some(Box::new(code));
            if let State::Active(active) = &mut grant.state {
                let previous = Some(Box::new(previous));
                active.refresh = Some(Refresh { digest: self.digest(), expires_at: NOW + DAY, previous });
            }
        })
    }

    /// The next version of a grant: as after a refresh, one generation on.
    pub(crate) fn next(&self, record: &Record) -> Arc<Record> {
        self.changed(record, |grant| grant.generation += 1)
    }

    /// The next version of a grant, changed.
    pub(crate) fn changed(&self, record: &Record, change: impl FnOnce(&mut Grant)) -> Arc<Record> {
        let mut record = record.clone();
        if let Body::Grant(grant) = &mut record.body {
            change(grant);
        }
        record.version = self.version();
        Arc::new(record)
    }

    pub(crate) fn version(&self) -> Version {
        Version::generate(&self.0)
    }

    fn digest(&self) -> Digest {
        Digest::of_secret(&Secret32::generate(&self.0))
    }
}
