//! What follows from a presented refresh token.

use std::borrow::Cow;

use super::RefreshRequest;
use crate::clock::Timestamp;
use crate::grant::{Access, Confirmation, Format, Grant, Resources, Salt};
use crate::handle::{Handle, KeyId, Kind};
use crate::resource::Resource;
use crate::scope::Scope;
use crate::secret::Digest;

impl Grant {
    /// The access token and the refresh token that follow from the presented one.
    ///
    /// `lifetimes` of the access token have passed since the rotation: one that has expired is not derived again.
    pub(super) fn derive(
        &self,
        request: &RefreshRequest<'_>,
        key: KeyId,
        salt: Salt,
        generation: u32,
        (scope, resources, format): (&Scope, &Resources, Format),
        lifetimes: u128,
    ) -> Option<(Handle, Handle)> {
        let presented = request.handle.secret();
        let grant = request.handle.grant;
        let successors = request.handles.derive_successors(key, presented, salt, grant, generation)?;
        let format = match format {
            Format::Opaque => "opaque",
            Format::Jwt => "jwt",
        };
        let format = match lifetimes {
            0 => Cow::Borrowed(format),
            more => Cow::Owned(format!("{format} {more}")),
        };
        let access = successors.access(self.binding(&format, scope, resources));
        let mint = |kind, generation, secret| request.handles.mint_with(key, kind, grant, generation, secret);
        let refresh = successors.refresh().clone();
        Some((mint(Kind::Access, 0, access)?, mint(Kind::Refresh, generation, refresh)?))
    }

    /// Everything that tells two access tokens of one refresh apart.
    fn binding<'a>(
        &'a self,
        format: &'a str,
        scope: &'a Scope,
        resources: &'a Resources,
    ) -> impl Iterator<Item = &'a str> {
        let (method, thumbprint) = match self.confirmation().map(|confirmation| &**confirmation) {
            None => ("", None),
            Some(Confirmation::Jkt(thumbprint)) => ("jkt", Some(&**thumbprint)),
            Some(Confirmation::X5tS256(thumbprint)) => ("x5t#S256", Some(&**thumbprint)),
        };
        let resources = resources.iter().map(Resource::as_str);
        [format, scope.as_str(), method].into_iter().chain(thumbprint).chain(resources)
    }

    /// The entry of a new access token, for whatever key the grant is bound to.
    pub(in crate::grant) fn entry(
        &self,
        digest: Digest,
        scope: &Scope,
        resources: &Resources,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Access {
        Access {
            digest,
            scope: scope.clone(),
            resources: resources.clone(),
            issued_at: now,
            expires_at,
            confirmation: self.confirmation().cloned(),
            authentication: None,
        }
    }
}
