//! The query of an authorization request, before its client is known.

use super::{ShowError, ShowKind};
use crate::params::{Params, ParamsError, percent_decode_form};

/// The longest query that is read, in bytes, not counting a resume token.
pub const MAX_QUERY_BYTES: usize = 8 * 1024;

/// The parameter that carries a resume token back from a detour.
pub const RESUME_PARAM: &str = "resume";

/// Room for the resume token of a request that is as long as allowed.
const MAX_RESUME_BYTES: usize = 200;

const MAX_CLIENT_ID_BYTES: usize = 2048;

/// A decoded query that names one client.
#[derive(Debug)]
pub struct Query<'a> {
    raw: &'a str,
    pub(super) params: Params<'a>,
    client_id: Box<str>,
}

impl<'a> Query<'a> {
    /// Decodes a raw query and finds the client's id in it.
    ///
    /// # Errors
    ///
    /// [`ShowError`] where it is too long or malformed, or names no client, or more than one.
    pub fn parse(raw: &'a str) -> Result<Self, ShowError> {
        if raw.len() > MAX_QUERY_BYTES + MAX_RESUME_BYTES {
            return Err(ShowError::new(ShowKind::TooLong, "the query is too long"));
        }
        let params = Params::parse(raw.as_bytes()).map_err(|error| malformed(&error))?;
        let resume = params.all(RESUME_PARAM).next().map_or(0, |token| token.len() + RESUME_PARAM.len() + 2);
        if raw.len() > MAX_QUERY_BYTES + resume {
            return Err(ShowError::new(ShowKind::TooLong, "the query is too long"));
        }
        let client_id = match params.one("client_id").map_err(|error| malformed(&error))? {
            Some(id) if id.len() <= MAX_CLIENT_ID_BYTES => id.into(),
            Some(_) => return Err(ShowError::new(ShowKind::TooLong, "client_id is too long")),
            None => return Err(ShowError::new(ShowKind::Malformed, "client_id is missing")),
        };
        Ok(Self { raw, params, client_id })
    }

    /// The id that the request claims. Nothing is proven by it.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The resume token, if exactly one came along.
    pub fn resume(&self) -> Option<&str> {
        self.params.one(RESUME_PARAM).ok().flatten()
    }

    /// A digest of all parameters but the resume token: of what they say, not of how they are encoded, so that a detour
    /// which encodes them anew is no other request.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("oauth-core 2025 authorization request");
        for (name, value) in self.params.iter().filter(|(name, _)| *name != RESUME_PARAM) {
            for part in [name, value] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        hasher.finalize().into()
    }

    /// The raw query without a resume token, however its name is encoded: one that stayed would make two of it.
    pub fn without_resume(&self) -> String {
        let kept = self.raw.split('&').filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && !percent_decode_form(name).is_ok_and(|name| name == RESUME_PARAM)
        });
        kept.collect::<Vec<_>>().join("&")
    }
}

pub(super) fn malformed(error: &ParamsError) -> ShowError {
    ShowError::new(ShowKind::Malformed, error.to_string())
}
