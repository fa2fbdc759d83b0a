//! Claims in the writing that nearly all issuers use: one object without spaces, texts without escapes, whole numbers, each name
//! once and none but those of RFC 9068. It is read in one pass; what is written in any other way is left to [`read_claims`], which
//! decides what is well-formed.
//!
//! [`read_claims`]: crate::read_claims

use std::borrow::Cow;

use memchr::memchr;

use crate::read_claims::LAST_SECOND;
use crate::{AccessTokenClaims, Audience};

/// The claims; `None` where they are written in another way, or malformed.
pub(crate) fn read(payload: &str) -> Option<AccessTokenClaims<Cow<'_, str>>> {
    // Without these every text ends at the next quote. No early end, so that the compiler compares many bytes at a time.
    if payload.bytes().fold(false, |odd, byte| odd | (byte < b' ') | (byte == b'\\')) {
        return None;
    }
    let mut rest = Rest(payload);
    let (mut iss, mut sub, mut aud, mut jti) = (None, None, None, None);
    let (mut exp, mut iat, mut nbf, mut auth_time) = (None, None, None, None);
    let (mut client_id, mut scope, mut acr, mut amr) = (None, None, None, None);
    let mut before = '{';
    while rest.skip(before) {
        let name = rest.text()?;
        if !rest.skip(':') {
            return None;
        }
        match name {
            "iss" => once(&mut iss, rest.text()?)?,
            "sub" => once(&mut sub, rest.text()?)?,
            "aud" => once(&mut aud, rest.audience()?)?,
            "exp" => once(&mut exp, rest.seconds()?)?,
            "iat" => once(&mut iat, rest.seconds()?)?,
            "nbf" => once(&mut nbf, rest.seconds()?)?,
            "jti" => once(&mut jti, rest.text()?)?,
            "client_id" => once(&mut client_id, rest.text()?)?,
            "scope" => once(&mut scope, rest.text()?)?,
            "auth_time" => once(&mut auth_time, rest.seconds()?)?,
            "acr" => once(&mut acr, rest.text()?)?,
            "amr" => once(&mut amr, rest.several()?)?,
            _ => return None,
        }
        before = ',';
    }
    if rest.0 != "}" {
        return None;
    }
    let text = Cow::Borrowed;
    Some(AccessTokenClaims {
        iss: text(iss?),
        sub: text(sub?),
        aud: aud?,
        exp: exp?,
        iat,
        nbf,
        jti: jti.map(text),
        client_id: client_id.map(text),
        scope: scope.map(text),
        auth_time,
        acr: acr.map(text),
        amr,
        ..Default::default()
    })
}

fn once<T>(claim: &mut Option<T>, value: T) -> Option<()> {
    claim.replace(value).is_none().then_some(())
}

/// What has not been read yet.
struct Rest<'t>(&'t str);

impl<'t> Rest<'t> {
    fn skip(&mut self, next: char) -> bool {
        let rest = self.0.strip_prefix(next);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn text(&mut self) -> Option<&'t str> {
        let rest = self.0.strip_prefix('"')?;
        let (text, rest) = rest.split_at_checked(memchr(b'"', rest.as_bytes())?)?;
        self.0 = rest.get(1..)?;
        Some(text)
    }

    /// A whole number of at most twelve digits. What follows is looked at by the caller: neither a point nor an exponent is
    /// expected.
    fn seconds(&mut self) -> Option<u64> {
        let mut seconds = 0;
        let mut digits = 0;
        for digit in self.0.bytes().map(|byte| byte.wrapping_sub(b'0')).take_while(|digit| *digit < 10) {
            digits += 1;
            if digits > 12 || (digits == 2 && seconds == 0) {
                return None;
            }
            seconds = seconds * 10 + u64::from(digit);
        }
        self.0 = self.0.get(digits..)?;
        (digits > 0 && seconds <= LAST_SECOND).then_some(seconds)
    }

    fn audience(&mut self) -> Option<Audience<Cow<'t, str>>> {
        if self.0.starts_with('[') {
            self.several().map(Audience::Several)
        } else {
            self.text().map(|one| Audience::One(Cow::Borrowed(one)))
        }
    }

    /// An array of texts, with one at least.
    fn several(&mut self) -> Option<Vec<Cow<'t, str>>> {
        let mut several = Vec::new();
        let mut before = '[';
        while self.skip(before) {
            several.push(Cow::Borrowed(self.text()?));
            before = ',';
        }
        (!several.is_empty() && self.skip(']')).then_some(several)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: [&str; 3] = [
        r#"{"iss":"https://as.example","sub":"alice","aud":"https://api.example","exp":1800000300,"jti":"j","scope":""}"#,
        r#"{"aud":["a","ü"],"iss":"i","sub":"s","exp":1,"iat":253402300799,"nbf":2,"client_id":"c","amr":["pwd"]}"#,
        r#"{"exp":10,"auth_time":9,"acr":"gold","scope":"read write","sub":"","aud":"a","iss":"i"}"#,
    ];

    fn slow(payload: &str) -> Option<AccessTokenClaims<Cow<'_, str>>> {
        serde_json::from_str(payload).ok()
    }

    /// What is read here has the same meaning there.
    fn agrees(payload: &str) -> bool {
        read(payload).is_none_or(|claims| slow(payload) == Some(claims))
    }

    #[test]
    fn the_usual_writing_is_read() {
        for payload in USUAL {
            let claims = read(payload);
            assert!(claims.is_some(), "{payload}");
            assert_eq!(claims, slow(payload));
        }
    }

    #[test]
    fn no_change_of_a_character_gives_it_another_meaning_than_to_the_other_reader() {
        for payload in USUAL {
            for (at, old) in payload.char_indices() {
                let (before, after) = (&payload[..at], &payload[at + old.len_utf8()..]);
                assert!(agrees(&format!("{before}{after}")) && agrees(before), "{before}|{after}");
                for new in (0..0x100).filter_map(char::from_u32) {
                    let (changed, longer) =
                        (format!("{before}{new}{after}"), format!("{before}{new}{old}{after}"));
                    assert!(agrees(&changed), "{changed}");
                    assert!(agrees(&longer), "{longer}");
                }
            }
        }
    }

    #[test]
    fn no_exchange_of_a_member_gives_it_another_meaning_than_to_the_other_reader() {
        let names = [
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "nbf",
            "jti",
            "client_id",
            "scope",
            "auth_time",
            "acr",
            "amr",
            "cnf",
            "x",
        ];
        let values = [
            "\"\"",
            "\"a\"",
            "\"\\u0061\"",
            "[]",
            "[\"a\"]",
            "[\"a\",\"b\"]",
            "[\"a\",]",
            "[,]",
            "[1]",
            "{}",
            "{\"jkt\":\"a\"}",
            "null",
            "true",
            "0",
            "00",
            "01",
            "7",
            "-7",
            "7.0",
            "7e0",
            "253402300799",
            "253402300800",
            "18446744073709551616",
        ];
        for payload in USUAL.map(|payload| payload.trim_end_matches('}')) {
            for name in names {
                for value in values {
                    let more = format!("{payload},\"{name}\":{value}}}");
                    assert!(agrees(&more), "{more}");
                    assert!(agrees(&format!("{{\"{name}\":{value}}}")), "{name} {value}");
                }
            }
        }
    }
}
