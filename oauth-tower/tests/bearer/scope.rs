//! Scope, at the layer and further inside.

use oauth_tower::bearer::RequireScopeLayer;
use tower::Layer;

use crate::world::{Answer, Api, World, ask, bare, bearer};

#[tokio::test]
async fn bt_13_too_little_scope() {
    let world = World::new();
    let read = world.token("read").await;
    let answer = ask(&world.layer().require_scope("write"), bearer(&read)).await;
    answer.refused(403, "insufficient_scope");
    assert!(answer.challenge().ends_with(r#", scope="write""#), "{}", answer.challenge());
    let both = world.layer().require_scope("read").require_scope("write");
    let answer = ask(&both, bearer(&read)).await;
    assert!(
        answer.challenge().ends_with(r#", scope="read write""#),
        "all that is needed, not all that lacks"
    );
    let wide = world.token("write+read").await;
    assert_eq!(ask(&both, bearer(&wide)).await.status, 200);
    assert_eq!(ask(&world.layer().require_scope("read write"), bearer(&wide)).await.status, 200);
}

#[tokio::test]
async fn scope_is_compared_as_tokens() {
    let world = World::new();
    let token = world.token("read").await;
    for near in ["rea", "reads", "READ", "read\"", "read\\", "read,write"] {
        ask(&world.layer().require_scope(near), bearer(&token)).await.refused(403, "insufficient_scope");
    }
}

#[tokio::test]
async fn one_of_several() {
    let world = World::new();
    let layer = world.layer().any_scope("write admin");
    let answer = ask(&layer, bearer(&world.token("read").await)).await;
    answer.refused(403, "insufficient_scope");
    assert!(answer.challenge().ends_with(r#"scope="write""#));
    for scope in ["write", "admin", "read+admin"] {
        assert_eq!(ask(&layer, bearer(&world.token(scope).await)).await.status, 200, "{scope}");
    }
    ask(&world.layer().any_scope(""), bearer(&world.token("read").await))
        .await
        .refused(403, "insufficient_scope");
}

#[tokio::test]
async fn asked_for_further_inside() {
    let world = World::new();
    let read = world.token("read").await;
    let api = Api::default();
    let outer = world.layer().realm("notes");
    let service = |inner: RequireScopeLayer| outer.layer(inner.layer(api.clone()));
    let answer = Answer::of(service(RequireScopeLayer::new("write")), bearer(&read)).await;
    answer.refused(403, "insufficient_scope");
    assert!(answer.challenge().starts_with(r#"Bearer realm="notes", "#), "the outer layer's realm");
    assert!(answer.challenge().ends_with(r#"scope="write""#));
    let met = RequireScopeLayer::any("write read").and("read").and_any("read");
    assert_eq!(Answer::of(service(met), bearer(&read)).await.status, 200);
    assert_eq!(api.calls(), 1);
}

#[tokio::test]
async fn a_challenge_names_what_is_needed_inside_and_outside() {
    let world = World::new();
    let read = world.token("read").await;
    let api = Api::default();
    let outer = world.layer().realm("a, scope=\"write\"").require_scope("read");
    let service = |inner: RequireScopeLayer| {
        outer.layer(RequireScopeLayer::new("read admin").layer(inner.layer(api.clone())))
    };
    // The token that is refused first lacks `admin`; what the innermost asks for is not known there.
    let answer = Answer::of(service(RequireScopeLayer::new("write")), bearer(&read)).await;
    assert!(answer.challenge().ends_with(r#", scope="read admin""#), "{}", answer.challenge());
    let admin = world.token("read+admin").await;
    let answer = Answer::of(service(RequireScopeLayer::new("admin write")), bearer(&admin)).await;
    answer.refused(403, "insufficient_scope");
    assert!(
        answer.challenge().starts_with(r#"Bearer realm="a, scope=\"write\"", "#),
        "{}",
        answer.challenge()
    );
    assert!(answer.challenge().ends_with(r#", scope="read admin write""#), "{}", answer.challenge());
    let all = world.token("read+admin+write").await;
    assert_eq!(Answer::of(service(RequireScopeLayer::new("admin write")), bearer(&all)).await.status, 200);
}

#[tokio::test]
async fn asked_for_inside_an_optional_layer() {
    let world = World::new();
    let api = Api::default();
    let layer = world.layer().optional();
    let service = || layer.layer(RequireScopeLayer::new("read").layer(api.clone()));
    let answer = Answer::of(service(), bare()).await;
    answer.refused(401, "unauthorized");
    assert!(answer.challenge().ends_with(r#"scope="read""#));
    assert_eq!(Answer::of(service(), bearer(&world.token("read").await)).await.status, 200);
}

#[tokio::test]
async fn asked_for_without_a_layer() {
    let world = World::new();
    let api = Api::default();
    let service = RequireScopeLayer::new("read").layer(api.clone());
    let answer = Answer::of(service, bearer(&world.token("read").await)).await;
    answer.refused(500, "server_error");
    assert!(answer.body.contains("BearerLayer"));
    assert_eq!(api.calls(), 0);
}
