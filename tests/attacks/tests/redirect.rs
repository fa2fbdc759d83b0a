//! Attacks on where the answer goes: what a redirect URI may be, and what happens to all others.

use attack_tests::{
    APP, Browser, Query, Reply, Socket, World, assert_json, assert_page, assert_redirect, assert_refused,
    encode, secret,
};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use oauth_core::client::{Client, ClientBuilder, ClientError, ClientSecret};
use oauth_core::redirect_uri::RedirectUriError;
use oauth_core::server::ServerBuilder;
use tower::ServiceExt;

/// Nobody is sent to any of these: not without a session, not with one, not without asking, not with another error beside.
async fn refused(client_id: &str, uris: &[&str]) {
    refused_in(&World::new(), client_id, uris).await;
}

async fn refused_in(world: &World, client_id: &str, uris: &[&str]) {
    for uri in uris {
        let query = Query::of(client_id).set("redirect_uri", uri);
        let variants = [
            query.clone(),
            query.clone().set("prompt", "none"),
            query.clone().set("scope", "bogus"),
            query.clone().without("response_type"),
            query.set("response_mode", "form_post"),
        ];
        for query in variants {
            for mut browser in [Browser::new(), Browser::signed_in("alice")] {
                let reply = browser.authorize(world, &query).await;
                assert!(!reply.body.contains(uri), "{uri} is reflected: {reply:?}");
                assert_refused(&reply, 400);
                assert!(reply.body.contains("does not lead back to the app"), "{reply:?}");
            }
        }
    }
    assert!(world.grants(client_id).await.is_empty());
}

/// The redirect URI works: alice's approval goes exactly there.
async fn accepted(world: &World, client_id: &str, uri: &str) -> Reply {
    let query = Query::of(client_id).set("redirect_uri", uri);
    let reply = Browser::signed_in("alice").approve(world, query).await;
    reply.code();
    let rest = reply.location().strip_prefix(uri).unwrap_or_else(|| panic!("{reply:?}"));
    assert!(rest.starts_with(['?', '&']), "{reply:?}");
    reply
}

fn with_client(client: ClientBuilder) -> World {
    World::with(|builder: ServerBuilder| builder.client(client))
}

/// A public client with these redirect URIs cannot be registered.
fn unregistrable(uris: &[&str], why: RedirectUriError) {
    for uri in uris {
        let answer = Client::public("new").redirect_uri(*uri).build();
        let Err(ClientError::RedirectUri { uri: named, source }) = answer else {
            panic!("{uri}: {answer:?}")
        };
        assert_eq!((&*named, source), (*uri, why), "{uri}");
    }
}

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

#[tokio::test]
async fn ru_22_http_beyond_the_loopback() {
    let uris = [
        "http://app.example/cb",
        "http://10.0.0.1/cb",
        "http://192.168.1.1/cb",
        "http://[::2]/cb",
        "http://0.0.0.0/cb",
    ];
    unregistrable(&uris, RedirectUriError::InsecureHttp);
    refused("web", &["http://app.example/cb"]).await;
}

#[tokio::test]
async fn ru_23_loopback_takes_any_port() {
    let world = World::new();
    for uri in [
        "http://127.0.0.1:51004/cb",
        "http://[::1]:61023/cb",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:65535/cb",
    ] {
        let reply = accepted(&world, "cli", uri).await;
        let form = format!("{}&redirect_uri={}", World::redemption(&reply.code()), encode(uri));
        assert_eq!(world.token("cli", &form).await.status, 200, "{uri}");
    }
}

#[tokio::test]
async fn ru_24_on_the_loopback_only_the_port_may_differ() {
    let uris = [
        "http://127.0.0.1:51004/other",
        "http://127.0.0.1:51004/cb?x=1",
        "http://127.0.0.1:51004/cb#f",
        "http://127.0.0.1:51004/cb/",
        "http://127.0.0.1:51004",
        "http://127.0.0.2:51004/cb",
        "https://127.0.0.1:51004/cb",
        "HTTP://127.0.0.1:51004/cb",
        "http://localhost:51004/cb",
        "http://127.0.0.1:51004//cb",
    ];
    refused("cli", &uris).await;
}

