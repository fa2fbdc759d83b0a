//! Who may register.

use std::net::IpAddr;

use async_trait::async_trait;
use attack_tests::assert_json;
use oauth_core::client::{ClientSecret, Lifetimes, SecretHash};
use oauth_core::error::{Error, ErrorCode};
use oauth_core::scope::Scope;
use oauth_core::server::{Admission, RegistrationPolicy, RegistrationRequest};

use super::*;

#[tokio::test]
async fn an_initial_access_token_is_needed_where_there_is_one() {
    let (one, two) = (ClientSecret::generate(), ClientSecret::generate());
    let ends = Timestamp::from_secs(START) + DAY;
    let (first, second) = (SecretHash::of(&one), SecretHash::of(&two).until(ends));
    let clock = clock();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let registration = DynamicRegistration::with_initial_access_token(first).initial_access_token(second);
    let world = over(store, clock, |builder| builder.dynamic_registration(registration));
    let register =
        async |token: Option<&str>| call(&world, "POST", "/register", token, metadata(json!({}))).await;
    let missing = register(None).await;
    assert_json(&missing, 401, "invalid_token");
    assert_eq!(missing.header("www-authenticate"), Some("Bearer"));
    let client = Registered::of(&register(Some(one.expose())).await);
    let tokens = client.tokens(&world).await;
    for wrong in ["x", &client.token, &tokens.access, &one.expose().to_uppercase(), &one.expose()[..40]] {
        assert_no_such(&register(Some(wrong)).await);
    }
    Registered::of(&register(Some(two.expose())).await);
    // A registration is managed by its own token, and the initial one is not it.
    assert_eq!(client.read(&world).await.status, 200);
    assert_no_such(&call(&world, "GET", &client.uri, Some(one.expose()), "").await);
    world.clock.advance(DAY);
    assert_no_such(&register(Some(two.expose())).await);
    Registered::of(&register(Some(one.expose())).await);
}

/// Admits one host's clients, from one network, and gives them less.
#[derive(Debug)]
struct House;

#[async_trait]
impl RegistrationPolicy for House {
    async fn admit(&self, request: &RegistrationRequest<'_>) -> Result<Admission, Error> {
        if request.headers.get("x-down").is_some() {
            return Err(Error::unavailable("the inventory is down"));
        }
        if request.address.is_some_and(|address| address != IpAddr::from([192, 0, 2, 1])) {
            return Err(Error::new(ErrorCode::AccessDenied, "not from there"));
        }
        if !request.metadata.redirect_uris().iter().all(|uri| uri.starts_with("https://mcp.example/")) {
            return Err(Error::new(
                ErrorCode::InvalidRedirectUri,
                "redirect_uris: only those of mcp.example",
            ));
        }
        let lifetimes = Lifetimes { access_token: Some(Duration::from_secs(60)), ..Lifetimes::default() };
        Ok(Admission::new().scope(Scope::parse("read").expect("a scope")).lifetimes(lifetimes))
    }
}

#[tokio::test]
async fn a_policy_refuses_and_narrows() {
    let clock = clock();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let world =
        over(store, clock, |builder| builder.dynamic_registration(DynamicRegistration::with_policy(House)));
    let elsewhere = metadata(json!({"redirect_uris": ["https://evil.example/cb"]}));
    let refused = register(&world, &elsewhere).await;
    assert_json(&refused, 400, "invalid_redirect_uri");
    assert_eq!(refused.text("error_description"), "redirect_uris: only those of mcp.example");
    let headers = [("content-type", "application/json"), ("x-down", "1")];
    let down = world.post("/register", &headers, &metadata(json!({})).to_string()).await;
    attack_tests::assert_unavailable(&down);
    let request = Request::post("/register").header("content-type", "application/json");
    let mut request = request.body(Full::<bytes::Bytes>::from(metadata(json!({})).to_string())).unwrap();
    request.extensions_mut().insert("198.51.100.1:7".parse::<std::net::SocketAddr>().unwrap());
    assert_json(&world.send(request).await, 400, "access_denied");

    let reply = register(&world, metadata(json!({"scope": "read write"}))).await;
    let client = Registered::of(&reply);
    assert_eq!(reply.text("scope"), "read");
    let wide = client.query().set("scope", "read write");
    let page = Browser::signed_in("alice").authorize(&world, wide).await;
    assert!(page.status != 200 || !page.body.contains("change your notes"), "{page:?}");
    let tokens = client.redeem(&world, &client.code(&world).await).await;
    assert_eq!((tokens.json()["expires_in"].as_i64(), &*tokens.text("scope")), (Some(60), "read"));
    // An update is asked about as well.
    let moved =
        client.update(&world, client.with(json!({"redirect_uris": ["https://evil.example/cb"]}))).await;
    assert_json(&moved, 400, "invalid_redirect_uri");
}
