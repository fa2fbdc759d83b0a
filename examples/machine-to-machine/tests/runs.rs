//! The example does what it says.

#[tokio::test]
async fn gets_a_token_for_itself_and_calls_the_api() {
    let seen = machine_to_machine::run().await.unwrap();
    assert_eq!(seen.scope, "reports:read");
    assert_eq!(seen.report["for"], "nightly-report");
    assert_eq!((seen.without.as_u16(), seen.forbidden.as_u16()), (401, 403));
}
