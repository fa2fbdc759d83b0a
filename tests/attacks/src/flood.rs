//! Requests of strangers, as many as one likes: to every endpoint that answers without credentials.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderMap;
use oauth_core::client::Client;
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::fetch::{DocumentFetcher, FetchError, Fetched};
use oauth_core::limit::Unlimited;
use oauth_core::server::{ClientIdMetadataDocuments, DeviceFlow, DynamicRegistration};
use oauth_jose::Algorithm;
use oauth_storage_memory::MemoryStore;
use oauth_tower::pages::Pages;
use oauth_tower::server::AuthorizationServerLayer;
use serde_json::{Value, json};

use crate::{Asserter, Browser, Query, Reply, START, Users, World, asserted, encode};

/// A client of a stranger, which signs its requests.
const SIGNER: &str = "https://c.example/signer.json";
const CALLBACK: &str = "https://c.example/cb";

/// Something that a stranger sends again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flood {
    /// Authorization requests of browsers that are new each time.
    Authorize,
    /// Authorization requests of clients that are new each time, with a document that describes them.
    Documents,
    /// Authorization requests of clients whose document cannot be fetched.
    NoDocuments,
    /// Clients that register themselves, each of which is stored, and never come back.
    Registration,
    /// Device authorization requests, each of which is stored.
    Device,
    /// User codes of nobody who is signed in.
    UserCode,
    /// Wrong passwords.
    SignIn,
    /// Clients that do not exist.
    UnknownClient,
    /// Codes that do not exist.
    Token,
    /// Device codes that do not exist.
    Poll,
    /// Tokens that do not exist.
    Revoke,
    /// Assertions of another than the client.
    ForgedAssertion,
    /// Assertions of a client of the stranger's own: the `jti` of each is stored.
    Assertion,
}

impl Flood {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Authorize,
        Self::Documents,
        Self::NoDocuments,
        Self::Registration,
        Self::Device,
        Self::UserCode,
        Self::SignIn,
        Self::UnknownClient,
        Self::Token,
        Self::Poll,
        Self::Revoke,
        Self::ForgedAssertion,
        Self::Assertion,
    ];

    /// Whether each request stores a record, which then has to go again.
    pub fn is_stored(self) -> bool {
        matches!(self, Self::Registration | Self::Device | Self::Assertion)
    }

    /// Whether the process remembers something of each request for a while.
    pub fn is_remembered(self) -> bool {
        matches!(self, Self::Documents | Self::NoDocuments)
    }

    fn status(self) -> u16 {
        match self {
            Self::Authorize | Self::Documents => 303,
            Self::Registration => 201,
            Self::Device | Self::SignIn | Self::Revoke => 200,
            Self::UserCode | Self::Token | Self::Poll | Self::Assertion => 400,
            Self::UnknownClient | Self::ForgedAssertion => 401,
            Self::NoDocuments => 503,
        }
    }
}

/// A server without limits and with everything switched on that a stranger can reach.
#[derive(Debug)]
pub struct Flooded {
    world: World,
    store: MemoryStore,
    signer: Asserter,
    forger: Asserter,
}

impl Flooded {
    /// A new one.
    pub fn new() -> Self {
        let clock = ManualClock::new(Timestamp::from_secs(START));
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let asserter = || Asserter::new(SIGNER, Algorithm::Es256, "k");
        let (signer, forger) = (asserter(), asserter());
        let keys = signer.jwk();
        let world = World::over(store.clone(), clock, |builder| {
            builder
                .limiter(Unlimited)
                .device_flow(DeviceFlow::new())
                .client(Client::device("dev").scope("read"))
                .resource("https://api1.example")
                .dynamic_registration(DynamicRegistration::open())
                .client_id_metadata_documents(ClientIdMetadataDocuments::new())
                .document_fetcher(Anywhere(keys))
        });
        let pages = Pages::new(world.server.clone(), Users);
        let layer = AuthorizationServerLayer::new(world.server.clone()).pages(pages);
        let world = World::mounted(world.server, world.clock, layer);
        Self { world, store, signer, forger }
    }

