//! Attacks on client authentication (CA): none, two, the wrong one, unreadable ones.

use attack_tests::{API1, APP, Tokens, VERIFIER, World, assert_json, basic, encode, secret};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::Request;
use http_body_util::Full;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::Timestamp;
use oauth_core::server::ServerBuilder;

const FORM: &str = "grant_type=client_credentials";

fn right() -> String {
    basic("m2m", &secret("m2m"))
}

#[tokio::test]
async fn ca_01_a_confidential_client_must_authenticate() {
    let world = World::new();
    let code = world.code("web").await;
    let form = format!("client_id=web&{}", World::redemption(&code));
    assert_json(&world.post("/token", &[], &form).await, 401, "invalid_client");
    assert_json(&world.post("/token", &[], &format!("client_id=m2m&{FORM}")).await, 401, "invalid_client");
    assert_json(&world.post("/token", &[], FORM).await, 401, "invalid_client");
    assert_eq!(world.redeem("web", &code).await.status, 200);
}

#[tokio::test]
async fn ca_02_a_wrong_secret_is_challenged() {
    let world = World::new();
    let own = secret("m2m");
    for wrong in ["wrong", &own[..own.len() - 1], &format!("{own}x"), &own.to_uppercase(), &secret("web")] {
        let reply = world.post("/token", &[("authorization", &basic("m2m", wrong))], FORM).await;
        assert_json(&reply, 401, "invalid_client");
        assert!(reply.header("www-authenticate").is_some_and(|text| text.starts_with("Basic realm=\"")));
    }
}

