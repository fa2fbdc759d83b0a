//! An authorization request, parameter by parameter, byte for byte.

use std::fmt;

use crate::{APP, CHALLENGE, SPA};

/// The query of an authorization request.
#[derive(Clone, Debug)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// A request of a fixture client that is right in every point; its `state` is `s-1`.
    pub fn of(client_id: &str) -> Self {
        let redirect_uri = match client_id {
            "spa" => SPA,
            "cli" => "com.example.cli:/cb",
            _ => APP,
        };
        Self(Vec::new())
            .set("response_type", "code")
            .set("client_id", client_id)
            .set("redirect_uri", redirect_uri)
            .set("state", "s-1")
            .set("code_challenge", CHALLENGE)
            .set("code_challenge_method", "S256")
    }

    /// The parameter with this one value.
    #[must_use]
    pub fn set(self, name: &str, value: &str) -> Self {
        self.without(name).add(name, value)
    }

    /// The parameter with this one value, which is encoded already.
    #[must_use]
    pub fn set_raw(self, name: &str, encoded: &str) -> Self {
        let mut query = self.without(name);
        query.0.push((name.to_owned(), encoded.to_owned()));
        query
    }

    /// One more of the parameter.
    #[must_use]
    pub fn add(mut self, name: &str, value: &str) -> Self {
        self.0.push((encode(name), encode(value)));
        self
    }

    /// No such parameter.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(own, _)| *own != encode(name));
        self
    }
}

/// The query without its question mark.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.0.iter().enumerate() {
            let joint = if at == 0 { "" } else { "&" };
            write!(f, "{joint}{name}={value}")?;
        }
        Ok(())
    }
}

/// Percent-encodes everything but unreserved characters.
pub fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
