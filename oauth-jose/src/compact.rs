//! Making compact JWS (RFC 7515 §5.1).

use std::sync::Arc;

use crate::{SignError, Signer, VerifyingKey, base64url};

/// The longest token, in bytes.
pub const MAX_TOKEN: usize = 16 * 1024;

/// Signs tokens of one type with one key; the header is written once.
#[derive(Clone, Debug)]
pub struct CompactSigner {
    signer: Arc<dyn Signer>,
    /// The encoded header and the dot behind it.
    header: Arc<str>,
}

impl CompactSigner {
    /// Tokens with this `typ`, such as `at+jwt`.
    pub fn new(signer: Arc<dyn Signer>, typ: &str) -> Self {
        let key = signer.key();
        // Values through serde_json, which escapes them; the order is the usual one.
        let [typ, alg, kid] = [typ, key.algorithm().as_str(), key.kid()].map(serde_json::Value::from);
        let mut header = base64url::encode(format!(r#"{{"typ":{typ},"alg":{alg},"kid":{kid}}}"#).as_bytes());
        header.push('.');
        Self { header: header.into(), signer }
    }

    /// The public half of the key.
    pub fn key(&self) -> &VerifyingKey {
        self.signer.key()
    }

    /// The token of a payload.
    ///
    /// # Errors
    ///
    /// A [`SignError`] if the signer could not sign, if what it answered cannot be a signature of its key, or if the token
    /// would be longer than [`MAX_TOKEN`].
    pub async fn sign(&self, payload: &[u8]) -> Result<String, SignError> {
        let signature_length = self.key().signature_length();
        let length = self.header.len() + (payload.len() + signature_length).div_ceil(3) * 4 + 5;
        if length > MAX_TOKEN {
            return Err(SignError::new("the token would be too long"));
        }
        let mut token = String::with_capacity(length);
        token.push_str(&self.header);
        base64url::append(&mut token, payload);
        let signature = self.signer.sign(token.as_bytes()).await?;
        if signature.len() != signature_length {
            return Err(SignError::new("a signature of the wrong length; ECDSA wants r and s, not DER"));
        }
        token.push('.');
        base64url::append(&mut token, &signature);
        Ok(token)
    }
}
