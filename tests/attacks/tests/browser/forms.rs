//! Who may send a form, and from where.

use super::*;

#[tokio::test]
async fn br_06_only_a_posted_form_answers() {
    let world = World::new();
    let mut browser = Browser::signed_in("alice");
    let page = browser.authorize(&world, Query::of("web")).await;
    let form = approval(&page);
    let json = format!(r#"{{"ticket":"{}","decision":"approve"}}"#, page.field("ticket"));
    for media_type in ["text/plain", "application/json", "multipart/form-data; boundary=x", "", "text/html"] {
        for body in [&form, &json] {
            let reply = browser.send(&world, Method::POST, "/authorize", Some(media_type), body).await;
            assert_refused(&reply, 415);
        }
    }
    assert_refused(&browser.send(&world, Method::POST, "/authorize", None, &form).await, 415);
    assert_refused(&browser.get(&world, &format!("/authorize?{form}")).await, 400);
    let asked = browser.get(&world, &format!("/authorize?{}&{form}", Query::of("web"))).await;
    assert_eq!(asked.status, 200, "asked again: {asked:?}");
    assert_refused(&browser.post(&world, &format!("/authorize?{form}"), "").await, 400);
    assert!(world.grants("web").await.is_empty());
    browser.post(&world, "/authorize", &form).await.code();
}

#[tokio::test]
async fn br_07_fetch_metadata() {
    let world = World::new();
    let mut browser = Browser::signed_in("alice");
    let page = browser.authorize(&world, Query::of("web")).await;
    let form = approval(&page);
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "garbage")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "https://as.example.evil.example")],
        &[("origin", "http://as.example")],
        &[("origin", "https://as.example:8443")],
        &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
    ] {
        let mut browser = browser.clone();
        browser.headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        assert_refused(&browser.post(&world, "/authorize", &form).await, 403);
    }
    assert!(world.grants("web").await.is_empty());
    for (name, value) in [("sec-fetch-site", "same-origin"), ("origin", "https://as.example")] {
        browser.clone().header(name, value).post(&world, "/authorize", &form).await.code();
    }
}

#[tokio::test]
async fn br_08_login_csrf() {
    let world = World::with_pages();
    let (mut attacker, mut victim) = (Browser::new(), Browser::new());
    let page = attacker.get(&world, "/sign-in").await;
    let form = format!("form={}&username=bob&password=secret", encode(&page.field("form")));
    for mut browser in [victim.clone(), Browser::new()] {
        assert_refused(&browser.post(&world, "/sign-in", &form).await, 403);
    }
    victim.get(&world, "/sign-in").await;
    assert_refused(&victim.post(&world, "/sign-in", &form).await, 403);
    assert_refused(&victim.post(&world, "/sign-in", "username=bob&password=secret").await, 400);
    let mut own = victim.clone().header("sec-fetch-site", "cross-site");
    let page = own.get(&world, "/sign-in").await;
    let form = format!("form={}&username=bob&password=secret", encode(&page.field("form")));
    assert_refused(&own.post(&world, "/sign-in", &form).await, 403);
    assert!(!victim.cookies.contains_key(SESSION_COOKIE) && !own.cookies.contains_key(SESSION_COOKIE));
}

#[tokio::test]
async fn br_12_session_fixation() {
    let world = World::with_pages();
    let (mut attacker, mut victim) = (Browser::new(), Browser::new());
    sign_in(&world, &mut attacker, "/sign-in", "bob").await;
    let planted = attacker.cookies[SESSION_COOKIE].clone();
    victim.cookies.insert(SESSION_COOKIE.into(), planted.clone());
    // Somebody signs in where the planted session is alive: a new one begins, the planted one is dead.
    let query = Query::of("web").set("prompt", "login");
    world.clock.advance(std::time::Duration::from_secs(5));
    let detour = victim.authorize(&world, &query).await;
    sign_in(&world, &mut victim, detour.location(), "alice").await;
    assert_ne!(victim.cookies[SESSION_COOKIE], planted);
    let mine = victim.authorize(&world, Query::of("web")).await;
    assert!(mine.status == 200 && mine.body.contains("alice"), "{mine:?}");
    assert_eq!(attacker.authorize(&world, Query::of("web")).await.status, 303, "signed out");
    // A session that nobody began is no session.
    let mut victim = Browser::new();
    victim.cookies.insert(SESSION_COOKIE.into(), "A".repeat(43));
    let detour = victim.authorize(&world, Query::of("web")).await;
    sign_in(&world, &mut victim, detour.location(), "alice").await;
    assert_ne!(victim.cookies[SESSION_COOKIE], "A".repeat(43));
}

