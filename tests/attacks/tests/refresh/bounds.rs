//! Scope, resource, lifetime, subject: what a refresh cannot exceed.

use super::*;

#[tokio::test]
async fn rt_11_a_public_client_must_name_itself() {
    let world = World::new();
    let tokens = world.tokens("spa").await;
    let reply = world.post("/token", &[], &World::refreshment(&tokens.refresh)).await;
    assert_json(&reply, 401, "invalid_client");
    world.assert_untouched("spa", &tokens).await;
}

#[tokio::test]
async fn rt_12_scope_cannot_grow() {
    let world = World::new();
    let code = world.code_for(Query::of("web").set("scope", "read")).await;
    let tokens = Tokens::of(&world.redeem("web", &code).await);
    for scope in ["read write", "write", "admin", "READ", "read\tread"] {
        let form = format!("{}&scope={}", World::refreshment(&tokens.refresh), encode(scope));
        let error = if scope.contains('\t') { "invalid_request" } else { "invalid_scope" };
        assert_json(&world.token("web", &form).await, 400, error);
    }
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn rt_13_narrowing_does_not_last() {
    let world = World::new();
    let tokens = world.tokens("web").await;
    let form = format!("{}&scope=read", World::refreshment(&tokens.refresh));
    let narrow = world.token("web", &form).await;
    assert_eq!(narrow.text("scope"), "read");
    let narrow = Tokens::of(&narrow);
    assert_eq!(world.introspect("web", &narrow.access).await.text("scope"), "read");
    let full = world.refresh("web", &narrow.refresh).await;
    assert_eq!(full.text("scope"), "read write");
    assert_eq!(world.introspect("web", &narrow.access).await.text("scope"), "read");
}

#[tokio::test]
async fn rt_14_scope_that_the_client_has_lost_is_gone() {
    let world = World::new();
    let put = async |scope: &str| {
        let client = Client::confidential("late", &ClientSecret::from_text(secret("late")));
        let client = client.redirect_uri(APP).scope(scope).resource(API1).build().expect("a client");
        world.server.clients().put(client).await.expect("stores");
    };
    put("read write").await;
    let tokens = world.tokens("late").await;
    put("write").await;
    let form = format!("{}&scope=read", World::refreshment(&tokens.refresh));
    assert_json(&world.token("late", &form).await, 400, "invalid_scope");
    let reply = world.refresh("late", &tokens.refresh).await;
    assert_eq!(reply.text("scope"), "write");
    put("other").await;
    assert_json(&world.refresh("late", &reply.text("refresh_token")).await, 400, "invalid_scope");
}

#[tokio::test]
async fn rt_15_a_wrong_resource_does_not_rotate() {
    let world = World::new();
    let code = world.code_for(Query::of("web").set("resource", API1)).await;
    let tokens = Tokens::of(&world.redeem("web", &code).await);
    for resource in ["https://api2.example", "https://unknown.example", "https://api1.example/x"] {
        let form = format!("{}&resource={}", World::refreshment(&tokens.refresh), encode(resource));
        assert_json(&world.token("web", &form).await, 400, "invalid_target");
    }
    let both = format!(
        "{}&resource={}&resource=https%3A%2F%2Fapi2.example",
        World::refreshment(&tokens.refresh),
        encode(API1)
    );
    assert_json(&world.token("web", &both).await, 400, "invalid_target");
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn rt_20_idle_and_absolute_expiry() {
    let world = World::new();
    let tokens = world.tokens("spa").await;
    world.clock.advance(30 * DAY - Duration::from_millis(1));
    let tokens = Tokens::of(&world.refresh("spa", &tokens.refresh).await);
    world.clock.advance(30 * DAY);
    assert_json(&world.refresh("spa", &tokens.refresh).await, 400, "invalid_grant");

    let world = World::new();
    let mut tokens = world.tokens("spa").await;
    for _ in 0..8 {
        world.clock.advance(10 * DAY);
        tokens = Tokens::of(&world.refresh("spa", &tokens.refresh).await);
    }
    world.clock.advance(10 * DAY - Duration::from_millis(1));
    let last = world.refresh("spa", &tokens.refresh).await;
    tokens = Tokens::of(&last);
    world.clock.advance(Duration::from_millis(1));
    assert_json(&world.refresh("spa", &tokens.refresh).await, 400, "invalid_grant");
    assert!(!world.is_active(&tokens.access).await, "no access token outlives its grant");
}

#[tokio::test]
async fn rt_20_lifetimes_of_one_client() {
    let short = |builder: ServerBuilder| {
        let lifetimes = Lifetimes {
            refresh_token_idle: Some(Duration::from_secs(10)),
            grant: Some(Duration::from_secs(25)),
            access_token: Some(Duration::from_secs(3600)),
            ..Lifetimes::default()
        };
        let client = Client::confidential("short", &ClientSecret::from_text(secret("short")));
        builder.client(client.redirect_uri(APP).scope("read").resource(API1).lifetimes(lifetimes))
    };
    let world = World::with(short);
    let mut reply = world.redeem("short", &world.code("short").await).await;
    assert_eq!(reply.json()["expires_in"], 25, "an access token does not outlive its grant");
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(9));
        reply = world.refresh("short", &reply.text("refresh_token")).await;
    }
    assert_eq!(reply.json()["expires_in"], 7);
    world.clock.advance(Duration::from_secs(7));
    assert_json(&world.refresh("short", &reply.text("refresh_token")).await, 400, "invalid_grant");
}

