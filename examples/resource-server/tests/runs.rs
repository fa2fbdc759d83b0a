//! The example does what it says: two processes, and a client.

use std::error::Error;
use std::process::Stdio;

use oauth2::basic::BasicClient;
use oauth2::reqwest;
use oauth2::{ClientId, ClientSecret, Scope, TokenResponse, TokenUrl};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A process of the example, and what it prints. It ends with the test.
struct Process {
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Process {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        let mut child = command.args(arguments).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        Self { lines: BufReader::new(child.stdout.take().unwrap()).lines(), _child: child }
    }

    /// The last word of the next line.
    async fn word(&mut self) -> String {
        let line = self.lines.next_line().await.unwrap().expect("a line");
        line.rsplit(' ').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn an_api_in_another_process_checks_the_tokens() -> Result<(), Box<dyn Error>> {
    let mut issuer = Process::start(env!("CARGO_BIN_EXE_issuer"), &["127.0.0.1:0"]);
    let (address, secret) = (issuer.word().await, issuer.word().await);
    let mut api = Process::start(env!("CARGO_BIN_EXE_resource-server"), &[&address, "127.0.0.1:0"]);
    let report = format!("{}/report", api.word().await);

    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let oauth = BasicClient::new(ClientId::new("nightly-report".to_owned()))
        .set_client_secret(ClientSecret::new(secret))
        .set_token_uri(TokenUrl::new(format!("{address}/token"))?);
    let ask = async |scope: &str| {
        let request = oauth.exchange_client_credentials().add_scope(Scope::new(scope.to_owned()));
        let token = request.request_async(&http).await.unwrap();
        http.get(&report).bearer_auth(token.access_token().secret()).send().await.unwrap()
    };

    for _ in 0..2 {
        let answer = ask("reports:read").await;
        assert_eq!(answer.status().as_u16(), 200);
        let body = answer.text().await?;
        assert_eq!(body, r#"{"client_id":"nightly-report","scope":"reports:read"}"#);
    }
    assert_eq!(ask("audit:read").await.status().as_u16(), 403);

    let refused = http.get(&report).send().await?;
    assert_eq!(refused.status().as_u16(), 401);
    let challenge = refused.headers()["www-authenticate"].to_str()?;
    let metadata = "https://reports.example.com/.well-known/oauth-protected-resource";
    assert!(challenge.ends_with(&format!(r#"resource_metadata="{metadata}""#)), "{challenge}");
    let document = report.replace("/report", "/.well-known/oauth-protected-resource");
    let document: serde_json::Value =
        serde_json::from_slice(&http.get(document).send().await?.bytes().await?)?;
    assert_eq!(document["authorization_servers"][0], address);
    Ok(())
}