    /// How many records are stored.
    pub fn rows(&self) -> usize {
        self.store.len()
    }

    /// Lets all that was stored and remembered expire, and purges.
    ///
    /// # Panics
    ///
    /// If the store fails.
    pub async fn settle(&self) {
        self.world.clock.advance(Duration::from_secs(26 * 3600));
        while self.world.server.purge(1000).await.expect("purges").more {}
    }

    /// Sends it with each of these numbers.
    ///
    /// # Panics
    ///
    /// If an answer is not the one that it should be.
    pub async fn send(&self, flood: Flood, numbers: Range<usize>) {
        let mut browser = Browser::new();
        let page = browser.get(&self.world, "/sign-in").await;
        let form = encode(&page.field("form"));
        for at in numbers {
            let reply = match flood {
                Flood::SignIn => {
                    let form = format!("form={form}&username=u{at}&password=wrong");
                    browser.post(&self.world, "/sign-in", &form).await
                }
                Flood::UserCode => browser.post(&self.world, "/device", "user_code=BBBB-BBBB").await,
                _ => self.request(flood, at).await,
            };
            assert_eq!(reply.status, flood.status(), "{flood:?}: {reply:?}");
        }
    }

    async fn request(&self, flood: Flood, at: usize) -> Reply {
        let world = &self.world;
        let token = async |form: &str| world.post("/token", &[], form).await;
        match flood {
            Flood::Documents => visit(world, &format!("https://c.example/{at}.json")).await,
            Flood::NoDocuments => visit(world, &format!("https://c.example/down/{at}.json")).await,
            Flood::Registration => world.post("/register", &JSON, &metadata(at)).await,
            Flood::Device => world.post("/device_authorization", &[], "client_id=dev").await,
            Flood::UnknownClient => token(&format!("grant_type=client_credentials&client_id=u{at}")).await,
            Flood::Token => world.redeem("spa", &format!("oac_{at:0>96}")).await,
            Flood::Poll => {
                let grant_type = encode(DeviceFlow::GRANT_TYPE);
                token(&format!("client_id=dev&grant_type={grant_type}&device_code=odc_{at:0>96}")).await
            }
            Flood::Revoke => world.revoke("spa", &format!("ort_{at:0>96}")).await,
            Flood::ForgedAssertion => token(&self.asserted(&self.forger, at).await).await,
            Flood::Assertion => token(&self.asserted(&self.signer, at).await).await,
            _ => Browser::new().authorize(world, Query::of("web")).await,
        }
    }

    async fn asserted(&self, asserter: &Asserter, at: usize) -> String {
        let mut claims = asserter.claims(&format!("{at}"));
        claims["exp"] = json!(self.world.server.now().as_secs() + 300);
        let assertion = asserter.assertion(&claims).await;
        format!("grant_type=authorization_code&code=none&code_verifier=none&{}", asserted(&assertion))
    }
}

impl Default for Flooded {
    fn default() -> Self {
        Self::new()
    }
}

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

fn metadata(at: usize) -> String {
    json!({"client_name": format!("Agent {at}"), "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"})
        .to_string()
}

async fn visit(world: &World, client_id: &str) -> Reply {
    let query = Query::of(client_id).set("redirect_uri", CALLBACK);
    Browser::new().authorize(world, query).await
}

/// The internet: every URL is a client's, but for those below `/down/`. One client signs with this key.
#[derive(Debug)]
struct Anywhere(Value);

#[async_trait]
impl DocumentFetcher for Anywhere {
    async fn fetch(&self, url: &str, _limit: usize) -> Result<Fetched, FetchError> {
        if url.contains("/down/") {
            return Err(FetchError::Unreachable);
        }
        let mut document = json!({
            "client_id": url,
            "client_name": "A stranger's",
            "redirect_uris": [CALLBACK],
        });
        if url == SIGNER {
            document["token_endpoint_auth_method"] = json!("private_key_jwt");
            document["jwks"] = json!({ "keys": [self.0] });
        } else {
            document["token_endpoint_auth_method"] = json!("none");
        }
        Ok(Fetched { body: document.to_string().into_bytes(), headers: HeaderMap::new() })
    }
}