#[tokio::test]
async fn br_13_session_swap_between_page_and_answer() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    alice.session = Some("one".into());
    let page = alice.authorize(&world, Query::of("web")).await;
    let form = approval(&page);
    type Change = fn(&mut Browser);
    let changes: [Change; 5] = [
        |browser| browser.user = Some("bob".into()),
        |browser| browser.user = None,
        |browser| browser.authenticated_at = Some(attack_tests::START + 1),
        |browser| browser.session = Some("two".into()),
        |browser| browser.session = None,
    ];
    for change in changes {
        let mut other = alice.clone();
        change(&mut other);
        assert_refused(&other.post(&world, "/authorize", &form).await, 403);
        assert_refused(&other.post(&world, "/authorize", &form.replace("approve", "deny")).await, 403);
    }
    assert!(world.grants("web").await.is_empty());
    alice.post(&world, "/authorize", &form).await.code();
}

#[tokio::test]
async fn br_15_cookie_tossing() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let page = alice.authorize(&world, Query::of("web")).await;
    let (form, own) = (approval(&page), alice.cookies[BROWSER_COOKIE].clone());
    let other = "A".repeat(43);
    let bare = Browser { cookies: Default::default(), ..alice.clone() };
    for cookies in [
        format!("{BROWSER_COOKIE}={own}; {BROWSER_COOKIE}={other}"),
        format!("{BROWSER_COOKIE}={other}; {BROWSER_COOKIE}={own}"),
        format!("{BROWSER_COOKIE}={own}; {BROWSER_COOKIE}={own}"),
        format!("{BROWSER_COOKIE}=; {BROWSER_COOKIE}={own}"),
        format!("{BROWSER_COOKIE}={other}"),
        format!("oauth-browser={own}"),
        format!("__Host-OAuth-Browser={own}"),
        format!("{BROWSER_COOKIE}=\"{own}\""),
        format!("{BROWSER_COOKIE}={own}, x=y"),
        String::new(),
    ] {
        let reply = bare.clone().header("cookie", &cookies).post(&world, "/authorize", &form).await;
        assert_refused(&reply, 403);
    }
    // Two headers, as a proxy may split them.
    let split = bare.header("cookie", &format!("{BROWSER_COOKIE}={own}"));
    let tossed = split.clone().header("cookie", &format!("{BROWSER_COOKIE}={other}"));
    assert_refused(&tossed.clone().post(&world, "/authorize", &form).await, 403);
    assert!(world.grants("web").await.is_empty());
    split.header("cookie", "x=y").post(&world, "/authorize", &form).await.code();
}

