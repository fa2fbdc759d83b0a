//! The OpenID provider, by the `openidconnect` crate.

use oauth_core::authorize::{Login, ShowKind};
use oauth_core::clock::Timestamp;
use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::reqwest;
use openidconnect::url::Url;
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
};

use crate::attempt::Attempt;

/// How this server is known to the provider.
#[derive(Clone)]
pub struct UpstreamSettings {
    /// The provider's issuer.
    pub issuer: String,
    /// The client id there.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
}

type Provider = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

pub(crate) struct Upstream {
    provider: Provider,
    issuer: Url,
    http: reqwest::Client,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error("the provider refused: {}", .0.escape_debug())]
    Refused(String),
    #[error("the provider could not be asked: {0}")]
    Unreachable(String),
    #[error("the provider's answer does not count: {0}")]
    Invalid(String),
}

impl Failed {
    pub(crate) fn kind(&self) -> ShowKind {
        match self {
            Self::Unreachable(_) => ShowKind::Unavailable,
            _ => ShowKind::SignInLoop,
        }
    }
}

impl Upstream {
    /// Reads what the provider says about itself.
    pub(crate) async fn discover(
        settings: UpstreamSettings,
        callback: &str,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        // Whoever follows redirects can be led to other services of this network.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        let issuer = IssuerUrl::new(settings.issuer)?;
        let metadata = CoreProviderMetadata::discover_async(issuer.clone(), &http).await?;
        let (id, secret) = (ClientId::new(settings.client_id), ClientSecret::new(settings.client_secret));
        let provider = CoreClient::from_provider_metadata(metadata, id, Some(secret))
            .set_redirect_uri(RedirectUrl::new(callback.to_owned())?);
        Ok(Self { provider, issuer: issuer.url().clone(), http })
    }

    /// What people know the provider by.
    pub(crate) fn host(&self) -> String {
        self.issuer.host_str().unwrap_or_default().to_owned()
    }

    /// Where to send the browser, and what to keep until it returns. `again`: whoever is signed in there proves it anew.
    pub(crate) fn start(&self, return_to: String, again: bool) -> (Url, Attempt) {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut request = self
            .provider
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .set_pkce_challenge(challenge);
        if again {
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        let (url, state, nonce) = request.url();
        let (state, nonce) = (state.into_secret(), nonce.secret().clone());
        (url, Attempt { state, nonce, verifier: verifier.into_secret(), return_to })
    }

    /// Who it is.
    pub(crate) async fn finish(
        &self,
        code: String,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<Login, Failed> {
        let invalid = |why: &dyn std::fmt::Display| Failed::Invalid(why.to_string());
        let tokens = self
            .provider
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| invalid(&error))?
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier.clone()))
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                openidconnect::RequestTokenError::ServerResponse(answer) => invalid(&answer),
                other => Failed::Unreachable(other.to_string()),
            })?;
        let id_token = tokens.extra_fields().id_token().ok_or_else(|| invalid(&"there is no ID token"))?;
        let nonce = Nonce::new(attempt.nonce.clone());
        let claims =
            id_token.claims(&self.provider.id_token_verifier(), &nonce).map_err(|error| invalid(&error))?;
        // When they proved who they are, if it says; not when it answered.
        let at = claims.auth_time().map_or(now, |at| Timestamp::from_secs(at.timestamp()));
        Ok(Login::new(claims.subject().as_str(), at.min(now)))
    }
}
