//! What the audit sink hears: each change once, when it is stored, with whom it concerns.

use std::sync::Arc;
use std::time::Duration;

use core_tests::{API1, APP, Assertion, Heard, ISSUER, World, code_of, form, secret};
use http::HeaderMap;
use oauth_core::audit::{AuditSink, Event};
use oauth_core::authorize::AuthorizeError;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::error::{Error, ErrorCode};
use oauth_core::limit::Rule;
use oauth_core::secret::SeededRandom;
use oauth_core::server::{
    AuthorizeStep, DeviceFlow, RateLimited, Server, ServerBuilder, SigningKeys, StoredKeys,
};
use oauth_core::storage::Index;
use oauth_core::storage::testing::block_on;
use oauth_jose::{Algorithm, LocalKey, Signer as _};

const DAY: u64 = 24 * 3600;

fn world(configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> (World, Heard) {
    let heard = Heard::default();
    (World::with(|builder| configure(builder.audit(heard.clone()))), heard)
}

#[test]
fn a_grant_from_its_approval_to_its_end() {
    let (world, heard) = world(|builder| builder);
    block_on(async {
        let code = world.approve("web", "alice").await.unwrap();
        let lines = heard.take();
        let who: Vec<_> = lines.iter().map(|line| &*line.who).collect();
        assert_eq!(who, ["approved web alice", "code_issued web alice"]);
        let grant = lines[0].grant_id.clone();
        assert!(grant.is_some() && lines[1].grant_id == grant);
        assert!(lines[1].all.contains(ISSUER) && lines[1].all.contains("again: false"), "{lines:?}");
        let one = |kind: &str, has: &str| {
            let lines = heard.take();
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert_eq!((&*lines[0].who, &lines[0].grant_id), (kind, &grant), "{lines:?}");
            assert!(lines[0].all.contains(has), "{lines:?}");
        };

        let tokens = world.redeem("web", &code).await.unwrap();
        one("token_issued web alice", "grant_type: \"authorization_code\"");
        let refresh = tokens.refresh_token.unwrap();
        let next = world.refresh("web", &refresh, &[]).await.unwrap();
        one("token_refreshed web alice", "again: false");
        world.refresh("web", &refresh, &[]).await.unwrap();
        one("token_refreshed web alice", "again: true");
        assert!(world.is_active(&next.access_token).await);
        one("token_introspected rs1 -", "active: true");

        for token in [&next.access_token, &next.access_token] {
            world.revoke("web", token).await.unwrap();
        }
        one("token_revoked web alice", "");
        assert!(!world.is_active(&next.access_token).await);
        one("token_introspected rs1 -", "active: false");
        let refresh = next.refresh_token.unwrap();
        for token in [&refresh, &refresh] {
            world.revoke("web", token).await.unwrap();
        }
        one("grant_revoked web alice", "reason: Client");
        // A stranger's token changes nothing.
        world.revoke("web2", &refresh).await.unwrap();
        assert_eq!(heard.take(), []);
    });
}

#[test]
fn who_was_asked_and_who_was_not() {
    let (world, heard) = world(|builder| builder);
    block_on(async {
        world.approve("web", "alice").await.unwrap();
        heard.take();
        world.approve("web", "alice").await.unwrap();
        assert_eq!(heard.who(), ["code_issued web alice"], "consent was remembered");

        let login = world.login("bob");
        let ticket = world.ticket(&World::url("web", &[]), &login).await.unwrap();
        assert_eq!(heard.take(), [], "a question is no event");
        world.accept(&ticket, &login).await.unwrap();
        heard.take();
        world.accept(&ticket, &login).await.unwrap();
        let again = heard.take();
        assert!(again[1].all.contains("again: true"), "{again:?}");

        let login = world.login("carol");
        let ticket = world.ticket(&World::url("web", &[]), &login).await.unwrap();
        let head = world.head("POST", "/authorize");
        let decision = world.server.resume_pending(&head, &ticket, Some(login)).await.unwrap();
        decision.deny().await.unwrap();
        assert_eq!(heard.who(), ["denied web carol"]);
    });
}

#[test]
fn a_replay_names_the_grant_that_it_ended() {
    let (world, heard) = world(|builder| builder);
    block_on(async {
        let code = world.approve("web", "alice").await.unwrap();
        let grant = heard.take()[0].grant_id.clone();
        world.redeem("web", &code).await.unwrap();
        heard.take();
        let error = world.redeem("web", &code).await.unwrap_err();
        let lines = heard.take();
        assert_eq!((lines.len(), &*lines[0].who), (1, "grant_revoked web alice"));
        assert!(lines[0].all.contains("CodeReplay") && lines[0].grant_id == grant, "{lines:?}");
        assert_eq!(error.grant_id().map(|id| id.to_string()), grant);
        world.redeem("web", &code).await.unwrap_err();
        assert_eq!(heard.take(), [], "it had ended");

        let refresh = world.tokens("web", "alice").await.refresh_token.unwrap();
        let next = world.refresh("web", &refresh, &[]).await.unwrap().refresh_token.unwrap();
        world.refresh("web", &next, &[]).await.unwrap();
        heard.take();
        let error = world.refresh("web", &refresh, &[]).await.unwrap_err();
        let lines = heard.take();
        assert_eq!((lines.len(), &*lines[0].who), (1, "grant_revoked web alice"));
        assert!(lines[0].all.contains("RefreshReuse"), "{lines:?}");
        assert_eq!(error.grant_id().map(|id| id.to_string()), lines[0].grant_id);
    });
}

#[test]
fn grants_without_a_code() {
    let machine = Client::public("own").grant_types(["urn:example:assertion"]).scope("read");
    let (world, heard) = world(|builder| builder.grant_type(Assertion).client(machine));
    block_on(async {
        world.token("m2m", &[("grant_type", "client_credentials")]).await.unwrap();
        let lines = heard.take();
        assert_eq!((lines.len(), &*lines[0].who), (1, "token_issued m2m -"));
        assert!(lines[0].all.contains("client_credentials") && lines[0].grant_id.is_some(), "{lines:?}");
        let pairs =
            [("client_id", "own"), ("grant_type", "urn:example:assertion"), ("assertion", "one.alice")];
        world.server.token(&HeaderMap::new(), form(&pairs).as_bytes()).await.unwrap();
        assert_eq!(heard.who(), ["token_issued own alice"]);
    });
}

#[test]
fn what_the_host_ends() {
    let (world, heard) = world(|builder| builder);
    block_on(async {
        world.tokens("web", "alice").await;
        world.tokens("spa", "alice").await;
        let grants = world.server.grants();
        let listed = grants.list(Index::Subject("alice")).await.unwrap();
        heard.take();
        for _ in 0..2 {
            grants.revoke(listed[0].id).await.unwrap();
        }
        let lines = heard.take();
        assert!(lines.len() == 1 && lines[0].all.contains("reason: Host"), "{lines:?}");
        grants.revoke_all(Index::Subject("alice")).await.unwrap();
        let lines = heard.take();
        assert_eq!(lines.len(), 2, "one had ended before: {lines:?}");
        assert!(lines[0].who.starts_with("fence_raised") && lines[0].all.contains("Subject(\"alice\")"));
        assert!(lines[1].who.starts_with("grant_revoked"), "{lines:?}");
        grants.raise_fence_all().await.unwrap();
        let lines = heard.take();
        assert!(lines.len() == 1 && lines[0].all.contains("around: None"), "{lines:?}");
    });
}

#[test]
fn stored_clients() {
    let (world, heard) = world(|builder| builder);
    block_on(async {
        let client = Client::confidential("kept", &ClientSecret::from_text(secret("kept")));
        let client = client.redirect_uri(APP).build().unwrap();
        world.server.clients().put(client).await.unwrap();
        assert_eq!(heard.who(), ["client_stored kept -"]);
        for expected in [&["client_disabled kept -", "fence_raised - -"][..], &["fence_raised - -"]] {
            world.server.clients().disable("kept").await.unwrap();
            assert_eq!(heard.who(), expected);
        }
        world.server.clients().disable("nobody").await.unwrap();
        assert_eq!(heard.take(), []);
    });
}

#[test]
fn keys_by_hand_by_import_and_on_time() {
    let (world, heard) = (World::new(), Heard::default());
    block_on(async {
        let start = |seed| {
            Server::builder(ISSUER, world.ledger.clone())
                .clock(world.clock.clone())
                .random(SeededRandom::new(seed))
                .stored_keys(StoredKeys::new())
                .jwt_for(API1)
                .signing_keys(SigningKeys::stored(Algorithm::Es256))
                .audit(heard.clone())
                .start()
        };
        let (server, other) = (start(1).await.unwrap(), start(2).await.unwrap());
        assert_eq!(heard.take(), [], "the first keys replace none");
        for server in [&server, &other] {
            let key = server.rotate_keys().await.unwrap();
            assert_eq!(key.mints_from, server.now() + Duration::from_secs(60));
        }
        let lines = heard.take();
        assert!(lines.len() == 1 && lines[0].who == "handle_key_added - -", "{lines:?}");

        let own = LocalKey::generate(Algorithm::Es256).unwrap();
        for server in [&server, &other] {
            server.import_signing_key(&own).await.unwrap();
        }
        let lines = heard.take();
        assert!(lines.len() == 1 && lines[0].all.contains(own.key().kid()), "{lines:?}");
        let pending = server.rotate_signing_keys().await.unwrap();
        assert_eq!((&*pending.kid, heard.take()), (own.key().kid(), vec![]));

        world.advance(200 * DAY);
        for server in [&server, &other] {
            server.fresh_key_set().await;
        }
        let lines = heard.take();
        assert!(lines.len() == 1 && lines[0].who == "signing_key_added - -", "{lines:?}");
        let newest = server.signing_keys().await.unwrap().pop().unwrap();
        assert!(lines[0].all.contains(&*newest.kid), "{lines:?}");
    });
}

#[test]
fn devices() {
    let device = Client::device("tv").scope("read");
    let (world, heard) = world(|builder| builder.device_flow(DeviceFlow::new()).client(device));
    block_on(async {
        world.open(&World::url("web", &[]), None).await.unwrap();
        for allow in [true, false] {
            let body = form(&[("client_id", "tv"), ("scope", "read")]);
            let asked = world.server.device_authorization(&HeaderMap::new(), body.as_bytes(), None).await;
            let asked = asked.unwrap();
            let lines = heard.take();
            assert_eq!((lines.len(), &*lines[0].who), (1, "device_code_issued tv -"));
            assert!(!lines[0].all.contains(&*asked.user_code.shown()), "{lines:?}");
            let (head, login) = (world.head("POST", "/device"), world.login("alice"));
            let code = asked.user_code.shown();
            let pending = world.server.device_pending(&head, login.clone(), &code, None).await.unwrap();
            let ticket = pending.ticket();
            let decision = world.server.resume_device(&head, &ticket, Some(login)).await.unwrap();
            let poll = async || {
                let pairs = [("client_id", "tv"), ("device_code", &*asked.device_code)];
                let body = form(&[&[("grant_type", DeviceFlow::GRANT_TYPE)][..], &pairs].concat());
                world.server.token(&HeaderMap::new(), body.as_bytes()).await
            };
            if allow {
                decision.accept(None).await.unwrap();
                let told = heard.take();
                assert_eq!((told.len(), &*told[0].who), (1, "device_approved tv alice"));
                assert_eq!(told[0].grant_id, lines[0].grant_id);
                poll().await.unwrap();
                assert_eq!(heard.who(), ["token_issued tv alice"]);
            } else {
                decision.deny().await.unwrap();
                assert_eq!(heard.who(), ["device_denied tv alice"]);
                let error = poll().await.unwrap_err();
                assert_eq!(error.code(), ErrorCode::AccessDenied);
                assert_eq!(error.grant_id().map(|id| id.to_string()), lines[0].grant_id);
                assert_eq!(heard.take(), []);
            }
        }
    });
}

#[test]
fn a_refusal_is_one_event_of_the_right_kind() {
    let (world, heard) = world(|builder| builder);
    let told = |expected: &str, has: &[&str]| {
        let lines = heard.take();
        assert_eq!((lines.len(), &*lines[0].who), (1, expected), "{lines:?}");
        for has in has {
            assert!(lines[0].all.contains(has), "{lines:?} has no {has}");
        }
    };
    let audit = world.server.audit();
    block_on(async {
        let body = form(&[
            ("client_id", "web"),
            ("client_secret", "wrong-wrong-wrong"),
            ("grant_type", "client_credentials"),
        ]);
        let error = world.server.token(&HeaderMap::new(), body.as_bytes()).await.unwrap_err();
        audit.refused("token", &error);
        told("client_authentication_failed web -", &["endpoint: \"token\"", "another authentication method"]);
        let error = world.token("m2m", &[("grant_type", "password")]).await.unwrap_err();
        audit.refused("token", &error);
        told("request_refused m2m -", &["UnsupportedGrantType", "grant_id: None"]);
        let limited = RateLimited { rule: Rule::FailedToken, retry_after: Duration::from_secs(1) };
        audit.refused("revoke", &Error::from(limited));
        told("limit_reached - -", &["endpoint: \"revoke\"", "FailedToken"]);
        audit.refused("sign_in", &limited);
        told("limit_reached - -", &["endpoint: \"sign_in\"", "FailedToken"]);
        let error = world.open("/authorize?client_id=nobody&response_type=code", None).await.unwrap_err();
        audit.refused("authorize", &error);
        told("request_refused nobody -", &["no client has this id"]);
        let url = World::url("web", &[("prompt", "none")]);
        let error = world.open(&url, None).await.unwrap_err();
        assert!(matches!(error, AuthorizeError::Redirect(_)));
        audit.refused("authorize", &error);
        told("request_refused web -", &["LoginRequired"]);
    });
}

/// Fails on purpose, at every event.
#[derive(Debug)]
struct Broken;

impl AuditSink for Broken {
    fn told(&self, _: &Event<'_>) {
        panic!("the audit log is full");
    }
}

#[test]
fn a_sink_that_panics_loses_no_answer() {
    let world = World::with(|builder| builder.audit(Arc::new(Broken)));
    block_on(async {
        let login = world.login("alice");
        let step = world.open(&World::url("web", &[]), Some(login.clone())).await.unwrap();
        let AuthorizeStep::Consent(pending) = step else { panic!("a consent page") };
        let code = code_of(&world.accept(&pending.ticket(), &login).await.unwrap());
        let tokens = world.redeem("web", &code).await.unwrap();
        let refresh = tokens.refresh_token.unwrap();
        world.refresh("web", &refresh, &[]).await.unwrap();
        world.server.audit().refused("token", &world.redeem("web", &code).await.unwrap_err());
        assert!(!world.works(&tokens.access_token).await, "the replay ended the grant");
    });
}