#[tokio::test]
async fn ca_03_two_methods_at_once_are_refused_and_consume_nothing() {
    let world = World::new();
    let code = world.code("web").await;
    let form = World::redemption(&code);
    let credentials = basic("web", &secret("web"));
    let header = [("authorization", credentials.as_str())];
    let posted = format!("client_id=web&client_secret={}", secret("web"));
    let assertion = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
                     &client_assertion=eyJhbGciOiJIUzI1NiJ9.e30.x";
    for (headers, more) in [
        (&header[..], posted.clone()),
        (&header[..], "client_secret=x".to_owned()),
        (&header[..], assertion.to_owned()),
        (&[][..], format!("{posted}&{assertion}")),
    ] {
        let reply = world.post("/token", headers, &format!("{form}&{more}")).await;
        assert_json(&reply, 400, "invalid_request");
    }
    let tokens = Tokens::of(&world.redeem("web", &code).await);
    let twice = format!("{}&{posted}", World::refreshment(&tokens.refresh));
    assert_json(&world.post("/token", &header, &twice).await, 400, "invalid_request");
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn rp_07_a_method_without_a_value_is_no_second_method() {
    let world = World::new();
    let credentials = basic("m2m", &secret("m2m"));
    let header = [("authorization", credentials.as_str())];
    for empty in ["client_secret=", "client_secret", "client_assertion=&client_assertion_type=", "client_id="]
    {
        let reply = world.post("/token", &header, &format!("{FORM}&{empty}")).await;
        assert_eq!(reply.status, 200, "{empty}: {reply:?}");
    }
    let twice = format!("{FORM}&client_secret=&client_secret=");
    assert_json(&world.post("/token", &header, &twice).await, 400, "invalid_request");
}

#[tokio::test]
async fn ca_04_header_and_body_must_name_the_same_client() {
    let world = World::new();
    let credentials = basic("m2m", &secret("m2m"));
    let header = [("authorization", credentials.as_str())];
    for other in ["web2", "M2M", "m2m%20", "nobody"] {
        let reply = world.post("/token", &header, &format!("{FORM}&client_id={other}")).await;
        assert_json(&reply, 400, "invalid_request");
    }
    let reply = world.post("/token", &header, &format!("{FORM}&client_id=m2m&client_id=m2m")).await;
    assert_json(&reply, 400, "invalid_request");
    assert_eq!(world.post("/token", &header, &format!("{FORM}&client_id=m2m")).await.status, 200);
}

fn odd(builder: ServerBuilder) -> ServerBuilder {
    builder.client(Client::machine("a:b %+é", &ClientSecret::from_text("p:%+ é with a long tail")))
}

#[tokio::test]
async fn ca_05_ids_and_secrets_are_form_encoded_inside_basic() {
    let world = World::with(odd);
    let reply =
        world.post("/token", &[("authorization", &basic("a:b %+é", "p:%+ é with a long tail"))], FORM).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let plus = format!("Basic {}", STANDARD.encode("a%3Ab+%25%2B%C3%A9:p%3A%25%2B+%C3%A9+with+a+long+tail"));
    assert_eq!(world.post("/token", &[("authorization", &plus)], FORM).await.status, 200);
    let raw = format!("Basic {}", STANDARD.encode("a:b %+é:p:%+ é with a long tail"));
    assert_json(&world.post("/token", &[("authorization", &raw)], FORM).await, 401, "invalid_client");
}

#[tokio::test]
async fn ca_06_unreadable_basic_credentials_are_refused() {
    let world = World::new();
    let pair = format!("m2m:{}", secret("m2m"));
    let mut values: Vec<Vec<u8>> = [
        "Basic d2Vi".to_owned(),
        "Basic !!!!".to_owned(),
        "Basic".to_owned(),
        "Basic ".to_owned(),
        "Basic =".to_owned(),
        "Basic Og==".to_owned(),
        format!("Basic {}", STANDARD_NO_PAD.encode(format!("{pair}x"))),
        format!("Basic {}", URL_SAFE_NO_PAD.encode("m2m:>>>???>>>???>>>???")),
        format!("Basic {}", STANDARD.encode("web:%zz")),
        format!("Basic {}", STANDARD.encode("web:%")),
        format!("Basic {}", STANDARD.encode("web:%c3%28")),
        format!("Basic {}", STANDARD.encode(b"web:\xff\xfe")),
        format!("Basic {} {}", STANDARD.encode(&pair), STANDARD.encode(&pair)),
        format!("Basic {}, Basic {}", STANDARD.encode(&pair), STANDARD.encode(&pair)),
        format!("Basic {}", "A".repeat(20_000)),
        format!("Bearer {}", STANDARD.encode(&pair)),
        format!("Basic{}", STANDARD.encode(&pair)),
        STANDARD.encode(&pair),
    ]
    .map(String::into_bytes)
    .into();
    values.push(b"Basic \xff\xfe".to_vec());
    for value in values {
        let request = Request::post("/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", value.as_slice())
            .body(Full::<bytes::Bytes>::from(FORM))
            .expect("a request");
        let reply = world.send(request).await;
        assert_json(&reply, 401, "invalid_client");
    }
}

#[tokio::test]
async fn ca_07_the_scheme_is_case_insensitive() {
    let world = World::new();
    for scheme in ["bAsIc", "BASIC", "basic"] {
        let value = right().replacen("Basic", scheme, 1);
        assert_eq!(world.post("/token", &[("authorization", &value)], FORM).await.status, 200, "{scheme}");
    }
}

#[tokio::test]
async fn ca_08_two_authorization_headers_are_refused_in_both_orders() {
    let world = World::new();
    let (right, wrong) = (right(), basic("m2m", "wrong-wrong-wrong"));
    for pair in [[&right, &wrong], [&wrong, &right], [&right, &right]] {
        let headers = pair.map(|value| ("authorization", value.as_str()));
        assert_json(&world.post("/token", &headers, FORM).await, 400, "invalid_request");
    }
}

#[tokio::test]
async fn ca_09_an_empty_secret_authenticates_nobody() {
    let world = World::new();
    let empty = format!("Basic {}", STANDARD.encode("m2m:"));
    assert_json(&world.post("/token", &[("authorization", &empty)], FORM).await, 401, "invalid_client");
    for form in
        ["client_id=m2m&client_secret=", "client_id=m2m&client_secret", "client_id=web&client_secret="]
    {
        assert_json(&world.post("/token", &[], &format!("{FORM}&{form}")).await, 401, "invalid_client");
    }
    for weak in ["", "short"] {
        assert!(Client::machine("weak", &ClientSecret::from_text(weak)).build().is_err());
    }
}

#[tokio::test]
async fn ca_10_a_public_client_has_no_secret_to_send() {
    let world = World::new();
    let code = world.code("spa").await;
    let form = World::redemption(&code);
    let posted = format!("{form}&client_id=spa&client_secret=x");
    assert_json(&world.post("/token", &[], &posted).await, 401, "invalid_client");
    let header = basic("spa", "x");
    assert_json(&world.post("/token", &[("authorization", &header)], &form).await, 401, "invalid_client");
    let header = format!("Basic {}", STANDARD.encode("spa:"));
    assert_json(&world.post("/token", &[("authorization", &header)], &form).await, 401, "invalid_client");
    assert_eq!(world.redeem("spa", &code).await.status, 200);
}

#[tokio::test]
async fn ca_11_a_confidential_client_cannot_pose_as_a_public_one() {
    let world = World::new();
    let code = world.code("web").await;
    let tokens = world.tokens("web").await;
    for (path, form) in [
        ("/token", World::redemption(&code)),
        ("/token", World::refreshment(&tokens.refresh)),
        ("/token", FORM.to_owned()),
        ("/revoke", format!("token={}", tokens.refresh)),
        ("/introspect", format!("token={}", tokens.access)),
    ] {
        let reply = world.post(path, &[], &format!("client_id=web&{form}")).await;
        assert_json(&reply, 401, "invalid_client");
    }
    world.assert_untouched("web", &tokens).await;
    assert_eq!(world.redeem("web", &code).await.status, 200);
}

#[tokio::test]
async fn ca_13_credentials_in_the_query_are_not_read() {
    let world = World::new();
    let query = format!("client_id=m2m&client_secret={}", secret("m2m"));
    let reply = world.post(&format!("/token?{query}"), &[], FORM).await;
    assert_json(&reply, 401, "invalid_client");
    assert!(!reply.body.contains("secret-that"));
    let reply = world.post(&format!("/token?{query}&{FORM}"), &[], "").await;
    assert_json(&reply, 401, "invalid_client");
}

#[tokio::test]
async fn ca_14_an_unknown_client_hears_what_a_wrong_secret_hears() {
    let off = Client::machine("off", &ClientSecret::from_text(secret("off"))).build().expect("a client");
    let world = World::with(|builder| builder.client(off.disabled(Timestamp::EPOCH)));
    let ask = async |id: &str, secret: &str| {
        let by_header = world.post("/token", &[("authorization", &basic(id, secret))], FORM).await;
        let by_body =
            world.post("/token", &[], &format!("{FORM}&client_id={id}&client_secret={secret}")).await;
        let without = world.post("/token", &[], &format!("{FORM}&client_id={id}")).await;
        [by_header, by_body, without].map(|reply| {
            assert_json(&reply, 401, "invalid_client");
            (reply.headers, reply.body)
        })
    };
    let known = ask("m2m", "wrong-wrong-wrong").await;
    for (id, secret) in [
        ("nobody", "wrong-wrong-wrong".to_owned()),
        ("nobody", secret("m2m")),
        ("off", secret("off")),
        ("web2", "x".repeat(600)),
    ] {
        assert_eq!(ask(id, &secret).await, known, "{id}");
    }
}

#[tokio::test]
async fn ca_19_ca_32_assertions_are_refused() {
    let world = World::new();
    let code = world.code("web").await;
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let claims = part(r#"{"iss":"web","sub":"web","aud":"https://as.example","exp":9999999999,"jti":"1"}"#);
    let jwt_bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"nOnE"}"#, r#"{"alg":"HS256"}"#, r#"{"alg":"ES256"}"#] {
        for signature in ["", "AAAA"] {
            let assertion = format!("{}.{claims}.{signature}", part(header));
            for kind in [jwt_bearer, "urn:ietf:params:oauth:client-assertion-type:saml2-bearer", ""] {
                for client in ["", "&client_id=web"] {
                    let form = format!(
                        "{}&client_assertion={assertion}&client_assertion_type={}{client}",
                        World::redemption(&code),
                        encode(kind)
                    );
                    assert_json(&world.post("/token", &[], &form).await, 401, "invalid_client");
                }
            }
        }
    }
    let alone =
        format!("{}&client_assertion_type={}&client_id=web", World::redemption(&code), encode(jwt_bearer));
    assert_json(&world.post("/token", &[], &alone).await, 401, "invalid_client");
    let public = format!("{FORM}&client_id=spa&client_assertion=x");
    assert_json(&world.post("/token", &[], &public).await, 401, "invalid_client");
    assert_eq!(world.redeem("web", &code).await.status, 200);
}

