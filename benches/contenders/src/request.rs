//! The client that every contender registers, and the requests that it sends.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;

use crate::Req;

/// The issuer: a name, never connected to.
pub const ISSUER: &str = "https://as.example";
/// 40 characters, as generated client identifiers are.
pub const CLIENT_ID: &str = "c-0f8b3f0e5d1a4b7c9e2d6a8f1b3c5d7e9f1a2b";
/// 256 random bits: a generated secret, not a password.
pub const CLIENT_SECRET: &str = "Yk9mT2p5cXo4ZDJ3bE5rVjF4RzdhQ3NoUzNlUDZ1";
/// The client's only redirect URI.
pub const REDIRECT_URI: &str = "https://client.example/callback";
/// What the client may ask for, and asks for.
pub const SCOPE: &str = "read write profile";
/// Who is signed in.
pub const SUBJECT: &str = "5f2b1c9e-8d34-4c1a-9b7e-2f6d0a3c4e58";
/// RFC 7636, Appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// RFC 7636, Appendix B.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The value of `Authorization` for `client_secret_basic`.
pub fn basic() -> String {
    format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}")))
}

/// The form of each grant and of introspection.
pub mod form {
    use url::form_urlencoded::Serializer;

    use super::{REDIRECT_URI, SCOPE, VERIFIER};

    fn encode(pairs: &[(&str, &str)]) -> String {
        Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    /// RFC 6749 §4.4.2.
    pub fn client_credentials() -> String {
        encode(&[("grant_type", "client_credentials"), ("scope", SCOPE)])
    }

    /// RFC 6749 §4.1.3, RFC 7636 §4.5.
    pub fn code(code: &str) -> String {
        encode(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ])
    }

    /// RFC 6749 §6.
    pub fn refresh(token: &str) -> String {
        encode(&[("grant_type", "refresh_token"), ("refresh_token", token)])
    }

    /// RFC 7662 §2.1.
    pub fn introspection(token: &str) -> String {
        encode(&[("token", token), ("token_type_hint", "access_token")])
    }
}

/// A form, sent by the client.
pub fn post(path: &str, body: String) -> Req {
    Request::post(path)
        .header(header::HOST, "as.example")
        .header(header::AUTHORIZATION, basic())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::CONTENT_LENGTH, body.len())
        .body(Full::from(Bytes::from(body)))
        .expect("a valid request")
}

/// `GET` of a protected route with a bearer token (RFC 6750 §2.1).
pub fn resource(path: &str, token: &str) -> Req {
    Request::get(path)
        .header(header::HOST, "as.example")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Full::default())
        .expect("a valid request")
}

/// The browser's request to the authorization endpoint (RFC 6749 §4.1.1, RFC 7636 §4.3).
pub fn authorize(path: &str) -> Req {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", REDIRECT_URI),
            ("scope", SCOPE),
            ("state", "af0ifjsldkj"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ])
        .finish();
    Request::get(format!("{path}?{query}"))
        .header(header::HOST, "as.example")
        .body(Full::default())
        .expect("a valid request")
}

/// The code in the redirect that answers [`authorize`].
///
/// # Panics
///
/// When there is none.
pub fn code_of(response: &crate::Res) -> String {
    let location = response.headers().get(header::LOCATION).expect("a redirect").to_str().expect("ASCII");
    let location = url::Url::parse(location).expect("an absolute URI");
    let code = location.query_pairs().find(|(name, _)| name == "code");
    code.unwrap_or_else(|| panic!("no code in {location}")).1.into_owned()
}
