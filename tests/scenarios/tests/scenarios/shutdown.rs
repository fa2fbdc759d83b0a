//! Stopping with requests in flight: what has begun is answered.

use std::sync::Arc;

use async_trait::async_trait;
use oauth_core::server::SubjectStatus;
use oauth_core::storage::StoreResult;
use scenario_tests::Setup;
use tokio::sync::{Semaphore, mpsc};

/// Holds every question until it is let through, and says that it has come.
#[derive(Debug)]
struct Gate {
    here: mpsc::UnboundedSender<()>,
    open: Arc<Semaphore>,
}

#[async_trait]
impl SubjectStatus for Gate {
    async fn is_active(&self, _subject: &str) -> StoreResult<bool> {
        let _ = self.here.send(());
        Ok(self.open.acquire().await.is_ok())
    }
}

#[tokio::test]
async fn rl_16_a_refresh_in_flight_is_answered_before_the_server_stops() {
    let (here, mut came) = mpsc::unbounded_channel();
    let open = Arc::new(Semaphore::new(1));
    let gate = Gate { here, open: open.clone() };
    let mut world = Setup::new().server(|server| server.subject_status(gate)).start().await;
    let app = world.app("web").await;
    let tokens = app.obtain(&world.browser(), "alice", "notes:read", &[]).await;
    came.recv().await.unwrap();

    let closed = open.clone().acquire_owned().await.unwrap();
    let refresh = tokio::spawn({
        let (app, token) = (app.clone(), tokens.refresh.clone());
        async move { app.refresh(&token, "", &[]).await }
    });
    came.recv().await.unwrap();
    let net = world.net.clone();
    let (server, issuer) = (world.server.clone(), world.issuer().to_owned());
    let mut stopped = Box::pin(world.shut_down());
    assert!(futures_not_ready(&mut stopped).await);
    drop(closed);
    let answer = refresh.await.unwrap().expect("it was in flight");
    stopped.await;
    assert!(net.try_send(http::Request::get(issuer).body(Vec::new()).unwrap()).await.is_err());
    // What was answered was stored.
    assert!(server.verify(&answer.access).await.is_ok());
}

/// Lets every other task run once, and says whether this one still waits.
async fn futures_not_ready(future: &mut (impl Future<Output = ()> + Unpin)) -> bool {
    tokio::select! {
        biased;
        () = future => false,
        () = tokio::task::yield_now() => true,
    }
}
