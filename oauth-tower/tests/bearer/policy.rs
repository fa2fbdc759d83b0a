//! What else a layer may ask for, and how it refuses.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use oauth_core::clock::Timestamp;
use oauth_core::grant::Authentication;
use oauth_core::server::{AccessToken, VerifyError};
use oauth_tower::bearer::{
    BearerLayer, Cause, RefusalSink, Refused, RequireScopeLayer, Verification, Verifier,
};
use oauth_tower::protected_resource::ProtectedResource;
use tower::Layer;

use crate::world::{Answer, Api, World, ask, bare, bearer};

const NOW: i64 = 1_800_000_000;

/// Every token is one whose resource owner authenticated this many seconds ago.
#[derive(Clone)]
struct Authenticated(i64, &'static str);

impl Verifier for Authenticated {
    type Future = std::future::Ready<Result<Arc<AccessToken>, VerifyError>>;

    fn verify_token(&self, _: &str) -> Verification<Self::Future> {
        let now = Timestamp::from_secs(NOW);
        let mut token = AccessToken::new("https://as.example", "app", now, now);
        let authentication = Authentication::new(Timestamp::from_secs(NOW - self.0));
        token.authentication = Some(authentication.by(Some(self.1.into()), Vec::new()));
        Verification::Now(Ok(Arc::new(token)))
    }
}

#[tokio::test]
async fn an_authentication_that_is_strong_and_recent_enough() {
    let clock = World::new().clock;
    let layer = |ago, acr| {
        let layer = BearerLayer::new(Authenticated(ago, acr)).clock(clock.clone());
        layer.acr_values("gold  platinum").max_age(Duration::from_secs(300))
    };
    for (ago, acr) in [(0, "gold"), (300, "platinum"), (-5, "gold")] {
        assert_eq!(ask(&layer(ago, acr), bearer("a")).await.status, 200, "{ago} {acr}");
    }
    for (ago, acr) in [(301, "gold"), (0, "silver"), (0, "gold platinum"), (0, "")] {
        let answer = ask(&layer(ago, acr), bearer("a")).await;
        answer.refused(401, "insufficient_user_authentication");
        assert!(answer.challenge().ends_with(r#", acr_values="gold platinum", max_age="300""#), "{answer:?}");
    }
    // Who has no token is not told yet how to get a better one.
    assert_eq!(ask(&layer(0, "gold"), bare()).await.challenge(), r#"Bearer realm="api""#);
}

#[tokio::test]
async fn a_route_further_inside_may_ask_for_a_better_authentication() {
    let clock = World::new().clock;
    let outer = BearerLayer::new(Authenticated(100, "silver")).clock(clock);
    let inner = RequireScopeLayer::authenticated();
    for (inner, status) in [
        (inner.clone().max_age(Duration::from_secs(100)), 200),
        (inner.clone().max_age(Duration::from_secs(99)), 401),
        (inner.clone().max_age(Duration::from_secs(99)).max_age(Duration::from_secs(200)), 401),
        (inner.clone().acr_values("silver"), 200),
        (inner.acr_values("gold"), 401),
    ] {
        let answer = Answer::of(outer.layer(inner.layer(Api::default())), bearer("a")).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[tokio::test]
async fn a_machine_has_not_authenticated_as_anybody() {
    let world = World::new();
    let token = world.token("read").await;
    let layer = world.layer().max_age(Duration::MAX);
    ask(&layer, bearer(&token)).await.refused(401, "insufficient_user_authentication");
}

#[tokio::test]
async fn challenges_say_where_the_metadata_is() {
    let world = World::new();
    let layer = world.layer().resource_metadata("https://api.example/.well-known/oauth-protected-resource");
    let end = r#"resource_metadata="https://api.example/.well-known/oauth-protected-resource""#;
    for request in [bare(), bearer("junk")] {
        assert!(ask(&layer, request).await.challenge().ends_with(end));
    }
}

#[tokio::test]
async fn a_protected_resource_is_audience_and_metadata() {
    let world = World::new();
    let api = ProtectedResource::new(crate::world::API).unwrap();
    let layer = world.layer().protected_resource(&api);
    let good = world.token_for(crate::world::API).await;
    let other = world.token_for("https://api2.example").await;
    assert_eq!(ask(&layer, bearer(&good)).await.status, 200);
    let refused = ask(&layer, bearer(&other)).await;
    refused.refused(401, "invalid_token");
    let end = format!(r#"resource_metadata="{}""#, api.metadata_url());
    assert!(refused.challenge().ends_with(&end));
}

#[derive(Clone, Debug, Default)]
struct Audit(Arc<Mutex<Vec<Heard>>>);

/// Cause, client, whether there is a grant, whether the request passed.
type Heard = (Cause, Option<String>, bool, bool);

impl RefusalSink for Audit {
    fn refused(&self, event: &Refused<'_>) {
        let client = event.client_id.map(str::to_owned);
        self.0.lock().unwrap().push((event.cause, client, event.grant_id.is_some(), event.passed));
    }
}

#[tokio::test]
async fn observed_requests_pass_and_are_told() {
    let world = World::new();
    let read = world.token("read").await;
    let audit = Audit::default();
    let api = Api::default();
    let layer = world.layer().require_scope("read write").sink(audit.clone()).observe();
    let service = || layer.layer(RequireScopeLayer::new("admin").layer(api.clone()));
    assert_eq!(Answer::of(service(), bare()).await.body, "nobody");
    assert_eq!(Answer::of(service(), bearer("junk")).await.body, "nobody");
    assert_eq!(Answer::of(service(), bearer(&read)).await.body, "m2m read");
    let client = Some("m2m".to_owned());
    let expected = [
        (Cause::NoToken, None, false, true),
        (Cause::NoToken, None, false, true),
        (Cause::InvalidToken, None, false, true),
        (Cause::NoToken, None, false, true),
        (Cause::InsufficientScope, client.clone(), true, true),
        (Cause::InsufficientScope, client, true, true),
    ];
    assert_eq!(*audit.0.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_token_for_elsewhere_is_not_handed_on_when_observed() {
    let world = World::new();
    let other = world.token_for("https://api2.example").await;
    let layer = world.layer().resource(crate::world::API).observe();
    assert_eq!(ask(&layer, bearer(&other)).await.body, "nobody");
}

#[tokio::test]
async fn a_sink_hears_of_refusals() {
    let world = World::new();
    let audit = Audit::default();
    let layer = world.layer().require_scope("write").sink(audit.clone());
    let read = world.token("read").await;
    ask(&layer, bearer(&read)).await.refused(403, "insufficient_scope");
    let expected = [(Cause::InsufficientScope, Some("m2m".to_owned()), true, false)];
    assert_eq!(*audit.0.lock().unwrap(), expected);
}

#[tokio::test]
async fn an_exempt_path_needs_no_token() {
    let world = World::new();
    let layer = world.layer().exempt_path("/healthz");
    let at = |path: &str| {
        let mut request = bearer("junk");
        *request.uri_mut() = path.parse().unwrap();
        request
    };
    let answer = ask(&layer, at("/healthz?verbose")).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, "nobody"));
    ask(&layer, at("/healthz/")).await.refused(401, "invalid_token");
}

/// The nearest layer says how those further inside refuse, also where one further out only watches.
#[tokio::test]
async fn a_layer_that_observes_does_not_open_what_a_stricter_one_guards() {
    let world = World::new();
    let read = world.token("read").await;
    let api = Api::default();
    let guarded = world.layer().layer(RequireScopeLayer::new("admin").layer(api.clone()));
    let service = world.layer().realm("outer").observe().layer(guarded);
    let refused = Answer::of(service, bearer(&read)).await;
    refused.refused(403, "insufficient_scope");
    assert!(refused.challenge().starts_with(r#"Bearer realm="api""#), "{refused:?}");
    assert_eq!(api.calls(), 0);
}

#[tokio::test]
async fn a_list_of_context_classes_without_one_is_never_met() {
    for none in ["", " "] {
        let layer = BearerLayer::new(Authenticated(0, "")).acr_values(none);
        let answer = ask(&layer, bearer("a")).await;
        answer.refused(401, "insufficient_user_authentication");
        assert!(!answer.challenge().contains("acr_values"), "{answer:?}");
    }
}

#[derive(Debug)]
struct Broken;

impl RefusalSink for Broken {
    fn refused(&self, _: &Refused<'_>) {
        panic!("no room on the disk");
    }
}

#[tokio::test]
async fn a_sink_that_panics_costs_nobody_the_answer() {
    let world = World::new();
    ask(&world.layer().sink(Broken), bearer("junk")).await.refused(401, "invalid_token");
    assert_eq!(ask(&world.layer().sink(Broken).observe(), bearer("junk")).await.body, "nobody");
}
