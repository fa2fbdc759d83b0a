//! Clients that register themselves (RFC 7591), and manage what they have registered (RFC 7592).
//!
//! 1. What a client may have is decided by the server's terms and by the host's policy, never by the client.
//! 2. A registration is one insert. Id, secret and registration access token are drawn here; digests are what is kept.
//! 3. A registration lasts for a short first period, and from the first completed sign-in on for a time since the last use.
//!    What has run out is no client any more, and purging removes it.
//! 4. An update replaces everything. It changes neither the token nor a secret that still works, so that a lost answer can be
//!    asked for again.

mod answer;
mod manage;
mod policy;
mod register;
mod settings;
mod use_of;

use std::time::Duration;

pub use answer::ClientInformation;
pub use policy::{Admission, RegistrationPolicy, RegistrationRequest};
pub use settings::DynamicRegistration;
pub(super) use use_of::retained;

use super::Server;
use crate::client::Terms;
use crate::handle::GrantId;

/// What begins the ids of registered clients.
const ID_PREFIX: &str = "dcr_";

/// The longest metadata that are read, in bytes: ample for fifty redirect URIs and a key set.
const MAX_METADATA: usize = 16 * 1024;

/// How long a registration lasts that somebody uses, unless the host says otherwise.
const DEFAULT_TTL: Duration = Duration::from_secs(90 * 24 * 3600);

#[derive(Debug)]
pub(super) struct Registrar {
    pub(super) settings: DynamicRegistration,
    pub(super) terms: Terms,
}

/// The door for clients that register themselves. Made by [`Server::registrations`].
#[derive(Clone, Copy, Debug)]
pub struct Registrations<'a> {
    server: &'a Server,
    registrar: &'a Registrar,
    path: &'a str,
}

impl Server {
    /// The door for clients that register themselves, where that is switched on. `path` is where the endpoint is below the
    /// issuer, such as `/register`: the answers name it.
    pub fn registrations<'a>(&'a self, path: &'a str) -> Option<Registrations<'a>> {
        self.registrar.as_ref().map(|registrar| Registrations { server: self, registrar, path })
    }

    /// Whether clients may register themselves.
    pub fn takes_registrations(&self) -> bool {
        self.registrar.is_some()
    }
}

/// The id of a registered client, which its registration access token carries.
fn client_id(id: GrantId) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    format!("{ID_PREFIX}{}", URL_SAFE_NO_PAD.encode(id.as_bytes()))
}

/// Whether this server may have drawn the id for a client that registered itself.
pub(super) fn may_be_registered(client_id: &str) -> bool {
    client_id.starts_with(ID_PREFIX)
}
