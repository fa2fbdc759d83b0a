//! A validated authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2, OpenID Connect Core §3.1.2.1).

use std::borrow::Cow;
use std::sync::Arc;

use super::query::malformed;
use super::{AuthorizeError, Prompt, Query, RedirectError, ShowError, ShowKind};
use crate::client::Client;
use crate::error::ErrorCode;
use crate::grant::Resources;
use crate::params::{Params, is_vschar};
use crate::pkce::Challenge;
use crate::redirect_uri::{MAX_REDIRECT_URI_BYTES, RedirectKind, RedirectUri, with_query};
use crate::resource::Resource;
use crate::scope::Scope;

/// The longest `state`, in bytes.
pub const MAX_STATE_BYTES: usize = 4096;
/// The longest `nonce`, in bytes.
pub const MAX_NONCE_BYTES: usize = 512;
/// The longest `login_hint`, in bytes.
pub const MAX_LOGIN_HINT_BYTES: usize = 512;

/// Parameters that may occur once, but for `client_id`, `redirect_uri` and `state`, which are read before.
const SINGLE: [&str; 17] = [
    "response_type",
    "response_mode",
    "scope",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "prompt",
    "max_age",
    "login_hint",
    "request",
    "request_uri",
    "authorization_details",
    "acr_values",
    "ui_locales",
    "display",
    "claims",
    "id_token_hint",
];

/// An authorization request whose every parameter has been checked against its client. Made by [`Query::check`] only.
#[derive(Clone, Debug)]
pub struct Request {
    client_id: Arc<str>,
    redirect_uri: Arc<str>,
    registered: RedirectUri,
    state: Option<Arc<str>>,
    scope: Scope,
    resources: Resources,
    challenge: Option<Challenge>,
    prompt: Prompt,
    max_age: Option<u32>,
    login_hint: Option<Arc<str>>,
    nonce: Option<Arc<str>>,
}

/// Where an error of this request may be sent: exists once client and redirect URI are trusted.
struct Target {
    client_id: Arc<str>,
    redirect_uri: Arc<str>,
    registered: RedirectUri,
    state: Option<Arc<str>>,
}

impl Query<'_> {
    /// Checks the request against the client that it names.
    ///
    /// # Errors
    ///
    /// [`AuthorizeError::Show`] until client and redirect URI are trusted, [`AuthorizeError::Redirect`] afterwards.
    pub fn check(&self, client: &Client) -> Result<Request, AuthorizeError> {
        let mut target = trusted_target(self, client)?;
        match self.params.one("state") {
            Ok(state) if state.is_none_or(|state| state.len() <= MAX_STATE_BYTES && is_vschar(state)) => {
                target.state = state.map(Into::into);
            }
            Ok(_) => return Err(target.invalid("state is too long or has unprintable characters").into()),
            Err(_) => return Err(target.invalid("state occurs more than once").into()),
        }
        read(&self.params, client, target).map_err(Into::into)
    }
}

fn trusted_target(query: &Query<'_>, client: &Client) -> Result<Target, ShowError> {
    let show = |kind, reason: &'static str| ShowError::new(kind, reason).for_client(client.shared_id());
    if client.id() != query.client_id() {
        return Err(show(ShowKind::Internal, "the client is not the one that was asked for"));
    }
    if client.is_disabled() {
        return Err(show(ShowKind::UnknownClient, "the client is disabled"));
    }
    let requested =
        query.params.one("redirect_uri").map_err(|error| malformed(&error).for_client(client.shared_id()))?;
    let requested = match (requested, client.redirect_uris()) {
        (Some(uri), _) if uri.len() > MAX_REDIRECT_URI_BYTES => {
            return Err(show(ShowKind::TooLong, "redirect_uri is too long"));
        }
        (Some(uri), _) => uri,
        // The port of a native app is not known in advance, so its address cannot be left out.
        (None, [only]) if only.kind() != RedirectKind::Loopback => only.as_str(),
        (None, []) => return Err(show(ShowKind::RedirectUri, "the client has no redirect URI")),
        (None, _) => return Err(show(ShowKind::RedirectUri, "redirect_uri is missing and not implied")),
    };
    let registered = client
        .registered(requested)
        .ok_or_else(|| show(ShowKind::RedirectUri, "redirect_uri is not registered for the client"))?;
    Ok(Target {
        client_id: client.shared_id(),
        redirect_uri: requested.into(),
        registered: registered.clone(),
        state: None,
    })
}