#[tokio::test]
async fn ca_43_certificate_headers_are_not_heard() {
    let world = World::new();
    for name in [
        "x-ssl-client-cert",
        "client-cert",
        "client-cert-chain",
        "x-forwarded-client-cert",
        "x-client-verify",
        "ssl-client-verify",
        "x-remote-user",
    ] {
        let headers = [(name, "CN=m2m;SUCCESS")];
        let reply = world.post("/token", &headers, &format!("{FORM}&client_id=m2m")).await;
        assert_json(&reply, 401, "invalid_client");
    }
}

#[tokio::test]
async fn the_registered_method_is_the_only_one() {
    let in_body = |builder: ServerBuilder| {
        builder.client(Client::machine("post", &ClientSecret::from_text(secret("post"))).secret_in_body())
    };
    let world = World::with(in_body);
    let posted = |id: &str| format!("{FORM}&client_id={id}&client_secret={}", secret(id));
    assert_eq!(world.post("/token", &[], &posted("post")).await.status, 200);
    assert_json(&world.post("/token", &[], &posted("m2m")).await, 401, "invalid_client");
    let header = basic("post", &secret("post"));
    assert_json(&world.post("/token", &[("authorization", &header)], FORM).await, 401, "invalid_client");
    for path in ["/revoke", "/introspect"] {
        let form = format!("token=x&{}", posted("m2m"));
        assert_json(&world.post(path, &[], &form).await, 401, "invalid_client");
        assert_eq!(world.post(path, &[], &format!("token=x&{}", posted("post"))).await.status, 200);
    }
}

