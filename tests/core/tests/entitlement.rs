//! Who may use, see and end a token, and what changes under it: clients, subjects, consent, scope.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use core_tests::{API1, API2, APP, ISSUER, World, code_of, form, secret};
use oauth_core::authorize::{AuthorizeError, ShowKind};
use oauth_core::client::{Client, ClientBuilder, ClientSecret};
use oauth_core::error::ErrorCode;
use oauth_core::scope::Scope;
use oauth_core::server::{AuthorizeStep, ConsentPolicy, Pending, SubjectStatus};
use oauth_core::storage::testing::block_on;
use oauth_core::storage::{Index, StoreResult};

/// A client in the store, where the host can change it.
fn stored() -> ClientBuilder {
    let own = ClientSecret::from_text(secret("stored"));
    Client::confidential("stored", &own).redirect_uri(APP).scope("read write").resource(API1)
}

async fn put(world: &World, client: ClientBuilder) {
    world.server.clients().put(client.build().unwrap()).await.unwrap();
}

#[test]
fn ac_20_a_client_that_was_changed_after_its_code_was_made() {
    block_on(async {
        let world = World::new();
        put(&world, stored()).await;
        let code = world.approve("stored", "alice").await.unwrap();
        put(&world, stored().grant_types(["refresh_token"])).await;
        assert_eq!(world.redeem("stored", &code).await.unwrap_err().code(), ErrorCode::UnauthorizedClient);
        let own = ClientSecret::from_text(secret("stored"));
        let moved =
            Client::confidential("stored", &own).redirect_uri("https://app.example/new").scope("read");
        put(&world, moved).await;
        assert_eq!(world.redeem("stored", &code).await.unwrap_err().code(), ErrorCode::InvalidGrant);
        put(&world, stored()).await;
        let tokens = world.redeem("stored", &code).await.unwrap();
        assert_eq!(world.server.clients().disable("stored").await.unwrap(), Some(1));
        let refresh = tokens.refresh_token.unwrap();
        assert_eq!(
            world.refresh("stored", &refresh, &[]).await.unwrap_err().code(),
            ErrorCode::InvalidClient
        );
        assert!(!world.works(&tokens.access_token).await, "IN-12");
        assert!(!world.introspect("rs1", &tokens.access_token).await.unwrap().is_active());
        put(&world, stored()).await;
        assert!(
            !world.works(&tokens.access_token).await,
            "what was revoked does not come back with the client"
        );
        assert_eq!(world.server.clients().disable("nobody").await.unwrap(), None);
    });
}

#[test]
fn rt_14_scope_that_was_taken_from_the_client_is_left_out() {
    block_on(async {
        let world = World::new();
        put(&world, stored()).await;
        let tokens = world.tokens("stored", "alice").await;
        put(&world, stored().scope("write")).await;
        let tokens = world.refresh("stored", &tokens.refresh_token.unwrap(), &[]).await.unwrap();
        assert_eq!(tokens.scope.as_str(), "write");
        put(&world, stored().scope("other")).await;
        let refresh = tokens.refresh_token.unwrap();
        assert_eq!(world.refresh("stored", &refresh, &[]).await.unwrap_err().code(), ErrorCode::InvalidScope);
    });
}

#[test]
fn rt_15_a_resource_that_was_taken_from_the_client_is_left_out() {
    block_on(async {
        let world = World::new();
        put(&world, stored().resource(API2)).await;
        let tokens = world.tokens("stored", "alice").await;
        assert!(world.introspect("rs2", &tokens.access_token).await.unwrap().is_active());
        put(&world, stored()).await;
        let tokens = world.refresh("stored", &tokens.refresh_token.unwrap(), &[]).await.unwrap();
        for (api, meant) in [("rs1", true), ("rs2", false)] {
            let said = world.introspect(api, &tokens.access_token).await.unwrap();
            assert_eq!(said.is_active(), meant, "{api}");
        }
    });
}

#[derive(Clone, Debug, Default)]
struct Locked(Arc<AtomicBool>);

#[async_trait]
impl SubjectStatus for Locked {
    async fn is_active(&self, _subject: &str) -> StoreResult<bool> {
        Ok(!self.0.load(Ordering::SeqCst))
    }
}

