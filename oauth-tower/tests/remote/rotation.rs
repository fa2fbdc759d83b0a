//! Keys that are rotated all the time, by a server that keeps them in its store, under verifiers that know of it by the key set
//! alone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use http::{HeaderMap, HeaderValue};
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::ManualClock;
use oauth_core::server::keys::StoredKeys;
use oauth_core::server::{Server, SigningKeys};
use oauth_jose::Algorithm;
use oauth_storage_memory::MemoryStore;
use oauth_tower::bearer::{JwtVerifier, TrustedIssuer};
use oauth_tower::http_client::HttpClient;
use oauth_tower::server::AuthorizationServerLayer;

use crate::elsewhere::verify;
use crate::issuer::{API, ISSUER, clock};

const ROTATIONS: usize = 100;
const LIFETIME: u64 = 60;
const STEP: u64 = 5;

struct Issuer {
    server: Arc<Server>,
    basic: HeaderValue,
}

impl Issuer {
    async fn start(clock: &ManualClock) -> Self {
        use base64::Engine as _;
        let secret = ClientSecret::generate();
        let keys = SigningKeys::stored(Algorithm::Es256)
            .published_ahead(Duration::from_secs(20))
            .rotated_every(Duration::from_secs(40));
        let server = Server::builder(ISSUER, MemoryStore::with_clock(Arc::new(clock.clone())))
            .clock(clock.clone())
            .stored_keys(StoredKeys::new())
            .jwt_for(API)
            .jwt_lifetime(Duration::from_secs(LIFETIME))
            .signing_keys(keys)
            .client(Client::machine("m2m", &secret).scope("read").resource(API))
            .start()
            .await
            .unwrap();
        let pair = format!("m2m:{}", secret.expose());
        let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        Self { server, basic: HeaderValue::try_from(basic).unwrap() }
    }

    async fn token(&self) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", self.basic.clone());
        let response = self.server.token(&headers, b"grant_type=client_credentials").await.unwrap();
        serde_json::to_value(&response).unwrap()["access_token"].as_str().unwrap().to_owned()
    }

    fn verifier(&self, clock: &ManualClock) -> JwtVerifier {
        let http = HttpClient::new(AuthorizationServerLayer::new(self.server.clone()).into_service());
        let trusted = TrustedIssuer::discover(ISSUER, API, http);
        JwtVerifier::builder().clock(clock.clone()).skew(Duration::ZERO).issuer(trusted).build().unwrap()
    }
}

/// The header of a JWT, which names its key.
fn header(token: &str) -> String {
    token.split('.').next().unwrap().to_owned()
}

#[tokio::test]
async fn jw_24_no_good_token_is_refused_while_keys_come_and_go() {
    let clock = clock();
    let issuer = Issuer::start(&clock).await;
    let verifiers = [(); 3].map(|()| issuer.verifier(&clock));
    let mut signed_by = BTreeSet::new();
    let mut live: Vec<(String, u64)> = Vec::new();
    let mut verified = 0_u64;
    let mut now = 0;
    while signed_by.len() <= ROTATIONS {
        let token = issuer.token().await;
        assert!(signed_by.len() > 3 || now < 600, "the keys are not rotated");
        signed_by.insert(header(&token));
        live.push((token, now));
        live.retain(|(_, issued)| now < issued + LIFETIME);
        let verdicts = join_all(verifiers.iter().flat_map(|verifier| {
            live.iter().map(async move |(token, issued)| (issued, verify(verifier, token).await))
        }));
        for (issued, verdict) in verdicts.await {
            assert!(verdict.is_ok(), "issued at {issued}, asked at {now}: {verdict:?}");
            verified += 1;
        }
        // What was begun in the background ends within the step.
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_secs(STEP));
        now += STEP;
    }
    assert!(verified > 10_000, "{verified}");
}
