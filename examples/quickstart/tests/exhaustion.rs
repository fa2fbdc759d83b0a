//! Connections that only sit there.

#![cfg(unix)]

use std::process::Stdio;
use std::time::Duration;

use oauth2::reqwest;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

/// With how many open files the program has to do.
const FILES: usize = 64;

#[tokio::test]
async fn ex_06_a_server_without_files_left_accepts_again_when_there_are_some() {
    let data = tempfile::tempdir().unwrap();
    let run = format!("ulimit -n {FILES}; exec \"$0\" --port 0 --data \"$1\"");
    let mut program = Command::new("sh")
        .args(["-c", &run, env!("CARGO_BIN_EXE_quickstart")])
        .arg(data.path())
        .env_remove("DATABASE_URL")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let address = loop {
        let line = lines.next_line().await.unwrap().expect("it prints where it is");
        if let Some((_, address)) = line.split_once("Open") {
            break address.trim().to_owned();
        }
    };
    let host = address.strip_prefix("http://").unwrap();
    let mut idle = Vec::new();
    for at in 0..2 * FILES {
        let mut stream = TcpStream::connect(host).await.unwrap();
        // Some say nothing at all, some stop in the middle of a word.
        if at % 2 == 0 {
            stream.write_all(b"POST /token HTTP/1.1\r\nhost: ").await.unwrap();
        }
        idle.push(stream);
    }
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(1)).build().unwrap();
    let metadata = format!("{address}/.well-known/oauth-authorization-server");
    assert!(client.get(&metadata).send().await.is_err(), "there is no file left for it");
    drop(idle);
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
    for _ in 0..2 * FILES {
        assert_eq!(client.get(&metadata).send().await.unwrap().status(), 200);
    }
    assert!(program.try_wait().unwrap().is_none(), "it has never ended");
}
