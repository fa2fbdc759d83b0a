//! What clients say about themselves.

use attack_tests::{assert_json, assert_redirect};

use super::*;

#[tokio::test]
async fn dc_01_what_is_not_metadata_is_refused_as_json() {
    let world = world();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let nested = format!("{{\"x\":{deep}}}");
    let twice = r#"{"redirect_uris":["https://a.example/cb"],"redirect_uris":["https://b.example/cb"]}"#;
    for body in ["null", "[]", "{}", "", "\u{1}", "redirect_uris=x", "1", "\"x\"", "{", &deep, &nested, twice]
    {
        assert_json(&register(&world, body).await, 400, "invalid_client_metadata");
    }
    let invalid_utf8 = Request::post("/register").header("content-type", "application/json");
    let invalid_utf8 =
        invalid_utf8.body(Full::<bytes::Bytes>::from(&b"{\"client_name\":\"\xff\"}"[..])).unwrap();
    assert_json(&world.send(invalid_utf8).await, 400, "invalid_client_metadata");
    let long = metadata(json!({"software_version": "x".repeat(20_000)}));
    assert_json(&register(&world, long).await, 400, "invalid_client_metadata");
    let longer = metadata(json!({"software_version": "x".repeat(1_000_000)}));
    assert_json(&register(&world, longer).await, 413, "invalid_request");
    let form = world.post("/register", &[], "redirect_uris=https%3A%2F%2Fa.example%2Fcb").await;
    assert_json(&form, 415, "invalid_request");
    assert_eq!(records(&world).await, 0);
}

#[tokio::test]
async fn dc_02_redirect_uris_that_lead_nowhere_good_are_refused_by_name() {
    let world = world();
    for uri in [
        "https://app.example/cb#x",
        "https://app.example/cb#",
        "http://app.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "https://*.app.example/cb",
        "https://user:pw@app.example/cb",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "blob:https://app.example/x",
        "vbscript:x",
        "about:blank",
        "https://app.example/../cb",
        "https://app.example/cb?code=1",
        "//app.example/cb",
        "/cb",
        "app.example/cb",
        "https://",
        "https://app.example/c b",
        "https://app.example/cb\r\nx: y",
        "",
    ] {
        // One that is good beside it changes nothing: all or none.
        let reply = register(&world, metadata(json!({"redirect_uris": [CALLBACK, uri]}))).await;
        assert_json(&reply, 400, "invalid_redirect_uri");
        let description = reply.text("error_description");
        let plain = !uri.is_empty() && uri.bytes().all(|byte| byte.is_ascii_graphic());
        assert!(!plain || description.contains(uri), "{description}");
        assert!(description.starts_with("redirect_uris: "), "{description}");
        assert!(!description.contains(CALLBACK), "only what is wrong is named: {description}");
    }
    for uris in
        [json!([]), json!([null]), json!([""]), json!("https://app.example/cb"), json!({}), json!([[]])]
    {
        let reply = register(&world, metadata(json!({"redirect_uris": uris}))).await;
        assert_json(&reply, 400, "invalid_redirect_uri");
    }
    let many: Vec<_> = (0..51).map(|at| format!("https://app.example/{at}")).collect();
    assert_json(
        &register(&world, metadata(json!({"redirect_uris": many}))).await,
        400,
        "invalid_redirect_uri",
    );
    assert_eq!(records(&world).await, 0);
}

#[tokio::test]
async fn dc_03_urls_of_private_places_are_refused_and_nothing_is_fetched() {
    let documents = attack_tests::Documents::default();
    let (clock, fetcher) = (clock(), documents.clone());
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let world = over(store, clock, |builder| {
        builder.document_fetcher(fetcher).dynamic_registration(DynamicRegistration::open())
    });
    for member in [
        "jwks_uri",
        "sector_identifier_uri",
        "logo_uri",
        "initiate_login_uri",
        "backchannel_logout_uri",
        "backchannel_client_notification_endpoint",
    ] {
        for uri in [
            "http://169.254.169.254/",
            "https://169.254.169.254/",
            "http://localhost:9200",
            "https://localhost:9200",
            "https://10.0.0.1",
            "https://[::1]/",
            "https://0x7f000001/",
            "data:application/json,{}",
            "file:///etc/passwd",
        ] {
            let reply = register(&world, metadata(json!({ member: uri }))).await;
            assert_json(&reply, 400, "invalid_client_metadata");
            assert!(reply.text("error_description").contains(member), "{reply:?}");
        }
    }
    let several = metadata(json!({"request_uris": ["https://ok.example/r", "http://169.254.169.254/"]}));
    assert_json(&register(&world, several).await, 400, "invalid_client_metadata");
    let fine = metadata(json!({
        "jwks_uri": "https://c.example/jwks",
        "logo_uri": "https://c.example/logo.png",
        "token_endpoint_auth_method": "private_key_jwt",
    }));
    Registered::of(&register(&world, fine).await);
    assert_eq!(documents.fetches(), 0, "registration fetches nothing");
}

