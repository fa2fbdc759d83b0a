//! What of a record is shown in columns.

use oauth_core::clock::Timestamp;
use oauth_core::storage::{Body, Record};

/// Copies of parts of the body. A listing reads three of them, the rest is for people.
#[derive(Debug)]
pub(crate) struct Columns<'a> {
    pub(crate) state: Option<&'static str>,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) session: Option<&'a str>,
    pub(crate) created_at: Option<i64>,
    pub(crate) expires_at: Option<i64>,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(record: &'a Record) -> Self {
        let (created_at, expires_at) = match &record.body {
            Body::Grant(grant) => (Some(grant.created_at), Some(grant.expires_at)),
            Body::Consent(consent) => (Some(consent.given_at), Some(consent.expires_at)),
            Body::Session(session) => (Some(session.authentication.time), Some(session.expires_at)),
            _ => (None, None),
        };
        Self {
            state: record.grant().map(|grant| grant.state.name()),
            client_id: record.client_id(),
            subject: record.subject(),
            session: record.session(),
            created_at: created_at.map(Timestamp::as_millis),
            expires_at: expires_at.map(Timestamp::as_millis),
        }
    }
}
