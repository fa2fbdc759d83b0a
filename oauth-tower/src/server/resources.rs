//! Where clients look for the metadata of a resource and of its issuer: wherever any of them has been seen to look.
//!
//! For a resource `https://h/mcp` of an issuer at the same origin:
//!
//! | path | answer |
//! | --- | --- |
//! | `/.well-known/oauth-protected-resource/mcp` | its metadata (RFC 9728 §3.1) |
//! | `/mcp/.well-known/oauth-protected-resource` | the same |
//! | `/.well-known/oauth-protected-resource` | the same, if it is the only resource there |
//! | `/.well-known/oauth-authorization-server`, also with `/mcp` behind it or in front | the issuer's metadata, unless the app serves another's |
//! | any other of the three well-known names below `/mcp` | 404 in JSON |

use oauth_core::server::Server;

use crate::protected_resource::ProtectedResource;

/// The names below which clients look for metadata of any kind (RFC 8414 §3, OpenID Connect Discovery §4, RFC 9728 §3).
pub(super) const NAMES: [&str; 3] = [ISSUER, "openid-configuration", RESOURCE];
const ISSUER: &str = oauth_core::metadata::WELL_KNOWN_NAME;
const RESOURCE: &str = "oauth-protected-resource";

pub(super) const PREFIX: &str = "/.well-known/";

/// What is at a path with `/.well-known/` in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The metadata of the resource at this place in the list.
    Resource(usize),
    /// The issuer's metadata, where clients look that know no better.
    Mirror,
    /// Nothing, and the app behind is not asked: it would answer that a token is missing.
    Nothing,
}

/// The resources at the issuer's origin.
#[derive(Clone, Debug, Default)]
pub(super) struct Resources {
    /// The path of each without a slash at its end, empty where it has none.
    paths: Box<[Box<str>]>,
    /// The issuer's own path.
    issuer: Box<str>,
}

impl Resources {
    /// The resources that are at the issuer's origin, with their metadata in the same order. Others are where nothing is known of
    /// requests for them.
    pub(super) fn new(server: &Server) -> (Self, Vec<ProtectedResource>) {
        let origin = server.issuer().origin();
        let here = |resource: &ProtectedResource| resource.origin().eq_ignore_ascii_case(origin);
        let described =
            server.resources().iter().filter_map(|own| ProtectedResource::of(server, own.uri()).ok());
        let described: Vec<_> = described.filter(here).collect();
        let path = |resource: &ProtectedResource| {
            let path = resource.path();
            path.strip_suffix('/').unwrap_or(path).into()
        };
        let paths = described.iter().map(path).collect();
        (Self { paths, issuer: server.issuer().path().into() }, described)
    }

    /// What is at a path. A slash at its end does not count.
    pub(super) fn find(&self, path: &str) -> Option<Found> {
        let at = path.find(PREFIX).filter(|_| !self.paths.is_empty())?;
        let (before, rest) = path.split_at(at);
        let rest = &rest[PREFIX.len()..];
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (name, behind) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let resource = |path: &str| self.paths.iter().position(|own| **own == *path);
        let below = !before.is_empty() && resource(before).is_some();
        match name {
            RESOURCE if behind.is_empty() => {
                let only = before.is_empty() && self.paths.len() == 1;
                resource(before).or(only.then_some(0)).map(Found::Resource)
            }
            RESOURCE if before.is_empty() => resource(behind).map(Found::Resource),
            ISSUER if behind.is_empty() && (before.is_empty() || below || *before == *self.issuer) => {
                Some(Found::Mirror)
            }
            ISSUER if before.is_empty() && resource(behind).is_some() => Some(Found::Mirror),
            name if below && NAMES.contains(&name) => Some(Found::Nothing),
            _ => None,
        }
    }

    /// All paths at which something is found, for routers that must list them.
    #[cfg(feature = "axum")]
    pub(super) fn all(&self) -> Vec<String> {
        let mut places: Vec<&str> = vec!["", &self.issuer];
        places.extend(self.paths.iter().map(|path| &**path));
        let mut all: Vec<String> = Vec::new();
        for place in places {
            for name in NAMES {
                for path in [format!("{PREFIX}{name}{place}"), format!("{place}{PREFIX}{name}")] {
                    for path in [format!("{path}/"), path] {
                        if self.find(&path).is_some() && !all.contains(&path) {
                            all.push(path);
                        }
                    }
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources(issuer: &str, paths: &[&str]) -> Resources {
        Resources { paths: paths.iter().map(|path| (*path).into()).collect(), issuer: issuer.into() }
    }

    #[test]
    fn each_place_that_clients_look_at() {
        let one = resources("/t1", &["/mcp"]);
        for path in [
            "/.well-known/oauth-protected-resource/mcp",
            "/.well-known/oauth-protected-resource/mcp/",
            "/.well-known/oauth-protected-resource",
            "/.well-known/oauth-protected-resource/",
            "/mcp/.well-known/oauth-protected-resource",
        ] {
            assert_eq!(one.find(path), Some(Found::Resource(0)), "{path}");
        }
        for path in [
            "/.well-known/oauth-authorization-server",
            "/.well-known/oauth-authorization-server/mcp",
            "/mcp/.well-known/oauth-authorization-server",
            "/t1/.well-known/oauth-authorization-server",
        ] {
            assert_eq!(one.find(path), Some(Found::Mirror), "{path}");
        }
        assert_eq!(one.find("/mcp/.well-known/openid-configuration"), Some(Found::Nothing));
        for path in [
            "/mcp",
            "/.well-known/oauth-protected-resource/mcp/x",
            "/.well-known/oauth-protected-resource/mcp2",
            "/.well-known/oauth-protected-resource/t1",
            "/.well-known/oauth-protected-resourcex",
            "/t2/.well-known/oauth-authorization-server",
            "/.well-known/oauth-authorization-server/t2",
            "/.well-known/openid-configuration",
            "/mcp/.well-known/acme-challenge",
        ] {
            assert_eq!(one.find(path), None, "{path}");
        }
    }

    #[test]
    fn the_root_is_nobodys_where_there_are_two() {
        let two = resources("", &["/mcp", "/notes"]);
        assert_eq!(two.find("/.well-known/oauth-protected-resource"), None);
        assert_eq!(two.find("/.well-known/oauth-protected-resource/notes"), Some(Found::Resource(1)));
        let root = resources("", &["", "/notes"]);
        assert_eq!(root.find("/.well-known/oauth-protected-resource"), Some(Found::Resource(0)));
        assert_eq!(resources("", &[]).find("/.well-known/oauth-authorization-server"), None);
    }
}