#[derive(Debug)]
struct Locked(Arc<AtomicBool>);

#[async_trait]
impl SubjectStatus for Locked {
    async fn is_active(&self, subject: &str) -> StoreResult<bool> {
        Ok(subject != "alice" || !self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn rt_21_a_locked_subject_gets_nothing() {
    let locked = Arc::new(AtomicBool::new(false));
    let world = World::with(|builder| builder.subject_status(Locked(locked.clone())));
    let tokens = world.tokens("spa").await;
    let code = world.code("spa").await;
    locked.store(true, Ordering::SeqCst);
    assert_json(&world.refresh("spa", &tokens.refresh).await, 400, "invalid_grant");
    assert_json(&world.redeem("spa", &code).await, 400, "invalid_grant");
    assert!(!world.is_active(&tokens.access).await);
    locked.store(false, Ordering::SeqCst);
    world.assert_untouched("spa", &tokens).await;
}

#[tokio::test]
async fn rt_21_logging_out_ends_the_sessions_grants_alone() {
    let world = World::new();
    let mut browser = Browser { session: Some("s-1".into()), ..Browser::signed_in("alice") };
    let code = browser.approve(&world, Query::of("spa")).await.code();
    let tokens = Tokens::of(&world.redeem("spa", &code).await);
    let elsewhere = world.tokens("spa").await;
    let unspent = browser.approve(&world, Query::of("spa")).await.code();
    assert_eq!(world.server.grants().revoke_all(Index::Session("s-1")).await.expect("revokes"), 2);
    world.assert_ended("spa", &tokens).await;
    assert_json(&world.redeem("spa", &unspent).await, 400, "invalid_grant");
    world.assert_untouched("spa", &elsewhere).await;
}

#[tokio::test]
async fn rt_22_a_withdrawn_grant_is_over() {
    let world = World::new();
    let tokens = world.tokens("spa").await;
    let grants = world.server.grants().list(Index::Subject("alice")).await.expect("lists");
    world.server.consents().forget("spa", "alice").await.expect("forgets");
    assert!(world.server.grants().revoke(grants[0].id).await.expect("revokes"));
    world.assert_ended("spa", &tokens).await;
    let page = Browser::signed_in("alice").authorize(&world, Query::of("spa")).await;
    assert_eq!(page.status, 200, "consent is asked for again: {page:?}");
}

#[tokio::test]
async fn rt_23_of_several_bounds_the_latest_counts() {
    let world = World::new();
    let early = world.tokens("spa").await;
    world.server.grants().revoke_all(Index::Client("spa")).await.expect("revokes");
    world.clock.advance(Duration::from_secs(1));
    let middle = world.tokens("spa").await;
    world.assert_untouched("spa", &middle).await;
    world.server.grants().revoke_all(Index::Subject("alice")).await.expect("revokes");
    world.clock.advance(Duration::from_secs(1));
    let late = world.tokens("spa").await;
    world.server.grants().revoke_all(Index::Subject("bob")).await.expect("revokes");
    world.assert_ended("spa", &early).await;
    world.assert_ended("spa", &middle).await;
    world.assert_untouched("spa", &late).await;
}

#[tokio::test]
async fn rt_25_a_refresh_token_is_no_access_token() {
    let world = World::new();
    let tokens = world.tokens("web").await;
    assert!(world.server.verify(&tokens.refresh).await.is_err());
    assert_json(&world.refresh("web", &tokens.access).await, 400, "invalid_grant");
    let dressed = |token: &str, like: &str| {
        let (_, body) = token.split_once('_').expect("a prefix");
        format!("{}_{body}", like.split('_').next().expect("a prefix"))
    };
    assert!(world.server.verify(&dressed(&tokens.refresh, &tokens.access)).await.is_err());
    let access = dressed(&tokens.access, &tokens.refresh);
    assert_json(&world.refresh("web", &access).await, 400, "invalid_grant");
    world.assert_untouched("web", &tokens).await;
}

#[tokio::test]
async fn rt_26_an_altered_refresh_token_ends_nothing() {
    let world = World::new();
    let first = world.tokens("spa").await;
    let second = Tokens::of(&world.refresh("spa", &first.refresh).await);
    for token in [&first.refresh, &second.refresh] {
        for at in 4..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(bytes).expect("text");
            if altered != *token {
                assert_json(&world.refresh("spa", &altered).await, 400, "invalid_grant");
            }
        }
        assert_json(&world.refresh("spa", &token[..token.len() - 1]).await, 400, "invalid_grant");
    }
    world.assert_untouched("spa", &second).await;
}

#[tokio::test]
async fn rt_27_no_refresh_token_where_none_belongs() {
    let code_only = |builder: ServerBuilder| {
        let client = Client::confidential("short", &ClientSecret::from_text(secret("short")));
        builder.client(client.redirect_uri(APP).scope("read").grant_types(["authorization_code"]))
    };
    let world = World::with(code_only);
    let reply = world.redeem("short", &world.code("short").await).await;
    assert_eq!(reply.status, 200);
    assert!(reply.json().get("refresh_token").is_none(), "{reply:?}");
    let reply = world.token("m2m", "grant_type=client_credentials").await;
    assert_eq!(reply.status, 200);
    assert!(reply.json().get("refresh_token").is_none(), "{reply:?}");
    let theirs = world.tokens("web").await;
    assert_json(&world.refresh("short", &theirs.refresh).await, 400, "unauthorized_client");
}
