//! What a client does: it sends forms with its credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::{Browser, Query, Reply, VERIFIER, World, encode, secret};

/// What the token endpoint gave.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

/// The `Authorization` value of HTTP Basic, form-encoded first (RFC 6749 §2.3.1).
pub fn basic(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(client_id), encode(secret))))
}

impl World {
    /// A form as a fixture client sends it: by HTTP Basic, or for a public client with its id in the body.
    pub async fn post_as(&self, client_id: &str, path: &str, form: &str) -> Reply {
        if matches!(client_id, "spa" | "cli") {
            return self.post(path, &[], &format!("client_id={client_id}&{form}")).await;
        }
        let credentials = basic(client_id, &secret(client_id));
        self.post(path, &[("authorization", &credentials)], form).await
    }

    /// A form with any headers.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], form: &str) -> Reply {
        let mut request = Request::post(path);
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::<Bytes>::from(form.to_owned())).expect("a request")).await
    }

    /// A token request of a fixture client.
    pub async fn token(&self, client_id: &str, form: &str) -> Reply {
        self.post_as(client_id, "/token", form).await
    }

    /// A code that alice has given the client, with [`Query::of`].
    pub async fn code(&self, client_id: &str) -> String {
        self.code_for(Query::of(client_id)).await
    }

    /// A code that alice has given for this request.
    pub async fn code_for(&self, query: Query) -> String {
        Browser::signed_in("alice").approve(self, query).await.code()
    }

    /// Redeems a code with the right verifier.
    pub async fn redeem(&self, client_id: &str, code: &str) -> Reply {
        self.token(client_id, &Self::redemption(code)).await
    }

    /// The form that redeems a code with the right verifier.
    pub fn redemption(code: &str) -> String {
        format!("grant_type=authorization_code&code={}&code_verifier={VERIFIER}", encode(code))
    }

    /// The form that refreshes.
    pub fn refreshment(refresh_token: &str) -> String {
        format!("grant_type=refresh_token&refresh_token={}", encode(refresh_token))
    }

    /// Refreshes.
    pub async fn refresh(&self, client_id: &str, refresh_token: &str) -> Reply {
        self.token(client_id, &Self::refreshment(refresh_token)).await
    }

    /// Tokens that alice has given the client.
    pub async fn tokens(&self, client_id: &str) -> Tokens {
        let reply = self.redeem(client_id, &self.code(client_id).await).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        Tokens { access: reply.text("access_token"), refresh: reply.text("refresh_token") }
    }

    /// Whether an API that serves the first resource finds the access token active.
    pub async fn is_active(&self, access_token: &str) -> bool {
        let reply = self.post_as("rs1", "/introspect", &format!("token={}", encode(access_token))).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["active"].as_bool().expect("active")
    }
}
