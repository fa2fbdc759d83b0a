//! What a client says about itself (RFC 7591 §2): in a document at its own URL, or when it registers.
//!
//! 1. What counts is checked, and each error names its member. What is not known is ignored.
//! 2. What a client may have is not its own to say: scope and grant types are bounded by [`Terms`], and its resources are those
//!    of the server.
//! 3. Nothing is fetched here, and no URL of a private host is kept for later.

use std::sync::Arc;

use oauth_jose::Algorithm;
use serde_json::Value;

use super::echoed;
use super::keys::ASSERTION_ALGORITHMS;
use super::members::{Members, WrongType};
use super::web_uri::is_web_uri;
use super::{AuthMethod, Client, ClientBuilder, ClientError, ClientKeys, ClientSecret, Lifetimes, Origin};
use crate::error::{Error, ErrorCode};
use crate::scope::Scope;

/// The longest name that is kept, in characters.
const MAX_NAME: usize = 100;

/// What clients may have that describe themselves.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) scope: Scope,
    pub(crate) grant_types: Vec<Arc<str>>,
    /// URLs on loopback are taken, for development.
    pub(crate) loopback: bool,
    /// The lifetimes of what they get, where these differ from the server's.
    pub(crate) lifetimes: Lifetimes,
}

impl Terms {
    /// Brings a client that was stored under earlier terms under these.
    pub(crate) fn bound(&self, client: &mut Client) {
        let allowed = client.origin.registration().and_then(|own| own.allowed.as_ref());
        client.scope = allowed.map_or_else(|| self.scope.clone(), |own| own.intersection(&self.scope));
        let default = client.default_scope.take().map(|own| own.intersection(&client.scope));
        client.default_scope = default.filter(|scope| !scope.is_empty());
        client.grant_types.retain(|name| self.grant_types.contains(name));
    }
}

/// Metadata that was read and checked on its own.
#[derive(Clone, Debug)]
pub struct ClientMetadata {
    pub(crate) client_id: Option<String>,
    pub(crate) has_secret: bool,
    name: Option<String>,
    redirect_uris: Option<Vec<String>>,
    auth_method: Option<AuthMethod>,
    grant_types: Option<Vec<String>>,
    scope: Option<String>,
    keys: Option<ClientKeys>,
    pub(crate) claimed_secret: Option<ClientSecret>,
    echoed: Option<Arc<str>>,
}

