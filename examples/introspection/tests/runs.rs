//! The example does what it says.

#[tokio::test]
async fn opaque_tokens_are_checked_over_http() {
    let seen = introspection::run().await.unwrap();
    assert_eq!(seen.hello, "hello notebook");
    assert!((1..10).contains(&seen.questions), "{}", seen.questions);
    assert_eq!((seen.revoked, seen.down), (401, 503));
}
