//! The truth table of the retry window, row by row.

use super::world::{World, ask, at, seconds};
use crate::grant::{Ask, Grant, Plan, RefreshOutcome, RefreshRequest, Refusal, RevokeReason, Rotation};
use crate::handle::{Authenticity, Handle, Handles, KeyRing, Kind, Prefixes};

type Planned = Result<Plan<RefreshOutcome>, Refusal>;

fn written(plan: Planned) -> (Grant, RefreshOutcome) {
    match plan.unwrap() {
        Plan::Write(next, outcome) => (next, outcome),
        plan => panic!("{plan:?}"),
    }
}

/// The tokens of an answer as the client gets them.
fn texts(handles: &Handles, outcome: &RefreshOutcome) -> [String; 2] {
    [&outcome.access, outcome.successor.as_ref().unwrap()].map(|token| handles.write(token))
}

fn successor(world: &World, outcome: &RefreshOutcome) -> Handle {
    world.handles.parse(Kind::Refresh, &world.handles.write(outcome.successor.as_ref().unwrap())).unwrap()
}

fn ended(plan: Planned) {
    match plan.unwrap() {
        Plan::End(next, Refusal::RefreshReused) => assert_eq!(next.state.name(), "revoked"),
        plan => panic!("{plan:?}"),
    }
}

fn limited<'a>(world: &'a World, handle: &'a Handle, all: &'a Ask<'a>, max: u16) -> RefreshRequest<'a> {
    RefreshRequest { max_retry_streak: Some(max), ..world.refresh(handle, all) }
}

#[test]
fn rt_03_the_same_answer_inside_the_window() {
    let world = World::new();
    let all = ask(None, &[]);
    let t0 = world.handle(Kind::Refresh, 0, &world.refresh);
    let (grant, first) = written(world.active().refresh(&world.refresh(&t0, &all), at(100)));
    let Ok(Plan::Answer(second)) = grant.refresh(&world.refresh(&t0, &all), at(159)) else { panic!() };
    assert_eq!(texts(&world.handles, &first), texts(&world.handles, &second));
    assert_eq!((first.expires_at, second.retried), (second.expires_at, Some(1)));
}

#[test]
fn rt_03_the_same_answer_when_the_ring_has_rotated_meanwhile() {
    let world = World::new();
    let all = ask(None, &[]);
    let t0 = world.handle(Kind::Refresh, 0, &world.refresh);
    let (grant, first) = written(world.active().refresh(&world.refresh(&t0, &all), at(100)));
    let ring = KeyRing::new([8; 32]).with_previous([7; 32]);
    let rotated = Handles::new(super::world::ISSUER, ring, Prefixes::default());
    let t0 = rotated.parse(Kind::Refresh, &world.handles.write(&t0)).unwrap();
    let request = RefreshRequest { handles: &rotated, ..world.refresh(&t0, &all) };
    let Ok(Plan::Answer(second)) = grant.refresh(&request, at(110)) else { panic!() };
    assert_eq!(texts(&rotated, &second), texts(&world.handles, &first));
}

#[test]
fn other_parameters_get_another_access_token_and_the_same_successor() {
    let world = World::new();
    let t0 = world.handle(Kind::Refresh, 0, &world.refresh);
    let (grant, first) = written(world.active().refresh(&world.refresh(&t0, &ask(None, &[])), at(100)));
    let narrow = ask(Some("read"), &["https://api.example"]);
    let (grant, second) = written(grant.refresh(&world.refresh(&t0, &narrow), at(110)));
    assert!(!first.access.secret().ct_eq(second.access.secret()));
    assert!(first.successor.unwrap().secret().ct_eq(second.successor.as_ref().unwrap().secret()));
    assert_eq!(grant.generation, 1);
    let Ok(Plan::Answer(third)) = grant.refresh(&world.refresh(&t0, &narrow), at(120)) else { panic!() };
    assert!(third.access.secret().ct_eq(second.access.secret()));
    assert!(grant.refresh(&world.refresh(&successor(&world, &second), &narrow), at(120)).is_ok());
}

