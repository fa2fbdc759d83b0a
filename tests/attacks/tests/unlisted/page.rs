//! The consent page and its answer.

use super::*;

#[tokio::test]
async fn a_ticket_with_any_byte_changed_is_refused() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let ticket = alice.authorize(&world, Query::of("web")).await.field("ticket");
    for at in 0..ticket.len() {
        let mut bytes = ticket.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_page(&alice.post(&world, "/authorize", &answer(&changed, "approve")).await);
    }
    for changed in [
        &ticket[1..],
        &ticket[..ticket.len() - 1],
        &format!("{ticket}A"),
        &format!("{ticket}="),
        &format!("{ticket}{ticket}"),
        &ticket.to_lowercase(),
    ] {
        assert_page(&alice.post(&world, "/authorize", &answer(changed, "approve")).await);
    }
    assert!(world.grants("web").await.is_empty());
    alice.post(&world, "/authorize", &answer(&ticket, "approve")).await.code();
}

#[tokio::test]
async fn a_ticket_is_worth_nothing_at_another_server() {
    let (here, there) = (World::new(), World::new());
    let mut alice = Browser::signed_in("alice");
    let ticket = alice.authorize(&here, Query::of("web")).await.field("ticket");
    assert_page(&alice.post(&there, "/authorize", &answer(&ticket, "approve")).await);
    assert!(there.grants("web").await.is_empty());
}

#[tokio::test]
async fn a_ticket_outlives_neither_its_page_nor_its_client() {
    let world = World::new();
    let client = || Client::public("brief").redirect_uri(APP).scope("read").build().unwrap();
    world.server.clients().put(client()).await.unwrap();
    let mut alice = Browser::signed_in("alice");
    let late = alice.authorize(&world, Query::of("brief")).await;
    world.clock.advance(Duration::from_secs(15 * 60));
    assert_refused(&alice.decide(&world, &late, "approve").await, 400);
    let orphan = alice.authorize(&world, Query::of("brief")).await;
    world.server.clients().disable("brief").await.unwrap();
    assert_refused(&alice.decide(&world, &orphan, "approve").await, 400);
    assert_refused(&alice.authorize(&world, Query::of("brief")).await, 400);
    assert!(world.grants("brief").await.is_empty());
}

#[tokio::test]
async fn what_the_page_said_is_what_is_allowed() {
    let world = World::new();
    let client = |scope: &str| Client::public("grows").redirect_uri(APP).scope(scope).build().unwrap();
    world.server.clients().put(client("read")).await.unwrap();
    let mut alice = Browser::signed_in("alice");
    let page = alice.authorize(&world, Query::of("grows")).await;
    world.server.clients().put(client("read write admin")).await.unwrap();
    assert_page(&alice.decide(&world, &page, "approve").await);
    assert!(world.grants("grows").await.is_empty(), "the page did not speak of write and admin");
}

#[tokio::test]
async fn each_field_of_the_answer_counts_once() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let ticket = alice.authorize(&world, Query::of("web")).await.field("ticket");
    let good = answer(&ticket, "approve");
    for form in [
        format!("{good}&decision=deny"),
        format!("{good}&decision=approve"),
        format!("{good}&ticket={}", encode(&ticket)),
        format!("{good}&ticket="),
        good.replace("decision=approve", "decision=APPROVE"),
        good.replace("decision=approve", "decision="),
        good.replace("decision=approve", ""),
        good.replace("ticket=", "Ticket="),
        good.replace('&', ";"),
        format!("{good}%00"),
        format!("{good}&x=%ff"),
    ] {
        assert_refused(&alice.post(&world, "/authorize", &form).await, 400);
    }
    assert!(world.grants("web").await.is_empty());
}

#[tokio::test]
async fn the_chosen_scope_is_a_part_of_what_was_asked() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let page = alice.authorize(&world, Query::of("web").set("scope", "read write")).await;
    let form = answer(&page.field("ticket"), "approve");
    for chosen in
        ["scope=admin", "scope=read&scope=admin", "scope=", "scope=read++write", "scope=%22", "scope=READ"]
    {
        assert_refused(&alice.post(&world, "/authorize", &format!("{form}&{chosen}")).await, 400);
    }
    assert!(world.grants("web").await.is_empty());
    let reply = alice.post(&world, "/authorize", &format!("{form}&scope=&scope=read")).await;
    let tokens = world.redeem("web", &reply.code()).await;
    assert_eq!(tokens.text("scope"), "read");
    let wider = format!("{}&scope=read+write", World::refreshment(&tokens.text("refresh_token")));
    assert_json(&world.token("web", &wider).await, 400, "invalid_scope");
}