#[test]
fn rt_21_in_12_a_locked_subject() {
    let locked = Locked::default();
    let status = locked.clone();
    let world = World::with(|builder| builder.subject_status(status));
    block_on(async {
        let code = world.approve("web", "alice").await.unwrap();
        let tokens = world.tokens("web", "alice").await;
        let refresh = tokens.refresh_token.unwrap();
        locked.0.store(true, Ordering::SeqCst);
        let versions = world.ledger.versions();
        assert_eq!(world.redeem("web", &code).await.unwrap_err().code(), ErrorCode::InvalidGrant);
        assert_eq!(world.refresh("web", &refresh, &[]).await.unwrap_err().code(), ErrorCode::InvalidGrant);
        for token in [&tokens.access_token, &refresh] {
            assert!(!world.introspect("web", token).await.unwrap().is_active());
        }
        assert_eq!(world.ledger.versions(), versions, "unlocking is enough");
        assert!(world.token("m2m", &[("grant_type", "client_credentials")]).await.is_ok());
        locked.0.store(false, Ordering::SeqCst);
        assert!(world.refresh("web", &refresh, &[]).await.is_ok());
        assert!(world.redeem("web", &code).await.is_ok());
    });
}

#[test]
fn rt_12_rt_13_rt_15_ac_21_ac_22_narrowing_binds_one_token_and_a_bad_wish_costs_nothing() {
    let world = World::new();
    block_on(async {
        let code = world.approve("web", "alice").await.unwrap();
        let base =
            [("grant_type", "authorization_code"), ("code", &*code), ("code_verifier", core_tests::VERIFIER)];
        for (wish, expected) in [
            (("scope", "admin"), ErrorCode::InvalidScope),
            (("resource", "https://unknown.example"), ErrorCode::InvalidTarget),
        ] {
            let error = world.token("web", &[&base[..], &[wish]].concat()).await.unwrap_err();
            assert_eq!(error.code(), expected);
        }
        let tokens = world.token("web", &[&base[..], &[("resource", API1)]].concat()).await.unwrap();
        assert!(world.introspect("rs1", &tokens.access_token).await.unwrap().is_active());
        assert!(!world.introspect("rs2", &tokens.access_token).await.unwrap().is_active());
        let first = tokens.refresh_token.unwrap();
        let versions = world.ledger.versions();
        for (wish, expected) in [
            (("scope", "read admin"), ErrorCode::InvalidScope),
            (("resource", "https://unknown.example"), ErrorCode::InvalidTarget),
        ] {
            assert_eq!(world.refresh("web", &first, &[wish]).await.unwrap_err().code(), expected);
        }
        assert_eq!(world.ledger.versions(), versions);
        let narrow = world.refresh("web", &first, &[("scope", "read"), ("resource", API2)]).await.unwrap();
        let full = world.refresh("web", narrow.refresh_token.as_ref().unwrap(), &[]).await.unwrap();
        assert_eq!((narrow.scope.as_str(), full.scope.as_str()), ("read", "read write"));
        assert!(!world.introspect("rs1", &narrow.access_token).await.unwrap().is_active());
        assert!(world.introspect("rs1", &full.access_token).await.unwrap().is_active());
        assert!(world.works(&narrow.access_token).await, "tokens of one grant live side by side");
    });
}

#[test]
fn ac_10_ac_15_rt_09_rt_25_rt_26_nothing_works_for_another_client_or_as_another_kind() {
    let world = World::new();
    block_on(async {
        let code = world.approve("web", "alice").await.unwrap();
        let tokens = world.tokens("web", "bob").await;
        let (access, refresh) = (tokens.access_token, tokens.refresh_token.unwrap());
        let versions = world.ledger.versions();
        for client in ["web2", "spa"] {
            assert_eq!(world.redeem(client, &code).await.unwrap_err().code(), ErrorCode::InvalidGrant);
            assert_eq!(
                world.refresh(client, &refresh, &[]).await.unwrap_err().code(),
                ErrorCode::InvalidGrant
            );
            world.revoke(client, &refresh).await.unwrap();
            world.revoke(client, &access).await.unwrap();
            world.revoke(client, &code).await.unwrap();
        }
        for (as_code, as_refresh) in [(&refresh, &code), (&access, &access)] {
            assert_eq!(world.redeem("web", as_code).await.unwrap_err().code(), ErrorCode::InvalidGrant);
            assert_eq!(
                world.refresh("web", as_refresh, &[]).await.unwrap_err().code(),
                ErrorCode::InvalidGrant
            );
        }
        assert!(!world.works(&refresh).await && !world.works(&code).await);
        for altered in [
            refresh[..refresh.len() - 1].to_owned(),
            format!("{refresh}A"),
            format!("{refresh}="),
            refresh.to_uppercase(),
        ] {
            let error = world.refresh("web", &altered, &[]).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidGrant);
            assert!(!world.introspect("web", &altered).await.unwrap().is_active());
            world.revoke("web", &altered).await.unwrap();
        }
        assert_eq!(world.ledger.versions(), versions);
        assert!(
            world.redeem("web", &code).await.is_ok() && world.refresh("web", &refresh, &[]).await.is_ok()
        );
    });
}

