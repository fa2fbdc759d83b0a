//! The fixtures themselves work: an attack that fails does not fail by accident.

use attack_tests::{World, assert_json};

#[tokio::test]
async fn the_fixtures_work() {
    let world = World::new();
    for client in ["web", "web2", "spa", "cli"] {
        let tokens = world.tokens(client).await;
        assert!(world.is_active(&tokens.access).await);
        let again = world.refresh(client, &tokens.refresh).await;
        assert_eq!(again.status, 200, "{again:?}");
    }
    assert_eq!(world.token("m2m", "grant_type=client_credentials").await.status, 200);
    assert_json(&world.token("web", "grant_type=nonsense").await, 400, "unsupported_grant_type");
}