#[tokio::test]
async fn ru_26_localhost_can_be_held_to_its_port() {
    let native = || Client::public("desk").redirect_uri("http://localhost/cb");
    let uri = "http://localhost:33418/cb";
    accepted(&with_client(native()), "desk", uri).await;
    let strict = with_client(native().exact_localhost_port());
    refused_in(&strict, "desk", &[uri]).await;
    accepted(&strict, "desk", "http://localhost/cb").await;
    // A web client's address never takes another port.
    let web = with_client(Client::public("site").redirect_uri("https://localhost/cb"));
    refused_in(&web, "site", &["https://localhost:33418/cb", "http://localhost:33418/cb"]).await;
}

#[tokio::test]
async fn ru_27_loopback_exemption_spoofing() {
    let uris = [
        "http://127.0.0.1:80@evil.example/cb",
        "http://localhost:80@attacker.test/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://localhost.evil.example/cb",
        "http://127.0.0.1:80:80@evil.example/cb",
        "http://[::1]evil.example/cb",
        "http://[::1].evil.example/cb",
        "http://127.0.0.1:1/@evil.example/cb",
        "http://127.0.0.1\\@evil.example/cb",
    ];
    refused("cli", &uris).await;
    unregistrable(&uris[..2], RedirectUriError::UserInfo);
    unregistrable(&uris[2..4], RedirectUriError::InsecureHttp);
    let localhost = with_client(Client::public("desk").redirect_uri("http://localhost/cb"));
    refused_in(&localhost, "desk", &uris).await;
}

#[tokio::test]
async fn ru_28_loopback_in_other_spellings() {
    let uris = [
        "http://127.1/cb",
        "http://2130706433/cb",
        "http://0x7f.1/cb",
        "http://0177.0.0.1/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "http://0.0.0.0:1/cb",
        "http://localhost./cb",
        "http://[0:0:0:0:0:0:0:1]/cb",
        "http://LOCALHOST/cb",
    ];
    refused("cli", &uris).await;
    for uri in uris {
        assert!(Client::public("new").redirect_uri(uri).build().is_err(), "{uri}");
    }
}

#[tokio::test]
async fn ru_29_bad_ports() {
    let uris = ["99999", "-1", "", "0", "0051004", "+80", "8e3", "65536", "80:80", " 80", "٣"]
        .map(|port| format!("http://127.0.0.1:{port}/cb"));
    refused("cli", &uris.each_ref().map(String::as_str)).await;
}

#[tokio::test]
async fn ru_31_port_flexibility_outside_of_http_on_the_loopback() {
    refused("web", &["https://app.example:8443/cb", "https://app.example:443/cb"]).await;
    let world = with_client(Client::public("tls").redirect_uri("https://127.0.0.1/cb"));
    refused_in(&world, "tls", &["https://127.0.0.1:9/cb", "http://127.0.0.1:9/cb"]).await;
}

#[tokio::test]
async fn ru_33_custom_scheme_spelling() {
    let uris = [
        "com.example.cli://cb",
        "com.example.cli:cb",
        "com.example.cli:///cb",
        "com.example.cli:/CB",
        "com.example.CLI:/cb",
    ];
    refused("cli", &uris).await;
    accepted(&World::new(), "cli", "com.example.cli:/cb").await;
}

#[tokio::test]
async fn ru_34_wildcards_and_patterns() {
    let wild = ["https://*.app.example/cb", "https://app.example/*", "https://app.example/cb*"];
    unregistrable(&wild, RedirectUriError::Wildcard);
    // What would be a pattern elsewhere is text here.
    let world = with_client(Client::public("dots").redirect_uri("https://a.pp.example/cb(x)+"));
    refused_in(
        &world,
        "dots",
        &["https://axpp.example/cb(x)+", "https://a.pp.example/cbxx", "https://a.pp.example/cbx"],
    )
    .await;
    accepted(&world, "dots", "https://a.pp.example/cb(x)+").await;
}

