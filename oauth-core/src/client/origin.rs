//! Who brought a client here.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::scope::Scope;
use crate::secret::Digest;

/// Who brought a client here, and so who vouches for what it says about itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// The host: it registered the client.
    #[default]
    Host,
    /// The client: its id is the URL of a document that describes it.
    Document {
        /// When the document last changed in what a person relies on who gives consent, as far as this server has seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        changed_at: Option<Timestamp>,
    },
    /// The client: it registered itself (RFC 7591).
    Registration(Box<Registration>),
}

/// What is known of a client that registered itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// When it did.
    pub issued_at: Timestamp,
    /// Until when it counts unless it is used.
    pub expires_at: Timestamp,
    /// What is kept of its registration access token (RFC 7592 §3).
    pub token: Digest,
    /// When what a person relies on who gives consent was last changed by an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// All scope that the host's policy allows it; without it, all that registered clients may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Scope>,
    /// Metadata that are told again and used for nothing, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echoed: Option<Arc<str>>,
}

impl Origin {
    pub(crate) fn is_host(&self) -> bool {
        *self == Self::Host
    }

    /// When the client's own description last changed in what consent rests on, where that is known.
    pub fn changed_at(&self) -> Option<Timestamp> {
        match self {
            Self::Document { changed_at } => *changed_at,
            Self::Registration(own) => own.changed_at,
            Self::Host => None,
        }
    }

    /// The registration, if the client registered itself.
    pub fn registration(&self) -> Option<&Registration> {
        match self {
            Self::Registration(registration) => Some(registration),
            _ => None,
        }
    }
}
