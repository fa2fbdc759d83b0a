//! Metadata that a client is told again, and that are used for nothing here (RFC 7591 §3.2.1).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::members::Members;
use crate::redirect_uri::{RedirectKind, RedirectUri};

/// What is kept of it, each in at most [`MAX_BYTES`] of JSON.
const TEXTS: [&str; 6] =
    ["client_uri", "logo_uri", "tos_uri", "policy_uri", "software_id", "software_version"];
const MAX_BYTES: usize = 1024;

/// The members as one JSON object, with the application type that is given or follows from the redirect URIs.
pub(super) fn of(members: &Members, redirect_uris: &[String]) -> Option<Arc<str>> {
    let mut kept = Map::new();
    for name in TEXTS {
        if let Some(value @ Value::String(text)) = members.get(name)
            && !text.is_empty()
            && text.len() <= MAX_BYTES
        {
            kept.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(value @ Value::Array(contacts)) = members.get("contacts")
        && !contacts.is_empty()
        && contacts.iter().all(Value::is_string)
        && value.to_string().len() <= MAX_BYTES
    {
        kept.insert("contacts".to_owned(), value.clone());
    }
    let given = members.get("application_type").and_then(Value::as_str);
    let application_type = match given {
        Some(given @ ("native" | "web")) => Some(given),
        _ if redirect_uris.is_empty() => None,
        // Nobody but a program on the device has such addresses alone (RFC 8252 §7).
        _ if redirect_uris
            .iter()
            .all(|uri| RedirectUri::register(uri).is_ok_and(|uri| uri.kind() != RedirectKind::Https)) =>
        {
            Some("native")
        }
        _ => Some("web"),
    };
    if let Some(application_type) = application_type {
        kept.insert("application_type".to_owned(), application_type.into());
    }
    (!kept.is_empty()).then(|| Value::Object(kept).to_string().into())
}
