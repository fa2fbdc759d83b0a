//! Attacks that no list has.

use attack_tests::{API1, API2, ISSUER, START};
use oauth_jose::{Algorithm, LocalKey, Signer as _};
use serde_json::{Value, json};

use crate::api::{Api, claims, header, jwk, part, sign, with};

#[tokio::test]
async fn an_extension_that_must_be_understood_is_not() {
    let api = Api::open().await;
    for extension in [
        json!({ "crit": ["exp"], "exp": START + 600 }),
        json!({ "crit": ["x"], "x": true }),
        json!({ "crit": [] }),
        json!({ "crit": "alg" }),
        json!({ "crit": null }),
        json!({ "crit": ["b64"], "b64": true }),
    ] {
        let mut header: Value = serde_json::from_str(&header("ES256", "ec")).unwrap();
        header.as_object_mut().unwrap().extend(extension.as_object().unwrap().clone());
        let token = sign(&api.ec, &header.to_string(), claims().to_string().as_bytes()).await;
        api.assert_refuses(&token, &header.to_string()).await;
    }
}

/// RFC 7797: the signature is over the payload as it is, so that one token has two meanings.
#[tokio::test]
async fn a_payload_that_is_signed_unencoded() {
    let api = Api::open().await;
    for extension in [r#""b64":false,"crit":["b64"]"#, r#""b64":false"#] {
        let header = format!(r#"{{"typ":"at+jwt","alg":"ES256","kid":"ec",{extension}}}"#);
        let (header, payload) = (part(header), claims().to_string());
        let signature = part(api.ec.sign(format!("{header}.{payload}").as_bytes()).await.unwrap());
        api.assert_refuses(&format!("{header}.{}.{signature}", part(&payload)), extension).await;
        api.assert_turns_away(format!("{header}.{payload}.{signature}").as_bytes(), extension).await;
        let encoded = part(api.ec.sign(format!("{header}.{}", part(&payload)).as_bytes()).await.unwrap());
        api.assert_refuses(&format!("{header}.{}.{encoded}", part(&payload)), extension).await;
    }
}

#[tokio::test]
async fn a_token_inside_a_token() {
    let api = Api::open().await;
    let inner = api.token().await;
    let evil = LocalKey::generate(Algorithm::Es256).unwrap();
    let cty = r#"{"typ":"at+jwt","cty":"JWT","alg":"ES256","kid":"ec"}"#;
    api.assert_refuses(&sign(&api.ec, cty, inner.as_bytes()).await, "a right one in a right one").await;
    api.assert_refuses(&sign(&evil, cty, inner.as_bytes()).await, "a right one in a forged one").await;
    api.assert_refuses(&sign(&api.ec, cty, json!(inner).to_string().as_bytes()).await, "as a JSON string")
        .await;
}

#[tokio::test]
async fn algorithms_are_spelled_in_one_way() {
    let api = Api::open().await;
    let payload = claims().to_string();
    for alg in [
        "es256",
        "Es256",
        "eS256",
        "ES256 ",
        " ES256",
        "ES256\u{0}",
        "\u{415}S256",
        "none",
        "NONE",
        "nOne",
        "",
    ] {
        let header = header(alg, "ec");
        api.assert_refuses(&sign(&api.ec, &header, payload.as_bytes()).await, alg).await;
        api.assert_refuses(&format!("{}.{}.", part(&header), part(&payload)), alg).await;
    }
    for alg in [json!(null), json!(["ES256"]), json!({ "ES256": 1 }), json!(256)] {
        let header = json!({ "typ": "at+jwt", "alg": alg, "kid": "ec" }).to_string();
        api.assert_refuses(&sign(&api.ec, &header, payload.as_bytes()).await, &header).await;
    }
    let bare = r#"{"typ":"at+jwt","kid":"ec"}"#;
    api.assert_refuses(&sign(&api.ec, bare, payload.as_bytes()).await, "no alg").await;
}

#[tokio::test]
async fn a_token_does_not_bring_its_own_key() {
    let api = Api::open().await;
    let evil = LocalKey::generate(Algorithm::Es256).unwrap().with_kid("ec");
    for extension in [
        json!({ "jwk": jwk(&evil) }),
        json!({ "jku": "https://evil.example/jwks" }),
        json!({ "jku": format!("{ISSUER}@evil.example/jwks") }),
        json!({ "jku": "file:///etc/passwd" }),
        json!({ "x5u": "https://evil.example/cert.pem", "x5c": ["AAAA"] }),
        json!({ "x5t": "AAAA", "x5t#S256": "AAAA" }),
    ] {
        for kid in [Some("ec"), Some("evil"), None] {
            let mut header = json!({ "typ": "at+jwt", "alg": "ES256" });
            header.as_object_mut().unwrap().extend(extension.as_object().unwrap().clone());
            if let Some(kid) = kid {
                header["kid"] = json!(kid);
            }
            let token = sign(&evil, &header.to_string(), claims().to_string().as_bytes()).await;
            api.assert_refuses(&token, &header.to_string()).await;
        }
    }
    let ignored = r#"{"typ":"at+jwt","alg":"ES256","kid":"ec","jku":"https://evil.example/jwks"}"#;
    api.assert_accepts(&sign(&api.ec, ignored, claims().to_string().as_bytes()).await).await;
    api.assert_fetched_keys_once();
}

#[tokio::test]
async fn audiences_of_others_and_audiences_that_look_alike() {
    let api = Api::open().await;
    for aud in [json!(API1), json!([API1]), json!([API2, API1, ""])] {
        api.assert_accepts(&api.signed_claims(&with("aud", aud)).await).await;
    }
    for aud in [
        json!(API2),
        json!([API2]),
        json!([]),
        json!(""),
        json!(format!("{API1}.evil.example")),
        json!(format!("{API1}@evil.example")),
        json!(format!("{API1}/v2")),
        json!(format!("{API1} {API2}")),
        json!(format!("{API1}\u{0}")),
        json!([[API1]]),
        json!([API1, 1]),
        json!([API1, null]),
        json!({ API1: true }),
        json!(ISSUER),
        json!(null),
        json!("*"),
    ] {
        api.assert_refuses(&api.signed_claims(&with("aud", aud.clone())).await, &aud.to_string()).await;
    }
}

#[tokio::test]
async fn times_that_are_no_times() {
    let api = Api::open().await;
    let right = claims().to_string();
    for name in ["exp", "iat", "nbf", "auth_time"] {
        for value in [
            "1700000600.0",
            "17e8",
            "1e308",
            "1e400",
            "-1",
            "-0",
            "-0.0",
            "18446744073709551615",
            "18446744073709551616",
            "9223372036854775808",
            "999999999999999999999999999999",
            "253402300800",
            r#""1700000600""#,
            "null",
            "true",
            "[1700000600]",
            r#"{"$numberLong":"1700000600"}"#,
        ] {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(name);
            let text = claims.to_string();
            let text = format!("{},\"{name}\":{value}}}", text.strip_suffix('}').unwrap());
            api.assert_refuses(&api.signed_payload(text.as_bytes()).await, &format!("{name} {value}")).await;
        }
    }
    let end = format!(r#","exp":{}"#, START + 600);
    let without = right.replace(&end[1..], r#""x":0"#);
    assert_ne!(without, right);
    api.assert_refuses(&api.signed_payload(without.as_bytes()).await, "no exp").await;
}

#[tokio::test]
async fn tokens_of_the_future_and_of_the_past() {
    let api = Api::open().await;
    for (name, seconds, good) in [
        ("nbf", START + 3600, false),
        ("nbf", START + 61, false),
        ("nbf", START, true),
        ("iat", START + 3600, false),
        ("iat", START - 86_400, true),
        ("exp", START - 61, false),
        ("exp", 0, false),
        ("exp", START + 1, true),
    ] {
        let token = api.signed_claims(&with(name, json!(seconds))).await;
        match good {
            true => api.assert_accepts(&token).await,
            false => api.assert_refuses(&token, &format!("{name} {seconds}")).await,
        }
    }
}

#[tokio::test]
async fn what_the_same_key_has_signed_for_another_purpose() {
    let api = Api::open().await;
    let payload = claims().to_string();
    for typ in [
        "JWT",
        "jwt",
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "oauth-authz-req+jwt",
        "token-introspection+jwt",
        "client-authentication+jwt",
        "at+jwt+json",
        "at+JWT ",
        "application/at+jwt; charset=utf-8",
        "at\u{2b}jwt\u{0}",
        "",
    ] {
        let header = json!({ "typ": typ, "alg": "ES256", "kid": "ec" }).to_string();
        api.assert_refuses(&sign(&api.ec, &header, payload.as_bytes()).await, typ).await;
    }
    let bare = r#"{"alg":"ES256","kid":"ec"}"#;
    api.assert_refuses(&sign(&api.ec, bare, payload.as_bytes()).await, "no typ").await;
    let id_token = with("aud", json!("web"));
    api.assert_refuses(&api.signed_claims(&id_token).await, "an ID token's audience").await;
}

#[tokio::test]
async fn a_scope_is_what_the_scope_claim_says() {
    let api = Api::open().await;
    let write = api.signed_claims(&with("scope", json!("read write"))).await;
    assert_eq!(api.status_of_writing(&write).await, 200);
    let beside = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        claims
    };
    for claims in [
        claims(),
        beside("scp", json!(["read", "write"])),
        beside("scopes", json!("write")),
        beside("Scope", json!("write")),
        beside("roles", json!(["write"])),
        with("scope", json!("read Write")),
        with("scope", json!("read writer")),
        with("scope", json!("read re-write")),
    ] {
        assert_eq!(api.status_of_writing(&api.signed_claims(&claims).await).await, 403, "{claims}");
    }
    for scope in
        [json!(["read", "write"]), json!("read\twrite"), json!("read,write\""), json!(null), json!({})]
    {
        let token = api.signed_claims(&with("scope", scope.clone())).await;
        assert_eq!(api.status_of_writing(&token).await, 401, "{scope}");
    }
}
