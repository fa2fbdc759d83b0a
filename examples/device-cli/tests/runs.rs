//! The tool as a program, a server with the built-in pages, and the owner at a browser.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Output, Stdio};

use async_trait::async_trait;
use axum::Router;
use oauth_core::client::Client;
use oauth_core::server::{DeviceFlow, Server};
use oauth_storage_memory::MemoryStore;
use oauth_tower::pages::{Credentials, CredentialsError, Identity, Pages};
use oauth_tower::server::AuthorizationServerLayer;
use reqwest::redirect::Policy;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;

struct Ada;

#[async_trait]
impl Credentials for Ada {
    async fn check(&self, username: &str, password: &str) -> Result<Option<Identity>, CredentialsError> {
        Ok(((username, password) == ("ada", "lovelace")).then(|| Identity::new("ada")))
    }
}

/// Serves an issuer on a port of its own.
async fn serve() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::builder(&issuer, MemoryStore::new())
        .device_flow(DeviceFlow::new().interval(1))
        .scope("notes:read", "read your notes")
        .client(Client::device("tool").name("Notes Tool").scope("notes:read"))
        .build()
        .unwrap();
    let pages = Pages::new(server.clone(), Ada);
    let app = Router::new().layer(AuthorizationServerLayer::new(server).pages(pages));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    issuer
}

/// The owner's browser.
struct Browser {
    http: reqwest::Client,
    issuer: String,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new(issuer: &str) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { http, issuer: issuer.to_owned(), cookies: BTreeMap::new() }
    }

    /// Follows redirects on the issuer, and answers the page.
    async fn open(&mut self, address: &str, form: Option<&[(&str, &str)]>) -> String {
        let (mut address, mut form) = (address.to_owned(), form);
        loop {
            let request = match form.take() {
                Some(form) => self.http.post(&address).form(form),
                None => self.http.get(&address),
            };
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = request.header("cookie", cookies.join("; ")).send().await.unwrap();
            for cookie in answer.headers().get_all("set-cookie") {
                let (name, value) =
                    cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            match answer.headers().get("location") {
                Some(path) => address = format!("{}{}", self.issuer, path.to_str().unwrap()),
                None => return answer.text().await.unwrap(),
            }
        }
    }
}

fn field<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, rest) =
        page.split_once(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no {name}: {page}"));
    let (_, rest) = rest.split_once("value=\"").unwrap();
    rest.split('"').next().unwrap()
}

/// Runs the tool; its owner answers.
async fn run(decision: &str) -> (Vec<String>, Output) {
    let issuer = serve().await;
    let mut tool = Command::new(env!("CARGO_BIN_EXE_device-cli"))
        .args([&*issuer, "tool", "notes:read"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tool.stdout.take().unwrap()).lines();
    let mut shown = Vec::new();
    for _ in 0..2 {
        shown.push(lines.next_line().await.unwrap().unwrap());
    }
    let link = shown[1].strip_prefix("or open ").unwrap();

    let mut browser = Browser::new(&issuer);
    let page = browser.open(link, None).await;
    let sign_in = [("form", field(&page, "form")), ("username", "ada"), ("password", "lovelace")];
    let page = browser.open(&format!("{issuer}/sign-in"), Some(&sign_in)).await;
    let code = [("form", field(&page, "form")), ("user_code", field(&page, "user_code"))];
    let page = browser.open(&format!("{issuer}/device"), Some(&code)).await;
    assert!(page.contains("Notes Tool") && page.contains("read your notes"), "{page}");
    let answer = [("ticket", field(&page, "ticket")), ("decision", decision)];
    let page = browser.open(&format!("{issuer}/device"), Some(&answer)).await;
    assert!(page.contains("Notes Tool"), "{page}");

    while let Some(line) = lines.next_line().await.unwrap() {
        shown.push(line);
    }
    (shown, tool.wait_with_output().await.unwrap())
}

#[tokio::test]
async fn the_tool_signs_in_when_its_owner_says_yes() {
    let (lines, output) = run("approve").await;
    assert!(output.status.success(), "{lines:?} {output:?}");
    assert!(lines[0].contains("/device and enter the code "), "{lines:?}");
    assert_eq!(lines[2..], ["Signed in. Allowed: notes:read"]);
}

#[tokio::test]
async fn the_tool_says_so_when_its_owner_says_no() {
    let (lines, output) = run("deny").await;
    assert_eq!(output.status.code(), Some(1), "{lines:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "device-cli: the request was denied\n");
}

#[tokio::test]
async fn a_server_that_does_not_know_the_tool_is_told_of() {
    let output = Command::new(env!("CARGO_BIN_EXE_device-cli"))
        .args([&*serve().await, "another"])
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("invalid_client"), "{output:?}");
}
