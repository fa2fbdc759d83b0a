//! When and how a resource owner authenticated.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// When and how the resource owner authenticated. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Authentication {
    /// When the resource owner last proved who they are (`auth_time`).
    pub time: Timestamp,
    /// Behind a pointer, since most hosts tell the time alone.
    how: Option<Arc<How>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct How {
    acr: Option<Arc<str>>,
    amr: Vec<Arc<str>>,
}

impl Authentication {
    /// An authentication of which only the time is known.
    pub fn new(time: Timestamp) -> Self {
        Self { time, how: None }
    }

    /// The same, with the authentication context class reference (`acr`) and the methods (`amr`, RFC 8176) that were used.
    #[must_use]
    pub fn by(self, acr: Option<Arc<str>>, amr: Vec<Arc<str>>) -> Self {
        let how = (acr.is_some() || !amr.is_empty()).then(|| Arc::new(How { acr, amr }));
        Self { how, ..self }
    }

    /// The authentication context class reference (`acr`).
    pub fn acr(&self) -> Option<&Arc<str>> {
        self.how.as_ref()?.acr.as_ref()
    }

    /// The authentication methods (`amr`, RFC 8176).
    pub fn amr(&self) -> &[Arc<str>] {
        self.how.as_ref().map_or(&[], |how| &how.amr)
    }
}

/// The stored form.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "t")]
    time: Timestamp,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    acr: Option<Arc<str>>,
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    amr: Vec<Arc<str>>,
}

impl From<Stored> for Authentication {
    fn from(stored: Stored) -> Self {
        Self::new(stored.time).by(stored.acr, stored.amr)
    }
}

impl From<Authentication> for Stored {
    fn from(own: Authentication) -> Self {
        Self { time: own.time, acr: own.acr().cloned(), amr: own.amr().to_vec() }
    }
}