impl ClientMetadata {
    /// Reads a JSON document.
    ///
    /// # Errors
    ///
    /// `invalid_redirect_uri`, `invalid_client_metadata` or `unapproved_software_statement` (RFC 7591 §3.2.2), with a
    /// description that names the member.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        Self::read(json, false)
    }

    pub(crate) fn read(json: &[u8], loopback: bool) -> Result<Self, Error> {
        let members = Members::parse(json)
            .ok_or_else(|| invalid("the body must be one JSON object in which no member occurs twice"))?;
        if members.get("software_statement").is_some() {
            let why = "software statements are not supported";
            return Err(Error::new(ErrorCode::UnapprovedSoftwareStatement, why));
        }
        check_uris(&members, loopback)?;
        let redirect_uris = members.texts("redirect_uris").map_err(|_| {
            Error::new(ErrorCode::InvalidRedirectUri, "redirect_uris must be an array of strings")
        })?;
        let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<String>>();
        let redirect_uris = redirect_uris.map(owned);
        let secret = members.get("client_secret");
        Ok(Self {
            client_id: members.text("client_id")?.map(str::to_owned),
            has_secret: secret.is_some() || members.get("client_secret_expires_at").is_some(),
            name: members.text("client_name")?.and_then(readable),
            echoed: echoed::of(&members, redirect_uris.as_deref().unwrap_or_default()),
            redirect_uris,
            claimed_secret: secret.map(|text| ClientSecret::from_text(text.as_str().unwrap_or_default())),
            auth_method: auth_method(&members)?,
            grant_types: grant_types(&members)?,
            scope: members.text("scope")?.map(str::to_owned),
            keys: keys(&members, loopback)?,
        })
    }

    /// The name, without characters that nobody sees; nobody vouches for it.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The grant types that the client asks for, if it says so.
    pub fn grant_types(&self) -> Option<impl Iterator<Item = &str>> {
        self.grant_types.as_ref().map(|names| names.iter().map(String::as_str))
    }

    /// The scope that the client asks for, as it came.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// The public keys of the client's assertions.
    pub fn keys(&self) -> Option<&ClientKeys> {
        self.keys.as_ref()
    }

    /// What is told again and used for nothing, as the text of a JSON object: `application_type`, `client_uri`, `logo_uri`,
    /// `tos_uri`, `policy_uri`, `contacts`, `software_id`, `software_version`.
    pub fn echoed(&self) -> Option<&Arc<str>> {
        self.echoed.as_ref()
    }

    /// How the client will authenticate, if it says so.
    pub fn auth_method(&self) -> Option<AuthMethod> {
        self.auth_method
    }

    /// The redirect URIs, not checked yet.
    pub fn redirect_uris(&self) -> &[String] {
        self.redirect_uris.as_deref().unwrap_or_default()
    }

    /// The client that this describes, within the terms.
    pub(crate) fn client(
        &self,
        id: Arc<str>,
        method: AuthMethod,
        secret: Option<&ClientSecret>,
        terms: &Terms,
        origin: Origin,
    ) -> Result<Client, Error> {
        if method == AuthMethod::PrivateKeyJwt && self.keys.is_none() {
            return Err(invalid("private_key_jwt needs jwks or jwks_uri"));
        }
        let mut builder = ClientBuilder::described(id, method, origin);
        if let Some(name) = &self.name {
            builder = builder.name(name.as_str());
        }
        if let Some(secret) = secret {
            builder = builder.secret(secret);
        }
        if let Some(keys) = &self.keys {
            builder = builder.keys(keys.clone());
        }
        for uri in self.redirect_uris() {
            builder = builder.redirect_uri(uri);
        }
        let granted = match &self.grant_types {
            None => terms.grant_types.iter().take(2).cloned().collect::<Vec<_>>(),
            Some(asked) => terms
                .grant_types
                .iter()
                .filter(|own| asked.iter().any(|asked| **asked == ***own))
                .cloned()
                .collect(),
        };
        if !granted.iter().any(|granted| **granted != *"refresh_token") {
            return Err(invalid("grant_types: none of them is allowed"));
        }
        if self.redirect_uris.is_none() && granted.iter().any(|granted| **granted == *"authorization_code") {
            return Err(invalid("redirect_uris is missing"));
        }
        let asked = self.scope.as_deref().filter(|scope| !scope.is_empty());
        let asked = match asked {
            None => None,
            Some(text) => Some(Scope::parse(text).map_err(|_| invalid("scope is malformed"))?),
        };
        // What it names is what it gets by default; what else there is, it may ask for when it needs it.
        let default = asked.map(|asked| asked.intersection(&terms.scope)).filter(|scope| !scope.is_empty());
        builder = builder.grant_types(granted).scope(terms.scope.as_str()).lifetimes(terms.lifetimes);
        if let Some(default) = default {
            builder = builder.default_scope(default.as_str());
        }
        builder.build().map_err(Error::from)
    }
}

impl From<WrongType> for Error {
    fn from(WrongType(name): WrongType) -> Self {
        Self::new(ErrorCode::InvalidClientMetadata, format!("{name} is not of the right type"))
    }
}

/// The field that is wrong. A redirect URI is named as far as it may stand in a description, since a client that has several
/// cannot tell otherwise which one is meant; an operator does not read it, for there may be a password in it.
impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::RedirectUri { uri, source } => {
                let description = format!("redirect_uris: {}: {source}", quotable(&uri));
                Self::new(ErrorCode::InvalidRedirectUri, description).because(source.to_string())
            }
            ClientError::TooManyRedirectUris | ClientError::NoRedirectUri => {
                Self::new(ErrorCode::InvalidRedirectUri, "redirect_uris must have 1 to 50 entries")
            }
            other => invalid("the metadata are not valid").because(other.to_string()),
        }
    }
}

