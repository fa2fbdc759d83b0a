use super::RedirectUriError as Refused;
use super::*;

const WEB: &str = "https://app.example/cb";

fn uri(text: &str) -> RedirectUri {
    RedirectUri::register(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

fn refused(text: &str) -> Refused {
    RedirectUri::register(text).expect_err(text)
}

/// None of `requested` matches `registered`, whatever is allowed for `localhost`.
fn never(registered: &str, requested: &[&str]) {
    let registered = uri(registered);
    for requested in requested {
        assert!(!registered.matches(requested, true), "{registered} {requested}");
        assert!(!registered.matches(requested, false), "{registered} {requested}");
    }
}

#[test]
fn registers_what_clients_use() {
    for (text, kind, host) in [
        (WEB, RedirectKind::Https, "app.example"),
        ("https://app.example", RedirectKind::Https, "app.example"),
        ("https://app.example:8443/cb;v=1?x=1&y=%20", RedirectKind::Https, "app.example:8443"),
        ("https://raycast.example/redirect?packageName=Extension", RedirectKind::Https, "raycast.example"),
        ("https://app.example?x=1", RedirectKind::Https, "app.example"),
        ("https://app.example/~u/@me/a:b", RedirectKind::Https, "app.example"),
        ("https://xn--bcher-kva.example/cb", RedirectKind::Https, "xn--bcher-kva.example"),
        ("https://[2001:DB8:0::1]:1/cb", RedirectKind::Https, "[2001:DB8:0::1]:1"),
        ("https://127.0.0.1/cb", RedirectKind::Https, "127.0.0.1"),
        ("http://127.0.0.1/cb", RedirectKind::Loopback, "127.0.0.1"),
        ("http://[::1]:7/cb", RedirectKind::Loopback, "[::1]:7"),
        ("http://localhost:33418", RedirectKind::Loopback, "localhost:33418"),
        ("com.example.cli:/cb", RedirectKind::CustomScheme, "com.example.cli"),
        ("com.example.cli:///cb", RedirectKind::CustomScheme, "com.example.cli"),
        ("cursor://anysphere.cursor-mcp/oauth/callback", RedirectKind::CustomScheme, "cursor"),
        ("vscode://vendor.extension/cb?windowId=1", RedirectKind::CustomScheme, "vscode"),
    ] {
        let uri = uri(text);
        assert_eq!((uri.as_str(), uri.kind(), uri.display_host()), (text, kind, host));
        assert!(uri.matches(text, false), "{text}");
    }
}

#[test]
fn ru_01_unregistered() {
    never(WEB, &["https://evil.example/cb", "", "https://app.example", "https://app.example/cb/"]);
}

#[test]
fn ru_03_04_case_folding() {
    never(WEB, &["https://app.example/CB", "HTTPS://APP.example/cb", "https://APP.example/cb"]);
    assert_eq!(refused("HTTPS://app.example/cb"), Refused::Scheme);
    assert_eq!(refused("HTTP://evil.example/cb"), Refused::Scheme);
}

#[test]
fn ru_06_07_query() {
    never(
        WEB,
        &[
            "https://app.example/cb?next=//evil.example",
            "https://app.example/cb?",
            "https://app.example/cb&x",
        ],
    );
    never(
        "https://app.example/cb2?x=1&y=2",
        &["https://app.example/cb2?y=2&x=1", "https://app.example/cb2?x=2&y=2", "https://app.example/cb2"],
    );
}

#[test]
fn ru_08_reserved_parameters() {
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
    ] {
        for query in
            [format!("?x=1&{key}=1"), format!("?{key}"), format!("?%{:02x}{}=", key.as_bytes()[0], &key[1..])]
        {
            for base in [WEB, "http://127.0.0.1/cb", "com.example.cli:/cb"] {
                assert_eq!(refused(&format!("{base}{query}")), Refused::ReservedParameter);
            }
        }
    }
    uri("https://app.example/cb?xcode=1&State=2&x=state");
    assert_eq!(
        with_query("https://app.example/cb2?x=1", [("code", "c"), ("state", "fixed")]),
        "https://app.example/cb2?x=1&code=c&state=fixed"
    );
}

#[test]
fn ru_09_fragment() {
    never(WEB, &["https://app.example/cb#x", "https://app.example/cb#"]);
    for text in ["https://app.example/cb#x", "https://app.example/cb#", "http://127.0.0.1/#", "a.b:/cb#"] {
        assert_eq!(refused(text), Refused::Fragment);
    }
}

#[test]
fn ru_10_userinfo() {
    let texts = [
        "https://app.example@evil.example/cb",
        "https://evil@app.example/cb",
        "https://u:p@app.example/cb",
        "https://@app.example/cb",
        "cursor://u@host/cb",
    ];
    never(WEB, &texts);
    for text in texts {
        assert_eq!(refused(text), Refused::UserInfo);
    }
}

#[test]
fn ru_12_path_traversal() {
    for text in [
        "https://app.example/cb/../evil",
        "https://app.example/..;/evil",
        "https://app.example/cb/%2e%2e/evil",
        "https://app.example/cb/.%2E",
        "https://app.example/./cb",
        "https://app.example/cb/..%2fevil",
        "https://app.example/cb%5c..%5cevil",
        "http://127.0.0.1/..",
        "com.example.cli:/../cb",
    ] {
        never(WEB, &[text]);
        assert_eq!(refused(text), Refused::DotSegment);
    }
    uri("https://app.example/a..b/...?to=../x");
}

#[test]
fn ru_13_14_escapes() {
    never(WEB, &["https://app.example/%63b", "https%3A%2F%2Fapp.example%2Fcb", "https://app%2eexample/cb"]);
    for text in ["https://app.example/%", "https://app.example/%4", "https://app.example/%zz", "a.b:/?%"] {
        assert_eq!(refused(text), Refused::Escape);
    }
    assert_eq!(refused("https%3A%2F%2Fapp.example%2Fcb"), Refused::Relative);
    assert_eq!(refused("https://app%2eexample/cb"), Refused::Host);
}

#[test]
fn ru_15_slashes() {
    never(WEB, &["https://app.example\\@evil.example/cb", "https:\\\\evil.example", "https:///evil.example"]);
    assert_eq!(refused("https://app.example\\@evil.example/cb"), Refused::Character);
    assert_eq!(refused("https:\\\\evil.example"), Refused::Character);
    assert_eq!(refused("https:///evil.example"), Refused::Host);
    assert_eq!(refused("https:////evil.example"), Refused::Host);
}

#[test]
fn ru_16_17_whitespace_and_control() {
    let texts = [
        "\thttps://app.example/cb",
        "https://app.example/cb ",
        "https://app.example/cb\r\nSet-Cookie:a=b",
        "https://app.example/cb\0.evil.example",
        "https://app.exa\nmple/cb",
        "https://app.example/cb%0d%0aSet-Cookie:a=b",
        "https://app.example/cb%00",
        "https://app.example/cb?x=%00",
        "https://app.example/cb?x=[1]",
    ];
    never(WEB, &texts);
    for text in texts {
        assert_eq!(refused(text), Refused::Character, "{text:?}");
    }
}

#[test]
fn ru_18_path_parameters() {
    never(WEB, &["https://app.example/cb;evil=1"]);
}

#[test]
fn ru_19_homographs() {
    never(WEB, &["https://аpp.example/cb", "https://xn--app-.example/cb"]);
    assert_eq!(refused("https://аpp.example/cb"), Refused::Character);
    assert_eq!(refused("https://xn--app-.example/cb"), Refused::Host);
}

#[test]
fn ru_20_denied_schemes() {
    for text in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "javascript://app.example/%0aalert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "blob:https://app.example/1",
        "vbscript:x",
        "about:blank",
        "view-source:https://app.example",
        "intent://x/cb",
        "chrome://settings/",
        "ws://app.example/",
        "wss://app.example/",
        "ftp://app.example/",
        "mailto:a@b.example",
        "tel:1",
        "microsoft-edge:https://app.example",
        "search://x/cb",
        "ms-officecmd:/x",
        "itms-services://x/cb",
        "urn:ietf:wg:oauth:2.0:oob",
    ] {
        assert_eq!(refused(text), Refused::Scheme, "{text}");
    }
}