fn read(params: &Params<'_>, client: &Client, target: Target) -> Result<Request, RedirectError> {
    if let Some(error) = SINGLE.iter().find_map(|name| params.one(name).err()) {
        return Err(target.invalid(error.to_string()));
    }
    let one = |name| params.one(name).ok().flatten();
    if one("response_mode").is_some_and(|mode| mode != "query") {
        return Err(target.invalid("only response_mode query is supported"));
    }
    check_response_type(one("response_type"), &target)?;
    if !client.may_use("authorization_code") {
        return Err(target.refuse(ErrorCode::UnauthorizedClient, "the client may not use this grant type"));
    }
    match (one("request"), one("request_uri")) {
        (None, None) => {}
        (Some(_), Some(_)) => return Err(target.invalid("request and request_uri exclude each other")),
        (Some(_), None) => {
            return Err(target.refuse(ErrorCode::RequestNotSupported, "request is not supported"));
        }
        (None, Some(_)) => {
            return Err(target.refuse(ErrorCode::RequestUriNotSupported, "request_uri is not supported"));
        }
    }
    if one("authorization_details").is_some() {
        let code = ErrorCode::InvalidAuthorizationDetails;
        return Err(target.refuse(code, "no type of authorization_details is supported"));
    }
    let challenge = Challenge::parse(one("code_challenge"), one("code_challenge_method"))
        .map_err(|error| target.invalid(error.to_string()))?;
    if challenge.is_none() && client.requires_pkce() {
        return Err(target.invalid("code_challenge is missing, use PKCE with S256"));
    }
    let prompt = match one("prompt") {
        None => Prompt::default(),
        Some(text) => Prompt::parse(text).ok_or_else(|| target.invalid("prompt is malformed or unknown"))?,
    };
    let max_age = match one("max_age") {
        None => None,
        Some(text) => {
            Some(seconds(text).ok_or_else(|| target.invalid("max_age is not a number of seconds"))?)
        }
    };
    let login_hint = one("login_hint");
    if login_hint.is_some_and(|hint| hint.len() > MAX_LOGIN_HINT_BYTES || hint.chars().any(char::is_control))
    {
        return Err(target.invalid("login_hint is too long or has control characters"));
    }
    let nonce = one("nonce");
    if nonce.is_some_and(|nonce| nonce.len() > MAX_NONCE_BYTES || !is_vschar(nonce)) {
        return Err(target.invalid("nonce is too long or has unprintable characters"));
    }
    let scope = requested_scope(one("scope"), client, &target)?;
    let resources = requested_resources(params, client, &target)?;
    let (login_hint, nonce) = (login_hint.map(Into::into), nonce.map(Into::into));
    let Target { client_id, redirect_uri, registered, state } = target;
    Ok(Request {
        client_id,
        redirect_uri,
        registered,
        state,
        scope,
        resources,
        challenge,
        prompt,
        max_age,
        login_hint,
        nonce,
    })
}

fn check_response_type(response_type: Option<&str>, target: &Target) -> Result<(), RedirectError> {
    match response_type {
        Some("code") => Ok(()),
        None => Err(target.invalid("response_type is missing")),
        Some(_) => {
            let code = ErrorCode::UnsupportedResponseType;
            Err(target.refuse(code, "only response_type code is supported"))
        }
    }
}

