//! Names of tables and schemas, which are text of the statements and so must be plain.

/// The longest schema or prefix: with the longest name behind it an identifier stays within PostgreSQL's 63 bytes.
const MAX: usize = 41;

/// A schema or a table prefix that is not `[a-z_][a-z0-9_]{0,40}`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name for a schema or the beginning of one for a table: [a-z_][a-z0-9_]{{0,40}} is")]
pub struct InvalidName(String);

/// A checked name: it needs no quotes and means the same in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// The prefix in the published migrations.
    pub(crate) const PREFIX: &str = "oauth_";

    pub(crate) fn prefix() -> Self {
        Self(Self::PREFIX.into())
    }

    pub(crate) fn parse(text: &str) -> Result<Self, InvalidName> {
        let first = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        let valid = text.len() <= MAX
            && text.bytes().next().is_some_and(first)
            && text.bytes().all(|byte| first(byte) || byte.is_ascii_digit());
        if valid { Ok(Self(text.into())) } else { Err(InvalidName(text.into())) }
    }

    #[cfg(any(feature = "postgres", test))]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The statement with this prefix in place of the default one.
    pub(crate) fn apply(&self, sql: &str) -> String {
        sql.replace(Self::PREFIX, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn names_are_plain_identifiers() {
        for name in ["a", "_", "oauth_", "tenant_7_", &"x".repeat(41)] {
            assert_eq!(Name::parse(name).expect(name).as_str(), name);
        }
        let too_long = "x".repeat(42);
        for name in
            ["", "7a", "A", "a-b", "a b", "a.b", "a\"b", "a'b", "a;b", "é", "a\n", "a\0", "pg$x", &too_long]
        {
            assert!(Name::parse(name).is_err(), "{name:?} passes");
        }
    }
}
