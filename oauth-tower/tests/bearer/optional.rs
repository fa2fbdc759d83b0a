//! The optional mode.

use oauth_core::storage::testing::Fault;

use crate::world::{World, ask, bare, bearer, request};

#[tokio::test]
async fn no_token_passes_and_a_good_one_counts() {
    let world = World::new();
    let layer = world.layer().optional();
    assert_eq!(ask(&layer, bare()).await.body, "nobody");
    assert_eq!(
        ask(&layer, request(["Basic YTpi"])).await.body,
        "nobody",
        "another scheme's is no bearer token"
    );
    assert_eq!(ask(&layer, bearer(&world.token("read").await)).await.body, "m2m read");
}

#[tokio::test]
async fn what_is_presented_must_be_good() {
    let world = World::new();
    let layer = world.layer().optional().require_scope("write");
    assert_eq!(ask(&layer, bare()).await.body, "nobody");
    ask(&layer, bearer("junk")).await.refused(401, "invalid_token");
    ask(&layer, bearer(&world.token("read").await)).await.refused(403, "insufficient_scope");
    ask(&layer, request(["Bearer"])).await.refused(400, "invalid_request");
    ask(&layer, request([""])).await.refused(400, "invalid_request");
    ask(&layer, request(["Basic YTpi", "Basic YTpi"])).await.refused(400, "invalid_request");
    let token = world.token("write").await;
    world.store.script(|_| Some(Fault::Refuse));
    ask(&layer, bearer(&token)).await.refused(503, "temporarily_unavailable");
}
