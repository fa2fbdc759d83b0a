//! Every state of a device's grant meets every event.

use super::world::{World, another_client, ask, at};
use crate::grant::{
    Approval, Authentication, Details, Device, Grant, MAX_INTERVAL, Plan, Redeem, Refusal, RevokeReason,
    State,
};
use crate::handle::Kind;
use crate::scope::Scope;

/// Asked for at 0 by a device whose codes expire at 60.
fn requested(world: &World) -> Grant {
    let device = Device {
        digest: world.digest(Kind::Device, &world.code),
        expires_at: at(60),
        interval: 5,
        requested_from: None,
        redeemed_at: None,
    };
    let details = Details { device: Some(Box::new(device)), ..Details::default() };
    Grant {
        subject: None,
        code: None,
        state: State::Requested,
        expires_at: at(120),
        details: Some(Box::new(details)),
        ..world.approved()
    }
}

fn approval() -> Approval {
    Approval {
        subject: "alice".into(),
        session: Some("session".into()),
        authentication: Authentication::new(at(-10)),
        host_data: Some("host data".into()),
        scope: None,
    }
}

fn written<T>(plan: Result<Plan<T>, Refusal>) -> Grant {
    match plan {
        Ok(Plan::Write(next, _)) => next,
        Ok(Plan::Answer(_)) => panic!("nothing is written"),
        Ok(Plan::End(_, refusal)) | Err(refusal) => panic!("{refusal}"),
    }
}

fn outcome<T>(plan: Result<Plan<T>, Refusal>) -> String {
    match plan {
        Ok(Plan::Write(next, _)) => next.state.name().to_owned(),
        Ok(Plan::Answer(_)) => "unchanged".to_owned(),
        Ok(Plan::End(next, refusal)) => format!("{}: {refusal:?}", next.state.name()),
        Err(refusal) => format!("{refusal:?}"),
    }
}

#[test]
fn every_state_meets_every_event() {
    let world = World::new();
    let handle = world.handle(Kind::Device, 0, &world.code);
    let all = ask(None, &[]);
    let redeem = |grant: &Grant, now| {
        let request = Redeem { redirect_uri: None, verifier: None, ..world.redeem(&handle, &all) };
        grant.redeem(&request, now)
    };
    let requested = requested(&world);
    let approved = written(requested.approve_device(&approval(), at(10)));
    let active = written(redeem(&approved, at(15)));
    let denied = written(requested.deny_device(at(10)));
    let revoked = requested.with_state(State::Revoked { at: at(10), reason: RevokeReason::Host });
    let pending = "AuthorizationPending { interval: 5 }";
    let rows = [
        // before the codes expire: approve, deny, poll, slow down; after: approve, deny, poll, slow down
        (
            &requested,
            ["approved", "denied", pending, "requested"],
            ["ExpiredToken", "ExpiredToken", "ExpiredToken", "requested"],
        ),
        (
            &approved,
            ["unchanged", "AlreadyDecided", "active", "unchanged"],
            ["unchanged", "AlreadyDecided", "ExpiredToken", "unchanged"],
        ),
        (
            &active,
            ["AlreadyDecided", "AlreadyDecided", "revoked: CodeReplayed", "unchanged"],
            ["AlreadyDecided", "AlreadyDecided", "revoked: CodeReplayed", "unchanged"],
        ),
        (
            &denied,
            ["AlreadyDecided", "unchanged", "DeviceDenied", "unchanged"],
            ["AlreadyDecided", "unchanged", "DeviceDenied", "unchanged"],
        ),
        (
            &revoked,
            ["Revoked", "Revoked", "Revoked", "unchanged"],
            ["Revoked", "Revoked", "Revoked", "unchanged"],
        ),
    ];
    for (grant, before, after) in rows {
        for (now, expected) in [(at(59), before), (at(60), after)] {
            let outcomes = [
                outcome(grant.approve_device(&approval(), now)),
                outcome(grant.deny_device(now)),
                outcome(redeem(grant, now)),
                outcome(Ok(grant.slow_down(5))),
            ];
            assert_eq!(outcomes, expected, "{} at {now:?}", grant.state.name());
        }
    }
}

#[test]
fn an_approval_says_who_and_when_and_keeps_the_rest() {
    let world = World::new();
    let requested = requested(&world);
    let part = Approval { scope: Some(Scope::parse("read").unwrap()), ..approval() };
    let approved = written(requested.approve_device(&part, at(10)));
    assert_eq!((approved.subject.as_deref(), approved.session.as_deref()), (Some("alice"), Some("session")));
    assert_eq!((approved.scope.as_str(), approved.created_at), ("read", at(10)));
    assert_eq!(approved.details.as_ref().unwrap().host_data.as_deref(), Some("host data"));
    assert_eq!(approved.device(), requested.device());
    // The same answer once more, and three that are not the same.
    assert_eq!(outcome(approved.approve_device(&part, at(11))), "unchanged");
    for other in [
        Approval { subject: "bob".into(), ..part.clone() },
        Approval { session: None, ..part.clone() },
        Approval { scope: Some(Scope::parse("read write").unwrap()), ..part.clone() },
    ] {
        assert_eq!(outcome(approved.approve_device(&other, at(11))), "AlreadyDecided");
    }
}

#[test]
fn dv_09_a_failed_check_consumes_and_tells_nothing() {
    let world = World::new();
    let (handle, forged) =
        (world.handle(Kind::Device, 0, &world.code), world.handle(Kind::Device, 0, &world.fresh));
    let code = world.handle(Kind::Code, 0, &world.code);
    let all = ask(None, &[]);
    let good = || Redeem { redirect_uri: None, verifier: None, ..world.redeem(&handle, &all) };
    let other = another_client();
    let requested = requested(&world);
    let approved = written(requested.approve_device(&approval(), at(10)));
    let active = written(approved.redeem(&good(), at(15)));
    for grant in [&requested, &approved, &active] {
        for (request, refusal) in [
            (Redeem { issuer: "https://other.example", ..good() }, Refusal::Mismatch),
            (Redeem { client_id: &other, ..good() }, Refusal::WrongClient),
            (Redeem { handle: &forged, ..good() }, Refusal::UnknownToken),
            (Redeem { handle: &code, ..good() }, Refusal::UnknownToken),
        ] {
            assert_eq!(grant.redeem(&request, at(16)).unwrap_err(), refusal, "{}", grant.state.name());
        }
    }
    // A device code is worth nothing for a grant that began with an authorization code.
    assert_eq!(world.approved().redeem(&good(), at(16)).unwrap_err(), Refusal::UnknownToken);
}

#[test]
fn of_polls_that_were_judged_alike_one_raises_the_interval_up_to_a_minute() {
    let world = World::new();
    let mut grant = requested(&world);
    let mut seen = 5;
    let mut raised = Vec::new();
    while let Plan::Write(next, ()) = grant.slow_down(seen) {
        grant = next;
        assert_eq!(outcome(Ok(grant.slow_down(seen))), "unchanged");
        seen = grant.device().unwrap().interval;
        raised.push(seen);
    }
    assert_eq!(raised, [10, 15, 20, 25, 30, 35, 40, 45, 50, 55, MAX_INTERVAL]);
}