#[tokio::test]
async fn a_page_is_answered_once() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let page = alice.authorize(&world, Query::of("web")).await;
    let first = alice.decide(&world, &page, "approve").await.code();
    assert_eq!(alice.decide(&world, &page, "approve").await.code(), first, "a double click");
    assert_refused(&alice.decide(&world, &page, "deny").await, 409);
    let token = world.redeem("web", &first).await.text("access_token");
    assert_refused(&alice.decide(&world, &page, "approve").await, 409);
    assert!(world.is_active(&token).await, "a reload revokes nothing");
    assert_eq!(world.grants("web").await, ["active"]);
    // Nor does it come back after what was allowed has been taken away.
    world.server.grants().revoke_all(Index::Subject("alice")).await.unwrap();
    assert_refused(&alice.decide(&world, &page, "approve").await, 409);
    assert!(!world.is_active(&token).await);
}

#[tokio::test]
async fn an_open_page_does_not_outlive_signing_out_everywhere() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let page = alice.authorize(&world, Query::of("web")).await;
    world.server.grants().revoke_all(Index::Subject("alice")).await.unwrap();
    let reply = alice.decide(&world, &page, "approve").await;
    assert_redirect(&reply, APP, "access_denied", Some("s-1"));
    assert!(!world.grants("web").await.contains(&"approved"));
}

#[tokio::test]
async fn prompt_none_never_asks_and_never_issues_by_itself() {
    let world = World::new();
    let none = |client: &str| Query::of(client).set("prompt", "none");
    let mut alice = Browser::signed_in("alice");
    for (mut browser, error) in [(Browser::new(), "login_required"), (alice.clone(), "consent_required")] {
        for query in [none("web"), none("web").set("scope", ""), none("web").set("max_age", "4294967295")] {
            assert_redirect(&browser.authorize(&world, query).await, APP, error, Some("s-1"));
        }
        for prompt in ["none login", "login none", "none none ", "NONE", "none,login", "none consent"] {
            let query = Query::of("web").set("prompt", prompt);
            assert_redirect(&browser.authorize(&world, query).await, APP, "invalid_request", Some("s-1"));
        }
    }
    let old = none("web").set("max_age", "0");
    assert_redirect(&alice.authorize(&world, old).await, APP, "login_required", Some("s-1"));
    assert!(world.grants("web").await.is_empty());
}

#[tokio::test]
async fn a_host_that_cannot_say_who_is_there_sends_nobody_anywhere() {
    let world = World::new();
    let mut down = Browser::signed_in("down");
    for query in [Query::of("web"), Query::of("web").set("prompt", "none")] {
        let reply = down.authorize(&world, query).await;
        assert_eq!((reply.status, reply.header("location")), (503, None), "{reply:?}");
        assert!(reply.header("retry-after").is_some() && !reply.body.contains("session store"), "{reply:?}");
    }
    let mut alice = Browser::signed_in("alice");
    let page = alice.authorize(&world, Query::of("web")).await;
    let mut down = Browser { user: Some("down".into()), ..alice.clone() };
    assert_eq!(down.decide(&world, &page, "approve").await.status, 503);
    assert!(world.grants("web").await.is_empty());
    alice.decide(&world, &page, "approve").await.code();
}

#[tokio::test]
async fn a_subject_that_cannot_be_one_gets_no_page() {
    let world = World::new();
    for subject in ["", &"x".repeat(256)] {
        let reply = Browser::signed_in(subject).authorize(&world, Query::of("web")).await;
        assert_eq!((reply.status, reply.header("location")), (500, None), "{reply:?}");
    }
}

#[tokio::test]
async fn nobody_but_the_owner_of_the_page_denies_it() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let page = alice.authorize(&world, Query::of("web")).await;
    let deny = answer(&page.field("ticket"), "deny");
    let mut bob = Browser::signed_in("bob");
    bob.authorize(&world, Query::of("web")).await;
    for mut other in [bob, Browser::new(), Browser::signed_in("alice")] {
        assert_refused(&other.post(&world, "/authorize", &deny).await, 403);
    }
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let form = Some("application/x-www-form-urlencoded");
        assert_refused(&alice.send(&world, method, "/authorize", form, &deny).await, 405);
    }
    assert_redirect(&alice.post(&world, "/authorize", &deny).await, APP, "access_denied", Some("s-1"));
}