fn requested_scope(scope: Option<&str>, client: &Client, target: &Target) -> Result<Scope, RedirectError> {
    let Some(text) = scope else { return Ok(client.default_scope().clone()) };
    let scope = Scope::parse_like(text, client.default_scope())
        .map_err(|error| target.refuse(ErrorCode::InvalidScope, error.to_string()))?;
    if scope.is_subset_of(client.scope()) {
        return Ok(scope);
    }
    client
        .narrowed(&scope)
        .ok_or_else(|| target.refuse(ErrorCode::InvalidScope, "the client may not ask for this scope"))
}

/// The registered form of each requested resource, once; the client's default where none is requested.
fn requested_resources(
    params: &Params<'_>,
    client: &Client,
    target: &Target,
) -> Result<Resources, RedirectError> {
    let mut resources = Vec::new();
    for requested in params.all("resource") {
        let resource = client.find_resource(requested).ok_or_else(|| {
            target.refuse(ErrorCode::InvalidTarget, "the client may not ask for this resource")
        })?;
        if !resources.contains(resource) {
            resources.push(resource.clone());
        }
    }
    if !resources.is_empty() {
        return Ok(Resources::new(resources));
    }
    let default = client.default_resources();
    default.cloned().ok_or_else(|| {
        target.refuse(ErrorCode::InvalidTarget, "resource is missing, and there is more than one")
    })
}

/// Digits only: no sign, no space.
fn seconds(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl Target {
    fn invalid(&self, description: impl Into<Cow<'static, str>>) -> RedirectError {
        self.refuse(ErrorCode::InvalidRequest, description)
    }

    fn refuse(&self, code: ErrorCode, description: impl Into<Cow<'static, str>>) -> RedirectError {
        RedirectError {
            redirect_uri: self.redirect_uri.clone(),
            state: self.state.clone(),
            client_id: self.client_id.clone(),
            code,
            description: description.into(),
        }
    }
}

impl Request {
    /// The client that asks.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Where the answer goes, as requested.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The registered redirect URI that the requested one matched.
    pub fn registered_uri(&self) -> &RedirectUri {
        &self.registered
    }

    /// What is asked for.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The resources that it is asked for (RFC 8707), as registered.
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// The PKCE challenge; absent only for clients that may go without.
    pub fn challenge(&self) -> Option<&Challenge> {
        self.challenge.as_ref()
    }

    /// What the client wants to be shown.
    pub fn prompt(&self) -> Prompt {
        self.prompt
    }

    /// How old the authentication may be, in seconds; 0 asks for a new one.
    pub fn max_age(&self) -> Option<u32> {
        self.max_age
    }

    /// Who the client thinks will sign in. Anybody may have written it.
    pub fn login_hint(&self) -> Option<&str> {
        self.login_hint.as_deref()
    }

    /// OpenID Connect's `nonce`.
    pub fn nonce(&self) -> Option<&Arc<str>> {
        self.nonce.as_ref()
    }

    /// A digest of what a consent page says: who gets what, and where the answer goes.
    pub(crate) fn shown(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("oauth-core 2025 what a consent page says");
        let fixed = [&*self.client_id, &*self.redirect_uri, self.scope.as_str()];
        for part in fixed.into_iter().chain(self.resources.iter().map(Resource::as_str)) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().into()
    }

    /// Where to send the browser with a code, with status 303 (RFC 6749 §4.1.2, RFC 9207 §2).
    pub fn success(&self, code: &str, issuer: &str) -> String {
        let state = self.state.as_deref().map(|state| ("state", state));
        with_query(&self.redirect_uri, [("code", code)].into_iter().chain(state).chain([("iss", issuer)]))
    }

    /// An error for the client.
    pub fn refuse(&self, code: ErrorCode, description: &'static str) -> RedirectError {
        RedirectError {
            redirect_uri: self.redirect_uri.clone(),
            state: self.state.clone(),
            client_id: self.client_id.clone(),
            code,
            description: description.into(),
        }
    }
}
