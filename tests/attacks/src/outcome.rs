//! What an attack has left: tokens that all work, or tokens that are all dead.

use crate::{Reply, Tokens, World, assert_json, encode};

impl Tokens {
    /// What a successful answer of the token endpoint holds.
    #[track_caller]
    pub fn of(reply: &Reply) -> Self {
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply:?}");
        Self { access: reply.text("access_token"), refresh: reply.text("refresh_token") }
    }
}

impl World {
    /// A code of alice for the client, and the tokens that it was redeemed for.
    pub async fn redeemed(&self, client_id: &str) -> (String, Tokens) {
        let code = self.code(client_id).await;
        let tokens = Tokens::of(&self.redeem(client_id, &code).await);
        (code, tokens)
    }

    /// Revokes a token as the client.
    pub async fn revoke(&self, client_id: &str, token: &str) -> Reply {
        self.post_as(client_id, "/revoke", &format!("token={}", encode(token))).await
    }

    /// Introspects a token as the client.
    pub async fn introspect(&self, client_id: &str, token: &str) -> Reply {
        self.post_as(client_id, "/introspect", &format!("token={}", encode(token))).await
    }

    /// Nothing has happened to the tokens: the access token works and the refresh token has not been used. Answers the tokens
    /// that follow.
    pub async fn assert_untouched(&self, client_id: &str, tokens: &Tokens) -> Tokens {
        assert!(self.is_active(&tokens.access).await, "the access token has ended");
        Tokens::of(&self.refresh(client_id, &tokens.refresh).await)
    }

    /// Nothing of the tokens works any more.
    pub async fn assert_ended(&self, client_id: &str, tokens: &Tokens) {
        assert!(!self.is_active(&tokens.access).await, "the access token still works");
        assert_json(&self.refresh(client_id, &tokens.refresh).await, 400, "invalid_grant");
    }
}

/// The one answer about a token that does not work, or is none of the caller's business (RFC 7662 §2.2).
#[track_caller]
pub fn assert_inactive(reply: &Reply) {
    assert_eq!((reply.status, &*reply.body), (200, r#"{"active":false}"#), "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/json"), "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply:?}");
}

/// The store is down: 503 with `Retry-After`, and nothing that a client takes for a verdict on its token.
#[track_caller]
pub fn assert_unavailable(reply: &Reply) {
    assert_json(reply, 503, "temporarily_unavailable");
    let seconds = reply.header("retry-after").and_then(|value| value.parse::<u32>().ok());
    assert!(seconds.is_some_and(|seconds| seconds > 0), "{reply:?}");
}
