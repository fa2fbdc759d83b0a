//! What is measured.

use std::str::FromStr;

/// A request that a busy authorization server sees all day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// `grant_type=client_credentials`: an opaque token.
    ClientCredentials,
    /// `grant_type=authorization_code` with PKCE: an opaque token and a refresh token.
    Code,
    /// `grant_type=refresh_token` with rotation.
    Refresh,
    /// Introspection of an active opaque token by its client.
    Introspection,
    /// A protected route with an opaque token; for the floor the same route, open.
    Bearer,
    /// A protected route with a JWT that was verified before; for the floor the same route, open.
    Jwt,
}

impl Path {
    /// In the order of the tables.
    pub const ALL: [Self; 6] =
        [Self::ClientCredentials, Self::Code, Self::Refresh, Self::Introspection, Self::Bearer, Self::Jwt];

    /// As it appears in the tables and on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::Code => "code",
            Self::Refresh => "refresh",
            Self::Introspection => "introspection",
            Self::Bearer => "bearer",
            Self::Jwt => "jwt",
        }
    }

    /// Whether a request of this path works once, so that each needs a value of its own.
    pub fn spends(self) -> bool {
        matches!(self, Self::Code | Self::Refresh)
    }
}

impl FromStr for Path {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|path| path.name() == name)
            .ok_or_else(|| format!("no path {name}: one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}
