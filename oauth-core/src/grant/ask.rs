//! What a token request asks for, within what was granted.

use super::{Grant, Refusal, Resources};
use crate::scope::Scope;

/// The `scope` and `resource` parameters of a token request (RFC 6749 §6, RFC 8707 §2.2).
#[derive(Clone, Debug, Default)]
pub struct Ask<'a> {
    /// The requested scope; absent means all that was granted.
    pub scope: Option<Scope>,
    /// The requested resources; empty means all that were granted.
    pub resources: Vec<&'a str>,
}

impl Grant {
    /// The scope and resources of a token for this request.
    ///
    /// `allowed` is what the client may have today: scope that was taken from the client since then is left out.
    ///
    /// # Errors
    ///
    /// [`Refusal::Scope`] and [`Refusal::Resource`] for anything that was not granted.
    pub fn narrow(&self, ask: &Ask<'_>, allowed: &Scope) -> Result<(Scope, Resources), Refusal> {
        let scope = match &ask.scope {
            None => self.scope.clone(),
            Some(scope) if scope.is_subset_of(&self.scope) => scope.clone(),
            Some(_) => return Err(Refusal::Scope),
        };
        let still = if scope.is_subset_of(allowed) { scope.clone() } else { scope.intersection(allowed) };
        if still.is_empty() && !scope.is_empty() {
            return Err(Refusal::Scope);
        }
        if ask.resources.is_empty() {
            return Ok((still, self.resources.clone()));
        }
        let mut found = Vec::with_capacity(ask.resources.len());
        for requested in &ask.resources {
            let resource = self.resources.find(requested).ok_or(Refusal::Resource)?;
            if !found.contains(resource) {
                found.push(resource.clone());
            }
        }
        let resources = if found.len() == self.resources.iter().len() {
            self.resources.clone()
        } else {
            Resources::new(found)
        };
        Ok((still, resources))
    }
}
