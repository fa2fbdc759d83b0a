//! Client authentication: exactly one method, the registered one, the same at every endpoint (RFC 6749 §2.3).

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use arrayvec::ArrayString;
use base64_simd::{AsOut, STANDARD};
use http::header::{AUTHORIZATION, HeaderMap};
use zeroize::Zeroizing;

use super::secrets::{self, Presented};
use super::{Assertion, AuthMethod, Client};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode};
use crate::params::{Params, percent_decode_form};
use crate::storage::Key;
use crate::wiped::Wiped;

/// The longest `Authorization` value that is looked at.
const MAX_BASIC_BYTES: usize = 1536;

/// Credentials up to this length are decoded without an allocation.
const USUAL_BASIC_BYTES: usize = 256;

/// A client that has authenticated, or a public client that has named itself.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
    /// The key of the fence around its grants, where the server knows it.
    fence: Option<Key>,
}

impl AuthenticatedClient {
    /// The client.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    pub(crate) fn fence(&self) -> Option<Key> {
        self.fence
    }

    pub(crate) fn with_fence(self, fence: Option<Key>) -> Self {
        Self { fence, ..self }
    }
}

impl Deref for AuthenticatedClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// What a request says about its client. Only [`Credentials::check`] turns it into an [`AuthenticatedClient`].
pub struct Credentials<'a> {
    client_id: ClaimedId<'a>,
    secret: Option<Presented>,
    assertion: Option<Assertion<'a>>,
    method: AuthMethod,
}

/// The claimed id: part of the body, or decoded from a header, usually without an allocation.
enum ClaimedId<'a> {
    Borrowed(&'a str),
    Short(ArrayString<64>),
    Long(Box<str>),
}

