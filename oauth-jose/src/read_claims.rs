//! Reading claims strictly, and without copying their texts.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::header::Text;
use crate::strict_json::{Strict, insert_once};
use crate::{AccessTokenClaims, Audience};

/// The last second of the year 9999: a later time is a mistake or an attack on arithmetic.
pub(crate) const LAST_SECOND: u64 = 253_402_300_799;

impl<'de> Deserialize<'de> for AccessTokenClaims<Cow<'de, str>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ClaimsVisitor)
    }
}

struct ClaimsVisitor;

impl<'de> Visitor<'de> for ClaimsVisitor {
    type Value = AccessTokenClaims<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims of an access token")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut iss, mut sub, mut aud, mut jti) = (None, None, None, None);
        let (mut exp, mut iat, mut nbf, mut auth_time) = (None, None, None, None);
        let (mut client_id, mut scope, mut acr, mut amr) = (None, None, None, None);
        let (mut cnf, mut extra) = (None, Map::new());
        while let Some(Text(name)) = map.next_key()? {
            match &*name {
                "iss" => once(&mut iss, &mut map)?,
                "sub" => once(&mut sub, &mut map)?,
                "aud" => once(&mut aud, &mut map)?,
                "exp" => once(&mut exp, &mut map)?,
                "iat" => once(&mut iat, &mut map)?,
                "nbf" => once(&mut nbf, &mut map)?,
                "jti" => once(&mut jti, &mut map)?,
                "client_id" => once(&mut client_id, &mut map)?,
                "scope" => once(&mut scope, &mut map)?,
                "auth_time" => once(&mut auth_time, &mut map)?,
                "acr" => once(&mut acr, &mut map)?,
                "amr" => once(&mut amr, &mut map)?,
                "cnf" => once(&mut cnf, &mut map)?,
                _ => {
                    let Strict(value) = map.next_value()?;
                    insert_once(&mut extra, name.into_owned(), value)?;
                }
            }
        }
        let missing = A::Error::missing_field;
        let text = |Text(text)| text;
        let seconds = |Seconds(seconds)| seconds;
        Ok(AccessTokenClaims {
            iss: iss.map(text).ok_or_else(|| missing("iss"))?,
            sub: sub.map(text).ok_or_else(|| missing("sub"))?,
            aud: aud.ok_or_else(|| missing("aud"))?,
            exp: exp.map(seconds).ok_or_else(|| missing("exp"))?,
            iat: iat.map(seconds),
            nbf: nbf.map(seconds),
            jti: jti.map(text),
            client_id: client_id.map(text),
            scope: scope.map(text),
            auth_time: auth_time.map(seconds),
            acr: acr.map(text),
            amr: amr.map(|Texts(amr)| amr),
            cnf: cnf.map(|Confirmation(cnf)| cnf),
            extra,
        })
    }
}

fn once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    claim: &mut Option<T>,
    map: &mut A,
) -> Result<(), A::Error> {
    match claim.replace(map.next_value()?) {
        None => Ok(()),
        Some(_) => Err(A::Error::custom("a claim twice")),
    }
}

/// A whole number of seconds up to the year 9999.
struct Seconds(u64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = u64::deserialize(deserializer)?;
        if seconds > LAST_SECOND {
            Err(D::Error::custom("a time that is far off"))
        } else {
            Ok(Self(seconds))
        }
    }
}

/// A JSON object with at least one member.
struct Confirmation(Map<String, Value>);

impl<'de> Deserialize<'de> for Confirmation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Strict::deserialize(deserializer)? {
            Strict(Value::Object(cnf)) if !cnf.is_empty() => Ok(Self(cnf)),
            _ => Err(D::Error::custom("cnf is not one object with a member")),
        }
    }
}

/// An array of strings.
struct Texts<'t>(Vec<Cow<'t, str>>);

impl<'de> Deserialize<'de> for Texts<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<Text<'de>>::deserialize(deserializer)?;
        Ok(Self(texts.into_iter().map(|Text(text)| text).collect()))
    }
}

impl<'de> Deserialize<'de> for Audience<Cow<'de, str>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrSeveral)
    }
}

struct OneOrSeveral;

impl<'de> Visitor<'de> for OneOrSeveral {
    type Value = Audience<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_borrowed_str<E: Error>(self, one: &'de str) -> Result<Self::Value, E> {
        Ok(Audience::One(Cow::Borrowed(one)))
    }

    fn visit_str<E: Error>(self, one: &str) -> Result<Self::Value, E> {
        Ok(Audience::One(Cow::Owned(one.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut several = Vec::new();
        while let Some(Text(one)) = seq.next_element()? {
            several.push(one);
        }
        Ok(Audience::Several(several))
    }
}
