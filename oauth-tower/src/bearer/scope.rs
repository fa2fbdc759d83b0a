//! What scope a route asks for.

use std::sync::Arc;

use oauth_core::scope::Scope;

/// All of some scope tokens, and of each group of alternatives one.
#[derive(Clone, Debug, Default)]
pub(super) struct RequiredTokens {
    all: Vec<Box<str>>,
    groups: Vec<Vec<Box<str>>>,
    /// What a challenge asks for: enough, and no more.
    needed: Arc<str>,
}

impl RequiredTokens {
    pub(super) fn all_of(&mut self, tokens: &str) {
        for token in split(tokens) {
            self.need(&token);
            self.all.push(token);
        }
    }

    pub(super) fn one_of(&mut self, tokens: &str) {
        let group: Vec<_> = split(tokens).collect();
        if let Some(first) = group.first() {
            self.need(first);
        }
        self.groups.push(group);
    }

    /// Asks for what another asks for, too.
    pub(super) fn add(&mut self, other: &Self) {
        for token in other.needed.split(' ').filter(|token| !token.is_empty()) {
            self.need(token);
        }
        self.all.extend_from_slice(&other.all);
        self.groups.extend_from_slice(&other.groups);
    }

    /// The tokens of a challenge, separated by spaces; empty if any token will do.
    pub(super) fn needed(&self) -> &str {
        &self.needed
    }

    /// The same, to be kept; `None` if any token will do.
    pub(super) fn shared(&self) -> Option<Arc<str>> {
        (!self.needed.is_empty()).then(|| self.needed.clone())
    }

    pub(super) fn are_in(&self, scope: &Scope) -> bool {
        self.all.iter().all(|token| scope.contains(token))
            && self.groups.iter().all(|group| group.iter().any(|token| scope.contains(token)))
    }

    fn need(&mut self, token: &str) {
        if self.needed.split(' ').any(|needed| needed == token) {
            return;
        }
        let space = if self.needed.is_empty() { "" } else { " " };
        self.needed = [&*self.needed, space, token].concat().into();
    }
}

fn split(tokens: &str) -> impl Iterator<Item = Box<str>> {
    tokens.split(' ').filter(|token| !token.is_empty()).map(Box::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_them_and_one_of_each_group() {
        let mut required = RequiredTokens::default();
        let held = |text| Scope::parse(text).unwrap();
        assert!(required.are_in(&Scope::empty()));
        required.all_of("read");
        required.all_of(" read  list ");
        required.one_of("write admin");
        assert_eq!(required.needed(), "read list write");
        assert!(required.are_in(&held("list admin read")));
        for too_little in ["", "read list", "read write", "list write", "read list writer", "readlist write"]
        {
            assert!(!required.are_in(&held(too_little)), "{too_little}");
        }
    }

    #[test]
    fn a_group_without_alternatives_is_never_met() {
        let mut required = RequiredTokens::default();
        required.one_of(" ");
        assert!(!required.are_in(&Scope::parse("read").unwrap()));
        assert_eq!(required.needed(), "");
    }
}
