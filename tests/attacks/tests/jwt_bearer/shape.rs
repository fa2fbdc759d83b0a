//! What a token looks like: its segments and its JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::api::{Api, claims, header, part, sign, with};

#[tokio::test]
async fn jw_09_a_kid_is_a_name_and_nothing_else() {
    let api = Api::open().await;
    for kid in [
        "../../etc/passwd",
        "/dev/null",
        "' UNION SELECT 'AAAA' --",
        "https://evil.example/jwks",
        "ec\u{0}",
        "ec ",
        "EC",
        "",
        "$(id)",
        &"a".repeat(8_000),
        &"a".repeat(64 * 1024),
    ] {
        let token = sign(&api.ec, &header("ES256", kid), claims().to_string().as_bytes()).await;
        api.assert_refuses(&token, &kid[..kid.len().min(40)]).await;
    }
    for kid in [json!(1), json!(null), json!(["ec"]), json!({ "kid": "ec" }), json!(true)] {
        let header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": kid }).to_string();
        let token = sign(&api.ec, &header, claims().to_string().as_bytes()).await;
        api.assert_refuses(&token, &header).await;
    }
    api.assert_fetched_keys_once();
}

#[tokio::test]
async fn jw_15_segments() {
    let api = Api::open().await;
    let token = api.token().await;
    let [h, p, s] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
    for wrong in [
        format!("{h}.{p}"),
        format!("{h}.{p}."),
        format!("{h}..{s}"),
        format!(".{p}.{s}"),
        "..".to_owned(),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{s}"),
        format!("{h}.{p}.{s}.{s}.{s}"),
        format!("{h}.{p}.{s}~"),
        ".".repeat(5),
        ".".repeat(100_000),
    ] {
        api.assert_refuses(&wrong, &wrong[..wrong.len().min(80)]).await;
    }
    let json = format!(r#"{{"payload":"{p}","protected":"{h}","signature":"{s}"}}"#);
    let general = format!(r#"{{"payload":"{p}","signatures":[{{"protected":"{h}","signature":"{s}"}}]}}"#);
    for wrong in
        [json, general, format!("{token}\t{token}"), format!("{token},{token}"), format!("{h}.{p}\u{b7}{s}")]
    {
        api.assert_turns_away(wrong.as_bytes(), &wrong).await;
    }
    api.assert_turns_away(".".repeat(1_000_000).as_bytes(), "a million dots").await;
    // One more dot and line: no second header, no second chance.
    api.assert_turns_away(format!("{token}\r\nauthorization: Bearer {token}").as_bytes(), "twice").await;
}

#[tokio::test]
async fn jw_16_json_that_two_readers_read_differently() {
    let api = Api::open().await;
    let right = claims().to_string();
    api.assert_accepts(&api.signed_payload(right.as_bytes()).await).await;
    let open = right.strip_suffix('}').unwrap();
    let utf16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_be_bytes).collect() };
    let deep = |depth: usize| format!("{open},\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    for (what, payload) in [
        ("a claim twice", format!(r#"{open},"sub":"mallory"}}"#).into_bytes()),
        ("a claim twice, once in escapes", format!(r#"{open},"\u0073cope":"read write"}}"#).into_bytes()),
        ("an unknown claim twice", format!(r#"{open},"tenant":1,"tenant":2}}"#).into_bytes()),
        ("twice further inside", format!(r#"{open},"act":{{"sub":"a","sub":"b"}}}}"#).into_bytes()),
        ("deep", deep(200).into_bytes()),
        ("deeper", deep(5_000).into_bytes()),
        ("too deep to be read", deep(10_000).into_bytes()),
        ("a byte order mark", format!("\u{feff}{right}").into_bytes()),
        ("UTF-16", utf16(&right)),
        ("NaN", format!(r#"{open},"x":NaN}}"#).into_bytes()),
        ("Infinity", format!(r#"{open},"x":-Infinity}}"#).into_bytes()),
        ("a lone surrogate", right.replace("alice", r"alice\ud800").into_bytes()),
        ("no UTF-8", [open.as_bytes(), b",\"x\":\"\xff\"}"].concat()),
        ("a zero byte at the end", format!("{right}\0").into_bytes()),
        ("a second object", format!("{right}{right}").into_bytes()),
        ("a comma too many", format!("{open},}}").into_bytes()),
        ("a comment", format!("{right}//").into_bytes()),
        ("single quotes", right.replace('"', "'").into_bytes()),
        ("an array of it", format!("[{right}]").into_bytes()),
        ("null", b"null".to_vec()),
        ("nothing", Vec::new()),
    ] {
        api.assert_refuses(&api.signed_payload(&payload).await, what).await;
    }
    for wrong in [
        r#"{"typ":"at+jwt","alg":"ES256","kid":"ec","alg":"none"}"#,
        r#"{"typ":"at+jwt","alg":"none","kid":"ec","alg":"ES256"}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":"ec","\u006bid":"ed"}"#,
        r#"{"typ":"JWT","typ":"at+jwt","alg":"ES256","kid":"ec"}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":"ec"}{}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":"ec",}"#,
        "\u{feff}{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"ec\"}",
        r#"[{"typ":"at+jwt","alg":"ES256","kid":"ec"}]"#,
        "{}",
        "",
    ] {
        api.assert_refuses(&sign(&api.ec, wrong, right.as_bytes()).await, wrong).await;
    }
}

#[tokio::test]
async fn jw_17_ecdsa_signatures_that_are_none() {
    /// The order of P-256.
    const N: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
        0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let api = Api::open().await;
    let token = api.token().await;
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let good = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (r, s) = good.split_at(32);
    let der = |r: &[u8], s: &[u8]| {
        let integer = |number: &[u8]| [&[2, 33, 0][..], number].concat();
        let body = [integer(r), integer(s)].concat();
        [&[0x30, u8::try_from(body.len()).unwrap()][..], &body].concat()
    };
    for (what, forged) in [
        ("zeros", vec![0; 64]),
        ("r zero", [&[0; 32], s].concat()),
        ("s zero", [r, &[0; 32]].concat()),
        ("r and s of the order", [N, N].concat()),
        ("r of the order", [&N[..], s].concat()),
        ("s of the order", [r, &N[..]].concat()),
        ("the largest", vec![0xff; 64]),
        ("DER", der(r, s)),
        ("63 bytes", good[1..].to_vec()),
        ("65 bytes", [&[0], &good[..]].concat()),
        ("66 bytes, each with a zero before", [&[0], r, &[0], s].concat()),
        ("twice", [&good[..], &good].concat()),
        ("one", vec![1]),
        ("of P-521", vec![1; 132]),
    ] {
        api.assert_refuses(&format!("{signed}.{}", part(forged)), what).await;
    }
}

#[tokio::test]
async fn segments_have_one_spelling() {
    let api = Api::open().await;
    let token = api.token().await;
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (head, payload) = signed.split_once('.').unwrap();
    // Of the last digit of 64 bytes, four bits say nothing.
    let last = token.chars().last().unwrap();
    for other in
        ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']).filter(|other| *other != last)
    {
        api.assert_refuses(&format!("{}{other}", &token[..token.len() - 1]), "another last digit").await;
    }
    let decoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(signature).unwrap();
    for (what, other) in [
        ("padded", format!("{token}==")),
        ("the header padded", format!("{head}=.{payload}.{signature}")),
        ("the other alphabet", format!("{signed}.{}", STANDARD.encode(decoded))),
    ] {
        api.assert_turns_away(other.as_bytes(), what).await;
    }
    api.assert_accepts(&api.signed_claims(&with("jti", json!("2"))).await).await;
}
