//! A client that knows nothing of us: grpcurl, which sends what it is told and shows status and metadata as they come. `./test`
//! installs it where it can; where it is missing the test says so and passes.

use std::env;
use std::net::Ipv4Addr;

use oauth_core::client::ClientSecret;
use oauth2::reqwest;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;
use tonic::Code;

/// What grpcurl has seen.
struct Seen {
    /// 0 if the call was answered.
    status: i32,
    /// Headers, messages and trailers.
    told: String,
}

impl Seen {
    fn is(&self, code: Code) -> bool {
        // Its exit status of a call that was refused.
        self.status == 64 + i32::from(code)
    }
}

/// Calls a method, with a token or without one.
async fn call(grpcurl: &str, address: &str, method: &str, message: &str, token: Option<&str>) -> Seen {
    let mut command = Command::new(grpcurl);
    command.args(["-plaintext", "-v", "-max-time", "30", "-proto", "notes.proto", "-import-path"]);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/proto"));
    if let Some(token) = token {
        command.args(["-H", &format!("authorization: Bearer {token}")]);
    }
    let output = command.args(["-d", message, address, method]).kill_on_drop(true).output().await.unwrap();
    let told = [output.stdout, output.stderr].concat();
    Seen { status: output.status.code().unwrap(), told: String::from_utf8(told).unwrap() }
}

/// The program that `GRPCURL` names, which must be there then; else the one on the path, if there is one.
async fn installed() -> Option<String> {
    let named = env::var("GRPCURL").ok();
    let grpcurl = named.clone().unwrap_or_else(|| "grpcurl".to_owned());
    let starts =
        Command::new(&grpcurl).arg("-version").output().await.is_ok_and(|output| output.status.success());
    assert!(starts || named.is_none(), "{grpcurl} does not start");
    starts.then_some(grpcurl)
}

async fn token(issuer: &str, secret: &ClientSecret, scope: &str) -> String {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = http.post(format!("{issuer}/token")).basic_auth("notebook", Some(secret.expose()));
    let answer = asked.form(&[("grant_type", "client_credentials"), ("scope", scope)]).send().await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn calls(grpcurl: &str, address: &str, secret: &ClientSecret) {
    let issuer = format!("http://{address}");
    let [list, add] = ["notes.Notes/List", "notes.Notes/Add"];
    for unknown in [None, Some("oat_unknown"), Some("a.b.c")] {
        let refused = call(grpcurl, address, list, "{}", unknown).await;
        assert!(refused.is(Code::Unauthenticated), "{} {}", refused.status, refused.told);
        assert!(refused.told.contains("Code: Unauthenticated"), "{}", refused.told);
        assert!(refused.told.contains("www-authenticate: Bearer realm=\"api\""), "{}", refused.told);
        assert!(refused.told.contains("scope=\"notes:read\""), "{}", refused.told);
        assert_eq!(refused.told.contains("error=\"invalid_token\""), unknown.is_some(), "{}", refused.told);
    }

    let reader = token(&issuer, secret, "notes:read").await;
    let refused = call(grpcurl, address, add, r#"{"text":"x"}"#, Some(&reader)).await;
    assert!(refused.is(Code::PermissionDenied), "{} {}", refused.status, refused.told);
    assert!(refused.told.contains("error=\"insufficient_scope\""), "{}", refused.told);
    assert!(refused.told.contains("scope=\"notes:write\""), "{}", refused.told);

    let writer = token(&issuer, secret, "notes:read notes:write").await;
    let added = call(grpcurl, address, add, r#"{"text":"feed the cat"}"#, Some(&writer)).await;
    assert_eq!(added.status, 0, "{}", added.told);
    assert!(added.told.contains(r#""count": 1"#), "{}", added.told);
    let listed = call(grpcurl, address, list, "{}", Some(&reader)).await;
    assert_eq!(listed.status, 0, "{}", listed.told);
    assert!(listed.told.contains("feed the cat"), "{}", listed.told);
    assert!(!listed.told.contains("www-authenticate"), "{}", listed.told);
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a test that has nothing to test with does not pass in silence")]
async fn grpcurl_is_told_what_it_lacks() {
    let Some(grpcurl) = installed().await else {
        eprintln!("grpcurl is not installed: skipped");
        return;
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let secret = ClientSecret::generate();
    tokio::select! {
        () = calls(&grpcurl, &address, &secret) => {}
        ended = grpc::serve(listener, &secret) => panic!("{ended:?}"),
    }
}