#[tokio::test]
async fn an_expired_secret_is_refused_while_its_successor_works() {
    let rotated = |builder: ServerBuilder| {
        let (old, new) =
            (ClientSecret::from_text("old-old-old-old-old"), ClientSecret::from_text("new-new-new-new-new"));
        let until = Timestamp::from_secs(attack_tests::START + 10);
        builder.client(Client::machine("turn", &new).secret_until(&old, until))
    };
    let world = World::with(rotated);
    let ask =
        async |secret: &str| world.post("/token", &[("authorization", &basic("turn", secret))], FORM).await;
    assert_eq!(ask("old-old-old-old-old").await.status, 200);
    world.clock.advance(std::time::Duration::from_secs(10));
    assert_json(&ask("old-old-old-old-old").await, 401, "invalid_client");
    assert_eq!(ask("new-new-new-new-new").await.status, 200);
}

#[tokio::test]
async fn a_smuggled_colon_or_nul_does_not_reach_another_client() {
    let world = World::new();
    for pair in [
        format!("m2m%00:{}", secret("m2m")),
        format!("m2m%0d%0a:{}", secret("m2m")),
        format!("%6D2m%20:{}", secret("m2m")),
        format!("m2m:{}%00", secret("m2m")),
        format!("m2m:{}%0a", secret("m2m")),
        format!(":{}", secret("m2m")),
    ] {
        let value = format!("Basic {}", STANDARD.encode(pair));
        let reply = world.post("/token", &[("authorization", &value)], FORM).await;
        assert_json(&reply, 401, "invalid_client");
    }
    // Percent-encoded letters are the same id, as form encoding has it.
    let value = format!("Basic {}", STANDARD.encode(format!("%6D2m:{}", secret("m2m"))));
    assert_eq!(world.post("/token", &[("authorization", &value)], FORM).await.status, 200);
}

#[tokio::test]
async fn a_resource_server_cannot_get_tokens() {
    let world = World::new();
    let code = world.code("web").await;
    assert_json(&world.token("rs1", FORM).await, 400, "unauthorized_client");
    assert_json(&world.redeem("rs1", &code).await, 400, "unauthorized_client");
    let form = format!("grant_type=password&username=alice&password=secret&code_verifier={VERIFIER}");
    for client in ["web", "m2m", "rs1"] {
        assert_json(&world.token(client, &form).await, 400, "unsupported_grant_type");
    }
    assert_eq!(world.redeem("web", &code).await.status, 200);
}

#[tokio::test]
async fn a_client_may_use_only_its_own_grant_types() {
    let world = World::new();
    for client in ["web", "web2"] {
        assert_json(&world.token(client, FORM).await, 400, "unauthorized_client");
    }
    assert_json(&world.token("spa", FORM).await, 400, "unauthorized_client");
    let act = Client::public("spa2").redirect_uri(APP).resource(API1).grant_types(["client_credentials"]);
    assert!(act.build().is_err(), "a public client cannot act for itself");
}