#[tokio::test]
async fn ru_35_several_registered_none_sent() {
    let world = World::new();
    for query in [Query::of("cli").without("redirect_uri"), Query::of("cli").set("redirect_uri", "")] {
        assert_refused(&Browser::signed_in("alice").authorize(&world, query).await, 400);
    }
    // With one it is implied, unless its port is not known.
    let one = Query::of("web").without("redirect_uri");
    assert!(Browser::signed_in("alice").approve(&world, one).await.location().starts_with(APP));
    let desk = with_client(Client::public("desk").redirect_uri("http://127.0.0.1/cb"));
    let query = Query::of("desk").without("redirect_uri");
    assert_refused(&Browser::signed_in("alice").authorize(&desk, query).await, 400);
}

#[tokio::test]
async fn ru_37_none_registered() {
    let world = World::new();
    for client in ["m2m", "rs1"] {
        refused_in(&world, client, &["https://evil.example", APP]).await;
        let none = Query::of(client).without("redirect_uri");
        assert_refused(&Browser::signed_in("alice").authorize(&world, none).await, 400);
    }
}

#[tokio::test]
async fn ru_38_relative_and_protocol_relative() {
    let uris = ["/cb", "//evil.example/cb", "cb", "https:cb", "?x", "//app.example/cb", "app.example/cb"];
    refused("web", &uris).await;
    for uri in uris {
        assert!(Client::public("new").redirect_uri(uri).build().is_err(), "{uri}");
    }
}

#[tokio::test]
async fn ru_39_redirect_uri_twice() {
    let world = World::new();
    for second in ["https://evil.example", APP, ""] {
        for query in [
            Query::of("web").add("redirect_uri", second),
            Query::of("web").without("redirect_uri").add("redirect_uri", second).add("redirect_uri", APP),
        ] {
            assert_refused(&Browser::signed_in("alice").authorize(&world, query).await, 400);
        }
    }
}

#[tokio::test]
async fn ru_41_prompt_none_open_redirect() {
    let world = World::new();
    let query = Query::of("web").set("prompt", "none");
    let evil = query.clone().set("redirect_uri", "https://evil.example");
    assert_refused(&Browser::new().authorize(&world, evil).await, 400);
    let reply = Browser::new().authorize(&world, query).await;
    assert_redirect(&reply, APP, "login_required", Some("s-1"));
}

#[tokio::test]
async fn ru_42_unknown_client() {
    let world = World::new();
    for (client, uri) in [("nope", "https://evil.example"), ("nope", APP), ("WEB", APP), ("web ", APP)] {
        let query = Query::of("web").set("client_id", client).set("redirect_uri", uri);
        let reply = Browser::signed_in("alice").authorize(&world, query).await;
        assert_refused(&reply, 400);
        assert!(reply.body.contains("not known here"), "{reply:?}");
    }
}

#[tokio::test]
async fn ru_43_get_validated_post_swapped() {
    let world = World::new();
    let swaps = "redirect_uri=https%3A%2F%2Fevil.example&client_id=web2&response_type=token&state=other\
                 &code_challenge=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let mut browser = Browser::signed_in("alice");
    for place in ["form", "query"] {
        let page = browser.authorize(&world, Query::of("web").set("prompt", "consent")).await;
        let form = format!("ticket={}&decision=approve", encode(&page.field("ticket")));
        let reply = match place {
            "form" => browser.post(&world, "/authorize", &format!("{swaps}&{form}&{swaps}")).await,
            _ => browser.post(&world, &format!("/authorize?{swaps}"), &form).await,
        };
        assert!(reply.location().starts_with("https://app.example/cb?"), "{reply:?}");
        assert_eq!(reply.param("state").as_deref(), Some("s-1"));
        let redeemed = world.redeem("web", &reply.code()).await;
        assert_eq!(redeemed.text("scope"), "read write");
    }
    // The scope field narrows what was shown; it cannot widen it.
    let page =
        browser.authorize(&world, Query::of("web").set("scope", "read").set("prompt", "consent")).await;
    let form = format!("ticket={}&decision=approve&scope=read+write", encode(&page.field("ticket")));
    assert_refused(&browser.post(&world, "/authorize", &form).await, 400);
    assert!(world.grants("web2").await.is_empty());
}

