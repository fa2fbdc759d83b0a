//! Addresses of the device itself, custom schemes, and what may be registered.

use super::*;

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