#[test]
fn the_window_counts_from_the_first_use_and_is_not_extended() {
    let world = World::new();
    let all = ask(None, &[]);
    let t0 = world.handle(Kind::Refresh, 0, &world.refresh);
    let (mut grant, _) = written(world.active().refresh(&world.refresh(&t0, &all), at(100)));
    for (step, scope) in ["read", "write"].into_iter().enumerate() {
        let narrow = ask(Some(scope), &[]);
        (grant, _) = written(grant.refresh(&world.refresh(&t0, &narrow), at(150 + step as i64)));
    }
    ended(grant.refresh(&world.refresh(&t0, &all), at(160)));
}

#[test]
fn rt_02_after_the_successor_was_used_the_grant_ends() {
    let world = World::new();
    let all = ask(None, &[]);
    let t0 = world.handle(Kind::Refresh, 0, &world.refresh);
    let (grant, first) = written(world.active().refresh(&world.refresh(&t0, &all), at(100)));
    let t1 = successor(&world, &first);
    let (grant, _) = written(grant.refresh(&world.refresh(&t1, &all), at(101)));
    ended(grant.refresh(&world.refresh(&t0, &all), at(102)));
}

#[test]
fn rt_04_the_grandparent_ends_the_grant_at_any_age() {
    let world = World::new();
    let all = ask(None, &[]);
    let t0 = world.handle(Kind::Refresh, 0, &world.refresh);
    let (mut grant, mut outcome) = written(world.active().refresh(&world.refresh(&t0, &all), at(100)));
    for generation in 2..6 {
        let handle = successor(&world, &outcome);
        (grant, outcome) = written(grant.refresh(&world.refresh(&handle, &all), at(100)));
        assert_eq!(grant.generation, generation);
    }
    ended(grant.refresh(&world.refresh(&t0, &all), at(101)));
}

#[test]
fn with_the_window_off_every_reuse_ends_the_grant() {
    let world = World::new();
    let all = ask(None, &[]);
    let t0 = world.handle(Kind::Refresh, 0, &world.refresh);
    let off = |handle| RefreshRequest { retry_window: seconds(0), ..world.refresh(handle, &all) };
    let (grant, _) = written(world.active().refresh(&off(&t0), at(100)));
    ended(grant.refresh(&off(&t0), at(100)));
}

#[test]
fn rt_05_no_window_survives_a_revocation() {
    let world = World::new();
    let all = ask(None, &[]);
    let t0 = world.handle(Kind::Refresh, 0, &world.refresh);
    let (grant, _) = written(world.active().refresh(&world.refresh(&t0, &all), at(100)));
    let Plan::Write(grant, ()) = grant.revoke(RevokeReason::Client, at(101)) else { panic!() };
    assert_eq!(grant.refresh(&world.refresh(&t0, &all), at(102)).unwrap_err(), Refusal::Revoked);
}

#[test]
fn a_streak_is_counted_and_ends_the_grant_where_a_limit_is_set() {
    let world = World::new();
    let all = ask(None, &[]);
    let mut grant = world.active();
    let mut handle = world.handle(Kind::Refresh, 0, &world.refresh);
    for streak in 1..=2 {
        let (next, outcome) = written(grant.refresh(&limited(&world, &handle, &all, 2), at(100)));
        let (next, retried) = written(next.refresh(&limited(&world, &handle, &all, 2), at(101)));
        assert_eq!(retried.retried, Some(streak));
        let Ok(Plan::Answer(again)) = next.refresh(&limited(&world, &handle, &all, 2), at(102)) else {
            panic!()
        };
        assert_eq!(again.retried, Some(streak));
        (grant, handle) = (next, successor(&world, &outcome));
    }
    let (grant, _) = written(grant.refresh(&limited(&world, &handle, &all, 2), at(103)));
    ended(grant.refresh(&limited(&world, &handle, &all, 2), at(104)));
}

