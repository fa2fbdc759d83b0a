//! The program starts, says where, and serves.

use std::process::Stdio;

use oauth2::reqwest;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;

fn quickstart() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickstart"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

#[tokio::test]
async fn prints_its_address_and_serves_there() {
    let mut program = quickstart().args(["--port", "0"]).spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let (mut address, mut people) = (None, None);
    while people.is_none() {
        let line = lines.next_line().await.unwrap().expect("it prints where it is and who can sign in");
        address = address.or(line.split_once("Open").map(|(_, address)| address.trim().to_owned()));
        people = line.split_once("Sign in").map(|(_, people)| people.trim().to_owned());
    }
    let address = address.unwrap();
    assert!(people.unwrap().contains("alice / wonderland"));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: &str| client.get(format!("{address}{path}")).send().await.unwrap();
    assert!(get("/").await.text().await.unwrap().contains("Sign in with Quickstart"));
    let metadata = get("/.well-known/oauth-authorization-server").await.text().await.unwrap();
    assert!(metadata.contains(&format!("\"issuer\":\"{address}\"")), "{metadata}");
    assert_eq!(get("/api/notes").await.status(), 401);
    // Opened by hand it is still a page of the app.
    assert!(get("/callback").await.text().await.unwrap().contains("This sign-in was not started here"));
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = quickstart().args(["--port", &port]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&port) && said.contains("--port"), "{said}");
}