#[test]
fn ru_21_script_scheme_in_storage() {
    for text in ["javascript:alert(1)//", "JAVASCRIPT:alert(1)", "data:text/html,x", " javascript:alert(1)"] {
        let stored = RedirectUri(Arc::from(text), crate::grant::UriHash::of(text));
        assert!(!stored.matches(text, true), "{text}");
        assert!(serde_json::from_value::<RedirectUri>(text.into()).is_err(), "{text}");
    }
}

#[test]
fn ru_22_insecure_http() {
    for text in
        ["http://app.example/cb", "http://192.168.0.1/cb", "http://127.0.0.2/cb", "http://LOCALHOST/cb"]
    {
        assert_eq!(refused(text), Refused::InsecureHttp);
    }
}

#[test]
fn ru_23_loopback_ports() {
    for origin in ["http://127.0.0.1", "http://[::1]"] {
        for own in ["", ":3000"] {
            for requested in ["", ":1", ":51004", ":65535"] {
                for tail in ["", "/", "/cb", "/cb?x=1", "?x=1"] {
                    let registered = uri(&format!("{origin}{own}{tail}"));
                    assert!(registered.matches(&format!("{origin}{requested}{tail}"), false));
                }
            }
        }
    }
}

#[test]
fn ru_24_only_the_port_may_differ() {
    never(
        "http://127.0.0.1/cb",
        &[
            "http://127.0.0.1:51004/other",
            "http://127.0.0.1:51004/cb?x=1",
            "http://127.0.0.1:51004/cb#f",
            "http://127.0.0.1:51004/cb#",
            "http://127.0.0.1:51004",
            "http://127.0.0.1:51004/cb/",
            "http://127.0.0.1:51004/CB",
            "http://127.0.0.1:51004//cb",
            "http://127.0.0.1:51004/%63b",
            "HTTP://127.0.0.1:51004/cb",
            "https://127.0.0.1:51004/cb",
            "http://[::1]:51004/cb",
            "http://localhost:51004/cb",
        ],
    );
}

