//! What other servers say of a token, as an [`AccessToken`].

use std::sync::Arc;

use oauth_core::grant::Confirmation;
use oauth_core::resource::Resource;
use oauth_core::scope::Scope;
use oauth_core::server::VerifyError;
use serde_json::{Map, Value};

use oauth_core::grant::Resources;

/// A verification that ends in a refusal.
pub(super) fn rejected<T>(reason: &'static str) -> Result<T, VerifyError> {
    Err(VerifyError::Rejected(reason))
}

pub(super) fn scope(text: &str) -> Result<Scope, VerifyError> {
    match text.trim_matches(' ') {
        "" => Ok(Scope::empty()),
        text => Scope::parse(text).or(rejected("the token's scope is malformed or too large")),
    }
}

/// The audiences that are resource indicators; others cannot be asked for by [`BearerLayer::resource`](super::BearerLayer::resource).
pub(super) fn resources<'a>(audience: impl IntoIterator<Item = &'a str>) -> Resources {
    Resources::new(audience.into_iter().filter_map(|audience| Resource::parse(audience).ok()))
}

/// Reads `cnf`: a binding that is not known here must not be overlooked (RFC 7800 §3.1).
pub(super) fn confirmation(cnf: &Map<String, Value>) -> Result<Arc<Confirmation>, VerifyError> {
    let mut members = cnf.iter();
    let confirmation = match (members.next(), members.next()) {
        (Some((name, Value::String(value))), None) if is_thumbprint(value) => match name.as_str() {
            "jkt" => Confirmation::Jkt(value.as_str().into()),
            "x5t#S256" => Confirmation::X5tS256(value.as_str().into()),
            _ => return rejected("the token is bound to a key in a way that is not known here"),
        },
        _ => return rejected("the token is bound to a key in a way that is not known here"),
    };
    Ok(Arc::new(confirmation))
}

/// SHA-256 in base64url.
fn is_thumbprint(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn jw_21_a_binding_is_known_or_the_token_is_refused() {
        let thumbprint = "a".repeat(43);
        for (name, is_jkt) in [("jkt", true), ("x5t#S256", false)] {
            let cnf = json!({ name: thumbprint });
            let read = confirmation(cnf.as_object().unwrap()).unwrap();
            assert_eq!(matches!(*read, Confirmation::Jkt(_)), is_jkt);
        }
        for cnf in [
            json!({}),
            json!({ "jkt": null }),
            json!({ "jkt": "short" }),
            json!({ "x": 1 }),
            json!({ "jwk": thumbprint }),
            json!({ "jkt": thumbprint, "x5t#S256": thumbprint }),
        ] {
            assert!(confirmation(cnf.as_object().unwrap()).is_err(), "{cnf}");
        }
    }
}