#[tokio::test]
async fn ru_44_response_modes_do_not_bypass_the_check() {
    let world = World::new();
    for mode in
        ["form_post", "fragment", "jwt", "form_post.jwt", "query.jwt", "web_message", "QUERY", "nonsense"]
    {
        let query = Query::of("web").set("response_mode", mode);
        for mut browser in [Browser::new(), Browser::signed_in("alice")] {
            let evil = query.clone().set("redirect_uri", "https://evil.example/cb");
            assert_refused(&browser.authorize(&world, evil).await, 400);
            assert_redirect(&browser.authorize(&world, &query).await, APP, "invalid_request", Some("s-1"));
        }
    }
}

#[tokio::test]
async fn ru_45_token_request_with_another_redirect_uri() {
    let secret = ClientSecret::from_text(secret("two"));
    let two = Client::confidential("two", &secret).redirect_uri(APP).redirect_uri("https://app.example/cb2");
    let world = with_client(two);
    let code = world.code("two").await;
    let form = World::redemption(&code);
    for uri in [
        "https://app.example/cb2",
        "https://evil.example",
        "https://app.example/cb/",
        "https://app.example/CB",
    ] {
        let reply = world.token("two", &format!("{form}&redirect_uri={}", encode(uri))).await;
        assert_json(&reply, 400, "invalid_grant");
    }
    assert_eq!(world.grants("two").await, ["approved"]);
    assert_eq!(world.token("two", &format!("{form}&redirect_uri={}", encode(APP))).await.status, 200);
    // Here the port of the loopback may not differ either.
    let query = Query::of("cli").set("redirect_uri", "http://127.0.0.1:51004/cb");
    let form = World::redemption(&world.code_for(query).await);
    for uri in ["http://127.0.0.1:51005/cb", "http://127.0.0.1/cb", "http://[::1]:51004/cb"] {
        let reply = world.token("cli", &format!("{form}&redirect_uri={}", encode(uri))).await;
        assert_json(&reply, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn ru_46_token_request_without_redirect_uri() {
    let secret = ClientSecret::from_text(secret("legacy"));
    let world = with_client(Client::confidential("legacy", &secret).redirect_uri(APP).require_redirect_uri());
    assert_eq!(world.redeem("web", &world.code("web").await).await.status, 200);
    let code = world.code("legacy").await;
    let form = World::redemption(&code);
    assert_json(&world.token("legacy", &form).await, 400, "invalid_grant");
    assert_json(&world.token("legacy", &format!("{form}&redirect_uri=")).await, 400, "invalid_grant");
    assert_eq!(world.token("legacy", &format!("{form}&redirect_uri={}", encode(APP))).await.status, 200);
}

#[tokio::test]
async fn ru_47_oversize_uri() {
    let world = World::new();
    for length in [2049, 4000, 9000, 60_000] {
        let uri = format!("https://app.example/{}", "a".repeat(length));
        let query = Query::of("web").set("redirect_uri", &uri);
        assert_refused(&Browser::signed_in("alice").authorize(&world, query).await, 414);
    }
    let long = format!("https://app.example/{}", "a".repeat(2048));
    unregistrable(&[&long], RedirectUriError::TooLong);
    let many = |count| {
        let client = (0..count).fold(Client::public("many"), |client, at| {
            client.redirect_uri(format!("https://app.example/{at}"))
        });
        client.build()
    };
    assert!(many(50).is_ok());
    assert_eq!(many(51), Err(ClientError::TooManyRedirectUris));
    assert_eq!(many(500), Err(ClientError::TooManyRedirectUris));
}

#[tokio::test]
async fn ru_48_a_post_is_followed_by_a_get() {
    let world = World::with_pages();
    let mut browser = Browser::new();
    let detour = browser.authorize(&world, Query::of("web")).await;
    assert_eq!(detour.status, 303);
    let page = browser.get(&world, detour.location()).await;
    let form = format!("form={}&username=alice&password=secret", encode(&page.field("form")));
    let signed_in = browser.post(&world, "/sign-in", &form).await;
    assert_eq!(signed_in.status, 303);
    let consent = browser.get(&world, signed_in.location()).await;
    let done = browser.decide(&world, &consent, "approve").await;
    assert_eq!(done.status, 303);
    done.code();
}

#[tokio::test]
async fn ru_50_return_to_after_signing_in() {
    let world = World::with_pages();
    for address in [
        "//evil.example",
        "/%5Cevil.example",
        "////evil.example",
        "https:evil.example",
        "/%2509/evil.example",
        "javascript:1",
        "https://evil.example",
        "/authorize",
        "%2Fauthorize%3Fclient_id%3Dweb",
    ] {
        let mut browser = Browser::new();
        let page = browser.get(&world, &format!("/sign-in?return_to={address}")).await;
        assert!(!page.body.contains("evil"), "{page:?}");
        let form = format!(
            "form={}&username=alice&password=secret&return_to={address}",
            encode(&page.field("form"))
        );
        let reply = browser.post(&world, &format!("/sign-in?return_to={address}"), &form).await;
        assert_eq!((reply.status, reply.location()), (303, "/sign-in"), "{address}");
    }
}

#[tokio::test]
async fn ru_51_paths_are_not_normalised_into_redirects() {
    let world = World::new();
    let socket = Socket::open(&world).await;
    for target in [
        "//evil.example/",
        "/%2fevil.example/",
        "//evil.example/authorize",
        "/\\evil.example",
        "///token",
        "/authorize/",
        "/sign-in/",
    ] {
        let answer = socket.get(target).await;
        assert!(!answer.to_ascii_lowercase().contains("\r\nlocation"), "{target}: {answer}");
        assert!(
            answer.contains("x-inner: GET ") || answer.starts_with("HTTP/1.1 400 "),
            "{target}: {answer}"
        );
    }
    let alone = world.layer.clone().into_service();
    for uri in ["//evil.example/", "/%2fevil.example/", "//authorize"] {
        let request = Request::get(uri).body(Full::<Bytes>::default()).unwrap();
        let response = alone.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 404, "{uri}");
        assert!(response.headers().is_empty(), "{uri}");
    }
}

#[tokio::test]
async fn ru_52_redirect_uri_lost_between_page_and_answer() {
    let world = World::new();
    let registered = |uris: &[&str]| {
        uris.iter().fold(Client::public("moving"), |client, uri| client.redirect_uri(*uri)).build().unwrap()
    };
    world.server.clients().put(registered(&[APP, "https://app.example/new"])).await.unwrap();
    let mut browser = Browser::signed_in("alice");
    let page = browser.authorize(&world, Query::of("moving")).await;
    world.server.clients().put(registered(&["https://app.example/new"])).await.unwrap();
    assert_page(&browser.decide(&world, &page, "approve").await);
    assert_page(&browser.decide(&world, &page, "deny").await);
    assert!(world.grants("moving").await.is_empty());
    // Nor is a code worth anything that was on its way.
    world.server.clients().put(registered(&[APP])).await.unwrap();
    let code = world.code("moving").await;
    world.server.clients().put(registered(&["https://app.example/new"])).await.unwrap();
    let form = format!("client_id=moving&{}", World::redemption(&code));
    assert_json(&world.post("/token", &[], &form).await, 400, "invalid_grant");
}
