//! What is stored.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Key, Keys, Namespace, Version};
use crate::client::Client;
use crate::clock::Timestamp;
use crate::grant::{Authentication, Grant};
use crate::resource::Resource;
use crate::scope::Scope;
use crate::secret::Digest;

/// One stored document with its version.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Where it is stored.
    pub key: Key,
    /// Drawn anew for each write.
    pub version: Version,
    /// From when on [`Store::purge`](super::Store::purge) may delete it. Nothing else deletes a record.
    pub retain_until: Timestamp,
    /// What it says.
    pub body: Body,
}

/// The typed content of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "grants are nearly all records, and a box would cost each of them"
)]
pub enum Body {
    /// An authorization, from its approval to its end.
    Grant(Grant),
    /// A registered client.
    Client(Box<Client>),
    /// What a subject has agreed to before.
    Consent(Box<Consent>),
    /// A signed-in browser.
    Session(Box<Session>),
    /// A bound before which grants of a set are void.
    Fence(Fence),
    /// A value that has been used.
    Marker(Marker),
    /// What the replicas of an issuer share.
    Keys(Box<Keys>),
    /// What a client's document said.
    Document(Box<Document>),
}

/// What a subject has allowed a client, remembered so that the same question is not asked twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The issuer it was given at.
    pub issuer: Arc<str>,
    /// To whom.
    pub client_id: Arc<str>,
    /// By whom.
    pub subject: Arc<str>,
    /// Everything allowed so far.
    pub scope: Scope,
    /// The resources it was allowed for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// When it was last given.
    pub given_at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

/// A signed-in browser of the built-in pages. It lives on the server, so it can be ended there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The issuer it belongs to.
    pub issuer: Arc<str>,
    /// Who signed in.
    pub subject: Arc<str>,
    /// What they call themselves: the name that they typed, shown to nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<Arc<str>>,
    /// The digest of the cookie's secret.
    pub digest: Digest,
    /// When and how they signed in.
    pub authentication: Authentication,
    /// Until when it counts.
    pub expires_at: Timestamp,
    /// When it was ended before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// "Nothing of this set that began at or before `not_before` counts": how a whole set of grants is revoked at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// The bound; it only ever rises.
    pub not_before: Timestamp,
}

/// A value that may be used once, such as a `jti`: its existence says that it has been used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// When it was used.
    pub used_at: Timestamp,
}

/// The last good metadata document of a client whose id is its URL, so that a restart while its host is down ends nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The issuer that fetched it.
    pub issuer: Arc<str>,
    /// The URL.
    pub client_id: Arc<str>,
    /// The document as it came.
    pub text: Arc<str>,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// When it last changed in what a person relies on who gives consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
}

impl Body {
    /// The namespace that such a body lives in.
    pub fn namespace(&self) -> Namespace {
        match self {
            Self::Grant(_) => Namespace::Grant,
            Self::Client(_) => Namespace::Client,
            Self::Consent(_) => Namespace::Consent,
            Self::Session(_) => Namespace::Session,
            Self::Fence(_) => Namespace::Fence,
            Self::Marker(_) => Namespace::Marker,
            Self::Keys(_) => Namespace::Keys,
            Self::Document(_) => Namespace::Document,
        }
    }
}

impl Record {
    /// The client whose listing a grant belongs to. Only grants are listed; for all else the three columns are empty.
    pub fn client_id(&self) -> Option<&str> {
        self.grant().map(|grant| &*grant.client_id)
    }

    /// The subject whose listing a grant belongs to.
    pub fn subject(&self) -> Option<&str> {
        self.grant()?.subject.as_deref()
    }

    /// The session whose listing a grant belongs to.
    pub fn session(&self) -> Option<&str> {
        self.grant()?.session.as_deref()
    }

    /// The grant, if it is one.
    pub fn grant(&self) -> Option<&Grant> {
        match &self.body {
            Body::Grant(grant) => Some(grant),
            _ => None,
        }
    }
}
