//! What a registered client is told (RFC 7591 §3.2.1, RFC 7592 §3).

use std::fmt;

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::client::{Client, ClientSecret};
use crate::clock::Timestamp;

/// A new secret, and until when it works.
pub(super) type Given = (ClientSecret, Option<Timestamp>);

/// All metadata of a registered client, with what it needs to manage them. Contains secrets.
pub struct ClientInformation {
    client: Client,
    secret: Option<Given>,
    token: Zeroizing<String>,
    location: String,
}

impl ClientInformation {
    pub(super) fn new(
        client: Client,
        secret: Option<Given>,
        token: Zeroizing<String>,
        location: String,
    ) -> Self {
        Self { client, secret, token, location }
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The secret, where one was given just now. It is not told again.
    pub fn client_secret(&self) -> Option<&ClientSecret> {
        self.secret.as_ref().map(|(secret, _)| secret)
    }

    /// The token by which the client manages its registration.
    pub fn registration_access_token(&self) -> &str {
        &self.token
    }

    /// Where it does so.
    pub fn registration_client_uri(&self) -> &str {
        &self.location
    }

    /// The JSON document of the answer. What is absent is left out, never `null`.
    pub fn to_json(&self) -> Vec<u8> {
        let client = &self.client;
        let own = client.origin().registration();
        let mut members = match own.and_then(|own| serde_json::from_str(own.echoed.as_deref()?).ok()) {
            Some(Value::Object(echoed)) => echoed,
            _ => Map::new(),
        };
        let mut put = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
        put("client_id", client.id().into());
        if let Some(own) = own {
            put("client_id_issued_at", own.issued_at.as_secs().into());
        }
        if let Some((secret, until)) = &self.secret {
            put("client_secret", secret.expose().into());
            put("client_secret_expires_at", until.map_or(0, |until| until.as_secs()).into());
        }
        put("registration_client_uri", self.location.as_str().into());
        put("registration_access_token", self.token.as_str().into());
        let redirect_uris = client.redirect_uris().iter().map(|uri| uri.as_str());
        put("redirect_uris", redirect_uris.collect::<Vec<_>>().into());
        put("token_endpoint_auth_method", client.auth_method().as_str().into());
        put("grant_types", client.grant_types().collect::<Vec<_>>().into());
        put("response_types", if client.may_use("authorization_code") { json!(["code"]) } else { json!([]) });
        if let Some(name) = &client.name {
            put("client_name", (**name).into());
        }
        if !client.default_scope().is_empty() {
            put("scope", client.default_scope().as_str().into());
        }
        if let Some(keys) = client.keys() {
            if let Some(uri) = keys.uri() {
                put("jwks_uri", uri.into());
            }
            if let Some(set) = keys.value().and_then(|set| serde_json::from_str(set).ok()) {
                put("jwks", set);
            }
            if let Some(algorithm) = keys.algorithm() {
                put("token_endpoint_auth_signing_alg", algorithm.as_str().into());
            }
        }
        Value::Object(members).to_string().into_bytes()
    }
}

/// Shows neither secret nor token.
impl fmt::Debug for ClientInformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientInformation")
            .field("client_id", &self.client.id())
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}
