//! The program starts, says where, and serves.

use std::path::Path;
use std::process::Stdio;

use oauth2::reqwest;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

fn quickstart(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickstart"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command.arg("--data").arg(data).env_remove("DATABASE_URL");
    command
}

/// Waits until it has said where it is; gives its address and who can sign in.
async fn ready(program: &mut Child) -> (String, String) {
    let mut lines = BufReader::new(program.stdout.as_mut().unwrap()).lines();
    let (mut address, mut people) = (None, None);
    loop {
        let line = lines.next_line().await.unwrap().expect("it prints where it is and who can sign in");
        address = address.or(line.split_once("Open").map(|(_, address)| address.trim().to_owned()));
        people = people.or(line.split_once("Sign in").map(|(_, people)| people.trim().to_owned()));
        if line.contains("Kept in") {
            return (address.unwrap(), people.unwrap());
        }
    }
}

#[tokio::test]
async fn prints_its_address_and_serves_there() {
    let data = tempfile::tempdir().unwrap();
    let mut program = quickstart(data.path()).args(["--port", "0"]).spawn().unwrap();
    let (address, people) = ready(&mut program).await;
    assert!(people.contains("alice / wonderland"));
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
    let data = tempfile::tempdir().unwrap();
    let output = quickstart(data.path()).args(["--port", &port]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&port) && said.contains("--port"), "{said}");
}

#[cfg(unix)]
#[tokio::test]
async fn rl_16_a_service_manager_can_stop_it() {
    let data = tempfile::tempdir().unwrap();
    let mut program = quickstart(data.path()).args(["--port", "0"]).spawn().unwrap();
    ready(&mut program).await;
    let id = program.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    assert!(program.wait().await.unwrap().success());
}
