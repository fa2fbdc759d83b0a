//! What is asked for by path: nothing, or more than elsewhere.
//!
//! Paths are compared as a whole and as they are on the wire: a path that is written differently (`%2e`, `//`, a slash at the
//! end) is another path, which is neither exempt nor a method.

use std::collections::HashMap;

use super::requirements::Requirements;
use super::scope::RequiredTokens;

/// What a [`BearerLayer`](super::BearerLayer) knows of paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    exempt_paths: Vec<Box<str>>,
    exempt_services: Vec<Box<str>>,
    methods: HashMap<Box<str>, RequiredTokens>,
    listed_only: bool,
}

/// [`Paths`] and what the layer asks for everywhere, put together once.
#[derive(Debug)]
pub(super) struct PathPolicy {
    everywhere: Requirements,
    /// What is asked for where a method is not listed.
    elsewhere: Option<Requirements>,
    methods: HashMap<Box<str>, Requirements>,
    exempt_paths: Vec<Box<str>>,
    exempt_services: Vec<Box<str>>,
}

impl Paths {
    pub(super) fn exempt_path(&mut self, path: String) {
        self.exempt_paths.push(path.into());
    }

    pub(super) fn exempt_service(&mut self, name: String) {
        self.exempt_services.push(name.into());
    }

    pub(super) fn method(&mut self, path: String) -> &mut RequiredTokens {
        self.methods.entry(path.into()).or_default()
    }

    pub(super) fn listed_only(&mut self) {
        self.listed_only = true;
    }

    pub(super) fn policy(&self, everywhere: &Requirements) -> PathPolicy {
        let mut never = RequiredTokens::default();
        never.one_of("");
        PathPolicy {
            everywhere: everywhere.clone(),
            elsewhere: self.listed_only.then(|| everywhere.with(&never)),
            methods: self.methods.iter().map(|(path, more)| (path.clone(), everywhere.with(more))).collect(),
            exempt_paths: self.exempt_paths.clone(),
            exempt_services: self.exempt_services.clone(),
        }
    }
}

impl PathPolicy {
    /// Whether nothing is asked for.
    pub(super) fn is_exempt(&self, path: &str) -> bool {
        self.exempt_paths.iter().any(|exempt| **exempt == *path)
            || self.exempt_services.iter().any(|service| is_method_of(path, service))
    }

    pub(super) fn requirements(&self, path: &str) -> &Requirements {
        if self.methods.is_empty() && self.elsewhere.is_none() {
            return &self.everywhere;
        }
        self.methods.get(path).or(self.elsewhere.as_ref()).unwrap_or(&self.everywhere)
    }
}

/// Whether the path is `/service/Method`, and nothing that a router could read otherwise.
fn is_method_of(path: &str, service: &str) -> bool {
    let method = path.strip_prefix('/').and_then(|path| path.strip_prefix(service));
    let method = method.and_then(|rest| rest.strip_prefix('/')).unwrap_or("");
    !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use oauth_core::scope::Scope;

    use super::*;

    #[test]
    fn services_are_exempt_by_their_whole_name() {
        let mut paths = Paths::default();
        paths.exempt_service("grpc.health.v1.Health".into());
        paths.exempt_path("/healthz".into());
        let policy = paths.policy(&Requirements::default());
        for path in ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch", "/healthz"] {
            assert!(policy.is_exempt(path), "{path}");
        }
        for path in [
            "/grpc.health.v1.Health",
            "/grpc.health.v1.Health/",
            "/grpc.health.v1.Health/../notes.Notes/List",
            "/grpc.health.v1.Health/%2e%2e/x",
            "/grpc.health.v1.Health/Check/",
            "/grpc.health.v1.HealthX/Check",
            "//grpc.health.v1.Health/Check",
            "/x/grpc.health.v1.Health/Check",
            "/healthz/",
            "/healthz/x",
            "/Healthz",
            "",
            "/",
        ] {
            assert!(!policy.is_exempt(path), "{path}");
        }
    }

    #[test]
    fn a_method_asks_for_more_and_an_unlisted_one_for_what_nobody_has() {
        let mut everywhere = Requirements::default();
        everywhere.tokens.all_of("api");
        let mut paths = Paths::default();
        paths.method("/notes.Notes/Add".into()).all_of("write");
        let met = |paths: &Paths, path: &str, scope: &str| {
            let policy = paths.policy(&everywhere);
            policy.requirements(path).tokens.are_in(&Scope::parse(scope).unwrap())
        };
        assert!(met(&paths, "/notes.Notes/Add", "api write"));
        assert!(!met(&paths, "/notes.Notes/Add", "write"));
        assert!(!met(&paths, "/notes.Notes/Add", "api"));
        assert!(met(&paths, "/notes.Notes/List", "api"));
        paths.listed_only();
        assert!(!met(&paths, "/notes.Notes/List", "api write"));
        assert!(met(&paths, "/notes.Notes/Add", "api write"));
        assert_eq!(paths.policy(&everywhere).requirements("/notes.Notes/Add").tokens.needed(), "api write");
    }
}
