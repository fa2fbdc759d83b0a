//! chromedriver: starting it, and starting a browser with it.

use std::process::Stdio;

use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::Page;
use crate::page::PATIENCE;

const INSTALL: &str =
    "the browser tests need Chromium and its driver; on Debian: apt-get install chromium chromium-driver";

/// A driver of its own for each walk. It ends with this value.
pub(crate) struct Driver {
    address: String,
    process: Child,
}

impl Driver {
    pub(crate) async fn start() -> Self {
        let process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let mut process = process.unwrap_or_else(|error| panic!("chromedriver: {error}\n{INSTALL}"));
        let mut lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let port = loop {
            let line = lines.next_line().await.expect("its output can be read");
            let line = line.unwrap_or_else(|| panic!("chromedriver ended at its start\n{INSTALL}"));
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        // It must be able to go on writing.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { address: format!("http://127.0.0.1:{port}"), process }
    }

    pub(crate) async fn open(self) -> Page {
        let profile = TempDir::new().expect("a temporary directory can be made");
        let data = format!("--user-data-dir={}", profile.path().display());
        let flags = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1100,900",
            &data,
        ];
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "timeouts": { "implicit": PATIENCE.as_millis() as u64 },
            "goog:chromeOptions": { "args": flags },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        }}});
        let http = Client::builder().no_proxy().build().expect("a client without TLS can always be made");
        let answer = http.post(format!("{}/session", self.address)).json(&capabilities).send().await;
        let answer: Value = answer.expect("the driver answers").json().await.expect("it speaks JSON");
        let session = answer["value"]["sessionId"].as_str();
        let session =
            session.unwrap_or_else(|| panic!("no browser: {}\n{INSTALL}", answer["value"]["message"]));
        Page::new(http, format!("{}/session/{session}", self.address), self.process, profile)
    }
}
