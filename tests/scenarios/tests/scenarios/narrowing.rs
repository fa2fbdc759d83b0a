//! Tokens with less than was allowed (RFC 6749 §6, RFC 8707 §2.2), and several of them side by side.

use scenario_tests::{API, FILES, Setup, Tokens, World};

const BOTH: [(&str, &str); 2] = [("resource", API), ("resource", FILES)];

#[tokio::test]
async fn a_code_buys_less_and_the_refresh_token_keeps_the_rest() {
    let world = World::start().await;
    let (app, browser) = (world.app("web").await, world.browser());
    let (url, waiting) = app.begin("notes:read notes:write", &BOTH);
    let back = browser.go_through(url.as_str(), "alice").await;
    let (code, verifier) = (app.code(&back, &waiting), waiting.verifier.secret());
    let form = format!(
        "grant_type=authorization_code&code={code}&code_verifier={verifier}&scope=notes:read&resource={API}"
    );
    // More than was allowed is refused, and the code is still good.
    for (more, error) in [
        (form.replace("scope=notes:read", "scope=profile"), "invalid_scope"),
        (form.replace(API, "https://other.example"), "invalid_target"),
    ] {
        assert_eq!(world.post_as("web", "/token", &more).await.refusal(), (400, error.to_owned()));
    }
    let reply = world.post_as("web", "/token", &form).await;
    assert_eq!((reply.status.as_u16(), reply.member("scope").as_str()), (200, "notes:read"));
    let access = reply.member("access_token");
    assert_eq!(world.call("GET", "/api/notes", &access).await.status, 200);
    assert_eq!(world.call("POST", "/api/notes", &access).await.status, 403);
    assert_eq!(world.call("GET", "/api/files", &access).await.status, 401);
    let all = app.refresh(&reply.member("refresh_token"), "", &[]).await.unwrap();
    assert_eq!(all.scope, "notes:read notes:write");
    assert_eq!(world.call("POST", "/api/notes", &all.access).await.status, 200);
    assert_eq!(world.call("GET", "/api/files", &all.access).await.status, 200);
}

#[tokio::test]
async fn a_refresh_never_widens() {
    let world = World::start().await;
    let app = world.app("web").await;
    let tokens = app.obtain(&world.browser(), "alice", "notes:read", &[("resource", API)]).await;
    assert_eq!(app.refresh(&tokens.refresh, "notes:read profile", &[]).await.unwrap_err(), "invalid_scope");
    let other = app.refresh(&tokens.refresh, "", &[("resource", FILES)]).await;
    assert_eq!(other.unwrap_err(), "invalid_target");
    // The refused requests have spent nothing.
    assert_eq!(app.refresh(&tokens.refresh, "", &[]).await.unwrap().scope, "notes:read");
}

/// Refreshes once for each of these wishes; each answer continues from the one before.
async fn side_by_side(world: &World) -> Vec<(Tokens, String, Option<&'static str>)> {
    let app = world.app("web").await;
    let first = app.obtain(&world.browser(), "alice", "notes:read notes:write profile", &BOTH).await;
    let wishes = [
        ("notes:read", Some(API)),
        ("notes:write", Some(FILES)),
        ("profile", Some(API)),
        ("notes:read notes:write", Some(FILES)),
        ("notes:read profile", Some(API)),
        ("notes:write profile", Some(FILES)),
        ("notes:read notes:write profile", None),
    ];
    let mut all = vec![(first.clone(), first.scope, None)];
    for (scope, resource) in wishes {
        let refresh = all.last().unwrap().0.refresh.clone();
        let extra: Vec<_> = resource.into_iter().map(|resource| ("resource", resource)).collect();
        let tokens = app.refresh(&refresh, scope, &extra).await.unwrap();
        all.push((tokens, scope.to_owned(), resource));
    }
    all
}

#[tokio::test]
async fn eight_access_tokens_of_one_grant_are_told_apart() {
    let world = World::start().await;
    let all = side_by_side(&world).await;
    assert_eq!(all.len(), 8);
    for (tokens, scope, resource) in &all {
        let said = world.introspect("web", &tokens.access).await;
        assert_eq!((said["active"].as_bool(), said["scope"].as_str()), (Some(true), Some(scope.as_str())));
        let audience = resource.map_or(serde_json::json!([API, FILES]), |one| one.into());
        assert_eq!(said["aud"], audience);
        // An API learns of the tokens that are meant for it, and of no others.
        for (api, serves) in [("api", API), ("files", FILES)] {
            let meant = resource.is_none_or(|one| one == serves);
            assert_eq!(world.introspect(api, &tokens.access).await["active"], meant, "{api} {scope}");
        }
        let write = world.call("POST", "/api/notes", &tokens.access).await.status;
        assert_eq!(write == 200, scope.contains("notes:read") && scope.contains("notes:write"), "{scope}");
    }
    let app = world.app("web").await;
    for dead in 0..all.len() {
        app.revoke_access(&all[dead].0.access).await;
        for (at, (tokens, ..)) in all.iter().enumerate() {
            assert_eq!(world.introspect("web", &tokens.access).await["active"], at > dead);
        }
    }
    // What is left is the refresh token.
    assert!(app.refresh(&all.last().unwrap().0.refresh, "", &[]).await.is_ok());
}

#[tokio::test]
async fn one_more_than_there_is_room_for_takes_the_place_of_the_oldest() {
    let world = Setup::new().server(|server| server.max_access_tokens(2)).start().await;
    let app = world.app("web").await;
    let mut tokens = vec![app.obtain(&world.browser(), "alice", "notes:read", &[]).await];
    for _ in 0..2 {
        world.clock.advance(std::time::Duration::from_secs(1));
        tokens.push(app.refresh(&tokens.last().unwrap().refresh, "", &[]).await.unwrap());
    }
    let mut alive = Vec::new();
    for own in &tokens {
        alive.push(world.call("GET", "/api/notes", &own.access).await.status.as_u16());
    }
    assert_eq!(alive, [401, 200, 200]);
}

#[tokio::test]
async fn a_lost_refresh_answer_is_given_again_and_reuse_ends_everything() {
    let world = World::start().await;
    let app = world.app("web").await;
    let first = app.obtain(&world.browser(), "alice", "notes:read", &[]).await;
    let lost = app.refresh(&first.refresh, "", &[]).await.unwrap();
    let again = app.refresh(&first.refresh, "", &[]).await.unwrap();
    assert_eq!((again.access, &again.refresh), (lost.access, &lost.refresh));
    // The successor in use: the old token is somebody else's now.
    let third = app.refresh(&lost.refresh, "", &[]).await.unwrap();
    assert_eq!(app.refresh(&first.refresh, "", &[]).await.unwrap_err(), "invalid_grant");
    assert_eq!(app.refresh(&third.refresh, "", &[]).await.unwrap_err(), "invalid_grant");
    assert_eq!(world.call("GET", "/api/notes", &third.access).await.status, 401);
}
