//! The verification page: codes that are guessed or sent by strangers, and answers that nobody gave.

use std::sync::Arc;
use std::time::Duration;

use attack_tests::{Browser, assert_json, assert_refused, encode};
use http::Method;
use oauth_storage_memory::MemoryStore;

use super::{answer, clock, enter, over, poll, signed_in, start, world};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn dv_11_a_code_is_read_as_people_type_it() {
    let world = world();
    let mut browser = signed_in(&world, "alice").await;
    for typed in [
        |code: &str| code.to_lowercase(),
        |code: &str| code.replace('-', ""),
        |code: &str| format!(" {} ", code.replace('-', " ")),
    ] {
        let started = start(&world).await;
        let page = enter(&world, &mut browser, &typed(&started.user_code)).await;
        assert!(page.body.contains("The Screen") && page.body.contains(&started.user_code), "{page:?}");
    }
    let code = start(&world).await.user_code;
    let wide: String = code.chars().filter_map(|c| char::from_u32(u32::from(c) + 0xFEE0)).collect();
    assert!(enter(&world, &mut browser, &wide).await.body.contains("No device is waiting"));
}

#[tokio::test]
async fn dv_13_guessing_codes_ends_soon() {
    let clock = clock();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let world = over(store.clone(), clock, |builder| builder);
    let started = start(&world).await;
    // Signing in again, elsewhere, is the same person.
    for at in 0..5 {
        let mut browser = signed_in(&world, "alice").await;
        let page = enter(&world, &mut browser, &format!("BBBB-BBB{}", ["B", "C", "D", "F", "G"][at])).await;
        assert!(page.status == 200 && page.body.contains("No device is waiting"), "{page:?}");
    }
    let mut browser = signed_in(&world, "alice").await;
    let limited = enter(&world, &mut browser, &started.user_code).await;
    assert_refused(&limited, 429);
    assert_eq!(limited.header("retry-after"), Some("120"));
    assert!(limited.body.contains("Please wait 2 minutes, then try again."), "{limited:?}");
    // Another person is not concerned, and right codes do not count.
    let mut bob = signed_in(&world, "bob").await;
    for _ in 0..10 {
        assert!(enter(&world, &mut bob, &started.user_code).await.body.contains("The Screen"));
    }
    world.clock.advance(Duration::from_secs(120));
    assert!(enter(&world, &mut browser, &started.user_code).await.body.contains("The Screen"));
    // What counts them is forgotten.
    world.clock.advance(Duration::from_secs(20 * 24 * 3600));
    while world.server.store().purge(world.server.now(), 1000).await.expect("purges").more {}
    assert!(store.is_empty(), "{store:?}");
}

#[tokio::test]
async fn dv_14_a_link_lets_nobody_in() {
    let world = world();
    let started = start(&world).await;
    let link = started.complete.strip_prefix("https://as.example").expect("on the issuer").to_owned();
    let mut browser = signed_in(&world, "alice").await;
    for _ in 0..10 {
        let page = browser.get(&world, &link).await;
        assert!(page.status == 200 && page.body.contains(&format!("value=\"{}\"", started.user_code)));
        assert!(!page.body.contains("name=\"ticket\"") && !page.body.contains("<script"), "{page:?}");
    }
    for uri in [format!("{link}&decision=approve"), format!("{link}&decision=approve&ticket=x")] {
        browser.get(&world, &uri).await;
    }
    assert_json(&poll(&world, &started.device_code).await, 400, "authorization_pending");
    // A form of another site, of another browser, or without its field.
    let page = browser.get(&world, &link).await;
    let form = format!("form={}&user_code={}", encode(&page.field("form")), started.user_code);
    let mut cross = browser.clone().header("sec-fetch-site", "cross-site");
    assert_refused(&cross.send(&world, Method::POST, "/device", Some(FORM), &form).await, 403);
    let mut other = signed_in(&world, "alice").await;
    assert_refused(&other.post(&world, "/device", &form).await, 403);
    assert_refused(&browser.post(&world, "/device", &format!("user_code={}", started.user_code)).await, 400);
    let confirm = browser.post(&world, "/device", &form).await;
    let mut cross = browser.clone().header("origin", "https://evil.example");
    assert_refused(&cross.post(&world, "/device", &answer(&confirm, "approve")).await, 403);
    assert_eq!(world.grants("dev").await, ["requested"]);
    assert_eq!(browser.post(&world, "/device", &answer(&confirm, "approve")).await.status, 200);
    assert_eq!(world.grants("dev").await, ["approved"]);
}

#[tokio::test]
async fn dv_14_who_is_not_signed_in_signs_in_first_and_comes_back_with_the_code() {
    let world = world();
    let started = start(&world).await;
    let link = started.complete.strip_prefix("https://as.example").expect("on the issuer");
    let mut browser = Browser::new();
    let away = browser.get(&world, link).await;
    assert_eq!(away.status, 303);
    let page = browser.get(&world, away.location()).await;
    let form = format!("form={}&username=alice&password=secret", encode(&page.field("form")));
    let back = browser.post(&world, "/sign-in", &form).await;
    assert_eq!(back.location(), link);
    let page = browser.get(&world, back.location()).await;
    assert!(page.body.contains(&format!("value=\"{}\"", started.user_code)), "{page:?}");
    // What is not a code goes nowhere.
    let away = Browser::new().get(&world, "/device?user_code=%22%3E%3Cscript%3E").await;
    assert!(away.status == 303 && !away.location().contains("script"));
}

