//! A machine for itself (OAuth 2.1 §4.2).

use oauth2::TokenIntrospectionResponse;
use scenario_tests::{API, FILES, World, encode};

#[tokio::test]
async fn a_machine_gets_a_token_and_no_refresh_token() {
    let world = World::start().await;
    let job = world.app("job").await;
    let tokens = job.for_itself("notes:read", &[("resource", API)]).await.unwrap();
    assert_eq!((tokens.refresh.as_str(), tokens.scope.as_str()), ("", "notes:read"));
    let notes = world.call("GET", "/api/notes", &tokens.access).await;
    assert_eq!((notes.status.as_u16(), notes.text()), (200, "nobody"));
    assert_eq!(
        world.call("POST", "/api/notes", &tokens.access).await.refusal(),
        (403, "insufficient_scope".into())
    );
    let said = job.introspect(&tokens.access).await.unwrap();
    assert_eq!((said.active(), said.sub()), (true, Some("job")));
    assert_eq!(world.introspect("api", &tokens.access).await["aud"], API);
    assert_eq!(world.introspect("files", &tokens.access).await["active"], false);
    job.revoke_access(&tokens.access).await;
    assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.status, 401);
}

#[tokio::test]
async fn without_a_scope_it_gets_all_of_its_own_and_never_more() {
    let world = World::start().await;
    let job = world.app("job").await;
    assert_eq!(job.for_itself("", &[]).await.unwrap().scope, "notes:read notes:write");
    assert_eq!(job.for_itself("profile", &[]).await.unwrap_err(), "invalid_scope");
    assert_eq!(job.for_itself("", &[("resource", FILES)]).await.unwrap_err(), "invalid_target");
}

#[tokio::test]
async fn others_may_not() {
    let world = World::start().await;
    assert_eq!(
        world.app("web").await.for_itself("notes:read", &[]).await.unwrap_err(),
        "unauthorized_client"
    );
    let form = format!("grant_type=client_credentials&client_id=job&client_secret={}", encode("wrong"));
    let wrong = world.net.post("/token", &[], &form).await;
    assert_eq!(wrong.refusal(), (401, "invalid_client".to_owned()));
}

#[tokio::test]
async fn a_token_ends_with_its_lifetime() {
    let world = World::start().await;
    let job = world.app("job").await;
    let tokens = job.for_itself("notes:read", &[]).await.unwrap();
    world.clock.advance(std::time::Duration::from_secs(tokens.expires_in - 1));
    assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.status, 200);
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(world.call("GET", "/api/notes", &tokens.access).await.status, 401);
    assert!(!job.introspect(&tokens.access).await.unwrap().active());
}
