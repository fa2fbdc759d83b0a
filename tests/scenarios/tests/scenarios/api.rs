//! The protected API (RFC 6750), with tokens of the server.

use scenario_tests::{API, FILES, World};

#[tokio::test]
async fn an_api_takes_tokens_that_are_meant_for_it() {
    let world = World::start().await;
    let app = world.app("web").await;
    let for_both =
        app.obtain(&world.browser(), "alice", "notes:read", &[("resource", API), ("resource", FILES)]).await;
    assert_eq!(world.call("GET", "/api/files", &for_both.access).await.text(), "id-alice");
    let for_notes = app.refresh(&for_both.refresh, "", &[("resource", API)]).await.unwrap();
    assert_eq!(
        world.call("GET", "/api/files", &for_notes.access).await.refusal(),
        (401, "invalid_token".into())
    );
    // Who names no resource gets tokens for all that the client may have.
    let for_all = app.obtain(&world.browser(), "bob", "notes:read", &[]).await;
    assert_eq!(world.call("GET", "/api/files", &for_all.access).await.text(), "id-bob");
    // A client without resources gets tokens that name no audience.
    let tool = world.app("cli").await.redirect_uri("http://127.0.0.1:9/callback");
    let for_nothing = tool.obtain(&world.browser(), "bob", "notes:read", &[]).await;
    assert_eq!(world.call("GET", "/api/notes", &for_nothing.access).await.status, 200);
    assert_eq!(world.call("GET", "/api/files", &for_nothing.access).await.status, 401);
}

#[tokio::test]
async fn without_a_token_it_says_what_it_wants() {
    let world = World::start().await;
    let bare = world.net.get("/api/notes").await;
    assert_eq!(bare.status, 401);
    assert_eq!(bare.header("www-authenticate"), "Bearer realm=\"api\", scope=\"notes:read\"");
    // Neither in the query nor as the wrong kind of token.
    let tokens = world.app("web").await.obtain(&world.browser(), "alice", "notes:read", &[]).await;
    let query = world.net.get(&format!("/api/notes?access_token={}", tokens.access)).await;
    assert_eq!(query.status, 401);
    assert_eq!(world.call("GET", "/api/notes", &tokens.refresh).await.status, 401);
}