#[test]
fn a_rotation_without_retry_resets_the_streak() {
    let world = World::new();
    let all = ask(None, &[]);
    let t0 = world.handle(Kind::Refresh, 0, &world.refresh);
    let (grant, first) = written(world.active().refresh(&limited(&world, &t0, &all, 1), at(100)));
    let (grant, _) = written(grant.refresh(&limited(&world, &t0, &all, 1), at(100)));
    let t1 = successor(&world, &first);
    let (grant, second) = written(grant.refresh(&limited(&world, &t1, &all, 1), at(101)));
    let t2 = successor(&world, &second);
    let (grant, _) = written(grant.refresh(&limited(&world, &t2, &all, 1), at(102)));
    let (_, retried) = written(grant.refresh(&limited(&world, &t2, &all, 1), at(103)));
    assert_eq!(retried.retried, Some(1));
}

#[test]
fn a_newer_handle_than_the_record_is_refused_without_revoking() {
    let world = World::new();
    let all = ask(None, &[]);
    let t7 = world.handle(Kind::Refresh, 7, &world.refresh);
    let plan = world.active().refresh(&world.refresh(&t7, &all), at(100));
    assert_eq!(plan.unwrap_err(), Refusal::FromTheFuture);
    let same = world.handle(Kind::Refresh, 0, &world.fresh);
    assert_eq!(
        world.active().refresh(&world.refresh(&same, &all), at(100)).unwrap_err(),
        Refusal::UnknownToken
    );
}

#[test]
fn without_rotation_the_token_stays_and_its_idle_time_moves() {
    let world = World::new();
    let all = ask(None, &[]);
    let t0 = world.handle(Kind::Refresh, 0, &world.refresh);
    let never = RefreshRequest { rotation: Rotation::Never, ..world.refresh(&t0, &all) };
    let (grant, outcome) = written(world.active().refresh(&never, at(100)));
    assert!(outcome.successor.is_none());
    assert_eq!(grant.generation, 0);
    assert!(written(grant.refresh(&never, at(550))).1.successor.is_none());
    assert_eq!(grant.refresh(&never, at(600)).unwrap_err(), Refusal::Expired);
}

#[test]
fn rt_20_no_rotation_extends_the_absolute_end() {
    let world = World::new();
    let all = ask(None, &[]);
    let mut grant = world.active();
    let mut handle = world.handle(Kind::Refresh, 0, &world.refresh);
    for now in [400, 800, 999] {
        let (next, outcome) = written(grant.refresh(&world.refresh(&handle, &all), at(now)));
        assert_eq!(next.expires_at, at(1000));
        assert!(outcome.expires_at <= at(1000));
        (grant, handle) = (next, successor(&world, &outcome));
    }
    assert_eq!(grant.refresh(&world.refresh(&handle, &all), at(1000)).unwrap_err(), Refusal::Expired);
}

/// The key is gone: the current token still works, an old one neither works nor revokes.
#[test]
fn a_lost_key_logs_nobody_out() {
    let world = World::new();
    let all = ask(None, &[]);
    let lost = Handles::new(super::world::ISSUER, KeyRing::new([8; 32]), Prefixes::default());
    let t0 = world.handle(Kind::Refresh, 0, &world.refresh);
    let t0 = lost.parse(Kind::Refresh, &world.handles.write(&t0)).unwrap();
    assert_eq!(t0.authenticity, Authenticity::UnknownKey);
    let request = RefreshRequest { handles: &lost, ..world.refresh(&t0, &all) };
    let (grant, outcome) = written(world.active().refresh(&request, at(100)));
    let t1 = outcome.successor.unwrap();
    let request = RefreshRequest { handles: &lost, ..world.refresh(&t1, &all) };
    let (grant, _) = written(grant.refresh(&request, at(101)));
    let request = RefreshRequest { handles: &lost, ..world.refresh(&t0, &all) };
    assert_eq!(grant.refresh(&request, at(102)).unwrap_err(), Refusal::UnknownToken);
}