#[test]
fn rt_27_no_refresh_token_where_none_belongs_and_rt_28_none_is_made_twice() {
    block_on(async {
        let world = World::new();
        put(&world, stored().grant_types(["authorization_code"])).await;
        assert!(world.tokens("stored", "alice").await.refresh_token.is_none());
        let own = world.token("web", &[("grant_type", "client_credentials")]).await.unwrap();
        assert!(own.refresh_token.is_none());
        let mut seen = HashSet::new();
        let mut refresh = world.tokens("web", "alice").await.refresh_token.unwrap();
        for _ in 0..200 {
            let next = world.refresh("web", &refresh, &[]).await.unwrap();
            refresh = next.refresh_token.unwrap();
            assert!(seen.insert(next.access_token) && seen.insert(refresh.clone()));
        }
    });
}

#[test]
fn in_01_to_in_07_introspection_tells_the_entitled_and_nobody_else() {
    let world = World::new();
    block_on(async {
        let login = world.login("alice").acr("gold");
        let ticket = world.ticket(&World::url("web", &[("resource", API1)]), &login).await.unwrap();
        let code = code_of(&world.accept(&ticket, &login).await.unwrap());
        let tokens = world.redeem("web", &code).await.unwrap();
        let (access, refresh) = (tokens.access_token, tokens.refresh_token.unwrap());
        let unused = world.approve("web2", "alice").await.unwrap();

        let (_, body) = World::signed("web", &[("token", &access)]);
        let nobody = world.server.introspect(&http::HeaderMap::new(), body.as_bytes()).await.unwrap_err();
        assert_eq!((nobody.code(), nobody.code().status()), (ErrorCode::InvalidClient, 401));
        assert_eq!(world.introspect("spa", &access).await.unwrap_err().code(), ErrorCode::InvalidClient);

        let answer = world.introspect("rs1", &access).await.unwrap();
        let json: serde_json::Value = serde_json::from_slice(&answer.to_json()).unwrap();
        assert_eq!(
            (&json["active"], &json["sub"], &json["client_id"]),
            (&true.into(), &"alice".into(), &"web".into())
        );
        assert_eq!(
            (&json["aud"], &json["iss"], &json["acr"]),
            (&API1.into(), &ISSUER.into(), &"gold".into())
        );
        assert!(
            json["exp"].is_i64()
                && json["iat"].is_i64()
                && json.as_object().unwrap().values().all(|v| !v.is_null())
        );

        let inactive = b"{\"active\":false}".to_vec();
        let long = "x".repeat(100_000);
        for (caller, token) in [
            ("rs2", &*access),
            ("web2", &access),
            ("m2m", &access),
            ("rs1", &refresh),
            ("web2", &refresh),
            ("web", &code),
            ("web2", &unused),
            ("web", "unknown"),
            ("web", &access[..50]),
            ("web", &long),
        ] {
            assert_eq!(world.introspect(caller, token).await.unwrap().to_json(), inactive, "{caller}");
        }
        for hint in ["refresh_token", "bogus", ""] {
            let (headers, body) = World::signed("rs1", &[("token", &access), ("token_type_hint", hint)]);
            assert!(
                world.server.introspect(&headers, body.as_bytes()).await.unwrap().is_active(),
                "IN-05 {hint}"
            );
        }
        let (headers, _) = World::signed("rs1", &[]);
        for body in ["", "token=", "token=a&token=b"] {
            let error = world.server.introspect(&headers, body.as_bytes()).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidRequest, "IN-04 {body}");
        }
        assert!(world.introspect("web", &refresh).await.unwrap().is_active());
    });
}