/// The beginning of a text from a stranger, as `error_description` may have it (RFC 6749 §5.2).
fn quotable(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(200)
        .map(|c| if (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\') { c } else { '?' })
        .collect();
    if text.chars().count() > 200 {
        shown.push_str("...");
    }
    if shown.is_empty() { "an empty entry".to_owned() } else { shown }
}

fn invalid(description: &'static str) -> Error {
    Error::new(ErrorCode::InvalidClientMetadata, description)
}

/// Every URL in the metadata is one of the public web, whether it is used here or not: it is shown or passed on somewhere.
fn check_uris(members: &Members, loopback: bool) -> Result<(), Error> {
    for (name, value) in members.iter() {
        // A name may say a language behind a `#` (RFC 7591 §2.2).
        let plain = name.split('#').next().unwrap_or(name);
        // Clients send back what this server has told them.
        let own = plain == "registration_client_uri";
        let one = !own && (plain.ends_with("_uri") || plain.ends_with("_endpoint"));
        let several =
            plain.ends_with("_uris") && !matches!(plain, "redirect_uris" | "post_logout_redirect_uris");
        let fine = match value {
            // Some clients write that for what they have not.
            Value::String(uri) if one && uri.is_empty() => true,
            Value::String(uri) if one => is_web_uri(uri, loopback),
            Value::Array(uris) if several => {
                uris.iter().all(|uri| uri.as_str().is_some_and(|uri| is_web_uri(uri, loopback)))
            }
            Value::Null => true,
            _ => !one && !several,
        };
        if !fine {
            // The name is told only where it is a plain one: it may be anything.
            let plain =
                name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            let name = if plain { name } else { "a member" };
            let why = format!("{name} is not an https URL with a host name");
            return Err(Error::new(ErrorCode::InvalidClientMetadata, why));
        }
    }
    Ok(())
}

fn auth_method(members: &Members) -> Result<Option<AuthMethod>, Error> {
    let Some(name) = members.text("token_endpoint_auth_method")? else {
        let several = members.texts("token_endpoint_auth_methods_supported")?.unwrap_or_default();
        // A client that may stay public is one; its assertions are checked where it sends some.
        return Ok(["none", "private_key_jwt"]
            .into_iter()
            .find(|name| several.contains(name))
            .and_then(AuthMethod::parse));
    };
    let method = AuthMethod::parse(name);
    method.map(Some).ok_or_else(|| invalid("token_endpoint_auth_method is not supported"))
}

fn grant_types(members: &Members) -> Result<Option<Vec<String>>, Error> {
    let response_types = members.texts("response_types")?.unwrap_or_default();
    if !response_types.is_empty() && !response_types.contains(&"code") {
        return Err(invalid("response_types: only code is supported"));
    }
    let grant_types = members.texts("grant_types")?.filter(|names| !names.is_empty());
    Ok(grant_types.map(|names| names.into_iter().map(str::to_owned).collect()))
}

fn keys(members: &Members, loopback: bool) -> Result<Option<ClientKeys>, Error> {
    let uri = members.text("jwks_uri")?;
    let because =
        |error: super::ClientKeysError| Error::new(ErrorCode::InvalidClientMetadata, error.to_string());
    let keys = match (members.get("jwks"), uri) {
        (Some(_), Some(_)) => return Err(invalid("jwks and jwks_uri exclude each other")),
        (Some(jwks), None) => ClientKeys::by_value(&jwks.to_string()).map_err(because)?,
        (None, Some(uri)) => ClientKeys::published_at(uri, loopback).map_err(because)?,
        (None, None) => return Ok(None),
    };
    match members.text("token_endpoint_auth_signing_alg")? {
        None => Ok(Some(keys)),
        Some(alg) => match Algorithm::parse(alg).filter(|own| ASSERTION_ALGORITHMS.contains(own)) {
            Some(algorithm) => Ok(Some(keys.only(algorithm))),
            None => Err(invalid("token_endpoint_auth_signing_alg is not supported")),
        },
    }
}

/// A name without what nobody sees: controls, direction overrides, zero-width characters. Pages do more of this.
fn readable(name: &str) -> Option<String> {
    let hidden = |c: &char| {
        c.is_control()
            || matches!(u32::from(*c), 0x061C | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF)
    };
    let name: String = name.chars().filter(|c| !hidden(c)).take(MAX_NAME).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}