#[tokio::test]
async fn dv_15_a_code_that_alice_has_typed_is_not_bobs_to_answer() {
    let world = world();
    let started = start(&world).await;
    let mut alice = signed_in(&world, "alice").await;
    let page = enter(&world, &mut alice, &started.user_code).await;
    let mut bob = signed_in(&world, "bob").await;
    assert_refused(&bob.post(&world, "/device", &answer(&page, "approve")).await, 403);
    // In her own browser, too, once he has signed in there.
    let sign_out = alice.get(&world, "/sign-out").await;
    let form = format!("form={}&decision=sign_out", encode(&sign_out.field("form")));
    alice.post(&world, "/sign-out", &form).await;
    assert_refused(&alice.post(&world, "/device", &answer(&page, "approve")).await, 403);
    let sign_in = alice.get(&world, "/sign-in").await;
    let form = format!("form={}&username=bob&password=secret", encode(&sign_in.field("form")));
    assert_eq!(alice.post(&world, "/sign-in", &form).await.status, 303);
    assert_refused(&alice.post(&world, "/device", &answer(&page, "approve")).await, 403);
    assert_eq!(world.grants("dev").await, ["requested"]);
}

#[tokio::test]
async fn dv_15_the_first_answer_stands() {
    let world = world();
    let started = start(&world).await;
    let mut alice = signed_in(&world, "alice").await;
    let mut bob = signed_in(&world, "bob").await;
    let hers = enter(&world, &mut alice, &started.user_code).await;
    let his = enter(&world, &mut bob, &started.user_code).await;
    for _ in 0..2 {
        assert_eq!(alice.post(&world, "/device", &answer(&hers, "approve")).await.status, 200);
    }
    assert_refused(&bob.post(&world, "/device", &answer(&his, "approve")).await, 409);
    assert_refused(&bob.post(&world, "/device", &answer(&his, "deny")).await, 409);
    assert_refused(&alice.post(&world, "/device", &answer(&hers, "deny")).await, 409);
    let token = poll(&world, &started.device_code).await.text("access_token");
    assert_eq!(world.server.verify(&token).await.expect("works").subject(), Some("alice"));
    assert_refused(&alice.post(&world, "/device", &answer(&hers, "approve")).await, 409);
}

#[tokio::test]
async fn dv_16_nobody_answers_without_having_been_asked() {
    let world = world();
    let started = start(&world).await;
    let mut browser = signed_in(&world, "alice").await;
    let page = browser.get(&world, "/device").await;
    let form = encode(&page.field("form"));
    for (body, status) in [
        ("decision=approve".to_owned(), 400),
        (format!("user_code={}&decision=approve", started.user_code), 400),
        (format!("ticket=&decision=approve&form={form}"), 200),
        (format!("ticket={form}&decision=approve"), 400),
        ("ticket=AAAA&decision=approve".to_owned(), 400),
        (format!("form={form}&decision=approve"), 200),
    ] {
        let reply = browser.post(&world, "/device", &body).await;
        assert_eq!(reply.status, status, "{body}: {reply:?}");
        assert_eq!(world.grants("dev").await, ["requested"], "{body}");
    }
    let mut stranger = Browser::new();
    assert_refused(&stranger.post(&world, "/device", "ticket=AAAA&decision=approve").await, 403);
}

#[tokio::test]
async fn dv_22_the_page_says_who_asks_and_warns() {
    let world = world();
    let mut request = http::Request::post("/device_authorization")
        .header("content-type", FORM)
        .body(http_body_util::Full::<bytes::Bytes>::from("client_id=dev&scope=read"))
        .expect("a request");
    request.extensions_mut().insert("198.51.100.23:5".parse::<std::net::SocketAddr>().expect("an address"));
    let started = world.send(request).await;
    assert!(started.json()["expires_in"].as_u64().expect("a number") <= 15 * 60);
    let mut browser = signed_in(&world, "alice").await;
    let page = enter(&world, &mut browser, &started.text("user_code")).await;
    for shown in [
        "The Screen",
        &*started.text("user_code"),
        "Allow this only if you started it yourself",
        "read your notes",
        "198.51.100.23",
        "alice",
        "dev",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    // Both answers look alike, and neither has the focus.
    assert!(!page.body.contains("button primary") && !page.body.contains("autofocus"));
    // Consent that was given before does not answer, however often.
    assert_eq!(browser.post(&world, "/device", &answer(&page, "approve")).await.status, 200);
    let again = start(&world).await;
    assert!(enter(&world, &mut browser, &again.user_code).await.body.contains("name=\"ticket\""));
    assert_json(&poll(&world, &again.device_code).await, 400, "authorization_pending");
}

#[tokio::test]
async fn dv_24_the_page_is_not_framed() {
    let world = world();
    let started = start(&world).await;
    let mut browser = signed_in(&world, "alice").await;
    let form = browser.get(&world, "/device").await;
    let confirm = enter(&world, &mut browser, &started.user_code).await;
    let done = browser.post(&world, "/device", &answer(&confirm, "deny")).await;
    for page in [form, confirm, done, Browser::new().get(&world, "/device").await] {
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        assert!(
            page.header("content-security-policy").is_some_and(|csp| csp.contains("frame-ancestors 'none'"))
        );
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    }
}