#[test]
fn rv_02_to_rv_10_revocation() {
    let world = World::new();
    block_on(async {
        let tokens = world.tokens("web", "alice").await;
        let old = tokens.refresh_token.unwrap();
        let next = world.refresh("web", &old, &[]).await.unwrap();
        for token in ["", "unknown", &"x".repeat(10_000)] {
            let (headers, body) = World::signed("web", &[("token", token)]);
            let answer = world.server.revoke(&headers, body.as_bytes()).await;
            assert_eq!(
                answer.map_err(|error| error.code()),
                if token.is_empty() { Err(ErrorCode::InvalidRequest) } else { Ok(()) }
            );
        }
        let (headers, body) =
            World::signed("web", &[("token", &tokens.access_token), ("token_type_hint", "refresh_token")]);
        for _ in 0..2 {
            world.server.revoke(&headers, body.as_bytes()).await.unwrap();
        }
        assert!(
            !world.works(&tokens.access_token).await && world.works(&next.access_token).await,
            "RV-04, RV-05"
        );
        world.revoke("web", &old).await.unwrap();
        assert!(!world.works(&next.access_token).await, "RV-10: a rotated token ends its grant too");
        let refresh = next.refresh_token.unwrap();
        assert_eq!(world.refresh("web", &refresh, &[]).await.unwrap_err().code(), ErrorCode::InvalidGrant);
        world.revoke("web", &refresh).await.unwrap();
    });
}

#[test]
fn ac_07_a_replay_ends_its_own_grant_only() {
    let world = World::new();
    block_on(async {
        let code = world.approve("web", "alice").await.unwrap();
        let first = world.redeem("web", &code).await.unwrap();
        let second = world.tokens("web", "alice").await;
        assert!(world.redeem("web", &code).await.is_err());
        assert!(!world.works(&first.access_token).await && world.works(&second.access_token).await);
    });
}

async fn asked(world: &World, client: &str, more: &[(&str, &str)]) -> Option<Pending> {
    match world.open(&World::url(client, more), Some(world.login("alice"))).await.unwrap() {
        AuthorizeStep::Consent(pending) => Some(*pending),
        AuthorizeStep::Issue(_) => None,
        AuthorizeStep::Login(sign_in) => panic!("{sign_in:?}"),
    }
}

#[test]
fn br_16_consent_is_remembered_for_what_was_allowed_and_nothing_more() {
    let world = World::with(|builder| builder.consent(ConsentPolicy::Remember(Duration::from_secs(3600))));
    block_on(async {
        let login = world.login("alice");
        let read = [("scope", "read"), ("resource", API1)];
        let pending = asked(&world, "web", &read).await.expect("a question");
        assert_eq!(pending.new_scope().as_str(), "read");
        world.accept(&pending.ticket(), &login).await.unwrap();
        assert!(asked(&world, "web", &read).await.is_none());
        let wider =
            asked(&world, "web", &[("scope", "read write"), ("resource", API1)]).await.expect("the delta");
        assert_eq!(wider.new_scope().as_str(), "write");
        assert!(asked(&world, "web", &[("scope", "read"), ("resource", API2)]).await.is_some());
        assert!(asked(&world, "web", &[("scope", "read")]).await.is_some(), "no resource means all");
        assert!(asked(&world, "web2", &read).await.is_some(), "another client");
        assert!(asked(&world, "web", &[&read[..], &[("prompt", "consent")]].concat()).await.is_some());
        world.server.consents().forget("web", "alice").await.unwrap();
        assert!(asked(&world, "web", &read).await.is_some());
        world.accept(&wider.ticket(), &login).await.unwrap();
        assert!(asked(&world, "web", &read).await.is_none());
        world.advance(3600);
        assert!(asked(&world, "web", &read).await.is_some(), "remembered for an hour");
    });
    let world = World::with(|builder| builder.consent(ConsentPolicy::AlwaysAsk));
    block_on(async {
        world.approve("web", "alice").await.unwrap();
        assert!(asked(&world, "web", &[]).await.is_some());
        assert!(world.server.consents().get("web", "alice").await.unwrap().is_none());
    });
}