#[tokio::test]
async fn dc_04_urls_that_run_something_are_refused_in_every_language() {
    let world = world();
    for member in ["client_uri", "tos_uri", "policy_uri", "logo_uri", "client_uri#fr", "logo_uri#de-CH"] {
        for uri in ["javascript:alert(1)", "data:text/html,<script>", "JAVASCRIPT:x", "https:javascript:x"] {
            let reply = register(&world, metadata(json!({ member: uri }))).await;
            assert_json(&reply, 400, "invalid_client_metadata");
        }
        assert_json(&register(&world, metadata(json!({ member: 1 }))).await, 400, "invalid_client_metadata");
    }
}

#[tokio::test]
async fn dc_05_keys_that_are_not_public_or_doubled_are_refused() {
    let world = world();
    let public = json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y});
    let with = |member: &str, value: &str| {
        let mut key = public.clone();
        key[member] = value.into();
        json!({"keys": [key]})
    };
    let good = json!({"keys": [public]});
    for changes in [
        json!({"jwks": good, "jwks_uri": "https://c.example/jwks"}),
        json!({"jwks": with("d", "AAAA")}),
        json!({"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}),
        json!({"jwks": {"keys": [public, {"kty": "oct", "k": "c2VjcmV0"}]}}),
        json!({"jwks": {"keys": []}}),
        json!({"jwks": []}),
        json!({"jwks": "x"}),
        json!({"token_endpoint_auth_method": "private_key_jwt"}),
        json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": good, "token_endpoint_auth_signing_alg": "none"}),
        json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": good, "token_endpoint_auth_signing_alg": "HS256"}),
        // Nothing here could ever fetch it.
        json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://c.example/jwks"}),
    ] {
        let reply = register(&world, metadata(changes.clone())).await;
        assert_json(&reply, 400, "invalid_client_metadata");
    }
    let fine = json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": good});
    let reply = register(&world, metadata(fine)).await;
    assert_eq!((reply.status, &reply.json()["jwks"]), (201, &good), "{reply:?}");
    assert_eq!(reply.json().get("client_secret"), None);
}

const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

#[tokio::test]
async fn dc_06_a_client_gives_itself_nothing_that_is_the_servers_to_give() {
    let world = world();
    let greedy = json!({
        "client_id": "web",
        "client_secret": "chosen-by-the-client-itself",
        "client_secret_expires_at": 0,
        "client_id_issued_at": 1,
        "registration_access_token": "mine",
        "registration_client_uri": "https://evil.example/x",
        "token_endpoint_auth_method": "client_secret_basic",
        "trusted": true, "skip_consent": true, "first_party": true, "require_pkce": false, "pkce_required": false,
        "flags": {"first_party": true, "pkce_required": false},
        "tenant": "other", "ssf.enabled": true, "serviceAccountsEnabled": true,
        "lifetimes": {"access_token": 1_000_000_000}, "serves": [API1], "resources": ["https://other.example"],
        "origin": "host", "disabled_at": null, "subject": "alice",
    });
    let reply = register(&world, metadata(greedy.clone())).await;
    let client = Registered::of(&reply);
    let secret = client.secret.clone().expect("a secret");
    assert!(client.id != "web" && secret != "chosen-by-the-client-itself" && client.token != "mine");
    assert_eq!(client.uri, format!("/register/{}", client.id));
    let answer = reply.json();
    assert_eq!(answer["client_id_issued_at"], START);
    for never in
        ["trusted", "skip_consent", "first_party", "flags", "tenant", "lifetimes", "serves", "resources"]
    {
        assert_eq!(answer.get(never), None, "{answer}");
    }
    // An update neither.
    let mut again = client.with(greedy);
    again["client_id"] = client.id.as_str().into();
    assert_json(&client.update(&world, &again).await, 400, "invalid_client_metadata");
    again["client_secret"] = secret.as_str().into();
    let updated = client.update(&world, &again).await;
    assert_eq!((updated.status, updated.json().get("client_secret")), (200, None), "{updated:?}");
    // Consent is asked for, PKCE is needed, and nothing is introspected.
    let page = Browser::signed_in("alice").authorize(&world, client.query()).await;
    assert_eq!(page.status, 200, "{page:?}");
    let bare = client.query().without("code_challenge").without("code_challenge_method");
    let refused = Browser::signed_in("alice").authorize(&world, bare).await;
    assert_redirect(&refused, CALLBACK, "invalid_request", Some("s-1"));
    let tokens = client.tokens(&world).await;
    let headers = [("authorization", &*basic(&client.id, &secret))];
    let other = world.tokens("web").await;
    let said = world.post("/introspect", &headers, &format!("token={}", encode(&other.access))).await;
    attack_tests::assert_inactive(&said);
    assert!(world.is_active(&tokens.access).await);
}

#[tokio::test]
async fn dc_07_privileged_grant_types_and_scopes_are_not_to_be_had() {
    let world = with(|registration| registration.scope("read"));
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    for only in [json!(["client_credentials"]), json!(["password", exchange]), json!(["refresh_token"])] {
        let reply = register(&world, metadata(json!({"grant_types": only}))).await;
        assert_json(&reply, 400, "invalid_client_metadata");
    }
    let greedy = json!({
        "grant_types": ["authorization_code", "client_credentials", exchange, "password"],
        "token_endpoint_auth_method": "client_secret_post",
        "scope": "read write admin",
    });
    let reply = register(&world, metadata(greedy)).await;
    let client = Registered::of(&reply);
    assert_eq!(reply.json()["grant_types"], json!(["authorization_code"]));
    assert_eq!(reply.json()["scope"], "read");
    let secret = client.secret.clone().expect("a secret");
    for grant_type in ["client_credentials", "password", exchange, "refresh_token"] {
        let form = format!(
            "client_id={}&client_secret={}&grant_type={}&refresh_token=x",
            client.id,
            encode(&secret),
            encode(grant_type)
        );
        let reply = world.post("/token", &[], &form).await;
        assert_eq!(reply.status, 400, "{reply:?}");
        assert!(
            ["unauthorized_client", "unsupported_grant_type"].contains(&&*reply.text("error")),
            "{reply:?}"
        );
    }
    // The scope of the host's own clients is out of reach at the authorization endpoint, too.
    let page = Browser::signed_in("alice").authorize(&world, client.query().set("scope", "read write")).await;
    let narrowed = page.status == 200 && !page.body.contains("change your notes");
    assert!(narrowed || page.param("error").as_deref() == Some("invalid_scope"), "{page:?}");
}

#[tokio::test]
async fn dc_09_software_statements_are_refused_whatever_is_in_them() {
    let world = world();
    let none = "eyJhbGciOiJub25lIn0.eyJjbGllbnRfbmFtZSI6IkJhbmsifQ.";
    let hs256 = "eyJhbGciOiJIUzI1NiJ9.eyJjbGllbnRfbmFtZSI6IkJhbmsifQ.c2ln";
    for statement in [json!(none), json!(hs256), json!("x"), json!(""), json!(1), json!({})] {
        let reply = register(&world, metadata(json!({"software_statement": statement}))).await;
        assert_json(&reply, 400, "unapproved_software_statement");
    }
    let client = registered(&world).await;
    let reply = client.update(&world, client.with(json!({"software_statement": none}))).await;
    assert_json(&reply, 400, "unapproved_software_statement");
}

#[tokio::test]
async fn dc_15_a_name_impersonates_nobody_unnoticed() {
    let world = world();
    let name = format!("Goo\u{202e}gle\u{200b}\u{0} <script>alert(1)</script>{}", "x".repeat(10_000));
    let reply = register(&world, metadata(json!({ "client_name": name }))).await;
    let client = Registered::of(&reply);
    let kept = reply.text("client_name");
    assert!(kept.starts_with("Google <script>") && kept.chars().count() <= 100, "{kept}");
    let pages = oauth_tower::pages::Pages::new(world.server.clone(), attack_tests::Users);
    let layer = oauth_tower::server::AuthorizationServerLayer::new(world.server.clone()).pages(pages);
    let world = World::mounted(world.server.clone(), world.clock.clone(), layer);
    let mut browser = Browser::new();
    let start = browser.authorize(&world, client.query()).await;
    let sign_in = browser.get(&world, start.location()).await;
    let form = format!("form={}&username=alice&password=secret", encode(&sign_in.field("form")));
    let back = browser.post(&world, start.location(), &form).await;
    let page = browser.get(&world, back.location()).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("mcp.example") && page.body.contains("unverified"), "{}", page.body);
    assert!(!page.body.contains("<script") && !page.body.contains('\u{202e}'), "{}", page.body);
}

