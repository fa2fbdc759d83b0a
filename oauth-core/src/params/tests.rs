use super::*;

fn parse(input: &str) -> Result<Params<'_>, ParamsError> {
    Params::parse(input.as_bytes())
}

#[test]
fn decodes_once() {
    let params = parse("a=1&b=x+y%2Bz&c%20d=%C3%A9&e&%25=%2541").unwrap();
    let pairs: Vec<_> = params.iter().collect();
    assert_eq!(pairs, [("a", "1"), ("b", "x y+z"), ("c d", "é"), ("e", ""), ("%", "%41")]);
    assert_eq!(parse("state=a%2Bb%20c%26d%3De%25").unwrap().one("state"), Ok(Some("a+b c&d=e%")));
    assert_eq!(
        parse("redirect_uri=https://a.example/?x=y").unwrap().one("redirect_uri"),
        Ok(Some("https://a.example/?x=y"))
    );
}

#[test]
fn empty_input_and_empty_pairs() {
    assert!(parse("").unwrap().is_empty());
    assert!(parse("&&&").unwrap().is_empty());
    let params = parse("&a=1&&b=2&").unwrap();
    assert_eq!(params.iter().count(), 2);
    assert_eq!(parse("=x").unwrap().iter().next(), Some(("", "x")));
}

#[test]
fn rp_04_duplicates() {
    for input in ["code=a&code=b", "code=a&code=a", "code=&code=a", "code&code", "code=a&c%6fde=a"] {
        assert_eq!(parse(input).unwrap().one("code"), Err(ParamsError::Duplicate("code")), "{input}");
    }
}

#[test]
fn rp_06_unknown_names_are_kept_and_case_sensitive() {
    let params = parse("foo=1&foo=2&Client_Id=evil&code[]=x&REDIRECT_URI=y").unwrap();
    assert_eq!(params.one("client_id"), Ok(None));
    assert_eq!(params.one("code"), Ok(None));
    assert!(!params.contains("redirect_uri"));
    assert!(params.contains("foo"));
}

#[test]
fn rp_07_empty_is_omitted() {
    let params = parse("code_challenge=&state&resource=&resource=a&resource=b").unwrap();
    assert_eq!(params.one("code_challenge"), Ok(None));
    assert_eq!(params.one("state"), Ok(None));
    assert!(params.contains("state"));
    assert_eq!(params.all("resource").collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn rp_09_not_utf8() {
    for input in ["state=%ff%fe", "code=%c0%af", "client_id=%ed%a0%80", "%c3=%a9", "a=%c3&b=%a9"] {
        assert_eq!(parse(input).unwrap_err(), ParamsError::NotUtf8, "{input}");
    }
    assert_eq!(Params::parse(b"a=\xff").unwrap_err(), ParamsError::NotUtf8);
    assert_eq!(Params::parse(b"a=\xc3%a9").unwrap_err(), ParamsError::NotUtf8);
    assert_eq!(parse("a=é").unwrap().one("a"), Ok(Some("é")));
}

#[test]
fn rp_10_malformed_escapes() {
    for input in ["scope=%zz", "state=%", "code=a%2", "%=a", "%4=1", "a=%4&b=1", "a=%+1", "a=%-1", "a=%é"] {
        assert_eq!(parse(input).unwrap_err(), ParamsError::MalformedEncoding, "{input}");
    }
}

#[test]
fn rp_11_control_characters() {
    for input in
        ["client_id=web%00", "state=a%0d%0ab", "unknown%09=1", "a=%7F", "a=\0", "a\n=b", "a=\u{7f}", "\r\n"]
    {
        assert_eq!(parse(input).unwrap_err(), ParamsError::ControlCharacter, "{input:?}");
    }
}

#[test]
fn rp_19_parameter_flood() {
    let of = |n: usize| (0..n).map(|i| format!("p{i}=%41")).collect::<Vec<_>>().join("&");
    let most = of(MAX_PARAMS);
    let params = parse(&most).unwrap();
    assert_eq!(params.iter().count(), MAX_PARAMS);
    assert_eq!(params.one("p0"), Ok(Some("A")));
    assert_eq!(params.one("p99"), Ok(Some("A")));
    assert_eq!(parse(&of(MAX_PARAMS + 1)).unwrap_err(), ParamsError::TooMany);
}

#[test]
fn debug_shows_no_value() {
    assert!(!format!("{:?}", parse("client_secret=hush").unwrap()).contains("hush"));
}

#[test]
fn vschar() {
    assert!(is_vschar("aZ ~!\"\\"));
    assert!(!is_vschar("a\u{7f}") && !is_vschar("é") && !is_vschar("a\tb"));
}

#[test]
fn decodes_basic_credentials() {
    assert!(matches!(percent_decode_form("plain:text"), Ok(Cow::Borrowed("plain:text"))));
    assert_eq!(percent_decode_form("a%3Ab+c").unwrap(), "a:b c");
    assert_eq!(percent_decode_form("%"), Err(ParamsError::MalformedEncoding));
    assert_eq!(percent_decode_form("%ff"), Err(ParamsError::NotUtf8));
    assert_eq!(percent_decode_form("%00"), Err(ParamsError::ControlCharacter));
    assert_eq!(percent_decode_form("a\0"), Err(ParamsError::ControlCharacter));
}

#[test]
fn any_bytes_are_answered_and_agree_with_a_second_decoder() {
    const ALPHABET: &[u8] = b"aB0cf9%%%%&&==+ \xc3\xa9\xff\x00=&d";
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut accepted = 0;
    for round in 0..40_000 {
        let len = (next() % 48) as usize;
        let bytes: Vec<u8> = (0..len)
            .map(|_| if round % 2 == 0 { next() as u8 } else { ALPHABET[next() as usize % ALPHABET.len()] })
            .collect();
        let Ok(params) = Params::parse(&bytes) else { continue };
        accepted += 1;
        let own: Vec<_> = params.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let other: Vec<_> = url::form_urlencoded::parse(&bytes).into_owned().collect();
        assert_eq!(own, other);
        assert!(own.iter().all(|(n, v)| !n.bytes().chain(v.bytes()).any(is_control)));
    }
    assert!(accepted > 1000, "{accepted}");
}