#[tokio::test]
async fn br_16_consent_is_bound_to_client_and_scope() {
    let world = World::new();
    let mut alice = Browser::signed_in("alice");
    let narrow = |client: &str| Query::of(client).set("scope", "read").set("resource", API1);
    let page = alice.authorize(&world, narrow("web")).await;
    // The approval of one client at another's request is an approval of the first.
    let form = format!("{}&client_id=web2", approval(&page));
    alice.post(&world, &format!("/authorize?{}", narrow("web2")), &form).await.code();
    assert!(world.grants("web2").await.is_empty());
    assert_eq!(world.grants("web").await.len(), 1);
    // What was allowed is not asked again; whatever goes beyond is.
    alice.authorize(&world, narrow("web")).await.code();
    for wider in [
        narrow("web").set("scope", "read write"),
        narrow("web").set("resource", API2),
        narrow("web").add("resource", API2),
        narrow("web").without("scope"),
        narrow("web").without("resource"),
        narrow("web2"),
    ] {
        let asked = alice.authorize(&world, &wider).await;
        assert_eq!(asked.status, 200, "{wider}: {asked:?}");
        let silent = alice.authorize(&world, wider.set("prompt", "none")).await;
        assert!(silent.param("error").is_some() && silent.param("code").is_none(), "{silent:?}");
    }
    assert_eq!(alice.authorize(&world, narrow("web").set("prompt", "consent")).await.status, 200);
    let bob = Browser::signed_in("bob").authorize(&world, narrow("web")).await;
    assert_eq!(bob.status, 200, "bob has allowed nothing");
    // A native client could be any program on the device: it is asked about each time.
    for uri in ["com.example.cli:/cb", "http://127.0.0.1:9/cb"] {
        let native = Query::of("cli").set("redirect_uri", uri);
        alice.approve(&world, &native).await.code();
        assert_eq!(alice.authorize(&world, &native).await.status, 200, "{uri}");
    }
}

#[tokio::test]
async fn br_17_a_detour_returns_to_the_browser_that_left() {
    let world = World::new();
    world.clock.advance(std::time::Duration::from_secs(100));
    let query = Query::of("web").set("prompt", "login");
    let mut attacker = Browser::signed_in("bob");
    let detour = attacker.authorize(&world, &query).await;
    let return_to = detour.param("return_to").unwrap();
    world.clock.advance(std::time::Duration::from_secs(100));
    attacker.authenticated_at = Some(attack_tests::START + 150);
    assert_eq!(attacker.get(&world, &return_to).await.status, 200, "it works where it was made");
    // In the browser of somebody who has signed in since, it proves nothing: they are asked to sign in.
    let mut victim = Browser::signed_in("alice");
    victim.authenticated_at = Some(attack_tests::START + 150);
    for _ in 0..2 {
        let reply = victim.get(&world, &return_to).await;
        assert!(reply.location().starts_with("/login?"), "{reply:?}");
    }
    assert!(world.grants("web").await.is_empty());
}

#[tokio::test]
async fn br_22_forced_sign_out_and_redirects() {
    let world = World::with_pages();
    let mut alice = Browser::new();
    sign_in(&world, &mut alice, "/sign-in", "alice").await;
    let hostile = "post_logout_redirect_uri=https%3A%2F%2Fevil.example&id_token_hint=x&return_to=//evil.example&decision=sign_out";
    let asked = alice.get(&world, &format!("/sign-out?{hostile}")).await;
    assert_eq!(asked.status, 200);
    assert!(!asked.body.contains("evil"), "{asked:?}");
    for form in [hostile, "decision=sign_out", "form=x&decision=sign_out"] {
        assert_refused(&alice.post(&world, "/sign-out", form).await, 400);
    }
    let mut other = Browser::new();
    let mine = sign_in(&world, &mut other, "/sign-in", "bob").await;
    assert_eq!(mine.status, 303);
    let foreign = other.get(&world, "/sign-out").await;
    let form = format!("form={}&decision=sign_out", encode(&foreign.field("form")));
    assert_refused(&alice.post(&world, "/sign-out", &form).await, 403);
    // The token of another page of the same browser is none.
    let elsewhere = Browser {
        cookies: [(BROWSER_COOKIE.into(), alice.cookies[BROWSER_COOKIE].clone())].into(),
        ..Browser::new()
    }
    .get(&world, "/sign-in")
    .await;
    let form = format!("form={}&decision=sign_out", encode(&elsewhere.field("form")));
    assert_refused(&alice.post(&world, "/sign-out", &form).await, 403);
    assert_eq!(alice.authorize(&world, Query::of("web")).await.status, 200, "still signed in");
    let form = format!("form={}&{hostile}", encode(&asked.field("form")));
    let done = alice.post(&world, "/sign-out", &form).await;
    assert_eq!((done.status, done.header("location")), (200, None));
    assert_eq!(alice.authorize(&world, Query::of("web")).await.status, 303, "signed out");
}
