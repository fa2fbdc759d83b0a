//! Every state meets every event.

use super::world::{CLIENT, VERIFIER, World, another_client, ask, at, resource, seconds};
use crate::grant::{Grant, Plan, Redeem, Refusal, Resources, RevokeReason, State};
use crate::handle::Kind;
use crate::pkce::Challenge;
use crate::scope::Scope;

/// The outcome of a plan, without what it carries.
#[derive(Debug, PartialEq)]
enum Became {
    Written(&'static str),
    Unchanged,
    Ended(Refusal),
    Refused(Refusal),
}

fn became<T>(plan: Result<Plan<T>, Refusal>) -> Became {
    match plan {
        Ok(Plan::Write(next, _)) => Became::Written(next.state.name()),
        Ok(Plan::Answer(_)) => Became::Unchanged,
        Ok(Plan::End(next, refusal)) => {
            assert_eq!(next.state.name(), "revoked");
            Became::Ended(refusal)
        }
        Err(refusal) => Became::Refused(refusal),
    }
}

fn states(world: &World) -> [(&'static str, Grant); 5] {
    let mut requested = world.approved();
    requested.state = State::Requested;
    let denied = world.approved().with_state(State::Denied);
    [
        ("requested", requested),
        ("approved", world.approved()),
        ("active", world.active()),
        ("denied", denied),
        ("revoked", world.revoked()),
    ]
}

#[test]
fn every_state_meets_every_event() {
    use Became::{Ended, Refused, Unchanged, Written};
    let world = World::new();
    let all = ask(None, &[]);
    let code = world.handle(Kind::Code, 0, &world.code);
    let refresh = world.handle(Kind::Refresh, 0, &world.refresh);
    let access = world.handle(Kind::Access, 0, &world.access);
    let expected = [
        // state, redeem, refresh, revoke, revoke the access token, verify
        (
            "requested",
            Refused(Refusal::NotActive),
            Refused(Refusal::NotActive),
            Written("revoked"),
            Unchanged,
            Err(Refusal::NotActive),
        ),
        (
            "approved",
            Written("active"),
            Refused(Refusal::NotActive),
            Written("revoked"),
            Unchanged,
            Err(Refusal::NotActive),
        ),
        (
            "active",
            Ended(Refusal::CodeReplayed),
            Written("active"),
            Written("revoked"),
            Written("active"),
            Ok(()),
        ),
        (
            "denied",
            Refused(Refusal::Denied),
            Refused(Refusal::Denied),
            Written("revoked"),
            Unchanged,
            Err(Refusal::Denied),
        ),
        (
            "revoked",
            Refused(Refusal::Revoked),
            Refused(Refusal::Revoked),
            Unchanged,
            Unchanged,
            Err(Refusal::Revoked),
        ),
    ];
    for ((name, grant), (row, redeemed, refreshed, revoked, access_revoked, verified)) in
        states(&world).into_iter().zip(expected)
    {
        assert_eq!(name, row);
        assert_eq!(became(grant.redeem(&world.redeem(&code, &all), at(30))), redeemed, "redeem in {name}");
        assert_eq!(
            became(grant.refresh(&world.refresh(&refresh, &all), at(30))),
            refreshed,
            "refresh in {name}"
        );
        assert_eq!(became(Ok(grant.revoke(RevokeReason::Host, at(30)))), revoked, "revoke in {name}");
        assert_eq!(
            became(Ok(grant.revoke_access(&access.digest()))),
            access_revoked,
            "revoke access in {name}"
        );
        assert_eq!(grant.verify(&access, at(30)).map(drop), verified, "verify in {name}");
    }
}

#[test]
fn time_ends_every_state() {
    let world = World::new();
    let all = ask(None, &[]);
    let code = world.handle(Kind::Code, 0, &world.code);
    let refresh = world.handle(Kind::Refresh, 0, &world.refresh);
    let access = world.handle(Kind::Access, 0, &world.access);
    let (approved, active) = (world.approved(), world.active());
    let redeem = |now| became(approved.redeem(&world.redeem(&code, &all), now));
    assert_eq!(redeem(at(59)), Became::Written("active"));
    assert_eq!(redeem(at(60)), Became::Refused(Refusal::Expired));
    assert_eq!(redeem(at(61)), Became::Refused(Refusal::Expired));
    let refreshed = |now| became(active.refresh(&world.refresh(&refresh, &all), now));
    assert_eq!(refreshed(at(509)), Became::Written("active"));
    assert_eq!(refreshed(at(510)), Became::Refused(Refusal::Expired));
    assert!(active.verify(&access, at(309)).is_ok());
    assert_eq!(active.verify(&access, at(310)).unwrap_err(), Refusal::Expired);
    let mut late = world.active();
    late.expires_at = at(100);
    assert_eq!(
        became(late.refresh(&world.refresh(&refresh, &all), at(100))),
        Became::Refused(Refusal::Expired)
    );
    assert_eq!(late.verify(&access, at(100)).unwrap_err(), Refusal::Expired);
}

#[test]
fn ac_06_a_valid_replay_after_the_codes_lifetime_still_ends_the_grant() {
    let world = World::new();
    let all = ask(None, &[]);
    let code = world.handle(Kind::Code, 0, &world.code);
    let plan = world.active().redeem(&world.redeem(&code, &all), at(360));
    assert_eq!(became(plan), Became::Ended(Refusal::CodeReplayed));
}

#[test]
fn ac_27_within_the_tolerance_a_replay_revokes_nothing() {
    let world = World::new();
    let all = ask(None, &[]);
    let code = world.handle(Kind::Code, 0, &world.code);
    let request = Redeem { replay_tolerance: seconds(5), ..world.redeem(&code, &all) };
    assert_eq!(became(world.active().redeem(&request, at(14))), Became::Refused(Refusal::CodeResent));
    assert_eq!(became(world.active().redeem(&request, at(15))), Became::Ended(Refusal::CodeReplayed));
}

/// Each possession check, failed by an unredeemed code (which stays usable) and by a replay (which ends nothing).
#[test]
fn pk_22_a_failed_check_consumes_and_revokes_nothing() {
    let world = World::new();
    let all = ask(None, &[]);
    let code = world.handle(Kind::Code, 0, &world.code);
    let forged = world.handle(Kind::Code, 0, &world.fresh);
    let good = || world.redeem(&code, &all);
    let cases = [
        (Redeem { issuer: "https://other.example", ..good() }, Refusal::Mismatch),
        (Redeem { client_id: "web2", ..good() }, Refusal::WrongClient),
        (Redeem { handle: &forged, ..good() }, Refusal::UnknownToken),
        (Redeem { redirect_uri: Some("https://app.example/cb2"), ..good() }, Refusal::RedirectUri),
        (Redeem { redirect_uri: None, redirect_uri_required: true, ..good() }, Refusal::RedirectUriMissing),
        (Redeem { registered_uris: &[], ..good() }, Refusal::RedirectUri),
        (Redeem { verifier: None, ..good() }, Refusal::VerifierMissing),
        (
            Redeem { verifier: Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXX"), ..good() },
            Refusal::VerifierWrong,
        ),
    ];
    for (request, refusal) in &cases {
        for grant in [world.approved(), world.active()] {
            assert_eq!(became(grant.redeem(request, at(30))), Became::Refused(*refusal), "{refusal}");
        }
    }
    assert_eq!(became(world.approved().redeem(&good(), at(30))), Became::Written("active"));
    let optional = Redeem { redirect_uri: None, ..good() };
    assert_eq!(became(world.approved().redeem(&optional, at(30))), Became::Written("active"));
}

#[test]
fn pk_11_the_challenge_is_not_its_verifier_and_pk_13_no_challenge_takes_no_verifier() {
    let world = World::new();
    let all = ask(None, &[]);
    let code = world.handle(Kind::Code, 0, &world.code);
    let challenge = serde_json::to_value(Challenge::of_verifier(VERIFIER)).unwrap();
    let request = Redeem { verifier: challenge.as_str(), ..world.redeem(&code, &all) };
    assert_eq!(became(world.approved().redeem(&request, at(30))), Became::Refused(Refusal::VerifierWrong));
    let mut without = world.approved();
    without.code.as_mut().unwrap().challenge = None;
    let plan = without.redeem(&world.redeem(&code, &all), at(30));
    assert_eq!(became(plan), Became::Refused(Refusal::VerifierUnexpected));
    let bare = Redeem { verifier: None, ..world.redeem(&code, &all) };
    assert_eq!(became(without.redeem(&bare, at(30))), Became::Written("active"));
}

#[test]
fn scope_and_resources_are_narrowed_or_refused() {
    let world = World::new();
    let code = world.handle(Kind::Code, 0, &world.code);
    let redeem = |asked: &_| match world.approved().redeem(&world.redeem(&code, asked), at(30)) {
        Ok(Plan::Write(_, redemption)) => Ok(redemption),
        Ok(plan) => panic!("{plan:?}"),
        Err(refusal) => Err(refusal),
    };
    let narrowed = redeem(&ask(Some("read"), &["https://api.example/"])).unwrap();
    assert_eq!(narrowed.scope.as_str(), "read");
    assert_eq!(
        narrowed.resources.iter().map(|own| own.as_str()).collect::<Vec<_>>(),
        ["https://api.example"]
    );
    assert_eq!(redeem(&ask(Some("admin"), &[])).unwrap_err(), Refusal::Scope);
    assert_eq!(redeem(&ask(None, &["https://unknown.example"])).unwrap_err(), Refusal::Resource);
}

#[test]
fn rt_14_scope_that_the_client_has_lost_is_left_out() {
    let world = World::new();
    let all = ask(None, &[]);
    let handle = world.handle(Kind::Refresh, 0, &world.refresh);
    let less = Scope::parse("read").unwrap();
    let mut request = world.refresh(&handle, &all);
    request.allowed.scope = &less;
    let Ok(Plan::Write(_, outcome)) = world.active().refresh(&request, at(30)) else { panic!() };
    assert_eq!(outcome.scope.as_str(), "read");
    let none = Scope::parse("other").unwrap();
    let mut request = world.refresh(&handle, &all);
    request.allowed.scope = &none;
    assert_eq!(world.active().refresh(&request, at(30)).unwrap_err(), Refusal::Scope);
}

#[test]
fn rt_15_a_resource_that_the_client_has_lost_is_left_out() {
    let world = World::new();
    let handle = world.handle(Kind::Refresh, 0, &world.refresh);
    let (api, files) = ("https://api.example", "https://files.example");
    // As it is registered now, which need not be the spelling of then.
    let less = Resources::new([resource("https://API.example/")]);
    let none = Resources::default();
    for (asked, allowed, expected) in [
        (&[][..], &less, Ok(&[api][..])),
        (&[api], &less, Ok(&[api])),
        (&[api, files], &less, Ok(&[api])),
        (&[files], &less, Err(Refusal::Resource)),
        (&[], &none, Err(Refusal::Resource)),
    ] {
        let ask = ask(None, asked);
        let mut request = world.refresh(&handle, &ask);
        request.allowed.resources = allowed;
        let resources = match world.active().refresh(&request, at(30)) {
            Ok(Plan::Write(_, outcome)) => Ok(outcome.resources),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal),
        };
        let expected = expected.map(|list| Resources::new(list.iter().copied().map(resource)));
        assert_eq!(resources, expected, "{asked:?}");
    }
}

#[test]
fn another_client_changes_nothing() {
    let world = World::new();
    let all = ask(None, &[]);
    let handle = world.handle(Kind::Refresh, 0, &world.refresh);
    let mut grant = world.active();
    grant.client_id = another_client();
    assert_eq!(grant.refresh(&world.refresh(&handle, &all), at(30)).unwrap_err(), Refusal::WrongClient);
    assert_ne!(*grant.client_id, *CLIENT);
}
