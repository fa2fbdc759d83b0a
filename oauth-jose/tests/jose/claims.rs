//! The claims of access tokens.

use oauth_jose::{AccessTokenClaims, ClaimsError, Expected};
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;

fn claims() -> Value {
    json!({
        "iss": "https://as.example", "sub": "alice", "aud": "https://api.example", "exp": NOW + 300,
        "iat": NOW, "jti": "j", "client_id": "web", "scope": "read write", "tenant": {"id": 7},
    })
}

fn check(claims: &Value) -> Result<AccessTokenClaims, ClaimsError> {
    check_text(&claims.to_string())
}

fn check_text(claims: &str) -> Result<AccessTokenClaims, ClaimsError> {
    let claims = AccessTokenClaims::parse(claims.as_bytes())?;
    claims.check(&Expected {
        issuer: "https://as.example",
        audience: &["https://api.example"],
        now: NOW,
        skew: 10,
        profile: true,
    })?;
    Ok(claims)
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

#[test]
fn all_claims_survive_writing_and_reading() {
    let full = json!({
        "iss": "https://as.example", "sub": "alice", "aud": ["https://api.example", "https://b.example"],
        "exp": NOW + 300, "iat": NOW, "nbf": NOW, "auth_time": NOW - 60, "jti": "j", "client_id": "web",
        "scope": "read", "acr": "gold", "amr": ["pwd", "otp"], "cnf": {"jkt": "x"}, "groups": ["a"],
    });
    let read = check(&full).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), full);
    assert_eq!(serde_json::to_value(check(&claims()).unwrap()).unwrap(), claims());
}

#[test]
fn jw_04_the_issuer_is_exact() {
    for wrong in
        ["", "https://as.example/", "https://AS.example", "https://as.example/tenant", "https://other"]
    {
        assert_eq!(check(&with("iss", wrong.into())).unwrap_err(), ClaimsError::Issuer, "{wrong}");
    }
    for wrong in [json!(null), json!(1), json!(["https://as.example"])] {
        assert_eq!(check(&with("iss", wrong)).unwrap_err(), ClaimsError::Malformed);
    }
}

#[test]
fn jw_05_the_audience_is_exact() {
    for right in [json!("https://api.example"), json!(["https://other", "https://api.example"])] {
        assert!(check(&with("aud", right)).is_ok());
    }
    for wrong in
        [json!("https://other"), json!(["https://other"]), json!([]), json!(""), json!("https://api")]
    {
        assert_eq!(check(&with("aud", wrong)).unwrap_err(), ClaimsError::Audience);
    }
    for wrong in [json!([1]), json!(null), json!({}), json!(["https://api.example", 1])] {
        assert_eq!(check(&with("aud", wrong)).unwrap_err(), ClaimsError::Malformed);
    }
}

#[test]
fn jw_06_jw_07_times_are_whole_seconds() {
    for name in ["exp", "iat", "nbf", "auth_time"] {
        for wrong in [
            "\"9999999999\"",
            "1e308",
            "1.5",
            "1800000300.0",
            "-1",
            "9223372036854775808",
            "1e400",
            "null",
            "[1]",
            "true",
        ] {
            let text = claims().to_string();
            let mut text = text.replace(&format!("\"{name}\":{}", claims()[name]), "\"x\":0");
            text.pop();
            let text = format!("{text},\"{name}\":{wrong}}}");
            assert_eq!(check_text(&text).unwrap_err(), ClaimsError::Malformed, "{text}");
        }
    }
    for (exp, good) in [(NOW - 10, false), (NOW - 9, true), (NOW, true), (0, false)] {
        assert_eq!(check(&with("exp", exp.into())).is_ok(), good, "{exp}");
    }
    for name in ["iat", "nbf"] {
        for (from, good) in [(NOW + 10, true), (NOW + 11, false), (NOW + 3600, false)] {
            assert_eq!(check(&with(name, from.into())).is_ok(), good, "{name} {from}");
        }
    }
}

#[test]
fn jw_16_a_claim_twice_is_refused() {
    let text = claims().to_string();
    let text = text.strip_suffix('}').unwrap();
    for twice in [
        r#""iss":"https://as.example""#,
        r#""iat":1800000000"#,
        r#""tenant":0"#,
        r#""\u0073ub":"mallory""#,
        r#""a":{"b":1,"b":2}"#,
        r#""cnf":{"jkt":"a"},"cnf":{"jkt":"a"}"#,
    ] {
        assert_eq!(check_text(&format!("{text},{twice}}}")).unwrap_err(), ClaimsError::Malformed, "{twice}");
    }
    for wrong in ["", "[]", "null", "{}{}", "\u{feff}{}", r#"{"iss":NaN}"#] {
        assert_eq!(check_text(wrong).unwrap_err(), ClaimsError::Malformed, "{wrong}");
    }
    let deep = format!("{text},\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(check_text(&deep).unwrap_err(), ClaimsError::Malformed);
}

#[test]
fn jw_21_a_broken_cnf_is_never_left_out() {
    for wrong in [json!({}), json!(null), json!([]), json!("x"), json!(1)] {
        assert_eq!(check(&with("cnf", wrong)).unwrap_err(), ClaimsError::Malformed);
    }
    for other in [json!({"jkt": null}), json!({"x": 1}), json!({"jkt": "short"})] {
        assert!(check(&with("cnf", other)).unwrap().cnf.is_some());
    }
}

#[test]
fn what_the_profile_requires_must_be_there() {
    for name in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        assert!(check(&claims).is_err(), "{name}");
    }
}