#[tokio::test]
async fn dc_18_registered_clients_need_pkce() {
    let world = world();
    for method in ["none", "client_secret_basic", "client_secret_post"] {
        let changes = json!({"token_endpoint_auth_method": method, "require_pkce": false});
        let client = Registered::of(&register(&world, metadata(changes)).await);
        let bare = client.query().without("code_challenge").without("code_challenge_method");
        for query in [bare, client.query().set("code_challenge_method", "plain")] {
            let reply = Browser::signed_in("alice").authorize(&world, query).await;
            assert_redirect(&reply, CALLBACK, "invalid_request", Some("s-1"));
        }
    }
}

#[tokio::test]
async fn dc_19_an_id_is_never_chosen_by_the_client() {
    let world = world();
    let mut seen = std::collections::HashSet::new();
    for wish in ["https://victim.example/c", "http://127.0.0.1/c", "web", "dcr_AAAAAAAAAAAAAAAAAAAAAA", ""] {
        let client = Registered::of(&register(&world, metadata(json!({ "client_id": wish }))).await);
        assert!(
            client.id != wish && !client.id.contains("://") && seen.insert(client.id.clone()),
            "{client:?}"
        );
        let moved = client.with(json!({}));
        let reply = client
            .update(&world, {
                let mut moved = moved;
                moved["client_id"] = wish.into();
                moved
            })
            .await;
        assert_json(&reply, 400, "invalid_client_metadata");
    }
}
