//! A whole flow in which every step is answered by another process than the step before.

use std::collections::BTreeSet;
use std::process::Stdio;

use engines::Postgres;
use reqwest::{Client, RequestBuilder, Response, redirect::Policy};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1:7777/callback";

/// A browser and a client that note who answers them.
struct Walk {
    http: Client,
    issuer: String,
    cookies: Vec<(String, String)>,
    answered_by: Vec<String>,
}

impl Walk {
    async fn send(&mut self, request: RequestBuilder) -> Response {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = request.header("cookie", pairs.join("; ")).send().await.unwrap();
        for set in answer.headers().get_all("set-cookie") {
            let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        self.answered_by.push(answer.headers()["x-replica"].to_str().unwrap().to_owned());
        answer
    }

    async fn get(&mut self, address: &str) -> Response {
        self.send(self.http.get(address)).await
    }

    async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Response {
        self.send(self.http.post(address).form(fields)).await
    }

    async fn token(&mut self, fields: &[(&str, &str)]) -> Value {
        let answer =
            self.post(&format!("{}/token", self.issuer), &[&[("client_id", "demo")], fields].concat()).await;
        assert_eq!(answer.status(), 200);
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    async fn me(&mut self, access: &str) -> u16 {
        let address = format!("{}/me", self.issuer);
        self.send(self.http.get(address).bearer_auth(access)).await.status().as_u16()
    }
}

fn next(answer: &Response) -> String {
    assert_eq!(answer.status(), 303, "{answer:?}");
    answer.url().join(answer.headers()["location"].to_str().unwrap()).unwrap().into()
}

fn between<'a>(page: &'a str, before: &str) -> &'a str {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("{before}: {page}"));
    rest.split('"').next().unwrap()
}

#[tokio::test]
async fn every_step_is_answered_by_the_other_process() {
    let postgres = Postgres::start();
    let mut program = Command::new(env!("CARGO_BIN_EXE_replicas"))
        .args(["--port", "0"])
        .env("DATABASE_URL", postgres.url())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let issuer = loop {
        let line = lines.next_line().await.unwrap().expect("it says where it is");
        if let Some((_, issuer)) = line.split_once("Issuer") {
            break issuer.trim().to_owned();
        }
    };
    let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    let mut walk = Walk { http, issuer: issuer.clone(), cookies: Vec::new(), answered_by: Vec::new() };

    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("response_type", "code"),
            ("client_id", "demo"),
            ("redirect_uri", CALLBACK),
            ("scope", "profile"),
            ("state", "xyz"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ])
        .finish();
    let start = walk.get(&format!("{issuer}/authorize?{query}")).await;
    let sign_in = next(&start);
    let page = walk.get(&sign_in).await.text().await.unwrap();
    let fields = [
        ("form", between(&page, "name=\"form\" value=\"")),
        ("username", "alice"),
        ("password", "wonderland"),
    ];
    let signed_in = walk.post(&sign_in, &fields).await;
    let consent = walk.get(&next(&signed_in)).await.text().await.unwrap();
    let ticket = between(&consent, "name=\"ticket\" value=\"");
    let back =
        walk.post(&format!("{issuer}/authorize"), &[("ticket", ticket), ("decision", "approve")]).await;
    let back = url::Url::parse(&next(&back)).unwrap();
    assert!(back.as_str().starts_with(CALLBACK));
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();

    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let mut tokens = walk.token(&redeem).await;
    assert_eq!(walk.me(tokens["access_token"].as_str().unwrap()).await, 200);
    for _ in 0..3 {
        let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
        tokens = walk.token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await;
        assert_eq!(walk.me(tokens["access_token"].as_str().unwrap()).await, 200);
    }
    let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    let revoked = walk.post(&format!("{issuer}/revoke"), &[("client_id", "demo"), ("token", &refresh)]).await;
    assert_eq!(revoked.status(), 200);
    for _ in 0..2 {
        assert_eq!(walk.me(tokens["access_token"].as_str().unwrap()).await, 401, "on both, at once");
    }
    let names: BTreeSet<_> = walk.answered_by.iter().collect();
    assert_eq!(names.len(), 2, "{:?}", walk.answered_by);
    for pair in walk.answered_by.windows(2) {
        assert_ne!(pair[0], pair[1], "{:?}", walk.answered_by);
    }
}
