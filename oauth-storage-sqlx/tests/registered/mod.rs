//! Clients that registered themselves, in an engine.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use oauth_core::clock::ManualClock;
use oauth_core::error::{Error, ErrorCode};
use oauth_core::server::{ClientInformation, DynamicRegistration, Server};
use oauth_core::storage::Store;
use oauth_core::storage::testing::Backend;

use crate::records::{DAY, NOW};

const PATH: &str = "/register";
const METADATA: &[u8] = br#"{"client_name":"A client","redirect_uris":["https://client.example/cb"]}"#;

fn server(store: impl Store, clock: &ManualClock) -> Arc<Server> {
    Server::builder("https://auth.example", store)
        .clock(clock.clone())
        .dynamic_registration(DynamicRegistration::open())
        .build()
        .expect("a server")
}

fn bearer(client: &ClientInformation) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let value = format!("Bearer {}", client.registration_access_token());
    headers.insert(AUTHORIZATION, value.parse().expect("header text"));
    headers
}

async fn register(server: &Server) -> ClientInformation {
    let registrations = server.registrations(PATH).expect("it is on");
    registrations.register(&HeaderMap::new(), METADATA, None).await.expect("a client")
}

async fn read(server: &Server, client: &ClientInformation) -> Result<ClientInformation, Error> {
    let registrations = server.registrations(PATH).expect("it is on");
    registrations.read(&bearer(client), client.client().id()).await
}

/// They survive a restart that loses the handle keys, are changed and deleted after it, and go when their time is over.
pub(crate) fn survive_a_restart<B: Backend>(backend: &B) {
    backend.block_on(Box::pin(async {
        let clock = ManualClock::new(NOW);
        let store = Arc::new(backend.fresh().await);
        let before = server(store.clone(), &clock);
        let (kept, deleted) = (register(&before).await, register(&before).await);
        let unused = register(&before).await;
        drop(before);

        let again = Arc::new(backend.reopen(&store).await);
        let after = server(again.clone(), &clock);
        for client in [&kept, &deleted, &unused] {
            let found = read(&after, client).await.expect("its registration");
            assert_eq!(found.client(), client.client());
            assert_eq!(*after.client(client.client().id()).await.expect("an answer").expect("it"), *client.client());
        }
        let registrations = after.registrations(PATH).expect("it is on");
        let id = kept.client().id();
        let update = format!(
            r#"{{"client_id":"{id}","client_name":"Another name","redirect_uris":["https://client.example/cb"]}}"#
        );
        let renamed = registrations.update(&bearer(&kept), id, update.as_bytes(), None).await.expect("it");
        assert_eq!(renamed.client().name(), "Another name");
        registrations.delete(&bearer(&deleted), deleted.client().id()).await.expect("gone");
        let refused = read(&after, &deleted).await.expect_err("it is gone");
        assert_eq!(refused.code(), ErrorCode::InvalidToken);

        let third = server(Arc::new(backend.reopen(&store).await), &clock);
        assert_eq!(read(&third, &kept).await.expect("its registration").client().name(), "Another name");
        assert!(read(&third, &deleted).await.is_err());
        clock.set(NOW + 2 * DAY);
        assert!(read(&third, &unused).await.is_err() && read(&third, &kept).await.is_err());
        while third.purge(100).await.expect("purges").more {}
        let key = oauth_core::client::client_key("https://auth.example", unused.client().id());
        assert!(again.load(&key).await.expect("an answer").is_none());
    }));
}