impl ClaimedId<'_> {
    fn copied(id: &str) -> Self {
        match ArrayString::from(id) {
            Ok(short) => Self::Short(short),
            Err(_) => Self::Long(id.into()),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(id) => id,
            Self::Short(id) => id,
            Self::Long(id) => id,
        }
    }
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id())
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl<'a> Credentials<'a> {
    /// Reads the credentials of a request.
    ///
    /// # Errors
    ///
    /// `invalid_request` for two methods at once, two `Authorization` headers or two different ids; `invalid_client` for
    /// credentials that cannot be read, and for none.
    pub fn read(headers: &HeaderMap, params: &'a Params<'_>) -> Result<Self, Error> {
        let mut authorization = headers.get_all(AUTHORIZATION).iter();
        let header = authorization.next();
        if authorization.next().is_some() {
            return Err(Error::invalid_request("more than one Authorization header"));
        }
        let body_id = params.one("client_id")?;
        let body_secret = params.one("client_secret")?;
        let assertion = (params.one("client_assertion")?, params.one("client_assertion_type")?);
        let asserted = assertion != (None, None);
        // A parameter without a value counts as omitted (RFC 6749 §3.2): some clients always send all of them.
        let methods =
            usize::from(header.is_some()) + usize::from(body_secret.is_some()) + usize::from(asserted);
        if methods > 1 {
            return Err(Error::invalid_request("more than one client authentication method"));
        }
        if asserted {
            return Self::asserted(assertion, body_id);
        }
        if let Some(header) = header {
            let basic = Self::basic(header.as_bytes())
                .ok_or_else(|| invalid_client("the Authorization header is not Basic credentials", true))?;
            if body_id.is_some_and(|id| id != basic.client_id()) {
                return Err(Error::invalid_request("client_id differs from the Authorization header"));
            }
            return Ok(basic);
        }
        let Some(client_id) = body_id else {
            return Err(invalid_client("the request names no client", true));
        };
        Ok(match body_secret {
            Some(secret) => Self {
                client_id: ClaimedId::Borrowed(client_id),
                secret: Presented::read(secret),
                assertion: None,
                method: AuthMethod::ClientSecretPost,
            },
            None => Self {
                client_id: ClaimedId::Borrowed(client_id),
                secret: None,
                assertion: None,
                method: AuthMethod::None,
            },
        })
    }

    /// The id in the body may be left out: then the assertion says whose it is (RFC 7521 §4.2).
    fn asserted(
        (assertion, assertion_type): (Option<&'a str>, Option<&'a str>),
        body_id: Option<&'a str>,
    ) -> Result<Self, Error> {
        let refused = |reason| invalid_client(reason, false);
        let (Some(assertion), Some(assertion_type)) = (assertion, assertion_type) else {
            return Err(refused("client_assertion and client_assertion_type belong together"));
        };
        if assertion_type != Assertion::TYPE {
            return Err(refused("client_assertion_type is not that of a JWT"));
        }
        let assertion = Assertion::new(assertion);
        let client_id = match body_id {
            Some(id) => ClaimedId::Borrowed(id),
            None => ClaimedId::Long(
                assertion.claimed_client().ok_or_else(|| refused("the assertion names no client"))?.into(),
            ),
        };
        let method = AuthMethod::PrivateKeyJwt;
        Ok(Self { client_id, secret: None, assertion: Some(assertion), method })
    }

    fn basic(header: &[u8]) -> Option<Self> {
        if header.len() > MAX_BASIC_BYTES {
            return None;
        }
        let (scheme, rest) = header.split_at_checked(6)?;
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return None;
        }
        let encoded = rest.trim_ascii();
        if encoded.len() > USUAL_BASIC_BYTES {
            return Self::decoded(&Zeroizing::new(STANDARD.decode_to_vec(encoded).ok()?));
        }
        let mut decoded = Wiped::<USUAL_BASIC_BYTES>::zeroed();
        Self::decoded(STANDARD.decode(encoded, decoded.as_mut_slice().as_out()).ok()?)
    }

    fn decoded(text: &[u8]) -> Option<Self> {
        let colon = memchr::memchr(b':', text)?;
        let text = std::str::from_utf8(text).ok()?;
        let (id, secret) = (&text[..colon], &text[colon + 1..]);
        let client_id = percent_decode_form(id).ok()?;
        let secret = match percent_decode_form(secret).ok()? {
            Cow::Borrowed(secret) => Presented::read(secret),
            Cow::Owned(secret) => Presented::read(&Zeroizing::new(secret)),
        };
        (!client_id.is_empty()).then(|| Self {
            client_id: ClaimedId::copied(&client_id),
            secret,
            assertion: None,
            method: AuthMethod::ClientSecretBasic,
        })
    }

    /// The id that the request claims. Nothing is proven yet.
    pub fn client_id(&self) -> &str {
        self.client_id.as_str()
    }

    pub(crate) fn assertion(&self) -> Option<Assertion<'a>> {
        self.assertion
    }

    /// The client of an assertion that has been verified.
    pub(crate) fn asserted_by(client: Arc<Client>, fence: Key) -> AuthenticatedClient {
        AuthenticatedClient { client, fence: Some(fence) }
    }

    /// Checks the credentials against the registered client; an assertion is checked by the server, which knows its audience. An
    /// unknown client takes as long and hears the same.
    ///
    /// # Errors
    ///
    /// `invalid_client`, with the reason for the operator only.
    pub fn check(self, client: Option<Arc<Client>>, now: Timestamp) -> Result<AuthenticatedClient, Error> {
        let hashes = client.as_deref().map_or(&[][..], |client| &client.secrets);
        let proven = match &self.secret {
            Some(secret) => secrets::matches(hashes, secret, now),
            None => self.method == AuthMethod::None,
        };
        let reason = match client {
            None => "unknown client",
            Some(client) if client.is_disabled() => "the client is disabled",
            Some(client) if client.auth_method != self.method => {
                "the client used another authentication method than the registered one"
            }
            Some(_) if !proven => "the client secret is wrong",
            Some(client) => return Ok(AuthenticatedClient { client, fence: None }),
        };
        let tried_basic = self.method == AuthMethod::ClientSecretBasic;
        Err(invalid_client(reason, tried_basic).for_client(self.client_id()))
    }
}

pub(crate) fn invalid_client(reason: impl Into<Cow<'static, str>>, tried_basic: bool) -> Error {
    Error::new(ErrorCode::InvalidClient, "client authentication failed")
        .because(reason)
        .with_basic_challenge(tried_basic)
}
