//! Eight access tokens of one grant live side by side, each by its own entry.

use super::world::{World, ask, at};
use crate::grant::{Grant, MAX_ACCESS, Plan, Refusal, State};
use crate::handle::{Handle, Kind};

fn refreshed(
    world: &World,
    grant: &Grant,
    refresh: &Handle,
    ask: &crate::grant::Ask<'_>,
) -> (Grant, Handle, Handle) {
    match grant.refresh(&world.refresh(refresh, ask), at(30)).unwrap() {
        Plan::Write(next, outcome) => (next, outcome.access, outcome.successor.unwrap()),
        plan => panic!("{plan:?}"),
    }
}

#[test]
fn eight_tokens_are_verified_and_revoked_by_their_own_entries() {
    let world = World::new();
    let (api, files) = ("https://api.example", "https://files.example");
    let asks = [
        ask(Some("read"), &[api]),
        ask(Some("read"), &[files]),
        ask(Some("write"), &[api]),
        ask(Some("write"), &[files]),
        ask(None, &[api]),
        ask(None, &[files]),
        ask(Some("read"), &[]),
        ask(None, &[]),
    ];
    let mut grant = world.active();
    let mut handle = world.handle(Kind::Refresh, 0, &world.refresh);
    let mut tokens = Vec::new();
    for ask in &asks {
        let (next, access, successor) = refreshed(&world, &grant, &handle, ask);
        tokens.push(access);
        (grant, handle) = (next, successor);
    }
    for (asked, token) in asks.iter().zip(&tokens) {
        let entry = grant.verify(token, at(40)).unwrap();
        let scope = asked.scope.as_ref().map_or("read write", |scope| scope.as_str());
        assert_eq!(entry.scope.as_str(), scope);
        let resources: Vec<&str> = entry.resources.iter().map(|own| own.as_str()).collect();
        let wanted = if asked.resources.is_empty() { vec![api, files] } else { asked.resources.clone() };
        assert_eq!(resources, wanted);
    }
    for dead in 0..tokens.len() {
        let Plan::Write(next, ()) = grant.revoke_access(&tokens[dead].digest()) else { panic!() };
        grant = next;
        for (at_index, token) in tokens.iter().enumerate() {
            let expected = if at_index <= dead { Err(Refusal::UnknownToken) } else { Ok(()) };
            assert_eq!(grant.verify(token, at(40)).map(drop), expected);
        }
    }
}

#[test]
fn when_full_the_one_nearest_its_expiry_goes() {
    let world = World::new();
    let mut grant = world.active();
    let first = world.handle(Kind::Access, 0, &world.access);
    let mut handle = world.handle(Kind::Refresh, 0, &world.refresh);
    let all = ask(None, &[]);
    for _ in 1..MAX_ACCESS {
        let (next, _, successor) = refreshed(&world, &grant, &handle, &all);
        (grant, handle) = (next, successor);
    }
    assert!(grant.verify(&first, at(40)).is_ok());
    let (next, newest, _) = refreshed(&world, &grant, &handle, &all);
    assert_eq!(next.verify(&first, at(40)).unwrap_err(), Refusal::UnknownToken);
    assert!(next.verify(&newest, at(40)).is_ok());
    let State::Active(active) = &next.state else { panic!() };
    assert_eq!(active.access.len(), MAX_ACCESS);
}
