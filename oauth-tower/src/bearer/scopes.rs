//! Scope that is asked for once it is known what a request does.

use http::{Extensions, HeaderMap, Response};

use super::guard::{check, guard};
use super::requirements::Requirements;
use crate::body::Body;

/// What scope a part of a request asks for.
#[derive(Clone, Debug)]
pub(crate) struct Scopes(Requirements);

impl Scopes {
    pub(crate) fn none() -> Self {
        Self(Requirements::default())
    }

    /// What no token has.
    pub(crate) fn never() -> Self {
        let mut never = Self::none();
        never.0.tokens.one_of("");
        never
    }

    pub(crate) fn all_of(&mut self, tokens: &str) {
        self.0.tokens.all_of(tokens);
    }

    pub(crate) fn add(&mut self, more: &Self) {
        self.0.tokens.add(&more.0.tokens);
    }

    /// The refusal, as the layer further out writes it, where the token that it has verified is not enough.
    pub(crate) fn refusal(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<Response<Body>> {
        let denial = check(extensions, &self.0).err()?;
        let guard = guard(extensions);
        if guard.observe {
            guard.report(&denial, &self.0, true);
            return None;
        }
        Some(guard.refuse(&denial, &self.0, headers))
    }
}
