//! A client reads, replaces or deletes its registration (RFC 7592 §2).
//!
//! The registration access token names the client, so that a token of another client is refused without a look at the store, and
//! every refusal is the same: whether a client exists is not to be learned here.

use std::net::IpAddr;

use http::HeaderMap;
use zeroize::Zeroizing;

use super::register::{bearer, invalid_token, read};
use super::{ClientInformation, Registrations, client_id, retained};
use crate::audit::EventKind;
use crate::client::{Client, Origin, Registration, client_key, is_one_of};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode};
use crate::handle::{GrantId, Handle, Kind};
use crate::secret::Digest;
use crate::storage::{Body, Index};

/// A registration whose token was presented.
struct Presented {
    id: GrantId,
    digest: Digest,
    client: Client,
    token: Zeroizing<String>,
}

impl Registrations<'_> {
    /// What is registered (RFC 7592 §2.1). The secret is not among it: only its hash is kept.
    ///
    /// # Errors
    ///
    /// `invalid_token` where the token is not this client's, or the client has been switched off or is gone; 503 when the store
    /// fails.
    pub async fn read(&self, headers: &HeaderMap, client_id: &str) -> Result<ClientInformation, Error> {
        let presented = self.presented(headers, client_id).await?;
        Ok(ClientInformation::new(presented.client, None, presented.token, self.location(presented.id)))
    }

    /// Replaces what is registered (RFC 7592 §2.2). What is left out takes its default. The registration access token stays;
    /// so does a secret that lasts, while one that expires is followed by another.
    ///
    /// # Errors
    ///
    /// As [`Registrations::read`] and [`Registrations::register`]; `invalid_client_metadata` also where `client_id` is missing
    /// or another one, where `client_secret` is not the one that was given, and where a confidential client would become a
    /// public one.
    pub async fn update(
        &self,
        headers: &HeaderMap,
        client_id: &str,
        body: &[u8],
        from: Option<IpAddr>,
    ) -> Result<ClientInformation, Error> {
        let presented = self.presented(headers, client_id).await?;
        let (now, before) = (self.server.now(), &presented.client);
        let invalid = |why| Error::new(ErrorCode::InvalidClientMetadata, why).for_client(client_id);
        let metadata = read(body)?;
        if metadata.client_id.as_deref() != Some(client_id) {
            return Err(invalid("client_id is missing, or is not that of this registration"));
        }
        let claimed = metadata.claimed_secret.as_ref();
        if claimed.is_some_and(|secret| !is_one_of(&before.secrets, secret.expose(), now)) {
            return Err(invalid("client_secret is not the one that was given: the server chooses it"));
        }
        let (terms, allowed) = self.admitted(&metadata, headers, from, Some(client_id)).await?;
        let Origin::Registration(own) = before.origin() else { return Err(no_such()) };
        let (echoed, own) = (metadata.echoed().cloned(), (**own).clone());
        let origin = Origin::Registration(Box::new(Registration { allowed, echoed, ..own.clone() }));
        let (mut next, fresh) = self.client(&metadata, before.shared_id(), &terms, origin, now)?;
        if next.is_public() && !before.is_public() {
            return Err(invalid(
                "token_endpoint_auth_method: a confidential client stays one, register anew",
            ));
        }
        if differ(before, &next)
            && let Origin::Registration(own) = &mut next.origin
        {
            own.changed_at = Some(now);
        }
        let secret = fresh.filter(|_| !keeps_secret(before, &mut next, now));
        let written = self
            .change(&presented, |stored| {
                let mut next = next.clone();
                // Its use goes on while it is replaced.
                if let (Origin::Registration(next), Some(stored)) =
                    (&mut next.origin, stored.origin().registration())
                {
                    next.expires_at = stored.expires_at;
                }
                next
            })
            .await?;
        self.server.tell_of(client_id, EventKind::RegistrationUpdated);
        Ok(ClientInformation::new(written, secret, presented.token, self.location(presented.id)))
    }

    /// Deletes the registration (RFC 7592 §2.3): all grants of the client end, then the client. Replicas that remember the
    /// client find out when their copy expires.
    ///
    /// # Errors
    ///
    /// As [`Registrations::read`]. After a failure of the store it can be asked for again.
    pub async fn delete(&self, headers: &HeaderMap, client_id: &str) -> Result<(), Error> {
        let presented = self.presented(headers, client_id).await?;
        // In this order: once the client is gone, nobody can ask again for what is left.
        self.server.grants().revoke_all(Index::Client(client_id)).await?;
        let now = self.server.now();
        self.change(&presented, |stored| {
            let mut gone = stored.clone();
            if let Origin::Registration(own) = &mut gone.origin {
                own.expires_at = own.expires_at.min(now);
            }
            gone
        })
        .await?;
        self.server.tell_of(client_id, EventKind::RegistrationDeleted);
        Ok(())
    }

    /// The registration of that id, for whoever presents its token.
    async fn presented(&self, headers: &HeaderMap, client_id: &str) -> Result<Presented, Error> {
        let token = bearer(headers).ok_or_else(|| invalid_token("there is no bearer token"))?;
        let handle: Handle = self
            .server
            .handles()
            .parse(Kind::Registration, token)
            .map_err(|_| invalid_token("not a registration access token"))?;
        if super::client_id(handle.grant) != client_id {
            return Err(invalid_token("the registration access token is another client's"));
        }
        let key = client_key(self.server.issuer.as_str(), client_id);
        let record = self.server.store.load(&key).await?;
        let now = self.server.now();
        match record.as_ref().map(|record| &record.body) {
            Some(Body::Client(client)) if is_own(client, client_id, &handle.digest(), now) => Ok(Presented {
                id: handle.grant,
                digest: handle.digest(),
                client: (**client).clone(),
                token: Zeroizing::new(token.to_owned()),
            }),
            _ => Err(no_such().for_client(client_id)),
        }
    }

    /// Writes what follows from the stored client, if that is still the one whose token was presented.
    async fn change(
        &self,
        presented: &Presented,
        mut next: impl FnMut(&Client) -> Client + Send,
    ) -> Result<Client, Error> {
        let id = client_id(presented.id);
        let now = self.server.now();
        let mut written = None;
        let key = client_key(self.server.issuer.as_str(), &id);
        self.server
            .update(key, |stored| match stored {
                Some(Body::Client(client)) if is_own(client, &id, &presented.digest, now) => {
                    let next = next(client);
                    written = Some(next.clone());
                    let retain_until = retained(&next);
                    Some((Body::Client(Box::new(next)), retain_until))
                }
                _ => {
                    written = None;
                    None
                }
            })
            .await?;
        self.server.clients.forget(&id);
        written.ok_or_else(|| no_such().for_client(id))
    }
}