#[test]
fn a_part_can_be_allowed_and_only_a_part() {
    let world = World::new();
    block_on(async {
        let login = world.login("alice");
        for (part, code) in [("read", true), ("admin", false), ("", false)] {
            let ticket = world.ticket(&World::url("web", &[]), &login).await.unwrap();
            let head = world.head("POST", "/authorize");
            let decision = world.server.resume_pending(&head, &ticket, Some(login.clone())).await.unwrap();
            let part = if part.is_empty() { Scope::empty() } else { Scope::parse(part).unwrap() };
            match decision.accept(Some(part)).await {
                Ok(answer) => {
                    assert!(code);
                    let tokens = world.redeem("web", &code_of(&answer)).await.unwrap();
                    assert_eq!(tokens.scope.as_str(), "read");
                    let refresh = tokens.refresh_token.unwrap();
                    let error = world.refresh("web", &refresh, &[("scope", "write")]).await.unwrap_err();
                    assert_eq!(error.code(), ErrorCode::InvalidScope);
                }
                Err(AuthorizeError::Show(error)) => {
                    assert_eq!((error.kind(), code), (ShowKind::Malformed, false))
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    });
}

#[test]
fn the_hosts_data_session_and_authentication_are_kept_with_the_grant() {
    let world = World::new();
    block_on(async {
        let login = world.login("alice").host_data("tenant=7").amr(["pwd", "otp"]).acr("gold");
        let ticket = world.ticket(&World::url("web", &[("nonce", "n1")]), &login).await.unwrap();
        let code = code_of(&world.accept(&ticket, &login).await.unwrap());
        let mut refresh = world.redeem("web", &code).await.unwrap().refresh_token.unwrap();
        for _ in 0..3 {
            refresh = world.refresh("web", &refresh, &[]).await.unwrap().refresh_token.unwrap();
        }
        let grants = world.ledger.grants();
        let grant = grants[0].grant().unwrap();
        let details = grant.details.as_deref().unwrap();
        assert_eq!((details.host_data.as_deref(), details.nonce.as_deref()), (Some("tenant=7"), Some("n1")));
        let authentication = grant.authentication.as_ref().unwrap();
        assert_eq!((authentication.acr().map(|acr| &**acr), authentication.amr().len()), (Some("gold"), 2));
        assert_eq!(authentication.time, login.authenticated_at);
        let listed = world.server.grants().list(Index::Session("alice-session")).await.unwrap();
        assert_eq!((listed.len(), listed[0].live, listed[0].state), (1, true, "active"));
        let huge = world.login("alice").host_data("x".repeat(70_000));
        let ticket = world.ticket(&World::url("web", &[("prompt", "consent")]), &huge).await.unwrap();
        match world.accept(&ticket, &huge).await {
            Err(AuthorizeError::Show(error)) => assert_eq!(error.kind(), ShowKind::Internal),
            other => panic!("{other:?}"),
        }
        assert_eq!(world.ledger.grants().len(), 1, "nothing beyond 64 KiB is stored");
    });
}

#[test]
fn rt_22_a_session_that_ends_takes_its_grants_along() {
    let world = World::new();
    block_on(async {
        let (alice, bob) = (world.tokens("web", "alice").await, world.tokens("web", "bob").await);
        let own = world.token("web", &[("grant_type", "client_credentials")]).await.unwrap();
        assert_eq!(world.server.grants().revoke_all(Index::Session("alice-session")).await.unwrap(), 1);
        assert!(!world.works(&alice.access_token).await && world.works(&bob.access_token).await);
        assert_eq!(world.server.grants().revoke_all(Index::Client("web")).await.unwrap(), 3);
        assert!(!world.works(&bob.access_token).await && !world.works(&own.access_token).await);
        let form = form(&[("grant_type", "client_credentials")]);
        let (headers, _) = World::signed("web", &[]);
        let error = world.server.token(&headers, form.as_bytes()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidGrant, "in the very instant of the revocation");
        world.advance(1);
        assert!(world.server.token(&headers, form.as_bytes()).await.is_ok());
    });
}
