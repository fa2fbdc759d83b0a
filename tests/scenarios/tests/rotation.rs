//! Signing keys that are rotated under load: one issuer, three verifying processes that know it by its address, over sockets.
//!
//! The clock is the test's. In every round it goes on by some seconds, in each process at another moment, while requests are
//! under way; nothing waits for time to pass.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::future::join_all;
use oauth_core::client::{Client, ClientSecret};
use oauth_core::clock::{ManualClock, Timestamp};
use oauth_core::server::keys::StoredKeys;
use oauth_core::server::{Server, SigningKeys};
use oauth_jose::Algorithm;
use oauth_storage_memory::MemoryStore;
use oauth_tower::server::AuthorizationServerLayer;
use scenario_tests::{API, START};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const ROTATIONS: usize = 100;
/// How long a token lives, in seconds.
const LIFETIME: i64 = 60;
/// How far the clock goes on in a round. Below the 10 s that verifiers allow clocks to be apart.
const STEP: i64 = 8;
/// Those who get tokens and use them.
const CLIENTS: usize = 3;

/// The server, on a socket, for one client.
struct Issuer {
    url: String,
    clock: ManualClock,
    secret: ClientSecret,
}

impl Issuer {
    /// Known by its own address, or by the name of another.
    async fn start(name: Option<&str>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let clock = ManualClock::new(Timestamp::from_secs(START));
        let secret = ClientSecret::generate();
        let keys = SigningKeys::stored(Algorithm::Es256)
            .published_ahead(Duration::from_secs(20))
            .rotated_every(Duration::from_secs(40));
        let server = Server::builder(name.unwrap_or(&url), MemoryStore::with_clock(Arc::new(clock.clone())))
            .clock(clock.clone())
            .stored_keys(StoredKeys::new())
            .signing_keys(keys)
            .jwt_for(API)
            .jwt_lifetime(Duration::from_secs(LIFETIME.unsigned_abs()))
            .client(Client::machine("machine", &secret).scope("read").resource(API))
            .start()
            .await
            .unwrap();
        let app = Router::new().layer(AuthorizationServerLayer::new(server));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, clock, secret }
    }

    async fn token(&self, http: &reqwest::Client) -> String {
        let request = http.post(format!("{}/token", self.url));
        let request = request.basic_auth("machine", Some(self.secret.expose()));
        let answer = request.form(&[("grant_type", "client_credentials")]).send().await.unwrap();
        let json: serde_json::Value = answer.json().await.unwrap();
        json["access_token"].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
    }
}

/// A process that verifies.
struct Verifier {
    url: String,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Verifier {
    async fn start(issuer: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_verifier"))
            .args([issuer, API, &START.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = format!("http://{}", output.next_line().await.unwrap().expect("its address"));
        Self { url, input: process.stdin.take().unwrap(), output, _process: process }
    }

    async fn set_clock(&mut self, now: i64) {
        self.input.write_all(format!("{now}\n").as_bytes()).await.unwrap();
        assert_eq!(self.output.next_line().await.unwrap(), Some(now.to_string()));
    }
}

/// Somebody who gets a token in every round, and tries it and older ones at every verifier.
struct Load {
    http: reqwest::Client,
    live: Vec<(String, i64)>,
    verified: usize,
}

impl Load {
    fn new() -> Self {
        Self { http: reqwest::Client::builder().no_proxy().build().unwrap(), live: Vec::new(), verified: 0 }
    }

    async fn round(&mut self, issuer: &Issuer, apis: &[String], now: i64) {
        // Good until the end of this round, whichever clock says so.
        self.live.retain(|(_, issued)| now + STEP < issued + LIFETIME);
        self.live.push((issuer.token(&self.http).await, now));
        let tried = [0, self.live.len() / 2, self.live.len() - 1].map(|at| &self.live[at]);
        let tries = tried.into_iter().flat_map(|token| apis.iter().map(move |api| (api, token)));
        let answers = join_all(tries.map(async |(api, (token, issued))| {
            let answer = self.http.get(api).bearer_auth(token).send().await.unwrap();
            let challenge = answer.headers().get("www-authenticate").cloned();
            assert_eq!(answer.status(), 200, "issued at {issued}, used at {now}: {challenge:?}");
        }));
        self.verified += answers.await.len();
    }

    /// The header of the newest token, which names its key.
    fn key(&self) -> String {
        self.live.last().unwrap().0.split('.').next().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jw_24_no_good_token_is_refused_by_three_processes_while_keys_come_and_go() {
    let issuer = Issuer::start(None).await;
    let mut verifiers = join_all([(); 3].map(|()| Verifier::start(&issuer.url))).await;
    let apis: Vec<String> = verifiers.iter().map(|verifier| verifier.url.clone()).collect();
    let mut loads: Vec<Load> = (0..CLIENTS).map(|_| Load::new()).collect();
    let mut signed_by = BTreeSet::new();
    let mut now = START;
    for round in 0.. {
        if signed_by.len() > ROTATIONS {
            break;
        }
        assert!(signed_by.len() * 20 >= round, "the keys are not rotated");
        let requests = join_all(loads.iter_mut().map(|load| load.round(&issuer, &apis, now)));
        let clocks = async {
            let next = now + STEP;
            // The issuer is ahead of the others, or behind.
            if round % 2 == 0 {
                issuer.clock.set(Timestamp::from_secs(next));
            }
            join_all(verifiers.iter_mut().map(|verifier| verifier.set_clock(next))).await;
            issuer.clock.set(Timestamp::from_secs(next));
        };
        tokio::join!(requests, clocks);
        signed_by.extend(loads.iter().map(Load::key));
        now += STEP;
    }
    assert!(loads.iter().map(|load| load.verified).sum::<usize>() > 10_000);

    // They do look: an issuer of the same name with keys of its own gets nowhere.
    let impostor = Issuer::start(Some(&issuer.url)).await;
    impostor.clock.set(Timestamp::from_secs(now));
    let forged = impostor.token(&loads[0].http).await;
    for api in &apis {
        let answer = loads[0].http.get(api).bearer_auth(&forged).send().await.unwrap();
        assert_eq!(answer.status(), 401);
    }
}
