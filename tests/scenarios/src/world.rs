//! A server that listens, with its clock, its store and its host's doors.

use std::sync::Arc;

use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::server::Server;
use oauth_core::storage::testing::FaultStore;
use oauth_storage_memory::MemoryStore;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::clients::{basic, clients, secret};
use crate::{App, Browser, Net, Reply, START, Setup, api_router, encode};

/// A server on a socket, and everything around it.
#[derive(Debug)]
pub struct World {
    /// The server, for the host's doors.
    pub server: Arc<Server>,
    /// Its clock.
    pub clock: ManualClock,
    /// Its store, which can be made to fail.
    pub store: FaultStore<MemoryStore>,
    /// The way to it.
    pub net: Net,
    issuer: String,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl World {
    /// `https://auth.example` with the built-in pages, around the API.
    pub async fn start() -> Self {
        Setup::new().start().await
    }

    pub(crate) async fn of(setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        let origin = setup.origin.unwrap_or(&address);
        let issuer = format!("{origin}{}", setup.path);
        let clock = ManualClock::new(Timestamp::from_secs(START));
        let store = FaultStore::calm(MemoryStore::new());
        let mut builder = Server::builder(&issuer, store.clone()).clock(clock.clone());
        for client in clients() {
            builder = builder.client(client);
        }
        let builder = builder
            .scope("notes:read", "read your notes")
            .scope("notes:write", "change your notes")
            .scope("profile", "see your name");
        let server = (setup.server)(builder).build().expect("a server");
        let layer = (setup.layer)(server.clone());
        let app = (setup.mount)(layer, api_router(server.clone()));
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let until = async { drop(stopped.await) };
            axum::serve(listener, app).with_graceful_shutdown(until).await.expect("serving does not fail");
        });
        let net = Net::new(origin, &address);
        Self { server, clock, store, net, issuer, stop: Some(stop), serving }
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// A new browser.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.net)
    }

    /// An app that has read the metadata.
    pub async fn app(&self, client_id: &str) -> App {
        App::discover(&self.net, &self.issuer, client_id).await
    }

    /// A form as a client sends it, to a path below the issuer's: by HTTP Basic, in the body, or with its id alone.
    pub async fn post_as(&self, client_id: &str, path: &str, form: &str) -> Reply {
        self.net.send(self.form_as(client_id, path, form)).await
    }

    /// The request of [`World::post_as`].
    pub fn form_as(&self, client_id: &str, path: &str, form: &str) -> http::Request<Vec<u8>> {
        let (url, secret) = (format!("{}{path}", self.issuer), secret(client_id));
        match client_id {
            "spa" | "cli" => self.net.form(&url, &[], &format!("client_id={client_id}&{form}")),
            "post" => {
                let form = format!("client_id=post&client_secret={}&{form}", encode(&secret));
                self.net.form(&url, &[], &form)
            }
            _ => self.net.form(&url, &[("authorization", &basic(client_id, &secret))], form),
        }
    }

    /// A request to the API with a token.
    ///
    /// # Panics
    ///
    /// If the token is no header text.
    pub async fn call(&self, method: &str, path: &str, token: &str) -> Reply {
        let request = http::Request::builder().method(method).uri(self.net.url(path));
        let request = request.header("authorization", format!("Bearer {token}"));
        self.net.send(request.body(Vec::new()).expect("a request")).await
    }

    /// What introspection says to a client or an API.
    ///
    /// # Panics
    ///
    /// If it refuses to say.
    pub async fn introspect(&self, client_id: &str, token: &str) -> serde_json::Value {
        let reply = self.post_as(client_id, "/introspect", &format!("token={}", encode(token))).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    /// Stops to listen; the answer comes when all requests in flight are answered.
    ///
    /// # Panics
    ///
    /// If it stops twice, or the server panics.
    pub fn shut_down(&mut self) -> impl Future<Output = ()> + '_ {
        self.stop.take().expect("it still runs").send(()).expect("it still listens");
        async { (&mut self.serving).await.expect("it stops in good order") }
    }
}
