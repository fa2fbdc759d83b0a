//! Records to store.

use std::sync::Arc;
use std::time::Duration;

use oauth_core::clock::Timestamp;
use oauth_core::grant::{Access, AccessTokens, Active, Grant, Resources, State};
use oauth_core::handle::GrantId;
use oauth_core::resource::Resource;
use oauth_core::scope::Scope;
use oauth_core::secret::{Digest, Secret32, SeededRandom, random_array};
use oauth_core::storage::{Body, Key, Record, Version};

/// The present: 2100-01-01, before which the servers' clocks let nothing expire.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(4_102_444_800);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const CLIENT: &str = "a-client-whose-id-is-exactly-40-bytes-oo";

/// Makes grants that differ from each other and are the same in each run.
#[derive(Debug)]
pub(crate) struct Records(SeededRandom);

impl Records {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed))
    }

    /// A live grant: a subject of 36 bytes, a client id of 40, three scopes, a resource, an access token.
    pub(crate) fn grant(&self) -> Arc<Record> {
        let subject = format!("{:036x}", u128::from_ne_bytes(random_array(&self.0)));
        let resources = Resources::new([Resource::parse("https://api.example.com/v1").expect("a resource")]);
        let scope = Scope::parse("notes:read notes:write profile").expect("a scope");
        let access = Access {
            digest: Digest::of_secret(&Secret32::generate(&self.0)),
            scope: scope.clone(),
            resources: resources.clone(),
            issued_at: NOW,
            expires_at: NOW + HOUR,
            confirmation: None,
            authentication: None,
        };
        let grant = Grant {
            issuer: "https://auth.example.com".into(),
            client_id: CLIENT.into(),
            subject: Some(subject.into()),
            session: None,
            scope,
            resources,
            created_at: NOW,
            expires_at: NOW + 30 * 24 * HOUR,
            generation: 0,
            state: State::Active(Active { access: AccessTokens::one(access), refresh: None }),
            code: None,
            authentication: None,
            details: None,
        };
        let retain_until = grant.retain_until();
        let key = Key::grant(GrantId::new_v7(NOW, &self.0));
        Arc::new(Record { key, version: self.version(), retain_until, body: Body::Grant(grant) })
    }

    /// The next version of a grant, changed.
    pub(crate) fn changed(&self, record: &Record, change: impl FnOnce(&mut Grant)) -> Arc<Record> {
        let mut record = record.clone();
        if let Body::Grant(grant) = &mut record.body {
            grant.generation += 1;
            change(grant);
        }
        record.version = self.version();
        Arc::new(record)
    }

    /// The next version of a grant, as after a refresh.
    pub(crate) fn next(&self, record: &Record) -> Arc<Record> {
        self.changed(record, |_| {})
    }

    /// The next version of a record, kept until another time.
    pub(crate) fn retained(&self, record: &Record, retain_until: Timestamp) -> Arc<Record> {
        Arc::new(Record { version: self.version(), retain_until, ..record.clone() })
    }

    fn version(&self) -> Version {
        Version::generate(&self.0)
    }
}