fn no_such() -> Error {
    invalid_token("there is no such registration, it has been switched off, or the token is another one")
}

/// Whether a stored client is the registration of that id and token, and still one.
fn is_own(client: &Client, client_id: &str, digest: &Digest, now: Timestamp) -> bool {
    client.origin().registration().is_some_and(|own| own.token == *digest && now < own.expires_at)
        && client.id() == client_id
        && !client.is_disabled()
}

/// Whether two versions differ in what a person relies on who gives consent.
fn differ(before: &Client, after: &Client) -> bool {
    (before.name(), before.auth_method(), before.keys(), before.redirect_uris())
        != (after.name(), after.auth_method(), after.keys(), after.redirect_uris())
}

/// Puts the secrets that still work behind the new one, or in its place where one of them lasts: then `true`.
fn keeps_secret(before: &Client, next: &mut Client, now: Timestamp) -> bool {
    if next.secrets.is_empty() {
        return false;
    }
    let live = before.secrets.iter().filter(|hash| hash.expires_at.is_none_or(|end| now < end));
    let lasts = before.secrets.iter().any(|hash| hash.expires_at.is_none());
    if lasts {
        next.secrets = live.copied().collect();
    } else {
        // The latest is enough: whoever asks again has not seen the one between.
        next.secrets.extend(live.max_by_key(|hash| hash.expires_at).copied());
    }
    lasts
}
