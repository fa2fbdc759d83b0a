//! What a token request asks for, within what was granted.

use super::{Grant, Refusal, Resources};
use crate::resource::Resource;
use crate::scope::Scope;

/// The `scope` and `resource` parameters of a token request (RFC 6749 §6, RFC 8707 §2.2).
#[derive(Clone, Debug, Default)]
pub struct Ask<'a> {
    /// The requested scope; absent means all that was granted.
    pub scope: Option<Scope>,
    /// The requested resources; empty means all that were granted.
    pub resources: Vec<&'a str>,
}

/// What the client may have today.
#[derive(Clone, Copy, Debug)]
pub struct Allowed<'a> {
    /// Its scope.
    pub scope: &'a Scope,
    /// Its resources.
    pub resources: &'a Resources,
}

impl Grant {
    /// The scope and resources of a token for this request.
    ///
    /// What was taken from the client since the approval is left out.
    ///
    /// # Errors
    ///
    /// [`Refusal::Scope`] and [`Refusal::Resource`] for anything that was not granted, and where nothing is left.
    pub fn narrow(&self, ask: &Ask<'_>, allowed: Allowed<'_>) -> Result<(Scope, Resources), Refusal> {
        let scope = match &ask.scope {
            None => self.scope.clone(),
            Some(scope) if scope.is_subset_of(&self.scope) => scope.clone(),
            Some(_) => return Err(Refusal::Scope),
        };
        let still =
            if scope.is_subset_of(allowed.scope) { scope.clone() } else { scope.intersection(allowed.scope) };
        if still.is_empty() && !scope.is_empty() {
            return Err(Refusal::Scope);
        }
        Ok((still, self.narrow_resources(&ask.resources, allowed.resources)?))
    }

    fn narrow_resources(&self, asked: &[&str], allowed: &Resources) -> Result<Resources, Refusal> {
        let mut found = Vec::with_capacity(asked.len());
        for requested in asked {
            let resource = self.resources.find(requested).ok_or(Refusal::Resource)?;
            if !found.contains(resource) {
                found.push(resource.clone());
            }
        }
        let named = if asked.is_empty() || found.len() == self.resources.iter().len() {
            self.resources.clone()
        } else {
            Resources::new(found)
        };
        let is_allowed = |own: &&Resource| allowed.find(own.as_str()).is_some();
        if named.iter().all(|own| is_allowed(&own)) {
            return Ok(named);
        }
        let still = Resources::new(named.iter().filter(is_allowed).cloned());
        // Without any it would be a token that names no audience, not one that works nowhere.
        if still.is_empty() { Err(Refusal::Resource) } else { Ok(still) }
    }
}