#[test]
fn ru_26_localhost_ports() {
    let registered = uri("http://localhost/cb");
    assert!(registered.matches("http://localhost:33418/cb", true));
    assert!(!registered.matches("http://localhost:33418/cb", false));
    assert!(registered.matches("http://localhost/cb", false));
    never("http://localhost/cb", &["http://127.0.0.1:1/cb", "http://LOCALHOST:1/cb", "http://localhost:1/x"]);
}

#[test]
fn ru_27_loopback_exemption_spoofing() {
    let texts = [
        "http://127.0.0.1:80@evil.example/cb",
        "http://localhost:80@attacker.test/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://localhost.evil.example/cb",
        "http://127.0.0.1:80\\@evil.example/cb",
        "http://127.0.0.1@evil.example/cb",
        "http://[::1]evil.example/cb",
        "http://[::1].evil.example/cb",
        "http://127.0.0.1:80:80/cb",
    ];
    for registered in ["http://127.0.0.1/cb", "http://localhost/cb", "http://[::1]/cb", "http://127.0.0.1"] {
        never(registered, &texts);
    }
    for text in texts {
        refused(text);
    }
}

#[test]
fn ru_28_loopback_spellings() {
    let texts = [
        "http://127.1/cb",
        "http://2130706433/cb",
        "http://0x7f.1/cb",
        "http://0177.0.0.1/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "http://[0:0:0:0:0:0:0:1]/cb",
        "http://0.0.0.0:1/cb",
        "http://localhost./cb",
    ];
    never("http://127.0.0.1/cb", &texts);
    never("http://localhost/cb", &texts);
    for text in texts {
        refused(text);
        if !text.contains(['[', ']']) && !text.contains("0.0.0.0") {
            assert_eq!(refused(&text.replace("http:", "https:")), Refused::Host);
        }
    }
}

