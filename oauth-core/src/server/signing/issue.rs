//! Signing a JWT access token (RFC 9068 §2).

use oauth_jose::MAX_TOKEN;

use super::TokenContext;
use super::token_claims::append;
use crate::error::Error;
use crate::grant::{Confirmation, Grant, Unsigned};
use crate::handle::GrantId;
use crate::json::{Members, Object};
use crate::server::Server;

/// The longest JWT that is issued: what `BearerLayer` and most servers take in a header.
const MAX_ISSUED: usize = MAX_TOKEN / 2;

impl Server {
    /// The JWT for an access token of this grant.
    ///
    /// # Errors
    ///
    /// 503 when the signer or the host's claims fail; `server_error` for claims that cannot be.
    pub(in crate::server) async fn sign_access(
        &self,
        id: GrantId,
        grant: &Grant,
        token: &Unsigned,
    ) -> Result<String, Error> {
        let unavailable = || Error::unavailable("there is no key to sign with");
        let keyring = self.signing.keyring().ok_or_else(unavailable)?;
        let mut payload = self.payload(id, grant, token);
        if let Some(claims) = &self.signing.claims {
            let more = claims.claims(&TokenContext::new(id, grant, token)).await?;
            append(&mut payload, &more)?;
        }
        payload.push(b'}');
        let jwt =
            keyring.signer.sign(&payload).await.map_err(|error| Error::unavailable(error.to_string()))?;
        if jwt.len() > MAX_ISSUED {
            return Err(Error::unavailable("the signed token would be too long for a header"));
        }
        Ok(jwt)
    }

    /// The claims of RFC 9068 §2.2, without the brace at the end.
    fn payload(&self, id: GrantId, grant: &Grant, token: &Unsigned) -> Vec<u8> {
        let mut json = Object::with_capacity(512);
        json.text(r#"{"iss":"#, &grant.issuer);
        json.text(r#","sub":"#, grant.subject.as_deref().unwrap_or(&grant.client_id));
        let audience = |resource| self.signing.formats.audience(resource);
        match token.resources.only() {
            Some(one) => json.text(r#","aud":"#, audience(one)),
            None => json.texts(r#","aud":"#, token.resources.iter().map(audience)),
        }
        json.text(r#","client_id":"#, &grant.client_id);
        json.number(r#","iat":"#, token.issued_at.as_secs());
        json.number(r#","exp":"#, token.expires_at.as_secs());
        json.plain(r#","jti":"#, &jti(id, token));
        if !token.scope.is_empty() {
            json.plain(r#","scope":"#, token.scope.as_str());
        }
        if let Some(authentication) = &grant.authentication {
            json.number(r#","auth_time":"#, authentication.time.as_secs());
            if let Some(acr) = authentication.acr() {
                json.text(r#","acr":"#, acr);
            }
            if !authentication.amr().is_empty() {
                json.texts(r#","amr":"#, authentication.amr().iter().map(|amr| &**amr));
            }
        }
        match grant.confirmation().map(|confirmation| &**confirmation) {
            None => {}
            Some(Confirmation::Jkt(thumbprint)) => {
                json.text(r#","cnf":{"jkt":"#, thumbprint);
                json.literal("}");
            }
            Some(Confirmation::X5tS256(thumbprint)) => {
                json.text(r#","cnf":{"x5t#S256":"#, thumbprint);
                json.literal("}");
            }
        }
        json.open()
    }
}

/// Names the grant and the token in it.
fn jti(id: GrantId, token: &Unsigned) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string([id.as_bytes().as_slice(), token.id.as_bytes()].concat())
}
