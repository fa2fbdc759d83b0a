//! The header of a compact JWS (RFC 7515 §4).

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::Algorithm;

/// More members than any issuer sends.
const MAX_MEMBERS: usize = 16;

/// What counts of a header. Borrows from its text, unless a value is written with escapes.
#[derive(Debug, Default)]
pub(crate) struct Header<'t> {
    /// `None` for an algorithm that is not known here, too.
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) typ: Option<Cow<'t, str>>,
    pub(crate) kid: Option<Cow<'t, str>>,
    /// Whether it asks for processing that is not done here (`crit`, RFC 7515 §4.1.11; `b64`, RFC 7797 §3).
    pub(crate) extended: bool,
}

impl<'t> Header<'t> {
    pub(crate) fn parse(text: &'t [u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }
}

/// A string of the text, borrowed where it has no escapes.
#[derive(Deserialize)]
pub(crate) struct Text<'t>(#[serde(borrow)] pub(crate) Cow<'t, str>);

impl<'de> Deserialize<'de> for Header<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JOSE header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header<'de>, A::Error> {
        let mut header = Header::default();
        let mut names: [Cow<'de, str>; MAX_MEMBERS] = Default::default();
        let mut count = 0;
        while let Some(Text(name)) = map.next_key()? {
            let known = names.get(..count).unwrap_or_default();
            if known.contains(&name) {
                return Err(A::Error::custom("a member twice"));
            }
            match &*name {
                "alg" => header.algorithm = Algorithm::parse(&map.next_value::<Text<'de>>()?.0),
                "typ" => header.typ = Some(map.next_value::<Text<'de>>()?.0),
                "kid" => header.kid = Some(map.next_value::<Text<'de>>()?.0),
                "crit" | "b64" => {
                    header.extended = true;
                    map.next_value::<IgnoredAny>()?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            *names.get_mut(count).ok_or_else(|| A::Error::custom("too many members"))? = name;
            count += 1;
        }
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_is_read_and_the_rest_is_ignored() {
        let text =
            br#"{"alg":"ES256","typ":"at+jwt","kid":"a\"b","jku":"https://evil.example","jwk":{"k":[1]}}"#;
        let header = Header::parse(text).unwrap();
        assert_eq!(header.algorithm, Some(Algorithm::Es256));
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(header.kid.as_deref(), Some("a\"b"));
        assert!(!header.extended);
        assert!(Header::parse(br#"{"alg":"ES256","crit":["exp"]}"#).unwrap().extended);
        assert!(Header::parse(br#"{"alg":"ES256","b64":true}"#).unwrap().extended);
    }

    #[test]
    fn jw_16_what_is_not_one_plain_object_is_refused() {
        let many = (0..17).map(|at| format!(r#""m{at}":0"#)).collect::<Vec<_>>().join(",");
        for wrong in [
            r#"{"alg":"ES256","alg":"ES256"}"#,
            r#"{"alg":"ES256","\u0061lg":"none"}"#,
            r#"{"x":1,"x":2,"alg":"ES256"}"#,
            r#"{"alg":1}"#,
            r#"{"alg":"ES256","kid":1}"#,
            r#"{"alg":"ES256","typ":null}"#,
            r#"{"alg":"ES256"} "x""#,
            "{\"alg\":\"ES256\"}\0",
            "\u{feff}{\"alg\":\"ES256\"}",
            r#"{"alg":"ES256","kid":"\ud800"}"#,
            r#"{"alg":NaN}"#,
            r#"["alg"]"#,
            "",
            &format!("{{{many}}}"),
        ] {
            assert!(Header::parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
        assert!(Header::parse(b"{\"kid\":\"\xff\"}").is_none());
    }
}