#[test]
fn ru_29_bad_ports() {
    for port in ["99999", "65536", "-1", "", "0", "0051004", "+1", "1a", "１", " 1", "%31"] {
        let text = format!("http://127.0.0.1:{port}/cb");
        never("http://127.0.0.1/cb", &[&text]);
        refused(&text);
        refused(&format!("https://app.example:{port}/cb"));
    }
    assert_eq!(refused("https://app.example:0/cb"), Refused::Port);
}

#[test]
fn ru_31_no_ports_elsewhere() {
    never(WEB, &["https://app.example:8443/cb", "https://app.example:443/cb"]);
    never(
        "https://127.0.0.1/cb",
        &["https://127.0.0.1:9/cb", "http://127.0.0.1:9/cb", "http://127.0.0.1/cb"],
    );
    never("cursor://localhost/cb", &["cursor://localhost:1/cb"]);
}

#[test]
fn ru_33_custom_scheme_spelling() {
    never("com.example.cli:/cb", &["com.example.cli://cb", "com.example.cli:cb", "com.example.cli:///cb"]);
    assert_eq!(refused("com.example.cli:cb"), Refused::Relative);
    assert_eq!(refused("localhost:8080/cb"), Refused::Relative);
    assert_eq!(refused("1a:/cb"), Refused::Relative);
}

#[test]
fn ru_34_wildcards() {
    for text in ["https://*.app.example/cb", "https://app.example/*", "*", "https://app.example/cb?x=*"] {
        assert_eq!(refused(text), Refused::Wildcard);
    }
    never("https://a.pp.example/cb", &["https://axpp.example/cb"]);
}

#[test]
fn ru_38_relative() {
    for text in ["/cb", "//evil.example/cb", "cb", "", ":", "://x"] {
        never(WEB, &[text]);
        assert_eq!(refused(text), Refused::Relative, "{text}");
    }
    assert_eq!(refused("https:cb"), Refused::Scheme);
    assert_eq!(refused("https:/cb"), Refused::Scheme);
}

#[test]
fn ru_47_too_long() {
    let base = "https://app.example/";
    let fits = format!("{base}{}", "a".repeat(MAX_REDIRECT_URI_BYTES - base.len()));
    uri(&fits);
    assert_eq!(refused(&format!("{fits}a")), Refused::TooLong);
    never(WEB, &[&format!("{fits}a")]);
}

#[test]
fn appends_to_any_query() {
    let pairs = || [("code", "a b+c/%"), ("state", "é&=~-._")];
    let encoded = "code=a%20b%2Bc%2F%25&state=%C3%A9%26%3D~-._";
    for (base, with) in [
        (WEB, "https://app.example/cb?"),
        ("https://app.example/cb?", "https://app.example/cb?"),
        ("https://app.example/cb?x=1", "https://app.example/cb?x=1&"),
        ("https://app.example/cb?x=1&", "https://app.example/cb?x=1&"),
        ("com.example.cli:/cb", "com.example.cli:/cb?"),
    ] {
        assert_eq!(with_query(base, pairs()), format!("{with}{encoded}"));
    }
    assert_eq!(with_query(WEB, []), WEB);
}

#[test]
fn any_text_is_answered() {
    const ALPHABET: &[char] = &[
        'h', 't', 'p', 's', ':', ':', '/', '/', '@', '[', ']', '.', '%', '2', 'e', '?', '#', '\\', 'é', '0',
        '1', ' ', ';', '=', '&',
    ];
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as usize
    };
    let loopback = uri("http://127.0.0.1/cb");
    for _ in 0..40_000 {
        let prefix = ["", "http://127.0.0.1", "https://a.example", "a.b:", "http://["][next() % 5];
        let tail: String = (0..next() % 16).map(|_| ALPHABET[next() % ALPHABET.len()]).collect();
        let text = format!("{prefix}{tail}");
        assert!(!loopback.matches(&text, true) || text.ends_with("/cb"));
        if let Ok(uri) = RedirectUri::register(&text) {
            assert!(uri.matches(&text, false));
            assert!(!uri.display_host().is_empty());
        }
    }
}
