//! `WWW-Authenticate` (RFC 6750 §3): built once per layer, from configuration alone.

use std::fmt::Write as _;

use http::HeaderValue;
use oauth_core::scope::Scope;

/// What the challenges of a layer say beyond the error.
#[derive(Clone, Debug, Default)]
pub struct Challenge {
    realm: Option<String>,
    scope: Scope,
}

impl Challenge {
    pub(super) fn new(realm: Option<String>, scope: Scope) -> Self {
        Self { realm, scope }
    }

    /// The scope that a token needs, as the challenge tells it.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The value for an answer without an error code (no token was presented), or with one.
    pub fn value(&self, error: Option<(&str, &str)>) -> HeaderValue {
        let mut text = String::from("Bearer");
        let mut separator = " ";
        let mut add = |name: &str, value: &str| {
            let _ = write!(text, "{separator}{name}=\"");
            for character in value.chars().filter(|character| matches!(character, ' '..='~')) {
                if matches!(character, '"' | '\\') {
                    text.push('\\');
                }
                text.push(character);
            }
            text.push('"');
            separator = ", ";
        };
        if let Some(realm) = &self.realm {
            add("realm", realm);
        }
        if let Some((code, description)) = error {
            add("error", code);
            add("error_description", description);
        }
        if !self.scope.is_empty() && error.is_none_or(|(code, _)| code == "insufficient_scope") {
            add("scope", self.scope.as_str());
        }
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bt_16_quotes_and_controls_cannot_break_out() {
        let challenge = Challenge::new(Some("a\"b\\c\r\nd".into()), Scope::empty());
        assert_eq!(challenge.value(None), "Bearer realm=\"a\\\"b\\\\cd\"");
    }

    #[test]
    fn each_kind_says_what_rfc_6750_asks() {
        let challenge = Challenge::new(None, Scope::parse("a b").unwrap());
        assert_eq!(challenge.value(None), "Bearer scope=\"a b\"");
        assert_eq!(
            challenge.value(Some(("invalid_token", "x"))),
            "Bearer error=\"invalid_token\", error_description=\"x\""
        );
        assert_eq!(
            challenge.value(Some(("insufficient_scope", "x"))),
            "Bearer error=\"insufficient_scope\", error_description=\"x\", scope=\"a b\""
        );
        assert_eq!(Challenge::default().value(None), "Bearer");
    }
}
