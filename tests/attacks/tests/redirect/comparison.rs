//! What is not the registered URI, byte for byte.

use super::*;

#[tokio::test]
async fn ru_01_unregistered_uri() {
    refused("web", &["https://evil.example/cb", "https://app.example/", "https://app.example/cb/", "x"])
        .await;
}

#[tokio::test]
async fn ru_03_path_case_folding() {
    refused("web", &["https://app.example/CB", "https://app.example/Cb"]).await;
}

#[tokio::test]
async fn ru_04_host_and_scheme_case_folding() {
    refused("web", &["HTTPS://APP.example/cb", "https://APP.example/cb", "Https://app.example/cb"]).await;
}

#[tokio::test]
async fn ru_06_appended_query() {
    let uris =
        ["https://app.example/cb?next=//evil.example", "https://app.example/cb?", "https://app.example/cb&x"];
    refused("web", &uris).await;
}

#[tokio::test]
async fn ru_07_registered_query_altered() {
    let world = with_client(Client::public("q").redirect_uri("https://app.example/cb2?x=1&y=2"));
    let uris = ["y=2&x=1", "x=2&y=2", "x=1", "x=1&y=2&z=3", "x=1&y=2&", "x=%31&y=2"]
        .map(|query| format!("https://app.example/cb2?{query}"));
    refused_in(&world, "q", &uris.each_ref().map(String::as_str)).await;
    refused_in(&world, "q", &["https://app.example/cb2"]).await;
    accepted(&world, "q", "https://app.example/cb2?x=1&y=2").await;
}

#[tokio::test]
async fn ru_08_registered_query_is_retained_and_no_key_is_there_twice() {
    for key in [
        "code",
        "state",
        "iss",
        "error",
        "error_description",
        "error_uri",
        "id_token",
        "access_token",
        "response",
        "st%61te",
    ] {
        let uri = format!("https://app.example/cb2?x=1&{key}=fixed");
        unregistrable(&[&uri], RedirectUriError::ReservedParameter);
    }
    let world = with_client(Client::public("q").redirect_uri("https://app.example/cb2?x=1&State=fixed"));
    let reply = accepted(&world, "q", "https://app.example/cb2?x=1&State=fixed").await;
    let mut names: Vec<_> = reply.params().into_iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, ["State", "code", "iss", "state", "x"]);
    assert_eq!(reply.param("x").as_deref(), Some("1"));
    assert_eq!(reply.param("state").as_deref(), Some("s-1"));
}

#[tokio::test]
async fn ru_09_fragment_and_bare_hash() {
    refused("web", &["https://app.example/cb#x", "https://app.example/cb#"]).await;
    refused("cli", &["com.example.cli:/cb#", "http://127.0.0.1:51004/cb#"]).await;
    unregistrable(&["https://app.example/cb#x", "https://app.example/cb#"], RedirectUriError::Fragment);
}

#[tokio::test]
async fn ru_10_userinfo() {
    let uris = [
        "https://app.example@evil.example/cb",
        "https://evil@app.example/cb",
        "https://u:p@app.example/cb",
        "https://@app.example/cb",
    ];
    refused("web", &uris).await;
    unregistrable(&uris, RedirectUriError::UserInfo);
}

#[tokio::test]
async fn ru_12_path_traversal() {
    let uris = [
        "https://app.example/cb/../evil",
        "https://app.example/..;/evil",
        "https://app.example/cb/%2e%2e/evil",
        "https://app.example/./cb",
        "https://app.example//cb",
        "https://app.example/cb/../cb",
    ];
    refused("web", &uris).await;
    unregistrable(&[uris[0], uris[1], uris[2], uris[3], uris[5]], RedirectUriError::DotSegment);
}

#[tokio::test]
async fn ru_13_percent_encoding_equivalence() {
    refused("web", &["https://app.example/%63b", "https://app%2eexample/cb", "https%3A//app.example/cb"])
        .await;
}

#[tokio::test]
async fn ru_14_double_encoding() {
    let world = World::new();
    let query = Query::of("web").set_raw("redirect_uri", "https%253A%252F%252Fapp.example%252Fcb");
    assert_refused(&Browser::signed_in("alice").authorize(&world, query).await, 400);
    refused("web", &["https%3A%2F%2Fapp.example%2Fcb"]).await;
}

#[tokio::test]
async fn ru_15_backslash_and_mixed_slashes() {
    let uris = [
        r"https://app.example\@evil.example/cb",
        r"https:\\evil.example",
        "https:///evil.example",
        "https:/app.example/cb",
        r"https://app.example\cb",
        r"https:/\app.example/cb",
    ];
    refused("web", &uris).await;
}

#[tokio::test]
async fn ru_16_whitespace_control_and_crlf() {
    let world = World::new();
    for encoded in [
        "%09https://app.example/cb",
        "https://app.example/cb%20",
        "https://app.example/cb+",
        "https://app.example/cb%0d%0aSet-Cookie:a=b",
        "https://app.example/cb%C2%A0",
        "https://app.example/c%0Ab",
    ] {
        let query = Query::of("web").set_raw("redirect_uri", encoded);
        let reply = Browser::signed_in("alice").authorize(&world, query).await;
        assert_refused(&reply, 400);
        assert!(!reply.headers.contains_key("set-cookie"), "{reply:?}");
    }
}

#[tokio::test]
async fn ru_16_whitespace_and_control_over_a_socket() {
    let world = World::new();
    let socket = Socket::open(&world).await;
    for raw in ["%0d%0aSet-Cookie:a=b", "\tx", "%00", "\u{e9}"] {
        let query = Query::of("web").set_raw("redirect_uri", &format!("https://app.example/cb{raw}"));
        let answer = socket.get(format!("/authorize?{query}")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{raw:?}: {answer}");
        let lower = answer.to_ascii_lowercase();
        assert!(!lower.contains("set-cookie") && !lower.contains("\r\nlocation"), "{answer}");
    }
}

#[tokio::test]
async fn ru_17_nul_truncation() {
    let world = World::new();
    let query = Query::of("web").set_raw("redirect_uri", "https://app.example/cb%00.evil.example");
    assert_refused(&Browser::signed_in("alice").authorize(&world, query).await, 400);
}

#[tokio::test]
async fn ru_18_path_parameters() {
    refused("web", &["https://app.example/cb;evil=1", "https://app.example/cb;", "https://app.example;/cb"])
        .await;
}

#[tokio::test]
async fn ru_19_idn_homograph_and_fake_punycode() {
    refused(
        "web",
        &["https://\u{430}pp.example/cb", "https://xn--app-.example/cb", "https://ａpp.example/cb"],
    )
    .await;
    unregistrable(&["https://\u{430}pp.example/cb"], RedirectUriError::Character);
    unregistrable(&["https://xn--app-.example/cb"], RedirectUriError::Host);
}

#[tokio::test]
async fn ru_21_script_scheme() {
    let uris =
        ["javascript:alert(1)", "JavaScript://app.example/%0aalert(1)", "data:text/html,x", "vbscript:x"];
    refused("web", &uris).await;
    unregistrable(&uris[2..], RedirectUriError::Scheme);
    // A row that is older than the rule is not a client at all.
    let client = Client::public("old").redirect_uri("https://app.example/cb").build().unwrap();
    let row = serde_json::to_string(&client).unwrap();
    assert!(serde_json::from_str::<Client>(&row).is_ok());
    for uri in uris {
        let legacy = row.replace("https://app.example/cb", uri);
        assert!(serde_json::from_str::<Client>(&legacy).is_err(), "{uri}");
    }
}
