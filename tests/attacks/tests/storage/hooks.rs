//! The host's hook that fails.

use super::*;

/// What the host's hook does.
const FINE: u8 = 0;
const FAILS: u8 = 1;
const HANGS: u8 = 2;

#[derive(Debug)]
struct Hook(Arc<AtomicU8>);

#[async_trait]
impl SubjectStatus for Hook {
    async fn is_active(&self, _subject: &str) -> StoreResult<bool> {
        match self.0.load(Ordering::SeqCst) {
            FAILS => Err(StoreError::unavailable("the directory is down")),
            HANGS => std::future::pending().await,
            _ => Ok(true),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rl_21_a_hook_that_fails_or_hangs_consumes_nothing() {
    for broken in [FAILS, HANGS] {
        let mode = Arc::new(AtomicU8::new(FINE));
        let world = World::with(|builder| builder.subject_status(Hook(mode.clone())));
        let (tokens, code) = (world.tokens("web").await, world.code("web").await);
        mode.store(broken, Ordering::SeqCst);
        assert_unavailable(&world.redeem("web", &code).await);
        assert_unavailable(&world.refresh("web", &tokens.refresh).await);
        assert_unavailable(&world.introspect("rs1", &tokens.access).await);
        // Revoking asks nobody.
        let other = world.code("web").await;
        assert_eq!(world.revoke("web", &other).await.status, 200);
        mode.store(FINE, Ordering::SeqCst);
        Tokens::of(&world.redeem("web", &code).await);
        world.assert_untouched("web", &tokens).await;
    }
}
